//! One encoder per place that text is written to: what is harmless on a screen is a command, a mention or a formula elsewhere.
//!
//! Every encoder makes what is hidden visible itself, so foreign text may come as it is. Those for words of reports and
//! findings, which were made visible where they came in, leave the escapes in them alone. None decides what is written.
//! There is no encoder for a shell and none for commit messages: foreign text does not go there.

use std::fmt::Write as _;
use std::sync::LazyLock;

use regex::Regex;

use super::shown::{visible, visible_again, visible_multiline, visible_multiline_again};

/// Columns of a line in a document: what people wrote at length is not cut as on a screen.
const LONG: usize = 4_000;

/// Encodes one workflow command for the log of a GitHub Actions run, with its properties in order.
///
/// Rules: <https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts>.
pub fn actions_command(name: &str, properties: &[(&str, &str)], message: &str) -> String {
    let mut out = format!("::{name}");
    for (number, (key, value)) in properties.iter().enumerate() {
        out.push(if number == 0 { ' ' } else { ',' });
        // Infallible for a `String`; the result carries nothing.
        let _ = write!(out, "{key}={}", actions_property(value));
    }
    out + "::" + &actions_message(message)
}

/// Encodes the message of a workflow command; line breaks stay as `%0A`.
pub fn actions_message(text: &str) -> String {
    visible_multiline_again(text)
        .replace('%', "%25")
        .replace('\n', "%0A")
}

/// Encodes the value of a workflow command's property, where `:` and `,` end it.
pub fn actions_property(text: &str) -> String {
    visible(text)
        .replace('%', "%25")
        .replace(':', "%3A")
        .replace(',', "%2C")
}

/// Encodes a line that is no command for a log which reads commands: a leading `::` or `##[` is broken.
pub fn actions_plain(text: &str) -> String {
    let line = visible(text);
    let start = line.trim_start();
    if start.starts_with("::") || start.starts_with("##[") {
        format!("| {line}")
    } else {
        line.into_owned()
    }
}

/// Encodes the text of a SARIF message, where brackets make links, braces are placeholders and `\` escapes.
///
/// Rules: SARIF 2.1.0, sections 3.11.5 and 3.11.6.
pub fn sarif_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in visible_multiline_again(text).chars() {
        match c {
            '\\' | '[' | ']' => out.extend(['\\', c]),
            '{' | '}' => out.extend([c, c]),
            _ => out.push(c),
        }
    }
    out
}

/// Encodes a path below the checkout's root as a relative URI reference; empty, `.` and `..` segments are left out.
pub fn sarif_uri(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    // Redacted only: percent-encoding itself makes everything visible, and a viewer has to find the file again.
    let path = super::redact::redact(path);
    for segment in path
        .split('/')
        .filter(|segment| !matches!(*segment, "" | "." | ".."))
    {
        if !out.is_empty() {
            out.push('/');
        }
        for byte in segment.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~@+".contains(&byte) {
                out.push(char::from(byte));
            } else {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

#[expect(
    clippy::expect_used,
    reason = "a constant pattern; the tests compile it"
)]
static CLOSING: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        // Forges act on such a word only before a reference, so `fails-closed` and "closed" stay readable:
        // https://docs.github.com/en/issues/tracking-your-work-with-issues/using-issues/linking-a-pull-request-to-an-issue
        r"(?i)\b(?:(c)(loses?|losed)|(f)(ix|ixes|ixed)|(r)(esolves?|esolved))\b(:?\s+(?:\S*#|gh-|https?:))|\b(g)(h-)",
    )
    .expect("closing words")
});

