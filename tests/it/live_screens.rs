//! Whole screens of the console over a simulated organisation: the same code as for the real services, looking at servers
//! of this process, once around. The world is seeded and its clock stands still, so that the screens can be compared.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use crate::common::console;
use console::Console;
use cutover::engine::Handle;
use cutover::engine::endpoint_health::EndpointHealth;
use cutover::engine::observe::github::Github;
use cutover::engine::observe::npm::Npm;
use cutover::engine::poller::Poller;
use cutover::github::discover::Choice;
use cutover::github::{GitHub, Place};
use cutover::http::{Credential, Options, World};
use cutover::model::event::SessionCreated;
use cutover::model::policy::Policy;
use cutover::model::time::Ts;
use cutover::registry::{Base, Login, Registry};
use cutover::session::{self, Session};
use cutover::tabletop::{self, Opens, Tabletop};
use cutover::tui::action::Key;
use std::sync::Arc;
use std::time::Duration;

const NOW: &str = "2026-12-04T17:00:00Z";

fn now() -> Ts {
    Ts::parse(NOW).unwrap()
}

/// A simulated organisation with a clock that stands still, and the runtime that serves it.
fn world(repos: usize) -> (Tabletop, tokio::runtime::Runtime) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let world = runtime
        .block_on(Tabletop::start(tabletop::Options {
            repos,
            seed: 1,
            speed: 1.0,
            start: now().utc(),
            scenario: None,
            elapsed: Some(Arc::new(|| Duration::ZERO)),
        }))
        .unwrap();
    (world, runtime)
}

fn poller(world: &Tabletop, registry: &str) -> Poller {
    let clock: cutover::engine::clocks::Now = Arc::new(now);
    let random: cutover::engine::endpoint_health::Random = Arc::new(|| 0.5);
    let health = EndpointHealth::new(Arc::clone(&clock), Arc::clone(&random));
    let place = Place::tabletop(&world.github, "github.com").unwrap();
    let who = |opens| {
        world
            .credentials
            .iter()
            .find(|one| one.opens == opens)
            .unwrap()
    };
    let principal = who(Opens::Github);
    let credential =
        Credential::bearer(place.origin().clone(), &principal.secret, &principal.who).unwrap();
    let options = || Options::new(World::Tabletop, Arc::new(now));
    let api = GitHub::open(place, Some(credential), options(), health.listener()).unwrap();
    let base = Base::parse(&world.registry, World::Tabletop).unwrap();
    let session = who(Opens::NpmSession);
    let login = Login::new(&base, &session.who, session.secret.clone());
    let listened = Options {
        listen: Some(health.listener()),
        ..options()
    };
    let nobody = Registry::new(base, listened, None).unwrap();
    let account = nobody.acting_as(&login).unwrap();
    Poller {
        github: Some(Arc::new(Github::new(api, registry, Choice::default()))),
        npm: Some(Arc::new(Npm::new(nobody, vec![account], registry))),
        health,
        now: clock,
        steady: Arc::new(|| 0),
        speed: 1.0,
        random,
        once: Vec::new(),
        one_pass: true,
        anew: false,
        cached: false,
    }
}

/// The console after one pass over the world.
fn looked(repos: usize, width: u16, height: u16) -> (Console, Tabletop, tokio::runtime::Runtime) {
    let (world, runtime) = world(repos);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("acme.cutover");
    let registry = cutover::assets::npm_url();
    let registry = registry.trim_end_matches('/');
    let options = session::Options {
        state: folder.path().join("state"),
        actor: "rosa".to_owned(),
        device: "desk".to_owned(),
        program: "test".to_owned(),
        read_only: false,
        random: [7; 16],
        now: now(),
    };
    let created = SessionCreated {
        world: cutover::model::event::World::Tabletop,
        forge: "github.com".into(),
        registry: registry.into(),
        organisations: vec![world.organisation.as_str().into()],
        name: world.organisation.as_str().into(),
        ..SessionCreated::default()
    };
    session::create(&path, &created, &options).unwrap();
    let mut session = Session::open(&path, options).unwrap();
    session.adopt_policy(&Policy::default(), now()).unwrap();
    let mut handle = Handle::start_live(session, Arc::new(now), poller(&world, registry)).unwrap();
    handle.wait_for_observers();
    // What they said last is taken in before the engine does anything else; its pictures stop then.
    runtime.block_on(async {
        let mut pictures = handle.snapshots.clone();
        while tokio::time::timeout(Duration::from_secs(2), pictures.changed())
            .await
            .is_ok()
        {}
    });
    let console = Console::of(handle, folder, now(), width, height);
    (console, world, runtime)
}

/// Budgets depend on which of two questions came first; everything else is the same each time.
fn compare(name: &str, screen: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"\d,\d\d\d/5,000", "[left]/5,000");
    settings.add_filter(r"\d+ of 5000 left", "[left] of 5000 left");
    settings.add_filter(r"pace uses \d+ *", "pace uses [planned]");
    settings.bind(|| insta::assert_snapshot!(name, screen));
}

#[test]
fn the_screens_of_a_seeded_world() {
    for (width, height) in [(80, 24), (200, 60)] {
        let (mut console, world, runtime) = looked(60, width, height);
        for (name, keys) in [
            ("board", &[Key::Char('1')][..]),
            ("pipelines", &[Key::Char('2')]),
            ("tokens", &[Key::Char('3')]),
            ("packages", &[Key::Char('4')]),
            ("package", &[Key::Char('4'), Key::Enter]),
            ("powers", &[Key::Char('w')]),
            ("repo", &[Key::Char('1'), Key::Enter]),
            ("connections", &[Key::Char('1'), Key::Char('i')]),
            (
                "trust_cost",
                &[Key::Esc, Key::Char('4'), Key::Char('*'), Key::Char('t')],
            ),
        ] {
            for key in keys {
                console.key(*key);
            }
            compare(&format!("live_{name}_{width}x{height}"), &console.screen());
        }
        drop(world);
        runtime.shutdown_background();
    }
}

#[test]
fn something_runs_and_a_failure_is_explained() {
    let (console, _world, _runtime) = looked(60, 120, 40);
    let runs = &console.state.snapshot.live.runs;
    assert!(
        runs.iter().any(|run| run.state.is_open()),
        "nothing runs of {}: {:?}",
        runs.len(),
        console.state.snapshot.live.links
    );
    let explained = runs.iter().filter_map(|run| run.cause.as_ref());
    let known = explained.filter(|cause| &*cause.id != "unknown");
    assert!(known.count() > 0, "no failure is explained");
    assert!(console.state.snapshot.rows.len() >= 60);
}
