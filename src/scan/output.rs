//! What a scan prints: JSON version 1, a table for a terminal, and workflow annotations.
//!
//! Owns the shapes; writes into what it is given and decides nothing about colour, files or exit codes.
//! Every foreign text leaves through `safe`: made visible in the table, encoded in the annotations,
//! redacted and in ASCII in JSON.

mod table;

use std::io::{self, Write};

use rayon::prelude::*;

use super::{RepoScan, Severity};
use crate::safe::{json::write_json, sink};

pub use table::write_table;

/// Repositories that are encoded at a time, on all cores.
const CHUNK: usize = 256;

/// Writes `{"version":1,"repos":[…]}`, one repository a line.
///
/// # Errors
/// Only what the writer gives.
pub fn write_scan_json(repos: &[RepoScan], out: &mut impl Write) -> io::Result<()> {
    out.write_all(b"{\"version\":1,\"repos\":[")?;
    let mut between: &[u8] = b"\n";
    for some in repos.chunks(CHUNK) {
        let encoded = some.par_iter().map(|repo| {
            let mut bytes = Vec::new();
            write_json(&mut bytes, repo).map(|()| bytes)
        });
        for bytes in encoded.collect::<io::Result<Vec<_>>>()? {
            out.write_all(between)?;
            out.write_all(&bytes)?;
            between = b",\n";
        }
    }
    out.write_all(b"\n]}\n")
}

/// Writes one workflow command a finding, for GitHub Actions to show beside the lines of a pull request.
///
/// # Errors
/// Only what the writer gives.
pub fn write_annotations(repos: &[RepoScan], out: &mut impl Write) -> io::Result<()> {
    for finding in repos.iter().flat_map(|r| &r.findings) {
        let command = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "notice",
        };
        let text = format!("{}. {}", finding.message.trim_end_matches('.'), finding.fix);
        let place = [
            ("file", finding.file.clone()),
            ("line", finding.line.max(1).to_string()),
            ("col", finding.column.max(1).to_string()),
            ("title", format!("cutover: {}", finding.rule)),
        ];
        let place: Vec<(&str, &str)> = place.iter().map(|(k, v)| (*k, v.as_str())).collect();
        writeln!(out, "{}", sink::actions_command(command, &place, &text))?;
    }
    Ok(())
}

#[cfg(test)]
pub(super) mod tests;
