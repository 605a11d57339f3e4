//! The log: who decided or saw what, and when.

use ratatui::buffer::Buffer;

use super::table::{self, Cell, Pen};
use super::time;
use crate::tui::rows::log::{self, LogRow};
use crate::tui::state::State;
use crate::tui::theme::{Role, Theme};

/// Draws the list.
pub fn draw(buffer: &mut Buffer, state: &State, theme: &Theme) {
    table::draw(buffer, state, &state.log, theme, |buffer, row, at| {
        cell(buffer, state, row, at, theme)
    });
    let told = state
        .log
        .current()
        .and_then(|row| state.snapshot.log_text.get(&row.id));
    if let Some(told) = told {
        let text = time::localised(&told.text, state.settings.utc);
        table::detail(buffer, state, &format!("{}: {text}", told.label), theme);
    }
    let none = match state.snapshot.log {
        Some(_) => "No event yet.",
        None => "Listing the events.",
    };
    table::empty(buffer, state, &state.log, &[none], theme);
}

fn cell(buffer: &mut Buffer, state: &State, row: &LogRow, at: Cell, theme: &Theme) {
    let told = state.snapshot.log_text.get(&row.id);
    let mut pen = Pen::new(buffer, at, theme);
    match at.column {
        log::AT => pen.say(&time::at(row.at, state.settings.utc), Role::Faint),
        log::BY => pen.say(&row.by, Role::Text),
        log::KIND => pen.say(&row.kind.replace('_', " "), Role::Heading),
        log::ABOUT => pen.say(
            told.map_or_else(
                || row.about.map_or("", |about| about.kind.word()),
                |told| &told.label,
            ),
            Role::Text,
        ),
        log::TEXT => {
            let text = told.map_or("", |told| &told.text);
            pen.say(&time::localised(text, state.settings.utc), Role::Text);
        }
        _ => {}
    }
}
