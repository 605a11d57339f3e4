//! The web page of what the cursor is on.
//!
//! An address is made of the session's forge, a repository's name, each held against its grammar, and a run's number; no
//! free text, and nothing that a page, a note or a list says, is ever opened.

use super::{Effect, State};
use crate::model::event::World;
use crate::model::id::Kind;
use crate::model::name::{HostName, RepoName};
use crate::tui::rows::runs::RunRow;
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
    match run_here(state) {
        Some(run) => page_of(&head.forge, &run.name, Some(run.id)),
        None => {
            let name = repo_here(state).ok_or("there is no web page about this")?;
            page_of(&head.forge, &name, None)
        }
    }
}

/// Makes the address of a repository's page, or of one of its runs.
fn page_of(forge: &str, name: &str, run: Option<u64>) -> Result<String, String> {
    let name = RepoName::parse(name)
        .ok()
        .filter(|name| name.as_str().contains('/'))
        .ok_or("its page is not known: it is named by its folder, without an owner")?;
    let forge = HostName::parse(forge)
        .map_err(|_bad| "the session does not say where its repositories live".to_owned())?;
    let run = run.map(|id| format!("/actions/runs/{id}"));
    Ok(format!("https://{forge}/{name}{}", run.unwrap_or_default()))
}

/// The run that lies on top, or is under the cursor.
fn run_here(state: &State) -> Option<&RunRow> {
    match (&state.overlay, &state.page, state.tab) {
        (Some(Overlay::Run { repo, run, .. }), ..) => {
            let mut runs = state.snapshot.live.runs.iter();
            runs.find(|row| (row.repo, row.id) == (*repo, *run))
        }
        (_, None, Tab::Pipelines) => state.runs.current(),
        _ => None,
    }
}

/// The name of the repository that the page, or the row under the cursor, is about.
fn repo_here(state: &State) -> Option<String> {
    if let Some(page) = &state.page {
        let target = page.target();
        return (target.subject.kind == Kind::Repo).then_some(target.name);
    }
    match state.tab {
        Tab::Board => Some(state.board.current()?.name.to_string()),
        Tab::Packages => Some(state.packages.current()?.repos.first()?.to_string()),
        Tab::Pipelines | Tab::Tokens => None,
        Tab::Log => {
            let row = state.log.current()?;
            row.about.filter(|about| about.kind == Kind::Repo)?;
            Some(state.snapshot.log_text.get(&row.id)?.label.clone())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_made_of_parts_that_were_held_against_their_grammar() {
        let page = |name, run| page_of("github.com", name, run);
        assert_eq!(
            page("acme/ui", None).as_deref(),
            Ok("https://github.com/acme/ui")
        );
        assert_eq!(
            page("acme/ui", Some(7)).as_deref(),
            Ok("https://github.com/acme/ui/actions/runs/7")
        );
        for name in ["ui", "acme/ui?x", "acme/../evil", "acme/ui kit"] {
            assert!(page(name, Some(7)).is_err(), "{name}");
        }
        assert!(page_of("evil.example/x", "acme/ui", None).is_err());
    }
}
