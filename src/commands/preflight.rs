//! `cutover preflight`: whether a publish from this job can work, before it tries.
//!
//! Prints places and what to do, never a value. Asks the registry only for a lane with a token.

use super::Exit;
use super::context::Context;
use super::error::CommandError;
use super::output::Paint;
use crate::model::lane::Lane;
use crate::preflight::{self, Check, Gathered, State, Variables};
use crate::safe::sink;
use std::io::{self, Write};
use std::path::PathBuf;

/// How the result is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// For people; in GitHub Actions with annotations
    #[default]
    Table,
    /// Version 1
    Json,
}

/// Check inside a CI job whether a publish can work: tools, identity, repository, leftover tokens
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// The checkout that is published from
    #[arg(value_name = "PATH", default_value = ".")]
    pub path: PathBuf,
    /// How this job publishes; bridge and staged-token run `npm whoami`
    #[arg(long, value_name = "LANE", value_parser = super::lane::lane, default_value = "trusted")]
    pub lane: Lane,
    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// Looks and prints. What stands in the way is exit code 11.
///
/// # Errors
/// The folder cannot be read; the output cannot be written.
pub fn run(options: &Options, context: &mut Context) -> Result<Exit, CommandError> {
    if options.lane == Lane::Retire {
        return Err(CommandError::user(
            "a retired path publishes nothing, so there is nothing to check before it: remove the publish step",
        ));
    }
    std::fs::read_dir(&options.path)
        .map_err(|error| CommandError::io("look at", &options.path, &error))?;
    let variables = Variables::read((context.environment)());
    let (search, checkout) = (context.search.clone(), options.path.as_path());
    let gathered = Gathered {
        folder: checkout,
        lane: options.lane,
        today: context.now().day(),
        variables: &variables,
        node: preflight::version_of("node", search.as_deref(), checkout),
        npm: preflight::version_of("npm", search.as_deref(), checkout),
        whoami: preflight::whoami(options.lane, &variables, search.as_deref(), checkout),
    };
    let checks = preflight::checks(&gathered);
    let failed = count(&checks, State::Failed);
    match options.format {
        Format::Json => json(options.lane, &checks, context)?,
        Format::Table => {
            let actions = variables.get("GITHUB_ACTIONS") == Some("true");
            table(&checks, actions, context)?;
        }
    }
    if failed == 0 {
        context
            .out
            .say("Nothing that can be seen here stands in the way of the publish.");
        return Ok(Exit::Done);
    }
    let things = if failed == 1 {
        "thing stands"
    } else {
        "things stand"
    };
    context
        .out
        .say(format!("{failed} {things} in the way of the publish."));
    Ok(Exit::Blocked)
}

fn count(checks: &[Check], state: State) -> usize {
    checks.iter().filter(|check| check.state == state).count()
}

fn json(lane: Lane, checks: &[Check], context: &mut Context) -> Result<(), CommandError> {
    let clear = count(checks, State::Failed) == 0;
    let document = serde_json::json!({
        "version": 1, "lane": lane.word(), "clear": clear, "checks": checks,
    });
    let mut data = context.out.data();
    crate::safe::json::write_json(&mut data, &document)?;
    writeln!(data)?;
    Ok(())
}

fn table(checks: &[Check], actions: bool, context: &mut Context) -> io::Result<()> {
    for check in checks {
        let (word, paint) = match check.state {
            State::Passed => ("ok", Paint::Green),
            State::Warned => ("warning", Paint::Yellow),
            State::Failed => ("failed", Paint::Red),
            State::NotLooked => ("not looked", Paint::Dim),
        };
        let word = context.out.paint(paint, &format!("{word:10}"));
        let line = format!("{word}  {:15} {}", check.id, check.words);
        writeln!(context.out.data(), "{line}")?;
        if let Some(todo) = &check.todo {
            writeln!(context.out.data(), "{:28} {todo}", "")?;
        }
        if actions {
            annotate(check, context.out.data())?;
        }
    }
    Ok(())
}

fn annotate(check: &Check, out: &mut dyn Write) -> io::Result<()> {
    let command = match check.state {
        State::Failed => "error",
        State::Warned => "warning",
        State::Passed | State::NotLooked => return Ok(()),
    };
    let line = check.line.map(|line| line.to_string());
    let title = format!("publish preflight: {}", check.id);
    let mut place: Vec<(&str, &str)> = Vec::new();
    place.extend(check.file.as_deref().map(|file| ("file", file)));
    place.extend(line.as_deref().map(|line| ("line", line)));
    place.push(("title", &title));
    let text = match &check.todo {
        Some(todo) => format!("{}: {todo}", check.words),
        None => check.words.clone(),
    };
    writeln!(out, "{}", sink::actions_command(command, &place, &text))
}
