//! Decisions: from what somebody wants to the events that say so, or a refusal in words.
//!
//! Pure but for the text of evidence files, which the caller has digested. Every decision of the console and of the
//! command line is an [`Action`]; actions are decided in a batch, all or none. One file holds a group's actions and
//! their rules.

mod builder;
mod days;
mod gate;
mod lane;
mod note;
mod plan;
mod refusal;
mod revocation;
mod role;
mod undo;

use super::fold::Fold;
use crate::journal;
use crate::model::decision::EventId;
use crate::model::event::Event;
use crate::model::id::Subject;
use crate::model::time::Ts;
pub use builder::DraftEvent;
use builder::EventBuilder;
pub use gate::{BEFORE_REHEARSAL, GateAction};
pub use lane::LaneAction;
pub use note::NoteAction;
pub use plan::PlanAction;
pub use refusal::Refusal;
pub use revocation::RevocationAction;
pub use role::{Assign, Role};

/// What somebody decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    Role(Assign),
    Lane(LaneAction),
    Gate(GateAction),
    Revocation(RevocationAction),
    Plan(PlanAction),
    Note(NoteAction),
    /// Takes back one's own decision; none: the last one, with what was decided in one breath with it.
    Undo {
        event: Option<EventId>,
    },
}

/// What was decided, as it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Decided {
    /// In the order in which they were written.
    pub events: Vec<Written>,
    /// Repositories whose rows changed.
    pub changed: Vec<Subject>,
}

/// One event that was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    pub id: journal::EventId,
    pub about: Subject,
    /// The subject's name on screen.
    pub label: String,
    pub event: Event,
}

/// Turns actions into events. A later action sees what an earlier one of the same batch decides.
///
/// # Errors
/// One of them is refused: nothing is decided then.
pub fn decide(
    fold: &Fold,
    actions: &[Action],
    actor: &str,
    now: Ts,
) -> Result<Vec<DraftEvent>, Refusal> {
    let mut make = EventBuilder::new(fold, actor, now);
    for action in actions {
        let drafts = match action {
            Action::Role(assign) => assign.drafts(&make),
            Action::Lane(action) => action.drafts(&make),
            Action::Gate(action) => action.drafts(&make),
            Action::Revocation(action) => action.drafts(&make),
            Action::Plan(action) => action.drafts(&make),
            Action::Note(action) => action.drafts(&make),
            Action::Undo { event } => undo::undo(&make, *event),
        }?;
        make.take(drafts);
    }
    Ok(make.done())
}

macro_rules! actions {
    ($($group:ident: $action:ty),+) => {
        $(impl From<$action> for Action {
            fn from(action: $action) -> Self {
                Self::$group(action)
            }
        })+
    };
}

actions! {
    Role: Assign, Lane: LaneAction, Gate: GateAction, Revocation: RevocationAction, Plan: PlanAction, Note: NoteAction
}
