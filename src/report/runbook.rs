//! The runbook summary: what was in scope, what happened when, where every path is, what is gone and how that is known,
//! what was waived and why, what nobody looked at, what is still due, and how to check the log.
//!
//! These structs are `cutover report --format json`, version 1: fields may be added, never renamed. The pages of the
//! repositories are made one at a time, by `page`.

use super::page::Shared;
use super::status::{clocks_of, names, with_absence};
use super::{Ends, Gates, shown, shown_long};
use crate::journal::Place;
use crate::model::clock::{Clock, ClockKind};
use crate::model::decision::{Decision, EventId, Slot, Standing, Value};
use crate::model::event::World;
use crate::model::facts::Facts;
use crate::model::gate::wave5::gone;
use crate::model::gate::{GateId, State, View, WAVES, judge};
use crate::model::id::Subject;
use crate::model::outcome::{End, EndState, owes_list, paths_of};
use crate::model::policy::Profile;
use crate::model::revoke::chain;
use crate::model::time::{DAY, Ts};
use crate::safe::shell::quote;
use crate::safe::shown::counted;
use crate::session::Session;
use crate::session::fold::{Entry, Signature};
use crate::session::judge::everything;
use crate::session::name::label;
use chrono::NaiveDate;
use rayon::prelude::*;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap, HashSet};

/// The summary, without the repositories' pages.
#[derive(Debug, Serialize)]
pub struct Runbook {
    pub version: u8,
    pub as_of: Ts,
    pub session: String,
    pub file: String,
    pub world: World,
    pub profile: Profile,
    pub scope: Scope,
    pub timeline: Timeline,
    pub end_states: Ends,
    /// Every gate of every subject, once each; attested apart from passed.
    pub gates: Gates,
    pub waves: Vec<Wave>,
    pub tokens: Tokens,
    pub waivers: Vec<Waiver>,
    pub carried_over: Vec<Carried>,
    pub not_looked_at: Vec<String>,
    pub risks: Vec<Risk>,
    pub follow_ups: Vec<FollowUp>,
    /// Paths that publish only when somebody asks for a release.
    pub on_demand: Vec<String>,
    pub verify: Verify,
    /// Repositories, in the order of their pages.
    #[serde(skip)]
    pub order: Vec<Subject>,
    /// What their pages share.
    #[serde(skip)]
    pub shared: Shared,
}

/// What this cutover is about.
#[derive(Debug, Clone, Serialize)]
pub struct Scope {
    pub forge: String,
    pub registry: String,
    pub organisations: Vec<String>,
    pub repos: usize,
    /// Publish paths that go to the registry in scope.
    pub paths: usize,
    /// Publish paths to other registries: listed by the scan, not part of the cutover.
    pub paths_elsewhere: usize,
    pub packages: usize,
    pub secrets: usize,
    pub tokens: usize,
    /// Which refs were looked at, and in how many repositories.
    pub refs: Vec<(String, usize)>,
    pub commander: Option<String>,
    pub second_approver: Option<String>,
}

/// What happened when. Days are UTC.
#[derive(Debug, Clone, Serialize)]
pub struct Timeline {
    pub started: Ts,
    pub first: Option<Ts>,
    pub last: Option<Ts>,
    pub events: usize,
    pub days: Vec<Day>,
    /// No phase was called: this version records no go or no-go.
    pub go_no_go: Vec<String>,
}

/// One day.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Day {
    pub day: String,
    pub observations: usize,
    pub decisions: usize,
    pub notes: usize,
}

/// One wave.
#[derive(Debug, Clone, Serialize)]
pub struct Wave {
    pub wave: usize,
    pub name: &'static str,
    pub gates: Gates,
}

