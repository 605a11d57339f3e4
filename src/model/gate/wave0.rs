//! Wave 0, guardrails: who is here, and who decides what.

use super::look::settled;
use super::verdict::{State, Verdict};
use super::view::{View, contested};
use crate::model::decision::{Decision, Slot, Standing, Value};
use crate::model::fact::LiveSource;
use crate::model::facts::seen::Seen;
use crate::model::id::Subject;

pub(super) fn commander_named(view: &View<'_>) -> Verdict {
    named(view, Slot::Commander)
}

pub(super) fn second_approver_named(view: &View<'_>) -> Verdict {
    let verdict = named(view, Slot::SecondApprover);
    let commander = person(&view.decided(Slot::Commander)).map(str::to_owned);
    if verdict.state == State::Passed
        && commander.is_some()
        && commander.as_deref() == person(&view.decided(Slot::SecondApprover))
    {
        return Verdict::blocked("the second approver is the commander: name somebody else");
    }
    verdict
}

fn person<'a>(standing: &Standing<'a>) -> Option<&'a str> {
    match standing {
        Standing::One(Decision {
            value: Value::Person(login),
            ..
        }) => Some(login),
        _ => None,
    }
}

fn named(view: &View<'_>, slot: Slot) -> Verdict {
    let standing = view.decided(slot);
    match &standing {
        Standing::Contested(many) => Verdict::blocked(contested(many)),
        Standing::One(one) if person(&standing).is_some() => {
            Verdict::passed(format!("named by {}", one.by))
        }
        _ => Verdict::not_looked("nobody is named yet"),
    }
}

/// A secret without a known token is not safe to forget: whatever it holds still works.
pub(super) fn secret_token_known(view: &View<'_>) -> Verdict {
    let tokens: Vec<Subject> = view.facts.tokens_of(view.subject).collect();
    let run = |token: &Subject| {
        let shown = view.facts.shown_edge(*token, view.subject);
        shown.map(|(edge, _)| edge.run.as_ref())
    };
    match (tokens.len(), tokens.iter().find_map(run)) {
        (0, _) => Verdict::not_looked("nobody has said which token it holds"),
        (_, Some(run)) => Verdict::passed(format!("a job that has the secret showed it: {run}")),
        (count, None) => Verdict::attested(view.words(|| format!("said to hold {count} tokens"))),
    }
}

pub(super) fn owner_named(view: &View<'_>) -> Verdict {
    in_charge(view, Slot::Owner, view.facts.owner(view.subject))
}

pub(super) fn reviewer_named(view: &View<'_>) -> Verdict {
    let reviewer = view.facts.reviewer(view.subject);
    if reviewer.is_some() && reviewer == view.facts.owner(view.subject) {
        return Verdict::blocked("owner and reviewer are one person: assign another reviewer");
    }
    in_charge(view, Slot::Reviewer, reviewer)
}

/// A person decided on is a passed gate; one that only the inventory names is somebody's word.
fn in_charge(view: &View<'_>, slot: Slot, login: Option<&str>) -> Verdict {
    match (view.decided(slot), login) {
        (Standing::Contested(many), _) => Verdict::blocked(contested(&many)),
        (Standing::One(one), Some(_)) => {
            Verdict::passed(view.words(|| format!("assigned by {}", one.by)))
        }
        (Standing::Nothing, Some(_)) => Verdict::attested("named in the inventory"),
        _ => Verdict::not_looked("nobody is assigned yet"),
    }
}

/// An account shows its own profile only: of anybody else a person must say so.
pub(super) fn publishers_have_2fa(view: &View<'_>) -> Verdict {
    settled((|| {
        let profile = view
            .look(view.subject, LiveSource::Profile, Seen::profile)
            .state("only the account itself shows it: a person may attest it")?;
        let when = profile.when();
        Ok(profile.holds(match &*profile.fact.two_factor {
            "auth-and-writes" => Verdict::passed(format!("on, {when}")),
            "auth-only" => Verdict::passed(format!("on for logins only, not for writes, {when}")),
            "off" | "" => Verdict::blocked(format!("2FA is off, {when}")),
            other => Verdict::could_not(format!("the registry says {other}, {when}")),
        }))
    })())
}
