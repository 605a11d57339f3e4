//! The board: every gate of every subject, counted per wave, judged again only where facts changed or time did.
//!
//! What hangs on one repository alone is judged with its row and only counted there; what several share is judged once
//! and kept. Full and incremental judging give the same board; a property test holds that. The model has no timer: a
//! heap says when the next verdict can change by itself.

use super::fold::Touched;
use crate::model::clock::{Clock, clocks};
use crate::model::facts::Facts;
use crate::model::gate::{GateId, State, View, Way, judge};
use crate::model::id::{Kind, Subject, SubjectMap};
use crate::model::lane::Lanes;
use crate::model::outcome::{
    EndState, end_state_with, is_published, paths_of, subjects_of, subjects_with,
};
use crate::model::time::Ts;
use rayon::prelude::*;
use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

/// Waves 0 to 5, and after-care.
pub const WAVES: usize = 7;

/// How the gates of one wave stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    pub passed: u16,
    pub attested: u16,
    pub waived: u16,
    pub blocked: u16,
    pub could_not: u16,
    pub not_looked: u16,
}

impl Counts {
    pub fn join(&mut self, other: Self) {
        self.passed = self.passed.saturating_add(other.passed);
        self.attested = self.attested.saturating_add(other.attested);
        self.waived = self.waived.saturating_add(other.waived);
        self.blocked = self.blocked.saturating_add(other.blocked);
        self.could_not = self.could_not.saturating_add(other.could_not);
        self.not_looked = self.not_looked.saturating_add(other.not_looked);
    }

    /// Gates that hold nothing up any more.
    pub fn met(&self) -> u16 {
        self.passed
            .saturating_add(self.attested)
            .saturating_add(self.waived)
    }

    /// All gates that apply.
    pub fn total(&self) -> u16 {
        self.met()
            .saturating_add(self.blocked)
            .saturating_add(self.could_not)
            .saturating_add(self.not_looked)
    }

    /// Gives the worst verdict in one word, or none where no gate applies.
    pub fn worst(&self) -> Option<State> {
        [
            (self.blocked, State::Blocked),
            (self.could_not, State::CouldNotLook),
            (self.not_looked, State::NotLooked),
            (self.waived, State::Waived),
            (self.attested, State::Attested),
            (self.passed, State::Passed),
        ]
        .into_iter()
        .find_map(|(count, state)| (count > 0).then_some(state))
    }
}

/// How the gates of one subject stand in one wave: never more than 255, and there are 100,000 subjects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Few([u8; 6]);

impl Few {
    fn add(&mut self, state: State) {
        let [passed, attested, waived, blocked, could_not, not_looked] = &mut self.0;
        let slot = match state {
            State::Passed => passed,
            State::Attested => attested,
            State::Waived => waived,
            State::Blocked => blocked,
            State::CouldNotLook => could_not,
            State::NotLooked => not_looked,
            State::NotApplicable => return,
        };
        *slot = slot.saturating_add(1);
    }

    /// Gives the counts.
    pub fn counts(self) -> Counts {
        let [passed, attested, waived, blocked, could_not, not_looked] = self.0.map(u16::from);
        Counts {
            passed,
            attested,
            waived,
            blocked,
            could_not,
            not_looked,
        }
    }
}

/// A gate that is not met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Open {
    /// Nothing here can look at it: what can be worked on comes first.
    pub out_of_sight: bool,
    pub gate: GateId,
    pub about: Subject,
    pub state: State,
}

/// All gates of one subject, counted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    pub waves: [Few; WAVES],
    /// Gates that are met, by [`GateId::bit`].
    met: u128,
    /// The first gate that is not met: those that can be worked on before the others, then in the order of the table.
    pub open: Option<Open>,
    /// The soonest clock of this subject.
    clock: Option<Clock>,
    /// Two decisions about it replace the same one, and nobody has decided between them.
    contested: bool,
    pub until: Option<Ts>,
}

