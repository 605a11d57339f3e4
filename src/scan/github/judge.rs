//! From what a job does to findings: what makes OIDC impossible, what leaks, what a cutover has to change.
//!
//! Owns no facts: versions and tools come from the embedded policy, words from the rule table.

use std::collections::BTreeSet;

use super::super::checkout::Checkout;
use super::super::rule::{detailed, finding};
use super::super::{Credential, Finding, Place, PublishPath, Registry, Reusable, Runner, Tool};
use super::flow::{Flow, Job};
use super::job::{Publish, Report};
use super::scope::Level;
use crate::assets::{OidcSupport, Version, policy};

/// All that a path is judged by.
pub(super) struct Context<'c, 'd> {
    pub checkout: &'c Checkout<'c>,
    pub flow: &'c Flow<'d>,
    pub job: &'c Job<'d>,
    pub report: &'c Report,
    pub publish: &'c Publish,
}

impl Context<'_, '_> {
    fn place(&self, path: &PublishPath) -> Place {
        Place {
            file: path.file.clone(),
            line: path.line,
            column: path.column,
            span: (0, 0),
        }
    }

    /// The tool that talks to the registry: of a script, the one that it runs.
    fn tool(&self) -> Tool {
        self.publish.inner.unwrap_or(self.publish.tool)
    }
}

/// Judges one publish of a job with steps.
pub(super) fn path(context: &Context<'_, '_>, path: &mut PublishPath, out: &mut Vec<Finding>) {
    let place = context.place(path);
    let job = path.job.clone();
    let job = job.as_deref();
    let publish = context.publish;
    if path.registry == Registry::Npmjs || path.registry == Registry::Unknown {
        blockers(context, path, out);
        credential(context, path, out);
    }
    if publish.mirror {
        out.push(detailed(
            "mirror-registry",
            &place,
            job,
            path.registry_url.as_deref().unwrap_or(""),
        ));
    }
    if !path.fails_closed {
        out.push(finding("publish-can-fail-silently", &place, job));
    }
    if path.environment.is_none() && !context.flow.action {
        out.push(finding("publish-no-environment", &place, job));
    }
    let asks = publish.provenance == Some(true) || configured_provenance(context, path);
    let is_callee = matches!(path.reusable, Some(Reusable::Callee)) && context.flow.action;
    if asks && !path.id_token_write && !is_callee {
        out.push(finding("provenance-without-id-token", &place, job));
    }
    prerelease(context, path, out);
    fetched_tool(context, path, out);
    if !publish.sure {
        out.push(detailed("unseen-callee", &place, job, &path.command));
    }
}

/// Judges a job that calls a workflow: what is wrong inside is found at the callee.
pub(super) fn caller(context: &Context<'_, '_>, path: &mut PublishPath, out: &mut Vec<Finding>) {
    let place = context.place(path);
    let job = path.job.clone();
    let job = job.as_deref();
    triggers(context, path, out);
    if path.credential == Credential::TokenAndOidc {
        out.push(detailed(
            "token-beside-oidc",
            &place,
            job,
            path.secret.as_deref().unwrap_or(""),
        ));
    }
    if !context.publish.sure {
        out.push(detailed("unseen-callee", &place, job, &path.command));
    }
}

fn add(path: &mut PublishPath, out: &mut Vec<Finding>, found: Finding) {
    if !path.blockers.iter().any(|b| b == found.rule) {
        path.blockers.push(found.rule.to_owned());
    }
    out.push(found);
}

/// What makes OIDC impossible or refused here.
fn blockers(context: &Context<'_, '_>, path: &mut PublishPath, out: &mut Vec<Finding>) {
    let place = context.place(path);
    let job = path.job.clone();
    let job = job.as_deref();
    if path.runner == Runner::SelfHosted {
        let label = path.runner_label.clone().unwrap_or_default();
        let at = context
            .job
            .runs_on
            .map_or(place.clone(), |n| n.place(context.flow.file));
        add(path, out, detailed("self-hosted-runner", &at, job, &label));
    }
    if is_enterprise_server(context.checkout.host) {
        let host = context.checkout.host.unwrap_or("");
        add(
            path,
            out,
            detailed("github-enterprise-server", &place, job, host),
        );
    }
    triggers(context, path, out);
    match context.tool() {
        Tool::YarnClassic => add(path, out, finding("yarn-classic-no-oidc", &place, job)),
        Tool::Bun => add(path, out, finding("bun-no-oidc", &place, job)),
        _ => {}
    }
    tool_version(context, path, out);
    node_and_npm(context, path, out);
    if path.credential == Credential::NoneVisible
        && !context.flow.action
        && context.publish.sure
        && !context.publish.opaque
    {
        add(path, out, finding("oidc-missing-permission", &place, job));
    }
}

