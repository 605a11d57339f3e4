//! Addresses of accounts: who am I, profile, tokens, people and packages of an organisation.
//! A listing of tokens has its owner's only: nobody sees another account's.

use serde_json::{Map, Value, json};

use super::{Refusal, bad, caller, challenge, not_found, session, trust, unauthorised};
use crate::assets::policy;
use crate::safe::secret::Secret;
use crate::tabletop::clock::{DAY, MINUTE, iso_ms, parse};
use crate::tabletop::random::Rng;
use crate::tabletop::server::{Answer, Hall, Request};
use crate::tabletop::world::{NpmKind, NpmToken};

/// `GET /-/whoami`
pub fn whoami(hall: &mut Hall, request: &Request) -> Result<Answer, Refusal> {
    let token = caller(hall, request)?;
    if token.kind == NpmKind::Exchange {
        return Err(unauthorised());
    }
    Ok(Answer::json(200, &json!({ "username": &*token.owner })))
}

/// `GET /-/npm/v1/user`
pub fn profile(hall: &mut Hall, request: &Request) -> Result<Answer, Refusal> {
    let token = caller(hall, request)?;
    let one = hall.world.person(&token.owner).ok_or_else(unauthorised)?;
    let created = iso_ms(hall.world.org.created);
    Ok(Answer::json(
        200,
        &json!({
            "name": &*one.login,
            "fullname": one.name,
            "email": one.email,
            "email_verified": true,
            "tfa": one.two_factor.as_ref().map_or(json!(false), |mode| json!({ "mode": mode, "pending": false })),
            "cidr_whitelist": null,
            "created": created,
            "updated": created,
            "homepage": "", "freenode": "", "twitter": "", "github": &*one.login,
        }),
    ))
}

/// `/-/npm/v1/tokens…`
pub fn tokens(
    hall: &mut Hall,
    request: &Request,
    method: &str,
    rest: &[&str],
) -> Result<Answer, Refusal> {
    let session = session(hall, request)?;
    match (method, rest) {
        ("GET", []) => Ok(list(hall, request, &session)),
        ("POST", []) => {
            challenge::require(hall, request, &session.owner)?;
            create(hall, request, &session)
        }
        ("DELETE", ["token", which]) => {
            challenge::require(hall, request, &session.owner)?;
            if !trust::is_uuid(which) && !which.starts_with("npm_") {
                return Err(bad("Invalid token format"));
            }
            let (now, seed) = (hall.world.now, hall.world.seed);
            let found = hall.world.npm_tokens.iter_mut().find(|one| {
                (one.key == *which || one.value.expose() == *which)
                    && one.owner == session.owner
                    && one.kind == NpmKind::Granular
                    && one.revoked.is_none()
            });
            let token = found.ok_or_else(not_found)?;
            // It leaves the list at once, but may be taken for a while, as npm's documentation warns.
            let settles = i64::from(policy().after_revoke.settles_within_minutes) * MINUTE;
            token.revoked = Some(now + Rng::of(seed, &token.key, 60).between(0, settles));
            Ok(Answer::empty(204))
        }
        _ => Err(not_found()),
    }
}

fn list(hall: &Hall, request: &Request, session: &NpmToken) -> Answer {
    let number = |name: &str, default: usize| {
        request
            .query(name)
            .and_then(|text| text.parse().ok())
            .unwrap_or(default)
    };
    let (page, per) = (number("page", 0), number("perPage", 10).clamp(1, 100));
    let mine = hall.world.npm_tokens.iter().filter(|token| {
        token.owner == session.owner && token.kind == NpmKind::Granular && token.revoked.is_none()
    });
    let mine: Vec<&NpmToken> = mine.collect();
    let objects: Vec<Value> = mine
        .iter()
        .skip(page * per)
        .take(per)
        .map(|token| token_json(token))
        .collect();
    let mut urls = Map::new();
    let address = |page: usize| json!(format!("/-/npm/v1/tokens?page={page}&perPage={per}"));
    if (page + 1) * per < mine.len() {
        urls.insert("next".to_owned(), address(page + 1));
    }
    if page > 0 {
        urls.insert("prev".to_owned(), address(page - 1));
    }
    Answer::json(
        200,
        &json!({ "objects": objects, "total": mine.len(), "urls": urls }),
    )
}

fn token_json(token: &NpmToken) -> Value {
    let value = token.value.expose();
    let (first, last) = (
        value.get(..8).unwrap_or_default(),
        value
            .get(value.len().saturating_sub(4)..)
            .unwrap_or_default(),
    );
    let action = if token.write { "write" } else { "read" };
    let scope = |name: &String| {
        let kind = if name.contains('/') {
            "package"
        } else {
            "scope"
        };
        json!({ "type": kind, "name": name })
    };
    let mut out = json!({
        "name": token.name,
        "description": token.description,
        "key": token.key,
        "token": format!("{first}...{last}"),
        "readonly": !token.write,
        "bypass_2fa": token.bypass_2fa,
        "cidr": token.cidr,
        "expiry": token.expires.map(iso_ms),
        "revoked": token.revoked.map(iso_ms),
        "created": iso_ms(token.created),
        "updated": iso_ms(token.updated),
        "accessed": token.accessed.map(iso_ms),
        "permissions": [{ "name": "package", "action": action }],
        "scopes": token.packages.iter().map(scope).collect::<Vec<_>>(),
    });
    if let (true, Some(map)) = (token.stage_only, out.as_object_mut()) {
        map.insert("publish_policy".to_owned(), json!("stage_only"));
    }
    out
}

