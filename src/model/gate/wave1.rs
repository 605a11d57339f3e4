//! Wave 1, inventory: what publishes, with what, and who else holds the token.

use super::look::settled;
use super::read::read;
use super::table::GateId;
use super::verdict::Verdict;
use super::view::{View, contested};
use crate::model::decision::{Decision, Slot, Standing};
use crate::model::fact::{CredentialFact, HowFact, LiveSource, VersionFact};
use crate::model::facts::seen::Seen;
use crate::model::id::Subject;
use crate::safe::shown::counted;
use crate::safe::shown::first_few;

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
    match read(view.facts, view.subject) {
        Err(verdict) => verdict,
        Ok((scan, refs)) => {
            let refs = refs.as_deref().unwrap_or(&scan.refs);
            Verdict::passed(view.words(|| words(scan.paths.len(), refs)))
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
    let Some(path) = view.path() else {
        return Verdict::not_looked("no checkout of it has been scanned");
    };
    let packages = view.facts.packages_of(path);
    if !path.packages.is_empty() {
        return Verdict::passed(view.words(|| counted(packages.len(), "package")));
    }
    if view.facts.is_mapped(path) {
        let words = || {
            format!(
                "the inventory names {} for its repository",
                names(view, packages)
            )
        };
        return Verdict::attested(view.words(words));
    }
    let unknown = "the files do not tell which packages it publishes";
    let stands_in = |package: &Subject| view.facts.stands_in(*package);
    if packages.first().is_some_and(stands_in) {
        return Verdict::could_not(format!("{unknown}: name them in an inventory")).only_seen();
    }
    Verdict::could_not(view.words(|| {
        format!(
            "{unknown}: the checkout holds {}; name those of it in an inventory, or attest that it is all of them",
            names(view, packages)
        )
    }))
}

fn names(view: &View<'_>, packages: &[Subject]) -> String {
    let rows = packages.iter().map(|id| view.facts.packages.get(id));
    let names: Vec<&str> = rows.map(|row| row.map_or("", |row| &row.name)).collect();
    first_few(&names)
}

/// A job that holds the secret proves an edge; else it rests on somebody's word.
pub(super) fn tokens_identified(view: &View<'_>) -> Verdict {
    let disputed = view
        .facts
        .decided
        .get(&view.subject)
        .into_iter()
        .flat_map(|decided| decided.slots())
        .find_map(|(slot, history)| match (slot, history.standing()) {
            (Slot::Edge(secret), Standing::Contested(many)) if shown(view, secret).is_none() => {
                Some(contested(&many))
            }
            _ => None,
        });
    if let Some(words) = disputed {
        return Verdict::blocked(words);
    }
    let secrets = view.facts.secrets_of(view.subject);
    let runs: Vec<&str> = secrets
        .iter()
        .filter_map(|secret| shown(view, *secret))
        .collect();
    match secrets.len() {
        0 => Verdict::not_looked("no secret is known to hold it"),
        count if runs.len() == count => Verdict::passed(format!(
            "a job that has the secret showed it: {}",
            first_few(&runs)
        )),
        count => Verdict::attested(format!("{count} secrets are said to hold it")),
    }
}

/// Gives the run that showed which token a secret holds.
fn shown<'a>(view: &View<'a>, secret: Subject) -> Option<&'a str> {
    let shown = view.facts.shown_edge(view.subject, secret);
    shown.map(|(edge, _)| edge.run.as_ref())
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

/// The registry does not tell a person from a token: a version that fits no known run is asked about, by name.
pub(super) fn unmatched_publishers_answered(view: &View<'_>) -> Verdict {
    settled((|| {
        let published = view
            .look(view.subject, LiveSource::Published, Seen::published)
            .state("who published the last versions was not looked at")?;
        let seen = view.facts.seen.get(&view.subject);
        let versions = seen.map_or_else(Vec::new, Seen::versions);
        let answered = match view.decided(Slot::Attest(GateId::UNMATCHED_ANSWERED)) {
            Standing::One(Decision { at, .. }) => Some(*at),
            _ => None,
        };
        let fits_none =
            |one: &VersionFact| view.facts.how(view.subject, one).0 == HowFact::Unmatched;
        let unmatched = || versions.iter().filter(|one| fits_none(one));
        let untold = versions.iter().filter(|one| one.how == HowFact::NotTold);
        let suspects: Vec<String> = unmatched()
            .filter(|one| answered.is_none_or(|at| one.at > at))
            .map(|one| {
                let by = one.by.as_deref().unwrap_or("an account not named");
                format!("{} by {by} on {}", one.version, one.at.day())
            })
            .collect();
        let verdict = if !suspects.is_empty() {
            Verdict {
                since: unmatched().map(|one| one.at).max(),
                ..Verdict::could_not(format!(
                    "fits no known run: {}; ask them, and attest the answer",
                    first_few(&suspects)
                ))
            }
        } else if unmatched().next().is_some() {
            // The attestation that answers them is laid over this.
            Verdict::not_looked("every version that fits no run was answered")
        } else if published.fact.stripped {
            Verdict::could_not("the registry between us does not pass on who published")
        } else {
            let (all, when) = (versions.len(), published.when());
            match untold.count() {
                0 => Verdict::passed(format!("{all} versions, each by a known way, {when}")),
                some => Verdict::could_not(format!(
                    "how {some} of {all} versions were published was not told, {when}"
                )),
            }
        };
        Ok(published.holds(verdict))
    })())
}

pub(super) fn secret_copies_listed(view: &View<'_>) -> Verdict {
    let copies = view.copies(view.subject);
    copies.open().unwrap_or_else(|| {
        copies.holds(Verdict::passed(format!(
            "every store of {} repositories was listed; held by {}",
            copies.repos,
            copies.places()
        )))
    })
}