/// The tokens, by how it is known what became of them.
#[derive(Debug, Clone, Serialize)]
pub struct Tokens {
    /// Gone by their account's own listings.
    pub observed_gone: Vec<Observed>,
    /// Gone on somebody's word, or attested: no listing proves it yet.
    pub recorded_gone: Vec<Recorded>,
    /// In reach of a path in a lane that keeps a token.
    pub kept: Vec<Exposed>,
    pub exposed: Vec<Exposed>,
}

/// A token that listings show to be gone: an interval, by the dates of the lists.
#[derive(Debug, Clone, Serialize)]
pub struct Observed {
    pub token: String,
    pub id: String,
    pub last_listed: Ts,
    pub first_missing: Ts,
    pub recorded: Option<Record>,
}

/// A token that somebody says is gone.
#[derive(Debug, Clone, Serialize)]
pub struct Recorded {
    pub token: String,
    pub id: String,
    pub record: Option<Record>,
    /// What the gate says of it.
    pub why: String,
}

/// A revocation recorded by hand.
#[derive(Debug, Clone, Serialize)]
pub struct Record {
    pub on: NaiveDate,
    /// Who revoked it, as written.
    pub who: Option<String>,
    pub by: String,
    pub at: Ts,
    pub proof: Option<String>,
}

/// A token that can still publish, for all that is known.
#[derive(Debug, Clone, Serialize)]
pub struct Exposed {
    pub token: String,
    pub id: String,
    pub expires: Option<Ts>,
    pub released: usize,
    pub holds: usize,
    pub why: String,
    pub not_looked_at: Vec<String>,
}

/// A waiver that stands.
#[derive(Debug, Clone, Serialize)]
pub struct Waiver {
    pub gate: &'static str,
    pub about: String,
    pub by: String,
    pub at: Ts,
    pub until: NaiveDate,
    /// Its last day is over.
    pub ended: bool,
    pub why: String,
}

/// A path that somebody took on.
#[derive(Debug, Clone, Serialize)]
pub struct Carried {
    pub path: String,
    pub owner: String,
    pub until: NaiveDate,
    pub by: String,
    pub why: String,
}

/// One kind of thing that can go wrong, how often, and one case of it.
#[derive(Debug, Clone, Serialize)]
pub struct Risk {
    pub what: String,
    pub count: usize,
    pub example: String,
    pub next: String,
}

/// Something due on a day.
#[derive(Debug, Clone, Serialize)]
pub struct FollowUp {
    pub due: Ts,
    pub overdue: bool,
    pub what: String,
    pub about: String,
}

/// How anybody can check this report against the log.
#[derive(Debug, Clone, Serialize)]
pub struct Verify {
    pub session: String,
    pub lines: u64,
    pub bytes: u64,
    /// Nothing at all was wrong with the file when it was opened.
    pub intact: bool,
    pub problems: Vec<String>,
    pub seals: usize,
    /// Lines that carry a signature, and how many of them were checked with what result.
    pub signed: usize,
    pub signatures_good: usize,
    pub signatures_bad: usize,
    pub commands: Vec<String>,
    pub heads: Vec<Head>,
}

/// The last line of one writer.
#[derive(Debug, Clone, Serialize)]
pub struct Head {
    pub writer: String,
    pub person: String,
    pub device: String,
    pub seq: u64,
    pub hash: String,
}

