//! Cuts a source into chunks of whole lines, a few MiB each.
//!
//! Knows newlines and nothing else of the format. What stands after the last newline is never part of a chunk.

use super::source::{Place, Source, Torn};
use std::io;

/// Bytes asked for at a time. Larger than the longest line, and small enough that three of them are little memory.
const CHUNK: usize = 5 << 18;
/// Bytes of an unfinished line that are kept, so that one that is too long can still say which it is.
const KEPT: usize = 4 << 20;
/// Bytes asked for at least: room for lines that are added while the file is read.
const LEAST: u64 = 1 << 16;

/// Whole lines, each with its newline.
pub(super) struct Chunk {
    buf: Vec<u8>,
    /// Bytes of `buf` that are whole lines.
    end: usize,
    /// Offset of the first byte in the source.
    offset: u64,
    /// Where the first line really began, if it is longer than a chunk and only its end is here.
    began: Option<u64>,
}

impl Chunk {
    fn bytes(&self) -> &[u8] {
        self.buf.get(..self.end).unwrap_or_default()
    }

    /// The first line, without its newline.
    pub(super) fn first(&self) -> Option<&[u8]> {
        self.bytes().split(|&b| b == b'\n').next()
    }

    /// Calls `each` with offset and bytes of every line, without its newline.
    pub(super) fn for_each(&self, mut each: impl FnMut(u64, &[u8])) {
        let mut start = 0;
        for newline in memchr::memchr_iter(b'\n', self.bytes()) {
            each(
                self.offset + start as u64,
                self.buf.get(start..newline).unwrap_or_default(),
            );
            start = newline + 1;
        }
    }

    /// A guess at the number of lines, for allocation only.
    pub(super) fn len_hint(&self) -> usize {
        self.end / 300 + 1
    }

    /// Offset and length of a first line that is longer than a chunk.
    pub(super) fn overlong(&self) -> Option<(u64, u64)> {
        let end = self.offset + memchr::memchr(b'\n', self.bytes())? as u64;
        self.began.map(|began| (began, end - began))
    }

    /// The bytes of a line of this chunk.
    pub(super) fn line(&self, place: Place) -> &[u8] {
        let start = usize::try_from(place.offset.saturating_sub(self.offset)).unwrap_or(usize::MAX);
        let end = start.saturating_add(place.len as usize);
        self.buf.get(start..end).unwrap_or_default()
    }

    pub(super) fn into_buffer(self) -> Vec<u8> {
        self.buf
    }
}

/// Reads chunk after chunk.
pub(super) struct Chunks<'s> {
    source: &'s dyn Source,
    /// Where to read next.
    pos: u64,
    /// What was read after the last newline, so far.
    carry: Vec<u8>,
    /// Bytes of the unfinished line that were dropped because it is longer than a chunk.
    dropped: u64,
    /// False once a dropped byte was not NUL.
    dropped_zeros: bool,
}

impl<'s> Chunks<'s> {
    pub(super) fn new(source: &'s dyn Source) -> Self {
        Self {
            source,
            pos: 0,
            carry: Vec::new(),
            dropped: 0,
            dropped_zeros: true,
        }
    }

    /// The next chunk, in the memory of `buf`; none at the end.
    pub(super) fn next(&mut self, mut buf: Vec<u8>) -> io::Result<Option<Chunk>> {
        loop {
            let carried = self.carry.len();
            // A small file needs no large buffer.
            let left = self.source.size()?.saturating_sub(self.pos).max(LEAST);
            let room = carried + usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
            if buf.len() < room {
                buf.resize(room, 0);
            }
            if let Some(front) = buf.get_mut(..carried) {
                front.copy_from_slice(&self.carry);
            }
            let mut filled = carried;
            while let Some(rest) = buf.get_mut(filled..room).filter(|rest| !rest.is_empty()) {
                match self.source.read_at(rest, self.pos) {
                    Ok(0) => break,
                    Ok(n) => {
                        filled += n;
                        self.pos += n as u64;
                    }
                    Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                    Err(e) => return Err(e),
                }
            }
            let read = buf.get(..filled).unwrap_or_default();
            if filled == carried {
                return Ok(None);
            }
            let Some(newline) = memchr::memrchr(b'\n', read) else {
                self.set_aside(read);
                continue;
            };
            let offset = self.pos - filled as u64;
            let began = (self.dropped > 0).then(|| offset - self.dropped);
            (self.dropped, self.dropped_zeros) = (0, true);
            self.carry.clear();
            self.carry
                .extend_from_slice(read.get(newline + 1..).unwrap_or_default());
            return Ok(Some(Chunk {
                end: newline + 1,
                offset,
                began,
                buf,
            }));
        }
    }

    /// Keeps the unfinished line if it can still be one, else only its length.
    fn set_aside(&mut self, read: &[u8]) {
        if read.len() <= KEPT {
            self.carry = read.to_vec();
        } else {
            self.dropped += read.len() as u64;
            self.dropped_zeros &= read.iter().all(|&b| b == 0);
            self.carry.clear();
        }
    }

    /// What stands after the last newline, once all is read.
    pub(super) fn torn(&self) -> Option<Torn> {
        let len = self.dropped + self.carry.len() as u64;
        let zeros = self.dropped_zeros && self.carry.iter().all(|&b| b == 0);
        (len > 0).then(|| Torn {
            offset: self.pos - len,
            len,
            zeros,
        })
    }

    /// Bytes up to and with the last newline, once all is read.
    pub(super) fn complete(&self) -> u64 {
        self.pos - self.torn().map_or(0, |torn| torn.len)
    }
}
