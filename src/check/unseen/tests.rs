#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use crate::check::policy::Policy;
use crate::check::{Side, check, mention};
use crate::scan::scan_tree;
use crate::scan::tree::Memory;

/// The rules that a tree of these files breaks, under a policy.
fn rules(files: &[(&str, &str)], policy: &str) -> Vec<&'static str> {
    let registry = &crate::assets::registries().npmjs.host;
    let mut files: Vec<(&str, String)> = files
        .iter()
        .map(|(path, text)| (*path, text.replace("{{registry}}", registry)))
        .collect();
    let package = r#"{"name": "@acme/w", "version": "1.0.0"}"#;
    if files.iter().all(|(path, _)| *path != "package.json") {
        files.push(("package.json", package.to_owned()));
    }
    let tree = Memory::new(files.iter().map(|(path, text)| (*path, text.as_str())));
    let policy = Policy::parse(policy.as_bytes()).unwrap();
    let side = Side {
        repos: vec![scan_tree(
            &tree,
            None,
            "acme/w",
            "2026-12-01".parse().unwrap(),
        )],
        mentions: mention::find(&tree, &|name| policy.denies(name)),
    };
    let today = "2026-12-05".parse().unwrap();
    let mut rules: Vec<_> = check(&side, None, &policy, today)
        .iter()
        .map(|one| one.finding.rule)
        .collect();
    rules.dedup();
    rules
}

const FLOW: &str = ".github/workflows/r.yml";

/// A workflow whose job has the environment that the policy asks for, and these steps.
fn job(steps: &str) -> String {
    format!(
        "on: {{push: {{tags: ['v*']}}}}\njobs:\n  p:\n    runs-on: ubuntu-latest\n    environment: npm\n    steps:\n      - uses: actions/checkout@v4\n{steps}\n"
    )
}

const TOKEN: &str = "policy-token-forbidden";
const UNSEEN: &str = "policy-not-judged";
const NPM: &str = "        env: {NPM_TOKEN: '${{ secrets.NPM_TOKEN }}'}";
const OTHER: &str = "        env: {K: '${{ secrets.DEPLOY_KEY }}'}";

#[test]
fn a_token_does_not_come_back_by_another_way() {
    let writes =
        "require('fs').writeFileSync('.npmrc', '//{{registry}}/:_authToken=' + process.env.K)";
    let runs = "import subprocess\nsubprocess.run(['npm', 'publish'])\n";
    for (steps, files, rule) in [
        (
            "- run: ./go.sh ${{ secrets.NPM_TOKEN }}".to_owned(),
            &[("go.sh", "make all")][..],
            TOKEN,
        ),
        (
            "- run: ./gone.sh ${{ secrets['NPM_TOKEN'] }}".to_owned(),
            &[],
            TOKEN,
        ),
        (
            "- run: make x A=${{ env.NPM_TOKEN }}".to_owned(),
            &[],
            TOKEN,
        ),
        (
            format!("- run: node tools/x.js && make all\n{OTHER}"),
            &[("tools/x.js", writes)],
            UNSEEN,
        ),
        (
            format!("- run: python3 x.py\n        working-directory: tools\n{OTHER}"),
            &[("tools/x.py", runs)],
            UNSEEN,
        ),
        (
            format!("- run: python3 -c \"import os; os.system('npm publish')\"\n{OTHER}"),
            &[],
            UNSEEN,
        ),
        (
            format!("- uses: docker://acme/publisher:1\n{NPM}"),
            &[],
            UNSEEN,
        ),
        (
            "- uses: acme/tools@v1\n        with: {key: '${{ secrets.NPM_TOKEN }}'}".to_owned(),
            &[],
            UNSEEN,
        ),
        (
            format!(
                "- run: curl -X PUT --oauth2-bearer $K https://{{{{registry}}}}/@acme%2fw -d @b\n{OTHER}"
            ),
            &[],
            TOKEN,
        ),
        (
            format!(
                "- run: |\n          curl --upload-file b \\\n            https://{{{{registry}}}}/@acme%2fw\n{OTHER}"
            ),
            &[],
            TOKEN,
        ),
        (
            format!("- run: eval \"$(echo bnBt | base64 -d)\"\n{NPM}"),
            &[],
            UNSEEN,
        ),
        (
            format!("- run: echo bnBt | base64 --decode | bash\n{NPM}"),
            &[],
            UNSEEN,
        ),
        (
            format!("- run: curl -sSf https://tools.example/x | sh -s -- -y\n{NPM}"),
            &[],
            UNSEEN,
        ),
        (format!("- run: bash -c \"$CODE\"\n{NPM}"), &[], UNSEEN),
        (
            format!("- run: bash <(curl -s https://tools.example/x)\n{NPM}"),
            &[],
            UNSEEN,
        ),
    ] {
        let text = job(&format!("      {steps}"));
        let all: Vec<(&str, &str)> = files
            .iter()
            .copied()
            .chain([(FLOW, text.as_str())])
            .collect();
        let broken = rules(&all, "");
        // Either rule says it: which one depends on how much of it the scan follows.
        let or = if rule == UNSEEN { TOKEN } else { rule };
        assert!(
            broken.contains(&rule) || broken.contains(&or),
            "{text}\n{broken:?}"
        );
    }
}

