//! What stands in the way of a publish: npm's rules, judged once for every CI system and for the preflight.
//!
//! Owns which rule holds when. The numbers stand in `assets/policy/npm.toml`, the words in `rule`; where in a file a
//! finding is placed is its reader's business. Each obstacle is one thing that one change mends.

mod command;
mod version;

use chrono::NaiveDate;

use super::package::Packages;
use super::{CiSystem, Credential, Registry, Runner, Severity, Tool};
use crate::assets::policy::{Image, ToolRule};
use crate::assets::{self, HostKind, policy};
use crate::model::lane::{Lane, Lanes};

pub use command::{fetched_without_version, untagged_prerelease};
pub use version::{Versions, action_version};

/// One publish to the public registry, in the same words for every reader.
#[derive(Debug, Clone)]
pub struct Publishing<'a> {
    pub ci: CiSystem,
    /// Host of the checkout's origin, where known.
    pub host: Option<&'a str>,
    /// The tool that talks to the registry: of a script, the one that it runs.
    pub tool: Tool,
    pub versions: Versions<'a>,
    pub registry_url: Option<&'a str>,
    pub credential: Credential,
    pub id_token: bool,
    pub staged: bool,
    /// True where nothing about the credential is hidden in a script or an action that was not read.
    pub complete: bool,
    pub runner: Runner,
    pub runner_label: Option<&'a str>,
    /// Label of the image whose own Node runs: no other was set up, and no container.
    pub image: Option<&'a str>,
    pub events: Vec<&'a str>,
    /// What the command or a manifest says about provenance; none where neither does.
    pub provenance: Option<bool>,
    /// True where all packages that it publishes are restricted: those get no provenance by themselves.
    pub restricted: bool,
    /// `uses` of the setup-node step before it that writes an .npmrc.
    pub setup_node: Option<&'a str>,
    pub today: NaiveDate,
}

/// Where a finding belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    Publish,
    /// What the job runs on.
    Runner,
    /// What starts it.
    Events,
    /// The step that sets up Node.
    Setup,
}

/// One thing in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obstacle {
    /// Id of the rule, as in the rule table: the name that a fix is found by.
    pub rule: &'static str,
    pub at: At,
    pub detail: String,
    /// Advice that fits this system better than the rule's own.
    pub fix: Option<String>,
    /// True where OIDC is impossible or refused until it is mended.
    pub blocks: bool,
}

impl Obstacle {
    fn new(rule: &'static str, at: At, detail: impl Into<String>) -> Self {
        Self {
            rule,
            at,
            detail: detail.into(),
            fix: None,
            blocks: true,
        }
    }

    fn fix(self, fix: impl Into<String>) -> Self {
        Self {
            fix: Some(fix.into()),
            ..self
        }
    }

    /// A risk beside the way, not one that blocks it.
    fn risk(self) -> Self {
        Self {
            blocks: false,
            ..self
        }
    }
}

/// Rules about OIDC and its provenance: a publish with a token does not meet them.
const OIDC: &[&str] = &[
    "bun-no-oidc",
    "ci-no-oidc",
    "dist-tag-without-credential",
    "github-enterprise-server",
    "id-token-audience",
    "id-token-without-use",
    "node-too-old",
    "npm-too-old",
    "oidc-missing-permission",
    "oidc-refused-trigger",
    "package-repository-mismatch",
    "package-repository-missing",
    "self-hosted-runner",
    "setup-node-dummy-token",
    "token-beside-oidc",
    "token-probe",
    "token-where-oidc-would-do",
    "tool-too-old",
    "yarn-classic-no-oidc",
];

/// Rules about a token that a lane without one must not have.
const TOKEN: &[&str] = &["bypass-token-write"];

/// Gives the lanes that a rule is about: in the others it is no fault.
pub fn lanes(rule: &str) -> Lanes {
    const TRUSTED: Lanes = Lanes::of(&[Lane::Trusted, Lane::StagedOidc]);
    const STAGED: Lanes = Lanes::of(&[Lane::StagedOidc, Lane::StagedToken]);
    const HELD: Lanes = Lanes::of(&[Lane::Bridge, Lane::StagedToken]);
    match rule {
        "npm-cannot-stage" => STAGED,
        rule if OIDC.contains(&rule) => TRUSTED,
        rule if TOKEN.contains(&rule) => HELD,
        _ => Lanes::ALL,
    }
}

/// Returns how severe a rule is for a path: what only keeps it from OIDC is an error where OIDC is all that it has. With
/// a token beside it, or with a credential that nobody sees, it may publish all the same.
pub fn severity(rule: &str, stated: Severity, credential: Credential) -> Severity {
    let works = credential != Credential::Oidc && OIDC.contains(&rule);
    match stated {
        Severity::Error if works => Severity::Warning,
        stated => stated,
    }
}

