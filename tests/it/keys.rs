//! What keys, pastes, clicks and new facts do: the console's state over a real session and its engine.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use crate::common::console;
use console::Console;
use cutover::model::event::World;
use cutover::model::time::Ts;
use cutover::session::decide::{Action, Assign, Role};
use cutover::tui::action::{ACTIONS, Key};
use cutover::tui::layout::Size;
use cutover::tui::state::{Overlay, Tab};
use cutover::tui::theme::{Depth, Glyphs};
use cutover::tui::update::{Effect, Message};
use cutover::tui::view;
use proptest::prelude::*;

fn board() -> Console {
    Console::new(12, 100, 30)
}

fn names(console: &Console) -> Vec<String> {
    console
        .state
        .board
        .window()
        .map(|(row, ..)| row.name.to_string())
        .collect()
}

#[test]
fn a_filter_narrows_letter_by_letter_and_esc_drops_it() {
    let mut console = board();
    let mut last = 12;
    console.key(Key::Char('/'));
    for letter in "ui-k".chars() {
        console.key(Key::Char(letter));
        let shown = console.state.board.counts().0;
        assert!(shown <= last);
        last = shown;
    }
    assert_eq!(names(&console), ["acme/ui-kit"]);
    console.key(Key::Enter).key(Key::Esc);
    assert_eq!(console.state.board.counts().0, 12);
    console
        .key(Key::Char('/'))
        .keys("lane:bridge is:open owner:ken wave<4");
    assert_eq!(names(&console), ["acme/cli"]);
    console.send(Message::Paste(" nosuch:1".to_owned()));
    assert_eq!(names(&console), ["acme/cli"], "the last good filter stays");
    assert!(console.screen().contains("no word `nosuch`"));
}

#[test]
fn a_batch_goes_to_every_chosen_row_and_undo_takes_it_back() {
    let mut console = board();
    console
        .key(Key::Char('/'))
        .keys("is:unowned")
        .key(Key::Enter);
    let batch = console.state.board.counts().0;
    assert!(batch > 1);
    console.keys("*O");
    console.keys("jo").key(Key::Enter);
    assert!(console.state.overlay.is_none(), "{}", console.screen());
    assert_eq!(
        console.state.board.counts().0,
        0,
        "nothing is unowned any more"
    );
    console.key(Key::Esc).keys("/owner:jo").key(Key::Enter);
    let owned = console.state.board.counts().0;
    assert!(owned >= 3);
    console.keys("u");
    assert_eq!(
        console.state.board.counts().0,
        owned - batch,
        "what was decided at once is taken back at once: {}",
        console.screen()
    );
}

#[test]
fn a_lane_for_a_repository_reaches_its_paths() {
    let mut console = board();
    console.keys("/parsers").key(Key::Enter).keys("L");
    console.keys("bri").key(Key::Enter);
    console.key(Key::Enter).keys("because").key(Key::Enter);
    assert!(
        console.screen().contains("a bridge needs an end date"),
        "{}",
        console.screen()
    );
    console.keys("+14d").key(Key::Ctrl('s'));
    assert!(console.state.overlay.is_none(), "{}", console.screen());
    let row = console.state.board.current().unwrap();
    assert_eq!(row.lane_word(), "bridge");
    assert_eq!(
        console.state.last_command.as_deref(),
        Some(
            "cutover lane acme/parsers --lane bridge --until 2026-12-07 --why because -s acme.cutover"
        )
    );
}

#[test]
fn a_gate_is_attested_from_its_line_of_the_page() {
    let mut console = board();
    console.keys("G").key(Key::Enter);
    for _ in 0..200 {
        if console
            .state
            .page
            .as_ref()
            .unwrap()
            .gate()
            .is_some_and(|(gate, _)| gate.word() == "docs-updated")
        {
            break;
        }
        console.keys("j");
    }
    console.keys("a");
    assert!(console.screen().contains("docs-updated"));
    console
        .keys("the wiki has the new steps")
        .key(Key::Enter)
        .key(Key::Enter);
    assert!(console.state.overlay.is_none(), "{}", console.screen());
    assert!(
        console.screen().contains("attested by rosa"),
        "{}",
        console.screen()
    );
    assert_eq!(
        console
            .state
            .page
            .as_ref()
            .unwrap()
            .gate()
            .unwrap()
            .0
            .word(),
        "docs-updated",
        "the cursor stays"
    );
}

