//! What stands in the way of OIDC in a job, and what is risky about how it publishes.
//!
//! Owns which rule fires when, for every system but GitHub Actions; the rules' words stand in `rule`.
//! Only publishes that reach the public npm registry are judged.

use super::super::tool::Act;
use super::super::{CiSystem, Credential, PublishPath, Registry, Runner, Tool};
use super::{Checkout, Found, Job};
use crate::assets::{self, HostKind, OidcSupport, Version};

/// Judges one publish path, adds findings and fills its blockers.
pub(super) fn path(
    cx: &Checkout<'_>,
    job: &Job<'_, '_>,
    act: Option<&Act>,
    path: &mut PublishPath,
    parts: &mut Found,
) {
    if !matches!(path.registry, Registry::Npmjs | Registry::Unknown) {
        return;
    }
    let mut say = Say { path, parts };
    blockers(cx, job, &mut say);
    if let Some(act) = act {
        command(cx, job, act, &mut say);
    }
    match say.path.credential {
        Credential::Token if say.path.blockers.is_empty() => {
            say.advise("token-where-oidc-would-do", "", how_to_oidc(job.ci))
        }
        Credential::TokenAndOidc => say.add("token-beside-oidc", ""),
        _ => {}
    }
    if say.path.environment.is_none() && matches!(job.ci, CiSystem::Gitlab | CiSystem::Azure) {
        let how = match job.ci {
            CiSystem::Gitlab => {
                "Give the job a protected environment with approvals, and name it in the trust configuration."
            }
            _ => "Make it a deployment job with an environment that has approvals and checks.",
        };
        say.advise("publish-no-environment", "", Some(how.to_owned()));
    }
    if !say.path.fails_closed {
        say.advise(
            "publish-can-fail-silently",
            "",
            Some("Let the job fail when the publish fails.".to_owned()),
        );
    }
    wide_token(job, &mut say);
}

/// Adds that a step prints commands, configuration or environment beside a token.
pub(super) fn leaky(
    job: &Job<'_, '_>,
    line: u32,
    rule: &'static str,
    command: &str,
    parts: &mut Found,
) {
    parts.finding(rule, &job.file, (line, 1), job.name.as_deref(), command);
}

struct Say<'p> {
    path: &'p mut PublishPath,
    parts: &'p mut Found,
}

impl Say<'_> {
    fn add(&mut self, rule: &'static str, detail: &str) {
        self.advise(rule, detail, None);
    }

    /// Adds a finding at the publish, with advice that fits this system better than the rule's own.
    fn advise(&mut self, rule: &'static str, detail: &str, fix: Option<String>) {
        let place = (self.path.line, self.path.column);
        self.parts.finding(
            rule,
            &self.path.file,
            place,
            self.path.job.as_deref(),
            detail,
        );
        if let (Some(fix), Some(last)) = (fix, self.parts.findings.last_mut()) {
            last.fix = fix;
        }
    }

    /// Adds what stands in the way of OIDC; of several publishes of a job the first says what is true of all.
    fn block(&mut self, rule: &'static str, detail: &str, fix: Option<String>) {
        let path = &*self.path;
        let said = self.parts.findings.iter().rev().any(|f| {
            f.rule == rule && f.file == path.file && f.job == path.job && f.message.contains(detail)
        });
        if !said {
            self.advise(rule, detail, fix);
        }
        self.path.blockers.push(rule.to_owned());
    }
}

fn blockers(cx: &Checkout<'_>, job: &Job<'_, '_>, say: &mut Say<'_>) {
    let provider = assets::policy()
        .providers
        .iter()
        .find(|p| p.id == provider_id(job.ci));
    if let Some(provider) = provider.filter(|p| !p.supported) {
        say.block("ci-no-oidc", &provider.name, None);
    }
    // A system without a row is none of the three that npm names (<https://docs.npmjs.com/trusted-publishers>).
    if let (CiSystem::NotRead(id), None) = (job.ci, provider) {
        say.block("ci-no-oidc", crate::scan::unread::name_of(id), None);
    }
    if let (CiSystem::Gitlab, Some(host)) = (
        job.ci,
        cx.host.filter(|h| *h != "gitlab.com" && *h != "github.com"),
    ) {
        say.block(
            "ci-no-oidc",
            &format!("GitLab at {host}; only gitlab.com is trusted"),
            None,
        );
    }
    if job.runner == Runner::SelfHosted && say.path.blockers.is_empty() {
        let label = job.runner_label.as_deref().unwrap_or("");
        say.block(
            "self-hosted-runner",
            label,
            Some("Move this one job to a runner that the CI system hosts.".to_owned()),
        );
    }
    tool(cx, say);
    versions(job, say);
    let alias = say
        .path
        .registry_url
        .as_deref()
        .and_then(|u| assets::registries().kind_of(u));
    if alias == Some(HostKind::NpmjsAlias) {
        say.block("mirror-registry", "", None);
    }
}

