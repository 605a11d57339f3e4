#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
use crate::scan::tree::Memory;
use crate::scan::{Credential, Purpose, Registry, RepoScan, Reusable, Runner, Tool, scan_tree};

const MANIFEST: &str = r#"{"name":"@acme/kit","version":"1.0.0","repository":"acme/kit","scripts":{"release":"changeset publish","ship":"node scripts/ship.js"}}"#;

fn scan(files: &[(&str, &str)]) -> RepoScan {
    let host = crate::assets::npm_host();
    let mut all: Vec<(String, String)> = files
        .iter()
        .map(|(p, t)| {
            let text = t
                .replace("{{registry}}", host)
                .replace("{{other}}", other_host());
            ((*p).to_owned(), text)
        })
        .collect();
    if !files.iter().any(|(p, _)| *p == "package.json") {
        all.push(("package.json".to_owned(), MANIFEST.to_owned()));
    }
    let day = "2026-12-01".parse().unwrap();
    scan_tree(
        &Memory::new(all),
        Some(("github.com", "acme/kit")),
        "kit",
        day,
    )
}

/// A host of the table that is some other npm registry.
fn other_host() -> &'static str {
    use crate::assets::{HostKind, registries};
    let mut hosts = registries().hosts.iter();
    let other = hosts.find(|h| h.kind == HostKind::Other && h.path.is_none());
    other.unwrap().host.trim_start_matches('.')
}

/// A workflow whose one job has these lines under it.
fn job(lines: &str) -> String {
    let body: String = lines.lines().map(|l| format!("    {l}\n")).collect();
    format!("on: {{push: {{tags: ['v*']}}}}\njobs:\n  publish:\n    runs-on: ubuntu-latest\n{body}")
}

/// Credential and secret of each path of a one-job workflow.
fn credentials(lines: &str) -> Vec<(Credential, Option<String>)> {
    let flow = job(lines);
    scan(&[(".github/workflows/r.yml", &flow)])
        .publish_paths
        .into_iter()
        .filter(|p| p.registry == Registry::Npmjs)
        .map(|p| (p.credential, p.secret))
        .collect()
}

fn rules(lines: &str) -> Vec<&'static str> {
    let flow = job(lines);
    scan(&[(".github/workflows/r.yml", &flow)])
        .findings
        .into_iter()
        .map(|f| f.rule)
        .collect()
}

#[test]
fn credentials_in_reach() {
    let token = |name: &str| vec![(Credential::Token, Some(name.to_owned()))];
    let both = |name: &str| vec![(Credential::TokenAndOidc, Some(name.to_owned()))];
    let oidc = vec![(Credential::Oidc, None)];
    let none = vec![(Credential::NoneVisible, None)];
    type Found = Vec<(Credential, Option<String>)>;
    let table: Vec<(&str, Found)> = vec![
        (
            "steps:\n- run: npm publish\n  env: {NODE_AUTH_TOKEN: '${{ secrets.NPM_TOKEN }}'}",
            token("NPM_TOKEN"),
        ),
        (
            "permissions: {id-token: write}\nsteps:\n- run: npm publish\n  env: {NODE_AUTH_TOKEN: '${{ secrets.T }}'}",
            both("T"),
        ),
        (
            "permissions: {id-token: write}\nsteps:\n- run: npm publish",
            oidc.clone(),
        ),
        (
            "permissions: write-all\nsteps:\n- run: npm publish",
            oidc.clone(),
        ),
        (
            "permissions: read-all\nsteps:\n- run: npm publish",
            none.clone(),
        ),
        (
            "permissions: {id-token: write}\nenv: {NODE_AUTH_TOKEN: '${{ secrets.T }}'}\nsteps:\n- run: npm publish\n  env: {NODE_AUTH_TOKEN: ''}",
            oidc.clone(),
        ),
        (
            "permissions: {id-token: write}\nsteps:\n- run: npm ci\n  env: {NODE_AUTH_TOKEN: '${{ secrets.READ }}'}\n- run: npm publish",
            oidc.clone(),
        ),
        (
            "permissions: {id-token: write}\nsteps:\n- run: npm publish\n- run: npm dist-tag add a@1 b\n  env: {NODE_AUTH_TOKEN: '${{ secrets.T }}'}",
            oidc.clone(),
        ),
        (
            "permissions: {id-token: write}\nsteps:\n- run: npm publish\n  env: {NODE_AUTH_TOKEN: unused}",
            oidc.clone(),
        ),
        (
            "permissions: {id-token: write}\nsteps:\n- run: NODE_AUTH_TOKEN= npm publish\n  env: {NODE_AUTH_TOKEN: '${{ secrets.T }}'}",
            oidc.clone(),
        ),
        (
            "steps:\n- run: npm publish\n  env: {NODE_AUTH_TOKEN: \"${{ secrets.A || '' }}\"}",
            token("A"),
        ),
        (
            "steps:\n- run: npm publish\n  env: {NODE_AUTH_TOKEN: \"${{ github.ref == 'x' && secrets.A || secrets.B }}\"}",
            token("A"),
        ),
        (
            "env: {T: '${{ secrets.A }}'}\nsteps:\n- run: npm publish\n  env: {NODE_AUTH_TOKEN: '${{ env.T }}'}",
            token("A"),
        ),
        (
            "steps:\n- run: echo //{{registry}}/:_authToken=${T} > .npmrc\n  env: {T: '${{ secrets.A }}'}\n- run: npm publish",
            token("A"),
        ),
        (
            "steps:\n- run: echo //{{registry}}/:_authToken=${{ secrets.A }} > .npmrc\n- run: npm publish",
            token("A"),
        ),
        (
            "permissions: {id-token: write}\nsteps:\n- run: echo //npm.corp.example/:_authToken=${{ secrets.A }} > .npmrc\n- run: npm publish",
            oidc.clone(),
        ),
        (
            "steps:\n- run: npm config set //{{registry}}/:_authToken ${{ secrets.A }}\n- run: pnpm publish",
            token("A"),
        ),
        (
            "steps:\n- run: echo NODE_AUTH_TOKEN=${{ secrets.A }} >> $GITHUB_ENV\n- run: npm publish",
            token("A"),
        ),
        (
            "steps:\n- run: |\n    export NODE_AUTH_TOKEN=$T\n    npm publish\n  env: {T: '${{ secrets.A }}'}",
            token("A"),
        ),
        (
            "steps:\n- run: npm publish\n  env: {NODE_AUTH_TOKEN: '${{ steps.x.outputs.token }}'}",
            vec![(Credential::Token, None)],
        ),
        (
            "steps:\n- uses: JS-DevTools/npm-publish@v3\n  with: {token: '${{ secrets.A }}'}",
            token("A"),
        ),
        (
            "steps:\n- run: node common/scripts/install-run-rush.js publish -p -n ${{ secrets.A }}",
            token("A"),
        ),
        (
            "steps:\n- run: ./ci/npm-release.sh -n ${{ secrets.NPM_TOKEN }}",
            token("NPM_TOKEN"),
        ),
        (
            "steps:\n- run: npm publish --//{{registry}}/:_authToken=$T\n  env: {T: '${{ secrets.A }}'}",
            token("A"),
        ),
        (
            "permissions: {id-token: write}\nsteps:\n- uses: JS-DevTools/npm-publish@v4",
            oidc.clone(),
        ),
        (
            "steps:\n- uses: changesets/action@v1\n  with: {publish: npm run release}\n  env: {NPM_TOKEN: '${{ secrets.A }}', GITHUB_TOKEN: '${{ secrets.GITHUB_TOKEN }}'}",
            token("A"),
        ),
        (
            "permissions: {id-token: write}\nsteps:\n- uses: changesets/action@v2\n  with: {publish-script: npm run release}",
            oidc.clone(),
        ),
        (
            "permissions: {id-token: write}\nsteps:\n- uses: changesets/action@v1\n  with: {publish: npm run release}\n  env: {NPM_TOKEN: ''}",
            oidc,
        ),
        (
            "steps:\n- uses: 1password/load-secrets-action@v2\n  with: {export-env: true}\n  env: {NPM_TOKEN: 'op://ci/npm/token'}\n- run: npx semantic-release",
            vec![(Credential::Token, None)],
        ),
        (
            "steps:\n- run: echo \"$RC\" > ~/.npmrc\n  env: {RC: '${{ secrets.NPMRC }}'}\n- run: npm publish",
            token("NPMRC"),
        ),
        (
            "permissions: {contents: read}\nsteps:\n- run: npm publish",
            none,
        ),
    ];
    for (lines, want) in table {
        assert_eq!(credentials(lines), want, "{lines}");
    }
}

