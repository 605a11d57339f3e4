//! `cutover key adopt`: puts a person's public SSH key on the session's roster, so that signatures can be checked.

use super::Exit;
use super::context::{Context, shown};
use super::decide::Deciding;
use super::error::CommandError;
use std::io::Read as _;
use std::path::PathBuf;

/// Most bytes of a public key file.
const MAX_BYTES: u64 = 16 * 1024;

/// Keep the roster of people whose signatures count
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    #[command(subcommand)]
    pub verb: Verb,
}

#[derive(Debug, Clone, clap::Subcommand)]
pub enum Verb {
    /// Put a person's public SSH key on the roster
    Adopt(Adopt),
}

#[derive(Debug, Clone, clap::Args)]
pub struct Adopt {
    /// The person's login
    #[arg(value_name = "PERSON")]
    pub person: String,
    /// The public key, for example id_ed25519.pub
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// Adopts.
///
/// # Errors
/// The file is no public key; or the roster has a key and this is not signed.
pub fn run(options: &Options, context: &mut Context) -> Result<Exit, CommandError> {
    let Verb::Adopt(adopt) = &options.verb;
    let failed = |error: std::io::Error| CommandError::io("read", &adopt.file, &error);
    if !std::fs::metadata(&adopt.file).map_err(failed)?.is_file() {
        return Err(CommandError::user(format!(
            "{} is not a regular file",
            shown(&adopt.file)
        )));
    }
    let mut text = String::new();
    let file = std::fs::File::open(&adopt.file).map_err(failed)?;
    file.take(MAX_BYTES)
        .read_to_string(&mut text)
        .map_err(failed)?;
    if text.contains("PRIVATE KEY") {
        return Err(
            CommandError::user(format!("{} is a private key", shown(&adopt.file)))
                .hint("name the public one, which ends in .pub"),
        );
    }
    let mut deciding = Deciding::open(context)?;
    deciding
        .session
        .adopt_key(&adopt.person, text.trim(), context.now())?;
    writeln!(
        context.out.data(),
        "the key of {} is on the roster",
        crate::safe::shown::visible(&adopt.person)
    )?;
    Ok(Exit::Done)
}
