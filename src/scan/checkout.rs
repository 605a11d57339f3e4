//! Finds checkouts below paths, names them and runs every reader over each.
//!
//! Nothing here asks git: remote and commit are read from its files as text. One thread a core, one checkout each.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use rayon::prelude::*;

use super::github::registry::may_be_npmjs;
use super::package::Packages;
use super::rule::detailed;
use super::tool::{OWN, Project, bunfig_auth, npmrc_auth, variables, yarnrc_auth};
use super::tree::{FileKind, Folder, SIZE_CAP, Tree, git_config, kind_of};
use super::{CiSystem, Finding, Place, PublishPath, RepoScan, TokenUse};
use crate::safe::shown::visible;

/// How deep below a given path checkouts are looked for.
const SEARCH_DEPTH: u32 = 6;
/// Most folders that one search opens.
const SEARCH_CAP: usize = 200_000;

/// What one reader found in a checkout.
#[derive(Debug, Default)]
pub struct Found {
    pub paths: Vec<PublishPath>,
    pub uses: Vec<TokenUse>,
    pub findings: Vec<Finding>,
    pub files_read: u32,
    /// CI files that were opened, by path.
    pub seen: BTreeSet<String>,
}

impl Found {
    pub(super) fn take(&mut self, other: Found) {
        self.paths.extend(other.paths);
        self.uses.extend(other.uses);
        self.findings.extend(other.findings);
        self.files_read += other.files_read;
        self.seen.extend(other.seen);
    }
}

impl Found {
    /// Adds the credentials that stand written out in a file's text.
    pub fn leaks(&mut self, path: &str, text: &str) {
        for leak in super::leak::find(text) {
            let place = Place {
                file: path.to_owned(),
                line: leak.line,
                column: leak.column,
                span: (0, 0),
            };
            let finding = detailed("committed-token", &place, None, &leak.words());
            // Two readers may read one file.
            if !self.findings.contains(&finding) {
                self.findings.push(finding);
            }
        }
    }
}

impl Found {
    /// Notes each line of a committed configuration file that takes a token of npm's registry from a variable.
    fn configured_tokens(&mut self, kind: FileKind, path: &str, text: &str) {
        if super::unread::is_aside(path) {
            return;
        }
        let lines = match kind {
            FileKind::YarnRc => yarnrc_auth(text),
            FileKind::Bunfig => bunfig_auth(text),
            _ => npmrc_auth(text),
        };
        for (line, auth) in lines {
            let ours = may_be_npmjs(auth.host.as_deref().unwrap_or(""));
            let Some(name) = variables(&auth.value).into_iter().next() else {
                continue;
            };
            if auth.literal || !ours {
                continue;
            }
            let place = Place {
                file: path.to_owned(),
                line: line + 1,
                column: 1,
                span: (0, 0),
            };
            self.findings
                .push(detailed("committed-npmrc-token", &place, None, &name));
        }
    }
}

/// What a reader of one CI system is given.
pub struct Checkout<'t> {
    pub project: Project<'t>,
    /// `owner/name`, or the folder's name.
    pub repo: &'t str,
    /// Host of the origin remote, where known.
    pub host: Option<&'t str>,
    /// The day that rules with a date are judged by.
    pub today: NaiveDate,
}

impl Checkout<'_> {
    /// Reads one CI file; a file that cannot be read is a finding and gives `None`.
    pub fn read(&self, path: &str, found: &mut Found) -> Option<String> {
        found.files_read += 1;
        found.seen.insert(path.to_owned());
        match self.project.tree.read(path, SIZE_CAP) {
            Ok(text) => {
                found.leaks(path, &text);
                Some(text)
            }
            Err(error) => {
                let place = Place {
                    file: path.to_owned(),
                    line: 1,
                    column: 1,
                    span: (0, 0),
                };
                found.findings.push(detailed(
                    "unreadable-file",
                    &place,
                    None,
                    &error.to_string(),
                ));
                None
            }
        }
    }
}

/// Scans every checkout at or below the paths, in the order of their folders.
pub fn scan_paths(paths: &[PathBuf], today: NaiveDate) -> Vec<RepoScan> {
    let roots: Vec<PathBuf> = checkouts(paths);
    roots
        .par_iter()
        .with_max_len(1)
        .map(|root| scan_folder(root, today))
        .collect()
}

