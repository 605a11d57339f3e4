//! Wave 2, credentials: what will be shown to the registry instead, and for how long.

use super::look::settled;
use super::publish::{Need, is_expired};
use super::read::is_read;
use super::table::GateId;
use super::verdict::Verdict;
use super::view::{View, contested};
use crate::model::decision::{Decision, Slot, Standing, Value};
use crate::model::fact::{LiveSource, PurposeFact, TokenFact, TrustConfigFact};
use crate::model::facts::seen::Seen;
use crate::model::id::Subject;
use crate::model::lane::Lane;
use crate::model::proposal::UNHOSTED;
use crate::model::time::{DAY, Ts};
use crate::safe::shown::first_few;

/// A trust config needs its package on the registry, and a job on a hosted runner or without provenance.
pub(super) fn trust_decided(view: &View<'_>) -> Verdict {
    let Some(package) = view.facts.packages.get(&view.subject) else {
        return Verdict::not_looked("not seen in any checkout");
    };
    if package.fact.as_ref().is_some_and(|fact| fact.value.private) {
        return Verdict::not_applicable("private in package.json: never published");
    }
    let blocked = package
        .paths
        .iter()
        .filter_map(|path| view.facts.path(*path))
        .find(|path| path.lacks_hosted_runner());
    match blocked {
        Some(_) => Verdict::blocked(UNHOSTED),
        None => settled(trusted(view)),
    }
}

/// Reading the list costs 2FA, so it does not age: it says as of when.
///
/// A config that is not there yet contradicts no decision; one that is there and does not fit does.
fn trusted(view: &View<'_>) -> Result<Verdict, Verdict> {
    let list = view
        .look(view.subject, LiveSource::Trust, Seen::trust)
        .ever("the registry's trust configs were not looked at")
        .map_err(|verdict| Verdict {
            unwatched: false,
            ..verdict
        })?;
    let needs = view.needs(view.subject);
    let is = |need: &Need<'_>, one: &TrustConfigFact| need.differs(one).is_empty();
    let (mut missing, mut wrong) = (0, Vec::new());
    for need in &needs {
        let mut there = list
            .fact
            .configs
            .iter()
            .filter(|one| is(need, one))
            .peekable();
        let refusal = match there.peek() {
            None => None,
            Some(_) => match there.map(|one| need.refuses(one)).min() {
                Some(Some(words)) => Some(words),
                _ => continue,
            },
        };
        // A config that fits another path of the package is no near miss of this one.
        let near = list
            .fact
            .configs
            .iter()
            .filter(|one| need.resembles(one) && !needs.iter().any(|other| is(other, one)))
            .min_by_key(|one| (is_expired(one), need.differs(one).len()));
        match (refusal, near) {
            (Some(words), _) => wrong.push(words),
            (None, Some(near)) => wrong.push(format!(
                "a config is registered that will not fit: {}",
                need.differs(near).join(", ")
            )),
            (None, None) => missing += 1,
        }
    }
    let (all, when) = (needs.len(), list.when());
    Ok(if !wrong.is_empty() {
        Verdict::blocked(format!("{}, {when}", first_few(&wrong)))
    } else if all == 0 {
        Verdict::not_looked("no path of it is known to need a config")
    } else if missing == 0 {
        Verdict::passed(format!(
            "{all} of {all} configs are registered and fit, {when}"
        ))
    } else {
        Verdict::not_looked(format!(
            "{} of {all} configs are registered, {when}: decide the others and attest who registers them",
            all - missing
        ))
    })
}

pub(super) fn release_environment_exists(view: &View<'_>) -> Verdict {
    if view
        .path()
        .is_some_and(|path| path.called_only && path.job.is_none())
    {
        return Verdict::not_applicable("an action has no environment: the jobs that call it have");
    }
    match view.path().map(|path| path.environment.as_deref()) {
        None => Verdict::not_looked("no checkout of it has been scanned"),
        Some(None) => Verdict::blocked("the publish job names no environment"),
        Some(Some(name)) => settled(environment(view, name)),
    }
}

fn environment(view: &View<'_>, name: &str) -> Result<Verdict, Verdict> {
    let unlooked =
        || Verdict::not_looked(format!("the job names {name}; the forge was not looked at"));
    let repo = view.path().and_then(|path| path.repo);
    let list = view
        .look(
            repo.ok_or_else(unlooked)?,
            LiveSource::Environments,
            Seen::environments,
        )
        .state("")
        .map_err(|verdict| match verdict.unwatched {
            true => unlooked(),
            false => verdict,
        })?;
    if name.contains("${{") {
        return Err(Verdict::could_not(format!(
            "the job computes its environment: {name}"
        )));
    }
    let names = || list.fact.environments.iter().map(|one| one.name.as_ref());
    let when = list.when();
    Ok(list.holds(if names().any(|one| one == name) {
        Verdict::passed(format!("{name} exists, {when}"))
    } else if let Some(other) = names().find(|one| one.eq_ignore_ascii_case(name)) {
        Verdict::blocked(format!(
            "the job names {name}, the forge has {other}: npm is case-sensitive, {when}"
        ))
    } else if list.fact.complete {
        Verdict::blocked(format!("the forge has no environment {name}, {when}"))
    } else {
        Verdict::could_not(format!("the list of environments is not complete, {when}"))
    }))
}

