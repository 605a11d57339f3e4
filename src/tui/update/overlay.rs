//! Keys, pastes and changed facts for what lies on top of the screen.

use tui_input::Input;

use super::{Effect, Key, State, decide, edit_filter, factor, perform, request, web};
use crate::tui::action;
use crate::tui::list::{Item, List};
use crate::tui::rows::tokens::stamp;
use crate::tui::state::{Overlay, with_list};

pub(super) fn on_key(state: &mut State, key: Key) -> Vec<Effect> {
    match &mut state.overlay {
        None => Vec::new(),
        Some(
            Overlay::Help { .. }
            | Overlay::Text { .. }
            | Overlay::Run { .. }
            | Overlay::Connections { .. },
        ) => on_text_key(state, key),
        Some(Overlay::Palette { .. }) => on_palette_key(state, key),
        Some(Overlay::Columns { .. }) => on_columns_key(state, key),
        Some(Overlay::Form(_)) => on_form_key(state, key),
        Some(Overlay::Confirm(_)) => on_confirm_key(state, key),
        Some(Overlay::Factor { .. }) => factor::on_key(state, key),
    }
}

fn on_text_key(state: &mut State, key: Key) -> Vec<Effect> {
    let rows = isize::try_from(state.size.list_rows()).unwrap_or(1);
    match key {
        Key::Char('j') | Key::Down => super::scroll(state, 1),
        Key::Char('k') | Key::Up => super::scroll(state, -1),
        Key::PageDown | Key::Ctrl('f' | 'd') => super::scroll(state, rows),
        Key::PageUp | Key::Ctrl('b' | 'u') => super::scroll(state, -rows),
        Key::Char('o') if matches!(state.overlay, Some(Overlay::Run { .. })) => {
            return web::browse(state);
        }
        Key::Esc | Key::Enter | Key::Char('q' | '?' | 'y' | 'i') | Key::Ctrl('c') => {
            state.overlay = None;
        }
        _ => {}
    }
    Vec::new()
}

fn on_palette_key(state: &mut State, key: Key) -> Vec<Effect> {
    let scope = state.scope();
    let Some(Overlay::Palette { input, cursor }) = &mut state.overlay else {
        return Vec::new();
    };
    match key {
        Key::Esc | Key::Ctrl('c') => state.overlay = None,
        Key::Down | Key::Tab => *cursor += 1,
        Key::Up | Key::BackTab => *cursor = cursor.saturating_sub(1),
        Key::Enter => {
            let found = action::search(input.value(), scope);
            let picked = found.get(*cursor).copied();
            state.overlay = None;
            if let Some(action) = picked {
                return perform(state, action);
            }
        }
        key => {
            if let Some(request) = request(key) {
                input.handle(request);
                *cursor = 0;
            }
        }
    }
    if let Some(Overlay::Palette { input, cursor }) = &mut state.overlay {
        *cursor = (*cursor).min(action::search(input.value(), scope).len().saturating_sub(1));
    }
    Vec::new()
}

fn on_columns_key(state: &mut State, key: Key) -> Vec<Effect> {
    fn turn<R: Item>(list: &mut List<R>, at: usize) {
        // The first column is what a row is; it stays.
        if let (true, Some(wanted)) = (at > 0, list.wanted.get_mut(at)) {
            *wanted = !*wanted;
        }
    }
    let count = with_list!(state, list => list.wanted.len());
    let Some(Overlay::Columns { cursor }) = &mut state.overlay else {
        return Vec::new();
    };
    match key {
        Key::Down | Key::Char('j') => *cursor = (*cursor + 1).min(count - 1),
        Key::Up | Key::Char('k') => *cursor = cursor.saturating_sub(1),
        Key::Char(' ') => {
            let at = *cursor;
            with_list!(mut state, list => turn(list, at));
        }
        Key::Esc | Key::Enter | Key::Char('q' | 'c') | Key::Ctrl('c') => state.overlay = None,
        _ => {}
    }
    Vec::new()
}

fn on_form_key(state: &mut State, key: Key) -> Vec<Effect> {
    let Some(Overlay::Form(form)) = &mut state.overlay else {
        return Vec::new();
    };
    if form.sending {
        return Vec::new();
    }
    match key {
        Key::Esc | Key::Ctrl('c') => decide::keep_draft(state),
        Key::BackTab => form.move_focus(-1),
        Key::Tab => {
            form.complete();
            form.move_focus(1);
        }
        Key::Down => {
            if !form.move_pick(1) {
                form.move_focus(1);
            }
        }
        Key::Up => {
            if form.picked == 0 || !form.move_pick(-1) {
                form.move_focus(-1);
            }
        }
        Key::Enter => {
            form.complete();
            if form.focus + 1 < form.fields.len() {
                form.move_focus(1);
            } else {
                return decide::submit(state);
            }
        }
        Key::Ctrl('s') => {
            form.complete();
            return decide::submit(state);
        }
        key => {
            let focus = form.focus;
            if let (Some(request), Some(field)) = (request(key), form.fields.get_mut(focus)) {
                field.input.handle(request);
                form.picked = 0;
                form.error = None;
            }
        }
    }
    Vec::new()
}

fn on_confirm_key(state: &mut State, key: Key) -> Vec<Effect> {
    let Some(Overlay::Confirm(confirm)) = &mut state.overlay else {
        return Vec::new();
    };
    // Typed before the panel was seen: it was meant for something else.
    if !confirm.drawn || confirm.sending {
        return Vec::new();
    }
    match key {
        Key::Esc | Key::Ctrl('c') => {
            state.overlay = None;
            state.say("nothing was written; what you typed into the form is kept");
        }
        Key::Enter => return decide::confirm(state),
        key => {
            if let Some(request) = request(key) {
                confirm.input.handle(request);
                confirm.error = None;
            }
        }
    }
    Vec::new()
}

/// Puts pasted text where typing goes, as one line; a panel that asks for a name refuses it.
pub(super) fn paste(state: &mut State, text: &str) {
    let line: String = text
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect();
    let put = |input: &mut Input| {
        for letter in line.chars() {
            input.handle(tui_input::InputRequest::InsertChar(letter));
        }
    };
    match &mut state.overlay {
        Some(Overlay::Confirm(confirm)) => {
            confirm.input.reset();
            confirm.error = Some("type the name: a paste is refused here".to_owned());
        }
        Some(Overlay::Form(form)) if !form.sending => {
            let focus = form.focus;
            if let Some(field) = form.fields.get_mut(focus) {
                put(&mut field.input);
                form.error = None;
            }
        }
        Some(Overlay::Palette { input, cursor }) => {
            put(input);
            *cursor = 0;
        }
        None if state.filtering => edit_filter(state, put),
        _ => {}
    }
}

/// Clears what was typed into the panel where the facts under it have changed.
pub(super) fn facts_changed(state: &mut State) {
    let Some(Overlay::Confirm(confirm)) = &mut state.overlay else {
        return;
    };
    let now = state
        .snapshot
        .tokens
        .iter()
        .find(|row| row.id == confirm.target.subject)
        .map(stamp);
    if confirm.basis != now && !confirm.sending {
        confirm.basis = now;
        confirm.input.reset();
        confirm.drawn = false;
        confirm.error = Some(
            "what is known of it has just changed: read it again, then type the name".to_owned(),
        );
    }
}
