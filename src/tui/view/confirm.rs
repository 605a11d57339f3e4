//! The panel before what cannot be taken back: what will be written, and the name to type.

use ratatui::buffer::Buffer;
use ratatui::layout::Position;

use super::put;
use crate::tui::state::Confirm;
use crate::tui::theme::{Role, Theme};

/// Draws the panel and gives where typing goes.
pub fn draw(buffer: &mut Buffer, confirm: &Confirm, theme: &Theme) -> Option<Position> {
    let width = put::panel_width(buffer.area.width, 92);
    let inner = width.saturating_sub(4);
    let lines: Vec<String> = confirm
        .lines
        .iter()
        .flat_map(|line| put::wrap(line, inner))
        .collect();
    let height = u16::try_from(lines.len())
        .unwrap_or(u16::MAX)
        .saturating_add(8);
    let inside = put::panel(
        buffer,
        width,
        height,
        "This cannot be undone",
        theme,
        Role::Blocked,
    );
    let foot = inside.y + inside.height.saturating_sub(1);
    // The lines give way, never the name and the input.
    let rows = usize::from(inside.height.saturating_sub(6));
    for (y, line) in (inside.y..).zip(lines.iter().take(rows)) {
        put::text(
            buffer,
            (inside.x, y),
            inside.width,
            line,
            theme.style(Role::Text),
            theme.glyphs,
        );
    }
    if lines.len() > rows {
        put::text(
            buffer,
            (inside.x, foot - 5),
            inside.width,
            "not all of this fits: enlarge the terminal",
            theme.style(Role::Warning),
            theme.glyphs,
        );
    }
    let ask = [
        ("Type ", theme.style(Role::Text)),
        (confirm.name(), theme.style(Role::Title)),
        (" to write it:", theme.style(Role::Text)),
    ];
    put::pieces(
        buffer,
        (inside.x, foot - 4),
        inside.width,
        &ask,
        theme.glyphs,
    );
    let at = put::input(
        buffer,
        (inside.x + 2, foot - 3),
        inside.width.saturating_sub(2),
        &confirm.input,
        theme.style(Role::Input),
        theme.glyphs,
    );
    let words = if confirm.sending {
        Some(("writing", Role::Faint))
    } else {
        confirm.error.as_deref().map(|error| (error, Role::Blocked))
    };
    if let Some((words, role)) = words {
        put::text(
            buffer,
            (inside.x, foot - 1),
            inside.width,
            words,
            theme.style(role),
            theme.glyphs,
        );
    }
    put::keys(
        buffer,
        (inside.x, foot),
        inside.width,
        &[("enter", "write"), ("esc", "leave it")],
        theme,
    );
    Some(at)
}
