//! `cutover check`: the policy gate for pull requests.

use super::Exit;
use super::context::Context;
use super::error::CommandError;
use crate::check::{self, Outcome, Standing};
use crate::safe::shown::{visible, visible_within};
use crate::scan::{output, sarif};
use std::io::{self, Write};
use std::path::PathBuf;

/// How the result is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Table,
    /// Version 1
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Annotations of GitHub Actions
    Github,
}

/// Check a pull request against the base branch's .github/cutover.toml
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// A folder of the checkout
    #[arg(value_name = "PATH", default_value = ".")]
    pub path: PathBuf,
    /// The revision to compare with; default: the merge base with the pull request's target
    #[arg(long, value_name = "REV")]
    pub base: Option<String>,
    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// Checks.
///
/// # Errors
/// The base or its policy cannot be had; the output cannot be written.
pub fn run(options: &Options, context: &mut Context) -> Result<Exit, CommandError> {
    if let Err(error) = std::fs::read_dir(&options.path) {
        return Err(CommandError::io("check", &options.path, &error));
    }
    let asked = check::Options {
        root: options.path.clone(),
        base: options.base.clone(),
        target: context.target.clone(),
        search: context.search.clone(),
        today: context.now().day(),
    };
    let outcome = check::run(&asked)?;
    for note in &outcome.notes {
        context.out.say(format!("note: {note}"));
    }
    let mut out = context.out.data();
    match options.format {
        Format::Table => table(&outcome, &mut out)?,
        Format::Json => json(&outcome, &mut out)?,
        Format::Sarif => {
            sarif::write_sarif(&outcome.as_scan(), env!("CARGO_PKG_VERSION"), &mut out)?
        }
        Format::Github => output::write_annotations(&outcome.as_scan(), &mut out)?,
    }
    let failing = outcome.failing().count();
    if outcome.is_clean() {
        context.out.say("The change keeps the policy.");
        return Ok(Exit::Done);
    }
    context.out.say(format!(
        "The change violates the policy in {failing} {}.",
        if failing == 1 { "place" } else { "places" }
    ));
    Ok(Exit::Violated)
}

fn table(outcome: &Outcome, out: &mut dyn Write) -> io::Result<()> {
    for violation in &outcome.violations {
        let found = &violation.finding;
        let standing = match &violation.standing {
            Standing::Fails => "fails".to_owned(),
            Standing::InBase => "in the base already".to_owned(),
            Standing::Allowed { until, why } => format!("allowed until {until}: {}", visible(why)),
        };
        writeln!(
            out,
            "{}:{}:{}  {}  {standing}",
            visible(&found.file),
            found.line,
            found.column,
            found.rule
        )?;
        if violation.standing == Standing::Fails {
            writeln!(out, "    {}", visible_within(&found.message, 500))?;
            writeln!(out, "    {}", visible_within(&found.fix, 500))?;
        }
    }
    Ok(())
}

/// Writes version 1: what the policy forbids, and what of it fails.
fn json(outcome: &Outcome, mut out: &mut dyn Write) -> io::Result<()> {
    let violations: Vec<serde_json::Value> = outcome
        .violations
        .iter()
        .map(|violation| {
            let (standing, until) = match &violation.standing {
                Standing::Fails => ("fails", None),
                Standing::InBase => ("in-base", None),
                Standing::Allowed { until, .. } => ("allowed", Some(until.to_string())),
            };
            serde_json::json!({"standing": standing, "until": until, "finding": violation.finding})
        })
        .collect();
    let document = serde_json::json!({
        "version": 1, "base": outcome.base, "clean": outcome.is_clean(), "violations": violations,
    });
    crate::safe::json::write_json(&mut out, &document)?;
    out.write_all(b"\n")
}
