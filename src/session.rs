//! A session: the facts of one cutover, judged, with the file behind them.
//!
//! Opens, folds, judges, decides, appends. No network and no async: the command line's verbs use it directly, the
//! console through `engine`. Clock, randomness and folders are inputs.

mod damage;
pub mod decide;
pub mod fold;
pub mod guide;
pub mod judge;
pub mod left;
pub mod name;
pub mod sign;
mod token;
mod trust;

use crate::journal::writer::{self, Access, Journal, Opened};
use crate::journal::{self, Draft, Line, Report, SessionId, WriterId};
use crate::model::decision::EventId;
use crate::model::event::{
    AdoptedPolicy, Event, Observation, SessionCreated, Unread, WriterJoined, policy_digest,
};
use crate::model::fact::{Answer, LiveSource, RepoFact};
use crate::model::facts::Facts;
use crate::model::id::Subject;
use crate::model::policy::Policy;
use crate::model::time::Ts;
use crate::safe::shown::counted;
use damage::{behind_words, cut_words, damage_words};
use decide::{Action, Decided, DraftEvent, Refusal, Written, decide};
use fold::{Entry, Fold, Parsed, Writer};
use judge::Board;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Events that are appended and synced together at most.
const GROUP: usize = 2_000;
/// Why nothing can be written where somebody wanted it so.
const AS_ASKED: &str = "--read-only was given";
/// Events of a writer after which the heads known here are written down again.
const HEADS_EVERY: u64 = 1_000;

/// Who opens a session, with what.
#[derive(Debug, Clone)]
pub struct Options {
    /// Folder where this device remembers its writers.
    pub state: PathBuf,
    /// Login that decisions are written under. It names, it does not authenticate.
    pub actor: String,
    pub device: String,
    pub program: String,
    pub read_only: bool,
    /// 16 fresh random bytes: a writer's or a session's id.
    pub random: [u8; 16],
    pub now: Ts,
}

/// What an observation did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observed {
    /// Answers that were news.
    pub written: usize,
    /// Repositories whose rows changed.
    pub changed: Vec<Subject>,
}

