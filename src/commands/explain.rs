//! `cutover explain RULE|GATE`: what a rule of the scan or a gate of the waves asks, and what to do about it.
//!
//! Says only what the two tables say.

use super::Exit;
use super::context::Context;
use super::error::CommandError;
use crate::model::gate::{GATES, GateSpec, WAVES, Way};
use crate::safe::shown::visible;
use crate::scan::Severity;
use crate::scan::rule::{RULES, Rule};
use std::io::Write;

/// Close names that a wrong one is answered with, at most.
const CLOSE: usize = 5;

/// Explain a rule of the scan or a gate of the waves
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// A rule such as token-where-oidc-would-do, or a gate such as lane-chosen; none: list them all
    #[arg(value_name = "RULE|GATE")]
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
    if let Some(rule) = rule {
        write_rule(rule, out)?;
    }
    if let Some(gate) = gate {
        write_gate(gate, out)?;
    }
    if rule.is_some() || gate.is_some() {
        return Ok(Exit::Done);
    }
    let error =
        CommandError::not_found(format!("no rule and no gate is called {}", visible(&name)));
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
    writeln!(
        out,
        "  by hand        cutover attest {} --about NAME --note TEXT, or cutover waive",
        gate.id
    )
}

fn takes(gate: &GateSpec) -> String {
    let mut words = vec![match gate.way {
        Way::Observed => "an observation; while nothing can look, somebody's word with a note",
        Way::Attested => "somebody's word or decision",
    }];
    if gate.latches {
        words.push("once met it stays met, unless contradicted");
    }
    if gate.advice {
        words.push("advice: never counted as missing");
    }
    if gate.team {
        words.push("for teams only: it does not apply in a solo session");
    }
    words.join("; ")
}

fn list(out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "Gates, by wave:")?;
    for gate in GATES {
        writeln!(out, "  {} {:30} {}", gate.wave, gate.id, gate.asks)?;
    }
    writeln!(out, "\nRules of the scan:")?;
    for rule in RULES {
        writeln!(out, "  {:32} {}", rule.id, rule.title)?;
    }
    Ok(())
}

/// Gives the names that are most like a wrong one: those that hold it, then those few letters away.
fn nearest(name: &str) -> Vec<&'static str> {
    let all = GATES
        .iter()
        .map(|gate| gate.id)
        .chain(RULES.iter().map(|rule| rule.id));
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
        for rule in RULES {
            let mut out = Vec::new();
            write_rule(rule, &mut out).unwrap();
            let text = String::from_utf8(out).unwrap();
            assert!(text.contains("https://"), "{text}");
        }
    }
}
