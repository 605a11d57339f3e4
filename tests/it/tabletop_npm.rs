//! The real npm command line against the simulated registry, and workflows that exchange their identity there.
//!
//! npm runs in an empty folder with its own configuration and cache; nothing of this machine's npm is read. Without npm
//! the test says so and checks nothing.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stderr
)]

use std::path::Path;
use std::process::Output;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cutover::safe::secret::Secret;
use cutover::tabletop::world::How;
use cutover::tabletop::{Opens, Options, Tabletop, npm};
use serde_json::{Value, json};

struct Table {
    table: Tabletop,
    time: Arc<AtomicU64>,
    http: reqwest::Client,
}

impl Table {
    async fn new() -> Self {
        let time = Arc::new(AtomicU64::new(0));
        let read = Arc::clone(&time);
        let table = Tabletop::start(Options {
            repos: 40,
            seed: 7,
            speed: 1.0,
            start: "2026-12-04T17:00:00Z".parse().unwrap(),
            scenario: None,
            elapsed: Some(Arc::new(move || {
                Duration::from_secs(read.load(Ordering::SeqCst))
            })),
        })
        .await
        .unwrap();
        let http = reqwest::Client::new();
        Self { table, time, http }
    }

    fn secret(&self, who: &str, opens: Opens) -> String {
        self.table
            .credential(who, opens)
            .unwrap()
            .expose()
            .to_owned()
    }

    async fn ask(&self, method: &str, path: &str, token: &str, body: Value) -> (u16, Value) {
        let call = self
            .http
            .request(
                method.parse().unwrap(),
                format!("{}{path}", self.table.registry),
            )
            .bearer_auth(token)
            .header("npm-auth-type", "web")
            .header("npm-command", "test");
        let call = if body.is_null() {
            call
        } else {
            call.json(&body)
        };
        let answer = call.send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap_or_default())
    }

    /// Meets a challenge as a person does, and gives the one-time password.
    async fn password(&self, challenge: &Value) -> String {
        let page = challenge["authUrl"].as_str().unwrap();
        assert_eq!(self.http.get(page).send().await.unwrap().status(), 200);
        let done = challenge["doneUrl"].as_str().unwrap();
        let done: Value = self
            .http
            .get(done)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        done["token"].as_str().unwrap().to_owned()
    }

    /// Opens five minutes in which an account is asked nothing.
    async fn window(&self, token: &str, path: &str) {
        let (status, challenge) = self.ask("GET", path, token, Value::Null).await;
        assert_eq!(status, 401, "{challenge}");
        let password = self.password(&challenge).await;
        let url = format!("{}{path}", self.table.registry);
        let call = self.http.get(url).bearer_auth(token);
        let answer = call.header("npm-otp", password).send().await.unwrap();
        assert_eq!(answer.status(), 200);
    }

    /// A package that Rosa may write and that a trust config publishes from a public repository.
    fn trusted(&self) -> String {
        self.table.with_world(|world| {
            let public = |home: Option<usize>| home.is_some_and(|at| !world.repos[at].private);
            let mut fit = world.packages.values().filter(|one| {
                one.trust
                    .iter()
                    .any(|config| config.publish && config.validated.is_some())
                    && one.people.contains_key("rosa")
                    && !one.private
                    && public(one.home)
            });
            fit.next()
                .expect("a package with a trust config")
                .name
                .clone()
        })
    }
}

/// npm, run in a folder of its own against the simulated registry.
struct Npm<'a> {
    home: &'a Path,
    registry: &'a str,
}

impl Npm<'_> {
    async fn run(&self, words: &[&str], otp: Option<&str>) -> Output {
        let mut command = std::process::Command::new("npm");
        command
            .args(words)
            .current_dir(self.home)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home)
            .env("npm_config_userconfig", self.home.join("npmrc"))
            .env("npm_config_globalconfig", self.home.join("no-globals"))
            .env("npm_config_cache", self.home.join("cache"))
            .env("npm_config_registry", format!("{}/", self.registry))
            .env("npm_config_update_notifier", "false")
            .env("npm_config_fund", "false")
            .env("npm_config_audit", "false");
        if let Some(otp) = otp {
            command.env("npm_config_otp", otp);
        }
        tokio::task::spawn_blocking(move || command.output().unwrap())
            .await
            .unwrap()
    }

    async fn text(&self, words: &[&str]) -> String {
        let output = self.run(words, None).await;
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "npm {words:?}: {errors}");
        String::from_utf8(output.stdout).unwrap()
    }

    async fn json(&self, words: &[&str]) -> Value {
        let text = self.text(words).await;
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("npm {words:?}: {text}"))
    }
}

