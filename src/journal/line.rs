//! One line of a session file: its fields in their fixed order, its ids, its hash.
//!
//! Owns the bytes: what is accepted here is accepted everywhere, and what `Draft` writes is read again before it is
//! handed out. It does not know what comes before or after a line, nor what any kind means.

use super::json::{self, Scratch};
use super::reason::Reason;
use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::str::FromStr;

/// The version of the line format that this program reads and writes.
pub const VERSION: u64 = 1;
/// Longest line in bytes, the newline not counted.
pub const MAX_LINE: usize = 1 << 20;
/// Largest `seq` and `tick`: what every JSON reader holds exactly.
pub const MAX_NUMBER: u64 = (1 << 53) - 1;
/// Bytes of `,"hash":"` + 64 digits + `"}`.
const HASH_FIELD: usize = 9 + 64 + 2;

const BASE32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// Names one writer, a device in one session: `w` and ten base32 characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WriterId([u8; 11]);

impl WriterId {
    const LEN: usize = 11;

    /// Makes an id from random bytes (50 of the 64 bits are used).
    #[must_use]
    pub fn from_random(bytes: [u8; 8]) -> Self {
        let mut rest = u64::from_le_bytes(bytes);
        let mut id = [b'w'; Self::LEN];
        for slot in id.iter_mut().skip(1) {
            let index = usize::try_from(rest & 31).unwrap_or(0);
            *slot = BASE32.get(index).copied().unwrap_or(b'a');
            rest >>= 5;
        }
        Self(id)
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let id: [u8; Self::LEN] = bytes.try_into().ok()?;
        let (first, rest) = id.split_first()?;
        let fits = *first == b'w' && rest.iter().all(|b| matches!(b, b'a'..=b'z' | b'2'..=b'7'));
        fits.then_some(Self(id))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Gives the ten characters as one number, another one for every id: what can be compared without the text.
    #[must_use]
    pub fn number(&self) -> u64 {
        let places = self.0.iter().skip(1);
        places.fold(0, |number, byte| {
            let digit = BASE32.iter().position(|known| known == byte);
            number << 5 | u64::try_from(digit.unwrap_or(0)).unwrap_or(0)
        })
    }
}

impl fmt::Display for WriterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for WriterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that does not name what it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not {0}")]
pub struct NotAnId(&'static str);

impl FromStr for WriterId {
    type Err = NotAnId;
    fn from_str(text: &str) -> Result<Self, NotAnId> {
        Self::from_bytes(text.as_bytes())
            .ok_or(NotAnId("a writer id (w and ten characters of a-z, 2-7)"))
    }
}

/// Names one event: `writer:seq`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId {
    pub writer: WriterId,
    pub seq: u64,
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.writer, self.seq)
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for EventId {
    type Err = NotAnId;
    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let bad = NotAnId("an event id (writer:seq)");
        let (writer, seq) = text.split_once(':').ok_or(bad)?;
        let writer = WriterId::from_bytes(writer.as_bytes()).ok_or(bad)?;
        match number_at(seq.as_bytes(), 0) {
            Ok((seq, end)) if writer.as_str().len() + 1 + end == text.len() => {
                Ok(Self { writer, seq })
            }
            _ => Err(bad),
        }
    }
}

/// Names one session: 128 random bits as 32 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId([u8; 32]);

