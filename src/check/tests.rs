#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::judge::SCAN_DUPLICATE;
use super::*;
use crate::safe::process::{Program, Surroundings};
use crate::scan::{
    CiSystem, Credential, PublishPath, Purpose, Registry, Reusable, Runner, Severity, TokenUse,
    Tool,
};

/// A git repository made for one test, and a folder outside of it.
pub(super) struct Repo {
    dir: tempfile::TempDir,
    outside: tempfile::TempDir,
    git: Program,
}

impl Repo {
    /// `None`, with a word on why, where git is not installed.
    #[allow(clippy::print_stderr)]
    pub(super) fn new() -> Option<Self> {
        let Ok(git) = Program::resolve("git", std::env::var_os("PATH").as_deref(), &[]) else {
            eprintln!("skipped: git is not installed");
            return None;
        };
        let repo = Self {
            dir: tempfile::tempdir().unwrap(),
            outside: tempfile::tempdir().unwrap(),
            git,
        };
        repo.git(&["init", "-q", "-b", "main"]);
        Some(repo)
    }

    pub(super) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(super) fn outside(&self) -> &Path {
        self.outside.path()
    }

    pub(super) fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(super) fn program(&self, path: &str, script: &str) -> String {
        self.write(path, &format!("#!/bin/sh\n{script}\n"));
        let path = self.path().join(path);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path.to_str().unwrap().to_owned()
    }

    pub(super) fn git(&self, arguments: &[&str]) -> String {
        let (code, out, err) = self.call(arguments);
        assert_eq!(code, Some(0), "git {arguments:?}: {err}");
        out.trim().to_owned()
    }

    /// Runs git as a careless program would: the checkout's config and hooks count.
    pub(super) fn loose_status(&self) {
        self.call(&["status"]);
    }

    fn call(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let set: Vec<(&str, &OsStr)> = [
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_AUTHOR_NAME", "Rosa"),
            ("GIT_AUTHOR_EMAIL", "rosa@example.com"),
            ("GIT_COMMITTER_NAME", "Rosa"),
            ("GIT_COMMITTER_EMAIL", "rosa@example.com"),
        ]
        .iter()
        .map(|(name, value)| (*name, OsStr::new(*value)))
        .collect();
        let around = Surroundings {
            set: &set,
            limit: std::time::Duration::from_secs(60),
            ..Surroundings::new(self.path())
        };
        let output = self.git.run(arguments, &around).unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.out), text(&output.err))
    }

    pub(super) fn commit(&self, message: &str) -> String {
        self.git(&["add", "-A", "-f"]);
        self.git(&["commit", "-q", "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    fn check(&self) -> Result<Outcome, CheckError> {
        run(&Options {
            root: self.path().to_owned(),
            base: None,
            target: Some("main".to_owned()),
            search: std::env::var_os("PATH"),
            today: day(),
        })
    }

    /// Commits what stands as the target branch, and goes on with a change.
    fn target(&self) {
        let commit = self.commit("target");
        self.git(&["update-ref", "refs/remotes/origin/main", &commit]);
        self.git(&["checkout", "-q", "-b", "change"]);
    }
}

fn day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 12, 5).unwrap()
}

fn empty() -> RepoScan {
    RepoScan {
        repo: "acme/a".to_owned(),
        root: String::new(),
        commit: None,
        ci: vec![CiSystem::Github],
        refs: String::new(),
        publish_paths: Vec::new(),
        token_uses: Vec::new(),
        packages: Vec::new(),
        findings: Vec::new(),
        files_read: 1,
    }
}

fn path(job: &str, credential: Credential) -> PublishPath {
    PublishPath {
        file: ".github/workflows/release.yml".to_owned(),
        job: Some(job.to_owned()),
        ordinal: 0,
        step: Some(2),
        line: 20,
        column: 9,
        step_line: 19,
        ci: CiSystem::Github,
        tool: Tool::Npm,
        tool_version: None,
        registry: Registry::Npmjs,
        registry_url: None,
        credential,
        secret: Some("NPM_TOKEN".to_owned()),
        secret_set_at: None,
        id_token_write: false,
        environment: Some("npm".to_owned()),
        runner: Runner::Hosted,
        runner_label: None,
        reusable: None,
        calls: None,
        staged: false,
        packages: Vec::new(),
        triggers: Vec::new(),
        actions: [].into(),
        node_version: None,
        npm_version: None,
        fails_closed: true,
        blockers: Vec::new(),
        command: "npm publish".to_owned(),
    }
}

