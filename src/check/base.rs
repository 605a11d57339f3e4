//! The base commit of a change as a tree, read through git plumbing that runs nothing.
//!
//! Owns every call of git here: `rev-parse`, `merge-base`, `ls-tree` and `cat-file`, with system and global config off,
//! and hooks, fsmonitor, replaced objects, grafts and fetching on demand off. The checkout is foreign: its config may
//! name programs for every occasion, so nothing that could run one (checkout, diff, status, log) is ever called.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::safe::process::{ProcessError, Program, Surroundings};
use crate::safe::shown::visible;
use crate::scan::tree::{Entry, Tree, TreeError, kind_of};

/// Most bytes of a listing of one commit's files.
const LISTING_CAP: usize = 256 * 1024 * 1024;
/// Longest time that one call of git may take.
const LIMIT: Duration = Duration::from_secs(120);

/// Settings that win over the checkout's own config.
const SETTINGS: &[&str] = &[
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.sshCommand=false",
    "core.askPass=false",
    "credential.helper=",
    "protocol.allow=never",
];

/// Variables for every call; the rest of the environment is an allow-list without any `GIT_…`.
const VARIABLES: &[(&str, &str)] = &[
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("GIT_CONFIG_SYSTEM", "/dev/null"),
    ("GIT_CONFIG_GLOBAL", "/dev/null"),
    ("GIT_ATTR_NOSYSTEM", "1"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GIT_NO_LAZY_FETCH", "1"),
    ("GIT_NO_REPLACE_OBJECTS", "1"),
    ("GIT_GRAFT_FILE", "/dev/null"),
    ("GIT_OPTIONAL_LOCKS", "0"),
    ("GIT_PAGER", "cat"),
    ("LC_ALL", "C"),
];

/// Why the base could not be read.
#[derive(Debug, thiserror::Error)]
pub enum BaseError {
    #[error("{} is not in a git checkout; run inside one", visible(&.0.to_string_lossy()))]
    NoCheckout(PathBuf),
    #[error(
        "`{}` is not in this clone; fetch the whole history (actions/checkout with `fetch-depth: 0`) or name a commit with --base",
        visible(.0)
    )]
    NotHere(String),
    #[error(
        "this clone has no common history with `{}`; fetch the whole history (actions/checkout with `fetch-depth: 0`) or name a commit with --base",
        visible(.0)
    )]
    NoCommonHistory(String),
    #[error("no base is known: name one with --base, or run on a pull request (GITHUB_BASE_REF)")]
    NoTarget,
    #[error("`{}` is no revision; name a commit, tag or branch with --base", visible(.0))]
    BadRevision(String),
    #[error("git could not {what}: {said}")]
    Git { what: &'static str, said: String },
    #[error(transparent)]
    Process(#[from] ProcessError),
}

/// A checkout whose commits can be read.
pub struct Checkout {
    git: Program,
    root: PathBuf,
}

impl Checkout {
    /// Finds the checkout that a folder is in, and git outside of it.
    ///
    /// # Errors
    /// No `.git` at or above the folder, or no git on the search path.
    pub fn open(folder: &Path, search: Option<&OsStr>) -> Result<Self, BaseError> {
        let missing = || BaseError::NoCheckout(folder.to_owned());
        let folder = folder.canonicalize().map_err(|_unreadable| missing())?;
        let root = folder
            .ancestors()
            .find(|f| f.join(".git").symlink_metadata().is_ok())
            .ok_or_else(missing)?
            .to_owned();
        let git = Program::resolve("git", search, std::slice::from_ref(&root))?;
        Ok(Self { git, root })
    }

    /// The checkout's top folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Finds the commit to compare with: the one named, else where the change left the pull request's target.
    ///
    /// # Errors
    /// It is not in this clone, has no common history, or nothing names a target.
    pub fn base(&self, named: Option<&str>, target: Option<&str>) -> Result<String, BaseError> {
        if let Some(named) = named {
            return self
                .commit(named)?
                .ok_or_else(|| BaseError::NotHere(named.to_owned()));
        }
        let branch = match target.filter(|t| !t.is_empty()) {
            Some(target) => format!("origin/{target}"),
            None => "origin/HEAD".to_owned(),
        };
        let Some(tip) = self.commit(&format!("refs/remotes/{branch}"))? else {
            return Err(match target.filter(|t| !t.is_empty()) {
                Some(_) => BaseError::NotHere(branch),
                None => BaseError::NoTarget,
            });
        };
        let found = self.git(&["merge-base", "HEAD", &tip])?;
        match (found.code, hex(&found.out)) {
            (Some(0), Some(commit)) => Ok(commit),
            (Some(1), _) => Err(BaseError::NoCommonHistory(branch)),
            _ => Err(found.failed("find where the change left its target")),
        }
    }

    /// Resolves a revision to a commit; `None` where it is not here.
    fn commit(&self, revision: &str) -> Result<Option<String>, BaseError> {
        let plain = !revision.is_empty()
            && !revision.starts_with('-')
            && !revision.contains([':', '\0', '\n'])
            && revision.len() <= 1024;
        if !plain {
            return Err(BaseError::BadRevision(revision.to_owned()));
        }
        let peeled = format!("{revision}^{{commit}}");
        let found = self.git(&[
            "rev-parse",
            "--verify",
            "--quiet",
            "--end-of-options",
            &peeled,
        ])?;
        match found.code {
            Some(0) => Ok(hex(&found.out)),
            Some(1) => Ok(None),
            // A name that git cannot even read, or an abbreviation that fits several, is not here either.
            _ if found.err.contains("Needed a single revision") => Ok(None),
            _ => Err(found.failed("resolve the base")),
        }
    }

    /// Lists a commit's files, to be read on demand.
    ///
    /// # Errors
    /// The commit's trees are not in this clone, or git fails.
    pub fn tree(&self, commit: &str) -> Result<Blobs, BaseError> {
        let listing = self.git(&["ls-tree", "-r", "-z", "--full-tree", commit])?;
        if listing.code != Some(0) {
            return Err(listing.failed("list the base's files (is the clone partial?)"));
        }
        let files = files(&listing.out);
        let entries = files
            .iter()
            .filter(|(path, _)| !path.split('/').any(|p| p == "node_modules"))
            .filter_map(|(path, file)| {
                Some(Entry {
                    path: path.clone(),
                    kind: kind_of(path)?,
                    regular: file.regular,
                })
            })
            .collect();
        Ok(Blobs {
            commit: commit.to_owned(),
            files,
            entries,
            pipe: Mutex::new(None),
            program: self.git.path().to_owned(),
            root: self.root.clone(),
        })
    }

    fn git(&self, arguments: &[&str]) -> Result<Said, BaseError> {
        let values: Vec<(&str, OsString)> = VARIABLES
            .iter()
            .map(|(name, value)| (*name, OsString::from(value)))
            .collect();
        let set: Vec<(&str, &OsStr)> = values.iter().map(|(n, v)| (*n, v.as_os_str())).collect();
        let around = Surroundings {
            set: &set,
            cap: LISTING_CAP,
            limit: LIMIT,
            ..Surroundings::new(&self.root)
        };
        let output = self
            .git
            .run(all_arguments(&self.root, arguments), &around)?;
        Ok(Said {
            code: output.status.code(),
            out: output.out,
            err: String::from_utf8_lossy(&output.err).into_owned(),
        })
    }
}

/// The git folder is named, so that git neither searches for one nor takes a planted bare repository.
fn all_arguments(root: &Path, arguments: &[&str]) -> Vec<OsString> {
    let mut folder = OsString::from("--git-dir=");
    folder.push(root.join(".git"));
    let mut all = vec![folder, OsString::from("--no-pager")];
    for setting in SETTINGS {
        all.push("-c".into());
        all.push(setting.into());
    }
    all.extend(arguments.iter().map(OsString::from));
    all
}

/// What git said to one call.
struct Said {
    code: Option<i32>,
    out: Vec<u8>,
    err: String,
}

impl Said {
    fn failed(&self, what: &'static str) -> BaseError {
        let line = self.err.lines().next().unwrap_or("it said nothing");
        BaseError::Git {
            what,
            said: visible(line).into_owned(),
        }
    }
}

fn hex(out: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(out).ok()?.trim();
    let is_id = matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit());
    is_id.then(|| text.to_owned())
}