/// Version 2 refuses the inputs of version 1, and makes no .npmrc: the version alone moves the credential.
#[test]
fn changesets_action_by_version() {
    let token = "env: {NPM_TOKEN: '${{ secrets.A }}'}";
    let (inputs, npmrc) = ("changesets-old-inputs", "changesets-no-npmrc");
    let old = "with: {publish: npm run release, title: x}";
    let new = "with: {publish-script: npm run release, pr-title: x}";
    let writes = "- run: echo '//{{registry}}/:_authToken=${NPM_TOKEN}' > .npmrc\n";
    let pinned = "a".repeat(40);
    let table = [
        ("", "changesets/action@v1", old, token, vec![]),
        ("", "changesets/action@v2", old, token, vec![npmrc, inputs]),
        ("", "changesets/action@v2.1.2", new, token, vec![npmrc]),
        ("", "changesets/action@v2", new, "", vec![]),
        (writes, "changesets/action@v2", new, token, vec![]),
        (
            "",
            "changesets/action@v2",
            new,
            &*format!("{token}\npermissions: {{id-token: write}}"),
            vec![],
        ),
        (
            "",
            &*format!("changesets/action@{pinned}"),
            old,
            token,
            vec![],
        ),
        ("", "acme/changesets-action@v2", old, token, vec![]),
    ];
    for (before, uses, with, env, want) in table {
        let lines = format!("steps:\n{before}- uses: {uses}\n  {with}\n  {env}");
        let flow = job(&lines);
        let got = scan(&[(".github/workflows/r.yml", &flow)]);
        assert_eq!(got.publish_paths.len(), 1, "{lines}");
        let mut seen: Vec<&str> = got.findings.iter().map(|one| one.rule).collect();
        seen.retain(|rule| rule.starts_with("changesets-"));
        seen.sort_unstable();
        assert_eq!(seen, want, "{lines}");
    }
}

#[test]
fn steps_that_come_too_early_after_staging() {
    let table = [
        (
            "npm stage publish",
            "- run: npm dist-tag add @acme/kit@1.0.0 next",
            true,
        ),
        (
            "npm stage publish",
            "- run: npm deprecate @acme/kit@1.0.0 old",
            true,
        ),
        (
            "npm stage publish",
            "- run: npm install -g @acme/kit@1.0.0",
            true,
        ),
        ("npm stage publish", "- run: gh release create v1.0.0", true),
        (
            "npm stage publish",
            "- uses: softprops/action-gh-release@v2",
            true,
        ),
        (
            "npm stage publish",
            "- run: gh release create v1.0.0 --draft",
            false,
        ),
        (
            "npm stage publish",
            "- uses: softprops/action-gh-release@v2\n  with: {draft: true}",
            false,
        ),
        ("npm stage publish", "- run: npm install left-pad", false),
        ("npm publish", "- run: gh release create v1.0.0", false),
    ];
    for (publish, step, want) in table {
        let after = format!("permissions: {{id-token: write}}\nsteps:\n- run: {publish}\n{step}");
        assert_eq!(
            rules(&after).contains(&"staged-not-public"),
            want,
            "{after}"
        );
        let before = format!("permissions: {{id-token: write}}\nsteps:\n{step}\n- run: {publish}");
        assert!(!rules(&before).contains(&"staged-not-public"), "{before}");
    }
}

/// A row of the repository's own file adds a publish, and hides none that the scan sees without it.
#[test]
fn release_tools_that_the_repository_names() {
    let own = "[token]\npublish = \"allow\"\n[[release-tool]]\nprogram = \"acme-ship\"\nwords = [\"go\"]\ndry = [\"--preview\"]\n[[release-tool]]\nprogram = \"release.sh\"\nwords = [\"never\"]\n";
    let ship = ("ship.sh", "npm publish\n");
    let paths = |command: &str, own: &str| {
        let flow = job(&format!("steps:\n- run: {command}"));
        let files = [
            (".github/workflows/r.yml", &*flow),
            (".github/cutover.toml", own),
            ship,
            ("release.sh", "npm publish\n"),
        ];
        let got = scan(&files);
        let broken = got
            .findings
            .iter()
            .any(|one| one.rule == "unreadable-file" && one.file == ".github/cutover.toml");
        (got.publish_paths.len(), broken)
    };
    assert_eq!(paths("acme-ship go", own), (1, false));
    assert_eq!(paths("acme-ship go", ""), (0, false));
    assert_eq!(paths("acme-ship stay", own), (0, false));
    assert_eq!(paths("acme-ship go --preview", own), (0, false));
    assert_eq!(paths("./release.sh", own), (1, false));
    assert_eq!(
        paths("acme-ship go", "[[release-tool]]\nprogramme = 'x'\n"),
        (0, true)
    );
}

