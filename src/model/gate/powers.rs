//! Who can do what: write a package, change a secret, list and revoke a token. Wave 0 asks it of each of them.
//!
//! That somebody is absent cannot be seen, only that nobody whose account answered has the power.

use super::look::settled;
use super::verdict::Verdict;
use super::view::View;
use crate::model::fact::LiveSource;
use crate::model::facts::seen::Seen;
use crate::model::id::{Kind, Subject};
use crate::model::time::Ts;
use crate::safe::shown::first_few;
use std::collections::BTreeSet;

const UNLOOKED: &str = "nobody's rights were looked at: a person may attest who can administer it";

pub(super) fn powers_complete(view: &View<'_>) -> Verdict {
    match view.subject.kind {
        Kind::Package => settled(package(view)),
        Kind::Secret => settled(secret(view)),
        _ => token(view),
    }
}

/// Gives who may write a package: the access list says so; where it was not read, the document's maintainers.
fn writers<'a>(view: &View<'a>) -> Result<(Vec<&'a str>, String, Ts), Verdict> {
    let access = view.look(view.subject, LiveSource::Access, Seen::access);
    if let Ok(sight) = access.state(UNLOOKED) {
        let writers = sight.fact.writers().collect();
        return Ok((writers, sight.when(), sight.until));
    }
    let sight = view
        .look(view.subject, LiveSource::Published, Seen::published)
        .state(UNLOOKED)?;
    let writers = sight.fact.maintainers.iter().map(AsRef::as_ref).collect();
    Ok((writers, sight.when(), sight.until))
}

fn package(view: &View<'_>) -> Result<Verdict, Verdict> {
    let (writers, when, until) = writers(view)?;
    let here: Vec<&&str> = writers
        .iter()
        .filter(|login| view.facts.is_present(Subject::person(login)))
        .collect();
    let verdict = if !here.is_empty() {
        Verdict::passed(format!("{} can write it, {when}", first_few(&here)))
    } else if writers.is_empty() {
        Verdict::could_not(format!(
            "the registry names nobody who can write it, {when}"
        ))
    } else if anybody_logged_in(view) {
        let others = first_few(&writers);
        Verdict::blocked(format!(
            "nobody present can write it, only {others}, {when}"
        ))
    } else {
        // Until an account of ours has shown itself, whose login is whose is not known.
        Verdict::not_looked(format!(
            "{} can write it, {when}; which of them is here is not known",
            first_few(&writers)
        ))
    };
    Ok(verdict.until(until))
}

fn anybody_logged_in(view: &View<'_>) -> bool {
    !view.facts.logged_in.is_empty()
}

fn login<'a>(view: &View<'a>, person: Subject) -> &'a str {
    let rights = view.facts.seen.get(&person).and_then(Seen::rights);
    rights.map_or("(not named yet)", |(fact, _)| fact.login.as_ref())
}

fn secret(view: &View<'_>) -> Result<Verdict, Verdict> {
    let row = view.facts.secrets.get(&view.subject);
    let row = row.filter(|_| !view.facts.rated.is_empty());
    let row = row.ok_or_else(|| Verdict::unwatched(UNLOOKED))?;
    if row.store.starts_with("org:") {
        return Err(Verdict::not_looked(
            "an organisation's secret: who owns the organisation was not looked at; attest who can change it",
        ));
    }
    let admins: BTreeSet<Subject> = row
        .repos
        .iter()
        .filter_map(|repo| view.facts.admins.get(repo))
        .flatten()
        .copied()
        .collect();
    let rights = |person: Subject| {
        view.look(person, LiveSource::Rights, Seen::rights)
            .state(UNLOOKED)
    };
    let (mut here, mut until, mut old) = (Vec::new(), None, None);
    for person in admins {
        match rights(person) {
            Ok(sight) => {
                here.push(login(view, person));
                until = until.max(Some(sight.until));
            }
            Err(verdict) => old = Some(verdict),
        }
    }
    if let Some(until) = until {
        let words = format!("{} administers a repository that has it", first_few(&here));
        return Ok(Verdict::passed(words).until(until));
    }
    if let Some(verdict) = old {
        return Err(verdict);
    }
    // Nobody among those looked at: a fact only where each of these lists was complete and still tells.
    let (mut names, mut end) = (Vec::new(), None);
    for person in &view.facts.rated {
        let sight = rights(*person)?;
        if !sight.fact.complete {
            return Err(Verdict::could_not(format!(
                "the list of what {} administers is not complete",
                login(view, *person)
            )));
        }
        names.push(login(view, *person));
        end = [end, Some(sight.until)].into_iter().flatten().min();
    }
    let verdict = Verdict::blocked(format!(
        "nobody whose rights were looked at administers a repository that has it ({})",
        first_few(&names)
    ));
    Ok(match end {
        Some(end) => verdict.until(end),
        None => verdict,
    })
}

/// Only its account can list or revoke a token. That nobody has that login cannot be seen, so it can be attested.
fn token(view: &View<'_>) -> Verdict {
    let Some(token) = view.token() else {
        return Verdict::unwatched("not in any imported token list");
    };
    let account = &token.account;
    if view.facts.is_present(Subject::person(account)) {
        Verdict::passed(format!("{account} is here"))
    } else if anybody_logged_in(view) {
        Verdict::not_looked(format!(
            "nobody here is logged in as {account}: log in as it, or attest who can"
        ))
    } else {
        Verdict::unwatched(UNLOOKED)
    }
}
