//! `cutover explain NAME`: what a gate of the waves, a rule of the scan, a cause of a failed publish, a check of the
//! preflight or a word of the product means, and what to do about it.
//!
//! Says only what their tables say.

use super::Exit;
use super::context::Context;
use super::error::CommandError;
use crate::assets::guide::glossary;
use crate::diagnose::signature::{Class, Signature, table};
use crate::model::gate::{GATES, GateSpec, WAVES, Way};
use crate::preflight::CHECKS;
use crate::safe::shown::visible;
use crate::scan::Severity;
use crate::scan::rule::{RULES, Rule};
use crate::session::guide::how_to_anywhere;
use std::io::Write;

/// Close names that a wrong one is answered with, at most.
const CLOSE: usize = 5;

/// Explain a gate, a scan rule, a cause of a failed publish, a preflight check or a word
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// A name such as lane-chosen, token-where-oidc-would-do, token-dead, npm-version or lane; none: list them all
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
}

/// Prints the words.
///
/// # Errors
/// Nothing is called that; the output cannot be written.
pub fn run(options: &Options, context: &mut Context) -> Result<Exit, CommandError> {
    let out = context.out.data();
    let Some(name) = options.name.as_deref() else {
        list(out)?;
        return Ok(Exit::Done);
    };
    let name = name.trim().to_ascii_lowercase();
    let rule = RULES.iter().find(|rule| rule.id == name);
    let gate = GATES.iter().find(|gate| gate.id == name);
    let cause = causes().find(|cause| cause.id == name);
    let check = CHECKS.iter().find(|(id, _)| *id == name);
    if let Some(rule) = rule {
        write_rule(rule, out)?;
    }
    if let Some(gate) = gate {
        write_gate(gate, out)?;
    }
    if let Some(cause) = cause {
        write_cause(cause, out)?;
    }
    if let Some((id, asks)) = check {
        writeln!(out, "{id}: a check of `cutover preflight`")?;
        writeln!(out, "  what it asks   {asks}")?;
        writeln!(
            out,
            "  what to do     run `cutover preflight` in the job: it depends on what it finds"
        )?;
    }
    let term = glossary().find(|term| term.is_called(&name));
    if let Some(term) = term {
        writeln!(out, "{}: a word of cutover", term.word)?;
        writeln!(out, "  what it means  {}", term.means)?;
    }
    if rule.is_some() || gate.is_some() || cause.is_some() || check.is_some() || term.is_some() {
        return Ok(Exit::Done);
    }
    let error = CommandError::not_found(format!(
        "no gate, rule, cause, check or word is called {}",
        visible(&name)
    ));
    Err(match nearest(&name).as_slice() {
        [] => error.hint("`cutover explain` lists them all"),
        near => error.hint(format!("did you mean {}?", near.join(", "))),
    })
}

fn write_rule(rule: &Rule, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(
        out,
        "{}: a rule of the scan, {}",
        rule.id,
        severity(rule.severity)
    )?;
    writeln!(out, "  what is wrong  {}", rule.title)?;
    writeln!(out, "  what to do     {}", rule.fix)?;
    writeln!(out, "  source         {}", rule.source)
}

/// Gives the causes of failed publishes, in the order in which they are tried; known noise is none.
fn causes() -> impl Iterator<Item = &'static Signature> {
    let all = table().all.iter().map(|known| &known.signature);
    all.filter(|signature| signature.class != Class::Noise)
}

