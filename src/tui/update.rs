//! What happens: a message and the state give the next state and the effects. Pure: no I/O, no clock, no channel.
//!
//! Keys go to what lies on top first (`update/overlay.rs`), then to the filter, then through the action table.

mod decide;
mod factor;
mod overlay;
mod web;

use std::sync::Arc;

use tui_input::{Input, InputRequest};

use super::action::{self, Action, Id, Key};
use super::form::Target;
use super::layout::{MARGIN, ROWS_AT, Size, TABS_AT, TITLES_AT};
use super::list::{Item, List};
use super::page::{Line, Page};
use super::rows::board::repo_target;
use super::rows::packages::package_target;
use super::rows::tokens::token_target;
use super::state::{Overlay, State, Tab, with_list};
use super::{column, command, theme};
use crate::engine::snapshot::{Focus, Snapshot};
use crate::model::id::{Kind, Subject};
use crate::model::time::Ts;
use crate::session::decide as session;

/// Something that happened.
#[derive(Debug, Clone)]
pub enum Message {
    Key(Key),
    Paste(String),
    /// Left button at this cell.
    Click {
        x: u16,
        y: u16,
    },
    /// The wheel, by rows; negative is up.
    Scroll(isize),
    Resize(Size),
    Snapshot(Arc<Snapshot>),
    /// The session's answer to a decision: what was done, or why not.
    Answer {
        request: u64,
        result: Result<String, String>,
    },
    /// A page was opened in the browser, or why not.
    Browsed {
        address: String,
        result: Result<(), String>,
    },
    /// The page of a second factor was opened in the browser, or why not. Its address is told to nobody.
    Visited(Result<(), String>),
    /// The clock reached an instant at which visible text changes.
    Tick,
    /// The state as it is has been on the screen.
    Drawn,
}

/// Something that the loop must do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Send these in order; the first refusal ends it.
    Decide {
        request: u64,
        actions: Vec<session::Action>,
    },
    /// Look closer at what the screen now shows.
    Focus(Focus),
    /// Open this https address in the browser.
    Browse(String),
    /// Read the trust configs of these packages.
    ReadTrust(Vec<Subject>),
    StopReading,
    /// Open the page on which npm waits for a second factor.
    Visit,
    /// Pages of this host may be opened for a second factor.
    AcceptHost(Box<str>),
    Suspend,
    Repaint,
    Quit,
}

/// Rows that one notch of the wheel moves.
pub const WHEEL: isize = 3;

/// Takes one message at the instant `now`.
pub fn update(state: &mut State, now: Ts, message: Message) -> Vec<Effect> {
    state.now = now;
    let mut effects = take(state, message);
    let focus = state.focus();
    if focus != state.asked {
        state.asked = focus.clone();
        effects.push(Effect::Focus(focus));
    }
    effects
}

fn take(state: &mut State, message: Message) -> Vec<Effect> {
    match message {
        Message::Key(key) => return on_key(state, key),
        Message::Paste(text) => overlay::paste(state, &text),
        Message::Click { x, y } => return on_click(state, x, y),
        Message::Scroll(rows) => scroll(state, rows),
        Message::Resize(size) => {
            state.size = size;
            state.fit();
        }
        Message::Snapshot(snapshot) => {
            state.snapshot = snapshot;
            state.take_rows();
            overlay::facts_changed(state);
        }
        Message::Answer { request, result } => decide::answered(state, request, result),
        Message::Browsed { address, result } => web::browsed(state, address, result),
        Message::Visited(result) => factor::visited(state, result),
        Message::Tick => {
            let context = state.context();
            state.board.tick(&context);
            state.runs.tick(&context);
            state.tokens.tick(&context);
            state.packages.tick(&context);
            state.log.tick(&context);
        }
        Message::Drawn => {
            if let Some(Overlay::Confirm(confirm)) = &mut state.overlay {
                confirm.drawn = true;
            }
        }
    }
    Vec::new()
}

