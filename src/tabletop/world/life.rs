//! What happens by itself: releases begin, steps end, stages are approved. And what a push sets off.
//! Must do nothing out of order: all of it goes through the agenda.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Due, Oid, RUN_BASE, Run, World};
use crate::tabletop::clock::{MINUTE, Ms, SECOND};

/// In a world of 60 repositories a release begins so often; larger ones in proportion.
const EVERY: Ms = 75 * SECOND;

/// What sets a workflow off.
#[derive(Debug, Clone)]
pub struct Cause<'a> {
    pub event: &'a str,
    /// Full name of the ref.
    pub git_ref: &'a str,
    pub sha: Oid,
    pub actor: &'a str,
    pub title: &'a str,
    pub inputs: BTreeMap<String, String>,
    /// The version that is meant, where somebody releases.
    pub version: Option<&'a str>,
}

impl World {
    /// Lets everything happen that is due up to an instant.
    pub fn advance(&mut self, now: Ms) {
        while self.agenda.peek().is_some_and(|due| due.0.0 <= now) {
            let Some(due) = self.agenda.pop() else { break };
            let (at, _, what) = due.0;
            self.now = self.now.max(at);
            self.happen(what);
        }
        self.now = self.now.max(now);
    }

    /// Tells when something happens next.
    pub fn next_due(&self) -> Option<Ms> {
        self.agenda.peek().map(|due| due.0.0)
    }

    fn happen(&mut self, due: Due) {
        match due {
            Due::Effect(run, job, step, attempt) => self.effect(run, job, step, attempt),
            Due::Release => {
                let repos = self.repos.len().max(1) as i64;
                let pause = (EVERY * 60 / repos).max(SECOND);
                let next = self.now + self.rng.between(pause / 2, pause * 3 / 2);
                self.plan_for(next, Due::Release);
                self.release_one();
            }
            Due::Scene(step) => self.play(step),
            Due::Approve(stage) => self.approve_stage(&stage, "rosa"),
            Due::Review(run) => self.review(run, "rosa", "Looks right"),
        }
    }

    /// Somebody releases one of the repositories that are alive.
    fn release_one(&mut self) {
        for _ in 0..20 {
            let at = self.rng.below(self.repos.len() as u64) as usize;
            let Some(repo) = self.repos.get(at) else {
                continue;
            };
            let alive = repo.pushed > self.now - 60 * 24 * 60 * MINUTE;
            let quiet = repo
                .runs
                .last()
                .and_then(|place| self.runs.get(*place))
                .is_none_or(|run| run.ends < self.now);
            if alive && quiet && !repo.packages.is_empty() && !repo.archived {
                let who = ["rosa", "ken", "mei", "sam"];
                let actor = self.rng.pick(&who).copied().unwrap_or("rosa");
                self.release(at, actor);
                return;
            }
        }
    }

    /// Releases a repository: a commit that says the next version, its tag where a workflow wants one, or a dispatch.
    /// Gives the places of the runs that began.
    pub fn release(&mut self, at: usize, actor: &str) -> Vec<usize> {
        let Some(repo) = self.repos.get(at) else {
            return Vec::new();
        };
        let (Some(head), Some(first)) = (repo.head().cloned(), repo.packages.first().cloned())
        else {
            return Vec::new();
        };
        let version = self.next_version(&first);
        let Some(mut repo) = self.repos.get_mut(at).map(std::mem::take) else {
            return Vec::new();
        };
        let tree = self.with_version(&repo, &head.tree, &version);
        let title = format!("Release {version}");
        let sha = self.commit(&mut repo, tree, Some(head.oid), self.now, &title);
        repo.refs.insert("refs/heads/main".to_owned(), sha);
        if let Some(place) = self.repos.get_mut(at) {
            *place = repo;
        }
        let branch = Cause {
            event: "push",
            git_ref: "refs/heads/main",
            sha,
            actor,
            title: &title,
            inputs: BTreeMap::new(),
            version: Some(&version),
        };
        let mut begun = self.fire(at, &branch);
        let tag = format!("refs/tags/v{version}");
        let tagged = Cause {
            git_ref: &tag,
            ..branch.clone()
        };
        let published = Cause {
            event: "release",
            ..tagged.clone()
        };
        let wants = |world: &mut Self, cause: &Cause<'_>| !world.started_by(at, cause).is_empty();
        if wants(self, &tagged) || wants(self, &published) {
            if let Some(repo) = self.repos.get_mut(at) {
                repo.refs.insert(tag.clone(), sha);
            }
            begun.extend(self.fire(at, &tagged));
            begun.extend(self.fire(at, &published));
        }
        if !begun.iter().any(|place| !self.effects(*place).is_empty()) {
            begun.extend(self.fire(
                at,
                &Cause {
                    event: "workflow_dispatch",
                    ..branch
                },
            ));
        }
        begun
    }

