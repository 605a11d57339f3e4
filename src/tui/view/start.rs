//! The start screen: what this is, sessions to open, ways to begin.

use ratatui::Frame;
use ratatui::layout::Rect;

use super::put;
use crate::tui::start::{Line, Start};
use crate::tui::theme::{Role, Theme};

/// First line of the entries.
const ENTRIES_AT: u16 = 4;

/// Which line of the entries stands at this line of a screen of that height.
pub fn line(start: &Start, height: u16, y: u16) -> Option<usize> {
    let inside = y.checked_sub(ENTRIES_AT).map(usize::from)?;
    Some(inside + top(start, height))
}

/// The first line shown: a screen too low for all of them shows those up to the cursor.
fn top(start: &Start, height: u16) -> usize {
    let rows = usize::from(height.saturating_sub(ENTRIES_AT + 1));
    let here = Line::Entry(start.cursor());
    let at = start.lines().iter().position(|line| *line == here);
    (at.unwrap_or(0) + 1).saturating_sub(rows)
}

/// Draws the screen.
pub fn draw(frame: &mut Frame<'_>, start: &Start, theme: &Theme) {
    let buffer = frame.buffer_mut();
    let Rect { width, height, .. } = buffer.area;
    buffer.set_style(buffer.area, theme.style(Role::Text));
    put::pieces(
        buffer,
        (0, 0),
        width,
        &[
            ("cutover  ", theme.style(Role::Title)),
            (env!("CARGO_PKG_VERSION"), theme.style(Role::Faint)),
        ],
        theme.glyphs,
    );
    put::text(
        buffer,
        (0, 1),
        width,
        "Takes an organisation's npm publish paths off long-lived tokens.",
        theme.style(Role::Text),
        theme.glyphs,
    );
    let foot = height.saturating_sub(1);
    let lines = start.lines();
    let top = top(start, height);
    let detail_at = (width / 2).max(45).min(width);
    for (y, shown) in (ENTRIES_AT..foot).zip(lines.iter().skip(top)) {
        let entry = match shown {
            Line::Heading(group) => {
                put::text(
                    buffer,
                    (1, y),
                    width.saturating_sub(1),
                    group.title(),
                    theme.style(Role::Heading),
                    theme.glyphs,
                );
                continue;
            }
            Line::Entry(at) => (*at, start.entry(*at)),
        };
        let (at, Some(entry)) = entry else { continue };
        put::text(
            buffer,
            (3, y),
            detail_at.saturating_sub(5),
            &entry.title,
            theme.style(Role::Text),
            theme.glyphs,
        );
        put::text(
            buffer,
            (detail_at, y),
            width - detail_at,
            &entry.detail,
            theme.style(Role::Faint),
            theme.glyphs,
        );
        if at == start.cursor() {
            put::cursor(buffer, Rect::new(0, y, width, 1), theme);
        }
    }
    let keys = [("enter", "go"), ("up/down", "choose"), ("q", "leave")];
    put::keys(buffer, (0, foot), width, &keys, theme);
}
