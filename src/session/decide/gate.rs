//! Gates: what a person attests, and what is gone without for a time.

use super::builder::{DraftEvent, EventBuilder};
use super::days;
use super::refusal::{Refusal, refuse, refuse_with};
use crate::model::decision::{Slot, Standing};
use crate::model::event::{Event, GateAttested, GateWaived};
use crate::model::gate::{GateId, GateSpec, State, View, judge};
use crate::model::id::{Kind, Subject};
use crate::model::revoke::unrehearsed;
use crate::model::time::Ts;
use crate::safe::shown::counted;
use crate::session::name::label;
use chrono::NaiveDate;

/// How packages are mapped to paths where no file tells.
pub(super) const MAP_BY_HAND: &str = "import an inventory with the columns repo and packages: `cutover import --inventory FILE`; where the checkout holds no other package, `cutover attest packages-mapped --about PATH --note TEXT` will do";

/// The flag by which what takes the way back is agreed to; the refusal before it names it.
pub const BEFORE_REHEARSAL: &str = "--before-rehearsal";

/// What somebody says of a gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GateAction {
    Attest {
        about: Vec<Subject>,
        gate: GateId,
        note: String,
        link: Option<String>,
        /// Agreed to though the way back goes with it: paths on the chain are not rehearsed yet.
        before_rehearsal: bool,
    },
    Waive {
        about: Vec<Subject>,
        gate: GateId,
        why: String,
        until: NaiveDate,
    },
}

impl GateAction {
    pub(super) fn drafts(&self, make: &EventBuilder<'_>) -> Result<Vec<DraftEvent>, Refusal> {
        match self {
            Self::Attest {
                about,
                gate,
                note,
                link,
                before_rehearsal,
            } => attest(
                make,
                about,
                *gate,
                (note, link.as_deref()),
                *before_rehearsal,
            ),
            Self::Waive {
                about,
                gate,
                why,
                until,
            } => waive(make, about, *gate, why, *until),
        }
    }
}

/// Says of which kinds of subject a gate is judged, and how such a one is named.
fn judged_of(spec: &GateSpec) -> String {
    let forms = spec.subjects.iter().map(|kind| {
        let form = match kind {
            Kind::Session => "--about session",
            Kind::Repo => "--about OWNER/NAME",
            Kind::Path => "--about OWNER/NAME:FILE#JOB",
            Kind::PathRef => "--about \"path-ref:OWNER/NAME:FILE#JOB (REF)\"",
            Kind::Package => "--about package:NAME",
            Kind::Config => "--about \"config:PACKAGE <- FILE\"",
            Kind::Secret => "--about secret:NAME",
            Kind::Token => "--about token:ACCOUNT/NAME",
            Kind::Person => "--about person:LOGIN",
        };
        format!("of each {}: name one with `{form}`", kind.word())
    });
    let forms: Vec<String> = forms.collect();
    format!("{} is judged {}", spec.id, forms.join(", or "))
}

fn attest(
    make: &EventBuilder<'_>,
    about: &[Subject],
    gate: GateId,
    (note, link): (&str, Option<&str>),
    before_rehearsal: bool,
) -> Result<Vec<DraftEvent>, Refusal> {
    if let Some(command) = gate.spec().decision {
        return Err(refuse_with(
            format!("{} is answered by a decision of its own", gate.word()),
            format!("decide it: `{command}`"),
        ));
    }
    let note = make.said(
        note,
        "an attestation needs a note: what was seen, where and when",
    )?;
    let link = link
        .map(|link| make.link(link, "put anything else into the note"))
        .transpose()?
        .flatten();
    let ends = [GateId::TOKENS_REVOKED, GateId::SECRETS_DELETED].contains(&gate);
    gated(make, about, gate, |subject| {
        let view = View::new(&make.fold.facts, subject, make.now);
        let verdict = judge(&view, gate);
        if ends && !before_rehearsal && verdict.state != State::Blocked {
            rehearsed(make, subject)?;
        }
        match verdict.state {
            State::Blocked
                if !matches!(view.decided(Slot::Attest(gate)), Standing::Contested(_)) =>
            {
                Err(refuse_with(
                    format!(
                        "{} is contradicted by what was seen: {}",
                        gate.word(),
                        verdict.why
                    ),
                    "fix it, then scan or ask again (`cutover import --scan FOLDER` or `cutover refresh`), or waive it: `cutover waive`",
                ))
            }
            State::Passed => Err(refuse(format!(
                "{} has passed: {}",
                gate.word(),
                verdict.why
            ))),
            State::NotApplicable => Err(refuse(format!(
                "{} does not apply here: {}",
                gate.word(),
                verdict.why
            ))),
            _ if verdict.since == Some(Ts(i64::MAX)) => Err(refuse_with(
                format!("{} cannot be attested: {}", gate.word(), verdict.why),
                MAP_BY_HAND,
            )),
            _ => {
                let (note, link) = (note.clone().into(), link.clone().into());
                Ok(GateAttested { gate, note, link }.into())
            }
        }
    })
}

