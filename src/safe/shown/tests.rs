#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use proptest::prelude::*;
use unicode_width::UnicodeWidthStr;

use super::*;

/// Reads the escapes back: that it can be done is what keeps two names from looking alike.
fn undo(shown: &str) -> String {
    let mut out = String::new();
    let mut rest = shown;
    while let Some(at) = rest.find("\\u{") {
        out.push_str(&rest[..at]);
        let end = at + rest[at..].find('}').unwrap();
        out.push(char::from_u32(u32::from_str_radix(&rest[at + 3..end], 16).unwrap()).unwrap());
        rest = &rest[end + 1..];
    }
    out + rest
}

fn foreign() -> impl Strategy<Value = String> {
    let odd = prop::sample::select(vec![
        "\u{1b}[2J",
        "\u{1b}]52;c;AA\u{7}",
        "\u{1b}]8;;x\u{1b}\\",
        "\u{9b}",
        "\u{202e}",
        "\u{200b}",
        "\u{e0041}",
        "\u{301}",
        "\\u{202e}",
        "\\x{9b}",
        "\\",
        "u{",
        "\n",
        "\t",
        "\r",
        "\u{a0}",
        "\u{ad}",
        "\u{fe0f}",
        "\u{2028}",
        "漢",
        "é",
        "a",
        "{",
        "}",
        "@acme/x",
    ]);
    prop::collection::vec(
        prop_oneof![
            odd.prop_map(str::to_owned),
            any::<char>().prop_map(String::from)
        ],
        0..40,
    )
    .prop_map(|parts| parts.concat())
}

#[test]
fn a_second_time_leaves_the_escapes_of_the_first() {
    for text in ["a\u{202e}b", "\u{1b}[2J", "a\\u{202e}b", "漢\u{200b}"] {
        let once = visible(text).into_owned();
        assert_eq!(visible_again(&once, COLUMNS), once, "{text:?}");
    }
    // Only a whole escape is one.
    for (text, shown) in [
        ("\\u{}", "\\u{5c}u{}"),
        ("\\u{xyz}", "\\u{5c}u{xyz}"),
        ("\\u{1234567}", "\\u{5c}u{1234567}"),
        ("\\u{2", "\\u{5c}u{2"),
        ("\\u{9b}\u{9b}", "\\u{9b}\\u{9b}"),
    ] {
        assert_eq!(visible_again(text, COLUMNS), shown);
    }
    assert_eq!(
        visible_again("ab\\u{202e}", 8),
        "ab…",
        "an escape is not cut in half"
    );
}

proptest! {
    #[test]
    fn a_second_time_changes_nothing_and_hides_nothing(text in foreign()) {
        let once = visible(&text).into_owned();
        prop_assert_eq!(&*visible_again(&once, COLUMNS), &*once);
        prop_assert!(!visible_again(&text, COLUMNS).chars().any(is_hidden));
    }

    #[test]
    fn nothing_hidden_comes_out(text in foreign()) {
        let shown = visible(&text);
        prop_assert!(!shown.chars().any(is_hidden), "{shown:?}");
        prop_assert!(shown.width() <= COLUMNS);
        prop_assert!(!visible_multiline(&text).chars().any(|c| c != '\n' && is_hidden(c)));
        prop_assert!(!visible_bytes(text.as_bytes()).chars().any(is_hidden));
    }

    #[test]
    fn what_is_shown_in_full_can_be_read_back(text in foreign()) {
        prop_assume!(redact(&text) == text);
        prop_assert_eq!(undo(&visible_within(&text, 100_000)), text);
    }

    #[test]
    fn bytes_never_come_out_raw(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        prop_assert!(!visible_bytes(&bytes).chars().any(is_hidden));
    }

    #[test]
    fn a_cap_holds(text in foreign(), columns in 0_usize..30) {
        let shown = visible_within(&text, columns);
        prop_assert!(shown.width() <= columns, "{shown:?} is wider than {columns}");
    }
}

