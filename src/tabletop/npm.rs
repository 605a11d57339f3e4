//! The simulated npm registry: who asks, and which address it is.
//!
//! Answers as npm's own description of its API says (statuses, bodies, headers). Who asks is found by the token in
//! `Authorization`; a dead or unknown token is 401 on addresses that need one and is ignored where everybody may read.
//! What needs a second factor goes through `challenge`. Must not share a type with the product's registry client.

use std::sync::Arc;

use serde_json::json;

use super::server::{Answer, Hall, Request};
use super::world::{NpmKind, NpmToken, Package};

mod account;
mod challenge;
mod exchange;
mod package;
mod publish;
mod tarball;
mod trust;

pub use challenge::Desk;
pub use exchange::id_token;

/// An answer that says no.
type Refusal = Answer;

/// Names the endpoint group of a request.
pub fn group(request: &Request) -> &'static str {
    let parts: Vec<&str> = request.parts.iter().map(String::as_str).collect();
    match parts.as_slice() {
        ["-", "npm", "v1", "tokens", ..] => "tokens",
        ["-", "stage", ..] => "stage",
        ["-", "package", .., "trust"] | ["-", "package", .., "trust", _] => "trust",
        ["-", "v1", "search", ..] => "search",
        _ => "read",
    }
}

/// Answers a request to the registry.
pub fn answer(hall: &mut Hall, request: &Request) -> Answer {
    let parts = whole_names(&request.parts);
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let method = if request.method == "HEAD" {
        "GET"
    } else {
        request.method.as_str()
    };
    route(hall, request, method, &parts).unwrap_or_else(|refusal| refusal)
}

fn route(
    hall: &mut Hall,
    request: &Request,
    method: &str,
    parts: &[&str],
) -> Result<Answer, Refusal> {
    match (method, parts) {
        ("GET", ["-", "ping"]) => Ok(Answer::json(200, &json!({}))),
        ("GET", ["-", "whoami"]) => account::whoami(hall, request),
        ("GET", ["-", "npm", "v1", "user"]) => account::profile(hall, request),
        (_, ["-", "npm", "v1", "tokens", rest @ ..]) => {
            account::tokens(hall, request, method, rest)
        }
        ("GET", ["-", "npm", "v1", "keys"]) => Ok(Answer::json(200, &json!({ "keys": [] }))),
        ("GET", ["-", "npm", "v1", "attestations", which]) => {
            package::attestations(hall, request, which)
        }
        (
            "POST",
            [
                "-",
                "npm",
                "v1",
                "oidc",
                "token",
                "exchange",
                "package",
                name,
            ],
        ) => exchange::exchange(hall, request, name),
        ("GET", ["-", "org", org, what]) => account::organisation(hall, request, org, what),
        ("GET", ["-", "user", login, "package"]) => account::packages_of(hall, request, login),
        ("GET", ["-", "v1", "search"]) => package::search(hall, request),
        ("GET", ["-", "v1", "done"]) => Ok(challenge::done(hall, request)),
        ("GET", ["auth", "cli", id]) => Ok(challenge::page(hall, id)),
        (_, ["-", "package", name, "trust", rest @ ..]) => {
            trust::trust(hall, request, method, name, rest)
        }
        ("POST", ["-", "stage", "package", name]) => publish::stage(hall, request, name),
        (_, ["-", "stage", rest @ ..]) => trust::stages(hall, request, method, rest),
        (_, ["-", "package", name, "dist-tags", rest @ ..]) => {
            publish::dist_tags(hall, request, method, name, rest)
        }
        ("POST", ["-", "package", name, "access"]) => publish::access(hall, request, name),
        ("GET", ["-", "package", name, "collaborators"]) => {
            package::collaborators(hall, request, name)
        }
        ("GET", ["-", "package", name, "visibility"]) => package::visibility(hall, request, name),
        (_, ["-", ..]) => Err(not_found()),
        ("GET", [name]) if !name.is_empty() => package::packument(hall, request, name),
        ("GET", [name, version]) => package::manifest_of(hall, request, name, version),
        ("GET", [name, "-", file]) => package::tarball(hall, request, name, file),
        ("PUT", [name]) if !name.is_empty() => publish::publish(hall, request, name),
        _ => Err(not_found()),
    }
}

