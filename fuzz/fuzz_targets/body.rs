//! What each fuzz target does with its bytes, and what must hold of the result whatever they are.
//!
//! Used by the fuzzers and, on the seeds, by `tests/it/fuzz_seeds.rs`. A broken promise panics: that is the crash.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing
)]

use cutover::assets::fill;
use cutover::check::{self, Side, mention, policy::Policy};
use cutover::intake::columns::Override;
use cutover::intake::inventory::Inventory;
use cutover::intake::npm_tokens::TokenList;
use cutover::intake::sheet::Format;
use cutover::journal::line::{Draft, Line, Previous, SessionId, finish};
use cutover::model::event::Event;
use cutover::safe::redact::{self, Kind};
use cutover::scan::checkout::scan_tree;
use cutover::scan::output::{write_annotations, write_scan_json, write_table};
use cutover::scan::sarif::write_sarif;
use cutover::scan::tree::{Memory, Tree};

/// Where a workflow's text is put when it names no file itself.
const WORKFLOW: &str = ".github/workflows/fuzz.yml";
/// Starts a further file: `#== PATH`.
const NEXT_FILE: &str = "#== ";

/// CI files, one or several, through the scan, the policy gate and every output.
pub fn workflow(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let text = fill(text);
    scanned(&Memory::new(files(&text)), &text);
}

/// One `.npmrc` beside a workflow that publishes.
pub fn npmrc(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let text = &*fill(text);
    let flow = "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: npm publish\n        env:\n          NPM_TOKEN: ${{ secrets.NPM_TOKEN }}\n";
    let files = [
        (WORKFLOW, flow),
        (".npmrc", text),
        ("packages/a/.npmrc", text),
        (
            "package.json",
            "{\"name\": \"@acme/a\", \"version\": \"1.0.0\"}",
        ),
    ];
    scanned(&Memory::new(files), text);
}

/// One line of a session file.
pub fn session_line(data: &[u8]) {
    let raw = data.strip_suffix(b"\n").unwrap_or(data);
    let session = SessionId::from_random([7; 16]);
    if let Ok(line) = Line::parse(raw) {
        let over: Vec<_> = line.over.iter().collect();
        let draft = Draft {
            at: line.at,
            kind: line.kind,
            about: line.about,
            crit: line.crit,
            over: &over,
            data: line.data,
        };
        // What is read can be written again, byte for byte.
        let body = draft.body(line.id, line.tick).unwrap();
        assert_eq!(body.as_bytes(), line.signed_bytes());
        let (again, hash) = finish(body, line.sig, &Previous::Session(session)).unwrap();
        let read = Line::parse(again.as_bytes()).unwrap();
        assert_eq!((read.data, read.hash), (line.data, hash));
        assert!(read.follows(&Previous::Session(session)));
        let _ = Event::parse(line.kind, line.crit, line.data);
    }
    if let Ok(text) = std::str::from_utf8(raw) {
        // Any text as a line's data: refused, or one object that reads back as it was.
        let draft = Draft {
            at: "2026-12-05T10:02:11Z",
            kind: "note_added",
            about: "session",
            crit: false,
            over: &[],
            data: text,
        };
        let id = cutover::journal::EventId {
            writer: cutover::journal::WriterId::from_random([3; 8]),
            seq: 1,
        };
        if let Ok(body) = draft.body(id, 1) {
            let (line, _) = finish(body, None, &Previous::Session(session)).unwrap();
            let read = Line::parse(line.as_bytes()).unwrap();
            assert_eq!(read.data, text);
            serde_json::from_str::<serde_json::Value>(text).unwrap();
        }
        for kind in [
            "observed",
            "gate_waived",
            "session_created",
            "policy_adopted",
        ] {
            let _ = Event::parse(kind, true, text);
        }
    }
}

/// A list: the first byte tells how it is read.
pub fn inventory(data: &[u8]) {
    let Some((&first, rest)) = data.split_first() else {
        return;
    };
    let format = match first {
        b'c' => Format::Csv,
        b't' => Format::Toml,
        b'j' => Format::Json,
        b'y' => Format::Yaml,
        _ => {
            if let Err(error) = TokenList::read("alice", rest) {
                clean(&error.to_string(), rest);
            }
            return;
        }
    };
    let given = Override::parse("x=owner").unwrap();
    match Inventory::read(rest, format, &[]) {
        Ok(inventory) => {
            clean(&inventory.mapping.table().replace('\n', " "), rest);
            let lines = 1 + rest.iter().filter(|b| **b == b'\n').count();
            for row in &inventory.rows {
                assert!(
                    row.line >= 1 && row.line as usize <= lines,
                    "line {}",
                    row.line
                );
                let fact = row.fact("list");
                let kept = serde_json::to_string(&fact).unwrap();
                no_token(&kept, rest);
            }
        }
        Err(error) => clean(&error.to_string(), rest),
    }
    if let Err(error) = Inventory::read(rest, format, &[given]) {
        clean(&error.to_string(), rest);
    }
}

fn files(text: &str) -> Vec<(String, String)> {
    let mut files = vec![(WORKFLOW.to_owned(), String::new())];
    for line in text.split_inclusive('\n') {
        match line.strip_prefix(NEXT_FILE) {
            Some(path) => files.push((path.trim().to_owned(), String::new())),
            None => files.last_mut().unwrap().1.push_str(line),
        }
    }
    files
}

fn scanned(tree: &dyn Tree, input: &str) {
    let scans = [scan_tree(tree, None, "fuzz", Default::default())];
    let mut json = Vec::new();
    write_scan_json(&scans, &mut json).unwrap();
    serde_json::from_slice::<serde_json::Value>(&json).unwrap();
    let mut sarif = Vec::new();
    write_sarif(&scans, "0.0.0", &mut sarif).unwrap();
    serde_json::from_slice::<serde_json::Value>(&sarif).unwrap();
    let mut annotations = Vec::new();
    write_annotations(&scans, &mut annotations).unwrap();
    let mut table = Vec::new();
    write_table(&scans, 100, &mut table).unwrap();
    for out in [&json, &sarif, &annotations, &table] {
        let text = std::str::from_utf8(out).unwrap();
        no_token(text, input.as_bytes());
        let lines = text.replace('\n', " ");
        assert!(
            !lines.chars().any(char::is_control),
            "a control character in an output"
        );
    }
    let policy = Policy::parse(b"[secret]\ndeny = [\"NPM_*\"]\n").unwrap();
    let side = Side {
        repos: scans.to_vec(),
        mentions: mention::find(tree, &|name| policy.denies(name)),
    };
    let day = chrono::NaiveDate::default();
    // A change against itself never fails.
    let same = check::check(&side, Some(&side), &policy, day);
    assert!(same.iter().all(|v| v.standing != check::Standing::Fails));
    for violation in check::check(&side, None, &policy, day) {
        clean(&violation.finding.message, input.as_bytes());
    }
}

/// Fit for a screen: one line, no control or direction characters, no token of the input.
fn clean(said: &str, input: &[u8]) {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200b}'..='\u{200f}')
    };
    assert!(!said.chars().any(hidden), "{said:?}");
    no_token(said, input);
}

fn no_token(said: &str, input: &[u8]) {
    let Ok(input) = std::str::from_utf8(input) else {
        return;
    };
    for found in redact::find(input) {
        if found.kind == Kind::NpmToken {
            assert!(
                !said.contains(&input[found.range.clone()]),
                "a token came out"
            );
        }
    }
}
