//! Addresses of Actions: workflows, runs, jobs, logs, dispatches, re-runs, approvals.
//! What a run is doing is computed for the instant of the request; must not keep any of it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Context, Refusal, body, git, message, not_found, unprocessable};
use crate::tabletop::clock::{DAY, MINUTE, Ms, SECOND, iso, parse};
use crate::tabletop::random::words;
use crate::tabletop::server::{Answer, Hall, Request};
use crate::tabletop::world::{Cause, JobPlan, RUN_BASE, Registered, Repo, Run, state};

/// Jobs count from here: so many per attempt, so many attempts per run.
const JOB_BASE: u64 = 55_000_000_000;
const JOBS: u64 = 32;
const ATTEMPTS: u64 = 8;
/// Logs are kept so long.
const RETENTION: Ms = 90 * DAY;
/// A signed address lives so long.
const SIGNED: Ms = MINUTE;

/// `/repos/{owner}/{repo}/actions/…`, what stands in no file of its own.
pub fn route(
    context: &mut Context<'_>,
    method: &str,
    at: usize,
    rest: &[&str],
) -> Result<Answer, Refusal> {
    context.need("actions", if method == "GET" { "read" } else { "write" })?;
    if method != "GET" {
        context.role(at, "push")?;
    }
    match (method, rest) {
        ("GET", ["workflows"]) => workflows(context, at),
        ("GET", ["workflows", which]) => {
            let (hall, repo) = (&*context.hall, context.get(at)?);
            let one = repo.workflow(which).ok_or_else(not_found)?;
            Ok(Answer::json(200, &workflow_json(hall, repo, one)))
        }
        ("GET", ["workflows", which, "runs"]) => {
            let known = context.get(at)?.workflow(which).ok_or_else(not_found)?.id;
            runs(context, at, Some(known))
        }
        ("POST", ["workflows", which, "dispatches"]) => dispatch(context, at, which),
        ("PUT", ["workflows", which, word @ ("enable" | "disable")]) => {
            let repo = context.get_mut(at)?;
            let id = repo.workflow(which).ok_or_else(not_found)?.id;
            if let Some(one) = repo.workflows.iter_mut().find(|one| one.id == id) {
                one.state = if *word == "enable" {
                    "active"
                } else {
                    "disabled_manually"
                };
            }
            Ok(Answer::empty(204))
        }
        ("GET", ["runs"]) => runs(context, at, None),
        (_, ["runs", id, rest @ ..]) => {
            let place = run_of(context, at, id)?;
            one_run(context, method, at, place, rest)
        }
        ("GET", ["jobs", id]) => {
            let (place, job) = job_of(context, at, id)?;
            let all = jobs_json(context, place)?;
            all.into_iter()
                .nth(job)
                .map(|one| Answer::json(200, &one))
                .ok_or_else(not_found)
        }
        ("GET", ["jobs", id, "logs"]) => logs(context, at, id),
        ("POST", ["jobs", id, "rerun"]) => {
            let (place, _) = job_of(context, at, id)?;
            again(context, place)
        }
        ("GET", ["runners"]) => runners(context, at),
        _ => Err(not_found()),
    }
}

fn workflows(context: &Context<'_>, at: usize) -> Result<Answer, Refusal> {
    let (hall, repo) = (&*context.hall, context.get(at)?);
    let all = repo
        .workflows
        .iter()
        .map(|one| workflow_json(hall, repo, one))
        .collect();
    Ok(context.counted_list("workflows", all))
}

/// Gives the node id of a workflow.
pub fn workflow_node(one: &Registered) -> String {
    format!("W_tt{:x}", one.id)
}

fn workflow_json(hall: &Hall, repo: &Repo, one: &Registered) -> Value {
    let (base, page) = (body::address(hall, repo), body::page(hall, repo));
    json!({
        "id": one.id,
        "node_id": workflow_node(one),
        "name": &*one.name,
        "path": &*one.path,
        "state": one.state,
        "created_at": iso(one.created),
        "updated_at": iso(one.updated),
        "url": format!("{base}/actions/workflows/{}", one.id),
        "html_url": format!("{page}/blob/{}/{}", repo.default_branch, one.path),
        "badge_url": format!("{page}/workflows/{}/badge.svg", one.name),
    })
}

