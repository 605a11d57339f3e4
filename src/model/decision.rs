//! Decisions: what people decide about a subject, and which decision stands.
//!
//! A decision names in `over` the ones it replaces, as its maker saw them. Of those that nobody replaced, one stands;
//! two or more are contested, and stay so until somebody decides over all of them.

use super::gate::table::GateId;
use super::id::Subject;
use super::lane::Lane;
use super::time::Ts;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One event of one writer. Writers are numbered in the order this process met them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId {
    pub writer: u16,
    pub seq: u32,
}

/// What a decision is about, within its subject: decisions of one slot replace each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Slot {
    Owner,
    Reviewer,
    Lane,
    EndDate,
    Attest(GateId),
    Waive(GateId),
    Commander,
    SecondApprover,
    Revocation,
    CarriedOver,
    Plan,
    /// Whether the token of this slot's subject is the value of that secret.
    Edge(Subject),
    Representatives,
    Canaries,
    /// A token list still owed by this person's account.
    Owed,
    /// Deferred to this day or person; the follow-up list.
    FollowUp,
}

/// How the publish that validates a trust config is planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ValidationPlan {
    Release,
    Canary,
    OnDemand,
}

impl ValidationPlan {
    pub const ALL: [Self; 3] = [Self::Release, Self::Canary, Self::OnDemand];

    pub fn word(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Canary => "canary",
            Self::OnDemand => "on-demand",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|plan| plan.word() == word)
    }
}

/// What was decided. Long text stays in the file and is read back when shown.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A person's login.
    Person(Box<str>),
    Lane(Lane),
    Date(NaiveDate),
    /// A person's word, with a note or a link in the line.
    Attested,
    Waived {
        until: NaiveDate,
    },
    Revoked {
        on: NaiveDate,
        token_id: Box<str>,
        /// Whether a proof was given: a link, a file digest or a text.
        proof: bool,
    },
    CarriedOver {
        owner: Box<str>,
        until: NaiveDate,
    },
    Plan(ValidationPlan),
    /// The token is (or is not) the value of the secret, on somebody's word.
    Holds(bool),
    Set(Box<[Subject]>),
    Flag(bool),
    /// Takes the decision named back: what that one had replaced stands again.
    Undo(EventId),
}

/// One decision as folded.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    pub id: EventId,
    pub at: Ts,
    pub tick: u64,
    /// Login of the person whose device wrote it, shared by all of theirs.
    pub by: Arc<str>,
    pub over: Box<[EventId]>,
    pub value: Value,
    /// Signed, and the signature verified against the roster.
    pub signed: bool,
}

impl Decision {
    /// Orders decisions for lists and ties, alike on every machine: writer numbers are local, so they come last.
    fn age(&self) -> (u64, Ts, &str, u32) {
        (self.tick, self.at, &self.by, self.id.seq)
    }
}

/// What stands in a slot.
#[derive(Debug, Clone, PartialEq)]
pub enum Standing<'a> {
    Nothing,
    One(&'a Decision),
    /// Nobody has decided between these.
    Contested(Vec<&'a Decision>),
}

/// All decisions ever made in one slot.
///
/// Nearly every slot is decided once: the first stands in place, and only a second one needs a list.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum History {
    #[default]
    Empty,
    One(Decision),
    Many(Vec<Decision>),
}

impl History {
    /// Adds a decision; the same event twice is one.
    pub fn add(&mut self, decision: Decision) {
        if self.all().iter().any(|known| known.id == decision.id) {
            return;
        }
        *self = match std::mem::take(self) {
            Self::Empty => Self::One(decision),
            Self::One(first) => Self::Many(vec![first, decision]),
            Self::Many(mut all) => {
                all.push(decision);
                Self::Many(all)
            }
        };
    }

    pub fn all(&self) -> &[Decision] {
        match self {
            Self::Empty => &[],
            Self::One(only) => std::slice::from_ref(only),
            Self::Many(all) => all,
        }
    }

    pub fn all_mut(&mut self) -> &mut [Decision] {
        match self {
            Self::Empty => &mut [],
            Self::One(only) => std::slice::from_mut(only),
            Self::Many(all) => all,
        }
    }

    /// Gives the ids that a new decision replaces: every one that nobody has replaced.
    pub fn heads(&self) -> Vec<EventId> {
        self.head_decisions().map(|head| head.id).collect()
    }

    fn head_decisions(&self) -> impl Iterator<Item = &Decision> {
        let all = self.all();
        all.iter()
            .filter(|one| !all.iter().any(|other| other.over.contains(&one.id)))
    }

