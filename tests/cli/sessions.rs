//! Which session is meant, how one starts, and what becomes of its file.

use super::place::Place;
use std::process::Stdio;

#[test]
fn starting_and_adding() {
    let place = Place::new();
    place.unpack();
    place.write("columns.csv", "Repository,Maintainer,Notes\nui-kit,mia,x\n");
    crate::snapshot!(place.transcript(&[
        &[],
        &["init", "acme", "--scan", "demo/repos"],
        &["init", "acme"],
        &["import", "columns.csv"],
        &[
            "import",
            "columns.csv",
            "--map",
            "Repository=repo",
            "--map",
            "Notes=-",
            "--map",
            "Maintainer=owner"
        ],
        &["import", "columns.csv", "--yes"],
        &[
            "import",
            "--tokens",
            "rosa=demo/tokens-rosa.json",
            "--owed",
            "ken"
        ],
        &["import", "--not-owed", "ken"],
        &["import"],
        &["import", "--tokens", "demo/tokens-rosa.json"],
        &["import", "--as-of", "2027-01-01", "--scan", "demo/repos"],
        &["log", "list", "--kind", "token_list_owed"],
    ]));
    assert_eq!(
        place.files(),
        [
            "acme.cutover",
            "acme.cutover.lock",
            "acme.cutover.reserve",
            "columns.csv",
            "demo"
        ]
    );
}

#[test]
fn which_session_is_meant() {
    let place = Place::new();
    let transcript = place.transcript(&[
        &["log", "head"],
        &["init", "one"],
        &["note", "in the only one"],
        &["init", "two"],
        &["note", "in which?"],
        &["-s", "two.cutover", "note", "in two"],
        &["log", "list", "one.cutover", "--kind", "note_added"],
        &["log", "list", "two.cutover", "--kind", "note_added"],
        &["-s", "three.cutover", "note", "x"],
        &[],
        &["one"],
    ]);
    crate::snapshot!(transcript);
    let mut command = place.cutover(&["note", "by environment"]);
    command.env("CUTOVER_SESSION", "one.cutover");
    assert_eq!(place.finish(&[], command).code, 0);
}

#[test]
fn nobody_is_named_but_by_the_global_configuration() {
    let place = Place::new();
    assert_eq!(place.run(&["init", "one"]).code, 0);
    let nobody = || {
        let mut command = place.cutover(&["note", "x"]);
        command.env_remove("CUTOVER_ACTOR");
        command
    };
    // What stands in the checkout is anybody's: it neither names nor runs anything.
    place.write(".git/config", "[user]\n\tname = mallory\n\temail = mallory@example.org\n[core]\n\tfsmonitor = touch ran\n");
    place.write(".git/HEAD", "ref: refs/heads/main\n");
    place
        .finish(&["note", "x"], nobody())
        .fails(1, "nobody is named", 1);
    assert!(!place.path("ran").exists());
    std::fs::write(
        place.dir.path().join("home/.gitconfig"),
        "[user]\n\tname = Ken Q\n\temail = ken@example.org\n",
    )
    .unwrap();
    let ran = place.finish(&["note", "x"], nobody());
    assert_eq!(ran.code, 0, "{}", ran.text());
    assert!(
        place
            .run(&["log", "list", "--format", "json"])
            .out
            .contains("\"by\":\"ken@example.org\"")
    );
}

#[test]
fn the_configuration_file_is_read_and_its_errors_told() {
    let place = Place::new();
    assert_eq!(place.run(&["init", "one"]).code, 0);
    let file = place.dir.path().join("home/config/cutover/config.toml");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, "actor = \"mia\"\n").unwrap();
    let mut command = place.cutover(&["note", "x"]);
    command.env_remove("CUTOVER_ACTOR");
    assert_eq!(place.finish(&[], command).code, 0);
    assert_eq!(place.run(&["note", "y"]).code, 0);
    let log = place
        .run(&["log", "list", "--kind", "note_added", "--format", "json"])
        .out;
    assert!(
        log.contains("\"by\":\"mia\"") && log.contains("\"by\":\"rosa\""),
        "{log}"
    );
    std::fs::write(&file, "colour = 1\n").unwrap();
    place
        .run(&["note", "z"])
        .fails(1, "line 1: unknown field `colour`", 1);
}

