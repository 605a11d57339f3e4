//! Runs of release workflows: sweeps over all of them, those that run now, their jobs and steps, logs of failed jobs.
//!
//! GraphQL tells the state of a hundred workflows in a call, but no attempts, steps or tags: those are REST, asked with
//! the tag of the last answer, so that what did not change costs nothing. Why a run failed is not judged here.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use serde::de::DeserializeOwned;
use serde_json::json;

use super::ask::{next_of, repo_path};
use super::cost::IDS_A_CALL;
use super::graph::{self, GraphError};
use super::{GitHub, GithubError, wire};
use crate::http::{Accept, Group};
use crate::model::fact::{Answer, CouldNotFact, LiveSource, RunFact, RunsFact};
use crate::model::id::Subject;
use crate::model::name::RepoName;
use crate::model::time::Ts;
use crate::safe::shown::visible;

mod live;

pub use live::{Job, LiveRun, Step, Wait};

/// Finished runs that are kept of a repository.
const KEPT: usize = 10;
/// Runs that a sweep asks for of each workflow.
const RUNS_A_WORKFLOW: u32 = 5;

/// Tags of answers, by path: with one, an answer that did not change does not count against the budget.
pub trait Etags: Send + Sync {
    fn get(&self, path: &str) -> Option<String>;
    /// Keeps the tag of an answer whose content the caller now has; none forgets it.
    fn put(&self, path: &str, tag: Option<&str>);
}

/// Tags held in memory.
#[derive(Debug, Default)]
pub struct EtagMap(Mutex<HashMap<String, String>>);

impl Etags for EtagMap {
    fn get(&self, path: &str) -> Option<String> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(path)
            .cloned()
    }

    fn put(&self, path: &str, tag: Option<&str>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match tag {
            Some(tag) => all.insert(path.to_owned(), tag.to_owned()),
            None => all.remove(path),
        };
    }
}

/// What came of asking again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Polled<T> {
    /// Nothing changed since the answer that the tag is of.
    Same {
        at: Option<Ts>,
    },
    New {
        at: Option<Ts>,
        value: T,
    },
}

/// One workflow of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseWorkflow {
    pub repo: RepoName,
    /// File, below `.github/workflows/`.
    pub file: Box<str>,
    pub node_id: Box<str>,
    /// `active`, `disabled_manually`, `disabled_inactivity`, …
    pub state: Box<str>,
}

/// What a sweep brought.
#[derive(Debug, Clone, Default)]
pub struct Swept {
    pub at: Option<Ts>,
    /// One fact for each repository all of whose workflows were seen, one "could not look" for each other.
    pub answers: Vec<(Subject, Answer)>,
    /// Runs that have not ended.
    pub live: Vec<LiveRun>,
}

/// A job's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobLog {
    Text(Vec<u8>),
    /// GitHub keeps it no longer.
    Gone,
}

impl GitHub {
    /// Lists the workflows of a repository with the ids that sweeps need. One request for a hundred.
    ///
    /// # Errors
    /// When they could not be listed whole.
    pub async fn workflows(&self, repo: &RepoName) -> Result<Vec<ReleaseWorkflow>, GithubError> {
        let path = format!("{}/actions/workflows", repo_path(repo)?);
        let listing = self
            .list::<wire::Workflow>(&path, Some("workflows"), 100)
            .await?;
        if let Err(says) = listing.whole {
            return Err(GithubError::Part {
                what: format!("workflows of {repo}").into(),
                says: says.into(),
            });
        }
        let named = |one: wire::Workflow| {
            // What GitHub runs by itself (`dynamic/…`) has no file.
            let file = one.path.strip_prefix(".github/workflows/")?.into();
            Some(ReleaseWorkflow {
                repo: repo.clone(),
                file,
                node_id: one.node_id,
                state: one.state,
            })
        };
        Ok(listing.items.into_iter().filter_map(named).collect())
    }

    /// Asks for the last runs of release workflows, a hundred workflows a call. Costs [`super::cost::of_sweep`].
    ///
    /// # Errors
    /// When GitHub cannot be asked.
    pub async fn sweep(&self, workflows: &[ReleaseWorkflow]) -> Result<Swept, GithubError> {
        let mut swept = Swept::default();
        let mut all: BTreeMap<Subject, Result<Vec<RunFact>, Box<str>>> = BTreeMap::new();
        let mut work: Vec<&[ReleaseWorkflow]> =
            workflows.chunks(IDS_A_CALL as usize).rev().collect();
        while let Some(some) = work.pop() {
            let ids: Vec<&str> = some.iter().map(|one| &*one.node_id).collect();
            let variables = json!({"ids": ids, "runs": RUNS_A_WORKFLOW});
            match self.graph::<graph::Sweep>(&graph::SWEEP, variables).await {
                Ok(answer) => {
                    swept.at = swept.at.or(answer.at);
                    let mut nodes = answer.data.nodes.into_iter();
                    for (at, workflow) in some.iter().enumerate() {
                        let seen = runs_of(nodes.next().flatten(), workflow, at, &answer.errors);
                        let slot = all
                            .entry(self.subject(workflow.repo.as_str()))
                            .or_insert_with(|| Ok(Vec::new()));
                        self.keep(seen, workflow, slot, &mut swept.live);
                    }
                }
                Err(error) if error.is_too_much() && some.len() > 1 => {
                    let (left, right) = some.split_at(some.len() / 2);
                    work.extend([right, left]);
                }
                Err(error) => return Err(error),
            }
        }
        swept.answers = all.into_iter().map(answer).collect();
        Ok(swept)
    }

