//! Makes the pictures: rows of the board, tokens, log and header, out of a session.
//!
//! Only rows that changed are made anew. Every text passes `safe::shown` here, once.

pub mod live;

use super::snapshot::{CHUNK, Chunked, Cohort, Cohorts, Header, LogRow, Row, TokenRow};
use crate::model::clock::{Clock, clocks};
use crate::model::cohort::{self, Pick};
use crate::model::decision::{Slot, Value};
use crate::model::facts::Facts;
use crate::model::gate::{GateId, State, View, judge};
use crate::model::id::Subject;
use crate::model::outcome::{EndCounts, owes_list};
use crate::model::revoke::chain;
use crate::model::time::Ts;
use crate::safe::shown::visible;
use crate::session::Session;
use crate::session::fold::{Entry, Signature};
use crate::session::judge::{Counts, RepoBoard};
use crate::session::name::{label, next_step, token_name, waiting};
use rayon::prelude::*;
use std::borrow::Cow;
use std::sync::Arc;

fn shown(text: &str) -> Box<str> {
    visible(text).as_ref().into()
}

/// Makes every row of the board, by name.
pub fn rows(session: &Session) -> Chunked<Row> {
    let repos = session.facts().repos.par_iter();
    let mut repos: Vec<(Cow<'_, str>, Subject)> = repos
        .map(|(repo, known)| (visible(known.name()), *repo))
        .collect();
    repos.par_sort_unstable();
    let chunks = repos.par_chunks(CHUNK).map(|some| {
        let rows = some.iter().map(|(_, repo)| row(session, *repo));
        Arc::new(rows.collect())
    });
    Chunked::from_chunks(chunks.collect())
}

/// Makes one row of the board.
pub fn row(session: &Session, repo: Subject) -> Row {
    let facts = session.facts();
    let none = RepoBoard::default();
    let board = session.board().repo(repo).unwrap_or(&none);
    let known = facts.repos.get(&repo);
    let name = shown(known.map_or("", |row| row.name()));
    let owner = facts.owner(repo).map(shown);
    let reviewer = facts.reviewer(repo).map(shown);
    let mut haystack = name.to_lowercase();
    let packages = known.map_or(&[][..], |row| &row.packages);
    for package in packages.iter().take(20) {
        if let Some(package) = facts.packages.get(package) {
            haystack.push(' ');
            haystack.push_str(&visible(&package.name).to_lowercase());
        }
    }
    Row {
        id: repo,
        owner,
        reviewer,
        lanes: board.lanes,
        lane_missing: board.lane_missing,
        waves: board.waves,
        wave: u8::try_from(board.wave()).unwrap_or(7),
        ends: board.ends,
        clock: board.clock,
        blocked: board.is_blocked(),
        contested: board.contested,
        paths: board.paths,
        packages: u16::try_from(packages.len()).unwrap_or(u16::MAX),
        next: board
            .open
            .map(|open| (open.gate, open.state, next_step(facts, repo, open).into())),
        waits: board.waits.map(|waits| waiting(facts, waits).into()),
        haystack: haystack.into(),
        name,
    }
}

/// Makes the rows of the tokens screen, soonest end first.
pub fn tokens(session: &Session, now: Ts) -> Vec<TokenRow> {
    let facts = session.facts();
    let mut rows: Vec<TokenRow> = facts
        .tokens
        .par_iter()
        .filter_map(|(token, _)| token_row(facts, *token, now))
        .collect();
    rows.sort_unstable_by(|a, b| {
        let gone = |row: &TokenRow| row.gone.0.is_met() && row.gone.0 != State::NotApplicable;
        (gone(a), a.expires.is_none(), a.expires, &a.account, &a.name).cmp(&(
            gone(b),
            b.expires.is_none(),
            b.expires,
            &b.account,
            &b.name,
        ))
    });
    rows
}

fn token_row(facts: &Facts, token: Subject, now: Ts) -> Option<TokenRow> {
    let dated = facts.tokens.get(&token)?.fact.as_ref()?;
    let fact = &dated.value;
    let verdicts = || {
        let view = View::new(facts, token, now);
        ["chain-complete", "tokens-revoked"].map(|gate| {
            GateId::parse(gate)
                .map(|gate| judge(&view, gate))
                .map_or((State::NotLooked, "".into()), |one| {
                    (one.state, shown(&one.why))
                })
        })
    };
    // One token may hang on thousands of repositories.
    let (chain, [complete, gone]) = rayon::join(|| chain(facts, token, now), verdicts);
    let count = |many: usize| u32::try_from(many).unwrap_or(u32::MAX);
    let (_, name) = token_name(facts, token)?;
    let name = shown(&name);
    let haystack = format!("{} {name} {}", fact.account, facts.token_key(token)).to_lowercase();
    Some(TokenRow {
        id: token,
        account: shown(&fact.account),
        created: fact.created,
        expires: fact.expires,
        last_used: fact.last_used,
        readonly: fact.readonly,
        bypass_2fa: fact.bypass_2fa,
        as_of: dated.as_of,
        absent: facts.absent_words(token).map(|words| shown(&words)),
        secrets: u16::try_from(facts.secrets_of(token).len()).unwrap_or(u16::MAX),
        released: count(chain.released()),
        holds: count(chain.holds.len()),
        chain: complete,
        gone,
        clock: clocks(facts, token)
            .into_iter()
            .find(|clock| clock.ends > now),
        haystack: visible(&haystack).as_ref().into(),
        name,
    })
}

/// Makes one row of the log.
pub fn log_row(session: &Session, entry: &Entry, names: &mut Names) -> LogRow {
    LogRow {
        id: entry.id,
        at: entry.at,
        kind: entry.kind_word(),
        by: names.person(session, entry.id.writer),
        about: entry.about,
        signed: entry.signature == Signature::Good,
    }
}

/// Makes the whole log, oldest first by tick: the order in which things were known to each other.
pub fn log(session: &Session, names: &mut Names) -> Chunked<LogRow> {
    Chunked::from_rows(
        session
            .log()
            .iter()
            .map(|entry| log_row(session, entry, names)),
    )
}

/// Names of writers' persons, shared by all their rows.
#[derive(Debug, Default)]
pub struct Names(Vec<Arc<str>>);

impl Names {
    fn person(&mut self, session: &Session, writer: u16) -> Arc<str> {
        let at = usize::from(writer);
        while self.0.len() <= at {
            let person = session
                .writers()
                .get(self.0.len())
                .map_or("", |writer| &writer.person);
            self.0.push(Arc::from(visible(person).as_ref()));
        }
        self.0.get(at).cloned().unwrap_or_else(|| Arc::from(""))
    }
}

/// Makes the header.
pub fn header(session: &Session, rows: &Chunked<Row>, tokens: &[TokenRow]) -> Header {
    let facts = session.facts();
    let file = session
        .path()
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let name = if facts.session.name.is_empty() {
        file.trim_end_matches(".cutover").to_owned()
    } else {
        facts.session.name.to_string()
    };
    let mut ends = EndCounts::default();
    rows.iter().for_each(|row| ends.join(&row.ends));
    let mut session_gates = Counts::default();
    let people = facts.persons.keys().copied().chain([Subject::SESSION]);
    for tally in people.filter_map(|person| session.board().tally(person)) {
        tally
            .waves
            .iter()
            .for_each(|wave| session_gates.join(wave.counts()));
    }
    let owed = facts
        .persons
        .keys()
        .filter(|person| owes_list(facts, **person))
        .count();
    Header {
        name: shown(&name),
        file: shown(&file),
        world: facts.session.world,
        forge: shown(&facts.session.forge),
        profile: facts.session.profile,
        actor: shown(session.actor()),
        read_only: session.read_only().map(|why| shown(&why)),
        damage: session.damage().map(|what| shown(&what)),
        cutoff_earliest: facts.policy.cutoff_earliest,
        repos: rows.len(),
        paths: ends.total(),
        ends,
        blocked: rows.iter().filter(|row| row.blocked).count(),
        exposed: tokens.iter().filter(|token| !is_gone(token)).count(),
        tokens: tokens.len(),
        owed,
        contested: rows.iter().filter(|row| row.contested).count(),
        mine: rows.iter().filter(|row| row.is_of(session.actor())).count(),
        soonest: soonest(rows, tokens),
        people: logins(facts),
        session_gates,
        notices: session
            .notices()
            .iter()
            .map(|notice| shown(notice))
            .collect(),
    }
}

/// Finds what ends first among the tokens and the repositories.
fn soonest(rows: &Chunked<Row>, tokens: &[TokenRow]) -> Option<(Clock, Box<str>)> {
    let of_tokens = tokens.iter().filter(|token| !is_gone(token));
    let of_tokens = of_tokens
        .filter_map(|token| Some((token.clock?, format!("{}/{}", token.account, token.name))));
    let of_rows = rows.iter().filter_map(|row| Some((row.clock?, &row.name)));
    let first = of_tokens.min_by_key(|(clock, _)| clock.ends);
    let other = of_rows.min_by_key(|(clock, _)| clock.ends);
    match (first, other) {
        (Some((one, name)), Some((other, _))) if one.ends <= other.ends => Some((one, name.into())),
        (_, Some((clock, name))) => Some((clock, name.clone())),
        (one, None) => one.map(|(clock, name)| (clock, name.into())),
    }
}

/// Gives the logins of everybody that the session knows, for whoever assigns something.
fn logins(facts: &Facts) -> Vec<Box<str>> {
    let named = facts.persons.values().filter(|row| !row.login.is_empty());
    let mut people: Vec<Box<str>> = named.map(|row| shown(&row.login)).collect();
    people.sort_unstable();
    people.dedup();
    people
}

/// A token is gone when listings prove it, or somebody recorded it.
fn is_gone(token: &TokenRow) -> bool {
    matches!(token.gone.0, State::Passed | State::Attested)
}

/// Makes the two samples: chosen, else proposed.
pub fn cohorts(session: &Session) -> Cohorts {
    let facts = session.facts();
    let make = |slot, propose: fn(&Facts) -> Vec<Pick>| {
        let chosen =
            facts
                .decision(Subject::SESSION, slot)
                .and_then(|decision| match &decision.value {
                    Value::Set(repos) => Some(
                        repos
                            .iter()
                            .map(|repo| Pick {
                                repo: *repo,
                                reason: format!("chosen by {}", decision.by),
                            })
                            .collect(),
                    ),
                    _ => None,
                });
        let (chosen, picks) = match chosen {
            Some(picks) => (true, picks),
            None => (false, propose(facts)),
        };
        let picks: Vec<Pick> = picks;
        Cohort {
            chosen,
            picks: picks
                .into_iter()
                .map(|pick| {
                    (
                        pick.repo,
                        label(facts, pick.repo).into(),
                        pick.reason.into(),
                    )
                })
                .collect(),
        }
    };
    let (representatives, canaries) = rayon::join(
        || make(Slot::Representatives, cohort::representatives),
        || make(Slot::Canaries, cohort::canaries),
    );
    Cohorts {
        representatives,
        canaries,
    }
}
