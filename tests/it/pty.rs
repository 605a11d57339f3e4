//! The real binary on a real terminal: it starts, resizes, suspends, ends and gives the terminal back; what is pasted or
//! typed ahead confirms nothing; foreign text sends no escapes; and the main job is walked with keys alone.
//!
//! Every step waits for a condition on the screen, never for a time.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use crate::common::console;
use crate::common::hostile;
use std::io::{Read, Write};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};

/// How long a condition may take on a loaded machine before the test fails.
const PATIENCE: Duration = Duration::from_secs(60);

struct Seen {
    parser: vt100::Parser,
    raw: Vec<u8>,
    closed: bool,
}

/// The binary on a terminal of its own.
struct Tty {
    seen: Arc<(Mutex<Seen>, Condvar)>,
    master: Option<Box<dyn MasterPty + Send>>,
    writer: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
}

fn cells(count: u16) -> NonZero<u16> {
    NonZero::new(count).unwrap()
}

fn size(cols: u16, rows: u16) -> PtySize {
    PtySize {
        rows,
        cols,
        pixel_width: 0,
        pixel_height: 0,
    }
}

impl Tty {
    fn start(folder: &Path, args: &[&str]) -> Self {
        Self::with(folder, args, &[])
    }

    fn with(folder: &Path, args: &[&str], environment: &[(String, String)]) -> Self {
        let pair = native_pty_system().openpty(size(100, 30)).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_cutover"));
        command.args(args);
        command.env_clear();
        command.cwd(folder);
        for name in ["HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME"] {
            command.env(name, folder.join("home"));
        }
        for (name, value) in [
            ("TERM", "xterm-256color"),
            ("LANG", "C.UTF-8"),
            ("TZ", "UTC"),
            ("CUTOVER_ACTOR", "rosa"),
        ] {
            command.env(name, value);
        }
        for (name, value) in environment {
            command.env(name, value);
        }
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let parser = vt100::Parser::new(cells(30), cells(100), 0);
        let seen = Arc::new((
            Mutex::new(Seen {
                parser,
                raw: Vec::new(),
                closed: false,
            }),
            Condvar::new(),
        ));
        let mut reader = pair.master.try_clone_reader().unwrap();
        let shared = Arc::clone(&seen);
        std::thread::spawn(move || {
            let mut chunk = [0; 4096];
            loop {
                let read = reader.read(&mut chunk).unwrap_or(0);
                let mut seen = shared.0.lock().unwrap();
                seen.parser.process(&chunk[..read]);
                seen.raw.extend_from_slice(&chunk[..read]);
                seen.closed = read == 0;
                shared.1.notify_all();
                if seen.closed {
                    return;
                }
            }
        });
        let writer = pair.master.take_writer().unwrap();
        Self {
            seen,
            master: Some(pair.master),
            writer,
            child,
        }
    }

    fn send(&mut self, keys: &str) -> &mut Self {
        self.writer.write_all(keys.as_bytes()).unwrap();
        self.writer.flush().unwrap();
        self
    }