fn side(paths: Vec<PublishPath>) -> Side {
    Side {
        repos: vec![RepoScan {
            publish_paths: paths,
            ..empty()
        }],
        mentions: Mentions::default(),
    }
}

fn policy(text: &str) -> Policy {
    Policy::parse(text.as_bytes()).unwrap()
}

fn failing(head: &Side, base: Option<&Side>, text: &str) -> Vec<&'static str> {
    let all = check(head, base, &policy(text), day());
    all.iter()
        .filter(|v| v.standing == Standing::Fails)
        .map(|v| v.finding.rule)
        .collect()
}

#[test]
fn tokens_by_policy() {
    let with = |change: fn(&mut PublishPath)| {
        let mut p = path("release", Credential::Token);
        change(&mut p);
        side(vec![p])
    };
    let table: [(Side, &str, &[&str]); 11] = [
        (with(|_| ()), "", &["policy-token-forbidden"]),
        (
            with(|p| p.credential = Credential::TokenAndOidc),
            "",
            &["policy-token-forbidden"],
        ),
        (with(|p| p.credential = Credential::Oidc), "", &[]),
        (
            with(|p| p.credential = Credential::NoneVisible),
            "",
            &["policy-not-judged"],
        ),
        (
            with(|p| p.credential = Credential::NoneVisible),
            "[unseen]\ncredential = \"allow\"\n",
            &[],
        ),
        (with(|p| p.staged = true), "", &[]),
        (
            with(|p| p.staged = true),
            "[token]\nstage = \"forbid\"\n",
            &["policy-token-forbidden"],
        ),
        (with(|_| ()), "[token]\npublish = \"allow\"\n", &[]),
        (with(|p| p.registry = Registry::GithubPackages), "", &[]),
        (
            with(|p| p.registry = Registry::Unknown),
            "",
            &["policy-token-forbidden"],
        ),
        (with(|p| p.registry = Registry::Other), "", &[]),
    ];
    for (i, (head, text, want)) in table.iter().enumerate() {
        assert_eq!(failing(head, None, text), *want, "row {i}");
    }
}

#[test]
fn environments_by_policy() {
    let with = |change: fn(&mut PublishPath)| {
        let mut p = path("release", Credential::Oidc);
        change(&mut p);
        side(vec![p])
    };
    let lacks: &[&str] = &["policy-environment-missing"];
    let table: [(Side, &str, &[&str]); 8] = [
        (with(|_| ()), "", &[]),
        (with(|p| p.environment = None), "", lacks),
        (
            with(|p| p.environment = None),
            "[environment]\nrequire = false\n",
            &[],
        ),
        (
            with(|_| ()),
            "[environment]\nnames = [\"release\"]\n",
            lacks,
        ),
        (
            with(|_| ()),
            "[environment]\nnames = [\"release\", \"npm\"]\n",
            &[],
        ),
        (
            with(|p| {
                p.environment = None;
                p.ci = CiSystem::Circleci;
            }),
            "",
            &[],
        ),
        (
            with(|p| {
                p.environment = None;
                p.reusable = Some(Reusable::Caller);
                p.calls = Some("./.github/workflows/x.yml".to_owned());
            }),
            "",
            &[],
        ),
        (
            with(|p| {
                p.environment = None;
                p.job = None;
            }),
            "",
            &[],
        ),
    ];
    for (i, (head, text, want)) in table.iter().enumerate() {
        assert_eq!(failing(head, None, text), *want, "row {i}");
    }
}

