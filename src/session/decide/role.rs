//! Roles: who answers for a repository, who reviews it, who leads the session and who approves.

use super::builder::{DraftEvent, EventBuilder};
use super::refusal::{Refusal, refuse, refuse_with};
use crate::model::decision::Slot;
use crate::model::event::{CommanderNamed, OwnerAssigned, ReviewerAssigned, SecondApproverNamed};
use crate::model::id::{Kind, Subject};
use crate::model::policy::Profile;

/// Who does what for a repository or for the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Owner,
    Reviewer,
    Commander,
    SecondApprover,
}

/// Gives a role to a person, or takes it away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assign {
    /// Repositories; not looked at for a role of the session.
    pub about: Vec<Subject>,
    pub role: Role,
    pub person: Option<String>,
}

impl Assign {
    pub(super) fn drafts(&self, make: &EventBuilder<'_>) -> Result<Vec<DraftEvent>, Refusal> {
        let person = self.person.as_deref();
        let person: Option<Box<str>> = person
            .map(|one| make.login(one))
            .transpose()?
            .map(Into::into);
        match self.role {
            Role::Owner => make.each(&self.about, Kind::Repo, |_| {
                let person = person.clone();
                Ok(OwnerAssigned { person }.into())
            }),
            Role::Reviewer => make.each(&self.about, Kind::Repo, |repo| {
                if person.is_some() && make.owner(repo) == person {
                    return Err(refuse_with(
                        "the owner cannot review their own change",
                        "name somebody else",
                    ));
                }
                let person = person.clone();
                Ok(ReviewerAssigned { person }.into())
            }),
            Role::Commander => {
                two_people(make, person.as_deref(), Slot::SecondApprover)?;
                Ok(vec![make.one(Subject::SESSION, CommanderNamed { person })])
            }
            Role::SecondApprover => {
                if make.fold.facts.session.profile == Profile::Solo {
                    return Err(refuse(
                        "a solo session has no second approver: irreversible steps wait for a cooling-off time instead",
                    ));
                }
                two_people(make, person.as_deref(), Slot::Commander)?;
                Ok(vec![
                    make.one(Subject::SESSION, SecondApproverNamed { person }),
                ])
            }
        }
    }
}

/// Refuses a commander who would approve their own steps.
fn two_people(make: &EventBuilder<'_>, person: Option<&str>, other: Slot) -> Result<(), Refusal> {
    match make.person(other) {
        Some(other) if person == Some(&*other) => Err(refuse_with(
            "the commander cannot be the second approver",
            "name somebody else",
        )),
        _ => Ok(()),
    }
}
