//! What can be seen inside a CI job before it publishes: tools, environment, files, leftover tokens, a token's end.
//!
//! Asks no network but through `npm whoami`, and that only where a token lane is declared. Must not keep or say the
//! value of a credential: variables are sorted into what they are when they are read.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use serde::Serialize;

use crate::diagnose;
use crate::model::lane::Lane;
use crate::model::token_name::is_npm_token;
use crate::safe::process::{ProcessError, Program, Surroundings};

mod check;

pub use check::checks;

/// Every check: its id, and what it asks.
pub const CHECKS: &[(&str, &str)] = &[
    ("node-version", "Node is new enough for the lane."),
    ("npm-version", "npm is new enough for the lane."),
    ("ci", "The job runs in a CI system that npm trusts."),
    ("runner", "The runner is hosted, where the lane needs that."),
    (
        "trigger",
        "npm takes identity tokens of what started the run.",
    ),
    (
        "id-token",
        "The publishing job can ask for an identity token.",
    ),
    (
        "workflow",
        "The scan finds nothing wrong with the workflow that runs.",
    ),
    (
        "repository-url",
        "package.json names this repository, letter by letter.",
    ),
    (
        "leftover-token",
        "No token that npm would fall back to is left in the job.",
    ),
    (
        "token-expiry",
        "The token's last day is known and has not come.",
    ),
    (
        "whoami",
        "The registry knows the token, where the lane publishes with one.",
    ),
];

/// Variables whose values are kept: none of them is a secret.
const PLAIN: &[&str] = &[
    "CI",
    "GITHUB_ACTIONS",
    "GITHUB_EVENT_NAME",
    "GITHUB_REPOSITORY",
    "GITHUB_WORKFLOW_REF",
    "RUNNER_ENVIRONMENT",
    "GITLAB_CI",
    "CIRCLECI",
    "NPM_CONFIG_USERCONFIG",
    "NPM_CONFIG_PROVENANCE",
    "HOME",
];

/// What an identity token is asked for with.
const IDENTITY: &[&str] = &[
    "ACTIONS_ID_TOKEN_REQUEST_URL",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    "NPM_ID_TOKEN",
];

/// What stands in a place for a token. Never which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Held {
    /// Set and empty: deliberately none.
    Empty,
    /// setup-node's stand-in.
    Placeholder,
    Value,
}

impl Held {
    fn of(value: &str) -> Self {
        match value.trim() {
            "" => Self::Empty,
            text if text.chars().all(|c| matches!(c, 'X' | '-' | '*')) => Self::Placeholder,
            _ => Self::Value,
        }
    }
}

/// The environment, sorted.
#[derive(Debug, Clone, Default)]
pub struct Variables {
    plain: BTreeMap<&'static str, String>,
    /// Names in which a token stands, and what it is.
    pub tokens: Vec<(String, Held)>,
    /// `NAME_EXPIRES` of a token variable, as written.
    pub expires: Vec<(String, String)>,
    identity: Vec<&'static str>,
}

impl Variables {
    /// Sorts variables. The value of a token is looked at once and dropped.
    pub fn read(all: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let mut sorted = Self::default();
        for (name, value) in all {
            let (name, value) = (name.to_string_lossy(), value.to_string_lossy());
            let upper = name.to_ascii_uppercase();
            let known = |list: &'static [&'static str]| list.iter().find(|known| **known == upper);
            let token = is_npm_token(&name)
                || upper.starts_with("NPM_CONFIG_//") && upper.contains("_AUTH");
            if let Some(plain) = PLAIN.iter().find(|known| **known == name) {
                sorted.plain.insert(plain, value.into_owned());
            } else if token {
                sorted.tokens.push((name.into_owned(), Held::of(&value)));
            } else if let Some(identity) = known(IDENTITY).filter(|_| !value.is_empty()) {
                sorted.identity.push(identity);
            } else if let Some(of) = upper.strip_suffix("_EXPIRES")
                && is_npm_token(of)
            {
                sorted
                    .expires
                    .push((name.into_owned(), value.trim().to_owned()));
            }
        }
        sorted.tokens.sort_by(|a, b| a.0.cmp(&b.0));
        sorted.expires.sort();
        sorted
    }

    /// Gives a variable that is set and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        let value = self.plain.get(name)?.as_str();
        (!value.is_empty()).then_some(value)
    }

    /// Tells whether the job can ask for an identity token.
    pub fn can_identify(&self) -> bool {
        let has = |name: &str| self.identity.contains(&name);
        has("NPM_ID_TOKEN")
            || has("ACTIONS_ID_TOKEN_REQUEST_URL") && has("ACTIONS_ID_TOKEN_REQUEST_TOKEN")
    }
}