/// Encodes one line of Markdown prose: no markup, no mention, no issue reference, no closing word, no link.
///
/// Prefer [`markdown_code`] for names: it needs no zero-width spaces.
pub fn markdown_text(text: &str) -> String {
    let shown = visible_again(text, LONG);
    // A character reference between the letters: the forge's own bots break mentions this way.
    let calm = CLOSING.replace_all(&shown, "$1$3$5$8\u{0}$2$4$6$9$7");
    let calm = calm.replace("://", ":\u{0}//");
    let mut out = String::with_capacity(calm.len() + 8);
    for c in calm.chars() {
        match c {
            '\u{0}' => out.push_str("&#8203;"),
            '@' | '#' => {
                out.push(c);
                out.push_str("&#8203;");
            }
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '.' if out.to_ascii_lowercase().ends_with("www") => out.push_str("&#8203;."),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '!' | '|' | '~' | '$' => {
                out.extend(['\\', c]);
            }
            // Lists, rules and headings are made of these at the start of a line only: dates stay readable.
            '+' | '-' | '=' if out.chars().all(|before| before == ' ') => out.extend(['\\', c]),
            _ => out.push(c),
        }
    }
    // `1.` and `1)` at the start of a line begin a list.
    let digits = out.bytes().take_while(u8::is_ascii_digit).count();
    if digits > 0 && out.get(digits..).is_some_and(|rest| rest.starts_with('.')) {
        out.insert(digits, '\\');
    }
    out
}

/// Encodes one line as a Markdown code span, fenced by more backticks than any run in it.
pub fn markdown_code(text: &str) -> String {
    let shown = visible_again(text, LONG);
    if shown.trim().is_empty() {
        return "` `".to_owned();
    }
    let fence = "`".repeat(longest_run(&shown) + 1);
    let pad = if shown.starts_with(['`', ' ']) || shown.ends_with(['`', ' ']) {
        " "
    } else {
        ""
    };
    format!("{fence}{pad}{shown}{pad}{fence}")
}

/// Encodes a Markdown table's cell as a code span; a `|` there ends the cell even inside code, so it is escaped.
pub fn markdown_cell(text: &str) -> String {
    markdown_code(text).replace('|', "\\|")
}

