//! Key to frame while 1,000 observations a second arrive on a board of 10,000 repositories.
//!
//! Budget: p99 under 4 ms from the key's arrival to the end of its frame, a picture that is being taken in at that moment
//! included. Prints percentiles, how many observations were written, and by how much the budget is missed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout
)]

#[path = "../tests/it/common/console.rs"]
mod console;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use cutover::engine::Handle;
use cutover::engine::observe::{self, Report};
use cutover::model::event::Observation;
use cutover::model::fact::{Answer, RunFact, RunsFact};
use cutover::model::id::Subject;
use cutover::model::time::Ts;
use cutover::tui::action::Key;
use cutover::tui::layout::Size;
use cutover::tui::state::{Settings, State};
use cutover::tui::theme::{Depth, Glyphs, Theme};
use cutover::tui::update::{Message, update};
use cutover::tui::view;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

const REPOS: usize = 10_000;
const RATE: u64 = 1_000;
const SECONDS: u64 = 20;
/// Between two keys: somebody who types fast.
const KEY_EVERY: Duration = Duration::from_millis(37);
const BUDGET: Duration = Duration::from_millis(4);
const TYPED: &str = "/service-0777 owner:rosa";

/// A finished run of a repository, news each time.
fn news(repo: Subject, number: u64, now: Ts) -> (Subject, Observation) {
    let run = RunFact {
        id: number,
        number,
        file: "release.yml".into(),
        status: "completed".into(),
        conclusion: Some("success".into()),
        created: now,
        updated: now.plus(i64::try_from(number).unwrap()),
        ..RunFact::default()
    };
    let observation = Observation {
        as_of: now.plus(i64::try_from(number).unwrap()),
        answer: Answer::Runs(RunsFact { runs: vec![run] }),
    };
    (repo, observation)
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let session = console::session(folder.path(), REPOS, false);
    let repos: Vec<Subject> = session.facts().repos.keys().copied().collect();
    let now = console::start();
    let (channel, post) = observe::channel();
    let mut handle = Handle::start_fed(session, Arc::new(console::start), channel).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let (until, reports) = (Arc::clone(&stop), post.reports.clone());
    let feeder = std::thread::spawn(move || {
        let began = Instant::now();
        let mut sent = 0;
        while !until.load(Ordering::Relaxed) {
            let due = began.elapsed().as_millis() as u64 * RATE / 1_000;
            let batch = (sent..due).map(|at| news(repos[at as usize * 7 % REPOS], at + 1, now));
            let batch: Vec<_> = batch.collect();
            sent = due;
            if reports.blocking_send(Report::Answers(batch)).is_err() {
                break;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        sent
    });
    let size = Size {
        width: 200,
        height: 60,
    };
    let mut snapshots = handle.snapshots.clone();
    let snapshot = Arc::clone(&snapshots.borrow_and_update());
    let mut state = State::new(snapshot, Settings::default(), now, size);
    let theme = Theme::named("dark", Depth::True, Glyphs::Unicode).unwrap();
    let mut terminal = Terminal::new(TestBackend::new(size.width, size.height)).unwrap();
    let keys: Vec<Key> = TYPED.chars().map(Key::Char).chain([Key::Esc]).collect();
    let (mut times, mut taken, mut longest) = (Vec::new(), 0, Duration::ZERO);
    let began = Instant::now();
    let mut due = began;
    while began.elapsed() < Duration::from_secs(SECONDS) {
        // As the console's loop: keys first, then the newest picture, then nothing until either comes.
        if Instant::now() >= due {
            let key = keys[times.len() % keys.len()];
            update(&mut state, now, Message::Key(key));
            terminal
                .draw(|frame| view::draw(frame, &state, &theme))
                .unwrap();
            times.push(due.elapsed());
            due = (due + KEY_EVERY).max(Instant::now());
        } else if snapshots.has_changed().unwrap() {
            let start = Instant::now();
            let snapshot = Arc::clone(&snapshots.borrow_and_update());
            update(&mut state, now, Message::Snapshot(snapshot));
            terminal
                .draw(|frame| view::draw(frame, &state, &theme))
                .unwrap();
            longest = longest.max(start.elapsed());
            taken += 1;
        } else {
            std::thread::sleep(Duration::from_micros(200));
        }
    }
    stop.store(true, Ordering::Relaxed);
    // The feeder may wait for room: what it still has is taken in.
    let sent = feeder.join().unwrap();
    drop(post);
    handle.wait_for_observers();
    let written = snapshots.borrow().live.runs.len();
    handle.stop();
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() * percent / 100).min(times.len() - 1)];
    println!(
        "{sent} observations in {SECONDS} s ({written} repositories with runs), {taken} pictures (longest {longest:?}), \
         {} keys: p50 {:?}  p95 {:?}  p99 {:?}  worst {:?}",
        times.len(),
        at(50),
        at(95),
        at(99),
        times[times.len() - 1],
    );
    match at(99).checked_sub(BUDGET) {
        None => println!("budget of {BUDGET:?} at p99: kept"),
        Some(over) => println!("budget of {BUDGET:?} at p99: missed by {over:?}"),
    }
}
