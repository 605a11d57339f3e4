//! JSON as repositories write it: comments, trailing commas, a byte order mark, and where keys stand.
//!
//! Owns the little that serde_json does not give. It keeps every byte offset, so that lines stay true.

use std::borrow::Cow;
use std::fmt;

use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess,
};
use serde_json::{Map, Value};

use super::Unreadable;

/// Parses strict JSON; an error says where.
pub(super) fn parse<T: DeserializeOwned>(path: &str, text: &str) -> Result<T, Unreadable> {
    serde_json::from_str(text).map_err(|e| unreadable(path, &e))
}

fn unreadable(path: &str, error: &serde_json::Error) -> Unreadable {
    Unreadable {
        file: path.to_owned(),
        line: u32::try_from(error.line()).unwrap_or(u32::MAX).max(1),
        column: u32::try_from(error.column()).unwrap_or(u32::MAX).max(1),
        why: error.to_string(),
    }
}

/// Keys of an object that are kept, each with what is kept of an object that stands there; everything where nothing is
/// named.
pub(super) type Keep = [(&'static str, &'static [&'static str])];

/// Parses a strict JSON object and keeps only some of its keys: most of a manifest is of no interest.
pub(super) fn parse_some(
    path: &str,
    text: &str,
    keep: &'static Keep,
) -> Result<Map<String, Value>, Unreadable> {
    let mut source = serde_json::Deserializer::from_str(text);
    let object = source.deserialize_map(Top(keep));
    let object = object.and_then(|object| source.end().map(|()| object));
    object.map_err(|e| unreadable(path, &e))
}

struct Top(&'static Keep);

impl<'de> serde::de::Visitor<'de> for Top {
    type Value = Map<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Self::Value, A::Error> {
        let mut kept = Map::new();
        while let Some(Key(key)) = from.next_key()? {
            match self.0.iter().find(|(name, _)| *name == key) {
                None => {
                    from.next_value::<IgnoredAny>()?;
                }
                Some((name, [])) => {
                    kept.insert((*name).to_owned(), from.next_value()?);
                }
                Some((name, inner)) => {
                    kept.insert((*name).to_owned(), from.next_value_seed(Inner(inner))?);
                }
            }
        }
        Ok(kept)
    }
}

/// An object of which some keys are kept; what is no object reads as null.
struct Inner(&'static [&'static str]);

impl<'de> DeserializeSeed<'de> for Inner {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> serde::de::Visitor<'de> for Inner {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut kept = Map::new();
        while let Some(Key(key)) = from.next_key()? {
            match self.0.iter().find(|name| **name == key) {
                None => {
                    from.next_value::<IgnoredAny>()?;
                }
                Some(name) => {
                    kept.insert((*name).to_owned(), from.next_value()?);
                }
            }
        }
        Ok(Value::Object(kept))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        while from.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_str<E>(self, _: &str) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
}

/// A key, borrowed where it has no escapes.
#[derive(serde::Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

/// Parses JSON that may hold comments and trailing commas.
pub(super) fn parse_lenient<T: DeserializeOwned>(path: &str, text: &str) -> Result<T, Unreadable> {
    parse(
        path,
        &without_comments(text.strip_prefix('\u{feff}').unwrap_or(text)),
    )
}

/// Replaces `//` and `/* */` comments and trailing commas with blanks; lines and columns stay where they were.
pub fn without_comments(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.bytes().peekable();
    let mut in_string = false;
    // Where the last comma stands while only blanks followed it.
    let mut comma: Option<usize> = None;
    while let Some(b) = rest.next() {
        if in_string {
            out.push(b);
            match b {
                b'\\' => out.extend(rest.next()),
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match (b, rest.peek()) {
            (b'/', Some(b'/')) => {
                out.push(b' ');
                while rest.peek().is_some_and(|&n| n != b'\n') {
                    rest.next();
                    out.push(b' ');
                }
            }
            (b'/', Some(b'*')) => {
                rest.next();
                out.extend(b"  ");
                let mut last = 0;
                for n in rest.by_ref() {
                    out.push(if n == b'\n' { b'\n' } else { b' ' });
                    if last == b'*' && n == b'/' {
                        break;
                    }
                    last = n;
                }
            }
            _ => {
                match b {
                    b'"' => in_string = true,
                    b'}' | b']' => {
                        if let Some(slot) = comma.and_then(|at| out.get_mut(at)) {
                            *slot = b' ';
                        }
                    }
                    _ => {}
                }
                if b == b',' {
                    comma = Some(out.len());
                } else if !b.is_ascii_whitespace() {
                    comma = None;
                }
                out.push(b);
            }
        }
    }
    // Only whole characters of comments were replaced, byte by byte, with blanks.
    String::from_utf8(out).unwrap_or_default()
}

/// Lines of a manifest's `repository` and `name` and of the entries of `scripts`.
#[derive(Debug, Default)]
pub(super) struct KeyLines<'t> {
    pub(super) repository: Option<u32>,
    pub(super) name: Option<u32>,
    scripts: Vec<(&'t str, u32)>,
}

impl KeyLines<'_> {
    pub(super) fn script(&self, name: &str) -> Option<u32> {
        self.scripts
            .iter()
            .find(|(k, _)| *k == name)
            .map(|(_, line)| *line)
    }
}

/// Finds where the keys stand, in one pass over well-formed JSON.
pub(super) fn key_lines(text: &str) -> KeyLines<'_> {
    let mut found = KeyLines::default();
    let (mut depth, mut line) = (0_u32, 1_u32);
    let (mut in_scripts, mut seen_scripts) = (false, false);
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(b) = bytes.get(at) {
        at += 1;
        match b {
            b'\n' => line += 1,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                let end = string_end(bytes, at);
                let wanted = depth == 1 || (depth == 2 && in_scripts);
                // Keys with escapes are rare and only lose their line.
                let key = text.get(at..end).unwrap_or_default();
                at = end + 1;
                if !wanted || !followed_by_colon(text, at) {
                    continue;
                }
                if depth > 1 {
                    found.scripts.push((key, line));
                    continue;
                }
                // The rest of a manifest is mostly dependencies.
                if seen_scripts && found.repository.is_some() && found.name.is_some() {
                    break;
                }
                in_scripts = key == "scripts";
                seen_scripts |= in_scripts;
                match key {
                    "repository" => found.repository = found.repository.or(Some(line)),
                    "name" => found.name = found.name.or(Some(line)),
                    _ => {}
                }
            }
            _ => {}
        }
    }
    found
}

/// Finds the quote that ends the string whose first byte is at `from`.
fn string_end(bytes: &[u8], mut from: usize) -> usize {
    while let Some(step) = memchr::memchr2(b'"', b'\\', bytes.get(from..).unwrap_or_default()) {
        from += step;
        if bytes.get(from) == Some(&b'"') {
            return from;
        }
        from += 2;
    }
    bytes.len()
}

fn followed_by_colon(text: &str, from: usize) -> bool {
    text.as_bytes()
        .get(from..)
        .unwrap_or_default()
        .iter()
        .find(|b| !b.is_ascii_whitespace())
        .is_some_and(|&b| b == b':')
}
