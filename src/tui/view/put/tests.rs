#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
use super::*;

fn line(words: &str, width: u16) -> String {
    let mut buffer = Buffer::empty(Rect::new(0, 0, 12, 1));
    text(
        &mut buffer,
        (0, 0),
        width,
        words,
        Style::new(),
        Glyphs::Unicode,
    );
    buffer
        .content
        .iter()
        .map(|cell| cell.symbol())
        .collect::<String>()
        .trim_end()
        .to_owned()
}

#[test]
fn text_is_cut_and_marked() {
    for (words, width, expected) in [
        ("short", 12, "short"),
        ("exactly six", 11, "exactly six"),
        ("much too long", 6, "much …"),
        ("abc", 0, ""),
        ("abc", 1, "…"),
    ] {
        assert_eq!(line(words, width), expected);
    }
}

#[test]
fn foreign_signs_are_made_visible() {
    for words in ["\u{1b}[2J", "\u{9b}2J", "\u{202e}x", "a\rb"] {
        let shown = line(words, 12);
        assert!(
            !shown.chars().any(char::is_control) && !shown.contains('\u{202e}'),
            "{shown:?}"
        );
        assert!(shown.contains('\\'), "{shown}");
    }
}

#[test]
fn wrapping_keeps_every_letter() {
    assert_eq!(wrap("one two three", 7), ["one two", "three"]);
    assert_eq!(wrap("abcdefghij", 4), ["abcd", "efgh", "ij"]);
    assert_eq!(wrap("", 4), [""]);
}

#[test]
fn a_long_input_shows_its_cursor() {
    let mut buffer = Buffer::empty(Rect::new(0, 0, 12, 1));
    let typed: Input = "abcdefghijklmnop".into();
    let at = input(
        &mut buffer,
        (0, 0),
        8,
        &typed,
        Style::new(),
        Glyphs::Unicode,
    );
    let shown: String = buffer.content.iter().map(|cell| cell.symbol()).collect();
    assert_eq!(shown.trim_end(), "jklmnop");
    assert_eq!(at, Position::new(7, 0));
}