/// Gives what a run is doing: status and, once it ended, conclusion.
pub fn run_state(run: &Run, now: Ms) -> (&'static str, Option<&'static str>) {
    match state(now, run.begins, run.ends, run.conclusion) {
        // Somebody must approve before it goes on.
        ("queued" | "in_progress", _)
            if run.ends > Ms::MAX / 4 && now >= run.started + 5 * SECOND =>
        {
            ("waiting", None)
        }
        other => other,
    }
}

/// Gives the instant of a run's last change.
pub fn run_updated(run: &Run, now: Ms) -> Ms {
    if now >= run.ends {
        run.ends
    } else {
        run.begins.min(now).max(run.started)
    }
}

fn runs(context: &Context<'_>, at: usize, workflow: Option<u64>) -> Result<Answer, Refusal> {
    let (hall, repo, request) = (&*context.hall, context.get(at)?, context.request);
    let now = context.now();
    let created = request.query("created").map(range).transpose()?;
    let wanted: Vec<(&str, &str)> = ["actor", "branch", "event", "status", "head_sha"]
        .into_iter()
        .filter_map(|name| Some((name, request.query(name)?)))
        .collect();
    let fits = |run: &Run| {
        let (status, conclusion) = run_state(run, now);
        created.is_none_or(|(from, to)| (from..=to).contains(&run.created))
            && workflow.is_none_or(|id| {
                repo.workflows
                    .get(run.workflow)
                    .is_some_and(|one| one.id == id)
            })
            && wanted.iter().all(|(name, value)| match *name {
                "actor" => *run.actor == **value,
                "branch" => *run.branch == **value,
                "event" => *run.event == **value,
                "head_sha" => run.sha.to_string() == *value,
                _ => status == *value || conclusion == Some(*value),
            })
    };
    let all = repo
        .runs
        .iter()
        .rev()
        .filter_map(|place| hall.world.runs.get(*place));
    let mut all: Vec<&Run> = all.filter(|run| fits(run)).collect();
    all.sort_by_key(|run| std::cmp::Reverse(run.created));
    // A filtered query gives at most 1,000; the total is that of all.
    let total = all.len();
    let filtered = created.is_some() || !wanted.is_empty();
    let reach = if filtered { total.min(1_000) } else { total };
    let (skip, per) = context.page();
    let shown: Vec<Value> = all
        .iter()
        .take(reach)
        .skip(skip)
        .take(per)
        .map(|run| run_json(hall, repo, run, &context.token.login))
        .collect();
    Ok(context.linked(
        Answer::json(
            200,
            &json!({ "total_count": total, "workflow_runs": shown }),
        ),
        reach,
    ))
}

/// Reads `2026-08-01..2026-11-22`, `>=2026-11-01` and their like.
fn range(text: &str) -> Result<(Ms, Ms), Refusal> {
    let bad = || unprocessable("Validation Failed");
    let at = |text: &str| parse(text).ok_or_else(bad);
    let end = |text: &str| at(text).map(|ms| if text.len() == 10 { ms + DAY - 1 } else { ms });
    if let Some((from, to)) = text.split_once("..") {
        let from = if from == "*" { Ms::MIN } else { at(from)? };
        return Ok((from, if to == "*" { Ms::MAX } else { end(to)? }));
    }
    for (sign, make) in [
        (">=", (|ms, _| (ms, Ms::MAX)) as fn(Ms, Ms) -> (Ms, Ms)),
        ("<=", |_, end| (Ms::MIN, end)),
        (">", |_, end| (end + 1, Ms::MAX)),
        ("<", |ms, _| (Ms::MIN, ms - 1)),
        ("", |ms, end| (ms, end)),
    ] {
        if let Some(rest) = text.strip_prefix(sign) {
            return Ok(make(at(rest)?, end(rest)?));
        }
    }
    Err(bad())
}

