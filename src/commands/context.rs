//! What every verb is given: streams, clock, randomness, who acts, and which session is meant.
//!
//! Filled by `cli` from flags, environment and configuration; nothing below reads any of these again.

use super::error::CommandError;
use super::output::Output;
use crate::model::name::Login;
use crate::model::time::Ts;
use crate::safe::process::{ProcessError, Program, Surroundings};
use crate::safe::shown::visible;
use crate::session::fold::Signature;
use crate::session::sign::Signing;
use crate::session::{self, Session};
use std::ffi::OsString;
use std::io::{self, BufRead as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The ending of session files.
pub const ENDING: &str = "cutover";
/// Most bytes of an answer typed at a question.
const MAX_ANSWER: u64 = 4_096;

/// Gives fresh random bytes.
pub type Random = fn() -> io::Result<[u8; 16]>;

/// Reads one variable of the environment: set, not empty and text.
pub type Variable = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// What configuration and environment say about the look of the console.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Look {
    pub theme: Option<String>,
    pub glyphs: Option<String>,
    pub columns: Vec<String>,
    /// No colour at all.
    pub no_color: bool,
    /// `COLORTERM` and `TERM`.
    pub colorterm: Option<String>,
    pub term: Option<String>,
    /// `LC_ALL`, `LC_CTYPE` or `LANG`.
    pub locale: Option<String>,
    /// Times in UTC instead of the local zone.
    pub utc: bool,
}

/// Everything a verb has besides its own options.
pub struct Context {
    pub out: Output,
    pub now: Arc<dyn Fn() -> Ts + Send + Sync>,
    pub random: Random,
    /// The current folder.
    pub folder: PathBuf,
    /// `-s/--session`, else `CUTOVER_SESSION`.
    pub session: Option<PathBuf>,
    /// `--actor`, else `CUTOVER_ACTOR`, else the configuration's.
    pub actor: Option<String>,
    /// The name of the system's account, for the example only.
    pub login: Option<String>,
    pub read_only: bool,
    /// `--sign-with`: the SSH key that this device signs with. It is named, never read.
    pub sign_with: Option<PathBuf>,
    pub look: Look,
    /// Where this device remembers its writers.
    pub state: PathBuf,
    /// The folder with a user's own templates and themes.
    pub config_folder: Option<PathBuf>,
    pub device: String,
    /// `BROWSER`.
    pub browser: Option<String>,
    /// Gives the whole environment, for the verb that looks at it. It holds secrets: sort it at once.
    pub environment: fn() -> Vec<(OsString, OsString)>,
    /// Reads one variable, for the verbs that look outside: credentials and proxies.
    pub variable: Variable,
    /// `HOME`: where the user's own npm configuration is.
    pub home: Option<PathBuf>,
    /// `PATH`.
    pub search: Option<OsString>,
    /// The pull request's target branch, where CI says it.
    pub target: Option<String>,
    /// Whether somebody can be asked: standard input and standard error are a terminal.
    pub interactive: bool,
    /// Whether the console can be opened: standard input and standard output are a terminal.
    pub screen: bool,
}

impl Context {
    pub fn now(&self) -> Ts {
        (self.now)()
    }

    /// Finds the session that is meant: the argument, `-s`, `CUTOVER_SESSION`, the only one here.
    ///
    /// # Errors
    /// None or several are here, or argument and flag differ.
    pub fn session_path(&self, argument: Option<&Path>) -> Result<PathBuf, CommandError> {
        match (argument, &self.session) {
            (Some(argument), _) => Ok(with_ending(argument)),
            (None, Some(given)) => Ok(with_ending(given)),
            (None, None) => self.only_session(),
        }
    }

    fn only_session(&self) -> Result<PathBuf, CommandError> {
        let mut found = sessions_in(&self.folder)?;
        match (found.pop(), found.is_empty()) {
            (Some(only), true) => Ok(only),
            (None, _) => Err(CommandError::not_found(
                "there is no session file (*.cutover) in this folder",
            )
            .hint("start one with `cutover init NAME --scan FOLDER`, or see `cutover demo`")
            .hint("or name it: `-s FILE`, or CUTOVER_SESSION=FILE")),
            (Some(last), false) => {
                found.push(last);
                let names: Vec<String> = found.iter().map(|path| shown(path)).collect();
                Err(CommandError::usage(format!(
                    "there are {} session files here: {}",
                    names.len(),
                    names.join(", ")
                ))
                .hint("choose one with `-s FILE`, or CUTOVER_SESSION=FILE"))
            }
        }
    }

