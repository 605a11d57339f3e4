//! `cutover init`: starts a session file from what is there.
//!
//! All inputs are read before the file is made, and the file gets its name only when everything is in it: no bad
//! input, full disk or kill leaves a half-made session behind.

use super::Exit;
use super::context::{Context, ENDING, shown};
use super::error::CommandError;
use super::import::{self, Gathered, Home, Sources};
use super::{open, recent};
use crate::assets;
use crate::model::event::SessionCreated;
use crate::model::name::HostName;
use crate::model::policy::{Policy, Profile};
use crate::safe::shown::visible;
use crate::session::{self, Session};
use std::path::{Path, PathBuf};

/// Who works on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Who {
    /// Several people: gates about a second person hold
    #[default]
    Team,
    /// One alone: irreversible steps cool off instead
    Solo,
}

/// Start a session from checkouts, inventories and token lists
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// The session file to make (`acme` means acme.cutover)
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    #[command(flatten)]
    pub sources: Sources,
    /// Whether several people work on it, or one alone
    #[arg(long, value_enum, default_value_t)]
    pub profile: Who,
    /// Host of the forge that the repositories live on
    #[arg(long, value_name = "HOST", default_value = "github.com")]
    pub forge: String,
    /// Organisations that the cutover is about; default: the scanned repositories' owners
    #[arg(long = "org", value_name = "NAME")]
    pub organisations: Vec<String>,
    /// Open the console afterwards
    #[arg(long)]
    pub open: bool,
}

/// Makes the session.
///
/// # Errors
/// The name is taken, an input cannot be used, or the disk refuses: there is no new file then.
pub fn run(options: &Options, context: &mut Context) -> Result<Exit, CommandError> {
    if context.read_only {
        return Err(CommandError::usage(
            "this verb writes, and --read-only was given",
        ));
    }
    let path = session_file(&options.file)?;
    if std::fs::symlink_metadata(&path).is_ok() {
        return Err(CommandError::user(format!("{} exists already", shown(&path))).hint(format!(
            "choose another name, open it with `cutover open {0}`, or add to it with `cutover import -s {0}`",
            shown(&path)
        )));
    }
    if options.open && !context.screen {
        return Err(CommandError::usage("--open needs a terminal")
            .hint("leave it out, and open the session later with `cutover open`"));
    }
    if HostName::parse(&options.forge).is_err() {
        return Err(CommandError::usage(format!(
            "--forge `{}` is no host name",
            visible(&options.forge)
        ))
        .hint("for example --forge github.com"));
    }
    let actor = context.actor()?;
    let registry = assets::npm_url();
    let registry = registry.trim_end_matches('/');
    let home = Home {
        forge: &options.forge,
        registry,
    };
    let gathered = import::gather(&options.sources, home, &[], context)?;
    let created = created(options, &gathered, registry, &path);
    found(&path, &created, &gathered, &actor, context)?;
    let said = gathered.words();
    writeln!(context.out.data(), "{}: {said}", shown(&path))?;
    recent::remember(context, &path);
    if options.open {
        let session = Some(path);
        return open::run(&open::Options { session }, context);
    }
    if gathered.answers.is_empty() {
        context.out.hint(format!(
            "add to it: `cutover import -s {} --scan FOLDER`",
            shown(&path)
        ));
    } else {
        context.out.hint(format!(
            "next: `cutover open {0}`, or `cutover status {0}`",
            shown(&path)
        ));
    }
    Ok(Exit::Done)
}

fn created(options: &Options, gathered: &Gathered, registry: &str, path: &Path) -> SessionCreated {
    let organisations = if options.organisations.is_empty() {
        &gathered.organisations
    } else {
        &options.organisations
    };
    SessionCreated {
        forge: options.forge.as_str().into(),
        registry: registry.into(),
        organisations: organisations
            .iter()
            .map(|name| visible(name).into())
            .collect(),
        profile: match options.profile {
            Who::Team => Profile::Team,
            Who::Solo => Profile::Solo,
        },
        name: visible(&path.file_stem().unwrap_or_default().to_string_lossy()).into(),
        ..SessionCreated::default()
    }
}

