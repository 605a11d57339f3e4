//! Violations of what cannot be judged: what the scan gave up on, and places that no scan explains.

use super::super::unseen::{Unseen, What};
use super::{At, Policy, Side, Stance, Violation, rule, violation, whose};
use crate::safe::shown::visible;
use crate::scan::{Finding, Purpose, RepoScan, Severity};

/// The scan's findings that say that something was not seen, with the key of the policy that allows them.
const BY_SCAN: [(&str, Key); 3] = [
    ("ci-not-read", Key::Systems),
    ("follow-limit", Key::Text),
    ("token-in-unread-text", Key::Text),
];

#[derive(Debug, Clone, Copy)]
enum Key {
    Systems,
    Text,
}

/// Gives what the scan itself says that it could not see, where a token may be.
pub(super) fn by_scan(repo: &RepoScan, policy: &Policy) -> Vec<Violation> {
    let forbidden = |finding: &&Finding| {
        let key = BY_SCAN.iter().find(|(rule, _)| *rule == finding.rule);
        // A file of a system that is not read and that speaks of nothing here is a note.
        let told = finding.severity != Severity::Note;
        key.is_some_and(|(_, key)| match key {
            Key::Systems => policy.unseen.systems == Stance::Forbid && told,
            Key::Text => policy.unseen.text == Stance::Forbid,
        })
    };
    let one = |finding: &Finding| {
        let at = At {
            file: &finding.file,
            line: finding.line,
            column: finding.column,
            job: finding.job.as_deref(),
        };
        violation(
            &rule::NOT_JUDGED,
            &at,
            finding.rule,
            finding.message.clone(),
        )
    };
    repo.findings.iter().filter(forbidden).map(one).collect()
}

/// Gives the places that neither the scan nor another violation explains and that the policy does not allow.
pub(super) fn places(side: &Side, policy: &Policy, known: &[Violation]) -> Vec<Violation> {
    let places = side.mentions.unseen.iter();
    places
        .filter(|one| !side.repos.iter().any(|repo| explained(one, repo)))
        .filter_map(|one| place(one, policy))
        .filter(|new| {
            let same = |old: &Violation| {
                let (old, new) = (&old.finding, &new.finding);
                old.file == new.file && old.line == new.line && old.job == new.job
            };
            !known.iter().any(same)
        })
        .collect()
}

/// Tells whether the scan says what becomes of it: a publish path or a token use of the same step.
fn explained(place: &Unseen, repo: &RepoScan) -> bool {
    let at = (&place.file, &place.job, &place.step);
    let mut paths = repo.publish_paths.iter();
    // A use without a purpose says no more than that the token is named there.
    let named = matches!(place.what, What::Token(_));
    let mut uses = repo
        .token_uses
        .iter()
        .filter(|one| named || one.purpose != Purpose::Unknown);
    // A workflow of this repository by its full name is one that is read.
    let own = |callee: &str| {
        let name = callee.get(..repo.repo.len());
        name.is_some_and(|name| name.eq_ignore_ascii_case(&repo.repo))
            && callee
                .get(repo.repo.len()..)
                .is_some_and(|rest| rest.starts_with('/'))
    };
    match (&place.what, place.step) {
        (What::Inherits(callee), _) if own(callee) => true,
        // Whatever else is known of them, nobody sees what they do.
        (What::Inherits(_) | What::Given(_) | What::Unreadable, _) => false,
        (_, Some(_)) => {
            paths.any(|one| (&one.file, &one.job, &one.step) == at)
                || uses.any(|one| (&one.file, &one.job, &one.step) == at)
        }
        // Of other systems the name of the token is what is known.
        (What::Token(name), None) => {
            let same = |file: &str, secret: Option<&str>| {
                *file == *place.file && secret.is_some_and(|one| one.eq_ignore_ascii_case(name))
            };
            paths.any(|one| same(&one.file, one.secret.as_deref()))
                || uses.any(|one| same(&one.file, one.secret.as_deref()))
        }
        _ => false,
    }
}

fn place(place: &Unseen, policy: &Policy) -> Option<Violation> {
    let job = whose(place.job.as_deref());
    let publish = policy.token.publish == Stance::Forbid;
    let text = policy.unseen.text == Stance::Forbid && publish;
    let unknown = policy.token.forbid_uses.contains(&Purpose::Unknown);
    let (rule, forbidden, subject, message) = match &place.what {
        What::Inherits(callee) => (
            &rule::NOT_JUDGED,
            !policy.allows_callee(callee),
            callee.as_str(),
            format!(
                "{job} hands every secret to `{}`, which is not in this repository",
                visible(callee)
            ),
        ),
        What::Given(callee) => (
            &rule::NOT_JUDGED,
            !policy.allows_callee(callee),
            callee.as_str(),
            format!(
                "{job} hands an npm token to `{}`, which is not in this repository",
                visible(callee)
            ),
        ),
        What::Unreadable => (
            &rule::NOT_JUDGED,
            text,
            "text",
            format!("{job} has an npm token in reach of text that decodes or fetches what it runs"),
        ),
        What::Script(name) => (
            &rule::NOT_JUDGED,
            text,
            name.as_str(),
            format!(
                "{job} has a secret in reach of a script that speaks of a publish ({})",
                visible(name)
            ),
        ),
        What::Upload => (
            &rule::TOKEN,
            publish,
            "upload",
            format!("{job} uploads to npm's registry with a secret in reach"),
        ),
        What::Token(name) => (
            &rule::TOKEN,
            unknown,
            "an unknown purpose",
            format!(
                "{job} uses an npm token for an unknown purpose (`{}`)",
                visible(name)
            ),
        ),
    };
    let at = At {
        file: &place.file,
        line: place.line,
        column: 1,
        job: place.job.as_deref(),
    };
    forbidden.then(|| violation(rule, &at, subject, message))
}
