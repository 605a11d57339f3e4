//! A form: its fields, what a field can be completed to, and the command that would do the same.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::put;
use crate::safe::shown::and_more;
use crate::tui::form::{Field, Form};
use crate::tui::theme::{Glyph, Role, Theme};

/// Cells of the labels.
const LABEL: u16 = 12;
/// Options shown at once.
const OPTIONS: usize = 5;

/// Draws the panel and gives where typing goes.
pub fn draw(buffer: &mut Buffer, form: &Form, theme: &Theme) -> Option<Position> {
    let fields = u16::try_from(form.fields.len()).unwrap_or(u16::MAX);
    let options = u16::try_from(OPTIONS).unwrap_or(u16::MAX);
    let reserved = if form.fields.iter().any(|field| !field.options.is_empty()) {
        options
    } else {
        0
    };
    let inside = put::panel(
        buffer,
        90,
        fields + reserved + 7,
        form.kind.title(),
        theme,
        Role::Border,
    );
    put::text(
        buffer,
        (inside.x, inside.y),
        inside.width,
        &about(form),
        theme.style(Role::Title),
        theme.glyphs,
    );
    let mut y = inside.y + 2;
    let mut typing = None;
    for (index, field) in form.fields.iter().enumerate() {
        let focused = index == form.focus;
        let at = draw_field(
            buffer,
            field,
            Rect {
                y,
                height: 1,
                ..inside
            },
            focused,
            theme,
        );
        y += 1;
        if focused {
            typing = Some(at);
            y = draw_options(buffer, form, field, Rect { y, ..inside }, theme);
        }
    }
    let foot = inside.y + inside.height.saturating_sub(1);
    let words = if form.sending {
        Some(("writing".to_owned(), Role::Faint))
    } else {
        form.error.clone().map(|error| (error, Role::Blocked))
    };
    if let Some((words, role)) = words {
        put::text(
            buffer,
            (inside.x, foot.saturating_sub(1)),
            inside.width,
            &words,
            theme.style(role),
            theme.glyphs,
        );
    }
    let last = form.focus + 1 == form.fields.len();
    let keys = [
        ("enter", if last { "write" } else { "next" }),
        ("ctrl-s", "write"),
        ("tab", "field"),
        ("esc", "close, keep"),
    ];
    put::keys(buffer, (inside.x, foot), inside.width, &keys, theme);
    typing
}

fn about(form: &Form) -> String {
    match form.targets.as_slice() {
        [first, rest @ ..] => first.name.clone() + &and_more(rest.len()),
        [] => String::new(),
    }
}

fn draw_field(
    buffer: &mut Buffer,
    field: &Field,
    area: Rect,
    focused: bool,
    theme: &Theme,
) -> Position {
    let label = theme.style(if focused { Role::Key } else { Role::Faint });
    put::text(
        buffer,
        (area.x, area.y),
        LABEL - 1,
        field.label,
        label,
        theme.glyphs,
    );
    let (x, room) = (area.x + LABEL, area.width.saturating_sub(LABEL));
    if field.input.value().is_empty() {
        let optional = if field.required {
            ""
        } else {
            " (may stay empty)"
        };
        let hint = format!("{}{optional}", field.hint);
        put::text(
            buffer,
            (x, area.y),
            room,
            &hint,
            theme.style(Role::Faint),
            theme.glyphs,
        );
        return Position::new(x, area.y);
    }
    put::input(
        buffer,
        (x, area.y),
        room,
        &field.input,
        theme.style(Role::Input),
        theme.glyphs,
    )
}

/// Draws what the field can be completed to, below it, and gives the line after.
fn draw_options(buffer: &mut Buffer, form: &Form, field: &Field, area: Rect, theme: &Theme) -> u16 {
    let matching = field.matching();
    if field.options.is_empty() || field.is_complete() {
        return area.y;
    }
    let top = (form.picked + 1).saturating_sub(OPTIONS);
    let mut y = area.y;
    for (index, option) in matching.iter().enumerate().skip(top).take(OPTIONS) {
        let picked = index == form.picked;
        let x = area.x + LABEL;
        let mark = if picked {
            theme.glyphs.sign(Glyph::Bar)
        } else {
            " "
        };
        put::text(
            buffer,
            (x, y),
            1,
            mark,
            theme.style(Role::Key),
            theme.glyphs,
        );
        let width = area.width.saturating_sub(LABEL + 1);
        let role = if picked { Role::Title } else { Role::Faint };
        put::text(
            buffer,
            (x + 1, y),
            width,
            option,
            theme.style(role),
            theme.glyphs,
        );
        if index + 1 == top + OPTIONS && matching.len() > top + OPTIONS {
            let more = format!("{} more", matching.len() - top - OPTIONS);
            put::right(
                buffer,
                (x, y),
                width,
                &more,
                theme.style(Role::Faint),
                theme.glyphs,
            );
        }
        y += 1;
    }
    if matching.is_empty() && field.strict {
        put::text(
            buffer,
            (area.x + LABEL, y),
            area.width.saturating_sub(LABEL),
            "nothing has these letters",
            theme.style(Role::Warning),
            theme.glyphs,
        );
        y += 1;
    }
    y
}