#[test]
fn only_what_the_base_has_not_fails() {
    let base = side(vec![path("release", Credential::Token)]);
    let mut moved = path("release", Credential::Token);
    moved.line = 90;
    assert_eq!(
        failing(&side(vec![moved.clone()]), Some(&base), ""),
        [""; 0]
    );
    assert_eq!(
        failing(&side(vec![moved.clone(), moved.clone()]), Some(&base), "").len(),
        1,
        "a second one is new"
    );
    assert_eq!(
        failing(
            &side(vec![path("other", Credential::Token)]),
            Some(&base),
            ""
        )
        .len(),
        1
    );
    let mut elsewhere = moved;
    elsewhere.file = ".github/workflows/other.yml".to_owned();
    assert_eq!(failing(&side(vec![elsewhere]), Some(&base), "").len(), 1);
    assert_eq!(failing(&side(Vec::new()), Some(&base), ""), [""; 0]);
}

#[test]
fn exceptions_cover_until_their_day() {
    let head = side(vec![path("release", Credential::Token)]);
    let text = |until: &str| {
        format!(
            "[[allow]]\nrule = \"policy-token-forbidden\"\npath = \".github/workflows/rel*.yml\"\nuntil = {until}\nwhy = \"OPS-1\"\n"
        )
    };
    assert_eq!(failing(&head, None, &text("2026-12-05")), [""; 0]);
    assert_eq!(
        failing(&head, None, &text("2026-12-04")),
        ["policy-token-forbidden"]
    );
    let all = check(&head, None, &policy(&text("2026-12-31")), day());
    assert!(matches!(&all[0].standing, Standing::Allowed { why, .. } if why == "OPS-1"));
}

#[test]
fn other_uses_by_policy() {
    let token_use = |purpose, step| TokenUse {
        file: ".github/workflows/release.yml".to_owned(),
        job: Some("release".to_owned()),
        step: Some(step),
        line: 30,
        secret: Some("NPM_TOKEN".to_owned()),
        purpose,
    };
    let with = |uses: Vec<TokenUse>| {
        let mut head = side(vec![path("release", Credential::Oidc)]);
        head.repos[0].token_uses = uses;
        head
    };
    let head = with(vec![
        token_use(Purpose::DistTag, 3),
        token_use(Purpose::Install, 1),
    ]);
    assert_eq!(failing(&head, None, ""), [""; 0]);
    assert_eq!(
        failing(&head, None, "[token]\nforbid-uses = [\"dist-tag\"]\n").len(),
        1
    );
    assert_eq!(
        failing(&with(vec![token_use(Purpose::Publish, 2)]), None, ""),
        [""; 0],
        "the path of this step says it"
    );
    assert_eq!(
        failing(&with(vec![token_use(Purpose::Publish, 5)]), None, "").len(),
        1
    );
    assert_eq!(
        failing(&head, None, "[secret]\ndeny = [\"npm_*\"]\n")
            .iter()
            .filter(|r| **r == "policy-secret-denied")
            .count(),
        2,
        "the path's line and the uses' line"
    );
}

#[test]
fn duplicate_keys_and_unread_files() {
    let mut head = side(Vec::new());
    head.repos[0].findings = vec![Finding {
        rule: "duplicate-key",
        severity: Severity::Error,
        file: ".github/workflows/a.yml".to_owned(),
        line: 3,
        column: 1,
        job: None,
        message: "the key `permissions` stands twice".to_owned(),
        fix: String::new(),
        source: "",
    }];
    head.mentions.unread.push((
        ".github/workflows/b.yml".to_owned(),
        "cannot be read".to_owned(),
    ));
    assert_eq!(
        failing(&head, None, ""),
        ["policy-duplicate-keys", "policy-unreadable"]
    );
    assert_eq!(
        failing(
            &head,
            None,
            "[yaml]\nduplicate-keys = \"allow\"\nunreadable = \"allow\"\n"
        ),
        [""; 0]
    );
    assert_eq!(failing(&head, Some(&head), ""), [""; 0]);
    // The scan must know the rules that are taken over from it.
    for id in SCAN_DUPLICATE {
        assert!(crate::scan::rule::RULES.iter().any(|r| r.id == *id), "{id}");
    }
}

