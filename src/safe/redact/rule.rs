//! The forms of secrets: a literal that must be there, and a pattern that reads on from it.
//!
//! One pass looks for all literals at once; patterns run only where one was found, so clean text costs one search.

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

struct Rule {
    kind: Kind,
    literals: &'static [&'static str],
    before: Before,
    judge: Judge,
    /// Read from the literal's start; group 1, else everything, is the secret.
    pattern: &'static str,
}

const fn form(kind: Kind, literals: &'static [&'static str], pattern: &'static str) -> Rule {
    Rule {
        kind,
        literals,
        before: Before::Anything,
        judge: Judge::ByForm,
        pattern,
    }
}

const fn value(
    kind: Kind,
    before: Before,
    literals: &'static [&'static str],
    pattern: &'static str,
) -> Rule {
    Rule {
        kind,
        literals,
        before,
        judge: Judge::ByValue,
        pattern,
    }
}

/// How far a secret is read on from its literal, in bytes: a hostile text must not make the search quadratic.
const REACH: usize = 4 * 1024;

/// The same for a private key.
const KEY_REACH: usize = 16 * 1024;

/// Lengths are lower bounds: npm writes 36, GitHub 36 or (since 2026) a dotted longer form, GitLab 20 or more.
/// Repetitions have no upper bound: [`REACH`] has, and large counted ones are slow to compile.
static RULES: &[Rule] = &[
    form(Kind::NpmToken, &["npm_"], r"npm_[A-Za-z0-9]{36,}"),
    form(
        Kind::GithubToken,
        &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"],
        r"gh[opusr]_[A-Za-z0-9][A-Za-z0-9_.\-]{35,}",
    ),
    form(
        Kind::GithubToken,
        &["github_pat_"],
        r"github_pat_[A-Za-z0-9_]{22,}",
    ),
    form(
        Kind::GitlabToken,
        &["glpat-", "gldt-", "glrt-", "glcbt-", "glptt-"],
        r"gl[a-z]{2,3}-[A-Za-z0-9_\-.]{20,}",
    ),
    form(
        Kind::CircleciToken,
        &["CCIPAT_", "CCIPRJ_"],
        r"CCIP(?:AT|RJ)_[A-Za-z0-9_]{20,}",
    ),
    form(
        Kind::Jwt,
        &["eyJ"],
        r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?",
    ),
    form(
        Kind::PrivateKey,
        &["-----BEGIN "],
        // Without its end it is taken for as long as a key can be.
        r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----(?s:.*?-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|.*)",
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
        r#"(?i)(?:_|npm)auth(?:token|ident)\\?["']?[ \t]*[=:][ \t]*\\?["']?([^\s"'`\\,;]{6,})"#,
    ),
    // As an argument of `npm config set`; what follows in prose is no UUID.
    value(
        Kind::NpmAuth,
        Before::Anything,
        &["_authToken"],
        r#"_authToken["']?[ \t]+["']?([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})"#,
    ),
    value(
        Kind::NpmAuth,
        Before::WordStart,
        &["_auth", "_AUTH", "_password", "_PASSWORD"],
        r#"(?i)_(?:auth|password)\\?["']?[ \t]*[=:][ \t]*\\?["']?([^\s"'`\\,;]{8,})"#,
    ),
    value(
        Kind::AuthorizationValue,
        Before::Anything,
        &["uthorization", "UTHORIZATION"],
        r#"(?i)uthorization\\?["']?[ \t]*[=:][ \t]*\\?["']?(?:(?:bearer|basic|token|digest|negotiate|apikey)[ \t]+)?([^\s"'`\\,;]{6,})"#,
    ),
    value(
        Kind::AuthorizationValue,
        Before::Anything,
        &["earer ", "EARER "],
        r"(?i)earer[ \t]+([A-Za-z0-9._~+/=\-]{16,})",
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
        r#"(?i)(?:rivate-token|ircle-token|npm-otp|npm-session)\\?["']?[ \t]*[=:][ \t]*\\?["']?([^\s"'`\\,;]{6,})"#,
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
        r#"(?i)[a-z_-]{2,24}=([^\s"'`\\&#<>]{8,})"#,
    ),
    value(
        Kind::Webhook,
        Before::Anything,
        &["hooks.slack.com/"],
        r#"hooks\.slack\.com/(?:services|workflows|triggers)/([^\s"'`\\<>]{8,})"#,
    ),
    value(
        Kind::Webhook,
        Before::Anything,
        &["/api/webhooks/"],
        r#"/api/webhooks/(?:[0-9]{5,24}/)?([^\s"'`\\<>]{16,})"#,
    ),
    value(
        Kind::Webhook,
        Before::Anything,
        &["webhook.office.com/"],
        r#"webhook\.office\.com/([^\s"'`\\<>]{16,})"#,
    ),
    value(
        Kind::UrlUserinfo,
        Before::Anything,
        &["://"],
        r#"://[^\s/?#"'`<>@:]*:([^\s/?#"'`<>@]+)@"#,
    ),
    value(
        Kind::UrlUserinfo,
        Before::Anything,
        &["://"],
        r#"://([^\s/?#"'`<>@:]{16,})(?::x-oauth-basic)?@"#,
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
                || Regex::new(&format!(r"\A(?-u:{})", rule.pattern)).expect("a secret's pattern");
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
    let rules = &*COMPILED;
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(hit) = rules.literals.find(Input::new(bytes).range(from..)) {
        // One byte on, not past the hit: the next literal may begin inside this one.
        from = hit.start() + 1;
        let numbers = rules
            .begins
            .get(hit.pattern().as_usize())
            .map(Vec::as_slice)
            .unwrap_or_default();
        found.extend(
            numbers
                .iter()
                .filter_map(|number| apply(*number, bytes, hit.start())),
        );
    }
    if found.len() > 1 {
        super::merge(found)
    } else {
        found
    }
}

fn apply(number: usize, bytes: &[u8], start: usize) -> Option<Found> {
    let rule = RULES.get(number)?;
    let (before, text) = bytes.split_at_checked(start)?;
    let fits = match (rule.before, before.last()) {
        (Before::Anything, _) => true,
        (Before::WordStart, last) => !last.is_some_and(u8::is_ascii_alphanumeric),
        (Before::Query, last) => matches!(last, Some(b'?' | b'&' | b';')),
    };
    if !fits {
        return None;
    }
    let reach = if rule.kind == Kind::PrivateKey {
        KEY_REACH
    } else {
        REACH
    };
    let text = text.get(..reach).unwrap_or(text);
    let groups = COMPILED.patterns.get(number)?.captures(text)?;
    let secret = groups.get(1).or_else(|| groups.get(0))?;
    let real = match rule.judge {
        Judge::ByForm => !is_mask(secret.as_bytes()),
        Judge::ByValue => !is_stand_in(secret.as_bytes()),
    };
    let range = start + secret.start()..start + secret.end();
    let whole = start.saturating_sub(1)..start + groups.get(0)?.end();
    real.then(|| Found {
        range,
        whole,
        kind: rule.kind,
        high_entropy: is_random(secret.as_bytes()),
    })
}

/// Tells whether what follows the prefix is only a mask, as in `npm_XXXX…`.
fn is_mask(secret: &[u8]) -> bool {
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

    #[test]
    fn random_is_told_from_regular() {
        assert!(is_random(b"npm_aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5"));
        assert!(is_random(b"7f3c9a10-52be-4c1d-8e77-0a9b6d5c4e3f"));
        assert!(!is_random(b"npm_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"));
        assert!(!is_random(b"hunter2"));
        assert!(!is_random(b"aaaaaaaaaabbbbbbbbbbbbb"));
    }
}
