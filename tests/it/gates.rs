//! Gates by scenario: observations and decisions in, verdicts out. One TOML file a scenario, in `tests/gates/`.
//!
//! Every gate of the table must be expected at least once, and unknown keys are refused, so that a scenario cannot
//! say less than it seems to. A file may hold several cases: each adds its looks and decisions to the file's own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use cutover::model::decision::{Decision, EventId, Slot, ValidationPlan, Value};
use cutover::model::fact::{
    Answer, EdgeFact, InventoryFact, NamedFact, PackageFact, PathFact, RepoFact, SecretsFact,
    StoreFact, TokenFact, UseFact,
};
use cutover::model::facts::{DEFAULT_REF, Dated, Facts, Listing, Tie};
use cutover::model::gate::{GateId, State, View, judge};
use cutover::model::id::Subject;
use cutover::model::lane::Lane;
use cutover::model::policy::{Policy, Profile};
use cutover::model::proposal::propose;
use cutover::model::revoke::chain;
use cutover::model::time::Ts;
use serde::Deserialize;
use std::collections::BTreeSet;

const FORGE: &str = "forge.example";
const REGISTRY: &str = "registry.example";
const REPO: &str = "acme/ui";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenario {
    now: Ts,
    #[serde(default)]
    profile: Profile,
    repo: Option<RepoFact>,
    inventory: Option<InventoryFact>,
    path: Option<PathFact>,
    package: Option<PackageFact>,
    /// The path is no longer in the last scan.
    #[serde(default)]
    gone: bool,
    lane: Option<Lane>,
    /// When the lane was chosen; now, where nothing is said.
    lane_at: Option<Ts>,
    #[serde(default)]
    organisations: Vec<String>,
    /// Logins whose devices write in the session.
    #[serde(default)]
    here: Vec<String>,
    /// What forge and registry answered.
    #[serde(default)]
    looked: Vec<Looked>,
    #[serde(default)]
    case: Vec<Case>,
    #[serde(default)]
    uses: Vec<UseFact>,
    token: Option<Token>,
    #[serde(default)]
    listings: Vec<Listed>,
    #[serde(default)]
    decide: Vec<Decided>,
    #[serde(default)]
    propose: Option<Proposed>,
    #[serde(default)]
    expect: Vec<Expected>,
}

