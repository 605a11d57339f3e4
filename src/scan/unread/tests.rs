#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use super::super::job::tests::{paths, read_files, rules, uses};
use super::super::{RepoScan, Severity};
use super::*;

const MANIFEST: (&str, &str) = (
    "package.json",
    r#"{"name":"@acme/kit","version":"1.0.0","scripts":{"rel":"npm publish"}}"#,
);

/// The `ci` entries, the severity of `ci-not-read`, and the paths.
fn told(files: &[(&str, &str)]) -> (Vec<String>, Option<Severity>, Vec<String>) {
    let scan: RepoScan = read_files(&[&[MANIFEST], files].concat());
    let ci = scan.ci.iter().map(|c| serde_json::to_value(c).unwrap());
    let ci = ci.map(|c| c.as_str().unwrap().to_owned()).collect();
    let finding = scan.findings.iter().find(|f| f.rule == "ci-not-read");
    (ci, finding.map(|f| f.severity), paths(&scan))
}

#[test]
fn the_table_is_sound() {
    let mut ids: Vec<&str> = INDEX.systems.iter().map(|s| s.id.as_str()).collect();
    let count = ids.len();
    assert!(ids.is_sorted());
    ids.dedup();
    assert_eq!(ids.len(), count);
    for system in &INDEX.systems {
        assert!(system.source.starts_with("https://"), "{}", system.id);
        let named = [&system.files, &system.folders, &system.anywhere];
        assert!(named.iter().any(|n| !n.is_empty()), "{}", system.id);
    }
}

#[test]
fn files_are_known_by_their_place() {
    for (path, id) in [
        (".woodpecker/a/release.yml", Some("woodpecker")),
        (".woodpecker/notes.md", None),
        ("sub/.woodpecker/release.yml", None),
        (".drone.star", Some("drone")),
        ("appveyor-release.yml", Some("appveyor")),
        ("sub/appveyor.yml", None),
        ("deploy/cloudbuild.prod.yaml", Some("cloud-build")),
        ("infra/buildspec-publish.yml", Some("codebuild")),
        (".gitea/workflows/a.yaml", Some("gitea")),
        (".gitea/ISSUE_TEMPLATE/a.yaml", None),
        ("app/Dockerfile.release", Some("docker")),
        (".teamcity/settings.kts", Some("teamcity")),
        ("src/main.ts", None),
    ] {
        let found = system_of(path).and_then(system).map(|s| s.id.as_str());
        assert_eq!(found, id, "{path}");
    }
    assert!(marks_checkout(".woodpecker", true) && marks_checkout("wercker.yml", false));
    for (name, folder) in [
        ("buildkite", true),
        ("Dockerfile", false),
        ("pipeline.yml", false),
    ] {
        assert!(!marks_checkout(name, folder), "{name}");
    }
}

#[test]
fn a_file_that_is_not_read_is_named_with_what_it_publishes() {
    let table: &[(&str, &str, &str, &[&str])] = &[
        (
            ".woodpecker.yml",
            "steps:\n  out:\n    image: plugins/npm:1\n    settings:\n      token: {from_secret: npm_key_token}\n",
            "woodpecker",
            &["- 3 npm token npm_key_token"],
        ),
        (
            ".drone.star",
            "def main(ctx):\n  return {\"name\": \"publish npm\", \"commands\": [\"npm ci\", \"npm publish --tag next\"]}\n",
            "drone",
            &["- 2 npm none-visible -"],
        ),
        (
            ".buildkite/pipeline.yml",
            "steps:\n  - label: npm publish of the kit\n    command:\n      - npm ci\n      - npm publish\n",
            "buildkite",
            &["- 5 npm none-visible -"],
        ),
        (
            ".semaphore/semaphore.yml",
            "blocks:\n  - task:\n      secrets: [{name: npm-token}]\n      jobs:\n        - name: Publish\n          commands: [checkout, npm run rel]\n",
            "semaphore",
            &["- 6 npm token npm-token"],
        ),
        (
            "cloudbuild.yaml",
            "steps:\n  - name: node:22\n    entrypoint: npm\n    args: [publish]\n    secretEnv: [NPM_TOKEN]\n",
            "cloud-build",
            &["- 3 npm token NPM_TOKEN"],
        ),
        (
            "appveyor.yml",
            "environment:\n  NPM_TOKEN: {secure: AAAA}\ndeploy_script:\n  - ps: if ($env:TAG -eq \"true\") { npm publish }\n",
            "appveyor",
            &["- 4 npm token NPM_TOKEN"],
        ),
        (
            "Dockerfile",
            "FROM node:22\nARG NPM_TOKEN\nRUN --mount=type=cache,target=/x npm ci && \\\n  npm publish\n",
            "docker",
            &["- 4 npm token NPM_TOKEN"],
        ),
        (
            "Earthfile",
            "VERSION 0.8\nrelease:\n  RUN --push --secret NPM_TOKEN npm publish\n",
            "earthly",
            &["- 3 npm token NPM_TOKEN"],
        ),
        (
            ".gitea/workflows/r.yml",
            "on: push\njobs:\n  r:\n    steps:\n      - run: npm publish\n        env: {NODE_AUTH_TOKEN: \"${{ secrets.NPM_KEY_TOKEN }}\"}\n",
            "gitea",
            &["- 5 npm token NODE_AUTH_TOKEN"],
        ),
    ];
    for (path, text, id, want) in table {
        let (ci, severity, paths) = told(&[(path, text)]);
        assert_eq!(ci, [*id], "{path}");
        assert_eq!(severity, Some(Severity::Warning), "{path}");
        assert_eq!(paths, *want, "{path}");
    }
}

