//! What the console shows of the outside world: connections, budgets, runs and packages, as rows ready to draw.
//!
//! Every text has passed `safe::shown`. Finished runs are facts; what is under way is kept in memory only, since what
//! ticks is not written into a session.

use crate::model::fact::{HowFact, RunFact};
use crate::model::id::{Subject, SubjectMap};
use crate::model::time::Ts;
use crate::safe::secret::Secret;
use std::sync::Arc;

/// How one group of endpoints is to be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkState {
    /// Nothing was asked yet.
    Connecting,
    /// The last answer was a good one.
    Live { heard: Ts },
    /// Nothing may be asked before this.
    Limited { until: Ts, why: Box<str> },
    /// The credential is refused, or there is none.
    Unauthorised { why: Box<str> },
    /// No answer: why, and when the next try is.
    Offline { why: Box<str>, next: Ts },
}

/// One group of endpoints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// `GitHub graphql`, `npm tokens`, …
    pub group: &'static str,
    pub state: LinkState,
}

/// What is left of a server's budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    pub name: &'static str,
    pub remaining: u32,
    pub limit: u32,
    pub reset: Ts,
    /// Units that the looks of one hour use at their present pace.
    pub planned: u32,
}

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RunState {
    Failed,
    Running,
    Queued,
    Cancelled,
    Passed,
    /// Skipped, neutral, or a word that this version does not know.
    Other,
}

impl RunState {
    /// Reads GitHub's status and conclusion.
    pub fn of(status: &str, conclusion: Option<&str>) -> Self {
        match (status, conclusion) {
            ("completed", Some("success")) => Self::Passed,
            ("completed", Some("failure" | "timed_out" | "startup_failure")) => Self::Failed,
            ("completed", Some("cancelled")) => Self::Cancelled,
            ("completed", _) => Self::Other,
            ("in_progress", _) => Self::Running,
            _ => Self::Queued,
        }
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Running => "running",
            Self::Queued => "queued",
            Self::Cancelled => "cancelled",
            Self::Passed => "passed",
            Self::Other => "other",
        }
    }

    /// Tells whether it still goes on.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Running | Self::Queued)
    }
}

/// A run that goes on, as it was last seen: kept in memory until it has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenRun {
    pub run: RunFact,
    pub step: Option<Box<str>>,
    /// Steps done, of all.
    pub steps: Option<(u16, u16)>,
    pub as_of: Ts,
}

/// Last runs of a repository, oldest first: the sparkline of the board.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spark(pub [Option<RunState>; 5]);

/// Why a run failed, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// Id of the log signature; `unknown` where the log matches none.
    pub id: Box<str>,
    pub meaning: Box<str>,
    pub action: Box<str>,
}

/// One run of a release workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRow {
    pub repo: Subject,
    pub name: Box<str>,
    pub id: u64,
    pub number: u64,
    pub attempt: u32,
    /// Workflow file without its folder.
    pub file: Box<str>,
    pub event: Box<str>,
    pub branch: Box<str>,
    /// First characters of the commit.
    pub sha: Box<str>,
    pub state: RunState,
    pub created: Ts,
    /// When it ended; of an open one, when it last moved.
    pub updated: Ts,
    pub actor: Box<str>,
    pub url: Box<str>,
    /// The step under way, or the one that failed.
    pub step: Option<Box<str>>,
    /// Steps done, of all.
    pub steps: Option<(u16, u16)>,
    pub cause: Option<Cause>,
    /// Newest of its workflow: older ones are history.
    pub newest: bool,
    /// When this was seen.
    pub as_of: Ts,
    pub haystack: Box<str>,
}

