//! Reads a session file in chunks: every line parsed, chained and hashed in parallel, handed on in file order.
//!
//! Owns what a file turns out to be: intact, torn at the end, damaged, forked, or cut behind what somebody saw.
//! Holds no more of the file than two chunks, writes nothing, and never hands on a line that does not verify.

mod chunks;
mod source;

use super::chain::{Chains, Cut, HeadSeen, Linker, heads_of};
use super::error::Error;
use super::json::Scratch;
use super::line::{
    EventId, Line, LineHash, MAX_LINE, Opening, Previous, SessionId, WriterId, opening, split_hash,
};
use super::reason::Reason;
use super::spec::{HEADS_SEEN, MAX_FILE, SEALED, SESSION_CREATED, WRITER_JOINED};
use chunks::{Chunk, Chunks};
use rayon::prelude::*;
pub use source::{Place, Source, Torn};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;

/// Damaged lines that are listed one by one; the others are counted.
const MAX_LISTED: usize = 100;
/// Lines that one thread takes at a time.
const GRAIN: usize = 64;

/// A line that fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    pub place: Place,
    /// Which event it says it is, as far as that can be read.
    pub id: Option<EventId>,
    pub reason: Reason,
}

/// Two lines under one number, both whole: the writer's file was copied and written on in two places, or by a liar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fork {
    pub id: EventId,
    pub places: [Place; 2],
    pub hashes: [LineHash; 2],
}

/// What a session file turned out to be.
#[derive(Debug, Clone)]
pub struct Report {
    pub session: SessionId,
    pub founder: WriterId,
    /// Whole lines, damaged ones included.
    pub lines: u64,
    /// Length in bytes up to the last newline.
    pub len: u64,
    pub chains: Chains,
    pub torn: Option<Torn>,
    /// The first damaged lines, in file order.
    pub damage: Vec<Damage>,
    /// All damaged lines.
    pub damaged: u64,
    pub forks: Vec<Fork>,
    /// What a witness saw and what is gone.
    pub cuts: Vec<Cut>,
}

impl Report {
    /// True if nothing at all is wrong: what `log verify` means by intact.
    #[must_use]
    pub fn intact(&self) -> bool {
        self.appendable() && self.torn.is_none() && self.cuts.is_empty()
    }

    /// True if the file may be written on: a torn tail is set aside, a cut is reported, damage and forks stop.
    #[must_use]
    pub fn appendable(&self) -> bool {
        self.damaged == 0 && self.forks.is_empty()
    }

    /// The error that says why the file may not be written on or merged.
    ///
    /// # Errors
    /// The first fork, else the first damaged line.
    pub fn sound(&self, path: &std::path::Path, source: &dyn Source) -> Result<(), Error> {
        if let Some(fork) = self.forks.first() {
            let [first, second] = fork.places.map(|place| {
                let text = line_at(source, place).unwrap_or_default();
                format!(
                    "line {}: {}",
                    place.line,
                    crate::safe::shown::visible(&text)
                )
            });
            return Err(Error::Forked {
                id: fork.id,
                first,
                second,
            });
        }
        match self.damage.first() {
            Some(damage) => {
                let (line, reason) = (damage.place.line, damage.reason.clone());
                Err(Error::Damaged {
                    path: PathBuf::from(path),
                    line,
                    reason,
                })
            }
            None => Ok(()),
        }
    }
}

/// Reads one line back.
///
/// # Errors
/// What the system says; text that is not UTF-8 or has become shorter is an error too.
pub fn line_at(source: &dyn Source, place: Place) -> io::Result<String> {
    let mut buf = vec![0; usize::try_from(place.len).unwrap_or(MAX_LINE)];
    let mut filled = 0;
    while let Some(rest) = buf.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        let at = place.offset + u64::try_from(filled).unwrap_or(0);
        match source.read_at(rest, at)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            n => filled += n,
        }
    }
    String::from_utf8(buf).map_err(io::Error::other)
}

