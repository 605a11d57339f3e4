//! `cutover log verify`: says whether a session file is intact, and if not, everything that is wrong with it.

use super::super::Exit;
use super::super::context::{Context, shown};
use super::super::error::{Class, CommandError};
use crate::journal::merge::Part;
use crate::journal::seal::{SealState, check_seal};
use crate::journal::writer::open_for_reading;
use crate::journal::{self, SEALED};
use crate::session::Session;
use crate::session::fold::Signature;
use std::path::{Path, PathBuf};

/// Problems of one sort that are listed one by one.
const LISTED: usize = 100;

#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// The session file; default: the only *.cutover here
    #[arg(value_name = "SESSION")]
    pub session: Option<PathBuf>,
}

/// Verifies. Exits 0 only for an intact file.
///
/// # Errors
/// The file cannot be read at all.
pub fn run(options: &Options, context: &mut Context) -> Result<Exit, CommandError> {
    let path = context.session_path(options.session.as_deref())?;
    let actor = context.actor.clone().unwrap_or_default();
    let opened = Session::open(&path, context.session_options(actor, true)?);
    let mut session = opened.map_err(|error| unreadable(error, &path))?;
    context.check_signatures(&mut session);
    let mut problems = problems(&session);
    let mut said = vec![format!(
        "{} of {}",
        count(session.fold.log.len(), "event"),
        count(session.fold.writers.len(), "writer")
    )];
    seals(&session, &path, &mut problems, &mut said)?;
    signatures(&session, &mut problems, &mut said);
    if !session.fold.unused.is_empty() {
        said.push(format!(
            "{} events that this version cannot use",
            session.fold.unused.len()
        ));
    }
    for (place, why) in session.fold.unused.iter().take(LISTED) {
        context
            .out
            .say(format!("line {}: not used: {why}", place.line));
    }
    for problem in &problems {
        writeln!(context.out.data(), "{problem}")?;
    }
    let name = shown(&path);
    if problems.is_empty() {
        writeln!(context.out.data(), "{name}: intact: {}", said.join(", "))?;
        return Ok(Exit::Done);
    }
    writeln!(
        context.out.data(),
        "{name}: not intact: {}",
        said.join(", ")
    )?;
    context.out.hint(
        "merge from an intact copy: `cutover log merge COPY… -o NEW`; this file is left as it is",
    );
    Ok(Exit::Damaged)
}

fn count(n: usize, what: &str) -> String {
    if n == 1 {
        format!("1 {what}")
    } else {
        format!("{n} {what}s")
    }
}

/// A first line that fails makes a file no session: to whoever verifies one, that is damage.
fn unreadable(error: crate::session::Error, path: &Path) -> CommandError {
    use crate::session::Error::Journal;
    let damaged = matches!(
        &error,
        Journal(journal::Error::NotASession(_) | journal::Error::Empty)
    );
    let mut error = CommandError::from(error).about(&shown(path));
    if damaged {
        error.class = Class::Damaged;
    }
    error
}

fn problems(session: &Session) -> Vec<String> {
    let report = &session.report;
    let mut problems = Vec::new();
    for damage in report.damage.iter().take(LISTED) {
        problems.push(format!("line {}: {}", damage.place.line, damage.reason));
    }
    let listed = u64::try_from(report.damage.len().min(LISTED)).unwrap_or(0);
    if report.damaged > listed {
        problems.push(format!(
            "and {} more damaged lines",
            report.damaged - listed
        ));
    }
    for fork in report.forks.iter().take(LISTED) {
        let [first, second] = fork.places;
        problems.push(format!(
            "lines {} and {}: two different events are called {}",
            first.line, second.line, fork.id
        ));
    }
    if let Some(torn) = &report.torn {
        let what = if torn.zeros {
            "zeros"
        } else {
            "the start of a line"
        };
        problems.push(format!(
            "at the end: {} bytes that were never acknowledged ({what}); the next writer sets them aside",
            torn.len
        ));
    }
    if !report.cuts.is_empty() {
        problems.extend(
            session
                .notices
                .iter()
                .filter(|notice| notice.contains("had seen"))
                .cloned(),
        );
    }
    problems
}

fn seals(
    session: &Session,
    path: &Path,
    problems: &mut Vec<String>,
    said: &mut Vec<String>,
) -> Result<(), CommandError> {
    let sealed: Vec<_> = session
        .fold
        .log
        .iter()
        .filter(|entry| entry.kind_word() == SEALED)
        .collect();
    // Seals of a file that is damaged cannot be counted over: the damage is told already.
    if sealed.is_empty() || !session.report.appendable() {
        return Ok(());
    }
    let file = open_for_reading(path)?;
    let part = Part::read(path, &file)?;
    let mut hold = 0;
    for entry in sealed {
        let data = session
            .data(entry)
            .map_err(|error| CommandError::io("read back", path, &error))?;
        let state = check_seal(&part, &data.to_string())?;
        let problem = match state {
            SealState::Holds => {
                hold += 1;
                continue;
            }
            SealState::Broken(gone) => {
                format!("{} sealed lines are missing or replaced", gone.len())
            }
            SealState::Differs => "its digest is another one".to_owned(),
            SealState::Unreadable => "it cannot be read".to_owned(),
        };
        problems.push(format!(
            "line {}: the seal does not hold: {problem}",
            entry.place.line
        ));
    }
    match hold {
        0 => {}
        1 => said.push("the seal holds".to_owned()),
        many => said.push(format!("{many} seals hold")),
    }
    Ok(())
}

fn signatures(session: &Session, problems: &mut Vec<String>, said: &mut Vec<String>) {
    let mut good = 0;
    let mut unchecked = 0;
    for entry in &session.fold.log {
        match entry.signature {
            Signature::None => {}
            Signature::Good => good += 1,
            Signature::NotChecked => unchecked += 1,
            Signature::Bad => problems.push(format!(
                "line {}: the signature is not by a key that the roster has for this person",
                entry.place.line
            )),
        }
    }
    if good > 0 {
        said.push(count(good, "good signature"));
    }
    if unchecked > 0 {
        said.push(format!(
            "{unchecked} signatures not checked (ssh-keygen is not there)"
        ));
    }
}