    fn keep(
        &self,
        seen: Result<Vec<graph::Run>, Box<str>>,
        workflow: &ReleaseWorkflow,
        slot: &mut Result<Vec<RunFact>, Box<str>>,
        live: &mut Vec<LiveRun>,
    ) {
        let runs = match seen {
            Ok(runs) => runs,
            Err(why) => {
                *slot = Err(why);
                return;
            }
        };
        let subject = self.subject(workflow.repo.as_str());
        for run in runs
            .into_iter()
            .filter_map(|run| LiveRun::of_graph(subject, workflow, run))
        {
            if !run.ended() {
                live.push(run);
            } else if let Ok(finished) = slot {
                finished.push(run.fact());
            }
        }
    }

    /// Asks for runs that had not ended, a hundred a call. Those that GitHub no longer shows are left out.
    /// Costs [`super::cost::of_live`].
    ///
    /// # Errors
    /// When GitHub cannot be asked.
    pub async fn live(&self, runs: &[LiveRun]) -> Result<(Option<Ts>, Vec<LiveRun>), GithubError> {
        let (mut at, mut all) = (None, Vec::with_capacity(runs.len()));
        for some in runs.chunks(IDS_A_CALL as usize) {
            let ids: Vec<&str> = some.iter().map(|run| &*run.node_id).collect();
            let answer = self
                .graph::<graph::Live>(&graph::LIVE, json!({"ids": ids}))
                .await?;
            at = at.or(answer.at);
            for (run, node) in some.iter().zip(answer.data.nodes) {
                if let Some(node) = node.filter(|node| node.id == run.node_id) {
                    all.push(run.renewed(node));
                }
            }
        }
        Ok((at, all))
    }

    /// Asks for one run by REST: attempt, tag or branch, who started it.
    ///
    /// # Errors
    /// When it could not be read.
    pub async fn run(
        &self,
        repo: &RepoName,
        id: u64,
        tags: &dyn Etags,
    ) -> Result<Polled<LiveRun>, GithubError> {
        let path = format!("{}/actions/runs/{id}", repo_path(repo)?);
        let odd = || GithubError::UnexpectedAnswer {
            what: format!("run {id} of {repo}").into(),
            why: "its id or times",
        };
        match self.poll::<wire::Run>(&path, tags).await? {
            Polled::Same { at } => Ok(Polled::Same { at }),
            Polled::New { at, value } => {
                let value =
                    LiveRun::of_rest(self.subject(repo.as_str()), repo, value).ok_or_else(odd)?;
                Ok(Polled::New { at, value })
            }
        }
    }

    /// Asks for the jobs of a run's last attempt, with their steps.
    ///
    /// # Errors
    /// When they could not be read whole.
    pub async fn jobs(
        &self,
        repo: &RepoName,
        run: u64,
        tags: &dyn Etags,
    ) -> Result<Polled<Vec<Job>>, GithubError> {
        #[derive(serde::Deserialize)]
        struct Page {
            #[serde(default)]
            jobs: Vec<wire::Job>,
        }
        let path = format!("{}/actions/runs/{run}/jobs?filter=latest", repo_path(repo)?);
        let first = format!("{path}&per_page=100");
        match self.poll::<Page>(&first, tags).await? {
            Polled::Same { at } => Ok(Polled::Same { at }),
            Polled::New { at, value } if value.jobs.len() < 100 => Ok(Polled::New {
                at,
                value: value.jobs.into_iter().filter_map(Job::of).collect(),
            }),
            Polled::New { .. } => {
                // The first page's tag says nothing about the others.
                tags.put(&first, None);
                let listing = self.list::<wire::Job>(&path, Some("jobs"), 100).await?;
                if let Err(says) = listing.whole {
                    return Err(GithubError::Part {
                        what: format!("jobs of run {run}").into(),
                        says: says.into(),
                    });
                }
                let value = listing.items.into_iter().filter_map(Job::of).collect();
                Ok(Polled::New {
                    at: listing.at,
                    value,
                })
            }
        }
    }

    /// Tells what a waiting run waits for. One request.
    ///
    /// # Errors
    /// When it could not be read.
    pub async fn waits(&self, repo: &RepoName, run: u64) -> Result<Vec<Wait>, GithubError> {
        let path = format!(
            "{}/actions/runs/{run}/pending_deployments",
            repo_path(repo)?
        );
        let (all, _) = self.read::<Vec<wire::PendingDeployment>>(&path).await?;
        Ok(all.into_iter().map(Wait::of).collect())
    }

