#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use super::super::job::tests::{paths, read_files, rules, uses};
use super::*;

const MANIFEST: (&str, &str) = ("package.json", r#"{"name":"@acme/kit","version":"1.0.0"}"#);

#[test]
fn tasks_and_scripts() {
    let text = "
trigger:
  branches: {include: [main, releases/*], exclude: [old]}
  tags: {include: ['v*']}
pool: {vmImage: ubuntu-latest}
variables:
  - group: npm-secrets
steps:
  - task: NodeTool@0
    inputs: {versionSpec: '20.x'}
  - task: Npm@1
    inputs: {command: ci}
  - task: Npm@1
    displayName: publish
    inputs:
      command: publish
      publishRegistry: useExternalRegistry
      publishEndpoint: acme-npm
  - task: Npm@1
    inputs: {command: publish, publishRegistry: useFeed, publishFeed: acme}
  - task: Npm@1
    inputs: {command: custom, customCommand: publish --tag next, customEndpoint: other-npm}
  - script: npm run lint
";
    let scan = read_files(&[MANIFEST, ("azure-pipelines.yml", text)]);
    assert_eq!(
        paths(&scan),
        [
            "- 13 npm token acme-npm",
            "- 19 npm token - [other]",
            "- 21 npm token other-npm"
        ]
    );
    let path = &scan.publish_paths[0];
    assert_eq!(path.runner, Runner::Hosted);
    assert_eq!(path.runner_label.as_deref(), Some("ubuntu-latest"));
    assert_eq!(path.triggers[0].branches, ["main", "releases/*", "!old"]);
    assert_eq!(path.triggers[0].tags, ["v*"]);
    assert!(
        path.blockers.contains(&"ci-no-oidc".to_owned())
            && path.blockers.contains(&"node-too-old".to_owned())
    );
    assert!(!rules(&scan).contains(&"token-where-oidc-would-do"));
}

#[test]
fn environment_variables_and_logins() {
    let text = "
stages:
  - stage: Build
    jobs: [{job: build, steps: [{script: npm ci}]}]
  - stage: Release
    jobs:
      - deployment: publish
        environment: npm-production
        pool: own-pool
        strategy:
          runOnce:
            deploy:
              steps:
                - task: npmAuthenticate@0
                  inputs: {workingFile: .npmrc, customEndpoint: acme-endpoint}
                - bash: |
                    echo one
                    npm publish
                  workingDirectory: $(Build.SourcesDirectory)/
      - job: env
        steps:
          - pwsh: npm publish
            env:
              NODE_AUTH_TOKEN: $(npm-token)
            continueOnError: true
          - script: npm deprecate @acme/kit@1 old
            env: {NPM_TOKEN: $(npm-token)}
";
    let scan = read_files(&[MANIFEST, (".azure-pipelines/release.yml", text)]);
    assert_eq!(
        paths(&scan),
        [
            "publish 18 npm token acme-endpoint",
            "env 22 npm token npm-token [can fail]"
        ]
    );
    assert_eq!(
        scan.publish_paths[0].environment.as_deref(),
        Some("npm-production")
    );
    assert_eq!(scan.publish_paths[0].runner, Runner::SelfHosted);
    assert_eq!(uses(&scan), ["env 26 deprecate npm-token"]);
}

#[test]
fn templates_with_parameters_and_conditions() {
    let root = "
trigger: none
extends:
  template: v1/Official.yml@templates
  parameters:
    stages:
      - stage: One
        jobs:
          - template: /ci/job.yml
            parameters:
              tag: next
              steps:
                - script: echo first
          - ${{ if eq(variables.x, 'y') }}:
              - job: Two
                steps:
                  - template: steps.yml
";
    let job = "
parameters:
  - {name: tag, type: string, default: latest}
  - {name: steps, type: stepList, default: []}
jobs:
  - job: Templated
    steps:
      - ${{ parameters.steps }}
      - script: npm publish --tag ${{ parameters.tag }}
";
    let steps = "steps:\n  - task: EsrpRelease@9\n    inputs: {contenttype: npm}\n";
    let scan = read_files(&[
        MANIFEST,
        ("azure-pipelines.yml", root),
        ("ci/job.yml", job),
        ("steps.yml", steps),
    ]);
    let got: Vec<String> = scan
        .publish_paths
        .iter()
        .zip(paths(&scan))
        .map(|(p, t)| format!("{} {t} {}", p.file, p.command))
        .collect();
    assert_eq!(
        got,
        [
            "azure-pipelines.yml Two 15 other none-visible - EsrpRelease@9",
            "ci/job.yml Templated 9 npm none-visible - npm publish --tag next",
        ]
    );
    assert!(rules(&scan).contains(&"unseen-callee"));
}

#[test]
fn templates_that_call_themselves_end() {
    let text = "steps:\n  - template: loop.yml\n  - script: npm publish\n";
    let scan = read_files(&[
        MANIFEST,
        ("azure-pipelines.yml", "steps:\n  - template: loop.yml\n"),
        ("loop.yml", text),
    ]);
    assert!(!scan.publish_paths.is_empty() && scan.publish_paths.len() < 50);
}

#[test]
fn shells_and_macros() {
    let text = "
jobs:
  - job: linux
    steps:
      - script: |
          echo \"//{{registry}}/:_authToken=$(npmToken)\" > .npmrc
          npm publish
  - job: windows
    pool: {vmImage: windows-latest}
    steps:
      - script: echo //{{registry}}/:_authToken=%NPM_TOKEN%>.npmrc
        env: {NPM_TOKEN: $(acme.npm)}
      - powershell: |
          npm publish
  - job: set
    steps:
      - bash: npm config set //{{registry}}/:_authToken $NPM_KEY && npm publish
        env: {NPM_KEY: $(key)}
  - job: login
    steps:
      - script: |
          npx npm-cli-login -u $(npm.username) -p $(npm.password) -e $(npm.email)
          npm publish
";
    let scan = read_files(&[MANIFEST, ("azure-pipelines.yml", text)]);
    assert_eq!(
        paths(&scan),
        [
            "linux 7 npm token npmToken",
            "windows 14 npm token acme.npm",
            "set 17 npm token key",
            "login 23 npm token npm.password",
        ]
    );
}

#[test]
fn release_services_and_powershell() {
    let text = "
extends:
  template: azure-pipelines/1ES.yml@templates
  parameters:
    jobs:
      - job: service
        steps:
          - template: MicroBuild.Publish.yml@MicroBuildTemplate
            parameters: {intent: PackageDistribution, contentType: npm}
      - ${{ each p in parameters.packages }}:
          - job: loop
            steps:
              - pwsh: |
                  foreach ($file in Get-ChildItem *.tgz) {
                    npm publish $file.FullName --access public
                  }
                env: {NODE_AUTH_TOKEN: $(token)}
";
    let scan = read_files(&[MANIFEST, ("azure-pipelines.yml", text)]);
    assert_eq!(
        paths(&scan),
        ["service 8 other none-visible -", "loop 15 npm token token"]
    );
}

#[test]
fn tokens_on_the_command_line_and_in_groups() {
    let text = "
jobs:
  - job: flag
    steps:
      - script: yarn beachball publish -n $(npmToken)
  - job: group
    steps:
      - bash: |
          {
            printf '//{{registry}}/:_authToken=%s\\n' \"$NPM_TOKEN\"
            printf 'ignore-scripts=true\\n'
          } > \"$CONFIG\"
        env: {NPM_TOKEN: $(npm-publish)}
      - bash: |
          while IFS= read -r FILE; do
            npm publish \"$FILE\" --ignore-scripts
          done < order.txt
        env: {NPM_CONFIG_USERCONFIG: $(Config)}
";
    let scan = read_files(&[MANIFEST, ("common/azure-pipelines/publish.yml", text)]);
    assert_eq!(
        paths(&scan),
        [
            "flag 5 other token npmToken",
            "group 16 npm token npm-publish"
        ]
    );
}

#[test]
fn templates_of_the_pipeline_s_own_repository_start_at_its_root() {
    let pipeline = "
extends:
  template: v1/base.yml@frame
  parameters:
    stages:
      - stage: out
        jobs:
          - job: npm
            steps:
              - template: .ado/parts/publish.yml@self
              - template: parts/login.yml
";
    let publish = "steps: [{script: npm publish}]\n";
    let login = "steps: [{script: npm whoami}]\n";
    let scan = read_files(&[
        MANIFEST,
        (".ado/out.yml", pipeline),
        (".ado/parts/publish.yml", publish),
        (".ado/parts/login.yml", login),
    ]);
    assert_eq!(scan.publish_paths.len(), 1);
    assert_eq!(scan.publish_paths[0].job.as_deref(), Some("npm"));
    assert!(!rules(&scan).contains(&"unreadable-file"));
}

#[test]
fn what_is_true_of_all_publishes_of_a_job_is_said_once() {
    let text = "
jobs:
  - job: out
    steps:
      - script: |
          if [ -n \"$NEXT\" ]; then
            npm publish --tag next
          else
            npm publish
          fi
";
    let scan = read_files(&[MANIFEST, ("azure-pipelines.yml", text)]);
    let blocked = |p: &super::super::PublishPath| p.blockers.contains(&"ci-no-oidc".to_owned());
    assert_eq!(scan.publish_paths.len(), 2);
    assert!(scan.publish_paths.iter().all(blocked));
    let said = rules(&scan).into_iter().filter(|r| *r == "ci-no-oidc");
    assert_eq!(said.count(), 1);
}

#[test]
fn steps_that_a_pipeline_hands_to_a_template_stand_in_the_pipeline() {
    let root = "
extends:
  template: /ci/outer.yml
  parameters:
    stages:
      - stage: Ship
        jobs:
          - job: Ship
            steps:
              - script: npm publish
";
    let outer = "
parameters:
  - {name: stages, type: stageList, default: []}
extends:
  template: v1/Official.yml@templates
  parameters:
    stages: ${{ parameters.stages }}
";
    let scan = read_files(&[
        MANIFEST,
        ("azure-pipelines.yml", root),
        ("ci/outer.yml", outer),
    ]);
    let places: Vec<(&str, u32)> = scan
        .publish_paths
        .iter()
        .map(|path| (path.file.as_str(), path.line))
        .collect();
    assert_eq!(places, [("azure-pipelines.yml", 10)]);
}
