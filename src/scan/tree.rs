//! A checkout as a tree of files: list, read, commit. A folder now; Git blobs can stand behind the same trait later.
//!
//! One walk collects every file that any reader may want by its fixed place or name; script files are read on demand.
//! Links are never followed, only regular files are opened, and every read has a size cap.

use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags};
use rustix::io::Errno;

/// Most bytes of one file that are read, 2 MiB; a larger file is a finding.
pub const SIZE_CAP: u64 = 2 * 1024 * 1024;

/// Most files of interest that one walk keeps, so that a hostile tree cannot eat the memory.
const FILES_CAP: usize = 200_000;

/// How many folders deep the walk goes.
const DEPTH_CAP: u32 = 64;

/// How the walk opens a folder.
const FOLDER: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// Why a file of a checkout could not be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TreeError {
    #[error("file is not there")]
    Missing,
    #[error("is a link, device, pipe or socket, not a regular file; replace it by a regular file")]
    NotRegular,
    #[error("is {size} bytes, more than the {cap} that are read; split it")]
    TooLarge { size: u64, cap: u64 },
    #[error("is not valid UTF-8 text; save it as UTF-8")]
    NotText,
    #[error("cannot be read ({0}); check its permissions")]
    Unreadable(String),
}

/// What a file is for a reader, told by its place and name alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileKind {
    GithubWorkflow,
    GithubAction,
    Gitlab,
    Circleci,
    Azure,
    Jenkins,
    Travis,
    PackageJson,
    Npmrc,
    YarnRc,
    Bunfig,
    PnpmWorkspace,
    /// lerna.json, nx.json, rush.json, .changeset/config.json, package manager lock files (name only).
    ReleaseConfig,
    LockFile,
    /// YAML in a folder whose files pipelines include by a pattern: read only where one does.
    CiPart,
    /// A file of a system that no reader reads: its number in the table of `unread`.
    Unread(u8),
    /// A file of a system that is read, where that system does not read it by itself.
    Elsewhere,
}

impl FileKind {
    /// True for the files that a CI system reads by itself, the ones that make a folder a checkout.
    pub fn is_ci(self) -> bool {
        matches!(
            self,
            Self::GithubWorkflow
                | Self::Gitlab
                | Self::Circleci
                | Self::Azure
                | Self::Jenkins
                | Self::Travis
        )
    }
}

/// One file of interest found by the walk.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Path relative to the root, with `/`.
    pub path: String,
    pub kind: FileKind,
    /// False for links, pipes, sockets and devices: they are never opened.
    pub regular: bool,
}

/// A readable set of files at one commit.
pub trait Tree {
    /// Lists the files of interest, sorted by path.
    fn entries(&self) -> &[Entry];
    /// Reads one regular file as text, at most `cap` bytes.
    ///
    /// # Errors
    /// [`TreeError`] says why; nothing is ever read through a link.
    fn read(&self, path: &str, cap: u64) -> Result<String, TreeError>;
    /// Tells the commit the files were at, where that is known.
    fn commit(&self) -> Option<&str>;
    /// Tells how to name what was looked at, such as "this checkout only".
    fn refs(&self) -> &str;

    /// Lists the paths of one kind.
    fn of_kind(&self, kind: FileKind) -> Vec<&Entry> {
        self.entries().iter().filter(|e| e.kind == kind).collect()
    }

    /// Tells whether the walk saw a file at this path.
    fn lists(&self, path: &str) -> bool {
        self.entries()
            .binary_search_by(|e| e.path.as_str().cmp(path))
            .is_ok()
    }
}

/// A checkout that is a folder on disk.
pub struct Folder {
    root: PathBuf,
    handle: Option<OwnedFd>,
    entries: Vec<Entry>,
    commit: Option<String>,
    /// Places that the walk could not enter, with the reason.
    pub unreadable: Vec<(String, String)>,
}

