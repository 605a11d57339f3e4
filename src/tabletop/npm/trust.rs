//! Addresses of trust configs and of stages that wait. Both are managed by people who have logged in.
//! Even reading trust asks for the second factor.

use serde_json::{Value, json};

use super::{
    Refusal, bad, caller, challenge, forbidden, no, not_found, publish, session, tarball, writes,
};
use crate::assets::policy;
use crate::tabletop::clock::iso_ms;
use crate::tabletop::random::Rng;
use crate::tabletop::server::{Answer, Hall, Request};
use crate::tabletop::world::{NpmKind, Stage, TrustConfig};

/// `/-/package/{package}/trust…`
pub fn trust(
    hall: &mut Hall,
    request: &Request,
    method: &str,
    name: &str,
    rest: &[&str],
) -> Result<Answer, Refusal> {
    let session = session(hall, request)?;
    let package = hall.world.packages.get(name).ok_or_else(not_found)?;
    if !writes(package, &session.owner) {
        return Err(forbidden("You do not have write access to this package"));
    }
    challenge::require(hall, request, &session.owner)?;
    let (now, seed) = (hall.world.now, hall.world.seed);
    let package = hall.world.packages.get_mut(name).ok_or_else(not_found)?;
    match (method, rest) {
        ("GET", []) => Ok(Answer::json(
            200,
            &package
                .trust
                .iter()
                .map(|one| config_json(one, hall.desk.claims.get(&one.id)))
                .collect(),
        )),
        ("POST", []) => {
            let asked = request.json();
            let list = asked
                .as_array()
                .filter(|list| !list.is_empty())
                .ok_or_else(|| bad("Body must be an array"))?;
            let mut made = Vec::new();
            for one in list {
                let mut config =
                    read(one).ok_or_else(|| bad("Invalid trusted publisher configuration"))?;
                let same = |old: &&TrustConfig| {
                    (&old.kind, &old.repository, &old.file, &old.environment)
                        == (
                            &config.kind,
                            &config.repository,
                            &config.file,
                            &config.environment,
                        )
                };
                let most = policy().trust.max_per_package;
                let alive = package.trust.iter().filter(|old| old.alive(now)).count();
                if package.trust.iter().find(same).is_some() || alive + made.len() >= most {
                    let words =
                        "Trusted publisher configuration already exists or the limit is reached";
                    return Err(no(409, words));
                }
                config.id = Rng::of(seed, name, 70 + package.rev * 16 + made.len() as u64).uuid();
                config.created = now;
                if config.kind == "circleci" {
                    let claims = one.get("claims").cloned().unwrap_or_default();
                    hall.desk.claims.insert(config.id.clone(), claims);
                }
                made.push(config);
            }
            let answer = made
                .iter()
                .map(|one| config_json(one, hall.desk.claims.get(&one.id)))
                .collect();
            package.trust.extend(made);
            package.rev += 1;
            Ok(Answer::json(200, &answer))
        }
        ("DELETE", [id]) => {
            if !is_uuid(id) {
                return Err(bad("Invalid configuration id"));
            }
            let at = package
                .trust
                .iter()
                .position(|one| one.id == *id)
                .ok_or_else(not_found)?;
            package.trust.remove(at);
            package.rev += 1;
            Ok(Answer::empty(204))
        }
        _ => Err(not_found()),
    }
}

/// Tells whether a text has the form of a UUID.
pub fn is_uuid(text: &str) -> bool {
    let lengths = text.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && text.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit())
}

fn config_json(one: &TrustConfig, kept: Option<&Value>) -> Value {
    let mut claims = match one.kind.as_str() {
        "circleci" => kept.cloned().unwrap_or_default(),
        "gitlab" => {
            json!({ "project_path": one.repository, "ci_config_ref_uri": { "file": one.file } })
        }
        _ => json!({ "repository": one.repository, "workflow_ref": { "file": one.file } }),
    };
    if let (Some(name), Some(map)) = (&one.environment, claims.as_object_mut()) {
        map.insert("environment".to_owned(), json!(name));
    }
    let mut permissions = Vec::new();
    if one.publish {
        permissions.push("createPackage");
    }
    if one.stage {
        permissions.push("createStagedPackage");
    }
    json!({ "id": one.id, "type": one.kind, "claims": claims, "permissions": permissions })
}

