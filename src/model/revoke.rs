//! Safe to revoke: computed, never guessed.
//!
//! Token -> secrets that hold it -> every file that names those secrets -> publish paths and token uses -> packages.
//! An edge is proven, excluded, attested or missing; closeness in time is a hint and no edge. Only a job that held the
//! secret and compared it proves or excludes one; everything else is people's word, and that is said.

use super::decision::{Slot, Standing, Value};
use super::fact::CredentialFact;
use super::facts::Facts;
use super::gate::{GateId, State, View, judge};
use super::id::{Kind, Subject};
use super::lane::Lane;
use super::time::Ts;
use crate::safe::shown::visible;

/// How well an edge is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Strength {
    Proven,
    Excluded,
    Attested,
    Missing,
}

impl Strength {
    pub fn word(self) -> &'static str {
        match self {
            Self::Proven => "proven",
            Self::Excluded => "excluded",
            Self::Attested => "attested",
            Self::Missing => "missing",
        }
    }
}

/// Missing edges listed one by one; the rest are counted.
const SHOWN: usize = 100;

/// A token and a secret that may hold it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    pub secret: Subject,
    /// What is known or said: that the secret holds the token, or that it does not.
    pub holds: bool,
    pub strength: Strength,
    pub words: String,
}

/// A path or a use behind a secret, and whether it no longer needs the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    pub repo: Subject,
    /// The path, or none for a token use.
    pub path: Option<Subject>,
    pub place: String,
    pub released: bool,
    pub words: &'static str,
}

/// Whether a token can be revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Release {
    Safe,
    /// Everything known is released, but an edge rests on people's word.
    ByWord,
    No(String),
}

/// Everything that hangs on one token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    pub token: Subject,
    pub edges: Vec<Edge>,
    /// Missing edges beyond those listed.
    pub more_missing: usize,
    pub holds: Vec<Hold>,
    /// Places that nobody has looked at. Empty or waived by name before a revocation.
    pub not_looked: Vec<String>,
    /// The first instant when this can change without a new fact.
    pub until: Option<Ts>,
}

/// Follows a token to everything that needs it.
pub fn chain(facts: &Facts, token: Subject, now: Ts) -> Chain {
    let (edges, more_missing) = edges(facts, token);
    let held: Vec<Subject> = edges
        .iter()
        .filter(|edge| edge.holds && edge.strength != Strength::Missing)
        .map(|edge| edge.secret)
        .collect();
    let mut chain = Chain {
        token,
        edges,
        more_missing,
        holds: Vec::new(),
        not_looked: not_looked(facts, token, now),
        until: None,
    };
    for secret in held {
        for (repo, path, fact) in facts.paths_of_secret(secret) {
            let (released, words, until) = released(facts, path, fact.credential, now);
            let job = fact.job.as_deref().unwrap_or("-");
            let place = format!("{} {}:{} {job}", name(facts, repo), fact.file, fact.line);
            chain.holds.push(Hold {
                repo,
                path: Some(path),
                place,
                released,
                words,
            });
            chain.until = [chain.until, until].into_iter().flatten().min();
        }
        for (repo, token_use) in facts.uses_of_secret(secret) {
            let place = format!(
                "{} {}:{} ({})",
                name(facts, repo),
                token_use.file,
                token_use.line,
                token_use.purpose.word()
            );
            chain.holds.push(Hold {
                repo,
                path: None,
                place,
                released: false,
                words: "still needs the token",
            });
        }
    }
    chain
}

fn name(facts: &Facts, repo: Subject) -> &str {
    facts
        .repos
        .get(&repo)
        .map_or("(not named yet)", super::facts::Repo::name)
}

fn edges(facts: &Facts, token: Subject) -> (Vec<Edge>, usize) {
    let mut edges: Vec<Edge> = facts
        .decided
        .get(&token)
        .into_iter()
        .flat_map(|decided| decided.slots())
        .filter_map(|(slot, history)| {
            let Slot::Edge(secret) = slot else {
                return None;
            };
            if facts.shown_edge(token, secret).is_some() {
                return None;
            }
            let (holds, strength, words) = match history.standing() {
                Standing::One(one) => {
                    let holds = one.value == Value::Holds(true);
                    let verb = if holds { "holds" } else { "does not hold" };
                    (
                        holds,
                        Strength::Attested,
                        format!("{} says it {verb} this token ({})", one.by, one.at.day()),
                    )
                }
                Standing::Contested(_) => (
                    true,
                    Strength::Missing,
                    "contested: decide between them".into(),
                ),
                Standing::Nothing => return None,
            };
            Some(Edge {
                secret,
                holds,
                strength,
                words,
            })
        })
        .collect();
    edges.extend(shown(facts, token));
    let spoken: Vec<Subject> = edges.iter().map(|edge| edge.secret).collect();
    // A secret that nobody spoke about could hold any token.
    let open = facts
        .unspoken
        .iter()
        .filter(|secret| !spoken.contains(secret));
    edges.extend(open.clone().take(SHOWN).map(|secret| Edge {
        secret: *secret,
        holds: true,
        strength: Strength::Missing,
        words: "nobody has said which token this secret holds".into(),
    }));
    let more = open.count().saturating_sub(SHOWN);
    edges.sort_by_key(|edge| (edge.strength, edge.secret));
    (edges, more)
}

