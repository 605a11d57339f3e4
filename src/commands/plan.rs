//! `cutover plan`: how the publish that validates a trust config comes about.

use super::Exit;
use super::context::Context;
use super::decide::Deciding;
use super::error::CommandError;
use crate::model::decision::ValidationPlan;
use crate::session::decide::PlanAction;

/// The publish that validates a trust config.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum How {
    /// A real release inside the 48 hours
    Release,
    /// A prerelease under a canary tag: a permanent version
    Canary,
    /// No release is due: probed once, made anew at release time
    OnDemand,
}

/// Plan the publish that validates trust configs
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Trust configs, or repositories for all of theirs
    #[arg(value_name = "TARGET", required = true)]
    pub targets: Vec<String>,
    /// By which publish
    #[arg(long, value_enum)]
    pub by: How,
    /// Why, or when
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    pub note: String,
}

/// Plans.
///
/// # Errors
/// A name means nothing, or it is refused.
pub fn run(options: &Options, context: &mut Context) -> Result<Exit, CommandError> {
    let deciding = Deciding::open(context)?;
    let plan = match options.by {
        How::Release => ValidationPlan::Release,
        How::Canary => ValidationPlan::Canary,
        How::OnDemand => ValidationPlan::OnDemand,
    };
    let configs = deciding.find_all(&options.targets)?;
    deciding.take(
        &[PlanAction::Validation {
            configs,
            plan,
            note: options.note.clone(),
        }
        .into()],
        context,
    )
}
