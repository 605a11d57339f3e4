//! The clients and the simulated services held to GitHub's and npm's own descriptions, with Prism between the two.
//!
//! Needs `CUTOVER_PRISM`, the program `prism` of `@stoplight/prism-cli`, as `.ci/prism` installs it; without it the tests
//! say so and check nothing. GraphQL and what a description leaves out go past Prism; see `PAST`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr
)]

mod front;

use std::sync::Arc;
use std::time::Duration;

use cutover::github::discover::Choice;
use cutover::github::refs::{RefChoice, RefsAsked};
use cutover::github::run::{JobLog, Polled};
use cutover::github::{EtagMap, GitHub, Patterns, Place, settings};
use cutover::http::{Credential, Options, World as Reach};
use cutover::model::fact::Answer;
use cutover::model::name::{Login as Account, PackageName, RepoName};
use cutover::model::time::Ts;
use cutover::registry::{Base, Guarded, Known, Login, Polled as Challenged, Registry};
use cutover::tabletop::{self, Opens, Tabletop};
use front::{Front, Past, Prism, Right};
use serde_json::{Value, json};

/// What goes past Prism: method, begin or end of the path, and why.
const PAST_GITHUB: &[Past] = &[
    ("POST", "/graphql", "GraphQL has a schema of its own"),
    (
        "GET",
        "/logs",
        "Prism follows redirects, with the credential",
    ),
    (
        "GET",
        "/_logs/",
        "the store of logs is no part of the interface",
    ),
];
const PAST_NPM: &[Past] = &[
    (
        "GET",
        "/@",
        "not described: of a package only publishing is",
    ),
    ("GET", "/-/whoami", "not described"),
    ("GET", "/-/npm/v1/user", "not described"),
    ("GET", "/-/npm/v1/attestations/", "not described"),
    ("GET", "/-/user/", "not described"),
    ("GET", "/auth/", "a page for people"),
    (
        "GET",
        "/-/v1/done",
        "where a challenge ends is for the challenge to say",
    ),
];

/// What Prism objects to and is right: a part of the objection, and why.
const RIGHT_GITHUB: &[Right] = &[
    (
        "parameter workflow_id must match exactly one schema in oneOf",
        "a number is a text too",
    ),
    (
        "query parameter created must match format",
        "the description's own text says that ranges are taken",
    ),
];
const RIGHT_NPM: &[Right] = &[(
    "Request header must have required property 'npm-otp'",
    "the description's own text says that without it the answer is a challenge, which is how one is asked for",
)];

async fn table() -> Tabletop {
    let options = tabletop::Options {
        repos: 20,
        seed: 7,
        speed: 1.0,
        start: Ts::parse("2026-12-05T09:00:00Z").unwrap().utc(),
        scenario: None,
        elapsed: Some(Arc::new(|| Duration::ZERO)),
    };
    Tabletop::start(options).await.unwrap()
}

fn options(table: &Tabletop) -> Options {
    let clock = table.clock.clone();
    Options::new(Reach::Tabletop, Arc::new(move || Ts(clock.now() / 1000)))
}