/// Gives the policy's row of a tool; none for scripts and tools that it does not know.
pub(crate) fn tool_rule(tool: Tool) -> Option<&'static ToolRule> {
    let id = match tool {
        Tool::Npm => "npm",
        Tool::Pnpm => "pnpm",
        Tool::YarnClassic => "yarn-classic",
        Tool::YarnBerry => "yarn-berry",
        Tool::Bun => "bun",
        Tool::Lerna => "lerna",
        Tool::Changesets => "changesets",
        Tool::SemanticRelease => "semantic-release",
        Tool::Nx => "nx",
        Tool::ReleaseIt => "release-it",
        Tool::Np => "np",
        Tool::JsDevtoolsNpmPublish => "js-devtools-npm-publish",
        Tool::Rush => "rush",
        Tool::CustomScript | Tool::Other => return None,
    };
    policy().tools.iter().find(|rule| rule.id == id)
}

/// Tells whether npm refuses OIDC tokens of runs that this event started.
pub fn is_refused(event: &str) -> bool {
    policy().trust.refuses(event)
}

/// Gives everything in the way of a publish without a token, what blocks it first.
pub fn obstacles(publishing: &Publishing<'_>) -> Vec<Obstacle> {
    let mut found = Vec::new();
    provider(publishing, &mut found);
    runner(publishing, &mut found);
    events(publishing, &mut found);
    found.extend(without_oidc(publishing.tool));
    version::judge(publishing, &mut found);
    alias(publishing, &mut found);
    provenance(publishing, &mut found);
    credential(publishing, &mut found);
    found
}

fn provider(publishing: &Publishing<'_>, found: &mut Vec<Obstacle>) {
    let known = policy()
        .providers
        .iter()
        .find(|known| known.id == publishing.ci.id());
    if let Some(known) = known.filter(|known| !known.supported) {
        found.push(Obstacle::new(
            "ci-no-oidc",
            At::Publish,
            known.name.as_str(),
        ));
    }
    match (publishing.ci, publishing.host) {
        // A system without a row is none of the three that npm names (<https://docs.npmjs.com/trusted-publishers>).
        (CiSystem::NotRead(id), _) if known.is_none() => {
            found.push(Obstacle::new(
                "ci-no-oidc",
                At::Publish,
                super::unread::name_of(id),
            ));
        }
        (CiSystem::Github, Some(host)) if is_enterprise_server(host) => {
            found.push(Obstacle::new("github-enterprise-server", At::Publish, host));
        }
        (CiSystem::Gitlab, Some(host)) if host != "gitlab.com" && host != "github.com" => {
            let detail = format!("GitLab at {host}; only gitlab.com is trusted");
            found.push(Obstacle::new("ci-no-oidc", At::Publish, detail));
        }
        _ => {}
    }
}

/// Tells whether a remote's host is GitHub's own product run by somebody else.
fn is_enterprise_server(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    let own = host == "github.com" || host.ends_with(".github.com") || !host.contains('.');
    !own && (host
        .split(['.', '-'])
        .any(|part| matches!(part, "github" | "ghe" | "ghes"))
        || host.ends_with(".ghe.com"))
}

/// A runner of somebody else's can exchange its OIDC token; npm refuses the provenance made on it (E422), which a
/// public package of a public repository gets by itself (<https://github.com/pnpm/pnpm/pull/16721>).
fn runner(publishing: &Publishing<'_>, found: &mut Vec<Obstacle>) {
    let trusted = !found.iter().any(|one| one.rule == "ci-no-oidc");
    if publishing.runner != Runner::SelfHosted || !trusted {
        return;
    }
    let label = publishing.runner_label.unwrap_or_default();
    match publishing.provenance {
        Some(true) => found.push(Obstacle::new("self-hosted-provenance", At::Runner, label)),
        None if !publishing.restricted => {
            found.push(Obstacle::new("self-hosted-runner", At::Runner, label));
        }
        _ => {}
    }
}

fn events(publishing: &Publishing<'_>, found: &mut Vec<Obstacle>) {
    let refused: Vec<&str> = publishing
        .events
        .iter()
        .copied()
        .filter(|event| is_refused(event))
        .collect();
    if !refused.is_empty() {
        found.push(Obstacle::new(
            "oidc-refused-trigger",
            At::Events,
            refused.join(", "),
        ));
    }
    let blocked = &policy().blocked_event;
    let meets =
        publishing.ci == CiSystem::Github && publishing.events.contains(&blocked.event.as_str());
    if meets {
        let words = if publishing.today < blocked.from {
            "from"
        } else {
            "since"
        };
        let detail = format!("{words} {}", blocked.from);
        found.push(Obstacle::new("pull-request-target-blocked", At::Events, detail).risk());
    }
}

