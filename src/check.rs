//! The policy gate for pull requests: what a change brings in, held against the policy of its target.
//!
//! Owns which findings fail. The judgement is pure: two scans, a policy and a day in, violations out; only what the
//! base does not have fails. The policy is read from the base commit, never from the change itself. Must not print,
//! reach the network, or run anything of the checkout.

pub mod base;
pub mod mention;
pub mod policy;
pub mod rule;

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::PathBuf;

use chrono::NaiveDate;

use crate::safe::shown::visible;
use crate::scan::tree::{Folder, Tree, TreeError};
use crate::scan::{
    CiSystem, Credential, Finding, PublishPath, Purpose, Registry, RepoScan, Reusable, TokenUse,
};
use base::{BaseError, Checkout};
use mention::Mentions;
use policy::{PATH, Policy, PolicyError, Stance};
use rule::Rule;

/// The scan's rules that this gate takes over as [`rule::DUPLICATE`].
const SCAN_DUPLICATE: &[&str] = &["anchor-cycle", "duplicate-key", "merge-key"];

/// One side of a change: what was scanned and which secrets its CI files name.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Side {
    pub repos: Vec<RepoScan>,
    pub mentions: Mentions,
}

/// Whether a violation fails the change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// New: it fails.
    Fails,
    /// The base has it already.
    InBase,
    /// An exception of the policy covers it.
    Allowed { until: NaiveDate, why: String },
}

/// One thing the policy forbids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    pub finding: Finding,
    pub standing: Standing,
    /// What stays the same when lines move: violations with equal keys are counted against the base's.
    key: String,
}

/// Judges a change. With a base, each violation that the base has as often does not fail; without one, all count.
#[must_use]
pub fn check(
    head: &Side,
    base: Option<&Side>,
    policy: &Policy,
    today: NaiveDate,
) -> Vec<Violation> {
    let mut known: HashMap<String, usize> = HashMap::new();
    for violation in base.map(|b| judge(b, policy)).unwrap_or_default() {
        *known.entry(violation.key).or_default() += 1;
    }
    let mut violations = judge(head, policy);
    for violation in &mut violations {
        let allowed = rule::named(violation.finding.rule)
            .and_then(|rule| policy.allowed(rule, &violation.finding.file, today));
        if let Some(count) = known.get_mut(&violation.key).filter(|count| **count > 0) {
            *count -= 1;
            violation.standing = Standing::InBase;
        } else if let Some(allow) = allowed {
            violation.standing = Standing::Allowed {
                until: allow.until,
                why: visible(&allow.why).into_owned(),
            };
        }
    }
    violations
}

/// Everything of one side that the policy forbids, exceptions aside, in file order.
fn judge(side: &Side, policy: &Policy) -> Vec<Violation> {
    let mut all = Vec::new();
    for repo in &side.repos {
        for path in &repo.publish_paths {
            all.extend(publish_token(path, policy));
            all.extend(environment(path, policy));
        }
        for token_use in &repo.token_uses {
            all.extend(other_use(token_use, repo, policy));
        }
        all.extend(denied_by_scan(repo, &side.mentions, policy));
        all.extend(duplicates(repo, policy));
    }
    all.extend(mentions(&side.mentions, policy));
    all.extend(unread(&side.mentions, policy));
    all.sort_by(|a, b| place(a).cmp(&place(b)));
    all
}

fn place(v: &Violation) -> (&str, u32, u32, &str) {
    let f = &v.finding;
    (&f.file, f.line, f.column, f.rule)
}

/// Where a violation stands, before it has words.
struct At<'a> {
    file: &'a str,
    line: u32,
    column: u32,
    job: Option<&'a str>,
}

fn violation(rule: &Rule, at: &At<'_>, subject: &str, message: String) -> Violation {
    Violation {
        key: [rule.id, at.file, at.job.unwrap_or_default(), subject].join("\u{0}"),
        finding: Finding {
            rule: rule.id,
            severity: rule.severity,
            file: at.file.to_owned(),
            line: at.line,
            column: at.column,
            job: at.job.map(str::to_owned),
            message,
            fix: rule.fix.to_owned(),
            source: rule.source,
        },
        standing: Standing::Fails,
    }
}