    /// Sends keys again until the screen has the words: what comes before a panel takes keys is dropped, as it should.
    fn insists(&mut self, keys: &str, words: &str) -> &mut Self {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            self.send(keys);
            let seen = self.seen.0.lock().unwrap();
            let has = |seen: &Seen| seen.parser.screen().contents().contains(words);
            let wait = std::time::Duration::from_secs(1);
            let (seen, _) = self
                .seen
                .1
                .wait_timeout_while(seen, wait, |seen| !has(seen))
                .unwrap();
            if has(&seen) {
                break;
            }
        }
        self.shows(words)
    }

    /// Waits until the screen is as wanted; shows it where it never is.
    fn until(&mut self, what: &str, wanted: impl Fn(&vt100::Screen) -> bool) -> &mut Self {
        let deadline = Instant::now() + PATIENCE;
        let mut seen = self.seen.0.lock().unwrap();
        while !wanted(seen.parser.screen()) {
            let left = deadline.saturating_duration_since(Instant::now());
            let ended = seen.closed || left.is_zero();
            assert!(
                !ended,
                "never came: {what}\n{}",
                seen.parser.screen().contents()
            );
            seen = self.seen.1.wait_timeout(seen, left).unwrap().0;
        }
        drop(seen);
        self
    }

    fn shows(&mut self, words: &str) -> &mut Self {
        self.until(words, |screen| screen.contents().contains(words))
    }

    fn hides(&mut self, words: &str) -> &mut Self {
        self.until(&format!("without {words}"), |screen| {
            !screen.contents().contains(words)
        })
    }

    fn resize(&self, cols: u16, rows: u16) {
        self.seen
            .0
            .lock()
            .unwrap()
            .parser
            .screen_mut()
            .set_size(cells(rows), cells(cols));
        self.master
            .as_ref()
            .unwrap()
            .resize(size(cols, rows))
            .unwrap();
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.process_id().unwrap()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    fn raw(&self) -> Vec<u8> {
        self.seen.0.lock().unwrap().raw.clone()
    }

    /// Waits for the last byte, then for the end.
    fn end(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        let mut seen = self.seen.0.lock().unwrap();
        while !seen.closed {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero(),
                "it did not end:\n{}",
                seen.parser.screen().contents()
            );
            seen = self.seen.1.wait_timeout(seen, left).unwrap().0;
        }
        drop(seen);
        self.child.wait().unwrap()
    }

    fn assert_given_back(&self) {
        let seen = self.seen.0.lock().unwrap();
        let screen = seen.parser.screen();
        assert!(!screen.alternate_screen(), "still on the alternate screen");
        assert!(!screen.hide_cursor(), "the cursor is still hidden");
        assert!(!screen.bracketed_paste(), "paste mode is still on");
        assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None);
    }
}

impl Drop for Tty {
    fn drop(&mut self) {
        // Only where a test has failed: else it has ended.
        let _ = self.child.kill();
    }
}

/// A session of twelve repositories, made by the library; the binary opens it as another device.
fn world() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("home")).unwrap();
    drop(console::session(folder.path(), 12, false));
    let path = folder.path().join("acme.cutover");
    (folder, path)
}

fn open(folder: &Path) -> Tty {
    let mut tty = Tty::start(folder, &["open", "acme.cutover"]);
    tty.shows("acme/ui-kit");
    tty
}

#[test]
fn it_starts_resizes_and_gives_the_terminal_back() {
    let (folder, _) = world();
    let mut tty = open(folder.path());
    tty.until("modes", |screen| {
        screen.alternate_screen() && screen.hide_cursor() && screen.bracketed_paste()
    });
    tty.resize(140, 40);
    tty.until("the wider screen", |screen| {
        screen
            .contents()
            .lines()
            .next()
            .is_some_and(|line| line.chars().count() > 130)
    });
    tty.resize(50, 10);
    tty.shows("cutover needs 60 x 16");
    tty.resize(80, 24);
    tty.shows("acme/ui-kit").hides("needs 60");
    tty.send("q");
    assert_eq!(tty.end().exit_code(), 0);
    tty.assert_given_back();
}

/// Keys that come while the console starts wait for it: none is lost, not even behind a start screen that has read
/// the same terminal.
#[test]
fn what_is_typed_while_it_starts_counts() {
    let (folder, _) = world();
    let mut tty = Tty::start(folder.path(), &["open", "acme.cutover"]);
    tty.until("the terminal is taken", |screen| screen.alternate_screen());
    tty.send("?");
    tty.shows("Keys").send("\u{1b}").hides("Keys");
    tty.send("q");
    assert_eq!(tty.end().exit_code(), 0);
    let mut tty = Tty::start(folder.path(), &["open", "acme.cutover"]);
    tty.until("the terminal is taken", |screen| screen.alternate_screen());
    tty.send("q");
    assert_eq!(tty.end().exit_code(), 0);
}

