//! `cutover attest`: a person's word for a gate. It never overrides what was seen.

use super::Exit;
use super::context::Context;
use super::decide::{Deciding, gate};
use super::error::CommandError;
use crate::session::decide::GateAction;

/// Confirm a gate by hand, with a note and a link
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// The gate, for example tabletop-run; `cutover explain GATE` says what it asks
    #[arg(value_name = "GATE")]
    pub gate: String,
    /// What it is about; a repository means everything open in it
    #[arg(long, value_name = "TARGET", default_value = "session")]
    pub about: Vec<String>,
    /// What was seen, where and when
    #[arg(long, value_name = "TEXT")]
    pub note: String,
    /// Where it can be looked up
    #[arg(long, value_name = "URL")]
    pub link: Option<String>,
    /// Attest that a secret or token is gone though paths that need it are not rehearsed: there is no way back
    #[arg(long)]
    pub before_rehearsal: bool,
}

/// Attests.
///
/// # Errors
/// A name means nothing, or what was seen contradicts it.
pub fn run(options: &Options, context: &mut Context) -> Result<Exit, CommandError> {
    let gate = gate(&options.gate)?;
    let deciding = Deciding::open(context)?;
    let about = deciding.find_all(&options.about)?;
    let action = GateAction::Attest {
        about,
        gate,
        note: options.note.clone(),
        link: options.link.clone(),
        before_rehearsal: options.before_rehearsal,
    };
    deciding.take(&[action.into()], context)
}
