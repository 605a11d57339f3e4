//! Random histories: whatever order and batches events are folded in, judging what changed equals judging everything.
//!
//! Each writer's own lines stay in their order, as in every session file; between writers and batches all is random.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use cutover::journal::line::{Line, Previous, finish};
use cutover::journal::{Draft, EventId, Place, SessionId, WriterId};
use cutover::model::decision::{Decision, History, Standing, Value};
use cutover::model::event::{Observation, policy_digest};
use cutover::model::fact::{
    AccessFact, Answer, CiFact, CouldNotFact, CredentialFact, EdgeFact, EnvironmentFact,
    EnvironmentsFact, ForgeFact, HowFact, InventoryFact, ListingFact, LiveSource, NamedFact,
    OwnedFact, PackageFact, PathFact, ProfileFact, ProtectionFact, ProvenanceFact, PublishedFact,
    PurposeFact, RefFact, RefsFact, RegistryFact, RepoFact, RightsFact, RunFact, RunnerFact,
    RunsFact, SecretsFact, StageFact, StagesFact, StoreFact, TokenFact, TrustConfigFact, TrustFact,
    UseFact, VersionFact,
};
use cutover::model::facts::Facts;
use cutover::model::gate::{GATES, GateId, State, View, judge};
use cutover::model::id::{Kind, Subject};
use cutover::model::lane::Lane;
use cutover::model::outcome::{EndState, end_state};
use cutover::model::policy::Policy;
use cutover::model::revoke::{Release, chain};
use cutover::model::time::{DAY, Ts};
use cutover::session::fold::{Fold, Parsed};
use cutover::session::judge::{Board, everything};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

const FORGE: &str = "forge.example";
const REGISTRY: &str = "registry.example";
const WRITERS: usize = 3;
const PEOPLE: [&str; WRITERS] = ["rosa", "ken", "mia"];
const REPOS: usize = 3;
const SECRETS: [&str; 2] = ["NPM_TOKEN", "NPM_READ"];

/// One thing that happens; numbers choose among what there is.
#[derive(Debug, Clone)]
enum Op {
    Scan {
        repo: usize,
        minute: i64,
        shape: u32,
    },
    Inventory {
        repo: usize,
        minute: i64,
        shape: u32,
    },
    Token {
        token: usize,
        minute: i64,
        shape: u32,
    },
    Listing {
        account: usize,
        minute: i64,
        shape: u32,
    },
    Live {
        kind: u32,
        target: u32,
        minute: i64,
        shape: u32,
    },
    Decide {
        writer: usize,
        kind: u32,
        target: u32,
        value: u32,
        over: u32,
    },
    Undo {
        writer: usize,
        which: usize,
    },
    Newer {
        writer: usize,
        target: u32,
    },
}

fn op() -> impl Strategy<Value = Op> {
    let minute = 0..40_i64;
    prop_oneof![
        3 => (0..REPOS, minute.clone(), any::<u32>()).prop_map(|(repo, minute, shape)| Op::Scan { repo, minute, shape }),
        2 => (0..REPOS, minute.clone(), any::<u32>()).prop_map(|(repo, minute, shape)| Op::Inventory { repo, minute, shape }),
        2 => (0..3_usize, minute.clone(), any::<u32>()).prop_map(|(token, minute, shape)| Op::Token { token, minute, shape }),
        8 => (any::<u32>(), any::<u32>(), minute.clone(), any::<u32>()).prop_map(|(kind, target, minute, shape)| Op::Live { kind, target, minute, shape }),
        2 => (0..2_usize, minute, any::<u32>()).prop_map(|(account, minute, shape)| Op::Listing { account, minute, shape }),
        8 => (0..WRITERS, any::<u32>(), any::<u32>(), any::<u32>(), 0..4_u32)
            .prop_map(|(writer, kind, target, value, over)| Op::Decide { writer, kind, target, value, over }),
        1 => (0..WRITERS, any::<usize>()).prop_map(|(writer, which)| Op::Undo { writer, which }),
        1 => (0..WRITERS, any::<u32>()).prop_map(|(writer, target)| Op::Newer { writer, target }),
    ]
}

fn start() -> Ts {
    Ts::parse("2026-12-05T09:00:00Z").unwrap()
}

fn repo(at: usize) -> Subject {
    Subject::repo(FORGE, &format!("acme/r{at}"))
}

fn file(at: usize) -> String {
    format!("release-{at}.yml")
}

fn path(of: usize, at: usize) -> Subject {
    Subject::path(repo(of), &file(at), "publish", 0)
}

/// The last package is published by every repository.
fn package(at: usize) -> Subject {
    Subject::package(REGISTRY, &format!("@acme/p{at}"))
}

fn account(at: usize) -> &'static str {
    ["bot-a", "bot-b"][at % 2]
}

fn token(at: usize) -> Subject {
    Subject::token(REGISTRY, account(at), &format!("key-{at}"))
}

