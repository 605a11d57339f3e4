//! Addresses of secrets and variables in every store. Values of secrets are never answered: nobody gets them back.
//! Writing a secret keeps that it changed; what was encrypted into it is not read.

use serde_json::{Value, json};

use super::{Context, Refusal, body, not_found, unprocessable};
use crate::tabletop::clock::iso;
use crate::tabletop::server::Answer;
use crate::tabletop::world::{Held, Repo, Secret, Variable, Visibility, visible};

/// The permission that opens a store.
fn permission(store: &str, organisation: bool) -> &'static str {
    match (store, organisation) {
        ("dependabot", false) => "dependabot_secrets",
        ("codespaces", false) => "codespaces_secrets",
        ("agents", false) => "agent_secrets",
        (_, false) => "secrets",
        ("dependabot", true) => "organization_dependabot_secrets",
        ("codespaces", true) => "organization_codespaces_secrets",
        ("agents", true) => "organization_agent_secrets",
        (_, true) => "organization_secrets",
    }
}

fn secret_json(one: &Secret) -> Value {
    json!({ "name": one.name, "created_at": iso(one.created), "updated_at": iso(one.updated) })
}

fn variable_json(one: &Variable) -> Value {
    json!({
        "name": one.name, "value": one.value, "created_at": iso(one.created), "updated_at": iso(one.updated),
    })
}

fn store_of<'a>(repo: &'a mut Repo, store: &str) -> &'a mut Vec<Secret> {
    match store {
        "dependabot" => &mut repo.dependabot,
        "codespaces" => &mut repo.codespaces,
        "agents" => &mut repo.agents,
        _ => &mut repo.secrets,
    }
}

/// A key to seal secrets with. Nobody has its other half: what is sealed is not read.
fn public_key() -> Answer {
    Answer::json(
        200,
        &json!({ "key_id": "568250167242549743", "key": "hBT5WZEj8ZoOv6TYJsfWq7MxTEQopZO5/IT3ZCVQPzs=" }),
    )
}

/// `/repos/{owner}/{repo}/{store}/secrets…`
pub fn repository(
    context: &mut Context<'_>,
    method: &str,
    at: usize,
    store: &str,
    rest: &[&str],
) -> Result<Answer, Refusal> {
    context.need(
        permission(store, false),
        if method == "GET" { "read" } else { "write" },
    )?;
    context.role(at, "push")?;
    let (now, body) = (context.now(), context.request.json());
    let list = store_of(context.get_mut(at)?, store);
    if method == "GET" && rest.is_empty() {
        let all = list.iter().map(secret_json).collect();
        return Ok(context.counted_list("secrets", all));
    }
    one(list, method, rest, &body, now)
}

/// Reads, writes or deletes one secret of a list.
fn one(
    list: &mut Vec<Secret>,
    method: &str,
    rest: &[&str],
    body: &Value,
    now: i64,
) -> Result<Answer, Refusal> {
    match (method, rest) {
        ("GET", ["public-key"]) => Ok(public_key()),
        ("GET", [name]) => {
            let found = list
                .iter()
                .find(|one| one.name.eq_ignore_ascii_case(name))
                .ok_or_else(not_found)?;
            Ok(Answer::json(200, &secret_json(found)))
        }
        ("PUT", [name]) => {
            if !(body.get("encrypted_value").is_some_and(Value::is_string)
                && body.get("key_id").is_some())
            {
                return Err(unprocessable(
                    "Invalid request.\n\n\"encrypted_value\" wasn't supplied.",
                ));
            }
            let name = name.to_ascii_uppercase();
            if let Some(known) = list.iter_mut().find(|one| one.name == name) {
                known.updated = now;
                known.held = Held::Other;
                return Ok(Answer::empty(204));
            }
            list.push(Secret {
                name,
                created: now,
                updated: now,
                visibility: Visibility::All,
                held: Held::Other,
            });
            Ok(Answer::json(201, &json!({})))
        }
        ("DELETE", [name]) => {
            let place = list
                .iter()
                .position(|one| one.name.eq_ignore_ascii_case(name))
                .ok_or_else(not_found)?;
            list.remove(place);
            Ok(Answer::empty(204))
        }
        _ => Err(not_found()),
    }
}

