//! GitLab CI: `.gitlab-ci.yml`, what it includes from its own repository, and child pipelines.
//!
//! Owns GitLab's merging (includes, `extends`, `!reference`, `default`) and turns every job that can run into the
//! common words of `job`. It fetches nothing: includes from elsewhere are named in a finding instead.
//! Reference: <https://docs.gitlab.com/ci/yaml/>.

mod include;
mod rules;

use std::cell::Cell;
use std::collections::BTreeSet;

use include::{children, gather};

use super::checkout::{Checkout, Found};
use super::job::{self, Job, Lines, Step, Variable};
use super::tree::FileKind;
use super::yaml::{Node, Yaml};
use super::{CiSystem, Runner};

/// Top-level keys that are no jobs.
const KEYWORDS: &[&str] = &[
    "after_script",
    "before_script",
    "cache",
    "default",
    "image",
    "include",
    "services",
    "spec",
    "stages",
    "types",
    "variables",
    "workflow",
];

/// Most files that one pipeline is put together from, and how deep `extends`, `!reference` and includes may nest.
const FILE_CAP: usize = 200;
const DEPTH: u32 = 12;

/// Reads all pipelines of a checkout.
pub fn scan(cx: &Checkout<'_>) -> Found {
    let mut found = Found::default();
    let parts = &mut found;
    let mut roots: Vec<String> = cx.regular(FileKind::Gitlab);
    // The root pipeline goes first: what it includes is no pipeline of its own.
    roots.sort_by_key(|path| (!path.starts_with(".gitlab-ci."), path.clone()));
    let mut seen = BTreeSet::new();
    // Last comes first; child pipelines found on the way are put on top.
    roots.reverse();
    while let Some(root) = roots.pop() {
        if seen.contains(&root) {
            continue;
        }
        let mut sources = Vec::new();
        gather(cx, parts, &root, &mut seen, &mut sources, 0);
        for (path, text) in &sources {
            roots.extend(children(path, text));
        }
        let files: Vec<File<'_>> = sources
            .iter()
            .filter_map(|(path, text)| File::parse(path, text))
            .collect();
        let pipeline = Pipeline {
            files,
            cut: Cell::default(),
        };
        let mut earlier = job::Earlier::default();
        pipeline.wrong_audiences(parts);
        for job in pipeline.jobs(cx) {
            job::read(cx, &job, &mut earlier, parts);
        }
        if let Some((file, line)) = pipeline.cut.get() {
            let path = pipeline.files.get(file).map_or(root.as_str(), |f| f.path);
            parts.cut_at(path, Some((line, 1)));
        }
        for file in &pipeline.files {
            parts.aliases(file.path, &file.yaml);
        }
    }
    found
}

struct File<'t> {
    path: &'t str,
    yaml: Yaml<'t>,
}

impl<'t> File<'t> {
    fn parse(path: &'t str, text: &'t str) -> Option<Self> {
        Some(File {
            path,
            yaml: Yaml::parse(text, true).ok()?,
        })
    }
}

/// A node and the index of the file it stands in.
type At<'d, 's> = (Node<'d, 's>, usize);

/// The files of one pipeline, strongest first.
struct Pipeline<'t> {
    files: Vec<File<'t>>,
    /// Where `extends` or `!reference` was no longer followed: file and line.
    cut: Cell<Option<(usize, u32)>>,
}

