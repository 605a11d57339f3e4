//! From a secret to a token: the workflow is printed, run under bash as a runner would, and its log taken in.

use super::place::Place;
use std::process::Command;

/// Runs the printed workflow's step with a secret in place and gives its log, as Actions prints it.
fn job(workflow: &str, repo: &str, secret: &str) -> String {
    let read: serde_json::Value = serde_saphyr::from_str(workflow).unwrap();
    let script = read["jobs"]["identify"]["steps"][0]["run"]
        .as_str()
        .unwrap();
    let output = Command::new("bash")
        .args(["--noprofile", "--norc", "-eu", "-c", script])
        .env("CUTOVER_VALUE", secret)
        .env("GITHUB_REPOSITORY", repo)
        .env("GITHUB_RUN_ID", "77")
        .env("GITHUB_RUN_ATTEMPT", "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    format!(
        "2026-12-05T09:00:00.0Z ##[group]Run {}\n2026-12-05T09:00:00.0Z ##[endgroup]\n2026-12-05T09:00:01.0Z {}",
        script.lines().next().unwrap(),
        String::from_utf8(output.stdout).unwrap()
    )
}

#[test]
fn a_secret_is_identified_by_a_job_that_holds_it() {
    let place = Place::with_session();
    let secret = "secret:NPM_TOKEN (org:acme-dec)";
    let printed = place.run(&["identify", secret]);
    assert_eq!(printed.code, 0, "{}", printed.text());
    // The same ends as the token `org-publish` in the example's list, and made here.
    let listed = std::fs::read_to_string(place.path("demo/tokens-acme-bot.json")).unwrap();
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    let listed = listed
        .as_array()
        .or_else(|| listed["objects"].as_array())
        .unwrap();
    let form = listed
        .iter()
        .find(|token| token["name"] == "org-publish")
        .and_then(|token| token["token"].as_str())
        .unwrap();
    let (start, end) = form.split_once("...").unwrap();
    let value = format!("{start}{}{end}", "q".repeat(28));
    let raw = place
        .cutover(&["identify", secret])
        .output()
        .unwrap()
        .stdout;
    let workflow = String::from_utf8(raw).unwrap();
    place.write("job.log", job(&workflow, "acme-dec/ui-kit", &value));
    place.write("elsewhere.log", job(&workflow, "other/repo", &value));
    place.write("empty.log", job(&workflow, "acme-dec/ui-kit", ""));
    let text = place.transcript(&[
        &["identify", "--log", "job.log"],
        &["identify", "--log", "job.log"],
        &["identify", "--log", "empty.log"],
        &["identify", "--log", "elsewhere.log"],
        &["identify", "--log", "demo/tokens-rosa.json"],
        &["identify", "secret:NO_SUCH"],
        &["identify", "acme-dec/ui-kit"],
        &["log", "verify"],
    ]);
    assert!(!format!("{text}{workflow}").contains(&value[4..16]));
    crate::snapshot!(text);
}

#[test]
fn a_secret_of_another_ci_system_gets_a_script_for_it() {
    let place = Place::with_session();
    let printed = place.run(&[
        "identify",
        "secret:npm-token (acme-dec/legacy-widgets, store not known)",
    ]);
    assert_eq!(printed.code, 0, "{}", printed.text());
    assert!(
        !printed.out.contains("GITHUB") && !printed.out.contains("runs-on"),
        "{}",
        printed.out
    );
    assert!(printed.err.contains("jenkins"), "{}", printed.err);
    let output = Command::new("bash")
        .args(["--noprofile", "--norc", "-c", &printed.out])
        .env("CUTOVER_VALUE", format!("npm_{}", "q".repeat(36)))
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        said.ends_with(" match=none\n"),
        "{said} {:?}",
        output.stderr
    );
}
