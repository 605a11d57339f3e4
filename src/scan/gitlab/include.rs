//! The files of a GitLab pipeline: local includes, child pipelines, and text templates of pipelines.
//!
//! Reads the checkout only; an include from elsewhere becomes a finding.

use std::collections::BTreeSet;

use super::super::checkout::{Checkout, Found};
use super::super::package::Glob;
use super::super::tree;
use super::super::yaml::{Node, Yaml};
use super::{DEPTH, FILE_CAP};

/// Reads a file and, after it, all it includes: earlier in the list means stronger.
pub(super) fn gather(
    cx: &Checkout<'_>,
    parts: &mut Found,
    path: &str,
    seen: &mut BTreeSet<String>,
    sources: &mut Vec<(String, String)>,
    depth: u32,
) {
    if seen.contains(path) {
        return;
    }
    if depth > DEPTH || sources.len() >= FILE_CAP {
        return parts.cut_at(path, Some((1, 1)));
    }
    seen.insert(path.to_owned());
    let Some(text) = cx.read(path, parts) else {
        return;
    };
    let text = if path.ends_with(".tpl") {
        without_templates(&text)
    } else {
        text
    };
    let Some(yaml) = cx.parse(path, &text, true, parts) else {
        return;
    };
    let mut locals = Vec::new();
    for document in yaml.documents() {
        if let Some(include) = document.get("include") {
            includes(cx, parts, path, include, &mut locals);
        }
    }
    sources.push((path.to_owned(), text.clone()));
    for local in locals.into_iter().rev() {
        gather(cx, parts, &local, seen, sources, depth + 1);
    }
}

pub(super) fn includes(
    cx: &Checkout<'_>,
    parts: &mut Found,
    path: &str,
    include: Node<'_, '_>,
    locals: &mut Vec<String>,
) {
    let items = if include.is_seq() {
        include.items()
    } else {
        vec![include]
    };
    for item in items {
        let local = item
            .as_str()
            .filter(|s| !s.contains("://"))
            .or_else(|| item.get("local")?.as_str());
        if let Some(local) = local {
            let local = local.trim_start_matches('/');
            if local.contains('*') {
                let globs = Glob::parse(local);
                let before = locals.len();
                let names = cx
                    .project
                    .tree
                    .entries()
                    .iter()
                    .filter(|e| e.regular && globs.iter().any(|g| g.matches(&e.path)));
                locals.extend(names.map(|e| e.path.clone()));
                if locals.len() == before {
                    parts.not_looked_at(path, item.line(), item.column(), local);
                }
            } else {
                locals.extend(tree::join("", local));
            }
            continue;
        }
        let outside = ["project", "remote", "template", "component"]
            .iter()
            .find_map(|key| item.get(key)?.as_str())
            .or_else(|| item.as_str());
        if let Some(name) = outside {
            parts.not_looked_at(path, item.line(), item.column(), name);
        }
    }
}

/// Local files that a job of this text starts as a pipeline of its own.
pub(super) fn children(path: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    // A second look at the few files that have the word at all.
    let Some(yaml) = Some(text)
        .filter(|t| t.contains("trigger:"))
        .and_then(|t| Yaml::parse(t, true).ok())
    else {
        return found;
    };
    for (_, job) in yaml.documents().flat_map(Node::entries) {
        let Some(include) = job.at(&["trigger", "include"]) else {
            continue;
        };
        let items = if include.is_seq() {
            include.items()
        } else {
            vec![include]
        };
        for item in items {
            let local = item.as_str().or_else(|| item.get("local")?.as_str());
            let local = local.filter(|l| !l.contains("://") && *l != path);
            found.extend(local.and_then(|l| tree::join("", l.trim_start_matches('/'))));
        }
    }
    found
}

/// Blanks the `{{ … }}` of a text template where they fill a line, and puts a word in their place elsewhere,
/// so that the rest reads as YAML. Lines keep their numbers.
pub(super) fn without_templates(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let mut rest = line;
        let mut kept = String::new();
        let mut removed = false;
        while let Some((before, tail)) = rest.split_once("{{") {
            let Some((directive, after)) = tail.split_once("}}") else {
                break;
            };
            kept.push_str(before);
            let directive = directive.trim_matches('-').trim();
            let control = [
                "range", "end", "if", "else", "with", "define", "block", "template", "$",
            ]
            .iter()
            .any(|word| directive.starts_with(word) && (*word != "$" || directive.contains(":=")));
            if !control {
                kept.push_str("template");
            }
            removed |= control;
            rest = after;
        }
        kept.push_str(rest);
        if removed && kept.trim().is_empty() {
            out.push('\n');
        } else {
            out.push_str(&kept);
        }
    }
    out
}
