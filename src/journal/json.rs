//! A strict scanner for one compact JSON object: the `data` of a line.
//!
//! It accepts what any JSON reader accepts, minus white space, repeated keys and deep nesting, so that two readers
//! can never see two meanings in one line. It builds nothing and must not look at what the fields mean.

use super::reason::Reason;
use std::collections::BTreeSet;

/// Deepest nesting that is read, the object itself included.
pub const MAX_DEPTH: usize = 64;

/// Up to here repeated keys are looked for pair by pair, above by sorting.
const FEW_KEYS: usize = 24;

/// Bytes of a string that are looked at together.
const BLOCK: usize = 16;

/// Memory that is used again from line to line.
#[derive(Debug, Default)]
pub struct Scratch {
    /// Byte ranges of the keys of the objects that are still open.
    keys: Vec<(usize, usize)>,
}

/// True for the bytes that may stand inside a string as they are.
const fn is_plain(byte: u8) -> bool {
    byte >= 0x20 && byte != b'"' && byte != b'\\'
}

/// Returns the position after the object that starts at `at`.
///
/// # Errors
/// Says what is wrong and at which byte; repeated keys and too deep nesting have reasons of their own.
pub fn object(text: &[u8], at: usize, scratch: &mut Scratch) -> Result<usize, Reason> {
    scratch.keys.clear();
    match text.get(at) {
        Some(b'{') => object_at(text, at, 1, scratch),
        _ => Err(Reason::shape("an object as `data`", at)),
    }
}

fn object_at(text: &[u8], at: usize, depth: usize, scratch: &mut Scratch) -> Result<usize, Reason> {
    if depth > MAX_DEPTH {
        return Err(Reason::Depth);
    }
    let first = scratch.keys.len();
    let mut pos = at + 1;
    if text.get(pos) == Some(&b'}') {
        return Ok(pos + 1);
    }
    let mut escaped = false;
    loop {
        let end = string(text, pos, &mut escaped)?;
        scratch.keys.push((pos, end));
        pos = expect(text, end, b':', "`:` after a key")?;
        pos = value(text, pos, depth, scratch)?;
        match text.get(pos) {
            Some(b',') => pos += 1,
            Some(b'}') => break,
            _ => return Err(Reason::shape("`,` or `}` after a value", pos)),
        }
    }
    no_repeats(text, scratch.keys.get(first..).unwrap_or_default(), escaped)?;
    scratch.keys.truncate(first);
    Ok(pos + 1)
}

fn array_at(text: &[u8], at: usize, depth: usize, scratch: &mut Scratch) -> Result<usize, Reason> {
    if depth > MAX_DEPTH {
        return Err(Reason::Depth);
    }
    let mut pos = at + 1;
    if text.get(pos) == Some(&b']') {
        return Ok(pos + 1);
    }
    loop {
        pos = value(text, pos, depth, scratch)?;
        match text.get(pos) {
            Some(b',') => pos += 1,
            Some(b']') => return Ok(pos + 1),
            _ => return Err(Reason::shape("`,` or `]` after a value", pos)),
        }
    }
}

fn value(text: &[u8], at: usize, depth: usize, scratch: &mut Scratch) -> Result<usize, Reason> {
    match text.get(at) {
        Some(b'"') => string(text, at, &mut false),
        Some(b'{') => object_at(text, at, depth + 1, scratch),
        Some(b'[') => array_at(text, at, depth + 1, scratch),
        Some(b't') => word(text, at, b"true"),
        Some(b'f') => word(text, at, b"false"),
        Some(b'n') => word(text, at, b"null"),
        Some(b'-' | b'0'..=b'9') => number(text, at),
        _ => Err(Reason::shape("a value without white space", at)),
    }
}

fn expect(text: &[u8], at: usize, byte: u8, what: &'static str) -> Result<usize, Reason> {
    if text.get(at) == Some(&byte) {
        Ok(at + 1)
    } else {
        Err(Reason::shape(what, at))
    }
}

fn word(text: &[u8], at: usize, word: &[u8]) -> Result<usize, Reason> {
    if text.get(at..).is_some_and(|rest| rest.starts_with(word)) {
        Ok(at + word.len())
    } else {
        Err(Reason::shape("`true`, `false` or `null`", at))
    }
}

