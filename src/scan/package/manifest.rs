//! One package.json to a manifest: names, scripts, publishing settings, release tools and package manager.
//!
//! Lenient about types: a field of the wrong shape is passed over, a text that is no JSON is an error with its place.

use serde_json::{Map, Value};

use super::super::Package;
use super::{Manifest, Script, Unreadable, json};

/// Packages whose version decides how a release publishes.
pub(super) const RELEASE_TOOLS: &[&str] = &[
    "@auto-it/npm",
    "@changesets/cli",
    "@lerna-lite/publish",
    "@microsoft/rush",
    "@semantic-release/npm",
    "auto",
    "lerna",
    "np",
    "npm",
    "nx",
    "release-it",
    "semantic-release",
];

/// What is read of a manifest.
const KEPT: &json::Keep = &[
    ("dependencies", RELEASE_TOOLS),
    ("devDependencies", RELEASE_TOOLS),
    ("devEngines", &[]),
    ("engines", &["node"]),
    ("name", &[]),
    ("optionalDependencies", RELEASE_TOOLS),
    ("packageManager", &[]),
    ("peerDependencies", RELEASE_TOOLS),
    ("private", &[]),
    ("publishConfig", &[]),
    ("repository", &[]),
    ("scripts", &[]),
    ("version", &[]),
    ("volta", &[]),
    ("workspaces", &[]),
];

pub(super) fn read_manifest(path: &str, folder: &str, text: &str) -> Result<Manifest, Unreadable> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let map = json::parse_some(path, text, KEPT)?;
    let keys = json::key_lines(text);
    let publish = map.get("publishConfig").and_then(Value::as_object);
    let publish_text = |key: &str| {
        publish
            .and_then(|p| p.get(key))
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    let (repository_url, repository_directory) = match map.get("repository") {
        Some(Value::String(url)) => (Some(url.clone()), None),
        Some(Value::Object(o)) => (text_of(o, "url"), text_of(o, "directory")),
        _ => (None, None),
    };
    let package = Package {
        name: text_of(&map, "name").unwrap_or_default(),
        path: folder.to_owned(),
        private: match map.get("private") {
            Some(Value::Bool(private)) => *private,
            Some(Value::String(private)) => private == "true",
            _ => false,
        },
        workspace: false,
        version: text_of(&map, "version"),
        repository_url,
        publish_registry: publish_text("registry").or_else(|| scoped_registry(&map, publish)),
        publish_access: publish_text("access"),
        publish_provenance: publish
            .and_then(|p| p.get("provenance"))
            .and_then(Value::as_bool),
        publish_tag: publish_text("tag"),
    };
    Ok(Manifest {
        file: path.to_owned(),
        scripts: scripts(&map, &keys),
        repository_directory,
        repository_line: keys.repository.or(keys.name).unwrap_or(1),
        tools: tools(&map),
        node_engine: map
            .get("engines")
            .and_then(Value::as_object)
            .and_then(|e| text_of(e, "node")),
        manager: manager(&map),
        workspaces: workspaces(&map),
        package,
    })
}

/// `publishConfig` may name a registry for the package's own scope: `"@acme:registry"`.
pub(super) fn scoped_registry(
    map: &Map<String, Value>,
    publish: Option<&Map<String, Value>>,
) -> Option<String> {
    let name = map.get("name").and_then(Value::as_str)?;
    let (scope, _) = name.split_once('/')?;
    publish.and_then(|p| text_of(p, &format!("{scope}:registry")))
}

pub(super) fn text_of(map: &Map<String, Value>, key: &str) -> Option<String> {
    map.get(key).and_then(Value::as_str).map(str::to_owned)
}

pub(super) fn scripts(map: &Map<String, Value>, keys: &json::KeyLines<'_>) -> Vec<Script> {
    let Some(Value::Object(scripts)) = map.get("scripts") else {
        return Vec::new();
    };
    scripts
        .iter()
        .filter_map(|(name, text)| {
            Some(Script {
                name: name.clone(),
                text: text.as_str()?.to_owned(),
                line: keys.script(name).unwrap_or(1),
            })
        })
        .collect()
}

pub(super) fn tools(map: &Map<String, Value>) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for section in [
        "devDependencies",
        "dependencies",
        "optionalDependencies",
        "peerDependencies",
    ] {
        let Some(Value::Object(entries)) = map.get(section) else {
            continue;
        };
        for tool in RELEASE_TOOLS {
            if let Some(version) = entries.get(*tool).and_then(Value::as_str)
                && !found.iter().any(|(name, _)| name == tool)
            {
                found.push(((*tool).to_owned(), version.to_owned()));
            }
        }
    }
    found
}

pub(super) fn manager(map: &Map<String, Value>) -> Option<(String, Option<String>)> {
    if let Some(text) = map.get("packageManager").and_then(Value::as_str) {
        let (name, version) = text.split_once('@').unwrap_or((text, ""));
        let version = version.split('+').next().unwrap_or(version);
        return Some((
            name.to_owned(),
            (!version.is_empty()).then(|| version.to_owned()),
        ));
    }
    let dev = map.get("devEngines").and_then(|d| d.get("packageManager"));
    let dev = dev.and_then(|d| {
        if let Value::Array(list) = d {
            list.first()
        } else {
            Some(d)
        }
    });
    if let Some(name) = dev.and_then(|d| d.get("name")).and_then(Value::as_str) {
        let version = dev.and_then(|d| d.get("version")).and_then(Value::as_str);
        return Some((name.to_owned(), version.map(str::to_owned)));
    }
    let volta = map.get("volta").and_then(Value::as_object)?;
    ["pnpm", "yarn", "npm"]
        .iter()
        .find_map(|name| text_of(volta, name).map(|version| ((*name).to_owned(), Some(version))))
}

pub(super) fn workspaces(map: &Map<String, Value>) -> Option<Vec<String>> {
    let list = match map.get("workspaces")? {
        Value::Array(list) => list,
        Value::Object(o) => o.get("packages")?.as_array()?,
        _ => return None,
    };
    Some(
        list.iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
    )
}