/// Reads and verifies a whole session file.
///
/// `map` turns a verified line into what the caller keeps, on any thread; `sink` gets the results in file order.
/// Damaged lines are left out and reported.
///
/// # Errors
/// The file cannot be read, is too large, or its first line is not that of a session.
pub fn read<T: Send>(
    source: &dyn Source,
    map: impl Fn(&Line<'_>, Place) -> T + Sync,
    sink: impl FnMut(&mut dyn Iterator<Item = T>) + Send,
) -> Result<Report, Error> {
    if source.size().map_err(unreadable)? > MAX_FILE {
        return Err(Error::TooLarge);
    }
    let mut chunks = Chunks::new(source);
    let Some(chunk) = chunks.next(Vec::new()).map_err(unreadable)? else {
        return Err(no_first_line(&chunks));
    };
    let (session, founder) = first_line(chunk.first().unwrap_or_default())?;
    let mut reading = Reading {
        linker: Linker::new(session),
        founder,
        map,
        sink,
        lines: 0,
        chains: Chains::default(),
        damage: Vec::new(),
        damaged: 0,
        strays: Vec::new(),
    };
    reading.run(&mut chunks, chunk)?;
    let torn = chunks.torn();
    let len = chunks.complete();
    let Reading {
        lines,
        chains,
        damage,
        damaged,
        strays,
        ..
    } = reading;
    let cuts = chains.cuts();
    let mut report = Report {
        session,
        founder,
        lines,
        len,
        chains,
        torn,
        damage,
        damaged,
        forks: Vec::new(),
        cuts,
    };
    find_forks(source, &mut report, &strays).map_err(unreadable)?;
    Ok(report)
}

fn unreadable(source: io::Error) -> Error {
    Error::Io {
        doing: "read",
        path: PathBuf::from("the session file"),
        source,
    }
}

fn no_first_line(chunks: &Chunks<'_>) -> Error {
    match chunks.torn() {
        None => Error::Empty,
        Some(torn) if torn.len > MAX_LINE as u64 => Error::NotASession(Reason::TooLong),
        Some(_) => Error::NotASession(Reason::shape("a whole line with its newline", 0)),
    }
}

/// Reads the session's id and founder from a file's first line.
fn first_line(raw: &[u8]) -> Result<(SessionId, WriterId), Error> {
    #[derive(serde::Deserialize)]
    struct Created<'a> {
        session: &'a str,
    }
    let line = Line::parse(raw).map_err(|reason| match reason {
        Reason::Newer(version) => Error::Newer(version),
        other => Error::NotASession(other),
    })?;
    if line.kind != SESSION_CREATED || line.id.seq != 0 {
        return Err(Error::NotASession(Reason::FirstLines));
    }
    let session = serde_json::from_str::<Created<'_>>(line.data)
        .ok()
        .and_then(|created| created.session.parse().ok());
    let session = session.ok_or(Error::NotASession(Reason::shape(
        "`session` in its data: 32 hex digits",
        0,
    )))?;
    Ok((session, line.id.writer))
}

/// One line of a chunk with its place in its chain.
struct Job {
    place: Place,
    id: Option<EventId>,
    link: Result<(Opening, Previous), Reason>,
}

struct Verified<T> {
    id: EventId,
    tick: u64,
    hash: LineHash,
    short: u128,
    heads: Vec<HeadSeen>,
    value: T,
}

type Checked<T> = Result<Verified<T>, Damage>;

struct Reading<M, S> {
    linker: Linker,
    founder: WriterId,
    map: M,
    sink: S,
    lines: u64,
    chains: Chains,
    damage: Vec<Damage>,
    damaged: u64,
    strays: Vec<Damage>,
}

/// The part that every thread reads while a chunk is checked.
struct Check<'a, M> {
    chunk: &'a Chunk,
    founder: WriterId,
    map: &'a M,
}

