//! `cutover import`: takes scans, inventories and token lists into a session; `init` starts with the same.
//!
//! Everything is read and understood before anything is written. From rows to answers is pure; what stands in a list
//! is what people or the registry said, never a decision.

use super::Exit;
use super::context::{Context, shown};
use super::error::CommandError;
use super::scan::scanned;
use crate::intake::columns::{How, Mapping, Override};
use crate::intake::inventory::{Inventory, InventoryRow};
use crate::intake::sheet::Format;
use crate::intake::{self};
use crate::model::decision::{Slot, Standing, Value};
use crate::model::event::Observation;
use crate::model::fact::Answer;
use crate::model::facts::Facts;
use crate::model::id::Subject;
use crate::model::name::Login;
use crate::model::time::Ts;
use crate::safe::shown::visible;
use crate::scan::{RepoScan, observe};
use crate::session::Session;
use crate::session::decide::{Action, RevocationAction};
use crate::session::left::left_behind;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

mod cli_lists;
mod tokens;

use cli_lists::KnownTrust;
use tokens::KnownList;

/// What can be taken in, for `init` and `import` alike.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Sources {
    /// Scan the checkouts at or below PATH
    #[arg(long, value_name = "PATH", num_args = 1..)]
    pub scan: Vec<PathBuf>,
    /// Read an inventory of repositories (CSV, TSV, TOML, JSON, YAML)
    #[arg(long, value_name = "FILE")]
    pub inventory: Vec<PathBuf>,
    /// Read what `npm token list --json` printed for an account
    #[arg(long, value_name = "ACCOUNT=FILE", num_args = 1..)]
    pub tokens: Vec<String>,
    /// Read what `npm trust list PACKAGE --json` printed; an empty file says that there is no trust config
    #[arg(long, value_name = "PACKAGE=FILE", num_args = 1..)]
    pub trust: Vec<String>,
    /// Read what `gh secret list --json name,updatedAt` printed for org:ORG, repo:OWNER/NAME or env:OWNER/NAME:ENV
    #[arg(long, value_name = "STORE=FILE", num_args = 1..)]
    pub secrets: Vec<String>,
    /// Read what `npm access list packages ACCOUNT --json` printed
    #[arg(long, value_name = "ACCOUNT=FILE", num_args = 1..)]
    pub packages: Vec<String>,
    /// Note that the token list of an account is still owed
    #[arg(long, value_name = "ACCOUNT", num_args = 1..)]
    pub owed: Vec<String>,
    /// Say which field a column of the inventory is (`COLUMN=-` leaves it out)
    #[arg(long, value_name = "COLUMN=FIELD")]
    pub map: Vec<String>,
    /// Take the mapping of columns as it was understood
    #[arg(long)]
    pub yes: bool,
    /// When the lists were made (2026-12-05 or 2026-12-05T10:02:11Z); default: now
    #[arg(long, value_name = "TIME")]
    pub as_of: Option<String>,
}

/// Take more scans, inventories and token lists into a session
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Inventories, as with --inventory
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    #[command(flatten)]
    pub sources: Sources,
    /// Note that the token list of an account is not owed any more
    #[arg(long, value_name = "ACCOUNT")]
    pub not_owed: Vec<String>,
}

/// Where the answers belong: part of every id.
#[derive(Debug, Clone, Copy)]
pub struct Home<'a> {
    pub forge: &'a str,
    pub registry: &'a str,
}

/// What a session knows already, as far as it tells how to read what comes in.
#[derive(Debug, Default)]
pub struct Known {
    /// Names of repositories.
    pub repos: Vec<String>,
    pub lists: Vec<KnownList>,
    pub trust: KnownTrust,
}

impl Known {
    fn of(facts: &Facts) -> Self {
        let repos = facts.repos.values().map(|row| row.name().to_owned());
        Self {
            repos: repos.collect(),
            lists: KnownList::all(facts),
            trust: KnownTrust::of(facts),
        }
    }
}

