//! The union of the lines of several files of one session, in canonical order.
//!
//! Owns that order (the founder's first line, then tick, writer, seq), fork detection between files, and the digest
//! that a seal states. Reads whole files, keeps only places, and writes to no session file itself.

use super::chain::{Chain, Chains, HeadSeen};
use super::error::Error;
use super::line::{EventId, WriterId};
use super::reader::{self, Place, Report, Source};
use super::reason::Reason;
use super::spec::{MAX_FILE, MAX_WRITERS};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Where one line of a file stands in canonical order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    tick: u64,
    id: EventId,
}

/// One file of a session, verified, with the places of its lines.
pub struct Part<'a> {
    path: PathBuf,
    source: &'a dyn Source,
    pub report: Report,
    index: BTreeMap<EventId, (u64, Place)>,
}

/// How a file stands beside another copy of its session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Beside {
    /// Events that only the other copy has.
    pub missing: Vec<EventId>,
    /// Events that both have, with different lines.
    pub forked: Vec<EventId>,
    /// How many events only this file has.
    pub more: usize,
}

impl<'a> Part<'a> {
    /// Reads a file that is to be merged, exported or sealed. A torn tail is left out.
    ///
    /// # Errors
    /// The file is no session, damaged or forked.
    pub fn read(path: &Path, source: &'a dyn Source) -> Result<Self, Error> {
        let part = Self::read_sound(path, source)?;
        part.report.sound(path, source)?;
        Ok(part)
    }

    /// Reads the lines of a file that are sound, though others are damaged or forked: these are left out, and `report`
    /// tells them. For comparing only: such a file is neither merged nor sealed.
    ///
    /// # Errors
    /// The file is no session, or cannot be read.
    pub fn read_sound(path: &Path, source: &'a dyn Source) -> Result<Self, Error> {
        let mut index = BTreeMap::new();
        let report = reader::read(
            source,
            |line, place| (line.id, (line.tick, place)),
            |places| index.extend(places),
        )?;
        Ok(Self {
            path: path.to_owned(),
            source,
            report,
            index,
        })
    }

    /// Finds the event whose line has this hash.
    ///
    /// # Errors
    /// The file cannot be read any more.
    pub fn event_of(&self, hash: &str) -> Result<Option<EventId>, Error> {
        let end = format!("\"hash\":\"{hash}\"}}");
        for (id, (_, place)) in &self.index {
            if self.text(*place)?.ends_with(&end) {
                return Ok(Some(*id));
            }
        }
        Ok(None)
    }

    /// Gives the last event of a writer that the file has.
    #[must_use]
    pub fn last_of(&self, writer: WriterId) -> Option<EventId> {
        let of_writer = EventId { writer, seq: 0 }..=EventId {
            writer,
            seq: u64::MAX,
        };
        self.index.range(of_writer).next_back().map(|(id, _)| *id)
    }

    /// Compares with another copy of the session.
    ///
    /// # Errors
    /// A file cannot be read any more.
    pub fn beside(&self, other: &Part<'_>) -> Result<Beside, Error> {
        let mut beside = Beside::default();
        for (id, (_, place)) in &other.index {
            match self.index.get(id) {
                None => beside.missing.push(*id),
                Some((_, own)) if self.text(*own)? != other.text(*place)? => {
                    beside.forked.push(*id)
                }
                Some(_) => {}
            }
        }
        let ours = self.index.keys().filter(|id| !other.index.contains_key(id));
        beside.more = ours.count();
        Ok(beside)
    }

    fn text(&self, place: Place) -> Result<String, Error> {
        reader::line_at(self.source, place).map_err(Error::io("read", &self.path))
    }

    fn shown(&self, id: EventId) -> String {
        let text = self
            .index
            .get(&id)
            .and_then(|(_, place)| self.text(*place).ok())
            .unwrap_or_default();
        format!(
            "{}: {}",
            super::error::shown(&self.path),
            crate::safe::shown::visible(&text)
        )
    }

    fn founding(&self) -> EventId {
        EventId {
            writer: self.report.founder,
            seq: 0,
        }
    }

    /// The lines of this file that `chains` lack, in an order in which they can be appended.
    ///
    /// # Errors
    /// A writer's lines differ here and there: a fork.
    pub fn beyond(&self, chains: &Chains) -> Result<Vec<String>, Error> {
        for (writer, chain) in self.report.chains.iter() {
            if let Some(seq) = chains.get(writer).and_then(|known| known.parts_from(chain)) {
                let id = EventId { writer, seq };
                let hash = chains
                    .get(writer)
                    .and_then(|known| known.short(seq))
                    .unwrap_or_default();
                let second =
                    format!("in the open session: a line whose hash begins with {hash:032x}");
                return Err(Error::Forked {
                    id,
                    first: self.shown(id),
                    second,
                });
            }
        }
        let lacks = |id: EventId| chains.get(id.writer).is_none_or(|known| id.seq > known.seq);
        let mut missing: Vec<(Key, Place)> = self
            .index
            .iter()
            .filter(|(id, _)| lacks(**id))
            .map(|(id, (tick, place))| {
                (
                    Key {
                        tick: *tick,
                        id: *id,
                    },
                    *place,
                )
            })
            .collect();
        missing.sort_unstable_by_key(|(key, _)| *key);
        missing
            .into_iter()
            .map(|(_, place)| self.text(place))
            .collect()
    }
}

/// All lines of all parts, each once, in canonical order.
pub struct Union<'p, 'a> {
    parts: &'p [Part<'a>],
    order: Vec<(usize, Place)>,
}

