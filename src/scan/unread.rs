//! CI, build and hosting systems that no reader reads: their files are named, and what stands in them plainly is told.
//!
//! Owns the table of their files (`assets/scan/unread-systems.toml`) and what such a file comes to: a finding that it is
//! not read, the words in it that name npm or a token, and a publish path where one of its commands publishes for sure.
//! Also names files of systems that are read which stand where their system does not read them.

mod text;

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::checkout::{Checkout, Found};
use super::job::{self, Job, Known, Step, Variable};
use super::tree::FileKind;
use super::{CiSystem, Credential, Place, Purpose, Runner, Severity, TokenUse, Tool};
use crate::model::token_name::is_npm_token;
use text::{Form, commands};

/// Most words of one file that its finding shows.
const WORDS: usize = 4;

/// Folders whose files are copies of others' or stand for something else: no system runs them from there.
const ASIDE: &[&str] = &[
    "__fixtures__",
    "__mocks__",
    "__snapshots__",
    "__tests__",
    "boilerplate",
    "boilerplates",
    "example",
    "examples",
    "fixture",
    "fixtures",
    "sample",
    "samples",
    "test-fixtures",
    "testdata",
    "third-party",
    "third_party",
    "vendor",
    "vendored",
];

/// A system whose files are known by name only.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct System {
    /// Short name, as the `ci` list of the JSON form has it.
    pub id: String,
    pub name: String,
    #[serde(default)]
    files: Vec<String>,
    #[serde(default)]
    folders: Vec<String>,
    #[serde(default = "yaml_endings")]
    endings: Vec<String>,
    #[serde(default)]
    anywhere: Vec<String>,
    /// Images, plugins and step types that publish by themselves.
    #[serde(default)]
    publishes: Vec<String>,
    #[serde(default)]
    needs: Vec<String>,
    /// False for files of builds and hosts.
    #[serde(default = "yes")]
    runs_ci: bool,
    /// The system's own page about these files.
    pub source: String,
}

fn yaml_endings() -> Vec<String> {
    vec![".yml".to_owned(), ".yaml".to_owned()]
}

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    system: Vec<System>,
}

/// The table, with its folders by their first part: a walk asks for every file of a tree.
struct Index {
    systems: Vec<System>,
    folders: HashMap<String, Vec<(String, u8)>>,
    files: Vec<(String, u8)>,
    anywhere: Vec<(String, u8)>,
}

#[expect(clippy::expect_used, reason = "an embedded file that the tests read")]
static INDEX: LazyLock<Index> = LazyLock::new(|| {
    let table: Table =
        toml::from_str(crate::assets::unread_systems()).expect("unread-systems.toml");
    let mut index = Index {
        systems: Vec::new(),
        folders: HashMap::new(),
        files: Vec::new(),
        anywhere: Vec::new(),
    };
    for (id, system) in (0_u8..).zip(&table.system) {
        for folder in &system.folders {
            let first = folder.split('/').next().unwrap_or(folder).to_owned();
            let known = index.folders.entry(first).or_default();
            known.push((format!("{folder}/"), id));
        }
        let named = |names: &[String]| {
            names
                .iter()
                .map(move |n| (n.clone(), id))
                .collect::<Vec<_>>()
        };
        index.files.extend(named(&system.files));
        index.anywhere.extend(named(&system.anywhere));
    }
    index.systems = table.system;
    index
});

/// Finds the system that a file belongs to by its path; its number in the table.
pub fn system_of(path: &str) -> Option<u8> {
    let index = &*INDEX;
    let (first, name) = match path.split_once('/') {
        Some((first, rest)) => (first, rest.rsplit('/').next().unwrap_or(rest)),
        None => ("", path),
    };
    let ends = |id: u8| system(id).is_some_and(|s| s.endings.iter().any(|e| name.ends_with(e)));
    let below = index.folders.get(first).into_iter().flatten();
    let mut below = below.filter(|(folder, id)| path.starts_with(folder) && ends(*id));
    let found = below
        .next()
        .or_else(|| index.files.iter().find(|(pattern, _)| fits(pattern, path)))
        .or_else(|| {
            index
                .anywhere
                .iter()
                .find(|(pattern, _)| fits(pattern, name))
        });
    found.map(|(_, id)| *id)
}

/// Gives a system by its number.
pub fn system(id: u8) -> Option<&'static System> {
    INDEX.systems.get(usize::from(id))
}

