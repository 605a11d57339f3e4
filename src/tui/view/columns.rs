//! The choice of columns of the list underneath.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::put;
use crate::tui::column::{self, Column};
use crate::tui::list::{Item, List};
use crate::tui::state::{State, with_list};
use crate::tui::theme::{Glyph, Role, Theme};

/// Draws the panel.
pub fn draw(buffer: &mut Buffer, state: &State, cursor: usize, theme: &Theme) -> Option<Position> {
    fn of<R: Item>(list: &List<R>, width: u16) -> (&'static [Column], Vec<bool>, Vec<usize>) {
        let fit = column::layout(R::COLUMNS, &list.wanted, width)
            .into_iter()
            .map(|(index, _)| index)
            .collect();
        (R::COLUMNS, list.wanted.clone(), fit)
    }
    let width = state.size.columns_width();
    let (columns, wanted, fit) = with_list!(state, list => of(list, width));
    let height = u16::try_from(columns.len())
        .unwrap_or(u16::MAX)
        .saturating_add(4);
    let inside = put::panel(buffer, 50, height, "Columns", theme, Role::Border);
    let rows = usize::from(inside.height.saturating_sub(2));
    let top = (cursor + 1).saturating_sub(rows);
    for (y, (index, column)) in (inside.y..).zip(columns.iter().enumerate().skip(top).take(rows)) {
        let on = column.rank == 0 || wanted.get(index).copied().unwrap_or(column.shown);
        let mark = if on {
            theme.glyphs.sign(Glyph::Chosen)
        } else {
            " "
        };
        let note = match (on, fit.contains(&index)) {
            (true, false) => "no room at this width",
            _ if column.rank == 0 => "always",
            _ => "",
        };
        put::text(
            buffer,
            (inside.x, y),
            1,
            mark,
            theme.style(Role::Chosen),
            theme.glyphs,
        );
        let name = if column.id == "waves" {
            "Waves"
        } else {
            column.title
        };
        put::text(
            buffer,
            (inside.x + 2, y),
            20,
            name,
            theme.style(Role::Text),
            theme.glyphs,
        );
        put::text(
            buffer,
            (inside.x + 22, y),
            inside.width.saturating_sub(22),
            note,
            theme.style(Role::Faint),
            theme.glyphs,
        );
        if index == cursor {
            let line = Rect {
                x: inside.x,
                y,
                width: inside.width,
                height: 1,
            };
            buffer.set_style(line, theme.style(Role::Cursor));
        }
    }
    let foot = inside.y + inside.height.saturating_sub(1);
    put::keys(
        buffer,
        (inside.x, foot),
        inside.width,
        &[("space", "show or hide"), ("esc", "close")],
        theme,
    );
    None
}
