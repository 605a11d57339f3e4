//! Clocks: what runs out, when, and whose it is. Counting down is the screen's work; the model has no timer.

use super::decision::{Decision, Slot, Standing, Value};
use super::facts::Facts;
use super::gate::publish::{is_expired, window};
use super::id::Subject;
use super::lane::Lane;
use super::time::{DAY, Ts};

/// What kind of end a clock counts to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClockKind {
    /// A trust config dies unless it publishes by then.
    TrustWindow,
    /// A token ends, as its listing shows.
    TokenExpiry,
    /// A token ends, as the inventory says.
    InventoryExpiry,
    /// The lane of a path ends.
    LaneEnd,
    /// A waiver ends.
    WaiverEnd,
    /// A bridge's token is due for rotation.
    RotationDue,
    /// What was carried over is due.
    CarriedOver,
    /// A dated follow-up is due.
    FollowUp,
}

impl ClockKind {
    pub fn word(self) -> &'static str {
        match self {
            Self::TrustWindow => "armed",
            Self::TokenExpiry => "token",
            Self::InventoryExpiry => "token by list",
            Self::LaneEnd => "lane ends",
            Self::WaiverEnd => "waiver",
            Self::RotationDue => "rotation",
            Self::CarriedOver => "carried over",
            Self::FollowUp => "follow-up",
        }
    }
}

/// One countdown. The end is the first second after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Clock {
    pub ends: Ts,
    pub kind: ClockKind,
    pub about: Subject,
}

/// Gives the clocks of one subject itself, soonest first.
pub fn clocks(facts: &Facts, about: Subject) -> Vec<Clock> {
    let mut clocks: Vec<Clock> = Vec::new();
    let mut add = |kind, ends| clocks.push(Clock { ends, kind, about });
    let end_of = |day| Ts::from_day(day).plus(DAY);
    if let Some(token) = facts.tokens.get(&about).and_then(|row| row.fact.as_ref()) {
        token
            .value
            .expires
            .into_iter()
            .for_each(|at| add(ClockKind::TokenExpiry, at));
        let bridges = facts
            .secrets_of(about)
            .into_iter()
            .flat_map(|secret| facts.paths_of_secret(secret).map(|(_, path, _)| path));
        if bridges
            .into_iter()
            .any(|path| facts.lane(path) == Some(Lane::Bridge))
        {
            let days = i64::from(facts.policy.rotation_days);
            token
                .value
                .created
                .into_iter()
                .for_each(|at| add(ClockKind::RotationDue, at.plus(days * DAY)));
        }
    }
    let armed = facts
        .configs
        .get(&about)
        .and_then(|config| window(facts, config))
        .filter(|window| window.published.is_none() && !is_expired(window.config));
    if let Some(window) = armed {
        add(ClockKind::TrustWindow, window.ends());
    }
    if let Some(row) = facts
        .repos
        .get(&about)
        .and_then(|repo| repo.inventory.as_ref())
    {
        // The hour is not said: it may be the day's first.
        row.value
            .token_expires
            .into_iter()
            .for_each(|on| add(ClockKind::InventoryExpiry, Ts::from_day(on)));
    }
    for (slot, history) in facts
        .decided
        .get(&about)
        .into_iter()
        .flat_map(|decided| decided.slots())
    {
        let Standing::One(Decision { value, .. }) = history.standing() else {
            continue;
        };
        match (slot, value) {
            (Slot::EndDate, Value::Date(on)) => add(ClockKind::LaneEnd, end_of(*on)),
            (Slot::FollowUp, Value::Date(on)) => add(ClockKind::FollowUp, end_of(*on)),
            (Slot::Waive(_), Value::Waived { until }) => add(ClockKind::WaiverEnd, end_of(*until)),
            (Slot::CarriedOver, Value::CarriedOver { until, .. }) => {
                add(ClockKind::CarriedOver, end_of(*until))
            }
            _ => {}
        }
    }
    clocks.sort_unstable();
    clocks
}
