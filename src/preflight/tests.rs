#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use super::*;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

const RELEASE: &str = "on: push\npermissions: {}\njobs:\n  publish:\n    runs-on: ubuntu-latest\n    environment: npm\n    permissions:\n      id-token: write\n    steps:\n      - run: npm install -g npm@11.21.2\n      - run: npm publish\n";

const MANIFEST: &str = r#"{"name":"@acme/ui","version":"1.0.0","repository":"github:acme/ui"}"#;

fn variables(more: &[(&str, &str)]) -> Variables {
    let usual = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_EVENT_NAME", "push"),
        ("GITHUB_REPOSITORY", "acme/ui"),
        (
            "GITHUB_WORKFLOW_REF",
            "acme/ui/.github/workflows/release.yml@refs/tags/v1",
        ),
        ("RUNNER_ENVIRONMENT", "github-hosted"),
    ];
    let all: BTreeMap<&str, &str> = usual.into_iter().chain(more.iter().copied()).collect();
    Variables::read(
        all.into_iter()
            .map(|(name, value)| (name.into(), value.into())),
    )
}

fn checkout(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let usual = [
        (".github/workflows/release.yml", RELEASE),
        ("package.json", MANIFEST),
    ];
    for (name, text) in usual.iter().chain(files) {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    dir
}

struct Job<'a> {
    lane: Lane,
    node: &'a str,
    npm: &'a str,
    variables: &'a [(&'a str, &'a str)],
    files: &'a [(&'a str, &'a str)],
    whoami: Whoami,
}

impl Default for Job<'_> {
    fn default() -> Self {
        Self {
            lane: Lane::Trusted,
            node: "v24.15.0",
            npm: "11.21.2",
            variables: &[],
            files: &[],
            whoami: Whoami::NotAsked("not in this test"),
        }
    }
}

fn looked(job: Job<'_>) -> Vec<Check> {
    let dir = checkout(job.files);
    let checks = checks(&Gathered {
        folder: dir.path(),
        lane: job.lane,
        today: "2026-12-05".parse().unwrap(),
        variables: &variables(job.variables),
        node: Ok(job.node.into()),
        npm: Ok(job.npm.into()),
        whoami: job.whoami,
    });
    for check in &checks {
        let listed = CHECKS.iter().any(|(id, _)| *id == check.id);
        assert!(listed, "{} is not in the list of checks", check.id);
    }
    checks
}

fn failed(checks: &[Check]) -> Vec<&'static str> {
    checks
        .iter()
        .filter(|check| check.state == State::Failed)
        .map(|check| check.id)
        .collect()
}

#[test]
fn what_can_publish_has_nothing_in_its_way() {
    let good = [
        Job::default(),
        Job {
            lane: Lane::StagedOidc,
            ..Job::default()
        },
        Job {
            variables: &[
                ("ACTIONS_ID_TOKEN_REQUEST_URL", "https://x"),
                ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "x"),
            ],
            ..Job::default()
        },
        Job {
            variables: &[("NPM_TOKEN", "")],
            ..Job::default()
        },
        Job {
            lane: Lane::Bridge,
            npm: "10.9.0",
            variables: &[("NPM_TOKEN", "x1"), ("NPM_TOKEN_EXPIRES", "2026-12-30")],
            whoami: Whoami::As("bot".into()),
            ..Job::default()
        },
    ];
    for job in good {
        let checks = looked(job);
        assert_eq!(failed(&checks), [] as [&str; 0], "{checks:#?}");
    }
}

