//! Where copies of a secret stand: every store of every repository that names it, as far as they were listed.
//!
//! A store that was not listed to its end proves no absence. Judges nothing itself.

use super::verdict::Verdict;
use super::view::View;
use crate::model::fact::{EdgeFact, LiveSource, SecretsFact, StoreFact};
use crate::model::facts::Facts;
use crate::model::facts::seen::Seen;
use crate::model::id::Subject;
use crate::model::time::Ts;
use crate::safe::shown::first_few;

/// Copies named one by one; the rest are counted.
const NAMED: usize = 4;

/// What the listings of all repositories that name a secret show together.
#[derive(Debug, Default)]
pub(super) struct Copies {
    pub repos: usize,
    not_looked: usize,
    /// Repositories whose listing failed, is old, or lacks a store.
    could_not: usize,
    why: Option<String>,
    named: Vec<String>,
    pub held: usize,
    until: Option<Ts>,
}

/// Tells whether a store holds secrets; variables are listed beside them.
fn is_secret(store: &StoreFact) -> bool {
    !store.store.starts_with("vars") && !store.store.starts_with("env-vars")
}

impl Copies {
    fn add(&mut self, repo: &str, fact: &SecretsFact, name: &str) {
        for store in fact.stores.iter().filter(|store| is_secret(store)) {
            if store.names.iter().any(|one| *one.name == *name) {
                self.held += 1;
                // One organisation's secret shows in each of its repositories.
                let place = match &*store.store {
                    "org" => "the organisation".to_owned(),
                    other => format!("{other} of {repo}"),
                };
                if self.named.len() < NAMED && !self.named.contains(&place) {
                    self.named.push(place);
                }
            }
        }
        if let Some(store) = fact.stores.iter().find(|store| !store.complete) {
            let why = store.why.as_deref().unwrap_or("the list is not complete");
            self.fails(format!("{} of {repo}: {why}", store.store));
        } else if fact.stores.is_empty() {
            self.fails(format!("{repo}: no store was listed"));
        }
    }

    fn fails(&mut self, why: String) {
        self.could_not += 1;
        self.why.get_or_insert(why);
    }

    /// Gives the verdict that says what was not listed; nothing where everything was.
    pub fn open(&self) -> Option<Verdict> {
        if let Some(why) = &self.why {
            let more = match self.could_not {
                1 => String::new(),
                count => format!(" (and {} more)", count - 1),
            };
            return Some(Verdict::could_not(format!("{why}{more}")));
        }
        let words = "the secret stores were not looked at";
        match self.not_looked {
            all if all == self.repos => Some(Verdict::unwatched(words)),
            0 => None,
            some => Some(self.holds(Verdict::not_looked(format!(
                "the stores of {some} of {} repositories were not looked at",
                self.repos
            )))),
        }
    }

    pub fn places(&self) -> String {
        if self.named.is_empty() {
            "no store".to_owned()
        } else {
            first_few(&self.named)
        }
    }

    pub fn holds(&self, verdict: Verdict) -> Verdict {
        match self.until {
            Some(until) => verdict.until(until),
            None => verdict,
        }
    }
}

impl View<'_> {
    /// Looks into every store of every repository that names a secret.
    pub(super) fn copies(&self, secret: Subject) -> Copies {
        let mut copies = Copies::default();
        let Some(row) = self.facts.secrets.get(&secret) else {
            return copies;
        };
        copies.repos = row.repos.len();
        for repo in &row.repos {
            let look = self.look(*repo, LiveSource::Secrets, Seen::secrets);
            let name = self.facts.repos.get(repo).map_or("", |row| row.name());
            match look.state("") {
                Ok(sight) => {
                    let ends = [copies.until, Some(sight.until)];
                    copies.until = ends.into_iter().flatten().min();
                    copies.add(name, sight.fact, &row.name);
                }
                Err(verdict) if verdict.unwatched => copies.not_looked += 1,
                Err(verdict) => copies.fails(format!("{name}: {}", verdict.why)),
            }
        }
        copies
    }
}

impl Facts {
    /// Gives the latest change of any secret of that name in the stores of its repositories: a comparison from before
    /// that proves nothing, whichever store it was.
    pub fn secret_changed(&self, secret: Subject) -> Option<Ts> {
        let row = self.secrets.get(&secret)?;
        let stores = row.repos.iter().filter_map(|repo| {
            let (fact, _) = self.seen.get(repo)?.secrets()?;
            Some(fact.stores.iter().filter(|store| is_secret(store)))
        });
        let names = stores.flatten().flat_map(|store| &store.names);
        names
            .filter(|one| *one.name == *row.name)
            .filter_map(|one| one.updated)
            .max()
    }

    /// Gives what a job that had the secret showed, unless the secret changed since.
    pub fn shown_edge(&self, token: Subject, secret: Subject) -> Option<(&EdgeFact, Ts)> {
        let shown = self.seen.get(&token)?.edge(secret);
        shown.filter(|(_, as_of)| self.secret_changed(secret).is_none_or(|at| at <= *as_of))
    }

    /// Gives when a secret last changed, by every store that could be the one meant, and until when that tells.
    ///
    /// Nothing where a store that may hold it was not listed to its end, or does not tell.
    pub fn secret_updated(&self, secret: Subject, now: Ts) -> Option<(Ts, Ts)> {
        let row = self.secrets.get(&secret)?;
        let (kind, _) = row.store.split_once(':').unwrap_or(("unknown", ""));
        let fresh = i64::from(self.policy.freshness_hours) * 3600;
        let (mut updated, mut until): (Option<Ts>, Option<Ts>) = (None, None);
        for repo in &row.repos {
            let seen = self.seen.get(repo)?;
            let (fact, _) = seen.secrets()?;
            let end = seen.looked(LiveSource::Secrets)?.plus(fresh);
            if now >= end {
                return None;
            }
            until = [until, Some(end)].into_iter().flatten().min();
            let stores = fact.stores.iter().filter(|store| match kind {
                "org" | "repo" => &*store.store == kind,
                "env" => store.store.starts_with("env:"),
                _ => is_secret(store),
            });
            for store in stores {
                if !store.complete {
                    return None;
                }
                for one in store.names.iter().filter(|one| *one.name == *row.name) {
                    updated = updated.max(Some(one.updated?));
                }
            }
        }
        Some((updated?, until?))
    }
}
