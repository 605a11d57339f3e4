//! Names: from what people write to subjects, and back to what people read.
//!
//! `acme/ui`, `acme/ui:release.yml#publish`, `@acme/ui`, `token:rosa/3f2a`, `secret:NPM_TOKEN`, an id, `session`.

use super::judge::{Open, Waits};
use crate::model::decision::{Decision, Slot, Standing, Value};
use crate::model::fact::PathFact;
use crate::model::facts::Facts;
use crate::model::facts::seen::Seen;
use crate::model::id::{Kind, Subject};
use crate::model::outcome::paths_of;
use crate::model::token::Token;
use crate::safe::shown::{and_more, visible};

/// Characters of a key that stand for a token without a name.
const KEY_SHOWN: usize = 8;

/// Why a name means nothing, or more than one thing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadName {
    #[error("nothing here is called {0}")]
    Unknown(String),
    #[error("{0} can mean {1}: name one of them")]
    Ambiguous(String, String),
}

/// Gives the words for a subject. The text is made visible.
pub fn label(facts: &Facts, about: Subject) -> String {
    let name = match about.kind {
        Kind::Session => "session".to_owned(),
        Kind::Repo => facts
            .repos
            .get(&about)
            .map(|row| row.name().to_owned())
            .unwrap_or_default(),
        Kind::Path => path_label(facts, about),
        Kind::PathRef => path_ref_label(facts, about),
        Kind::Package => facts
            .packages
            .get(&about)
            .map(|row| match row.repos.iter().next() {
                Some(repo) if row.stand_in => {
                    format!("package not known ({})", label(facts, *repo))
                }
                _ => row.name.to_string(),
            })
            .unwrap_or_default(),
        Kind::Config => facts
            .configs
            .get(&about)
            .map(|config| {
                let package = label(facts, config.package);
                let path = facts.path(config.path);
                let file = path.map_or("", |fact| &*fact.file);
                let file = file.rsplit('/').next().unwrap_or_default();
                match path.and_then(|fact| fact.environment.as_deref()) {
                    Some(environment) => format!("{package} <- {file} ({environment})"),
                    None => format!("{package} <- {file}"),
                }
            })
            .unwrap_or_default(),
        Kind::Secret => facts
            .secrets
            .get(&about)
            .map(|row| match row.store.split_once(':') {
                Some(("unknown", repo)) => format!("{} ({repo}, store not known)", row.name),
                _ => format!("{} ({})", row.name, row.store),
            })
            .unwrap_or_default(),
        Kind::Token => token_name(facts, about)
            .map(|(account, name)| format!("{account}/{name}"))
            .unwrap_or_default(),
        Kind::Person => facts
            .persons
            .get(&about)
            .map(|row| row.login.to_string())
            .unwrap_or_default(),
    };
    if name.is_empty() {
        about.to_string()
    } else {
        visible(&name).into_owned()
    }
}

/// Gives the account of a token and its name there: the name that it has everywhere. None where no list shows it.
///
/// A token without a name is called by the start of its key; of several with one name, each by both. Not made visible.
pub fn token_name(facts: &Facts, token: Subject) -> Option<(&str, String)> {
    let identity = facts.tokens.get(&token)?.identity()?;
    let key: String = identity.handle().chars().take(KEY_SHOWN).collect();
    let Some(name) = identity.name else {
        return Some((identity.account, key));
    };
    let place = (Subject::person(identity.account), name.into());
    let is_so_called = |other: &&Subject| {
        let row = facts.tokens.get(other).and_then(Token::identity);
        row.is_some_and(|row| row.name == Some(name))
    };
    let alike = facts.called.get(&place);
    let alike = alike.map_or(0, |all| all.iter().filter(is_so_called).count());
    let name = match alike > 1 && !key.is_empty() {
        true => format!("{name} ({key})"),
        false => name.to_owned(),
    };
    Some((identity.account, name))
}

/// Gives `file#job` of a path, with its repository.
fn path_label(facts: &Facts, path: Subject) -> String {
    facts
        .path(path)
        .map_or_else(String::new, |fact| path_words(facts, fact))
}

fn path_words(facts: &Facts, fact: &PathFact) -> String {
    let repo = fact
        .repo
        .and_then(|repo| facts.repos.get(&repo))
        .map_or("", |row| row.name());
    format!("{repo}:{}", short_path(fact))
}

