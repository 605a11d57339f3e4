//! Makes events of what is decided: finds what is meant, takes text, and knows what the batch has decided so far.

use super::refusal::{Refusal, refuse, refuse_with};
use crate::model::decision::{EventId, History, Slot, Value};
use crate::model::event::Event;
use crate::model::id::{Kind, Subject};
use crate::model::lane::Lane;
use crate::model::name::Login;
use crate::model::time::Ts;
use crate::safe::redact;
use crate::session::fold::Fold;
use std::collections::HashMap;

/// Longest text of a person, in characters.
const MAX_TEXT: usize = 4_000;

/// An event that is ready to be appended.
#[derive(Debug, Clone, PartialEq)]
pub struct DraftEvent {
    pub about: Subject,
    /// The decisions that it replaces.
    pub over: Vec<EventId>,
    pub event: Event,
}

impl DraftEvent {
    /// Returns an event that decides nothing.
    pub(in crate::session) fn plain(about: Subject, event: impl Into<Event>) -> Self {
        Self {
            about,
            over: Vec::new(),
            event: event.into(),
        }
    }
}

/// One batch in the making. Every rule looks at what stands through it: the batch's own drafts, then the facts.
pub(super) struct EventBuilder<'a> {
    pub(super) fold: &'a Fold,
    pub(super) actor: &'a str,
    pub(super) now: Ts,
    drafts: Vec<DraftEvent>,
    /// Where the draft of a slot stands.
    drafted: HashMap<(Subject, Slot), usize>,
}

impl<'a> EventBuilder<'a> {
    pub(super) fn new(fold: &'a Fold, actor: &'a str, now: Ts) -> Self {
        Self {
            fold,
            actor,
            now,
            drafts: Vec::new(),
            drafted: HashMap::new(),
        }
    }

    /// Takes the drafts of one action. A later decision of the batch takes the place of an earlier one in its slot:
    /// that one was never written, so there is nothing to replace.
    pub(super) fn take(&mut self, drafts: Vec<DraftEvent>) {
        for draft in drafts {
            let slot = draft.event.clone().decides().map(|(slot, _)| slot);
            let known = slot.and_then(|slot| self.drafted.get(&(draft.about, slot)));
            if let Some(before) = known.and_then(|at| self.drafts.get_mut(*at)) {
                *before = draft;
                continue;
            }
            if let Some(slot) = slot {
                self.drafted.insert((draft.about, slot), self.drafts.len());
            }
            self.drafts.push(draft);
        }
    }

    pub(super) fn done(self) -> Vec<DraftEvent> {
        self.drafts
    }

    /// Returns what the batch has decided in a slot; nothing where it has not.
    fn drafted(&self, about: Subject, slot: Slot) -> Option<Value> {
        let at = self.drafted.get(&(about, slot))?;
        let draft = self.drafts.get(*at)?;
        draft.event.clone().decides().map(|(_, value)| value)
    }

    /// Returns the person in a slot of the session, as it will stand.
    pub(super) fn person(&self, slot: Slot) -> Option<Box<str>> {
        let stands = || {
            let decision = self.fold.facts.decision(Subject::SESSION, slot)?;
            Some(decision.value.clone())
        };
        match self.drafted(Subject::SESSION, slot).or_else(stands)? {
            Value::Person(login) => Some(login),
            _ => None,
        }
    }

    /// Returns a repository's owner, as it will stand.
    pub(super) fn owner(&self, repo: Subject) -> Option<Box<str>> {
        match self.drafted(repo, Slot::Owner) {
            Some(Value::Person(login)) => Some(login),
            Some(_) => None,
            None => self.fold.facts.owner(repo).map(Into::into),
        }
    }

    /// Returns a path's lane, as it will stand.
    pub(super) fn lane(&self, path: Subject) -> Option<Lane> {
        match self.drafted(path, Slot::Lane) {
            Some(Value::Lane(lane)) => Some(lane),
            _ => self.fold.facts.lane(path),
        }
    }

    /// Makes one event, over the decisions that stand in its slot.
    pub(super) fn one(&self, about: Subject, event: impl Into<Event>) -> DraftEvent {
        let event = event.into();
        let heads = event.clone().decides().and_then(|(slot, _)| {
            let decided = self.fold.facts.decided.get(&about)?;
            decided.slot(slot).map(History::heads)
        });
        DraftEvent {
            about,
            over: heads.unwrap_or_default(),
            event,
        }
    }

