//! Addresses of accounts, members, repositories and who may do what in them.
//! Must not change the world.

use serde_json::{Map, Value, json};

use super::{Context, Refusal, body, not_found};
use crate::tabletop::clock::iso;
use crate::tabletop::server::Answer;

/// `GET /user`
pub fn user(context: &Context<'_>) -> Answer {
    let hall = &*context.hall;
    let mut value = body::login(hall, &context.token.login);
    if let (Some(map), Some(one)) = (
        value.as_object_mut(),
        hall.world.person(&context.token.login),
    ) {
        details(map, &one.name, &iso(hall.world.org.created));
        map.insert("email".to_owned(), json!(one.email));
    }
    Answer::json(200, &value)
}

fn details(map: &mut Map<String, Value>, name: &str, created: &str) {
    map.insert("name".to_owned(), json!(name));
    for field in ["company", "location", "email", "hireable", "bio"] {
        map.insert(field.to_owned(), Value::Null);
    }
    map.insert("blog".to_owned(), json!(""));
    for field in ["public_repos", "public_gists", "followers", "following"] {
        map.insert(field.to_owned(), json!(0));
    }
    map.insert("created_at".to_owned(), json!(created));
    map.insert("updated_at".to_owned(), json!(created));
}

/// `GET /users/{login}`
pub fn account(context: &Context<'_>, login: &str) -> Result<Answer, Refusal> {
    let hall = &*context.hall;
    let created = iso(hall.world.org.created);
    if login.eq_ignore_ascii_case(&hall.world.org.login) {
        let mut value = body::login(hall, &hall.world.org.login);
        if let Some(map) = value.as_object_mut() {
            map.insert("type".to_owned(), json!("Organization"));
            map.insert("id".to_owned(), json!(hall.world.org.id));
            details(map, &hall.world.org.name, &created);
        }
        return Ok(Answer::json(200, &value));
    }
    let one = hall.world.person(login).ok_or_else(not_found)?;
    let mut value = body::person(hall, one);
    if let Some(map) = value.as_object_mut() {
        details(map, &one.name, &created);
    }
    Ok(Answer::json(200, &value))
}

/// `GET /orgs/{org}`
pub fn organisation(context: &Context<'_>) -> Result<Answer, Refusal> {
    let hall = &*context.hall;
    let (org, base) = (
        &hall.world.org,
        format!("{}/orgs/{}", hall.github, hall.world.org.login),
    );
    let mut map = Map::new();
    for field in [
        "repos_url",
        "events_url",
        "hooks_url",
        "issues_url",
        "members_url",
        "public_members_url",
    ] {
        let tail = field.trim_end_matches("_url");
        map.insert(field.to_owned(), json!(format!("{base}/{tail}")));
    }
    let fields = json!({
        "login": &*org.login, "id": org.id, "node_id": format!("O_tt{:x}", org.id), "url": base,
        "avatar_url": format!("https://avatars.githubusercontent.com/u/{}?v=4", org.id), "description": org.name,
        "name": org.name, "html_url": format!("https://github.com/{}", org.login), "type": "Organization",
        "has_organization_projects": true, "has_repository_projects": true, "public_repos": 0, "public_gists": 0,
        "followers": 0, "following": 0, "created_at": iso(org.created), "updated_at": iso(org.created),
        "archived_at": null,
    });
    map.extend(fields.as_object().cloned().unwrap_or_default());
    Ok(Answer::json(200, &Value::Object(map)))
}

/// `GET /orgs/{org}/members`
pub fn members(context: &mut Context<'_>) -> Result<Answer, Refusal> {
    context.need("members", "read")?;
    let hall = &*context.hall;
    let wanted = context.request.query("role").unwrap_or("all");
    let people = hall
        .world
        .people
        .iter()
        .filter(|one| !one.left && one.role.is_some());
    let people = people.filter(|one| match wanted {
        "admin" => one.role.as_deref() == Some("owner"),
        "member" => one.role.as_deref() != Some("owner"),
        _ => true,
    });
    Ok(context.list(people.map(|one| body::person(hall, one)).collect()))
}

