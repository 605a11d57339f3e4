//! Which folders are members of a workspace, in the forms of npm, yarn, pnpm, lerna, nx and rush.
//!
//! Owns the patterns and their matching. It never looks at a file system: members are judged by path.

use serde::Deserialize;

use super::{FIXTURE_FOLDERS, Unreadable, ancestors, in_fixture_folder, json};

/// Patterns longer or wider than this are not expanded: they come from the scanned tree.
const MAX_BRACE_FORMS: usize = 256;

/// The workspace declarations of one checkout.
#[derive(Debug, Default)]
pub(super) struct Layout {
    /// Folder of the declaration, and its patterns in order.
    roots: Vec<(String, Vec<Glob>)>,
    /// Folders with an nx.json, and those with a project.json.
    nx: Vec<String>,
    projects: Vec<String>,
}

#[derive(Deserialize)]
struct PnpmWorkspace {
    #[serde(default)]
    packages: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Lerna {
    packages: Option<Vec<String>>,
    #[serde(default, rename = "useWorkspaces")]
    use_workspaces: bool,
}

#[derive(Deserialize)]
struct Rush {
    #[serde(default)]
    projects: Vec<RushProject>,
}

#[derive(Deserialize)]
struct RushProject {
    #[serde(rename = "projectFolder")]
    folder: String,
}

impl Layout {
    pub(super) fn add_root(&mut self, folder: &str, patterns: Vec<String>) {
        // A workspace that is itself a test's or a template's material publishes nothing.
        if in_fixture_folder(folder) {
            return;
        }
        let globs = patterns.iter().flat_map(|p| Glob::parse(p)).collect();
        self.roots.push((folder.to_owned(), globs));
    }

    pub(super) fn add_pnpm(
        &mut self,
        path: &str,
        folder: &str,
        text: &str,
    ) -> Result<(), Unreadable> {
        if text.trim().is_empty() {
            return Ok(());
        }
        let read: PnpmWorkspace = serde_saphyr::from_str(text).map_err(|e| {
            let at = e.location();
            Unreadable {
                file: path.to_owned(),
                line: at.map_or(1, |l| u32::try_from(l.line()).unwrap_or(1)),
                column: at.map_or(1, |l| u32::try_from(l.column()).unwrap_or(1)),
                why: e.to_string(),
            }
        })?;
        // Settings-only files (pnpm 10 keeps its settings here) declare no workspace.
        if let Some(packages) = read.packages {
            self.add_root(folder, packages);
        }
        Ok(())
    }

    pub(super) fn add_lerna(
        &mut self,
        path: &str,
        folder: &str,
        text: &str,
    ) -> Result<(), Unreadable> {
        let read: Lerna = json::parse_lenient(path, text)?;
        match read.packages {
            Some(packages) => self.add_root(folder, packages),
            // Lerna's own default before it took the package manager's workspaces (version 7).
            None if !read.use_workspaces => self.add_root(folder, vec!["packages/*".to_owned()]),
            None => {}
        }
        Ok(())
    }

    pub(super) fn add_rush(
        &mut self,
        path: &str,
        folder: &str,
        text: &str,
    ) -> Result<(), Unreadable> {
        let read: Rush = json::parse_lenient(path, text)?;
        self.add_root(
            folder,
            read.projects.into_iter().map(|p| p.folder).collect(),
        );
        Ok(())
    }

    pub(super) fn add_nx(&mut self, folder: &str) -> Result<(), Unreadable> {
        self.nx.push(folder.to_owned());
        Ok(())
    }

    pub(super) fn add_project(&mut self, folder: &str) -> Result<(), Unreadable> {
        self.projects.push(folder.to_owned());
        Ok(())
    }

    /// True where a package in this folder belongs to a workspace of the checkout.
    pub(super) fn holds(&self, folder: &str) -> bool {
        let by_pattern = self.roots.iter().any(|(root, globs)| {
            // The root of a workspace is a package of its own.
            folder == root || below(root, folder).is_some_and(|path| member(globs, path))
        });
        by_pattern
            || self.projects.iter().any(|p| p == folder)
                && !in_fixture_folder(folder)
                && ancestors(folder).any(|f| self.nx.iter().any(|n| n == f))
    }

