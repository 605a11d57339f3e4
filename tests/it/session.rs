//! One cutover from scan to revocation, through the session file, closed and opened again after every step.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stderr
)]

use cutover::model::decision::{Slot, Standing};
use cutover::model::event::{Observation, SessionCreated, World};
use cutover::model::fact::{
    Answer, CredentialFact, ListingFact, PackageFact, PathFact, RegistryFact, RepoFact, RunnerFact,
    TokenFact, ToolFact,
};
use cutover::model::gate::{GateId, State, View, judge};
use cutover::model::id::{Kind, Subject};
use cutover::model::lane::Lane;
use cutover::model::outcome::{EndState, end_state};
use cutover::model::policy::{Policy, Profile};
use cutover::model::revoke::{Release, chain};
use cutover::model::time::Ts;
use cutover::session::decide::{
    Action, Assign, GateAction, LaneAction, NoteAction, PlanAction, RevocationAction, Role,
};
use cutover::session::judge::Board;
use cutover::session::{Error, Options, Session, create};
use std::path::{Path, PathBuf};

const FORGE: &str = "forge.example";
const REGISTRY: &str = "registry.example";

struct World1 {
    folder: tempfile::TempDir,
    random: std::cell::Cell<u8>,
}

impl World1 {
    fn new() -> Self {
        Self::of(Profile::Team)
    }

    fn of(profile: Profile) -> Self {
        let world = Self {
            folder: tempfile::tempdir().unwrap(),
            random: std::cell::Cell::new(1),
        };
        let created = SessionCreated {
            world: World::Real,
            forge: FORGE.into(),
            registry: REGISTRY.into(),
            organisations: vec!["acme".into()],
            profile,
            name: "acme-dec".into(),
            ..SessionCreated::default()
        };
        create(&world.file(), &created, &world.options("rosa", "laptop")).unwrap();
        let mut session = world.open("rosa", "laptop");
        session.adopt_policy(&Policy::default(), at(1)).unwrap();
        world
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("acme.cutover")
    }

    fn options(&self, actor: &str, device: &str) -> Options {
        self.random.set(self.random.get() + 1);
        Options {
            state: self.folder.path().join(format!("state-{device}")),
            actor: actor.to_owned(),
            device: device.to_owned(),
            program: "cutover test".to_owned(),
            read_only: false,
            random: [self.random.get(); 16],
            now: at(0),
        }
    }

    fn open(&self, actor: &str, device: &str) -> Session {
        self.open_at(&self.file(), actor, device)
    }

    fn open_at(&self, file: &Path, actor: &str, device: &str) -> Session {
        Session::open(file, self.options(actor, device)).unwrap()
    }
}

/// Minutes after the start.
fn at(minutes: i64) -> Ts {
    Ts::parse("2026-12-05T09:00:00Z")
        .unwrap()
        .plus(minutes * 60)
}

fn day(text: &str) -> chrono::NaiveDate {
    text.parse().unwrap()
}

fn repo() -> Subject {
    Subject::repo(FORGE, "acme/ui-kit")
}

fn package() -> Subject {
    Subject::package(REGISTRY, "@acme/ui-kit")
}

fn path() -> Subject {
    Subject::path(repo(), ".github/workflows/release.yml", "publish", 0)
}

fn token() -> Subject {
    Subject::token(REGISTRY, "acme-bot", "aaaa-bbbb")
}

fn seen(minutes: i64, about: Subject, answer: Answer) -> (Subject, Observation) {
    (
        about,
        Observation {
            as_of: at(minutes),
            answer,
        },
    )
}

fn scanned(
    minutes: i64,
    credential: CredentialFact,
    secret: Option<&str>,
) -> Vec<(Subject, Observation)> {
    let fact = PathFact {
        repo: Some(repo()),
        file: ".github/workflows/release.yml".into(),
        job: Some("publish".into()),
        line: 12,
        tool: ToolFact::Npm,
        registry: RegistryFact::Npmjs,
        credential,
        secret: secret.map(Into::into),
        id_token: credential == CredentialFact::Oidc,
        environment: Some("npm".into()),
        runner: RunnerFact::Hosted,
        packages: vec![package()],
        ..PathFact::default()
    };
    let kit = PackageFact {
        name: "@acme/ui-kit".into(),
        repo: Some(repo()),
        repository_url: Some("https://forge.example/acme/ui-kit".into()),
        repository_matches: Some(true),
        ..PackageFact::default()
    };
    let whole = RepoFact {
        name: "acme/ui-kit".into(),
        refs: "this checkout only, other refs not checked".into(),
        paths: vec![path()],
        packages: vec![package()],
        ..RepoFact::default()
    };
    vec![
        seen(minutes, path(), Answer::Path(fact)),
        seen(minutes, package(), Answer::Package(kit)),
        seen(minutes, repo(), Answer::Repo(whole)),
    ]
}

