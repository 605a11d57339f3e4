//! `cutover init`: starts a session file from what is there.
//!
//! All inputs are read before the file is made, and the file gets its name only when everything is in it: no bad
//! input, full disk or kill leaves a half-made session behind.

use super::Exit;
use super::context::{Context, ENDING, shown};
use super::error::CommandError;
use super::import::{self, Gathered, Home, Known, Sources};
use super::live::outside::{self, Flags};
use super::{live, open, recent};
use crate::assets;
use crate::engine::live::{Link, LinkState};
use crate::github::Place;
use crate::model::event::SessionCreated;
use crate::model::name::{HostName, Login};
use crate::model::policy::{Policy, Profile};
use crate::safe::shown::{and_more, counted, visible};
use crate::session::{self, Session};
use std::path::{Path, PathBuf};

/// Repositories that are listed and not scanned, named in words at most.
const NAMED: usize = 10;

/// Who works on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Who {
    /// Several people: gates about a second person hold
    #[default]
    Team,
    /// One alone: irreversible steps cool off instead
    Solo,
}

/// Start a session from checkouts, inventories and token lists
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// The session file to make (`acme` means acme.cutover)
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    #[command(flatten)]
    pub sources: Sources,
    /// Whether several people work on it, or one alone
    #[arg(long, value_enum, default_value_t)]
    pub profile: Who,
    /// Host of the forge that the repositories live on; default: github.com, or that of --github-url
    #[arg(long, value_name = "HOST")]
    pub forge: Option<String>,
    /// Organisations that the cutover is about; default: the scanned repositories' owners
    #[arg(long = "org", value_name = "NAME")]
    pub organisations: Vec<String>,
    /// People whose own repositories and packages it is about too
    #[arg(long = "user", value_name = "NAME")]
    pub users: Vec<String>,
    /// Find the repositories of the organisations and people on GitHub, and look at them and npm once
    #[arg(long)]
    pub live: bool,
    #[command(flatten)]
    pub outside: Flags,
    /// Of the found repositories take these only (`name`, `owner/name`, `web-*`; `!x` takes out again)
    #[arg(long, value_name = "PATTERN", requires = "live")]
    pub include: Vec<String>,
    /// Leave these out of the found repositories
    #[arg(long, value_name = "PATTERN", requires = "live")]
    pub exclude: Vec<String>,
    /// Open the console afterwards
    #[arg(long)]
    pub open: bool,
}

/// Makes the session.
///
/// # Errors
/// The name is taken, an input cannot be used, or the disk refuses: there is no new file then.
pub fn run(options: &Options, context: &mut Context) -> Result<Exit, CommandError> {
    if context.read_only {
        return Err(CommandError::usage(
            "this command writes, which --read-only forbids",
        ));
    }
    let path = session_file(&options.file)?;
    if std::fs::symlink_metadata(&path).is_ok() {
        return Err(CommandError::user(format!("{} exists already", shown(&path))).hint(format!(
            "choose another name, open it with `cutover open {0}`, or add to it with `cutover import -s {0}`",
            shown(&path)
        )));
    }
    if options.open && !context.screen {
        return Err(CommandError::usage("--open needs a terminal")
            .hint("leave out --open, and open the session later with `cutover open`"));
    }
    let actor = context.actor()?;
    let (forge, registry) = (forge(options)?, registry(options)?);
    looks(options)?;
    let home = Home {
        forge: &forge,
        registry: &registry,
    };
    let gathered = import::gather(&options.sources, home, Known::default(), context)?;
    let created = created(options, &gathered, home, &path);
    if options.live && created.organisations.is_empty() {
        return Err(
            CommandError::usage("--live needs an organisation or a user")
                .hint("add `--org ORG` or `--user NAME`"),
        );
    }
    if options.live {
        can_look(&forge, context)?;
    }
    found(&path, &created, &gathered, &actor, context)?;
    let said = gathered.words();
    writeln!(context.out.data(), "{}: {said}", shown(&path))?;
    recent::remember(context, &path);
    if options.live {
        discover(options, &path, context)?;
    }
    if options.open {
        let opened = open::Options {
            session: Some(path),
            live: options.live,
            outside: if options.live {
                options.outside.clone()
            } else {
                Flags::default()
            },
        };
        return open::run(&opened, context);
    }
    if options.live {
        context.out.hint(format!(
            "next: `cutover open --live {0}`, or `cutover refresh {0}`",
            shown(&path)
        ));
    } else if gathered.answers.is_empty() {
        context.out.hint(format!(
            "add to it: `cutover import -s {} --scan FOLDER`",
            shown(&path)
        ));
    } else {
        context.out.hint(format!(
            "next: `cutover open {0}`, or `cutover status {0}`",
            shown(&path)
        ));
    }
    Ok(Exit::Done)
}