fn on_key(state: &mut State, key: Key) -> Vec<Effect> {
    // What must work wherever one is.
    match key {
        Key::Ctrl('z') => return vec![Effect::Suspend],
        Key::Ctrl('l') => return vec![Effect::Repaint],
        _ => {}
    }
    if state.size.too_small() {
        return if action::on(key, state.scope()).is_some_and(|action| action.id == Id::Quit) {
            vec![Effect::Quit]
        } else {
            Vec::new()
        };
    }
    if state.overlay.is_some() {
        return overlay::on_key(state, key);
    }
    state.notice = None;
    if state.filtering && on_filter_key(state, key) {
        return Vec::new();
    }
    match action::on(key, state.scope()) {
        Some(action) => perform(state, action),
        None => Vec::new(),
    }
}

/// Does what an action says, from its key or from the palette.
pub fn perform(state: &mut State, action: &Action) -> Vec<Effect> {
    if let (true, Some(why)) = (action.decides, state.read_only()) {
        let words = format!("{} is refused, this console only reads: {why}", action.word);
        state.complain(words);
        return Vec::new();
    }
    if let Some(kind) = decide::form_of(action.id) {
        decide::open_form(state, kind);
        return Vec::new();
    }
    match action.id {
        Id::Board => show(state, Tab::Board),
        Id::Pipelines => show(state, Tab::Pipelines),
        Id::Tokens => show(state, Tab::Tokens),
        Id::Packages => show(state, Tab::Packages),
        Id::Log => show(state, Tab::Log),
        Id::NextScreen => show(state, state.tab.step(1)),
        Id::PreviousScreen => show(state, state.tab.step(-1)),
        Id::Open => open(state),
        Id::Browse => return web::browse(state),
        Id::Back => back(state),
        Id::Up => scroll(state, -1),
        Id::Down => scroll(state, 1),
        Id::PageUp => scroll(state, -page_rows(state)),
        Id::PageDown => scroll(state, page_rows(state)),
        Id::HalfUp => scroll(state, -(page_rows(state) / 2).max(1)),
        Id::HalfDown => scroll(state, (page_rows(state) / 2).max(1)),
        Id::Top => scroll(state, isize::MIN),
        Id::Bottom => scroll(state, isize::MAX),
        Id::Filter => state.filtering = true,
        Id::Choose | Id::ChooseAll | Id::Sort | Id::SortReverse => on_list(state, action.id),
        Id::Columns => state.overlay = Some(Overlay::Columns { cursor: 0 }),
        Id::Session => {
            let name = state.snapshot.header.name.to_string();
            open_page(
                state,
                Target {
                    subject: Subject::SESSION,
                    name,
                },
            );
        }
        Id::Powers => {
            let mut page = Page::powers(state.size.page_rows());
            page.refresh(&state.snapshot);
            state.page = Some(page);
            state.filtering = false;
        }
        Id::Connections => state.overlay = Some(Overlay::Connections { top: 0 }),
        Id::Representatives | Id::Canaries => return decide::sample(state, action.id),
        Id::AcceptProposals => return decide::accept_proposals(state),
        Id::ReadTrust => factor::open(state),
        Id::Undo => return decide::undo(state),
        Id::ShowCommand => show_command(state),
        Id::Palette => {
            state.overlay = Some(Overlay::Palette {
                input: Input::default(),
                cursor: 0,
            })
        }
        Id::Help => state.overlay = Some(Overlay::Help { top: 0 }),
        Id::NextTheme => {
            state.theme = (state.theme + 1) % theme::NAMES.len();
            let name = theme::NAMES.get(state.theme).copied().unwrap_or_default();
            state.say(format!("theme {name}"));
        }
        Id::Suspend => return vec![Effect::Suspend],
        Id::Repaint => return vec![Effect::Repaint],
        Id::Quit => return vec![Effect::Quit],
        _ => {}
    }
    Vec::new()
}