/// Makes the runbook summary of a session.
pub fn runbook(session: &Session, now: Ts) -> Runbook {
    let facts = session.facts();
    let subjects = everything(facts);
    let judged = Judged::all(facts, &subjects, now);
    let shared = Shared::new(facts, now);
    let wanted = standing(facts);
    let text = ReadBack::new(session, wanted.iter().map(|(_, _, one)| one.id));
    let (session_name, file) = names(session);
    let mut order: Vec<(String, Subject)> = facts
        .repos
        .keys()
        .map(|repo| (label(facts, *repo), *repo))
        .collect();
    order.par_sort_unstable();
    let order: Vec<Subject> = order.into_iter().map(|(_, repo)| repo).collect();
    let paths: Vec<(Subject, End)> = order
        .par_iter()
        .with_min_len(64)
        .flat_map_iter(|repo| paths_of(facts, *repo))
        .map(|path| (path, shared.end_state(facts, path, now)))
        .collect();
    let mut end_states = Ends::default();
    paths
        .iter()
        .for_each(|(_, end)| end_states.add(end.state, end.basis, 1));
    let on_demand = paths
        .iter()
        .filter(|(_, end)| end.state == EndState::OnDemand)
        .map(|(path, _)| label(facts, *path))
        .collect();
    Runbook {
        version: 1,
        as_of: now,
        session: session_name,
        file,
        world: facts.session.world,
        profile: facts.session.profile,
        scope: scope(facts, end_states.total()),
        timeline: timeline(session),
        end_states,
        gates: judged.total(),
        waves: judged.waves(),
        tokens: tokens(facts, &text, now),
        waivers: waivers(facts, &wanted, &text, now),
        carried_over: carried(facts, &wanted, &text),
        not_looked_at: not_looked(session, &judged),
        risks: risks(facts, &judged, &subjects),
        follow_ups: follow_ups(facts, &subjects, &text, now),
        on_demand,
        verify: verify(session),
        order,
        shared,
    }
}

/// Every verdict of every subject, counted by gate.
struct Judged(Vec<(GateId, Gates, Examples)>);

/// Of each state one subject and the reason.
type Examples = BTreeMap<State, (Subject, String)>;

impl Judged {
    fn all(facts: &Facts, subjects: &[Subject], now: Ts) -> Self {
        type Part = BTreeMap<GateId, (Gates, BTreeMap<State, (Subject, String)>)>;
        let add = |mut part: Part, subject: &Subject| -> Part {
            let view = View::new(facts, *subject, now);
            for gate in GateId::of_kind(subject.kind) {
                let verdict = judge(&view, *gate);
                if verdict.state == State::NotApplicable {
                    continue;
                }
                let (counts, cases) = part.entry(*gate).or_default();
                counts.add(verdict.state);
                // The case with the smallest id: the same one on every machine.
                match cases.get(&verdict.state) {
                    Some((known, _)) if known <= subject => {}
                    _ => {
                        cases.insert(verdict.state, (*subject, verdict.why.into_owned()));
                    }
                }
            }
            part
        };
        let join = |mut all: Part, part: Part| -> Part {
            for (gate, (counts, cases)) in part {
                let (sum, known) = all.entry(gate).or_default();
                sum.join(counts);
                for (state, case) in cases {
                    match known.get(&state) {
                        Some((old, _)) if *old <= case.0 => {}
                        _ => {
                            known.insert(state, case);
                        }
                    }
                }
            }
            all
        };
        let all = subjects
            .par_iter()
            .with_min_len(256)
            .fold(Part::new, add)
            .reduce(Part::new, join);
        let rows = all.into_iter();
        Self(
            rows.map(|(gate, (counts, cases))| (gate, counts, cases))
                .collect(),
        )
    }

    fn total(&self) -> Gates {
        let mut total = Gates::default();
        self.0.iter().for_each(|(_, counts, _)| total.join(*counts));
        total
    }

    fn waves(&self) -> Vec<Wave> {
        let sum = |wave: usize| {
            let mut sum = Gates::default();
            let of_wave = self
                .0
                .iter()
                .filter(|(gate, ..)| usize::from(gate.spec().wave) == wave);
            of_wave.for_each(|(_, counts, _)| sum.join(*counts));
            sum
        };
        let names = WAVES.iter().enumerate();
        names
            .map(|(wave, name)| Wave {
                wave,
                name,
                gates: sum(wave),
            })
            .collect()
    }
}

