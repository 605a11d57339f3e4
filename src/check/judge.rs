//! What one side of a change holds that the policy forbids.
//!
//! Owns the rules' conditions and words, and the key by which a violation is known again. Pure: no exceptions, no base,
//! no clock; names from files are made visible before they stand in a message.

use super::mention::{self, Mentions};
use super::policy::{Policy, Stance};
use super::rule::{self, Rule};
use super::{Side, Standing, Violation};
use crate::safe::shown::visible;
use crate::scan::{
    CiSystem, Credential, Finding, PublishPath, Purpose, Registry, RepoScan, Reusable, TokenUse,
};

mod unseen;

/// The scan's rules that this gate takes over as [`rule::DUPLICATE`].
pub(super) const SCAN_DUPLICATE: &[&str] = &["anchor-cycle", "duplicate-key", "merge-key"];

/// Everything of one side that the policy forbids, exceptions aside, in file order.
pub(super) fn judge(side: &Side, policy: &Policy) -> Vec<Violation> {
    let mut all = Vec::new();
    for repo in &side.repos {
        for path in &repo.publish_paths {
            all.extend(publish_token(path, policy));
            all.extend(environment(path, policy));
            all.extend(hidden_credential(path, policy));
        }
        for token_use in &repo.token_uses {
            all.extend(other_use(token_use, repo, policy));
        }
        all.extend(denied_by_scan(repo, &side.mentions, policy));
        all.extend(duplicates(repo, policy));
        all.extend(unseen::by_scan(repo, policy));
    }
    all.extend(unseen::places(side, policy, &all));
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
pub(super) struct At<'a> {
    pub(super) file: &'a str,
    pub(super) line: u32,
    pub(super) column: u32,
    pub(super) job: Option<&'a str>,
}

pub(super) fn violation(rule: &Rule, at: &At<'_>, subject: &str, message: String) -> Violation {
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

/// A publish needs a credential: one that the files do not show is not known to be none of npm's tokens.
fn hidden_credential(path: &PublishPath, policy: &Policy) -> Option<Violation> {
    // A workflow or action that is called gets its credential from who calls it, and a caller's callee is judged as one.
    let own = path.job.is_some() && path.reusable.is_none();
    let stance = match path.staged {
        true => policy.token.stage,
        false => policy.token.publish,
    };
    if path.credential != Credential::NoneVisible
        || !own
        || !in_scope(path)
        || [stance, policy.unseen.credential].contains(&Stance::Allow)
    {
        return None;
    }
    let verb = if path.staged { "stages" } else { "publishes" };
    let message = format!(
        "{} {verb} with a credential that the files do not show",
        whose(path.job.as_deref())
    );
    Some(violation(&rule::NOT_JUDGED, &at_path(path), verb, message))
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
            None if policy.secret.hidden == Stance::Allow => None,
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
