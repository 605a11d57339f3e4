//! Which days a decision may name: what is due from today on, what was done up to today, and a waiver within a year.

use super::refusal::{Refusal, refuse_with};
use crate::model::time::{DAY, Ts};
use chrono::{Months, NaiveDate};

/// What to do where no bridge fits before the cut-off any more.
pub(super) const NO_BRIDGE: &str = "choose staged-token or trusted";

/// Says until when a bridge may stand.
pub(super) fn bridge_ends(cutoff: NaiveDate) -> String {
    format!("a bridge must end before {cutoff}, the first possible day of the January cut-off")
}

/// Takes a day on which something is due or ends.
///
/// # Errors
/// It is past.
pub(super) fn ahead(on: NaiveDate, now: Ts) -> Result<(), Refusal> {
    let today = now.day();
    if on >= today {
        return Ok(());
    }
    let range = format!("name {today} or a later day");
    Err(refuse_with(format!("{on} is in the past"), range))
}

/// Takes a day on which something was done. Tomorrow may be today where somebody else is.
///
/// # Errors
/// It is still to come.
pub(super) fn behind(on: NaiveDate, now: Ts) -> Result<(), Refusal> {
    if on <= now.plus(DAY).day() {
        return Ok(());
    }
    let range = format!("name {} or an earlier day", now.day());
    Err(refuse_with(format!("{on} is in the future"), range))
}

/// Takes the last day of a waiver: one without an end in sight is no waiver.
///
/// # Errors
/// It is past, or more than a year away.
pub(super) fn of_waiver(until: NaiveDate, now: Ts) -> Result<(), Refusal> {
    let today = now.day();
    let last = today.checked_add_months(Months::new(12)).unwrap_or(today);
    if (today..=last).contains(&until) {
        return Ok(());
    }
    let what = match until < today {
        true => format!("{until} is in the past"),
        false => format!("{until} is more than a year away: a waiver ends within one"),
    };
    Err(refuse_with(
        what,
        format!("name a day from {today} to {last}"),
    ))
}

/// Takes the last day of a bridge: before the cut-off.
///
/// # Errors
/// It is on the cut-off or after it.
pub(super) fn of_bridge(on: NaiveDate, cutoff: NaiveDate, now: Ts) -> Result<(), Refusal> {
    if on < cutoff {
        return Ok(());
    }
    let today = now.day();
    let range = match cutoff.pred_opt().filter(|last| *last >= today) {
        Some(last) => format!("name a day from {today} to {last}"),
        None => NO_BRIDGE.to_owned(),
    };
    Err(refuse_with(bridge_ends(cutoff), range))
}