/// Joins the files of one session. The order of the parts makes no difference to the result.
///
/// # Errors
/// Different sessions, a fork between two files, or a result beyond the limits of a session.
pub fn union<'p, 'a>(parts: &'p [Part<'a>]) -> Result<Union<'p, 'a>, Error> {
    let Some(first) = parts.first() else {
        return Err(Error::Empty);
    };
    for part in parts {
        if part.report.session != first.report.session {
            return Err(Error::OtherSession(
                first.report.session,
                part.report.session,
            ));
        }
        if part.report.founder != first.report.founder {
            let (id, other) = (first.founding(), part.founding());
            return Err(Error::Forked {
                id,
                first: first.shown(id),
                second: part.shown(other),
            });
        }
    }
    let longest = longest_chains(parts)?;
    if longest.len() > MAX_WRITERS {
        return Err(Reason::TooManyWriters.into());
    }
    let mut order: Vec<(bool, Key, usize, Place)> = Vec::new();
    for (n, part) in parts.iter().enumerate() {
        let own = part.index.iter().filter(|(id, _)| {
            longest
                .get(&id.writer)
                .is_some_and(|(owner, _)| *owner == n)
        });
        order.extend(own.map(|(id, (tick, place))| {
            (
                *id != part.founding(),
                Key {
                    tick: *tick,
                    id: *id,
                },
                n,
                *place,
            )
        }));
    }
    order.sort_unstable_by_key(|(later, key, ..)| (*later, *key));
    let bytes: u64 = order
        .iter()
        .map(|(.., place)| u64::from(place.len) + 1)
        .sum();
    if bytes > MAX_FILE {
        return Err(Error::TooLarge);
    }
    Ok(Union {
        parts,
        order: order
            .into_iter()
            .map(|(_, _, part, place)| (part, place))
            .collect(),
    })
}

/// For every writer the part that has most of its lines. All others must have the same, as far as they go.
fn longest_chains<'p>(
    parts: &'p [Part<'_>],
) -> Result<BTreeMap<WriterId, (usize, &'p Chain)>, Error> {
    let mut longest: BTreeMap<WriterId, (usize, &Chain)> = BTreeMap::new();
    for (n, part) in parts.iter().enumerate() {
        for (writer, chain) in part.report.chains.iter() {
            let slot = longest.entry(writer).or_insert((n, chain));
            if let Some(seq) = slot.1.parts_from(chain) {
                let id = EventId { writer, seq };
                let other = parts
                    .get(slot.0)
                    .map(|part| part.shown(id))
                    .unwrap_or_default();
                return Err(Error::Forked {
                    id,
                    first: other,
                    second: part.shown(id),
                });
            }
            if chain.seq > slot.1.seq {
                *slot = (n, chain);
            }
        }
    }
    Ok(longest)
}

impl Union<'_, '_> {
    /// Number of lines.
    #[must_use]
    pub fn len(&self) -> usize {
        self.order.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Calls `each` with every line, without its newline.
    ///
    /// # Errors
    /// A file cannot be read any more, or what `each` says.
    pub fn for_each(&self, mut each: impl FnMut(&str) -> Result<(), Error>) -> Result<(), Error> {
        for (part, place) in &self.order {
            if let Some(part) = self.parts.get(*part) {
                each(&part.text(*place)?)?;
            }
        }
        Ok(())
    }

    /// Writes all lines; the result is itself a session file.
    ///
    /// # Errors
    /// A file cannot be read any more, or `out` cannot be written.
    pub fn write(&self, out: &mut dyn Write) -> Result<(), Error> {
        let unwritable = |source: io::Error| Error::Io {
            doing: "write",
            path: PathBuf::from("the merged session"),
            source,
        };
        let mut out = io::BufWriter::with_capacity(1 << 18, out);
        self.for_each(|line| {
            out.write_all(line.as_bytes())
                .and_then(|()| out.write_all(b"\n"))
                .map_err(unwritable)
        })?;
        out.flush().map_err(unwritable)
    }

    /// Writes all lines into a new file, whole or not at all.
    ///
    /// # Errors
    /// As [`Union::write`]; the name is taken.
    pub fn create(&self, path: &Path) -> Result<(), Error> {
        super::disk::create_with(path, |out| self.write(out))
    }
}

/// What a seal states: the canonical order of all lines up to certain heads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// SHA-256 over the lines with their newlines, in hex.
    pub digest: String,
    pub events: u64,
}

impl Part<'_> {
    /// Digests the lines up to `heads` in canonical order. Lines added later change nothing.
    ///
    /// # Errors
    /// The file cannot be read any more.
    pub fn digest(&self, heads: &[HeadSeen]) -> Result<Sealed, Error> {
        let last: BTreeMap<WriterId, u64> = heads
            .iter()
            .map(|head| (head.id.writer, head.id.seq))
            .collect();
        let within = |id: &EventId| last.get(&id.writer).is_some_and(|seq| id.seq <= *seq);
        let mut order: Vec<(bool, Key, Place)> = self
            .index
            .iter()
            .filter(|(id, _)| within(id))
            .map(|(id, (tick, place))| {
                (
                    *id != self.founding(),
                    Key {
                        tick: *tick,
                        id: *id,
                    },
                    *place,
                )
            })
            .collect();
        order.sort_unstable_by_key(|(later, key, _)| (*later, *key));
        let mut hasher = Sha256::new();
        for (.., place) in &order {
            hasher.update(self.text(*place)?.as_bytes());
            hasher.update(b"\n");
        }
        let digest = data_encoding::HEXLOWER.encode(&hasher.finalize());
        Ok(Sealed {
            digest,
            events: order.len() as u64,
        })
    }
}

#[cfg(test)]
pub(super) mod tests;
