//! Status and report as JSON, version 1. The names are those of the documents' structs and never change.
//!
//! A report is written as it is made: pages of repositories do not gather in memory.

use super::page::page;
use super::runbook::Runbook;
use super::status::Status;
use super::{Error, Runs};
use crate::model::time::Ts;
use crate::safe::sink::json;
use crate::session::Session;
use std::io::Write;

/// Writes a status.
///
/// # Errors
/// What the writer gives.
pub fn status(status: &Status, out: &mut dyn Write) -> Result<(), Error> {
    writeln!(out, "{}", json(&serde_json::to_string(status)?))?;
    Ok(())
}

/// Writes a report: the summary's fields, then `pages`.
///
/// # Errors
/// What the writer gives.
pub fn report(
    session: &Session,
    runbook: &Runbook,
    now: Ts,
    out: &mut dyn Write,
) -> Result<(), Error> {
    let head = serde_json::to_string(runbook)?;
    let head = head.strip_suffix('}').unwrap_or(&head);
    write!(out, "{},\"pages\":[", json(head))?;
    let mut first = true;
    Runs::new(&runbook.order).each(
        |repo| Ok(serde_json::to_string(&page(session, repo, now))?),
        |text| {
            let comma = if std::mem::take(&mut first) { "\n" } else { ",\n" };
            write!(out, "{comma}{}", json(&text))?;
            Ok(())
        },
    )?;
    writeln!(out, "\n]}}")?;
    Ok(())
}
