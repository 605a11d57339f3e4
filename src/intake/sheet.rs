//! One shape for four formats: CSV, TOML, JSON and YAML become a sheet of named cells with their lines.
//!
//! Owns reading and the refusal of anything that looks like a credential, before a column has a meaning.
//! Must not interpret a cell: scalars stay the text that was written, so that `no`, `1.10` and `007` stay what they are.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::path::Path;

use super::{IntakeError, SecretPlace, has_secret, names, text};
use crate::safe::redact;
use crate::safe::shown::visible;

mod flatten;
mod tree;

pub(super) use tree::Lines;

/// Most bytes in one cell: a longer one is a quote that was left open, not a value.
const MAX_CELL: usize = 16 * 1024;
/// Most columns of a list.
const MAX_COLUMNS: usize = 512;

/// How a list is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Csv,
    Toml,
    Json,
    Yaml,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Csv => "CSV",
            Self::Toml => "TOML",
            Self::Json => "JSON",
            Self::Yaml => "YAML",
        })
    }
}

impl Format {
    /// Tells the format by the file's ending.
    ///
    /// # Errors
    /// The ending is none of those that are read.
    pub fn of(path: &Path) -> Result<Self, IntakeError> {
        let ending = path
            .extension()
            .map(|e| e.to_string_lossy().to_ascii_lowercase());
        match ending.as_deref() {
            Some("csv" | "tsv") => Ok(Self::Csv),
            Some("toml") => Ok(Self::Toml),
            Some("json") => Ok(Self::Json),
            Some("yaml" | "yml") => Ok(Self::Yaml),
            _ => Err(IntakeError::UnknownFormat {
                path: path.to_owned(),
            }),
        }
    }
}

/// A list as it was written: columns in order of first appearance, records in file order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    pub format: Format,
    pub columns: Vec<String>,
    pub records: Vec<Record>,
}

/// One record; empty cells are left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub line: u32,
    pub cells: Vec<Cell>,
}

/// One cell: what was written, not yet understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// Index into the sheet's columns.
    pub column: usize,
    pub line: u32,
    /// One text for a scalar, any number for a list.
    pub values: Vec<String>,
}

impl Sheet {
    /// Reads a list. Formats with nested tables are flattened: `token: {scopes: …}` is the column `token.scopes`.
    ///
    /// # Errors
    /// Not UTF-8, not valid in its format, of no known shape, or holding something that looks like a credential.
    pub fn read(bytes: &[u8], format: Format) -> Result<Self, IntakeError> {
        let text = text(bytes)?;
        let sheet = match format {
            Format::Csv => csv_sheet(text)?,
            Format::Toml => flatten::flatten(format, &tree::toml(text)?)?,
            Format::Json => flatten::flatten(format, &tree::json(text)?)?,
            Format::Yaml => flatten::flatten(format, &tree::yaml(text)?)?,
        };
        sheet.refuse_secrets()?;
        Ok(sheet)
    }

    /// Names every place that looks like a credential, headings included.
    fn refuse_secrets(&self) -> Result<(), IntakeError> {
        let mut places: Vec<SecretPlace> = Vec::new();
        let titles: Vec<String> = self
            .columns
            .iter()
            .enumerate()
            .map(|(i, name)| {
                if has_secret(name) {
                    let column = format!("the heading of column {}", i + 1);
                    let line = self.first_line(i);
                    places.push(SecretPlace { line, column });
                    format!("column {}", i + 1)
                } else {
                    format!("column `{name}`")
                }
            })
            .collect();
        for cell in self.records.iter().flat_map(|r| &r.cells) {
            if cell.values.iter().any(|value| has_secret(value)) {
                places.push(SecretPlace {
                    line: cell.line,
                    column: titles.get(cell.column).cloned().unwrap_or_default(),
                });
            }
        }
        if places.is_empty() {
            Ok(())
        } else {
            Err(IntakeError::Secret(places))
        }
    }

    /// The line a heading stands on: the first line of a CSV, else that of the first cell under it.
    fn first_line(&self, column: usize) -> u32 {
        if self.format == Format::Csv {
            return 1;
        }
        let mut cells = self.records.iter().flat_map(|r| &r.cells);
        cells.find(|c| c.column == column).map_or(1, |c| c.line)
    }
}

/// Collects records whose columns are known by name only.
#[derive(Default)]
struct Builder {
    columns: Vec<String>,
    index: HashMap<String, usize>,
    records: Vec<Record>,
}

impl Builder {
    fn column(&mut self, name: &str) -> Result<usize, IntakeError> {
        if let Some(at) = self.index.get(name) {
            return Ok(*at);
        }
        let at = self.columns.len();
        if at >= MAX_COLUMNS {
            return Err(IntakeError::Shape {
                message: format!("more than {MAX_COLUMNS} columns; keep those of the template"),
            });
        }
        self.columns.push(name.to_owned());
        self.index.insert(name.to_owned(), at);
        Ok(at)
    }

