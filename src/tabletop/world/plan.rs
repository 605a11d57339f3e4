//! When each job and step of a run begins and ends, and how: computed from the workflow, the run and what npm answered.
//! Nothing of it is kept but the outcomes: asked at any instant, a plan says what stood then.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::workflow::{Act, Job, Workflow};
use super::{Oid, Outcome, Repo, Run, World};
use crate::tabletop::clock::{MINUTE, Ms, SECOND};
use crate::tabletop::random::Rng;

/// A job as it runs: those of a reusable workflow stand in the place of their caller.
#[derive(Debug, Clone)]
pub struct FlatJob {
    pub name: Arc<str>,
    pub job: Job,
    /// Places of the jobs that must succeed before.
    pub needs: Vec<usize>,
    pub id_token: bool,
    pub env: BTreeMap<String, String>,
    /// The reusable workflow that it came from, with its commit's repository and ref.
    pub callee: Option<String>,
}

/// One step of a job.
#[derive(Debug, Clone)]
pub struct StepPlan {
    pub number: u64,
    pub name: Arc<str>,
    pub begins: Ms,
    pub ends: Ms,
    pub conclusion: &'static str,
    /// Place in the workflow's list of steps; none for those that the runner adds.
    pub place: Option<usize>,
}

/// One job of a run.
#[derive(Debug, Clone)]
pub struct JobPlan {
    pub name: Arc<str>,
    pub labels: Vec<String>,
    pub environment: Option<String>,
    pub begins: Ms,
    pub ends: Ms,
    pub conclusion: &'static str,
    /// A protected environment was not approved yet.
    pub waiting: bool,
    pub steps: Vec<StepPlan>,
}

/// A whole run.
#[derive(Debug, Clone)]
pub struct Plan {
    pub jobs: Vec<JobPlan>,
    pub flat: Arc<Vec<FlatJob>>,
    pub begins: Ms,
    pub ends: Ms,
    pub conclusion: &'static str,
    pub waiting: bool,
}

/// What stands at an instant: `queued`, `waiting`, `in_progress` or `completed`, and the conclusion of what completed.
pub fn state(
    now: Ms,
    begins: Ms,
    ends: Ms,
    conclusion: &'static str,
) -> (&'static str, Option<&'static str>) {
    if now >= ends {
        ("completed", Some(conclusion))
    } else if now >= begins {
        ("in_progress", None)
    } else {
        ("queued", None)
    }
}

impl World {
    /// Gives the workflow that a text says, read once.
    pub fn parsed(&mut self, blob: Oid) -> Option<Arc<Workflow>> {
        if let Some(known) = self.parsed.get(&blob) {
            return known.clone();
        }
        let text = self.blobs.get(&blob)?;
        let flow = Workflow::parse(text).map(Arc::new);
        self.parsed.insert(blob, flow.clone());
        flow
    }

    /// Gives the jobs of a run's workflow, as of the run's own commit.
    pub fn flat(&mut self, run: &Run) -> Option<Arc<Vec<FlatJob>>> {
        let repo = self.repos.get(run.repo)?;
        let path = repo.workflows.get(run.workflow)?.path.clone();
        let blob = *repo.commits.get(&run.sha)?.tree.get(&path)?;
        if let Some(known) = self.flat.get(&blob) {
            return Some(Arc::clone(known));
        }
        let flow = self.parsed(blob)?;
        let calls = flow.jobs.iter().any(|job| job.uses.is_some());
        let flat = Arc::new(self.flatten(run, &flow));
        if !calls {
            self.flat.insert(blob, Arc::clone(&flat));
        }
        Some(flat)
    }

    fn flatten(&mut self, run: &Run, flow: &Workflow) -> Vec<FlatJob> {
        let mut all: Vec<FlatJob> = Vec::new();
        let mut places: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for job in in_order(&flow.jobs) {
            let needs: Vec<usize> = job
                .needs
                .iter()
                .filter_map(|id| places.get(id))
                .flatten()
                .copied()
                .collect();
            let id_token = job.id_token.unwrap_or(flow.id_token);
            let first = all.len();
            match &job.uses {
                None => all.push(FlatJob {
                    name: Arc::clone(&job.name),
                    job: job.clone(),
                    needs,
                    id_token,
                    env: flow.env.clone(),
                    callee: None,
                }),
                Some(uses) => {
                    let Some(callee) = self.callee(run, uses) else {
                        continue;
                    };
                    for inner in in_order(&callee.jobs) {
                        let mut merged = inner.clone();
                        merged.secrets = job.secrets.clone();
                        merged.inherit = job.inherit;
                        all.push(FlatJob {
                            name: Arc::from(format!("{} / {}", job.name, inner.name)),
                            job: merged,
                            needs: needs.clone(),
                            // A callee has at most what its caller has.
                            id_token: id_token
                                && inner.id_token.unwrap_or(callee.id_token || id_token),
                            env: callee.env.clone(),
                            callee: Some(uses.clone()),
                        });
                    }
                }
            }
            places.insert(job.id.clone(), (first..all.len()).collect());
        }
        all
    }

