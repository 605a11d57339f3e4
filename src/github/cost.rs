//! What calls cost, before they are made: REST requests and GraphQL points, counted against separate limits.
//!
//! Pure. GitHub counts one point an hour's budget for each REST request that is not a 304, and for GraphQL the
//! connections asked for, divided by 100, at least one (docs.github.com, "Rate limits and query limits for the GraphQL API").

use std::iter::Sum;
use std::ops::{Add, Mul};

/// Repositories in one discovery call.
pub const REPOS_A_CALL: u32 = 50;
/// Node ids in one call: GitHub takes no more.
pub const IDS_A_CALL: u32 = 100;
/// Refs in one call.
pub const REFS_A_CALL: u32 = 100;
/// Objects by id in one call.
pub const OBJECTS_A_CALL: u32 = 50;

/// A number of REST requests and of GraphQL points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cost {
    pub rest: u32,
    pub graphql: u32,
}

impl Cost {
    /// Counts REST requests.
    pub const fn rest(calls: u32) -> Self {
        Self {
            rest: calls,
            graphql: 0,
        }
    }

    /// Counts GraphQL points.
    pub const fn points(points: u32) -> Self {
        Self {
            rest: 0,
            graphql: points,
        }
    }

    /// Tells whether it fits into what is left of both limits.
    pub fn fits(self, left: Self) -> bool {
        self.rest <= left.rest && self.graphql <= left.graphql
    }
}

impl Add for Cost {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            rest: self.rest.saturating_add(other.rest),
            graphql: self.graphql.saturating_add(other.graphql),
        }
    }
}

impl Mul<u32> for Cost {
    type Output = Self;

    fn mul(self, times: u32) -> Self {
        Self {
            rest: self.rest.saturating_mul(times),
            graphql: self.graphql.saturating_mul(times),
        }
    }
}

impl Sum for Cost {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), Self::add)
    }
}

/// Finding `repos` repositories with their workflows' texts. A page has one connection: one point.
pub fn of_discovery(repos: u32) -> Cost {
    Cost::points(repos.div_ceil(REPOS_A_CALL).max(1))
}

/// Reading known repositories again. No connection: one point a call.
pub fn of_repositories(repos: u32) -> Cost {
    Cost::points(repos.div_ceil(REPOS_A_CALL))
}

/// The whole tree of one repository and `files` of its files.
pub fn of_checkout(files: u32) -> Cost {
    Cost::rest(1) + Cost::points(files.div_ceil(OBJECTS_A_CALL))
}

/// The branches and tags of one repository beyond the first hundred of each, and workflow folders that the caller has
/// not: what asking for many together does not bring.
pub fn of_refs(branches: u32, tags: u32, folders: u32) -> Cost {
    let more = |refs: u32| refs.div_ceil(REFS_A_CALL).saturating_sub(1);
    let pages = more(branches) + more(tags);
    Cost::points(pages + folders.div_ceil(OBJECTS_A_CALL))
}

/// Listing the workflows of `repos` repositories once, for their node ids.
pub fn of_workflows(repos: u32) -> Cost {
    Cost::rest(repos)
}

/// The last runs of `workflows` release workflows: one connection each, and one for the list.
pub fn of_sweep(workflows: u32) -> Cost {
    let (full, rest) = (workflows / IDS_A_CALL, workflows % IDS_A_CALL);
    Cost::points(full + u32::from(rest > 0))
}

/// The status of `runs` runs that had not ended. No connection: one point a call.
pub fn of_live(runs: u32) -> Cost {
    Cost::points(runs.div_ceil(IDS_A_CALL))
}

/// One run with its jobs and steps; nothing where neither changed and both answers were kept.
pub fn of_run() -> Cost {
    Cost::rest(2)
}

/// The log of one job. The second request goes to a store that does not count.
pub fn of_log() -> Cost {
    Cost::rest(1)
}

/// Secrets and variables of `repos` repositories with `environments` environments in all: seven stores a repository
/// (actions, organisation, dependabot, codespaces, agents, variables of both) and two an environment.
pub fn of_secret_sweep(repos: u32, environments: u32) -> Cost {
    Cost::rest(7) * repos + Cost::rest(2) * environments
}

/// Secrets of an organisation: four stores, and one more call for each secret of selected repositories.
pub fn of_org_secrets(selected: u32) -> Cost {
    Cost::rest(4 + selected)
}

/// Environments, Actions permissions, OIDC subject and the rules of the default branch.
pub fn of_settings(repos: u32) -> Cost {
    (Cost::rest(1) + Cost::rest(2) + Cost::rest(2)) * repos
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plan_of_the_budget_holds() {
        // 1,000 workflows every five minutes and 50 running ones every 15 seconds, an hour.
        let hour = of_sweep(1_000) * 12 + of_live(50) * 240;
        assert_eq!(hour, Cost::points(360));
        assert!(hour.fits(Cost {
            rest: 0,
            graphql: 1_500
        }));
    }

    #[test]
    fn a_sweep_of_secrets_is_thousands_of_calls() {
        assert_eq!(of_secret_sweep(400, 300), Cost::rest(3_400));
        assert_eq!(
            [of_discovery(0), of_discovery(50), of_discovery(51)],
            [Cost::points(1), Cost::points(1), Cost::points(2)]
        );
        assert_eq!(of_sweep(0) + of_live(0), Cost::default());
        assert_eq!(
            [Cost::rest(u32::MAX), Cost::rest(1)]
                .into_iter()
                .sum::<Cost>(),
            Cost::rest(u32::MAX)
        );
    }
}
