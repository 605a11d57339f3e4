//! The files around a session: opened without following links, locked, set aside, kept in reserve.
//!
//! Owns every system call that makes or changes a file. Knows names and bytes, not what stands in them.

use super::error::Error;
use super::reader::{Source as _, Torn};
use rustix::fs::OFlags;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes kept aside so that an outcome can be written on a full disk.
pub(super) const RESERVE: usize = 64 * 1024;
/// Most of a lock file's text that is shown.
const MAX_HOLDER: u64 = 200;

/// How a file is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Read,
    /// Reads anywhere, writes at the end only.
    Append,
    /// Reads and writes anywhere; made if it is not there.
    Keep,
}

/// Opens a regular file without following a link or waiting for a pipe.
pub(super) fn open(path: &Path, mode: Mode) -> Result<File, Error> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    let mut options = OpenOptions::new();
    options
        .read(true)
        .mode(0o600)
        .custom_flags(i32::try_from(flags.bits()).unwrap_or(0));
    match mode {
        Mode::Read => {}
        Mode::Append => drop(options.append(true)),
        Mode::Keep => drop(options.write(true).create(true)),
    }
    // Named before it is opened, for a clear message; the flags above hold against a change in between.
    match std::fs::symlink_metadata(path) {
        Ok(meta) if meta.is_symlink() => {
            return Err(Error::Link {
                path: path.to_owned(),
            });
        }
        Ok(meta) if !meta.is_file() => {
            return Err(Error::NotRegular {
                path: path.to_owned(),
            });
        }
        _ => {}
    }
    let file = options.open(path).map_err(Error::io("open", path))?;
    let meta = file.metadata().map_err(Error::io("open", path))?;
    if !meta.is_file() {
        return Err(Error::NotRegular {
            path: path.to_owned(),
        });
    }
    Ok(file)
}

/// The path with something after its name: `acme.cutover` -> `acme.cutover.lock`.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Makes the names in a file's folder durable.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// The right to write a session. It stands on a file of its own, because a rename would move an inode's lock.
#[derive(Debug)]
pub(super) struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing is not enough: a child that another thread is just starting holds a copy until it becomes its program.
        let _ = self.0.unlock();
    }
}

impl Lock {
    /// Takes the lock, or says who has it.
    pub(super) fn take(session: &Path, holder: &str) -> Result<Self, Error> {
        let path = beside(session, ".lock");
        let mut file = open(&path, Mode::Keep)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => {
                let mut text = Vec::new();
                // Without the text the message still names the lock.
                let _ = file.take(MAX_HOLDER).read_to_end(&mut text);
                let text = String::from_utf8_lossy(&text);
                let holder = match text.trim() {
                    // The holder empties the file before it writes its name.
                    "" => "which one is not known yet".to_owned(),
                    name => crate::safe::shown::visible(name).into_owned(),
                };
                return Err(Error::Locked { path, holder });
            }
            Err(std::fs::TryLockError::Error(source)) => {
                return Err(Error::Io {
                    doing: "lock",
                    path,
                    source,
                });
            }
        }
        // Only a help for the message above: the lock holds without it, on a full disk too.
        let _ = file.set_len(0);
        let _ = writeln!(file, "process {}, {}", std::process::id(), holder);
        Ok(Self(file))
    }
}

/// Where lines go. A trait, so that a failing disk can be put in its place.
pub(super) trait Disk: Send + Sync {
    /// Adds bytes at the end.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Returns once all bytes are on the disk.
    fn sync(&mut self) -> io::Result<()>;
    /// Takes back what stands after `len`.
    fn cut(&mut self, len: u64) -> io::Result<()>;
    /// Says what was done to the file behind our back, if it should be `len` bytes long.
    fn changed(&self, len: u64) -> io::Result<Option<&'static str>>;
}

/// A session file that is open for appending.
#[derive(Debug)]
pub(super) struct FileDisk {
    file: Arc<File>,
    path: PathBuf,
    inode: (u64, u64),
}

impl FileDisk {
    pub(super) fn new(file: Arc<File>, path: &Path) -> io::Result<Self> {
        let inode = inode(&file)?;
        Ok(Self {
            file,
            path: path.to_owned(),
            inode,
        })
    }
}

/// Device and inode: which file this is, whatever its name.
pub(super) fn inode(file: &File) -> io::Result<(u64, u64)> {
    let meta = file.metadata()?;
    Ok((meta.dev(), meta.ino()))
}

impl Disk for FileDisk {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        (&*self.file).write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn cut(&mut self, len: u64) -> io::Result<()> {
        self.file.set_len(len)?;
        self.file.sync_data()
    }

