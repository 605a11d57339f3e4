//! What each question to the registry means: packages, accounts, and how far a mistake would reach.
//!
//! Several accounts side by side: public documents are read as the first of them, or as nobody; each account lists its
//! own tokens. Keeps only what saves calls, and never touches the session.

use super::{PackageTarget, QueryResult, Report, Targets, UNLISTED, dated};
use crate::engine::cache::{Cache, Learned, Tag, digest};
use crate::engine::endpoint_health::may_pass;
use crate::engine::schedule::{Batch, Query};
use crate::model::event::Observation;
use crate::model::fact::{Answer, LiveSource, ReachFact, StagesFact};
use crate::model::id::Subject;
use crate::model::name::{Login, PackageName};
use crate::model::time::{DAY, Ts};
use crate::registry::{self, Known, Packument, Refused, Registry, RegistryError, Roots};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The registry, and what is remembered of it.
pub struct Npm {
    /// As nobody, or as the first account.
    reader: Registry,
    accounts: Vec<Registry>,
    /// The registry's name in the ids of this session.
    id: Box<str>,
    /// Whose signatures of provenance are trusted; none means those built in.
    roots: Option<Arc<Roots>>,
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    known: HashMap<Subject, Known>,
    /// Tags of an earlier start, until they were used.
    tags: HashMap<Subject, Tag>,
    /// Who each account said it is, once all of them did.
    logins: Option<Vec<Login>>,
    /// What a search found, by what was searched, and when.
    reach: HashMap<String, (Ts, BTreeMap<Box<str>, ReachFact>)>,
}

impl Npm {
    pub fn new(nobody: Registry, accounts: Vec<Registry>, id: &str) -> Self {
        Self {
            reader: accounts.first().cloned().unwrap_or(nobody),
            accounts,
            id: id.into(),
            roots: None,
            memory: Mutex::default(),
        }
    }

    /// Trusts these signatures of provenance, in place of those built in.
    #[must_use]
    pub fn trusting(mut self, roots: Arc<Roots>) -> Self {
        self.roots = Some(roots);
        self
    }

    /// Gives whose signatures are trusted.
    ///
    /// # Errors
    /// Those built in cannot be read, which the tests exclude.
    pub fn roots(&self) -> Result<&Roots, Refused> {
        match &self.roots {
            Some(roots) => Ok(roots),
            None => Roots::embedded(),
        }
    }

    /// Gives the registry as whoever reads public documents.
    pub fn reader(&self) -> &Registry {
        &self.reader
    }

    /// Tells whether anybody is logged in.
    pub fn has_account(&self) -> bool {
        !self.accounts.is_empty()
    }

