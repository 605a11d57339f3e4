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