impl Folder {
    /// Walks a folder once and keeps what readers may want.
    pub fn open(root: &Path) -> Self {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let handle = rustix::fs::open(root, flags, Mode::empty());
        let mut walk = Walk::default();
        match &handle {
            Ok(handle) => walk.folder(Dir::read_from(handle), 0),
            Err(error) => walk.failed(*error),
        }
        walk.entries.sort();
        Self {
            root: root.to_path_buf(),
            handle: handle.ok(),
            entries: walk.entries,
            commit: head_commit(root),
            unreadable: walk.unreadable,
        }
    }

    /// Gives the folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn open_file(&self, path: &str) -> Result<File, TreeError> {
        let root = self.handle.as_ref().ok_or(TreeError::Missing)?;
        open_beneath(root, path).map(File::from)
    }
}

impl Tree for Folder {
    fn entries(&self) -> &[Entry] {
        &self.entries
    }

    fn read(&self, path: &str, cap: u64) -> Result<String, TreeError> {
        let file = self.open_file(path)?;
        let stat = rustix::fs::fstat(&file).map_err(unreadable)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(TreeError::NotRegular);
        }
        let size = u64::try_from(stat.st_size).unwrap_or(0);
        if size > cap {
            return Err(TreeError::TooLarge { size, cap });
        }
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0).saturating_add(1));
        // Up to the size that it states, which saves asking for an end; some file systems state none.
        let limit = if size > 0 {
            size
        } else {
            cap.saturating_add(1)
        };
        let read = file.take(limit).read_to_end(&mut bytes);
        read.map_err(|e| TreeError::Unreadable(e.kind().to_string()))?;
        if bytes.len() as u64 > cap {
            return Err(TreeError::TooLarge {
                size: bytes.len() as u64,
                cap,
            });
        }
        match String::from_utf8(bytes) {
            Ok(text) => Ok(text),
            Err(_) => Err(TreeError::NotText),
        }
    }

    fn commit(&self) -> Option<&str> {
        self.commit.as_deref()
    }

    fn refs(&self) -> &str {
        "this checkout only, other refs not checked"
    }
}

/// Files held in memory: what a forge sent, and what tests and `--base` comparisons read.
#[derive(Default)]
pub struct Memory {
    files: std::collections::BTreeMap<String, String>,
    entries: Vec<Entry>,
    commit: Option<String>,
    refs: Option<String>,
}

impl Memory {
    /// Builds a tree from paths and texts.
    pub fn new<P: Into<String>, T: Into<String>>(files: impl IntoIterator<Item = (P, T)>) -> Self {
        let files: std::collections::BTreeMap<String, String> = files
            .into_iter()
            .map(|(p, t)| (p.into(), t.into()))
            .collect();
        let entries = files
            .keys()
            .filter_map(|path| {
                kind_of(path).map(|kind| Entry {
                    path: path.clone(),
                    kind,
                    regular: true,
                })
            })
            .collect();
        Self {
            files,
            entries,
            ..Self::default()
        }
    }

    /// Says which commit the files are of, and how to name what was looked at.
    #[must_use]
    pub fn at(self, commit: Option<&str>, refs: &str) -> Self {
        Self {
            commit: commit.map(str::to_owned),
            refs: Some(refs.to_owned()),
            ..self
        }
    }
}

impl Tree for Memory {
    fn entries(&self) -> &[Entry] {
        &self.entries
    }

    fn read(&self, path: &str, cap: u64) -> Result<String, TreeError> {
        let text = self.files.get(path).ok_or(TreeError::Missing)?;
        if text.len() as u64 > cap {
            return Err(TreeError::TooLarge {
                size: text.len() as u64,
                cap,
            });
        }
        Ok(text.clone())
    }

    fn commit(&self) -> Option<&str> {
        self.commit.as_deref()
    }

    fn refs(&self) -> &str {
        self.refs.as_deref().unwrap_or("given files only")
    }
}