/// Tools that cannot use OIDC at all, or not in the version stated.
fn tool(cx: &Checkout<'_>, say: &mut Say<'_>) {
    match say.path.tool {
        Tool::YarnClassic => return say.block("yarn-classic-no-oidc", "", None),
        Tool::Bun => return say.block("bun-no-oidc", "", None),
        _ => {}
    }
    let Some(rule) = assets::policy()
        .tools
        .iter()
        .find(|t| Some(t.id.as_str()) == tool_id(say.path.tool))
    else {
        return;
    };
    let (OidcSupport::Own | OidcSupport::ByClient, Some(since)) = (rule.oidc, rule.since) else {
        return;
    };
    // The part that publishes counts: semantic-release's npm plugin, and for npm and pnpm what the steps install.
    let stated = match say.path.tool {
        Tool::SemanticRelease => cx
            .packages()
            .tool_version("", "@semantic-release/npm")
            .map(str::to_owned),
        Tool::Npm | Tool::Pnpm => None,
        _ => say.path.tool_version.clone(),
    };
    if let Some(version) = stated.as_deref().and_then(at_most).filter(|v| *v < since) {
        let fix = format!("Update it to {since} or newer: {}.", rule.note);
        say.block("tool-too-old", &version.to_string(), Some(fix));
    }
}

/// npm and Node as far as the job states them; a stated npm settles it, else what Node brings along.
fn versions(job: &Job<'_, '_>, say: &mut Say<'_>) {
    let minimum = &assets::policy().minimum;
    // Started by npx or a package manager, semantic-release finds the npm that its plugin depends on first.
    let own_npm =
        say.path.tool == Tool::SemanticRelease && !say.path.command.starts_with("semantic-release");
    let runs_npm = !own_npm
        && !matches!(
            say.path.tool,
            Tool::YarnClassic | Tool::YarnBerry | Tool::Bun | Tool::Lerna
        );
    let node = job.node_version.as_deref().and_then(at_most);
    if let Some(node) = node.filter(|n| *n < minimum.node_oidc_publish) {
        return say.block("node-too-old", &node_words(node, job), None);
    }
    if !runs_npm {
        return;
    }
    match say.path.npm_version.as_deref().and_then(at_most) {
        Some(npm) if npm < minimum.npm_oidc_publish => {
            say.block("npm-too-old", &npm.to_string(), None)
        }
        Some(_) => {}
        // Node 24 is the first that brings an npm 11.
        None if say.path.npm_version.is_none() && node.is_some_and(|n| n.0 < 24) => {
            let detail = format!(
                "Node {} brings npm 10",
                job.node_version.as_deref().unwrap_or("")
            );
            say.block("npm-too-old", &detail, None);
        }
        None => {}
    }
}

fn node_words(node: Version, job: &Job<'_, '_>) -> String {
    job.node_version.clone().unwrap_or_else(|| node.to_string())
}

/// What the command line itself tells.
fn command(cx: &Checkout<'_>, job: &Job<'_, '_>, act: &Act, say: &mut Say<'_>) {
    let provenance = assets::policy()
        .providers
        .iter()
        .any(|p| p.id == provider_id(job.ci) && p.provenance);
    if act.flags.provenance == Some(true) && !provenance {
        say.add("provenance-no-provider", "");
    }
    let fetched = ["npx ", "bunx ", " dlx ", "pnpx "]
        .iter()
        .any(|word| act.command.contains(word));
    let exact = act.version.as_deref().is_some_and(|v| {
        v.starts_with(|c: char| c.is_ascii_digit()) && v.matches('.').count() >= 2
    });
    let release_tool = matches!(
        act.tool,
        Tool::SemanticRelease
            | Tool::Lerna
            | Tool::Changesets
            | Tool::Nx
            | Tool::ReleaseIt
            | Tool::Np
            | Tool::Other
    );
    let installed = tool_package(act.tool).is_some_and(|name| {
        cx.packages()
            .tool_version(act.dir.as_deref().unwrap_or(""), name)
            .is_some()
    });
    if fetched && release_tool && !exact && !installed {
        say.add("unpinned-tool", "");
    }
    let direct = matches!(
        act.tool,
        Tool::Npm | Tool::Pnpm | Tool::YarnClassic | Tool::YarnBerry | Tool::Bun
    );
    if direct && act.flags.tag.is_none() {
        let untagged = say.path.packages.iter().find(|name| {
            let manifest = cx
                .packages()
                .manifests()
                .iter()
                .find(|m| m.package.name == **name);
            manifest.is_some_and(|m| {
                let version = m.package.version.as_deref().unwrap_or("");
                m.package.publish_tag.is_none()
                    && version.contains('-')
                    && !version.starts_with("0.0.0-")
            })
        });
        if let Some(name) = untagged.cloned() {
            say.add("prerelease-without-tag", &name);
        }
    }
}

