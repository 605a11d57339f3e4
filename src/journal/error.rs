//! Why a session file cannot be opened, read, written or signed.

use super::line::{EventId, SessionId};
use super::reason::Reason;
use super::spec::WRITER_JOINED;
use crate::safe::process::ProcessError;
use std::io;
use std::path::PathBuf;

/// Why a session file cannot be opened, read or written. Text of the file or the system is made visible.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error("cannot {doing} {path}: {source}", path = shown(path))]
    Io {
        doing: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    #[error("{path} is a symbolic link, and links are not followed: name the file itself", path = shown(path))]
    Link { path: PathBuf },
    #[error("{path} is not a regular file: name a session file", path = shown(path))]
    NotRegular { path: PathBuf },
    #[error("{path} exists already: choose another name, or open it", path = shown(path))]
    Exists { path: PathBuf },
    #[error("the file is empty: start a session with `cutover init`")]
    Empty,
    #[error("this is not a session file: in line 1 {0}")]
    NotASession(Reason),
    #[error(
        "this session was written by a newer version of cutover (format {0}, this program reads 1): update cutover"
    )]
    Newer(u64),
    #[error("the file is larger than 1 GiB: it is not a session of this program")]
    TooLarge,
    #[error("the session is open in another process ({holder}); its lock is {path}: close it there, or open read-only", path = shown(path))]
    Locked { path: PathBuf, holder: String },
    #[error(
        "the session is read-only after a failed write ({0}): close it and open it again, it is then verified"
    )]
    Poisoned(String),
    #[error(
        "the session file was changed by another program ({0}): close it and open it again, it is then verified"
    )]
    Changed(&'static str),
    #[error("the first line of a writer must be `{WRITER_JOINED}`")]
    NotJoined,
    #[error("the event cannot be written: {0}")]
    Event(#[from] Reason),
    #[error("the disk has no room for an outcome: free some space on the disk of {path} first", path = shown(path))]
    NoRoom { path: PathBuf },
    #[error("these files belong to different sessions ({0} and {1}), which never merge")]
    OtherSession(SessionId, SessionId),
    #[error("{path} is damaged in line {line}: {reason}; merge from an intact copy", path = shown(path))]
    Damaged {
        path: PathBuf,
        line: u64,
        reason: Reason,
    },
    #[error(
        "the files disagree about {id}: two different lines stand under one number\n  {first}\n  {second}"
    )]
    Forked {
        id: EventId,
        first: String,
        second: String,
    },
    #[error(transparent)]
    Sign(#[from] SignError),
}

impl Error {
    pub(crate) fn io(
        doing: &'static str,
        path: &std::path::Path,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io {
            doing,
            path,
            source,
        }
    }
}

/// A path as text that is safe on a terminal.
pub(super) fn shown(path: &std::path::Path) -> String {
    crate::safe::shown::visible(&path.display().to_string()).into_owned()
}

/// Why a signature could not be made or looked at. That one is wrong is no error.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    #[error(transparent)]
    Process(#[from] ProcessError),
    #[error("cannot hand the text to ssh-keygen: {0}")]
    Io(#[from] io::Error),
    #[error(
        "ssh-keygen did not sign with {key}: {said}; load a key with a passphrase into ssh-agent first"
    )]
    Refused { key: String, said: String },
    #[error("ssh-keygen gave no signature")]
    NoSignature,
    #[error("this person or key cannot stand in a list of signers: {0}")]
    Signer(&'static str),
}
