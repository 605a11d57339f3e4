//! Other readings of a text, each with a map back: what a person would see of it, rather than its bytes.
//! A reading is made only where the text holds something to undo.

use std::ops::Range;

use crate::safe::shown::is_hidden;

/// Percent-encoding is undone this often: `%255F` is an underscore that was encoded twice.
const DECODINGS: usize = 3;

/// A text as it reads once something is undone, and where each of its bytes came from.
pub(super) struct Reading {
    pub bytes: Vec<u8>,
    /// Whether line breaks were taken out, so that a value may run on into text that is not its own.
    pub joined: bool,
    /// For each byte the range in the original that it stands for.
    from: Vec<(usize, usize)>,
}

impl Reading {
    /// Gives the readings of a text that differ from it: unescaped and decoded, then also with wrapped lines joined.
    pub fn all(text: &str) -> impl Iterator<Item = Self> {
        let wrapped = memchr::memchr(b'\n', text.as_bytes()).is_some();
        let coded = !text.is_ascii()
            || text
                .bytes()
                .any(|b| matches!(b, b'%' | b'\\') || (b.is_ascii_control() && b != b'\n'));
        let decoded = coded.then(|| Self::decoded(text));
        let joined = wrapped.then(|| {
            decoded
                .as_ref()
                .map_or_else(|| Self::plain(text).joined(), Self::joined)
        });
        decoded.into_iter().chain(joined)
    }

    /// Gives the bytes of the original that a range of this reading stands for.
    pub fn origin(&self, range: &Range<usize>) -> Range<usize> {
        let start = self.from.get(range.start).map_or(0, |(start, _)| *start);
        let end = range
            .end
            .checked_sub(1)
            .and_then(|last| self.from.get(last))
            .map_or(start, |(_, end)| *end);
        start..end
    }

    fn plain(text: &str) -> Self {
        Self {
            bytes: text.as_bytes().to_vec(),
            joined: false,
            from: (0..text.len()).map(|at| (at, at + 1)).collect(),
        }
    }

    fn with_capacity(capacity: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(capacity),
            joined: false,
            from: Vec::with_capacity(capacity),
        }
    }

    fn push(&mut self, byte: u8, from: (usize, usize)) {
        self.bytes.push(byte);
        self.from.push(from);
    }

    fn decoded(text: &str) -> Self {
        let mut reading = Self::unescaped(text);
        for _ in 0..DECODINGS {
            if memchr::memchr(b'%', &reading.bytes).is_none() {
                break;
            }
            reading = reading.percent_decoded();
        }
        reading
    }

    /// Drops terminal escape sequences and every hidden character but the line break and the tab.
    pub fn unescaped(text: &str) -> Self {
        let mut reading = Self::with_capacity(text.len());
        let mut strings = Strings { text, end: 0 };
        let mut at = 0;
        while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
            let skip = strings.escape_length(at);
            if skip > 0 {
                at += skip;
                continue;
            }
            let Some(c) = rest.chars().next() else { break };
            let end = at + c.len_utf8();
            // The carriage return goes, so that a wrap is one line break whatever the system.
            if matches!(c, '\n' | '\t') || !is_hidden(c) {
                for (offset, byte) in rest.bytes().take(c.len_utf8()).enumerate() {
                    reading.push(byte, (at + offset, at + offset + 1));
                }
            }
            at = end;
        }
        reading
    }

    fn percent_decoded(&self) -> Self {
        let mut reading = Self::with_capacity(self.bytes.len());
        let mut rest = self.bytes.iter().zip(&self.from);
        while let Some((byte, from)) = rest.next() {
            let mut ahead = rest.clone();
            match (byte, ahead.next(), ahead.next()) {
                (b'%', Some((high, _)), Some((low, last))) => match (hex(*high), hex(*low)) {
                    (Some(high), Some(low)) => {
                        reading.push(high * 16 + low, (from.0, last.1));
                        rest = ahead;
                    }
                    _ => reading.push(b'%', *from),
                },
                _ => reading.push(*byte, *from),
            }
        }
        reading
    }

    /// Drops each line break with the indent after it, and a continuation's backslash before it.
    fn joined(&self) -> Self {
        let mut reading = Self::with_capacity(self.bytes.len());
        reading.joined = true;
        let mut indent = false;
        for (byte, from) in self.bytes.iter().zip(&self.from) {
            match byte {
                b'\n' => {
                    if reading.bytes.last() == Some(&b'\\') {
                        reading.bytes.pop();
                        reading.from.pop();
                    }
                    indent = true;
                }
                b' ' | b'\t' | b'\r' if indent => {}
                _ => {
                    indent = false;
                    reading.push(*byte, *from);
                }
            }
        }
        reading
    }
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