/// Gives the edges that a job showed: it held the secret and compared it. They override what was said.
fn shown(facts: &Facts, token: Subject) -> impl Iterator<Item = Edge> {
    let seen = facts.seen.get(&token).into_iter();
    seen.flat_map(|seen| seen.edges())
        .filter_map(move |(edge, _)| {
            let secret = edge.secret?;
            let (holds, at) = facts.shown_edge(token, secret)?;
            let (strength, verb) = match holds {
                true => (Strength::Proven, "holds"),
                false => (Strength::Excluded, "does not hold"),
            };
            Some(Edge {
                secret,
                holds,
                strength,
                words: format!(
                    "run {} showed that it {verb} this token ({})",
                    visible(&edge.run),
                    at.day()
                ),
            })
        })
}

fn not_looked(facts: &Facts, token: Subject, now: Ts) -> Vec<String> {
    let view = View::new(facts, token, now);
    let hunted = [
        ("sprawl-hunted", "images, bots, hosting and laptops"),
        ("outside-consumers-asked", "partners and vendors"),
    ];
    let mut places: Vec<String> = hunted
        .into_iter()
        .filter(|(id, _)| GateId::parse(id).is_some_and(|gate| !judge(&view, gate).state.is_met()))
        .map(|(_, place)| place.to_owned())
        .collect();
    places.push("refs other than the default branch".to_owned());
    places
}

/// Tells whether a path no longer needs a token: its lane does without one, and wave 4 is behind it.
fn released(
    facts: &Facts,
    path: Subject,
    credential: CredentialFact,
    now: Ts,
) -> (bool, &'static str, Option<Ts>) {
    let Some(lane) = facts.lane(path) else {
        return (false, "no lane chosen", None);
    };
    if !lane.needs_no_token() {
        return (false, "its lane keeps a token", None);
    }
    if credential != CredentialFact::Oidc && lane.needs_trust() {
        return (false, "still publishes with the token", None);
    }
    if lane == Lane::Retire {
        return (false, "the publish is still in the workflow", None);
    }
    let view = View::new(facts, path, now);
    let mut until = None;
    for gate in GateId::of_kind(Kind::Path)
        .iter()
        .filter(|gate| gate.spec().wave == 4)
    {
        let verdict = judge(&view, *gate);
        until = [until, verdict.until].into_iter().flatten().min();
        if !verdict.state.is_met() || verdict.state == State::NotLooked {
            return (false, "no canary yet", until);
        }
    }
    (true, "released", until)
}

impl Chain {
    /// Counts released holds.
    pub fn released(&self) -> usize {
        self.holds.iter().filter(|hold| hold.released).count()
    }

    /// Tells whether the token can go, or what is in the way.
    pub fn release(&self) -> Release {
        let linked = self
            .edges
            .iter()
            .any(|edge| edge.holds && edge.strength != Strength::Missing);
        let missing = self.more_missing
            + self
                .edges
                .iter()
                .filter(|edge| edge.strength == Strength::Missing)
                .count();
        if missing > 0 {
            return Release::No(match missing {
                1 => "1 secret may hold it: say whether it does".to_owned(),
                many => format!("{many} secrets may hold it: say for each whether they do"),
            });
        }
        if !linked {
            return Release::No("no secret is known to hold it".into());
        }
        let open = self.holds.len() - self.released();
        if open > 0 {
            return Release::No(format!(
                "released {} of {}; {open} still hold it",
                self.released(),
                self.holds.len()
            ));
        }
        if self
            .edges
            .iter()
            .any(|edge| edge.strength == Strength::Attested)
        {
            Release::ByWord
        } else {
            Release::Safe
        }
    }
}
