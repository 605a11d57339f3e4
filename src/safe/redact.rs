//! Finds secrets in text and takes them out: tokens of npm and the forges, keys, authorisation values, signed addresses.
//!
//! A text is read several times: as it stands, and with terminal escapes and hidden characters dropped, percent-encoding
//! decoded and wrapped lines joined. What is found in any reading is replaced in the original, so text without a secret
//! comes out unchanged. Must not keep, log or return a secret other than as a range.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

mod reading;
mod rule;
mod stream;

pub use stream::Redactor;

use reading::Reading;

/// What a found secret is, by its form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `npm_` and 36 or more letters and digits.
    NpmToken,
    /// The value of `_authToken`, `_auth`, `_password`, `npmAuthToken` or `npmAuthIdent`; classic tokens are UUIDs.
    NpmAuth,
    GithubToken,
    GitlabToken,
    CircleciToken,
    Jwt,
    PrivateKey,
    /// The value of an `Authorization` header or one that serves the same end.
    AuthorizationValue,
    /// A signature or token in an address's query.
    SignedUrl,
    /// The secret path of a chat system's webhook.
    Webhook,
    /// A password, or a token in its place, before the `@` of an address.
    UrlUserinfo,
}

impl Kind {
    /// Gives the words that stand where the secret was.
    pub fn placeholder(self) -> &'static str {
        match self {
            Self::NpmToken => "[redacted-npm-token]",
            Self::NpmAuth => "[redacted-npm-auth]",
            Self::GithubToken => "[redacted-github-token]",
            Self::GitlabToken => "[redacted-gitlab-token]",
            Self::CircleciToken => "[redacted-circleci-token]",
            Self::Jwt => "[redacted-jwt]",
            Self::PrivateKey => "[redacted-private-key]",
            Self::AuthorizationValue => "[redacted-authorization]",
            Self::SignedUrl => "[redacted-signed-url]",
            Self::Webhook => "[redacted-webhook]",
            Self::UrlUserinfo => "[redacted-url-password]",
        }
    }
}

/// One secret in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Bytes of the secret itself, without the key or address before it.
    pub range: Range<usize>,
    /// Bytes that were needed to tell: the key or address as well.
    pub whole: Range<usize>,
    pub kind: Kind,
    /// Whether a digest of it may be printed: enough random characters that nobody can guess them from the digest.
    pub high_entropy: bool,
}

/// Finds the secrets that stand in a text as it is, in order and without overlap.
///
/// For reports about files: places are exact, and the text is read once. Nothing is decoded; see [`redact`] for that.
pub fn find(text: &str) -> Vec<Found> {
    rule::find(text.as_bytes())
}

/// Replaces every secret by a word that names its kind; borrows when there is none.
pub fn redact(text: &str) -> Cow<'_, str> {
    if is_short_word(text) {
        return Cow::Borrowed(text);
    }
    let found = find_everywhere(text);
    if found.is_empty() {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(replace(text, &found, false))
    }
}

/// Tells whether a text is a word too short for any form of a secret: the keys of JSON, names, numbers.
///
/// CircleCI's tokens are the shortest of those that need no sign but underscores, 27 characters.
fn is_short_word(text: &str) -> bool {
    text.len() < 27 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Drops terminal escapes and hidden characters, and keeps line breaks and tabs: what a person would see of a log.
///
/// For reading what a text says. It is not redacted by this, nor fit to be shown.
pub fn unescaped(text: &str) -> Cow<'_, str> {
    let plain = text
        .bytes()
        .all(|b| matches!(b, b'\n' | b'\t' | 0x20..=0x7e) && b != b'\\');
    if plain {
        return Cow::Borrowed(text);
    }
    Cow::Owned(String::from_utf8_lossy(&Reading::unescaped(text).bytes).into_owned())
}

/// Finds what stands in any reading of the text; ranges are of the text as it is, on character boundaries.
fn find_everywhere(text: &str) -> Vec<Found> {
    let mut found = find(text);
    for reading in Reading::all(text) {
        let more = rule::find(&reading.bytes).into_iter().map(|found| {
            let [range, whole] = [&found.range, &found.whole].map(|range| reading.origin(range));
            Found {
                range: text.floor_char_boundary(range.start)..text.ceil_char_boundary(range.end),
                whole,
                ..found
            }
        });
        // A joined line must not make a secret longer that was whole without it.
        let whole: BTreeSet<usize> = found
            .iter()
            .filter(|found| rule::is_complete(slice(text, &found.range)))
            .map(|found| found.range.start)
            .collect();
        found.extend(
            more.filter(|more| !(reading.joined && whole.contains(&more.range.start)))
                .collect::<Vec<_>>(),
        );
    }
    merge(found)
}

fn slice<'a>(text: &'a str, range: &Range<usize>) -> &'a [u8] {
    text.as_bytes().get(range.clone()).unwrap_or_default()
}

/// Joins overlapping findings; the first in the text gives the kind.
fn merge(mut found: Vec<Found>) -> Vec<Found> {
    found.sort_by_key(|found| (found.range.start, std::cmp::Reverse(found.range.end)));
    let mut merged: Vec<Found> = Vec::with_capacity(found.len());
    for next in found {
        match merged.last_mut() {
            Some(last) if next.range.start < last.range.end => {
                last.range.end = last.range.end.max(next.range.end);
                last.whole =
                    last.whole.start.min(next.whole.start)..last.whole.end.max(next.whole.end);
            }
            _ => merged.push(next),
        }
    }
    merged
}

/// Puts placeholders in; the line breaks of what is taken out can be kept, so that lines keep their numbers.
fn replace(text: &str, found: &[Found], keep_breaks: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for found in found {
        out.push_str(text.get(from..found.range.start).unwrap_or_default());
        out.push_str(found.kind.placeholder());
        if keep_breaks {
            let gone = slice(text, &found.range);
            out.extend(gone.iter().filter(|b| **b == b'\n').map(|_| '\n'));
        }
        from = found.range.end;
    }
    out.push_str(text.get(from..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests;