fn stores(at: usize) -> [String; 3] {
    [
        "org:acme".to_owned(),
        format!("repo:acme/r{at}"),
        format!("unknown:acme/r{at}"),
    ]
}

/// Everything that a decision can be about; some of it is never observed.
fn targets() -> Vec<Subject> {
    let mut all = vec![Subject::SESSION];
    for of in 0..REPOS {
        all.push(repo(of));
        for at in 0..2 {
            all.push(path(of, at));
            all.push(Subject::path_ref(
                path(of, at),
                cutover::model::facts::DEFAULT_REF,
            ));
            for environment in ["", "npm"] {
                all.push(Subject::config(
                    package(of),
                    repo(of),
                    &file(at),
                    environment,
                ));
            }
        }
        for store in stores(of) {
            all.extend(SECRETS.map(|name| Subject::secret(&store, name)));
        }
        all.extend([package(of), token(of)]);
    }
    all.push(package(REPOS));
    all.extend(["rosa", "bot-a", "bot-b"].map(Subject::person));
    all
}

/// Everything that live answers are about.
fn aims() -> Vec<Subject> {
    let mut all = Vec::new();
    for of in 0..REPOS {
        all.extend([repo(of), package(of), token(of)]);
        all.extend((0..2).map(|at| Subject::path_ref(path(of, at), "release/1.x")));
    }
    all.push(package(REPOS));
    all.extend(["rosa", "ken", "bot-a", "acme"].map(Subject::person));
    all
}

const SOURCES: [LiveSource; 17] = [
    LiveSource::Forge,
    LiveSource::Actions,
    LiveSource::Environments,
    LiveSource::Secrets,
    LiveSource::Protection,
    LiveSource::Runs,
    LiveSource::Refs,
    LiveSource::Rights,
    LiveSource::Published,
    LiveSource::Trust,
    LiveSource::Access,
    LiveSource::Reach,
    LiveSource::Provenance,
    LiveSource::Stages,
    LiveSource::Profile,
    LiveSource::Owned,
    LiveSource::Edge,
];

fn version(shape: u32, at: u32) -> VersionFact {
    let bit = |at: u32| shape >> at & 1 == 1;
    let how = [
        HowFact::Oidc,
        HowFact::Oidc,
        HowFact::Staged,
        HowFact::MatchedRun,
        HowFact::Unmatched,
        HowFact::NotTold,
    ];
    VersionFact {
        version: if bit(at) {
            format!("1.{at}.0").into()
        } else {
            format!("1.{at}.0-canary.0").into()
        },
        at: start().plus(i64::from(shape >> (8 + at) & 63) * 3_600 - 2 * DAY),
        how: how[(shape >> (4 + at)) as usize % how.len()],
        config: bit(at + 1).then(|| format!("oidc:c{}", shape >> 6 & 1).into()),
        by: Some("ken".into()),
        approver: bit(at + 2).then(|| "rosa".into()),
        run: bit(at + 3).then_some(u64::from(shape >> 5 & 1)),
        ..VersionFact::default()
    }
}

