//! The hostile organisation itself: its assertions bite, and what `safe` makes of its texts is clean.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use crate::common::hostile;
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use cutover::intake::IntakeError;
use cutover::intake::inventory::Inventory;
use cutover::intake::npm_tokens::TokenList;
use cutover::intake::sheet::Format;
use cutover::safe::json::write_json;
use cutover::safe::shown::{visible, visible_bytes, visible_multiline};
use cutover::safe::sink;
use cutover::scan::output::{write_annotations, write_scan_json, write_table};
use cutover::scan::sarif::write_sarif;
use cutover::scan::{RepoScan, scan_paths};
use hostile::{Planted, assert_clean, assert_no_secret, assert_plain, build};

fn built() -> (tempfile::TempDir, Planted) {
    let dir = tempfile::tempdir().unwrap();
    let planted = build(dir.path());
    (dir, planted)
}

fn regular_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            regular_files(&entry.path(), found);
        } else if kind.is_file() && entry.metadata().unwrap().len() < 200_000 {
            found.push(entry.path());
        }
    }
}

#[test]
fn the_assertions_bite() {
    let (_dir, planted) = built();
    let fails = |bytes: &[u8]| catch_unwind(|| assert_clean(bytes, &planted)).is_err();
    assert!(planted.secrets.len() > 15);
    for secret in &planted.secrets {
        let (left, right) = secret.split_at(secret.len() - 18);
        for text in [
            secret.clone(),
            format!("{left}…"),
            format!("│ {left} │\n│ {right} │"),
            format!("{left}\u{1b}[0m\u{1b}[4;2H{right}"),
        ] {
            assert!(fails(text.as_bytes()), "{text}");
        }
    }
    for text in [
        "\u{1b}]52;c;AA==\u{7}",
        "\u{1b}]8;;x",
        "a\u{202e}",
        "\u{9b}1m",
        "a\u{200b}",
        "\u{e0041}",
        &"\u{301}".repeat(9),
        &planted.outside,
    ] {
        assert!(fails(text.as_bytes()), "{text:?}");
    }
    assert!(fails(b"\x9b2J"));
    assert_clean(
        "\u{1b}[1;32m● ok\u{1b}[0m  npm_hT4w...Zp2K".as_bytes(),
        &planted,
    );
    assert!(catch_unwind(|| assert_plain(b"\x1b[1m", &planted)).is_err());
}

#[test]
fn shown_files_and_names_are_clean() {
    let (_dir, planted) = built();
    let mut files = Vec::new();
    regular_files(&planted.repos, &mut files);
    files.extend(
        [
            &planted.inventory,
            &planted.inventory_with_secret,
            &planted.tokens,
            &planted.tokens_with_secret,
        ]
        .map(PathBuf::clone),
    );
    assert!(files.len() > 25, "{files:?}");
    for file in files {
        use std::os::unix::ffi::OsStrExt as _;
        assert_plain(
            visible_bytes(file.as_os_str().as_bytes()).as_bytes(),
            &planted,
        );
        let bytes = fs::read(&file).unwrap();
        assert_plain(visible_bytes(&bytes).as_bytes(), &planted);
        let text = String::from_utf8_lossy(&bytes);
        assert_plain(visible_multiline(&text).as_bytes(), &planted);
        // Bare values have no form of their own; where one is read, its field says what it is.
        for line in text
            .lines()
            .filter(|line| line.contains('=') || line.contains("npm_"))
        {
            assert_plain(visible(line).as_bytes(), &planted);
        }
    }
    assert_plain(visible(&planted.actor).as_bytes(), &planted);
}

#[test]
fn every_sink_is_clean() {
    let (_dir, planted) = built();
    let text = format!("{} {}", hostile::nasty(), planted.secrets[0]);
    let mut json = Vec::new();
    write_json(&mut json, &text).unwrap();
    for out in [
        sink::actions_command("error", &[("file", &text)], &text),
        sink::actions_plain(&text),
        sink::sarif_text(&text),
        sink::sarif_uri(&text),
        sink::markdown_text(&text),
        sink::markdown_code(&text),
        sink::markdown_block(&text),
        sink::csv_cell(&text),
        String::from_utf8(json).unwrap(),
    ] {
        assert_no_secret(out.as_bytes(), &planted);
        assert_plain(out.as_bytes(), &planted);
    }
}

