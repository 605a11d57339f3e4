//! The foot of the screen: what just happened, else the keys that matter here, and where the cursor is.

use ratatui::buffer::Buffer;
use unicode_width::UnicodeWidthStr;

use super::put;
use crate::tui::action::{self, Id, Scope};
use crate::tui::state::{State, with_list};
use crate::tui::theme::{Role, Theme};

/// The hints of each screen, most needed first; they are words of the action table.
fn hints(scope: Scope) -> &'static [Id] {
    match scope {
        Scope::Board => &[
            Id::Open,
            Id::Choose,
            Id::Filter,
            Id::Help,
            Id::Palette,
            Id::Attest,
            Id::Owner,
            Id::Lane,
            Id::Waive,
            Id::Note,
            Id::EndDate,
            Id::Reviewer,
            Id::Sort,
            Id::Columns,
            Id::Browse,
            Id::Undo,
            Id::ShowCommand,
            Id::Quit,
        ],
        Scope::Pipelines => &[
            Id::Open,
            Id::Browse,
            Id::Filter,
            Id::Palette,
            Id::Help,
            Id::Sort,
            Id::Columns,
            Id::Quit,
        ],
        Scope::Packages => &[
            Id::Open,
            Id::Filter,
            Id::Palette,
            Id::Help,
            Id::ReadTrust,
            Id::Attest,
            Id::Note,
            Id::Choose,
            Id::Sort,
            Id::Columns,
            Id::Quit,
        ],
        Scope::Package => &[
            Id::Back,
            Id::Open,
            Id::ReadTrust,
            Id::Attest,
            Id::Waive,
            Id::Palette,
            Id::Help,
            Id::Evidence,
            Id::Note,
            Id::Undo,
            Id::ShowCommand,
            Id::Quit,
        ],
        Scope::Repo => &[
            Id::Back,
            Id::Open,
            Id::Attest,
            Id::Waive,
            Id::Help,
            Id::Palette,
            Id::Owner,
            Id::Lane,
            Id::Evidence,
            Id::Note,
            Id::EndDate,
            Id::Reviewer,
            Id::Browse,
            Id::Undo,
            Id::ShowCommand,
            Id::Quit,
        ],
        Scope::Tokens => &[
            Id::Open,
            Id::Filter,
            Id::Help,
            Id::Palette,
            Id::RecordRevocation,
            Id::Attest,
            Id::Note,
            Id::Choose,
            Id::Sort,
            Id::Undo,
            Id::ShowCommand,
            Id::Quit,
        ],
        Scope::Token => &[
            Id::Back,
            Id::Edge,
            Id::RecordRevocation,
            Id::Attest,
            Id::Help,
            Id::Palette,
            Id::Waive,
            Id::Evidence,
            Id::Note,
            Id::Undo,
            Id::Quit,
        ],
        Scope::Session => &[
            Id::Back,
            Id::Commander,
            Id::SecondApprover,
            Id::Attest,
            Id::Help,
            Id::Palette,
            Id::Waive,
            Id::Note,
            Id::Undo,
            Id::Quit,
        ],
        Scope::Log => &[
            Id::Open,
            Id::Filter,
            Id::Help,
            Id::Palette,
            Id::Sort,
            Id::Undo,
            Id::ShowCommand,
            Id::Quit,
        ],
    }
}

/// Draws the last line.
pub fn draw(buffer: &mut Buffer, state: &State, theme: &Theme) {
    let (line, width) = (state.size.height - 1, state.size.width);
    if let Some(notice) = &state.notice {
        let style = theme.style(if notice.bad {
            Role::Warning
        } else {
            Role::Passed
        });
        put::text(buffer, (0, line), width, &notice.words, style, theme.glyphs);
        return;
    }
    if state.filtering {
        let typing = [("enter", "keep"), ("esc", "drop"), ("up/down", "move")];
        put::keys(buffer, (0, line), width, &typing, theme);
        let known = words_known(state);
        let words = format!("words: {known}");
        let left = 36;
        put::text(
            buffer,
            (left, line),
            width.saturating_sub(left),
            &words,
            theme.style(Role::Faint),
            theme.glyphs,
        );
        return;
    }
    let reading = state.read_only().is_some();
    let keys: Vec<(String, &str)> = hints(state.scope())
        .iter()
        .filter_map(|id| action::of(*id))
        .filter(|action| !(reading && action.decides))
        .filter_map(|action| Some((action.keys.first()?.to_string(), action.word)))
        .collect();
    let keys: Vec<(&str, &str)> = keys
        .iter()
        .map(|(key, word)| (key.as_str(), *word))
        .collect();
    let at = position(state);
    let cells = u16::try_from(at.width()).unwrap_or(0).min(width);
    put::keys(buffer, (0, line), width - cells, &keys, theme);
    put::text(
        buffer,
        (width - cells, line),
        cells,
        &at,
        theme.style(Role::Faint),
        theme.glyphs,
    );
}

fn words_known(state: &State) -> String {
    let words = with_list!(state, list => list.words());
    words
        .iter()
        .map(|word| word.key)
        .collect::<Vec<_>>()
        .join(" ")
}

/// Where the cursor is among the rows, for the foot's right edge.
fn position(state: &State) -> String {
    if state.page.is_some() {
        return String::new();
    }
    let ((_, cursor), (shown, ..)) = with_list!(state, list => (list.position(), list.counts()));
    if shown == 0 {
        String::new()
    } else {
        format!("  {} / {shown}", cursor + 1)
    }
}
