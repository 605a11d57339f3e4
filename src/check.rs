//! The policy gate for pull requests: what a change brings in, held against the policy of its target.
//!
//! Owns which findings fail. The judgement is pure: two scans, a policy and a day in, violations out; only what the
//! base does not have fails. The policy is read from the base commit, never from the change itself. Must not print,
//! reach the network, or run anything of the checkout.

pub mod base;
mod judge;
pub mod mention;
pub mod policy;
pub mod rule;
pub mod unseen;

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::PathBuf;

use chrono::NaiveDate;

use crate::safe::shown::visible;
use crate::scan::checkout::{remote, scan_folder, scan_tree};
use crate::scan::tree::{Folder, Tree, TreeError};
use crate::scan::{Finding, RepoScan};
use base::{BaseError, Checkout};
use judge::{At, judge, violation};
use mention::Mentions;
use policy::{PATH, Policy, PolicyError};

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

/// What `cutover check` is asked.
#[derive(Debug, Clone)]
pub struct Options {
    /// A folder of the checkout.
    pub root: PathBuf,
    /// `--base`: the revision to compare with.
    pub base: Option<String>,
    /// The pull request's target branch (`GITHUB_BASE_REF`), for the default base.
    pub target: Option<String>,
    /// `PATH`, to find git.
    pub search: Option<OsString>,
    pub today: NaiveDate,
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
pub fn run(options: &Options) -> Result<Outcome, CheckError> {
    let checkout = Checkout::open(&options.root, options.search.as_deref())?;
    let commit = checkout.base(options.base.as_deref(), options.target.as_deref())?;
    let base_tree = checkout.tree(&commit)?;
    let head_tree = Folder::open(checkout.root());
    let (policy, has_policy) = match base_tree.read(policy::PATH, policy::MAX_BYTES) {
        Ok(text) => (Policy::parse(text.as_bytes())?, true),
        Err(TreeError::Missing) => (Policy::default(), false),
        Err(other) => return Err(CheckError::Read(other)),
    };
    let side = |scan: RepoScan, tree: &dyn Tree| Side {
        repos: vec![scan],
        mentions: mention::find(tree, &|name| policy.denies(name)),
    };
    let head_scan = scan_folder(checkout.root(), options.today);
    // The base has the origin of the same clone: rules that ask for the repository's own name judge both sides alike.
    let origin = remote(checkout.root());
    let origin = origin
        .as_ref()
        .map(|one| (one.host.as_str(), one.slug.as_str()));
    let base_scan = scan_tree(&base_tree, origin, &head_scan.repo, options.today);
    let head = side(head_scan, &head_tree);
    let base = side(base_scan, &base_tree);
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