    /// Lists the runs of a repository that were created since `since`, at most the thousand that GitHub gives.
    ///
    /// # Errors
    /// When they could not be listed whole.
    pub async fn runs_since(
        &self,
        repo: &RepoName,
        since: Ts,
    ) -> Result<Vec<LiveRun>, GithubError> {
        let path = format!(
            "{}/actions/runs?created=%3E%3D{since}&exclude_pull_requests=true",
            repo_path(repo)?
        );
        let listing = self
            .list::<wire::Run>(&path, Some("workflow_runs"), 100)
            .await?;
        if let Err(says) = listing.whole {
            return Err(GithubError::Part {
                what: format!("runs of {repo}").into(),
                says: says.into(),
            });
        }
        let subject = self.subject(repo.as_str());
        Ok(listing
            .items
            .into_iter()
            .filter_map(|run| LiveRun::of_rest(subject, repo, run))
            .collect())
    }

    /// Reads the log of one job, at most `cap` bytes: the store that GitHub points to is asked without a credential.
    ///
    /// # Errors
    /// When there is none to be seen, or its store cannot be asked.
    pub async fn job_log(
        &self,
        repo: &RepoName,
        job: u64,
        cap: usize,
    ) -> Result<JobLog, GithubError> {
        let what = || format!("the log of job {job} of {repo}").into();
        let path = format!("{}/actions/jobs/{job}/logs", repo_path(repo)?);
        let call = self
            .get(&path)
            .reads(&[302, 404, 410])
            .accept(Accept::Text)
            .cap(cap);
        let reply = self.send(Group::GithubLogs, call).await?;
        let address = match reply.status {
            302 => reply.header("location"),
            404 => {
                return Err(GithubError::Hidden {
                    what: what(),
                    needs: reply
                        .header("x-accepted-github-permissions")
                        .map(Into::into),
                });
            }
            410 => return Ok(JobLog::Gone),
            // A server may answer with the log itself.
            _ => return Ok(JobLog::Text(reply.body)),
        };
        let address = address.ok_or_else(|| GithubError::UnexpectedAnswer {
            what: what(),
            why: "where it is kept",
        })?;
        let address = match address.strip_prefix('/') {
            Some(_) if !address.starts_with("//") => format!("{}{address}", self.place.origin()),
            _ => address.to_owned(),
        };
        let outcome = self
            .client
            .fetch_once(Group::GithubLogs, &address, Accept::Text, cap)
            .await;
        (self.listen)(Group::GithubLogs, &outcome);
        Ok(JobLog::Text(outcome?.body))
    }

    /// Asks with the tag of the last answer.
    async fn poll<T: DeserializeOwned>(
        &self,
        path: &str,
        tags: &dyn Etags,
    ) -> Result<Polled<T>, GithubError> {
        let mut call = self.get(path);
        if let Some(tag) = tags.get(path) {
            call = call.header("if-none-match", &tag).reads(&[304, 404]);
        }
        let reply = self.send(Group::GithubActions, call).await?;
        let at = reply.seen.date;
        match reply.status {
            304 => Ok(Polled::Same { at }),
            404 => {
                let needs = reply
                    .header("x-accepted-github-permissions")
                    .map(Into::into);
                Err(GithubError::Hidden {
                    what: visible(path).into(),
                    needs,
                })
            }
            _ => {
                let value = reply.json()?;
                // More pages change by themselves: without a tag they are all read again.
                let more = reply.header("link").and_then(next_of).is_some();
                tags.put(path, reply.header("etag").filter(|_| !more));
                Ok(Polled::New { at, value })
            }
        }
    }
}

/// Gives the runs of one node of a sweep, or why it was not seen.
fn runs_of(
    node: Option<graph::Workflow>,
    workflow: &ReleaseWorkflow,
    at: usize,
    errors: &[GraphError],
) -> Result<Vec<graph::Run>, Box<str>> {
    if let Some(error) = errors.iter().find(|error| error.node() == Some(at)) {
        return Err(format!("{}: {}", visible(&workflow.file), visible(&error.message)).into());
    }
    let node = node.filter(|node| node.id == workflow.node_id);
    let runs = node.and_then(|node| node.runs);
    let runs =
        runs.ok_or_else(|| format!("{}: GitHub shows no such workflow", visible(&workflow.file)))?;
    Ok(runs.nodes.into_iter().flatten().collect())
}

fn answer((repo, seen): (Subject, Result<Vec<RunFact>, Box<str>>)) -> (Subject, Answer) {
    let fact = match seen {
        Err(why) => Answer::CouldNot(CouldNotFact {
            source: LiveSource::Runs,
            why,
        }),
        Ok(runs) => Answer::Runs(RunsFact { runs: newest(runs) }),
    };
    (repo, fact)
}

/// Gives the newest runs first, each once.
pub fn newest(mut runs: Vec<RunFact>) -> Vec<RunFact> {
    runs.sort_by_key(|run| std::cmp::Reverse((run.created, run.id)));
    let mut seen = BTreeSet::new();
    runs.retain(|run| seen.insert(run.id));
    runs.truncate(KEPT);
    runs
}
