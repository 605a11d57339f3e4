//! One run over the middle: why it failed and what to do, its steps, the end of its log.

use ratatui::buffer::Buffer;
use ratatui::layout::Position;

use super::{text, time};
use crate::model::id::Subject;
use crate::tui::state::State;
use crate::tui::theme::Theme;

/// The furthest line that the panel can begin with.
pub fn last_top(state: &State, run: (Subject, u64)) -> usize {
    text::last_top(&words(state, run).1, state.size)
}

/// Draws the panel; what is not there yet says so.
pub fn draw(
    buffer: &mut Buffer,
    state: &State,
    run: (Subject, u64),
    top: usize,
    theme: &Theme,
) -> Option<Position> {
    let (title, lines) = words(state, run);
    text::draw(buffer, &title, &lines, top, text::READ, theme)
}

fn words(state: &State, run: (Subject, u64)) -> (String, Vec<String>) {
    let live = &state.snapshot.live;
    let row = live.runs.iter().find(|row| (row.repo, row.id) == run);
    let mut lines = Vec::new();
    let title = match row {
        Some(row) => {
            let ago = time::ago(row.updated, state.now);
            lines.push(format!(
                "{} by {} on {} at {}, {ago} ago",
                row.event, row.actor, row.branch, row.sha
            ));
            if let Some(cause) = &row.cause {
                lines.push(String::new());
                lines.push(format!("Cause: {} ({})", cause.meaning, cause.id));
                lines.push(format!("Do: {}", cause.action));
            }
            lines.push(String::new());
            lines.push(row.url.to_string());
            format!(
                "{} {} #{}: {}",
                row.name,
                row.file,
                row.number,
                row.state.word()
            )
        }
        None => "A run that is no longer known".to_owned(),
    };
    lines.push(String::new());
    match live
        .tail
        .as_ref()
        .filter(|tail| (tail.repo, tail.run) == run)
    {
        Some(tail) => {
            lines.extend(tail.lines.iter().map(|line| line.to_string()));
            lines.extend(tail.note.iter().map(|note| note.to_string()));
        }
        None if live.connected() => {
            lines.push("asking GitHub for its steps and its log …".to_owned())
        }
        None => lines.push("nothing is connected: steps and log were not looked at".to_owned()),
    }
    (title, lines)
}
