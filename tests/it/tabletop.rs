//! The simulated organisation, asked over HTTP: strict as the real services, deterministic, alive.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use cutover::tabletop::{Fault, FaultKind, Opens, Options, Tabletop};
use serde_json::{Value, json};

/// A tabletop whose time stands still until a test moves it.
struct Table {
    table: Tabletop,
    time: Arc<AtomicU64>,
    http: reqwest::Client,
}

fn start() -> DateTime<Utc> {
    "2026-12-04T17:00:00Z".parse().unwrap()
}

impl Table {
    async fn of(repos: usize, scenario: Option<&str>) -> Self {
        let time = Arc::new(AtomicU64::new(0));
        let read = Arc::clone(&time);
        let table = Tabletop::start(Options {
            repos,
            seed: 7,
            speed: 1.0,
            start: start(),
            scenario: scenario.map(str::to_owned),
            elapsed: Some(Arc::new(move || {
                Duration::from_secs(read.load(Ordering::SeqCst))
            })),
        })
        .await
        .unwrap();
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .user_agent("cutover-test")
            .build()
            .unwrap();
        Self { table, time, http }
    }

    fn pass(&self, seconds: u64) {
        self.time.fetch_add(seconds, Ordering::SeqCst);
    }

    fn ask(&self, who: &str, method: &str, path: &str) -> reqwest::RequestBuilder {
        let token = self.table.credential(who, Opens::Github).unwrap().expose();
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        self.http
            .request(method, format!("{}{path}", self.table.github))
            .bearer_auth(token)
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.ask("rosa", "GET", path).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.json().await.unwrap()
    }

    async fn npm(&self, who: &str, path: &str) -> reqwest::Response {
        let token = self
            .table
            .credential(who, Opens::NpmSession)
            .unwrap()
            .expose();
        let url = format!("{}{path}", self.table.registry);
        self.http.get(url).bearer_auth(token).send().await.unwrap()
    }

    async fn graph(&self, query: &str, variables: Value) -> Value {
        let body = json!({ "query": query, "variables": variables });
        let answer = self
            .ask("rosa", "POST", "/graphql")
            .json(&body)
            .send()
            .await
            .unwrap();
        answer.json().await.unwrap()
    }

    /// The name of the first repository of a kind.
    fn repo(&self, kind: &str) -> String {
        self.table.with_world(|world| {
            let found = world.repos.iter().find(|repo| repo.kind == kind);
            format!(
                "/repos/{}/{}",
                world.org.login,
                found.unwrap_or_else(|| panic!("no {kind}")).name
            )
        })
    }
}

#[tokio::test]
async fn the_clock_is_served_on_both_sides() {
    let table = Table::of(20, None).await;
    table.pass(90);
    for base in [&table.table.github, &table.table.registry] {
        let answer = table
            .http
            .get(format!("{base}/__tabletop/clock"))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.headers()["date"], "Fri, 04 Dec 2026 17:01:30 GMT");
        let clock: Value = answer.json().await.unwrap();
        assert_eq!(clock["now"], "2026-12-04T17:01:30.000Z");
        assert_eq!(clock["speed"], 1.0);
    }
    assert_eq!(
        table.table.counters().requests,
        0,
        "the tabletop's own addresses do not count"
    );
}

