//! The shape of a workflow or composite action: triggers, permissions, jobs, steps, with the places they stand at.
//!
//! Only what GitHub's syntax says; nothing is judged here.
//! See <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax>.

use super::super::Trigger;
use super::super::yaml::{Node, Yaml};

/// A node of a file; the text it came from lives as long as the tree.
pub(super) type N<'d> = Node<'d, 'd>;

/// What a `permissions` block says about `id-token`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IdToken {
    Write,
    No,
}

/// One variable of an `env` block.
#[derive(Debug, Clone)]
pub(super) struct Variable<'d> {
    pub name: &'d str,
    pub value: &'d str,
    pub line: u32,
    pub column: u32,
}

#[derive(Debug, Clone)]
pub(super) struct Step<'d> {
    pub index: u32,
    pub line: u32,
    pub column: u32,
    pub name: &'d str,
    pub uses: Option<N<'d>>,
    pub run: Option<N<'d>>,
    pub with: Vec<(&'d str, N<'d>)>,
    pub env: Vec<Variable<'d>>,
    pub folder: Option<&'d str>,
    pub shell: Option<&'d str>,
    /// `continue-on-error` is true or may be.
    pub carries_on: bool,
    pub condition: Option<&'d str>,
    pub never: bool,
}

/// What a job hands to the reusable workflow that it calls.
#[derive(Debug, Clone)]
pub(super) enum Passed<'d> {
    Inherit,
    Named(Vec<Variable<'d>>),
}

#[derive(Debug, Clone)]
pub(super) struct Job<'d> {
    pub id: &'d str,
    pub name: &'d str,
    pub line: u32,
    pub column: u32,
    pub uses: Option<N<'d>>,
    pub with: Vec<(&'d str, N<'d>)>,
    pub secrets: Passed<'d>,
    pub permissions: Option<IdToken>,
    pub environment: Option<&'d str>,
    pub runs_on: Option<N<'d>>,
    /// True where it runs in a container of its own.
    pub container: bool,
    pub matrix: Vec<(&'d str, Vec<&'d str>)>,
    pub env: Vec<Variable<'d>>,
    pub steps: Vec<Step<'d>>,
    pub folder: Option<&'d str>,
    pub shell: Option<&'d str>,
    pub carries_on: bool,
    pub condition: Option<&'d str>,
    pub never: bool,
}

/// One workflow or action file.
#[derive(Debug, Clone)]
pub(super) struct Flow<'d> {
    pub file: &'d str,
    /// True for an action: then there is one job, without a name.
    pub action: bool,
    pub triggers: Vec<Trigger>,
    pub on_line: u32,
    pub permissions: Option<IdToken>,
    pub env: Vec<Variable<'d>>,
    pub jobs: Vec<Job<'d>>,
    /// Inputs of `workflow_call`, `workflow_dispatch` or the action: name and default.
    pub inputs: Vec<(&'d str, Option<&'d str>)>,
}

impl<'d> Flow<'d> {
    /// Reads a workflow; `None` where the text is no mapping.
    pub fn workflow(file: &'d str, yaml: &'d Yaml<'d>) -> Option<Self> {
        let root = yaml.root().filter(|r| r.is_map())?;
        let on = root.get("on");
        let defaults = root.at(&["defaults", "run"]);
        let jobs = root.get("jobs").map(Node::entries).unwrap_or_default();
        let mut inputs = Vec::new();
        for event in ["workflow_call", "workflow_dispatch"] {
            inputs.extend(read_inputs(on.and_then(|o| o.at(&[event, "inputs"]))));
        }
        Some(Self {
            file,
            action: false,
            triggers: on.map(triggers).unwrap_or_default(),
            on_line: on.map_or(1, Node::line),
            permissions: root.get("permissions").map(permissions),
            env: variables(root.get("env")),
            jobs: jobs
                .into_iter()
                .filter_map(|(k, v)| Some(job(k, v, defaults, k.as_str()?)))
                .collect(),
            inputs,
        })
    }

    /// Reads a composite action; `None` for actions of other kinds.
    pub fn composite(file: &'d str, yaml: &'d Yaml<'d>) -> Option<Self> {
        let root = yaml.root().filter(|r| r.is_map())?;
        let runs = root.get("runs")?;
        if !runs
            .get("using")
            .and_then(Node::as_str)
            .is_some_and(|u| u.eq_ignore_ascii_case("composite"))
        {
            return None;
        }
        let mut only = job(runs, runs, None, "");
        only.name = root.get("name").and_then(Node::as_str).unwrap_or("");
        Some(Self {
            file,
            action: true,
            triggers: Vec::new(),
            on_line: 1,
            permissions: None,
            env: Vec::new(),
            jobs: vec![only],
            inputs: read_inputs(root.get("inputs")),
        })
    }