#[test]
fn what_is_no_publish() {
    for lines in [
        "steps:\n- run: npm publish --dry-run\n  env: {NODE_AUTH_TOKEN: '${{ secrets.T }}'}",
        "steps:\n- run: npm publish\n  env: {npm_config_dry_run: true, NODE_AUTH_TOKEN: '${{ secrets.T }}'}",
        "env: {NPM_CONFIG_DRY_RUN: 'true'}\nsteps:\n- run: npm publish",
        "if: false\nsteps:\n- run: npm publish",
        "steps:\n- if: ${{ false }}\n  run: npm publish",
        "steps:\n- uses: changesets/action@v1\n  with: {version: npm run version}",
        "steps:\n- uses: JS-DevTools/npm-publish@v3\n  with: {token: x, dry-run: true}",
        "steps:\n- uses: cycjimmy/semantic-release-action@v4\n  with: {dry_run: true}",
        "steps:\n- uses: changesets/action@v1\n  with: {publish: 'echo never here'}",
        "steps:\n- uses: changesets/action@v2\n  with: {publish-script: 'pnpx @changesets/cli@2 tag'}",
        "permissions: {id-token: write}\nuses: acme/flows/.github/workflows/deploy_preview.yml@v2\nwith: {node_version: 20}",
        "steps:\n- run: gh workflow run npm-publish.yml",
        "steps:\n- run: npx vsce publish\n  env: {VSCE_PAT: '${{ secrets.P }}'}",
        "steps:\n- uses: peaceiris/actions-gh-pages@v4\n  with: {publish_dir: ./dist}",
        "steps:\n- run: ./scripts/test.sh\n  env: {NPM_TOKEN: '${{ secrets.T }}'}",
        "steps:\n- run: echo npm publish",
        "permissions: {id-token: write}\nsteps:\n- run: ./deploy-docs.sh",
        "steps:\n- run: npm dist-tag add a@1 latest\n  env: {NODE_AUTH_TOKEN: '${{ secrets.T }}'}",
        "steps:\n- uses: MetaMask/action-npm-publish@v5",
        "steps:\n- uses: google-github-actions/deploy-cloud-functions@v1\n  env: {NPM_TOKEN: '${{ secrets.T }}'}",
        "steps:\n- run: node tools/check.js && npm run release:check\n  env: {NPM_TOKEN: '${{ secrets.T }}'}",
    ] {
        let flow = job(lines);
        let got = scan(&[(".github/workflows/r.yml", &flow)]).publish_paths;
        assert!(got.is_empty(), "{lines}: {:?}", got[0].command);
    }
}

#[test]
fn registries() {
    let table = [
        ("steps:\n- run: npm publish", Registry::Npmjs),
        (
            "steps:\n- run: npm publish --registry http://localhost:4873",
            Registry::Other,
        ),
        (
            "steps:\n- run: npm publish --registry ${{ inputs.r }}",
            Registry::Unknown,
        ),
        (
            "steps:\n- uses: actions/setup-node@v4\n  with: {registry-url: 'https://{{registry}}'}\n- run: npm publish",
            Registry::Npmjs,
        ),
        (
            "steps:\n- uses: actions/setup-node@v4\n  with: {registry-url: 'https://npm.corp.example'}\n- run: npm publish",
            Registry::Other,
        ),
        (
            "steps:\n- run: npm set registry http://localhost:4873\n- run: npm publish",
            Registry::Other,
        ),
        (
            "steps:\n- run: npm publish\n  env: {NODE_AUTH_TOKEN: '${{ secrets.GITHUB_TOKEN }}'}",
            Registry::GithubPackages,
        ),
        (
            "env: {npm_config_registry: 'https://nexus.corp.example/repository/npm/'}\nsteps:\n- run: npm publish",
            Registry::Other,
        ),
        (
            "strategy: {matrix: {include: [{r: 'https://{{other}}'}, {r: 'https://{{registry}}'}]}}\nsteps:\n- uses: actions/setup-node@v4\n  with: {registry-url: '${{ matrix.r }}'}\n- run: npm publish",
            Registry::Npmjs,
        ),
        (
            "steps:\n- run: aws codeartifact login --tool npm --domain d --repository r\n- run: npm publish",
            Registry::Other,
        ),
        (
            "steps:\n- run: aws codeartifact login --tool pip --domain d --repository r\n- run: npm publish",
            Registry::Npmjs,
        ),
        (
            "steps:\n- uses: acme/npm-set-up@v1\n  with: {registry: 'https://{{other}}/acme/npm/registry/'}\n- run: npm publish",
            Registry::Other,
        ),
        (
            "steps:\n- uses: oven-sh/setup-bun@v2\n  with: {registry-url: 'https://{{other}}/acme/npm/registry/'}\n- run: bun publish",
            Registry::Other,
        ),
        (
            "steps:\n- uses: oven-sh/setup-bun@v2\n  with: {registry-url: 'https://{{other}}/acme/npm/registry/'}\n- run: npm publish",
            Registry::Npmjs,
        ),
        (
            "strategy: {matrix: {r: ['https://{{registry}}']}}\nsteps:\n- run: npm publish --registry=${{ matrix.r }}",
            Registry::Npmjs,
        ),
    ];
    for (lines, want) in table {
        let flow = job(lines);
        let got = scan(&[(".github/workflows/r.yml", &flow)]);
        assert_eq!(
            got.publish_paths.first().map(|p| p.registry),
            Some(want),
            "{lines}"
        );
    }
    let flow = job("steps:\n- run: npx lerna publish from-package --yes");
    let lerna = r#"{"command":{"publish":{"registry":"https://{{other}}"}}}"#;
    let got = scan(&[(".github/workflows/r.yml", &flow), ("lerna.json", lerna)]);
    assert_eq!(got.publish_paths[0].registry, Registry::Other);
    let config = r#"{"name":"@acme/kit","publishConfig":{"registry":"https://artifactory.corp.example/api/npm/x"}}"#;
    let flow = job("steps:\n- run: npm publish");
    let got = scan(&[(".github/workflows/r.yml", &flow), ("package.json", config)]);
    assert_eq!(got.publish_paths[0].registry, Registry::Other);
}

#[test]
fn callers_and_callees() {
    let action = "inputs: {token: {required: true}}\nruns:\n  using: composite\n  steps:\n  - run: npm publish\n    shell: bash\n    env: {NODE_AUTH_TOKEN: '${{ inputs.token }}'}\n";
    let user = job("steps:\n- uses: ./.github/actions/pub\n  with: {token: '${{ secrets.A }}'}");
    let callee = "on: {workflow_call: {secrets: {token: {required: false}}}}\njobs:\n  go:\n    runs-on: ubuntu-latest\n    steps:\n    - run: npm publish\n      env: {NODE_AUTH_TOKEN: '${{ secrets.token }}'}\n";
    let callers = "on: push\npermissions: {id-token: write}\njobs:\n  a:\n    uses: ./.github/workflows/callee.yml\n    secrets: {token: '${{ secrets.B }}'}\n  b:\n    uses: ./.github/workflows/callee.yml\n  c:\n    uses: ./.github/workflows/callee.yml\n    secrets: inherit\n  d:\n    uses: other/repo/.github/workflows/npm-publish.yml@v1\n    secrets: {NPM_TOKEN: '${{ secrets.C }}'}\n  e:\n    uses: other/repo/.github/workflows/lint.yml@v1\n";
    let got = scan(&[
        (".github/actions/pub/action.yml", action),
        (".github/workflows/user.yml", &user),
        (".github/workflows/callee.yml", callee),
        (".github/workflows/callers.yml", callers),
    ]);
    let brief: Vec<_> = got
        .publish_paths
        .iter()
        .map(|p| {
            (
                p.file.rsplit('/').next().unwrap(),
                p.job.as_deref(),
                p.reusable,
                p.credential,
                p.secret.as_deref(),
            )
        })
        .collect();
    use Credential::{Oidc, Token, TokenAndOidc};
    use Reusable::{Callee, Caller};
    assert_eq!(
        brief,
        [
            ("action.yml", None, Some(Callee), Token, None),
            (
                "callee.yml",
                Some("go"),
                Some(Callee),
                TokenAndOidc,
                Some("token")
            ),
            (
                "callers.yml",
                Some("a"),
                Some(Caller),
                TokenAndOidc,
                Some("B")
            ),
            ("callers.yml", Some("b"), Some(Caller), Oidc, None),
            (
                "callers.yml",
                Some("c"),
                Some(Caller),
                TokenAndOidc,
                Some("token")
            ),
            (
                "callers.yml",
                Some("d"),
                Some(Caller),
                TokenAndOidc,
                Some("C")
            ),
            ("user.yml", Some("publish"), Some(Caller), Token, Some("A")),
        ]
    );
}

