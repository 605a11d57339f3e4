//! `cutover waive`: goes on without a gate, for a reason and until a day.

use super::Exit;
use super::context::Context;
use super::decide::{Deciding, day, gate};
use super::error::CommandError;
use crate::session::decide::GateAction;

/// Skip a gate until a day, with a reason
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// The gate, for example environment-protected
    #[arg(value_name = "GATE")]
    pub gate: String,
    /// What it is about; a repository means everything open in it
    #[arg(long, value_name = "TARGET", default_value = "session")]
    pub about: Vec<String>,
    /// Why it may stay open
    #[arg(long, value_name = "TEXT")]
    pub why: String,
    /// Last day of the waiver (2026-12-05, or +14d)
    #[arg(long, value_name = "DAY")]
    pub until: String,
}

/// Waives.
///
/// # Errors
/// A name means nothing, or it is refused.
pub fn run(options: &Options, context: &mut Context) -> Result<Exit, CommandError> {
    let gate = gate(&options.gate)?;
    let until = day(&options.until, context.now())?;
    let deciding = Deciding::open(context)?;
    let about = deciding.find_all(&options.about)?;
    let action = GateAction::Waive {
        about,
        gate,
        why: options.why.clone(),
        until,
    };
    deciding.take(&[action.into()], context)
}
