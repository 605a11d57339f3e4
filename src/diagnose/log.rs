//! A CI log as the few lines of it that say something about publishing, with their numbers, jobs and steps.
//!
//! Timestamps, colours and the prefixes of task runners go, secrets are replaced before a line is kept, and lines of
//! tasks that ran side by side are put apart again. Must not keep a line that no pattern asked for.

use std::borrow::Cow;
use std::collections::BTreeMap;

use regex::bytes::RegexSet;

use crate::assets;
use crate::model::name::PackageName;
use crate::safe::redact::{Redactor, redact, unescaped};

mod shape;

use shape::{
    ADDRESS, COMMAND, END, FAILED, HEAD, NAMED, PUBLISHED, STAMP, STEP, SUSPECT, TASK, WELL,
    WRITTEN,
};

/// Most bytes of one line that are kept.
const LINE: usize = 2_000;

/// Most bytes of one line that are read: more than is kept, so that no secret is cut before it is known as one.
const READ: usize = 4 * LINE;

/// Most streams that are told apart; lines of later ones go to the first.
const STREAMS: usize = 2_000;

/// Most bytes of one step's script that are kept.
const SCRIPT_CAP: usize = 8_000;

/// Last lines that read like errors, kept for a log that nothing else explains.
const SUSPECTS: usize = 4;

/// The colour in which GitHub Actions repeats a step's script: text that was not printed by anything.
const SCRIPT: &str = "\u{1b}[36;1m";

/// Which registry a request goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Npm,
    /// Another name of the public registry.
    Alias,
    GithubPackages,
    Other,
}

/// A line that a pattern, an error or a package made worth keeping.
#[derive(Debug, Clone, Default)]
pub struct Line {
    /// From 1.
    pub number: u32,
    /// Redacted, without timestamp and colours.
    pub text: Box<str>,
    /// It reports a failure.
    pub error: bool,
    /// A failure's report begins here.
    pub head: bool,
    /// A failure's report ends here.
    pub end: bool,
    /// `name@version` that this line says was published.
    pub published: Option<Box<str>>,
    pub package: Option<Box<str>>,
    /// The registry that it names as a request's or a publish's.
    pub place: Option<Place>,
    /// Error codes, `E404` and the like.
    pub codes: Vec<Box<str>>,
    /// Indexes of the patterns that fit.
    pub hits: Vec<usize>,
    /// Index of its step.
    pub step: usize,
}

/// A step of a job, or a command in one.
#[derive(Debug, Clone, Default)]
pub struct Step {
    /// The line that begins it; 0 for what comes before the first.
    pub number: u32,
    pub job: usize,
    /// Index of the step that it is a command of; its own where it is none.
    pub root: usize,
    /// What it runs, redacted; empty where the log does not tell.
    pub script: String,
    /// The log says that it failed.
    pub failed: bool,
    /// Indexes of the patterns that fit the script.
    pub hits: Vec<usize>,
}

impl Step {
    /// Tells whether it runs one command, as far as the log shows it.
    pub fn is_single(&self) -> bool {
        self.script.lines().nth(1).is_none()
    }
}

/// Lines that belong together: one task's, or all of a log.
#[derive(Debug, Clone, Default)]
pub struct Stream {
    pub name: Box<str>,
    pub lines: Vec<Line>,
}

/// A log, read.
#[derive(Debug, Clone, Default)]
pub struct Log {
    pub lines: u32,
    /// Something in it failed.
    pub failed: bool,
    /// It shows its end, and that is a good one.
    pub well: bool,
    pub steps: Vec<Step>,
    pub streams: Vec<Stream>,
    /// The last lines that read like errors of something that is not known.
    pub suspects: Vec<Line>,
}

/// Gives the text of a log that Windows wrote as UTF-16, by its byte order mark; other bytes as they are.
pub fn text(log: &[u8]) -> Cow<'_, [u8]> {
    let unit: fn([u8; 2]) -> u16 = match log {
        [0xff, 0xfe, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] => u16::from_be_bytes,
        _ => return Cow::Borrowed(log),
    };
    let units = log.chunks_exact(2).filter_map(|pair| pair.try_into().ok());
    let text: String = char::decode_utf16(units.map(unit))
        .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect();
    Cow::Owned(text.into_bytes())
}

