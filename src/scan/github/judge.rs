//! From what a job does to findings: what leaks, what a cutover has to change, and what the shared rules say of it.
//!
//! npm's rules are judged by `obstacle`; the words stand in `rule`.

use std::collections::BTreeSet;

use super::super::checkout::Checkout;
use super::super::obstacle::{self, At, Obstacle, Publishing, Versions};
use super::super::package::Manager;
use super::super::rule::{detailed, finding};
use super::super::{Credential, Finding, Place, PublishPath, Purpose, Registry, Tool};
use super::flow::{Flow, Job, Variable};
use super::job::{Publish, Report, Setup};
use super::scope::Level;
use crate::assets::policy;

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
    if obstacle::is_in_scope(path.registry) {
        let mut found = obstacle::obstacles(&publishing(context, path));
        // What a called action may do is its caller's business.
        found.retain(|one| !(context.flow.action && one.rule == "provenance-without-id-token"));
        for one in found {
            obstacle_found(context, path, one, out);
        }
        pull_request(context, path, out);
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
    let packages = context.checkout.project.packages;
    let (tool, tag) = (context.tool(), publish.flags.tag.as_deref());
    if let Some(one) = obstacle::untagged_prerelease(packages, &path.packages, tool, tag) {
        out.push(detailed("prerelease-without-tag", &place, job, &one));
    }
    let (dir, version) = (
        publish.dir.as_deref().unwrap_or(""),
        path.tool_version.as_deref(),
    );
    if obstacle::fetched_without_version(packages, dir, tool, version, &publish.command) {
        out.push(detailed("unpinned-tool", &place, job, &publish.command));
    }
    if !publish.sure {
        out.push(detailed("unseen-callee", &place, job, &path.command));
    }
}

/// Judges a job that calls a workflow: what is wrong inside is found at the callee.
pub(super) fn caller(context: &Context<'_, '_>, path: &mut PublishPath, out: &mut Vec<Finding>) {
    let place = context.place(path);
    let job = path.job.clone();
    let job = job.as_deref();
    let found = obstacle::obstacles(&publishing(context, path));
    for one in found
        .into_iter()
        .filter(|one| one.at == At::Events || one.rule == "token-beside-oidc")
    {
        obstacle_found(context, path, one, out);
    }
    pull_request(context, path, out);
    if !context.publish.sure {
        out.push(detailed("unseen-callee", &place, job, &path.command));
    }
}

/// Describes a publish to the rules that all CI systems share.
fn publishing<'a>(context: &'a Context<'_, '_>, path: &'a PublishPath) -> Publishing<'a> {
    let publish = context.publish;
    let packages = context.checkout.project.packages;
    let dir = publish.dir.as_deref().unwrap_or("");
    let tool = context.tool();
    let writes = publish.setup.as_ref().filter(|setup| setup.registry);
    let image = (path.node_version.is_none() && !publish.opaque && publish.setup.is_none())
        .then_some(path.runner_label.as_deref())
        .flatten()
        .filter(|_| !context.job.sets_up_node());
    Publishing {
        ci: path.ci,
        host: context.checkout.host,
        tool,
        versions: Versions {
            tool: path.tool_version.as_deref(),
            node: path.node_version.as_deref(),
            npm: path.npm_version.as_deref(),
            ..Versions::of(packages, dir, tool, &path.command)
        },
        registry_url: path.registry_url.as_deref(),
        credential: path.credential,
        id_token: path.id_token_write,
        staged: path.staged,
        complete: !context.flow.action && publish.sure && !publish.opaque,
        runner: path.runner,
        runner_label: path.runner_label.as_deref(),
        image,
        events: path.triggers.iter().map(|one| one.event.as_str()).collect(),
        provenance: obstacle::provenance_of(publish.provenance, packages, &path.packages),
        restricted: obstacle::all_restricted(packages, &path.packages),
        setup_node: writes.map(|setup| setup.uses.as_str()),
        today: context.checkout.today,
    }
}

