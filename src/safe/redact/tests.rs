#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use proptest::prelude::*;

use super::*;

/// Made up at run time, so that nothing that looks like a secret stands in the tree.
fn letters(count: usize) -> String {
    (0..count)
        .map(|at| char::from(b"aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5"[(at * 7 + at / 36) % 36]))
        .collect()
}

fn uuid() -> String {
    ["7f3c9a10", "52be", "4c1d", "8e77", "0a9b6d5c4e3f"].join("-")
}

/// Each form as text around a secret: (kind, before, secret, after).
fn forms() -> Vec<(Kind, String, String, &'static str)> {
    let mut forms = vec![
        (
            Kind::NpmToken,
            "token: ".to_owned(),
            format!("npm_{}", letters(36)),
            " end",
        ),
        (
            Kind::NpmToken,
            "x=".to_owned(),
            format!("npm_{}", "x".repeat(36)),
            "",
        ),
        (
            Kind::NpmAuth,
            "//host.example/:_authToken=".to_owned(),
            uuid(),
            "\nnext",
        ),
        (Kind::NpmAuth, "\"_authToken\": \"".to_owned(), uuid(), "\""),
        (
            Kind::NpmAuth,
            "npm config set //host.example/:_authToken ".to_owned(),
            uuid(),
            "",
        ),
        (
            Kind::NpmAuth,
            "npmAuthToken: '".to_owned(),
            letters(20),
            "'",
        ),
        (Kind::NpmAuth, "_auth=".to_owned(), letters(24) + "==", ""),
        (
            Kind::NpmAuth,
            "NPM_CONFIG__AUTH=".to_owned(),
            letters(24) + "=",
            "",
        ),
        (
            Kind::NpmAuth,
            "//host.example/:_password=\"".to_owned(),
            letters(16),
            "\"",
        ),
        (
            Kind::GithubToken,
            "in ".to_owned(),
            format!("github_pat_{}_{}", letters(22), letters(59)),
            ".",
        ),
        (
            Kind::GitlabToken,
            "".to_owned(),
            format!("glpat-{}", letters(20)),
            "",
        ),
        (
            Kind::CircleciToken,
            "".to_owned(),
            format!("CCIPAT_{}_{}", letters(22), "0a".repeat(20)),
            "",
        ),
        (
            Kind::Jwt,
            "jwt ".to_owned(),
            format!("eyJ{}.{}.{}", letters(30), letters(40), letters(43)),
            " ",
        ),
        (
            Kind::PrivateKey,
            "".to_owned(),
            format!(
                "-----BEGIN RSA {0}-----\n{1}\n{1}\n-----END RSA {0}-----",
                "PRIVATE KEY",
                letters(64)
            ),
            "\n",
        ),
        (
            Kind::AuthorizationValue,
            "Authorization: Bearer ".to_owned(),
            letters(30),
            "\r\n",
        ),
        (
            Kind::AuthorizationValue,
            "\"authorization\":\"Basic ".to_owned(),
            letters(30),
            "\"",
        ),
        (
            Kind::AuthorizationValue,
            "curl -H 'PRIVATE-TOKEN: ".to_owned(),
            letters(20),
            "'",
        ),
        (
            Kind::AuthorizationValue,
            "circle-token: ".to_owned(),
            letters(40),
            "",
        ),
        (
            Kind::SignedUrl,
            "https://bucket.example/a?x=1&X-Amz-Signature=".to_owned(),
            "0a1b".repeat(16),
            "&y=2",
        ),
        (
            Kind::SignedUrl,
            "https://blob.example/a?sv=1&sig=".to_owned(),
            letters(43),
            "",
        ),
        (
            Kind::Webhook,
            "https://hooks.slack.com/services/".to_owned(),
            format!("T0/B0/{}", letters(24)),
            " ",
        ),
        (
            Kind::Webhook,
            "https://chat.example/api/webhooks/12345678/".to_owned(),
            letters(60),
            "",
        ),
        (
            Kind::UrlUserinfo,
            "https://user:".to_owned(),
            letters(14),
            "@host.example/x",
        ),
        (
            Kind::UrlUserinfo,
            "git clone https://".to_owned(),
            letters(40),
            "@host.example/x.git",
        ),
    ];
    forms.extend("opusr".chars().map(|c| {
        (
            Kind::GithubToken,
            "GH=".to_owned(),
            format!("gh{c}_{}", letters(36)),
            "\"",
        )
    }));
    forms
}

#[test]
fn each_form_is_found_in_its_place() {
    for (kind, before, secret, after) in forms() {
        let text = format!("é {before}{secret}{after}");
        let found = find(&text);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert_eq!(
            (found[0].kind, &text[found[0].range.clone()]),
            (kind, secret.as_str()),
            "{text}"
        );
        assert_eq!(
            redact(&text),
            format!("é {before}{}{after}", kind.placeholder())
        );
    }
}