#[test]
fn copies_are_merged_and_differences_found() {
    let place = Place::new();
    assert_eq!(place.run(&["init", "one"]).code, 0);
    std::fs::copy(place.path("one.cutover"), place.path("kens.cutover")).unwrap();
    let ken = ["--actor", "ken", "-s", "kens.cutover"];
    assert_eq!(
        place.run(&[&ken[..], &["note", "from ken"]].concat()).code,
        0
    );
    assert_eq!(
        place.run(&["-s", "one.cutover", "note", "from rosa"]).code,
        0
    );
    let ran = place.run(&["-s", "one.cutover", "log", "merge", "kens.cutover"]);
    assert_eq!(ran.code, 0, "{}", ran.text());
    let ran = place.run(&[
        "log",
        "merge",
        "one.cutover",
        "kens.cutover",
        "-o",
        "all.cutover",
    ]);
    assert_eq!(ran.code, 0, "{}", ran.text());
    let other = place.run(&[
        "log",
        "merge",
        "kens.cutover",
        "one.cutover",
        "-o",
        "lla.cutover",
    ]);
    assert_eq!(other.code, 0, "{}", other.text());
    let export = |name: &str| {
        let output = place.cutover(&["log", "export", name]).output().unwrap();
        assert!(output.status.success());
        output.stdout
    };
    assert_eq!(export("all.cutover"), export("lla.cutover"));
    assert_eq!(export("all.cutover"), export("one.cutover"));
    assert_eq!(
        export("all.cutover"),
        std::fs::read(place.path("all.cutover")).unwrap()
    );
    let again = place.run(&[
        "log",
        "merge",
        "one.cutover",
        "kens.cutover",
        "-o",
        "all.cutover",
    ]);
    again.fails(1, "exists already", 0);
    for name in ["one.cutover", "all.cutover"] {
        let ran = place.run(&["log", "verify", name]);
        assert_eq!(ran.code, 0, "{}", ran.text());
    }
}

#[test]
fn damage_is_found_and_nothing_is_written_on_it() {
    let place = Place::new();
    assert_eq!(place.run(&["init", "one"]).code, 0);
    assert_eq!(place.run(&["note", "abc"]).code, 0);
    assert_eq!(place.run(&["note", "last"]).code, 0);
    let path = place.path("one.cutover");
    let sound = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, sound.replace("\"abc\"", "\"abd\"")).unwrap();
    let ran = place.run(&["log", "verify"]);
    assert_eq!(ran.code, 12, "{}", ran.text());
    assert!(
        ran.out.contains("line ") && ran.out.contains("not intact"),
        "{}",
        ran.text()
    );
    let ran = place.run(&["note", "on top"]);
    assert_eq!(ran.code, 12, "{}", ran.text());
    assert!(!std::fs::read_to_string(&path).unwrap().contains("on top"));
    // A torn tail is no damage: it is set aside by the next writer, and told.
    std::fs::write(&path, format!("{sound}{{\"v\":1,\"wri")).unwrap();
    assert_eq!(place.run(&["log", "verify"]).code, 12);
    let ran = place.run(&["note", "on"]);
    assert_eq!(ran.code, 0, "{}", ran.text());
    assert!(
        ran.err.contains("in the middle of a line"),
        "{}",
        ran.text()
    );
    // The first line is a line like any other.
    std::fs::write(
        &path,
        sound.replacen("session_created", "session_crexted", 1),
    )
    .unwrap();
    assert_eq!(place.run(&["log", "verify"]).code, 12);
}

#[test]
fn a_second_writer_is_refused_by_name() {
    let place = Place::new();
    assert_eq!(place.run(&["init", "one"]).code, 0);
    let lock = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(place.path("one.cutover.lock"))
        .unwrap();
    lock.lock().unwrap();
    place
        .run(&["note", "x"])
        .fails(1, "open in another process", 0);
    assert_eq!(place.run(&["log", "list"]).code, 0, "reading needs no lock");
}

