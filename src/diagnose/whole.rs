//! What holds for a whole log: its facts by step and job, and whether a signature fits one failure of it.
//!
//! Lines are indexed by pattern once, so that a log of many failures costs no more than its length. Owns no rule.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::assets::policy;
use crate::model::semver::{Version, exact};

use super::Context;
use super::condition::{Condition, Given, Term};
use super::log::{Line, Log, Place, Step, Stream};
use super::signature::{Class, Fact, Known, Scope, Table};

/// One failure and what was printed around it.
pub struct Episode<'e, 'l> {
    pub lines: &'e [&'l Line],
    pub stream: &'l Stream,
}

impl Episode<'_, '_> {
    fn last(&self) -> u32 {
        self.lines.last().map_or(0, |line| line.number)
    }

    /// The step of its first error, else of its end.
    pub fn step(&self) -> usize {
        let error = self.lines.iter().find(|line| line.error);
        error.or(self.lines.last()).map_or(0, |line| line.step)
    }
}

/// What holds for the whole log.
pub struct Whole<'l> {
    pub log: &'l Log,
    context: &'l Context<'l>,
    table: &'l Table,
    /// What the log says was published, with the line that says it.
    pub published: BTreeMap<&'l str, &'l Line>,
    /// For each pattern the lines that it fits, in order.
    hits: Vec<Vec<&'l Line>>,
    /// For each fact and each step, job or log that it is of, its lines in order.
    facts: BTreeMap<(usize, usize), Vec<&'l Line>>,
    /// For each fact and job, the first lines of the commands that make it unknown again.
    resets: BTreeMap<(usize, usize), Vec<u32>>,
    any_failed: bool,
}

impl<'l> Whole<'l> {
    /// Indexes a log.
    pub fn new(table: &'l Table, log: &'l Log, context: &'l Context<'l>) -> Self {
        let mut lines: Vec<&Line> = log
            .streams
            .iter()
            .flat_map(|stream| &stream.lines)
            .collect();
        lines.sort_by_key(|line| line.number);
        let mut whole = Self {
            log,
            context,
            table,
            published: BTreeMap::new(),
            hits: vec![Vec::new(); table.patterns.len()],
            facts: BTreeMap::new(),
            resets: BTreeMap::new(),
            any_failed: log.steps.iter().any(|step| step.failed),
        };
        for line in lines {
            if let Some(published) = line.published.as_deref() {
                whole.published.entry(published).or_insert(line);
            }
            for hit in &line.hits {
                if let Some(known) = whole.hits.get_mut(*hit) {
                    known.push(line);
                }
            }
            for (at, fact) in table.facts.iter().enumerate() {
                if line.hits.iter().any(|hit| fact.lines.contains(hit)) {
                    let key = (at, whole.place(fact.scope, line.step));
                    whole.facts.entry(key).or_default().push(line);
                }
            }
        }
        for step in &log.steps {
            for (at, fact) in table.facts.iter().enumerate() {
                if step.hits.iter().any(|hit| fact.reset.contains(hit)) {
                    let known = whole.resets.entry((at, step.job)).or_default();
                    known.push(step.number);
                }
            }
        }
        whole
    }

