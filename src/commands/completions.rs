//! `cutover completions`: what a shell needs to complete the command line.

use super::Exit;
use super::context::Context;
use super::error::CommandError;

/// Print completions for a shell
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    #[arg(value_name = "SHELL", value_enum)]
    pub shell: clap_complete::Shell,
}

/// Prints the script for the tree of verbs that is given.
///
/// # Errors
/// The output cannot be written.
pub fn run(
    options: &Options,
    tree: &mut clap::Command,
    context: &mut Context,
) -> Result<Exit, CommandError> {
    let mut script = Vec::new();
    clap_complete::generate(options.shell, tree, "cutover", &mut script);
    context.out.data().write_all(&script)?;
    Ok(Exit::Done)
}
