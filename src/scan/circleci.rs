//! CircleCI: the configs below `.circleci`, with commands, executors, orbs and contexts.
//!
//! Owns CircleCI's expansion (commands and parameters inline, inline orbs) and turns every job that a workflow uses
//! into the common words of `job`. Orbs from elsewhere are known by name only; nothing is fetched.
//! Reference: <https://circleci.com/docs/configuration-reference/>.

use std::cell::Cell;
use std::collections::BTreeMap;

use super::checkout::{Checkout, Found};
use super::job::{self, Job, Known, Lines, Step, Variable};
use super::tree::FileKind;
use super::yaml::Node;
use super::{CiSystem, Credential, Runner, Tool, Trigger};

/// How deep commands may call commands, and most steps of one job.
const DEPTH: u32 = 8;
/// How the pipeline's own parameters are named in expressions.
const PIPELINE: &str = "pipeline.parameters.";
const STEP_CAP: usize = 2_000;

/// Reads every config of a checkout; each is a pipeline of its own (set-up workflows continue with another).
pub fn scan(cx: &Checkout<'_>) -> Found {
    let mut found = Found::default();
    let parts = &mut found;
    for path in cx.regular(FileKind::Circleci) {
        let Some(text) = cx.read(&path, parts) else {
            continue;
        };
        let Some(yaml) = cx.parse(&path, &text, true, parts) else {
            continue;
        };
        let Some(root) = yaml.root() else { continue };
        let config = Config {
            path: &path,
            root,
            cut: Cell::default(),
        };
        let mut earlier = job::Earlier::default();
        for job in config.jobs() {
            unknown_commands(&job, parts);
            job::read(cx, &job, &mut earlier, parts);
        }
        parts.cut_at(&path, config.cut.get());
        parts.aliases(&path, &yaml);
    }
    found
}

struct Config<'d, 's> {
    path: &'d str,
    root: Node<'d, 's>,
    /// Where commands were no longer followed into commands, by line and column.
    cut: Cell<Option<(u32, u32)>>,
}

/// A step whose command is a parameter without a value here: what it runs is said by whoever starts the pipeline.
fn unknown_commands(job: &Job<'_, '_>, parts: &mut Found) {
    for step in &job.steps {
        let text = step.text.trim();
        if text.starts_with("<<") && text.ends_with(">>") && !text.contains('\n') {
            parts.not_looked_at(&job.file, step.line, step.column, text);
        }
    }
}

/// Values of `<< parameters.x >>` where a command or job is expanded; those of the pipeline under their whole name.
type Arguments = BTreeMap<String, String>;

/// One use of a job in a workflow, as far as it matters here.
#[derive(Default)]
struct Use<'d, 's> {
    contexts: Vec<String>,
    triggers: Vec<Trigger>,
    /// The mapping under the job's name in the workflow.
    arguments: Option<Node<'d, 's>>,
    line: u32,
    column: u32,
}

impl<'d, 's> Config<'d, 's> {
    fn jobs(&self) -> Vec<Job<'d, 's>> {
        let uses = self.uses();
        uses.into_iter()
            .filter_map(|(name, used)| self.job(name, used))
            .collect()
    }

