//! The two HTTP servers: what was asked and what is answered as plain values, faults, control addresses, counters.
//!
//! [`Hall`] is all state: the world, the clock, limits, faults, counters. A request locks it once, lets the world live up
//! to now, and computes its answer without awaiting; only the writing of the answer is asynchronous.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::connect_info::Connected;
use axum::extract::{ConnectInfo, Request as AxumRequest, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use axum::serve::{IncomingStream, Listener};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

use super::clock::{Clock, Ms, http_date, iso_ms};
use super::fault::{Faults, Harm};
use super::github::Limits;
use super::npm::Desk;
use super::world::{Oid, Tree, World};

/// A request's body may be so large, in bytes.
const BODY_CAP: usize = 32 * 1024 * 1024;

/// Which service is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Github,
    Npm,
}

/// What was asked and how often.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counters {
    /// All requests to either side, the control addresses left out.
    pub requests: u64,
    /// Requests by endpoint group.
    pub groups: BTreeMap<&'static str, u64>,
    /// REST requests that counted against the primary limit.
    pub rest: u64,
    /// Points that GraphQL cost.
    pub points: u64,
    /// Answers 304, which do not count.
    pub unchanged: u64,
    /// Requests that changed something: those that were not GET or HEAD, GraphQL left out.
    pub writes: u64,
    /// Answers by status.
    pub statuses: BTreeMap<u16, u64>,
    /// Method and path of each write, in order.
    pub written: Vec<String>,
}

/// Everything that the servers know, behind one lock.
#[derive(Debug)]
pub struct Hall {
    pub world: World,
    pub clock: Clock,
    /// Base addresses without a final slash.
    pub github: String,
    pub registry: String,
    pub counters: Counters,
    pub faults: Faults,
    pub limits: Limits,
    /// What the registry keeps besides the world: challenges, open 2FA windows.
    pub desk: Desk,
    /// Trees that were made and that no commit has yet.
    pub trees: HashMap<Oid, Tree>,
}

impl Hall {
    pub fn new(world: World, clock: Clock, github: String, registry: String) -> Self {
        Self {
            world,
            clock,
            github,
            registry,
            counters: Counters::default(),
            faults: Faults::default(),
            limits: Limits::default(),
            desk: Desk::default(),
            trees: HashMap::new(),
        }
    }
}

/// What was asked.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    /// Path as sent, without query.
    pub path: String,
    /// Parts of the path, percent-decoded one by one: `%2f` does not split.
    pub parts: Vec<String>,
    pub query: Vec<(String, String)>,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub fn query(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Gives the value after `Bearer` or `token` in `Authorization`.
    pub fn bearer(&self) -> Option<&str> {
        let value = self.header("authorization")?;
        let (scheme, token) = value.split_once(' ')?;
        (scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("token"))
            .then(|| token.trim())
    }

    /// Reads the body as JSON; `Null` where there is none or it is no JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub fn is_read(&self) -> bool {
        self.method == "GET" || self.method == "HEAD"
    }
}

/// What is answered.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(status: u16, value: &Value) -> Self {
        Self {
            status,
            headers: vec![("content-type", "application/json; charset=utf-8".to_owned())],
            body: serde_json::to_vec(value).unwrap_or_default(),
        }
    }

    pub fn text(status: u16, text: String) -> Self {
        Self {
            status,
            headers: vec![("content-type", "text/plain; charset=utf-8".to_owned())],
            body: text.into_bytes(),
        }
    }

    pub fn html(status: u16, text: &str) -> Self {
        Self {
            status,
            headers: vec![("content-type", "text/html; charset=utf-8".to_owned())],
            body: text.as_bytes().to_vec(),
        }
    }

    pub fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// Adds a header.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// Decodes `%41`; what is no code stays as it is.
