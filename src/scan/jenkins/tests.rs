#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use super::super::job::tests::{paths, read_files, rules, uses};
use super::groovy::quoted;

const MANIFEST: (&str, &str) = ("package.json", r#"{"name":"@acme/kit","version":"1.0.0"}"#);

fn read(text: &str) -> super::super::RepoScan {
    read_files(&[MANIFEST, ("Jenkinsfile", text)])
}

#[test]
fn declarative_pipelines() {
    let scan = read(
        r#"
pipeline {
  agent { docker { image 'node:20.11-alpine' } }
  environment {
    CI = 'true'
  }
  stages {
    stage('Build') {
      steps { sh 'npm ci' }
    }
    stage("Publish") {
      when { branch 'main' }
      environment { NPM_TOKEN = credentials('acme-npm') }
      steps {
        echo 'npm publish'
        // sh 'npm publish'
        /* sh 'npm publish' */
        sh '''
          echo "//{{registry}}/:_authToken=${NPM_TOKEN}" > .npmrc
          npm publish
        '''
      }
    }
  }
}
"#,
    );
    assert_eq!(paths(&scan), ["Publish 20 npm token acme-npm"]);
    let path = &scan.publish_paths[0];
    assert_eq!(path.blockers[0], "ci-no-oidc");
    assert_eq!(path.node_version.as_deref(), Some("20.11"));
    assert_eq!(path.triggers[0].branches, ["main"]);
}

#[test]
fn bound_credentials_and_helpers() {
    let scan = read(
        r#"
def nodeCmd(String cmd) {
    sh '. load_nvm && nvm install && ' + cmd
}
def login() {
    withCredentials([usernamePassword(credentialsId: "npm-bot-token", usernameVariable: "U", passwordVariable: "P")]) {
        sh 'npm-login-helper'
    }
}
pipeline {
  stages {
    stage('Release') {
      steps {
        script {
          login()
          nodeCmd("NODE_ENV=\"production\" npm publish --tag rc")
        }
      }
    }
    stage('Bound') {
      steps {
        withCredentials([string(credentialsId: 'other-id', variable: 'NODE_AUTH_TOKEN')]) {
          dir('packages/a') {
            sh(script: "npm publish", returnStatus: true)
          }
        }
      }
    }
    stage('Tag') {
      steps {
        withNPM(npmrcConfig: 'npmrc-file') { sh 'npm dist-tag add @acme/kit@1 latest' }
      }
    }
  }
}
"#,
    );
    assert_eq!(
        paths(&scan),
        [
            "Release 16 npm token npm-bot-token",
            "Bound 24 npm token other-id [can fail]"
        ]
    );
    assert_eq!(uses(&scan), ["Tag 31 dist-tag npmrc-file"]);
    assert!(rules(&scan).contains(&"publish-can-fail-silently"));
}

#[test]
fn scripted_pipelines() {
    let scan = read(
        r#"
node('linux') {
  stage 'Old'
  stage('Ship') {
    try {
      sh "npx semantic-release"
    } catch (e) { error "npm publish failed" }
  }
  if (env.TAG_NAME) {
    bat 'npm publish'
  }
  def message = 'npm publish'
  slackSend message: "npm publish done"
}
"#,
    );
    assert_eq!(
        paths(&scan),
        [
            "Ship 6 semantic-release none-visible -",
            "- 10 npm none-visible -"
        ]
    );
    assert_eq!(scan.publish_paths[0].runner_label.as_deref(), Some("linux"));
}

#[test]
fn strings_of_all_kinds() {
    for (text, value, length) in [
        ("'a'", "a", 3),
        ("'a\\'b' c", "a'b", 6),
        ("\"a \\\"b\\\"\"", "a \"b\"", 9),
        ("'''a\n'b' ''' x", "a\n'b' ", 12),
        ("\"open\nnext", "open", 5),
        ("'''open", "open", 7),
    ] {
        assert_eq!(quoted(text), Some((value.to_owned(), length)), "{text}");
    }
    assert_eq!(quoted("a'b'"), None);
}

#[test]
fn hostile_text_ends() {
    let deep = "{".repeat(5_000);
    assert!(read(&deep).publish_paths.is_empty());
    let quotes = "\"".repeat(20_001);
    assert!(read(&quotes).publish_paths.is_empty());
}

#[test]
fn logins_of_other_stages_and_functions() {
    let scan = read(
        r#"
def publish(tag) {
  withCredentials([[$class: 'StringBinding', credentialsId: 'NpmAuthToken', variable: 'NPM_TOKEN'],
                   [$class: 'StringBinding', credentialsId: 'OtherToken', variable: 'C_TOKEN']]) {
    sh "npm config set //{{registry}}/:_authToken=$NPM_TOKEN"
    sh "npm publish --tag ${tag}"
  }
}
pipeline {
  agent any
  tools { nodejs '18.6.0' }
  stages {
    stage('Login') {
      steps {
        withCredentials([usernamePassword(credentialsId: 'bot', usernameVariable: 'U', passwordVariable: 'NPM_AUTH_TOKEN')]) {
          sh "echo '//{{registry}}/:_authToken=$NPM_AUTH_TOKEN' >> .npmrc"
        }
      }
    }
    stage('Direct') { steps { sh 'npm publish dist' } }
    stage('Next') { steps { publish('next') } }
    stage('Latest') { steps { script { publish('latest') } } }
  }
}
"#,
    );
    assert_eq!(
        paths(&scan),
        [
            "Next 6 npm token NpmAuthToken",
            "Latest 6 npm token NpmAuthToken",
            "Direct 20 npm token bot",
        ]
    );
    assert!(
        scan.publish_paths
            .iter()
            .all(|p| p.node_version.as_deref() == Some("18.6.0"))
    );
}

#[test]
fn old_styles() {
    let scan = read(
        r#"
node {
  env.NPM = 'x'
  stage 'Build'
  sh 'npm install'
  stage 'Publish'
  withNPM(npmrcConfig: 'npmjs_publish') {
    sh("npx publish_npmjs")
  }
}
"#,
    );
    assert_eq!(
        paths(&scan)
            .iter()
            .filter(|p| p.starts_with("Publish 8"))
            .count(),
        1,
        "{:?}",
        paths(&scan)
    );
    assert_eq!(
        scan.publish_paths[0].secret.as_deref(),
        Some("npmjs_publish")
    );
    let scan = read(
        r#"
pipeline {
  environment {
    NPM_TOKEN = credentials('acme-npm-token')
    NPM_CREDS = credentials('npm-cred')
  }
  stages {
    stage('Deploy') {
      steps {
        sh "echo //{{registry}}/:_authToken=${env.NPM_TOKEN} > .npmrc"
        sh "npm publish"
      }
    }
    stage('Other registry') {
      steps {
        sh '''npm config set registry https://nexus.acme.example/repository/npm/'''
        sh '''npm publish'''
      }
    }
  }
}
"#,
    );
    assert_eq!(
        paths(&scan),
        [
            "Deploy 11 npm token acme-npm-token",
            "Other registry 17 npm token npm-cred [other]"
        ]
    );
}

#[test]
fn stages_of_one_machine_share_the_registry() {
    let scan = read(
        r#"
node {
  withCredentials([string(credentialsId: 'nexus-npm', variable: 'NPM_TOKEN')]) {
    stage 'Set up'
    sh 'npm config set registry https://nexus.acme.example/repository/npm/'
    sh 'npm config set //nexus.acme.example/repository/npm/:_authToken=$NPM_TOKEN'
    stage 'Build'
    sh 'npm ci'
    stage 'Publish'
    sh 'npm publish dist'
  }
}
"#,
    );
    assert_eq!(paths(&scan), ["Publish 10 npm token nexus-npm [other]"]);
}
