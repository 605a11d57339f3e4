#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use super::super::job::tests::{paths, read_files, rules, uses};

const MANIFEST: (&str, &str) = ("package.json", r#"{"name":"@acme/kit","version":"1.0.0"}"#);

#[test]
fn token_written_by_an_inherited_script() {
    let text = "
default:
  image: node:22.20
  before_script:
    - echo \"//{{registry}}/:_authToken=${NPM_TOKEN}\" > .npmrc
build:
  script: [npm ci, npm run build]
publish:
  environment: {name: npm}
  script:
    - npm ci
    - npm publish
  rules:
    - if: $CI_COMMIT_TAG =~ /^v/
";
    let scan = read_files(&[MANIFEST, (".gitlab-ci.yml", text)]);
    assert_eq!(paths(&scan), ["publish 12 npm token NPM_TOKEN"]);
    let path = &scan.publish_paths[0];
    assert_eq!(path.environment.as_deref(), Some("npm"));
    assert_eq!(path.packages, ["@acme/kit"]);
    assert_eq!(path.node_version.as_deref(), Some("22.20"));
    assert_eq!(path.triggers[0].tags, ["/^v/"]);
    assert_eq!(path.blockers, ["npm-too-old"]);
    assert_eq!(
        uses(&scan),
        ["build 7 install NPM_TOKEN", "publish 11 install NPM_TOKEN"]
    );
}

#[test]
fn id_token_alone_and_beside_a_token() {
    let text = "
publish:
  image: node:24
  id_tokens:
    NPM_ID_TOKEN:
      aud: \"npm:{{registry}}\"
    SIGSTORE_ID_TOKEN:
      aud: sigstore
  script: npm publish
leftover:
  extends: publish
  variables:
    NPM_TOKEN: $NPM_PUBLISH_TOKEN
wrong:
  image: node:24
  id_tokens:
    VAULT:
      aud: https://vault.example
  script: npm publish
";
    let scan = read_files(&[MANIFEST, (".gitlab-ci.yml", text)]);
    assert_eq!(
        paths(&scan),
        [
            "publish 9 npm oidc -",
            "leftover 9 npm token+oidc NPM_PUBLISH_TOKEN",
            "wrong 19 npm none-visible -"
        ]
    );
    assert!(rules(&scan).contains(&"token-beside-oidc"));
}

#[test]
fn merging_of_anchors_extends_and_references() {
    let main = "
include:
  - local: /ci/jobs.yml
  - local: 'ci/extra/*.yml'
  - project: acme/templates
    file: /npm.yml
  - template: Node.gitlab-ci.yml
.login: &login
  - npm config set //{{registry}}/:_authToken $RELEASE_TOKEN
.base:
  before_script: *login
  tags: [saas-linux-small-amd64]
pnpm:
  extends: [.shared, .base]
  script:
    - !reference [.steps, script]
merged:
  <<: {before_script: *login}
  script: pnpm publish -r
template: # shadowed keyword-like name
  script: echo npm publish
";
    let included = "
.shared:
  tags: [own]
  before_script: [echo none]
.steps:
  script:
    - cd packages/a
    - [npm publish]
from-include:
  extends: .base
  script: npx changeset publish
";
    let files = [
        (
            "package.json",
            r#"{"private":true,"workspaces":["packages/*"],"devDependencies":{"@changesets/cli":"^2.29.0"}}"#,
        ),
        ("packages/a/package.json", r#"{"name":"a"}"#),
        ("packages/b/package.json", r#"{"name":"b"}"#),
        (".gitlab-ci.yml", main),
        ("ci/jobs.yml", included),
        (
            "ci/extra/x.gitlab-ci.yml",
            "late:\n  script: ./tools/publish-npm.sh\n",
        ),
    ];
    let scan = read_files(&files);
    let mut got: Vec<String> = scan
        .publish_paths
        .iter()
        .zip(paths(&scan))
        .map(|(p, t)| format!("{}: {t}", p.file))
        .collect();
    got.sort();
    assert_eq!(
        got,
        [
            ".gitlab-ci.yml: merged 19 pnpm token RELEASE_TOKEN",
            ".gitlab-ci.yml: pnpm 13 npm token RELEASE_TOKEN",
            "ci/extra/x.gitlab-ci.yml: late 2 custom-script none-visible -",
            "ci/jobs.yml: from-include 11 changesets token RELEASE_TOKEN",
        ]
    );
    let pnpm = scan
        .publish_paths
        .iter()
        .find(|p| p.job.as_deref() == Some("pnpm"))
        .unwrap();
    assert_eq!(pnpm.packages, ["a"]);
    assert_eq!(pnpm.runner, super::Runner::Hosted);
    let outside = scan
        .findings
        .iter()
        .filter(|f| f.rule == "unseen-callee")
        .count();
    assert_eq!(outside, 2);
}

#[test]
fn folders_and_exports_last_through_a_job() {
    let text = "
publish:
  before_script:
    - export NODE_AUTH_TOKEN=$KEY
    - cd packages/b
  script:
    - npm publish --registry https://{{registry}}
    - cd ../a && npm publish || true
";
    let files = [
        (
            "package.json",
            r#"{"private":true,"workspaces":["packages/*"]}"#,
        ),
        ("packages/a/package.json", r#"{"name":"a"}"#),
        ("packages/b/package.json", r#"{"name":"b"}"#),
        (".gitlab-ci.yml", text),
    ];
    let scan = read_files(&files);
    assert_eq!(
        paths(&scan),
        [
            "publish 7 npm token KEY",
            "publish 8 npm token KEY [can fail]"
        ]
    );
    assert_eq!(scan.publish_paths[0].packages, ["b"]);
    assert_eq!(scan.publish_paths[1].packages, ["a"]);
    assert_eq!(scan.publish_paths[1].ordinal, 1);
}

#[test]
fn gitlabs_own_registry_is_another_registry() {
    let text = "
publish:
  script:
    - |
      {
        echo \"@${CI_PROJECT_ROOT_NAMESPACE}:registry=${CI_API_V4_URL}/projects/${CI_PROJECT_ID}/packages/npm/\"
        echo \"${CI_API_V4_URL#https?}/projects/${CI_PROJECT_ID}/packages/npm/:_authToken=\\${CI_JOB_TOKEN}\"
      } >> .npmrc
    - npm publish
other:
  script:
    - echo \"//gitlab.com/api/v4/projects/1/packages/npm/:_authToken=$CI_JOB_TOKEN\" >> .npmrc
    - npm publish
flag:
  script: npm publish --registry=${CI_API_V4_URL}/projects/1/packages/npm/
";
    let scan = read_files(&[MANIFEST, (".gitlab-ci.yml", text)]);
    let got: Vec<_> = scan.publish_paths.iter().map(|p| p.registry).collect();
    assert_eq!(
        got,
        [super::super::Registry::Other; 3],
        "{:?}",
        paths(&scan)
    );
}

#[test]
fn scripts_are_followed_and_dry_runs_are_not_publishes() {
    let text = "
a: {script: npm run release}
b: {script: [./ci/ship.sh]}
c: {script: 'npm publish --dry-run'}
d: {script: 'yarn publish'}
e: {script: 'npm run lint'}
f: {script: 'npm stage publish'}
pages: {script: 'npx semantic-release'}
.hidden: {script: npm publish}
trigger: {trigger: {include: [{local: child.yml}]}}
";
    let scan = read_files(&[
        (
            "package.json",
            r#"{"name":"k","scripts":{"release":"changeset publish","lint":"eslint"},"devDependencies":{"@changesets/cli":"2.29.7"}}"#,
        ),
        (
            "ci/ship.sh",
            "#!/bin/sh\nset -e\nnpm publish --access public\n",
        ),
        (".gitlab-ci.yml", text),
    ]);
    assert_eq!(
        paths(&scan),
        [
            "a 2 changesets none-visible -",
            "b 3 custom-script none-visible -",
            "d 5 yarn-classic none-visible -",
            "f 7 npm none-visible - [staged]",
            "pages 8 semantic-release none-visible -",
        ]
    );
}

#[test]
fn committed_configuration_names_the_token() {
    let scan = read_files(&[
        MANIFEST,
        (
            ".npmrc",
            "//{{registry}}/:_authToken=${CI_NPM_KEY}\nregistry=https://{{registry}}/\n",
        ),
        (
            ".gitlab-ci.yml",
            "x:\n  tags: [docker]\n  script:\n    - set -x\n    - npm publish\n",
        ),
    ]);
    assert_eq!(paths(&scan), ["x 5 npm token CI_NPM_KEY"]);
    assert_eq!(scan.publish_paths[0].runner, super::Runner::Unknown);
    assert!(rules(&scan).contains(&"shell-trace"));
}

#[test]
fn broken_and_odd_files_are_findings() {
    let scan = read_files(&[
        (
            ".gitlab-ci.yml",
            "include: ci/loop.yml\na:\n  script: npm publish\n  script: echo\n",
        ),
        (
            "ci/loop.yml",
            "include: [/ci/loop.yml, ci/bad.yml, ci/missing.yml, ../../etc/passwd]\nb: {extends: [b, c], script: npm publish}\nc: {extends: b}\n",
        ),
        ("ci/bad.yml", "a: [\n"),
        (
            ".gitlab/t.yml.tpl",
            "{{ range .x }}\nj ({{ .n }}):\n  script:\n    - npm publish\n{{- end }}\n",
        ),
    ]);
    assert_eq!(
        paths(&scan),
        [
            "j (template) 4 npm none-visible -",
            "b 2 npm none-visible -",
            "c 2 npm none-visible -"
        ]
        .map(str::to_owned)
    );
    let found = rules(&scan);
    assert!(
        found.contains(&"duplicate-key") && found.contains(&"unreadable-file"),
        "{found:?}"
    );
}

#[test]
fn templates_keep_their_lines() {
    let text = "a\n{{ if x }}\nb: {{ .c }}\n{{- end }}\nd: {{ if y }}1{{ end }}\n";
    let out = super::include::without_templates(text);
    assert_eq!(out.lines().count(), text.lines().count());
    assert_eq!(
        out.lines().collect::<Vec<_>>(),
        ["a", "", "b: template", "", "d: 1"]
    );
}

#[test]
fn functions_and_handed_on_logins() {
    let text = "
.utils: &utils |
  function setup_npm_token() {
    echo \"//{{registry}}/:_authToken=$NPMJS_ORG_TOKEN\" >> ~/.npmrc
  }
login:
  script:
    - echo '//{{registry}}/:_authToken=${LOGIN_TOKEN}' > .npmrc
  artifacts: {paths: [.npmrc]}
publish:
  before_script: [*utils, setup_npm_token]
  script:
    - npm publish
later:
  script:
    - npm publish --tag next
empty:
  variables: {LOGIN_TOKEN: ''}
  id_tokens: {NPM_ID_TOKEN: {aud: 'npm:{{registry}}'}}
  script: npm publish
bad-audience:
  id_tokens: {NPM_ID_TOKEN: {aud: 'https://{{registry}}'}}
  script: npm publish
";
    let scan = read_files(&[MANIFEST, (".gitlab-ci.yml", text)]);
    assert_eq!(
        paths(&scan),
        [
            "publish 13 npm token NPMJS_ORG_TOKEN",
            "later 16 npm token LOGIN_TOKEN",
            "empty 20 npm oidc -",
            "bad-audience 23 npm token LOGIN_TOKEN",
        ]
    );
    assert!(rules(&scan).contains(&"id-token-audience"));
}

#[test]
fn child_pipelines_and_job_tokens() {
    let scan = read_files(&[
        MANIFEST,
        (
            ".gitlab-ci.yml",
            "child: {trigger: {include: [{local: /ci/child.yml}]}}\nown:\n  variables: {NPM_TOKEN: $CI_JOB_TOKEN}\n  script: npm publish\n",
        ),
        (
            "ci/child.yml",
            "publish: {script: './scripts/publish.sh latest', variables: {NODE_AUTH_TOKEN: $KEY}}\n",
        ),
    ]);
    assert_eq!(
        paths(&scan),
        [
            "own 4 npm token CI_JOB_TOKEN [other]",
            "publish 1 custom-script token KEY"
        ]
    );
}

#[test]
fn the_publish_script_that_a_variable_names() {
    let text = "
words:
  script: npx changesets-gitlab comment
  variables: {INPUT_PUBLISH_SCRIPT: npm run out}
versions:
  script: npx changesets-gitlab
out:
  id_tokens: {NPM_ID_TOKEN: {aud: 'npm:{{registry}}'}}
  script:
    - npm ci
    - npx changesets-gitlab
  variables: {INPUT_PUBLISH_SCRIPT: npm run out}
";
    let manifest =
        r#"{"name":"@acme/kit","version":"1.0.0","scripts":{"out":"tsc && changeset publish"}}"#;
    let scan = read_files(&[("package.json", manifest), (".gitlab-ci.yml", text)]);
    assert_eq!(paths(&scan), ["out 11 changesets oidc -"]);
    // Without tags, a server that is not known may give the job to any runner.
    assert_eq!(scan.publish_paths[0].runner, super::Runner::Unknown);
}

#[test]
fn includes_by_a_pattern() {
    let text = "
include:
  - local: '/ci/*.yml'
  - local: '/elsewhere/*.yml'
out:
  extends: .login
  script: npm publish
";
    let login = "
.login:
  before_script:
    - npm config set -- '//{{registry}}/:_authToken' \"$RELEASE_TOKEN\"
";
    let manifest = ("package.json", r#"{"name":"@acme/kit","version":"1.0.0"}"#);
    let scan = read_files(&[manifest, (".gitlab-ci.yml", text), ("ci/login.yml", login)]);
    assert_eq!(paths(&scan), ["out 7 npm token RELEASE_TOKEN"]);
    let unseen: Vec<u32> = scan
        .findings
        .iter()
        .filter(|f| f.rule == "unseen-callee")
        .map(|f| f.line)
        .collect();
    assert_eq!(unseen, [4]);
}