/// Why a session could not be opened or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Journal(#[from] journal::Error),
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("the roster has a key, so this needs a signature: name your key with --sign-with")]
    Unsigned,
    #[error(
        "the roster has no such key of {0}, so nobody could verify this signature: have the founder, or somebody whose key \
         is on the roster, run `cutover key adopt {0} FILE.pub` first"
    )]
    NotOnRoster(String),
    #[error(
        "only {0}, who founded the session, can put the first key on the roster, on the device that founded it"
    )]
    NotFounder(String),
    #[error(
        "these lines change who may say what: {0}. Nothing was taken; ask the people it names, then merge with --accept"
    )]
    NotAccepted(String),
    #[error(transparent)]
    Sign(#[from] journal::SignError),
    #[error("this session is open read-only: {0}")]
    ReadOnly(String),
    #[error("an event could not be put into words: {0}")]
    Encode(#[from] serde_json::Error),
}

/// A writer's last line: its name, its number, and the first half of its hash.
pub type Head = (Box<str>, u64, Box<str>);

/// A session that is open.
#[derive(Debug)]
pub struct Session {
    path: PathBuf,
    report: Report,
    fold: Fold,
    board: Board,
    notices: Vec<String>,
    options: Options,
    file: Arc<File>,
    journal: Option<Box<Journal>>,
    why_read_only: Option<String>,
    said_heads: bool,
    own_events: u64,
    signing: Option<sign::Signing>,
    verifier: Option<crate::safe::process::Program>,
    /// The roster's key that this device was seen to sign for.
    signs_for: Option<Box<str>>,
}

fn writer_id(random: [u8; 16]) -> WriterId {
    let mut half = [0; 8];
    half.iter_mut()
        .zip(random)
        .for_each(|(to, from)| *to = from);
    WriterId::from_random(half)
}

/// Starts a session file with its founder's first two lines.
///
/// # Errors
/// The name is taken, or the disk refuses.
pub fn create(path: &Path, created: &SessionCreated, options: &Options) -> Result<(), Error> {
    let session = SessionId::from_random(options.random);
    let created = SessionCreated {
        session: session.as_str().into(),
        ..created.clone()
    };
    let (at, about) = (options.now.to_string(), Subject::SESSION.to_string());
    let (first, second) = (in_ascii(&created)?, in_ascii(&joined(options))?);
    let draft = |kind, crit, data| Draft {
        at: &at,
        kind,
        about: &about,
        crit,
        over: &[],
        data,
    };
    let settings = writer::Settings {
        state: &options.state,
        holder: &options.actor,
        new_writer: writer_id(options.random),
    };
    writer::create(
        path,
        settings,
        session,
        &draft(journal::SESSION_CREATED, true, &first),
        &draft(journal::WRITER_JOINED, false, &second),
    )?;
    Ok(())
}

fn joined(options: &Options) -> WriterJoined {
    WriterJoined {
        person: options.actor.as_str().into(),
        device: options.device.as_str().into(),
        program: options.program.as_str().into(),
    }
}

/// Writes the data of an event: redacted once more, and in ASCII, so that a file of ours is harmless to print.
fn in_ascii(data: &impl serde::Serialize) -> Result<String, Error> {
    let mut bytes = Vec::new();
    crate::safe::json::write_json(&mut bytes, data).map_err(serde_json::Error::io)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

impl Session {
    /// Opens a session file: verifies every hash, folds every event, judges every gate.
    ///
    /// # Errors
    /// The file cannot be read or is no session; or it is to be written and another process has it open.
    pub fn open(path: &Path, options: Options) -> Result<Self, Error> {
        let mut fold = Fold::default();
        let sink = |parsed: &mut dyn Iterator<Item = Parsed>| parsed.for_each(|one| fold.add(one));
        let opened = if options.read_only {
            writer::open_read_only(path, Parsed::read, sink)?
        } else {
            let settings = writer::Settings {
                state: &options.state,
                holder: &options.actor,
                new_writer: writer_id(options.random),
            };
            writer::open(path, settings, Parsed::read, sink)?
        };
        // In the pool as a whole: its threads would otherwise sleep and wake between the parts.
        let board = rayon::scope(|_| {
            fold.settle();
            Board::full(&fold.facts, options.now)
        });
        let Opened {
            report,
            file,
            access,
            set_aside,
            behind,
        } = opened;
        let mut notices = Vec::new();
        // Whoever opens to write is refused, with the same words.
        if options.read_only {
            notices.extend(damage_words(&report));
        }
        if let Some(place) = set_aside {
            notices.push(format!(
                "the file ended in the middle of a line; what was there is kept in {}",
                place.display()
            ));
        }
        notices.extend(behind_words(&behind));
        notices.extend(report.cuts.iter().map(|cut| cut_words(&fold.writers, cut)));
        if !fold.unused.is_empty() {
            notices.push(format!(
                "{} of a newer version, or that cannot be used: see `cutover log verify`",
                counted(fold.unused.len(), "event")
            ));
        }
        let (journal, why_read_only) = match access {
            Access::Append(journal) => (Some(journal), None),
            Access::ReadOnly if options.read_only => (None, Some(AS_ASKED.to_owned())),
            Access::ReadOnly => {
                let why = report.sound(path, &*file).err().map_or_else(
                    || "the file is damaged".to_owned(),
                    |error| error.to_string(),
                );
                (None, Some(why))
            }
        };
        let mut session = Self {
            path: path.to_owned(),
            report,
            fold,
            board,
            notices,
            options,
            file,
            journal,
            why_read_only,
            said_heads: false,
            own_events: 0,
            signing: None,
            verifier: None,
            signs_for: None,
        };
        session.tell_claims();
        Ok(session)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns what reading the file found: chains, damage, forks, cuts.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Returns every row as it was last judged.
    pub fn board(&self) -> &Board {
        &self.board
    }

    /// Returns things to say once: a torn tail set aside, a file that is behind, events of a newer version.
    pub fn notices(&self) -> &[String] {
        &self.notices
    }

    /// Returns every line that was folded, in the order of the file.
    pub fn log(&self) -> &[Entry] {
        &self.fold.log
    }

    /// Returns the writers in the order in which their first lines were met.
    pub fn writers(&self) -> &[Writer] {
        &self.fold.writers
    }

    /// Returns the lines whose data this version cannot use, with the reason.
    pub fn unused(&self) -> &[(journal::Place, String)] {
        &self.fold.unused
    }

    /// Returns an event's name in the file.
    pub fn name_of(&self, id: EventId) -> Option<journal::EventId> {
        self.fold.name(id)
    }

    pub fn facts(&self) -> &Facts {
        &self.fold.facts
    }

    pub fn actor(&self) -> &str {
        &self.options.actor
    }

    /// Says what is wrong with the file, if it is damaged, forked or cut: nothing that it shows as met is sure then.
    pub fn damage(&self) -> Option<String> {
        let cut = || {
            let first = self.report.cuts.first()?;
            Some(cut_words(&self.fold.writers, first))
        };
        damage_words(&self.report).or_else(cut)
    }

    /// Says why nothing can be written, if so.
    pub fn read_only(&self) -> Option<String> {
        self.why_read_only.clone().or_else(|| {
            self.journal
                .as_ref()
                .and_then(|journal| journal.poisoned().map(str::to_owned))
        })
    }

    /// Gives every writer's last line: name, number, and the first half of its hash. Nothing where it is not written here.
    pub fn heads(&self) -> Vec<Head> {
        let chains = self
            .journal
            .iter()
            .flat_map(|journal| journal.chains().iter());
        chains
            .map(|(writer, chain)| {
                let half = format!("{:032x}", chain.hash.short());
                (writer.to_string().into(), chain.seq, half.into())
            })
            .collect()
    }

    /// Tells whether the file has these lines, and so all that stood before them. No lines are no answer.
    pub fn holds(&self, heads: &[Head]) -> bool {
        let Some(journal) = &self.journal else {
            return false;
        };
        let held = heads.iter().all(|(writer, seq, half)| {
            let writer: Option<WriterId> = writer.parse().ok();
            let chain = writer.and_then(|writer| journal.chains().get(writer));
            let short = chain.and_then(|chain| chain.short(*seq));
            short.is_some_and(|short| format!("{short:032x}") == **half)
        });
        held && !heads.is_empty()
    }

    /// Reads back what [`Session::remember`] kept under a name, if it is at most `cap` bytes.
    pub fn recall(&self, name: &str, cap: u64) -> Option<Vec<u8>> {
        journal::recall(&self.options.state, self.report.session, name, cap)
    }

    /// Keeps something of this session on this device, outside the file: what may be lost.
    ///
    /// # Errors
    /// The state folder cannot be written.
    pub fn remember(&self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let session = self.report.session;
        journal::remember(&self.options.state, session, name, bytes)?;
        Ok(())
    }

    /// Reads the line of an event back.
    ///
    /// # Errors
    /// The file is gone or was changed behind this process.
    pub fn text(&self, entry: &Entry) -> std::io::Result<String> {
        self.text_at(entry.place)
    }

    fn text_at(&self, place: journal::Place) -> std::io::Result<String> {
        journal::reader::line_at(&*self.file, place)
    }

    /// Gives the `data` of an event back.
    ///
    /// # Errors
    /// As [`Session::text`].
    pub fn data(&self, entry: &Entry) -> std::io::Result<serde_json::Value> {
        self.data_at(entry.place)
    }

    /// Gives the `data` of the event at a place back.
    ///
    /// # Errors
    /// As [`Session::text`].
    pub fn data_at(&self, place: journal::Place) -> std::io::Result<serde_json::Value> {
        let text = self.text_at(place)?;
        let line = Line::parse(text.as_bytes())
            .map_err(|reason| std::io::Error::other(reason.to_string()))?;
        serde_json::from_str(line.data).map_err(std::io::Error::other)
    }

    /// Decides a batch, all or nothing: writes it, folds it, judges again. Returns what was decided.
    ///
    /// # Errors
    /// A refusal, a read-only session, or a disk that refuses: nothing counts then.
    pub fn decide(&mut self, actions: &[Action], now: Ts) -> Result<Decided, Error> {
        let drafts = decide(&self.fold, actions, &self.options.actor, now)?;
        let changed = self.append(&drafts, now)?;
        // What had to stand before them was written first.
        let from = self.fold.log.len().saturating_sub(drafts.len());
        let ids = self.fold.log.iter().skip(from).map(|entry| entry.id);
        let events = drafts.into_iter().zip(ids).filter_map(|(draft, id)| {
            Some(Written {
                id: self.fold.name(id)?,
                about: draft.about,
                label: name::label(&self.fold.facts, draft.about),
                event: draft.event,
            })
        });
        let events = events.collect();
        Ok(Decided { events, changed })
    }

    /// Tells whether a batch would be decided now; nothing is written.
    ///
    /// # Errors
    /// A refusal, as [`Session::decide`] would give it.
    pub fn try_decide(&self, actions: &[Action], now: Ts) -> Result<(), Refusal> {
        decide(&self.fold, actions, &self.options.actor, now).map(drop)
    }

    /// Records observations: one event for each answer that is news.
    ///
    /// A token listing is always news, since two of them prove that a token is gone. An answer that is the same again
    /// is no event, but it was looked at: it stays fresh. A scan that could not read everything takes nothing away that an
    /// earlier one saw.
    ///
    /// # Errors
    /// As [`Session::decide`].
    pub fn observe(
        &mut self,
        answers: Vec<(Subject, Observation)>,
        now: Ts,
    ) -> Result<Observed, Error> {
        let mut answers = token::join(&self.fold.facts, answers);
        for (about, observation) in &mut answers {
            if let Answer::Repo(fact) = &mut observation.answer {
                self.keep_unseen(*about, fact);
            }
        }
        let (known, news): (Vec<_>, Vec<_>) = answers
            .into_iter()
            .partition(|(about, observation)| self.known(*about, observation));
        for (about, observation) in known {
            if let Some(source) = observation.answer.live()
                && !matches!(observation.answer, Answer::CouldNot(_))
            {
                self.fold.looked_again(about, source, observation.as_of);
            }
        }
        let drafted: Vec<DraftEvent> = news
            .into_iter()
            .map(|(about, observation)| DraftEvent::plain(about, observation))
            .collect();
        let mut observed = Observed {
            written: drafted.len(),
            changed: Vec::new(),
        };
        for group in drafted.chunks(GROUP) {
            observed.changed.extend(self.append(group, now)?);
        }
        let again = self.fold.settle();
        if !again.subjects.is_empty() {
            let changed = self.board.update(&self.fold.facts, &again, now);
            observed.changed.extend(changed);
        }
        Ok(observed)
    }

    /// Adds what an earlier scan saw to one that has unread files: what they hold is not known to be gone.
    fn keep_unseen(&self, repo: Subject, new: &mut RepoFact) {
        let row = self.fold.facts.repos.get(&repo);
        let Some(old) = row.and_then(|row| row.scan.as_ref()) else {
            return;
        };
        if new.unread.is_empty() {
            return;
        }
        let unseen = |new: &[Subject], old: &[Subject]| {
            let gone = old.iter().filter(|one| !new.contains(one));
            gone.copied().collect::<Vec<_>>()
        };
        new.paths.extend(unseen(&new.paths, &old.value.paths));
        new.packages
            .extend(unseen(&new.packages, &old.value.packages));
    }

    fn known(&self, about: Subject, observation: &Observation) -> bool {
        let facts = &self.fold.facts;
        match &observation.answer {
            Answer::Repo(new) => facts
                .repos
                .get(&about)
                .and_then(|row| row.scan.as_ref())
                .is_some_and(|old| old.value == *new),
            Answer::Inventory(new) => facts
                .repos
                .get(&about)
                .and_then(|row| row.inventory.as_ref())
                .is_some_and(|old| old.value == *new),
            Answer::Path(new) => facts.path(about) == Some(new),
            Answer::Package(new) => facts
                .packages
                .get(&about)
                .and_then(|row| row.fact.as_ref())
                .is_some_and(|old| old.value == *new),
            Answer::Token(_) | Answer::Listing(_) => false,
            live => facts.seen.get(&about).is_some_and(|seen| seen.knows(live)),
        }
    }

    /// Adopts a policy for this session.
    ///
    /// # Errors
    /// As [`Session::decide`].
    pub fn adopt_policy(&mut self, policy: &Policy, now: Ts) -> Result<(), Error> {
        // Of the text as the line holds it.
        let digest = policy_digest(&in_ascii(policy)?).into();
        let policy = policy.clone();
        let adopted = AdoptedPolicy { digest, policy };
        self.append(&[DraftEvent::plain(Subject::SESSION, adopted)], now)?;
        Ok(())
    }

    /// Writes a seal over everything that the file holds. Gives how many events it covers.
    ///
    /// # Errors
    /// As [`Session::decide`].
    pub fn seal(&mut self, now: Ts) -> Result<u64, Error> {
        let part = journal::merge::Part::read(&self.path, &*self.file)?;
        let data: serde_json::Value = serde_json::from_str(&journal::seal::seal_data(&part)?)?;
        let events = data.get("events").and_then(serde_json::Value::as_u64);
        let sealed = Event::Sealed(Unread::from(data));
        self.append(&[DraftEvent::plain(Subject::SESSION, sealed)], now)?;
        Ok(events.unwrap_or_default())
    }

    /// Takes in the lines of another file of this session. Gives how many were new.
    ///
    /// # Errors
    /// The other file is of another session, damaged or forked, or it changes who may say what and that was not
    /// `accepted`; then nothing was taken.
    pub fn merge(&mut self, other: &Path, accepted: bool, now: Ts) -> Result<usize, Error> {
        let file = writer::open_for_reading(other)?;
        let part = journal::merge::Part::read(other, &file)?;
        if part.report.session != self.report.session {
            return Err(
                journal::Error::OtherSession(self.report.session, part.report.session).into(),
            );
        }
        let Some(journal) = self.journal.as_ref() else {
            return Err(self.cannot_write());
        };
        let lines = part.beyond(journal.chains())?;
        self.accept_claims(&lines, accepted)?;
        let Some(journal) = self.journal.as_mut() else {
            return Err(self.cannot_write());
        };
        let written = journal.absorb(&lines)?;
        let count = written.len();
        self.take(&written, now);
        self.keep_claims();
        Ok(count)
    }

    fn cannot_write(&self) -> Error {
        Error::ReadOnly(self.read_only().unwrap_or_else(|| AS_ASKED.to_owned()))
    }

    fn append(&mut self, drafted: &[DraftEvent], now: Ts) -> Result<Vec<Subject>, Error> {
        if let Some(why) = self.read_only() {
            return Err(Error::ReadOnly(why));
        }
        let key = |one: &DraftEvent| matches!(one.event, Event::PersonKeyAdopted(_));
        let rules = |one: &DraftEvent| key(one) || matches!(one.event, Event::PolicyAdopted(_));
        if self.signing.is_none() && self.fold.has_roster() && drafted.iter().any(rules) {
            return Err(Error::Unsigned);
        }
        // The first key of a roster vouches for itself.
        let first = |one: &DraftEvent| key(one) && !self.fold.has_roster();
        if (drafted.iter()).any(|one| one.event.spec().signed && !first(one)) {
            self.may_sign()?;
        }
        let mut all = self.preface()?;
        all.extend_from_slice(drafted);
        let at = now.to_string();
        let parts: Vec<(String, Vec<journal::EventId>, String)> = all
            .iter()
            .map(|one| {
                let over = one
                    .over
                    .iter()
                    .filter_map(|id| self.fold.name(*id))
                    .collect();
                Ok((one.about.to_string(), over, in_ascii(&one.event)?))
            })
            .collect::<Result<_, Error>>()?;
        let drafts: Vec<Draft<'_>> = all
            .iter()
            .zip(&parts)
            .map(|(one, (about, over, data))| Draft {
                at: &at,
                kind: one.event.kind(),
                about,
                crit: one.event.spec().crit,
                over,
                data,
            })
            .collect();
        let Some(journal) = self.journal.as_mut() else {
            return Err(self.cannot_write());
        };
        let written = match &self.signing {
            Some(signing) => signing.append(journal, &drafts)?,
            None => journal.append(&drafts)?,
        };
        self.said_heads = true;
        self.own_events += u64::try_from(written.len()).unwrap_or(0);
        let touched = self.take(&written, now);
        let names = |one: &DraftEvent| rules(one) || matches!(one.event, Event::WriterJoined(_));
        if all.iter().any(names) {
            self.keep_claims();
        }
        Ok(touched)
    }

    /// Gives what has to stand before the next own event: this writer's first line, and the heads known here.
    fn preface(&mut self) -> Result<Vec<DraftEvent>, Error> {
        let Some(journal) = self.journal.as_ref() else {
            return Ok(Vec::new());
        };
        let mut preface = Vec::new();
        if !journal.joined() {
            preface.push(DraftEvent::plain(Subject::SESSION, joined(&self.options)));
        }
        if !self.said_heads || self.own_events >= HEADS_EVERY {
            let heads: serde_json::Value = serde_json::from_str(&journal.chains().heads_data())?;
            let heads = Event::HeadsSeen(Unread::from(heads));
            preface.push(DraftEvent::plain(Subject::SESSION, heads));
            self.own_events = 0;
        }
        Ok(preface)
    }

    fn take(&mut self, written: &[writer::Written], now: Ts) -> Vec<Subject> {
        for one in written {
            if let Ok(line) = Line::parse(one.text.as_bytes()) {
                self.fold.add(Parsed::read(&line, one.place));
            }
        }
        let touched = self.fold.settle();
        self.board.update(&self.fold.facts, &touched, now)
    }

    /// Takes in that sources gave the same answers again. Gives the repositories whose rows changed.
    pub fn looked_again(
        &mut self,
        what: &[(Subject, LiveSource)],
        at: Ts,
        now: Ts,
    ) -> Vec<Subject> {
        for (about, source) in what {
            self.fold.looked_again(*about, *source, at);
        }
        let touched = self.fold.settle();
        if touched.subjects.is_empty() {
            return Vec::new();
        }
        self.board.update(&self.fold.facts, &touched, now)
    }

    /// Lets time pass: judges again what has run out. Gives the repositories whose rows changed.
    pub fn tick(&mut self, now: Ts) -> Vec<Subject> {
        if self.board.next_change().is_none_or(|at| at > now) {
            return Vec::new();
        }
        let touched = self.fold.settle();
        self.board.update(&self.fold.facts, &touched, now)
    }

    /// Gives the id of an event by its name in the file, `writer:seq`.
    pub fn event(&self, name: &str) -> Option<EventId> {
        let id: journal::EventId = name.parse().ok()?;
        self.fold
            .log
            .iter()
            .map(|entry| entry.id)
            .find(|known| self.fold.name(*known) == Some(id))
    }
}
