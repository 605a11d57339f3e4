//! Why a publish failed: the log of a CI job, matched against known signatures, with what each really means.
//!
//! The table is data (`assets/policy/log-signatures.toml`); this reads a log, cuts it into episodes and takes the first
//! signature that fits each, with what the facts of the whole log decide. Must not guess: a log that fits none is
//! `unknown`. Keeps no secret: lines are redacted before they are matched.

use serde::Serialize;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::model::lane::Lane;
use crate::safe::shown::visible;
use log::{Line, Log, Stream};
use signature::{Certainty, Class, Known, Role, Table, table};
use whole::{Episode, Whole};

mod condition;
pub mod identify;
mod log;
pub mod signature;
mod whole;

/// Most lines shown as evidence of one cause.
const EVIDENCE: usize = 8;

/// Most causes of one log; what is beyond is counted.
const CAUSES: usize = 200;

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
    /// The command or step in which it was seen first, where the log tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// How often it was seen for this package.
    pub times: u32,
    /// The package was published all the same: with another credential, or in a later try.
    pub published: bool,
    /// It comes besides a cause and is none by itself.
    #[serde(skip)]
    pub besides: bool,
    pub evidence: Vec<Evidence>,
}

/// How a log reads as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    Found,
    /// Something failed and no signature fits.
    Unknown,
    /// It ends well, and nothing in it says that anything failed.
    NoFailure,
    /// Nothing in it says that anything failed, and it does not show how it ended.
    Unended,
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
    /// The first command that the log says failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed_step: Option<String>,
    /// Failures that no signature explains, by their first line; else the last lines that read like errors.
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
            Outcome::NoFailure | Outcome::Unended => None,
        }
    }
}

/// Gives the text of a log that may be UTF-16, as Windows PowerShell writes files; other bytes as they are.
pub fn text(log: &[u8]) -> Cow<'_, [u8]> {
    log::text(log)
}

/// Explains a log.
pub fn diagnose(log: &[u8], context: &Context<'_>) -> Diagnosis {
    let table = table();
    let log = log::read(&text(log), &table.patterns);
    let whole = Whole::new(table, &log, context);
    let mut diagnosis = Diagnosis {
        outcome: Outcome::NoFailure,
        lines: log.lines,
        causes: Vec::new(),
        more_causes: 0,
        published: whole
            .published
            .keys()
            .map(|one| (*one).to_owned())
            .collect(),
        failed_step: failed_step(&whole),
        unknown: Vec::new(),
        noise: Vec::new(),
    };
    let mut reading = Reading {
        table,
        whole: &whole,
        diagnosis: &mut diagnosis,
        answered: BTreeMap::new(),
        unknown: Vec::new(),
    };
    for stream in &log.streams {
        for lines in episodes(stream, &log) {
            reading.take(&Episode {
                lines: &lines,
                stream,
            });
        }
    }
    reading.steps();
    reading.settle();
    diagnosis
}

/// Gives the first line of the command that failed first.
fn failed_step(whole: &Whole<'_>) -> Option<String> {
    let steps = (0..).zip(&whole.log.steps);
    let mut failed = steps.filter(|(_, step)| step.failed);
    let script = failed.find_map(|(at, _)| whole.command(at))?;
    Some(visible(script).into_owned())
}

/// Cuts a stream into episodes: one publish and what was printed around it.
///
/// A report of failure ends where npm says where its log is, where its step ends or where the next one begins; a success
/// ends one, too.
fn episodes<'a>(stream: &'a Stream, log: &Log) -> Vec<Vec<&'a Line>> {
    let root = |line: &Line| log.steps.get(line.step).map_or(0, |step| step.root);
    let mut all: Vec<Vec<&Line>> = Vec::new();
    let mut open: Vec<&Line> = Vec::new();
    let (mut head, mut error) = (false, false);
    for line in &stream.lines {
        let moved = open
            .last()
            .is_some_and(|last| root(last) != root(line) || (error && last.step != line.step));
        if moved {
            all.push(std::mem::take(&mut open));
            (head, error) = (false, false);
        }
        if (line.head && head) || (line.published.is_some() && error) {
            // What stands between two reports belongs to the second.
            let cut = open
                .iter()
                .rposition(|before| before.error)
                .map_or(0, |at| at + 1);
            let rest = open.split_off(cut);
            all.push(std::mem::replace(&mut open, rest));
            (head, error) = (false, false);
        }
        open.push(line);
        head |= line.head;
        error |= line.error;
        if line.end || line.published.is_some() {
            all.push(std::mem::take(&mut open));
            (head, error) = (false, false);
        }
    }
    all.push(open);
    all.retain(|episode| !episode.is_empty());
    all
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

/// What comes out of a log while it is read.
struct Reading<'a, 'l> {
    table: &'static Table,
    whole: &'a Whole<'l>,
    diagnosis: &'a mut Diagnosis,
    /// For each step the last line of a failure that an answer or a fact explains.
    answered: BTreeMap<usize, u32>,
    unknown: Vec<&'l Line>,
}

