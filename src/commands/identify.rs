//! `cutover identify`: which token a secret holds. Prints the workflow that compares them, and takes its log in.
//!
//! Never sees the secret: only a job that has it can compare, and it prints the id of a token and nothing else.

use super::Exit;
use super::context::{Context, shown};
use super::error::CommandError;
use crate::diagnose::identify::{self, IdentifyError, Masked, Match, Request, Said};
use crate::model::event::Observation;
use crate::model::fact::{Answer, CiFact};
use crate::model::facts::Facts;
use crate::model::id::{Kind, Subject};
use crate::model::name::{EnvironmentName, SecretName};
use crate::safe::shell::quote;
use crate::safe::shown::visible;
use crate::session::name;
use std::path::{Path, PathBuf};

/// Find out which token a secret holds: print a workflow that compares them, then read its log
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// The secret, for example secret:NPM_TOKEN
    #[arg(value_name = "SECRET", required_unless_present = "log")]
    pub secret: Option<String>,
    /// The tokens to compare with, for example token:rosa/3f2a; default: all that are not revoked
    #[arg(value_name = "TOKEN")]
    pub tokens: Vec<String>,
    /// The deployment environment that holds the secret
    #[arg(long, value_name = "NAME", conflicts_with = "log")]
    pub environment: Option<String>,
    /// Take in the log of that workflow's job; `-` is standard input. It is as trustworthy as whoever hands it over
    #[arg(long, value_name = "FILE", conflicts_with_all = ["secret", "tokens"])]
    pub log: Option<PathBuf>,
}

/// Prints the workflow, or records what its log shows.
///
/// # Errors
/// A name means nothing; a token's list does not show how it begins and ends; the log is none of ours.
pub fn run(options: &Options, context: &mut Context) -> Result<Exit, CommandError> {
    match (&options.log, &options.secret) {
        (Some(log), _) => record(log, context),
        (None, Some(secret)) => print(secret, options, context),
        (None, None) => Err(CommandError::usage("name a secret, or a log with --log")),
    }
}

impl From<IdentifyError> for CommandError {
    fn from(error: IdentifyError) -> Self {
        Self::user(error.to_string())
    }
}

fn print(secret: &str, options: &Options, context: &mut Context) -> Result<Exit, CommandError> {
    let path = context.session_path(None)?;
    let session = context.read(&path)?;
    let facts = session.facts();
    let about = of_kind(facts, secret, Kind::Secret)?;
    let row = facts.secrets.get(&about);
    let row = row.ok_or_else(|| CommandError::user("that secret has no name yet"))?;
    let secret_name = SecretName::parse(&row.name)
        .map_err(|error| CommandError::user(format!("{} is {error}", visible(&row.name))))?;
    let environment = options.environment.as_deref().map(EnvironmentName::parse);
    let environment = environment
        .transpose()
        .map_err(|error| CommandError::usage(format!("--environment is {error}")))?;
    if row.store.starts_with("env:") && environment.is_none() {
        return Err(CommandError::usage(format!(
            "{} is the secret of an environment, and a job sees it only there",
            visible(&row.name)
        ))
        .hint("name it: --environment NAME"));
    }
    let mut left_out = Vec::new();
    let tokens = masked(facts, &options.tokens, &mut left_out)?;
    let request = Request {
        session: &facts.session.session,
        secret: about,
        name: &secret_name,
        environment: environment.as_ref(),
        tokens: &tokens,
    };
    let (text, next) = match elsewhere(facts, about) {
        None => (
            identify::workflow(&request)?,
            "save it as .github/workflows/cutover-identify.yml on a branch `cutover-identify`, push, and hand its log to `cutover identify --log`".to_owned(),
        ),
        Some(system) => (
            identify::script(&request)?,
            format!(
                "this secret is used in {system}: save the script as identify.sh and run it in a job there that has the secret; \
                 it prints `match=` and the id of the token, or none. Then say so: `cutover edge TOKEN {} --holds --note \"job …\"`, \
                 and `--not` for the others",
                quote(&name::label(facts, about)),
            ),
        ),
    };
    for words in left_out {
        context.out.warn(words);
    }
    write!(context.out.data(), "{text}")?;
    context.out.hint(next);
    Ok(Exit::Done)
}

/// Returns the CI system in which a secret is used, where that is never GitHub.
fn elsewhere(facts: &Facts, secret: Subject) -> Option<&'static str> {
    let row = facts.secrets.get(&secret)?;
    let named = |other: Option<&str>| other == Some(&*row.name);
    let paths = row.repos.iter().flat_map(|repo| facts.open_paths(*repo));
    let mut systems: Vec<CiFact> = paths
        .filter(|(_, path)| named(path.secret.as_deref()))
        .map(|(_, path)| path.ci)
        .collect();
    let scans = row
        .repos
        .iter()
        .filter_map(|repo| facts.repos.get(repo)?.scan.as_ref());
    let mut uses = scans.flat_map(|scan| &scan.value.uses);
    if uses.any(|one| named(one.secret.as_deref()) && one.file.starts_with(".github/")) {
        systems.push(CiFact::Github);
    }
    systems.sort_unstable();
    // GitHub comes first.
    systems
        .first()
        .filter(|first| **first != CiFact::Github)
        .map(|first| first.word())
}

