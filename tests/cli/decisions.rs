//! Every decision of the console also works without it.

use super::place::Place;

#[test]
fn a_cutover_by_script() {
    let place = Place::with_session();
    crate::snapshot!(place.transcript(&[
        &[
            "assign",
            "acme-dec/ui-kit",
            "acme-dec/forms",
            "--owner",
            "rosa",
            "--reviewer",
            "ken"
        ],
        &["assign", "--commander", "mia", "--second-approver", "ken"],
        &[
            "lane",
            "acme-dec/ui-kit",
            "--lane",
            "trusted",
            "--why",
            "hosted runner"
        ],
        &[
            "lane",
            "acme-dec/cli",
            "--lane",
            "bridge",
            "--until",
            "+14d",
            "--why",
            "waits for a hosted runner"
        ],
        &[
            "plan",
            "acme-dec/ui-kit",
            "--by",
            "canary",
            "--note",
            "Friday"
        ],
        &[
            "attest",
            "tabletop-run",
            "--note",
            "ran on 2026-12-04, all hands",
            "--link",
            "https://wiki.example/run"
        ],
        &[
            "waive",
            "environment-protected",
            "--about",
            "acme-dec/ui-kit",
            "--why",
            "not on this plan",
            "--until",
            "+30d"
        ],
        &["note", "kick-off at ten"],
        &["note", "ask ken", "--about", "acme-dec/cli"],
        &[
            "evidence",
            "add",
            "--text",
            "seen in the settings",
            "--about",
            "acme-dec/ui-kit"
        ],
        &["evidence", "add", "--url", "https://ci.example/run/7"],
        &["evidence", "add", "--file", "demo/tokens-rosa.json"],
        &[
            "edge",
            "token:acme-bot/org-publish",
            "secret:NPM_TOKEN (org:acme-dec)",
            "--holds",
            "--note",
            "set by rosa in May"
        ],
        &[
            "carry-over",
            "acme-dec/legacy-widgets",
            "--owner",
            "ken",
            "--until",
            "+30d",
            "--why",
            "moves to another CI"
        ],
        &[
            "follow-up",
            "rotate the bridge token",
            "--on",
            "+10d",
            "--about",
            "acme-dec/cli"
        ],
        &["canaries", "acme-dec/forms", "acme-dec/charts"],
        &["canaries"],
        &["representatives", "acme-dec/ui-kit", "acme-dec/cli"],
        &["undo"],
        &["log", "list", "--last", "6"],
    ]));
    let ran = place.run(&["log", "verify"]);
    assert_eq!(ran.code, 0, "{}", ran.text());
    for sample in ["canaries", "representatives"] {
        let ran = place.run(&[sample, "--accept"]);
        assert_eq!(ran.code, 0, "{}", ran.text());
    }
}

#[test]
fn refusals_say_what_to_do() {
    let place = Place::with_session();
    let before = std::fs::read(place.path("acme.cutover")).unwrap();
    crate::snapshot!(place.transcript(&[
        &["assign", "acme-dec/ui-kit"],
        &["assign", "--owner", "rosa"],
        &[
            "assign",
            "acme-dec/ui-kit",
            "--owner",
            "rosa",
            "--reviewer",
            "rosa"
        ],
        &["assign", "acme-dec/none", "--owner", "rosa"],
        &["assign", "acme-dec/ui-kit", "--owner", "no body"],
        &["lane", "acme-dec/ui-kit", "--lane", "magic"],
        &["lane", "acme-dec/ui-kit", "--until", "tomorrow"],
        &["attest", "owner_named", "--note", "x"],
        &["attest", "tabletop-run", "--note", " "],
        &[
            "attest",
            "tabletop-run",
            "--note",
            "x",
            "--link",
            "javascript:alert(1)"
        ],
        &[
            "waive",
            "owner-named",
            "--about",
            "acme-dec/ui-kit",
            "--why",
            "x",
            "--until",
            "2020-01-01"
        ],
        &["evidence", "add"],
        &["evidence", "add", "--file", "nothing.png"],
        &["undo", "wabcdefghij2:5"],
        &["--actor", "no body", "note", "x"],
        &["--read-only", "note", "x"],
        &["canaries", "acme-dec/none"],
    ]));
    assert_eq!(
        std::fs::read(place.path("acme.cutover")).unwrap(),
        before,
        "a refusal wrote something"
    );
}

