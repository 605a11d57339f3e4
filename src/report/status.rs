//! The status: counts, a row for each repository with trouble first, and the tokens by what they end.
//!
//! These structs are `cutover status --format json`, version 1: fields may be added, never renamed.

use super::{Ends, Gates, shown};
use crate::model::clock::clocks;
use crate::model::event::World;
use crate::model::facts::Facts;
use crate::model::gate::{GateId, State, View, judge};
use crate::model::id::Subject;
use crate::model::lane::Lanes;
use crate::model::outcome::{owes_list, subjects_of};
use crate::model::policy::Profile;
use crate::model::revoke::chain;
use crate::model::time::Ts;
use crate::session::Session;
use crate::session::left::{Left, left_behind};
use crate::session::name::{disputes, label, next_step, token_name, waiting};
use chrono::NaiveDate;
use rayon::prelude::*;
use serde::Serialize;

/// Whether the cutover is done: the exit code of `status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    Done,
    WorkRemains,
    Blocked,
}

impl Outcome {
    /// Gives the exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::WorkRemains => 10,
            Self::Blocked => 11,
        }
    }
}

/// A session on one screen.
#[derive(Debug, Clone, Serialize)]
pub struct Status {
    pub version: u8,
    pub as_of: Ts,
    pub outcome: Outcome,
    #[serde(flatten)]
    pub header: Header,
    pub repos: Vec<Row>,
    pub tokens: Vec<Token>,
}

/// The counts of the headline.
#[derive(Debug, Clone, Serialize)]
pub struct Header {
    pub session: String,
    pub file: String,
    pub world: World,
    pub profile: Profile,
    /// Publish paths in scope.
    pub paths: usize,
    pub end_states: Ends,
    /// Repositories with a blocked gate.
    pub blocked_repos: usize,
    /// Tokens that are not known to be gone.
    pub exposed_tokens: usize,
    /// Accounts whose token list is still owed.
    pub owed_lists: Vec<String>,
    /// Gates of the session itself and of its people.
    pub session_gates: Gates,
    /// First possible day of npm's January cut-off; the day itself is not announced.
    pub cutoff_earliest: NaiveDate,
    pub notices: Vec<String>,
}

/// One repository.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    #[serde(serialize_with = "as_text")]
    pub id: Subject,
    pub repo: String,
    pub owner: Option<String>,
    pub reviewer: Option<String>,
    pub lanes: Vec<&'static str>,
    /// A path of it has no lane yet.
    pub lane_missing: bool,
    /// Waves 0 to 5, then after-care.
    pub waves: Vec<Gates>,
    pub blocked: bool,
    pub end_states: Ends,
    pub clock: Option<Clock>,
    pub next: Option<Next>,
    /// What has to be done elsewhere first, where the next step has to wait for it.
    pub waits: Option<String>,
    /// Decisions about it or what it has that people made differently, in words.
    pub contested: Vec<String>,
}

fn as_text<S: serde::Serializer>(id: &Subject, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(id)
}

/// The soonest countdown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Clock {
    pub what: &'static str,
    pub ends: Ts,
}

/// The first gate that is not met, and what to do about it.
#[derive(Debug, Clone, Serialize)]
pub struct Next {
    pub gate: &'static str,
    pub state: &'static str,
    pub step: String,
}

/// One token.
#[derive(Debug, Clone, Serialize)]
pub struct Token {
    #[serde(serialize_with = "as_text")]
    pub id: Subject,
    pub account: String,
    pub name: String,
    /// The registry's id, by which it is revoked: the whole key, or its start where npm masks it.
    pub key: String,
    pub created: Option<Ts>,
    pub expires: Option<Ts>,
    pub last_used: Option<Ts>,
    pub bypass_2fa: Option<bool>,
    pub readonly: Option<bool>,
    /// Paths and uses behind it, and how many no longer need it.
    pub released: usize,
    pub holds: usize,
    pub gone: bool,
    pub state: &'static str,
    /// What is in the way, or how it is known to be gone.
    pub why: String,
}

impl Row {
    /// Gives the word of the lane column.
    pub fn lane_word(&self) -> &'static str {
        match (self.lanes.as_slice(), self.lane_missing) {
            ([], _) => "",
            ([only], false) => only,
            _ => "mixed",
        }
    }

    /// Gives the first wave with an open gate.
    fn wave(&self) -> usize {
        self.waves
            .iter()
            .position(|wave| wave.met() < wave.total())
            .unwrap_or(self.waves.len())
    }
}

