//! What stands between a client and Prism: takes what goes past it elsewhere, and keeps what Prism objects to.
//!
//! Addresses in answers are made this server's own, so that a client that follows them comes by here again.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Response};
use serde_json::Value;
use tokio::net::TcpListener;

/// Method and begin or end of the path that goes past Prism, and why.
pub type Past = (&'static str, &'static str, &'static str);
/// Part of an objection that stands, and why.
pub type Right = (&'static str, &'static str);

/// How Prism says that a description does not list a status.
const STATUS: &str = "Unable to match the returned status code";

/// A running `prism proxy`; it ends when dropped.
pub struct Prism {
    pub address: String,
    child: Child,
}

impl Prism {
    /// Starts Prism before `upstream`; none where there is no Prism.
    pub async fn start(description: &str, upstream: &str) -> Option<Self> {
        let Some(program) = std::env::var_os("CUTOVER_PRISM") else {
            eprintln!("skipped: CUTOVER_PRISM is not set; .ci/prism installs Prism and sets it");
            return None;
        };
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = free.local_addr().unwrap().port().to_string();
        drop(free);
        let file = format!(
            "{}/tests/fixtures/contract/{description}",
            env!("CARGO_MANIFEST_DIR")
        );
        let mut child = Command::new(program)
            .args(["proxy", &file, upstream, "-p", &port, "-h", "127.0.0.1"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stdout.take().unwrap());
        let (ready, listens) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || {
            let mut ready = Some(ready);
            // Read to the end, or Prism would wait for the pipe.
            for line in said.lines().map_while(Result::ok) {
                if line.contains("Prism is listening") {
                    ready.take().map(|ready| ready.send(()));
                }
            }
        });
        let one = Self {
            address: format!("http://127.0.0.1:{port}"),
            child,
        };
        let waited = tokio::time::timeout(Duration::from_secs(120), listens).await;
        waited.expect("Prism is slow").expect("Prism ended");
        Some(one)
    }
}

impl Drop for Prism {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What was seen so far.
#[derive(Default)]
struct Seen {
    /// Method and path of what Prism looked at.
    checked: BTreeSet<String>,
    past: BTreeSet<String>,
    objections: BTreeMap<String, BTreeSet<String>>,
}

struct Inner {
    address: String,
    upstream: String,
    prism: String,
    past: &'static [Past],
    right: &'static [Right],
    http: reqwest::Client,
    seen: Mutex<Seen>,
}

/// The server that clients are pointed at.
pub struct Front {
    pub address: String,
    inner: Arc<Inner>,
}

impl Front {
    pub async fn start(
        upstream: &str,
        prism: &str,
        past: &'static [Past],
        right: &'static [Right],
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .unwrap();
        let inner = Arc::new(Inner {
            address: address.clone(),
            upstream: upstream.to_owned(),
            prism: prism.to_owned(),
            past,
            right,
            http,
            seen: Mutex::default(),
        });
        let app = Router::new().fallback(pass).with_state(Arc::clone(&inner));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { address, inner }
    }

    /// Gives what Prism objected to, each with how often and where first.
    pub fn objections(&self) -> Vec<String> {
        let seen = self.inner.seen.lock().unwrap();
        let all = seen.objections.iter().map(|(what, places)| {
            let first = places.first().map_or("", String::as_str);
            format!("{what}\n    {} times, first {first}", places.len())
        });
        all.collect()
    }

    /// Fails where Prism objected, or looked at fewer than `least` addresses.
    pub fn report(&self, least: usize) {
        let all = self.objections();
        let seen = self.inner.seen.lock().unwrap();
        let (checked, past) = (seen.checked.len(), seen.past.len());
        eprintln!("{checked} addresses checked, {past} went past");
        assert!(
            all.is_empty(),
            "{} objections:\n{}",
            all.len(),
            all.join("\n")
        );
        assert!(checked >= least, "{:?}", seen.checked);
    }
}

async fn pass(State(inner): State<Arc<Inner>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let target = parts.uri.path_and_query().map_or("/", |it| it.as_str());
    let past = inner.past.iter().any(|(method, part, _)| {
        parts.method == *method && (path.starts_with(part) || path.ends_with(part))
    });
    let to = if past { &inner.upstream } else { &inner.prism };
    let mut call = inner
        .http
        .request(parts.method.clone(), format!("{to}{target}"));
    for (name, value) in &parts.headers {
        // What belongs to a connection, and what would pack the answer.
        if !matches!(
            name.as_str(),
            "host" | "content-length" | "accept-encoding" | "connection"
        ) {
            call = call.header(name, value);
        }
    }
    let answer = call
        .body(to_bytes(body, 1 << 26).await.unwrap())
        .send()
        .await;
    let answer = answer.unwrap();
    let (status, headers) = (answer.status(), answer.headers().clone());
    let bytes = answer.bytes().await.unwrap();
    let what = format!("{} {target} -> {}", parts.method, status.as_u16());
    inner.note(past, &what, status.as_u16(), &headers, &bytes);
    let mut out = Response::builder().status(status);
    for (name, value) in &headers {
        let Ok(text) = value.to_str() else { continue };
        if !matches!(
            name.as_str(),
            "content-length" | "transfer-encoding" | "connection" | "sl-violations"
        ) {
            out = out.header(name, text.replace(&inner.upstream, &inner.address));
        }
    }
    let body = match std::str::from_utf8(&bytes) {
        Ok(text) => Body::from(text.replace(&inner.upstream, &inner.address)),
        Err(_) => Body::from(bytes),
    };
    out.body(body).unwrap()
}

impl Inner {
    fn note(&self, past: bool, what: &str, status: u16, headers: &HeaderMap, body: &[u8]) {
        let mut seen = self.seen.lock().unwrap();
        let address = what.split(['?', '>']).next().unwrap_or(what).to_owned();
        if past {
            seen.past.insert(address);
            return;
        }
        seen.checked.insert(address);
        let mut all = Vec::new();
        if let Some(header) = headers.get("sl-violations") {
            let violations: Vec<Value> = serde_json::from_slice(header.as_bytes()).unwrap();
            all.extend(violations.iter().map(line));
        }
        let problem: Value = serde_json::from_slice(body).unwrap_or_default();
        let kind = problem["type"].as_str().unwrap_or_default();
        if kind.contains("stoplight.io/prism") {
            all.push(format!("{kind}: {}", problem["detail"]));
        }
        // Descriptions seldom list what any service may answer.
        let any_status = status == 304 || status >= 400;
        all.retain(|text| !(any_status && text.contains(STATUS)));
        all.retain(|text| !self.right.iter().any(|(part, _)| text.contains(part)));
        for text in all {
            let places = seen.objections.entry(text).or_default();
            places.insert(what.to_owned());
        }
    }
}

/// Writes a violation: how bad, where, and what. A number of a list counts as any.
fn line(one: &Value) -> String {
    let word = |key: &str| one[key].as_str().unwrap_or_default();
    let places = one["location"].as_array().into_iter().flatten();
    let places: Vec<&str> = places
        .map(|part| {
            part.as_str()
                .filter(|text| text.parse::<usize>().is_err())
                .unwrap_or("*")
        })
        .collect();
    format!(
        "{} {}: {}",
        word("severity"),
        places.join("."),
        word("message")
    )
}
