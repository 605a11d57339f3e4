//! Foreign programs: found once outside the trees that are scanned, run with a narrow environment, no input but a given file and capped output.
//! Must not be given a secret as an argument. Also switches core dumps off for this process and its children.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Variables that every program may see; all others are named by the caller.
const ENVIRONMENT: &[&str] = &[
    "PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR",
];

/// Why a program could not be found or run.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    #[error(
        "`{name}` was not found on PATH outside the scanned folders; install it or correct PATH"
    )]
    NotFound { name: String },
    #[error("could not start {}: {source}", path.display())]
    Start { path: PathBuf, source: io::Error },
    #[error("could not read what {} wrote: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{} did not end within {} s and was stopped; see whether it waits for an answer", path.display(), limit.as_secs())]
    TooLong { path: PathBuf, limit: Duration },
    #[error("{} wrote more than {cap} bytes and was stopped", path.display())]
    TooMuch { path: PathBuf, cap: usize },
}

/// Switches core dumps off for this process and its children: memory holds credentials.
///
/// # Errors
/// When the system refuses the limit; the caller says so and goes on.
pub fn core_dumps_off() -> io::Result<()> {
    setrlimit(
        Resource::Core,
        Rlimit {
            current: Some(0),
            maximum: Some(0),
        },
    )?;
    // Also keeps other processes of the same user from attaching or reading the memory file.
    #[cfg(target_os = "linux")]
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?;
    if getrlimit(Resource::Core).current == Some(0) {
        Ok(())
    } else {
        Err(io::Error::other("the limit did not take"))
    }
}

/// A program by its absolute path, found once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    path: PathBuf,
}

/// What a program is given besides its arguments.
#[derive(Debug, Clone)]
pub struct Surroundings<'a> {
    /// The folder that it runs in.
    pub folder: &'a Path,
    /// Names of further variables that are handed on when set.
    pub pass: &'a [&'a str],
    /// Variables set for it; these win.
    pub set: &'a [(&'a str, &'a OsStr)],
    /// Most bytes of its output and of its error output, each.
    pub cap: usize,
    /// Longest time that it may run.
    pub limit: Duration,
    /// What it reads as its input; nothing unless given.
    pub input: Option<&'a fs::File>,
}

impl<'a> Surroundings<'a> {
    /// Gives a program 1 MiB of output and ten seconds.
    pub fn new(folder: &'a Path) -> Self {
        Self {
            folder,
            pass: &[],
            set: &[],
            cap: 1024 * 1024,
            limit: Duration::from_secs(10),
            input: None,
        }
    }
}

/// What a program left behind.
#[derive(Debug, Clone)]
pub struct Output {
    pub status: ExitStatus,
    pub out: Vec<u8>,
    pub err: Vec<u8>,
}

impl Program {
    /// Finds a program on a search path; relative entries and whatever lies in one of `outside` are passed over.
    ///
    /// # Errors
    /// [`ProcessError::NotFound`] when no entry holds a program of that name that this user may run.
    pub fn resolve(
        name: &str,
        search: Option<&OsStr>,
        outside: &[PathBuf],
    ) -> Result<Self, ProcessError> {
        let outside: Vec<PathBuf> = outside
            .iter()
            .filter_map(|folder| fs::canonicalize(folder).ok())
            .collect();
        let folders =
            env::split_paths(search.unwrap_or_default()).filter(|folder| folder.is_absolute());
        let plain_name = Path::new(name).file_name() == Some(OsStr::new(name));
        folders
            .filter(|_| plain_name)
            .filter_map(|folder| {
                // Both the entry and what it links to must lie outside; the entry is what is run, so that programs
                // which go by the name they are called with keep working.
                let entry = fs::canonicalize(folder).ok()?.join(name);
                let target = fs::canonicalize(&entry).ok()?;
                let meta = fs::metadata(&target).ok()?;
                let runs = meta.is_file() && meta.permissions().mode() & 0o111 != 0;
                let inside = outside
                    .iter()
                    .any(|folder| entry.starts_with(folder) || target.starts_with(folder));
                (runs && !inside).then_some(Self { path: entry })
            })
            .next()
            .ok_or_else(|| ProcessError::NotFound {
                name: name.to_owned(),
            })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Runs it to its end and gives what it wrote. It has no input unless a file is given, and leads a process group of its own.
    ///
    /// # Errors
    /// When it cannot be started, runs longer or writes more than allowed; it is stopped in the latter cases.
    pub fn run<A: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = A>,
        around: &Surroundings,
    ) -> Result<Output, ProcessError> {
        use std::os::unix::process::CommandExt as _;
        let mut command = Command::new(&self.path);
        command
            .args(arguments)
            .current_dir(around.folder)
            .env_clear()
            .envs(environment(around));
        let input = around.input.map(fs::File::try_clone).transpose();
        let input = input.map_err(|source| ProcessError::Start {
            path: self.path.clone(),
            source,
        })?;
        command
            .stdin(input.map_or_else(Stdio::null, Stdio::from))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        let started = Instant::now();
        let mut child = command.spawn().map_err(|source| ProcessError::Start {
            path: self.path.clone(),
            source,
        })?;
        let collected = self.collect(&mut child, around, started);
        if collected.is_err() {
            stop(&mut child);
        }
        let (out, err) = collected?;
        let status = self.wait(&mut child, around, started)?;
        Ok(Output { status, out, err })
    }