/// Gives a path and the ref; a path that only another ref has is known from there.
fn path_ref_label(facts: &Facts, about: Subject) -> String {
    let path = facts.path_refs.get(&about);
    let known = path
        .map(|path| path_label(facts, *path))
        .unwrap_or_default();
    let Some((fact, _)) = facts.seen.get(&about).and_then(Seen::other_ref) else {
        return format!("{known} ({})", crate::model::facts::DEFAULT_REF);
    };
    let there = fact.fact.as_ref().map(|fact| path_words(facts, fact));
    let words = there.filter(|_| known.is_empty()).unwrap_or(known);
    format!("{words} ({})", fact.git_ref)
}

/// Gives `release.yml#publish`, and the ordinal where a job publishes more than once.
pub fn short_path(fact: &PathFact) -> String {
    let file = fact.file.rsplit('/').next().unwrap_or_default();
    let job = fact
        .job
        .as_deref()
        .map(|job| format!("#{job}"))
        .unwrap_or_default();
    let ordinal = if fact.ordinal > 0 {
        format!(".{}", fact.ordinal)
    } else {
        String::new()
    };
    visible(&format!("{file}{job}{ordinal}")).into_owned()
}

/// Says what to do about an open gate of a repository, and where if that is not the repository itself.
pub fn next_step(facts: &Facts, repo: Subject, open: Open) -> String {
    let spec = open.gate.spec();
    let place = match open.about.kind {
        Kind::Repo | Kind::Session => String::new(),
        Kind::PathRef
            if facts
                .seen
                .get(&open.about)
                .and_then(Seen::other_ref)
                .is_some() =>
        {
            format!("{}: ", label(facts, open.about))
        }
        Kind::Path | Kind::PathRef => {
            let path = facts
                .path_refs
                .get(&open.about)
                .copied()
                .unwrap_or(open.about);
            let only = paths_of(facts, repo).len() == 1;
            facts
                .path(path)
                .filter(|_| !only)
                .map(|fact| format!("{}: ", short_path(fact)))
                .unwrap_or_default()
        }
        _ => format!("{}: ", label(facts, open.about)),
    };
    match disputes(facts, open.about).first() {
        Some(dispute) => format!("{place}{}", dispute.next()),
        None => format!("{place}{}", spec.next),
    }
}

/// Says what a step waits for, and whose step that is.
pub fn waiting(facts: &Facts, waits: Waits) -> String {
    let (step, first) = (label(facts, waits.step_of), label(facts, waits.first));
    let more = and_more(waits.more as usize);
    let wave = waits.wave;
    format!("wait for {first}{more} (wave {wave}): {step} is shared")
}

/// A decision that people made differently: it waits for somebody to decide over all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dispute {
    pub about: Subject,
    pub slot: Slot,
    /// What was decided each time; where that has no short words, who decided. Made visible.
    pub between: Vec<String>,
}

impl Dispute {
    /// Says what is contested: `owner of acme/ui (ken, mei)`.
    pub fn words(&self, facts: &Facts) -> String {
        let about = label(facts, self.about);
        format!(
            "{} of {about} ({})",
            slot_words(self.slot),
            self.between.join(", ")
        )
    }

    /// Says what to do: `decide between ken and mei (owner)`.
    pub fn next(&self) -> String {
        format!(
            "decide between {} ({})",
            self.between.join(" and "),
            slot_words(self.slot)
        )
    }
}

/// Returns what a slot decides: `lane`, `attested armed`.
pub fn slot_words(slot: Slot) -> String {
    match slot {
        Slot::Owner => "owner".to_owned(),
        Slot::Reviewer => "reviewer".to_owned(),
        Slot::Lane => "lane".to_owned(),
        Slot::EndDate => "end date".to_owned(),
        Slot::Attest(gate) => format!("attested {}", gate.word()),
        Slot::Waive(gate) => format!("waived {}", gate.word()),
        Slot::Commander => "commander".to_owned(),
        Slot::SecondApprover => "second approver".to_owned(),
        Slot::Revocation => "revocation".to_owned(),
        Slot::CarriedOver => "carry-over".to_owned(),
        Slot::Plan => "validation plan".to_owned(),
        Slot::Edge(_) => "secret".to_owned(),
        Slot::Representatives => "representatives".to_owned(),
        Slot::Canaries => "canaries".to_owned(),
        Slot::Owed => "owed token list".to_owned(),
        Slot::FollowUp => "follow-up".to_owned(),
    }
}

/// Gives what is contested about a subject.
pub fn disputes(facts: &Facts, about: Subject) -> Vec<Dispute> {
    let decided = facts.decided.get(&about);
    let slots = decided.into_iter().flat_map(|decided| decided.slots());
    slots
        .filter_map(|(slot, history)| match history.standing() {
            Standing::Contested(many) => Some(Dispute {
                about,
                slot,
                between: many.iter().map(|one| choice(one)).collect(),
            }),
            _ => None,
        })
        .collect()
}

