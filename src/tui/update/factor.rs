//! Keys for a reading that costs a second factor: begin it, open npm's page, stop it.
//!
//! Closing the panel leaves the reading under way. The page's address is never said anywhere but in the panel.

use super::{Effect, Key, State, decide};
use crate::engine::live::{FactorPage, FactorState, TwoFactorProgress};
use crate::model::event::World;
use crate::model::id::{Kind, Subject};
use crate::session::decide::NoteAction;
use crate::tui::state::Overlay;

/// Opens the panel: on the reading under way, else on what reading the chosen packages costs.
pub(super) fn open(state: &mut State) {
    if !state.snapshot.live.connected() {
        state.complain("nothing is connected: open the session with --live to read trust at npm");
        return;
    }
    let targets = state.targets().into_iter().map(|target| target.subject);
    let packages: Vec<Subject> = targets.filter(|one| one.kind == Kind::Package).collect();
    let begun = factor(state).is_some_and(TwoFactorProgress::is_open);
    if packages.is_empty() && !begun {
        state.complain("choose a package first");
        return;
    }
    state.overlay = Some(Overlay::Factor { packages, begun });
}

pub(super) fn on_key(state: &mut State, key: Key) -> Vec<Effect> {
    let Some(Overlay::Factor { packages, begun }) = &mut state.overlay else {
        return Vec::new();
    };
    match key {
        Key::Enter if !*begun => {
            *begun = true;
            return vec![Effect::ReadTrust(packages.clone())];
        }
        Key::Char('o') if *begun => return visit(state),
        Key::Char('Y') if *begun => return accept(state),
        Key::Char('x') if *begun && factor(state).is_some_and(TwoFactorProgress::is_open) => {
            return vec![Effect::StopReading];
        }
        Key::Esc | Key::Enter | Key::Char('q') | Key::Ctrl('c') => state.overlay = None,
        _ => {}
    }
    Vec::new()
}

/// Says how opening the page went.
pub(super) fn visited(state: &mut State, result: Result<(), String>) {
    match result {
        Ok(()) => state.say("opened npm's page in the browser"),
        Err(why) => state.complain(format!("{why}; open the address in the panel yourself")),
    }
}

fn factor(state: &State) -> Option<&TwoFactorProgress> {
    state.snapshot.live.factor.as_deref()
}

fn page(state: &State) -> Option<&FactorPage> {
    match &factor(state)?.state {
        FactorState::Asked(page) => Some(page),
        FactorState::Working | FactorState::Ended(_) => None,
    }
}

fn visit(state: &mut State) -> Vec<Effect> {
    let exercise = state.snapshot.header.world != World::Real;
    match page(state).map(|page| page.accepted) {
        None => state.complain("npm is not waiting for a second factor"),
        Some(_) if exercise => {
            state.complain(
                "the tabletop has no web pages: it approves the second factor automatically",
            );
        }
        Some(false) => {
            state.complain("the page is not on npm's own site: accept its host first, with Y")
        }
        Some(true) => return vec![Effect::Visit],
    }
    Vec::new()
}

/// Accepts a host that is not the registry's own: written down, so that it can be asked about later.
fn accept(state: &mut State) -> Vec<Effect> {
    let Some(host) = page(state)
        .filter(|page| !page.accepted)
        .map(|page| page.host.clone())
    else {
        return Vec::new();
    };
    let note = NoteAction::Add {
        about: Subject::SESSION,
        text: format!("pages on {host} may be opened for a second factor"),
    };
    vec![
        decide::send(state, vec![note.into()]),
        Effect::AcceptHost(host),
    ]
}
