//! Where a real session looks, and with whose credentials: flags, then the session, then what people have set up for
//! `gh` and npm. Each credential is bound to its origin the moment it is read.
//!
//! Never reads a project's files, never for a session of the tabletop, and refuses a token that is itself to go.

use super::{NpmAccounts, Outside};
use crate::commands::context::Context;
use crate::commands::error::CommandError;
use crate::github::discover::Choice;
use crate::github::{Patterns, Place, credential};
use crate::http::{Credential, Proxies, World};
use crate::model::event;
use crate::model::facts::Facts;
use crate::model::gate::{GateId, State, View, judge};
use crate::model::id::Subject;
use crate::model::time::Ts;
use crate::registry::{self, Base, Login};
use crate::safe::shown::visible;
use crate::session::Session;
use crate::session::name::label;
use std::path::PathBuf;
use std::sync::Arc;

/// The gate of a token that is to go.
const REVOKED: &str = "tokens-revoked";
/// Largest file of certificates, in bytes.
const CA_CAP: u64 = 4 * 1024 * 1024;

/// Where to look, for verbs that do.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Flags {
    /// Address of a GitHub Enterprise Server [default: the session's forge; of a new session github.com]
    #[arg(long, value_name = "URL")]
    pub github_url: Option<String>,
    /// Ask the registry at this address [default: the session's; of a new session npm's own]
    #[arg(long, value_name = "URL")]
    pub registry: Option<String>,
    /// Another npm account's configuration file, beside the user's own
    #[arg(long, value_name = "FILE")]
    pub npmrc: Vec<PathBuf>,
}

impl Flags {
    /// Tells whether nothing was said.
    pub fn is_empty(&self) -> bool {
        self.github_url.is_none() && self.registry.is_none() && self.npmrc.is_empty()
    }

    /// Reads the forge's place, where an address was given.
    ///
    /// # Errors
    /// It is no https address.
    pub fn place(&self) -> Result<Option<Place>, CommandError> {
        let parse = |url: &String| {
            Place::parse(url).map_err(|error| CommandError::usage(format!("--github-url: {error}")))
        };
        self.github_url.as_ref().map(parse).transpose()
    }

    /// Reads the registry's base, where an address was given.
    ///
    /// # Errors
    /// It is no https address.
    pub fn base(&self) -> Result<Option<Base>, CommandError> {
        let parse = |url: &String| {
            Base::parse(url, World::Real)
                .map_err(|error| CommandError::usage(format!("--registry: {error}")))
        };
        self.registry.as_ref().map(parse).transpose()
    }
}

/// Finds where a session looks and as whom. A missing GitHub token is told by the connections, not an error.
///
/// # Errors
/// The session is of a simulated organisation; an address, a configuration or a credential cannot be used; a login is
/// one of the tokens that are to go.
pub fn find(
    flags: &Flags,
    session: &Session,
    context: &mut Context,
) -> Result<Outside, CommandError> {
    let created = &session.facts().session;
    if created.world == event::World::Tabletop {
        return Err(CommandError::user(
            "this session is of a tabletop organisation, whose servers have stopped",
        )
        .hint("start it anew with `cutover tabletop --keep FILE`; what was seen is still there without --live: `cutover open`, `cutover status`"));
    }
    let place = place(flags, &created.forge)?;
    let credential = github_credential(&place, context)?;
    let choice = choice(&created.include, &created.exclude)?;
    let npm = npm(flags, session, context)?;
    let variable = Arc::clone(&context.variable);
    Ok(Outside {
        world: World::Real,
        place,
        credential,
        choice,
        proxies: Proxies::from_env(&|name| variable(name)),
        npm,
        speed: 1.0,
    })
}

/// Reads which repositories are scanned.
///
/// # Errors
/// A pattern has no meaning.
pub fn choice(include: &[Box<str>], exclude: &[Box<str>]) -> Result<Choice, CommandError> {
    let read = |patterns: &[Box<str>]| {
        Patterns::parse(patterns).map_err(|error| CommandError::usage(error.to_string()))
    };
    Ok(Choice {
        include: read(include)?,
        exclude: read(exclude)?,
        ..Choice::default()
    })
}

