//! Bad input of each kind: one clear error with what to do, the right exit code, and what existed stays as it was.

use super::place::Place;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

/// Runs `init` on something bad; there must be no session afterwards, not even a part of one.
fn init_leaves_nothing(place: &Place, arguments: &[&str], code: i32, words: &str, hints: usize) {
    let before = place.files();
    let mut all = vec!["init", "acme"];
    all.extend(arguments);
    place.run(&all).fails(code, words, hints);
    assert_eq!(place.files(), before, "something was left behind");
}

#[test]
fn paths_that_are_not_there() {
    let place = Place::new();
    place.write("file.txt", "x");
    fs::create_dir(place.path("empty")).unwrap();
    place
        .run(&["scan", "nowhere"])
        .fails(1, "cannot scan nowhere", 1);
    place.run(&["scan", "file.txt"]).fails(1, "not a folder", 1);
    place.run(&["scan", "empty"]).fails(3, "no checkout", 1);
    place.run(&["check", "nowhere"]).fails(1, "nowhere", 1);
    place
        .run(&["open", "nowhere.cutover"])
        .fails(1, "terminal", 1);
    place
        .run(&["log", "list", "nowhere.cutover"])
        .fails(1, "nowhere.cutover", 1);
    init_leaves_nothing(&place, &["--scan", "nowhere"], 1, "nowhere", 1);
    init_leaves_nothing(&place, &["--scan", "empty"], 3, "no checkout", 1);
    init_leaves_nothing(&place, &["--inventory", "nowhere.csv"], 1, "nowhere.csv", 1);
    init_leaves_nothing(
        &place,
        &["--tokens", "rosa=nowhere.json"],
        1,
        "nowhere.json",
        1,
    );
    init_leaves_nothing(
        &place,
        &["--inventory", "file.txt"],
        1,
        "does not end in",
        0,
    );
}

#[test]
fn lists_that_are_no_lists() {
    let place = Place::new();
    place.write(
        "binary.yaml",
        [0_u8, 159, 146, 150, 255, 0, 1, 2].repeat(500),
    );
    place.write("header.csv", "a;b;c\n1;2;3\n");
    place.write("cells.csv", "repo,token_expires\nacme/ui,soon\n");
    place.write(
        "tokens.json",
        "{\"error\":{\"code\":\"E401\",\"summary\":\"log in\"}}",
    );
    place.write("broken.json", "[{\"repo\": ");
    fs::File::create(place.path("huge.yaml"))
        .unwrap()
        .set_len(50 << 20)
        .unwrap();
    place.write("bomb.yaml", bomb());
    let mut text = String::new();
    for (list, words) in [
        ("binary.yaml", "not UTF-8"),
        ("header.csv", "no column tells the repository"),
        ("cells.csv", "line 2"),
        ("broken.json", "not valid JSON"),
        ("huge.yaml", "larger than 16 MiB"),
        ("bomb.yaml", "bomb.yaml"),
    ] {
        init_leaves_nothing(&place, &["--inventory", list], 1, words, 0);
        text.push_str(&place.run(&["init", "acme", "--inventory", list]).text());
    }
    init_leaves_nothing(
        &place,
        &["--tokens", "rosa=tokens.json"],
        1,
        "tokens.json",
        0,
    );
    text.push_str(
        &place
            .run(&["init", "acme", "--tokens", "rosa=tokens.json"])
            .text(),
    );
    crate::snapshot!(text);
}

/// Ten levels of ten aliases each: 10,000,000,000 nodes if expanded.
fn bomb() -> String {
    let mut text = String::from("a0: &a0 [x, x]\n");
    for level in 1..=10 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    text
}

/// The same of mappings, as jobs: reading all of it would never end.
fn bomb_of_maps() -> String {
    let mut text = String::from("on: push\nx0: &a0 {run: npm publish}\n");
    for level in 1..=10 {
        let aliases: Vec<String> = (0..10).map(|n| format!("k{n}: *a{}", level - 1)).collect();
        text.push_str(&format!("x{level}: &a{level} {{{}}}\n", aliases.join(", ")));
    }
    text + "env: *a10\njobs: *a10\n"
}