#[test]
fn what_has_a_form_of_its_own_is_refused_with_it() {
    let place = Place::with_session();
    let before = std::fs::read(place.path("acme.cutover")).unwrap();
    let token = "token:acme-bot/org-publish";
    let far = ["--why", "x", "--until", "2028-01-01"];
    let past = ["follow-up", "rotate", "--on", "2020-01-01"];
    crate::snapshot!(place.transcript(&[
        &["edge", token, "secret:NPM_TOKEN", "--note", "x"],
        &["lane", "acme-dec/cli"],
        &["lane", "acme-dec/legacy-widgets", "--lane", "trusted"],
        &["attest", "lane-chosen", "--note", "x"],
        &["attest", "secret-token-known", "--note", "x"],
        &["attest", "owner-named", "--note", "x"],
        &["attest", "sprawl-hunted", "--note", "x"],
        &[
            "attest",
            "sprawl-hunted",
            "--note",
            "x",
            "--about",
            "acme-dec/cli"
        ],
        &[&["waive", "tabletop-run"][..], &far].concat(),
        &past,
        &[
            "carry-over",
            "acme-dec/cli",
            "--owner",
            "ken",
            "--why",
            "x",
            "--until",
            "2020-01-01"
        ],
        &["evidence", "add", "--url", "seen on a screen"],
        &["log", "list", "--kind", "foo"],
        &["import", "--owed", "rosa", "--not-owed", "rosa"],
        &["import", "--not-owed", "nobody"],
        &["import", "--secrets", "acme=nothing.json"],
        &["demo", "--into", "demo"],
        &["explain", "representatives"],
        &["explain", "secret-token-known"],
    ]));
    assert_eq!(
        std::fs::read(place.path("acme.cutover")).unwrap(),
        before,
        "a refusal wrote something"
    );
}

#[test]
fn a_credential_in_a_note_is_refused_and_not_kept() {
    let place = Place::with_session();
    let token = format!("npm_{}", "x9Y".repeat(12));
    let ran = place.run(&["note", &format!("it was {token}")]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.err.contains("credential") && !ran.err.contains(&token),
        "{}",
        ran.err
    );
    assert!(
        !std::fs::read_to_string(place.path("acme.cutover"))
            .unwrap()
            .contains(&token)
    );
}