    /// Tells whether other workflows can call this one.
    pub fn callable(&self) -> bool {
        self.action || self.triggers.iter().any(|t| t.event == "workflow_call")
    }

    /// Tells whether it can only be called, never started by an event.
    pub fn only_callable(&self) -> bool {
        self.action || (self.callable() && self.triggers.iter().all(|t| t.event == "workflow_call"))
    }
}

impl Job<'_> {
    /// Tells whether something other than actions/setup-node gives the job its Node: a container, or a version manager.
    pub fn sets_up_node(&self) -> bool {
        const MANAGERS: &[&str] = &[
            "nvm", "fnm", "volta", "mise", "asdf", "nodenv", "proto", "devbox", "nix",
        ];
        let names = |text: &str| {
            let mut words = text.split(|c: char| !c.is_ascii_alphanumeric());
            words.any(|word| MANAGERS.contains(&word.to_ascii_lowercase().as_str()))
        };
        self.container
            || self.steps.iter().any(|step| {
                let said = [step.uses, step.run]
                    .into_iter()
                    .flatten()
                    .filter_map(Node::as_str);
                said.into_iter().any(names)
                    || step
                        .uses
                        .and_then(Node::as_str)
                        .is_some_and(|uses| uses.contains("node"))
            })
    }

    /// Tells whether a step takes code out of a pull request that was not merged.
    pub fn runs_pull_request(&self) -> bool {
        let head = |text: &str| {
            let text = text.to_ascii_lowercase();
            text.contains("pull_request.head")
                || text.contains("head_ref")
                || text.contains("refs/pull/")
                || text.contains("gh pr checkout")
        };
        let takes = |step: &Step<'_>| {
            let inputs = step.with.iter().filter_map(|(_, node)| node.as_str());
            !only_merged(step.condition)
                && (step.run.and_then(Node::as_str).is_some_and(head)
                    || inputs.into_iter().any(head))
        };
        !only_merged(self.condition) && self.steps.iter().any(takes)
    }
}

/// Tells whether a condition lets merged pull requests through only.
fn only_merged(condition: Option<&str>) -> bool {
    condition.is_some_and(|text| {
        let text: String = text.split_whitespace().collect();
        text.contains("pull_request.merged")
            && ![
                "!github.event.pull_request.merged",
                "merged==false",
                "merged!=true",
                "merged=='false'",
            ]
            .iter()
            .any(|not| text.contains(not))
    })
}

fn job<'d>(key: N<'d>, node: N<'d>, above: Option<N<'d>>, id: &'d str) -> Job<'d> {
    let text = |name: &str| node.get(name).and_then(Node::as_str);
    let defaults = node.at(&["defaults", "run"]);
    let default = |name: &str| {
        [defaults, above]
            .into_iter()
            .flatten()
            .find_map(|d| d.get(name).and_then(Node::as_str))
    };
    let environment = node
        .get("environment")
        .and_then(|e| e.as_str().or_else(|| e.get("name").and_then(Node::as_str)));
    let secrets = match node.get("secrets") {
        Some(s) if s.as_str() == Some("inherit") => Passed::Inherit,
        other => Passed::Named(variables(other)),
    };
    let steps = node.get("steps").map(Node::items).unwrap_or_default();
    Job {
        id,
        name: text("name").unwrap_or(""),
        line: key.line(),
        column: key.column(),
        uses: node.get("uses").filter(|u| u.as_str().is_some()),
        with: inputs(node.get("with")),
        secrets,
        permissions: node.get("permissions").map(permissions),
        environment: environment.map(str::trim).filter(|e| !e.is_empty()),
        runs_on: node.get("runs-on"),
        container: node.get("container").is_some(),
        matrix: matrix(node.at(&["strategy", "matrix"])),
        env: variables(node.get("env")),
        steps: steps
            .into_iter()
            .enumerate()
            .filter(|(_, s)| s.is_map())
            .map(|(i, s)| step(i, s))
            .collect(),
        folder: default("working-directory"),
        shell: default("shell"),
        carries_on: node
            .get("continue-on-error")
            .and_then(Node::as_str)
            .is_some_and(|v| v.trim() == "true"),
        condition: node.get("if").and_then(Node::as_str),
        never: never(node),
    }
}

