//! Decisions: from what somebody wants to the events that say so, or a refusal in words.
//!
//! Pure but for the text of evidence files, which the caller has digested. Every decision of the console and of the
//! command line is one [`Action`].

mod days;

use super::fold::{Fold, slot_of};
use super::name::label;
use crate::model::decision::{Decision, EventId, Slot, Standing, ValidationPlan, Value};
use crate::model::event::{Event, EvidenceForm, spec};
use crate::model::gate::{GateId, GateSpec, State, View, judge};
use crate::model::id::{Kind, Subject};
use crate::model::lane::{Lane, lacks_oidc, propose};
use crate::model::name::Login;
use crate::model::policy::Profile;
use crate::model::revoke::unrehearsed;
use crate::model::time::Ts;
use crate::safe::redact;
use crate::safe::shown::counted;
use chrono::NaiveDate;
use serde_json::{Value as Json, json};

/// How packages are mapped to paths where no file tells.
const MAP_BY_HAND: &str = "import an inventory with the columns repo and packages: `cutover import --inventory FILE`; where the checkout holds no other package, `cutover attest packages-mapped --about PATH --note TEXT` will do";

/// The flag by which what takes the way back is agreed to; the refusal before it names it.
pub const BEFORE_REHEARSAL: &str = "--before-rehearsal";

/// Longest note, in characters.
const MAX_TEXT: usize = 4_000;

/// Who does what for a repository or for the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Owner,
    Reviewer,
    Commander,
    SecondApprover,
}

/// What somebody decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Gives a role to a person, or takes it away.
    Assign {
        about: Vec<Subject>,
        role: Role,
        person: Option<String>,
    },
    ChooseLane {
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
    PlanValidation {
        configs: Vec<Subject>,
        plan: ValidationPlan,
        note: String,
    },
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
    /// Says that a secret holds a token, or that it does not.
    AttestEdge {
        token: Subject,
        secret: Subject,
        holds: bool,
        note: String,
    },
    /// Says that a token stands in every secret in which another stood: the secrets were rotated.
    ReplaceToken {
        new: Subject,
        old: Subject,
        note: String,
    },
    /// Records a revocation that was done outside.
    RecordRevocation {
        token: Subject,
        token_id: String,
        on: NaiveDate,
        who: String,
        proof: String,
    },
    CarryOver {
        paths: Vec<Subject>,
        owner: String,
        until: NaiveDate,
        why: String,
    },
    ChooseRepresentatives {
        repos: Vec<Subject>,
    },
    ChooseCanaries {
        repos: Vec<Subject>,
    },
    OweTokenList {
        account: String,
        owed: bool,
    },
    DateFollowUp {
        about: Subject,
        on: NaiveDate,
        what: String,
    },
    Note {
        about: Subject,
        text: String,
    },
    AddEvidence {
        about: Subject,
        form: EvidenceForm,
        what: String,
        digest: Option<String>,
        bytes: Option<u64>,
    },
    /// Takes back one's own decision; none: the last one.
    Undo {
        event: Option<EventId>,
    },
}

/// Why a decision is refused: what is wrong and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Refusal {
    pub what: String,
    pub hint: Option<String>,
}

fn refuse(what: impl Into<String>) -> Refusal {
    Refusal {
        what: what.into(),
        hint: None,
    }
}

fn refuse_with(what: impl Into<String>, hint: impl Into<String>) -> Refusal {
    Refusal {
        what: what.into(),
        hint: Some(hint.into()),
    }
}

/// What to do where no bridge fits before the cut-off any more.
const NO_BRIDGE: &str = "choose staged-token or trusted";