impl<M, S> Reading<M, S> {
    /// While one chunk is checked by all threads, the one before is handed on and the one after read and linked.
    ///
    /// All of it runs in the pool: from outside, each chunk would put its threads to sleep and wake them again.
    fn run<T: Send>(&mut self, chunks: &mut Chunks<'_>, first: Chunk) -> Result<(), Error>
    where
        M: Fn(&Line<'_>, Place) -> T + Sync,
        S: FnMut(&mut dyn Iterator<Item = T>) + Send,
    {
        let Self {
            linker,
            founder,
            map,
            sink,
            lines,
            chains,
            damage,
            damaged,
            strays,
        } = self;
        let mut deliver = |checked: Vec<Checked<T>>| {
            let mut values = checked.into_iter().filter_map(|line| match line {
                Ok(good) => {
                    chains.add(good.id, good.tick, good.hash, good.short);
                    good.heads
                        .iter()
                        .for_each(|seen| chains.claim(good.id, seen));
                    Some(good.value)
                }
                Err(bad) => {
                    *damaged += 1;
                    if let Some(id) = bad
                        .id
                        .filter(|_| !matches!(bad.reason, Reason::Again { .. }))
                    {
                        chains.break_off(id.writer);
                    }
                    if matches!(bad.reason, Reason::Again { .. }) && strays.len() < MAX_LISTED {
                        strays.push(bad.clone());
                    }
                    if damage.len() < MAX_LISTED {
                        damage.push(bad);
                    }
                    None
                }
            });
            sink(&mut values);
            // Whatever the sink left: its line counts all the same.
            values.for_each(drop);
        };
        let mut split = |chunk: Chunk| {
            let jobs = link_lines(&chunk, linker, lines);
            (chunk, jobs)
        };
        let (map, founder) = (&*map, *founder);
        rayon::scope(|_| {
            let mut now = Some(split(first));
            let mut spare = Vec::new();
            let mut done: Option<Vec<Checked<T>>> = None;
            while let Some((chunk, jobs)) = now.take() {
                let check = Check {
                    chunk: &chunk,
                    founder,
                    map,
                };
                let (checked, next) = rayon::join(
                    || check.all(jobs),
                    || {
                        if let Some(before) = done.take() {
                            deliver(before);
                        }
                        chunks
                            .next(std::mem::take(&mut spare))
                            .map(|next| next.map(&mut split))
                    },
                );
                done = Some(checked);
                now = next.map_err(unreadable)?;
                spare = chunk.into_buffer();
            }
            if let Some(last) = done {
                deliver(last);
            }
            Ok(())
        })
    }
}

/// Finds the lines of a chunk and gives each its predecessor.
fn link_lines(chunk: &Chunk, linker: &mut Linker, lines: &mut u64) -> Vec<Job> {
    let mut jobs = Vec::with_capacity(chunk.len_hint());
    chunk.for_each(|offset, raw| {
        *lines += 1;
        let len = u32::try_from(raw.len()).unwrap_or(u32::MAX);
        let place = Place {
            line: *lines,
            offset,
            len,
        };
        let opened = opening(raw).and_then(|opening| Ok((opening, split_hash(raw)?.1)));
        let id = opened.as_ref().ok().map(|(opening, _)| opening.id);
        let link = opened.and_then(|(opening, hash)| Ok((opening, linker.link(&opening, hash)?)));
        jobs.push(Job { place, id, link });
    });
    if let Some((offset, len)) = chunk.overlong() {
        let len = u32::try_from(len).unwrap_or(u32::MAX);
        if let Some(job) = jobs.first_mut() {
            *job = Job {
                place: Place {
                    line: job.place.line,
                    offset,
                    len,
                },
                id: None,
                link: Err(Reason::TooLong),
            };
        }
    }
    jobs
}

impl<M> Check<'_, M> {
    fn all<T: Send>(&self, jobs: Vec<Job>) -> Vec<Checked<T>>
    where
        M: Fn(&Line<'_>, Place) -> T + Sync,
    {
        jobs.into_par_iter()
            .with_min_len(GRAIN)
            .map_init(Scratch::default, |scratch, job| self.one(job, scratch))
            .collect()
    }

    fn one<T>(&self, job: Job, scratch: &mut Scratch) -> Checked<T>
    where
        M: Fn(&Line<'_>, Place) -> T,
    {
        let Job { place, id, link } = job;
        let checked = link.and_then(|(opening, previous)| {
            let line = Line::parse_rest(self.chunk.line(place), opening, scratch)?;
            if !line.follows(&previous) {
                return Err(Reason::Hash);
            }
            let founder = line.id.writer == self.founder;
            let expected = match line.id.seq {
                0 if founder => Some(SESSION_CREATED),
                0 => Some(WRITER_JOINED),
                1 if founder => Some(WRITER_JOINED),
                _ => None,
            };
            let opens = [SESSION_CREATED, WRITER_JOINED].contains(&line.kind);
            if expected.map_or(opens, |kind| kind != line.kind) {
                return Err(Reason::FirstLines);
            }
            Ok(line)
        });
        match checked {
            Ok(line) => {
                let heads = if line.kind == HEADS_SEEN || line.kind == SEALED {
                    heads_of(line.data)
                } else {
                    Vec::new()
                };
                let value = (self.map)(&line, place);
                Ok(Verified {
                    id: line.id,
                    tick: line.tick,
                    hash: line.hash,
                    short: line.hash.short(),
                    heads,
                    value,
                })
            }
            Err(reason) => Err(Damage { place, id, reason }),
        }
    }
}

/// Tells forks from other lines whose seq comes again: a fork's hash is right after the line before it.
fn find_forks(source: &dyn Source, report: &mut Report, strays: &[Damage]) -> io::Result<()> {
    let wanted: BTreeSet<EventId> = strays
        .iter()
        .filter_map(|stray| stray.id)
        .flat_map(|id| {
            [
                Some(id),
                id.seq.checked_sub(1).map(|seq| EventId { seq, ..id }),
            ]
        })
        .flatten()
        .collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let mut found: BTreeMap<EventId, (Place, LineHash)> = BTreeMap::new();
    let mut chunks = Chunks::new(source);
    let mut lines = 0;
    while let Some(chunk) = chunks.next(Vec::new())? {
        chunk.for_each(|offset, raw| {
            lines += 1;
            let place = Place {
                line: lines,
                offset,
                len: u32::try_from(raw.len()).unwrap_or(u32::MAX),
            };
            if let (Ok(opening), Ok((_, hash))) = (opening(raw), split_hash(raw))
                && wanted.contains(&opening.id)
            {
                found.entry(opening.id).or_insert((place, hash));
            }
        });
    }
    for stray in strays {
        let Some(id) = stray.id else { continue };
        let Some((first, first_hash)) = found.get(&id) else {
            continue;
        };
        let previous = match id.seq.checked_sub(1) {
            None => Some(Previous::Session(report.session)),
            Some(seq) => found
                .get(&EventId { seq, ..id })
                .map(|(_, hash)| Previous::Line(*hash)),
        };
        let text = line_at(source, stray.place)?;
        let (Some(previous), Ok(line)) = (previous, Line::parse(text.as_bytes())) else {
            continue;
        };
        if line.hash != *first_hash && line.follows(&previous) {
            report.forks.push(Fork {
                id,
                places: [*first, stray.place],
                hashes: [*first_hash, line.hash],
            });
            for damage in report
                .damage
                .iter_mut()
                .filter(|damage| damage.place == stray.place)
            {
                damage.reason = Reason::Fork;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
