//! Whole screens of the console over a real session and its engine, as snapshots.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

#[path = "common/console.rs"]
mod console;

use console::{Console, styles, text};
use cutover::tui::action::Key;
use cutover::tui::layout::Size;
use cutover::tui::start::{Entry, Group, Start};
use cutover::tui::theme::{Depth, Glyphs, Theme};
use cutover::tui::update::Message;
use cutover::tui::view;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::style::Color;

const SIZES: [(u16, u16); 2] = [(80, 24), (200, 60)];

const fn c(letter: char) -> Key {
    Key::Char(letter)
}

/// Every screen and panel, with the keys that open it.
const SCREENS: &[(&str, &[Key])] = &[
    ("board", &[]),
    (
        "board_filtered",
        &[
            c('/'),
            c('i'),
            c('s'),
            c(':'),
            c('b'),
            c('l'),
            c('o'),
            c('c'),
            c('k'),
            c('e'),
            c('d'),
        ],
    ),
    (
        "board_filter_error",
        &[c('/'), c('w'), c('a'), c('v'), c('e'), c('<'), c('x')],
    ),
    ("board_none_fits", &[c('/'), c('z'), c('z'), Key::Enter]),
    (
        "board_chosen_sorted",
        &[c('s'), c('S'), c(' '), c(' '), c('k')],
    ),
    ("repo", &[c('G'), Key::Enter]),
    ("repo_gate", &[c('G'), Key::Enter, c('>')]),
    ("tokens", &[c('3')]),
    ("token", &[c('3'), Key::Enter]),
    ("pipelines", &[c('2')]),
    ("packages", &[c('4')]),
    ("package", &[c('4'), Key::Enter]),
    ("powers", &[c('w')]),
    ("connections", &[c('i')]),
    ("log", &[c('6')]),
    ("session", &[c('0')]),
    ("help", &[c('?')]),
    ("palette", &[c(':'), c('w'), c('a')]),
    ("columns", &[c('c')]),
    ("form_owner", &[c('O')]),
    ("form_lane", &[c(' '), c(' '), c('L')]),
    ("form_attest", &[c('a'), c('e'), c('n'), c('v')]),
    ("form_waive", &[c('W')]),
    ("form_evidence", &[c('e')]),
    ("form_revocation", &[c('3'), c('x')]),
    ("form_end_date", &[c('j'), c('E')]),
    ("gate_text", &[c('G'), Key::Enter, c('>'), Key::Enter]),
    ("same_as_command", &[c('y')]),
];

fn open(screen: &[Key], repos: usize, width: u16, height: u16) -> Console {
    let mut console = Console::new(repos, width, height);
    for key in screen {
        console.key(*key);
    }
    console
}

/// The panel before a revocation is recorded.
fn confirm(width: u16, height: u16) -> Console {
    let mut console = open(&[c('3'), c('j'), c('j'), c('x')], 12, width, height);
    console
        .keys("a1b2c3d4")
        .key(Key::Tab)
        .key(Key::Tab)
        .key(Key::Tab);
    console.keys("two listings without it").key(Key::Enter);
    console
}

#[test]
fn every_screen_in_the_dark_theme() {
    for (width, height) in SIZES {
        for (name, keys) in SCREENS {
            insta::assert_snapshot!(
                format!("{name}_{width}x{height}"),
                open(keys, 12, width, height).screen()
            );
        }
        insta::assert_snapshot!(
            format!("confirm_{width}x{height}"),
            confirm(width, height).screen()
        );
    }
}

#[test]
fn without_colour_the_same_letters_stand_there() {
    for (name, keys) in SCREENS {
        let console = open(keys, 12, 80, 24);
        let plain = console.buffer(Depth::None, Glyphs::Unicode);
        let coloured = |color: Color| color != Color::Reset;
        assert!(
            !plain
                .content
                .iter()
                .any(|cell| coloured(cell.fg) || coloured(cell.bg)),
            "{name} has colours"
        );
        assert_eq!(text(&plain), console.screen(), "{name}");
        insta::assert_snapshot!(format!("{name}_no_color_80x24"), whole(&plain));
    }
    let plain = confirm(80, 24).buffer(Depth::None, Glyphs::Unicode);
    insta::assert_snapshot!("confirm_no_color_80x24", whole(&plain));
    let console = open(&[c('j'), c(' ')], 12, 80, 24);
    let plain = console.buffer(Depth::None, Glyphs::Unicode);
    insta::assert_snapshot!("board_chosen_no_color_80x24", whole(&plain));
}