    fn step(&self, at: usize) -> Option<&'l Step> {
        self.log.steps.get(at)
    }

    /// Gives the first line of what a step runs, where the log tells.
    pub fn command(&self, at: usize) -> Option<&'l str> {
        let script = self.step(at)?.script.lines().next();
        script.filter(|script| !script.is_empty())
    }

    /// Gives the step of the job that a line stands in, not the command in it.
    pub fn root(&self, line: &Line) -> usize {
        self.step(line.step).map_or(0, |step| step.root)
    }

    /// Gives the lines that a pattern fits, in order.
    pub fn with(&self, pattern: usize) -> impl Iterator<Item = &'l Line> {
        self.hits.get(pattern).into_iter().flatten().copied()
    }

    /// Tells whether a step failed, or may have: where the log says nothing of how steps end, it must not have ended well.
    pub fn may_have_failed(&self, root: usize) -> bool {
        match self.any_failed {
            true => self.step(root).is_some_and(|step| step.failed),
            false => !self.log.well,
        }
    }

    fn place(&self, scope: Scope, step: usize) -> usize {
        let step = self.step(step);
        match scope {
            Scope::Step => step.map_or(0, |step| step.root),
            Scope::Job => step.map_or(0, |step| step.job),
            Scope::Log => 0,
        }
    }

    /// Gives the line that says a fact for an episode: the last one before its end, else the first after it.
    fn fact(&self, at: usize, episode: &Episode<'_, '_>) -> Option<&'l Line> {
        let fact = self.table.facts.get(at)?;
        let job = self.place(Scope::Job, episode.step());
        let places = [self.place(fact.scope, episode.step()), 0];
        // What has no job stands before all of them.
        let most = if fact.scope == Scope::Step { 1 } else { 2 };
        let lines = places
            .iter()
            .take(most)
            .find_map(|place| self.facts.get(&(at, *place)))?;
        let before = lines.partition_point(|line| line.number <= episode.last());
        let line = lines.get(before.saturating_sub(1))?;
        let resets = self.resets.get(&(at, job));
        let reset = resets.is_some_and(|numbers| {
            numbers
                .iter()
                .any(|number| (line.number..=episode.last()).contains(number))
        });
        (!reset).then_some(line)
    }

    fn version(&self, at: usize, episode: &Episode<'_, '_>) -> Option<(&'l Line, Version)> {
        let line = self.fact(at, episode)?;
        Some((line, value(self.table.facts.get(at)?, &line.text)?))
    }

    /// Gives the lines that show a condition; none where it does not hold.
    fn meets(
        &self,
        condition: &Condition,
        episode: &Episode<'_, '_>,
        package: Option<&str>,
    ) -> Option<Vec<&'l Line>> {
        condition.0.iter().find_map(|term| match term {
            Term::Given { what, holds } => {
                (self.given(*what, episode, package) == *holds).then(Vec::new)
            }
            Term::Fact { fact, holds } => match (self.fact(*fact, episode), *holds) {
                (Some(line), true) => Some(vec![line]),
                (None, false) => Some(Vec::new()),
                _ => None,
            },
            Term::Below { fact, version } => {
                let (line, seen) = self.version(*fact, episode)?;
                (seen < *version).then(|| vec![line])
            }
            Term::AtLeast { fact, version } => {
                let (line, seen) = self.version(*fact, episode)?;
                (seen >= *version).then(|| vec![line])
            }
        })
    }

    fn given(&self, what: Given, episode: &Episode<'_, '_>, package: Option<&str>) -> bool {
        let context = self.context;
        let differ = |one: Option<&str>, other: Option<&str>| match (one, other) {
            (Some(one), Some(other)) => one != other,
            _ => false,
        };
        // A path that keeps its token was not rewired: then no ref is old in that sense.
        let keeps_token = context.lane.is_some_and(|lane| !lane.needs_trust());
        let again = context.run_attempt.is_some_and(|attempt| attempt > 1);
        let elsewhere = differ(context.branch, context.default_branch);
        match what {
            Given::ImmutableSubject => context.immutable_subject == Some(true),
            Given::JustPublished => self.just_published(package),
            Given::PublishedBefore => self.published_before(episode),
            Given::GithubPackages => self.registry(episode) == Some(Place::GithubPackages),
            Given::OtherRegistry => self.registry(episode) == Some(Place::Other),
            Given::RegistryAlias => self.registry(episode) == Some(Place::Alias),
            _ if keeps_token || context.rewired == Some(true) => false,
            Given::RerunBeforeMerge => {
                let other = differ(context.head_sha, context.default_sha);
                again && (context.rewired == Some(false) || other) && !elsewhere
            }
            Given::OldRef => {
                elsewhere && (context.rewired == Some(false) || context.lane.is_some())
            }
        }
    }

    /// A moment ago: by this log, which names the same package or none; or by what is known otherwise.
    fn just_published(&self, package: Option<&str>) -> bool {
        let minutes = self.context.published_minutes_ago;
        let visible = policy().after_publish.visible_within_minutes;
        minutes.is_some_and(|minutes| minutes < visible)
            || self.published.keys().any(|whole| {
                let name = whole.rsplit_once('@').map(|(name, _)| name);
                package.is_none() || name == package
            })
    }

    fn published_before(&self, episode: &Episode<'_, '_>) -> bool {
        let step = self.step(episode.step());
        let first = episode.lines.first().map_or(0, |line| line.number);
        self.published.values().any(|line| {
            let of = self.step(line.step);
            line.number <= first && of.map(|of| of.job) == step.map(|step| step.job)
        })
    }

    /// The registry that the errors of an episode name, else the one that its publish named.
    fn registry(&self, episode: &Episode<'_, '_>) -> Option<Place> {
        let named = |error: bool| {
            let mut lines = episode.lines.iter().filter(|line| line.error || !error);
            lines.find_map(|line| line.place)
        };
        named(true).or_else(|| named(false))
    }

    /// Gives the lines that show a signature in an episode; none where it does not fit.
    pub fn shown(
        &self,
        known: &Known,
        episode: &Episode<'_, 'l>,
        package: Option<&str>,
    ) -> Option<Vec<&'l Line>> {
        let signature = &known.signature;
        let lines = episode.lines.iter().copied();
        let errors = lines.clone().filter(|line| line.error);
        let mut shown: Vec<&Line> = Vec::new();
        if !signature.codes.is_empty() {
            let has = |line: &&Line| {
                let mut codes = line.codes.iter();
                codes.any(|code| signature.codes.iter().any(|wanted| **wanted == **code))
            };
            let coded: Vec<&Line> = errors.clone().filter(has).collect();
            if coded.is_empty() {
                return None;
            }
            shown.extend(coded);
        }
        shown.extend(fits(errors.clone(), &known.error)?);
        shown.extend(fits(lines, &known.episode)?);
        shown.extend(self.calls(&known.call, errors, episode)?);
        for pattern in known.log.clone() {
            shown.push(self.with(pattern).next()?);
        }
        for condition in &known.when {
            shown.extend(self.meets(condition, episode, package)?);
        }
        if signature.class != Class::Noise {
            shown.extend(episode.lines.iter().find(|line| line.head));
        }
        shown.sort_by_key(|line| line.number);
        shown.dedup_by_key(|line| line.number);
        Some(shown)
    }

    /// Tells whether every pattern fits the call that failed: the address in an error, or the command.
    fn calls(
        &self,
        patterns: &Range<usize>,
        errors: impl Iterator<Item = &'l Line> + Clone,
        episode: &Episode<'_, '_>,
    ) -> Option<Vec<&'l Line>> {
        if patterns.is_empty() {
            return Some(Vec::new());
        }
        let step = self.step(episode.step());
        // Which of several commands it was, the log tells where one of them has published already.
        let step = step.filter(|step| step.is_single() || self.published_before(episode));
        let mut shown = Vec::new();
        for pattern in patterns.clone() {
            let line = errors.clone().find(|line| line.hits.contains(&pattern));
            let command = step.is_some_and(|step| step.hits.contains(&pattern));
            if line.is_none() && !command {
                return None;
            }
            shown.extend(line);
        }
        Some(shown)
    }
}

fn fits<'a>(
    lines: impl Iterator<Item = &'a Line> + Clone,
    patterns: &Range<usize>,
) -> Option<Vec<&'a Line>> {
    let every = patterns
        .clone()
        .all(|pattern| lines.clone().any(|line| line.hits.contains(&pattern)));
    every.then(|| {
        lines
            .filter(|line| line.hits.iter().any(|hit| patterns.contains(hit)))
            .collect()
    })
}

/// Gives the version that a line says a fact has.
fn value(fact: &Fact, text: &str) -> Option<Version> {
    let found = fact
        .values
        .iter()
        .find_map(|pattern| pattern.captures(text));
    let value = found.as_ref()?.get(1)?.as_str();
    exact(value)
}
