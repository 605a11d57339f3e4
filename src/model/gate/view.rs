//! What a gate sees: one subject, the facts around it, and the instant it is judged for.

use super::read::is_read;
use super::table::{GateId, GateSpec};
use super::verdict::{State, Verdict};
use crate::model::decision::{Decision, Slot, Standing, Value};
use crate::model::fact::{ListingFact, PathFact, PurposeFact, RefFact, TokenFact};
use crate::model::facts::config::{configs_of, on_demand};
use crate::model::facts::{Decided, Facts, Repo};
use crate::model::id::{Kind, Subject};
use crate::model::lane::{Lane, Lanes};
use crate::model::policy::Profile;
use crate::model::time::{DAY, Ts};
use std::borrow::Cow;

/// One subject in its facts.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    pub facts: &'a Facts,
    pub subject: Subject,
    pub now: Ts,
    /// Lanes of the paths that this subject hangs on; empty where none is chosen.
    pub lanes: Lanes,
    /// A path behind this subject has no lane yet.
    lane_missing: bool,
    /// No path behind it is known, and not everything was read that could show one.
    pathless: bool,
    /// Whether anybody will read why.
    worded: bool,
    /// What was decided about the subject itself, looked up once: every gate asks for it.
    decided: Option<&'a Decided>,
    /// Gates of it that somebody attested or waived, by [`GateId::bit`]: most were spoken of by nobody.
    claimed: u128,
    /// The path that a path, path-ref or config is about, and what the files say of it.
    path: (Option<Subject>, Option<&'a PathFact>),
}

impl<'a> View<'a> {
    /// Looks at a subject. The lanes are gathered once, since many gates ask for them.
    pub fn new(facts: &'a Facts, subject: Subject, now: Ts) -> Self {
        let decided = facts.decided.get(&subject);
        let mut view = Self {
            facts,
            subject,
            now,
            lanes: Lanes::NONE,
            lane_missing: false,
            pathless: false,
            worded: true,
            decided,
            claimed: decided.map_or(0, Decided::claimed),
            path: (None, None),
        };
        match subject.kind {
            Kind::Path | Kind::PathRef | Kind::Config => {
                let path = path_of(facts, subject);
                path.into_iter().for_each(|path| view.add_lane(path));
                let seen = match view.other_ref() {
                    Some((fact, _)) => fact.fact.as_ref(),
                    None => path.and_then(|path| facts.path(path)),
                };
                view.path = (path, seen);
            }
            Kind::Package => {
                facts
                    .packages
                    .get(&subject)
                    .into_iter()
                    .flat_map(|row| &row.paths)
                    .for_each(|path| view.add_lane(*path));
            }
            Kind::Secret => view.add_secret(subject),
            Kind::Token => facts
                .secrets_of(subject)
                .into_iter()
                .for_each(|secret| view.add_secret(secret)),
            Kind::Repo => facts
                .open_paths(subject)
                .for_each(|(path, _)| view.add_lane(path)),
            Kind::Session | Kind::Person => {}
        }
        view.pathless = view.is_pathless();
        view
    }

    /// Tells whether there may be a path behind a package or token that nobody has seen.
    fn is_pathless(&self) -> bool {
        if self.lane_missing || self.lanes != Lanes::NONE {
            return false;
        }
        let read = |repo: &Subject| is_read(self.facts, *repo, GateId::PATHS_FOUND);
        match self.subject.kind {
            Kind::Package => {
                let row = self.facts.packages.get(&self.subject);
                row.is_none_or(|row| !row.repos.iter().all(read))
            }
            Kind::Token => {
                let secrets = self.facts.secrets_of(self.subject);
                let rows = || secrets.iter().filter_map(|id| self.facts.secrets.get(id));
                secrets.is_empty() || !rows().flat_map(|row| &row.repos).all(read)
            }
            _ => false,
        }
    }

    /// Looks at a subject only to count: whatever was formatted for people may be left out of its verdicts.
    pub fn uncommented(facts: &'a Facts, subject: Subject, now: Ts) -> Self {
        Self {
            worded: false,
            ..Self::new(facts, subject, now)
        }
    }

