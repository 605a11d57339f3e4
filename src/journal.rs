//! The session file: JSON Lines, one event a line, append-only, hash-chained per writer.
//!
//! Owns the bytes of `*.cutover`: reading and verifying them, appending so that nothing acknowledged is lost, merging
//! the files of several operators, sealing. Kinds are words and `data` is text here: what an event means is the
//! business of `session`. Knows no clock, no network, no screen.

pub mod chain;
mod disk;
mod error;
pub mod json;
pub mod line;
pub mod merge;
pub mod reader;
mod reason;
pub mod seal;
pub mod spec;
mod state;
pub mod writer;

pub use chain::{Chain, Chains, Cut, HeadSeen};
pub use error::{Error, SignError};
pub use line::{Draft, EventId, Line, LineHash, SessionId, WriterId};
pub use reader::{Damage, Fork, Place, Report, Source, Torn};
pub use reason::Reason;
pub use spec::{HEADS_SEEN, MAX_FILE, MAX_WRITERS, SEALED, SESSION_CREATED, WRITER_JOINED};
pub use state::{recall, remember};
pub use writer::{Access, Behind, Journal, Opened, Settings, Written};
