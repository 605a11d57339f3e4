//! A real session in a temporary folder, its engine, and the console's state driven by keys: for screens and benches.
//!
//! Nothing here waits by the clock: every effect is carried out before the next key.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    dead_code
)]

use std::sync::Arc;

use cutover::engine::snapshot::Focus;
use cutover::engine::{Command, Handle};
use cutover::model::event::{Observation, SessionCreated};
use cutover::model::fact::{
    Answer, CredentialFact, InventoryFact, ListingFact, PackageFact, PathFact, RegistryFact,
    RepoFact, RunnerFact, TokenFact, UseFact,
};
use cutover::model::id::Subject;
use cutover::model::lane::Lane;
use cutover::model::time::{DAY, Ts};
use cutover::session::decide::{Action, Assign, GateAction, LaneAction, NoteAction, Role};
use cutover::session::{Options, Session, create};
use cutover::tui::action::Key;
use cutover::tui::decided;
use cutover::tui::layout::Size;
use cutover::tui::state::{Settings, State};
use cutover::tui::theme::{Depth, Glyphs, Theme};
use cutover::tui::update::{Effect, Message, update};
use cutover::tui::view;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;

/// Any origin will do: nothing is asked of it.
const REGISTRY: &str = "registry.example";

/// The instant of every screen: 39 days before the first possible day of the January cut-off.
pub fn start() -> Ts {
    Ts::parse("2026-11-23T10:00:00Z").unwrap()
}

fn options(folder: &std::path::Path, read_only: bool) -> Options {
    Options {
        state: folder.join("state"),
        actor: "rosa".to_owned(),
        device: "desk".to_owned(),
        program: "test".to_owned(),
        read_only,
        random: [7; 16],
        now: start(),
    }
}

/// A session of this many repositories, with tokens and a few decisions.
pub fn session(folder: &std::path::Path, repos: usize, read_only: bool) -> Session {
    let path = folder.join("acme.cutover");
    let created = SessionCreated {
        forge: "github.com".into(),
        registry: REGISTRY.into(),
        organisations: vec!["acme".into()],
        name: "acme".into(),
        ..SessionCreated::default()
    };
    create(&path, &created, &options(folder, false)).unwrap();
    let mut session = Session::open(&path, options(folder, false)).unwrap();
    if repos > 0 {
        session.observe(facts(repos), start()).unwrap();
        decide(&mut session);
    }
    if read_only {
        drop(session);
        session = Session::open(&path, options(folder, true)).unwrap();
    }
    session
}

const NAMES: [&str; 12] = [
    "ui-kit",
    "cli",
    "core",
    "docs-site",
    "eslint-config",
    "gateway",
    "icons",
    "legacy-sdk",
    "mobile",
    "parsers",
    "release-tools",
    "design-tokens",
];

fn repo(at: usize) -> (Subject, String) {
    let name = match NAMES.get(at) {
        Some(name) => format!("acme/{name}"),
        None => format!("acme/service-{at:05}"),
    };
    (Subject::repo("github.com", &name), name)
}

fn path(at: usize) -> (Subject, PathFact) {
    let (repo, name) = repo(at);
    let file = ".github/workflows/release.yml";
    let short = name.trim_start_matches("acme/");
    let fact = PathFact {
        repo: Some(repo),
        file: file.into(),
        job: Some("publish".into()),
        line: 42,
        registry: RegistryFact::Npmjs,
        credential: if at % 5 == 2 {
            CredentialFact::TokenAndOidc
        } else {
            CredentialFact::Token
        },
        secret: Some("NPM_TOKEN".into()),
        id_token: at % 5 == 2,
        environment: at.is_multiple_of(3).then(|| "npm".into()),
        runner: if at % 7 == 5 {
            RunnerFact::SelfHosted
        } else {
            RunnerFact::Hosted
        },
        unpinned: at % 4 == 1,
        fails_open: at % 6 == 4,
        packages: vec![package(&format!("@acme/{short}"))],
        ..PathFact::default()
    };
    (Subject::path(repo, file, "publish", 0), fact)
}

fn package(name: &str) -> Subject {
    Subject::package(REGISTRY, name)
}