/// Makes the status of a session.
pub fn status(session: &Session, now: Ts) -> Status {
    let facts = session.facts();
    let mut repos: Vec<Row> = facts
        .repos
        .par_iter()
        .map(|(repo, _)| row(session, *repo))
        .collect();
    repos.par_sort_unstable_by(|a, b| trouble(a).cmp(&trouble(b)));
    let mut tokens: Vec<Token> = facts
        .tokens
        .keys()
        .filter_map(|token| token_row(facts, *token, now))
        .collect();
    tokens.sort_unstable_by(|a, b| {
        let key = |one: &Token| (one.gone, one.expires.is_none(), one.expires);
        (key(a), &a.account, &a.name, a.id).cmp(&(key(b), &b.account, &b.name, b.id))
    });
    let header = header(session, &repos, &tokens);
    Status {
        version: 1,
        as_of: now,
        outcome: outcome(&header, &tokens, unknown(session, now)),
        header,
        repos,
        tokens,
    }
}

/// Blocked first, then what has a clock running, then the earliest open wave; what is done comes last.
fn trouble(row: &Row) -> (bool, bool, usize, Ts, &str, Subject) {
    // A repository without a path is not done: nobody may have looked yet.
    let idle = row.end_states.all.open == 0 && row.end_states.total() > 0;
    let end = row.clock.as_ref().map(|clock| clock.ends);
    // Rows without a clock come after those with one: the end of time.
    let end = end.unwrap_or(Ts(i64::MAX));
    (idle, !row.blocked, row.wave(), end, &row.repo, row.id)
}

/// Done is when every path is in an end state, every displaced token is gone and no list or gate of the session is open.
///
/// `unknown` counts the secrets of which no token is known, and the repositories of which not everything was read.
fn outcome(header: &Header, tokens: &[Token], unknown: usize) -> Outcome {
    let gates = &header.session_gates;
    let displaced = |token: &Token| !token.gone && token.state != State::NotApplicable.words();
    // Where no path is known, nobody has looked yet: that is not done.
    let remains = header.end_states.all.open > 0
        || header.paths == 0
        || unknown > 0
        || tokens.iter().any(displaced)
        || !header.owed_lists.is_empty()
        || gates.met() < gates.total();
    match (remains, header.blocked_repos > 0 || gates.blocked > 0) {
        (false, _) => Outcome::Done,
        (true, true) => Outcome::Blocked,
        (true, false) => Outcome::WorkRemains,
    }
}

/// Counts what is not known and could hold a token or a path.
fn unknown(session: &Session, now: Ts) -> usize {
    let facts = session.facts();
    let met = |about: Subject, gate: GateId| {
        judge(&View::uncommented(facts, about, now), gate)
            .state
            .is_met()
    };
    let secrets = facts.unclaimed.iter();
    let secrets = secrets.filter(|one| !met(**one, GateId::SECRET_TOKEN_KNOWN));
    let repos = facts.repos.keys();
    let repos = repos.filter(|one| !met(**one, GateId::PATHS_FOUND));
    secrets.count() + repos.count()
}

fn row(session: &Session, repo: Subject) -> Row {
    let facts = session.facts();
    let board = session.board().repo(repo).cloned().unwrap_or_default();
    let word = |lanes: Lanes| lanes.iter().map(|lane| lane.word()).collect();
    Row {
        id: repo,
        repo: label(facts, repo),
        owner: facts.owner(repo).map(shown),
        reviewer: facts.reviewer(repo).map(shown),
        lanes: word(board.lanes),
        lane_missing: board.lane_missing,
        waves: board.waves.into_iter().map(Gates::from).collect(),
        blocked: board.is_blocked(),
        end_states: Ends::of(&board.ends),
        clock: board.clock.map(|clock| Clock {
            what: clock.kind.word(),
            ends: clock.ends,
        }),
        next: board.open.map(|open| Next {
            gate: open.gate.word(),
            state: open.state.words(),
            step: next_step(facts, repo, open),
        }),
        waits: board.waits.map(|waits| waiting(facts, waits)),
        contested: subjects_of(facts, repo)
            .into_iter()
            .flat_map(|about| disputes(facts, about))
            .map(|dispute| dispute.words(facts))
            .collect(),
    }
}

