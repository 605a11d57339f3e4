//! Lanes: how a publish path will publish after the cutover.

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
