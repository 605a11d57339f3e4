//! Why release runs failed: their jobs and logs, read once each, and explained. Also the run that somebody follows, by
//! the tags of its last answers: what did not change costs nothing.

use super::{Github, LOG_GONE, LOG_HIDDEN, STOPPED, Told, dated, open_run};
use crate::diagnose::{self, Context};
use crate::engine::live::Tail;
use crate::engine::observe::{QueryResult, Report, Targets};
use crate::engine::schedule::{Query, Urgency};
use crate::github::run::JobLog;
use crate::github::{EtagMap, GithubError, Job, LiveRun, Polled};
use crate::model::fact::{Answer, RunFact};
use crate::model::id::Subject;
use crate::model::name::RepoName;
use crate::model::time::Ts;
use crate::safe::redact::redact;
use crate::safe::shown::visible;
use std::sync::Arc;

/// Most bytes of a job's log that are read.
const LOG_CAP: usize = 8 * 1024 * 1024;
/// Lines of a log's end that are shown.
const TAIL: usize = 200;
/// Seconds between two looks at a run that is followed.
const FOLLOWED: i64 = 5;

/// The run that somebody follows, as last told, and the tags of these answers.
pub(super) struct Followed {
    repo: Subject,
    number: u64,
    tags: Arc<EtagMap>,
    run: Option<LiveRun>,
    jobs: Option<Vec<Job>>,
}

impl Followed {
    fn new(repo: Subject, number: u64) -> Self {
        Self {
            repo,
            number,
            tags: Arc::default(),
            run: None,
            jobs: None,
        }
    }
}

impl Github {
    /// Reads the logs of failed runs that nobody explained yet.
    pub(super) async fn trouble(
        &self,
        id: Subject,
        repo: &RepoName,
        now: Ts,
    ) -> Result<QueryResult, GithubError> {
        let failed: Vec<RunFact> = {
            let memory = self.memory();
            let runs = memory.runs.get(&id).map_or(&[][..], Vec::as_slice);
            memory.unexplained(id, runs).cloned().collect()
        };
        for run in &failed {
            let told = self.explain(id, repo, run).await?;
            self.memory().causes.insert((id, run.id), told);
        }
        let answer = Answer::Causes(self.memory().causes(id));
        Ok(QueryResult::answers(vec![dated(id, answer, now)]))
    }

    async fn explain(
        &self,
        id: Subject,
        repo: &RepoName,
        run: &RunFact,
    ) -> Result<Told, GithubError> {
        let jobs = match self.api.jobs(repo, run.id, &EtagMap::default()).await? {
            Polled::New { value, .. } => value,
            // No tag was sent, so this cannot be.
            Polled::Same { .. } => Vec::new(),
        };
        let job = jobs.iter().find(|job| job.failed());
        let step = job.and_then(Job::failed_step).map(|step| step.name.clone());
        let branch = self
            .memory()
            .known
            .get(&id)
            .map(|known| known.branch.clone());
        let cause = match job {
            None => "unknown",
            Some(job) => match self.api.job_log(repo, job.id, LOG_CAP).await {
                Ok(JobLog::Text(log)) => {
                    let context = Context {
                        run_attempt: Some(run.attempt).filter(|attempt| *attempt > 0),
                        head_sha: Some(&run.sha),
                        branch: Some(&run.branch)
                            .filter(|branch| !branch.is_empty())
                            .map(AsRef::as_ref),
                        default_branch: branch.as_deref(),
                        ..Context::default()
                    };
                    let found = diagnose::diagnose(&log, &context).cause();
                    let stopped = stopped_before(job).then_some(STOPPED);
                    found.or(stopped).unwrap_or("unknown")
                }
                Ok(JobLog::Gone) => LOG_GONE,
                Err(error) if error.affects_one_resource() => LOG_HIDDEN,
                Err(error) => return Err(error),
            },
        };
        Ok(Told {
            updated: run.updated,
            step,
            cause: cause.into(),
        })
    }

    /// Looks at the jobs of the run that somebody follows; once it has ended, at the end of its log.
    pub(super) async fn follow(
        &self,
        id: Subject,
        repo: &RepoName,
        aim: &Targets,
        now: Ts,
    ) -> Result<QueryResult, GithubError> {
        let Some((_, number)) = aim.follow.filter(|(followed, _)| *followed == id) else {
            return Ok(QueryResult::default());
        };
        let Some((run, jobs)) = self.poll(id, repo, number).await? else {
            // A tag without the answer that it is of: both are asked for anew.
            self.memory().followed = None;
            return Ok(QueryResult {
                expedite: vec![((Query::Follow, id), FOLLOWED, Urgency::Now)],
                ..QueryResult::default()
            });
        };
        let mut brought = QueryResult::default();
        let mut tail = Tail {
            repo: id,
            run: number,
            lines: steps(&jobs),
            note: None,
        };
        if run.ended() {
            let job = jobs.iter().find(|job| job.failed()).or_else(|| jobs.last());
            match job {
                Some(job) => match self.api.job_log(repo, job.id, LOG_CAP).await {
                    Ok(JobLog::Text(log)) => {
                        let lines = last_lines(&log);
                        let mut all = wrong(&lines);
                        all.append(&mut tail.lines);
                        all.push("".into());
                        all.extend(lines);
                        tail.lines = all;
                    }
                    Ok(JobLog::Gone) => tail.note = Some("GitHub no longer has this log".into()),
                    Err(error) => tail.note = Some(visible(&error.to_string()).as_ref().into()),
                },
                None => tail.note = Some("this run has no job".into()),
            }
        } else {
            tail.note = Some(
                "GitHub gives the log when the job has ended; the steps move as they are done"
                    .into(),
            );
            let mut open = open_run(&run, now);
            let all: Vec<_> = jobs.iter().flat_map(|job| &job.steps).collect();
            let done = all.iter().filter(|step| step.conclusion.is_some()).count();
            let small = |count: usize| u16::try_from(count).unwrap_or(u16::MAX);
            open.steps = Some((small(done), small(all.len())));
            open.step = jobs
                .iter()
                .find_map(Job::current_step)
                .map(|step| step.name.clone());
            brought.reports.push(Report::Step(id, Box::new(open)));
            brought
                .expedite
                .push(((Query::Follow, id), FOLLOWED, Urgency::Now));
        }
        brought.reports.push(Report::Tail(tail));
        Ok(brought)
    }
}

