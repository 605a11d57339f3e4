#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use unicode_width::UnicodeWidthStr;

use super::super::*;
use super::*;

fn text(write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> String {
    let mut out = Vec::new();
    write(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

pub fn path() -> PublishPath {
    PublishPath {
        file: ".gitlab-ci.yml".into(),
        job: Some("publish".into()),
        ordinal: 0,
        step: Some(2),
        line: 42,
        column: 7,
        step_line: 40,
        ci: CiSystem::Gitlab,
        tool: Tool::YarnBerry,
        tool_version: None,
        registry: Registry::Npmjs,
        registry_url: None,
        credential: Credential::TokenAndOidc,
        secret: Some("NPM_TOKEN".into()),
        secret_set_at: None,
        id_token_write: true,
        environment: None,
        runner: Runner::SelfHosted,
        runner_label: None,
        reusable: None,
        calls: None,
        staged: false,
        packages: vec!["@acme/a".into(), "@acme/b".into()],
        triggers: Vec::new(),
        actions: [].into(),
        node_version: None,
        npm_version: None,
        fails_closed: true,
        blockers: Vec::new(),
        command: "yarn npm publish".into(),
    }
}

pub fn repo() -> RepoScan {
    RepoScan {
        repo: "acme/ui".into(),
        root: "/tmp/ui".into(),
        commit: None,
        ci: vec![CiSystem::Gitlab],
        refs: "this checkout only, other refs not checked".into(),
        publish_paths: vec![path()],
        token_uses: vec![TokenUse {
            file: ".gitlab-ci.yml".into(),
            job: Some("tag".into()),
            step: None,
            line: 50,
            secret: Some("NPM_TOKEN".into()),
            purpose: Purpose::DistTag,
        }],
        packages: Vec::new(),
        findings: vec![Finding {
            rule: "some-rule",
            severity: Severity::Warning,
            file: "a b,c:d/é.yml".into(),
            line: 3,
            column: 0,
            job: None,
            message: "A token stands where 100% OIDC would do.".into(),
            fix: "Use OIDC.".into(),
            source: "https://docs.npmjs.com/trusted-publishers",
        }],
        files_read: 1,
    }
}

#[test]
fn json_has_the_agreed_names() {
    let out = text(|w| write_scan_json(&[repo(), repo()], w));
    let value: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(value["version"], 1);
    assert_eq!(value["repos"].as_array().unwrap().len(), 2);
    let repo = &value["repos"][0];
    for key in [
        "repo",
        "root",
        "ci",
        "publish_paths",
        "token_uses",
        "packages",
        "findings",
    ] {
        assert!(repo.get(key).is_some(), "{key}");
    }
    let path = &repo["publish_paths"][0];
    for (key, want) in [
        ("file", serde_json::json!(".gitlab-ci.yml")),
        ("job", serde_json::json!("publish")),
        ("step", serde_json::json!(2)),
        ("line", serde_json::json!(42)),
        ("tool", serde_json::json!("yarn-berry")),
        ("registry", serde_json::json!("npmjs")),
        ("credential", serde_json::json!("token+oidc")),
        ("secret", serde_json::json!("NPM_TOKEN")),
        ("id_token_write", serde_json::json!(true)),
        ("environment", serde_json::Value::Null),
        ("runner", serde_json::json!("self-hosted")),
        ("reusable", serde_json::Value::Null),
        ("staged", serde_json::json!(false)),
        ("packages", serde_json::json!(["@acme/a", "@acme/b"])),
    ] {
        assert_eq!(path[key], want, "{key}");
    }
    assert_eq!(repo["token_uses"][0]["purpose"], "dist-tag");
    assert_eq!(
        text(|w| write_scan_json(&[], w)).replace('\n', ""),
        r#"{"version":1,"repos":[]}"#
    );
}

#[test]
fn annotations_are_one_encoded_line_each() {
    let out = text(|w| write_annotations(&[repo()], w));
    assert_eq!(
        out,
        "::warning file=a b%2Cc%3Ad/é.yml,line=3,col=1,title=cutover%3A some-rule::A token stands where 100%25 OIDC would do. Use OIDC.\n"
    );
}

#[test]
fn an_annotation_ends_its_first_sentence() {
    let mut bare = repo();
    bare.findings[0].message = "A token stands here (NPM_TOKEN)".into();
    let out = text(|w| write_annotations(&[bare], w));
    assert!(
        out.ends_with("A token stands here (NPM_TOKEN). Use OIDC.\n"),
        "{out}"
    );
}

#[test]
fn annotations_cannot_be_broken_out_of() {
    let mut hostile = repo();
    hostile.findings[0].message = "x\n::set-env name=A::b\r\n::error::y".into();
    hostile.findings[0].file = "a\n::error::z".into();
    let out = text(|w| write_annotations(&[hostile], w));
    assert_eq!(out.lines().count(), 1, "{out}");
}

#[test]
fn the_table_keeps_to_its_width() {
    let mut wide = repo();
    wide.publish_paths[0].file = "very/long/".repeat(20);
    wide.publish_paths[0].job = Some("界".repeat(60));
    wide.findings[0].message = "word ".repeat(80);
    for width in [60, 80, 120, 200] {
        let out = text(|w| write_table(std::slice::from_ref(&wide), width, w));
        let body = out.lines().filter(|l| l.starts_with(' '));
        assert!(body.clone().count() > 5);
        for line in body {
            assert!(line.width() <= width, "{width}: {} {line}", line.width());
        }
    }
}

#[test]
fn the_table_says_what_was_found() {
    let out = text(|w| write_table(&[repo()], 160, w));
    for want in [
        "acme/ui  (GitLab CI; this checkout only, other refs not checked)",
        ".gitlab-ci.yml:42  publish  yarn berry  token+oidc NPM_TOKEN",
        "@acme/a +1",
        ".gitlab-ci.yml:50  tag  dist-tag  NPM_TOKEN",
        "warning  some-rule",
        "1 publish path to npm: 0 by token, 0 by OIDC, 1 by OIDC with a token left,",
        "1 repo, 1 other token use, 0 errors, 1 warning, 0 notes",
    ] {
        let squeezed: Vec<&str> = out.split_whitespace().collect();
        let wanted: Vec<&str> = want.split_whitespace().collect();
        assert!(
            squeezed.windows(wanted.len()).any(|w| w == wanted),
            "{want}\n{out}"
        );
    }
}

#[test]
fn foreign_text_and_tokens_stay_inside() {
    let token = format!("npm_{}", "aB3xY9".repeat(6));
    let mut hostile = repo();
    let evil = format!("\u{1b}]52;c;x\u{7}\u{9b}2J\u{202e}{token}");
    hostile.repo = evil.clone();
    hostile.publish_paths[0].file = evil.clone();
    hostile.publish_paths[0].job = Some(evil.clone());
    hostile.publish_paths[0].packages = vec![evil.clone()];
    hostile.token_uses[0].secret = Some(evil.clone());
    hostile.findings[0].message = evil.clone();
    hostile.findings[0].file = evil;
    let repos = [hostile];
    let all = [
        text(|w| write_table(&repos, 120, w)),
        text(|w| write_scan_json(&repos, w)),
        text(|w| write_annotations(&repos, w)),
    ];
    for out in all {
        assert!(!out.contains(&token), "{out:?}");
        assert!(
            !out.chars()
                .any(|c| matches!(c, '\u{1b}' | '\u{9b}' | '\u{7}' | '\u{202e}')),
            "{out:?}"
        );
    }
}
