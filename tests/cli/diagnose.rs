//! A failed log in, its cause out; nothing found is an exit code of its own.

use super::place::Place;
use std::fs::File;

const EXPIRED: &str = "2026-12-05T09:00:00.0000000Z ##[group]Run npm publish
2026-12-05T09:00:01.0000000Z npm notice 📦  @acme/ui@1.2.3
2026-12-05T09:00:02.0000000Z npm notice Access token expired or revoked. Please try logging in again.
2026-12-05T09:00:02.0000000Z \u{1b}[31mnpm error\u{1b}[39m code E404
2026-12-05T09:00:02.0000000Z npm error 404 Not Found - PUT https://{{registry}}/@acme%2fui - Not found
2026-12-05T09:00:03.0000000Z ##[error]Process completed with exit code 1.
";

#[test]
fn a_cause_is_printed_and_nothing_found_is_told() {
    let place = Place::new();
    place.write("expired.log", &*cutover::assets::fill(EXPIRED));
    place.write("unknown.log", "npm error code EWHATEVER\n");
    place.write(
        "clean.log",
        "npm warn Unknown env config \"x\"\n+ @acme/ui@1.2.3\n",
    );
    let text = place.transcript(&[
        &["diagnose", "expired.log"],
        &["diagnose", "expired.log", "--format", "json"],
        &["diagnose", "unknown.log"],
        &["diagnose", "clean.log"],
        &["diagnose", "missing.log"],
    ]);
    crate::snapshot!(text.replace(cutover::assets::npm_host(), "[REGISTRY]"));
}

#[test]
fn standard_input_is_read_and_no_credential_is_printed() {
    let place = Place::new();
    let token = format!("npm_{}", "aB3dE5fG7h".repeat(4));
    place.write(
        "log",
        format!("npm error code E401\nnpm error Unable to authenticate, need: {token}\n"),
    );
    for format in ["table", "json"] {
        let arguments = ["diagnose", "-", "--format", format];
        let mut command = place.cutover(&arguments);
        command.stdin(File::open(place.path("log")).unwrap());
        let ran = place.finish(&arguments, command);
        assert_eq!(ran.code, 0, "{}", ran.text());
        assert!(ran.out.contains("token-not-accepted"), "{}", ran.text());
        assert!(!ran.text().contains(&token[4..20]), "{}", ran.text());
    }
}

#[test]
fn what_is_no_text_is_no_log() {
    let place = Place::new();
    place.write(
        "zip",
        b"npm error code E404\0npm error 404 Not Found".as_slice(),
    );
    place.write("latin", [0xff_u8, 0xfe, 0x80, 0x81].repeat(99));
    for file in ["zip", "latin"] {
        place.run(&["diagnose", file]).fails(1, "it is not text", 1);
    }
}

#[test]
fn numbers_and_words_stand_apart_and_one_line_is_one() {
    let place = Place::new();
    place.write(
        "long.log",
        format!("{}npm error code ENEEDAUTH\n", "x\n".repeat(1200)),
    );
    let ran = place.run(&["diagnose", "long.log"]);
    assert!(ran.out.contains("line 1201 npm error"), "{}", ran.text());
    // Every label is as wide as its column.
    let labels = ran.out.lines().filter(|line| line.starts_with("  "));
    for line in labels.filter(|line| !line.contains("  line ")) {
        assert_eq!(line.chars().nth(10), Some(' '), "{line}");
        assert_ne!(line.chars().nth(11), Some(' '), "{line}");
    }
    place.write("short.log", "x\n");
    let ran = place.run(&["diagnose", "short.log"]);
    assert!(ran.err.contains("(1 line)"), "{}", ran.text());
}
