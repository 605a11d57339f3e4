//! Which registry a publish goes to, by the order in which npm and its likes read their settings.
//!
//! Hosts come from the embedded table only; an address that cannot be told is unknown, not npm's.

use std::rc::Rc;

use super::super::tool::{Act, Configured, Project, config_files};
use super::super::{Registry, Tool};
use crate::assets::{HostKind, registries};

/// Where a publish goes.
pub(super) struct Target {
    pub registry: Registry,
    pub url: Option<String>,
    pub mirror: bool,
}

/// What the job says about the registry, besides the packages' own settings.
pub(super) struct Stated<'s> {
    pub flag: Option<String>,
    pub environment: Option<String>,
    pub job: Option<String>,
    pub scoped: &'s [(String, String)],
    /// The only credential in reach is GitHub's own token.
    pub github_token: bool,
}

/// Words in an address by which it is a private registry rather than a way to the public one.
const PRIVATE: &[&str] = &[
    "artifactory",
    "nexus",
    "/repository/",
    "verdaccio",
    "localhost",
    "127.0.0.1",
    "0.0.0.0",
    "/api/v4",
    "/api/npm",
    "gitlab",
    "/api/packages",
    "forgejo",
    "gitea",
    "jfrog",
    "cloudsmith",
    "codeartifact",
    "internal",
    "private",
    "proget",
    "pkgs.",
];

/// Tells whether a credential for this host (or address) can be one for npm's public registry.
pub(in crate::scan) fn may_be_npmjs(address: &str) -> bool {
    if address.is_empty() || address.contains('$') || address.contains("{{") {
        return true;
    }
    match registries().kind_of(address) {
        Some(HostKind::Npmjs | HostKind::NpmjsAlias) => true,
        Some(_) => false,
        None => false,
    }
}

/// Tells whether an address is one of an npm registry that the table of hosts knows.
pub(super) fn is_known(address: &str) -> bool {
    registries().kind_of(address).is_some()
}

/// Decides the registry of one publish.
pub(super) fn classify(project: &Project<'_>, act: &Act, stated: &Stated<'_>) -> Target {
    if let Some(url) = &stated.flag {
        return of(url);
    }
    if let Some(url) = publish_config(project, act) {
        return of(&url);
    }
    if let Some(url) = project.lerna_registry(act) {
        return of(&url);
    }
    if act.tool == Tool::JsDevtoolsNpmPublish {
        return Target {
            registry: Registry::Npmjs,
            url: None,
            mirror: false,
        };
    }
    if let Some(url) = scoped(project, act, stated.scoped) {
        return of(&url);
    }
    let tree = || tree_registry(project, act);
    match stated
        .environment
        .clone()
        .or_else(|| stated.job.clone())
        .or_else(tree)
    {
        Some(url) => of(&url),
        None if stated.github_token => Target {
            registry: Registry::GithubPackages,
            url: None,
            mirror: false,
        },
        None => match stated.scoped.first() {
            // setup-node with a scope and no other registry: the scope is that of the packages.
            Some((_, url)) if names(project, act).is_empty() => of(url),
            _ => Target {
                registry: Registry::Npmjs,
                url: None,
                mirror: false,
            },
        },
    }
}

/// Classifies one address.
fn of(url: &str) -> Target {
    let shown = Some(url.to_owned());
    if url.contains('$') || url.contains("{{") || url.trim().is_empty() {
        return Target {
            registry: Registry::Unknown,
            url: shown,
            mirror: false,
        };
    }
    let (registry, mirror) = match registries().kind_of(url) {
        Some(HostKind::Npmjs) => (Registry::Npmjs, false),
        Some(HostKind::NpmjsAlias) => (Registry::Npmjs, true),
        Some(HostKind::GithubPackages) => (Registry::GithubPackages, false),
        Some(HostKind::Other) => (Registry::Other, false),
        None => {
            let lower = url.to_ascii_lowercase();
            let private = PRIVATE.iter().any(|w| lower.contains(w));
            let proxy = ["proxy", "mirror", "firewall", "socket."]
                .iter()
                .any(|w| lower.contains(w));
            if proxy && !private {
                (Registry::Unknown, true)
            } else {
                (Registry::Other, false)
            }
        }
    };
    Target {
        registry,
        url: shown,
        mirror,
    }
}

/// Names of the packages that an act publishes, as far as known.
pub(super) fn names(project: &Project<'_>, act: &Act) -> Vec<String> {
    names_of(
        project,
        act.tool,
        act.flags.all_workspaces,
        &act.flags.workspaces,
        act.dir.as_deref(),
    )
}