/// Position after the string that starts at `at` with its quote. Sets `escaped` when it holds an escape.
fn string(text: &[u8], at: usize, escaped: &mut bool) -> Result<usize, Reason> {
    let mut pos = expect(text, at, b'"', "a string")?;
    loop {
        let rest = text.get(pos..).unwrap_or_default();
        let blocks = rest.chunks_exact(BLOCK);
        // Without a branch inside a block, the compiler compares its bytes all at once.
        let whole = blocks.take_while(|block| block.iter().fold(true, |all, &b| all & is_plain(b)));
        pos += whole.count() * BLOCK;
        let rest = text.get(pos..).unwrap_or_default();
        let plain = rest.iter().position(|&b| !is_plain(b));
        let plain = plain.ok_or(Reason::shape("the end of a string", text.len()))?;
        pos += plain;
        match text.get(pos) {
            Some(b'"') => return Ok(pos + 1),
            Some(b'\\') => {
                *escaped = true;
                pos = escape(text, pos)?;
            }
            _ => return Err(Reason::shape("no control character in a string", pos)),
        }
    }
}

/// Position after one escape. A high surrogate must have its low one: half a pair is no text.
fn escape(text: &[u8], at: usize) -> Result<usize, Reason> {
    match text.get(at + 1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
        Some(b'u') => match hex4(text, at + 2)? {
            0xD800..=0xDBFF => {
                let low = word(text, at + 6, b"\\u").and_then(|next| hex4(text, next));
                match low {
                    Ok(0xDC00..=0xDFFF) => Ok(at + 12),
                    _ => Err(Reason::shape("the second half of a surrogate pair", at + 6)),
                }
            }
            0xDC00..=0xDFFF => Err(Reason::shape("the first half of a surrogate pair", at)),
            _ => Ok(at + 6),
        },
        _ => Err(Reason::shape("an escape that JSON knows", at)),
    }
}

fn hex4(text: &[u8], at: usize) -> Result<u32, Reason> {
    let digits = text
        .get(at..at + 4)
        .ok_or(Reason::shape("four hex digits", at))?;
    digits.iter().try_fold(0u32, |sum, &b| {
        let digit = char::from(b)
            .to_digit(16)
            .ok_or(Reason::shape("four hex digits", at))?;
        Ok(sum * 16 + digit)
    })
}

fn number(text: &[u8], at: usize) -> Result<usize, Reason> {
    let mut pos = at + usize::from(text.get(at) == Some(&b'-'));
    pos = match text.get(pos) {
        Some(b'0') => pos + 1,
        Some(b'1'..=b'9') => digits(text, pos)?,
        _ => return Err(Reason::shape("a digit", pos)),
    };
    if text.get(pos) == Some(&b'.') {
        pos = digits(text, pos + 1)?;
    }
    if matches!(text.get(pos), Some(b'e' | b'E')) {
        pos += 1 + usize::from(matches!(text.get(pos + 1), Some(b'+' | b'-')));
        pos = digits(text, pos)?;
    }
    // Every reader must be able to hold it: what is too large for a double is refused here, not when it is used.
    let long = text.get(at..pos).filter(|number| {
        number.len() > SHORT_NUMBER || number.contains(&b'e') || number.contains(&b'E')
    });
    let holds = |number: &[u8]| {
        std::str::from_utf8(number)
            .ok()
            .and_then(|text| text.parse::<f64>().ok())
            .is_some_and(f64::is_finite)
    };
    match long {
        Some(number) if !holds(number) => Err(Reason::shape("a number that a double can hold", at)),
        _ => Ok(pos),
    }
}

/// Digits that always fit a double.
const SHORT_NUMBER: usize = 20;

fn digits(text: &[u8], at: usize) -> Result<usize, Reason> {
    let rest = text.get(at..).unwrap_or_default();
    match rest.iter().take_while(|b| b.is_ascii_digit()).count() {
        0 => Err(Reason::shape("a digit", at)),
        n => Ok(at + n),
    }
}