pub fn decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let code = tail.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        match code
            .and_then(|two| u8::from_str_radix(two, 16).ok())
            .filter(|_| *first == b'%')
        {
            Some(byte) => {
                out.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            None => {
                out.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Serves one side until its handle is aborted.
pub fn serve(door: Door, hall: Arc<Mutex<Hall>>, side: Side) -> AbortHandle {
    let app = Router::new().fallback(handle).with_state((hall, side));
    let service = app.into_make_service_with_connect_info::<Caller>();
    tokio::spawn(async move {
        let _ = axum::serve(door, service).await;
    })
    .abort_handle()
}

async fn handle(
    State((hall, side)): State<(Arc<Mutex<Hall>>, Side)>,
    ConnectInfo(caller): ConnectInfo<Caller>,
    request: AxumRequest,
) -> Response<Body> {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, BODY_CAP).await.unwrap_or_default().to_vec();
    let path = head.uri.path().to_owned();
    let query = url::form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes());
    let request = Request {
        method: head.method.as_str().to_owned(),
        parts: path.split('/').skip(1).map(decoded).collect(),
        path,
        query: query.into_owned().collect(),
        headers: head.headers,
        body,
    };
    let (answer, harm) = {
        let mut hall = hall.lock().unwrap_or_else(PoisonError::into_inner);
        answer(&mut hall, side, &request)
    };
    let head_only = request.method == "HEAD";
    match harm {
        Some(Harm::Cut) => {
            caller.cut.store(true, Ordering::Release);
            written(answer, None, head_only)
        }
        harm => written(answer, harm, head_only),
    }
}

/// Answers a request: the whole of a server, without a socket.
pub fn answer(hall: &mut Hall, side: Side, request: &Request) -> (Answer, Option<Harm>) {
    let now = hall.clock.now();
    hall.world.advance(now);
    if request
        .parts
        .first()
        .is_some_and(|part| part == "__tabletop")
    {
        return (control(hall, request, now), None);
    }
    let group = match side {
        Side::Github => super::github::group(request),
        Side::Npm => super::npm::group(request),
    };
    count(&mut hall.counters, group, request);
    let hurt = hall.faults.take(side, group, &request.path);
    let (answer, harm) = match hurt.as_ref().and_then(|kind| kind.instead(now)) {
        Some(answer) => (answer, None),
        None => {
            let answer = match side {
                Side::Github => super::github::answer(hall, request),
                Side::Npm => super::npm::answer(hall, request),
            };
            (answer, hurt.as_ref().and_then(|kind| kind.harm()))
        }
    };
    *hall.counters.statuses.entry(answer.status).or_default() += 1;
    let skew = hurt.map_or(0, |kind| kind.skew());
    (answer.with("date", http_date(now + skew)), harm)
}

fn count(counters: &mut Counters, group: &'static str, request: &Request) {
    counters.requests += 1;
    *counters.groups.entry(group).or_default() += 1;
    if !request.is_read() && group != "graphql" {
        counters.writes += 1;
        counters
            .written
            .push(format!("{} {}", request.method, request.path));
    }
}

/// Addresses of the tabletop itself; they stand on both servers.
fn control(hall: &mut Hall, request: &Request, now: Ms) -> Answer {
    let words: Vec<&str> = request.parts.iter().skip(1).map(String::as_str).collect();
    match (request.method.as_str(), words.as_slice()) {
        ("GET", ["clock"]) => Answer::json(
            200,
            &json!({
                "start": iso_ms(hall.clock.start()),
                "speed": hall.clock.speed(),
                "now": iso_ms(now),
                "now_ms": now,
            }),
        ),
        ("GET", ["counters"]) => {
            let all = &hall.counters;
            Answer::json(
                200,
                &json!({
                    "requests": all.requests, "rest": all.rest, "points": all.points, "unchanged": all.unchanged,
                    "writes": all.writes, "groups": all.groups,
                }),
            )
        }
        ("GET", ["notes"]) => {
            let notes = hall.world.notes.iter();
            let all: Vec<Value> = notes.map(|(at, words)| json!({ "at": iso_ms(*at), "words": words })).collect();
            Answer::json(200, &Value::Array(all))
        }
        ("POST", ["fault"]) => match serde_json::from_slice(&request.body) {
            Ok(fault) => {
                hall.faults.add(fault);
                Answer::empty(204)
            }
            Err(error) => Answer::json(400, &json!({ "message": error.to_string() })),
        },
        _ => Answer::json(404, &json!({ "message": "no such address of the tabletop" })),
    }
    .with("date", http_date(now))
}

/// Writes an answer out, whole or harmed.
fn written(answer: Answer, harm: Option<Harm>, head_only: bool) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in answer.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response
                .headers_mut()
                .append(HeaderName::from_static(name), value);
        }
    }
    let length = answer.body.len();
    let body = match harm {
        _ if head_only => Body::empty(),
        Some(Harm::Half) => {
            let half = answer.body.get(..length / 2).unwrap_or_default().to_vec();
            half_then_error(half)
        }
        Some(Harm::Slow { pause }) => slow(answer.body, pause),
        _ => Body::from(answer.body),
    };
    let bodiless = matches!(answer.status, 204 | 304);
    if matches!(harm, Some(Harm::Half | Harm::Slow { .. })) || (head_only && !bodiless) {
        response
            .headers_mut()
            .insert("content-length", HeaderValue::from(length));
    }
    *response.body_mut() = body;
    response
}