/// One row of the board.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RepoBoard {
    pub waves: [Counts; WAVES],
    pub open: Option<Open>,
    pub lanes: Lanes,
    /// A path of it has no lane yet.
    pub lane_missing: bool,
    /// Counted by [`EndState::ALL`].
    pub ends: [u16; EndState::ALL.len()],
    pub paths: u16,
    pub clock: Option<Clock>,
    /// A decision about it or a subject of it waits for somebody to decide between two.
    pub contested: bool,
    until: Option<Ts>,
}

impl RepoBoard {
    fn add(&mut self, tally: &Tally) {
        // A subject has gates in a few waves only.
        let waves = self.waves.iter_mut().zip(tally.waves);
        for (sum, part) in waves.filter(|(_, part)| *part != Few::default()) {
            sum.join(part.counts());
        }
        self.open = [self.open, tally.open].into_iter().flatten().min();
        self.clock = [self.clock, tally.clock].into_iter().flatten().min();
        self.contested |= tally.contested;
    }

    /// Tells whether something is in the way of the next step. What a later wave will have to mend is not yet in it.
    pub fn is_blocked(&self) -> bool {
        self.waves
            .iter()
            .take(self.ahead() + 1)
            .any(|wave| wave.blocked > 0)
    }

    /// Gives the wave of the next step.
    pub fn ahead(&self) -> usize {
        self.open
            .map_or(WAVES, |open| usize::from(open.gate.spec().wave))
    }

    /// Gives the first wave that still has an open gate.
    pub fn wave(&self) -> usize {
        self.waves
            .iter()
            .position(|wave| wave.met() < wave.total())
            .unwrap_or(WAVES)
    }
}

/// Everything judged.
#[derive(Debug, Clone, Default)]
pub struct Board {
    shared: SubjectMap<Tally>,
    repos: SubjectMap<Box<RepoBoard>>,
    wake: BinaryHeap<Reverse<(Ts, Subject)>>,
    /// The soonest instant of each subject in the heap: facts that are looked at every few minutes would fill it.
    waking: SubjectMap<Ts>,
}

impl Board {
    /// Judges everything.
    pub fn full(facts: &Facts, now: Ts) -> Self {
        let mut board = Self::default();
        let touched = Touched {
            subjects: BTreeSet::new(),
            all: true,
        };
        board.update(facts, &touched, now);
        board
    }

    pub fn repo(&self, repo: Subject) -> Option<&RepoBoard> {
        self.repos.get(&repo).map(AsRef::as_ref)
    }

    pub fn repos(&self) -> impl Iterator<Item = (Subject, &RepoBoard)> {
        self.repos.iter().map(|(id, board)| (*id, board.as_ref()))
    }

    /// Gives the gates of what no single repository owns: a secret, a token, a person, the session, a package of several.
    pub fn tally(&self, subject: Subject) -> Option<&Tally> {
        self.shared.get(&subject)
    }

    /// Gives the first instant when a verdict can change without a new fact.
    pub fn next_change(&self) -> Option<Ts> {
        self.wake.peek().map(|Reverse((at, _))| *at)
    }

