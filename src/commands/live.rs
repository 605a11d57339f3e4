//! The observers for verbs that look outside, made from where to look and as whom; and one pass of them.
//!
//! What `outside` finds for a real session and what the tabletop brings for its own come in by the same door.

pub mod outside;

use super::Exit;
use super::context::Context;
use super::error::CommandError;
use super::status::{self, Format};
use crate::engine::Handle;
use crate::engine::clocks::Steady;
use crate::engine::endpoint_health::EndpointHealth;
use crate::engine::live::{Link, LinkState};
use crate::engine::observe::github::Github;
use crate::engine::observe::npm::Npm;
use crate::engine::poller::Poller;
use crate::engine::schedule::Query;
use crate::github::discover::Choice;
use crate::github::{GitHub, Place};
use crate::http::{Credential, Group, Options, Proxies, World};
use crate::registry::{Base, ClientError, Login, Registry};
use crate::session::Session;
use std::sync::Arc;
use std::time::Instant;

/// The groups that a GitHub has, as far as observers ask them at all times.
const GITHUB: [Group; 3] = [
    Group::GithubGraphql,
    Group::GithubRest,
    Group::GithubActions,
];

/// Where to look, and as whom.
pub struct Outside {
    pub world: World,
    pub place: Place,
    /// The credential for GitHub; else why there is none, and what to do. Without one GitHub is not asked at all.
    pub credential: Result<Credential, String>,
    /// Repositories that are scanned.
    pub choice: Choice,
    pub proxies: Proxies,
    pub npm: NpmAccounts,
    /// Simulated seconds in a second.
    pub speed: f64,
}

/// The registry, and who of us is logged in there.
pub struct NpmAccounts {
    pub base: Base,
    /// The registry's name in the ids of the session.
    pub id: String,
    pub logins: Vec<Login>,
    pub proxies: Proxies,
    /// PEM certificates to trust beside the system's.
    pub extra_ca: Option<Vec<u8>>,
}

/// Makes the observers.
///
/// # Errors
/// TLS or a proxy cannot be set up, or a credential is for another place.
pub fn poller(outside: Outside, one_pass: bool, context: &Context) -> Result<Poller, CommandError> {
    let seed = context.random_seed()?;
    let random = Arc::new(spread(seed));
    let health = EndpointHealth::new(Arc::clone(&context.now), random.clone());
    health.expect(&GITHUB);
    let npm = npm(&outside.npm, &health, outside.world, context)?;
    let (id, speed) = (outside.npm.id.clone(), outside.speed);
    // The servers of a simulated world end with it.
    let cached = outside.world == World::Real;
    let github = github(outside, &id, &health, context)?;
    Ok(Poller {
        github: github.map(Arc::new),
        npm: Some(Arc::new(npm)),
        health,
        now: Arc::clone(&context.now),
        steady: steady(speed),
        speed,
        random,
        once: Vec::new(),
        one_pass,
        anew: false,
        cached,
    })
}

/// Milliseconds of the machine's steady clock, as fast as the world's.
fn steady(speed: f64) -> Steady {
    let began = Instant::now();
    Arc::new(move || (began.elapsed().as_secs_f64() * speed * 1_000.0) as i64)
}

/// GitHub as one account; none without a credential, and then the connections say why.
fn github(
    outside: Outside,
    registry: &str,
    health: &EndpointHealth,
    context: &Context,
) -> Result<Option<Github>, CommandError> {
    let credential = match outside.credential {
        Ok(credential) => credential,
        Err(why) => {
            for group in GITHUB {
                health.refuse(group, &why);
            }
            return Ok(None);
        }
    };
    let mut options = Options::new(outside.world, Arc::clone(&context.now));
    options.proxies = outside.proxies;
    let api = GitHub::open(outside.place, Some(credential), options, health.listener())
        .map_err(|error| CommandError::user(error.to_string()))?;
    Ok(Some(Github::new(api, registry, outside.choice)))
}

