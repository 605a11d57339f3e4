//! Wave 4, rehearsal: what a canary showed. Without the network these are people's words.

use super::Verdict;
use super::view::View;
use crate::model::fact::CiFact;
use crate::model::id::Subject;

pub(super) fn canary_published(view: &View<'_>) -> Verdict {
    let row = view
        .path()
        .and_then(|path| path.repo)
        .and_then(|repo| view.facts.repos.get(&repo))
        .and_then(|repo| repo.inventory.as_ref());
    match row.and_then(|row| {
        row.value
            .canary_date
            .map(|on| (on, row.value.canary_tag.as_deref()))
    }) {
        Some((on, tag)) if on <= view.now.day() => Verdict::attested(format!(
            "the inventory names {on}{}",
            tag.map(|tag| format!(", tag {tag}")).unwrap_or_default()
        )),
        _ => Verdict::not_looked("the registry was not looked at"),
    }
}

/// Gives the inventory's yes or no of the package's repositories, where one is said.
fn said(
    view: &View<'_>,
    ask: fn(&crate::model::fact::InventoryFact) -> Option<bool>,
) -> Option<bool> {
    let mut answers = repos(view)
        .filter_map(|repo| ask(&view.facts.repos.get(&repo)?.inventory.as_ref()?.value))
        .peekable();
    answers.peek().copied().map(|_| answers.all(|yes| yes))
}

fn repos<'a>(view: &View<'a>) -> impl Iterator<Item = Subject> {
    view.facts
        .packages
        .get(&view.subject)
        .into_iter()
        .flat_map(|package| package.repos.iter().copied())
}

fn by_inventory(answer: Option<bool>) -> Verdict {
    match answer {
        Some(true) => Verdict::attested("the inventory says so"),
        Some(false) => Verdict::not_looked("the inventory says not yet"),
        None => Verdict::not_looked("the registry was not looked at"),
    }
}

pub(super) fn dist_tags_correct(view: &View<'_>) -> Verdict {
    by_inventory(said(view, |row| row.dist_tags_correct))
}

/// npm makes no provenance for private repositories or on CircleCI; the registry's signature stands there.
pub(super) fn provenance_verified(view: &View<'_>) -> Verdict {
    let package = view.facts.packages.get(&view.subject);
    let restricted = package
        .and_then(|row| row.fact.as_ref())
        .is_some_and(|fact| fact.value.restricted || fact.value.private);
    let circle = package.is_some_and(|row| {
        !row.paths.is_empty()
            && row
                .paths
                .iter()
                .filter_map(|path| view.facts.path(*path))
                .all(|path| path.ci == CiFact::Circleci)
    });
    if restricted || circle {
        return Verdict::not_applicable(
            "no provenance is made here: the registry's signature stands in its place",
        );
    }
    by_inventory(said(view, |row| row.provenance_verified))
}
