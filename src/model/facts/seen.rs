//! What was seen of one subject on the forge and the registry: one answer per source, the latest.
//!
//! A source that could not be looked at leaves what it showed before, and stands beside it.

use super::{Dated, take};
use crate::model::fact::{
    AccessFact, ActionsFact, Answer, CouldNotFact, EdgeFact, EnvironmentsFact, ForgeFact,
    LiveSource, OwnedFact, ProfileFact, ProtectionFact, ProvenanceFact, PublishedFact, ReachFact,
    RefFact, RightsFact, RunsFact, SecretsFact, StagesFact, TrustFact,
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
pub struct Seen(Vec<Dated<Answer>>);

macro_rules! answers {
    ($($(#[$doc:meta])* $name:ident $variant:ident $fact:ty;)+) => {
        $(
            $(#[$doc])*
            pub fn $name(&self) -> Option<(&$fact, Ts)> {
                self.0.iter().find_map(|one| match &one.value {
                    Answer::$variant(fact) => Some((fact, one.as_of)),
                    _ => None,
                })
            }
        )+
    };
}

impl Seen {
    /// Takes a live answer in if it is the latest of its source. Tells whether anything changed.
    pub fn take(&mut self, new: Dated<Answer>) -> bool {
        let Some(new_key) = key(&new.value) else {
            return false;
        };
        let slot = self
            .0
            .iter()
            .position(|old| key(&old.value) == Some(new_key));
        match slot.and_then(|at| self.0.get_mut(at)) {
            Some(old) => {
                let mut kept = Some(old.clone());
                let changed = take(&mut kept, new);
                if let Some(kept) = kept {
                    *old = kept;
                }
                changed
            }
            None => {
                self.0.push(new);
                true
            }
        }
    }

    /// Tells whether this very answer is what stands: after a failed look, the same answer is news again.
    pub fn knows(&self, answer: &Answer) -> bool {
        match (answer, answer.live()) {
            (Answer::CouldNot(new), _) => {
                self.trouble(new.source).is_some_and(|(old, _)| old == new)
            }
            (_, Some(source)) => {
                self.trouble(source).is_none() && self.0.iter().any(|old| old.value == *answer)
            }
            (_, None) => false,
        }
    }

    /// Tells why a source could not be looked at, unless it was seen later than that.
    pub fn trouble(&self, source: LiveSource) -> Option<(&CouldNotFact, Ts)> {
        let (why, when) = self.0.iter().find_map(|one| match &one.value {
            Answer::CouldNot(fact) if fact.source == source => Some((fact, one.as_of)),
            _ => None,
        })?;
        let seen_later = self.0.iter().any(|one| {
            one.as_of >= when
                && !matches!(one.value, Answer::CouldNot(_))
                && one.value.live() == Some(source)
        });
        (!seen_later).then_some((why, when))
    }

    /// Gives every edge from a token to a secret that a job showed.
    pub fn edges(&self) -> impl Iterator<Item = (&EdgeFact, Ts)> {
        self.0.iter().filter_map(|one| match &one.value {
            Answer::Edge(edge) => Some((edge, one.as_of)),
            _ => None,
        })
    }

    answers! {
        forge Forge ForgeFact;
        actions Actions ActionsFact;
        environments Environments EnvironmentsFact;
        secrets Secrets SecretsFact;
        protection Protection ProtectionFact;
        runs Runs RunsFact;
        other_ref Ref Box<RefFact>;
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

    fn at(as_of: i64, value: Answer) -> Dated<Answer> {
        Dated {
            as_of: Ts(as_of),
            tie: 0,
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
