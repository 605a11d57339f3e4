//! The engine: one thread owns the session; everybody else has a [`Handle`].
//!
//! Pictures of the session go out on a watch channel, commands come in on a bounded one. Only the session's owner is
//! behind the handle now; observers and actions join it there without a change for the console.

pub mod cache;
pub mod challenge;
pub mod clocks;
pub mod endpoint_health;
pub mod gap;
pub mod live;
pub mod observe;
pub mod owner;
pub mod page;
pub mod picture;
pub mod poller;
pub mod powers;
pub mod schedule;
pub mod snapshot;
pub mod window;

use crate::model::id::Subject;
use crate::session::Session;
use crate::session::decide::{Action, Decided};
use clocks::Now;
use observe::Channel;
use owner::Owner;
use poller::Poller;
use snapshot::{Focus, Snapshot};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

/// Commands that can wait before a sender has to.
const WAITING: usize = 64;

/// What the console asks of the engine.
#[derive(Debug)]
pub enum Command {
    /// Decide a batch, all or nothing. The answer says what was written, or why nothing was.
    Decide {
        actions: Vec<Action>,
        answer: oneshot::Sender<Result<Decided, Refused>>,
    },
    /// Look closer at something; the next picture shows it.
    Focus(Focus),
    /// Read the trust configs of these packages, which costs a second factor.
    ReadTrust(Vec<Subject>),
    /// Stop that reading: what was read stands.
    StopReading,
    /// A page of this host, which is not the registry's own, may be opened for a second factor.
    AcceptHost(Box<str>),
    /// Give the lock back and end.
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
    thread: Option<std::thread::JoinHandle<Session>>,
    observers: Option<Observers>,
}

/// The thread of the observers, and what ends it.
#[derive(Debug)]
struct Observers {
    stop: CancellationToken,
    thread: std::thread::JoinHandle<()>,
}

/// Leaves one core to the screen: what this thread does together with others takes all but one, as long as the answer
/// lives. Else a key would wait until the system takes a core away from a picture in the making: some milliseconds.
fn leave_a_core() -> Option<rayon::ThreadPool> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(cores.saturating_sub(1).max(1))
        .use_current_thread()
        .build();
    pool.inspect_err(|error| tracing::debug!("pictures are made on all cores: {error}"))
        .ok()
}

impl Handle {
    /// Starts the engine on a thread of its own.
    ///
    /// # Errors
    /// The system gives no thread or no runtime.
    pub fn start(session: Session, now: Now) -> std::io::Result<Self> {
        Self::begin(session, now, None)
    }

    /// Starts the engine with observers of the caller's own: what a channel's other end reports.
    ///
    /// # Errors
    /// As [`Handle::start`].
    pub fn start_fed(session: Session, now: Now, channel: Channel) -> std::io::Result<Self> {
        Self::begin(session, now, Some(channel))
    }

    fn begin(session: Session, now: Now, channel: Option<Channel>) -> std::io::Result<Self> {
        let (targets, reports) = match channel {
            Some(channel) => (Some(channel.targets), Some(channel.reports)),
            None => (None, None),
        };
        let mut owner = Owner::new(session, now, targets);
        let (pictures, snapshots) = watch::channel(owner.snapshot());
        let (commands, receiver) = mpsc::channel(WAITING);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()?;
        let thread = std::thread::Builder::new()
            .name("session".to_owned())
            .spawn(move || {
                let _pool = leave_a_core();
                runtime.block_on(owner.run(receiver, reports, pictures))
            })?;
        Ok(Self {
            snapshots,
            commands,
            thread: Some(thread),
            observers: None,
        })
    }

    /// Starts the engine with observers, on a thread and a runtime of their own: the session never waits for a network.
    ///
    /// # Errors
    /// As [`Handle::start`].
    pub fn start_live(session: Session, now: Now, poller: Poller) -> std::io::Result<Self> {
        let cache = if poller.cached {
            cache::Cache::read(&session, now())
        } else {
            cache::Cache::default()
        };
        let (channel, post) = observe::channel();
        let mut handle = Self::begin(session, now, Some(channel))?;
        let stop = CancellationToken::new();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("observers")
            .enable_all()
            .build()?;
        let until = stop.clone();
        let thread = std::thread::Builder::new()
            .name("observers".to_owned())
            .spawn(move || {
                runtime.block_on(poller.serve(post, until, cache));
                // A scan that is under way on a blocking thread is not waited for.
                runtime.shutdown_background();
            })?;
        handle.observers = Some(Observers { stop, thread });
        Ok(handle)
    }

    /// Waits until the observers have ended by themselves: after one pass, where the poller was told so.
    pub fn wait_for_observers(&mut self) {
        if let Some(observers) = self.observers.take() {
            let _ = observers.thread.join();
        }
    }

    /// Stops the engine and waits until it gives the session back: with all that was looked at again and written nowhere.
    /// None where its thread has failed.
    pub fn stop(mut self) -> Option<Session> {
        if let Some(observers) = self.observers.take() {
            observers.stop.cancel();
            let _ = observers.thread.join();
        }
        // A full channel means that the owner is at work: dropping the sender ends it after that.
        let _ = self.commands.try_send(Command::Stop);
        let thread = self.thread.take();
        drop(self);
        thread.and_then(|thread| thread.join().ok())
    }
}
