//! The one thread that owns the session: takes commands, lets time pass, sends pictures.
//!
//! Nothing is polled: it sleeps until a command comes or the next verdict can change by itself.

use super::clocks::Now;
use super::live::{FactorState, Live, OpenWindow, Tail, TwoFactorProgress};
use super::observe::{Links, Report, Targets, TrustReadRequest, UNLISTED, Wanted};
use super::picture::live::OpenRuns;
use super::picture::{self, Names};
use super::snapshot::{Chunked, Focus, LogRow, LogText, Page, Row, Snapshot, TokenRow};
use super::{Command, Refused, page, powers};
use crate::model::decision::EventId;
use crate::model::event::Observation;
use crate::model::id::{Subject, SubjectMap};
use crate::safe::shown::{visible, visible_within};
use crate::session::decide::{Action, Decided};
use crate::session::name::label;
use crate::session::{Error, Session};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

/// Longest sleep: wall clocks can be set, so waiting is never longer than this.
const NAP: Duration = Duration::from_secs(30);
/// Reports are taken in groups at most this far apart: one append, one picture.
const GATHER: Duration = Duration::from_millis(50);
/// Reports of one group.
const GROUP: usize = 1_000;
/// Characters of an event's text that the log shows.
const LOG_TEXT: usize = 400;

/// The session and the last picture of it.
pub(super) struct Owner {
    session: Session,
    now: Now,
    revision: u64,
    rows_revision: u64,
    rows: Chunked<Row>,
    at: SubjectMap<usize>,
    tokens: Arc<Vec<TokenRow>>,
    /// Made when the log is first looked at: most sessions are opened for the board.
    log: Option<Chunked<LogRow>>,
    names: Names,
    focus: Focus,
    cohorts: Arc<super::snapshot::Cohorts>,
    /// None where this program was started without a network.
    targets: Option<watch::Sender<Arc<Targets>>>,
    links: Links,
    open_runs: OpenRuns,
    tail: Option<Arc<Tail>>,
    /// Readings with a second factor that were ordered.
    orders: u64,
    order: Option<Arc<TrustReadRequest>>,
    factor: Option<Arc<TwoFactorProgress>>,
    windows: Vec<OpenWindow>,
    hosts: Vec<Box<str>>,
    /// What each observer wants said.
    notes: BTreeMap<&'static str, Vec<Box<str>>>,
    live: Arc<Live>,
    /// Pictures that somebody may still look at: freeing a large one takes longer than a frame, so it is done here and
    /// never by whoever draws.
    given: Vec<Arc<Snapshot>>,
    /// Something that was seen could not be written: the cache may not count it as known.
    unwritten: bool,
    /// The list of packages is made anew when it is looked at: most sessions are opened for the board.
    packages_old: bool,
}

impl Owner {
    pub(super) fn new(
        session: Session,
        now: Now,
        targets: Option<watch::Sender<Arc<Targets>>>,
    ) -> Self {
        let mut owner = Self {
            now,
            revision: 0,
            rows_revision: 0,
            rows: Chunked::default(),
            at: SubjectMap::default(),
            tokens: Arc::default(),
            log: None,
            names: Names::default(),
            focus: Focus::default(),
            cohorts: Arc::default(),
            targets,
            links: Links::default(),
            open_runs: OpenRuns::default(),
            tail: None,
            orders: 0,
            order: None,
            factor: None,
            windows: Vec::new(),
            hosts: Vec::new(),
            notes: BTreeMap::new(),
            live: Arc::default(),
            given: Vec::new(),
            packages_old: true,
            unwritten: false,
            session,
        };
        owner.redraw_all();
        owner.aim();
        owner
    }

    fn redraw_all(&mut self) {
        self.rows = picture::rows(&self.session);
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
        self.redraw_live(true);
    }

    /// Makes the picture of the outside world anew; its rows only where facts or runs changed.
    fn redraw_live(&mut self, rows: bool) {
        let facts = self.session.facts();
        let warnings: Vec<Box<str>> = self
            .links
            .warning
            .iter()
            .chain(self.notes.get(UNLISTED).into_iter().flatten())
            .cloned()
            .collect();
        let others = self.notes.iter().filter(|(from, _)| **from != UNLISTED);
        let mut live = Live {
            warnings: warnings.len(),
            links: self.links.links.clone(),
            budgets: self.links.budgets.clone(),
            waiting: self.links.waiting,
            held: self.links.held,
            runs: Arc::clone(&self.live.runs),
            sparks: Arc::clone(&self.live.sparks),
            failing: Arc::clone(&self.live.failing),
            running: self.live.running,
            packages: self.live.packages.clone(),
            tail: self.tail.clone(),
            factor: self.factor.clone(),
            windows: self.windows.clone(),
            notes: warnings
                .iter()
                .chain(others.flat_map(|(_, notes)| notes))
                .cloned()
                .collect(),
        };
        if rows {
            let runs = picture::live::runs(facts, &self.open_runs);
            live.sparks = Arc::new(picture::live::sparks(&runs));
            live.failing = Arc::new(picture::live::failing(&runs));
            live.running = picture::live::running(&runs);
            live.runs = Arc::new(runs);
        }
        self.packages_old |= rows;
        if self.packages_old && self.focus.packages {
            let packages = picture::live::packages(facts, (self.now)());
            live.packages = Some(Arc::new(packages));
            self.packages_old = false;
        }
        self.live = Arc::new(live);
    }

