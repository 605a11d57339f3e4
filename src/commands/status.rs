//! `cutover status`: where every repository and token stands, trouble first; its exit code says whether work remains.
//!
//! Reads only. A damaged file is shown as far as it holds, and ends in 12 whatever the rest says.

use super::Exit;
use super::context::Context;
use super::error::CommandError;
use crate::report::status::Outcome;
use crate::report::table::{self, Look};
use crate::report::{self, csv, json_v1};
use crate::session::Session;
use std::path::PathBuf;

/// How a status is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Table,
    /// Version 1
    Json,
    /// One row a repository
    Csv,
}

/// Show where every repository and token stands
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// The session file [default: the only *.cutover here]
    #[arg(value_name = "SESSION")]
    pub file: Option<PathBuf>,
    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Print at most this many repositories (table) [default: all]
    #[arg(long, value_name = "COUNT")]
    pub top: Option<usize>,
}

/// Opens the session and prints it.
///
/// # Errors
/// The session cannot be read; the output cannot be written.
pub fn run(options: &Options, context: &mut Context) -> Result<Exit, CommandError> {
    let path = context.session_path(options.file.as_deref())?;
    let session = context.read(&path)?;
    let outcome = print(&session, options.format, options.top, context)?;
    Ok(exit(&session, outcome))
}

/// Gives the exit of a status: damage of the file wins over what stands in it.
pub fn exit(session: &Session, outcome: Outcome) -> Exit {
    match outcome {
        _ if !session.report().appendable() || !session.report().cuts.is_empty() => Exit::Damaged,
        Outcome::Done => Exit::Done,
        Outcome::WorkRemains => Exit::WorkRemains,
        Outcome::Blocked => Exit::Blocked,
    }
}

/// Prints the status of an open session.
///
/// # Errors
/// The output cannot be written.
pub fn print(
    session: &Session,
    format: Format,
    most: Option<usize>,
    context: &mut Context,
) -> Result<Outcome, CommandError> {
    let status = report::status(session, context.now());
    let look = Look {
        width: context.out.width(),
        ascii: context.look.glyphs.as_deref() == Some("ascii"),
        most,
    };
    let out = context.out.data();
    match format {
        Format::Table => table::status(&status, look, out)?,
        Format::Json => json_v1::status(&status, out)?,
        Format::Csv => csv::status(&status, out)?,
    }
    Ok(status.outcome)
}