/// Gives the host of the forge.
fn forge(options: &Options) -> Result<String, CommandError> {
    let place = options.outside.place()?;
    let host = match (&options.forge, &place) {
        (Some(forge), Some(place)) if forge != place.forge() => {
            return Err(CommandError::usage(format!(
                "--forge says {}, and --github-url is of {}",
                visible(forge),
                visible(place.forge())
            )));
        }
        (Some(forge), _) => forge.clone(),
        (None, Some(place)) => place.forge().to_owned(),
        (None, None) => "github.com".to_owned(),
    };
    if HostName::parse(&host).is_err() {
        return Err(CommandError::usage(format!(
            "--forge `{}` is not a host name",
            visible(&host)
        ))
        .hint("for example --forge github.com"));
    }
    Ok(host)
}

/// Gives the registry that the cutover is about.
fn registry(options: &Options) -> Result<String, CommandError> {
    Ok(match options.outside.base()? {
        Some(base) => base.id().to_owned(),
        None => assets::npm_url().trim_end_matches('/').to_owned(),
    })
}

/// Checks what is to be looked at before a file is made.
fn looks(options: &Options) -> Result<(), CommandError> {
    for name in options.organisations.iter().chain(&options.users) {
        if options.live && Login::parse(name).is_err() {
            return Err(CommandError::usage(format!(
                "`{}` is not the name of an organisation or a person",
                visible(name)
            )));
        }
    }
    if !options.live && !options.outside.npmrc.is_empty() {
        return Err(CommandError::usage("--npmrc goes with --live"));
    }
    outside::choice(&boxed(&options.include), &boxed(&options.exclude)).map(drop)
}

fn boxed(all: &[String]) -> Vec<Box<str>> {
    all.iter().map(|one| one.as_str().into()).collect()
}

/// Checks that there is a credential for GitHub: without one it is not asked, and there is nothing to start from.
fn can_look(forge: &str, context: &Context) -> Result<(), CommandError> {
    let place = Place::parse(forge)
        .map_err(|error| CommandError::user(format!("GitHub cannot be queried: {error}")))?;
    outside::github_credential(&place, context)?
        .map(drop)
        .map_err(|why| {
            CommandError::user(format!(
                "GitHub was not queried, and no session was made: {why}"
            ))
            .hint("or leave --live out and start from checkouts: `--scan FOLDER`")
        })
}

/// Looks at the forge and the registry once and says what was found.
///
/// # Errors
/// As [`run`]; or GitHub gave no answer at all. The session stays then: what was not looked at says so.
fn discover(options: &Options, path: &Path, context: &mut Context) -> Result<(), CommandError> {
    let session = context.write(path)?;
    let outside = outside::find(&options.outside, &session, context)?;
    let poller = live::poller(outside, true, context)?;
    let (links, session) = live::one_pass(session, poller, context)?;
    live::say_links(&links, context);
    let listed = session
        .facts()
        .seen
        .values()
        .any(|seen| seen.forge().is_some());
    let answered = |link: &Link| {
        link.group.starts_with("GitHub") && matches!(link.state, LinkState::Live { .. })
    };
    if !listed && !links.iter().any(answered) {
        let name = shown(path);
        return Err(CommandError::user(format!(
            "GitHub did not answer: {name} was made, without repositories so far"
        ))
        .hint(format!("query again with `cutover refresh {name}`")));
    }
    for line in found_words(&session) {
        writeln!(context.out.data(), "{line}")?;
    }
    Ok(())
}

/// Says what the forge showed: repositories that were scanned, and those that were listed only.
fn found_words(session: &Session) -> Vec<String> {
    let facts = session.facts();
    let listed = facts.seen.values().filter(|seen| seen.forge().is_some());
    let mut lines = vec![format!(
        "{} found, {} in {} of them",
        counted(listed.count(), "repository"),
        counted(facts.paths.len(), "publish path"),
        facts
            .repos
            .keys()
            .filter(|repo| facts.open_paths(**repo).next().is_some())
            .count()
    )];
    for (what, aside) in facts.aside() {
        if aside.names.is_empty() {
            continue;
        }
        let all = aside.names.len();
        let names = aside.names.iter().take(NAMED).map(|name| visible(name));
        let names = names.collect::<Vec<_>>().join(", ");
        let more = and_more(all.saturating_sub(NAMED));
        let words = aside.words();
        lines.push(format!(
            "not scanned, {what}: {all} ({names}{more}): {words}"
        ));
    }
    lines
}

