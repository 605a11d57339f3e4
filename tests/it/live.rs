//! The verbs that look outside, against the simulated organisation: through the library, since the world of a real
//! session has no place on this machine.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

use cutover::commands::context::{Context, Look};
use cutover::commands::live::{self, NpmAccounts, Outside};
use cutover::commands::output::Output;
use cutover::commands::status::Format;
use cutover::commands::{Exit, diagnose, tabletop as verb, watch};
use cutover::github::discover::Choice;
use cutover::github::{GitHub, Place};
use cutover::http::{Options, Proxies, World};
use cutover::model::time::Ts;
use cutover::registry::Base;
use cutover::tabletop::{self, Tabletop};
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Reads of the whole environment: a function without a state of its own counts here.
static LISTED: AtomicUsize = AtomicUsize::new(0);

/// A stream that is read along, and whose reader may have had enough.
#[derive(Clone)]
struct Kept {
    bytes: Arc<Mutex<Vec<u8>>>,
    enough: fn(&str) -> bool,
}

impl Kept {
    fn new(enough: fn(&str) -> bool) -> Self {
        Self {
            bytes: Arc::default(),
            enough,
        }
    }

    fn text(&self) -> String {
        String::from_utf8(self.bytes.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let whole = {
            let kept = self.bytes.lock().unwrap();
            kept.is_empty() || kept.ends_with(b"\n")
        };
        if whole && (self.enough)(&self.text()) {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        self.bytes.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Room {
    dir: tempfile::TempDir,
    world: Tabletop,
    /// The servers live as long as it does.
    runtime: tokio::runtime::Runtime,
    out: Kept,
    talk: Kept,
    reads: Arc<AtomicUsize>,
}

fn random() -> io::Result<[u8; 16]> {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let next = NEXT
        .fetch_add(1, Ordering::SeqCst)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&next.to_be_bytes());
    Ok(bytes)
}

impl Room {
    fn new(repos: usize, enough: fn(&str) -> bool) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let options = tabletop::Options {
            repos,
            seed: 1,
            speed: 1.0,
            start: Ts::parse("2026-12-05T09:00:00Z").unwrap().utc(),
            scenario: None,
            elapsed: None,
        };
        let world = runtime.block_on(Tabletop::start(options)).unwrap();
        Self {
            dir: tempfile::tempdir().unwrap(),
            world,
            runtime,
            out: Kept::new(enough),
            talk: Kept::new(|_| false),
            reads: Arc::default(),
        }
    }

    /// A context whose every variable holds a credential, and counts its readers.
    fn context(&self) -> Context {
        let (clock, reads) = (self.world.clock.clone(), Arc::clone(&self.reads));
        Context {
            out: Output::plain(Box::new(self.out.clone()), Box::new(self.talk.clone())),
            now: Arc::new(move || Ts(clock.now() / 1_000)),
            random,
            folder: self.dir.path().to_owned(),
            session: None,
            actor: Some("rosa".to_owned()),
            login: None,
            read_only: false,
            sign_with: None,
            look: Look::default(),
            state: self.dir.path().join("state"),
            config_folder: None,
            device: "host".to_owned(),
            browser: None,
            environment: || {
                LISTED.fetch_add(1, Ordering::SeqCst);
                vec![("GH_TOKEN".into(), "planted".into())]
            },
            variable: Arc::new(move |_| {
                reads.fetch_add(1, Ordering::SeqCst);
                Some("planted".to_owned())
            }),
            home: Some(self.dir.path().join("home")),
            search: None,
            target: None,
            interactive: false,
            screen: false,
        }
    }

    fn session(&self, context: &mut Context) -> PathBuf {
        let path = self.dir.path().join("world.cutover");
        verb::found(&path, &self.world, "rosa", context).unwrap();
        path
    }

    fn refresh(&self, path: &Path, secrets: bool, context: &mut Context) -> Exit {
        self.refresh_as(path, secrets, false, context)
    }

    fn refresh_as(&self, path: &Path, secrets: bool, anew: bool, context: &mut Context) -> Exit {
        let outside = verb::outside(&self.world, 1.0).unwrap();
        let mut poller = live::poller(outside, true, context).unwrap();
        (poller.anew, poller.cached) = (anew, true);
        let session = context.write(path).unwrap();
        live::refresh(session, poller, secrets, Format::Json, context).unwrap()
    }

    /// Nothing of the machine's own was read, and nothing of the world's credentials was let out.
    fn is_clean(&self) {
        let read = (
            self.reads.load(Ordering::SeqCst),
            LISTED.load(Ordering::SeqCst),
        );
        assert_eq!(read, (0, 0));
        let file = std::fs::read_to_string(self.dir.path().join("world.cutover")).unwrap();
        for text in [self.out.text(), self.talk.text(), file] {
            for one in &self.world.credentials {
                assert!(!text.contains(one.secret.expose()), "of {}", one.who);
            }
        }
    }
}

/// Conclusions and causes of all runs that are known, in words.
fn told(session: &cutover::session::Session) -> Vec<String> {
    let runs = session.facts().seen.values().filter_map(|seen| seen.runs());
    runs.flat_map(|(fact, _)| &fact.runs)
        .map(|run| format!("{:?} {:?}", run.conclusion, run.cause))
        .collect()
}

#[test]
fn a_refresh_sees_the_world_and_its_status_is_the_exit() {
    let room = Room::new(30, |_| false);
    let mut context = room.context();
    let path = room.session(&mut context);
    let exit = room.refresh(&path, false, &mut context);
    assert!(
        matches!(exit, Exit::WorkRemains | Exit::Blocked),
        "{exit:?}"
    );
    let status: Value = serde_json::from_str(&room.out.text()).unwrap();
    assert_eq!(status["version"], 1, "{status}");
    let session = context.read(&path).unwrap();
    let facts = session.facts();
    assert!(
        facts.repos.len() >= 8 && facts.paths.len() >= 5,
        "{} {}",
        facts.repos.len(),
        facts.paths.len()
    );
    assert!(facts.seen.values().any(|seen| seen.runs().is_some()));
    assert!(!facts.seen.values().any(|seen| seen.secrets().is_some()));
    let before = room.world.counters();
    assert_eq!(before.writes, 0, "{:?}", before.written);
    // Asked for, every store is looked into as well.
    room.refresh(&path, true, &mut context);
    let session = context.read(&path).unwrap();
    assert!(
        session
            .facts()
            .seen
            .values()
            .any(|seen| seen.secrets().is_some())
    );
    assert_eq!(room.world.counters().writes, 0);
    room.is_clean();

    // A failed run that a look has explained is explained alike by its number.
    let (repo, run, cause) = session
        .facts()
        .seen
        .iter()
        .find_map(|(id, seen)| {
            let (fact, _) = seen.runs()?;
            let run = fact.runs.iter().find(|run| {
                let known = seen.why(run).cause.filter(|cause| *cause != "unknown");
                known.is_some_and(|cause| !cause.starts_with("log-"))
            })?;
            let name = session.facts().repos.get(id)?.name().to_owned();
            Some((name, run.id, seen.why(run).cause?.to_owned()))
        })
        .unwrap_or_else(|| panic!("no log explains a run of {:?}", told(&session)));
    let place = Place::tabletop(&room.world.github, "github.com").unwrap();
    let outside = verb::outside(&room.world, 1.0).unwrap();
    let options = Options::new(World::Tabletop, Arc::clone(&context.now));
    let api = GitHub::open(place, outside.credential.ok(), options, Arc::new(|_, _| ())).unwrap();
    let home = Place::parse("github.com").unwrap();
    let address = format!("https://github.com/{repo}/actions/runs/{run}");
    let address = diagnose::run::parse(&address, &home).unwrap();
    for format in [diagnose::Format::Table, diagnose::Format::Json] {
        let from = room.out.text().len();
        let exit = diagnose::run::of_run(&api, &address, format, &mut context).unwrap();
        let said = room.out.text().split_off(from);
        assert_eq!(exit, Exit::Done, "{said}");
        assert!(said.contains(&*cause), "{cause} is not in {said}");
    }
    room.is_clean();
    drop(room.runtime);
}

#[test]
fn a_second_refresh_asks_next_to_nothing_and_tells_the_same() {
    let room = Room::new(12, |_| false);
    let mut context = room.context();
    let path = room.session(&mut context);
    let mut refresh = |anew| {
        let (before, from) = (room.world.counters().requests, room.out.text().len());
        let exit = room.refresh_as(&path, false, anew, &mut context);
        let status: Value = serde_json::from_str(&room.out.text().split_off(from)).unwrap();
        let asked = room.world.counters().requests - before;
        (asked, exit, status["repos"].clone())
    };
    let (first, exit, status) = refresh(false);
    assert!(first > 60 && status.is_array(), "{first} {status}");
    let second = refresh(false);
    // Who asks, of each account; and runs that go on, with what they publish.
    assert!(second.0 <= 12, "{} after {first}", second.0);
    assert_eq!((second.1, &second.2), (exit, &status));
    // Where it is wanted, everything is asked: documents by their tags.
    let same = || room.world.counters().statuses.get(&304).copied();
    let before = same();
    let (third, ..) = refresh(true);
    assert!(third > first / 2, "{third} after {first}");
    assert!(same() > before);
    room.is_clean();
    drop(room.runtime);
}

#[test]
fn a_watch_tells_what_changes_and_ends_with_its_reader() {
    fn kinds(text: &str) -> BTreeSet<String> {
        let kind = |line: &str| {
            let line: Value = serde_json::from_str(line).unwrap();
            assert_eq!(line["version"], 1, "{line}");
            assert!(Ts::parse(line["at"].as_str().unwrap()).is_some(), "{line}");
            line["kind"].as_str().unwrap().to_owned()
        };
        text.lines().map(kind).collect()
    }
    let all = ["clock", "gate", "link", "package", "run", "token"];
    let room = Room::new(8, |text| kinds(text).len() == 6);
    let mut context = room.context();
    let path = room.session(&mut context);
    let outside = verb::outside(&room.world, 1.0).unwrap();
    let poller = live::poller(outside, false, &context).unwrap();
    let session = context.write(&path).unwrap();
    let limit = Some(Duration::from_secs(120));
    let ended = watch::follow(session, poller, limit, &mut context);
    let told = kinds(&room.out.text());
    assert_eq!(told, all.map(str::to_owned).into());
    // The reader went away: nothing to complain about, and the session is whole and free again.
    assert_eq!(ended.map_err(|error| error.code()), Err(0));
    assert!(context.write(&path).is_ok());
    room.is_clean();
    drop(room.runtime);
}

#[test]
fn a_watch_ends_when_its_time_is_over() {
    let room = Room::new(3, |_| false);
    let mut context = room.context();
    let path = room.session(&mut context);
    let outside = verb::outside(&room.world, 1.0).unwrap();
    let poller = live::poller(outside, false, &context).unwrap();
    let session = context.write(&path).unwrap();
    let ended = watch::follow(
        session,
        poller,
        Some(Duration::from_millis(200)),
        &mut context,
    );
    assert_eq!(ended.unwrap(), Exit::Done);
    drop(room.runtime);
}

#[test]
fn where_nothing_answers_the_session_stays_and_the_exit_says_so() {
    let room = Room::new(3, |_| false);
    let mut context = room.context();
    let path = room.session(&mut context);
    let before = std::fs::read(&path).unwrap().len();
    // A port that was free a moment ago: nothing listens there.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let base = Base::parse(&format!("http://127.0.0.1:{port}"), World::Tabletop).unwrap();
    let outside = Outside {
        credential: Err("no token: this is a test".to_owned()),
        choice: Choice::default(),
        npm: NpmAccounts {
            id: base.id().to_owned(),
            base,
            logins: Vec::new(),
            proxies: Proxies::default(),
            extra_ca: None,
        },
        ..verb::outside(&room.world, 1.0).unwrap()
    };
    let poller = live::poller(outside, true, &context).unwrap();
    let session = context.write(&path).unwrap();
    let error = live::refresh(session, poller, false, Format::Table, &mut context).unwrap_err();
    assert_eq!(error.code(), 1);
    let said = room.talk.text();
    assert!(
        said.contains("GitHub GraphQL") && said.contains("no token: this is a test"),
        "{said}"
    );
    assert!(said.contains("npm read"), "{said}");
    assert_eq!(room.world.counters().requests, 0);
    assert!(std::fs::read(&path).unwrap().len() >= before);
    assert_eq!(room.out.text(), "");
    drop(room.runtime);
}
