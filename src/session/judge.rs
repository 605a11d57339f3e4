//! The board: every gate of every subject, counted per wave, judged again only where facts changed or time did.
//!
//! What hangs on one repository alone is judged with its row and only counted there; what several share is judged once
//! and kept. Full and incremental judging give the same board; a property test holds that. The model has no timer: a
//! heap says when the next verdict can change by itself.

use super::fold::Touched;
use crate::model::clock::{Clock, clocks};
use crate::model::facts::Facts;
use crate::model::gate::{GateId, Met, State, View, Way, judge};
use crate::model::id::{Kind, Subject, SubjectMap};
use crate::model::lane::Lanes;
use crate::model::outcome::{
    EndCounts, end_state_with, is_published, paths_of, subjects_of, subjects_with,
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
pub struct WaveTally([u8; 6]);

impl WaveTally {
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

/// The wave that proves the new way while the old one still works.
const REHEARSAL: u8 = 4;
/// The first wave of what cannot be undone: revoking tokens and deleting secrets.
const REVOCATION: u8 = 5;

/// A gate that is not met. In the order in which they are worked on: by wave, always.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Open {
    pub wave: u8,
    /// Nothing here can look at it: within its wave, what can be worked on comes first.
    pub out_of_sight: bool,
    pub gate: GateId,
    pub about: Subject,
    pub state: State,
    /// It cannot be judged before lanes are chosen.
    pub for_lanes: bool,
}

impl Open {
    /// Tells whether the step has to wait for other repositories: it takes away what they may still need, or it hangs
    /// on their lanes.
    fn is_shared_end(&self) -> bool {
        (self.wave >= REVOCATION || self.for_lanes)
            && matches!(self.about.kind, Kind::Secret | Kind::Token)
    }
}

/// Why a step is not named yet: something of the secret's or token's chain is in an earlier wave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waits {
    /// The secret or token whose step it is.
    pub step_of: Subject,
    /// A repository of its chain that is in an earlier wave, or the session.
    pub first: Subject,
    pub wave: u8,
    /// How many there are beside the first.
    pub more: u32,
}

/// All gates of one subject, counted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    pub waves: [WaveTally; WAVES],
    /// Gates that are met, by [`GateId::bit`], and those of them that word meets where an observation could stand.
    met: Met128,
    /// The first gate that is not met, by wave.
    pub open: Option<Open>,
    /// The soonest clock of this subject.
    clock: Option<Clock>,
    /// Two decisions about it replace the same one, and nobody has decided between them.
    contested: bool,
    pub until: Option<Ts>,
}

/// Sets of gates by [`GateId::bit`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Met128 {
    met: u128,
    by_word: u128,
}

impl Met128 {
    fn add(&mut self, gate: GateId, met: Met) {
        if met != Met::No {
            self.met |= gate.bit();
        }
        if met == Met::ByWord {
            self.by_word |= gate.bit();
        }
    }

    fn of(self, gate: GateId) -> Met {
        match (self.met & gate.bit() != 0, self.by_word & gate.bit() != 0) {
            (false, _) => Met::No,
            (true, true) => Met::ByWord,
            (true, false) => Met::Seen,
        }
    }
}