fn run_json(hall: &Hall, repo: &Repo, run: &Run, caller: &str) -> Value {
    let now = hall.world.now;
    let (base, page) = (body::address(hall, repo), body::page(hall, repo));
    let own = format!("{base}/actions/runs/{}", run.id);
    let (status, conclusion) = run_state(run, now);
    let workflow = repo.workflows.get(run.workflow);
    let commit = repo.commits.get(&run.sha);
    let suite = run.id + 11;
    let short = body::repository(hall, repo, caller);
    json!({
        "id": run.id,
        "name": workflow.map(|one| &*one.name),
        "node_id": run_node(run),
        "check_suite_id": suite,
        "check_suite_node_id": format!("CS_tt{suite:x}"),
        "head_branch": &*run.branch,
        "head_sha": run.sha.to_string(),
        "path": workflow.map_or("", |one| &*one.path),
        "run_number": run.number,
        "run_attempt": run.attempt,
        "display_title": &*run.title,
        "event": &*run.event,
        "status": status,
        "conclusion": conclusion,
        "workflow_id": workflow.map_or(0, |one| one.id),
        "url": own,
        "html_url": format!("{page}/actions/runs/{}", run.id),
        "pull_requests": [],
        "created_at": iso(run.created),
        "updated_at": iso(run_updated(run, now)),
        "run_started_at": iso(run.started),
        "actor": body::login(hall, &run.actor),
        "triggering_actor": body::login(hall, &run.actor),
        "referenced_workflows": referenced(hall, repo, run),
        "jobs_url": format!("{own}/jobs"),
        "logs_url": format!("{own}/logs"),
        "check_suite_url": format!("{base}/check-suites/{suite}"),
        "artifacts_url": format!("{own}/artifacts"),
        "cancel_url": format!("{own}/cancel"),
        "rerun_url": format!("{own}/rerun"),
        "previous_attempt_url": (run.attempt > 1).then(|| format!("{own}/attempts/{}", run.attempt - 1)),
        "workflow_url": format!("{base}/actions/workflows/{}", workflow.map_or(0, |one| one.id)),
        "head_commit": commit.map(|commit| json!({
            "id": commit.oid.to_string(),
            "tree_id": git::folder_oid(commit, "").to_string(),
            "message": &*commit.message,
            "timestamp": iso(commit.at),
            "author": git::signature(hall, commit),
            "committer": git::signature(hall, commit),
        })),
        "repository": short,
        "head_repository": short,
    })
}

/// Gives the node id of a run.
pub fn run_node(run: &Run) -> String {
    format!("WFR_tt{:x}", run.id)
}

/// The reusable workflows of other repositories that a run used.
fn referenced(hall: &Hall, repo: &Repo, run: &Run) -> Value {
    let text = (|| {
        let commit = repo.commits.get(&run.sha)?;
        let path = &repo.workflows.get(run.workflow)?.path;
        hall.world.file(commit, path)
    })();
    let mut all = Vec::new();
    for line in text.map(|text| text.lines()).into_iter().flatten() {
        let Some(uses) = line.trim().strip_prefix("uses: ") else {
            continue;
        };
        let Some((path, git_ref)) = uses
            .split_once('@')
            .filter(|(path, _)| path.contains("/.github/workflows/"))
        else {
            continue;
        };
        let name = path.split('/').nth(1).unwrap_or_default();
        let sha = hall
            .world
            .repo(name)
            .and_then(|(_, repo)| repo.at(git_ref))
            .map(|commit| commit.oid.to_string());
        all.push(json!({ "path": uses, "sha": sha.unwrap_or_default(), "ref": format!("refs/heads/{git_ref}") }));
    }
    Value::Array(all)
}

fn run_of(context: &Context<'_>, at: usize, id: &str) -> Result<usize, Refusal> {
    let id: u64 = id.parse().ok().ok_or_else(not_found)?;
    let (place, run) = context.hall.world.run(id).ok_or_else(not_found)?;
    if run.repo == at {
        Ok(place)
    } else {
        Err(not_found())
    }
}

