//! What was seen of one subject on the forge and the registry: one answer per source, the latest.
//!
//! A source that could not be looked at leaves what it showed before, and stands beside it. An answer that is the
//! same again writes no event: the time of that look is kept here and in no file.

use super::dated::Dated;
use super::past::{Past, TagSeen};
use crate::model::fact::{
    AccessFact, ActionsFact, Answer, CausesFact, CouldNotFact, EdgeFact, EnvironmentsFact,
    ForgeFact, LiveSource, OwnedFact, ProfileFact, ProtectionFact, ProvenanceFact, PublishedFact,
    ReachFact, RefFact, RefsFact, RightsFact, RunFact, RunsFact, SecretsFact, StageFact,
    StagesFact, TrustConfigFact, TrustFact, VersionFact,
};
use crate::model::id::Subject;
use crate::model::time::Ts;

/// Tells the slots of one subject apart: the source, which secret an edge is about, and whether looking failed.
type Key = (LiveSource, Option<Subject>, bool);

fn key(answer: &Answer) -> Option<Key> {
    let secret = match answer {
        Answer::Edge(edge) => edge.secret,
        _ => None,
    };
    let failed = matches!(answer, Answer::CouldNot(_));
    Some((answer.live()?, secret, failed))
}

/// The live answers about one subject. Few sources each, so a list.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    answers: Vec<Dated<Answer>>,
    /// When a source last gave the same answer again.
    checked: Vec<(LiveSource, Ts)>,
    past: Option<Box<Past>>,
}