impl SessionId {
    #[must_use]
    pub fn from_random(bytes: [u8; 16]) -> Self {
        let mut id = [b'0'; 32];
        HEXLOWER.encode_mut(&bytes, &mut id);
        Self(id)
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for SessionId {
    type Err = NotAnId;
    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let id: Option<[u8; 32]> = text.as_bytes().try_into().ok();
        id.filter(|id| is_lower_hex(id))
            .map(Self)
            .ok_or(NotAnId("a session id (32 lower-case hex digits)"))
    }
}

/// The hash of a line: 64 lower-case hex digits, as they stand in the file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LineHash([u8; 64]);

impl LineHash {
    /// Takes 64 bytes as they are: one that is not lower-case hex equals no hash that is ever computed.
    fn stated(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The first 128 bits: enough to tell two lines apart, small enough to keep for every line.
    #[must_use]
    pub fn short(&self) -> u128 {
        let half = self.0.get(..32).unwrap_or_default();
        half.iter().fold(0, |sum, &b| {
            let digit = match b {
                b'0'..=b'9' => b - b'0',
                b'a'..=b'f' => b - b'a' + 10,
                _ => 0,
            };
            (sum << 4) | u128::from(digit)
        })
    }
}

impl fmt::Display for LineHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for LineHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for LineHash {
    type Err = NotAnId;
    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let hash = Self::stated(text.as_bytes()).filter(|hash| is_lower_hex(&hash.0));
        hash.ok_or(NotAnId("a hash (64 lower-case hex digits)"))
    }
}

/// What a line's hash is chained to: its writer's line before it, or the session for a writer's first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Previous {
    Session(SessionId),
    Line(LineHash),
}

/// The hash of a line whose bytes before `,"hash"` are `body`.
#[must_use]
pub fn chain_hash(previous: &Previous, body: &[u8]) -> LineHash {
    let mut hasher = Sha256::new();
    match previous {
        Previous::Session(id) => hasher.update(id.0),
        Previous::Line(hash) => hasher.update(hash.0),
    }
    hasher.update(body);
    let mut out = [b'0'; 64];
    HEXLOWER.encode_mut(&hasher.finalize(), &mut out);
    LineHash(out)
}

/// The first fields of a line: enough to find its chain without reading the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Opening {
    pub id: EventId,
    pub tick: u64,
    /// Where the next field begins.
    pub rest: usize,
}

/// Reads `v`, `writer`, `seq` and `tick`.
pub(super) fn opening(line: &[u8]) -> Result<Opening, Reason> {
    let at = literal(line, 0, b"{\"v\":", "`{\"v\":`")?;
    let (version, at) = number_at(line, at)?;
    if version != VERSION {
        return Err(Reason::Newer(version));
    }
    let at = literal(line, at, b",\"writer\":\"", "`,\"writer\":\"`")?;
    let end = at + WriterId::LEN;
    let writer = line
        .get(at..end)
        .and_then(WriterId::from_bytes)
        .ok_or(Reason::shape("a writer id", at))?;
    let at = literal(line, end, b"\",\"seq\":", "`\",\"seq\":`")?;
    let (seq, at) = number_at(line, at)?;
    let at = literal(line, at, b",\"tick\":", "`,\"tick\":`")?;
    let (tick, rest) = number_at(line, at)?;
    Ok(Opening {
        id: EventId { writer, seq },
        tick,
        rest,
    })
}

/// Splits a line into the bytes that are hashed and the hash that it states.
pub(super) fn split_hash(line: &[u8]) -> Result<(&[u8], LineHash), Reason> {
    let missing = || {
        Reason::shape(
            "`,\"hash\":\"…\"}` with 64 lower-case hex digits at the end",
            line.len(),
        )
    };
    let (body, tail) = line
        .split_at_checked(line.len().wrapping_sub(HASH_FIELD))
        .ok_or_else(missing)?;
    let hash = tail
        .strip_prefix(b",\"hash\":\"".as_slice())
        .and_then(|t| t.strip_suffix(b"\"}".as_slice()));
    Ok((body, hash.and_then(LineHash::stated).ok_or_else(missing)?))
}

