//! End states: where a publish path is when the room closes. The headline counts these.

use super::decision::{Decision, Slot, Standing, Value};
use super::facts::Facts;
use super::facts::config::{configs_of, on_demand};
use super::gate::{GateId, Met, View, judge};
use super::id::{Kind, Subject};
use super::lane::Lane;
use super::revoke::unmapped;
use super::time::{DAY, Ts};
use serde::Serialize;

/// The end state of one path, or open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EndState {
    /// A real release after the revocation.
    Proven,
    /// Canary out, old token gone, first release awaited.
    CutOver,
    /// No release due: probed once, armed again when one is.
    OnDemand,
    /// On a token with an end date.
    Bridged,
    /// People publish with a login session.
    Manual,
    /// Publishing stopped.
    Retired,
    /// Somebody took it on, with a date and a reason.
    CarriedOver,
    Open,
}

impl EndState {
    pub const ALL: [Self; 8] = [
        Self::Proven,
        Self::CutOver,
        Self::OnDemand,
        Self::Bridged,
        Self::Manual,
        Self::Retired,
        Self::CarriedOver,
        Self::Open,
    ];

    pub fn words(self) -> &'static str {
        match self {
            Self::Proven => "proven",
            Self::CutOver => "cut over",
            Self::OnDemand => "on demand",
            Self::Bridged => "bridged",
            Self::Manual => "manual",
            Self::Retired => "retired",
            Self::CarriedOver => "carried over",
            Self::Open => "open",
        }
    }
}

/// What an end state rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// On what was looked at, and on word only where nothing can look.
    Observed,
    /// On somebody's word where an observation could stand.
    Attested,
}

/// Where a path is, and how that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    pub state: EndState,
    pub basis: Basis,
}

impl End {
    /// Says both: `proven`, or `proven (attested)`.
    pub fn words(self) -> String {
        match self.basis {
            Basis::Observed => self.state.words().to_owned(),
            Basis::Attested => format!("{} (attested)", self.state.words()),
        }
    }
}

/// Paths by end state, and of each how many rest on word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EndCounts<N = u16> {
    all: [N; EndState::ALL.len()],
    attested: [N; EndState::ALL.len()],
}

impl<N: Copy + Default + PartialEq> EndCounts<N> {
    /// Gives every state with its count and how many of those are attested, best first.
    pub fn list(
        &self,
    ) -> impl DoubleEndedIterator<Item = (EndState, N, N)> + ExactSizeIterator + '_ {
        let counts = self.all.iter().zip(&self.attested);
        EndState::ALL
            .into_iter()
            .zip(counts)
            .map(|(state, (all, attested))| (state, *all, *attested))
    }

    /// Gives the states that occur.
    pub fn some(&self) -> impl DoubleEndedIterator<Item = (EndState, N, N)> + '_ {
        self.list().filter(|(_, all, _)| *all != N::default())
    }

    /// Counts the paths in one state.
    pub fn of(&self, state: EndState) -> N {
        self.all.get(state as usize).copied().unwrap_or_default()
    }
}

impl EndCounts {
    /// Counts one path.
    pub fn add(&mut self, end: End) {
        let count = |counts: &mut [u16; EndState::ALL.len()]| {
            if let Some(count) = counts.get_mut(end.state as usize) {
                *count = count.saturating_add(1);
            }
        };
        count(&mut self.all);
        if end.basis == Basis::Attested {
            count(&mut self.attested);
        }
    }
}

impl EndCounts<usize> {
    /// Adds the counts of a row.
    pub fn join(&mut self, row: &EndCounts) {
        for (sums, parts) in [
            (&mut self.all, &row.all),
            (&mut self.attested, &row.attested),
        ] {
            sums.iter_mut()
                .zip(parts)
                .for_each(|(sum, part)| *sum += usize::from(*part));
        }
    }

    /// Counts all paths.
    pub fn total(&self) -> usize {
        self.all.iter().sum()
    }
}

/// How a gate of a subject is met, and until when, for whoever has judged it already.
///
/// A secret that 7,000 repositories share would otherwise be judged anew for each of them.
pub type Known<'a> = dyn Fn(Subject, GateId) -> Option<(Met, Option<Ts>)> + 'a;

/// Gives a path's end state, and when it can change without a new fact.
pub fn end_state(facts: &Facts, path: Subject, now: Ts) -> (End, Option<Ts>) {
    end_state_with(facts, path, now, &|_, _| None)
}