/// Gives a system's own name by its short one; the short one where the table has none.
pub fn name_of(id: &'static str) -> &'static str {
    let known = INDEX.systems.iter().find(|s| s.id == id);
    known.map_or(id, |s| &s.name)
}

/// Tells whether a file or folder of this name at the top makes a folder a checkout: names that nothing else uses.
pub fn marks_checkout(name: &str, is_folder: bool) -> bool {
    let sure = |id: u8| system(id).is_some_and(|s| s.runs_ci && s.needs.is_empty());
    if is_folder {
        let known = INDEX.folders.get(name).into_iter().flatten();
        return name.starts_with('.') && known.into_iter().any(|(_, id)| sure(*id));
    }
    system_of(name).is_some_and(sure)
}

/// Tells whether a system runs what stands in this file, so that a scan which does not read it does not know it all.
pub fn runs_ci(path: &str) -> bool {
    system_of(path).and_then(system).is_some_and(|s| s.runs_ci)
}

/// Tells whether a file stands in a folder of copies, examples or fixtures.
pub fn is_aside(path: &str) -> bool {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    folder.split('/').any(|part| ASIDE.contains(&part))
}

/// `*` stands for any part of a name; it crosses no folder.
fn fits(pattern: &str, path: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else {
        return pattern == path;
    };
    let middle = path
        .strip_prefix(head)
        .and_then(|rest| rest.strip_suffix(tail));
    middle.is_some_and(|m| !m.contains('/'))
}

/// Names every file of a system that is not read; gives the systems that are present, for the list of CI systems.
pub fn scan(cx: &Checkout<'_>, found: &mut Found) -> Vec<CiSystem> {
    let mut systems = Vec::new();
    for entry in cx.project.tree.entries() {
        let FileKind::Unread(id) = entry.kind else {
            continue;
        };
        let Some(system) = system(id) else { continue };
        if !entry.regular {
            if system.runs_ci {
                cx.read(&entry.path, found);
            }
            continue;
        }
        if is_aside(&entry.path) {
            elsewhere(cx, &entry.path, &system.publishes, found);
            continue;
        }
        if file(cx, &entry.path, system, found) {
            let ci = CiSystem::NotRead(&system.id);
            if !systems.contains(&ci) {
                systems.push(ci);
            }
        }
    }
    systems
}

/// Names files of systems that are read, where they stand where nothing reads them and speak of npm.
pub fn strays(cx: &Checkout<'_>, found: &mut Found) {
    for path in cx.regular(FileKind::Elsewhere) {
        if !found.seen.contains(&path) {
            elsewhere(cx, &path, &[], found);
        }
    }
}

fn elsewhere(cx: &Checkout<'_>, path: &str, plugins: &[String], found: &mut Found) {
    let Some(text) = cx.read(path, found) else {
        return;
    };
    let words = Words::of(&text, plugins);
    if words.tells_more_than_npm() {
        found.finding("ci-elsewhere", path, (words.line, 1), None, &words.shown());
    }
}

/// Tells of one file; false where it is none of the system's, or a build file that names nothing of npm.
fn file(cx: &Checkout<'_>, path: &str, system: &'static System, found: &mut Found) -> bool {
    let Some(text) = cx.read(path, found) else {
        return system.runs_ci;
    };
    if !system.needs.is_empty() && !system.needs.iter().any(|n| text.contains(n.as_str())) {
        return false;
    }
    let words = Words::of(&text, &system.publishes);
    if !system.runs_ci && !words.tells_more_than_npm() {
        return false;
    }
    let before = (found.paths.len(), found.uses.len());
    publishes(cx, path, &text, system, &words, found);
    let told = found.paths.len() > before.0 || found.uses.len() > before.1;
    if !told {
        found
            .uses
            .extend(words.tokens.iter().map(|(name, line)| TokenUse {
                file: path.to_owned(),
                job: None,
                step: None,
                line: *line,
                secret: Some(name.clone()),
                purpose: Purpose::Unknown,
            }));
    }
    let detail = match words.shown() {
        shown if shown.is_empty() => system.name.clone(),
        shown => format!("{}; it names {shown}", system.name),
    };
    found.finding("ci-not-read", path, (words.line, 1), None, &detail);
    let warns = words.tells_more_than_npm() || found.paths.len() > before.0;
    if let Some(last) = found.findings.last_mut() {
        last.source = &system.source;
        if warns {
            last.severity = Severity::Warning;
        }
    }
    true
}

/// Reads what looks like a command as one, and the system's own publishing plugins by their name.
fn publishes(
    cx: &Checkout<'_>,
    path: &str,
    text: &str,
    system: &'static System,
    words: &Words,
    found: &mut Found,
) {
    let mut steps: Vec<Step<'_, '_>> = Vec::new();
    let plugins = words.plugins.iter().map(|(plugin, line)| Step {
        line: *line,
        lines: job::Lines::All(*line),
        known: Some(Known {
            tool: Tool::Npm,
            version: None,
            registry_url: None,
            credential: match words.tokens.first() {
                Some(_) => Credential::Token,
                None => Credential::NoneVisible,
            },
            secret: words.tokens.first().map(|(name, _)| name.clone()),
            command: plugin.clone(),
        }),
        ..Step::default()
    });
    steps.extend(plugins);
    let read = commands(text, Form::of(path));
    steps.extend(read.into_iter().map(|command| Step {
        line: command.line,
        lines: job::Lines::From(command.line),
        text: command.text,
        dir: Some(String::new()),
        ..Step::default()
    }));
    for (index, step) in (0..).zip(&mut steps) {
        step.index = Some(index);
    }
    let token = words.tokens.first().map(|(name, line)| {
        let place = Place {
            file: path.to_owned(),
            line: *line,
            column: 1,
            span: (0, 0),
        };
        (name.clone(), place)
    });
    let variables = token.iter().map(|(name, place)| Variable {
        wide: true,
        ..Variable::new(name, &format!("${name}"), place.clone())
    });
    let job = Job {
        ci: CiSystem::NotRead(&system.id),
        file: path.to_owned(),
        name: None,
        line: 1,
        column: 1,
        environment: None,
        runner: Runner::Unknown,
        runner_label: None,
        triggers: Vec::new(),
        variables: variables.collect(),
        stores: Vec::new(),
        id_token: false,
        ignores_failure: false,
        node_version: None,
        steps,
    };
    let mut earlier = job::Earlier::with_credential(token);
    let mut own = Found::default();
    job::read(cx, &job, &mut earlier, &mut own);
    // Whether a failure fails the run is a matter of the system's own shell and settings.
    own.findings
        .retain(|f| f.rule != "publish-can-fail-silently");
    for path in &mut own.paths {
        path.fails_closed = true;
    }
    found.take(own);
}

/// The words of a file that name npm, a token or a publish, with their lines.
#[derive(Default)]
struct Words {
    tokens: Vec<(String, u32)>,
    plugins: Vec<(String, u32)>,
    publish: Option<String>,
    npm: bool,
    /// Line of the word that tells most; 1 where there is none.
    line: u32,
}

impl Words {
    fn of(text: &str, plugins: &[String]) -> Self {
        let mut found = Self::default();
        let (mut publish, mut npm) = (None, None);
        for (number, line) in (1_u32..).zip(text.lines()) {
            let trimmed = line.trim_start();
            if trimmed.starts_with('#') && !trimmed.starts_with("#!") || trimmed.starts_with("//") {
                continue;
            }
            for plugin in plugins.iter().filter(|p| names_plugin(line, p)) {
                found.plugins.push((plugin.clone(), number));
            }
            if publish.is_none()
                && let Some(words) = publish_words(line)
            {
                publish = Some(number);
                found.publish = Some(words);
            }
            for word in line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-') {
                let token = word.len() <= 100 && is_npm_token(word);
                if token && found.tokens.len() < 100 && !found.tokens.iter().any(|(t, _)| t == word)
                {
                    found.tokens.push((word.to_owned(), number));
                }
                let manager = matches!(word, "npm" | "pnpm" | "yarn" | "bun" | "npx");
                if manager && npm.is_none() {
                    npm = Some(number);
                }
            }
        }
        found.npm = npm.is_some();
        let first = |list: &[(String, u32)]| list.first().map(|(_, line)| *line);
        found.line = publish
            .or_else(|| first(&found.plugins))
            .or_else(|| first(&found.tokens))
            .or(npm)
            .unwrap_or(1);
        found
    }

    fn tells_more_than_npm(&self) -> bool {
        !self.tokens.is_empty() || !self.plugins.is_empty() || self.publish.is_some()
    }

    /// `npm publish`, `NPM_TOKEN`: as the finding shows them; empty where there are none.
    fn shown(&self) -> String {
        let named = self
            .plugins
            .iter()
            .chain(&self.tokens)
            .map(|(word, _)| word);
        let mut words: Vec<&str> = Vec::new();
        for word in self.publish.iter().chain(named) {
            if words.len() < WORDS && !words.contains(&word.as_str()) {
                words.push(word);
            }
        }
        if words.is_empty() && self.npm {
            words.push("npm");
        }
        let quoted: Vec<String> = words.iter().map(|w| format!("`{w}`")).collect();
        quoted.join(", ")
    }
}