/// Joins a relative path to a folder of the checkout; `None` when it leaves the checkout or is absolute.
pub fn join(dir: &str, relative: &str) -> Option<String> {
    if relative.starts_with('/') || relative.contains('\0') {
        return None;
    }
    let mut path = String::with_capacity(dir.len() + relative.len() + 1);
    let push = |path: &mut String, part: &str| {
        if !path.is_empty() {
            path.push('/');
        }
        path.push_str(part);
    };
    for part in dir.split('/').filter(|p| !p.is_empty() && *p != ".") {
        push(&mut path, part);
    }
    for part in relative.split('/') {
        match part {
            "" | "." => {}
            ".." if path.is_empty() => return None,
            ".." => path.truncate(path.rfind('/').unwrap_or(0)),
            name => push(&mut path, name),
        }
    }
    Some(path)
}

/// Tells what a file is by its place in the checkout; `None` where no reader wants it.
pub fn kind_of(path: &str) -> Option<FileKind> {
    let (dir, name) = path.rsplit_once('/').unwrap_or(("", path));
    let yaml = name.ends_with(".yml") || name.ends_with(".yaml");
    match name {
        "package.json" => return Some(FileKind::PackageJson),
        ".npmrc" => return Some(FileKind::Npmrc),
        ".yarnrc.yml" | ".yarnrc" => return Some(FileKind::YarnRc),
        "bunfig.toml" => return Some(FileKind::Bunfig),
        "pnpm-workspace.yaml" => return Some(FileKind::PnpmWorkspace),
        "action.yml" | "action.yaml" => return Some(FileKind::GithubAction),
        // GitLab and Travis read theirs at the root only (<https://docs.gitlab.com/ci/#step-1-create-a-gitlab-ciyml-file>,
        // <https://docs.travis-ci.com/user/tutorial/>); an include may name others.
        ".gitlab-ci.yml" | ".gitlab-ci.yaml" if dir.is_empty() => return Some(FileKind::Gitlab),
        ".travis.yml" if dir.is_empty() => return Some(FileKind::Travis),
        ".travis.yml" | ".gitlab-ci.yml" | ".gitlab-ci.yaml" => return Some(FileKind::Elsewhere),
        "lerna.json" | "nx.json" | "rush.json" => return Some(FileKind::ReleaseConfig),
        "package-lock.json"
        | "npm-shrinkwrap.json"
        | "yarn.lock"
        | "pnpm-lock.yaml"
        | "bun.lock"
        | "bun.lockb" => {
            return Some(FileKind::LockFile);
        }
        _ => {}
    }
    if yaml && dir == ".github/workflows" {
        return Some(FileKind::GithubWorkflow);
    }
    let circle = dir == ".circleci" || dir.starts_with(".circleci/");
    if yaml && circle {
        return Some(FileKind::Circleci);
    }
    let gitlab_dir = path.starts_with(".gitlab/") || path.starts_with(".gitlab-ci/");
    let template = name.ends_with(".yml.tpl")
        || name.ends_with(".yaml.tpl")
        || name.ends_with(".gitlab-ci.yml");
    let aside = super::unread::is_aside(path);
    if (gitlab_dir && (yaml || template)) || (yaml && name.contains("gitlab-ci")) {
        return Some(unless(aside, FileKind::Gitlab));
    }
    // Azure's files may stand anywhere; these folders are the custom.
    let azure_dir = dir.split('/').any(|part| {
        matches!(
            part,
            ".azure-pipelines"
                | "azure-pipelines"
                | ".azuredevops"
                | ".azure-devops"
                | ".pipelines"
                | ".devops"
                | ".ado"
        ) || part.starts_with("azure-pipelines-")
            || part.starts_with(".azure-pipelines-")
    }) || dir.starts_with(".azure/pipelines")
        || dir.starts_with("build/azure");
    if yaml && (azure_dir || name.starts_with("azure-pipelines") || name.contains("azure-pipeline"))
    {
        return Some(unless(aside, FileKind::Azure));
    }
    let lower = name.to_ascii_lowercase();
    if name.starts_with("Jenkinsfile")
        || lower.ends_with(".jenkinsfile")
        || is_groovy_pipeline(dir, &lower)
    {
        return Some(unless(aside, FileKind::Jenkins));
    }
    if name.starts_with(".releaserc")
        || name.starts_with("release.config.")
        || name.starts_with(".release-it.")
        || path.ends_with(".changeset/config.json")
    {
        return Some(FileKind::ReleaseConfig);
    }
    if let Some(system) = super::unread::system_of(path) {
        return Some(FileKind::Unread(system));
    }
    let parts = ["ci", ".ci", "gitlab", "gitlab-ci", ".gitlab-ci.d"];
    let own = !dir.contains("/.");
    if yaml && own && parts.contains(&dir.split('/').next().unwrap_or(dir)) {
        return Some(FileKind::CiPart);
    }
    None
}

