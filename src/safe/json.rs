//! The encoder for JSON that leaves the program: redacted, ASCII only, nothing a terminal would act on.
//!
//! Lossless apart from redaction: every other character is written as itself or as a `\u` escape, so a reader gets
//! back the very text. Knows no nouns.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::Formatter;
use serde_json::{Map, Value};

use super::redact::redact;

/// Writes a value as compact JSON.
///
/// # Errors
/// What the writer gives, or a value that has no JSON form.
pub fn write_json(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    let mut bytes = serialized(value)?;
    // The formatter sees a string in pieces, cut at each escape: what is cut there is looked at as a whole.
    if memchr::memchr(b'\\', &bytes).is_some() {
        bytes = serialized(&redacted(serde_json::to_value(value)?))?;
    }
    out.write_all(&bytes)
}

fn serialized(value: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    value.serialize(&mut serde_json::Serializer::with_formatter(
        &mut bytes, Ascii,
    ))?;
    Ok(bytes)
}

fn redacted(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(redact(&text).into_owned()),
        Value::Array(items) => items.into_iter().map(redacted).collect(),
        Value::Object(fields) => {
            let fields = fields.into_iter();
            Value::Object(
                fields
                    .map(|(key, value)| (redact(&key).into_owned(), redacted(value)))
                    .collect::<Map<_, _>>(),
            )
        }
        other => other,
    }
}

/// Compact, with every character outside printable ASCII escaped.
struct Ascii;

impl Formatter for Ascii {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let fragment = redact(fragment);
        let mut rest = fragment.as_ref();
        // Quotes and backslashes come here only with what redaction put in.
        while let Some(at) = rest.find(|c: char| !matches!(c, ' '..='~') || matches!(c, '"' | '\\'))
        {
            let (plain, tail) = rest.split_at(at);
            out.write_all(plain.as_bytes())?;
            let mut chars = tail.chars();
            if let Some(c) = chars.next() {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(out, "\\u{unit:04x}")?;
                }
            }
            rest = chars.as_str();
        }
        out.write_all(rest.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

    use proptest::prelude::*;

    use super::*;

    fn written(value: &impl Serialize) -> String {
        let mut out = Vec::new();
        write_json(&mut out, value).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn escapes_what_a_terminal_would_act_on() {
        let text = "a\u{1b}[31m\u{9b}2J\u{202e}\u{200b}\u{e0041}é\"\\\n";
        let out = written(&text);
        assert!(out.bytes().all(|b| (b' '..=b'~').contains(&b)), "{out}");
        assert_eq!(serde_json::from_str::<String>(&out).unwrap(), text);
    }

    #[test]
    fn redacts_values_and_keys() {
        let token = format!("npm_{}", "aB3".repeat(12));
        let out = written(&std::collections::BTreeMap::from([(
            token.clone(),
            vec![format!("x {token} y")],
        )]));
        assert!(!out.contains(&token), "{out}");
    }

    #[test]
    fn redacts_what_an_escape_cuts() {
        let (left, right) = ("npm_".to_owned() + &"aB3".repeat(6), "dE4".repeat(6));
        for cut in ["\u{1b}[0m", "\u{200b}", "\n"] {
            let text = format!("x {left}{cut}{right} y");
            let out = written(&[(&text, 1.5, u64::MAX)]);
            assert!(!out.contains(&left) && !out.contains(&right), "{out}");
            assert!(out.contains("1.5,18446744073709551615"), "{out}");
        }
    }

    proptest! {
        #[test]
        fn round_trips(text in "[\\PC\u{0}-\u{2f}\u{7f}-\u{ff}]{0,40}") {
            prop_assume!(redact(&text) == text);
            prop_assert_eq!(serde_json::from_str::<String>(&written(&text)).unwrap(), text);
        }
    }
}
