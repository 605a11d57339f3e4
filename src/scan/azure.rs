//! Azure Pipelines: pipelines and their local templates, scripts and npm tasks.
//!
//! Owns the template walk (parameters, conditional insertions) and the npm tasks' inputs, and turns jobs into the
//! common words of `job`. Expressions are not evaluated: every branch of an `${{ if }}` counts.
//! Reference: <https://learn.microsoft.com/azure/devops/pipelines/yaml-schema/>.

mod frame;
mod task;

use std::collections::{BTreeMap, BTreeSet};

use frame::{Frame, Handed, defaults, template_path};
use task::{input, node_tool, relative_dir, release_service};

use super::checkout::{Checkout, Found};
use super::job::{self, Job, Lines, Step, Variable};
use super::tree::FileKind;
use super::yaml::{Node, Yaml};
use super::{CiSystem, Runner, Trigger};

const DEPTH: u32 = 16;
const FILE_CAP: usize = 400;
const STEP_CAP: usize = 5_000;

/// Keys of a step that hold shell text.
const SCRIPTS: &[&str] = &["script", "bash", "pwsh", "powershell"];

/// Reads every pipeline of a checkout, with the templates that it names.
pub fn scan(cx: &Checkout<'_>) -> Found {
    let mut found = Found::default();
    let parts = &mut found;
    let roots = cx.regular(FileKind::Azure);
    let mut sources: BTreeMap<String, String> = BTreeMap::new();
    let mut templates = BTreeSet::new();
    let mut open = roots.clone();
    while let Some(path) = open.pop() {
        if sources.len() >= FILE_CAP || sources.contains_key(&path) {
            continue;
        }
        let Some(text) = cx.read(&path, parts) else {
            continue;
        };
        let Some(yaml) = cx.parse(&path, &text, false, parts) else {
            continue;
        };
        let mut named = Vec::new();
        for root in yaml.documents() {
            named_templates(root, &mut named, 0);
        }
        for (name, line, column) in named {
            let is_there = |path: &str| cx.project.read(path).is_some();
            match template_path(&path, &name, is_there) {
                Some(found) => {
                    templates.insert(found.clone());
                    open.push(found);
                }
                None => parts.not_looked_at(&path, line, column, &name),
            }
        }
        sources.insert(path, text);
    }
    let parsed: BTreeMap<&str, Yaml<'_>> = sources
        .iter()
        .filter_map(|(p, t)| Some((p.as_str(), Yaml::parse(t, false).ok()?)))
        .collect();
    for path in roots.iter().filter(|r| !templates.contains(*r)) {
        let Some((path, root)) = parsed
            .get_key_value(path.as_str())
            .and_then(|(p, y)| Some((*p, y.root()?)))
        else {
            continue;
        };
        let mut walk = Walk {
            files: &parsed,
            triggers: triggers(root),
            jobs: Vec::new(),
            steps: 0,
            cut: None,
        };
        let frame = Frame {
            file: path,
            ..Frame::default()
        };
        walk.pipeline(root, &frame);
        if let Some((file, line, column)) = walk.cut {
            parts.cut_at(file, Some((line, column)));
        }
        let mut earlier = job::Earlier::default();
        for job in walk.jobs {
            job::read(cx, &job, &mut earlier, parts);
        }
    }
    for (path, yaml) in &parsed {
        parts.aliases(path, yaml);
    }
    found
}

/// Every `template:` in a document, with its place.
fn named_templates(node: Node<'_, '_>, out: &mut Vec<(String, u32, u32)>, depth: u32) {
    if depth > DEPTH * 2 || out.len() > FILE_CAP {
        return;
    }
    for (key, value) in node.entries() {
        if key.as_str() == Some("template")
            && let Some(name) = value.as_str()
        {
            out.push((name.to_owned(), value.line(), value.column()));
        }
        named_templates(value, out, depth + 1);
    }
    node.items()
        .into_iter()
        .for_each(|item| named_templates(item, out, depth + 1));
}

