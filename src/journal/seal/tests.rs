//! Signatures by the real `ssh-keygen`, in a folder of their own.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stderr
)]

use super::*;
use crate::journal::merge::tests::{Shuffle, part};
use std::fs;

fn ssh_keygen() -> Option<Program> {
    let found = Program::resolve("ssh-keygen", std::env::var_os("PATH").as_deref(), &[]).ok();
    if found.is_none() {
        eprintln!("skipped: ssh-keygen is not installed");
    }
    found
}

fn make_key(program: &Program, path: &Path, passphrase: &str) -> String {
    let around = Surroundings::new(path.parent().unwrap());
    let arguments = [
        "-q",
        "-t",
        "ed25519",
        "-N",
        passphrase,
        "-C",
        "test",
        "-f",
        path.to_str().unwrap(),
    ];
    assert!(program.run(arguments, &around).unwrap().status.success());
    fs::read_to_string(path.with_extension("pub")).unwrap()
}

#[test]
fn a_signature_holds_for_its_person_bytes_and_key_only() {
    let Some(program) = ssh_keygen() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (rosa, ken) = (folder.path().join("rosa"), folder.path().join("ken"));
    let (rosa_key, ken_key) = (make_key(&program, &rosa, ""), make_key(&program, &ken, ""));
    let signers = signer("rosa", &rosa_key).unwrap() + &signer("ken", &ken_key).unwrap();
    let bytes = b"{\"v\":1,\"writer\":\"w\"";
    let sig = sign_bytes(&program, &rosa, bytes).unwrap();
    assert!(!sig.contains(char::is_whitespace) && sig.len() > 100);
    let check = |signers: &str, who: &str, bytes: &[u8], sig: &str| {
        verify_bytes(&program, signers, who, bytes, sig).unwrap()
    };
    assert!(check(&signers, "rosa", bytes, &sig));
    assert!(!check(&signers, "ken", bytes, &sig));
    assert!(!check(&signers, "nobody", bytes, &sig));
    assert!(!check(&signers, "rosa", b"{\"v\":1,\"writer\":\"x\"", &sig));
    assert!(!check(
        &signers,
        "rosa",
        bytes,
        &sig_with_another_last_byte(&sig)
    ));
    assert!(!check(
        &signer("rosa", &ken_key).unwrap(),
        "rosa",
        bytes,
        &sig
    ));
    assert!(!check("", "rosa", bytes, &sig));
    assert!(!check(&signers, "rosa", bytes, ""));
    // Made for another purpose.
    let text = folder.path().join("text");
    fs::write(&text, bytes).unwrap();
    let around = Surroundings::new(folder.path());
    let arguments = [
        "-Y",
        "sign",
        "-n",
        "git",
        "-f",
        rosa.to_str().unwrap(),
        text.to_str().unwrap(),
    ];
    assert!(program.run(arguments, &around).unwrap().status.success());
    let other = fs::read_to_string(folder.path().join("text.sig")).unwrap();
    let other: String = other
        .lines()
        .filter(|line| !line.starts_with("--"))
        .collect();
    assert!(!check(&signers, "rosa", bytes, &other));
}

fn sig_with_another_last_byte(sig: &str) -> String {
    let mut bytes = data_encoding::BASE64.decode(sig.as_bytes()).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    data_encoding::BASE64.encode(&bytes)
}

#[test]
fn a_locked_key_is_refused_without_a_question() {
    let Some(program) = ssh_keygen() else { return };
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("locked");
    make_key(&program, &key, "a passphrase");
    let error = sign_bytes(&program, &key, b"text").unwrap_err();
    assert!(matches!(error, SignError::Refused { .. }), "{error}");
    assert!(error.to_string().contains("ssh-agent"), "{error}");
    assert!(matches!(
        sign_bytes(&program, &folder.path().join("none"), b"text"),
        Err(SignError::Refused { .. })
    ));
}

#[test]
fn a_signer_is_one_person_with_one_key() {
    let key = "ssh-ed25519 AAAAC3Nz comment";
    assert_eq!(
        signer("rosa@acme", key).unwrap(),
        "rosa@acme namespaces=\"cutover\" ssh-ed25519 AAAAC3Nz\n"
    );
    for who in [
        "", "*", "a,b", "a b", "a\nb", "!rosa", "-n", "a\"b", "#rosa",
    ] {
        assert!(signer(who, key).is_err(), "{who}");
    }
    for key in [
        "",
        "ssh-ed25519",
        "cert-authority ssh-ed25519",
        "ssh-ed25519 AAAA\"",
        "namespaces=\"git\" ssh-ed25519",
    ] {
        assert!(signer("rosa", key).is_err(), "{key}");
    }
}

#[test]
fn a_seal_holds_whatever_is_added_and_breaks_when_lines_go() {
    let mut room = Shuffle::new(3, 40);
    let sealed = part(&room.all());
    let data = seal_data(&sealed).unwrap();
    assert_eq!(check_seal(&sealed, &data).unwrap(), SealState::Holds);
    room.add(1, "sealed", &data);
    room.add(2, "note_added", "{}");
    assert_eq!(
        check_seal(&part(&room.all()), &data).unwrap(),
        SealState::Holds
    );
    let without_last = part(&room.prefix(30));
    assert!(
        matches!(check_seal(&without_last, &data).unwrap(), SealState::Broken(gone) if !gone.is_empty())
    );
    let digest = &data[11..75];
    let other = data.replace(digest, &"0".repeat(64));
    assert_eq!(check_seal(&sealed, &other).unwrap(), SealState::Differs);
    assert_eq!(
        check_seal(&sealed, "{\"digest\":\"\"}").unwrap(),
        SealState::Unreadable
    );
}
