//! What a later start need not ask again: when each question was last answered, tags of answers, ids.
//!
//! A file of this device, outside the session and disposable: without it everything is asked again. Nothing in it is a
//! fact. It is used only where the session still has what it rests on and the same accounts ask the same servers. Must
//! never hold a name, a text or a credential: digests, ids, tags and times only.

use super::schedule::{Key, Query};
use crate::model::fact::LiveSource;
use crate::model::facts::Facts;
use crate::model::id::Subject;
use crate::model::time::Ts;
use crate::safe::redact::redact;
use crate::session::{Head, Session};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};

/// The form of the file: another one is not read.
const VERSION: u32 = 1;
/// Its name beside this device's states of the session's writers.
pub const NAME: &str = "cache.json";
/// Most bytes that are written or read: 10,000 repositories with 50,000 packages take about ten million.
const MAX_BYTES: usize = 16 * 1024 * 1024;
/// Longest tag or id that is kept, in bytes.
const MAX_MARK: usize = 160;

/// The tag of a package's document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tag {
    pub etag: Box<str>,
    /// The document's own time, by which the session's fact is known to be of this answer.
    pub modified: Ts,
}

/// Ids of a repository's release workflows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ids {
    /// Digest of the files that were wanted.
    pub wanted: Box<str>,
    /// Digest of a file's name, and the forge's id of its workflow.
    pub ids: Vec<(Box<str>, Box<str>)>,
}

/// A default branch whose CI files were scanned whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scanned {
    /// Id of the workflow folder.
    pub folder: Box<str>,
    pub commit: Box<str>,
}

/// Something that an answer taught and that saves a later question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Learned {
    Tag(Tag),
    Ids(Ids),
    Scanned(Scanned),
}

/// What the file holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cache {
    /// Digests of which server was asked and as whom: what another account asked is not used.
    pub github: Option<Box<str>>,
    pub npm: Option<Box<str>>,
    /// When a question was last answered in full.
    pub asked: BTreeMap<Query, HashMap<Subject, Ts>>,
    pub tags: HashMap<Subject, Tag>,
    pub ids: HashMap<Subject, Ids>,
    pub scanned: HashMap<Subject, Scanned>,
}

/// The file as it stands on the disk.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Page<C> {
    v: u32,
    program: Box<str>,
    session: Box<str>,
    /// The session's last lines when this was written: what was answered stands at or before them.
    heads: Vec<Head>,
    cache: C,
}

/// Gives a digest that tells texts apart without holding them.
pub fn digest(parts: &[&str]) -> Box<str> {
    let mut all = Sha256::new();
    for part in parts {
        all.update(part.as_bytes());
        all.update([0]);
    }
    let sum = all.finalize();
    HEXLOWER.encode(sum.get(..16).unwrap_or_default()).into()
}

/// Tells whether a server's tag or id may be kept: short, without spaces, and no credential by its looks.
fn is_mark(text: &str) -> bool {
    text.len() <= MAX_MARK
        && text.bytes().all(|byte| byte.is_ascii_graphic())
        && redact(text) == text
}

impl Cache {
    /// Reads the cache of a session. Empty where there is none, or it is damaged, of another form, program or session,
    /// or the session's file lacks what it rests on.
    pub fn read(session: &Session, now: Ts) -> Self {
        let Some(bytes) = session.recall(NAME, MAX_BYTES as u64) else {
            return Self::default();
        };
        match Self::parse(&bytes, session) {
            Ok(mut cache) => {
                cache.keep_what_fits(session.facts(), now);
                cache
            }
            Err(why) => {
                tracing::debug!("the cache is not used: {why}");
                Self::default()
            }
        }
    }

    fn parse(bytes: &[u8], session: &Session) -> Result<Self, String> {
        let page: Page<Self> = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if page.v != VERSION || *page.program != *env!("CARGO_PKG_VERSION") {
            return Err("another version wrote it".to_owned());
        }
        if *page.session != *session.report().session.as_str() {
            return Err("it is another session's".to_owned());
        }
        if !session.holds(&page.heads) {
            return Err("the session lacks lines that it rests on".to_owned());
        }
        if !page.cache.marks().all(is_mark) {
            return Err("it holds what is no tag and no id".to_owned());
        }
        Ok(page.cache)
    }

    fn marks(&self) -> impl Iterator<Item = &str> {
        let tags = self.tags.values().map(|tag| &*tag.etag);
        let ids = self.ids.values().flat_map(|one| {
            let pairs = one.ids.iter().flat_map(|(file, id)| [&**file, &**id]);
            pairs.chain([&*one.wanted])
        });
        let scanned = self.scanned.values();
        let scanned = scanned.flat_map(|one| [&*one.folder, &*one.commit]);
        let who = self.github.iter().chain(&self.npm).map(|who| &**who);
        tags.chain(ids).chain(scanned).chain(who)
    }

