#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use super::super::job::tests::{paths, read_files, rules, uses};

const MANIFEST: (&str, &str) = (
    "package.json",
    r#"{"name":"@acme/kit","version":"1.0.0","scripts":{"rel":"npm publish"}}"#,
);

fn read(text: &str) -> super::super::RepoScan {
    read_files(&[MANIFEST, (".travis.yml", text)])
}

#[test]
fn npm_provider() {
    let scan = read(
        "
language: node_js
node_js: [18, 24]
deploy:
  provider: npm
  email: a@example.com
  api_key: {secure: Zm9v}
  on: {tags: true, branch: main}
",
    );
    assert_eq!(paths(&scan), ["- 5 npm token -"]);
    let path = &scan.publish_paths[0];
    assert_eq!(
        (
            path.triggers[0].tags.clone(),
            path.triggers[0].branches.clone()
        ),
        (vec!["*".to_owned()], vec!["main".to_owned()])
    );
    assert_eq!(path.blockers, ["ci-no-oidc"]);
    let scan = read(
        "deploy:\n  - provider: npm\n    api_token: \"$NPM_KEY\"\n    dry_run: false\n  - provider: npm\n    dry_run: true\n  - provider: pages\n",
    );
    assert_eq!(paths(&scan), ["- 2 npm token NPM_KEY"]);
}

#[test]
fn scripts_and_stages() {
    let scan = read(
        "
env:
  global:
    - NPM_TOKEN=$ACME_NPM
    - secure: Zm9v
after_success:
  - npm run rel
jobs:
  include:
    - stage: release
      deploy:
        provider: script
        script: npx semantic-release
    - name: tags
      script: npm dist-tag add @acme/kit@1 latest
",
    );
    assert_eq!(
        paths(&scan),
        [
            "- 7 npm token ACME_NPM",
            "release 13 semantic-release token ACME_NPM"
        ]
    );
    assert_eq!(uses(&scan), ["tags 15 dist-tag ACME_NPM"]);
    assert!(rules(&scan).contains(&"credential-in-build") || !scan.findings.is_empty());
}

#[test]
fn nothing_to_publish() {
    let scan = read(
        "script: [npm test, 'echo npm publish']\ndeploy: {provider: script, script: ./deploy-site.sh}\n",
    );
    assert_eq!(paths(&scan), Vec::<String>::new());
}

#[test]
fn listed_jobs_take_the_phases_before_from_the_top() {
    let scan = read(
        "
before_deploy:
  - echo \"//{{registry}}/:_authToken=\\${NPM_AUTH_TOKEN}\" > ~/.npmrc
jobs:
  include:
    - script: npm test
    - stage: npm release
      script: echo publishing
      deploy:
        - provider: script
          script: if [ -n \"$TAG\" ]; then npm publish --tag next; else echo no; fi
          on: [{tags: true}]
",
    );
    assert_eq!(paths(&scan), ["npm release 11 npm token NPM_AUTH_TOKEN"]);
    assert_eq!(scan.publish_paths[0].triggers[0].tags, ["*"]);
}

#[test]
fn what_comes_before_a_publish_is_none() {
    let text = "
before_deploy: ./bin/npm-prepublish.js --verbose
after_deploy: ./tools/npm-release-mail.sh
deploy:
  provider: npm
  api_key: {secure: abc}
";
    let scan = read_files(&[MANIFEST, (".travis.yml", text)]);
    assert_eq!(paths(&scan), ["- 5 npm token -"]);
}