fn token_row(facts: &Facts, token: Subject, now: Ts) -> Option<Token> {
    let fact = &facts.tokens.get(&token)?.fact.as_ref()?.value;
    let chain = chain(facts, token, now);
    let view = View::new(facts, token, now);
    let verdict = |gate| GateId::parse(gate).map(|gate| judge(&view, gate));
    let revoked = verdict("tokens-revoked")?;
    let gone = matches!(revoked.state, State::Passed | State::Attested);
    let verdict = match gone || revoked.state == State::NotApplicable {
        true => revoked,
        false => verdict("chain-complete")?,
    };
    let (account, name) = token_name(facts, token)?;
    Some(Token {
        id: token,
        account: shown(account),
        name: shown(&name),
        key: shown(facts.token_key(token)),
        created: fact.created,
        expires: fact.expires,
        last_used: fact.last_used,
        bypass_2fa: fact.bypass_2fa,
        readonly: fact.readonly,
        released: chain.released(),
        holds: chain.holds.len(),
        gone,
        state: verdict.state.words(),
        why: with_absence(facts, token, gone, &verdict.why),
    })
}

/// Gives why a token is as it is, and before it that the last list of its account lacks it. Made visible.
pub(super) fn with_absence(facts: &Facts, token: Subject, gone: bool, why: &str) -> String {
    match facts.absent_words(token).filter(|_| !gone) {
        Some(absent) if why.starts_with(&absent) => shown(why),
        Some(absent) => shown(&format!("{absent}; {why}")),
        None => shown(why),
    }
}

/// Gives the session's name, and its file's.
pub(super) fn names(session: &Session) -> (String, String) {
    let file = session.path().file_name();
    let file = file.map_or_else(String::new, |name| shown(&name.to_string_lossy()));
    let name = &session.facts().session.name;
    if name.is_empty() {
        (file.trim_end_matches(".cutover").to_owned(), file)
    } else {
        (shown(name), file)
    }
}

fn header(session: &Session, repos: &[Row], tokens: &[Token]) -> Header {
    let facts = session.facts();
    let mut end_states = Ends::default();
    repos
        .iter()
        .for_each(|row| end_states.join(row.end_states.list()));
    let mut session_gates = Gates::default();
    let people = facts.persons.keys().copied().chain([Subject::SESSION]);
    for tally in people.filter_map(|person| session.board().tally(person)) {
        let waves = tally.waves.iter().map(|wave| Gates::from(wave.counts()));
        waves.for_each(|wave| session_gates.join(wave));
    }
    let mut owed_lists: Vec<String> = facts
        .persons
        .keys()
        .filter(|person| owes_list(facts, **person))
        .map(|person| label(facts, *person))
        .collect();
    owed_lists.sort_unstable();
    let (name, file) = names(session);
    Header {
        session: name,
        file,
        world: facts.session.world,
        profile: facts.session.profile,
        paths: end_states.total(),
        end_states,
        blocked_repos: repos.iter().filter(|row| row.blocked).count(),
        exposed_tokens: tokens.iter().filter(|token| !token.gone).count(),
        owed_lists,
        session_gates,
        cutoff_earliest: facts.policy.cutoff_earliest,
        notices: notices(session),
    }
}

/// Gives the clocks of some subjects, soonest first, with the names of what they are about.
pub(super) fn clocks_of(
    facts: &Facts,
    subjects: &[Subject],
) -> Vec<(crate::model::clock::Clock, String)> {
    let mut all: Vec<_> = subjects
        .par_iter()
        .with_min_len(256)
        .flat_map_iter(|subject| clocks(facts, *subject))
        .map(|clock| (clock, label(facts, clock.about)))
        .collect();
    sort(&mut all);
    all
}

/// Sorts clocks by their end; alike on every machine.
pub(super) fn sort(clocks: &mut [(crate::model::clock::Clock, String)]) {
    clocks.par_sort_unstable_by(|(a, one), (b, two)| {
        (a.ends, a.kind, one, a.about).cmp(&(b.ends, b.kind, two, b.about))
    });
}
/// Returns what the file itself tells, and the decisions that went with what is gone.
fn notices(session: &Session) -> Vec<String> {
    let of_file = session.notices().iter().map(|one| shown(one));
    let left = left_behind(session.facts());
    of_file.chain(left.iter().map(Left::words)).collect()
}
