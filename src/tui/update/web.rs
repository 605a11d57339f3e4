//! The web page of what the cursor is on.
//!
//! An address is made of the session's forge and a repository's name, each held against its grammar; no free text, and
//! nothing that a page, a note or a list says, is ever opened.

use super::{Effect, State};
use crate::model::event::World;
use crate::model::id::Kind;
use crate::model::name::{HostName, RepoName};
use crate::tui::state::{Overlay, Tab};

/// Asks for the page, or says why there is none.
pub(super) fn browse(state: &mut State) -> Vec<Effect> {
    match address(state) {
        Ok(address) => {
            state.say(format!("opening {address}"));
            vec![Effect::Browse(address)]
        }
        Err(why) => {
            state.complain(why);
            Vec::new()
        }
    }
}

/// Says how it went; where no browser could be started, shows the address to copy.
pub(super) fn browsed(state: &mut State, address: String, result: Result<(), String>) {
    match result {
        Ok(()) => state.say(format!("opened {address}")),
        // Whatever lies on top has the keys, and may hold typed work: it stays.
        Err(why) if state.overlay.is_some() => state.complain(format!("{address}: {why}")),
        Err(why) => {
            state.overlay = Some(Overlay::Text {
                title: "Web page".to_owned(),
                lines: vec![address, String::new(), format!("Open it yourself: {why}.")],
                top: 0,
            });
        }
    }
}

fn address(state: &State) -> Result<String, String> {
    let head = &state.snapshot.header;
    if head.world != World::Real {
        return Err("an exercise has no web pages".to_owned());
    }
    let name = repo_here(state).ok_or("there is no web page about this")?;
    let name = RepoName::parse(&name)
        .ok()
        .filter(|name| name.as_str().contains('/'))
        .ok_or("its page is not known: it is named by its folder, without an owner")?;
    let forge = HostName::parse(&head.forge)
        .map_err(|_bad| "the session does not say where its repositories live".to_owned())?;
    Ok(format!("https://{forge}/{name}"))
}

/// The name of the repository that the page, or the row under the cursor, is about.
fn repo_here(state: &State) -> Option<String> {
    if let Some(page) = &state.page {
        let target = page.target();
        return (target.subject.kind == Kind::Repo).then_some(target.name);
    }
    match state.tab {
        Tab::Board => Some(state.board.current()?.name.to_string()),
        Tab::Pipelines => Some(state.runs.current()?.name.to_string()),
        Tab::Packages => Some(state.packages.current()?.repos.first()?.to_string()),
        Tab::Tokens => None,
        Tab::Log => {
            let row = state.log.current()?;
            row.about.filter(|about| about.kind == Kind::Repo)?;
            Some(state.snapshot.log_text.get(&row.id)?.label.clone())
        }
    }
}
