//! What the screen sees: an immutable picture of the session, in chunks that successive pictures share.
//!
//! Every text here has passed `safe::shown`: the console may draw it as it is. Times stay instants, since counting
//! down is the console's work.

use crate::model::clock::Clock;
use crate::model::decision::EventId;
use crate::model::event::World;
use crate::model::gate::{GateId, State};
use crate::model::id::Subject;
use crate::model::lane::Lanes;
use crate::model::outcome::EndCounts;
use crate::model::policy::Profile;
use crate::model::time::Ts;
use crate::session::judge::{Counts, WAVES};
use chrono::NaiveDate;
use std::collections::HashMap;
use std::sync::Arc;

/// Rows of one chunk.
pub const CHUNK: usize = 256;

/// A long list in chunks: a change makes one chunk anew and shares the others.
#[derive(Debug, Clone)]
pub struct Chunked<T> {
    chunks: Vec<Arc<Vec<T>>>,
    len: usize,
}

impl<T> Default for Chunked<T> {
    fn default() -> Self {
        Self {
            chunks: Vec::new(),
            len: 0,
        }
    }
}

impl<T> Chunked<T> {
    pub fn from_rows(rows: impl IntoIterator<Item = T>) -> Self {
        let mut chunked = Self::default();
        let mut chunk = Vec::with_capacity(CHUNK);
        for row in rows {
            chunk.push(row);
            if chunk.len() == CHUNK {
                chunked.len += CHUNK;
                chunked.chunks.push(Arc::new(std::mem::replace(
                    &mut chunk,
                    Vec::with_capacity(CHUNK),
                )));
            }
        }
        if !chunk.is_empty() {
            chunk.shrink_to_fit();
            chunked.len += chunk.len();
            chunked.chunks.push(Arc::new(chunk));
        }
        chunked
    }

    /// Takes chunks that were made apart, each but the last of [`CHUNK`] rows.
    pub(super) fn from_chunks(chunks: Vec<Arc<Vec<T>>>) -> Self {
        let len = chunks.iter().map(|chunk| chunk.len()).sum();
        Self { chunks, len }
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub fn get(&self, at: usize) -> Option<&T> {
        self.chunks.get(at / CHUNK)?.get(at % CHUNK)
    }

    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.chunks.iter().flat_map(|chunk| chunk.iter())
    }
}

impl<T: Clone> Chunked<T> {
    /// Replaces a row; only its chunk is made anew.
    pub fn set(&mut self, at: usize, row: T) {
        if let Some(chunk) = self.chunks.get_mut(at / CHUNK)
            && let Some(slot) = Arc::make_mut(chunk).get_mut(at % CHUNK)
        {
            *slot = row;
        }
    }

    /// Adds a row at the end; only the last chunk is made anew.
    pub fn push(&mut self, row: T) {
        match self.chunks.last_mut() {
            Some(last) if last.len() < CHUNK => Arc::make_mut(last).push(row),
            _ => self.chunks.push(Arc::new(vec![row])),
        }
        self.len += 1;
    }
}

/// The session as a whole.
#[derive(Debug, Clone)]
pub struct Header {
    /// Name of the session, else its file's.
    pub name: Box<str>,
    pub file: Box<str>,
    pub world: World,
    /// Host of the forge that the repositories live on.
    pub forge: Box<str>,
    pub profile: Profile,
    /// Login that decisions are written under.
    pub actor: Box<str>,
    /// Why nothing can be written, if so: asked for, damaged, or a failed write.
    pub read_only: Option<Box<str>>,
    /// What is wrong with the session file, if it is damaged, forked or cut.
    pub damage: Option<Box<str>>,
    /// First possible day of npm's January cut-off; the day itself is not announced.
    pub cutoff_earliest: NaiveDate,
    pub repos: usize,
    pub paths: usize,
    /// Paths by end state.
    pub ends: EndCounts<usize>,
    pub blocked: usize,
    /// Tokens not yet gone.
    pub exposed: usize,
    pub tokens: usize,
    /// Accounts whose token list is still owed.
    pub owed: usize,
    /// Repositories with a decision that waits for somebody to decide between two.
    pub contested: usize,
    /// Repositories that the actor owns or reviews.
    pub mine: usize,
    /// What ends first, and whose it is.
    pub soonest: Option<(Clock, Box<str>)>,
    /// Logins of everybody that the session knows.
    pub people: Vec<Box<str>>,
    /// Gates of the session itself and of its people.
    pub session_gates: Counts,
    /// Things to say once, such as a torn tail that was set aside, or a file cut at the end.
    pub notices: Vec<Box<str>>,
}

/// One repository of the board.
#[derive(Debug, Clone)]
pub struct Row {
    pub id: Subject,
    pub name: Box<str>,
    pub owner: Option<Box<str>>,
    pub reviewer: Option<Box<str>>,
    pub lanes: Lanes,
    pub lane_missing: bool,
    pub waves: [Counts; WAVES],
    /// First wave with an open gate; 7 where none is.
    pub wave: u8,
    pub ends: EndCounts,
    pub clock: Option<Clock>,
    pub blocked: bool,
    /// Two decisions about it or a subject of it replace the same one, and nobody has decided between them.
    pub contested: bool,
    pub paths: u16,
    pub packages: u16,
    /// The first gate that is not met and what to do about it.
    pub next: Option<(GateId, State, Box<str>)>,
    /// What has to be done elsewhere before its next step may be named.
    pub waits: Option<Box<str>>,
    /// Everything that a free word of a filter is looked for in, in lower case.
    pub haystack: Box<str>,
}

