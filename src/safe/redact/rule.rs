//! The forms of secrets: a literal that must be there, and a pattern that reads on from it.
//!
//! One pass looks for all literals at once; patterns run only where one was found, so clean text costs one search.

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, Input, MatchKind};
use regex::bytes::Regex;

use super::{Found, Kind};

/// What may stand directly before the literal.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Anything,
    /// No letter or digit: the literal begins a word (an underscore may precede, as in `npm_config__auth`).
    WordStart,
    /// `?`, `&` or `;`: the literal is the name of a query parameter.
    Query,
}

/// How a value that looks like a stand-in is told from a secret.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Judge {
    /// The form itself says that it is a secret; only `XXXX` and `****` are stand-ins.
    ByForm,
    /// Any word can stand here: references, placeholders and plain words are none.
    ByValue,
}

/// What follows a rule's head, and where the secret is.
#[derive(Clone, Copy)]
enum Tail {
    /// The head's group 1, else all of the head. Only for forms that cannot hold their own literal again, so that no two
    /// of them read the same bytes.
    Inside,
    /// As many bytes of a class as there are, at least this many; with the head where the form tells by itself.
    Run(fn(&u8) -> bool, usize),
    /// Two or three runs with dots between: a JSON Web Token.
    Dotted,
    /// Everything up to the line that ends a key, else as much as a key can have.
    Key,
}

struct Rule {
    kind: Kind,
    literals: &'static [&'static str],
    before: Before,
    judge: Judge,
    /// Read from the literal's start. Its repetitions cannot hold the literal, or are counted.
    head: &'static str,
    tail: Tail,
}

const fn form(
    kind: Kind,
    literals: &'static [&'static str],
    head: &'static str,
    tail: Tail,
) -> Rule {
    Rule {
        kind,
        literals,
        before: Before::Anything,
        judge: Judge::ByForm,
        head,
        tail,
    }
}

const fn value(
    kind: Kind,
    before: Before,
    literals: &'static [&'static str],
    head: &'static str,
    tail: Tail,
) -> Rule {
    Rule {
        kind,
        literals,
        before,
        judge: Judge::ByValue,
        head,
        tail,
    }
}

/// How far a secret is read on from its literal, in bytes: what runs on further is no secret.
const REACH: usize = 4 * 1024;

/// The same for a private key.
const KEY_REACH: usize = 16 * 1024;

fn is_word(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || *byte == b'_'
}

fn is_dashed(byte: &u8) -> bool {
    is_word(byte) || *byte == b'-'
}

fn is_dotted(byte: &u8) -> bool {
    is_dashed(byte) || *byte == b'.'
}

fn is_bearer(byte: &u8) -> bool {
    is_dotted(byte) || matches!(byte, b'~' | b'+' | b'/' | b'=')
}