fn read(one: &Value) -> Option<TrustConfig> {
    let kind = one.get("type")?.as_str()?;
    let claims = one.get("claims")?;
    let file = |name: &str| {
        let claim = claims.get(name)?;
        claim
            .get("file")
            .unwrap_or(claim)
            .as_str()
            .map(str::to_owned)
    };
    let (repository, file) = match kind {
        "github" => (claims.get("repository")?.as_str()?, file("workflow_ref")?),
        "gitlab" => (
            claims.get("project_path")?.as_str()?,
            file("ci_config_ref_uri")?,
        ),
        "circleci" => {
            let claim = |name: &str| claims.get(format!("oidc.circleci.com/{name}"))?.as_str();
            let ids = ["org-id", "project-id", "pipeline-definition-id"];
            if !ids.iter().all(|name| claim(name).is_some_and(is_uuid)) {
                return None;
            }
            (
                claim("vcs-origin")?,
                claim("pipeline-definition-id")?.to_owned(),
            )
        }
        _ => return None,
    };
    let allowed = |word: &str| {
        let all = one.get("permissions").and_then(Value::as_array);
        all.is_some_and(|all| all.iter().any(|one| one.as_str() == Some(word)))
    };
    if one.get("id").is_some() {
        return None;
    }
    Some(TrustConfig {
        id: String::new(),
        kind: kind.to_owned(),
        repository: repository.to_owned(),
        file,
        environment: claims
            .get("environment")
            .and_then(Value::as_str)
            .map(str::to_owned),
        publish: allowed("createPackage"),
        stage: true,
        created: 0,
        validated: None,
    })
}

/// `/-/stage…`
pub fn stages(
    hall: &mut Hall,
    request: &Request,
    method: &str,
    rest: &[&str],
) -> Result<Answer, Refusal> {
    let token = caller(hall, request)?;
    if token.kind == NpmKind::Exchange {
        return Err(super::unauthorised());
    }
    let mine = |hall: &Hall, stage: &Stage| {
        hall.world
            .packages
            .get(&stage.package)
            .is_some_and(|package| writes(package, &token.owner))
    };
    if let ("GET", []) = (method, rest) {
        let number = |name: &str, default: usize| {
            request
                .query(name)
                .and_then(|text| text.parse().ok())
                .unwrap_or(default)
        };
        let (page, per) = (number("page", 0), number("perPage", 10).clamp(1, 100));
        let only = request.query("package");
        let pending = hall
            .world
            .stages
            .iter()
            .rev()
            .filter(|one| one.status == "pending");
        let seen =
            pending.filter(|one| mine(hall, one) && only.is_none_or(|name| name == one.package));
        let all: Vec<Value> = seen.map(|one| stage_json(hall, one)).collect();
        let total = all.len();
        let items: Vec<Value> = all.into_iter().skip(page * per).take(per).collect();
        return Ok(Answer::json(
            200,
            &json!({ "items": items, "page": page, "perPage": per, "total": total }),
        ));
    }
    let (id, more) = rest.split_first().ok_or_else(not_found)?;
    let at = hall
        .world
        .stages
        .iter()
        .position(|one| one.id == *id)
        .ok_or_else(not_found)?;
    let stage = hall
        .world
        .stages
        .get(at)
        .filter(|one| mine(hall, one))
        .ok_or_else(not_found)?
        .clone();
    match (method, more) {
        ("GET", []) => Ok(Answer::json(200, &stage_json(hall, &stage))),
        ("GET", ["tarball"]) => Ok(Answer {
            status: 200,
            headers: vec![("content-type", "application/octet-stream".to_owned())],
            body: bytes(&stage),
        }),
        ("POST", ["approve"]) | ("DELETE", []) => {
            if token.kind != NpmKind::Session {
                return Err(super::unauthorised());
            }
            challenge::require(hall, request, &token.owner)?;
            if stage.status != "pending" {
                return Err(no(409, "This version is not waiting any more"));
            }
            if method == "DELETE" {
                if let Some(one) = hall.world.stages.get_mut(at) {
                    one.status = "rejected";
                }
                return Ok(Answer::empty(204));
            }
            hall.world.approve_stage(id, &token.owner);
            publish::complete(&mut hall.world, &stage);
            Ok(Answer::json(201, &json!({ "message": "Approved" })))
        }
        _ => Err(not_found()),
    }
}

/// The archive that waits: what was uploaded, or one made from the name as for other versions.
fn bytes(stage: &Stage) -> Vec<u8> {
    let sent = stage.document.as_deref().and_then(publish::archive);
    sent.unwrap_or_else(|| tarball::made(&stage.package, &stage.version))
}

fn stage_json(hall: &Hall, one: &Stage) -> Value {
    let private = hall
        .world
        .packages
        .get(&one.package)
        .is_some_and(|package| package.private);
    json!({
        "id": one.id,
        "packageName": one.package,
        "version": one.version,
        "tag": one.tag,
        "createdAt": iso_ms(one.created),
        "actor": one.actor,
        "actorType": if one.config.is_some() { "trusted automation" } else { "user" },
        "access": if private { "private" } else { "public" },
        "shasum": tarball::shasum(&bytes(one)),
        "status": one.status,
    })
}
