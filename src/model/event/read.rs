//! Reading the data of a line: by serde where nothing is said, and in the ways that a few kinds need.

use super::data::{AdoptedPolicy, Observation, Unread, policy_digest};
use crate::model::fact::Answer;
use crate::model::gate::table::UNKNOWN_GATE;
use crate::model::id::{Kind, Subject};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// Why an edge to another subject is refused.
const NO_SECRET: &str = "an edge to what is no secret";
/// What is said here in words of this program, and so may be shown whatever the line holds.
const OWN_WORDS: [&str; 2] = [UNKNOWN_GATE, NO_SECRET];

/// Why an event's data could not be used.
#[derive(Debug, thiserror::Error)]
pub enum BadEvent {
    #[error("kind `{kind}` is not known to this version")]
    UnknownKind { kind: String, crit: bool },
    #[error("data of kind `{kind}` cannot be read: {why}")]
    Data { kind: String, why: String },
    #[error("an undone decision inside an undone decision")]
    Nested,
}

/// A line's data, with what its reader needs beside it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Given<'a> {
    pub(super) kind: &'a str,
    pub(super) crit: bool,
    pub(super) data: &'a str,
}

impl Given<'_> {
    fn bad(&self, why: impl Into<String>) -> BadEvent {
        BadEvent::Data {
            kind: self.kind.to_owned(),
            why: why.into(),
        }
    }
}

/// Reads data by its type alone.
pub(super) fn plain<'a, T: Deserialize<'a>>(given: Given<'a>) -> Result<T, BadEvent> {
    serde_json::from_str(given.data).map_err(|error| {
        let text = error.to_string();
        let own = OWN_WORDS.iter().find(|own| text.starts_with(**own));
        // Other messages of serde would show foreign text; its class and place are enough.
        let place = || format!("{:?} at column {}", error.classify(), error.column());
        given.bad(own.map_or_else(place, |own| (*own).to_owned()))
    })
}

/// Leaves the data where it is.
pub(super) fn not_at_all<T>(_: Given<'_>) -> Result<Unread<T>, BadEvent> {
    Ok(Unread::left())
}

/// Reads a policy that is the one its digest names.
pub(super) fn policy(given: Given<'_>) -> Result<Box<AdoptedPolicy>, BadEvent> {
    #[derive(Deserialize)]
    struct Fields<'a> {
        digest: Box<str>,
        #[serde(borrow)]
        policy: &'a RawValue,
    }
    let Fields { digest, policy } = plain(given)?;
    if policy_digest(policy.get()) != *digest {
        return Err(given.bad("the digest is not that of the policy"));
    }
    let data = policy.get();
    let policy = plain(Given { data, ..given })?;
    Ok(Box::new(AdoptedPolicy { digest, policy }))
}

/// Reads an observation, fast where this program wrote it.
pub(super) fn observation(given: Given<'_>) -> Result<Box<Observation>, BadEvent> {
    match serde_json::from_str::<AsWritten>(given.data) {
        Ok(AsWritten(observation)) => Ok(Box::new(observation)),
        Err(_) => plain(given).map(Box::new),
    }
}

/// Reads a subject that is a secret.
pub(super) fn a_secret<'de, D: Deserializer<'de>>(from: D) -> Result<Subject, D::Error> {
    let subject = Subject::deserialize(from)?;
    match subject.kind {
        Kind::Secret => Ok(subject),
        _ => Err(D::Error::custom(NO_SECRET)),
    }
}

/// An observation in the order of fields in which this program writes it. Any other order reads as [`Observation`].
///
/// A flattened field makes serde copy the whole object first: a third of the time of reading a large session.
struct AsWritten(Observation);

impl<'de> Deserialize<'de> for AsWritten {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Visit;
        impl<'de> Visitor<'de> for Visit {
            type Value = AsWritten;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an observation as this program writes it")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<AsWritten, A::Error> {
                let other = || A::Error::custom("fields in another order");
                if map.next_key::<std::borrow::Cow<'de, str>>()?.as_deref() != Some("as_of") {
                    return Err(other());
                }
                let as_of = map.next_value()?;
                let answer = Answer::deserialize(MapAccessDeserializer::new(&mut map))?;
                match map.next_key::<IgnoredAny>()? {
                    None => Ok(AsWritten(Observation { as_of, answer })),
                    Some(_) => Err(other()),
                }
            }
        }
        from.deserialize_map(Visit)
    }
}