    /// Opens a session for reading only. What is to be said about the file is said.
    ///
    /// # Errors
    /// The file cannot be read, or is no session.
    pub fn read(&mut self, path: &Path) -> Result<Session, CommandError> {
        let actor = self.actor.clone().unwrap_or_default();
        self.open_as(path, actor, true)
    }

    /// Opens a session for writing, under the name of whoever acts.
    ///
    /// # Errors
    /// As [`Context::read`]; nobody is named; another process writes; `--read-only` was given.
    pub fn write(&mut self, path: &Path) -> Result<Session, CommandError> {
        if self.read_only {
            return Err(CommandError::usage(
                "this command writes, which --read-only forbids",
            ));
        }
        let actor = self.actor()?;
        let session = self.open_as(path, actor, false)?;
        match session.read_only() {
            None => Ok(session),
            Some(why) => Err(CommandError::damaged(format!("{} can only be read: {why}", shown(path)))
                .hint("`cutover log verify` lists what is wrong; merge from an intact copy with `cutover log merge`")),
        }
    }

    /// Opens a session as somebody.
    ///
    /// # Errors
    /// As [`Context::read`].
    pub fn open_as(
        &mut self,
        path: &Path,
        actor: String,
        read_only: bool,
    ) -> Result<Session, CommandError> {
        let options = self.session_options(actor, read_only)?;
        let opened = self
            .out
            .slow("opening the session", || Session::open(path, options));
        let mut session = opened.map_err(|error| cannot_open(error, path))?;
        for notice in session.notices() {
            self.out.warn(notice);
        }
        self.signatures(&mut session)?;
        Ok(session)
    }

    /// Signs from now on if a key is named, and checks what others have signed.
    fn signatures(&mut self, session: &mut Session) -> Result<(), CommandError> {
        if let Some(key) = self
            .sign_with
            .clone()
            .filter(|_| session.read_only().is_none())
        {
            std::fs::metadata(&key).map_err(|error| CommandError::io("sign with", &key, &error))?;
            let ssh_keygen = self
                .ssh_keygen()
                .map_err(|error| CommandError::config(error.to_string()))?;
            session.sign_with(Signing { ssh_keygen, key });
        }
        self.check_signatures(session);
        Ok(())
    }

    /// Checks the signatures that were not checked yet. Without `ssh-keygen` they stay so, and say so.
    pub fn check_signatures(&mut self, session: &mut Session) {
        if !self.can_verify(session) {
            return;
        }
        let known = session.notices().len();
        session.check_pending(self.now());
        for notice in session.notices().iter().skip(known) {
            self.out.warn(notice);
        }
    }

    /// Finds what checks signatures, where there are some to check; says so where there is none.
    pub fn can_verify(&mut self, session: &mut Session) -> bool {
        let mut log = session.log().iter();
        if !log.any(|entry| entry.signature == Signature::NotChecked) {
            return false;
        }
        match self.ssh_keygen() {
            Ok(ssh_keygen) => {
                session.verify_with(ssh_keygen);
                true
            }
            Err(error) => {
                self.out
                    .warn(format!("signatures were not checked: {error}"));
                false
            }
        }
    }

    fn ssh_keygen(&self) -> Result<Program, ProcessError> {
        Program::resolve(
            "ssh-keygen",
            self.search.as_deref(),
            std::slice::from_ref(&self.folder),
        )
    }