fn one_run(
    context: &mut Context<'_>,
    method: &str,
    at: usize,
    place: usize,
    rest: &[&str],
) -> Result<Answer, Refusal> {
    match (method, rest) {
        ("GET", []) | ("GET", ["attempts", _]) => {
            let (hall, repo) = (&*context.hall, context.get(at)?);
            let run = hall.world.runs.get(place).ok_or_else(not_found)?;
            if rest
                .get(1)
                .is_some_and(|attempt| *attempt != run.attempt.to_string())
            {
                return Err(not_found());
            }
            Ok(Answer::json(
                200,
                &run_json(hall, repo, run, &context.token.login),
            ))
        }
        ("GET", ["jobs"]) | ("GET", ["attempts", _, "jobs"]) => {
            let all = jobs_json(context, place)?;
            Ok(context.counted_list("jobs", all))
        }
        ("POST", ["rerun" | "rerun-failed-jobs"]) => again(context, place),
        ("POST", ["cancel" | "force-cancel"]) => {
            let now = context.now();
            let run = context
                .hall
                .world
                .runs
                .get_mut(place)
                .ok_or_else(not_found)?;
            if now >= run.ends {
                return Err(message(
                    409,
                    "Cannot cancel a workflow run that is completed.",
                ));
            }
            run.cancelled = Some(now + 2 * SECOND);
            context.hall.world.settle(place);
            Ok(Answer::json(202, &json!({})))
        }
        (_, ["pending_deployments"]) => pending(context, method, at, place),
        ("GET", ["approvals"]) => approvals(context, at, place),
        _ => Err(not_found()),
    }
}

fn again(context: &mut Context<'_>, place: usize) -> Result<Answer, Refusal> {
    let now = context.now();
    let run = context.hall.world.runs.get(place).ok_or_else(not_found)?;
    if now < run.ends {
        return Err(message(403, "This workflow is already running"));
    }
    if now > run.created + 30 * DAY {
        return Err(message(
            403,
            "Unable to retry this workflow run because it was created over a month ago",
        ));
    }
    let login = context.token.login.to_string();
    context.hall.world.rerun(place, &login);
    Ok(Answer::json(201, &json!({})))
}

fn job_id(place: usize, attempt: u32, job: usize) -> u64 {
    JOB_BASE + (place as u64 * ATTEMPTS + u64::from(attempt) % ATTEMPTS) * JOBS + job as u64
}

/// Finds the run and the place of a job by the job's id.
fn job_of(context: &Context<'_>, at: usize, id: &str) -> Result<(usize, usize), Refusal> {
    let id: u64 = id.parse().ok().ok_or_else(not_found)?;
    let number = id.checked_sub(JOB_BASE).ok_or_else(not_found)?;
    let place = (number / JOBS / ATTEMPTS) as usize;
    let run = context.hall.world.runs.get(place).ok_or_else(not_found)?;
    let job = (number % JOBS) as usize;
    if run.repo == at && job_id(place, run.attempt, job) == id {
        Ok((place, job))
    } else {
        Err(not_found())
    }
}

fn jobs_json(context: &mut Context<'_>, place: usize) -> Result<Vec<Value>, Refusal> {
    let now = context.now();
    let plan = context.hall.world.plan(place);
    let hall = &*context.hall;
    let run = hall.world.runs.get(place).ok_or_else(not_found)?;
    let repo = hall.world.repos.get(run.repo).ok_or_else(not_found)?;
    let Some(plan) = plan else {
        return Ok(Vec::new());
    };
    // A job appears when it can begin; one that waits for another is not there yet.
    let shown = plan.jobs.iter().enumerate().filter(|(number, job)| {
        let needs = plan
            .flat
            .get(*number)
            .map(|flat| flat.needs.as_slice())
            .unwrap_or_default();
        let before = needs.iter().filter_map(|need| plan.jobs.get(*need));
        before
            .map(|one| one.ends)
            .max()
            .is_none_or(|ends| ends <= now)
            || job.ends <= now
    });
    Ok(shown
        .map(|(number, job)| job_json(hall, repo, run, (place, number), job))
        .collect())
}

