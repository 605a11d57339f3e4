//! The conditions of a signature: what must be known of a run besides the lines of one failure.
//!
//! A condition is one or more terms with `|` between; one of them must hold. A term is the name of a fact, `no ` and a
//! name, or a name, `<` or `>=` and a version. Owns the language; what a fact is stands in the table.

use crate::model::semver::{Version, exact};

use super::signature::Fact;

/// What is known without a line of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Given {
    /// The run is a second attempt of a commit from before the rewiring.
    RerunBeforeMerge,
    /// The run's branch or tag was never rewired.
    OldRef,
    /// The repository's OIDC subject carries numeric ids.
    ImmutableSubject,
    /// The package of the failure was published a moment ago.
    JustPublished,
    /// The step or the job published something before it failed.
    PublishedBefore,
    /// The failing line names GitHub Packages.
    GithubPackages,
    /// The failing line names a registry that is neither npm's nor GitHub's.
    OtherRegistry,
    /// The failing line names npm's registry by another of its names.
    RegistryAlias,
}

const GIVEN: &[(&str, Given)] = &[
    ("rerun-before-merge", Given::RerunBeforeMerge),
    ("old-ref", Given::OldRef),
    ("immutable-subject", Given::ImmutableSubject),
    ("just-published", Given::JustPublished),
    ("published-before", Given::PublishedBefore),
    ("github-packages", Given::GithubPackages),
    ("other-registry", Given::OtherRegistry),
    ("registry-alias", Given::RegistryAlias),
];

/// One term of a condition. A fact is its index in the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Term {
    Given { what: Given, holds: bool },
    Fact { fact: usize, holds: bool },
    Below { fact: usize, version: Version },
    AtLeast { fact: usize, version: Version },
}

/// Terms of which one must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition(pub Vec<Term>);

impl Condition {
    /// Reads a condition.
    ///
    /// # Errors
    /// A name or a version is none; the message says which.
    pub fn parse(text: &str, facts: &[Fact]) -> Result<Self, String> {
        let terms = text.split('|').map(|term| Term::parse(term.trim(), facts));
        terms.collect::<Result<_, _>>().map(Self)
    }
}

impl Term {
    fn parse(text: &str, facts: &[Fact]) -> Result<Self, String> {
        let fact = |name: &str| {
            let at = facts.iter().position(|fact| fact.name == name.trim());
            at.ok_or_else(|| format!("`{name}` is no fact"))
        };
        let version = |text: &str| exact(text).ok_or("no version");
        if let Some((name, least)) = text.split_once(">=") {
            return Ok(Self::AtLeast {
                fact: fact(name)?,
                version: version(least)?,
            });
        }
        if let Some((name, limit)) = text.split_once('<') {
            return Ok(Self::Below {
                fact: fact(name)?,
                version: version(limit)?,
            });
        }
        let (name, holds) = match text.strip_prefix("no ") {
            Some(name) => (name, false),
            None => (text, true),
        };
        match GIVEN.iter().find(|(known, _)| *known == name) {
            Some((_, what)) => Ok(Self::Given { what: *what, holds }),
            None => Ok(Self::Fact {
                fact: fact(name)?,
                holds,
            }),
        }
    }
}
