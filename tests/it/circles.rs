//! Files of `src` that know each other in a circle: their number may only fall.
//!
//! A file is tied to each file whose module it names, in a `use` or in a path. Declaring a module or showing its names
//! on (`pub use`) is no tie, and tests do not count. A circle is cut where the shared part moves into a file below both.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Files in circles today. Lower it when the test says so; never raise it.
const IN_CIRCLES: usize = 112;

type Module = Vec<String>;

/// Every file of `src` by its module, tests left out.
fn modules() -> BTreeMap<Module, PathBuf> {
    let mut found = Vec::new();
    files(Path::new("src"), &mut found);
    let modules = found.into_iter().filter_map(|path| {
        let inside = path.strip_prefix("src").unwrap().with_extension("");
        let parts: Module = inside
            .iter()
            .map(|part| part.to_str().unwrap().to_owned())
            .collect();
        let tests = parts.iter().any(|part| part == "tests");
        let module = match parts.as_slice() {
            [root] if root == "lib" => Vec::new(),
            _ => parts,
        };
        (!tests).then_some((module, path))
    });
    modules.collect()
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// Returns the code of a file: no comments, and nothing from its tests on, which stand at its end.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let lines = text.lines().map(|line| match line.find("//") {
        Some(at) if !line[..at].contains('"') => &line[..at],
        _ => line,
    });
    lines.map(|line| format!("{line}\n")).collect()
}

/// Returns each path in a text that begins at the crate, above, here, or in a module that is declared here; groups are
/// spread out.
fn paths(code: &str) -> Vec<Vec<String>> {
    let shown_on = |line: &&str| line.starts_with("pub") && line.contains(" use ");
    let declared = code.lines().filter_map(|line| {
        let (_, rest) = line
            .split_once("mod ")
            .filter(|(before, _)| before.is_empty() || before.starts_with("pub"))?;
        Some(format!("{}::", rest.strip_suffix(';')?))
    });
    let starts = ["crate::", "super::", "self::"].map(str::to_owned);
    let starts: Vec<String> = starts.into_iter().chain(declared).collect();
    let mut kept = String::new();
    let mut shown = false;
    for line in code.lines() {
        shown |= shown_on(&line);
        if !shown {
            kept.push_str(line);
            kept.push('\n');
        }
        shown &= !line.ends_with(';');
    }
    let code = kept.as_str();
    let mut all = Vec::new();
    for start in &starts {
        for (at, _) in code.match_indices(start.as_str()) {
            let before = code[..at].chars().next_back();
            let in_name = before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':');
            // `pub(in crate::x)` says who may know, not who is known.
            if in_name || code[..at].ends_with("(in ") {
                continue;
            }
            // Only a `use` has groups; a path elsewhere ends at its last name.
            spread(&code[at..], &mut Vec::new(), &mut all);
        }
    }
    all
}

/// Reads one path or group, and returns what is left of the text.
fn spread<'a>(text: &'a str, before: &mut Vec<String>, all: &mut Vec<Vec<String>>) -> &'a str {
    let depth = before.len();
    let mut rest = text.trim_start();
    loop {
        if let Some(group) = rest.strip_prefix('{') {
            rest = group.trim_start();
            while !rest.is_empty() && !rest.starts_with('}') {
                rest = spread(rest, before, all).trim_start();
                rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
                if !rest.starts_with(|c: char| c.is_alphabetic() || "_{}*".contains(c)) {
                    break;
                }
            }
            rest = rest.strip_prefix('}').unwrap_or(rest);
            break;
        }
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
        let (name, after) = rest.split_at(end.unwrap_or(rest.len()));
        if name.is_empty() {
            rest = rest.strip_prefix('*').unwrap_or(rest);
            all.push(before.clone());
            break;
        }
        before.push(name.to_owned());
        match after.strip_prefix("::") {
            Some(more) => rest = more.trim_start(),
            None => {
                all.push(before.clone());
                let renamed = after.trim_start().strip_prefix("as ");
                let end = renamed.and_then(|name| name.find([',', '}', ';']));
                rest = renamed.zip(end).map_or(after, |(name, end)| &name[end..]);
                break;
            }
        }
    }
    before.truncate(depth);
    rest
}