struct Blob {
    id: String,
    regular: bool,
}

/// Reads `MODE TYPE ID<tab>PATH<nul>…`. Submodules and names that are not UTF-8 are left out.
fn files(listing: &[u8]) -> BTreeMap<String, Blob> {
    let one = |record: &[u8]| {
        let text = std::str::from_utf8(record).ok()?;
        let (about, path) = text.split_once('\t')?;
        let mut words = about.split(' ');
        let (mode, kind, id) = (words.next()?, words.next()?, words.next()?);
        let file = Blob {
            id: id.to_owned(),
            regular: matches!(mode, "100644" | "100755" | "100664"),
        };
        (kind == "blob").then(|| (path.to_owned(), file))
    };
    listing.split(|b| *b == 0).filter_map(one).collect()
}

/// The files of one commit, read from git's objects when asked.
pub struct Blobs {
    commit: String,
    files: BTreeMap<String, Blob>,
    entries: Vec<Entry>,
    /// One `git cat-file --batch` that lives as long as the tree.
    pipe: Mutex<Option<Pipe>>,
    program: PathBuf,
    root: PathBuf,
}

struct Pipe {
    child: Child,
    ask: ChildStdin,
    answer: BufReader<ChildStdout>,
}

impl Tree for Blobs {
    fn entries(&self) -> &[Entry] {
        &self.entries
    }

