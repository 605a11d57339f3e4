//! A simulated organisation in this process, a session on it, and the real observers between them.
//!
//! The clock is the caller's: it stands until it is moved, or runs as fast as asked. Nothing here waits by the clock:
//! every wait is for a picture, with a time after which the test has failed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    dead_code
)]

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cutover::engine::clocks::Steady;
use cutover::engine::endpoint_health::EndpointHealth;
use cutover::engine::live::LinkState;
use cutover::engine::observe::github::Github;
use cutover::engine::observe::npm::Npm;
use cutover::engine::poller::Poller;
use cutover::engine::snapshot::{Focus, Snapshot};
use cutover::engine::{Command, Handle};
use cutover::github::discover::Choice;
use cutover::github::{GitHub, Place};
use cutover::http::{Credential, Group, Options, World};
use cutover::model::event::SessionCreated;
use cutover::model::id::Subject;
use cutover::model::time::Ts;
use cutover::registry::{Base, Login, Registry};
use cutover::session::{self, Session};
use cutover::tabletop::{self, Opens, Tabletop};
use cutover::tui::action::Key;
use cutover::tui::form::Target;
use cutover::tui::layout::Size;
use cutover::tui::page::Page;
use cutover::tui::state::{Settings, State, Tab};
use cutover::tui::theme::{Depth, Glyphs, Theme};
use cutover::tui::update::{Effect, Message, update};
use cutover::tui::view;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

/// The forge's name in the session, whatever port serves it.
const FORGE: &str = "github.com";
/// No picture in this time: the test has failed.
const PATIENCE: Duration = Duration::from_secs(300);

/// Simulated time since the start.
#[derive(Clone)]
pub enum Time {
    /// Milliseconds; it stands until it is moved.
    Standing(Arc<AtomicU64>),
    /// So many simulated seconds in a second.
    Running { began: Instant, speed: f64 },
}

impl Time {
    pub fn standing() -> Self {
        Self::Standing(Arc::default())
    }

    pub fn running(speed: f64) -> Self {
        let began = Instant::now();
        Self::Running { began, speed }
    }

    pub fn elapsed(&self) -> Duration {
        match self {
            Self::Standing(millis) => Duration::from_millis(millis.load(Ordering::SeqCst)),
            Self::Running { began, speed } => began.elapsed().mul_f64(*speed),
        }
    }

    fn speed(&self) -> f64 {
        match self {
            // The observers look often whether time was moved.
            Self::Standing(_) => 20.0,
            Self::Running { speed, .. } => *speed,
        }
    }
}

/// Everything that plays together.
pub struct Stage {
    pub table: Tabletop,
    pub time: Time,
    pub now: Arc<dyn Fn() -> Ts + Send + Sync>,
    pub path: PathBuf,
    /// Milliseconds that the machine has slept.
    slept: Arc<AtomicI64>,
    handle: Option<Handle>,
    runtime: tokio::runtime::Runtime,
    folder: tempfile::TempDir,
}