#[test]
fn a_refusal_keeps_what_was_typed() {
    let mut console = board();
    let secret = format!("npm_{}", "x".repeat(36));
    console.keys("n").keys(&secret).key(Key::Enter);
    let Some(Overlay::Form(form)) = &console.state.overlay else {
        panic!("{}", console.screen())
    };
    assert!(form.error.as_deref().unwrap().contains("credential"));
    assert!(!form.sending);
    console.key(Key::Esc);
    assert!(console.state.overlay.is_none());
}

#[test]
fn esc_keeps_a_draft_for_the_same_row_only() {
    let mut console = board();
    console.keys("n").keys("half a thought").key(Key::Esc);
    console.keys("jn");
    assert!(!console.screen().contains("half a thought"));
    console.key(Key::Esc).keys("kn");
    assert!(console.screen().contains("half a thought"));
}

/// Opens the panel before the revocation of `ci-publish` is recorded.
fn at_the_panel() -> Console {
    let mut console = board();
    console.keys("3/ci-publish").key(Key::Enter).keys("x");
    console
        .keys("a1b2c3d4")
        .key(Key::Tab)
        .key(Key::Tab)
        .key(Key::Tab)
        .keys("two listings without it");
    console.send(Message::Key(Key::Enter));
    assert!(
        matches!(console.state.overlay, Some(Overlay::Confirm(_))),
        "{}",
        console.screen()
    );
    console
}

fn typed(console: &Console) -> &str {
    let Some(Overlay::Confirm(confirm)) = &console.state.overlay else {
        panic!("{}", console.screen())
    };
    confirm.input.value()
}

#[test]
fn what_cannot_be_undone_wants_the_name_typed() {
    let mut console = at_the_panel();
    for letter in "acme-bot/ci-publish".chars() {
        console.send(Message::Key(Key::Char(letter)));
    }
    console.send(Message::Key(Key::Enter));
    assert_eq!(typed(&console), "", "typed before the panel was seen");
    console.send(Message::Drawn);
    console.send(Message::Paste("acme-bot/ci-publish".to_owned()));
    assert_eq!(typed(&console), "");
    assert!(
        console.screen().contains("a paste is refused"),
        "{}",
        console.screen()
    );
    console.keys("acme-bot/ci-publis").key(Key::Enter);
    assert!(console.screen().contains("does not match"));
    console.keys("h").key(Key::Enter);
    assert!(console.state.overlay.is_none(), "{}", console.screen());
    assert!(
        console.screen().contains("written: revocation recorded"),
        "{}",
        console.screen()
    );
    console.keys("u");
    assert!(
        console
            .state
            .notice
            .as_ref()
            .is_some_and(|notice| !notice.words.contains("revocation"))
    );
}

#[test]
fn changed_facts_clear_the_typed_name() {
    let mut console = at_the_panel();
    console.send(Message::Drawn);
    console.keys("acme-bot/ci");
    let mut snapshot = (*console.state.snapshot).clone();
    let mut tokens = (*snapshot.tokens).clone();
    for row in &mut tokens {
        row.holds += 1;
    }
    snapshot.tokens = tokens.into();
    snapshot.rows_revision += 1;
    console.send(Message::Snapshot(snapshot.into()));
    assert_eq!(typed(&console), "");
    assert!(console.screen().contains("has just changed"));
}

#[test]
fn other_news_leave_the_typed_name() {
    let mut console = at_the_panel();
    console.send(Message::Drawn);
    console.keys("acme-bot/ci");
    let mut snapshot = (*console.state.snapshot).clone();
    snapshot.rows_revision += 1;
    console.send(Message::Snapshot(snapshot.into()));
    assert_eq!(typed(&console), "acme-bot/ci");
}

#[test]
fn nothing_is_decided_where_one_only_reads() {
    for by_option in [false, true] {
        let mut console = Console::with(12, 100, 30, !by_option);
        console.state.settings.read_only = by_option;
        for action in ACTIONS.iter().filter(|action| action.decides) {
            for screen in ["1", "3", "6", "0"] {
                console.keys(screen);
                if action.applies(console.state.scope()) {
                    console.key(action.keys[0]);
                    assert!(
                        console.state.overlay.is_none(),
                        "{} opened something",
                        action.word
                    );
                    assert!(console.screen().contains("is refused"), "{}", action.word);
                }
            }
        }
    }
}