/// Reads a log. Bytes that are not UTF-8 are taken as U+FFFD.
pub fn read(log: &[u8], wanted: &RegexSet) -> Log {
    let mut reader = Reader::new(wanted);
    let mut redactor = Redactor::keeping_lines();
    let mut rest = String::new();
    for raw in log.split(|b| *b == b'\n') {
        let raw = raw.get(..READ).unwrap_or(raw);
        let (plain, is_script) = plain(&String::from_utf8_lossy(raw));
        reader.script.push(is_script);
        rest += &redactor.push(plain.as_bytes());
        rest += &redactor.push(b"\n");
        let whole = rest.rfind('\n').map_or(0, |at| at + 1);
        for line in rest.get(..whole).unwrap_or_default().lines() {
            reader.take(line);
        }
        rest.drain(..whole);
    }
    rest += &redactor.finish();
    for line in rest.lines() {
        reader.take(line);
    }
    let mut log_read = reader.finish();
    // What stands after the last line break is no line when nothing does.
    if log.last().is_none_or(|b| *b == b'\n') {
        log_read.lines = log_read.lines.saturating_sub(1);
    }
    log_read
}

/// Takes timestamp and colours off a line, and tells whether it only repeats a script. Job and step stay, before a mark.
fn plain(raw: &str) -> (String, bool) {
    let stamp = STAMP.captures(raw);
    let part = |at: usize| {
        let found = stamp.as_ref().and_then(|found| found.get(at));
        found.map_or("", |part| part.as_str())
    };
    let rest = raw.get(part(0).len()..).unwrap_or_default();
    let text: Cow<'_, str> = unescaped(rest);
    // A spinner's last frame stands before what was printed over it.
    let text = text.trim_start_matches(|c| ('\u{2801}'..='\u{28ff}').contains(&c));
    let (job, step) = (unescaped(part(1)), unescaped(part(2)));
    let line = if job.is_empty() {
        text.to_owned()
    } else {
        format!("{job}\u{1e}{step}\u{1f}{text}")
    };
    (line, rest.starts_with(SCRIPT))
}

fn cut(text: &str, most: usize) -> &str {
    text.get(..text.floor_char_boundary(most))
        .unwrap_or_default()
}

/// A job, as far as it was read.
#[derive(Debug, Default)]
struct Job {
    name: String,
    /// The step of the forge's own column.
    column: String,
    root: usize,
    /// The script of the root step is being repeated.
    heading: bool,
    /// For each task that ran beside others, the command that it runs.
    commands: BTreeMap<String, usize>,
}

struct Reader<'p> {
    log: Log,
    wanted: &'p RegexSet,
    jobs: Vec<Job>,
    /// Job and task of the streams, in the order of the log's.
    streams: Vec<(usize, String)>,
    /// For each line that was pushed, whether it repeats a script.
    script: Vec<bool>,
}

impl<'p> Reader<'p> {
    fn new(wanted: &'p RegexSet) -> Self {
        let log = Log {
            steps: vec![Step::default()],
            ..Log::default()
        };
        Self {
            log,
            wanted,
            jobs: vec![Job::default()],
            streams: Vec::new(),
            script: Vec::new(),
        }
    }

    fn take(&mut self, line: &str) {
        let script = usize::try_from(self.log.lines)
            .ok()
            .and_then(|at| self.script.get(at))
            .copied();
        self.log.lines = self.log.lines.saturating_add(1);
        let (place, text) = line.split_once('\u{1f}').unwrap_or(("", line));
        let (job, column) = place.split_once('\u{1e}').unwrap_or((place, ""));
        let job = self.job(job, column);
        let text = cut(text, LINE);
        if script == Some(true) {
            self.repeat(job, text);
            return;
        }
        if self.begin(job, text) {
            return;
        }
        let task = TASK.captures(text);
        let end = task
            .as_ref()
            .and_then(|task| task.get(0))
            .map_or(0, |all| all.end());
        let name = task
            .as_ref()
            .and_then(|task| task.iter().skip(1).flatten().next())
            .map_or("", |name| name.as_str());
        let text = text.get(end..).unwrap_or_default();
        let step = self.command(job, name, text);
        self.judge(step, text);
        let Some(mut read) = worth(text, self.wanted) else {
            return;
        };
        read.number = self.log.lines;
        read.step = step;
        self.log.failed |= read.error;
        let at = self.stream(job, name);
        if let Some(stream) = self.log.streams.get_mut(at) {
            stream.lines.push(read);
        }
    }

