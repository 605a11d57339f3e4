//! The palette: actions of the screen underneath, found by their words.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use tui_input::Input;

use super::put;
use crate::tui::action;
use crate::tui::state::State;
use crate::tui::theme::{Glyph, Role, Theme};

/// Actions shown at once.
const SHOWN: u16 = 12;
/// Cells of the words and of the key.
const WORD: u16 = 20;
const KEY: u16 = 10;

/// Draws the panel and gives where typing goes.
pub fn draw(
    buffer: &mut Buffer,
    state: &State,
    input: &Input,
    cursor: usize,
    theme: &Theme,
) -> Option<Position> {
    let inside = put::panel(buffer, 96, SHOWN + 4, "Command", theme, Role::Border);
    put::text(
        buffer,
        (inside.x, inside.y),
        2,
        ": ",
        theme.style(Role::Key),
        theme.glyphs,
    );
    let typed = (inside.x + 2, inside.y);
    let at = put::input(
        buffer,
        typed,
        inside.width.saturating_sub(2),
        input,
        theme.style(Role::Input),
        theme.glyphs,
    );
    let found = action::search(input.value(), state.scope());
    let rows = usize::from(inside.height.saturating_sub(2));
    let top = (cursor + 1).saturating_sub(rows);
    for (y, (index, action)) in (inside.y + 2..).zip(found.iter().enumerate().skip(top).take(rows))
    {
        let x = inside.x;
        if index == cursor {
            put::text(
                buffer,
                (x - 1, y),
                1,
                theme.glyphs.sign(Glyph::Bar),
                theme.style(Role::Key),
                theme.glyphs,
            );
        }
        put::text(
            buffer,
            (x, y),
            WORD - 1,
            action.word,
            theme.style(Role::Title),
            theme.glyphs,
        );
        let key = action
            .keys
            .first()
            .map(ToString::to_string)
            .unwrap_or_default();
        put::text(
            buffer,
            (x + WORD, y),
            KEY - 1,
            &key,
            theme.style(Role::Key),
            theme.glyphs,
        );
        let rest = inside.width.saturating_sub(WORD + KEY);
        put::text(
            buffer,
            (x + WORD + KEY, y),
            rest,
            action.help,
            theme.style(Role::Faint),
            theme.glyphs,
        );
        if index == cursor {
            let line = Rect {
                x: x - 1,
                y,
                width: inside.width + 1,
                height: 1,
            };
            buffer.set_style(line, theme.style(Role::Cursor));
        }
    }
    if found.is_empty() {
        put::text(
            buffer,
            (inside.x, inside.y + 2),
            inside.width,
            "No action here has these words.",
            theme.style(Role::Faint),
            theme.glyphs,
        );
    }
    Some(at)
}
