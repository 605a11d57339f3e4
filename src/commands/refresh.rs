//! `cutover refresh`: one pass over GitHub and npm, then the status with its exit codes. For scripts and timers.
//!
//! Every secret store of every repository is thousands of requests: that is done on demand only, its cost stated first.

use super::Exit;
use super::context::Context;
use super::error::CommandError;
use super::live;
use super::live::outside::{self, Flags};
use super::status::Format;
use crate::engine::observe::Targets;
use crate::github::Cost;
use crate::github::cost;
use crate::session::Session;
use std::path::PathBuf;

/// Check GitHub and npm once, record changes, show the status
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// The session file [default: the only *.cutover here]
    #[arg(value_name = "SESSION")]
    pub file: Option<PathBuf>,
    #[command(flatten)]
    pub outside: Flags,
    /// Also query every secret store: several requests a repository
    #[arg(long)]
    pub secrets: bool,
    /// Accept the cost of --secrets without a question
    #[arg(long, requires = "secrets")]
    pub yes: bool,
    /// Query everything again, also what was answered a short time ago
    #[arg(long)]
    pub anew: bool,
    /// How to print the status
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// Looks once and prints.
///
/// # Errors
/// The session cannot be written, a credential cannot be used, nothing could be reached, or nobody said yes.
pub fn run(options: &Options, context: &mut Context) -> Result<Exit, CommandError> {
    let path = context.session_path(options.file.as_deref())?;
    let session = context.write(&path)?;
    let outside = outside::find(&options.outside, &session, context)?;
    if options.secrets {
        agree(&session, options.yes, context)?;
    }
    let mut poller = live::poller(outside, true, context)?;
    poller.anew = options.anew;
    live::refresh(session, poller, options.secrets, options.format, context)
}

/// States what looking into every store costs, and asks for a yes.
fn agree(session: &Session, yes: bool, context: &mut Context) -> Result<(), CommandError> {
    let (repos, environments) = stores(session);
    if repos == 0 {
        return Err(CommandError::usage(
            "the cost of --secrets is not known yet: no repository with a publish path is known",
        )
        .hint("run `cutover refresh` once without it"));
    }
    let Cost { rest, .. } = cost::of_secret_sweep(repos, environments);
    let cost = format!(
        "--secrets asks for {repos} repositories with {environments} environments: about {rest} requests of GitHub's \
         hourly 5,000"
    );
    context.out.say(&cost);
    if yes || context.confirm("Spend them?") == Some(true) {
        return Ok(());
    }
    Err(
        CommandError::usage("the cost of --secrets was not confirmed")
            .hint("add --yes, or leave --secrets out"),
    )
}

/// Counts what a sweep over all stores would look at: repositories, and their environments as far as they are known.
fn stores(session: &Session) -> (u32, u32) {
    let facts = session.facts();
    let targets = Targets::of(facts);
    let (mut repos, mut environments) = (0_u32, 0_u32);
    for repo in targets
        .repos
        .iter()
        .filter(|repo| !repo.workflows.is_empty())
    {
        let seen = facts
            .seen
            .get(&repo.id)
            .and_then(|seen| seen.environments());
        let known = seen.map_or(repo.environments.len(), |(fact, _)| fact.environments.len());
        repos = repos.saturating_add(1);
        environments = environments.saturating_add(u32::try_from(known).unwrap_or(u32::MAX));
    }
    (repos, environments)
}
