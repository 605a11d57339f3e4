//! `cutover diagnose`: explains the log of a failed publish: a file, standard input, or a run on GitHub.
//!
//! Asks nobody unless a run's address is given.

pub mod run;

use super::Exit;
use super::context::{Context, shown};
use super::error::CommandError;
use super::output::{Output, Paint};
use crate::diagnose::signature::Class;
use crate::diagnose::{self, Cause, Diagnosis, Evidence, Outcome};
use crate::safe::shown::{counted, visible};
use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// Largest log that is read, in bytes.
const CAP: u64 = 64 * 1024 * 1024;

/// How the result is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Table,
    /// Version 1
    Json,
}

/// Explain the log of a failed publish: its real cause and what to do
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// The log of the job; `-` is standard input; or the address of a run on GitHub
    #[arg(value_name = "LOGFILE|URL", default_value = "-")]
    pub log: PathBuf,
    /// Address of a GitHub Enterprise Server that the run is on
    #[arg(long, value_name = "URL")]
    pub github_url: Option<String>,
    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// Reads and explains. Nothing found is exit code 3, whether something unknown failed or nothing did.
///
/// # Errors
/// The log cannot be read, is too large or no text; the output cannot be written.
pub fn run(options: &Options, context: &mut Context) -> Result<Exit, CommandError> {
    if let Some(address) = options.log.to_str().filter(|text| run::is_address(text)) {
        let place = options.github_url.as_deref();
        return run::of_address(address, place, options.format, context);
    }
    if options.log == Path::new("-") && context.interactive {
        context.out.say("Paste the log, then press Ctrl-D.");
    }
    let log = read(&options.log)?;
    if !is_text(&log) {
        return Err(CommandError::user(format!(
            "{} is not a log: it is not text",
            named(&options.log)
        ))
        .hint("give the job's log as text; unpack a zip from GitHub first"));
    }
    let told = context.out.slow("reading the log", || {
        diagnose::diagnose(&log, &diagnose::Context::default())
    });
    match options.format {
        Format::Table => explain(&told, &mut context.out)?,
        Format::Json => json(&told, &mut context.out)?,
    }
    match told.outcome {
        Outcome::Found => Ok(Exit::Done),
        Outcome::Unknown | Outcome::NoFailure | Outcome::Unended => Ok(Exit::NothingFound),
    }
}

/// Reads a log from a file, or from standard input where it is called `-`.
///
/// # Errors
/// It cannot be read, or is larger than 64 MiB.
pub fn read(path: &Path) -> Result<Vec<u8>, CommandError> {
    let mut log = Vec::new();
    let read = if path == Path::new("-") {
        io::stdin().lock().take(CAP + 1).read_to_end(&mut log)
    } else {
        File::open(path).and_then(|file| file.take(CAP + 1).read_to_end(&mut log))
    };
    read.map_err(|error| CommandError::io("read", path, &error))?;
    if u64::try_from(log.len()).is_ok_and(|length| length > CAP) {
        return Err(CommandError::user(format!(
            "{} is larger than {} MiB",
            shown(path),
            CAP / 1024 / 1024
        ))
        .hint("give the log of the publishing job alone, or its last part: `tail -c 60M`"));
    }
    Ok(log)
}

fn named(path: &Path) -> String {
    match path == Path::new("-") {
        true => "standard input".to_owned(),
        false => shown(path),
    }
}

/// Tells whether bytes are text: no NUL, and at most one letter in ten that is none in UTF-8. What begins as UTF-16
/// must be letters of ASCII for the greater part, as a log is: any bytes are some letters in UTF-16.
///
/// Whatever matches in anything else is chance. A log in Latin-1 or with the odd broken byte is text.
fn is_text(log: &[u8]) -> bool {
    let text = diagnose::text(log);
    if let Cow::Owned(text) = &text
        && text.iter().filter(|b| b.is_ascii()).count() <= text.len() / 2
    {
        return false;
    }
    let broken: usize = text.utf8_chunks().map(|chunk| chunk.invalid().len()).sum();
    !text.contains(&0) && broken <= text.len() / 10
}

