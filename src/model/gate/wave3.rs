//! Wave 3, wiring: what the files of each ref say now.

use super::judge::judge_by;
use super::look::settled;
use super::publish::repo_name;
use super::read::not_read;
use super::table::GateId;
use super::verdict::Verdict;
use super::view::View;
use super::wave4::canary_published;
use crate::model::fact::{CredentialFact, LiveSource, PackageFact, PathFact};
use crate::model::facts::seen::Seen;
use crate::model::lane::Lane;
use crate::safe::shown::first_few;
use std::collections::BTreeSet;

/// Judges the workflow of one ref against its lane. A scan holds until the commit changes.
pub(super) fn workflow_rewired(view: &View<'_>) -> Verdict {
    let seen = view.facts.seen.get(&view.subject);
    if let Some((fact, when)) = seen.and_then(|seen| seen.trouble(LiveSource::Refs)) {
        return Verdict::could_not(format!("{} ({when})", fact.why));
    }
    let Some(id) = view.path_id() else {
        return Verdict::not_looked("no checkout of it has been scanned");
    };
    let lane = view.facts.lane(id);
    if let Some((fact, _)) = view.other_ref() {
        let verdict = match (&fact.fact, lane) {
            (None, _) => Verdict::not_applicable("this ref has no such publish"),
            (Some(_), None) => Verdict::not_looked("choose a lane first"),
            (Some(path), Some(lane)) => rewired(path, lane),
        };
        let why = format!("{}: {}", fact.git_ref, verdict.why);
        return Verdict {
            why: why.into(),
            ..verdict
        };
    }
    let Some(path) = view.path() else {
        return Verdict::not_looked("no checkout of it has been scanned");
    };
    let Some(lane) = lane else {
        return Verdict::not_looked("choose a lane first");
    };
    if !view.facts.present(id, path) {
        return Verdict::not_applicable("the publish is gone from the files");
    }
    rewired(path, lane)
}

fn rewired(path: &PathFact, lane: Lane) -> Verdict {
    match lane {
        Lane::Trusted => by_oidc(path, false),
        Lane::StagedOidc => by_oidc(path, true),
        Lane::StagedToken if !path.staged => Verdict::blocked("publishes directly, does not stage"),
        Lane::StagedToken => Verdict::passed("stages with a token"),
        Lane::Bridge if path.credential == CredentialFact::Oidc => {
            Verdict::passed("publishes by OIDC already")
        }
        Lane::Bridge => Verdict::passed("publishes with the bridge's token"),
        Lane::Manual | Lane::Retire => Verdict::not_applicable("not in this lane"),
    }
}

fn by_oidc(path: &PathFact, staged: bool) -> Verdict {
    match path.credential {
        CredentialFact::Oidc if staged && !path.staged => {
            Verdict::blocked("publishes directly, does not stage")
        }
        CredentialFact::Oidc => Verdict::passed("OIDC, no token in reach"),
        CredentialFact::Token => {
            Verdict::blocked("publishes with a token, without id-token: write")
        }
        CredentialFact::TokenAndOidc => Verdict::blocked(
            "a token is still in reach of the publish: npm falls back to it in silence",
        ),
        CredentialFact::NoneVisible => Verdict::could_not("no credential is visible in the files"),
    }
}

pub(super) fn publish_removed(view: &View<'_>) -> Verdict {
    match (view.path(), view.path_id()) {
        (Some(path), Some(id)) if view.facts.present(id, path) => {
            Verdict::blocked("the last scan still saw it")
        }
        (Some(_), Some(_)) => Verdict::passed("the last scan did not see it any more"),
        _ => Verdict::not_looked("no checkout of it has been scanned"),
    }
}