fn of_kind(facts: &Facts, words: &str, kind: Kind) -> Result<Subject, CommandError> {
    let about = name::find(facts, words)?;
    if about.kind == kind {
        return Ok(about);
    }
    Err(CommandError::user(format!(
        "{} is no {}",
        visible(words),
        kind.word()
    )))
}

/// Gives the tokens that were named, else all that are not revoked; those without a masked form are left out by name.
fn masked(
    facts: &Facts,
    named: &[String],
    left_out: &mut Vec<String>,
) -> Result<Vec<Masked>, CommandError> {
    let mut tokens: Vec<Subject> = match named {
        [] => facts.tokens.keys().copied().collect(),
        named => named
            .iter()
            .map(|words| of_kind(facts, words, Kind::Token))
            .collect::<Result<_, _>>()?,
    };
    tokens.sort_unstable();
    tokens.dedup();
    let mut all = Vec::new();
    for token in tokens {
        let Some(fact) = facts.tokens.get(&token).and_then(|row| row.fact.as_ref()) else {
            continue;
        };
        let fact = &fact.value;
        if named.is_empty() && fact.revoked.is_some() {
            continue;
        }
        let form = fact.redacted.as_deref().unwrap_or_default();
        match Masked::new(
            token,
            facts.token_key(token),
            form,
            &name::label(facts, token),
        ) {
            Ok(one) => all.push(one),
            Err(error) if named.is_empty() => left_out.push(format!("left out: {error}")),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(all)
}

fn record(log: &Path, context: &mut Context) -> Result<Exit, CommandError> {
    let bytes = super::diagnose::read(log)?;
    let path = context.session_path(None)?;
    let mut session = context.write(&path)?;
    let facts = session.facts();
    let said = identify::read(&bytes, &facts.session.session)?;
    let secret = secret_of(facts, &said)?;
    let known: Vec<(Subject, &str)> = facts
        .tokens
        .iter()
        .filter_map(|(token, row)| Some((*token, row.identity()?)))
        // A workflow from before the whole key was known printed the start of it.
        .flat_map(|(token, row)| [row.key, row.id].map(|key| Some((token, key?))))
        .flatten()
        .collect();
    let edges = said.edges(secret, &known);
    let words = outcome(facts, &said, secret, &edges);
    let now = context.now();
    let as_of = said.at.map_or(now, |at| at.min(now));
    let answers = edges.into_iter().map(|(token, edge)| {
        let answer = Answer::Edge(edge);
        (token, Observation { as_of, answer })
    });
    let answers: Vec<(Subject, Observation)> = answers.collect();
    let shows = !answers.is_empty();
    let news = session.observe(answers, now)?.written;
    let words = words?;
    let new = match (shows, news) {
        (false, _) => "nothing recorded".to_owned(),
        (true, 0) => "known already".to_owned(),
        (true, count) => format!("{count} edges recorded, as the log line of a run"),
    };
    writeln!(context.out.data(), "{}: {words}; {new}", shown(&path))?;
    Ok(if shows {
        Exit::Done
    } else {
        Exit::NothingFound
    })
}

/// Finds the secret that the workflow was printed for, and holds it against the repository that ran it.
fn secret_of(facts: &Facts, said: &Said) -> Result<Subject, CommandError> {
    let found = facts
        .secrets
        .iter()
        .find(|(id, row)| id.code() == said.about && *row.name == *said.secret.as_str());
    let (secret, row) = found.ok_or_else(|| {
        CommandError::user(format!(
            "this session has no secret {} of that id",
            said.secret
        ))
        .hint("scan again, then print the workflow again")
    })?;
    let repo = said.repo.as_str();
    let known = facts.repos.iter().find(|(_, row)| row.name() == repo);
    let owner = repo.split_once('/').map_or(repo, |(owner, _)| owner);
    let means = match known.and_then(|(id, _)| facts.secret_of(*id, said.secret.as_str())) {
        Some(meant) => meant == *secret,
        None => *row.store == *format!("org:{owner}"),
    };
    if means {
        return Ok(*secret);
    }
    Err(CommandError::user(format!(
        "the job ran in {repo}, where {} is another secret",
        said.secret
    ))
    .hint("run it in a repository that sees this one"))
}

fn outcome(
    facts: &Facts,
    said: &Said,
    secret: Subject,
    edges: &[(Subject, crate::model::fact::EdgeFact)],
) -> Result<String, CommandError> {
    let secret = name::label(facts, secret);
    let held = edges.iter().find(|(_, edge)| edge.holds);
    Ok(match (&said.found, held) {
        (Match::Key(_), Some((token, _))) => {
            format!("{secret} holds {}", name::label(facts, *token))
        }
        (Match::Key(key), None) => {
            return Err(CommandError::user(format!(
                "the log names the key {}, which none of the compared tokens has",
                visible(key)
            ))
            .hint("the line is not what the workflow prints: run it again"));
        }
        (Match::None, _) => format!("{secret} holds none of the {} tokens", edges.len()),
        (Match::Ambiguous, _) => format!("several tokens look like what {secret} holds"),
        (Match::Empty, _) => format!("there was no {secret} where the job ran"),
        (Match::Other, _) => format!("{secret} is no bare token, so comparing it proves nothing"),
    })
}
