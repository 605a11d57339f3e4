//! The pipelines: runs of release workflows across all repositories, newest trouble first.

use ratatui::buffer::Buffer;

use super::table::{self, Cell, Pen};
use super::time;
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
            "Runs appear once GitHub is connected (status: top right, or i).",
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
    let mut pen = Pen::new(buffer, at, theme);
    match at.column {
        runs::STATE => {
            pen.sign(0, glyph, role);
            pen.after(2, row.state.word(), role);
        }
        runs::REPO => pen.say(&row.name, plain),
        runs::WORKFLOW => pen.say(&row.file, plain),
        runs::NUMBER => pen.right(&row.number.to_string(), plain),
        runs::REF => pen.say(&row.branch, plain),
        runs::EVENT => pen.say(&row.event, plain),
        runs::WHO => pen.say(&row.actor, plain),
        runs::TOOK => {
            let seconds = runs::seconds(row, state.now.0);
            pen.right(&time::took(seconds), plain);
        }
        runs::AGO => pen.right(&time::ago(row.updated, state.now), plain),
        runs::WHAT => {
            let role = match (row.state, row.newest) {
                (RunState::Failed, true) => Role::Blocked,
                _ => plain,
            };
            pen.say(&runs::what(row), role);
        }
        _ => {}
    }
}
