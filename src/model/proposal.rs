//! Which lane the facts of a path speak for, with the reason in words.

use super::fact::{CiFact, CredentialFact, PathFact, RegistryFact, RunnerFact, ToolFact};
use super::lane::Lane;
use super::policy::Policy;
use crate::assets;
use chrono::NaiveDate;

/// What a runner that the CI system does not host means, and the three ways out (<https://github.com/pnpm/pnpm/pull/16721>).
pub const UNHOSTED: &str = "self-hosted runner: npm takes the OIDC token of such a GitHub runner, but refuses the provenance that a public package gets by itself (E422): move this one job to a hosted runner, turn provenance off, or stage with a stage-only token";

/// Tells whether npm takes no OIDC identity from the CI system of a path: of its kind, or as the scan found of its host.
pub fn lacks_oidc(path: &PathFact) -> bool {
    match path.ci {
        CiFact::Azure | CiFact::Jenkins | CiFact::Travis | CiFact::Unread => true,
        CiFact::Github | CiFact::Gitlab | CiFact::Circleci => {
            path.blockers.iter().any(|rule| **rule == *"ci-no-oidc")
        }
    }
}

/// A lane that the facts speak for, with the reason in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    pub lane: Lane,
    pub reason: String,
    /// Last day, for `bridge` only: before the first possible day of the January cut-off.
    pub until: Option<NaiveDate>,
}

/// Proposes a lane for a path, or nothing where the path does not publish to the registry in scope.
///
/// Sources: npm's trusted publishing pages (providers, runners, minimum versions), as kept in `assets/policy/npm.toml`.
/// A bridge is never proposed on or after the first possible day of the cut-off: it would end before it began.
pub fn propose(path: &PathFact, today: NaiveDate, policy: &Policy) -> Option<Proposal> {
    if !matches!(path.registry, RegistryFact::Npmjs | RegistryFact::Unknown) {
        return None;
    }
    let say = |lane, reason: &str| {
        Some(Proposal {
            lane,
            reason: reason.to_owned(),
            until: None,
        })
    };
    let npm = assets::policy();
    if lacks_oidc(path) {
        return say(
            Lane::StagedToken,
            "npm takes no OIDC identity from this CI system: stage with a stage-only token and approve by hand, or move this one job to a supported CI",
        );
    }
    if path.lacks_hosted_runner() {
        return say(Lane::StagedToken, UNHOSTED);
    }
    if path.credential == CredentialFact::Oidc {
        return if path.staged {
            say(Lane::StagedOidc, "already stages by OIDC")
        } else {
            say(Lane::Trusted, "already publishes by OIDC")
        };
    }
    if path.staged {
        return say(
            Lane::StagedOidc,
            "already stages; the token can give way to OIDC",
        );
    }
    let cutoff = policy.cutoff_earliest;
    match path.tool {
        ToolFact::YarnClassic => {
            return say(
                Lane::Trusted,
                &format!(
                    "yarn classic never exchanges OIDC tokens: pack with yarn, publish the tarball with npm {} or newer",
                    npm.minimum.npm_oidc_publish
                ),
            );
        }
        ToolFact::Bun => {
            return say(
                Lane::Trusted,
                &format!(
                    "bun publish does not exchange OIDC tokens: pack with bun, publish the tarball with npm {} or newer",
                    npm.minimum.npm_oidc_publish
                ),
            );
        }
        _ => {}
    }
    if path.blocked_events && cutoff > today {
        return Some(Proposal {
            lane: Lane::Bridge,
            reason: format!(
                "the registry refuses OIDC tokens of {} events: a bridge until the trigger is changed",
                npm.trust.refused_triggers.join(" and ")
            ),
            until: cutoff.pred_opt(),
        });
    }
    match path.ci {
        CiFact::Gitlab if path.runner == RunnerFact::Unknown => say(
            Lane::StagedToken,
            "runner unknown: npm supports gitlab.com's shared runners only; staged with a stage-only token unless the job runs on those",
        ),
        CiFact::Circleci => say(
            Lane::Trusted,
            "CircleCI cloud is supported (without provenance)",
        ),
        _ => say(Lane::Trusted, "hosted runner of a supported CI system"),
    }
}
