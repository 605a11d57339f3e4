//! Why a publish failed: the log of a CI job, matched against known signatures, with what each really means.
//!
//! The table is data (`assets/policy/log-signatures.toml`); this reads a log, cuts it into episodes and takes the first
//! signature that fits each. Must not guess: a log that fits none is `unknown`. Keeps no secret: lines are redacted
//! before they are matched.

use serde::Serialize;
use std::collections::BTreeSet;

use crate::model::lane::Lane;
use crate::safe::shown::visible;
use log::{Line, Stream};
use signature::{Certainty, Class, Known, Table, When, table};

pub mod identify;
mod log;
pub mod signature;

/// Most lines shown as evidence of one cause.
const EVIDENCE: usize = 8;

/// Most causes of one log; what is beyond is counted.
const CAUSES: usize = 200;

/// A publish within this many minutes may not be visible yet.
const VISIBLE_WITHIN: u32 = 30;

/// What is known about a run besides its log. Everything may be missing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Context<'a> {
    /// From 1; above that somebody ran it again.
    pub run_attempt: Option<u32>,
    /// Commit of the run, and the one that the default branch has now.
    pub head_sha: Option<&'a str>,
    pub default_sha: Option<&'a str>,
    /// Branch or tag of the run, and the default branch.
    pub branch: Option<&'a str>,
    pub default_branch: Option<&'a str>,
    /// Whether the run's commit has the rewired workflow, where somebody looked. It overrides what commits and names hint at.
    pub rewired: Option<bool>,
    /// The lane of the path.
    pub lane: Option<Lane>,
    /// The repository's OIDC subject carries numeric ids.
    pub immutable_subject: Option<bool>,
    /// Minutes since one of its packages was published.
    pub published_minutes_ago: Option<u32>,
}

/// One line that shows a cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// From 1.
    pub line: u32,
    /// Redacted and made visible.
    pub text: String,
}

/// One cause, for one package where the log tells which.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cause {
    /// Stable id: it stands in session files.
    pub id: &'static str,
    pub class: Class,
    pub certainty: Certainty,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doubt: Option<&'static str>,
    pub title: &'static str,
    pub meaning: &'static str,
    pub action: &'static str,
    pub sources: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    /// How often it was seen for this package.
    pub times: u32,
    /// The package was published all the same: with another credential, or in a later try.
    pub published: bool,
    pub evidence: Vec<Evidence>,
}

/// How a log reads as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    Found,
    /// Something failed and no signature fits.
    Unknown,
    /// Nothing in it says that anything failed.
    NoFailure,
}

/// What a log told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnosis {
    pub outcome: Outcome,
    pub lines: u32,
    /// In the order of the log.
    pub causes: Vec<Cause>,
    pub more_causes: u32,
    /// `name@version` that the log says were published.
    pub published: Vec<String>,
    /// Failures that no signature explains, by their first line.
    pub unknown: Vec<Evidence>,
    /// Known lines that mean nothing.
    pub noise: Vec<Evidence>,
}

impl Diagnosis {
    /// Gives the id that stands for the whole log: its first cause, `unknown` where it failed otherwise.
    pub fn cause(&self) -> Option<&'static str> {
        match self.outcome {
            Outcome::Found => self.causes.first().map(|cause| cause.id),
            Outcome::Unknown => Some("unknown"),
            Outcome::NoFailure => None,
        }
    }
}

/// Explains a log.
pub fn diagnose(log: &[u8], context: &Context<'_>) -> Diagnosis {
    let table = table();
    let log = log::read(log, &table.patterns);
    let published: BTreeSet<String> = log
        .streams
        .iter()
        .flat_map(|stream| &stream.lines)
        .filter_map(|line| Some(line.published.as_deref()?.to_owned()))
        .collect();
    let whole = Whole {
        context,
        just_published: !published.is_empty()
            || context
                .published_minutes_ago
                .is_some_and(|minutes| minutes < VISIBLE_WITHIN),
        lines: log
            .streams
            .iter()
            .flat_map(|stream| &stream.lines)
            .collect(),
    };
    let mut diagnosis = Diagnosis {
        outcome: Outcome::NoFailure,
        lines: log.lines,
        causes: Vec::new(),
        more_causes: 0,
        published: published.into_iter().collect(),
        unknown: Vec::new(),
        noise: Vec::new(),
    };
    for stream in &log.streams {
        for episode in episodes(stream) {
            diagnosis.take(table, &episode, stream, &whole);
        }
    }
    diagnosis.settle(log.failed);
    diagnosis
}