    /// Judges again what was touched and what time has run out for. Gives the repositories whose rows changed.
    pub fn update(&mut self, facts: &Facts, touched: &Touched, now: Ts) -> Vec<Subject> {
        let repos: Vec<Subject> = if touched.all {
            *self = Self::default();
            self.judge_shared(facts, &every_shared(facts), now);
            self.repos.reserve(facts.repos.len());
            facts.repos.keys().copied().collect()
        } else {
            let mut due: BTreeSet<Subject> = touched.subjects.clone();
            while let Some(Reverse((at, subject))) = self.wake.peek().copied() {
                if at > now {
                    break;
                }
                self.wake.pop();
                // One that an earlier instant replaced was judged then.
                if self.waking.get(&subject) == Some(&at) {
                    self.waking.remove(&subject);
                    due.insert(subject);
                }
            }
            let (shared, own): (Vec<Subject>, Vec<Subject>) = spread(facts, &due)
                .into_iter()
                .partition(|subject| is_shared(facts, *subject));
            // A package that one repository is left with is its own again.
            own.iter().for_each(|subject| {
                self.shared.remove(subject);
            });
            // A shared subject that was touched may hang on its repositories differently, though its gates stand as before.
            let mut moved = self.judge_shared(facts, &shared, now);
            moved.extend(shared.iter().filter(|subject| due.contains(subject)));
            let linked: BTreeSet<Subject> = own
                .iter()
                .chain(&moved)
                .flat_map(|subject| repos_of(facts, *subject))
                .collect();
            linked.into_iter().collect()
        };
        let shared = &self.shared;
        let rows: Vec<(Subject, Box<RepoBoard>)> = repos
            .par_iter()
            .with_min_len(32)
            .map(|repo| (*repo, Box::new(row(facts, shared, *repo, now))))
            .collect();
        let mut changed = Vec::new();
        for (repo, row) in rows {
            if let Some(at) = row.until {
                self.wake_at(at, repo);
            }
            // A fact of the repository itself shows though no gate moved: another owner, another name.
            if touched.subjects.contains(&repo) || self.repos.get(&repo) != Some(&row) {
                changed.push(repo);
                self.repos.insert(repo, row);
            }
        }
        changed
    }

    /// Judges subjects that several repositories share. Gives those that stand differently now.
    fn judge_shared(&mut self, facts: &Facts, subjects: &[Subject], now: Ts) -> Vec<Subject> {
        let judged: Vec<(Subject, Tally)> = subjects
            .par_iter()
            .map(|subject| (*subject, tally(facts, *subject, now)))
            .collect();
        let mut moved = Vec::new();
        for (subject, tally) in judged {
            if let Some(at) = tally.until {
                self.wake_at(at, subject);
            }
            if self.shared.get(&subject) != Some(&tally) {
                moved.push(subject);
                self.shared.insert(subject, tally);
            }
        }
        moved
    }
}

impl Board {
    /// Has a subject judged again at an instant, unless it is judged before.
    fn wake_at(&mut self, at: Ts, subject: Subject) {
        let known = self.waking.get(&subject);
        if known.is_none_or(|known| at < *known) {
            self.waking.insert(subject, at);
            self.wake.push(Reverse((at, subject)));
        }
    }
}

/// Judges every gate of one subject.
fn tally(facts: &Facts, subject: Subject, now: Ts) -> Tally {
    let view = View::uncommented(facts, subject, now);
    let mut tally = Tally {
        contested: view.is_contested(),
        ..Tally::default()
    };
    for gate in GateId::of_kind(subject.kind) {
        let spec = gate.spec();
        let verdict = judge(&view, *gate);
        tally.until = [tally.until, verdict.until].into_iter().flatten().min();
        if verdict.state.is_met() {
            tally.met |= gate.bit();
        } else if spec.advice {
            continue;
        }
        if let Some(wave) = tally.waves.get_mut(usize::from(spec.wave)) {
            wave.add(verdict.state);
        }
        if !verdict.state.is_met() {
            // A look that failed is like none: somebody can work on what it would have shown only where a person's word
            // is asked for, and then the verdict says since when.
            let unseen = verdict.unwatched
                || (verdict.state == State::CouldNotLook && verdict.since.is_none());
            let open = Open {
                out_of_sight: unseen && spec.way == Way::Observed,
                gate: *gate,
                about: subject,
                state: verdict.state,
            };
            tally.open = Some(tally.open.map_or(open, |first| first.min(open)));
        }
    }
    // Judged with the gates: a token's clocks depend on every path behind it, and many rows show it.
    tally.clock = clocks(facts, subject)
        .into_iter()
        .find(|clock| clock.ends > now);
    let ends = tally.clock.map(|clock| clock.ends);
    tally.until = [tally.until, ends].into_iter().flatten().min();
    tally
}

