//! The outside world for verbs that look at it: which GitHub and registry, with whose credentials, by which clock.

use super::context::Context;
use super::error::CommandError;
use crate::engine::Handle;
use crate::engine::crew::Crew;
use crate::engine::observe::github::Github;
use crate::engine::observe::npm::Npm;
use crate::engine::switchboard::Switchboard;
use crate::github::discover::Choice;
use crate::github::{GitHub, Place};
use crate::http::{Credential, Group, Options, World};
use crate::registry::{Base, Login, Registry, RegistryError};
use crate::session::Session;
use std::sync::Arc;

/// Where to look, and as whom.
pub struct Outside {
    pub world: World,
    pub place: Place,
    /// None: what is public only, and no GraphQL.
    pub credential: Option<Credential>,
    pub npm: NpmAccounts,
    /// Simulated seconds in a second.
    pub speed: f64,
}

/// The registry, and who of us is logged in there.
pub struct NpmAccounts {
    pub base: Base,
    pub logins: Vec<Login>,
}

/// Makes the observers.
///
/// # Errors
/// TLS or a proxy cannot be set up, or a credential is for another place.
pub fn crew(outside: Outside, one_pass: bool, context: &Context) -> Result<Crew, CommandError> {
    let seed = context.random_seed()?;
    let random = Arc::new(spread(seed));
    let switchboard = Switchboard::new(Arc::clone(&context.now), random.clone());
    switchboard.expect(&[
        Group::GithubGraphql,
        Group::GithubRest,
        Group::GithubActions,
    ]);
    if outside.credential.is_none() {
        switchboard.refuse(
            Group::GithubGraphql,
            "no token: set GH_TOKEN, or log in with `gh auth login`",
        );
    }
    let options = Options::new(outside.world, Arc::clone(&context.now));
    let api = GitHub::open(
        outside.place,
        outside.credential,
        options,
        switchboard.listener(),
    )
    .map_err(|error| CommandError::user(error.to_string()))?;
    let registry = crate::assets::npm_url();
    let id = registry.trim_end_matches('/');
    let github = Github::new(api, id, Choice::default());
    let npm = npm(&outside.npm, &switchboard, outside.world, id, context)?;
    Ok(Crew {
        github: Some(Arc::new(github)),
        npm: Some(Arc::new(npm)),
        switchboard,
        now: Arc::clone(&context.now),
        speed: outside.speed,
        random,
        once: Vec::new(),
        one_pass,
    })
}

/// The registry as nobody, and as each account.
fn npm(
    npm: &NpmAccounts,
    switchboard: &Switchboard,
    world: World,
    id: &str,
    context: &Context,
) -> Result<Npm, CommandError> {
    switchboard.expect(&[Group::NpmRead]);
    let mut options = Options::new(world, Arc::clone(&context.now));
    options.listen = Some(switchboard.listener());
    let bad = |error: RegistryError| CommandError::user(error.to_string());
    let nobody = Registry::new(npm.base.clone(), options, None).map_err(bad)?;
    let accounts = npm
        .logins
        .iter()
        .map(|login| nobody.acting_as(login))
        .collect::<Result<Vec<_>, _>>()
        .map_err(bad)?;
    Ok(Npm::new(nobody, accounts, id))
}

/// Looks once at everything that is due, writes what is news, and gives the session back.
///
/// # Errors
/// The engine cannot start.
pub fn one_pass(session: Session, crew: Crew, context: &mut Context) -> Result<(), CommandError> {
    let now = Arc::clone(&context.now);
    let mut handle = Handle::start_live(session, now, crew)
        .map_err(|error| CommandError::internal(format!("the observers cannot start: {error}")))?;
    context
        .out
        .slow("looking at GitHub and npm", || handle.wait_for_observers());
    handle.stop();
    Ok(())
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
