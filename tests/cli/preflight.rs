//! In a job of GitHub Actions: annotations beside the table, and no value of a credential.

use super::place::Place;
use std::os::unix::fs::PermissionsExt as _;

#[test]
fn a_job_is_looked_at_and_obstacles_are_annotated() {
    let place = Place::new();
    for (name, version) in [("node", "v24.15.0"), ("npm", "11.21.2")] {
        let file = place.dir.path().join("home").join(name);
        std::fs::write(&file, format!("#!/bin/sh\necho {version}\n")).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    place.write(
        "ui/package.json",
        r#"{"name":"@acme/ui","version":"1.0.0","repository":"github:acme/UI"}"#,
    );
    place.write("ui/.github/workflows/release.yml", "on: push\npermissions: {}\njobs:\n  publish:\n    runs-on: ubuntu-latest\n    environment: npm\n    permissions:\n      id-token: write\n    steps:\n      - run: npm install -g npm@11.21.2\n      - run: npm publish\n");
    let token = format!("npm_{}", "aB3dE5fG7h".repeat(4));
    let run = |arguments: &[&str], token: &str| {
        let mut command = place.cutover(arguments);
        command
            .env(
                "PATH",
                format!("{}:/bin:/usr/bin", place.dir.path().join("home").display()),
            )
            .env("GITHUB_ACTIONS", "true")
            .env("GITHUB_EVENT_NAME", "push")
            .env("GITHUB_REPOSITORY", "acme/ui")
            .env(
                "GITHUB_WORKFLOW_REF",
                "acme/ui/.github/workflows/release.yml@refs/heads/main",
            )
            .env("RUNNER_ENVIRONMENT", "github-hosted")
            .env("NODE_AUTH_TOKEN", token);
        place.finish(arguments, command)
    };
    let bad = run(&["preflight", "ui"], &token);
    let json = run(&["preflight", "ui", "--format", "json"], &token);
    place.write(
        "ui/package.json",
        r#"{"name":"@acme/ui","version":"1.0.0","repository":"github:acme/ui"}"#,
    );
    let good = run(&["preflight", "ui"], "");
    let text = format!("{}\n{}\n{}", bad.text(), json.text(), good.text());
    assert!(!text.contains(&token[4..]), "{text}");
    assert_eq!((bad.code, json.code, good.code), (11, 11, 0), "{text}");
    crate::snapshot!(text);
}
