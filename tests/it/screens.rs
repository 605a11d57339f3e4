//! Whole screens of the console over a real session and its engine, as snapshots.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use crate::common::console;
use console::{Console, styles, text};
use cutover::engine::Handle;
use cutover::model::gate::State as Verdict;
use cutover::model::id::Subject;
use cutover::session::decide::{Action, LaneAction, NoteAction};
use cutover::session::{Options, Session};
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
use std::sync::Arc;

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

/// Colours of the dark theme: what says that something is met, and the ground of danger.
const MET: [Color; 2] = [Color::Rgb(0x7c, 0xc9, 0x8a), Color::Rgb(0x6f, 0xc3, 0xc9)];
const DANGER: Color = Color::Rgb(0xa3, 0x2f, 0x38);

/// A console on a file whose last line is damaged. One path has come to an end state, as far as the rest of the file
/// tells.
fn damaged(width: u16, height: u16) -> Console {
    let folder = tempfile::tempdir().unwrap();
    let mut session = console::session(folder.path(), 12, false);
    let path = *session.facts().paths.keys().min().unwrap();
    let carried = Action::Lane(LaneAction::CarryOver {
        paths: vec![path],
        owner: "rosa".to_owned(),
        until: "2027-03-01".parse().unwrap(),
        why: "waits for the new runner".to_owned(),
    });
    let note = Action::Note(NoteAction::Add {
        about: Subject::SESSION,
        text: "damaged soon".to_owned(),
    });
    for action in [carried, note] {
        session.decide(&[action], console::start()).unwrap();
    }
    let options = Options {
        state: folder.path().join("state"),
        actor: "rosa".to_owned(),
        device: "desk".to_owned(),
        program: "test".to_owned(),
        read_only: true,
        random: [7; 16],
        now: console::start(),
    };
    drop(session);
    let file = folder.path().join("acme.cutover");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("damaged soon", "damaged now!")).unwrap();
    let session = Session::open(&file, options).unwrap();
    let handle = Handle::start(session, Arc::new(console::start)).unwrap();
    Console::of(handle, folder, console::start(), width, height)
}

/// Shows one token as safe to revoke and one as revoked.
fn settle_tokens(console: &mut Console) {
    let mut snapshot = (*console.state.snapshot).clone();
    snapshot.rows_revision += 1;
    let tokens = Arc::make_mut(&mut snapshot.tokens);
    tokens[0].chain = (Verdict::Passed, "nothing holds it any more".into());
    tokens[1].gone = (Verdict::Attested, "recorded as revoked".into());
    console.send(Message::Snapshot(Arc::new(snapshot)));
}

#[test]
fn a_damaged_file_turns_the_top_red_and_nothing_below_stays_green() {
    let screens = [
        ("board", &[][..]),
        ("tokens", &[c('3')]),
        ("repo", &[Key::Enter]),
    ];
    for (width, height) in SIZES {
        for (name, keys) in screens {
            let mut console = damaged(width, height);
            for key in keys {
                console.key(*key);
            }
            settle_tokens(&mut console);
            insta::assert_snapshot!(format!("{name}_damaged_{width}x{height}"), console.screen());
            let buffer = console.buffer(Depth::True, Glyphs::Unicode);
            for (at, cell) in (0..width).flat_map(|x| [(x, 0), (x, 1)].map(|at| (at, &buffer[at])))
            {
                assert_eq!(cell.bg, DANGER, "{name}: {at:?}");
            }
            let green = buffer
                .content()
                .iter()
                .filter(|cell| MET.contains(&cell.fg));
            assert_eq!(green.count(), 0, "{name}: {}", styles(&buffer));
        }
    }
}
