//! The client against servers of this process that answer byte by byte what a test says.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::model::time::Ts;
use crate::safe::secret::Secret;

/// Our own clock in these tests: 2026-11-22T05:00:00Z.
const NOW: &str = "2026-11-22T05:00:00Z";

#[derive(Clone)]
enum React {
    Answer(Vec<u8>),
    /// Begins so, then one more byte each second for ever.
    Drip(&'static str),
    /// Begins so, then nothing.
    Stall(&'static str),
    /// Ends the connection with a reset.
    Reset,
}

/// A server that answers every request in one way and keeps what it was sent.
struct Server {
    port: u16,
    got: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn start(react: React) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let got = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&got);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, react.clone(), Arc::clone(&kept)));
            }
        });
        Self { port, got }
    }

    async fn saying(head: &str, body: &str) -> Self {
        Self::start(React::Answer(whole(head, body.as_bytes()))).await
    }

    fn got(&self) -> Vec<String> {
        self.got.lock().unwrap().clone()
    }

    fn client(&self) -> Client {
        client(&format!("http://127.0.0.1:{}", self.port))
    }
}

fn whole(head: &str, body: &[u8]) -> Vec<u8> {
    let mut all = format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\n\r\n", body.len()).into_bytes();
    all.extend_from_slice(body);
    all
}

async fn answer(mut stream: TcpStream, react: React, got: Arc<Mutex<Vec<String>>>) {
    if matches!(react, React::Reset) {
        // Closing with unread bytes makes the system send a reset.
        stream.readable().await.unwrap();
        return;
    }
    let mut text = Vec::new();
    let mut piece = [0; 4096];
    // 0x16 begins a TLS handshake, which this server answers in plain HTTP.
    while text.first() != Some(&0x16) && !text.windows(4).any(|end| end == b"\r\n\r\n") {
        let count = stream.read(&mut piece).await.unwrap_or(0);
        if count == 0 {
            return;
        }
        text.extend_from_slice(&piece[..count]);
    }
    got.lock()
        .unwrap()
        .push(String::from_utf8_lossy(&text).into_owned());
    match react {
        React::Answer(bytes) => _ = stream.write_all(&bytes).await,
        React::Stall(start) => {
            stream.write_all(start.as_bytes()).await.unwrap();
            std::future::pending::<()>().await;
        }
        React::Drip(start) => {
            stream.write_all(start.as_bytes()).await.unwrap();
            let mut second = tokio::time::interval(Duration::from_secs(1));
            while stream.write_all(b" ").await.is_ok() {
                second.tick().await;
            }
        }
        React::Reset => {}
    }
}

fn options(world: World) -> Options {
    Options::new(world, Arc::new(|| Ts::parse(NOW).unwrap()))
}

fn client(address: &str) -> Client {
    Client::new(
        Origin::parse(address, World::Tabletop).unwrap(),
        options(World::Tabletop),
    )
    .unwrap()
}

fn get(path: &str) -> Call {
    Call::get(Group::NpmRead, path)
}

async fn fault(server: &Server) -> Fault {
    server.client().send(get("/x")).await.unwrap_err().fault
}

