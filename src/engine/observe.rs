//! What observers bring to the session's owner, and what the owner tells them to look at.
//!
//! Observers never touch the session: answers go in as [`Report`]s, and what there is to look at comes out as
//! [`Targets`], made anew when the facts change.

pub mod github;
pub mod npm;
pub mod provenance;

use super::cache::{Cache, Learned};
use super::live::{Budget, Link, OpenRun, OpenWindow, Tail, TwoFactorProgress};
use super::schedule::{Key, Urgency};
use crate::model::event::Observation;
use crate::model::fact::{Answer, LiveSource, TrustFact};
use crate::model::facts::{Facts, Package};
use crate::model::id::Subject;
use crate::model::lane::Lane;
use crate::model::time::Ts;
use provenance::Proof;
use std::sync::Arc;

/// Whose notes are warnings: a list of tokens that could not be read.
pub const UNLISTED: &str = "unlisted";

/// Something that an observer has to say.
#[derive(Debug)]
pub enum Report {
    /// Answers; what is no news is not written.
    Answers(Vec<(Subject, Observation)>),
    /// Looked at again, and the answer was the same.
    Checked(Vec<(Subject, LiveSource)>, Ts),
    /// The runs of these repositories that go on; an empty list says that none does.
    Open(Vec<(Subject, Vec<OpenRun>)>),
    /// How the connections stand.
    Links(Links),
    /// How far the run is that somebody follows.
    Step(Subject, Box<OpenRun>),
    Tail(Tail),
    /// How far the reading of this number is, and which windows are open.
    Factor(u64, Box<TwoFactorProgress>, Vec<OpenWindow>),
    /// What one observer wants said, in place of what it said before.
    Notes(&'static str, Vec<Box<str>>),
    /// What a later start need not ask again, once all that was reported before is written.
    Remember(Box<Cache>),
}

/// How the connections, the budgets and the work stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Links {
    pub links: Vec<Link>,
    pub budgets: Vec<Budget>,
    /// Questions that are due, and under way.
    pub waiting: (usize, usize),
    /// How many of those that are due wait for a budget, and until when at least.
    pub held: Option<(usize, Ts)>,
    /// Clocks that disagree.
    pub warning: Option<Box<str>>,
}

/// What one question brought.
#[derive(Debug, Default)]
pub struct QueryResult {
    pub reports: Vec<Report>,
    /// What is due again at another pace than its kind's: in seconds.
    pub paces: Vec<(Subject, i64, Urgency)>,
    /// What this makes worth asking, in how many seconds.
    pub expedite: Vec<(Key, i64, Urgency)>,
    /// What saves questions at a later start.
    pub learned: Vec<(Subject, Learned)>,
    /// Of these something is missing that no answer says: a later start asks again.
    pub partial: Vec<Subject>,
    /// Nothing was asked: it rests on what only a discovery tells, and that has not come yet.
    pub deferred: bool,
}

impl QueryResult {
    /// Brings nothing before a discovery has come.
    fn deferred() -> Self {
        Self {
            deferred: true,
            ..Self::default()
        }
    }

    /// Brings answers and nothing else.
    pub fn answers(answers: Vec<(Subject, Observation)>) -> Self {
        Self {
            reports: vec![Report::Answers(answers)],
            ..Self::default()
        }
    }
}

fn dated(about: Subject, answer: Answer, as_of: Ts) -> (Subject, Observation) {
    (about, Observation { as_of, answer })
}

/// A repository to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepoTarget {
    pub id: Subject,
    /// `owner/name`.
    pub name: Box<str>,
    /// Workflow files with a publish path, below `.github/workflows/`, without doubles.
    pub workflows: Vec<Box<str>>,
    /// Environments that its paths name.
    pub environments: Vec<Box<str>>,
    /// Packages that its paths publish.
    pub packages: Vec<Subject>,
    /// What is known of finished runs besides what a sweep tells: id, when it ended, failed step, cause.
    pub known: Vec<KnownRun>,
}

/// What was found out about one finished run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownRun {
    pub id: u64,
    pub updated: Ts,
    pub step: Option<Box<str>>,
    pub cause: Box<str>,
}

/// A package to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageTarget {
    pub id: Subject,
    pub name: Box<str>,
    /// The document's own time, as last seen: an older one is not taken.
    pub modified: Option<Ts>,
    /// What its newest provenance must say, while nobody has looked.
    pub proof: Option<Proof>,
}

/// A package whose trust configs somebody wants read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    pub id: Subject,
    pub name: Box<str>,
    /// The listing that stands: it knows when a config was first seen.
    pub before: Option<TrustFact>,
    /// Accounts that may write it, as far as is known: others are refused.
    pub writers: Vec<Box<str>>,
}

/// A reading that costs a second factor, and that somebody has asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustReadRequest {
    /// Rises with each.
    pub number: u64,
    pub packages: Vec<Wanted>,
}