/// What was read, ready to be observed.
#[derive(Debug, Default)]
pub struct Gathered {
    pub answers: Vec<(Subject, Observation)>,
    pub repos: usize,
    pub rows: usize,
    pub tokens: usize,
    pub accounts: Vec<String>,
    /// Lists of trust configs, secrets and packages.
    pub lists: usize,
    pub owed: Vec<String>,
    /// Owners of the scanned repositories, the most frequent first.
    pub organisations: Vec<String>,
}

/// Takes everything in.
///
/// # Errors
/// An input cannot be read or understood, and then nothing is written; or the session cannot be written.
pub fn run(options: &Options, context: &mut Context) -> Result<Exit, CommandError> {
    let mut sources = options.sources.clone();
    sources.inventory.extend(options.files.iter().cloned());
    let not_owed = logins(&options.not_owed)?;
    if sources.is_empty() && not_owed.is_empty() {
        return Err(CommandError::usage("there is nothing to import")
            .hint("name an inventory, or use --scan PATH, --tokens ACCOUNT=FILE, --trust PACKAGE=FILE, --secrets STORE=FILE, --packages ACCOUNT=FILE, --owed ACCOUNT"));
    }
    let owed = logins(&sources.owed)?;
    if let Some(both) = not_owed.iter().find(|account| owed.contains(account)) {
        return Err(CommandError::usage(format!(
            "the token list of {both} cannot be both owed and not owed"
        ))
        .hint("leave out --owed or --not-owed for it"));
    }
    let path = context.session_path(None)?;
    let mut session = context.write(&path)?;
    let created = session.facts().session.clone();
    let home = Home {
        forge: &created.forge,
        registry: &created.registry,
    };
    let gathered = gather(&sources, home, Known::of(session.facts()), context)?;
    let before = left_behind(session.facts());
    let news = store(&mut session, &gathered, context)?;
    for left in left_behind(session.facts()) {
        if !before.contains(&left) {
            context.out.warn(left.words());
        }
    }
    for account in &not_owed {
        if !is_owed(session.facts(), account) {
            context
                .out
                .warn(format!("the token list of {account} was not owed"));
            continue;
        }
        let not_any_more = RevocationAction::OweTokenList {
            account: account.clone(),
            owed: false,
        };
        session.decide(&[not_any_more.into()], context.now())?;
        let name = shown(&path);
        writeln!(
            context.out.data(),
            "{name}: the token list of {account} is not owed any more"
        )?;
    }
    if !sources.is_empty() {
        let said = gathered.words();
        let (name, new) = (shown(&path), new_facts(news));
        writeln!(context.out.data(), "{name}: {said}; {new}")?;
    }
    Ok(Exit::Done)
}

/// Tells whether somebody still owes the token list of an account, or people are not of one mind about it.
fn is_owed(facts: &Facts, account: &str) -> bool {
    match facts.standing(Subject::person(account), Slot::Owed) {
        Standing::One(decision) => decision.value == Value::Flag(true),
        Standing::Contested(_) => true,
        _ => false,
    }
}

fn new_facts(count: usize) -> String {
    match count {
        0 => "nothing new".to_owned(),
        1 => "1 new fact".to_owned(),
        many => format!("{many} new facts"),
    }
}

impl Sources {
    /// Tells whether there is nothing to take in.
    pub fn is_empty(&self) -> bool {
        self.scan.is_empty()
            && self.inventory.is_empty()
            && self.tokens.is_empty()
            && self.trust.is_empty()
            && self.secrets.is_empty()
            && self.packages.is_empty()
            && self.owed.is_empty()
    }
}