fn token(account: &str, key: &str) -> Subject {
    Subject::token(REGISTRY, account, key)
}

fn facts(repos: usize) -> Vec<(Subject, Observation)> {
    let mut facts = Vec::new();
    for at in 0..repos {
        let (id, name) = repo(at);
        let (path_id, path) = path(at);
        let short = name.trim_start_matches("acme/").to_owned();
        let package_fact = PackageFact {
            name: format!("@acme/{short}").into(),
            repo: Some(id),
            repository_matches: Some(at % 3 != 1),
            ..PackageFact::default()
        };
        let uses = (at % 4 == 0).then(|| UseFact {
            file: ".github/workflows/test.yml".into(),
            line: 18,
            secret: Some("NPM_TOKEN".into()),
            ..UseFact::default()
        });
        let scanned = RepoFact {
            name: name.as_str().into(),
            commit: Some("0123456789abcdef0123456789abcdef01234567".into()),
            refs: "this checkout only, other refs not checked".into(),
            paths: vec![path_id],
            packages: path.packages.clone(),
            uses: uses.into_iter().collect(),
            ..RepoFact::default()
        };
        let listed = InventoryFact {
            name: name.as_str().into(),
            secret_name: Some("NPM_TOKEN".into()),
            secret_store: Some("org:acme".into()),
            from: format!("inventory.csv:{}", at + 2).into(),
            ..InventoryFact::default()
        };
        facts.push((path.packages[0], Answer::Package(package_fact)));
        facts.push((path_id, Answer::Path(path)));
        facts.push((id, Answer::Repo(scanned)));
        if at < NAMES.len() {
            facts.push((id, Answer::Inventory(listed)));
        }
    }
    facts.extend(tokens());
    let as_of = start().plus(-3_600);
    facts
        .into_iter()
        .map(|(about, answer)| (about, Observation { as_of, answer }))
        .collect()
}

fn tokens() -> Vec<(Subject, Answer)> {
    let listed = [
        (
            "acme-bot",
            "a1b2c3d4",
            "ci-publish",
            11 * 3_600 + 2 * DAY,
            true,
            80,
        ),
        ("acme-bot", "e5f6a7b8", "install-only", 60 * DAY, false, 20),
        ("rosa", "c9d0e1f2", "laptop", 41 * 60 + 10, true, 89),
        ("ken", "aa11bb22", "old automation", -4 * DAY, true, 400),
    ];
    let mut facts = Vec::new();
    for (account, key, name, ends, bypass, age) in listed {
        let fact = TokenFact {
            account: account.into(),
            key: key.into(),
            name: Some(name.into()),
            redacted: Some(format!("npm_{}...{}", &key[..4], &key[4..]).into()),
            readonly: Some(!bypass),
            bypass_2fa: Some(bypass),
            created: Some(start().plus(-age * DAY)),
            expires: Some(start().plus(ends)),
            ..TokenFact::default()
        };
        facts.push((token(account, key), Answer::Token(fact)));
    }
    for account in ["acme-bot", "rosa", "ken"] {
        let all = listed
            .iter()
            .filter(|row| row.0 == account)
            .map(|row| token(account, row.1))
            .collect();
        let listing = ListingFact {
            account: account.into(),
            complete: Some(true),
            tokens: all,
        };
        facts.push((Subject::person(account), Answer::Listing(listing)));
    }
    facts
}