    /// Every job that a workflow names, in order, uses of one job put together.
    fn uses(&self) -> Vec<(&'d str, Use<'d, 's>)> {
        let mut found: Vec<(&'d str, Use<'d, 's>)> = Vec::new();
        for (key, workflow) in self
            .root
            .get("workflows")
            .map(Node::entries)
            .unwrap_or_default()
        {
            let scheduled = workflow
                .get("triggers")
                .map(Node::items)
                .unwrap_or_default();
            let scheduled = scheduled.iter().any(|t| t.get("schedule").is_some());
            for item in workflow.get("jobs").map(Node::items).unwrap_or_default() {
                let (at, arguments) = match item.entries().first() {
                    Some((key, value)) => (*key, Some(*value)),
                    None => (item, None),
                };
                let Some(name) = at.as_str() else { continue };
                let index = found
                    .iter()
                    .position(|(n, _)| *n == name)
                    .unwrap_or_else(|| {
                        let (line, column) = (at.line(), at.column());
                        found.push((
                            name,
                            Use {
                                line,
                                column,
                                arguments,
                                ..Use::default()
                            },
                        ));
                        found.len() - 1
                    });
                let Some((_, used)) = found.get_mut(index) else {
                    continue;
                };
                let contexts = arguments
                    .and_then(|a| a.get("context"))
                    .map(Node::strings)
                    .unwrap_or_default();
                for context in contexts {
                    if !used.contexts.iter().any(|c| c == context) {
                        used.contexts.push(context.to_owned());
                    }
                }
                let event = if scheduled { "schedule" } else { "push" };
                let one = filters(event, arguments.and_then(|a| a.get("filters")));
                if !used.triggers.contains(&one) {
                    used.triggers.push(one);
                }
            }
            // `version: 2` stands between the workflows.
            let _ = key;
        }
        if found.is_empty()
            && let Some((key, _)) = self
                .root
                .get("jobs")
                .map(Node::entries)
                .unwrap_or_default()
                .first()
            && self.root.get("workflows").is_none()
            && key.as_str() == Some("build")
        {
            found.push((
                "build",
                Use {
                    line: key.line(),
                    column: key.column(),
                    ..Use::default()
                },
            ));
        }
        found
    }

    fn job(&self, name: &'d str, used: Use<'d, 's>) -> Option<Job<'d, 's>> {
        let local = self
            .root
            .at(&["jobs", name])
            .or_else(|| self.inline_orb(name, "jobs"));
        let Some(body) = local else {
            return self.orb_job(name, &used);
        };
        let key = self.root.get("jobs").map(Node::entries).unwrap_or_default();
        let key = key
            .into_iter()
            .map(|(k, _)| k)
            .find(|k| k.as_str() == Some(name));
        let arguments = arguments(body.get("parameters"), used.arguments, &self.pipeline());
        let mut steps = Vec::new();
        let extra = |when: &str| used.arguments.and_then(|a| a.get(when));
        for list in [extra("pre-steps"), body.get("steps"), extra("post-steps")]
            .into_iter()
            .flatten()
        {
            self.steps(list, &arguments, None, &mut steps, 0);
        }
        let executor = self.executor(body, &arguments);
        let image = executor
            .iter()
            .chain([&body])
            .find_map(|e| docker_image(*e));
        Some(Job {
            id_token: false,
            node_version: image
                .map(|i| fill(i, &arguments))
                .as_deref()
                .and_then(job::node_of_image),
            runner: runner(body, executor, &arguments),
            runner_label: label(body, executor).map(|l| fill(l, &arguments)),
            variables: self.environment(body.get("environment")),
            line: key.map_or(used.line, Node::line),
            column: key.map_or(used.column, Node::column),
            steps,
            ..self.empty(name, &used)
        })
    }

    /// The pipeline's own parameters with their defaults
    /// (<https://circleci.com/docs/guides/orchestrate/pipeline-variables/#pipeline-parameters-in-configuration>).
    fn pipeline(&self) -> Arguments {
        let own = arguments(self.root.get("parameters"), None, &Arguments::new());
        own.into_iter()
            .map(|(name, value)| (format!("{PIPELINE}{name}"), value))
            .collect()
    }

    fn empty(&self, name: &str, used: &Use<'d, 's>) -> Job<'d, 's> {
        Job {
            ci: CiSystem::Circleci,
            file: self.path.to_owned(),
            name: Some(name.to_owned()),
            line: used.line,
            column: used.column,
            environment: None,
            runner: Runner::Unknown,
            runner_label: None,
            triggers: used.triggers.clone(),
            variables: Vec::new(),
            stores: used.contexts.clone(),
            id_token: false,
            ignores_failure: false,
            node_version: None,
            steps: Vec::new(),
        }
    }

    /// A job of an orb from elsewhere: known by the orb's name, or by the script it is given to run.
    fn orb_job(&self, name: &str, used: &Use<'d, 's>) -> Option<Job<'d, 's>> {
        let step = self.orb_step(
            name,
            used.arguments,
            used.line,
            used.column,
            &self.pipeline(),
        )?;
        Some(Job {
            steps: vec![step],
            ..self.empty(name, used)
        })
    }

    /// `alias/item` where the alias is an orb written out in this file.
    fn inline_orb(&self, name: &str, kind: &str) -> Option<Node<'d, 's>> {
        let (alias, item) = name.split_once('/')?;
        self.root.at(&["orbs", alias, kind, item])
    }

    /// `alias/item` of an orb from elsewhere: the orb's full name, its version, and the item.
    fn orb<'n>(&self, name: &'n str) -> Option<(&'d str, Option<&'d str>, &'n str)> {
        let (alias, item) = name.split_once('/')?;
        let orb = self.root.at(&["orbs", alias])?.as_str()?;
        let (orb, version) = orb
            .split_once('@')
            .map_or((orb, None), |(o, v)| (o, Some(v)));
        Some((orb, version, item))
    }

