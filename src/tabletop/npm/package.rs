//! Addresses that read packages: documents, tarballs, who may write them, search, attestations.
//! Must not change the world.

use data_encoding::BASE64;
use serde_json::{Map, Value, json};

use super::{Refusal, caller, not_found, readable, tarball as archive};
use crate::tabletop::clock::{Ms, iso_ms};
use crate::tabletop::server::{Answer, Hall, Request};
use crate::tabletop::world::{How, Package, Version};

/// What GitHub's provenance is made in the form of.
const PROVENANCE: &str = "https://slsa.dev/provenance/v1";

/// The form that installs ask for.
const ABBREVIATED: &str = "application/vnd.npm.install-v1+json";

/// `GET /{package}`
pub fn packument(hall: &mut Hall, request: &Request, name: &str) -> Result<Answer, Refusal> {
    let package = readable(hall, request, name)?;
    let short = request
        .header("accept")
        .is_some_and(|accept| accept.contains(ABBREVIATED));
    let tag = format!(
        "\"{}-{}-{}\"",
        package.rev,
        u8::from(short),
        hall.world.seed
    );
    if request.header("if-none-match") == Some(tag.as_str()) {
        return Ok(Answer::empty(304).with("etag", tag));
    }
    let mut answer = Answer::json(
        200,
        &if short {
            abbreviated(hall, package)
        } else {
            document(hall, package)
        },
    );
    if short {
        answer.headers = vec![("content-type", ABBREVIATED.to_owned())];
    }
    Ok(answer
        .with("etag", tag)
        .with("cache-control", "public, max-age=300"))
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
    let mut out = json!({
        "_id": package.name,
        "_rev": format!("{}-tabletop", package.rev),
        "name": package.name,
        "dist-tags": package.tags,
        "versions": versions,
        "time": time,
        "maintainers": maintainers(hall, package),
        "license": "MIT",
        "readme": format!("# {}", package.name),
    });
    if let (Some(url), Some(map)) = (&package.repository, out.as_object_mut()) {
        map.insert(
            "repository".to_owned(),
            json!({ "type": "git", "url": url }),
        );
    }
    out
}

fn abbreviated(hall: &Hall, package: &Package) -> Value {
    let versions = package.versions.iter().map(|version| {
        let short = json!({
            "name": package.name, "version": version.version, "dist": dist(hall, package, version),
        });
        (version.version.clone(), short)
    });
    json!({
        "name": package.name,
        "modified": iso_ms(package.modified),
        "dist-tags": package.tags,
        "versions": versions.collect::<Map<_, _>>(),
    })
}

fn address(hall: &Hall, login: &str) -> String {
    hall.world
        .person(login)
        .map_or_else(|| format!("{login}@example"), |one| one.email.clone())
}

fn maintainers(hall: &Hall, package: &Package) -> Value {
    let writers = package
        .people
        .iter()
        .filter(|(_, access)| **access == "read-write");
    writers
        .map(|(login, _)| json!({ "name": &**login, "email": address(hall, login) }))
        .collect()
}

/// Writes one version as the full document has it.
pub fn manifest(hall: &Hall, package: &Package, version: &Version) -> Value {
    let sent = version
        .manifest
        .as_deref()
        .and_then(|text| serde_json::from_str::<Map<String, Value>>(text).ok());
    let mut map = sent.unwrap_or_default();
    let mut put = |name: &str, value: Value| {
        map.insert(name.to_owned(), value);
    };
    put("name", json!(package.name));
    put("version", json!(version.version));
    put(
        "_id",
        json!(format!("{}@{}", package.name, version.version)),
    );
    put("maintainers", maintainers(hall, package));
    if version.manifest.is_none() {
        put("_npmVersion", json!("11.21.2"));
        put("_nodeVersion", json!("24.11.1"));
    }
    put("dist", dist(hall, package, version));
    put("_npmUser", user(hall, version));
    if let Some(oid) = version.git_head {
        put("gitHead", json!(oid.to_string()));
    }
    if let (None, Some(url)) = (&version.manifest, &package.repository) {
        put("repository", json!({ "type": "git", "url": url }));
    }
    if let Some(words) = &version.deprecated {
        put("deprecated", json!(words));
    }
    if let How::Staged { approver, .. } = &version.how {
        put(
            "approver",
            json!({ "name": &**approver, "email": address(hall, approver) }),
        );
    }
    Value::Object(map)
}