/// Tools that cannot use OIDC in any version.
fn without_oidc(tool: Tool) -> Option<Obstacle> {
    let rule = match tool {
        Tool::YarnClassic => "yarn-classic-no-oidc",
        Tool::Bun => "bun-no-oidc",
        _ => return None,
    };
    Some(Obstacle::new(rule, At::Publish, ""))
}

fn alias(publishing: &Publishing<'_>, found: &mut Vec<Obstacle>) {
    let kind = publishing
        .registry_url
        .and_then(|url| assets::registries().kind_of(url));
    if kind == Some(HostKind::NpmjsAlias) {
        let url = publishing.registry_url.unwrap_or_default();
        found.push(Obstacle::new("mirror-registry", At::Publish, url));
    }
}

fn provenance(publishing: &Publishing<'_>, found: &mut Vec<Obstacle>) {
    if publishing.provenance != Some(true) {
        return;
    }
    let makes = policy()
        .providers
        .iter()
        .any(|known| known.id == publishing.ci.id() && known.provenance);
    if !makes {
        found.push(Obstacle::new("provenance-no-provider", At::Publish, "").risk());
    } else if publishing.ci == CiSystem::Github && !publishing.id_token {
        found.push(Obstacle::new("provenance-without-id-token", At::Publish, "").risk());
    }
}

/// The credential itself: none, a token where none is needed, one beside OIDC, one of setup-node's own.
fn credential(publishing: &Publishing<'_>, found: &mut Vec<Obstacle>) {
    let at = At::Publish;
    match publishing.credential {
        Credential::NoneVisible if publishing.complete && publishing.ci == CiSystem::Github => {
            found.push(Obstacle::new("oidc-missing-permission", at, ""));
        }
        // An update of versions is no reason to keep a token.
        Credential::Token
            if found
                .iter()
                .all(|one| !one.blocks || is_version_rule(one.rule)) =>
        {
            let one = Obstacle::new("token-where-oidc-would-do", at, "").risk();
            found.push(
                how_to_oidc(publishing.ci)
                    .into_iter()
                    .fold(one, Obstacle::fix),
            );
        }
        Credential::TokenAndOidc => {
            found.push(Obstacle::new("token-beside-oidc", at, "").risk());
        }
        _ => {}
    }
    if publishing.id_token && without_oidc(publishing.tool).is_some() {
        found.push(Obstacle::new("id-token-without-use", at, "").risk());
    }
    let old = publishing.setup_node.filter(|uses| {
        publishing.id_token
            && version::is_action_below(uses, &policy().minimum.setup_node_without_dummy_token)
    });
    if let Some(uses) = old {
        found.push(Obstacle::new("setup-node-dummy-token", At::Setup, uses).risk());
    }
}

/// Tells whether an update of a version cures what a rule found.
fn is_version_rule(rule: &str) -> bool {
    matches!(
        rule,
        "npm-too-old"
            | "node-too-old"
            | "tool-too-old"
            | "npm-latest-refuses-node"
            | "npm-cannot-stage"
    )
}

fn how_to_oidc(ci: CiSystem) -> Option<String> {
    let host = assets::npm_host();
    match ci {
        CiSystem::Gitlab => Some(format!(
            "Register the project as trusted publisher, give the job an `id_tokens` entry NPM_ID_TOKEN with the audience npm:{host}, and remove the token."
        )),
        CiSystem::Circleci => Some(format!(
            "Register the project as trusted publisher, set NPM_ID_TOKEN from `circleci run oidc get` with the audience npm:{host}, and remove the token."
        )),
        _ => None,
    }
}

/// Gives the image whose Node a job runs by its labels; none for any label that the policy does not know.
pub(crate) fn image(label: Option<&str>) -> Option<&'static Image> {
    let label = label?.trim();
    policy()
        .runner
        .images
        .iter()
        .find(|image| image.label == label)
}

/// Tells whether all of some packages are restricted to those who may read them.
pub fn all_restricted(packages: &Packages, names: &[String]) -> bool {
    let restricted = |name: &String| {
        packages
            .named(name)
            .is_some_and(|one| one.package.publish_access.as_deref() == Some("restricted"))
    };
    !names.is_empty() && names.iter().all(restricted)
}

/// Gives what a command says about provenance, else what the manifests of its packages do.
pub fn provenance_of(stated: Option<bool>, packages: &Packages, names: &[String]) -> Option<bool> {
    stated.or_else(|| {
        names
            .iter()
            .filter_map(|name| packages.named(name)?.package.publish_provenance)
            .max()
    })
}

/// Tells whether a path is judged by npm's rules at all.
pub fn is_in_scope(registry: Registry) -> bool {
    matches!(registry, Registry::Npmjs | Registry::Unknown)
}

#[cfg(test)]
mod tests;
