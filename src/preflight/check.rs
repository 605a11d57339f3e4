//! The checks: pure over what was gathered, but for the files of the checkout.

use super::{Answer, Check, Gathered, Held, State, Whoami};
use crate::model::lane::Lane;
use crate::model::semver::exact;
use crate::safe::redact;
use crate::safe::shown::visible;
use crate::scan::obstacle::{self, Obstacle, Publishing, Versions};
use crate::scan::{
    self, CiSystem, Credential, Finding, Place, PublishPath, RepoScan, Runner, Severity, Tool, rule,
};
use std::io::Read as _;

/// Days before a token's end when a warning begins.
const SOON: i64 = 7;
/// Largest npm configuration that is read, in bytes.
const NPMRC: u64 = 256 * 1024;

struct List(Vec<Check>);

impl List {
    fn push(
        &mut self,
        id: &'static str,
        state: State,
        words: impl Into<String>,
        todo: Option<&str>,
    ) {
        self.0.push(Check {
            id,
            state,
            words: words.into(),
            todo: todo.map(str::to_owned),
            file: None,
            line: None,
        });
    }

    /// Says where in the checkout the last one stands.
    fn at(&mut self, file: &str, line: u32) {
        if let Some(last) = self.0.last_mut() {
            (last.file, last.line) = (Some(file.to_owned()), Some(line));
        }
    }

    /// Adds what of the obstacles a check shows, and tells whether there was any.
    fn obstacles(&mut self, id: &'static str, found: &[Obstacle]) -> bool {
        let rules = SURROUNDINGS
            .iter()
            .find(|(known, _)| *known == id)
            .map_or(&[][..], |row| row.1);
        let mut any = false;
        for one in found.iter().filter(|one| rules.contains(&one.rule)) {
            let told = rule::detailed(one.rule, &Place::default(), None, &one.detail);
            let state = match told.severity {
                Severity::Error => State::Failed,
                _ => State::Warned,
            };
            self.push(id, state, told.message, Some(&told.fix));
            any = true;
        }
        any
    }

    fn passed(&mut self, id: &'static str, words: impl Into<String>) {
        self.push(id, State::Passed, words, None);
    }

    fn failed(&mut self, id: &'static str, words: impl Into<String>, todo: &str) {
        self.push(id, State::Failed, words, Some(todo));
    }

    fn warned(&mut self, id: &'static str, words: impl Into<String>, todo: &str) {
        self.push(id, State::Warned, words, Some(todo));
    }
}

/// Looks at everything that this job shows, in the order in which a person would mend it.
pub fn checks(gathered: &Gathered<'_>) -> Vec<Check> {
    let mut list = List(Vec::new());
    let scan = scan::scan_folder(gathered.folder, gathered.today);
    surroundings(gathered, &mut list);
    identity(gathered, &scan, &mut list);
    workflow(gathered, &scan, &mut list);
    repository(gathered, &scan, &mut list);
    leftovers(gathered, &scan, &mut list);
    expiry(gathered, &mut list);
    whoami(gathered, &mut list);
    list.0
}

/// What the checks of the job's own surroundings are called, and the rules whose obstacles they show.
const SURROUNDINGS: &[(&str, &[&str])] = &[
    ("node-version", &["node-too-old"]),
    ("npm-version", &["npm-too-old", "npm-cannot-stage"]),
    ("runner", &["self-hosted-runner", "self-hosted-provenance"]),
    ("trigger", &["oidc-refused-trigger"]),
];

/// The CI systems that say so in a variable.
fn system(gathered: &Gathered<'_>) -> Option<(CiSystem, &'static str)> {
    [
        ("GITHUB_ACTIONS", CiSystem::Github, "GitHub Actions"),
        ("GITLAB_CI", CiSystem::Gitlab, "GitLab CI"),
        ("CIRCLECI", CiSystem::Circleci, "CircleCI"),
    ]
    .into_iter()
    .find(|(name, ..)| gathered.variables.get(name).is_some())
    .map(|(_, system, name)| (system, name))
}

