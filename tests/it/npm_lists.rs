//! What the real npm command line prints, taken into a session: a stub answers it like npm's registry.
//!
//! Runs the npm of `CUTOVER_NPM_CLI` (a `npm-cli.js`) with `CUTOVER_NPM_NODE`, as `.ci/npm` sets them, else the machine's
//! own. npm runs with its own configuration and cache; nothing of this machine's is read. Without npm the test says so
//! and checks nothing.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stderr
)]

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

/// Answers every connection on a thread of its own until the process ends; gives the address.
fn stub() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let connection = connection.unwrap();
            std::thread::spawn(move || serve(connection));
        }
    });
    address
}

/// Answers the requests of one connection, which npm keeps open.
fn serve(mut connection: TcpStream) {
    let mut reader = BufReader::new(connection.try_clone().unwrap());
    loop {
        let mut request = String::new();
        if reader.read_line(&mut request).unwrap_or(0) == 0 {
            return;
        }
        let mut header = String::new();
        while reader.read_line(&mut header).unwrap_or(0) > 2 {
            header.clear();
        }
        let (status, body) = answer(request.split(' ').nth(1).unwrap_or_default());
        let body = body.to_string();
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        if connection.write_all((head + &body).as_bytes()).is_err() {
            return;
        }
    }
}

/// A key as npm makes them for granular tokens.
fn key(at: u8) -> String {
    format!("{at:02x}f08d71-5c6a-49ee-8d13-42a7fe96c05b")
}

fn answer(path: &str) -> (&'static str, Value) {
    let token = |at: u8, name: &str, created: &str| {
        json!({"key": key(at), "token": "npm_aBcD...wXyZ", "name": name, "created": created, "updated": created,
            "expiry": "2027-01-10T00:00:00.000Z", "accessed": null, "revoked": null, "readonly": false, "bypass_2fa": true,
            "permissions": [{"name": "package", "action": "write"}], "scopes": [{"type": "package", "name": "@acme/ui"}]})
    };
    match path {
        "/-/npm/v1/tokens" => (
            "200 OK",
            json!({"total": 2, "urls": {}, "objects": [
                token(0xb3, "release", "2026-09-11T19:22:41.087Z"),
                token(0xc4, "release", "2026-10-11T19:22:41.087Z"),
            ]}),
        ),
        _ => ("404 Not Found", json!({"error": "not found"})),
    }
}

/// Runs npm in an empty folder of its own; none where there is no npm.
fn npm(home: &Path, registry: &str, arguments: &[&str]) -> Option<Output> {
    let var = |name: &str| std::env::var(name).ok();
    let mut command = match var("CUTOVER_NPM_CLI") {
        Some(cli) => {
            let node = var("CUTOVER_NPM_NODE").unwrap_or_else(|| "node".to_owned());
            let mut command = Command::new(node);
            command.arg(std::path::absolute(cli).unwrap());
            command
        }
        None => Command::new("npm"),
    };
    let host = registry.trim_start_matches("http:");
    let login = format!("{host}:_authToken={}\n", "for-this-run".repeat(2));
    std::fs::write(home.join("npmrc"), login).unwrap();
    command
        .args(arguments)
        .current_dir(home)
        .env("npm_config_userconfig", home.join("npmrc"))
        .env("npm_config_globalconfig", home.join("none"))
        .env("npm_config_cache", home.join("cache"))
        .env("npm_config_registry", registry)
        .env("npm_config_update_notifier", "false")
        .env("npm_config_fetch_retries", "0");
    command.output().ok()
}

fn cutover(home: &Path, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_cutover"))
        .args(arguments)
        .current_dir(home)
        .env("HOME", home)
        .env("CUTOVER_ACTOR", "rosa")
        .env("CUTOVER_NOW", "2026-12-05T10:00:00Z")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code().is_some_and(|code| code < 12), "{said}");
    String::from_utf8(output.stdout).unwrap()
}

fn tokens(home: &Path) -> Vec<Value> {
    let status: Value =
        serde_json::from_str(&cutover(home, &["status", "--format", "json"])).unwrap();
    status["tokens"].as_array().unwrap().clone()
}

#[test]
fn two_tokens_that_npm_lists_are_two_in_the_session() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    let registry = stub();
    let Some(list) = npm(home, &registry, &["token", "list", "--json"]) else {
        eprintln!("skipped: there is no npm on this machine");
        return;
    };
    assert!(
        list.status.success(),
        "{}",
        String::from_utf8_lossy(&list.stderr)
    );
    std::fs::write(home.join("bot.json"), &list.stdout).unwrap();
    cutover(home, &["init", "acme", "--tokens", "bot=bot.json"]);
    let listed = tokens(home);
    assert_eq!(listed.len(), 2, "{}", String::from_utf8_lossy(&list.stdout));
    assert!(listed[0]["name"] != listed[1]["name"], "{listed:?}");

    // The registry's own answer shows the keys: these are the same two tokens.
    let (_, whole) = answer("/-/npm/v1/tokens");
    std::fs::write(home.join("whole.json"), whole.to_string()).unwrap();
    cutover(home, &["import", "--tokens", "bot=whole.json"]);
    let whole = tokens(home);
    assert_eq!(whole.len(), 2);
    for token in whole {
        let known = listed.iter().find(|one| one["id"] == token["id"]).unwrap();
        assert!(
            token["key"] == key(0xb3) || token["key"] == key(0xc4),
            "{token}"
        );
        let start = known["key"].as_str().unwrap();
        assert!(token["key"].as_str().unwrap().starts_with(start), "{token}");
    }
}