/// Gives every decision that stands and whose words the report reads back.
fn standing(facts: &Facts) -> Vec<(Subject, Slot, &Decision)> {
    let mut all: Vec<(Subject, Slot, &Decision)> = Vec::new();
    for (about, decided) in &facts.decided {
        for (slot, history) in decided.slots() {
            let worded = matches!(
                slot,
                Slot::Waive(_) | Slot::CarriedOver | Slot::Revocation | Slot::FollowUp
            );
            if let (true, Standing::One(decision)) = (worded, history.standing()) {
                all.push((*about, slot, decision));
            }
        }
    }
    all.sort_unstable_by_key(|(about, slot, _)| (*about, *slot));
    all
}

/// Long text that stays in the file, read back by event.
struct ReadBack<'a> {
    session: &'a Session,
    places: HashMap<EventId, Place>,
}

impl<'a> ReadBack<'a> {
    fn new(session: &'a Session, wanted: impl Iterator<Item = EventId>) -> Self {
        let wanted: HashSet<EventId> = wanted.collect();
        let log = session.log().iter();
        let places = log
            .filter(|entry| wanted.contains(&entry.id))
            .map(|entry| (entry.id, entry.place))
            .collect();
        Self { session, places }
    }

    /// Gives one field of an event's data, or why it cannot be read.
    fn field(&self, id: EventId, name: &str) -> Option<String> {
        let place = self.places.get(&id)?;
        match self.session.data_at(*place) {
            Ok(data) => data.get(name)?.as_str().map(shown_long),
            Err(error) => Some(format!("(cannot be read back: {error})")),
        }
    }
}

fn scope(facts: &Facts, paths: usize) -> Scope {
    let person = |slot| match facts
        .decision(Subject::SESSION, slot)
        .map(|decision| &decision.value)
    {
        Some(Value::Person(login)) => Some(shown(login)),
        _ => None,
    };
    let mut refs: BTreeMap<String, usize> = BTreeMap::new();
    let mut elsewhere = 0;
    for repo in facts.repos.values() {
        let words = repo
            .scan
            .as_ref()
            .map_or("not scanned", |scan| &scan.value.refs);
        *refs.entry(shown(words)).or_default() += 1;
        let of_repo = repo.paths().iter().filter_map(|path| facts.path(*path));
        elsewhere += of_repo.filter(|path| !Facts::in_scope(path)).count();
    }
    let organisations = facts.session.organisations.iter();
    Scope {
        forge: shown(&facts.session.forge),
        registry: shown(&facts.session.registry),
        organisations: organisations.map(|one| shown(one)).collect(),
        repos: facts.repos.len(),
        paths,
        paths_elsewhere: elsewhere,
        packages: facts.packages.values().filter(|row| !row.stand_in).count(),
        secrets: facts
            .secrets
            .values()
            .filter(|row| !row.repos.is_empty())
            .count(),
        tokens: facts.tokens.len(),
        refs: refs.into_iter().collect(),
        commander: person(Slot::Commander),
        second_approver: person(Slot::SecondApprover),
    }
}

fn timeline(session: &Session) -> Timeline {
    let mut days: BTreeMap<i64, Day> = BTreeMap::new();
    let log = session.log();
    for entry in log {
        let day = days.entry(entry.at.0.div_euclid(DAY)).or_default();
        match entry.kind_word() {
            "observed" => day.observations += 1,
            "note_added" | "evidence_added" => day.notes += 1,
            "session_created" | "writer_joined" | "heads_seen" | "sealed" | "(newer kind)" => {}
            _ => day.decisions += 1,
        }
    }
    let days = days.into_iter().map(|(day, counts)| Day {
        day: Ts(day.saturating_mul(DAY)).day().to_string(),
        ..counts
    });
    Timeline {
        started: session.facts().created_at,
        first: log.iter().map(|entry| entry.at).min(),
        last: log.iter().map(|entry| entry.at).max(),
        events: log.len(),
        days: days.collect(),
        go_no_go: Vec::new(),
    }
}

