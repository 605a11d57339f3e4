//! What a source showed once and no longer shows: versions and runs off the list, configs deleted, tags moved.
//!
//! A gate about an event stays met when the list moves on. Kept as sets that any order of answers fills alike.

use super::dated::Dated;
use crate::model::fact::{Answer, RunFact, StageFact, TrustConfigFact, VersionFact};
use crate::model::time::Ts;

/// A dist-tag that pointed to a version, and the first and last answer that said so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagSeen {
    pub tag: Box<str>,
    pub version: Box<str>,
    pub first: Ts,
    pub last: Ts,
}

/// What earlier answers about one package held beyond the latest.
#[derive(Debug, Clone, Default)]
pub struct Past {
    pub(super) versions: Vec<Dated<VersionFact>>,
    pub(super) configs: Vec<Dated<TrustConfigFact>>,
    pub(super) stages: Vec<Dated<StageFact>>,
    pub(super) runs: Vec<Dated<RunFact>>,
    pub(super) tags: Vec<TagSeen>,
}

/// Takes one in, if it is later than the same one known. Tells whether anything changed.
fn keep<T: Clone>(list: &mut Vec<Dated<T>>, new: Dated<T>, same: impl Fn(&T, &T) -> bool) -> bool {
    match list.iter_mut().find(|old| same(&old.value, &new.value)) {
        Some(old) if (old.as_of, old.tie) >= (new.as_of, new.tie) => false,
        Some(old) => {
            *old = new;
            true
        }
        None => {
            list.push(new);
            true
        }
    }
}

impl Past {
    /// Tells whether answers of this kind leave a past.
    pub(super) fn is_for(answer: &Answer) -> bool {
        matches!(
            answer,
            Answer::Published(_) | Answer::Trust(_) | Answer::Stages(_) | Answer::Runs(_)
        )
    }

    /// Notes the tags of any answer, the latest included.
    pub(super) fn note_tags(&mut self, one: &Dated<Answer>) -> bool {
        let Answer::Published(fact) = &one.value else {
            return false;
        };
        let mut changed = false;
        for (tag, version) in &fact.tags {
            let known = self
                .tags
                .iter_mut()
                .find(|seen| seen.tag == *tag && seen.version == *version);
            match known {
                Some(seen) => {
                    let span = (seen.first.min(one.as_of), seen.last.max(one.as_of));
                    changed |= span != (seen.first, seen.last);
                    (seen.first, seen.last) = span;
                }
                None => {
                    changed = true;
                    self.tags.push(TagSeen {
                        tag: tag.clone(),
                        version: version.clone(),
                        first: one.as_of,
                        last: one.as_of,
                    });
                }
            }
        }
        changed
    }

    /// Keeps what an answer held that is not the latest. Tells whether anything changed.
    pub(super) fn keep(&mut self, beaten: Dated<Answer>) -> bool {
        let Dated { as_of, tie, value } = beaten;
        let mut changed = false;
        match value {
            Answer::Published(fact) => {
                for value in fact.versions {
                    let one = Dated { as_of, tie, value };
                    changed |= keep(&mut self.versions, one, |a, b| a.version == b.version);
                }
            }
            Answer::Trust(fact) => {
                for value in fact.configs {
                    let one = Dated { as_of, tie, value };
                    changed |= keep(&mut self.configs, one, |a, b| a.id == b.id);
                }
            }
            Answer::Stages(fact) => {
                for value in fact.stages {
                    let one = Dated { as_of, tie, value };
                    changed |= keep(&mut self.stages, one, |a, b| a.id == b.id);
                }
            }
            Answer::Runs(fact) => {
                for value in fact.runs {
                    let one = Dated { as_of, tie, value };
                    changed |= keep(&mut self.runs, one, |a, b| a.id == b.id);
                }
            }
            _ => {}
        }
        changed
    }
}