/// White space as a pattern's `\s` has it.
fn is_space(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

fn is_bare(byte: &u8) -> bool {
    !is_space(byte) && !matches!(byte, b'"' | b'\'' | b'`' | b'\\' | b',' | b';')
}

fn is_parameter(byte: &u8) -> bool {
    !is_space(byte)
        && !matches!(
            byte,
            b'"' | b'\'' | b'`' | b'\\' | b'&' | b'#' | b'<' | b'>'
        )
}

fn is_path(byte: &u8) -> bool {
    !is_space(byte) && !matches!(byte, b'"' | b'\'' | b'`' | b'\\' | b'<' | b'>')
}

/// Lengths are lower bounds: npm writes 36, GitHub 36 or (since 2026) a dotted longer form, GitLab 20 or more.
static RULES: &[Rule] = &[
    form(
        Kind::NpmToken,
        &["npm_"],
        "npm_",
        Tail::Run(u8::is_ascii_alphanumeric, 36),
    ),
    form(
        Kind::GithubToken,
        &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"],
        "gh[opusr]_[A-Za-z0-9]",
        Tail::Run(is_dotted, 35),
    ),
    form(
        Kind::GithubToken,
        &["github_pat_"],
        "github_pat_",
        Tail::Run(is_word, 22),
    ),
    form(
        Kind::GitlabToken,
        &["glpat-", "gldt-", "glrt-", "glcbt-", "glptt-"],
        "gl[a-z]{2,3}-",
        Tail::Run(is_dotted, 20),
    ),
    form(
        Kind::CircleciToken,
        &["CCIPAT_", "CCIPRJ_"],
        "CCIP(?:AT|RJ)_",
        Tail::Run(is_word, 20),
    ),
    form(Kind::Jwt, &["eyJ"], "eyJ", Tail::Dotted),
    form(
        Kind::PrivateKey,
        &["-----BEGIN "],
        r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----",
        Tail::Key,
    ),
    value(
        Kind::NpmAuth,
        Before::Anything,
        &[
            "_authToken",
            "_authtoken",
            "_AUTHTOKEN",
            "npmAuthToken",
            "npmAuthIdent",
        ],
        r#"(?i)(?:_|npm)auth(?:token|ident)\\?["']?[ \t]*[=:][ \t]*\\?["']?"#,
        Tail::Run(is_bare, 6),
    ),
    // As an argument of `npm config set`; what follows in prose is no UUID.
    value(
        Kind::NpmAuth,
        Before::Anything,
        &["_authToken"],
        r#"_authToken["']?[ \t]+["']?([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})"#,
        Tail::Inside,
    ),
    value(
        Kind::NpmAuth,
        Before::WordStart,
        &["_auth", "_AUTH", "_password", "_PASSWORD"],
        r#"(?i)_(?:auth|password)\\?["']?[ \t]*[=:][ \t]*\\?["']?"#,
        Tail::Run(is_bare, 8),
    ),
    value(
        Kind::AuthorizationValue,
        Before::Anything,
        &["uthorization", "UTHORIZATION"],
        r#"(?i)uthorization\\?["']?[ \t]*[=:][ \t]*\\?["']?(?:(?:bearer|basic|token|digest|negotiate|apikey)[ \t]+)?"#,
        Tail::Run(is_bare, 6),
    ),
    value(
        Kind::AuthorizationValue,
        Before::Anything,
        &["earer ", "EARER "],
        r"(?i)earer[ \t]+",
        Tail::Run(is_bearer, 16),
    ),
    value(
        Kind::AuthorizationValue,
        Before::Anything,
        &[
            "rivate-token",
            "rivate-Token",
            "RIVATE-TOKEN",
            "ircle-token",
            "ircle-Token",
            "IRCLE-TOKEN",
            "npm-otp",
            "npm-session",
        ],
        r#"(?i)(?:rivate-token|ircle-token|npm-otp|npm-session)\\?["']?[ \t]*[=:][ \t]*\\?["']?"#,
        Tail::Run(is_bare, 6),
    ),
    value(
        Kind::SignedUrl,
        Before::Query,
        &[
            "X-Amz-Signature=",
            "X-Amz-Security-Token=",
            "X-Amz-Credential=",
            "X-Goog-Signature=",
            "X-Goog-Credential=",
            "Signature=",
            "signature=",
            "sig=",
            "access_token=",
            "private_token=",
            "job_token=",
            "authToken=",
            "token=",
            "doneUrl=",
            "code=",
        ],
        "(?i)[a-z_-]{2,24}=",
        Tail::Run(is_parameter, 8),
    ),
    value(
        Kind::Webhook,
        Before::Anything,
        &["hooks.slack.com/"],
        r"hooks\.slack\.com/(?:services|workflows|triggers)/",
        Tail::Run(is_path, 8),
    ),
    value(
        Kind::Webhook,
        Before::Anything,
        &["/api/webhooks/"],
        "/api/webhooks/(?:[0-9]{5,24}/)?",
        Tail::Run(is_path, 16),
    ),
    value(
        Kind::Webhook,
        Before::Anything,
        &["webhook.office.com/"],
        r"webhook\.office\.com/",
        Tail::Run(is_path, 16),
    ),
    // No `/` in either part, so that the next address is never read along.
    value(
        Kind::UrlUserinfo,
        Before::Anything,
        &["://"],
        r#"://[^\s/?#"'`<>@:]*:([^\s/?#"'`<>@]+)@"#,
        Tail::Inside,
    ),
    value(
        Kind::UrlUserinfo,
        Before::Anything,
        &["://"],
        r#"://([^\s/?#"'`<>@:]{16,})(?::x-oauth-basic)?@"#,
        Tail::Inside,
    ),
];

struct Rules {
    literals: AhoCorasick,
    /// For each literal, the rules that begin with it.
    begins: Vec<Vec<usize>>,
    patterns: Vec<LazyLock<Regex, Box<dyn FnOnce() -> Regex + Send>>>,
}

#[expect(
    clippy::expect_used,
    reason = "constant patterns; the tests compile each of them"
)]
static COMPILED: LazyLock<Rules> = LazyLock::new(|| {
    let mut literals: Vec<&str> = RULES
        .iter()
        .flat_map(|rule| rule.literals)
        .copied()
        .collect();
    literals.sort_unstable();
    literals.dedup();
    let begins = literals
        .iter()
        .map(|literal| {
            (0..)
                .zip(RULES)
                .filter(|(_, rule)| rule.literals.contains(literal))
                .map(|(number, _)| number)
                .collect()
        })
        .collect();
    let patterns = RULES
        .iter()
        .map(|rule| {
            let compile =
                || Regex::new(&format!(r"\A(?-u:{})", rule.head)).expect("a secret's pattern");
            LazyLock::new(Box::new(compile) as Box<dyn FnOnce() -> Regex + Send>)
        })
        .collect();
    let literals = AhoCorasick::builder()
        // No literal is the beginning of another one whose pattern could match at the same place.
        .match_kind(MatchKind::LeftmostLongest)
        .kind(Some(AhoCorasickKind::DFA))
        .build(&literals)
        .expect("the literals of secrets");
    Rules {
        literals,
        begins,
        patterns,
    }
});

