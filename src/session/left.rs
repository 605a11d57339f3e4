//! Decisions about what is no longer there: a workflow that was renamed, a secret whose store was learnt, a repository
//! that goes by another name.
//!
//! What was decided of a thing is decided of that thing alone: it does not follow a new name by itself, since nobody saw
//! that both are one. So it is said by name, with what looks like it now, and never gone in silence.

use super::name::{choice, label, slot_words};
use crate::model::decision::{Slot, Standing};
use crate::model::fact::PathFact;
use crate::model::facts::Facts;
use crate::model::id::{Kind, Subject};
use crate::model::lane::Lane;
use std::collections::BTreeMap;

/// One thing that is gone, and what was decided of it. Every name is made visible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    pub about: Subject,
    pub name: String,
    /// `lane trusted`, `attested armed`.
    pub decisions: Vec<String>,
    /// What is there now and looks like it.
    pub alike: Option<String>,
    /// A workflow file that trusted publishers may still name.
    pub file: Option<String>,
    /// It is still here, and what looks like it may be it under another name.
    pub renamed: bool,
}

impl Left {
    /// Says what is gone, what became of its decisions, and what to do.
    pub fn words(&self) -> String {
        if let (true, Some(alike)) = (self.renamed, &self.alike) {
            return format!(
                "{alike} publishes what {name} publishes: if {name} was renamed, what was decided of it does not follow: {}. \
                 Decide it again of {alike}",
                self.decisions.join(", "),
                name = self.name,
            );
        }
        let alike = match &self.alike {
            Some(alike) => format!("; {alike} looks like it"),
            None => String::new(),
        };
        let decided = match self.decisions.as_slice() {
            [] => String::new(),
            some => format!(
                "; what was decided of it no longer counts: {}. Decide it again where it still holds",
                some.join(", ")
            ),
        };
        let file = match &self.file {
            Some(file) => {
                format!(". A trusted publisher that names {file} has to be registered anew")
            }
            None => String::new(),
        };
        format!("{} is gone{alike}{decided}{file}", self.name)
    }
}

/// Returns what was decided of things that the last answers no longer have, in the order of their ids.
pub fn left_behind(facts: &Facts) -> Vec<Left> {
    let mut all: BTreeMap<Subject, Left> = BTreeMap::new();
    for (path, row) in &facts.paths {
        let Some(fact) = row.fact.as_ref().map(|dated| &dated.value) else {
            continue;
        };
        // A publish that was to go is gone as decided.
        if facts.present(*path, fact) || facts.lane(*path) == Some(Lane::Retire) {
            continue;
        }
        let decisions = of_path(facts, *path, fact);
        if !decisions.is_empty() {
            all.insert(*path, gone_path(facts, *path, fact, decisions));
        }
    }
    for (about, decided) in &facts.decided {
        for (slot, history) in decided.slots() {
            let Slot::Edge(secret) = slot else { continue };
            let known = facts.secrets.get(&secret);
            if known.is_none_or(|row| !row.repos.is_empty())
                || matches!(history.standing(), Standing::Nothing)
            {
                continue;
            }
            let left = all.entry(secret).or_insert_with(|| Left {
                about: secret,
                name: label(facts, secret),
                decisions: Vec::new(),
                alike: same_secret(facts, secret),
                file: None,
                renamed: false,
            });
            left.decisions
                .push(format!("whether it holds {}", label(facts, *about)));
        }
    }
    for (repo, row) in &facts.repos {
        if let Some(alike) = later_name(facts, *repo) {
            let paths = row.paths().iter();
            let about = paths.chain(std::iter::once(repo));
            let decisions: Vec<String> = about.flat_map(|one| standing(facts, *one)).collect();
            if !decisions.is_empty() {
                all.insert(
                    *repo,
                    Left {
                        about: *repo,
                        name: label(facts, *repo),
                        decisions,
                        alike: Some(label(facts, alike)),
                        file: None,
                        renamed: true,
                    },
                );
            }
        }
    }
    for left in all.values_mut() {
        left.decisions.sort_unstable();
        left.decisions.dedup();
    }
    all.into_values().collect()
}

