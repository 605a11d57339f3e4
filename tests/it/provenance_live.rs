//! How a version was built, from a scan to a verdict: which version is asked about, what registry and forge are asked,
//! and what is kept of it. The bundles are minted (tests/fixtures/provenance), the servers answer on this machine.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::Response;
use cutover::engine::observe::github::Github;
use cutover::engine::observe::npm::Npm;
use cutover::engine::observe::provenance::{Proof, prove};
use cutover::engine::observe::{Report, Targets};
use cutover::github::discover::Choice;
use cutover::github::{GitHub, Place};
use cutover::http::{Credential, Options, World};
use cutover::model::event::Observation;
use cutover::model::fact::{
    Answer, ForgeFact, HowFact, LiveSource, ProvenanceFact, PublishedFact, RunFact, RunsFact,
    VersionFact,
};
use cutover::model::id::Subject;
use cutover::model::time::Ts;
use cutover::registry::{Base, Registry, Roots};
use cutover::safe::secret::Secret;
use cutover::session::{self, Session};
use serde_json::json;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

const ROOT: &str = include_str!("../fixtures/provenance/minted-root.json");
const RIGHT: &str = include_str!("../fixtures/provenance/minted-right.json");
const WRONG: &str = include_str!("../fixtures/provenance/minted-commit.json");
const TARBALL: &[u8] = include_bytes!("../fixtures/provenance/demo-10.0.1.tgz");
const SHA: &str = "aa218f56b14c9653891f9e74264a383fa43fefbd";

/// What the registry has of the one version.
#[derive(Clone, Copy)]
enum Has {
    Bundle(&'static str),
    Nothing,
}

/// A forge and a registry on one address.
async fn serve(has: Has) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let own = address.clone();
    let answer = move |request: Request| {
        let own = own.clone();
        async move {
            let json = |value: serde_json::Value| {
                Response::builder()
                    .header("content-type", "application/json")
                    .body(Body::from(value.to_string()))
                    .unwrap()
            };
            match request.uri().path() {
                "/-/npm/v1/attestations/@acme%2fdemo@10.0.1" => match has {
                    Has::Bundle(bundle) => json(json!({ "attestations": [{
                        "predicateType": "https://slsa.dev/provenance/v1",
                        "bundle": serde_json::from_str::<serde_json::Value>(bundle).unwrap(),
                    }] })),
                    Has::Nothing => json(json!({ "attestations": [] })),
                },
                "/@acme%2fdemo/10.0.1" => json(json!({
                    "name": "@acme/demo",
                    "dist": { "tarball": format!("{own}/demo.tgz") },
                })),
                "/demo.tgz" => Response::builder()
                    .header("content-type", "application/octet-stream")
                    .body(Body::from(TARBALL))
                    .unwrap(),
                "/repos/acme/demo/actions/runs/3" => json(json!({
                    "id": 3, "node_id": "WFR_3", "run_number": 3, "run_attempt": 1,
                    "path": ".github/workflows/publish.yml", "event": "push", "head_branch": "main",
                    "head_sha": SHA, "status": "completed", "conclusion": "success",
                    "created_at": "2026-12-05T08:00:00Z", "updated_at": "2026-12-05T08:05:00Z",
                    "run_started_at": "2026-12-05T08:00:00Z", "html_url": "https://github.com/acme/demo/actions/runs/3",
                    "actor": { "login": "rosa" },
                })),
                _ => Response::builder()
                    .status(404)
                    .body(Body::from("{}"))
                    .unwrap(),
            }
        }
    };
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    address
}

