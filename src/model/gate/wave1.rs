//! Wave 1, inventory: what publishes, with what, and who else holds the token.

use super::Verdict;
use super::view::{View, contested};
use crate::model::decision::{Slot, Standing};
use crate::model::fact::CredentialFact;

pub(super) fn paths_found(view: &View<'_>) -> Verdict {
    scanned(view, |paths, refs| format!("{paths} found; {refs}"))
}

pub(super) fn token_uses_listed(view: &View<'_>) -> Verdict {
    let uses = view
        .repo()
        .and_then(|repo| repo.scan.as_ref())
        .map_or(0, |scan| scan.value.uses.len());
    scanned(view, |_, refs| format!("{uses} listed; {refs}"))
}

/// A scan holds until the commit changes, so it does not age.
fn scanned(view: &View<'_>, words: impl Fn(usize, &str) -> String) -> Verdict {
    match view.repo().and_then(|repo| repo.scan.as_ref()) {
        None => Verdict::not_looked("no checkout of it has been scanned"),
        Some(scan) if !scan.value.unread.is_empty() => Verdict::could_not(format!(
            "{} CI files could not be read, the first is {}",
            scan.value.unread.len(),
            scan.value.unread.first().map_or("", AsRef::as_ref)
        )),
        Some(scan) if scan.value.left_out.is_some_and(|count| count > 0) => Verdict::could_not(
            "the scan found more than one event holds: scan this checkout by itself",
        ),
        Some(scan) => {
            Verdict::passed(view.words(|| words(scan.value.paths.len(), &scan.value.refs)))
        }
    }
}

pub(super) fn credential_classified(view: &View<'_>) -> Verdict {
    match view.path().map(|path| path.credential) {
        None => Verdict::not_looked("no checkout of it has been scanned"),
        Some(CredentialFact::NoneVisible) => {
            Verdict::could_not("no credential is visible in the files")
        }
        Some(credential) => Verdict::passed(credential.word()),
    }
}

pub(super) fn packages_mapped(view: &View<'_>) -> Verdict {
    match view.path().map(|path| path.packages.len()) {
        None => Verdict::not_looked("no checkout of it has been scanned"),
        Some(0) => Verdict::could_not("the files do not tell which packages it publishes"),
        Some(count) => Verdict::passed(view.words(|| format!("{count} packages"))),
    }
}

/// Only a job that holds the secret can prove an edge; any other rests on somebody's word.
pub(super) fn tokens_identified(view: &View<'_>) -> Verdict {
    let disputed = view
        .facts
        .decided
        .get(&view.subject)
        .into_iter()
        .flat_map(|decided| decided.slots())
        .find_map(|(slot, history)| match (slot, history.standing()) {
            (Slot::Edge(_), Standing::Contested(many)) => Some(contested(&many)),
            _ => None,
        });
    if let Some(words) = disputed {
        return Verdict::blocked(words);
    }
    let secrets = view.facts.secrets_of(view.subject);
    let shown = |secret: &&_| view.facts.shown_edge(view.subject, **secret).is_some();
    match (secrets.len(), secrets.iter().filter(shown).count()) {
        (0, _) => Verdict::not_looked("no secret is known to hold it"),
        (all, shown) if all == shown => {
            Verdict::passed(format!("jobs showed that {all} secrets hold it"))
        }
        (all, _) => Verdict::attested(format!("{all} secrets are said to hold it")),
    }
}

pub(super) fn lane_chosen(view: &View<'_>) -> Verdict {
    match view.decided(Slot::Lane) {
        Standing::Contested(many) => Verdict::blocked(contested(&many)),
        Standing::One(one) => Verdict::passed(view.words(|| format!("chosen by {}", one.by))),
        Standing::Nothing if view.facts.lane(view.subject).is_some() => {
            Verdict::attested("named in the inventory")
        }
        Standing::Nothing => Verdict::not_looked("no lane is chosen yet"),
    }
}
