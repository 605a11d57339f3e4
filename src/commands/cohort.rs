//! `cutover representatives` and `cutover canaries`: the samples that go first. Shown without repositories, chosen
//! with them.

use super::Exit;
use super::context::Context;
use super::decide::Deciding;
use super::error::CommandError;
use crate::engine::picture;
use crate::engine::snapshot::Cohort;
use crate::model::id::Subject;
use crate::session::decide::PlanAction;

/// Which sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sample {
    Representatives,
    Canaries,
}

#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// The repositories to choose; none: show what is chosen or proposed
    #[arg(value_name = "REPO")]
    pub repos: Vec<String>,
    /// Choose what is proposed
    #[arg(long, conflicts_with = "repos")]
    pub accept: bool,
}

/// Shows or chooses a sample.
///
/// # Errors
/// A name means nothing, or it is refused.
pub fn run(sample: Sample, options: &Options, context: &mut Context) -> Result<Exit, CommandError> {
    if options.repos.is_empty() && !options.accept {
        return show(sample, context);
    }
    let deciding = Deciding::open(context)?;
    let repos: Vec<Subject> = if options.accept {
        let cohort = of(sample, picture::cohorts(&deciding.session));
        cohort.picks.into_iter().map(|(repo, ..)| repo).collect()
    } else {
        deciding.find_all(&options.repos)?
    };
    if repos.is_empty() {
        return Err(CommandError::not_found(
            "nothing is proposed: no repository fits",
        ));
    }
    let action = match sample {
        Sample::Representatives => PlanAction::ChooseRepresentatives { repos },
        Sample::Canaries => PlanAction::ChooseCanaries { repos },
    };
    deciding.take(&[action.into()], context)
}

fn of(sample: Sample, cohorts: crate::engine::snapshot::Cohorts) -> Cohort {
    match sample {
        Sample::Representatives => cohorts.representatives,
        Sample::Canaries => cohorts.canaries,
    }
}

fn show(sample: Sample, context: &mut Context) -> Result<Exit, CommandError> {
    let path = context.session_path(None)?;
    let session = context.read(&path)?;
    let cohort = of(sample, picture::cohorts(&session));
    if cohort.picks.is_empty() {
        context
            .out
            .say("nothing is chosen, and no repository fits a proposal");
        return Ok(Exit::NothingFound);
    }
    let width = cohort
        .picks
        .iter()
        .map(|(_, name, _)| name.chars().count())
        .max()
        .unwrap_or(0);
    for (_, name, reason) in &cohort.picks {
        writeln!(context.out.data(), "{name:width$}  {reason}")?;
    }
    if !cohort.chosen {
        context
            .out
            .hint("this is a proposal: choose it with --accept, or name other repositories");
    }
    Ok(Exit::Done)
}