/// What holds for the whole log.
struct Whole<'a> {
    context: &'a Context<'a>,
    just_published: bool,
    lines: Vec<&'a Line>,
}

impl Whole<'_> {
    fn holds(&self, when: When) -> bool {
        let context = self.context;
        let differ = |one: Option<&str>, other: Option<&str>| match (one, other) {
            (Some(one), Some(other)) => one != other,
            _ => false,
        };
        // A path that keeps its token was not rewired: then no ref is old in that sense.
        let keeps_token = context.lane.is_some_and(|lane| !lane.needs_trust());
        let again = context.run_attempt.is_some_and(|attempt| attempt > 1);
        let elsewhere = differ(context.branch, context.default_branch);
        match when {
            When::ImmutableSubject => context.immutable_subject == Some(true),
            When::JustPublished => self.just_published,
            _ if keeps_token || context.rewired == Some(true) => false,
            When::RerunBeforeMerge => {
                let other = differ(context.head_sha, context.default_sha);
                again && (context.rewired == Some(false) || other) && !elsewhere
            }
            When::OldRef => elsewhere && (context.rewired == Some(false) || context.lane.is_some()),
        }
    }

    /// Gives the lines that some of the patterns fit, and whether each pattern has one.
    fn fits(&self, patterns: &std::ops::Range<usize>) -> Option<Vec<&Line>> {
        fits(self.lines.iter().copied(), patterns)
    }
}

/// Cuts a stream into episodes: one publish and what was printed around it.
///
/// A report of failure ends where npm says where its log is, or where the next one begins; a success ends one, too.
fn episodes(stream: &Stream) -> Vec<Vec<&Line>> {
    let mut all: Vec<Vec<&Line>> = Vec::new();
    let mut open: Vec<&Line> = Vec::new();
    for line in &stream.lines {
        let over = line.head && open.iter().any(|before| before.head);
        let other = line.published.is_some() && open.iter().any(|before| before.error);
        if over || other {
            // What stands between two reports belongs to the second.
            let cut = open
                .iter()
                .rposition(|before| before.error)
                .map_or(0, |at| at + 1);
            let rest = open.split_off(cut);
            all.push(std::mem::replace(&mut open, rest));
        }
        open.push(line);
        if line.end || line.published.is_some() {
            all.push(std::mem::take(&mut open));
        }
    }
    all.push(open);
    all.retain(|episode| !episode.is_empty());
    all
}

fn fits<'a>(
    lines: impl Iterator<Item = &'a Line> + Clone,
    patterns: &std::ops::Range<usize>,
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

/// Gives the lines that show a signature in an episode; none where it does not fit.
fn shown<'a>(known: &Known, episode: &[&'a Line], whole: &'a Whole<'_>) -> Option<Vec<&'a Line>> {
    let signature = &known.signature;
    let lines = episode.iter().copied();
    let errors = lines.clone().filter(|line| line.error);
    let mut shown: Vec<&Line> = Vec::new();
    if !signature.codes.is_empty() {
        let has = |line: &&Line| {
            line.codes
                .iter()
                .any(|code| signature.codes.iter().any(|wanted| **wanted == **code))
        };
        let coded: Vec<&Line> = errors.clone().filter(has).collect();
        if coded.is_empty() {
            return None;
        }
        shown.extend(coded);
    }
    shown.extend(fits(errors, &known.error)?);
    shown.extend(fits(lines, &known.episode)?);
    let here = fits(episode.iter().copied(), &known.log);
    let anywhere = || {
        whole
            .fits(&known.log)
            .map(|lines| lines.into_iter().take(1).collect())
    };
    shown.extend(here.or_else(anywhere)?);
    if whole
        .lines
        .iter()
        .any(|line| line.hits.iter().any(|hit| known.unless.contains(hit)))
        || signature.when.is_some_and(|when| !whole.holds(when))
    {
        return None;
    }
    if signature.class != Class::Noise {
        shown.extend(episode.iter().find(|line| line.head));
    }
    shown.sort_by_key(|line| line.number);
    shown.dedup_by_key(|line| line.number);
    Some(shown)
}