#[test]
fn signals_end_it_cleanly() {
    for signal in [Signal::TERM, Signal::HUP, Signal::INT] {
        let (folder, _) = world();
        let mut tty = open(folder.path());
        tty.signal(signal);
        let status = tty.end();
        assert_eq!(
            i32::try_from(status.exit_code()).unwrap(),
            128 + signal.as_raw(),
            "{signal:?}"
        );
        tty.assert_given_back();
    }
}

#[test]
fn a_terminal_that_goes_away_ends_it() {
    let (folder, _) = world();
    let mut tty = open(folder.path());
    // Closing both ends of the master hangs the line up.
    tty.writer = Box::new(std::io::sink());
    tty.master = None;
    tty.signal(Signal::HUP);
    tty.child.wait().unwrap();
}

#[test]
fn it_suspends_and_comes_back() {
    let (folder, _) = world();
    let mut tty = open(folder.path());
    for round in 0..2 {
        if round == 0 {
            tty.send("\u{1a}");
        } else {
            tty.signal(Signal::TSTP);
        }
        tty.until("the shell's screen", |screen| !screen.alternate_screen());
        let stat = format!("/proc/{}/stat", tty.child.process_id().unwrap());
        let deadline = Instant::now() + PATIENCE;
        // Only Linux tells here whether the process has stopped; elsewhere the modes above are the sign.
        while std::fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") T ")) {
            assert!(Instant::now() < deadline, "it never stopped");
            std::thread::yield_now();
        }
        tty.assert_given_back();
        tty.signal(Signal::CONT);
        tty.until("the board again", |screen| {
            screen.alternate_screen() && screen.contents().contains("acme/ui-kit")
        });
        tty.send("G");
        tty.shows("12 / 12").send("<");
        tty.shows(" 1 / 12");
    }
    tty.send("q");
    assert_eq!(tty.end().exit_code(), 0);
}

/// Goes to the panel before a revocation is recorded; what `last` sends follows in one breath with the form's enter.
fn to_the_panel(tty: &mut Tty, last: &str) {
    tty.send("3").shows("ci-publish");
    tty.send("/ci-publish\r").shows("1 of 4");
    tty.send("x").shows("Record a revocation");
    tty.send("a1b2c3d4\t\t\ttwo listings without it");
    tty.shows("two listings without it");
    tty.send(&format!("\r{last}"));
    tty.shows("cannot be undone");
}

#[test]
fn a_paste_and_typing_ahead_confirm_nothing() {
    let (folder, path) = world();
    let mut tty = open(folder.path());
    let before = std::fs::read(&path).unwrap();
    to_the_panel(&mut tty, "acme-bot/ci-publish\r");
    tty.insists(
        "\u{1b}[200~acme-bot/ci-publish\u{1b}[201~",
        "a paste is refused here",
    );
    tty.send("\r").shows("does not match");
    assert_eq!(
        std::fs::read(&path).unwrap(),
        before,
        "something was written"
    );
    tty.send("acme-bot/ci-publish\r")
        .shows("revocation recorded");
    tty.send("q");
    assert_eq!(tty.end().exit_code(), 0);
    let after = std::fs::read_to_string(&path).unwrap();
    assert!(after.contains("\"kind\":\"revocation_recorded\""));
}

#[test]
fn the_verb_shows_the_chain_and_wants_the_name_as_well() {
    let (folder, path) = world();
    let before = std::fs::read(&path).unwrap();
    let record = [
        "-s",
        "acme.cutover",
        "revocation",
        "record",
        "token:acme-bot/ci-publish",
        "--id",
        "a1b2c3d4",
        "--on",
        "2026-11-24",
        "--proof",
        "seen",
    ];
    let mut tty = Tty::start(folder.path(), &record);
    tty.shows("it cannot be undone").shows("safe to revoke: ");
    tty.shows("Type acme-bot/ci-publish to write it:");
    tty.send("y\r").shows("is not the token's name");
    assert_eq!(tty.end().exit_code(), 1);
    assert_eq!(std::fs::read(&path).unwrap(), before);
    let mut tty = Tty::start(folder.path(), &record);
    tty.shows("to write it:");
    tty.send("acme-bot/ci-publish\r")
        .shows("revocation_recorded");
    assert_eq!(tty.end().exit_code(), 0);
}