struct Walk<'d, 's> {
    files: &'d BTreeMap<&'d str, Yaml<'s>>,
    triggers: Vec<Trigger>,
    jobs: Vec<Job<'d, 's>>,
    steps: usize,
    /// Where templates and lists were no longer followed: file, line and column.
    cut: Option<(&'d str, u32, u32)>,
}

impl<'d, 's> Walk<'d, 's> {
    /// A root, a template or the parameters of an `extends`: whatever lists it holds.
    fn pipeline(&mut self, node: Node<'d, 's>, frame: &Frame<'d, 's>) {
        if frame.depth > DEPTH {
            return self.cut_at(node, frame);
        }
        let mut frame = frame.clone();
        self.settings(node, &mut frame);
        for list in ["stages", "jobs"] {
            if let Some(list) = node.get(list) {
                self.list(list, &frame, None);
            }
        }
        if let Some(list) = node.get("steps") {
            let mut job = self.empty_job(node, None, &frame);
            self.list(list, &frame, Some(&mut job));
            self.finish(job);
        }
        if let Some(extends) = node.get("extends") {
            let inner = Frame {
                depth: frame.depth + 1,
                ..frame.clone()
            };
            self.template(extends, &inner, None);
        }
    }

    fn cut_at(&mut self, node: Node<'d, 's>, frame: &Frame<'d, 's>) {
        self.cut = self.cut.or(Some((frame.file, node.line(), node.column())));
    }

    /// Pool, variables and groups that a pipeline, stage or job sets.
    fn settings(&self, node: Node<'d, 's>, frame: &mut Frame<'d, 's>) {
        frame.pool = node.get("pool").or(frame.pool);
        let Some(variables) = node.get("variables") else {
            return;
        };
        for (key, value) in variables.entries() {
            if let (Some(name), Some(value)) = (key.as_str(), value.as_str()) {
                let variable = Variable::new(name, &frame.fill(value), key.place(frame.file));
                frame.variables.push(Variable {
                    wide: true,
                    ..variable
                });
            }
        }
        for item in variables.items() {
            let text = |key: &str| item.get(key).and_then(Node::as_str);
            if let (Some(name), Some(value)) = (text("name"), text("value")) {
                let variable = Variable::new(name, &frame.fill(value), item.place(frame.file));
                frame.variables.push(Variable {
                    wide: true,
                    ..variable
                });
            }
            frame.groups.extend(text("group").map(|g| frame.fill(g)));
        }
    }

    /// Stages, jobs or steps; insertions and templates among them are walked in place.
    fn list(
        &mut self,
        list: Node<'d, 's>,
        frame: &Frame<'d, 's>,
        mut job: Option<&mut Job<'d, 's>>,
    ) {
        if frame.depth > DEPTH {
            return self.cut_at(list, frame);
        }
        let inner = Frame {
            depth: frame.depth + 1,
            ..frame.clone()
        };
        if let Some(handed) = list.as_str().and_then(|text| frame.parameter(text)) {
            let there = Frame {
                file: handed.file,
                ..inner
            };
            return self.list(handed.node, &there, job);
        }
        for item in list.items() {
            if item.as_str().is_some() || item.is_seq() {
                self.list(item, &inner, job.as_deref_mut());
                continue;
            }
            let entries = item.entries();
            let conditional: Vec<_> = entries
                .iter()
                .filter(|(k, _)| k.as_str().is_some_and(|k| k.starts_with("${{")))
                .collect();
            for (_, value) in &conditional {
                self.list(*value, &inner, job.as_deref_mut());
            }
            if !conditional.is_empty() && conditional.len() == entries.len() {
                continue;
            }
            self.item(item, &inner, job.as_deref_mut());
        }
    }

    fn item(&mut self, item: Node<'d, 's>, frame: &Frame<'d, 's>, job: Option<&mut Job<'d, 's>>) {
        if item.get("template").is_some() {
            self.template(item, frame, job);
        } else if let Some(name) = item.get("stage") {
            let stage = name
                .as_str()
                .map(|n| frame.fill(n))
                .filter(|n| !n.is_empty());
            self.pipeline(
                item,
                &Frame {
                    stage,
                    ..frame.clone()
                },
            );
        } else if let Some(name) = item.get("job").or_else(|| item.get("deployment")) {
            self.job(item, name, frame);
        } else if let Some(job) = job {
            self.step(item, frame, job);
        } else if item.get("steps").is_some() || item.get("jobs").is_some() {
            self.pipeline(item, frame);
        }
    }