/// What a row's end states ask of a subject that was judged for it: gates that are met, and until when.
type Own = (Subject, u128, Option<Ts>);

/// Judges what a repository owns, and puts its row together from that and from what it shares.
fn row(facts: &Facts, shared: &SubjectMap<Tally>, repo: Subject, now: Ts) -> RepoBoard {
    let paths = paths_of(facts, repo);
    let mut board = RepoBoard {
        paths: u16::try_from(paths.len()).unwrap_or(u16::MAX),
        ..RepoBoard::default()
    };
    let subjects = subjects_with(facts, repo, &paths);
    let mut own: Vec<Own> = Vec::with_capacity(subjects.len());
    for subject in subjects {
        if is_shared(facts, subject) {
            shared
                .get(&subject)
                .into_iter()
                .for_each(|one| board.add(one));
        } else {
            let tally = tally(facts, subject, now);
            board.until = [board.until, tally.until].into_iter().flatten().min();
            board.add(&tally);
            own.push((subject, tally.met, tally.until));
        }
    }
    own.sort_unstable_by_key(|(subject, ..)| *subject);
    let known = |subject: Subject, gate: GateId| {
        let at = own.binary_search_by_key(&subject, |(known, ..)| *known);
        let (met, until) = match at.ok().and_then(|at| own.get(at)) {
            Some((_, met, until)) => (*met, *until),
            None => shared.get(&subject).map(|tally| (tally.met, tally.until))?,
        };
        Some((met & gate.bit() != 0 || gate.spec().advice, until))
    };
    for path in paths {
        match facts.lane(path) {
            Some(lane) => board.lanes = board.lanes.with(lane),
            None => board.lane_missing = true,
        }
        let (end, until) = end_state_with(facts, path, now, &known);
        board.until = [board.until, until].into_iter().flatten().min();
        if let Some(count) = board.ends.get_mut(end as usize) {
            *count = count.saturating_add(1);
        }
    }
    board.until = [board.until, board.clock.map(|clock| clock.ends)]
        .into_iter()
        .flatten()
        .filter(|at| *at > now)
        .min();
    board
}

/// Tells whether a subject is judged by itself, because more than one row may show it or none does.
fn is_shared(facts: &Facts, subject: Subject) -> bool {
    match subject.kind {
        Kind::Session | Kind::Person | Kind::Secret | Kind::Token => true,
        Kind::Package => facts
            .packages
            .get(&subject)
            .is_some_and(|row| row.repos.len() > 1),
        Kind::Repo | Kind::Path | Kind::PathRef | Kind::Config => false,
    }
}

/// Gives every subject that is judged by itself.
fn every_shared(facts: &Facts) -> Vec<Subject> {
    let secrets = facts
        .secrets
        .iter()
        .filter(|(_, row)| !row.repos.is_empty());
    let packages = facts.packages.iter().filter(|(_, row)| row.repos.len() > 1);
    let mut all: Vec<Subject> = packages
        .map(|(package, _)| *package)
        .filter(|package| is_published(facts, *package))
        .collect();
    for (secret, _) in secrets {
        all.push(*secret);
        all.extend(facts.tokens_of(*secret));
    }
    all.extend(facts.tokens.keys());
    all.extend(facts.persons.keys());
    all.push(Subject::SESSION);
    // A token may take as long as thousands of others: those that take longest come first.
    all.sort_unstable_by_key(|subject| Reverse(*subject));
    all.dedup();
    all
}

/// Gives every subject that is judged, in a fixed order.
pub fn everything(facts: &Facts) -> Vec<Subject> {
    let mut all: Vec<Subject> = facts
        .repos
        .keys()
        .flat_map(|repo| subjects_of(facts, *repo))
        .collect();
    all.extend(facts.tokens.keys());
    all.extend(facts.persons.keys());
    all.push(Subject::SESSION);
    all.sort_unstable();
    all.dedup();
    all
}

