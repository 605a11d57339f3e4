//! Signatures of a session: who signs which events, and checking them against the roster after opening.
//!
//! The cryptography is `ssh-keygen`'s. Hash chains find accidents and edits by third parties; signatures find liars
//! without the key. Unsigned work is allowed and shown as unsigned.

use super::fold::Signature;
use super::{Error, Session};
use crate::journal::seal::{SignError, sign_bytes, signer, verify_bytes};
use crate::journal::{self, Draft, Journal, Line, Written};
use crate::model::decision::EventId;
use crate::model::event::spec;
use crate::model::id::Subject;
use crate::model::time::Ts;
use crate::safe::process::Program;
use crate::safe::shown::counted;
use serde_json::json;
use std::path::PathBuf;

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
        match self.check_signatures(&program, now) {
            Ok(checked) => {
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
        let words: Vec<&str> = public_key.split_ascii_whitespace().take(2).collect();
        let data = json!({ "person": login, "key": words.join(" ") });
        let about = Subject::person(login);
        self.append(
            &[super::decide::Drafted {
                kind: "person_key_adopted",
                about,
                crit: true,
                over: Vec::new(),
                data,
            }],
            now,
        )?;
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
        let mut checked = Checked::default();
        let mut open: Vec<_> = self
            .fold
            .log
            .iter()
            .filter(|entry| entry.signature == Signature::NotChecked)
            .copied()
            .collect();
        open.sort_by_key(|entry| (entry.tick, entry.id));
        for entry in open {
            let good = match self.roster_key(entry.id) {
                None => Err("the roster has no key of this person"),
                Some((login, key)) => {
                    let text = self.text(&entry)?;
                    let line =
                        Line::parse(text.as_bytes()).map_err(|_broken| SignError::NoSignature)?;
                    let signers = signer(&login, &key)?;
                    match verify_bytes(
                        ssh_keygen,
                        &signers,
                        &login,
                        line.signed_bytes(),
                        line.sig.unwrap_or_default(),
                    )? {
                        true => Ok(()),
                        false => Err("the signature is not by this person's key"),
                    }
                }
            };
            self.fold.checked(entry.id, good.is_ok());
            match good {
                Ok(()) => checked.good += 1,
                Err(reason) => checked.bad.push((entry.id, reason)),
            }
        }
        let touched = self.fold.settle();
        checked.changed = self.board.update(&self.fold.facts, &touched, now);
        Ok(checked)
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
