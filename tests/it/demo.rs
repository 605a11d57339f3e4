//! The example organisation, read by the very code that reads a real one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::collections::BTreeSet;
use std::fs;

use chrono::NaiveDate;
use cutover::assets::demo::{self, DemoPaths};
use cutover::intake::inventory::Inventory;
use cutover::intake::npm_tokens::TokenList;
use cutover::intake::sheet::Format;
use cutover::scan::{Credential, Purpose, Registry, Reusable, Runner, Tool, scan_paths};

fn unpacked() -> (tempfile::TempDir, DemoPaths) {
    let dir = tempfile::tempdir().unwrap();
    let today = NaiveDate::from_ymd_opt(2026, 11, 22).unwrap();
    let paths = demo::unpack(dir.path(), today).unwrap();
    (dir, paths)
}

#[test]
fn its_inventory_needs_no_mapping() {
    let (_dir, paths) = unpacked();
    let read = Inventory::read(&fs::read(paths.inventory).unwrap(), Format::Csv, &[]).unwrap();
    assert!(!read.mapping.needs_yes(), "{}", read.mapping.table());
    let mut named: Vec<String> = read.rows.iter().map(|row| row.repo.value.clone()).collect();
    named.sort();
    let mut scanned: Vec<String> = scan_paths(&[paths.repos], "2026-12-01".parse().unwrap())
        .into_iter()
        .map(|repo| repo.repo)
        .collect();
    scanned.sort();
    assert_eq!(named, scanned);
}

#[test]
fn its_token_lists_are_read_whole() {
    let (_dir, paths) = unpacked();
    let counts = paths.tokens.iter().map(|(account, path)| {
        let list = TokenList::read(account, &fs::read(path).unwrap()).unwrap();
        assert!(
            list.rows
                .iter()
                .all(|row| row.redacted.is_some() && row.expires.value().is_some())
        );
        (account.as_str(), list.rows.len())
    });
    assert_eq!(counts.collect::<Vec<_>>(), [("acme-bot", 4), ("rosa", 3)]);
}

/// What the files were written to show: repository, file, job, tool, credential, secret, environment.
const PATHS: &[(&str, &str, &str, Tool, Credential, &str, &str)] = &[
    (
        "charts",
        ".github/workflows/release.yml",
        "release",
        Tool::Lerna,
        Credential::Token,
        "NPM_TOKEN",
        "release",
    ),
    (
        "ci-workflows",
        ".github/workflows/npm-release.yml",
        "publish",
        Tool::Npm,
        Credential::Token,
        "npm-token",
        "npm",
    ),
    (
        "cli",
        ".github/workflows/publish.yml",
        "publish",
        Tool::Npm,
        Credential::Oidc,
        "",
        "npm",
    ),
    (
        "date-utils",
        ".github/actions/publish/action.yml",
        "",
        Tool::Npm,
        Credential::Token,
        "",
        "",
    ),
    (
        "date-utils",
        ".github/workflows/release.yml",
        "release",
        Tool::Npm,
        Credential::Token,
        "NPM_AUTOMATION_TOKEN",
        "",
    ),
    (
        "eslint-config",
        ".github/workflows/publish.yml",
        "publish",
        Tool::Npm,
        Credential::Token,
        "NPM_TOKEN",
        "",
    ),
    // The called workflow lives in another repository, so the tool is not seen.
    (
        "forms",
        ".github/workflows/release.yml",
        "npm",
        Tool::Other,
        Credential::Token,
        "NPM_TOKEN",
        "",
    ),
    (
        "http-client",
        ".github/workflows/publish.yml",
        "publish",
        Tool::Npm,
        Credential::TokenAndOidc,
        "NPM_PUBLISH_TOKEN",
        "",
    ),
    (
        "legacy-widgets",
        "Jenkinsfile",
        "Publish",
        Tool::YarnClassic,
        Credential::Token,
        "npm-token",
        "",
    ),
    (
        "logger",
        ".github/workflows/release.yml",
        "release",
        Tool::SemanticRelease,
        Credential::Token,
        "NPM_TOKEN",
        "",
    ),
    (
        "mobile-bridge",
        ".circleci/config.yml",
        "publish",
        Tool::Npm,
        Credential::Token,
        "NPM_TOKEN",
        "",
    ),
    (
        "native-addon",
        ".github/workflows/prebuild.yml",
        "publish",
        Tool::Npm,
        Credential::Token,
        "NPM_TOKEN",
        "",
    ),
    (
        "sdk",
        ".gitlab-ci.yml",
        "nightly",
        Tool::Npm,
        Credential::Token,
        "NPM_TOKEN",
        "",
    ),
    (
        "sdk",
        ".gitlab-ci.yml",
        "publish",
        Tool::Npm,
        Credential::Oidc,
        "",
        "npm",
    ),
    (
        "ui-kit",
        ".github/workflows/release.yml",
        "release",
        Tool::Changesets,
        Credential::Token,
        "NPM_TOKEN",
        "",
    ),
    (
        "validators",
        ".github/workflows/publish.yml",
        "publish",
        Tool::Npm,
        Credential::Token,
        "NPM_TOKEN",
        "",
    ),
    (
        "validators",
        ".github/workflows/release.yml",
        "publish",
        Tool::Npm,
        Credential::Token,
        "NPM_TOKEN",
        "",
    ),
];

