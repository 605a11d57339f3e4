//! Sentences about a file that is damaged, behind or cut: what it lacks, and where to get it.

use super::fold::Writer;
use crate::journal::{Behind, Cut, Report, WriterId};
use crate::safe::shown::visible;

/// Says what is wrong with the lines of a file: the first of it, and how much more there is.
pub(super) fn damage_words(report: &Report) -> Option<String> {
    let (what, all) = match (report.forks.first(), report.damage.first()) {
        (Some(fork), _) => {
            let [first, second] = fork.places.map(|place| place.line);
            let what = format!(
                "forked: lines {first} and {second} are two different events under one number"
            );
            (what, report.forks.len())
        }
        (None, Some(damage)) => {
            let what = format!("damaged in line {}: {}", damage.place.line, damage.reason);
            (what, usize::try_from(report.damaged).unwrap_or(usize::MAX))
        }
        (None, None) => return None,
    };
    let more = match all {
        1 => String::new(),
        many => format!(" (and {} more)", many - 1),
    };
    Some(format!(
        "the session file is {what}{more}; what fails is left out here, and `cutover log verify` tells more"
    ))
}

/// Says that the file lacks what this device wrote: it was restored, or is another copy.
pub(super) fn behind_words(behind: &[Behind]) -> Option<String> {
    let first = behind.first()?;
    let more = match behind.len() {
        1 => String::new(),
        many => format!(", and the last of {} more writers", many - 1),
    };
    Some(format!(
        "this copy lacks what this device wrote into another one (event {} of {}{more}): take it over with \
         `cutover log merge OTHER-COPY`",
        first.remembered, first.writer
    ))
}

/// Says who saw an event that is gone.
pub(super) fn cut_words(writers: &[Writer], cut: &Cut) -> String {
    let person = |id: WriterId| {
        let person = writers
            .iter()
            .find(|writer| writer.id == id)
            .map_or("somebody", |writer| &writer.person);
        visible(person).into_owned()
    };
    let verb = if cut.replaced {
        "another event stands there now"
    } else {
        "it is gone: the file was cut at the end"
    };
    format!(
        "{} ({}) had seen event {} of {} ({}); {verb}. Merge a copy that has it",
        person(cut.by.writer),
        cut.by,
        cut.seen.seq,
        person(cut.seen.writer),
        cut.seen.writer
    )
}
