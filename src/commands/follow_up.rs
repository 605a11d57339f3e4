//! `cutover follow-up`: something to do on a day after the cutover.

use super::Exit;
use super::context::Context;
use super::decide::{Deciding, day};
use super::error::CommandError;
use crate::session::decide::{Action, NoteAction};

/// Set a due date for follow-up work
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// What is due
    #[arg(value_name = "TEXT")]
    pub what: String,
    /// On which day (2026-12-05, or +14d)
    #[arg(long, value_name = "DAY")]
    pub on: String,
    /// What it is about
    #[arg(long, value_name = "SUBJECT", default_value = "session")]
    pub about: Vec<String>,
}

/// Dates it.
///
/// # Errors
/// A name means nothing, or it is refused.
pub fn run(options: &Options, context: &mut Context) -> Result<Exit, CommandError> {
    let on = day(&options.on, context.now())?;
    let deciding = Deciding::open(context)?;
    let about = deciding.find_all(&options.about)?;
    let date = |about| NoteAction::DateFollowUp {
        about,
        on,
        what: options.what.clone(),
    };
    let actions: Vec<Action> = about.into_iter().map(date).map(Action::from).collect();
    deciding.take(&actions, context)
}