fn evidence(line: &Line) -> Evidence {
    Evidence {
        line: line.number,
        text: visible(&line.text).into_owned(),
    }
}

/// Gives the package of an episode: as its errors name it, else as its last words do, else as its task is called.
fn package_of(episode: &[&Line], stream: &Stream) -> Option<String> {
    let last = |errors: bool| {
        episode
            .iter()
            .rev()
            .filter(|line| !errors || line.error)
            .find_map(|line| {
                let published = line.published.as_deref();
                let published = published.and_then(|whole| Some(whole.rsplit_once('@')?.0));
                line.package.as_deref().or(published)
            })
    };
    let task = || (stream.name.starts_with('@')).then_some(&*stream.name);
    last(true)
        .or_else(|| last(false))
        .or_else(task)
        .map(str::to_owned)
}

impl Diagnosis {
    fn take(
        &mut self,
        table: &'static Table,
        episode: &[&Line],
        stream: &Stream,
        whole: &Whole<'_>,
    ) {
        let mut explained = false;
        for known in &table.all {
            let Some(lines) = shown(known, episode, whole) else {
                continue;
            };
            if known.signature.class == Class::Noise {
                self.noise
                    .extend(lines.into_iter().take(EVIDENCE).map(evidence));
            } else if !explained {
                explained = true;
                self.add(known, &lines, package_of(episode, stream));
            }
        }
        let first = episode.iter().find(|line| line.head);
        let first = first.or_else(|| episode.iter().find(|line| line.error));
        if let Some(line) = first.filter(|_| !explained && self.unknown.len() < EVIDENCE) {
            self.unknown.push(evidence(line));
        }
    }

    fn add(&mut self, known: &'static Known, lines: &[&Line], package: Option<String>) {
        let signature = &known.signature;
        let same = |cause: &&mut Cause| {
            cause.id == signature.id && (cause.package == package || package.is_none())
        };
        if let Some(cause) = self.causes.iter_mut().find(same) {
            cause.times = cause.times.saturating_add(1);
            return;
        }
        if self.causes.len() == CAUSES {
            self.more_causes = self.more_causes.saturating_add(1);
            return;
        }
        self.causes.push(Cause {
            id: &signature.id,
            class: signature.class,
            certainty: signature.certainty,
            doubt: signature.doubt.as_deref(),
            title: &signature.title,
            meaning: &signature.meaning,
            action: &signature.action,
            sources: signature.sources.iter().map(String::as_str).collect(),
            package,
            times: 1,
            published: false,
            evidence: lines
                .iter()
                .take(EVIDENCE)
                .map(|line| evidence(line))
                .collect(),
        });
    }

    /// Says how it all reads, once every episode was seen.
    fn settle(&mut self, failed: bool) {
        for cause in &mut self.causes {
            cause.published = cause.package.as_deref().is_some_and(|package| {
                self.published.iter().any(|whole| {
                    whole
                        .rsplit_once('@')
                        .is_some_and(|(name, _)| name == package)
                })
            });
        }
        // A dead token is worth a word of its own only where no failure says it already.
        let dead = |cause: &Cause| cause.id == "dead-token-configured";
        if self.causes.iter().any(|cause| cause.id == "token-dead") {
            self.causes.retain(|cause| !dead(cause));
        }
        self.causes
            .sort_by_key(|cause| cause.evidence.first().map_or(0, |first| first.line));
        self.outcome = match (self.causes.is_empty(), failed) {
            (false, _) => Outcome::Found,
            (true, true) => Outcome::Unknown,
            (true, false) => Outcome::NoFailure,
        };
    }
}

#[cfg(test)]
mod tests;
