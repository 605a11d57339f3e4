//! Safe to revoke: computed, never guessed.
//!
//! Token -> secrets that hold it -> every file that names those secrets -> publish paths and token uses -> packages.
//! An edge is proven (a job that has the secret showed it), excluded (it showed another, or the secret last changed
//! before the token was made), attested or missing; closeness in time is a hint and no edge.

use super::decision::{Slot, Standing, Value};
use super::fact::{CredentialFact, PathFact, UseFact};
use super::facts::Facts;
use super::facts::config::{configs_of, on_demand};
use super::facts::seen::Seen;
use super::gate::judge::{Look, judge_by};
use super::gate::read::is_read;
use super::gate::table::GateId;
use super::gate::verdict::State;
use super::gate::view::View;
use super::gate::wave4;
use super::id::{Kind, Subject};
use super::lane::Lane;
use super::time::Ts;
use crate::safe::shown::counted;
use std::borrow::Cow;
use std::collections::BTreeSet;

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
    pub words: Cow<'static, str>,
}

/// What behind a secret needs a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needs<'a> {
    Path(&'a PathFact),
    /// A path as another ref than the default branch has it.
    OtherRef(&'a str, &'a PathFact),
    Use(&'a UseFact),
}

/// A path or a use behind a secret, and whether it no longer needs the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold<'a> {
    pub repo: Subject,
    /// The path, or none for a token use.
    pub path: Option<Subject>,
    needs: Needs<'a>,
    pub released: bool,
    /// That it is released rests on people's word.
    pub by_word: bool,
    pub words: &'static str,
}

impl Hold<'_> {
    /// Says where it stands. Made when asked for: thousands of places hang on a shared secret, and most are counted.
    pub fn place(&self, facts: &Facts) -> String {
        let repo = name(facts, self.repo);
        let job = |fact: &PathFact| fact.job.as_deref().unwrap_or("-").to_owned();
        match self.needs {
            Needs::Path(fact) => format!("{repo} {}:{} {}", fact.file, fact.line, job(fact)),
            Needs::OtherRef(git_ref, fact) => {
                let (file, line) = (&fact.file, fact.line);
                format!("{repo} {file}:{line} {} at {git_ref}", job(fact))
            }
            Needs::Use(one) => {
                format!("{repo} {}:{} ({})", one.file, one.line, one.purpose.word())
            }
        }
    }
}

/// Whether a token can be revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Release {
    Safe,
    /// Everything known is released, but places are left where nobody has looked: which ones.
    Unseen(String),
    /// Everything known is released, but an edge or a rehearsal rests on people's word.
    ByWord,
    No(String),
}

/// Everything that hangs on one token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain<'a> {
    pub token: Subject,
    pub edges: Vec<Edge>,
    /// Missing edges beyond those listed.
    pub more_missing: usize,
    pub holds: Vec<Hold<'a>>,
    /// Places that nobody has looked at. Empty or waived by name before a revocation.
    pub not_looked: Vec<String>,
    /// The first instant when this can change without a new fact.
    pub until: Option<Ts>,
}

/// Follows a token to everything that needs it.
pub fn chain(facts: &Facts, token: Subject, now: Ts) -> Chain<'_> {
    let (edges, more_missing, until) = edges(facts, token, now);
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
        not_looked: not_looked(facts, token, &held, now),
        until,
    };
    for secret in held {
        let named = facts.paths_of_secret(secret);
        for (repo, path, fact) in named.chain(rewired(facts, secret)) {
            let (freed, words, until) = released(facts, path, fact.credential, now);
            chain.holds.push(Hold {
                repo,
                path: Some(path),
                needs: Needs::Path(fact),
                released: freed != ReleaseReason::No,
                by_word: freed == ReleaseReason::ByWord,
                words,
            });
            chain.until = [chain.until, until].into_iter().flatten().min();
        }
        for (repo, git_ref, path, fact) in other_refs(facts, secret) {
            chain.holds.push(Hold {
                repo,
                path: Some(path),
                needs: Needs::OtherRef(git_ref, fact),
                released: false,
                by_word: false,
                words: "this ref still publishes with the token",
            });
        }
        for (repo, token_use) in facts.uses_of_secret(secret) {
            chain.holds.push(Hold {
                repo,
                path: None,
                needs: Needs::Use(token_use),
                released: false,
                by_word: false,
                words: "still needs the token",
            });
        }
    }
    chain
}

