//! Small readers of loosely typed answers: what is missing or of another kind is none, never an error.

use chrono::DateTime;
use serde_json::Value;

use crate::model::time::Ts;

/// Most bytes of one foreign text that is kept in a fact.
const KEPT: usize = 512;

/// Keeps a foreign text as it is, cut at a length that no honest name has.
pub(super) fn kept(text: &str) -> Box<str> {
    text.get(..text.floor_char_boundary(KEPT))
        .unwrap_or_default()
        .into()
}

/// Gives a text field; a number is taken as its digits.
pub(super) fn text(value: &Value, key: &str) -> Option<Box<str>> {
    match value.get(key)? {
        Value::String(text) if !text.is_empty() => Some(kept(text)),
        Value::Number(number) => Some(number.to_string().into()),
        _ => None,
    }
}

/// Gives a field that is true or false, also where it is written as a word.
pub(super) fn flag(value: &Value, key: &str) -> Option<bool> {
    match value.get(key)? {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// Gives a time: RFC 3339, or milliseconds as older registries count.
pub(super) fn time(value: &Value, key: &str) -> Option<Ts> {
    match value.get(key)? {
        Value::String(text) => Ts::parse(text),
        Value::Number(number) => {
            DateTime::from_timestamp_millis(number.as_i64()?).map(|at| Ts(at.timestamp()))
        }
        _ => None,
    }
}

/// Gives the elements of a list; none where there is no list.
pub(super) fn items<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value
        .get(key)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}
