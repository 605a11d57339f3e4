//! A list of rows: what the filter shows, in which order, where the cursor stands, what is chosen.
//!
//! The sort order is kept per snapshot revision, so a typed letter costs one pass over the rows' lower-cased texts. Rows
//! are shared with the snapshot, never copied. No ratatui here.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::engine::snapshot::Chunked;

use tui_input::Input;

use super::column::Column;
use super::filter::{self, Fields, Filter, Value, Word};

/// What the answers of a row may depend on besides the row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    /// Now, in seconds since 1970.
    pub now: i64,
    /// The person at this console, lower-cased.
    pub me: Option<String>,
}

/// What a column sorts by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum SortKey<'a> {
    Number(i64),
    Text(&'a str),
    /// Nothing there: always last but for a turned order.
    Absent,
}

/// A row of some list.
pub trait Item: Clone {
    /// What the row is about; stays the same over revisions.
    type Id: Copy + Ord + std::fmt::Debug;
    const COLUMNS: &'static [Column];
    const WORDS: &'static [Word];
    /// Column that sorts before a person chose one, or none for the snapshot's own order.
    const SORT: Option<usize>;
    /// True where the snapshot's own order is turned around.
    const NEWEST_FIRST: bool = false;
    fn id(&self) -> Self::Id;
    /// True where a free word, lower-cased, stands in the row.
    fn contains(&self, word: &str) -> bool;
    fn value(&self, key: &str, context: &Context) -> Value<'_>;
    /// True where this name of a fixed set holds for the row.
    fn is(&self, _key: &str, _name: &str, _context: &Context) -> bool {
        false
    }
    fn sort_key(&self, column: usize) -> SortKey<'_>;
}

/// The rows of a snapshot, shared with it.
#[derive(Debug, Clone)]
pub enum Rows<R> {
    Chunked(Chunked<R>),
    Whole(Arc<Vec<R>>),
}

impl<R> Rows<R> {
    fn len(&self) -> usize {
        match self {
            Self::Chunked(rows) => rows.len(),
            Self::Whole(rows) => rows.len(),
        }
    }

    fn get(&self, at: usize) -> Option<&R> {
        match self {
            Self::Chunked(rows) => rows.get(at),
            Self::Whole(rows) => rows.get(at),
        }
    }
}

struct Look<'a, R> {
    row: &'a R,
    context: &'a Context,
}

impl<R: Item> Fields for Look<'_, R> {
    fn contains(&self, word: &str) -> bool {
        self.row.contains(word)
    }

    fn value(&self, key: &str) -> Value<'_> {
        self.row.value(key, self.context)
    }

    fn is(&self, key: &str, name: &str) -> bool {
        self.row.is(key, name, self.context)
    }
}

/// A list with everything a person set on it; it outlives leaving the screen, so that returning finds it unchanged.
pub struct List<R: Item> {
    rows: Rows<R>,
    /// All rows in sort order.
    order: Vec<u32>,
    /// Those that the filter shows, in sort order.
    shown: Vec<u32>,
    filter: Filter,
    cursor: usize,
    top: usize,
    /// Rows that fit on the screen.
    height: usize,
    sort: Option<usize>,
    descending: bool,
    chosen: BTreeSet<R::Id>,
    /// What was typed into the filter, understood or not.
    pub input: Input,
    pub error: Option<filter::Error>,
    /// Which columns a person wants, by index; empty means the table's own choice.
    pub wanted: Vec<bool>,
}

impl<R: Item> Default for List<R> {
    fn default() -> Self {
        Self {
            rows: Rows::Whole(Arc::default()),
            order: Vec::new(),
            shown: Vec::new(),
            filter: Filter::default(),
            cursor: 0,
            top: 0,
            height: 1,
            sort: R::SORT,
            descending: false,
            chosen: BTreeSet::new(),
            input: Input::default(),
            error: None,
            wanted: R::COLUMNS.iter().map(|column| column.shown).collect(),
        }
    }
}

