//! `cutover edge`: a person's word on whether a secret holds a token. Nobody can list what a secret holds.

use super::Exit;
use super::context::Context;
use super::decide::Deciding;
use super::error::CommandError;
use crate::session::decide::{Action, RevocationAction};

/// Say whether secrets hold a token, or that it took another's place in them
#[derive(Debug, Clone, clap::Args)]
#[command(group = clap::ArgGroup::new("mode").required(true).args(["holds", "not", "replaces"]))]
pub struct Options {
    /// The token, for example token:rosa/3f2a
    #[arg(value_name = "TOKEN")]
    pub token: String,
    /// The secrets, for example secret:NPM_TOKEN
    #[arg(
        value_name = "SECRET",
        required_unless_present = "replaces",
        conflicts_with = "replaces"
    )]
    pub secrets: Vec<String>,
    /// Each SECRET holds TOKEN
    #[arg(long)]
    pub holds: bool,
    /// None of the SECRETs holds TOKEN
    #[arg(long)]
    pub not: bool,
    /// It replaced TOKEN in every secret that held that one, which none of them holds any more
    #[arg(long, value_name = "TOKEN")]
    pub replaces: Option<String>,
    /// How you know
    #[arg(long, value_name = "TEXT")]
    pub note: String,
}

/// Attests the edge.
///
/// # Errors
/// A name means nothing, or it is refused.
pub fn run(options: &Options, context: &mut Context) -> Result<Exit, CommandError> {
    let deciding = Deciding::open(context)?;
    let token = deciding.find(&options.token)?;
    if let Some(old) = &options.replaces {
        let replace = RevocationAction::ReplaceToken {
            new: token,
            old: deciding.find(old)?,
            note: options.note.clone(),
        };
        return deciding.take(&[replace.into()], context);
    }
    let secrets = deciding.find_all(&options.secrets)?;
    let edge = |secret| RevocationAction::AttestEdge {
        token,
        secret,
        holds: options.holds,
        note: options.note.clone(),
    };
    let actions: Vec<Action> = secrets.into_iter().map(edge).map(Action::from).collect();
    deciding.take(&actions, context)
}