impl<'l> Reading<'_, 'l> {
    fn take(&mut self, episode: &Episode<'_, 'l>) {
        let package = package_of(episode.lines, episode.stream);
        let mut answer: Option<(&'static Known, Vec<&Line>)> = None;
        let mut generic: Option<(&'static Known, Vec<&Line>)> = None;
        let (mut facts, mut besides) = (Vec::new(), Vec::new());
        for known in &self.table.all {
            let role = known.signature.role;
            let taken = match role {
                Role::Answer => answer.is_some() && known.signature.class != Class::Noise,
                Role::Generic => generic.is_some(),
                Role::Step => true,
                Role::Fact | Role::Besides => false,
            };
            if taken {
                continue;
            }
            let Some(lines) = self.whole.shown(known, episode, package.as_deref()) else {
                continue;
            };
            match role {
                _ if known.signature.class == Class::Noise => {
                    let noise = lines.into_iter().take(EVIDENCE).map(evidence);
                    self.diagnosis.noise.extend(noise);
                }
                Role::Answer => answer = Some((known, lines)),
                Role::Fact => facts.push((known, lines)),
                Role::Generic => generic = Some((known, lines)),
                Role::Besides | Role::Step => besides.push((known, lines)),
            }
        }
        let explained = answer.is_some() || !facts.is_empty();
        if explained && let Some(last) = episode.lines.last() {
            self.answered.insert(self.whole.root(last), last.number);
        }
        let fallback = generic.filter(|_| !explained);
        let quiet = !explained && fallback.is_none() && besides.is_empty();
        let all = facts
            .into_iter()
            .chain(answer)
            .chain(fallback)
            .chain(besides);
        for (known, lines) in all {
            let cause = cause(
                known,
                &lines,
                package.clone(),
                self.whole.command(episode.step()),
            );
            self.diagnosis.add(cause);
        }
        let first = episode.lines.iter().find(|line| line.head);
        let first = first.or_else(|| episode.lines.iter().find(|line| line.error));
        self.unknown.extend(first.filter(|_| quiet));
    }

    /// Names the failures of steps that are not npm's, where nothing that npm said explains the step.
    fn steps(&mut self) {
        let mut named: BTreeSet<usize> = BTreeSet::new();
        for known in self
            .table
            .all
            .iter()
            .filter(|known| known.signature.role == Role::Step)
        {
            let lines = known
                .episode
                .clone()
                .flat_map(|pattern| self.whole.with(pattern));
            for line in lines {
                let root = self.whole.root(line);
                let answered = self
                    .answered
                    .get(&root)
                    .is_some_and(|last| *last >= line.number);
                if !answered && self.whole.may_have_failed(root) && named.insert(root) {
                    let command = self.whole.command(root);
                    self.diagnosis.add(cause(known, &[line], None, command));
                }
            }
        }
        self.unknown
            .retain(|line| !named.contains(&self.whole.root(line)));
    }

    /// Says how it all reads, once every episode was seen.
    fn settle(self) {
        let log = self.whole.log;
        let told = self.diagnosis;
        for cause in &mut told.causes {
            cause.published = cause.package.as_deref().is_some_and(|package| {
                self.whole.published.keys().any(|whole| {
                    whole
                        .rsplit_once('@')
                        .is_some_and(|(name, _)| name == package)
                })
            });
        }
        // A dead token is worth a word of its own only where no failure says it already.
        let dead = |cause: &Cause| cause.id == "dead-token-configured";
        if told.causes.iter().any(|cause| !dead(cause)) {
            told.causes.retain(|cause| !dead(cause));
        }
        told.causes.sort_by_key(|cause| {
            (
                cause.besides,
                cause.evidence.first().map_or(0, |first| first.line),
            )
        });
        told.unknown = self
            .unknown
            .iter()
            .take(EVIDENCE)
            .map(|line| evidence(line))
            .collect();
        let suspect = !log.well && told.published.is_empty() && !log.suspects.is_empty();
        told.outcome = match (told.causes.is_empty(), log.failed || suspect) {
            (false, _) => Outcome::Found,
            (true, true) => Outcome::Unknown,
            (true, false) if log.well || !told.published.is_empty() => Outcome::NoFailure,
            (true, false) => Outcome::Unended,
        };
        if told.outcome == Outcome::Unknown && told.unknown.is_empty() {
            told.unknown = log.suspects.iter().map(evidence).collect();
        }
    }
}

fn cause(
    known: &'static Known,
    lines: &[&Line],
    package: Option<String>,
    step: Option<&str>,
) -> Cause {
    let signature = &known.signature;
    let shown = lines.iter().take(EVIDENCE);
    Cause {
        id: &signature.id,
        class: signature.class,
        certainty: signature.certainty,
        doubt: signature.doubt.as_deref(),
        title: &signature.title,
        meaning: &signature.meaning,
        action: &signature.action,
        sources: signature.sources.iter().map(String::as_str).collect(),
        package,
        step: step.map(|step| visible(step).into_owned()),
        times: 1,
        published: false,
        besides: signature.role == Role::Besides,
        evidence: shown.map(|line| evidence(line)).collect(),
    }
}

impl Diagnosis {
    fn add(&mut self, cause: Cause) {
        let same = |known: &&mut Cause| {
            known.id == cause.id && (known.package == cause.package || cause.package.is_none())
        };
        if let Some(known) = self.causes.iter_mut().find(same) {
            known.times = known.times.saturating_add(1);
        } else if self.causes.len() == CAUSES {
            self.more_causes = self.more_causes.saturating_add(1);
        } else {
            self.causes.push(cause);
        }
    }
}

#[cfg(test)]
mod tests;
