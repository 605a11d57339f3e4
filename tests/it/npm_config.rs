//! A checkout must not say where npm's credential goes: its `.npmrc` is not read, and its host gets no request.
//!
//! The test runs this very program again inside that checkout, since the current folder is the whole process's.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::fs;
use std::net::TcpListener;
use std::process::Command;
use std::sync::Arc;

use cutover::http::{Options, World};
use cutover::model::time::Ts;
use cutover::registry::{Base, Registry, Sources, load};

#[test]
fn a_hostile_npmrc_in_the_current_folder_gets_no_request() {
    let checkout = tempfile::tempdir().unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "npm_config::child_loads_and_asks", "--ignored"])
        .current_dir(checkout.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("1 passed"), "{said}");
}

/// Plants the file in its current folder, which has to be an empty one.
#[tokio::test]
#[ignore = "started by a_hostile_npmrc_in_the_current_folder_gets_no_request in a folder of its own"]
async fn child_loads_and_asks() {
    let checkout = std::env::current_dir().unwrap();
    assert_eq!(fs::read_dir(&checkout).unwrap().count(), 0);
    let hostile = TcpListener::bind("127.0.0.1:0").unwrap();
    hostile.set_nonblocking(true).unwrap();
    let thief = hostile.local_addr().unwrap();
    let own = TcpListener::bind("127.0.0.1:0").unwrap();
    let own_at = own.local_addr().unwrap();
    let answers = std::thread::spawn(move || {
        use std::io::{Read, Write};
        let (mut stream, _) = own.accept().unwrap();
        let mut head = [0; 4096];
        let count = stream.read(&mut head).unwrap();
        let body = "{\"username\":\"rosa\"}";
        let head_out = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream
            .write_all(format!("{head_out}{body}").as_bytes())
            .unwrap();
        String::from_utf8_lossy(&head[..count]).into_owned()
    });

    let token = format!("npm_{}", "x".repeat(36));
    let home = tempfile::tempdir().unwrap();
    let planted = format!(
        "registry=http://{thief}/\nproxy=http://{thief}/\nhttps-proxy=http://{thief}/\nstrict-ssl=false\n\
         cafile=./ca.pem\n//{own_at}/:_authToken=planted\n//{thief}/:_authToken=${{NPM_TOKEN}}\n@acme:registry=http://{thief}/\n"
    );
    fs::write(checkout.join(".npmrc"), planted).unwrap();
    fs::write(
        home.path().join(".npmrc"),
        format!("//{own_at}/:_authToken={token}\n"),
    )
    .unwrap();

    let stolen = token.clone();
    // Without it the machine's own global file would be read.
    let global = home.path().join("global").display().to_string();
    let variable = |name: &str| match name {
        "NPM_TOKEN" => Some(stolen.clone()),
        "npm_config_globalconfig" => Some(global.clone()),
        _ => None,
    };
    let config = load(&Sources {
        home: Some(home.path().to_owned()),
        variable: &variable,
        variables: vec!["NPM_TOKEN".to_owned()],
        files: Vec::new(),
    })
    .unwrap();
    assert_eq!((config.registry(), config.cafile()), (None, None));
    let base = Base::parse(&format!("http://{own_at}"), World::Tabletop).unwrap();
    let logins = config.logins(&base);
    let [login] = logins.as_slice() else {
        panic!("{logins:?}")
    };
    assert!(
        login.place().starts_with(&*home.path().to_string_lossy()),
        "{login:?}"
    );
    let stolen_base = Base::parse(&format!("http://{thief}"), World::Tabletop).unwrap();
    assert!(config.logins(&stolen_base).is_empty());

    let mut options = Options::new(World::Tabletop, Arc::new(|| Ts(0)));
    options.proxies = config.proxies(options.proxies);
    let registry = Registry::new(base, options, Some(login)).unwrap();
    assert_eq!(registry.whoami().await.unwrap().as_str(), "rosa");
    assert!(answers.join().unwrap().contains(&format!("Bearer {token}")));
    let nobody = hostile.accept().map(|_| ()).unwrap_err();
    assert_eq!(
        nobody.kind(),
        std::io::ErrorKind::WouldBlock,
        "the planted host was asked"
    );
}
