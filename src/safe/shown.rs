//! Foreign text made visible: what cannot be seen is written as `\u{202e}`, secrets are replaced, the length is capped.
//!
//! Nothing is stripped, so two different names never look alike: a backslash that could be read as one of
//! these escapes is itself escaped. This is the only way from outside text to a screen, stream, log or title.

use std::borrow::Cow;
use std::fmt;
use std::fmt::Write as _;
use std::sync::LazyLock;

use regex::Regex;
use unicode_width::UnicodeWidthChar;

use super::redact::redact;

/// Columns after which a shown text ends in `…`, unless the caller asks for another cap.
pub const COLUMNS: usize = 200;

/// Lines after which a shown block ends.
const LINES: usize = 200;

/// More combining marks on one base than any script in use needs; the rest is escaped.
const MARKS: usize = 4;

/// Characters that draw nothing, move what stands beside them, or cannot be told from a space.
/// The class follows Unicode's own tables: control, format, unassigned, private use, separators, default-ignorable.
#[expect(
    clippy::expect_used,
    reason = "a constant pattern; the tests compile it"
)]
static HIDDEN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^[[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}\u{2800}\u{FFFC}]--[\x20]]$")
        .expect("hidden characters")
});

/// Tells whether a character would be written as an escape wherever it stands.
pub fn is_hidden(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    HIDDEN.is_match(c.encode_utf8(&mut [0; 4]))
}

/// Says how many there are of something: `1 line`, `2 repositories`.
pub fn counted(count: usize, noun: &str) -> String {
    match (count, noun.strip_suffix('y')) {
        (1, _) => format!("1 {noun}"),
        (_, Some(stem)) if !noun.ends_with("ay") => format!("{count} {stem}ies"),
        _ => format!("{count} {noun}s"),
    }
}

/// Says how many there are beside those that were named: ` and 3 more`, or nothing.
pub fn and_more(count: usize) -> String {
    match count {
        0 => String::new(),
        count => format!(" and {count} more"),
    }
}

/// Makes one line of foreign text fit to be shown, capped at [`COLUMNS`]; line breaks and tabs become escapes.
pub fn visible(text: &str) -> Cow<'_, str> {
    visible_within(text, COLUMNS)
}

/// Does what [`visible`] does with a cap of the caller's own, in terminal columns.
pub fn visible_within(text: &str, columns: usize) -> Cow<'_, str> {
    match redact(text) {
        Cow::Borrowed(clean) if clean.len() <= columns && is_plain(clean) => Cow::Borrowed(clean),
        clean => Cow::Owned(Line::new(columns).text(&clean)),
    }
}

/// Does what [`visible_within`] does for a text of which parts went through [`visible`] already: an escape of ours is
/// not escaped again. Nothing hidden gets through; only, an escape that somebody typed looks like one of ours. So it
/// is for text that was made visible where it came in, before it goes into a sink with rules of its own.
pub fn visible_again(text: &str, columns: usize) -> Cow<'_, str> {
    match redact(text) {
        Cow::Borrowed(clean) if clean.len() <= columns && is_plain(clean) => Cow::Borrowed(clean),
        clean => Cow::Owned(
            Line {
                again: true,
                ..Line::new(columns)
            }
            .text(&clean),
        ),
    }
}

/// Makes bytes of unknown encoding fit to be shown; a byte that is not UTF-8 becomes `\x{9b}`.
pub fn visible_bytes(bytes: &[u8]) -> String {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return visible(text).into_owned();
    }
    // Redacting comes first and needs text; what it replaces is ASCII, so a lossy copy finds the same secrets.
    let lossy = String::from_utf8_lossy(bytes);
    if let Cow::Owned(clean) = redact(&lossy) {
        return Line::new(COLUMNS).text(&clean);
    }
    let mut line = Line::new(COLUMNS);
    for chunk in bytes.utf8_chunks() {
        line.push_str(chunk.valid());
        for byte in chunk.invalid() {
            line.push_escape(&format!("\\x{{{byte:02x}}}"));
        }
    }
    line.end()
}

/// Makes a block of foreign text fit to be shown: line breaks stay, each line is treated as [`visible`] does.
pub fn visible_multiline(text: &str) -> String {
    block(text, false)
}

/// Does what [`visible_multiline`] does for a text of which parts were made visible already, as [`visible_again`].
pub fn visible_multiline_again(text: &str) -> String {
    block(text, true)
}

fn block(text: &str, again: bool) -> String {
    let clean = redact(text);
    let mut out = String::with_capacity(clean.len());
    for (number, line) in clean.split('\n').enumerate() {
        if number > 0 {
            out.push('\n');
        }
        if number == LINES {
            out.push('…');
            break;
        }
        let line = line.strip_suffix('\r').unwrap_or(line);
        let shown = Line {
            again,
            ..Line::new(COLUMNS)
        };
        out.push_str(&shown.text(line));
    }
    out
}