/// The registry as nobody, and as each account.
fn npm(
    npm: &NpmAccounts,
    health: &EndpointHealth,
    world: World,
    context: &Context,
) -> Result<Npm, CommandError> {
    health.expect(&[Group::NpmRead]);
    let mut options = Options::new(world, Arc::clone(&context.now));
    options.proxies = npm.proxies.clone();
    options.extra_ca.clone_from(&npm.extra_ca);
    options.listen = Some(health.listener());
    let bad = |error: ClientError| CommandError::user(error.to_string());
    let nobody = Registry::new(npm.base.clone(), options, None).map_err(bad)?;
    let accounts = npm
        .logins
        .iter()
        .map(|login| nobody.acting_as(login))
        .collect::<Result<Vec<_>, _>>()
        .map_err(bad)?;
    Ok(Npm::new(nobody, accounts, &npm.id))
}

/// Looks once at everything that is due, writes what is news, and gives the session back. Tells how the connections
/// stood at the end.
///
/// # Errors
/// The engine cannot start, or has failed.
pub fn one_pass(
    session: Session,
    poller: Poller,
    context: &mut Context,
) -> Result<(Vec<Link>, Session), CommandError> {
    let now = Arc::clone(&context.now);
    let health = poller.health.clone();
    let mut handle = Handle::start_live(session, now, poller)
        .map_err(|error| CommandError::internal(format!("the observers cannot start: {error}")))?;
    context
        .out
        .slow("looking at GitHub and npm", || handle.wait_for_observers());
    let session = handle
        .stop()
        .ok_or_else(|| CommandError::internal("the session's owner has ended"))?;
    Ok((health.links(), session))
}

/// Looks once, says what could not be reached, and prints the status with its exit codes.
///
/// # Errors
/// Nothing at all could be reached; the output cannot be written.
pub fn refresh(
    session: Session,
    mut poller: Poller,
    secrets: bool,
    format: Format,
    context: &mut Context,
) -> Result<Exit, CommandError> {
    poller.one_pass = true;
    if secrets {
        poller.once.push(Query::Secrets);
    }
    // By this very session: what was the same again is a look, and stands in no file.
    let (links, session) = one_pass(session, poller, context)?;
    let reached = say_links(&links, context);
    if !reached {
        return Err(
            CommandError::user("neither GitHub nor npm could be reached: nothing changed")
                .hint("`cutover status` prints it"),
        );
    }
    let outcome = status::print(&session, format, None, context)?;
    Ok(status::exit(&session, outcome))
}

/// Says which groups of endpoints gave no answer, and why. Tells whether any did, or none had to be asked.
pub fn say_links(links: &[Link], context: &mut Context) -> bool {
    let mut reached = false;
    let mut told: Vec<(&str, String, Vec<&str>)> = Vec::new();
    for link in links {
        let (what, why) = match &link.state {
            LinkState::Live { .. } => {
                reached = true;
                continue;
            }
            LinkState::Connecting => continue,
            LinkState::Limited { until, why } => ("has to wait", format!("{why}, until {until}")),
            LinkState::Unauthorised { why } => ("not authorised", why.to_string()),
            LinkState::Offline { why, .. } => ("could not be reached", why.to_string()),
        };
        // One missing token closes several groups: it is said once.
        match told
            .iter_mut()
            .find(|said| (said.0, &said.1) == (what, &why))
        {
            Some(said) => said.2.push(link.group),
            None => told.push((what, why, vec![link.group])),
        }
    }
    let reached = reached || told.is_empty();
    for (what, why, groups) in told {
        let groups = groups.join(", ");
        context.out.warn(format!("{what}: {groups}: {why}"));
    }
    reached
}

/// Numbers in 0..1 that differ from one console to the next: no more is asked of them than to spread tries.
fn spread(seed: u64) -> impl Fn() -> f64 + Send + Sync {
    let state = std::sync::atomic::AtomicU64::new(seed);
    move || {
        // SplitMix64's step.
        let mut z = state.fetch_add(0x9e37_79b9_7f4a_7c15, std::sync::atomic::Ordering::Relaxed);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}