/// True where a line names an image, plugin or step type: the word ends, or a tag or version follows.
fn names_plugin(line: &str, plugin: &str) -> bool {
    line.split_once(plugin).is_some_and(|(before, after)| {
        let starts = before.is_empty() || before.ends_with([' ', '"', '\'', '/', '(', '[', ',']);
        let ends = after
            .chars()
            .next()
            .is_none_or(|c| " \"':@#,)]}".contains(c));
        starts && ends
    })
}

/// `npm publish`, `pnpm -r publish`, `semantic-release` as a line writes them.
fn publish_words(line: &str) -> Option<String> {
    let words: Vec<&str> = line
        .split(|c: char| !c.is_ascii_alphanumeric() && !"-_:@/.".contains(c))
        .filter(|w| !w.is_empty())
        .collect();
    let tools = [
        "npm",
        "pnpm",
        "yarn",
        "bun",
        "lerna",
        "changeset",
        "nx",
        "np",
        "rush",
        "beachball",
    ];
    let at = words.iter().position(|w| tools.contains(w));
    let verb = at.and_then(|at| {
        let after = words.get(at + 1..)?.iter().take(4);
        let verb = after
            .copied()
            .find(|w| matches!(*w, "publish" | "stage" | "dist-tag"));
        Some(format!("{} {}", words.get(at)?, verb?))
    });
    verb.or_else(|| {
        let whole = ["semantic-release", "release-it"];
        words
            .iter()
            .find(|w| whole.contains(w))
            .map(|w| (*w).to_owned())
    })
}

#[cfg(test)]
mod tests;
