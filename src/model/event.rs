//! The event kinds: one table, and the typed form of each kind's data.
//!
//! A kind is a word in the past tense. Kinds of later versions are not here: an unknown kind is kept byte for byte,
//! and a critical one makes its subject's gates unknown. Data that no row words itself stands in `event/data.rs`; what
//! a decision says of which slot, in `event/slot.rs`.

pub mod data;
mod read;
mod slot;
#[cfg(test)]
mod tests;

use super::decision::ValidationPlan;
use super::gate::table::GateId;
use super::id::Subject;
use super::lane::Lane;
use chrono::NaiveDate;
pub use data::{
    AdoptedPolicy, Evidence, EvidenceForm, Note, Observation, Prose, SessionCreated, Unread, World,
    WriterJoined, policy_digest,
};
pub use read::BadEvent;
use read::Given;
use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value as Json;
use serde_json::value::RawValue;

/// One row of the table of kinds.
#[derive(Debug, Clone, Copy)]
pub struct KindSpec {
    pub kind: &'static str,
    /// What it can be about, in words.
    pub subject: &'static str,
    pub data: &'static str,
    /// It changes judgement: a version that does not know it must not judge its subject.
    pub crit: bool,
    /// It is signed where its writer has a key.
    pub signed: bool,
    pub since: &'static str,
}

