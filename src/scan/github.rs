//! GitHub Actions: workflows, local composite actions and reusable workflows to publish paths, token uses and findings.
//!
//! Owns the order of reading: every file is parsed once, then jobs are judged with what the others say.
//! Expressions are not evaluated and nothing outside the checkout is fetched.

mod action;
mod flow;
mod job;
mod judge;
pub(super) mod registry;
mod reuse;
mod runner;
mod scope;
mod stage;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::checkout::{Checkout, Found};
use super::rule::detailed;
use super::tree::FileKind;
use super::yaml::{ProblemKind, Yaml};
use super::{CiSystem, Credential, Place, PublishPath, Purpose, Registry, Reusable, TokenUse};
use crate::safe::shown::visible_within;
use flow::{Flow, IdToken, Job};
use job::{Publish, Report};

/// Columns of a command that are kept for showing.
const COMMAND_COLUMNS: usize = 160;

/// Reads all workflows and actions of a checkout.
pub fn scan(checkout: &Checkout<'_>) -> Found {
    let mut found = Found::default();
    let texts = read(checkout, &mut found);
    let yamls: Vec<(&str, bool, Yaml<'_>)> = texts
        .iter()
        .filter_map(|(p, a, t)| parse(p, *a, t, &mut found))
        .collect();
    let flows: Vec<Flow<'_>> = yamls
        .iter()
        .filter_map(|(path, is_action, yaml)| {
            if *is_action {
                Flow::composite(path, yaml)
            } else {
                Flow::workflow(path, yaml)
            }
        })
        .collect();
    let reader = Reader {
        checkout,
        flows: &flows,
    };
    for flow in &flows {
        reader.flow(flow, &mut found);
    }
    for (path, _, yaml) in &yamls {
        if yaml.exhausted() {
            found
                .findings
                .push(detailed("alias-budget", &start(path), None, ""));
        }
    }
    found
}

/// Reads the files; those that cannot be read are findings.
fn read(checkout: &Checkout<'_>, found: &mut Found) -> Vec<(String, bool, String)> {
    let mut texts = Vec::new();
    for entry in checkout.project.tree.entries() {
        let is_action = match entry.kind {
            FileKind::GithubWorkflow => false,
            FileKind::GithubAction => true,
            _ => continue,
        };
        if let Some(text) = checkout.read(&entry.path, found) {
            texts.push((entry.path.clone(), is_action, text));
        }
    }
    texts
}

fn parse<'d>(
    path: &'d str,
    is_action: bool,
    text: &'d str,
    found: &mut Found,
) -> Option<(&'d str, bool, Yaml<'d>)> {
    let yaml = match Yaml::parse(text, false) {
        Ok(yaml) => yaml,
        Err(error) => {
            let mut place = start(path);
            if let super::yaml::YamlError::Syntax { line, column, .. } = &error {
                (place.line, place.column) = (*line, *column);
            }
            found.findings.push(detailed(
                "unreadable-file",
                &place,
                None,
                &error.to_string(),
            ));
            return None;
        }
    };
    for problem in &yaml.problems {
        let rule = match problem.kind {
            ProblemKind::DuplicateKey => "duplicate-key",
            ProblemKind::MergeKey => "merge-key",
            ProblemKind::CyclicAlias => "anchor-cycle",
        };
        let place = Place {
            file: path.to_owned(),
            line: problem.line,
            column: problem.column,
            span: problem.span,
        };
        let job = match problem.path.as_slice() {
            [jobs, job, ..] if jobs == "jobs" => Some(job.as_str()),
            _ => None,
        };
        let at = [problem.path.as_slice(), std::slice::from_ref(&problem.key)]
            .concat()
            .join(".");
        found.findings.push(detailed(rule, &place, job, &at));
    }
    let shaped = yaml.root().is_some_and(|r| r.is_map());
    // A workflow that is commented out runs nothing.
    let says_nothing = |line: &str| {
        matches!(line.trim(), "" | "---" | "...") || line.trim_start().starts_with('#')
    };
    if !shaped && !is_action && !text.lines().all(says_nothing) {
        found.findings.push(detailed(
            "unreadable-file",
            &start(path),
            None,
            "is no YAML mapping",
        ));
    }
    Some((path, is_action, yaml))
}