    /// Starts it and leaves it alone: no input, no output, a process group of its own. Gives how it ended, none where it
    /// still runs after `around.limit`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn launch<A: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = A>,
        around: &Surroundings,
    ) -> Result<Option<ExitStatus>, ProcessError> {
        use std::os::unix::process::CommandExt as _;
        let start = |source| ProcessError::Start {
            path: self.path.clone(),
            source,
        };
        let mut child = Command::new(&self.path)
            .args(arguments)
            .current_dir(around.folder)
            .env_clear()
            .envs(environment(around))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(start)?;
        let (sender, ended) = mpsc::channel();
        // It may run for as long as it likes; somebody has to take its end, or it stays in the process table.
        thread::spawn(move || sender.send(child.wait()));
        match ended.recv_timeout(around.limit) {
            Ok(status) => status.map(Some).map_err(start),
            Err(_) => Ok(None),
        }
    }

    fn collect(
        &self,
        child: &mut Child,
        around: &Surroundings,
        started: Instant,
    ) -> Result<(Vec<u8>, Vec<u8>), ProcessError> {
        let (sender, pieces) = mpsc::channel();
        let streams: [Option<Box<dyn Read + Send>>; 2] = [
            child.stdout.take().map(|stream| Box::new(stream) as _),
            child.stderr.take().map(|stream| Box::new(stream) as _),
        ];
        for (is_err, stream) in [false, true].into_iter().zip(streams) {
            let sender = sender.clone();
            thread::spawn(move || stream.map(|stream| pump(stream, is_err, &sender)));
        }
        drop(sender);
        let (mut out, mut err) = (Vec::new(), Vec::new());
        loop {
            match pieces.recv_timeout(around.limit.saturating_sub(started.elapsed())) {
                Ok((is_err, Ok(piece))) => {
                    let kept: &mut Vec<u8> = if is_err { &mut err } else { &mut out };
                    kept.extend(piece);
                    if kept.len() > around.cap {
                        return Err(ProcessError::TooMuch {
                            path: self.path.clone(),
                            cap: around.cap,
                        });
                    }
                }
                Ok((_, Err(source))) => {
                    return Err(ProcessError::Read {
                        path: self.path.clone(),
                        source,
                    });
                }
                Err(RecvTimeoutError::Timeout) => return Err(self.too_long(around)),
                Err(RecvTimeoutError::Disconnected) => return Ok((out, err)),
            }
        }
    }

    /// Waits for a program that closed its output; most have ended by then.
    fn wait(
        &self,
        child: &mut Child,
        around: &Surroundings,
        started: Instant,
    ) -> Result<ExitStatus, ProcessError> {
        loop {
            match child.try_wait() {
                Ok(Some(status)) => return Ok(status),
                Ok(None) if started.elapsed() > around.limit => {
                    stop(child);
                    return Err(self.too_long(around));
                }
                Ok(None) => thread::sleep(Duration::from_millis(1)),
                Err(source) => {
                    return Err(ProcessError::Read {
                        path: self.path.clone(),
                        source,
                    });
                }
            }
        }
    }

    fn too_long(&self, around: &Surroundings) -> ProcessError {
        ProcessError::TooLong {
            path: self.path.clone(),
            limit: around.limit,
        }
    }
}

/// Builds the environment from the allow-list; an empty variable is handed on as empty.
fn environment(around: &Surroundings) -> Vec<(OsString, OsString)> {
    let passed = ENVIRONMENT
        .iter()
        .chain(around.pass)
        .filter_map(|name| Some((OsString::from(name), env::var_os(name)?)));
    passed
        .chain(
            around
                .set
                .iter()
                .map(|(name, value)| (OsString::from(name), value.to_os_string())),
        )
        .collect()
}