impl<'t> Pipeline<'t> {
    fn jobs<'d>(&'d self, cx: &Checkout<'_>) -> Vec<Job<'d, 't>> {
        let mut names = BTreeSet::new();
        let mut jobs = Vec::new();
        // Of a job that several files define, the strongest names the place.
        for (index, file) in self.files.iter().enumerate() {
            for document in file.yaml.documents() {
                for (key, value) in document.entries() {
                    let Some(name) = key.as_str() else { continue };
                    if name.starts_with('.')
                        || KEYWORDS.contains(&name)
                        || !value.is_map()
                        || !names.insert(name)
                    {
                        continue;
                    }
                    jobs.extend(self.job(cx, name, key, index));
                }
            }
        }
        jobs
    }

    fn job<'d>(
        &'d self,
        cx: &Checkout<'_>,
        name: &str,
        key: Node<'d, 't>,
        file: usize,
    ) -> Option<Job<'d, 't>> {
        let chain = self.chain(name, 0);
        let mut steps = self.steps(&chain, file, key.line());
        if steps.is_empty() {
            return None;
        }
        let path = self.files.get(file)?.path;
        let variables = self.variables(&chain, name);
        publish_script(&variables, &mut steps);
        let environment = find(&chain, "environment")
            .and_then(|(node, _)| node.as_str().or_else(|| node.get("name")?.as_str()))
            .map(str::to_owned);
        let tags = find(&chain, "tags")
            .or_else(|| self.default("tags"))
            .map(|(n, _)| n.strings())
            .unwrap_or_default();
        let image = find(&chain, "image").or_else(|| self.default("image"));
        let image = image.and_then(|(n, _)| n.as_str().or_else(|| n.get("name")?.as_str()));
        Some(Job {
            ci: CiSystem::Gitlab,
            file: path.to_owned(),
            name: Some(name.to_owned()),
            line: key.line(),
            column: key.column(),
            environment,
            runner: runner(cx, &tags),
            runner_label: (!tags.is_empty()).then(|| tags.join(", ")),
            triggers: self.triggers(&chain),
            variables,
            stores: Vec::new(),
            id_token: self.npm_audience(&chain),
            ignores_failure: find(&chain, "allow_failure").and_then(|(n, _)| n.as_bool())
                == Some(true),
            node_version: image.and_then(job::node_of_image),
            steps,
        })
    }

    /// Every definition of a key, strongest first.
    fn definitions<'d>(&'d self, name: &str) -> Vec<At<'d, 't>> {
        let mut found = Vec::new();
        for (index, file) in self.files.iter().enumerate() {
            found.extend(
                file.yaml
                    .documents()
                    .filter_map(|d| d.get(name))
                    .map(|node| (node, index)),
            );
        }
        found
    }

    /// A job's own definitions, then those it extends; of several parents the last named is the strongest.
    fn chain<'d>(&'d self, name: &str, depth: u32) -> Vec<At<'d, 't>> {
        let mut chain = self.definitions(name);
        let extends = find(&chain, "extends");
        if depth >= DEPTH {
            self.cut_at(extends);
            return chain;
        }
        let parents = extends.map(|(n, _)| n.strings()).unwrap_or_default();
        for parent in parents.into_iter().rev().filter(|p| *p != name) {
            if chain.len() > FILE_CAP {
                break;
            }
            chain.extend(self.chain(parent, depth + 1));
        }
        chain
    }

    fn cut_at(&self, at: Option<At<'_, 't>>) {
        let place = at.map(|(node, file)| (file, node.line()));
        self.cut.set(self.cut.get().or(place));
    }

    /// A job keyword's value for all jobs: under `default`, or at the top as it once was.
    fn default<'d>(&'d self, key: &str) -> Option<At<'d, 't>> {
        find(&self.definitions("default"), key).or_else(|| self.definitions(key).into_iter().next())
    }

    fn steps<'d>(&'d self, chain: &[At<'d, 't>], file: usize, own_line: u32) -> Vec<Step<'d, 't>> {
        let mut lines = Vec::new();
        let main = find(chain, "script");
        if let Some(node) = main {
            let before = find(chain, "before_script").or_else(|| self.default("before_script"));
            for part in before.into_iter().chain([node]) {
                self.flatten(part, &mut lines, 0);
            }
        }
        if let Some((run, at)) = find(chain, "run") {
            lines.extend(
                run.items()
                    .into_iter()
                    .filter_map(|item| Some((item.get("script")?, at))),
            );
        }
        if lines.is_empty() {
            return Vec::new();
        }
        if let Some(after) = find(chain, "after_script").or_else(|| self.default("after_script")) {
            self.flatten(after, &mut lines, 0);
        }
        (0..)
            .zip(lines)
            .map(|(index, (node, at))| Step {
                index: Some(index),
                // Lines of another file would mislead beside this file's name.
                line: if at == file { node.line() } else { own_line },
                column: if at == file { node.column() } else { 1 },
                lines: if at == file {
                    Lines::Of(node)
                } else {
                    Lines::All(own_line)
                },
                text: node.as_str().unwrap_or_default().to_owned(),
                ..Step::default()
            })
            .collect()
    }

    /// The single lines of a script: nested lists and `!reference` taken apart.
    fn flatten<'d>(&'d self, (node, file): At<'d, 't>, out: &mut Vec<At<'d, 't>>, depth: u32) {
        if depth > DEPTH || out.len() > 5_000 {
            return self.cut_at(Some((node, file)));
        }
        if node.as_str().is_some() {
            out.push((node, file));
        } else if node
            .tag()
            .is_some_and(|t| t.trim_start_matches('!') == "reference")
        {
            let keys = node.strings();
            if let Some((name, rest)) = keys.split_first() {
                let found = self
                    .chain(name, 0)
                    .into_iter()
                    .find_map(|(n, at)| Some((n.at(rest)?, at)));
                if let Some(found) = found {
                    self.flatten(found, out, depth + 1);
                }
            }
        } else {
            for item in node.items() {
                self.flatten((item, file), out, depth + 1);
            }
        }
    }

    /// Visible variables: the job's over the parents' over the pipeline's, and `secrets:` from a vault.
    fn variables(&self, chain: &[At<'_, 't>], job: &str) -> Vec<Variable> {
        let mut found: Vec<Variable> = Vec::new();
        let global = self.definitions("variables");
        let own = chain
            .iter()
            .filter_map(|(n, at)| Some((n.get("variables")?, *at, false)));
        for (map, at, wide) in own.chain(global.into_iter().map(|(n, at)| (n, at, true))) {
            for (key, value) in map.entries() {
                let Some(name) = key.as_str() else { continue };
                let value = value
                    .as_str()
                    .or_else(|| value.get("value")?.as_str())
                    .unwrap_or_default();
                if found.iter().any(|v| v.name == name) {
                    continue;
                }
                let file = self.files.get(at).map_or("", |f| f.path);
                found.push(Variable {
                    wide,
                    ..Variable::new(name, value, key.place(file))
                });
            }
        }
        for (node, at) in chain {
            for (key, _) in node.get("secrets").map(Node::entries).unwrap_or_default() {
                let Some(name) = key.as_str().filter(|n| !found.iter().any(|v| v.name == *n))
                else {
                    continue;
                };
                let file = self.files.get(*at).map_or(job, |f| f.path);
                found.push(Variable {
                    secret: Some(name.to_owned()),
                    ..Variable::new(name, "", key.place(file))
                });
            }
        }
        found
    }

    /// npm reads `NPM_ID_TOKEN`; with any other audience its exchange is refused.
    fn wrong_audiences(&self, parts: &mut Found) {
        for file in &self.files {
            for (name, job) in file.yaml.documents().flat_map(Node::entries) {
                let Some(aud) = job.at(&["id_tokens", "NPM_ID_TOKEN", "aud"]) else {
                    continue;
                };
                let texts = aud.strings();
                if !texts
                    .iter()
                    .any(|a| job::is_npm_audience(a) || a.contains('$'))
                {
                    let at = (aud.line(), aud.column());
                    parts.finding(
                        "id-token-audience",
                        file.path,
                        at,
                        name.as_str(),
                        &texts.join(", "),
                    );
                }
            }
        }
    }

    /// True where an id token with npm's audience is made for the job.
    fn npm_audience(&self, chain: &[At<'_, 't>]) -> bool {
        let default = self.definitions("default");
        chain
            .iter()
            .chain(&default)
            .filter_map(|(node, _)| node.get("id_tokens"))
            .flat_map(Node::entries)
            .filter_map(|(_, token)| token.get("aud"))
            .any(|aud| aud.strings().into_iter().any(job::is_npm_audience))
    }
}