fn npm_is_there() -> bool {
    let found = std::process::Command::new("npm").arg("--version").output();
    let version = found.ok().filter(|out| out.status.success());
    let version = version.map(|out| String::from_utf8_lossy(&out.stdout).trim().to_owned());
    let numbers = version.as_deref().and_then(|text| {
        let mut parts = text.split('.').map(|part| part.parse::<u32>().ok());
        Some((parts.next()??, parts.next()??))
    });
    if numbers.is_some_and(|numbers| numbers >= (11, 15)) {
        return true;
    }
    eprintln!("skipped: needs npm 11.15 or newer, found {version:?}");
    false
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_real_npm_works_against_it() {
    if !npm_is_there() {
        return;
    }
    let table = Table::new().await;
    let package = table.trusted();
    let folder = tempfile::tempdir().unwrap();
    let host = table.table.registry.trim_start_matches("http:");
    let token = table.secret("rosa", Opens::NpmSession);
    std::fs::write(
        folder.path().join("npmrc"),
        format!("{host}/:_authToken={token}\n"),
    )
    .unwrap();
    let npm = Npm {
        home: folder.path(),
        registry: &table.table.registry,
    };

    npm.text(&["ping"]).await;
    assert_eq!(npm.text(&["whoami"]).await.trim(), "rosa");
    let latest = table
        .table
        .with_world(|world| world.packages[&package].tags["latest"].clone());
    assert_eq!(
        npm.text(&["view", &package, "version"]).await.trim(),
        latest
    );
    let dist = npm.json(&["view", &package, "dist", "--json"]).await;
    assert!(
        dist["integrity"].as_str().unwrap().starts_with("sha512-"),
        "{dist}"
    );
    assert!(
        npm.text(&["dist-tag", "ls", &package])
            .await
            .contains(&format!("latest: {latest}"))
    );
    let tokens = npm.json(&["token", "list", "--json"]).await;
    let names: Vec<&str> = tokens
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|one| one["name"].as_str())
        .collect();
    assert!(names.contains(&"staging only"), "{names:?}");
    npm.json(&["stage", "list", "--json"]).await;

    // Reading trust wants a second factor: without a terminal npm gives the addresses and stops.
    let asked = npm.run(&["trust", "list", &package, "--json"], None).await;
    assert!(!asked.status.success());
    let both = [asked.stdout, asked.stderr].concat();
    let text = String::from_utf8_lossy(&both);
    assert!(text.contains("EOTP"), "{text}");
    let path = format!("/-/package/{}/trust", package.replace('/', "%2f"));
    let (_, challenge) = table.ask("GET", &path, &token, Value::Null).await;
    let password = table.password(&challenge).await;
    let listed = npm
        .run(&["trust", "list", &package, "--json"], Some(&password))
        .await;
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert!(listed.contains("\"type\": \"github\""), "{listed}");

    // The window is open now: nothing more is asked.
    npm.text(&["dist-tag", "add", &format!("{package}@{latest}"), "stable"])
        .await;
    let tag = table
        .table
        .with_world(|world| world.packages[&package].tags.get("stable").cloned());
    assert_eq!(tag.as_deref(), Some(latest.as_str()));
    let manifest = json!({ "name": package, "version": "99.0.0", "license": "MIT" });
    std::fs::write(folder.path().join("package.json"), manifest.to_string()).unwrap();
    npm.text(&["publish", "--access", "public"]).await;
    assert_eq!(
        npm.text(&["view", &package, "version", "--prefer-online"])
            .await
            .trim(),
        "99.0.0"
    );
    let twice = npm.run(&["publish", "--access", "public"], None).await;
    let errors = String::from_utf8_lossy(&twice.stderr);
    assert!(
        !twice.status.success() && errors.contains("previously published versions"),
        "{errors}"
    );

    let words = "Use 99.0.1";
    npm.text(&["deprecate", &format!("{package}@99.0.0"), words])
        .await;
    let said = [
        "view",
        &format!("{package}@99.0.0"),
        "deprecated",
        "--prefer-online",
    ];
    assert_eq!(npm.text(&said).await.trim(), words);

    // What was staged waits, and what was approved is what was uploaded.
    let manifest = json!({ "name": package, "version": "99.1.0", "license": "MIT" });
    std::fs::write(folder.path().join("package.json"), manifest.to_string()).unwrap();
    npm.text(&["stage", "publish", "--access", "public"]).await;
    let waiting = npm.text(&["stage", "list", &package, "--json"]).await;
    assert!(waiting.contains("99.1.0"), "{waiting}");
    let (id, digest) = table.table.with_world(|world| {
        let stage = world.stages.last().unwrap();
        (stage.id.clone(), stage.version.clone())
    });
    assert_eq!(digest, "99.1.0");
    npm.text(&["stage", "approve", &id]).await;
    let fresh = npm
        .json(&[
            "view",
            &format!("{package}@99.1.0"),
            "--json",
            "--prefer-online",
        ])
        .await;
    assert_eq!(
        fresh["approver"]["name"].as_str().or(fresh["approver"]
            .as_str()
            .map(|one| one.split(' ').next().unwrap())),
        Some("rosa"),
        "{fresh}"
    );
    // npm checks the digests of what it fetches.
    npm.text(&["pack", &format!("{package}@99.1.0")]).await;
    npm.text(&["pack", &format!("{package}@{latest}")]).await;
}