/// The letters of a screen, and below them what stands bold, underlined or reversed.
fn whole(buffer: &Buffer) -> String {
    format!("{}\n{}", text(buffer), styles(buffer))
}

#[test]
fn a_contested_row_is_marked() {
    let mut console = Console::contested(80, 24);
    insta::assert_snapshot!("board_contested_80x24", console.screen());
    let ascii = console.text(Depth::None, Glyphs::Ascii);
    insta::assert_snapshot!("board_contested_ascii_80x24", ascii);
    console.keys("/is:contested").key(Key::Enter);
    assert_eq!(console.state.board.counts().0, 1, "{}", console.screen());
    let row = console.state.board.current().unwrap();
    assert_eq!(&*row.name, "acme/ui-kit");
    // Whoever decides over both settles it.
    console.keys("Oken").key(Key::Enter);
    assert_eq!(
        console.state.snapshot.header.contested,
        0,
        "{}",
        console.screen()
    );
    assert_eq!(console.state.board.counts().0, 0);
}

#[test]
fn the_start_screen() {
    let entry = |group, title: &str, detail: &str| Entry::new(group, title, detail);
    let start = Start::new(vec![
        entry(Group::Sessions, "acme.cutover", "in this folder"),
        entry(
            Group::Sessions,
            "/home/rosa/old/acme-2025.cutover",
            "opened before",
        ),
        entry(
            Group::Begin,
            "Look around in an example organisation",
            "cutover demo",
        ),
    ]);
    for (width, height) in SIZES.into_iter().chain([(20, 6)]) {
        for (suffix, depth, glyphs) in [
            ("", Depth::True, Glyphs::Unicode),
            ("_ascii", Depth::None, Glyphs::Ascii),
        ] {
            let theme = Theme::named("dark", depth, glyphs).unwrap();
            let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
            terminal
                .draw(|frame| view::start(frame, &start, &theme))
                .unwrap();
            let screen = text(terminal.backend().buffer());
            insta::assert_snapshot!(format!("start{suffix}_{width}x{height}"), screen);
        }
    }
}

#[test]
fn every_screen_in_ascii() {
    for (name, keys) in SCREENS {
        let screen = open(keys, 12, 80, 24).text(Depth::None, Glyphs::Ascii);
        assert!(screen.is_ascii(), "{name}: {screen}");
        insta::assert_snapshot!(format!("{name}_ascii_80x24"), screen);
    }
    let screen = confirm(80, 24).text(Depth::None, Glyphs::Ascii);
    assert!(screen.is_ascii(), "{screen}");
    insta::assert_snapshot!("confirm_ascii_80x24", screen);
}

#[test]
fn colours_carry_meaning() {
    let console = open(&[c('j'), c(' ')], 12, 80, 24);
    insta::assert_snapshot!(
        "board_dark_styles",
        styles(&console.buffer(Depth::True, Glyphs::Unicode))
    );
    let token = open(&[c('3'), Key::Enter], 12, 80, 24);
    insta::assert_snapshot!(
        "token_dark_styles",
        styles(&token.buffer(Depth::True, Glyphs::Unicode))
    );
}

#[test]
fn a_board_of_any_length() {
    for (width, height) in SIZES {
        for repos in [0, 1, 10_000] {
            let screen = open(&[], repos, width, height).screen();
            insta::assert_snapshot!(format!("board_of_{repos}_{width}x{height}"), screen);
        }
    }
    for (name, key) in [("tokens", c('3')), ("log", c('6'))] {
        insta::assert_snapshot!(
            format!("{name}_of_0_80x24"),
            open(&[key], 0, 80, 24).screen()
        );
    }
}

#[test]
fn the_least_size_works_and_less_says_so() {
    let mut console = open(&[], 12, 60, 16);
    insta::assert_snapshot!("board_60x16", console.screen());
    for (width, height) in [(59, 16), (60, 15), (20, 3), (1, 1)] {
        console.send(Message::Resize(Size { width, height }));
        let screen = console.screen();
        assert!(!screen.contains("acme"), "{screen}");
        if width > 20 {
            assert!(
                screen.contains(&format!("{width} x {height}: cutover needs 60 x 16")),
                "{screen}"
            );
        }
    }
    console.send(Message::Resize(Size {
        width: 60,
        height: 16,
    }));
    assert!(console.screen().contains("acme/cli"));
}

#[test]
fn a_session_that_is_only_read_says_so() {
    let mut console = Console::with(12, 80, 24, true);
    insta::assert_snapshot!("board_read_only_80x24", console.screen());
    console.keys("a");
    insta::assert_snapshot!("board_read_only_refused_80x24", console.screen());
}
