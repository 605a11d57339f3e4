//! Data that more than one row of the table needs, or that is more than a few fields.

use crate::model::fact::Answer;
use crate::model::policy::{Policy, Profile};
use crate::model::time::Ts;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

/// Text of a person, of which an event that was read keeps only whether there is any.
///
/// Written into its line, left there, and read back when it is shown: a large session stays small in memory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Prose {
    /// Not written at all: who takes a decision back repeats no text.
    #[default]
    Unsaid,
    /// Written as `null` or as nothing: there is none.
    Nothing,
    /// The line has it.
    InFile,
    /// About to be written.
    Said(Box<str>),
}

impl Prose {
    pub fn is_unsaid(&self) -> bool {
        matches!(self, Self::Unsaid)
    }

    /// Tells whether there is any text.
    pub fn is_given(&self) -> bool {
        match self {
            Self::Unsaid | Self::Nothing => false,
            Self::InFile => true,
            Self::Said(text) => !text.is_empty(),
        }
    }
}

impl From<String> for Prose {
    fn from(text: String) -> Self {
        Self::Said(text.into())
    }
}

impl From<Option<String>> for Prose {
    fn from(text: Option<String>) -> Self {
        text.map_or(Self::Nothing, Self::from)
    }
}

impl Serialize for Prose {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Unsaid | Self::Nothing => to.serialize_none(),
            Self::Said(text) => to.serialize_str(text),
            Self::InFile => Err(S::Error::custom("a text that stands in its line only")),
        }
    }
}

impl<'de> Deserialize<'de> for Prose {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Visit;
        impl<'de> serde::de::Visitor<'de> for Visit {
            type Value = Prose;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a text or nothing")
            }
            fn visit_str<E>(self, text: &str) -> Result<Prose, E> {
                Ok(if text.is_empty() {
                    Prose::Nothing
                } else {
                    Prose::InFile
                })
            }
            fn visit_unit<E>(self) -> Result<Prose, E> {
                Ok(Prose::Nothing)
            }
        }
        from.deserialize_any(Visit)
    }
}

/// Data that is written, and never kept where a line is read: nothing judges by it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Unread<T>(Option<T>);

impl<T> From<T> for Unread<T> {
    fn from(data: T) -> Self {
        Self(Some(data))
    }
}

impl<T> Unread<T> {
    /// What stands for data that was left in its line.
    pub(super) fn left() -> Self {
        Self(None)
    }
}

impl<T: Serialize> Serialize for Unread<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let data = self.0.as_ref();
        data.ok_or_else(|| S::Error::custom("data that stands in its line only"))?
            .serialize(to)
    }
}

/// A note of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    pub text: Box<str>,
}

/// A policy that a session adopts, named by its digest.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AdoptedPolicy {
    /// As [`policy_digest`] gives it for the text in the line.
    pub digest: Box<str>,
    pub policy: Policy,
}

/// The world a session plays in. Worlds never merge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum World {
    #[default]
    Real,
    Tabletop,
}

/// What the founder fixes for good.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SessionCreated {
    /// 128 random bits in lower-case hex.
    pub session: Box<str>,
    pub world: World,
    /// Host of the forge; actions outside it are refused.
    pub forge: Box<str>,
    /// Origin of the registry; actions outside it are refused.
    pub registry: Box<str>,
    pub organisations: Vec<Box<str>>,
    pub profile: Profile,
    /// The name that screens show.
    #[serde(default)]
    pub name: Box<str>,
    /// Patterns of the repositories that the forge's are chosen by; none takes all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<Box<str>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<Box<str>>,
}

/// Who writes on which device.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct WriterJoined {
    pub person: Box<str>,
    pub device: Box<str>,
    pub program: Box<str>,
}

/// One observation: when the answer was true, by the source's clock where it has one, and the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    pub as_of: Ts,
    #[serde(flatten)]
    pub answer: Answer,
}

/// The form that evidence takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EvidenceForm {
    Text,
    Url,
    File,
}

/// Evidence a person attached. A file is named by its digest; its bytes stay where they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    pub form: EvidenceForm,
    /// The text, the address, or the file's name.
    pub what: Box<str>,
    pub digest: Option<Box<str>>,
    pub bytes: Option<u64>,
}

/// Gives the digest by which an adopted policy is named: SHA-256 of its JSON text, in hexadecimal.
pub fn policy_digest(text: &str) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(text.as_bytes()))
}
