//! The packages of a checkout: manifests, workspaces, package manager, release tools.
//!
//! Owns what package.json and the workspace files say, including which packages a publish can reach.
//! Pure: it is given paths and texts, reads no file itself and runs nothing of them.
//! A file that does not parse becomes an [`Unreadable`] and never silences the rest.

mod json;
mod manifest;
mod repository;
mod workspace;

use std::collections::HashMap;

use super::Package;

use manifest::read_manifest;

pub use json::without_comments;
pub use repository::{Repository, repository};
pub use workspace::Glob;

/// Names of files that [`Packages::collect`] wants to be given, wherever they stand in a checkout.
///
/// Of the lock files only the presence counts; their text may be left empty.
pub const FILE_NAMES: &[&str] = &[
    "package.json",
    "pnpm-workspace.yaml",
    "lerna.json",
    "nx.json",
    "rush.json",
    "project.json",
    ".yarnrc.yml",
    "yarn.lock",
    "pnpm-lock.yaml",
    "package-lock.json",
    "npm-shrinkwrap.json",
    "bun.lock",
    "bun.lockb",
];

/// Folders that hold examples of packages rather than packages, unless a workspace pattern names them.
const FIXTURE_FOLDERS: &[&str] = &[
    "__fixtures__",
    "__mocks__",
    "__testfixtures__",
    "__tests__",
    "demo",
    "demos",
    "e2e",
    "example",
    "examples",
    "fixture",
    "fixtures",
    "playground",
    "playgrounds",
    "spec",
    "template",
    "templates",
    "test",
    "testdata",
    "tests",
    "vendor",
];

/// The program that installs a checkout's dependencies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Manager {
    Npm,
    Pnpm,
    YarnClassic,
    YarnBerry,
    Bun,
}

/// One entry of a manifest's `scripts`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    pub name: String,
    pub text: String,
    /// Line of the entry in its package.json, from 1.
    pub line: u32,
}

/// One package.json, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// What stands in the scan's output; its name is empty where the file has none.
    pub package: Package,
    /// Path of the package.json relative to the root.
    pub file: String,
    pub scripts: Vec<Script>,
    /// `repository.directory`.
    pub repository_directory: Option<String>,
    /// Line of `repository`, or of `name` where it is missing; 1 where both are.
    pub repository_line: u32,
    /// Version ranges of the release tools among the dependencies, as written.
    pub tools: Vec<(String, String)>,
    /// `engines.node`, as written.
    pub node_engine: Option<String>,
    /// Name and version of `packageManager`, `devEngines.packageManager` or `volta`.
    manager: Option<(String, Option<String>)>,
    /// Names and patterns of `workspaces`, where it is one.
    workspaces: Option<Vec<String>>,
}

/// A file of interest that could not be read as what its name says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    pub file: String,
    pub line: u32,
    pub column: u32,
    /// What the parser says; not made visible yet.
    pub why: String,
}

/// All manifests of one checkout.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Packages {
    /// Sorted by path.
    manifests: Vec<Manifest>,
    by_folder: HashMap<String, usize>,
    /// Manifests that have a script, by its name: most words of a command line name none.
    by_script: HashMap<String, Vec<usize>>,
    lock_files: HashMap<String, Manager>,
    workspace_roots: Vec<String>,
    pub unreadable: Vec<Unreadable>,
}