#[test]
fn sealing_and_signing() {
    let place = Place::new();
    let keygen = std::process::Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(place.path("key"))
        .stdin(Stdio::null())
        .status();
    if !keygen.is_ok_and(|status| status.success()) {
        eprintln!("skipped: there is no ssh-keygen");
        return;
    }
    assert_eq!(place.run(&["init", "one"]).code, 0);
    let ran = place.run(&["key", "adopt", "rosa", "key"]);
    ran.fails(1, "private key", 1);
    let ran = place.run(&["key", "adopt", "rosa", "key.pub"]);
    assert_eq!(ran.code, 0, "{}", ran.text());
    place
        .run(&["key", "adopt", "ken", "key.pub"])
        .fails(1, "signature", 0);
    let ran = place.run(&["--sign-with", "key", "log", "seal"]);
    assert_eq!(ran.code, 0, "{}", ran.text());
    let ran = place.run(&["log", "verify"]);
    assert_eq!(ran.code, 0, "{}", ran.text());
    assert!(
        ran.out.contains("the seal holds") && ran.out.contains("1 good signature"),
        "{}",
        ran.text()
    );
    // A key that the roster does not know signs nothing here.
    let other = std::process::Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(place.path("other"))
        .stdin(Stdio::null())
        .status();
    assert!(other.is_ok_and(|status| status.success()));
    let lines = || {
        std::fs::read_to_string(place.path("one.cutover"))
            .unwrap()
            .lines()
            .count()
    };
    let before = lines();
    place.run(&["--sign-with", "other", "log", "seal"]).fails(
        1,
        "the roster has no such key of rosa",
        0,
    );
    place
        .run(&[
            "--sign-with",
            "other",
            "--actor",
            "ken",
            "key",
            "adopt",
            "ken",
            "other.pub",
        ])
        .fails(1, "the roster has no such key of ken", 0);
    assert_eq!(lines(), before, "nothing was written");
    assert_eq!(place.run(&["log", "verify"]).code, 0);
}

/// Puts a stand-in for `ssh-keygen` on the search path: it signs everything, and answers every check with this code.
#[cfg(unix)]
fn keygen_answers(place: &Place, code: i32) -> std::ffi::OsString {
    use std::os::unix::fs::PermissionsExt as _;
    let script = format!(
        "#!/bin/sh\ncase $2 in\nsign)\n  for last; do :; done\n  printf '%s\\n' '-----BEGIN SSH SIGNATURE-----' AAAA \
         '-----END SSH SIGNATURE-----' > \"$last.sig\" ;;\nverify) exit {code} ;;\nesac\n"
    );
    std::fs::create_dir_all(place.path("../bin")).unwrap();
    place.write("../bin/ssh-keygen", script);
    let executable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(place.path("../bin/ssh-keygen"), executable).unwrap();
    let mut search = place.path("../bin").into_os_string();
    search.push(":");
    search.push(std::env::var_os("PATH").unwrap_or_default());
    search
}

#[cfg(unix)]
#[test]
fn a_signature_that_is_not_good_is_a_question_of_trust_and_not_damage() {
    let place = Place::new();
    let run = |arguments: &[&str], code: i32| {
        let mut command = place.cutover(arguments);
        command.env("PATH", keygen_answers(&place, code));
        place.finish(arguments, command)
    };
    assert_eq!(run(&["init", "one"], 0).code, 0);
    place.write("key.pub", format!("ssh-ed25519 {}", "A".repeat(68)));
    let ran = run(&["key", "adopt", "rosa", "key.pub"], 0);
    assert_eq!(ran.code, 0, "{}", ran.text());
    let ran = run(&["--sign-with", "key.pub", "log", "seal"], 0);
    assert_eq!(ran.code, 0, "{}", ran.text());
    let good = run(&["log", "verify"], 0);
    assert!(
        good.code == 0 && good.out.contains("1 good signature"),
        "{}",
        good.text()
    );
    // Nothing of the check before is remembered: the same line is checked anew.
    let untrusted = run(&["log", "verify"], 255);
    assert_eq!(untrusted.code, 11, "{}", untrusted.text());
    let sealed = "the signature is not by a key that the roster has";
    assert!(
        untrusted.out.contains("not trusted: the hash chains hold")
            && untrusted.out.contains(sealed)
            && !untrusted.out.contains("not intact")
            && !untrusted.err.contains("merge from an intact copy"),
        "{}",
        untrusted.text()
    );
    // Damage beside it is the graver of the two, and both are told.
    let ran = run(&["note", "abc"], 0);
    assert_eq!(ran.code, 0, "{}", ran.text());
    let text = std::fs::read_to_string(place.path("one.cutover")).unwrap();
    place.write("one.cutover", text.replace("\"abc\"", "\"abd\""));
    let damaged = run(&["log", "verify"], 255);
    assert_eq!(damaged.code, 12, "{}", damaged.text());
    assert!(
        damaged.out.contains("not intact")
            && damaged.out.contains(sealed)
            && damaged
                .out
                .contains("1 seal not checked (the file is damaged)")
            && !damaged.out.contains("not trusted")
            && damaged.err.contains("merge from an intact copy"),
        "{}",
        damaged.text()
    );
}