fn listed(minutes: i64, there: bool) -> Vec<(Subject, Observation)> {
    let fact = TokenFact {
        account: "acme-bot".into(),
        key: "aaaa-bbbb".into(),
        name: Some("ci".into()),
        readonly: Some(false),
        ..TokenFact::default()
    };
    let listing = ListingFact {
        account: "acme-bot".into(),
        complete: Some(true),
        tokens: if there { vec![token()] } else { vec![] },
    };
    let mut answers = vec![seen(
        minutes,
        Subject::person("acme-bot"),
        Answer::Listing(listing),
    )];
    if there {
        answers.push(seen(minutes, token(), Answer::Token(fact)));
    }
    answers
}

fn verdict(session: &Session, about: Subject, gate: &str, minutes: i64) -> (State, String) {
    let view = View::new(session.facts(), about, at(minutes));
    let verdict = judge(&view, GateId::parse(gate).unwrap());
    (verdict.state, verdict.why.into_owned())
}

fn attest(session: &mut Session, about: Subject, gate: &str, minutes: i64) {
    let action = Action::Gate(GateAction::Attest {
        about: vec![about],
        gate: GateId::parse(gate).unwrap(),
        note: "seen in the run".into(),
        link: None,
        before_rehearsal: true,
    });
    session
        .decide(&[action], at(minutes))
        .unwrap_or_else(|error| panic!("{gate}: {error}"));
}

/// What the board counts is what a full look counts.
fn same_as_full(session: &Session, minutes: i64) {
    let full = Board::full(session.facts(), at(minutes));
    for (repo, row) in full.repos() {
        assert_eq!(session.board().repo(repo), Some(row));
    }
}