/// Describes this job to the rules that the scan judges by too, where the lane is one with OIDC or stages.
fn publishing<'a>(gathered: &'a Gathered<'_>, ci: CiSystem) -> Publishing<'a> {
    let told = |answer: &'a Answer| {
        answer
            .as_deref()
            .ok()
            .map(|text| text.trim().trim_start_matches('v'))
    };
    let runner = match gathered.variables.get("RUNNER_ENVIRONMENT") {
        Some("github-hosted") => Runner::Hosted,
        Some(_) => Runner::SelfHosted,
        None => Runner::Unknown,
    };
    Publishing {
        ci,
        host: None,
        tool: Tool::Npm,
        versions: Versions {
            node: told(&gathered.node),
            npm: told(&gathered.npm),
            ..Versions::default()
        },
        registry_url: None,
        credential: Credential::Oidc,
        id_token: true,
        staged: matches!(gathered.lane, Lane::StagedOidc | Lane::StagedToken),
        complete: false,
        runner,
        runner_label: gathered.variables.get("RUNNER_ENVIRONMENT"),
        image: None,
        events: gathered
            .variables
            .get("GITHUB_EVENT_NAME")
            .into_iter()
            .collect(),
        provenance: gathered
            .variables
            .get("NPM_CONFIG_PROVENANCE")
            .map(|word| word == "true"),
        restricted: false,
        setup_node: None,
        today: gathered.today,
    }
}

/// Judges tools, runner and trigger by the obstacles that stand in this lane's way.
fn surroundings(gathered: &Gathered<'_>, list: &mut List) {
    let system = system(gathered);
    let ci = system.map_or(CiSystem::Github, |(system, _)| system);
    let mut found = obstacle::obstacles(&publishing(gathered, ci));
    found.retain(|one| obstacle::lanes(one.rule).has(gathered.lane));
    tools(gathered, &found, list);
    match system {
        Some((_, name)) => list.passed("ci", name),
        None if gathered.lane.needs_trust() => list.failed(
            "ci",
            "this is no CI system that npm trusts",
            "run it in GitHub Actions, GitLab.com or CircleCI, or choose another lane",
        ),
        None => list.warned("ci", "no known CI system", "run it where the publish runs"),
    }
    if !gathered.lane.needs_trust() {
        return;
    }
    let variables = gathered.variables;
    for (id, name) in [
        ("runner", "RUNNER_ENVIRONMENT"),
        ("trigger", "GITHUB_EVENT_NAME"),
    ] {
        match variables.get(name) {
            Some(_) if list.obstacles(id, &found) => {}
            Some(value) => list.passed(id, visible(value)),
            None if id == "runner" => {
                let words = "the system does not tell who hosts the runner";
                list.push(id, State::NotLooked, words, None);
            }
            None => {}
        }
    }
}

/// Node and npm: each must answer, whatever the lane.
fn tools(gathered: &Gathered<'_>, found: &[Obstacle], list: &mut List) {
    for (id, name, answer, todo) in [
        (
            "node-version",
            "node",
            &gathered.node,
            "set up Node in this job",
        ),
        (
            "npm-version",
            "npm",
            &gathered.npm,
            "set up Node, which brings npm, in this job",
        ),
    ] {
        match answer.as_deref().map(exact) {
            Err(why) => list.failed(id, visible(why), todo),
            Ok(None) => list.failed(id, format!("{name} tells no version"), todo),
            Ok(Some(_)) if list.obstacles(id, found) => {}
            Ok(Some(has)) => list.passed(id, format!("{name} {has}")),
        }
    }
}

/// Gives the workflow file of this run: the top-level one, which a trust configuration names.
fn own_file<'a>(gathered: &Gathered<'a>) -> Option<&'a str> {
    let reference = gathered.variables.get("GITHUB_WORKFLOW_REF")?;
    let path = reference.split('@').next()?;
    path.splitn(3, '/').nth(2)
}