    /// Gives the job of a line; a new step of it begins where the forge's column says so.
    fn job(&mut self, name: &str, column: &str) -> usize {
        let known = self.jobs.iter().rposition(|job| job.name == name);
        let at = known.unwrap_or_else(|| {
            self.jobs.push(Job {
                name: name.to_owned(),
                ..Job::default()
            });
            self.jobs.len() - 1
        });
        let moved = self.jobs.get_mut(at).is_some_and(|job| {
            let moved = job.column != column && column != "UNKNOWN STEP";
            if moved {
                job.column = column.to_owned();
            }
            moved
        });
        if moved || known.is_none() {
            self.root(at, "");
        }
        at
    }

    fn root(&mut self, job: usize, script: &str) {
        let at = self.log.steps.len();
        self.log.steps.push(Step {
            number: self.log.lines,
            job,
            root: at,
            script: script.to_owned(),
            ..Step::default()
        });
        if let Some(job) = self.jobs.get_mut(job) {
            job.root = at;
            job.commands.clear();
        }
    }

    /// Takes a line that begins a step.
    fn begin(&mut self, job: usize, text: &str) -> bool {
        let Some(found) = STEP.captures(text) else {
            return false;
        };
        let script = found.iter().skip(1).flatten().next();
        self.root(job, script.map_or("", |script| script.as_str()));
        if let Some(job) = self.jobs.get_mut(job) {
            job.heading = text.starts_with("##[group]");
        }
        true
    }

    /// Takes a line that only repeats the script of its step.
    fn repeat(&mut self, job: usize, text: &str) {
        let root = self.jobs.get(job).map_or(0, |job| job.root);
        if let Some(step) = self.log.steps.get_mut(root) {
            // The first line of the script is the step's name already.
            let first = step.is_single() && step.script == text;
            if !first && step.script.len() < SCRIPT_CAP {
                step.script.push('\n');
                step.script.push_str(text);
            }
        }
    }

    /// Gives the step that a line is of; a command that it prints begins a new one.
    fn command(&mut self, job: usize, task: &str, text: &str) -> usize {
        let root = self.jobs.get(job).map_or(0, |job| job.root);
        let found = COMMAND.captures(text);
        if let Some(command) =
            found.and_then(|found| Some(found.iter().skip(1).flatten().next()?.as_str().to_owned()))
        {
            let at = self.log.steps.len();
            self.log.steps.push(Step {
                number: self.log.lines,
                job,
                root,
                script: command,
                ..Step::default()
            });
            if let Some(job) = self.jobs.get_mut(job) {
                job.commands.insert(task.to_owned(), at);
            }
            return at;
        }
        let commands = self.jobs.get(job).map(|job| &job.commands);
        commands
            .and_then(|commands| commands.get(task).or_else(|| commands.get("")))
            .copied()
            .unwrap_or(root)
    }

    /// Notes what a line says of how its step and the log end.
    fn judge(&mut self, step: usize, text: &str) {
        let failed = FAILED.is_match(text);
        if failed {
            self.log.failed = true;
            let root = self.log.steps.get(step).map_or(0, |step| step.root);
            for at in [step, root] {
                if let Some(step) = self.log.steps.get_mut(at) {
                    step.failed = true;
                }
            }
        } else if WELL.is_match(text) {
            self.log.well = true;
        }
        // What only counts the exit code says nothing of the reason.
        let says = match failed {
            true => text.starts_with("##[error]") && !text.contains("Process completed"),
            false => SUSPECT.is_match(text) && !shape::is_error(text),
        };
        if says {
            self.suspect(step, text);
        }
    }

