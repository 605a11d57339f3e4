//! The verbs, one a file: each has its `Options` (what the command line fills) and one `run`.
//!
//! A verb reads and decides through the layers below, says things through [`output::Output`] and ends in an
//! [`Exit`] or a [`error::CommandError`]. It reads no clock, no environment and no configuration: the
//! [`context::Context`] brings them.

pub mod assign;
pub mod attest;
pub mod carry_over;
pub mod check;
pub mod cohort;
pub mod completions;
pub mod context;
pub mod decide;
pub mod demo;
pub mod diagnose;
pub mod edge;
pub mod error;
pub mod evidence;
pub mod explain;
pub mod follow_up;
pub mod identify;
pub mod import;
pub mod init;
pub mod key;
pub mod lane;
pub mod live;
pub mod log;
pub mod man;
pub mod note;
pub mod open;
pub mod output;
pub mod plan;
pub mod preflight;
pub mod recent;
pub mod refresh;
pub mod report;
pub mod revocation;
pub mod scan;
pub mod start;
pub mod status;
pub mod tabletop;
pub mod undo;
pub mod waive;
pub mod watch;

/// How a verb ended, when nothing went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done, or nothing to complain about.
    Done,
    /// Nothing of what was asked for is there.
    NothingFound,
    /// Work remains.
    WorkRemains,
    /// Something is blocked; wins over work that remains.
    Blocked,
    /// The session file is damaged, forked or cut.
    Damaged,
    /// A policy is violated.
    Violated,
    /// Ended by a signal of this number.
    Signal(u8),
}

impl Exit {
    /// Every exit code of the program with its meaning: help, man page and README print this table.
    pub const TABLE: &'static [(u8, &'static str)] = &[
        (0, "done, or clean"),
        (1, "an error"),
        (2, "wrong usage"),
        (3, "nothing found"),
        (10, "work remains (status, refresh)"),
        (11, "blocked; wins over 10 (status, refresh, preflight)"),
        (12, "the session file is damaged, forked or cut"),
        (13, "policy violated (check, scan --fail-on)"),
    ];

    /// Gives the process's exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::NothingFound => 3,
            Self::WorkRemains => 10,
            Self::Blocked => 11,
            Self::Damaged => 12,
            Self::Violated => 13,
            Self::Signal(number) => 128_u8.saturating_add(number),
        }
    }
}
