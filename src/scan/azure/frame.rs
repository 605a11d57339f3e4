//! What holds at a place of an Azure pipeline: the file, the parameters, the pool and the variables set so far.
//!
//! Owns how `${{ parameters.x }}` and template names are read. Evaluates no other expression.

use std::collections::BTreeMap;

use super::super::job::Variable;
use super::super::tree;
use super::super::yaml::Node;

/// The file a template name means; `None` where it stands in another repository or has an expression in it.
///
/// A name with `@self` starts at the root of the repository, any other at the folder of the file that names it.
pub(super) fn template_path(
    from: &str,
    name: &str,
    is_there: impl Fn(&str) -> bool,
) -> Option<String> {
    let own = name.strip_suffix("@self");
    let name = own.unwrap_or(name);
    if name.contains('@') || name.contains("${{") {
        return None;
    }
    let rooted = tree::join("", name.strip_prefix('/').unwrap_or(name));
    if name.starts_with('/') || own.is_some() && rooted.as_deref().is_some_and(is_there) {
        return rooted;
    }
    let folder = from.rsplit_once('/').map_or("", |(f, _)| f);
    tree::join(folder, name)
}

/// A value of a template's parameter, with the file that it stands in: a list of steps runs where it is handed to, and
/// is read where it is written.
#[derive(Clone, Copy)]
pub(super) struct Handed<'d, 's> {
    pub(super) file: &'d str,
    pub(super) node: Node<'d, 's>,
}

/// What holds for the node being walked.
#[derive(Clone, Default)]
pub(super) struct Frame<'d, 's> {
    pub(super) file: &'d str,
    pub(super) parameters: BTreeMap<String, Handed<'d, 's>>,
    pub(super) stage: Option<String>,
    pub(super) pool: Option<Node<'d, 's>>,
    pub(super) variables: Vec<Variable>,
    pub(super) groups: Vec<String>,
    pub(super) depth: u32,
}

impl<'d, 's> Frame<'d, 's> {
    /// The node that `${{ parameters.x }}` alone stands for.
    pub(super) fn parameter(&self, text: &str) -> Option<Handed<'d, 's>> {
        let inner = text.trim().strip_prefix("${{")?.strip_suffix("}}")?.trim();
        self.parameters.get(parameter_name(inner)?).copied()
    }

    /// Puts the texts of known parameters in their place.
    pub(super) fn fill(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, tail)) = rest.split_once("${{") {
            let Some((name, after)) = tail.split_once("}}") else {
                break;
            };
            out.push_str(before);
            let value = parameter_name(name.trim())
                .and_then(|n| self.parameters.get(n))
                .and_then(|handed| handed.node.as_str());
            match value {
                Some(value) => out.push_str(value),
                None => {
                    out.push_str("${{");
                    out.push_str(name);
                    out.push_str("}}");
                }
            }
            rest = after;
        }
        out.push_str(rest);
        out
    }
}

/// `x` of `parameters.x` and `parameters['x']`.
pub(super) fn parameter_name(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("parameters")?;
    rest.strip_prefix('.')
        .or_else(|| rest.strip_prefix("['")?.strip_suffix("']"))
}

/// A template's own values, as `file` states them: a list of named parameters, or the older mapping.
pub(super) fn defaults<'d, 's>(
    root: Node<'d, 's>,
    file: &'d str,
) -> BTreeMap<String, Handed<'d, 's>> {
    let mut found = BTreeMap::new();
    let Some(parameters) = root.get("parameters") else {
        return found;
    };
    for (key, value) in parameters.entries() {
        found.extend(
            key.as_str()
                .map(|k| (k.to_owned(), Handed { file, node: value })),
        );
    }
    for item in parameters.items() {
        if let (Some(name), Some(value)) =
            (item.get("name").and_then(Node::as_str), item.get("default"))
        {
            found.insert(name.to_owned(), Handed { file, node: value });
        }
    }
    found
}