#[test]
fn only_the_founder_puts_the_first_key_on_the_roster() {
    let place = Place::new();
    assert_eq!(place.run(&["init", "one"]).code, 0);
    let key = format!("ssh-ed25519 {}", "A".repeat(68));
    place.write("ken.pub", key);
    place
        .run(&["--actor", "ken", "key", "adopt", "ken", "ken.pub"])
        .fails(1, "only rosa, who founded the session", 0);
}

#[test]
fn a_cut_at_a_line_end_is_found_by_a_head_or_another_copy() {
    let place = Place::new();
    assert_eq!(place.run(&["init", "one"]).code, 0);
    for note in ["first", "second", "third"] {
        assert_eq!(place.run(&["note", note]).code, 0);
    }
    let whole = std::fs::read_to_string(place.path("one.cutover")).unwrap();
    // What `log head` prints, which transcripts mask.
    let (_, last) = whole.trim_end().rsplit_once("\"hash\":\"").unwrap();
    let hash = last.trim_end_matches("\"}").to_owned();
    place.write("copy.kept", &whole);
    let kept = place.run(&["log", "verify", "--head", &hash, "--against", "copy.kept"]);
    assert_eq!(kept.code, 0, "{}", kept.text());
    assert!(
        kept.out.contains("every line of copy.kept is here"),
        "{}",
        kept.text()
    );
    let shorter: String = whole
        .lines()
        .take(whole.lines().count() - 1)
        .map(|line| format!("{line}\n"))
        .collect();
    place.write("one.cutover", shorter);
    let alone = place.run(&["log", "verify"]);
    assert!(
        alone.code == 0 && alone.err.contains("leave no trace in the file itself"),
        "{}",
        alone.text()
    );
    let cut = place.run(&["log", "verify", "--head", &hash]);
    assert!(
        cut.code == 12 && cut.out.contains("lines were cut off"),
        "{}",
        cut.text()
    );
    let beside = place.run(&["log", "verify", "--against", "copy.kept"]);
    assert!(
        beside.code == 12 && beside.out.contains("1 event of copy.kept: missing here"),
        "{}",
        beside.text()
    );
}

/// The hash of a line, which transcripts mask.
fn hash_of(line: &str) -> String {
    let (_, hash) = line.rsplit_once("\"hash\":\"").unwrap();
    hash.trim_end_matches("\"}").to_owned()
}

#[test]
fn a_head_is_the_present_one_or_an_older_line() {
    let place = Place::new();
    assert_eq!(place.run(&["init", "one"]).code, 0);
    for note in ["first", "second", "third"] {
        assert_eq!(place.run(&["note", note]).code, 0);
    }
    let whole = std::fs::read_to_string(place.path("one.cutover")).unwrap();
    let line = |note: &str| whole.lines().find(|line| line.contains(note)).unwrap();
    let head = |note: &str| place.run(&["log", "verify", "--head", &hash_of(line(note))]);
    let present = head("\"third\"");
    assert!(
        present.code == 0 && present.out.contains("is the present head of its chain"),
        "{}",
        present.text()
    );
    let older = head("\"first\"");
    assert!(
        older.code == 0 && older.out.contains("is an older line of its chain"),
        "{}",
        older.text()
    );
    assert!(!older.out.contains("present head"), "{}", older.text());
}

