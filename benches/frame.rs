//! Key to frame: update and draw with 10,000 repositories on the board, a filter typed letter by letter.
//!
//! Budget: p99 under 4 ms. Percentiles are printed before the benches, and a miss ends with an error.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout
)]

#[path = "../tests/it/common/console.rs"]
mod console;

use std::sync::{Mutex, MutexGuard, OnceLock};
use std::time::{Duration, Instant};

use console::Console;
use cutover::tui::action::Key;
use cutover::tui::theme::{Depth, Glyphs, Theme};
use cutover::tui::update::{Message, update};
use cutover::tui::view;
use divan::Bencher;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

const BUDGET: Duration = Duration::from_millis(4);
const ROUNDS: usize = 40;
/// Words as people type them; each ends by dropping the filter.
const TYPED: &[&str] = &[
    "service-0777",
    "owner:rosa",
    "lane:bridge wave<4",
    "is:blocked -ui clock<48h",
    "zzzz",
];

struct Screen {
    console: Console,
    terminal: Terminal<TestBackend>,
    theme: Theme,
}

impl Screen {
    fn new(width: u16, height: u16) -> Self {
        Self {
            console: Console::new(10_000, width, height),
            terminal: Terminal::new(TestBackend::new(width, height)).unwrap(),
            theme: Theme::named("dark", Depth::True, Glyphs::Unicode).unwrap(),
        }
    }

    /// One key, all the way to the frame.
    fn press(&mut self, key: Key) -> Duration {
        let start = Instant::now();
        update(&mut self.console.state, self.console.now, Message::Key(key));
        self.draw();
        start.elapsed()
    }

    fn draw(&mut self) {
        let (state, theme) = (&self.console.state, &self.theme);
        self.terminal
            .draw(|frame| view::draw(frame, state, theme))
            .unwrap();
    }

    /// Types every filter, letter by letter, and gives the time of each key.
    fn type_all(&mut self) -> Vec<Duration> {
        let mut times = Vec::new();
        for words in TYPED {
            times.push(self.press(Key::Char('/')));
            times.extend(
                words
                    .chars()
                    .map(|letter| self.press(Key::Char(letter)))
                    .collect::<Vec<_>>(),
            );
            times.push(self.press(Key::Esc));
        }
        times
    }
}

/// One board for all benches: making it takes longer than any of them.
fn screen() -> MutexGuard<'static, Screen> {
    static SCREEN: OnceLock<Mutex<Screen>> = OnceLock::new();
    SCREEN
        .get_or_init(|| Mutex::new(Screen::new(200, 60)))
        .lock()
        .unwrap()
}

fn main() {
    let mut times: Vec<Duration> = (0..ROUNDS).flat_map(|_| screen().type_all()).collect();
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() * percent / 100).min(times.len() - 1)];
    println!(
        "key to frame, 10,000 rows, {} keys: p50 {:?}  p95 {:?}  p99 {:?}  worst {:?}  (budget {BUDGET:?} at p99)",
        times.len(),
        at(50),
        at(95),
        at(99),
        times[times.len() - 1],
    );
    divan::main();
    assert!(
        at(99) < BUDGET,
        "p99 {:?} misses the budget of {BUDGET:?}",
        at(99)
    );
}

/// A frame alone: only visible rows are built.
#[divan::bench]
fn draw(bencher: Bencher) {
    let mut screen = screen();
    bencher.bench_local(|| screen.draw());
}

#[divan::bench]
fn cursor_down(bencher: Bencher) {
    let mut screen = screen();
    bencher.bench_local(|| screen.press(Key::Char('j')));
}

#[divan::bench]
fn filter_letter_by_letter(bencher: Bencher) {
    let mut screen = screen();
    bencher.bench_local(|| screen.type_all());
}

/// Every column in turn: the one action that sorts all rows.
#[divan::bench]
fn sort_by_the_next_column(bencher: Bencher) {
    let mut screen = screen();
    bencher.bench_local(|| screen.press(Key::Char('s')));
}