/// Lists what stands decided of a path, its ref and its trusted publishers.
fn of_path(facts: &Facts, path: Subject, fact: &PathFact) -> Vec<String> {
    let environment = fact.environment.as_deref().unwrap_or_default();
    let configs = fact.packages.iter().filter_map(|package| {
        Some(Subject::config(
            *package,
            fact.repo?,
            &fact.file,
            environment,
        ))
    });
    // Another path may still need the same trusted publisher.
    let configs = configs.filter(|config| !facts.configs.contains_key(config));
    let subjects = [path, facts.default_ref(path)].into_iter().chain(configs);
    subjects.flat_map(|about| standing(facts, about)).collect()
}

fn standing(facts: &Facts, about: Subject) -> Vec<String> {
    let decided = facts.decided.get(&about).into_iter();
    decided
        .flat_map(|decided| decided.slots())
        .filter_map(|(slot, history)| match (slot, history.standing()) {
            (_, Standing::Nothing) => None,
            (Slot::Lane | Slot::Plan | Slot::EndDate, Standing::One(one)) => {
                Some(format!("{} {}", slot_words(slot), choice(one)))
            }
            _ => Some(slot_words(slot)),
        })
        .collect()
}

fn gone_path(facts: &Facts, path: Subject, fact: &PathFact, decisions: Vec<String>) -> Left {
    let alike = fact.repo.and_then(|repo| {
        let mut alike = facts
            .open_paths(repo)
            .filter(|(id, now)| *id != path && looks_like(fact, now))
            .map(|(id, _)| id);
        // Two that look like it: nobody knows which.
        match (alike.next(), alike.next()) {
            (Some(one), None) => Some(label(facts, one)),
            _ => None,
        }
    });
    let file = fact.file.rsplit('/').next().unwrap_or_default();
    Left {
        about: path,
        name: label(facts, path),
        decisions,
        alike,
        file: Some(crate::safe::shown::visible(file).into_owned()),
        renamed: false,
    }
}

/// Tells whether a path may be another under a new file or job name.
fn looks_like(gone: &PathFact, now: &PathFact) -> bool {
    let same_place = gone.file == now.file || gone.job == now.job;
    let same_packages = gone.packages == now.packages;
    same_place && gone.tool == now.tool && gone.ci == now.ci && same_packages
}

/// Finds the one repository that was scanned later, publishes all that this one does, and of which nothing is decided.
fn later_name(facts: &Facts, repo: Subject) -> Option<Subject> {
    let row = facts.repos.get(&repo)?;
    let scanned = row.scan.as_ref()?.as_of;
    let first = facts.packages.get(row.packages.first()?)?;
    let mut later = first.repos.iter().copied().filter(|other| {
        let Some(known) = facts.repos.get(other).filter(|_| *other != repo) else {
            return false;
        };
        let paths = known.paths().iter().chain(std::iter::once(other));
        known
            .scan
            .as_ref()
            .is_some_and(|scan| scan.as_of >= scanned)
            && row
                .packages
                .iter()
                .all(|package| known.packages.contains(package))
            && paths.flat_map(|one| standing(facts, *one)).next().is_none()
    });
    // Two that look like it: nobody knows which.
    match (later.next(), later.next()) {
        (Some(one), None) => Some(one),
        _ => None,
    }
}

/// Finds the secret that a repository means now by the name whose store was not known.
fn same_secret(facts: &Facts, secret: Subject) -> Option<String> {
    let row = facts.secrets.get(&secret)?;
    let (_, repo) = row.store.split_once(':')?;
    let mut repos = facts.repos.iter().filter(|(_, known)| known.name() == repo);
    let (repo, _) = repos.next()?;
    let now = facts.secret_of(*repo, &row.name)?;
    (now != secret && now.kind == Kind::Secret).then(|| label(facts, now))
}