fn claims(table: &Table, package: &str, change: &[(&str, &str)]) -> Secret {
    table.table.with_world(|world| {
        let config = &world.packages[package].trust[0];
        let file = format!(
            "{}/.github/workflows/{}@refs/heads/main",
            config.repository, config.file
        );
        let mut claims = json!({
            "iss": "https://token.actions.githubusercontent.com",
            "aud": "npm:127.0.0.1",
            "exp": world.now / 1_000 + 300,
            "repository": config.repository,
            "workflow_ref": file,
            "event_name": "push",
            "runner_environment": "github-hosted",
            "environment": config.environment,
        });
        for (name, value) in change {
            claims[*name] = json!(value);
        }
        npm::id_token(world, &claims)
    })
}

fn document(package: &str, version: &str) -> Value {
    let (manifest, short) = (json!({ "name": package, "version": version }), "x.tgz");
    json!({
        "_id": package, "name": package, "dist-tags": { "latest": version }, "versions": { version: manifest },
        "_attachments": { short: { "data": "H4sIAAAA", "length": 6 } },
    })
}

#[tokio::test]
async fn an_identity_is_exchanged_only_where_every_claim_fits() {
    let table = Table::new().await;
    let package = table.trusted();
    let escaped = package.replace('/', "%2f");
    let path = format!("/-/npm/v1/oidc/token/exchange/package/{escaped}");
    let wrong: [(&[(&str, &str)], u16); 7] = [
        (&[("repository", "acme/other")], 404),
        (
            &[(
                "workflow_ref",
                "acme/x/.github/workflows/other.yml@refs/heads/main",
            )],
            404,
        ),
        (&[("event_name", "pull_request_target")], 404),
        (&[("event_name", "issue_comment")], 404),
        (&[("aud", "npm:elsewhere.example")], 400),
        (&[("iss", "https://issuer.example")], 401),
        (&[("exp", "soon")], 401),
    ];
    for (change, status) in wrong {
        let identity = claims(&table, &package, change);
        let (got, body) = table
            .ask("POST", &path, identity.expose(), Value::Null)
            .await;
        assert_eq!(got, status, "{change:?}: {body}");
        assert!(
            body["message"]
                .as_str()
                .unwrap()
                .starts_with("OIDC token exchange error"),
            "{body}"
        );
    }
    let (made_up, _) = table.ask("POST", &path, "a.b.c", Value::Null).await;
    assert_eq!(made_up, 401);

    // A self-hosted runner is taken here: npm refuses its provenance only.
    let identity = claims(&table, &package, &[("runner_environment", "self-hosted")]);
    let (status, body) = table
        .ask("POST", &path, identity.expose(), Value::Null)
        .await;
    assert_eq!(
        (status, body["token_type"].as_str()),
        (201, Some("oidc")),
        "{body}"
    );
    let token = body["token"].as_str().unwrap().to_owned();
    // It is for publishing this package and nothing else.
    assert_eq!(
        table.ask("GET", "/-/whoami", &token, Value::Null).await.0,
        401
    );
    let trust = format!("/-/package/{escaped}/trust");
    assert_eq!(table.ask("GET", &trust, &token, Value::Null).await.0, 401);
    let (status, body) = table
        .ask(
            "PUT",
            &format!("/{escaped}"),
            &token,
            document(&package, "98.0.0"),
        )
        .await;
    assert_eq!(status, 200, "{body}");
    let (_, fresh) = table
        .ask("GET", &format!("/{escaped}/98.0.0"), "", Value::Null)
        .await;
    assert_eq!(
        fresh["_npmUser"]["trustedPublisher"]["id"], "github",
        "{fresh}"
    );
    let tag = format!("/-/package/{escaped}/dist-tags/next");
    assert_eq!(table.ask("PUT", &tag, &token, json!("98.0.0")).await.0, 403);
    table.time.store(3_601, Ordering::SeqCst);
    let late = table
        .ask(
            "PUT",
            &format!("/{escaped}"),
            &token,
            document(&package, "98.0.1"),
        )
        .await;
    assert_eq!(late.0, 404, "a dead token is hidden: {}", late.1);
}

