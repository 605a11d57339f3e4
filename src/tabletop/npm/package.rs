//! Addresses that read packages: documents, tarballs, who may write them, search, attestations.
//! Must not change the world.

use data_encoding::BASE64;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha512};

use super::{Refusal, caller, not_found, readable};
use crate::tabletop::clock::{Ms, iso_ms};
use crate::tabletop::server::{Answer, Hall, Request};
use crate::tabletop::world::{How, Package, Version};

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
    let mut put = |name: &str, value: Value| map.insert(name.to_owned(), value);
    put("name", json!(package.name));
    put("version", json!(version.version));
    put(
        "_id",
        json!(format!("{}@{}", package.name, version.version)),
    );
    put("maintainers", maintainers(hall, package));
    put("_npmVersion", json!("11.21.2"));
    put("_nodeVersion", json!("24.11.1"));
    put("dist", dist(hall, package, version));
    put("_npmUser", user(hall, version));
    if let Some(oid) = version.git_head {
        put("gitHead", json!(oid.to_string()));
    }
    if let Some(url) = &package.repository {
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

/// The bytes of a version: what was uploaded, or a text that names it.
fn bytes(package: &Package, version: &Version) -> Vec<u8> {
    match &version.tarball {
        Some(sent) => sent.to_vec(),
        None => format!("tabletop {}@{}\n", package.name, version.version).into_bytes(),
    }
}

fn dist(hall: &Hall, package: &Package, version: &Version) -> Value {
    let file = package.name.rsplit('/').next().unwrap_or_default();
    let bytes = bytes(package, version);
    let digest = Sha512::digest(&bytes);
    json!({
        "tarball": format!("{}/{}/-/{file}-{}.tgz", hall.registry, package.name, version.version),
        "integrity": format!("sha512-{}", BASE64.encode(&digest)),
        "fileCount": 3,
        "unpackedSize": bytes.len(),
    })
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
    parts: &[&str],
    file: &str,
) -> Result<Answer, Refusal> {
    let name = parts
        .get(..parts.len().saturating_sub(2))
        .unwrap_or_default()
        .join("/");
    let package = readable(hall, request, &name)?;
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
        body: bytes(package, found),
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
    Ok(Answer::json(
        200,
        &json!({ "public": !readable(hall, request, name)?.private }),
    ))
}

/// `GET /-/npm/v1/attestations/{package}@{version}`: those that were uploaded; this world signs none itself.
pub fn attestations(hall: &Hall, which: &str) -> Result<Answer, Refusal> {
    let (name, version) = which.rsplit_once('@').ok_or_else(not_found)?;
    let package = hall.world.packages.get(name).ok_or_else(not_found)?;
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
    let one = json!({ "predicateType": "https://slsa.dev/provenance/v1", "bundle": bundle });
    Ok(Answer::json(200, &json!({ "attestations": [one] })))
}

/// `GET /-/v1/search`: public packages by `scope:` or `maintainer:`, or whose name has the words.
pub fn search(hall: &Hall, request: &Request) -> Answer {
    let text = request.query("text").unwrap_or_default();
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
    Answer::json(
        200,
        &json!({ "objects": objects.collect::<Vec<_>>(), "total": found.len(), "time": iso_ms(hall.world.now) }),
    )
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
    Some(json!({
        "package": {
            "name": package.name, "version": latest.version, "date": iso_ms(latest.at), "publisher": publisher,
            "maintainers": people, "links": { "repository": package.repository },
        },
        "downloads": { "weekly": package.weekly, "monthly": package.weekly * 4 },
        "dependents": package.dependents,
        "updated": iso_ms(package.modified),
        "searchScore": 1.0,
        "score": { "final": 1.0, "detail": { "quality": 1.0, "popularity": 1.0, "maintenance": 1.0 } },
    }))
}