/// A system's own file, or one of a folder of copies and examples, which no system reads.
fn unless(aside: bool, kind: FileKind) -> FileKind {
    if aside { FileKind::Elsewhere } else { kind }
}

/// A pipeline script that Jenkins is told the path of: `*.groovy` in a folder named after it or after CI.
fn is_groovy_pipeline(dir: &str, name: &str) -> bool {
    let of_jenkins = |part: &str| {
        let part = part.to_ascii_lowercase();
        part.contains("jenkins") || matches!(part.as_str(), "ci" | ".ci" | "pipeline" | "pipelines")
    };
    let groovy = name.ends_with(".groovy") || name.ends_with(".gvy");
    // Shared libraries are called by pipelines; `vars` and `src` are their folders.
    groovy
        && (dir.split('/').any(of_jenkins) || name.contains("jenkins") || name.contains("pipeline"))
        && !dir
            .split('/')
            .any(|part| matches!(part, "vars" | "src" | "test" | "tests"))
}

/// The walk over a folder: what it found, and where it could not go.
#[derive(Default)]
struct Walk {
    entries: Vec<Entry>,
    unreadable: Vec<(String, String)>,
    /// Where it is, with a `/` at the end below the root.
    path: String,
}

impl Walk {
    /// Lists a folder and those below it; no link is followed.
    fn folder(&mut self, listing: rustix::io::Result<Dir>, depth: u32) {
        let mut dir = match listing {
            Ok(dir) => dir,
            Err(error) => return self.failed(error),
        };
        while let Some(item) = dir.read() {
            let item = match item {
                Ok(item) => item,
                Err(error) => return self.failed(error),
            };
            let name = item.file_name();
            if matches!(name.to_bytes(), b"." | b".." | b".git" | b"node_modules") {
                continue;
            }
            let Ok(here) = dir.fd() else { return };
            let mut kind = item.file_type();
            if kind == FileType::Unknown
                && let Ok(stat) = rustix::fs::statat(here, name, AtFlags::SYMLINK_NOFOLLOW)
            {
                kind = FileType::from_raw_mode(stat.st_mode);
            }
            let length = self.path.len();
            self.path.push_str(&name.to_string_lossy());
            if kind == FileType::Directory {
                if depth < DEPTH_CAP {
                    let below = rustix::fs::openat(here, name, FOLDER, Mode::empty());
                    self.path.push('/');
                    self.folder(below.and_then(Dir::new), depth + 1);
                }
            } else if self.entries.len() < FILES_CAP
                && let Some(what) = kind_of(&self.path)
            {
                self.entries.push(Entry {
                    path: self.path.clone(),
                    kind: what,
                    regular: kind == FileType::RegularFile,
                });
            }
            self.path.truncate(length);
        }
    }

    fn failed(&mut self, error: Errno) {
        let path = self.path.trim_end_matches('/').to_owned();
        self.unreadable.push((path, error.kind().to_string()));
    }
}