#[test]
fn a_path_goes_from_a_token_to_cut_over_and_proven() {
    let world = World1::new();
    let mut session = world.open("rosa", "laptop");
    assert_eq!(
        session
            .observe(scanned(2, CredentialFact::Token, Some("NPM_TOKEN")), at(2))
            .unwrap()
            .written,
        3
    );
    assert_eq!(
        session
            .observe(scanned(3, CredentialFact::Token, Some("NPM_TOKEN")), at(3))
            .unwrap()
            .written,
        0,
        "the same answer is no news"
    );
    session.observe(listed(4, true), at(4)).unwrap();
    assert_eq!(
        verdict(&session, path(), "credential-classified", 5).0,
        State::Passed
    );
    assert_eq!(
        verdict(&session, path(), "lane-chosen", 5).0,
        State::NotLooked
    );
    let path_ref = Subject::path_ref(path(), cutover::model::facts::DEFAULT_REF);
    assert_eq!(
        verdict(&session, path_ref, "workflow-rewired", 5),
        (State::NotLooked, "choose a lane first".into())
    );

    session
        .decide(
            &[Action::Lane(LaneAction::Choose {
                paths: vec![path()],
                lane: Lane::Trusted,
                reason: String::new(),
            })],
            at(6),
        )
        .unwrap();
    assert_eq!(
        verdict(&session, path_ref, "workflow-rewired", 6).0,
        State::Blocked
    );
    assert_eq!(
        end_state(session.facts(), path(), at(6)).0.state,
        EndState::Open
    );

    // The token's chain: first nobody has said which token the secret holds.
    let secret = session.facts().repos[&repo()].secrets[0];
    assert!(matches!(
        chain(session.facts(), token(), at(7)).release(),
        Release::No(_)
    ));
    session
        .decide(
            &[Action::Revocation(RevocationAction::AttestEdge {
                token: token(),
                secret,
                holds: true,
                note: "created it for this secret".into(),
            })],
            at(7),
        )
        .unwrap();
    assert_eq!(
        verdict(&session, token(), "chain-complete", 8),
        (
            State::Blocked,
            "0 of 1 released; 1 path or use still needs it".into()
        )
    );
    same_as_full(&session, 8);

    // An attestation against what was seen is refused; a waiver needs an end.
    let contrary = Action::Gate(GateAction::Attest {
        about: vec![path_ref],
        gate: GateId::parse("workflow-rewired").unwrap(),
        note: "done".into(),
        link: None,
        before_rehearsal: true,
    });
    assert!(matches!(
        session.decide(&[contrary], at(8)),
        Err(Error::Refused(_))
    ));

    // The workflow is rewired; the secret that it named once stays known.
    session
        .observe(scanned(20, CredentialFact::Oidc, None), at(20))
        .unwrap();
    assert_eq!(
        verdict(&session, path_ref, "workflow-rewired", 20).0,
        State::Passed
    );
    let configs = session.facts().repos[&repo()].configs.clone();
    for config in configs {
        session
            .decide(
                &[Action::Plan(PlanAction::Validation {
                    configs: vec![config],
                    plan: cutover::model::decision::ValidationPlan::Canary,
                    note: String::new(),
                })],
                at(21),
            )
            .unwrap();
        for gate in ["armed", "exchange-probed", "published-by-oidc"] {
            attest(&mut session, config, gate, 22);
        }
    }
    attest(&mut session, path(), "release-environment-exists", 23);
    attest(&mut session, path(), "canary-published", 24);
    for gate in [
        "trust-decided",
        "dist-tags-correct",
        "installs-clean",
        "provenance-verified",
        "canary-cleaned",
    ] {
        attest(&mut session, package(), gate, 25);
    }
    same_as_full(&session, 25);
    session.observe(listed(30, false), at(30)).unwrap();
    assert_eq!(
        verdict(&session, token(), "tokens-revoked", 30).0,
        State::NotLooked,
        "one list without it proves nothing"
    );
    session.observe(listed(32, false), at(32)).unwrap();
    assert_eq!(
        verdict(&session, token(), "tokens-revoked", 32).0,
        State::Passed
    );
    // No workflow names the old secret any more, but it still stands in its store.
    assert_eq!(
        end_state(session.facts(), path(), at(32)).0.state,
        EndState::Open
    );
    attest(&mut session, secret, "secrets-deleted", 32);
    assert_eq!(
        end_state(session.facts(), path(), at(33)).0.state,
        EndState::CutOver
    );
    attest(&mut session, path(), "first-real-release", 34);
    assert_eq!(
        end_state(session.facts(), path(), at(34)).0.state,
        EndState::Proven
    );
    same_as_full(&session, 34);

    let log = session.log().len();
    drop(session);
    let again = world.open("rosa", "laptop");
    assert!(again.report().intact());
    assert_eq!(again.log().len(), log);
    assert_eq!(
        end_state(again.facts(), path(), at(34)).0.state,
        EndState::Proven
    );
}

#[test]
fn two_operators_merge_and_contest() {
    let world = World1::new();
    let mut session = world.open("rosa", "laptop");
    session
        .observe(scanned(2, CredentialFact::Token, Some("NPM_TOKEN")), at(2))
        .unwrap();
    drop(session);
    let copy = world.folder.path().join("copy.cutover");
    std::fs::copy(world.file(), &copy).unwrap();

    let owner = |person: &str| {
        Action::Role(Assign {
            about: vec![repo()],
            role: Role::Owner,
            person: Some(person.into()),
        })
    };
    let mut rosa = world.open("rosa", "laptop");
    rosa.decide(&[owner("mia")], at(10)).unwrap();
    let mut ken = world.open_at(&copy, "ken", "desk");
    ken.decide(&[owner("ken")], at(11)).unwrap();
    drop(ken);
    assert!(rosa.merge(&copy, true, at(12)).unwrap() >= 2);
    assert!(
        matches!(rosa.facts().standing(repo(), Slot::Owner), Standing::Contested(many) if many.len() == 2)
    );
    assert_eq!(verdict(&rosa, repo(), "owner-named", 12).0, State::Blocked);
    assert_eq!(
        rosa.merge(&copy, true, at(12)).unwrap(),
        0,
        "merging twice is merging once"
    );
    same_as_full(&rosa, 12);
    rosa.decide(&[owner("ken")], at(13)).unwrap();
    assert_eq!(rosa.facts().owner(repo()), Some("ken"));
    assert_eq!(verdict(&rosa, repo(), "owner-named", 13).0, State::Passed);

    // One's own last decision can be taken back, somebody else's cannot.
    rosa.decide(&[Action::Undo { event: None }], at(14))
        .unwrap();
    assert!(
        matches!(
            rosa.facts().standing(repo(), Slot::Owner),
            Standing::Contested(_)
        ),
        "the dispute that it settled is back"
    );
    drop(rosa);
    let mut ken = world.open("ken", "desk");
    let before = ken.log().len();
    let refused = ken.decide(&[Action::Undo { event: None }], at(15));
    assert!(matches!(refused, Err(Error::Refused(_))), "{refused:?}");
    assert_eq!(ken.log().len(), before, "a refusal writes nothing");
}