impl Row {
    /// Gives the word of the lane column.
    pub fn lane_word(&self) -> &'static str {
        let mut lanes = self.lanes.iter();
        match (lanes.next(), lanes.next(), self.lane_missing) {
            (None, ..) => "",
            (Some(lane), None, false) => lane.word(),
            _ => "mixed",
        }
    }

    /// Tells whether this person owns or reviews the repository.
    pub fn is_of(&self, person: &str) -> bool {
        [&self.owner, &self.reviewer]
            .into_iter()
            .flatten()
            .any(|one| one.eq_ignore_ascii_case(person))
    }
}

/// One token of the tokens screen.
#[derive(Debug, Clone)]
pub struct TokenRow {
    pub id: Subject,
    pub account: Box<str>,
    pub name: Box<str>,
    pub created: Option<Ts>,
    pub expires: Option<Ts>,
    pub last_used: Option<Ts>,
    pub readonly: Option<bool>,
    pub bypass_2fa: Option<bool>,
    /// When the list that shows it was made.
    pub as_of: Ts,
    /// That the last list of its account lacks it, in words.
    pub absent: Option<Box<str>>,
    pub secrets: u16,
    pub released: u32,
    pub holds: u32,
    /// What `chain-complete` says, in words.
    pub chain: (State, Box<str>),
    /// What `tokens-revoked` says, in words.
    pub gone: (State, Box<str>),
    pub clock: Option<Clock>,
    pub haystack: Box<str>,
}

/// One event of the log screen. Its text is in [`Snapshot::log_text`] once it was asked for.
#[derive(Debug, Clone)]
pub struct LogRow {
    pub id: EventId,
    pub at: Ts,
    pub kind: &'static str,
    pub by: Arc<str>,
    pub about: Option<Subject>,
    /// Signed, and the signature checked against the roster.
    pub signed: bool,
}

/// What a log row that is on screen says: read back from the file.
#[derive(Debug, Clone)]
pub struct LogText {
    /// Name of the subject.
    pub label: String,
    /// The event's data in words.
    pub text: String,
}

/// One line of a page.
#[derive(Debug, Clone, Default)]
pub struct PageLine {
    /// What an action on this line is about.
    pub about: Option<Subject>,
    pub gate: Option<GateId>,
    pub state: Option<State>,
    pub text: String,
    /// Why, where, or who: drawn behind the text, weaker.
    pub detail: String,
    /// How to meet an open gate: commands with this subject's names, then the documentation.
    pub how: Vec<String>,
}

/// A titled part of a page.
#[derive(Debug, Clone, Default)]
pub struct Section {
    pub title: String,
    pub lines: Vec<PageLine>,
}

/// Everything about one subject: a repository's one-page template, a token's chain, or the session and its people.
#[derive(Debug, Clone)]
pub struct Page {
    pub about: Subject,
    /// The page of powers and gaps, which is about the session too.
    pub powers: bool,
    pub title: String,
    pub sections: Vec<Section>,
}

/// What the screen wants more about than the lists hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Focus {
    /// Powers and gaps, instead of the session's own page.
    pub powers: bool,
    /// A repository, a token, or the session.
    pub page: Option<Subject>,
    /// Rows of the log whose text is shown, from and to (exclusive). Asking for none of them asks for the list.
    pub log: Option<(usize, usize)>,
    /// The list of packages.
    pub packages: bool,
    /// A run whose log is followed.
    pub run: Option<(Subject, u64)>,
}

/// One picture of the session.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Rises with every picture.
    pub revision: u64,
    /// Rises when rows of the board change.
    pub rows_revision: u64,
    pub header: Header,
    /// By name.
    pub rows: Chunked<Row>,
    /// By end, soonest first.
    pub tokens: Arc<Vec<TokenRow>>,
    /// Oldest first; none until it was asked for, with [`Focus::log`].
    pub log: Option<Chunked<LogRow>>,
    pub log_text: Arc<HashMap<EventId, LogText>>,
    pub focus: Focus,
    pub page: Option<Arc<Page>>,
    /// Phase A and C picks: chosen, else proposed with the reason.
    pub cohorts: Arc<Cohorts>,
    /// The outside world.
    pub live: Arc<super::live::Live>,
}

/// The two samples.
#[derive(Debug, Clone, Default)]
pub struct Cohorts {
    pub representatives: Cohort,
    pub canaries: Cohort,
}

/// Chosen repositories, or proposed ones.
#[derive(Debug, Clone, Default)]
pub struct Cohort {
    pub chosen: bool,
    /// Repository, name, reason.
    pub picks: Vec<(Subject, Box<str>, Box<str>)>,
}