/// Scans one folder as a checkout.
pub fn scan_folder(root: &Path, today: NaiveDate) -> RepoScan {
    let tree = Folder::open(root);
    let remote = remote(root);
    let folder = root.file_name().map_or_else(
        || "checkout".to_owned(),
        |n| n.to_string_lossy().into_owned(),
    );
    let mut scan = scan_tree(
        &tree,
        remote.as_ref().map(|r| (r.host.as_str(), r.slug.as_str())),
        &folder,
        today,
    );
    scan.root = root.to_string_lossy().into_owned();
    for (path, why) in &tree.unreadable {
        let place = Place {
            file: path.clone(),
            line: 1,
            column: 1,
            span: (0, 0),
        };
        scan.findings
            .push(detailed("unreadable-file", &place, None, why));
    }
    scan
}

/// Reads where a checkout comes from: host and `owner/name` of its origin, from git's config as text.
pub fn remote(root: &Path) -> Option<super::package::Repository> {
    origin(&git_config(root)?).and_then(|url| super::package::repository(&url))
}

/// Scans a tree; `remote` is host and `owner/name` of its origin, `folder` the name it goes by otherwise.
pub fn scan_tree(
    tree: &dyn Tree,
    remote: Option<(&str, &str)>,
    folder: &str,
    today: NaiveDate,
) -> RepoScan {
    let mut found = Found::default();
    let packages = packages(tree, &mut found);
    let repo = name(remote.map(|r| r.1), &packages, folder);
    let checkout = Checkout {
        project: Project::new(tree, &packages),
        repo: &repo,
        host: remote.map(|r| r.0),
        today,
    };
    let mut ci = BTreeSet::new();
    for entry in tree.entries() {
        ci.extend(system(entry.kind));
    }
    for system in &ci {
        found.take(read_system(*system, &checkout));
    }
    if !ci.contains(&CiSystem::Github)
        && tree
            .entries()
            .iter()
            .any(|e| e.kind == FileKind::GithubAction)
    {
        found.take(super::github::scan(&checkout));
    }
    ci.extend(super::unread::scan(&checkout, &mut found));
    super::unread::strays(&checkout, &mut found);
    if let Err(reason) = checkout.project.own_tools() {
        let place = Place {
            file: OWN.to_owned(),
            line: 1,
            column: 1,
            span: (0, 0),
        };
        found
            .findings
            .push(detailed("unreadable-file", &place, None, reason));
    }
    for entry in tree.entries().iter().filter(|e| e.regular) {
        let kinds = [FileKind::Npmrc, FileKind::YarnRc, FileKind::Bunfig];
        if kinds.contains(&entry.kind)
            && let Some(text) = checkout.project.read(&entry.path)
        {
            found.leaks(&entry.path, &text);
            found.configured_tokens(entry.kind, &entry.path, &text);
        }
    }
    for (path, text) in checkout.project.scripts_read() {
        found.leaks(&path, &text);
    }
    found
        .paths
        .sort_by(|a, b| (&a.file, a.line, a.ordinal).cmp(&(&b.file, b.line, b.ordinal)));
    found
        .uses
        .sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    found.findings.sort_by(|a, b| {
        (&a.file, a.line, a.column, a.rule).cmp(&(&b.file, b.line, b.column, b.rule))
    });
    found.findings.dedup();
    RepoScan {
        repo,
        root: String::new(),
        commit: tree.commit().map(str::to_owned),
        ci: ci.into_iter().collect(),
        refs: tree.refs().to_owned(),
        publish_paths: found.paths,
        token_uses: found.uses,
        packages: packages.list(),
        findings: found.findings,
        files_read: found.files_read,
    }
}

fn read_system(system: CiSystem, checkout: &Checkout<'_>) -> Found {
    match system {
        CiSystem::Github => super::github::scan(checkout),
        CiSystem::Gitlab => super::gitlab::scan(checkout),
        CiSystem::Circleci => super::circleci::scan(checkout),
        CiSystem::Azure => super::azure::scan(checkout),
        CiSystem::Jenkins => super::jenkins::scan(checkout),
        CiSystem::Travis => super::travis::scan(checkout),
        CiSystem::NotRead(_) => Found::default(),
    }
}

fn system(kind: FileKind) -> Option<CiSystem> {
    Some(match kind {
        FileKind::GithubWorkflow => CiSystem::Github,
        FileKind::Gitlab => CiSystem::Gitlab,
        FileKind::Circleci => CiSystem::Circleci,
        FileKind::Azure => CiSystem::Azure,
        FileKind::Jenkins => CiSystem::Jenkins,
        FileKind::Travis => CiSystem::Travis,
        _ => return None,
    })
}