/// Returns what was decided in few words; where it has none, who decided.
pub fn choice(decision: &Decision) -> String {
    match &decision.value {
        Value::Person(login) => visible(login).into_owned(),
        Value::Lane(lane) => lane.word().to_owned(),
        Value::Date(on) => on.to_string(),
        Value::Plan(plan) => plan.word().to_owned(),
        _ => format!("{}'s", visible(&decision.by)),
    }
}

/// Finds what a name means.
///
/// # Errors
/// Nothing, or more than one thing, is called that.
pub fn find(facts: &Facts, name: &str) -> Result<Subject, BadName> {
    let name = name.trim();
    if let Ok(subject) = name.parse::<Subject>() {
        return Ok(subject);
    }
    let (kinds, wanted): (&[Kind], &str) = match name.split_once(':') {
        Some((word, rest)) if Kind::ALL.iter().any(|kind| kind.word() == word) => {
            let kind = Kind::ALL
                .iter()
                .filter(|kind| kind.word() == word)
                .copied()
                .next();
            (kind.map_or(&[][..], one_kind), rest)
        }
        _ => (
            &[
                Kind::Repo,
                Kind::Path,
                Kind::Package,
                Kind::Token,
                Kind::Secret,
                Kind::Person,
            ],
            name,
        ),
    };
    let mut found: Vec<Subject> = kinds
        .iter()
        .flat_map(|kind| of_kind(facts, *kind))
        .filter(|about| is_called(facts, *about, wanted))
        .collect();
    found.sort_unstable();
    found.dedup();
    // A name that two kinds share means the first of them: `acme/ui` is the repository.
    if let Some(first) = found.iter().map(|about| about.kind).min() {
        found.retain(|about| about.kind == first);
    }
    match found.as_slice() {
        [] => Err(BadName::Unknown(visible(name).into_owned())),
        [one] => Ok(*one),
        many => {
            let names: Vec<String> = many
                .iter()
                .take(5)
                .map(|about| format!("{} ({about})", label(facts, *about)))
                .collect();
            Err(BadName::Ambiguous(
                visible(name).into_owned(),
                names.join(", "),
            ))
        }
    }
}

fn one_kind(kind: Kind) -> &'static [Kind] {
    Kind::ALL
        .iter()
        .position(|known| *known == kind)
        .and_then(|at| Kind::ALL.get(at..=at))
        .unwrap_or(&[])
}

fn of_kind(facts: &Facts, kind: Kind) -> Vec<Subject> {
    match kind {
        Kind::Session => vec![Subject::SESSION],
        Kind::Repo => facts.repos.keys().copied().collect(),
        Kind::Path => facts.paths.keys().copied().collect(),
        Kind::PathRef => facts.path_refs.keys().copied().collect(),
        Kind::Package => facts.packages.keys().copied().collect(),
        Kind::Config => facts.configs.keys().copied().collect(),
        Kind::Secret => facts.secrets.keys().copied().collect(),
        Kind::Token => facts.tokens.keys().copied().collect(),
        Kind::Person => facts.persons.keys().copied().collect(),
    }
}

fn is_called(facts: &Facts, about: Subject, wanted: &str) -> bool {
    let full = label(facts, about);
    if full.eq_ignore_ascii_case(wanted) {
        return true;
    }
    match about.kind {
        // The job alone will do where the file has one publish path.
        Kind::Path => full
            .split_once('#')
            .is_some_and(|(file, _)| file.eq_ignore_ascii_case(wanted)),
        Kind::PathRef => full
            .rsplit_once(" (")
            .is_some_and(|(path, _)| path.eq_ignore_ascii_case(wanted)),
        // `NPM_TOKEN`, or `acme/ui/NPM_TOKEN` where several stores have one.
        Kind::Secret => facts.secrets.get(&about).is_some_and(|row| {
            let (store, name) = wanted.rsplit_once('/').unwrap_or(("", wanted));
            let of_store = row.store.split_once(':').is_some_and(|(_, of)| of == store);
            *row.name == *name && (store.is_empty() || of_store)
        }),
        Kind::Token => {
            let row = facts.tokens.get(&about).and_then(Token::identity);
            row.is_some_and(|row| {
                let (account, name) = wanted.split_once('/').unwrap_or(("", wanted));
                let of_key = name.len() >= 4 && row.handle().starts_with(name);
                let of_both = !account.is_empty() && row.name == Some(name);
                (account.is_empty() || account == row.account) && (of_key || of_both)
            })
        }
        _ => false,
    }
}
