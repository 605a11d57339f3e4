//! The event kinds: one table, and the typed form of each kind's data.
//!
//! A kind is a word in the past tense. Kinds of later versions are not here: an unknown kind is kept byte for byte,
//! and a critical one makes its subject's gates unknown.

use super::decision::ValidationPlan;
use super::fact::Answer;
use super::gate::GateId;
use super::id::{Kind, Subject};
use super::lane::Lane;
use super::policy::{Policy, Profile};
use super::time::Ts;
use chrono::NaiveDate;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use sha2::{Digest as _, Sha256};

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

macro_rules! kinds {
    ($($kind:literal, $subject:literal, $data:literal, $crit:literal, $signed:literal;)+) => {
        /// Every kind that this version writes and reads.
        pub const KINDS: &[KindSpec] = &[
            $(KindSpec { kind: $kind, subject: $subject, data: $data, crit: $crit, signed: $signed, since: "0.1" },)+
        ];
    };
}

kinds! {
    "session_created", "session", "session, world, forge, registry, organisations, profile", true, false;
    "writer_joined", "session", "person, device, program", false, false;
    "heads_seen", "session", "heads: [writer, seq, hash]", false, false;
    "policy_adopted", "session", "digest, policy", true, true;
    "person_key_adopted", "person", "person, key (SSH public key)", true, true;
    "observed", "any", "as_of, answer (the fields used, redacted)", true, false;
    "owner_assigned", "repo", "person", true, false;
    "reviewer_assigned", "repo", "person", true, false;
    "commander_named", "session", "person", true, true;
    "second_approver_named", "session", "person", true, true;
    "lane_chosen", "path", "lane, reason", true, false;
    "end_date_set", "path, token", "on", true, false;
    "validation_planned", "config", "plan, note", true, false;
    "gate_attested", "the gate's", "gate, note, link", true, false;
    "gate_waived", "the gate's", "gate, why, until", true, true;
    "secret_edge_attested", "token", "secret, holds, note", true, false;
    "revocation_recorded", "token", "token_id, on, who, proof", true, true;
    "path_carried_over", "path", "owner, until, why", true, true;
    "representatives_chosen", "session", "repos", true, false;
    "canaries_chosen", "session", "repos", true, false;
    "token_list_owed", "person", "owed, account", true, false;
    "follow_up_dated", "any", "on, what", true, false;
    "note_added", "any", "text", false, false;
    "evidence_added", "any", "form, what, digest, bytes", false, false;
    "decision_undone", "the decision's", "undoes, of (the data of what is undone)", true, false;
    "sealed", "session", "digest, events, heads", false, true;
}

/// Finds a kind's row.
pub fn spec(kind: &str) -> Option<&'static KindSpec> {
    KINDS.iter().find(|spec| spec.kind == kind)
}

/// The world a session plays in. Worlds never merge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum World {
    #[default]
    Real,
    Tabletop,
}

/// What the founder fixes for good.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SessionCreated {
    /// 128 random bits in lower-case hex.
    pub session: Box<str>,
    pub world: World,
    /// Host of the forge; actions outside it are refused.
    pub forge: Box<str>,
    /// Origin of the registry; actions outside it are refused.
    pub registry: Box<str>,
    pub organisations: Vec<Box<str>>,
    pub profile: Profile,
    /// The name that screens show.
    #[serde(default)]
    pub name: Box<str>,
    /// Patterns of the repositories that the forge's are chosen by; none takes all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<Box<str>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<Box<str>>,
}

/// Who writes on which device.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct WriterJoined {
    pub person: Box<str>,
    pub device: Box<str>,
    pub program: Box<str>,
}

/// One observation: when the answer was true, by the source's clock where it has one, and the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    pub as_of: Ts,
    #[serde(flatten)]
    pub answer: Answer,
}

/// The form that evidence takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EvidenceForm {
    Text,
    Url,
    File,
}

/// Evidence a person attached. A file is named by its digest; its bytes stay where they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    pub form: EvidenceForm,
    /// The text, the address, or the file's name.
    pub what: Box<str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Box<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
}

