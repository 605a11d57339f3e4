//! The preflight step that needs none of our binary: run under bash against fakes, for good and bad situations.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use cutover::scan::scan_tree;
use cutover::scan::tree::Memory;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

const PREFLIGHT: &str = include_str!("../../assets/workflows/preflight.yml");

const RELEASE: &str = "name: release
on:
  push:
    tags: ['v*']
permissions: {}
jobs:
  preflight:
    uses: ./.github/workflows/preflight.yml
    permissions:
      contents: read
    with:
      lane: trusted
  publish:
    needs: preflight
    runs-on: ubuntu-latest
    environment: npm
    permissions:
      contents: read
      id-token: write
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
      - run: npm install -g npm@11.21.2
      - run: npm publish
";

const MANIFEST: &str = r#"{"name":"@acme/ui","version":"1.0.0","repository":{"type":"git","url":"git+https://github.com/acme/ui.git"}}"#;

struct Case {
    lane: &'static str,
    node: &'static str,
    npm: &'static str,
    event: &'static str,
    expires: &'static str,
    release: String,
    manifest: String,
    npmrc: Option<String>,
}

impl Default for Case {
    fn default() -> Self {
        Self {
            lane: "trusted",
            node: "v24.15.0",
            npm: "11.21.2",
            event: "push",
            expires: "",
            release: RELEASE.into(),
            manifest: MANIFEST.into(),
            npmrc: None,
        }
    }
}