/// Emits for each row its place in [`KINDS`], its struct where the row gives fields, its variant of [`Event`], and its
/// arms in reading and writing.
///
/// A row that says `as T, reader` has data of a type that stands elsewhere, or is read in a way of its own.
macro_rules! kinds {
    ($(
        $(#[$doc:meta])*
        $kind:literal, $subject:literal, $data:literal, $crit:literal, $signed:literal =>
            $name:ident
            $({ $($(#[$of_field:meta])* $field:ident: $type:ty),+ $(,)? })?
            $(as $payload:ty, $reader:path)?;
    )+) => {
        /// Every kind that this version writes and reads.
        pub const KINDS: &[KindSpec] = &[
            $(KindSpec { kind: $kind, subject: $subject, data: $data, crit: $crit, signed: $signed, since: "0.1" },)+
        ];

        $(fields! { $(#[$doc])* $name $({ $($(#[$of_field])* $field: $type),+ })? })+

        /// The typed data of every kind. It serialises as its data alone: the kind stands beside it in the line.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Event {
            $($(#[$doc])* $name(payload!($name $($payload)?)),)+
        }

        impl Event {
            /// Returns the kind's word.
            pub fn kind(&self) -> &'static str {
                match self {
                    $(Self::$name(_) => $kind,)+
                }
            }

            /// Returns the kind's row.
            pub fn spec(&self) -> &'static KindSpec {
                match self {
                    $(Self::$name(_) => &KindSpec {
                        kind: $kind, subject: $subject, data: $data, crit: $crit, signed: $signed, since: "0.1",
                    },)+
                }
            }

            /// Reads the data of a kind.
            ///
            /// # Errors
            /// An unknown kind (the caller keeps the line and honours `crit`), or data that does not fit its kind.
            pub fn parse(kind: &str, crit: bool, data: &str) -> Result<Self, BadEvent> {
                match kind {
                    $($kind => reader!($($reader)?)(Given { kind, crit, data }).map(Self::$name),)+
                    other => Err(BadEvent::UnknownKind { kind: other.to_owned(), crit }),
                }
            }
        }

        impl Serialize for Event {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                match self {
                    $(Self::$name(data) => data.serialize(to),)+
                }
            }
        }
    };
}

/// The struct of a row that gives fields.
macro_rules! fields {
    ($(#[$doc:meta])* $name:ident) => {};
    ($(#[$doc:meta])* $name:ident { $($(#[$of_field:meta])* $field:ident: $type:ty),+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        pub struct $name { $($(#[$of_field])* pub $field: $type),+ }

        impl From<$name> for Event {
            fn from(data: $name) -> Self {
                Self::$name(data)
            }
        }
    };
}

/// The type of a variant: the row's own struct, or the one that it names.
macro_rules! payload {
    ($name:ident) => {
        $name
    };
    ($name:ident $payload:ty) => {
        $payload
    };
}

/// How a row's data is read: by serde, or as it says.
macro_rules! reader {
    () => {
        read::plain
    };
    ($reader:path) => {
        $reader
    };
}

kinds! {
    /// The session's first line: what its founder fixes for good.
    "session_created", "session", "session, world, forge, registry, organisations, profile", true, false =>
        SessionCreated as Box<SessionCreated>, read::plain;
    /// A writer's first line: who writes on which device.
    "writer_joined", "session", "person, device, program", false, false =>
        WriterJoined as Box<WriterJoined>, read::plain;
    /// The last line of each writer that its own writer knew.
    "heads_seen", "session", "heads: [writer, seq, hash]", false, false =>
        HeadsSeen as Unread<Json>, read::not_at_all;
    /// The policy that judges from now on.
    "policy_adopted", "session", "digest, policy", true, true =>
        PolicyAdopted as Box<AdoptedPolicy>, read::policy;
    /// A person's SSH public key: it joins the roster.
    "person_key_adopted", "person", "person, key (SSH public key)", true, true =>
        PersonKeyAdopted {
            #[serde(default)]
            person: Prose,
            key: Box<str>,
        };
    /// What a source answered.
    "observed", "any", "as_of, answer (the fields used, redacted)", true, false =>
        Observed as Box<Observation>, read::observation;
    /// Who answers for a repository; nobody where it is taken away.
    "owner_assigned", "repo", "person", true, false => OwnerAssigned { person: Option<Box<str>> };
    /// Who reviews a repository's change.
    "reviewer_assigned", "repo", "person", true, false => ReviewerAssigned { person: Option<Box<str>> };
    /// Who leads the session.
    "commander_named", "session", "person", true, true => CommanderNamed { person: Option<Box<str>> };
    /// Who approves what cannot be undone, beside the commander.
    "second_approver_named", "session", "person", true, true =>
        SecondApproverNamed { person: Option<Box<str>> };
    /// The lane that a path takes.
    "lane_chosen", "path", "lane, reason", true, false =>
        LaneChosen {
            lane: Lane,
            #[serde(default, skip_serializing_if = "Prose::is_unsaid")]
            reason: Prose,
        };
    /// The last day of a bridge, or of a token.
    "end_date_set", "path, token", "on", true, false => EndDateSet { on: NaiveDate };
    /// How the publish that validates a trust config is planned.
    "validation_planned", "config", "plan, note", true, false =>
        ValidationPlanned {
            plan: ValidationPlan,
            #[serde(default, skip_serializing_if = "Prose::is_unsaid")]
            note: Prose,
        };
    /// A person's word that a gate is met.
    "gate_attested", "the gate's", "gate, note, link", true, false =>
        GateAttested {
            gate: GateId,
            #[serde(default, skip_serializing_if = "Prose::is_unsaid")]
            note: Prose,
            #[serde(default, skip_serializing_if = "Prose::is_unsaid")]
            link: Prose,
        };
    /// A gate that is gone without, up to and with a day.
    "gate_waived", "the gate's", "gate, why, until", true, true =>
        GateWaived {
            gate: GateId,
            #[serde(default, skip_serializing_if = "Prose::is_unsaid")]
            why: Prose,
            until: NaiveDate,
        };
    /// A person's word that a secret holds the token, or that it does not.
    "secret_edge_attested", "token", "secret, holds, note", true, false =>
        SecretEdgeAttested {
            #[serde(deserialize_with = "read::a_secret")]
            secret: Subject,
            holds: bool,
            #[serde(default, skip_serializing_if = "Prose::is_unsaid")]
            note: Prose,
        };
    /// A revocation that was done outside.
    "revocation_recorded", "token", "token_id, on, who, proof", true, true =>
        RevocationRecorded {
            /// As the registry lists it, or the start of it.
            token_id: Box<str>,
            on: NaiveDate,
            #[serde(default)]
            who: Prose,
            /// A link, a ticket, or what was seen.
            #[serde(default)]
            proof: Prose,
        };
    /// A path that an owner finishes after the session.
    "path_carried_over", "path", "owner, until, why", true, true =>
        PathCarriedOver {
            owner: Box<str>,
            until: NaiveDate,
            #[serde(default, skip_serializing_if = "Prose::is_unsaid")]
            why: Prose,
        };
    /// The repositories that go first because they stand for others.
    "representatives_chosen", "session", "repos", true, false => RepresentativesChosen { repos: Box<[Subject]> };
    /// The repositories whose release is rehearsed.
    "canaries_chosen", "session", "repos", true, false => CanariesChosen { repos: Box<[Subject]> };
    /// Whether a person's account still owes a list of its tokens.
    "token_list_owed", "person", "owed, account", true, false =>
        TokenListOwed {
            owed: bool,
            /// Login of the account; empty where an undo repeats only what its slot needs.
            #[serde(default, skip_serializing_if = "str::is_empty")]
            account: Box<str>,
        };
    /// Work that is due later.
    "follow_up_dated", "any", "on, what", true, false =>
        FollowUpDated {
            on: NaiveDate,
            #[serde(default, skip_serializing_if = "Prose::is_unsaid")]
            what: Prose,
        };
    /// A person's note.
    "note_added", "any", "text", false, false => NoteAdded as Unread<Note>, read::not_at_all;
    /// Evidence that a person attached.
    "evidence_added", "any", "form, what, digest, bytes", false, false =>
        EvidenceAdded as Unread<Evidence>, read::not_at_all;
    /// A decision that was taken back: what it had replaced stands again.
    "decision_undone", "the decision's", "undoes, of (the data of what is undone)", true, false =>
        DecisionUndone as Undone, undone;
    /// A seal over every line before it.
    "sealed", "session", "digest, events, heads", false, true => Sealed as Unread<Json>, read::not_at_all;
}

/// Finds a kind's row.
pub fn spec(kind: &str) -> Option<&'static KindSpec> {
    KINDS.iter().find(|spec| spec.kind == kind)
}

/// A decision that is taken back.
#[derive(Debug, Clone, PartialEq)]
pub struct Undone {
    /// The event's name in the file: `writer:seq`.
    pub undoes: Box<str>,
    /// The decision again, as far as its slot needs it.
    pub of: Box<Event>,
}

impl Serialize for Undone {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut fields = to.serialize_struct("Undone", 3)?;
        fields.serialize_field("undoes", &self.undoes)?;
        fields.serialize_field("kind", self.of.kind())?;
        fields.serialize_field("of", &*self.of)?;
        fields.end()
    }
}

fn undone(given: Given<'_>) -> Result<Undone, BadEvent> {
    #[derive(Deserialize)]
    struct Fields<'a> {
        undoes: Box<str>,
        kind: Box<str>,
        #[serde(borrow)]
        of: &'a RawValue,
    }
    let Fields { undoes, kind, of } = read::plain(given)?;
    let of = Event::parse(&kind, given.crit, of.get())?;
    if matches!(of, Event::DecisionUndone(_)) {
        return Err(BadEvent::Nested);
    }
    let of = Box::new(of);
    Ok(Undone { undoes, of })
}

macro_rules! boxed {
    ($($name:ident: $data:ty),+) => {
        $(impl From<$data> for Event {
            fn from(data: $data) -> Self {
                Self::$name(data.into())
            }
        })+
    };
}

boxed! {
    WriterJoined: WriterJoined, PolicyAdopted: AdoptedPolicy, Observed: Observation, NoteAdded: Note,
    EvidenceAdded: Evidence, DecisionUndone: Undone
}
