//! What the console sends to the engine, and the answers that come back. Nothing here keeps the keys waiting.

use std::io::Read;
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::sync::{mpsc, oneshot};

use super::decided;
use super::update::Message;
use crate::engine::{Command, Refused};
use crate::model::event::EvidenceForm;
use crate::safe::browser::{Browser, BrowserError};
use crate::safe::secret::Secret;
use crate::session::decide::{Action, NoteAction};

/// Answers that can wait.
const ANSWERS: usize = 16;
/// How long leaving waits for decisions under way.
const PATIENCE: Duration = Duration::from_secs(30);
/// Largest file whose digest is taken, in bytes.
const LARGEST: u64 = 256 << 20;

/// The console's end of the two channels.
pub(super) struct Outbox {
    commands: mpsc::Sender<Command>,
    sender: mpsc::Sender<Message>,
    answers: mpsc::Receiver<Message>,
    under_way: usize,
    browser: Option<Browser>,
}

impl Outbox {
    pub(super) fn new(commands: mpsc::Sender<Command>, browser: Option<Browser>) -> Self {
        let (sender, answers) = mpsc::channel(ANSWERS);
        Self {
            commands,
            sender,
            answers,
            under_way: 0,
            browser,
        }
    }

    /// Sends a batch of decisions. The answer comes by its request's number.
    pub(super) fn decide(&mut self, request: u64, actions: Vec<Action>) {
        self.under_way += 1;
        let (commands, answers) = (self.commands.clone(), self.sender.clone());
        tokio::spawn(async move {
            let result = decide(&commands, actions).await;
            let _ = answers.send(Message::Answer { request, result }).await;
        });
    }

    /// Opens a page in the browser; how that went comes as a message.
    pub(super) fn browse(&self, address: String) {
        let (browser, answers) = (self.browser.clone(), self.sender.clone());
        // A thread of its own: leaving does not wait for a browser.
        std::thread::spawn(move || {
            let opened = browser
                .ok_or(BrowserError::NotFound)
                .and_then(|browser| browser.open(&address));
            let result = opened.map_err(|error| error.to_string());
            let _ = answers.blocking_send(Message::Browsed { address, result });
        });
    }

    /// Opens the page of a second factor. Its address is in no message.
    pub(super) fn visit(&self, address: Secret) {
        let (browser, answers) = (self.browser.clone(), self.sender.clone());
        std::thread::spawn(move || {
            let opened = browser
                .ok_or(BrowserError::NotFound)
                .and_then(|browser| browser.open(address.expose()));
            let result = opened.map_err(|error| error.to_string());
            let _ = answers.blocking_send(Message::Visited(result));
        });
    }

    /// Asks the engine for something that it answers with pictures.
    pub(super) fn tell(&self, command: Command) {
        let commands = self.commands.clone();
        tokio::spawn(async move {
            // Nobody listens only after the engine has ended, and that is shown.
            let _ = commands.send(command).await;
        });
    }

    /// Waits for an answer; never ends where none is due.
    pub(super) async fn answer(&mut self) -> Message {
        match self.answers.recv().await {
            Some(answer) => {
                if matches!(answer, Message::Answer { .. }) {
                    self.under_way = self.under_way.saturating_sub(1);
                }
                answer
            }
            None => std::future::pending().await,
        }
    }

    /// Waits until what was sent has been answered.
    pub(super) async fn finish(&mut self) {
        let all = async {
            while self.under_way > 0 {
                let _ = self.answer().await;
            }
        };
        let _ = tokio::time::timeout(PATIENCE, all).await;
    }
}

async fn decide(commands: &mpsc::Sender<Command>, actions: Vec<Action>) -> Result<String, String> {
    const ENDED: &str = "the session's thread has ended; nothing was written";
    let mut ready = Vec::with_capacity(actions.len());
    for action in actions {
        ready.push(with_digest(action).await?);
    }
    let actions = ready;
    let (answer, answered) = oneshot::channel();
    let sent = commands.send(Command::Decide { actions, answer }).await;
    if sent.is_err() {
        return Err(ENDED.to_owned());
    }
    match answered.await {
        Ok(Ok(decided)) => Ok(decided::words(&decided)),
        Ok(Err(Refused { what, hint })) => {
            Err(hint.map_or_else(|| what.clone(), |hint| format!("{what}; {hint}")))
        }
        Err(_) => Err(ENDED.to_owned()),
    }
}

