//! `cutover carry-over`: what is not done this time gets an owner, a day and a reason.

use super::Exit;
use super::context::Context;
use super::decide::{Deciding, day};
use super::error::CommandError;
use crate::session::decide::LaneAction;

/// Carry publish paths over: somebody will see to them by a day
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Publish paths, or repositories for all of theirs
    #[arg(value_name = "TARGET", required = true)]
    pub targets: Vec<String>,
    /// Who will see to it
    #[arg(long, value_name = "PERSON")]
    pub owner: String,
    /// By which day (2026-12-05, or +14d)
    #[arg(long, value_name = "DAY")]
    pub until: String,
    /// Why not now
    #[arg(long, value_name = "TEXT")]
    pub why: String,
}

/// Carries over.
///
/// # Errors
/// A name means nothing, or it is refused.
pub fn run(options: &Options, context: &mut Context) -> Result<Exit, CommandError> {
    let until = day(&options.until, context.now())?;
    let deciding = Deciding::open(context)?;
    let paths = deciding.find_all(&options.targets)?;
    let action = LaneAction::CarryOver {
        paths,
        owner: options.owner.clone(),
        until,
        why: options.why.clone(),
    };
    deciding.take(&[action.into()], context)
}
