//! The page of a repository or a token: facts by section, gates by wave, and the line under the cursor in full.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{board, put, time};
use crate::engine::snapshot::PageLine;
use crate::tui::layout::{ROWS_AT, TITLES_AT};
use crate::tui::page::{Line, Page};
use crate::tui::state::State;
use crate::tui::theme::{Glyph, Role, Theme};

/// Cells of what a line says, before its detail.
const TEXT: u16 = 28;

/// Draws the page.
pub fn draw(buffer: &mut Buffer, state: &State, page: &Page, theme: &Theme) {
    let kind = page.subject.kind.word();
    put::pieces(
        buffer,
        (0, 2),
        state.size.width,
        &[
            (kind, theme.style(Role::Faint)),
            ("  ", theme.style(Role::Faint)),
            (page.title(), theme.style(Role::Title)),
        ],
        theme.glyphs,
    );
    rule(buffer, TITLES_AT, state, theme);
    if page.is_loading() {
        put::text(
            buffer,
            (3, ROWS_AT),
            state.size.width - 3,
            "reading",
            theme.style(Role::Faint),
            theme.glyphs,
        );
        return;
    }
    let windows = page.windows(state.size);
    let count = u16::try_from(windows.len().max(1)).unwrap_or(1);
    let width = state.size.width / count;
    for (part, lines) in (0..).zip(&windows) {
        for (y, (line, here)) in (ROWS_AT..).zip(lines) {
            let area = Rect {
                x: part * width,
                y,
                width: width.saturating_sub(u16::from(count > 1)),
                height: 1,
            };
            draw_line(buffer, state, line, area, theme);
            if *here {
                put::cursor(buffer, area, theme);
            }
        }
    }
    detail(buffer, state, page, theme);
}

fn rule(buffer: &mut Buffer, y: u16, state: &State, theme: &Theme) {
    let line = theme
        .glyphs
        .sign(Glyph::Rule)
        .repeat(usize::from(state.size.width));
    put::text(
        buffer,
        (0, y),
        state.size.width,
        &line,
        theme.style(Role::Border),
        theme.glyphs,
    );
}

fn draw_line(buffer: &mut Buffer, state: &State, line: &Line<'_>, area: Rect, theme: &Theme) {
    match line {
        Line::Title(title) => {
            put::text(
                buffer,
                (area.x + 1, area.y),
                area.width - 1,
                title,
                theme.style(Role::Heading),
                theme.glyphs,
            );
        }
        Line::Line(line) => said(buffer, state, line, area, theme),
    }
}

fn said(buffer: &mut Buffer, state: &State, line: &PageLine, area: Rect, theme: &Theme) {
    let mut x = area.x + 3;
    let end = area.x + area.width;
    let mut weak = Role::Text;
    if line.state.is_some() {
        let (glyph, role) = board::sign(board::in_doubt(state, line.state));
        put::text(
            buffer,
            (x, area.y),
            1,
            theme.glyphs.sign(glyph),
            theme.style(role),
            theme.glyphs,
        );
        x += 2;
        weak = role;
    }
    let strong = if line.state.is_some() {
        Role::Text
    } else {
        Role::Faint
    };
    // A line that says all in its text gets the room of the detail too.
    let room = if line.detail.is_empty() {
        end.saturating_sub(x)
    } else {
        TEXT.max(area.width / 3).min(end.saturating_sub(x))
    };
    put::text(
        buffer,
        (x, area.y),
        room,
        &line.text,
        theme.style(strong),
        theme.glyphs,
    );
    x += room + 1;
    put::text(
        buffer,
        (x, area.y),
        end.saturating_sub(x),
        &time::localised(&line.detail, state.settings.utc),
        theme.style(weak),
        theme.glyphs,
    );
}

/// Writes the line under the cursor in full above the foot: rows cut what is long.
fn detail(buffer: &mut Buffer, state: &State, page: &Page, theme: &Theme) {
    let at = state.size.height.saturating_sub(4);
    rule(buffer, at, state, theme);
    let Some(Line::Line(line)) = page.current() else {
        return;
    };
    let detail = time::localised(&line.detail, state.settings.utc);
    let colon = if line.detail.is_empty() { "" } else { ": " };
    let words = format!("{}{colon}{detail}", line.text.trim());
    for (y, part) in (at + 1..=at + 2).zip(put::wrap(&words, state.size.width.saturating_sub(2))) {
        put::text(
            buffer,
            (1, y),
            state.size.width - 1,
            &part,
            theme.style(Role::Text),
            theme.glyphs,
        );
    }
}
