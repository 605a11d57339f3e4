//! Which slot a decision's event fills, with what; and the event that repeats so much of it.
//!
//! The two directions stand side by side: a kind that is decided has a line in each.

use super::*;
use crate::model::decision::{Slot, Value};

impl Event {
    /// Returns the slot that this decides, and what; nothing for other events.
    pub fn decides(self) -> Option<(Slot, Value)> {
        let person = |person: Option<Box<str>>| person.map_or(Value::Flag(false), Value::Person);
        Some(match self {
            Self::OwnerAssigned(data) => (Slot::Owner, person(data.person)),
            Self::ReviewerAssigned(data) => (Slot::Reviewer, person(data.person)),
            Self::CommanderNamed(data) => (Slot::Commander, person(data.person)),
            Self::SecondApproverNamed(data) => (Slot::SecondApprover, person(data.person)),
            Self::LaneChosen(data) => (Slot::Lane, Value::Lane(data.lane)),
            Self::EndDateSet(data) => (Slot::EndDate, Value::Date(data.on)),
            Self::FollowUpDated(data) => (Slot::FollowUp, Value::Date(data.on)),
            Self::ValidationPlanned(data) => (Slot::Plan, Value::Plan(data.plan)),
            Self::GateAttested(data) => (Slot::Attest(data.gate), Value::Attested),
            Self::GateWaived(GateWaived { gate, until, .. }) => {
                (Slot::Waive(gate), Value::Waived { until })
            }
            Self::SecretEdgeAttested(data) => (Slot::Edge(data.secret), Value::Holds(data.holds)),
            Self::RevocationRecorded(data) => {
                let revoked = Value::Revoked {
                    on: data.on,
                    proof: data.proof.is_given(),
                    token_id: data.token_id,
                };
                (Slot::Revocation, revoked)
            }
            Self::PathCarriedOver(PathCarriedOver { owner, until, .. }) => {
                (Slot::CarriedOver, Value::CarriedOver { owner, until })
            }
            Self::RepresentativesChosen(data) => (Slot::Representatives, Value::Set(data.repos)),
            Self::CanariesChosen(data) => (Slot::Canaries, Value::Set(data.repos)),
            Self::TokenListOwed(data) => (Slot::Owed, Value::Flag(data.owed)),
            _ => return None,
        })
    }

    /// Returns a decision again, as far as its slot needs it: what takes it back says so much of it.
    ///
    /// Nothing for what is never taken back.
    pub fn of_slot(slot: Slot, value: &Value) -> Option<Self> {
        let unsaid = Prose::Unsaid;
        Some(match (slot, value.clone()) {
            (Slot::Owner, _) => OwnerAssigned { person: None }.into(),
            (Slot::Reviewer, _) => ReviewerAssigned { person: None }.into(),
            (Slot::Commander, _) => CommanderNamed { person: None }.into(),
            (Slot::SecondApprover, _) => SecondApproverNamed { person: None }.into(),
            (Slot::Lane, Value::Lane(lane)) => LaneChosen {
                lane,
                reason: unsaid,
            }
            .into(),
            (Slot::EndDate, Value::Date(on)) => EndDateSet { on }.into(),
            (Slot::FollowUp, Value::Date(on)) => FollowUpDated { on, what: unsaid }.into(),
            (Slot::Plan, Value::Plan(plan)) => ValidationPlanned { plan, note: unsaid }.into(),
            (Slot::Attest(gate), _) => {
                let (note, link) = (unsaid, Prose::Unsaid);
                GateAttested { gate, note, link }.into()
            }
            (Slot::Waive(gate), Value::Waived { until }) => {
                let why = unsaid;
                GateWaived { gate, why, until }.into()
            }
            (Slot::Edge(secret), Value::Holds(holds)) => {
                let note = unsaid;
                SecretEdgeAttested {
                    secret,
                    holds,
                    note,
                }
                .into()
            }
            (Slot::CarriedOver, Value::CarriedOver { owner, until }) => {
                let why = unsaid;
                PathCarriedOver { owner, until, why }.into()
            }
            (Slot::Representatives, _) => RepresentativesChosen { repos: [].into() }.into(),
            (Slot::Canaries, _) => CanariesChosen { repos: [].into() }.into(),
            (Slot::Owed, Value::Flag(owed)) => {
                let account = "".into();
                TokenListOwed { owed, account }.into()
            }
            _ => return None,
        })
    }
}
