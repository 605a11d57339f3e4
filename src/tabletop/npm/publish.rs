//! Addresses that write packages: publish, stage, dist-tags, who may publish.
//! The same rules decide here and for the world's own runs: [`crate::tabletop::world`] has them.

use std::sync::Arc;

use data_encoding::BASE64;
use serde_json::{Value, json};

use super::{
    Refusal, bad, caller, challenge, exchange, forbidden, no, not_found, session, tarball, writes,
};
use crate::tabletop::random::Rng;
use crate::tabletop::server::{Answer, Hall, Request};
use crate::tabletop::world::{Failure, How, NpmKind, NpmToken, Oid, Stage, Version, World};

/// Says no as npm says it for a cause.
fn refused(why: Failure) -> Refusal {
    match why {
        // npm hides a dead token behind 404 when something is written.
        Failure::ExpiredToken => not_found(),
        Failure::OneTimePassword => {
            no(401, "You must provide a one-time pass.").with("www-authenticate", "OTP")
        }
        Failure::OidcDenied => forbidden("OIDC permission denied for this action"),
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

/// What is to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Publish,
    Stage,
    Tag,
    Amend,
}

/// Lets a credential write a package: a token by its powers, a workflow by its config, a person by a second factor.
fn may(
    hall: &mut Hall,
    request: &Request,
    token: &NpmToken,
    name: &str,
    act: Act,
) -> Result<(), Refusal> {
    match token.kind {
        NpmKind::Granular => {
            let stage = act != Act::Publish;
            hall.world.allowed(&token.key, name, stage).map_err(refused)
        }
        NpmKind::Exchange => {
            let now = hall.world.now;
            let package = hall.world.packages.get(name).ok_or_else(not_found)?;
            let config = exchange::config(package, token, now).ok_or_else(not_found)?;
            let allowed = match act {
                Act::Publish => config.publish,
                Act::Stage => config.stage,
                // Tags need a permission that is given on the web only; no config of this world has it.
                Act::Tag | Act::Amend => false,
            };
            allowed
                .then_some(())
                .ok_or_else(|| refused(Failure::OidcDenied))
        }
        NpmKind::Session => {
            let allowed = match hall.world.packages.get(name) {
                Some(package) => writes(package, &token.owner),
                None => may_begin(&hall.world, &token.owner, name),
            };
            if !allowed {
                return Err(refused(Failure::Forbidden));
            }
            match act {
                Act::Stage => Ok(()),
                Act::Publish | Act::Tag | Act::Amend => {
                    challenge::require(hall, request, &token.owner)
                }
            }
        }
    }
}

/// Tells whether an account may begin a package of a name: one of its own scope, of its organisation, or without scope.
fn may_begin(world: &World, login: &str, name: &str) -> bool {
    let Some(scope) = name
        .strip_prefix('@')
        .and_then(|rest| rest.split('/').next())
    else {
        return true;
    };
    let member = || world.person(login).is_some_and(|one| one.role.is_some());
    scope == login || (scope == &*world.org.login && member())
}

/// What a publish document brings: version, tag, manifest, tarball, bundle.
struct Upload {
    version: Version,
    tag: String,
    repository: Option<String>,
    private: bool,
}

/// Reads an attachment of a publish document as text.
fn attached<'a>(document: &'a Value, end: &str) -> Option<&'a str> {
    let all = document.get("_attachments")?.as_object()?;
    let (_, file) = all.iter().find(|(key, _)| key.ends_with(end))?;
    file.get("data")?.as_str()
}

/// Gives the archive in a publish document.
pub fn archive(document: &str) -> Option<Vec<u8>> {
    let document: Value = serde_json::from_str(document).ok()?;
    BASE64.decode(attached(&document, ".tgz")?.as_bytes()).ok()
}

