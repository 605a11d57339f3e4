//! `cutover note`: words for the log.

use super::Exit;
use super::context::Context;
use super::decide::Deciding;
use super::error::CommandError;
use crate::session::decide::{Action, NoteAction};

/// Write something into the log
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// What to write
    #[arg(value_name = "TEXT")]
    pub text: String,
    /// What it is about
    #[arg(long, value_name = "SUBJECT", default_value = "session")]
    pub about: Vec<String>,
}

/// Notes.
///
/// # Errors
/// A name means nothing, or the text holds a credential.
pub fn run(options: &Options, context: &mut Context) -> Result<Exit, CommandError> {
    let deciding = Deciding::open(context)?;
    let about = deciding.find_all(&options.about)?;
    let note = |about| NoteAction::Add {
        about,
        text: options.text.clone(),
    };
    let actions: Vec<Action> = about.into_iter().map(note).map(Action::from).collect();
    deciding.take(&actions, context)
}
