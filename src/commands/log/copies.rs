//! Holds a session file to what somebody kept of it: heads that were printed before, and another copy.
//!
//! A damaged file is compared as far as its lines are sound, and every answer says so: a comparison that was asked for is
//! made or named as not made, never passed over.

use super::super::context::shown;
use super::super::error::CommandError;
use super::verify::{Findings, Options};
use crate::journal::EventId;
use crate::journal::merge::Part;
use crate::journal::writer::open_for_reading;
use crate::safe::shown::{and_more, counted, visible};
use crate::session::Session;
use std::path::Path;

/// Runs of events that a comparison names; the rest is counted.
const LISTED: usize = 10;
/// Digits of a hash that tell one head from another here.
const SHORT: usize = 12;

/// Compares with the heads and the copy that were given, if any.
///
/// # Errors
/// A file cannot be read, or the other one is no session.
pub fn compare(
    options: &Options,
    session: &Session,
    path: &Path,
    found: &mut Findings,
) -> Result<(), CommandError> {
    if options.head.is_empty() && options.against.is_none() {
        return Ok(());
    }
    let file = open_for_reading(path)?;
    let part = Part::read_sound(path, &file)?;
    for hash in &options.head {
        head(&part, &hash.trim().to_ascii_lowercase(), found)?;
    }
    if let Some(other) = &options.against {
        against(session, &part, other, found)?;
    }
    Ok(())
}

/// Says where in its chain the line with a hash stands.
fn head(part: &Part<'_>, hash: &str, found: &mut Findings) -> Result<(), CommandError> {
    let whole = part.report.appendable();
    let short: String = visible(hash).chars().take(SHORT).collect();
    let Some(id) = part.event_of(hash)? else {
        let hash = visible(hash);
        found.problems.push(match whole {
            true => format!(
                "no line has the hash {hash}: lines were cut off, or it is another session's"
            ),
            false => format!(
                "no sound line has the hash {hash}: its line is damaged or was cut off, or it is another session's"
            ),
        });
        return Ok(());
    };
    let last = part.last_of(id.writer).unwrap_or(id);
    let after = last.seq.saturating_sub(id.seq);
    found.said.push(match (after, whole) {
        (0, true) => format!("{short} is the present head of its chain ({id})"),
        (0, false) => format!(
            "{short} is the last sound line of its chain ({id}; whether it is the head cannot be judged, since the file is damaged)"
        ),
        (after, _) => format!(
            "{short} is an older line of its chain ({id}; up to {last} there are {after} later)"
        ),
    });
    Ok(())
}

/// Says what another copy has that this file lacks or has otherwise.
fn against(
    session: &Session,
    part: &Part<'_>,
    other: &Path,
    found: &mut Findings,
) -> Result<(), CommandError> {
    let source = open_for_reading(other)?;
    let copy = Part::read_sound(other, &source)?;
    let name = shown(other);
    if copy.report.session != session.report().session {
        found.problems.push(format!("{name} is of another session"));
        return Ok(());
    }
    let whole = part.report.appendable();
    let beside = part.beside(&copy)?;
    let missing = if whole {
        "missing here"
    } else {
        "missing or damaged here"
    };
    for (what, ids) in [
        (missing, &beside.missing),
        ("another line here", &beside.forked),
    ] {
        if !ids.is_empty() {
            let count = counted(ids.len(), "event");
            found
                .problems
                .push(format!("{count} of {name}: {what}: {}", runs(ids)));
        }
    }
    let every = if copy.report.appendable() {
        "every line"
    } else {
        found.open.push(format!(
            "{name}: {} of it not compared: that copy is damaged itself",
            left_out(&copy)
        ));
        "every sound line"
    };
    if beside.missing.is_empty() && beside.forked.is_empty() {
        let more = beside.more;
        found
            .said
            .push(format!("{every} of {name} is here, and {more} more"));
    }
    Ok(())
}

/// Counts the lines of a copy that are not sound.
fn left_out(copy: &Part<'_>) -> String {
    counted(
        usize::try_from(copy.report.damaged).unwrap_or(usize::MAX),
        "line",
    )
}

/// Names events by their runs in each chain, the first of them; counts the events of the rest.
fn runs(ids: &[EventId]) -> String {
    let all: Vec<&[EventId]> = ids
        .chunk_by(|a, b| a.writer == b.writer && a.seq.checked_add(1) == Some(b.seq))
        .collect();
    let named = all.iter().take(LISTED).map(|run| match run {
        [first, .., last] => format!("{first} to {last}"),
        _ => run.iter().map(ToString::to_string).collect(),
    });
    let words = named.collect::<Vec<_>>().join(", ");
    words + &and_more(all.iter().skip(LISTED).map(|run| run.len()).sum())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_comparison_names_runs_and_counts_the_rest() {
        let id = |seq: u64| EventId {
            writer: "wabcdefghij".parse().unwrap(),
            seq,
        };
        let named = |seqs: Vec<u64>| {
            let ids: Vec<EventId> = seqs.into_iter().map(id).collect();
            runs(&ids).replace(&id(0).writer.to_string(), "w")
        };
        for (seqs, words) in [
            (vec![4], "w:4"),
            (vec![4, 5, 6], "w:4 to w:6"),
            (vec![4, 6, 7], "w:4, w:6 to w:7"),
        ] {
            assert_eq!(named(seqs), words);
        }
        let many = named((0..30).map(|at| at * 2).collect());
        assert!(many.ends_with("w:18 and 20 more"), "{many}");
    }
}
