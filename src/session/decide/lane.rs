//! Lanes: how each path will publish, until when a bridge stands, and who finishes what is carried over.

use super::builder::{DraftEvent, EventBuilder};
use super::days;
use super::refusal::{Refusal, refuse, refuse_with};
use crate::model::event::{EndDateSet, LaneChosen, PathCarriedOver};
use crate::model::id::{Kind, Subject};
use crate::model::lane::Lane;
use crate::model::proposal::{lacks_oidc, propose};
use crate::session::name::label;
use chrono::NaiveDate;

/// What somebody decides about how paths publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LaneAction {
    Choose {
        paths: Vec<Subject>,
        lane: Lane,
        reason: String,
    },
    /// Chooses the proposed lane for every path that has none yet.
    AcceptProposals {
        about: Vec<Subject>,
    },
    SetEndDate {
        about: Vec<Subject>,
        on: NaiveDate,
    },
    CarryOver {
        paths: Vec<Subject>,
        owner: String,
        until: NaiveDate,
        why: String,
    },
}

impl LaneAction {
    pub(super) fn drafts(&self, make: &EventBuilder<'_>) -> Result<Vec<DraftEvent>, Refusal> {
        match self {
            Self::Choose {
                paths,
                lane,
                reason,
            } => choose(make, paths, *lane, reason),
            Self::AcceptProposals { about } => accept_proposals(make, about),
            Self::SetEndDate { about, on } => end_date(make, about, *on),
            Self::CarryOver {
                paths,
                owner,
                until,
                why,
            } => carry_over(make, paths, owner, *until, why),
        }
    }
}

fn choose(
    make: &EventBuilder<'_>,
    paths: &[Subject],
    lane: Lane,
    reason: &str,
) -> Result<Vec<DraftEvent>, Refusal> {
    let facts = &make.fold.facts;
    let cutoff = facts.policy.cutoff_earliest;
    if lane == Lane::Bridge && make.now.day() >= cutoff {
        return Err(refuse_with(days::bridge_ends(cutoff), days::NO_BRIDGE));
    }
    let reason = make.text(reason)?;
    make.each(paths, Kind::Path, |path| {
        let no_oidc = facts.path(path).is_some_and(lacks_oidc);
        if lane.needs_trust() && no_oidc {
            return Err(refuse_with(
                format!(
                    "{} cannot be {lane}: npm takes no OIDC identity from this CI system",
                    label(facts, path)
                ),
                "choose staged-token, bridge, manual or retire, or move the job",
            ));
        }
        let reason = reason.clone().into();
        Ok(LaneChosen { lane, reason }.into())
    })
}

/// A proposal is taken with its reason, and a bridge with its end: nobody has to look for either later.
fn accept_proposals(
    make: &EventBuilder<'_>,
    about: &[Subject],
) -> Result<Vec<DraftEvent>, Refusal> {
    let facts = &make.fold.facts;
    let mut drafts = Vec::new();
    for path in make.reach(about, &[Kind::Path]) {
        make.known(path)?;
        let proposal = facts
            .path(path)
            .and_then(|fact| propose(fact, make.now.day(), &facts.policy));
        let (None, Some(proposal)) = (make.lane(path), proposal) else {
            continue;
        };
        let (lane, reason) = (
            proposal.lane,
            format!("as proposed: {}", proposal.reason).into(),
        );
        drafts.push(make.one(path, LaneChosen { lane, reason }));
        drafts.extend(proposal.until.map(|on| make.one(path, EndDateSet { on })));
    }
    if drafts.is_empty() {
        return Err(refuse(
            "every path here has a lane, or publishes to another registry: to change one, name the lane",
        ));
    }
    Ok(drafts)
}

fn end_date(
    make: &EventBuilder<'_>,
    about: &[Subject],
    on: NaiveDate,
) -> Result<Vec<DraftEvent>, Refusal> {
    days::ahead(on, make.now)?;
    let cutoff = make.fold.facts.policy.cutoff_earliest;
    make.each(about, Kind::Path, |path| {
        if make.lane(path) == Some(Lane::Bridge) {
            days::of_bridge(on, cutoff, make.now)?;
        }
        Ok(EndDateSet { on }.into())
    })
}

fn carry_over(
    make: &EventBuilder<'_>,
    paths: &[Subject],
    owner: &str,
    until: NaiveDate,
    why: &str,
) -> Result<Vec<DraftEvent>, Refusal> {
    days::ahead(until, make.now)?;
    let owner = make.login(owner)?;
    let why = make.said(why, "say why it is carried over")?;
    make.each(paths, Kind::Path, |_| {
        let (owner, why) = (owner.as_str().into(), why.clone().into());
        Ok(PathCarriedOver { owner, until, why }.into())
    })
}