fn record(facts: &Facts, token: Subject, text: &ReadBack<'_>) -> Option<Record> {
    let decision = facts.decision(token, Slot::Revocation)?;
    let Value::Revoked { on, .. } = &decision.value else {
        return None;
    };
    Some(Record {
        on: *on,
        who: text.field(decision.id, "who"),
        by: shown(&decision.by),
        at: decision.at,
        proof: text.field(decision.id, "proof"),
    })
}

fn tokens(facts: &Facts, text: &ReadBack<'_>, now: Ts) -> Tokens {
    let mut tokens = Tokens {
        observed_gone: Vec::new(),
        recorded_gone: Vec::new(),
        kept: Vec::new(),
        exposed: Vec::new(),
    };
    let mut all: Vec<(String, Subject)> = facts
        .tokens
        .keys()
        .map(|token| (label(facts, *token), *token))
        .collect();
    all.sort_unstable();
    for (name, token) in all {
        let Some(fact) = facts.tokens.get(&token).and_then(|row| row.fact.as_ref()) else {
            continue;
        };
        let id = shown(facts.token_key(token));
        if let Some((with, without)) = gone(&facts.sightings(token)) {
            tokens.observed_gone.push(Observed {
                token: name,
                id,
                last_listed: with.as_of,
                first_missing: without.as_of,
                recorded: record(facts, token, text),
            });
            continue;
        }
        let view = View::new(facts, token, now);
        let verdict = |gate| GateId::parse(gate).map(|gate| judge(&view, gate));
        let Some(revoked) = verdict("tokens-revoked") else {
            continue;
        };
        if revoked.state == State::Attested {
            tokens.recorded_gone.push(Recorded {
                token: name,
                id,
                record: record(facts, token, text),
                why: shown(&revoked.why),
            });
            continue;
        }
        let chain = chain(facts, token, now);
        let kept = revoked.state == State::NotApplicable;
        let why = match kept {
            true => Some(revoked),
            false => verdict("chain-complete"),
        };
        let row = Exposed {
            token: name,
            id,
            expires: fact.value.expires,
            released: chain.released(),
            holds: chain.holds.len(),
            why: with_absence(facts, token, false, why.as_ref().map_or("", |one| &one.why)),
            not_looked_at: chain.not_looked.iter().map(|one| shown(one)).collect(),
        };
        match kept {
            true => tokens.kept.push(row),
            false => tokens.exposed.push(row),
        }
    }
    tokens
}

fn waivers(
    facts: &Facts,
    standing: &[(Subject, Slot, &Decision)],
    text: &ReadBack<'_>,
    now: Ts,
) -> Vec<Waiver> {
    let rows = standing.par_iter().with_min_len(64);
    let mut waivers: Vec<Waiver> = rows
        .filter_map(|(about, slot, decision)| {
            let (Slot::Waive(gate), Value::Waived { until }) = (slot, &decision.value) else {
                return None;
            };
            Some(Waiver {
                gate: gate.word(),
                about: label(facts, *about),
                by: shown(&decision.by),
                at: decision.at,
                until: *until,
                ended: Ts::from_day(*until).plus(DAY) <= now,
                why: text
                    .field(decision.id, "why")
                    .unwrap_or_else(|| "(no reason in the line)".to_owned()),
            })
        })
        .collect();
    waivers.sort_by(|a, b| (a.until, a.gate, &a.about).cmp(&(b.until, b.gate, &b.about)));
    waivers
}

fn carried(
    facts: &Facts,
    standing: &[(Subject, Slot, &Decision)],
    text: &ReadBack<'_>,
) -> Vec<Carried> {
    let rows = standing.iter();
    let mut carried: Vec<Carried> = rows
        .filter_map(|(about, _, decision)| {
            let Value::CarriedOver { owner, until } = &decision.value else {
                return None;
            };
            Some(Carried {
                path: label(facts, *about),
                owner: shown(owner),
                until: *until,
                by: shown(&decision.by),
                why: text
                    .field(decision.id, "why")
                    .unwrap_or_else(|| "(no reason in the line)".to_owned()),
            })
        })
        .collect();
    carried.sort_by(|a, b| (a.until, &a.path).cmp(&(b.until, &b.path)));
    carried
}