#[test]
fn places_environment_runner_and_packages() {
    let flow = "on: push\njobs:\n  a:\n    runs-on: ${{ matrix.os }}\n    strategy: {matrix: {os: [ubuntu-latest, macos-15]}}\n    environment: {name: npm, url: 'https://x'}\n    steps:\n    - uses: actions/checkout@v4\n    - name: go\n      run: |\n        npm ci\n        npm publish --tag next\n      continue-on-error: true\n  b:\n    runs-on: [self-hosted, linux]\n    steps:\n    - run: yarn publish\n";
    let got = scan(&[(".github/workflows/r.yml", flow)]);
    let a = &got.publish_paths[0];
    assert_eq!((a.line, a.column, a.step_line, a.step), (12, 9, 9, Some(1)));
    assert_eq!(
        (a.environment.as_deref(), a.runner, a.fails_closed),
        (Some("npm"), Runner::Hosted, false)
    );
    assert_eq!(a.packages, ["@acme/kit"]);
    let b = &got.publish_paths[1];
    assert_eq!((b.runner, b.tool), (Runner::SelfHosted, Tool::YarnClassic));
    assert_eq!(
        b.blockers[..2],
        ["self-hosted-runner", "yarn-classic-no-oidc"]
    );
}

#[test]
fn token_uses_besides_publishing() {
    let flow = job(
        "env: {NODE_AUTH_TOKEN: '${{ secrets.T }}'}\nsteps:\n- run: npm ci\n- run: npm whoami\n- run: npm publish\n- run: npm deprecate a b\n- run: npm dist-tag add a@1 b",
    );
    let got = scan(&[(".github/workflows/r.yml", &flow)]);
    let uses: Vec<_> = got
        .token_uses
        .iter()
        .map(|u| (u.purpose, u.secret.as_deref()))
        .collect();
    let t = Some("T");
    assert_eq!(
        uses,
        [
            (Purpose::Install, t),
            (Purpose::Whoami, t),
            (Purpose::Publish, t),
            (Purpose::Deprecate, t),
            (Purpose::DistTag, t)
        ]
    );
}

#[test]
fn findings_of_each_rule() {
    let env = "env: {NODE_AUTH_TOKEN: '${{ secrets.T }}'}";
    let table: Vec<(String, &str)> = vec![
        (format!("steps:\n- run: npm publish\n  {env}"), "token-where-oidc-would-do"),
        (format!("{env}\nsteps:\n- run: npm test\n- run: npm publish"), "credential-in-build"),
        (format!("permissions: {{id-token: write}}\nsteps:\n- run: npm publish\n  {env}"), "token-beside-oidc"),
        ("steps:\n- run: npm publish || true".into(), "publish-can-fail-silently"),
        ("steps:\n- run: npm publish".into(), "publish-no-environment"),
        ("steps:\n- run: npm publish".into(), "oidc-missing-permission"),
        ("steps:\n- uses: actions/checkout@v4\n- run: npm publish".into(), "unpinned-action"),
        (format!("steps:\n- run: npx semantic-release\n  {env}"), "unpinned-tool"),
        (format!("steps:\n- run: |\n    set -x\n    npm publish\n  {env}"), "shell-trace"),
        (format!("steps:\n- run: |\n    printenv\n    npm publish\n  {env}"), "environment-dump"),
        (format!("steps:\n- run: |\n    npm whoami\n    npm publish\n  {env}"), "token-probe"),
        ("steps:\n- run: npm publish --provenance".into(), "provenance-without-id-token"),
        ("permissions: {id-token: write}\nsteps:\n- run: yarn publish".into(), "id-token-without-use"),
        ("steps:\n- run: bun publish".into(), "bun-no-oidc"),
        ("permissions: {id-token: write}\nsteps:\n- uses: actions/setup-node@v4\n  with: {node-version: 20}\n- run: npm publish".into(), "node-too-old"),
        ("permissions: {id-token: write}\nsteps:\n- uses: actions/setup-node@v4\n  with: {node-version: 22}\n- run: npm publish".into(), "npm-too-old"),
        ("permissions: {id-token: write}\nsteps:\n- run: npm i -g npm@10\n- run: npm publish".into(), "npm-too-old"),
        ("permissions: {id-token: write}\nsteps:\n- uses: JS-DevTools/npm-publish@v3".into(), "tool-too-old"),
        ("permissions: {id-token: write}\nsteps:\n- uses: actions/setup-node@v6\n  with: {registry-url: 'https://{{registry}}'}\n- run: npm publish".into(), "setup-node-dummy-token"),
        ("runs-on: blacksmith-2vcpu\nsteps:\n- run: npm publish".into(), "duplicate-key"),
        ("steps:\n- run: npm publish\n  env: {NPM_TOKEN: '${{ secrets.T }}'}".to_owned(), "token-not-read"),
        (format!("steps:\n- run: ./ci/publish.sh\n  {env}"), "unseen-callee"),
    ];
    for (lines, rule) in table {
        assert!(
            rules(&lines).contains(&rule),
            "{rule}: {lines}\n{:?}",
            rules(&lines)
        );
    }
    let clean = "environment: npm\npermissions: {id-token: write}\nsteps:\n- uses: actions/setup-node@820762786026740c76f36085b0efc47a31fe5020\n  with: {node-version: 24}\n- run: npm publish";
    assert_eq!(rules(clean), Vec::<&str>::new());
}