/// Makes the file under a passing name, fills it, and gives it its own name last.
///
/// # Errors
/// As [`run`].
pub fn found(
    path: &Path,
    created: &SessionCreated,
    gathered: &Gathered,
    actor: &str,
    context: &mut Context,
) -> Result<(), CommandError> {
    let options = context.session_options(actor.to_owned(), false)?;
    let passing = passing_name(path, options.random);
    let result = fill(&passing, created, gathered, options, context)
        .and_then(|()| give_name(&passing, path));
    // Whatever happened, the passing name goes; after a link it is only a second name.
    for leftover in [
        passing.clone(),
        beside(&passing, ".lock"),
        beside(&passing, ".reserve"),
    ] {
        let _ = std::fs::remove_file(leftover);
    }
    result.map_err(|error| {
        let message = error.message.replace(&shown(&passing), &shown(path));
        CommandError { message, ..error }
    })
}

fn fill(
    passing: &Path,
    created: &SessionCreated,
    gathered: &Gathered,
    options: session::Options,
    context: &mut Context,
) -> Result<(), CommandError> {
    session::create(passing, created, &options)?;
    let mut session = Session::open(passing, options)?;
    let policy = Policy {
        cutoff_earliest: assets::policy().cutoff.earliest,
        ..Policy::default()
    };
    session.adopt_policy(&policy, context.now())?;
    import::store(&mut session, gathered, context)?;
    Ok(())
}

/// Gives the finished file its name, unless somebody took that name meanwhile.
fn give_name(passing: &Path, path: &Path) -> Result<(), CommandError> {
    let named = std::fs::hard_link(passing, path).or_else(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => Err(error),
        // Some file systems have no links; there the look and the step are two.
        _ if std::fs::symlink_metadata(path).is_ok() => {
            Err(std::io::ErrorKind::AlreadyExists.into())
        }
        _ => std::fs::rename(passing, path),
    });
    named.map_err(|error| CommandError::io("name the session", path, &error))?;
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    std::fs::File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|error| CommandError::io("write", folder, &error))
}

fn passing_name(path: &Path, random: [u8; 16]) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let some = random.first_chunk::<4>().copied().unwrap_or_default();
    path.with_file_name(format!(
        ".{name}.{}.part",
        data_encoding::HEXLOWER.encode(&some)
    ))
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Takes a name for a session file; the ending may be left out.
fn session_file(given: &Path) -> Result<PathBuf, CommandError> {
    let Some(name) = given.file_name() else {
        return Err(CommandError::usage("a session needs a file name")
            .hint("for example `cutover init acme`"));
    };
    match given.extension() {
        Some(ending) if ending == ENDING => Ok(given.to_owned()),
        // A dot in the middle of a name is no ending of another format.
        Some(ending)
            if ["json", "csv", "toml", "yaml", "yml", "md"]
                .iter()
                .any(|other| ending == *other) =>
        {
            Err(
                CommandError::usage(format!("{} does not end in .{ENDING}", shown(given))).hint(
                    "inputs go behind --inventory and --tokens; the session file comes first",
                ),
            )
        }
        _ => {
            let mut name = name.to_owned();
            name.push(".");
            name.push(ENDING);
            Ok(given.with_file_name(name))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_ending_may_be_left_out() {
        for (given, file) in [
            ("acme", "acme.cutover"),
            ("acme.cutover", "acme.cutover"),
            ("x/acme-1.2", "x/acme-1.2.cutover"),
        ] {
            assert_eq!(session_file(Path::new(given)).unwrap(), Path::new(file));
        }
        assert!(session_file(Path::new("inventory.csv")).is_err());
        assert!(session_file(Path::new("..")).is_err());
    }

    #[test]
    fn a_finished_file_never_replaces_another() {
        let folder = tempfile::tempdir().unwrap();
        let (passing, path) = (folder.path().join("p"), folder.path().join("a.cutover"));
        std::fs::write(&passing, "new").unwrap();
        std::fs::write(&path, "old").unwrap();
        assert!(give_name(&passing, &path).is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "old");
        std::fs::remove_file(&path).unwrap();
        give_name(&passing, &path).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "new");
    }
}