#[tokio::test]
async fn whoever_may_not_is_told_so_as_github_tells_it() {
    let table = Table::of(30, None).await;
    let url = format!("{}/user", table.table.github);
    let bare = reqwest::Client::new().get(&url).send().await.unwrap();
    assert_eq!(bare.status(), 403, "no User-Agent");
    let none = table.http.get(&url).send().await.unwrap();
    assert_eq!(none.status(), 401);
    let bad = table
        .http
        .get(&url)
        .bearer_auth("ghp_nobody")
        .send()
        .await
        .unwrap();
    assert_eq!(bad.status(), 401);
    assert_eq!(
        bad.json::<Value>().await.unwrap()["message"],
        "Bad credentials"
    );

    let repo = table.repo("token");
    // A fine-grained token without the permission for secrets is told which one is missing.
    let wall = table
        .ask("wall", "GET", &format!("{repo}/actions/secrets"))
        .send()
        .await
        .unwrap();
    assert_eq!(wall.status(), 403);
    assert_eq!(
        wall.headers()["x-accepted-github-permissions"],
        "secrets=read"
    );
    assert!(!wall.headers().contains_key("x-oauth-scopes"));
    // What a classic token's scopes do not cover is hidden.
    let ken = table
        .ask("ken", "GET", "/orgs/acme/actions/secrets")
        .send()
        .await
        .unwrap();
    assert_eq!(ken.status(), 404);
    assert_eq!(ken.headers()["x-oauth-scopes"], "repo, workflow, read:org");
    for path in [
        "/nothing",
        "/repos/acme/none",
        "/repos/other/x",
        &format!("{repo}/nothing"),
    ] {
        let answer = table.ask("rosa", "GET", path).send().await.unwrap();
        assert_eq!(answer.status(), 404, "{path}");
        assert_eq!(answer.json::<Value>().await.unwrap()["status"], "404");
    }
}

#[tokio::test]
async fn lists_come_in_pages_with_links() {
    let table = Table::of(130, None).await;
    let answer = table
        .ask("rosa", "GET", "/orgs/acme/repos?per_page=500&page=1")
        .send()
        .await
        .unwrap();
    let link = answer.headers()["link"].to_str().unwrap().to_owned();
    let first: Vec<Value> = answer.json().await.unwrap();
    assert_eq!(first.len(), 100);
    assert!(
        link.contains("page=2>; rel=\"next\"") && link.contains("rel=\"last\""),
        "{link}"
    );
    let next = link.split('<').nth(1).unwrap().split('>').next().unwrap();
    let token = table.table.credential("rosa", Opens::Github).unwrap();
    let second: Vec<Value> = table
        .http
        .get(next)
        .bearer_auth(token.expose())
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(second.len(), 30);
    let mut names: Vec<&str> = first
        .iter()
        .chain(&second)
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 130, "a name is there twice");
}

#[tokio::test]
async fn an_unchanged_answer_is_304_and_does_not_count() {
    let table = Table::of(20, None).await;
    let path = format!("{}/actions/workflows", table.repo("oidc"));
    let first = table.ask("rosa", "GET", &path).send().await.unwrap();
    let tag = first.headers()["etag"].clone();
    assert_eq!(first.headers()["x-ratelimit-used"], "1");
    let again = table
        .ask("rosa", "GET", &path)
        .header("if-none-match", tag)
        .send()
        .await
        .unwrap();
    assert_eq!(again.status(), 304);
    assert_eq!(again.headers()["x-ratelimit-used"], "1");
    assert_eq!(table.table.counters().unchanged, 1);
    let rate = table.get("/rate_limit").await;
    assert_eq!(rate["resources"]["core"]["remaining"], 4_999);
}

#[tokio::test]
async fn both_limits_are_counted_on_the_simulated_clock() {
    let table = Table::of(20, None).await;
    let ask = || async { table.ask("wall", "GET", "/user").send().await.unwrap() };
    for _ in 0..900 {
        assert_eq!(ask().await.status(), 200);
    }
    let slow = ask().await;
    assert_eq!(slow.status(), 403);
    assert_eq!(slow.headers()["retry-after"], "61");
    table.pass(61);
    assert_eq!(ask().await.status(), 200);
    // Somebody else's limit is their own.
    assert_eq!(
        table
            .ask("ken", "GET", "/user")
            .send()
            .await
            .unwrap()
            .headers()["x-ratelimit-used"],
        "1"
    );
    table.table.with_world(|_| ());
    for _ in 0..4 {
        for _ in 0..899 {
            ask().await;
        }
        table.pass(61);
    }
    for _ in 0..600 {
        ask().await;
    }
    let over = ask().await;
    assert_eq!(
        (
            over.status().as_u16(),
            &over.headers()["x-ratelimit-remaining"]
        ),
        (403, &"0".parse().unwrap())
    );
    assert!(!over.headers().contains_key("retry-after"));
    table.pass(3_600);
    assert_eq!(ask().await.status(), 200);
}