fn decide(session: &mut Session) {
    let repos = session.facts().repos.len();
    let mut all = Vec::new();
    let assign = |at: usize, role, who: &str| {
        Action::Role(Assign {
            about: vec![repo(at).0],
            role,
            person: Some(who.to_owned()),
        })
    };
    let owners = ["rosa", "ken", "mallika", "jo"];
    for at in 0..repos.min(9) {
        all.push(assign(at, Role::Owner, owners[at % owners.len()]));
        all.push(assign(at, Role::Reviewer, owners[(at + 1) % owners.len()]));
    }
    let lanes = [
        Lane::Trusted,
        Lane::Bridge,
        Lane::StagedOidc,
        Lane::Trusted,
        Lane::Manual,
        Lane::StagedToken,
        Lane::Retire,
    ];
    for (at, lane) in lanes.into_iter().enumerate().take(repos) {
        all.push(Action::Lane(LaneAction::Choose {
            paths: vec![path(at).0],
            lane,
            reason: "agreed at kickoff".to_owned(),
        }));
    }
    if repos > 1 {
        all.push(Action::Lane(LaneAction::SetEndDate {
            about: vec![path(1).0],
            on: "2026-12-18".parse().unwrap(),
        }));
    }
    let gate = |id: &str| cutover::model::gate::GateId::parse(id).unwrap();
    all.push(Action::Gate(GateAction::Attest {
        about: vec![repo(0).0],
        gate: gate("environment-protected"),
        note: "two required reviewers on npm".to_owned(),
        link: Some("https://example.com/settings".to_owned()),
        before_rehearsal: true,
    }));
    all.push(Action::Gate(GateAction::Waive {
        about: vec![repo(0).0],
        gate: gate("workflow-owned"),
        why: "code owners come with the next plan".to_owned(),
        until: "2026-12-05".parse().unwrap(),
    }));
    all.push(Action::Note(NoteAction::Add {
        about: repo(0).0,
        text: "release train on Thursday".to_owned(),
    }));
    for action in all {
        session.decide(&[action], start()).unwrap();
    }
}

/// The console without a terminal: keys in, pictures out.
pub struct Console {
    pub state: State,
    pub now: Ts,
    /// Effects that the loop would carry out itself.
    pub effects: Vec<Effect>,
    handle: Option<Handle>,
    runtime: tokio::runtime::Runtime,
    _folder: tempfile::TempDir,
}

impl Console {
    pub fn new(repos: usize, width: u16, height: u16) -> Self {
        Self::with(repos, width, height, false)
    }

    pub fn with(repos: usize, width: u16, height: u16, read_only: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let session = session(folder.path(), repos, read_only);
        Self::over(session, folder, width, height)
    }