/// Adds one thing that the shared rules found, at the place that it is about.
fn obstacle_found(
    context: &Context<'_, '_>,
    path: &mut PublishPath,
    one: Obstacle,
    out: &mut Vec<Finding>,
) {
    let file = context.flow.file;
    let publish = context.place(path);
    let place = match one.at {
        At::Publish => publish,
        At::Runner => context.job.runs_on.map_or(publish, |node| node.place(file)),
        At::Setup => context
            .publish
            .setup
            .as_ref()
            .map_or(publish, |setup| setup.place.clone()),
        At::Events => Place {
            file: path.file.clone(),
            line: context.flow.on_line,
            column: 1,
            span: (0, 0),
        },
    };
    // Whose secret it is helps more than the rule's own words.
    let of_token = matches!(one.rule, "token-where-oidc-would-do" | "token-beside-oidc");
    let detail = match of_token {
        true => path.secret.as_deref().unwrap_or_default(),
        false => &one.detail,
    };
    let mut found = detailed(one.rule, &place, path.job.as_deref(), detail);
    if let Some(fix) = one.fix {
        found.fix = fix;
    }
    found.severity = obstacle::severity(one.rule, found.severity, path.credential);
    if one.blocks && !path.blockers.iter().any(|known| known == one.rule) {
        path.blockers.push(one.rule.to_owned());
    }
    out.push(found);
}

/// Adds that code of a pull request runs beside a token: only where the job takes it out of the pull request.
fn pull_request(context: &Context<'_, '_>, path: &PublishPath, out: &mut Vec<Finding>) {
    let refused: Vec<&str> = path
        .triggers
        .iter()
        .map(|one| one.event.as_str())
        .filter(|event| obstacle::is_refused(event))
        .collect();
    let token = matches!(
        path.credential,
        Credential::Token | Credential::TokenAndOidc
    );
    if !refused.is_empty() && token && context.job.runs_pull_request() {
        let place = context.place(path);
        out.push(detailed(
            "token-in-pull-request",
            &place,
            path.job.as_deref(),
            &refused.join(", "),
        ));
    }
}

/// A token in reach of everything, or of nothing.
fn credential(context: &Context<'_, '_>, path: &PublishPath, out: &mut Vec<Finding>) {
    let job = path.job.clone();
    let job = job.as_deref();
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
}

/// What is said once per publishing job: action pins and the events of its steps.
pub(super) fn job(
    checkout: &Checkout<'_>,
    flow: &Flow<'_>,
    job: &Job<'_>,
    id_token: bool,
    report: &Report,
    out: &mut Vec<Finding>,
) {
    let name = (!flow.action).then_some(job.id);
    for one in &report.uses {
        let rule = match (one.purpose, &one.secret) {
            (Purpose::DistTag, None) if id_token => "dist-tag-without-credential",
            (Purpose::Unpublish | Purpose::Access, Some(_)) => "bypass-token-write",
            _ => continue,
        };
        let place = Place {
            file: one.file.clone(),
            line: one.line,
            column: 1,
            span: (0, 0),
        };
        out.push(finding(rule, &place, name));
    }
    if let Some(setup) = unset_token(checkout, flow, job, report) {
        out.push(detailed(
            "yarn-classic-unset-token",
            &setup.place,
            name,
            &setup.uses,
        ));
    }
    for event in &report.events {
        out.push(detailed(event.rule, &event.place, name, &event.detail));
    }
}

/// Gives the setup-node whose .npmrc reads a variable that nothing sets, in a job that installs with Yarn 1: from v7 on
/// no placeholder stands in for it (<https://github.com/actions/setup-node/issues/1551>).
fn unset_token<'r>(
    checkout: &Checkout<'_>,
    flow: &Flow<'_>,
    job: &Job<'_>,
    report: &'r Report,
) -> Option<&'r Setup> {
    let runs_yarn = |text: &str| {
        let mut words = text.split(|c: char| c.is_whitespace() || matches!(c, ';' | '&' | '|'));
        words.any(|word| word == "yarn")
    };
    let mut steps = job.steps.iter().filter_map(|step| step.run?.as_str());
    let classic = checkout
        .project
        .packages
        .manager("")
        .is_some_and(|(found, _)| found == Manager::YarnClassic);
    let sets = |env: &[Variable<'_>]| env.iter().any(|one| one.name == "NODE_AUTH_TOKEN");
    let set = sets(&flow.env)
        || sets(&job.env)
        || job.steps.iter().any(|step| {
            sets(&step.env)
                && step
                    .run
                    .is_some_and(|run| run.as_str().is_some_and(runs_yarn))
        });
    let setup = report
        .publishes
        .iter()
        .find_map(|publish| publish.setup.as_ref())?;
    let newer = obstacle::action_version(&setup.uses)
        .is_some_and(|at| at.is_all_from(&policy().minimum.setup_node_without_dummy_token));
    (classic && !set && setup.registry && newer && steps.any(runs_yarn)).then_some(setup)
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