/// Encodes a block of text as a fenced Markdown code block without a language, ending in a line break.
pub fn markdown_block(text: &str) -> String {
    let shown = visible_multiline(text);
    let fence = "`".repeat(longest_run(&shown).max(2) + 1);
    format!("{fence}text\n{shown}\n{fence}\n")
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// Encodes one CSV cell that a spreadsheet must not take for a formula; the `csv` crate quotes it afterwards.
///
/// Rules: <https://owasp.org/www-community/attacks/CSV_Injection>. Longer than a screen line: cells are data.
pub fn csv_cell(text: &str) -> String {
    let shown = visible_again(text, 32_000);
    // What starts with a tab or a carriage return is visible as an escape by now; a blank may be skipped by a reader.
    let formula = |c: char| matches!(c, '=' | '+' | '-' | '@' | '\'' | '＝' | '＋' | '－' | '＠');
    if shown.trim_start().starts_with(formula) {
        format!("'{shown}")
    } else {
        shown.into_owned()
    }
}

/// Encodes a text as a double-quoted YAML scalar on one line: always text, never a tag, number, anchor or boolean.
///
/// Not for a place where the CI system reads expressions (`${{ … }}`): quoting does not stop those; pass text by `env:`.
pub fn yaml_scalar(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in super::redact::redact(text).chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if super::shown::is_hidden(c) => {
                let _ = write!(out, "\\U{:08x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

    use proptest::prelude::*;

    use super::*;

    const HOSTILE: &[&str] = &[
        "::error::x\n::set-output name=a::b",
        "a%0A::warning::b",
        "=HYPERLINK(\"http://x\")",
        "\t=1+1",
        "@acme/ui-kit closes #1",
        "`` ` ```` `",
        "a\u{1b}]52;c;QQ\u{7}\u{202e}b",
        "[x](javascript:alert(1)) ![i](http://x) <img src=x>",
        "- [ ] {0} {{x}} | a",
        "no: &a !!b *c # d",
        "Fixes https://example.com/o/r/issues/1, resolved o/r#2 and GH-3, www.example.com",
    ];

    #[test]
    fn an_actions_command_is_one_line_with_one_command() {
        assert_eq!(
            actions_command(
                "error",
                &[("file", "a:b,c.yml"), ("line", "4")],
                "100%\nbad"
            ),
            "::error file=a%3Ab%2Cc.yml,line=4::100%25%0Abad"
        );
        for text in HOSTILE {
            let line = actions_command("error", &[("title", text)], text);
            assert!(!line.contains(['\n', '\r', '\u{1b}']), "{line}");
            assert_eq!(line.split(' ').next(), Some("::error"));
            let (_, property) = line.split_once("title=").unwrap();
            assert!(
                !property.split("::").next().unwrap().contains([',', ':']),
                "{line}"
            );
            assert!(!actions_plain(text).starts_with("::"));
        }
    }

    #[test]
    fn a_sarif_message_has_no_links_or_placeholders() {
        assert_eq!(
            sarif_text("see [x](http://y) {0} \\"),
            "see \\[x\\](http://y) {{0}} \\\\"
        );
        assert_eq!(
            sarif_uri("/../.github/./workflows/a b\u{202e}:%.yml"),
            ".github/workflows/a%20b%E2%80%AE%3A%25.yml"
        );
        assert_eq!(sarif_uri("https://x/../y"), "https%3A/x/y");
    }

    #[test]
    fn markdown_prose_mentions_closes_and_links_nothing() {
        for text in HOSTILE {
            let out = markdown_text(text);
            let lower = out.to_lowercase();
            assert!(
                !lower.contains("://") && !out.contains('\n') && !out.contains('<'),
                "{out}"
            );
            for word in ["closes", "fixes", "resolved", "gh-", "gh\\-", "www."] {
                assert!(!lower.contains(word), "{out}");
            }
            for (at, _) in out.match_indices(['@', '#']) {
                let is_reference = at > 0 && out.as_bytes()[at - 1] == b'&';
                assert!(
                    is_reference || out[at + 1..].starts_with("&#8203;"),
                    "{out}"
                );
            }
        }
        assert_eq!(
            markdown_text("fails-closed, committed-token closed"),
            "fails-closed, committed-token closed"
        );
        assert_eq!(markdown_text("1. a_b"), "1\\. a\\_b");
        assert_eq!(markdown_text("2026-12-05 a+b=c"), "2026-12-05 a+b=c");
        for line in ["- a", "+ a", "---", "===", "  - a"] {
            let out = markdown_text(line);
            assert!(out.trim_start().starts_with('\\'), "{out}");
        }
    }

    #[test]
    fn what_was_made_visible_before_is_not_escaped_again() {
        let shown = visible("acme\u{202e}ui").into_owned();
        assert_eq!(markdown_code(&shown), "`acme\\u{202e}ui`");
        assert_eq!(markdown_text(&shown), "acme\\\\u\\{202e\\}ui");
        assert_eq!(csv_cell(&shown), shown);
        assert_eq!(actions_message(&shown), shown);
        assert_eq!(sarif_text(&shown), "acme\\\\u{{202e}}ui");
        let long = "word ".repeat(200);
        assert!(markdown_text(&long).len() > 900, "people write at length");
    }

    #[test]
    fn a_code_span_cannot_be_left() {
        assert_eq!(markdown_code("a"), "`a`");
        assert_eq!(markdown_code("a``b`"), "``` a``b` ```");
        assert_eq!(markdown_code(""), "` `");
        assert_eq!(markdown_cell("a|b"), "`a\\|b`");
        assert_eq!(markdown_block("x\n```\ny"), "````text\nx\n```\ny\n````\n");
    }

    #[test]
    fn a_cell_is_never_a_formula() {
        for (text, cell) in [
            ("=1", "'=1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@a/b", "'@a/b"),
            ("\t=1", "\\u{9}=1"),
            ("\r=1", "\\u{d}=1"),
            ("  =1", "'  =1"),
            ("'=1", "''=1"),
            ("a=1", "a=1"),
        ] {
            assert_eq!(csv_cell(text), cell);
        }
    }

    proptest! {
        #[test]
        fn a_quoted_scalar_reads_back_as_itself(text in any::<String>()) {
            prop_assume!(super::super::redact::redact(&text) == text);
            let read: String = serde_saphyr::from_str(&yaml_scalar(&text)).unwrap();
            prop_assert_eq!(read, text);
        }

        #[test]
        fn a_code_span_is_closed_only_by_its_own_fence(text in "[a`| ]{0,30}") {
            let span = markdown_code(&text);
            let fence = span.bytes().take_while(|b| *b == b'`').count();
            let inner = &span[fence..span.len() - fence];
            prop_assert!(inner.split(|c| c != '`').all(|run| run.len() != fence));
        }
    }
}
