//! Inventory rows in the shape of the one-page template per repository.
//!
//! Owns what each field may hold. A row keeps the line of every value; nothing is defaulted, and what cannot be read
//! refuses the list with all places named at once. Must not decide anything: a lane here is what somebody wrote down.

use super::cell::{self, Day, LaneWord};
use super::columns::{Field, Mapping, Override};
use super::sheet::{Cell, Format, Record, Sheet};
use super::{CellProblem, IntakeError};
use crate::model::fact::InventoryFact;

/// A value and the line it stands on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sourced<T> {
    pub value: T,
    pub line: u32,
}

/// One record of an inventory; a field that the list leaves empty is `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InventoryRow {
    /// Line the record starts on.
    pub line: u32,
    pub repo: Sourced<String>,
    pub packages: Option<Sourced<Vec<String>>>,
    pub owner: Option<Sourced<String>>,
    pub reviewer: Option<Sourced<String>>,
    pub lane: Option<Sourced<LaneWord>>,
    pub token_scopes: Option<Sourced<Vec<String>>>,
    pub token_expires: Option<Sourced<Day>>,
    pub bypass_2fa: Option<Sourced<bool>>,
    pub secret_name: Option<Sourced<String>>,
    pub secret_store: Option<Sourced<String>>,
    pub environment: Option<Sourced<String>>,
    pub canary_date: Option<Sourced<Day>>,
    pub canary_tag: Option<Sourced<String>>,
    pub revoked_token_id: Option<Sourced<String>>,
    pub revoked_on: Option<Sourced<Day>>,
    pub provenance_verified: Option<Sourced<bool>>,
    pub dist_tags_correct: Option<Sourced<bool>>,
    pub docs_updated: Option<Sourced<bool>>,
}

impl InventoryRow {
    /// Makes the fact of a row: what people say of a repository. `list` names the file, for those who look it up.
    #[must_use]
    pub fn fact(&self, list: &str) -> InventoryFact {
        let text =
            |field: &Option<Sourced<String>>| field.as_ref().map(|f| f.value.as_str().into());
        let texts = |field: &Option<Sourced<Vec<String>>>| -> Vec<Box<str>> {
            let all = field.iter().flat_map(|f| &f.value);
            all.map(|item| item.as_str().into()).collect()
        };
        let date = |field: &Option<Sourced<Day>>| field.as_ref().map(|f| f.value.date);
        let flag = |field: &Option<Sourced<bool>>| field.as_ref().map(|f| f.value);
        let lane = self.lane.as_ref().and_then(|f| match f.value {
            LaneWord::One(lane) => Some(lane),
            LaneWord::Mixed => None,
        });
        InventoryFact {
            name: self.repo.value.as_str().into(),
            packages: texts(&self.packages),
            owner: text(&self.owner),
            reviewer: text(&self.reviewer),
            lane,
            token_scopes: texts(&self.token_scopes),
            token_expires: date(&self.token_expires),
            bypass_2fa: flag(&self.bypass_2fa),
            secret_name: text(&self.secret_name),
            secret_store: text(&self.secret_store),
            environment: text(&self.environment),
            canary_date: date(&self.canary_date),
            canary_tag: text(&self.canary_tag),
            revoked_token_id: text(&self.revoked_token_id),
            revoked_on: date(&self.revoked_on),
            provenance_verified: flag(&self.provenance_verified),
            dist_tags_correct: flag(&self.dist_tags_correct),
            docs_updated: flag(&self.docs_updated),
            from: format!("{list}:{}", self.line).into(),
        }
    }
}

/// A read inventory: its rows and how its columns were understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inventory {
    pub mapping: Mapping,
    pub rows: Vec<InventoryRow>,
}

impl Inventory {
    /// Reads a list: format, columns, rows. Show [`Mapping::table`] for a yes where [`Mapping::needs_yes`].
    ///
    /// # Errors
    /// The list cannot be read, holds something that looks like a credential, names no repository, or has cells that
    /// do not fit their fields.
    pub fn read(bytes: &[u8], format: Format, overrides: &[Override]) -> Result<Self, IntakeError> {
        let sheet = Sheet::read(bytes, format)?;
        let mapping = Mapping::of(&sheet.columns, overrides)?;
        let rows = rows(&sheet, &mapping)?;
        Ok(Self { mapping, rows })
    }
}