fn triggers(context: &Context<'_, '_>, path: &mut PublishPath, out: &mut Vec<Finding>) {
    let refused = &policy().trust.refused_triggers;
    let place = Place {
        file: path.file.clone(),
        line: context.flow.on_line,
        column: 1,
        span: (0, 0),
    };
    let job = path.job.clone();
    let hit: Vec<String> = context
        .flow
        .triggers
        .iter()
        .map(|t| t.event.clone())
        .filter(|e| refused.contains(e))
        .collect();
    if hit.is_empty() {
        return;
    }
    add(
        path,
        out,
        detailed(
            "oidc-refused-trigger",
            &place,
            job.as_deref(),
            &hit.join(", "),
        ),
    );
    if matches!(
        path.credential,
        Credential::Token | Credential::TokenAndOidc
    ) {
        out.push(detailed(
            "token-in-pull-request",
            &context.place(path),
            job.as_deref(),
            &hit.join(", "),
        ));
    }
}

/// Reads the first version in a text: `^11.5.1`, `v4`, `npm@11` give 11.5.1, 4.0.0, 11.0.0; words give none.
pub(super) fn version(text: &str) -> Option<Version> {
    let text = text
        .trim()
        .trim_start_matches(['v', '^', '~', '>', '=', ' ']);
    let mut parts = text
        .split(['.', '-', '+', ' '])
        .map(|p| p.trim_end_matches(['x', '*']));
    let major = parts.next()?.parse().ok()?;
    let number = |p: Option<&str>| p.and_then(|p| p.parse().ok());
    let minor = number(parts.next());
    let patch = number(parts.next());
    // `11` and `11.x` mean the newest of that line.
    let rest = if minor.is_none() { u32::MAX } else { 0 };
    Some(Version(
        major,
        minor.unwrap_or(rest),
        patch.unwrap_or(if minor.is_none() { u32::MAX } else { 0 }),
    ))
}

fn tool_id(tool: Tool) -> &'static str {
    match tool {
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
        Tool::CustomScript | Tool::Other => "",
    }
}

/// The version of the part of the tool that the policy's `since` is about.
fn stated_version(context: &Context<'_, '_>, path: &PublishPath) -> Option<String> {
    let packages = context.checkout.project.packages;
    let dir = context.publish.dir.as_deref().unwrap_or("");
    match context.tool() {
        Tool::SemanticRelease => packages
            .tool_version(dir, "@semantic-release/npm")
            .map(str::to_owned),
        Tool::YarnBerry | Tool::Pnpm => packages
            .manager(dir)
            .and_then(|(_, v)| v.map(str::to_owned)),
        Tool::Npm => None,
        _ => path.tool_version.clone(),
    }
}

fn tool_version(context: &Context<'_, '_>, path: &mut PublishPath, out: &mut Vec<Finding>) {
    let tool = context.tool();
    let Some(rule) = policy().tools.iter().find(|t| t.id == tool_id(tool)) else {
        return;
    };
    if rule.oidc == OidcSupport::Never {
        return;
    }
    let stated = stated_version(context, path);
    let parsed = stated.as_deref().and_then(version);
    let old = match (tool, parsed, rule.since) {
        // Up to 10 pnpm starts npm, whose version counts.
        (Tool::Pnpm, Some(v), Some(since)) => v.0 >= 11 && v < since,
        (_, Some(v), Some(since)) => v < since,
        _ => false,
    };
    // semantic-release brings its npm plugin with it: the first with OIDC came with 25.
    let bundled = tool == Tool::SemanticRelease
        && stated.is_none()
        && path
            .tool_version
            .as_deref()
            .and_then(version)
            .is_some_and(|v| v.0 < 25);
    if old || bundled {
        let shown = stated
            .or_else(|| path.tool_version.clone())
            .unwrap_or_default();
        let since = rule
            .since
            .map(|v| format!("; OIDC since {v}"))
            .unwrap_or_default();
        let detail = format!("{} {shown}{since}: {}", rule.id, rule.note);
        let found = detailed(
            "tool-too-old",
            &context.place(path),
            path.job.as_deref(),
            &detail,
        );
        add(path, out, found);
    }
}