impl Packages {
    /// Reads the given files, `(path relative to the root, text)`; files of other names are passed over.
    pub fn collect<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut all = Packages::default();
        let mut layout = workspace::Layout::default();
        for (path, text) in files {
            let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
            let result = match name {
                "package.json" => read_manifest(path, folder, text).map(|m| {
                    if let Some(patterns) = &m.workspaces {
                        layout.add_root(folder, patterns.clone());
                    }
                    all.manifests.push(m);
                }),
                "pnpm-workspace.yaml" => layout.add_pnpm(path, folder, text),
                "lerna.json" => layout.add_lerna(path, folder, text),
                "rush.json" => layout.add_rush(path, folder, text),
                "nx.json" => layout.add_nx(folder),
                "project.json" => layout.add_project(folder),
                _ => {
                    all.note_lock_file(folder, name);
                    Ok(())
                }
            };
            all.unreadable.extend(result.err());
        }
        all.manifests
            .sort_by(|a, b| a.package.path.cmp(&b.package.path));
        for (index, manifest) in all.manifests.iter_mut().enumerate() {
            all.by_folder.insert(manifest.package.path.clone(), index);
            for script in &manifest.scripts {
                let known = all.by_script.entry(script.name.clone()).or_default();
                if known.last() != Some(&index) {
                    known.push(index);
                }
            }
            manifest.package.workspace =
                manifest.package.path.is_empty() || layout.holds(&manifest.package.path);
        }
        all.workspace_roots = layout.into_root_folders();
        all
    }

    fn note_lock_file(&mut self, folder: &str, name: &str) {
        let manager = match name {
            ".yarnrc.yml" => Manager::YarnBerry,
            "yarn.lock" => Manager::YarnClassic,
            "pnpm-lock.yaml" => Manager::Pnpm,
            "package-lock.json" | "npm-shrinkwrap.json" => Manager::Npm,
            "bun.lock" | "bun.lockb" => Manager::Bun,
            _ => return,
        };
        // `.yarnrc.yml` beside `yarn.lock` means berry, whatever order they come in.
        self.lock_files
            .entry(folder.to_owned())
            .and_modify(|old| {
                if manager == Manager::YarnBerry {
                    *old = manager;
                }
            })
            .or_insert(manager);
    }

    /// All manifests, sorted by folder.
    pub fn manifests(&self) -> &[Manifest] {
        &self.manifests
    }

    /// The packages as a scan lists them: those with a name.
    pub fn list(&self) -> Vec<Package> {
        self.manifests
            .iter()
            .filter(|m| !m.package.name.is_empty())
            .map(|m| m.package.clone())
            .collect()
    }

    /// The manifest in exactly this folder (empty for the root).
    pub fn at(&self, folder: &str) -> Option<&Manifest> {
        self.by_folder
            .get(clean(folder))
            .and_then(|&i| self.manifests.get(i))
    }

    /// The manifest of the nearest folder from this one up to the root.
    pub fn nearest(&self, folder: &str) -> Option<&Manifest> {
        ancestors(clean(folder)).find_map(|f| self.at(f))
    }

    /// The manifest of the package with this name.
    pub fn named(&self, name: &str) -> Option<&Manifest> {
        self.manifests
            .iter()
            .find(|m| m.package.name == name && m.package.workspace)
    }

    /// Manifests that have a script of this name, in order of their paths.
    pub fn with_script(&self, name: &str) -> impl Iterator<Item = &Manifest> {
        let found = self.by_script.get(name).map_or(&[][..], Vec::as_slice);
        found.iter().filter_map(|&i| self.manifests.get(i))
    }

    /// A script by name, from the nearest manifest of a folder; the manifest says which file it stands in.
    pub fn script(&self, folder: &str, name: &str) -> Option<(&Manifest, &Script)> {
        self.by_script.get(name)?;
        let manifest = self.nearest(folder)?;
        let script = manifest.scripts.iter().find(|s| s.name == name)?;
        Some((manifest, script))
    }

    /// The version range of a release tool as stated nearest to a folder.
    pub fn tool_version(&self, folder: &str, tool: &str) -> Option<&str> {
        ancestors(clean(folder))
            .filter_map(|f| self.at(f))
            .find_map(|m| {
                m.tools
                    .iter()
                    .find(|(name, _)| name == tool)
                    .map(|(_, version)| version.as_str())
            })
    }

    /// The package manager of a folder and its version where stated: `packageManager` and its likes first,
    /// then the nearest lock file.
    pub fn manager(&self, folder: &str) -> Option<(Manager, Option<&str>)> {
        for at in ancestors(clean(folder)) {
            if let Some((name, version)) = self.at(at).and_then(|m| m.manager.as_ref()) {
                let version = version.as_deref();
                let found = match name.as_str() {
                    "npm" => Manager::Npm,
                    "pnpm" => Manager::Pnpm,
                    "bun" => Manager::Bun,
                    "yarn" => self.yarn_kind(at, version),
                    _ => continue,
                };
                return Some((found, version));
            }
            if let Some(&found) = self.lock_files.get(at) {
                return Some((found, None));
            }
        }
        None
    }

    /// Which yarn a bare `yarn` is in this folder. Without `.yarnrc.yml` and a stated version it is the classic one.
    pub fn yarn(&self, folder: &str) -> Manager {
        match self.manager(folder) {
            Some((found @ (Manager::YarnClassic | Manager::YarnBerry), _)) => found,
            _ => self.yarn_kind(clean(folder), None),
        }
    }

    fn yarn_kind(&self, folder: &str, version: Option<&str>) -> Manager {
        let major = version.and_then(first_number);
        match major {
            Some(0 | 1) => Manager::YarnClassic,
            Some(_) => Manager::YarnBerry,
            None if ancestors(folder)
                .any(|f| self.lock_files.get(f) == Some(&Manager::YarnBerry)) =>
            {
                Manager::YarnBerry
            }
            None if version.is_some_and(|v| v == "berry" || v == "stable") => Manager::YarnBerry,
            None => Manager::YarnClassic,
        }
    }

    /// True where the checkout declares workspaces of any kind.
    pub fn has_workspaces(&self) -> bool {
        !self.workspace_roots.is_empty()
    }

    /// Names of all packages that a release of the whole checkout can publish: not private, named, and in a
    /// workspace. Without workspaces and without a root manifest, every one outside fixture folders.
    pub fn publishable(&self) -> Vec<String> {
        let loose = !self.has_workspaces() && self.at("").is_none();
        self.manifests
            .iter()
            .map(|m| &m.package)
            .filter(|p| !p.private && !p.name.is_empty())
            .filter(|p| p.workspace || (loose && !in_fixture_folder(&p.path)))
            .map(|p| p.name.clone())
            .collect()
    }

    /// Names of the packages that a publish of one package reaches when run in this folder.
    ///
    /// Empty where that folder's package is private or unknown.
    pub fn publishable_at(&self, folder: &str) -> Vec<String> {
        self.at(folder)
            .map(|m| &m.package)
            .filter(|p| !p.private && !p.name.is_empty())
            .map(|p| vec![p.name.clone()])
            .unwrap_or_default()
    }
}

/// True where a folder on the way is one that holds examples rather than packages.
fn in_fixture_folder(path: &str) -> bool {
    path.split('/').any(|part| FIXTURE_FOLDERS.contains(&part))
}

/// A folder as it stands in this file's tables: without `./`, leading and trailing slashes.
fn clean(folder: &str) -> &str {
    let folder = folder.trim_matches('/');
    let folder = folder.strip_prefix("./").unwrap_or(folder);
    if folder == "." {
        ""
    } else {
        folder.trim_matches('/')
    }
}

/// The folder itself, then each above it, to the root.
fn ancestors(folder: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(folder), |f| {
        if f.is_empty() {
            None
        } else {
            Some(f.rsplit_once('/').map_or("", |(up, _)| up))
        }
    })
}

/// The first run of digits of a version or range: 4 of `^4.1.0`.
fn first_number(version: &str) -> Option<u32> {
    let start = version.find(|c: char| c.is_ascii_digit())?;
    let digits = version.get(start..)?;
    let end = digits
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(digits.len());
    digits.get(..end)?.parse().ok()
}

#[cfg(test)]
mod tests;