/// Publishes to other registries are listed by the scan but not judged here.
fn in_scope(path: &PublishPath) -> bool {
    matches!(path.registry, Registry::Npmjs | Registry::Unknown)
}

fn at_path(path: &PublishPath) -> At<'_> {
    At {
        file: &path.file,
        line: path.line,
        column: path.column,
        job: path.job.as_deref(),
    }
}

/// `job release`, or the file alone for what has no job.
fn whose(job: Option<&str>) -> String {
    job.map_or_else(
        || "this file".to_owned(),
        |job| format!("job `{}`", visible(job)),
    )
}

fn publish_token(path: &PublishPath, policy: &Policy) -> Option<Violation> {
    let stance = if path.staged {
        policy.token.stage
    } else {
        policy.token.publish
    };
    if stance == Stance::Allow || !in_scope(path) {
        return None;
    }
    let secret = path.secret.as_deref().unwrap_or_default();
    let named = if secret.is_empty() {
        String::new()
    } else {
        format!(" (secret `{}`)", visible(secret))
    };
    let verb = if path.staged { "stages" } else { "publishes" };
    let job = whose(path.job.as_deref());
    let message = match path.credential {
        Credential::Token => format!("{job} {verb} with an npm token{named}"),
        Credential::TokenAndOidc => format!(
            "{job} {verb} by OIDC with an npm token left beside it{named}, to which npm falls back in silence"
        ),
        Credential::Oidc | Credential::NoneVisible => return None,
    };
    Some(violation(&rule::TOKEN, &at_path(path), verb, message))
}

fn environment(path: &PublishPath, policy: &Policy) -> Option<Violation> {
    let judged = matches!(path.ci, CiSystem::Github | CiSystem::Gitlab);
    // A job that calls a reusable workflow cannot name an environment: the job inside does. Composite actions have
    // no job of their own: the job that uses one is a path too.
    let calls_workflow = path.reusable == Some(Reusable::Caller)
        && path
            .calls
            .as_deref()
            .is_some_and(|c| c.contains(".yml") || c.contains(".yaml"));
    if !policy.environment.require || !judged || !in_scope(path) || calls_workflow {
        return None;
    }
    let job = path.job.as_deref()?;
    let names = &policy.environment.names;
    let message = match path.environment.as_deref() {
        Some(name) if names.is_empty() || names.iter().any(|n| n == name) => return None,
        Some(name) => format!(
            "job `{}` publishes in the environment `{}`, which the policy does not name",
            visible(job),
            visible(name)
        ),
        None => format!(
            "job `{}` publishes without a deployment environment",
            visible(job)
        ),
    };
    let subject = path.environment.as_deref().unwrap_or_default();
    Some(violation(
        &rule::ENVIRONMENT,
        &at_path(path),
        subject,
        message,
    ))
}

fn other_use(token_use: &TokenUse, repo: &RepoScan, policy: &Policy) -> Option<Violation> {
    let forbidden = match token_use.purpose {
        // A publish path says it better where there is one for this step.
        Purpose::Publish | Purpose::Stage => {
            let stance = if token_use.purpose == Purpose::Stage {
                policy.token.stage
            } else {
                policy.token.publish
            };
            let same_step = |p: &PublishPath| {
                p.file == token_use.file && p.job == token_use.job && p.step == token_use.step
            };
            stance == Stance::Forbid && !repo.publish_paths.iter().any(same_step)
        }
        purpose => policy.token.forbid_uses.contains(&purpose),
    };
    let word = purpose_word(token_use.purpose);
    let message = format!(
        "{} uses an npm token for {word}",
        whose(token_use.job.as_deref())
    );
    let at = At {
        file: &token_use.file,
        line: token_use.line,
        column: 1,
        job: token_use.job.as_deref(),
    };
    forbidden.then(|| violation(&rule::TOKEN, &at, word, message))
}

fn purpose_word(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Publish => "publish",
        Purpose::Stage => "stage",
        Purpose::Install => "install",
        Purpose::DistTag => "dist-tag",
        Purpose::Deprecate => "deprecate",
        Purpose::Unpublish => "unpublish",
        Purpose::Access => "access",
        Purpose::Whoami => "whoami",
        Purpose::Unknown => "an unknown purpose",
    }
}

