//! Packages against paths, both ways: what an organisation owns has a path, and what a path publishes is owned.
//!
//! A list proves absence only where it is complete.

use super::look::settled;
use super::verdict::Verdict;
use super::view::View;
use crate::model::fact::LiveSource;
use crate::model::facts::seen::Seen;
use crate::model::id::Subject;
use crate::model::time::Ts;
use crate::safe::shown::counted;
use crate::safe::shown::first_few;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn packages_accounted(view: &View<'_>) -> Verdict {
    settled(accounted(view))
}

/// Gives the accounts whose lists count: the session's organisations, and any other that was listed.
fn accounts<'a>(view: &View<'a>) -> BTreeMap<Subject, &'a str> {
    let organisations = view.facts.session.organisations.iter();
    let mut accounts: BTreeMap<Subject, &str> = organisations
        .map(|name| (Subject::person(name), name.as_ref()))
        .collect();
    for account in &view.facts.listed {
        let owned = view.facts.seen.get(account).and_then(Seen::owned);
        if let Some((fact, _)) = owned {
            accounts.entry(*account).or_insert(&fact.account);
        }
    }
    accounts
}

fn accounted(view: &View<'_>) -> Result<Verdict, Verdict> {
    let accounts = accounts(view);
    let asked = |account: &Subject| {
        let seen = view.facts.seen.get(account);
        seen.is_some_and(|seen| seen.owned().is_some() || seen.trouble(LiveSource::Owned).is_some())
    };
    if !accounts.keys().any(asked) {
        return Err(Verdict::unwatched(
            "no package list of the organisation was looked at",
        ));
    }
    let (mut owned, mut until): (BTreeSet<&str>, Option<Ts>) = (BTreeSet::new(), None);
    // A list that still tells may be the next that does not.
    let lasts = |verdict: Verdict, until: Option<Ts>| match until {
        Some(until) => verdict.until(until),
        None => verdict,
    };
    for (account, name) in &accounts {
        let list = view
            .look(*account, LiveSource::Owned, Seen::owned)
            .state("")
            .map_err(|verdict| match verdict.unwatched {
                true => Verdict::not_looked(format!("the packages of {name} were not looked at")),
                false => Verdict::could_not(format!("the packages of {name}: {}", verdict.why)),
            })
            .map_err(|verdict| lasts(verdict, until))?;
        if !list.fact.complete {
            return Err(Verdict::could_not(format!(
                "the list of the packages of {name} is not complete, {}",
                list.when()
            )));
        }
        owned.extend(list.fact.packages.iter().map(AsRef::as_ref));
        until = [until, Some(list.until)].into_iter().flatten().min();
    }
    let mapped = |path: &Subject| {
        view.facts
            .path(*path)
            .is_none_or(|fact| view.facts.is_mapped(fact))
    };
    let (mut published, mut unmapped) = (BTreeSet::new(), false);
    for row in view.facts.packages.values() {
        if row.paths.iter().any(mapped) && !row.name.is_empty() {
            published.insert(row.name.as_ref());
        }
        unmapped |= !row.paths.iter().all(mapped);
    }
    let orphans: Vec<&&str> = owned.difference(&published).collect();
    let strangers: Vec<&&str> = published.difference(&owned).collect();
    let mut wrong = Vec::new();
    if !orphans.is_empty() {
        let names = first_few(&orphans);
        wrong.push(format!("{} without a path: {names}", orphans.len()));
    }
    if !strangers.is_empty() {
        let names = first_few(&strangers);
        wrong.push(format!(
            "{} published by a path and on no list: {names}",
            strangers.len()
        ));
    }
    let verdict = if wrong.is_empty() && unmapped {
        Verdict::could_not("which packages some paths publish is not known")
    } else if wrong.is_empty() {
        Verdict::passed(format!(
            "{}, each with a path",
            counted(owned.len(), "package")
        ))
    } else {
        Verdict::blocked(wrong.join("; "))
    };
    Ok(lasts(verdict, until))
}