/// One live answer; numbers choose among what there is.
fn live(kind: u32, target: usize, shape: u32) -> (Subject, Answer) {
    let bit = |at: u32| shape >> at & 1 == 1;
    let (of, which) = (target % REPOS, target % (REPOS + 1));
    let name = |of: usize| format!("acme/r{of}").into_boxed_str();
    let people = ["rosa", "ken", "bot-a"];
    let person = people[target % 3];
    match kind % 20 {
        0 => {
            let fact = ForgeFact {
                name: if bit(0) { name(of) } else { "Acme/r".into() },
                visibility: if bit(1) { "private" } else { "public" }.into(),
                ..ForgeFact::default()
            };
            (repo(of), Answer::Forge(fact))
        }
        1 => {
            let environment = EnvironmentFact {
                name: if bit(0) { "npm" } else { "NPM" }.into(),
                reviewers: shape >> 1 & 1,
                ..EnvironmentFact::default()
            };
            let fact = EnvironmentsFact {
                complete: bit(2),
                environments: if bit(3) {
                    vec![environment]
                } else {
                    Vec::new()
                },
            };
            (repo(of), Answer::Environments(fact))
        }
        2..=4 => {
            let store = |at: u32, store: &str| StoreFact {
                store: store.into(),
                complete: bit(at) || bit(at + 1),
                why: None,
                names: SECRETS
                    .iter()
                    .enumerate()
                    .filter(|(which, _)| bit(at + 2 + *which as u32))
                    .map(|(_, name)| NamedFact {
                        name: (*name).into(),
                        updated: Some(start().plus(i64::from(shape >> 20 & 63) * 3_600 - 40 * DAY)),
                    })
                    .collect(),
            };
            let stores = vec![store(0, "repo"), store(4, "org"), store(8, "dependabot")];
            (repo(of), Answer::Secrets(SecretsFact { stores }))
        }
        5 => {
            let fact = ProtectionFact {
                pull_request: bit(0).then_some(bit(1)),
                code_owners: bit(2).then_some(bit(3)),
                workflows_owned: Some(bit(4)),
                not_available: bit(5) && bit(6),
                ..ProtectionFact::default()
            };
            (repo(of), Answer::Protection(fact))
        }
        6 => {
            let run = RunFact {
                id: u64::from(shape & 1),
                file: file(shape as usize >> 1 & 1).into(),
                ..RunFact::default()
            };
            (repo(of), Answer::Runs(RunsFact { runs: vec![run] }))
        }
        7 | 8 => {
            let at = shape as usize & 1;
            let found = PathFact {
                repo: Some(repo(of)),
                file: file(at).into(),
                job: Some("publish".into()),
                registry: RegistryFact::Npmjs,
                credential: if bit(1) {
                    CredentialFact::Token
                } else {
                    CredentialFact::Oidc
                },
                secret: bit(2).then(|| SECRETS[0].into()),
                ..PathFact::default()
            };
            let fact = RefFact {
                git_ref: "release/1.x".into(),
                commit: "c0ffee".into(),
                path: Some(path(of, at)),
                fact: (bit(3) || bit(4)).then_some(found),
            };
            let about = Subject::path_ref(path(of, at), "release/1.x");
            (about, Answer::Ref(Box::new(fact)))
        }
        9 => {
            let fact = RefsFact {
                refs: vec!["release/1.x".into()],
                complete: bit(0),
                why: None,
            };
            (repo(of), Answer::Refs(fact))
        }
        10 => {
            let admin = (0..REPOS).filter(|of| bit(*of as u32)).map(repo).collect();
            let fact = RightsFact {
                login: person.into(),
                complete: bit(4),
                admin,
                write: Vec::new(),
            };
            (Subject::person(person), Answer::Rights(fact))
        }
        11..=13 => {
            let versions: Vec<VersionFact> = (0..3)
                .filter(|at| bit(20 + at))
                .map(|at| version(shape, at))
                .collect();
            let mut tags = std::collections::BTreeMap::new();
            for (tag, at) in [("latest", 0_usize), ("canary", 1)] {
                if let Some(one) = versions.get(at).filter(|_| bit(24 + at as u32)) {
                    tags.insert(tag.into(), one.version.clone());
                }
            }
            let fact = PublishedFact {
                tags,
                maintainers: vec![people[shape as usize % 3].into()],
                versions,
                stripped: bit(27) && bit(28),
                ..PublishedFact::default()
            };
            (package(which), Answer::Published(fact))
        }
        14 => {
            let configs = (0..2_u32)
                .filter(|at| bit(*at))
                .map(|at| TrustConfigFact {
                    id: format!("c{at}").into(),
                    provider: "github".into(),
                    repository: name(which % REPOS),
                    file: file(at as usize).into(),
                    environment: bit(4).then(|| "npm".into()),
                    created: bit(5)
                        .then(|| start().plus(i64::from(shape >> 8 & 63) * 3_600 - 3 * DAY)),
                    first_seen: Some(start()),
                    status: (bit(6) && bit(7)).then(|| "expired".into()),
                    ..TrustConfigFact::default()
                })
                .collect();
            (package(which), Answer::Trust(TrustFact { configs }))
        }
        15 => {
            let right = if bit(0) { "read-write" } else { "read-only" };
            let fact = AccessFact {
                people: [(person.into(), right.into())].into(),
                public: None,
            };
            (package(which), Answer::Access(fact))
        }
        16 => {
            let fact = ProvenanceFact {
                version: "1.0.0".into(),
                verified: bit(0),
                repository: name(which % REPOS),
                ..ProvenanceFact::default()
            };
            (package(which), Answer::Provenance(fact))
        }
        17 => {
            let stage = StageFact {
                id: "s".into(),
                version: "1.0.0".into(),
                ..StageFact::default()
            };
            let stages = if bit(0) { vec![stage] } else { Vec::new() };
            let fact = StagesFact {
                complete: bit(1),
                stages,
            };
            (package(which), Answer::Stages(fact))
        }
        18 => match shape % 3 {
            0 => {
                let fact = ProfileFact {
                    account: person.into(),
                    two_factor: if bit(4) { "off" } else { "auth-only" }.into(),
                };
                (Subject::person(person), Answer::Profile(fact))
            }
            1 => {
                let owned = (0..=REPOS).filter(|of| bit(*of as u32 + 4));
                let fact = OwnedFact {
                    account: "acme".into(),
                    complete: bit(3),
                    packages: owned.map(|of| format!("@acme/p{of}").into()).collect(),
                };
                (Subject::person("acme"), Answer::Owned(fact))
            }
            _ => {
                let all = stores(of);
                let secret = Subject::secret(
                    &all[shape as usize >> 4 & 1],
                    SECRETS[shape as usize >> 6 & 1],
                );
                let fact = EdgeFact {
                    secret: Some(secret),
                    holds: bit(8),
                    run: "7".into(),
                };
                (token(of), Answer::Edge(fact))
            }
        },
        _ => {
            let aims = aims();
            let fact = CouldNotFact {
                source: SOURCES[shape as usize % SOURCES.len()],
                why: "401".into(),
            };
            (aims[target % aims.len()], Answer::CouldNot(fact))
        }
    }
}

