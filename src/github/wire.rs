//! What GitHub's REST answers hold, as far as it is used: everything that is sometimes left out or null is optional.
//!
//! Field names are GitHub's (github.com/github/rest-api-description). Values of secrets and variables have no field here:
//! they are dropped while parsing. Must not judge.

use crate::model::time::Ts;
use serde::{Deserialize, Deserializer};

/// Reads null as the default.
pub fn lenient<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    from: D,
) -> Result<T, D::Error> {
    Option::<T>::deserialize(from).map(Option::unwrap_or_default)
}

/// Reads a time; null and what is no time is none.
pub fn when<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Ts>, D::Error> {
    let text = Option::<Box<str>>::deserialize(from)?;
    Ok(text.and_then(|text| Ts::parse(&text)))
}

/// Somebody, by login.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct User {
    #[serde(deserialize_with = "lenient")]
    pub login: Box<str>,
    pub id: Option<u64>,
}

/// One secret or variable: GitHub sends the value of a variable, which is not read.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Named {
    #[serde(deserialize_with = "lenient")]
    pub name: Box<str>,
    #[serde(deserialize_with = "when")]
    pub updated_at: Option<Ts>,
    /// Organisation secrets only: `all`, `private` or `selected`.
    pub visibility: Option<Box<str>>,
}

/// A repository in a list.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Repository {
    #[serde(deserialize_with = "lenient")]
    pub full_name: Box<str>,
}

/// One environment.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Environment {
    #[serde(deserialize_with = "lenient")]
    pub name: Box<str>,
    #[serde(deserialize_with = "lenient")]
    pub protection_rules: Vec<ProtectionRule>,
    pub deployment_branch_policy: Option<BranchPolicy>,
}

/// One rule of an environment.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ProtectionRule {
    #[serde(rename = "type", deserialize_with = "lenient")]
    pub kind: Box<str>,
    pub wait_timer: Option<u32>,
    pub prevent_self_review: Option<bool>,
    #[serde(deserialize_with = "lenient")]
    pub reviewers: Vec<serde::de::IgnoredAny>,
}

/// Which branches may deploy.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
pub struct BranchPolicy {
    #[serde(deserialize_with = "lenient")]
    pub protected_branches: bool,
    #[serde(deserialize_with = "lenient")]
    pub custom_branch_policies: bool,
}

/// What a workflow's own token may do.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct WorkflowPermissions {
    pub default_workflow_permissions: Option<Box<str>>,
}

/// How the OIDC subject of a repository is made.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct SubjectSetting {
    pub use_default: Option<bool>,
    #[serde(deserialize_with = "lenient")]
    pub include_claim_keys: Vec<Box<str>>,
    pub use_immutable_subject: Option<bool>,
}

/// One rule that holds for a branch.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Rule {
    #[serde(rename = "type", deserialize_with = "lenient")]
    pub kind: Box<str>,
    #[serde(deserialize_with = "lenient")]
    pub parameters: ReviewRule,
}

/// What a pull request needs, in a ruleset and in a branch's own protection.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
pub struct ReviewRule {
    pub required_approving_review_count: Option<u32>,
    #[serde(alias = "require_code_owner_reviews")]
    pub require_code_owner_review: Option<bool>,
}

/// A branch's own protection.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Protection {
    pub required_pull_request_reviews: Option<ReviewRule>,
}

/// One workflow of a repository.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Workflow {
    pub id: Option<u64>,
    #[serde(deserialize_with = "lenient")]
    pub node_id: Box<str>,
    #[serde(deserialize_with = "lenient")]
    pub name: Box<str>,
    #[serde(deserialize_with = "lenient")]
    pub path: Box<str>,
    #[serde(deserialize_with = "lenient")]
    pub state: Box<str>,
}

/// One run of a workflow.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Run {
    pub id: Option<u64>,
    #[serde(deserialize_with = "lenient")]
    pub node_id: Box<str>,
    #[serde(deserialize_with = "lenient")]
    pub run_number: u64,
    pub run_attempt: Option<u32>,
    #[serde(deserialize_with = "lenient")]
    pub path: Box<str>,
    #[serde(deserialize_with = "lenient")]
    pub event: Box<str>,
    #[serde(deserialize_with = "lenient")]
    pub head_branch: Box<str>,
    #[serde(deserialize_with = "lenient")]
    pub head_sha: Box<str>,
    #[serde(deserialize_with = "lenient")]
    pub status: Box<str>,
    pub conclusion: Option<Box<str>>,
    #[serde(deserialize_with = "lenient")]
    pub html_url: Box<str>,
    #[serde(deserialize_with = "when")]
    pub created_at: Option<Ts>,
    #[serde(deserialize_with = "when")]
    pub updated_at: Option<Ts>,
    #[serde(deserialize_with = "when")]
    pub run_started_at: Option<Ts>,
    #[serde(deserialize_with = "lenient")]
    pub actor: User,
    #[serde(deserialize_with = "lenient")]
    pub triggering_actor: User,
    #[serde(deserialize_with = "lenient")]
    pub referenced_workflows: Vec<Referenced>,
}

/// A reusable workflow that a run called.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Referenced {
    #[serde(deserialize_with = "lenient")]
    pub path: Box<str>,
    #[serde(deserialize_with = "lenient")]
    pub sha: Box<str>,
    #[serde(rename = "ref")]
    pub git_ref: Option<Box<str>>,
}

