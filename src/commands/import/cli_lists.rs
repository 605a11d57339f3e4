//! Lists of `npm trust`, `gh secret` and `npm access`, as answers of the sources that they show.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use super::{Home, Known};
use crate::commands::context::shown;
use crate::commands::error::CommandError;
use crate::intake::{self, IntakeError, cli_lists};
use crate::model::fact::{Answer, NamedFact, OwnedFact, SecretsFact, StoreFact, TrustFact};
use crate::model::facts::Facts;
use crate::model::facts::seen::Seen;
use crate::model::id::Subject;
use crate::model::name::{EnvironmentName, Login, PackageName, RepoName};
use crate::model::time::Ts;
use crate::safe::shown::visible;

/// The stores that a workflow can read from, where no list was given of them.
const STORES: [&str; 6] = ["repo", "org", "dependabot", "codespaces", "agents", "env"];

/// Trust configs that a session has, to keep when each was first seen.
#[derive(Debug, Default)]
pub struct KnownTrust(HashMap<Subject, TrustFact>);

impl KnownTrust {
    pub(super) fn of(facts: &Facts) -> Self {
        let trust = |(about, seen): (&Subject, &Seen)| Some((*about, seen.trust()?.0.clone()));
        Self(facts.seen.iter().filter_map(trust).collect())
    }
}

/// Splits `WHAT=FILE`.
fn split<'a>(text: &'a str, flag: &str, what: &str) -> Result<(&'a str, &'a str), CommandError> {
    text.split_once('=').ok_or_else(|| {
        CommandError::usage(format!("{flag} `{}`: there is no `=`", visible(text)))
            .hint(format!("write {flag} {what}=FILE"))
    })
}

/// Splits `WHAT=FILE` and reads the file.
fn file<'a>(text: &'a str, flag: &str, what: &str) -> Result<(&'a str, Vec<u8>), CommandError> {
    let (name, path) = split(text, flag, what)?;
    let bytes = intake::read_file(Path::new(path))?;
    Ok((name, bytes))
}

fn about(text: &str) -> impl Fn(IntakeError) -> CommandError {
    move |error| CommandError::from(error).about(&shown(Path::new(text)))
}

fn wrong(flag: &str, text: &str, why: impl std::fmt::Display) -> CommandError {
    CommandError::usage(format!("{flag} `{}`: {why}", visible(text)))
}

/// Reads one `--trust PACKAGE=FILE`.
pub(super) fn trust(
    text: &str,
    home: Home<'_>,
    known: &KnownTrust,
    as_of: Ts,
) -> Result<(Subject, Answer), CommandError> {
    let (name, bytes) = file(text, "--trust", "PACKAGE")?;
    let name = PackageName::parse(name)
        .map_err(|e| wrong("--trust", text, format!("the package is {e}")))?;
    let package = Subject::package(home.registry, name.as_str());
    let mut configs = cli_lists::trust(&bytes).map_err(about(text))?;
    let before = known.0.get(&package).map_or(&[][..], |fact| &fact.configs);
    for config in &mut configs {
        let before = before.iter().find(|one| one.id == config.id);
        config.first_seen = before.map_or(Some(as_of), |one| one.first_seen);
        config.created = before.and_then(|one| one.created);
    }
    Ok((package, Answer::Trust(TrustFact { configs })))
}

/// Reads one `--packages ACCOUNT=FILE`. npm lists what the login may see, and does not say whether that is all.
pub(super) fn packages(text: &str) -> Result<(Subject, Answer), CommandError> {
    let (name, bytes) = file(text, "--packages", "ACCOUNT")?;
    let account =
        Login::parse(name).map_err(|e| wrong("--packages", text, format!("the account is {e}")))?;
    let fact = OwnedFact {
        account: account.as_str().into(),
        complete: false,
        packages: cli_lists::packages(&bytes)
            .map_err(about(text))?
            .into_iter()
            .collect(),
    };
    Ok((Subject::person(account.as_str()), Answer::Owned(fact)))
}

/// Reads every `--secrets STORE=FILE`: what the stores of each repository hold, as far as lists were given.
pub(super) fn secrets(
    texts: &[String],
    home: Home<'_>,
    known: &Known,
) -> Result<Vec<(Subject, Answer)>, CommandError> {
    let mut repos: BTreeMap<String, Vec<StoreFact>> = BTreeMap::new();
    let mut organisations: Vec<(String, StoreFact)> = Vec::new();
    for text in texts {
        let (place, path) = split(text, "--secrets", "STORE")?;
        let store = place_of(place).ok_or_else(|| {
            wrong(
                "--secrets",
                text,
                "the store is none of org:ORG, repo:OWNER/NAME, env:OWNER/NAME:ENV",
            )
        })?;
        let bytes = intake::read_file(Path::new(path))?;
        let names = cli_lists::secrets(&bytes).map_err(about(text))?;
        match store {
            Place::Org(owner) => organisations.push((owner, listed("org", names))),
            Place::Repo(repo) => repos.entry(repo).or_default().push(listed("repo", names)),
            Place::Env(repo, name) => {
                let store = listed(&format!("env:{name}"), names);
                repos.entry(repo).or_default().push(store);
            }
        }
    }
    for (owner, store) in organisations {
        let of = |repo: &&String| {
            repo.split_once('/')
                .is_some_and(|(one, _)| one.eq_ignore_ascii_case(&owner))
        };
        let mut any = false;
        for repo in known.repos.iter().filter(of) {
            any = true;
            repos.entry(repo.clone()).or_default().push(store.clone());
        }
        if !any {
            return Err(CommandError::user(format!(
                "no repository of {} is known yet",
                visible(&owner)
            ))
            .hint(
                "scan them, or import an inventory that names them, in the same call or before",
            ));
        }
    }
    let answers = repos.into_iter().map(|(repo, mut stores)| {
        for name in STORES {
            if stores.iter().all(|one| *one.store != *name) {
                stores.push(not_listed(name));
            }
        }
        (
            Subject::repo(home.forge, &repo),
            Answer::Secrets(SecretsFact { stores }),
        )
    });
    Ok(answers.collect())
}

enum Place {
    Org(String),
    Repo(String),
    Env(String, String),
}

fn place_of(text: &str) -> Option<Place> {
    let repo = |name: &str| {
        RepoName::parse(name)
            .ok()
            .map(|name| name.as_str().to_owned())
    };
    let (kind, name) = text.split_once(':')?;
    match kind {
        "org" => Some(Place::Org(Login::parse(name).ok()?.to_string())),
        "repo" => Some(Place::Repo(repo(name)?)),
        "env" => {
            let (name, environment) = name.split_once(':')?;
            let environment = EnvironmentName::parse(environment).ok()?;
            Some(Place::Env(repo(name)?, environment.as_str().to_owned()))
        }
        _ => None,
    }
}

/// `gh secret list` prints every page.
fn listed(store: &str, names: Vec<NamedFact>) -> StoreFact {
    StoreFact {
        store: store.into(),
        complete: true,
        why: None,
        names,
    }
}

/// A store of which no list was given may hold anything. `env` stands for the environments that were not listed.
fn not_listed(store: &str) -> StoreFact {
    StoreFact {
        store: store.into(),
        complete: false,
        why: Some("no list of this store was imported".into()),
        names: Vec::new(),
    }
}
