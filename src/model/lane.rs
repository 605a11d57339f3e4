//! Lanes: how a publish path will publish after the cutover, and which one the facts speak for.

use super::fact::{CiFact, CredentialFact, PathFact, RegistryFact, RunnerFact, ToolFact};
use super::policy::Policy;
use crate::assets;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use std::fmt;

/// How a path publishes after the cutover.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lane {
    /// CI publishes directly by OIDC.
    Trusted,
    /// CI stages by OIDC, a person approves with 2FA.
    StagedOidc,
    /// CI stages with a stage-only token, a person approves with 2FA.
    StagedToken,
    /// A granular token with an end date.
    Bridge,
    /// People publish with a login session.
    Manual,
    /// Publishing stops.
    Retire,
}

impl Lane {
    pub const ALL: [Self; 6] = [
        Self::Trusted,
        Self::StagedOidc,
        Self::StagedToken,
        Self::Bridge,
        Self::Manual,
        Self::Retire,
    ];

    /// Gives the word that files, filters and screens use.
    pub fn word(self) -> &'static str {
        match self {
            Self::Trusted => "trusted",
            Self::StagedOidc => "staged-oidc",
            Self::StagedToken => "staged-token",
            Self::Bridge => "bridge",
            Self::Manual => "manual",
            Self::Retire => "retire",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|lane| lane.word().eq_ignore_ascii_case(word.trim()))
    }

    /// Tells whether the lane ends with no token in CI.
    pub fn needs_no_token(self) -> bool {
        matches!(
            self,
            Self::Trusted | Self::StagedOidc | Self::Manual | Self::Retire
        )
    }

    /// Tells whether the lane rests on a trust config at the registry.
    pub fn needs_trust(self) -> bool {
        matches!(self, Self::Trusted | Self::StagedOidc)
    }

    fn bit(self) -> u8 {
        1 << (self as u8)
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A set of lanes, for the gates that hold in some of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lanes(u8);

impl Lanes {
    /// Makes a set.
    pub const fn of(lanes: &[Lane]) -> Self {
        let mut bits = 0;
        let mut rest = lanes;
        while let [first, tail @ ..] = rest {
            bits |= 1 << (*first as u8);
            rest = tail;
        }
        Self(bits)
    }

    pub const ALL: Self = Self::of(&Lane::ALL);
    pub const NONE: Self = Self(0);

    pub fn has(self, lane: Lane) -> bool {
        self.0 & lane.bit() != 0
    }

    pub fn with(self, lane: Lane) -> Self {
        Self(self.0 | lane.bit())
    }

    pub fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub fn is_all(self) -> bool {
        self == Self::ALL
    }

    pub fn iter(self) -> impl Iterator<Item = Lane> {
        Lane::ALL.into_iter().filter(move |lane| self.has(*lane))
    }
}

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
