//! Events to facts: every verified line becomes a typed event on any thread, and is folded in order on one.
//!
//! Keeps ids, places and what gates need; long text stays in the file and is read back when shown. Whatever order
//! the lines come in, the facts are the same.

use crate::journal::{self, Line, Place, WriterId};
use crate::model::decision::{Decision, EventId, Slot, Value};
use crate::model::event::{
    BadEvent, Event, KINDS, Observation, PersonKeyAdopted, TokenListOwed, Undone,
};
use crate::model::fact::{Answer, LiveSource};
use crate::model::facts::live::Linked;
use crate::model::facts::{DEFAULT_REF, Dated, Facts, Links, Listing, Tie, take};
use crate::model::id::{Kind, Subject, SubjectSet};
use crate::model::policy::Policy;
use crate::model::time::Ts;
use rayon::prelude::*;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Repositories whose links are worked out together.
const RUN: usize = 4_096;

/// One line as the log lists it. Its text is read back from its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    pub place: Place,
    pub id: EventId,
    pub tick: u64,
    pub at: Ts,
    /// Row in the table of kinds; none for a kind of a newer version.
    pub kind: Option<u8>,
    pub about: Option<Subject>,
    pub signature: Signature,
}

/// What is known of a line's signature. Until it was checked against the roster it counts as none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Signature {
    #[default]
    None,
    NotChecked,
    Good,
    /// Wrong, or by a key that the roster does not have for this person.
    Bad,
}

/// A change of what judges or of who may sign: in force only if the founder's first, or signed.
#[derive(Debug, Clone)]
enum Change {
    Policy(Policy),
    Key { person: Subject, key: Box<str> },
}

impl Entry {
    /// Gives the kind's word.
    pub fn kind_word(&self) -> &'static str {
        self.kind
            .and_then(|row| KINDS.get(usize::from(row)))
            .map_or("(newer kind)", |spec| spec.kind)
    }
}

/// A writer: one device in one session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Writer {
    pub id: WriterId,
    /// Login that the writer's first line names; empty before it was read.
    pub person: Arc<str>,
    pub device: Box<str>,
}

/// A line turned into what folding needs. Made in parallel.
#[derive(Debug)]
pub struct Parsed {
    place: Place,
    id: journal::EventId,
    tick: u64,
    at: Ts,
    about: Option<Subject>,
    kind: Option<u8>,
    over: Vec<journal::EventId>,
    signed: bool,
    /// The ref of the default branch, where this is about a path: hashed here, so in parallel.
    default_ref: Option<Subject>,
    event: Result<Event, BadEvent>,
}

impl Parsed {
    /// Reads a verified line.
    pub fn read(line: &Line<'_>, place: Place) -> Self {
        let kind = KINDS
            .iter()
            .position(|spec| spec.kind == line.kind)
            .and_then(|row| u8::try_from(row).ok());
        let about: Option<Subject> = line.about.parse().ok();
        Self {
            place,
            id: line.id,
            tick: line.tick,
            at: Ts::parse(line.at).unwrap_or_default(),
            about,
            kind,
            over: line.over.iter().collect(),
            signed: line.sig.is_some(),
            default_ref: about
                .filter(|about| about.kind == Kind::Path)
                .map(|path| Subject::path_ref(path, DEFAULT_REF)),
            event: Event::parse(line.kind, line.crit, line.data),
        }
    }
}

/// The facts of a session and the list of its events.
#[derive(Debug, Default)]
pub struct Fold {
    pub facts: Facts,
    pub log: Vec<Entry>,
    pub writers: Vec<Writer>,
    founder: Option<u16>,
    /// Seq of the founder's first policy and first key: these need no signature.
    first: [Option<u32>; 2],
    /// Changes that wait for their signature to be checked.
    waiting: Vec<(EventId, Dated<Change>)>,
    /// Lines whose data this version cannot use, with the reason.
    pub unused: Vec<(Place, String)>,
    index: HashMap<WriterId, u16>,
    last: Option<(WriterId, u16)>,
    relink: SubjectSet,
    dirty: SubjectSet,
    all_dirty: bool,
    all_tokens: bool,
}

