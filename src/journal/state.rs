//! What this device remembers of its writers: id, last line, and which file it was written to.
//!
//! Owns the rule that one writer id is never written on in two places. A small file per writer, outside the session,
//! locked while in use. Losing it costs a new writer id, nothing more. Beside them stands what may be lost at no cost.

use super::chain::Chains;
use super::disk::{self, Mode};
use super::error::Error;
use super::line::{LineHash, SessionId, WriterId};
use serde::{Deserialize, Serialize};
use std::fs::{DirBuilder, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _};
use std::path::{Path, PathBuf};

/// A state is always this long, so that it is written over in one piece.
const LEN: usize = 512;
/// Most writers of one session that a device looks through.
const MAX_STATES: usize = 1000;

/// The session file lacks lines that this device has written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Behind {
    pub writer: WriterId,
    /// The last line that the device wrote.
    pub remembered: u64,
    /// The last line of that writer in the file, none if there is none.
    pub present: Option<u64>,
    /// True if the remembered line is not missing but another one.
    pub replaced: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Memory {
    v: u32,
    writer: String,
    /// None until the first line is written.
    last: Option<(u64, String)>,
    /// Device and inode of the file written to.
    file: (u64, u64),
    /// True while a process writes: if it is found so, that process was killed and the file may be ahead.
    open: bool,
    /// The file of which it was said that it lacks these lines: once is enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    told: Option<(u64, u64)>,
}

impl Memory {
    fn read(file: &mut File) -> Option<Self> {
        let mut text = Vec::new();
        file.take(LEN as u64).read_to_end(&mut text).ok()?;
        let memory: Self = serde_json::from_slice(&text).ok()?;
        (memory.v == 1).then_some(memory)
    }
}

/// A writer id that this process alone may use.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) writer: WriterId,
    file: File,
    path: PathBuf,
    memory: Memory,
}

impl Slot {
    /// Remembers the last line that was written. Not synced: what counts is the session file.
    pub(super) fn remember(&mut self, seq: u64, hash: LineHash) -> io::Result<()> {
        self.memory.last = Some((seq, hash.to_string()));
        self.write()
    }

    fn write(&self) -> io::Result<()> {
        let mut text = serde_json::to_vec(&self.memory).map_err(io::Error::other)?;
        text.resize(LEN, b' ');
        self.file.write_all_at(&text, 0)
    }

    fn sync(&self) -> Result<(), Error> {
        let doing = "remember the writer in";
        self.write()
            .and_then(|()| self.file.sync_all())
            .map_err(Error::io(doing, &self.path))?;
        disk::sync_folder(&self.path).map_err(Error::io(doing, &self.path))
    }

    /// Opens or makes the state of one writer; none if another process has it.
    fn take(folder: &Path, writer: WriterId) -> Result<Option<Self>, Error> {
        let path = folder.join(format!("{writer}.json"));
        let mut file = disk::open(&path, Mode::Keep)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => return Ok(None),
            Err(std::fs::TryLockError::Error(source)) => {
                return Err(Error::Io {
                    doing: "lock",
                    path,
                    source,
                });
            }
        }
        let fresh = Memory {
            v: 1,
            writer: writer.to_string(),
            last: None,
            file: (0, 0),
            open: false,
            told: None,
        };
        let memory = Memory::read(&mut file)
            .filter(|memory| memory.writer == fresh.writer)
            .unwrap_or(fresh);
        Ok(Some(Self {
            writer,
            file,
            path,
            memory,
        }))
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        // Left open, the state only costs a new writer id in a copied file.
        self.memory.open = false;
        let _ = self.write().and_then(|()| self.file.sync_data());
        // As with the session's own lock: a child that is just being started may hold a copy.
        let _ = self.file.unlock();
    }
}

/// Reads what was kept of a session under a name: none where nothing was, or where it is no plain file of at most
/// `cap` bytes.
#[must_use]
pub fn recall(state: &Path, session: SessionId, name: &str, cap: u64) -> Option<Vec<u8>> {
    let file = disk::open(&state.join(session.as_str()).join(name), Mode::Read).ok()?;
    let mut bytes = Vec::new();
    file.take(cap.saturating_add(1))
        .read_to_end(&mut bytes)
        .ok()?;
    (u64::try_from(bytes.len()).is_ok_and(|len| len <= cap)).then_some(bytes)
}