/// Who published, as the registry names it. A staged version has its approver's name, and no trusted publisher.
fn user(hall: &Hall, version: &Version) -> Value {
    match &version.how {
        How::Oidc { config, .. } => json!({
            "name": "GitHub Actions",
            "email": "npm-oidc-no-reply@github.com",
            "trustedPublisher": { "id": "github", "oidcConfigId": format!("oidc:{config}") },
        }),
        _ => json!({ "name": &*version.user, "email": address(hall, &version.user) }),
    }
}

fn dist(hall: &Hall, package: &Package, version: &Version) -> Value {
    let file = package.name.rsplit('/').next().unwrap_or_default();
    let bytes = archive::bytes(package, version);
    let mut dist = json!({
        "tarball": format!("{}/{}/-/{file}-{}.tgz", hall.registry, package.name, version.version),
        "integrity": archive::integrity(&bytes),
        "shasum": archive::shasum(&bytes),
    });
    if let (true, Some(map)) = (attested(hall, package, version), dist.as_object_mut()) {
        let spec = format!("{}@{}", package.name.replace('/', "%2f"), version.version);
        map.insert(
            "attestations".to_owned(),
            json!({
                "url": format!("{}/-/npm/v1/attestations/{spec}", hall.registry),
                "provenance": { "predicateType": PROVENANCE },
            }),
        );
    }
    dist
}

/// Provenance comes from trusted publishing where repository and package are public, or was uploaded.
fn attested(hall: &Hall, package: &Package, version: &Version) -> bool {
    let public = || {
        let home = package.home.and_then(|home| hall.world.repos.get(home));
        !package.private && home.is_some_and(|repo| !repo.private)
    };
    version.bundle.is_some()
        || match &version.how {
            How::Oidc { provenance, .. } => *provenance && version.manifest.is_none() && public(),
            How::Staged { config, .. } => {
                config.is_some() && version.manifest.is_none() && public()
            }
            _ => false,
        }
}

/// `GET /{package}/{version or tag}`
pub fn manifest_of(
    hall: &mut Hall,
    request: &Request,
    name: &str,
    which: &str,
) -> Result<Answer, Refusal> {
    let package = readable(hall, request, name)?;
    let wanted = package.tags.get(which).map_or(which, String::as_str);
    let version = package
        .versions
        .iter()
        .find(|one| one.version == wanted)
        .ok_or_else(not_found)?;
    Ok(Answer::json(200, &manifest(hall, package, version)))
}

/// `GET /{package}/-/{file}.tgz`
pub fn tarball(
    hall: &mut Hall,
    request: &Request,
    name: &str,
    file: &str,
) -> Result<Answer, Refusal> {
    let package = readable(hall, request, name)?;
    let short = package.name.rsplit('/').next().unwrap_or_default();
    let version = file
        .strip_prefix(short)
        .and_then(|rest| rest.strip_prefix('-'))
        .and_then(|rest| rest.strip_suffix(".tgz"));
    let found = package
        .versions
        .iter()
        .find(|one| Some(one.version.as_str()) == version)
        .ok_or_else(not_found)?;
    Ok(Answer {
        status: 200,
        headers: vec![("content-type", "application/octet-stream".to_owned())],
        body: archive::bytes(package, found),
    })
}

/// `GET /-/package/{package}/collaborators`
pub fn collaborators(hall: &mut Hall, request: &Request, name: &str) -> Result<Answer, Refusal> {
    caller(hall, request)?;
    Ok(Answer::json(
        200,
        &json!(
            readable(hall, request, name)?
                .people
                .iter()
                .map(|(login, access)| (login.to_string(), json!(access)))
                .collect::<Map<_, _>>()
        ),
    ))
}

/// `GET /-/package/{package}/visibility`
pub fn visibility(hall: &mut Hall, request: &Request, name: &str) -> Result<Answer, Refusal> {
    caller(hall, request)?;
    let private = readable(hall, request, name)?.private;
    let word = if private { "private" } else { "public" };
    Ok(Answer::json(200, &json!({ name: word })))
}