/// What has to be judged again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Touched {
    /// Not complete where all is to be judged.
    pub subjects: BTreeSet<Subject>,
    /// The file was just read, or the policy changed: everything.
    pub all: bool,
}

impl Fold {
    /// Gives the local number of a writer.
    pub fn writer(&mut self, id: WriterId) -> u16 {
        // Events of one writer come in runs.
        if let Some((last, number)) = self.last
            && last == id
        {
            return number;
        }
        let number = self.number(id);
        self.last = Some((id, number));
        number
    }

    fn number(&mut self, id: WriterId) -> u16 {
        if let Some(known) = self.index.get(&id) {
            return *known;
        }
        // The journal refuses more than 10,000 writers.
        let number = u16::try_from(self.writers.len()).unwrap_or(u16::MAX);
        self.writers.push(Writer {
            id,
            person: "".into(),
            device: "".into(),
        });
        self.index.insert(id, number);
        number
    }

    fn local(&mut self, id: journal::EventId) -> EventId {
        EventId {
            writer: self.writer(id.writer),
            seq: u32::try_from(id.seq).unwrap_or(u32::MAX),
        }
    }

    /// Gives the name of an event as files write it.
    pub fn name(&self, id: EventId) -> Option<journal::EventId> {
        let writer = self.writers.get(usize::from(id.writer))?.id;
        Some(journal::EventId {
            writer,
            seq: u64::from(id.seq),
        })
    }

    /// Folds one event in. Links are rebuilt by [`Fold::settle`], once for many.
    pub fn add(&mut self, parsed: Parsed) {
        let id = self.local(parsed.id);
        let tie = Tie {
            tick: parsed.tick,
            writer: parsed.id.writer.number(),
        };
        self.log.push(Entry {
            place: parsed.place,
            id,
            tick: parsed.tick,
            at: parsed.at,
            kind: parsed.kind,
            about: parsed.about,
            signature: if parsed.signed {
                Signature::NotChecked
            } else {
                Signature::None
            },
        });
        match parsed.event {
            Ok(event) => self.apply(
                id,
                event,
                &Meta {
                    about: parsed.about,
                    at: parsed.at,
                    tick: parsed.tick,
                    tie,
                    default_ref: parsed.default_ref,
                    over: parsed.over,
                },
            ),
            Err(error) => {
                // A critical line that cannot be used leaves its subject's gates unknown, whatever the reason.
                let harmless = matches!(error, BadEvent::UnknownKind { crit: false, .. });
                if !harmless && let Some(about) = parsed.about {
                    self.facts.newer.insert(about);
                    self.touch(about);
                }
                self.unused.push((parsed.place, error.to_string()));
            }
        }
    }

    fn apply(&mut self, id: EventId, event: Event, meta: &Meta) {
        let about = meta.about.unwrap_or(Subject::SESSION);
        match event {
            Event::SessionCreated(created) => {
                self.founder = Some(id.writer);
                self.facts.session = *created;
                self.facts.created_at = meta.at;
                self.all_dirty = true;
            }
            Event::WriterJoined(joined) => {
                if let Some(writer) = self.writers.get_mut(usize::from(id.writer)) {
                    writer.person = Arc::from(&*joined.person);
                    writer.device = joined.device;
                }
                self.person(&joined.person);
                self.join(&joined.person);
            }
            Event::PolicyAdopted(adopted) => self.propose(id, Change::Policy(adopted.policy), meta),
            Event::PersonKeyAdopted(PersonKeyAdopted { key, .. }) => {
                self.propose(id, Change::Key { person: about, key }, meta)
            }
            Event::Observed(observation) => self.observe(about, *observation, meta),
            Event::HeadsSeen(_)
            | Event::NoteAdded(_)
            | Event::EvidenceAdded(_)
            | Event::Sealed(_) => {}
            Event::DecisionUndone(Undone { undoes, of }) => {
                if let (Ok(undone), Some((slot, _))) = (undoes.parse(), of.decides()) {
                    let undone = self.local(undone);
                    self.decide(id, about, slot, Value::Undo(undone), meta);
                }
            }
            decision => {
                if let Event::TokenListOwed(TokenListOwed { account, .. }) = &decision
                    && Subject::person(account) == about
                {
                    // The account may be known from nowhere else.
                    self.person(account);
                }
                if let Some((slot, value)) = decision.decides() {
                    self.decide(id, about, slot, value, meta);
                }
            }
        }
    }

