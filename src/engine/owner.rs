//! The one thread that owns the session: takes commands, lets time pass, sends pictures.
//!
//! Nothing is polled: it sleeps until a command comes or the next verdict can change by itself.

use super::picture::{self, Names};
use super::snapshot::{Chunked, Focus, LogRow, LogText, Page, Row, Snapshot, TokenRow};
use super::{Command, Refused, page};
use crate::model::decision::EventId;
use crate::model::id::Subject;
use crate::model::time::Ts;
use crate::safe::shown::{visible, visible_within};
use crate::session::decide::Action;
use crate::session::name::label;
use crate::session::{Error, Session};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// Longest sleep: wall clocks can be set, so waiting is never longer than this.
const NAP: Duration = Duration::from_secs(30);
/// Characters of an event's text that the log shows.
const LOG_TEXT: usize = 400;

/// Tells the time. An input, so that tests and other worlds can have their own.
pub type Now = Arc<dyn Fn() -> Ts + Send + Sync>;

/// The session and the last picture of it.
pub(super) struct Owner {
    session: Session,
    now: Now,
    revision: u64,
    rows_revision: u64,
    rows: Chunked<Row>,
    at: HashMap<Subject, usize>,
    tokens: Arc<Vec<TokenRow>>,
    log: Chunked<LogRow>,
    names: Names,
    focus: Focus,
    cohorts: Arc<super::snapshot::Cohorts>,
}

impl Owner {
    pub(super) fn new(session: Session, now: Now) -> Self {
        let mut owner = Self {
            now,
            revision: 0,
            rows_revision: 0,
            rows: Chunked::default(),
            at: HashMap::new(),
            tokens: Arc::default(),
            log: picture::log(&session),
            names: Names::default(),
            focus: Focus::default(),
            cohorts: Arc::default(),
            session,
        };
        owner.redraw_all();
        owner
    }

    fn redraw_all(&mut self) {
        self.rows = Chunked::from_rows(picture::rows(&self.session));
        self.at = self
            .rows
            .iter()
            .enumerate()
            .map(|(at, row)| (row.id, at))
            .collect();
        self.redraw_rest();
    }

    fn redraw_rest(&mut self) {
        self.rows_revision += 1;
        self.tokens = Arc::new(picture::tokens(&self.session, (self.now)()));
        self.cohorts = Arc::new(picture::cohorts(&self.session));
    }

    /// Makes the changed rows anew, and the log's new ones.
    fn redraw(&mut self, changed: &[Subject]) {
        if changed.iter().any(|repo| !self.at.contains_key(repo)) {
            self.redraw_all();
        } else {
            for repo in changed {
                if let Some(at) = self.at.get(repo) {
                    self.rows.set(*at, picture::row(&self.session, *repo));
                }
            }
            self.redraw_rest();
        }
        for entry in self.session.fold.log.iter().skip(self.log.len()) {
            self.log
                .push(picture::log_row(&self.session, entry, &mut self.names));
        }
    }

    pub(super) fn snapshot(&mut self) -> Arc<Snapshot> {
        self.revision += 1;
        let page = self
            .focus
            .page
            .map(|about| -> Arc<Page> { Arc::new(page::page(&self.session, about, (self.now)())) });
        Arc::new(Snapshot {
            revision: self.revision,
            rows_revision: self.rows_revision,
            header: picture::header(&self.session, &self.rows, &self.tokens),
            rows: self.rows.clone(),
            tokens: Arc::clone(&self.tokens),
            log: self.log.clone(),
            log_text: Arc::new(self.log_text()),
            focus: self.focus.clone(),
            page,
            cohorts: Arc::clone(&self.cohorts),
        })
    }

    /// Reads back the text of the log rows that are shown.
    fn log_text(&self) -> HashMap<EventId, LogText> {
        let Some((from, to)) = self.focus.log else {
            return HashMap::new();
        };
        let entries = self
            .session
            .fold
            .log
            .iter()
            .skip(from)
            .take(to.saturating_sub(from).min(1_000));
        entries
            .map(|entry| {
                let text = self.session.data(entry).map_or_else(
                    |error| format!("cannot be read back: {error}"),
                    |data| page::data_words(&data),
                );
                let label = entry.about.map_or_else(
                    || "(newer subject)".into(),
                    |about| label(self.session.facts(), about),
                );
                (
                    entry.id,
                    LogText {
                        label,
                        text: visible_within(&text, LOG_TEXT).into_owned(),
                    },
                )
            })
            .collect()
    }

    fn decide(&mut self, action: &Action) -> Result<String, Refused> {
        let before = self.session.fold.log.len();
        match self.session.decide(action, (self.now)()) {
            Ok(changed) => {
                self.redraw(&changed);
                let written: Vec<&str> = self
                    .session
                    .fold
                    .log
                    .iter()
                    .skip(before)
                    .map(|entry| entry.kind_word())
                    .filter(|kind| !matches!(*kind, "heads_seen" | "writer_joined"))
                    .collect();
                Ok(match written.as_slice() {
                    [one] => format!("written: {}", one.replace('_', " ")),
                    many => format!("written: {} events", many.len()),
                })
            }
            Err(Error::Refused(refusal)) => Err(Refused {
                what: visible(&refusal.what).into_owned(),
                hint: refusal.hint,
            }),
            Err(error) => Err(Refused {
                what: visible(&error.to_string()).into_owned(),
                hint: Some("nothing was written".into()),
            }),
        }
    }

    /// Serves commands until told to stop or nobody is left to send any.
    pub(super) async fn run(
        mut self,
        mut commands: mpsc::Receiver<Command>,
        pictures: watch::Sender<Arc<Snapshot>>,
    ) {
        let changed = self.session.check_pending((self.now)());
        if !changed.is_empty() || !self.session.notices.is_empty() {
            self.redraw(&changed);
            pictures.send_replace(self.snapshot());
        }
        loop {
            let command = tokio::select! {
                biased;
                command = commands.recv() => command,
                () = tokio::time::sleep(self.nap()) => {
                    let changed = self.session.tick((self.now)());
                    if !changed.is_empty() {
                        self.redraw(&changed);
                        pictures.send_replace(self.snapshot());
                    }
                    continue;
                }
            };
            match command {
                None | Some(Command::Stop) => return,
                Some(Command::Decide { action, answer }) => {
                    let result = self.decide(&action);
                    // Pictures go out first: who waits for the answer then sees what it did.
                    pictures.send_replace(self.snapshot());
                    let _ = answer.send(result);
                }
                Some(Command::Focus(focus)) => {
                    if self.focus != focus {
                        self.focus = focus;
                        pictures.send_replace(self.snapshot());
                    }
                }
            }
        }
    }

    fn nap(&self) -> Duration {
        let due = self
            .session
            .board
            .next_change()
            .map(|at| at.0 - (self.now)().0);
        due.and_then(|seconds| u64::try_from(seconds).ok())
            .map_or(NAP, |seconds| Duration::from_secs(seconds.max(1)).min(NAP))
    }
}