fn packages(tree: &dyn Tree, found: &mut Found) -> Packages {
    let mut texts: Vec<(&str, String)> = Vec::new();
    for entry in tree.entries() {
        let name = entry.path.rsplit('/').next().unwrap_or(&entry.path);
        if !entry.regular || !super::package::FILE_NAMES.contains(&name) {
            continue;
        }
        if entry.kind == FileKind::LockFile || name == ".yarnrc.yml" {
            texts.push((&entry.path, String::new()));
            continue;
        }
        match tree.read(&entry.path, SIZE_CAP) {
            Ok(text) => {
                found.files_read += 1;
                found.leaks(&entry.path, &text);
                texts.push((&entry.path, text));
            }
            Err(error) => {
                let place = Place {
                    file: entry.path.clone(),
                    line: 1,
                    column: 1,
                    span: (0, 0),
                };
                found.findings.push(detailed(
                    "unreadable-file",
                    &place,
                    None,
                    &error.to_string(),
                ));
            }
        }
    }
    let packages = Packages::collect(texts.iter().map(|(p, t)| (*p, t.as_str())));
    for bad in &packages.unreadable {
        let place = Place {
            file: bad.file.clone(),
            line: bad.line,
            column: bad.column,
            span: (0, 0),
        };
        let mut finding = detailed("unreadable-file", &place, None, &bad.why);
        // Broken manifests are often fixtures of a test; the publish itself is not in them.
        finding.severity = super::Severity::Warning;
        found.findings.push(finding);
    }
    packages
}

/// Names a checkout: the origin remote, a folder called `OWNER__NAME`, package.json's repository, the folder's name.
fn name(remote: Option<&str>, packages: &Packages, folder: &str) -> String {
    let explicit = folder
        .split_once("__")
        .filter(|(o, n)| !o.is_empty() && !n.is_empty())
        .map(|(o, n)| format!("{o}/{n}"));
    let stated = || {
        let url = packages.at("")?.package.repository_url.as_deref()?;
        super::package::repository(url).map(|r| r.slug)
    };
    let found = remote
        .map(str::to_owned)
        .or(explicit)
        .or_else(stated)
        .unwrap_or_else(|| folder.to_owned());
    visible(&found).into_owned()
}

/// Reads the origin remote's address from git's config text.
fn origin(config: &str) -> Option<String> {
    let mut inside = false;
    for line in config.lines() {
        let line = line.trim();
        if line.starts_with('[') {
            inside = line
                .replace(' ', "")
                .eq_ignore_ascii_case("[remote\"origin\"]");
        } else if inside
            && let Some((key, value)) = line.split_once('=')
            && key.trim().eq_ignore_ascii_case("url")
        {
            return Some(value.trim().trim_matches('"').to_owned());
        }
    }
    None
}

/// Finds the checkouts at or below the paths: folders with `.git`; where there is none, folders with a CI file.
pub fn checkouts(paths: &[PathBuf]) -> Vec<PathBuf> {
    let mut seen = HashSet::new();
    let mut out: Vec<PathBuf> = Vec::new();
    for path in paths {
        let mut search = Search::default();
        search.folder(path, None, 0);
        let found = if search.with_git.is_empty() {
            search.with_ci
        } else {
            search.with_git
        };
        out.extend(found.into_iter().filter(|root| seen.insert(root.clone())));
    }
    out
}

/// The CI system whose file or folder this name is, at the top of a checkout.
fn ci_kind(name: &str, is_folder: bool) -> Option<FileKind> {
    let kind = if is_folder {
        kind_of(&format!("{name}/pipeline.yml"))
    } else {
        kind_of(name)
    };
    kind.filter(|kind| {
        matches!(
            kind,
            FileKind::Azure
                | FileKind::Circleci
                | FileKind::GithubAction
                | FileKind::Gitlab
                | FileKind::Jenkins
                | FileKind::Travis
        )
    })
}

#[derive(Default)]
struct Search {
    with_git: Vec<PathBuf>,
    with_ci: Vec<PathBuf>,
    opened: usize,
}

