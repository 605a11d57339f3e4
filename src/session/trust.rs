//! Who may say what, where it comes from elsewhere: keys of the roster, the policy, and writers that speak for somebody.
//!
//! A copy of the file can be added to by whoever holds it, so its lines are strangers' words until somebody has read
//! what they change. A merge that brings such a change is refused until it is accepted; a file that was put in another's
//! place is told by what this device knew of it. What needs a signature still needs it after that.

use std::collections::{BTreeSet, HashSet};

use super::{Error, Session};
use crate::journal::Line;
use crate::model::event::Event;
use crate::model::id::Subject;
use crate::safe::shown::visible;

/// Where this device keeps what it knew of a session's roster, policy and writers.
const NAME: &str = "trust";
/// Most bytes of that: ten thousand writers fit.
const CAP: u64 = 1024 * 1024;

impl Session {
    /// Says what lines from elsewhere change about who may say what, in words, each once.
    pub(super) fn claims(&self, lines: &[String]) -> Vec<String> {
        let mut out = Vec::new();
        for text in lines {
            let Ok(line) = Line::parse(text.as_bytes()) else {
                continue;
            };
            let Ok(event) = Event::parse(line.kind, line.crit, line.data) else {
                continue;
            };
            let by = || {
                let mut writers = self.fold.writers.iter();
                let known = writers.find(|known| known.id == line.id.writer);
                let name = known.map_or("a new writer", |known| &*known.person);
                visible(name).into_owned()
            };
            out.extend(match event {
                Event::PersonKeyAdopted(_) => {
                    let (_, person) = line.about.split_once(':').unwrap_or(("", line.about));
                    Some(format!(
                        "{} puts a key of {} on the roster",
                        by(),
                        visible(person)
                    ))
                }
                Event::PolicyAdopted(_) => Some(format!("{} adopts another policy", by())),
                Event::WriterJoined(joined) => self
                    .facts()
                    .persons
                    .contains_key(&Subject::person(&joined.person))
                    .then(|| {
                        format!(
                            "a writer that this file did not know, {}, speaks for {}",
                            line.id.writer,
                            visible(&joined.person)
                        )
                    }),
                _ => None,
            });
        }
        let mut said = HashSet::new();
        out.retain(|claim: &String| said.insert(claim.clone()));
        out
    }

    /// Says what of the roster, the policy and the writers is new to this device, and keeps it for the next time where
    /// the file can be written. Nothing where the device never saw the session.
    pub(super) fn tell_claims(&mut self) {
        let now = self.known_claims();
        let Some(before) = self.kept() else {
            return self.keep_claims();
        };
        let new: Vec<&str> = now.difference(&before).map(String::as_str).collect();
        if !new.is_empty() {
            let words = new.join("; ");
            self.notices.push(format!(
                "new to this device in this file: {words}. Ask the people it names; where it is not theirs, go back to an older copy"
            ));
            self.keep_claims();
        }
    }

    /// Keeps what this device has taken or written itself.
    pub(super) fn keep_claims(&self) {
        if self.read_only().is_some() {
            return;
        }
        // What cannot be kept is only told once more.
        let mut all = self.known_claims();
        // Several copies of one session on one device are known together.
        all.extend(self.kept().unwrap_or_default());
        if let Ok(bytes) = serde_json::to_vec(&all) {
            let _told_again = self.remember(NAME, &bytes);
        }
    }

    fn kept(&self) -> Option<BTreeSet<String>> {
        let bytes = self.recall(NAME, CAP)?;
        serde_json::from_slice(&bytes).ok()
    }

    fn known_claims(&self) -> BTreeSet<String> {
        let facts = self.facts();
        let keys = facts.persons.iter().filter_map(|(person, row)| {
            let key = row.key.as_deref()?;
            Some(format!("the key {key} of {person}"))
        });
        let policy = facts
            .policy_by
            .as_ref()
            .map(|dated| format!("the policy adopted at tick {}", dated.as_of.0));
        let writers = self
            .fold
            .writers
            .iter()
            .map(|writer| format!("writer {} of {}", writer.id, visible(&writer.person)));
        keys.chain(policy).chain(writers).collect()
    }

    /// Refuses lines from elsewhere that change who may say what, unless they were accepted.
    pub(super) fn accept_claims(&self, lines: &[String], accepted: bool) -> Result<(), Error> {
        match self.claims(lines) {
            claims if accepted || claims.is_empty() => Ok(()),
            claims => Err(Error::NotAccepted(claims.join("; "))),
        }
    }
}