impl Gathered {
    /// Says in words what was read.
    pub fn words(&self) -> String {
        let count =
            |n: usize, one: &str, many: &str| format!("{n} {}", if n == 1 { one } else { many });
        let mut parts = Vec::new();
        if self.repos > 0 {
            parts.push(count(
                self.repos,
                "repository scanned",
                "repositories scanned",
            ));
        }
        if self.rows > 0 {
            parts.push(count(self.rows, "inventory row", "inventory rows"));
        }
        if !self.accounts.is_empty() {
            let accounts = count(self.accounts.len(), "account", "accounts");
            parts.push(format!(
                "{} of {accounts}",
                count(self.tokens, "token", "tokens")
            ));
        }
        if self.lists > 0 {
            parts.push(count(self.lists, "other list", "other lists"));
        }
        if !self.owed.is_empty() {
            parts.push(format!(
                "{} still owed",
                count(self.owed.len(), "token list", "token lists")
            ));
        }
        if parts.is_empty() {
            "nothing read yet".to_owned()
        } else {
            parts.join(", ")
        }
    }
}

/// Reads and understands every source. Writes nothing.
///
/// # Errors
/// The first source that cannot be used, by name.
pub fn gather(
    sources: &Sources,
    home: Home<'_>,
    mut known: Known,
    context: &mut Context,
) -> Result<Gathered, CommandError> {
    let now = context.now();
    let as_of = as_of(sources.as_of.as_deref(), now)?;
    let mut gathered = Gathered {
        owed: logins(&sources.owed)?,
        ..Gathered::default()
    };
    let overrides: Vec<Override> = sources
        .map
        .iter()
        .map(|text| Override::parse(text))
        .collect::<Result<_, _>>()
        .map_err(|error| CommandError::usage(error.to_string()))?;
    if !overrides.is_empty() && sources.inventory.is_empty() {
        return Err(CommandError::usage("--map needs an inventory"));
    }
    if !sources.scan.is_empty() {
        let scans = scanned(&sources.scan, context)?;
        gathered.take_scans(&scans, home, now, context);
        known.repos.extend(scans.into_iter().map(|scan| scan.repo));
    }
    for file in &sources.inventory {
        let rows = inventory(file, &overrides, sources.yes, context)?;
        gathered.rows += rows.len();
        let list = visible(&file.file_name().unwrap_or_default().to_string_lossy()).into_owned();
        let answers = inventory_answers(&rows, &list, home.forge, &known.repos);
        gathered.add(answers, as_of);
    }
    for text in &sources.tokens {
        let list = tokens::read(text)?;
        tokens::whose(&list, &known.lists).map_err(|error| error.about(&visible(text)))?;
        known.lists.push(KnownList::of(&list, as_of));
        gathered.tokens += list.rows.len();
        gathered.accounts.push(list.account.clone());
        gathered.add(tokens::answers(&list, home.registry), as_of);
    }
    gathered.take_lists(sources, home, &known, as_of)?;
    Ok(gathered)
}

impl Gathered {
    fn add(&mut self, answers: Vec<(Subject, Answer)>, as_of: Ts) {
        let dated = answers
            .into_iter()
            .map(|(about, answer)| (about, Observation { as_of, answer }));
        self.answers.extend(dated);
    }

    fn take_lists(
        &mut self,
        sources: &Sources,
        home: Home<'_>,
        known: &Known,
        as_of: Ts,
    ) -> Result<(), CommandError> {
        let mut answers = cli_lists::secrets(&sources.secrets, home, known)?;
        for text in &sources.trust {
            answers.push(cli_lists::trust(text, home, &known.trust, as_of)?);
        }
        for text in &sources.packages {
            answers.push(cli_lists::packages(text)?);
        }
        self.lists = sources.secrets.len() + sources.trust.len() + sources.packages.len();
        self.add(answers, as_of);
        Ok(())
    }

    fn take_scans(&mut self, scans: &[RepoScan], home: Home<'_>, now: Ts, context: &mut Context) {
        let mut roots: BTreeMap<&str, &str> = BTreeMap::new();
        for scan in scans {
            let answers = observe::answers(scan, home.forge, home.registry);
            if answers.is_empty() {
                context.out.warn(format!(
                    "{} is left out: its name `{}` is no repository name",
                    visible(&scan.root),
                    visible(&scan.repo)
                ));
                continue;
            }
            if let Some(first) = roots.insert(&scan.repo, &scan.root) {
                context.out.warn(format!(
                    "{} is checked out twice; {} counts, {} does not",
                    visible(&scan.repo),
                    visible(&scan.root),
                    visible(first)
                ));
            }
            self.add(answers, now);
        }
        self.repos = roots.len();
        self.organisations = organisations(roots.keys().copied());
    }
}