#[tokio::test]
async fn a_config_that_publishes_nothing_lapses_and_stays_listed() {
    let table = Table::new().await;
    let package = table.trusted();
    let escaped = package.replace('/', "%2f");
    let rosa = table.secret("rosa", Opens::NpmSession);
    let path = format!("/-/package/{escaped}/trust");
    table.window(&rosa, &path).await;
    let wanted = json!([{
        "type": "github",
        "claims": { "repository": "acme/fresh", "workflow_ref": { "file": "ship.yml" } },
        "permissions": ["createStagedPackage"],
    }]);
    let (status, made) = table.ask("POST", &path, &rosa, wanted.clone()).await;
    assert_eq!(status, 200, "{made}");
    assert_eq!(table.ask("POST", &path, &rosa, wanted).await.0, 409);
    let id = made[0]["id"].as_str().unwrap().to_owned();
    let exchange = format!("/-/npm/v1/oidc/token/exchange/package/{escaped}");
    let flow = "acme/fresh/.github/workflows/ship.yml@refs/heads/main";
    let change = [("repository", "acme/fresh"), ("workflow_ref", flow)];
    let identity = claims(&table, &package, &change);
    let (status, body) = table
        .ask("POST", &exchange, identity.expose(), Value::Null)
        .await;
    assert_eq!(status, 201, "{body}");
    let token = body["token"].as_str().unwrap().to_owned();
    let (status, body) = table
        .ask(
            "PUT",
            &format!("/{escaped}"),
            &token,
            document(&package, "97.0.0"),
        )
        .await;
    assert_eq!(
        (status, body["error"].as_str()),
        (403, Some("OIDC permission denied for this action"))
    );
    let stage = format!("/-/stage/package/{escaped}");
    let (status, body) = table
        .ask("POST", &stage, &token, document(&package, "97.0.0"))
        .await;
    assert_eq!(status, 201, "{body}");

    table.time.store(48 * 3_600 + 1, Ordering::SeqCst);
    let identity = claims(&table, &package, &change);
    assert_eq!(
        table
            .ask("POST", &exchange, identity.expose(), Value::Null)
            .await
            .0,
        404
    );
    table.window(&rosa, &path).await;
    let (_, list) = table.ask("GET", &path, &rosa, Value::Null).await;
    let known = |list: &Value| list.as_array().unwrap().iter().any(|one| one["id"] == *id);
    assert!(known(&list), "what lapsed stays until somebody deletes it");
    let gone = format!("{path}/{id}");
    assert_eq!(table.ask("DELETE", &gone, &rosa, Value::Null).await.0, 204);
    assert_eq!(table.ask("DELETE", &gone, &rosa, Value::Null).await.0, 404);
    let (_, list) = table.ask("GET", &path, &rosa, Value::Null).await;
    assert!(!known(&list));
}

#[tokio::test]
async fn a_config_of_every_provider_is_given_back_as_it_was_made() {
    let table = Table::new().await;
    let rosa = table.secret("rosa", Opens::NpmSession);
    let path = format!("/-/package/{}/trust", table.trusted().replace('/', "%2f"));
    table.window(&rosa, &path).await;
    let id = "94b40e60-cfd5-486f-a04b-507abf27a83d";
    let circle = json!({
        "oidc.circleci.com/org-id": id, "oidc.circleci.com/project-id": id,
        "oidc.circleci.com/pipeline-definition-id": id, "oidc.circleci.com/vcs-origin": "github.com/acme/x",
    });
    let lab =
        json!({ "project_path": "acme/x", "ci_config_ref_uri": { "file": ".gitlab-ci.yml" } });
    for (kind, claims) in [("circleci", circle), ("gitlab", lab)] {
        let wanted = json!([{ "type": kind, "claims": claims, "permissions": ["createPackage"] }]);
        assert_eq!(table.ask("POST", &path, &rosa, wanted).await.0, 200);
        let (_, list) = table.ask("GET", &path, &rosa, Value::Null).await;
        let last = list.as_array().unwrap().last().unwrap().clone();
        assert_eq!((&last["type"], &last["claims"]), (&json!(kind), &claims));
    }
    let nothing = json!([{ "type": "circleci", "claims": {}, "permissions": ["createPackage"] }]);
    assert_eq!(table.ask("POST", &path, &rosa, nothing).await.0, 400);
}

