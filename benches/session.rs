//! A session of 10,000 repositories against its budgets: open to the first useful frame, status, report, and starting one.
//!
//! Run with `cargo bench --bench session`. Every case runs in a process of its own, so that its peak memory is its own.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr
)]

#[path = "../tests/it/common/big.rs"]
mod big;

use big::{BIG, MANY_PATHS, Size};
use cutover::engine::Handle;
use cutover::model::event::{Observation, SessionCreated};
use cutover::model::policy::Policy;
use cutover::report::template::Form;
use cutover::report::{json_v1, runbook, status, table, template};
use cutover::session::{Options, Session, create};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

const RUNS: usize = 5;
/// The budgets: milliseconds and megabytes, where there is one.
const CASES: [(&str, Option<u128>, Option<u64>); 7] = [
    ("open", Some(300), Some(100)),
    ("open-50000-paths", None, Some(150)),
    ("status", None, None),
    ("report-text", None, None),
    ("report-markdown", None, None),
    ("report-json", None, None),
    ("init", None, None),
];

fn options(folder: &Path, read_only: bool) -> Options {
    Options {
        state: folder.join("state"),
        actor: "rosa".to_owned(),
        device: "bench".to_owned(),
        program: "cutover bench".to_owned(),
        read_only,
        random: [3; 16],
        now: big::after(),
    }
}

fn file(folder: &Path, name: &str, size: Size) -> PathBuf {
    let path = folder.join(name);
    if !path.exists() {
        let making = folder.join(format!("{name}.making"));
        big::write(&making, size);
        std::fs::rename(&making, &path).unwrap();
    }
    path
}

fn open(folder: &Path, name: &str, size: Size) -> Session {
    Session::open(&file(folder, name, size), options(folder, true)).unwrap()
}

/// Does one case and gives how long it took.
fn run(case: &str, folder: &Path) -> Duration {
    let now = big::after();
    let start = Instant::now();
    match case {
        "open" | "open-50000-paths" => {
            let (name, size) = if case == "open" {
                ("big.cutover", BIG)
            } else {
                ("paths.cutover", MANY_PATHS)
            };
            let session = open(folder, name, size);
            let opened = start.elapsed();
            let handle = Handle::start(session, Arc::new(big::after)).unwrap();
            let rows = handle.snapshots.borrow().rows.len();
            let taken = start.elapsed();
            assert_eq!(rows, size.repos);
            if std::env::var_os("CUTOVER_BENCH_PARTS").is_some() {
                eprintln!("session {opened:?}, first picture {:?}", taken - opened);
            }
            handle.stop();
            return taken;
        }
        "status" => {
            let session = open(folder, "big.cutover", BIG);
            let mut out = Vec::new();
            let look = table::Look {
                width: 120,
                ascii: false,
                most: None,
            };
            table::status(&status(&session, now), look, &mut out).unwrap();
            assert!(out.len() > 100_000);
        }
        "report-text" | "report-markdown" | "report-json" => {
            let session = open(folder, "big.cutover", BIG);
            let book = runbook(&session, now);
            let mut out =
                std::io::BufWriter::new(std::fs::File::create(folder.join(case)).unwrap());
            match case {
                "report-json" => json_v1::report(&session, &book, now, &mut out).unwrap(),
                "report-text" => {
                    template::report(&session, &book, now, Form::Text, None, &mut out).unwrap()
                }
                _ => {
                    template::report(&session, &book, now, Form::Markdown, None, &mut out).unwrap()
                }
            }
        }
        _ => init(folder),
    }
    start.elapsed()
}

/// Starts a session and records what a scan of every repository says.
fn init(folder: &Path) {
    let path = folder.join("init.cutover");
    let _ = std::fs::remove_file(&path);
    let _ = std::fs::remove_dir_all(folder.join("state"));
    let now = big::after();
    create(&path, &SessionCreated::default(), &options(folder, false)).unwrap();
    let mut session = Session::open(&path, options(folder, false)).unwrap();
    session.adopt_policy(&Policy::default(), now).unwrap();
    let seen = (0..BIG.repos).flat_map(|n| big::answers(n, &big::repo(n, BIG)));
    let seen = seen
        .map(|(about, answer)| (about, Observation { as_of: now, answer }))
        .collect();
    session.observe(seen, now).unwrap();
}

fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|rest| rest.trim().split(' ').next()?.parse::<u64>().ok())
        .unwrap_or(0)
        / 1_000
}

fn main() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("session");
    std::fs::create_dir_all(&folder).unwrap();
    let args: Vec<String> = std::env::args().collect();
    if let Some(at) = args.iter().position(|arg| arg == "--case") {
        let taken = run(&args[at + 1], &folder);
        println!("{} {}", taken.as_millis(), peak());
        return;
    }
    let wanted = args.iter().skip(1).find(|arg| !arg.starts_with('-'));
    for (name, size) in [("big.cutover", BIG), ("paths.cutover", MANY_PATHS)] {
        let path = file(&folder, name, size);
        println!(
            "{name}: {} repositories, {} events, {} MB",
            size.repos,
            size.events,
            path.metadata().unwrap().len() / 1_000_000
        );
    }
    let mut over = false;
    for (case, limit, memory) in CASES {
        if wanted.is_some_and(|wanted| wanted != case) {
            continue;
        }
        let runs: Vec<(u128, u64)> = (0..RUNS).map(|_| child(case)).collect();
        let mut times: Vec<u128> = runs.iter().map(|(time, _)| *time).collect();
        times.sort_unstable();
        let (best, middle) = (times[0], times[RUNS / 2]);
        let most = runs.iter().map(|(_, peak)| *peak).max().unwrap();
        let budget = |limit: Option<String>| {
            limit.map_or(String::new(), |limit| format!(" (budget {limit})"))
        };
        println!(
            "{case:17} best {best} ms, median {middle} ms{}, peak {most} MB{}",
            budget(limit.map(|limit| format!("{limit} ms"))),
            budget(memory.map(|memory| format!("{memory} MB")))
        );
        over |=
            limit.is_some_and(|limit| best > limit) || memory.is_some_and(|memory| most > memory);
    }
    println!(
        "{}",
        if over {
            "a budget is not met"
        } else {
            "every budget is met"
        }
    );
}

fn child(case: &str) -> (u128, u64) {
    let this = std::env::current_exe().unwrap();
    let out = Command::new(this).args(["--case", case]).output().unwrap();
    assert!(
        out.status.success(),
        "{case}: {}",
        String::from_utf8_lossy(&out.stderr)
    );
    let text = String::from_utf8(out.stdout).unwrap();
    let mut parts = text.split_whitespace();
    let time = parts.next().unwrap().parse().unwrap();
    (time, parts.next().unwrap().parse().unwrap())
}
