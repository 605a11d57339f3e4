//! The engine: one thread owns the session; everybody else has a [`Handle`].
//!
//! Pictures of the session go out on a watch channel, commands come in on a bounded one. Only the session's owner is
//! behind the handle now; observers and actions join it there without a change for the console.

pub mod snapshot;

use crate::session::decide::Action;
use snapshot::{Focus, Snapshot};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot, watch};

/// Commands that can wait before a sender has to.
const WAITING: usize = 64;

/// What the console asks of the engine.
#[derive(Debug)]
pub enum Command {
    /// Decide something. The answer says what was written, or why not.
    Decide {
        action: Action,
        answer: oneshot::Sender<Result<String, Refused>>,
    },
    /// Look closer at something; the next picture shows it.
    Focus(Focus),
    /// Read the file again if another process appended to it (read-only sessions).
    Refresh,
    /// Write what is pending, give the lock back, end.
    Stop,
}

/// Why a decision was not taken: what is wrong, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    pub what: String,
    pub hint: Option<String>,
}

/// The console's end of the engine.
#[derive(Debug)]
pub struct Handle {
    pub snapshots: watch::Receiver<Arc<Snapshot>>,
    pub commands: mpsc::Sender<Command>,
    thread: Option<std::thread::JoinHandle<()>>,
}
