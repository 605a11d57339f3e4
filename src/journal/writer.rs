//! Appends to a session file: one writer at a time, acknowledged only when the bytes are on the disk.
//!
//! Owns the order of opening (lock, read, set aside, writer, reserve) and what happens when a write fails. It places
//! events in its chain and must not know what they mean, nor read a clock or make an id of its own.

use super::chain::{Chains, MAX_LEAP, heads_of};
use super::disk::{self, Disk, FileDisk, Lock, Mode, Reserve};
use super::error::Error;
use super::error::SignError;
use super::line::{
    Draft, EventId, Line, LineHash, MAX_NUMBER, Previous, SessionId, WriterId, finish,
};
use super::reader::{self, Place, Report};
use super::reason::Reason;
use super::spec::{HEADS_SEEN, MAX_FILE, MAX_WRITERS, SEALED, SESSION_CREATED, WRITER_JOINED};
use super::state::{self, Slot};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use super::state::Behind;

/// Signs the bytes of a body: gives the base64 body of the signature.
pub type Signer<'a> = &'a dyn Fn(&[u8]) -> Result<String, SignError>;

/// What opening for writing needs from outside.
#[derive(Debug, Clone, Copy)]
pub struct Settings<'a> {
    /// Folder outside any checkout where this device remembers its writers.
    pub state: &'a Path,
    /// Who opens it, for the message that another process gets.
    pub holder: &'a str,
    /// The id to use if this device has to join as a new writer: fresh and random.
    pub new_writer: WriterId,
}

/// A session file that was read, with the right to write it or the reason why not.
#[derive(Debug)]
pub struct Opened {
    pub report: Report,
    /// For reading long text back.
    pub file: Arc<File>,
    pub access: Access,
    /// Where a torn tail was put.
    pub set_aside: Option<PathBuf>,
    /// What this device wrote and the file lacks.
    pub behind: Vec<Behind>,
}

/// Whether the file can be written.
#[derive(Debug)]
pub enum Access {
    Append(Box<Journal>),
    /// As asked, or because of damage or a fork: [`Report::sound`] says which.
    ReadOnly,
}

/// One line that is on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    pub id: EventId,
    pub tick: u64,
    pub hash: LineHash,
    pub place: Place,
    /// The line without its newline.
    pub text: String,
}

/// Opens a session file for reading only: a regular file, no link followed.
///
/// # Errors
/// The file cannot be opened.
pub fn open_for_reading(path: &Path) -> Result<File, Error> {
    disk::open(path, Mode::Read)
}