/// The main job of the README, with keys alone: owner, reviewer, lane, gate, waiver, note, undo, log.
#[test]
fn the_main_job_is_walked_with_keys() {
    let (folder, path) = world();
    let mut tty = open(folder.path());
    tty.send("/parsers\r").shows("1 of 12");
    tty.send("O").shows("Assign the owner").send("rosa\r");
    tty.shows("written: owner assigned")
        .send("R")
        .shows("Assign the reviewer")
        .send("ken\r");
    tty.shows("written: reviewer assigned")
        .send("L")
        .shows("Choose the lane")
        .send("trus\r\r\r");
    tty.shows("written: lane chosen")
        .send("\r")
        .shows("Wave 1: inventory");
    tty.send("a")
        .shows("Attest a gate")
        .send("docs-upd\rthe wiki is changed\r\r");
    tty.shows("written: gate attested")
        .send("W")
        .shows("Waive a gate");
    tty.send("workflow-owned\rcode owners come later\r+14d\r")
        .shows("written: gate waived");
    tty.send("n")
        .shows("Add a note")
        .send("release train on Thursday\r")
        .shows("written: note added");
    tty.send("u").shows("undone: gate waived of acme/parsers");
    tty.send("6").shows("release train on Thursday");
    tty.send("y").shows("cutover undo -s acme.cutover");
    tty.send("\u{1b}");
    tty.hides("Same as command").send("q");
    assert_eq!(tty.end().exit_code(), 0);
    tty.assert_given_back();
    let file = std::fs::read_to_string(path).unwrap();
    for kind in [
        "owner_assigned",
        "reviewer_assigned",
        "lane_chosen",
        "gate_attested",
        "gate_waived",
        "note_added",
        "decision_undone",
    ] {
        let written = file
            .lines()
            .filter(|line| line.contains(&format!("\"kind\":\"{kind}\"")))
            .count();
        assert!(written >= 1, "{kind}");
    }
}

/// A program that stands for the browser: it writes down its arguments and environment, then ends so.
fn browser(folder: &Path, code: i32) -> (String, PathBuf) {
    use std::os::unix::fs::PermissionsExt;
    let (program, seen) = (folder.join("browser"), folder.join("seen"));
    let script = format!(
        "#!/bin/sh\n{{ echo \"page $*\"; env; }} > {0}.part\nmv {0}.part {0}\nexit {code}\n",
        seen.display()
    );
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    (program.to_str().unwrap().to_owned(), seen)
}

#[test]
fn the_browser_gets_the_page_and_no_token() {
    let (folder, _) = world();
    let elsewhere = tempfile::tempdir().unwrap();
    let (program, seen) = browser(elsewhere.path(), 0);
    let token = format!("ghp_{}", "x".repeat(36));
    let environment = [
        ("BROWSER".to_owned(), program),
        ("GH_TOKEN".to_owned(), token.clone()),
        ("NPM_TOKEN".to_owned(), token.clone()),
    ];
    let mut tty = Tty::with(folder.path(), &["open", "acme.cutover"], &environment);
    tty.shows("acme/ui-kit").send("o");
    tty.shows("opened https://github.com/acme/cli");
    let seen = std::fs::read_to_string(seen).unwrap();
    assert!(
        seen.starts_with("page https://github.com/acme/cli\n"),
        "{seen}"
    );
    assert!(!seen.contains(&token) && !seen.contains("TOKEN"), "{seen}");
    tty.send("q");
    assert_eq!(tty.end().exit_code(), 0);
}

#[test]
fn a_page_that_cannot_be_opened_is_shown() {
    let (folder, _) = world();
    let elsewhere = tempfile::tempdir().unwrap();
    let (program, _) = browser(elsewhere.path(), 4);
    let environment = [("BROWSER".to_owned(), program)];
    let mut tty = Tty::with(folder.path(), &["open", "acme.cutover"], &environment);
    tty.shows("acme/ui-kit").send("o");
    tty.shows("Open it yourself")
        .shows("https://github.com/acme/cli");
    tty.send("\u{1b}").hides("Open it yourself").send("q");
    assert_eq!(tty.end().exit_code(), 0);
}