fn start(path: &str) -> Place {
    Place {
        file: path.to_owned(),
        line: 1,
        column: 1,
        span: (0, 0),
    }
}

/// Reads jobs with all files of the checkout at hand.
struct Reader<'c, 'd> {
    checkout: &'c Checkout<'c>,
    flows: &'c [Flow<'d>],
}

impl<'d> Reader<'_, 'd> {
    fn flow(&self, flow: &Flow<'d>, found: &mut Found) {
        let first = found.paths.len();
        for job in flow.jobs.iter().filter(|j| !j.never) {
            if job.uses.is_some() {
                self.caller(flow, job, found);
                continue;
            }
            let id_token = self.id_token(flow, job);
            let report = job::walk(self.checkout, self.flows, flow, job, id_token, None);
            self.take(flow, job, id_token, report, found);
        }
        judge::flow(
            self.checkout,
            flow,
            found.paths.get(first..).unwrap_or_default(),
            &mut found.findings,
        );
    }

    /// Tells whether a job may mint OIDC tokens: by its own block, else the workflow's, else its callers' in this checkout.
    fn id_token(&self, flow: &Flow<'d>, job: &Job<'d>) -> bool {
        match job.permissions.or(flow.permissions) {
            Some(stated) => stated == IdToken::Write,
            None if flow.only_callable() && !flow.action => self
                .callers(flow)
                .any(|(f, j)| j.permissions.or(f.permissions) == Some(IdToken::Write)),
            None => false,
        }
    }

    fn callers(&self, callee: &Flow<'d>) -> impl Iterator<Item = (&Flow<'d>, &Job<'d>)> {
        let file = callee.file;
        self.flows
            .iter()
            .flat_map(|f| f.jobs.iter().map(move |j| (f, j)))
            .filter(move |(_, j)| {
                let uses = j.uses.and_then(|u| u.as_str()).unwrap_or("");
                reuse::local_path(uses, self.checkout.repo).as_deref() == Some(file)
            })
    }

    fn take(
        &self,
        flow: &Flow<'d>,
        job: &Job<'d>,
        id_token: bool,
        report: Report,
        found: &mut Found,
    ) {
        let (runner, label) = runner::kind(job);
        for (ordinal, publish) in report.publishes.iter().enumerate() {
            let mut path = self.path(flow, job, id_token, publish, &report);
            path.ordinal = u32::try_from(ordinal).unwrap_or(u32::MAX);
            if flow.action {
                path.runner = super::Runner::Unknown;
            } else {
                path.runner = runner;
                path.runner_label.clone_from(&label);
            }
            let callable = flow.callable().then_some(Reusable::Callee);
            path.reusable = publish.reusable.or(callable);
            if let Some(reach) = publish.reaches.first() {
                found.uses.push(TokenUse {
                    file: path.file.clone(),
                    job: path.job.clone(),
                    step: path.step,
                    line: path.line,
                    secret: reach.secret.clone(),
                    purpose: if publish.staged {
                        Purpose::Stage
                    } else {
                        Purpose::Publish
                    },
                });
            }
            let context = judge::Context {
                checkout: self.checkout,
                flow,
                job,
                report: &report,
                publish,
            };
            judge::path(&context, &mut path, &mut found.findings);
            found.paths.push(path);
        }
        if !report.publishes.is_empty() {
            judge::job(
                self.checkout,
                flow,
                job,
                id_token,
                &report,
                &mut found.findings,
            );
            let packages = self.checkout.project.packages;
            stage::too_early(job, packages, flow.file, &report, &mut found.findings);
        }
        for event in &report.unseen {
            let name = (!flow.action).then_some(job.id);
            let one = detailed(event.rule, &event.place, name, &event.detail);
            found.findings.push(one);
        }
        found.uses.extend(report.uses);
    }

    /// Builds the path of one publish.
    fn path(
        &self,
        flow: &Flow<'d>,
        job: &Job<'d>,
        id_token: bool,
        publish: &Publish,
        report: &Report,
    ) -> PublishPath {
        let first = publish.reaches.first();
        let credential = match (id_token, first.is_some()) {
            (true, true) => Credential::TokenAndOidc,
            (true, false) => Credential::Oidc,
            (false, true) => Credential::Token,
            (false, false) => Credential::NoneVisible,
        };
        let secret = publish
            .reaches
            .iter()
            .find_map(|r| r.secret.clone().map(|s| (s, r.place.clone())));
        let packages = registry::names_of(
            &self.checkout.project,
            publish.inner.unwrap_or(publish.tool),
            publish.flags.all_workspaces,
            &publish.flags.workspaces,
            publish.dir.as_deref(),
        );
        PublishPath {
            file: flow.file.to_owned(),
            job: (!flow.action).then(|| job.id.to_owned()),
            ordinal: 0,
            step: Some(publish.step),
            line: publish.line,
            column: publish.column,
            step_line: publish.step_line,
            ci: CiSystem::Github,
            tool: publish.tool,
            tool_version: publish.version.clone(),
            registry: publish.registry,
            registry_url: publish.registry_url.clone(),
            credential,
            secret: secret.as_ref().map(|s| s.0.clone()),
            secret_set_at: secret
                .map(|s| s.1)
                .or_else(|| first.map(|r| r.place.clone())),
            id_token_write: id_token,
            environment: job.environment.map(str::to_owned),
            runner: super::Runner::Unknown,
            runner_label: None,
            reusable: publish.reusable,
            calls: publish.calls.clone(),
            staged: publish.staged,
            packages,
            triggers: flow.triggers.clone(),
            actions: Arc::clone(&report.actions),
            node_version: publish.setup.as_ref().and_then(|s| s.node.clone()),
            npm_version: publish.npm_version.clone(),
            fails_closed: publish.fails_closed,
            blockers: Vec::new(),
            command: visible_within(
                publish.command.lines().next().unwrap_or(""),
                COMMAND_COLUMNS,
            )
            .into_owned(),
        }
    }

    /// A job that calls a workflow: each publishing job of the callee is a path of the caller.
    fn caller(&self, flow: &Flow<'d>, job: &Job<'d>, found: &mut Found) {
        let id_token = self.id_token(flow, job);
        let reuse::Called {
            publishes: called,
            cut,
        } = reuse::publishes(self.checkout, self.flows, flow, job, id_token);
        let uses = job.uses.and_then(|u| u.as_str()).unwrap_or("");
        let (line, column) = job
            .uses
            .map_or((job.line, job.column), |u| (u.line(), u.column()));
        let place = Place {
            file: flow.file.to_owned(),
            line,
            column,
            span: (0, 0),
        };
        if cut {
            let one = detailed("follow-limit", &place, Some(job.id), uses);
            found.findings.push(one);
        }
        if called.is_empty() && reuse::may_publish(self.checkout, job, uses, id_token) {
            let detail = format!("uses: {uses}");
            let one = detailed("unseen-callee", &place, Some(job.id), &detail);
            found.findings.push(one);
        }
        for (ordinal, mut publish) in called.into_iter().enumerate() {
            publish.line = line;
            publish.column = column;
            publish.step_line = line;
            let report = Report::default();
            let mut path = self.path(flow, job, id_token, &publish, &report);
            path.ordinal = u32::try_from(ordinal).unwrap_or(u32::MAX);
            path.step = None;
            path.environment = None;
            path.reusable = Some(Reusable::Caller);
            path.calls = Some(uses.to_owned());
            path.command = visible_within(&format!("uses: {uses}"), COMMAND_COLUMNS).into_owned();
            let context = judge::Context {
                checkout: self.checkout,
                flow,
                job,
                report: &report,
                publish: &publish,
            };
            judge::caller(&context, &mut path, &mut found.findings);
            if let Some(secret) = &path.secret
                && path.registry != Registry::Other
            {
                found.uses.push(TokenUse {
                    file: path.file.clone(),
                    job: path.job.clone(),
                    step: None,
                    line,
                    secret: Some(secret.clone()),
                    purpose: if publish.staged {
                        Purpose::Stage
                    } else {
                        Purpose::Publish
                    },
                });
            }
            found.paths.push(path);
        }
    }
}
