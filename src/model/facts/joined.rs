//! What two sources tell together: which run published a version, and why a run failed.
//!
//! Each source is recorded as it answered. These joins are worked out from the answers whenever they are read, and stand
//! in no file.

use super::Facts;
use super::seen::Seen;
use crate::model::fact::{HowFact, RunFact, VersionFact};
use crate::model::id::Subject;

/// Seconds that a registry may need to note a version after its run ended.
const AFTER_RUN: i64 = 120;

/// Finds the run that published a version, from the run's own commit and while it went.
///
/// Two runs that fit say nothing: it could be either.
pub fn published_by<'a>(
    version: &VersionFact,
    runs: impl IntoIterator<Item = &'a RunFact>,
) -> Option<&'a RunFact> {
    let fits = |run: &&RunFact| {
        let ended = run.conclusion.is_none() || version.at <= run.updated.plus(AFTER_RUN);
        version.at >= run.created && ended && version.git_head.as_deref() == Some(&*run.sha)
    };
    let mut fitting = runs.into_iter().filter(fits);
    match (fitting.next(), fitting.next()) {
        (Some(run), None) => Some(run),
        _ => None,
    }
}

impl Facts {
    /// Tells how a version was published, and by which run: as the registry says, else by the one run of a repository
    /// of the package that fits it.
    pub fn how(&self, package: Subject, version: &VersionFact) -> (HowFact, Option<u64>) {
        if version.how != HowFact::Unmatched {
            return (version.how, version.run);
        }
        let repos = self.packages.get(&package).into_iter();
        let runs = repos
            .flat_map(|row| &row.repos)
            .filter_map(|repo| self.seen.get(repo))
            .flat_map(Seen::all_runs);
        match published_by(version, runs) {
            Some(run) => (HowFact::MatchedRun, Some(run.id)),
            None => (HowFact::Unmatched, None),
        }
    }
}

/// Why a run failed, as its jobs and their logs tell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Why<'a> {
    /// Id of the log signature; none where no log was read.
    pub cause: Option<&'a str>,
    pub step: Option<&'a str>,
}

impl Seen {
    /// Gives why a run failed. What was found out about an earlier attempt of it does not count.
    pub fn why<'a>(&'a self, run: &'a RunFact) -> Why<'a> {
        let found = self.causes().and_then(|(fact, _)| {
            let mut causes = fact.causes.iter();
            causes.find(|one| one.run == run.id && one.updated == run.updated)
        });
        match found {
            Some(found) => Why {
                cause: Some(&found.cause),
                step: found.failed_step.as_deref(),
            },
            // Version 0.1 wrote both into the run.
            None => Why {
                cause: run.cause.as_deref(),
                step: run.failed_step.as_deref(),
            },
        }
    }
}

#[cfg(test)]
mod tests;