/// Tells whether a job failed at a step before one that publishes, which was then skipped. By their names: the forge
/// tells no more of steps.
fn stopped_before(job: &Job) -> bool {
    let publishes = |name: &str| {
        let name = name.to_ascii_lowercase();
        ["publish", "release"]
            .iter()
            .any(|word| name.contains(word))
    };
    let Some(failed) = job.failed_step().filter(|step| !publishes(&step.name)) else {
        return false;
    };
    job.steps.iter().any(|step| {
        step.number > failed.number
            && step.conclusion.as_deref() == Some("skipped")
            && publishes(&step.name)
    })
}

/// Lines of a log that say what went wrong, at most so many.
const WRONG: usize = 8;

/// The lines that say what went wrong, for the top of the panel: the end of a log is tidying up.
fn wrong(lines: &[Box<str>]) -> Vec<Box<str>> {
    let says = |line: &str| {
        let line = line.to_ascii_lowercase();
        [
            "npm error",
            "npm err!",
            "##[error]",
            "err_pnpm",
            "lerna err!",
        ]
        .iter()
        .any(|word| line.contains(word))
    };
    let told = lines.iter().filter(|line| says(line));
    let all: Vec<Box<str>> = told.take(WRONG).cloned().collect();
    if all.is_empty() {
        return all;
    }
    let head = ["What the log says:".into()].into_iter();
    head.chain(all).chain(["".into()]).collect()
}

/// Cuts the forge's stamp off a line: the date and seven decimals tell nothing here.
fn unstamped(line: &str) -> String {
    let stamp = line.split_once(' ').filter(|(stamp, _)| {
        stamp.len() > 20 && stamp.ends_with('Z') && Ts::parse(stamp).is_some()
    });
    match stamp {
        Some((stamp, rest)) => format!("{} {rest}", stamp.get(11..19).unwrap_or_default()),
        None => line.to_owned(),
    }
}

impl Github {
    /// Asks for a run and its jobs by the tags of the last answers; gives the last answer where it is the same.
    async fn poll(
        &self,
        id: Subject,
        repo: &RepoName,
        number: u64,
    ) -> Result<Option<(LiveRun, Vec<Job>)>, GithubError> {
        let tags = {
            let mut memory = self.memory();
            let before = memory.followed.take();
            let same = before.filter(|one| (one.repo, one.number) == (id, number));
            let followed = memory
                .followed
                .insert(same.unwrap_or_else(|| Followed::new(id, number)));
            Arc::clone(&followed.tags)
        };
        // Kept as soon as it is here: its tag is.
        if let Polled::New { value, .. } = self.api.run(repo, number, &*tags).await? {
            self.followed(&tags, |followed| followed.run = Some(value));
        }
        if let Polled::New { value, .. } = self.api.jobs(repo, number, &*tags).await? {
            self.followed(&tags, |followed| followed.jobs = Some(value));
        }
        let memory = self.memory();
        let followed = memory.followed.as_ref();
        Ok(followed.and_then(|one| one.run.clone().zip(one.jobs.clone())))
    }

    /// Changes what is known of the followed run, unless another one is followed by now.
    fn followed(&self, tags: &Arc<EtagMap>, change: impl FnOnce(&mut Followed)) {
        let mut memory = self.memory();
        let followed = memory.followed.as_mut();
        if let Some(followed) = followed.filter(|one| Arc::ptr_eq(&one.tags, tags)) {
            change(followed);
        }
    }
}

fn steps(jobs: &[Job]) -> Vec<Box<str>> {
    let mut lines = Vec::new();
    for job in jobs {
        let state = job.conclusion.as_deref().unwrap_or(&job.status);
        lines.push(visible(&format!("{}: {state}", job.name)).as_ref().into());
        for step in &job.steps {
            let state = step.conclusion.as_deref().unwrap_or(&step.status);
            lines.push(
                visible(&format!("  {}. {}: {state}", step.number, step.name))
                    .as_ref()
                    .into(),
            );
        }
    }
    lines
}

/// The last lines of a log: redacted as a whole, since a value may stand across lines, then made visible.
fn last_lines(log: &[u8]) -> Vec<Box<str>> {
    // GitHub's logs begin with a byte order mark.
    let text = String::from_utf8_lossy(log.strip_prefix(b"\xef\xbb\xbf").unwrap_or(log));
    let clean = redact(&text);
    let lines: Vec<&str> = clean.lines().collect();
    let from = lines.len().saturating_sub(TAIL);
    lines
        .iter()
        .skip(from)
        .map(|line| visible(&unstamped(line)).as_ref().into())
        .collect()
}