fn job_json(
    hall: &Hall,
    repo: &Repo,
    run: &Run,
    (place, number): (usize, usize),
    job: &JobPlan,
) -> Value {
    let now = hall.world.now;
    let id = job_id(place, run.attempt, number);
    let (base, page) = (body::address(hall, repo), body::page(hall, repo));
    let (status, conclusion) = if job.waiting {
        ("waiting", None)
    } else {
        state(now, job.begins, job.ends, job.conclusion)
    };
    let skipped = job.steps.is_empty();
    let begun = now >= job.begins && !skipped;
    let hosted = crate::tabletop::world::hosted(&job.labels);
    let runner = if hosted {
        "GitHub Actions 1000000".to_owned()
    } else {
        format!("acme-runner-{}", id % 5 + 1)
    };
    let group = if hosted { "GitHub Actions" } else { "Default" };
    let steps = job.steps.iter().filter(|_| begun).map(|step| {
        let (status, conclusion) = state(now, step.begins, step.ends, step.conclusion);
        json!({
            "name": &*step.name, "status": status, "conclusion": conclusion, "number": step.number,
            "started_at": (now >= step.begins).then(|| iso(step.begins)),
            "completed_at": (now >= step.ends).then(|| iso(step.ends)),
        })
    });
    json!({
        "id": id,
        "run_id": run.id,
        "run_url": format!("{base}/actions/runs/{}", run.id),
        "run_attempt": run.attempt,
        "node_id": format!("CR_tt{id:x}"),
        "workflow_name": repo.workflows.get(run.workflow).map(|one| &*one.name),
        "head_branch": &*run.branch,
        "head_sha": run.sha.to_string(),
        "url": format!("{base}/actions/jobs/{id}"),
        "html_url": format!("{page}/actions/runs/{}/job/{id}", run.id),
        "status": status,
        "conclusion": conclusion,
        "created_at": iso(run.started),
        "started_at": iso(if begun { job.begins } else { run.started }),
        "completed_at": (status == "completed").then(|| iso(job.ends)),
        "name": &*job.name,
        "steps": steps.collect::<Vec<_>>(),
        "check_run_url": format!("{base}/check-runs/{id}"),
        "labels": job.labels,
        "runner_id": begun.then_some(id % 5 + 1),
        "runner_name": begun.then_some(runner),
        "runner_group_id": begun.then_some(u64::from(!hosted)),
        "runner_group_name": begun.then_some(group),
    })
}

/// What a signed address of a log carries: whose log, until when, and that it was made here.
fn signature(seed: u64, what: &str) -> String {
    let [a, b, ..] = words(format!("{seed} {what}").as_bytes());
    format!("{a:016x}{b:016x}")
}

fn logs(context: &mut Context<'_>, at: usize, id: &str) -> Result<Answer, Refusal> {
    let (place, _) = job_of(context, at, id)?;
    let now = context.now();
    let hall = &*context.hall;
    let run = hall.world.runs.get(place).ok_or_else(not_found)?;
    if now > run.created + RETENTION {
        return Err(message(410, "Server Error"));
    }
    if now < run.begins {
        return Err(not_found());
    }
    // The address lives a minute of whoever fetches it, so a fast world gives it longer.
    let until = now + (SIGNED as f64 * hall.clock.speed().max(1.0)) as Ms;
    let what = format!("{id}-{until}");
    let signature = signature(hall.world.seed, &what);
    Ok(Answer::empty(302).with(
        "location",
        format!("{}/_logs/{what}/{signature}", hall.github),
    ))
}

