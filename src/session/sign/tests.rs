//! How many signatures a start checks, with a stand-in for `ssh-keygen` that counts what it is given.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::model::event::SessionCreated;
use crate::model::policy::Policy;
use crate::session::{Options, create};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// A program that signs everything and finds every signature good; each check adds a line to `checks`.
fn stand_in(folder: &Path) -> Program {
    let bin = folder.join("bin");
    std::fs::create_dir(&bin).unwrap();
    let script = format!(
        "#!/bin/sh\ncase $2 in\nsign)\n  for last; do :; done\n  printf '%s\\n' '-----BEGIN SSH SIGNATURE-----' AAAA \
         '-----END SSH SIGNATURE-----' > \"$last.sig\" ;;\nverify) echo >> '{}' ;;\nesac\n",
        folder.join("checks").display()
    );
    let program = bin.join("ssh-keygen");
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    Program::resolve("ssh-keygen", Some(bin.as_os_str()), &[]).unwrap()
}

#[test]
fn a_start_checks_a_hundred_signatures_and_names_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let program = stand_in(folder.path());
    let now = Ts::parse("2026-11-23T10:00:00Z").unwrap();
    let options = Options {
        state: folder.path().join("state"),
        actor: "rosa".to_owned(),
        device: "desk".to_owned(),
        program: "test".to_owned(),
        read_only: false,
        random: [7; 16],
        now,
    };
    let file = folder.path().join("acme.cutover");
    create(&file, &SessionCreated::default(), &options).unwrap();
    let mut session = Session::open(&file, options.clone()).unwrap();
    let key = format!("ssh-ed25519 {}", "A".repeat(68));
    session.adopt_key("rosa", &key, now).unwrap();
    session.sign_with(Signing {
        ssh_keygen: program.clone(),
        key: folder.path().join("key"),
    });
    let signed = CHECKS_A_START + 3;
    for _ in 0..signed {
        session.adopt_policy(&Policy::default(), now).unwrap();
    }
    drop(session);
    let checks =
        || std::fs::read_to_string(folder.path().join("checks")).map_or(0, |text| text.len());
    let before = checks();
    let mut session = Session::open(&file, options.clone()).unwrap();
    session.verify_with(program.clone());
    session.check_pending(now);
    assert_eq!(checks() - before, 100);
    let open = |session: &Session| {
        let log = session.fold.log.iter();
        log.filter(|entry| entry.signature == Signature::NotChecked)
            .count()
    };
    assert_eq!(open(&session), 3);
    let words = "3 signatures not verified yet, and count as unsigned";
    assert!(
        session.notices.iter().any(|one| one.contains(words)),
        "{:?}",
        session.notices
    );
    session.check_rest(now).unwrap();
    assert_eq!((checks() - before, open(&session)), (signed, 0));
    drop(session);

    // A later start knows them all, and asks nothing again; against another key of hers each is another question.
    let mut session = Session::open(&file, options.clone()).unwrap();
    session.verify_with(program);
    session.check_pending(now);
    assert_eq!((checks() - before, open(&session)), (signed, 0));
    let line = "a line with its signature";
    assert_ne!(proof(line, &key), proof(line, "ssh-ed25519 BBBB"));
}
