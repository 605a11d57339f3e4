//! What can be asked: how often without hurry, from which budget, at what cost, and what comes before what.

use super::{LEFT, RESERVE};
use crate::model::id::Subject;
use serde::{Deserialize, Serialize};

/// What can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Query {
    /// Who acts on the forge, and what they may. About the session.
    Rights,
    /// Repositories of the organisations and their CI files. About the session.
    Discovery,
    /// CI files of a repository that a discovery found changed.
    Files,
    /// Ids of a repository's workflows, by which their runs are asked for.
    Workflows,
    /// Last runs of a repository's release workflows.
    Runs,
    /// Jobs, steps and log of the run that somebody follows.
    Follow,
    /// Jobs and log of a repository's newest failed release run.
    Trouble,
    /// Environments, Actions settings and protection of a repository.
    Settings,
    /// Secrets of every store of a repository: thousands of calls for hundreds of repositories, so only on demand.
    Secrets,
    /// CI files of the other refs of a repository that can publish.
    Refs,
    /// The full document of a package.
    Packument,
    /// Downloads and dependents of a package.
    Reach,
    /// Who may write a package.
    Access,
    /// How the newest attested version of a package was built.
    Provenance,
    /// Versions that wait for an approval. About the session.
    Stages,
    /// An npm account: who it is, its profile, its tokens, its packages.
    Account,
}

/// One thing to ask.
pub type Key = (Query, Subject);

/// Which budget a question is paid from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CallBudget {
    /// Points of GitHub's GraphQL, per hour.
    Graphql,
    /// Requests to GitHub's REST, per hour.
    Rest,
    /// Requests to the registry, which publishes no numbers.
    Npm,
}

impl CallBudget {
    pub const ALL: [Self; 3] = [Self::Graphql, Self::Rest, Self::Npm];

    /// Units of a minute above which GitHub asks to slow down, whatever is left of the hour
    /// (<https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api>).
    pub(super) fn a_minute(self) -> Option<u32> {
        match self {
            Self::Graphql => Some(2_000),
            Self::Rest => Some(900),
            Self::Npm => None,
        }
    }
}

impl Query {
    pub const ALL: [Self; 16] = [
        Self::Rights,
        Self::Discovery,
        Self::Files,
        Self::Workflows,
        Self::Runs,
        Self::Follow,
        Self::Trouble,
        Self::Settings,
        Self::Secrets,
        Self::Refs,
        Self::Packument,
        Self::Reach,
        Self::Access,
        Self::Provenance,
        Self::Stages,
        Self::Account,
    ];

    /// Seconds between two looks where nothing hurries.
    pub fn pace(self) -> i64 {
        match self {
            // A sweep has to be over before its first answer is five minutes old.
            Self::Runs => 270,
            Self::Packument | Self::Account | Self::Stages => 900,
            Self::Discovery => 1_800,
            Self::Rights | Self::Refs => 3_600,
            Self::Settings | Self::Access | Self::Workflows | Self::Provenance => 6 * 3_600,
            Self::Reach => 86_400,
            // Asked for by somebody or by another answer, never by time alone.
            Self::Trouble | Self::Secrets | Self::Follow | Self::Files => i64::MAX,
        }
    }

    pub fn budget(self) -> CallBudget {
        match self {
            Self::Discovery | Self::Runs | Self::Refs => CallBudget::Graphql,
            Self::Rights
            | Self::Files
            | Self::Workflows
            | Self::Trouble
            | Self::Follow
            | Self::Settings
            | Self::Secrets => CallBudget::Rest,
            Self::Packument
            | Self::Reach
            | Self::Access
            | Self::Provenance
            | Self::Stages
            | Self::Account => CallBudget::Npm,
        }
    }

    /// Tells whether the registry answers it, not the forge.
    pub fn is_of_npm(self) -> bool {
        self.budget() == CallBudget::Npm
    }

    /// How many of these one call asks.
    pub fn batch(self) -> usize {
        match self {
            Self::Runs => 100,
            Self::Refs => 25,
            _ => 1,
        }
    }

    /// What one call costs at least, in its budget's units; the answers tell the rest.
    pub(super) fn cost(self) -> u32 {
        match self {
            Self::Discovery => 4,
            Self::Runs => 2,
            Self::Refs => 2,
            Self::Trouble | Self::Provenance => 3,
            Self::Settings => 5,
            Self::Secrets => 6,
            Self::Account => 5,
            Self::Follow => 2,
            // Its texts come from the other budget.
            Self::Files
            | Self::Rights
            | Self::Workflows
            | Self::Packument
            | Self::Reach
            | Self::Access
            | Self::Stages => 1,
        }
    }

    /// Share of an hour's budget that it leaves where nothing hurries, in percent.
    pub(super) fn leaves(self) -> u32 {
        match self {
            Self::Settings | Self::Refs => LEFT,
            _ => RESERVE,
        }
    }

    /// Low first, among what is equally pressing: without the first ones the others cannot know what to ask.
    pub(super) fn rank(self) -> u8 {
        match self {
            Self::Rights => 0,
            Self::Discovery => 1,
            Self::Follow => 2,
            // What runs in a repository that was read comes before the next one is read.
            Self::Workflows => 3,
            Self::Runs => 4,
            Self::Files => 5,
            Self::Trouble => 6,
            Self::Account => 7,
            Self::Packument => 8,
            Self::Access => 9,
            Self::Stages => 10,
            Self::Settings => 11,
            Self::Provenance => 12,
            Self::Reach => 13,
            Self::Refs => 14,
            Self::Secrets => 15,
        }
    }
}
