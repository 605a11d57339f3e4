//! Reads a workflow file as the simulated Actions runs it: triggers, jobs, steps, credentials.
//! Reads only what running needs, and not with the scanner's reader: a mistake shared by both would hide.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

/// What starts a workflow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trigger {
    pub event: String,
    /// Empty: every branch, unless `tags` is given and this is not.
    pub branches: Vec<String>,
    pub branches_ignore: Vec<String>,
    pub tags: Vec<String>,
}

/// What a step does to npm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Nothing that the world keeps.
    Plain,
    /// `npm ci` and its like.
    Install,
    Test,
    Publish,
    Stage,
    DistTag,
    Whoami,
}

#[derive(Debug, Clone)]
pub struct Step {
    pub name: Arc<str>,
    pub run: Option<String>,
    pub uses: Option<String>,
    pub env: BTreeMap<String, String>,
    pub with: BTreeMap<String, String>,
    pub act: Act,
}

#[derive(Debug, Clone, Default)]
pub struct Job {
    pub id: String,
    pub name: Arc<str>,
    pub needs: Vec<String>,
    pub labels: Vec<String>,
    pub environment: Option<String>,
    /// None: as the workflow says.
    pub id_token: Option<bool>,
    pub env: BTreeMap<String, String>,
    /// A reusable workflow, as written.
    pub uses: Option<String>,
    /// Secrets handed to it; `None` in the map of a caller that inherits.
    pub secrets: BTreeMap<String, String>,
    pub inherit: bool,
    pub steps: Vec<Step>,
}

#[derive(Debug, Clone, Default)]
pub struct Workflow {
    pub name: Option<Arc<str>>,
    pub triggers: Vec<Trigger>,
    pub id_token: bool,
    pub env: BTreeMap<String, String>,
    pub jobs: Vec<Job>,
}

impl Workflow {
    /// Reads a workflow file; `None` for what GitHub would refuse to run.
    pub fn parse(text: &str) -> Option<Self> {
        let value: Value = serde_saphyr::from_str(text).ok()?;
        let root = value.as_object()?;
        let jobs = root.get("jobs")?.as_object()?;
        Some(Self {
            name: root.get("name").and_then(Value::as_str).map(Arc::from),
            triggers: triggers(root.get("on")?),
            id_token: id_token(root.get("permissions")).unwrap_or(false),
            env: strings(root.get("env")),
            jobs: jobs
                .iter()
                .filter_map(|(id, job)| read_job(id, job))
                .collect(),
        })
    }

    /// Tells whether an event on a ref starts it. `git_ref` is a full name.
    pub fn fires(&self, event: &str, git_ref: &str) -> bool {
        self.triggers
            .iter()
            .any(|trigger| trigger.fires(event, git_ref))
    }

    /// Tells whether any step publishes or stages.
    pub fn publishes(&self) -> bool {
        self.jobs.iter().any(|job| {
            job.uses.is_some()
                || job
                    .steps
                    .iter()
                    .any(|step| matches!(step.act, Act::Publish | Act::Stage))
        })
    }
}

impl Trigger {
    fn fires(&self, event: &str, git_ref: &str) -> bool {
        if self.event != event {
            return false;
        }
        if event != "push" {
            return true;
        }
        let only_tags =
            !self.tags.is_empty() && self.branches.is_empty() && self.branches_ignore.is_empty();
        let only_branches =
            self.tags.is_empty() && !(self.branches.is_empty() && self.branches_ignore.is_empty());
        if let Some(branch) = git_ref.strip_prefix("refs/heads/") {
            if only_tags || self.branches_ignore.iter().any(|one| glob(one, branch)) {
                return false;
            }
            return self.branches.is_empty() || matches_last(&self.branches, branch);
        }
        let Some(tag) = git_ref.strip_prefix("refs/tags/") else {
            return false;
        };
        !only_branches && (self.tags.is_empty() || matches_last(&self.tags, tag))
    }
}