    /// Walks a local template; false where it stands elsewhere.
    fn template(
        &mut self,
        item: Node<'d, 's>,
        frame: &Frame<'d, 's>,
        job: Option<&mut Job<'d, 's>>,
    ) -> bool {
        let name = item
            .get("template")
            .and_then(Node::as_str)
            .map(|n| frame.fill(n));
        let is_there = |path: &str| self.files.contains_key(path);
        let path = name.and_then(|n| template_path(frame.file, &n, is_there));
        let found = path.and_then(|p| self.files.get_key_value(p.as_str()));
        let Some((file, root)) = found.and_then(|(p, y)| Some((*p, y.root()?))) else {
            return self.elsewhere(item, frame, job);
        };
        let mut inner = Frame {
            file,
            parameters: BTreeMap::new(),
            depth: frame.depth + 1,
            ..frame.clone()
        };
        inner.parameters = defaults(root, file);
        for (key, value) in item
            .get("parameters")
            .map(Node::entries)
            .unwrap_or_default()
        {
            let Some(key) = key.as_str() else { continue };
            let passed_on = value.as_str().and_then(|text| frame.parameter(text));
            let written = Handed {
                file: frame.file,
                node: value,
            };
            inner
                .parameters
                .insert(key.to_owned(), passed_on.unwrap_or(written));
        }
        match (job, root.get("steps")) {
            (Some(job), Some(steps)) => self.list(steps, &inner, Some(job)),
            _ => self.pipeline(root, &inner),
        }
        true
    }

    /// A template of another repository: what it is handed can be read, and whether that is a release to npm.
    fn elsewhere(
        &mut self,
        item: Node<'d, 's>,
        frame: &Frame<'d, 's>,
        job: Option<&mut Job<'d, 's>>,
    ) -> bool {
        let Some(parameters) = item.get("parameters") else {
            return false;
        };
        let kind = input(parameters, "contenttype").and_then(Node::as_str);
        let inner = Frame {
            depth: frame.depth + 1,
            ..frame.clone()
        };
        match job {
            Some(job) => {
                if kind.is_some_and(|k| k.eq_ignore_ascii_case("npm")) {
                    let name = item
                        .get("template")
                        .and_then(Node::as_str)
                        .unwrap_or_default();
                    job.steps.push(Step {
                        index: u32::try_from(job.steps.len()).ok(),
                        line: item.line(),
                        column: item.column(),
                        lines: Lines::All(item.line()),
                        known: Some(release_service(name)),
                        ..Step::default()
                    });
                }
                if let Some(steps) = parameters.get("steps") {
                    self.list(steps, &inner, Some(job));
                }
            }
            None => self.pipeline(parameters, &inner),
        }
        true
    }

    fn job(&mut self, item: Node<'d, 's>, name: Node<'d, 's>, frame: &Frame<'d, 's>) {
        let mut frame = frame.clone();
        self.settings(item, &mut frame);
        let name = name
            .as_str()
            .map(|n| frame.fill(n))
            .filter(|n| !n.is_empty())
            .or_else(|| frame.stage.clone());
        let mut job = self.empty_job(item, name, &frame);
        let environment = item
            .get("environment")
            .and_then(|e| e.as_str().or_else(|| e.get("name")?.as_str()));
        job.environment = environment.map(|e| frame.fill(e));
        job.ignores_failure = item.get("continueOnError").and_then(Node::as_bool) == Some(true);
        if let Some(steps) = item.get("steps") {
            self.list(steps, &frame, Some(&mut job));
        }
        if let Some(strategy) = item.get("strategy") {
            self.hooks(strategy, &frame, &mut job, 0);
        }
        self.finish(job);
    }

    /// Steps of a deployment's life-cycle hooks, whatever the strategy's name.
    fn hooks(
        &mut self,
        node: Node<'d, 's>,
        frame: &Frame<'d, 's>,
        job: &mut Job<'d, 's>,
        depth: u32,
    ) {
        if depth > 4 {
            return;
        }
        for (key, value) in node.entries() {
            if key.as_str() == Some("steps") {
                self.list(value, frame, Some(job));
            } else {
                self.hooks(value, frame, job, depth + 1);
            }
        }
    }

    fn empty_job(
        &self,
        at: Node<'d, 's>,
        name: Option<String>,
        frame: &Frame<'d, 's>,
    ) -> Job<'d, 's> {
        let (runner, label) = pool(frame);
        Job {
            ci: CiSystem::Azure,
            file: frame.file.to_owned(),
            name: name.or_else(|| frame.stage.clone()),
            line: at.line(),
            column: at.column(),
            environment: None,
            runner,
            runner_label: label,
            triggers: self.triggers.clone(),
            variables: frame.variables.clone(),
            stores: frame.groups.clone(),
            id_token: false,
            ignores_failure: false,
            node_version: None,
            steps: Vec::new(),
        }
    }

    fn finish(&mut self, job: Job<'d, 's>) {
        if !job.steps.is_empty() {
            self.jobs.push(job);
        }
    }