/// Returns the module that a path names, seen from a module: the longest beginning that is one.
fn target(path: &[String], here: &Module, known: &BTreeMap<Module, PathBuf>) -> Option<Module> {
    let mut whole = match path.first()?.as_str() {
        "crate" => Vec::new(),
        _ => here.clone(),
    };
    for name in path {
        match name.as_str() {
            "crate" | "self" => {}
            "super" => {
                whole.pop();
            }
            name => whole.push(name.to_owned()),
        }
    }
    while !known.contains_key(&whole) {
        whole.pop()?;
    }
    Some(whole)
}

fn ties(known: &BTreeMap<Module, PathBuf>) -> BTreeMap<Module, BTreeSet<Module>> {
    let ties = known.iter().map(|(here, path)| {
        let code = code(&fs::read_to_string(path).unwrap());
        let paths = paths(&code);
        let named = paths.iter().filter_map(|path| target(path, here, known));
        (here.clone(), named.filter(|named| named != here).collect())
    });
    ties.collect()
}

fn reached(from: &Module, ties: &BTreeMap<Module, BTreeSet<Module>>) -> BTreeSet<Module> {
    let mut all = BTreeSet::new();
    let mut next: Vec<&Module> = ties[from].iter().collect();
    while let Some(one) = next.pop() {
        if all.insert(one.clone()) {
            next.extend(&ties[one]);
        }
    }
    all
}

/// Returns the groups of modules that reach each other, the largest first.
fn circles(ties: &BTreeMap<Module, BTreeSet<Module>>) -> Vec<Vec<String>> {
    let reach: BTreeMap<&Module, BTreeSet<Module>> =
        ties.keys().map(|one| (one, reached(one, ties))).collect();
    let mut circles: Vec<Vec<String>> = Vec::new();
    let mut seen = BTreeSet::new();
    for (one, all) in &reach {
        if !all.contains(*one) || !seen.insert((*one).clone()) {
            continue;
        }
        let others = all.iter().filter(|other| reach[other].contains(*one));
        let circle: Vec<&Module> = others.collect();
        seen.extend(circle.iter().map(|one| (*one).clone()));
        circles.push(circle.iter().map(|one| one.join("::")).collect());
    }
    circles.sort_by_key(|circle| std::cmp::Reverse(circle.len()));
    circles
}

#[test]
fn no_more_files_stand_in_circles_than_before() {
    let circles = circles(&ties(&modules()));
    let count: usize = circles.iter().map(Vec::len).sum();
    let listed: Vec<String> = circles
        .iter()
        .map(|circle| format!("{}: {}", circle.len(), circle.join(", ")))
        .collect();
    let listed = listed.join("\n");
    assert!(
        count <= IN_CIRCLES,
        "{count} files in circles, {IN_CIRCLES} before: cut the new one\n{listed}"
    );
    assert!(
        count == IN_CIRCLES,
        "{count} files in circles: set IN_CIRCLES to it, so that it stays\n{listed}"
    );
}

#[test]
fn paths_are_found_in_every_form() {
    let found = |code: &str| {
        let found = paths(code);
        let found: Vec<String> = found.iter().map(|path| path.join("::")).collect();
        found.join(" ")
    };
    assert_eq!(found("use crate::a::b::C;"), "crate::a::b::C");
    assert_eq!(
        found("use crate::{a::{self, B as D}, c::*};\nuse std::fs;"),
        "crate::a::self crate::a::B crate::c"
    );
    assert_eq!(found("let x = super::y::z(1, 2);"), "super::y::z");
    let child = "mod a;\npub use a::B;\nfn c() {\n    a::d(1);\n}";
    assert_eq!(found(child), "a::d");
}