/// Node and npm as stated, for tools that publish through npm.
fn node_and_npm(context: &Context<'_, '_>, path: &mut PublishPath, out: &mut Vec<Finding>) {
    let minimum = &policy().minimum;
    let by_npm = match context.tool() {
        Tool::Npm
        | Tool::Changesets
        | Tool::Nx
        | Tool::ReleaseIt
        | Tool::Np
        | Tool::JsDevtoolsNpmPublish => true,
        // Its plugin depends on an npm of its own and prefers it, where npx or a package manager started it: an action
        // and a global installation run the machine's (@semantic-release/npm, lib/publish.js: `preferLocal`).
        Tool::SemanticRelease => ["uses:", "semantic-release"]
            .iter()
            .any(|start| path.command.trim_start().starts_with(start)),
        Tool::Pnpm => stated_version(context, path)
            .as_deref()
            .and_then(version)
            .is_some_and(|v| v.0 < 11),
        _ => false,
    };
    let place = context
        .publish
        .setup
        .as_ref()
        .map_or_else(|| context.place(path), |s| s.place.clone());
    let job = path.job.clone();
    let job = job.as_deref();
    let node = path.node_version.as_deref().and_then(node_version);
    if let Some(node) = node.filter(|n| *n < minimum.node_oidc_publish) {
        add(
            path,
            out,
            detailed(
                "node-too-old",
                &place,
                job,
                &format!("Node {}", shown_version(node)),
            ),
        );
    }
    if !by_npm {
        return;
    }
    match path.npm_version.as_deref() {
        Some(stated) => {
            if version(stated).is_some_and(|v| v < minimum.npm_oidc_publish) {
                let found = detailed(
                    "npm-too-old",
                    &context.place(path),
                    job,
                    &format!("npm {stated}"),
                );
                add(path, out, found);
            }
        }
        // Node 24 is the first line that bundles npm 11.
        None => {
            if let Some(node) = node.filter(|n| n.0 < 24) {
                let detail = format!("Node {} brings npm 10 or older", shown_version(node));
                add(path, out, detailed("npm-too-old", &place, job, &detail));
            }
        }
    }
}

fn shown_version(v: Version) -> String {
    if v.1 == u32::MAX {
        v.0.to_string()
    } else {
        v.to_string()
    }
}

/// Reads a Node version, LTS names included; `latest`, `lts/*` and expressions say nothing that could be too old.
fn node_version(text: &str) -> Option<Version> {
    let names = [
        ("argon", 4),
        ("boron", 6),
        ("carbon", 8),
        ("dubnium", 10),
        ("erbium", 12),
        ("fermium", 14),
        ("gallium", 16),
        ("hydrogen", 18),
        ("iron", 20),
        ("jod", 22),
    ];
    if let Some(name) = text.trim().to_ascii_lowercase().strip_prefix("lts/") {
        let major = names.iter().find(|(n, _)| *n == name).map(|(_, m)| *m)?;
        return Some(Version(major, u32::MAX, u32::MAX));
    }
    if text.contains("${{") || text.trim_start().starts_with(['>', '^']) {
        return None;
    }
    version(text)
}