#[tokio::test]
async fn a_deleted_token_leaves_the_list_at_once_and_dies_within_an_hour() {
    let table = Table::new().await;
    let rosa = table.secret("rosa", Opens::NpmSession);
    let own = table.secret("rosa", Opens::NpmToken);
    let key = table
        .table
        .with_world(|world| world.npm_token(&own).unwrap().key.clone());
    let escaped = table.trusted().replace('/', "%2f");
    table
        .window(&rosa, &format!("/-/package/{escaped}/trust"))
        .await;
    let gone = |id: &str| format!("/-/npm/v1/tokens/token/{id}");
    assert_eq!(
        table
            .ask("DELETE", &gone("nonsense"), &rosa, Value::Null)
            .await
            .0,
        400
    );
    assert_eq!(
        table.ask("DELETE", &gone(&key), &rosa, Value::Null).await.0,
        204
    );
    assert_eq!(
        table.ask("DELETE", &gone(&key), &rosa, Value::Null).await.0,
        404
    );
    let (_, list) = table
        .ask(
            "GET",
            "/-/npm/v1/tokens?page=0&perPage=100",
            &rosa,
            Value::Null,
        )
        .await;
    assert!(
        !list["objects"]
            .as_array()
            .unwrap()
            .iter()
            .any(|one| one["key"] == key),
        "{list}"
    );
    assert_eq!(
        table.ask("GET", "/-/whoami", &own, Value::Null).await.0,
        200,
        "still taken"
    );
    table.time.store(3_601, Ordering::SeqCst);
    assert_eq!(
        table.ask("GET", "/-/whoami", &own, Value::Null).await.0,
        401
    );
}

#[tokio::test]
async fn versions_say_how_they_came() {
    let table = Table::new().await;
    let published = table.table.with_world(|world| {
        let public = |home: Option<usize>| home.is_some_and(|at| !world.repos[at].private);
        let packages = world.packages.values();
        let by_oidc = packages
            .filter(|one| !one.private && public(one.home))
            .flat_map(|one| {
                let versions = one.versions.iter();
                let trusted = versions.filter(|version| matches!(version.how, How::Oidc { .. }));
                trusted
                    .map(|version| format!("/{}/{}", one.name.replace('/', "%2f"), version.version))
            });
        by_oidc.take(5).collect::<Vec<_>>()
    });
    assert!(!published.is_empty());
    for path in published {
        let (status, version) = table.ask("GET", &path, "", Value::Null).await;
        assert_eq!(status, 200, "{path}");
        let user = &version["_npmUser"];
        assert_eq!(user["email"], "npm-oidc-no-reply@github.com");
        let config = user["trustedPublisher"]["oidcConfigId"].as_str().unwrap();
        assert!(config.starts_with("oidc:"), "{config}");
        assert_eq!(
            version["dist"]["attestations"]["provenance"]["predicateType"],
            "https://slsa.dev/provenance/v1"
        );
    }

    // A version that a token published names the commit of exactly one run.
    let wrong = table.table.with_world(|world| {
        let mut wrong = Vec::new();
        for package in world.packages.values() {
            for version in &package.versions {
                let Some((_, run)) = version.run.and_then(|id| world.run(id)) else {
                    continue;
                };
                if version.git_head != Some(run.sha)
                    || version.at < run.created
                    || version.at > run.ends
                {
                    wrong.push((
                        package.name.clone(),
                        version.version.clone(),
                        version.at - run.created,
                        version.at - run.ends,
                    ));
                }
            }
        }
        wrong
    });
    assert!(
        wrong.is_empty(),
        "{} versions, such as {:?}",
        wrong.len(),
        &wrong[..wrong.len().min(3)]
    );
}
