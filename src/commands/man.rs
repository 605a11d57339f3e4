//! `cutover man`: the manual page, from the same tables as the help: verbs, exit codes, the console's keys.

use super::Exit;
use super::context::Context;
use super::error::CommandError;
use crate::tui::action::{ACTIONS, Key};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

/// Print the manual page
#[derive(Debug, Clone, clap::Args)]
pub struct Options {}

/// Prints the page for the tree of verbs that is given.
///
/// # Errors
/// The output cannot be written.
pub fn run(tree: clap::Command, context: &mut Context) -> Result<Exit, CommandError> {
    let verbs: Vec<clap::Command> = tree.get_subcommands().cloned().collect();
    let man = Man::new(tree.after_help("").after_long_help(""));
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    verb_section(&verbs).to_writer(&mut page)?;
    man.render_options_section(&mut page)?;
    key_section().to_writer(&mut page)?;
    rest().to_writer(&mut page)?;
    context.out.data().write_all(&page)?;
    Ok(Exit::Done)
}

fn verb_section(verbs: &[clap::Command]) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["VERBS"]);
    for verb in verbs {
        let mut verb = verb.clone();
        let usage = verb.render_usage().to_string();
        let usage = usage.trim_start_matches("Usage: ").to_owned();
        let about = verb
            .get_about()
            .map(ToString::to_string)
            .unwrap_or_default();
        roff.control("TP", []);
        roff.text([bold(format!(
            "cutover {}",
            usage.trim_start_matches("cutover ")
        ))]);
        roff.text([roman(about)]);
    }
    roff
}

fn key_section() -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["KEYS OF THE CONSOLE"]);
    for action in ACTIONS {
        let keys: Vec<String> = action.keys.iter().map(Key::to_string).collect();
        roff.control("TP", []);
        roff.text([bold(keys.join(", "))]);
        roff.text([roman(action.help)]);
    }
    roff
}

fn rest() -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["EXIT CODES"]);
    for (code, meaning) in Exit::TABLE {
        roff.control("TP", []);
        roff.text([bold(code.to_string())]);
        roff.text([roman(*meaning)]);
    }
    roff.control("SH", ["ENVIRONMENT"]);
    for (name, meaning) in [
        (
            "CUTOVER_SESSION",
            "The session file, where -s is not given.",
        ),
        (
            "CUTOVER_ACTOR",
            "Who acts, where --actor is not given: a label that is not verified.",
        ),
        (
            "CUTOVER_SIGN_WITH",
            "The SSH key to sign with, where --sign-with is not given.",
        ),
        (
            "CUTOVER_NOW",
            "A time (2026-12-05T10:02:11Z) to take as the present one, for tests and for reports that can be made again.",
        ),
        (
            "BROWSER",
            "What opens web pages; the system's own where it is not set.",
        ),
        ("NO_COLOR, CLICOLOR_FORCE", "Switch colour off, or on."),
    ] {
        roff.control("TP", []);
        roff.text([bold(name)]);
        roff.text([roman(meaning)]);
    }
    roff.control("SH", ["FILES"]);
    roff.text([roman(
        "The session file NAME.cutover holds everything. Beside it stand NAME.cutover.lock while it is open and NAME.cutover.reserve, \
         room for an outcome on a full disk. config.toml in the configuration folder (~/.config/cutover, or \
         ~/Library/Application Support/cutover) may hold actor, theme, glyphs, columns, sign_with and log_file.",
    )]);
    roff
}