fn show(state: &mut State, tab: Tab) {
    state.tab = tab;
    state.take_rows();
    state.page = None;
    state.filtering = false;
}

/// Opens the page of the row under the cursor; on a page, tells what the gate under the cursor asks.
fn open(state: &mut State) {
    if let Some(page) = &state.page {
        let (Some((gate, _)), Some(Line::Line(line))) = (page.gate(), page.current()) else {
            return;
        };
        let spec = gate.spec();
        let verdict = line
            .state
            .map(|state| format!("{}: {}", state.words(), line.detail));
        let lines = [
            Some(spec.asks.to_owned()),
            verdict,
            line.state
                .is_none_or(|state| !state.is_met())
                .then(|| format!("Next: {}", spec.next)),
        ];
        let lines = lines
            .into_iter()
            .flatten()
            .flat_map(|line| [line, String::new()])
            .chain(line.how.iter().cloned())
            .collect();
        state.overlay = Some(Overlay::Text {
            title: spec.id.to_owned(),
            lines,
            top: 0,
        });
        return;
    }
    let target = match state.tab {
        Tab::Board => state.board.current().map(repo_target),
        Tab::Pipelines => {
            if let Some(row) = state.runs.current() {
                state.overlay = Some(Overlay::Run {
                    repo: row.repo,
                    run: row.id,
                    top: 0,
                });
            }
            return;
        }
        Tab::Tokens => state.tokens.current().map(token_target),
        Tab::Packages => state.packages.current().map(package_target),
        Tab::Log => state.log.current().and_then(|row| {
            let subject = row.about?;
            let name = state
                .snapshot
                .log_text
                .get(&row.id)
                .map_or_else(String::new, |text| text.label.clone());
            matches!(subject.kind, Kind::Repo | Kind::Token | Kind::Session)
                .then_some(Target { subject, name })
        }),
    };
    match target {
        Some(target) => open_page(state, target),
        None => state.complain("no details for this row"),
    }
}

fn open_page(state: &mut State, target: Target) {
    let mut page = Page::open(target, state.size.page_rows());
    page.refresh(&state.snapshot);
    state.page = Some(page);
    state.filtering = false;
}

/// Leaves what is innermost: the page, else the choice of rows, else the filter.
fn back(state: &mut State) {
    if state.page.take().is_some() {
        return;
    }
    let dropped = with_list!(mut state, list => list.choose_none());
    if !dropped {
        edit_filter(state, Input::reset);
    }
}

fn page_rows(state: &State) -> isize {
    let rows = state
        .page
        .as_ref()
        .map_or(state.size.list_rows(), Page::height);
    isize::try_from(rows.saturating_sub(1).max(1)).unwrap_or(1)
}

fn scroll(state: &mut State, rows: isize) {
    let last = super::view::last_top(state);
    match &mut state.overlay {
        Some(
            Overlay::Help { top }
            | Overlay::Text { top, .. }
            | Overlay::Run { top, .. }
            | Overlay::Connections { top },
        ) => {
            *top = top.saturating_add_signed(rows).min(last);
            return;
        }
        Some(_) => return,
        None => {}
    }
    match &mut state.page {
        Some(page) => page.step(rows),
        None => with_list!(mut state, list => list.step(rows)),
    }
}

fn on_list(state: &mut State, id: Id) {
    let context = state.context();
    // A filter that is not understood holds nothing back: all would be more than is meant.
    if id == Id::ChooseAll && with_list!(state, list => list.error.is_some()) {
        state.complain(
            "the filter is not valid, so nothing was chosen: correct it, or clear it with esc",
        );
        return;
    }
    fn apply<R: Item>(list: &mut List<R>, id: Id, context: &super::list::Context) {
        match id {
            Id::Choose => list.choose(),
            Id::ChooseAll => list.choose_all(),
            Id::Sort => list.sort_next(context),
            _ => list.sort_turn(context),
        }
    }
    with_list!(mut state, list => apply(list, id, &context));
}

