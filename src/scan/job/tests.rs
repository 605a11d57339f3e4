#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use super::super::checkout::scan_tree;
use super::super::tree::Memory;
use super::super::{PublishPath, Registry, RepoScan, TokenUse};

/// Scans files given by path and text; `{{registry}}` stands for the public registry's host.
pub fn read_files(files: &[(&str, &str)]) -> RepoScan {
    let texts = files
        .iter()
        .map(|(p, t)| ((*p).to_owned(), crate::assets::fill(t).into_owned()));
    let day = "2026-12-01".parse().unwrap();
    scan_tree(&Memory::new(texts), None, "acme__kit", day)
}

fn word(value: impl serde::Serialize) -> String {
    serde_json::to_value(value)
        .unwrap()
        .as_str()
        .unwrap()
        .to_owned()
}

/// `job line tool credential secret`, with what differs from the usual in brackets.
pub fn paths(parts: &RepoScan) -> Vec<String> {
    let one = |p: &PublishPath| {
        let mut out = format!(
            "{} {} {} {} {}",
            p.job.as_deref().unwrap_or("-"),
            p.line,
            word(p.tool),
            word(p.credential),
            p.secret.as_deref().unwrap_or("-")
        );
        if p.registry != Registry::Npmjs {
            out.push_str(&format!(" [{}]", word(p.registry)));
        }
        if p.staged {
            out.push_str(" [staged]");
        }
        if !p.fails_closed {
            out.push_str(" [can fail]");
        }
        out
    };
    parts.publish_paths.iter().map(one).collect()
}

pub fn uses(parts: &RepoScan) -> Vec<String> {
    let one = |u: &TokenUse| {
        format!(
            "{} {} {} {}",
            u.job.as_deref().unwrap_or("-"),
            u.line,
            word(u.purpose),
            u.secret.as_deref().unwrap_or("-")
        )
    };
    parts.token_uses.iter().map(one).collect()
}

pub fn rules(parts: &RepoScan) -> Vec<&'static str> {
    let mut found: Vec<&str> = parts.findings.iter().map(|f| f.rule).collect();
    found.sort_unstable();
    found.dedup();
    found
}

#[test]
fn a_token_in_the_text_of_a_step_is_a_use_whatever_comes_next() {
    let npmrc = "echo \"//{{registry}}/:_authToken=${NPM_TOKEN}\" > .npmrc";
    let gitlab = |line: &str| format!("r:\n  script:\n    - '{line}'\n    - ./gone.sh\n");
    let travis = |line: &str| format!("script:\n  - '{line}'\n  - ./gone.sh\n");
    let circle = |line: &str| {
        format!(
            "version: 2\njobs:\n  build:\n    steps:\n      - run: '{line}'\n      - run: ./gone.sh\n"
        )
    };
    let azure = |line: &str| format!("steps:\n- script: '{line}'\n- script: ./gone.sh\n");
    let jenkins = |line: &str| format!("node {{\n  sh '{line}'\n  sh './gone.sh'\n}}\n");
    let one = |file: &str, text: String| uses(&read_files(&[(file, &text)]));
    for line in [npmrc, "./go.sh $NPM_TOKEN"] {
        assert_eq!(
            one(".gitlab-ci.yml", gitlab(line)),
            ["r 3 unknown NPM_TOKEN"]
        );
        assert_eq!(one(".travis.yml", travis(line)), ["- 2 unknown NPM_TOKEN"]);
        assert_eq!(
            one(".circleci/config.yml", circle(line)),
            ["build 5 unknown NPM_TOKEN"]
        );
        assert_eq!(
            one("azure-pipelines.yml", azure(line)),
            ["- 2 unknown NPM_TOKEN"]
        );
        assert_eq!(one("Jenkinsfile", jenkins(line)), ["- 2 unknown NPM_TOKEN"]);
    }
    let azure_macro = azure("node send.js --key $(npmToken)");
    assert_eq!(
        one("azure-pipelines.yml", azure_macro),
        ["- 2 unknown npmToken"]
    );
    // A comment runs nothing, and what is empty on purpose is no token.
    assert_eq!(one(".travis.yml", travis("# $NPM_TOKEN")), [] as [&str; 0]);
    let empty = "r:\n  variables: {NPM_TOKEN: \"\"}\n  script: [./go.sh $NPM_TOKEN]\n";
    assert_eq!(one(".gitlab-ci.yml", empty.to_owned()), [] as [&str; 0]);
}