/// Reads a session file without any right to write it. See [`reader::read`] for `map` and `sink`.
///
/// # Errors
/// The file cannot be opened or is no session.
pub fn open_read_only<T: Send>(
    path: &Path,
    map: impl Fn(&Line<'_>, Place) -> T + Sync,
    sink: impl FnMut(&mut dyn Iterator<Item = T>) + Send,
) -> Result<Opened, Error> {
    let file = disk::open(path, Mode::Read)?;
    let report = reader::read(&file, map, sink)?;
    Ok(Opened {
        report,
        file: Arc::new(file),
        access: Access::ReadOnly,
        set_aside: None,
        behind: Vec::new(),
    })
}

/// Locks, reads and verifies a session file and makes it ready for appending.
///
/// A torn tail is moved beside the file. With damage or a fork the file is left as it is and opened read-only.
///
/// # Errors
/// The file cannot be opened, is no session, is locked by another process, or this device cannot remember its writer.
pub fn open<T: Send>(
    path: &Path,
    settings: Settings<'_>,
    map: impl Fn(&Line<'_>, Place) -> T + Sync,
    sink: impl FnMut(&mut dyn Iterator<Item = T>) + Send,
) -> Result<Opened, Error> {
    let file = disk::open(path, Mode::Append)?;
    let lock = Lock::take(path, settings.holder)?;
    let report = reader::read(&file, map, sink)?;
    let file = Arc::new(file);
    if !report.appendable() {
        return Ok(Opened {
            report,
            file,
            access: Access::ReadOnly,
            set_aside: None,
            behind: Vec::new(),
        });
    }
    let set_aside = match report.torn {
        Some(torn) => Some(disk::set_torn_aside(path, &file, torn)?),
        None => None,
    };
    let inode = disk::inode(&file).map_err(Error::io("open", path))?;
    let (slot, behind) = state::choose(
        settings.state,
        report.session,
        &report.chains,
        inode,
        settings.new_writer,
    )?;
    let disk = FileDisk::new(Arc::clone(&file), path).map_err(Error::io("open", path))?;
    let mut reserve = Reserve::beside(path);
    // Without room the file still opens: only a step that needs an outcome asks for the reserve.
    let _ = reserve.keep();
    let journal = Journal::new(Box::new(disk), path, &report, slot, reserve, lock);
    Ok(Opened {
        report,
        file,
        access: Access::Append(Box::new(journal)),
        set_aside,
        behind,
    })
}

/// Starts a session: writes its first two lines into a new file, whole or not at all. The file is then opened as usual.
///
/// `created` must carry the session's id in its data, as `"session"`.
///
/// # Errors
/// The name is taken, the disk refuses, or the events are not those of a first and second line.
pub fn create(
    path: &Path,
    settings: Settings<'_>,
    session: SessionId,
    created: &Draft<'_>,
    joined: &Draft<'_>,
) -> Result<(), Error> {
    let id = |seq| EventId {
        writer: settings.new_writer,
        seq,
    };
    let (first, hash) = finish(created.body(id(0), 0)?, None, &Previous::Session(session))?;
    let (second, hash) = finish(joined.body(id(1), 1)?, None, &Previous::Line(hash))?;
    let bytes = format!("{first}\n{second}\n").into_bytes();
    let report = reader::read(&bytes, |_, _| (), |_| ())?;
    report.sound(path, &bytes)?;
    if report.session != session {
        return Err(Error::OtherSession(session, report.session));
    }
    if path.symlink_metadata().is_ok() {
        return Err(Error::Exists {
            path: path.to_owned(),
        });
    }
    state::found(settings.state, session, settings.new_writer, 1, hash)?;
    disk::create_with(path, |file| {
        file.write_all(&bytes).map_err(Error::io("create", path))
    })
}

#[derive(Debug, Clone, Copy)]
struct Head {
    seq: u64,
    hash: LineHash,
    tick: u64,
}

/// A session file that is open for appending. The lock is held until it is dropped.
pub struct Journal {
    disk: Box<dyn Disk>,
    path: PathBuf,
    session: SessionId,
    chains: Chains,
    lines: u64,
    len: u64,
    /// Why nothing more is written until the file is opened again.
    poisoned: Option<String>,
    slot: Slot,
    reserve: Reserve,
    _lock: Lock,
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Journal")
            .field("path", &self.path)
            .field("writer", &self.slot.writer)
            .finish_non_exhaustive()
    }
}

/// Whether a write may use the reserve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Need {
    Ordinary,
    Outcome,
}

/// Lines that are ready to be written, with what is true once they are.
struct Batch {
    bytes: Vec<u8>,
    written: Vec<Written>,
}

impl Journal {
    fn new(
        disk: Box<dyn Disk>,
        path: &Path,
        report: &Report,
        slot: Slot,
        reserve: Reserve,
        lock: Lock,
    ) -> Self {
        Self {
            disk,
            path: path.to_owned(),
            session: report.session,
            chains: report.chains.clone(),
            lines: report.lines,
            len: report.len,
            poisoned: None,
            slot,
            reserve,
            _lock: lock,
        }
    }

    /// This device's writer in this session.
    #[must_use]
    pub fn writer(&self) -> WriterId {
        self.slot.writer
    }

    /// True once this writer's first line stands. Until then only `writer_joined` can be appended.
    #[must_use]
    pub fn joined(&self) -> bool {
        self.chains.get(self.slot.writer).is_some()
    }

    /// Why nothing more is written, if so.
    #[must_use]
    pub fn poisoned(&self) -> Option<&str> {
        self.poisoned.as_deref()
    }

    /// All chains as of now: their heads are what a `heads_seen` event says.
    #[must_use]
    pub fn chains(&self) -> &Chains {
        &self.chains
    }

