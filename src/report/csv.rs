//! The status as CSV: a row for each repository, cells that no spreadsheet takes for a formula.
//!
//! Owns the columns, which scripts read by name: new ones are added at the end.

use super::Error;
use super::status::Status;
use crate::safe::sink::csv_cell;
use std::io::Write;

const HEAD: [&str; 19] = [
    "repo",
    "owner",
    "reviewer",
    "lane",
    "wave_0",
    "wave_1",
    "wave_2",
    "wave_3",
    "wave_4",
    "wave_5",
    "after_care",
    "blocked",
    "end_states",
    "open_paths",
    "clock",
    "clock_ends",
    "next_gate",
    "next_state",
    "next_step",
];

/// Writes the repositories of a status.
///
/// # Errors
/// What the writer gives.
pub fn status(status: &Status, out: impl Write) -> Result<(), Error> {
    let mut csv = ::csv::Writer::from_writer(out);
    csv.write_record(HEAD)?;
    for row in &status.repos {
        let mut cells: Vec<String> = vec![
            csv_cell(&row.repo),
            csv_cell(row.owner.as_deref().unwrap_or_default()),
            csv_cell(row.reviewer.as_deref().unwrap_or_default()),
            row.lane_word().to_owned(),
        ];
        let waves = row.waves.iter();
        cells.extend(waves.map(|wave| format!("{} of {}", wave.met(), wave.total())));
        let clock = row.clock.as_ref();
        let next = row.next.as_ref();
        cells.extend([
            if row.blocked { "yes" } else { "no" }.to_owned(),
            row.end_states.words(),
            row.end_states.all.open.to_string(),
            clock.map_or_else(String::new, |clock| clock.what.to_owned()),
            clock.map_or_else(String::new, |clock| clock.ends.to_string()),
            next.map_or_else(String::new, |next| next.gate.to_owned()),
            next.map_or_else(String::new, |next| next.state.to_owned()),
            csv_cell(next.map_or(row.waits.as_deref().unwrap_or_default(), |next| &next.step)),
        ]);
        csv.write_record(&cells)?;
    }
    csv.flush()?;
    Ok(())
}
