//! The tabletop: a simulated organisation, its GitHub and its npm registry, as HTTP servers on loopback.
//!
//! Speaks HTTP and shares no types with the product, so that a mistake in one shows in the other. No real credential
//! is read and nothing but 127.0.0.1 is served. State is one `Mutex<Hall>` (see `server`); nothing awaits under it.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use tokio::task::AbortHandle;

use crate::safe::secret::Secret;

pub mod clock;
pub mod fault;
pub mod github;
pub mod graphql;
pub mod npm;
pub mod random;
pub mod scenario;
pub mod server;
pub mod world;

pub use fault::{Fault, FaultKind};
pub use server::{Counters, Hall};

use clock::{Clock, Elapsed};
use world::{NpmKind, Size, World};

/// What tabletop to start.
#[derive(Clone)]
pub struct Options {
    pub repos: usize,
    pub seed: u64,
    /// Simulated seconds per second.
    pub speed: f64,
    /// The simulated instant at which it starts.
    pub start: DateTime<Utc>,
    /// Name of a scenario to play.
    pub scenario: Option<String>,
    /// Time since the start; the machine's monotonic clock where none is given.
    pub elapsed: Option<Elapsed>,
}

/// Why a tabletop could not start.
#[derive(Debug, thiserror::Error)]
pub enum TabletopError {
    #[error("could not listen on 127.0.0.1: {0}; check that loopback is up")]
    Listen(#[from] io::Error),
    #[error("there is no scenario `{name}`; there are: {known}")]
    Scenario { name: String, known: String },
}

/// What a credential of this world opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opens {
    /// GitHub's API.
    Github,
    /// npm, as somebody who has logged in.
    NpmSession,
    /// npm, as a granular token may.
    NpmToken,
}

/// A credential of somebody of this world.
#[derive(Debug, Clone)]
pub struct Principal {
    pub who: String,
    pub opens: Opens,
    pub secret: Secret,
}

/// A running tabletop; it stops when dropped.
#[derive(Debug)]
pub struct Tabletop {
    /// Base address of GitHub's REST API; GraphQL is below it at `/graphql`.
    pub github: String,
    /// Base address of the registry.
    pub registry: String,
    pub organisation: String,
    pub credentials: Vec<Principal>,
    pub clock: Clock,
    hall: Arc<Mutex<Hall>>,
    tasks: Vec<AbortHandle>,
}

impl Tabletop {
    /// Makes the world and serves it on two free ports of 127.0.0.1.
    ///
    /// # Errors
    /// When loopback cannot be listened on, or there is no scenario of that name.
    pub async fn start(options: Options) -> Result<Self, TabletopError> {
        let elapsed = options.elapsed.unwrap_or_else(Clock::monotonic);
        let clock = Clock::new(options.start, options.speed, elapsed);
        let size = Size {
            repos: options.repos,
            seed: options.seed,
        };
        let mut world = World::build(size, clock.start());
        if let Some(name) = &options.scenario {
            let scene = scenario::find(name).ok_or_else(|| TabletopError::Scenario {
                name: name.clone(),
                known: scenario::names().join(", "),
            })?;
            world.begin(scene);
        }
        let credentials = principals(&world);
        let organisation = world.org.login.to_string();
        let doors = (server::Door::bind().await?, server::Door::bind().await?);
        let (github, registry) = (doors.0.address()?, doors.1.address()?);
        let hall = Hall::new(world, clock.clone(), github.clone(), registry.clone());
        let hall = Arc::new(Mutex::new(hall));
        let tasks = vec![
            server::serve(doors.0, Arc::clone(&hall), server::Side::Github),
            server::serve(doors.1, Arc::clone(&hall), server::Side::Npm),
        ];
        Ok(Self {
            github,
            registry,
            organisation,
            credentials,
            clock,
            hall,
            tasks,
        })
    }

    /// Gives what was asked so far.
    pub fn counters(&self) -> Counters {
        self.hall().counters.clone()
    }

    /// Makes the next answers go wrong.
    pub fn fault(&self, fault: Fault) {
        self.hall().faults.add(fault);
    }

    /// Ends every fault that waits.
    pub fn end_faults(&self) {
        self.hall().faults.clear();
    }

    /// Gives the credential of somebody.
    pub fn credential(&self, who: &str, opens: Opens) -> Option<&Secret> {
        let found = self
            .credentials
            .iter()
            .find(|one| one.who == who && one.opens == opens);
        found.map(|one| &one.secret)
    }

    /// Reads or changes the world as it stands now: for tests and for what happens outside of HTTP.
    pub fn with_world<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        let mut hall = self.hall();
        let now = hall.clock.now();
        hall.world.advance(now);
        act(&mut hall.world)
    }

    fn hall(&self) -> MutexGuard<'_, Hall> {
        self.hall.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Tabletop {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

fn principals(world: &World) -> Vec<Principal> {
    let github = world.github_tokens.iter().map(|token| Principal {
        who: token.login.to_string(),
        opens: Opens::Github,
        secret: token.value.clone(),
    });
    let npm = world.npm_tokens.iter().map(|token| Principal {
        who: token.owner.to_string(),
        opens: if token.kind == NpmKind::Session {
            Opens::NpmSession
        } else {
            Opens::NpmToken
        },
        secret: token.value.clone(),
    });
    github.chain(npm).collect()
}