/// Finds the secrets that stand in these bytes as they are, in order and without overlap.
pub(super) fn find(bytes: &[u8]) -> Vec<Found> {
    let mut search = Search::new(bytes);
    search.all();
    let found = search.found;
    if found.len() > 1 {
        super::merge(found)
    } else {
        found
    }
}

/// One pass over a text. What a rule read once is remembered, so that a text that repeats its literal costs no more
/// than its length.
struct Search<'b> {
    bytes: &'b [u8],
    /// For each rule the last runs that it read; a key's is what follows it up to an end.
    runs: Vec<[Range<usize>; 3]>,
    found: Vec<Found>,
    /// Bytes that were read for it besides heads.
    read: usize,
}

impl<'b> Search<'b> {
    fn new(bytes: &'b [u8]) -> Self {
        Self {
            bytes,
            runs: Vec::new(),
            found: Vec::new(),
            read: 0,
        }
    }

    fn all(&mut self) {
        let rules = &*COMPILED;
        let mut from = 0;
        while let Some(hit) = rules.literals.find(Input::new(self.bytes).range(from..)) {
            // One byte on, not past the hit: the next literal may begin inside this one.
            from = hit.start() + 1;
            let numbers = rules.begins.get(hit.pattern().as_usize());
            for number in numbers.into_iter().flatten() {
                let found = self.apply(*number, hit.start());
                self.found.extend(found);
            }
        }
    }

    fn apply(&mut self, number: usize, start: usize) -> Option<Found> {
        let rule = RULES.get(number)?;
        let (before, text) = self.bytes.split_at_checked(start)?;
        let fits = match (rule.before, before.last()) {
            (Before::Anything, _) => true,
            (Before::WordStart, last) => !last.is_some_and(u8::is_ascii_alphanumeric),
            (Before::Query, last) => matches!(last, Some(b'?' | b'&' | b';')),
        };
        if !fits {
            return None;
        }
        let text = text.get(..REACH).unwrap_or(text);
        let pattern = COMPILED.patterns.get(number)?;
        let (range, end) = if let Tail::Inside = rule.tail {
            let groups = pattern.captures(text)?;
            let all = groups.get(0)?;
            let secret = groups.get(1).unwrap_or(all);
            let range = start + secret.start()..start + secret.end();
            (range, start + all.end())
        } else {
            let head = start + pattern.find(text)?.end();
            let end = self.tail(number, rule.tail, start, head)?;
            match rule.judge {
                Judge::ByForm => (start..end, end),
                Judge::ByValue => (head..end, end),
            }
        };
        let secret = self.bytes.get(range.clone())?;
        let real = match rule.judge {
            Judge::ByForm => !is_mask(secret),
            Judge::ByValue => !is_stand_in(secret),
        };
        real.then(|| Found {
            high_entropy: is_random(secret),
            range,
            whole: start.saturating_sub(1)..end,
            kind: rule.kind,
        })
    }

