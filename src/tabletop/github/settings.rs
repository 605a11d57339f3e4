//! Addresses of settings: limits, branches and rules, environments, Actions permissions, the OIDC subject.
//! Must not change the world, save for the OIDC subject, whose PUT stands here beside its GET.

use serde_json::{Value, json};

use super::{Context, PRIMARY, Refusal, body, not_found, unprocessable};
use crate::tabletop::clock::{HOUR, SECOND, iso};
use crate::tabletop::server::{Answer, Hall};
use crate::tabletop::world::{Environment, Repo};

/// `GET /rate_limit`
pub fn rate_limit(context: &mut Context<'_>) -> Answer {
    let now = context.now();
    let login = context.token.login.clone();
    let mut one = |resource: &'static str, limit: u64| {
        let used = *context.hall.limits.used(&login, resource, now);
        json!({
            "limit": limit,
            "used": used.points,
            "remaining": limit.saturating_sub(used.points),
            "reset": (used.since + HOUR) / SECOND,
            "resource": resource,
        })
    };
    let (core, graphql) = (one("core", PRIMARY), one("graphql", PRIMARY));
    let (search, code) = (one("search", 30), one("code_search", 10));
    Answer::json(
        200,
        &json!({
            "resources": { "core": core, "search": search, "graphql": graphql, "code_search": code },
            "rate": core,
        }),
    )
}

fn protected(repo: &Repo, branch: &str) -> bool {
    repo.rules.pull_request && *branch == *repo.default_branch
}

/// `GET /repos/{owner}/{repo}/branches…`
pub fn branches(context: &mut Context<'_>, at: usize, rest: &[&str]) -> Result<Answer, Refusal> {
    if let [branch @ .., "protection"] = rest {
        context.need("administration", "read")?;
        context.role(at, "admin")?;
        let (repo, branch) = (context.get(at)?, branch.join("/"));
        if !protected(repo, &branch) {
            return Err(super::message(404, "Branch not protected"));
        }
        return Ok(Answer::json(200, &protection(context.hall, repo, &branch)));
    }
    context.need("contents", "read")?;
    let (hall, repo) = (&*context.hall, context.get(at)?);
    let base = body::address(hall, repo);
    if rest.is_empty() {
        let wanted = context
            .request
            .query("protected")
            .map(|word| word == "true");
        let all = repo.refs.iter().filter_map(|(name, oid)| {
            let branch = name.strip_prefix("refs/heads/")?;
            let held = protected(repo, branch);
            (wanted.is_none_or(|wanted| wanted == held)).then(|| {
                json!({
                    "name": branch,
                    "commit": { "sha": oid.to_string(), "url": format!("{base}/commits/{oid}") },
                    "protected": held,
                })
            })
        });
        return Ok(context.list(all.collect()));
    }
    let branch = rest.join("/");
    let commit = repo
        .at(&format!("refs/heads/{branch}"))
        .ok_or_else(|| super::message(404, "Branch not found"))?;
    let address = format!("{base}/branches/{branch}");
    Ok(Answer::json(
        200,
        &json!({
            "name": branch,
            "commit": super::git::whole_commit(hall, repo, commit),
            "_links": { "self": address, "html": format!("{}/tree/{branch}", body::page(hall, repo)) },
            "protected": protected(repo, &branch),
            "protection": { "enabled": protected(repo, &branch) },
            "protection_url": format!("{address}/protection"),
        }),
    ))
}

fn protection(hall: &Hall, repo: &Repo, branch: &str) -> Value {
    let url = format!("{}/branches/{branch}/protection", body::address(hall, repo));
    json!({
        "url": url,
        "required_pull_request_reviews": {
            "url": format!("{url}/required_pull_request_reviews"),
            "dismiss_stale_reviews": false,
            "require_code_owner_reviews": repo.rules.code_owners,
            "required_approving_review_count": repo.rules.approvals,
            "require_last_push_approval": false,
        },
        "enforce_admins": { "url": format!("{url}/enforce_admins"), "enabled": false },
        "allow_force_pushes": { "enabled": false },
        "allow_deletions": { "enabled": false },
    })
}