/// A token set for a whole job or pipeline reaches its build and test steps too.
fn wide_token(job: &Job<'_, '_>, say: &mut Say<'_>) {
    let Some(place) = say.path.secret_set_at.clone() else {
        return;
    };
    let set_wide = job.variables.iter().any(|v| v.place == place);
    let told =
        say.parts.findings.iter().any(|f| {
            f.rule == "credential-in-build" && f.file == place.file && f.line == place.line
        });
    if set_wide && job.steps.len() > 1 && !told {
        let fix = "Set it for the one step that needs it, or move the publish to a job of its own."
            .to_owned();
        say.parts.finding(
            "credential-in-build",
            &place.file,
            (place.line, place.column),
            job.name.as_deref(),
            "",
        );
        if let Some(last) = say.parts.findings.last_mut() {
            last.fix = fix;
        }
    }
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

fn provider_id(ci: CiSystem) -> &'static str {
    match ci {
        CiSystem::Github => "github",
        CiSystem::Gitlab => "gitlab",
        CiSystem::Circleci => "circleci",
        CiSystem::Azure => "azure",
        CiSystem::Jenkins => "jenkins",
        CiSystem::Travis => "travis",
        CiSystem::NotRead(id) => id,
    }
}

fn tool_id(tool: Tool) -> Option<&'static str> {
    Some(match tool {
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
        Tool::Rush => "rush",
        Tool::JsDevtoolsNpmPublish | Tool::CustomScript | Tool::Other => return None,
    })
}

fn tool_package(tool: Tool) -> Option<&'static str> {
    Some(match tool {
        Tool::Lerna => "lerna",
        Tool::Changesets => "@changesets/cli",
        Tool::SemanticRelease => "semantic-release",
        Tool::Nx => "nx",
        Tool::ReleaseIt => "release-it",
        Tool::Np => "np",
        _ => return None,
    })
}

/// The newest version that a range such as `^8.2.0`, `22` or `lts/*` can mean, if it says.
///
/// Missing parts count as high: `22` may be any 22.x. A range that is open upwards (`>=18`, `latest`) gives nothing.
fn at_most(text: &str) -> Option<Version> {
    let text = text.trim().trim_start_matches('v');
    let (text, caret) = match text.strip_prefix('^') {
        Some(rest) => (rest, true),
        None => (
            text.strip_prefix('~').unwrap_or(text),
            text.starts_with('~'),
        ),
    };
    if !text.starts_with(|c: char| c.is_ascii_digit()) || text.contains([' ', '|']) {
        return None;
    }
    let mut numbers = text
        .split(['.', '-', '+'])
        .map(|part| part.parse::<u32>().ok());
    let major = numbers.next()??;
    let minor = numbers.next().flatten();
    let patch = numbers.next().flatten();
    match (caret, minor, patch) {
        (true, _, _) | (false, None, _) => Some(Version(major, u32::MAX, u32::MAX)),
        (false, Some(minor), None) => Some(Version(major, minor, u32::MAX)),
        (false, Some(minor), Some(patch)) => Some(Version(major, minor, patch)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

    use super::*;

    #[test]
    fn newest_version_of_a_range() {
        let max = u32::MAX;
        for (text, want) in [
            ("8.2.4", Some(Version(8, 2, 4))),
            ("^8.2.4", Some(Version(8, max, max))),
            ("v20.11.1", Some(Version(20, 11, 1))),
            ("20", Some(Version(20, max, max))),
            ("22.x", Some(Version(22, max, max))),
            ("22.14", Some(Version(22, 14, max))),
            (">=18", None),
            ("lts", None),
            ("lts/*", None),
            ("latest", None),
            ("8 || 9", None),
            ("", None),
        ] {
            assert_eq!(at_most(text), want, "{text}");
        }
    }
}
