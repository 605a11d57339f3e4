//! Addresses that write packages: publish, stage, dist-tags, who may publish.
//! The same rules decide here and for the world's own runs: [`crate::tabletop::world`] has them.

use std::sync::Arc;

use data_encoding::BASE64;
use serde_json::{Value, json};

use super::{Refusal, bad, caller, challenge, forbidden, not_found, session, writes};
use crate::tabletop::random::Rng;
use crate::tabletop::server::{Answer, Hall, Request};
use crate::tabletop::world::{Failure, How, NpmKind, NpmToken, Stage, Version};

/// Says no as npm says it for a cause.
fn refused(why: Failure) -> Refusal {
    match why {
        Failure::ExpiredToken => not_found(),
        Failure::OneTimePassword => Answer::json(
            401,
            &json!({ "error": "You must provide a one-time pass." }),
        )
        .with("www-authenticate", "OTP"),
        Failure::StageRequired => Answer::json(
            403,
            &json!({ "error": "This token can only stage versions. Use npm stage publish.", "code": "E_STAGE_REQUIRED" }),
        ),
        Failure::BypassRequired => forbidden(
            "Two-factor authentication or granular access token with bypass 2fa enabled is required to publish packages.",
        ),
        _ => forbidden(
            "You do not have permission to publish this package. Are you logged in as the correct user?",
        ),
    }
}

/// Lets a credential write a package: a token by its powers, a person by a second factor.
fn may(
    hall: &mut Hall,
    request: &Request,
    token: &NpmToken,
    name: &str,
    stage: bool,
) -> Result<(), Refusal> {
    if token.kind != NpmKind::Session {
        return hall.world.allowed(&token.key, name, stage).map_err(refused);
    }
    if hall
        .world
        .packages
        .get(name)
        .is_some_and(|package| !writes(package, &token.owner))
    {
        return Err(refused(Failure::Forbidden));
    }
    challenge::require(hall, request, &token.owner)
}

/// What a publish document brings: version, tag, manifest, tarball, bundle.
struct Upload {
    version: Version,
    tag: String,
}

fn upload(hall: &Hall, request: &Request, token: &NpmToken, name: &str) -> Result<Upload, Refusal> {
    let asked = request.json();
    let versions = asked
        .get("versions")
        .and_then(Value::as_object)
        .ok_or_else(|| bad("versions are missing"))?;
    let (number, manifest) = versions
        .iter()
        .next()
        .ok_or_else(|| bad("versions are missing"))?;
    if asked.get("name").and_then(Value::as_str) != Some(name) {
        return Err(bad("name does not match the address"));
    }
    let tags = asked.get("dist-tags").and_then(Value::as_object);
    let tag = tags
        .and_then(|tags| tags.keys().next().cloned())
        .unwrap_or_else(|| "latest".to_owned());
    let file = |end: &str| {
        let all = asked.get("_attachments").and_then(Value::as_object)?;
        let data = all
            .iter()
            .find(|(key, _)| key.ends_with(end))?
            .1
            .get("data")?
            .as_str()?;
        Some(data.to_owned())
    };
    let tarball = file(".tgz").and_then(|data| BASE64.decode(data.as_bytes()).ok());
    let head = manifest.get("gitHead").and_then(Value::as_str);
    Ok(Upload {
        version: Version {
            version: number.clone(),
            at: hall.world.now,
            how: if token.kind == NpmKind::Session {
                How::Laptop
            } else {
                How::Token {
                    key: token.key.clone(),
                }
            },
            user: token.owner.clone(),
            git_head: head.and_then(crate::tabletop::world::Oid::parse),
            run: None,
            deprecated: None,
            manifest: Some(Arc::from(manifest.to_string())),
            tarball: tarball.map(Arc::from),
            bundle: file(".sigstore").map(Arc::from),
        },
        tag,
    })
}

fn taken(hall: &Hall, name: &str, version: &str) -> Result<(), Refusal> {
    let there = hall
        .world
        .packages
        .get(name)
        .is_some_and(|one| one.versions.iter().any(|v| v.version == version));
    let waits = hall
        .world
        .stages
        .iter()
        .any(|one| one.package == name && one.version == version && one.status == "pending");
    if there || waits {
        return Err(forbidden(&format!(
            "You cannot publish over the previously published versions: {version}."
        )));
    }
    Ok(())
}