/// Foreign text that shows itself only as [`visible`] makes it.
#[derive(Clone, Copy)]
pub struct Shown<'a> {
    text: &'a str,
    columns: usize,
}

impl<'a> Shown<'a> {
    pub fn new(text: &'a str) -> Self {
        Self {
            text,
            columns: COLUMNS,
        }
    }

    /// Sets another cap, in terminal columns.
    pub fn within(self, columns: usize) -> Self {
        Self { columns, ..self }
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&visible_within(self.text, self.columns))
    }
}

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn is_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.iter().all(|b| matches!(b, 0x20..=0x7e))
        && !bytes.windows(2).any(|pair| matches!(pair, b"\\u" | b"\\x"))
}

/// Gives the length of the rest of an escape of ours, such as `u{202e}` after a backslash.
fn escape(c: char, after: &str) -> Option<usize> {
    let body = after
        .strip_prefix("u{")
        .or_else(|| after.strip_prefix("x{"))?;
    let end = body.find('}').filter(|_| c == '\\')?;
    let digits = body.get(..end)?;
    let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    ((1..=6).contains(&end) && digits.chars().all(hex)).then_some(end + 3)
}

/// One output line that grows by whole units, so that the cap never cuts an escape in half.
struct Line {
    out: String,
    width: usize,
    columns: usize,
    /// Zero-width characters since the last base.
    marks: usize,
    /// Whether a base to put a mark on stands before: not at the start and not after an escape.
    based: bool,
    full: bool,
    /// Whether well-formed escapes stay as they are.
    again: bool,
    /// Where to cut when one more unit does not fit: the last end that leaves a column for the ellipsis.
    cut: usize,
}

impl Line {
    fn new(columns: usize) -> Self {
        Self {
            out: String::new(),
            width: 0,
            columns,
            marks: 0,
            based: false,
            full: false,
            again: false,
            cut: 0,
        }
    }

    fn text(mut self, text: &str) -> String {
        self.push_str(text);
        self.end()
    }

    fn push_str(&mut self, text: &str) {
        let mut rest = text.chars();
        while let Some(c) = rest.next() {
            if self.full {
                return;
            }
            let after = rest.as_str();
            if let Some(length) = escape(c, after).filter(|_| self.again) {
                let (body, left) = after.split_at(length);
                // One unit, so that the cap does not cut it in half.
                self.push_escape(&format!("{c}{body}"));
                rest = left.chars();
                continue;
            }
            // A backslash that reads as one of our own escapes, or would do so once the next text follows it.
            let ambiguous = c == '\\' && (after.starts_with("u{") || after.starts_with("x{"));
            match c.width() {
                _ if ambiguous || is_hidden(c) => {
                    self.push_escape(&format!("\\u{{{:x}}}", u32::from(c)))
                }
                Some(0) if !self.based || self.marks == MARKS => {
                    self.push_escape(&format!("\\u{{{:x}}}", u32::from(c)));
                }
                Some(0) => {
                    self.marks += 1;
                    self.out.push(c);
                    self.note_cut();
                }
                width => {
                    self.marks = 0;
                    self.based = true;
                    self.push_unit(c.encode_utf8(&mut [0; 4]), width.unwrap_or(1));
                }
            }
        }
    }

    fn push_escape(&mut self, escape: &str) {
        self.marks = 0;
        self.based = false;
        self.push_unit(escape, escape.len());
    }

    fn push_unit(&mut self, unit: &str, width: usize) {
        if self.full || self.width + width > self.columns {
            self.full = true;
            return;
        }
        // Infallible for a `String`; the result carries nothing.
        let _ = self.out.write_str(unit);
        self.width += width;
        self.note_cut();
    }

    fn note_cut(&mut self) {
        if self.width < self.columns {
            self.cut = self.out.len();
        }
    }

    fn end(mut self) -> String {
        if self.full {
            self.out.truncate(self.cut);
            if self.columns > 0 {
                self.out.push('…');
            }
        }
        self.out
    }
}

/// Names the first few and counts the rest.
pub fn first_few<S: AsRef<str>>(names: &[S]) -> String {
    const SHOWN: usize = 3;
    let mut text = String::new();
    for name in names.iter().take(SHOWN) {
        if !text.is_empty() {
            text.push_str(", ");
        }
        text.push_str(name.as_ref());
    }
    text.push_str(&and_more(names.len().saturating_sub(SHOWN)));
    text
}

#[cfg(test)]
mod tests;
