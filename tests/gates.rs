//! Gates by scenario: observations and decisions in, verdicts out. One TOML file a scenario, in `tests/gates/`.
//!
//! Every gate of the table must be expected at least once, and unknown keys are refused, so that a scenario cannot
//! say less than it seems to.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use cutover::model::decision::{Decision, EventId, Slot, ValidationPlan, Value};
use cutover::model::fact::{
    Answer, EdgeFact, InventoryFact, NamedFact, PackageFact, PathFact, RepoFact, SecretsFact,
    StoreFact, TokenFact, UseFact,
};
use cutover::model::facts::{DEFAULT_REF, Dated, Facts, Listing};
use cutover::model::gate::{GateId, State, View, judge};
use cutover::model::id::Subject;
use cutover::model::lane::{Lane, propose};
use cutover::model::policy::{Policy, Profile};
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
}

fn dated<T>(as_of: Ts, value: T) -> Option<Dated<T>> {
    Some(Dated {
        as_of,
        tie: 0,
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
        facts.packages.entry(ids.package).or_default().fact = dated(now, package);
    }
    for secret in facts.relink(ids.repo) {
        facts.retell(secret);
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
    let mut decide = |facts: &mut Facts, about: Subject, slot: Slot, value: Value| {
        seq += 1;
        let id = EventId { writer: 0, seq };
        let one = Decision {
            id,
            at: now,
            tick: u64::from(seq),
            by: "rosa".into(),
            over: Box::new([]),
            value,
            signed: false,
        };
        facts.decided.entry(about).or_default().add(slot, one);
    };
    if let Some(lane) = scenario.lane {
        decide(&mut facts, ids.path, Slot::Lane, Value::Lane(lane));
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
                ids.token,
                Slot::Edge(secret),
                Value::Holds(true),
            );
            facts.holders.entry(secret).or_default().insert(ids.token);
            facts.retell(secret);
        }
    }
    if let Some(compared) = compared {
        compare(&mut facts, ids, &compared);
    }
    for one in scenario.decide {
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
        decide(&mut facts, about, slot, value);
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
    facts.retell(secret);
}

fn subject(facts: &Facts, ids: &Ids, word: &str) -> Subject {
    let row = &facts.repos[&ids.repo];
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
        let mut scenario: Scenario = toml::from_str(&std::fs::read_to_string(&file).unwrap())
            .unwrap_or_else(|error| panic!("{name}: {error}"));
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
            met.insert(gate.word());
        }
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