    /// Makes an event of each subject of a kind that is meant.
    ///
    /// # Errors
    /// Nothing of the kind is meant, or `make` refuses one.
    pub(super) fn each(
        &self,
        about: &[Subject],
        kind: Kind,
        make: impl Fn(Subject) -> Result<Event, Refusal>,
    ) -> Result<Vec<DraftEvent>, Refusal> {
        if about.is_empty() {
            return Err(refuse_with("nothing is selected", "select a row first"));
        }
        let reached = self.reach(about, &[kind]);
        if reached.is_empty() {
            return Err(refuse(format!("nothing here has a {}", kind.word())));
        }
        reached
            .into_iter()
            .map(|subject| {
                self.known(subject)?;
                if subject.kind != kind {
                    return Err(refuse(format!(
                        "this is about a {}, not a {}",
                        kind.word(),
                        subject.kind.word()
                    )));
                }
                Ok(self.one(subject, make(subject)?))
            })
            .collect()
    }

    /// Gives the subjects that are meant: a repository stands for what it has of these kinds, in a fixed order.
    pub(super) fn reach(&self, about: &[Subject], kinds: &[Kind]) -> Vec<Subject> {
        let facts = &self.fold.facts;
        let mut reached = Vec::new();
        for subject in about {
            let repo = facts
                .repos
                .get(subject)
                .filter(|_| !kinds.contains(&subject.kind));
            let Some(repo) = repo else {
                reached.push(*subject);
                continue;
            };
            let refs = facts
                .path_refs
                .iter()
                .filter(|(_, path)| repo.paths().contains(path));
            let mut all: Vec<Subject> = facts.open_paths(*subject).map(|(path, _)| path).collect();
            all.extend(
                repo.packages
                    .iter()
                    .chain(&repo.secrets)
                    .chain(&repo.configs),
            );
            if kinds.contains(&Kind::PathRef) {
                all.extend(refs.map(|(one, _)| *one));
            }
            all.retain(|one| kinds.contains(&one.kind));
            all.sort_unstable();
            reached.extend(all);
        }
        let mut seen = std::collections::BTreeSet::new();
        reached.retain(|subject| seen.insert(*subject));
        reached
    }

    pub(super) fn known(&self, subject: Subject) -> Result<(), Refusal> {
        let facts = &self.fold.facts;
        let known = match subject.kind {
            Kind::Session => true,
            Kind::Repo => facts.repos.contains_key(&subject),
            Kind::Path => facts.paths.contains_key(&subject),
            Kind::PathRef => facts.path_refs.contains_key(&subject),
            Kind::Package => facts.packages.contains_key(&subject),
            Kind::Config => facts.configs.contains_key(&subject),
            Kind::Secret => facts.secrets.contains_key(&subject),
            Kind::Token => facts.tokens.contains_key(&subject),
            Kind::Person => facts.persons.contains_key(&subject),
        };
        if known {
            Ok(())
        } else {
            Err(refuse(format!(
                "no {} is called {} in this session",
                subject.kind.word(),
                subject
            )))
        }
    }

    /// Takes text of a person. A token in it is refused, not redacted: it must not even be typed.
    pub(super) fn text(&self, text: &str) -> Result<String, Refusal> {
        let text = text.trim();
        if text.chars().count() > MAX_TEXT {
            return Err(refuse_with(
                format!("longer than {MAX_TEXT} characters"),
                "attach it as a file instead",
            ));
        }
        if !redact::find(text).is_empty() {
            return Err(refuse_with(
                "this contains a credential; it was not kept",
                "remove the credential from the text, and revoke it",
            ));
        }
        Ok(text.to_owned())
    }

    pub(super) fn said(&self, text: &str, otherwise: &str) -> Result<String, Refusal> {
        let text = self.text(text)?;
        if text.is_empty() {
            Err(refuse(otherwise))
        } else {
            Ok(text)
        }
    }

    pub(super) fn login(&self, login: &str) -> Result<String, Refusal> {
        let login = login.trim().trim_start_matches('@');
        Login::parse(login)
            .map(|login| login.to_string())
            .map_err(|error| refuse_with(error.to_string(), "letters, digits and - _ . @ + only"))
    }

    /// Takes a link; `otherwise` is where anything else belongs.
    pub(super) fn link(&self, link: &str, otherwise: &str) -> Result<Option<String>, Refusal> {
        let link = self.text(link)?;
        match link.as_str() {
            "" => Ok(None),
            web if web.starts_with("https://") && !web.contains(char::is_whitespace) => {
                Ok(Some(link))
            }
            _ => Err(refuse_with(
                "a link starts with https:// and has no spaces",
                otherwise,
            )),
        }
    }
}