/// One package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageRow {
    pub id: Subject,
    pub name: Box<str>,
    /// Repositories that hold or publish it; empty for an orphan.
    pub repos: Vec<Box<str>>,
    pub latest: Option<Box<str>>,
    /// Tags other than `latest`, as `tag version`.
    pub tags: Vec<Box<str>>,
    /// How the last versions were published, newest first.
    pub how: Vec<HowFact>,
    pub released: Option<Ts>,
    pub cadence_days: Option<u32>,
    /// Trust configs that the registry lists; none where nobody looked.
    pub configs: Option<usize>,
    /// End of the soonest activation window that still runs.
    pub window: Option<Ts>,
    /// Verified, refused (why), or not looked.
    pub provenance: Option<Result<Box<str>, Box<str>>>,
    pub writers: usize,
    pub weekly: Option<u64>,
    pub dependents: Option<u64>,
    /// When the registry was last asked; none where it never was.
    pub as_of: Option<Ts>,
    /// Why it could not be looked at.
    pub trouble: Option<Box<str>>,
    pub haystack: Box<str>,
}

/// The last lines of a run's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tail {
    pub repo: Subject,
    pub run: u64,
    pub lines: Vec<Box<str>>,
    /// What stands in the place of lines: not yet there, or why it cannot be read.
    pub note: Option<Box<str>>,
}

/// The page of a second factor: for the panel and the browser alone, so it is neither printed nor written.
#[derive(Debug, Clone)]
pub struct FactorPage {
    pub address: Secret,
    /// May be named anywhere.
    pub host: Box<str>,
    /// The registry's own site, or one that somebody has accepted: may be opened.
    pub accepted: bool,
}

/// How far a reading is that npm wants a second factor for.
#[derive(Debug, Clone)]
pub enum FactorState {
    /// Asking: inside an open window, or npm has not wanted the factor yet.
    Working,
    /// npm waits for the factor, on this page.
    Asked(FactorPage),
    /// All was asked, or it ended before that: in words.
    Ended(Box<str>),
}

/// A reading that npm wants a second factor for.
#[derive(Debug, Clone)]
pub struct TwoFactorProgress {
    pub account: Box<str>,
    pub done: usize,
    /// Could not be read; among those that are done.
    pub failed: usize,
    pub all: usize,
    /// Factors that were asked for up to now.
    pub challenges: usize,
    pub state: FactorState,
}

impl TwoFactorProgress {
    /// Begins a reading of so many packages.
    pub fn of(all: usize) -> Self {
        Self {
            account: "".into(),
            done: 0,
            failed: 0,
            all,
            challenges: 0,
            state: FactorState::Working,
        }
    }

    /// Tells whether it goes on.
    pub fn is_open(&self) -> bool {
        !matches!(self.state, FactorState::Ended(_))
    }
}

/// An open window of an account: npm asks it for no second factor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenWindow {
    pub account: Box<str>,
    pub ends: Ts,
    /// Calls that it still takes.
    pub left: u32,
}

/// The outside world, as of one picture.
#[derive(Debug, Clone, Default)]
pub struct Live {
    /// Empty where this program was started without a network.
    pub links: Vec<Link>,
    pub budgets: Vec<Budget>,
    /// Questions that are due, and under way.
    pub waiting: (usize, usize),
    /// How many of those that are due wait for a budget, and until when at least.
    pub held: Option<(usize, Ts)>,
    /// Newest trouble first.
    pub runs: Arc<Vec<RunRow>>,
    pub sparks: Arc<SubjectMap<Spark>>,
    /// Repositories whose newest run of a release workflow failed, and why.
    pub failing: Arc<SubjectMap<Box<str>>>,
    /// Repositories in which a release runs.
    pub running: usize,
    /// By name; none until somebody looks at the list.
    pub packages: Option<Arc<Vec<PackageRow>>>,
    pub tail: Option<Arc<Tail>>,
    /// The reading with a second factor that is under way, or was last.
    pub factor: Option<Arc<TwoFactorProgress>>,
    pub windows: Vec<OpenWindow>,
    /// What observers want said: rights that are missing or too many, clocks that disagree, gaps in listings.
    pub notes: Vec<Box<str>>,
    /// How many of the first notes are warnings: shown before what goes well.
    pub warnings: usize,
}

impl Live {
    /// Tells whether anything is connected at all.
    pub fn connected(&self) -> bool {
        !self.links.is_empty()
    }

    /// Gives when anything was last heard from outside.
    pub fn heard(&self) -> Option<Ts> {
        self.links
            .iter()
            .filter_map(|link| match link.state {
                LinkState::Live { heard } => Some(heard),
                _ => None,
            })
            .max()
    }
}
