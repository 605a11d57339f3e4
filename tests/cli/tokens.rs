//! Token lists as npm prints them: masked keys, what a later list lacks, and a token that took another's place.

use super::place::Place;

/// One row as npm 11.19 and later print it.
fn row(id: &str, name: &str, created: &str) -> String {
    format!(
        r#"{{"key": "***", "token": "npm_aBcD...wXyZ", "name": "{name}", "created": "{created}", "id": "{id}",
        "expiry": "2027-01-10T00:00:00.000Z", "readonly": false, "bypass_2fa": true}}"#
    )
}

const WORKFLOW: &str = "on: push
jobs:
  publish:
    runs-on: ubuntu-latest
    steps:
      - run: npm publish
        env:
          NODE_AUTH_TOKEN: ${{ secrets.NPM_TOKEN }}
";

/// A session with one repository that publishes with a secret, and one token of `bot`.
fn with_a_token() -> Place {
    let place = Place::new();
    place.write("ui/.github/workflows/release.yml", WORKFLOW);
    place.write("ui/package.json", r#"{"name": "@acme/ui"}"#);
    place.write(
        "ui/.git/config",
        "[remote \"origin\"]\n\turl = https://github.com/acme/ui.git\n",
    );
    place.write("ui/.git/HEAD", "ref: refs/heads/main\n");
    let old = row("b3f08d", "release", "2026-09-11T19:22:41.087Z");
    place.write("old.json", format!("[{old}]"));
    let new = row("c4a19e", "release-2", "2026-11-29T09:22:41.087Z");
    place.write("both.json", format!("[{old},{new}]"));
    place.write("new.json", format!("[{new}]"));
    let made = place.run(&[
        "init",
        "acme",
        "--scan",
        "ui",
        "--tokens",
        "bot=old.json",
        "--as-of",
        "2026-11-20",
    ]);
    assert_eq!(made.code, 0, "{}", made.text());
    place
}

#[test]
fn what_a_later_list_lacks_is_absent_and_nowhere_listed() {
    let place = with_a_token();
    let listed = place.run(&["report"]);
    assert!(!listed.out.contains("absent"), "{}", listed.text());
    let _ = place.run(&[
        "import",
        "--tokens",
        "bot=new.json",
        "--as-of",
        "2026-11-30",
    ]);
    let words = "absent from the list of 2026-11-30 (which does not prove to be complete)";
    for arguments in [&["report"][..], &["status", "--format", "json"]] {
        let mut command = place.cutover(arguments);
        command.env_remove("COLUMNS");
        let ran = place.finish(arguments, command);
        assert!(ran.out.contains(words), "{}", ran.text());
        let listed = ["still show", "still list", "bot/release: listed"];
        assert!(
            listed.iter().all(|one| !ran.out.contains(one)),
            "{}",
            ran.text()
        );
    }
}

#[test]
fn a_renewed_token_takes_the_place_of_the_old_one() {
    let place = with_a_token();
    let _ = place.run(&[
        "import",
        "--tokens",
        "bot=both.json",
        "--as-of",
        "2026-11-30",
    ]);
    crate::snapshot!(place.transcript(&[
        &[
            "edge",
            "token:bot/release-2",
            "--replaces",
            "token:bot/release",
            "--note",
            "rotated"
        ],
        &[
            "edge",
            "token:bot/release",
            "secret:NPM_TOKEN",
            "--holds",
            "--note",
            "set it myself"
        ],
        &[
            "edge",
            "token:bot/release-2",
            "--replaces",
            "token:bot/release-2",
            "--note",
            "rotated"
        ],
        &[
            "edge",
            "token:bot/release-2",
            "--replaces",
            "token:bot/release",
            "--note",
            "rotated"
        ],
        &["log", "list", "--kind", "secret_edge_attested"],
        &["status"],
        &["undo"],
        &["edge", "token:bot/release-2", "--note", "nothing"],
    ]));
}

#[test]
fn tokens_of_one_name_are_told_apart_everywhere() {
    let place = with_a_token();
    let twice = [
        row("b3f08d", "release", "2026-09-11T19:22:41.087Z"),
        row("c4a19e", "release", "2026-11-29T09:22:41.087Z"),
        row("d5b2af", "", "2026-11-29T09:22:41.087Z"),
    ];
    place.write("twice.json", format!("[{}]", twice.join(",")));
    crate::snapshot!(place.transcript(&[
        &[
            "import",
            "--tokens",
            "bot=twice.json",
            "--as-of",
            "2026-11-30"
        ],
        &["import", "--tokens", "mia=twice.json"],
        &["status"],
        &[
            "edge",
            "token:bot/release",
            "secret:NPM_TOKEN",
            "--holds",
            "--note",
            "set it myself"
        ],
        &[
            "edge",
            "token:bot/release (c4a19e)",
            "secret:NPM_TOKEN",
            "--holds",
            "--note",
            "set it myself"
        ],
        &[
            "edge",
            "token:bot/d5b2",
            "secret:NPM_TOKEN",
            "--not",
            "--note",
            "set it myself"
        ],
    ]));
    let row = &twice[0];
    place.write("alike.json", format!("[{row},\n{row}]"));
    place
        .run(&["import", "--tokens", "bot=alike.json"])
        .fails(1, "lines 1 and 3", 0);
}

#[test]
fn lists_of_other_commands_are_taken_in_and_failed_ones_refused() {
    let place = with_a_token();
    place.write(
        "trust.json",
        "\n{\n  \"id\": \"1\",\n  \"type\": \"github\",\n  \"file\": \"release.yml\",\n  \"repository\": \"acme/ui\"\n}\n\n{ \"id\": \"2\", \"type\": \"circleci\" }\n",
    );
    place.write(
        "failed.json",
        "{\"error\": {\"code\": \"EOTP\", \"summary\": \"x\"}}\n",
    );
    place.write(
        "secrets.json",
        "[{\"name\": \"NPM_TOKEN\", \"updatedAt\": \"2026-09-12T08:00:00Z\"}]",
    );
    place.write("packages.json", "{\"@acme/ui\": \"read-write\"}");
    crate::snapshot!(place.transcript(&[
        &["import", "--trust", "@acme/ui=failed.json"],
        &[
            "import",
            "--trust",
            "@acme/ui=trust.json",
            "--as-of",
            "2026-11-30"
        ],
        &["import", "--secrets", "vault:acme=secrets.json"],
        &["import", "--secrets", "org:other=secrets.json"],
        &[
            "import",
            "--secrets",
            "repo:acme/ui=secrets.json",
            "org:acme=secrets.json"
        ],
        &["import", "--packages", "acme=failed.json"],
        &["import", "--packages", "acme=packages.json"],
        &["log", "list", "--kind", "observed"],
    ]));
}
