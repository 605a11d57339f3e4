//! Credentials that are written out in a checkout's files.
//!
//! Owns where they stand and what may be said of them; the forms themselves live in `safe::redact`.
//! A value never leaves this file: a digest does, and only where nobody can guess the value from it.

use sha2::{Digest, Sha256};

use crate::safe::redact::{self, Kind};

/// Most leaks that are told of one file.
const CAP: usize = 100;

/// Hexadecimal digits of a digest that are shown: enough to tell two values apart, and to find one again.
const DIGEST_DIGITS: usize = 12;

/// One credential written out in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leak {
    /// Line and column, from 1; the column counts characters.
    pub line: u32,
    pub column: u32,
    pub kind: Kind,
    /// The first digits of the value's sha256, for values of high entropy.
    pub digest: Option<String>,
}

impl Leak {
    /// Says what is there, without the value.
    pub fn words(&self) -> String {
        let what = words(self.kind);
        match &self.digest {
            Some(digest) => format!("{what}, sha256 {digest}…"),
            None => what.to_owned(),
        }
    }
}

/// Finds the credentials in a file's text. Placeholders and references to variables are none.
pub fn find(text: &str) -> Vec<Leak> {
    let mut seen_to = 0;
    let mut line = 1;
    redact::find(text)
        .into_iter()
        .take(CAP)
        .filter_map(|found| {
            let value = text.get(found.range.clone())?;
            let before = text.get(seen_to..found.range.start)?;
            line += before.bytes().filter(|&b| b == b'\n').count();
            seen_to = found.range.start;
            if is_stand_in(value) || !has_form(found.kind, value) {
                return None;
            }
            let start = text
                .get(..found.range.start)?
                .rfind('\n')
                .map_or(0, |at| at + 1);
            let column = text.get(start..found.range.start)?.chars().count() + 1;
            Some(Leak {
                line: u32::try_from(line).unwrap_or(u32::MAX),
                column: u32::try_from(column).unwrap_or(u32::MAX),
                kind: if value.starts_with("npm_") {
                    Kind::NpmToken
                } else {
                    found.kind
                },
                digest: found.high_entropy.then(|| digest(value)),
            })
        })
        .collect()
}

/// One character over and over, as in `npm_xxxx` and `ghp_0000`, says where a value goes and is none.
fn is_stand_in(value: &str) -> bool {
    let body = value
        .rsplit(['_', '-', '/'])
        .next()
        .unwrap_or(value)
        .as_bytes();
    body.len() >= 8 && body.windows(2).all(|pair| pair.first() == pair.last())
}

/// Tells whether a value that only its name or place gives away has the form of a credential: a dependency's version,
/// an expression or a word for the reader has none. Forms with a mark of their own need no more.
fn has_form(kind: Kind, value: &str) -> bool {
    let by_place = matches!(
        kind,
        Kind::NpmAuth | Kind::AuthorizationValue | Kind::UrlUserinfo | Kind::SignedUrl
    );
    // Whose hook it is and which, then the secret: one word alone is a name in an example.
    if kind == Kind::Webhook {
        return value.contains('/') && value.bytes().any(|byte| byte.is_ascii_digit());
    }
    if !by_place {
        return true;
    }
    // A name alone, as in a Sentry DSN, is public and opens nothing.
    if kind == Kind::UrlUserinfo && !value.trim_end_matches('@').contains(':') {
        return false;
    }
    // `Bearer …`, and the user's name of an address.
    let last = value.rsplit([' ', '\t']).next().unwrap_or(value);
    let last = match kind {
        Kind::UrlUserinfo => last
            .trim_end_matches('@')
            .rsplit(':')
            .next()
            .unwrap_or(last),
        _ => last,
    };
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._~+/=-%".contains(&b);
    let has = |is: fn(&u8) -> bool| last.as_bytes().iter().any(is);
    let (lower, upper, digit) = (
        has(u8::is_ascii_lowercase),
        has(u8::is_ascii_uppercase),
        has(u8::is_ascii_digit),
    );
    let hex = last.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    last.bytes().all(allowed)
        && match last.len() {
            0..16 => kind == Kind::UrlUserinfo && last.len() >= 8 && digit && (lower || upper),
            16..32 => lower && upper && digit,
            _ => digit && (lower || upper) && (hex || lower && upper || !last.contains(['.', '/'])),
        }
}

fn digest(value: &str) -> String {
    let hex = data_encoding::HEXLOWER.encode(&Sha256::digest(value.as_bytes()));
    hex.get(..DIGEST_DIGITS).unwrap_or_default().to_owned()
}

