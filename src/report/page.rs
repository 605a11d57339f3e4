//! A repository on one page: scope, owner, paths, where the secrets are, rehearsal, revocation, post-checks.
//!
//! These structs are the `pages` of `cutover report --format json`, version 1: fields may be added, never renamed.
//! Pages are made one at a time: 10,000 of them never stand in memory together.

use super::status::sort;
use super::{Ends, Gates, shown};
use crate::model::clock::clocks;
use crate::model::decision::{Slot, Value};
use crate::model::fact::{CredentialFact, PathFact};
use crate::model::facts::Facts;
use crate::model::gate::{GateId, State, Verdict, View, judge};
use crate::model::id::{Kind, Subject};
use crate::model::outcome::{Basis, End, end_state_with, paths_of, subjects_of};
use crate::model::proposal::propose;
use crate::model::time::Ts;
use crate::session::Session;
use crate::session::name::{label, short_path};
use rayon::prelude::*;
use serde::Serialize;
use std::borrow::Cow;
use std::collections::HashMap;

/// Reasons that a gate's line gives at most; the rest are counted.
const REASONS: usize = 3;

/// One repository.
#[derive(Debug, Clone, Serialize)]
pub struct Page {
    pub id: String,
    pub repo: String,
    pub owner: Option<String>,
    pub reviewer: Option<String>,
    pub end_states: Ends,
    pub scanned: Option<Scanned>,
    /// File and row of the inventory that names it.
    pub inventory: Option<String>,
    pub packages: Vec<Package>,
    pub paths: Vec<Path>,
    pub secrets: Vec<Secret>,
    pub token_uses: Vec<Use>,
    /// Findings of the scan: rule and how often.
    pub findings: Vec<(String, usize)>,
    /// Gates of waves 0 to 3 that are not met.
    pub before: Vec<Gate>,
    pub rehearsal: Vec<Gate>,
    pub revocation: Vec<Gate>,
    pub post_checks: Vec<Gate>,
    pub clocks: Vec<Clock>,
}

/// What was read, and what of it could not be.
#[derive(Debug, Clone, Serialize)]
pub struct Scanned {
    pub as_of: Ts,
    pub commit: Option<String>,
    /// Which refs were looked at.
    pub refs: String,
    /// CI files that could not be read or understood.
    pub unread: Vec<String>,
    /// Findings and uses beyond what one event holds.
    pub left_out: u32,
}

/// One package.
#[derive(Debug, Clone, Serialize)]
pub struct Package {
    pub name: String,
    pub private: bool,
}

/// One publish path.
#[derive(Debug, Clone, Serialize)]
pub struct Path {
    pub path: String,
    pub file: String,
    pub line: u32,
    pub job: Option<String>,
    pub ci: &'static str,
    pub tool: &'static str,
    pub credential: &'static str,
    pub secret: Option<String>,
    pub environment: Option<String>,
    pub runner: &'static str,
    pub staged: bool,
    pub lane: Option<&'static str>,
    /// Lane that the facts speak for, where none is chosen: lane and reason.
    pub proposed: Option<(&'static str, String)>,
    pub end_state: &'static str,
    /// What the end state rests on.
    pub rests_on: Basis,
    pub ends_on: Option<String>,
}

/// Where a secret is, and what it is said to hold.
#[derive(Debug, Clone, Serialize)]
pub struct Secret {
    pub secret: String,
    pub tokens: Vec<String>,
    /// Repositories that name it.
    pub repos: usize,
}

/// Something else that needs a token.
#[derive(Debug, Clone, Serialize)]
pub struct Use {
    pub purpose: &'static str,
    pub file: String,
    pub line: u32,
    pub secret: Option<String>,
}

/// One gate over all subjects of the repository that have it.
#[derive(Debug, Clone, Serialize)]
pub struct Gate {
    pub gate: &'static str,
    pub state: &'static str,
    pub met: usize,
    pub total: usize,
    pub attested: usize,
    pub waived: usize,
    /// What the worst verdicts say, with the place where it is not the repository itself.
    pub why: Vec<String>,
    /// Verdicts of that kind beyond those.
    pub more: usize,
}

/// One countdown.
#[derive(Debug, Clone, Serialize)]
pub struct Clock {
    pub what: &'static str,
    pub about: String,
    pub ends: Ts,
}

/// Verdicts and clocks of secrets and tokens, judged once for all the pages that show them.
///
/// A secret may be shared by thousands of repositories, and judging it looks at all of them.
#[derive(Debug)]
pub struct Shared(HashMap<Subject, (Verdicts, Vec<crate::model::clock::Clock>)>);

type Verdicts = Vec<(GateId, Verdict)>;

impl Shared {
    /// Judges them.
    pub fn new(facts: &Facts, now: Ts) -> Self {
        let all: Vec<Subject> = facts
            .secrets
            .keys()
            .chain(facts.tokens.keys())
            .copied()
            .collect();
        let judged = all.par_iter().with_min_len(32).map(|subject| {
            let verdicts = verdicts(facts, *subject, now);
            (*subject, (verdicts, clocks(facts, *subject)))
        });
        Self(judged.collect())
    }