fn upload(hall: &Hall, asked: &Value, token: &NpmToken, name: &str) -> Result<Upload, Refusal> {
    let versions = asked.get("versions").and_then(Value::as_object);
    let (number, manifest) = versions
        .and_then(|versions| versions.iter().next())
        .ok_or_else(|| bad("versions are missing"))?;
    if asked.get("name").and_then(Value::as_str) != Some(name) {
        return Err(bad("name does not match the address"));
    }
    let tags = asked.get("dist-tags").and_then(Value::as_object);
    let tag = tags
        .and_then(|tags| tags.keys().next().cloned())
        .unwrap_or_else(|| "latest".to_owned());
    let bytes = attached(asked, ".tgz")
        .and_then(|data| BASE64.decode(data.as_bytes()).ok())
        .ok_or_else(|| bad("the tarball is missing"))?;
    let said = manifest.pointer("/dist/integrity").and_then(Value::as_str);
    if said.is_some_and(|said| said != tarball::integrity(&bytes)) {
        return Err(bad("dist.integrity does not match the tarball"));
    }
    let bundle = attached(asked, ".sigstore");
    let repository = manifest
        .get("repository")
        .and_then(|one| one.get("url").unwrap_or(one).as_str())
        .map(str::to_owned);
    let head = manifest.get("gitHead").and_then(Value::as_str);
    let how = match (token.kind, &token.config) {
        (NpmKind::Exchange, Some(config)) => How::Oidc {
            config: config.clone(),
            provenance: bundle.is_some(),
        },
        (NpmKind::Session, _) => How::Laptop,
        _ => How::Token {
            key: token.key.clone(),
        },
    };
    if bundle.is_some() {
        provenance(hall, token, name, repository.as_deref())?;
    }
    Ok(Upload {
        version: Version {
            version: number.clone(),
            at: hall.world.now,
            how,
            user: Arc::clone(&token.owner),
            git_head: head.and_then(Oid::parse),
            run: None,
            deprecated: None,
            manifest: Some(Arc::from(manifest.to_string())),
            tarball: Some(Arc::from(bytes)),
            bundle: bundle.map(Arc::from),
        },
        tag,
        repository,
        private: asked.get("access").and_then(Value::as_str) == Some("restricted"),
    })
}

/// Provenance must come from the repository that the manifest names.
fn provenance(
    hall: &Hall,
    token: &NpmToken,
    name: &str,
    repository: Option<&str>,
) -> Result<(), Refusal> {
    let package = hall.world.packages.get(name);
    let config = package.and_then(|one| exchange::config(one, token, hall.world.now));
    let Some(config) = config else { return Ok(()) };
    let wanted = format!("github.com/{}", config.repository);
    let said = repository.unwrap_or_default();
    if said.trim_end_matches(".git").ends_with(&wanted) {
        return Ok(());
    }
    Err(no(
        422,
        &format!(
            "Error verifying sigstore provenance bundle: Failed to validate repository information: \
             package.json: \"repository.url\" is \"{said}\", expected to match \"https://{wanted}\" from provenance"
        ),
    ))
}

fn taken(hall: &Hall, name: &str, version: &str, status: u16) -> Result<(), Refusal> {
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
        return Err(no(
            status,
            &format!("You cannot publish over the previously published versions: {version}."),
        ));
    }
    Ok(())
}

/// Gives the credential of a write: a dead one is answered as if there were nothing here.
fn writer(hall: &mut Hall, request: &Request) -> Result<NpmToken, Refusal> {
    caller(hall, request).map_err(|refusal| match request.bearer() {
        None => refusal,
        Some(_) => not_found().with(
            "npm-notice",
            "Access token expired or revoked. Please try logging in again.",
        ),
    })
}

/// Sets what a package that has just begun says of itself.
fn begin(world: &mut World, name: &str, owner: &Arc<str>, private: bool, url: Option<String>) {
    if let Some(package) = world.packages.get_mut(name)
        && package.people.is_empty()
    {
        package.people.insert(Arc::clone(owner), "read-write");
        package.private = private;
        package.repository = url;
    }
}