    fn head(&self, writer: WriterId) -> Option<Head> {
        let chain = self.chains.get(writer)?;
        Some(Head {
            seq: chain.seq,
            hash: chain.hash,
            tick: chain.tick,
        })
    }

    /// Appends events with one write and one sync. When it returns, all of them are on the disk; else none counts.
    ///
    /// # Errors
    /// An event has not the right form (nothing is written then), or the disk failed: the journal is then read-only.
    pub fn append(&mut self, drafts: &[Draft<'_>]) -> Result<Vec<Written>, Error> {
        let batch = self.batch(drafts, None)?;
        self.commit(batch, Need::Ordinary)
    }

    /// Appends one event with a signature over its body.
    ///
    /// # Errors
    /// As [`Journal::append`]; also if the signer fails, and nothing is written then.
    pub fn append_signed(
        &mut self,
        draft: &Draft<'_>,
        signer: Signer<'_>,
    ) -> Result<Written, Error> {
        let batch = self.batch(std::slice::from_ref(draft), Some(signer))?;
        self.commit(batch, Need::Ordinary).and_then(only)
    }

    /// Appends the outcome of a step, on a full disk too: the reserve is given up for it.
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub fn append_outcome(&mut self, draft: &Draft<'_>) -> Result<Written, Error> {
        let batch = self.batch(std::slice::from_ref(draft), None)?;
        self.commit(batch, Need::Outcome).and_then(only)
    }

    /// Makes sure that an outcome could be written. To be asked before every intent.
    ///
    /// # Errors
    /// The disk has no room for a reserve.
    pub fn ensure_room(&mut self) -> Result<(), Error> {
        self.reserve.keep()
    }

    /// Appends lines of other writers as they are, verified against the chains here, with one write and one sync.
    ///
    /// # Errors
    /// The first line that does not follow its writer's last line here: nothing is written then.
    pub fn absorb<S: AsRef<str>>(&mut self, lines: &[S]) -> Result<Vec<Written>, Error> {
        let mut heads: BTreeMap<WriterId, Head> = BTreeMap::new();
        let mut batch = Batch {
            bytes: Vec::new(),
            written: Vec::new(),
        };
        let mut claims = Vec::new();
        let mut highest = self.chains.tick;
        for text in lines {
            let line = Line::parse(text.as_ref().as_bytes())?;
            let EventId { writer, seq } = line.id;
            let head = heads.get(&writer).copied().or_else(|| self.head(writer));
            let expected = head.map_or(0, |head| head.seq + 1);
            let previous = head.map_or(Previous::Session(self.session), |head| {
                Previous::Line(head.hash)
            });
            match head {
                _ if seq > expected => {
                    return Err(Reason::Gap {
                        expected,
                        found: seq,
                    }
                    .into());
                }
                _ if seq < expected => {
                    return Err(Reason::Again {
                        expected,
                        found: seq,
                    }
                    .into());
                }
                Some(head) if line.tick <= head.tick => {
                    return Err(Reason::TickFalls {
                        previous: head.tick,
                        found: line.tick,
                    }
                    .into());
                }
                None if line.kind != WRITER_JOINED => return Err(Reason::FirstLines.into()),
                None if self.chains.len() + heads.len() >= MAX_WRITERS => {
                    return Err(Reason::TooManyWriters.into());
                }
                Some(_) if [SESSION_CREATED, WRITER_JOINED].contains(&line.kind) => {
                    return Err(Reason::FirstLines.into());
                }
                _ if line.tick > highest.saturating_add(MAX_LEAP) => {
                    return Err(Reason::TickLeaps {
                        highest,
                        found: line.tick,
                    }
                    .into());
                }
                _ if !line.follows(&previous) => return Err(Reason::Hash.into()),
                _ => {}
            }
            highest = highest.max(line.tick);
            heads.insert(
                writer,
                Head {
                    seq,
                    hash: line.hash,
                    tick: line.tick,
                },
            );
            if line.kind == HEADS_SEEN || line.kind == SEALED {
                claims.push((line.id, heads_of(line.data)));
            }
            self.add_to(
                &mut batch,
                line.id,
                line.tick,
                line.hash,
                text.as_ref().to_owned(),
            );
        }
        let written = self.commit(batch, Need::Ordinary)?;
        for (by, seen) in claims {
            seen.iter().for_each(|seen| self.chains.claim(by, seen));
        }
        Ok(written)
    }

    fn batch(&self, drafts: &[Draft<'_>], signer: Option<Signer<'_>>) -> Result<Batch, Error> {
        self.usable()?;
        let writer = self.slot.writer;
        let mut head = self.head(writer);
        let mut batch = Batch {
            bytes: Vec::new(),
            written: Vec::new(),
        };
        let mut tick = self.chains.tick;
        for draft in drafts {
            let first = [SESSION_CREATED, WRITER_JOINED].contains(&draft.kind);
            match head {
                None if draft.kind != WRITER_JOINED => return Err(Error::NotJoined),
                Some(_) if first => return Err(Reason::FirstLines.into()),
                _ => {}
            }
            let id = EventId {
                writer,
                seq: head.map_or(0, |head| head.seq + 1),
            };
            tick = tick.saturating_add(1).min(MAX_NUMBER);
            let body = draft.body(id, tick)?;
            let sig = signer.map(|sign| sign(body.as_bytes())).transpose()?;
            let previous = head.map_or(Previous::Session(self.session), |head| {
                Previous::Line(head.hash)
            });
            let (text, hash) = finish(body, sig.as_deref(), &previous)?;
            head = Some(Head {
                seq: id.seq,
                hash,
                tick,
            });
            self.add_to(&mut batch, id, tick, hash, text);
        }
        Ok(batch)
    }

    fn add_to(&self, batch: &mut Batch, id: EventId, tick: u64, hash: LineHash, text: String) {
        let line = self.lines + batch.written.len() as u64 + 1;
        let offset = self.len + batch.bytes.len() as u64;
        let place = Place {
            line,
            offset,
            len: u32::try_from(text.len()).unwrap_or(u32::MAX),
        };
        batch.bytes.extend_from_slice(text.as_bytes());
        batch.bytes.push(b'\n');
        batch.written.push(Written {
            id,
            tick,
            hash,
            place,
            text,
        });
    }

    fn usable(&self) -> Result<(), Error> {
        match &self.poisoned {
            Some(why) => Err(Error::Poisoned(why.clone())),
            None => Ok(()),
        }
    }

    fn commit(&mut self, batch: Batch, need: Need) -> Result<Vec<Written>, Error> {
        self.usable()?;
        let Batch { bytes, written } = batch;
        if bytes.is_empty() {
            return Ok(written);
        }
        if self.len + bytes.len() as u64 > MAX_FILE {
            return Err(Error::TooLarge);
        }
        match self.disk.changed(self.len) {
            Ok(None) => {}
            Ok(Some(how)) => {
                self.poisoned = Some(how.to_owned());
                return Err(Error::Changed(how));
            }
            Err(source) => return Err(self.poison("look at", source)),
        }
        let mut result = self.put(&bytes);
        if need == Need::Outcome
            && matches!(&result, Err(e) if e.kind() == io::ErrorKind::StorageFull)
            && self.reserve.release()
        {
            result = self.disk.cut(self.len).and_then(|()| self.put(&bytes));
        }
        if let Err(source) = result {
            // Best effort: what cannot be taken back is set aside as torn when the file is opened again.
            let _ = self.disk.cut(self.len);
            return Err(self.poison("write", source));
        }
        self.len += bytes.len() as u64;
        self.lines += written.len() as u64;
        for line in &written {
            self.chains
                .add(line.id, line.tick, line.hash, line.hash.short());
        }
        if let Some(head) = self.head(self.slot.writer) {
            // A state that lags behind is allowed: the file is ahead of it then, and goes on.
            let _ = self.slot.remember(head.seq, head.hash);
        }
        Ok(written)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.disk.append(bytes)?;
        self.disk.sync()
    }

    fn poison(&mut self, doing: &'static str, source: io::Error) -> Error {
        self.poisoned = Some(source.to_string());
        Error::Io {
            doing,
            path: self.path.clone(),
            source,
        }
    }
}

fn only(written: Vec<Written>) -> Result<Written, Error> {
    written.into_iter().next().ok_or(Error::NotJoined)
}

#[cfg(test)]
mod tests;
