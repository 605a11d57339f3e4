//! `cutover undo`: takes back one's own decision. Both stay in the log.

use super::Exit;
use super::context::Context;
use super::decide::Deciding;
use super::error::CommandError;
use crate::safe::shown::visible;
use crate::session::decide::Action;

/// Undo your own last decision, or the one named
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// The event, as `log list` and the deciding verbs print it (WRITER:NUMBER)
    #[arg(value_name = "EVENT")]
    pub event: Option<String>,
}

/// Undoes.
///
/// # Errors
/// There is no such event, it is somebody else's, or something stands over it.
pub fn run(options: &Options, context: &mut Context) -> Result<Exit, CommandError> {
    let deciding = Deciding::open(context)?;
    let event = match &options.event {
        None => None,
        Some(name) => Some(deciding.session.event(name).ok_or_else(|| {
            CommandError::user(format!("there is no event `{}`", visible(name)))
                .hint("`cutover log list` lists them")
        })?),
    };
    deciding.take(&[Action::Undo { event }], context)
}
