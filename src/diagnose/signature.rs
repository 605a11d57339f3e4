//! The table of signatures, read once from the embedded TOML; all its patterns in one set.
//!
//! Owns the words. Must not hold a rule that the table could hold.

use std::ops::Range;
use std::sync::LazyLock;

use regex::bytes::{RegexSet, RegexSetBuilder};
use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

use super::condition::Condition;

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
    /// Not npm's: git, the forge, a test, a build, the runner.
    Elsewhere,
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

/// How a signature stands to the others that fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The registry or a tool says it by name: the first that fits an episode is its cause.
    #[default]
    Answer,
    /// What stands elsewhere in the log decides: all that fit are said, besides an answer.
    Fact,
    /// Said where neither an answer nor a fact fits.
    Generic,
    /// Said besides, and explains nothing by itself.
    Besides,
    /// A step failed over something that is not npm's: each of its patterns is looked for in the failed steps.
    Step,
}

/// One signature of the table.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    pub id: String,
    /// Row of the list that it was made from.
    pub row: Option<u32>,
    pub class: Class,
    #[serde(default)]
    pub role: Role,
    pub certainty: Certainty,
    pub doubt: Option<String>,
    #[serde(default)]
    when: Vec<String>,
    #[serde(default)]
    pub codes: Vec<String>,
    #[serde(default)]
    error: Vec<String>,
    #[serde(default)]
    episode: Vec<String>,
    #[serde(default)]
    call: Vec<String>,
    #[serde(default)]
    log: Vec<String>,
    pub title: String,
    pub meaning: String,
    pub action: String,
    pub sources: Vec<String>,
}

/// A signature with the indexes of its patterns in the set.
#[derive(Debug)]
pub struct Known {
    pub signature: Signature,
    pub when: Vec<Condition>,
    pub error: Range<usize>,
    pub episode: Range<usize>,
    pub call: Range<usize>,
    pub log: Range<usize>,
}

/// How far a fact reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    Step,
    Job,
    Log,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct FactSpec {
    name: String,
    scope: Scope,
    lines: Vec<String>,
    #[serde(default)]
    reset: Vec<String>,
}

/// Something that lines of a log say about the run, with the indexes of its patterns in the set.
#[derive(Debug)]
pub struct Fact {
    pub name: String,
    pub scope: Scope,
    pub lines: Range<usize>,
    /// A later command that one of these fits makes it unknown again.
    pub reset: Range<usize>,
    /// Group 1 of each is the fact's value.
    pub values: Vec<Regex>,
}

/// All signatures, in the order in which they are tried, and the facts that their conditions name.
#[derive(Debug)]
pub struct Table {
    pub all: Vec<Known>,
    pub facts: Vec<Fact>,
    pub patterns: RegexSet,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    fact: Vec<FactSpec>,
    signature: Vec<Signature>,
}

#[expect(clippy::expect_used, reason = "an embedded file that the tests read")]
static TABLE: LazyLock<Table> =
    LazyLock::new(|| Table::parse(crate::assets::log_signatures()).expect("log-signatures.toml"));

/// Gives the table.
pub fn table() -> &'static Table {
    &TABLE
}

/// Collects patterns for one set.
#[derive(Default)]
struct Patterns(Vec<String>);

impl Patterns {
    fn add(&mut self, more: &[String]) -> Range<usize> {
        let from = self.0.len();
        self.0.extend_from_slice(more);
        from..self.0.len()
    }
}

impl Table {
    /// Reads a table; the message says what is wrong with it.
    fn parse(text: &str) -> Result<Self, String> {
        let document: Document = toml::from_str(text).map_err(|error| error.to_string())?;
        let mut patterns = Patterns::default();
        let mut facts = Vec::new();
        for spec in document.fact {
            facts.push(Fact {
                lines: patterns.add(&spec.lines),
                reset: patterns.add(&spec.reset),
                values: values(&spec.lines)?,
                name: spec.name,
                scope: spec.scope,
            });
        }
        let mut all = Vec::new();
        for signature in document.signature {
            let when = signature.when.iter();
            all.push(Known {
                when: when
                    .map(|text| Condition::parse(text, &facts))
                    .collect::<Result<_, _>>()?,
                error: patterns.add(&signature.error),
                episode: patterns.add(&signature.episode),
                call: patterns.add(&signature.call),
                log: patterns.add(&signature.log),
                signature,
            });
        }
        // Without Unicode: a set of this size would leave its fast path at every letter that is not ASCII.
        let patterns = RegexSetBuilder::new(patterns.0)
            .case_insensitive(true)
            .unicode(false)
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self {
            all,
            facts,
            patterns,
        })
    }
}

fn values(patterns: &[String]) -> Result<Vec<Regex>, String> {
    let compile = |pattern: &String| RegexBuilder::new(pattern).case_insensitive(true).build();
    let all = patterns.iter().map(compile).collect::<Result<_, _>>();
    all.map_err(|error| error.to_string())
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
    fn versions_are_those_of_the_policy() {
        let least = &crate::assets::policy().minimum;
        let wanted = [
            ("npm-too-old", &least.npm_oidc_publish),
            ("stage-unknown-command", &least.npm_stage),
            ("dist-tag-without-credential", &least.npm_oidc_dist_tag),
            ("dist-tag-without-credential", &least.npm12_oidc_dist_tag),
        ];
        for (id, version) in wanted {
            let one = table().all.iter().find(|one| one.signature.id == id);
            let meaning = &one.unwrap().signature.meaning;
            assert!(meaning.contains(&version.to_string()), "{id}: {version}");
        }
        let known = format!("npm < {}", least.npm_oidc_publish);
        let conditions = table().all.iter().flat_map(|one| &one.signature.when);
        for one in conditions.filter(|one| one.starts_with("npm < ")) {
            assert_eq!(*one, known);
        }
    }

    #[test]
    fn a_table_with_an_unknown_field_or_a_bad_pattern_is_refused() {
        let good = crate::assets::log_signatures();
        assert!(Table::parse(good).is_ok());
        assert!(Table::parse(&good.replacen("codes =", "coeds =", 1)).is_err());
        assert!(Table::parse(&good.replacen("error = ['", "error = ['(", 1)).is_err());
        assert!(Table::parse(&good.replacen("no token-given", "no tokens-given", 1)).is_err());
        assert!(Table::parse(&good.replacen("npm < 11.5.1", "npm < eleven", 1)).is_err());
    }
}