/// `GET /-/npm/v1/attestations/{package}@{version}`: those that were uploaded; this world signs none itself.
pub fn attestations(hall: &mut Hall, request: &Request, which: &str) -> Result<Answer, Refusal> {
    let (name, version) = which.rsplit_once('@').ok_or_else(not_found)?;
    let package = readable(hall, request, name)?;
    let version = package
        .versions
        .iter()
        .find(|one| one.version == version)
        .ok_or_else(not_found)?;
    let bundle = version
        .bundle
        .as_deref()
        .and_then(|text| serde_json::from_str::<Value>(text).ok());
    let bundle = bundle.ok_or_else(not_found)?;
    let one = json!({ "predicateType": predicate(&bundle), "bundle": bundle });
    Ok(Answer::json(200, &json!({ "attestations": [one] })))
}

/// Reads what form the statement in a bundle has.
fn predicate(bundle: &Value) -> String {
    let payload = bundle
        .pointer("/dsseEnvelope/payload")
        .and_then(Value::as_str);
    payload
        .and_then(|text| BASE64.decode(text.as_bytes()).ok())
        .and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok())
        .and_then(|statement| Some(statement.get("predicateType")?.as_str()?.to_owned()))
        .unwrap_or_else(|| PROVENANCE.to_owned())
}

/// `GET /-/v1/search`: public packages by `scope:` or `maintainer:`, or whose name has the words.
pub fn search(hall: &Hall, request: &Request) -> Result<Answer, Refusal> {
    let Some(text) = request.query("text").filter(|text| !text.is_empty()) else {
        return Err(Answer::json(
            400,
            &json!({ "error": "'text' query parameter is required", "code": "ERR_TEXT_MISSING" }),
        ));
    };
    let number = |name: &str, default: usize| {
        request
            .query(name)
            .and_then(|text| text.parse().ok())
            .unwrap_or(default)
    };
    let (from, size) = (number("from", 0), number("size", 20).min(250));
    let fits = |package: &&Package| match text.split_once(':') {
        Some(("scope", scope)) => package
            .name
            .starts_with(&format!("@{}/", scope.trim_start_matches('@'))),
        Some(("maintainer" | "author", login)) => package.people.contains_key(login),
        _ => package.name.contains(text),
    };
    let found: Vec<&Package> = hall
        .world
        .packages
        .values()
        .filter(|one| !one.private)
        .filter(fits)
        .collect();
    let objects = found
        .iter()
        .skip(from)
        .take(size)
        .filter_map(|one| search_json(hall, one));
    Ok(Answer::json(
        200,
        &json!({ "objects": objects.collect::<Vec<_>>(), "total": found.len(), "time": iso_ms(hall.world.now) }),
    ))
}

fn search_json(hall: &Hall, package: &Package) -> Option<Value> {
    let latest = package.latest()?;
    let mut publisher = json!({ "username": &*latest.user, "email": address(hall, &latest.user) });
    if let (How::Oidc { config, .. }, Some(map)) = (&latest.how, publisher.as_object_mut()) {
        map.insert(
            "trustedPublisher".to_owned(),
            json!({ "id": "github", "oidcConfigId": format!("oidc:{config}") }),
        );
    }
    let people = package.people.keys();
    let people: Vec<Value> = people
        .map(|login| json!({ "username": &**login, "email": address(hall, login) }))
        .collect();
    let mut links = json!({ "npm": format!("{}/package/{}", hall.registry, package.name) });
    if let (Some(url), Some(map)) = (&package.repository, links.as_object_mut()) {
        map.insert("repository".to_owned(), json!(url));
    }
    Some(json!({
        "package": {
            "name": package.name, "version": latest.version, "date": iso_ms(latest.at), "publisher": publisher,
            "maintainers": people, "links": links,
        },
        "downloads": { "weekly": package.weekly, "monthly": package.weekly * 4 },
        "dependents": package.dependents,
        "updated": iso_ms(package.modified),
        "searchScore": 1.0,
        "score": { "final": 1.0, "detail": { "quality": 1.0, "popularity": 1.0, "maintenance": 1.0 } },
    }))
}