#[test]
fn a_damaged_file_is_compared_as_far_as_its_lines_are_sound() {
    let place = Place::new();
    assert_eq!(place.run(&["init", "one"]).code, 0);
    for note in ["first", "second", "third"] {
        assert_eq!(place.run(&["note", note]).code, 0);
    }
    let whole = std::fs::read_to_string(place.path("one.cutover")).unwrap();
    let hash = |note: &str| hash_of(whole.lines().find(|line| line.contains(note)).unwrap());
    place.write("copy.kept", &whole);
    place.write("one.cutover", whole.replace("\"second\"", "\"sechnd\""));
    for (note, words) in [
        ("\"first\"", "is an older line of its chain"),
        ("\"second\"", "no sound line has the hash"),
        ("\"third\"", "cannot be judged, since the file is damaged"),
    ] {
        let ran = place.run(&["log", "verify", "--head", &hash(note)]);
        assert!(ran.code == 12 && ran.out.contains(words), "{}", ran.text());
        assert!(!ran.out.contains("present head"), "{}", ran.text());
    }
    let ran = place.run(&["log", "verify", "--against", "copy.kept"]);
    assert!(
        ran.code == 12
            && ran
                .out
                .contains("1 event of copy.kept: missing or damaged here"),
        "{}",
        ran.text()
    );
    // The other way round the file is intact, and still nobody may take it for compared.
    place.write("copy.kept", whole.replace("\"second\"", "\"sechnd\""));
    place.write("one.cutover", &whole);
    let ran = place.run(&["log", "verify", "--against", "copy.kept"]);
    assert!(
        ran.code == 12
            && ran
                .out
                .contains("1 line of it not compared: that copy is damaged itself")
            && ran
                .out
                .contains("one.cutover: intact in itself, and compared in part only"),
        "{}",
        ran.text()
    );
}

#[test]
fn the_console_asks_for_a_terminal() {
    let place = Place::new();
    assert_eq!(place.run(&["init", "one"]).code, 0);
    place.run(&["open"]).fails(1, "needs a terminal", 1);
    place.run(&[]).fails(1, "needs a terminal", 1);
}

