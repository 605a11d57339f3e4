//! What went wrong in a verb: its class, one message, and hints that say what to do.
//!
//! The class gives the exit code. Text that came from outside is made visible by whoever puts it into a message;
//! printing does it once more, so that nothing slips through.

use super::Exit;
use crate::check::CheckError;
use crate::intake::IntakeError;
use crate::journal;
use crate::report;
use crate::session;
use crate::session::decide::Refusal;
use crate::session::name::BadName;
use std::io;
use std::path::Path;

/// Who has to act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// The input or the state of things does not allow it.
    User,
    /// The configuration file or the environment is wrong.
    Config,
    /// The command line is wrong.
    Usage,
    /// What was asked for is not there.
    NotFound,
    /// A session file is damaged, forked or cut.
    Damaged,
    /// Somebody stopped reading our output: no reason to complain.
    BrokenPipe,
    /// The program or the system failed.
    Internal,
}

/// A verb's failure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CommandError {
    pub class: Class,
    pub message: String,
    pub hints: Vec<String>,
}

impl CommandError {
    fn new(class: Class, message: impl Into<String>) -> Self {
        Self {
            class,
            message: message.into(),
            hints: Vec::new(),
        }
    }

    pub fn user(message: impl Into<String>) -> Self {
        Self::new(Class::User, message)
    }

    pub fn config(message: impl Into<String>) -> Self {
        Self::new(Class::Config, message)
    }

    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Class::Usage, message)
    }

    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(Class::NotFound, message)
    }

    pub fn damaged(message: impl Into<String>) -> Self {
        Self::new(Class::Damaged, message)
    }

    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(Class::Internal, message)
    }

    /// Adds what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Says which file or thing it is about, before the message.
    #[must_use]
    pub fn about(mut self, what: &str) -> Self {
        self.message = format!("{what}: {}", self.message);
        self
    }

    /// Makes an error of a failed system call on a path.
    pub fn io(doing: &str, path: &Path, error: &io::Error) -> Self {
        let class = match error.kind() {
            io::ErrorKind::BrokenPipe => Class::BrokenPipe,
            _ => Class::User,
        };
        let made = Self::new(class, format!("cannot {doing} {}: {error}", path.display()));
        match system_hint(error) {
            Some(hint) => made.hint(hint),
            None => made,
        }
    }

    /// Gives the process's exit code.
    pub fn code(&self) -> u8 {
        match self.class {
            Class::User | Class::Config | Class::Internal => 1,
            Class::Usage => 2,
            Class::NotFound => Exit::NothingFound.code(),
            Class::Damaged => Exit::Damaged.code(),
            Class::BrokenPipe => 0,
        }
    }
}

/// Says what to do about an error of the system, where that can be known.
fn system_hint(error: &io::Error) -> Option<&'static str> {
    match error.kind() {
        io::ErrorKind::NotFound => {
            Some("check the path; it is taken as seen from the current folder")
        }
        io::ErrorKind::PermissionDenied => Some("check who owns it and its mode (`ls -l`)"),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            Some("free some space on that disk and try again; what was there is unchanged")
        }
        io::ErrorKind::ReadOnlyFilesystem => Some("choose a place that can be written"),
        _ => None,
    }
}

/// Output that nobody reads any more is silent; everything else is told.
impl From<io::Error> for CommandError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::new(Class::BrokenPipe, "output closed"),
            _ => {
                let made = Self::user(format!("cannot write the output: {error}"));
                match system_hint(&error) {
                    Some(hint) => made.hint(hint),
                    None => made,
                }
            }
        }
    }
}

impl From<session::Error> for CommandError {
    fn from(error: session::Error) -> Self {
        match error {
            session::Error::Journal(error) => error.into(),
            session::Error::Refused(refusal) => refusal.into(),
            session::Error::ReadOnly(why) => {
                Self::user(format!("this session is open read-only: {why}"))
            }
            session::Error::Unsigned
            | session::Error::NotOnRoster(_)
            | session::Error::NotFounder(_)
            | session::Error::NotAccepted(_)
            | session::Error::Sign(_) => Self::user(error.to_string()),
            session::Error::Encode(_) => Self::internal(error.to_string()),
        }
    }
}

