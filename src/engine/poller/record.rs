//! What was answered so far, in this process and, as its cache tells, before it: by this the schedule begins.
//!
//! Pure. An answer counts only if nothing of it is missing and all that it made worth asking has been asked.

use crate::engine::cache::Cache;
use crate::engine::observe::{QueryResult, Report};
use crate::engine::schedule::{Batch, Key, Query};
use crate::model::fact::Answer;
use crate::model::id::Subject;
use crate::model::time::Ts;
use std::collections::HashMap;

/// Answers by their questions.
#[derive(Debug, Default)]
pub(super) struct Record {
    cache: Cache,
    /// What an answer made worth asking, with its own question: until that is asked, this one counts as open.
    owed: HashMap<Key, Key>,
}

impl Record {
    pub(super) fn new(cache: Cache) -> Self {
        Self {
            cache,
            owed: HashMap::new(),
        }
    }

    pub(super) fn cache(&mut self) -> &mut Cache {
        &mut self.cache
    }

    /// Gives when a question that is new to the schedule is due: now, or when its last answer is too old.
    pub(super) fn due(&self, key: Key, now: Ts) -> Ts {
        let again = self.cache.asked(key).map(|at| at.plus(key.0.pace()));
        again.map_or(now, |again| again.max(now))
    }

    /// Forgets that something was answered: it is due at once.
    pub(super) fn forget(&mut self, (what, about): Key) {
        if let Some(asked) = self.cache.asked.get_mut(&what) {
            asked.remove(&about);
        }
    }

    /// Notes what a call brought.
    pub(super) fn answered(&mut self, batch: &Batch, brought: &QueryResult, now: Ts) {
        for (about, learned) in &brought.learned {
            self.cache.learn(*about, learned);
        }
        for about in &batch.about {
            let key = (batch.what, *about);
            self.owed.remove(&key);
            if batch.what.pace() == i64::MAX {
                continue;
            }
            if is_whole(batch, *about, brought) {
                let asked = self.cache.asked.entry(batch.what).or_default();
                asked.insert(*about, now);
            } else {
                self.forget(key);
            }
        }
        let first = batch.about.first().copied().unwrap_or(Subject::SESSION);
        for (key, ..) in &brought.expedite {
            let about = if batch.about.contains(&key.1) {
                key.1
            } else {
                first
            };
            self.owed.insert(*key, (batch.what, about));
        }
    }

    /// Gives what a later start may rest on.
    pub(super) fn kept(&self) -> Cache {
        let mut cache = self.cache.clone();
        for (key, asker) in &self.owed {
            // What is never due by time alone is found again only by who made it worth asking.
            let by_time = key.0.pace() < i64::MAX;
            let (what, about) = if by_time { key } else { asker };
            if let Some(asked) = cache.asked.get_mut(what) {
                asked.remove(about);
            }
        }
        cache
    }
}

/// Tells whether a question about one thing was answered in full: nothing could not be looked at, nothing is to be
/// said of gaps, and nothing goes on there that only memory knows.
fn is_whole(batch: &Batch, about: Subject, brought: &QueryResult) -> bool {
    // What stands in notes is in no fact: who starts anew has to hear it again.
    let noted = |report: &Report| match report {
        Report::Notes(_, notes) => !notes.is_empty(),
        Report::Answers(answers) => answers.iter().any(|(of, one)| {
            matches!(one.answer, Answer::CouldNot(_)) && (batch.about.len() == 1 || *of == about)
        }),
        _ => false,
    };
    let moves = brought.paces.iter().any(|(of, ..)| *of == about);
    !brought.partial.contains(&about)
        && !brought.deferred
        && !moves
        && !brought.reports.iter().any(noted)
        && batch.what != Query::Rights
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::engine::schedule::Urgency;
    use crate::model::event::Observation;
    use crate::model::fact::{CouldNotFact, LiveSource, RunsFact};

    const NOW: Ts = Ts(10_000);

    fn repo(name: &str) -> Subject {
        Subject::repo("github.com", name)
    }

    fn batch(what: Query, about: &[Subject]) -> Batch {
        Batch {
            what,
            about: about.to_vec(),
        }
    }

    fn due(record: Record, key: Key) -> i64 {
        let due = Record::new(record.kept()).due(key, NOW.plus(10));
        due.0 - NOW.0
    }

    #[test]
    fn what_was_answered_is_due_by_its_pace_and_the_rest_at_once() {
        let key = (Query::Refs, repo("acme/ui"));
        let mut record = Record::default();
        assert_eq!(record.due(key, NOW), NOW);
        record.answered(&batch(key.0, &[key.1]), &QueryResult::default(), NOW);
        assert_eq!(due(record, key), Query::Refs.pace());
        for brought in [
            QueryResult {
                partial: vec![key.1],
                ..QueryResult::default()
            },
            QueryResult {
                deferred: true,
                ..QueryResult::default()
            },
            QueryResult {
                reports: vec![Report::Notes("x", vec!["a gap".into()])],
                ..QueryResult::default()
            },
        ] {
            let mut record = Record::default();
            record.answered(&batch(key.0, &[key.1]), &QueryResult::default(), NOW);
            record.answered(&batch(key.0, &[key.1]), &brought, NOW);
            assert_eq!(due(record, key), 10, "{brought:?}");
        }
    }

    #[test]
    fn one_of_a_batch_that_could_not_be_seen_or_goes_on_is_due_at_once() {
        let (a, b, c) = (repo("acme/a"), repo("acme/b"), repo("acme/c"));
        let failed = Answer::CouldNot(CouldNotFact {
            source: LiveSource::Runs,
            why: "hidden".into(),
        });
        let seen = Answer::Runs(RunsFact { runs: Vec::new() });
        let one = |about, answer| (about, Observation { as_of: NOW, answer });
        let brought = QueryResult {
            paces: vec![(c, 10, Urgency::Now)],
            ..QueryResult::answers(vec![one(a, failed), one(b, seen)])
        };
        let mut record = Record::default();
        record.answered(&batch(Query::Runs, &[a, b, c]), &brought, NOW);
        let kept = Record::new(record.kept());
        let due = |about| kept.due((Query::Runs, about), NOW.plus(10)).0 - NOW.0;
        assert_eq!([due(a), due(b), due(c)], [10, Query::Runs.pace(), 10]);
    }

    #[test]
    fn a_discovery_counts_once_all_that_it_found_was_scanned() {
        let key = (Query::Discovery, Subject::SESSION);
        let found = QueryResult {
            expedite: vec![((Query::Files, repo("acme/ui")), 0, Urgency::ByAge)],
            ..QueryResult::default()
        };
        let mut record = Record::default();
        record.answered(&batch(key.0, &[key.1]), &found, NOW);
        assert_eq!(
            Record::new(record.kept()).due(key, NOW.plus(10)).0,
            NOW.0 + 10
        );
        let files = batch(Query::Files, &[repo("acme/ui")]);
        record.answered(&files, &QueryResult::default(), NOW);
        assert_eq!(due(record, key), Query::Discovery.pace());
    }
}