#[test]
fn each_form_is_found_when_colours_cut_it() {
    for (_, before, secret, after) in forms() {
        for (open, close) in [
            ("\u{1b}[31m", "\u{1b}[0m"),
            ("\\u001b[1;32m", "\\u001b[0m"),
            ("\u{200b}", "\u{feff}"),
            ("\u{9b}1m", "\u{1b}(B"),
        ] {
            for cut in 1..secret.len() {
                let (left, right) = secret.split_at(cut);
                let clean =
                    redact(&format!("{before}{open}{left}{close}{right}{after}")).into_owned();
                assert!(!clean.contains(left) || left.len() < 12, "{clean}");
                assert!(!clean.contains(right) || right.len() < 6, "{clean}");
            }
        }
    }
}

#[test]
fn each_form_is_found_when_a_line_wraps_in_it() {
    for (kind, before, secret, after) in forms()
        .into_iter()
        .filter(|(kind, ..)| *kind != Kind::PrivateKey)
    {
        for wrap in ["\n", "\r\n", "\n    ", "\\\n"] {
            let (left, right) = secret.split_at(secret.len() / 2);
            let clean = redact(&format!("{before}{left}{wrap}{right}{after}")).into_owned();
            assert!(
                !clean.contains(right) && !clean.contains(&left[left.len().min(5)..]),
                "{kind:?}: {clean}"
            );
        }
    }
}

#[test]
fn each_form_is_found_when_percent_encoded() {
    let encode = |text: &str| {
        text.bytes()
            .map(|b| {
                if b.is_ascii_alphanumeric() {
                    char::from(b).to_string()
                } else {
                    format!("%{b:02X}")
                }
            })
            .collect::<String>()
    };
    for (_, before, secret, after) in forms() {
        let once = encode(&format!("{before}{secret}{after}"));
        for text in [once.clone(), encode(&once)] {
            let clean = redact(&text);
            assert!(
                !clean.contains(&encode(&secret)) && clean.contains("[redacted-"),
                "{clean}"
            );
        }
        let all: String = secret.bytes().map(|b| format!("%{b:02x}")).collect();
        assert!(!redact(&format!("{before}{all}{after}")).contains(&all));
    }
}

#[test]
fn each_form_is_found_across_pieces() {
    let filler = "a clean line of a build log that says nothing\n".repeat(400);
    for (_, before, secret, after) in forms() {
        let text = format!("{filler}{before}{secret}{after}\n{filler}{filler}é");
        let whole = redact(&text);
        for size in [1009, 4096, 16 * 1024 + 1] {
            let mut redactor = Redactor::new();
            let mut out: String = text
                .as_bytes()
                .chunks(size)
                .map(|piece| redactor.push(piece))
                .collect();
            out += &redactor.finish();
            assert_eq!(out, whole);
        }
    }
}

#[test]
fn a_key_and_its_value_on_one_endless_line_stay_together() {
    let secret = uuid();
    for shift in 0..60 {
        let text = format!(
            "{}//h/:_authToken={secret} {}",
            ".".repeat(16 * 1024 + shift - 20),
            ".".repeat(40 * 1024)
        );
        let mut redactor = Redactor::new();
        let pieces: Vec<String> = text
            .as_bytes()
            .chunks(32 * 1024 + 7)
            .map(|piece| redactor.push(piece))
            .collect();
        let out = pieces.concat() + &redactor.finish();
        assert!(!out.contains(&secret[8..]) && out.contains("_authToken=[redacted-npm-auth]"));
    }
}

#[test]
fn a_private_key_that_never_ends_is_not_given_out() {
    let mut redactor = Redactor::new();
    let mut out = redactor.push(format!("x -----BEGIN {}-----\n", "PRIVATE KEY").as_bytes());
    for _ in 0..300 {
        out += &redactor.push(format!("{}\n", letters(64)).as_bytes());
    }
    out += &redactor.finish();
    assert!(out.starts_with("x [redacted-private-key]"));
}