#[test]
fn each_obstacle_is_named_with_what_to_do() {
    let token = format!("//r.example/:_authToken=npm_{}", "aB3dE5fG7h".repeat(4));
    let lacking = RELEASE.replace("id-token: write", "contents: read");
    let without = [(".github/workflows/release.yml", lacking.as_str())];
    let literal = [(".npmrc", token.as_str())];
    let expires = |day| [("NPM_TOKEN_EXPIRES", day)];
    let bad: Vec<(&str, Job<'_>)> = vec![
        (
            "node-version",
            Job {
                node: "v20.18.0",
                ..Job::default()
            },
        ),
        (
            "npm-version",
            Job {
                npm: "11.5.0",
                ..Job::default()
            },
        ),
        (
            "npm-version",
            Job {
                npm: "11.14.9",
                lane: Lane::StagedOidc,
                ..Job::default()
            },
        ),
        (
            "npm-version",
            Job {
                npm: "what",
                ..Job::default()
            },
        ),
        (
            "ci",
            Job {
                variables: &[("GITHUB_ACTIONS", "")],
                ..Job::default()
            },
        ),
        (
            "runner",
            Job {
                variables: &[
                    ("RUNNER_ENVIRONMENT", "self-hosted"),
                    ("NPM_CONFIG_PROVENANCE", "true"),
                ],
                ..Job::default()
            },
        ),
        (
            "trigger",
            Job {
                variables: &[("GITHUB_EVENT_NAME", "issue_comment")],
                ..Job::default()
            },
        ),
        (
            "id-token",
            Job {
                files: &without,
                ..Job::default()
            },
        ),
        (
            "repository-url",
            Job {
                variables: &[("GITHUB_REPOSITORY", "Acme/ui")],
                ..Job::default()
            },
        ),
        (
            "repository-url",
            Job {
                files: &[("package.json", r#"{"name":"x","version":"1.0.0"}"#)],
                ..Job::default()
            },
        ),
        (
            "leftover-token",
            Job {
                variables: &[("NODE_AUTH_TOKEN", "abcdef")],
                ..Job::default()
            },
        ),
        (
            "leftover-token",
            Job {
                variables: &[("npm_config_//r.example/:_authToken", "abcdef")],
                ..Job::default()
            },
        ),
        (
            "leftover-token",
            Job {
                files: &[(".npmrc", "//r.example/:_authToken=${NPM_TOKEN}")],
                ..Job::default()
            },
        ),
        (
            "leftover-token",
            Job {
                files: &literal,
                lane: Lane::Manual,
                ..Job::default()
            },
        ),
        (
            "token-expiry",
            Job {
                lane: Lane::Bridge,
                ..Job::default()
            },
        ),
    ];
    for (id, job) in bad {
        let checks = looked(job);
        assert!(failed(&checks).contains(&id), "{id}: {checks:#?}");
        assert!(
            checks
                .iter()
                .all(|check| check.state != State::Failed || check.todo.is_some())
        );
        let said = format!("{checks:?}");
        assert!(
            !said.contains("abcdef") && !said.contains("aB3dE5fG7h"),
            "{said}"
        );
    }
    for (day, state) in [
        ("2026-12-04", State::Failed),
        ("soon", State::Failed),
        ("2026-12-05", State::Warned),
        ("2026-12-12", State::Passed),
    ] {
        let variables = expires(day);
        let checks = looked(Job {
            lane: Lane::Bridge,
            variables: &variables,
            ..Job::default()
        });
        let expiry = checks
            .iter()
            .find(|check| check.id == "token-expiry")
            .unwrap();
        assert_eq!(expiry.state, state, "{day}");
    }
}

#[test]
fn a_placeholder_is_no_token_and_is_told() {
    let checks = looked(Job {
        variables: &[("NODE_AUTH_TOKEN", "XXXXX-XXXXX-XXXXX-XXXXX")],
        ..Job::default()
    });
    let found = checks
        .iter()
        .find(|check| check.id == "leftover-token")
        .unwrap();
    assert_eq!(found.state, State::Warned);
    assert!(found.words.contains("placeholder"));
}

/// A fake npm that writes down what it was given.
fn fake(folder: &Path, script: &str) {
    let path = folder.join("npm");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn whoami_is_asked_for_token_lanes_only_and_its_answer_explained() {
    let (bin, work) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let search =
        std::env::join_paths([bin.path(), Path::new("/bin"), Path::new("/usr/bin")]).unwrap();
    let asked =
        |lane, more: &[(&str, &str)]| whoami(lane, &variables(more), Some(&search), work.path());
    let held = [("NPM_TOKEN", "x1")];
    fake(bin.path(), "echo bot");
    assert!(matches!(asked(Lane::Trusted, &held), Whoami::NotAsked(_)));
    assert!(matches!(asked(Lane::Bridge, &[]), Whoami::NotAsked(_)));
    assert_eq!(asked(Lane::Bridge, &held), Whoami::As("bot".into()));
    // The configuration refers to the variable; its value is in no argument and no file.
    fake(
        bin.path(),
        "cat \"$NPM_CONFIG_USERCONFIG\" | tr -d '\\n'; echo \" $*\"; pwd >&2",
    );
    let Whoami::As(said) = asked(Lane::StagedToken, &held) else {
        panic!("not asked");
    };
    assert!(
        said.contains(":_authToken=${NPM_TOKEN} whoami --registry="),
        "{said}"
    );
    assert!(!said.contains("x1"), "{said}");
    fake(
        bin.path(),
        "echo 'npm error code E401' >&2; echo 'npm error Unable to authenticate, need: Bearer' >&2; exit 1",
    );
    assert!(matches!(asked(Lane::Bridge, &held), Whoami::Refused { .. }));
    fake(bin.path(), "exit 1");
    assert!(matches!(asked(Lane::Bridge, &held), Whoami::CouldNot(_)));
}
