//! Clocks: what runs out, when, and whose it is. Counting down is the screen's work; the model has no timer.

use super::decision::{Decision, History, Slot, Standing, Value};
use super::facts::Facts;
use super::gate::publish::{is_expired, window};
use super::id::{Kind, Subject};
use super::lane::Lane;
use super::time::{DAY, Ts};
use chrono::NaiveDate;

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
    match about.kind {
        Kind::Token => of_token(facts, about, &mut add),
        Kind::Config => {
            let config = facts.configs.get(&about);
            let armed = config
                .and_then(|config| window(facts, config))
                .filter(|window| window.published.is_none() && !is_expired(window.config));
            if let Some(window) = armed {
                add(ClockKind::TrustWindow, window.ends());
            }
        }
        Kind::Repo => {
            let row = facts.repos.get(&about);
            let listed = row.and_then(|row| row.inventory.as_ref()?.value.token_expires);
            // The hour is not said: it may be the day's first.
            if let Some(on) = listed {
                add(ClockKind::InventoryExpiry, Ts::from_day(on));
            }
        }
        _ => {}
    }
    let decided = facts.decided.get(&about);
    for (slot, history) in decided.into_iter().flat_map(|decided| decided.slots()) {
        of_decision(slot, history, &mut add);
    }
    clocks.sort_unstable();
    clocks
}

fn end_of(day: NaiveDate) -> Ts {
    Ts::from_day(day).plus(DAY)
}

fn of_token(facts: &Facts, token: Subject, add: &mut impl FnMut(ClockKind, Ts)) {
    let Some(fact) = facts.tokens.get(&token).and_then(|row| row.fact.as_ref()) else {
        return;
    };
    if let Some(at) = fact.value.expires {
        add(ClockKind::TokenExpiry, at);
    }
    let Some(created) = fact.value.created else {
        return;
    };
    let secrets = facts.secrets_of(token).into_iter();
    let mut paths = secrets.flat_map(|secret| facts.paths_of_secret(secret));
    if paths.any(|(_, path, _)| facts.lane(path) == Some(Lane::Bridge)) {
        let days = i64::from(facts.policy.rotation_days);
        add(ClockKind::RotationDue, created.plus(days * DAY));
    }
}

fn of_decision(slot: Slot, history: &History, add: &mut impl FnMut(ClockKind, Ts)) {
    let kind = match slot {
        Slot::EndDate => ClockKind::LaneEnd,
        Slot::FollowUp => ClockKind::FollowUp,
        Slot::Waive(_) => ClockKind::WaiverEnd,
        Slot::CarriedOver => ClockKind::CarriedOver,
        _ => return,
    };
    let Standing::One(Decision { value, .. }) = history.standing() else {
        return;
    };
    let day = match value {
        Value::Date(day) | Value::Waived { until: day } | Value::CarriedOver { until: day, .. } => {
            day
        }
        _ => return,
    };
    add(kind, end_of(*day));
}