#[test]
fn workflows_that_cannot_be_read_are_findings_and_silence_nothing() {
    let place = Place::new();
    let flows = "repo/.github/workflows";
    let good = "on: push\njobs:\n  publish:\n    runs-on: ubuntu-latest\n    steps:\n      - run: npm publish\n        env:\n          NODE_AUTH_TOKEN: ${{ secrets.NPM_TOKEN }}\n";
    place.write(&format!("{flows}/good.yml"), good);
    place.write(
        &format!("{flows}/binary.yml"),
        [0_u8, 159, 146, 150, 255, 0].repeat(900),
    );
    place.write(&format!("{flows}/bomb.yml"), bomb_of_maps());
    place.write(&format!("{flows}/torn.yml"), "on: [push\njobs: {");
    fs::File::create(place.path(&format!("{flows}/huge.yml")))
        .unwrap()
        .set_len(50 << 20)
        .unwrap();
    let ran = place.run(&["scan", "repo", "--format", "json"]);
    assert_eq!(ran.code, 0, "{}", ran.text());
    let scan: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let repo = &scan["repos"][0];
    assert_eq!(
        repo["publish_paths"].as_array().unwrap().len(),
        1,
        "{}",
        ran.out
    );
    // The bomb is read only as far as jobs go, so it costs nothing and says nothing.
    for file in ["binary.yml", "torn.yml", "huge.yml"] {
        let found = repo["findings"].as_array().unwrap().iter().any(|finding| {
            finding["file"].as_str().unwrap().ends_with(file) && finding["severity"] != "note"
        });
        assert!(found, "no finding for {file} in {}", ran.out);
    }
    assert_eq!(
        place.run(&["scan", "repo", "--fail-on", "warning"]).code,
        13
    );
    assert_eq!(place.run(&["scan", "repo"]).code, 0);
}

#[test]
fn sessions_that_are_none_or_newer() {
    let place = Place::with_session();
    let sound = fs::read_to_string(place.path("acme.cutover")).unwrap();
    place.write("newer.cutover", sound.replacen("{\"v\":1,", "{\"v\":2,", 1));
    place.write("text.cutover", "hello\n");
    place.write("empty.cutover", "");
    std::os::unix::fs::symlink("acme.cutover", place.path("link.cutover")).unwrap();
    for (file, code, words) in [
        ("newer.cutover", 1, "newer version"),
        ("text.cutover", 12, "not a session file"),
        ("empty.cutover", 12, "empty"),
        ("link.cutover", 1, "symbolic link"),
        ("demo", 1, "not a regular file"),
    ] {
        let before = fs::read(place.path(file)).ok();
        place.run(&["-s", file, "note", "x"]).fails(code, words, 0);
        place.run(&["log", "list", file]).fails(code, words, 0);
        assert_eq!(
            fs::read(place.path(file)).ok(),
            before,
            "{file} was changed"
        );
    }
    // An event of a kind that this version does not know is listed, and its line is kept.
    assert_eq!(place.run(&["-s", "acme.cutover", "log", "verify"]).code, 0);
}