/// Puts what was read into a session. Gives how much of it was news.
///
/// # Errors
/// The session cannot be written.
pub fn store(
    session: &mut Session,
    gathered: &Gathered,
    context: &mut Context,
) -> Result<usize, CommandError> {
    let now = context.now();
    let answers = gathered.answers.clone();
    let news = context
        .out
        .slow("writing the session", || session.observe(answers, now))?;
    let owe = |account: &String| RevocationAction::OweTokenList {
        account: account.clone(),
        owed: true,
    };
    let owed: Vec<Action> = gathered.owed.iter().map(owe).map(Action::from).collect();
    if !owed.is_empty() {
        session.decide(&owed, now)?;
    }
    Ok(news.written)
}

/// Owners of repositories, the most frequent first.
fn organisations<'a>(repos: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for owner in repos.filter_map(|repo| Some(repo.split_once('/')?.0)) {
        *counts.entry(owner).or_default() += 1;
    }
    let mut owners: Vec<(&str, usize)> = counts.into_iter().collect();
    owners.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    owners
        .into_iter()
        .map(|(owner, _)| owner.to_owned())
        .collect()
}

fn as_of(given: Option<&str>, now: Ts) -> Result<Ts, CommandError> {
    let Some(text) = given else { return Ok(now) };
    let time = Ts::parse(text).ok_or_else(|| {
        CommandError::usage(format!("--as-of `{}` is not a valid time", visible(text)))
            .hint("write 2026-12-05 or 2026-12-05T10:02:11Z")
    })?;
    if time > now {
        return Err(CommandError::usage(format!(
            "--as-of {time} is in the future"
        )));
    }
    Ok(time)
}

fn logins(names: &[String]) -> Result<Vec<String>, CommandError> {
    let parse = |name: &String| {
        Login::parse(name)
            .map(|login| login.to_string())
            .map_err(|error| {
                CommandError::usage(format!("the account `{}` is {error}", visible(name)))
            })
    };
    names.iter().map(parse).collect()
}

/// Reads one inventory; asks for a yes where columns were guessed.
fn inventory(
    file: &Path,
    overrides: &[Override],
    yes: bool,
    context: &mut Context,
) -> Result<Vec<InventoryRow>, CommandError> {
    let about = |error: intake::IntakeError| {
        let named = error.to_string().contains(&shown(file));
        let error = CommandError::from(error);
        if named {
            error
        } else {
            error.about(&shown(file))
        }
    };
    let format = Format::of(file).map_err(about)?;
    let bytes = intake::read_file(file).map_err(about)?;
    let read = Inventory::read(&bytes, format, overrides).map_err(about)?;
    if was_guessed(&read.mapping, overrides) {
        let table = read.mapping.table();
        let heading = format!("column mapping of {}:\n{table}", shown(file));
        if yes {
            context.out.say(heading.trim_end());
        } else if context.interactive {
            context.out.say(heading.trim_end());
            if context.confirm("take it so?") != Some(true) {
                return Err(CommandError::user("nothing was read")
                    .hint("map columns to fields with --map \"COLUMN=field\""));
            }
        } else {
            return Err(CommandError::user(heading.trim_end().to_owned())
                .hint("pass --yes to use this mapping, or --map \"COLUMN=field\" to say it better (`COLUMN=-` leaves one out)"));
        }
    }
    repeated(&read.rows, file, context);
    Ok(read.rows)
}

/// Tells whether a person has to say yes: to what was guessed, and to columns that are left out without their word.
fn was_guessed(mapping: &Mapping, overrides: &[Override]) -> bool {
    let told = |column: &String| {
        let mut given = overrides.iter().filter(|given| given.field.is_none());
        given.any(|given| given.column == *column)
    };
    !mapping.ambiguous.is_empty()
        || !mapping.unmatched.iter().all(told)
        || mapping.matches.iter().any(|one| one.how > How::Exact)
}

