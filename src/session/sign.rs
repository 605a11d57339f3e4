//! Signatures of a session: who signs which events, and checking them against the roster after opening.
//!
//! The cryptography is `ssh-keygen`'s. Hash chains find accidents and edits by third parties; signatures find liars
//! without the key. Unsigned work is allowed and shown as unsigned.

use super::decide::DraftEvent;
use super::fold::Signature;
use super::{Error, Session};
use crate::journal::SignError;
use crate::journal::seal::{sign_bytes, signer, verify_bytes};
use crate::journal::{self, Draft, Journal, Line, Written};
use crate::model::decision::EventId;
use crate::model::event::{PersonKeyAdopted, Prose, spec};
use crate::model::id::Subject;
use crate::model::time::Ts;
use crate::safe::process::Program;
use crate::safe::shown::counted;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Signatures that a start checks at most: each is a process of its own, and lines may come from strangers.
const CHECKS_A_START: usize = 100;

/// Where this device keeps which signatures it found good and which not.
const VERDICTS: &str = "signatures";
/// Most bytes of that: some ten thousand verdicts.
const VERDICTS_CAP: u64 = 1024 * 1024;
const NOT_BY_KEY: &str = "the signature is not by this person's key";

/// Names one check: the line with its signature, and the roster's key that it was held against.
fn proof(line: &str, key: &str) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(format!("{key}\n{line}").as_bytes()))
}

/// Tells whether a line is signed by a person's key.
fn is_signed(ssh_keygen: &Program, login: &str, key: &str, text: &str) -> Result<bool, SignError> {
    let line = Line::parse(text.as_bytes()).map_err(|_broken| SignError::NoSignature)?;
    let (bytes, sig) = (line.signed_bytes(), line.sig.unwrap_or_default());
    verify_bytes(ssh_keygen, &signer(login, key)?, login, bytes, sig)
}

/// The key that this device signs with. It is named, never read.
#[derive(Debug, Clone)]
pub struct Signing {
    pub ssh_keygen: Program,
    pub key: PathBuf,
}

impl Signing {
    /// Appends events in their order, signed where their kind is.
    pub(super) fn append(
        &self,
        journal: &mut Journal,
        drafts: &[Draft<'_>],
    ) -> Result<Vec<Written>, journal::Error> {
        let is_signed = |draft: &Draft<'_>| spec(draft.kind).is_some_and(|spec| spec.signed);
        let mut written = Vec::new();
        for group in drafts.chunk_by(|a, b| !is_signed(a) && !is_signed(b)) {
            match group {
                [one] if is_signed(one) => {
                    written.push(journal.append_signed(one, &|bytes| {
                        sign_bytes(&self.ssh_keygen, &self.key, bytes)
                    })?)
                }
                many => written.extend(journal.append(many)?),
            }
        }
        Ok(written)
    }
}

/// What checking the signatures found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checked {
    pub good: usize,
    /// Events whose signature is wrong, or by nobody whom the roster knows: event and reason.
    pub bad: Vec<(EventId, &'static str)>,
    /// Signatures that were left for another time.
    pub left: usize,
    /// Repositories whose rows changed.
    pub changed: Vec<Subject>,
}

impl Session {
    /// Signs from now on what is to be signed.
    pub fn sign_with(&mut self, signing: Signing) {
        self.signing = Some(signing);
    }

    /// Checks signatures with this program from now on, when asked to.
    pub fn verify_with(&mut self, ssh_keygen: Program) {
        self.verifier = Some(ssh_keygen);
    }

    /// Checks what was not checked yet, if a program to do so is known. Gives the repositories whose rows changed.
    pub fn check_pending(&mut self, now: Ts) -> Vec<Subject> {
        let pending = self
            .fold
            .log
            .iter()
            .any(|entry| entry.signature == Signature::NotChecked);
        let Some(program) = self.verifier.clone().filter(|_| pending) else {
            return Vec::new();
        };
        match self.check_some(&program, Some(CHECKS_A_START), now) {
            Ok(checked) => {
                if checked.left > 0 {
                    self.notices.push(format!(
                        "{} not verified yet, and count as unsigned: `cutover log verify` checks all",
                        counted(checked.left, "signature")
                    ));
                }
                if !checked.bad.is_empty() {
                    self.notices.push(format!(
                        "{} not good: see `cutover log verify`",
                        counted(checked.bad.len(), "signature")
                    ));
                }
                checked.changed
            }
            Err(error) => {
                self.notices
                    .push(format!("signatures could not be checked: {error}"));
                Vec::new()
            }
        }
    }

    /// Adopts a person's public key into the roster. The first is the founder's own and may be unsigned.
    ///
    /// # Errors
    /// The text is no public key, or the roster has a key and this is not signed.
    pub fn adopt_key(&mut self, login: &str, public_key: &str, now: Ts) -> Result<(), Error> {
        signer(login, public_key).map_err(journal::Error::from)?;
        if !self.fold.has_roster() {
            self.is_founder()?;
        }
        let words: Vec<&str> = public_key.split_ascii_whitespace().take(2).collect();
        let adopted = PersonKeyAdopted {
            person: Prose::from(login.to_owned()),
            key: words.join(" ").into(),
        };
        self.append(&[DraftEvent::plain(Subject::person(login), adopted)], now)?;
        Ok(())
    }