    /// Takes a change of policy or roster: the founder's first counts at once, any other once its signature is checked.
    fn propose(&mut self, id: EventId, change: Change, meta: &Meta) {
        let Some(first) = self
            .first
            .get_mut(usize::from(matches!(change, Change::Key { .. })))
        else {
            return;
        };
        let founders = self.founder == Some(id.writer);
        let is_first = founders && first.is_none_or(|seq| id.seq < seq);
        let as_of = Ts(i64::try_from(meta.tick).unwrap_or(i64::MAX));
        let dated = Dated {
            as_of,
            tie: meta.tie,
            value: change,
        };
        if is_first {
            *first = Some(id.seq);
            self.change(dated);
        } else {
            self.waiting.push((id, dated));
        }
    }

    fn change(&mut self, dated: Dated<Change>) {
        let Dated { as_of, tie, value } = dated;
        match value {
            Change::Policy(policy) => {
                if take(
                    &mut self.facts.policy_by,
                    Dated {
                        as_of,
                        tie,
                        value: policy,
                    },
                ) && let Some(policy) = &self.facts.policy_by
                {
                    self.facts.policy = policy.value.clone();
                    self.all_dirty = true;
                }
            }
            Change::Key { person, key } => {
                self.facts.persons.entry(person).or_default().key = Some(key);
                self.touch(person);
            }
        }
    }

    /// Takes the result of checking one line's signature: a good one puts its change or decision in force as signed.
    pub fn checked(&mut self, id: EventId, good: bool) {
        let Some(entry) = self.log.iter_mut().find(|entry| entry.id == id) else {
            return;
        };
        entry.signature = if good {
            Signature::Good
        } else {
            Signature::Bad
        };
        if !good {
            return;
        }
        let about = entry.about;
        if let Some(at) = self.waiting.iter().position(|(waiting, _)| *waiting == id) {
            let (_, change) = self.waiting.swap_remove(at);
            self.change(change);
        }
        let decided = about.and_then(|about| self.facts.decided.get_mut(&about));
        for (_, history) in decided
            .into_iter()
            .flat_map(crate::model::facts::Decided::slots_mut)
        {
            history
                .all_mut()
                .iter_mut()
                .filter(|one| one.id == id)
                .for_each(|one| one.signed = true);
        }
    }

    /// Tells whether the roster has any key: from then on changes of policy and roster need a signature.
    pub fn has_roster(&self) -> bool {
        self.facts
            .persons
            .values()
            .any(|person| person.key.is_some())
    }

    fn decide(&mut self, id: EventId, about: Subject, slot: Slot, value: Value, meta: &Meta) {
        let over = meta.over.iter().map(|over| self.local(*over)).collect();
        let by = self
            .writers
            .get(usize::from(id.writer))
            .map_or_else(|| "".into(), |writer| writer.person.clone());
        let decision = Decision {
            id,
            at: meta.at,
            tick: meta.tick,
            by,
            over,
            value,
            signed: false,
        };
        self.facts
            .decided
            .entry(about)
            .or_default()
            .add(slot, decision);
        match slot {
            Slot::Edge(secret) => self.hold(about, secret),
            Slot::Owed => {
                self.facts.persons.entry(about).or_default();
            }
            _ => {}
        }
        self.touch(about);
    }

