//! Replays the seeds of the fuzz targets (`fuzz/seeds/<target>/`) as plain tests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::fs;
use std::path::Path;

#[path = "../../fuzz/fuzz_targets/body.rs"]
mod body;

fn replay(target: &str, body: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/seeds")
        .join(target);
    let mut files: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert!(files.len() >= 5, "{target} has {} seeds", files.len());
    for file in files {
        let seed = fs::read(&file).unwrap();
        body(&seed);
        // Alias bombs use up the readers' budgets: once is enough.
        if file.to_string_lossy().contains("bomb") {
            continue;
        }
        // A token built here, since none may stand in the tree.
        let token = format!("npm_{}", "x1".repeat(18));
        let planted = String::from_utf8_lossy(&seed).replace("TOKEN-HERE", &token);
        body(planted.as_bytes());
        // Every cut, as a torn file would have.
        let step = (seed.len() / 60).max(1);
        for cut in (0..seed.len()).step_by(step) {
            body(&seed[..cut]);
        }
    }
}

#[test]
fn workflow() {
    replay("workflow", body::workflow);
}

#[test]
fn session_line() {
    replay("session_line", body::session_line);
}

#[test]
fn inventory() {
    replay("inventory", body::inventory);
}

#[test]
fn npmrc() {
    replay("npmrc", body::npmrc);
}
