//! Wave 5, revocation: what still hangs on a token, and whether it is gone.

use super::publish::Asked;
use super::verdict::{State, Verdict};
use super::view::{View, contested};
use crate::model::decision::{Decision, Slot, Standing, Value};
use crate::model::fact::CredentialFact;
use crate::model::facts::Sighting;
use crate::model::id::Subject;
use crate::model::revoke::{Release, chain};
use crate::model::time::Ts;

/// Two listings without the token must lie this many seconds apart to prove that it is gone.
const APART: i64 = 60;

/// A token is displaced when no path that it reaches is in a lane that keeps a token.
fn stays(view: &View<'_>) -> bool {
    view.lanes.iter().any(|lane| !lane.needs_no_token())
}

const STAYS: &str = "a path in a lane with a token keeps it";

pub(super) fn chain_complete(view: &View<'_>) -> Verdict {
    if stays(view) {
        return Verdict::not_applicable(STAYS);
    }
    if gone(&view.facts.sightings(view.subject)).is_some() {
        return Verdict::passed("the token is gone");
    }
    // Where somebody says that it went, the question is no more whether it can go.
    if !matches!(view.decided(Slot::Revocation), Standing::Nothing) {
        let revoked = tokens_revoked(view);
        if revoked.state == State::Blocked {
            return revoked;
        }
    }
    let chain = chain(view.facts, view.subject, view.now);
    let verdict = match chain.release() {
        Release::Safe => {
            Verdict::passed("every edge is proven or excluded, every path is released")
        }
        Release::ByWord => {
            Verdict::attested("every path is released; some edges rest on people's word")
        }
        Release::Unseen(places) => Verdict::not_looked(format!(
            "not looked at: {places}; attest who looked there, and when"
        )),
        Release::No(reason) => Verdict::blocked(reason),
    };
    match chain.until {
        Some(at) => verdict.until(at),
        None => verdict,
    }
}

pub(super) fn displaced(view: &View<'_>) -> Verdict {
    if stays(view) {
        return Verdict::not_applicable(STAYS);
    }
    Verdict::not_looked("cutover cannot check this: confirm it by hand")
}

/// Gives when the last path behind a token first published by its new way; nothing where one has not yet.
fn cut_over(view: &View<'_>) -> Option<Ts> {
    let repos = view
        .facts
        .secrets_of(view.subject)
        .into_iter()
        .filter_map(|secret| view.facts.secrets.get(&secret))
        .flat_map(|row| row.repos.iter().copied());
    let repos: std::collections::BTreeSet<Subject> = repos.collect();
    let mut last = None;
    for (path, fact) in repos.iter().flat_map(|repo| view.facts.open_paths(*repo)) {
        let asked = Asked {
            facts: view.facts,
            path,
            lane: view.facts.lane(path)?,
        };
        let first = view
            .facts
            .packages_of(fact)
            .iter()
            .filter_map(|one| asked.first(*one))
            .min();
        last = last.max(Some(first?));
    }
    last
}

/// Use is rare for most packages, so silence alone proves nothing: this is advice.
pub(super) fn tokens_quiet(view: &View<'_>) -> Verdict {
    let Some(dated) = view
        .facts
        .tokens
        .get(&view.subject)
        .and_then(|row| row.fact.as_ref())
    else {
        return Verdict::not_looked("not in any imported token list");
    };
    let verdict = match dated.value.last_used {
        None => Verdict::not_looked("the list does not show when it was last used"),
        Some(at) => match cut_over(view) {
            None => Verdict::not_looked(format!(
                "last used on {}: compare with the last publish",
                at.day()
            )),
            Some(since) if at < since => Verdict::passed(format!(
                "last used on {}, before the last path behind it published by its new way on {}",
                at.day(),
                since.day()
            )),
            Some(since) => Verdict::blocked(format!(
                "used on {at}, after the last path behind it published by its new way on {}",
                since.day()
            )),
        },
    };
    view.while_fresh(dated.as_of, verdict)
}

/// Gives the interval in which a token went, by complete listings of its account: last with it, first without it.
/// One listing without it is not enough: two, at least a minute apart, and none later that has it.
pub fn gone(sightings: &[Sighting]) -> Option<(Sighting, Sighting)> {
    let last = sightings.iter().rposition(|one| one.present)?;
    let after = sightings.get(last + 1..)?;
    let (first, end) = (after.first()?, after.last()?);
    (end.as_of.0 - first.as_of.0 >= APART)
        .then(|| sightings.get(last).map(|with| (*with, *first)))?
}

