//! The registry client against a server of this process that answers as each test says, request by request.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::extract::Request;
use axum::http::Response;
use serde_json::{Value, json};

use super::*;
use crate::http::{Fault, World};
use crate::model::fact::{Answer, HowFact, PublishedFact, TrustFact};
use crate::model::id::Subject;
use crate::model::name::{Login as Account, PackageName};
use crate::model::time::Ts;
use crate::safe::secret::Secret;

/// Status, headers and body of one answer.
type Say = (u16, Vec<(&'static str, String)>, String);

#[derive(Default)]
struct Script {
    /// Answers per method, path and query; the last one is repeated.
    says: BTreeMap<String, Vec<Say>>,
    got: Vec<(String, String)>,
}

/// A registry that plays a script and keeps each request's line and headers.
struct Stage {
    base: Base,
    script: Arc<Mutex<Script>>,
}

impl Stage {
    async fn start() -> Self {
        let script = Arc::new(Mutex::new(Script::default()));
        let kept = Arc::clone(&script);
        let play = move |request: Request| {
            let kept = Arc::clone(&kept);
            async move { answer(&mut kept.lock().unwrap(), &request) }
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = Base::parse(
            &format!("http://{}", listener.local_addr().unwrap()),
            World::Tabletop,
        )
        .unwrap();
        tokio::spawn(
            async move { axum::serve(listener, axum::Router::new().fallback(play)).await },
        );
        Self { base, script }
    }

    fn say(&self, line: &str, status: u16, body: &Value) -> &Self {
        self.say_with(line, status, &[], &body.to_string())
    }

    fn say_with(
        &self,
        line: &str,
        status: u16,
        headers: &[(&'static str, &str)],
        body: &str,
    ) -> &Self {
        let mut headers: Vec<(&str, String)> =
            headers.iter().map(|(k, v)| (*k, (*v).to_owned())).collect();
        if headers.iter().all(|(name, _)| *name != "content-type") {
            headers.push(("content-type", "application/json".to_owned()));
        }
        let mut script = self.script.lock().unwrap();
        script
            .says
            .entry(line.to_owned())
            .or_default()
            .push((status, headers, body.to_owned()));
        drop(script);
        self
    }

    fn got(&self) -> Vec<String> {
        self.script
            .lock()
            .unwrap()
            .got
            .iter()
            .map(|(line, _)| line.clone())
            .collect()
    }

    fn headers(&self) -> String {
        let script = self.script.lock().unwrap();
        script
            .got
            .iter()
            .map(|(_, headers)| headers.as_str())
            .collect::<Vec<_>>()
            .join("\n")
    }

    fn registry(&self) -> Registry {
        let options = Options::new(World::Tabletop, Arc::new(|| Ts(1_800_000_000)));
        let login = Login::new(
            &self.base,
            "rosa's file",
            Secret::new(format!("npm_{}", "r".repeat(36))),
        );
        Registry::new(self.base.clone(), options, Some(&login)).unwrap()
    }

    /// Says who the login is, once for each name.
    fn whoami(&self, names: &[&str]) -> &Self {
        names
            .iter()
            .for_each(|name| _ = self.say("GET /-/whoami", 200, &json!({ "username": name })));
        self
    }
}

fn answer(script: &mut Script, request: &Request) -> Response<Body> {
    let line = format!("{} {}", request.method(), request.uri());
    let headers = request.headers().iter();
    let headers: Vec<String> = headers
        .map(|(k, v)| format!("{k}: {}", v.to_str().unwrap()))
        .collect();
    script.got.push((line.clone(), headers.join("\n")));
    let says = script.says.get_mut(&line);
    let (status, headers, body) = match says {
        Some(says) if says.len() > 1 => says.remove(0),
        Some(says) => says[0].clone(),
        None => (
            404,
            vec![("content-type", "application/json".to_owned())],
            "{\"error\":\"not found\"}".to_owned(),
        ),
    };
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(name, value);
    }
    response.body(Body::from(body)).unwrap()
}

fn rosa() -> Account {
    Account::parse("rosa").unwrap()
}

fn package(name: &str) -> PackageName {
    PackageName::parse(name).unwrap()
}

const FIRST: &str = "GET /-/npm/v1/tokens?page=0&perPage=100";
const SECOND: &str = "GET /-/npm/v1/tokens?page=1&perPage=100";

fn row(key: &str) -> Value {
    json!({"key": key, "token": "npm_aBcD...7890", "name": "ci", "created": "2026-10-01T00:00:00.000Z", "accessed": null,
           "expiry": "2026-12-01T00:00:00.000Z", "readonly": false, "bypass_2fa": true, "cidr": ["10.0.0.0/8"],
           "publish_policy": "stage_only", "permissions": [{"name": "package", "action": "write"}],
           "scopes": [{"type": "package", "name": "@acme/ui"}], "something": {"new": 1}})
}

fn page(keys: &[&str], total: u64, next: bool) -> Value {
    let rows: Vec<Value> = keys.iter().map(|key| row(key)).collect();
    let urls = if next {
        json!({"next": "/-/npm/v1/tokens?page=1&perPage=100"})
    } else {
        json!({})
    };
    json!({"objects": rows, "total": total, "urls": urls})
}

#[tokio::test]
async fn a_whole_listing_counts() {
    let stage = Stage::start().await;
    stage
        .whoami(&["rosa"])
        .say(FIRST, 200, &page(&["k1", "k2"], 3, true))
        .say(SECOND, 200, &page(&["k3"], 3, false));
    let listing = stage.registry().tokens(&rosa()).await.unwrap();
    assert_eq!((listing.tokens.len(), listing.complete), (3, Some(true)));
    let one = &listing.tokens[0];
    assert_eq!(
        (one.stage_only, one.bypass_2fa, one.last_used),
        (Some(true), Some(true), None)
    );
    assert_eq!(
        (&*one.permissions[0], &*one.scopes[0], &*one.cidr[0]),
        ("package:write", "package @acme/ui", "10.0.0.0/8")
    );
    assert_eq!(one.expires, Ts::parse("2026-12-01"));
    assert_eq!(
        stage.got(),
        ["GET /-/whoami", FIRST, SECOND, "GET /-/whoami"]
    );
    let sent = stage.headers();
    assert!(
        sent.contains("npm-command: token")
            && sent.contains("npm-auth-type: web")
            && sent.contains("Bearer npm_r")
    );

    let facts = answers(&listing, "https://r.example");
    assert_eq!(facts.len(), 4);
    assert_eq!(
        facts[0].0,
        Subject::token("https://r.example", "rosa", "k1")
    );
    assert!(
        matches!(&facts[3], (about, Answer::Listing(list)) if *about == Subject::person("rosa") && list.tokens.len() == 3)
    );
}

#[tokio::test]
async fn a_listing_that_does_not_add_up_is_could_not_look() {
    let off = |stage: &Stage| {
        _ = stage
            .whoami(&["rosa"])
            .say(FIRST, 200, &page(&["k1", "k2"], 3, false))
    };
    let switched = |stage: &Stage| {
        _ = stage
            .whoami(&["rosa", "ken"])
            .say(FIRST, 200, &page(&["k1"], 1, false))
    };
    let second_fails = |stage: &Stage| {
        stage
            .whoami(&["rosa"])
            .say(FIRST, 200, &page(&["k1"], 2, true))
            .say(SECOND, 500, &json!({}));
    };
    let second_broken = |stage: &Stage| {
        stage
            .whoami(&["rosa"])
            .say(FIRST, 200, &page(&["k1"], 2, true))
            .say_with(SECOND, 200, &[], "{\"objects\": [{\"key\"");
    };
    let empty = |stage: &Stage| {
        _ = stage
            .whoami(&["rosa"])
            .say(FIRST, 200, &page(&[], 0, false))
    };
    let other = |stage: &Stage| {
        _ = stage
            .whoami(&["ken"])
            .say(FIRST, 200, &page(&["k1"], 1, false))
    };
    let repeats = |stage: &Stage| {
        stage
            .whoami(&["rosa"])
            .say(FIRST, 200, &page(&["k1"], 2, true))
            .say(SECOND, 200, &page(&["k1"], 2, false));
    };
    let turns = |stage: &Stage| {
        stage
            .whoami(&["rosa"])
            .say(FIRST, 200, &page(&["k1"], 9, true))
            .say(SECOND, 200, &page(&["k2"], 9, true));
    };
    let moved = |stage: &Stage| {
        stage
            .whoami(&["rosa"])
            .say(FIRST, 200, &page(&["k1"], 2, true))
            .say(SECOND, 200, &page(&["k2"], 3, false));
    };
    let keyless = |stage: &Stage| {
        stage.whoami(&["rosa"]).say(
            FIRST,
            200,
            &json!({"objects": [{"token": "npm_a...b"}], "total": 1}),
        );
    };
    let captive = |stage: &Stage| {
        stage.whoami(&["rosa"]).say_with(
            FIRST,
            200,
            &[("content-type", "text/html")],
            "<html>log in</html>",
        );
    };
    let edge = |stage: &Stage| {
        stage.whoami(&["rosa"]).say_with(
            FIRST,
            403,
            &[("content-type", "text/html")],
            "<html>blocked</html>",
        );
    };
    type Prepare<'a> = &'a dyn Fn(&Stage);
    let cases: [(Prepare<'_>, &str); 12] = [
        (&off, "counts 3 entries and 2 arrived"),
        (&switched, "changed from rosa to ken"),
        (&second_fails, "npm tokens: the service failed (500)"),
        (&second_broken, "broke off"),
        (&empty, "proves nothing"),
        (&other, "the login is ken, not rosa"),
        (&repeats, "repeat themselves"),
        (&turns, "repeat themselves"),
        (&moved, "counts 3 entries"),
        (&keyless, "without its key"),
        (&captive, "web page came where data was due"),
        (&edge, "status 403"),
    ];
    for (prepare, says) in cases {
        let stage = Stage::start().await;
        prepare(&stage);
        let lost = stage.registry().tokens(&rosa()).await.unwrap_err();
        assert!(
            lost.to_string().contains(says),
            "{lost} does not say: {says}"
        );
        let (about, answer) = could_not_list(&rosa(), &lost);
        assert_eq!(about, Subject::person("rosa"));
        assert!(matches!(answer, Answer::CouldNot(fact) if fact.why.contains(says)));
    }
}

#[tokio::test]
async fn a_next_page_elsewhere_is_not_asked() {
    let (stage, thief) = (Stage::start().await, Stage::start().await);
    let mut first = page(&["k1"], 2, false);
    first["urls"] = json!({"next": format!("{}/-/npm/v1/tokens?page=1", thief.base.id())});
    stage.whoami(&["rosa"]).say(FIRST, 200, &first);
    let lost = stage.registry().tokens(&rosa()).await.unwrap_err();
    assert_eq!(lost.trouble().unwrap().fault.word(), "other origin");
    assert_eq!(thief.got(), Vec::<String>::new());
}

#[tokio::test]
async fn the_older_shape_of_a_listing_is_read_and_a_whole_token_is_not_kept() {
    let whole = format!("npm_{}", "w".repeat(36));
    let old = json!({"objects": [
        {"user": "rosa", "token": "eyJhb...FYdvE", "key": "k1", "cidr": null, "readonly": true, "created": 1_790_000_000_000_i64},
        {"user": "rosa", "token": whole, "key": "k2"}], "urls": {"next": ""}});
    let stage = Stage::start().await;
    stage.whoami(&["rosa"]).say(FIRST, 200, &old);
    let listing = stage.registry().tokens(&rosa()).await.unwrap();
    assert_eq!(
        (listing.complete, listing.tokens[0].created),
        (None, Some(Ts(1_790_000_000)))
    );
    assert_eq!(listing.tokens[1].redacted, None);
    assert!(!format!("{listing:?}").contains("wwww"));
}

#[tokio::test]
async fn who_and_what_belongs_to_whom() {
    let stage = Stage::start().await;
    stage
        .whoami(&["rosa"])
        .say("GET /-/npm/v1/user", 200, &json!({"name": "rosa", "email": "x@y.example", "tfa": {"mode": "auth-and-writes", "pending": false}}))
        .say("GET /-/org/acme/package", 200, &json!({"@acme/ui": "write", "@acme/cli": "read"}))
        .say("GET /-/org/acme/user", 200, &json!({"rosa": "owner", "ken": "developer"}))
        .say("GET /-/org/other/package", 200, &json!({"@other/a": "write", "not a name": "write"}))
        .say("GET /-/package/@acme%2fui/collaborators", 200, &json!({"rosa": "read-write"}))
        .say("GET /-/package/@acme%2fui/visibility", 200, &json!({"public": true}));
    let registry = stage.registry();
    assert!(
        matches!(registry.profile(&rosa()).await.unwrap().1, Answer::Profile(fact) if &*fact.two_factor == "auth-and-writes")
    );
    let of = |answer| match answer {
        Answer::Owned(fact) => fact,
        other => panic!("{other:?}"),
    };
    let acme = of(registry
        .org_packages(&Account::parse("acme").unwrap())
        .await
        .unwrap()
        .1);
    assert_eq!((acme.complete, acme.packages.len()), (true, 2));
    let other = of(registry
        .org_packages(&Account::parse("other").unwrap())
        .await
        .unwrap()
        .1);
    assert_eq!((other.complete, other.packages.len()), (false, 1));
    let none = registry
        .org_packages(&Account::parse("none").unwrap())
        .await
        .unwrap_err();
    assert!(
        none.is_not_found() && none.to_string().contains("private"),
        "{none}"
    );
    let access = registry.access(&package("@acme/ui")).await.unwrap();
    assert_eq!((access.public, access.people.len()), (Some(true), 1));
}

#[tokio::test]
async fn a_login_that_names_nobody_is_no_login() {
    let stage = Stage::start().await;
    stage.say("GET /-/whoami", 200, &json!({}));
    stage.say("GET /-/whoami", 200, &json!({"username": "a\u{202e}b"}));
    stage.say("GET /-/whoami", 401, &json!({"error": "expired"}));
    let registry = stage.registry();
    assert_eq!(registry.whoami().await, Err(RegistryError::Nobody));
    assert!(matches!(
        registry.whoami().await,
        Err(RegistryError::Shape(_))
    ));
    let lost = registry.whoami().await.unwrap_err();
    assert!(
        lost.to_string()
            .ends_with("not accepted (expired); log in again"),
        "{lost}"
    );
}

#[tokio::test]
async fn second_factors_that_are_pending_or_absent_are_off_and_unsaid_ones_unknown() {
    for (tfa, word) in [
        (json!({"name": "rosa", "tfa": false}), Some("off")),
        (json!({"name": "rosa", "tfa": null}), Some("off")),
        (
            json!({"name": "rosa", "tfa": {"mode": "auth-only", "pending": true}}),
            Some("off"),
        ),
        (
            json!({"name": "rosa", "tfa": {"mode": "auth-only"}}),
            Some("auth-only"),
        ),
        (json!({"name": "rosa"}), None),
        (json!({"name": "ken", "tfa": false}), None),
    ] {
        let stage = Stage::start().await;
        stage.say("GET /-/npm/v1/user", 200, &tfa);
        match (stage.registry().profile(&rosa()).await, word) {
            (Ok((_, Answer::Profile(fact))), Some(word)) => assert_eq!(&*fact.two_factor, word),
            (Err(_), None) => {}
            (other, _) => panic!("{tfa}: {other:?}"),
        }
    }
}

fn document() -> Value {
    let user = |extra: Value| {
        let mut user = json!({"name": "rosa", "email": "r@acme.example"});
        user.as_object_mut()
            .unwrap()
            .extend(extra.as_object().unwrap().clone());
        user
    };
    let dist =
        |extra: Value| json!({"integrity": "sha512-x", "signatures": [{}], "attestations": extra});
    let oidc = json!({"name": "GitHub Actions", "trustedPublisher": {"id": "github", "oidcConfigId": "oidc:1"}});
    json!({
        "name": "@acme/ui", "dist-tags": {"latest": "1.3.0", "next": "2.0.0-rc.1"},
        "maintainers": [{"name": "rosa"}, "ken"], "repository": {"type": "git", "url": "git+https://github.com/acme/ui.git"},
        "time": {"created": "2026-01-01T00:00:00.000Z", "modified": "2026-11-20T00:00:00.000Z", "unpublished": {"x": 1},
                 "1.0.0": "2026-08-01T00:00:00Z", "1.1.0": "2026-09-01T00:00:00Z", "1.2.0": "2026-10-01T00:00:00Z",
                 "1.3.0": "2026-11-01T00:00:00Z", "2.0.0-rc.1": "2026-11-10T12:00:00Z"},
        "versions": {
            "1.0.0": {"_npmUser": user(json!({})), "dist": {"signatures": []}, "gitHead": "aaa"},
            "1.1.0": {"_npmUser": user(json!({})), "dist": dist(json!({"provenance": {"predicateType": "p"}}))},
            "1.2.0": {"_npmUser": user(json!({})), "approver": {"name": "ken"}, "dist": dist(json!(null)), "deprecated": "old"},
            "1.3.0": {"_npmUser": oidc, "dist": dist(json!({"provenance": {}})), "deprecated": ""},
            "2.0.0-rc.1": {"_npmUser": user(json!({})), "dist": dist(json!(null)), "gitHead": "bbb"}
        }
    })
}

async fn read(document: &Value, known: &Known) -> Result<Packument, RegistryError> {
    let stage = Stage::start().await;
    stage.say_with(
        "GET /@acme%2fui",
        200,
        &[("etag", "\"e1\"")],
        &document.to_string(),
    );
    stage
        .registry()
        .packument(&package("@acme/ui"), known)
        .await
}

fn fact(packument: Packument) -> PublishedFact {
    match packument {
        Packument::New(fact, _) => *fact,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_document_tells_how_each_version_came() {
    let fact = fact(read(&document(), &Known::default()).await.unwrap());
    let how: Vec<(&str, &str)> = fact
        .versions
        .iter()
        .map(|one| (&*one.version, one.how.word()))
        .collect();
    let wanted = [
        ("2.0.0-rc.1", "unmatched"),
        ("1.3.0", "oidc"),
        ("1.2.0", "staged"),
        ("1.1.0", "attested"),
        ("1.0.0", "unmatched"),
    ];
    assert_eq!(how, wanted);
    assert_eq!(fact.versions[1].config.as_deref(), Some("oidc:1"));
    assert_eq!(
        (
            fact.versions[2].approver.as_deref(),
            fact.versions[2].deprecated
        ),
        (Some("ken"), true)
    );
    assert_eq!(
        (fact.total, fact.cadence_days, fact.stripped),
        (5, Some(31), false)
    );
    assert_eq!(
        fact.maintainers,
        ["rosa".into(), "ken".into()] as [Box<str>; 2]
    );
    assert_eq!(&*fact.tags["latest"], "1.3.0");
}

#[tokio::test]
async fn what_a_registry_between_strips_proves_nothing() {
    let mut stripped = document();
    for version in stripped["versions"].as_object_mut().unwrap().values_mut() {
        *version = json!({"dist": {"integrity": "sha512-x"}});
    }
    let fact = fact(read(&stripped, &Known::default()).await.unwrap());
    assert!(
        fact.stripped && fact.versions.iter().all(|one| one.how == HowFact::NotTold),
        "{fact:?}"
    );
}

#[tokio::test]
async fn an_older_document_or_anothers_is_not_taken() {
    let later = Known {
        etag: None,
        modified: Ts::parse("2026-11-21"),
    };
    assert_eq!(read(&document(), &later).await, Ok(Packument::Older));
    let mut other = document();
    other["name"] = json!("@acme/ux");
    assert!(matches!(
        read(&other, &Known::default()).await,
        Err(RegistryError::Shape(_))
    ));

    let stage = Stage::start().await;
    stage.say_with("GET /@acme%2fui", 304, &[], "");
    let known = Known {
        etag: Some("\"e1\"".into()),
        modified: None,
    };
    assert_eq!(
        stage
            .registry()
            .packument(&package("@acme/ui"), &known)
            .await,
        Ok(Packument::Same)
    );
    assert!(stage.headers().contains("if-none-match: \"e1\""));
    let absent = stage
        .registry()
        .packument(&package("gone"), &known)
        .await
        .unwrap_err();
    assert!(absent.is_not_found());
}

#[tokio::test]
async fn a_search_is_followed_to_its_end() {
    let object = |name: &str, weekly: u64| json!({"package": {"name": name}, "downloads": {"weekly": weekly}, "dependents": "12"});
    let stage = Stage::start().await;
    stage
        .say(
            "GET /-/v1/search?text=scope%3Aacme&size=250&from=0",
            200,
            &json!({"objects": [object("@acme/ui", 5), object("@acme/cli", 7)], "total": 3}),
        )
        .say(
            "GET /-/v1/search?text=scope%3Aacme&size=250&from=2",
            200,
            &json!({"objects": [{"package": {"name": "@acme/x"}}], "total": 3}),
        );
    let found = stage
        .registry()
        .as_nobody()
        .search("scope:acme")
        .await
        .unwrap();
    assert!(found.complete && found.packages.len() == 3);
    assert_eq!(
        (
            found.packages["@acme/ui"].weekly,
            found.packages["@acme/ui"].dependents
        ),
        (Some(5), Some(12))
    );
    assert_eq!(found.packages["@acme/x"].weekly, None);
    assert!(!stage.headers().contains("authorization"));
}

const TRUST: &str = "GET /-/package/@acme%2fui/trust";

#[tokio::test]
async fn a_second_factor_is_asked_for_polled_and_sent() {
    let stage = Stage::start().await;
    let pair = json!({"authUrl": format!("{}/auth/cli/1", stage.base.id()), "doneUrl": format!("{}/-/v1/done?authId=1", stage.base.id())});
    let config = json!([{"id": "c1", "type": "github", "claims": {"repository": "acme/ui", "workflow_ref": {"file": "release.yml"}, "environment": "npm"},
                         "permissions": ["createPackage"], "status": "active"},
                        {"id": "c2", "type": "gitlab", "claims": {"project_path": "a/b", "ci_config_ref_uri": {"file": ".gitlab-ci.yml"}}}]);
    let token = "9".repeat(16);
    stage
        .say(TRUST, 401, &pair)
        .say_with(
            TRUST,
            200,
            &[("date", "Sun, 22 Nov 2026 05:00:00 GMT")],
            &config.to_string(),
        )
        .say_with(
            "GET /-/v1/done?authId=1",
            202,
            &[("retry-after", "3")],
            "{}",
        )
        .say("GET /-/v1/done?authId=1", 200, &json!({"token": token}));
    let registry = stage.registry();
    let Guarded::Asked(challenge) = registry
        .trust(&package("@acme/ui"), None, None)
        .await
        .unwrap()
    else {
        panic!()
    };
    assert_eq!(
        (challenge.site, challenge.page().ends_with("/auth/cli/1")),
        (Site::Own, true)
    );
    assert!(!format!("{challenge:?}").contains("authId"));
    assert!(matches!(
        registry.poll(&challenge).await,
        Ok(Polled::Wait(3))
    ));
    let Ok(Polled::Done(otp)) = registry.poll(&challenge).await else {
        panic!()
    };
    assert_eq!(otp.expose(), token);
    let before = TrustFact {
        configs: vec![crate::model::fact::TrustConfigFact {
            id: "c2".into(),
            first_seen: Some(Ts(5)),
            ..Default::default()
        }],
    };
    let Guarded::Done(fact) = registry
        .trust(&package("@acme/ui"), Some(&otp), Some(&before))
        .await
        .unwrap()
    else {
        panic!()
    };
    assert!(
        stage.headers().contains(&format!("npm-otp: {token}"))
            && stage.headers().contains("npm-command: trust")
    );
    let [one, two] = fact.configs.as_slice() else {
        panic!("{fact:?}")
    };
    assert_eq!(
        (&*one.repository, &*one.file, one.environment.as_deref()),
        ("acme/ui", "release.yml", Some("npm"))
    );
    assert_eq!(
        (one.first_seen, one.status.as_deref()),
        (Ts::parse("2026-11-22T05:00:00Z"), Some("active"))
    );
    assert_eq!(
        (&*two.repository, &*two.file, two.first_seen),
        ("a/b", ".gitlab-ci.yml", Some(Ts(5)))
    );
}

#[tokio::test]
async fn a_challenge_that_breaks_the_rules_is_refused() {
    let thief = Stage::start().await;
    let elsewhere = format!("{}/done", thief.base.id());
    for (auth, done, says) in [
        ("OWN".to_owned(), elsewhere.as_str(), "another place"),
        ("OWN".to_owned(), "//evil.example/done", "another place"),
        ("http://evil.example/auth".to_owned(), "/done", "not https"),
        (
            "https://a@evil.example/auth".to_owned(),
            "/done",
            "user name",
        ),
        (
            "https://n\u{440}m.example/auth".to_owned(),
            "/done",
            "look like another",
        ),
    ] {
        let stage = Stage::start().await;
        let auth = auth.replace("OWN", &format!("{}/auth", stage.base.id()));
        stage.say(TRUST, 401, &json!({"authUrl": auth, "doneUrl": done}));
        let lost = stage
            .registry()
            .trust(&package("@acme/ui"), None, None)
            .await
            .unwrap_err();
        assert!(lost.to_string().contains(says), "{auth} {done}: {lost}");
    }
    let stage = Stage::start().await;
    stage.say(
        TRUST,
        401,
        &json!({"authUrl": "https://login.example/x", "doneUrl": "/done"}),
    );
    let Ok(Guarded::Asked(asked)) = stage
        .registry()
        .trust(&package("@acme/ui"), None, None)
        .await
    else {
        panic!()
    };
    assert_eq!((asked.site, asked.host()), (Site::Ask, "login.example"));
    assert_eq!(thief.got(), Vec::<String>::new());

    // A login that ended and a registry that wants a code without a page are two things.
    let stage = Stage::start().await;
    stage.say(TRUST, 401, &json!({"error": "no"})).say_with(
        TRUST,
        401,
        &[("www-authenticate", "OTP")],
        "{}",
    );
    let lost = stage
        .registry()
        .trust(&package("@acme/ui"), None, None)
        .await
        .unwrap_err();
    assert!(
        matches!(lost.trouble().unwrap().fault, Fault::Unauthorised { .. }),
        "{lost}"
    );
    let lost = stage
        .registry()
        .trust(&package("@acme/ui"), None, None)
        .await
        .unwrap_err();
    assert_eq!(lost, RegistryError::NoChallenge);
}

#[tokio::test]
async fn stages_are_complete_or_could_not_be_looked_at() {
    let item = |id: &str, package: &str| json!({"id": id, "packageName": package, "version": "1.0.0", "tag": "latest", "createdAt": "2026-11-01T00:00:00Z", "actor": "GitHub Actions", "shasum": "s"});
    let line = "GET /-/stage?page=0&perPage=100";
    let stage = Stage::start().await;
    stage.say(
        line,
        200,
        &json!({"items": [item("1", "a"), item("2", "b")], "total": 3}),
    );
    stage.say(
        "GET /-/stage?page=1&perPage=100",
        200,
        &json!({"items": [item("3", "a")], "total": 3}),
    );
    let stages = stage.registry().stages(None).await.unwrap();
    assert!(
        stages.complete
            && stages.by_package["a"].stages.len() == 2
            && stages.by_package["b"].complete
    );

    let short = Stage::start().await;
    short
        .say(line, 200, &json!({"items": [item("1", "a")], "total": 3}))
        .say(
            "GET /-/stage?page=1&perPage=100",
            200,
            &json!({"items": [], "total": 3}),
        );
    assert_eq!(
        short.registry().stages(None).await,
        Err(RegistryError::Incomplete { got: 1, total: 3 })
    );

    let one = Stage::start().await;
    one.say(
        "GET /-/stage?package=@acme%2Fui&page=0&perPage=100",
        200,
        &json!({"items": [], "total": 0}),
    );
    let none = one.registry().stages(Some(&package("@acme/ui"))).await;
    assert!(
        none.is_ok_and(|stages| stages.complete && stages.by_package.is_empty()),
        "{:?}",
        one.got()
    );
}

#[tokio::test]
async fn attestations_and_tarballs_come_from_the_registry_only() {
    let stage = Stage::start().await;
    let bundle = json!({"attestations": [{"predicateType": "https://slsa.dev/provenance/v1", "bundle": {"a": 1}}, {"predicateType": "x", "bundle": {}}]});
    stage.say("GET /-/npm/v1/attestations/@acme%2fui@1.0.0", 200, &bundle);
    stage.say_with(
        "GET /@acme/ui/-/ui-1.0.0.tgz",
        200,
        &[("content-type", "application/octet-stream")],
        "bytes",
    );
    let registry = stage.registry();
    let all = registry
        .attestations(&package("@acme/ui"), "1.0.0")
        .await
        .unwrap();
    assert!(all[0].is_provenance() && all[0].bundle() == "{\"a\":1}" && !all[1].is_provenance());
    assert!(
        registry
            .attestations(&package("@acme/ui"), "9.9.9")
            .await
            .unwrap()
            .is_empty()
    );
    let address = format!("{}/@acme/ui/-/ui-1.0.0.tgz", stage.base.id());
    assert_eq!(registry.tarball(&address).await.unwrap(), b"bytes");
    let elsewhere = registry
        .tarball("http://127.0.0.1:1/x.tgz")
        .await
        .unwrap_err();
    assert_eq!(elsewhere.trouble().unwrap().fault.word(), "other origin");
}

#[tokio::test]
async fn a_login_of_another_registry_is_never_sent() {
    let (stage, other) = (Stage::start().await, Stage::start().await);
    let login = Login::new(&other.base, "f", Secret::new("x".repeat(40)));
    let error = stage.registry().acting_as(&login).unwrap_err().to_string();
    assert!(error.contains("another registry"), "{error}");
    assert_eq!(stage.got().len() + other.got().len(), 0);
}