/// Gives the paths that no longer name a secret, in repositories whose files name it nowhere any more: until their new
/// way is rehearsed, the secret is the way back.
fn rewired(facts: &Facts, secret: Subject) -> impl Iterator<Item = (Subject, Subject, &PathFact)> {
    let row = facts.secrets.get(&secret);
    let names = move |repo: Subject, name: &str| {
        let paths = || {
            facts
                .open_paths(repo)
                .filter_map(|(_, path)| path.secret.as_deref())
        };
        let scan = facts.repos.get(&repo).and_then(|row| row.scan.as_ref());
        let uses = scan.into_iter().flat_map(|scan| &scan.value.uses);
        paths().any(|known| known == name)
            || uses
                .filter_map(|one| one.secret.as_deref())
                .any(|known| known == name)
    };
    row.into_iter().flat_map(move |row| {
        let repos = row
            .repos
            .iter()
            .filter(move |repo| !names(**repo, &row.name));
        repos.flat_map(move |repo| {
            let paths = facts.open_paths(*repo);
            paths
                .filter(|(_, path)| path.secret.is_none())
                .map(move |(id, path)| (*repo, id, path))
        })
    })
}

/// Gives what other refs than the default branch still publish with a secret: repository, ref, path, fact.
fn other_refs(
    facts: &Facts,
    secret: Subject,
) -> impl Iterator<Item = (Subject, &str, Subject, &PathFact)> {
    let row = facts.secrets.get(&secret);
    row.into_iter().flat_map(move |row| {
        let refs = row
            .repos
            .iter()
            .filter_map(|repo| Some((*repo, facts.other_refs.get(repo)?)));
        refs.flat_map(move |(repo, refs)| {
            refs.iter().filter_map(move |one| {
                let (seen, _) = facts.seen.get(one).and_then(Seen::other_ref)?;
                let fact = seen.fact.as_ref()?;
                let names = Facts::in_scope(fact) && fact.secret.as_deref() == Some(&*row.name);
                names.then_some((repo, &*seen.git_ref, seen.path?, fact))
            })
        })
    })
}

fn name(facts: &Facts, repo: Subject) -> &str {
    facts
        .repos
        .get(&repo)
        .map_or("(not named yet)", |row| row.name())
}

/// Gives the edges of a token, how many more are missing, and until when that tells.
fn edges(facts: &Facts, token: Subject, now: Ts) -> (Vec<Edge>, usize, Option<Ts>) {
    let seen = facts.seen.get(&token);
    let shown = seen.into_iter().flat_map(Seen::edges);
    let decided = facts.decided.get(&token);
    let said = decided.into_iter().flat_map(|decided| decided.slots());
    let mut claimed: Vec<Subject> = said
        .filter_map(|(slot, history)| match (slot, history.standing()) {
            (Slot::Edge(_), Standing::Nothing) => None,
            (Slot::Edge(secret), _) => Some(secret),
            _ => None,
        })
        .chain(shown.filter_map(|(edge, _)| edge.secret))
        .collect();
    claimed.sort_unstable();
    claimed.dedup();
    let mut until = None;
    let mut edge = |secret: Subject| {
        let (edge, end) = edge(facts, token, secret, now);
        until = [until, end].into_iter().flatten().min();
        edge
    };
    let mut edges: Vec<Edge> = claimed.iter().map(|secret| edge(*secret)).collect();
    // A secret that nobody spoke about could hold any token.
    let (mut missing, mut excluded) = (0, 0);
    for secret in &facts.unclaimed {
        if claimed.binary_search(secret).is_ok() {
            continue;
        }
        // Without any store's dates nothing excludes one that nobody spoke about: it need not be looked at to be counted.
        if facts.seen.is_empty() && missing >= SHOWN {
            missing += 1;
            continue;
        }
        let one = edge(*secret);
        let count = match one.strength {
            Strength::Excluded => &mut excluded,
            _ => &mut missing,
        };
        *count += 1;
        if *count <= SHOWN {
            edges.push(one);
        }
    }
    edges.sort_by_key(|edge| (edge.strength, edge.secret));
    (edges, missing.saturating_sub(SHOWN), until)
}