/// The last pattern that matches decides; `!` takes back.
fn matches_last(patterns: &[String], name: &str) -> bool {
    let mut yes = false;
    for pattern in patterns {
        match pattern.strip_prefix('!') {
            Some(not) if glob(not, name) => yes = false,
            None if glob(pattern, name) => yes = true,
            _ => {}
        }
    }
    yes
}

/// Matches as Actions filters do: `*` within a part, `**` across, `?` one more of the last, `[abc]` one of some.
pub fn glob(pattern: &str, name: &str) -> bool {
    fn go(pattern: &[u8], name: &[u8]) -> bool {
        match pattern {
            [] => name.is_empty(),
            [b'*', b'*', rest @ ..] => {
                (0..=name.len()).any(|at| name.get(at..).is_some_and(|tail| go(rest, tail)))
            }
            [b'*', rest @ ..] => {
                let end = name.iter().position(|b| *b == b'/').unwrap_or(name.len());
                (0..=end).any(|at| name.get(at..).is_some_and(|tail| go(rest, tail)))
            }
            [b'[', rest @ ..] => {
                let Some(end) = rest.iter().position(|b| *b == b']') else {
                    return false;
                };
                let (Some(set), Some(after)) = (rest.get(..end), rest.get(end + 1..)) else {
                    return false;
                };
                let within = |c: u8| match set {
                    [low, b'-', high] => (*low..=*high).contains(&c),
                    _ => set.contains(&c),
                };
                match (name, after) {
                    ([first, tail @ ..], [b'+', more @ ..]) if within(*first) => {
                        go(more, tail) || go(pattern, tail)
                    }
                    ([first, tail @ ..], _) if within(*first) => go(after, tail),
                    _ => false,
                }
            }
            [first, rest @ ..] => match name {
                [other, tail @ ..] if other == first => go(rest, tail),
                _ => false,
            },
        }
    }
    go(pattern.as_bytes(), name.as_bytes())
}

fn triggers(on: &Value) -> Vec<Trigger> {
    let plain = |event: &str| Trigger {
        event: event.to_owned(),
        ..Trigger::default()
    };
    match on {
        Value::String(event) => vec![plain(event)],
        Value::Array(events) => events.iter().filter_map(Value::as_str).map(plain).collect(),
        Value::Object(events) => events
            .iter()
            .map(|(event, filter)| Trigger {
                event: event.clone(),
                branches: list(filter.get("branches")),
                branches_ignore: list(filter.get("branches-ignore")),
                tags: list(filter.get("tags")),
            })
            .collect(),
        _ => Vec::new(),
    }
}

fn list(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(all)) => all.iter().map(text).collect(),
        _ => Vec::new(),
    }
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn strings(value: Option<&Value>) -> BTreeMap<String, String> {
    let map = value.and_then(Value::as_object);
    map.into_iter()
        .flatten()
        .map(|(key, value)| (key.clone(), text(value)))
        .collect()
}

/// None: nothing said.
fn id_token(permissions: Option<&Value>) -> Option<bool> {
    match permissions? {
        Value::String(word) => Some(word == "write-all"),
        Value::Object(map) => Some(map.get("id-token").and_then(Value::as_str) == Some("write")),
        _ => Some(false),
    }
}

fn read_job(id: &str, value: &Value) -> Option<Job> {
    let job = value.as_object()?;
    let name = job.get("name").and_then(Value::as_str).unwrap_or(id);
    let environment = match job.get("environment") {
        Some(Value::String(name)) => Some(name.clone()),
        Some(Value::Object(map)) => map.get("name").map(text),
        _ => None,
    };
    let secrets = job.get("secrets");
    Some(Job {
        id: id.to_owned(),
        name: Arc::from(name),
        needs: list(job.get("needs")),
        labels: match job.get("runs-on") {
            Some(Value::Object(group)) => list(group.get("labels")),
            other => list(other),
        },
        environment,
        id_token: id_token(job.get("permissions")),
        env: strings(job.get("env")),
        uses: job.get("uses").map(text),
        secrets: strings(secrets),
        inherit: secrets.and_then(Value::as_str) == Some("inherit"),
        steps: job
            .get("steps")
            .and_then(Value::as_array)
            .map(|steps| {
                steps
                    .iter()
                    .filter_map(Value::as_object)
                    .map(read_step)
                    .collect()
            })
            .unwrap_or_default(),
    })
}

