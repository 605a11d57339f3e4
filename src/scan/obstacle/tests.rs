#![allow(clippy::unwrap_used)]
use super::*;

/// A publish with nothing in its way.
fn good() -> Publishing<'static> {
    Publishing {
        ci: CiSystem::Github,
        host: Some("github.com"),
        tool: Tool::Npm,
        versions: Versions {
            node: Some("24"),
            ..Versions::default()
        },
        registry_url: None,
        credential: Credential::Oidc,
        id_token: true,
        staged: false,
        complete: true,
        runner: Runner::Hosted,
        runner_label: Some("ubuntu-latest"),
        image: None,
        events: vec!["push"],
        provenance: None,
        restricted: false,
        setup_node: None,
        today: "2026-12-01".parse().unwrap(),
    }
}

fn rules(publishing: &Publishing<'_>) -> Vec<&'static str> {
    obstacles(publishing).iter().map(|one| one.rule).collect()
}

#[test]
fn nothing_is_in_the_way_of_a_good_publish() {
    assert_eq!(rules(&good()), [] as [&str; 0]);
}

#[test]
fn versions_of_npm_and_node() {
    for (tool, node, npm, want) in [
        (Tool::Npm, "24", "", vec![]),
        (Tool::Npm, "24.4.1", "", vec!["npm-too-old"]),
        (Tool::Npm, "22", "", vec!["npm-too-old"]),
        (Tool::Npm, "lts/jod", "", vec!["npm-too-old"]),
        (Tool::Npm, "lts/*", "", vec![]),
        (Tool::Npm, ">=20", "", vec![]),
        (
            Tool::Npm,
            "18 || 20",
            "",
            vec!["node-too-old", "npm-too-old"],
        ),
        (Tool::Npm, "22.14", "^11.0.0", vec![]),
        (Tool::Npm, "22.14", "11.5", vec![]),
        (Tool::Npm, "22.14", "~11.4.2", vec!["npm-too-old"]),
        (
            Tool::Npm,
            "22.20.0",
            "latest",
            vec!["npm-latest-refuses-node"],
        ),
        (Tool::Npm, "22.20.0", "12", vec!["npm-latest-refuses-node"]),
        (Tool::Npm, "22.20.0", "^11.21", vec![]),
        (Tool::Npm, "22", "latest", vec![]),
        (
            Tool::Npm,
            "20",
            "latest",
            vec!["node-too-old", "npm-latest-refuses-node"],
        ),
        (Tool::YarnBerry, "22", "", vec![]),
        (Tool::Other, "22", "", vec![]),
        (Tool::ReleaseIt, "22", "", vec!["npm-too-old"]),
    ] {
        let mut one = good();
        one.tool = tool;
        one.versions.node = Some(node);
        one.versions.npm = Some(npm).filter(|npm| !npm.is_empty());
        assert_eq!(rules(&one), want, "{tool:?} {node} {npm}");
    }
}

#[test]
fn versions_of_tools() {
    use crate::scan::package::Manager;
    for (tool, version, part, manager, want) in [
        (
            Tool::Pnpm,
            None,
            Some("11.1.0"),
            Some(Manager::Pnpm),
            vec!["tool-too-old"],
        ),
        (Tool::Pnpm, None, Some("11"), Some(Manager::Pnpm), vec![]),
        // Before 11 it starts npm.
        (
            Tool::Pnpm,
            None,
            Some("10.2.0"),
            Some(Manager::Pnpm),
            vec!["npm-too-old"],
        ),
        (
            Tool::Changesets,
            Some("2.29.0"),
            Some("10.2.0"),
            Some(Manager::Pnpm),
            vec!["npm-too-old"],
        ),
        (
            Tool::Changesets,
            Some("2.29.0"),
            Some("11.2.0"),
            Some(Manager::Pnpm),
            vec![],
        ),
        (
            Tool::Changesets,
            Some("2.29.0"),
            None,
            Some(Manager::Npm),
            vec!["npm-too-old"],
        ),
        (
            Tool::SemanticRelease,
            Some("^24.2.0"),
            None,
            None,
            vec!["tool-too-old"],
        ),
        (Tool::SemanticRelease, Some("^25"), None, None, vec![]),
        (
            Tool::SemanticRelease,
            Some("^25"),
            Some("^12.0.0"),
            None,
            vec!["tool-too-old"],
        ),
        (
            Tool::Lerna,
            Some("^8.1.0"),
            None,
            None,
            vec!["tool-too-old"],
        ),
        (Tool::Lerna, Some(">=8"), None, None, vec![]),
        (
            Tool::YarnBerry,
            None,
            Some("4.9.4"),
            None,
            vec!["tool-too-old"],
        ),
        (
            Tool::YarnClassic,
            Some("1.22.22"),
            None,
            None,
            vec!["yarn-classic-no-oidc", "id-token-without-use"],
        ),
    ] {
        let mut one = good();
        one.tool = tool;
        one.versions = Versions {
            tool: version,
            part,
            manager,
            node: Some("22"),
            npm: None,
            own_npm: tool == Tool::SemanticRelease,
        };
        assert_eq!(rules(&one), want, "{tool:?} {version:?} {part:?}");
    }
}

#[test]
fn the_image_of_a_runner_brings_node_by_its_day() {
    for (label, day, want) in [
        ("ubuntu-latest", "2026-10-18", true),
        ("ubuntu-latest", "2026-10-19", false),
        ("ubuntu-latest", "2026-11-18", false),
        ("ubuntu-latest", "2026-11-19", false),
        ("ubuntu-24.04", "2026-12-01", true),
        ("acme-large", "2026-10-18", false),
    ] {
        let mut one = good();
        one.versions.node = None;
        one.image = Some(label);
        one.today = day.parse().unwrap();
        assert_eq!(rules(&one).contains(&"npm-too-old"), want, "{label} {day}");
    }
}

#[test]
fn a_runner_of_somebody_else_is_about_provenance() {
    for (provenance, restricted, want) in [
        (None, false, vec!["self-hosted-runner"]),
        (None, true, vec![]),
        (Some(false), false, vec![]),
        (Some(true), true, vec!["self-hosted-provenance"]),
    ] {
        let mut one = good();
        one.runner = Runner::SelfHosted;
        (one.provenance, one.restricted) = (provenance, restricted);
        assert_eq!(rules(&one), want, "{provenance:?} {restricted}");
    }
}

#[test]
fn systems_hosts_and_events() {
    let mut one = good();
    one.ci = CiSystem::Jenkins;
    one.runner = Runner::SelfHosted;
    assert_eq!(rules(&one), ["ci-no-oidc"]);
    for (ci, host, want) in [
        (
            CiSystem::Github,
            "github.acme.com",
            vec!["github-enterprise-server"],
        ),
        (
            CiSystem::Github,
            "acme.ghe.com",
            vec!["github-enterprise-server"],
        ),
        (CiSystem::Github, "ssh.github.com", vec![]),
        (CiSystem::Github, "github-work", vec![]),
        (CiSystem::Gitlab, "gitlab.com", vec![]),
        (CiSystem::Gitlab, "git.acme.com", vec!["ci-no-oidc"]),
    ] {
        let mut one = good();
        (one.ci, one.host) = (ci, Some(host));
        assert_eq!(rules(&one), want, "{host}");
    }
    let mut one = good();
    one.events = vec!["push", "pull_request_target"];
    assert_eq!(
        rules(&one),
        ["oidc-refused-trigger", "pull-request-target-blocked"]
    );
    let told = |day: &str| {
        let mut one = one.clone();
        one.today = day.parse().unwrap();
        obstacles(&one).pop().unwrap().detail
    };
    assert_eq!(
        (told("2026-12-01"), told("2026-12-02")),
        ("from 2026-12-02".to_owned(), "since 2026-12-02".to_owned())
    );
}

#[test]
fn credentials() {
    for (credential, node, want) in [
        (Credential::Token, "24", vec!["token-where-oidc-would-do"]),
        // An update of Node is no reason to keep the token.
        (
            Credential::Token,
            "20",
            vec!["node-too-old", "npm-too-old", "token-where-oidc-would-do"],
        ),
        (Credential::TokenAndOidc, "24", vec!["token-beside-oidc"]),
        (
            Credential::NoneVisible,
            "24",
            vec!["oidc-missing-permission"],
        ),
    ] {
        let mut one = good();
        one.credential = credential;
        one.id_token = credential == Credential::TokenAndOidc;
        one.versions.node = Some(node);
        assert_eq!(rules(&one), want, "{credential:?}");
    }
    let mut one = good();
    one.credential = Credential::Token;
    one.tool = Tool::Bun;
    one.id_token = false;
    assert_eq!(rules(&one), ["bun-no-oidc"]);
}

#[test]
fn setup_node_by_its_major_version() {
    for (uses, want) in [
        ("actions/setup-node@v6", true),
        ("actions/setup-node@v6.2.0", true),
        ("actions/setup-node@v7", false),
        ("actions/setup-node@main", false),
        (
            "actions/setup-node@2028fbc5c25fe9cf00d9f06a71cc4710d4507903",
            false,
        ),
    ] {
        let mut one = good();
        one.setup_node = Some(uses);
        assert_eq!(
            rules(&one).contains(&"setup-node-dummy-token"),
            want,
            "{uses}"
        );
    }
}

#[test]
fn every_obstacle_has_a_rule_and_lanes() {
    for rule in OIDC.iter().chain(TOKEN) {
        assert!(crate::scan::rule::rule(rule).is_some(), "{rule}");
    }
    assert!(!lanes("npm-too-old").has(Lane::Bridge) && lanes("npm-too-old").has(Lane::Trusted));
    assert!(lanes("npm-cannot-stage").has(Lane::StagedToken));
    assert!(lanes("committed-token").is_all() && lanes("token-in-pull-request").is_all());
}
