//! Verbs that look outside, met where nothing of theirs is reachable: who is asked, with what, and what is said.
//!
//! A proxy on this machine stands in for the outside: it hears which hosts are wanted and refuses them all.

use super::place::{Place, Ran};
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Command;
use std::sync::{Arc, Mutex};

/// Something on a port of this machine that hears what is asked for first, and refuses.
struct Ear {
    port: u16,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Ear {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let ours = Arc::clone(&heard);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { continue };
                let mut bytes = [0_u8; 4096];
                let count = stream.read(&mut bytes).unwrap_or(0);
                ours.lock()
                    .unwrap()
                    .push(String::from_utf8_lossy(&bytes[..count]).into_owned());
                let _ = stream.write_all(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n");
            }
        });
        Self { port, heard }
    }

    fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }

    /// Hosts that tunnels were asked to.
    fn hosts(&self) -> Vec<String> {
        let line = |text: &String| {
            text.split_whitespace()
                .nth(1)
                .unwrap_or_default()
                .to_owned()
        };
        let mut hosts: Vec<String> = self.heard().iter().map(line).collect();
        hosts.sort();
        hosts.dedup();
        hosts
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

/// The program with `proxy` between it and the world, and no `gh` to be found.
fn behind(place: &Place, proxy: &Ear, arguments: &[&str]) -> Command {
    let empty = place.dir.path().join("home");
    let mut command = place.cutover(arguments);
    command
        .env("PATH", empty)
        .env("HTTPS_PROXY", proxy.url())
        .env_remove("NO_PROXY");
    command
}

fn run(place: &Place, arguments: &[&str], command: Command) -> Ran {
    place.finish(arguments, command)
}

fn token() -> String {
    format!("ghp_{}", "k".repeat(36))
}

#[test]
fn without_a_credential_github_is_not_asked_and_says_what_to_do() {
    let (place, proxy) = (Place::with_session(), Ear::new());
    let arguments = ["refresh", "acme"];
    let ran = run(&place, &arguments, behind(&place, &proxy, &arguments));
    ran.fails(1, "neither GitHub nor npm could be reached", 1);
    assert!(
        ran.err.contains("warning: not authorised: GitHub ")
            && ran.err.contains("no token for github.com: set GH_TOKEN"),
        "{}",
        ran.text()
    );
    assert!(
        ran.err.contains("GitHub GraphQL") && ran.err.contains("npm read"),
        "{}",
        ran.text()
    );
    assert_eq!(
        proxy.hosts(),
        [format!("{}:443", cutover::assets::npm_host())]
    );
}

#[test]
fn a_token_goes_to_its_own_host_only() {
    let (place, proxy) = (Place::new(), Ear::new());
    let made = place.run(&[
        "init",
        "own",
        "--forge",
        "git.acme.example",
        "--org",
        "acme",
    ]);
    assert_eq!(made.code, 0, "{}", made.text());
    let arguments = ["refresh", "own"];
    let mut command = behind(&place, &proxy, &arguments);
    command
        .env("GH_TOKEN", token())
        .env("GITHUB_TOKEN", token());
    let ran = run(&place, &arguments, command);
    assert_eq!(ran.code, 1, "{}", ran.text());
    assert!(
        ran.err.contains("set GH_ENTERPRISE_TOKEN"),
        "{}",
        ran.text()
    );
    let hosts = proxy.hosts();
    assert!(
        hosts
            .iter()
            .all(|host| host.starts_with(cutover::assets::npm_host())),
        "{hosts:?}"
    );
    // With its own, its own host is asked, and nobody else of GitHub.
    let mut command = behind(&place, &proxy, &arguments);
    command
        .env("GH_TOKEN", token())
        .env("GH_ENTERPRISE_TOKEN", token());
    let ran = run(&place, &arguments, command);
    assert_eq!(ran.code, 1, "{}", ran.text());
    let hosts = proxy.hosts();
    assert!(
        hosts.contains(&"git.acme.example:443".to_owned()),
        "{hosts:?}"
    );
    assert!(
        !hosts.iter().any(|host| host.contains("github.com")),
        "{hosts:?}"
    );
    assert!(!proxy.heard().join("").contains(&token()));
    let kept = std::fs::read_to_string(place.path("own.cutover")).unwrap();
    assert!(!kept.contains(&token()) && !ran.text().contains(&token()));
}

#[test]
fn the_current_folder_says_nothing_about_where_a_credential_goes() {
    let (place, proxy, thief) = (Place::with_session(), Ear::new(), Ear::new());
    let (port, secret) = (thief.port, format!("npm_{}", "s".repeat(36)));
    place.write(
        ".npmrc",
        format!(
            "registry=http://127.0.0.1:{port}/\nhttps-proxy=http://127.0.0.1:{port}\n\
             //127.0.0.1:{port}/:_authToken={secret}\n//{0}/:_authToken={secret}\nstrict-ssl=false\n",
            cutover::assets::npm_host()
        ),
    );
    for arguments in [&["refresh", "acme"][..], &["watch", "acme", "--for", "1s"]] {
        let mut command = behind(&place, &proxy, arguments);
        command.env("NPM_TOKEN", &secret);
        let ran = run(&place, arguments, command);
        assert!(
            !ran.text().contains(&secret) && ran.code < 2,
            "{}",
            ran.text()
        );
    }
    assert_eq!(thief.heard(), Vec::<String>::new());
    assert_eq!(
        proxy.hosts(),
        [format!("{}:443", cutover::assets::npm_host())]
    );
}

#[test]
fn a_token_that_is_to_go_is_not_worked_with() {
    let (place, proxy) = (Place::with_session(), Ear::new());
    // As the example's list masks it: start and end are known.
    let secret = format!("npm_hT4w{}Zp2K", "x".repeat(28));
    let home = place.dir.path().join("home");
    let line = format!("//{}/:_authToken={secret}\n", cutover::assets::npm_host());
    std::fs::write(home.join(".npmrc"), line).unwrap();
    let arguments = ["refresh", "acme"];
    let ran = run(&place, &arguments, behind(&place, &proxy, &arguments));
    ran.fails(1, "which this cutover is to revoke", 1);
    assert!(!ran.text().contains(&secret));
    assert_eq!(proxy.heard(), Vec::<String>::new());
    std::fs::write(home.join(".npmrc"), "strict-ssl=false\n").unwrap();
    let ran = run(&place, &arguments, behind(&place, &proxy, &arguments));
    ran.fails(1, "strict-ssl=false", 0);
    assert_eq!(proxy.heard(), Vec::<String>::new());
}

#[test]
fn what_cannot_be_looked_at_is_refused_before_anything_is_asked() {
    let (place, proxy) = (Place::with_session(), Ear::new());
    for (arguments, code, words) in [
        (
            &["refresh", "acme", "--secrets"][..],
            2,
            "was not confirmed",
        ),
        (&["refresh", "acme", "--yes"], 2, "--secrets"),
        (&["--read-only", "refresh", "acme"], 2, "--read-only"),
        (
            &[
                "refresh",
                "acme",
                "--github-url",
                "https://git.acme.example",
            ],
            2,
            "one forge",
        ),
        (
            &["refresh", "acme", "--github-url", "http://github.com"],
            2,
            "https",
        ),
        (
            &["refresh", "acme", "--registry", "http://10.0.0.1/"],
            2,
            "https",
        ),
        (&["refresh", "acme", "--npmrc", "nowhere"], 1, "nowhere"),
        (&["watch", "acme", "--for", "soon"], 2, "90s"),
        (&["open", "acme", "--npmrc", "x"], 1, "terminal"),
        (&["init", "new", "--live"], 2, "--org"),
        (&["init", "new", "--live", "--org", "a b"], 2, "a b"),
        (&["init", "new", "--include", "x"], 2, "--live"),
        (
            &["init", "new", "--live", "--org", "acme", "--exclude", "["],
            2,
            "pattern",
        ),
        (
            &["diagnose", "https://evil.example/acme/ui/actions/runs/1"],
            2,
            "evil.example",
        ),
        (
            &["diagnose", "https://github.com/acme/ui/pull/1"],
            2,
            "not the address of a run",
        ),
        (
            &["diagnose", "https://github.com/acme/ui/actions/runs/1"],
            1,
            "no token for github.com",
        ),
    ] {
        let ran = run(&place, arguments, behind(&place, &proxy, arguments));
        assert!(
            ran.code == code && ran.err.contains(words),
            "{}",
            ran.text()
        );
        assert!(!ran.err.contains("panicked"), "{}", ran.text());
    }
    assert_eq!(proxy.heard(), Vec::<String>::new());
    assert!(!place.files().contains(&"new.cutover".to_owned()));
}

#[test]
fn the_tabletop_reads_no_credential_and_its_session_is_not_for_the_real_world() {
    let (place, proxy) = (Place::new(), Ear::new());
    let planted = token();
    let home = place.dir.path().join("home");
    let line = format!("//{}/:_authToken={planted}\n", cutover::assets::npm_host());
    std::fs::write(home.join(".npmrc"), line).unwrap();
    let command = |arguments: &[&str]| {
        let mut command = behind(&place, &proxy, arguments);
        for name in [
            "GH_TOKEN",
            "GITHUB_TOKEN",
            "GH_ENTERPRISE_TOKEN",
            "NPM_TOKEN",
            "NODE_AUTH_TOKEN",
        ] {
            command.env(name, &planted);
        }
        command
            .env("HTTP_PROXY", proxy.url())
            .env("ALL_PROXY", proxy.url());
        command.env_remove("CUTOVER_NOW");
        command
    };
    let arguments = ["tabletop", "--repos", "3", "--keep", "world.cutover"];
    let ran = run(&place, &arguments, command(&arguments));
    assert_eq!(ran.code, 0, "{}", ran.text());
    assert!(!ran.text().contains(&planted));
    let kept = std::fs::read_to_string(place.path("world.cutover")).unwrap();
    assert!(kept.contains("\"world\":\"tabletop\"") && !kept.contains(&planted));
    for arguments in [
        &["refresh", "world"][..],
        &["watch", "world", "--for", "1s"],
    ] {
        run(&place, arguments, command(arguments)).fails(1, "tabletop organisation", 1);
    }
    assert_eq!(proxy.heard(), Vec::<String>::new());
}

#[test]
fn without_a_credential_no_session_is_made_and_nothing_is_counted() {
    let (place, proxy) = (Place::new(), Ear::new());
    let arguments = ["init", "live", "--org", "acme", "--live"];
    let ran = run(&place, &arguments, behind(&place, &proxy, &arguments));
    ran.fails(
        1,
        "GitHub was not queried, and no session was made: no token",
        1,
    );
    assert_eq!(place.files(), [] as [&str; 0]);
    // With one, and nobody there: the file stays, and says that it holds nothing yet.
    let mut command = behind(&place, &proxy, &arguments);
    command.env("GH_TOKEN", token());
    let ran = run(&place, &arguments, command);
    assert_eq!(ran.code, 1, "{}", ran.text());
    assert!(
        ran.err.contains("without repositories so far"),
        "{}",
        ran.text()
    );
    assert!(!ran.out.contains("0 repositories"), "{}", ran.text());
    assert!(place.path("live.cutover").exists());
}