impl Search {
    /// Looks into one folder; `project` is the outermost folder around it that has a manifest.
    fn folder(&mut self, path: &Path, project: Option<&Path>, depth: u32) {
        self.opened += 1;
        let Ok(listing) = std::fs::read_dir(path) else {
            return;
        };
        let mut below = Vec::new();
        let (mut ci, mut loose, mut manifest) = (false, false, false);
        for entry in listing.flatten() {
            let Ok(kind) = entry.file_type() else {
                continue;
            };
            let name = entry.file_name();
            match name.to_str() {
                Some(".git") if kind.is_dir() || kind.is_file() => {
                    self.with_git.push(path.to_path_buf());
                    return;
                }
                Some(".github") => {
                    ci |= ["workflows", "actions"]
                        .iter()
                        .any(|below| path.join(".github").join(below).is_dir());
                }
                Some("node_modules") => {}
                Some("package.json") => manifest = true,
                Some(name) => {
                    ci |= super::unread::marks_checkout(name, kind.is_dir());
                    match ci_kind(name, kind.is_dir()) {
                        // These may stand anywhere in a checkout.
                        Some(FileKind::Azure | FileKind::Jenkins | FileKind::GithubAction) => {
                            loose = true;
                        }
                        Some(_) => ci = true,
                        None => {}
                    }
                    if kind.is_dir() {
                        below.push(entry.path());
                    }
                }
                None => {}
            }
        }
        let project = project.or(manifest.then_some(path));
        if let Some(project) = project.filter(|p| loose && !ci && *p != path) {
            // Only the newest is compared, so that many projects cost no more each; `checkouts` drops what is named twice.
            if self.with_ci.last().is_none_or(|root| root != project) {
                self.with_ci.push(project.to_path_buf());
            }
            return;
        }
        ci |= loose;
        if ci {
            self.with_ci.push(path.to_path_buf());
            if depth > 0 {
                return;
            }
        }
        if depth >= SEARCH_DEPTH || self.opened > SEARCH_CAP {
            return;
        }
        below.sort();
        for path in below {
            // A folder of an example inside a checkout is no checkout of its own.
            let inside = ci
                && self
                    .with_ci
                    .first()
                    .is_some_and(|first| path.starts_with(first));
            let before = self.with_ci.len();
            self.folder(&path, project, depth + 1);
            if inside {
                self.with_ci.truncate(before);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn checkouts_are_found_and_named() {
        let day = "2026-12-01".parse().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let flows = "on: push\njobs: {}\n";
        for (path, text) in [
            ("plain/acme__kit/.github/workflows/a.yml", flows),
            (
                "plain/acme__kit/package.json",
                "{\"name\":\"kit\",\"repository\":\"other/kit\"}",
            ),
            ("plain/lib/.gitlab-ci.yml", "a: 1\n"),
            (
                "plain/lib/package.json",
                "{\"name\":\"lib\",\"repository\":\"github:acme/lib\"}",
            ),
            ("plain/none/package.json", "{}"),
            ("plain/rush__kit/package.json", "{}"),
            ("plain/rush__kit/tools/package.json", "{}"),
            ("plain/rush__kit/tools/azure-pipelines/out.yml", "a: 1\n"),
            ("plain/azure__kit/azure-pipelines.release.yml", "a: 1\n"),
            ("plain/jenkins__kit/ci/Jenkinsfile.release", "node {}\n"),
            ("plain/jenkins__kit/package.json", "{}"),
            (
                "cloned/x/.git/config",
                "[core]\n[remote \"origin\"]\n\turl = git@github.com:acme/cloned.git\n",
            ),
            ("cloned/x/.git/HEAD", "ref: refs/heads/main\n"),
            (
                "cloned/x/.git/refs/heads/main",
                "0123456789012345678901234567890123456789\n",
            ),
            ("cloned/y/.github/workflows/a.yml", flows),
        ] {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let names: Vec<String> = scan_paths(&[dir.path().join("plain")], day)
            .into_iter()
            .map(|r| r.repo)
            .collect();
        let want = [
            "acme/kit",
            "azure/kit",
            "jenkins/kit",
            "acme/lib",
            "rush/kit",
        ];
        assert_eq!(names, want);
        let cloned = scan_paths(&[dir.path().join("cloned")], day);
        assert_eq!(cloned.len(), 1);
        assert_eq!(cloned[0].repo, "acme/cloned");
        assert_eq!(
            cloned[0].commit.as_deref(),
            Some("0123456789012345678901234567890123456789")
        );
        let itself = scan_paths(&[dir.path().join("cloned/y")], day);
        assert_eq!(itself[0].repo, "y");
    }
}