pub(super) fn validation_planned(view: &View<'_>) -> Verdict {
    match view.decided(Slot::Plan) {
        Standing::One(Decision {
            value: Value::Plan(plan),
            by,
            ..
        }) => Verdict::passed(format!("{} planned by {by}", plan.word())),
        Standing::Contested(many) => Verdict::blocked(contested(&many)),
        _ => Verdict::not_looked("nothing is planned yet"),
    }
}

/// Gives the token's listing row and what it means for a gate: an old list no longer tells.
fn listed(view: &View<'_>, judge: impl FnOnce(&TokenFact) -> Verdict) -> Verdict {
    let Some(dated) = view
        .facts
        .tokens
        .get(&view.subject)
        .and_then(|row| row.fact.as_ref())
    else {
        return Verdict::not_looked("not in any imported token list");
    };
    view.while_fresh(dated.as_of, judge(&dated.value))
}

pub(super) fn token_least_privilege(view: &View<'_>) -> Verdict {
    listed(view, |token| {
        if token.scopes.is_empty() {
            return Verdict::not_looked("the list does not show its packages and scopes");
        }
        if token
            .scopes
            .iter()
            .any(|scope| matches!(&**scope, "*" | "all"))
        {
            return Verdict::blocked("it may write every package of its owner");
        }
        Verdict::not_looked(format!(
            "it may write {}: compare and attest",
            token.scopes.join(", ")
        ))
    })
}

/// npm lets a token that can write live 90 days at most; the session policy may ask for less.
pub(super) fn token_lifetime(view: &View<'_>) -> Verdict {
    let days = i64::from(view.facts.policy.token_days);
    listed(view, |token| match (token.created, token.expires) {
        (_, None) => Verdict::not_looked("the list does not show when it ends"),
        (_, Some(end)) if end <= view.now => Verdict::blocked(format!("it ended on {}", end.day())),
        (Some(start), Some(end)) if end.0 - start.0 > days * DAY => {
            Verdict::blocked(format!("it lives longer than {days} days"))
        }
        (_, Some(end)) => Verdict::passed(format!("it ends on {}", end.day())).until(end),
    })
}

pub(super) fn bypass_2fa_decided(view: &View<'_>) -> Verdict {
    listed(view, |token| match (token.stage_only, token.bypass_2fa) {
        (Some(true), _) => Verdict::passed("stage-only"),
        (_, Some(false)) => Verdict::passed("it does not bypass 2FA"),
        (_, Some(true)) => {
            Verdict::not_looked("it bypasses 2FA: attest that this is meant, with the end in mind")
        }
        (_, None) => Verdict::not_looked("the list does not show it"),
    })
}

pub(super) fn token_address_bound(view: &View<'_>) -> Verdict {
    listed(view, |token| match token.cidr.len() {
        0 => Verdict::not_looked("it works from any address"),
        count => Verdict::passed(format!("bound to {count} ranges")),
    })
}

pub(super) fn end_date_set(view: &View<'_>) -> Verdict {
    let cutoff = view.facts.policy.cutoff_earliest;
    match view.decided(Slot::EndDate) {
        Standing::Contested(many) => Verdict::blocked(contested(&many)),
        Standing::One(Decision {
            value: Value::Date(on),
            ..
        }) if view.lanes.has(Lane::Bridge) && *on >= cutoff => Verdict::blocked(format!(
            "{on} is not before {cutoff}, the first possible day of the January cut-off"
        )),
        Standing::One(Decision {
            value: Value::Date(on),
            ..
        }) => {
            let end = Ts::from_day(*on).plus(DAY);
            if view.now < end {
                Verdict::passed(format!("ends on {on}")).until(end)
            } else {
                Verdict::blocked(format!("it ended on {on}"))
            }
        }
        _ => Verdict::not_looked("no end date yet"),
    }
}

/// A secret that only installs is judged by the tokens said to be its value.
pub(super) fn install_token_read_only(view: &View<'_>) -> Verdict {
    let publishes = view.facts.paths_of_secret(view.subject).next().is_some();
    let installs = view
        .facts
        .uses_of_secret(view.subject)
        .any(|(_, token_use)| token_use.purpose == PurposeFact::Install);
    if publishes {
        return Verdict::not_applicable("not a secret that only installs");
    }
    let row = view.facts.secrets.get(&view.subject);
    let mut repos = row.into_iter().flat_map(|row| &row.repos);
    let read = |repo: &Subject| is_read(view.facts, *repo, GateId::TOKEN_USES_LISTED);
    if !installs && repos.all(read) {
        return Verdict::not_applicable("not a secret that only installs");
    }
    if !installs {
        return Verdict::not_looked("not every file was read that may use it");
    }
    let mut tokens = view
        .facts
        .tokens_of(view.subject)
        .filter_map(|token| view.facts.tokens.get(&token)?.fact.as_ref())
        .peekable();
    if tokens.peek().is_none() {
        return Verdict::not_looked("it is not known which token it holds");
    }
    match tokens.find(|token| token.value.readonly != Some(true)) {
        Some(token) if token.value.readonly == Some(false) => {
            Verdict::blocked("the token it is said to hold can write")
        }
        Some(_) => Verdict::not_looked("the list does not show whether its token can write"),
        None => Verdict::passed("the token it is said to hold is read-only"),
    }
}