fn step<'d>(index: usize, node: N<'d>) -> Step<'d> {
    let text = |name: &str| node.get(name).and_then(Node::as_str);
    Step {
        index: u32::try_from(index).unwrap_or(u32::MAX),
        line: node.line(),
        column: node.column(),
        name: text("name").unwrap_or(""),
        uses: node.get("uses").filter(|u| u.as_str().is_some()),
        run: node.get("run").filter(|r| r.as_str().is_some()),
        with: inputs(node.get("with")),
        env: variables(node.get("env")),
        folder: text("working-directory"),
        shell: text("shell"),
        carries_on: text("continue-on-error").is_some_and(|v| v.trim() != "false"),
        condition: node.get("if").and_then(Node::as_str),
        never: never(node),
    }
}

fn never(node: N<'_>) -> bool {
    node.get("if")
        .and_then(Node::as_str)
        .is_some_and(super::super::expression::is_never)
}

fn variables<'d>(node: Option<N<'d>>) -> Vec<Variable<'d>> {
    let entries = node.map(Node::entries).unwrap_or_default();
    let read = |(key, value): (N<'d>, N<'d>)| {
        let null = value.is_null();
        Some(Variable {
            name: key.as_str()?,
            value: if null { "" } else { value.as_str()? },
            line: key.line(),
            column: key.column(),
        })
    };
    entries.into_iter().filter_map(read).collect()
}

fn inputs<'d>(node: Option<N<'d>>) -> Vec<(&'d str, N<'d>)> {
    let entries = node.map(Node::entries).unwrap_or_default();
    entries
        .into_iter()
        .filter_map(|(k, v)| Some((k.as_str()?, v)))
        .collect()
}

fn read_inputs<'d>(node: Option<N<'d>>) -> Vec<(&'d str, Option<&'d str>)> {
    let entries = node.map(Node::entries).unwrap_or_default();
    entries
        .into_iter()
        .filter_map(|(k, v)| Some((k.as_str()?, v.get("default").and_then(Node::as_str))))
        .collect()
}

fn permissions(node: N<'_>) -> IdToken {
    let whole = node.as_str().is_some_and(|t| t.trim() == "write-all");
    let named = node
        .get("id-token")
        .and_then(Node::as_str)
        .is_some_and(|t| t.trim() == "write");
    if whole || named {
        IdToken::Write
    } else {
        IdToken::No
    }
}

fn matrix<'d>(node: Option<N<'d>>) -> Vec<(&'d str, Vec<&'d str>)> {
    let mut out: Vec<(&str, Vec<&str>)> = Vec::new();
    let mut add =
        |name: &'d str, values: Vec<&'d str>| match out.iter_mut().find(|(n, _)| *n == name) {
            Some((_, known)) => known.extend(values),
            None => out.push((name, values)),
        };
    for (key, value) in node.map(Node::entries).unwrap_or_default() {
        let Some(name) = key.as_str() else { continue };
        match name {
            "include" => {
                for (k, v) in value.items().into_iter().flat_map(Node::entries) {
                    if let (Some(k), Some(v)) = (k.as_str(), v.as_str()) {
                        add(k, vec![v]);
                    }
                }
            }
            "exclude" => {}
            _ => {
                add(name, value.strings());
                // `settings: [{host: ubuntu-latest}]` is read as `matrix.settings.host`.
                for (k, v) in value.items().into_iter().flat_map(Node::entries) {
                    if let (Some(k), Some(v)) = (k.as_str(), v.as_str()) {
                        add(k, vec![v]);
                    }
                }
            }
        }
    }
    out
}

fn triggers(on: N<'_>) -> Vec<Trigger> {
    let plain = |event: &str| Trigger {
        event: event.to_owned(),
        branches: Vec::new(),
        tags: Vec::new(),
    };
    if !on.is_map() {
        return on.strings().into_iter().map(plain).collect();
    }
    let mut out = Vec::new();
    for (key, value) in on.entries() {
        let Some(event) = key.as_str() else { continue };
        let mut trigger = plain(event);
        let list = |name: &str| value.get(name).map(Node::strings).unwrap_or_default();
        let negated = |name: &str| list(name).into_iter().map(|p| format!("!{p}"));
        trigger.branches = list("branches")
            .into_iter()
            .map(str::to_owned)
            .chain(negated("branches-ignore"))
            .collect();
        trigger.tags = list("tags")
            .into_iter()
            .map(str::to_owned)
            .chain(negated("tags-ignore"))
            .collect();
        out.push(trigger);
    }
    out
}
