//! Settings of a repository: its environments with their protection, what workflow tokens may do, the OIDC subject.

use super::ask::{Listing, repo_path};
use super::{GitHub, GithubError, Look, wire};
use crate::model::fact::{ActionsFact, Answer, EnvironmentFact, EnvironmentsFact};
use crate::model::name::{EnvironmentName, RepoName};

impl GitHub {
    /// Lists the environments of a repository. One request for a hundred.
    ///
    /// # Errors
    /// When they could not be listed; a list of which pages are missing is an answer that says so.
    pub async fn environments(&self, repo: &RepoName) -> Result<Look, GithubError> {
        let path = format!("{}/environments", repo_path(repo)?);
        let listing = self.list(&path, Some("environments"), 100).await?;
        let (at, fact) = (listing.at, environments_fact(listing));
        Ok(Look {
            at,
            answers: vec![(self.subject(repo.as_str()), Answer::Environments(fact))],
        })
    }

    /// Reads what workflow tokens may do by default, and how the OIDC subject is made. Two requests.
    ///
    /// # Errors
    /// When neither could be read; one alone is an answer with the other left open.
    pub async fn actions_settings(&self, repo: &RepoName) -> Result<Look, GithubError> {
        let base = repo_path(repo)?;
        let permissions = self
            .read::<wire::WorkflowPermissions>(&format!("{base}/actions/permissions/workflow"))
            .await;
        let subject = self
            .read::<wire::SubjectSetting>(&format!("{base}/actions/oidc/customization/sub"))
            .await;
        let mut fact = ActionsFact::default();
        let mut at = None;
        match (permissions, subject) {
            (Err(error), _) | (_, Err(error)) if !error.affects_one_resource() => {
                return Err(error);
            }
            (Err(error), Err(_)) => return Err(error),
            (permissions, subject) => {
                if let Ok((answer, date)) = permissions {
                    fact.default_permissions = answer.default_workflow_permissions;
                    at = date;
                }
                if let Ok((answer, date)) = subject {
                    fact.immutable_subject = answer.use_immutable_subject;
                    fact.default_subject = answer.use_default;
                    fact.claim_keys = answer.include_claim_keys;
                    at = at.or(date);
                }
            }
        }
        Ok(Look {
            at,
            answers: vec![(self.subject(repo.as_str()), Answer::Actions(fact))],
        })
    }
}

fn environments_fact(listing: Listing<wire::Environment>) -> EnvironmentsFact {
    let mut complete = listing.whole.is_ok();
    let mut environments = Vec::with_capacity(listing.items.len());
    for item in &listing.items {
        if EnvironmentName::parse(&item.name).is_ok() {
            environments.push(environment(item));
        } else {
            complete = false;
        }
    }
    environments.sort_by(|a, b| a.name.cmp(&b.name));
    EnvironmentsFact {
        complete,
        environments,
    }
}

fn environment(item: &wire::Environment) -> EnvironmentFact {
    let of_kind = |kind: &'static str| {
        item.protection_rules
            .iter()
            .filter(move |rule| &*rule.kind == kind)
    };
    let reviewers: usize = of_kind("required_reviewers")
        .map(|rule| rule.reviewers.len())
        .sum();
    EnvironmentFact {
        name: item.name.clone(),
        reviewers: u32::try_from(reviewers).unwrap_or(u32::MAX),
        prevent_self_review: of_kind("required_reviewers")
            .any(|rule| rule.prevent_self_review == Some(true)),
        wait_minutes: of_kind("wait_timer")
            .filter_map(|rule| rule.wait_timer)
            .max()
            .unwrap_or_default(),
        branches: match item.deployment_branch_policy {
            None => "none",
            Some(policy) if policy.protected_branches => "protected",
            Some(_) => "custom",
        }
        .into(),
    }
}

/// Gives the names of environments, for the sweep of their secrets; none where the list is not whole.
pub fn environment_names(fact: &EnvironmentsFact) -> Option<Vec<EnvironmentName>> {
    let names = fact
        .environments
        .iter()
        .filter_map(|one| EnvironmentName::parse(&one.name).ok());
    fact.complete.then(|| names.collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    /// From the example of "List environments" in GitHub's description, shortened.
    const ENVIRONMENTS: &str = r#"[{"id":161088068,"node_id":"MDEx","name":"staging","url":"u","protection_rules":[
        {"id":3736,"node_id":"MD","type":"wait_timer","wait_timer":30},
        {"id":3755,"node_id":"MD","prevent_self_review":true,"type":"required_reviewers","reviewers":[
            {"type":"User","reviewer":{"login":"octocat","id":1}},{"type":"Team","reviewer":{"id":1,"name":"Justice League"}}]},
        {"id":3756,"node_id":"MD","type":"branch_policy"}],
        "deployment_branch_policy":{"protected_branches":false,"custom_branch_policies":true}},
        {"name":"npm","protection_rules":null,"deployment_branch_policy":null},
        {"name":"docs","deployment_branch_policy":{"protected_branches":true,"custom_branch_policies":false}}]"#;

    #[test]
    fn environments_become_facts() {
        let items: Vec<wire::Environment> = serde_json::from_str(ENVIRONMENTS).unwrap();
        let fact = environments_fact(Listing {
            items,
            whole: Ok(()),
            at: None,
        });
        let [docs, npm, staging] = &fact.environments[..] else {
            panic!("{fact:?}")
        };
        assert!(fact.complete);
        assert_eq!(
            (&*docs.branches, &*npm.branches, &*staging.branches),
            ("protected", "none", "custom")
        );
        assert_eq!(
            (
                staging.reviewers,
                staging.prevent_self_review,
                staging.wait_minutes
            ),
            (2, true, 30)
        );
        assert_eq!(
            (npm.reviewers, npm.prevent_self_review, npm.wait_minutes),
            (0, false, 0)
        );
        assert_eq!(environment_names(&fact).unwrap().len(), 3);
    }

    #[test]
    fn a_name_that_does_not_fit_or_a_missing_page_leaves_the_list_open() {
        let bad = wire::Environment {
            name: "a\nb".into(),
            ..Default::default()
        };
        let fact = environments_fact(Listing {
            items: vec![bad],
            whole: Ok(()),
            at: None,
        });
        assert!(!fact.complete && fact.environments.is_empty());
        let fact = environments_fact(Listing {
            items: vec![],
            whole: Err("0 of 2".into()),
            at: None,
        });
        assert!(!fact.complete && environment_names(&fact).is_none());
    }
}
