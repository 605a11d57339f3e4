//! Cells as typed values: dates, yes or no, lanes, lists, and the names that services give.
//!
//! Owns what a cell may look like. Pure; an error says what was expected and quotes foreign text only made visible.

use chrono::{DateTime, NaiveDate, Utc};

use crate::model::lane::Lane;
use crate::model::name::{PackageName, RepoName, SecretName};
use crate::safe::shown::visible;

/// A day, and the instant where the list gave one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day {
    /// The UTC day.
    pub date: NaiveDate,
    pub at: Option<DateTime<Utc>>,
}

/// A lane as an inventory names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LaneWord {
    One(Lane),
    /// The paths of the repository differ; it is no lane of a path.
    Mixed,
}

/// Whether a cell says that nothing is known: empty, a dash, `n/a`, `tbd` and the like.
#[must_use]
pub fn is_blank(text: &str) -> bool {
    matches!(
        text.trim().to_ascii_lowercase().as_str(),
        "" | "-" | "--" | "–" | "—" | "?" | "n/a" | "na" | "tbd" | "todo" | "unknown" | "null"
    )
}

fn wrong(text: &str, expected: &str) -> String {
    format!("`{}` is not {expected}", visible(text))
}

/// Reads `2026-12-05` or an RFC 3339 time such as `2026-12-05T10:00:00Z`.
///
/// # Errors
/// Any other form: `05/12/2026` is a different day in different countries.
pub fn day(text: &str) -> Result<Day, String> {
    let expected = "a date; write 2026-12-05, or 2026-12-05T10:00:00Z";
    let is_iso = text.len() == 10
        && text.bytes().enumerate().all(|(i, b)| match i {
            4 | 7 => b == b'-',
            _ => b.is_ascii_digit(),
        });
    if is_iso && let Ok(date) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return Ok(Day { date, at: None });
    }
    if text.len() > 10
        && let Ok(at) = DateTime::parse_from_rfc3339(text)
    {
        let at = at.with_timezone(&Utc);
        return Ok(Day {
            date: at.date_naive(),
            at: Some(at),
        });
    }
    Err(wrong(text, expected))
}

/// Reads yes or no in the words and marks that people put into sheets.
///
/// # Errors
/// Anything else.
pub fn yes_no(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "y" | "true" | "t" | "1" | "x" | "on" | "done" | "ok" | "✓" | "✔" | "✅" | "☑" => {
            Ok(true)
        }
        "no" | "n" | "false" | "f" | "0" | "off" | "open" | "✗" | "✘" | "❌" | "☐" => {
            Ok(false)
        }
        _ => Err(wrong(text, "yes or no")),
    }
}

/// Reads a lane word, whatever its case and separators.
///
/// # Errors
/// The word is no lane; the message lists those there are.
pub fn lane(text: &str) -> Result<LaneWord, String> {
    let word = text
        .trim()
        .to_ascii_lowercase()
        .replace([' ', '_', '/'], "-");
    if word == "mixed" {
        return Ok(LaneWord::Mixed);
    }
    Lane::parse(&word).map(LaneWord::One).ok_or_else(|| {
        let all: Vec<&str> = Lane::ALL.iter().map(|l| l.word()).collect();
        wrong(
            text,
            &format!("a lane; the lanes are {}, mixed", all.join(", ")),
        )
    })
}

/// Splits a cell's list at spaces, commas and semicolons.
#[must_use]
pub fn list(values: &[String]) -> Vec<String> {
    let parts = values
        .iter()
        .flat_map(|value| value.split(|c: char| c == ',' || c == ';' || c.is_whitespace()));
    let mut seen = std::collections::HashSet::new();
    parts
        .filter(|part| !is_blank(part))
        .filter(|part| seen.insert(part.to_owned()))
        .map(str::to_owned)
        .collect()
}

/// Reads a repository as `owner/name` (groups may nest) or a bare name; the address of a clone is cut down to that.
///
/// # Errors
/// Not a name that a forge would give.
pub fn repo(text: &str) -> Result<String, String> {
    let trimmed = text.trim();
    let path = match trimmed.split_once("://") {
        Some((_, rest)) => rest
            .split_once('/')
            .map_or("", |(_, path)| path.trim_end_matches('/')),
        None => match trimmed.split_once(':') {
            Some((host, path)) if host.contains('@') => path,
            _ => trimmed,
        },
    };
    let path = path.strip_suffix(".git").unwrap_or(path);
    match RepoName::parse(path) {
        Ok(name) => Ok(name.as_str().to_owned()),
        Err(bad) => Err(wrong(text, &format!("a {}", bad.what))),
    }
}

/// Reads a package name by npm's grammar, old names with capitals included.
///
/// # Errors
/// Not a name that npm ever allowed.
pub fn package(text: &str) -> Result<String, String> {
    match PackageName::parse(text) {
        Ok(name) if !text.contains('*') => Ok(name.as_str().to_owned()),
        _ => Err(wrong(text, "a package name; write name or @scope/name")),
    }
}