fn unreadable(error: Errno) -> TreeError {
    match error {
        Errno::NOENT | Errno::NOTDIR => TreeError::Missing,
        Errno::LOOP | Errno::MLINK => TreeError::NotRegular,
        other => TreeError::Unreadable(other.kind().to_string()),
    }
}

/// Opens a file below the root without following any link on the way; a pipe does not block.
fn open_beneath(root: &OwnedFd, path: &str) -> Result<OwnedFd, TreeError> {
    let leaf =
        OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    if path.is_empty() || path.starts_with('/') || path.split('/').any(|p| p == "..") {
        return Err(TreeError::Missing);
    }
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::ResolveFlags;
        let resolve = ResolveFlags::NO_SYMLINKS | ResolveFlags::BENEATH;
        match rustix::fs::openat2(root, path, leaf, Mode::empty(), resolve) {
            Err(Errno::NOSYS | Errno::PERM) => {}
            other => return other.map_err(unreadable),
        }
    }
    let mut parts = path
        .split('/')
        .filter(|p| !p.is_empty() && *p != ".")
        .peekable();
    let mut at: Option<OwnedFd> = None;
    while let Some(part) = parts.next() {
        let dir = at.as_ref().unwrap_or(root);
        if parts.peek().is_none() {
            return rustix::fs::openat(dir, part, leaf, Mode::empty()).map_err(unreadable);
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        at = Some(rustix::fs::openat(dir, part, flags, Mode::empty()).map_err(unreadable)?);
    }
    Err(TreeError::Missing)
}

/// Finds the folder that holds git's own files: `.git`, or where a `.git` file of a worktree points.
///
/// The pointer is followed only to read the two text files `HEAD` and `config`.
pub fn git_folder(root: &Path) -> Option<PathBuf> {
    let dot = root.join(".git");
    let meta = std::fs::symlink_metadata(&dot).ok()?;
    if meta.is_dir() {
        return Some(dot);
    }
    if !meta.is_file() {
        return None;
    }
    let text = read_small(&dot)?;
    let target = text.strip_prefix("gitdir:")?.trim();
    let path = Path::new(target);
    Some(if path.is_absolute() {
        path.to_path_buf()
    } else {
        root.join(path)
    })
}

/// Reads git's config file as text, never through git.
pub fn git_config(root: &Path) -> Option<String> {
    let git = git_folder(root)?;
    read_small(&git.join("config")).or_else(|| {
        let common = read_small(&git.join("commondir"))?;
        read_small(&git.join(common.trim()).join("config"))
    })
}

fn head_commit(root: &Path) -> Option<String> {
    let git = git_folder(root)?;
    let head = read_small(&git.join("HEAD"))?;
    let head = head.trim();
    let Some(name) = head.strip_prefix("ref: ") else {
        return commit_id(head);
    };
    if !name.starts_with("refs/") || name.split('/').any(|p| p == "..") {
        return None;
    }
    let common =
        read_small(&git.join("commondir")).map_or_else(|| git.clone(), |c| git.join(c.trim()));
    if let Some(text) = read_small(&common.join(name)) {
        return commit_id(text.trim());
    }
    let packed = read_small(&common.join("packed-refs"))?;
    packed
        .lines()
        .find_map(|line| line.strip_suffix(name).and_then(|id| commit_id(id.trim())))
}

fn commit_id(text: &str) -> Option<String> {
    let hex = text.len() >= 40 && text.len() <= 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
    hex.then(|| text.to_owned())
}