#[tokio::test]
async fn at_the_start_something_runs_and_something_has_failed() {
    let table = Table::of(60, None).await;
    let (mut running, mut failed) = (0, 0);
    for repo in table
        .get("/orgs/acme/repos?per_page=100")
        .await
        .as_array()
        .unwrap()
    {
        let path = format!(
            "/repos/{}/actions/runs?created=>=2026-12-04",
            repo["full_name"].as_str().unwrap()
        );
        for run in table.get(&path).await["workflow_runs"].as_array().unwrap() {
            running += u32::from(run["status"] == "in_progress");
            failed += u32::from(run["conclusion"] == "failure");
        }
    }
    assert!(running >= 2, "{running} running");
    assert!(failed >= 1, "{failed} failed");
}

#[tokio::test]
async fn a_run_goes_its_way_and_leaves_a_version() {
    let table = Table::of(40, None).await;
    let repo = table.repo("token");
    let name = format!("@acme%2f{}", repo.rsplit('/').next().unwrap());
    let before: Value = table
        .npm("rosa", &format!("/{name}"))
        .await
        .json()
        .await
        .unwrap();
    let body =
        json!({ "ref": "main", "inputs": { "version": "99.0.0" }, "return_run_details": true });
    let path = format!("{repo}/actions/workflows/release.yml/dispatches");
    let answer = table
        .ask("rosa", "POST", &path)
        .json(&body)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    let id = answer.json::<Value>().await.unwrap()["workflow_run_id"]
        .as_u64()
        .unwrap();
    let run = format!("{repo}/actions/runs/{id}");
    assert_eq!(table.get(&run).await["status"], "queued");
    let mut seen = Vec::new();
    for _ in 0..60 {
        table.pass(5);
        let now = table.get(&run).await;
        let jobs = table.get(&format!("{run}/jobs")).await;
        let steps = jobs["jobs"][0]["steps"].as_array().map_or(0, |steps| {
            steps
                .iter()
                .filter(|step| step["status"] == "completed")
                .count()
        });
        seen.push((now["status"].as_str().unwrap().to_owned(), steps));
        if now["status"] == "completed" {
            break;
        }
    }
    assert!(
        seen.windows(2).all(|two| two[0].1 <= two[1].1),
        "steps only advance: {seen:?}"
    );
    assert!(
        seen.iter().any(|(status, _)| status == "in_progress"),
        "{seen:?}"
    );
    let end = table.get(&run).await;
    assert_eq!(end["status"], "completed");
    let after: Value = table
        .npm("rosa", &format!("/{name}"))
        .await
        .json()
        .await
        .unwrap();
    if end["conclusion"] == "success" {
        assert_eq!(after["dist-tags"]["latest"], "99.0.0");
        assert!(before["versions"]["99.0.0"].is_null());
    } else {
        assert_eq!(before["dist-tags"], after["dist-tags"]);
    }
    let job = table.get(&format!("{run}/jobs")).await["jobs"][0]["id"]
        .as_u64()
        .unwrap();
    let hop = table
        .ask("rosa", "GET", &format!("{repo}/actions/jobs/{job}/logs"))
        .send()
        .await
        .unwrap();
    assert_eq!(hop.status(), 302);
    let to = hop.headers()["location"].to_str().unwrap().to_owned();
    let log = table.http.get(&to).send().await.unwrap();
    assert!(
        log.headers()["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/plain")
    );
    assert!(log.text().await.unwrap().contains("99.0.0"));
    let leaked = table.http.get(&to).bearer_auth("x").send().await.unwrap();
    assert_eq!(leaked.status(), 403, "a credential does not belong there");
    table.pass(120);
    assert_eq!(
        table.http.get(&to).send().await.unwrap().status(),
        403,
        "the address lives a minute"
    );
}

