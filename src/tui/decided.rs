//! What the message line says of decisions that were written: each kind how often, and how to take them back.

use std::collections::BTreeMap;

use crate::model::event::Event;
use crate::model::lane::Lane;
use crate::safe::shown::{and_more, visible};
use crate::session::decide::{Decided, Written};

/// Says what was written, or what was taken back.
pub fn words(decided: &Decided) -> String {
    match decided.events.as_slice() {
        [
            Written {
                event: Event::DecisionUndone(undone),
                label,
                ..
            },
            more @ ..,
        ] => {
            let kind = undone.of.kind().replace('_', " ");
            let more = and_more(more.len());
            format!("undone: {kind} of {}{more}", visible(label))
        }
        events => written(events),
    }
}

fn written(events: &[Written]) -> String {
    let mut kinds: Vec<(&str, usize)> = Vec::new();
    let mut lanes: BTreeMap<Lane, usize> = BTreeMap::new();
    for Written { event, .. } in events {
        let kind = event.kind();
        match kinds.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, count)) => *count += 1,
            None => kinds.push((kind, 1)),
        }
        if let Event::LaneChosen(chosen) = event {
            *lanes.entry(chosen.lane).or_default() += 1;
        }
    }
    let said = kinds.iter().map(|(kind, count)| {
        let words = kind.replace('_', " ");
        match (*kind, count) {
            (_, 1) => words,
            ("lane_chosen", _) => {
                let each = lanes.iter().map(|(lane, count)| format!("{count} {lane}"));
                let each = each.collect::<Vec<_>>().join(", ");
                format!("{words} {count} times ({each})")
            }
            _ => format!("{words} {count} times"),
        }
    });
    let said = said.collect::<Vec<_>>().join(", ");
    // One press takes back what was decided in one breath of one kind.
    let undo = match kinds.as_slice() {
        [(_, 2..)] => "; press u to undo all",
        _ => "",
    };
    format!("written: {said}{undo}")
}