/// Reads the rows of a sheet under a mapping.
///
/// # Errors
/// Names every cell that does not fit its field.
pub fn rows(sheet: &Sheet, mapping: &Mapping) -> Result<Vec<InventoryRow>, IntakeError> {
    let mut problems = Vec::new();
    let mut rows = Vec::with_capacity(sheet.records.len());
    for record in &sheet.records {
        let mut reader = RowReader {
            sheet,
            mapping,
            record,
            problems: &mut problems,
        };
        rows.extend(reader.row());
    }
    if problems.is_empty() {
        Ok(rows)
    } else {
        problems.sort_by_key(|p| p.line);
        Err(IntakeError::Cells(problems))
    }
}

struct RowReader<'a> {
    sheet: &'a Sheet,
    mapping: &'a Mapping,
    record: &'a Record,
    problems: &'a mut Vec<CellProblem>,
}

impl<'a> RowReader<'a> {
    fn row(&mut self) -> Option<InventoryRow> {
        let repo = self.one(Field::Repo, cell::repo);
        if repo.is_none() && self.cell(Field::Repo).is_none() {
            self.problems.push(CellProblem {
                line: self.record.line,
                column: self.title(Field::Repo),
                message: "empty; every record names its repository".to_owned(),
            });
        }
        // Every cell is read even where the repository is wrong, so that one run names all that is to be corrected.
        let row = InventoryRow {
            line: self.record.line,
            repo: repo.clone().unwrap_or(Sourced {
                value: String::new(),
                line: 0,
            }),
            packages: self.many(Field::Packages, cell::package),
            owner: self.one(Field::Owner, cell::line),
            reviewer: self.one(Field::Reviewer, cell::line),
            lane: self.one(Field::Lane, cell::lane),
            token_scopes: self.many(Field::TokenScopes, cell::line),
            token_expires: self.one(Field::TokenExpires, cell::day),
            bypass_2fa: self.one(Field::Bypass2fa, cell::yes_no),
            secret_name: self.one(Field::SecretName, cell::secret_name),
            secret_store: self.one(Field::SecretStore, cell::line),
            environment: self.one(Field::Environment, cell::line),
            canary_date: self.one(Field::CanaryDate, cell::day),
            canary_tag: self.one(Field::CanaryTag, cell::tag),
            revoked_token_id: self.one(Field::RevokedTokenId, cell::line),
            revoked_on: self.one(Field::RevokedOn, cell::day),
            provenance_verified: self.one(Field::ProvenanceVerified, cell::yes_no),
            dist_tags_correct: self.one(Field::DistTagsCorrect, cell::yes_no),
            docs_updated: self.one(Field::DocsUpdated, cell::yes_no),
        };
        repo.map(|_| row)
    }

    /// The record's cell for a field, unless it says that nothing is known.
    fn cell(&self, field: Field) -> Option<&'a Cell> {
        let of_field = |c: &&Cell| self.mapping.field(c.column) == Some(field);
        let cell = self.record.cells.iter().find(of_field)?;
        let told = cell.values.iter().any(|v| !cell::is_blank(v));
        told.then_some(cell)
    }

    fn one<T>(
        &mut self,
        field: Field,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Option<Sourced<T>> {
        let cell = self.cell(field)?;
        let result = match cell.values.as_slice() {
            [value] => read(value.trim()),
            _ => Err("a list where one value was expected".to_owned()),
        };
        match result {
            Ok(value) => Some(Sourced {
                value,
                line: cell.line,
            }),
            Err(message) => {
                self.problem(cell, message);
                None
            }
        }
    }

    fn many<T>(
        &mut self,
        field: Field,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Option<Sourced<Vec<T>>> {
        let cell = self.cell(field)?;
        let mut value = Vec::new();
        for part in cell::list(&cell.values) {
            match read(&part) {
                Ok(item) => value.push(item),
                Err(message) => self.problem(cell, message),
            }
        }
        Some(Sourced {
            value,
            line: cell.line,
        })
    }

    fn problem(&mut self, cell: &Cell, message: String) {
        let name = self.sheet.columns.get(cell.column);
        self.problems.push(CellProblem {
            line: cell.line,
            column: format!("column `{}`", name.map_or("", String::as_str)),
            message,
        });
    }

    fn title(&self, field: Field) -> String {
        let found = self.mapping.matches.iter().find(|m| m.field == field);
        format!(
            "column `{}`",
            found.map_or(field.name(), |m| m.column.as_str())
        )
    }
}

#[cfg(test)]
mod tests;
