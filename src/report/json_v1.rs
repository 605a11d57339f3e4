//! Status and report as JSON, version 1. The names are those of the documents' structs and never change.
//!
//! A report is written as it is made: pages of repositories do not gather in memory.

use super::page::page;
use super::runbook::Runbook;
use super::status::Status;
use super::{Error, Runs};
use crate::model::time::Ts;
use crate::safe::json::write_json;
use crate::session::Session;
use serde::Serialize;
use std::io::Write;

/// Writes a status.
///
/// # Errors
/// What the writer gives.
pub fn status(status: &Status, out: &mut dyn Write) -> Result<(), Error> {
    Ok(writeln!(out, "{}", text(status)?)?)
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
    let head = text(runbook)?;
    let head = head.strip_suffix('}').unwrap_or(&head);
    write!(out, "{head},\"pages\":[")?;
    let mut first = true;
    Runs::new(&runbook.order).each(
        |repo| text(&page(session, &runbook.shared, repo, now)),
        |text| {
            let comma = if std::mem::take(&mut first) {
                "\n"
            } else {
                ",\n"
            };
            write!(out, "{comma}{text}")?;
            Ok(())
        },
    )?;
    writeln!(out, "\n]}}")?;
    Ok(())
}

/// The encoder redacts once more and writes ASCII only.
fn text(value: &impl Serialize) -> Result<String, Error> {
    let mut bytes = Vec::new();
    write_json(&mut bytes, value)?;
    Ok(String::from_utf8(bytes).map_err(std::io::Error::other)?)
}