    /// Leaves what the session's facts bear out: a fact that was only looked at again is as old as its event after a
    /// restart, so what must not be too old to tell a state is asked again before it is.
    fn keep_what_fits(&mut self, facts: &Facts, now: Ts) {
        self.tags.retain(|package, tag| {
            let seen = facts.seen.get(package);
            let published = seen.and_then(|seen| seen.published());
            published.is_some_and(|(fact, _)| fact.modified == tag.modified)
        });
        self.scanned.retain(|repo, scanned| {
            let row = facts.repos.get(repo);
            let scan = row.and_then(|row| row.scan.as_ref());
            scan.is_some_and(|scan| scan.value.commit.as_ref() == Some(&scanned.commit))
        });
        for (what, asked) in &mut self.asked {
            // What is due by now need not be kept.
            let fresh = |at: Ts| at <= now && now < at.plus(what.pace());
            asked.retain(|about, at| fresh(*at) && !grows_old(facts, (*what, *about), now));
        }
        self.ids.retain(|repo, _| facts.repos.contains_key(repo));
        let ids = &self.ids;
        if let Some(asked) = self.asked.get_mut(&Query::Workflows) {
            asked.retain(|repo, _| ids.contains_key(repo));
        }
    }

    /// Writes the cache beside what this device remembers of the session's writers. What cannot be written is lost.
    pub fn write(&self, session: &Session) {
        let page = Page {
            v: VERSION,
            program: env!("CARGO_PKG_VERSION").into(),
            session: session.report().session.as_str().into(),
            heads: session.heads(),
            cache: self,
        };
        let written = match serde_json::to_vec(&page) {
            Ok(bytes) if bytes.len() > MAX_BYTES => Err("it is too large".to_owned()),
            Ok(bytes) => session
                .remember(NAME, &bytes)
                .map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        if let Err(why) = written {
            tracing::debug!("the cache is not written: {why}");
        }
    }

    /// Takes in what an answer taught; a tag or an id of a strange form is not kept.
    pub fn learn(&mut self, about: Subject, learned: &Learned) {
        let mut one = Self::default();
        one.put(about, learned.clone());
        if one.marks().all(is_mark) {
            self.put(about, learned.clone());
        }
    }

    fn put(&mut self, about: Subject, learned: Learned) {
        match learned {
            Learned::Tag(tag) => drop(self.tags.insert(about, tag)),
            Learned::Ids(ids) => drop(self.ids.insert(about, ids)),
            Learned::Scanned(scanned) => drop(self.scanned.insert(about, scanned)),
        }
    }

    /// Forgets what only GitHub was asked for.
    pub fn forget_github(&mut self) {
        self.github = None;
        self.ids.clear();
        self.scanned.clear();
        self.asked.retain(|what, _| what.is_of_npm());
    }

    /// Forgets what only npm was asked for.
    pub fn forget_npm(&mut self) {
        self.npm = None;
        self.tags.clear();
        self.asked.retain(|what, _| !what.is_of_npm());
    }

    pub fn asked(&self, (what, about): Key) -> Option<Ts> {
        self.asked.get(&what)?.get(&about).copied()
    }

    pub fn is_empty(&self) -> bool {
        self.asked.values().all(HashMap::is_empty) && self.marks().next().is_none()
    }
}

/// Facts by which gates tell a state, and that are too old for it after a day.
fn ageing(what: Query) -> &'static [LiveSource] {
    match what {
        Query::Discovery => &[LiveSource::Forge, LiveSource::Rights],
        Query::Settings => &[LiveSource::Environments, LiveSource::Protection],
        Query::Packument => &[LiveSource::Published],
        Query::Access => &[LiveSource::Access],
        Query::Stages => &[LiveSource::Stages],
        Query::Account => &[LiveSource::Profile, LiveSource::Owned],
        _ => &[],
    }
}

/// Tells whether what a question tells would be too old for gates before it is due again.
fn grows_old(facts: &Facts, (what, about): Key, now: Ts) -> bool {
    let fresh = i64::from(facts.policy.freshness_hours) * 3_600;
    let old = |source: &LiveSource, seen: &crate::model::facts::seen::Seen| {
        seen.looked(*source)
            .is_some_and(|looked| looked.plus(fresh) <= now.plus(what.pace()))
    };
    ageing(what).iter().any(|source| {
        if about == Subject::SESSION {
            facts.seen.values().any(|seen| old(source, seen))
        } else {
            facts.seen.get(&about).is_some_and(|seen| old(source, seen))
        }
    })
}

#[cfg(test)]
mod tests;