fn program(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs::write(&path, format!("#!/bin/bash\n{text}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

fn step() -> serde_json::Value {
    let read: serde_json::Value = serde_saphyr::from_str(PREFLIGHT).unwrap();
    let steps = read["jobs"]["preflight"]["steps"].as_array().unwrap();
    steps
        .iter()
        .find(|step| step["run"].is_string())
        .unwrap()
        .clone()
}

/// Runs the step; gives whether it passed and all that it printed.
fn run(case: &Case) -> (bool, String) {
    let dir = tempfile::tempdir().unwrap();
    let (bin, work) = (dir.path().join("bin"), dir.path().join("work"));
    fs::create_dir_all(work.join(".github/workflows")).unwrap();
    fs::create_dir(&bin).unwrap();
    // The fake answers `node -p` by what a line-wise look can find of `repository`.
    let url = r#"sed -nE 's/.*"url": ?"([^"]*)".*/\1/p' "$3""#;
    program(
        &bin,
        "node",
        &format!(
            "case $1 in --version) echo {} ;; -p) {url} ;; esac",
            case.node
        ),
    );
    program(&bin, "npm", &format!("echo {}", case.npm));
    fs::write(work.join(".github/workflows/release.yml"), &case.release).unwrap();
    fs::write(work.join("package.json"), &case.manifest).unwrap();
    if let Some(text) = &case.npmrc {
        fs::write(work.join(".npmrc"), text).unwrap();
    }
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let output = Command::new("bash")
        .args(["--noprofile", "--norc", "-eu", "-o", "pipefail", "-c"])
        .arg(step()["run"].as_str().unwrap())
        .current_dir(&work)
        .env_clear()
        .env("PATH", path)
        .env("LANE", case.lane)
        .env("EXPIRES", case.expires)
        .env("PACKAGES", "package.json\n")
        .env("INSTALL", "NPM_READ_TOKEN")
        .env("GITHUB_EVENT_NAME", case.event)
        .env("GITHUB_REPOSITORY", "acme/ui")
        .env(
            "GITHUB_WORKFLOW_REF",
            "acme/ui/.github/workflows/release.yml@refs/tags/v1",
        )
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    (output.status.success(), text.concat())
}

#[test]
fn what_can_publish_passes() {
    for case in [
        Case::default(),
        Case {
            lane: "staged-oidc",
            ..Case::default()
        },
        Case {
            lane: "staged-token",
            expires: "2999-01-01",
            ..Case::default()
        },
        Case {
            lane: "bridge",
            npm: "10.9.0",
            node: "v20.1.0",
            expires: "2999-01-01",
            ..Case::default()
        },
        Case {
            manifest: MANIFEST.replace(
                "git+https://github.com/acme/ui.git",
                "https://github.com/acme/ui",
            ),
            ..Case::default()
        },
        Case {
            manifest: MANIFEST.replace(
                "git+https://github.com/acme/ui.git",
                "git@github.com:acme/ui.git",
            ),
            ..Case::default()
        },
        Case {
            release: format!(
                "{RELEASE}        env:\n          NODE_AUTH_TOKEN: ${{{{ secrets.NPM_READ_TOKEN }}}}\n"
            ),
            ..Case::default()
        },
    ] {
        let (passed, text) = run(&case);
        assert!(passed && !text.contains("::error"), "{} {text}", case.lane);
    }
}

#[test]
fn what_cannot_publish_fails_with_what_to_do() {
    let token = format!("npm_{}", "x".repeat(36));
    let cases = [
        (
            Case {
                node: "v20.18.0",
                ..Case::default()
            },
            "use 22.14.0 or newer",
        ),
        (
            Case {
                npm: "10.9.2",
                ..Case::default()
            },
            "npm 10.9.2 is too old",
        ),
        (
            Case {
                npm: "11.14.0",
                lane: "staged-oidc",
                ..Case::default()
            },
            "npm 11.14.0 is too old",
        ),
        (
            Case {
                npm: "12.2.0",
                node: "v22.14.0",
                ..Case::default()
            },
            "pin npm@^11.21",
        ),
        (
            Case {
                node: "",
                ..Case::default()
            },
            "node or npm is missing",
        ),
        (
            Case {
                event: "issue_comment",
                ..Case::default()
            },
            "npm refuses OIDC tokens of issue_comment",
        ),
        (
            Case {
                release: RELEASE.replace("id-token: write", "packages: read"),
                ..Case::default()
            },
            "no job has id-token: write",
        ),
        (
            Case {
                release: RELEASE.replace("id-token: write", "packages: read # id-token: write"),
                ..Case::default()
            },
            "no job has id-token: write",
        ),
        (
            Case {
                release: RELEASE.replace("runs-on: ubuntu-latest", "runs-on: self-hosted"),
                ..Case::default()
            },
            "self-hosted runner",
        ),
        (
            Case {
                release: format!(
                    "{RELEASE}        env:\n          NODE_AUTH_TOKEN: ${{{{ secrets.X }}}}\n"
                ),
                ..Case::default()
            },
            "a token is still set",
        ),
        (
            Case {
                manifest: MANIFEST.replace("acme/ui.git", "Acme/ui.git"),
                ..Case::default()
            },
            "is 'Acme/ui', not acme/ui",
        ),
        (
            Case {
                manifest: "{}".into(),
                ..Case::default()
            },
            "is '', not acme/ui",
        ),
        (
            Case {
                npmrc: Some("//r.example/:_authToken=${NPM_TOKEN}".into()),
                ..Case::default()
            },
            ".npmrc still names a token",
        ),
        (
            Case {
                npmrc: Some(format!("//r.example/:_authToken={token}")),
                lane: "bridge",
                expires: "2999-01-01",
                ..Case::default()
            },
            ".npmrc holds a credential",
        ),
        (
            Case {
                lane: "bridge",
                ..Case::default()
            },
            "last day is not known",
        ),
        (
            Case {
                lane: "bridge",
                expires: "2020-01-01",
                ..Case::default()
            },
            "the token ended on 2020-01-01",
        ),
        (
            Case {
                lane: "bridge",
                expires: "soon::error::x",
                ..Case::default()
            },
            "last day is not known",
        ),
        (
            Case {
                lane: "other",
                ..Case::default()
            },
            "the lane is none of",
        ),
        (
            Case {
                manifest: MANIFEST
                    .replace("git+https://github.com/acme/ui.git", "x%0A::warning::y"),
                ..Case::default()
            },
            "is 'x0Awarningy'",
        ),
    ];
    for (case, words) in cases {
        let (passed, text) = run(&case);
        assert!(!passed && text.contains(words), "no `{words}` in {text}");
        assert!(
            text.lines()
                .filter(|line| line.starts_with("::"))
                .all(|line| line.starts_with("::error title=publish preflight::")),
            "{text}"
        );
        assert!(!text.contains(&token[..20]), "{text}");
    }
}

#[test]
fn the_job_has_no_secret_no_identity_and_no_third_party_code() {
    let read: serde_json::Value = serde_saphyr::from_str(PREFLIGHT).unwrap();
    let job = &read["jobs"]["preflight"];
    assert_eq!(read["permissions"], serde_json::json!({}));
    assert_eq!(job["permissions"], serde_json::json!({"contents": "read"}));
    assert!(!PREFLIGHT.contains("secrets."));
    for step in job["steps"].as_array().unwrap() {
        if let Some(uses) = step["uses"].as_str() {
            assert!(uses.starts_with("actions/checkout@"), "{uses}");
        }
    }
    let script = step()["run"].as_str().unwrap().to_owned();
    for fetch in [
        "curl",
        "wget",
        "npx",
        "npm install",
        "npm ci",
        "http:",
        "eval",
        "set -x",
    ] {
        assert!(!script.contains(fetch), "{fetch}");
    }
    // What the script is given comes by `env`, not by an expression in its text.
    assert!(!script.contains("${{"));
}

#[test]
fn a_scan_stays_clean_with_it() {
    let files = [
        (".github/workflows/release.yml", RELEASE),
        (".github/workflows/preflight.yml", PREFLIGHT),
        ("package.json", MANIFEST),
    ];
    let scan = scan_tree(
        &Memory::new(files),
        Some(("github.com", "acme/ui")),
        "ui",
        "2026-12-01".parse().unwrap(),
    );
    assert_eq!(scan.findings, [], "{:#?}", scan.findings);
    assert!(scan.token_uses.is_empty(), "{:#?}", scan.token_uses);
    assert_eq!(scan.publish_paths.len(), 1, "{:#?}", scan.publish_paths);
}
