//! `cutover watch`: what changes, as JSON lines, until somebody stops it. For scripts, wall displays and chat.
//!
//! Compares one picture of the session with the next; writes what is news, never what a credential could be read from.

pub mod change;

use super::Exit;
use super::context::Context;
use super::error::CommandError;
use super::live;
use super::live::outside::{self, Flags};
use crate::engine::poller::Poller;
use crate::engine::snapshot::{Focus, Snapshot};
use crate::engine::{Command, Handle};
use crate::safe::json::write_json;
use crate::session::Session;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// Print what changes as JSON lines, until interrupted
///
/// Queries GitHub and npm again and again, and records what changed in the session.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// The session file [default: the only *.cutover here]
    #[arg(value_name = "SESSION")]
    pub file: Option<PathBuf>,
    #[command(flatten)]
    pub outside: Flags,
    /// End after this time, such as 90s, 10m or 2h [default: never]
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    pub limit: Option<Duration>,
}

/// Reads a time with its unit; seconds where there is none.
fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = match text.char_indices().last() {
        Some((at, 's')) => (text.get(..at), 1),
        Some((at, 'm')) => (text.get(..at), 60),
        Some((at, 'h')) => (text.get(..at), 3_600),
        Some((at, 'd')) => (text.get(..at), 86_400),
        _ => (Some(text), 1),
    };
    let seconds = number
        .and_then(|number| number.parse::<u64>().ok())
        .and_then(|number| number.checked_mul(unit))
        .filter(|seconds| (1..=366 * 86_400).contains(seconds));
    seconds
        .map(Duration::from_secs)
        .ok_or_else(|| "a time such as 90s, 10m, 2h or 3d, at most a year".to_owned())
}

/// Watches until stopped.
///
/// # Errors
/// The session cannot be written, a credential cannot be used, or the output cannot be written.
pub fn run(options: &Options, context: &mut Context) -> Result<Exit, CommandError> {
    let path = context.session_path(options.file.as_deref())?;
    let session = context.write(&path)?;
    let outside = outside::find(&options.outside, &session, context)?;
    let poller = live::poller(outside, false, context)?;
    follow(session, poller, options.limit, context)
}

/// Prints what changes until a signal comes, the time is over, or nobody reads any more.
///
/// # Errors
/// The engine cannot start or has ended; the output cannot be written.
pub fn follow(
    session: Session,
    poller: Poller,
    limit: Option<Duration>,
    context: &mut Context,
) -> Result<Exit, CommandError> {
    let cannot =
        |error: std::io::Error| CommandError::internal(format!("the watch cannot start: {error}"));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(cannot)?;
    let mut handle =
        Handle::start_live(session, Arc::clone(&context.now), poller).map_err(cannot)?;
    let ended = runtime.block_on(lines(&mut handle, limit, context));
    // Whatever ended it: the lock goes back, and what was seen is written.
    handle.stop();
    ended.map(|()| Exit::Done)
}

async fn lines(
    handle: &mut Handle,
    limit: Option<Duration>,
    context: &mut Context,
) -> Result<(), CommandError> {
    let listen = |kind| {
        signal(kind).map_err(|error| {
            CommandError::internal(format!("signals cannot be listened for: {error}"))
        })
    };
    let (mut interrupt, mut terminate, mut hangup) = (
        listen(SignalKind::interrupt())?,
        listen(SignalKind::terminate())?,
        listen(SignalKind::hangup())?,
    );
    let over = async {
        match limit {
            Some(limit) => tokio::time::sleep(limit).await,
            None => std::future::pending().await,
        }
    };
    tokio::pin!(over);
    let focus = Focus {
        packages: true,
        ..Focus::default()
    };
    // Refused only where the owner has ended, which the first picture tells.
    let _ = handle.commands.try_send(Command::Focus(focus));
    let mut known = Arc::clone(&handle.snapshots.borrow_and_update());
    loop {
        tokio::select! {
            biased;
            _ = interrupt.recv() => return Ok(()),
            _ = terminate.recv() => return Ok(()),
            _ = hangup.recv() => return Ok(()),
            () = &mut over => return Ok(()),
            changed = handle.snapshots.changed() => {
                if changed.is_err() {
                    return Err(CommandError::internal("the session's owner has ended"));
                }
                let new = Arc::clone(&handle.snapshots.borrow_and_update());
                print(&known, &new, context)?;
                known = new;
            }
        }
    }
}

fn print(known: &Snapshot, new: &Snapshot, context: &mut Context) -> Result<(), CommandError> {
    let at = context.now();
    let changes = change::between(known, new);
    if changes.is_empty() {
        return Ok(());
    }
    let mut data = context.out.data();
    for change in &changes {
        write_json(&mut data, &change.line(at))?;
        writeln!(data)?;
    }
    context.out.flush()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn times_have_units() {
        for (text, seconds) in [
            ("5", 5),
            ("90s", 90),
            ("10m", 600),
            ("2h", 7_200),
            ("1d", 86_400),
        ] {
            assert_eq!(
                duration(text).unwrap(),
                Duration::from_secs(seconds),
                "{text}"
            );
        }
        for bad in [
            "",
            "0",
            "s",
            "-1m",
            "5w",
            "1.5h",
            "99999999999999999999h",
            "9000000000000000000d",
            "5ü",
        ] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}