    /// Gives a number to spread chance from.
    ///
    /// # Errors
    /// The system gives no random bytes.
    pub fn random_seed(&self) -> Result<u64, CommandError> {
        let random = (self.random)().map_err(|error| {
            CommandError::internal(format!("the system gives no random bytes: {error}"))
        })?;
        Ok(random
            .iter()
            .take(8)
            .fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
    }

    /// Gathers what opening or creating a session needs.
    ///
    /// # Errors
    /// The system gives no random bytes.
    pub fn session_options(
        &self,
        actor: String,
        read_only: bool,
    ) -> Result<session::Options, CommandError> {
        let random = (self.random)().map_err(|error| {
            CommandError::internal(format!("the system gives no random bytes: {error}"))
        })?;
        Ok(session::Options {
            // A writer is one person at one device: whoever acts under another name is another writer.
            state: self.state.join(format!("as-{actor}")),
            actor,
            device: self.device.clone(),
            program: concat!("cutover ", env!("CARGO_PKG_VERSION")).to_owned(),
            read_only,
            random,
            now: self.now(),
        })
    }

    /// Gives the login of whoever acts: as named, else git's global user. It names, it does not authenticate.
    ///
    /// # Errors
    /// Nobody is named, or the name is none.
    pub fn actor(&self) -> Result<String, CommandError> {
        if let Some(named) = &self.actor {
            return Login::parse(named)
                .map(|login| login.to_string())
                .map_err(|error| {
                    CommandError::usage(format!("the actor `{}` is {error}", visible(named)))
                        .hint("letters, digits and - _ . @ + only, for example --actor rosa")
                });
        }
        self.git_user().ok_or_else(|| {
            CommandError::config("nobody is named: decisions are written under a name")
                .hint("pass --actor NAME, set CUTOVER_ACTOR, or `git config --global user.email you@example.org`")
        })
    }

    /// Asks git for its global user. The configuration of the checkout at hand is not read: it may be anybody's.
    fn git_user(&self) -> Option<String> {
        let here = std::slice::from_ref(&self.folder);
        let git = Program::resolve("git", self.search.as_deref(), here).ok()?;
        let around = Surroundings {
            pass: &["XDG_CONFIG_HOME", "GIT_CONFIG_GLOBAL"],
            ..Surroundings::new(Path::new("/"))
        };
        ["user.name", "user.email"].into_iter().find_map(|key| {
            let output = git
                .run(["config", "--global", "--get", key], &around)
                .ok()?;
            let text = String::from_utf8(output.out).ok()?;
            let login = Login::parse(text.trim()).ok()?;
            Some(login.to_string())
        })
    }

    /// Asks a yes-or-no question on the terminal; no terminal is no answer.
    pub fn confirm(&mut self, question: &str) -> Option<bool> {
        let answer = self.prompt(&format!("{question} [y/N]"))?;
        Some(matches!(answer.to_ascii_lowercase().as_str(), "y" | "yes"))
    }

    /// Asks for a line on the terminal; no terminal is no answer.
    pub fn prompt(&mut self, question: &str) -> Option<String> {
        if !self.interactive {
            return None;
        }
        self.out.ask(question);
        let mut answer = String::new();
        let mut input = io::Read::take(io::stdin().lock(), MAX_ANSWER);
        input.read_line(&mut answer).ok()?;
        Some(answer.trim().to_owned())
    }
}

/// Says of which file it is that it cannot be opened.
pub fn cannot_open(error: session::Error, path: &Path) -> CommandError {
    let error = CommandError::from(error);
    match error.message.contains(&shown(path)) {
        true => error,
        false => error.about(&shown(path)),
    }
}

/// Completes a name that was given without the ending, where only the file with it is there.
pub fn with_ending(given: &Path) -> PathBuf {
    let mut longer = given.as_os_str().to_owned();
    longer.push(".");
    longer.push(ENDING);
    let longer = PathBuf::from(longer);
    if !given.exists() && longer.exists() {
        longer
    } else {
        given.to_owned()
    }
}

/// Lists the session files of a folder, by name. Links are left out: they are not followed.
///
/// # Errors
/// The folder cannot be read.
pub fn sessions_in(folder: &Path) -> Result<Vec<PathBuf>, CommandError> {
    let listing =
        std::fs::read_dir(folder).map_err(|error| CommandError::io("read", folder, &error))?;
    let mut found: Vec<PathBuf> = listing
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()))
        .map(|entry| PathBuf::from(entry.file_name()))
        .filter(|path| path.extension().is_some_and(|ending| ending == ENDING))
        .collect();
    found.sort();
    Ok(found)
}

/// A path as text that is fit for a message.
pub fn shown(path: &Path) -> String {
    visible(&path.to_string_lossy()).into_owned()
}
