//! Drawing: one function from state to frame, and when it would next look different.
//!
//! ```text
//! cutover  acme                       bypass tokens stop publishing in ≥ 39 d     frame
//!  1 Board  3 Tokens  6 Log                          what the session warns of    frame
//! 412 repos  proven 12  open 94   blocked 9           / lane:bridge wave<4▏       frame
//!   Repo            Owner   Lane     0 1 2 3 4 5   Clock     Next step            table
//! ▏ acme/ui-kit     rosa    trusted  ● ● ◐ · · ·   2d 11h !  decide trust         board, tokens, log or page
//!   …
//! enter open  space choose  a attest  / filter  : command  ? keys                 frame
//! ```
//!
//! What lies on top (help, palette, form, confirm, columns, text) is drawn last, over the middle. Views see state and
//! theme only, change neither, and build no row that is not on the screen.

mod board;
mod columns;
mod confirm;
mod connections;
mod counts;
mod factor;
mod foot;
mod form;
mod frame;
mod help;
mod link;
mod log;
mod packages;
mod page;
mod palette;
mod pipelines;
mod put;
mod run;
mod start;
mod table;
mod text;
mod time;
mod tokens;

pub use frame::tab_width;
pub use start::{draw as start, line as start_line};
pub use time::next_change;

use ratatui::Frame;

use super::state::{Overlay, State, Tab};
use super::theme::Theme;

/// The furthest line that the help or the text on top can begin with: scrolling stops there.
#[must_use]
pub fn last_top(state: &State) -> usize {
    match &state.overlay {
        Some(Overlay::Help { .. }) => help::last_top(state),
        Some(Overlay::Text { lines, .. }) => text::last_top(lines, state.size),
        Some(Overlay::Run { repo, run: id, .. }) => run::last_top(state, (*repo, *id)),
        Some(Overlay::Connections { .. }) => connections::last_top(state),
        _ => 0,
    }
}

/// Draws the whole screen.
pub fn draw(frame: &mut Frame<'_>, state: &State, theme: &Theme) {
    let buffer = frame.buffer_mut();
    buffer.set_style(buffer.area, theme.style(super::theme::Role::Text));
    if state.size.too_small() {
        frame::too_small(buffer, state, theme);
        return;
    }
    let doubting = state.in_doubt().then(|| theme.in_doubt());
    let theme = doubting.as_ref().unwrap_or(theme);
    frame::draw(buffer, state, theme);
    match (&state.page, state.tab) {
        (Some(page), _) => page::draw(buffer, state, page, theme),
        (None, Tab::Board) => board::draw(buffer, state, theme),
        (None, Tab::Pipelines) => pipelines::draw(buffer, state, theme),
        (None, Tab::Tokens) => tokens::draw(buffer, state, theme),
        (None, Tab::Packages) => packages::draw(buffer, state, theme),
        (None, Tab::Log) => log::draw(buffer, state, theme),
    }
    let cursor = match &state.overlay {
        None => frame::input_cursor(state),
        Some(Overlay::Help { top }) => help::draw(buffer, state, *top, theme),
        Some(Overlay::Palette { input, cursor }) => {
            palette::draw(buffer, state, input, *cursor, theme)
        }
        Some(Overlay::Form(form)) => form::draw(buffer, form, theme),
        Some(Overlay::Confirm(confirm)) => confirm::draw(buffer, confirm, theme),
        Some(Overlay::Columns { cursor }) => columns::draw(buffer, state, *cursor, theme),
        Some(Overlay::Run { repo, run: id, top }) => {
            run::draw(buffer, state, (*repo, *id), *top, theme)
        }
        Some(Overlay::Connections { top }) => connections::draw(buffer, state, *top, theme),
        Some(Overlay::Factor { packages, begun }) => {
            factor::draw(buffer, state, packages.len(), *begun, theme)
        }
        Some(Overlay::Text { title, lines, top }) => {
            text::draw(buffer, title, lines, *top, text::READ, theme)
        }
    };
    if let Some(cursor) = cursor {
        frame.set_cursor_position(cursor);
    }
}
