//! `cutover demo`: the example organisation, unpacked, scanned and opened. Needs no network and reads no credential.

use super::Exit;
use super::context::{Context, shown};
use super::error::CommandError;
use super::import::{self, Home, Sources};
use super::{init, open, recent, status};
use crate::assets;
use crate::assets::demo::{DemoPaths, ORGANISATION, first_there, unpack};
use crate::model::event::SessionCreated;
use crate::model::name::Login;
use std::path::{Path, PathBuf};

/// Look around in an example organisation
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Where to unpack it; default: a new folder for temporary files
    #[arg(long, value_name = "FOLDER")]
    pub into: Option<PathBuf>,
}

/// Unpacks, scans, starts a session, and opens it; without a terminal prints its status.
///
/// # Errors
/// The folder cannot be written, or the console fails.
pub fn run(options: &Options, context: &mut Context) -> Result<Exit, CommandError> {
    if context.read_only {
        return Err(
            CommandError::usage("the demo makes a new session, which --read-only forbids").hint(
                "leave out --read-only, and open it later with `cutover --read-only open FILE`",
            ),
        );
    }
    let actor = person(context)?;
    let folder = match &options.into {
        Some(folder) => folder.clone(),
        None => tempfile::Builder::new()
            .prefix("cutover-demo-")
            .tempdir()
            .map_err(|error| CommandError::io("make a folder in", &std::env::temp_dir(), &error))?
            .keep(),
    };
    if let Some(name) = first_there(&folder) {
        return Err(
            CommandError::user(format!("{} already holds {name}", shown(&folder)))
                .hint("name a new folder with --into"),
        );
    }
    let unpacked = unpack(&folder, context.now().day())
        .map_err(|error| CommandError::io("unpack the example into", &folder, &error))?;
    context.out.say(format!(
        "The example organisation {ORGANISATION} is in the folder {}",
        shown(&folder)
    ));
    let path = folder.join("demo.cutover");
    found(&path, &unpacked, &actor, context)?;
    context.actor = Some(actor.clone());
    if context.screen {
        let session = context.open_as(&path, actor, false)?;
        recent::remember(context, &path);
        let ended = open::console(session, &path, context)?;
        context.out.say(format!(
            "The session is still in {}; delete the folder when you are done.",
            shown(&path)
        ));
        return Ok(ended);
    }
    let session = context.open_as(&path, actor, true)?;
    status::print(&session, status::Format::Table, None, context)?;
    context
        .out
        .hint(format!("in a terminal: `cutover open {}`", shown(&path)));
    // What the example's own state is says nothing about this run.
    Ok(Exit::Done)
}

fn found(
    path: &Path,
    unpacked: &DemoPaths,
    actor: &str,
    context: &mut Context,
) -> Result<(), CommandError> {
    let registry = assets::npm_url();
    let registry = registry.trim_end_matches('/');
    let forge = "github.com";
    let tokens = unpacked
        .tokens
        .iter()
        .map(|(account, file)| format!("{account}={}", file.display()));
    let sources = Sources {
        scan: vec![unpacked.repos.clone()],
        inventory: vec![unpacked.inventory.clone()],
        tokens: tokens.collect(),
        yes: true,
        ..Sources::default()
    };
    let gathered = import::gather(
        &sources,
        Home { forge, registry },
        import::Known::default(),
        context,
    )?;
    let created = SessionCreated {
        forge: forge.into(),
        registry: registry.into(),
        organisations: vec![ORGANISATION.into()],
        name: ORGANISATION.into(),
        ..SessionCreated::default()
    };
    init::found(path, &created, &gathered, actor, context)
}

/// Gives who looks around: as named, as asked, else the system's login, marked as nobody's word.
pub(super) fn person(context: &mut Context) -> Result<String, CommandError> {
    match context.actor() {
        Ok(actor) => return Ok(actor),
        Err(error) if context.actor.is_some() => return Err(error),
        Err(_) => {}
    }
    let login = context
        .login
        .clone()
        .filter(|login| Login::parse(login).is_ok());
    let login = login.unwrap_or_else(|| "somebody".to_owned());
    let asked = if context.screen {
        context.prompt(&format!("Your name for the demo log [{login}]:"))
    } else {
        None
    };
    match asked {
        Some(name) if Login::parse(&name).is_ok() => Ok(name),
        _ => Ok(format!("{login}+unconfirmed")),
    }
}