#[test]
fn a_solo_session_has_no_gates_about_a_second_person() {
    let world = World1::new();
    let mut session = world.open("rosa", "laptop");
    session
        .observe(scanned(2, CredentialFact::Oidc, None), at(2))
        .unwrap();
    assert_eq!(
        verdict(&session, repo(), "reviewer-named", 3).0,
        State::NotLooked
    );
    let world = World1::of(Profile::Solo);
    let mut session = world.open("rosa", "laptop");
    session
        .observe(scanned(2, CredentialFact::Oidc, None), at(2))
        .unwrap();
    assert_eq!(
        verdict(&session, repo(), "reviewer-named", 3).0,
        State::NotApplicable
    );
    assert_eq!(
        verdict(&session, Subject::SESSION, "second-approver-named", 3).0,
        State::NotApplicable
    );
}

#[test]
fn waivers_and_bridges_end() {
    let world = World1::new();
    let mut session = world.open("rosa", "laptop");
    session
        .observe(scanned(2, CredentialFact::Token, Some("NPM_TOKEN")), at(2))
        .unwrap();
    session
        .decide(
            &[Action::Lane(LaneAction::Choose {
                paths: vec![path()],
                lane: Lane::Bridge,
                reason: "not this year".into(),
            })],
            at(3),
        )
        .unwrap();
    let end = |on: &str| {
        Action::Lane(LaneAction::SetEndDate {
            about: vec![path()],
            on: day(on),
        })
    };
    assert!(
        matches!(
            session.decide(&[end("2027-01-01")], at(4)),
            Err(Error::Refused(_))
        ),
        "not before the cut-off"
    );
    session.decide(&[end("2026-12-20")], at(4)).unwrap();
    assert_eq!(
        verdict(&session, path(), "end-date-set", 5).0,
        State::Passed
    );
    let waive = Action::Gate(GateAction::Waive {
        about: vec![repo()],
        gate: GateId::parse("actions-pinned").unwrap(),
        why: "later".into(),
        until: day("2026-12-06"),
    });
    session.decide(&[waive], at(5)).unwrap();
    let days = 24 * 60;
    assert_eq!(
        verdict(&session, path(), "end-date-set", 20 * days).0,
        State::Blocked,
        "a bridge that has ended blocks"
    );
    session.tick(at(20 * days));
    same_as_full(&session, 20 * days);
}

#[test]
fn every_kind_of_subject_can_be_named() {
    let world = World1::new();
    let mut session = world.open("rosa", "laptop");
    session
        .observe(scanned(2, CredentialFact::Token, Some("NPM_TOKEN")), at(2))
        .unwrap();
    session.observe(listed(4, true), at(4)).unwrap();
    let find = |name: &str| cutover::session::name::find(session.facts(), name);
    assert_eq!(find("acme/ui-kit"), Ok(repo()));
    assert_eq!(find("acme/ui-kit:release.yml"), Ok(path()));
    assert_eq!(find("acme/ui-kit:release.yml#publish"), Ok(path()));
    assert_eq!(find("@acme/ui-kit"), Ok(package()));
    assert_eq!(find("acme-bot/ci"), Ok(token()));
    assert_eq!(find("aaaa-b"), Ok(token()));
    assert_eq!(find("NPM_TOKEN").map(|one| one.kind), Ok(Kind::Secret));
    assert_eq!(find("person:acme-bot"), Ok(Subject::person("acme-bot")));
    assert!(find("nobody/nothing").is_err());
}

/// Makes a key pair; nothing where ssh-keygen is not installed.
fn key_pair(
    folder: &Path,
    name: &str,
) -> Option<(cutover::safe::process::Program, PathBuf, String)> {
    let search = std::env::var_os("PATH");
    let Ok(program) =
        cutover::safe::process::Program::resolve("ssh-keygen", search.as_deref(), &[])
    else {
        eprintln!("skipped: ssh-keygen is not installed");
        return None;
    };
    let key = folder.join(name);
    let made = std::process::Command::new(program.path())
        .args(["-q", "-t", "ed25519", "-N", "", "-C", name, "-f"])
        .arg(&key)
        .status()
        .unwrap();
    assert!(made.success());
    let public = std::fs::read_to_string(key.with_extension("pub")).unwrap();
    Some((program, key, public))
}

