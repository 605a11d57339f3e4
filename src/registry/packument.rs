//! The full document of a package: how its recent versions were published, tags, cadence.
//!
//! The registry names a trust config only where a workflow published directly; a staged version names its approver. It
//! never tells a person from a token, so what fits nothing is "unmatched", and nothing is inferred from what a registry
//! between us strips.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::address::package_segment;
use super::answer::{flag, kept, text};
use super::{Registry, RegistryError};
use crate::http::{Call, Group};
use crate::model::fact::{Answer, HowFact, PublishedFact, VersionFact};
use crate::model::id::Subject;
use crate::model::name::PackageName;
use crate::model::time::{DAY, Ts};

/// Versions that are kept.
const RECENT: usize = 10;
/// Largest document that is read, in bytes: with thousands of versions they are large.
const CAP: usize = 48 * 1024 * 1024;

/// What is known of a document from an earlier look.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Known {
    pub etag: Option<Box<str>>,
    pub modified: Option<Ts>,
}

/// What looking at a package gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Packument {
    New(Box<PublishedFact>, Known),
    /// As before: the registry says so by 304.
    Same,
    /// Older than what was seen before: a cache on the way lags, and what was seen stands.
    Older,
}

#[derive(Deserialize)]
struct Document {
    name: Option<String>,
    #[serde(default, rename = "dist-tags")]
    tags: BTreeMap<String, Value>,
    #[serde(default)]
    versions: BTreeMap<String, Box<RawValue>>,
    #[serde(default)]
    time: BTreeMap<String, Value>,
    maintainers: Option<Value>,
    repository: Option<Value>,
}

impl Registry {
    /// Reads a package's full document, unless it is as known.
    ///
    /// # Errors
    /// When it cannot be read, is another package's, or the package is absent or private to this login.
    pub async fn packument(
        &self,
        name: &PackageName,
        known: &Known,
    ) -> Result<Packument, RegistryError> {
        let path = self
            .base
            .path(&format!("/{}", package_segment(name.as_str())));
        let mut call = Call::get(Group::NpmRead, path).cap(CAP).reads(&[304]);
        if let Some(etag) = &known.etag {
            call = call.header("if-none-match", etag);
        }
        let reply = self.client.send(call).await?;
        if reply.status == 304 {
            return Ok(Packument::Same);
        }
        let document: Document = reply.json()?;
        let fact = published(name, document)?;
        if known.modified.is_some_and(|seen| fact.modified < seen) {
            return Ok(Packument::Older);
        }
        let etag = reply.header("etag").map(Into::into);
        let known = Known {
            etag,
            modified: Some(fact.modified),
        };
        Ok(Packument::New(Box::new(fact), known))
    }

    /// Gives the subject of a package on this registry.
    pub fn package(&self, name: &PackageName) -> Subject {
        Subject::package(self.id(), name.as_str())
    }

    /// Gives a package's document as an answer about it.
    pub fn published(&self, name: &PackageName, fact: PublishedFact) -> (Subject, Answer) {
        (self.package(name), Answer::Published(fact))
    }
}

fn published(name: &PackageName, document: Document) -> Result<PublishedFact, RegistryError> {
    if document.name.as_deref() != Some(name.as_str()) {
        return Err(RegistryError::shape("the document of another package"));
    }
    let at = |key: &str| {
        document
            .time
            .get(key)
            .and_then(Value::as_str)
            .and_then(Ts::parse)
    };
    let mut newest: Vec<(Ts, &String)> = document
        .versions
        .keys()
        .map(|version| (at(version).unwrap_or_default(), version))
        .collect();
    newest.sort_unstable_by(|one, other| other.cmp(one));
    let total = u32::try_from(newest.len()).unwrap_or(u32::MAX);
    newest.truncate(RECENT);
    let mut versions = Vec::with_capacity(newest.len());
    let mut stripped = !newest.is_empty();
    for (at, version) in &newest {
        let raw = document
            .versions
            .get(*version)
            .map_or("null", |raw| raw.get());
        let value: Value =
            serde_json::from_str(raw).map_err(|error| RegistryError::shape(&error.to_string()))?;
        stripped &= value.get("_npmUser").is_none() && value.pointer("/dist/signatures").is_none();
        versions.push(one_version(version, *at, &value));
    }
    if stripped {
        versions
            .iter_mut()
            .filter(|one| one.how == HowFact::Unmatched)
            .for_each(|one| one.how = HowFact::NotTold);
    }
    let times: Vec<Ts> = newest
        .iter()
        .map(|(at, _)| *at)
        .filter(|at| *at != Ts::default())
        .collect();
    let last = times.first().copied().unwrap_or_default();
    let maintainers = document.maintainers.unwrap_or_default();
    let maintainers = maintainers.as_array().map_or(&[][..], Vec::as_slice);
    let tag = |(tag, version): (&String, &Value)| Some((kept(tag), kept(version.as_str()?)));
    Ok(PublishedFact {
        name: name.as_str().into(),
        tags: document.tags.iter().filter_map(tag).collect(),
        maintainers: maintainers.iter().filter_map(person).collect(),
        versions,
        total,
        modified: at("modified").unwrap_or(last),
        cadence_days: cadence(&times),
        repository_url: document.repository.as_ref().and_then(repository_url),
        stripped,
    })
}

fn one_version(version: &str, at: Ts, value: &Value) -> VersionFact {
    let null = Value::Null;
    let user = value.get("_npmUser").unwrap_or(&null);
    let dist = value.get("dist").unwrap_or(&null);
    let trusted = user.get("trustedPublisher").filter(|one| one.is_object());
    let approver = value
        .get("approver")
        .and_then(person)
        .or_else(|| user.get("approver").and_then(person));
    let provenance = dist
        .pointer("/attestations/provenance")
        .is_some_and(|one| !one.is_null());
    let how = match (trusted, &approver, provenance) {
        // A staged version names its approver as publisher: the approval is what made it public.
        (_, Some(_), _) => HowFact::Staged,
        (Some(_), None, _) => HowFact::Oidc,
        (None, None, true) => HowFact::Attested,
        (None, None, false) => HowFact::Unmatched,
    };
    VersionFact {
        version: kept(version),
        at,
        how,
        config: trusted.and_then(|one| text(one, "oidcConfigId")),
        by: person(user),
        approver,
        git_head: text(value, "gitHead"),
        integrity: text(dist, "integrity"),
        provenance,
        run: None,
        deprecated: value
            .get("deprecated")
            .is_some_and(|one| !matches!(one, Value::Null | Value::Bool(false)))
            && flag(value, "deprecated") != Some(false),
    }
}

/// Gives a person's name: a text, or an object with a name.
fn person(value: &Value) -> Option<Box<str>> {
    match value {
        Value::String(name) if !name.is_empty() => Some(kept(name)),
        Value::Object(_) => text(value, "name").or_else(|| text(value, "username")),
        _ => None,
    }
}

fn repository_url(value: &Value) -> Option<Box<str>> {
    match value {
        Value::String(url) if !url.is_empty() => Some(kept(url)),
        _ => text(value, "url"),
    }
}

/// Gives the median of whole days between releases, newest first; none with fewer than three.
fn cadence(times: &[Ts]) -> Option<u32> {
    if times.len() < 3 {
        return None;
    }
    let mut gaps: Vec<i64> = times
        .windows(2)
        .filter_map(|pair| Some(pair.first()?.0 - pair.last()?.0))
        .collect();
    gaps.sort_unstable();
    u32::try_from(gaps.get(gaps.len() / 2)? / DAY).ok()
}