    fn step(&mut self, item: Node<'d, 's>, frame: &Frame<'d, 's>, job: &mut Job<'d, 's>) {
        self.steps += 1;
        if self.steps > STEP_CAP {
            return self.cut_at(item, frame);
        }
        let text = |key: &str| item.get(key).and_then(Node::as_str);
        let dir = text("workingDirectory").map(|d| frame.fill(d));
        let same_file = frame.file == job.file;
        let line = if same_file { item.line() } else { job.line };
        let mut step = Step {
            index: u32::try_from(job.steps.len()).ok(),
            line,
            column: if same_file { item.column() } else { 1 },
            lines: Lines::All(line),
            variables: environment(item, frame),
            ignores_failure: text("continueOnError") == Some("true"),
            dir: dir.map(|d| relative_dir(&d)),
            ..Step::default()
        };
        if let Some(body) = SCRIPTS.iter().find_map(|key| item.get(key)) {
            step.text = frame.fill(body.as_str().unwrap_or_default());
            step.lines = if same_file {
                Lines::Of(body)
            } else {
                Lines::All(line)
            };
        } else if let Some(task) = text("task") {
            let inputs = item.get("inputs");
            self.task(task, inputs, frame, same_file, &mut step);
            if let Some(version) = node_tool(task, inputs) {
                job.node_version = Some(frame.fill(version));
            }
        } else {
            return;
        }
        job.steps.push(step);
    }
}

fn environment<'d, 's>(item: Node<'d, 's>, frame: &Frame<'d, 's>) -> Vec<Variable> {
    let entries = item.get("env").map(Node::entries).unwrap_or_default();
    entries
        .into_iter()
        .filter_map(|(key, value)| {
            let value = frame.fill(value.as_str().unwrap_or_default());
            Some(Variable::new(key.as_str()?, &value, key.place(frame.file)))
        })
        .collect()
}

fn pool(frame: &Frame<'_, '_>) -> (Runner, Option<String>) {
    let Some(pool) = frame.pool else {
        return (Runner::Hosted, None);
    };
    let text = |key: &str| pool.get(key).and_then(Node::as_str).map(|t| frame.fill(t));
    if let Some(image) = text("vmImage") {
        // A named pool with a vmImage is Microsoft's only under its own name.
        let name = text("name");
        let hosted = name.as_deref().is_none_or(|n| n == "Azure Pipelines");
        return (
            if hosted {
                Runner::Hosted
            } else {
                Runner::SelfHosted
            },
            Some(image),
        );
    }
    let name = pool
        .as_str()
        .map(|t| frame.fill(t))
        .or_else(|| text("name"));
    let runner = match name.as_deref() {
        None => Runner::Unknown,
        Some(n) if n == "Azure Pipelines" || n.starts_with("Hosted ") => Runner::Hosted,
        Some(n) if n.contains("${{") || n.contains("$(") => Runner::Unknown,
        Some(_) => Runner::SelfHosted,
    };
    (runner, name)
}

fn triggers(root: Node<'_, '_>) -> Vec<Trigger> {
    let mut found = Vec::new();
    for (key, event) in [("trigger", "push"), ("pr", "pull_request")] {
        let Some(node) = root.get(key) else { continue };
        if node.as_str() == Some("none") {
            continue;
        }
        let refs = |kind: &str| {
            let Some(node) = node.get(kind) else {
                return Vec::new();
            };
            let list = |key: &str| node.get(key).map(Node::strings).unwrap_or_default();
            let plain = node.strings().into_iter().map(str::to_owned);
            let excluded = list("exclude").into_iter().map(|e| format!("!{e}"));
            plain
                .chain(list("include").into_iter().map(str::to_owned))
                .chain(excluded)
                .collect()
        };
        let mut branches: Vec<String> = refs("branches");
        branches.extend(node.strings().into_iter().map(str::to_owned));
        found.push(Trigger {
            event: event.to_owned(),
            branches,
            tags: refs("tags"),
        });
    }
    if root.get("trigger").is_none() {
        // Without `trigger`, a push to any branch starts the pipeline.
        found.push(Trigger {
            event: "push".to_owned(),
            branches: Vec::new(),
            tags: Vec::new(),
        });
    }
    if root.get("schedules").is_some() {
        found.push(Trigger {
            event: "schedule".to_owned(),
            branches: Vec::new(),
            tags: Vec::new(),
        });
    }
    found
}

#[cfg(test)]
mod tests;