fn read_step(step: &Map<String, Value>) -> Step {
    let run = step.get("run").map(text);
    let uses = step.get("uses").map(text);
    let with = strings(step.get("with"));
    let first = run.as_deref().and_then(|run| run.lines().next());
    let name = match (step.get("name").and_then(Value::as_str), first, &uses) {
        (Some(name), _, _) => name.to_owned(),
        (None, Some(line), _) => format!("Run {line}"),
        (None, None, Some(uses)) => format!("Run {uses}"),
        _ => "Run".to_owned(),
    };
    let act = act(run.as_deref(), uses.as_deref(), &with);
    Step {
        name: Arc::from(name),
        run,
        uses,
        env: strings(step.get("env")),
        with,
        act,
    }
}

fn act(run: Option<&str>, uses: Option<&str>, with: &BTreeMap<String, String>) -> Act {
    if let Some(uses) = uses {
        let publishes = uses.starts_with("changesets/action") && with.contains_key("publish")
            || uses.starts_with("JS-DevTools/npm-publish");
        return if publishes { Act::Publish } else { Act::Plain };
    }
    let Some(run) = run else {
        return Act::Plain;
    };
    let dry = run.contains("--dry-run");
    let has = |words: &[&str]| words.iter().any(|word| run.contains(word));
    if has(&["stage publish"]) && !dry {
        Act::Stage
    } else if has(&[
        "npm publish",
        "yarn publish",
        "pnpm publish",
        "-r publish",
        "changeset publish",
        "lerna publish",
        "semantic-release",
        "release-it",
        "nx release publish",
        "bun publish",
    ]) && !dry
    {
        Act::Publish
    } else if has(&["dist-tag add", "dist-tags add"]) {
        Act::DistTag
    } else if has(&["npm whoami"]) {
        Act::Whoami
    } else if has(&["npm ci", "npm install", "pnpm install", "yarn install"]) {
        Act::Install
    } else if has(&["npm test", "run test", "pnpm test", " test"]) {
        Act::Test
    } else {
        Act::Plain
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn filters_match_as_the_forge_says() {
        for (pattern, name, is) in [
            ("v*", "v1.2.3", true),
            ("v*", "w1", false),
            ("release/*", "release/1.x", true),
            ("release/*", "release/1/x", false),
            ("release/**", "release/1/x", true),
            ("v[0-9]+.x", "v12.x", true),
            ("v[0-9]+.x", "v.x", false),
            ("main", "main", true),
            ("main", "maine", false),
        ] {
            assert_eq!(glob(pattern, name), is, "{pattern} {name}");
        }
        assert!(!matches_last(&["v*".into(), "!v1.*".into()], "v1.2"));
    }

    #[test]
    fn a_workflow_is_read() {
        let flow = Workflow::parse(
            "name: R\non:\n  push:\n    tags: [\"v*\"]\n  workflow_dispatch:\npermissions:\n  id-token: write\n\
             jobs:\n  a:\n    runs-on: ubuntu-latest\n    permissions: {}\n    steps:\n      - run: npm ci\n      - run: npm publish\n",
        )
        .unwrap();
        assert!(flow.id_token && flow.jobs[0].id_token == Some(false));
        assert!(flow.fires("push", "refs/tags/v1") && !flow.fires("push", "refs/heads/main"));
        assert!(flow.fires("workflow_dispatch", "refs/heads/main"));
        assert_eq!(flow.jobs[0].steps[1].act, Act::Publish);
        assert_eq!(&*flow.jobs[0].steps[0].name, "Run npm ci");
        assert!(Workflow::parse("just words").is_none());
        let both = Workflow::parse("on: [push, pull_request]\njobs: {}\n").unwrap();
        assert!(both.fires("push", "refs/heads/x") && both.fires("push", "refs/tags/x"));
    }
}