/// Reads the name of one secret or variable.
///
/// # Errors
/// Not a name that a secret store would take, or several names.
pub fn secret_name(text: &str) -> Result<String, String> {
    match SecretName::parse(text) {
        Ok(name) => Ok(name.as_str().to_owned()),
        Err(bad) => Err(wrong(text, &format!("one {}", bad.what))),
    }
}

/// Reads a dist-tag.
///
/// # Errors
/// Not a tag: npm refuses those that read as a version range.
pub fn tag(text: &str) -> Result<String, String> {
    let good = text.len() <= 128
        && text.bytes().next().is_some_and(|b| b.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
    let number = text
        .strip_prefix('v')
        .is_some_and(|rest| rest.bytes().next().is_some_and(|b| b.is_ascii_digit()));
    if good && !number {
        Ok(text.to_owned())
    } else {
        Err(wrong(text, "a dist-tag such as canary"))
    }
}

/// Takes free text of one line.
///
/// # Errors
/// Longer than 500 bytes or of several lines.
pub fn line(text: &str) -> Result<String, String> {
    if text.len() > 500 || text.contains(['\n', '\r']) {
        return Err("longer than one line of 500 bytes; shorten it".to_owned());
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn days_are_iso_only() {
        let plain = day("2026-12-05").unwrap();
        assert_eq!(plain.date.to_string(), "2026-12-05");
        assert_eq!(plain.at, None);
        let instant = day("2026-12-05T23:30:00-05:00").unwrap();
        assert_eq!(instant.date.to_string(), "2026-12-06");
        assert!(instant.at.is_some());
        for bad in [
            "05/12/2026",
            "12/05/2026",
            "5.12.2026",
            "2026-12-5",
            "2026-13-01",
            "2026-02-30",
            "46361",
            "Dec 5, 2026",
            "2026-12-05 10:00",
            "+2026-12-5",
        ] {
            assert!(day(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn words_of_agreement() {
        assert_eq!(yes_no("YES"), Ok(true));
        assert_eq!(yes_no("✓"), Ok(true));
        assert_eq!(yes_no("no"), Ok(false));
        assert!(yes_no("maybe").is_err());
        assert!(is_blank(" N/A ") && is_blank("—") && !is_blank("no"));
    }

    #[test]
    fn lanes_by_their_words() {
        assert_eq!(lane("Staged OIDC"), Ok(LaneWord::One(Lane::StagedOidc)));
        assert_eq!(lane("staged_token"), Ok(LaneWord::One(Lane::StagedToken)));
        for one in Lane::ALL {
            assert_eq!(lane(one.word()), Ok(LaneWord::One(one)));
        }
        assert_eq!(lane("Mixed"), Ok(LaneWord::Mixed));
        assert!(lane("oidc").unwrap_err().contains("trusted, staged-oidc"));
    }

    #[test]
    fn lists_split_at_every_separator_once() {
        let cell = ["@a/b, @a/c;d  e".to_owned(), "d".to_owned()];
        assert_eq!(list(&cell), ["@a/b", "@a/c", "d", "e"]);
        assert!(list(&["n/a".to_owned()]).is_empty());
    }

    #[test]
    fn repositories_in_every_spelling() {
        for (text, want) in [
            ("acme/ui-kit", "acme/ui-kit"),
            ("ui-kit", "ui-kit"),
            ("https://github.com/acme/ui-kit", "acme/ui-kit"),
            ("https://github.com/acme/ui-kit.git", "acme/ui-kit"),
            ("git@github.com:acme/ui-kit.git", "acme/ui-kit"),
            ("git+ssh://git@gitlab.com/acme/web/ui.git", "acme/web/ui"),
        ] {
            assert_eq!(repo(text).unwrap(), want, "{text}");
        }
        for bad in [
            "",
            "acme/",
            "acme//x",
            "../etc",
            "acme/ui kit",
            "acme/\u{202e}x",
            "https://github.com",
        ] {
            assert!(repo(bad).is_err(), "{bad:?}");
        }
        assert!(
            repo("a\u{1b}[31m")
                .unwrap_err()
                .chars()
                .all(|c| !c.is_control())
        );
    }

    #[test]
    fn names_by_grammar() {
        assert!(package("@acme/ui").is_ok() && package("JSONStream").is_ok());
        for bad in ["@acme", "@/x", "a b", "../x", "a\u{200b}b", "*"] {
            assert!(package(bad).is_err(), "{bad:?}");
        }
        assert!(secret_name("NPM_TOKEN").is_ok() && secret_name("A B").is_err());
        assert!(tag("canary").is_ok() && tag("1.2").is_err() && tag("v1").is_err());
    }
}
