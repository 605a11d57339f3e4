//! One verdict: what the facts say of a gate, and what people decided over it.

use super::table::GateId;
use super::verdict::{State, Verdict};
use super::view::View;

/// What the facts alone say of a gate.
pub(in crate::model) type Look = fn(&View<'_>) -> Verdict;

/// Judges one gate of one subject: the facts first, then what people decided.
///
/// Attesting never overrides a contrary observation; a waiver holds to the end of its last day.
pub(in crate::model) fn judge_by(view: &View<'_>, gate: GateId, look: Option<Look>) -> Verdict {
    let spec = gate.spec();
    if let Some(reason) = view.does_not_apply(spec) {
        return Verdict::not_applicable(reason);
    }
    if view.facts.newer.contains(&view.subject) {
        return Verdict::could_not("written by a newer version of cutover: update to judge it");
    }
    if view.waits_for_path(spec) {
        return Verdict::not_looked("no path of it is known, and not everything was read")
            .only_seen();
    }
    if view.waits_for_lane(spec) {
        return Verdict::not_looked("choose a lane first");
    }
    if view.facts.stands_in(view.subject) {
        return Verdict::could_not(NOT_MAPPED).only_seen();
    }
    let base = match look {
        Some(looks) => looks(view),
        None => Verdict::unwatched("cutover cannot check this: confirm it by hand"),
    };
    match base.state {
        State::Passed | State::Attested | State::NotApplicable => base,
        State::Blocked => view.waived(gate).unwrap_or(base),
        _ => view
            .waived(gate)
            .or_else(|| view.attested(gate, base.since))
            .unwrap_or(base),
    }
}

/// Why a gate of a package stays open that only stands in for what is not known.
const NOT_MAPPED: &str = "which packages this publishes is not known: name them in an inventory";