impl From<journal::Error> for CommandError {
    fn from(error: journal::Error) -> Self {
        use journal::Error as E;
        let class = match &error {
            E::Io { source, .. } if source.kind() == io::ErrorKind::BrokenPipe => Class::BrokenPipe,
            E::Damaged { .. } | E::Forked { .. } | E::NotASession(_) | E::Empty => Class::Damaged,
            E::NotJoined | E::Event(_) => Class::Internal,
            _ => Class::User,
        };
        // The journal's messages end in what to do; only the system's own errors need a word more.
        let hint = match &error {
            E::Io { source, .. } => system_hint(source),
            E::Damaged { .. } | E::Forked { .. } => {
                Some("`cutover log verify` lists everything that is wrong with the file")
            }
            _ => None,
        };
        let made = Self::new(class, error.to_string());
        match hint {
            Some(hint) => made.hint(hint),
            None => made,
        }
    }
}

impl From<Refusal> for CommandError {
    fn from(refusal: Refusal) -> Self {
        let made = Self::user(refusal.what);
        match refusal.hint {
            Some(hint) => made.hint(hint),
            None => made,
        }
    }
}

impl From<BadName> for CommandError {
    fn from(error: BadName) -> Self {
        let made = Self::user(error.to_string());
        match error {
            BadName::Unknown(_) => made.hint(
                "names look like acme/ui, acme/ui:release.yml#publish, @acme/ui, secret:NPM_TOKEN, token:rosa/3f2a; \
                 `cutover status` lists repositories and tokens, `cutover report` their paths, packages and secrets",
            ),
            BadName::Ambiguous(..) => made.hint("use the id in brackets to choose one"),
        }
    }
}

impl From<IntakeError> for CommandError {
    fn from(error: IntakeError) -> Self {
        let hint = match &error {
            IntakeError::Read { source, .. } => system_hint(source),
            IntakeError::Cells(_) => Some("correct these cells and read the list again"),
            _ => None,
        };
        let made = Self::user(error.to_string());
        match hint {
            Some(hint) => made.hint(hint),
            None => made,
        }
    }
}

impl From<report::Error> for CommandError {
    fn from(error: report::Error) -> Self {
        match error {
            report::Error::Write(error) => error.into(),
            // A reader that is gone is told by the next write to standard output.
            error => Self::user(error.to_string()),
        }
    }
}

impl From<CheckError> for CommandError {
    fn from(error: CheckError) -> Self {
        Self::user(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_give_the_documented_codes() {
        let known = |code: u8| Exit::TABLE.iter().any(|(listed, _)| *listed == code);
        for (error, code) in [
            (CommandError::user(""), 1),
            (CommandError::config(""), 1),
            (CommandError::usage(""), 2),
            (CommandError::not_found(""), 3),
            (CommandError::damaged(""), 12),
            (
                CommandError::from(io::Error::from(io::ErrorKind::BrokenPipe)),
                0,
            ),
        ] {
            assert_eq!(error.code(), code, "{error:?}");
            assert!(known(code), "{code} is not in the table");
        }
        for exit in [
            Exit::Done,
            Exit::NothingFound,
            Exit::WorkRemains,
            Exit::Blocked,
            Exit::Damaged,
            Exit::Violated,
        ] {
            assert!(known(exit.code()), "{exit:?}");
        }
    }

    #[test]
    fn a_full_disk_says_what_to_do() {
        let error = CommandError::io(
            "write",
            Path::new("a.cutover"),
            &io::Error::from(io::ErrorKind::StorageFull),
        );
        assert!(
            error
                .hints
                .iter()
                .any(|hint| hint.contains("free some space")),
            "{error:?}"
        );
    }
}