/// The credential itself: a token where none is needed, one beside OIDC, one in reach of everything.
fn credential(context: &Context<'_, '_>, path: &mut PublishPath, out: &mut Vec<Finding>) {
    let place = context.place(path);
    let job = path.job.clone();
    let job = job.as_deref();
    let secret = path.secret.clone().unwrap_or_default();
    match path.credential {
        Credential::Token if path.blockers.iter().all(|b| is_version_rule(b)) => {
            out.push(detailed("token-where-oidc-would-do", &place, job, &secret));
        }
        Credential::TokenAndOidc => out.push(detailed("token-beside-oidc", &place, job, &secret)),
        _ => {}
    }
    let wide = context
        .publish
        .reaches
        .iter()
        .find(|r| matches!(r.level, Level::Job | Level::Workflow) && !r.name.is_empty());
    if let Some(wide) = wide.filter(|_| context.report.other_steps > 0) {
        out.push(detailed(
            "credential-in-build",
            &wide.place,
            job,
            &wide.name,
        ));
    }
    let useless = path.id_token_write && matches!(context.tool(), Tool::YarnClassic | Tool::Bun);
    if useless {
        out.push(finding("id-token-without-use", &place, job));
    }
    // npm reads NODE_AUTH_TOKEN only through setup-node or .npmrc, and NPM_TOKEN only through .npmrc.
    let plain = matches!(context.publish.tool, Tool::Npm | Tool::Pnpm);
    let first = context
        .publish
        .reaches
        .first()
        .filter(|r| plain && !context.publish.opaque && !r.name.is_empty());
    if let Some(first) = first {
        let by_setup = first.name == "NODE_AUTH_TOKEN"
            && context.publish.setup.as_ref().is_some_and(|s| s.registry);
        let config = first.name.to_ascii_lowercase().starts_with("npm_config");
        let read = by_setup || config || context.publish.read_names.contains(&first.name);
        let written = context
            .publish
            .reaches
            .iter()
            .any(|r| r.level == Level::Written);
        if !read && !written && first.level != Level::Input {
            out.push(detailed("token-not-read", &first.place, job, &first.name));
        }
    }
    if let Some(setup) = context
        .publish
        .setup
        .as_ref()
        .filter(|s| s.registry && path.id_token_write)
    {
        let (_, at) = super::action::split(&setup.uses);
        let newest = policy().minimum.setup_node_without_dummy_token;
        if at
            .and_then(version)
            .is_some_and(|v| v < newest && v.0 < 1000 && at.is_some_and(|a| a.len() < 20))
        {
            out.push(detailed(
                "setup-node-dummy-token",
                &setup.place,
                job,
                &setup.uses,
            ));
        }
    }
}

/// Rules that an update of versions cures: a token is still a choice beside them.
fn is_version_rule(rule: &str) -> bool {
    matches!(rule, "npm-too-old" | "node-too-old" | "tool-too-old")
}

fn configured_provenance(context: &Context<'_, '_>, path: &PublishPath) -> bool {
    let manifests = context.checkout.project.packages.manifests();
    manifests.iter().any(|m| {
        path.packages.contains(&m.package.name) && m.package.publish_provenance == Some(true)
    })
}

fn prerelease(context: &Context<'_, '_>, path: &PublishPath, out: &mut Vec<Finding>) {
    let single = matches!(
        context.tool(),
        Tool::Npm | Tool::Pnpm | Tool::YarnBerry | Tool::YarnClassic | Tool::JsDevtoolsNpmPublish
    );
    if !single || context.publish.flags.tag.is_some() {
        return;
    }
    for manifest in context.checkout.project.packages.manifests() {
        let p = &manifest.package;
        let reached = path.packages.contains(&p.name) && p.publish_tag.is_none();
        let version = p.version.as_deref().unwrap_or("");
        // `0.0.0-development` and its likes are placeholders that a release replaces.
        let placeholder = version.starts_with("0.0.0");
        if reached
            && version.contains('-')
            && !placeholder
            && !version.contains("managed")
            && !version.contains("semantic")
        {
            let detail = format!("{} {version}", p.name);
            out.push(detailed(
                "prerelease-without-tag",
                &context.place(path),
                path.job.as_deref(),
                &detail,
            ));
            return;
        }
    }
}

/// A release tool that `npx` and its likes fetch at publish time.
fn fetched_tool(context: &Context<'_, '_>, path: &PublishPath, out: &mut Vec<Finding>) {
    let command = &context.publish.command;
    let fetches = [
        "npx ",
        "pnpm dlx ",
        "yarn dlx ",
        "bunx ",
        "pnpx ",
        "npm exec ",
        "npm x ",
    ]
    .iter()
    .any(|p| command.starts_with(p));
    let exact = path.tool_version.as_deref().is_some_and(|v| {
        version(v).is_some_and(|v| v.1 != u32::MAX) && !v.contains(['^', '~', '*', 'x'])
    });
    let has_own = !matches!(
        context.tool(),
        Tool::Npm | Tool::Pnpm | Tool::YarnBerry | Tool::YarnClassic | Tool::Bun
    );
    let locked = context.publish.version.is_some() && !command.contains('@');
    if fetches && has_own && !exact && !locked {
        out.push(detailed(
            "unpinned-tool",
            &context.place(path),
            path.job.as_deref(),
            command,
        ));
    }
}

