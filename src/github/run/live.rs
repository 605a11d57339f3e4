//! One run, its jobs and steps, made from GraphQL or REST. Pure.
//!
//! What a source does not tell stays open and is never filled in by guessing: GraphQL knows no attempt and no tag.

use crate::github::{graph, wire};
use crate::model::fact::RunFact;
use crate::model::id::Subject;
use crate::model::name::RepoName;
use crate::model::time::Ts;

use super::ReleaseWorkflow;

/// One run of a workflow, ended or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveRun {
    pub repo: Subject,
    pub name: RepoName,
    /// GitHub's own id, by which GraphQL is asked.
    pub node_id: Box<str>,
    pub id: u64,
    pub number: u64,
    /// None where only GraphQL was asked.
    pub attempt: Option<u32>,
    /// File, below `.github/workflows/`.
    pub file: Box<str>,
    pub event: Box<str>,
    /// Branch or tag; empty where only GraphQL was asked and it is a tag or gone.
    pub branch: Box<str>,
    pub sha: Box<str>,
    /// `queued`, `in_progress`, `waiting`, `completed`, …
    pub status: Box<str>,
    pub conclusion: Option<Box<str>>,
    pub created: Ts,
    pub updated: Ts,
    pub started: Option<Ts>,
    /// Who started it, and who started this attempt.
    pub actor: Box<str>,
    pub again_by: Option<Box<str>>,
    pub url: Box<str>,
    /// Reusable workflows that it called: file at ref, and commit.
    pub called: Vec<(Box<str>, Box<str>)>,
}

impl LiveRun {
    /// Tells whether it has ended.
    pub fn ended(&self) -> bool {
        &*self.status == "completed"
    }

    /// Makes the fact that is kept of it.
    pub fn fact(&self) -> RunFact {
        RunFact {
            id: self.id,
            number: self.number,
            attempt: self.attempt.unwrap_or_default(),
            file: self.file.clone(),
            event: self.event.clone(),
            branch: self.branch.clone(),
            sha: self.sha.clone(),
            status: self.status.clone(),
            conclusion: self.conclusion.clone(),
            created: self.created,
            updated: self.updated,
            actor: self.actor.clone(),
            url: self.url.clone(),
            failed_step: None,
            cause: None,
        }
    }

    pub(super) fn of_graph(
        repo: Subject,
        workflow: &ReleaseWorkflow,
        run: graph::Run,
    ) -> Option<Self> {
        let created = run.created_at?;
        let suite = run.check_suite;
        let file = run
            .file
            .as_ref()
            .map_or(&*workflow.file, |file| below(&file.path));
        Some(Self {
            repo,
            name: workflow.repo.clone(),
            node_id: run.id,
            id: run.database_id?,
            number: run.run_number,
            attempt: None,
            file: file.into(),
            event: run.event,
            branch: suite.branch.map(|branch| branch.name).unwrap_or_default(),
            sha: suite.commit.oid,
            status: suite.status.to_ascii_lowercase().into(),
            conclusion: suite
                .conclusion
                .map(|word| word.to_ascii_lowercase().into()),
            created,
            updated: run.updated_at.unwrap_or(created),
            started: None,
            actor: suite
                .creator
                .map(|creator| creator.login)
                .unwrap_or_default(),
            again_by: None,
            url: run.url,
            called: Vec::new(),
        })
    }

    /// Takes over what GraphQL says now; what only REST told stays.
    pub(super) fn renewed(&self, run: graph::Run) -> Self {
        let suite = run.check_suite;
        Self {
            status: suite.status.to_ascii_lowercase().into(),
            conclusion: suite
                .conclusion
                .map(|word| word.to_ascii_lowercase().into()),
            updated: run.updated_at.unwrap_or(self.updated),
            ..self.clone()
        }
    }

    pub(super) fn of_rest(repo: Subject, name: &RepoName, run: wire::Run) -> Option<Self> {
        let created = run.created_at?;
        let again_by = run
            .run_attempt
            .is_some_and(|attempt| attempt > 1)
            .then_some(run.triggering_actor.login);
        Some(Self {
            repo,
            name: name.clone(),
            node_id: run.node_id,
            id: run.id?,
            number: run.run_number,
            attempt: run.run_attempt,
            file: below(&run.path).into(),
            event: run.event,
            branch: run.head_branch,
            sha: run.head_sha,
            status: run.status,
            conclusion: run.conclusion,
            created,
            updated: run.updated_at.unwrap_or(created),
            started: run.run_started_at,
            actor: run.actor.login,
            again_by,
            url: run.html_url,
            called: run
                .referenced_workflows
                .into_iter()
                .map(|one| (one.path, one.sha))
                .collect(),
        })
    }
}

/// Gives a workflow's file below its folder, without the ref that REST may put behind it.
fn below(path: &str) -> &str {
    let path = path.split('@').next().unwrap_or(path);
    path.strip_prefix(".github/workflows/").unwrap_or(path)
}

/// One job of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    pub id: u64,
    pub name: Box<str>,
    pub status: Box<str>,
    pub conclusion: Option<Box<str>>,
    pub started: Option<Ts>,
    pub ended: Option<Ts>,
    pub steps: Vec<Step>,
    /// What kind of machine runs it; none before one took it.
    pub hosted: Option<bool>,
    pub url: Box<str>,
}