impl<R: Item> List<R> {
    /// Takes the rows of a new revision. The cursor stays on the row it was on, the choice on what still exists.
    pub fn set_rows(&mut self, rows: Rows<R>, context: &Context) {
        let at = self.current().map(Item::id);
        self.rows = rows;
        if !self.chosen.is_empty() {
            let known: BTreeSet<_> = self.every().map(Item::id).collect();
            self.chosen.retain(|id| known.contains(id));
        }
        self.reorder();
        self.refilter(context);
        if let Some(at) = at {
            self.go_to(at);
        }
    }

    /// Every row, in the snapshot's order.
    pub fn every(&self) -> impl Iterator<Item = &R> {
        (0..self.rows.len()).filter_map(|at| self.rows.get(at))
    }

    /// Reads the typed filter again. One that is not understood leaves the last good one in force.
    pub fn read_filter(&mut self, context: &Context) {
        match Filter::parse(self.input.value(), R::WORDS) {
            Ok(filter) => {
                self.error = None;
                if filter != self.filter {
                    self.filter = filter;
                    self.refilter(context);
                    self.cursor = 0;
                    self.top = 0;
                }
            }
            Err(error) => self.error = Some(error),
        }
    }

    /// Looks again where the answer depends on time; true when that changed what is shown.
    pub fn tick(&mut self, context: &Context) -> bool {
        if !self.by_time() {
            return false;
        }
        let (at, before) = (self.current().map(Item::id), self.shown.len());
        self.refilter(context);
        if let Some(at) = at {
            self.go_to(at);
        }
        self.shown.len() != before
    }

    fn refilter(&mut self, context: &Context) {
        let (rows, filter) = (&self.rows, &self.filter);
        self.shown.clear();
        if filter.is_empty() {
            self.shown.extend_from_slice(&self.order);
        } else {
            let holds = |index: &u32| {
                rows.get(*index as usize)
                    .is_some_and(|row| filter.holds(&Look { row, context }))
            };
            self.shown.extend(self.order.iter().copied().filter(holds));
        }
        self.clamp();
    }

