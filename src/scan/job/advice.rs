//! What is risky about how a job publishes, and what the shared rules say of it, for every system but GitHub Actions.
//!
//! npm's rules are judged by `obstacle`; the words stand in `rule`.
//! Only publishes that reach the public npm registry are judged.

use super::super::obstacle::{self, Obstacle, Publishing, Versions};
use super::super::tool::Act;
use super::super::{CiSystem, PublishPath};
use super::{Checkout, Found, Job};

/// Judges one publish path, adds findings and fills its blockers.
pub(super) fn path(
    cx: &Checkout<'_>,
    job: &Job<'_, '_>,
    act: Option<&Act>,
    path: &mut PublishPath,
    parts: &mut Found,
) {
    if !obstacle::is_in_scope(path.registry) {
        return;
    }
    let found = obstacle::obstacles(&publishing(cx, job, act, path));
    let mut say = Say { path, parts };
    for one in &found {
        say.obstacle(one);
    }
    if let Some(act) = act {
        command(cx, act, &mut say);
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

    /// Adds what stands in the way; of several publishes of a job the first says what is true of all.
    fn obstacle(&mut self, one: &Obstacle) {
        let path = &*self.path;
        let said = one.blocks
            && self.parts.findings.iter().rev().any(|f| {
                f.rule == one.rule
                    && f.file == path.file
                    && f.job == path.job
                    && f.message.contains(&one.detail)
            });
        if !said {
            self.advise(one.rule, &one.detail, one.fix.clone());
            let credential = self.path.credential;
            if let Some(last) = self.parts.findings.last_mut() {
                last.severity = obstacle::severity(one.rule, last.severity, credential);
            }
        }
        if one.blocks {
            self.path.blockers.push(one.rule.to_owned());
        }
    }
}

/// Describes a publish to the rules that all CI systems share.
fn publishing<'a>(
    cx: &'a Checkout<'_>,
    job: &'a Job<'_, '_>,
    act: Option<&'a Act>,
    path: &'a PublishPath,
) -> Publishing<'a> {
    let dir = act.and_then(|act| act.dir.as_deref()).unwrap_or("");
    let tool = act.and_then(|act| act.inner).unwrap_or(path.tool);
    let stated = act.and_then(|act| act.flags.provenance);
    Publishing {
        ci: job.ci,
        host: cx.host,
        tool,
        versions: Versions {
            tool: path.tool_version.as_deref(),
            node: path.node_version.as_deref(),
            npm: path.npm_version.as_deref(),
            ..Versions::of(cx.packages(), dir, tool, &path.command)
        },
        registry_url: path.registry_url.as_deref(),
        credential: path.credential,
        id_token: path.id_token_write,
        staged: path.staged,
        complete: false,
        runner: path.runner,
        runner_label: path.runner_label.as_deref(),
        image: None,
        events: path.triggers.iter().map(|one| one.event.as_str()).collect(),
        provenance: obstacle::provenance_of(stated, cx.packages(), &path.packages),
        restricted: obstacle::all_restricted(cx.packages(), &path.packages),
        setup_node: None,
        today: cx.today,
    }
}

/// What the command line itself tells.
fn command(cx: &Checkout<'_>, act: &Act, say: &mut Say<'_>) {
    let packages = cx.packages();
    let dir = act.dir.as_deref().unwrap_or("");
    if obstacle::fetched_without_version(
        packages,
        dir,
        act.tool,
        act.version.as_deref(),
        &act.command,
    ) {
        say.add("unpinned-tool", "");
    }
    let tag = act.flags.tag.as_deref();
    if let Some(one) = obstacle::untagged_prerelease(packages, &say.path.packages, act.tool, tag) {
        say.add("prerelease-without-tag", &one);
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