macro_rules! answers {
    ($($(#[$doc:meta])* $name:ident $variant:ident $fact:ty;)+) => {
        $(
            $(#[$doc])*
            pub fn $name(&self) -> Option<(&$fact, Ts)> {
                self.answers.iter().find_map(|one| match &one.value {
                    Answer::$variant(fact) => Some((fact, one.as_of)),
                    _ => None,
                })
            }
        )+
    };
}

impl Seen {
    /// Takes a live answer in. Tells whether anything changed: a late answer may still tell what once was.
    pub fn take(&mut self, new: Dated<Answer>) -> bool {
        let Some(new_key) = key(&new.value) else {
            return false;
        };
        let mut changed = false;
        if Past::is_for(&new.value) {
            changed |= self.past.get_or_insert_default().note_tags(&new);
        }
        let slot = self
            .answers
            .iter_mut()
            .find(|old| key(&old.value) == Some(new_key));
        let beaten = match slot {
            Some(old) if (old.as_of, old.tie) < (new.as_of, new.tie) => {
                changed = true;
                std::mem::replace(old, new)
            }
            Some(_) => new,
            None => {
                self.answers.push(new);
                return true;
            }
        };
        if Past::is_for(&beaten.value) {
            changed |= self.past.get_or_insert_default().keep(beaten);
        }
        changed
    }

    /// Notes that a source was asked and gave the same answer again. Gives when it had been looked at before.
    pub fn check(&mut self, source: LiveSource, at: Ts) -> Option<Ts> {
        let before = self.looked(source)?;
        match self.checked.iter_mut().find(|(known, _)| *known == source) {
            Some((_, known)) => *known = at.max(*known),
            None => self.checked.push((source, at)),
        }
        Some(before)
    }

    /// Gives when a source was last looked at and answered.
    pub fn looked(&self, source: LiveSource) -> Option<Ts> {
        let answered = self
            .answers
            .iter()
            .filter(|one| !matches!(one.value, Answer::CouldNot(_)))
            .filter(|one| one.value.live() == Some(source))
            .map(|one| one.as_of)
            .max()?;
        let again = self.checked.iter().find(|(known, _)| *known == source);
        Some(again.map_or(answered, |(_, at)| answered.max(*at)))
    }

    /// Tells whether this very answer is what stands: after a failed look, the same answer is news again.
    pub fn knows(&self, answer: &Answer) -> bool {
        match (answer, answer.live()) {
            (Answer::CouldNot(new), _) => {
                self.trouble(new.source).is_some_and(|(old, _)| old == new)
            }
            (_, Some(source)) => {
                self.trouble(source).is_none()
                    && self.answers.iter().any(|old| old.value == *answer)
            }
            (_, None) => false,
        }
    }

    /// Tells why a source could not be looked at, unless it was seen later than that.
    pub fn trouble(&self, source: LiveSource) -> Option<(&CouldNotFact, Ts)> {
        let (why, when) = self.answers.iter().find_map(|one| match &one.value {
            Answer::CouldNot(fact) if fact.source == source => Some((fact, one.as_of)),
            _ => None,
        })?;
        let seen_later = self.looked(source).is_some_and(|looked| looked >= when);
        (!seen_later).then_some((why, when))
    }

    /// Gives every edge from a token to a secret that a job showed.
    pub fn edges(&self) -> impl Iterator<Item = (&EdgeFact, Ts)> {
        self.answers.iter().filter_map(|one| match &one.value {
            Answer::Edge(edge) => Some((edge, one.as_of)),
            _ => None,
        })
    }

    /// Gives the edge to one secret.
    pub fn edge(&self, secret: Subject) -> Option<(&EdgeFact, Ts)> {
        self.edges().find(|(edge, _)| edge.secret == Some(secret))
    }

    fn past(&self) -> Option<&Past> {
        self.past.as_deref()
    }

    /// Gives every version that an answer ever listed, newest first, each as last seen.
    pub fn versions(&self) -> Vec<&VersionFact> {
        let latest = self
            .published()
            .map_or(&[][..], |(fact, _)| fact.versions.as_slice());
        let gone = self.past().into_iter().flat_map(|past| &past.versions);
        let gone = gone
            .map(|one| &one.value)
            .filter(|one| !latest.iter().any(|known| known.version == one.version));
        let mut all: Vec<&VersionFact> = latest.iter().chain(gone).collect();
        all.sort_by(|a, b| (b.at, &b.version).cmp(&(a.at, &a.version)));
        all
    }

    /// Gives every run that an answer ever listed, each as last seen; those of the latest answer first.
    pub fn all_runs(&self) -> impl Iterator<Item = &RunFact> {
        let latest = self
            .runs()
            .map_or(&[][..], |(fact, _)| fact.runs.as_slice());
        let gone = self.past().into_iter().flat_map(|past| &past.runs);
        let gone = gone
            .map(|one| &one.value)
            .filter(|one| !latest.iter().any(|known| known.id == one.id));
        latest.iter().chain(gone)
    }

    /// Gives every trust config that a listing ever had; those of the latest listing first.
    pub fn configs(&self) -> Vec<&TrustConfigFact> {
        let latest = self
            .trust()
            .map_or(&[][..], |(fact, _)| fact.configs.as_slice());
        let gone = self.past().into_iter().flat_map(|past| &past.configs);
        let mut gone: Vec<&TrustConfigFact> = gone
            .map(|one| &one.value)
            .filter(|one| !latest.iter().any(|known| known.id == one.id))
            .collect();
        gone.sort_by(|a, b| a.id.cmp(&b.id));
        latest.iter().chain(gone).collect()
    }

    /// Gives the stage of a version that any listing ever had.
    pub fn stage(&self, version: &str) -> Option<&StageFact> {
        let latest = self
            .stages()
            .map_or(&[][..], |(fact, _)| fact.stages.as_slice());
        let gone = self.past().into_iter().flat_map(|past| &past.stages);
        latest
            .iter()
            .chain(gone.map(|one| &one.value))
            .filter(|stage| *stage.version == *version)
            .min_by(|a, b| a.id.cmp(&b.id))
    }

    /// Gives every dist-tag that an answer ever showed, and where it pointed.
    pub fn tags(&self) -> &[TagSeen] {
        self.past().map_or(&[], |past| past.tags.as_slice())
    }

    answers! {
        forge Forge ForgeFact;
        actions Actions ActionsFact;
        environments Environments EnvironmentsFact;
        secrets Secrets SecretsFact;
        protection Protection ProtectionFact;
        runs Runs RunsFact;
        causes Causes CausesFact;
        other_ref Ref Box<RefFact>;
        refs Refs RefsFact;
        rights Rights RightsFact;
        published Published PublishedFact;
        trust Trust TrustFact;
        access Access AccessFact;
        reach Reach ReachFact;
        provenance Provenance ProvenanceFact;
        stages Stages StagesFact;
        profile Profile ProfileFact;
        owned Owned OwnedFact;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::model::facts::Tie;

    fn at(as_of: i64, value: Answer) -> Dated<Answer> {
        Dated {
            as_of: Ts(as_of),
            tie: Tie::default(),
            value,
        }
    }

    fn reach(weekly: u64) -> Answer {
        Answer::Reach(ReachFact {
            weekly: Some(weekly),
            dependents: None,
        })
    }

    fn failed(why: &str) -> Answer {
        Answer::CouldNot(CouldNotFact {
            source: LiveSource::Reach,
            why: why.into(),
        })
    }

    #[test]
    fn the_later_answer_counts_in_any_order() {
        for order in [[1, 2], [2, 1]] {
            let mut seen = Seen::default();
            for as_of in order {
                seen.take(at(as_of, reach(u64::try_from(as_of).unwrap())));
            }
            assert_eq!(seen.reach().unwrap().0.weekly, Some(2));
        }
    }

    #[test]
    fn a_failed_look_replaces_nothing_and_ends_with_the_next_answer() {
        let mut seen = Seen::default();
        seen.take(at(1, reach(7)));
        seen.take(at(2, failed("401")));
        assert!(!seen.knows(&reach(7)) && seen.knows(&failed("401")));
        assert_eq!(seen.reach().unwrap().0.weekly, Some(7));
        assert_eq!(&*seen.trouble(LiveSource::Reach).unwrap().0.why, "401");
        seen.take(at(3, reach(7)));
        assert!(seen.trouble(LiveSource::Reach).is_none());
        assert!(seen.knows(&reach(7)) && !seen.knows(&failed("401")));
    }

    #[test]
    fn the_same_answer_again_is_a_look_and_ends_trouble() {
        let mut seen = Seen::default();
        assert_eq!(
            seen.check(LiveSource::Reach, Ts(5)),
            None,
            "nothing to confirm"
        );
        seen.take(at(1, reach(7)));
        seen.take(at(2, failed("401")));
        assert_eq!(seen.check(LiveSource::Reach, Ts(9)), Some(Ts(1)));
        assert_eq!(seen.check(LiveSource::Reach, Ts(8)), Some(Ts(9)));
        assert_eq!(seen.looked(LiveSource::Reach), Some(Ts(9)));
        assert!(seen.trouble(LiveSource::Reach).is_none());
        assert_eq!(seen.reach().unwrap().1, Ts(1));
    }

    #[test]
    fn what_a_list_no_longer_shows_is_kept_in_any_order() {
        let published = |as_of, versions: &[&str], latest: &str| {
            let fact = PublishedFact {
                tags: [("latest".into(), latest.into())].into(),
                versions: versions
                    .iter()
                    .map(|version| VersionFact {
                        version: (*version).into(),
                        at: Ts(as_of),
                        ..VersionFact::default()
                    })
                    .collect(),
                ..PublishedFact::default()
            };
            at(as_of, Answer::Published(fact))
        };
        let all = [
            published(1, &["1.0.0"], "1.0.0"),
            published(2, &["1.1.0", "1.0.0"], "1.1.0"),
            published(3, &["1.2.0", "1.1.0"], "1.2.0"),
        ];
        for order in [
            [0, 1, 2],
            [0, 2, 1],
            [1, 0, 2],
            [1, 2, 0],
            [2, 0, 1],
            [2, 1, 0],
        ] {
            let mut seen = Seen::default();
            for which in order {
                assert!(seen.take(all.get(which).unwrap().clone()), "{order:?}");
            }
            let versions: Vec<(&str, i64)> = seen
                .versions()
                .iter()
                .map(|one| (&*one.version, one.at.0))
                .collect();
            assert_eq!(
                versions,
                [("1.2.0", 3), ("1.1.0", 3), ("1.0.0", 2)],
                "{order:?}"
            );
            assert_eq!(seen.tags().len(), 3);
        }
    }

    #[test]
    fn edges_to_two_secrets_stand_side_by_side() {
        let mut seen = Seen::default();
        for name in ["A", "B"] {
            let edge = EdgeFact {
                secret: Some(Subject::secret("org:acme", name)),
                holds: true,
                run: "".into(),
            };
            seen.take(at(1, Answer::Edge(edge)));
        }
        assert_eq!(seen.edges().count(), 2);
    }
}