/// Takes the digest of a file that is evidence: its name and digest are kept, its bytes stay where they are.
async fn with_digest(action: Action) -> Result<Action, String> {
    let Action::Note(NoteAction::AddEvidence {
        about,
        form: EvidenceForm::File,
        what: path,
        ..
    }) = action
    else {
        return Ok(action);
    };
    let shown = crate::safe::shown::visible(&path).into_owned();
    let name = std::path::Path::new(&path)
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    let read = tokio::task::spawn_blocking(move || digest(&path)).await;
    let (digest, bytes) = read
        .map_err(|error| format!("{shown} cannot be read: {error}"))?
        .map_err(|why| format!("{shown} cannot be read: {why}"))?;
    Ok(NoteAction::AddEvidence {
        about,
        form: EvidenceForm::File,
        what: name.unwrap_or(shown),
        digest: Some(digest),
        bytes: Some(bytes),
    }
    .into())
}

fn digest(path: &str) -> Result<(String, u64), String> {
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    let kind = file.metadata().map_err(|error| error.to_string())?;
    if !kind.is_file() {
        return Err("it is not a regular file".to_owned());
    }
    let mut hash = Sha256::new();
    let mut bytes = 0;
    let mut chunk = vec![0; 1 << 16];
    let mut file = file.take(LARGEST + 1);
    loop {
        let read = file.read(&mut chunk).map_err(|error| error.to_string())?;
        if read == 0 {
            return Ok((data_encoding::HEXLOWER.encode(&hash.finalize()), bytes));
        }
        bytes += read as u64;
        if bytes > LARGEST {
            return Err(format!("it is larger than {} MiB", LARGEST >> 20));
        }
        hash.update(chunk.get(..read).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
    use super::*;
    use crate::model::event::Note;
    use crate::model::id::Subject;
    use crate::session::decide::{Decided, Written};

    fn note() -> Action {
        NoteAction::Add {
            about: Subject::SESSION,
            text: "x".to_owned(),
        }
        .into()
    }

    fn written(about: Subject) -> Written {
        let text = "x".into();
        Written {
            id: crate::journal::EventId {
                writer: crate::journal::WriterId::from_random([7; 8]),
                seq: 1,
            },
            about,
            label: "the session".to_owned(),
            event: Note { text }.into(),
        }
    }

    /// An engine that takes batches of up to so many decisions, and refuses larger ones.
    fn engine(good: usize) -> mpsc::Sender<Command> {
        let (sender, mut receiver) = mpsc::channel(4);
        tokio::spawn(async move {
            while let Some(command) = receiver.recv().await {
                if let Command::Decide { actions, answer } = command {
                    let refused = Refused {
                        what: "no".to_owned(),
                        hint: Some("do that".to_owned()),
                    };
                    let events = actions.iter().map(|_| written(Subject::SESSION)).collect();
                    let changed = Vec::new();
                    let decided = Decided { events, changed };
                    let taken = (actions.len() <= good).then_some(decided);
                    let _ = answer.send(taken.ok_or(refused));
                }
            }
        });
        sender
    }

    #[tokio::test]
    async fn a_batch_is_written_or_refused_as_one() {
        let one = decide(&engine(3), vec![note()]).await;
        assert_eq!(one.unwrap(), "written: note added");
        let three = decide(&engine(3), vec![note(), note(), note()]).await;
        assert_eq!(
            three.unwrap(),
            "written: note added 3 times; press u to undo all"
        );
        let refused = decide(&engine(1), vec![note(), note(), note()]).await;
        assert_eq!(refused.unwrap_err(), "no; do that");
    }

    #[tokio::test]
    async fn an_ended_engine_is_said() {
        let (sender, receiver) = mpsc::channel(1);
        drop(receiver);
        assert!(
            decide(&sender, vec![note()])
                .await
                .unwrap_err()
                .contains("has ended")
        );
    }

    #[tokio::test]
    async fn leaving_waits_for_what_is_under_way() {
        let mut outbox = Outbox::new(engine(9), None);
        outbox.decide(1, vec![note(), note()]);
        outbox.finish().await;
        assert_eq!(outbox.under_way, 0);
    }

    #[test]
    fn the_digest_is_that_of_the_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("proof.txt");
        std::fs::write(&path, "abc").unwrap();
        let (digest, bytes) = digest(path.to_str().unwrap()).unwrap();
        assert_eq!(
            digest,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(bytes, 3);
        assert!(
            super::digest(folder.path().to_str().unwrap())
                .unwrap_err()
                .contains("regular file")
        );
        assert!(super::digest("/nowhere/at/all").is_err());
    }
}