/// Refuses what ends a secret or token while a path of its chain has no other way that was rehearsed.
fn rehearsed(make: &EventBuilder<'_>, about: Subject) -> Result<(), Refusal> {
    let facts = &make.fold.facts;
    let waiting = unrehearsed(facts, about, make.now);
    let Some(first) = waiting.first() else {
        return Ok(());
    };
    let (paths, name) = (counted(waiting.len(), "path"), label(facts, about));
    Err(refuse_with(
        format!(
            "{paths} of {name} not rehearsed, first {}: without it there is no way back",
            label(facts, *first)
        ),
        format!(
            "rehearse first; if it is gone already, add `{BEFORE_REHEARSAL}`, or press enter again in the console"
        ),
    ))
}

fn waive(
    make: &EventBuilder<'_>,
    about: &[Subject],
    gate: GateId,
    why: &str,
    until: NaiveDate,
) -> Result<Vec<DraftEvent>, Refusal> {
    let why = make.said(why, "a waiver needs a reason")?;
    days::of_waiver(until, make.now)?;
    if gate.spec().said {
        return Err(refuse_with(
            format!(
                "{} cannot be waived: it is what an end state says",
                gate.word()
            ),
            "choose another lane (`cutover lane`), or carry the path over (`cutover carry-over`)",
        ));
    }
    gated(make, about, gate, |_| {
        let why = why.clone().into();
        Ok(GateWaived { gate, why, until }.into())
    })
}

fn gated(
    make: &EventBuilder<'_>,
    about: &[Subject],
    gate: GateId,
    event: impl Fn(Subject) -> Result<Event, Refusal>,
) -> Result<Vec<DraftEvent>, Refusal> {
    let spec = gate.spec();
    if about.is_empty() {
        return Err(refuse_with("nothing is selected", "select a row first"));
    }
    let mut reached = make.reach(about, spec.subjects);
    // Of what a repository stands for, only what is still open is meant.
    let facts = &make.fold.facts;
    let is_open = |subject: Subject| {
        let state = judge(&View::new(facts, subject, make.now), gate).state;
        !state.is_met() && state != State::NotApplicable
    };
    reached.retain(|subject| about.contains(subject) || is_open(*subject));
    if reached.is_empty() {
        // A token may be other repositories' too, so it is named and not reached.
        let tokens = about.iter().flat_map(|one| facts.tokens_of_repo(*one));
        let token = tokens
            .filter(|token| spec.subjects.contains(&token.kind))
            .find(|token| is_open(*token));
        let hint =
            token.map(|token| format!("it is open of {0}: --about token:{0}", label(facts, token)));
        return Err(refuse_with(
            format!("no selected subject has gate {} open", spec.id),
            hint.unwrap_or_else(|| judged_of(spec)),
        ));
    }
    reached
        .into_iter()
        .map(|subject| {
            make.known(subject)?;
            if !spec.subjects.contains(&subject.kind) {
                let kinds: Vec<&str> = spec.subjects.iter().map(|kind| kind.word()).collect();
                return Err(refuse_with(
                    format!(
                        "{} needs a {}, not a {}",
                        spec.id,
                        kinds.join(" or "),
                        subject.kind.word()
                    ),
                    judged_of(spec),
                ));
            }
            Ok(make.one(subject, event(subject)?))
        })
        .collect()
}