    fn reorder(&mut self) {
        let all = 0..u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        let turned = self.descending != (R::NEWEST_FIRST && self.sort.is_none());
        self.order = match self.sort {
            None => all.collect(),
            Some(column) => {
                let key = |index: u32| {
                    self.row(index)
                        .map_or(SortKey::Absent, |row| row.sort_key(column))
                };
                let mut keyed: Vec<(SortKey<'_>, u32)> =
                    all.map(|index| (key(index), index)).collect();
                keyed.sort();
                keyed.into_iter().map(|(_, index)| index).collect()
            }
        };
        if turned {
            self.order.reverse();
        }
    }

    /// Sorts by the next column, the table's own order after the last.
    pub fn sort_next(&mut self, context: &Context) {
        let next = self.sort.map_or(0, |column| column + 1);
        self.sort = (next < R::COLUMNS.len()).then_some(next);
        self.resort(context);
    }

    /// Sorts by this column, or turns the order where it is the one already.
    pub fn sort_by(&mut self, column: usize, context: &Context) {
        if self.sort == Some(column) {
            self.descending = !self.descending;
        } else {
            self.sort = Some(column);
            self.descending = false;
        }
        self.resort(context);
    }

    /// Reverses the sort.
    pub fn sort_turn(&mut self, context: &Context) {
        self.descending = !self.descending;
        self.resort(context);
    }

    fn resort(&mut self, context: &Context) {
        let at = self.current().map(Item::id);
        self.reorder();
        self.refilter(context);
        if let Some(at) = at {
            self.go_to(at);
        }
    }

    /// The column that sorts, and whether the order is turned.
    #[must_use]
    pub fn sorted(&self) -> (Option<usize>, bool) {
        (self.sort, self.descending)
    }

    /// Sets how many rows fit.
    pub fn set_height(&mut self, height: usize) {
        self.height = height.max(1);
        self.clamp();
    }

    /// Moves the cursor by rows, stopping at the ends.
    pub fn step(&mut self, rows: isize) {
        self.cursor = self.cursor.saturating_add_signed(rows);
        self.clamp();
    }

    /// Moves the cursor to the row at this line of the screen; false where none stands.
    pub fn click(&mut self, line: usize) -> bool {
        let at = self.top + line;
        let hit = line < self.height && at < self.shown.len();
        if hit {
            self.cursor = at;
        }
        hit
    }

    /// Moves the cursor to a row if it is shown.
    pub fn go_to(&mut self, id: R::Id) -> bool {
        let found = self
            .shown
            .iter()
            .position(|index| self.row(*index).is_some_and(|row| row.id() == id));
        if let Some(at) = found {
            self.cursor = at;
        }
        self.clamp();
        found.is_some()
    }

    /// Keeps the cursor on a row and the row on the screen.
    fn clamp(&mut self) {
        let last = self.shown.len().saturating_sub(1);
        self.cursor = self.cursor.min(last);
        self.top = self
            .top
            .clamp((self.cursor + 1).saturating_sub(self.height), self.cursor);
        self.top = self.top.min(self.shown.len().saturating_sub(self.height));
    }

    fn row(&self, index: u32) -> Option<&R> {
        self.rows.get(index as usize)
    }

    /// The row under the cursor.
    #[must_use]
    pub fn current(&self) -> Option<&R> {
        self.shown
            .get(self.cursor)
            .and_then(|index| self.row(*index))
    }

    /// The rows on the screen, each with whether the cursor stands on it and whether it is chosen.
    pub fn window(&self) -> impl Iterator<Item = (&R, bool, bool)> {
        self.shown
            .iter()
            .enumerate()
            .skip(self.top)
            .take(self.height)
            .filter_map(|(at, index)| {
                let row = self.row(*index)?;
                Some((row, at == self.cursor, self.chosen.contains(&row.id())))
            })
    }

    /// Places of the rows on the screen in the snapshot, from the first to after the last.
    #[must_use]
    pub fn span(&self) -> Option<(usize, usize)> {
        let window = || {
            self.shown
                .iter()
                .skip(self.top)
                .take(self.height)
                .map(|index| *index as usize)
        };
        Some((window().min()?, window().max()? + 1))
    }

    /// Adds the row under the cursor to the choice, or takes it out, and moves on.
    pub fn choose(&mut self) {
        if let Some(id) = self.current().map(Item::id) {
            if !self.chosen.remove(&id) {
                self.chosen.insert(id);
            }
            self.step(1);
        }
    }

    /// Chooses every row shown, or drops the choice where they all are chosen already.
    pub fn choose_all(&mut self) {
        let all: BTreeSet<_> = self
            .shown
            .iter()
            .filter_map(|index| self.row(*index))
            .map(Item::id)
            .collect();
        if all.is_subset(&self.chosen) {
            self.chosen.clear();
        } else {
            self.chosen.extend(all);
        }
    }

    /// Drops the choice; false where there was none.
    pub fn choose_none(&mut self) -> bool {
        let had = !self.chosen.is_empty();
        self.chosen.clear();
        had
    }

    /// The rows that a decision goes to: the chosen ones in sort order, else the one under the cursor.
    #[must_use]
    pub fn targets(&self) -> Vec<&R> {
        if self.chosen.is_empty() {
            return self.current().into_iter().collect();
        }
        let all = self.order.iter().filter_map(|index| self.row(*index));
        all.filter(|row| self.chosen.contains(&row.id())).collect()
    }

    /// Rows that the filter shows, rows in all, rows chosen.
    #[must_use]
    pub fn counts(&self) -> (usize, usize, usize) {
        (self.shown.len(), self.rows.len(), self.chosen.len())
    }

    /// First row of the window and the cursor, counted from 0.
    #[must_use]
    pub fn position(&self) -> (usize, usize) {
        (self.top, self.cursor)
    }

    /// True while something is filtered.
    #[must_use]
    pub fn filtered(&self) -> bool {
        !self.filter.is_empty()
    }

    /// True while what is shown depends on time.
    #[must_use]
    pub fn by_time(&self) -> bool {
        self.filter.depends_on_time(R::WORDS)
    }

    /// Rows that fit.
    #[must_use]
    pub fn height(&self) -> usize {
        self.height
    }

    /// The words that its filter knows.
    #[must_use]
    pub fn words(&self) -> &'static [Word] {
        R::WORDS
    }
}

#[cfg(test)]
mod tests;
