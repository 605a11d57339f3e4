//! `cutover lane`: how publish paths will publish, and until when.

use super::Exit;
use super::context::Context;
use super::decide::{Deciding, day};
use super::error::CommandError;
use crate::model::lane::Lane;
use crate::safe::shown::visible;
use crate::session::decide::LaneAction;

/// Choose how publish paths will publish, and until when
#[derive(Debug, Clone, clap::Args)]
#[command(group = clap::ArgGroup::new("mode").required(true).multiple(true).args(["lane", "proposed", "until"]))]
pub struct Options {
    /// Publish paths, or repositories for all of theirs
    #[arg(value_name = "TARGET", required = true)]
    pub targets: Vec<String>,
    /// trusted, staged-oidc, staged-token, bridge, manual or retire
    #[arg(long, value_name = "LANE", value_parser = lane)]
    pub lane: Option<Lane>,
    /// Take the proposed lane, with its reason, for every path that has none yet
    #[arg(long, conflicts_with_all = ["lane", "until", "why"])]
    pub proposed: bool,
    /// Last day of a bridge or of publishing by hand (2026-12-05, or +14d)
    #[arg(long, value_name = "DAY")]
    pub until: Option<String>,
    /// Why this lane
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    pub why: String,
}

/// Reads the word of a lane.
pub(super) fn lane(word: &str) -> Result<Lane, String> {
    let found = Lane::ALL.into_iter().find(|lane| lane.word() == word);
    found.ok_or_else(|| {
        let all: Vec<&str> = Lane::ALL.into_iter().map(Lane::word).collect();
        format!(
            "`{}` is not a lane; the lanes are {}",
            visible(word),
            all.join(", ")
        )
    })
}

/// Chooses.
///
/// # Errors
/// A name means nothing, or it is refused.
pub fn run(options: &Options, context: &mut Context) -> Result<Exit, CommandError> {
    let until = options
        .until
        .as_deref()
        .map(|text| day(text, context.now()))
        .transpose()?;
    let deciding = Deciding::open(context)?;
    let paths = deciding.find_all(&options.targets)?;
    let mut actions = Vec::new();
    if options.proposed {
        let about = paths.clone();
        actions.push(LaneAction::AcceptProposals { about }.into());
    }
    if let Some(lane) = options.lane {
        actions.push(
            LaneAction::Choose {
                paths: paths.clone(),
                lane,
                reason: options.why.clone(),
            }
            .into(),
        );
    }
    if let Some(on) = until {
        actions.push(LaneAction::SetEndDate { about: paths, on }.into());
    }
    deciding.take(&actions, context)
}