/// Does what [`end_state`] does, with the secrets and tokens that were judged before.
pub fn end_state_with(
    facts: &Facts,
    path: Subject,
    now: Ts,
    known: &Known<'_>,
) -> (End, Option<Ts>) {
    let plain = |state| End {
        state,
        basis: Basis::Observed,
    };
    if let Standing::One(Decision {
        value: Value::CarriedOver { until, .. },
        ..
    }) = facts.standing(path, Slot::CarriedOver)
    {
        let end = Ts::from_day(*until).plus(DAY);
        if now < end {
            return (plain(EndState::CarriedOver), Some(end));
        }
    }
    let Some(lane) = facts.lane(path) else {
        return (plain(EndState::Open), None);
    };
    let mut asked = Asked {
        facts,
        now,
        known,
        until: None,
        basis: Basis::Observed,
    };
    let state = match lane {
        Lane::Retire if asked.met(path, GateId::PUBLISH_REMOVED) => EndState::Retired,
        Lane::Manual if asked.all(path, 1..=2) => EndState::Manual,
        Lane::Bridge if asked.met(path, GateId::END_DATE_SET) && asked.all(path, 1..=3) => {
            EndState::Bridged
        }
        Lane::Retire | Lane::Manual | Lane::Bridge => EndState::Open,
        Lane::Trusted | Lane::StagedOidc | Lane::StagedToken => asked.cut_over(path, lane),
    };
    let end = match state {
        EndState::Open => plain(state),
        state => End {
            state,
            basis: asked.basis,
        },
    };
    (end, asked.until)
}

/// Asks gates, and remembers when their answers can change and whether one was people's word.
struct Asked<'a> {
    facts: &'a Facts,
    now: Ts,
    known: &'a Known<'a>,
    until: Option<Ts>,
    basis: Basis,
}

impl Asked<'_> {
    fn take(&mut self, met: Met, until: Option<Ts>) -> bool {
        self.until = [self.until, until].into_iter().flatten().min();
        if met == Met::ByWord {
            self.basis = Basis::Attested;
        }
        met != Met::No
    }

    fn gate(&mut self, view: &View<'_>, gate: GateId) -> bool {
        let verdict = judge(view, gate);
        self.take(verdict.met(gate.spec()), verdict.until)
    }

    fn met(&mut self, subject: Subject, gate: GateId) -> bool {
        if let Some((met, until)) = (self.known)(subject, gate) {
            return self.take(met, until);
        }
        let view = View::uncommented(self.facts, subject, self.now);
        self.gate(&view, gate)
    }

    fn all(&mut self, subject: Subject, waves: std::ops::RangeInclusive<u8>) -> bool {
        let (facts, now) = (self.facts, self.now);
        let mut view = None;
        GateId::of_kind(subject.kind)
            .iter()
            .filter(|gate| waves.contains(&gate.spec().wave))
            .all(|gate| match (self.known)(subject, *gate) {
                Some((met, until)) => self.take(met, until),
                None => {
                    let view = view.get_or_insert_with(|| View::uncommented(facts, subject, now));
                    self.gate(view, *gate)
                }
            })
    }

    fn cut_over(&mut self, path: Subject, lane: Lane) -> EndState {
        let Some((fact, repo)) = self
            .facts
            .path(path)
            .and_then(|fact| Some((fact, fact.repo?)))
        else {
            return EndState::Open;
        };
        if unmapped(self.facts, fact) || !self.wired(path, repo) {
            return EndState::Open;
        }
        let configs = match lane.needs_trust() {
            true => configs_of(self.facts, path),
            false => Vec::new(),
        };
        if on_demand(self.facts, &configs) {
            let mut configs = configs.iter();
            return match configs.all(|config| self.met(*config, GateId::EXCHANGE_PROBED)) {
                true => EndState::OnDemand,
                false => EndState::Open,
            };
        }
        let mut packages = self.facts.packages_of(fact).iter();
        let rehearsed = self.all(path, 4..=4)
            && configs.iter().all(|config| self.all(*config, 2..=4))
            && packages.all(|package| self.all(*package, 2..=4));
        let gone = rehearsed
            && match lane {
                Lane::StagedToken => self.tokens_only_stage(repo),
                _ => self.old_tokens_gone(repo),
            };
        match gone {
            false => EndState::Open,
            true if self.met(path, GateId::FIRST_REAL_RELEASE) => EndState::Proven,
            true => EndState::CutOver,
        }
    }

    /// Tells whether inventory, credentials and wiring of a path are done on each of its refs.
    fn wired(&mut self, path: Subject, repo: Subject) -> bool {
        let others = self.facts.other_refs.get(&repo).into_iter().flatten();
        let mut refs = others
            .copied()
            .filter(|one| self.facts.path_refs.get(one) == Some(&path));
        self.all(path, 1..=3)
            && self.all(self.facts.default_ref(path), 1..=3)
            && refs.all(|one| self.all(one, 1..=3))
    }

    /// Tells whether every token that the repository holds is known, and settled as one that only stages.
    fn tokens_only_stage(&mut self, repo: Subject) -> bool {
        let row = self.facts.repos.get(&repo);
        let secrets = row.map_or(&[][..], |row| &row.secrets);
        let tokens = self.facts.tokens_of_repo(repo);
        self.met(repo, GateId::TOKEN_USES_LISTED)
            && secrets
                .iter()
                .all(|secret| self.met(*secret, GateId::SECRET_TOKEN_KNOWN))
            && tokens.into_iter().all(|token| self.all(token, 1..=2))
    }

    /// Tells whether every token that the repository held is known and gone. That it held none counts only where
    /// everything was read that could name one.
    fn old_tokens_gone(&mut self, repo: Subject) -> bool {
        let row = self.facts.repos.get(&repo);
        let secrets = row.map_or(&[][..], |row| &row.secrets);
        let tokens = self.facts.tokens_of_repo(repo);
        self.met(repo, GateId::PATHS_FOUND)
            && self.met(repo, GateId::TOKEN_USES_LISTED)
            && secrets.iter().all(|secret| {
                self.met(*secret, GateId::SECRET_TOKEN_KNOWN)
                    && self.met(*secret, GateId::SECRETS_DELETED)
            })
            && tokens
                .into_iter()
                .all(|token| self.met(token, GateId::TOKENS_REVOKED))
    }
}