/// What a tool said about itself.
pub type Answer = Result<String, String>;

/// What npm answered to whoami.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whoami {
    /// No token lane is declared, or there is no token here.
    NotAsked(&'static str),
    As(String),
    /// The cause as the log reads, and what to do.
    Refused {
        why: String,
        todo: String,
    },
    CouldNot(String),
}

/// Everything that is looked at, gathered.
#[derive(Debug)]
pub struct Gathered<'a> {
    pub folder: &'a Path,
    pub lane: Lane,
    pub today: NaiveDate,
    pub variables: &'a Variables,
    pub node: Answer,
    pub npm: Answer,
    pub whoami: Whoami,
}

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    Passed,
    Warned,
    Failed,
    /// Not looked at here, and why.
    NotLooked,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    pub id: &'static str,
    pub state: State,
    /// Made visible.
    pub words: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub todo: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
}

/// Asks node or npm for its version. It runs in a folder of its own: the checkout's configuration is anybody's.
pub fn version_of(name: &str, search: Option<&OsStr>, checkout: &Path) -> Answer {
    let run = || -> Result<String, ProcessError> {
        let program = Program::resolve(name, search, &[checkout.to_owned()])?;
        let output = program.run(["--version"], &Surroundings::new(Path::new("/")))?;
        Ok(String::from_utf8_lossy(&output.out).trim().to_owned())
    };
    run().map_err(|error| error.to_string())
}

/// Asks the registry who the token is, in an empty folder and with a narrow environment.
///
/// Where no file of the job's own names a token, one is written that refers to the variable by its name: a value is
/// neither written nor passed as an argument.
pub fn whoami(
    lane: Lane,
    variables: &Variables,
    search: Option<&OsStr>,
    checkout: &Path,
) -> Whoami {
    if !matches!(lane, Lane::Bridge | Lane::StagedToken) {
        return Whoami::NotAsked("only lanes with a token have somebody to ask for");
    }
    let held = |name: &&&str| {
        variables
            .tokens
            .iter()
            .any(|(known, held)| known == **name && *held == Held::Value)
    };
    let named = ["NODE_AUTH_TOKEN", "NPM_TOKEN"];
    let config = variables.get("NPM_CONFIG_USERCONFIG").map(PathBuf::from);
    let Some(name) = named.iter().find(held) else {
        return Whoami::NotAsked("no token is in this job");
    };
    match ask(name, config, search, checkout) {
        Ok(answer) => answer,
        Err(error) => Whoami::CouldNot(error),
    }
}

fn ask(
    token: &str,
    config: Option<PathBuf>,
    search: Option<&OsStr>,
    checkout: &Path,
) -> Result<Whoami, String> {
    let npm = Program::resolve("npm", search, &[checkout.to_owned()]).map_err(|e| e.to_string())?;
    let folder = tempfile::tempdir().map_err(|e| format!("no private folder: {e}"))?;
    let own = folder.path().join("npmrc");
    let line = format!("//{}/:_authToken=${{{token}}}\n", crate::assets::npm_host());
    std::fs::write(&own, line).map_err(|e| format!("no private folder: {e}"))?;
    // The job's own configuration counts where it is about this token.
    let refers = |path: &PathBuf| {
        std::fs::read_to_string(path).is_ok_and(|text| text.contains(&format!("${{{token}}}")))
    };
    let config = config.filter(refers).unwrap_or(own);
    let around = Surroundings {
        pass: &["NODE_AUTH_TOKEN", "NPM_TOKEN", "HTTPS_PROXY", "NO_PROXY"],
        set: &[("NPM_CONFIG_USERCONFIG", config.as_os_str())],
        limit: std::time::Duration::from_secs(60),
        ..Surroundings::new(folder.path())
    };
    let registry = format!("--registry={}", crate::assets::npm_url());
    let output = npm
        .run(["whoami", registry.as_str()], &around)
        .map_err(|e| e.to_string())?;
    if output.status.success() {
        let name = String::from_utf8_lossy(&output.out).trim().to_owned();
        return Ok(Whoami::As(name));
    }
    let told = diagnose::diagnose(&output.err, &diagnose::Context::default());
    Ok(match told.causes.first() {
        Some(cause) => Whoami::Refused {
            why: cause.title.to_owned(),
            todo: cause.action.to_owned(),
        },
        None => {
            let first = told
                .unknown
                .first()
                .map_or("it said nothing", |one| &one.text);
            Whoami::CouldNot(format!("npm whoami failed: {first}"))
        }
    })
}

#[cfg(test)]
mod tests;