#[test]
fn a_policy_change_counts_only_when_signed_by_the_roster() {
    let world = World1::new();
    let Some((program, key, public)) = key_pair(world.folder.path(), "rosa") else {
        return;
    };
    let Some((_, wrong, _)) = key_pair(world.folder.path(), "other") else {
        return;
    };
    let mut rosa = world.open("rosa", "laptop");
    rosa.adopt_key("rosa", &public, at(1)).unwrap();
    let strict = Policy {
        rotation_days: 30,
        ..Policy::default()
    };
    assert!(
        matches!(rosa.adopt_policy(&strict, at(2)), Err(Error::Unsigned)),
        "once the roster has a key"
    );

    // With a key that nobody could verify nothing is written.
    let signing = |key: &Path| cutover::session::sign::Signing {
        ssh_keygen: program.clone(),
        key: key.to_owned(),
    };
    rosa.sign_with(signing(&wrong));
    let lines = rosa.log().len();
    assert!(
        matches!(rosa.adopt_policy(&strict, at(3)), Err(Error::NotOnRoster(who)) if who == "rosa")
    );
    assert_eq!(rosa.log().len(), lines);

    rosa.sign_with(signing(&key));
    rosa.adopt_policy(&strict, at(4)).unwrap();
    assert_eq!(
        rosa.facts().policy.rotation_days,
        60,
        "not before the signature is checked"
    );
    assert_eq!(rosa.check_signatures(&program, at(4)).unwrap().good, 1);
    assert_eq!(rosa.facts().policy.rotation_days, 30);
    drop(rosa);

    let mut again = world.open("rosa", "laptop");
    assert_eq!(
        again.facts().policy.rotation_days,
        60,
        "unsigned until checked"
    );
    again.check_signatures(&program, at(5)).unwrap();
    assert_eq!(again.facts().policy.rotation_days, 30);
}

#[test]
fn somebody_elses_policy_does_not_judge_here() {
    let world = World1::new();
    let mut ken = world.open("ken", "desk");
    ken.adopt_policy(
        &Policy {
            rotation_days: 1,
            ..Policy::default()
        },
        at(2),
    )
    .unwrap();
    assert_eq!(ken.facts().policy.rotation_days, 60);
}

#[test]
fn a_proposal_is_taken_once_with_its_reason() {
    let world = World1::new();
    let mut session = world.open("rosa", "laptop");
    session
        .observe(scanned(2, CredentialFact::Token, Some("NPM_TOKEN")), at(2))
        .unwrap();
    let accept = Action::Lane(LaneAction::AcceptProposals {
        about: vec![repo()],
    });
    session
        .decide(std::slice::from_ref(&accept), at(3))
        .unwrap();
    assert_eq!(session.facts().lane(path()), Some(Lane::Trusted));
    let entry = *session.log().last().unwrap();
    assert!(
        session.data(&entry).unwrap()["reason"]
            .as_str()
            .unwrap()
            .contains("hosted runner")
    );
    assert!(
        matches!(session.decide(&[accept], at(4)), Err(Error::Refused(_))),
        "nothing is left to propose"
    );
}

#[test]
fn a_scan_that_could_not_read_everything_takes_nothing_away() {
    let world = World1::new();
    let mut session = world.open("rosa", "laptop");
    let first = scanned(2, CredentialFact::Token, Some("NPM_TOKEN"));
    session.observe(first, at(2)).unwrap();
    let again = |minutes, unread: &[&str]| {
        let fact = RepoFact {
            name: "acme/ui-kit".into(),
            unread: unread.iter().map(|one| (*one).into()).collect(),
            ..RepoFact::default()
        };
        vec![seen(minutes, repo(), Answer::Repo(fact))]
    };
    let part = ["the tree is too large", "b.yml", "c.yml"];
    let observed = session.observe(again(3, &part), at(3)).unwrap();
    assert_eq!(observed.written, 1);
    assert_eq!(session.facts().open_paths(repo()).count(), 1);
    assert_eq!(
        session.facts().repos[&repo()]
            .scan
            .as_ref()
            .unwrap()
            .value
            .packages,
        [package()]
    );
    let could_not = (
        State::CouldNotLook,
        "not everything could be read: the tree is too large and 2 more".to_owned(),
    );
    assert_eq!(verdict(&session, repo(), "paths-found", 3), could_not);
    let observed = session.observe(again(4, &part), at(4)).unwrap();
    assert_eq!(observed.written, 0, "the same again is no news");
    session.observe(again(5, &[]), at(5)).unwrap();
    assert_eq!(session.facts().open_paths(repo()).count(), 0);
}