fn read_small(path: &Path) -> Option<String> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty()).ok()?);
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    let mut text = String::new();
    file.take(4 * SIZE_CAP).read_to_string(&mut text).ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn places_are_known() {
        let table = [
            (".github/workflows/a.yml", Some(FileKind::GithubWorkflow)),
            (
                ".github/workflows/actions/x/action.yml",
                Some(FileKind::GithubAction),
            ),
            (".github/workflows/sub/a.yml", None),
            ("ci/.github/workflows/a.yml", None),
            ("action.yaml", Some(FileKind::GithubAction)),
            (".circleci/build.yml", Some(FileKind::Circleci)),
            (".gitlab/input/build.yaml.tpl", Some(FileKind::Gitlab)),
            ("azure-pipelines-release.yml", Some(FileKind::Azure)),
            (".azure-pipelines/templates/x.yml", Some(FileKind::Azure)),
            (
                "common/config/azure-pipelines/publish.yaml",
                Some(FileKind::Azure),
            ),
            ("pipelines/x.yml", None),
            ("ci/jobs/x.yml", Some(FileKind::CiPart)),
            ("docs/ci/x.yml", None),
            ("ci/Jenkinsfile.release", Some(FileKind::Jenkins)),
            ("packages/a/package.json", Some(FileKind::PackageJson)),
            (".changeset/config.json", Some(FileKind::ReleaseConfig)),
            ("src/main.ts", None),
        ];
        for (path, kind) in table {
            assert_eq!(kind_of(path), kind, "{path}");
        }
    }

    #[test]
    fn joins_stay_inside() {
        assert_eq!(join("", "./scripts/x.sh").as_deref(), Some("scripts/x.sh"));
        assert_eq!(join("a/b", "../c").as_deref(), Some("a/c"));
        assert_eq!(join("a", "../../etc"), None);
        assert_eq!(join("", "/etc/passwd"), None);
    }

    #[test]
    fn only_regular_files_below_the_root_are_read() {
        let dir = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("secret"), "planted").unwrap();
        let flows = dir.path().join(".github/workflows");
        std::fs::create_dir_all(&flows).unwrap();
        std::fs::write(flows.join("a.yml"), "on: push\n").unwrap();
        std::fs::write(dir.path().join(".gitignore"), ".github\n").unwrap();
        std::os::unix::fs::symlink(outside.path().join("secret"), flows.join("link.yml")).unwrap();
        std::os::unix::fs::symlink("/dev/zero", flows.join("zero.yml")).unwrap();
        std::os::unix::fs::symlink(outside.path(), dir.path().join("out")).unwrap();
        rustix::fs::mkfifoat(
            rustix::fs::CWD,
            flows.join("pipe.yml"),
            Mode::from_raw_mode(0o600),
        )
        .unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(flows.join("sock.yml")).unwrap();
        std::fs::create_dir_all(dir.path().join("node_modules/x")).unwrap();
        std::fs::write(dir.path().join("node_modules/x/package.json"), "{}").unwrap();
        let tree = Folder::open(dir.path());
        let seen: Vec<(&str, bool)> = tree
            .entries()
            .iter()
            .map(|e| (e.path.as_str(), e.regular))
            .collect();
        assert_eq!(
            seen,
            [
                (".github/workflows/a.yml", true),
                (".github/workflows/link.yml", false),
                (".github/workflows/pipe.yml", false),
                (".github/workflows/sock.yml", false),
                (".github/workflows/zero.yml", false),
            ]
        );
        assert_eq!(
            tree.read(".github/workflows/a.yml", SIZE_CAP).unwrap(),
            "on: push\n"
        );
        for bad in ["link.yml", "zero.yml", "pipe.yml"] {
            let got = tree.read(&format!(".github/workflows/{bad}"), SIZE_CAP);
            assert_eq!(got, Err(TreeError::NotRegular), "{bad}");
        }
        assert!(tree.read(".github/workflows/sock.yml", SIZE_CAP).is_err());
        assert_eq!(
            tree.read("out/secret", SIZE_CAP),
            Err(TreeError::NotRegular)
        );
        assert_eq!(tree.read("../secret", SIZE_CAP), Err(TreeError::Missing));
        assert_eq!(
            tree.read(".github/workflows/a.yml", 3),
            Err(TreeError::TooLarge { size: 9, cap: 3 })
        );
    }
}
