//! `cutover open`: the console on a session. Also what `cutover` does without a verb.

use super::context::{Context, shown};
use super::error::CommandError;
use super::live;
use super::live::outside::{self, Flags};
use super::{Exit, recent};
use crate::assets;
use crate::engine::Handle;
use crate::engine::poller::Poller;
use crate::safe::browser::Browser;
use crate::session::Session;
use crate::tui;
use crate::tui::state::Settings;
use crate::tui::theme::{Depth, Glyphs};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Open the console on a session
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Options {
    /// The session file [default: the only *.cutover here]
    #[arg(value_name = "SESSION")]
    pub session: Option<PathBuf>,
    /// Look at GitHub and npm while it is open
    #[arg(long)]
    pub live: bool,
    #[command(flatten)]
    pub outside: Flags,
}

/// Opens the console.
///
/// # Errors
/// There is no terminal, no session, or the file cannot be used.
pub fn run(options: &Options, context: &mut Context) -> Result<Exit, CommandError> {
    let path = context.session_path(options.session.as_deref())?;
    if !context.screen {
        return Err(
            CommandError::user("the console needs a terminal").hint(format!(
                "`cutover status {0}` and `cutover report {0}` print",
                shown(&path)
            )),
        );
    }
    if !options.live {
        if !options.outside.is_empty() {
            return Err(CommandError::usage(
                "--github-url, --registry and --npmrc need --live",
            ));
        }
        let session = if context.read_only {
            context.read(&path)?
        } else {
            let actor = actor(context)?;
            context.open_as(&path, actor, false)?
        };
        recent::remember(context, &path);
        return console(session, &path, context);
    }
    context.actor = Some(actor(context)?);
    let session = context.write(&path)?;
    let outside = outside::find(&options.outside, &session, context)?;
    let poller = live::poller(outside, false, context)?;
    recent::remember(context, &path);
    console_with(session, &path, Some(poller), None, context)
}

/// Gives the name of whoever works at the console; asks for it where nobody is named.
fn actor(context: &mut Context) -> Result<String, CommandError> {
    let unnamed = match context.actor() {
        Ok(actor) => return Ok(actor),
        Err(error) if context.actor.is_some() => return Err(error),
        Err(error) => error,
    };
    match context.prompt("Your name, for the decisions you make:") {
        Some(name) if !name.is_empty() => {
            context.actor = Some(name);
            context.actor()
        }
        _ => Err(unnamed),
    }
}

/// Draws the console until somebody leaves it.
///
/// # Errors
/// The terminal fails, or the configuration names a theme that is none.
pub fn console(session: Session, path: &Path, context: &mut Context) -> Result<Exit, CommandError> {
    console_with(session, path, None, None, context)
}

/// Draws the console with observers behind it; `exercise` says how a simulated world runs.
///
/// # Errors
/// As [`console`].
pub fn console_with(
    session: Session,
    path: &Path,
    poller: Option<Poller>,
    exercise: Option<String>,
    context: &mut Context,
) -> Result<Exit, CommandError> {
    let mut options = tui_options(path, session.read_only().is_some(), context)?;
    options.settings.exercise = exercise;
    context.out.flush()?;
    let now = Arc::clone(&context.now);
    let started = match poller {
        Some(poller) => Handle::start_live(session, now, poller),
        None => Handle::start(session, now),
    };
    let handle = started
        .map_err(|error| CommandError::internal(format!("the console cannot start: {error}")))?;
    let ended = tui::run(handle, &options, &context.now).map_err(|error| match error {
        tui::Error::Theme(error) => CommandError::config(error.to_string())
            .hint("the themes are dark, light and colour-blind-safe; see `theme` in config.toml"),
        error => CommandError::internal(error.to_string()),
    })?;
    match ended {
        tui::Exit::Quit => Ok(Exit::Done),
        // By convention 128 and the signal's number.
        tui::Exit::Signal(number) => Ok(Exit::Signal(u8::try_from(number).unwrap_or(0))),
    }
}

fn tui_options(
    path: &Path,
    read_only: bool,
    context: &Context,
) -> Result<tui::Options, CommandError> {
    Ok(tui::Options {
        settings: Settings {
            read_only,
            utc: context.look.utc,
            board_columns: context.look.columns.clone(),
            session: path.to_string_lossy().into_owned(),
            exercise: None,
        },
        ..look(context)?
    })
}

/// Gives how a screen looks, without a session.
///
/// # Errors
/// The configuration names signs or a theme that are none.
pub fn look(context: &Context) -> Result<tui::Options, CommandError> {
    let look = &context.look;
    let glyphs = match look.glyphs.as_deref() {
        Some("unicode") => Glyphs::Unicode,
        Some("ascii") => Glyphs::Ascii,
        Some(_) => {
            return Err(CommandError::config(
                "`glyphs` in config.toml is neither \"unicode\" nor \"ascii\"",
            ));
        }
        None => Glyphs::of(look.locale.as_deref()),
    };
    let theme = look.theme.clone().unwrap_or_else(|| "dark".to_owned());
    Ok(tui::Options {
        settings: Settings::default(),
        theme_file: theme_file(&theme, context)?,
        theme,
        depth: Depth::of(
            look.no_color,
            look.colorterm.as_deref(),
            look.term.as_deref(),
        ),
        glyphs,
        browser: browser(context),
    })
}

/// Finds what opens web pages; without one the console shows addresses.
fn browser(context: &Context) -> Option<Browser> {
    let here = std::slice::from_ref(&context.folder);
    Browser::find(context.browser.as_deref(), context.search.as_deref(), here).ok()
}

/// Gives the text of a user's own theme of that name, if there is one.
fn theme_file(theme: &str, context: &Context) -> Result<Option<String>, CommandError> {
    let name = format!("themes/{theme}.toml");
    let text = assets::template(&name, context.config_folder.as_deref());
    match text {
        Ok(std::borrow::Cow::Owned(own)) => Ok(Some(own)),
        Ok(std::borrow::Cow::Borrowed(_)) | Err(assets::AssetError::Unknown { .. }) => Ok(None),
        Err(error) => Err(CommandError::config(error.to_string())),
    }
}
