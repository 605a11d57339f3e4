//! Undo: one's own decisions, while nothing stands over them. Outcomes are never taken back.

use super::builder::{DraftEvent, EventBuilder};
use super::refusal::{Refusal, refuse, refuse_with};
use crate::model::decision::{Decision, EventId, Slot, Value};
use crate::model::event::{Event, Undone};
use crate::model::id::Subject;

/// Takes back a decision of one's own, while nothing stands over it. Outcomes are never taken back.
pub(super) fn undo(
    make: &EventBuilder<'_>,
    event: Option<EventId>,
) -> Result<Vec<DraftEvent>, Refusal> {
    let facts = &make.fold.facts;
    let all = || {
        facts.decided.iter().flat_map(|(about, decided)| {
            decided.slots().flat_map(move |(slot, history)| {
                let heads = history.heads();
                history
                    .all()
                    .iter()
                    .map(move |one| (*about, slot, one, heads.contains(&one.id)))
            })
        })
    };
    // An undo is no decision to take back again: going further back means the one before it.
    let last_mine = |but: Option<Slot>| {
        all()
            .filter(|(_, slot, one, head)| {
                let mine = *head && &*one.by == make.actor && but != Some(*slot);
                mine && !matches!(one.value, Value::Undo(_))
            })
            .max_by_key(|(_, _, one, _)| (one.tick, one.id))
    };
    let found = match event {
        Some(id) => all().filter(|(_, _, one, _)| one.id == id).last(),
        None => last_mine(None),
    };
    let Some((about, slot, decision, head)) = found else {
        return Err(refuse("you have no decision to undo"));
    };
    if &*decision.by != make.actor {
        return Err(refuse_with(
            format!("this was decided by {}", decision.by),
            "decide anew instead: both stay in the log",
        ));
    }
    if !head {
        return Err(refuse_with(
            "a later decision replaced it",
            "take back the later decision first",
        ));
    }
    if slot == Slot::Revocation {
        let older = last_mine(Some(Slot::Revocation));
        let older = older.and_then(|(_, _, one, _)| make.fold.name(one.id));
        let hint = older.map(|id| {
                format!("undo an older decision by its event: `cutover undo {id}` is your last one before; `cutover log list` lists them")
            });
        return Err(Refusal {
            what: "a recorded outcome stays; correct it by recording it again".to_owned(),
            hint,
        });
    }
    let together = match event {
        Some(_) => vec![(about, decision)],
        None => decided_with(make, slot, decision),
    };
    let undo = |(about, decision)| undo_one(make, about, slot, decision);
    together.into_iter().map(undo).collect()
}

/// Gives what was decided in one breath with a decision: the same for other subjects, written without a gap.
fn decided_with<'a>(
    make: &EventBuilder<'a>,
    slot: Slot,
    last: &Decision,
) -> Vec<(Subject, &'a Decision)> {
    let facts = &make.fold.facts;
    let mut same: Vec<(Subject, &Decision)> = facts
        .decided
        .iter()
        .filter_map(|(about, decided)| Some((*about, decided.slot(slot)?)))
        .flat_map(|(about, history)| {
            let heads = history.heads();
            let standing = history.all().iter();
            standing
                .filter(move |one| heads.contains(&one.id))
                .map(move |one| (about, one))
        })
        .filter(|(_, one)| {
            let of = (one.id.writer, one.at, &one.by);
            of == (last.id.writer, last.at, &last.by) && one.id.seq <= last.id.seq
        })
        .filter(|(_, one)| !matches!(one.value, Value::Undo(_)))
        .collect();
    same.sort_unstable_by_key(|(_, one)| std::cmp::Reverse(one.id.seq));
    let gap = (1..)
        .zip(same.windows(2))
        .find(|(_, pair)| matches!(pair, [one, before] if before.1.id.seq + 1 != one.1.id.seq));
    same.truncate(gap.map_or(usize::MAX, |(at, _)| at));
    same
}

fn undo_one(
    make: &EventBuilder<'_>,
    about: Subject,
    slot: Slot,
    decision: &Decision,
) -> Result<DraftEvent, Refusal> {
    let of = Event::of_slot(slot, &decision.value)
        .map(Box::new)
        .ok_or_else(|| refuse("this cannot be undone"))?;
    let undoes = make
        .fold
        .name(decision.id)
        .ok_or_else(|| refuse("its writer is not known"))?
        .to_string()
        .into();
    Ok(DraftEvent {
        about,
        over: vec![decision.id],
        event: Undone { undoes, of }.into(),
    })
}