#[test]
fn the_palette_does_what_the_key_does() {
    let mut console = board();
    console.keys(":tok").key(Key::Enter);
    assert_eq!(console.state.tab, Tab::Tokens);
    console.keys(":quit").key(Key::Enter);
    assert_eq!(console.effects, [Effect::Quit]);
}

#[test]
fn the_mouse_selects_sorts_and_scrolls() {
    let mut console = board();
    console.send(Message::Click { x: 10, y: 7 });
    assert_eq!(console.state.board.position().1, 3);
    console.send(Message::Scroll(3));
    assert_eq!(console.state.board.position().1, 6);
    console.send(Message::Click { x: 3, y: 3 });
    assert_eq!(console.state.board.sorted(), (Some(0), false));
    console.send(Message::Click { x: 3, y: 3 });
    assert_eq!(console.state.board.sorted(), (Some(0), true));
    console.send(Message::Click { x: 24, y: 1 });
    assert_eq!(console.state.tab, Tab::Tokens);
    console.send(Message::Click { x: 3, y: 1 });
    console.send(Message::Click { x: 10, y: 5 });
    console.send(Message::Click { x: 10, y: 5 });
    assert!(console.state.page.is_some(), "a second click opens");
}

#[test]
fn the_session_has_its_own_page_and_people() {
    let mut console = board();
    console.keys("0C").keys("rosa").key(Key::Enter);
    assert!(console.screen().contains("rosa"), "{}", console.screen());
    console.keys("1").keys("  K");
    assert!(
        console.screen().contains("written: canaries chosen"),
        "{}",
        console.screen()
    );
}

#[test]
fn the_log_shows_its_words_where_one_looks() {
    let mut console = Console::new(12, 160, 30);
    console.keys("6");
    assert!(
        console.screen().contains("release train on Thursday"),
        "{}",
        console.screen()
    );
    console.keys("/by:rosa kind:lane").key(Key::Enter);
    assert!(
        console
            .state
            .log
            .window()
            .all(|(row, ..)| row.kind == "lane_chosen")
    );
    assert!(
        console.screen().contains("agreed at kickoff"),
        "{}",
        console.screen()
    );
}

/// Between two instants of `next_change` the screen looks the same, and an idle board is drawn once a minute at most.
#[test]
fn the_screen_changes_only_when_it_says_so() {
    for keys in ["", "3", "6", "0"] {
        let mut console = board();
        console.keys(keys);
        for _ in 0..4 {
            let before = console.screen();
            let next = view::next_change(&console.state);
            assert!(next > console.now);
            console.state.now = next.plus(-1);
            assert_eq!(console.screen(), before, "{keys}: changed before {next}");
            console.now = next;
            console.send(Message::Tick);
        }
    }
    let mut console = board();
    console.keys("/-lane:none").key(Key::Enter);
    let next = view::next_change(&console.state);
    assert!(next.0 - console.now.0 >= 60, "{next}");
    // What ends first ticks only where there is room to show it.
    let mut console = board();
    console.send(Message::Resize(Size {
        width: 80,
        height: 24,
    }));
    assert!(!console.screen().contains("ends: "), "{}", console.screen());
    let next = view::next_change(&console.state);
    assert!(next.0 - console.now.0 >= 60, "{next}");
}

#[test]
fn seconds_tick_below_an_hour() {
    let mut console = board();
    console.keys("3");
    assert!(console.screen().contains("41:10"));
    assert_eq!(view::next_change(&console.state), console.now.plus(1));
    console.now = console.now.plus(1);
    console.send(Message::Tick);
    assert!(console.screen().contains("41:09"));
}

#[test]
fn hostile_words_come_out_visible() {
    let mut console = board();
    for foreign in [
        "\u{1b}]0;title\u{7}",
        "\u{9b}31m",
        "\u{202e}gnp",
        "\u{200b}",
        "e\u{301}\u{301}\u{301}\u{301}\u{301}",
    ] {
        console.key(Key::Char('/'));
        console.send(Message::Paste(foreign.to_owned()));
        console.key(Key::Enter);
        let screen = console.screen();
        assert!(
            !screen
                .chars()
                .any(|letter| letter.is_control() && letter != '\n'),
            "{screen:?}"
        );
        assert!(!screen.contains(['\u{202e}', '\u{200b}']), "{screen:?}");
        console.key(Key::Esc);
    }
}

