//! A text to read, on top of the screen.

use ratatui::buffer::Buffer;
use ratatui::layout::Position;

use super::put;
use crate::tui::layout::Size;
use crate::tui::theme::{Role, Theme};

/// The keys of a text that is only read.
pub const READ: &[(&str, &str)] = &[("esc", "close"), ("up/down", "scroll")];

/// Cells of the panel where there is room.
const WIDTH: u16 = 100;

fn wrapped(lines: &[String], screen: u16) -> Vec<String> {
    let width = put::panel_width(screen, WIDTH).saturating_sub(4);
    lines
        .iter()
        .flat_map(|line| put::wrap(line, width))
        .collect()
}

/// The furthest line that the panel can begin with.
pub fn last_top(lines: &[String], size: Size) -> usize {
    put::last_top(wrapped(lines, size.width).len(), size)
}

/// Draws the panel; the text wraps and scrolls.
pub fn draw(
    buffer: &mut Buffer,
    title: &str,
    lines: &[String],
    top: usize,
    keys: &[(&str, &str)],
    theme: &Theme,
) -> Option<Position> {
    let width = put::panel_width(buffer.area.width, WIDTH);
    let wrapped = wrapped(lines, buffer.area.width);
    let height = u16::try_from(wrapped.len())
        .unwrap_or(u16::MAX)
        .saturating_add(4);
    let inside = put::panel(buffer, width, height, title, theme, Role::Border);
    let rows = usize::from(inside.height.saturating_sub(2));
    let top = top.min(wrapped.len().saturating_sub(rows));
    for (y, line) in (inside.y..).zip(wrapped.iter().skip(top).take(rows)) {
        put::text(
            buffer,
            (inside.x, y),
            inside.width,
            line,
            theme.style(Role::Text),
            theme.glyphs,
        );
    }
    let foot = inside.y + inside.height.saturating_sub(1);
    put::keys(buffer, (inside.x, foot), inside.width, keys, theme);
    None
}