/// One row of the board.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RepoBoard {
    pub waves: [Counts; WAVES],
    /// The gate that is worked on next; none too where that has to wait.
    pub open: Option<Open>,
    /// What the next step waits for.
    pub waits: Option<Waits>,
    /// The first open gate that waits for nobody.
    own: Option<Open>,
    /// Steps that end what others may still need, each the next of its secret or token.
    shared_ends: Vec<Open>,
    pub lanes: Lanes,
    /// A path of it has no lane yet.
    pub lane_missing: bool,
    pub ends: EndCounts,
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
        for (sum, part) in waves.filter(|(_, part)| *part != WaveTally::default()) {
            sum.join(part.counts());
        }
        match tally.open {
            Some(open) if open.is_shared_end() => self.shared_ends.push(open),
            open => self.own = [self.own, open].into_iter().flatten().min(),
        }
        self.clock = [self.clock, tally.clock].into_iter().flatten().min();
        self.contested |= tally.contested;
    }

    /// Names the next step: the lowest wave first, and none of a secret or token that has to wait for its chain.
    fn name_step(&mut self, mut held: impl FnMut(Open) -> Option<Waits>) {
        (self.open, self.waits) = (self.own, None);
        let lowest = self.shared_ends.first().map(|open| open.wave);
        let Some(wave) = lowest.filter(|wave| self.own.is_none_or(|own| *wave <= own.wave)) else {
            return;
        };
        self.open = self.own.filter(|own| own.wave == wave);
        for open in self.shared_ends.iter().filter(|open| open.wave == wave) {
            match held(*open) {
                None => self.open = [self.open, Some(*open)].into_iter().flatten().min(),
                waits => self.waits = self.waits.or(waits),
            }
        }
        if self.open.is_some() {
            self.waits = None;
        }
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
        self.open.map_or(WAVES, |open| usize::from(open.wave))
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
    /// Repositories with a step that may wait for others.
    ending: BTreeSet<Subject>,
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
        let before = self.early_wave(Subject::SESSION);
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
        let session = self.early_wave(Subject::SESSION);
        let shared = &self.shared;
        let rows: Vec<(Subject, Box<RepoBoard>)> = repos
            .par_iter()
            .with_min_len(32)
            .map(|repo| (*repo, Box::new(row(facts, shared, *repo, now))))
            .collect();
        let mut changed = BTreeSet::new();
        let mut moved = touched.all || session != before;
        for (repo, mut row) in rows {
            if let Some(at) = row.until {
                self.wake_at(at, repo);
            }
            let old = self.repos.get(&repo);
            moved |= old.map(|old| early(old)) != Some(early(&row));
            if row.shared_ends.is_empty() {
                row.name_step(|_| None);
                self.ending.remove(&repo);
            } else {
                // What it waits for is found out below, once every row is new.
                if let Some(old) = old {
                    (row.open, row.waits) = (old.open, old.waits);
                }
                self.ending.insert(repo);
                moved = true;
            }
            // A fact of the repository itself shows though no gate moved: another owner, another name.
            if touched.subjects.contains(&repo) || old != Some(&row) {
                changed.insert(repo);
                self.repos.insert(repo, row);
            }
        }
        if moved {
            changed.extend(self.name_steps(facts));
        }
        changed.into_iter().collect()
    }

    /// Names the next steps of the repositories that may have to wait for others. Gives those whose step is another now.
    fn name_steps(&mut self, facts: &Facts) -> Vec<Subject> {
        let mut known: SubjectMap<Option<Waits>> = SubjectMap::default();
        let mut named = Vec::new();
        for repo in &self.ending {
            let Some(mut row) = self.repos.get(repo).cloned() else {
                continue;
            };
            row.name_step(|open| {
                *known
                    .entry(open.about)
                    .or_insert_with(|| self.waits_for(facts, open))
            });
            named.push((*repo, row));
        }
        let mut changed = Vec::new();
        for (repo, row) in named {
            if self.repos.get(&repo) != Some(&row) {
                changed.push(repo);
                self.repos.insert(repo, row);
            }
        }
        changed
    }

    /// Finds what a step of a secret or token has to wait for: every repository of its chain has to have come to its
    /// wave, and before anything is revoked, the session too.
    fn waits_for(&self, facts: &Facts, open: Open) -> Option<Waits> {
        let about = open.about;
        let tokens: Vec<Subject> = match about.kind {
            Kind::Token => vec![about],
            _ => facts.tokens_of(about).collect(),
        };
        let mut repos: BTreeSet<Subject> = repos_of(facts, about).into_iter().collect();
        repos.extend(tokens.iter().flat_map(|token| repos_of(facts, *token)));
        let rows = repos.iter().map(|repo| (*repo, self.repos.get(repo)));
        let mut early = rows
            .map(|(repo, row)| (repo, row.map_or(0, |row| early(row))))
            .chain([(Subject::SESSION, self.early_wave(Subject::SESSION))])
            .filter(|(about, _)| open.wave >= REVOCATION || *about != Subject::SESSION)
            .filter(|(_, wave)| *wave < open.wave);
        let (first, wave) = early.next()?;
        Some(Waits {
            step_of: about,
            first,
            wave,
            more: u32::try_from(early.count()).unwrap_or(u32::MAX),
        })
    }

    /// Gives the first open wave of a shared subject, at most that of revocation.
    fn early_wave(&self, about: Subject) -> u8 {
        let open = self.shared.get(&about).and_then(|tally| tally.open);
        open.map_or(REVOCATION, |open| open.wave.min(REVOCATION))
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

/// Gives the first open wave of a row, at most that of revocation.
fn early(row: &RepoBoard) -> u8 {
    u8::try_from(row.wave()).map_or(REVOCATION, |wave| wave.min(REVOCATION))
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
        tally.met.add(*gate, verdict.met(spec));
        if !verdict.state.is_met() && spec.advice {
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
                wave: spec.wave,
                // From the rehearsal on the order of the table is that of the work: no canary goes out before its
                // trusted publisher is registered, and nothing is revoked before it is known to be safe.
                out_of_sight: unseen && spec.way == Way::Observed && spec.wave < REHEARSAL,
                gate: *gate,
                about: subject,
                state: verdict.state,
                for_lanes: view.waits_for_lane(spec),
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
type Own = (Subject, Met128, Option<Ts>);

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
    board.shared_ends.sort_unstable();
    let known = |subject: Subject, gate: GateId| {
        let at = own.binary_search_by_key(&subject, |(known, ..)| *known);
        let (met, until) = match at.ok().and_then(|at| own.get(at)) {
            Some((_, met, until)) => (*met, *until),
            None => shared.get(&subject).map(|tally| (tally.met, tally.until))?,
        };
        Some((met.of(gate), until))
    };
    for path in paths {
        match facts.lane(path) {
            Some(lane) => board.lanes = board.lanes.with(lane),
            None => board.lane_missing = true,
        }
        let (end, until) = end_state_with(facts, path, now, &known);
        board.until = [board.until, until].into_iter().flatten().min();
        board.ends.add(end);
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
            wave: GateId::parse(gate).unwrap().spec().wave,
            out_of_sight: false,
            gate: GateId::parse(gate).unwrap(),
            about: Subject::SESSION,
            state: State::NotLooked,
            for_lanes: false,
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