    fn read(&self, path: &str, cap: u64) -> Result<String, TreeError> {
        let file = self.files.get(path).ok_or(TreeError::Missing)?;
        if !file.regular {
            return Err(TreeError::NotRegular);
        }
        let bytes = self.blob(&file.id, cap)?;
        String::from_utf8(bytes).map_err(|_not_utf8| TreeError::NotText)
    }

    fn commit(&self) -> Option<&str> {
        Some(&self.commit)
    }

    fn refs(&self) -> &'static str {
        "base commit only, other refs not looked at"
    }
}

impl Blobs {
    fn blob(&self, id: &str, cap: u64) -> Result<Vec<u8>, TreeError> {
        let mut slot = self.pipe.lock().unwrap_or_else(PoisonError::into_inner);
        let failed = |e: io::Error| TreeError::Unreadable(e.kind().to_string());
        let mut pipe = match slot.take() {
            Some(pipe) => pipe,
            None => self.start().map_err(failed)?,
        };
        let result = pipe.blob(id, cap);
        match result {
            // After a failure of the pipe itself its position is unknown: the next read starts a new one.
            Err(TreeError::Unreadable(why)) if why != NOT_HERE => Err(TreeError::Unreadable(why)),
            other => {
                *slot = Some(pipe);
                other
            }
        }
    }

    fn start(&self) -> io::Result<Pipe> {
        let mut child = Command::new(&self.program)
            .args(all_arguments(&self.root, &["cat-file", "--batch"]))
            .current_dir(&self.root)
            .env_clear()
            .envs(VARIABLES.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let (Some(ask), Some(answer)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("no pipes"));
        };
        Ok(Pipe {
            child,
            ask,
            answer: BufReader::new(answer),
        })
    }
}

/// A partial clone lacks the object, and nothing is fetched here.
const NOT_HERE: &str = "the object is not in this clone";

impl Pipe {
    /// Asks for one object: `ID`, answered by `ID TYPE SIZE`, the bytes and a line end.
    fn blob(&mut self, id: &str, cap: u64) -> Result<Vec<u8>, TreeError> {
        let failed = |e: io::Error| TreeError::Unreadable(e.kind().to_string());
        writeln!(self.ask, "{id}").map_err(failed)?;
        self.ask.flush().map_err(failed)?;
        let mut header = String::new();
        (&mut self.answer)
            .take(1024)
            .read_line(&mut header)
            .map_err(failed)?;
        if header.trim_end().ends_with(" missing") {
            return Err(TreeError::Unreadable(NOT_HERE.to_owned()));
        }
        let size: u64 = header
            .rsplit(' ')
            .next()
            .and_then(|s| s.trim().parse().ok())
            .ok_or_else(|| TreeError::Unreadable("git ended".to_owned()))?;
        let mut body = (&mut self.answer).take(size.saturating_add(1));
        if size > cap {
            io::copy(&mut body, &mut io::sink()).map_err(failed)?;
            return Err(TreeError::TooLarge { size, cap });
        }
        let mut bytes = Vec::new();
        body.read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() as u64 != size.saturating_add(1) {
            return Err(TreeError::Unreadable("git ended".to_owned()));
        }
        bytes.pop();
        Ok(bytes)
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests;