pub(super) fn actions_pinned(view: &View<'_>) -> Verdict {
    if view.repo().is_none_or(|repo| repo.scan.is_none()) {
        return Verdict::not_looked("no checkout of it has been scanned");
    }
    let (mut paths, mut unpinned) = (0, 0);
    for (_, path) in view.facts.open_paths(view.subject) {
        paths += 1;
        unpinned += usize::from(path.unpinned);
    }
    // Without a path there is nothing to pin, if there really is none.
    if let (0, Some(verdict)) = (paths, not_read(view.facts, view.subject)) {
        return verdict;
    }
    match unpinned {
        0 => Verdict::passed("every action of a publish job is pinned by commit"),
        count => Verdict::blocked(format!(
            "{count} {} actions that are not pinned",
            if count == 1 {
                "publish job uses"
            } else {
                "publish jobs use"
            }
        )),
    }
}

/// The registry compares repository.url with the repository that signed the provenance, letter by letter.
pub(super) fn repository_url_matches(view: &View<'_>) -> Verdict {
    let row = view.facts.packages.get(&view.subject);
    let Some(fact) = row
        .and_then(|row| row.fact.as_ref())
        .map(|fact| &fact.value)
    else {
        return Verdict::not_looked("its package.json was not seen");
    };
    if fact.private {
        return Verdict::not_applicable("private in package.json: never published");
    }
    let Some(url) = fact.repository_url.as_deref() else {
        return Verdict::blocked("package.json has no repository.url");
    };
    // The forge's own writing of the name counts before the one that a checkout has.
    if let Some(verdict) = by_forge(view, fact, url) {
        return verdict;
    }
    match fact.repository_matches {
        Some(true) => Verdict::passed("it names this repository"),
        Some(false) => {
            Verdict::blocked("repository.url names another repository, or writes it differently")
        }
        None => Verdict::could_not("the repository's own name is not known well enough"),
    }
}

fn by_forge(view: &View<'_>, fact: &PackageFact, url: &str) -> Option<Verdict> {
    let look = view.look(fact.repo?, LiveSource::Forge, Seen::forge);
    let sight = look.ever("").ok()?;
    let (name, when) = (&*sight.fact.name, sight.when());
    let named = named_by(url).filter(|_| !name.is_empty())?;
    Some(if named == name {
        Verdict::passed(format!("it names {name}, {when}"))
    } else {
        Verdict::blocked(format!(
            "repository.url names {named}, the forge calls it {name}, {when}"
        ))
    })
}

/// Gives `owner/name` of a repository address as package.json writes it.
fn named_by(url: &str) -> Option<&str> {
    let url = url.split(['#', '?']).next().unwrap_or(url);
    let rest = match url.split_once("://") {
        Some((_, rest)) => rest.split_once('/')?.1,
        // `git@host:owner/name`, `github:owner/name`, or the bare shorthand.
        None => url.split_once(':').map_or(url, |(_, rest)| rest),
    };
    let rest = rest.trim_matches('/');
    let name = rest.strip_suffix(".git").unwrap_or(rest);
    name.contains('/').then_some(name)
}

/// Rules of the environments that the repository's publish jobs name. A wait time alone stops nobody.
pub(super) fn environment_protected(view: &View<'_>) -> Verdict {
    settled((|| {
        let list = view
            .look(view.subject, LiveSource::Environments, Seen::environments)
            .state("the forge's environments were not looked at")?;
        let wanted: BTreeSet<&str> = view
            .facts
            .open_paths(view.subject)
            .filter_map(|(_, path)| path.environment.as_deref())
            .collect();
        if wanted.is_empty() {
            if let Some(verdict) = not_read(view.facts, view.subject) {
                return Err(list.holds(verdict));
            }
            return Ok(list.holds(Verdict::not_applicable(
                "no publish job of it names an environment",
            )));
        }
        let (mut open, mut missing, mut rules) = (Vec::new(), Vec::new(), Vec::new());
        for name in wanted {
            let known = list.fact.environments.iter().find(|one| *one.name == *name);
            match known {
                None => missing.push(name),
                Some(one) if one.reviewers == 0 && matches!(&*one.branches, "" | "none") => {
                    open.push(name);
                }
                Some(one) => {
                    let branches = if one.branches.is_empty() {
                        "none"
                    } else {
                        &one.branches
                    };
                    let reviewers = one.reviewers;
                    rules.push(format!(
                        "{name}: {reviewers} reviewers, branch rule {branches}"
                    ));
                }
            }
        }
        let when = list.when();
        Ok(list.holds(if !open.is_empty() {
            let names = first_few(&open);
            Verdict::blocked(format!(
                "{names} has no reviewers and takes any branch, {when}"
            ))
        } else if missing.is_empty() {
            Verdict::passed(format!("{}, {when}", first_few(&rules)))
        } else if list.fact.complete {
            let names = first_few(&missing);
            Verdict::blocked(format!("the forge has no environment {names}, {when}"))
        } else {
            Verdict::could_not(format!("the list of environments is not complete, {when}"))
        }))
    })())
}