/// Names what nobody looked at: silence is never taken for absence.
fn not_looked(session: &Session, judged: &Judged) -> Vec<String> {
    let facts = session.facts();
    let mut all = Vec::new();
    let mut say = |count: usize, noun: &str, words: &str| {
        if count > 0 {
            all.push(format!("{} {words}", counted(count, noun)));
        }
    };
    let scans = || facts.repos.values().filter_map(|row| row.scan.as_ref());
    let scanned = scans().count();
    say(
        facts.repos.len() - scanned,
        "repository",
        "without a scanned checkout",
    );
    say(
        scanned,
        "repository",
        "scanned as checked out: other branches and tags run the workflow files of their own commits",
    );
    say(
        scans().map(|scan| scan.value.unread.len()).sum(),
        "CI file",
        "that could not be read or understood",
    );
    say(
        scans()
            .filter(|scan| scan.value.left_out.is_some_and(|count| count > 0))
            .count(),
        "repository",
        "with more findings or uses than one event holds",
    );
    for (what, aside) in facts.aside() {
        let words = aside.words();
        say(
            aside.names.len(),
            "repository",
            &format!("listed and not scanned, {what}: {words}"),
        );
    }
    let owed = facts
        .persons
        .keys()
        .filter(|person| owes_list(facts, **person));
    say(owed.count(), "account", "whose token list is still owed");
    let partial = facts
        .persons
        .values()
        .flat_map(|person| &person.listings)
        .filter(|listing| listing.complete != Some(true));
    say(
        partial.count(),
        "token list",
        "without proof that it is complete",
    );
    say(
        facts.unclaimed.len(),
        "secret",
        "of which nobody has said which token it holds",
    );
    say(
        session.unused().len(),
        "event",
        "of a newer version, or with data that cannot be used",
    );
    for (gate, counts, _) in &judged.0 {
        let open = counts.not_looked_yet + counts.could_not_look;
        if open > 0 && !gate.spec().advice {
            all.push(format!(
                "{}: not looked at, {open} of {}: whether {}",
                gate.word(),
                counts.total(),
                clause(gate.spec().asks)
            ));
        }
    }
    all
}

/// Makes the sentence that a gate asks into a part of another one.
fn clause(sentence: &str) -> String {
    let mut letters = sentence.trim_end_matches('.').chars();
    letters
        .next()
        .map(|first| first.to_lowercase().chain(letters).collect())
        .unwrap_or_default()
}

fn risks(facts: &Facts, judged: &Judged, subjects: &[Subject]) -> Vec<Risk> {
    let mut risks: Vec<Risk> = Vec::new();
    let contested: Vec<String> = subjects
        .iter()
        .filter_map(|subject| facts.decided.get(subject).map(|decided| (subject, decided)))
        .flat_map(|(subject, decided)| {
            let disputed = decided
                .slots()
                .filter(|(_, history)| matches!(history.standing(), Standing::Contested(_)));
            disputed.map(|_| label(facts, *subject))
        })
        .collect();
    if let Some(first) = contested.iter().min() {
        risks.push(Risk {
            what: "decisions that two people made differently".to_owned(),
            count: contested.len(),
            example: first.clone(),
            next: "decide between them".to_owned(),
        });
    }
    for (gate, counts, cases) in &judged.0 {
        if let Some((about, why)) = cases.get(&State::Blocked) {
            risks.push(Risk {
                what: format!("{} is blocked", gate.word()),
                count: counts.blocked,
                example: format!("{}: {}", label(facts, *about), shown(why)),
                next: gate.spec().next.to_owned(),
            });
        }
    }
    risks
}

