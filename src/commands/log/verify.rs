//! `cutover log verify`: says whether a session file is intact, and if not, everything that is wrong with it.

use super::super::Exit;
use super::super::context::{Context, cannot_open, shown};
use super::super::error::CommandError;
use super::copies;
use crate::journal::SEALED;
use crate::journal::merge::Part;
use crate::journal::seal::{SealState, check_seal};
use crate::journal::writer::open_for_reading;
use crate::safe::shown::counted;
use crate::session::Session;
use crate::session::fold::Signature;
use std::path::{Path, PathBuf};

/// Problems of one sort that are listed one by one.
const LISTED: usize = 100;

const UNSEEN: &str = "lines cut off the end leave no trace in the file itself: compare with a hash that `cutover log head` printed (--head HASH) or with another copy (--against FILE)";
const UNTRUSTED: &str = "either another key signed these lines, or whoever rewrote them made the chain anew: ask their writer. They count as unsigned; a key is put on the roster with `cutover key adopt`";
const TORN: &str = "the last line is incomplete: the next command that writes sets it aside; lines lost before it cannot be detected without a saved head";
const MERGE: &str =
    "merge from an intact copy: `cutover log merge COPY… -o NEW`; this file is left as it is";
const OTHER_COPY: &str = "compare with a copy that is intact, or with a saved head (--head HASH)";

#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// The session file [default: the only *.cutover here]
    #[arg(value_name = "SESSION")]
    pub session: Option<PathBuf>,
    /// A hash that `log head` printed before: its line must still be there
    #[arg(long, value_name = "HASH")]
    pub head: Vec<String>,
    /// Another copy of the session: no line of it may be missing here
    #[arg(long, value_name = "FILE")]
    pub against: Option<PathBuf>,
}

/// What verifying a file found.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// What is damaged, forked, cut or missing.
    pub problems: Vec<String>,
    /// Signatures that the roster does not bear out.
    pub untrusted: Vec<String>,
    /// What could not be compared, and why: nothing is wrong with the file itself for that.
    pub open: Vec<String>,
    /// What was checked and holds, for the last line.
    pub said: Vec<String>,
}

/// Verifies. Exits 0 only for an intact file, 12 for one that is damaged, forked or cut or whose other copy is, 11 where
/// the hash chains hold and a signature does not match the roster.
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
    let mut found = Findings {
        problems: problems(&session),
        ..Findings::default()
    };
    found.said.push(format!(
        "{} of {}",
        counted(session.log().len(), "event"),
        counted(session.writers().len(), "writer")
    ));
    seals(&session, &path, &mut found)?;
    copies::compare(options, &session, &path, &mut found)?;
    signatures(&session, &mut found);
    unused(&session, &mut found, context);
    conclude(options, &session, &shown(&path), &found, context)
}

/// Lists the events that this version cannot use.
fn unused(session: &Session, found: &mut Findings, context: &mut Context) {
    if !session.unused().is_empty() {
        found.said.push(format!(
            "{} that this version cannot use",
            counted(session.unused().len(), "event")
        ));
    }
    for (place, why) in session.unused().iter().take(LISTED) {
        context
            .out
            .say(format!("line {}: not used: {why}", place.line));
    }
}

/// Writes what was found, and in the last line what follows from it.
fn conclude(
    options: &Options,
    session: &Session,
    name: &str,
    found: &Findings,
    context: &mut Context,
) -> Result<Exit, CommandError> {
    let lines = found.problems.iter().chain(&found.untrusted);
    for line in lines.chain(&found.open) {
        writeln!(context.out.data(), "{line}")?;
    }
    let is_cut_unseen = options.head.is_empty() && options.against.is_none();
    let (verdict, hint, exit) = if !found.problems.is_empty() {
        // A torn end alone lost nothing that counted: it needs no other copy.
        let torn_alone = found.problems.len() == 1 && session.report().torn.is_some();
        let hint = if torn_alone { TORN } else { MERGE };
        ("not intact", Some(hint), Exit::Damaged)
    } else if !found.untrusted.is_empty() {
        let verdict = "not trusted: the hash chains hold, and signatures do not match the roster";
        (verdict, Some(UNTRUSTED), Exit::Blocked)
    } else if !found.open.is_empty() {
        let verdict = "intact in itself, and compared in part only";
        (verdict, Some(OTHER_COPY), Exit::Damaged)
    } else {
        ("intact", is_cut_unseen.then_some(UNSEEN), Exit::Done)
    };
    let said = found.said.join(", ");
    writeln!(context.out.data(), "{name}: {verdict}: {said}")?;
    if let Some(hint) = hint {
        context.out.hint(hint);
    }
    Ok(exit)
}

fn problems(session: &Session) -> Vec<String> {
    let report = session.report();
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
                .notices()
                .iter()
                .filter(|notice| notice.contains("had seen"))
                .cloned(),
        );
    }
    problems
}

fn seals(session: &Session, path: &Path, found: &mut Findings) -> Result<(), CommandError> {
    let sealed: Vec<_> = session
        .log()
        .iter()
        .filter(|entry| entry.kind_word() == SEALED)
        .collect();
    if sealed.is_empty() {
        return Ok(());
    }
    // A seal counts over every line before it, and some of these are not there to count.
    if !session.report().appendable() {
        let count = counted(sealed.len(), "seal");
        found
            .said
            .push(format!("{count} not checked (the file is damaged)"));
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
        found.problems.push(format!(
            "line {}: the seal does not hold: {problem}",
            entry.place.line
        ));
    }
    match hold {
        0 => {}
        1 => found.said.push("the seal holds".to_owned()),
        many => found.said.push(format!("{many} seals hold")),
    }
    Ok(())
}

/// Counts the signatures, and lists those that the roster does not bear out.
fn signatures(session: &Session, found: &mut Findings) {
    let mut good = 0;
    let mut unchecked = 0;
    for entry in session.log() {
        match entry.signature {
            Signature::None => {}
            Signature::Good => good += 1,
            Signature::NotChecked => unchecked += 1,
            Signature::Bad => found.untrusted.push(format!(
                "line {}: the signature is not by a key that the roster has for this person",
                entry.place.line
            )),
        }
    }
    if good > 0 {
        found.said.push(counted(good, "good signature"));
    }
    if unchecked > 0 {
        found.said.push(format!(
            "{} not checked (ssh-keygen is not there)",
            counted(unchecked, "signature")
        ));
    }
}
