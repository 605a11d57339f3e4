//! Seals and SSH signatures: made and checked by `ssh-keygen -Y` in the namespace `cutover`.
//!
//! Owns no cryptography and no key: the program is given by who resolved it, the key by its path. Nothing here may
//! prompt on the terminal, and no key is ever read by this process.

use super::chain::{HeadSeen, heads_of};
use super::error::{Error, SignError};
use super::merge::{Part, Sealed};
use crate::safe::process::{Program, Surroundings};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What a signature is for: one made for anything else does not verify.
const NAMESPACE: &str = "cutover";
/// A key on a token may wait for a touch.
const TOUCH: Duration = Duration::from_secs(60);
const BEGIN: &str = "-----BEGIN SSH SIGNATURE-----";
const END: &str = "-----END SSH SIGNATURE-----";

/// Signs bytes with a key. A public key's path works too if ssh-agent holds the private one.
///
/// Returns the base64 body of the signature in one line.
///
/// # Errors
/// The key cannot be used without a question, or `ssh-keygen` fails.
pub fn sign_bytes(ssh_keygen: &Program, key: &Path, bytes: &[u8]) -> Result<String, SignError> {
    let folder = tempfile::tempdir()?;
    let text = folder.path().join("line");
    std::fs::write(&text, bytes)?;
    let key = std::path::absolute(key)?;
    let arguments: [&OsStr; 8] = [
        "-Y".as_ref(),
        "sign".as_ref(),
        "-q".as_ref(),
        "-n".as_ref(),
        NAMESPACE.as_ref(),
        "-f".as_ref(),
        key.as_ref(),
        text.as_ref(),
    ];
    let no_questions = no_questions();
    let around = Surroundings {
        pass: &["SSH_AUTH_SOCK"],
        set: &[
            ("SSH_ASKPASS_REQUIRE", "force".as_ref()),
            ("SSH_ASKPASS", no_questions.as_ref()),
        ],
        limit: TOUCH,
        ..Surroundings::new(folder.path())
    };
    let output = ssh_keygen.run(arguments, &around)?;
    if !output.status.success() {
        let said = crate::safe::shown::visible_bytes(output.err.trim_ascii());
        return Err(SignError::Refused {
            key: super::error::shown(&key),
            said,
        });
    }
    let armoured = std::fs::read_to_string(folder.path().join("line.sig"))?;
    let body = armoured
        .trim()
        .strip_prefix(BEGIN)
        .and_then(|text| text.strip_suffix(END))
        .ok_or(SignError::NoSignature)?;
    Ok(body.split_ascii_whitespace().collect())
}

/// True if `sig` is the signature of `principal` over these bytes, by a key that `signers` allows.
///
/// # Errors
/// `ssh-keygen` could not be asked. A wrong signature is `false`.
pub fn verify_bytes(
    ssh_keygen: &Program,
    signers: &str,
    principal: &str,
    bytes: &[u8],
    sig: &str,
) -> Result<bool, SignError> {
    plain_principal(principal)?;
    let folder = tempfile::tempdir()?;
    let at = |name: &str| -> PathBuf { folder.path().join(name) };
    std::fs::write(at("signers"), signers)?;
    std::fs::write(at("line"), bytes)?;
    std::fs::write(at("line.sig"), armour(sig))?;
    let (list, signature) = (at("signers"), at("line.sig"));
    let arguments: [&OsStr; 10] = [
        "-Y".as_ref(),
        "verify".as_ref(),
        "-f".as_ref(),
        list.as_ref(),
        "-I".as_ref(),
        principal.as_ref(),
        "-n".as_ref(),
        NAMESPACE.as_ref(),
        "-s".as_ref(),
        signature.as_ref(),
    ];
    let input = File::open(at("line"))?;
    let around = Surroundings {
        input: Some(&input),
        ..Surroundings::new(folder.path())
    };
    Ok(ssh_keygen.run(arguments, &around)?.status.success())
}