#[test]
fn stand_ins_are_no_secrets() {
    for text in [
        "//host.example/:_authToken=${NPM_TOKEN}",
        "//host.example/:_authToken=$NPM_TOKEN",
        "//host.example/:_authToken=%NPM_TOKEN%",
        "_authToken=${{ secrets.NPM_TOKEN }}",
        "_authToken={{token}}",
        "_authToken=<your token>",
        "_authToken=XXXXXXXXXXXX",
        "_authToken=YOUR_TOKEN_HERE",
        "_authToken=' + process.env.NPM_TOKEN",
        "npmAuthToken: process.env.NPM_TOKEN",
        "_auth: $(cat file)",
        "NODE_AUTH_TOKEN: ${{ secrets.NPM_TOKEN }}",
        "Authorization: Bearer ${TOKEN}",
        "Authorization: token $TOKEN",
        "the bearer authentication-scheme-of-http",
        "https://user:${PASSWORD}@host.example/",
        "https://x-access-token:$TOKEN@host.example/",
        "postgres://postgres:postgres@localhost/test",
        "git+ssh://git@host.example/a/b.git",
        "https://host.example/?token=$TOKEN",
        "npm_config_registry npm_package_version npm_abcd…wxyz",
        "rust_password: x, my_auth: enabled, require_auth=true",
    ] {
        assert_eq!(find(text), [], "{text}");
        assert!(matches!(redact(text), Cow::Borrowed(_)), "{text}");
    }
    for masked in [
        format!("npm_{}", "X".repeat(36)),
        format!("ghp_{}", "X".repeat(36)),
    ] {
        assert_eq!(find(&masked), []);
    }
}

#[test]
fn only_random_values_may_be_shown_as_a_digest() {
    assert!(find(&format!("npm_{}", letters(36)))[0].high_entropy);
    assert!(!find(&format!("npm_{}", "x".repeat(36)))[0].high_entropy);
    assert!(!find("https://u:hunter2@h.example/")[0].high_entropy);
    assert!(find(&format!("_authToken={}", uuid()))[0].high_entropy);
}

proptest! {
    #[test]
    fn redacting_twice_is_redacting_once(text in any::<String>(), at in 0_usize..29, tail in any::<String>()) {
        let (_, before, secret, after) = forms().swap_remove(at);
        let once = redact(&format!("{text}{before}{secret}{after}{tail}")).into_owned();
        prop_assert_eq!(redact(&once).into_owned(), once);
    }

    #[test]
    fn no_text_makes_it_panic(text in any::<String>(), bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = redact(&text);
        let mut redactor = Redactor::new();
        let out = redactor.push(&bytes) + &redactor.finish();
        prop_assert_eq!(out, redact(&String::from_utf8_lossy(&bytes)).into_owned());
    }
}

/// Not a budget of its own: it prints what a scan of a thousand files spends here (`cargo test --release -- --ignored`).
#[test]
#[ignore = "a measurement"]
fn measure_clean_text() {
    let line = "      - uses: actions/checkout@v4 # https://github.com/actions/checkout\n        run: npm ci && npm test\n        env: { A: 1 }\n";
    let text = line.repeat(3 * 1024 * 1024 / line.len());
    let _ = find("");
    let start = std::time::Instant::now();
    let found = find(&text).len();
    let took = start.elapsed();
    assert_eq!(found, 0);
    assert!(took.as_secs() < 5, "{took:?} for {} bytes", text.len());
    #[allow(clippy::print_stderr)]
    {
        eprintln!("find: {took:?} for {} bytes", text.len());
    }
}

#[test]
fn lines_keep_their_numbers_where_that_is_asked() {
    let token = format!("npm_{}", letters(36));
    let wrapped = format!("a\nx {}\n{} b\nc\n", &token[..20], &token[20..]);
    let key = format!(
        "-----BEGIN {0}-----\nAA\nBB\n-----END {0}-----\n",
        "PRIVATE KEY"
    );
    let text = format!("{wrapped}{key}last");
    let mut redactor = Redactor::keeping_lines();
    let out = redactor.push(text.as_bytes()) + &redactor.finish();
    assert!(out.contains("[redacted-npm-token]") && out.contains("[redacted-private-key]"));
    assert!(!out.contains(&token[20..]) && !out.contains("BB"));
    assert_eq!(out.lines().count(), text.lines().count(), "{out}");
    assert_eq!(out.lines().last(), Some("last"));
}

#[test]
fn escapes_go_and_text_stays() {
    assert_eq!(unescaped("plain text\n\tx"), "plain text\n\tx");
    assert_eq!(
        unescaped("\u{feff}\u{1b}[31mnpm\u{1b}[0m error\r\n\u{1b}]0;t\u{7}🦋  é"),
        "npm error\n🦋  é"
    );
}

#[test]
fn no_form_is_as_short_as_a_word_that_is_not_looked_at() {
    for (_, before, secret, after) in forms() {
        assert!(!is_short_word(&secret) || !before.is_empty(), "{before}");
        assert!(!is_short_word(&format!("{before}{secret}{after}")));
    }
    let shortest = format!("CCIPAT_{}", letters(20));
    assert!(!redact(&shortest).contains(&shortest));
}
