//! Where things stand on the screen, as numbers of lines and cells: one answer for drawing, paging and the mouse.
//!
//! ```text
//! 0      title: program, session, the January cut-off
//! 1      screens
//! 2      counts of end states, filter          (a page: its name)
//! 3      column titles                         (a page: what stands open)
//! 4 ..   rows
//! last-1 the row under the cursor, what its columns cut
//! last   what just happened, else keys
//! ```

/// Least size that the console draws on.
pub const LEAST: Size = Size {
    width: 60,
    height: 16,
};

/// First line of the rows.
pub const ROWS_AT: u16 = 4;
/// Line of the screens.
pub const TABS_AT: u16 = 1;
/// Line of the column titles.
pub const TITLES_AT: u16 = 3;
/// Cells before the first column: cursor bar, mark of the choice, a blank.
pub const MARGIN: u16 = 3;
/// Width from which a page stands in two columns, and counts and filter share a line.
pub const WIDE: u16 = 140;

/// Width and height of the terminal in cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub width: u16,
    pub height: u16,
}

impl Size {
    /// True where nothing sensible can be drawn.
    #[must_use]
    pub fn too_small(self) -> bool {
        self.width < LEAST.width || self.height < LEAST.height
    }

    /// Rows of a list that fit.
    #[must_use]
    pub fn list_rows(self) -> usize {
        usize::from(self.height.saturating_sub(ROWS_AT + 2)).max(1)
    }

    /// Lines of a page that fit; its last two tell the line under the cursor in full.
    #[must_use]
    pub fn page_rows(self) -> usize {
        usize::from(self.height.saturating_sub(ROWS_AT + 4)).max(1)
    }

    /// Cells for the columns of a list.
    #[must_use]
    pub fn columns_width(self) -> u16 {
        self.width.saturating_sub(MARGIN)
    }

    /// True where there is room side by side.
    #[must_use]
    pub fn wide(self) -> bool {
        self.width >= WIDE
    }
}
