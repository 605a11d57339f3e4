//! What is typed: the terminal's events, read on the loop's own thread and only while somebody waits for them.
//!
//! Crossterm parses them. Its `EventStream` is not used: it reads on a thread of its own through an edge-triggered poll,
//! and a key that comes together with the wake-up of an earlier stream stays unread until the next key.

use std::io::{self, Stdin};
use std::time::Duration;

use crossterm::event::{self, Event};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// How long one look at the terminal may take; crossterm does not look at all where it is given no time.
const LOOK: Duration = Duration::from_millis(1);

/// The terminal's input. Nothing reads the terminal while this is not asked, so a child may have it.
pub(super) struct Keys {
    input: AsyncFd<Stdin>,
}

impl Keys {
    /// Begins to listen; needs a running runtime, and standard input to be the terminal.
    ///
    /// # Errors
    /// The system cannot watch the terminal.
    pub(super) fn listen() -> io::Result<Self> {
        #[expect(
            deprecated,
            reason = "unsound only where the descriptor is closed meanwhile; standard input never is"
        )]
        let input = AsyncFd::with_interest(io::stdin(), Interest::READABLE)?;
        Ok(Self { input })
    }

    /// Waits for the next event; nothing once the terminal is gone. May be dropped at any time: no event is lost.
    ///
    /// # Errors
    /// The terminal cannot be read.
    pub(super) async fn next(&self) -> io::Result<Option<Event>> {
        loop {
            let mut ready = self.input.readable().await?;
            if ready.ready().is_read_closed() {
                return Ok(None);
            }
            if event::poll(LOOK)? {
                return event::read().map(Some);
            }
            ready.clear_ready();
        }
    }

    /// Takes everything that was typed up to now.
    ///
    /// # Errors
    /// The terminal cannot be read.
    pub(super) fn typed_ahead(&self) -> io::Result<Vec<Event>> {
        let mut events = Vec::new();
        while event::poll(LOOK)? {
            events.push(event::read()?);
        }
        Ok(events)
    }
}
