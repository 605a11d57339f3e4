//! Why a line, or its place in its chain, is refused.

/// Why a line, or its place in its chain, is refused. Holds no text of the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    #[error(
        "it is written in version {0} of the format and this program reads version 1: update cutover"
    )]
    Newer(u64),
    #[error("it is longer than 1 MiB")]
    TooLong,
    #[error("it is not UTF-8 text")]
    NotUtf8,
    #[error("expected {what} at byte {at} of the line")]
    Shape { what: &'static str, at: usize },
    #[error("a key is repeated at byte {at} of the line")]
    RepeatedKey { at: usize },
    #[error("its data is nested deeper than 64")]
    Depth,
    #[error("its hash does not match its bytes and the line before it")]
    Hash,
    #[error("its tick {found} is not above {previous}, the tick of its writer's line before")]
    TickFalls { previous: u64, found: u64 },
    #[error("its tick {found} leaps by more than 1,000,000 above {highest}")]
    TickLeaps { highest: u64, found: u64 },
    #[error("its writer's lines before it are missing: expected seq {expected}, found {found}")]
    Gap { expected: u64, found: u64 },
    #[error("its seq {found} comes again, expected {expected}")]
    Again { expected: u64, found: u64 },
    #[error("another line has the same writer and seq and a different hash")]
    Fork,
    #[error(
        "a writer's first lines are `session_created` (founder) and `writer_joined`, and nothing else may be"
    )]
    FirstLines,
    #[error("more than 10,000 writers")]
    TooManyWriters,
}

impl Reason {
    pub(super) const fn shape(what: &'static str, at: usize) -> Self {
        Self::Shape { what, at }
    }
}
