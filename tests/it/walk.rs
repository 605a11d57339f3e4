//! Sixty repositories walked from the first scan to the end, by doing each time what the next step names.
//!
//! Nothing is connected: whatever only the network could show is attested. A shared secret hangs on most of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use cutover::model::decision::ValidationPlan;
use cutover::model::event::{Observation, SessionCreated, World};
use cutover::model::fact::{
    Answer, CredentialFact, FindingFact, InventoryFact, ListingFact, PackageFact, PathFact,
    RegistryFact, RepoFact, RunnerFact, TokenFact, ToolFact,
};
use cutover::model::facts::config::configs_of;
use cutover::model::gate::{GateId, State, View, judge};
use cutover::model::id::{Kind, Subject};
use cutover::model::lane::Lane;
use cutover::model::outcome::{Basis, EndState, end_state};
use cutover::model::policy::{Policy, Profile};
use cutover::model::time::Ts;
use cutover::report::status::{Outcome, status};
use cutover::session::decide::{
    Action, Assign, GateAction, LaneAction, PlanAction, RevocationAction, Role,
};
use cutover::session::judge::{Board, Open};
use cutover::session::{Options, Session, create};
use std::collections::{BTreeMap, BTreeSet};

const FORGE: &str = "forge.example";
const REGISTRY: &str = "registry.example";
const REPOS: usize = 60;
const FILE: &str = ".github/workflows/release.yml";

fn repo(at: usize) -> Subject {
    Subject::repo(FORGE, &format!("acme/r{at}"))
}

fn path(at: usize) -> Subject {
    Subject::path(repo(at), FILE, "publish", 0)
}

fn package(at: usize) -> Subject {
    Subject::package(REGISTRY, &format!("@acme/p{at}"))
}

/// Every fifth repository has a secret of its own.
fn own_secret(at: usize) -> bool {
    at % 5 == 4
}

fn token(at: usize) -> Subject {
    let key = if own_secret(at) { at } else { 0 };
    Subject::token(REGISTRY, "bot", &format!("key-{key}"))
}

struct Walk {
    session: Session,
    now: Ts,
    _folder: tempfile::TempDir,
}