pub(super) fn workflow_owned(view: &View<'_>) -> Verdict {
    settled((|| {
        let rules = view
            .look(view.subject, LiveSource::Protection, Seen::protection)
            .state("the forge's rules were not looked at")?;
        let (fact, when) = (rules.fact, rules.when());
        if fact.not_available {
            return Ok(rules.holds(Verdict::not_applicable("not available on this plan")));
        }
        let parts = [
            (fact.pull_request, "pull request on the default branch"),
            (fact.code_owners, "review by code owners"),
            (
                fact.workflows_owned,
                "owner of the workflow folder in CODEOWNERS",
            ),
        ];
        let of = |value| -> Vec<&str> {
            let found = parts.iter().filter(|(known, _)| *known == value);
            found.map(|(_, words)| *words).collect()
        };
        let (lacks, unknown) = (of(Some(false)), of(None));
        Ok(rules.holds(if !lacks.is_empty() {
            Verdict::blocked(format!("it needs no {}, {when}", lacks.join(" and no ")))
        } else if !unknown.is_empty() {
            Verdict::could_not(format!("not told: {}, {when}", unknown.join(", ")))
        } else {
            Verdict::passed(format!("code owners must approve, {when}"))
        }))
    })())
}

/// Needed until the new way has been rehearsed.
pub(super) fn old_secret_kept(view: &View<'_>) -> Verdict {
    let copies = view.copies(view.subject);
    if copies.held > 0 {
        return copies.holds(Verdict::passed(format!(
            "still stored in {}",
            copies.places()
        )));
    }
    if let Some(verdict) = copies.open() {
        return verdict;
    }
    let row = view.facts.secrets.get(&view.subject);
    let repos = || row.into_iter().flat_map(|row| &row.repos);
    let unread = repos().find_map(|repo| not_read(view.facts, *repo));
    let paths = repos().flat_map(|repo| view.facts.open_paths(*repo));
    let (mut waiting, mut until) = (None, None);
    for (id, path) in paths {
        let path_view = View::new(view.facts, id, view.now);
        let verdict = judge_by(&path_view, GateId::CANARY_PUBLISHED, Some(canary_published));
        until = [until, verdict.until].into_iter().flatten().min();
        if !verdict.state.is_met() {
            waiting = Some(path);
            break;
        }
    }
    let verdict = match (waiting, unread) {
        (None, Some(unread)) => unread,
        (None, None) => Verdict::passed("it is gone, and the rehearsal is behind it"),
        (Some(path), _) => Verdict::blocked(format!(
            "no store holds it any more, and {} {} was not rehearsed",
            path.repo.map_or("", |repo| repo_name(view.facts, repo)),
            path.file
        )),
    };
    copies.holds(match until {
        Some(until) => verdict.until(until),
        None => verdict,
    })
}

pub(super) fn fails_closed(view: &View<'_>) -> Verdict {
    match view.path() {
        None => Verdict::not_looked("no checkout of it has been scanned"),
        Some(path) if path.fails_open => {
            Verdict::blocked("the step succeeds even if the publish fails")
        }
        Some(_) => Verdict::passed("a failed publish fails the job"),
    }
}