    fn orb_step(
        &self,
        name: &str,
        given: Option<Node<'d, 's>>,
        line: u32,
        column: u32,
        outer: &Arguments,
    ) -> Option<Step<'d, 's>> {
        let (orb, version, item) = self.orb(name)?;
        let base = Step {
            line,
            column,
            lines: Lines::All(line),
            ..Step::default()
        };
        if let Some(tool) = publishing_orb(orb, item) {
            return Some(Step {
                known: Some(Known {
                    tool,
                    version: version.map(str::to_owned),
                    credential: Credential::NoneVisible,
                    secret: None,
                    registry_url: None,
                    command: name.to_owned(),
                }),
                ..base
            });
        }
        // `circleci/node` runs a package.json script that its caller names.
        let script = |key: &str| given?.get(key)?.as_str().map(|s| fill(s, outer));
        let text = script("npm-run")
            .map(|s| format!("npm run {s}"))
            .or_else(|| script("yarn-run").map(|s| format!("yarn run {s}")))
            .or_else(|| script("pnpm-run").map(|s| format!("pnpm run {s}")))?;
        let dir = script("app-dir").filter(|d| d != "." && d != "~/project");
        Some(Step { text, dir, ..base })
    }

    fn steps(
        &self,
        list: Node<'d, 's>,
        arguments: &Arguments,
        called_at: Option<(u32, u32)>,
        out: &mut Vec<Step<'d, 's>>,
        depth: u32,
    ) {
        for item in list.items() {
            if depth > DEPTH || out.len() >= STEP_CAP {
                self.cut
                    .set(self.cut.get().or(Some((item.line(), item.column()))));
                return;
            }
            if item.is_seq() {
                self.steps(item, arguments, called_at, out, depth + 1);
                continue;
            }
            let (at, body) = match item.entries().first() {
                Some((key, value)) => (*key, Some(*value)),
                None => (item, None),
            };
            let Some(name) = at.as_str() else { continue };
            match (name, body) {
                // `deploy` is the old name of a `run` that happens once.
                ("run" | "deploy", Some(body)) => {
                    out.push(self.run(item, body, arguments, out.len()))
                }
                ("when" | "unless", Some(body)) => {
                    if let Some(inner) = body.get("steps") {
                        self.steps(inner, arguments, called_at, out, depth + 1);
                    }
                }
                ("steps", Some(body)) => self.steps(body, arguments, called_at, out, depth + 1),
                _ => self.command(name, at, body, arguments, called_at, out, depth),
            }
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one recursive walk; bundling would hide what it carries"
    )]
    fn command(
        &self,
        name: &str,
        at: Node<'d, 's>,
        body: Option<Node<'d, 's>>,
        outer: &Arguments,
        called_at: Option<(u32, u32)>,
        out: &mut Vec<Step<'d, 's>>,
        depth: u32,
    ) {
        let place = called_at.unwrap_or((at.line(), at.column()));
        let local = self
            .root
            .at(&["commands", name])
            .or_else(|| self.inline_orb(name, "commands"));
        if let Some(command) = local {
            let inner = arguments(command.get("parameters"), body, outer);
            if let Some(list) = command.get("steps") {
                self.steps(list, &inner, Some(place), out, depth + 1);
            }
        } else if let Some(mut step) = self.orb_step(name, body, at.line(), at.column(), outer) {
            step.index = u32::try_from(out.len()).ok();
            out.push(step);
        }
    }

