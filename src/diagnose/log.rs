//! A CI log as the few lines of it that say something about publishing, with their numbers in the log.
//!
//! Timestamps, colours and the prefixes of task runners go, secrets are replaced before a line is kept, and lines of
//! tasks that ran side by side are put apart again. Must not keep a line that no pattern asked for.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Regex, RegexSet};

use crate::model::name::PackageName;
use crate::safe::redact::{Redactor, unescaped};

/// Most bytes of one line that are looked at.
const LINE: usize = 2_000;

/// Most streams that are told apart; lines of later ones go to the first.
const STREAMS: usize = 2_000;

/// The colour in which GitHub Actions repeats a step's script: text that was not printed by anything.
const SCRIPT: &str = "\u{1b}[36;1m";

/// A line that a pattern, an error or a package made worth keeping.
#[derive(Debug, Clone, Default)]
pub struct Line {
    /// From 1.
    pub number: u32,
    /// Redacted, without timestamp and colours.
    pub text: Box<str>,
    /// It reports a failure.
    pub error: bool,
    /// A failure's report begins here.
    pub head: bool,
    /// A failure's report ends here.
    pub end: bool,
    /// `name@version` that this line says was published.
    pub published: Option<Box<str>>,
    pub package: Option<Box<str>>,
    /// Error codes, `E404` and the like.
    pub codes: Vec<Box<str>>,
    /// Indexes of the patterns that fit.
    pub hits: Vec<usize>,
}

/// Lines that belong together: one task's, or all of a log.
#[derive(Debug, Clone, Default)]
pub struct Stream {
    pub name: Box<str>,
    pub lines: Vec<Line>,
}

/// A log, read.
#[derive(Debug, Clone, Default)]
pub struct Log {
    pub lines: u32,
    /// Something in it failed.
    pub failed: bool,
    pub streams: Vec<Stream>,
}

#[expect(
    clippy::expect_used,
    reason = "constant patterns; the tests compile them"
)]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a constant pattern")
}

macro_rules! patterns {
    ($($name:ident = $text:expr;)+) => {
        $(static $name: LazyLock<Regex> = LazyLock::new(|| pattern($text));)+
    };
}

patterns! {
    // The forge's own prefix: job and step where `gh run view --log` put them, then a timestamp.
    STAMP = r"^(?:([^\t]{1,200})\t[^\t]{0,200}\t)?\u{feff}?\[?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z\]?(?: \d\d[OE]\+?)? ?";
    // Task runners: turbo, yarn workspaces foreach, pnpm -r.
    TASK = r"^(?:((?:@[a-z0-9._~-]+/)?[a-z0-9][a-z0-9._~-]*):[a-z][\w:-]*: |\[((?:@[\w.-]+/)?[\w.-]+)\]: |((?:[\w@.-]+(?:/[\w@.-]+)+|\.) [\w:-]+)(?:\$|:) )";
    ERROR = r"(?:^|\W)npm (?:error|ERR!)(?:\s|$)|lerna ERR!|🦋\s*error\b|\bERR_PNPM_|\bYN\d{4}:|\[semantic-release\].*✘|^error ";
    FAILED = r"##\[error\]|Process completed with exit code [1-9]|ERROR: Job failed|Exited with code exit status [1-9]|\bELIFECYCLE\b|[Cc]ommand failed with exit code [1-9]";
    HEAD = r"npm (?:error|ERR!) code \S|lerna ERR! E[A-Z0-9_]+\b|an error occurred while publishing|\bERR_PNPM_[A-Z_]+|\bEINVALIDNPM(?:TOKEN|AUTH)\b";
    END = r"A complete log of this run can be found in";
    CODE = r"\bE(?:\d{3}|[A-Z][A-Z0-9_]{2,})\b";
    STATUS = r"npm (?:error|ERR!) (\d{3}) |ERR_PNPM_\w+.*?\b(?:status:? |\()(\d{3})\b|Response Code: (\d{3})\b";
    PUBLISHED = r"^\+ ((?:@[^\s/@]+/)?[^\s/@]+@\d\S*)\s*$|lerna success published (\S+) (\d\S*)";
    WRITTEN = r"\bPUT (?:\d{3} )?https?://[^\s/]+/(\S+)|/oidc/token/exchange/package/([^\s/]+)|/-/package/([^\s/]+)/";
    NAMED = r#"while publishing ((?:@[^\s/@:]+/)?[^\s/@:]+)|Failed to publish (?:package )?((?:@[^\s/@]+/)?[^\s/@]+)@\d|'((?:@[^\s/@']+/)?[^\s/@']+)@\d[^']*' is not in this registry|npm notice (?:📦\s+|package: )((?:@[^\s/@]+/)?[^\s/@]+)@\d|Publishing "((?:@[^\s/@"]+/)?[^\s/@"]+)" at"#;
}

