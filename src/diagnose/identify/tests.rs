#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use super::*;
use crate::model::id::Kind;
use std::process::Command;

const SESSION: &str = "0123456789abcdef0123456789abcdef";

fn token(number: usize) -> Subject {
    Subject::token("r.example", "rosa", &format!("key-{number}"))
}

/// A token value, made at run time, and its masked form.
fn value(fill: &str, end: &str) -> String {
    format!("npm_{}{end}", fill.repeat(8))
}

fn masked(number: usize, form: &str) -> Masked {
    Masked::new(token(number), &format!("key-{number}"), form, "rosa/x").unwrap()
}

fn made(tokens: &[Masked]) -> String {
    let name = SecretName::parse("NPM_TOKEN").unwrap();
    workflow(&Request {
        session: SESSION,
        secret: Subject::secret("org:acme", "NPM_TOKEN"),
        name: &name,
        environment: None,
        tokens,
    })
    .unwrap()
}

/// Gives the script of the workflow's only step.
fn script(workflow: &str) -> String {
    let document: serde_json::Value = serde_saphyr::from_str(workflow).unwrap();
    let steps = document["jobs"]["identify"]["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 1);
    assert_eq!(document["permissions"], serde_json::json!({}));
    assert_eq!(steps[0]["env"]["CUTOVER_VALUE"], "${{ secrets.NPM_TOKEN }}");
    steps[0]["run"].as_str().unwrap().to_owned()
}

/// Runs the step as a runner would, and gives its log as Actions prints it.
fn log(workflow: &str, secret: &str) -> String {
    let script = script(workflow);
    let output = Command::new("bash")
        .args([
            "--noprofile",
            "--norc",
            "-eu",
            "-o",
            "pipefail",
            "-c",
            &script,
        ])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("CUTOVER_VALUE", secret)
        .env("GITHUB_REPOSITORY", "acme/ui")
        .env("GITHUB_RUN_ID", "77")
        .env("GITHUB_RUN_ATTEMPT", "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
    let out = String::from_utf8(output.stdout).unwrap();
    assert_eq!(out.lines().count(), 1, "{out}");
    let mut lines = script.lines();
    let mut log = format!("##[group]Run {}\n", lines.next().unwrap());
    for line in script.lines() {
        log += &format!("\u{1b}[36;1m{line}\u{1b}[0m\n");
    }
    log += "env:\n  CUTOVER_VALUE: ***\n##[endgroup]\n";
    log += &out;
    log += "Post job cleanup.\n";
    log.lines()
        .map(|line| format!("2026-12-05T09:00:00.1234567Z {line}\n"))
        .collect()
}

#[test]
fn the_step_names_the_token_and_shows_nothing_of_the_secret() {
    let (one, two) = (value("AbCd", "wxyz"), value("EfGh", "1234"));
    let tokens = [
        masked(1, "npm_AbCd...wxyz"),
        masked(2, "npm_EfGh...1234"),
        masked(3, "npm_ZZZZ...0000"),
    ];
    let workflow = made(&tokens);
    for (secret, found) in [
        (one.clone(), Match::Key("key-1".into())),
        (format!(" {two}\n"), Match::Key("key-2".into())),
        (value("QqQq", "9999"), Match::None),
        (String::new(), Match::Empty),
        (format!("//r.example/:_authToken={one}"), Match::Other),
        ("short".into(), Match::Other),
    ] {
        let log = log(&workflow, &secret);
        let said = read(log.as_bytes(), SESSION).unwrap();
        assert_eq!(said.found, found);
        assert_eq!((said.repo.as_str(), said.run.as_str()), ("acme/ui", "77-1"));
        assert_eq!(said.given.len(), 3);
        assert_eq!(said.at, Ts::parse("2026-12-05T09:00:00Z"));
        // More than a masked form of it would be a leak.
        for from in 0..secret.len().saturating_sub(9) {
            let part = &secret[from..from + 9];
            assert!(!log.contains(part) || part.trim().len() < 9, "{part}");
        }
    }
}

#[test]
fn two_tokens_that_look_alike_are_ambiguous_and_show_nothing() {
    let tokens = [masked(1, "npm_AbCd...wxyz"), masked(2, "npm_AbCd...wxyz")];
    let log = log(&made(&tokens), &value("AbCd", "wxyz"));
    let said = read(log.as_bytes(), SESSION).unwrap();
    assert_eq!(said.found, Match::Ambiguous);
    let known = [(token(1), "key-1"), (token(2), "key-2")];
    assert!(
        said.edges(Subject::secret("org:acme", "NPM_TOKEN"), &known)
            .is_empty()
    );
}

#[test]
fn the_token_that_fits_is_held_and_the_others_are_not() {
    let tokens = [masked(1, "npm_AbCd...wxyz"), masked(2, "npm_EfGh...1234")];
    let workflow = made(&tokens);
    let known = [
        (token(1), "key-1"),
        (token(2), "key-2"),
        (token(9), "key-9"),
    ];
    let secret = Subject::secret("org:acme", "NPM_TOKEN");
    let edges = |value: &str| {
        let said = read(log(&workflow, value).as_bytes(), SESSION).unwrap();
        let edges = said.edges(secret, &known);
        assert!(edges.iter().all(|(_, edge)| edge.secret == Some(secret)));
        let mut all: Vec<_> = edges
            .iter()
            .map(|(token, edge)| (*token, edge.holds))
            .collect();
        all.sort();
        all
    };
    let mut first = vec![(token(1), true), (token(2), false)];
    first.sort();
    assert_eq!(edges(&value("AbCd", "wxyz")), first);
    let mut none = vec![(token(1), false), (token(2), false)];
    none.sort();
    assert_eq!(edges(&value("QqQq", "9999")), none);
}

#[test]
fn only_a_line_of_the_own_step_counts() {
    let good = log(
        &made(&[masked(1, "npm_AbCd...wxyz")]),
        &value("AbCd", "wxyz"),
    );
    let line = good
        .lines()
        .rfind(|line| line.contains("Z cutover-identify 1"))
        .unwrap();
    assert!(read(good.as_bytes(), SESSION).is_ok());
    let other = "ffffffffffffffff0123456789abcdef";
    assert_eq!(
        read(good.as_bytes(), other),
        Err(IdentifyError::OtherSession)
    );
    // The line alone, in another step, before the step's own output, after the job, or as part of a line.
    let without = good.replace(line, "");
    let endgroup = good
        .lines()
        .find(|line| line.ends_with("##[endgroup]"))
        .unwrap();
    let before = without.replace(endgroup, &format!("{line}\n{endgroup}"));
    let twice = format!("{line}\n{}", line.replace("match=key-1", "match=none"));
    for (bad, error) in [
        (line.to_owned(), IdentifyError::NoStep),
        (
            format!("##[group]Run npm test\n##[endgroup]\n{line}\n"),
            IdentifyError::NoStep,
        ),
        (format!("{without}{line}\n"), IdentifyError::NoLine),
        (before, IdentifyError::NoLine),
        (
            good.replace("cutover-identify 1 session", "x cutover-identify 1 session"),
            IdentifyError::NoLine,
        ),
        (
            good.replace("match=key-1", "match=key-1 x"),
            IdentifyError::NoLine,
        ),
        (good.replace(line, &twice), IdentifyError::Several),
        (String::new(), IdentifyError::NoStep),
    ] {
        assert_eq!(read(bad.as_bytes(), SESSION), Err(error), "{bad}");
    }
    // What the forge's command line prints before each line makes no difference.
    let prefixed: String = good
        .lines()
        .map(|line| format!("identify\tCompare NPM_TOKEN\t{line}\n"))
        .collect();
    assert_eq!(
        read(prefixed.as_bytes(), SESSION),
        read(good.as_bytes(), SESSION)
    );
}

#[test]
fn what_could_not_be_written_safely_is_refused() {
    for form in [
        "",
        "npm_",
        "****",
        "npm_AbCd",
        "npm_'$(x)...wxyz",
        "npm_AbCd...w",
        "...wxyz",
    ] {
        let error = Masked::new(token(1), "key", form, "x").unwrap_err();
        assert_eq!(error, IdentifyError::NoMaskedForm("x".into()), "{form}");
    }
    for key in ["", "a b", "'; rm", "none", "$(x)"] {
        let error = Masked::new(token(1), key, "npm_AbCd...wxyz", "x").unwrap_err();
        assert_eq!(error, IdentifyError::BadKey("x".into()), "{key}");
    }
    let name = SecretName::parse("NPM_TOKEN").unwrap();
    let tokens = [masked(1, "npm_AbCd...wxyz")];
    let request = |environment| Request {
        session: SESSION,
        secret: Subject::mint(Kind::Secret, &["x"]),
        name: &name,
        environment,
        tokens: &tokens,
    };
    let evil = EnvironmentName::parse("a ${{ secrets.X }}").unwrap();
    assert_eq!(
        workflow(&request(Some(&evil))),
        Err(IdentifyError::Environment)
    );
    let quoted = EnvironmentName::parse("a\": b # {{name}}").unwrap();
    let made = workflow(&request(Some(&quoted))).unwrap();
    let read: serde_json::Value = serde_saphyr::from_str(&made).unwrap();
    assert_eq!(read["jobs"]["identify"]["environment"], "a\": b # {{name}}");
    let none = Request {
        tokens: &[],
        ..request(None)
    };
    assert_eq!(workflow(&none), Err(IdentifyError::NoTokens));
}