    fn run(
        &self,
        item: Node<'d, 's>,
        body: Node<'d, 's>,
        arguments: &Arguments,
        index: usize,
    ) -> Step<'d, 's> {
        let command = if body.as_str().is_some() {
            Some(body)
        } else {
            body.get("command")
        };
        let text = command.and_then(Node::as_str).unwrap_or_default();
        let dir = body
            .get("working_directory")
            .and_then(Node::as_str)
            .map(|d| fill(d, arguments));
        Step {
            index: u32::try_from(index).ok(),
            line: item.line(),
            column: item.column(),
            lines: command.map_or(Lines::All(item.line()), Lines::Of),
            text: fill(text, arguments),
            variables: self.environment(body.get("environment")),
            dir: dir.filter(|d| d != "." && !d.starts_with(['~', '/'])),
            ..Step::default()
        }
    }

    fn environment(&self, node: Option<Node<'d, 's>>) -> Vec<Variable> {
        let Some(node) = node else { return Vec::new() };
        let maps = if node.is_seq() {
            node.items()
        } else {
            vec![node]
        };
        maps.into_iter()
            .flat_map(Node::entries)
            .filter_map(|(key, value)| {
                Some(Variable::new(
                    key.as_str()?,
                    value.as_str().unwrap_or_default(),
                    key.place(self.path),
                ))
            })
            .collect()
    }

    /// The executor a job names, where it stands in this file.
    fn executor(&self, body: Node<'d, 's>, arguments: &Arguments) -> Option<Node<'d, 's>> {
        let executor = body.get("executor")?;
        let name = executor
            .as_str()
            .or_else(|| executor.get("name")?.as_str())?;
        let name = fill(name, arguments);
        self.root
            .at(&["executors", &name])
            .or_else(|| self.inline_orb(&name, "executors"))
    }
}

/// Values for a command's or job's parameters: defaults, then what the caller gives.
fn arguments(
    parameters: Option<Node<'_, '_>>,
    given: Option<Node<'_, '_>>,
    outer: &Arguments,
) -> Arguments {
    let pipeline = outer.iter().filter(|(name, _)| name.starts_with(PIPELINE));
    let mut found: Arguments = pipeline.map(|(n, v)| (n.clone(), v.clone())).collect();
    for (key, value) in parameters.map(Node::entries).unwrap_or_default() {
        let Some(name) = key.as_str() else { continue };
        let value = given
            .and_then(|g| g.get(name))
            .or_else(|| value.get("default"));
        if let Some(value) = value.and_then(Node::as_str) {
            found.insert(name.to_owned(), fill(value, outer));
        }
    }
    found
}