/// Gives what is due when: every clock of every subject, and the January cut-off.
fn follow_ups(facts: &Facts, subjects: &[Subject], text: &ReadBack<'_>, now: Ts) -> Vec<FollowUp> {
    let cutoff = Ts::from_day(facts.policy.cutoff_earliest);
    let mut all = vec![FollowUp {
        due: cutoff,
        overdue: false,
        what: "first possible day on which tokens that bypass 2FA stop publishing (the day is not announced)".to_owned(),
        about: "everything".to_owned(),
    }];
    all.extend(
        clocks_of(facts, subjects)
            .into_iter()
            .map(|(clock, about)| {
                let what = (clock.kind == ClockKind::FollowUp)
                    .then(|| facts.decision(clock.about, Slot::FollowUp))
                    .flatten()
                    .and_then(|decision| text.field(decision.id, "what"));
                FollowUp {
                    due: clock.ends,
                    overdue: clock.ends <= now,
                    what: what.unwrap_or_else(|| title(facts, clock)),
                    about,
                }
            }),
    );
    all.sort_by_key(|one| one.due);
    // Waivers of one subject that end together make one title.
    all.dedup_by(|one, before| {
        (one.due, &one.what, &one.about) == (before.due, &before.what, &before.about)
    });
    all
}

/// Says what ends with a clock: of a waiver, which gates wait again.
fn title(facts: &Facts, clock: Clock) -> String {
    match clock.kind {
        ClockKind::TokenExpiry => "token expires".to_owned(),
        ClockKind::InventoryExpiry => "token expires, as the inventory says".to_owned(),
        ClockKind::WaiverEnd => {
            let decided = facts.decided.get(&clock.about);
            let slots = decided.into_iter().flat_map(|decided| decided.slots());
            let gates: Vec<&str> = slots
                .filter_map(|(slot, _)| match slot {
                    Slot::Waive(gate) => Some(gate),
                    _ => None,
                })
                .filter(|gate| {
                    let waived = facts.decision(clock.about, Slot::Waive(*gate));
                    matches!(waived.map(|one| &one.value), Some(Value::Waived { until }) if Ts::from_day(*until).plus(DAY) == clock.ends)
                })
                .map(|gate| gate.word())
                .collect();
            format!("waiver of {} ends", gates.join(", "))
        }
        kind => kind.word().to_owned(),
    }
}

fn verify(session: &Session) -> Verify {
    let report = session.report();
    let person = |id| {
        let writer = session.writers().iter().find(|writer| writer.id == id);
        writer.map_or_else(Default::default, |writer| {
            (shown(&writer.person), shown(&writer.device))
        })
    };
    let heads = report
        .chains
        .iter()
        .map(|(id, chain)| {
            let (person, device) = person(id);
            Head {
                writer: id.to_string(),
                person,
                device,
                seq: chain.seq,
                hash: chain.hash.to_string(),
            }
        })
        .collect();
    let mut problems: Vec<String> = session.notices().iter().map(|one| shown(one)).collect();
    if let Some(torn) = &report.torn {
        problems.push(format!(
            "at the end: {} that were never acknowledged",
            counted(usize::try_from(torn.len).unwrap_or(usize::MAX), "byte")
        ));
    }
    let (_, file) = names(session);
    let count =
        |wanted: fn(&Entry) -> bool| session.log().iter().filter(|entry| wanted(entry)).count();
    Verify {
        session: report.session.to_string(),
        lines: report.lines,
        bytes: report.len,
        intact: report.intact(),
        problems,
        seals: count(|entry| entry.kind_word() == crate::journal::SEALED),
        signed: count(|entry| entry.signature != Signature::None),
        signatures_bad: count(|entry| entry.signature == Signature::Bad),
        signatures_good: count(|entry| entry.signature == Signature::Good),
        commands: ["verify", "head", "export"]
            .map(|verb| format!("cutover log {verb} {}", quote(&file)))
            .to_vec(),
        heads,
    }
}