/// The typed data of every kind.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    SessionCreated(Box<SessionCreated>),
    WriterJoined(Box<WriterJoined>),
    HeadsSeen,
    PolicyAdopted(Box<Policy>),
    PersonKeyAdopted {
        key: Box<str>,
    },
    Observed(Box<Observation>),
    OwnerAssigned(Option<Box<str>>),
    ReviewerAssigned(Option<Box<str>>),
    CommanderNamed(Option<Box<str>>),
    SecondApproverNamed(Option<Box<str>>),
    LaneChosen {
        lane: Lane,
    },
    EndDateSet {
        on: NaiveDate,
    },
    ValidationPlanned {
        plan: ValidationPlan,
    },
    GateAttested {
        gate: GateId,
    },
    GateWaived {
        gate: GateId,
        until: NaiveDate,
    },
    SecretEdgeAttested {
        secret: Subject,
        holds: bool,
    },
    RevocationRecorded {
        token_id: Box<str>,
        on: NaiveDate,
        proof: bool,
    },
    PathCarriedOver {
        owner: Box<str>,
        until: NaiveDate,
    },
    RepresentativesChosen(Vec<Subject>),
    CanariesChosen(Vec<Subject>),
    TokenListOwed {
        owed: bool,
        /// Login of the account; empty where an undo repeats only what its slot needs.
        account: Box<str>,
    },
    FollowUpDated {
        on: NaiveDate,
    },
    NoteAdded,
    EvidenceAdded,
    DecisionUndone {
        undoes: Box<str>,
        of: Box<Event>,
    },
    SessionSealed,
}

/// Why an event's data could not be used.
#[derive(Debug, thiserror::Error)]
pub enum BadEvent {
    #[error("kind `{kind}` is not known to this version")]
    UnknownKind { kind: String, crit: bool },
    #[error("data of kind `{kind}` cannot be read: {why}")]
    Data { kind: String, why: String },
    #[error("an undone decision inside an undone decision")]
    Nested,
}

#[derive(Deserialize)]
struct PersonData {
    person: Option<Box<str>>,
}
#[derive(Deserialize)]
struct LaneData {
    lane: Lane,
}
#[derive(Deserialize)]
struct OnData {
    on: NaiveDate,
}
#[derive(Deserialize)]
struct PlanData<'a> {
    plan: std::borrow::Cow<'a, str>,
}
#[derive(Deserialize)]
struct GateData<'a> {
    #[serde(borrow)]
    gate: std::borrow::Cow<'a, str>,
    #[serde(default)]
    until: Option<NaiveDate>,
}
#[derive(Deserialize)]
struct EdgeData {
    secret: Subject,
    holds: bool,
}
#[derive(Deserialize)]
struct RevokedData {
    token_id: Box<str>,
    on: NaiveDate,
    #[serde(default)]
    proof: Option<Box<str>>,
}
#[derive(Deserialize)]
struct CarriedData {
    owner: Box<str>,
    until: NaiveDate,
}
#[derive(Deserialize)]
struct ReposData {
    repos: Vec<Subject>,
}
#[derive(Deserialize)]
struct OwedData {
    owed: bool,
    #[serde(default)]
    account: Box<str>,
}
#[derive(Deserialize)]
struct KeyData {
    key: Box<str>,
}
#[derive(Deserialize)]
struct PolicyData<'a> {
    digest: Box<str>,
    #[serde(borrow)]
    policy: &'a serde_json::value::RawValue,
}
#[derive(Deserialize)]
struct UndoneData<'a> {
    undoes: Box<str>,
    kind: Box<str>,
    #[serde(borrow)]
    of: &'a serde_json::value::RawValue,
}

/// An observation in the order of fields in which this program writes it. Any other order reads as [`Observation`].
///
/// A flattened field makes serde copy the whole object first: a third of the time of reading a large session.
struct AsWritten(Observation);

impl<'de> Deserialize<'de> for AsWritten {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Visit;
        impl<'de> Visitor<'de> for Visit {
            type Value = AsWritten;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an observation as this program writes it")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<AsWritten, A::Error> {
                let other = || A::Error::custom("fields in another order");
                if map.next_key::<std::borrow::Cow<'de, str>>()?.as_deref() != Some("as_of") {
                    return Err(other());
                }
                let as_of = map.next_value()?;
                let answer = Answer::deserialize(MapAccessDeserializer::new(&mut map))?;
                match map.next_key::<IgnoredAny>()? {
                    None => Ok(AsWritten(Observation { as_of, answer })),
                    Some(_) => Err(other()),
                }
            }
        }
        from.deserialize_map(Visit)
    }
}

/// Gives the digest by which an adopted policy is named: SHA-256 of its JSON text, in hexadecimal.
pub fn policy_digest(text: &str) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(text.as_bytes()))
}