fn own_paths<'s>(gathered: &Gathered<'_>, scan: &'s RepoScan) -> Vec<&'s PublishPath> {
    let file = own_file(gathered);
    let paths = scan.publish_paths.iter();
    paths
        .filter(|path| file.is_none_or(|file| path.file == file))
        .collect()
}

fn identity(gathered: &Gathered<'_>, scan: &RepoScan, list: &mut List) {
    if !gathered.lane.needs_trust() {
        return;
    }
    let paths = own_paths(gathered, scan);
    if gathered.variables.can_identify() {
        list.passed("id-token", "this job can ask for an identity token");
    } else if !paths.is_empty() && paths.iter().all(|path| path.id_token_write) {
        list.passed(
            "id-token",
            "the publishing job asks for id-token; this one has none, as it should",
        );
    } else {
        list.failed(
            "id-token",
            "no identity token: neither this job nor the publishing job asks for one",
            "add `permissions: id-token: write` to the publishing job and to the job that calls it",
        );
    }
}

fn workflow(gathered: &Gathered<'_>, scan: &RepoScan, list: &mut List) {
    let Some(file) = own_file(gathered) else {
        let words = "the system does not tell which workflow runs";
        list.push("workflow", State::NotLooked, words, None);
        return;
    };
    // What only another lane needs is no fault of this one.
    let allowed = |rule: &str| !obstacle::lanes(rule).has(gathered.lane);
    let mut clean = true;
    for finding in &scan.findings {
        if finding.file != file || finding.severity == Severity::Note || allowed(finding.rule) {
            continue;
        }
        clean = false;
        let state = match finding.severity {
            Severity::Error => State::Failed,
            _ => State::Warned,
        };
        let words = format!("{}: {}", finding.rule, finding.message);
        list.push("workflow", state, words, Some(&finding.fix));
        list.at(&finding.file, finding.line);
    }
    if clean {
        list.passed(
            "workflow",
            format!("nothing is wrong with {}", visible(file)),
        );
    }
}

fn repository(gathered: &Gathered<'_>, scan: &RepoScan, list: &mut List) {
    let Some(here) = gathered.variables.get("GITHUB_REPOSITORY") else {
        return;
    };
    for package in scan.packages.iter().filter(|package| !package.private) {
        let folder = package.path.trim_end_matches('/');
        let file = match folder {
            "" => "package.json".to_owned(),
            folder => format!("{folder}/package.json"),
        };
        let url = package.repository_url.as_deref().unwrap_or_default();
        let slug = scan::package::repository(url).map(|found| found.slug);
        let name = visible(&package.name).into_owned();
        let words = match slug.as_deref() {
            Some(slug) if slug == here => {
                list.passed("repository-url", format!("{name} names {}", visible(here)));
                continue;
            }
            Some(slug) => format!(
                "{name} names {}, and this is {}",
                visible(slug),
                visible(here)
            ),
            None => format!("{name} names no repository, and this is {}", visible(here)),
        };
        let state = match gathered.lane.needs_trust() {
            true => State::Failed,
            false => State::Warned,
        };
        let todo = "set `repository.url` to this repository, upper and lower case as on GitHub";
        list.push("repository-url", state, words, Some(todo));
        list.at(&file, 1);
    }
}