/// `PUT /{package}`
pub fn publish(hall: &mut Hall, request: &Request, name: &str) -> Result<Answer, Refusal> {
    let token = caller(hall, request)?;
    may(hall, request, &token, name, false)?;
    let upload = upload(hall, request, &token, name)?;
    taken(hall, name, &upload.version.version)?;
    hall.world.put_version(name, upload.version, &upload.tag);
    if let Some(package) = hall.world.packages.get_mut(name)
        && package.people.is_empty()
    {
        package.people.insert(token.owner.clone(), "read-write");
    }
    Ok(Answer::json(200, &json!({ "success": true })))
}

/// `POST /-/stage/package/{package}`
pub fn stage(hall: &mut Hall, request: &Request, name: &str) -> Result<Answer, Refusal> {
    let token = caller(hall, request)?;
    if token.kind != NpmKind::Session {
        hall.world
            .allowed(&token.key, name, true)
            .map_err(refused)?;
    }
    let upload = upload(hall, request, &token, name)?;
    taken(hall, name, &upload.version.version)?;
    let number = hall.world.stages.len() as u64;
    let id = Rng::of(hall.world.seed, name, 400 + number).uuid();
    hall.world.stages.push(Stage {
        id: id.clone(),
        package: name.to_owned(),
        version: upload.version.version,
        tag: upload.tag,
        created: hall.world.now,
        actor: token.owner.to_string(),
        config: None,
        run: None,
        git_head: upload.version.git_head,
        status: "pending",
        document: Some(Arc::from(String::from_utf8_lossy(&request.body).as_ref())),
    });
    Ok(Answer::json(
        201,
        &json!({ "message": "Staged", "stageId": id }),
    ))
}

/// `/-/package/{package}/dist-tags…`
pub fn dist_tags(
    hall: &mut Hall,
    request: &Request,
    method: &str,
    name: &str,
    rest: &[&str],
) -> Result<Answer, Refusal> {
    if let ("GET", []) = (method, rest) {
        return Ok(Answer::json(
            200,
            &json!(super::readable(hall, request, name)?.tags),
        ));
    }
    let [tag] = rest else { return Err(not_found()) };
    let token = caller(hall, request)?;
    may(hall, request, &token, name, true)?;
    let package = hall.world.packages.get_mut(name).ok_or_else(not_found)?;
    match method {
        "PUT" | "POST" => {
            let version = request.json();
            let version = version
                .as_str()
                .ok_or_else(|| bad("body must be a version"))?;
            if !package.versions.iter().any(|one| one.version == version) {
                return Err(not_found());
            }
            package.tags.insert((*tag).to_owned(), version.to_owned());
        }
        "DELETE" if *tag == "latest" => return Err(bad("latest cannot be removed")),
        "DELETE" => {
            package.tags.remove(*tag).ok_or_else(not_found)?;
        }
        _ => return Err(not_found()),
    }
    package.rev += 1;
    Ok(Answer::json(200, &json!({ "ok": true })))
}

/// `POST /-/package/{package}/access`
pub fn access(hall: &mut Hall, request: &Request, name: &str) -> Result<Answer, Refusal> {
    let session = session(hall, request)?;
    let package = hall.world.packages.get(name).ok_or_else(not_found)?;
    if !writes(package, &session.owner) {
        return Err(forbidden("You do not have write access to this package"));
    }
    challenge::require(hall, request, &session.owner)?;
    let asked = request.json();
    let package = hall.world.packages.get_mut(name).ok_or_else(not_found)?;
    if let Some(word) = asked.get("access").and_then(Value::as_str) {
        package.private = word != "public";
    }
    let flag = |name: &str| asked.get(name).and_then(Value::as_bool);
    if let Some(tokens) = flag("automation_token_overrides_tfa") {
        package.tokens_disallowed = !tokens;
    }
    package.rev += 1;
    Ok(Answer::json(200, &json!({})))
}