/// Gives the first half of a body and then ends the connection. The pause lets the head and the half go out before.
fn half_then_error(half: Vec<u8>) -> Body {
    Body::from_stream(futures_util::stream::unfold(
        Some(half),
        |half| async move {
            let Some(half) = half else {
                tokio::time::sleep(Duration::from_millis(10)).await;
                return Some((Err(io::Error::from(io::ErrorKind::ConnectionReset)), None));
            };
            Some((Ok(Bytes::from(half)), None))
        },
    ))
}

/// Gives a body byte by byte, with a pause before each.
fn slow(body: Vec<u8>, pause: Duration) -> Body {
    Body::from_stream(futures_util::stream::unfold(
        body.into_iter(),
        move |mut rest| async move {
            let byte = rest.next()?;
            tokio::time::sleep(pause).await;
            Some((Ok::<_, io::Error>(Bytes::from(vec![byte])), rest))
        },
    ))
}

/// A listening socket on loopback whose connections can be cut.
#[derive(Debug)]
pub struct Door(TcpListener);

impl Door {
    /// Listens on a free port of 127.0.0.1.
    pub async fn bind() -> io::Result<Self> {
        TcpListener::bind(("127.0.0.1", 0)).await.map(Self)
    }

    /// Gives the base address, without a final slash.
    pub fn address(&self) -> io::Result<String> {
        Ok(format!("http://{}", self.0.local_addr()?))
    }
}

/// Whoever is connected: the switch that cuts the line.
#[derive(Debug, Clone, Default)]
pub struct Caller {
    cut: Arc<AtomicBool>,
}

impl Connected<IncomingStream<'_, Door>> for Caller {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Self {
        stream.remote_addr().clone()
    }
}

impl Listener for Door {
    type Io = Line;
    type Addr = Caller;

    async fn accept(&mut self) -> (Line, Caller) {
        loop {
            match self.0.accept().await {
                Ok((stream, _)) => {
                    let _ = stream.set_nodelay(true);
                    let caller = Caller::default();
                    return (
                        Line {
                            stream,
                            cut: Arc::clone(&caller.cut),
                        },
                        caller,
                    );
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<Caller> {
        Ok(Caller::default())
    }
}

/// A connection that writes nothing more once it is cut.
#[derive(Debug)]
pub struct Line {
    stream: TcpStream,
    cut: Arc<AtomicBool>,
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.cut.load(Ordering::Acquire) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_decoded_and_others_kept() {
        assert_eq!(decoded("@acme%2Fui"), "@acme/ui");
        assert_eq!(decoded("100%"), "100%");
        assert_eq!(decoded("%zz%4"), "%zz%4");
        assert_eq!(decoded("%E2%82%AC"), "€");
    }
}