#[test]
fn code_of_a_pull_request_runs_only_where_a_step_takes_it() {
    let told = |condition: &str, with: &str| {
        let flow = format!(
            "on: {{pull_request_target: {{types: [closed]}}}}\njobs:\n  a:\n    runs-on: ubuntu-latest\n    if: {condition}\n    steps:\n    - uses: actions/checkout@v7\n      with: {{{with}}}\n    - run: npm publish\n      env: {{NODE_AUTH_TOKEN: '${{{{ secrets.T }}}}'}}\n"
        );
        let got = scan(&[(".github/workflows/r.yml", &flow)]);
        let has = |rule: &str| got.findings.iter().any(|f| f.rule == rule);
        assert!(has("oidc-refused-trigger"));
        has("token-in-pull-request")
    };
    let head = "ref: '${{ github.event.pull_request.head.sha }}'";
    assert!(told("github.actor != 'x'", head));
    assert!(told("github.event.pull_request.merged == false", head));
    assert!(!told("github.event.pull_request.merged == true", head));
    assert!(!told("github.event.pull_request.merged", "fetch-depth: 0"));
    // Without a ref the base branch is checked out.
    assert!(!told("github.actor != 'x'", "fetch-depth: 0"));
}

#[test]
fn steps_around_a_publish_by_oidc() {
    let permitted = |steps: &str| {
        rules(&format!(
            "permissions: {{id-token: write}}\nsteps:\n{steps}"
        ))
    };
    let tag = "- run: npm publish\n- run: npm dist-tag add @acme/kit@1 rc";
    assert!(permitted(tag).contains(&"dist-tag-without-credential"));
    let token = "- run: npm publish\n- run: npm dist-tag add @acme/kit@1 rc\n  env: {NODE_AUTH_TOKEN: '${{ secrets.T }}'}";
    assert!(!permitted(token).contains(&"dist-tag-without-credential"));
    let gone = "- run: npm publish\n- run: npm unpublish @acme/kit@1\n  env: {NODE_AUTH_TOKEN: '${{ secrets.T }}'}";
    assert!(permitted(gone).contains(&"bypass-token-write"));
}

#[test]
fn yarn_1_stops_at_the_variable_that_setup_node_leaves_unset() {
    let told = |version: &str, install: &str| {
        let flow = job(&format!(
            "permissions: {{id-token: write}}\nsteps:\n- uses: actions/setup-node@{version}\n  with: {{node-version: 24, registry-url: 'https://{{{{registry}}}}'}}\n- run: {install}\n- run: npm publish"
        ));
        let got = scan(&[
            (".github/workflows/r.yml", &flow),
            ("yarn.lock", "# yarn lockfile v1\n"),
        ]);
        got.findings
            .iter()
            .any(|f| f.rule == "yarn-classic-unset-token")
    };
    assert!(told("v7", "yarn install --frozen-lockfile"));
    assert!(!told("v6", "yarn install"));
    assert!(!told("v7", "npm ci"));
    assert!(!told("v7", "yarn install\n  env: {NODE_AUTH_TOKEN: ''}"));
}