#[test]
fn its_publish_paths_are_those_it_was_written_for() {
    let (_dir, paths) = unpacked();
    let repos = scan_paths(&[paths.repos], "2026-12-01".parse().unwrap());
    let mut found = Vec::new();
    for repo in &repos {
        let name = repo.repo.strip_prefix("acme-dec/").unwrap();
        for path in repo
            .publish_paths
            .iter()
            .filter(|path| path.registry == Registry::Npmjs)
        {
            let [job, secret, environment] = [&path.job, &path.secret, &path.environment]
                .map(|text| text.as_deref().unwrap_or_default());
            found.push((
                name,
                path.file.as_str(),
                job,
                path.tool,
                path.credential,
                secret,
                environment,
            ));
        }
    }
    found.sort_by_key(|path| (path.0, path.1, path.2));
    assert_eq!(found, PATHS);
}

#[test]
fn it_shows_every_kind_of_trouble() {
    let (_dir, paths) = unpacked();
    let repos = scan_paths(&[paths.repos], "2026-12-01".parse().unwrap());
    let repo = |name: &str| {
        repos
            .iter()
            .find(|repo| repo.repo == format!("acme-dec/{name}"))
            .unwrap()
    };
    let rules: BTreeSet<&str> = repos
        .iter()
        .flat_map(|repo| &repo.findings)
        .map(|finding| finding.rule)
        .collect();
    for rule in [
        "ci-no-oidc",
        "credential-in-build",
        "node-too-old",
        "npm-too-old",
        "package-repository-mismatch",
        "package-repository-missing",
        "publish-can-fail-silently",
        "publish-no-environment",
        "self-hosted-runner",
        "shell-trace",
        "token-beside-oidc",
        "token-probe",
        "token-where-oidc-would-do",
        "tool-too-old",
        "unpinned-action",
        "yarn-classic-no-oidc",
    ] {
        assert!(rules.contains(rule), "nothing shows {rule}");
    }
    assert_eq!(repo("cli").findings, []);
    assert_eq!(repo("cli").publish_paths[0].packages, ["@acme-dec/cli"]);
    assert_eq!(
        repo("native-addon").publish_paths[0].runner,
        Runner::SelfHosted
    );
    assert_eq!(repo("ui-kit").publish_paths[0].packages.len(), 4);
    assert!(
        repo("validators")
            .publish_paths
            .iter()
            .any(|path| path.reusable == Some(Reusable::Callee) && !path.fails_closed)
    );
    // The jobs that keep a token alive after publishing has moved.
    for (name, purpose) in [
        ("eslint-config", Purpose::DistTag),
        ("back-office", Purpose::Install),
    ] {
        assert!(
            repo(name)
                .token_uses
                .iter()
                .any(|use_| use_.purpose == purpose && use_.secret.as_deref() == Some("NPM_TOKEN")),
            "{name}"
        );
    }
    assert!(
        repo("back-office")
            .publish_paths
            .iter()
            .all(|path| path.registry == Registry::GithubPackages)
    );
}