fn created(options: &Options, gathered: &Gathered, home: Home<'_>, path: &Path) -> SessionCreated {
    let mut organisations = options.organisations.clone();
    organisations.extend(options.users.iter().cloned());
    if organisations.is_empty() {
        organisations.clone_from(&gathered.organisations);
    }
    SessionCreated {
        forge: home.forge.into(),
        registry: home.registry.into(),
        organisations: organisations
            .iter()
            .map(|name| visible(name).into())
            .collect(),
        profile: match options.profile {
            Who::Team => Profile::Team,
            Who::Solo => Profile::Solo,
        },
        name: visible(&path.file_stem().unwrap_or_default().to_string_lossy()).into(),
        include: boxed(&options.include),
        exclude: boxed(&options.exclude),
        ..SessionCreated::default()
    }
}

/// Makes the file under a passing name, fills it, and gives it its own name last.
///
/// # Errors
/// As [`run`].
pub fn found(
    path: &Path,
    created: &SessionCreated,
    gathered: &Gathered,
    actor: &str,
    context: &mut Context,
) -> Result<(), CommandError> {
    let options = context.session_options(actor.to_owned(), false)?;
    let passing = passing_name(path, options.random);
    let result = fill(&passing, created, gathered, options, context)
        .and_then(|()| give_name(&passing, path));
    // Whatever happened, the passing name goes; after a link it is only a second name.
    for leftover in [
        passing.clone(),
        beside(&passing, ".lock"),
        beside(&passing, ".reserve"),
    ] {
        let _ = std::fs::remove_file(leftover);
    }
    result.map_err(|error| {
        let message = error.message.replace(&shown(&passing), &shown(path));
        CommandError { message, ..error }
    })
}

fn fill(
    passing: &Path,
    created: &SessionCreated,
    gathered: &Gathered,
    options: session::Options,
    context: &mut Context,
) -> Result<(), CommandError> {
    session::create(passing, created, &options)?;
    let mut session = Session::open(passing, options)?;
    session.adopt_policy(&Policy::default(), context.now())?;
    import::store(&mut session, gathered, context)?;
    Ok(())
}

/// Gives the finished file its name, unless somebody took that name meanwhile.
fn give_name(passing: &Path, path: &Path) -> Result<(), CommandError> {
    let named = std::fs::hard_link(passing, path).or_else(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => Err(error),
        // Some file systems have no links; there the look and the step are two.
        _ if std::fs::symlink_metadata(path).is_ok() => {
            Err(std::io::ErrorKind::AlreadyExists.into())
        }
        _ => std::fs::rename(passing, path),
    });
    named.map_err(|error| CommandError::io("name the session", path, &error))?;
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    std::fs::File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|error| CommandError::io("write", folder, &error))
}

fn passing_name(path: &Path, random: [u8; 16]) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let some = random.first_chunk::<4>().copied().unwrap_or_default();
    path.with_file_name(format!(
        ".{name}.{}.part",
        data_encoding::HEXLOWER.encode(&some)
    ))
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Takes a name for a new session file; the ending may be left out.
///
/// # Errors
/// It is no name of a file, or has the ending of another format.
pub(super) fn session_file(given: &Path) -> Result<PathBuf, CommandError> {
    let Some(name) = given.file_name() else {
        return Err(CommandError::usage("a session needs a file name")
            .hint("for example `cutover init acme`"));
    };
    match given.extension() {
        Some(ending) if ending == ENDING => Ok(given.to_owned()),
        // A dot in the middle of a name is no ending of another format.
        Some(ending)
            if ["json", "csv", "toml", "yaml", "yml", "md"]
                .iter()
                .any(|other| ending == *other) =>
        {
            Err(
                CommandError::usage(format!("{} does not end in .{ENDING}", shown(given)))
                    .hint("name the session file first, inputs after --inventory and --tokens"),
            )
        }
        _ => {
            let mut name = name.to_owned();
            name.push(".");
            name.push(ENDING);
            Ok(given.with_file_name(name))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_ending_may_be_left_out() {
        for (given, file) in [
            ("acme", "acme.cutover"),
            ("acme.cutover", "acme.cutover"),
            ("x/acme-1.2", "x/acme-1.2.cutover"),
        ] {
            assert_eq!(session_file(Path::new(given)).unwrap(), Path::new(file));
        }
        assert!(session_file(Path::new("inventory.csv")).is_err());
        assert!(session_file(Path::new("..")).is_err());
    }

    #[test]
    fn a_finished_file_never_replaces_another() {
        let folder = tempfile::tempdir().unwrap();
        let (passing, path) = (folder.path().join("p"), folder.path().join("a.cutover"));
        std::fs::write(&passing, "new").unwrap();
        std::fs::write(&path, "old").unwrap();
        assert!(give_name(&passing, &path).is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "old");
        std::fs::remove_file(&path).unwrap();
        give_name(&passing, &path).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "new");
    }
}
