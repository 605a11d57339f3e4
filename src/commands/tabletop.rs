//! `cutover tabletop`: a simulated organisation on this machine, and the console on it through the very code that
//! talks to the real services. Reads no credential, and reaches nothing but 127.0.0.1.

use super::Exit;
use super::context::{Context, shown};
use super::error::CommandError;
use super::import::Gathered;
use super::live::{self, NpmAccounts, Outside};
use super::{demo, init, open, status};
use crate::assets;
use crate::github::Place;
use crate::github::discover::Choice;
use crate::http::{Call, Client, Credential, Group, Origin, Proxies, World};
use crate::model::event::SessionCreated;
use crate::model::time::Ts;
use crate::registry::{Base, Login};
use crate::safe::shown::visible;
use crate::session;
use crate::tabletop::{self, Opens, Tabletop};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// The forge's name in a simulated session, so that ids stay the same whatever ports are free.
const FORGE: &str = "github.com";
const REPOS: u32 = 60;
const SEED: u64 = 1;
const SPEED: f64 = 10.0;

/// Practise on a simulated organisation, live, on this machine only
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Repositories of the simulated organisation
    #[arg(long, value_name = "N", default_value_t = REPOS, value_parser = clap::value_parser!(u32).range(1..=5_000))]
    pub repos: u32,
    /// Seed: the same number makes the same organisation
    #[arg(long, value_name = "S", default_value_t = SEED)]
    pub seed: u64,
    /// What goes wrong in it; an unknown name lists them
    #[arg(long, value_name = "NAME", hide_possible_values = true, value_parser = scenarios())]
    pub scenario: Option<String>,
    /// Simulated seconds in a second
    #[arg(long, value_name = "X", default_value_t = SPEED, value_parser = speed)]
    pub speed: f64,
    /// Keep the session in this new file, as -s does; default: a temporary one
    #[arg(long = "keep", value_name = "FILE")]
    pub keep: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            repos: REPOS,
            seed: SEED,
            scenario: None,
            speed: SPEED,
            keep: None,
        }
    }
}

/// Says how the exercise runs: time that passes faster, and what goes wrong.
fn exercise(options: &Options) -> String {
    let mut words = format!("time x{}", options.speed);
    if let Some(scenario) = &options.scenario {
        words.push_str(&format!(", {}", visible(scenario)));
    }
    words
}

/// Takes the scenarios there are; for another name the usage error lists them, and the nearest one.
fn scenarios() -> clap::builder::PossibleValuesParser {
    tabletop::scenario::names().into()
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if (0.1..=3_600.0).contains(&speed) => Ok(speed),
        _ => Err("a number from 0.1 to 3600".to_owned()),
    }
}

/// Starts the organisation and opens the console on it; without a terminal prints its status after one pass.
///
/// # Errors
/// Loopback cannot be listened on, there is no such scenario, or the session's file cannot be made.
pub fn run(options: &Options, context: &mut Context) -> Result<Exit, CommandError> {
    if context.read_only {
        return Err(CommandError::usage(
            "the tabletop makes a new session, which --read-only forbids",
        )
        .hint("show a kept session: `cutover open --read-only FILE`"));
    }
    let kept = kept(options, context)?;
    let actor = demo::person(context)?;
    // The servers run for as long as this runtime lives.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("tabletop")
        .enable_all()
        .build()
        .map_err(|error| CommandError::internal(format!("the tabletop cannot start: {error}")))?;
    let world = runtime
        .block_on(Tabletop::start(tabletop::Options {
            repos: options.repos as usize,
            seed: options.seed,
            speed: options.speed,
            start: context.now().utc(),
            scenario: options.scenario.clone(),
            elapsed: None,
        }))
        .map_err(|error| CommandError::user(error.to_string()))?;
    let folder = tempfile::Builder::new()
        .prefix("cutover-tabletop-")
        .tempdir()
        .map_err(|error| CommandError::io("make a folder in", &std::env::temp_dir(), &error))?;
    let path = match &kept {
        Some(path) => path.clone(),
        None => folder.path().join("tabletop.cutover"),
    };
    let (clock, speed) = runtime.block_on(clock_of(&world))?;
    context.now = clock;
    found(&path, &world, &actor, context)?;
    context.actor = Some(actor.clone());
    let poller = live::poller(outside(&world, speed)?, !context.screen, context)?;
    let session = context.open_as(&path, actor, false)?;
    let ended = if context.screen {
        open::console_with(
            session,
            &path,
            Some(poller),
            Some(exercise(options)),
            context,
        )
    } else {
        one_status(session, poller, context)
    };
    if kept.is_some() {
        context
            .out
            .say(format!("The session is in {}.", shown(&path)));
    }
    drop(world);
    runtime.shutdown_background();
    ended
}