/// A line that has the right form, borrowed from the bytes it was read from. Its hash is stated, not yet verified.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    /// The whole line without its newline.
    pub raw: &'a str,
    pub id: EventId,
    /// Lamport clock: for lists, not for judging.
    pub tick: u64,
    /// The writer's own clock, RFC 3339 in UTC.
    pub at: &'a str,
    pub kind: &'a str,
    /// The subject, free of quotes and backslashes; foreign text all the same.
    pub about: &'a str,
    /// True where a reader that does not know `kind` must stop judging the subject.
    pub crit: bool,
    /// The events that this one replaces, as their writer saw them.
    pub over: Over<'a>,
    /// One JSON object, compact, without repeated keys.
    pub data: &'a str,
    /// Base64 body of an SSH signature over [`Line::signed_bytes`].
    pub sig: Option<&'a str>,
    pub hash: LineHash,
    /// Length of the bytes before `,"sig"`.
    signed_len: usize,
}

impl<'a> Line<'a> {
    /// Reads one line, given without its newline.
    ///
    /// # Errors
    /// The reason why it is no line of this format.
    pub fn parse(raw: &'a [u8]) -> Result<Self, Reason> {
        let opening = opening(raw)?;
        let line = Self::parse_rest(raw, opening, &mut Scratch::default())?;
        if is_lower_hex(&line.hash.0) {
            Ok(line)
        } else {
            Err(Reason::shape("64 lower-case hex digits", line.body().len()))
        }
    }

    pub(super) fn parse_rest(
        raw: &'a [u8],
        opening: Opening,
        scratch: &mut Scratch,
    ) -> Result<Self, Reason> {
        if raw.len() > MAX_LINE {
            return Err(Reason::TooLong);
        }
        let raw = std::str::from_utf8(raw).map_err(|_invalid| Reason::NotUtf8)?;
        let (body, hash) = split_hash(raw.as_bytes())?;
        let pos = literal(body, opening.rest, b",\"at\":", "`,\"at\":`")?;
        let (at, pos) = plain(raw, pos)?;
        if !is_utc(at.as_bytes()) {
            return Err(Reason::shape(
                "a time in UTC such as 2026-12-05T10:02:11Z",
                pos,
            ));
        }
        let pos = literal(body, pos, b",\"kind\":", "`,\"kind\":`")?;
        let (kind, pos) = plain(raw, pos)?;
        if !is_kind(kind.as_bytes()) {
            return Err(Reason::shape("a kind of a-z, 0-9 and _", pos));
        }
        let pos = literal(body, pos, b",\"about\":", "`,\"about\":`")?;
        let (about, mut pos) = plain(raw, pos)?;
        let crit = starts(body, pos, b",\"crit\":true");
        pos += if crit { b",\"crit\":true".len() } else { 0 };
        let mut over = Over("");
        if starts(body, pos, b",\"over\":[") {
            (over, pos) = Over::parse(raw, pos + b",\"over\":[".len())?;
        }
        let pos = literal(
            body,
            pos,
            b",\"data\":",
            "`,\"data\":` (or a field in its place)",
        )?;
        let signed_len = json::object(body, pos, scratch)?;
        let data = raw.get(pos..signed_len).ok_or(Reason::shape("text", pos))?;
        let (sig, end) = if starts(body, signed_len, b",\"sig\":") {
            let (sig, end) = plain(raw, signed_len + b",\"sig\":".len())?;
            (Some(sig), end)
        } else {
            (None, signed_len)
        };
        if end != body.len() || sig.is_some_and(|sig| !is_base64(sig.as_bytes())) {
            return Err(Reason::shape(
                "`,\"sig\":\"base64\"` or `,\"hash\":` and nothing else",
                end,
            ));
        }
        let Opening { id, tick, .. } = opening;
        Ok(Self {
            raw,
            id,
            tick,
            at,
            kind,
            about,
            crit,
            over,
            data,
            sig,
            hash,
            signed_len,
        })
    }