#[test]
fn without_a_session_there_is_a_start_screen_that_remembers() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("home")).unwrap();
    let temporary = folder.path().to_str().unwrap().to_owned();
    let environment = [("TMPDIR".to_owned(), temporary)];
    let start = || Tty::with(folder.path(), &[], &environment);
    let mut tty = start();
    tty.shows("Look around in an example organisation");
    tty.send("q");
    assert_eq!(tty.end().exit_code(), 0);
    tty.assert_given_back();
    let mut tty = start();
    tty.shows("Start a session from your checkouts")
        .send("jj\r");
    tty.shows("cutover init acme --scan");
    assert_eq!(tty.end().exit_code(), 0);
    let mut tty = start();
    tty.shows("Look around").send("j\r");
    tty.shows("acme-dec/ui-kit").send("q");
    assert_eq!(tty.end().exit_code(), 0);
    let mut tty = start();
    tty.shows("opened before").shows("demo.cutover").send("\r");
    tty.shows("acme-dec/ui-kit");
    tty.send("q");
    assert_eq!(tty.end().exit_code(), 0);
    tty.assert_given_back();
}

/// Takes our own escapes out of what went to the terminal; what is left of them is foreign.
fn foreign_escapes(raw: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(raw);
    let mut found = Vec::new();
    for part in text.split('\u{1b}').skip(1) {
        let body: String = part
            .chars()
            .take_while(|letter| !letter.is_ascii_alphabetic() || *letter == '[')
            .collect();
        let end = part.chars().nth(body.chars().count());
        let own = match (body.chars().next(), end) {
            // Cursor, colours, erasing, modes: what crossterm writes.
            (
                Some('['),
                Some('H' | 'm' | 'J' | 'K' | 'h' | 'l' | 'A' | 'B' | 'C' | 'D' | 'G' | 'd' | 'X'),
            ) => body[1..]
                .chars()
                .all(|letter| letter.is_ascii_digit() || "?;:".contains(letter)),
            _ => false,
        };
        if !own {
            found.push(format!("ESC {body}{}", end.unwrap_or(' ')));
        }
    }
    found.extend(
        text.chars()
            .filter(|letter| ('\u{80}'..='\u{9f}').contains(letter))
            .map(|letter| format!("{letter:?}")),
    );
    found
}

#[test]
fn foreign_text_sends_no_escapes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    for name in ["home", "hostile"] {
        std::fs::create_dir(path.join(name)).unwrap();
    }
    let planted = hostile::build(&path.join("hostile"));
    let word = |path: &Path| path.to_str().unwrap().to_owned();
    let scan = word(&planted.readable);
    let tokens = format!("{}={}", planted.account, word(&planted.tokens));
    let init = [
        "init",
        "bad.cutover",
        "--scan",
        &scan,
        "--tokens",
        &tokens,
        "--yes",
    ];
    let mut made = Tty::with(path, &init, &planted.environment);
    made.end();
    assert!(
        path.join("bad.cutover").exists(),
        "{}",
        String::from_utf8_lossy(&made.raw())
    );
    let mut tty = Tty::with(path, &["open", "bad.cutover"], &planted.environment);
    tty.shows("Next step");
    for _ in 0..4 {
        tty.send("\r").shows("Scope");
        tty.send("G")
            .send("<")
            .send("\u{1b}")
            .shows("Next step")
            .send("j");
    }
    tty.send("3")
        .shows("Safe to revoke")
        .send("6")
        .shows("Event");
    // The log's titles tell whether the page lies over it: an escape and a letter in one breath would be one key.
    tty.send("0")
        .hides("Event  ")
        .send("\u{1b}")
        .shows("Event  ");
    tty.send("q");
    assert_eq!(tty.end().exit_code(), 0);
    for raw in [made.raw(), tty.raw()] {
        hostile::assert_clean(&raw, &planted);
    }
    assert_eq!(foreign_escapes(&tty.raw()), Vec::<String>::new());
}