/// One job of a run.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Job {
    pub id: Option<u64>,
    #[serde(deserialize_with = "lenient")]
    pub name: Box<str>,
    #[serde(deserialize_with = "lenient")]
    pub status: Box<str>,
    pub conclusion: Option<Box<str>>,
    #[serde(deserialize_with = "when")]
    pub started_at: Option<Ts>,
    #[serde(deserialize_with = "when")]
    pub completed_at: Option<Ts>,
    #[serde(deserialize_with = "lenient")]
    pub steps: Vec<Step>,
    #[serde(deserialize_with = "lenient")]
    pub labels: Vec<Box<str>>,
    pub runner_name: Option<Box<str>>,
    pub runner_group_name: Option<Box<str>>,
    #[serde(deserialize_with = "lenient")]
    pub html_url: Box<str>,
}

/// One step of a job.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Step {
    #[serde(deserialize_with = "lenient")]
    pub name: Box<str>,
    #[serde(deserialize_with = "lenient")]
    pub status: Box<str>,
    pub conclusion: Option<Box<str>>,
    #[serde(deserialize_with = "lenient")]
    pub number: u32,
    #[serde(deserialize_with = "when")]
    pub started_at: Option<Ts>,
    #[serde(deserialize_with = "when")]
    pub completed_at: Option<Ts>,
}

/// A tree, recursive or not.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Tree {
    #[serde(deserialize_with = "lenient")]
    pub sha: Box<str>,
    #[serde(deserialize_with = "lenient")]
    pub truncated: bool,
    pub tree: Option<Vec<TreeEntry>>,
}

/// One entry of a tree.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct TreeEntry {
    #[serde(deserialize_with = "lenient")]
    pub path: Box<str>,
    #[serde(deserialize_with = "lenient")]
    pub mode: Box<str>,
    #[serde(rename = "type", deserialize_with = "lenient")]
    pub kind: Box<str>,
    #[serde(deserialize_with = "lenient")]
    pub sha: Box<str>,
    pub size: Option<u64>,
}

/// A blob.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Blob {
    #[serde(deserialize_with = "lenient")]
    pub content: String,
    #[serde(deserialize_with = "lenient")]
    pub encoding: Box<str>,
}

/// A pull request in a list.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Pull {
    pub number: Option<u64>,
    #[serde(deserialize_with = "lenient")]
    pub state: Box<str>,
    #[serde(deserialize_with = "lenient")]
    pub draft: bool,
    #[serde(deserialize_with = "when")]
    pub merged_at: Option<Ts>,
    #[serde(deserialize_with = "when")]
    pub updated_at: Option<Ts>,
    #[serde(deserialize_with = "lenient")]
    pub head: End,
    #[serde(deserialize_with = "lenient")]
    pub base: End,
    #[serde(deserialize_with = "lenient")]
    pub user: User,
    #[serde(deserialize_with = "lenient")]
    pub html_url: Box<str>,
}

/// One end of a pull request.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct End {
    #[serde(rename = "ref", deserialize_with = "lenient")]
    pub name: Box<str>,
    #[serde(deserialize_with = "lenient")]
    pub sha: Box<str>,
}

/// A deployment that waits for people or time.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct PendingDeployment {
    #[serde(deserialize_with = "lenient")]
    pub environment: Environment,
    #[serde(deserialize_with = "lenient")]
    pub wait_timer: u32,
    pub current_user_can_approve: Option<bool>,
    #[serde(deserialize_with = "lenient")]
    pub reviewers: Vec<Reviewer>,
}

/// Who may approve: a person or a team.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Reviewer {
    #[serde(deserialize_with = "lenient")]
    pub reviewer: PersonOrTeam,
}

/// A person has a login, a team a slug.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct PersonOrTeam {
    pub login: Option<Box<str>>,
    pub slug: Option<Box<str>>,
}

/// All limits.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Limits {
    #[serde(deserialize_with = "lenient")]
    pub resources: std::collections::BTreeMap<Box<str>, Limit>,
}

/// One limit.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
pub struct Limit {
    pub limit: u64,
    pub remaining: u64,
    pub used: u64,
    pub reset: i64,
}

/// A body that says why not.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Message {
    #[serde(deserialize_with = "lenient")]
    pub message: Box<str>,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn what_github_leaves_out_or_sends_as_null_is_read() {
        let job: Job = serde_json::from_str(
            r#"{"id":21,"name":"publish","status":"queued","conclusion":null,"started_at":null,"steps":null,"labels":null}"#,
        )
        .unwrap();
        assert_eq!(
            (job.id, job.steps.len(), job.started_at),
            (Some(21), 0, None)
        );
        let run: Run = serde_json::from_str(
            r#"{"id":1,"actor":null,"created_at":"2026-11-22T10:00:00Z","later":{}}"#,
        )
        .unwrap();
        assert_eq!(run.created_at, Ts::parse("2026-11-22T10:00:00Z"));
        assert_eq!(&*run.actor.login, "");
    }

    #[test]
    fn the_value_of_a_variable_is_not_kept() {
        let kept: Named = serde_json::from_str(
            r#"{"name":"A","value":"hunter2","updated_at":"2026-01-01T00:00:00Z"}"#,
        )
        .unwrap();
        assert!(!format!("{kept:?}").contains("hunter2"));
    }

    #[test]
    fn a_branch_and_a_ruleset_word_the_same_thing_differently() {
        let rule: Rule = serde_json::from_str(r#"{"type":"pull_request","parameters":{"required_approving_review_count":2,"require_code_owner_review":true}}"#).unwrap();
        assert_eq!(rule.parameters.require_code_owner_review, Some(true));
        let own: Protection = serde_json::from_str(r#"{"required_pull_request_reviews":{"require_code_owner_reviews":true,"required_approving_review_count":1}}"#).unwrap();
        let own = own.required_pull_request_reviews.unwrap();
        assert_eq!(
            (
                own.require_code_owner_review,
                own.required_approving_review_count
            ),
            (Some(true), Some(1))
        );
    }
}