/// The address behind a log's 302: another service, which takes no credential of GitHub's.
pub fn download(hall: &mut Hall, request: &Request, what: &str, signed: &str) -> Answer {
    let refused = |code: &str| {
        let text =
            format!("<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>{code}</Code></Error>");
        Answer {
            status: 403,
            headers: vec![("content-type", "application/xml".to_owned())],
            body: text.into_bytes(),
        }
    };
    if request.headers.contains_key("authorization") {
        return refused("AuthenticationFailed");
    }
    let now = hall.world.now;
    let parts = what
        .split_once('-')
        .and_then(|(id, until)| Some((id.parse::<u64>().ok()?, until.parse::<Ms>().ok()?)));
    let Some((id, until)) =
        parts.filter(|(_, until)| *until >= now && signed == signature(hall.world.seed, what))
    else {
        return refused("AuthenticationFailed");
    };
    if until < now {
        return refused("AuthenticationFailed");
    }
    let number = id.saturating_sub(JOB_BASE);
    let (place, job) = (
        (number / JOBS / ATTEMPTS) as usize,
        (number % JOBS) as usize,
    );
    match hall.world.log(place, job, now) {
        Some(text) => Answer::text(200, format!("\u{feff}{text}")),
        None => refused("BlobNotFound"),
    }
}

fn dispatch(context: &mut Context<'_>, at: usize, which: &str) -> Result<Answer, Refusal> {
    let asked = context.request.json();
    let Some(name) = asked.get("ref").and_then(Value::as_str).map(str::to_owned) else {
        return Err(unprocessable(
            "Invalid request.\n\n\"ref\" wasn't supplied.",
        ));
    };
    let repo = context.get(at)?;
    let registered = repo.workflow(which).ok_or_else(not_found)?;
    let id = registered.id;
    if registered.state != "active" {
        return Err(unprocessable(
            "Cannot trigger a 'workflow_dispatch' on a disabled workflow",
        ));
    }
    let commit = repo
        .at(&name)
        .ok_or_else(|| unprocessable(&format!("No ref found for: {name}")))?;
    let sha = commit.oid;
    let full = ["refs/heads/", "refs/tags/", ""]
        .into_iter()
        .map(|start| format!("{start}{name}"));
    let full = full
        .into_iter()
        .find(|full| repo.refs.contains_key(full))
        .unwrap_or_else(|| name.clone());
    let blob = commit.tree.get(&registered.path).copied();
    let flow = blob.and_then(|blob| context.hall.world.parsed(blob));
    if !flow.is_some_and(|flow| flow.fires("workflow_dispatch", &full)) {
        return Err(unprocessable(
            "Workflow does not have 'workflow_dispatch' trigger",
        ));
    }
    let inputs: BTreeMap<String, String> = asked
        .get("inputs")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(key, value)| {
            (
                key.clone(),
                value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned),
            )
        })
        .collect();
    if inputs.len() > 25 {
        return Err(unprocessable(
            "you may only define up to 25 `inputs` for a `workflow_dispatch` event",
        ));
    }
    let login = context.token.login.to_string();
    let title = context
        .get(at)?
        .workflow(which)
        .map(|one| one.name.to_string())
        .unwrap_or_default();
    let cause = Cause {
        event: "workflow_dispatch",
        git_ref: &full,
        sha,
        actor: &login,
        title: &title,
        inputs,
        version: None,
    };
    let place = context
        .get(at)?
        .workflows
        .iter()
        .position(|one| one.id == id)
        .ok_or_else(not_found)?;
    let run = context
        .hall
        .world
        .start(at, place, &cause)
        .ok_or_else(not_found)?;
    if asked.get("return_run_details").and_then(Value::as_bool) != Some(true) {
        return Ok(Answer::empty(204));
    }
    let (hall, repo, id) = (&*context.hall, context.get(at)?, RUN_BASE + run as u64);
    Ok(Answer::json(
        200,
        &json!({
            "workflow_run_id": id,
            "run_url": format!("{}/actions/runs/{id}", body::address(hall, repo)),
            "html_url": format!("{}/actions/runs/{id}", body::page(hall, repo)),
        }),
    ))
}