/// A key while the filter is open; false where it is not the filter's.
fn on_filter_key(state: &mut State, key: Key) -> bool {
    match key {
        Key::Enter => state.filtering = false,
        Key::Esc => {
            state.filtering = false;
            edit_filter(state, Input::reset);
        }
        key => {
            let Some(request) = request(key) else {
                return false;
            };
            edit_filter(state, |input| {
                input.handle(request);
            });
        }
    }
    true
}

/// Changes the typed filter of the screen and reads it again.
fn edit_filter(state: &mut State, change: impl FnOnce(&mut Input)) {
    let context = state.context();
    with_list!(mut state, list => {
        change(&mut list.input);
        list.read_filter(&context);
    });
}

/// What a key does to a line of text.
fn request(key: Key) -> Option<InputRequest> {
    Some(match key {
        Key::Char(letter) => InputRequest::InsertChar(letter),
        Key::Backspace | Key::Ctrl('h') => InputRequest::DeletePrevChar,
        Key::Delete => InputRequest::DeleteNextChar,
        Key::Left => InputRequest::GoToPrevChar,
        Key::Right => InputRequest::GoToNextChar,
        Key::Home | Key::Ctrl('a') => InputRequest::GoToStart,
        Key::End | Key::Ctrl('e') => InputRequest::GoToEnd,
        Key::Ctrl('w') => InputRequest::DeletePrevWord,
        Key::Ctrl('u') => InputRequest::DeleteLine,
        Key::Ctrl('k') => InputRequest::DeleteTillEnd,
        _ => return None,
    })
}

fn on_click(state: &mut State, x: u16, y: u16) -> Vec<Effect> {
    if state.overlay.is_some() || state.size.too_small() {
        return Vec::new();
    }
    state.notice = None;
    if y == TABS_AT {
        if let Some(tab) = tab_at(x) {
            show(state, tab);
        }
    } else if y >= ROWS_AT {
        let line = usize::from(y - ROWS_AT);
        let (size, right) = (state.size, state.size.wide() && x >= state.size.width / 2);
        let before = with_list!(state, list => list.position());
        let hit = match &mut state.page {
            Some(page) => {
                page.click(line, right, size);
                false
            }
            None => with_list!(mut state, list => list.click(line)) && state.tab != Tab::Log,
        };
        // A second click on the row under the cursor opens it.
        if hit && before == with_list!(state, list => list.position()) {
            open(state);
        }
    } else if y == TITLES_AT && state.page.is_none() {
        let (context, width) = (state.context(), state.size.columns_width());
        with_list!(mut state, list => sort_at(list, x, width, &context));
    }
    Vec::new()
}

fn sort_at<R: Item>(list: &mut List<R>, x: u16, width: u16, context: &super::list::Context) {
    let mut left = MARGIN;
    for (index, cells) in column::layout(R::COLUMNS, &list.wanted, width) {
        if (left..left + cells).contains(&x) {
            list.sort_by(index, context);
            return;
        }
        left += cells + column::GAP;
    }
}

/// The screen whose name stands at this cell of the tab line.
fn tab_at(x: u16) -> Option<Tab> {
    let mut left = 0;
    for (tab, _, title) in Tab::ALL {
        let width = super::view::tab_width(title);
        if (left..left + width).contains(&x) {
            return Some(tab);
        }
        left += width;
    }
    None
}

/// Shows the command that would do what the open form, the last decision, or this screen does.
fn show_command(state: &mut State) {
    let (command, what) = match state.last_command.clone() {
        Some(command) => (
            command,
            "The same as what was last done here, for a script.",
        ),
        None => (
            command::of_screen(state),
            "The same as this screen, for a script.",
        ),
    };
    let lines = vec![command, String::new(), what.to_owned()];
    state.overlay = Some(Overlay::Text {
        title: "Same as command".to_owned(),
        lines,
        top: 0,
    });
}