impl Stage {
    pub fn new(repos: usize, time: Time, prepare: impl FnOnce(&Tabletop)) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let start: chrono::DateTime<chrono::Utc> = "2026-12-04T17:00:00Z".parse().unwrap();
        let passed = time.clone();
        let table = runtime
            .block_on(Tabletop::start(tabletop::Options {
                repos,
                seed: 7,
                speed: 1.0,
                start,
                scenario: None,
                elapsed: Some(Arc::new(move || passed.elapsed())),
            }))
            .unwrap();
        prepare(&table);
        let (from, passed) = (start.timestamp(), time.clone());
        let now: Arc<dyn Fn() -> Ts + Send + Sync> =
            Arc::new(move || Ts(from + i64::try_from(passed.elapsed().as_secs()).unwrap()));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table.cutover");
        let session = found(&path, &table, now());
        let mut stage = Self {
            table,
            time,
            now,
            path,
            slept: Arc::default(),
            handle: None,
            runtime,
            folder,
        };
        stage.begin(session, 0);
        stage
    }

    /// Starts the observers, as the npm account of that number.
    fn begin(&mut self, session: Session, account: usize) {
        let (time, slept) = (self.time.clone(), Arc::clone(&self.slept));
        let steady = Arc::new(move || {
            let all = i64::try_from(time.elapsed().as_millis()).unwrap();
            all - slept.load(Ordering::SeqCst)
        });
        let poller = poller(&self.table, &self.now, steady, self.time.speed(), account);
        let handle = Handle::start_live(session, Arc::clone(&self.now), poller).unwrap();
        let focus = Focus {
            packages: true,
            ..Focus::default()
        };
        handle.commands.try_send(Command::Focus(focus)).unwrap();
        self.handle = Some(handle);
    }

    /// Leaves the console.
    pub fn quit(&mut self) {
        let session = self.handle.take().and_then(Handle::stop);
        assert!(session.is_some(), "the session's owner has failed");
    }

    /// Opens the console again, as the npm account of that number.
    pub fn again(&mut self, account: usize) {
        let mut options = options(self.folder.path(), (self.now)());
        options.random = [8; 16];
        let session = Session::open(&self.path, options).unwrap();
        self.begin(session, account);
    }

    /// The file of what a later start need not ask again.
    pub fn cache(&self) -> PathBuf {
        let session = self.read_back().facts().session.session.clone();
        let state = self.folder.path().join("state");
        state.join(&*session).join("cache.json")
    }

    /// Lets the machine sleep: the world goes on, and the steady clock stands.
    pub fn sleep(&self, seconds: u32) {
        let millis = i64::from(seconds) * 1_000;
        self.slept.fetch_add(millis, Ordering::SeqCst);
        self.pass(seconds.into());
    }

    /// Moves a standing clock.
    pub fn pass(&self, seconds: u64) {
        if let Time::Standing(millis) = &self.time {
            millis.fetch_add(seconds * 1_000, Ordering::SeqCst);
        }
    }

    /// Waits for a picture of which something is true. Says how the last one stood where none comes.
    pub fn wait(&mut self, what: &str, is: impl FnMut(&Arc<Snapshot>) -> bool) -> Arc<Snapshot> {
        let snapshots = &mut self.handle.as_mut().unwrap().snapshots;
        let waited = self.runtime.block_on(async {
            let found = tokio::time::timeout(PATIENCE, snapshots.wait_for(is)).await;
            found.map(|found| Arc::clone(&found.unwrap()))
        });
        waited.unwrap_or_else(|_| {
            let last = self.picture();
            panic!(
                "{what} did not come; {:?}, waiting {:?}, notes {:?}\n{}",
                last.live.links,
                last.live.waiting,
                last.live.notes,
                self.screen(&last, Tab::Board)
            )
        })
    }

    /// Waits until everything was looked at once: runs, tokens and every package.
    pub fn first_look(&mut self) -> Arc<Snapshot> {
        self.wait("the first look", |snapshot| {
            let packages = snapshot.live.packages.as_ref();
            snapshot.live.waiting == (0, 0)
                && !snapshot.live.runs.is_empty()
                && !snapshot.tokens.is_empty()
                && packages.is_some_and(|rows| {
                    !rows.is_empty() && rows.iter().all(|row| row.as_of.is_some())
                })
        })
    }

    /// Waits until these groups were heard at the present instant, and nothing more is to be asked.
    pub fn quiet(&mut self, groups: &[Group]) -> Arc<Snapshot> {
        let now = (self.now)();
        self.wait(&format!("quiet of {groups:?}"), |snapshot| {
            snapshot.live.waiting == (0, 0)
                && groups.iter().all(|group| {
                    snapshot.live.links.iter().any(|link| {
                        link.group == group.word()
                            && matches!(link.state, LinkState::Live { heard } if heard >= now)
                    })
                })
        })
    }

    pub fn picture(&self) -> Arc<Snapshot> {
        Arc::clone(&self.handle.as_ref().unwrap().snapshots.borrow())
    }

    /// Opens something, as the console does.
    pub fn focus(&mut self, focus: Focus) -> Arc<Snapshot> {
        let commands = self.handle.as_ref().unwrap().commands.clone();
        commands
            .blocking_send(Command::Focus(focus.clone()))
            .unwrap();
        self.wait("the focus", |snapshot| snapshot.focus == focus)
    }

    /// Asks the engine for something.
    pub fn tell(&self, command: Command) {
        let commands = &self.handle.as_ref().unwrap().commands;
        commands.blocking_send(command).unwrap();
    }

    /// What a person sees in a window of 120 columns.
    pub fn screen(&self, snapshot: &Arc<Snapshot>, tab: Tab) -> String {
        self.screen_of(120, snapshot, tab)
    }

    /// What a person sees in a window of another width.
    pub fn screen_of(&self, width: u16, snapshot: &Arc<Snapshot>, tab: Tab) -> String {
        screen(&state(snapshot, (self.now)(), width, tab))
    }

    /// What a person sees who opens the page of something, in a window tall enough for all of it.
    pub fn page(&mut self, about: Subject) -> String {
        let shown = self.focus(Focus {
            page: Some(about),
            ..Focus::default()
        });
        let mut state = state(&shown, (self.now)(), 120, Tab::Board);
        state.size.height = 90;
        let target = Target {
            subject: about,
            name: String::new(),
        };
        state.page = Some(Page::open(target, state.size.page_rows()));
        state.take_rows();
        self.focus(Focus::default());
        screen(&state)
    }

    /// Reads the session's file back, as another program would.
    pub fn read_back(&self) -> Session {
        let mut options = options(self.folder.path(), (self.now)());
        options.read_only = true;
        Session::open(&self.path, options).unwrap()
    }
}