#[test]
fn a_decision_of_somebody_else_moves_nothing_under_the_cursor() {
    let mut console = board();
    console.keys("jjj");
    let at = console.state.board.current().unwrap().id;
    let other = console.state.board.every().next().unwrap().id;
    let action = Action::Role(Assign {
        about: vec![other],
        role: Role::Owner,
        person: Some("zoe".to_owned()),
    });
    console.decide_elsewhere(action);
    assert_eq!(console.state.board.current().unwrap().id, at);
    assert!(console.screen().contains("zoe"), "{}", console.screen());
}

#[test]
fn a_web_page_is_made_of_the_forge_and_a_plain_name_only() {
    let mut console = board();
    let page = |console: &mut Console| {
        console.effects.clear();
        console.keys("o");
        console.effects.clone()
    };
    let cli = vec![Effect::Browse("https://github.com/acme/cli".to_owned())];
    assert_eq!(page(&mut console), cli);
    console.key(Key::Enter);
    assert_eq!(page(&mut console), cli, "the same from its page");
    // A failure shows the address to copy.
    console.send(Message::Browsed {
        address: "https://github.com/acme/cli".to_owned(),
        result: Err("no browser was found".to_owned()),
    });
    let screen = console.screen();
    assert!(screen.contains("https://github.com/acme/cli"), "{screen}");
    assert!(screen.contains("no browser was found"), "{screen}");
    console.key(Key::Esc).key(Key::Esc);
    // What is not known by owner and name, or lives nowhere, has no page.
    for (forge, world) in [
        ("", World::Real),
        ("github.com/x", World::Real),
        ("rosa@github.com", World::Real),
        ("github.com", World::Tabletop),
    ] {
        let mut snapshot = (*console.state.snapshot).clone();
        snapshot.header.forge = forge.into();
        snapshot.header.world = world;
        console.state.snapshot = std::sync::Arc::new(snapshot);
        assert_eq!(page(&mut console), [], "{forge}");
        assert!(console.state.notice.as_ref().unwrap().bad);
    }
    assert_eq!(page(board().keys("3")), [], "a token has no page");
}

#[test]
fn scrolling_help_stops_at_its_end() {
    let mut console = Console::new(1, 80, 24);
    console.keys("?");
    for _ in 0..50 {
        console.key(Key::PageDown);
    }
    let end = console.screen();
    assert!(end.contains("Other words are looked for"), "{end}");
    console.key(Key::Up);
    assert_ne!(console.screen(), end, "one line up moves at once");
}

fn any_message() -> impl Strategy<Value = Message> {
    let keys = prop_oneof![
        3 => prop::char::range(' ', '~').prop_map(Key::Char),
        1 => prop::sample::select(vec![
            Key::Enter, Key::Esc, Key::Tab, Key::BackTab, Key::Up, Key::Down, Key::Left, Key::Right, Key::PageUp,
            Key::PageDown, Key::Home, Key::End, Key::Backspace, Key::Delete, Key::Ctrl('u'), Key::Ctrl('d'), Key::Ctrl('s'),
        ]),
    ];
    prop_oneof![
        12 => keys.prop_map(Message::Key),
        1 => "\\PC{0,12}".prop_map(Message::Paste),
        1 => (0u16..220, 0u16..70).prop_map(|(x, y)| Message::Click { x, y }),
        1 => (-9isize..9).prop_map(Message::Scroll),
        1 => (1u16..210, 1u16..62).prop_map(|(width, height)| Message::Resize(Size { width, height })),
        1 => Just(Message::Drawn),
        1 => Just(Message::Tick),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever comes in, nothing panics, every screen can be drawn, and only our own letters are on it.
    #[test]
    fn update_and_draw_never_panic(messages in prop::collection::vec(any_message(), 1..80)) {
        let mut console = board();
        for message in messages {
            console.now = Ts(console.now.0 + 7);
            console.send(message);
            let ascii = console.text(Depth::Sixteen, Glyphs::Ascii);
            prop_assert!(!ascii.chars().any(|letter| letter.is_control() && letter != '\n'));
        }
    }
}