    /// A console on a session in which two people named different owners of `acme/ui-kit`.
    pub fn contested(width: u16, height: u16) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut session = session(folder.path(), 12, false);
        let copy = folder.path().join("ken.cutover");
        std::fs::copy(folder.path().join("acme.cutover"), &copy).unwrap();
        let options = Options {
            state: folder.path().join("ken"),
            actor: "ken".to_owned(),
            random: [9; 16],
            ..options(folder.path(), false)
        };
        let name = |person: &str| {
            Action::Role(Assign {
                about: vec![repo(0).0],
                role: Role::Owner,
                person: Some(person.to_owned()),
            })
        };
        let mut ken = Session::open(&copy, options).unwrap();
        ken.decide(&[name("jo")], start()).unwrap();
        drop(ken);
        session.decide(&[name("mallika")], start()).unwrap();
        session.merge(&copy, true, start()).unwrap();
        Self::over(session, folder, width, height)
    }

    fn over(session: Session, folder: tempfile::TempDir, width: u16, height: u16) -> Self {
        let handle = Handle::start(session, Arc::new(start)).unwrap();
        Self::of(handle, folder, start(), width, height)
    }

    /// A console over an engine that runs already, at an instant.
    pub fn of(handle: Handle, folder: tempfile::TempDir, now: Ts, width: u16, height: u16) -> Self {
        let snapshot = Arc::clone(&handle.snapshots.borrow());
        let settings = Settings {
            utc: true,
            session: "acme.cutover".to_owned(),
            ..Settings::default()
        };
        let state = State::new(snapshot, settings, now, Size { width, height });
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        Self {
            state,
            now,
            effects: Vec::new(),
            handle: Some(handle),
            runtime,
            _folder: folder,
        }
    }

    pub fn send(&mut self, message: Message) {
        let effects = update(&mut self.state, self.now, message);
        for effect in effects {
            match effect {
                Effect::Focus(focus) => self.focus(focus),
                Effect::Decide { request, actions } => self.decide(request, actions),
                other => self.effects.push(other),
            }
        }
    }

    fn focus(&mut self, focus: Focus) {
        let handle = self.handle.as_mut().unwrap();
        handle
            .commands
            .blocking_send(Command::Focus(focus.clone()))
            .unwrap();
        let shown = self.runtime.block_on(async {
            Arc::clone(
                &*handle
                    .snapshots
                    .wait_for(|snapshot| snapshot.focus == focus)
                    .await
                    .unwrap(),
            )
        });
        self.send(Message::Snapshot(shown));
    }

    fn decide(&mut self, request: u64, actions: Vec<Action>) {
        let (answer, answered) = tokio::sync::oneshot::channel();
        let handle = self.handle.as_ref().unwrap();
        handle
            .commands
            .blocking_send(Command::Decide { actions, answer })
            .unwrap();
        let result = self.runtime.block_on(answered).unwrap();
        let result = result
            .map(|decided| decided::words(&decided))
            .map_err(|refused| refused.what);
        let snapshot = Arc::clone(&self.handle.as_ref().unwrap().snapshots.borrow());
        self.send(Message::Snapshot(snapshot));
        self.send(Message::Answer { request, result });
    }

    /// Another part of the program decides; the picture comes in by itself.
    pub fn decide_elsewhere(&mut self, action: Action) {
        let (answer, answered) = tokio::sync::oneshot::channel();
        let actions = vec![action];
        let handle = self.handle.as_ref().unwrap();
        handle
            .commands
            .blocking_send(Command::Decide { actions, answer })
            .unwrap();
        self.runtime.block_on(answered).unwrap().unwrap();
        let snapshot = Arc::clone(&handle.snapshots.borrow());
        self.send(Message::Snapshot(snapshot));
    }

    pub fn key(&mut self, key: Key) -> &mut Self {
        self.send(Message::Key(key));
        // The loop tells that a panel has been seen.
        self.send(Message::Drawn);
        self
    }

    /// Types letters.
    pub fn keys(&mut self, letters: &str) -> &mut Self {
        for letter in letters.chars() {
            self.key(Key::Char(letter));
        }
        self
    }

    pub fn buffer(&self, depth: Depth, glyphs: Glyphs) -> Buffer {
        let name = cutover::tui::theme::NAMES[self.state.theme];
        let theme = Theme::named(name, depth, glyphs).unwrap();
        let size = self.state.size;
        let mut terminal = Terminal::new(TestBackend::new(size.width, size.height)).unwrap();
        terminal
            .draw(|frame| view::draw(frame, &self.state, &theme))
            .unwrap();
        terminal.backend().buffer().clone()
    }

    pub fn text(&self, depth: Depth, glyphs: Glyphs) -> String {
        text(&self.buffer(depth, glyphs))
    }

    /// The screen as most people see it.
    pub fn screen(&self) -> String {
        self.text(Depth::True, Glyphs::Unicode)
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        if let Some(handle) = self.handle.take() {
            handle.stop();
        }
    }
}

/// The letters of a buffer, line by line, without blanks at the ends.
pub fn text(buffer: &Buffer) -> String {
    let mut all = String::new();
    for y in 0..buffer.area.height {
        let line: String = (0..buffer.area.width)
            .map(|x| buffer[(x, y)].symbol())
            .collect();
        all.push_str(line.trim_end());
        all.push('\n');
    }
    all
}

/// The styles of a buffer, run by run: `x+length fg/bg modifiers`, plain runs left out.
pub fn styles(buffer: &Buffer) -> String {
    use std::fmt::Write;
    let mut all = String::new();
    for y in 0..buffer.area.height {
        let mut x = 0;
        while x < buffer.area.width {
            let style = buffer[(x, y)].style();
            let end = (x..buffer.area.width)
                .find(|at| buffer[(*at, y)].style() != style)
                .unwrap_or(buffer.area.width);
            let words: String = (x..end).map(|at| buffer[(at, y)].symbol()).collect();
            if !words.trim().is_empty() {
                let color = |color: Option<ratatui::style::Color>| {
                    color.map_or("-".to_owned(), |color| color.to_string())
                };
                let add = style.add_modifier;
                writeln!(
                    all,
                    "{y:>2}:{x:<3} {:<9} {:<9} {add:?} {}",
                    color(style.fg),
                    color(style.bg),
                    words.trim()
                )
                .unwrap();
            }
            x = end;
        }
    }
    all
}