/// What is said once per publishing job: action pins and the events of its steps.
pub(super) fn job(
    _checkout: &Checkout<'_>,
    flow: &Flow<'_>,
    job: &Job<'_>,
    _id_token: bool,
    report: &Report,
    out: &mut Vec<Finding>,
) {
    let name = (!flow.action).then_some(job.id);
    for event in &report.events {
        out.push(detailed(event.rule, &event.place, name, &event.detail));
    }
}

/// What is said once per file: several organisations, and the packages' repository fields.
pub(super) fn flow(
    checkout: &Checkout<'_>,
    flow: &Flow<'_>,
    paths: &[PublishPath],
    out: &mut Vec<Finding>,
) {
    let to_npm: Vec<&PublishPath> = paths
        .iter()
        .filter(|p| p.registry == Registry::Npmjs)
        .collect();
    let names: BTreeSet<&str> = to_npm
        .iter()
        .flat_map(|p| p.packages.iter().map(String::as_str))
        .collect();
    let scopes: BTreeSet<&str> = names
        .iter()
        .filter_map(|n| n.strip_prefix('@')?.split('/').next())
        .collect();
    if scopes.len() > 1
        && let Some(first) = to_npm.first()
    {
        let place = Place {
            file: flow.file.to_owned(),
            line: first.line,
            column: first.column,
            span: (0, 0),
        };
        let list: Vec<String> = scopes.iter().map(|s| format!("@{s}")).collect();
        out.push(detailed(
            "several-organisations",
            &place,
            None,
            &list.join(", "),
        ));
    }
    for manifest in checkout
        .project
        .packages
        .manifests()
        .iter()
        .filter(|m| names.contains(m.package.name.as_str()))
    {
        repository(checkout, manifest, out);
    }
}

fn repository(
    checkout: &Checkout<'_>,
    manifest: &super::super::package::Manifest,
    out: &mut Vec<Finding>,
) {
    let place = Place {
        file: manifest.file.clone(),
        line: manifest.repository_line,
        column: 1,
        span: (0, 0),
    };
    let known = |rule: &str| out.iter().any(|f| f.rule == rule && f.file == place.file);
    match manifest.package.repository_url.as_deref() {
        None if !known("package-repository-missing") => {
            out.push(detailed(
                "package-repository-missing",
                &place,
                None,
                &manifest.package.name,
            ));
        }
        Some(url) if checkout.repo.contains('/') && !known("package-repository-mismatch") => {
            let slug = super::super::package::repository(url).map(|r| r.slug);
            if slug.as_deref() != Some(checkout.repo) {
                out.push(detailed(
                    "package-repository-mismatch",
                    &place,
                    None,
                    &format!("{url}, not {}", checkout.repo),
                ));
            }
        }
        _ => {}
    }
}

/// Tells whether a remote's host is GitHub's own product run by somebody else.
fn is_enterprise_server(host: Option<&str>) -> bool {
    let Some(host) = host.map(str::to_ascii_lowercase) else {
        return false;
    };
    let own = host == "github.com" || host.ends_with(".github.com") || !host.contains('.');
    !own && (host
        .split(['.', '-'])
        .any(|p| p == "github" || p == "ghe" || p == "ghes")
        || host.ends_with(".ghe.com"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn versions_are_read() {
        assert_eq!(version("^11.5.1"), Some(Version(11, 5, 1)));
        assert_eq!(version("v4"), Some(Version(4, u32::MAX, u32::MAX)));
        assert_eq!(version("10.x").map(|v| v.0), Some(10));
        assert_eq!(version("latest"), None);
        assert_eq!(node_version("lts/*"), None);
        assert_eq!(node_version("lts/jod").map(|v| v.0), Some(22));
    }

    #[test]
    fn enterprise_hosts() {
        assert!(
            is_enterprise_server(Some("github.acme.com"))
                && is_enterprise_server(Some("acme.ghe.com"))
        );
        assert!(
            !is_enterprise_server(Some("github.com"))
                && !is_enterprise_server(Some("ssh.github.com"))
        );
        assert!(
            !is_enterprise_server(Some("gitlab.com")) && !is_enterprise_server(Some("github-work"))
        );
    }
}
