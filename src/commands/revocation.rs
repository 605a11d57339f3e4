//! `cutover revocation record`: a revocation that somebody did at the registry. This program revokes nothing.

use super::Exit;
use super::context::Context;
use super::decide::{Deciding, day};
use super::error::CommandError;
use crate::session::decide::Action;

/// Record what was revoked
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    #[command(subcommand)]
    pub verb: Verb,
}

#[derive(Debug, Clone, clap::Subcommand)]
pub enum Verb {
    /// Record a revocation that somebody did at the registry; this program revokes nothing
    Record(Record),
}

#[derive(Debug, Clone, clap::Args)]
pub struct Record {
    /// The token, for example token:rosa/3f2a
    #[arg(value_name = "TOKEN")]
    pub token: String,
    /// The token's id as the registry lists it, for a comparison
    #[arg(long, value_name = "ID")]
    pub id: String,
    /// The day it was revoked
    #[arg(long, value_name = "DAY")]
    pub on: String,
    /// Who revoked it; default: you
    #[arg(long, value_name = "PERSON")]
    pub who: Option<String>,
    /// What shows it: a link, a ticket, or what was seen
    #[arg(long, value_name = "TEXT")]
    pub proof: String,
}

/// Records.
///
/// # Errors
/// A name means nothing, the id is another token's, or it is refused.
pub fn run(options: &Options, context: &mut Context) -> Result<Exit, CommandError> {
    let Verb::Record(record) = &options.verb;
    let on = day(&record.on, context.now())?;
    let deciding = Deciding::open(context)?;
    let who = record
        .who
        .clone()
        .unwrap_or_else(|| deciding.session.actor().to_owned());
    let action = Action::RecordRevocation {
        token: deciding.find(&record.token)?,
        token_id: record.id.clone(),
        on,
        who,
        proof: record.proof.clone(),
    };
    deciding.take(&[action], context)
}
