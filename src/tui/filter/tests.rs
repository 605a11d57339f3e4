#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
use super::*;
use proptest::prelude::*;

const WORDS: &[Word] = &[
    Word {
        key: "lane",
        kind: Kind::OneOf(&["trusted", "staged-oidc", "staged-token", "bridge", "manual"]),
    },
    Word {
        key: "wave",
        kind: Kind::Number,
    },
    Word {
        key: "owner",
        kind: Kind::Text,
    },
    Word {
        key: "is",
        kind: Kind::OneOf(&["blocked", "mine", "open"]),
    },
    Word {
        key: "clock",
        kind: Kind::Duration,
    },
];

struct Row;
impl Fields for Row {
    fn contains(&self, word: &str) -> bool {
        "acme/ui-kit rosa bridge register publisher".contains(word)
    }
    fn value(&self, key: &str) -> Value<'_> {
        match key {
            "wave" => Value::Number(3),
            "owner" => Value::Text("rosa".into()),
            "clock" => Value::Seconds(3_600 * 47),
            _ => Value::Absent,
        }
    }
    fn is(&self, key: &str, name: &str) -> bool {
        matches!((key, name), ("lane", "bridge") | ("is", "blocked" | "open"))
    }
}

#[test]
fn words_hold_or_not() {
    let cases = [
        ("", true),
        (
            "lane:bridge wave<4 owner:rosa is:blocked clock<48h ui",
            true,
        ),
        ("lane:trusted", false),
        ("lane:trusted,bridge", true),
        ("-lane:trusted", true),
        ("lane:bri", true),
        ("wave:3", true),
        ("wave>=4", false),
        ("wave<=3 wave>2", true),
        ("owner:ros", true),
        ("owner=ros", false),
        ("is:mine", false),
        ("-is:mine", true),
        ("is:", true),
        ("clock:<47h", false),
        ("clock:2d", true),
        ("UI-Kit", true),
        ("\"register publisher\"", true),
        ("\"publisher register\"", false),
        ("-ui", false),
        ("-", true),
    ];
    for (text, expected) in cases {
        // "-" alone is a free word, and the row has one in "ui-kit".
        assert_eq!(
            Filter::parse(text, WORDS).unwrap().holds(&Row),
            expected,
            "{text}"
        );
    }
}

#[test]
fn errors_say_what_to_write() {
    let cases = [
        ("wave<x", "takes a number, for example wave<4"),
        ("clock<4", "takes a time"),
        ("clock<9999999999999999w", "takes a time"),
        (
            "colour:red",
            "no word `colour`: use lane, wave, owner, is, clock, or quote it",
        ),
        ("lane:rail", "is one of trusted, staged-oidc"),
        ("owner<b", "cannot be compared"),
        ("\"open", "a quote is not closed"),
        ("a\u{1b}:b", "no word `a\\u{1b}`"),
    ];
    for (text, expected) in cases {
        let error = Filter::parse(text, WORDS).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
}

#[test]
fn time_words_are_known() {
    assert!(
        Filter::parse("clock<48h", WORDS)
            .unwrap()
            .depends_on_time(WORDS)
    );
    assert!(
        !Filter::parse("wave<4 ui", WORDS)
            .unwrap()
            .depends_on_time(WORDS)
    );
}

proptest! {
    #[test]
    fn never_panics(text in "\\PC{0,40}|[a-z:<>=\", -]{0,30}") {
        if let Ok(filter) = Filter::parse(&text, WORDS) {
            let _ = filter.holds(&Row);
        }
    }

    #[test]
    fn a_word_and_its_opposite_share_no_row(word in "[a-z]{1,6}") {
        let one = Filter::parse(&word, WORDS).unwrap().holds(&Row);
        let other = Filter::parse(&format!("-{word}"), WORDS).unwrap().holds(&Row);
        prop_assert_ne!(one, other);
    }
}
