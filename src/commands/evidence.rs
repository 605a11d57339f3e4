//! `cutover evidence add`: a text, an address, or a file by its digest. The file's bytes stay where they are.

use super::Exit;
use super::context::Context;
use super::decide::Deciding;
use super::error::CommandError;
use crate::model::event::EvidenceForm;
use crate::safe::shown::visible;
use crate::session::decide::{Action, NoteAction};
use sha2::{Digest as _, Sha256};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// Largest file whose digest is taken, in bytes.
const LARGEST: u64 = 1 << 30;

/// Attach evidence
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    #[command(subcommand)]
    pub verb: Verb,
}

#[derive(Debug, Clone, clap::Subcommand)]
pub enum Verb {
    /// Attach a text, an address, or a file by its digest
    Add(Add),
}

/// What to attach.
#[derive(Debug, Clone, clap::Args)]
#[group(id = "what", required = true, multiple = false)]
pub struct What {
    /// Words
    #[arg(long, value_name = "TEXT")]
    pub text: Option<String>,
    /// An address that starts with https://
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// A file: its name, size and SHA-256 are kept, its bytes stay where they are
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
}

#[derive(Debug, Clone, clap::Args)]
pub struct Add {
    /// What it is evidence about
    #[arg(long, value_name = "SUBJECT", default_value = "session")]
    pub about: Vec<String>,
    #[command(flatten)]
    pub what: What,
}

/// Attaches.
///
/// # Errors
/// A name means nothing, the file cannot be read, or the text holds a credential.
pub fn run(options: &Options, context: &mut Context) -> Result<Exit, CommandError> {
    let Verb::Add(add) = &options.verb;
    let (form, what, file) = match (&add.what.text, &add.what.url, &add.what.file) {
        (Some(text), ..) => (EvidenceForm::Text, text.clone(), None),
        (_, Some(url), _) => (EvidenceForm::Url, url.clone(), None),
        (.., Some(path)) => {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            (
                EvidenceForm::File,
                visible(&name).into_owned(),
                Some(digest(path)?),
            )
        }
        _ => return Err(CommandError::usage("there is nothing to attach")),
    };
    let deciding = Deciding::open(context)?;
    let about = deciding.find_all(&add.about)?;
    let evidence = |about| NoteAction::AddEvidence {
        about,
        form,
        what: what.clone(),
        digest: file.as_ref().map(|(digest, _)| digest.clone()),
        bytes: file.as_ref().map(|(_, bytes)| *bytes),
    };
    let actions: Vec<Action> = about.into_iter().map(evidence).map(Action::from).collect();
    deciding.take(&actions, context)
}

/// Takes a regular file's SHA-256 and size.
fn digest(path: &Path) -> Result<(String, u64), CommandError> {
    let failed = |error: io::Error| CommandError::io("read", path, &error);
    // A pipe would keep us waiting when it is opened, so the look comes first.
    if !std::fs::metadata(path).map_err(failed)?.is_file() {
        return Err(CommandError::user(format!(
            "{} is not a regular file",
            visible(&path.to_string_lossy())
        )));
    }
    let mut file = std::fs::File::open(path).map_err(failed)?.take(LARGEST + 1);
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    let mut bytes = 0_u64;
    loop {
        let read = file.read(&mut buffer).map_err(failed)?;
        if read == 0 {
            break;
        }
        hash.update(buffer.get(..read).unwrap_or_default());
        bytes += u64::try_from(read).unwrap_or(0);
    }
    if bytes > LARGEST {
        return Err(CommandError::user("the file is larger than 1 GiB")
            .hint("attach a part of it, or an address"));
    }
    Ok((data_encoding::HEXLOWER.encode(&hash.finalize()), bytes))
}