impl Event {
    /// Reads the data of a kind.
    ///
    /// # Errors
    /// An unknown kind (the caller keeps the line and honours `crit`), or data that does not fit its kind.
    pub fn parse(kind: &str, crit: bool, data: &str) -> Result<Self, BadEvent> {
        fn read<'a, T: Deserialize<'a>>(kind: &str, data: &'a str) -> Result<T, BadEvent> {
            // Unit conversions of serde's messages would show foreign text; its class and place are enough.
            serde_json::from_str(data).map_err(|error| BadEvent::Data {
                kind: kind.to_owned(),
                why: format!("{:?} at column {}", error.classify(), error.column()),
            })
        }
        let bad = |why: &str| BadEvent::Data {
            kind: kind.to_owned(),
            why: why.to_owned(),
        };
        let person = || read::<PersonData>(kind, data).map(|data| data.person);
        let gate = || {
            let data: GateData<'_> = read(kind, data)?;
            let gate = GateId::parse(&data.gate)
                .ok_or_else(|| bad("a gate that this version does not know"))?;
            Ok((gate, data.until))
        };
        Ok(match kind {
            "session_created" => Self::SessionCreated(Box::new(read(kind, data)?)),
            "writer_joined" => Self::WriterJoined(Box::new(read(kind, data)?)),
            "heads_seen" => Self::HeadsSeen,
            "policy_adopted" => {
                let PolicyData { digest, policy } = read(kind, data)?;
                if policy_digest(policy.get()) != *digest {
                    return Err(bad("the digest is not that of the policy"));
                }
                Self::PolicyAdopted(Box::new(read(kind, policy.get())?))
            }
            "person_key_adopted" => Self::PersonKeyAdopted {
                key: read::<KeyData>(kind, data)?.key,
            },
            "observed" => Self::Observed(Box::new(match serde_json::from_str::<AsWritten>(data) {
                Ok(AsWritten(observation)) => observation,
                Err(_) => read(kind, data)?,
            })),
            "owner_assigned" => Self::OwnerAssigned(person()?),
            "reviewer_assigned" => Self::ReviewerAssigned(person()?),
            "commander_named" => Self::CommanderNamed(person()?),
            "second_approver_named" => Self::SecondApproverNamed(person()?),
            "lane_chosen" => Self::LaneChosen {
                lane: read::<LaneData>(kind, data)?.lane,
            },
            "end_date_set" => Self::EndDateSet {
                on: read::<OnData>(kind, data)?.on,
            },
            "follow_up_dated" => Self::FollowUpDated {
                on: read::<OnData>(kind, data)?.on,
            },
            "validation_planned" => {
                let data: PlanData<'_> = read(kind, data)?;
                Self::ValidationPlanned {
                    plan: ValidationPlan::parse(&data.plan)
                        .ok_or_else(|| bad("an unknown plan"))?,
                }
            }
            "gate_attested" => Self::GateAttested { gate: gate()?.0 },
            "gate_waived" => {
                let (gate, until) = gate()?;
                Self::GateWaived {
                    gate,
                    until: until.ok_or_else(|| bad("a waiver without its last day"))?,
                }
            }
            "secret_edge_attested" => {
                let EdgeData { secret, holds } = read(kind, data)?;
                if secret.kind != Kind::Secret {
                    return Err(bad("an edge to what is no secret"));
                }
                Self::SecretEdgeAttested { secret, holds }
            }
            "revocation_recorded" => {
                let RevokedData {
                    token_id,
                    on,
                    proof,
                } = read(kind, data)?;
                Self::RevocationRecorded {
                    token_id,
                    on,
                    proof: proof.is_some_and(|proof| !proof.is_empty()),
                }
            }
            "path_carried_over" => {
                let CarriedData { owner, until } = read(kind, data)?;
                Self::PathCarriedOver { owner, until }
            }
            "representatives_chosen" => {
                Self::RepresentativesChosen(read::<ReposData>(kind, data)?.repos)
            }
            "canaries_chosen" => Self::CanariesChosen(read::<ReposData>(kind, data)?.repos),
            "token_list_owed" => {
                let OwedData { owed, account } = read(kind, data)?;
                Self::TokenListOwed { owed, account }
            }
            "note_added" => Self::NoteAdded,
            "evidence_added" => Self::EvidenceAdded,
            "sealed" => Self::SessionSealed,
            "decision_undone" => {
                let undone: UndoneData<'_> = read(kind, data)?;
                let of = Self::parse(&undone.kind, crit, undone.of.get())?;
                if matches!(of, Self::DecisionUndone { .. }) {
                    return Err(BadEvent::Nested);
                }
                Self::DecisionUndone {
                    undoes: undone.undoes,
                    of: Box::new(of),
                }
            }
            other => {
                return Err(BadEvent::UnknownKind {
                    kind: other.to_owned(),
                    crit,
                });
            }
        })
    }
}
