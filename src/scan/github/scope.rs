//! Variables in reach of a step and what they come from: secrets, inputs, outputs or literal text.
//!
//! Holds names only; a literal that stands in a file is known to be there and is not looked at.

use std::borrow::Cow;
use std::collections::HashSet;

use super::super::Place;
use super::super::expression::{self, Ref};
use super::super::tool;
use super::flow::{Job, Passed, Variable};
pub(super) use crate::model::token_name::{
    is_npm_secret as is_npm_name, is_read_only as is_read_only_name,
};

/// What a value comes from, as far as a credential is concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    Secret(String),
    GithubToken,
    /// An input that nobody bound yet: the caller's business.
    Input,
    /// A step's output, a repository variable or a command's output.
    Computed,
    Literal,
}

/// How near to the publish a variable is set; nearer ones win.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Command,
    Step,
    Input,
    Written,
    Job,
    Workflow,
}

/// One variable as a step sees it.
#[derive(Debug, Clone)]
pub(super) struct Seen<'d> {
    pub name: Cow<'d, str>,
    pub raw: Cow<'d, str>,
    pub sources: Vec<Source>,
    pub place: Place,
    pub level: Level,
}

/// One input of the called action or workflow, with what the caller gave.
#[derive(Debug, Clone)]
pub(super) struct Bound {
    pub name: String,
    pub sources: Vec<Source>,
    /// The text, where it is literal.
    pub literal: Option<String>,
    /// True where the text is the only one it can be, whatever the matrix.
    pub only: bool,
}

/// What secrets a called workflow gets.
#[derive(Debug, Clone)]
pub(super) enum Secrets {
    /// Not called from here, or with `secrets: inherit`: names are the repository's own.
    Own,
    Given(Vec<Bound>),
}

/// All that a step can name.
#[derive(Debug, Clone)]
pub(super) struct Scope<'d> {
    pub file: &'d str,
    pub env: Vec<Seen<'d>>,
    pub inputs: Vec<Bound>,
    /// Inputs that are declared but not bound.
    pub open_inputs: Vec<(&'d str, Option<&'d str>)>,
    pub matrix: Vec<(&'d str, Vec<&'d str>)>,
    pub secrets: Secrets,
    /// Folder of the action whose steps these are.
    pub action_folder: Option<String>,
}

impl<'d> Scope<'d> {
    pub fn new(file: &'d str) -> Self {
        Self {
            file,
            env: Vec::new(),
            inputs: Vec::new(),
            open_inputs: Vec::new(),
            matrix: Vec::new(),
            secrets: Secrets::Own,
            action_folder: None,
        }
    }

    /// Adds an `env` block.
    pub fn push(&mut self, variables: &[Variable<'d>], level: Level) {
        for v in variables {
            let sources = self.sources(v.value);
            let place = Place {
                file: self.file.to_owned(),
                line: v.line,
                column: v.column,
                span: (0, 0),
            };
            self.env.push(Seen {
                name: v.name.into(),
                raw: v.value.into(),
                sources,
                place,
                level,
            });
        }
    }

    /// Gives the variable that a name means here: the last one set.
    pub fn lookup(&self, name: &str) -> Option<&Seen<'d>> {
        self.env.iter().rev().find(|s| s.name == name)
    }