fn find<'d, 's>(chain: &[At<'d, 's>], key: &str) -> Option<At<'d, 's>> {
    chain
        .iter()
        .find_map(|(node, at)| Some((node.get(key)?, *at)))
}

/// `changesets-gitlab` runs the publish script that a variable names
/// (<https://github.com/un-ts/changesets-gitlab#usage>).
fn publish_script(variables: &[Variable], steps: &mut Vec<Step<'_, '_>>) {
    let runs = |s: &&Step<'_, '_>| {
        s.text.contains("changesets-gitlab") && !s.text.contains("changesets-gitlab comment")
    };
    let script = variables.iter().find(|v| v.name == "INPUT_PUBLISH_SCRIPT");
    if let (Some(step), Some(script)) = (steps.iter().find(runs), script) {
        let step = Step {
            lines: Lines::All(step.line),
            text: script.value.clone(),
            ..step.clone()
        };
        steps.push(step);
    }
}

/// Who runs a job, from its tags: only gitlab.com's own tags tell for sure.
///
/// Names of hosted runners: <https://docs.gitlab.com/ci/runners/hosted_runners/>.
fn runner(cx: &Checkout<'_>, tags: &[&str]) -> Runner {
    let hosted = |tag: &str| {
        tag.starts_with("saas-") || tag.starts_with("gitlab-org") || tag == "shared-windows"
    };
    let on_gitlab_com = cx.host.is_some_and(|host| host == "gitlab.com");
    match tags {
        [] if on_gitlab_com => Runner::Hosted,
        [] => Runner::Unknown,
        tags if tags.iter().all(|t| hosted(t)) => Runner::Hosted,
        _ => Runner::Unknown,
    }
}

#[cfg(test)]
mod tests;
