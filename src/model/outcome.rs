//! End states: where a publish path is when the room closes. The headline counts these.

use super::decision::{Decision, Slot, Standing, ValidationPlan, Value};
use super::facts::Facts;
use super::gate::{GateId, View, judge};
use super::id::{Kind, Subject};
use super::lane::Lane;
use super::revoke::configs_of;
use super::time::{DAY, Ts};
use serde::Serialize;

/// The end state of one path, or open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EndState {
    /// A real release after the revocation.
    Proven,
    /// Canary proven, old token gone, first release awaited.
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

/// Whether a gate of a subject is met, and until when, for whoever has judged it already.
///
/// A secret that 7,000 repositories share would otherwise be judged anew for each of them.
pub type Known<'a> = dyn Fn(Subject, GateId) -> Option<(bool, Option<Ts>)> + 'a;

/// Gives a path's end state, and when it can change without a new fact.
pub fn end_state(facts: &Facts, path: Subject, now: Ts) -> (EndState, Option<Ts>) {
    end_state_with(facts, path, now, &|_, _| None)
}

/// Does what [`end_state`] does, with the secrets and tokens that were judged before.
pub fn end_state_with(
    facts: &Facts,
    path: Subject,
    now: Ts,
    known: &Known<'_>,
) -> (EndState, Option<Ts>) {
    if let Standing::One(Decision {
        value: Value::CarriedOver { until, .. },
        ..
    }) = facts.standing(path, Slot::CarriedOver)
    {
        let end = Ts::from_day(*until).plus(DAY);
        if now < end {
            return (EndState::CarriedOver, Some(end));
        }
    }
    let Some(lane) = facts.lane(path) else {
        return (EndState::Open, None);
    };
    let mut asked = Asked {
        facts,
        now,
        known,
        until: None,
    };
    let state = match lane {
        Lane::Retire if asked.met(path, "publish-removed") => EndState::Retired,
        Lane::Manual if asked.all(path, 1..=2) => EndState::Manual,
        Lane::Bridge if asked.met(path, "end-date-set") && asked.all(path, 1..=3) => {
            EndState::Bridged
        }
        Lane::Retire | Lane::Manual | Lane::Bridge => EndState::Open,
        Lane::Trusted | Lane::StagedOidc | Lane::StagedToken => asked.cut_over(path, lane),
    };
    (state, asked.until)
}

/// Asks gates and remembers when their answers can change.
struct Asked<'a> {
    facts: &'a Facts,
    now: Ts,
    known: &'a Known<'a>,
    until: Option<Ts>,
}

impl Asked<'_> {
    fn gate(&mut self, view: &View<'_>, gate: GateId) -> bool {
        let verdict = judge(view, gate);
        self.until = [self.until, verdict.until].into_iter().flatten().min();
        verdict.state.is_met() || gate.spec().advice
    }

    fn met(&mut self, subject: Subject, gate: &str) -> bool {
        let Some(gate) = GateId::parse(gate) else {
            return false;
        };
        if let Some((met, until)) = (self.known)(subject, gate) {
            self.until = [self.until, until].into_iter().flatten().min();
            return met;
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
                Some((met, until)) => {
                    self.until = [self.until, until].into_iter().flatten().min();
                    met
                }
                None => {
                    let view = view.get_or_insert_with(|| View::uncommented(facts, subject, now));
                    self.gate(view, *gate)
                }
            })
    }

    fn cut_over(&mut self, path: Subject, lane: Lane) -> EndState {
        let Some(fact) = self.facts.path(path) else {
            return EndState::Open;
        };
        let path_ref = self.facts.default_ref(path);
        if !self.all(path, 1..=3) || !self.all(path_ref, 1..=3) {
            return EndState::Open;
        }
        let others = fact.repo.and_then(|repo| self.facts.other_refs.get(&repo));
        let others = others.into_iter().flatten().copied();
        let mut refs = others.filter(|one| self.facts.path_refs.get(one) == Some(&path));
        if !refs.all(|one| self.all(one, 1..=3)) {
            return EndState::Open;
        }
        let configs = match lane.needs_trust() {
            true => configs_of(self.facts, path),
            false => Vec::new(),
        };
        let on_demand = !configs.is_empty()
            && configs.iter().all(|config| {
                let plan = self
                    .facts
                    .decision(*config, Slot::Plan)
                    .map(|decision| &decision.value);
                plan == Some(&Value::Plan(ValidationPlan::OnDemand))
            });
        if on_demand {
            let probed = configs
                .iter()
                .all(|config| self.met(*config, "exchange-probed"));
            return if probed {
                EndState::OnDemand
            } else {
                EndState::Open
            };
        }
        let rehearsed = self.all(path, 4..=4)
            && configs.iter().all(|config| self.all(*config, 4..=4))
            && fact
                .packages
                .iter()
                .all(|package| self.all(*package, 4..=4));
        let gone = rehearsed && (lane == Lane::StagedToken || self.old_tokens_gone(fact.repo));
        match gone {
            false => EndState::Open,
            true if self.met(path, "first-real-release") => EndState::Proven,
            true => EndState::CutOver,
        }
    }

    fn old_tokens_gone(&mut self, repo: Option<Subject>) -> bool {
        let Some(repo) = repo else { return false };
        let secrets = self
            .facts
            .repos
            .get(&repo)
            .map_or(&[][..], |row| &row.secrets);
        let tokens = self.facts.tokens_of_repo(repo);
        secrets
            .iter()
            .all(|secret| self.met(*secret, "secrets-deleted"))
            && tokens
                .into_iter()
                .all(|token| self.met(token, "tokens-revoked"))
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