#[test]
fn hostile_names_are_made_visible() {
    let mut p = path("evil\u{1b}[31m\u{202e}", Credential::Token);
    p.secret = Some("X\u{7}".to_owned());
    p.environment = None;
    for violation in check(&side(vec![p]), None, &Policy::default(), day()) {
        let said = &violation.finding.message;
        assert!(
            said.chars().all(|c| !c.is_control() && c != '\u{202e}'),
            "{said:?}"
        );
    }
}

const DENY: &str = "[token]\nforbid-uses = []\n[secret]\ndeny = [\"OLD_NPM_TOKEN\"]\n";
const USES: &str = "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: ./x.sh\n        env:\n          T: ${{ secrets.OLD_NPM_TOKEN }}\n";

/// A pull request that removes a denylist entry and uses that secret.
#[test]
fn the_policy_is_the_bases() {
    let Some(repo) = Repo::new() else { return };
    repo.write(PATH, DENY);
    repo.write("README.md", "x");
    repo.target();
    repo.write(PATH, "");
    repo.write(".github/workflows/a.yml", USES);
    repo.commit("change");
    let outcome = repo.check().unwrap();
    let rules: Vec<&str> = outcome.failing().map(|v| v.finding.rule).collect();
    assert_eq!(rules, ["policy-secret-denied"]);
    let finding = &outcome.violations[0].finding;
    assert_eq!(
        (finding.file.as_str(), finding.line),
        (".github/workflows/a.yml", 8)
    );
    assert!(outcome.has_policy && !outcome.is_clean());
    assert!(
        outcome.notes.iter().any(|n| n.contains("differs")),
        "{:?}",
        outcome.notes
    );
    assert_eq!(outcome.as_scan()[0].findings.len(), 1);

    // The same with the whole policy removed, or made a link to one that allows everything.
    std::fs::remove_file(repo.path().join(PATH)).unwrap();
    repo.commit("remove");
    assert!(!repo.check().unwrap().is_clean());
    repo.write("lax.toml", "");
    std::os::unix::fs::symlink("../lax.toml", repo.path().join(PATH)).unwrap();
    repo.commit("link");
    let outcome = repo.check().unwrap();
    let rules: Vec<&str> = outcome.failing().map(|v| v.finding.rule).collect();
    assert_eq!(rules, ["policy-secret-denied", "policy-invalid"]);
}

#[test]
fn what_the_target_has_already_does_not_fail() {
    let Some(repo) = Repo::new() else { return };
    repo.write(PATH, DENY);
    repo.write(".github/workflows/a.yml", USES);
    repo.target();
    repo.write(
        ".github/workflows/a.yml",
        &format!("# moved down\n\n{USES}"),
    );
    repo.commit("change");
    let outcome = repo.check().unwrap();
    assert!(outcome.is_clean(), "{:?}", outcome.violations);
    assert_eq!(outcome.violations[0].standing, Standing::InBase);
    repo.write(".github/workflows/b.yml", USES);
    repo.commit("more");
    assert_eq!(repo.check().unwrap().failing().count(), 1);
}

/// A caller names a reusable workflow of its own repository by its full name: only the origin tells that it is its own.
#[test]
fn the_base_goes_by_its_origin_too() {
    let Some(repo) = Repo::new() else { return };
    repo.git(&["remote", "add", "origin", "https://github.com/acme/ui.git"]);
    // What package.json says is what a fork or a template has forgotten.
    repo.write(
        "package.json",
        r#"{"name":"@acme/ui","version":"1.0.0","repository":"github:other/thing"}"#,
    );
    repo.write(
        ".github/workflows/caller.yml",
        "on: push\njobs:\n  call:\n    uses: acme/ui/.github/workflows/publish.yml@main\n    secrets: inherit\n",
    );
    repo.write(
        ".github/workflows/publish.yml",
        "on: workflow_call\njobs:\n  publish:\n    runs-on: ubuntu-latest\n    environment: npm\n    steps:\n      - run: npm publish\n        env:\n          NODE_AUTH_TOKEN: ${{ secrets.NPM_TOKEN }}\n",
    );
    repo.target();
    repo.write("README.md", "x");
    repo.commit("change");
    let outcome = repo.check().unwrap();
    assert!(outcome.is_clean(), "{:?}", outcome.violations);
    let files: Vec<&str> = outcome
        .violations
        .iter()
        .map(|violation| violation.finding.file.as_str())
        .collect();
    assert!(files.contains(&".github/workflows/caller.yml"), "{files:?}");
}