pub(super) fn tokens_revoked(view: &View<'_>) -> Verdict {
    if stays(view) {
        return Verdict::not_applicable(STAYS);
    }
    let sightings = view.facts.sightings(view.subject);
    if let Some((with, without)) = gone(&sightings) {
        return Verdict::passed(format!(
            "listed on {}, missing since {}",
            with.as_of, without.as_of
        ));
    }
    match view.decided(Slot::Revocation) {
        Standing::Contested(many) => Verdict::blocked(contested(&many)),
        Standing::One(Decision {
            value: Value::Revoked { on, .. },
            at,
            by,
            ..
        }) => {
            let still = |one: &&Sighting| one.present && one.as_of > *at;
            match sightings.iter().rfind(still) {
                Some(one) => Verdict::blocked(format!(
                    "recorded as revoked on {on}, but listed on {}: revoke it at npm, then import a newer list",
                    one.as_of.day()
                )),
                None => Verdict::attested(format!(
                    "recorded by {by} as revoked on {on}; not verified yet: only `refresh` or `open --live` with the account's login can see it gone"
                )),
            }
        }
        _ if sightings.last().is_some_and(|one| !one.present) => Verdict::not_looked(
            "missing from one list: a second one, a minute or more later, would prove it",
        ),
        _ if sightings.is_empty() => Verdict::not_looked("not in any complete token list"),
        _ => match view.facts.absent_words(view.subject) {
            Some(absent) => Verdict::not_looked(absent),
            None => Verdict::blocked(format!(
                "listed on {}",
                sightings
                    .last()
                    .map_or_else(String::new, |one| one.as_of.day().to_string())
            )),
        },
    }
}

pub(super) fn secrets_deleted(view: &View<'_>) -> Verdict {
    if stays(view) {
        return Verdict::not_applicable("a path in a lane with a token keeps it");
    }
    if view.facts.uses_of_secret(view.subject).next().is_some() {
        return Verdict::blocked("files still use it for something else than publishing");
    }
    if view.facts.paths_of_secret(view.subject).next().is_some() {
        return Verdict::blocked("a publish path still names it");
    }
    let copies = view.copies(view.subject);
    if copies.held > 0 {
        return copies.holds(Verdict::blocked(format!(
            "it still stands in {}",
            copies.places()
        )));
    }
    copies.open().map_or_else(
        || {
            copies.holds(Verdict::passed(format!(
                "not in any store of {} repositories",
                copies.repos
            )))
        },
        |verdict| Verdict {
            unwatched: false,
            ..verdict
        },
    )
}

pub(super) fn fallback_removed(view: &View<'_>) -> Verdict {
    let Some((path, id)) = view.path().zip(view.path_id()) else {
        return Verdict::not_looked("no checkout of it has been scanned");
    };
    if !view.facts.present(id, path) {
        return Verdict::passed("the publish is gone from the files");
    }
    if let Some(file) = configured(view) {
        return Verdict::blocked(format!("{file} still reads a token from a variable"));
    }
    match (path.credential, path.secret.as_deref()) {
        (CredentialFact::Oidc, None) => Verdict::passed("no secret name in reach of the publish"),
        (_, Some(_)) => Verdict::blocked("the workflow still names a secret"),
        (CredentialFact::NoneVisible, None) => {
            Verdict::could_not("no credential is visible in the files")
        }
        (_, None) => Verdict::blocked("the workflow still uses a token"),
    }
}

/// Finds a committed configuration file of the path's repository that takes a token from a variable.
fn configured<'a>(view: &View<'a>) -> Option<&'a str> {
    let repo = view.path()?.repo?;
    let scan = view.facts.repos.get(&repo)?.scan.as_ref()?;
    let mut found = scan.value.findings.iter();
    let found = found.find(|one| &*one.rule == "committed-npmrc-token")?;
    Some(&found.file)
}

pub(super) fn docs_updated(view: &View<'_>) -> Verdict {
    match view
        .repo()
        .and_then(|repo| repo.inventory.as_ref())
        .and_then(|row| row.value.docs_updated)
    {
        Some(true) => Verdict::attested("the inventory says so"),
        Some(false) => Verdict::not_looked("the inventory says not yet"),
        None => Verdict::not_looked("cutover cannot check this: confirm it by hand"),
    }
}