    /// Gives words for people, made only if somebody will read them: a board judges a million gates for their states.
    pub(super) fn words(&self, make: impl FnOnce() -> String) -> Cow<'static, str> {
        if self.worded {
            make().into()
        } else {
            Cow::Borrowed("")
        }
    }

    fn add_lane(&mut self, path: Subject) {
        match self.facts.lane(path) {
            Some(lane) => self.lanes = self.lanes.with(lane),
            None => self.lane_missing = true,
        }
    }

    fn add_secret(&mut self, secret: Subject) {
        for (_, path, _) in self.facts.paths_of_secret(secret) {
            self.add_lane(path);
        }
    }

    /// Gives the reason why a gate does not hold for this subject at all.
    pub(super) fn does_not_apply(&self, spec: &GateSpec) -> Option<Cow<'static, str>> {
        if spec.team && self.facts.session.profile == Profile::Solo {
            return Some("for teams: alone, a cooling-off time stands in its place".into());
        }
        if spec.wave < 2 && self.facts.stands_in(self.subject) {
            return Some("asked once the package is known".into());
        }
        if self.wants_path(spec) && self.pathless {
            return None;
        }
        if !spec.lanes.is_all() && !self.lane_missing && !self.lanes.meets(spec.lanes) {
            return Some("not in this lane".into());
        }
        if self.subject.kind == Kind::Package && spec.wave >= 4 && self.is_unpublished() {
            return Some("no publish path of it is known".into());
        }
        if spec.wave == 4 && spec.id != GateId::EXCHANGE_PROBED.word() && self.is_on_demand() {
            return Some("on demand: nothing is published before a release is due".into());
        }
        let path = self.path()?;
        if !Facts::in_scope(path) {
            return Some("publishes to another registry: not in scope".into());
        }
        None
    }

    /// Tells whether a gate is about what publishes: of some lanes, or of a package that goes out.
    fn wants_path(&self, spec: &GateSpec) -> bool {
        !spec.lanes.is_all() || (self.subject.kind == Kind::Package && spec.wave >= 4)
    }

    /// Tells whether a gate cannot be judged before it is known which path uses the subject.
    pub(super) fn waits_for_path(&self, spec: &GateSpec) -> bool {
        self.pathless && self.wants_path(spec)
    }

    /// Tells whether every trust config here waits for a release that is not due.
    fn is_on_demand(&self) -> bool {
        if self.lane_missing || !self.lanes.iter().all(Lane::needs_trust) {
            return false;
        }
        let of_package = |package: &Subject| -> Vec<Subject> {
            let row = self.facts.packages.get(package);
            let repos = row.into_iter().flat_map(|row| &row.repos);
            let rows = repos.filter_map(|repo| self.facts.repos.get(repo));
            let configs = rows.flat_map(|row| row.configs.iter().copied());
            let known = |id: &Subject| self.facts.configs.get(id);
            configs
                .filter(|id| known(id).is_some_and(|one| one.package == *package))
                .collect()
        };
        let configs = match self.subject.kind {
            Kind::Config => vec![self.subject],
            Kind::Path => configs_of(self.facts, self.subject),
            Kind::Package => of_package(&self.subject),
            _ => return false,
        };
        on_demand(self.facts, &configs)
    }

    fn is_unpublished(&self) -> bool {
        let package = self.facts.packages.get(&self.subject);
        package.is_none_or(|row| row.paths.is_empty())
    }

    /// Tells whether a gate of some lanes cannot be judged before a lane is chosen.
    pub fn waits_for_lane(&self, spec: &GateSpec) -> bool {
        !spec.lanes.is_all() && self.lane_missing && !self.lanes.meets(spec.lanes)
    }

    /// Gives the waiver in force. Waivers that two people dispute are none.
    pub(super) fn waived(&self, gate: GateId) -> Option<Verdict> {
        if self.claimed & gate.bit() == 0 {
            return None;
        }
        match self.decided(Slot::Waive(gate)) {
            Standing::One(Decision {
                value: Value::Waived { until },
                by,
                ..
            }) => {
                let end = Ts::from_day(*until).plus(DAY);
                (self.now < end).then(|| {
                    Verdict::new(
                        State::Waived,
                        self.words(|| format!("waived by {by} until {until}")),
                    )
                    .until(end)
                })
            }
            _ => None,
        }
    }

    /// Gives what people attested, unless what they answered is older than what is asked. A dispute keeps the gate open.
    pub(super) fn attested(&self, gate: GateId, since: Option<Ts>) -> Option<Verdict> {
        if self.claimed & gate.bit() == 0 {
            return None;
        }
        match self.decided(Slot::Attest(gate)) {
            Standing::One(Decision {
                value: Value::Attested,
                by,
                at,
                ..
            }) => since.is_none_or(|since| *at >= since).then(|| {
                let words = self.words(|| format!("attested by {by} on {}", at.day()));
                Verdict::attested(words)
            }),
            Standing::Contested(many) => Some(Verdict::blocked(contested(&many))),
            _ => None,
        }
    }

    pub fn decided(&self, slot: Slot) -> Standing<'a> {
        self.decided
            .map_or(Standing::Nothing, |decided| decided.standing(slot))
    }

    /// Tells whether a decision about the subject waits for somebody to decide between two.
    pub fn is_contested(&self) -> bool {
        let mut slots = self.decided.into_iter().flat_map(Decided::slots);
        slots.any(|(_, history)| history.is_contested())
    }

    pub fn repo(&self) -> Option<&'a Repo> {
        self.facts.repos.get(&self.subject).map(AsRef::as_ref)
    }

    /// Gives the path that a path, path-ref or config is about.
    pub fn path(&self) -> Option<&'a PathFact> {
        self.path.1
    }

    /// Gives what another ref than the default branch holds, where this is one that was read.
    pub fn other_ref(&self) -> Option<(&'a RefFact, Ts)> {
        let seen = self.facts.seen.get(&self.subject)?.other_ref();
        seen.filter(|_| self.subject.kind == Kind::PathRef)
            .map(|(fact, as_of)| (fact.as_ref(), as_of))
    }

    pub fn path_id(&self) -> Option<Subject> {
        self.path.0
    }

    pub fn token(&self) -> Option<&'a TokenFact> {
        self.facts
            .tokens
            .get(&self.subject)?
            .fact
            .as_ref()
            .map(|dated| &dated.value)
    }

    /// Gives the instant at which what was looked at then no longer tells a state.
    pub fn fresh_until(&self, looked: Ts) -> Ts {
        looked.plus(i64::from(self.facts.policy.freshness_hours) * 3600)
    }

    /// Lets a fact about a state age: older than the policy's freshness, it is no longer known.
    pub fn while_fresh(&self, as_of: Ts, verdict: Verdict) -> Verdict {
        let end = self.fresh_until(as_of);
        if self.now < end {
            verdict.until(end)
        } else {
            Verdict::not_looked(format!(
                "last looked on {}: import a fresh list",
                as_of.day()
            ))
        }
    }
}