    /// Tells what stands.
    ///
    /// Two heads with the same value are no dispute: two people said the same.
    pub fn standing(&self) -> Standing<'_> {
        if let Self::One(only) = self {
            return if matches!(only.value, Value::Undo(_)) {
                Standing::Nothing
            } else {
                Standing::One(only)
            };
        }
        let mut standing: Vec<&Decision> = Vec::new();
        let mut cleared = false;
        for head in self.head_decisions() {
            let before = standing.len();
            self.effective(head, &mut Vec::new(), &mut standing);
            cleared |= standing.len() == before && matches!(head.value, Value::Undo(_));
        }
        standing.sort_by(|a, b| a.age().cmp(&b.age()));
        standing.dedup_by_key(|one| one.id);
        let same = standing
            .windows(2)
            .all(|pair| matches!(pair, [a, b] if a.value == b.value));
        match (standing.as_slice(), cleared, same) {
            ([], ..) => Standing::Nothing,
            ([first, ..], false, true) => Standing::One(first),
            _ => Standing::Contested(standing),
        }
    }

    /// Tells whether two decisions stand against each other. Where only one was ever made, nothing is looked at.
    pub fn is_contested(&self) -> bool {
        matches!(self, Self::Many(_)) && matches!(self.standing(), Standing::Contested(_))
    }

    /// Follows undos to what stands in their place: all that the undone decision had replaced, a dispute included.
    /// Each decision is followed once: files come from others, and may go round in circles.
    fn effective<'a>(
        &'a self,
        decision: &'a Decision,
        seen: &mut Vec<EventId>,
        standing: &mut Vec<&'a Decision>,
    ) {
        if seen.contains(&decision.id) {
            return;
        }
        seen.push(decision.id);
        let Value::Undo(undone) = decision.value else {
            standing.push(decision);
            return;
        };
        let find = |id: EventId| self.all().iter().find(|one| one.id == id);
        let replaced = find(undone)
            .into_iter()
            .flat_map(|undone| undone.over.iter());
        for before in replaced.filter_map(|id| find(*id)) {
            self.effective(before, seen, standing);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decision(seq: u32, over: &[u32], value: Value) -> Decision {
        Decision {
            id: EventId { writer: 0, seq },
            at: Ts(0),
            tick: u64::from(seq),
            by: "rosa".into(),
            over: over
                .iter()
                .map(|seq| EventId {
                    writer: 0,
                    seq: *seq,
                })
                .collect(),
            value,
            signed: false,
        }
    }

    fn person(name: &str) -> Value {
        Value::Person(name.into())
    }

    fn stands(history: &[Decision]) -> Option<String> {
        let mut all = History::default();
        history.iter().cloned().for_each(|one| all.add(one));
        match all.standing() {
            Standing::Nothing => None,
            Standing::One(one) => Some(format!("{:?}", one.value)),
            Standing::Contested(many) => Some(format!("contested {}", many.len())),
        }
    }

    #[test]
    fn the_last_of_a_chain_stands_whatever_the_order() {
        let a = decision(1, &[], person("rosa"));
        let b = decision(2, &[1], person("ken"));
        assert_eq!(
            stands(&[a.clone(), b.clone()]),
            Some("Person(\"ken\")".into())
        );
        assert_eq!(stands(&[b, a]), Some("Person(\"ken\")".into()));
    }

    #[test]
    fn two_that_replace_the_same_are_contested_until_one_replaces_both() {
        let base = decision(1, &[], person("rosa"));
        let left = decision(2, &[1], person("ken"));
        let right = decision(3, &[1], person("mia"));
        assert_eq!(
            stands(&[base.clone(), left.clone(), right.clone()]),
            Some("contested 2".into())
        );
        let settled = decision(4, &[2, 3], person("mia"));
        assert_eq!(
            stands(&[base, left, right, settled]),
            Some("Person(\"mia\")".into())
        );
    }

    #[test]
    fn two_who_say_the_same_do_not_contest() {
        let left = decision(2, &[], person("ken"));
        let right = decision(3, &[], person("ken"));
        assert_eq!(stands(&[left, right]), Some("Person(\"ken\")".into()));
    }

    #[test]
    fn an_undo_brings_back_what_was_replaced() {
        let a = decision(1, &[], person("rosa"));
        let b = decision(2, &[1], person("ken"));
        let undo = decision(3, &[2], Value::Undo(EventId { writer: 0, seq: 2 }));
        assert_eq!(
            stands(&[a.clone(), b.clone(), undo.clone()]),
            Some("Person(\"rosa\")".into())
        );
        let redo = decision(4, &[3], Value::Undo(EventId { writer: 0, seq: 3 }));
        assert_eq!(
            stands(&[a.clone(), b, undo, redo]),
            Some("Person(\"ken\")".into())
        );
        let first = decision(2, &[1], Value::Undo(EventId { writer: 0, seq: 1 }));
        assert_eq!(stands(&[a, first]), None);
    }
}
