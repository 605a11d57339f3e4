//! Lists that people and tools already have: inventories of repositories, and npm's token listings.
//!
//! Owns the capped reader and the errors of reading. Everything below it is pure: bytes in, typed rows out, each with
//! the line it came from. Must not keep, echo or pass on a cell that looks like a credential: such a cell is named by
//! its place and the whole list is refused.

pub mod cell;
pub mod cli_lists;
pub mod columns;
pub mod inventory;
pub mod npm_tokens;
pub mod sheet;

use std::borrow::Cow;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::safe::redact::redact;
use crate::safe::shown::{and_more, visible};

/// Most bytes read of one list.
pub const MAX_BYTES: u64 = 16 * 1024 * 1024;

/// Most places named in one error; the rest are counted.
const MAX_PLACES: usize = 12;

/// Says why a list cannot be taken, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    #[error("cannot read {}: {source}", visible(&path.to_string_lossy()))]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{} is not a regular file; give the list as a plain file", visible(&path.to_string_lossy()))]
    NotRegular { path: PathBuf },
    #[error("{} is larger than {} MiB; split the list into several files", visible(&path.to_string_lossy()), MAX_BYTES / (1024 * 1024))]
    TooLarge { path: PathBuf },
    #[error(
        "{} does not end in .csv, .tsv, .toml, .json, .yaml or .yml; rename it so that its format is known",
        visible(&path.to_string_lossy())
    )]
    UnknownFormat { path: PathBuf },
    #[error("the list is not UTF-8 text (first bad byte at {at}); save it again as UTF-8")]
    NotText { at: usize },
    #[error("line {line}: not valid {format}: {message}; correct it and read the list again")]
    Syntax {
        format: sheet::Format,
        line: u32,
        message: String,
    },
    #[error("{message}")]
    Shape { message: String },
    #[error("{}; revoke what stands there, remove it from the list and read it again (its value was not kept)", places(.0))]
    Secret(Vec<SecretPlace>),
    #[error(
        "no column tells the repository; columns seen: {}; name one `repo`, or say which one it is with --map \"COLUMN=repo\"",
        names(seen)
    )]
    NoRepo { seen: Vec<String> },
    #[error("{message}")]
    Override { message: String },
    #[error("{}", problems(.0))]
    Cells(Vec<CellProblem>),
}

/// Where something stands that looks like a credential. It never holds the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretPlace {
    pub line: u32,
    /// The column's name as written, or `column 3` where the name itself is the secret.
    pub column: String,
}

/// One cell that cannot be read as its field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellProblem {
    pub line: u32,
    pub column: String,
    /// What was expected, and the text where that is harmless.
    pub message: String,
}

impl fmt::Display for SecretPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "line {}, {} looks like a credential",
            self.line,
            visible(&self.column)
        )
    }
}

impl fmt::Display for CellProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "line {}, {}: {}",
            self.line,
            visible(&self.column),
            self.message
        )
    }
}

fn join<T: fmt::Display>(all: &[T]) -> String {
    let mut text = all
        .iter()
        .take(MAX_PLACES)
        .map(T::to_string)
        .collect::<Vec<_>>()
        .join("; ");
    if all.len() > MAX_PLACES {
        text.push(';');
        text.push_str(&and_more(all.len() - MAX_PLACES));
    }
    text
}

fn places(all: &[SecretPlace]) -> String {
    join(all)
}

fn problems(all: &[CellProblem]) -> String {
    join(all)
}

fn names(all: &[String]) -> String {
    let shown: Vec<String> = all
        .iter()
        .map(|name| format!("`{}`", visible(name)))
        .collect();
    if shown.is_empty() {
        "none".to_owned()
    } else {
        join(&shown)
    }
}

/// Reads a list into memory: a regular file (links are followed, since a person named it) of at most [`MAX_BYTES`].
///
/// # Errors
/// The file cannot be opened or read, is not regular (a pipe, a device, a folder), or is too large.
pub fn read_file(path: &Path) -> Result<Vec<u8>, IntakeError> {
    let failed = |source| IntakeError::Read {
        path: path.to_owned(),
        source,
    };
    let file = open(path).map_err(failed)?;
    let meta = file.metadata().map_err(failed)?;
    if !meta.is_file() {
        return Err(IntakeError::NotRegular {
            path: path.to_owned(),
        });
    }
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(IntakeError::TooLarge {
            path: path.to_owned(),
        });
    }
    Ok(bytes)
}

/// Opens without waiting for the other end of a pipe.
#[cfg(unix)]
fn open(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let nonblock = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or(0);
    OpenOptions::new()
        .read(true)
        .custom_flags(nonblock)
        .open(path)
}

#[cfg(not(unix))]
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).open(path)
}

/// Whether a text holds something that looks like a credential, in any reading of it.
fn has_secret(text: &str) -> bool {
    matches!(redact(text), Cow::Owned(_))
}

/// Decodes a list, without its byte order mark.
fn text(bytes: &[u8]) -> Result<&str, IntakeError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|e| IntakeError::NotText {
        at: e.valid_up_to(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn reads_a_plain_file_and_refuses_the_rest() {
        let dir = tempfile::tempdir().unwrap();
        let plain = dir.path().join("a.csv");
        std::fs::write(&plain, "repo\nacme/a\n").unwrap();
        assert_eq!(read_file(&plain).unwrap(), b"repo\nacme/a\n");

        let big = dir.path().join("big.csv");
        let file = File::create(&big).unwrap();
        file.set_len(MAX_BYTES + 1).unwrap();
        assert!(matches!(read_file(&big), Err(IntakeError::TooLarge { .. })));
        assert!(matches!(
            read_file(dir.path()),
            Err(IntakeError::NotRegular { .. } | IntakeError::Read { .. })
        ));
        let missing = read_file(&dir.path().join("none.csv")).unwrap_err();
        assert!(missing.to_string().contains("none.csv"));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn does_not_wait_for_a_pipe_or_read_a_device() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("pipe.csv");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &pipe,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
            0,
        )
        .unwrap();
        assert!(matches!(
            read_file(&pipe),
            Err(IntakeError::NotRegular { .. })
        ));
        let zero = dir.path().join("zero.csv");
        std::os::unix::fs::symlink("/dev/zero", &zero).unwrap();
        assert!(matches!(
            read_file(&zero),
            Err(IntakeError::NotRegular { .. })
        ));
    }

    #[test]
    fn says_where_text_stops_being_text() {
        assert!(matches!(
            text(b"repo\n\xff"),
            Err(IntakeError::NotText { at: 5 })
        ));
        assert_eq!(text(b"\xef\xbb\xbfrepo").unwrap(), "repo");
    }

    #[test]
    fn long_lists_of_places_are_cut() {
        let all: Vec<_> = (1..=20)
            .map(|line| SecretPlace {
                line,
                column: "notes".to_owned(),
            })
            .collect();
        let said = IntakeError::Secret(all).to_string();
        assert!(said.contains("line 12, notes") && said.contains("and 8 more"));
    }
}