fn write_cause(cause: &Signature, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(
        out,
        "{}: a cause of a failed publish, as `cutover diagnose` names it",
        cause.id
    )?;
    writeln!(out, "  what happened  {}", cause.title)?;
    writeln!(out, "  what it means  {}", cause.meaning)?;
    writeln!(out, "  what to do     {}", cause.action)?;
    let sure = cause.certainty.word();
    match &cause.doubt {
        Some(doubt) => writeln!(out, "  how sure       {sure}: {doubt}")?,
        None => writeln!(out, "  how sure       {sure}")?,
    }
    for source in &cause.sources {
        writeln!(out, "  source         {source}")?;
    }
    Ok(())
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Note => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

fn write_gate(gate: &GateSpec, out: &mut dyn Write) -> std::io::Result<()> {
    let wave = usize::from(gate.wave);
    let name = WAVES.get(wave).copied().unwrap_or_default();
    let title = match wave {
        6 => format!("a gate of {name}"),
        _ => format!("a gate of wave {wave}, {name}"),
    };
    writeln!(out, "{}: {title}", gate.id)?;
    writeln!(out, "  what it asks   {}", gate.asks)?;
    let subjects: Vec<&str> = gate.subjects.iter().map(|kind| kind.word()).collect();
    writeln!(out, "  of each        {}", subjects.join(", "))?;
    let lanes: Vec<&str> = gate.lanes.iter().map(|lane| lane.word()).collect();
    let lanes = match gate.lanes.is_all() {
        true => "every lane".to_owned(),
        false => lanes.join(", "),
    };
    writeln!(out, "  in             {lanes}")?;
    writeln!(out, "  what it takes  {}", takes(gate))?;
    writeln!(out, "  what to do     {}", gate.next)?;
    let how = how_to_anywhere(gate.id);
    let label = |first: bool| if first { "how" } else { "" };
    for (at, step) in how.steps.iter().enumerate() {
        writeln!(out, "  {:14} {}", label(at == 0), step)?;
    }
    if let Some(docs) = how.docs {
        writeln!(out, "  documentation  {docs}")?;
    }
    let waive = if gate.said { "" } else { ", or cutover waive" };
    match gate.decision {
        Some(command) => writeln!(out, "  by decision    `{command}`{waive}"),
        None => writeln!(
            out,
            "  by hand        cutover attest {} --about NAME --note TEXT{waive}",
            gate.id
        ),
    }
}

fn takes(gate: &GateSpec) -> String {
    let mut words = vec![match (gate.way, gate.decision) {
        (Way::Observed, None) => {
            "checked automatically; if that is impossible, confirmed by hand with a note"
        }
        (Way::Observed, Some(_)) => "checked automatically; if that is impossible, decided by hand",
        (Way::Attested, None) => "confirmed by hand with a note",
        (Way::Attested, Some(_)) => "a decision",
    }];
    if gate.latches {
        words.push("stays passed unless new evidence contradicts it");
    }
    if gate.advice {
        words.push("advice: never holds a wave up");
    }
    if gate.team {
        words.push("for teams only: does not apply in a solo session");
    }
    words.join("; ")
}

fn list(out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "Gates, by wave:")?;
    for gate in GATES {
        writeln!(out, "  {} {:30} {}", gate.wave, gate.id, gate.asks)?;
    }
    writeln!(out, "\nRules of the scan:")?;
    for rule in RULES.iter() {
        writeln!(out, "  {:32} {}", rule.id, rule.title)?;
    }
    writeln!(out, "\nCauses of failed publishes:")?;
    for cause in causes() {
        writeln!(out, "  {:32} {}", cause.id, cause.title)?;
    }
    writeln!(out, "\nChecks of the preflight:")?;
    for (id, asks) in CHECKS {
        writeln!(out, "  {id:32} {asks}")?;
    }
    writeln!(out, "\nWords:")?;
    for term in glossary() {
        writeln!(out, "  {:32} {}", term.word, term.means)?;
    }
    Ok(())
}

/// Gives the names that are most like a wrong one: those that hold it, then those few letters away.
fn nearest(name: &str) -> Vec<&'static str> {
    let all = GATES
        .iter()
        .map(|gate| gate.id)
        .chain(RULES.iter().map(|rule| rule.id))
        .chain(causes().map(|cause| cause.id.as_str()))
        .chain(CHECKS.iter().map(|(id, _)| *id))
        .chain(glossary().map(|term| term.word));
    let mut near: Vec<(usize, &str)> = all
        .map(|known| {
            let holds = name.len() >= 3 && known.contains(name);
            (if holds { 1 } else { distance(name, known) }, known)
        })
        .filter(|(far, known)| *far <= (known.len() / 3).max(2))
        .collect();
    near.sort_unstable();
    near.dedup();
    near.into_iter()
        .take(CLOSE)
        .map(|(_, known)| known)
        .collect()
}

/// Counts the letters to insert, delete or change between two words. A word longer than any name is far from all.
fn distance(a: &str, b: &str) -> usize {
    if a.len() > 64 {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (above, one) in a.bytes().enumerate() {
        let mut corner = above;
        let mut left = above + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (cell, other) in row.iter_mut().skip(1).zip(b.bytes()) {
            let change = corner + usize::from(one != other);
            corner = *cell;
            left = change.min(*cell + 1).min(left + 1);
            *cell = left;
        }
    }
    row.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_wrong_name_is_answered_with_near_ones() {
        assert_eq!(nearest("lane-choosen").first(), Some(&"lane-chosen"));
        assert!(nearest("canary").contains(&"canary-published"));
        assert_eq!(nearest("zzzzzzzzzzzz"), Vec::<&str>::new());
        assert_eq!(nearest(&"x".repeat(10_000)), Vec::<&str>::new());
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
    }

    #[test]
    fn every_gate_and_rule_says_everything() {
        for gate in GATES {
            let mut out = Vec::new();
            write_gate(gate, &mut out).unwrap();
            let text = String::from_utf8(out).unwrap();
            assert!(
                // Longer than the column of labels: every label says something.
                text.lines().all(|line| line.trim_end().len() > 17),
                "{text}"
            );
        }
        for rule in RULES.iter() {
            let mut out = Vec::new();
            write_rule(rule, &mut out).unwrap();
            let text = String::from_utf8(out).unwrap();
            assert!(text.contains("https://"), "{text}");
        }
        for cause in causes() {
            let mut out = Vec::new();
            write_cause(cause, &mut out).unwrap();
            let text = String::from_utf8(out).unwrap();
            assert!(text.lines().all(|line| line.len() > 17), "{text}");
        }
    }
}