    /// The bytes that `hash` covers besides the line before.
    #[must_use]
    pub fn body(&self) -> &'a [u8] {
        let raw = self.raw.as_bytes();
        raw.get(..raw.len().saturating_sub(HASH_FIELD))
            .unwrap_or_default()
    }

    /// The bytes that `sig` signs.
    #[must_use]
    pub fn signed_bytes(&self) -> &'a [u8] {
        self.raw
            .as_bytes()
            .get(..self.signed_len)
            .unwrap_or_default()
    }

    /// True if the stated hash is the right one after `previous`.
    #[must_use]
    pub fn follows(&self, previous: &Previous) -> bool {
        chain_hash(previous, self.body()) == self.hash
    }
}

/// The `over` of a line: already checked, decoded when asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Over<'a>(&'a str);

impl<'a> Over<'a> {
    /// Reads the ids after `[`; returns the position after `]`.
    fn parse(raw: &'a str, at: usize) -> Result<(Self, usize), Reason> {
        let mut pos = at;
        loop {
            let (id, end) = plain(raw, pos)?;
            EventId::from_str(id)
                .map_err(|_not_an_id| Reason::shape("an event id (writer:seq)", pos))?;
            match raw.as_bytes().get(end) {
                Some(b',') => pos = end + 1,
                Some(b']') => return Ok((Self(raw.get(at..end).unwrap_or_default()), end + 1)),
                _ => return Err(Reason::shape("`,` or `]`", end)),
            }
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = EventId> + 'a {
        self.0
            .split(',')
            .filter_map(|quoted| quoted.trim_matches('"').parse().ok())
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What is to become a line. Its place in the chain (writer, seq, tick) is given by who appends it.
#[derive(Debug, Clone, Copy)]
pub struct Draft<'a> {
    pub at: &'a str,
    pub kind: &'a str,
    pub about: &'a str,
    pub crit: bool,
    pub over: &'a [EventId],
    /// One compact JSON object.
    pub data: &'a str,
}

impl Draft<'_> {
    /// The bytes before `,"sig"`: what a signature covers.
    ///
    /// # Errors
    /// The first field that has not the form of this format, so that no field can reach into the next.
    pub fn body(&self, id: EventId, tick: u64) -> Result<String, Reason> {
        use fmt::Write as _;
        if !is_utc(self.at.as_bytes()) {
            return Err(Reason::shape(
                "a time in UTC such as 2026-12-05T10:02:11Z",
                0,
            ));
        }
        if !is_kind(self.kind.as_bytes()) {
            return Err(Reason::shape("a kind of a-z, 0-9 and _", 0));
        }
        if self
            .about
            .bytes()
            .any(|b| b == b'"' || b == b'\\' || b < 0x20)
        {
            return Err(Reason::shape(
                "a subject without quotes, backslashes and control characters",
                0,
            ));
        }
        let end = json::object(self.data.as_bytes(), 0, &mut Scratch::default())?;
        if end != self.data.len() {
            return Err(Reason::shape(
                "one object as `data` and nothing after it",
                end,
            ));
        }
        let mut out = String::with_capacity(256 + self.data.len());
        let EventId { writer, seq } = id;
        let Self {
            at, kind, about, ..
        } = self;
        // Writing to a String cannot fail.
        let _ = write!(
            out,
            "{{\"v\":{VERSION},\"writer\":\"{writer}\",\"seq\":{seq},\"tick\":{tick},\"at\":\"{at}\",\
             \"kind\":\"{kind}\",\"about\":\"{about}\""
        );
        if self.crit {
            out.push_str(",\"crit\":true");
        }
        for (i, id) in self.over.iter().enumerate() {
            let _ = write!(out, "{}\"{id}\"", if i == 0 { ",\"over\":[" } else { "," });
        }
        if !self.over.is_empty() {
            out.push(']');
        }
        out.push_str(",\"data\":");
        out.push_str(self.data);
        Ok(out)
    }
}

/// Completes a body with its signature, if any, and its hash, and reads the result again.
///
/// # Errors
/// The reason why the result is no line of this format: a subject with a quote, data that is not compact, too long.
pub fn finish(
    mut body: String,
    sig: Option<&str>,
    previous: &Previous,
) -> Result<(String, LineHash), Reason> {
    if let Some(sig) = sig {
        body.push_str(",\"sig\":\"");
        body.push_str(sig);
        body.push('"');
    }
    let hash = chain_hash(previous, body.as_bytes());
    body.push_str(",\"hash\":\"");
    body.push_str(hash.as_str());
    body.push_str("\"}");
    let line = Line::parse(body.as_bytes())?;
    if line.sig != sig {
        return Err(Reason::shape(
            "the signature where it was put",
            line.signed_len,
        ));
    }
    Ok((body, hash))
}

fn starts(text: &[u8], at: usize, what: &[u8]) -> bool {
    text.get(at..).is_some_and(|rest| rest.starts_with(what))
}

fn literal(text: &[u8], at: usize, what: &[u8], name: &'static str) -> Result<usize, Reason> {
    if starts(text, at, what) {
        Ok(at + what.len())
    } else {
        Err(Reason::shape(name, at))
    }
}

/// A whole number without sign or leading zero, at most [`MAX_NUMBER`].
fn number_at(text: &[u8], at: usize) -> Result<(u64, usize), Reason> {
    let digits = text
        .get(at..)
        .unwrap_or_default()
        .iter()
        .take_while(|b| b.is_ascii_digit())
        .count();
    let wrong = Reason::shape("a whole number up to 2^53 - 1", at);
    let shown = text.get(at..at + digits).unwrap_or_default();
    if digits == 0 || digits > 16 || (digits > 1 && shown.first() == Some(&b'0')) {
        return Err(wrong);
    }
    let value = shown
        .iter()
        .fold(0u64, |sum, b| sum * 10 + u64::from(b - b'0'));
    if value > MAX_NUMBER {
        Err(wrong)
    } else {
        Ok((value, at + digits))
    }
}

/// A string without escapes, its quotes included; returns its text and the position after it.
fn plain(raw: &str, at: usize) -> Result<(&str, usize), Reason> {
    let start = literal(raw.as_bytes(), at, b"\"", "a string")?;
    let rest = raw.as_bytes().get(start..).unwrap_or_default();
    let len = rest
        .iter()
        .position(|&b| b == b'"' || b == b'\\' || b < 0x20);
    let end = start + len.unwrap_or(rest.len());
    if raw.as_bytes().get(end) != Some(&b'"') {
        return Err(Reason::shape("a string without escapes", at));
    }
    Ok((raw.get(start..end).unwrap_or_default(), end + 1))
}

fn is_kind(text: &[u8]) -> bool {
    text.first().is_some_and(u8::is_ascii_lowercase)
        && text.len() <= 64
        && text
            .iter()
            .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'))
}

fn is_base64(text: &[u8]) -> bool {
    !text.is_empty()
        && text
            .iter()
            .all(|b| matches!(b, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'+' | b'/' | b'='))
}

/// RFC 3339 in UTC, `Z` required, fractions of a second allowed.
fn is_utc(text: &[u8]) -> bool {
    let Some((fixed, rest)) = text.split_at_checked(19) else {
        return false;
    };
    let pattern = b"0000-00-00T00:00:00";
    let shaped = fixed.iter().zip(pattern).all(|(b, p)| {
        if *p == b'0' {
            b.is_ascii_digit()
        } else {
            b == p
        }
    });
    let two = |at: usize| {
        fixed
            .get(at..at + 2)
            .map_or(99, |d| d.iter().fold(0, |s, b| s * 10 + u32::from(b & 15)))
    };
    let in_range = (1..=12).contains(&two(5))
        && (1..=31).contains(&two(8))
        && two(11) < 24
        && two(14) < 60
        && two(17) <= 60;
    let fraction = match rest {
        [b'Z'] => true,
        [b'.', digits @ .., b'Z'] => {
            (1..=9).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit)
        }
        _ => false,
    };
    shaped && in_range && fraction
}

fn is_lower_hex(text: &[u8]) -> bool {
    text.iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests;