    /// Gives the end state of a path.
    pub fn end_state(&self, facts: &Facts, path: Subject, now: Ts) -> End {
        let known = |subject: Subject, gate: GateId| {
            let (verdicts, _) = self.0.get(&subject)?;
            let (_, verdict) = verdicts.iter().find(|(known, _)| *known == gate)?;
            Some((verdict.met(gate.spec()), verdict.until))
        };
        end_state_with(facts, path, now, &known).0
    }
}

fn verdicts(facts: &Facts, subject: Subject, now: Ts) -> Verdicts {
    let view = View::new(facts, subject, now);
    let gates = GateId::of_kind(subject.kind).iter();
    gates.map(|gate| (*gate, judge(&view, *gate))).collect()
}

/// Makes the page of one repository.
pub fn page(session: &Session, shared: &Shared, repo: Subject, now: Ts) -> Page {
    let facts = session.facts();
    let subjects = subjects_of(facts, repo);
    let gates = gates(facts, shared, &subjects, repo, now);
    let part = |wanted: fn(GateId) -> bool| -> Vec<Gate> {
        let some = gates.iter().filter(|(gate, _)| wanted(*gate));
        some.map(|(_, line)| line.clone()).collect()
    };
    let row = facts.repos.get(&repo);
    let scan = row.and_then(|row| row.scan.as_ref());
    let mut end_states = Ends::default();
    let paths = paths(facts, shared, repo, now, &mut end_states);
    Page {
        id: repo.to_string(),
        repo: label(facts, repo),
        owner: facts.owner(repo).map(shown),
        reviewer: facts.reviewer(repo).map(shown),
        end_states,
        scanned: scan.map(|scan| Scanned {
            as_of: scan.as_of,
            commit: scan.value.commit.as_deref().map(shown),
            refs: shown(&scan.value.refs),
            unread: scan.value.unread.iter().map(|file| shown(file)).collect(),
            left_out: scan.value.left_out.unwrap_or(0),
        }),
        inventory: row
            .and_then(|row| row.inventory.as_ref())
            .map(|inventory| shown(&inventory.value.from)),
        packages: packages(facts, repo),
        paths,
        secrets: secrets(facts, repo),
        token_uses: scan
            .into_iter()
            .flat_map(|scan| &scan.value.uses)
            .map(|one| Use {
                purpose: one.purpose.word(),
                file: shown(&one.file),
                line: one.line,
                secret: one.secret.as_deref().map(shown),
            })
            .collect(),
        findings: findings(facts, repo),
        before: part(|gate| gate.spec().wave <= 3)
            .into_iter()
            .filter(|line| line.met < line.total)
            .collect(),
        rehearsal: part(|gate| gate.spec().wave == 4 && !is_post_check(gate)),
        revocation: part(|gate| gate.spec().wave == 5 && !is_post_check(gate)),
        post_checks: part(is_post_check),
        clocks: running(facts, shared, &subjects)
            .into_iter()
            .map(|(clock, about)| Clock {
                what: clock.kind.word(),
                about,
                ends: clock.ends,
            })
            .collect(),
    }
}

/// Gives the clocks of a repository, soonest first.
fn running(
    facts: &Facts,
    shared: &Shared,
    subjects: &[Subject],
) -> Vec<(crate::model::clock::Clock, String)> {
    let (known, own): (Vec<Subject>, Vec<Subject>) = subjects
        .iter()
        .copied()
        .partition(|subject| shared.0.contains_key(subject));
    let mut all: Vec<_> = own
        .iter()
        .flat_map(|subject| clocks(facts, *subject))
        .chain(
            known
                .iter()
                .filter_map(|subject| shared.0.get(subject))
                .flat_map(|(_, clocks)| clocks.iter().copied()),
        )
        .map(|clock| (clock, label(facts, clock.about)))
        .collect();
    sort(&mut all);
    all
}

/// Tells whether a gate is looked at once everything is done: what came out, and what is written about it.
fn is_post_check(gate: GateId) -> bool {
    let spec = gate.spec();
    spec.wave == 6
        || [
            "provenance-verified",
            "dist-tags-correct",
            "installs-clean",
            "docs-updated",
        ]
        .contains(&spec.id)
}

fn packages(facts: &Facts, repo: Subject) -> Vec<Package> {
    let ids = facts.repos.get(&repo).map_or(&[][..], |row| &row.packages);
    let mut packages: Vec<Package> = ids
        .iter()
        .map(|id| Package {
            name: label(facts, *id),
            private: facts
                .packages
                .get(id)
                .and_then(|row| row.fact.as_ref())
                .is_some_and(|fact| fact.value.private),
        })
        .collect();
    packages.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    packages
}

fn paths(facts: &Facts, shared: &Shared, repo: Subject, now: Ts, ends: &mut Ends) -> Vec<Path> {
    let mut paths: Vec<(&PathFact, Path)> = Vec::new();
    for id in paths_of(facts, repo) {
        let end = shared.end_state(facts, id, now);
        ends.add(end.state, end.basis, 1);
        let Some(fact) = facts.path(id) else { continue };
        let lane = facts.lane(id);
        let proposal = match lane {
            Some(_) => None,
            None => propose(fact, now.day(), &facts.policy),
        };
        let ends_on = facts
            .decision(id, Slot::EndDate)
            .and_then(|decision| match decision.value {
                Value::Date(on) => Some(on.to_string()),
                _ => None,
            });
        let path = Path {
            path: short_path(fact),
            file: shown(&fact.file),
            line: fact.line,
            job: fact.job.as_deref().map(shown),
            ci: fact.ci.word(),
            tool: fact.tool.word(),
            credential: credential(fact.credential),
            secret: fact.secret.as_deref().map(shown),
            environment: fact.environment.as_deref().map(shown),
            runner: fact.runner.word(),
            staged: fact.staged,
            lane: lane.map(crate::model::lane::Lane::word),
            proposed: proposal.map(|one| (one.lane.word(), one.reason)),
            end_state: end.state.words(),
            rests_on: end.basis,
            ends_on,
        };
        paths.push((fact, path));
    }
    paths.sort_by(|(a, _), (b, _)| {
        (&a.file, a.line, &a.job, a.ordinal).cmp(&(&b.file, b.line, &b.job, b.ordinal))
    });
    paths.into_iter().map(|(_, path)| path).collect()
}

fn credential(fact: CredentialFact) -> &'static str {
    match fact {
        CredentialFact::Oidc => "OIDC",
        CredentialFact::Token => "token",
        CredentialFact::TokenAndOidc => "OIDC with a token left in reach",
        CredentialFact::NoneVisible => "none visible",
    }
}

