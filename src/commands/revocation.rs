//! `cutover revocation record`: a revocation that somebody did at the registry. This program revokes nothing.
//!
//! What is recorded cannot be undone: it shows what hangs on the token and wants its name, as the console does.

use super::Exit;
use super::context::Context;
use super::decide::{Deciding, day};
use super::error::CommandError;
use crate::model::facts::Facts;
use crate::model::gate::{GateId, View, judge};
use crate::model::id::Subject;
use crate::model::revoke::{Strength, chain};
use crate::model::time::Ts;
use crate::safe::shell::quote;
use crate::safe::shown::{counted, visible};
use crate::session::decide::RevocationAction;
use crate::session::name::label;

/// Secrets, and places, of the chain that are listed one by one.
const LISTED: usize = 10;

/// Record what was revoked
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    #[command(subcommand)]
    pub verb: Verb,
}

#[derive(Debug, Clone, clap::Subcommand)]
pub enum Verb {
    /// Record a revocation that somebody did at npm; cutover revokes nothing itself
    Record(Record),
}

#[derive(Debug, Clone, clap::Args)]
pub struct Record {
    /// The token, for example token:rosa/3f2a
    #[arg(value_name = "TOKEN")]
    pub token: String,
    /// The token's id, for a comparison: the `key` that `npm token list --json` prints
    #[arg(long, value_name = "ID")]
    pub id: String,
    /// The day it was revoked (2026-12-05)
    #[arg(long, value_name = "DAY")]
    pub on: String,
    /// Who revoked it; default: you
    #[arg(long, value_name = "PERSON")]
    pub who: Option<String>,
    /// What shows it: a link, a ticket, or what was seen
    #[arg(long, value_name = "TEXT")]
    pub proof: String,
    /// The token's name, to confirm what cannot be undone; a terminal asks for it
    #[arg(long, value_name = "NAME")]
    pub confirm: Option<String>,
}

/// Records, once somebody has seen what hangs on the token and written its name.
///
/// # Errors
/// A name means nothing, the id is another token's, it is refused, or nobody wrote the token's name.
pub fn run(options: &Options, context: &mut Context) -> Result<Exit, CommandError> {
    let Verb::Record(record) = &options.verb;
    let now = context.now();
    let on = day(&record.on, now)?;
    let deciding = Deciding::open(context)?;
    let session = &deciding.session;
    let token = deciding.find(&record.token)?;
    let who = record.who.clone();
    let action = RevocationAction::Record {
        token,
        token_id: record.id.clone(),
        on,
        who: who.unwrap_or_else(|| session.actor().to_owned()),
        proof: record.proof.clone(),
    }
    .into();
    // What is refused anyway is refused before anybody has to read and type.
    let actions = [action];
    session.try_decide(&actions, now)?;
    let panel = panel(session.facts(), token, now);
    agree(session.facts(), token, record, panel, context)?;
    deciding.take(&actions, context)
}

/// Shows the panel and wants the token's name: as given with the command, else typed.
fn agree(
    facts: &Facts,
    token: Subject,
    record: &Record,
    panel: Vec<String>,
    context: &mut Context,
) -> Result<(), CommandError> {
    let name = label(facts, token);
    panel.iter().for_each(|line| context.out.say(line));
    let given = match &record.confirm {
        Some(given) => Some(given.clone()),
        None => context.prompt(&format!("Type {name} to write it:")),
    };
    let Some(given) = given else {
        return Err(CommandError::usage(
            "nothing was written: a revocation that is recorded cannot be undone, so it needs the token's name",
        )
        .hint(format!("add `--confirm {}`", quote(&name))));
    };
    if given.trim().trim_start_matches("token:") == name {
        return Ok(());
    }
    Err(CommandError::user(format!(
        "nothing was written: `{}` is not the token's name",
        visible(&given)
    ))
    .hint(format!("its name is {name}")))
}

/// Says what hangs on a token, as far as it is known, and what cannot be undone.
fn panel(facts: &Facts, token: Subject, now: Ts) -> Vec<String> {
    let chain = chain(facts, token, now);
    let mut lines = vec![format!("The token {}:", label(facts, token))];
    let (missing, known): (Vec<_>, Vec<_>) = chain
        .edges
        .iter()
        .partition(|edge| edge.strength == Strength::Missing);
    let edges = known
        .iter()
        .filter(|edge| edge.holds)
        .map(|edge| {
            let secret = label(facts, edge.secret);
            format!(
                "  {}: {secret}: {}",
                edge.strength.word(),
                visible(&edge.words)
            )
        })
        .collect();
    listed(edges, "more such secret", &mut lines);
    let missing = missing.len() + chain.more_missing;
    if missing > 0 {
        let secrets = counted(missing, "secret");
        lines.push(format!("  missing: {secrets} may hold it"));
    }
    let open = chain
        .holds
        .iter()
        .filter(|hold| !hold.released)
        .map(|hold| {
            format!(
                "  in its way: {}: {}",
                visible(&hold.place(facts)),
                hold.words
            )
        })
        .collect();
    listed(open, "more such place", &mut lines);
    if !chain.not_looked.is_empty() {
        lines.push(format!("  not looked at: {}", chain.not_looked.join(", ")));
    }
    let view = View::new(facts, token, now);
    if let Some(verdict) = GateId::parse("chain-complete").map(|gate| judge(&view, gate)) {
        let (state, why) = (verdict.state.words(), visible(&verdict.why).into_owned());
        lines.push(format!("  safe to revoke: {state}: {why}"));
    }
    lines.push(
        "This records what was done at the registry; it revokes nothing by itself.".to_owned(),
    );
    lines.push("What was done stays recorded: it cannot be undone.".to_owned());
    lines
}

/// Adds the first lines, and the count of the others.
fn listed(mut these: Vec<String>, noun: &str, lines: &mut Vec<String>) {
    let more = these.len().saturating_sub(LISTED);
    these.truncate(LISTED);
    lines.append(&mut these);
    if more > 0 {
        lines.push(format!("  and {}", counted(more, noun)));
    }
}
