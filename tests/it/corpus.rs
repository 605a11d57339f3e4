//! Scores the scan against labelled real repositories, where that folder, python3 and npm are there.
//!
//! The labels stay outside the project; without them the test says so and passes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stderr
)]

use std::path::{Path, PathBuf};
use std::process::Command;

fn corpus() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    let there = |program: &str| {
        Command::new(program)
            .arg("--version")
            .output()
            .is_ok_and(|o| o.status.success())
    };
    for (what, found) in [
        ("the corpus", folder.join("unpack.sh").is_file()),
        ("python3", there("python3")),
        ("npm", there("npm")),
    ] {
        if !found {
            eprintln!("skipped: {what} is not here");
            return None;
        }
    }
    Some(folder)
}

#[test]
fn precision_and_recall_on_real_repositories() {
    let Some(corpus) = corpus() else { return };
    let out = tempfile::tempdir().unwrap();
    let unpacked = Command::new(corpus.join("unpack.sh"))
        .arg(out.path())
        .output()
        .unwrap();
    assert!(
        unpacked.status.success(),
        "{}",
        String::from_utf8_lossy(&unpacked.stderr)
    );
    let repos = cutover::scan::scan_paths(&[out.path().join("dev")], "2026-12-01".parse().unwrap());
    let scan = out.path().join("scan.json");
    std::fs::write(
        &scan,
        serde_json::to_string(&serde_json::json!({ "version": 1, "repos": repos })).unwrap(),
    )
    .unwrap();
    if let Ok(keep) = std::env::var("CUTOVER_KEEP_SCAN") {
        std::fs::copy(&scan, keep).unwrap();
    }
    let score = Command::new("python3")
        .arg(corpus.join("score.py"))
        .arg(corpus.join("dev.labels.jsonl"))
        .arg(&scan)
        .arg("--misses")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&score.stdout).into_owned();
    eprintln!("{text}");
    let last = text.lines().last().unwrap_or_default();
    assert!(
        last.starts_with("SCORE "),
        "{}",
        String::from_utf8_lossy(&score.stderr)
    );
    for (field, least) in [
        ("precision", 0.97),
        ("recall", 0.97),
        ("credential", 0.97),
        ("tool", 0.95),
        ("secret", 0.95),
        ("environment", 0.95),
    ] {
        let value = last
            .split_whitespace()
            .find_map(|w| w.strip_prefix(field)?.strip_prefix('='))
            .unwrap();
        let value: f64 = value.parse().unwrap();
        assert!(
            value >= least,
            "{field} is {value}, less than {least}\n{text}"
        );
    }
}