#[tokio::test]
async fn every_answer_that_is_no_answer_has_its_word() {
    let json = "200 OK\r\ncontent-type: application/json";
    for (head, body, word, says) in [
        (
            "200 OK\r\ncontent-type: text/html",
            "<html>log in</html>",
            "captive portal",
            "login in the browser",
        ),
        (json, "{\"a\": [1, 2", "", "truncated"),
        (
            "200 OK\r\ncontent-type: text/plain",
            "hello",
            "not JSON",
            "text/plain",
        ),
        (
            "401 Unauthorized\r\ncontent-type: application/json",
            "{\"message\":\"bad token\"}",
            "unauthorised",
            "(bad token)",
        ),
        (
            "403 Forbidden\r\nx-accepted-github-permissions: actions=read",
            "{\"message\":\"no\"}",
            "forbidden",
            "needs actions=read",
        ),
        (
            "403 Forbidden\r\ncontent-type: text/html",
            "<html>blocked</html>",
            "edge page",
            "filter or limit",
        ),
        (
            "403 Forbidden\r\nretry-after: 30",
            "{}",
            "limited",
            "05:00:30Z",
        ),
        (
            "403 Forbidden",
            "{\"message\":\"You have exceeded a secondary rate limit\"}",
            "limited",
            "05:01:00Z",
        ),
        (
            "429 Too Many Requests\r\ncontent-type: text/html",
            "<html>",
            "limited",
            "05:01:00Z",
        ),
        ("404 Not Found", "{}", "not found", "private"),
        (
            "407 Proxy Authentication Required",
            "",
            "proxy 407",
            "HTTPS_PROXY",
        ),
        ("500 Oops", "{}", "server error", "500"),
        (
            "502 Bad Gateway\r\ncontent-type: text/html",
            "<html>",
            "server error",
            "502",
        ),
        (
            "200 OK\r\nx: \u{7}",
            "{}",
            "not JSON",
            "invalid HTTP header",
        ),
        (
            "302 Found\r\nlocation: https://evil.example/%07",
            "",
            "redirected",
            "https://evil.example/%07",
        ),
        (
            "409 Conflict",
            "{\"error\":\"there \\u001b[2J already\"}",
            "odd answer",
            "there \\u{1b}[2J already",
        ),
    ] {
        let server = Server::saying(head, body).await;
        let outcome = server.client().send(get("/x")).await;
        if word.is_empty() {
            let fault = outcome
                .unwrap()
                .json::<serde_json::Value>()
                .unwrap_err()
                .fault;
            assert_eq!(fault.word(), says, "{head}");
            continue;
        }
        let trouble = outcome.unwrap_err();
        assert_eq!(trouble.fault.word(), word, "{head}: {trouble}");
        assert!(trouble.to_string().contains(says), "{head}: {trouble}");
        assert_eq!(server.got().len(), 1, "asked once");
    }
}

#[tokio::test]
async fn a_limit_ends_by_our_clock_though_the_servers_differs() {
    // The server is ten minutes ahead and says that its budget comes back 90 s after its own date.
    let reset = Ts::parse("2026-11-22T05:11:30Z").unwrap().0;
    let head = format!(
        "403 Forbidden\r\ndate: Sun, 22 Nov 2026 05:10:00 GMT\r\nx-ratelimit-limit: 5000\r\nx-ratelimit-remaining: 0\r\n\
         x-ratelimit-used: 5000\r\nx-ratelimit-reset: {reset}\r\nx-ratelimit-resource: core"
    );
    let trouble = Server::saying(&head, "{}")
        .await
        .client()
        .send(get("/x").reads(&[403]))
        .await
        .unwrap_err();
    let until = Ts::parse("2026-11-22T05:01:30Z").unwrap();
    assert_eq!(
        trouble.fault,
        Fault::Limited {
            until,
            secondary: false
        }
    );
    assert_eq!(trouble.seen.skew, Some(600));
    assert_eq!(Skew::of(600), Skew::Refuses);
    assert!(
        Skew::says(600).unwrap().contains("600 s behind"),
        "{:?}",
        Skew::says(600)
    );
    assert_eq!(
        (Skew::of(-30), Skew::of(-31), Skew::of(300)),
        (Skew::Fine, Skew::Shown, Skew::Shown)
    );
    let rate = trouble.seen.rate.unwrap();
    assert_eq!(
        (rate.limit, rate.used, &*rate.resource),
        (5000, 5000, "core")
    );
}