/// Everything that there is to look at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Targets {
    pub organisations: Vec<Box<str>>,
    pub repos: Vec<RepoTarget>,
    pub packages: Vec<PackageTarget>,
    /// Packages that wait for an approval now and then: in a lane that stages, or seen to have been staged.
    pub staged: Vec<Subject>,
    /// What is open on the screen, if it is one of these.
    pub seen: Option<Subject>,
    /// The list of packages is on the screen.
    pub listed: bool,
    /// The run whose log is followed.
    pub follow: Option<(Subject, u64)>,
    pub order: Option<Arc<TrustReadRequest>>,
    /// Hosts, not the registry's own, whose second-factor pages somebody has accepted.
    pub hosts: Vec<Box<str>>,
}

impl Targets {
    /// Reads them from the facts. Only packages that may be on the registry of this cutover are in.
    pub fn of(facts: &Facts) -> Self {
        let mut repos: Vec<RepoTarget> = facts
            .repos
            .iter()
            .filter(|(_, row)| row.name().contains('/'))
            .map(|(id, row)| {
                let mut target = RepoTarget {
                    id: *id,
                    name: row.name().into(),
                    workflows: Vec::new(),
                    environments: Vec::new(),
                    packages: Vec::new(),
                    known: known_runs(facts, *id),
                };
                for (_, fact) in facts.open_paths(*id) {
                    if let Some(file) = fact.file.strip_prefix(".github/workflows/") {
                        target.workflows.push(file.into());
                    }
                    target.environments.extend(fact.environment.clone());
                    target.packages.extend_from_slice(&fact.packages);
                }
                for list in [&mut target.workflows, &mut target.environments] {
                    list.sort_unstable();
                    list.dedup();
                }
                target.packages.sort_unstable();
                target.packages.dedup();
                target
            })
            .collect();
        repos.sort_unstable_by_key(|repo| repo.id);
        let mut packages: Vec<PackageTarget> = facts
            .packages
            .iter()
            .filter(|(_, row)| !row.name.is_empty())
            .filter(|(_, row)| !row.fact.as_ref().is_some_and(|fact| fact.value.private))
            .map(|(id, row)| PackageTarget {
                id: *id,
                name: row.name.clone(),
                proof: Proof::of(facts, *id),
                modified: facts
                    .seen
                    .get(id)
                    .and_then(|seen| seen.published())
                    .map(|(fact, _)| fact.modified),
            })
            .collect();
        packages.sort_unstable_by_key(|package| package.id);
        Self {
            organisations: facts.session.organisations.clone(),
            repos,
            staged: staged(facts),
            packages,
            seen: None,
            listed: false,
            follow: None,
            order: None,
            hosts: Vec::new(),
        }
    }

    pub fn repo(&self, id: Subject) -> Option<&RepoTarget> {
        let at = self.repos.binary_search_by_key(&id, |repo| repo.id).ok()?;
        self.repos.get(at)
    }

    pub fn package(&self, id: Subject) -> Option<&PackageTarget> {
        let at = self
            .packages
            .binary_search_by_key(&id, |package| package.id)
            .ok()?;
        self.packages.get(at)
    }
}

fn staged(facts: &Facts) -> Vec<Subject> {
    let stages = |id: &Subject, row: &Package| {
        let mut lanes = row.paths.iter().filter_map(|path| facts.lane(*path));
        let seen = facts.seen.get(id).and_then(|seen| seen.stages());
        lanes.any(|lane| matches!(lane, Lane::StagedOidc | Lane::StagedToken))
            || seen.is_some_and(|(fact, _)| !fact.stages.is_empty())
    };
    let all = facts.packages.iter().filter(|(_, row)| !row.stand_in);
    let mut staged: Vec<Subject> = all
        .filter(|(id, row)| stages(id, row))
        .map(|(id, _)| *id)
        .collect();
    staged.sort_unstable();
    staged
}

fn known_runs(facts: &Facts, repo: Subject) -> Vec<KnownRun> {
    let Some(seen) = facts.seen.get(&repo) else {
        return Vec::new();
    };
    let runs = seen.runs().into_iter().flat_map(|(fact, _)| &fact.runs);
    let known = runs.filter_map(|run| {
        let why = seen.why(run);
        Some(KnownRun {
            id: run.id,
            updated: run.updated,
            step: why.step.map(Into::into),
            cause: why.cause?.into(),
        })
    });
    known.collect()
}

/// The owner's end: where reports come in and targets go out.
#[derive(Debug)]
pub struct Channel {
    pub reports: tokio::sync::mpsc::Receiver<Report>,
    pub targets: tokio::sync::watch::Sender<Arc<Targets>>,
}

/// The observers' end.
#[derive(Debug)]
pub struct Post {
    pub reports: tokio::sync::mpsc::Sender<Report>,
    pub targets: tokio::sync::watch::Receiver<Arc<Targets>>,
}

/// Reports that can wait before an observer has to.
const WAITING: usize = 256;

/// Makes both ends.
pub fn channel() -> (Channel, Post) {
    let (reports, received) = tokio::sync::mpsc::channel(WAITING);
    let (targets, seen) = tokio::sync::watch::channel(Arc::new(Targets::default()));
    let channel = Channel {
        reports: received,
        targets,
    };
    let post = Post {
        reports,
        targets: seen,
    };
    (channel, post)
}
