//! One job of a CI system other than GitHub Actions, in the same words for all of them, and what follows from it.
//!
//! Owns the judgement that these systems share: which steps publish, with what credential, what else needs the token,
//! and what stands in the way of OIDC. Each system's own grammar stays in its own file.

mod advice;
mod credential;
mod judge;
mod target;
mod token;

use super::checkout::{Checkout, Found};
use super::package::Packages;
use super::rule;
use super::tree::FileKind;
use super::yaml::{Node, ProblemKind, Yaml, YamlError};
use super::{CiSystem, Credential, Place, Runner, Tool, Trigger};

pub use credential::variable_name;

/// A variable that a file sets.
#[derive(Debug, Clone, PartialEq)]
pub struct Variable {
    pub name: String,
    /// As written: a literal, or a reference to another variable.
    pub value: String,
    pub place: Place,
    /// The secret or credential that fills it, where the file names one.
    pub secret: Option<String>,
    /// True where it is set for a whole pipeline.
    pub wide: bool,
}

impl Variable {
    /// A variable of one job or step.
    pub fn new(name: &str, value: &str, place: Place) -> Self {
        Self {
            name: name.to_owned(),
            value: value.to_owned(),
            place,
            secret: None,
            wide: false,
        }
    }
}

/// Where the lines of a step's text stand in the file.
#[derive(Debug, Clone, Copy)]
pub enum Lines<'d, 's> {
    /// In this scalar.
    Of(Node<'d, 's>),
    /// The first on this line, the others after it.
    From(u32),
    /// All on this line: the text does not stand in the file.
    All(u32),
}

/// A publish that a CI system's own task, provider or orb does.
#[derive(Debug, Clone)]
pub struct Known {
    pub tool: Tool,
    pub version: Option<String>,
    pub registry_url: Option<String>,
    pub credential: Credential,
    pub secret: Option<String>,
    pub command: String,
}

/// One step: shell text, a publish of the system's own, or a credential for the steps after it.
#[derive(Debug, Clone)]
pub struct Step<'d, 's> {
    pub index: Option<u32>,
    pub line: u32,
    pub column: u32,
    pub lines: Lines<'d, 's>,
    pub text: String,
    pub variables: Vec<Variable>,
    /// Folder it runs in, relative to the root.
    pub dir: Option<String>,
    pub ignores_failure: bool,
    pub known: Option<Known>,
    /// Name of a stored credential that this step sets up for the later ones.
    pub grants: Option<String>,
}

impl Default for Step<'_, '_> {
    fn default() -> Self {
        Self {
            index: None,
            line: 1,
            column: 1,
            lines: Lines::All(1),
            text: String::new(),
            variables: Vec::new(),
            dir: None,
            ignores_failure: false,
            known: None,
            grants: None,
        }
    }
}

/// One job, its inherited settings filled in.
pub struct Job<'d, 's> {
    pub ci: CiSystem,
    pub file: String,
    pub name: Option<String>,
    pub line: u32,
    pub column: u32,
    pub environment: Option<String>,
    pub runner: Runner,
    pub runner_label: Option<String>,
    pub triggers: Vec<Trigger>,
    pub variables: Vec<Variable>,
    /// Stores of secrets given to the job as a whole: contexts, variable groups.
    pub stores: Vec<String>,
    /// True where an id token with npm's audience is made for it.
    pub id_token: bool,
    pub ignores_failure: bool,
    pub node_version: Option<String>,
    pub steps: Vec<Step<'d, 's>>,
}