/// Denied secrets that the scan followed to a step, where the CI file itself does not spell them at a mention.
fn denied_by_scan(repo: &RepoScan, mentions: &Mentions, policy: &Policy) -> Vec<Violation> {
    let paths = repo
        .publish_paths
        .iter()
        .map(|p| (at_path(p), p.secret.as_deref()));
    let uses = repo.token_uses.iter().map(|u| {
        let at = At {
            file: &u.file,
            line: u.line,
            column: 1,
            job: u.job.as_deref(),
        };
        (at, u.secret.as_deref())
    });
    let mentioned = |file: &str, name: &str| {
        mentions.found.iter().any(|m| {
            m.file == file
                && m.name
                    .as_deref()
                    .is_some_and(|n| n.eq_ignore_ascii_case(name))
        })
    };
    let mut seen = std::collections::HashSet::new();
    paths
        .chain(uses)
        .filter_map(|(at, secret)| Some((at, secret.filter(|s| policy.denies(s))?)))
        .filter(|(at, secret)| !mentioned(at.file, secret))
        .filter(|(at, secret)| seen.insert((at.file, at.line, *secret)))
        .map(|(at, secret)| {
            let message = format!("the denied secret `{}` reaches this step", visible(secret));
            violation(&rule::SECRET, &at, &secret.to_ascii_uppercase(), message)
        })
        .collect()
}

fn mentions(mentions: &Mentions, policy: &Policy) -> Vec<Violation> {
    if policy.secret.deny.is_empty() {
        return Vec::new();
    }
    let one = |m: &mention::Mention| {
        let at = At {
            file: &m.file,
            line: m.line,
            column: 1,
            job: None,
        };
        match &m.name {
            Some(name) => policy.denies(name).then(|| {
                let message = format!("names the denied secret `{}`", visible(name));
                violation(&rule::SECRET, &at, &name.to_ascii_uppercase(), message)
            }),
            None => {
                let message = "reads secrets in a way that hides which".to_owned();
                Some(violation(&rule::HIDDEN, &at, "", message))
            }
        }
    };
    mentions.found.iter().filter_map(one).collect()
}

fn duplicates(repo: &RepoScan, policy: &Policy) -> Vec<Violation> {
    if policy.yaml.duplicate_keys == Stance::Allow {
        return Vec::new();
    }
    let of_scan = repo
        .findings
        .iter()
        .filter(|f| SCAN_DUPLICATE.contains(&f.rule));
    of_scan
        .map(|f| {
            let at = At {
                file: &f.file,
                line: f.line,
                column: f.column,
                job: f.job.as_deref(),
            };
            violation(&rule::DUPLICATE, &at, &f.message, f.message.clone())
        })
        .collect()
}

fn unread(mentions: &Mentions, policy: &Policy) -> Vec<Violation> {
    if policy.yaml.unreadable == Stance::Allow {
        return Vec::new();
    }
    let one = |(file, why): &(String, String)| {
        let at = At {
            file,
            line: 1,
            column: 1,
            job: None,
        };
        violation(
            &rule::UNREADABLE,
            &at,
            "",
            format!("cannot be read: {}", visible(why)),
        )
    };
    mentions.unread.iter().map(one).collect()
}

/// What `cutover check` is asked.
pub struct Options<'a> {
    /// A folder of the checkout.
    pub root: PathBuf,
    /// `--base`: the revision to compare with.
    pub base: Option<String>,
    /// The pull request's target branch (`GITHUB_BASE_REF`), for the default base.
    pub target: Option<String>,
    /// `PATH`, to find git.
    pub search: Option<OsString>,
    pub today: NaiveDate,
    /// Scans one tree.
    pub scan: &'a dyn Fn(&dyn Tree) -> RepoScan,
}

/// What the gate found.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Everything that the policy forbids, with what of it fails.
    pub violations: Vec<Violation>,
    /// The commit compared with.
    pub base: String,
    /// Whether the base has a policy; without one the defaults hold.
    pub has_policy: bool,
    /// Things to know that fail nothing.
    pub notes: Vec<String>,
    head: Vec<RepoScan>,
}

