//! `cutover` where no session is meant: a start screen in a terminal, words without one.

use super::context::{Context, sessions_in, shown};
use super::error::CommandError;
use super::output::Paint;
use super::{Exit, demo, open, recent, tabletop};
use crate::tui::start::{Choice, Entry, Group, Start};
use std::path::PathBuf;

/// What can be done here.
enum Way {
    Open(PathBuf),
    Tabletop,
    Demo,
    Init,
}

/// Shows what there is and does what is chosen.
///
/// # Errors
/// The current folder, the terminal or the output cannot be used; or what the choice itself gives.
pub fn run(context: &mut Context) -> Result<Exit, CommandError> {
    let here = sessions_in(&context.folder)?;
    let mut before = recent::list(context);
    before.retain(|path| !here.iter().any(|known| context.folder.join(known) == *path));
    if !context.screen {
        return words(&here, &before, context);
    }
    let (mut ways, mut entries) = (Vec::new(), Vec::new());
    for (paths, detail) in [(here, "in this folder"), (before, "opened before")] {
        for path in paths {
            entries.push(Entry::new(Group::Sessions, shown(&path), detail));
            ways.push(Way::Open(path));
        }
    }
    for (way, title, detail) in [
        (
            Way::Tabletop,
            "Walk through a cutover of a simulated organisation",
            "cutover tabletop",
        ),
        (
            Way::Demo,
            "Look around in an example organisation",
            "cutover demo",
        ),
        (
            Way::Init,
            "Start a session from your checkouts",
            "cutover init NAME --scan FOLDER",
        ),
    ] {
        entries.push(Entry::new(Group::Begin, title, detail));
        ways.push(way);
    }
    let options = open::look(context)?;
    let choice = crate::tui::start::run(Start::new(entries), &options)
        .map_err(|error| CommandError::internal(error.to_string()))?;
    match choice {
        Choice::Leave => Ok(Exit::Done),
        Choice::Signal(number) => Ok(Exit::Signal(u8::try_from(number).unwrap_or(0))),
        Choice::Entry(at) => match ways.into_iter().nth(at) {
            Some(Way::Open(path)) => {
                let session = Some(path);
                let options = open::Options {
                    session,
                    ..open::Options::default()
                };
                open::run(&options, context)
            }
            Some(Way::Tabletop) => tabletop::run(&tabletop::Options::default(), context),
            Some(Way::Demo) => demo::run(&demo::Options { into: None }, context),
            Some(Way::Init) => begin(context),
            None => Ok(Exit::Done),
        },
    }
}

/// Says what to type: which checkouts and lists there are, nobody but the person knows.
fn begin(context: &mut Context) -> Result<Exit, CommandError> {
    let text = "Start a session from your checkouts:\n\n  \
        cutover init acme --scan ~/src/acme --open\n\n\
        It makes acme.cutover in this folder and changes nothing in the checkouts. An inventory and the accounts' token\n\
        lists can come along, or later with `cutover import`: see `cutover init --help`.\n";
    context.out.data().write_all(text.as_bytes())?;
    Ok(Exit::Done)
}

/// Says what there is and what to type.
fn words(
    here: &[PathBuf],
    before: &[PathBuf],
    context: &mut Context,
) -> Result<Exit, CommandError> {
    let bold = |text: &str| context.out.paint(Paint::Bold, text);
    let mut text = format!(
        "{}\nTakes an organisation's npm publish paths off long-lived tokens.\n\n",
        bold(concat!("cutover ", env!("CARGO_PKG_VERSION")))
    );
    if here.is_empty() {
        text.push_str("There is no session in this folder.\n\n");
    }
    for (title, paths) in [
        ("Sessions in this folder:", here),
        ("Opened before:", before),
    ] {
        if !paths.is_empty() {
            text.push_str(&format!("{title}\n"));
            for path in paths {
                text.push_str(&format!("  cutover open {}\n", shown(path)));
            }
            text.push('\n');
        }
    }
    for (command, what) in [
        (
            "cutover tabletop",
            "walk through a cutover of a simulated organisation",
        ),
        ("cutover demo", "look around in an example organisation"),
        (
            "cutover scan FOLDER",
            "see what publishes from your checkouts",
        ),
        (
            "cutover init NAME --scan FOLDER",
            "start a session from them",
        ),
        ("cutover --help", "everything else"),
    ] {
        text.push_str(&format!("  {}  {what}\n", bold(&format!("{command:32}"))));
    }
    context.out.data().write_all(text.as_bytes())?;
    Ok(Exit::Done)
}
