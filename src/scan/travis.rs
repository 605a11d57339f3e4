//! Travis CI: the phases of `.travis.yml`, its deploy providers and its matrix of jobs.
//!
//! Owns the npm and script providers and turns the top level and each `jobs.include` entry into the common words of
//! `job`. Encrypted values are opaque here; their places are named.
//! Reference: <https://docs.travis-ci.com/user/deployment-v2/providers/npm/>.

use super::checkout::{Checkout, Found};
use super::job::{self, Job, Known, Lines, Step, Variable};
use super::tree::FileKind;
use super::yaml::Node;
use super::{CiSystem, Credential, Place, Runner, Tool, Trigger};

/// Phases in the order they run, without the deployment.
const BEFORE: &[&str] = &[
    "before_install",
    "install",
    "before_script",
    "script",
    "after_success",
    "before_deploy",
];
const AFTER: &[&str] = &["after_deploy", "after_script"];

/// Reads the checkout's Travis file.
pub fn scan(cx: &Checkout<'_>) -> Found {
    let mut found = Found::default();
    let parts = &mut found;
    for path in cx.regular(FileKind::Travis) {
        let Some(text) = cx.read(&path, parts) else {
            continue;
        };
        let Some(yaml) = cx.parse(&path, &text, true, parts) else {
            continue;
        };
        let Some(root) = yaml.root() else { continue };
        let file = Travis { path: &path, root };
        let mut earlier = job::Earlier::default();
        job::read(cx, &file.job(root, None), &mut earlier, parts);
        let listed = ["jobs", "matrix"]
            .iter()
            .filter_map(|key| root.get(key)?.get("include"));
        for item in listed.flat_map(Node::items) {
            job::read(cx, &file.job(item, Some(item)), &mut earlier, parts);
        }
        parts.aliases(&path, &yaml);
    }
    found
}

struct Travis<'d, 's> {
    path: &'d str,
    root: Node<'d, 's>,
}

impl<'d, 's> Travis<'d, 's> {
    fn job(&self, node: Node<'d, 's>, included: Option<Node<'d, 's>>) -> Job<'d, 's> {
        let name = included
            .and_then(|i| i.get("name").or_else(|| i.get("stage"))?.as_str())
            .map(str::to_owned);
        let mut steps = Vec::new();
        // A listed job that deploys takes the phases before it from the top, but not what the others run.
        let root = self.root;
        let inherited = |phase: &str| {
            let shared = included.is_some() && !matches!(phase, "script" | "after_success");
            node.get(phase)
                .or_else(|| root.get(phase).filter(|_| shared))
        };
        BEFORE
            .iter()
            .for_each(|phase| scripts(inherited(phase), &mut steps));
        let deploys = node.get("deploy");
        let mut triggers = Vec::new();
        for deploy in deploys.map(one_or_many).unwrap_or_default() {
            deployment(deploy, &mut steps);
            triggers.extend(
                deploy
                    .get("on")
                    .map(one_or_many)
                    .unwrap_or_default()
                    .into_iter()
                    .map(conditions),
            );
        }
        AFTER
            .iter()
            .for_each(|phase| scripts(node.get(phase), &mut steps));
        if triggers.is_empty() {
            let only = self
                .root
                .at(&["branches", "only"])
                .map(Node::strings)
                .unwrap_or_default();
            let branches = only.into_iter().map(str::to_owned).collect();
            triggers.push(Trigger {
                event: "push".to_owned(),
                branches,
                tags: Vec::new(),
            });
        }
        let node_version = node.get("node_js").or_else(|| self.root.get("node_js"));
        let node_version = node_version.and_then(|n| n.strings().last().map(|v| (*v).to_owned()));
        let mut variables = environment(self.root.get("env"), self.path, true);
        if included.is_some() {
            variables.extend(environment(node.get("env"), self.path, false));
        }
        Job {
            ci: CiSystem::Travis,
            file: self.path.to_owned(),
            name,
            line: node.line().max(1),
            column: node.column().max(1),
            environment: None,
            runner: Runner::Hosted,
            runner_label: node
                .get("os")
                .or_else(|| self.root.get("os"))
                .and_then(Node::as_str)
                .map(str::to_owned),
            triggers,
            variables,
            stores: Vec::new(),
            id_token: false,
            ignores_failure: false,
            node_version,
            steps,
        }
    }
}