/// `GET /orgs/{org}/repos` and `GET /users/{login}/repos`
pub fn of(context: &mut Context<'_>, owner: &str) -> Result<Answer, Refusal> {
    context.need("metadata", "read")?;
    let world = &context.hall.world;
    if !owner.eq_ignore_ascii_case(&world.org.login) {
        // People of this world have no repositories of their own.
        world.person(owner).ok_or_else(not_found)?;
        return Ok(context.list(Vec::new()));
    }
    listed(context)
}

/// `GET /user/repos`
pub fn mine(context: &mut Context<'_>) -> Result<Answer, Refusal> {
    context.need("metadata", "read")?;
    listed(context)
}

fn listed(context: &Context<'_>) -> Result<Answer, Refusal> {
    let (hall, caller) = (&*context.hall, &context.token.login);
    let kind = context.request.query("type").unwrap_or("all");
    let mut all: Vec<_> = hall
        .world
        .repos
        .iter()
        .filter(|repo| hall.world.role(repo, caller).is_some())
        .filter(|repo| match kind {
            "public" => !repo.private,
            "private" => repo.private,
            "forks" => repo.fork,
            "sources" => !repo.fork,
            _ => true,
        })
        .collect();
    let sort = context.request.query("sort").unwrap_or("created");
    all.sort_by(|a, b| match sort {
        "pushed" | "updated" => a.pushed.cmp(&b.pushed),
        "full_name" => b.name.cmp(&a.name),
        _ => a.created.cmp(&b.created),
    });
    let default = if sort == "full_name" { "asc" } else { "desc" };
    let descending = context.request.query("direction").unwrap_or(default) == "desc";
    // By name the wish is turned round: names go up by default.
    if descending != (sort == "full_name") {
        all.reverse();
    }
    let (skip, per) = context.page();
    let shown: Vec<Value> = all
        .iter()
        .skip(skip)
        .take(per)
        .map(|repo| body::repository(hall, repo, caller))
        .collect();
    Ok(context.linked(Answer::json(200, &Value::Array(shown)), all.len()))
}

/// `GET /repos/{owner}/{repo}`
pub fn one(context: &mut Context<'_>, at: usize) -> Result<Answer, Refusal> {
    context.need("metadata", "read")?;
    Ok(Answer::json(
        200,
        &body::whole_repository(context.hall, context.get(at)?, &context.token.login),
    ))
}

/// `GET /repos/{owner}/{repo}/collaborators…`
pub fn collaborators(
    context: &mut Context<'_>,
    at: usize,
    rest: &[&str],
) -> Result<Answer, Refusal> {
    context.need("metadata", "read")?;
    let hall = &*context.hall;
    let repo = context.get(at)?;
    match rest {
        [] => {
            context.role(at, "push")?;
            let people = hall.world.people.iter().filter(|one| !one.left);
            let all = people.filter_map(|one| {
                let role = hall.world.role(repo, &one.login)?;
                let mut value = body::person(hall, one);
                let map = value.as_object_mut()?;
                map.insert("permissions".to_owned(), body::permissions(role));
                map.insert("role_name".to_owned(), json!(body::role_name(role)));
                Some(value)
            });
            Ok(context.list(all.collect()))
        }
        [login, "permission"] => {
            let one = hall.world.person(login).ok_or_else(not_found)?;
            let role = hall.world.role(repo, login).map_or("none", body::role_name);
            let old = match role {
                "maintain" => "write",
                "triage" => "read",
                other => other,
            };
            let mut person = body::person(hall, one);
            if let Some(map) = person.as_object_mut() {
                map.insert("role_name".to_owned(), json!(role));
            }
            Ok(Answer::json(
                200,
                &json!({ "permission": old, "role_name": role, "user": person }),
            ))
        }
        _ => Err(not_found()),
    }
}