    fn cell(&mut self, name: &str, line: u32, values: Vec<String>) -> Result<Cell, IntakeError> {
        if let Some(long) = values.iter().find(|v| v.len() > MAX_CELL) {
            return Err(IntakeError::Shape {
                message: format!(
                    "line {line}: a cell of {} bytes; close the quote that was left open, or shorten it to {MAX_CELL}",
                    long.len()
                ),
            });
        }
        let column = self.column(name)?;
        Ok(Cell {
            column,
            line,
            values,
        })
    }

    fn finish(self, format: Format) -> Result<Sheet, IntakeError> {
        if self.records.is_empty() {
            return Err(IntakeError::Shape {
                message: format!(
                    "the list has no records (columns seen: {}); write one per repository",
                    names(&redacted(&self.columns))
                ),
            });
        }
        Ok(Sheet {
            format,
            columns: self.columns,
            records: self.records,
        })
    }
}

/// Column names that may stand in a message.
fn redacted(columns: &[String]) -> Vec<String> {
    columns
        .iter()
        .map(|c| {
            if has_secret(c) {
                "(looks like a credential)".to_owned()
            } else {
                c.clone()
            }
        })
        .collect()
}

/// A parser's own words, fit for a screen: one line, redacted, visible.
pub(super) fn said(message: &str) -> String {
    visible(&redact::redact(message.lines().next().unwrap_or_default())).into_owned()
}

fn csv_sheet(text: &str) -> Result<Sheet, IntakeError> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .delimiter(delimiter(text))
        .from_reader(text.as_bytes());
    let lines = Lines::of(text);
    let mut builder = Builder::default();
    let mut headings: Option<Vec<String>> = None;
    for record in reader.records() {
        let record = record.map_err(|e| IntakeError::Syntax {
            format: Format::Csv,
            line: e.position().map_or(0, |p| saturate(p.line())),
            message: said(&e.to_string()),
        })?;
        let line = lines.at(record_start(text, &record));
        if record.iter().all(str::is_empty) {
            continue;
        }
        match &headings {
            None => headings = Some(csv_headings(&record, line)?),
            Some(titles) => {
                let row = csv_record(&mut builder, titles, &record, line)?;
                builder.records.push(row);
            }
        }
    }
    for title in headings.iter().flatten() {
        builder.column(title)?;
    }
    builder.finish(Format::Csv)
}

/// The first byte of a record: the reader's position is before the line ends that it skips.
fn record_start(text: &str, record: &csv::StringRecord) -> usize {
    let at = record
        .position()
        .and_then(|p| usize::try_from(p.byte()).ok())
        .unwrap_or(0);
    let rest = text.as_bytes().get(at..).unwrap_or_default();
    let skipped = rest.iter().take_while(|b| matches!(b, b'\r' | b'\n'));
    at + skipped.count()
}

fn csv_headings(record: &csv::StringRecord, line: u32) -> Result<Vec<String>, IntakeError> {
    let mut seen = HashSet::new();
    for title in record.iter().filter(|t| !t.is_empty()) {
        if !seen.insert(title) {
            return Err(IntakeError::Shape {
                message: format!(
                    "line {line}: two columns are named `{}`; give each its own name",
                    said(title)
                ),
            });
        }
    }
    let named = |(i, title): (usize, &str)| {
        if title.is_empty() {
            format!("(column {})", i + 1)
        } else {
            title.to_owned()
        }
    };
    Ok(record.iter().enumerate().map(named).collect())
}

fn csv_record(
    builder: &mut Builder,
    titles: &[String],
    record: &csv::StringRecord,
    line: u32,
) -> Result<Record, IntakeError> {
    // Columns are entered in the order of the headings, whatever cells are empty.
    if builder.columns.is_empty() {
        for title in titles {
            builder.column(title)?;
        }
    }
    let mut cells = Vec::new();
    for (i, value) in record.iter().enumerate() {
        if value.is_empty() {
            continue;
        }
        let Some(title) = titles.get(i) else {
            return Err(IntakeError::Shape {
                message: format!(
                    "line {line}: a value in column {} but only {} headings; quote cells that hold the separator",
                    i + 1,
                    titles.len()
                ),
            });
        };
        cells.push(builder.cell(title, line, vec![value.to_owned()])?);
    }
    Ok(Record { line, cells })
}

/// The separator that stands most often outside quotes in the first line: comma, semicolon or tab.
fn delimiter(text: &str) -> u8 {
    let first = text
        .lines()
        .find(|l| !l.trim().is_empty())
        .unwrap_or_default();
    let mut quoted = false;
    let mut counts = [(b',', 0_u32), (b';', 0), (b'\t', 0)];
    for byte in first.bytes() {
        if byte == b'"' {
            quoted = !quoted;
        }
        if let Some(count) = counts.iter_mut().find(|c| c.0 == byte && !quoted) {
            count.1 += 1;
        }
    }
    // The comma wins a draw.
    let best = counts.iter().rev().max_by_key(|c| c.1);
    best.map_or(b',', |c| c.0)
}

pub(super) fn saturate(n: u64) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