/// Escape sequences of a text, with the place where the next title, hyperlink or clipboard string would end: a text
/// that opens many and ends none is read once.
struct Strings<'t> {
    text: &'t str,
    end: usize,
}

impl Strings<'_> {
    /// Gives the length in bytes of the terminal escape sequence that stands at a place; 0 for none.
    ///
    /// Also reads the escape character as JSON, shells and programming languages write it: logs come quoted, too.
    /// Sequences: ECMA-48 sections 5.3 to 5.6.
    fn escape_length(&mut self, at: usize) -> usize {
        const WRITTEN: &[&str] = &[
            "\u{1b}", "\\u001b", "\\u001B", "\\x1b", "\\x1B", "\\033", "\\e[",
        ];
        let text = self.text.get(at..).unwrap_or_default();
        let (intro, body) = if let Some(body) = text.strip_prefix('\u{9b}') {
            return '\u{9b}'.len_utf8() + control_sequence(body);
        } else if text.starts_with(['\u{9d}', '\u{90}', '\u{98}', '\u{9e}', '\u{9f}']) {
            return 2 + self.command_string(at + 2);
        } else if let Some(written) = WRITTEN.iter().find(|written| text.starts_with(**written)) {
            let length = if *written == "\\e[" { 2 } else { written.len() };
            (length, text.get(length..).unwrap_or_default())
        } else {
            return 0;
        };
        let rest = body.get(1..).unwrap_or_default();
        intro
            + match body.as_bytes().first() {
                Some(b'[') => 1 + control_sequence(rest),
                Some(b']' | b'P' | b'X' | b'^' | b'_') => 1 + self.command_string(at + intro + 1),
                // Intermediate bytes and one final: character sets and the like.
                Some(0x20..=0x2f) => {
                    body.bytes()
                        .take_while(|b| (0x20..=0x2f).contains(b))
                        .count()
                        + 1
                }
                Some(0x30..=0x7e) => 1,
                _ => 0,
            }
    }

    /// A title, hyperlink or clipboard string up to its terminator. Its content is *not* skipped when no terminator
    /// follows on its line: a stray introducer must not hide the rest of a text.
    fn command_string(&mut self, at: usize) -> usize {
        if self.end < at {
            let rest = self.text.get(at..).unwrap_or_default();
            let next = rest.find(['\u{7}', '\u{1b}', '\u{9c}', '\n']);
            self.end = next.map_or(self.text.len(), |next| at + next);
        }
        let length = self.end - at;
        let tail = self.text.get(self.end..).unwrap_or_default();
        if tail.starts_with('\u{7}') {
            length + 1
        } else if tail.starts_with("\u{1b}\\") || tail.starts_with('\u{9c}') {
            length + 2
        } else {
            0
        }
    }
}

/// Parameters, intermediates and the final byte after `ESC [`.
fn control_sequence(body: &str) -> usize {
    let parameters = body
        .bytes()
        .take_while(|b| (0x20..=0x3f).contains(b))
        .count();
    let ends = body
        .as_bytes()
        .get(parameters)
        .is_some_and(|b| (0x40..=0x7e).contains(b));
    parameters + usize::from(ends)
}
