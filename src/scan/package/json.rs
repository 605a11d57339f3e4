//! JSON as repositories write it: comments, trailing commas, a byte order mark, and where keys stand.
//!
//! Owns the little that serde_json does not give. It keeps every byte offset, so that lines stay true.

use serde::de::DeserializeOwned;

use super::Unreadable;

/// Parses strict JSON; an error says where.
pub(super) fn parse<T: DeserializeOwned>(path: &str, text: &str) -> Result<T, Unreadable> {
    serde_json::from_str(text).map_err(|e| Unreadable {
        file: path.to_owned(),
        line: u32::try_from(e.line()).unwrap_or(u32::MAX).max(1),
        column: u32::try_from(e.column()).unwrap_or(u32::MAX).max(1),
        why: e.to_string(),
    })
}

/// Parses JSON that may hold comments and trailing commas.
pub(super) fn parse_lenient<T: DeserializeOwned>(path: &str, text: &str) -> Result<T, Unreadable> {
    parse(
        path,
        &without_comments(text.strip_prefix('\u{feff}').unwrap_or(text)),
    )
}

/// Replaces `//` and `/* */` comments and trailing commas with blanks; lines and columns stay where they were.
pub fn without_comments(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.bytes().peekable();
    let mut in_string = false;
    // Where the last comma stands while only blanks followed it.
    let mut comma: Option<usize> = None;
    while let Some(b) = rest.next() {
        if in_string {
            out.push(b);
            match b {
                b'\\' => out.extend(rest.next()),
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match (b, rest.peek()) {
            (b'/', Some(b'/')) => {
                out.push(b' ');
                while rest.peek().is_some_and(|&n| n != b'\n') {
                    rest.next();
                    out.push(b' ');
                }
            }
            (b'/', Some(b'*')) => {
                rest.next();
                out.extend(b"  ");
                let mut last = 0;
                for n in rest.by_ref() {
                    out.push(if n == b'\n' { b'\n' } else { b' ' });
                    if last == b'*' && n == b'/' {
                        break;
                    }
                    last = n;
                }
            }
            _ => {
                match b {
                    b'"' => in_string = true,
                    b'}' | b']' => {
                        if let Some(slot) = comma.and_then(|at| out.get_mut(at)) {
                            *slot = b' ';
                        }
                    }
                    _ => {}
                }
                if b == b',' {
                    comma = Some(out.len());
                } else if !b.is_ascii_whitespace() {
                    comma = None;
                }
                out.push(b);
            }
        }
    }
    // Only whole characters of comments were replaced, byte by byte, with blanks.
    String::from_utf8(out).unwrap_or_default()
}

/// Lines of a manifest's top-level keys and of the entries of `scripts`.
#[derive(Debug, Default)]
pub(super) struct KeyLines {
    top: Vec<(String, u32)>,
    scripts: Vec<(String, u32)>,
}

impl KeyLines {
    pub(super) fn top(&self, key: &str) -> Option<u32> {
        self.top
            .iter()
            .find(|(k, _)| k == key)
            .map(|(_, line)| *line)
    }

    pub(super) fn script(&self, name: &str) -> Option<u32> {
        self.scripts
            .iter()
            .find(|(k, _)| k == name)
            .map(|(_, line)| *line)
    }
}

/// Finds where the keys stand, in one pass over well-formed JSON.
pub(super) fn key_lines(text: &str) -> KeyLines {
    let mut found = KeyLines::default();
    let (mut depth, mut line) = (0_u32, 1_u32);
    let mut in_scripts = false;
    let mut bytes = text.bytes().enumerate().peekable();
    while let Some((at, b)) = bytes.next() {
        match b {
            b'\n' => line += 1,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                let mut end = at + 1;
                while let Some((here, c)) = bytes.next() {
                    end = here;
                    match c {
                        b'\\' => drop(bytes.next()),
                        b'"' => break,
                        _ => {}
                    }
                }
                let wanted = depth == 1 || (depth == 2 && in_scripts);
                if !wanted || !followed_by_colon(text, end + 1) {
                    continue;
                }
                // Keys with escapes are rare and only lose their line.
                let key = text.get(at + 1..end).unwrap_or_default().to_owned();
                if depth == 1 {
                    in_scripts = key == "scripts";
                    found.top.push((key, line));
                } else {
                    found.scripts.push((key, line));
                }
            }
            _ => {}
        }
    }
    found
}

fn followed_by_colon(text: &str, from: usize) -> bool {
    text.as_bytes()
        .get(from..)
        .unwrap_or_default()
        .iter()
        .find(|b| !b.is_ascii_whitespace())
        .is_some_and(|&b| b == b':')
}