fn pump(
    mut stream: Box<dyn Read + Send>,
    is_err: bool,
    pieces: &Sender<(bool, io::Result<Vec<u8>>)>,
) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let piece = match stream.read(&mut buffer) {
            Ok(0) => return,
            Ok(length) => Ok(buffer.get(..length).unwrap_or_default().to_vec()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Err(error),
        };
        let last = piece.is_err();
        if pieces.send((is_err, piece)).is_err() || last {
            return;
        }
    }
}

/// Ends the program and what it started, as far as that stayed in its group.
fn stop(child: &mut Child) {
    let group = i32::try_from(child.id())
        .ok()
        .and_then(rustix::process::Pid::from_raw);
    if let Some(group) = group {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let _ = child.kill();
    let _ = child.wait();
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

    use super::*;

    fn shell() -> Program {
        Program::resolve("sh", env::var_os("PATH").as_deref(), &[]).unwrap()
    }

    fn program(folder: &Path, name: &str, mode: u32) {
        let path = folder.join(name);
        fs::write(&path, "#!/bin/sh\nexit 0\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn scanned_folders_relative_entries_and_plain_files_are_passed_over() {
        let root = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(root.path()).unwrap();
        for folder in ["scanned", "linked", "plain", "good"] {
            fs::create_dir(root.join(folder)).unwrap();
        }
        program(&root.join("scanned"), "tool", 0o755);
        program(&root.join("plain"), "tool", 0o644);
        std::os::unix::fs::symlink(root.join("scanned/tool"), root.join("linked/tool")).unwrap();
        let search =
            |names: &[&str]| env::join_paths(names.iter().map(|name| root.join(name))).unwrap();
        let outside = [root.join("scanned")];
        let bad = search(&["scanned", "linked", "plain", "missing"]);
        assert!(matches!(
            Program::resolve("tool", Some(&bad), &outside),
            Err(ProcessError::NotFound { .. })
        ));
        program(&root.join("good"), "tool", 0o755);
        let all = search(&["scanned", "linked", "plain", "missing", "good"]);
        assert_eq!(
            Program::resolve("tool", Some(&all), &outside)
                .unwrap()
                .path(),
            root.join("good/tool")
        );
        assert!(Program::resolve("tool", Some(OsStr::new(".:")), &[]).is_err());
        assert!(Program::resolve("good/tool", Some(root.as_os_str()), &[]).is_err());
        assert!(Program::resolve("tool", None, &[]).is_err());
    }

    #[test]
    fn only_named_variables_arrive() {
        let folder = tempfile::tempdir().unwrap();
        let value = OsString::from("given");
        let set = [("MINE", value.as_os_str())];
        let around = Surroundings {
            set: &set,
            ..Surroundings::new(folder.path())
        };
        // cargo sets CARGO_MANIFEST_DIR for this test: it stands for what must not be handed on.
        assert!(env::var_os("CARGO_MANIFEST_DIR").is_some());
        let output = shell()
            .run(["-c", "env; pwd; cat; echo bad >&2; exit 3"], &around)
            .unwrap();
        let text = String::from_utf8(output.out).unwrap();
        assert!(
            text.contains("MINE=given") && text.contains("PATH=") && !text.contains("CARGO"),
            "{text}"
        );
        assert_eq!(
            (output.status.code(), output.err.as_slice()),
            (Some(3), b"bad\n".as_slice())
        );
    }

    #[test]
    fn a_program_that_writes_or_runs_too_long_is_stopped() {
        let folder = tempfile::tempdir().unwrap();
        let around = Surroundings {
            cap: 1000,
            ..Surroundings::new(folder.path())
        };
        let error = shell()
            .run(["-c", "while :; do echo 0123456789; done"], &around)
            .unwrap_err();
        assert!(
            matches!(error, ProcessError::TooMuch { cap: 1000, .. }),
            "{error}"
        );
        let around = Surroundings {
            limit: Duration::from_millis(50),
            ..Surroundings::new(folder.path())
        };
        for script in ["sleep 60", "exec >&- 2>&-; sleep 60", "sleep 60 & wait"] {
            let error = shell().run(["-c", script], &around).unwrap_err();
            assert!(matches!(error, ProcessError::TooLong { .. }), "{error}");
        }
    }

    #[test]
    fn no_core_is_dumped() {
        core_dumps_off().unwrap();
        assert_eq!(getrlimit(Resource::Core).current, Some(0));
    }
}