/// Why the gate could not judge.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    #[error(transparent)]
    Base(#[from] BaseError),
    #[error("the base's policy cannot be used: {0}")]
    Policy(#[from] PolicyError),
    #[error("the base's policy cannot be read: {PATH} {0}; correct it on the target branch")]
    Read(TreeError),
}

impl Outcome {
    /// Whether nothing fails.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.failing().next().is_none()
    }

    /// The violations that fail the change.
    pub fn failing(&self) -> impl Iterator<Item = &Violation> {
        self.violations
            .iter()
            .filter(|v| v.standing == Standing::Fails)
    }

    /// The change as a scan whose findings are what fails, for the encoders of scans (SARIF, annotations).
    #[must_use]
    pub fn as_scan(&self) -> Vec<RepoScan> {
        let mut scans = self.head.clone();
        for scan in &mut scans {
            scan.findings.clear();
        }
        if let Some(first) = scans.first_mut() {
            first.findings = self.failing().map(|v| v.finding.clone()).collect();
        }
        scans
    }
}

/// Judges the checkout against its base: finds the base, reads the policy there, scans both sides.
///
/// # Errors
/// No git, no checkout, the base is not in this clone, or its policy cannot be used.
pub fn run(options: &Options<'_>) -> Result<Outcome, CheckError> {
    let checkout = Checkout::open(&options.root, options.search.as_deref())?;
    let commit = checkout.base(options.base.as_deref(), options.target.as_deref())?;
    let base_tree = checkout.tree(&commit)?;
    let head_tree = Folder::open(checkout.root());
    let (policy, has_policy) = match base_tree.read(policy::PATH, policy::MAX_BYTES) {
        Ok(text) => (Policy::parse(text.as_bytes())?, true),
        Err(TreeError::Missing) => (Policy::default(), false),
        Err(other) => return Err(CheckError::Read(other)),
    };
    let side = |tree: &dyn Tree| Side {
        repos: vec![(options.scan)(tree)],
        mentions: mention::find(tree, &|name| policy.denies(name)),
    };
    let (head, base) = (side(&head_tree), side(&base_tree));
    let mut violations = check(&head, Some(&base), &policy, options.today);
    violations.extend(new_policy(&head_tree, &base_tree));
    Ok(Outcome {
        violations,
        notes: notes(&policy, has_policy, &head_tree, &base_tree, options.today),
        base: commit,
        has_policy,
        head: head.repos,
    })
}

/// A change that leaves a policy behind that cannot be used would stop the gate for everybody after it.
fn new_policy(head: &dyn Tree, base: &dyn Tree) -> Option<Violation> {
    let read = |tree: &dyn Tree| tree.read(policy::PATH, policy::MAX_BYTES);
    let new = read(head);
    if new == read(base) {
        return None;
    }
    let message = match new {
        Err(TreeError::Missing) => return None,
        Ok(text) => Policy::parse(text.as_bytes()).err()?.to_string(),
        Err(other) => format!("{PATH} {other}"),
    };
    let at = At {
        file: policy::PATH,
        line: 1,
        column: 1,
        job: None,
    };
    Some(violation(&rule::POLICY, &at, "", message))
}

fn notes(
    policy: &Policy,
    has_policy: bool,
    head: &dyn Tree,
    base: &dyn Tree,
    today: NaiveDate,
) -> Vec<String> {
    let mut notes = Vec::new();
    if !has_policy {
        notes.push(format!("the base has no {PATH}; the defaults hold"));
    }
    let read = |tree: &dyn Tree| tree.read(policy::PATH, policy::MAX_BYTES);
    if read(head) != read(base) {
        notes.push(format!(
            "{PATH} differs from the base's; the base's was used, this one counts once it is merged"
        ));
    }
    for allow in policy.expired(today) {
        notes.push(format!(
            "the exception from {} at {} ended on {}",
            allow.rule,
            visible(&allow.path),
            allow.until
        ));
    }
    notes
}

#[cfg(test)]
mod tests;