#[tokio::test]
async fn the_same_seed_gives_the_same_world() {
    let (one, two) = (Table::of(50, None).await, Table::of(50, None).await);
    for path in [
        "/orgs/acme/repos?per_page=100",
        "/orgs/acme/actions/secrets",
    ] {
        let strip =
            |value: Value, table: &Table| value.to_string().replace(&table.table.github, "");
        assert_eq!(
            strip(one.get(path).await, &one),
            strip(two.get(path).await, &two)
        );
    }
    one.pass(600);
    two.pass(300);
    two.table.with_world(|_| ());
    two.pass(300);
    let runs = |table: &Table| {
        table.table.with_world(|world| {
            world
                .runs
                .iter()
                .map(|run| format!("{} {} {} {}", run.id, run.created, run.ends, run.conclusion))
                .collect::<Vec<_>>()
        })
    };
    assert_eq!(
        runs(&one),
        runs(&two),
        "when it is looked at changes nothing"
    );
}

#[tokio::test]
async fn graphql_answers_what_is_asked_and_no_more() {
    let table = Table::of(60, None).await;
    let discover = [
        include_str!("../../assets/github/discover.graphql"),
        include_str!("../../assets/github/found.graphql"),
    ]
    .concat();
    let mut after = Value::Null;
    let mut all = Vec::new();
    loop {
        let answer = table
            .graph(
                &discover,
                json!({ "login": "acme", "first": 50, "after": after }),
            )
            .await;
        assert!(answer["errors"].is_null(), "{}", answer["errors"]);
        let page = &answer["data"]["repositoryOwner"]["repositories"];
        assert_eq!(page["totalCount"], 60);
        all.extend(page["nodes"].as_array().unwrap().iter().cloned());
        after = page["pageInfo"]["endCursor"].clone();
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    assert_eq!(all.len(), 60);
    let flow = all
        .iter()
        .filter_map(|one| one["workflows"]["entries"][0]["object"]["text"].as_str());
    assert!(flow.clone().count() >= 58 && flow.clone().all(|text| text.contains("jobs:")));
    assert_eq!(table.table.counters().points, 2);

    let none = table
        .graph("{ viewer { login shoeSize } }", Value::Null)
        .await;
    assert!(none["data"].is_null());
    assert_eq!(
        none["errors"][0]["message"],
        "Field 'shoeSize' doesn't exist on type 'User'"
    );
    let open = table
        .graph(
            "{ organization(login: \"acme\") { repositories { totalCount } } }",
            Value::Null,
        )
        .await;
    assert_eq!(open["errors"][0]["type"], "MISSING_PAGINATION_BOUNDARIES");
    let gone = table
        .graph(
            "{ repository(owner: \"acme\", name: \"nope\") { id } }",
            Value::Null,
        )
        .await;
    assert_eq!(
        (
            gone["data"]["repository"].is_null(),
            &gone["errors"][0]["type"]
        ),
        (true, &json!("NOT_FOUND"))
    );
}

#[tokio::test]
async fn faults_come_on_order_and_end() {
    let table = Table::of(10, None).await;
    let user = || table.ask("rosa", "GET", "/user").send();
    let order = |kind: FaultKind| {
        table.table.fault(Fault {
            group: "rest".to_owned(),
            path: None,
            kind,
            times: 1,
        })
    };
    order(FaultKind::Status(502));
    assert_eq!(user().await.unwrap().status(), 502);
    order(FaultKind::Drop);
    assert!(user().await.is_err(), "no answer at all");
    order(FaultKind::Truncate);
    assert!(
        user().await.unwrap().bytes().await.is_err(),
        "half an answer"
    );
    order(FaultKind::Portal);
    assert!(
        user()
            .await
            .unwrap()
            .text()
            .await
            .unwrap()
            .contains("<!doctype html>")
    );
    order(FaultKind::Date(600));
    assert_eq!(
        user().await.unwrap().headers()["date"],
        "Fri, 04 Dec 2026 17:10:00 GMT"
    );
    order(FaultKind::Huge(10_000_000));
    assert_eq!(
        user().await.unwrap().bytes().await.unwrap().len(),
        10_000_000
    );
    let over = format!("{}/__tabletop/fault", table.table.registry);
    let body = json!({ "group": "github", "kind": { "limited": { "status": 429, "retry_after": 9 } }, "times": 1 });
    assert_eq!(
        table
            .http
            .post(over)
            .json(&body)
            .send()
            .await
            .unwrap()
            .status(),
        204
    );
    assert_eq!(user().await.unwrap().headers()["retry-after"], "9");
    assert_eq!(user().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_push_fires_what_its_triggers_say() {
    let table = Table::of(40, None).await;
    let repo = table.repo("token");
    let head = table.get(&format!("{repo}/git/ref/heads/main")).await["object"]["sha"].clone();
    let base = table
        .get(&format!("{repo}/git/commits/{}", head.as_str().unwrap()))
        .await["tree"]["sha"]
        .clone();
    let tree = json!({ "base_tree": base, "tree": [{ "path": "NEW.md", "mode": "100644", "type": "blob", "content": "new" }] });
    let send = |path: String, body: Value| table.ask("mei", "POST", &path).json(&body).send();
    let tree: Value = send(format!("{repo}/git/trees"), tree)
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let commit = json!({ "message": "Add a file", "tree": tree["sha"], "parents": [head] });
    let commit: Value = send(format!("{repo}/git/commits"), commit)
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let count = || async {
        table.get(&format!("{repo}/actions/runs")).await["total_count"]
            .as_u64()
            .unwrap()
    };
    let before = count().await;
    let branch = send(
        format!("{repo}/git/refs"),
        json!({ "ref": "refs/heads/topic", "sha": commit["sha"] }),
    )
    .await
    .unwrap();
    assert_eq!(branch.status(), 201);
    assert_eq!(count().await, before, "no workflow wants this branch");
    let tag = send(
        format!("{repo}/git/refs"),
        json!({ "ref": "refs/tags/v9.9.9", "sha": commit["sha"] }),
    )
    .await
    .unwrap();
    assert_eq!(tag.status(), 201);
    assert_eq!(
        count().await,
        before + 1,
        "the release workflow wants this tag"
    );
    let twice = send(
        format!("{repo}/git/refs"),
        json!({ "ref": "refs/tags/v9.9.9", "sha": commit["sha"] }),
    )
    .await
    .unwrap();
    assert_eq!(twice.status(), 422);
}

#[tokio::test]
async fn the_registry_asks_for_a_second_factor_once_in_five_minutes() {
    let table = Table::of(40, None).await;
    let name = table.table.with_world(|world| {
        let mut mine = world
            .packages
            .values()
            .filter(|one| !one.trust.is_empty() && one.people.contains_key("rosa"));
        mine.next().unwrap().name.replace('/', "%2f")
    });
    let token = table
        .table
        .credential("rosa", Opens::NpmSession)
        .unwrap()
        .expose()
        .to_owned();
    let url = format!("{}/-/package/{name}/trust", table.table.registry);
    let ask = |otp: &str| {
        let call = table.http.get(&url).bearer_auth(&token);
        call.header("npm-auth-type", "web")
            .header("npm-command", "trust")
            .header("npm-otp", otp)
            .send()
    };
    let plain = table
        .http
        .get(&url)
        .bearer_auth(&token)
        .send()
        .await
        .unwrap();
    assert_eq!(
        (
            plain.status().as_u16(),
            &plain.headers()["www-authenticate"]
        ),
        (401, &"OTP".parse().unwrap())
    );
    let asked = ask("").await.unwrap();
    assert_eq!(asked.status(), 401);
    let pair: Value = asked.json().await.unwrap();
    let done = || table.http.get(pair["doneUrl"].as_str().unwrap()).send();
    let waits = done().await.unwrap();
    assert_eq!(
        (waits.status().as_u16(), &waits.headers()["retry-after"]),
        (202, &"1".parse().unwrap())
    );
    assert_eq!(
        table
            .http
            .get(pair["authUrl"].as_str().unwrap())
            .send()
            .await
            .unwrap()
            .status(),
        200
    );
    let password = done().await.unwrap().json::<Value>().await.unwrap()["token"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        ask("000000").await.unwrap().status(),
        401,
        "another password"
    );
    let list: Value = ask(&password).await.unwrap().json().await.unwrap();
    assert_eq!(list[0]["type"], "github");
    table.pass(299);
    assert_eq!(ask("").await.unwrap().status(), 200, "inside the window");
    table.pass(2);
    assert_eq!(
        ask(&password).await.unwrap().status(),
        401,
        "a password counts once"
    );
    // What no person may manage with: a granular token.
    let granular = table
        .table
        .credential("rosa", Opens::NpmToken)
        .unwrap()
        .expose();
    assert_eq!(
        table
            .http
            .get(&url)
            .bearer_auth(granular)
            .send()
            .await
            .unwrap()
            .status(),
        401
    );
}

#[tokio::test]
async fn the_registry_lists_what_an_account_may_see() {
    let table = Table::of(40, None).await;
    for (path, wanted) in [
        ("/-/whoami", 200),
        ("/-/npm/v1/user", 200),
        ("/-/org/acme/package", 200),
        ("/-/org/acme/user", 200),
        ("/-/user/rosa/package", 200),
        ("/-/v1/search?text=scope:acme&size=250", 200),
        ("/-/stage?page=0&perPage=100", 200),
        ("/-/npm/v1/keys", 200),
        ("/-/npm/v1/attestations/@acme%2fnone@1.0.0", 404),
        ("/-/nothing", 404),
        ("/@acme%2fnone", 404),
    ] {
        assert_eq!(table.npm("rosa", path).await.status(), wanted, "{path}");
    }
    let all: Value = table
        .npm("rosa", "/-/org/acme/package")
        .await
        .json()
        .await
        .unwrap();
    let orphan = all
        .as_object()
        .unwrap()
        .keys()
        .filter(|name| name.contains("legacy-ui"))
        .count();
    assert_eq!(orphan, 1);
    let nobody: Value = table
        .npm("rosa", "/-/package/@acme%2fcolour-picker/collaborators")
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(nobody, json!({ "pablo": "read-write" }));
    let page: Value = table
        .npm("acme-bot", "/-/npm/v1/tokens?page=0&perPage=1")
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(
        (
            page["total"].as_u64(),
            page["objects"].as_array().unwrap().len()
        ),
        (Some(2), 1)
    );
    let next = page["urls"]["next"].as_str().unwrap();
    let last: Value = table.npm("acme-bot", next).await.json().await.unwrap();
    assert!(last["urls"]["next"].is_null());
    assert_ne!(page["objects"][0]["key"], last["objects"][0]["key"]);
    let whole = page["objects"][0]["token"].as_str().unwrap();
    assert_eq!(
        whole.len(),
        "npm_abcd...7890".len(),
        "the value is not given back"
    );
}

#[tokio::test]
async fn a_revoked_token_fails_the_releases_that_use_it() {
    let table = Table::of(40, Some("expired-token")).await;
    let log = {
        table.pass(600);
        table.table.with_world(|world| {
            let failed = world.runs.iter().find(|run| {
                run.created > start().timestamp_millis()
                    && run
                        .outcomes
                        .values()
                        .any(|one| format!("{one:?}").contains("ExpiredToken"))
            });
            let place = world
                .runs
                .iter()
                .position(|run| Some(run.id) == failed.map(|run| run.id))
                .expect("no release failed");
            let now = world.now;
            world.log(place, 0, now).unwrap()
        })
    };
    assert!(
        log.contains("npm error code E404") && log.contains("Access token expired or revoked"),
        "{log}"
    );
    let notes = format!("{}/__tabletop/notes", table.table.github);
    let notes: Vec<Value> = table
        .http
        .get(notes)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(notes.len(), 5);
}

#[tokio::test]
async fn a_large_world_starts_fast() {
    let began = std::time::Instant::now();
    let table = Table::of(1_000, None).await;
    let took = began.elapsed();
    assert_eq!(table.table.with_world(|world| world.repos.len()), 1_000);
    // Unoptimised and beside other work; a release build needs a tenth.
    assert!(took < Duration::from_secs(20), "{took:?}");
}