/// Gives the file that the session is kept in: `--keep`, or `-s` (but not `CUTOVER_SESSION`, which names a real one).
///
/// # Errors
/// It is there already, or is no name for a session.
fn kept(options: &Options, context: &Context) -> Result<Option<PathBuf>, CommandError> {
    let lasting = (context.variable)("CUTOVER_SESSION").map(PathBuf::from);
    let named = context
        .session
        .as_ref()
        .filter(|_| context.session != lasting);
    let Some(given) = options.keep.as_ref().or(named) else {
        return Ok(None);
    };
    let path = init::session_file(given)?;
    if std::fs::symlink_metadata(&path).is_ok() {
        let name = shown(&path);
        return Err(CommandError::user(format!(
            "{name} exists already, and each tabletop starts a new session"
        ))
        .hint(format!(
            "choose another name, or open the kept session with `cutover open {name}`"
        )));
    }
    Ok(Some(path))
}

/// Starts a session of this world.
///
/// # Errors
/// The disk refuses.
pub fn found(
    path: &Path,
    world: &Tabletop,
    actor: &str,
    context: &mut Context,
) -> Result<(), CommandError> {
    let registry = assets::npm_url();
    let created = SessionCreated {
        world: crate::model::event::World::Tabletop,
        forge: FORGE.into(),
        registry: registry.trim_end_matches('/').into(),
        organisations: vec![world.organisation.as_str().into()],
        name: world.organisation.as_str().into(),
        ..SessionCreated::default()
    };
    init::found(path, &created, &Gathered::default(), actor, context)
}

/// Gives where the simulated organisation is, as one of its people. Reads nothing of the environment.
///
/// # Errors
/// There is nobody in it, or its addresses are not on this machine.
pub fn outside(world: &Tabletop, speed: f64) -> Result<Outside, CommandError> {
    let internal = |error: &dyn std::fmt::Display| CommandError::internal(error.to_string());
    let place = Place::tabletop(&world.github, FORGE).map_err(|error| internal(&error))?;
    let principal = world
        .credentials
        .iter()
        .find(|one| one.opens == Opens::Github)
        .ok_or_else(|| CommandError::internal("nobody can sign in to the simulated GitHub"))?;
    let credential = Credential::bearer(place.origin().clone(), &principal.secret, &principal.who)
        .map_err(|error| internal(&error))?;
    let base = Base::parse(&world.registry, World::Tabletop).map_err(|error| internal(&error))?;
    let logins = world
        .credentials
        .iter()
        .filter(|one| one.opens == Opens::NpmSession)
        .take(2)
        .map(|one| Login::new(&base, &one.who, one.secret.clone()))
        .collect();
    Ok(Outside {
        world: World::Tabletop,
        place,
        credential: Ok(credential),
        choice: Choice::default(),
        proxies: Proxies::default(),
        npm: NpmAccounts {
            id: crate::assets::npm_url().trim_end_matches('/').to_owned(),
            base,
            logins,
            proxies: Proxies::default(),
            extra_ca: None,
        },
        speed,
    })
}

/// The clock of the simulated world, read once from its server and run from here on the monotonic clock.
async fn clock_of(world: &Tabletop) -> Result<(crate::engine::clocks::Now, f64), CommandError> {
    #[derive(Deserialize)]
    struct Served {
        now: DateTime<Utc>,
        speed: f64,
    }
    let failed = |error: &dyn std::fmt::Display| {
        CommandError::internal(format!("the simulated clock could not be read: {error}"))
    };
    let origin = Origin::parse(&world.github, World::Tabletop).map_err(|error| failed(&error))?;
    let options = crate::http::Options::new(World::Tabletop, Arc::new(|| Ts(0)));
    let client = Client::new(origin, options).map_err(|error| failed(&error))?;
    let reply = client
        .send(Call::get(Group::GithubRest, "/__tabletop/clock"))
        .await
        .map_err(|error| failed(&error))?;
    let served: Served = reply.json().map_err(|error| failed(&error))?;
    let began = Instant::now();
    let (from, speed) = (served.now.timestamp_millis(), served.speed);
    let now = move || {
        let passed = began.elapsed().as_secs_f64() * speed * 1_000.0;
        Ts((from + passed as i64).div_euclid(1_000))
    };
    Ok((Arc::new(now), speed))
}

/// Looks once at everything and prints what it is.
fn one_status(
    session: session::Session,
    poller: crate::engine::poller::Poller,
    context: &mut Context,
) -> Result<Exit, CommandError> {
    let (_, session) = live::one_pass(session, poller, context)?;
    status::print(&session, status::Format::Table, None, context)?;
    context
        .out
        .hint("in a terminal, `cutover tabletop` opens the console on it");
    // What the simulated organisation's state is says nothing about this run.
    Ok(Exit::Done)
}
