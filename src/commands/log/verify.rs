//! `cutover log verify`: says whether a session file is intact, and if not, everything that is wrong with it.

use super::super::Exit;
use super::super::context::{Context, cannot_open, shown};
use super::super::error::CommandError;
use crate::journal::SEALED;
use crate::journal::merge::Part;
use crate::journal::seal::{SealState, check_seal};
use crate::journal::writer::open_for_reading;
use crate::safe::shown::{counted, visible};
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
    /// A hash that `log head` printed before: its line must still be there
    #[arg(long, value_name = "HASH")]
    pub head: Vec<String>,
    /// Another copy of the session: no line of it may be missing here
    #[arg(long, value_name = "FILE")]
    pub against: Option<PathBuf>,
}

/// Verifies. Exits 0 only for an intact file, 12 for one that is damaged, forked or cut, 11 where the hash chains hold and
/// a signature does not match the roster.
///
/// # Errors
/// The file cannot be read at all.
pub fn run(options: &Options, context: &mut Context) -> Result<Exit, CommandError> {
    let path = context.session_path(options.session.as_deref())?;
    let actor = context.actor.clone().unwrap_or_default();
    let opened = Session::open(&path, context.session_options(actor, true)?);
    let mut session = opened.map_err(|error| cannot_open(error, &path))?;
    if context.can_verify(&mut session) {
        // All of them: what a start leaves for another time would count as unsigned here.
        session.check_rest(context.now()).map_err(|error| {
            CommandError::user(format!("signatures could not be checked: {error}"))
        })?;
    }
    let mut problems = problems(&session);
    let mut said = vec![format!(
        "{} of {}",
        counted(session.fold.log.len(), "event"),
        counted(session.fold.writers.len(), "writer")
    )];
    seals(&session, &path, &mut problems, &mut said)?;
    copies(options, &session, &path, &mut problems, &mut said)?;
    let untrusted = signatures(&session, &mut said);
    if !session.fold.unused.is_empty() {
        said.push(format!(
            "{} that this version cannot use",
            counted(session.fold.unused.len(), "event")
        ));
    }
    for (place, why) in session.fold.unused.iter().take(LISTED) {
        context
            .out
            .say(format!("line {}: not used: {why}", place.line));
    }
    for problem in problems.iter().chain(&untrusted) {
        writeln!(context.out.data(), "{problem}")?;
    }
    let name = shown(&path);
    if problems.is_empty() && untrusted.is_empty() {
        writeln!(context.out.data(), "{name}: intact: {}", said.join(", "))?;
        if options.head.is_empty() && options.against.is_none() {
            context.out.hint("lines cut off the end leave no trace in the file itself: compare with a hash that `cutover log head` printed (--head HASH) or with another copy (--against FILE)");
        }
        return Ok(Exit::Done);
    }
    if problems.is_empty() {
        let words = "the hash chains hold, and signatures do not match the roster";
        writeln!(
            context.out.data(),
            "{name}: not trusted: {words}: {}",
            said.join(", ")
        )?;
        context.out.hint("either another key signed these lines, or whoever rewrote them made the chain anew: ask their writer. They count as unsigned; a key is put on the roster with `cutover key adopt`");
        return Ok(Exit::Blocked);
    }
    writeln!(
        context.out.data(),
        "{name}: not intact: {}",
        said.join(", ")
    )?;
    // A torn end alone lost nothing that counted: it needs no other copy.
    context.out.hint(if problems.len() == 1 && session.report.torn.is_some() {
        "the last line is incomplete: the next command that writes sets it aside; lines lost before it cannot be detected without a saved head"
    } else {
        "merge from an intact copy: `cutover log merge COPY… -o NEW`; this file is left as it is"
    });
    Ok(Exit::Damaged)
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
            "and {} more",
            counted(
                usize::try_from(report.damaged - listed).unwrap_or(usize::MAX),
                "damaged line"
            )
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
            "at the end: {} that were never acknowledged ({what})",
            counted(usize::try_from(torn.len).unwrap_or(usize::MAX), "byte")
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
                format!(
                    "missing or replaced: {}",
                    counted(gone.len(), "sealed line")
                )
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

/// Holds the file to what somebody kept of it.
fn copies(
    options: &Options,
    session: &Session,
    path: &Path,
    problems: &mut Vec<String>,
    said: &mut Vec<String>,
) -> Result<(), CommandError> {
    // Damage is told already, and such a file cannot be counted over.
    if (options.head.is_empty() && options.against.is_none()) || !session.report.appendable() {
        return Ok(());
    }
    let file = open_for_reading(path)?;
    let part = Part::read(path, &file)?;
    for hash in &options.head {
        let hash = hash.trim().to_ascii_lowercase();
        match part.event_of(&hash)? {
            Some(id) => said.push(format!("the head of {id} is there")),
            None => problems.push(format!(
                "no line has the hash {}: lines were cut off, or it is another session's",
                visible(&hash)
            )),
        }
    }
    let Some(other) = &options.against else {
        return Ok(());
    };
    let source = open_for_reading(other)?;
    let copy = Part::read(other, &source)?;
    let name = shown(other);
    if copy.report.session != session.report.session {
        problems.push(format!("{name} is of another session"));
        return Ok(());
    }
    let beside = part.beside(&copy)?;
    for (what, ids) in [
        ("missing here", &beside.missing),
        ("another line here", &beside.forked),
    ] {
        if let (Some(first), Some(last)) = (ids.first(), ids.last()) {
            let count = counted(ids.len(), "event");
            problems.push(format!("{count} of {name}: {what}: {first} to {last}"));
        }
    }
    if beside.missing.is_empty() && beside.forked.is_empty() {
        said.push(format!(
            "every line of {name} is here, and {} more",
            beside.more
        ));
    }
    Ok(())
}

/// Counts the signatures, and returns those that the roster does not bear out.
fn signatures(session: &Session, said: &mut Vec<String>) -> Vec<String> {
    let mut problems = Vec::new();
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
        said.push(counted(good, "good signature"));
    }
    if unchecked > 0 {
        said.push(format!(
            "{} not checked (ssh-keygen is not there)",
            counted(unchecked, "signature")
        ));
    }
    problems
}
