//! Cost of inputs that somebody made large: CPU time and peak memory of whole processes, each within the stated caps.
//!
//! Prints each figure beside its budget, and how a scan grows from 2,500 checkouts to 10,000. Linux only: the figures
//! are read from `/proc`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Most CPU time and memory that a single input may take.
const BUDGET: (Duration, u64) = (Duration::from_secs(2), 200);
/// Runs of each scan of many checkouts.
const RUNS: usize = 3;

fn main() {
    if !Path::new("/proc/self/stat").exists() {
        println!("skipped: needs /proc");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let single = [
        ("6,000 x (setup-node, npm publish)", "scan", releases()),
        ("20,000 variables from secrets", "scan", variables()),
        ("12,000 steps that write $GITHUB_ENV", "scan", written()),
        ("60,000 x cd in one step", "scan", folders()),
        ("10,000 workspace packages", "scan", workspaces()),
        (
            ".npmrc of 250 kB of ?sig=",
            "scan",
            npmrc("https://x.example/?sig=a\n"),
        ),
        (
            ".npmrc of 220 kB of _authToken=",
            "scan",
            npmrc("_authToken=${A}\n"),
        ),
        (
            "log of 80 kB of ?sig=",
            "diagnose",
            log("GET https://x.example/?sig=a 401\n"),
        ),
        (
            "log of 80 kB of private keys",
            "diagnose",
            log("-----BEGIN RSA PRIVATE KEY-----\n"),
        ),
    ];
    println!(
        "budget of each: {} s of CPU, {} MB",
        BUDGET.0.as_secs(),
        BUDGET.1
    );
    for (index, (name, command, files)) in single.into_iter().enumerate() {
        let root = folder.path().join(index.to_string());
        lay(&root, &files);
        let target = if command == "diagnose" {
            root.join("log")
        } else {
            root
        };
        let (cpu, peak) = measured(&[command, &target.to_string_lossy()]);
        let over = cpu > BUDGET.0 || peak > BUDGET.1;
        println!(
            "{name:<38} {:>6.2} s {peak:>5} MB{}",
            cpu.as_secs_f64(),
            if over { "  over budget" } else { "" }
        );
    }
    let [few, many] = [2_500, 10_000].map(|count| {
        let root = folder.path().join(format!("checkouts-{count}"));
        for n in 0..count {
            let flow = (
                ".github/workflows/r.yml".to_owned(),
                "on: push\njobs: {a: {runs-on: ubuntu-latest, steps: [{run: npm publish}]}}\n"
                    .to_owned(),
            );
            lay(&root.join(n.to_string()), &[flow]);
        }
        let least = (0..RUNS).map(|_| measured(&["scan", &root.to_string_lossy()]).0);
        let least = least.min().unwrap();
        println!(
            "scan of {count} checkouts: {:.2} s of CPU",
            least.as_secs_f64()
        );
        least
    });
    println!(
        "growth from 2,500 to 10,000: {:.1} times; budget: at most 4.5 times",
        many.as_secs_f64() / few.as_secs_f64()
    );
}

type Files = Vec<(String, String)>;

fn workflow(steps: &str) -> Files {
    let text = format!("on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n{steps}");
    vec![
        (".github/workflows/r.yml".to_owned(), text),
        (
            "package.json".to_owned(),
            r#"{"name":"kite","version":"1.0.0"}"#.to_owned(),
        ),
    ]
}

fn releases() -> Files {
    let mut text = "    steps:\n".to_owned();
    for n in 0..6_000 {
        writeln!(text, "    - uses: actions/setup-node@v4\n    - run: npm publish\n      env: {{NODE_AUTH_TOKEN: '${{{{ secrets.T{n} }}}}'}}").unwrap();
    }
    workflow(&text)
}

fn variables() -> Files {
    let mut text = "    env:\n".to_owned();
    for n in 0..20_000 {
        writeln!(text, "      A{n}: ${{{{ secrets.T{n} }}}}").unwrap();
    }
    text.push_str("    steps:\n    - run: npm publish\n");
    workflow(&text)
}

fn written() -> Files {
    let mut text = "    env: {NPM_TOKEN: '${{ secrets.T }}'}\n    steps:\n".to_owned();
    for n in 1..12_000 {
        writeln!(text, "    - run: echo A{n}=$A{} >> $GITHUB_ENV", n - 1).unwrap();
    }
    text.push_str("    - run: npm publish\n");
    workflow(&text)
}

fn folders() -> Files {
    let lines = "        cd a/../b\n".repeat(60_000);
    workflow(&format!(
        "    steps:\n    - run: |\n{lines}        npm publish\n"
    ))
}

fn workspaces() -> Files {
    let mut files = workflow("    steps:\n    - run: npm publish --workspaces\n");
    files.retain(|(path, _)| path != "package.json");
    let root = r#"{"name":"kite","private":true,"workspaces":["packages/*"]}"#;
    files.push(("package.json".to_owned(), root.to_owned()));
    for n in 0..10_000 {
        let manifest = format!(r#"{{"name":"kite-{n}","version":"1.0.0"}}"#);
        files.push((format!("packages/p{n}/package.json"), manifest));
    }
    files
}

fn npmrc(line: &str) -> Files {
    let mut files = workflow("    steps:\n    - run: npm publish\n");
    files.push((".npmrc".to_owned(), line.repeat(250_000 / line.len())));
    files
}

fn log(line: &str) -> Files {
    vec![("log".to_owned(), line.repeat(80_000 / line.len()))]
}

/// Lays out a checkout.
fn lay(root: &Path, files: &[(String, String)]) {
    std::fs::create_dir_all(root.join(".git")).unwrap();
    for (path, text) in files {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

/// Runs `cutover` to its end: the CPU time it took, and its peak memory in MB as last seen.
fn measured(args: &[&str]) -> (Duration, u64) {
    let before = children();
    let mut child = Command::new(env!("CARGO_BIN_EXE_cutover"))
        .args(args)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        peak = peak.max(kib.unwrap_or(0) / 1024);
        std::thread::sleep(Duration::from_millis(2));
    }
    (children() - before, peak)
}

/// CPU time of the children that have ended, from `/proc/self/stat` (proc_pid_stat(5): cutime and cstime, 100 a second).
fn children() -> Duration {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = text
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    let ticks = |at: usize| fields.get(at).unwrap().parse::<u64>().unwrap();
    Duration::from_millis((ticks(13) + ticks(14)) * 10)
}