/// One step of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub number: u32,
    pub name: Box<str>,
    pub status: Box<str>,
    pub conclusion: Option<Box<str>>,
    pub started: Option<Ts>,
    pub ended: Option<Ts>,
}

impl Job {
    pub(super) fn of(job: wire::Job) -> Option<Self> {
        let own = job
            .labels
            .iter()
            .any(|label| label.eq_ignore_ascii_case("self-hosted"));
        let github = job.runner_group_name.as_deref() == Some("GitHub Actions");
        let step = |step: wire::Step| Step {
            number: step.number,
            name: step.name,
            status: step.status,
            conclusion: step.conclusion,
            started: step.started_at,
            ended: step.completed_at,
        };
        Some(Self {
            id: job.id?,
            name: job.name,
            status: job.status,
            conclusion: job.conclusion,
            started: job.started_at,
            ended: job.completed_at,
            hosted: if own {
                Some(false)
            } else {
                github.then_some(true)
            },
            steps: job.steps.into_iter().map(step).collect(),
            url: job.html_url,
        })
    }

    /// Tells whether it ended badly.
    pub fn failed(&self) -> bool {
        matches!(
            self.conclusion.as_deref(),
            Some("failure" | "timed_out" | "startup_failure")
        )
    }

    /// Gives the first step that failed.
    pub fn failed_step(&self) -> Option<&Step> {
        self.steps
            .iter()
            .find(|step| matches!(step.conclusion.as_deref(), Some("failure" | "timed_out")))
    }

    /// Gives the step that runs now.
    pub fn current_step(&self) -> Option<&Step> {
        self.steps
            .iter()
            .find(|step| &*step.status == "in_progress")
    }
}

/// An environment whose protection a run waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    pub environment: Box<str>,
    /// Minutes that pass before it may go on.
    pub minutes: u32,
    /// Whether the one who asks may approve; none where GitHub does not say.
    pub mine: Option<bool>,
    /// Logins, and teams by their slug, one of whom must approve.
    pub reviewers: Vec<Box<str>>,
}

impl Wait {
    pub(super) fn of(one: wire::PendingDeployment) -> Self {
        let reviewers = one.reviewers.into_iter();
        Self {
            environment: one.environment.name,
            minutes: one.wait_timer,
            mine: one.current_user_can_approve,
            reviewers: reviewers
                .filter_map(|one| one.reviewer.login.or(one.reviewer.slug))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_run_reads_alike_from_both_sides() {
        let name = RepoName::parse("acme/ui").unwrap();
        let repo = Subject::repo("github.com", "acme/ui");
        let workflow = ReleaseWorkflow {
            repo: name.clone(),
            file: "release.yml".into(),
            node_id: "W_1".into(),
            state: "active".into(),
        };
        let graph: graph::Run = serde_json::from_str(
            r#"{"id":"WFR_1","databaseId":7,"event":"push","runNumber":3,"createdAt":"2026-11-22T10:00:00Z","updatedAt":"2026-11-22T10:01:00Z",
            "url":"https://github.com/acme/ui/actions/runs/7","file":{"path":".github/workflows/release.yml"},
            "checkSuite":{"status":"COMPLETED","conclusion":"TIMED_OUT","branch":{"name":"main"},"commit":{"oid":"ab"},"creator":{"login":"rosa"}}}"#,
        ).unwrap();
        let rest: wire::Run = serde_json::from_str(
            r#"{"id":7,"node_id":"WFR_1","run_number":3,"run_attempt":2,"path":".github/workflows/release.yml@refs/heads/main","event":"push",
            "head_branch":"main","head_sha":"ab","status":"completed","conclusion":"timed_out","created_at":"2026-11-22T10:00:00Z","updated_at":"2026-11-22T10:01:00Z",
            "html_url":"https://github.com/acme/ui/actions/runs/7","actor":{"login":"rosa"},"triggering_actor":{"login":"ken"}}"#,
        ).unwrap();
        let graph = LiveRun::of_graph(repo, &workflow, graph).unwrap();
        let rest = LiveRun::of_rest(repo, &name, rest).unwrap();
        assert_eq!(
            (rest.attempt, rest.again_by.as_deref()),
            (Some(2), Some("ken"))
        );
        assert_eq!(
            RunFact {
                attempt: 2,
                ..graph.fact()
            },
            rest.fact()
        );
        assert!(graph.ended() && &*rest.file == "release.yml");
    }

    #[test]
    fn a_job_tells_its_machine_and_its_failed_step() {
        let job = |extra: &str| {
            Job::of(serde_json::from_str(&format!(r#"{{"id":1,"name":"publish","status":"completed","conclusion":"failure"{extra}}}"#)).unwrap()).unwrap()
        };
        assert_eq!(
            job(r#","labels":["self-hosted","linux"]"#).hosted,
            Some(false)
        );
        assert_eq!(
            job(r#","labels":["ubuntu-latest"],"runner_group_name":"GitHub Actions""#).hosted,
            Some(true)
        );
        assert_eq!(job(r#","labels":["ubuntu-latest"]"#).hosted, None);
        let failed = job(
            r#","steps":[{"name":"install","number":1,"status":"completed","conclusion":"success"},{"name":"npm publish","number":2,"status":"completed","conclusion":"failure"}]"#,
        );
        assert_eq!(&*failed.failed_step().unwrap().name, "npm publish");
        assert!(failed.failed() && failed.current_step().is_none());
    }
}