impl Checkout<'_> {
    /// Paths of the regular files of one kind.
    pub(super) fn regular(&self, kind: FileKind) -> Vec<String> {
        self.project
            .tree
            .of_kind(kind)
            .into_iter()
            .filter(|e| e.regular)
            .map(|e| e.path.clone())
            .collect()
    }

    /// Packages of the checkout.
    fn packages(&self) -> &Packages {
        self.project.packages
    }

    /// Parses a CI file; what does not parse, and keys that readers disagree about, become findings.
    pub(super) fn parse<'t>(
        &self,
        path: &str,
        text: &'t str,
        merge: bool,
        parts: &mut Found,
    ) -> Option<Yaml<'t>> {
        let yaml = match Yaml::parse(text, merge) {
            Ok(yaml) => yaml,
            Err(error) => {
                let place = match &error {
                    YamlError::Syntax { line, column, .. } => (*line, *column),
                    YamlError::TooManyNodes => (1, 1),
                };
                parts.finding("unreadable-file", path, place, None, &error.to_string());
                return None;
            }
        };
        for problem in &yaml.problems {
            let rule = match problem.kind {
                ProblemKind::DuplicateKey => "duplicate-key",
                ProblemKind::CyclicAlias => "anchor-cycle",
                // GitLab and CircleCI merge; that is what `merge` says.
                ProblemKind::MergeKey if merge => continue,
                ProblemKind::MergeKey => "merge-key",
            };
            parts.finding(
                rule,
                path,
                (problem.line, problem.column),
                None,
                &problem.key,
            );
        }
        Some(yaml)
    }
}

impl Found {
    /// Adds a finding of a rule at line and column; the detail is made visible here.
    pub(super) fn finding(
        &mut self,
        rule: &'static str,
        file: &str,
        at: (u32, u32),
        job: Option<&str>,
        detail: &str,
    ) {
        let place = Place {
            file: file.to_owned(),
            line: at.0,
            column: at.1,
            span: (0, 0),
        };
        self.findings
            .push(rule::detailed(rule, &place, job, detail));
    }

    /// Adds that following stopped at a limit, where it did: what lies behind is not known.
    pub(super) fn cut_at(&mut self, file: &str, at: Option<(u32, u32)>) {
        if let Some(at) = at {
            self.finding("follow-limit", file, at, None, "");
        }
    }

    /// Adds that reading a file went through more aliases than it may: what was read of it is then incomplete.
    pub(super) fn aliases(&mut self, file: &str, yaml: &Yaml<'_>) {
        if yaml.exhausted() {
            self.finding("alias-budget", file, (1, 1), None, "");
        }
    }

    /// Adds that a file names something of another repository, which was not looked at.
    pub(super) fn not_looked_at(&mut self, file: &str, line: u32, column: u32, name: &str) {
        self.finding("unseen-callee", file, (line, column), None, name);
    }
}

/// What the jobs of one file leave for those after them: logins written by jobs that publish nothing themselves.
#[derive(Debug, Default)]
pub struct Earlier {
    auths: Vec<credential::Written>,
    /// A credential that the file names somewhere, for a publish that shows none of its own.
    fallback: Option<credential::Token>,
    /// The registry that a stage before set for npm, where stages share a machine.
    registry: Option<String>,
}

impl Earlier {
    /// Starts with a credential that the file names, and the place.
    pub fn with_credential(named: Option<(String, Place)>) -> Self {
        let fallback = named.map(|(secret, place)| credential::Token {
            secret: Some(secret),
            set_at: Some(place),
        });
        Self {
            fallback,
            ..Self::default()
        }
    }
}

/// Judges one job and adds what follows.
pub fn read(cx: &Checkout<'_>, job: &Job<'_, '_>, earlier: &mut Earlier, parts: &mut Found) {
    judge::Judge::new(cx, job, parts).run(earlier);
}

impl Lines<'_, '_> {
    /// The file's line for line `index` (from 0) of the text.
    fn at(self, index: u32, needle: &str) -> u32 {
        match self {
            Lines::Of(node) => node.line_within(index, needle),
            Lines::From(line) => line.saturating_add(index),
            Lines::All(line) => line,
        }
    }
}

/// True for the audience of an id token that npm takes: `npm:` and the registry's host
/// (<https://docs.npmjs.com/trusted-publishers>).
pub fn is_npm_audience(audience: &str) -> bool {
    audience
        .trim()
        .strip_prefix("npm:")
        .is_some_and(|host| host.eq_ignore_ascii_case(crate::assets::npm_host()))
}

/// The Node version that an image's name states: `node:22.14-alpine`, `cimg/node:lts`.
pub fn node_of_image(image: &str) -> Option<String> {
    let (name, tag) = image.rsplit_once(':')?;
    let name = name.rsplit('/').next()?;
    if name != "node" || tag.contains(['<', '$', '{']) {
        return None;
    }
    let version = tag.split('-').next()?;
    (!version.is_empty()).then(|| version.to_owned())
}

#[cfg(test)]
pub(in crate::scan) mod tests;