/// Sets what a document says of versions that are there: their words of deprecation. None changes in anything else.
fn deprecate(world: &mut World, asked: &Value, name: &str) -> Result<Answer, Refusal> {
    let versions = asked.get("versions").and_then(Value::as_object);
    let versions = versions.ok_or_else(|| bad("versions are missing"))?;
    let package = world.packages.get_mut(name).ok_or_else(not_found)?;
    for version in &mut package.versions {
        let said = versions
            .get(&version.version)
            .and_then(|one| one.get("deprecated"));
        if let Some(words) = said.and_then(Value::as_str) {
            version.deprecated = (!words.is_empty()).then(|| words.to_owned());
        }
    }
    package.rev += 1;
    package.modified = world.now;
    Ok(Answer::json(200, &json!({ "success": true })))
}

/// `PUT /{package}`: a new version, or, without an archive, the document with other words of deprecation.
pub fn publish(hall: &mut Hall, request: &Request, name: &str) -> Result<Answer, Refusal> {
    let token = writer(hall, request)?;
    let asked = request.json();
    let adds = asked.get("_attachments").is_some();
    may(
        hall,
        request,
        &token,
        name,
        if adds { Act::Publish } else { Act::Amend },
    )?;
    if !adds {
        return deprecate(&mut hall.world, &asked, name);
    }
    let upload = upload(hall, &asked, &token, name)?;
    taken(hall, name, &upload.version.version, 403)?;
    hall.world.put_version(name, upload.version, &upload.tag);
    begin(
        &mut hall.world,
        name,
        &token.owner,
        upload.private,
        upload.repository,
    );
    Ok(Answer::json(200, &json!({ "success": true })))
}

/// `POST /-/stage/package/{package}`. A new name gets a placeholder first, as since 2026-10-02.
pub fn stage(hall: &mut Hall, request: &Request, name: &str) -> Result<Answer, Refusal> {
    let token = writer(hall, request)?;
    may(hall, request, &token, name, Act::Stage)?;
    let upload = upload(hall, &request.json(), &token, name)?;
    taken(hall, name, &upload.version.version, 409)?;
    if !hall.world.packages.contains_key(name) {
        let placeholder = Version {
            version: "0.0.0-stage".to_owned(),
            manifest: None,
            tarball: None,
            bundle: None,
            git_head: None,
            ..upload.version.clone()
        };
        hall.world.put_version(name, placeholder, "latest");
        begin(
            &mut hall.world,
            name,
            &token.owner,
            upload.private,
            upload.repository,
        );
    }
    let number = hall.world.stages.len() as u64;
    let id = Rng::of(hall.world.seed, name, 400 + number).uuid();
    hall.world.stages.push(Stage {
        id: id.clone(),
        package: name.to_owned(),
        version: upload.version.version,
        tag: upload.tag,
        created: hall.world.now,
        actor: token.owner.to_string(),
        config: token.config,
        run: None,
        git_head: upload.version.git_head,
        status: "pending",
        document: Some(Arc::from(String::from_utf8_lossy(&request.body).as_ref())),
    });
    Ok(Answer::json(
        201,
        &json!({ "message": "Package version staged successfully.", "stageId": id }),
    ))
}

/// Gives a version that was approved what its publish document brought.
pub fn complete(world: &mut World, stage: &Stage) {
    let document = stage.document.as_deref();
    let Some(sent) = document.and_then(|text| serde_json::from_str::<Value>(text).ok()) else {
        return;
    };
    let version = world.packages.get_mut(&stage.package).and_then(|package| {
        let mut all = package.versions.iter_mut();
        all.find(|one| one.version == stage.version)
    });
    let Some(version) = version else { return };
    let manifests = sent.get("versions").and_then(Value::as_object);
    let manifest = manifests.and_then(|all| all.get(&stage.version));
    version.manifest = manifest.map(|one| Arc::from(one.to_string()));
    version.tarball = document.and_then(archive).map(Arc::from);
    version.bundle = attached(&sent, ".sigstore").map(Arc::from);
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
    may(hall, request, &token, name, Act::Tag)?;
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