    /// Finds the workflows of a commit that an event starts, as places in the repository's list.
    fn started_by(&mut self, at: usize, cause: &Cause<'_>) -> Vec<usize> {
        let Some(repo) = self.repos.get(at) else {
            return Vec::new();
        };
        let Some(commit) = repo.commits.get(&cause.sha) else {
            return Vec::new();
        };
        let tree = Arc::clone(&commit.tree);
        let flows: Vec<_> = repo
            .workflows
            .iter()
            .enumerate()
            .filter(|(_, flow)| flow.state == "active")
            .filter_map(|(place, flow)| Some((place, *tree.get(&flow.path)?)))
            .collect();
        flows
            .into_iter()
            .filter(|(_, blob)| {
                self.parsed(*blob)
                    .is_some_and(|flow| flow.fires(cause.event, cause.git_ref))
            })
            .map(|(place, _)| place)
            .collect()
    }

    /// Starts every workflow whose triggers match, and gives the places of the runs.
    pub fn fire(&mut self, at: usize, cause: &Cause<'_>) -> Vec<usize> {
        if let Some(mut repo) = self.repos.get_mut(at).map(std::mem::take) {
            if cause.event == "push" {
                repo.pushed = self.now;
            }
            self.register_all(&mut repo, cause.sha);
            if let Some(place) = self.repos.get_mut(at) {
                *place = repo;
            }
        }
        let flows = self.started_by(at, cause);
        flows
            .into_iter()
            .filter_map(|flow| self.start(at, flow, cause))
            .collect()
    }

    /// Starts one workflow and gives the place of the run.
    pub fn start(&mut self, at: usize, flow: usize, cause: &Cause<'_>) -> Option<usize> {
        let place = self.runs.len();
        let tests_fail = self.rng.chance(4);
        let now = self.now;
        let repo = self.repos.get_mut(at)?;
        let registered = repo.workflows.get_mut(flow)?;
        registered.runs += 1;
        let number = registered.runs;
        let short = cause
            .git_ref
            .trim_start_matches("refs/heads/")
            .trim_start_matches("refs/tags/");
        repo.runs.push(place);
        self.runs.push(Run {
            id: RUN_BASE + place as u64,
            repo: at,
            workflow: flow,
            number,
            attempt: 1,
            event: Arc::from(cause.event),
            branch: Arc::from(short),
            sha: cause.sha,
            actor: Arc::from(cause.actor),
            created: now,
            started: now,
            title: Arc::from(cause.title),
            inputs: cause.inputs.clone(),
            version: cause.version.map(str::to_owned),
            outcomes: BTreeMap::new(),
            begins: now,
            ends: now,
            conclusion: "success",
            tests_fail,
            cancelled: None,
            approval: None,
        });
        self.schedule(place);
        Some(place)
    }

    /// Notes when the steps of a run end that npm sees; whoever must approve does so after a while.
    pub fn schedule(&mut self, place: usize) {
        self.settle(place);
        let Some(plan) = self.plan(place) else { return };
        let attempt = self.runs.get(place).map_or(1, |run| run.attempt);
        for (job, step) in self.effects(place) {
            let planned = plan
                .jobs
                .get(job)
                .and_then(|job| job.steps.iter().find(|one| one.place == Some(step)));
            if let Some(planned) = planned.filter(|one| one.conclusion == "success") {
                self.plan_for(planned.ends, Due::Effect(place, job, step, attempt));
            }
        }
        if plan.waiting {
            let after = self.rng.between(3, 8) * MINUTE;
            self.plan_for(self.now + after, Due::Review(place));
        }
    }

    /// Somebody approves the environment that a run waits for.
    pub fn review(&mut self, place: usize, login: &str, words: &str) {
        let now = self.now;
        let Some(run) = self.runs.get_mut(place) else {
            return;
        };
        if run.approval.is_none() && run.cancelled.is_none() {
            run.approval = Some((now, Arc::from(login), words.to_owned()));
            self.schedule(place);
        }
    }

    /// Runs a finished run again, from the same commit.
    pub fn rerun(&mut self, place: usize, actor: &str) {
        let now = self.now;
        let Some(run) = self.runs.get_mut(place) else {
            return;
        };
        run.attempt += 1;
        run.started = now;
        run.outcomes.clear();
        run.tests_fail = false;
        run.cancelled = None;
        run.approval = None;
        run.actor = Arc::from(actor);
        self.schedule(place);
    }

    /// Gives the version after the latest of a package.
    pub fn next_version(&self, package: &str) -> String {
        let versions = self
            .packages
            .get(package)
            .map(|one| one.versions.as_slice())
            .unwrap_or_default();
        let highest = versions
            .iter()
            .filter_map(|one| numbers(&one.version))
            .max()
            .unwrap_or((0, 0, 0));
        format!("{}.{}.{}", highest.0, highest.1, highest.2 + 1)
    }
}

/// Reads a release version; prereleases count as none.
pub fn numbers(version: &str) -> Option<(u64, u64, u64)> {
    let mut parts = version.split('.').map(|part| part.parse::<u64>().ok());
    let all = (parts.next()??, parts.next()??, parts.next()??);
    parts.next().is_none().then_some(all)
}
