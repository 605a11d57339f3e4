//! Verdicts: what a gate says of a subject now, why, and until when without a new fact.

use super::table::GateSpec;
use crate::model::time::Ts;
use serde::Serialize;
use std::borrow::Cow;

/// The seven verdicts. *Not looked yet*, *could not look* and *looked: absent* stay three things.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    NotLooked,
    CouldNotLook,
    Blocked,
    Attested,
    Passed,
    Waived,
    NotApplicable,
}

impl State {
    pub const ALL: [Self; 7] = [
        Self::NotLooked,
        Self::CouldNotLook,
        Self::Blocked,
        Self::Attested,
        Self::Passed,
        Self::Waived,
        Self::NotApplicable,
    ];

    /// Gives the words for screens and reports.
    pub fn words(self) -> &'static str {
        match self {
            Self::NotLooked => "not looked yet",
            Self::CouldNotLook => "could not look",
            Self::Blocked => "blocked",
            Self::Attested => "attested",
            Self::Passed => "passed",
            Self::Waived => "waived",
            Self::NotApplicable => "not applicable",
        }
    }

    /// Tells whether the gate no longer holds anything up.
    pub fn is_met(self) -> bool {
        matches!(
            self,
            Self::Attested | Self::Passed | Self::Waived | Self::NotApplicable
        )
    }
}

/// Whether something is met, and how that is known. In order: of several, the least is what they are together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Met {
    No,
    /// Somebody's word stands where an observation could.
    ByWord,
    Seen,
}

/// What a gate says, why, and the first instant when it can change without a new fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    pub state: State,
    pub why: Cow<'static, str>,
    pub until: Option<Ts>,
    /// No observer has answered yet: what can be worked on comes before it.
    pub unwatched: bool,
    /// Attestations made before this instant do not answer it.
    pub since: Option<Ts>,
}

impl Verdict {
    pub fn new(state: State, why: impl Into<Cow<'static, str>>) -> Self {
        Self {
            state,
            why: why.into(),
            until: None,
            unwatched: false,
            since: None,
        }
    }

    pub fn passed(why: impl Into<Cow<'static, str>>) -> Self {
        Self::new(State::Passed, why)
    }

    pub fn blocked(why: impl Into<Cow<'static, str>>) -> Self {
        Self::new(State::Blocked, why)
    }

    pub fn not_looked(why: impl Into<Cow<'static, str>>) -> Self {
        Self::new(State::NotLooked, why)
    }

    /// Says that nothing here has looked, since no observer is connected.
    pub fn unwatched(why: impl Into<Cow<'static, str>>) -> Self {
        Self {
            unwatched: true,
            ..Self::not_looked(why)
        }
    }

    pub fn could_not(why: impl Into<Cow<'static, str>>) -> Self {
        Self::new(State::CouldNotLook, why)
    }

    pub fn attested(why: impl Into<Cow<'static, str>>) -> Self {
        Self::new(State::Attested, why)
    }

    pub fn not_applicable(why: impl Into<Cow<'static, str>>) -> Self {
        Self::new(State::NotApplicable, why)
    }

    /// Says that nobody's word answers it: only a fact can.
    #[must_use]
    pub fn only_seen(mut self) -> Self {
        self.since = Some(Ts(i64::MAX));
        self
    }

    /// Tells how a gate with this verdict is met. Advice holds nothing up, and where nothing can look, word is all there is.
    pub fn met(&self, spec: &GateSpec) -> Met {
        match self.state {
            State::Waived if spec.said => Met::No,
            State::Attested | State::Waived if spec.is_watched() => Met::ByWord,
            state if state.is_met() || spec.advice => Met::Seen,
            _ => Met::No,
        }
    }

    /// Says when this verdict can change by itself; the earlier of two instants stays.
    #[must_use]
    pub fn until(mut self, at: Ts) -> Self {
        self.until = Some(self.until.map_or(at, |known| known.min(at)));
        self
    }
}
