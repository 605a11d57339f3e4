//! Wave 3, wiring: what the files of each ref say now.

use super::Verdict;
use super::view::View;
use crate::model::fact::{CredentialFact, PathFact};
use crate::model::lane::Lane;

/// Judges the workflow of one ref against its lane. A scan holds until the commit changes.
pub(super) fn workflow_rewired(view: &View<'_>) -> Verdict {
    let (Some(path), Some(id)) = (view.path(), view.path_id()) else {
        return Verdict::not_looked("no checkout of it has been scanned");
    };
    let Some(lane) = view.facts.lane(id) else {
        return Verdict::not_looked("choose a lane first");
    };
    if !view.facts.present(id, path) {
        return Verdict::not_applicable("the publish is gone from the files");
    }
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
    match view
        .facts
        .open_paths(view.subject)
        .filter(|(_, path)| path.unpinned)
        .count()
    {
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
    match view
        .facts
        .packages
        .get(&view.subject)
        .and_then(|row| row.fact.as_ref())
        .map(|fact| &fact.value)
    {
        None => Verdict::not_looked("its package.json was not seen"),
        Some(fact) if fact.private => {
            Verdict::not_applicable("private in package.json: never published")
        }
        Some(fact) if fact.repository_url.is_none() => {
            Verdict::blocked("package.json has no repository.url")
        }
        Some(fact) => match fact.repository_matches {
            Some(true) => Verdict::passed("it names this repository"),
            Some(false) => Verdict::blocked(
                "repository.url names another repository, or writes it differently",
            ),
            None => Verdict::could_not("the repository's own name is not known well enough"),
        },
    }
}

pub(super) fn fails_closed(view: &View<'_>) -> Verdict {
    match view.path() {
        None => Verdict::not_looked("no checkout of it has been scanned"),
        Some(path) if path.fails_open => {
            Verdict::blocked("the step passes though the publish failed")
        }
        Some(_) => Verdict::passed("a failed publish fails the job"),
    }
}