impl Walk {
    fn new(profile: Profile) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let now = Ts::parse("2026-12-05T09:00:00Z").unwrap();
        let options = |random| Options {
            state: folder.path().join("state"),
            actor: "rosa".to_owned(),
            device: "laptop".to_owned(),
            program: "cutover test".to_owned(),
            read_only: false,
            random: [random; 16],
            now,
        };
        let created = SessionCreated {
            world: World::Real,
            forge: FORGE.into(),
            registry: REGISTRY.into(),
            organisations: vec!["acme".into()],
            profile,
            ..SessionCreated::default()
        };
        let file = folder.path().join("acme.cutover");
        create(&file, &created, &options(1)).unwrap();
        let mut session = Session::open(&file, options(2)).unwrap();
        session.adopt_policy(&Policy::default(), now).unwrap();
        let mut walk = Self {
            session,
            now,
            _folder: folder,
        };
        let mut seen: Vec<_> = (0..REPOS).flat_map(|at| scan(at, true, &[])).collect();
        seen.extend((0..REPOS).map(inventory));
        seen.extend(tokens());
        walk.see(seen);
        walk
    }

    fn see(&mut self, answers: Vec<(Subject, Answer)>) {
        self.now = self.now.plus(1);
        let as_of = self.now;
        let seen = answers
            .into_iter()
            .map(|(about, answer)| (about, Observation { as_of, answer }));
        self.session
            .observe(seen.collect::<Vec<_>>(), as_of)
            .unwrap();
    }

    fn take(&mut self, action: Action) {
        self.now = self.now.plus(1);
        if let Err(error) = self.session.decide(std::slice::from_ref(&action), self.now) {
            panic!("{action:?}: {error}");
        }
    }

    fn state(&self, about: Subject, gate: GateId) -> State {
        judge(&View::new(self.session.facts(), about, self.now), gate).state
    }

    /// What the board names of some repositories, else of the session and its people.
    fn next(&self, rows: std::ops::Range<usize>) -> Vec<(Option<usize>, Open)> {
        let board = self.session.board();
        let named: Vec<_> = rows
            .filter_map(|at| Some((Some(at), board.repo(repo(at))?.open?)))
            .collect();
        if !named.is_empty() {
            return named;
        }
        let people = self.session.facts().persons.keys();
        let shared = people.chain([&Subject::SESSION]);
        let open = shared.filter_map(|about| board.tally(*about)?.open).min();
        open.into_iter().map(|open| (None, open)).collect()
    }

    /// Does what a step says, unless all that it wants is a word.
    fn act(&mut self, open: Open) -> bool {
        if open.gate == GateId::CANARY_PUBLISHED {
            // Nothing can publish by OIDC before it is trusted.
            for config in configs_of(self.session.facts(), open.about) {
                assert!(self.state(config, GateId::EXCHANGE_PROBED).is_met());
            }
        }
        let about = vec![open.about];
        let at = (0..REPOS).find(|at| {
            let of = self.session.facts().configs.get(&open.about);
            [repo(*at), path(*at)].contains(&open.about)
                || of.is_some_and(|config| config.repo == repo(*at))
        });
        let assign = |role, person: &str| {
            Action::Role(Assign {
                about: about.clone(),
                role,
                person: Some(person.to_owned()),
            })
        };
        let action = match open.gate.word() {
            "owner-named" => assign(Role::Owner, "rosa"),
            "reviewer-named" => assign(Role::Reviewer, "ken"),
            "commander-named" => assign(Role::Commander, "rosa"),
            "second-approver-named" => assign(Role::SecondApprover, "ken"),
            "lane-chosen" => Action::Lane(LaneAction::Choose {
                paths: about,
                lane: if at.unwrap() % 7 == 3 {
                    Lane::StagedOidc
                } else {
                    Lane::Trusted
                },
                reason: "hosted".to_owned(),
            }),
            "validation-planned" => Action::Plan(PlanAction::Validation {
                configs: about,
                plan: match at.unwrap() % 6 {
                    5 => ValidationPlan::OnDemand,
                    _ => ValidationPlan::Canary,
                },
                note: String::new(),
            }),
            "secret-token-known" => {
                let row = &self.session.facts().secrets[&open.about];
                let at = (0..REPOS).find(|at| row.repos.contains(repo(*at))).unwrap();
                Action::Revocation(RevocationAction::AttestEdge {
                    token: token(at),
                    secret: open.about,
                    holds: true,
                    note: "made for it".to_owned(),
                })
            }
            "workflow-rewired" => {
                let path = self.session.facts().path_refs[&open.about];
                let at = (0..REPOS).find(|at| self::path(*at) == path).unwrap();
                self.see(scan(at, false, &[]));
                return true;
            }
            "tokens-revoked" => {
                self.assert_rehearsed(open.about);
                let key = self.session.facts().tokens[&open.about].fact.clone();
                Action::Revocation(RevocationAction::Record {
                    token: open.about,
                    token_id: key.unwrap().value.key.to_string(),
                    on: self.now.day(),
                    who: "rosa".to_owned(),
                    proof: "ticket 1".to_owned(),
                })
            }
            word => {
                if word == "secrets-deleted" {
                    self.assert_rehearsed(open.about);
                }
                return false;
            }
        };
        self.take(action);
        true
    }

    /// What is revoked or deleted is needed by no path any more, in any repository that shares it.
    fn assert_rehearsed(&self, about: Subject) {
        let facts = self.session.facts();
        let secrets = match about.kind {
            Kind::Token => facts.secrets_of(about),
            _ => vec![about],
        };
        for repo in secrets.iter().flat_map(|one| &facts.secrets[one].repos) {
            let row = self.session.board().repo(*repo).unwrap();
            assert!(
                row.wave() >= 5,
                "a step of revocation though {repo} is in wave {}",
                row.wave()
            );
            for (path, _) in facts.open_paths(*repo) {
                assert!(self.state(path, GateId::CANARY_PUBLISHED).is_met());
            }
        }
    }

    /// A third of the repositories goes ahead, then the next: what they share has to wait for the last.
    fn walk(&mut self) {
        let mut last = BTreeMap::new();
        for end in [REPOS / 3, REPOS / 3 * 2, REPOS] {
            for round in 0.. {
                let named = self.next(0..end);
                let words = |(row, open): &(Option<usize>, Open)| {
                    let verdict = judge(
                        &View::new(self.session.facts(), open.about, self.now),
                        open.gate,
                    );
                    format!(
                        "{row:?} {} {}: {}",
                        open.gate.word(),
                        open.about,
                        verdict.why
                    )
                };
                let still: Vec<String> = named.iter().take(3).map(words).collect();
                assert!(round < 400, "it does not end: {still:?}");
                if named.is_empty() {
                    break;
                }
                self.round(&named, &mut last);
                if end < REPOS && named.iter().all(|(row, _)| row.is_none()) {
                    break;
                }
            }
            self.same_as_full();
        }
    }

    /// Does what is named, each step once; the same word for several at once.
    fn round(&mut self, named: &[(Option<usize>, Open)], last: &mut BTreeMap<usize, u8>) {
        let mut attested: BTreeMap<GateId, Vec<Subject>> = BTreeMap::new();
        let mut done = BTreeSet::new();
        for (row, open) in named {
            if let Some(row) = row {
                let before = last.insert(*row, open.wave).unwrap_or(0);
                let gate = open.gate.word();
                assert!(
                    open.wave >= before,
                    "r{row}: {gate} of wave {} after {before}",
                    open.wave
                );
            }
            if !done.insert((open.gate, open.about)) {
                continue;
            }
            if !self.act(*open) {
                attested.entry(open.gate).or_default().push(open.about);
            }
        }
        for (gate, about) in attested {
            self.take(Action::Gate(GateAction::Attest {
                about,
                gate,
                note: "seen".to_owned(),
                link: None,
                before_rehearsal: false,
            }));
        }
    }

    fn same_as_full(&self) {
        let full = Board::full(self.session.facts(), self.now);
        for at in 0..REPOS {
            assert_eq!(self.session.board().repo(repo(at)), full.repo(repo(at)));
        }
    }
}