    /// Checks every signature that was not checked yet, in the order of the ticks, so that the roster grows as it did.
    ///
    /// # Errors
    /// `ssh-keygen` could not be asked, or the file could not be read back.
    pub fn check_signatures(
        &mut self,
        ssh_keygen: &Program,
        now: Ts,
    ) -> Result<Checked, SignError> {
        self.check_some(ssh_keygen, None, now)
    }

    /// Checks every signature that was not checked yet, if a program to do so is known.
    ///
    /// # Errors
    /// `ssh-keygen` could not be asked, or the file could not be read back.
    pub fn check_rest(&mut self, now: Ts) -> Result<(), SignError> {
        if let Some(program) = self.verifier.clone() {
            self.check_signatures(&program, now)?;
        }
        Ok(())
    }

    /// Checks as many signatures as are allowed, in their order; without a limit each anew, whatever this device found
    /// before. What comes after those is left, even where the roster seems to lack the key: a line that was left may
    /// bring it.
    fn check_some(
        &mut self,
        ssh_keygen: &Program,
        most: Option<usize>,
        now: Ts,
    ) -> Result<Checked, SignError> {
        let mut checked = Checked::default();
        let kept = self.recall(VERDICTS, VERDICTS_CAP);
        let mut verdicts: BTreeMap<String, bool> = kept
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default();
        let mut asked = 0;
        let mut open: Vec<_> = self
            .fold
            .log
            .iter()
            .filter(|entry| entry.signature == Signature::NotChecked)
            .copied()
            .collect();
        open.sort_by_key(|entry| (entry.tick, entry.id));
        for entry in open {
            let spent = most.is_some_and(|most| asked >= most);
            let good = match self.roster_key(entry.id) {
                None if spent => None,
                None => Some(Err("the roster has no key of this person")),
                Some((login, key)) => {
                    let text = self.text(&entry)?;
                    let proof = proof(&text, &key);
                    let before = verdicts.get(&proof).copied().filter(|_| most.is_some());
                    let by_key = match before {
                        None if spent => None,
                        None => {
                            asked += 1;
                            let good = is_signed(ssh_keygen, &login, &key, &text)?;
                            verdicts.insert(proof, good);
                            Some(good)
                        }
                        known => known,
                    };
                    by_key.map(|good| good.then_some(()).ok_or(NOT_BY_KEY))
                }
            };
            let Some(good) = good else {
                checked.left += 1;
                continue;
            };
            self.fold.checked(entry.id, good.is_ok());
            match good {
                Ok(()) => checked.good += 1,
                Err(reason) => checked.bad.push((entry.id, reason)),
            }
        }
        if asked > 0
            && let Ok(bytes) = serde_json::to_vec(&verdicts)
        {
            // What cannot be kept is only checked once more.
            let _checked_again = self.remember(VERDICTS, &bytes);
        }
        let touched = self.fold.settle();
        checked.changed = self.board.update(&self.fold.facts, &touched, now);
        Ok(checked)
    }

    /// Tells whether what this device signs can be verified: its key is the one that the roster has for the actor.
    ///
    /// # Errors
    /// It is another, or the roster has none; or `ssh-keygen` could not be asked.
    pub(super) fn may_sign(&mut self) -> Result<(), Error> {
        let Some(signing) = &self.signing else {
            return Ok(());
        };
        let login = self.options.actor.as_str();
        let row = self.facts().persons.get(&Subject::person(login));
        let refused = || Error::NotOnRoster(login.to_owned());
        let key = row.and_then(|row| row.key.as_deref()).ok_or_else(refused)?;
        if self.signs_for.as_deref() == Some(key) {
            return Ok(());
        }
        let signers = signer(login, key)?;
        let probe = b"cutover";
        let sig = sign_bytes(&signing.ssh_keygen, &signing.key, probe)?;
        match verify_bytes(&signing.ssh_keygen, &signers, login, probe, &sig)? {
            true => {
                self.signs_for = Some(key.into());
                Ok(())
            }
            false => Err(refused()),
        }
    }

    /// The first key of a roster has no other to vouch for it: only the founder's word counts, from the founding device,
    /// since a name is a label that anybody can give.
    fn is_founder(&self) -> Result<(), Error> {
        let own = self.journal.as_ref().map(|journal| journal.writer());
        match self.fold.writers.first() {
            Some(founder) if own != Some(founder.id) || *founder.person != *self.options.actor => {
                Err(Error::NotFounder(founder.person.to_string()))
            }
            _ => Ok(()),
        }
    }

    fn roster_key(&self, event: EventId) -> Option<(String, String)> {
        let login = &self.fold.writers.get(usize::from(event.writer))?.person;
        let key = self
            .facts()
            .persons
            .get(&Subject::person(login))?
            .key
            .as_ref()?;
        Some((login.to_string(), key.to_string()))
    }
}

#[cfg(all(test, unix))]
mod tests;