    /// Rebuilds the reverse of one edge.
    fn hold(&mut self, token: Subject, secret: Subject) {
        let changed = self.facts.set_holder(token, secret);
        if changed {
            self.touch(secret);
        }
        self.reindex_secret(secret);
    }

    fn reindex_secret(&mut self, secret: Subject) {
        if self.facts.reindex_secret(secret) && !self.all_dirty {
            // Every token may be the value of a secret that nobody spoke about.
            self.touch_tokens();
        }
    }

    fn observe(&mut self, about: Subject, observation: Observation, meta: &Meta) {
        let (as_of, tie) = (observation.as_of, meta.tie);
        macro_rules! dated {
            ($value:expr) => {
                Dated {
                    as_of,
                    tie,
                    value: $value,
                }
            };
        }
        let changed = match observation.answer {
            Answer::Repo(fact) => {
                self.relink.insert(about);
                let row = self.facts.repos.entry(about).or_default();
                for name in fact.uses.iter().filter_map(|one| one.secret.as_ref()) {
                    row.name_secret(name);
                }
                take(&mut row.scan, dated!(fact))
            }
            Answer::Inventory(fact) => {
                self.relink.insert(about);
                for login in [&fact.owner, &fact.reviewer].into_iter().flatten() {
                    self.person(login);
                }
                take(
                    &mut self.facts.repos.entry(about).or_default().inventory,
                    dated!(fact),
                )
            }
            Answer::Path(fact) => {
                if let Some(repo) = fact.repo {
                    self.relink.insert(repo);
                    let row = self.facts.repos.entry(repo).or_default();
                    row.ever.insert(about);
                    if let Some(name) = fact.secret.as_ref().filter(|_| Facts::in_scope(&fact)) {
                        row.name_secret(name);
                    }
                }
                let default_ref = meta
                    .default_ref
                    .unwrap_or_else(|| Subject::path_ref(about, DEFAULT_REF));
                self.facts.path_refs.insert(default_ref, about);
                let row = self.facts.paths.entry(about).or_default();
                row.default_ref = Some(default_ref);
                take(&mut row.fact, dated!(fact))
            }
            Answer::Package(fact) => {
                self.relink.extend(fact.repo);
                self.touch(Subject::SESSION);
                let row = self.facts.packages.entry(about).or_default();
                // Whether it is private tells each of its repositories what an unmapped path may publish.
                self.relink.extend(row.repos.iter().copied());
                row.name.clone_from(&fact.name);
                take(&mut row.fact, dated!(fact))
            }
            Answer::Token(fact) => {
                self.person(&fact.account);
                let account = Subject::person(&fact.account);
                let made = self.facts.made.entry((account, fact.created));
                let near = made.or_default();
                near.insert(about);
                // Any of them may turn out to be this token, and its lists count for both then.
                let near: Vec<Subject> = near.to_vec();
                near.into_iter().for_each(|token| self.touch(token));
                if let Some(name) = &fact.name {
                    let called = self.facts.called.entry((account, name.clone()));
                    called.or_default().insert(about);
                }
                let row = self.facts.tokens.entry(about).or_default();
                row.learn(&fact);
                take(&mut row.fact, dated!(fact))
            }
            Answer::Listing(fact) => {
                self.person(&fact.account);
                fact.tokens.iter().for_each(|token| self.touch(*token));
                self.list(
                    about,
                    Listing {
                        as_of,
                        complete: fact.complete,
                        tokens: fact.tokens,
                    },
                )
            }
            live => self.see(about, dated!(live)),
        };
        if changed {
            self.touch(about);
        }
    }

    fn see(&mut self, about: Subject, answer: Dated<Answer>) -> bool {
        let linked = self.facts.see(about, answer);
        if let Some(secret) = linked.edge.filter(|_| about.kind == Kind::Token) {
            self.hold(about, secret);
        }
        self.link(linked)
    }