/// Puts a package's name back together where its slash was sent as it is: `@acme`, `ui` becomes `@acme/ui`.
fn whole_names(parts: &[String]) -> Vec<String> {
    let mut whole: Vec<String> = Vec::with_capacity(parts.len());
    for part in parts {
        match whole.last_mut() {
            Some(scope) if scope.starts_with('@') && !scope.contains('/') => {
                scope.push('/');
                scope.push_str(part);
            }
            _ => whole.push(part.clone()),
        }
    }
    whole
}

/// Says no. npm words some refusals as `error`, others as `message`; clients read either.
fn no(status: u16, words: &str) -> Refusal {
    Answer::json(status, &json!({ "error": words, "message": words }))
}

fn not_found() -> Refusal {
    no(404, "Not found")
}

fn bad(words: &str) -> Refusal {
    no(400, words)
}

fn forbidden(words: &str) -> Refusal {
    no(403, words)
}

fn unauthorised() -> Refusal {
    no(401, "You must be logged in to do that").with("www-authenticate", "Bearer, Basic")
}

/// Gives the credential of a request as long as it is alive, and keeps that it was used.
fn caller(hall: &mut Hall, request: &Request) -> Result<NpmToken, Refusal> {
    let now = hall.world.now;
    let value = request.bearer().ok_or_else(unauthorised)?.to_owned();
    let known = hall
        .world
        .npm_tokens
        .iter_mut()
        .find(|one| one.value.expose() == value);
    let token = known.filter(|one| one.alive(now)).ok_or_else(|| {
        unauthorised().with(
            "npm-notice",
            "Access token expired or revoked. Please try logging in again.",
        )
    })?;
    token.accessed = Some(now);
    Ok(token.clone())
}

/// Gives the login session of a request: what manages needs one.
fn session(hall: &mut Hall, request: &Request) -> Result<NpmToken, Refusal> {
    let token = caller(hall, request)?;
    match token.kind {
        NpmKind::Session => Ok(token),
        // In these words, and as 401, whether or not the token bypasses 2FA: https://github.com/npm/cli/issues/9957
        NpmKind::Granular => Err(no(401, "npm tokens that bypass 2FA are being restricted")),
        NpmKind::Exchange => Err(unauthorised()),
    }
}

/// Finds a package that the caller may read: everybody a public one, members a private one.
fn readable<'a>(hall: &'a Hall, request: &Request, name: &str) -> Result<&'a Package, Refusal> {
    let package = hall.world.packages.get(name).ok_or_else(not_found)?;
    let member = || {
        let token = hall
            .world
            .npm_token(request.bearer()?)
            .filter(|one| one.alive(hall.world.now))?;
        hall.world
            .person(&token.owner)
            .filter(|one| one.role.is_some())
    };
    if package.private && member().is_none() {
        return Err(not_found());
    }
    Ok(package)
}

/// Tells whether an account may write a package.
fn writes(package: &Package, login: &Arc<str>) -> bool {
    package.people.get(login) == Some(&"read-write")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_part_however_its_slash_was_sent() {
        let whole =
            |text: &str| whole_names(&text.split('|').map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(
            whole("@acme|ui|-|ui-1.0.0.tgz"),
            ["@acme/ui", "-", "ui-1.0.0.tgz"]
        );
        assert_eq!(
            whole("-|package|@acme/ui|trust"),
            ["-", "package", "@acme/ui", "trust"]
        );
        assert_eq!(
            whole("-|package|@acme|ui|trust"),
            ["-", "package", "@acme/ui", "trust"]
        );
        assert_eq!(whole("plain"), ["plain"]);
        assert_eq!(whole("@acme"), ["@acme"]);
    }
}