    /// Tells the observers what there is to look at.
    fn aim(&self) {
        let Some(out) = &self.targets else {
            return;
        };
        let mut targets = Targets::of(self.session.facts());
        targets.seen = self.focus.page;
        targets.listed = self.focus.packages;
        targets.follow = self.focus.run;
        targets.order.clone_from(&self.order);
        targets.hosts.clone_from(&self.hosts);
        out.send_if_modified(|old| {
            let news = **old != targets;
            if news {
                *old = Arc::new(targets);
            }
            news
        });
    }

    /// Has the trust configs of packages read, which costs a second factor; an earlier reading ends.
    fn read_trust(&mut self, packages: &[Subject]) {
        let facts = self.session.facts();
        let wanted = |id: &Subject| {
            let row = facts.packages.get(id).filter(|row| !row.name.is_empty())?;
            let seen = facts.seen.get(id);
            let access = seen.and_then(|seen| seen.access());
            let writers = access.into_iter().flat_map(|(fact, _)| fact.writers());
            Some(Wanted {
                id: *id,
                name: row.name.clone(),
                before: seen
                    .and_then(|seen| seen.trust())
                    .map(|(fact, _)| fact.clone()),
                writers: writers.map(Into::into).collect(),
            })
        };
        let packages: Vec<Wanted> = packages.iter().filter_map(wanted).collect();
        self.orders += 1;
        self.factor = Some(Arc::new(TwoFactorProgress::of(packages.len())));
        self.order = Some(Arc::new(TrustReadRequest {
            number: self.orders,
            packages,
        }));
    }

    fn stop_reading(&mut self) {
        self.order = None;
        self.orders += 1;
        if let Some(factor) = &mut self.factor {
            Arc::make_mut(factor).state =
                FactorState::Ended("stopped: what was read stands".into());
        }
    }

    /// Takes a group of reports in: one append, one judging, one picture.
    fn take(&mut self, reports: Vec<Report>) {
        let (mut answers, mut rows, mut remember) = (Vec::new(), false, None);
        let mut changed: Vec<Subject> = Vec::new();
        for report in reports {
            match report {
                Report::Answers(more) => answers.extend(more),
                Report::Checked(what, at) => {
                    let now = (self.now)();
                    changed.extend(self.session.looked_again(&what, at, now));
                }
                Report::Open(open) => {
                    rows = true;
                    for (repo, runs) in open {
                        if runs.is_empty() {
                            self.open_runs.remove(&repo);
                        } else {
                            self.open_runs.insert(repo, runs);
                        }
                    }
                }
                Report::Links(links) => self.links = links,
                Report::Step(repo, run) => {
                    rows = true;
                    let open = self.open_runs.entry(repo).or_default();
                    open.retain(|old| old.run.id != run.run.id);
                    open.push(*run);
                }
                Report::Tail(tail) => self.tail = Some(Arc::new(tail)),
                // What a reading still had to say when it was stopped comes too late.
                Report::Factor(number, factor, windows) if number == self.orders => {
                    self.factor = Some(Arc::new(*factor));
                    self.windows = windows;
                }
                Report::Factor(..) => {}
                Report::Notes(from, notes) => {
                    self.notes.insert(from, notes);
                }
                Report::Remember(cache) => remember = Some(cache),
            }
        }
        let news = self.write(answers, &mut changed);
        // Only now does the file have what the cache counts as known.
        if let Some(cache) = remember.filter(|_| !self.unwritten) {
            cache.write(&self.session);
        }
        // Reports may come faster than the nap between them ends.
        changed.extend(self.session.tick((self.now)()));
        if news || !changed.is_empty() {
            self.redraw(&changed);
            self.aim();
        } else {
            self.redraw_live(rows);
        }
    }