fn place(flags: &Flags, forge: &str) -> Result<Place, CommandError> {
    let Some(place) = flags.place()? else {
        return Place::parse(forge).map_err(|error| {
            CommandError::user(format!("the session's GitHub cannot be queried: {error}"))
        });
    };
    if place.forge() != forge {
        return Err(CommandError::usage(format!(
            "--github-url is of {}, and this session is about {}",
            visible(place.forge()),
            visible(forge)
        ))
        .hint("a session is about one forge: start another with `cutover init NAME --live --github-url URL`"));
    }
    Ok(place)
}

/// Finds the token for a GitHub; else says why there is none.
///
/// # Errors
/// A variable is set and holds none: what people set is not passed over in silence.
pub fn github_credential(
    place: &Place,
    context: &Context,
) -> Result<Result<Credential, String>, CommandError> {
    let folder = tempfile::tempdir()
        .map_err(|error| CommandError::io("make a folder in", &std::env::temp_dir(), &error))?;
    let variable = Arc::clone(&context.variable);
    let sources = credential::Sources {
        variable: &|name| variable(name),
        search: context.search.as_deref(),
        outside: std::slice::from_ref(&context.folder),
        folder: folder.path(),
    };
    match credential::find(place, &sources) {
        Ok(credential) => Ok(Ok(credential)),
        Err(error @ credential::CredentialError::Unfit { .. }) => {
            Err(CommandError::config(error.to_string()))
        }
        Err(error) => Ok(Err(error.to_string())),
    }
}

fn npm(
    flags: &Flags,
    session: &Session,
    context: &mut Context,
) -> Result<NpmAccounts, CommandError> {
    let created = &session.facts().session;
    let variable = Arc::clone(&context.variable);
    let variables = (context.environment)()
        .into_iter()
        .filter_map(|(name, _)| name.into_string().ok())
        .collect();
    let config = registry::load(&registry::Sources {
        home: context.home.clone(),
        variable: &|name| variable(name),
        variables,
        files: flags.npmrc.clone(),
    })
    .map_err(|error| CommandError::config(error.to_string()))?;
    let base = match flags.base()? {
        Some(base) => base,
        None => Base::parse(&created.registry, World::Real).map_err(|error| {
            CommandError::user(format!("the session's registry cannot be queried: {error}"))
        })?,
    };
    if base.id() != &*created.registry {
        context.out.warn(format!(
            "{} is asked; what it says counts as said by {}, which this session is about",
            visible(base.id()),
            visible(&created.registry)
        ));
    }
    for note in config.notes() {
        context.out.warn(note);
    }
    let logins: Vec<Login> = config.logins(&base).into_iter().cloned().collect();
    let now = context.now();
    for login in &logins {
        if let Some(token) = listed(login, session.facts(), now) {
            return Err(CommandError::user(format!(
                "the login in {} is the token {}, which this cutover is to revoke",
                login.place(),
                visible(&label(session.facts(), token))
            ))
            .hint("log in with `npm login`, and remove this token from that file"));
        }
    }
    let extra_ca = config.cafile().map(certificates).transpose()?;
    let from_env = Proxies::from_env(&|name| variable(name));
    Ok(NpmAccounts {
        id: created.registry.to_string(),
        proxies: config.proxies(from_env),
        base,
        logins,
        extra_ca,
    })
}

fn certificates(path: &std::path::Path) -> Result<Vec<u8>, CommandError> {
    let failed = |error: &std::io::Error| {
        CommandError::io("read the certificates of npm's cafile in", path, error)
    };
    let meta = std::fs::metadata(path).map_err(|error| failed(&error))?;
    if !meta.is_file() || meta.len() > CA_CAP {
        return Err(CommandError::config(format!(
            "npm's cafile {} is no regular file of at most {} MiB",
            visible(&path.to_string_lossy()),
            CA_CAP / 1024 / 1024
        )));
    }
    std::fs::read(path).map_err(|error| failed(&error))
}

/// Finds the listed token that a login could be and that is to go: it is listed, no lane keeps it, and it is not gone.
pub fn listed(login: &Login, facts: &Facts, now: Ts) -> Option<Subject> {
    let gate = GateId::parse(REVOKED)?;
    let to_go = |token: Subject| {
        let state = judge(&View::new(facts, token, now), gate).state;
        !matches!(state, State::NotApplicable | State::Passed)
    };
    let mut fitting = facts.tokens.iter().filter_map(|(id, row)| {
        let masked = row.fact.as_ref()?.value.redacted.as_deref()?;
        login.fits(masked).then_some(*id)
    });
    fitting.find(|token| to_go(*token))
}