/// Gives the subjects whose gates a repository shows: itself, its paths and refs, packages, configs, secrets, tokens.
pub fn subjects_of(facts: &Facts, repo: Subject) -> Vec<Subject> {
    subjects_with(facts, repo, &paths_of(facts, repo))
}

/// Does what [`subjects_of`] does, for who has the paths already.
pub fn subjects_with(facts: &Facts, repo: Subject, paths: &[Subject]) -> Vec<Subject> {
    let Some(row) = facts.repos.get(&repo) else {
        return Vec::new();
    };
    let links = row.packages.len() + row.configs.len() + row.secrets.len();
    let mut all = Vec::with_capacity(2 + 2 * paths.len() + links);
    all.push(repo);
    for path in paths {
        all.push(*path);
        all.push(facts.default_ref(*path));
    }
    all.extend(facts.other_refs.get(&repo).into_iter().flatten());
    all.extend(
        row.packages
            .iter()
            .filter(|package| is_published(facts, **package)),
    );
    all.extend(&row.configs);
    all.extend(&row.secrets);
    if !facts.holders.is_empty() {
        all.extend(facts.tokens_of_repo(repo));
    }
    all
}

/// Tells whether a package has gates: a private one without a path is never published.
pub fn is_published(facts: &Facts, package: Subject) -> bool {
    facts.packages.get(&package).is_some_and(|row| {
        !row.paths.is_empty() || row.fact.as_ref().is_none_or(|fact| !fact.value.private)
    })
}

/// Gives a repository's paths in scope: those that the last scan saw, and those gone that were to be retired.
pub fn paths_of(facts: &Facts, repo: Subject) -> Vec<Subject> {
    let mut paths: Vec<Subject> = facts.open_paths(repo).map(|(path, _)| path).collect();
    paths.sort_unstable();
    let ever = facts.repos.get(&repo).into_iter().flat_map(|row| &row.ever);
    let gone = ever.filter(|path| paths.binary_search(path).is_err());
    let gone = gone.filter(|path| {
        let retired = facts.lane(**path) == Some(Lane::Retire)
            && facts.path(**path).is_some_and(Facts::in_scope);
        retired
            && !facts
                .path(**path)
                .is_some_and(|fact| facts.present(**path, fact))
    });
    let gone: Vec<Subject> = gone.copied().collect();
    paths.extend(gone);
    paths.sort_unstable();
    paths.dedup();
    paths.retain(|path| path.kind == Kind::Path);
    paths
}

/// Tells whether an account's token list is still owed: asked for, and never imported.
pub fn owes_list(facts: &Facts, person: Subject) -> bool {
    let asked = facts
        .decision(person, Slot::Owed)
        .is_some_and(|decision| decision.value == Value::Flag(true));
    asked
        && facts
            .persons
            .get(&person)
            .is_some_and(|row| row.listings.is_empty())
}
