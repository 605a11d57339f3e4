#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use super::super::job::tests::{paths, read_files, rules, uses};
use super::*;

const MANIFEST: (&str, &str) = ("package.json", r#"{"name":"@acme/kit","version":"1.0.0"}"#);

#[test]
fn commands_parameters_and_contexts() {
    let text = "
version: 2.1
commands:
  login:
    parameters:
      variable: {type: string, default: NPM_TOKEN}
    steps:
      - run: echo \"//{{registry}}/:_authToken=$<< parameters.variable >>\" > ~/.npmrc
executors:
  node: {docker: [{image: 'cimg/node:22.14.0'}]}
jobs:
  release:
    executor: node
    steps:
      - checkout
      - login: {variable: ACME_KEY}
      - when:
          condition: true
          steps:
            - run:
                name: publish
                command: |
                  echo go
                  npm publish --access public
  spare:
    docker: [{image: cimg/node:lts}]
    steps: [{run: npm publish}]
workflows:
  main:
    jobs:
      - release:
          context: [npm, github]
          filters: {branches: {only: main}, tags: {only: '/^v.*/'}}
";
    let scan = read_files(&[MANIFEST, (".circleci/config.yml", text)]);
    assert_eq!(paths(&scan), ["release 24 npm token ACME_KEY"]);
    let path = &scan.publish_paths[0];
    assert_eq!(path.runner, Runner::Hosted);
    assert_eq!(path.node_version.as_deref(), Some("22.14.0"));
    assert_eq!(
        (
            path.triggers[0].branches.clone(),
            path.triggers[0].tags.clone()
        ),
        (vec!["main".to_owned()], vec!["/^v.*/".to_owned()])
    );
    assert_eq!(path.environment, None);
}

#[test]
fn id_tokens() {
    let text = "
version: 2.1
jobs:
  a:
    docker: [{image: cimg/node:24.4}]
    steps:
      - run: |
          export NPM_ID_TOKEN=$(circleci run oidc get --claims '{\"aud\": \"npm:{{registry}}\"}')
          npm publish
  b:
    docker: [{image: cimg/node:24.4}]
    steps:
      - run: |
          echo \"export NPM_ID_TOKEN=$(circleci run oidc get --claims '{\\\"aud\\\": \\\"npm:{{registry}}\\\"}')\" >> $BASH_ENV
      - run: {command: npm publish --provenance, environment: {NODE_AUTH_TOKEN: ''}}
  c:
    machine: true
    resource_class: acme/big
    steps: [{run: npx semantic-release@24}]
  d:
    docker: [{image: cimg/node:24.4}]
    steps: [{deploy: {name: out, command: npm publish}}]
workflows:
  w: {jobs: [a, b, c, d]}
";
    let scan = read_files(&[MANIFEST, (".circleci/config.yml", text)]);
    assert_eq!(
        paths(&scan),
        [
            "a 9 npm oidc -",
            "b 15 npm oidc -",
            "c 19 semantic-release none-visible -",
            "d 22 npm none-visible -"
        ]
    );
    assert_eq!(scan.publish_paths[2].runner, Runner::SelfHosted);
    assert_eq!(
        scan.publish_paths[2].blockers,
        ["self-hosted-runner", "tool-too-old"]
    );
    let found = rules(&scan);
    assert!(
        found.contains(&"provenance-no-provider") && found.contains(&"unpinned-tool"),
        "{found:?}"
    );
}

#[test]
fn orbs() {
    let text = "
version: 2.1
orbs:
  auto: artsy/auto@2.3.0
  node: circleci/node@6.3.0
  sr: trustedshops-public/semantic-release@7.0.0
  docker: circleci/docker@2
  inline:
    commands:
      ship: {steps: [{run: yarn npm publish}]}
    jobs:
      out: {docker: [{image: node:24}], steps: [ship-local, inline/ship]}
commands:
  ship-local: {steps: [{run: npm dist-tag add a@1 latest}]}
workflows:
  w:
    jobs:
      - auto/publish: {context: npm-deploy}
      - auto/publish-docs
      - node/test
      - node/run: {npm-run: release, context: npm}
      - docker/publish
      - sr/semantic-release
      - inline/out
";
    let scan = read_files(&[
        (
            "package.json",
            r#"{"name":"k","scripts":{"release":"npm publish"}}"#,
        ),
        (".circleci/config.yml", text),
    ]);
    assert_eq!(
        paths(&scan),
        [
            "inline/out 10 yarn-berry none-visible -",
            "auto/publish 18 other none-visible -",
            "node/run 21 npm none-visible -",
            "sr/semantic-release 23 semantic-release none-visible -",
        ]
    );
    assert_eq!(uses(&scan), ["inline/out 14 dist-tag -"]);
}

#[test]
fn old_configs_and_odd_ones() {
    let old = "
version: 2
jobs:
  build:
    docker: [{image: 'circleci/node:16'}]
    environment: {NPM_TOKEN: $X}
    steps:
      - checkout
      - run: npm publish || echo failed
";
    let scan = read_files(&[MANIFEST, (".circleci/config.yml", old)]);
    assert_eq!(paths(&scan), ["build 9 npm token X [can fail]"]);
    let found = rules(&scan);
    assert!(
        found.contains(&"node-too-old") && found.contains(&"publish-can-fail-silently"),
        "{found:?}"
    );
    let loops = "
version: 2.1
commands:
  a: {steps: [b]}
  b: {steps: [a, a]}
jobs:
  j: {docker: [{image: x}], steps: [a, {run: npm publish}]}
workflows: {w: {jobs: [j]}}
";
    let scan = read_files(&[MANIFEST, (".circleci/config.yml", loops)]);
    assert_eq!(paths(&scan), ["j 7 npm none-visible -"]);
}

#[test]
fn parameters_fill() {
    let known = Arguments::from([("x".to_owned(), "1".to_owned())]);
    for (text, want) in [
        ("a << parameters.x >> b", "a 1 b"),
        ("<<parameters.x>>", "1"),
        ("<< parameters.y >>", "<< parameters.y >>"),
        ("cat <<EOF\nx\nEOF", "cat <<EOF\nx\nEOF"),
        ("a << 2", "a << 2"),
    ] {
        assert_eq!(fill(text, &known), want);
    }
}

#[test]
fn id_tokens_fetched_by_a_script() {
    let script = "export NPM_ID_TOKEN=\"$(circleci run oidc get --claims '{\"aud\": \"npm:{{registry}}\"}')\"\nnpm publish\n";
    let text = "
jobs:
  p: {docker: [{image: cimg/node:24.1}], steps: [{run: ./scripts/publish.sh}]}
workflows: {w: {jobs: [p]}}
";
    let scan = read_files(&[
        MANIFEST,
        (".circleci/config.yml", text),
        ("scripts/publish.sh", script),
    ]);
    assert_eq!(paths(&scan), ["p 3 custom-script oidc -"]);
}

#[test]
fn pipeline_parameters_stand_for_their_defaults() {
    let scan = read_files(&[
        ("package.json", r#"{"name":"@acme/kit","version":"1.0.0"}"#),
        (
            ".circleci/config.yml",
            "
version: 2.1
parameters:
  send: {type: string, default: npm publish}
  other: {type: string}
commands:
  go: {parameters: {what: {type: string}}, steps: [{run: << parameters.what >>}]}
jobs:
  a: {docker: [{image: cimg/node:24.0}], steps: [{run: << pipeline.parameters.send >>}]}
  b: {docker: [{image: cimg/node:24.0}], steps: [{go: {what: << pipeline.parameters.send >>}}]}
  c: {docker: [{image: cimg/node:24.0}], steps: [{run: << pipeline.parameters.other >>}]}
workflows:
  all: {jobs: [a, b, c]}
",
        ),
    ]);
    assert_eq!(
        paths(&scan),
        ["b 7 npm none-visible -", "a 9 npm none-visible -"]
    );
    let unseen: Vec<u32> = scan
        .findings
        .iter()
        .filter(|f| f.rule == "unseen-callee")
        .map(|f| f.line)
        .collect();
    assert_eq!(unseen, [11]);
}

#[test]
fn a_limit_and_an_alias_bomb_are_said() {
    let mut text = "version: 2.1\ncommands:\n".to_owned();
    for at in 0..14 {
        text.push_str(&format!("  c{at}: {{steps: [c{}]}}\n", at + 1));
    }
    text.push_str("  c14: {steps: [{run: npm publish}]}\n");
    text.push_str("jobs:\n  a: {steps: [c0]}\nworkflows:\n  w: {jobs: [a]}\n");
    let scan = read_files(&[(".circleci/config.yml", &text)]);
    assert_eq!(rules(&scan), ["follow-limit"]);
    let mut bomb = "version: 2.1\na0: &a0 [{run: ls}, {run: ls}]\n".to_owned();
    for at in 1..24 {
        let before = at - 1;
        bomb.push_str(&format!("a{at}: &a{at} [*a{before}, *a{before}]\n"));
    }
    bomb.push_str("jobs:\n  a: {steps: *a23}\nworkflows:\n  w: {jobs: [a]}\n");
    let scan = read_files(&[(".circleci/config.yml", &bomb)]);
    let found = rules(&scan);
    assert!(
        found.contains(&"alias-budget") || found.contains(&"follow-limit"),
        "{found:?}"
    );
}