/// A checkout that publishes by OIDC, scanned, its lane chosen, and what forge and registry showed of it.
fn session(folder: &Path) -> Session {
    let checkout = folder.join("acme__demo");
    let write = |path: &str, text: &str| {
        let path = checkout.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write(
        "package.json",
        r#"{"name":"@acme/demo","version":"10.0.1"}"#,
    );
    write(
        ".github/workflows/publish.yml",
        "on: push\njobs:\n  publish:\n    runs-on: ubuntu-latest\n    permissions:\n      id-token: write\n    steps:\n      - run: npm publish --provenance\n",
    );
    for arguments in [
        vec!["init", "demo", "--scan", "acme__demo"],
        vec![
            "lane",
            "acme/demo",
            "--lane",
            "trusted",
            "-s",
            "demo.cutover",
        ],
    ] {
        let out = Command::new(env!("CARGO_BIN_EXE_cutover"))
            .args(arguments)
            .current_dir(folder)
            .env_clear()
            .env("HOME", folder.join("home"))
            .env("CUTOVER_ACTOR", "rosa")
            .output()
            .unwrap();
        assert!(
            out.status.success(),
            "{}",
            String::from_utf8_lossy(&out.stderr)
        );
    }
    let now = Ts::parse("2026-12-05T10:00:00Z").unwrap();
    let options = session::Options {
        state: folder.join("state"),
        actor: "rosa".to_owned(),
        device: "desk".to_owned(),
        program: "test".to_owned(),
        read_only: false,
        random: [7; 16],
        now,
    };
    let mut session = Session::open(&folder.join("demo.cutover"), options).unwrap();
    let repo = *session.facts().repos.keys().next().unwrap();
    let seen = |answer| Observation { as_of: now, answer };
    let version = VersionFact {
        version: "10.0.1".into(),
        at: Ts::parse("2026-12-05T08:04:00Z").unwrap(),
        how: HowFact::Oidc,
        git_head: Some(SHA.into()),
        provenance: true,
        ..VersionFact::default()
    };
    let run = RunFact {
        id: 3,
        file: "publish.yml".into(),
        sha: SHA.into(),
        status: "completed".into(),
        conclusion: Some("success".into()),
        created: Ts::parse("2026-12-05T08:00:00Z").unwrap(),
        updated: Ts::parse("2026-12-05T08:05:00Z").unwrap(),
        ..RunFact::default()
    };
    let forge = ForgeFact {
        name: "acme/demo".into(),
        id: Some(1),
        owner_id: Some(2),
        visibility: "public".into(),
        ..ForgeFact::default()
    };
    let published = PublishedFact {
        name: "@acme/demo".into(),
        versions: vec![version],
        ..PublishedFact::default()
    };
    let answers = vec![
        (repo, seen(Answer::Forge(forge))),
        (repo, seen(Answer::Runs(RunsFact { runs: vec![run] }))),
        (package(&session), seen(Answer::Published(published))),
    ];
    session.observe(answers, now).unwrap();
    session
}

fn package(session: &Session) -> Subject {
    *session.facts().packages.keys().next().unwrap()
}

fn observers(address: &str) -> (Arc<Github>, Npm) {
    let now: Arc<dyn Fn() -> Ts + Send + Sync> = Arc::new(|| Ts(0));
    let options = Options::new(World::Tabletop, now);
    let place = Place::tabletop(address, "github.com").unwrap();
    let secret = Secret::new("not-a-real-token".to_owned());
    let credential = Credential::bearer(place.origin().clone(), &secret, "a test").unwrap();
    let listen: cutover::github::Listen = Arc::new(|_, _| {});
    let api = GitHub::open(place, Some(credential), options.clone(), listen).unwrap();
    let base = Base::parse(address, World::Tabletop).unwrap();
    let nobody = Registry::new(base, options, None).unwrap();
    let roots = Arc::new(Roots::from_json(ROOT).unwrap());
    let npm = Npm::new(nobody, Vec::new(), "registry").trusting(roots);
    (
        Arc::new(Github::new(api, "registry", Choice::default())),
        npm,
    )
}

/// Asks once, and gives the one answer.
fn asked(has: Has, targets: &Targets, package: Subject) -> Answer {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let (github, npm) = observers(&serve(has).await);
        let brought = prove(Some(github), &npm, package, targets, Ts(0))
            .await
            .unwrap();
        let mut reports = brought.reports.into_iter();
        let Some(Report::Answers(mut answers)) = reports.next() else {
            panic!("no answer")
        };
        answers.remove(0).1.answer
    })
}

#[test]
fn the_newest_attested_version_of_a_known_run_is_verified_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = session(folder.path());
    let package = package(&session);
    let proof = Proof::of(session.facts(), package).expect("something to prove");
    assert_eq!(
        (
            &*proof.version,
            &*proof.repo,
            proof.repo_id,
            proof.owner_id,
            &*proof.file,
            proof.run
        ),
        ("10.0.1", "acme/demo", 1, 2, "publish.yml", 3)
    );
    let targets = Targets::of(session.facts());
    let answer = asked(Has::Bundle(RIGHT), &targets, package);
    let Answer::Provenance(fact) = &answer else {
        panic!("{answer:?}")
    };
    assert!(fact.verified, "{fact:?}");
    assert_eq!((&*fact.commit, &*fact.git_ref), (SHA, "refs/heads/main"));
    let now = Ts::parse("2026-12-05T10:00:00Z").unwrap();
    session
        .observe(vec![(package, Observation { as_of: now, answer })], now)
        .unwrap();
    assert_eq!(
        Proof::of(session.facts(), package),
        None,
        "it was looked at"
    );
}

#[test]
fn a_wrong_bundle_is_refused_and_a_missing_one_could_not_be_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let session = session(folder.path());
    let package = package(&session);
    let targets = Targets::of(session.facts());
    let refused = asked(Has::Bundle(WRONG), &targets, package);
    let Answer::Provenance(ProvenanceFact { verified, why, .. }) = refused else {
        panic!("{refused:?}")
    };
    assert!(
        !verified && why.as_deref().unwrap().contains("commit"),
        "{why:?}"
    );
    let missing = asked(Has::Nothing, &targets, package);
    let Answer::CouldNot(fact) = missing else {
        panic!("{missing:?}")
    };
    assert_eq!(fact.source, LiveSource::Provenance);
    assert!(fact.why.contains("has none to show"), "{}", fact.why);
}

#[test]
fn a_run_that_left_the_list_still_explains_its_version() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = session(folder.path());
    let package = package(&session);
    let repo = *session.facts().repos.keys().next().unwrap();
    let later = Ts::parse("2026-12-05T11:00:00Z").unwrap();
    let none = Observation {
        as_of: later,
        answer: Answer::Runs(RunsFact::default()),
    };
    session.observe(vec![(repo, none)], later).unwrap();
    let proof = Proof::of(session.facts(), package);
    assert_eq!(proof.map(|proof| proof.run), Some(3));
}