fn words(kind: Kind) -> &'static str {
    match kind {
        Kind::NpmToken => "an npm token",
        Kind::NpmAuth => "a credential for a package registry",
        Kind::GithubToken => "a GitHub token",
        Kind::GitlabToken => "a GitLab token",
        Kind::CircleciToken => "a CircleCI token",
        Kind::Jwt => "a signed web token",
        Kind::PrivateKey => "a private key",
        Kind::AuthorizationValue => "the value of an Authorization header",
        Kind::SignedUrl => "the signature of an address",
        Kind::Webhook => "the secret path of a webhook",
        Kind::UrlUserinfo => "a password in an address",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

    use super::*;

    fn npm_token() -> String {
        format!("npm_{}", "aB3xY9".repeat(6))
    }

    #[test]
    fn tells_the_place_and_never_the_value() {
        let token = npm_token();
        let text = format!("a: 1\nsteps:\n  - run: é {token}\n  - run: {token}\n");
        let leaks = find(&text);
        assert_eq!(
            leaks.iter().map(|l| (l.line, l.column)).collect::<Vec<_>>(),
            [(3, 12), (4, 10)]
        );
        for leak in &leaks {
            assert_eq!(leak.kind, Kind::NpmToken);
            let message = leak.words();
            assert!(!message.contains(&token[4..12]), "{message}");
            assert!(
                message.contains(leak.digest.as_deref().unwrap()),
                "{message}"
            );
        }
        assert_eq!(leaks[0].digest, leaks[1].digest);
    }

    #[test]
    fn low_entropy_forms_have_no_digest() {
        let secret = format!("{}:{}", "user", "hunter22");
        let encoded = data_encoding::BASE64.encode(secret.as_bytes());
        let leaks = find(&format!("//packages.example/:_auth={encoded}\n"));
        assert_eq!(leaks.len(), 1);
        assert!(!leaks[0].words().contains(&encoded));
    }

    #[test]
    fn every_form_of_a_committed_token() {
        let uuid = ["0d1e2f3a", "4b5c", "4d6e", "8f70", "8192a3b4c5d6"].join("-");
        let cases = [
            (
                format!("//packages.example/:_authToken={}", npm_token()),
                Kind::NpmToken,
            ),
            (
                format!("//packages.example/:_authToken={uuid}"),
                Kind::NpmAuth,
            ),
            (format!("npmAuthToken: \"{uuid}\""), Kind::NpmAuth),
            (
                format!("token: ghp_{}", "aB3xY9".repeat(6)),
                Kind::GithubToken,
            ),
            (
                format!("token: github_pat_{}", "aB3xY9Z".repeat(12)),
                Kind::GithubToken,
            ),
            (
                format!("token: glpat-{}", "aB3xY9Zq_1".repeat(2)),
                Kind::GitlabToken,
            ),
        ];
        for (text, kind) in cases {
            let got: Vec<Kind> = find(&text).iter().map(|l| l.kind).collect();
            assert_eq!(got, [kind], "{}", redact::redact(&text));
        }
    }

    #[test]
    fn placeholders_are_no_leaks() {
        for text in [
            "//packages.example/:_authToken=${NPM_TOKEN}",
            "//packages.example/:_authToken=$NPM_TOKEN",
            "//packages.example/:_authToken=${{ secrets.NPM_TOKEN }}",
            "//packages.example/:_authToken={{npm_token}}",
            "//packages.example/:_authToken=<token>",
            "//packages.example/:_authToken=XXXXX-XXXXX-XXXXX-XXXXX",
            "_auth=<base64>",
            "npmAuthToken: ${NPM_TOKEN:-}",
            "echo \"//packages.example/:_authToken=$(cat /run/secret)\"",
            "NPM_TOKEN: npm_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "token: npm_token",
            "secure: \"Zm9vYmFyYmF6\"",
            "curl -H \"Authorization: Bearer ${{ secrets.DEPLOY_TOKEN }}\" https://api.example",
            "curl -H 'Authorization: Bearer $TOKEN' https://api.example",
            "Authorization: token {token}",
            "{\"dependencies\": {\"@acme/my-authorization\": \"^0.2.0\"}}",
            "{\"dependencies\": {\"@acme/my-authorization\": \"1.0.0-beta.20240101.4\"}}",
            "{\"dependencies\": {\"@acme/x-authorization\": \"github:acme/x#0123456789abcdef\"}}",
            "git push https://x-access-token:${{ github.token }}@github.example/a/b",
            "https://user:password@host.example/",
        ] {
            assert_eq!(find(text), [], "{text}");
        }
    }
}