fn repeated(rows: &[InventoryRow], file: &Path, context: &mut Context) {
    let mut seen = BTreeSet::new();
    for row in rows {
        if !seen.insert(row.repo.value.to_ascii_lowercase()) {
            context.out.warn(format!(
                "{}, line {}: {} is listed before; the last row counts",
                shown(file),
                row.line,
                visible(&row.repo.value)
            ));
        }
    }
}

/// Makes the answers of inventory rows. A bare name means the one known repository of that name.
pub fn inventory_answers(
    rows: &[InventoryRow],
    list: &str,
    forge: &str,
    known: &[String],
) -> Vec<(Subject, Answer)> {
    let mut answers: BTreeMap<Subject, Answer> = BTreeMap::new();
    for row in rows {
        let mut fact = row.fact(list);
        fact.name = full_name(&fact.name, known).into();
        answers.insert(Subject::repo(forge, &fact.name), Answer::Inventory(fact));
    }
    answers.into_iter().collect()
}

/// Gives the full name of a repository that a list names without its owner, where that is clear.
fn full_name<'a>(name: &'a str, known: &'a [String]) -> &'a str {
    if name.contains('/') {
        return name;
    }
    let same = |full: &&String| {
        full.rsplit_once('/')
            .is_some_and(|(_, last)| last.eq_ignore_ascii_case(name))
    };
    let found: BTreeSet<&String> = known.iter().filter(same).collect();
    match found.len() {
        1 => found.first().map_or(name, |full| full.as_str()),
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
    use super::*;

    fn rows(csv: &str) -> Vec<InventoryRow> {
        Inventory::read(csv.as_bytes(), Format::Csv, &[])
            .unwrap()
            .rows
    }

    fn known(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_row_becomes_what_people_say_of_a_repository() {
        let rows = rows("repo,owner,lane\nacme/ui,rosa,bridge\nui,mia,trusted\ncli,ken,manual\n");
        let answers = inventory_answers(
            &rows,
            "list.csv",
            "github.com",
            &known(&["acme/cli", "acme/ui"]),
        );
        // The bare `ui` is acme/ui, whose last row counts.
        assert_eq!(answers.len(), 2);
        for (name, owner, from) in [
            ("acme/ui", "mia", "list.csv:3"),
            ("acme/cli", "ken", "list.csv:4"),
        ] {
            let about = Subject::repo("github.com", name);
            let found = answers
                .iter()
                .find(|(subject, _)| *subject == about)
                .unwrap();
            let Answer::Inventory(fact) = &found.1 else {
                panic!("{found:?}")
            };
            assert_eq!(
                (&*fact.name, fact.owner.as_deref(), &*fact.from),
                (name, Some(owner), from)
            );
        }
    }

    #[test]
    fn a_bare_name_that_fits_two_repositories_is_left_as_it_is() {
        let known = known(&["acme/ui", "other/ui", "acme/cli"]);
        for (given, full) in [
            ("ui", "ui"),
            ("CLI", "acme/cli"),
            ("none", "none"),
            ("acme/none", "acme/none"),
        ] {
            assert_eq!(full_name(given, &known), full);
        }
    }

    #[test]
    fn a_list_is_as_old_as_is_said_and_never_from_tomorrow() {
        let now = Ts::parse("2026-12-05T10:00:00Z").unwrap();
        assert_eq!(as_of(None, now).unwrap(), now);
        assert_eq!(
            as_of(Some("2026-12-04"), now).unwrap().to_string(),
            "2026-12-04T00:00:00Z"
        );
        assert!(as_of(Some("2026-12-06"), now).is_err());
        assert!(as_of(Some("yesterday"), now).is_err());
    }

    #[test]
    fn organisations_come_by_size() {
        let repos = ["b/x", "a/x", "b/y", "bare"];
        assert_eq!(organisations(repos.into_iter()), ["b", "a"]);
    }
}
