//! `cutover log`: the events of a session, the soundness of its file, and what to do with several copies.
//!
//! Reading never writes. Merging takes whole lines over, byte for byte.

mod copies;
mod list;
mod verify;

use super::Exit;
use super::context::{Context, shown};
use super::error::CommandError;
use crate::journal;
use crate::journal::merge::{Part, union};
use crate::journal::writer::open_for_reading;
use crate::model::id::Subject;
use crate::safe::shown::{and_more, counted};
use crate::session::Session;
use crate::session::name::{self, Dispute};
use std::fs::File;
use std::path::PathBuf;

/// Contested decisions that a merge names.
const LISTED: usize = 10;

/// List, verify, merge, seal and export the events of a session
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    #[command(subcommand)]
    pub verb: Verb,
}

#[derive(Debug, Clone, clap::Subcommand)]
pub enum Verb {
    /// List the events
    List(list::Options),
    /// Verify the file: every line, hash, chain, seal and signature
    Verify(verify::Options),
    /// Print every writer's last line: who keeps it can tell later whether the file was cut
    Head(Named),
    /// Merge the lines of other copies of this session; with -o, write the union to a new file
    Merge(Merge),
    /// Write a seal over everything that the file holds
    Seal(Named),
    /// Print the events in canonical order, one JSON line each
    Export(Named),
}

#[derive(Debug, Clone, clap::Args)]
pub struct Named {
    /// The session file [default: the only *.cutover here]
    #[arg(value_name = "SESSION")]
    pub session: Option<PathBuf>,
}

#[derive(Debug, Clone, clap::Args)]
pub struct Merge {
    /// Other files of the session
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Write all lines of the files in canonical order to a new file; no session is changed
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Take lines that put a key on the roster, adopt a policy, or let a new writer speak for a known person
    #[arg(long, conflicts_with = "output")]
    pub accept: bool,
}

/// Runs a verb of the log.
///
/// # Errors
/// The file cannot be used; the output cannot be written.
pub fn run(options: &Options, context: &mut Context) -> Result<Exit, CommandError> {
    match &options.verb {
        Verb::List(options) => list::run(options, context),
        Verb::Verify(options) => verify::run(options, context),
        Verb::Head(named) => head(named, context),
        Verb::Merge(merge) => match &merge.output {
            Some(output) => unite(&merge.files, output, context),
            None => absorb(merge, context),
        },
        Verb::Seal(named) => seal(named, context),
        Verb::Export(named) => export(named, context),
    }
}

fn head(named: &Named, context: &mut Context) -> Result<Exit, CommandError> {
    let path = context.session_path(named.session.as_deref())?;
    let session = context.read(&path)?;
    writeln!(context.out.data(), "session {}", session.report().session)?;
    for (writer, chain) in session.report().chains.iter() {
        let person = session
            .writers()
            .iter()
            .find(|known| known.id == writer)
            .map_or_else(String::new, |known| {
                crate::safe::shown::visible(&known.person).into_owned()
            });
        writeln!(
            context.out.data(),
            "{writer}:{}  {}  {person}",
            chain.seq,
            chain.hash
        )?;
    }
    Ok(Exit::Done)
}

fn absorb(merge: &Merge, context: &mut Context) -> Result<Exit, CommandError> {
    let path = context.session_path(None)?;
    let mut session = context.write(&path)?;
    let before: Vec<Dispute> = disputes(&session).collect();
    for file in &merge.files {
        let taken = session
            .merge(file, merge.accept, context.now())
            .map_err(|error| CommandError::from(error).about(&shown(file)))?;
        writeln!(
            context.out.data(),
            "{}: {} from {}",
            shown(&path),
            counted(taken, "new line"),
            shown(file)
        )?;
    }
    let now: Vec<Dispute> = disputes(&session)
        .filter(|one| !before.contains(one))
        .collect();
    if !now.is_empty() {
        let verb = if now.len() == 1 { "is" } else { "are" };
        let what: Vec<String> = now
            .iter()
            .take(LISTED)
            .map(|one| one.words(session.facts()))
            .collect();
        let more = and_more(now.len() - what.len());
        context.out.warn(format!(
            "{} {verb} now contested: {}{more}",
            counted(now.len(), "decision"),
            what.join("; ")
        ));
        context
            .out
            .hint("decide each of them anew: `cutover status` marks the repositories");
    }
    Ok(Exit::Done)
}

fn disputes(session: &Session) -> impl Iterator<Item = Dispute> {
    let facts = session.facts();
    let mut about: Vec<Subject> = facts.decided.keys().copied().collect();
    about.sort_unstable();
    about
        .into_iter()
        .flat_map(move |about| name::disputes(facts, about))
}

fn unite(
    files: &[PathBuf],
    output: &std::path::Path,
    context: &mut Context,
) -> Result<Exit, CommandError> {
    let opened = open_all(files)?;
    let parts = parts(files, &opened)?;
    let union = union(&parts)?;
    union.create(output)?;
    writeln!(
        context.out.data(),
        "{}: {} of {}",
        shown(output),
        counted(union.len(), "line"),
        counted(files.len(), "file")
    )?;
    Ok(Exit::Done)
}

fn open_all(files: &[PathBuf]) -> Result<Vec<File>, CommandError> {
    files
        .iter()
        .map(|file| Ok(open_for_reading(file)?))
        .collect()
}

fn parts<'a>(files: &[PathBuf], opened: &'a [File]) -> Result<Vec<Part<'a>>, CommandError> {
    let read = |(file, source): (&PathBuf, &'a File)| {
        Part::read(file, source)
            .map_err(|error: journal::Error| CommandError::from(error).about(&shown(file)))
    };
    files.iter().zip(opened).map(read).collect()
}

fn seal(named: &Named, context: &mut Context) -> Result<Exit, CommandError> {
    let path = context.session_path(named.session.as_deref())?;
    let mut session = context.write(&path)?;
    let events = session.seal(context.now())?;
    writeln!(
        context.out.data(),
        "{}: sealed over {}",
        shown(&path),
        counted(usize::try_from(events).unwrap_or(usize::MAX), "event")
    )?;
    context
        .out
        .hint("keep what `cutover log head` prints where others can see it");
    Ok(Exit::Done)
}

fn export(named: &Named, context: &mut Context) -> Result<Exit, CommandError> {
    let path = context.session_path(named.session.as_deref())?;
    let files = [path];
    let opened = open_all(&files)?;
    let parts = parts(&files, &opened)?;
    union(&parts)?.for_each(|line| {
        writeln!(context.out.data(), "{line}").map_err(|source| journal::Error::Io {
            doing: "write the lines of",
            path: files.first().cloned().unwrap_or_default(),
            source,
        })
    })?;
    Ok(Exit::Done)
}