fn json(told: &Diagnosis, out: &mut Output) -> Result<(), CommandError> {
    let mut document = serde_json::to_value(told).map_err(|error| {
        CommandError::internal(format!("the result cannot be written as JSON: {error}"))
    })?;
    if let Some(fields) = document.as_object_mut() {
        fields.shift_insert(0, "version".to_owned(), 1.into());
    }
    let mut data = out.data();
    crate::safe::json::write_json(&mut data, &document)?;
    writeln!(data)?;
    Ok(())
}

fn heading(text: &str, out: &mut Output) -> Result<(), CommandError> {
    let text = out.paint(Paint::Bold, text);
    writeln!(out.data(), "{text}")?;
    Ok(())
}

/// Prints what a log told.
fn explain(told: &Diagnosis, out: &mut Output) -> Result<(), CommandError> {
    for cause in &told.causes {
        write_cause(cause, out)?;
    }
    if told.more_causes > 0 {
        writeln!(
            out.data(),
            "and {} that are not listed",
            counted(told.more_causes as usize, "more cause")
        )?;
    }
    if !told.unknown.is_empty() {
        writeln!(out.data(), "{}", out_unknown(told))?;
        lines(&told.unknown, out)?;
    }
    if !told.noise.is_empty() {
        writeln!(out.data(), "known noise, no cause:")?;
        lines(&told.noise, out)?;
    }
    match told.published.len() {
        0 => {}
        count => writeln!(
            out.data(),
            "published according to the log: {count}, {}",
            visible(&told.published.join(", "))
        )?,
    }
    match told.outcome {
        Outcome::Found => {}
        Outcome::Unknown => out.say(match &told.failed_step {
            Some(step) => format!("unknown: `{step}` failed, and no known signature fits it"),
            None => "unknown: something failed, and no known signature fits it".to_owned(),
        }),
        Outcome::Unended => out.say(format!(
            "nothing in the log ({}) reads as a failure, but it does not show how the job ended: give the whole log",
            counted(told.lines as usize, "line")
        )),
        Outcome::NoFailure => out.say(format!(
            "nothing in the log ({}) says that a publish failed",
            counted(told.lines as usize, "line")
        )),
    }
    Ok(())
}

fn out_unknown(told: &Diagnosis) -> &'static str {
    match told.causes.is_empty() {
        true => "failed, and no signature fits:",
        false => "also failed, and no signature fits:",
    }
}

fn write_cause(cause: &Cause, out: &mut Output) -> Result<(), CommandError> {
    let paint = match cause.class {
        Class::Trust | Class::Credential => Paint::Red,
        Class::Service | Class::Package | Class::Elsewhere | Class::Noise => Paint::Yellow,
    };
    let id = out.paint(paint, cause.id);
    writeln!(out.data(), "{id}: {}", cause.title)?;
    if let Some(package) = &cause.package {
        let times = match cause.times {
            1 => String::new(),
            many => format!(" ({many} times)"),
        };
        let landed = match cause.published {
            true => ", published all the same: not by the way that failed",
            false => "",
        };
        writeln!(out.data(), "  package  {}{times}{landed}", visible(package))?;
    }
    if let Some(step) = &cause.step {
        writeln!(out.data(), "  step     {step}")?;
    }
    writeln!(out.data(), "  meaning  {}", cause.meaning)?;
    writeln!(out.data(), "  do       {}", cause.action)?;
    if let Some(doubt) = cause.doubt {
        writeln!(out.data(), "  doubt    {}: {doubt}", cause.certainty.word())?;
    }
    lines(&cause.evidence, out)?;
    for source in &cause.sources {
        writeln!(out.data(), "  source   {source}")?;
    }
    writeln!(out.data())?;
    Ok(())
}

fn lines(evidence: &[Evidence], out: &mut Output) -> Result<(), CommandError> {
    for one in evidence {
        writeln!(out.data(), "  line {:<3} {}", one.line, one.text)?;
    }
    Ok(())
}