    /// Finds a reusable workflow: of the same commit, or of another repository of the organisation at a ref.
    fn callee(&mut self, run: &Run, uses: &str) -> Option<Arc<Workflow>> {
        let blob = if let Some(path) = uses.strip_prefix("./") {
            let repo = self.repos.get(run.repo)?;
            *repo.commits.get(&run.sha)?.tree.get(path)?
        } else {
            let (whole, git_ref) = uses.split_once('@')?;
            let rest = whole.strip_prefix(&*self.org.login)?.strip_prefix('/')?;
            let (name, path) = rest.split_once('/')?;
            let (_, repo) = self.repo(name)?;
            *repo.at(git_ref)?.tree.get(path)?
        };
        self.parsed(blob)
    }

    /// Gives the places (job, step) of a run's steps that npm sees.
    pub fn effects(&mut self, place: usize) -> Vec<(usize, usize)> {
        let Some(run) = self.runs.get(place).cloned() else {
            return Vec::new();
        };
        let Some(flat) = self.flat(&run) else {
            return Vec::new();
        };
        let mut all = Vec::new();
        for (number, one) in flat.iter().enumerate() {
            for (step, what) in one.job.steps.iter().enumerate() {
                let seen = match what.act {
                    Act::Publish | Act::Stage | Act::DistTag | Act::Whoami => true,
                    // An install that carries a credential is a use of it.
                    Act::Install => !what.env.is_empty(),
                    Act::Plain | Act::Test => false,
                };
                if seen {
                    all.push((number, step));
                }
            }
        }
        all
    }

    /// Computes the plan of a run; none where its workflow is gone or cannot be read.
    pub fn plan(&mut self, place: usize) -> Option<Plan> {
        let run = self.runs.get(place)?.clone();
        let flat = self.flat(&run)?;
        let repo = self.repos.get(run.repo)?;
        Some(plan(&run, repo, flat, self.seed))
    }

    /// Computes anew when a run begins and ends, and keeps it in the run.
    pub fn settle(&mut self, place: usize) {
        let plan = self.plan(place);
        if let Some(run) = self.runs.get_mut(place) {
            (run.begins, run.ends) = match &plan {
                Some(plan) => (plan.begins, plan.ends),
                None => (run.started, run.started + SECOND),
            };
            run.conclusion = plan.map_or("startup_failure", |plan| plan.conclusion);
        }
    }
}

fn plan(run: &Run, repo: &Repo, flat: Arc<Vec<FlatJob>>, seed: u64) -> Plan {
    let mut jobs: Vec<JobPlan> = Vec::new();
    for (number, one) in flat.iter().enumerate() {
        let mut rng = Rng::of(
            seed,
            "job",
            run.id.wrapping_mul(64) + number as u64 + 16 * u64::from(run.attempt),
        );
        let before = one.needs.iter().filter_map(|need| jobs.get(*need));
        let ready = before
            .clone()
            .map(|job| job.ends)
            .max()
            .unwrap_or(run.started);
        let blocked = before.clone().any(|job| job.conclusion != "success");
        let waiting = before.clone().any(|job| job.waiting);
        jobs.push(job_plan(
            run,
            repo,
            one,
            (number, ready, blocked, waiting),
            &mut rng,
        ));
    }
    let begins = jobs
        .iter()
        .map(|job| job.begins)
        .min()
        .unwrap_or(run.started);
    let ends = jobs.iter().map(|job| job.ends).max().unwrap_or(run.started);
    let any = |word: &str| jobs.iter().any(|job| job.conclusion == word);
    Plan {
        begins,
        ends: ends + SECOND * i64::from(ends < Ms::MAX / 2),
        conclusion: if any("cancelled") {
            "cancelled"
        } else if any("failure") {
            "failure"
        } else {
            "success"
        },
        waiting: jobs.iter().any(|job| job.waiting),
        jobs,
        flat,
    }
}