#[test]
fn what_nobody_can_see_is_a_violation_unless_the_policy_allows_it() {
    let called = |secrets: &str| {
        format!(
            "on: push\njobs:\n  p:\n    uses: acme/ci/.github/workflows/zz.yml@main\n    secrets: {secrets}\n"
        )
    };
    let reading = format!("      - run: echo bnBt | base64 -d | sh\n{OTHER}");
    let services = "on: push\njobs:\n  p:\n    runs-on: x\n    services:\n      s:\n        image: acme/x\n        env: {T: '${{ secrets.NPM_TOKEN }}'}\n    steps: []\n";
    for (text, policy, broken) in [
        (called("inherit"), "", true),
        (
            called("inherit"),
            "[unseen]\nallow-callees = [\"acme/ci/*\"]\n",
            false,
        ),
        (
            called("inherit"),
            "[unseen]\nallow-callees = [\"other/*\"]\n",
            true,
        ),
        (called("inherit"), "[unseen]\ncallees = \"allow\"\n", false),
        (
            called("{KEY: '${{ secrets.NPM_TOKEN }}'}"),
            "[token]\npublish = \"allow\"\n",
            true,
        ),
        (
            called("{KEY: '${{ secrets.OTHER }}'}"),
            "[unseen]\ncredential = \"allow\"\n",
            false,
        ),
        // The repository's own workflow by its full name is read.
        (called("inherit").replace("acme/ci/", "acme/w/"), "", false),
        (services.to_owned(), "", true),
        // No npm token is in reach of the text.
        (job(&reading), "", false),
    ] {
        let found = rules(&[(FLOW, &text)], policy);
        assert_eq!(
            found.contains(&UNSEEN),
            broken,
            "{text}\n{policy}\n{found:?}"
        );
    }
}

#[test]
fn a_publish_whose_credential_stands_nowhere_is_not_judged() {
    let circle = "version: 2.1\njobs:\n  p:\n    docker: [{image: 'cimg/node:24.0'}]\n    steps: [checkout, {run: npm publish}]\nworkflows:\n  w:\n    jobs: [{p: {context: npm}}]\n";
    let files = [(".circleci/config.yml", circle)];
    assert_eq!(rules(&files, ""), [UNSEEN]);
    assert_eq!(rules(&files, "[unseen]\ncredential = \"allow\"\n"), [""; 0]);
    let script = job(&format!("      - run: node tools/x.js\n{OTHER}"));
    let files = [
        (FLOW, script.as_str()),
        (
            "tools/x.js",
            "require('child_process').execSync('npm publish')",
        ),
    ];
    assert_eq!(rules(&files, ""), [UNSEEN]);
}

#[test]
fn tokens_of_other_systems_are_uses() {
    for (file, text) in [
        (
            ".gitlab-ci.yml",
            "p:\n  environment: npm\n  script:\n    - ./go.sh $NPM_TOKEN\n",
        ),
        (
            ".gitlab-ci.yml",
            "p:\n  environment: npm\n  variables: {NODE_AUTH_TOKEN: $NPM_TOKEN}\n  script: [npm publish]\n",
        ),
        (
            ".circleci/config.yml",
            "version: 2.1\njobs:\n  p:\n    docker: [{image: x}]\n    steps: [{run: 'make T=${NPM_TOKEN}'}]\n",
        ),
        (
            "azure-pipelines.yml",
            "steps:\n- script: make x\n  env: {T: $(NPM_TOKEN)}\n",
        ),
    ] {
        let broken = rules(&[(file, text)], "");
        assert!(broken.contains(&TOKEN), "{text}\n{broken:?}");
    }
}

#[test]
fn a_package_script_that_publishes_counts_where_a_workflow_runs_it_with_a_token() {
    let package = r#"{"name": "@acme/w", "version": "1.0.0", "scripts": {"test": "npm publish"}}"#;
    let text =
        job("      - run: npm test\n        env: {NODE_AUTH_TOKEN: '${{ secrets.NPM_TOKEN }}'}");
    assert!(rules(&[("package.json", package), (FLOW, &text)], "").contains(&TOKEN));
    assert_eq!(rules(&[("package.json", package)], ""), [""; 0]);
}

#[test]
fn names_that_are_computed_are_hidden_with_or_without_a_denylist() {
    for value in [
        "secrets[matrix.x]",
        "secrets[format('{0}_TOKEN', 'NPM')]",
        "toJSON(secrets)",
    ] {
        let text = job(&format!(
            "      - run: make x\n        env: {{A: \"${{{{ {value} }}}}\"}}"
        ));
        let files = [(FLOW, text.as_str())];
        assert_eq!(rules(&files, ""), ["policy-secret-hidden"], "{value}");
        assert_eq!(
            rules(&files, "[secret]\nhidden = \"allow\"\n"),
            [""; 0],
            "{value}"
        );
    }
}

#[test]
fn ordinary_workflows_are_left_alone() {
    let oidc = job(
        "      - uses: actions/setup-node@v6\n        with: {node-version: 24}\n      - run: eval \"$(ssh-agent -s)\"\n      - run: npm publish",
    )
    .replace("    environment: npm\n", "    environment: npm\n    permissions: {id-token: write, contents: read}\n");
    let build = job(
        "      - uses: acme/cache@v1\n        with: {token: '${{ secrets.GITHUB_TOKEN }}'}\n      - run: curl -sSf https://tools.example/x | sh\n      - run: node tools/x.js",
    );
    let files = [
        (FLOW, oidc.as_str()),
        (".github/workflows/b.yml", build.as_str()),
        ("tools/x.js", "exec('npm publish --dry-run')"),
    ];
    assert_eq!(rules(&files, ""), [""; 0]);
}