    /// Writes what is news among answers; tells whether anything was.
    fn write(&mut self, answers: Vec<(Subject, Observation)>, changed: &mut Vec<Subject>) -> bool {
        if answers.is_empty() {
            return false;
        }
        match self.session.observe(answers, (self.now)()) {
            Ok(observed) => {
                changed.extend(observed.changed);
                observed.written > 0
            }
            Err(error) => {
                tracing::warn!("observations were not written: {error}");
                self.unwritten = true;
                false
            }
        }
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
        if let Some(log) = &mut self.log {
            for entry in self.session.log().iter().skip(log.len()) {
                log.push(picture::log_row(&self.session, entry, &mut self.names));
            }
        }
    }

    pub(super) fn snapshot(&mut self) -> Arc<Snapshot> {
        self.revision += 1;
        if self.focus.log.is_some() && self.log.is_none() {
            self.log = Some(picture::log(&self.session, &mut self.names));
        }
        let now = (self.now)();
        let page = self.focus.page.map(|about| -> Arc<Page> {
            Arc::new(if self.focus.powers {
                powers::page(self.session.facts(), now)
            } else {
                page::page(&self.session, about, now)
            })
        });
        let picture = Arc::new(Snapshot {
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
            live: Arc::clone(&self.live),
        });
        self.given.retain(|old| Arc::strong_count(old) > 1);
        self.given.push(Arc::clone(&picture));
        picture
    }

    /// Reads back the text of the log rows that are shown.
    fn log_text(&self) -> HashMap<EventId, LogText> {
        let Some((from, to)) = self.focus.log else {
            return HashMap::new();
        };
        let entries = self
            .session
            .log()
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

    fn decide(&mut self, actions: &[Action]) -> Result<Decided, Refused> {
        match self.session.decide(actions, (self.now)()) {
            Ok(decided) => {
                self.redraw(&decided.changed);
                Ok(decided)
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

    /// Serves commands until told to stop or nobody is left to send any; then gives the session back.
    pub(super) async fn run(
        mut self,
        mut commands: mpsc::Receiver<Command>,
        mut reports: Option<mpsc::Receiver<Report>>,
        pictures: watch::Sender<Arc<Snapshot>>,
    ) -> Session {
        let changed = self.session.check_pending((self.now)());
        if !changed.is_empty() || !self.session.notices().is_empty() {
            self.redraw(&changed);
            pictures.send_replace(self.snapshot());
        }
        let mut quiet = Instant::now();
        loop {
            let command = tokio::select! {
                biased;
                command = commands.recv() => command,
                group = gather(&mut reports, quiet) => {
                    self.take(group);
                    pictures.send_replace(self.snapshot());
                    quiet = Instant::now() + GATHER;
                    continue;
                }
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
                None | Some(Command::Stop) => {
                    // What observers have seen is written, even if it came last.
                    while let Some(report) = reports.as_mut().and_then(|open| open.try_recv().ok())
                    {
                        self.take(vec![report]);
                    }
                    return self.session;
                }
                Some(Command::Decide { actions, answer }) => {
                    let result = self.decide(&actions);
                    // Pictures go out first: who waits for the answer then sees what it did.
                    pictures.send_replace(self.snapshot());
                    let _ = answer.send(result);
                }
                Some(Command::ReadTrust(packages)) => {
                    self.read_trust(&packages);
                    self.show(&pictures);
                }
                Some(Command::StopReading) => {
                    self.stop_reading();
                    self.show(&pictures);
                }
                Some(Command::AcceptHost(host)) => {
                    self.hosts.push(host);
                    self.show(&pictures);
                }
                Some(Command::Focus(focus)) => {
                    if self.focus != focus {
                        self.focus = focus;
                        self.show(&pictures);
                    }
                }
            }
        }
    }

    /// Tells the observers what has changed for them, and sends a picture.
    fn show(&mut self, pictures: &watch::Sender<Arc<Snapshot>>) {
        self.aim();
        self.redraw_live(false);
        pictures.send_replace(self.snapshot());
    }

    fn nap(&self) -> Duration {
        let due = self
            .session
            .board()
            .next_change()
            .map(|at| at.0 - (self.now)().0);
        due.and_then(|seconds| u64::try_from(seconds).ok())
            .map_or(NAP, |seconds| Duration::from_secs(seconds.max(1)).min(NAP))
    }
}

/// Waits until the last picture is old enough, then for reports, and takes all that are there. Without observers
/// it waits for ever.
async fn gather(reports: &mut Option<mpsc::Receiver<Report>>, quiet: Instant) -> Vec<Report> {
    let Some(open) = reports else {
        return std::future::pending().await;
    };
    tokio::time::sleep_until(quiet).await;
    let Some(first) = open.recv().await else {
        // The observers have ended: what they last said stands.
        *reports = None;
        return Vec::new();
    };
    let mut group = vec![first];
    while group.len() < GROUP
        && let Ok(more) = open.try_recv()
    {
        group.push(more);
    }
    group
}