fn state(snapshot: &Arc<Snapshot>, now: Ts, width: u16, tab: Tab) -> State {
    let size = Size { width, height: 30 };
    let settings = Settings {
        utc: true,
        session: "table.cutover".to_owned(),
        ..Settings::default()
    };
    let mut state = State::new(Arc::clone(snapshot), settings, now, size);
    state.tab = tab;
    state.take_rows();
    state
}

fn screen(state: &State) -> String {
    let size = state.size;
    let theme = Theme::named("dark", Depth::True, Glyphs::Unicode).unwrap();
    let mut terminal = Terminal::new(TestBackend::new(size.width, size.height)).unwrap();
    terminal
        .draw(|frame| view::draw(frame, state, &theme))
        .unwrap();
    let buffer = terminal.backend().buffer();
    let mut all = String::new();
    for y in 0..size.height {
        let line: String = (0..size.width).map(|x| buffer[(x, y)].symbol()).collect();
        all.push_str(line.trim_end());
        all.push('\n');
    }
    all
}

/// A console on the stage's pictures, driven by keys.
pub struct Console {
    state: State,
    now: Arc<dyn Fn() -> Ts + Send + Sync>,
}

impl Console {
    pub fn of(stage: &Stage, tab: Tab) -> Self {
        Self {
            state: state(&stage.picture(), (stage.now)(), 120, tab),
            now: Arc::clone(&stage.now),
        }
    }

    pub fn key(&mut self, key: Key) -> Vec<Effect> {
        let mut effects = update(&mut self.state, (self.now)(), Message::Key(key));
        effects.retain(|effect| !matches!(effect, Effect::Focus(_)));
        effects
    }

    pub fn show(&mut self, snapshot: &Arc<Snapshot>) {
        let message = Message::Snapshot(Arc::clone(snapshot));
        update(&mut self.state, (self.now)(), message);
    }

    pub fn screen(&self) -> String {
        screen(&self.state)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Some(handle) = self.handle.take() {
            handle.stop();
        }
    }
}

fn options(folder: &std::path::Path, now: Ts) -> session::Options {
    session::Options {
        state: folder.join("state"),
        actor: "rosa".to_owned(),
        device: "desk".to_owned(),
        program: "test".to_owned(),
        read_only: false,
        random: [7; 16],
        now,
    }
}

fn found(path: &std::path::Path, table: &Tabletop, now: Ts) -> Session {
    let registry = cutover::assets::npm_url();
    let created = SessionCreated {
        world: cutover::model::event::World::Tabletop,
        forge: FORGE.into(),
        registry: registry.trim_end_matches('/').into(),
        organisations: vec![table.organisation.as_str().into()],
        name: table.organisation.as_str().into(),
        ..SessionCreated::default()
    };
    let options = options(path.parent().unwrap(), now);
    session::create(path, &created, &options).unwrap();
    Session::open(path, options).unwrap()
}

fn poller(
    table: &Tabletop,
    now: &Arc<dyn Fn() -> Ts + Send + Sync>,
    steady: Steady,
    speed: f64,
    account: usize,
) -> Poller {
    let random: Arc<dyn Fn() -> f64 + Send + Sync> = Arc::new(|| 0.5);
    let health = EndpointHealth::new(Arc::clone(now), Arc::clone(&random));
    health.expect(&[
        Group::GithubGraphql,
        Group::GithubRest,
        Group::GithubActions,
        Group::NpmRead,
    ]);
    let mut times = Options::new(World::Tabletop, Arc::clone(now));
    times.connect = Duration::from_secs(5);
    times.between = Duration::from_secs(4);
    times.total = Duration::from_secs(8);
    let place = Place::tabletop(&table.github, FORGE).unwrap();
    let one = &table
        .credentials
        .iter()
        .find(|one| one.opens == Opens::Github)
        .unwrap();
    let credential = Credential::bearer(place.origin().clone(), &one.secret, &one.who).unwrap();
    let api = GitHub::open(place, Some(credential), times.clone(), health.listener()).unwrap();
    let registry = cutover::assets::npm_url();
    let id = registry.trim_end_matches('/');
    times.listen = Some(health.listener());
    let base = Base::parse(&table.registry, World::Tabletop).unwrap();
    let nobody = Registry::new(base.clone(), times, None).unwrap();
    let one = table
        .credentials
        .iter()
        .filter(|one| one.opens == Opens::NpmSession)
        .nth(account)
        .unwrap();
    let account = nobody
        .acting_as(&Login::new(&base, &one.who, one.secret.clone()))
        .unwrap();
    Poller {
        github: Some(Arc::new(Github::new(api, id, Choice::default()))),
        npm: Some(Arc::new(Npm::new(nobody, vec![account], id))),
        health,
        now: Arc::clone(now),
        steady,
        speed,
        random,
        once: Vec::new(),
        one_pass: false,
        anew: false,
        cached: true,
    }
}