/// Refuses two keys of one object that mean the same text, however they are escaped.
fn no_repeats(text: &[u8], keys: &[(usize, usize)], escaped: bool) -> Result<(), Reason> {
    let raw = |&(start, end): &(usize, usize)| text.get(start..end).unwrap_or_default();
    if !escaped && keys.len() <= FEW_KEYS {
        for (i, key) in keys.iter().enumerate() {
            if keys.iter().take(i).any(|other| raw(other) == raw(key)) {
                return Err(Reason::RepeatedKey { at: key.0 });
            }
        }
        return Ok(());
    }
    let mut seen = BTreeSet::new();
    for key in keys {
        let decoded: String = serde_json::from_slice(raw(key))
            .map_err(|_not_a_string| Reason::shape("a key", key.0))?;
        if !seen.insert(decoded) {
            return Err(Reason::RepeatedKey { at: key.0 });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
    use super::*;
    use proptest::prelude::*;

    fn scan(text: &str) -> Result<usize, Reason> {
        object(text.as_bytes(), 0, &mut Scratch::default())
    }

    #[test]
    fn accepts_compact_objects() {
        for text in [
            "{}",
            r#"{"a":1}"#,
            r#"{"a":-0.5e+10,"b":[true,false,null,{},[]],"c":"\u00e9\n\ud83d\ude00","":0}"#,
            r#"{"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]}"#,
        ] {
            assert_eq!(scan(text), Ok(text.len()), "{text}");
        }
    }

    #[test]
    fn refuses_what_other_readers_could_read_otherwise() {
        for text in [
            "",
            "[]",
            "1",
            "{",
            "{ }",
            r#"{"a": 1}"#,
            r#"{"a":01}"#,
            r#"{"a":1e33666666666}"#,
            r#"{"a":.5}"#,
            r#"{"a":1.}"#,
            r#"{"a":1e}"#,
            r#"{"a":+1}"#,
            r#"{"a":NaN}"#,
            r#"{a:1}"#,
            r#"{"a":1,}"#,
            r#"{,}"#,
            r#"{"a":[1,]}"#,
            r#"{"a":[,]}"#,
            r#"{"a":tru}"#,
            r#"{"a":"\x"}"#,
            r#"{"a":"\ud800"}"#,
            r#"{"a":"\ud800\u0041"}"#,
            r#"{"a":"\udc00"}"#,
            "{\"a\":\"\n\"}",
            "{\"a\":\"\0\"}",
            r#"{"a":"b}"#,
            r#"{"a" :1}"#,
            r#"{"a"}"#,
            r#"{"a":1]"#,
        ] {
            assert!(matches!(scan(text), Err(Reason::Shape { .. })), "{text}");
        }
    }

    #[test]
    fn refuses_repeated_keys_at_every_level() {
        for text in [
            r#"{"a":1,"a":2}"#,
            r#"{"a":1,"b":0,"\u0061":2}"#,
            r#"{"x":{"a":1,"b":2,"a":3}}"#,
            r#"{"x":[{"a":{},"a":{}}]}"#,
        ] {
            assert!(
                matches!(scan(text), Err(Reason::RepeatedKey { .. })),
                "{text}"
            );
        }
        let many: Vec<String> = (0..100).map(|i| format!("\"k{i}\":{i}")).collect();
        assert!(scan(&format!("{{{}}}", many.join(","))).is_ok());
        assert!(matches!(
            scan(&format!("{{{},\"k7\":0}}", many.join(","))),
            Err(Reason::RepeatedKey { .. })
        ));
    }

    #[test]
    fn depth_is_capped() {
        let nest = |n: usize| format!("{}1{}", "{\"a\":".repeat(n), "}".repeat(n));
        assert!(scan(&nest(MAX_DEPTH)).is_ok());
        assert_eq!(scan(&nest(MAX_DEPTH + 1)), Err(Reason::Depth));
        assert_eq!(
            scan(&format!("{{\"a\":{}", "[".repeat(100_000))),
            Err(Reason::Depth)
        );
    }

    proptest! {
        /// Whatever it accepts, the usual JSON reader accepts too; what that writes, it accepts.
        #[test]
        fn agrees_with_serde_json(text in r#"\{("[ab\\u0061]{0,3}":(1|-0|"x"|\[1?,?2?\]|\{\}|1e5),?){0,3}\}"#) {
            if scan(&text) == Ok(text.len()) {
                let value: serde_json::Value = serde_json::from_str(&text).unwrap();
                let again = value.to_string();
                prop_assert_eq!(scan(&again), Ok(again.len()));
            }
        }

        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = object(&bytes, 0, &mut Scratch::default());
        }
    }
}