/// Makes lines, and remembers what was decided so that later decisions can stand over it.
struct Maker {
    lines: Vec<Vec<String>>,
    previous: Vec<Previous>,
    made: Vec<(EventId, usize, Subject, &'static str, String, Json)>,
    count: u64,
}

impl Maker {
    fn new() -> Self {
        let session = SessionId::from_random([9; 16]);
        let mut maker = Self {
            lines: vec![Vec::new(); WRITERS],
            previous: vec![Previous::Session(session); WRITERS],
            made: Vec::new(),
            count: 0,
        };
        let created = json!({"session": session.as_str(), "world": "real", "forge": FORGE, "registry": REGISTRY, "organisations": ["acme"], "profile": "team"});
        maker.line(0, "session_created", Subject::SESSION, true, &[], &created);
        for (writer, person) in PEOPLE.iter().enumerate() {
            let joined = json!({"person": person, "device": "d", "program": "p"});
            maker.line(
                writer,
                "writer_joined",
                Subject::SESSION,
                false,
                &[],
                &joined,
            );
        }
        let policy = json!(Policy::default());
        let adopted = json!({"digest": policy_digest(&policy.to_string()), "policy": policy});
        maker.line(0, "policy_adopted", Subject::SESSION, true, &[], &adopted);
        maker
    }

    fn line(
        &mut self,
        writer: usize,
        kind: &str,
        about: Subject,
        crit: bool,
        over: &[EventId],
        data: &Json,
    ) -> EventId {
        self.count += 1;
        let id = EventId {
            writer: WriterId::from_random([writer as u8 + 1; 8]),
            seq: self.lines[writer].len() as u64,
        };
        let draft = Draft {
            at: &start().plus(self.count as i64 * 30).to_string(),
            kind,
            about: &about.to_string(),
            crit,
            over,
            data: &data.to_string(),
        };
        // Two devices that have not met count alike.
        let body = draft
            .body(id, self.count / 2 * 2 + writer as u64 / 2)
            .unwrap();
        let (text, hash) = finish(body, None, &self.previous[writer]).unwrap();
        self.previous[writer] = Previous::Line(hash);
        self.lines[writer].push(text);
        id
    }

    fn seen(&mut self, about: Subject, minute: i64, answer: Answer) {
        let as_of = start().plus(minute * 60);
        let data = serde_json::to_value(Observation { as_of, answer }).unwrap();
        let writer = self.count as usize % WRITERS;
        self.line(writer, "observed", about, true, &[], &data);
    }

    fn run(&mut self, op: &Op) {
        match *op {
            Op::Scan {
                repo,
                minute,
                shape,
            } => self.scan(repo, minute, shape),
            Op::Inventory {
                repo: of,
                minute,
                shape,
            } => {
                let bit = |at: u32| shape >> at & 1 == 1;
                let fact = InventoryFact {
                    name: format!("acme/r{of}").into(),
                    owner: bit(0).then(|| "rosa".into()),
                    reviewer: bit(1).then(|| if bit(2) { "rosa".into() } else { "zoe".into() }),
                    lane: bit(3).then(|| Lane::ALL[(shape >> 8) as usize % 6]),
                    packages: if bit(15) {
                        vec![format!("@acme/p{of}").into()]
                    } else {
                        Vec::new()
                    },
                    secret_name: bit(4).then(|| SECRETS[(shape >> 12) as usize % 2].into()),
                    secret_store: bit(5)
                        .then(|| ["organisation", "repository"][(shape >> 13) as usize % 2].into()),
                    token_expires: bit(6).then(|| "2026-12-06".parse().unwrap()),
                    docs_updated: bit(7).then_some(bit(14)),
                    ..InventoryFact::default()
                };
                self.seen(repo(of), minute, Answer::Inventory(fact));
            }
            Op::Token {
                token: at,
                minute,
                shape,
            } => {
                let fact = TokenFact {
                    account: account(at).into(),
                    key: format!("key-{at}").into(),
                    readonly: (shape & 1 == 1).then_some(shape & 2 == 2),
                    bypass_2fa: (shape & 4 == 4).then_some(shape & 8 == 8),
                    created: Some(start().plus(-i64::from(shape >> 8 & 63) * DAY)),
                    expires: (shape & 16 == 16)
                        .then(|| start().plus(i64::from(shape >> 16 & 3) * DAY + 90)),
                    last_used: (shape & 32 == 32).then(start),
                    ..TokenFact::default()
                };
                self.seen(token(at), minute, Answer::Token(fact));
            }
            Op::Listing {
                account: who,
                minute,
                shape,
            } => {
                let listing = ListingFact {
                    account: account(who).into(),
                    complete: [Some(true), Some(true), Some(false), None]
                        [(shape >> 8) as usize % 4],
                    tokens: (0..3)
                        .filter(|at| at % 2 == who && shape >> at & 1 == 1)
                        .map(token)
                        .collect(),
                };
                self.seen(
                    Subject::person(account(who)),
                    minute,
                    Answer::Listing(listing),
                );
            }
            Op::Live {
                kind,
                target,
                minute,
                shape,
            } => {
                let (about, answer) = live(kind, target as usize, shape);
                self.seen(about, minute, answer);
            }
            Op::Decide {
                writer,
                kind,
                target,
                value,
                over,
            } => self.decide(writer, kind, target, value, over),
            Op::Undo { writer, which } => {
                let own: Vec<_> = self
                    .made
                    .iter()
                    .filter(|(_, by, ..)| *by == writer)
                    .cloned()
                    .collect();
                let Some((id, _, about, kind, slot, data)) =
                    own.get(which % own.len().max(1)).cloned()
                else {
                    return;
                };
                let undo = json!({"undoes": id.to_string(), "kind": kind, "of": data});
                let undone = self.line(writer, "decision_undone", about, true, &[id], &undo);
                self.made.push((undone, writer, about, kind, slot, data));
            }
            Op::Newer { writer, target } => {
                let all = targets();
                let about = all[target as usize % all.len()];
                // Rare, or every gate would be unknown.
                if target % 16 == 0 {
                    self.line(writer, "made_later", about, true, &[], &json!({"x": 1}));
                }
            }
        }
    }