#[tokio::test]
async fn what_breaks_on_the_way_is_told_apart() {
    let reset = Server::start(React::Reset).await;
    assert_eq!(fault(&reset).await, Fault::Reset);

    let short =
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{\"a\":"
            .to_vec();
    let broken = Server::start(React::Answer(short)).await;
    assert_eq!(fault(&broken).await, Fault::Truncated);

    let closed = Server::start(React::Answer(vec![])).await;
    assert_eq!(fault(&closed).await, Fault::Reset);

    let large = format!("[\"{}\"]", "x".repeat(10 * 1024 * 1024));
    let large = Server::saying("200 OK\r\ncontent-type: application/json", &large).await;
    assert_eq!(
        fault(&large).await,
        Fault::TooLarge {
            cap: 8 * 1024 * 1024
        }
    );

    let free = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let refused = client(&format!("http://127.0.0.1:{free}"))
        .send(get("/x"))
        .await
        .unwrap_err();
    assert_eq!(
        refused.fault,
        Fault::Refused {
            host: "127.0.0.1".into()
        }
    );

    // A server without TLS behind https.
    let plain = Server::saying("200 OK", "{}").await;
    let tls = client(&format!("https://127.0.0.1:{}", plain.port))
        .send(get("/x"))
        .await
        .unwrap_err();
    assert_eq!(tls.fault.word(), "TLS", "{tls}");

    // A label of 70 letters is refused by the resolver itself: no name server is asked. TLS would refuse it first.
    let nowhere = "x".repeat(70);
    let mut options = options(World::Real);
    options.proxies = Proxies::default().with(Some(&nowhere), None);
    let origin = Origin::parse("https://forge.example", World::Real).unwrap();
    let unknown = Client::new(origin, options).unwrap();
    let unknown = unknown.send(get("/x")).await.unwrap_err();
    let host = nowhere.as_str().into();
    assert_eq!(unknown.fault, Fault::NameNotFound { host });
}

#[tokio::test]
async fn whether_a_request_may_have_left_is_told() {
    let sent = async |server: &Server| server.client().send(get("/x")).await.unwrap_err().sent;
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let free = nobody.local_addr().unwrap().port();
    drop(nobody);
    let refused = client(&format!("http://127.0.0.1:{free}"));
    assert_eq!(refused.send(get("/x")).await.unwrap_err().sent, Sent::No);
    let plain = Server::saying("200 OK", "{}").await;
    let tls = client(&format!("https://127.0.0.1:{}", plain.port));
    assert_eq!(tls.send(get("/x")).await.unwrap_err().sent, Sent::No);
    let unfit = plain.client().send(get("/a/../b")).await.unwrap_err();
    assert_eq!(unfit.sent, Sent::No, "{unfit}");

    // What was read and never answered may have been done.
    let closed = Server::start(React::Answer(vec![])).await;
    assert_eq!(sent(&closed).await, Sent::Maybe);
    let reset = Server::start(React::Reset).await;
    assert_eq!(sent(&reset).await, Sent::Maybe);

    let head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{";
    let broken = Server::start(React::Answer(head.to_vec())).await;
    assert_eq!(sent(&broken).await, Sent::Yes);
    for status in [
        "403 Forbidden",
        "404 Not Found",
        "422 No",
        "503 Busy",
        "301 There",
    ] {
        let refusing = Server::saying(status, "{}").await;
        assert_eq!(sent(&refusing).await, Sent::Yes, "{status}");
        assert_eq!(refusing.got().len(), 1, "sent once, never again by itself");
    }
}

#[tokio::test]
async fn a_proxy_that_does_not_connect_says_so() {
    for (head, word) in [
        ("407 Proxy Authentication Required", "proxy 407"),
        ("403 Forbidden", "proxy"),
    ] {
        let proxy = Server::saying(head, "").await;
        let origin = Origin::parse("https://forge.example", World::Real).unwrap();
        let address = format!("http://someone:{}@127.0.0.1:{}", "pw".repeat(3), proxy.port);
        let mut options = options(World::Real);
        options.proxies = Proxies::default().with(Some(&address), None);
        let client = Client::new(origin, options).unwrap();
        assert_eq!(
            client.proxy(),
            Some(format!("http://127.0.0.1:{}", proxy.port))
        );
        let trouble = client.send(get("/x")).await.unwrap_err();
        assert_eq!(trouble.fault.word(), word, "{trouble}");
        let got = proxy.got();
        assert!(
            got[0].starts_with("CONNECT forge.example:443")
                && got[0].contains("proxy-authorization"),
            "{got:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn slow_answers_end_at_their_time() {
    let began = tokio::time::Instant::now();
    let silent = Server::start(React::Stall("")).await;
    assert_eq!(fault(&silent).await, Fault::TimedOut(Stage::Waiting));
    assert_eq!(began.elapsed().as_secs(), 15);

    let began = tokio::time::Instant::now();
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 900\r\n\r\n{";
    let stalled = Server::start(React::Stall(head)).await;
    assert_eq!(fault(&stalled).await, Fault::TimedOut(Stage::Body));
    assert_eq!(began.elapsed().as_secs(), 15);

    // Never silent for 15 s, and never done.
    let began = tokio::time::Instant::now();
    let dripping = Server::start(React::Drip(head)).await;
    assert_eq!(fault(&dripping).await, Fault::TimedOut(Stage::Body));
    assert_eq!(began.elapsed().as_secs(), 60);
    let call = get("/x").within(Duration::from_secs(7));
    let began = tokio::time::Instant::now();
    dripping.client().send(call).await.unwrap_err();
    assert_eq!(began.elapsed().as_secs(), 7);
}

#[tokio::test]
async fn no_redirect_is_followed_by_any_method() {
    for status in [301, 302, 303, 307, 308] {
        for method in [
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::DELETE,
            Method::PATCH,
        ] {
            let second = Server::saying("200 OK", "{}").await;
            let head = format!(
                "{status} Elsewhere\r\nlocation: http://127.0.0.1:{}/steal",
                second.port
            );
            let first = Server::saying(&head, "").await;
            let secret = Secret::new(format!("npm_{}", "x".repeat(36)));
            let credential =
                Credential::bearer(first.client().origin().clone(), &secret, "rosa").unwrap();
            let client = first.client().acting_as(credential).unwrap();
            let otp = Secret::new("1234".repeat(4));
            let call = Call::new(Group::NpmTrust, method.clone(), "/-/x")
                .secret("npm-otp", &otp)
                .json(&["body"]);
            let trouble = client.send(call).await.unwrap_err();
            assert_eq!(trouble.fault.word(), "redirected", "{status} {method}");
            let got = first.got();
            assert!(
                got[0].contains("npm-otp: 1234") && got[0].contains("Bearer npm_xxx"),
                "{got:?}"
            );
            assert_eq!(second.got(), Vec::<String>::new(), "{status} {method}");
            assert!(!format!("{client:?} {trouble:?} {trouble}").contains("npm_x"));
        }
    }
}

#[tokio::test]
async fn a_credential_belongs_to_one_origin() {
    let secret = Secret::new(format!("npm_{}", "x".repeat(36)));
    let own = Origin::parse("http://127.0.0.1:4000", World::Tabletop).unwrap();
    for other in [
        "http://127.0.0.1:4001",
        "https://127.0.0.1:4000",
        "http://localhost:4000",
        "http://[::1]:4000",
    ] {
        let credential = Credential::bearer(own.clone(), &secret, "rosa").unwrap();
        let error = client(other).acting_as(credential).unwrap_err().to_string();
        assert!(
            error.contains("nothing was sent") && !error.contains("npm_"),
            "{error}"
        );
    }
    let line = Secret::new("a\r\nx: y".to_owned());
    assert!(Credential::bearer(own, &line, "rosa").is_err());
}

#[test]
fn origins_are_https_or_loopback_of_the_tabletop() {
    let real = |text| Origin::parse(text, World::Real).map(|origin| origin.to_string());
    let table = |text| Origin::parse(text, World::Tabletop).map(|origin| origin.to_string());
    assert_eq!(
        real("https://API.GitHub.com:443/x?y").unwrap(),
        "https://api.github.com"
    );
    assert_eq!(
        real("https://ghe.corp:8443/api/v3").unwrap(),
        "https://ghe.corp:8443"
    );
    assert_eq!(table("http://127.0.0.1:80/").unwrap(), "http://127.0.0.1");
    for bad in [
        "http://api.github.com",
        "http://127.0.0.1:1",
        "ftp://x",
        "https://a@b",
        "file:///etc",
        "",
        "api.github.com",
    ] {
        assert!(real(bad).is_err(), "{bad}");
    }
    for bad in [
        "https://api.github.com",
        "http://10.0.0.1",
        "http://localhost.evil.example",
        "http://127.0.0.1@evil.example",
    ] {
        assert!(table(bad).is_err(), "{bad}");
    }
}

#[tokio::test]
async fn a_path_stays_what_was_meant() {
    let server = Server::saying("200 OK\r\ncontent-type: application/json", "{}").await;
    let client = server.client();
    for bad in [
        "x",
        "//evil/x",
        "/a/../b",
        "/a\\b",
        "/a b",
        "https://evil.example/",
        "/x#y",
        "/a/%2e%2e/b",
        "",
    ] {
        let trouble = client.send(get(bad)).await.unwrap_err();
        assert_eq!(trouble.fault.word(), "not sent", "{bad}");
    }
    assert_eq!(server.got().len(), 0);
    client.send(get("/@acme%2fui?x=1")).await.unwrap();
    assert!(
        server.got()[0].starts_with("GET /@acme%2fui?x=1 HTTP/1.1"),
        "{:?}",
        server.got()
    );
    assert!(server.got()[0].contains("user-agent: cutover/"));
}

#[test]
fn next_pages_are_of_the_same_origin() {
    let client = client("http://127.0.0.1:4000");
    let follow = |address| client.follow(Group::NpmTokens, address);
    assert_eq!(
        follow("/-/npm/v1/tokens?page=1").unwrap(),
        "/-/npm/v1/tokens?page=1"
    );
    assert_eq!(follow("http://127.0.0.1:4000/a?b=c").unwrap(), "/a?b=c");
    for bad in [
        "http://127.0.0.1:4001/a",
        "https://127.0.0.1:4000/a",
        "//evil.example/a",
        "http://x@127.0.0.1:4000/a",
        "\\\\evil.example/a",
    ] {
        assert_eq!(
            follow(bad).unwrap_err().fault.word(),
            "other origin",
            "{bad}"
        );
    }
}

#[tokio::test]
async fn a_log_is_fetched_bare_and_without_a_second_hop() {
    let secret = Secret::new(format!("gho_{}", "x".repeat(36)));
    let service = Server::saying("200 OK", "{}").await;
    let credential =
        Credential::bearer(service.client().origin().clone(), &secret, "rosa").unwrap();
    let client = service.client().acting_as(credential).unwrap();
    let store = Server::saying("200 OK\r\ncontent-type: text/plain", "a log").await;
    let address = format!("http://127.0.0.1:{}/log?sig=s", store.port);
    let reply = client
        .fetch_once(Group::GithubLogs, &address, Accept::Text, 100)
        .await
        .unwrap();
    assert_eq!(reply.text(), "a log");
    assert!(
        !store.got()[0].to_lowercase().contains("authorization"),
        "{:?}",
        store.got()
    );
    assert_eq!(
        client
            .fetch_once(Group::GithubLogs, &address, Accept::Text, 3)
            .await
            .unwrap_err()
            .fault
            .word(),
        "too large"
    );

    let hop = Server::saying(&format!("302 Found\r\nlocation: {address}"), "").await;
    let hop_address = format!("http://127.0.0.1:{}/log", hop.port);
    let trouble = client
        .fetch_once(Group::GithubLogs, &hop_address, Accept::Text, 100)
        .await
        .unwrap_err();
    assert_eq!(trouble.fault.word(), "redirected");
    assert_eq!(store.got().len(), 2);

    let real = Client::new(
        Origin::parse("https://api.github.com", World::Real).unwrap(),
        options(World::Real),
    )
    .unwrap();
    for bad in [
        "http://files.example/log",
        "https://a@files.example/",
        "https://10.0.0.1/log",
        "https://[::1]/log",
        "https://169.254.169.254/",
        "https://localhost/log",
    ] {
        let trouble = real
            .fetch_once(Group::GithubLogs, bad, Accept::Text, 100)
            .await
            .unwrap_err();
        assert!(
            ["other origin", "not allowed"].contains(&trouble.fault.word()),
            "{bad}: {trouble}"
        );
    }
}