/// Gives what is known of one edge: what a job showed, then the store's dates, then people's word.
fn edge(facts: &Facts, token: Subject, secret: Subject, now: Ts) -> (Edge, Option<Ts>) {
    let make = |holds, strength, words: Cow<'static, str>| Edge {
        secret,
        holds,
        strength,
        words,
    };
    // Sessions without a network have no dates of any store.
    let stored = (!facts.seen.is_empty())
        .then(|| facts.secret_updated(secret, now))
        .flatten();
    let until = stored.map(|(_, until)| until);
    let shown = facts.seen.get(&token).and_then(|seen| seen.edge(secret));
    if let Some((edge, as_of)) = shown {
        if let Some(updated) = facts.secret_changed(secret).filter(|at| *at > as_of) {
            let words =
                format!("a job looked on {as_of}, but the secret changed on {updated}: look again");
            return (make(true, Strength::Missing, words.into()), until);
        }
        let (strength, verb) = match edge.holds {
            true => (Strength::Proven, "holds"),
            false => (Strength::Excluded, "does not hold"),
        };
        let words = format!(
            "run {} showed on {as_of} that it {verb} this token",
            edge.run
        );
        return (make(edge.holds, strength, words.into()), until);
    }
    let fact = facts.tokens.get(&token).and_then(|row| row.fact.as_ref());
    let created = fact.and_then(|fact| fact.value.created);
    if let (Some((updated, _)), Some(created)) = (stored, created)
        && updated < created
    {
        let words = format!("last changed on {updated}, before this token was made on {created}");
        return (make(false, Strength::Excluded, words.into()), until);
    }
    let edge = match facts.standing(token, Slot::Edge(secret)) {
        Standing::One(one) => {
            let holds = one.value == Value::Holds(true);
            let verb = if holds { "holds" } else { "does not hold" };
            let words = format!("{} says it {verb} this token ({})", one.by, one.at.day());
            make(holds, Strength::Attested, words.into())
        }
        Standing::Contested(_) => {
            let words = "contested: decide between them";
            make(true, Strength::Missing, words.into())
        }
        Standing::Nothing => {
            let words = "nobody has said which token this secret holds";
            make(true, Strength::Missing, words.into())
        }
    };
    (edge, until)
}

fn not_looked(facts: &Facts, token: Subject, held: &[Subject], now: Ts) -> Vec<String> {
    let view = View::uncommented(facts, token, now);
    let hunted = [
        (GateId::SPRAWL_HUNTED, "images, bots, hosting and laptops"),
        (GateId::OUTSIDE_CONSUMERS_ASKED, "partners and vendors"),
    ];
    let mut places: Vec<String> = hunted
        .into_iter()
        // Nothing can look there: only a person can say so.
        .filter(|(gate, _)| !judge_by(&view, *gate, None).state.is_met())
        .map(|(_, place)| place.to_owned())
        .collect();
    let mut repos = held
        .iter()
        .filter_map(|secret| facts.secrets.get(secret))
        .flat_map(|row| &row.repos)
        .peekable();
    let (mut refs, mut unread) = (repos.peek().is_none(), 0);
    for repo in repos {
        let seen = facts.seen.get(repo).and_then(Seen::refs);
        refs |= !seen.is_some_and(|(fact, _)| fact.complete);
        let gates = [GateId::PATHS_FOUND, GateId::TOKEN_USES_LISTED];
        unread += usize::from(!gates.iter().all(|gate| is_read(facts, *repo, *gate)));
    }
    if refs {
        places.push("refs other than the default branch".to_owned());
    }
    if unread > 0 {
        let repos = counted(unread, "repository");
        places.push(format!("{repos} of which not every file was read"));
    }
    places
}