    /// Takes in that a source gave the same answer again. No event holds it: it only keeps the answer fresh.
    pub fn looked_again(&mut self, about: Subject, source: LiveSource, at: Ts) {
        let linked = self.facts.checked(about, source, at);
        if self.link(linked) {
            self.touch(about);
        }
    }

    fn link(&mut self, linked: Linked) -> bool {
        self.relink.extend(linked.relink);
        self.all_tokens |= linked.tokens;
        linked.touched.into_iter().for_each(|one| self.touch(one));
        linked.changed
    }

    fn touch_tokens(&mut self) {
        // One that is only spoken of, and in no list yet, is judged too.
        let spoken_of = self.facts.holders.values().flatten();
        let tokens: Vec<Subject> = self.facts.tokens.keys().chain(spoken_of).copied().collect();
        tokens.into_iter().for_each(|token| self.touch(token));
    }

    fn join(&mut self, login: &str) {
        let person = Subject::person(login);
        if let Some(row) = self.facts.persons.get_mut(&person)
            && !std::mem::replace(&mut row.joined, true)
        {
            let arrived = self.facts.arrived(person);
            arrived.into_iter().for_each(|one| self.touch(one));
        }
    }

    fn list(&mut self, account: Subject, listing: Listing) -> bool {
        let person = self.facts.persons.entry(account).or_default();
        if person.listings.contains(&listing) {
            return false;
        }
        // A token that was in any older listing may now be missing.
        let before: Vec<Subject> = person
            .listings
            .iter()
            .flat_map(|old| old.tokens.iter().copied())
            .collect();
        let key = |one: &Listing| (one.as_of, one.tokens.clone());
        let at = person
            .listings
            .partition_point(|old| key(old) < key(&listing));
        person.listings.insert(at, listing);
        before.into_iter().for_each(|token| self.touch(token));
        true
    }

    fn person(&mut self, login: &str) {
        if login.is_empty() {
            return;
        }
        let id = Subject::person(login);
        let row = self.facts.persons.entry(id).or_default();
        if row.login.is_empty() {
            row.login = login.into();
            self.touch(id);
        }
    }

    fn touch(&mut self, subject: Subject) {
        if !self.all_dirty {
            self.dirty.insert(subject);
        }
    }

    /// Rebuilds the links of what was folded since the last call, and tells what to judge again.
    pub fn settle(&mut self) -> Touched {
        let mut repos: Vec<Subject> = self.relink.drain().collect();
        repos.sort_unstable();
        let mut secrets = SubjectSet::default();
        // In runs, so that not all links stand in memory twice.
        for run in repos.chunks(RUN) {
            let facts = &self.facts;
            let links: Vec<Links> = run
                .par_iter()
                .with_min_len(32)
                .map(|repo| facts.links(*repo))
                .collect();
            for (repo, links) in run.iter().zip(links) {
                self.touch(*repo);
                for linked in self.facts.link(*repo, links) {
                    self.touch(linked);
                    if linked.kind == Kind::Secret {
                        secrets.insert(linked);
                    }
                }
            }
            // The packages of an organisation are compared with the paths of all repositories.
            self.touch(Subject::SESSION);
        }
        // Once for all repositories that share one.
        for secret in secrets {
            self.all_tokens |= self.facts.compare_again(secret);
            self.reindex_secret(secret);
            // The dates of another repository's stores count from now on.
            let dated = !self.facts.seen.is_empty();
            self.all_tokens |= dated && self.facts.unclaimed.contains(&secret);
        }
        if std::mem::take(&mut self.all_tokens) {
            self.touch_tokens();
        }
        Touched {
            subjects: self.dirty.drain().collect(),
            all: std::mem::take(&mut self.all_dirty),
        }
    }
}

struct Meta {
    about: Option<Subject>,
    at: Ts,
    tick: u64,
    tie: Tie,
    default_ref: Option<Subject>,
    over: Vec<journal::EventId>,
}
