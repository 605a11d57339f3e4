//! The start screen: what this is, sessions to open, ways to begin.

use std::borrow::Cow;

use ratatui::Frame;
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr;

use super::put;
use crate::tui::start::{Entry, Group, Line, Start};
use crate::tui::theme::{Glyph, Role, Theme};

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

/// The title of an entry; a path that does not fit gives up its beginning, for files differ at the end.
fn tail<'a>(entry: &'a Entry, room: u16, theme: &Theme) -> Cow<'a, str> {
    let title = entry.title.as_str();
    let over = title.width().saturating_sub(usize::from(room));
    if over == 0 || entry.group != Group::Sessions {
        return title.into();
    }
    let more = theme.glyphs.sign(Glyph::More);
    let rest = title.char_indices().map(|(at, _)| at).find(|at| {
        let before = title.get(..*at).unwrap_or_default();
        before.width() > over
    });
    let rest = rest.and_then(|at| title.get(at..)).unwrap_or_default();
    format!("{more}{rest}").into()
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
        let room = detail_at.saturating_sub(5);
        put::text(
            buffer,
            (3, y),
            room,
            &tail(entry, room, theme),
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