/// `GET /repos/{owner}/{repo}/rules/branches/{branch}`
pub fn rules(context: &mut Context<'_>, at: usize, branch: &str) -> Result<Answer, Refusal> {
    context.need("metadata", "read")?;
    let repo = context.get(at)?;
    if !protected(repo, branch) {
        return Ok(Answer::json(200, &json!([])));
    }
    let source = format!("{}/{}", context.hall.world.org.login, repo.name);
    Ok(context.list(vec![json!({
        "type": "pull_request",
        "ruleset_source_type": "Repository",
        "ruleset_source": source,
        "ruleset_id": repo.id / 97,
        "parameters": {
            "dismiss_stale_reviews_on_push": false,
            "require_code_owner_review": repo.rules.code_owners,
            "require_last_push_approval": false,
            "required_approving_review_count": repo.rules.approvals,
            "required_review_thread_resolution": false,
        },
    })]))
}

/// `GET /repos/{owner}/{repo}/rulesets`
pub fn rulesets(context: &mut Context<'_>, at: usize) -> Result<Answer, Refusal> {
    context.need("metadata", "read")?;
    let repo = context.get(at)?;
    if !repo.rules.pull_request {
        return Ok(Answer::json(200, &json!([])));
    }
    Ok(context.list(vec![json!({
        "id": repo.id / 97,
        "name": "default branch",
        "target": "branch",
        "source_type": "Repository",
        "source": format!("{}/{}", context.hall.world.org.login, repo.name),
        "enforcement": "active",
        "node_id": format!("RRS_tt{:x}", repo.id),
        "created_at": iso(repo.created),
        "updated_at": iso(repo.created),
    })]))
}

/// `GET /orgs/{org}/rulesets`
pub fn org_rulesets(context: &mut Context<'_>, org: &str) -> Result<Answer, Refusal> {
    context.need("organization_administration", "write")?;
    context.owner(org)?;
    Ok(Answer::json(200, &json!([])))
}

fn environment_json(hall: &Hall, repo: &Repo, one: &Environment) -> Value {
    let mut rules = Vec::new();
    if one.wait_minutes > 0 {
        rules.push(json!({
            "id": one.id * 4, "node_id": format!("GA_tt{:x}", one.id * 4), "type": "wait_timer",
            "wait_timer": one.wait_minutes,
        }));
    }
    if !one.reviewers.is_empty() {
        let people = one.reviewers.iter();
        let people: Vec<Value> = people
            .map(|login| json!({ "type": "User", "reviewer": body::login(hall, login) }))
            .collect();
        rules.push(json!({
            "id": one.id * 4 + 1, "node_id": format!("GA_tt{:x}", one.id * 4 + 1), "type": "required_reviewers",
            "prevent_self_review": one.prevent_self_review, "reviewers": people,
        }));
    }
    if one.protected_only.is_some() {
        rules.push(json!({
            "id": one.id * 4 + 2, "node_id": format!("GA_tt{:x}", one.id * 4 + 2), "type": "branch_policy",
        }));
    }
    let address = format!("{}/environments/{}", body::address(hall, repo), one.name);
    json!({
        "id": one.id,
        "node_id": format!("EN_tt{:x}", one.id),
        "name": one.name,
        "url": address,
        "html_url": format!("{}/deployments/activity_log?environments_filter={}", body::page(hall, repo), one.name),
        "created_at": iso(one.created),
        "updated_at": iso(one.created),
        "protection_rules": rules,
        "deployment_branch_policy": one.protected_only.map(|only| json!({
            "protected_branches": only, "custom_branch_policies": !only,
        })),
    })
}

/// `GET /repos/{owner}/{repo}/environments`
pub fn environments(context: &mut Context<'_>, at: usize) -> Result<Answer, Refusal> {
    context.need("actions", "read")?;
    let (hall, repo) = (&*context.hall, context.get(at)?);
    let all = repo
        .environments
        .iter()
        .map(|one| environment_json(hall, repo, one))
        .collect();
    Ok(context.counted_list("environments", all))
}