    fn scan(&mut self, of: usize, minute: i64, shape: u32) {
        let bit = |at: u32| shape >> at & 1 == 1;
        // In some repositories no file tells what is published.
        let unmapped = shape >> 24 & 7 == 7;
        let packages: Vec<Subject> = if bit(0) {
            vec![package(of), package(REPOS)]
        } else {
            vec![package(of)]
        };
        let paths: Vec<Subject> = (0..2)
            .filter(|at| bit(1 + at))
            .map(|at| path(of, at as usize))
            .collect();
        for at in (0..2_u32).filter(|at| bit(1 + at)) {
            let credential = [
                CredentialFact::Oidc,
                CredentialFact::Token,
                CredentialFact::TokenAndOidc,
                CredentialFact::NoneVisible,
            ];
            let fact = PathFact {
                repo: Some(repo(of)),
                file: file(at as usize).into(),
                job: Some("publish".into()),
                ci: if bit(3) {
                    CiFact::Jenkins
                } else {
                    CiFact::Github
                },
                registry: if bit(4) && bit(5) {
                    RegistryFact::Other
                } else {
                    RegistryFact::Npmjs
                },
                credential: credential[(shape >> (6 + at)) as usize % 4],
                secret: bit(9).then(|| SECRETS[(shape >> 10) as usize % 2].into()),
                environment: bit(11).then(|| "npm".into()),
                runner: if bit(12) {
                    RunnerFact::SelfHosted
                } else {
                    RunnerFact::Hosted
                },
                fails_open: bit(13),
                unpinned: bit(14),
                staged: bit(15),
                packages: if unmapped {
                    Vec::new()
                } else {
                    packages.clone()
                },
                ..PathFact::default()
            };
            self.seen(path(of, at as usize), minute, Answer::Path(fact));
        }
        for (at, id) in packages.iter().enumerate() {
            let fact = PackageFact {
                name: format!("@acme/p{}", if at == 0 { of } else { REPOS }).into(),
                repo: Some(repo(of)),
                private: bit(16) && bit(17),
                repository_matches: bit(18).then_some(bit(19)),
                ..PackageFact::default()
            };
            self.seen(*id, minute, Answer::Package(fact));
        }
        let install = UseFact {
            secret: Some(SECRETS[(shape >> 20) as usize % 2].into()),
            purpose: PurposeFact::Install,
            ..UseFact::default()
        };
        let fact = RepoFact {
            name: format!("acme/r{of}").into(),
            refs: "default branch only".into(),
            paths,
            packages,
            uses: if bit(21) { vec![install] } else { Vec::new() },
            unread: if bit(22) && bit(23) {
                vec!["x.yml".into()]
            } else {
                Vec::new()
            },
            ..RepoFact::default()
        };
        self.seen(repo(of), minute, Answer::Repo(fact));
    }