fn leftovers(gathered: &Gathered<'_>, scan: &RepoScan, list: &mut List) {
    let oidc = gathered.lane.needs_trust();
    let mut found = false;
    // The checkout's own .npmrc is read below, line by line.
    let wired = |one: &&Finding| one.rule == "committed-npmrc-token" && one.file != ".npmrc";
    for one in scan.findings.iter().filter(wired).filter(|_| oidc) {
        found = true;
        list.warned(
            "leftover-token",
            format!("{}:{}: {}", visible(&one.file), one.line, one.message),
            "remove the line: OIDC needs none",
        );
    }
    for (name, held) in &gathered.variables.tokens {
        let name = visible(name);
        match held {
            Held::Empty => {}
            Held::Placeholder => {
                found = true;
                list.warned(
                    "leftover-token",
                    format!("{name} holds setup-node's placeholder, which hides a failed exchange"),
                    "use actions/setup-node v7, or drop its registry-url",
                );
            }
            Held::Value if oidc => {
                found = true;
                list.failed(
                    "leftover-token",
                    format!("{name} is set: npm would fall back to it in silence"),
                    "remove it from the job, the workflow and the organisation",
                );
            }
            Held::Value => {}
        }
    }
    let variables = gathered.variables;
    let mut files = vec![(gathered.folder.join(".npmrc"), true)];
    files.extend(
        variables
            .get("NPM_CONFIG_USERCONFIG")
            .map(|path| (path.into(), false)),
    );
    files.extend(
        variables
            .get("HOME")
            .map(|home| (std::path::Path::new(home).join(".npmrc"), false)),
    );
    for (path, in_checkout) in files {
        let Some(text) = small_text(&path) else {
            continue;
        };
        let shown = visible(&path.to_string_lossy()).into_owned();
        for (number, line) in (1_u32..).zip(text.lines()) {
            if line.trim_start().starts_with(['#', ';']) || !line.contains("_auth") {
                continue;
            }
            let literal = !redact::find(line).is_empty();
            let state = match (literal && in_checkout, oidc) {
                (true, _) | (_, true) => State::Failed,
                _ => continue,
            };
            found = true;
            let what = match literal {
                true => "holds a credential",
                false => "names a token",
            };
            let todo = match literal && in_checkout {
                true => "revoke it now, then remove the line and its history",
                false => "remove the line: OIDC needs none",
            };
            let words = format!("{shown} line {number} {what}");
            list.push("leftover-token", state, words, Some(todo));
            if in_checkout {
                list.at(".npmrc", number);
            }
        }
    }
    if !found {
        list.passed(
            "leftover-token",
            "none in variables and npm's configuration",
        );
    }
}

/// Reads a small regular file; links are not followed.
fn small_text(path: &std::path::Path) -> Option<String> {
    let meta = std::fs::symlink_metadata(path).ok()?;
    if !meta.is_file() || meta.len() > NPMRC {
        return None;
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).ok()?;
    file.take(NPMRC).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn expiry(gathered: &Gathered<'_>, list: &mut List) {
    if !matches!(gathered.lane, Lane::Bridge | Lane::StagedToken) {
        return;
    }
    let replace = "make a new token, set the secret and this variable together";
    if gathered.variables.expires.is_empty() {
        list.failed(
            "token-expiry",
            "the token's last day is not known: CI cannot list tokens",
            "set a variable beside the secret, for example NPM_TOKEN_EXPIRES=2026-12-19, and hand it to the job",
        );
    }
    for (name, text) in &gathered.variables.expires {
        let name = visible(name);
        match text.parse::<chrono::NaiveDate>() {
            Err(_) => list.failed(
                "token-expiry",
                format!("{name} is not a valid date"),
                "write it as 2026-12-19",
            ),
            Ok(day) if day < gathered.today => {
                list.failed(
                    "token-expiry",
                    format!("the token ended on {day} ({name})"),
                    replace,
                );
            }
            Ok(day) if (day - gathered.today).num_days() < SOON => {
                list.warned(
                    "token-expiry",
                    format!("the token ends on {day} ({name})"),
                    replace,
                );
            }
            Ok(day) => list.passed("token-expiry", format!("{day} ({name})")),
        }
    }
}

fn whoami(gathered: &Gathered<'_>, list: &mut List) {
    match &gathered.whoami {
        Whoami::NotAsked(why) => {
            list.push("whoami", State::NotLooked, *why, None);
        }
        Whoami::As(name) => list.passed("whoami", visible(name)),
        Whoami::Refused { why, todo } => list.failed("whoami", visible(why), todo),
        Whoami::CouldNot(why) => list.warned(
            "whoami",
            visible(why),
            "see whether the registry can be reached from this job",
        ),
    }
}