/// Reads a log. Bytes that are not UTF-8 are taken as U+FFFD.
pub fn read(log: &[u8], wanted: &RegexSet) -> Log {
    let mut reader = Reader {
        log: Log::default(),
        wanted,
        streams: Vec::new(),
        script: Vec::new(),
    };
    let mut redactor = Redactor::keeping_lines();
    let mut rest = String::new();
    for raw in log.split(|b| *b == b'\n') {
        let (plain, is_script) = plain(&String::from_utf8_lossy(raw));
        reader.script.push(is_script);
        rest += &redactor.push(plain.as_bytes());
        rest += &redactor.push(b"\n");
        let whole = rest.rfind('\n').map_or(0, |at| at + 1);
        for line in rest.get(..whole).unwrap_or_default().lines() {
            reader.take(line);
        }
        rest.drain(..whole);
    }
    rest += &redactor.finish();
    for line in rest.lines() {
        reader.take(line);
    }
    // What stands after the last line break is no line when nothing does.
    if log.last().is_none_or(|b| *b == b'\n') {
        reader.log.lines = reader.log.lines.saturating_sub(1);
    }
    reader.log
}

/// Takes timestamp and colours off a line, and tells whether it only repeats a script. The job's name stays, before a tab.
fn plain(raw: &str) -> (String, bool) {
    let (job, rest) = match STAMP.captures(raw) {
        Some(found) => {
            let end = found.get(0).map_or(0, |all| all.end());
            let job = found.get(1).map_or("", |job| job.as_str());
            (job, raw.get(end..).unwrap_or_default())
        }
        None => ("", raw),
    };
    let text: Cow<'_, str> = unescaped(rest);
    // A spinner's last frame stands before what was printed over it.
    let text = text.trim_start_matches(|c| ('\u{2801}'..='\u{28ff}').contains(&c));
    let cut = text.floor_char_boundary(LINE);
    let text = text.get(..cut).unwrap_or_default();
    let job = unescaped(job);
    let line = if job.is_empty() {
        text.to_owned()
    } else {
        format!("{job}\u{1f}{text}")
    };
    (line, rest.starts_with(SCRIPT))
}

struct Reader<'p> {
    log: Log,
    wanted: &'p RegexSet,
    /// Names of the streams, in the order of the log's.
    streams: Vec<String>,
    /// For each line that was pushed, whether it repeats a script.
    script: Vec<bool>,
}

impl Reader<'_> {
    fn take(&mut self, line: &str) {
        let script = usize::try_from(self.log.lines)
            .ok()
            .and_then(|at| self.script.get(at))
            .copied();
        self.log.lines = self.log.lines.saturating_add(1);
        if script == Some(true) {
            return;
        }
        let (job, text) = line.split_once('\u{1f}').unwrap_or(("", line));
        let task = TASK.captures(text);
        let end = task
            .as_ref()
            .and_then(|task| task.get(0))
            .map_or(0, |all| all.end());
        let name = task
            .as_ref()
            .and_then(|task| task.iter().skip(1).flatten().next())
            .map_or("", |name| name.as_str());
        let text = text.get(end..).unwrap_or_default();
        self.log.failed |= FAILED.is_match(text);
        let Some(mut read) = worth(text, self.wanted) else {
            return;
        };
        read.number = self.log.lines;
        self.log.failed |= read.error;
        let at = self.stream(format!("{job}\u{1f}{name}"), name);
        if let Some(stream) = self.log.streams.get_mut(at) {
            stream.lines.push(read);
        }
    }

    fn stream(&mut self, key: String, name: &str) -> usize {
        if let Some(at) = self.streams.iter().rposition(|known| *known == key) {
            return at;
        }
        if self.streams.len() == STREAMS {
            return 0;
        }
        self.streams.push(key);
        self.log.streams.push(Stream {
            name: name.into(),
            lines: Vec::new(),
        });
        self.streams.len() - 1
    }
}

/// Reads a line; none where nothing about it matters.
fn worth(text: &str, wanted: &RegexSet) -> Option<Line> {
    let hits: Vec<usize> = wanted.matches(text).into_iter().collect();
    // pnpm says by a code of its errors that it goes on without OIDC: that is no failure yet.
    let error = ERROR.is_match(text) && !text.contains("Skipped OIDC");
    let published = PUBLISHED.captures(text).and_then(|found| {
        let all: Vec<&str> = found.iter().skip(1).flatten().map(|m| m.as_str()).collect();
        let whole = all.join("@");
        let (name, _) = whole.rsplit_once('@')?;
        PackageName::parse(name).ok()?;
        Some(whole.into_boxed_str())
    });
    let package = package(text);
    if hits.is_empty() && !error && published.is_none() && package.is_none() {
        return None;
    }
    let mut codes: Vec<Box<str>> = Vec::new();
    if error {
        codes.extend(
            CODE.find_iter(text)
                .take(8)
                .map(|code| code.as_str().into()),
        );
        let status = STATUS
            .captures(text)
            .and_then(|found| Some(found.iter().skip(1).flatten().next()?.as_str().to_owned()));
        codes.extend(status.map(|status| format!("E{status}").into_boxed_str()));
    }
    Some(Line {
        number: 0,
        text: text.into(),
        error,
        head: error && HEAD.is_match(text),
        end: error && END.is_match(text),
        published,
        package,
        codes,
        hits,
    })
}

