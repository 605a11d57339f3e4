//! The hostile organisation through every verb and format: no planted credential and no foreign escape in anything
//! that is printed, written or logged.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use crate::common::hostile;
use hostile::{Planted, assert_no_secret, assert_plain, build};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

struct Room {
    dir: tempfile::TempDir,
    planted: Planted,
}

impl Room {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("home")).unwrap();
        let planted = build(dir.path());
        Self { dir, planted }
    }

    /// Runs the program among the planted environment; whatever it prints has to be clean.
    fn run(&self, arguments: &[&str]) -> Output {
        let home = self.dir.path().join("home");
        let output = Command::new(env!("CARGO_BIN_EXE_cutover"))
            .args(["--log-file", "run.log", "--actor", "rosa"])
            .args(arguments)
            .current_dir(self.dir.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", &home)
            .env("XDG_STATE_HOME", home.join("state"))
            .env("XDG_CONFIG_HOME", home.join("config"))
            .env("TMPDIR", self.dir.path())
            .env("COLUMNS", "160")
            .envs(
                self.planted
                    .environment
                    .iter()
                    .map(|(name, value)| (name, value)),
            )
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let shown = arguments.join(" ");
        assert!(
            output.status.code().is_some_and(|code| code != 101),
            "{shown}: {output:?}"
        );
        assert_plain(&output.stdout, &self.planted);
        assert_plain(&output.stderr, &self.planted);
        output
    }

    fn done(&self, arguments: &[&str]) -> Output {
        let output = self.run(arguments);
        let code = output.status.code();
        assert!(
            matches!(code, Some(0 | 10 | 11)),
            "{arguments:?}: {code:?} {}",
            String::from_utf8_lossy(&output.stderr)
        );
        output
    }

    fn words(&self, path: &Path) -> String {
        path.to_string_lossy().into_owned()
    }
}

/// Every regular file below a folder.
fn files(folder: &Path, found: &mut BTreeSet<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let kind = fs::symlink_metadata(&path).unwrap().file_type();
        if kind.is_dir() {
            files(&path, found);
        } else if kind.is_file() {
            found.insert(path);
        }
    }
}

#[test]
fn no_verb_and_no_format_lets_anything_out() {
    let room = Room::new();
    let mut planted = BTreeSet::new();
    files(room.dir.path(), &mut planted);
    let repos = room.words(&room.planted.repos);
    for format in ["table", "json", "sarif", "github"] {
        let output = room.done(&["scan", &repos, "--format", format]);
        assert!(output.stdout.len() > 100, "{format} printed nothing");
    }
    for format in ["table", "json", "sarif", "github"] {
        room.run(&[
            "check",
            &room.words(&room.planted.readable),
            "--format",
            format,
        ]);
    }
    let tokens = format!(
        "{}={}",
        room.planted.account,
        room.words(&room.planted.tokens)
    );
    let inventory = room.words(&room.planted.inventory);
    room.run(&[
        "init",
        "plain",
        "--scan",
        &repos,
        "--tokens",
        &tokens,
        "--inventory",
        &inventory,
    ]);
    room.run(&[
        "init",
        "acme",
        "--scan",
        &repos,
        "--tokens",
        &tokens,
        "--inventory",
        &inventory,
        "--yes",
    ]);
    if !room.dir.path().join("acme.cutover").exists() {
        // An inventory so hostile that it is refused as a whole: the rest makes the session.
        room.done(&["init", "acme", "--scan", &repos, "--tokens", &tokens]);
    }
    let with_secret = room.words(&room.planted.inventory_with_secret);
    let refused = room.run(&["-s", "acme.cutover", "import", &with_secret, "--yes"]);
    assert_eq!(refused.status.code(), Some(1));
    let tokens = format!(
        "{}={}",
        room.planted.account,
        room.words(&room.planted.tokens_with_secret)
    );
    let refused = room.run(&["-s", "acme.cutover", "import", "--tokens", &tokens]);
    assert_eq!(refused.status.code(), Some(1));
    decisions(&room);
    for arguments in [
        &["status"][..],
        &["status", "--format", "json"],
        &["status", "--format", "csv"],
        &["report"],
        &["report", "--format", "markdown"],
        &["report", "--format", "json"],
        &["log", "list", "--all"],
        &["log", "list", "--format", "json"],
        &["log", "verify"],
        &["log", "head"],
        &["log", "seal"],
        &["canaries"],
        &["representatives"],
        &["explain", "token-in-reach"],
        &["open"],
        &[],
    ] {
        let mut all = vec!["-s", "acme.cutover"];
        all.extend(arguments);
        room.run(&all);
    }
    room.done(&["-s", "acme.cutover", "log", "export"]);
    let mut found = BTreeSet::new();
    files(room.dir.path(), &mut found);
    found.retain(|path| !planted.contains(path));
    let names: Vec<String> = found.iter().map(|path| room.words(path)).collect();
    assert!(
        names.iter().any(|name| name.ends_with("acme.cutover"))
            && names.iter().any(|name| name.ends_with("run.log")),
        "{names:?}"
    );
    for path in found {
        let bytes = fs::read(&path).unwrap();
        assert_no_secret(&bytes, &room.planted);
        if path.ends_with("run.log") {
            assert_plain(&bytes, &room.planted);
        }
    }
}

fn decisions(room: &Room) {
    let nasty = hostile::nasty();
    let secret = &room.planted.secrets[0];
    let with_secret = format!("it was {secret}");
    for arguments in [
        &["note", &nasty][..],
        &["note", &with_secret],
        &["note", "x", "--about", &nasty],
        &["assign", &nasty, "--owner", &nasty],
        &["assign", "--commander", &room.planted.actor],
        &["lane", &nasty, "--lane", secret],
        &["attest", "tabletop-run", "--note", &nasty],
        &["attest", secret, "--note", &with_secret],
        &["waive", "tabletop-run", "--why", &nasty, "--until", "+9d"],
        &["evidence", "add", "--text", &nasty],
        &["evidence", "add", "--url", &with_secret],
        &["evidence", "add", "--file", secret],
        &["edge", &nasty, secret, "--holds", "--note", &nasty],
        &[
            "revocation",
            "record",
            &nasty,
            "--id",
            secret,
            "--on",
            "+0d",
            "--proof",
            &nasty,
        ],
        &["plan", secret, "--by", "canary"],
        &[
            "carry-over",
            &nasty,
            "--owner",
            &nasty,
            "--until",
            "+9d",
            "--why",
            &nasty,
        ],
        &["follow-up", &nasty, "--on", "+9d"],
        &["undo", secret],
        &["explain", secret],
        &[secret],
        &["--no-such-flag", secret],
        &["--actor", &room.planted.actor, "note", "x"],
        &["key", "adopt", "rosa", secret],
        &["log", "list", "--about", secret],
    ] {
        let mut all = vec!["-s", "acme.cutover"];
        all.extend(arguments);
        room.run(&all);
    }
}