fn scan(at: usize, with_token: bool, findings: &[&str]) -> Vec<(Subject, Answer)> {
    let fact = PathFact {
        repo: Some(repo(at)),
        file: FILE.into(),
        job: Some("publish".into()),
        tool: ToolFact::Npm,
        registry: RegistryFact::Npmjs,
        credential: if with_token {
            CredentialFact::Token
        } else {
            CredentialFact::Oidc
        },
        secret: with_token.then(|| "NPM_TOKEN".into()),
        id_token: !with_token,
        staged: at % 7 == 3,
        environment: Some("npm".into()),
        runner: RunnerFact::Hosted,
        packages: vec![package(at)],
        ..PathFact::default()
    };
    let held = PackageFact {
        name: format!("@acme/p{at}").into(),
        repo: Some(repo(at)),
        repository_url: Some(format!("https://forge.example/acme/r{at}").into()),
        repository_matches: Some(true),
        ..PackageFact::default()
    };
    let finding = |rule: &&str| FindingFact {
        rule: (*rule).into(),
        file: FILE.into(),
        line: 1,
        ..FindingFact::default()
    };
    let whole = RepoFact {
        name: format!("acme/r{at}").into(),
        refs: "default branch only".into(),
        paths: vec![path(at)],
        packages: vec![package(at)],
        findings: findings.iter().map(finding).collect(),
        ..RepoFact::default()
    };
    vec![
        (path(at), Answer::Path(fact)),
        (package(at), Answer::Package(held)),
        (repo(at), Answer::Repo(whole)),
    ]
}

fn inventory(at: usize) -> (Subject, Answer) {
    let store = if own_secret(at) {
        "repository"
    } else {
        "organisation"
    };
    let fact = InventoryFact {
        name: format!("acme/r{at}").into(),
        secret_name: Some("NPM_TOKEN".into()),
        secret_store: Some(store.into()),
        ..InventoryFact::default()
    };
    (repo(at), Answer::Inventory(fact))
}

fn tokens() -> Vec<(Subject, Answer)> {
    let all = (0..REPOS).filter(|at| *at == 0 || own_secret(*at));
    let mut answers: Vec<(Subject, Answer)> = all
        .map(|at| {
            let fact = TokenFact {
                account: "bot".into(),
                key: format!("key-{at}").into(),
                ..TokenFact::default()
            };
            (token(at), Answer::Token(fact))
        })
        .collect();
    let listing = ListingFact {
        account: "bot".into(),
        complete: Some(true),
        tokens: answers.iter().map(|(token, _)| *token).collect(),
    };
    answers.push((Subject::person("bot"), Answer::Listing(listing)));
    answers
}

fn walked(profile: Profile) -> Walk {
    let mut walk = Walk::new(profile);
    walk.walk();
    let facts = walk.session.facts();
    for at in 0..REPOS {
        let (end, _) = end_state(facts, path(at), walk.now);
        let wanted = match at % 6 {
            5 => EndState::OnDemand,
            _ => EndState::Proven,
        };
        assert_eq!((end.state, end.basis), (wanted, Basis::Attested), "r{at}");
    }
    assert_eq!(status(&walk.session, walk.now).outcome, Outcome::Done);
    walk
}

#[test]
fn a_team_comes_to_the_end_by_doing_what_the_next_step_names() {
    let mut walk = walked(Profile::Team);
    // Once something turns out not to be known, nothing stays at its end.
    for rule in [
        "ci-not-read",
        "unseen-callee",
        "follow-limit",
        "token-in-unread-text",
    ] {
        walk.see(scan(0, false, &[rule]));
        let (end, _) = end_state(walk.session.facts(), path(0), walk.now);
        assert_eq!(end.state, EndState::Open, "{rule}");
        assert_ne!(
            status(&walk.session, walk.now).outcome,
            Outcome::Done,
            "{rule}"
        );
        walk.see(scan(0, false, &[]));
        let (end, _) = end_state(walk.session.facts(), path(0), walk.now);
        assert_eq!(end.state, EndState::Proven, "{rule}");
    }
    let secret = walk.session.facts().repos[&repo(4)].secrets[0];
    walk.take(Action::Revocation(RevocationAction::AttestEdge {
        token: token(4),
        secret,
        holds: false,
        note: "it was another".to_owned(),
    }));
    let (end, _) = end_state(walk.session.facts(), path(4), walk.now);
    assert_eq!(
        end.state,
        EndState::Open,
        "no known token is not a token that is gone"
    );
}

#[test]
fn one_person_alone_comes_to_the_end_too() {
    walked(Profile::Solo);
}