fn one_or_many<'d, 's>(node: Node<'d, 's>) -> Vec<Node<'d, 's>> {
    if node.is_seq() {
        node.items()
    } else {
        vec![node]
    }
}

/// The single commands of a phase.
fn scripts<'d, 's>(phase: Option<Node<'d, 's>>, out: &mut Vec<Step<'d, 's>>) {
    for node in phase.map(one_or_many).unwrap_or_default() {
        let Some(text) = node.as_str() else { continue };
        out.push(Step {
            index: u32::try_from(out.len()).ok(),
            line: node.line(),
            column: node.column(),
            lines: Lines::Of(node),
            text: text.to_owned(),
            ..Step::default()
        });
    }
}

fn deployment<'d, 's>(deploy: Node<'d, 's>, out: &mut Vec<Step<'d, 's>>) {
    let provider = deploy
        .get("provider")
        .or(Some(deploy))
        .and_then(Node::as_str);
    let base = Step {
        index: u32::try_from(out.len()).ok(),
        line: deploy.line(),
        column: deploy.column(),
        lines: Lines::All(deploy.line()),
        ..Step::default()
    };
    match provider {
        Some("npm") => {
            let dry = deploy
                .get("dry_run")
                .or_else(|| deploy.get("dry-run"))
                .and_then(Node::as_bool)
                == Some(true);
            if dry {
                return;
            }
            let key = ["api_key", "api_token", "api-key", "api-token"].into_iter();
            let key = key.filter_map(|k| deploy.get(k)).next();
            // A key that stands in the file, encrypted or not, has no name.
            let named = key.and_then(Node::as_str).and_then(job::variable_name);
            let secret = named.map(str::to_owned);
            let registry = deploy
                .get("registry")
                .and_then(Node::as_str)
                .map(str::to_owned);
            out.push(Step {
                known: Some(Known {
                    tool: Tool::Npm,
                    version: None,
                    credential: if key.is_some() {
                        Credential::Token
                    } else {
                        Credential::NoneVisible
                    },
                    secret,
                    registry_url: registry,
                    command: "provider: npm".to_owned(),
                }),
                dir: deploy.get("src").and_then(Node::as_str).map(str::to_owned),
                ..base
            });
        }
        Some("script") => {
            let scripts = deploy.get("script").map(one_or_many).unwrap_or_default();
            for node in scripts {
                out.push(Step {
                    index: u32::try_from(out.len()).ok(),
                    lines: Lines::Of(node),
                    text: node.as_str().unwrap_or_default().to_owned(),
                    ..base.clone()
                });
            }
        }
        _ => {}
    }
}

fn conditions(on: Node<'_, '_>) -> Trigger {
    let tags = match on
        .get("tags")
        .or_else(|| on.get("tag"))
        .and_then(Node::as_str)
    {
        Some("true") => vec!["*".to_owned()],
        _ => Vec::new(),
    };
    let branches = on
        .get("branch")
        .or_else(|| on.get("all_branches"))
        .map(Node::strings)
        .unwrap_or_default();
    let branches = branches
        .into_iter()
        .map(|b| if b == "true" { "*" } else { b }.to_owned())
        .collect();
    Trigger {
        event: "push".to_owned(),
        branches,
        tags,
    }
}

/// `env`, `env.global` and `env.jobs`: `NAME=value` pairs; encrypted ones have no name to tell.
fn environment(env: Option<Node<'_, '_>>, path: &str, wide: bool) -> Vec<Variable> {
    let mut found = Vec::new();
    let Some(env) = env else { return found };
    let lists = ["global", "jobs", "matrix"]
        .iter()
        .filter_map(|key| env.get(key))
        .chain([env]);
    for node in lists.flat_map(one_or_many) {
        let place: Place = node.place(path);
        for pair in node.as_str().unwrap_or_default().split_whitespace() {
            if let Some((name, value)) = pair.split_once('=') {
                let value = value.trim_matches(['"', '\'']);
                found.push(Variable {
                    wide,
                    ..Variable::new(name, value, place.clone())
                });
            }
        }
        for (key, value) in node.entries() {
            if let (Some(name), Some(value)) = (key.as_str(), value.as_str())
                && name != "secure"
            {
                found.push(Variable {
                    wide,
                    ..Variable::new(name, value, key.place(path))
                });
            }
        }
    }
    found
}

#[cfg(test)]
mod tests;
