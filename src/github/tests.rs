//! The client against a GitHub of this process that answers what a test says and keeps what it was sent.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod discovery;
mod lists;
mod official;
mod runs;

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Response, Uri};
use serde_json::{Value, json};

use super::*;
use crate::http::{Fault, Group, World};
use crate::model::name::RepoName;
use crate::safe::secret::Secret;

/// Our own clock and the server's in these tests.
const NOW: &str = "2026-11-22T05:00:00Z";
const DATE: &str = "Sun, 22 Nov 2026 05:00:00 GMT";

/// One request as it came.
#[derive(Debug, Clone)]
struct Asked {
    method: Method,
    /// Path and query.
    path: String,
    headers: HeaderMap,
    body: Value,
}

impl Asked {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Gives the GraphQL operation and its variables.
    fn graphql(&self) -> Option<(&str, &Value)> {
        Some((
            self.body.get("operationName")?.as_str()?,
            self.body.get("variables")?,
        ))
    }
}

type Reaction = Arc<dyn Fn(&Asked) -> Response<Body> + Send + Sync>;

/// A server on loopback with a client that has a token for it.
struct Server {
    github: GitHub,
    address: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    heard: Arc<Mutex<Vec<(Group, bool)>>>,
}

#[derive(Clone)]
struct Shared {
    react: Reaction,
    asked: Arc<Mutex<Vec<Asked>>>,
}

async fn any(
    State(shared): State<Shared>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let path = uri.path_and_query().unwrap().to_string();
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let asked = Asked {
        method,
        path,
        headers,
        body,
    };
    let answer = (shared.react)(&asked);
    shared.asked.lock().unwrap().push(asked);
    answer
}

impl Server {
    async fn start(react: impl Fn(&Asked) -> Response<Body> + Send + Sync + 'static) -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let shared = Shared {
            react: Arc::new(react),
            asked: Arc::clone(&asked),
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            axum::serve(listener, Router::new().fallback(any).with_state(shared)).await
        });
        let place = Place::tabletop(&address, "github.com").unwrap();
        let credential =
            Credential::bearer(place.origin().clone(), &Secret::new("t0ken".into()), "rosa")
                .unwrap();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let ears = Arc::clone(&heard);
        let listen: Listen =
            Arc::new(move |group, outcome| ears.lock().unwrap().push((group, outcome.is_ok())));
        let now = Ts::parse(NOW).unwrap();
        let options = Options::new(World::Tabletop, Arc::new(move || now));
        let github = GitHub::open(place, Some(credential), options, listen).unwrap();
        Self {
            github,
            address,
            asked,
            heard,
        }
    }

    fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    fn paths(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.path).collect()
    }
}

/// An answer with GitHub's usual headers.
fn answer(status: u16, headers: &[(&str, &str)], body: &Value) -> Response<Body> {
    let mut response = Response::builder()
        .status(status)
        .header("date", DATE)
        .header("content-type", "application/json; charset=utf-8")
        .header("x-ratelimit-limit", "5000")
        .header("x-ratelimit-remaining", "4999")
        .header("x-ratelimit-reset", "1795327200");
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    let empty = matches!(status, 204 | 302 | 304);
    response
        .body(if empty {
            Body::empty()
        } else {
            body.to_string().into()
        })
        .unwrap()
}

fn ok(body: Value) -> Response<Body> {
    answer(200, &[], &body)
}

fn not_found() -> Response<Body> {
    answer(
        404,
        &[],
        &json!({"message": "Not Found", "documentation_url": "https://docs.github.com/rest", "status": "404"}),
    )
}

fn repo() -> RepoName {
    RepoName::parse("acme/ui").unwrap()
}

fn fault(error: &GithubError) -> &Fault {
    match error {
        GithubError::Request(trouble) => &trouble.fault,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn every_request_carries_what_github_wants_and_every_exchange_is_heard() {
    let server = Server::start(|asked| match &*asked.path {
        "/user" => answer(
            200,
            &[
                ("x-oauth-scopes", "repo, gist"),
                (
                    "github-authentication-token-expiration",
                    "2026-12-24 10:00:00 UTC",
                ),
            ],
            &json!({"login": "rosa", "id": 1}),
        ),
        _ => answer(500, &[], &json!({})),
    })
    .await;
    let powers = server.github.powers().await.unwrap();
    assert_eq!(
        (&*powers.login, powers.excess(), powers.at),
        ("rosa", vec!["gist"], Ts::parse(NOW))
    );
    assert_eq!(powers.expires, Ts::parse("2026-12-24T10:00:00Z"));
    assert!(server.github.environments(&repo()).await.is_err());
    let asked = &server.asked()[0];
    assert_eq!(asked.method, Method::GET);
    assert_eq!(asked.header("authorization"), Some("Bearer t0ken"));
    assert_eq!(asked.header("accept"), Some("application/vnd.github+json"));
    assert_eq!(asked.header("x-github-api-version"), Some("2022-11-28"));
    assert!(asked.header("user-agent").unwrap().starts_with("cutover/"));
    assert_eq!(
        *server.heard.lock().unwrap(),
        [(Group::GithubRest, true), (Group::GithubRest, false)]
    );
}

#[tokio::test]
async fn a_token_of_another_place_is_refused_before_anything_is_sent() {
    let server = Server::start(|_| ok(json!({}))).await;
    let other = Place::parse("github.com").unwrap();
    let credential =
        Credential::bearer(other.origin().clone(), &Secret::new("t0ken".into()), "rosa").unwrap();
    let place = Place::tabletop(&server.address, "github.com").unwrap();
    let options = Options::new(World::Tabletop, Arc::new(|| Ts(0)));
    let error = GitHub::open(place, Some(credential), options, Arc::new(|_, _| ())).unwrap_err();
    assert!(
        matches!(error, OpenError::Credential(_)) && !error.to_string().contains("t0ken"),
        "{error}"
    );
    assert!(server.asked().is_empty());
}