/// One line of a list of signers: this person may sign with this key, for `cutover` only.
///
/// # Errors
/// A name that would mean more than one person, or text that is no public key.
pub fn signer(principal: &str, public_key: &str) -> Result<String, SignError> {
    plain_principal(principal)?;
    let mut words = public_key.split_ascii_whitespace();
    let (Some(algorithm), Some(key)) = (words.next(), words.next()) else {
        return Err(SignError::Signer(
            "a public key has two words: its algorithm and its base64 text",
        ));
    };
    let named = ["ssh-", "ecdsa-", "sk-ssh-", "sk-ecdsa-"]
        .iter()
        .any(|start| algorithm.starts_with(start));
    let word = |text: &str, more: &[u8]| {
        text.bytes()
            .all(|b| b.is_ascii_alphanumeric() || more.contains(&b))
    };
    if !named || !word(algorithm, b"-@.") || !word(key, b"+/=") {
        return Err(SignError::Signer(
            "a public key begins with its algorithm, such as ssh-ed25519",
        ));
    }
    Ok(format!(
        "{principal} namespaces=\"{NAMESPACE}\" {algorithm} {key}\n"
    ))
}

/// A principal stands for itself: no pattern, no list, no quote.
fn plain_principal(principal: &str) -> Result<(), SignError> {
    let odd = |c: char| c.is_whitespace() || c.is_control() || "*?!,\"'#\\".contains(c);
    if principal.is_empty() || principal.starts_with('-') || principal.chars().any(odd) {
        return Err(SignError::Signer(
            "a name must be one word without * ? ! , # quotes and backslashes",
        ));
    }
    Ok(())
}

fn armour(sig: &str) -> String {
    let mut text = format!("{BEGIN}\n");
    for row in sig.as_bytes().chunks(70) {
        text.extend(row.iter().map(|b| char::from(*b)));
        text.push('\n');
    }
    text + END + "\n"
}

/// A program that is not there: asking for a passphrase fails at once, and never on our screen.
fn no_questions() -> OsString {
    OsString::from("/nonexistent/cutover-never-asks")
}

/// The `data` of a `sealed` event over everything that a file holds.
///
/// # Errors
/// The file cannot be read any more.
pub fn seal_data(part: &Part<'_>) -> Result<String, Error> {
    let heads = part.report.chains.heads_data();
    let Sealed { digest, events } = part.digest(&heads_of(&heads))?;
    let heads = heads.trim_start_matches('{');
    Ok(format!(
        "{{\"digest\":\"{digest}\",\"events\":{events},{heads}"
    ))
}

/// What became of a seal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SealState {
    /// Every sealed line is there, unchanged.
    Holds,
    /// Sealed lines are missing or replaced: the heads that are not found.
    Broken(Vec<HeadSeen>),
    /// The heads are there and the digest is another one.
    Differs,
    /// The event is no seal that this program reads.
    Unreadable,
}

/// Checks the `data` of a `sealed` event against the file it stands in.
///
/// # Errors
/// The file cannot be read any more.
pub fn check_seal(part: &Part<'_>, data: &str) -> Result<SealState, Error> {
    #[derive(serde::Deserialize)]
    struct Stated {
        digest: String,
        events: u64,
    }
    let heads = heads_of(data);
    let Ok(stated) = serde_json::from_str::<Stated>(data) else {
        return Ok(SealState::Unreadable);
    };
    if heads.is_empty() {
        return Ok(SealState::Unreadable);
    }
    let known = |head: &HeadSeen| {
        part.report
            .chains
            .get(head.id.writer)
            .and_then(|chain| chain.short(head.id.seq))
    };
    let gone: Vec<HeadSeen> = heads
        .iter()
        .filter(|head| known(head) != Some(head.hash.short()))
        .copied()
        .collect();
    if !gone.is_empty() {
        return Ok(SealState::Broken(gone));
    }
    let found = part.digest(&heads)?;
    let same = found
        == Sealed {
            digest: stated.digest,
            events: stated.events,
        };
    Ok(if same {
        SealState::Holds
    } else {
        SealState::Differs
    })
}

#[cfg(test)]
mod tests;
