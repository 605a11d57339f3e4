//! The command line: the tree of verbs, what surrounds them, and how the program ends.
//!
//! Turns flags, environment and configuration into each verb's `Options` and one `Context`; does no work itself.
//! The only place that reads the environment.

pub mod clock;
pub mod config;
mod log;

use crate::commands::context::{Context, Look};
use crate::commands::error::CommandError;
use crate::commands::output::{ColorChoice, ColorHints, Output, harmless};
use crate::commands::{self, Exit};
use crate::model::time::Ts;
use crate::safe::process::core_dumps_off;
use crate::safe::shown::visible_within;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use config::Config;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

/// Move every npm publish of an organisation from long-lived tokens to trusted publishing
#[derive(Debug, Parser)]
#[command(name = "cutover", bin_name = "cutover", version, max_term_width = 100)]
#[command(after_help = after_help())]
struct Cli {
    /// The session file to open, when no verb is given
    #[arg(value_name = "SESSION")]
    open: Option<PathBuf>,
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    verb: Option<Verb>,
}

/// What holds for every verb.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Global options")]
struct Global {
    /// The session file; default: the only *.cutover here
    #[arg(
        short,
        long,
        global = true,
        value_name = "FILE",
        env = "CUTOVER_SESSION",
        hide_env_values = true
    )]
    session: Option<PathBuf>,
    /// Who acts, as a label that is not verified; default: git's global user
    #[arg(
        long,
        global = true,
        value_name = "NAME",
        env = "CUTOVER_ACTOR",
        hide_env_values = true
    )]
    actor: Option<String>,
    /// Change nothing: commands that write are refused, the console only shows
    #[arg(long, global = true)]
    read_only: bool,
    /// Sign decisions with this SSH key; it is handed to ssh-keygen, never read
    #[arg(
        long,
        global = true,
        value_name = "KEY",
        env = "CUTOVER_SIGN_WITH",
        hide_env_values = true
    )]
    sign_with: Option<PathBuf>,
    /// When to use colour; NO_COLOR and CLICOLOR_FORCE are honoured
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t)]
    color: ColorChoice,
    /// Write what the program does to a file, without secrets
    #[arg(long, global = true, value_name = "FILE")]
    log_file: Option<PathBuf>,
    /// Take this as the present time, for reports that can be made again
    #[arg(
        long,
        global = true,
        value_name = "TIME",
        env = "CUTOVER_NOW",
        hide_env_values = true,
        hide = true
    )]
    now: Option<String>,
}

/// The verbs, in the order of a cutover.
#[derive(Debug, Subcommand)]
enum Verb {
    Demo(commands::demo::Options),
    Tabletop(commands::tabletop::Options),
    Scan(commands::scan::Options),
    Check(commands::check::Options),
    Diagnose(commands::diagnose::Options),
    Preflight(commands::preflight::Options),
    Init(commands::init::Options),
    Import(commands::import::Options),
    Open(commands::open::Options),
    Refresh(commands::refresh::Options),
    Watch(commands::watch::Options),
    Status(commands::status::Options),
    Report(commands::report::Options),
    Explain(commands::explain::Options),
    Assign(commands::assign::Options),
    Lane(commands::lane::Options),
    Plan(commands::plan::Options),
    Attest(commands::attest::Options),
    Waive(commands::waive::Options),
    Note(commands::note::Options),
    Evidence(commands::evidence::Options),
    Edge(commands::edge::Options),
    Identify(commands::identify::Options),
    Revocation(commands::revocation::Options),
    CarryOver(commands::carry_over::Options),
    FollowUp(commands::follow_up::Options),
    /// Show or choose the representative subset that goes first
    Representatives(commands::cohort::Options),
    /// Show or choose the canaries: a sample with different build shapes
    Canaries(commands::cohort::Options),
    Undo(commands::undo::Options),
    Key(commands::key::Options),
    Log(commands::log::Options),
    Completions(commands::completions::Options),
    Man(commands::man::Options),
}

fn after_help() -> String {
    let mut text = String::from("Exit codes:\n");
    for (code, meaning) in Exit::TABLE {
        text.push_str(&format!("  {code:>2}  {meaning}\n"));
    }
    text.push_str("\nStart with `cutover tabletop`, or with `cutover init NAME --scan FOLDER`.");
    text
}

/// Runs the program.
pub fn main() -> ExitCode {
    hook_panics();
    if cfg!(windows) {
        say("error: cutover runs on Linux and macOS; on Windows use WSL");
        return ExitCode::from(1);
    }
    if let Err(error) = core_dumps_off() {
        say(&format!(
            "warning: core dumps could not be switched off: {error}"
        ));
    }
    let parsed = Cli::command()
        .try_get_matches_from(std::env::args_os())
        .and_then(|matches| Cli::from_arg_matches(&matches));
    match parsed {
        Ok(cli) => run(cli),
        Err(error) => usage(&error),
    }
}