fn bridge_ends(cutoff: NaiveDate) -> String {
    format!("a bridge must end before {cutoff}, the first possible day of the January cut-off")
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

/// An event that is ready to be appended.
#[derive(Debug, Clone, PartialEq)]
pub struct Drafted {
    pub kind: &'static str,
    pub about: Subject,
    pub crit: bool,
    pub over: Vec<EventId>,
    pub data: Json,
}

/// Turns an action into events.
///
/// # Errors
/// A refusal: nothing was changed.
pub fn decide(fold: &Fold, action: &Action, actor: &str, now: Ts) -> Result<Vec<Drafted>, Refusal> {
    let maker = Maker { fold, actor, now };
    match action {
        Action::Assign {
            about,
            role,
            person,
        } => maker.assign(about, *role, person.as_deref()),
        Action::ChooseLane {
            paths,
            lane,
            reason,
        } => maker.lane(paths, *lane, reason),
        Action::AcceptProposals { about } => maker.accept_proposals(about),
        Action::SetEndDate { about, on } => maker.end_date(about, *on),
        Action::PlanValidation {
            configs,
            plan,
            note,
        } => maker.each(configs, Kind::Config, |config| {
            maker.mapped(config)?;
            Ok((
                "validation_planned",
                json!({"plan": plan.word(), "note": maker.text(note)?}),
            ))
        }),
        Action::Attest {
            about,
            gate,
            note,
            link,
            before_rehearsal,
        } => maker.attest(about, *gate, note, link.as_deref(), *before_rehearsal),
        Action::Waive {
            about,
            gate,
            why,
            until,
        } => maker.waive(about, *gate, why, *until),
        Action::AttestEdge {
            token,
            secret,
            holds,
            note,
        } => maker.edge(*token, *secret, *holds, note),
        Action::ReplaceToken { new, old, note } => maker.replace(*new, *old, note),
        Action::RecordRevocation {
            token,
            token_id,
            on,
            who,
            proof,
        } => maker.revocation(*token, token_id, *on, who, proof),
        Action::CarryOver {
            paths,
            owner,
            until,
            why,
        } => maker.carry_over(paths, owner, *until, why),
        Action::ChooseRepresentatives { repos } => maker.cohort("representatives_chosen", repos),
        Action::ChooseCanaries { repos } => maker.cohort("canaries_chosen", repos),
        Action::OweTokenList { account, owed } => {
            let login = maker.login(account)?;
            maker
                .one(
                    Subject::person(&login),
                    "token_list_owed",
                    json!({"owed": owed, "account": login}),
                )
                .map(|one| vec![one])
        }
        Action::DateFollowUp { about, on, what } => {
            days::ahead(*on, now)?;
            let what = maker.said(what, "say what is due")?;
            maker
                .one(*about, "follow_up_dated", json!({"on": on, "what": what}))
                .map(|one| vec![one])
        }
        Action::Note { about, text } => {
            let text = maker.said(text, "a note needs words")?;
            maker
                .one(*about, "note_added", json!({ "text": text }))
                .map(|one| vec![one])
        }
        Action::AddEvidence {
            about,
            form,
            what,
            digest,
            bytes,
        } => maker.evidence(*about, *form, what, digest.as_deref(), *bytes),
        Action::Undo { event } => maker.undo(*event),
    }
}

struct Maker<'a> {
    fold: &'a Fold,
    actor: &'a str,
    now: Ts,
}