    /// Gives where the secret ends whose head ends at `head`; none where what follows is no secret's.
    fn tail(&mut self, number: usize, tail: Tail, start: usize, head: usize) -> Option<usize> {
        match tail {
            Tail::Inside => Some(head),
            Tail::Run(class, least) => {
                let end = self.run(number, 0, head, class).min(start + REACH);
                (end >= head + least).then_some(end)
            }
            Tail::Dotted => {
                let dot = |at: usize, all: &[u8]| all.get(at) == Some(&b'.');
                let first = self.run(number, 0, head, is_dashed);
                if first < head + 8 || !dot(first, self.bytes) {
                    return None;
                }
                let second = self.run(number, 1, first + 1, is_dashed);
                if second < first + 9 {
                    return None;
                }
                match dot(second, self.bytes) {
                    true => Some(self.run(number, 2, second + 1, is_dashed)),
                    false => Some(second),
                }
            }
            Tail::Key => {
                let most = self.bytes.len().min(start + KEY_REACH);
                Some(
                    self.key_end(number, head)
                        .filter(|end| *end <= most)
                        .unwrap_or(most),
                )
            }
        }
    }

    /// Gives where the run of a class ends that goes on at a place. Runs are read once.
    fn run(&mut self, number: usize, slot: usize, at: usize, class: fn(&u8) -> bool) -> usize {
        let known = self.remembered(number, slot);
        if known.contains(&at) {
            return known.end;
        }
        let rest = self.bytes.get(at..).unwrap_or_default();
        let length = rest.iter().take_while(|byte| class(byte)).count();
        self.read += length;
        self.remember(number, slot, at..at + length);
        at + length
    }

    /// Gives where the next line ends that ends a key. A text without one is read once.
    fn key_end(&mut self, number: usize, at: usize) -> Option<usize> {
        static END: LazyLock<Option<Regex>> = LazyLock::new(|| {
            Regex::new(r"(?-u)-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----").ok()
        });
        // The range ends one byte behind the key's end, so that a text without one is told from a key at its end.
        let known = self.remembered(number, 0);
        let known = if known.contains(&at) {
            known
        } else {
            let rest = self.bytes.get(at..).unwrap_or_default();
            let end = END.as_ref().and_then(|pattern| pattern.find(rest));
            let read = end.map_or(rest.len() + 2, |end| end.end() + 1);
            self.read += read;
            self.remember(number, 0, at..at + read);
            at..at + read
        };
        Some(known.end - 1).filter(|end| *end <= self.bytes.len())
    }

    fn remembered(&self, number: usize, slot: usize) -> Range<usize> {
        let runs = self.runs.get(number);
        runs.and_then(|runs| runs.get(slot))
            .cloned()
            .unwrap_or(0..0)
    }

    fn remember(&mut self, number: usize, slot: usize, run: Range<usize>) {
        if self.runs.is_empty() {
            self.runs.resize(RULES.len(), [0..0, 0..0, 0..0]);
        }
        if let Some(known) = self
            .runs
            .get_mut(number)
            .and_then(|runs| runs.get_mut(slot))
        {
            *known = run;
        }
    }
}

/// Tells whether what follows the prefix is only a mask, as in `npm_XXXX…`.
fn is_mask(secret: &[u8]) -> bool {
    // No mask is that long, and where literals stand close together the same bytes would be judged for each of them.
    if secret.len() > 512 {
        return false;
    }
    let body = secret
        .iter()
        .rposition(|b| matches!(b, b'_' | b'-'))
        .map_or(secret, |at| secret.get(at + 1..).unwrap_or_default());
    !body.is_empty() && body.iter().all(|b| matches!(b, b'X' | b'*' | b'.'))
}

/// Words that stand where a secret could, and the default passwords of the service containers of a CI job.
const PLAIN: &[&str] = &[
    "undefined",
    "required",
    "enabled",
    "disabled",
    "optional",
    "password",
    "secret",
    "example",
    "changeme",
    "postgres",
    "postgresql",
    "mysql",
    "root",
    "admin",
    "guest",
    "user",
    "test",
    "pass",
];