#[test]
fn output_that_nobody_reads_is_no_failure() {
    let place = Place::with_session();
    for arguments in [&["man"][..], &["log", "export"]] {
        let mut child = place
            .cutover(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {said}");
        assert!(said.is_empty(), "{arguments:?}: {said}");
    }
}

#[test]
fn the_log_file_says_what_was_done() {
    let place = Place::new();
    assert_eq!(place.run(&["--log-file", "run.log", "init", "one"]).code, 0);
    assert_eq!(
        place
            .run(&[
                "--log-file",
                "run.log",
                "note",
                "x",
                "--about",
                "nobody/here"
            ])
            .code,
        1
    );
    let log = std::fs::read_to_string(place.path("run.log")).unwrap();
    assert!(
        log.contains("started") && log.contains("ended") && log.contains("nothing here is called"),
        "{log}"
    );
}

#[test]
fn the_example_needs_no_terminal() {
    let place = Place::new();
    let mut command = place.cutover(&["demo", "--into", "example"]);
    command.env_remove("CUTOVER_ACTOR").env("USER", "kim");
    let ran = place.finish(&["demo"], command);
    assert_eq!(ran.code, 0, "{}", ran.text());
    assert!(ran.err.contains("example"), "{}", ran.text());
    assert!(ran.out.contains("acme-dec/ui-kit"), "{}", ran.text());
    let log = place
        .run(&[
            "log",
            "list",
            "example/demo.cutover",
            "--all",
            "--format",
            "json",
        ])
        .out;
    assert!(log.contains("kim+unconfirmed"), "{log}");
    let again = place.run(&["demo", "--into", "example"]);
    assert_eq!(again.code, 1, "{}", again.text());
}

#[test]
fn a_damaged_session_says_so_first_wherever_it_is_read() {
    let place = Place::with_session();
    assert_eq!(place.run(&["note", "abc"]).code, 0);
    assert_eq!(place.run(&["note", "last"]).code, 0);
    let path = place.path("acme.cutover");
    let sound = std::fs::read_to_string(&path).unwrap();
    let line = 1 + sound
        .lines()
        .position(|line| line.contains("\"abc\""))
        .unwrap();
    std::fs::write(&path, sound.replace("\"abc\"", "\"abd\"")).unwrap();
    let words = format!("damaged in line {line}: ");
    for arguments in [
        &["status"][..],
        &["status", "--format", "json"],
        &["report"],
        &["report", "--format", "markdown"],
        &["log", "list"],
        &["log", "head"],
        &["canaries"],
        &["refresh"],
        &["note", "x"],
    ] {
        let ran = place.run(arguments);
        let first = ran.err.lines().next().unwrap_or_default().to_owned();
        assert!(first.contains(&format!("in line {line}")), "{}", ran.text());
        assert!(ran.err.contains("cutover log verify"), "{}", ran.text());
    }
    assert!(place.run(&["status"]).err.contains(&words));
    for format in ["text", "markdown"] {
        let report = place.run(&["report", "--format", format]).out;
        let top: String = report.lines().take(6).collect();
        assert!(top.contains("not intact") && top.contains(&words), "{top}");
        assert_eq!(report.matches(&words).count(), 1, "{report}");
    }
}

#[test]
fn what_is_no_session_is_told_alike_by_all_verbs() {
    let place = Place::new();
    place.write("binary.cutover", [0_u8, 159, 146, 150, 10]);
    place.write("empty.cutover", "");
    for (file, words) in [
        ("binary.cutover", "not a session file"),
        ("empty.cutover", "the file is empty"),
    ] {
        let said: Vec<String> = [
            &["status", file][..],
            &["log", "verify", file],
            &["report", file],
        ]
        .into_iter()
        .map(|arguments| {
            let ran = place.run(arguments);
            ran.fails(12, words, 0);
            ran.err
        })
        .collect();
        assert!(said.iter().all(|one| *one == said[0]), "{said:?}");
    }
}

#[test]
fn a_torn_end_needs_no_other_copy() {
    let place = Place::new();
    assert_eq!(place.run(&["init", "one"]).code, 0);
    let path = place.path("one.cutover");
    let sound = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{sound}{{\"v\":1")).unwrap();
    let ran = place.run(&["log", "verify"]);
    assert_eq!(ran.code, 12);
    assert!(
        ran.out.contains("6 bytes that were never acknowledged"),
        "{}",
        ran.text()
    );
    assert!(ran.err.contains("sets it aside"), "{}", ran.text());
    assert!(!ran.err.contains("merge"), "{}", ran.text());
}

#[test]
fn a_second_copy_on_one_device_is_told_once() {
    let place = Place::new();
    assert_eq!(place.run(&["init", "one"]).code, 0);
    std::fs::copy(place.path("one.cutover"), place.path("two.cutover")).unwrap();
    assert_eq!(place.run(&["-s", "one.cutover", "note", "a"]).code, 0);
    let told = |file: &str| {
        let ran = place.run(&["-s", file, "note", "b"]);
        assert_eq!(ran.code, 0, "{}", ran.text());
        ran.err
    };
    let first = told("two.cutover");
    assert_eq!(first.lines().count(), 1, "{first}");
    assert!(first.contains("cutover log merge OTHER-COPY"), "{first}");
    assert_eq!(told("two.cutover"), "");
    // The first copy lacks what was written into the second since: that is told once, too.
    assert!(told("one.cutover").lines().count() <= 1);
    assert_eq!(told("one.cutover"), "");
}

#[test]
fn a_merge_names_what_it_made_contested() {
    let place = Place::with_session();
    std::fs::copy(place.path("acme.cutover"), place.path("kens.cutover")).unwrap();
    for (actor, file) in [("ken", "kens.cutover"), ("mei", "acme.cutover")] {
        let ran = place.run(&[
            "--actor",
            actor,
            "-s",
            file,
            "assign",
            "acme-dec/cli",
            "--owner",
            actor,
        ]);
        assert_eq!(ran.code, 0, "{}", ran.text());
    }
    // Anybody can call themselves ken in a copy.
    let before = std::fs::read(place.path("acme.cutover")).unwrap();
    let ran = place.run(&["-s", "acme.cutover", "log", "merge", "kens.cutover"]);
    assert_eq!(ran.code, 1, "{}", ran.text());
    assert!(
        ran.err.contains("speaks for ken. Nothing was taken"),
        "{}",
        ran.text()
    );
    assert_eq!(std::fs::read(place.path("acme.cutover")).unwrap(), before);
    let accepted = [
        "-s",
        "acme.cutover",
        "log",
        "merge",
        "--accept",
        "kens.cutover",
    ];
    let ran = place.run(&accepted);
    assert!(
        ran.err
            .contains("1 decision is now contested: owner of acme-dec/cli (ken, mei)")
            || ran
                .err
                .contains("1 decision is now contested: owner of acme-dec/cli (mei, ken)"),
        "{}",
        ran.text()
    );
    let ran = place.run(&["-s", "acme.cutover", "log", "merge", "kens.cutover"]);
    assert!(!ran.err.contains("contested"), "{}", ran.text());
    let mut command = place.cutover(&["status", "acme.cutover"]);
    command.env_remove("COLUMNS");
    let status = place.finish(&[], command).out;
    let row = status
        .lines()
        .find(|line| line.contains("acme-dec/cli "))
        .unwrap();
    assert!(
        row.starts_with("≠ ") && row.contains("decide between "),
        "{row}"
    );
}

#[test]
fn what_is_piped_is_not_cut_unless_columns_says_so() {
    let place = Place::with_session();
    for arguments in [&["status", "acme.cutover"][..], &["scan", "demo/repos"]] {
        let mut command = place.cutover(arguments);
        command.env_remove("COLUMNS");
        let ran = place.finish(arguments, command);
        // A cell that was cut: what stands after it is the next column.
        assert!(!ran.out.contains("…  "), "{}", ran.text());
        let narrow = place.run(arguments);
        assert!(narrow.out.contains("…  "), "{}", narrow.text());
    }
}

#[test]
fn a_token_list_of_another_account_is_refused() {
    let place = Place::with_session();
    let before = std::fs::read(place.path("acme.cutover")).unwrap();
    place
        .run(&["import", "--tokens", "ken=demo/tokens-rosa.json"])
        .fails(1, "these tokens are rosa's, not ken's (", 1);
    assert_eq!(std::fs::read(place.path("acme.cutover")).unwrap(), before);
    let ran = place.run(&["import", "--tokens", "rosa=demo/tokens-rosa.json"]);
    assert_eq!(ran.code, 0, "{}", ran.text());
    place
        .run(&[
            "init",
            "new",
            "--tokens",
            "rosa=demo/tokens-rosa.json",
            "ken=demo/tokens-rosa.json",
        ])
        .fails(1, "are in rosa's list of 2026-12-05)", 1);
    assert!(!place.path("new.cutover").exists());
}

#[test]
fn an_exercise_is_kept_in_a_file_of_its_own() {
    let place = Place::new();
    place.write("kept.cutover", "there already");
    for arguments in [
        &["tabletop", "--keep", "kept"][..],
        &["tabletop", "-s", "kept.cutover"],
    ] {
        place
            .run(arguments)
            .fails(1, "kept.cutover exists already", 1);
    }
    place
        .run(&["--read-only", "tabletop"])
        .fails(2, "which --read-only forbids", 1);
    let ran = place.run(&["tabletop", "--repos", "2", "-s", "mine"]);
    assert_eq!(ran.code, 0, "{}", ran.text());
    assert!(place.path("mine.cutover").exists(), "{}", ran.text());
    assert_eq!(place.run(&["log", "verify", "mine.cutover"]).code, 0);
}

#[test]
fn causes_and_checks_are_explained_too() {
    let place = Place::new();
    for (name, words) in [
        ("token-dead", "a cause of a failed publish"),
        ("npm-version", "a check of `cutover preflight`"),
        ("lane-chosen", "a gate of wave 1"),
    ] {
        let ran = place.run(&["explain", name]);
        assert_eq!(ran.code, 0, "{}", ran.text());
        assert!(ran.out.contains(words), "{}", ran.text());
    }
    place
        .run(&["explain", "token-ded"])
        .fails(3, "token-dead", 1);
}

const RELEASE: &str = "on: push\njobs:\n  publish:\n    runs-on: ubuntu-latest\n    steps:\n      - run: npm publish\n        env:\n          NODE_AUTH_TOKEN: ${{ secrets.NPM_TOKEN }}\n";

fn checkout_with_release(place: &Place) {
    place.write(
        "repo/.git/config",
        "[remote \"origin\"]\n\turl = https://github.com/acme/widget\n",
    );
    place.write(
        "repo/package.json",
        "{\"name\":\"@acme/widget\",\"version\":\"1.0.0\"}",
    );
    place.write("repo/.github/workflows/release.yml", RELEASE);
}

#[test]
fn a_renamed_workflow_says_what_was_decided_of_the_old_one() {
    let place = Place::new();
    checkout_with_release(&place);
    assert_eq!(place.run(&["init", "r", "--scan", "repo"]).code, 0);
    let lane = place.run(&[
        "lane",
        "acme/widget",
        "--lane",
        "trusted",
        "--why",
        "hosted",
    ]);
    assert_eq!(lane.code, 0, "{}", lane.text());
    let armed = [
        "attest",
        "armed",
        "--about",
        "acme/widget",
        "--note",
        "registered for release.yml",
    ];
    assert_eq!(place.run(&armed).code, 0);
    std::fs::rename(
        place.path("repo/.github/workflows/release.yml"),
        place.path("repo/.github/workflows/publish.yml"),
    )
    .unwrap();
    let ran = place.run(&["import", "--scan", "repo"]);
    for words in [
        "acme/widget:release.yml#publish is gone",
        "acme/widget:publish.yml#publish looks like it",
        "attested armed, lane trusted",
        "names release.yml has to be registered anew",
    ] {
        assert!(ran.err.contains(words), "{words}: {}", ran.text());
    }
    let again = place.run(&["import", "--scan", "repo"]);
    assert!(
        !again.err.contains("is gone"),
        "said once: {}",
        again.text()
    );
    let status = place.run(&["status"]);
    assert!(
        status.out.contains("release.yml#publish is gone"),
        "{}",
        status.text()
    );
}

#[test]
fn a_secret_whose_store_is_learnt_says_what_was_decided_of_it() {
    let place = Place::new();
    checkout_with_release(&place);
    place.write(
        "bot.json",
        r#"[{"key": "***", "token": "npm_aBcD...wXyZ", "name": "release", "created": "2026-09-11T19:22:41.087Z", "id": "b3f08d"}]"#,
    );
    place.write(
        "repos.csv",
        "repo,owner,secret_name,secret_store\nacme/widget,rosa,NPM_TOKEN,organisation\n",
    );
    assert_eq!(
        place
            .run(&["init", "r", "--scan", "repo", "--tokens", "bot=bot.json"])
            .code,
        0
    );
    let edge = [
        "edge",
        "token:bot/release",
        "secret:NPM_TOKEN",
        "--holds",
        "--note",
        "compared",
    ];
    assert_eq!(place.run(&edge).code, 0);
    let ran = place.run(&["import", "--inventory", "repos.csv", "--yes"]);
    for words in [
        "NPM_TOKEN (acme/widget, store not known) is gone",
        "NPM_TOKEN (org:acme) looks like it",
        "whether it holds bot/release",
    ] {
        assert!(ran.err.contains(words), "{words}: {}", ran.text());
    }
}

#[test]
fn a_renamed_repository_says_what_was_decided_of_the_old_one() {
    let place = Place::new();
    checkout_with_release(&place);
    assert_eq!(place.run(&["init", "r", "--scan", "repo"]).code, 0);
    let owner = ["assign", "acme/widget", "--owner", "mia"];
    assert_eq!(place.run(&owner).code, 0);
    let config = place.path("repo/.git/config");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, text.replace("acme/widget", "acme/gadget")).unwrap();
    let ran = place.run(&["import", "--scan", "repo"]);
    for words in [
        "acme/gadget publishes what acme/widget publishes",
        "does not follow: owner",
        "Decide it again of acme/gadget",
    ] {
        assert!(ran.err.contains(words), "{words}: {}", ran.text());
    }
    let again = ["assign", "acme/gadget", "--owner", "mia"];
    assert_eq!(place.run(&again).code, 0);
    let ran = place.run(&["import", "--scan", "repo"]);
    assert!(!ran.err.contains("publishes what"), "{}", ran.text());
}