/// Keeps something of a session that may be lost: in one piece, for this user only, and not synced.
///
/// # Errors
/// The folder or the file cannot be written.
pub fn remember(state: &Path, session: SessionId, name: &str, bytes: &[u8]) -> Result<(), Error> {
    let folder = folder(state, session)?;
    let path = folder.join(name);
    let write = || -> io::Result<()> {
        // Made with mode 0600; the rename takes the place of whatever has the name, a link too.
        let mut file = tempfile::NamedTempFile::new_in(&folder)?;
        file.write_all(bytes)?;
        file.persist(&path)?;
        Ok(())
    };
    write().map_err(Error::io("write", &path))
}

/// Where the states of one session are.
fn folder(state: &Path, session: SessionId) -> Result<PathBuf, Error> {
    let folder = state.join(session.as_str());
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder)
        .map_err(Error::io("make the folder", &folder))?;
    Ok(folder)
}

/// Remembers the founder of a session that is about to be created.
pub(super) fn found(
    state: &Path,
    session: SessionId,
    writer: WriterId,
    seq: u64,
    hash: LineHash,
) -> Result<(), Error> {
    if let Some(mut slot) = Slot::take(&folder(state, session)?, writer)? {
        slot.memory.last = Some((seq, hash.to_string()));
        slot.sync()?;
    }
    Ok(())
}

/// Finds the writer that this device may go on with in this file, else starts `new`.
///
/// Also says what the device wrote and the file lacks: of each copy once.
pub(super) fn choose(
    state: &Path,
    session: SessionId,
    chains: &Chains,
    file: (u64, u64),
    new: WriterId,
) -> Result<(Slot, Vec<Behind>), Error> {
    let folder = folder(state, session)?;
    let mut behind = Vec::new();
    let mut chosen = None;
    for writer in known(&folder)? {
        let Some(mut slot) = Slot::take(&folder, writer)? else {
            continue;
        };
        match fit(&slot.memory, writer, chains, file) {
            Fit::Good if chosen.is_none() => chosen = Some(slot),
            Fit::Behind(gap) if slot.memory.told != Some(file) => {
                // Written down when the slot is given back.
                slot.memory.told = Some(file);
                behind.push(gap);
            }
            Fit::Good | Fit::Unsure | Fit::Behind(_) => {}
        }
    }
    let mut slot = match chosen {
        Some(slot) => slot,
        None => Slot::take(&folder, new)?.ok_or(Error::Changed("the new writer's id is taken"))?,
    };
    (slot.memory.file, slot.memory.open, slot.memory.told) = (file, true, None);
    slot.sync()?;
    Ok((slot, behind))
}

fn known(folder: &Path) -> Result<Vec<WriterId>, Error> {
    let entries = std::fs::read_dir(folder).map_err(Error::io("read the folder", folder))?;
    let mut writers: Vec<WriterId> = entries
        .filter_map(|entry| {
            entry
                .ok()?
                .file_name()
                .to_str()?
                .strip_suffix(".json")?
                .parse()
                .ok()
        })
        .take(MAX_STATES)
        .collect();
    writers.sort_unstable();
    Ok(writers)
}

enum Fit {
    Good,
    /// The file may lack lines that a killed process wrote to another copy.
    Unsure,
    Behind(Behind),
}

fn fit(memory: &Memory, writer: WriterId, chains: &Chains, file: (u64, u64)) -> Fit {
    let chain = chains.get(writer);
    let Some((seq, hash)) = &memory.last else {
        // Nothing was remembered, so lines of this writer can only be those of a killed process.
        return if chain.is_none() || memory.file == file {
            Fit::Good
        } else {
            Fit::Unsure
        };
    };
    let present = chain.map(|chain| chain.seq);
    let known = chain.and_then(|chain| chain.short(*seq));
    if known.is_none() || known != hash.parse::<LineHash>().ok().map(|hash| hash.short()) {
        return Fit::Behind(Behind {
            writer,
            remembered: *seq,
            present,
            replaced: known.is_some(),
        });
    }
    if memory.open && memory.file != file {
        Fit::Unsure
    } else {
        Fit::Good
    }
}