#[test]
fn triggers_and_repository_fields() {
    let flow = "on:\n  pull_request_target: {branches: [main]}\n  push: {tags: ['v*'], branches-ignore: [x]}\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n    - uses: actions/checkout@v7\n      with: {ref: '${{ github.event.pull_request.head.sha }}'}\n    - run: npm publish\n      env: {NODE_AUTH_TOKEN: '${{ secrets.T }}'}\n";
    let got = scan(&[
        (".github/workflows/r.yml", flow),
        ("package.json", r#"{"name":"a","repository":"Acme/kit"}"#),
    ]);
    let rules: Vec<_> = got.findings.iter().map(|f| f.rule).collect();
    for rule in [
        "oidc-refused-trigger",
        "token-in-pull-request",
        "package-repository-mismatch",
    ] {
        assert!(rules.contains(&rule), "{rule}: {rules:?}");
    }
    let push = &got.publish_paths[0].triggers[1];
    assert_eq!(
        (push.tags.clone(), push.branches.clone()),
        (vec!["v*".to_owned()], vec!["!x".to_owned()])
    );
    let missing = scan(&[
        (".github/workflows/r.yml", flow),
        ("package.json", r#"{"name":"a"}"#),
    ]);
    assert!(
        missing
            .findings
            .iter()
            .any(|f| f.rule == "package-repository-missing")
    );
}

#[test]
fn bad_files_are_findings_and_silence_nothing() {
    let good = job("steps:\n- run: npm publish");
    let bomb = {
        let mut text = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned();
        for i in 1..12 {
            text.push_str(&format!(
                "a{i}: &a{i} [{}]\n",
                vec![format!("*a{}", i - 1); 9].join(",")
            ));
        }
        format!("{text}jobs: *a11\n")
    };
    let large = format!("on: push\n# {}\n", "x".repeat(3 * 1024 * 1024));
    let got = scan(&[
        (".github/workflows/a.yml", "on: [push\njobs: }"),
        (".github/workflows/b.yml", "\u{0}\u{1}binary"),
        (".github/workflows/c.yml", &bomb),
        (".github/workflows/d.yml", &large),
        (".github/workflows/e.yml", "just words"),
        (
            ".github/workflows/f.yml",
            "on: push\njobs:\n  a: &a\n    steps: [*a]\n",
        ),
        (".github/workflows/z.yml", &good),
    ]);
    assert_eq!(got.publish_paths.len(), 1);
    let bad: Vec<_> = got
        .findings
        .iter()
        .filter(|f| f.rule == "unreadable-file")
        .map(|f| f.file.rsplit('/').next().unwrap())
        .collect();
    assert_eq!(bad, ["a.yml", "b.yml", "d.yml", "e.yml"]);
    assert!(got.findings.iter().any(|f| f.rule == "anchor-cycle"));
}

#[test]
fn planted_tokens_are_not_repeated() {
    let planted = format!("npm_{}", "x".repeat(36));
    let flow = job(&format!(
        "env: {{NODE_AUTH_TOKEN: {planted}}}\nsteps:\n- run: echo //{{{{registry}}}}/:_authToken={planted} > .npmrc && npm publish"
    ));
    let got = scan(&[(".github/workflows/r.yml", &flow)]);
    let text = serde_json::to_string(&got).unwrap();
    assert!(got.findings.iter().any(|f| f.rule == "npmrc-literal-token"));
    assert!(!text.contains(&planted), "{text}");
}

#[test]
fn an_application_is_deployed_and_not_published() {
    let flow = "on: push\njobs:\n  go:\n    runs-on: x\n    steps:\n    - run: ./ci/deploy.sh production\n      env: {NPM_TOKEN: '${{ secrets.T }}'}\n";
    let paths = |manifest: &str| {
        let files = [
            (".github/workflows/r.yml", flow),
            ("package.json", manifest),
        ];
        scan(&files).publish_paths.len()
    };
    assert_eq!(paths(r#"{"name":"app","private":true}"#), 0);
    assert_eq!(paths(r#"{"name":"kit"}"#), 1);
}

#[test]
fn inputs_of_callers_decide_what_is_no_publish() {
    let callee = "on: {workflow_call: {inputs: {dry-run: {type: boolean, default: true}, to: {type: string}}}}\njobs:\n  go:\n    if: inputs.to != 'none'\n    runs-on: ubuntu-latest\n    steps:\n    - run: npm publish --dry-run\n      if: inputs.dry-run\n    - run: npm publish\n      if: ${{ !inputs.dry-run && (inputs.to == 'npm' || github.ref == 'x') }}\n";
    let callers = "on: push\njobs:\n  a: {uses: ./.github/workflows/callee.yml, with: {to: npm}}\n  b: {uses: ./.github/workflows/callee.yml, with: {dry-run: false, to: npm}}\n  c: {uses: ./.github/workflows/callee.yml, with: {dry-run: false, to: none}}\n  d: {uses: ./.github/workflows/callee.yml, with: {dry-run: '${{ inputs.x }}', to: jsr}}\n  e:\n    strategy: {matrix: {to: [none, npm]}}\n    uses: ./.github/workflows/callee.yml\n    with: {dry-run: false, to: '${{ matrix.to }}'}\n  f:\n    uses: other/repo/.github/workflows/npm-publish.yml@v1\n    with: {dry-run: true}\n    secrets: {NPM_TOKEN: '${{ secrets.C }}'}\n";
    let got = scan(&[
        (".github/workflows/callee.yml", callee),
        (".github/workflows/callers.yml", callers),
    ]);
    let jobs: Vec<_> = got.publish_paths.iter().map(|p| p.job.clone()).collect();
    assert_eq!(
        jobs.iter().flatten().collect::<Vec<_>>(),
        ["go", "b", "d", "e"]
    );
}

#[test]
fn variables_that_a_composite_writes_reach_the_steps_after_it() {
    let flow = "
on: push
jobs:
  out:
    runs-on: ubuntu-latest
    steps:
      - uses: ./kit/login
        with: {from: '${{ secrets.RELEASE }}', pairs: '/vault/npm = NPM_TOKEN'}
        env: {MINE: x}
      - run: npm publish
";
    let table = [
        (
            "- run: echo NODE_AUTH_TOKEN=${{ inputs.from }} >> $GITHUB_ENV\n      shell: bash",
            Some("RELEASE"),
        ),
        // An action that fetches secrets is told the variable by the composite's own input.
        (
            "- uses: acme/release-secrets@v1\n      with: {pairs: '${{ inputs.pairs }}'}\n    - run: echo '//{{registry}}/:_authToken=${NPM_TOKEN}' > ~/.npmrc\n      shell: bash",
            None,
        ),
    ];
    for (steps, secret) in table {
        let action = format!(
            "inputs: {{from: {{required: true}}, pairs: {{required: true}}}}\nruns:\n  using: composite\n  steps:\n    {steps}\n"
        );
        let scan = scan(&[
            ("package.json", MANIFEST),
            (".github/workflows/out.yml", flow),
            ("kit/login/action.yml", &action),
        ]);
        let path = &scan.publish_paths[0];
        assert_eq!(path.credential, Credential::Token, "{steps}");
        assert_eq!(path.secret.as_deref(), secret, "{steps}");
    }
}

#[test]
fn actions_below_the_folder_of_a_checkout_step() {
    let action = "runs:\n  using: composite\n  steps:\n  - run: lerna publish --yes\n    shell: bash\n    env: {NODE_AUTH_TOKEN: '${{ inputs.key }}'}\n";
    let tools = |with: &str| {
        let flow = job(&format!(
            "steps:\n- uses: actions/checkout@v5\n  with: {with}\n- uses: ./kite/.github/actions/fly\n  with: {{key: '${{{{ secrets.FLY }}}}'}}"
        ));
        let got = scan(&[
            (".github/workflows/r.yml", &flow),
            (".github/actions/fly/action.yml", action),
        ]);
        let mut of_job = got.publish_paths.into_iter().filter(|p| p.job.is_some());
        of_job.next().map(|p| (p.tool, p.secret))
    };
    let found = Some((Tool::Lerna, Some("FLY".to_owned())));
    assert_eq!(tools("{path: kite}"), found);
    assert_eq!(tools("{path: ./kite/, fetch-depth: 0}"), found);
    // Another repository's, or another folder.
    assert_eq!(tools("{path: kite, repository: acme/other}"), None);
    assert_eq!(tools("{path: hawk}"), None);
}

#[test]
fn what_only_speaks_of_publishing() {
    let none = [
        // A comment that a script writes.
        "steps:\n- uses: actions/github-script@v8\n  with:\n    script: |\n      await github.rest.issues.createComment({ body: 'Then run `npm publish`.' })",
        // A variable that holds an answer of the very script it is asked of.
        "steps:\n- run: |\n    NPM=$(python tools/release.py list --npm)\n    echo \"n=$NPM\" >> $GITHUB_OUTPUT",
    ];
    for lines in none {
        let flow = job(lines).replace("publish:", "plan:");
        let got = scan(&[(".github/workflows/r.yml", &flow)]);
        assert!(got.publish_paths.is_empty(), "{lines}");
    }
    assert_eq!(
        credentials(
            "steps:\n- uses: actions/github-script@v8\n  env: {NODE_AUTH_TOKEN: '${{ secrets.T }}'}\n  with:\n    script: await exec.exec('npm', ['publish'])"
        ),
        [(Credential::Token, Some("T".to_owned()))]
    );
    assert_eq!(
        credentials("env: {NPM: '${{ secrets.NPM }}'}\nsteps:\n- run: npm publish"),
        [(Credential::Token, Some("NPM".to_owned()))]
    );
}

#[test]
fn of_unread_scripts_the_one_named_after_publishing_is_meant() {
    let flow = job(
        "env: {NPM_TOKEN: '${{ secrets.T }}'}\nsteps:\n- run: |\n    ci/release/collect.js --all\n    ci/release/publish.js --all",
    );
    let got = scan(&[(".github/workflows/r.yml", &flow)]);
    let commands: Vec<_> = got
        .publish_paths
        .iter()
        .map(|p| (p.line, &*p.command))
        .collect();
    assert_eq!(commands, [(9, "ci/release/publish.js --all")]);
}

#[test]
fn which_npm_counts_for_semantic_release() {
    let node = "steps:\n- uses: actions/setup-node@v7\n  with: {node-version: 22}\n";
    let token = "  env: {NPM_TOKEN: '${{ secrets.T }}'}";
    let old = |step: &str| rules(&format!("{node}- {step}\n{token}")).contains(&"npm-too-old");
    // npx and a package manager put the npm that its plugin depends on before the machine's.
    assert!(!old("run: npx semantic-release@25.0.1"));
    assert!(!old("run: yarn semantic-release"));
    assert!(old("run: semantic-release"));
    assert!(old("uses: cycjimmy/semantic-release-action@v4"));
}

#[test]
fn an_npm_held_to_one_major_is_pinned() {
    let unpinned = |npm: &str| {
        let lines = format!("steps:\n- run: npm install -g {npm}\n- run: npm publish");
        rules(&lines).contains(&"unpinned-tool")
    };
    for held in ["npm@11.21.2", "npm@^11.21", "npm@11"] {
        assert!(!unpinned(held), "{held}");
    }
    for loose in ["npm", "npm@latest", "'npm@>=11'"] {
        assert!(unpinned(loose), "{loose}");
    }
}

#[test]
fn printf_puts_the_token_where_its_format_says() {
    let lines = "steps:\n- run: printf '//%s/:_authToken=%s\\n' {{registry}} \"$KEY\" > ~/.npmrc\n  env: {KEY: '${{ secrets.FLY }}'}\n- run: npm publish";
    assert_eq!(
        credentials(lines),
        [(Credential::Token, Some("FLY".to_owned()))]
    );
}

#[test]
fn a_step_named_after_publishing_that_hands_an_action_an_npm_token() {
    let found = |step: &str| {
        let flow = job(&format!("steps:\n- {step}")).replace("publish:\n", "go:\n");
        scan(&[(".github/workflows/r.yml", &flow)])
            .publish_paths
            .len()
    };
    let token = "with: {npm-token: '${{ secrets.NPM_TOKEN }}'}";
    assert_eq!(
        found(&format!(
            "name: Publish to npm\n  uses: acme/kite@v1\n  {token}"
        )),
        1
    );
    assert_eq!(
        found(&format!("name: Fetch\n  uses: acme/kite@v1\n  {token}")),
        0
    );
    assert_eq!(
        found(&format!(
            "name: Before publishing\n  uses: acme/setup-kite@v1\n  {token}"
        )),
        0
    );
    assert_eq!(found("name: Publish to npm\n  uses: acme/kite@v1"), 0);
}

/// Line, secret and purpose of each token use of a one-job workflow.
fn uses(lines: &str) -> Vec<(u32, Option<String>, Purpose)> {
    let flow = job(lines);
    let scan = scan(&[(".github/workflows/r.yml", &flow)]);
    let uses = scan.token_uses.into_iter();
    uses.map(|one| (one.line, one.secret, one.purpose))
        .collect()
}

#[test]
fn a_token_in_the_text_of_a_step_is_a_use_whatever_the_command() {
    let use_of = |line: u32| (line, Some("NPM_TOKEN".to_owned()), Purpose::Unknown);
    for command in [
        "./tools/gone.sh ${{ secrets.NPM_TOKEN }}",
        "echo \"TOKEN=${{ secrets.NPM_TOKEN }}\" >> $GITHUB_ENV",
        "K=${{ secrets.NPM_TOKEN }} docker compose run all",
        "npm config set //{{registry}}/:_authToken ${{ secrets.NPM_TOKEN }}",
    ] {
        assert_eq!(
            uses(&format!("steps:\n- run: '{command}'")),
            [use_of(6)],
            "{command}"
        );
    }
    let two = "steps:\n- run: |\n    ./a.sh ${{ secrets.NPM_TOKEN }}\n    # ./b.sh ${{ secrets.NPM_TOKEN }}\n    ./c.sh ${{ secrets.NPM_TOKEN }}";
    assert_eq!(uses(two), [use_of(7), use_of(9)]);
    let published = "steps:\n- run: npm config set //{{registry}}/:_authToken ${{ secrets.NPM_TOKEN }}\n- run: npm publish";
    assert!(uses(published).iter().all(|one| one.2 == Purpose::Publish));
    assert_eq!(
        uses("steps:\n- run: ./gone.sh ${{ secrets.DEPLOY_KEY }}"),
        []
    );
}

#[test]
fn a_callee_elsewhere_that_may_publish_is_named() {
    let told = |uses: &str, more: &str| {
        let flow = format!("on: push\njobs:\n  a:\n    uses: {uses}\n{more}");
        let found = scan(&[(".github/workflows/r.yml", &flow)]).findings;
        found.iter().any(|one| one.rule == "unseen-callee")
    };
    let flow = "acme/ci/.github/workflows/flow.yml@v1";
    assert!(told(flow, "    secrets: inherit\n"));
    assert!(told(flow, "    permissions: {id-token: write}\n"));
    assert!(!told(flow, ""));
    assert!(!told(
        flow,
        "    secrets: inherit\n    with: {dry-run: true}\n"
    ));
    let proof = "slsa-framework/slsa-github-generator/.github/workflows/generator.yml@v2";
    assert!(!told(proof, "    permissions: {id-token: write}\n"));
}

#[test]
fn what_keeps_from_oidc_alone_is_no_error_while_a_token_publishes() {
    use crate::scan::Severity;
    let severity = |lines: &str| {
        let flow = job(lines);
        let found = scan(&[(".github/workflows/r.yml", &flow)]).findings;
        let one = found.iter().find(|one| one.rule == "node-too-old");
        one.map(|one| one.severity)
    };
    let setup =
        "steps:\n- uses: actions/setup-node@v4\n  with: {node-version: 20}\n- run: npm publish";
    let token = format!("{setup}\n  env: {{NODE_AUTH_TOKEN: '${{{{ secrets.NPM_TOKEN }}}}'}}");
    assert_eq!(severity(&token), Some(Severity::Warning));
    let both = format!("permissions: {{id-token: write}}\n{token}");
    assert_eq!(severity(&both), Some(Severity::Warning));
    let oidc = format!("permissions: {{id-token: write}}\n{setup}");
    assert_eq!(severity(&oidc), Some(Severity::Error));
}

#[test]
fn committed_files_that_read_a_token_are_noted_where_they_count() {
    let line = "//{{registry}}/:_authToken=${NPM_TOKEN}\n";
    let scan = scan(&[
        (".npmrc", line),
        ("linux/.npmrc", line),
        ("examples/a/.npmrc", line),
        ("other/.npmrc", "//{{other}}/:_authToken=${ART_TOKEN}\n"),
        (
            "bun/bunfig.toml",
            "[install]\nregistry = { url = \"https://{{registry}}\", token = \"$NPM_TOKEN\" }\n",
        ),
        (
            "scope/bunfig.toml",
            "[install.scopes]\nacme = { token = \"$NPM_TOKEN\", url = \"https://{{registry}}/\" }\n",
        ),
        (
            "far/bunfig.toml",
            "[install.scopes]\nacme = { token = \"$ART\", url = \"https://{{other}}/\" }\n",
        ),
        (".github/workflows/r.yml", &job("steps:\n- run: npm test")),
    ]);
    let noted = scan
        .findings
        .iter()
        .filter(|one| one.rule == "committed-npmrc-token");
    let files: Vec<&str> = noted.map(|one| one.file.as_str()).collect();
    let want = [
        ".npmrc",
        "bun/bunfig.toml",
        "linux/.npmrc",
        "scope/bunfig.toml",
    ];
    assert_eq!(files, want);
}

#[test]
fn release_tools_of_the_table_publish_as_it_says() {
    let tools = |command: &str, files: &[(&str, &str)]| {
        let flow = job(&format!(
            "steps:\n- run: {command}\n  env: {{NODE_AUTH_TOKEN: '${{{{ secrets.T }}}}'}}"
        ));
        let mut all = vec![(".github/workflows/r.yml", flow.as_str())];
        all.extend(files);
        scan(&all).publish_paths.len()
    };
    assert_eq!(tools("npx changelogen --publish", &[]), 1);
    assert_eq!(tools("npx changelogen --bump", &[]), 0);
    let npms = (
        ".goreleaser.yml",
        "version: 2\nnpms:\n- name: '@acme/kit'\n",
    );
    for dry in [
        "--snapshot",
        "--skip=publish",
        "--skip=announce,publish",
        "--skip publish",
    ] {
        assert_eq!(
            tools(&format!("goreleaser release {dry}"), &[npms]),
            0,
            "{dry}"
        );
    }
    assert_eq!(tools("goreleaser release --skip=announce", &[npms]), 1);
    let mono = ("monochange.toml", "[defaults]\n");
    assert_eq!(tools("mc publish", &[mono]), 1);
    assert_eq!(tools("mc publish --dry-run", &[mono]), 0);
    assert_eq!(tools("mc publish", &[]), 0);
    assert_eq!(
        tools(
            "goreleaser release --clean",
            &[(
                ".goreleaser.yml",
                "version: 2\nnpms:\n- name: '@acme/kit'\n"
            )]
        ),
        1
    );
    assert_eq!(
        tools(
            "goreleaser release --clean",
            &[(".goreleaser.yml", "version: 2\nbuilds: []\n")]
        ),
        0
    );
}

#[test]
fn a_rehearsal_in_a_script_does_not_hide_the_publish_after_it() {
    let script = "if [ \"$DRY\" = true ]; then\n  npm publish --dry-run\nelse\n  npm publish\nfi\n";
    let flow = job("steps:\n- run: ./ship.sh\n  env: {NODE_AUTH_TOKEN: '${{ secrets.T }}'}");
    let found = scan(&[(".github/workflows/r.yml", &flow), ("ship.sh", script)]);
    assert_eq!(found.publish_paths.len(), 1);
    // To another registry first, then to npm: both are paths.
    let both = "npm publish --registry http://localhost:4873\nnpm publish\n";
    let found = scan(&[(".github/workflows/r.yml", &flow), ("ship.sh", both)]);
    let registries: Vec<Registry> = found.publish_paths.iter().map(|p| p.registry).collect();
    assert_eq!(registries, [Registry::Other, Registry::Npmjs]);
}

#[test]
fn what_npm_run_is_told_reaches_the_script() {
    let manifest = r#"{"name":"a","version":"1.0.0","scripts":{"ship":"npm publish"}}"#;
    let table = [
        ("npm run ship", Some(Registry::Npmjs)),
        (
            "npm run ship --registry=http://localhost:4873",
            Some(Registry::Other),
        ),
        ("npm run ship --dry-run", None),
        ("npm run ship -- --dry-run", None),
    ];
    for (text, want) in table {
        let flow = job(&format!("steps:\n- run: {text}"));
        let found = scan(&[
            (".github/workflows/r.yml", &flow),
            ("package.json", manifest),
        ]);
        let got = found.publish_paths.first().map(|path| path.registry);
        assert_eq!(got, want, "{text}");
    }
}

#[test]
fn a_command_that_callers_may_replace_is_read_by_its_default() {
    let action = "inputs:\n  cmd: {default: npm publish}\nruns:\n  using: composite\n  steps:\n  - {shell: bash, run: '${{ inputs.cmd }}'}\n";
    let found = scan(&[(".github/actions/ship/action.yml", action)]);
    assert_eq!(found.publish_paths.len(), 1);
}

#[test]
fn where_following_ends_is_told() {
    let limits = |files: &[(&str, &str)]| {
        let mut found = scan(files).findings;
        found.retain(|one| one.rule == "follow-limit");
        found
            .into_iter()
            .map(|one| (one.file, one.line))
            .collect::<Vec<_>>()
    };
    // A script that calls the next, longer than is followed.
    let scripts: Vec<String> = (0..20)
        .map(|n| format!(r#""s{n}":"npm run s{}""#, n + 1))
        .collect();
    let manifest = format!(
        r#"{{"name":"a","version":"1.0.0","scripts":{{{}}}}}"#,
        scripts.join(",")
    );
    let flow = job("steps:\n- run: npm run s0");
    let at = (".github/workflows/r.yml".to_owned(), 6);
    assert_eq!(
        limits(&[
            (".github/workflows/r.yml", &flow),
            ("package.json", &manifest)
        ]),
        std::slice::from_ref(&at)
    );
    // More commands than are kept of one text.
    let many = job(&format!("steps:\n- run: |\n{}", "    a\n".repeat(20_001)));
    assert_eq!(limits(&[(".github/workflows/r.yml", &many)]).len(), 1);
    // Composite actions that call each other.
    let action = "runs: {using: composite, steps: [{uses: ./.github/actions/a}]}";
    let flow = job("steps:\n- uses: ./.github/actions/a");
    let found = limits(&[
        (".github/workflows/r.yml", &flow),
        (".github/actions/a/action.yml", action),
    ]);
    assert!(found.contains(&at), "{found:?}");
    // Workflows that call each other.
    let called = "on: workflow_call\njobs:\n  a: {uses: ./.github/workflows/c.yml}\n  b: {uses: ./.github/workflows/c.yml}\n";
    let flow = job("uses: ./.github/workflows/c.yml");
    let found = limits(&[
        (".github/workflows/r.yml", &flow),
        (".github/workflows/c.yml", called),
    ]);
    assert!(
        found.iter().any(|one| one.0.ends_with("r.yml")),
        "{found:?}"
    );
}

#[test]
fn a_token_beside_text_that_hides_what_it_runs_is_told() {
    for (env, told) in [
        ("NPM_TOKEN: '${{ secrets.NPM_TOKEN }}'", true),
        ("A: b", false),
    ] {
        let lines = format!("steps:\n- run: eval \"$(echo $BLOB | base64 -d)\"\n  env: {{{env}}}");
        assert_eq!(
            rules(&lines).contains(&"token-in-unread-text"),
            told,
            "{env}"
        );
    }
}

#[test]
fn a_workflow_that_is_commented_out_is_no_unreadable_file() {
    let rules = |text: &str| {
        let found = scan(&[(".github/workflows/r.yml", text)]).findings;
        found.into_iter().map(|one| one.rule).collect::<Vec<_>>()
    };
    assert!(rules("# on: push\n# jobs: {}\n\n").is_empty());
    assert_eq!(rules("# on: push\njust words\n"), ["unreadable-file"]);
}

#[test]
fn what_an_action_may_do_is_its_callers_business() {
    let inner = "runs: {using: composite, steps: [{shell: bash, run: npm publish --provenance}]}";
    let outer = "runs: {using: composite, steps: [{uses: ./.github/actions/inner}]}";
    let caller = job("permissions: {id-token: write}\nsteps:\n- uses: ./.github/actions/outer");
    let found = scan(&[
        (".github/actions/inner/action.yml", inner),
        (".github/actions/outer/action.yml", outer),
        (".github/workflows/r.yml", &caller),
    ]);
    let told = |rule: &str| found.findings.iter().any(|one| one.rule == rule);
    assert!(!told("provenance-without-id-token"));
}