fn path_of(facts: &Facts, subject: Subject) -> Option<Subject> {
    match subject.kind {
        Kind::Path => Some(subject),
        Kind::PathRef => facts.path_refs.get(&subject).copied(),
        Kind::Config => facts.configs.get(&subject).map(|config| config.path),
        _ => None,
    }
}

/// Says who disagrees.
pub fn contested(many: &[&Decision]) -> String {
    let names: Vec<&str> = many.iter().map(|one| one.by.as_ref()).collect();
    format!("contested by {}: decide between them", names.join(" and "))
}

impl Facts {
    /// Gives every path that a secret reaches: repository, path, fact.
    pub fn paths_of_secret(
        &self,
        secret: Subject,
    ) -> impl Iterator<Item = (Subject, Subject, &PathFact)> {
        let row = self.secrets.get(&secret);
        row.into_iter().flat_map(move |row| {
            row.repos.iter().flat_map(move |repo| {
                self.open_paths(*repo)
                    .filter(move |(_, fact)| fact.secret.as_deref() == Some(&*row.name))
                    .map(move |(path, fact)| (*repo, path, fact))
            })
        })
    }

    /// Gives every other use of a secret: repository, file, line, purpose.
    pub fn uses_of_secret(
        &self,
        secret: Subject,
    ) -> impl Iterator<Item = (Subject, &crate::model::fact::UseFact)> {
        let row = self.secrets.get(&secret);
        row.into_iter().flat_map(move |row| {
            row.repos.iter().flat_map(move |repo| {
                let scan = self.repos.get(repo).and_then(|known| known.scan.as_ref());
                scan.into_iter()
                    .flat_map(|scan| &scan.value.uses)
                    .filter(move |token_use| token_use.secret.as_deref() == Some(&*row.name))
                    .filter(|token_use| {
                        !matches!(token_use.purpose, PurposeFact::Publish | PurposeFact::Stage)
                    })
                    .map(move |token_use| (*repo, token_use))
            })
        })
    }

    /// Gives the newest listing of a token's account.
    pub fn last_listing(&self, account: &str) -> Option<&crate::model::facts::Listing> {
        self.persons.get(&Subject::person(account))?.listings.last()
    }
}

/// A listing's words for screens.
pub fn listing_words(listing: &ListingFact) -> &'static str {
    match listing.complete {
        Some(true) => "complete",
        Some(false) => "not complete",
        None => "does not say whether it is complete",
    }
}
