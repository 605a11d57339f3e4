//! `cutover scan`: what publishes from these checkouts, and what is wrong with it.
//!
//! Prints only; `init` and `import` put a scan into a session.

use super::Exit;
use super::context::{Context, shown};
use super::error::CommandError;
use crate::scan::{self, RepoScan, Severity, output, sarif};
use std::path::PathBuf;

/// How a scan is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Table,
    /// Version 1, one repository a line
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Annotations of GitHub Actions
    Github,
}

/// A severity on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Level {
    Note,
    Warning,
    Error,
}

impl Level {
    fn severity(self) -> Severity {
        match self {
            Self::Note => Severity::Note,
            Self::Warning => Severity::Warning,
            Self::Error => Severity::Error,
        }
    }
}

/// Find what publishes to npm from local checkouts
///
/// Reads GitHub Actions, GitLab CI, CircleCI and Azure Pipelines with their expressions, Jenkins and Travis for commands,
/// tools and secret names. Files of other CI systems are named as not read, with what names npm or a token in them.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Checkouts, or folders that hold checkouts
    #[arg(value_name = "PATH", default_value = ".")]
    pub paths: Vec<PathBuf>,
    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Exit with 13 if a finding is at least this severe [default: never]
    #[arg(long, value_name = "SEVERITY", value_enum)]
    pub fail_on: Option<Level>,
}

/// Scans and prints.
///
/// # Errors
/// A path is missing or no folder; no checkout is there; the output cannot be written.
pub fn run(options: &Options, context: &mut Context) -> Result<Exit, CommandError> {
    let scans = scanned(&options.paths, context)?;
    let width = context.out.width();
    let mut out = context.out.data();
    match options.format {
        Format::Table => output::write_table(&scans, width, &mut out)?,
        Format::Json => output::write_scan_json(&scans, &mut out)?,
        Format::Sarif => sarif::write_sarif(&scans, env!("CARGO_PKG_VERSION"), &mut out)?,
        Format::Github => output::write_annotations(&scans, &mut out)?,
    }
    let worst = scans
        .iter()
        .flat_map(|scan| &scan.findings)
        .map(|finding| finding.severity)
        .max();
    match (options.fail_on, worst) {
        (Some(level), Some(worst)) if worst >= level.severity() => Ok(Exit::Violated),
        _ => Ok(Exit::Done),
    }
}

/// Scans folders, after a look whether they are there.
///
/// # Errors
/// A path is missing or no folder, or no checkout is below any of them.
pub fn scanned(paths: &[PathBuf], context: &mut Context) -> Result<Vec<RepoScan>, CommandError> {
    for path in paths {
        let meta =
            std::fs::metadata(path).map_err(|error| CommandError::io("scan", path, &error))?;
        if !meta.is_dir() {
            return Err(CommandError::user(format!(
                "cannot scan {}: it is not a folder",
                shown(path)
            ))
            .hint("name the checkout's folder, or a folder that holds checkouts"));
        }
        // A folder that may not be listed must not look like one without checkouts.
        std::fs::read_dir(path).map_err(|error| CommandError::io("scan", path, &error))?;
    }
    let today = context.now().day();
    let scans = context
        .out
        .slow("scanning", || scan::scan_paths(paths, today));
    if scans.is_empty() {
        let names: Vec<String> = paths.iter().map(|path| shown(path)).collect();
        return Err(CommandError::not_found(format!(
            "there is no checkout at or below {}",
            names.join(", ")
        ))
        .hint("a checkout is a folder with .git, or one with a CI file at its fixed place"));
    }
    Ok(scans)
}