impl Maker<'_> {
    /// Makes one event, over the decisions that stand in its slot.
    fn one(&self, about: Subject, kind: &'static str, data: Json) -> Result<Drafted, Refusal> {
        let spec = spec(kind).ok_or_else(|| refuse("no such kind of event"))?;
        let event = Event::parse(kind, spec.crit, &data.to_string())
            .map_err(|error| refuse(error.to_string()))?;
        let over = slot_of(event)
            .and_then(|(slot, _)| {
                self.fold
                    .facts
                    .decided
                    .get(&about)?
                    .slot(slot)
                    .map(crate::model::decision::History::heads)
            })
            .unwrap_or_default();
        Ok(Drafted {
            kind,
            about,
            crit: spec.crit,
            over,
            data,
        })
    }

    fn each(
        &self,
        about: &[Subject],
        kind: Kind,
        make: impl Fn(Subject) -> Result<(&'static str, Json), Refusal>,
    ) -> Result<Vec<Drafted>, Refusal> {
        if about.is_empty() {
            return Err(refuse_with("nothing is selected", "select a row first"));
        }
        let reached = self.reach(about, &[kind]);
        if reached.is_empty() {
            return Err(refuse(format!("nothing here has a {}", kind.word())));
        }
        reached
            .into_iter()
            .map(|subject| {
                self.known(subject)?;
                if subject.kind != kind {
                    return Err(refuse(format!(
                        "this is about a {}, not a {}",
                        kind.word(),
                        subject.kind.word()
                    )));
                }
                let (event, data) = make(subject)?;
                self.one(subject, event, data)
            })
            .collect()
    }

    /// Gives the subjects that are meant: a repository stands for what it has of these kinds, in a fixed order.
    fn reach(&self, about: &[Subject], kinds: &[Kind]) -> Vec<Subject> {
        let facts = &self.fold.facts;
        let mut reached = Vec::new();
        for subject in about {
            let repo = facts
                .repos
                .get(subject)
                .filter(|_| !kinds.contains(&subject.kind));
            let Some(repo) = repo else {
                reached.push(*subject);
                continue;
            };
            let refs = facts
                .path_refs
                .iter()
                .filter(|(_, path)| repo.paths().contains(path));
            let mut all: Vec<Subject> = facts.open_paths(*subject).map(|(path, _)| path).collect();
            all.extend(
                repo.packages
                    .iter()
                    .chain(&repo.secrets)
                    .chain(&repo.configs),
            );
            if kinds.contains(&Kind::PathRef) {
                all.extend(refs.map(|(one, _)| *one));
            }
            all.retain(|one| kinds.contains(&one.kind));
            all.sort_unstable();
            reached.extend(all);
        }
        let mut seen = std::collections::BTreeSet::new();
        reached.retain(|subject| seen.insert(*subject));
        reached
    }

    fn known(&self, subject: Subject) -> Result<(), Refusal> {
        let facts = &self.fold.facts;
        let known = match subject.kind {
            Kind::Session => true,
            Kind::Repo => facts.repos.contains_key(&subject),
            Kind::Path => facts.paths.contains_key(&subject),
            Kind::PathRef => facts.path_refs.contains_key(&subject),
            Kind::Package => facts.packages.contains_key(&subject),
            Kind::Config => facts.configs.contains_key(&subject),
            Kind::Secret => facts.secrets.contains_key(&subject),
            Kind::Token => facts.tokens.contains_key(&subject),
            Kind::Person => facts.persons.contains_key(&subject),
        };
        if known {
            Ok(())
        } else {
            Err(refuse(format!(
                "no {} is called {} in this session",
                subject.kind.word(),
                subject
            )))
        }
    }

    /// Takes text of a person. A token in it is refused, not redacted: it must not even be typed.
    fn text(&self, text: &str) -> Result<String, Refusal> {
        let text = text.trim();
        if text.chars().count() > MAX_TEXT {
            return Err(refuse_with(
                format!("longer than {MAX_TEXT} characters"),
                "attach it as a file instead",
            ));
        }
        if !redact::find(text).is_empty() {
            return Err(refuse_with(
                "this contains a credential; it was not kept",
                "remove the credential from the text, and revoke it",
            ));
        }
        Ok(text.to_owned())
    }

    fn said(&self, text: &str, otherwise: &str) -> Result<String, Refusal> {
        let text = self.text(text)?;
        if text.is_empty() {
            Err(refuse(otherwise))
        } else {
            Ok(text)
        }
    }

    fn login(&self, login: &str) -> Result<String, Refusal> {
        let login = login.trim().trim_start_matches('@');
        Login::parse(login)
            .map(|login| login.to_string())
            .map_err(|error| refuse_with(error.to_string(), "letters, digits and - _ . @ + only"))
    }

    fn assign(
        &self,
        about: &[Subject],
        role: Role,
        person: Option<&str>,
    ) -> Result<Vec<Drafted>, Refusal> {
        let person = person.map(|person| self.login(person)).transpose()?;
        let data = || json!({ "person": person });
        match role {
            Role::Owner => self.each(about, Kind::Repo, |_| Ok(("owner_assigned", data()))),
            Role::Reviewer => self.each(about, Kind::Repo, |repo| {
                if person.is_some() && self.fold.facts.owner(repo) == person.as_deref() {
                    return Err(refuse_with(
                        "the owner cannot review their own change",
                        "name somebody else",
                    ));
                }
                Ok(("reviewer_assigned", data()))
            }),
            Role::Commander => {
                self.two_people(person.as_deref(), Slot::SecondApprover)?;
                self.one(Subject::SESSION, "commander_named", data())
                    .map(|one| vec![one])
            }
            Role::SecondApprover => {
                if self.fold.facts.session.profile == Profile::Solo {
                    return Err(refuse(
                        "a solo session has no second approver: irreversible steps wait for a cooling-off time instead",
                    ));
                }
                self.two_people(person.as_deref(), Slot::Commander)?;
                self.one(Subject::SESSION, "second_approver_named", data())
                    .map(|one| vec![one])
            }
        }
    }

    /// Refuses a commander who would approve their own steps.
    fn two_people(&self, person: Option<&str>, other: Slot) -> Result<(), Refusal> {
        let named = self.fold.facts.decision(Subject::SESSION, other);
        match named.map(|one| &one.value) {
            Some(Value::Person(other)) if person == Some(&**other) => Err(refuse_with(
                "the commander cannot be the second approver",
                "name somebody else",
            )),
            _ => Ok(()),
        }
    }

    fn lane(&self, paths: &[Subject], lane: Lane, reason: &str) -> Result<Vec<Drafted>, Refusal> {
        let cutoff = self.fold.facts.policy.cutoff_earliest;
        if lane == Lane::Bridge && self.now.day() >= cutoff {
            return Err(refuse_with(bridge_ends(cutoff), NO_BRIDGE));
        }
        let reason = self.text(reason)?;
        let facts = &self.fold.facts;
        self.each(paths, Kind::Path, |path| {
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
            Ok(("lane_chosen", json!({"lane": lane, "reason": reason})))
        })
    }

    /// A proposal is taken with its reason, and a bridge with its end: nobody has to look for either later.
    fn accept_proposals(&self, about: &[Subject]) -> Result<Vec<Drafted>, Refusal> {
        let facts = &self.fold.facts;
        let mut drafted = Vec::new();
        for path in self.reach(about, &[Kind::Path]) {
            self.known(path)?;
            let proposal = facts
                .path(path)
                .and_then(|fact| propose(fact, self.now.day(), &facts.policy));
            let (None, Some(proposal)) = (facts.lane(path), proposal) else {
                continue;
            };
            let data = json!({"lane": proposal.lane, "reason": format!("as proposed: {}", proposal.reason)});
            drafted.push(self.one(path, "lane_chosen", data)?);
            if let Some(on) = proposal.until {
                drafted.push(self.one(path, "end_date_set", json!({ "on": on }))?);
            }
        }
        if drafted.is_empty() {
            return Err(refuse(
                "every path here has a lane, or publishes to another registry: to change one, name the lane",
            ));
        }
        Ok(drafted)
    }

    fn end_date(&self, about: &[Subject], on: NaiveDate) -> Result<Vec<Drafted>, Refusal> {
        days::ahead(on, self.now)?;
        let cutoff = self.fold.facts.policy.cutoff_earliest;
        self.each(about, Kind::Path, |path| {
            if self.fold.facts.lane(path) == Some(Lane::Bridge) {
                days::of_bridge(on, cutoff, self.now)?;
            }
            Ok(("end_date_set", json!({ "on": on })))
        })
    }

    fn attest(
        &self,
        about: &[Subject],
        gate: GateId,
        note: &str,
        link: Option<&str>,
        before_rehearsal: bool,
    ) -> Result<Vec<Drafted>, Refusal> {
        if let Some(command) = gate.spec().decision {
            return Err(refuse_with(
                format!("{} is answered by a decision of its own", gate.word()),
                format!("decide it: `{command}`"),
            ));
        }
        let note = self.said(
            note,
            "an attestation needs a note: what was seen, where and when",
        )?;
        let link = link
            .map(|link| self.link(link, "put anything else into the note"))
            .transpose()?
            .flatten();
        let ends = [GateId::TOKENS_REVOKED, GateId::SECRETS_DELETED].contains(&gate);
        self.gated(about, gate, |subject| {
            let view = View::new(&self.fold.facts, subject, self.now);
            let verdict = judge(&view, gate);
            if ends && !before_rehearsal && verdict.state != State::Blocked {
                self.rehearsed(subject)?;
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
                _ => Ok((
                    "gate_attested",
                    json!({"gate": gate.word(), "note": note, "link": link}),
                )),
            }
        })
    }

    /// Refuses what ends a secret or token while a path of its chain has no other way that was rehearsed.
    fn rehearsed(&self, about: Subject) -> Result<(), Refusal> {
        let facts = &self.fold.facts;
        let waiting = unrehearsed(facts, about, self.now);
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

    /// Refuses to plan for a trust config whose package is a guess.
    fn mapped(&self, config: Subject) -> Result<(), Refusal> {
        let facts = &self.fold.facts;
        let Some(path) = facts.configs.get(&config).map(|config| config.path) else {
            return Ok(());
        };
        let verdict = judge(&View::new(facts, path, self.now), GateId::PACKAGES_MAPPED);
        match verdict.state.is_met() {
            true => Ok(()),
            false => Err(refuse_with(
                format!(
                    "which packages {} publishes is not known (gate packages-mapped): {}",
                    label(facts, path),
                    verdict.why
                ),
                MAP_BY_HAND,
            )),
        }
    }

    fn waive(
        &self,
        about: &[Subject],
        gate: GateId,
        why: &str,
        until: NaiveDate,
    ) -> Result<Vec<Drafted>, Refusal> {
        let why = self.said(why, "a waiver needs a reason")?;
        days::of_waiver(until, self.now)?;
        if gate.spec().said {
            return Err(refuse_with(
                format!(
                    "{} cannot be waived: it is what an end state says",
                    gate.word()
                ),
                "choose another lane (`cutover lane`), or carry the path over (`cutover carry-over`)",
            ));
        }
        self.gated(about, gate, |_| {
            Ok((
                "gate_waived",
                json!({"gate": gate.word(), "why": why, "until": until}),
            ))
        })
    }

    fn gated(
        &self,
        about: &[Subject],
        gate: GateId,
        make: impl Fn(Subject) -> Result<(&'static str, Json), Refusal>,
    ) -> Result<Vec<Drafted>, Refusal> {
        let spec = gate.spec();
        if about.is_empty() {
            return Err(refuse_with("nothing is selected", "select a row first"));
        }
        let mut reached = self.reach(about, spec.subjects);
        // Of what a repository stands for, only what is still open is meant.
        let facts = &self.fold.facts;
        let is_open = |subject: Subject| {
            let state = judge(&View::new(facts, subject, self.now), gate).state;
            !state.is_met() && state != State::NotApplicable
        };
        reached.retain(|subject| about.contains(subject) || is_open(*subject));
        if reached.is_empty() {
            // A token may be other repositories' too, so it is named and not reached.
            let tokens = about.iter().flat_map(|one| facts.tokens_of_repo(*one));
            let token = tokens
                .filter(|token| spec.subjects.contains(&token.kind))
                .find(|token| is_open(*token));
            let hint = token
                .map(|token| format!("it is open of {0}: --about token:{0}", label(facts, token)));
            return Err(refuse_with(
                format!("no selected subject has gate {} open", spec.id),
                hint.unwrap_or_else(|| judged_of(spec)),
            ));
        }
        reached
            .into_iter()
            .map(|subject| {
                self.known(subject)?;
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
                let (kind, data) = make(subject)?;
                self.one(subject, kind, data)
            })
            .collect()
    }

    /// Takes a link; `otherwise` is where anything else belongs.
    fn link(&self, link: &str, otherwise: &str) -> Result<Option<String>, Refusal> {
        let link = self.text(link)?;
        match link.as_str() {
            "" => Ok(None),
            web if web.starts_with("https://") && !web.contains(char::is_whitespace) => {
                Ok(Some(link))
            }
            _ => Err(refuse_with(
                "a link starts with https:// and has no spaces",
                otherwise,
            )),
        }
    }

    fn edge(
        &self,
        token: Subject,
        secret: Subject,
        holds: bool,
        note: &str,
    ) -> Result<Vec<Drafted>, Refusal> {
        self.known(secret)?;
        let note = self.said(note, "add --note with how you know")?;
        self.each(&[token], Kind::Token, |_| {
            Ok((
                "secret_edge_attested",
                json!({"secret": secret, "holds": holds, "note": note}),
            ))
        })
    }

    fn replace(&self, new: Subject, old: Subject, note: &str) -> Result<Vec<Drafted>, Refusal> {
        if new == old {
            return Err(refuse("a token does not replace itself"));
        }
        let facts = &self.fold.facts;
        let secrets = facts.secrets_of(old);
        if secrets.is_empty() {
            return Err(refuse_with(
                format!("no secret is known to hold {}", label(facts, old)),
                "name the secrets of the new token: cutover edge TOKEN SECRET --holds --note TEXT",
            ));
        }
        let mut drafted = Vec::with_capacity(2 * secrets.len());
        for secret in secrets {
            drafted.extend(self.edge(new, secret, true, note)?);
            drafted.extend(self.edge(old, secret, false, note)?);
        }
        Ok(drafted)
    }

    fn revocation(
        &self,
        token: Subject,
        token_id: &str,
        on: NaiveDate,
        who: &str,
        proof: &str,
    ) -> Result<Vec<Drafted>, Refusal> {
        days::behind(on, self.now)?;
        let proof = self.said(
            proof,
            "a revocation needs a proof: a link, a ticket, or what was seen",
        )?;
        let who = self.login(who)?;
        let token_id = self.said(token_id, "name the token's id as the registry lists it")?;
        // Either may be the start of the other: npm prints no more than the start of a granular token's key.
        let listed = Some(self.fold.facts.token_key(token)).filter(|key| !key.is_empty());
        let fits = |key: &str| key.starts_with(&token_id) || token_id.starts_with(key);
        if listed.is_some_and(|key| !fits(key)) {
            return Err(refuse_with(
                "this id is not the token's that was selected",
                "compare it with the token list",
            ));
        }
        let longest = listed.filter(|key| key.len() > token_id.len());
        let id = longest.unwrap_or(&token_id).to_owned();
        self.each(&[token], Kind::Token, |_| {
            Ok((
                "revocation_recorded",
                json!({"token_id": id, "on": on, "who": who, "proof": proof}),
            ))
        })
    }

    fn carry_over(
        &self,
        paths: &[Subject],
        owner: &str,
        until: NaiveDate,
        why: &str,
    ) -> Result<Vec<Drafted>, Refusal> {
        days::ahead(until, self.now)?;
        let (owner, why) = (
            self.login(owner)?,
            self.said(why, "say why it is carried over")?,
        );
        self.each(paths, Kind::Path, |_| {
            Ok((
                "path_carried_over",
                json!({"owner": owner, "until": until, "why": why}),
            ))
        })
    }

    fn cohort(&self, kind: &'static str, repos: &[Subject]) -> Result<Vec<Drafted>, Refusal> {
        for repo in repos {
            self.known(*repo)?;
            if repo.kind != Kind::Repo {
                return Err(refuse("only repositories can be selected"));
            }
        }
        let mut repos = repos.to_vec();
        repos.sort_unstable();
        repos.dedup();
        self.one(Subject::SESSION, kind, json!({ "repos": repos }))
            .map(|one| vec![one])
    }

    fn evidence(
        &self,
        about: Subject,
        form: EvidenceForm,
        what: &str,
        digest: Option<&str>,
        bytes: Option<u64>,
    ) -> Result<Vec<Drafted>, Refusal> {
        self.known(about)?;
        let what = match form {
            EvidenceForm::Url => self
                .link(what, "use --text for anything else")?
                .ok_or_else(|| refuse("evidence needs an address"))?,
            EvidenceForm::Text | EvidenceForm::File => {
                self.said(what, "evidence needs words or a file")?
            }
        };
        self.one(
            about,
            "evidence_added",
            json!({"form": form, "what": what, "digest": digest, "bytes": bytes}),
        )
        .map(|one| vec![one])
    }

    /// Takes back a decision of one's own, while nothing stands over it. Outcomes are never taken back.
    fn undo(&self, event: Option<EventId>) -> Result<Vec<Drafted>, Refusal> {
        let facts = &self.fold.facts;
        let all = || {
            facts.decided.iter().flat_map(|(about, decided)| {
                decided.slots().flat_map(move |(slot, history)| {
                    let heads = history.heads();
                    history
                        .all()
                        .iter()
                        .map(move |one| (*about, slot, one, heads.contains(&one.id)))
                })
            })
        };
        // An undo is no decision to take back again: going further back means the one before it.
        let last_mine = |but: Option<Slot>| {
            all()
                .filter(|(_, slot, one, head)| {
                    let mine = *head && &*one.by == self.actor && but != Some(*slot);
                    mine && !matches!(one.value, Value::Undo(_))
                })
                .max_by_key(|(_, _, one, _)| (one.tick, one.id))
        };
        let found = match event {
            Some(id) => all().filter(|(_, _, one, _)| one.id == id).last(),
            None => last_mine(None),
        };
        let Some((about, slot, decision, head)) = found else {
            return Err(refuse("you have no decision to undo"));
        };
        if &*decision.by != self.actor {
            return Err(refuse_with(
                format!("this was decided by {}", decision.by),
                "decide anew instead: both stay in the log",
            ));
        }
        if !head {
            return Err(refuse_with(
                "a later decision replaced it",
                "take back the later decision first",
            ));
        }
        if slot == Slot::Revocation {
            let older = last_mine(Some(Slot::Revocation));
            let older = older.and_then(|(_, _, one, _)| self.fold.name(one.id));
            let hint = older.map(|id| {
                format!("undo an older decision by its event: `cutover undo {id}` is your last one before; `cutover log list` lists them")
            });
            return Err(Refusal {
                what: "a recorded outcome stays; correct it by recording it again".to_owned(),
                hint,
            });
        }
        let together = match event {
            Some(_) => vec![(about, decision)],
            None => self.decided_with(slot, decision),
        };
        let undo = |(about, decision)| self.undo_one(about, slot, decision);
        together.into_iter().map(undo).collect()
    }

    /// Gives what was decided in one breath with a decision: the same for other subjects, written without a gap.
    fn decided_with(&self, slot: Slot, last: &Decision) -> Vec<(Subject, &Decision)> {
        let facts = &self.fold.facts;
        let mut same: Vec<(Subject, &Decision)> = facts
            .decided
            .iter()
            .filter_map(|(about, decided)| Some((*about, decided.slot(slot)?)))
            .flat_map(|(about, history)| {
                let heads = history.heads();
                let standing = history.all().iter();
                standing
                    .filter(move |one| heads.contains(&one.id))
                    .map(move |one| (about, one))
            })
            .filter(|(_, one)| {
                let of = (one.id.writer, one.at, &one.by);
                of == (last.id.writer, last.at, &last.by) && one.id.seq <= last.id.seq
            })
            .filter(|(_, one)| !matches!(one.value, Value::Undo(_)))
            .collect();
        same.sort_unstable_by_key(|(_, one)| std::cmp::Reverse(one.id.seq));
        let gap = (1..)
            .zip(same.windows(2))
            .find(|(_, pair)| matches!(pair, [one, before] if before.1.id.seq + 1 != one.1.id.seq));
        same.truncate(gap.map_or(usize::MAX, |(at, _)| at));
        same
    }

    fn undo_one(
        &self,
        about: Subject,
        slot: Slot,
        decision: &Decision,
    ) -> Result<Drafted, Refusal> {
        let (kind, data) =
            undone(slot, &decision.value).ok_or_else(|| refuse("this cannot be undone"))?;
        let undoes = self
            .fold
            .name(decision.id)
            .ok_or_else(|| refuse("its writer is not known"))?
            .to_string();
        Ok(Drafted {
            kind: "decision_undone",
            about,
            crit: true,
            over: vec![decision.id],
            data: json!({"undoes": undoes, "kind": kind, "of": data}),
        })
    }
}

/// Gives the kind and data of a decision again, as far as its slot needs them.
fn undone(slot: Slot, value: &Value) -> Option<(&'static str, Json)> {
    let person = |kind| Some((kind, json!({ "person": null })));
    match (slot, value) {
        (Slot::Owner, _) => person("owner_assigned"),
        (Slot::Reviewer, _) => person("reviewer_assigned"),
        (Slot::Commander, _) => person("commander_named"),
        (Slot::SecondApprover, _) => person("second_approver_named"),
        (Slot::Lane, Value::Lane(lane)) => Some(("lane_chosen", json!({ "lane": lane }))),
        (Slot::EndDate, Value::Date(on)) => Some(("end_date_set", json!({ "on": on }))),
        (Slot::FollowUp, Value::Date(on)) => Some(("follow_up_dated", json!({ "on": on }))),
        (Slot::Attest(gate), _) => Some(("gate_attested", json!({ "gate": gate.word() }))),
        (Slot::Waive(gate), Value::Waived { until }) => {
            Some(("gate_waived", json!({"gate": gate.word(), "until": until})))
        }
        (Slot::Edge(secret), Value::Holds(holds)) => Some((
            "secret_edge_attested",
            json!({"secret": secret, "holds": holds}),
        )),
        (Slot::CarriedOver, Value::CarriedOver { owner, until }) => {
            Some(("path_carried_over", json!({"owner": owner, "until": until})))
        }
        (Slot::Plan, Value::Plan(plan)) => {
            Some(("validation_planned", json!({ "plan": plan.word() })))
        }
        (Slot::Representatives, _) => Some(("representatives_chosen", json!({ "repos": [] }))),
        (Slot::Canaries, _) => Some(("canaries_chosen", json!({ "repos": [] }))),
        (Slot::Owed, Value::Flag(owed)) => Some(("token_list_owed", json!({ "owed": owed }))),
        _ => None,
    }
}