/// Writes a line to standard error when there is no `Output` yet.
fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{}", harmless(text));
}

/// A panic's text can hold anything that was being read: it is made harmless like all other talk.
fn hook_panics() {
    std::panic::set_hook(Box::new(|panic| {
        say(&format!(
            "error: the program failed, which is a bug: {panic}"
        ));
    }));
}

/// Prints clap's help, version or complaint. What was typed comes back in a complaint: it is made visible.
fn usage(error: &clap::Error) -> ExitCode {
    let rendered = error.render();
    let code = u8::try_from(error.exit_code()).unwrap_or(2);
    if error.use_stderr() {
        say(rendered.to_string().trim_end());
        return ExitCode::from(code);
    }
    let hints = color_hints();
    let text =
        if crate::commands::output::colored(ColorChoice::Auto, hints, io::stdout().is_terminal()) {
            rendered.ansi().to_string()
        } else {
            rendered.to_string()
        };
    // Nobody reading the help any more is no failure.
    let _ = io::stdout().write_all(text.as_bytes());
    ExitCode::from(code)
}

fn run(cli: Cli) -> ExitCode {
    let columns = variable("COLUMNS").and_then(|columns| columns.parse().ok());
    let mut out = Output::standard(cli.global.color, color_hints(), columns);
    let mut context = match context(&cli.global, out) {
        Ok(context) => context,
        Err((error, returned)) => {
            out = returned;
            return ended(&mut out, Err(error));
        }
    };
    let result = dispatch(cli, &mut context);
    ended(&mut context.out, result)
}

fn ended(out: &mut Output, result: Result<Exit, CommandError>) -> ExitCode {
    // What was printed before a failure is still the person's.
    let flushed = out.flush();
    match result.and_then(|exit| flushed.map(|()| exit)) {
        Ok(exit) => {
            tracing::info!(code = exit.code(), "ended");
            ExitCode::from(exit.code())
        }
        Err(error) => {
            tracing::error!(class = ?error.class, code = error.code(), "{error}");
            out.error(&error);
            ExitCode::from(error.code())
        }
    }
}

fn dispatch(cli: Cli, context: &mut Context) -> Result<Exit, CommandError> {
    let Some(verb) = cli.verb else {
        return bare(cli.open, context);
    };
    if let Some(stray) = cli.open {
        return Err(CommandError::usage(format!(
            "unexpected `{}` before the subcommand",
            visible_within(&stray.to_string_lossy(), 100)
        ))
        .hint("name the session after the command, or with -s"));
    }
    use commands::cohort::Sample;
    match &verb {
        Verb::Demo(options) => commands::demo::run(options, context),
        Verb::Tabletop(options) => commands::tabletop::run(options, context),
        Verb::Scan(options) => commands::scan::run(options, context),
        Verb::Check(options) => commands::check::run(options, context),
        Verb::Diagnose(options) => commands::diagnose::run(options, context),
        Verb::Preflight(options) => commands::preflight::run(options, context),
        Verb::Init(options) => commands::init::run(options, context),
        Verb::Import(options) => commands::import::run(options, context),
        Verb::Open(options) => commands::open::run(options, context),
        Verb::Refresh(options) => commands::refresh::run(options, context),
        Verb::Watch(options) => commands::watch::run(options, context),
        Verb::Status(options) => commands::status::run(options, context),
        Verb::Report(options) => commands::report::run(options, context),
        Verb::Explain(options) => commands::explain::run(options, context),
        Verb::Assign(options) => commands::assign::run(options, context),
        Verb::Lane(options) => commands::lane::run(options, context),
        Verb::Plan(options) => commands::plan::run(options, context),
        Verb::Attest(options) => commands::attest::run(options, context),
        Verb::Waive(options) => commands::waive::run(options, context),
        Verb::Note(options) => commands::note::run(options, context),
        Verb::Evidence(options) => commands::evidence::run(options, context),
        Verb::Edge(options) => commands::edge::run(options, context),
        Verb::Identify(options) => commands::identify::run(options, context),
        Verb::Revocation(options) => commands::revocation::run(options, context),
        Verb::CarryOver(options) => commands::carry_over::run(options, context),
        Verb::FollowUp(options) => commands::follow_up::run(options, context),
        Verb::Representatives(options) => {
            commands::cohort::run(Sample::Representatives, options, context)
        }
        Verb::Canaries(options) => commands::cohort::run(Sample::Canaries, options, context),
        Verb::Undo(options) => commands::undo::run(options, context),
        Verb::Key(options) => commands::key::run(options, context),
        Verb::Log(options) => commands::log::run(options, context),
        Verb::Completions(options) => {
            commands::completions::run(options, &mut Cli::command(), context)
        }
        Verb::Man(_) => commands::man::run(Cli::command(), context),
    }
}