/// Puts values in the place of `<< parameters.x >>`; what is not known stays as written.
fn fill(text: &str, arguments: &Arguments) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, tail)) = rest.split_once("<<") {
        let Some((name, after)) = tail
            .split_once(">>")
            .filter(|(n, _)| n.len() < 200 && !n.contains('\n'))
        else {
            break;
        };
        out.push_str(before);
        let name_only = name.trim();
        let known = name_only.strip_prefix("parameters.").unwrap_or(name_only);
        let value = arguments
            .get(known)
            .filter(|_| known != name_only || known.starts_with(PIPELINE));
        match value {
            Some(value) => out.push_str(value),
            None => {
                out.push_str("<<");
                out.push_str(name);
                out.push_str(">>");
            }
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

fn filters(event: &str, filters: Option<Node<'_, '_>>) -> Trigger {
    let list = |kind: &str| {
        let node = filters.and_then(|f| f.get(kind));
        let only = node.and_then(|n| n.get("only").or_else(|| n.as_str().map(|_| n)));
        let ignored = node
            .and_then(|n| n.get("ignore"))
            .map(Node::strings)
            .unwrap_or_default();
        let mut found: Vec<String> = only
            .map(Node::strings)
            .unwrap_or_default()
            .into_iter()
            .map(str::to_owned)
            .collect();
        found.extend(ignored.into_iter().map(|i| format!("!{i}")));
        found
    };
    Trigger {
        event: event.to_owned(),
        branches: list("branches"),
        tags: list("tags"),
    }
}

fn docker_image<'d>(node: Node<'d, '_>) -> Option<&'d str> {
    let docker = node.get("docker")?;
    docker.items().first()?.get("image")?.as_str()
}

fn label<'d>(body: Node<'d, '_>, executor: Option<Node<'d, '_>>) -> Option<&'d str> {
    let class = |n: Node<'d, '_>| n.get("resource_class").and_then(Node::as_str);
    let named = || {
        let executor = body.get("executor")?;
        executor.as_str().or_else(|| executor.get("name")?.as_str())
    };
    class(body)
        .or_else(|| executor.and_then(class))
        .or_else(|| docker_image(body))
        .or_else(|| executor.and_then(docker_image))
        .or_else(named)
}

/// A resource class with a namespace is somebody's own machine
/// (<https://circleci.com/docs/resource-class-overview/#self-hosted-runner>); the rest are CircleCI's.
fn runner(body: Node<'_, '_>, executor: Option<Node<'_, '_>>, arguments: &Arguments) -> Runner {
    let places: Vec<_> = [Some(body), executor].into_iter().flatten().collect();
    let class = places
        .iter()
        .find_map(|p| p.get("resource_class")?.as_str())
        .map(|c| fill(c, arguments));
    if let Some(class) = &class {
        if class.contains('/') {
            return Runner::SelfHosted;
        }
        if class.contains("<<") {
            return Runner::Unknown;
        }
    }
    let cloud = |p: &Node<'_, '_>| {
        ["docker", "machine", "macos", "windows"]
            .iter()
            .any(|k| p.get(k).is_some())
    };
    if places.iter().any(cloud) {
        Runner::Hosted
    } else {
        Runner::Unknown
    }
}

/// Orbs that publish to npm by themselves, told by their names.
fn publishing_orb(orb: &str, item: &str) -> Option<Tool> {
    let (_, orb) = orb.split_once('/')?;
    let (orb, item) = (orb.to_ascii_lowercase(), item.to_ascii_lowercase());
    let releases = ["publish", "release", "deploy", "shipit", "ship"]
        .iter()
        .any(|word| item.contains(word));
    if orb.contains("semantic-release") {
        return (releases || item == "execute" || item.contains("semantic"))
            .then_some(Tool::SemanticRelease);
    }
    if !releases
        || [
            "docker",
            "github",
            "gh-",
            "docs",
            "pages",
            "storybook",
            "chromatic",
        ]
        .iter()
        .any(|w| item.contains(w))
    {
        return None;
    }
    match orb.as_str() {
        // https://github.com/artsy/orbs: intuit's auto, which releases to npm.
        "auto" => Some(Tool::Other),
        orb if orb.contains("lerna") => Some(Tool::Lerna),
        orb if orb.contains("changeset") => Some(Tool::Changesets),
        orb if orb.contains("npm") || orb.starts_with("node-publish") || orb.contains("yarn") => {
            Some(Tool::Other)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
