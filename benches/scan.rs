//! Scan against `zizmor --offline`: the same workflow files, both as whole processes, in turn.
//!
//! Needs `../shared/corpus` and zizmor (`CUTOVER_ZIZMOR`, else on the path, else `target/tools`); says what is missing
//! and stops otherwise. Prints the median of each, the ratio pair by pair, and cutover's peak memory.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::indexing_slicing
)]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Runs of each, after one warm-up.
const RUNS: usize = 7;
/// Copies of the corpus, as repositories of their own.
const COPIES: usize = 4;

fn main() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    if !corpus.join("unpack.sh").exists() {
        println!("skipped: no corpus beside the project");
        return;
    }
    let Some(zizmor) = zizmor() else {
        println!(
            "skipped: zizmor is not installed (pip install zizmor==1.32.0, or set CUTOVER_ZIZMOR)"
        );
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let copies = folder.path().join("copies");
    for copy in 0..COPIES {
        let into = folder.path().join(format!("unpacked-{copy}"));
        let unpacked = Command::new(corpus.join("unpack.sh"))
            .arg(&into)
            .stdout(Stdio::null())
            .status()
            .unwrap();
        assert!(unpacked.success(), "the corpus could not be unpacked");
        for repo in std::fs::read_dir(into.join("dev")).unwrap() {
            let repo = repo.unwrap().path();
            std::fs::create_dir_all(&copies).unwrap();
            std::fs::rename(
                &repo,
                copies.join(format!(
                    "{}-{copy}",
                    repo.file_name().unwrap().to_string_lossy()
                )),
            )
            .unwrap();
        }
    }
    let workflows = count_workflows(&copies);
    let scan = |output: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cutover"));
        command.args(["scan", "--format", output]).arg(&copies);
        command
    };
    let peer = || {
        let mut command = Command::new(&zizmor);
        command
            .args(["--offline", "--no-progress", "--format", "json"])
            .arg(&copies);
        command
    };
    // Looking at the memory takes time from what is looked at, so it has runs of its own, and they warm up.
    let peak = (0..2).map(|_| peak_memory(&mut scan("json"))).max();
    timed(&mut peer());
    let (mut ours, mut theirs, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let mine = timed(&mut scan("json"));
        let other = timed(&mut peer());
        ours.push(mine);
        theirs.push(other);
        ratios.push(other.as_secs_f64() / mine.as_secs_f64());
    }
    ours.sort();
    theirs.sort();
    ratios.sort_by(f64::total_cmp);
    println!(
        "{workflows} workflow files in {} repositories, {RUNS} pairs",
        std::fs::read_dir(&copies).unwrap().count()
    );
    println!(
        "cutover scan      median {:>7.1} ms, peak memory {:.1} MB",
        ours[RUNS / 2].as_secs_f64() * 1e3,
        peak.unwrap_or(0) as f64 / 1024.0
    );
    println!(
        "zizmor --offline  median {:>7.1} ms",
        theirs[RUNS / 2].as_secs_f64() * 1e3
    );
    println!(
        "ratio             median {:.1} x (from {:.1} to {:.1}); budget: at least 20 x, under 64 MB",
        ratios[RUNS / 2],
        ratios[0],
        ratios[RUNS - 1]
    );
}

fn zizmor() -> Option<PathBuf> {
    let named = std::env::var_os("CUTOVER_ZIZMOR").map(PathBuf::from);
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/bin/zizmor");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path)
        .map(|folder| folder.join("zizmor"))
        .collect::<Vec<_>>();
    named
        .into_iter()
        .chain([tools])
        .chain(on_path)
        .find(|file| file.is_file())
}

fn count_workflows(copies: &Path) -> usize {
    let repos = std::fs::read_dir(copies)
        .unwrap()
        .map(|repo| repo.unwrap().path().join(".github/workflows"));
    repos
        .filter_map(|folder| std::fs::read_dir(folder).ok())
        .map(Iterator::count)
        .sum()
}

/// Times a process, exit status ignored.
fn timed(command: &mut Command) -> Duration {
    let start = Instant::now();
    let mut child = quiet(command);
    child.wait().unwrap();
    start.elapsed()
}

/// Gives a process's peak memory in KiB, as the system last showed it.
fn peak_memory(command: &mut Command) -> u64 {
    let mut child = quiet(command);
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    loop {
        if let Ok(text) = std::fs::read_to_string(&status) {
            let line = text.lines().find(|line| line.starts_with("VmHWM:"));
            let kib = line
                .and_then(|line| line.split_whitespace().nth(1))
                .and_then(|kib| kib.parse().ok());
            peak = peak.max(kib.unwrap_or(0));
        }
        if child.try_wait().unwrap().is_some() {
            return peak;
        }
        std::thread::sleep(Duration::from_micros(500));
    }
}

fn quiet(command: &mut Command) -> Child {
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}