/// `GET /repos/{owner}/{repo}/environments/{name}`
pub fn environment(context: &mut Context<'_>, at: usize, name: &str) -> Result<Answer, Refusal> {
    context.need("actions", "read")?;
    let (hall, repo) = (&*context.hall, context.get(at)?);
    let one = repo
        .environments
        .iter()
        .find(|one| one.name == name)
        .ok_or_else(not_found)?;
    Ok(Answer::json(200, &environment_json(hall, repo, one)))
}

/// `GET /repos/{owner}/{repo}/environments/{name}/deployment-branch-policies`
pub fn policies(context: &mut Context<'_>, at: usize, name: &str) -> Result<Answer, Refusal> {
    context.need("actions", "read")?;
    let repo = context.get(at)?;
    let one = repo
        .environments
        .iter()
        .find(|one| one.name == name)
        .ok_or_else(not_found)?;
    let all = one.branches.iter().enumerate().map(|(number, (kind, pattern))| {
        json!({ "id": one.id * 8 + number as u64, "node_id": format!("DBP_tt{number}"), "name": pattern, "type": kind })
    });
    Ok(context.counted_list("branch_policies", all.collect()))
}

/// `GET /repos/{owner}/{repo}/actions/permissions…`
pub fn permissions(context: &mut Context<'_>, at: usize, rest: &[&str]) -> Result<Answer, Refusal> {
    context.need("administration", "read")?;
    context.role(at, "admin")?;
    let (hall, repo) = (&*context.hall, context.get(at)?);
    match rest {
        [] => Ok(Answer::json(
            200,
            &json!({
                "enabled": true, "allowed_actions": "all", "sha_pinning_required": false,
                "selected_actions_url": format!("{}/actions/permissions/selected-actions", body::address(hall, repo)),
            }),
        )),
        ["workflow"] => Ok(Answer::json(200, &workflow_permissions(repo.default_write))),
        ["access"] => Ok(Answer::json(200, &json!({ "access_level": "none" }))),
        _ => Err(not_found()),
    }
}

fn workflow_permissions(write: bool) -> Value {
    json!({
        "default_workflow_permissions": if write { "write" } else { "read" },
        "can_approve_pull_request_reviews": false,
    })
}

/// `GET /orgs/{org}/actions/…`: permissions, and the OIDC subject.
pub fn org_actions(context: &mut Context<'_>, org: &str, rest: &[&str]) -> Result<Answer, Refusal> {
    context.need("organization_administration", "read")?;
    context.owner(org)?;
    match rest {
        ["permissions", "workflow"] => Ok(Answer::json(
            200,
            &workflow_permissions(context.hall.world.org.default_write),
        )),
        ["permissions"] => Ok(Answer::json(
            200,
            &json!({ "enabled_repositories": "all", "allowed_actions": "all" }),
        )),
        ["oidc", "customization", "sub"] => Ok(Answer::json(
            200,
            &json!({ "include_claim_keys": ["repo", "context"], "use_immutable_subject": false }),
        )),
        ["runners"] => Ok(context.counted_list("runners", Vec::new())),
        _ => Err(not_found()),
    }
}

/// `GET` and `PUT /repos/{owner}/{repo}/actions/oidc/customization/sub`
pub fn subject(context: &mut Context<'_>, method: &str, at: usize) -> Result<Answer, Refusal> {
    match method {
        "GET" => {
            context.need("actions", "read")?;
            let repo = context.get(at)?;
            let prefix = format!("repo:{}/{}", context.hall.world.org.login, repo.name);
            Ok(Answer::json(
                200,
                &json!({
                    "use_default": true,
                    "use_immutable_subject": repo.immutable_subject,
                    "sub_claim_prefix": prefix,
                }),
            ))
        }
        "PUT" => {
            context.need("actions", "write")?;
            context.role(at, "admin")?;
            let body = context.request.json();
            if !body.get("use_default").is_some_and(Value::is_boolean) {
                return Err(unprocessable(
                    "Invalid request.\n\n\"use_default\" wasn't supplied.",
                ));
            }
            if let Some(wish) = body.get("use_immutable_subject").and_then(Value::as_bool) {
                context.get_mut(at)?.immutable_subject = wish;
            }
            Ok(Answer::json(201, &json!({})))
        }
        _ => Err(not_found()),
    }
}