fn github(table: &Tabletop, address: &str) -> GitHub {
    let place = Place::tabletop(address, "github.com").unwrap();
    let secret = table.credential("rosa", Opens::Github).unwrap();
    let credential = Credential::bearer(place.origin().clone(), secret, "rosa").unwrap();
    GitHub::open(place, Some(credential), options(table), Arc::new(|_, _| ())).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn github_is_asked_and_simulated_as_its_description_says() {
    let table = table().await;
    let Some(prism) = Prism::start("github.json", &table.github).await else {
        return;
    };
    let front = Front::start(&table.github, &prism.address, PAST_GITHUB, RIGHT_GITHUB).await;
    let github = github(&table, &front.address);
    read_organisation(&github, &table).await;
    let names = table.with_world(|world| {
        let open = world.repos.iter().filter(|repo| !repo.archived);
        let name = |name: &str| RepoName::parse(&format!("{}/{name}", world.org.login)).unwrap();
        open.map(|repo| name(&repo.name)).collect::<Vec<_>>()
    });
    for name in names.iter().take(8) {
        read_repository(&github, name).await;
    }
    read_runs(&github, &names, &table).await;
    write_repository(&front, &table).await;
    front.report(25);
}

async fn read_organisation(github: &GitHub, table: &Tabletop) {
    let login = Account::parse(&table.organisation).unwrap();
    github.powers().await.unwrap();
    github.limits().await.unwrap();
    let (choice, tell) = (Choice::default(), &mut |_, _| ());
    let all = github.discover(&login, &choice, tell).await.unwrap();
    assert!(all.complete, "{:?}", all.gaps);
    let choice = RefChoice {
        branches: Patterns::parse(["release/**", "[0-9]+.x"]).unwrap(),
        tags: Patterns::default(),
        protected: true,
        cap: 200,
    };
    let asked = all.found.iter().take(25).map(|one| RefsAsked {
        repo: one.name.clone(),
        node_id: one.node_id.clone(),
        default: one.fact.default_branch.clone(),
        known: Vec::new(),
    });
    let asked: Vec<RefsAsked> = asked.collect();
    for looks in github.other_refs(&asked, &choice).await.unwrap() {
        looks.unwrap();
    }
    let stores = github.org_stores(&login).await.unwrap();
    assert!(stores.iter().all(|store| store.why.is_none()), "{stores:?}");
}

async fn read_repository(github: &GitHub, name: &RepoName) {
    let look = github.environments(name).await.unwrap();
    let Answer::Environments(fact) = &look.answers[0].1 else {
        panic!("{look:?}")
    };
    let known = settings::environment_names(fact).unwrap();
    let look = github.secrets(name, Some(&known), &[]).await.unwrap();
    let Answer::Secrets(fact) = &look.answers[0].1 else {
        panic!("{look:?}")
    };
    let open: Vec<_> = fact.stores.iter().filter(|one| !one.complete).collect();
    assert!(open.is_empty(), "{name}: {open:?}");
    github.actions_settings(name).await.unwrap();
    github.protection(name, "main", None).await.unwrap();
    github.protected_branches(name).await.unwrap();
    let tree = github.fetch_tree(name, "main").await.unwrap();
    let blobs = github
        .fetch_blobs(name, &tree.entries[..tree.entries.len().min(5)])
        .await
        .unwrap();
    assert!(!blobs.files.is_empty());
}

async fn read_runs(github: &GitHub, names: &[RepoName], table: &Tabletop) {
    let since = Ts(table.clock.now() / 1000).plus(-30 * 86_400);
    let tags = EtagMap::default();
    let mut logs = 0;
    for name in names.iter().take(8) {
        github.workflows(name).await.unwrap();
        for run in github.runs_since(name, since).await.unwrap().iter().take(3) {
            github.run(name, run.id, &tags).await.unwrap();
            // Asked again with its tag.
            github.run(name, run.id, &tags).await.unwrap();
            github.waits(name, run.id).await.unwrap();
            let Polled::New { value: jobs, .. } = github.jobs(name, run.id, &tags).await.unwrap()
            else {
                panic!("a first look is new")
            };
            if let Some(job) = jobs.first() {
                let log = github.job_log(name, job.id, 1 << 20).await;
                logs += usize::from(matches!(log, Ok(JobLog::Text(_))));
            }
        }
    }
    assert!(logs > 0, "no log was read");
}

/// Writes as a person's script may: what is written goes through the same checks.
async fn write_repository(front: &Front, table: &Tabletop) {
    let token = table.credential("rosa", Opens::Github).unwrap().expose();
    let (home, workflow) = table.with_world(|world| {
        let fit = |repo: &&tabletop::world::Repo| !repo.archived && !repo.workflows.is_empty();
        let repo = world.repos.iter().find(fit).unwrap();
        let home = format!("/repos/{}/{}", world.org.login, repo.name);
        (home, repo.workflows[0].id)
    });
    let ask = async |method: &str, path: &str, body: Value| -> (u16, Value) {
        let url = format!("{}{home}{path}", front.address);
        let call = reqwest::Client::new().request(method.parse().unwrap(), url);
        let call = call.bearer_auth(token).header("user-agent", "contract");
        let call = call.header("accept", "application/vnd.github+json");
        let call = if body.is_null() {
            call
        } else {
            call.json(&body)
        };
        let answer = call.send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap_or_default())
    };
    let none = Value::Null;
    let (status, head) = ask("GET", "/git/ref/heads/main", none.clone()).await;
    assert_eq!(status, 200, "{head}");
    let head = head["object"]["sha"].as_str().unwrap().to_owned();
    let (_, commit) = ask("GET", &format!("/git/commits/{head}"), none.clone()).await;
    let tree = commit["tree"]["sha"].as_str().unwrap().to_owned();
    let (status, blob) = ask(
        "POST",
        "/git/blobs",
        json!({"content": "x", "encoding": "utf-8"}),
    )
    .await;
    assert_eq!(status, 201, "{blob}");
    let entry = json!({"path": "NOTE", "mode": "100644", "type": "blob", "sha": blob["sha"]});
    let (status, made) = ask(
        "POST",
        "/git/trees",
        json!({"base_tree": tree, "tree": [entry]}),
    )
    .await;
    assert_eq!(status, 201, "{made}");
    let body = json!({"message": "Note", "tree": made["sha"], "parents": [head]});
    let (status, commit) = ask("POST", "/git/commits", body).await;
    assert_eq!(status, 201, "{commit}");
    let body = json!({"ref": "refs/heads/note", "sha": head});
    let (status, answer) = ask("POST", "/git/refs", body).await;
    assert_eq!(status, 201, "{answer}");
    let body = json!({"sha": commit["sha"], "force": false});
    let (status, answer) = ask("PATCH", "/git/refs/heads/note", body).await;
    assert_eq!(status, 200, "{answer}");
    let (status, _) = ask("GET", "/contents/NOTE?ref=note", none.clone()).await;
    assert_eq!(status, 200);
    let body = json!({"message": "More", "content": "eA==", "branch": "note"});
    let (status, answer) = ask("PUT", "/contents/MORE", body).await;
    assert_eq!(status, 201, "{answer}");
    let (status, _) = ask("DELETE", "/git/refs/heads/note", none.clone()).await;
    assert_eq!(status, 204);

    let (status, key) = ask("GET", "/actions/secrets/public-key", none.clone()).await;
    assert_eq!(status, 200, "{key}");
    let sealed = json!({"encrypted_value": "eA==", "key_id": key["key_id"]});
    assert_eq!(ask("PUT", "/actions/secrets/CONTRACT", sealed).await.0, 201);
    assert_eq!(
        ask("GET", "/actions/secrets/CONTRACT", none.clone())
            .await
            .0,
        200
    );
    assert_eq!(
        ask("DELETE", "/actions/secrets/CONTRACT", none.clone())
            .await
            .0,
        204
    );
    let variable = json!({"name": "CONTRACT", "value": "1"});
    assert_eq!(ask("POST", "/actions/variables", variable).await.0, 201);
    assert_eq!(
        ask("DELETE", "/actions/variables/CONTRACT", none.clone())
            .await
            .0,
        204
    );
    for path in [
        "",
        "/branches/main",
        "/collaborators",
        "/rulesets",
        "/actions/permissions",
        "/actions/workflows",
        "/commits",
    ] {
        assert_eq!(ask("GET", path, none.clone()).await.0, 200, "{path}");
    }
    let path = format!("/actions/workflows/{workflow}");
    for path in [path.clone(), format!("{path}/runs")] {
        assert_eq!(ask("GET", &path, none.clone()).await.0, 200, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn npm_is_asked_and_simulated_as_its_description_says() {
    let table = table().await;
    let Some(prism) = Prism::start("npm.json", &table.registry).await else {
        return;
    };
    let front = Front::start(&table.registry, &prism.address, PAST_NPM, RIGHT_NPM).await;
    let base = Base::parse(&front.address, Reach::Tabletop).unwrap();
    let secret = table.credential("rosa", Opens::NpmSession).unwrap().clone();
    let login = Login::new(&base, "contract", secret);
    let registry = Registry::new(base, options(&table), Some(&login)).unwrap();

    let rosa = registry.whoami().await.unwrap();
    registry.profile(&rosa).await.unwrap();
    let org = Account::parse(&table.organisation).unwrap();
    registry.org_packages(&org).await.unwrap();
    registry.user_packages(&rosa).await.unwrap();
    assert!(registry.org_users(&org).await.unwrap().contains_key("rosa"));
    let tokens = registry.tokens(&rosa).await.unwrap();
    assert_eq!(tokens.complete, Some(true), "{tokens:?}");
    assert!(registry.search(&format!("@{org}")).await.unwrap().complete);
    registry.stages(None).await.unwrap();
    let names = table.with_world(|world| {
        let own = world
            .packages
            .values()
            .filter(|one| one.people.contains_key("rosa"));
        let name = own.map(|one| PackageName::parse(&one.name).unwrap());
        name.take(8).collect::<Vec<_>>()
    });
    let mut otp = None;
    for name in &names {
        registry.packument(name, &Known::default()).await.unwrap();
        registry.access(name).await.unwrap();
        registry.stages(Some(name)).await.unwrap();
        registry.attestations(name, "1.0.0").await.unwrap();
        let answer = registry.trust(name, otp.as_ref(), None).await.unwrap();
        if let Guarded::Asked(challenge) = answer {
            assert_eq!(reqwest::get(challenge.page()).await.unwrap().status(), 200);
            let Challenged::Done(password) = registry.poll(&challenge).await.unwrap() else {
                panic!("the page was opened")
            };
            otp = Some(password);
            let answer = registry.trust(name, otp.as_ref(), None).await.unwrap();
            assert!(matches!(answer, Guarded::Done(_)));
        }
    }
    let otp = otp.expect("nothing was asked");
    write_registry(&front, &table, otp.expose()).await;
    front.report(20);
}

/// Writes as npm's own commands do, in the five minutes after a second factor.
async fn write_registry(front: &Front, table: &Tabletop, otp: &str) {
    let token = table.credential("rosa", Opens::NpmSession).unwrap();
    let name = table.with_world(|world| {
        let fit = |one: &&tabletop::world::Package| one.people.get("rosa") == Some(&"read-write");
        let package = world.packages.values().find(fit).unwrap();
        package.name.replace('/', "%2f")
    });
    let ask = async |method: &str, path: &str, body: Value| -> (u16, Value) {
        let url = format!("{}{path}", front.address);
        let call = reqwest::Client::new().request(method.parse().unwrap(), url);
        let call = call.bearer_auth(token.expose()).header("npm-otp", otp);
        let call = call.header("npm-auth-type", "web");
        let command = if path.starts_with("/-/package/") {
            "trust"
        } else {
            "token"
        };
        let call = call.header("npm-command", command);
        let call = if body.is_null() {
            call
        } else {
            call.json(&body)
        };
        let answer = call.send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap_or_default())
    };
    let trust = format!("/-/package/{name}/trust");
    let claims = json!({
        "repository": format!("{}/contract", table.organisation),
        "workflow_ref": { "file": "contract.yml" },
    });
    let body = json!([{ "type": "github", "claims": claims, "permissions": ["createPackage"] }]);
    let (status, made) = ask("POST", &trust, body).await;
    assert!(status == 200 || status == 201, "{status} {made}");
    let id = made[0]["id"].as_str().unwrap();
    let (status, answer) = ask("DELETE", &format!("{trust}/{id}"), Value::Null).await;
    assert_eq!(status, 204, "{answer}");
    let body = json!({
        "name": "contract",
        "password": "only-for-this-test",
        "packages_and_scopes_permission": "read-only",
        "packages": [],
        "scopes": [format!("@{}", table.organisation)],
        "orgs": [],
    });
    let (status, made) = ask("POST", "/-/npm/v1/tokens", body).await;
    assert!(status == 200 || status == 201, "{status} {made}");
    let key = made["key"].as_str().unwrap();
    let path = format!("/-/npm/v1/tokens/token/{key}");
    let (status, answer) = ask("DELETE", &path, Value::Null).await;
    assert_eq!(status, 204, "{answer}");
}

/// Without this, a Prism that objects to nothing would pass everything.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_answer_and_an_unknown_address_are_objected_to() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let wrong = || async { axum::Json(json!({"objects": [{"readonly": "yes"}], "total": 1})) };
    let app = axum::Router::new().fallback(wrong);
    tokio::spawn(async move { axum::serve(listener, app).await });
    let Some(prism) = Prism::start("npm.json", &address).await else {
        return;
    };
    let front = Front::start(&address, &prism.address, PAST_NPM, RIGHT_NPM).await;
    let ask = |path: &str| {
        let call = reqwest::Client::new().get(format!("{}{path}", front.address));
        call.bearer_auth("x").send()
    };
    ask("/-/npm/v1/tokens").await.unwrap();
    ask("/-/npm/v1/tokenz").await.unwrap();
    let objections = front.objections();
    assert!(
        objections
            .iter()
            .any(|one| one.contains("readonly must be boolean")),
        "{objections:?}"
    );
    assert!(
        objections.iter().any(|one| one.contains("tokenz")),
        "{objections:?}"
    );
}