/// `GET /repos/{owner}/{repo}/actions/organization-secrets`
pub fn shared(context: &mut Context<'_>, at: usize) -> Result<Answer, Refusal> {
    context.need("secrets", "read")?;
    context.role(at, "push")?;
    let repo = context.get(at)?;
    let seen = context
        .hall
        .world
        .org
        .secrets
        .iter()
        .filter(|one| visible(&one.visibility, repo));
    Ok(context.counted_list("secrets", seen.map(secret_json).collect()))
}

/// `GET /repos/{owner}/{repo}/actions/organization-variables`
pub fn shared_variables(context: &mut Context<'_>, at: usize) -> Result<Answer, Refusal> {
    context.need("variables", "read")?;
    context.role(at, "push")?;
    let repo = context.get(at)?;
    let seen = context
        .hall
        .world
        .org
        .variables
        .iter()
        .filter(|one| visible(&one.visibility, repo));
    Ok(context.counted_list("variables", seen.map(variable_json).collect()))
}

/// `/repos/{owner}/{repo}/actions/variables…`
pub fn variables(
    context: &mut Context<'_>,
    method: &str,
    at: usize,
    rest: &[&str],
) -> Result<Answer, Refusal> {
    context.need("variables", if method == "GET" { "read" } else { "write" })?;
    context.role(at, "push")?;
    let (now, body) = (context.now(), context.request.json());
    let list = &mut context.get_mut(at)?.variables;
    if method == "GET" && rest.is_empty() {
        let all = list.iter().map(variable_json).collect();
        return Ok(context.counted_list("variables", all));
    }
    one_variable(list, method, rest, &body, now)
}

fn one_variable(
    list: &mut Vec<Variable>,
    method: &str,
    rest: &[&str],
    body: &Value,
    now: i64,
) -> Result<Answer, Refusal> {
    let word = |field: &str| body.get(field).and_then(Value::as_str).map(str::to_owned);
    let place = |list: &[Variable], name: &str| {
        list.iter()
            .position(|one| one.name.eq_ignore_ascii_case(name))
    };
    match (method, rest) {
        ("POST", []) => {
            let (Some(name), Some(value)) = (word("name"), word("value")) else {
                return Err(unprocessable(
                    "Invalid request.\n\n\"name\" and \"value\" weren't supplied.",
                ));
            };
            if place(list, &name).is_some() {
                return Err(super::message(
                    409,
                    "Already exists - Variable already exists",
                ));
            }
            let name = name.to_ascii_uppercase();
            list.push(Variable {
                name,
                value,
                created: now,
                updated: now,
                visibility: Visibility::All,
            });
            Ok(Answer::json(201, &json!({})))
        }
        (_, [name]) => {
            let at = place(list, name).ok_or_else(not_found)?;
            match method {
                "GET" => list
                    .get(at)
                    .map(|one| Answer::json(200, &variable_json(one)))
                    .ok_or_else(not_found),
                "PATCH" => {
                    if let Some(one) = list.get_mut(at) {
                        one.value = word("value").unwrap_or_else(|| one.value.clone());
                        one.updated = now;
                    }
                    Ok(Answer::empty(204))
                }
                "DELETE" => {
                    list.remove(at);
                    Ok(Answer::empty(204))
                }
                _ => Err(not_found()),
            }
        }
        _ => Err(not_found()),
    }
}

/// `/repos/{owner}/{repo}/environments/{name}/secrets…` and `…/variables…`
pub fn environment(
    context: &mut Context<'_>,
    method: &str,
    at: usize,
    name: &str,
    what: &str,
    rest: &[&str],
) -> Result<Answer, Refusal> {
    context.need(
        "environments",
        if method == "GET" { "read" } else { "write" },
    )?;
    context.role(at, "push")?;
    let (now, body) = (context.now(), context.request.json());
    let environments = &mut context.get_mut(at)?.environments;
    let found = environments
        .iter_mut()
        .find(|one| one.name == name)
        .ok_or_else(not_found)?;
    match (what, method, rest) {
        ("secrets", "GET", []) => {
            let all = found.secrets.iter().map(secret_json).collect();
            Ok(context.counted_list("secrets", all))
        }
        ("variables", "GET", []) => {
            let all = found.variables.iter().map(variable_json).collect();
            Ok(context.counted_list("variables", all))
        }
        ("secrets", ..) => one(&mut found.secrets, method, rest, &body, now),
        _ => one_variable(&mut found.variables, method, rest, &body, now),
    }
}