#[test]
fn a_revocation_is_recorded_with_the_id_compared() {
    let place = Place::with_session();
    let listed = std::fs::read_to_string(place.path("demo/tokens-rosa.json")).unwrap();
    let tokens: serde_json::Value = serde_json::from_str(&listed).unwrap();
    let first = tokens.as_array().and_then(|all| all.first()).unwrap();
    let key = first["key"]
        .as_str()
        .or_else(|| first["id"].as_str())
        .unwrap()
        .to_owned();
    let token = format!("token:rosa/{}", &key[..8]);
    let wrong = place.run(&[
        "revocation",
        "record",
        &token,
        "--id",
        "0000",
        "--on",
        "2026-12-05",
        "--proof",
        "seen gone",
    ]);
    wrong.fails(1, "not the token's", 1);
    let record = [
        "revocation",
        "record",
        &token,
        "--id",
        &key,
        "--on",
        "2026-12-05",
        "--proof",
        "seen gone",
    ];
    // Nobody can be asked here, and what is recorded stays: it needs the token's name.
    let before = std::fs::read(place.path("acme.cutover")).unwrap();
    let asked = place.run(&record);
    asked.fails(2, "cannot be undone", 1);
    assert!(
        asked.err.contains("secrets may hold it"),
        "{}",
        asked.text()
    );
    let quoted = asked.err.split("--confirm ").nth(1).unwrap();
    let name = quoted
        .split('`')
        .next()
        .unwrap()
        .trim_matches('\'')
        .to_owned();
    place
        .run(&[&record[..], &["--confirm", "rosa/another"]].concat())
        .fails(1, "is not the token's name", 1);
    assert_eq!(std::fs::read(place.path("acme.cutover")).unwrap(), before);
    assert_eq!(place.run(&["note", "before"]).code, 0);
    let ran = place.run(&["assign", "acme-dec/cli", "--owner", "mia"]);
    let older = ran.out.split_whitespace().next().unwrap().to_owned();
    assert_eq!(older, "[EVENT]", "{}", ran.text());
    let right = place.run(&[&record[..], &["--confirm", &name]].concat());
    assert_eq!(right.code, 0, "{}", right.text());
    assert!(
        right.out.contains("revocation_recorded"),
        "{}",
        right.text()
    );
    assert!(
        right.err.contains("secrets may hold it"),
        "{}",
        right.text()
    );
    // It cannot be undone; the decision before it can, by its event.
    let undo = place.cutover(&["undo"]).output().unwrap();
    assert_eq!(undo.status.code(), Some(1));
    let said = String::from_utf8(undo.stderr).unwrap();
    let command = said.split('`').nth(1).unwrap();
    let event = command.strip_prefix("cutover undo ").unwrap();
    let ran = place.run(&["undo", event]);
    assert!(
        ran.out.contains("decision_undone  acme-dec/cli"),
        "{}",
        ran.text()
    );
    // A later list that still has it wins over the word.
    let mut command = place.cutover(&["import", "--tokens", "rosa=demo/tokens-rosa.json"]);
    command.env("CUTOVER_NOW", "2026-12-07T10:00:00Z");
    assert_eq!(place.finish(&[], command).code, 0);
    for arguments in [&["status"][..], &["report"]] {
        let mut command = place.cutover(arguments);
        command.env_remove("COLUMNS");
        let ran = place.finish(arguments, command);
        let words = "recorded as revoked on 2026-12-05, but listed on 2026-12-07";
        assert!(ran.out.contains(words), "{}", ran.text());
    }
}

#[test]
fn one_person_is_not_both_commander_and_second_approver() {
    let place = Place::with_session();
    let both = ["assign", "--commander", "mia", "--second-approver", "mia"];
    place
        .run(&both)
        .fails(1, "cannot be the second approver", 1);
    assert_eq!(place.run(&["assign", "--commander", "mia"]).code, 0);
    place
        .run(&["assign", "--second-approver", "mia"])
        .fails(1, "cannot be the second approver", 1);
    let swapped = ["assign", "--commander", "ken", "--second-approver", "mia"];
    let ran = place.run(&swapped);
    assert_eq!(ran.code, 0, "{}", ran.text());
    place
        .run(&["assign", "--commander", "mia"])
        .fails(1, "cannot be the second approver", 1);
}

#[test]
fn a_sample_is_of_repositories_whose_packages_are_known() {
    let place = Place::with_session();
    place.write(
        "bare/.git/config",
        "[remote \"origin\"]\n\turl = https://github.com/acme-dec/bare.git\n",
    );
    place.write("bare/.git/HEAD", "ref: refs/heads/main\n");
    place.write(
        "bare/.github/workflows/release.yml",
        "on: push\njobs:\n  publish:\n    runs-on: windows-latest\n    steps:\n      - run: npm publish\n",
    );
    let ran = place.run(&["import", "--scan", "bare"]);
    assert_eq!(ran.code, 0, "{}", ran.text());
    assert!(place.run(&["status"]).out.contains("acme-dec/bare"));
    for sample in ["canaries", "representatives"] {
        let ran = place.run(&[sample]);
        assert!(!ran.out.contains("acme-dec/bare"), "{}", ran.text());
    }
}