#[test]
fn what_names_nothing_is_a_note_and_words_for_people_are_no_commands() {
    let quiet =
        "steps:\n  - label: Publish npm docs\n    name: npm publish\n    command: make test\n";
    let (ci, severity, paths) = told(&[(
        ".buildkite/pipeline.yml",
        quiet.replace("npm publish", "docs").as_str(),
    )]);
    assert_eq!(
        (ci.len(), severity, paths.len()),
        (1, Some(Severity::Note), 0)
    );
    let (_, severity, paths) = told(&[(".buildkite/pipeline.yml", quiet)]);
    assert_eq!((severity, paths.len()), (Some(Severity::Warning), 0));
    // A build file is told of only where it names npm's credentials or a publish.
    let (ci, severity, _) = told(&[("Dockerfile", "FROM node:22\nRUN npm ci\n")]);
    assert_eq!((ci.len(), severity), (0, None));
    // Words that other systems use too have to stand in the file.
    let (ci, ..) = told(&[("ci/pipeline.yml", "stages: [npm publish]\n")]);
    assert!(ci.is_empty());
}

#[test]
fn a_token_without_a_publish_is_a_token_use() {
    let text = "steps:\n  - command: ./gone.sh\n    env: {NPM_TOKEN: x}\n";
    let scan = read_files(&[MANIFEST, (".buildkite/pipeline.yml", text)]);
    assert_eq!(uses(&scan), ["- 3 unknown NPM_TOKEN"]);
    assert!(rules(&scan).contains(&"ci-not-read"));
}

#[test]
fn copies_and_examples_are_notes() {
    let deploy = "deploy: {provider: npm, api_key: $NPM_TOKEN}\n";
    for path in [
        "vendor/a/.travis.yml",
        "examples/kit/.travis.yml",
        "sub/.travis.yml",
        "examples/kit/.gitlab-ci.yml",
        "fixtures/azure-pipelines.yml",
        "test/fixtures/Jenkinsfile",
        "vendor/x/cloudbuild.yaml",
    ] {
        let scan = read_files(&[MANIFEST, (path, deploy)]);
        assert!(
            scan.ci.is_empty() && scan.publish_paths.is_empty(),
            "{path}"
        );
        assert_eq!(rules(&scan), ["ci-elsewhere"], "{path}");
        assert_eq!(scan.findings[0].severity, Severity::Note, "{path}");
    }
    let scan = read_files(&[MANIFEST, ("vendor/a/.travis.yml", "script: make test\n")]);
    assert_eq!(rules(&scan), [] as [&str; 0]);
    // What the root includes is read there.
    let scan = read_files(&[
        MANIFEST,
        (
            ".gitlab-ci.yml",
            "include: [{local: /kit/.gitlab-ci.yml}]\n",
        ),
        (
            "kit/.gitlab-ci.yml",
            "out: {script: [npm publish], variables: {NPM_TOKEN: $X}}\n",
        ),
    ]);
    assert_eq!(paths(&scan).len(), 1);
    assert!(!rules(&scan).contains(&"ci-elsewhere"));
}