    /// Lists each variable once, as it counts here.
    pub fn effective(&self) -> Vec<&Seen<'d>> {
        let mut known: HashSet<&str> = HashSet::with_capacity(self.env.len());
        let last_first = self.env.iter().rev();
        last_first.filter(|seen| known.insert(&seen.name)).collect()
    }

    /// Tells what a value with expressions comes from; empty for an empty value.
    pub fn sources(&self, value: &str) -> Vec<Source> {
        if !expression::is_dynamic(value) {
            let text = (!value.trim().is_empty()).then_some(Source::Literal);
            return text.into_iter().collect();
        }
        let mut out = Vec::new();
        for found in expression::refs(value) {
            self.source(found, &mut out, 0);
        }
        out.dedup();
        out
    }

    fn source(&self, found: Ref, out: &mut Vec<Source>, depth: u32) {
        if depth > 4 {
            return;
        }
        match found {
            Ref::Secret(name) => match &self.secrets {
                Secrets::Own => out.push(Source::Secret(name)),
                Secrets::Given(given) => {
                    if let Some(bound) = given.iter().find(|b| b.name.eq_ignore_ascii_case(&name)) {
                        out.extend(bound.sources.iter().cloned());
                    }
                }
            },
            Ref::GithubToken => out.push(Source::GithubToken),
            Ref::Input(name) => self.input(&name, out, depth),
            Ref::Env(name) => {
                if let Some(seen) = self.lookup(&name) {
                    out.extend(seen.sources.iter().cloned());
                }
            }
            Ref::Matrix(name) => match self.matrix.iter().find(|(n, _)| *n == name) {
                Some(_) => out.push(Source::Literal),
                None => out.push(Source::Computed),
            },
            Ref::Var(_) | Ref::Output(_) => out.push(Source::Computed),
            Ref::Literal(_) | Ref::Other(_) => out.push(Source::Literal),
        }
    }

    fn input(&self, name: &str, out: &mut Vec<Source>, depth: u32) {
        if let Some(bound) = self
            .inputs
            .iter()
            .find(|b| b.name.eq_ignore_ascii_case(name))
        {
            out.extend(bound.sources.iter().cloned());
        } else if let Some((_, default)) = self
            .open_inputs
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
        {
            out.push(Source::Input);
            for found in expression::refs(default.unwrap_or("")) {
                if !matches!(found, Ref::Literal(_)) {
                    self.source(found, out, depth + 1);
                }
            }
        }
    }

    /// Tells what a shell text comes from: its variables looked up here, its expressions resolved.
    pub fn shell_sources(&self, text: &str, local: &[(String, String)]) -> Vec<Source> {
        let mut out = self.sources(text);
        out.retain(|s| *s != Source::Literal);
        for name in tool::variables(text) {
            self.shell_variable(&name, local, &mut out, 0);
        }
        if text.contains("$(") {
            out.push(Source::Computed);
        }
        out.dedup();
        out
    }

    fn shell_variable(
        &self,
        name: &str,
        local: &[(String, String)],
        out: &mut Vec<Source>,
        depth: u32,
    ) {
        let given = local.iter().rev().find(|(n, _)| n == name);
        if let Some((_, value)) = given
            && depth < 4
        {
            if value.contains("$(") {
                out.push(Source::Computed);
                return;
            }
            let before = out.len();
            out.extend(
                self.sources(value)
                    .into_iter()
                    .filter(|s| *s != Source::Literal),
            );
            for inner in tool::variables(value) {
                // `docker run -e NAME` hands on the variable of the same name.
                let outer: &[(String, String)] = if inner == name { &[] } else { local };
                self.shell_variable(&inner, outer, out, depth + 1);
            }
            if out.len() == before && !value.is_empty() && !value.contains('$') {
                out.push(Source::Literal);
            }
            return;
        }
        if let Some(seen) = self.lookup(name) {
            out.extend(seen.sources.iter().cloned());
        }
    }

    /// Puts literal values in the place of `${{ env.X }}`, `${{ inputs.X }}` and `${{ matrix.X }}`; one text per matrix value.
    pub fn substitute(&self, text: &str) -> Vec<String> {
        if !text.contains("${{") {
            return vec![text.to_owned()];
        }
        let mut texts = vec![String::new()];
        let mut rest = text;
        while let Some((before, inner)) = rest.split_once("${{") {
            let (body, after) = inner.split_once("}}").unwrap_or((inner, ""));
            let values = self.literals(body.trim());
            for t in &mut texts {
                t.push_str(before);
            }
            match values.len() {
                0 => texts
                    .iter_mut()
                    .for_each(|t| t.push_str(&format!("${{{{{body}}}}}"))),
                1 => texts
                    .iter_mut()
                    .for_each(|t| t.push_str(values.first().map_or("", String::as_str))),
                _ if texts.len() == 1 => {
                    let base = texts.pop().unwrap_or_default();
                    texts = values
                        .iter()
                        .take(8)
                        .map(|v| format!("{base}{v}"))
                        .collect();
                }
                n => {
                    for (at, t) in texts.iter_mut().enumerate() {
                        t.push_str(values.get(at % n).map_or("", String::as_str));
                    }
                }
            }
            rest = after;
        }
        texts.iter_mut().for_each(|t| t.push_str(rest));
        texts
    }

    /// Returns the default of an input that is the whole of a text and that no caller is known to set: a command that
    /// an action lets its caller replace.
    pub fn default_of(&self, text: &str) -> Option<&'d str> {
        let name = text.trim().strip_prefix("${{")?.strip_suffix("}}")?.trim();
        let name = name.strip_prefix("inputs.")?;
        let mut open = self.open_inputs.iter();
        let (_, default) = open.find(|(open, _)| open.eq_ignore_ascii_case(name))?;
        default.filter(|text| !text.contains("${{"))
    }

    fn literals(&self, body: &str) -> Vec<String> {
        if body == "github.action_path" {
            let folder = self.action_folder.as_deref().unwrap_or("");
            return vec![if folder.is_empty() {
                ".".to_owned()
            } else {
                folder.to_owned()
            }];
        }
        if body == "github.workspace" {
            return vec![".".to_owned()];
        }
        let Some((context, name)) = body.split_once('.') else {
            return Vec::new();
        };
        if name.contains([' ', '|', '&', '(']) {
            return Vec::new();
        }
        match context {
            "env" => self
                .lookup(name)
                .filter(|s| !s.raw.contains("${{") && !s.raw.is_empty())
                .map(|s| s.raw.to_string())
                .into_iter()
                .collect(),
            "inputs" => {
                let bound = self
                    .inputs
                    .iter()
                    .find(|b| b.name == name)
                    .and_then(|b| b.literal.clone());
                bound.into_iter().collect()
            }
            "matrix" => {
                let last = name.rsplit('.').next().unwrap_or(name);
                let values = self.matrix.iter().find(|(n, _)| *n == last || *n == name);
                values
                    .map(|(_, v)| {
                        v.iter()
                            .filter(|v| !v.contains("${{"))
                            .map(|v| (*v).to_owned())
                            .collect()
                    })
                    .unwrap_or_default()
            }
            _ => Vec::new(),
        }
    }

    /// Binds what a caller hands over, in the caller's own scope.
    pub fn bind(&self, with: &[(&'d str, super::flow::N<'d>)]) -> Vec<Bound> {
        let read = |(name, node): &(&'d str, super::flow::N<'d>)| {
            let text = node.as_str()?;
            let texts = self.substitute(text);
            let only = texts.len() == 1;
            let literal = texts.into_iter().next().filter(|t| !t.contains("${{"));
            Some(Bound {
                name: (*name).to_owned(),
                sources: self.sources(text),
                literal,
                only,
            })
        };
        with.iter().filter_map(read).collect()
    }

    /// Tells whether a condition is false for what the caller handed over.
    pub fn rules_out(&self, condition: Option<&str>) -> bool {
        let known = |path: &str| {
            let name = path.strip_prefix("inputs.")?;
            let mut all = self.inputs.iter();
            all.find(|b| b.only && b.name.eq_ignore_ascii_case(name))?
                .literal
                .clone()
        };
        condition.is_some_and(|c| super::super::expression::decide(c, &known) == Some(false))
    }

    /// Binds the secrets that a caller hands over.
    pub fn bind_secrets(&self, job: &Job<'d>) -> Secrets {
        match &job.secrets {
            Passed::Inherit => self.secrets.clone(),
            Passed::Named(list) => Secrets::Given(
                list.iter()
                    .map(|v| Bound {
                        name: v.name.to_owned(),
                        sources: self.sources(v.value),
                        literal: None,
                        only: false,
                    })
                    .collect(),
            ),
        }
    }
}

/// Gives the first secret among sources.
pub(super) fn secret_of(sources: &[Source]) -> Option<&str> {
    sources.iter().find_map(|s| match s {
        Source::Secret(name) if name != "*" => Some(name.as_str()),
        _ => None,
    })
}

/// Tells whether sources can hold an npm token: anything but literal text and GitHub's own token.
pub(super) fn may_be_token(sources: &[Source]) -> bool {
    sources
        .iter()
        .any(|s| matches!(s, Source::Secret(_) | Source::Input | Source::Computed))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn values_are_put_in() {
        let mut scope = Scope::new("a.yml");
        scope.matrix = vec![("pm", vec!["npm", "pnpm"])];
        scope.inputs = vec![Bound {
            name: "cmd".into(),
            sources: vec![],
            literal: Some("publish".into()),
            only: true,
        }];
        assert_eq!(
            scope.substitute("${{ matrix.pm }} ${{ inputs.cmd }}"),
            ["npm publish", "pnpm publish"]
        );
        assert_eq!(
            scope.substitute("npm ${{ github.ref }}"),
            ["npm ${{ github.ref }}"]
        );
    }
}
