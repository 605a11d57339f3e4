//! `cutover report`: the runbook summary, with a page for each repository.
//!
//! Reads the session only. A file is written whole or not at all.

use super::Exit;
use super::context::{Context, ENDING, shown};
use super::error::CommandError;
use crate::report::template::{self, Form};
use crate::report::{self, json_v1};
use crate::session::Session;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// What the report is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// For a terminal
    #[default]
    Text,
    /// For an issue or a wiki: nobody is mentioned, nothing closed
    Markdown,
    /// Version 1
    Json,
}

/// Print the runbook summary: scope, timeline, end states, revocations, waivers, risks, how to verify
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// The session file [default: the only *.cutover here]
    #[arg(value_name = "SESSION")]
    pub file: Option<PathBuf>,
    /// What to write it as
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Write it to this file instead of standard output; an existing file is replaced
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Opens the session and prints the report.
///
/// # Errors
/// The session cannot be read, a template of the user's fails, or the output cannot be written.
pub fn run(options: &Options, context: &mut Context) -> Result<Exit, CommandError> {
    let path = context.session_path(options.file.as_deref())?;
    if let Some(output) = &options.output
        && (output == &path || output.extension().is_some_and(|ending| ending == ENDING))
    {
        return Err(CommandError::usage(format!(
            "{} looks like a session file: a report would replace it",
            shown(output)
        ))
        .hint("name another file, such as report.md"));
    }
    let session = context.read(&path)?;
    match &options.output {
        None => {
            let words = context.config_folder.clone();
            let now = context.now();
            write(
                &session,
                now,
                options.format,
                words.as_deref(),
                context.out.data(),
            )?;
        }
        Some(output) => {
            to_file(&session, options.format, output, context)?;
            context.out.say(format!("written to {}", shown(output)));
        }
    }
    let report = session.report();
    if report.appendable() && report.cuts.is_empty() {
        Ok(Exit::Done)
    } else {
        Ok(Exit::Damaged)
    }
}

fn write(
    session: &Session,
    now: crate::model::time::Ts,
    format: Format,
    words: Option<&Path>,
    out: &mut dyn Write,
) -> Result<(), CommandError> {
    let book = report::runbook(session, now);
    match format {
        Format::Text => template::report(session, &book, now, Form::Text, words, out)?,
        Format::Markdown => template::report(session, &book, now, Form::Markdown, words, out)?,
        Format::Json => json_v1::report(session, &book, now, out)?,
    }
    Ok(())
}

/// Writes beside the file and renames: what stood there before is intact until the new one is whole.
fn to_file(
    session: &Session,
    format: Format,
    path: &Path,
    context: &mut Context,
) -> Result<(), CommandError> {
    let failed = |error: &std::io::Error| CommandError::io("write", path, error);
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let file = tempfile::NamedTempFile::new_in(folder).map_err(|error| failed(&error))?;
    let mut out = BufWriter::new(file);
    let words = context.config_folder.clone();
    let now = context.now();
    write(session, now, format, words.as_deref(), &mut out)?;
    let file = out
        .into_inner()
        .map_err(|error| failed(&error.into_error()))?;
    file.as_file().sync_all().map_err(|error| failed(&error))?;
    file.persist(path).map_err(|error| failed(&error.error))?;
    Ok(())
}