#[test]
fn a_file_in_another_ones_place_is_told_by_what_this_device_knew() {
    let world = World1::new();
    drop(world.open("rosa", "laptop"));
    let copy = world.folder.path().join("copy.cutover");
    std::fs::copy(world.file(), &copy).unwrap();
    let mut ken = world.open_at(&copy, "ken", "desk");
    let note = Action::Note(NoteAction::Add {
        about: repo(),
        text: "hello".into(),
    });
    ken.decide(&[note], at(5)).unwrap();
    drop(ken);
    std::fs::copy(&copy, world.file()).unwrap();
    let told = |session: &Session| {
        let mut notices = session.notices().iter();
        notices.any(|notice| notice.contains("new to this device") && notice.contains("of ken"))
    };
    assert!(told(&world.open("rosa", "laptop")));
    assert!(!told(&world.open("rosa", "laptop")), "once");
}

#[test]
fn a_policy_whose_digest_is_not_its_own_is_not_used() {
    use cutover::model::event::{Event, policy_digest};
    let policy = serde_json::to_string(&Policy::default()).unwrap();
    let read = |digest: &str| {
        let data = format!(r#"{{"digest":"{digest}","policy":{policy}}}"#);
        Event::parse("policy_adopted", true, &data)
    };
    assert!(read(&policy_digest(&policy)).is_ok());
    let refused = read(&policy_digest("another")).unwrap_err().to_string();
    assert!(refused.contains("digest"), "{refused}");
}

#[test]
fn what_an_end_state_says_is_not_waived() {
    let world = World1::new();
    let mut session = world.open("rosa", "laptop");
    session
        .observe(scanned(2, CredentialFact::Token, Some("NPM_TOKEN")), at(2))
        .unwrap();
    let waive = |gate| {
        Action::Gate(GateAction::Waive {
            about: vec![repo()],
            gate,
            why: "later".into(),
            until: at(3).day(),
        })
    };
    let refused = session.decide(&[waive(GateId::WORKFLOW_REWIRED)], at(3));
    assert!(matches!(refused, Err(Error::Refused(_))), "{refused:?}");
    let owned = GateId::parse("workflow-owned").unwrap();
    assert!(session.decide(&[waive(owned)], at(3)).is_ok());
}

#[test]
fn a_batch_sees_its_own_decisions_and_is_written_whole_or_not_at_all() {
    let world = World1::new();
    let mut session = world.open("rosa", "laptop");
    session
        .observe(scanned(2, CredentialFact::Oidc, None), at(2))
        .unwrap();
    let assign = |role, person: &str| {
        Action::Role(Assign {
            about: vec![repo()],
            role,
            person: Some(person.to_owned()),
        })
    };
    let before = session.log().len();
    let both = [assign(Role::Owner, "ken"), assign(Role::Reviewer, "ken")];
    assert!(session.decide(&both, at(3)).is_err());
    assert_eq!(session.log().len(), before, "a refusal writes nothing");
    assert_eq!(session.facts().owner(repo()), None);

    // The commander that a batch names is the one its second approver is held against.
    let named = [assign(Role::Commander, "mia")];
    session.decide(&named, at(4)).unwrap();
    let swapped = [
        assign(Role::Commander, "ken"),
        assign(Role::SecondApprover, "mia"),
    ];
    let decided = session.decide(&swapped, at(5)).unwrap();
    let kinds: Vec<&str> = decided.events.iter().map(|one| one.event.kind()).collect();
    assert_eq!(kinds, ["commander_named", "second_approver_named"]);
    let names: Vec<_> = session
        .log()
        .iter()
        .rev()
        .take(2)
        .map(|one| session.name_of(one.id))
        .collect();
    let written: Vec<_> = decided
        .events
        .iter()
        .rev()
        .map(|one| Some(one.id))
        .collect();
    assert_eq!(written, names);

    // Said twice in one batch, the later one alone is written.
    let twice = [assign(Role::Owner, "ken"), assign(Role::Owner, "rosa")];
    assert_eq!(session.decide(&twice, at(6)).unwrap().events.len(), 1);
    assert_eq!(session.facts().owner(repo()), Some("rosa"));
}
