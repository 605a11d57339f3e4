//! TOML, JSON and YAML as one tree of spots: value and line.
//!
//! Owns the limits that keep a small file small: depth, documents, and for YAML a budget on aliases and anchors.
//! Must not convert a scalar: numbers and booleans are taken as their text in the file.

use std::collections::HashSet;
use std::marker::PhantomData;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use toml::de::{DeTable, DeValue};

use super::{Format, said, saturate};
use crate::intake::IntakeError;

/// Deepest nesting that is read.
const MAX_DEPTH: usize = 12;

/// A value and the line it starts on.
pub(super) struct Spot {
    pub(super) line: u32,
    pub(super) node: Node,
}

pub(super) enum Node {
    Null,
    Scalar(String),
    List(Vec<Spot>),
    Map(Vec<(String, Spot)>),
}

/// Finds the line of a byte offset, from 1.
pub(in crate::intake) struct Lines {
    starts: Vec<usize>,
}

impl Lines {
    pub(in crate::intake) fn of(text: &str) -> Self {
        let ends = memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1);
        Self {
            starts: std::iter::once(0).chain(ends).collect(),
        }
    }

    pub(in crate::intake) fn at(&self, offset: usize) -> u32 {
        saturate(self.starts.partition_point(|start| *start <= offset) as u64)
    }
}

fn too_deep(line: u32) -> IntakeError {
    IntakeError::Shape {
        message: format!(
            "line {line}: nested deeper than {MAX_DEPTH} levels; write one flat record per repository"
        ),
    }
}

/// Reads TOML.
pub(super) fn toml(text: &str) -> Result<Spot, IntakeError> {
    let lines = Lines::of(text);
    let table = DeTable::parse(text).map_err(|e| IntakeError::Syntax {
        format: Format::Toml,
        line: lines.at(e.span().map_or(0, |span| span.start)),
        message: said(e.message()),
    })?;
    toml_table(text, table.get_ref(), 1, &lines, 0)
}

fn toml_table(
    text: &str,
    table: &DeTable<'_>,
    line: u32,
    lines: &Lines,
    depth: usize,
) -> Result<Spot, IntakeError> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    let mut map = Vec::with_capacity(entries.len());
    for (key, value) in entries {
        let at = lines.at(key.span().start);
        let spot = toml_value(text, value, at, lines, depth + 1)?;
        map.push((key.get_ref().to_string(), spot));
    }
    Ok(Spot {
        line,
        node: Node::Map(map),
    })
}

fn toml_value(
    text: &str,
    value: &toml::Spanned<DeValue<'_>>,
    line: u32,
    lines: &Lines,
    depth: usize,
) -> Result<Spot, IntakeError> {
    if depth > MAX_DEPTH {
        return Err(too_deep(line));
    }
    let node = match value.get_ref() {
        DeValue::String(s) => Node::Scalar(s.to_string()),
        DeValue::Array(items) => {
            let mut list = Vec::with_capacity(items.len());
            for item in items.iter() {
                let at = lines.at(item.span().start);
                list.push(toml_value(text, item, at, lines, depth + 1)?);
            }
            Node::List(list)
        }
        DeValue::Table(table) => return toml_table(text, table, line, lines, depth),
        DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {
            let written = text.get(value.span()).unwrap_or_default();
            Node::Scalar(written.trim().to_owned())
        }
    };
    Ok(Spot { line, node })
}

/// Reads JSON.
pub(super) fn json(text: &str) -> Result<Spot, IntakeError> {
    let lines = Lines::of(text);
    let raw: &RawValue = serde_json::from_str(text).map_err(|e| IntakeError::Syntax {
        format: Format::Json,
        line: saturate(e.line() as u64),
        message: said(&e.to_string()),
    })?;
    Json {
        base: text.as_ptr() as usize,
        lines,
    }
    .spot(raw, 0)
}

struct Json {
    base: usize,
    lines: Lines,
}

impl Json {
    fn spot(&self, raw: &RawValue, depth: usize) -> Result<Spot, IntakeError> {
        let written = raw.get();
        // A raw value borrows from the text, so the distance of the two is its offset.
        let offset = (written.as_ptr() as usize).saturating_sub(self.base);
        let line = self.lines.at(offset);
        if depth > MAX_DEPTH {
            return Err(too_deep(line));
        }
        let failed = |e: serde_json::Error| IntakeError::Syntax {
            format: Format::Json,
            line,
            message: said(&e.to_string()),
        };
        let node = match written.as_bytes().first() {
            Some(b'{') => {
                let entries: Entries<&RawValue> = serde_json::from_str(written).map_err(failed)?;
                let mut map = Vec::with_capacity(entries.0.len());
                for (key, value) in entries.0 {
                    map.push((key, self.spot(value, depth + 1)?));
                }
                Node::Map(map)
            }
            Some(b'[') => {
                let items: Vec<&RawValue> = serde_json::from_str(written).map_err(failed)?;
                let spots: Result<Vec<_>, _> =
                    items.iter().map(|i| self.spot(i, depth + 1)).collect();
                Node::List(spots?)
            }
            Some(b'"') => Node::Scalar(serde_json::from_str(written).map_err(failed)?),
            Some(b'n') => Node::Null,
            _ => Node::Scalar(written.to_owned()),
        };
        Ok(Spot { line, node })
    }
}