/// `/orgs/{org}/{store}/secrets…`
pub fn organisation(
    context: &mut Context<'_>,
    method: &str,
    org: &str,
    store: &str,
    rest: &[&str],
) -> Result<Answer, Refusal> {
    context.need(
        permission(store, true),
        if method == "GET" { "read" } else { "write" },
    )?;
    context.owner(org)?;
    let base = format!("{}/orgs/{org}/{store}/secrets", context.hall.github);
    let own = &mut context.hall.world.org;
    let list = match store {
        "dependabot" => &mut own.dependabot,
        "codespaces" => &mut own.codespaces,
        "agents" => &mut own.agents,
        _ => &mut own.secrets,
    };
    match (method, rest) {
        ("GET", []) => {
            let all = list.iter().map(|one| shared_json(one, &base)).collect();
            Ok(context.counted_list("secrets", all))
        }
        ("GET", [name]) if *name != "public-key" => {
            let found = list
                .iter()
                .find(|one| one.name == *name)
                .ok_or_else(not_found)?;
            Ok(Answer::json(200, &shared_json(found, &base)))
        }
        (_, [name, "repositories", more @ ..]) => {
            let found = list
                .iter_mut()
                .find(|one| one.name == *name)
                .ok_or_else(not_found)?;
            let now = context.hall.world.now;
            let Visibility::Selected(ids) = &mut found.visibility else {
                let status = if method == "GET" { 200 } else { 409 };
                return Ok(Answer::json(
                    status,
                    &json!({ "total_count": 0, "repositories": [] }),
                ));
            };
            if let Some(answer) = select(ids, method, more, &context.request.json()) {
                found.updated = now;
                return answer;
            }
            let ids = ids.clone();
            let caller = &context.token.login;
            let hall = &*context.hall;
            let repos = hall
                .world
                .repos
                .iter()
                .filter(|repo| ids.contains(&repo.id));
            let all = repos
                .map(|repo| body::repository(hall, repo, caller))
                .collect();
            Ok(context.counted_list("repositories", all))
        }
        _ => {
            let now = context.hall.world.now;
            one(list, method, rest, &context.request.json(), now)
        }
    }
}

fn shared_json(one: &Secret, base: &str) -> Value {
    let mut value = secret_json(one);
    if let Some(map) = value.as_object_mut() {
        let word = match one.visibility {
            Visibility::All => "all",
            Visibility::Private => "private",
            Visibility::Selected(_) => "selected",
        };
        map.insert("visibility".to_owned(), json!(word));
        if word == "selected" {
            let url = format!("{base}/{}/repositories", one.name);
            map.insert("selected_repositories_url".to_owned(), json!(url));
        }
    }
    value
}

/// Changes which repositories see a secret; none: it was only a reading.
fn select(
    ids: &mut std::collections::BTreeSet<u64>,
    method: &str,
    rest: &[&str],
    body: &Value,
) -> Option<Result<Answer, Refusal>> {
    match (method, rest) {
        ("GET", []) => None,
        ("PUT", []) => {
            let all = body
                .get("selected_repository_ids")
                .and_then(Value::as_array);
            let Some(all) = all else {
                return Some(Err(unprocessable(
                    "\"selected_repository_ids\" wasn't supplied.",
                )));
            };
            *ids = all.iter().filter_map(Value::as_u64).collect();
            Some(Ok(Answer::empty(204)))
        }
        ("PUT" | "DELETE", [id]) => {
            let Ok(id) = id.parse::<u64>() else {
                return Some(Err(not_found()));
            };
            if method == "PUT" {
                ids.insert(id);
            } else {
                ids.remove(&id);
            }
            Some(Ok(Answer::empty(204)))
        }
        _ => Some(Err(not_found())),
    }
}

/// `GET /orgs/{org}/actions/variables`
pub fn org_variables(context: &mut Context<'_>, org: &str) -> Result<Answer, Refusal> {
    context.need("organization_variables", "read")?;
    context.owner(org)?;
    let all = context.hall.world.org.variables.iter().map(|one| {
        let mut value = variable_json(one);
        if let Some(map) = value.as_object_mut() {
            map.insert("visibility".to_owned(), json!("all"));
        }
        value
    });
    Ok(context.counted_list("variables", all.collect()))
}