fn pending(
    context: &mut Context<'_>,
    method: &str,
    at: usize,
    place: usize,
) -> Result<Answer, Refusal> {
    let plan = context.hall.world.plan(place);
    let login = context.token.login.clone();
    let waiting = plan
        .iter()
        .flat_map(|plan| &plan.jobs)
        .find(|job| job.waiting && job.environment.is_some());
    let name = waiting.and_then(|job| job.environment.clone());
    let (hall, repo) = (&*context.hall, context.get(at)?);
    let Some(one) = name.and_then(|name| repo.environments.iter().find(|one| one.name == name))
    else {
        return if method == "GET" {
            Ok(Answer::json(200, &json!([])))
        } else {
            Err(unprocessable("No pending deployments"))
        };
    };
    let may = one.reviewers.contains(&login);
    let address = format!("{}/environments/{}", body::address(hall, repo), one.name);
    let environment = json!({
        "id": one.id, "node_id": format!("EN_tt{:x}", one.id), "name": one.name, "url": address,
        "html_url": format!("{}/deployments", body::page(hall, repo)),
    });
    if method == "GET" {
        let people = one.reviewers.iter();
        let people: Vec<Value> = people
            .map(|login| json!({ "type": "User", "reviewer": body::login(hall, login) }))
            .collect();
        return Ok(Answer::json(
            200,
            &json!([{
                "environment": environment, "wait_timer": one.wait_minutes, "wait_timer_started_at": null,
                "current_user_can_approve": may, "reviewers": people,
            }]),
        ));
    }
    let asked = context.request.json();
    let ids = asked.get("environment_ids").and_then(Value::as_array);
    let named = ids.is_some_and(|ids| ids.iter().any(|id| id.as_u64() == Some(one.id)));
    let (Some(word), Some(comment)) = (
        asked.get("state").and_then(Value::as_str),
        asked.get("comment").and_then(Value::as_str),
    ) else {
        return Err(unprocessable("Invalid request."));
    };
    if !named || !may {
        return Err(unprocessable(
            "There are no pending deployment requests that you may review",
        ));
    }
    if word == "approved" {
        context.hall.world.review(place, &login, comment);
    } else if let Some(run) = context.hall.world.runs.get_mut(place) {
        run.cancelled = Some(run.started.max(context.hall.world.now));
        run.approval = Some((context.hall.world.now, login, comment.to_owned()));
        context.hall.world.settle(place);
    }
    Ok(Answer::json(200, &json!([])))
}

fn approvals(context: &Context<'_>, at: usize, place: usize) -> Result<Answer, Refusal> {
    let (hall, repo) = (&*context.hall, context.get(at)?);
    let run = hall.world.runs.get(place).ok_or_else(not_found)?;
    let guarded = repo
        .environments
        .iter()
        .find(|one| !one.reviewers.is_empty());
    let (Some((_, login, comment)), Some(one)) = (&run.approval, guarded) else {
        return Ok(Answer::json(200, &json!([])));
    };
    let address = format!("{}/environments/{}", body::address(hall, repo), one.name);
    Ok(Answer::json(
        200,
        &json!([{
            "environments": [{
                "id": one.id, "node_id": format!("EN_tt{:x}", one.id), "name": one.name, "url": address,
                "html_url": format!("{}/deployments", body::page(hall, repo)),
                "created_at": iso(one.created), "updated_at": iso(one.created),
            }],
            "state": if run.cancelled.is_some() { "rejected" } else { "approved" },
            "user": body::login(hall, login),
            "comment": comment,
        }]),
    ))
}

fn runners(context: &mut Context<'_>, at: usize) -> Result<Answer, Refusal> {
    context.need("administration", "read")?;
    context.role(at, "admin")?;
    let own = context.get(at)?.kind == "self-hosted";
    let all = (1..=5_u64).filter(|_| own).map(|number| {
        json!({
            "id": number, "name": format!("acme-runner-{number}"), "os": "linux", "status": "online", "busy": false,
            "labels": [
                { "id": 1, "name": "self-hosted", "type": "read-only" }, { "id": 2, "name": "linux", "type": "read-only" },
            ],
        })
    });
    Ok(context.counted_list("runners", all.collect()))
}