    pub(super) fn into_root_folders(self) -> Vec<String> {
        let nx = if self.projects.is_empty() {
            Vec::new()
        } else {
            self.nx
        };
        self.roots
            .into_iter()
            .map(|(root, _)| root)
            .chain(nx)
            .collect()
    }
}

/// The path of `folder` below `root`, if it is there.
fn below<'a>(root: &str, folder: &'a str) -> Option<&'a str> {
    if root.is_empty() {
        Some(folder)
    } else {
        folder.strip_prefix(root)?.strip_prefix('/')
    }
}

/// Later patterns win over earlier ones, as in npm and pnpm.
fn member(globs: &[Glob], path: &str) -> bool {
    globs
        .iter()
        .rev()
        .find(|g| g.matches(path))
        .is_some_and(|g| !g.negated)
}

/// One workspace pattern, without braces: `*`, `?`, `**` and a leading `!`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob {
    segments: Vec<String>,
    negated: bool,
}

impl Glob {
    /// Reads a pattern; `{a,b}` gives one glob for each form.
    pub fn parse(pattern: &str) -> Vec<Self> {
        let (negated, body) = match pattern.trim().strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, pattern.trim()),
        };
        let mut forms = Vec::new();
        expand_braces(body, &mut forms);
        forms
            .iter()
            .map(|form| {
                let mut segments: Vec<String> = Vec::new();
                for part in form.split('/').filter(|p| !p.is_empty() && *p != ".") {
                    if part != "**" || segments.last().is_none_or(|last| last != "**") {
                        segments.push(part.to_owned());
                    }
                }
                // Some repositories name the manifest itself.
                if segments.last().is_some_and(|s| s == "package.json") {
                    segments.pop();
                }
                Glob { segments, negated }
            })
            .collect()
    }

    /// Judges a folder, relative to the workspace root. A folder of examples on the way must be named by the
    /// pattern itself: wildcards do not reach into it.
    pub fn matches(&self, path: &str) -> bool {
        let parts: Vec<&str> = path.split('/').filter(|p| !p.is_empty()).collect();
        let named = |part: &str| self.segments.iter().any(|s| s == part);
        if !self.negated
            && parts
                .iter()
                .any(|p| FIXTURE_FOLDERS.contains(p) && !named(p))
        {
            return false;
        }
        match_segments(&self.segments, &parts)
    }
}

/// Matches segment by segment with one row of a table, so that many `**` cost no more than their product.
fn match_segments(pattern: &[String], parts: &[&str]) -> bool {
    // reach[i]: the first i parts are matched by the pattern's segments so far.
    let mut reach = vec![false; parts.len() + 1];
    if let Some(first) = reach.first_mut() {
        *first = true;
    }
    for segment in pattern {
        if segment == "**" {
            let mut seen = false;
            for slot in &mut reach {
                seen |= *slot;
                *slot = seen;
            }
        } else {
            let moved = reach
                .iter()
                .zip(parts)
                .map(|(&from, part)| from && wild(segment.as_bytes(), part.as_bytes()));
            reach = std::iter::once(false).chain(moved).collect();
        }
    }
    reach.last().copied().unwrap_or(false)
}

/// `*` and `?` within one segment.
fn wild(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while let Some(&c) = text.get(t) {
        match pattern.get(p) {
            Some(b'*') => {
                back = Some((p, t));
                p += 1;
            }
            Some(&q) if q == b'?' || q == c => {
                p += 1;
                t += 1;
            }
            _ => match back {
                Some((star, from)) => {
                    back = Some((star, from + 1));
                    p = star + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern
        .get(p..)
        .unwrap_or_default()
        .iter()
        .all(|&q| q == b'*')
}

fn expand_braces(pattern: &str, out: &mut Vec<String>) {
    let mut open = vec![pattern.to_owned()];
    while let Some(form) = open.pop() {
        if out.len() + open.len() >= MAX_BRACE_FORMS {
            return;
        }
        let Some((before, inner, after)) = first_brace(&form) else {
            out.push(form);
            continue;
        };
        open.extend(
            inner
                .split(',')
                .rev()
                .map(|choice| format!("{before}{choice}{after}")),
        );
    }
}

/// The innermost first `{a,b}`: what stands before, inside and after it.
fn first_brace(form: &str) -> Option<(&str, &str, &str)> {
    let close = form.find('}')?;
    let (head, after) = (form.get(..close)?, form.get(close + 1..)?);
    let open = head.rfind('{')?;
    Some((head.get(..open)?, head.get(open + 1..)?, after))
}