/// Gives the package that a line is about, where it names one.
fn package(text: &str) -> Option<Box<str>> {
    let named = WRITTEN
        .captures(text)
        .and_then(|found| Some(from_path(found.iter().skip(1).flatten().next()?.as_str())))
        .or_else(|| {
            let found = NAMED.captures(text)?;
            Some(found.iter().skip(1).flatten().next()?.as_str().to_owned())
        })?;
    PackageName::parse(&named).ok()?;
    Some(named.into_boxed_str())
}

/// Gives the package that a registry's address ends in: `@scope%2fname`, `@scope/name` or `name`.
fn from_path(path: &str) -> String {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let path = path
        .replace("%2f", "/")
        .replace("%2F", "/")
        .replace("%40", "@");
    let parts: Vec<&str> = path.trim_end_matches(['/', ',', '.']).split('/').collect();
    match parts.as_slice() {
        [.., scope, name] if scope.starts_with('@') => format!("{scope}/{name}"),
        [.., name] => (*name).to_owned(),
        [] => String::new(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    fn texts(log: &str) -> Vec<(u32, String)> {
        let wanted = RegexSet::new(["wanted"]).unwrap();
        let read = read(log.as_bytes(), &wanted);
        let mut lines: Vec<(u32, String)> = read
            .streams
            .iter()
            .flat_map(|stream| &stream.lines)
            .map(|line| (line.number, line.text.to_string()))
            .collect();
        lines.sort();
        lines
    }

    #[test]
    fn stamps_colours_and_spinners_go() {
        for line in [
            "npm error code E404",
            "2026-11-22T10:00:00.1234567Z npm error code E404\r",
            "\u{feff}2026-11-22T10:00:00.1234567Z npm error code E404",
            "2026-11-22T10:00:00.123456Z 00O npm error code E404",
            "[2026-11-22T10:00:00.123Z] npm error code E404",
            "publish\tRun npm publish\t2026-11-22T10:00:00.1234567Z npm error code E404",
            "\u{1b}[1mnpm\u{1b}[22m \u{1b}[31merror\u{1b}[39m code E404",
            "⠙\u{1b}[1G\u{1b}[0Knpm error code E404",
            "@acme/ui:publish: npm error code E404",
            "[@acme/ui]: npm error code E404",
            "packages/ui publish: npm error code E404",
        ] {
            assert_eq!(
                texts(line),
                [(1, "npm error code E404".to_owned())],
                "{line}"
            );
        }
    }

    #[test]
    fn a_repeated_script_is_not_read() {
        let log = "2026-11-22T10:00:00Z \u{1b}[36;1mnpm error code E404\u{1b}[0m\nwanted\n";
        assert_eq!(texts(log), [(2, "wanted".to_owned())]);
    }

    #[test]
    fn packages_are_read_from_addresses_and_words() {
        for (text, name) in [
            (
                "npm error 404 Not Found - PUT https://r.example/@acme%2fui - Not found",
                "@acme/ui",
            ),
            (
                "npm http fetch PUT 404 https://r.example/npm/left-pad 120ms",
                "left-pad",
            ),
            (
                "npm http fetch POST 404 https://r.example/-/npm/v1/oidc/token/exchange/package/@acme%2fui 12ms",
                "@acme/ui",
            ),
            (
                "🦋  error an error occurred while publishing @acme/ui: E404 Not Found",
                "@acme/ui",
            ),
            ("npm notice 📦  @acme/ui@1.2.3", "@acme/ui"),
            (
                "npm error 404  '@acme/ui@1.2.3' is not in this registry.",
                "@acme/ui",
            ),
            ("🦋  info Publishing \"@acme/ui\" at \"1.0.0\"", "@acme/ui"),
        ] {
            assert_eq!(package(text).as_deref(), Some(name), "{text}");
        }
        assert_eq!(
            package("npm error 404 PUT https://r.example/a\u{202e}b"),
            None
        );
        assert_eq!(package("npm error code E404"), None);
    }

    #[test]
    fn lines_keep_their_numbers_behind_a_wrapped_token() {
        let token = format!("npm_{}", "aB3dE5fG7h".repeat(4));
        let stamp = "2026-11-22T10:00:00.1234567Z ";
        let log = format!(
            "{stamp}one\n{stamp}wanted {}\n{stamp}{} wanted\n{stamp}npm error code E401\n",
            &token[..20],
            &token[20..]
        );
        let read = texts(&log);
        assert_eq!(read.last().unwrap().0, 4, "{read:?}");
        assert!(!format!("{read:?}").contains(&token[20..40]), "{read:?}");
    }
}
