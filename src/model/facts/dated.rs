//! Answers with the second they are true as of, and which of two counts.

use crate::model::time::Ts;

/// Orders answers that are true as of one second, alike on every machine and in whatever order they come.
///
/// Of one writer the later line counts: its ticks rise with every line. Of two writers the higher tick counts, since a
/// writer that had read the other's line has written a higher one; where neither had read the other's, and their ticks
/// are equal, the greater writer id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Tie {
    pub tick: u64,
    /// The writer's id as a number.
    pub writer: u64,
}

/// An answer, the second its source says it was true as of, and where its line stands among those of that second.
#[derive(Debug, Clone, PartialEq)]
pub struct Dated<T> {
    pub as_of: Ts,
    pub tie: Tie,
    pub value: T,
}

/// Takes the answer in if it is the later one. Tells whether anything changed.
pub fn take<T: PartialEq>(slot: &mut Option<Dated<T>>, new: Dated<T>) -> bool {
    match slot {
        Some(old) if (old.as_of, old.tie) >= (new.as_of, new.tie) => false,
        _ => {
            *slot = Some(new);
            true
        }
    }
}
