//! What the head of an answer says beside its content: dates, budgets, clocks.

use crate::model::time::Ts;

/// A request budget as the service counts it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rate {
    pub limit: u64,
    pub remaining: u64,
    pub used: u64,
    /// By the service's clock.
    pub reset: Ts,
    /// `core`, `graphql`, `search`, …; empty where the service does not tell.
    pub resource: Box<str>,
}

/// What the head of an answer says beside its content.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seen {
    /// None where no answer came.
    pub status: Option<u16>,
    /// The server's own date, to be kept with every fact.
    pub date: Option<Ts>,
    /// Seconds by which the server's clock is ahead of ours; negative behind.
    pub skew: Option<i64>,
    pub rate: Option<Rate>,
    /// Seconds to wait, as asked.
    pub retry_after: Option<u32>,
}

/// What a difference between two clocks means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Skew {
    /// Up to 30 s.
    Fine,
    /// Over 30 s: to be shown.
    Shown,
    /// Over 5 min: shown, and no irreversible step is begun.
    Refuses,
}

impl Skew {
    /// Judges a difference in seconds.
    pub fn of(seconds: i64) -> Self {
        match seconds.unsigned_abs() {
            0..=30 => Self::Fine,
            31..=300 => Self::Shown,
            _ => Self::Refuses,
        }
    }

    /// Says what is off and what to do; none for clocks that agree.
    pub fn says(seconds: i64) -> Option<String> {
        let way = if seconds < 0 { "ahead of" } else { "behind" };
        let off = seconds.unsigned_abs();
        let then = match Self::of(seconds) {
            Self::Fine => return None,
            Self::Shown => "times of both are shown as they are",
            Self::Refuses => "no irreversible step is begun until it is set right",
        };
        Some(format!(
            "this machine's clock is {off} s {way} the server's: {then}"
        ))
    }
}