    fn suspect(&mut self, step: usize, text: &str) {
        if self.log.suspects.len() == SUSPECTS {
            self.log.suspects.remove(0);
        }
        self.log.suspects.push(Line {
            number: self.log.lines,
            text: text.into(),
            step,
            ..Line::default()
        });
    }

    fn stream(&mut self, job: usize, task: &str) -> usize {
        let known = |(one, name): &(usize, String)| *one == job && name == task;
        if let Some(at) = self.streams.iter().rposition(known) {
            return at;
        }
        if self.streams.len() == STREAMS {
            return 0;
        }
        self.streams.push((job, task.to_owned()));
        self.log.streams.push(Stream {
            name: task.into(),
            lines: Vec::new(),
        });
        self.streams.len() - 1
    }

    fn finish(mut self) -> Log {
        for step in &mut self.log.steps {
            step.script = redact(&step.script).into_owned();
            step.hits = self
                .wanted
                .matches(step.script.as_bytes())
                .into_iter()
                .collect();
        }
        self.log
    }
}

/// Reads a line; none where nothing about it matters.
fn worth(text: &str, wanted: &RegexSet) -> Option<Line> {
    let hits: Vec<usize> = wanted.matches(text.as_bytes()).into_iter().collect();
    let error = shape::is_error(text);
    let published = PUBLISHED.captures(text).and_then(|found| {
        let all: Vec<&str> = found.iter().skip(1).flatten().map(|m| m.as_str()).collect();
        let whole = all.join("@");
        let (name, _) = whole.rsplit_once('@')?;
        PackageName::parse(name).ok()?;
        Some(whole.into_boxed_str())
    });
    let package = package(text);
    let place = place(text);
    if hits.is_empty() && !error && published.is_none() && package.is_none() && place.is_none() {
        return None;
    }
    Some(Line {
        text: text.into(),
        error,
        head: error && HEAD.is_match(text),
        end: error && END.is_match(text),
        published,
        package,
        place,
        codes: if error {
            shape::codes(text)
        } else {
            Vec::new()
        },
        hits,
        ..Line::default()
    })
}

/// Gives the registry that a line names as a request's or a publish's.
fn place(text: &str) -> Option<Place> {
    let found = ADDRESS.captures(text)?;
    let address = found.iter().skip(1).flatten().next()?.as_str();
    let host = address.split('/').nth(2)?;
    // Sigstore and the forge's own services are no registries.
    let apart = ["sigstore.dev", "githubusercontent.com", "api.github.com"];
    if apart.iter().any(|apart| host.ends_with(apart)) {
        return None;
    }
    Some(match assets::registries().kind_of(address) {
        Some(assets::HostKind::Npmjs) => Place::Npm,
        Some(assets::HostKind::NpmjsAlias) => Place::Alias,
        Some(assets::HostKind::GithubPackages) => Place::GithubPackages,
        Some(assets::HostKind::Other) | None => Place::Other,
    })
}

/// Gives the package that a line is about, where it names one.
fn package(text: &str) -> Option<Box<str>> {
    let named = WRITTEN
        .captures(text)
        .and_then(|found| Some(from_path(found.iter().skip(1).flatten().next()?.as_str())))
        .or_else(|| {
            let found = NAMED.captures(text)?;
            Some(found.iter().skip(1).flatten().next()?.as_str().to_owned())
        })?;
    PackageName::parse(&named).ok()?;
    Some(named.into_boxed_str())
}

/// Gives the package that a registry's address ends in: `@scope%2fname`, `@scope/name` or `name`.
fn from_path(path: &str) -> String {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let path = path
        .replace("%2f", "/")
        .replace("%2F", "/")
        .replace("%40", "@");
    let parts: Vec<&str> = path.trim_end_matches(['/', ',', '.']).split('/').collect();
    match parts.as_slice() {
        [.., scope, name] if scope.starts_with('@') => format!("{scope}/{name}"),
        [.., name] => (*name).to_owned(),
        [] => String::new(),
    }
}

#[cfg(test)]
mod tests;