/// A map's entries in order; the same key twice is an error.
struct Entries<T>(Vec<(String, T)>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Entries<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for InOrder<T> {
            type Value = Entries<T>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a map")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut seen = HashSet::new();
                let mut entries = Vec::new();
                while let Some((key, value)) = map.next_entry::<String, T>()? {
                    if !seen.insert(key.clone()) {
                        return Err(de::Error::custom("the same key stands twice in one map"));
                    }
                    entries.push((key, value));
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(InOrder(PhantomData))
    }
}

/// Says why YAML was refused; the parser's own words about its budget mean nothing to whoever wrote the list.
fn yaml_words(why: &str) -> String {
    if why.contains("budget") || why.contains("alias") {
        "it holds more, or its aliases expand to more, than a list may".to_owned()
    } else {
        said(why)
    }
}

/// Reads YAML, one or several documents, within a budget: aliases cannot multiply into more than a real list needs.
pub(super) fn yaml(text: &str) -> Result<Spot, IntakeError> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: MAX_DEPTH,
            max_documents: 20_000,
            max_aliases: 1_000,
            max_anchors: 1_000,
            max_recorded_anchor_events: 20_000,
            max_recorded_anchor_bytes: 4 * 1024 * 1024,
            max_events: 4_000_000,
            max_nodes: 2_000_000,
            max_merge_keys: 1_000,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: 20_000,
            max_replay_stack_depth: 8,
            max_alias_expansions_per_anchor: 1_000,
        },
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::Error,
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        with_snippet: false,
    };
    let documents: Vec<serde_saphyr::Spanned<Yaml>> =
        serde_saphyr::from_multiple_with_options(text, options).map_err(|e| {
            IntakeError::Syntax {
                format: Format::Yaml,
                line: e.location().map_or(0, |at| saturate(at.line())),
                message: yaml_words(&e.to_string()),
            }
        })?;
    let mut spots = documents.into_iter().map(|doc| yaml_spot(text, doc));
    match (spots.next(), spots.next()) {
        (None, _) => Ok(Spot {
            line: 1,
            node: Node::Null,
        }),
        (Some(only), None) => Ok(only),
        // One page per repository, `---` between them; lists in several documents are joined.
        (Some(first), Some(second)) => {
            let mut all = Vec::new();
            for spot in [first, second].into_iter().chain(spots) {
                match spot.node {
                    Node::List(items) => all.extend(items),
                    Node::Null => {}
                    Node::Scalar(_) | Node::Map(_) => all.push(spot),
                }
            }
            Ok(Spot {
                line: 1,
                node: Node::List(all),
            })
        }
    }
}

enum Yaml {
    Null,
    Text(String),
    /// Something the reader took for a number or a boolean: its text is cut out of the file.
    Plain(String),
    List(Vec<serde_saphyr::Spanned<Yaml>>),
    Map(Entries<serde_saphyr::Spanned<Yaml>>),
}

fn yaml_spot(text: &str, spanned: serde_saphyr::Spanned<Yaml>) -> Spot {
    let line = saturate(spanned.referenced.line());
    let node = match spanned.value {
        Yaml::Null => Node::Null,
        Yaml::Text(value) => Node::Scalar(value),
        Yaml::Plain(value) => {
            let span = spanned.defined.span();
            let written = span
                .byte_offset()
                .zip(span.byte_len())
                .and_then(|(at, len)| {
                    let at = usize::try_from(at).ok()?;
                    text.get(at..at.checked_add(usize::try_from(len).ok()?)?)
                });
            Node::Scalar(written.map_or(value, |w| w.trim().to_owned()))
        }
        Yaml::List(items) => Node::List(items.into_iter().map(|i| yaml_spot(text, i)).collect()),
        Yaml::Map(entries) => Node::Map(
            entries
                .0
                .into_iter()
                .map(|(key, value)| (key, yaml_spot(text, value)))
                .collect(),
        ),
    };
    Spot { line, node }
}

impl<'de> Deserialize<'de> for Yaml {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Yaml;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a record, a list or a value")
            }
            fn visit_unit<E: de::Error>(self) -> Result<Yaml, E> {
                Ok(Yaml::Null)
            }
            fn visit_none<E: de::Error>(self) -> Result<Yaml, E> {
                Ok(Yaml::Null)
            }
            fn visit_some<D: Deserializer<'de>>(self, d: D) -> Result<Yaml, D::Error> {
                Yaml::deserialize(d)
            }
            fn visit_bool<E: de::Error>(self, v: bool) -> Result<Yaml, E> {
                Ok(Yaml::Plain(v.to_string()))
            }
            fn visit_i64<E: de::Error>(self, v: i64) -> Result<Yaml, E> {
                Ok(Yaml::Plain(v.to_string()))
            }
            fn visit_u64<E: de::Error>(self, v: u64) -> Result<Yaml, E> {
                Ok(Yaml::Plain(v.to_string()))
            }
            fn visit_i128<E: de::Error>(self, v: i128) -> Result<Yaml, E> {
                Ok(Yaml::Plain(v.to_string()))
            }
            fn visit_u128<E: de::Error>(self, v: u128) -> Result<Yaml, E> {
                Ok(Yaml::Plain(v.to_string()))
            }
            fn visit_f64<E: de::Error>(self, v: f64) -> Result<Yaml, E> {
                Ok(Yaml::Plain(v.to_string()))
            }
            fn visit_str<E: de::Error>(self, v: &str) -> Result<Yaml, E> {
                Ok(Yaml::Text(v.to_owned()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Yaml, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    items.push(item);
                }
                Ok(Yaml::List(items))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Yaml, A::Error> {
                let entries = Entries::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(Yaml::Map(entries))
            }
        }
        deserializer.deserialize_any(Any)
    }
}