/// What happens without a verb: the session named, else the only one here, else words on how to start.
fn bare(named: Option<PathBuf>, context: &mut Context) -> Result<Exit, CommandError> {
    let named = named.map(|path| commands::context::with_ending(&path));
    if let Some(word) = named.as_ref().filter(|path| !path.exists()) {
        return Err(CommandError::usage(format!(
            "`{}` is neither a command nor a file here",
            visible_within(&word.to_string_lossy(), 100)
        ))
        .hint("see `cutover --help`"));
    }
    let only = commands::context::sessions_in(&context.folder)?.len() == 1;
    if named.is_none() && context.session.is_none() && !only {
        return commands::start::run(context);
    }
    let options = commands::open::Options {
        session: named,
        ..commands::open::Options::default()
    };
    commands::open::run(&options, context)
}

/// Gathers flags, environment and configuration. An error gives the streams back, to be told on them.
fn context(global: &Global, out: Output) -> Result<Context, (CommandError, Output)> {
    match surroundings(global) {
        Ok(around) => Ok(around.context(global, out)),
        Err(error) => Err((error, out)),
    }
}

struct Around {
    config: Config,
    folders: directories::ProjectDirs,
    folder: PathBuf,
    now: Option<Ts>,
}

fn surroundings(global: &Global) -> Result<Around, CommandError> {
    let folders = directories::ProjectDirs::from("", "", "cutover")
        .ok_or_else(|| CommandError::config("there is no home folder").hint("set HOME"))?;
    let config = Config::read(folders.config_dir())?;
    let folder = std::env::current_dir().map_err(|error| {
        CommandError::user(format!("the current folder cannot be used: {error}"))
    })?;
    let now = global.now.as_deref().filter(|text| !text.is_empty());
    let now = now.map(|text| {
        Ts::parse(text).ok_or_else(|| {
            CommandError::usage("CUTOVER_NOW is not a valid time")
                .hint("write 2026-12-05T10:02:11Z, or unset it")
        })
    });
    let now = now.transpose()?;
    if let Some(path) = global.log_file.as_ref().or(config.log_file.as_ref()) {
        log::start(path)?;
        tracing::info!(version = env!("CARGO_PKG_VERSION"), "started");
    }
    Ok(Around {
        config,
        folders,
        folder,
        now,
    })
}

impl Around {
    fn context(self, global: &Global, out: Output) -> Context {
        let Self {
            config,
            folders,
            folder,
            now,
        } = self;
        let state = folders
            .state_dir()
            .unwrap_or(folders.data_local_dir())
            .to_owned();
        let session = global
            .session
            .clone()
            .filter(|path| !path.as_os_str().is_empty());
        let actor = global.actor.clone().filter(|name| !name.is_empty());
        let (stdin, stdout, stderr) = (
            io::stdin().is_terminal(),
            io::stdout().is_terminal(),
            io::stderr().is_terminal(),
        );
        Context {
            out,
            now: clock::clock(now),
            random: clock::random,
            folder,
            session,
            actor: actor.or(config.actor.clone()),
            login: variable("USER").or_else(|| variable("LOGNAME")),
            read_only: global.read_only,
            sign_with: global
                .sign_with
                .clone()
                .filter(|path| !path.as_os_str().is_empty())
                .or(config.sign_with.clone()),
            look: look(config, global.color),
            state,
            config_folder: Some(folders.config_dir().to_owned()),
            device: device(),
            browser: variable("BROWSER"),
            environment: || std::env::vars_os().collect(),
            variable: Arc::new(variable),
            home: variable("HOME").map(PathBuf::from),
            search: std::env::var_os("PATH"),
            target: variable("GITHUB_BASE_REF"),
            interactive: stdin && stderr,
            screen: stdin && stdout,
        }
    }
}

fn look(config: Config, choice: ColorChoice) -> Look {
    let hints = color_hints();
    Look {
        theme: config.theme,
        glyphs: config.glyphs,
        columns: config.columns,
        no_color: !crate::commands::output::colored(choice, hints, true),
        colorterm: variable("COLORTERM"),
        term: variable("TERM"),
        locale: variable("LC_ALL")
            .or_else(|| variable("LC_CTYPE"))
            .or_else(|| variable("LANG")),
        utc: false,
    }
}

/// Names this device, for people who read the log.
fn device() -> String {
    let name = variable("HOSTNAME")
        .or_else(|| std::fs::read_to_string("/proc/sys/kernel/hostname").ok())
        .unwrap_or_default();
    match name.trim() {
        "" => "device".to_owned(),
        name => visible_within(name, 64).into_owned(),
    }
}

/// Gives a variable that is set, not empty and text.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn color_hints() -> ColorHints {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    ColorHints {
        no_color: set("NO_COLOR").is_some(),
        force: set("CLICOLOR_FORCE").is_some_and(|value| value != "0"),
        dumb: set("TERM").is_some_and(|value| value == "dumb"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_is_sound() {
        Cli::command().debug_assert();
    }
}