/// How it is known that a path no longer needs a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ReleaseReason {
    No,
    /// Somebody's word is among what shows it.
    ByWord,
    Seen,
}

/// Tells whether a path no longer needs a token: its lane does without one, wave 4 is behind it, and its configs are
/// validated or on demand.
fn released(
    facts: &Facts,
    path: Subject,
    credential: CredentialFact,
    now: Ts,
) -> (ReleaseReason, &'static str, Option<Ts>) {
    let Some(lane) = facts.lane(path) else {
        return (ReleaseReason::No, "no lane chosen", None);
    };
    if !lane.needs_no_token() {
        return (ReleaseReason::No, "its lane keeps a token", None);
    }
    if credential != CredentialFact::Oidc && lane.needs_trust() {
        return (ReleaseReason::No, "still publishes with the token", None);
    }
    if lane == Lane::Retire {
        return (
            ReleaseReason::No,
            "the publish is still in the workflow",
            None,
        );
    }
    let (mut freed, mut until) = (ReleaseReason::Seen, None);
    let mut ask = |about: Subject, gate: GateId, look: Look| {
        let verdict = judge_by(&View::uncommented(facts, about, now), gate, Some(look));
        until = [until, verdict.until].into_iter().flatten().min();
        if matches!(verdict.state, State::Attested | State::Waived) {
            freed = ReleaseReason::ByWord;
        }
        verdict.state.is_met()
    };
    let configs = configs_of(facts, path);
    if facts.path(path).is_some_and(|fact| unmapped(facts, fact)) {
        return (
            ReleaseReason::No,
            "which packages it publishes is not known",
            None,
        );
    }
    if lane.needs_trust() && on_demand(facts, &configs) {
        let mut configs = configs.iter();
        return match configs
            .all(|config| ask(*config, GateId::EXCHANGE_PROBED, wave4::exchange_probed))
        {
            true => (freed, "on demand, and probed", until),
            false => (ReleaseReason::No, "on demand, and not probed yet", until),
        };
    }
    if !ask(path, GateId::CANARY_PUBLISHED, wave4::canary_published) {
        return (ReleaseReason::No, "no canary yet", until);
    }
    if lane == Lane::Trusted
        && !configs
            .iter()
            .all(|one| ask(*one, GateId::PUBLISHED_BY_OIDC, wave4::published_by_oidc))
    {
        return (
            ReleaseReason::No,
            "a trust config has not published yet",
            until,
        );
    }
    (freed, "released", until)
}

/// Gives the paths of a secret's or token's chain that have not been rehearsed by their new way, in order.
pub fn unrehearsed(facts: &Facts, about: Subject, now: Ts) -> Vec<Subject> {
    let secrets = match about.kind {
        Kind::Token => facts.secrets_of(about),
        _ => vec![about],
    };
    let rows = secrets
        .iter()
        .filter_map(|secret| facts.secrets.get(secret));
    let repos: BTreeSet<Subject> = rows.flat_map(|row| row.repos.iter().copied()).collect();
    let paths = repos.iter().flat_map(|repo| facts.open_paths(*repo));
    paths
        .filter(|(path, _)| {
            released(facts, *path, CredentialFact::Oidc, now).0 == ReleaseReason::No
        })
        .map(|(path, _)| path)
        .collect()
}

/// Tells whether nothing at all is known of what a path publishes.
pub fn unmapped(facts: &Facts, path: &PathFact) -> bool {
    let packages = facts.packages_of(path);
    packages.iter().any(|package| facts.stands_in(*package)) || packages.is_empty()
}

impl Chain<'_> {
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
            let still = match open {
                1 => "path or use still needs it",
                _ => "paths or uses still need it",
            };
            return Release::No(format!(
                "{} of {} released; {open} {still}",
                self.released(),
                self.holds.len()
            ));
        }
        if !self.not_looked.is_empty() {
            return Release::Unseen(self.not_looked.join(", "));
        }
        let said = |edge: &Edge| edge.strength == Strength::Attested;
        if self.edges.iter().any(said) || self.holds.iter().any(|hold| hold.by_word) {
            Release::ByWord
        } else {
            Release::Safe
        }
    }
}
