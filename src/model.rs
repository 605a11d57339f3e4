//! The nouns of a cutover: subjects, facts, events, decisions, lanes, gates and clocks.
//!
//! Pure: no I/O, no async, no clock of its own. The same facts in any order give the same board.

pub mod clock;
pub mod cohort;
pub mod decision;
pub mod event;
pub mod fact;
pub mod facts;
pub mod gate;
pub mod id;
pub mod lane;
pub mod name;
pub mod outcome;
pub mod policy;
pub mod proposal;
pub mod revoke;
pub mod semver;
pub mod time;
pub mod token;
pub mod token_name;
pub mod unseen;