#[test]
fn a_broken_policy_in_the_change_fails_and_in_the_base_is_an_error() {
    let Some(repo) = Repo::new() else { return };
    repo.write("README.md", "x");
    repo.target();
    repo.write(PATH, "[tokn]\n");
    repo.commit("change");
    let outcome = repo.check().unwrap();
    assert!(!outcome.has_policy);
    let rules: Vec<&str> = outcome.failing().map(|v| v.finding.rule).collect();
    assert_eq!(rules, ["policy-invalid"]);
    let head = repo.git(&["rev-parse", "HEAD"]);
    repo.git(&["update-ref", "refs/remotes/origin/main", &head]);
    assert!(matches!(repo.check(), Err(CheckError::Policy(_))));
}

#[test]
fn the_workflow_that_runs_it_is_minimal_and_pinned() {
    let text = include_str!("../../assets/workflows/cutover-check.yml");
    let version = format!("CUTOVER_VERSION: {}", env!("CARGO_PKG_VERSION"));
    assert!(text.contains(&version), "pins this version");
    let yaml = crate::scan::yaml::Yaml::parse(text, false).unwrap();
    let root = yaml.root().unwrap();
    assert!(root.get("permissions").unwrap().entries().is_empty());
    let job = root.at(&["jobs", "check"]).unwrap();
    let permissions: Vec<_> = job.get("permissions").unwrap().entries();
    assert_eq!(permissions.len(), 1);
    assert_eq!(permissions[0].0.as_str(), Some("contents"));
    assert_eq!(permissions[0].1.as_str(), Some("read"));
    let steps = job.get("steps").unwrap().items();
    for uses in steps
        .iter()
        .filter_map(|s| s.get("uses"))
        .filter_map(|u| u.as_str())
    {
        let (_, pin) = uses.split_once('@').unwrap();
        assert!(
            pin.len() == 40 && pin.bytes().all(|b| b.is_ascii_hexdigit()),
            "{uses}"
        );
    }
    let with = steps[0].get("with").unwrap();
    assert_eq!(with.get("fetch-depth").unwrap().as_str(), Some("0"));
    assert_eq!(
        with.get("persist-credentials").unwrap().as_bool(),
        Some(false)
    );
    assert!(!text.contains("secrets."));
}

#[test]
fn a_change_that_brings_in_a_token_fails_and_one_that_removes_it_does_not() {
    let Some(repo) = Repo::new() else { return };
    let flow = |environment: &str, token: &str| {
        format!(
            "on: push\njobs:\n  release:\n    runs-on: ubuntu-latest\n{environment}    permissions:\n      id-token: write\n    steps:\n      - run: npm publish\n{token}"
        )
    };
    let token = "        env:\n          NODE_AUTH_TOKEN: ${{ secrets.NPM_TOKEN }}\n";
    let named = "    environment: npm\n";
    repo.write(
        "package.json",
        "{\"name\": \"@acme/a\", \"version\": \"1.0.0\"}",
    );
    repo.write(".github/workflows/release.yml", &flow(named, ""));
    repo.target();
    assert!(repo.check().unwrap().is_clean());
    repo.write(".github/workflows/release.yml", &flow("", token));
    let outcome = repo.check().unwrap();
    let rules: Vec<&str> = outcome.failing().map(|v| v.finding.rule).collect();
    assert_eq!(rules.len(), 2, "{rules:?}");
    assert!(rules.contains(&"policy-token-forbidden"));
    assert!(rules.contains(&"policy-environment-missing"));
}