#[test]
fn foreign_text_in_arguments_comes_back_visible() {
    let place = Place::new();
    let nasty = "a\u{1b}]0;x\u{7}\u{202e}b";
    for arguments in [
        &["scan", nasty][..],
        &[nasty],
        &["--", nasty],
        &["--no-such", nasty],
        &["lane", "x", "--lane", nasty],
        &["explain", nasty],
        &["-s", nasty, "note", "x"],
        &["--actor", nasty, "init", "x"],
        &["init", "x", "--forge", nasty],
        &["init", "x", "--map", nasty, "--inventory", "x.csv"],
    ] {
        let ran = place.run(arguments);
        assert_ne!(ran.code, 0, "{}", ran.text());
        let all = ran.out + &ran.err;
        assert!(
            !all.contains('\u{1b}') && !all.contains('\u{202e}') && !all.contains('\u{7}'),
            "{all:?}"
        );
    }
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[test]
fn files_without_permission() {
    use std::os::unix::process::CommandExt as _;
    let place = Place::new();
    assert_eq!(place.run(&["init", "one"]).code, 0);
    fs::create_dir(place.path("closed")).unwrap();
    fs::create_dir(place.path("closed/.git")).unwrap();
    place.write("list.csv", "repo\nacme/ui\n");
    // Root may read everything, so the program is run as nobody, from a copy that nobody can reach.
    let program = place.dir.path().join("cutover");
    fs::copy(env!("CARGO_BIN_EXE_cutover"), &program).unwrap();
    for (path, mode) in [
        (place.dir.path().to_owned(), 0o755),
        (place.work(), 0o755),
        (place.path("one.cutover"), 0o000),
        (place.path("list.csv"), 0o000),
        (place.path("closed"), 0o000),
    ] {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
    let run = |arguments: &[&str]| {
        let mut command = place.command(&program);
        command.args(arguments);
        if is_root() {
            command.uid(65_534).gid(65_534);
        }
        place.finish(arguments, command)
    };
    if is_root() && Command::new("true").uid(65_534).status().is_err() {
        eprintln!("skipped: root here may not become nobody");
        return;
    }
    run(&["log", "list", "one.cutover"]).fails(1, "ermission denied", 1);
    run(&["-s", "one.cutover", "note", "x"]).fails(1, "ermission denied", 1);
    run(&["scan", "closed"]).fails(1, "ermission denied", 1);
    run(&["init", "two", "--inventory", "list.csv"]).fails(1, "ermission denied", 1);
    if is_root() {
        // The folder belongs to somebody else.
        run(&["init", "two"]).fails(1, "ermission denied", 1);
    }
    for path in ["one.cutover", "list.csv", "closed"] {
        fs::set_permissions(place.path(path), fs::Permissions::from_mode(0o700)).unwrap();
    }
    assert_eq!(place.run(&["log", "verify", "one.cutover"]).code, 0);
    assert!(!place.path("two.cutover").exists());
}

#[test]
fn a_full_disk() {
    let place = Place::new();
    let ran = place.run(&["scan", "nowhere"]);
    assert_eq!(ran.code, 1);
    place.unpack();
    // Standard output on a device that is always full.
    let full = fs::OpenOptions::new().write(true).open("/dev/full");
    if let Ok(full) = full {
        let output = place
            .cutover(&["scan", "demo/repos", "--format", "json"])
            .stdout(full)
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(
            said.contains("No space left") && said.contains("free some space"),
            "{said}"
        );
    }
    // A small file system of our own, where the kernel lets us have one.
    fs::create_dir(place.path("small")).unwrap();
    let script = r#"
        mount -t tmpfs -o size=16k none small || exit 77
        "$1" init small/acme --scan demo/repos; echo "init $?"; ls -A small
        umount small; mount -t tmpfs -o size=400k none small || exit 77
        "$1" init small/acme || exit 78
        cat /dev/zero > small/filler 2>/dev/null
        "$1" log export small/acme.cutover > before
        for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40; do
            "$1" -s small/acme.cutover note "$(printf '%03000d' $n)" > last 2>&1 || break
        done
        cat last
        rm small/filler
        "$1" log verify small/acme.cutover; echo "verify $?"
        "$1" -s small/acme.cutover note again; echo "again $?"
    "#;
    let mut command = place.command(std::path::Path::new("unshare"));
    command.args([
        "-rm",
        "sh",
        "-c",
        script,
        "sh",
        env!("CARGO_BIN_EXE_cutover"),
    ]);
    let output = match command.output() {
        Ok(output) if !matches!(output.status.code(), Some(77) | None) => output,
        _ => {
            eprintln!("skipped: no file system of one's own here (unshare -rm, mount)");
            return;
        }
    };
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    if said.contains("unshare:") || output.status.code() == Some(1) {
        eprintln!("skipped: {said}");
        return;
    }
    assert!(
        said.contains("init 1\n") && !said.contains("acme.cutover.\n"),
        "{said}"
    );
    assert!(
        said.contains("No space left") && said.contains("free some space"),
        "{said}"
    );
    assert!(
        said.contains("verify 0") && said.contains("again 0"),
        "{said}"
    );
}

#[test]
fn an_unknown_scenario_is_a_usage_error_that_lists_them() {
    let place = Place::new();
    let ran = place.run(&["tabletop", "--scenario", "half-monorpo"]);
    ran.fails(2, "half-monorepo", 0);
    assert!(ran.err.contains("latest-moved"), "{}", ran.text());
}