    fn decide(&mut self, writer: usize, kind: u32, target: u32, value: u32, over: u32) {
        let fits = |kinds: &[Kind]| {
            let all: Vec<Subject> = targets()
                .into_iter()
                .filter(|one| kinds.contains(&one.kind))
                .collect();
            all[target as usize % all.len()]
        };
        let day = |value: u32| format!("2026-12-0{}", 5 + value % 4);
        let person = PEOPLE[value as usize % WRITERS];
        let plan = ["release", "canary", "on-demand"][value as usize % 3];
        let lane = Lane::ALL[value as usize % 6];
        let gate = &GATES[(value >> 8) as usize % GATES.len()];
        let (kind, about, slot, data) = match kind % 14 {
            0 => (
                "owner_assigned",
                fits(&[Kind::Repo]),
                String::new(),
                json!({"person": person}),
            ),
            1 => (
                "reviewer_assigned",
                fits(&[Kind::Repo]),
                String::new(),
                json!({"person": (value % 5 > 0).then_some(person)}),
            ),
            2 => (
                "commander_named",
                Subject::SESSION,
                String::new(),
                json!({"person": person}),
            ),
            3 | 4 => (
                "lane_chosen",
                fits(&[Kind::Path]),
                String::new(),
                json!({"lane": lane}),
            ),
            5 => (
                "end_date_set",
                fits(&[Kind::Path]),
                String::new(),
                json!({"on": day(value)}),
            ),
            6 => (
                "validation_planned",
                fits(&[Kind::Config]),
                String::new(),
                json!({"plan": plan}),
            ),
            7 | 8 => (
                "gate_attested",
                fits(gate.subjects),
                gate.id.to_owned(),
                json!({"gate": gate.id, "note": "n"}),
            ),
            9 => (
                "gate_waived",
                fits(gate.subjects),
                gate.id.to_owned(),
                json!({"gate": gate.id, "why": "w", "until": day(value)}),
            ),
            10 => {
                let stores = stores(value as usize % REPOS);
                let secret = Subject::secret(
                    &stores[(value >> 4) as usize % 3],
                    SECRETS[(value >> 6) as usize % 2],
                );
                (
                    "secret_edge_attested",
                    fits(&[Kind::Token]),
                    secret.to_string(),
                    json!({"secret": secret, "holds": value % 3 > 0, "note": "n"}),
                )
            }
            11 => (
                "revocation_recorded",
                fits(&[Kind::Token]),
                String::new(),
                json!({"token_id": "k", "on": day(value), "who": person, "proof": "p"}),
            ),
            12 => (
                "path_carried_over",
                fits(&[Kind::Path]),
                String::new(),
                json!({"owner": person, "until": day(value), "why": "w"}),
            ),
            _ => (
                "follow_up_dated",
                fits(&[Kind::Repo, Kind::Token]),
                String::new(),
                json!({"on": day(value), "what": "w"}),
            ),
        };
        let same: Vec<EventId> = self
            .made
            .iter()
            .filter(|(_, _, known, of, at, _)| *known == about && *of == kind && *at == slot)
            .map(|(id, ..)| *id)
            .collect();
        let over: Vec<EventId> = match over {
            0 => Vec::new(),
            1 => same.first().copied().into_iter().collect(),
            _ => same.clone(),
        };
        let id = self.line(writer, kind, about, true, &over, &data);
        self.made.push((id, writer, about, kind, slot, data));
    }
}

fn fold_in(fold: &mut Fold, text: &str) {
    let line = Line::parse(text.as_bytes()).unwrap();
    let place = Place {
        line: 1,
        offset: 0,
        len: 0,
    };
    fold.add(Parsed::read(&line, place));
}

/// Says where two boards differ about what can be reached.
fn differs(fold: &Fold, one: &Board, full: &Board) -> Option<String> {
    for subject in everything(&fold.facts) {
        let (a, b) = (one.tally(subject), full.tally(subject));
        let same = match (a, b) {
            (Some(a), Some(b)) => a.waves == b.waves && a.open == b.open,
            (a, b) => a.is_none() && b.is_none(),
        };
        if !same {
            return Some(format!(
                "{subject} ({}):\n{a:?}\nfull:\n{b:?}",
                cutover::session::name::label(&fold.facts, subject)
            ));
        }
    }
    let mut repos: Vec<Subject> = full.repos().map(|(repo, _)| repo).collect();
    repos.sort_unstable();
    for repo in repos {
        let (Some(a), Some(b)) = (one.repo(repo), full.repo(repo)) else {
            return Some(format!("{repo} has no row"));
        };
        let same = a.waves == b.waves
            && a.open == b.open
            && a.lanes == b.lanes
            && a.lane_missing == b.lane_missing
            && a.ends == b.ends
            && a.clock == b.clock;
        if !same {
            return Some(format!("row of {repo}:\n{a:?}\nfull:\n{b:?}"));
        }
    }
    None
}

/// Mixes the writers' lines: `picks` says whose is next.
fn mixed(lines: &[Vec<String>], picks: &[usize]) -> Vec<String> {
    let mut at = vec![0; lines.len()];
    let all: usize = lines.iter().map(Vec::len).sum();
    let mut out = Vec::with_capacity(all);
    let mut picks = picks.iter().cycle();
    // A file begins with its founder.
    out.push(lines[0][0].clone());
    at[0] = 1;
    while out.len() < all {
        let mut writer = picks.next().unwrap() % lines.len();
        while at[writer] == lines[writer].len() {
            writer = (writer + 1) % lines.len();
        }
        out.push(lines[writer][at[writer]].clone());
        at[writer] += 1;
    }
    out
}

fn folded(lines: &[Vec<String>]) -> Fold {
    let mut fold = Fold::default();
    lines
        .iter()
        .flatten()
        .for_each(|line| fold_in(&mut fold, line));
    fold.settle();
    fold
}

/// Gives the history in which one thing more is not known; nothing where there is no such thing.
fn unknown(maker: &mut Maker, fold: &Fold, of: usize, kind: u32) -> Option<Vec<Vec<String>>> {
    let row = fold.facts.repos.get(&repo(of))?;
    let late = 50;
    match kind {
        // A CI file of a system that is not read, a callee elsewhere, a limit, a token in text.
        0 | 1 => {
            let mut fact = row.scan.as_ref()?.value.clone();
            let rules = [
                "ci-not-read",
                "unseen-callee",
                "follow-limit",
                "token-in-unread-text",
            ];
            fact.findings.push(cutover::model::fact::FindingFact {
                rule: rules[(maker.count % 4) as usize].into(),
                ..Default::default()
            });
            maker.seen(repo(of), late, Answer::Repo(fact));
        }
        // Which packages a path publishes.
        2 => {
            // Where an inventory names some, that is known.
            if !row.listed().is_empty() {
                return None;
            }
            let paths = row.paths().to_vec();
            for path in paths {
                let mut fact = fold.facts.path(path)?.clone();
                fact.packages = Vec::new();
                maker.seen(path, late, Answer::Path(fact));
            }
        }
        // A store that was not listed to its end.
        3 => {
            let (fact, _) = fold.facts.seen.get(&repo(of))?.secrets()?;
            let mut fact = fact.clone();
            fact.stores
                .iter_mut()
                .for_each(|store| store.complete = false);
            maker.seen(repo(of), late, Answer::Secrets(fact));
        }
        // Which token a secret holds.
        _ => {
            let said = |line: &String| {
                line.contains("\"secret_edge_attested\"") || line.contains("\"edge\":{\"secret\"")
            };
            let keep =
                |lines: &Vec<String>| lines.iter().filter(|one| !said(one)).cloned().collect();
            return Some(maker.lines.iter().map(keep).collect());
        }
    }
    Some(maker.lines.clone())
}

fn lost_a_path(one: &Facts, other: &Facts, about: Subject) -> bool {
    let paths = |facts: &Facts| {
        let row = facts.packages.get(&about);
        row.map_or_else(Vec::new, |row| {
            row.paths.iter().copied().collect::<Vec<_>>()
        })
    };
    let left = paths(other);
    paths(one).iter().any(|path| !left.contains(path))
}

/// Finds what is better in the second history than in the first.
fn greener(one: &Facts, other: &Facts, now: Ts) -> Option<String> {
    let there: std::collections::BTreeSet<Subject> = everything(other).into_iter().collect();
    let both = everything(one)
        .into_iter()
        .filter(|about| there.contains(about));
    for about in both {
        // Where it is no longer known that a path publishes a package, the path's stand-in is asked in its place.
        if lost_a_path(one, other, about) {
            continue;
        }
        for gate in GateId::of_kind(about.kind) {
            let was = judge(&View::new(one, about, now), *gate);
            let is = judge(&View::new(other, about, now), *gate);
            // A word that an observation contradicts counts again where the observation is not there.
            let masked =
                was.state == State::Blocked && matches!(is.state, State::Attested | State::Waived);
            if !masked && is.met(gate.spec()) > was.met(gate.spec()) {
                return Some(format!("{} of {about}: {was:?}, then {is:?}", gate.word()));
            }
        }
        if about.kind == Kind::Token {
            let safe = |facts| {
                matches!(
                    chain(facts, about, now).release(),
                    Release::Safe | Release::ByWord
                )
            };
            if safe(other) && !safe(one) {
                return Some(format!(
                    "{about} is safe to revoke only where less is known"
                ));
            }
        }
        if about.kind == Kind::Path {
            let (was, is) = (end_state(one, about, now).0, end_state(other, about, now).0);
            let better = was.state == EndState::Open && is.state != EndState::Open;
            let surer = was.state == is.state && is.basis < was.basis;
            if better || surer {
                return Some(format!("{about}: {was:?}, then {is:?}"));
            }
        }
    }
    None
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn incremental_judging_is_full_judging_in_any_order(
        ops in prop::collection::vec(op(), 1..50),
        picks in prop::collection::vec(0..WRITERS, 1..40),
        batches in prop::collection::vec((1..9_usize, 0..20_i64), 1..30),
        again in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..60),
    ) {
        let mut maker = Maker::new();
        ops.iter().for_each(|op| maker.run(op));
        let mut plain = Fold::default();
        maker.lines.iter().flatten().for_each(|line| fold_in(&mut plain, line));
        plain.settle();

        let lines = mixed(&maker.lines, &picks);
        let (mut fold, mut board) = (Fold::default(), Board::default());
        let mut now = start();
        let mut rest = lines.as_slice();
        let (mut looks, mut repeated) = (again.iter(), Vec::new());
        for (count, hours) in batches.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (batch, after) = rest.split_at((*count).min(rest.len()));
            rest = after;
            batch.iter().for_each(|line| fold_in(&mut fold, line));
            // Up to some days pass between two batches.
            now = now.plus(hours * 3_600 / 4);
            // Some sources give the same answer again: no line tells.
            for _ in 0..3 {
                let Some((about, source)) = looks.next() else { break };
                let about = *about.get(&aims());
                let source = *source.get(&SOURCES);
                let seen = fold.facts.seen.get(&about);
                if seen.is_some_and(|seen| seen.looked(source).is_some()) {
                    fold.looked_again(about, source, now);
                    repeated.push((about, source, now));
                }
            }
            let touched = fold.settle();
            board.update(&fold.facts, &touched, now);
            let full = Board::full(&fold.facts, now);
            if let Some(words) = differs(&fold, &board, &full) {
                return Err(TestCaseError::fail(format!("after a batch: {words}")));
            }
        }
        // Nothing but time passes.
        for hours in [1, 30, 24, 48] {
            now = now.plus(hours * 3_600);
            let touched = fold.settle();
            board.update(&fold.facts, &touched, now);
            let full = Board::full(&fold.facts, now);
            if let Some(words) = differs(&fold, &board, &full) {
                return Err(TestCaseError::fail(format!("after {hours} h: {words}")));
            }
        }
        for (about, source, at) in repeated {
            plain.looked_again(about, source, at);
        }
        plain.settle();
        let other = Board::full(&plain.facts, now);
        if let Some(words) = differs(&plain, &board, &other) {
            return Err(TestCaseError::fail(format!("in another order: {words}")));
        }
        prop_assert_eq!(everything(&plain.facts), everything(&fold.facts));
    }

    #[test]
    fn what_is_not_known_makes_nothing_greener(
        ops in prop::collection::vec(op(), 1..50),
        of in 0..REPOS,
        kind in 0..5_u32,
    ) {
        let mut maker = Maker::new();
        ops.iter().for_each(|op| maker.run(op));
        let before = folded(&maker.lines);
        let Some(lines) = unknown(&mut maker, &before, of, kind) else { return Ok(()) };
        let after = folded(&lines);
        let now = start().plus(3_600);
        if let Some(words) = greener(&before.facts, &after.facts, now) {
            return Err(TestCaseError::fail(words));
        }
    }

    #[test]
    fn a_dispute_stands_until_somebody_decides_over_it(
        overs in prop::collection::vec(prop::collection::vec(any::<prop::sample::Index>(), 0..3), 1..12),
        values in prop::collection::vec(0..4_usize, 12),
        undos in prop::collection::vec(any::<bool>(), 12),
    ) {
        let id = |seq: usize| cutover::model::decision::EventId { writer: (seq % 3) as u16, seq: seq as u32 };
        let make = |seq: usize, over: Vec<cutover::model::decision::EventId>, value| Decision {
            id: id(seq), at: start(), tick: seq as u64, by: PEOPLE[seq % 3].into(), over: over.into(), value, signed: false,
        };
        let mut all = History::default();
        for (seq, over) in overs.iter().enumerate() {
            let mut over: Vec<_> = over.iter().filter(|_| seq > 0).map(|one| id(one.index(seq))).collect();
            over.sort_unstable();
            over.dedup();
            let value = match over.as_slice() {
                [only] if undos[seq] => Value::Undo(*only),
                _ => Value::Person(PEOPLE[values[seq] % 3].into()),
            };
            all.add(make(seq, over, value));
        }
        let mut turned = History::default();
        all.all().iter().rev().for_each(|one| turned.add(one.clone()));
        prop_assert_eq!(format!("{:?}", all.standing()), format!("{:?}", turned.standing()));
        // Whoever decides over everything that stands, settles it.
        let heads = all.heads();
        let mut settled = all.clone();
        settled.add(make(100, heads.clone(), Value::Person("zoe".into())));
        prop_assert!(matches!(settled.standing(), Standing::One(one) if one.id == id(100)));
        // Two who do so without knowing of each other are contested, unless they say the same.
        settled.add(make(101, heads.clone(), Value::Person("lin".into())));
        prop_assert!(matches!(settled.standing(), Standing::Contested(many) if many.len() == 2));
        let mut agreed = all.clone();
        agreed.add(make(100, heads.clone(), Value::Person("zoe".into())));
        agreed.add(make(101, heads, Value::Person("zoe".into())));
        prop_assert!(matches!(agreed.standing(), Standing::One(_)));
    }
}
