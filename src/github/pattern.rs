//! Patterns that choose repositories and refs, in the language of workflow filters.
//!
//! `*` stops at a slash, `**` does not, `?` and `+` repeat what stands before them, `[a-z]` is a set, a leading `!` takes
//! out again, and the last pattern that matches decides (docs.github.com, "Workflow syntax": filter pattern cheat sheet).

use regex::Regex;

/// A list of patterns, in order.
#[derive(Debug, Clone, Default)]
pub struct Patterns(Vec<(bool, Regex)>);

/// A pattern that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is no pattern such as `release/**`; write it as in a workflow's `branches:`", crate::safe::shown::visible(.0))]
pub struct BadPattern(pub String);

impl Patterns {
    /// Reads patterns as a workflow writes them.
    ///
    /// # Errors
    /// [`BadPattern`] for the first that has no meaning.
    pub fn parse<S: AsRef<str>>(all: impl IntoIterator<Item = S>) -> Result<Self, BadPattern> {
        let read = |text: S| {
            let text = text.as_ref();
            let (takes, body) = match text.strip_prefix('!') {
                Some(body) => (false, body),
                None => (true, text),
            };
            let bad = || BadPattern(text.to_owned());
            let written = regex_of(body).ok_or_else(bad)?;
            match Regex::new(&written) {
                Ok(regex) => Ok((takes, regex)),
                Err(_) => Err(bad()),
            }
        };
        all.into_iter()
            .map(read)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Tells whether there is no pattern.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Tells whether the list takes this text; an empty list takes nothing.
    pub fn take(&self, text: &str) -> bool {
        let last = self.0.iter().rev().find(|(_, regex)| regex.is_match(text));
        last.is_some_and(|(takes, _)| *takes)
    }
}

/// Writes a filter pattern as a regular expression; `None` where a sign has nothing to repeat or a set does not end.
fn regex_of(pattern: &str) -> Option<String> {
    if pattern.is_empty() {
        return None;
    }
    let mut out = String::from("^");
    let mut chars = pattern.chars().peekable();
    let mut repeatable = false;
    while let Some(c) = chars.next() {
        match c {
            '*' if chars.next_if_eq(&'*').is_some() => {
                // `**/` also stands for no folder at all.
                let folder = chars.next_if_eq(&'/').is_some();
                out.push_str(if folder { "(?:.*/)?" } else { ".*" });
                repeatable = false;
            }
            '*' => {
                out.push_str("[^/]*");
                repeatable = false;
            }
            '?' | '+' if repeatable => {
                out.push(c);
                repeatable = false;
            }
            '?' | '+' => return None,
            '[' => {
                out.push_str(&set(&mut chars)?);
                repeatable = true;
            }
            '\\' => {
                out.push_str(&regex::escape(&chars.next()?.to_string()));
                repeatable = true;
            }
            _ => {
                out.push_str(&regex::escape(&c.to_string()));
                repeatable = true;
            }
        }
    }
    out.push('$');
    Some(out)
}

/// Reads the rest of a set: ranges and alphanumeric characters, as GitHub allows.
fn set(chars: &mut impl Iterator<Item = char>) -> Option<String> {
    let mut out = String::from("[");
    for c in chars {
        match c {
            ']' if out.len() > 1 => {
                out.push(']');
                return Some(out);
            }
            // Two dashes would mean something else to the regular expression.
            '-' if out.ends_with(['-', '[']) => return None,
            'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '.' | '_' => out.push(c),
            _ => return None,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn takes(patterns: &[&str], text: &str) -> bool {
        Patterns::parse(patterns).unwrap().take(text)
    }

    #[test]
    fn patterns_mean_what_workflows_mean() {
        for (patterns, text, expected) in [
            (&["feature/*"][..], "feature/my-branch", true),
            (&["feature/*"], "feature/beta-a/my-branch", false),
            (&["feature/**"], "feature/beta-a/my-branch", true),
            (&["main", "releases/**-alpha"], "releases/x-alpha", true),
            (&["*"], "main", true),
            (&["*"], "all/the/branches", false),
            (&["**"], "all/the/branches", true),
            (&["*feature"], "mona-feature", true),
            (&["v2*"], "v2.9", true),
            (&["v[12].[0-9]+.[0-9]+"], "v1.10.1", true),
            (&["v[12].[0-9]+.[0-9]+"], "v3.1.0", false),
            (&["v?1"], "1", true),
            (&["release/**", "!release/**-rc"], "release/1-rc", false),
            (&["!x", "x"], "x", true),
            (&["1.x"], "1ax", false),
            (&["**/docs"], "docs", true),
            (&[], "main", false),
        ] {
            assert_eq!(takes(patterns, text), expected, "{patterns:?} {text}");
        }
    }

    #[test]
    fn what_has_no_meaning_is_refused() {
        for bad in ["", "!", "+a", "?", "[", "[]", "[a", "a\\", "[^a]", "[a--b]"] {
            assert!(Patterns::parse([bad]).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_plain_name_matches_itself_only(name in "[a-z0-9/._-]{1,20}", other in "[a-z0-9/._-]{1,20}") {
            prop_assert_eq!(takes(&[&name], &other), name == other);
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,40}") {
            if let Ok(patterns) = Patterns::parse([&text]) {
                let _ = patterns.take("release/1.x");
            }
        }
    }
}