fn secrets(facts: &Facts, repo: Subject) -> Vec<Secret> {
    let ids = facts.repos.get(&repo).map_or(&[][..], |row| &row.secrets);
    let mut secrets: Vec<Secret> = ids
        .iter()
        .map(|id| {
            let tokens = facts.tokens_of(*id).map(|token| label(facts, token));
            let mut tokens: Vec<String> = tokens.collect();
            tokens.sort_unstable();
            Secret {
                secret: label(facts, *id),
                tokens,
                repos: facts.secrets.get(id).map_or(0, |row| row.repos.len()),
            }
        })
        .collect();
    secrets.sort_unstable_by(|a, b| a.secret.cmp(&b.secret));
    secrets
}

fn findings(facts: &Facts, repo: Subject) -> Vec<(String, usize)> {
    let scan = facts.repos.get(&repo).and_then(|row| row.scan.as_ref());
    let mut rules = std::collections::BTreeMap::new();
    for finding in scan.into_iter().flat_map(|scan| &scan.value.findings) {
        *rules.entry(shown(&finding.rule)).or_insert(0) += 1;
    }
    rules.into_iter().collect()
}

/// Judges every gate of some subjects; a line for each gate that applies somewhere.
fn gates(
    facts: &Facts,
    shared: &Shared,
    subjects: &[Subject],
    repo: Subject,
    now: Ts,
) -> Vec<(GateId, Gate)> {
    let mut judged: Vec<(GateId, State, Subject, Cow<'static, str>)> = Vec::new();
    for subject in subjects {
        let verdicts = match shared.0.get(subject) {
            Some((known, _)) => known.clone(),
            None => verdicts(facts, *subject, now),
        };
        for (gate, verdict) in verdicts {
            if verdict.state != State::NotApplicable {
                judged.push((gate, verdict.state, *subject, verdict.why));
            }
        }
    }
    judged.sort_by_key(|(gate, ..)| *gate);
    judged
        .chunk_by(|a, b| a.0 == b.0)
        .filter_map(|same| {
            let gate = same.first()?.0;
            let mut counts = Gates::default();
            same.iter().for_each(|(_, state, ..)| counts.add(*state));
            let worst = counts.worst()?;
            let mut why: Vec<String> = same
                .iter()
                .filter(|(_, state, ..)| *state == worst)
                .map(|(_, _, about, why)| format!("{}{}", place(facts, *about, repo), shown(why)))
                .collect();
            why.sort_unstable();
            why.dedup();
            let more = why.len().saturating_sub(REASONS);
            why.truncate(REASONS);
            Some((
                gate,
                Gate {
                    gate: gate.word(),
                    state: worst.words(),
                    met: counts.met(),
                    total: counts.total(),
                    attested: counts.attested,
                    waived: counts.waived,
                    why,
                    more,
                },
            ))
        })
        .collect()
}

/// Names a subject on its own repository's page, where it is not the repository itself.
fn place(facts: &Facts, about: Subject, repo: Subject) -> String {
    let path = match about.kind {
        _ if about == repo => return String::new(),
        Kind::Path => Some(about),
        Kind::PathRef => facts.path_refs.get(&about).copied(),
        _ => None,
    };
    match path.and_then(|path| facts.path(path)) {
        Some(fact) => format!("{}: ", short_path(fact)),
        None => format!("{}: ", label(facts, about)),
    }
}