#[test]
fn plain_text_is_borrowed_and_unchanged() {
    for text in ["", "acme/ui-kit", "a \\ b", "C:\\temp", "~!@#$%^&*()"] {
        assert!(
            matches!(visible(text), Cow::Borrowed(same) if same == text),
            "{text}"
        );
    }
    assert_eq!(visible("größe 漢字 עברית é"), "größe 漢字 עברית é");
    assert_eq!(visible("nai\u{308}ve"), "nai\u{308}ve");
}

#[test]
fn hidden_characters_become_escapes() {
    for (text, shown) in [
        ("a\u{1b}[2Jb", "a\\u{1b}[2Jb"),
        ("a\nb\tc\rd", "a\\u{a}b\\u{9}c\\u{d}d"),
        ("\u{9b}2J", "\\u{9b}2J"),
        ("x\u{202e}y", "x\\u{202e}y"),
        ("acme\u{200b}/ui", "acme\\u{200b}/ui"),
        ("a\u{e0041}", "a\\u{e0041}"),
        ("a\u{e000}\u{378}", "a\\u{e000}\\u{378}"),
        ("a\u{a0}b\u{3000}c", "a\\u{a0}b\\u{3000}c"),
        ("\u{7f}", "\\u{7f}"),
        ("\\u{202e}", "\\u{5c}u{202e}"),
        ("\u{301}a", "\\u{301}a"),
    ] {
        assert_eq!(visible(text), shown);
    }
    assert_eq!(visible_bytes(b"a\x9bb"), "a\\x{9b}b");
    assert_ne!(visible_bytes(b"a\x9bb"), visible_bytes(b"a\\x{9b}b"));
}

#[test]
fn ten_thousand_marks_do_not_climb() {
    let text = format!("a{}", "\u{301}".repeat(10_000));
    let shown = visible(&text);
    assert!(
        shown.starts_with("a\u{301}\u{301}\u{301}\u{301}\\u{301}"),
        "{shown}"
    );
    assert!(shown.ends_with('…') && shown.width() <= COLUMNS);
}

#[test]
fn long_text_is_cut_at_a_whole_unit() {
    assert_eq!(visible_within("abcdef", 6), "abcdef");
    assert_eq!(visible_within("abcdef", 5), "abcd…");
    assert_eq!(visible_within("ab漢字", 5), "ab漢…");
    assert_eq!(visible_within("abc\u{1b}", 6), "abc…");
    assert_eq!(visible_within("abcdef", 0), "");
    assert_eq!(
        format!("[{:<8}]", Shown::new("abc\u{7}def").within(4)),
        "[abc…    ]"
    );
}

#[test]
fn a_block_keeps_its_lines() {
    assert_eq!(
        visible_multiline("a\r\nb\u{1b}[0m\n\tc"),
        "a\nb\\u{1b}[0m\n\\u{9}c"
    );
    assert_eq!(
        visible_multiline(&"x\n".repeat(1000)).lines().count(),
        LINES + 1
    );
}

#[test]
fn a_secret_is_not_shown() {
    let token = format!("npm_{}", "x".repeat(36));
    assert_eq!(
        visible(&format!("publish with {token}")),
        "publish with [redacted-npm-token]"
    );
    assert!(!visible_bytes(format!("{token}\u{9b}").as_bytes()).contains(&token));
    let mut raw = token.clone().into_bytes();
    raw.push(0x9b);
    assert_eq!(visible_bytes(&raw), "[redacted-npm-token]\u{fffd}");
}

#[test]
fn one_is_one_and_more_are_many() {
    for (count, noun, words) in [
        (0, "line", "0 lines"),
        (1, "line", "1 line"),
        (2, "line", "2 lines"),
        (1, "repository", "1 repository"),
        (2, "repository", "2 repositories"),
        (2, "day", "2 days"),
    ] {
        assert_eq!(counted(count, noun), words);
    }
}