/// Makes a token as npm's description and as its own client send it: the two name some fields differently.
fn create(hall: &mut Hall, request: &Request, session: &NpmToken) -> Result<Answer, Refusal> {
    let (asked, now) = (request.json(), hall.world.now);
    let word = |name: &str| asked.get(name).and_then(Value::as_str).map(str::to_owned);
    let flag = |name: &str| asked.get(name).and_then(Value::as_bool).unwrap_or(false);
    let list = |name: &str| {
        let all = asked
            .get(name)
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        all.filter_map(Value::as_str)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let name = word("name")
        .filter(|name| !name.is_empty())
        .ok_or_else(|| bad("Token name is required"))?;
    if word("password").is_none() {
        return Err(bad("password is required"));
    }
    for (field, words) in [
        ("packages", "Packages must be an array"),
        ("scopes", "Scopes must be an array"),
        ("orgs", "Organizations must be an array"),
    ] {
        if asked.get(field).is_some_and(|value| !value.is_array()) {
            return Err(bad(words));
        }
    }
    let access = word("packages_and_scopes_permission").unwrap_or_else(|| "read-only".to_owned());
    let known = [
        "no-access",
        "read-only",
        "read-write",
        "read-write-stage-only",
    ];
    if !known.contains(&access.as_str()) {
        return Err(bad(
            "Invalid packages_and_scopes_permission. Must be one of: no-access, read-only, read-write",
        ));
    }
    let write = access.starts_with("read-write");
    let expires = match asked.get("expires") {
        Some(Value::String(at)) => parse(at).ok_or_else(|| bad("expires is not a date"))?,
        Some(Value::Number(days)) => now + days.as_i64().unwrap_or(7) * DAY,
        _ => now + if write { 7 } else { 30 } * DAY,
    };
    if write && expires > now + 90 * DAY {
        return Err(bad(
            "Read-write tokens cannot have expiration longer than 90 days",
        ));
    }
    let mut packages: Vec<String> = list("packages").into_iter().chain(list("scopes")).collect();
    if packages.is_empty() && !flag("packages_all") && list("orgs").is_empty() {
        return Err(bad(
            "You must have at least one package / scope or organization added to this token.",
        ));
    }
    packages.retain(|one| one != "*");
    let mut rng = Rng::of(
        hall.world.seed,
        &name,
        40 + hall.world.npm_tokens.len() as u64,
    );
    let token = NpmToken {
        key: rng.uuid(),
        kind: NpmKind::Granular,
        owner: session.owner.clone(),
        value: Secret::new(format!("npm_{}", rng.text(36))),
        name,
        description: word("token_description").or_else(|| word("description")),
        created: now,
        updated: now,
        expires: Some(expires),
        revoked: None,
        accessed: None,
        bypass_2fa: flag("bypass_2fa"),
        stage_only: access == "read-write-stage-only",
        write,
        cidr: if list("cidr").is_empty() {
            list("cidr_whitelist")
        } else {
            list("cidr")
        },
        packages,
        organisations: list("orgs"),
        config: None,
    };
    let mut out = token_json(&token);
    if let Some(map) = out.as_object_mut() {
        map.insert("token".to_owned(), json!(token.value.expose()));
    }
    hall.world.npm_tokens.push(token);
    Ok(Answer::json(201, &out))
}

/// `GET /-/org/{org}/package`, `…/user` and `…/team`
pub fn organisation(
    hall: &mut Hall,
    request: &Request,
    org: &str,
    what: &str,
) -> Result<Answer, Refusal> {
    let token = caller(hall, request)?;
    let world = &hall.world;
    if !org.eq_ignore_ascii_case(&world.org.login) {
        return Err(not_found());
    }
    let member = world
        .person(&token.owner)
        .is_some_and(|one| one.role.is_some());
    let scope = format!("@{}/", world.org.login);
    match what {
        "package" => {
            let all = world
                .packages
                .values()
                .filter(|one| one.name.starts_with(&scope) && (member || !one.private));
            let pairs = all.map(|one| {
                let write = one.people.get(&token.owner) == Some(&"read-write");
                (
                    one.name.clone(),
                    json!(if write { "write" } else { "read" }),
                )
            });
            Ok(Answer::json(200, &Value::Object(pairs.collect())))
        }
        _ if !member => Err(super::forbidden(
            "You are not a member of this organization",
        )),
        "user" => {
            let people = world
                .people
                .iter()
                .filter(|one| one.role.is_some() && &*one.login != "wall");
            let pairs = people.map(|one| {
                let role = match one.role.as_deref() {
                    Some("owner") => "owner",
                    Some("admin") => "admin",
                    _ => "developer",
                };
                (one.login.to_string(), json!(role))
            });
            Ok(Answer::json(200, &Value::Object(pairs.collect())))
        }
        "team" => Ok(Answer::json(200, &json!([format!("{org}:developers")]))),
        _ => Err(not_found()),
    }
}

/// `GET /-/user/{login}/package`
pub fn packages_of(hall: &mut Hall, request: &Request, login: &str) -> Result<Answer, Refusal> {
    let token = caller(hall, request)?;
    let own = &*token.owner == login;
    let all = hall
        .world
        .packages
        .values()
        .filter(|one| own || !one.private);
    let pairs = all.filter_map(|one| {
        let access = one.people.get(login)?;
        Some((
            one.name.clone(),
            json!(if *access == "read-write" {
                "write"
            } else {
                "read"
            }),
        ))
    });
    Ok(Answer::json(200, &Value::Object(pairs.collect())))
}