/// One variation of its file's scenario.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(default)]
    looked: Vec<Looked>,
    #[serde(default)]
    decide: Vec<Decided>,
    expect: Vec<Expected>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Looked {
    about: String,
    as_of: Ts,
    /// When the same answer came again.
    again: Option<Ts>,
    answer: Answer,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Token {
    as_of: Ts,
    fact: TokenFact,
    /// Name of the secret that it is said to be the value of.
    holds: Option<String>,
    compared: Option<Compared>,
}

/// What a job showed that held a secret and compared it with the token.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Compared {
    secret: String,
    as_of: Ts,
    holds: bool,
    /// When the forge says that the secret was last changed.
    changed: Option<Ts>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    as_of: Ts,
    complete: Option<bool>,
    there: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Decided {
    about: String,
    at: Option<Ts>,
    attest: Option<String>,
    waive: Option<String>,
    until: Option<chrono::NaiveDate>,
    person: Option<String>,
    role: Option<String>,
    end: Option<chrono::NaiveDate>,
    plan: Option<String>,
    revoked: Option<chrono::NaiveDate>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Proposed {
    lane: Lane,
    /// Words that the reason holds.
    because: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    about: String,
    gate: String,
    state: String,
    /// Words that the verdict's reason holds.
    #[serde(default)]
    why: String,
    until: Option<Ts>,
    /// How well an edge of the token is known.
    edge: Option<String>,
}

fn dated<T>(as_of: Ts, value: T) -> Option<Dated<T>> {
    Some(Dated {
        as_of,
        tie: Tie::default(),
        value,
    })
}

struct Ids {
    repo: Subject,
    path: Subject,
    package: Subject,
    token: Subject,
}

fn ids(scenario: &Scenario) -> Ids {
    let repo = Subject::repo(FORGE, REPO);
    let file = scenario.path.as_ref().map_or("", |path| &path.file);
    let key = scenario.token.as_ref().map_or("", |token| &token.fact.key);
    Ids {
        repo,
        path: Subject::path(repo, file, "publish", 0),
        package: Subject::package(REGISTRY, "@acme/ui"),
        token: Subject::token(REGISTRY, "bot", key),
    }
}

fn facts(scenario: Scenario, ids: &Ids) -> Facts {
    let now = scenario.now;
    let mut facts = Facts {
        policy: Policy::default(),
        ..Facts::default()
    };
    facts.session.profile = scenario.profile;
    facts.session.organisations = scenario
        .organisations
        .iter()
        .map(|name| name.as_str().into())
        .collect();
    for login in &scenario.here {
        let person = facts.persons.entry(Subject::person(login)).or_default();
        (person.login, person.joined) = (login.as_str().into(), true);
    }
    let row = facts.repos.entry(ids.repo).or_default();
    row.inventory = scenario.inventory.and_then(|row| {
        dated(
            now,
            InventoryFact {
                name: REPO.into(),
                ..row
            },
        )
    });
    let paths = if scenario.path.is_some() && !scenario.gone {
        vec![ids.path]
    } else {
        vec![]
    };
    let packages = scenario.package.iter().map(|_| ids.package).collect();
    let whole = scenario
        .repo
        .or_else(|| scenario.path.is_some().then(RepoFact::default));
    row.scan = whole.and_then(|repo| {
        dated(
            now,
            RepoFact {
                name: REPO.into(),
                paths,
                packages,
                uses: scenario.uses,
                ..repo
            },
        )
    });
    if let Some(path) = scenario.path {
        row.ever.insert(ids.path);
        row.ever_named.extend(path.secret.clone());
        let packages = if scenario.package.is_some() {
            vec![ids.package]
        } else {
            vec![]
        };
        let fact = PathFact {
            repo: Some(ids.repo),
            job: Some("publish".into()),
            packages,
            ..path
        };
        facts.paths.entry(ids.path).or_default().fact = dated(now, fact);
        facts
            .path_refs
            .insert(Subject::path_ref(ids.path, DEFAULT_REF), ids.path);
    }
    if let Some(package) = scenario.package {
        let package = PackageFact {
            name: "@acme/ui".into(),
            repo: Some(ids.repo),
            ..package
        };
        let row = facts.packages.entry(ids.package).or_default();
        row.name.clone_from(&package.name);
        row.fact = dated(now, package);
    }
    for secret in facts.relink(ids.repo) {
        facts.reindex_secret(secret);
    }
    let person = facts.persons.entry(Subject::person("bot")).or_default();
    person.listings = scenario
        .listings
        .iter()
        .map(|listed| Listing {
            as_of: listed.as_of,
            complete: listed.complete,
            tokens: listed.there.then_some(ids.token).into_iter().collect(),
        })
        .collect();
    let mut seq = 0;
    let mut decide = |facts: &mut Facts, at: Ts, about: Subject, slot: Slot, value: Value| {
        seq += 1;
        let id = EventId { writer: 0, seq };
        let one = Decision {
            id,
            at,
            tick: u64::from(seq),
            by: "rosa".into(),
            over: Box::new([]),
            value,
            signed: false,
        };
        facts.decided.entry(about).or_default().add(slot, one);
    };
    if let Some(lane) = scenario.lane {
        let at = scenario.lane_at.unwrap_or(now);
        decide(&mut facts, at, ids.path, Slot::Lane, Value::Lane(lane));
    }
    let compared = scenario
        .token
        .as_ref()
        .and_then(|token| token.compared.clone());
    if let Some(token) = scenario.token {
        let fact = TokenFact {
            account: "bot".into(),
            ..token.fact
        };
        facts.tokens.entry(ids.token).or_default().fact = dated(token.as_of, fact);
        if let Some(name) = token.holds {
            let secret = facts
                .secret_of(ids.repo, &name)
                .unwrap_or_else(|| panic!("no secret {name}"));
            decide(
                &mut facts,
                now,
                ids.token,
                Slot::Edge(secret),
                Value::Holds(true),
            );
            facts.holders.entry(secret).or_default().insert(ids.token);
            facts.reindex_secret(secret);
        }
    }
    if let Some(compared) = compared {
        compare(&mut facts, ids, &compared);
    }
    for one in scenario.looked {
        look(&mut facts, ids, one);
    }
    for one in scenario.decide {
        let at = one.at.unwrap_or(now);
        let about = subject(&facts, ids, &one.about);
        let gate = |word: &str| GateId::parse(word).unwrap_or_else(|| panic!("no gate {word}"));
        let (slot, value) = match &one {
            Decided {
                attest: Some(word), ..
            } => (Slot::Attest(gate(word)), Value::Attested),
            Decided {
                waive: Some(word),
                until: Some(until),
                ..
            } => (Slot::Waive(gate(word)), Value::Waived { until: *until }),
            Decided {
                role: Some(role),
                person,
                ..
            } => {
                let slot = match role.as_str() {
                    "owner" => Slot::Owner,
                    "reviewer" => Slot::Reviewer,
                    "commander" => Slot::Commander,
                    "second approver" => Slot::SecondApprover,
                    other => panic!("no role {other}"),
                };
                (slot, Value::Person(person.clone().unwrap().into()))
            }
            Decided { end: Some(on), .. } => (Slot::EndDate, Value::Date(*on)),
            Decided {
                plan: Some(word), ..
            } => (
                Slot::Plan,
                Value::Plan(ValidationPlan::parse(word).unwrap()),
            ),
            Decided {
                revoked: Some(on), ..
            } => (
                Slot::Revocation,
                Value::Revoked {
                    on: *on,
                    token_id: "k".into(),
                    proof: true,
                },
            ),
            _ => panic!("a decision about {} says nothing", one.about),
        };
        decide(&mut facts, at, about, slot, value);
    }
    facts
}

fn compare(facts: &mut Facts, ids: &Ids, compared: &Compared) {
    let secret = facts.secret_of(ids.repo, &compared.secret).unwrap();
    let edge = EdgeFact {
        secret: Some(secret),
        holds: compared.holds,
        run: "acme/ui 7-1".into(),
    };
    let mut take = |about: Subject, answer: Answer| {
        let seen = facts.seen.entry(about).or_default();
        seen.take(dated(compared.as_of, answer).unwrap());
    };
    take(ids.token, Answer::Edge(edge));
    if let Some(changed) = compared.changed {
        let store = StoreFact {
            store: "repo".into(),
            complete: true,
            names: vec![NamedFact {
                name: compared.secret.as_str().into(),
                updated: Some(changed),
            }],
            ..StoreFact::default()
        };
        let stores = SecretsFact {
            stores: vec![store],
        };
        take(ids.repo, Answer::Secrets(stores));
    }
    if facts.holds(ids.token, secret) {
        facts.holders.entry(secret).or_default().insert(ids.token);
    }
    facts.reindex_secret(secret);
}

/// Takes an answer in as the session's fold does.
fn look(facts: &mut Facts, ids: &Ids, one: Looked) {
    let about = subject(facts, ids, &one.about);
    let source = one.answer.live().expect("a live answer");
    let linked = facts.see(about, dated(one.as_of, one.answer).unwrap());
    let mut secrets = Vec::from_iter(linked.edge);
    if let Some(secret) = linked.edge {
        facts.set_holder(about, secret);
    }
    if let Some(repo) = linked.relink {
        secrets.extend(facts.relink(repo));
    }
    for secret in secrets {
        facts.compare_again(secret);
        facts.reindex_secret(secret);
    }
    if let Some(at) = one.again {
        facts.checked(about, source, at);
    }
}

fn subject(facts: &Facts, ids: &Ids, word: &str) -> Subject {
    let row = &facts.repos[&ids.repo];
    match word.split_once(':') {
        Some(("person", login)) => return Subject::person(login),
        Some(("path-ref", git_ref)) => return Subject::path_ref(ids.path, git_ref),
        _ => {}
    }
    match word {
        "session" => Subject::SESSION,
        "repo" => ids.repo,
        "path" => ids.path,
        "path-ref" => Subject::path_ref(ids.path, DEFAULT_REF),
        "package" => ids.package,
        "token" => ids.token,
        "person" => Subject::person("bot"),
        "config" => *row
            .configs
            .first()
            .expect("the scenario's path and package make a config"),
        "secret" => *row
            .secrets
            .first()
            .expect("the scenario's path or use names a secret"),
        other => panic!("no subject {other}"),
    }
}

fn state(word: &str) -> State {
    State::ALL
        .into_iter()
        .find(|state| state.words() == word)
        .unwrap_or_else(|| panic!("no verdict is called {word}"))
}

/// Reads a scenario; `$repo`, `$path` and `$secret` stand for the ids of the usual ones.
fn read(name: &str, text: &str) -> Scenario {
    let repo = Subject::repo(FORGE, REPO);
    let path = Subject::path(repo, ".github/workflows/release.yml", "publish", 0);
    let secret = Subject::secret(&format!("unknown:{REPO}"), "NPM_TOKEN");
    let text = text
        .replace("$repo", &repo.to_string())
        .replace("$path", &path.to_string())
        .replace("$secret", &secret.to_string());
    toml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn check(name: &str, mut scenario: Scenario, met: &mut BTreeSet<&'static str>) {
    let ids = ids(&scenario);
    let now = scenario.now;
    if let (Some(expected), Some(path)) = (&scenario.propose, &scenario.path) {
        let proposal = propose(path, now.day(), &Policy::default()).unwrap();
        assert_eq!(proposal.lane, expected.lane, "{name}: {}", proposal.reason);
        assert!(
            proposal.reason.contains(&expected.because),
            "{name}: {}",
            proposal.reason
        );
    }
    let expect = std::mem::take(&mut scenario.expect);
    let facts = facts(scenario, &ids);
    for one in expect {
        let gate =
            GateId::parse(&one.gate).unwrap_or_else(|| panic!("{name}: no gate {}", one.gate));
        let about = subject(&facts, &ids, &one.about);
        let verdict = judge(&View::new(&facts, about, now), gate);
        assert_eq!(
            (verdict.state, true),
            (state(&one.state), verdict.why.contains(&one.why)),
            "{name}: {} of {}: {}",
            one.gate,
            one.about,
            verdict.why
        );
        if let Some(until) = one.until {
            assert_eq!(verdict.until, Some(until), "{name}: {}", one.gate);
        }
        if let Some(edge) = &one.edge {
            let chain = chain(&facts, about, now);
            let known: Vec<&str> = chain.edges.iter().map(|one| one.strength.word()).collect();
            assert!(known.contains(&edge.as_str()), "{name}: {:?}", chain.edges);
        }
        met.insert(gate.word());
    }
}

#[test]
fn scenarios() {
    let mut met = BTreeSet::new();
    let mut files: Vec<_> = std::fs::read_dir("tests/gates")
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    files.sort();
    assert!(files.len() > 5);
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&file).unwrap();
        let whole = read(&name, &text);
        for (at, _) in whole.case.iter().enumerate() {
            let mut scenario = read(&name, &text);
            let case = scenario.case.swap_remove(at);
            scenario.looked.extend(case.looked);
            scenario.decide.extend(case.decide);
            scenario.expect.extend(case.expect);
            check(&format!("{name}, {}", case.name), scenario, &mut met);
        }
        check(&name, whole, &mut met);
    }
    let missing: Vec<&str> = GateId::all()
        .map(GateId::word)
        .filter(|word| !met.contains(word))
        .collect();
    assert!(
        missing.is_empty(),
        "no scenario expects anything of {missing:?}"
    );
}