    /// Gives every account with its name; one whose login is not accepted is left out.
    pub async fn named(&self) -> Vec<(Registry, Login)> {
        let mut named = Vec::new();
        for account in &self.accounts {
            match account.whoami().await {
                Ok(login) => named.push((account.clone(), login)),
                Err(lost) => tracing::debug!("whoami: {lost}"),
            }
        }
        named
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks what a batch is about. What could not be looked at for itself is an answer; an error says to try again.
    pub async fn ask(&self, batch: &Batch, aim: &Targets, now: Ts) -> Result<QueryResult, ()> {
        let first = batch.about.first().copied().unwrap_or(Subject::SESSION);
        match batch.what {
            Query::Account => return self.account(aim, now).await,
            Query::Stages => return self.stages(aim, now).await,
            _ => {}
        }
        let Some(package) = aim.package(first) else {
            return Ok(QueryResult::default());
        };
        let Ok(name) = PackageName::parse(&package.name) else {
            return Ok(QueryResult::default());
        };
        let (source, asked) = match batch.what {
            Query::Packument => (
                LiveSource::Published,
                self.packument(package, &name, now).await,
            ),
            Query::Access => (LiveSource::Access, self.access(first, &name, now).await),
            Query::Reach => (LiveSource::Reach, self.reach(first, &name, now).await),
            _ => return Ok(QueryResult::default()),
        };
        asked.or_else(|lost| could_not(&lost, first, source, now))
    }

    /// Takes up what an earlier start learned.
    pub fn recall(&self, cache: &Cache) {
        self.memory().tags.clone_from(&cache.tags);
    }

    /// Asks each account who it is, so that [`Npm::who`] can tell.
    ///
    /// # Errors
    /// One of them did not say.
    pub async fn greet(&self) -> Result<(), RegistryError> {
        let mut logins = Vec::with_capacity(self.accounts.len());
        for account in &self.accounts {
            logins.push(account.whoami().await?);
        }
        self.memory().logins = Some(logins);
        Ok(())
    }

    /// Gives a digest of which registry is asked and as whom; none before every account said who it is.
    pub fn who(&self) -> Option<Box<str>> {
        let memory = self.memory();
        let logins = memory.logins.iter().flatten().map(Login::as_str);
        let parts: Vec<&str> = [self.reader.id(), &*self.id]
            .into_iter()
            .chain(logins)
            .collect();
        (self.accounts.is_empty() || memory.logins.is_some()).then(|| digest(&parts))
    }

    async fn packument(
        &self,
        package: &PackageTarget,
        name: &PackageName,
        now: Ts,
    ) -> Result<QueryResult, RegistryError> {
        let id = package.id;
        let known = self.memory().known_of(package);
        Ok(match self.reader.packument(name, &known).await? {
            Packument::New(fact, known) => {
                let tag = known.etag.clone().map(|etag| Tag {
                    etag,
                    modified: fact.modified,
                });
                self.memory().known.insert(id, known);
                QueryResult {
                    learned: tag.map(|tag| (id, Learned::Tag(tag))).into_iter().collect(),
                    ..QueryResult::answers(vec![dated(id, Answer::Published(*fact), now)])
                }
            }
            Packument::Same => QueryResult {
                reports: vec![Report::Checked(vec![(id, LiveSource::Published)], now)],
                ..QueryResult::default()
            },
            // A cache on the way lags: what was seen stands, and is not as fresh as this look.
            Packument::Older => QueryResult {
                partial: vec![id],
                ..QueryResult::default()
            },
        })
    }

    async fn access(
        &self,
        id: Subject,
        name: &PackageName,
        now: Ts,
    ) -> Result<QueryResult, RegistryError> {
        let fact = self.reader.access(name).await?;
        Ok(QueryResult::answers(vec![dated(
            id,
            Answer::Access(fact),
            now,
        )]))
    }

    /// How far a package reaches: one search tells it for a whole scope, or for all packages of an account.
    async fn reach(
        &self,
        id: Subject,
        name: &PackageName,
        now: Ts,
    ) -> Result<QueryResult, RegistryError> {
        let by = match name
            .as_str()
            .strip_prefix('@')
            .and_then(|rest| rest.split_once('/'))
        {
            Some((scope, _)) => format!("scope:{scope}"),
            None => name.as_str().to_owned(),
        };
        let fresh = {
            let memory = self.memory();
            let known = memory.reach.get(&by);
            known
                .filter(|(at, _)| now.0 - at.0 < DAY)
                .map(|(_, packages)| packages.get(name.as_str()).cloned())
        };
        let found = match fresh {
            Some(found) => found,
            None => {
                let all = self.reader.search(&by).await?.packages;
                let found = all.get(name.as_str()).cloned();
                self.memory().reach.insert(by, (now, all));
                found
            }
        };
        // The search lags and misses private packages: what it does not name is not absent.
        Ok(found.map_or_else(QueryResult::default, |fact| {
            QueryResult::answers(vec![dated(id, Answer::Reach(fact), now)])
        }))
    }

    /// Asks each account who it is, what protects it, which tokens it has and which packages; and for the packages of
    /// the organisations, as the first account that may see them.
    async fn account(&self, aim: &Targets, now: Ts) -> Result<QueryResult, ()> {
        let mut answers: Vec<(Subject, Observation)> = Vec::new();
        let (mut later, mut logins) = (false, Vec::new());
        let mut notes: Vec<Box<str>> = Vec::new();
        for account in &self.accounts {
            match account.whoami().await {
                Ok(login) => {
                    notes.extend(
                        self.of_account(account, &login, now, &mut answers)
                            .await
                            .map(|lost| format!("npm tokens of {login} not listed: {lost}").into()),
                    );
                    logins.push(login);
                }
                Err(lost) => {
                    tracing::debug!("whoami: {lost}");
                    later |= lost.trouble().is_some_and(may_pass);
                }
            }
        }
        for organisation in &aim.organisations {
            let Ok(login) = Login::parse(organisation) else {
                continue;
            };
            match self.reader.org_packages(&login).await {
                Ok((about, answer)) => answers.push(dated(about, answer, now)),
                Err(lost) => {
                    let about = Subject::person(login.as_str());
                    answers.push(dated(about, lost.answer(LiveSource::Owned), now));
                }
            }
        }
        if answers.is_empty() && later {
            return Err(());
        }
        let mut brought = QueryResult::answers(answers);
        let all = logins.len() == self.accounts.len();
        if !all {
            brought.partial.push(Subject::SESSION);
        }
        self.memory().logins = Some(logins).filter(|_| all);
        brought.reports.push(Report::Notes(UNLISTED, notes));
        Ok(brought)
    }

    /// Asks each account what waits for its approval. An account that cannot be asked leaves the list open.
    async fn stages(&self, aim: &Targets, now: Ts) -> Result<QueryResult, ()> {
        let mut found: BTreeMap<Box<str>, StagesFact> = BTreeMap::new();
        let (mut complete, mut lost) = (true, None);
        for account in &self.accounts {
            match account.stages(None).await {
                Ok(stages) => {
                    complete &= stages.complete;
                    for (package, fact) in stages.by_package {
                        let all = &mut found.entry(package).or_default().stages;
                        all.extend(fact.stages);
                        all.sort_unstable_by(|one, other| one.id.cmp(&other.id));
                        all.dedup_by(|one, other| one.id == other.id);
                    }
                }
                Err(why) if why.trouble().is_some_and(may_pass) => return Err(()),
                Err(why) => {
                    complete = false;
                    lost = Some(why);
                }
            }
        }
        let packages = aim.packages.iter().filter(|package| {
            found.contains_key(&package.name) || aim.staged.binary_search(&package.id).is_ok()
        });
        let answers = packages.map(|package| {
            let answer = match (found.get(&package.name), &lost) {
                (None, Some(lost)) => lost.answer(LiveSource::Stages),
                (fact, _) => Answer::Stages(StagesFact {
                    complete,
                    ..fact.cloned().unwrap_or_default()
                }),
            };
            dated(package.id, answer, now)
        });
        Ok(QueryResult::answers(answers.collect()))
    }

    /// Asks what one account shows; gives why its tokens could not be listed.
    async fn of_account(
        &self,
        account: &Registry,
        login: &Login,
        now: Ts,
        answers: &mut Vec<(Subject, Observation)>,
    ) -> Option<RegistryError> {
        let mut unlisted = None;
        let person = Subject::person(login.as_str());
        match account.tokens(login).await {
            Ok(listing) => {
                let at = listing.date.unwrap_or(now);
                let all = registry::answers(&listing, &self.id);
                answers.extend(
                    all.into_iter()
                        .map(|(about, answer)| dated(about, answer, at)),
                );
            }
            Err(lost) => {
                let (about, answer) = registry::could_not_list(login, &lost);
                answers.push(dated(about, answer, now));
                unlisted = Some(lost);
            }
        }
        let profile = account.profile(login).await;
        let owned = account.user_packages(login).await;
        for (source, looked) in [(LiveSource::Profile, profile), (LiveSource::Owned, owned)] {
            let (about, answer) = looked.unwrap_or_else(|lost| (person, lost.answer(source)));
            answers.push(dated(about, answer, now));
        }
        unlisted
    }
}

impl Memory {
    /// What is known of a package's document. What the session has seen counts too: an older one is not taken.
    fn known_of(&self, package: &PackageTarget) -> Known {
        if let Some(known) = self.known.get(&package.id) {
            return known.clone();
        }
        let tag = self.tags.get(&package.id);
        let tag = tag.filter(|tag| Some(tag.modified) == package.modified);
        Known {
            etag: tag.map(|tag| tag.etag.clone()),
            modified: package.modified,
        }
    }
}

/// What cannot pass by itself is an answer; the rest is tried again.
pub(super) fn could_not(
    lost: &RegistryError,
    about: Subject,
    source: LiveSource,
    now: Ts,
) -> Result<QueryResult, ()> {
    if lost.trouble().is_some_and(may_pass) {
        return Err(());
    }
    Ok(QueryResult::answers(vec![dated(
        about,
        lost.answer(source),
        now,
    )]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_of_an_earlier_start_is_sent_for_the_document_that_the_session_has() {
        let id = Subject::package("https://registry.example", "left-pad");
        let mut memory = Memory::default();
        let tag = Tag {
            etag: "\"a\"".into(),
            modified: Ts(7),
        };
        memory.tags.insert(id, tag);
        let known = |memory: &Memory, modified: Option<i64>| {
            let package = PackageTarget {
                id,
                name: "left-pad".into(),
                modified: modified.map(Ts),
                proof: None,
            };
            let known = memory.known_of(&package);
            (known.etag.as_deref().map(str::to_owned), known.modified)
        };
        assert_eq!(
            known(&memory, Some(7)),
            (Some("\"a\"".to_owned()), Some(Ts(7)))
        );
        // Another document stands in the session: an older one than that is not taken.
        assert_eq!(known(&memory, Some(9)), (None, Some(Ts(9))));
        assert_eq!(known(&memory, None), (None, None));
        // What this start was told comes first.
        memory.known.insert(id, Known::default());
        assert_eq!(known(&memory, Some(7)), (None, None));
    }
}