/// Names of the packages that a publish with these flags reaches.
pub(super) fn names_of(
    project: &Project<'_>,
    tool: Tool,
    all: bool,
    workspaces: &[String],
    dir: Option<&str>,
) -> Vec<String> {
    let packages = project.packages;
    let mut named: Vec<String> = Vec::new();
    for word in workspaces {
        let plain = word
            .trim_start_matches(['{', '.', '/', '!'])
            .trim_end_matches('}')
            .trim_end_matches("...");
        let found = packages.named(plain).or_else(|| packages.at(plain));
        named.extend(
            found
                .filter(|m| !m.package.private)
                .map(|m| m.package.name.clone()),
        );
    }
    if !named.is_empty() {
        return named;
    }
    let many = matches!(
        tool,
        Tool::Lerna | Tool::Changesets | Tool::Nx | Tool::Rush | Tool::Other | Tool::CustomScript
    );
    if all || many {
        return packages.publishable();
    }
    let Some(dir) = dir else { return Vec::new() };
    let here = packages.publishable_at(dir);
    if here.is_empty() && !dir.is_empty() {
        // `dist` folders are built from the manifest above them.
        let above = packages.nearest(dir).map(|m| &m.package);
        return above
            .filter(|p| !p.private && !p.name.is_empty())
            .map(|p| vec![p.name.clone()])
            .unwrap_or_default();
    }
    here
}

/// `publishConfig.registry`, where all packages that are reached agree on one.
fn publish_config(project: &Project<'_>, act: &Act) -> Option<String> {
    let packages = project.packages;
    let reached: Vec<Option<&str>> = names(project, act)
        .iter()
        .filter_map(|n| packages.manifests().iter().find(|m| m.package.name == *n))
        .map(|m| m.package.publish_registry.as_deref())
        .collect();
    if reached.is_empty() {
        let dir = act.dir.as_deref()?;
        return packages
            .nearest(dir)
            .and_then(|m| m.package.publish_registry.clone());
    }
    let first = reached.first().copied().flatten()?;
    // One package that goes to npm makes the path one to npm.
    reached
        .iter()
        .all(|r| r.is_some_and(|r| !may_be_npmjs(r)) || *r == Some(first))
        .then(|| first.to_owned())
}

/// A registry set for the scope of the packages that are reached.
fn scoped(project: &Project<'_>, act: &Act, by_job: &[(String, String)]) -> Option<String> {
    let names = names(project, act);
    let mut known: Vec<(String, String)> = by_job.to_vec();
    for file in config_files(act.dir.as_deref().unwrap_or("")) {
        if !project.tree.lists(&file) {
            continue;
        }
        for line in project.read(&file).as_deref().unwrap_or("").lines() {
            if let Some((key, value)) = line.trim().split_once('=')
                && let Some(scope) = key.trim().strip_suffix(":registry")
            {
                known.push((scope.to_owned(), value.trim().to_owned()));
            }
        }
    }
    let first = names.first()?;
    let (scope, _) = first.split_once('/')?;
    let all_same = names.iter().all(|n| n.starts_with(&format!("{scope}/")));
    let hit = known.iter().rev().find(|(s, _)| {
        s.trim_start_matches('@')
            .eq_ignore_ascii_case(scope.trim_start_matches('@'))
    });
    hit.filter(|_| all_same).map(|(_, url)| url.clone())
}

/// `registry=` of the checkout's own .npmrc, nearest first; `npmPublishRegistry` of .yarnrc.yml.
fn tree_registry(project: &Project<'_>, act: &Act) -> Option<String> {
    for file in config_files(act.dir.as_deref().unwrap_or("")) {
        if (file.ends_with(".yml") && !reads_yarnrc(act)) || !project.tree.lists(&file) {
            continue;
        }
        let text = project.read(&file)?;
        let yarn = file.ends_with(".yml");
        for line in text.lines() {
            let (key, value) = line
                .split_once(if yarn { ": " } else { "=" })
                .unwrap_or(("", ""));
            let wanted = if yarn {
                matches!(key, "npmPublishRegistry" | "npmRegistryServer")
            } else {
                key.trim() == "registry"
            };
            if wanted {
                return Some(value.trim().trim_matches(['"', '\'']).to_owned());
            }
        }
    }
    None
}

/// Only yarn 2 and newer read .yarnrc.yml; a script may run it.
fn reads_yarnrc(act: &Act) -> bool {
    matches!(act.tool, Tool::YarnBerry | Tool::CustomScript)
}

/// Lists the credentials that the checkout's own configuration files name for an act.
pub(super) fn tree_auth(project: &Project<'_>, act: &Act) -> Rc<[Configured]> {
    project.configured(act.dir.as_deref().unwrap_or(""), reads_yarnrc(act))
}
