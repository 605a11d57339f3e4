//! The signals that the console listens to. What each means for the terminal is the loop's affair.

use std::io;

use rustix::process::Signal as Number;
use tokio::signal::unix::{Signal as Stream, SignalKind, signal};

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signal {
    /// Leave: the number of the signal.
    End(i32),
    Suspend,
    Continue,
    Resize,
}

/// The open streams of signals.
pub(super) struct Signals {
    terminate: Stream,
    hangup: Stream,
    interrupt: Stream,
    stop: Stream,
    cont: Stream,
    resize: Stream,
}

impl Signals {
    /// Starts listening; needs a running runtime.
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            stop: signal(SignalKind::from_raw(Number::TSTP.as_raw()))?,
            cont: signal(SignalKind::from_raw(Number::CONT.as_raw()))?,
            resize: signal(SignalKind::window_change())?,
        })
    }

    /// Waits for the next one.
    pub(super) async fn next(&mut self) -> Signal {
        tokio::select! {
            biased;
            _ = self.terminate.recv() => Signal::End(Number::TERM.as_raw()),
            _ = self.hangup.recv() => Signal::End(Number::HUP.as_raw()),
            _ = self.interrupt.recv() => Signal::End(Number::INT.as_raw()),
            _ = self.stop.recv() => Signal::Suspend,
            _ = self.cont.recv() => Signal::Continue,
            _ = self.resize.recv() => Signal::Resize,
        }
    }
}
