//! The simulated npm registry: takes a request, gives an answer, reads and changes the world.
//!
//! Answers as npm's own description of its API says (statuses, bodies, headers). Who asks is found by the token in
//! `Authorization`; a dead or unknown token is 401 on addresses that need one and is ignored where everybody may read.
//! Must not share a type with the product's registry client.

use serde_json::{Map, Value, json};

use super::clock::{Ms, iso_ms};
use super::server::{Answer, Hall, Request};
use super::world::{How, NpmKind, NpmToken, Package, Version};

/// What the registry keeps besides the world: 2FA challenges and windows.
#[derive(Debug, Default)]
pub struct Desk {}

/// Names the endpoint group of a request.
pub fn group(request: &Request) -> &'static str {
    let parts: Vec<&str> = request.parts.iter().map(String::as_str).collect();
    match parts.as_slice() {
        ["-", "npm", "v1", "tokens", ..] => "tokens",
        ["-", "stage", ..] => "stage",
        ["-", "package", _, "trust", ..] => "trust",
        ["-", "v1", "search", ..] => "search",
        _ => "read",
    }
}

/// Answers a request to the registry.
pub fn answer(hall: &mut Hall, request: &Request) -> Answer {
    let parts: Vec<&str> = request.parts.iter().map(String::as_str).collect();
    let method = if request.method == "HEAD" {
        "GET"
    } else {
        request.method.as_str()
    };
    match (method, parts.as_slice()) {
        ("GET", ["-", "ping"]) => Answer::json(200, &json!({})),
        ("GET", ["-", "whoami"]) => whoami(hall, request),
        ("GET", ["-", "npm", "v1", "tokens"]) => tokens(hall, request),
        ("GET", [scope, name]) if scope.starts_with('@') => {
            packument(hall, request, &format!("{scope}/{name}"))
        }
        ("GET", [name]) if !name.is_empty() => packument(hall, request, name),
        (_, ["-", ..]) => not_found(),
        ("GET", _) => not_found(),
        _ => Answer::json(405, &json!({ "error": "method not allowed" })),
    }
}

fn not_found() -> Answer {
    Answer::json(404, &json!({ "error": "Not found" }))
}

/// Gives the credential of a request as long as it is alive.
fn account<'a>(hall: &'a Hall, request: &Request) -> Option<&'a NpmToken> {
    hall.world
        .npm_token(request.bearer()?)
        .filter(|token| token.alive(hall.world.now))
}

fn unauthorised() -> Answer {
    Answer::json(401, &json!({ "error": "You must be logged in to do that" }))
        .with("www-authenticate", "Bearer, Basic")
}

fn whoami(hall: &mut Hall, request: &Request) -> Answer {
    match account(hall, request) {
        Some(token) if token.kind != NpmKind::Exchange => {
            Answer::json(200, &json!({ "username": &*token.owner }))
        }
        _ => unauthorised(),
    }
}

fn tokens(hall: &mut Hall, request: &Request) -> Answer {
    let Some(session) = account(hall, request).filter(|token| token.kind == NpmKind::Session)
    else {
        return unauthorised();
    };
    let owner = session.owner.clone();
    let number = |name: &str, default: usize| {
        request
            .query(name)
            .and_then(|text| text.parse().ok())
            .unwrap_or(default)
    };
    let (page, per) = (number("page", 0), number("perPage", 10).clamp(1, 100));
    let mine: Vec<&NpmToken> = hall
        .world
        .npm_tokens
        .iter()
        .filter(|token| {
            token.owner == owner && token.kind == NpmKind::Granular && token.revoked.is_none()
        })
        .collect();
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
        value.get(value.len() - 4..).unwrap_or_default(),
    );
    let action = if token.write { "write" } else { "read" };
    json!({
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
        "scopes": token.packages.iter().map(|name| json!({ "type": "package", "name": name })).collect::<Vec<_>>(),
    })
}

fn packument(hall: &mut Hall, request: &Request, name: &str) -> Answer {
    let reader = account(hall, request).map(|token| token.owner.clone());
    let Some(package) = hall.world.packages.get(name) else {
        return not_found();
    };
    if package.private
        && !reader.is_some_and(|login| {
            hall.world
                .person(&login)
                .is_some_and(|one| one.role.is_some())
        })
    {
        return not_found();
    }
    let tag = format!("\"{}-{}\"", package.rev, hall.world.seed);
    if request.header("if-none-match") == Some(tag.as_str()) {
        return Answer::empty(304).with("etag", tag);
    }
    Answer::json(200, &document(hall, package)).with("etag", tag)
}

fn document(hall: &Hall, package: &Package) -> Value {
    let (mut versions, mut time) = (Map::new(), Map::new());
    let at = |at: Ms| json!(iso_ms(at));
    time.insert("created".to_owned(), at(package.created));
    time.insert("modified".to_owned(), at(package.modified));
    for version in &package.versions {
        time.insert(version.version.clone(), at(version.at));
        versions.insert(version.version.clone(), manifest(hall, package, version));
    }
    let people = package.people.keys();
    let maintainers: Vec<Value> = people
        .map(|login| json!({ "name": &**login, "email": format!("{login}@acme.example") }))
        .collect();
    json!({
        "_id": package.name,
        "_rev": format!("{}-tabletop", package.rev),
        "name": package.name,
        "dist-tags": package.tags,
        "versions": versions,
        "time": time,
        "maintainers": maintainers,
        "repository": package.repository.as_ref().map(|url| json!({ "type": "git", "url": url })),
    })
}

fn manifest(hall: &Hall, package: &Package, version: &Version) -> Value {
    let user = match &version.how {
        How::Oidc { config, .. } => json!({
            "name": "GitHub Actions",
            "email": "npm-oidc-no-reply@github.com",
            "trustedPublisher": { "id": "github", "oidcConfigId": format!("oidc:{config}") },
        }),
        _ => json!({ "name": &*version.user, "email": format!("{}@acme.example", version.user) }),
    };
    let file = package.name.rsplit('/').next().unwrap_or_default();
    json!({
        "name": package.name,
        "version": version.version,
        "gitHead": version.git_head.map(|oid| oid.to_string()),
        "_npmUser": user,
        "dist": {
            "tarball": format!("{}/{}/-/{file}-{}.tgz", hall.registry, package.name, version.version),
        },
    })
}
