//! The table of signatures, read once from the embedded TOML; all its patterns in one set.
//!
//! Owns the words. Must not hold a rule that the table could hold.

use std::ops::Range;
use std::sync::LazyLock;

use regex::{RegexSet, RegexSetBuilder};
use serde::{Deserialize, Serialize};

/// What kind of thing went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// Trusted publishing: the exchange, the job's identity, provenance.
    Trust,
    /// A token, a login or a second factor.
    Credential,
    /// The registry, the signing services, or time.
    Service,
    /// The package or the command: not a credential failure.
    Package,
    /// Known, and never a cause.
    Noise,
}

/// How sure it is that a signature means what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Certainty {
    Known,
    Likely,
    /// Sources contradict each other.
    Contested,
    Uncertain,
}

impl Certainty {
    /// Gives the word that stands before the doubt.
    pub fn word(self) -> &'static str {
        match self {
            Self::Known => "known",
            Self::Likely => "likely",
            Self::Contested => "contested",
            Self::Uncertain => "uncertain",
        }
    }
}

/// What must be known besides the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    RerunBeforeMerge,
    OldRef,
    ImmutableSubject,
    JustPublished,
}

/// One signature of the table.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    pub id: String,
    /// Row of the list that it was made from.
    pub row: Option<u32>,
    pub class: Class,
    pub certainty: Certainty,
    pub doubt: Option<String>,
    pub when: Option<When>,
    #[serde(default)]
    pub codes: Vec<String>,
    #[serde(default)]
    error: Vec<String>,
    #[serde(default)]
    episode: Vec<String>,
    #[serde(default)]
    log: Vec<String>,
    #[serde(default)]
    unless: Vec<String>,
    pub title: String,
    pub meaning: String,
    pub action: String,
    pub sources: Vec<String>,
}

/// A signature with the indexes of its patterns in the set.
#[derive(Debug)]
pub struct Known {
    pub signature: Signature,
    pub error: Range<usize>,
    pub episode: Range<usize>,
    pub log: Range<usize>,
    pub unless: Range<usize>,
}

/// All signatures, in the order in which they are tried.
#[derive(Debug)]
pub struct Table {
    pub all: Vec<Known>,
    pub patterns: RegexSet,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    signature: Vec<Signature>,
}

#[expect(clippy::expect_used, reason = "an embedded file that the tests read")]
static TABLE: LazyLock<Table> =
    LazyLock::new(|| Table::parse(crate::assets::log_signatures()).expect("log-signatures.toml"));

/// Gives the table.
pub fn table() -> &'static Table {
    &TABLE
}

impl Table {
    /// Reads a table; the message says what is wrong with it.
    fn parse(text: &str) -> Result<Self, String> {
        let document: Document = toml::from_str(text).map_err(|error| error.to_string())?;
        let mut patterns: Vec<String> = Vec::new();
        let mut add = |more: &[String]| {
            let from = patterns.len();
            patterns.extend_from_slice(more);
            from..patterns.len()
        };
        let all: Vec<Known> = document
            .signature
            .into_iter()
            .map(|signature| Known {
                error: add(&signature.error),
                episode: add(&signature.episode),
                log: add(&signature.log),
                unless: add(&signature.unless),
                signature,
            })
            .collect();
        let patterns = RegexSetBuilder::new(patterns)
            .case_insensitive(true)
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self { all, patterns })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_row_is_there_and_every_signature_can_be_met() {
        let mut ids = BTreeSet::new();
        let mut rows = BTreeSet::new();
        for known in &table().all {
            let one = &known.signature;
            assert!(ids.insert(one.id.as_str()), "{} twice", one.id);
            rows.extend(one.row);
            let asks = one.codes.len() + known.error.len() + known.episode.len();
            assert!(asks > 0, "{} asks for nothing", one.id);
            assert_eq!(
                one.certainty == Certainty::Known,
                one.doubt.is_none(),
                "{}: what is not known says why",
                one.id
            );
            assert!(!one.sources.is_empty(), "{}", one.id);
            assert!(one.sources.iter().all(|link| link.starts_with("https://")));
        }
        assert_eq!(rows, (1..=34).collect());
    }

    #[test]
    fn a_table_with_an_unknown_field_or_a_bad_pattern_is_refused() {
        let good = crate::assets::log_signatures();
        assert!(Table::parse(good).is_ok());
        assert!(Table::parse(&good.replacen("codes =", "coeds =", 1)).is_err());
        assert!(Table::parse(&good.replacen("error = ['", "error = ['(", 1)).is_err());
    }
}