fn job_plan(
    run: &Run,
    repo: &Repo,
    one: &FlatJob,
    (number, ready, blocked, waits): (usize, Ms, bool, bool),
    rng: &mut Rng,
) -> JobPlan {
    let mut job = JobPlan {
        name: Arc::clone(&one.name),
        labels: one.job.labels.clone(),
        environment: one.job.environment.clone(),
        begins: ready + rng.between(2, 9) * SECOND,
        ends: ready,
        conclusion: "success",
        waiting: waits,
        steps: Vec::new(),
    };
    if blocked {
        job.begins = ready;
        job.conclusion = "skipped";
        return job;
    }
    if let Some(name) = &one.job.environment
        && let Some(environment) = repo.environments.iter().find(|env| env.name == *name)
    {
        if !environment.reviewers.is_empty() {
            match &run.approval {
                Some((at, ..)) => job.begins = job.begins.max(*at + 3 * SECOND),
                None => job.waiting = true,
            }
        }
        job.begins += i64::from(environment.wait_minutes) * MINUTE;
    }
    if job.waiting {
        // Far away and still far away when something is added to it.
        (job.begins, job.ends) = (Ms::MAX / 2, Ms::MAX / 2);
        return job;
    }
    steps(run, one, number, &mut job, rng);
    job
}

fn steps(run: &Run, one: &FlatJob, number: usize, job: &mut JobPlan, rng: &mut Rng) {
    let mut at = job.begins;
    let mut failed = false;
    let mut posts = Vec::new();
    push(
        job,
        &mut at,
        "Set up job",
        rng.between(1, 4),
        "success",
        None,
    );
    for (place, step) in one.job.steps.iter().enumerate() {
        let first = step.uses.as_deref().unwrap_or_default();
        let seconds = match step.act {
            Act::Install => rng.between(20, 80),
            Act::Test => rng.between(40, 200),
            Act::Publish | Act::Stage => rng.between(15, 50),
            Act::DistTag | Act::Whoami => rng.between(2, 5),
            Act::Plain if first.starts_with("actions/checkout") => rng.between(1, 3),
            Act::Plain if !first.is_empty() => rng.between(2, 7),
            Act::Plain => rng.between(1, 20),
        };
        if failed {
            push(job, &mut at, &step.name, 0, "skipped", Some(place));
            continue;
        }
        let bad = match run.outcomes.get(&(number, place)) {
            Some(Outcome::Failed { .. }) => true,
            Some(Outcome::Published(_)) => false,
            None => run.tests_fail && step.act == Act::Test,
        };
        failed = bad;
        push(
            job,
            &mut at,
            &step.name,
            seconds,
            if bad { "failure" } else { "success" },
            Some(place),
        );
        if first.starts_with("actions/") {
            posts.push(format!("Post {}", step.name));
        }
    }
    for post in posts.iter().rev() {
        push(job, &mut at, post, 1, "success", None);
    }
    push(job, &mut at, "Complete job", 0, "success", None);
    job.ends = at;
    job.conclusion = if failed { "failure" } else { "success" };
    if let Some(cut) = run.cancelled.filter(|cut| *cut < job.ends) {
        cancel(job, cut);
    }
}

fn push(
    job: &mut JobPlan,
    at: &mut Ms,
    name: &str,
    seconds: i64,
    conclusion: &'static str,
    place: Option<usize>,
) {
    let begins = *at;
    *at += seconds * SECOND;
    let number = job.steps.len() as u64 + 1;
    job.steps.push(StepPlan {
        number,
        name: Arc::from(name),
        begins,
        ends: *at,
        conclusion,
        place,
    });
}

fn cancel(job: &mut JobPlan, cut: Ms) {
    job.conclusion = "cancelled";
    job.ends = cut;
    job.begins = job.begins.min(cut);
    for step in &mut job.steps {
        if step.ends > cut {
            step.conclusion = if step.begins < cut {
                "cancelled"
            } else {
                "skipped"
            };
            step.begins = step.begins.min(cut);
            step.ends = cut;
        }
    }
}

/// Brings jobs into an order in which each stands after those that it needs.
fn in_order(jobs: &[Job]) -> Vec<&Job> {
    let mut done: Vec<&Job> = Vec::new();
    let mut left: Vec<&Job> = jobs.iter().collect();
    while !left.is_empty() {
        let ready = |job: &&Job| {
            job.needs
                .iter()
                .all(|need| done.iter().any(|one| one.id == *need))
        };
        let Some(at) = left.iter().position(ready) else {
            break;
        };
        done.push(left.remove(at));
    }
    done
}
