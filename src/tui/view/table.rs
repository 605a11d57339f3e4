//! A list as a table: titles with the sort mark, the rows of the window, cursor bar and choice marks.
//!
//! What stands in a cell is the caller's affair; only rows on the screen are asked for.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::put;
use crate::tui::column::{self, GAP};
use crate::tui::layout::{MARGIN, ROWS_AT, TITLES_AT};
use crate::tui::list::{Item, List};
use crate::tui::state::{State, with_list};
use crate::tui::theme::{Glyph, Role, Theme};

/// Where a cell stands.
#[derive(Debug, Clone, Copy)]
pub struct Cell {
    pub column: usize,
    pub x: u16,
    pub y: u16,
    pub width: u16,
}

/// Writes into one cell and never beyond it.
pub struct Pen<'a> {
    buffer: &'a mut Buffer,
    at: Cell,
    theme: &'a Theme,
}

impl<'a> Pen<'a> {
    pub fn new(buffer: &'a mut Buffer, at: Cell, theme: &'a Theme) -> Self {
        Self { buffer, at, theme }
    }

    /// Writes from the left edge.
    pub fn say(&mut self, words: &str, role: Role) {
        self.after(0, words, role);
    }

    /// Writes from so many cells behind the left edge.
    pub fn after(&mut self, cells: u16, words: &str, role: Role) {
        let (at, theme) = (self.at, self.theme);
        put::text(
            self.buffer,
            (at.x + cells, at.y),
            at.width.saturating_sub(cells),
            words,
            theme.style(role),
            theme.glyphs,
        );
    }

    /// Writes up to the right edge.
    pub fn right(&mut self, words: &str, role: Role) {
        let (at, theme) = (self.at, self.theme);
        put::right(
            self.buffer,
            (at.x, at.y),
            at.width,
            words,
            theme.style(role),
            theme.glyphs,
        );
    }

    /// Writes a sign from so many cells behind the left edge.
    pub fn sign(&mut self, cells: u16, glyph: Glyph, role: Role) {
        self.after(cells, self.theme.glyphs.sign(glyph), role);
    }

    /// Writes that there is nothing to say.
    pub fn dash(&mut self) {
        self.sign(0, Glyph::Dash, Role::Faint);
    }
}

/// Draws titles and rows; `cell` writes one cell.
pub fn draw<R: Item>(
    buffer: &mut Buffer,
    state: &State,
    list: &List<R>,
    theme: &Theme,
    cell: impl Fn(&mut Buffer, &R, Cell),
) {
    let columns = column::layout(R::COLUMNS, &list.wanted, state.size.columns_width());
    titles(buffer, list, &columns, theme);
    for (line, (row, here, chosen)) in (ROWS_AT..).zip(list.window()) {
        let mut x = MARGIN;
        for (index, width) in &columns {
            cell(
                buffer,
                row,
                Cell {
                    column: *index,
                    x,
                    y: line,
                    width: *width,
                },
            );
            x += width + GAP;
        }
        if chosen {
            put::text(
                buffer,
                (1, line),
                1,
                theme.glyphs.sign(Glyph::Chosen),
                theme.style(Role::Chosen),
                theme.glyphs,
            );
        }
        if here {
            put::cursor(buffer, Rect::new(0, line, state.size.width, 1), theme);
        }
    }
}

fn titles<R: Item>(buffer: &mut Buffer, list: &List<R>, columns: &[(usize, u16)], theme: &Theme) {
    let (sort, descending) = list.sorted();
    let mut x = MARGIN;
    for (index, width) in columns {
        let Some(column) = R::COLUMNS.get(*index) else {
            continue;
        };
        let style = theme.style(Role::Heading);
        if column.right {
            put::right(
                buffer,
                (x, TITLES_AT),
                *width,
                column.title,
                style,
                theme.glyphs,
            );
        } else {
            put::text(
                buffer,
                (x, TITLES_AT),
                *width,
                column.title,
                style,
                theme.glyphs,
            );
        }
        if sort == Some(*index) {
            // In the gap before the next column, so that no title is cut for it.
            let mark = theme
                .glyphs
                .sign(if descending { Glyph::Down } else { Glyph::Up });
            put::text(
                buffer,
                (x + width, TITLES_AT),
                1,
                mark,
                theme.style(Role::Key),
                theme.glyphs,
            );
        }
        x += width + GAP;
    }
}

/// Writes what the columns of the row under the cursor may have cut, above the foot; why a filter is not understood
/// comes first.
pub fn detail(buffer: &mut Buffer, state: &State, words: &str, theme: &Theme) {
    let line = state.size.height.saturating_sub(2);
    let width = state.size.columns_width();
    let error = with_list!(state, list => list.error.as_ref().map(ToString::to_string));
    if let Some(error) = error {
        let style = theme.style(Role::Warning);
        put::text(buffer, (MARGIN, line), width, &error, style, theme.glyphs);
        return;
    }
    put::text(
        buffer,
        (MARGIN, line),
        width,
        words,
        theme.style(Role::Faint),
        theme.glyphs,
    );
}

/// Writes what stands where there are no rows: `lines` where there are none at all, else that none fits the filter.
pub fn empty<R: Item>(
    buffer: &mut Buffer,
    state: &State,
    list: &List<R>,
    lines: &[&str],
    theme: &Theme,
) {
    const NONE_FITS: &str = "No matches. esc clears the filter.";
    let lines = match list.counts() {
        (_, 0, _) => lines,
        (0, ..) => &[NONE_FITS][..],
        _ => return,
    };
    for (line, words) in (ROWS_AT + 1..state.size.height.saturating_sub(1)).zip(lines) {
        put::text(
            buffer,
            (MARGIN, line),
            state.size.columns_width(),
            words,
            theme.style(Role::Faint),
            theme.glyphs,
        );
    }
}