/// Tells whether a value refers to a secret, or stands for one in a text, rather than being one.
fn is_stand_in(value: &[u8]) -> bool {
    let [first, rest @ ..] = value else {
        return true;
    };
    let reference = match first {
        b'$' | b'<' | b'[' | b'(' | b'`' => true,
        b'{' | b'#' => rest.first() == Some(&b'{'),
        b'%' => value.len() > 2 && value.last() == Some(&b'%'),
        _ => false,
    };
    // One character over and over is a mask; so is a short run of capitals and underscores (`YOUR_TOKEN`).
    let mask = rest.iter().all(|b| b == first)
        || value
            .iter()
            .all(|b| matches!(b, b'*' | b'.' | b'X' | b'x' | b'-'));
    let word = value.len() < 40
        && value.iter().any(|b| matches!(b, b'_' | b'.' | b'-'))
        && value
            .iter()
            .all(|b| b.is_ascii_alphabetic() || matches!(b, b'_' | b'.' | b'-'))
        && !has_mixed_case_run(value);
    reference || mask || word || PLAIN.iter().any(|plain| plain.as_bytes() == value)
}

/// Tells `YOUR_TOKEN` and `process.env.NPM_TOKEN` from random letters: words change case once at most.
fn has_mixed_case_run(value: &[u8]) -> bool {
    value.split(|b| !b.is_ascii_alphabetic()).any(|word| {
        let changes = word
            .windows(2)
            .filter(
                |pair| matches!(pair, [a, b] if a.is_ascii_lowercase() && b.is_ascii_uppercase()),
            )
            .count();
        changes > 2
    })
}

/// Tells whether a secret has all its characters, so that what follows on the next line is not part of it.
pub(super) fn is_complete(secret: &[u8]) -> bool {
    static WHOLE: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"\A(?-u:[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|npm_[A-Za-z0-9]{36}|gh[opur]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{82}|-----BEGIN (?s:.*)-----)\z").ok()
    });
    WHOLE.as_ref().is_some_and(|whole| whole.is_match(secret))
}

/// Tells whether a value holds at least about 64 bits, judged by how often each of its characters occurs.
///
/// What is weaker may be guessed from its digest, so none is printed.
fn is_random(secret: &[u8]) -> bool {
    // So many tell; where literals stand close together, each would count the same bytes again.
    let secret = secret.get(..256).unwrap_or(secret);
    let mut counts = [0_u32; 256];
    for byte in secret {
        if let Some(count) = counts.get_mut(usize::from(*byte)) {
            *count += 1;
        }
    }
    let length = secret.len() as f64;
    let bits: f64 = counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| f64::from(*count) * (length / f64::from(*count)).log2())
        .sum();
    secret.len() >= 20 && bits >= 64.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles_and_begins_with_its_literals() {
        for (rule, pattern) in RULES.iter().zip(&COMPILED.patterns) {
            assert!(!pattern.is_match(b"zzz"));
            assert!(!rule.literals.is_empty());
        }
    }

    /// Counted, not timed: no text makes a rule read more than a few times its own length.
    #[test]
    fn repeated_literals_cost_no_more_than_the_text() {
        let key = format!("-----BEGIN {}-----\n", "PRIVATE KEY");
        let mut literals: Vec<String> = RULES
            .iter()
            .flat_map(|rule| rule.literals)
            .flat_map(|literal| {
                ["", "=", "?", "=$", ".", ": \"", "a/"].map(|more| format!("{literal}{more}"))
            })
            .collect();
        literals.push(key);
        literals.push("?sig=abcdefgh".to_owned());
        for literal in literals {
            for text in [
                literal.repeat(60_000 / literal.len()),
                format!("{}{}", literal.repeat(2_000), "a".repeat(60_000)),
            ] {
                let mut search = Search::new(text.as_bytes());
                search.all();
                let most = 4 * text.len();
                assert!(search.read <= most, "{literal}: {}", search.read);
            }
        }
    }

    #[test]
    fn random_is_told_from_regular() {
        assert!(is_random(b"npm_aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5"));
        assert!(is_random(b"7f3c9a10-52be-4c1d-8e77-0a9b6d5c4e3f"));
        assert!(!is_random(b"npm_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"));
        assert!(!is_random(b"hunter2"));
        assert!(!is_random(b"aaaaaaaaaabbbbbbbbbbbbb"));
    }
}