/// Gives every subject whose verdicts can depend on one of these.
fn spread(facts: &Facts, due: &BTreeSet<Subject>) -> BTreeSet<Subject> {
    let mut all = BTreeSet::new();
    let mut repos = BTreeSet::new();
    for subject in due {
        all.insert(*subject);
        match subject.kind {
            Kind::Repo => {
                repos.insert(*subject);
            }
            Kind::Path | Kind::PathRef | Kind::Config => repos.extend(repos_of(facts, *subject)),
            // What a registry shows of a package touches the paths, configs and secrets of whoever publishes it.
            Kind::Package => repos.extend(repos_of(facts, *subject)),
            Kind::Secret => {
                all.extend(facts.tokens_of(*subject));
                all.extend(paths_behind(facts, *subject));
            }
            Kind::Token => {
                all.extend(paths_behind(facts, *subject));
                for secret in facts.secrets_of(*subject) {
                    all.insert(secret);
                    all.extend(facts.tokens_of(secret));
                }
            }
            Kind::Person => {
                let listed = facts
                    .persons
                    .get(subject)
                    .into_iter()
                    .flat_map(|person| &person.listings)
                    .flat_map(|listing| &listing.tokens);
                all.extend(listed);
            }
            Kind::Session => {}
        }
    }
    for repo in repos {
        all.extend(subjects_of(facts, repo));
    }
    // A package of two repositories, a shared secret: what hangs on them changes with the lanes of either.
    let tokens: Vec<Subject> = all
        .iter()
        .filter(|one| one.kind == Kind::Secret)
        .flat_map(|secret| facts.tokens_of(*secret))
        .collect();
    all.extend(tokens);
    all
}

/// Gives the paths of the repositories that a secret or token hangs on: a release counts once the last token is gone.
fn paths_behind(facts: &Facts, subject: Subject) -> impl Iterator<Item = Subject> {
    let repos: BTreeSet<Subject> = repos_of(facts, subject).into_iter().collect();
    repos.into_iter().flat_map(|repo| paths_of(facts, repo))
}

fn repos_of(facts: &Facts, subject: Subject) -> Vec<Subject> {
    match subject.kind {
        Kind::Repo => facts
            .repos
            .contains_key(&subject)
            .then_some(subject)
            .into_iter()
            .collect(),
        Kind::Path => facts.repo_of_path(subject).into_iter().collect(),
        Kind::PathRef => {
            let path = facts.path_refs.get(&subject);
            let repo = path.and_then(|path| facts.repo_of_path(*path));
            repo.into_iter().collect()
        }
        Kind::Config => facts
            .configs
            .get(&subject)
            .map(|config| config.repo)
            .into_iter()
            .collect(),
        Kind::Package => facts
            .packages
            .get(&subject)
            .into_iter()
            .flat_map(|row| row.repos.iter().copied())
            .collect(),
        Kind::Secret => facts
            .secrets
            .get(&subject)
            .into_iter()
            .flat_map(|row| row.repos.iter().copied())
            .collect(),
        Kind::Token => facts
            .secrets_of(subject)
            .into_iter()
            .flat_map(|secret| repos_of(facts, secret))
            .collect(),
        Kind::Session | Kind::Person => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn blocked_is_what_is_in_the_way_of_the_next_step() {
        let open = |gate: &str| Open {
            out_of_sight: false,
            gate: GateId::parse(gate).unwrap(),
            about: Subject::SESSION,
            state: State::NotLooked,
        };
        let mut board = RepoBoard {
            open: Some(open("lane-chosen")),
            ..RepoBoard::default()
        };
        board.waves[3].blocked = 1;
        assert!(
            !board.is_blocked(),
            "wave 3 is not yet in the way of wave 1"
        );
        board.open = Some(open("fails-closed"));
        assert!(board.is_blocked());
    }
}
