//! Redaction of a text that arrives in pieces: a secret cut by a piece's end is still one secret.
//! Holds back what might become part of a secret; nothing is given out before that is ruled out.

use super::{find_everywhere, replace};

/// Bytes held back: more than the longest form but a private key, which is held for as long as it is open.
const HOLD: usize = 16 * 1024;

/// A private key that is still open after this many held bytes is given up as redacted so far.
const LIMIT: usize = 64 * 1024;

/// Redacts pieces of one text as they come.
#[derive(Debug, Default)]
pub struct Redactor {
    held: Vec<u8>,
    /// How much has to be held before it is read again: while a secret stays open, every piece would read all of it.
    due: usize,
    keep_breaks: bool,
}

impl Redactor {
    pub fn new() -> Self {
        Self::default()
    }

    /// Keeps the line breaks of what it takes out, so that every line keeps its number.
    pub fn keeping_lines() -> Self {
        Self {
            keep_breaks: true,
            ..Self::default()
        }
    }

    /// Takes the next bytes and gives what can be told to be clean by now. Bytes that are not UTF-8 become U+FFFD.
    pub fn push(&mut self, piece: &[u8]) -> String {
        self.held.extend_from_slice(piece);
        if self.held.len() <= self.due.max(2 * HOLD) {
            return String::new();
        }
        // An unfinished character at the end stays bytes until the rest has come.
        let whole = self.held.len() - unfinished(&self.held);
        let tail = self.held.split_off(whole);
        let text = String::from_utf8_lossy(&self.held).into_owned();
        let found = find_everywhere(&text);
        let cut = cut_before(&text, &found);
        let done: Vec<_> = found
            .into_iter()
            .filter(|found| found.range.end <= cut)
            .collect();
        let out = replace(text.get(..cut).unwrap_or_default(), &done, self.keep_breaks);
        self.held = text.into_bytes().split_off(cut);
        self.held.extend(tail);
        self.due = self.held.len() + HOLD;
        out
    }

    /// Gives the rest.
    pub fn finish(self) -> String {
        let text = String::from_utf8_lossy(&self.held);
        replace(&text, &find_everywhere(&text), self.keep_breaks)
    }
}

/// Chooses where the given-out part ends: a line's end before the held-back part, not inside a finding.
fn cut_before(text: &str, found: &[super::Found]) -> usize {
    let most = text.floor_char_boundary(text.len().saturating_sub(HOLD));
    let line = text
        .get(..most)
        .and_then(|head| head.rfind('\n'))
        .map_or(most, |at| at + 1);
    // A line longer than what is held back is cut where it must be.
    let mut cut = if most - line < HOLD { line } else { most };
    for found in found.iter().rev() {
        if found.whole.start < cut && cut < found.range.end {
            cut = if text.len() > LIMIT {
                found.range.end
            } else {
                text.floor_char_boundary(found.whole.start)
            };
        }
    }
    cut
}

/// Counts the bytes at the end that begin a character without finishing it.
fn unfinished(bytes: &[u8]) -> usize {
    let tail = bytes
        .utf8_chunks()
        .last()
        .map_or(&[][..], |chunk| chunk.invalid());
    let at_end = bytes.ends_with(tail) && !tail.is_empty() && tail.len() < 4;
    if at_end && std::str::from_utf8(tail).is_err_and(|error| error.error_len().is_none()) {
        tail.len()
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays_open_is_not_read_again_for_every_piece() {
        let line = format!("-----BEGIN {}-----\n", "PRIVATE KEY");
        let mut redactor = Redactor::new();
        let mut reads = 0;
        let mut due = 0;
        for _ in 0..10_000 {
            redactor.push(line.as_bytes());
            reads += usize::from(redactor.due != due);
            due = redactor.due;
        }
        let most = 2 * 10_000 * line.len() / HOLD;
        assert!((1..most).contains(&reads), "{reads}");
    }
}