#[test]
fn a_scan_ends_and_prints_nothing_hostile() {
    let (_dir, planted) = built();
    let repos = scan_paths(
        std::slice::from_ref(&planted.repos),
        "2026-12-01".parse().unwrap(),
    );
    assert_eq!(
        repos.len(),
        5,
        "{:?}",
        repos
            .iter()
            .map(|repo| visible(&repo.repo).into_owned())
            .collect::<Vec<_>>()
    );
    let mut outputs = [const { Vec::new() }; 4];
    let [json, annotations, table, sarif] = &mut outputs;
    write_scan_json(&repos, json).unwrap();
    write_annotations(&repos, annotations).unwrap();
    write_table(&repos, 120, table).unwrap();
    write_sarif(&repos, "0.0.0", sarif).unwrap();
    for output in &outputs {
        assert!(!output.is_empty());
        assert_plain(output, &planted);
    }
    let readable = repos
        .iter()
        .find(|repo| repo.repo == "acme/readable")
        .unwrap();
    let publishes = |file: &str| readable.publish_paths.iter().any(|path| path.file == file);
    assert!(
        publishes(&planted.ignored),
        "a tracked workflow that .gitignore names was passed over"
    );
    assert!(
        publishes(".github/workflows/publish.yml") && publishes(".github/workflows/script.yml")
    );
    let rules = |repo: &RepoScan, file: &str| -> Vec<&str> {
        repo.findings
            .iter()
            .filter(|found| found.file == file)
            .map(|found| found.rule)
            .collect()
    };
    assert!(
        rules(readable, &planted.duplicate).contains(&"duplicate-key"),
        "{:?}",
        rules(readable, &planted.duplicate)
    );
    for file in [
        ".github/workflows/publish.yml",
        ".github/workflows/script.yml",
        ".npmrc",
        ".yarnrc.yml",
        ".travis.yml",
    ] {
        let found = rules(readable, file);
        assert!(found.contains(&"committed-token"), "{file}: {found:?}");
    }
    // What must not be followed, waited for or swallowed whole is said, never passed over in silence.
    for (name, files) in [
        ("acme/special", ["fifo", "socket", "zero", "link", "loop"]),
        ("broken", ["raw", "binary", "latin", "huge", "deep"]),
    ] {
        let found = |repo: &&RepoScan| repo.repo == name || repo.root.ends_with(name);
        let repo = repos.iter().find(found).unwrap();
        assert_eq!(repo.publish_paths, []);
        for file in files {
            let file = format!(".github/workflows/{file}.yml");
            assert_eq!(rules(repo, &file), ["unreadable-file"], "{file}");
        }
    }
}

#[test]
fn lists_are_read_or_refused_without_an_echo() {
    let (_dir, planted) = built();
    for (path, secret) in [
        (&planted.inventory, false),
        (&planted.inventory_with_secret, true),
    ] {
        let read = Inventory::read(&fs::read(path).unwrap(), Format::Csv, &[]);
        assert_eq!(
            matches!(read, Err(IntakeError::Secret(_))),
            secret,
            "{:?}",
            read.err()
        );
        assert_plain(&said(read), &planted);
    }
    for (path, secret) in [
        (&planted.tokens, false),
        (&planted.tokens_with_secret, true),
    ] {
        let read = TokenList::read(&planted.account, &fs::read(path).unwrap());
        assert_eq!(
            matches!(read, Err(IntakeError::Secret(_))),
            secret,
            "{:?}",
            read.err()
        );
        assert_plain(&said(read), &planted);
    }
}

fn said<T>(read: Result<T, IntakeError>) -> Vec<u8> {
    read.err()
        .map(|error| error.to_string().into_bytes())
        .unwrap_or_default()
}
