//! The pipelines: runs of release workflows across all repositories, newest trouble first.

use ratatui::buffer::Buffer;

use super::table::{self, Cell};
use super::{put, time};
use crate::tui::rows::runs::{self, RunRow, RunState};
use crate::tui::state::State;
use crate::tui::theme::{Glyph, Role, Theme};

/// Draws the list, or what to do where there is nothing in it.
pub fn draw(buffer: &mut Buffer, state: &State, theme: &Theme) {
    table::draw(buffer, state, &state.runs, theme, |buffer, row, at| {
        cell(buffer, state, row, at, theme)
    });
    if let Some(row) = state.runs.current() {
        table::detail(buffer, state, &detail(row), theme);
    }
    let lines: &[&str] = if state.snapshot.live.connected() {
        &[
            "No run of a release workflow is known yet.",
            "",
            "They come as GitHub answers: the line of screens says how the connection stands.",
        ]
    } else {
        &[
            "Nothing is connected, so no run was looked at.",
            "",
            "Leave with q and open the session with a connection:",
            "  cutover open --live SESSION",
        ]
    };
    table::empty(buffer, state, &state.runs, lines, theme);
}

/// What the columns may have cut: a failure's meaning and what to do about it.
fn detail(row: &RunRow) -> String {
    let again = if row.attempt > 1 {
        format!(" (attempt {})", row.attempt)
    } else {
        String::new()
    };
    let head = format!(
        "{} {} #{}{again} at {}",
        row.name, row.file, row.number, row.sha
    );
    match &row.cause {
        Some(cause) => format!("{head}: {}: {}", cause.id, cause.action),
        None => match runs::what(row).as_str() {
            "" => head,
            what => format!("{head}: {what}"),
        },
    }
}

/// The sign of a run, and what its colour means.
pub fn sign(state: RunState) -> (Glyph, Role) {
    match state {
        RunState::Passed => (Glyph::Chosen, Role::Passed),
        RunState::Failed => (Glyph::Blocked, Role::Blocked),
        RunState::Running => (Glyph::Running, Role::Partly),
        RunState::Queued => (Glyph::Queued, Role::Partly),
        RunState::Cancelled => (Glyph::NotApplicable, Role::Unknown),
        RunState::Other => (Glyph::NotLooked, Role::Faint),
    }
}

fn cell(buffer: &mut Buffer, state: &State, row: &RunRow, at: Cell, theme: &Theme) {
    let (glyph, role) = sign(row.state);
    let plain = if row.newest || row.state.is_open() {
        Role::Text
    } else {
        Role::Faint
    };
    let write = |buffer: &mut Buffer, x: u16, words: &str, role: Role| {
        let width = at.width.saturating_sub(x - at.x);
        put::text(
            buffer,
            (x, at.y),
            width,
            words,
            theme.style(role),
            theme.glyphs,
        );
    };
    let right = |buffer: &mut Buffer, words: &str| {
        put::right(
            buffer,
            (at.x, at.y),
            at.width,
            words,
            theme.style(plain),
            theme.glyphs,
        );
    };
    match at.column {
        runs::STATE => {
            write(buffer, at.x, theme.glyphs.sign(glyph), role);
            write(buffer, at.x + 2, row.state.word(), role);
        }
        runs::REPO => write(buffer, at.x, &row.name, plain),
        runs::WORKFLOW => write(buffer, at.x, &row.file, plain),
        runs::NUMBER => right(buffer, &row.number.to_string()),
        runs::REF => write(buffer, at.x, &row.branch, plain),
        runs::EVENT => write(buffer, at.x, &row.event, plain),
        runs::WHO => write(buffer, at.x, &row.actor, plain),
        runs::TOOK => {
            let seconds = runs::seconds(row, state.now.0);
            right(buffer, &time::took(seconds));
        }
        runs::AGO => right(buffer, &time::ago(row.updated, state.now)),
        runs::WHAT => {
            let role = match (row.state, row.newest) {
                (RunState::Failed, true) => Role::Blocked,
                _ => plain,
            };
            write(buffer, at.x, &runs::what(row), role);
        }
        _ => {}
    }
}