    fn changed(&self, len: u64) -> io::Result<Option<&'static str>> {
        let meta = match std::fs::symlink_metadata(&self.path) {
            Ok(meta) => meta,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Some("it is gone")),
            Err(e) => return Err(e),
        };
        Ok(if (meta.dev(), meta.ino()) != self.inode {
            Some("another file has its name")
        } else if meta.len() != len {
            Some("its length is not what was written")
        } else {
            None
        })
    }
}

/// Room that is given back when an outcome must be written and the disk is full.
#[derive(Debug)]
pub(super) struct Reserve {
    path: PathBuf,
    there: bool,
}

impl Reserve {
    pub(super) fn beside(session: &Path) -> Self {
        Self {
            path: beside(session, ".reserve"),
            there: false,
        }
    }

    /// Makes sure that the room is taken.
    pub(super) fn keep(&mut self) -> Result<(), Error> {
        if self.there {
            return Ok(());
        }
        let mut file = open(&self.path, Mode::Keep)?;
        let full = file.metadata().is_ok_and(|meta| {
            meta.len() >= RESERVE as u64 && meta.blocks() * 512 >= RESERVE as u64
        });
        let made = if full {
            Ok(())
        } else {
            file.write_all(&[b'.'; RESERVE])
                .and_then(|()| file.sync_all())
        };
        match made {
            Ok(()) => self.there = true,
            Err(e) if e.kind() == io::ErrorKind::StorageFull => {
                // Half a reserve would only take the last room away.
                let _ = std::fs::remove_file(&self.path);
                return Err(Error::NoRoom {
                    path: self.path.clone(),
                });
            }
            Err(source) => {
                return Err(Error::Io {
                    doing: "keep a reserve in",
                    path: self.path.clone(),
                    source,
                });
            }
        }
        Ok(())
    }

    /// Gives the room back; false if there was none.
    pub(super) fn release(&mut self) -> bool {
        self.there = false;
        std::fs::remove_file(&self.path).is_ok()
    }
}

/// Moves what stands after the last newline into a file beside the session, and returns that file's path.
pub(super) fn set_torn_aside(session: &Path, file: &File, torn: Torn) -> Result<PathBuf, Error> {
    let (mut out, aside) = new_aside(session, torn.offset)?;
    let copy = |mut out: &File| copy_range(file, torn, &mut out).and_then(|()| out.sync_all());
    let copied = match copy(&out) {
        // The reserve is for what must be written on a full disk; it is made again when there is room.
        Err(e) if e.kind() == io::ErrorKind::StorageFull && Reserve::beside(session).release() => {
            out.set_len(0)
                .and_then(|()| out.seek(io::SeekFrom::Start(0)))
                .and_then(|_| copy(&out))
        }
        other => other,
    };
    copied
        .and_then(|()| sync_folder(&aside))
        .map_err(Error::io("set a torn line aside in", &aside))?;
    file.set_len(torn.offset)
        .and_then(|()| file.sync_all())
        .map_err(Error::io("cut a torn line off", session))?;
    Ok(aside)
}

fn new_aside(session: &Path, offset: u64) -> Result<(File, PathBuf), Error> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let mut n = 1;
    loop {
        let again = if n == 1 {
            String::new()
        } else {
            format!("-{n}")
        };
        let path = beside(session, &format!(".torn-{offset}{again}"));
        match options.open(&path) {
            Ok(file) => return Ok((file, path)),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists && n < 1000 => n += 1,
            Err(source) => {
                return Err(Error::Io {
                    doing: "set a torn line aside in",
                    path,
                    source,
                });
            }
        }
    }
}

fn copy_range(file: &File, torn: Torn, out: &mut &File) -> io::Result<()> {
    let mut buf = vec![0; 1 << 16];
    let (mut at, end) = (torn.offset, torn.offset + torn.len);
    while at < end {
        match file.read_at(&mut buf, at)? {
            0 => break,
            n => {
                out.write_all(buf.get(..n).unwrap_or_default())?;
                at += n as u64;
            }
        }
    }
    Ok(())
}

/// Writes a new file whole or not at all, and never over an existing one.
pub(super) fn create_with(
    path: &Path,
    fill: impl FnOnce(&mut File) -> Result<(), Error>,
) -> Result<(), Error> {
    let folder = path
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let doing = "create";
    // The temporary file has mode 0600, and so has the result: it is the same inode.
    let mut file = tempfile::Builder::new()
        .prefix(".cutover-new-")
        .tempfile_in(folder)
        .map_err(Error::io("create a file in", folder))?;
    fill(file.as_file_mut())?;
    file.as_file().sync_all().map_err(Error::io(doing, path))?;
    file.persist_noclobber(path)
        .map_err(|e| match e.error.kind() {
            io::ErrorKind::AlreadyExists => Error::Exists {
                path: path.to_owned(),
            },
            _ => Error::Io {
                doing,
                path: path.to_owned(),
                source: e.error,
            },
        })?;
    sync_folder(path).map_err(Error::io(doing, path))
}
