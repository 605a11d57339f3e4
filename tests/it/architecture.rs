//! The layout, held: which module may name which, and the tables that ARCHITECTURE.md prints.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use cutover::model::event::KINDS;
use cutover::model::gate::{GATES, Way};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Each module with those directly below it. A module may name whatever stands below it on any way down.
const BELOW: &[(&str, &[&str])] = &[
    ("main", &["cli"]),
    ("cli", &["commands"]),
    (
        "commands",
        &["tui", "check", "intake", "preflight", "tabletop"],
    ),
    ("tui", &["engine", "report"]),
    (
        "engine",
        &[
            "report", "session", "scan", "github", "registry", "diagnose",
        ],
    ),
    ("report", &["session"]),
    ("session", &["journal"]),
    ("check", &["scan"]),
    ("registry", &["http"]),
    ("scan", &["model"]),
    ("preflight", &["scan", "diagnose"]),
    ("diagnose", &["model"]),
    ("intake", &["model"]),
    ("github", &["http"]),
    ("http", &["model"]),
    ("journal", &["model"]),
    ("model", &["safe"]),
    ("safe", &[]),
    ("assets", &["safe"]),
    ("tabletop", &["safe"]),
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

fn below(module: &str) -> BTreeSet<&'static str> {
    let mut all = BTreeSet::new();
    let mut next: Vec<&str> = vec![module];
    while let Some(one) = next.pop() {
        let row = BELOW.iter().find(|(name, _)| *name == one);
        for known in row
            .unwrap_or_else(|| panic!("{one} is not in the picture"))
            .1
        {
            if all.insert(*known) {
                next.push(known);
            }
        }
    }
    all
}

/// Gives the text without comments: a picture or a link in words names no module.
fn code(text: &str) -> String {
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines.map(|line| format!("{line}\n")).collect()
}

/// Gives the modules that a text names: `crate::x` or `cutover::x`, alone or in braces.
fn named(code: &str) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for start in ["crate::", "cutover::"] {
        for (at, _) in code.match_indices(start) {
            let before = code[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
                continue;
            }
            let rest = &code[at + start.len()..];
            match rest.strip_prefix('{') {
                None => all.extend(word(rest)),
                Some(group) => all.extend(parts(group).into_iter().filter_map(word)),
            }
        }
    }
    all
}

/// Gives the name that a text begins with.
fn word(text: &str) -> Option<String> {
    let text = text.trim_start();
    let end = text.find(|c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit() && c != '_');
    let word = &text[..end.unwrap_or(text.len())];
    (!word.is_empty()).then(|| word.to_owned())
}

/// Splits a group at its own commas, up to its closing brace.
fn parts(group: &str) -> Vec<&str> {
    let (mut depth, mut from, mut all) = (0, 0, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                all.push(&group[from..at]);
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                all.push(&group[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    all
}

#[test]
fn names_are_found_in_every_form_of_use() {
    let found = |code: &str| named(code).into_iter().collect::<Vec<_>>().join(" ");
    assert_eq!(found("use crate::model::gate::{GateId, View};"), "model");
    assert_eq!(
        found("use crate::{model::id, session, scan::tree::Tree};"),
        "model scan session"
    );
    assert_eq!(found("let x = crate::safe::shown::visible(y);"), "safe");
    assert_eq!(found("pub(crate) fn a() {}"), "");
    assert_eq!(found("cutover::cli::main()"), "cli");
}

#[test]
fn every_module_names_only_what_is_below_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(files.len() > 100, "the walk found only {}", files.len());
    let known: BTreeSet<&str> = BELOW.iter().map(|(name, _)| *name).collect();
    let (mut wrong, mut met) = (Vec::new(), BTreeSet::new());
    for file in &files {
        let place = file.strip_prefix(&root).unwrap();
        let first = place
            .components()
            .next()
            .unwrap()
            .as_os_str()
            .to_string_lossy();
        let module = first.trim_end_matches(".rs").to_owned();
        if module == "lib" {
            continue;
        }
        met.insert(module.clone());
        let mut may = below(&module);
        // Data that anybody may read. It stands beside `safe`.
        may.insert("assets");
        for name in named(&code(&fs::read_to_string(file).unwrap())) {
            if known.contains(name.as_str()) && name != module && !may.contains(name.as_str()) {
                wrong.push(format!("{} names {name}", place.display()));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new(), "an arrow points up");
    for module in met {
        assert!(
            known.contains(module.as_str()),
            "{module} is not in the picture"
        );
    }
}

#[test]
fn the_model_reads_no_clock_and_no_file() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = vec![root.join("model.rs")];
    sources(&root.join("model"), &mut files);
    for file in files {
        let code = code(&fs::read_to_string(&file).unwrap());
        for word in [
            "std::fs",
            "std::io",
            "std::net",
            "std::env",
            "Utc::now",
            "SystemTime",
            "Instant",
            "tokio",
            "async ",
        ] {
            assert!(!code.contains(word), "{} has {word}", file.display());
        }
    }
    // The clock is read in one file.
    let mut all = Vec::new();
    sources(&root, &mut all);
    let clocks: Vec<String> = all
        .iter()
        .filter(|file| code(&fs::read_to_string(file).unwrap()).contains("Utc::now"))
        .map(|file| file.strip_prefix(&root).unwrap().display().to_string())
        .collect();
    assert_eq!(clocks, ["cli/clock.rs"]);
}

/// Gives the rows of the table below a heading of ARCHITECTURE.md.
fn table(heading: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md");
    let text = fs::read_to_string(path).unwrap();
    let mut lines = text.lines().skip_while(|line| *line != heading).skip(1);
    let rows: Vec<String> = lines
        .by_ref()
        .skip_while(|line| !line.starts_with('|'))
        .take_while(|line| line.starts_with('|'))
        .skip(2)
        .map(str::to_owned)
        .collect();
    assert!(!rows.is_empty(), "no table below {heading}");
    rows
}

fn yes(flag: bool) -> &'static str {
    if flag { "yes" } else { "" }
}

#[test]
fn the_event_kinds_are_as_printed() {
    let rows: Vec<String> = KINDS
        .iter()
        .map(|one| {
            format!(
                "| `{}` | {} | {} | {} | {} | {} |",
                one.kind,
                one.subject,
                one.data,
                yes(one.crit),
                yes(one.signed),
                one.since
            )
        })
        .collect();
    assert_eq!(
        table("## Event kinds").join("\n"),
        rows.join("\n"),
        "print this:\n{}",
        rows.join("\n")
    );
}

#[test]
fn the_gates_are_as_printed() {
    let rows: Vec<String> = GATES
        .iter()
        .map(|gate| {
            let subjects: Vec<&str> = gate.subjects.iter().map(|kind| kind.word()).collect();
            let lanes: Vec<&str> = gate.lanes.iter().map(|lane| lane.word()).collect();
            let lanes = if gate.lanes.is_all() {
                "all".to_owned()
            } else {
                lanes.join(", ")
            };
            let mut how = vec![match gate.way {
                Way::Observed => "observed",
                Way::Attested => "attested",
            }];
            how.extend(gate.latches.then_some("latches"));
            how.extend(gate.team.then_some("teams only"));
            how.extend(gate.advice.then_some("advice"));
            format!(
                "| {} | `{}` | {} | {lanes} | {} |",
                gate.wave,
                gate.id,
                subjects.join(", "),
                how.join(", ")
            )
        })
        .collect();
    assert_eq!(
        table("## Gates").join("\n"),
        rows.join("\n"),
        "print this:\n{}",
        rows.join("\n")
    );
}
