//! From a key to a decision sent: which form an action opens, what it starts from, and what the answer does.

use std::collections::BTreeSet;

use tui_input::Input;

use super::{Effect, State, command};
use crate::model::id::{Kind as Subjects, Subject};
use crate::session::decide::{Action, BEFORE_REHEARSAL, LaneAction, PlanAction, RevocationAction};
use crate::tui::action::Id;
use crate::tui::form::{Form, Kind, Start, Target};
use crate::tui::rows::tokens::stamp;
use crate::tui::state::{Confirm, Overlay};

/// The form that an action opens.
pub(super) fn form_of(id: Id) -> Option<Kind> {
    Some(match id {
        Id::Owner => Kind::Owner,
        Id::Reviewer => Kind::Reviewer,
        Id::Commander => Kind::Commander,
        Id::SecondApprover => Kind::SecondApprover,
        Id::Lane => Kind::Lane,
        Id::EndDate => Kind::EndDate,
        Id::Plan => Kind::Plan,
        Id::CarryOver => Kind::CarryOver,
        Id::Attest => Kind::Attest,
        Id::Waive => Kind::Waive,
        Id::Edge => Kind::Edge,
        Id::FollowUp => Kind::FollowUp,
        Id::Note => Kind::Note,
        Id::Evidence => Kind::Evidence,
        Id::RecordRevocation => Kind::RecordRevocation,
        _ => return None,
    })
}

/// What a form starts from here and now.
pub(super) fn start(state: &State) -> Start {
    let me = state.me().to_owned();
    let known = state
        .snapshot
        .rows
        .iter()
        .flat_map(|row| [&row.owner, &row.reviewer])
        .flatten()
        .chain(&state.snapshot.header.people);
    let mut people: BTreeSet<&str> = known.map(AsRef::as_ref).collect();
    people.remove(me.as_str());
    // Oneself first: it is what is meant most often.
    let people = [me.clone()]
        .into_iter()
        .filter(|me| !me.is_empty())
        .chain(people.into_iter().map(str::to_owned));
    Start {
        people: people.collect(),
        gate: state
            .page
            .as_ref()
            .and_then(|page| page.gate())
            .map(|(gate, _)| gate),
        page: state.page.as_ref().map(|page| page.subject),
        me,
        today: state.now.day(),
        last_bridge_day: state.snapshot.header.cutoff_earliest.pred_opt(),
    }
}

/// What a form made here is about, or why there is nothing.
fn targets(state: &State, kind: Kind) -> Result<Vec<Target>, &'static str> {
    let here = |kinds: &[Subjects]| state.page.as_ref().and_then(|page| page.target_here(kinds));
    let one = match kind {
        Kind::Commander | Kind::SecondApprover => Some(Target {
            subject: Subject::SESSION,
            name: state.snapshot.header.name.to_string(),
        }),
        Kind::Lane | Kind::EndDate | Kind::CarryOver => here(&[Subjects::Path]),
        Kind::Plan => here(&[Subjects::Config]),
        Kind::Edge => {
            Some(here(&[Subjects::Secret]).ok_or("select one of the token's secrets first")?)
        }
        Kind::Attest | Kind::Waive
            if state
                .page
                .as_ref()
                .is_some_and(|page| page.gate().is_some()) =>
        {
            here(&Subjects::ALL)
        }
        _ => None,
    };
    let all = one.map_or_else(|| state.targets(), |one| vec![one]);
    match (kind, all.len()) {
        (_, 0) => Err("there is nothing here to decide about"),
        (Kind::RecordRevocation, 2..) => Err("select one token only (esc clears the selection)"),
        _ => Ok(all),
    }
}

/// Opens a form, with the draft that was left in it if there is one.
pub(super) fn open_form(state: &mut State, kind: Kind) {
    let targets = match targets(state, kind) {
        Ok(targets) => targets,
        Err(words) => return state.complain(words),
    };
    let first = targets.first().map(|target| target.subject);
    let draft = first.and_then(|first| state.drafts.remove(&(kind, first)));
    let start = start(state);
    // A draft about another gate or other rows is not what is meant now.
    let same = |draft: &Form| {
        draft.targets == targets && start.gate.is_none_or(|gate| draft.is_about(gate))
    };
    let mut form = draft
        .filter(same)
        .unwrap_or_else(|| Form::new(kind, targets, &start));
    form.sending = false;
    state.overlay = Some(Overlay::Form(Box::new(form)));
}

/// Reads the open form: sends its decisions, asks again before what cannot be taken back, or says what is missing.
pub(super) fn submit(state: &mut State) -> Vec<Effect> {
    let start = start(state);
    let Some(Overlay::Form(form)) = &mut state.overlay else {
        return Vec::new();
    };
    if form.sending {
        return Vec::new();
    }
    let Some(actions) = form.decide(&start) else {
        return Vec::new();
    };
    state.last_command = Some(command::of_form(form, &actions, &state.settings.session));
    if let [Action::Revocation(RevocationAction::Record { .. })] = actions.as_slice() {
        let target = form.targets.first().cloned();
        keep_draft(state);
        if let Some(target) = target {
            ask(state, actions, target);
        }
        return Vec::new();
    }
    form.sending = true;
    vec![send(state, actions)]
}

pub(super) fn send(state: &mut State, actions: Vec<Action>) -> Effect {
    state.request += 1;
    Effect::Decide {
        request: state.request,
        actions,
    }
}

/// Opens the panel that wants the target's name typed.
fn ask(state: &mut State, actions: Vec<Action>, target: Target) {
    let basis = state
        .snapshot
        .tokens
        .iter()
        .find(|row| row.id == target.subject);
    let mut lines = Vec::new();
    if let Some(Action::Revocation(RevocationAction::Record {
        token_id,
        on,
        who,
        proof,
        ..
    })) = actions.first()
    {
        lines.push(format!(
            "Writes: the token {} with the id {token_id} was revoked on {on} by {who}.",
            target.name
        ));
        lines.push(format!("Proof: {proof}"));
    }
    if let Some(row) = basis {
        let (state, why) = &row.chain;
        lines.push(format!("Safe to revoke: {}: {why}", state.words()));
        let held = row.holds.saturating_sub(row.released);
        if held > 0 {
            lines.push(format!(
                "{held} of {} paths and uses still hold it.",
                row.holds
            ));
        }
    }
    lines.push(
        "This records what was done at the registry; it revokes nothing by itself.".to_owned(),
    );
    lines.push("What was done stays recorded: it cannot be undone.".to_owned());
    state.overlay = Some(Overlay::Confirm(Box::new(Confirm {
        actions,
        target,
        lines,
        input: Input::default(),
        drawn: false,
        sending: false,
        error: None,
        basis: basis.map(stamp),
    })));
}

/// Chooses the sample of the session: the chosen rows of the board.
pub(super) fn sample(state: &mut State, id: Id) -> Vec<Effect> {
    if state.board.counts().2 == 0 {
        state.complain("select the repositories first, with space");
        return Vec::new();
    }
    let repos: Vec<Subject> = state
        .targets()
        .iter()
        .map(|target| target.subject)
        .collect();
    let action = if id == Id::Canaries {
        PlanAction::ChooseCanaries { repos }
    } else {
        PlanAction::ChooseRepresentatives { repos }
    };
    vec![send(state, vec![action.into()])]
}

/// Takes the proposed lanes of the rows here: each path gets its own, so there is nothing to ask.
pub(super) fn accept_proposals(state: &mut State) -> Vec<Effect> {
    let about = state
        .targets()
        .iter()
        .map(|target| target.subject)
        .collect();
    state.last_command = Some(command::of_proposals(
        &state.targets(),
        &state.settings.session,
    ));
    // The next key is not meant for all of them.
    state.board.choose_none();
    vec![send(
        state,
        vec![LaneAction::AcceptProposals { about }.into()],
    )]
}

/// Closes a form but keeps what was typed into it.
pub(super) fn keep_draft(state: &mut State) {
    if let Some(Overlay::Form(form)) = state.overlay.take()
        && let Some(first) = form.targets.first().map(|target| target.subject)
    {
        state.drafts.insert((form.kind, first), *form);
    }
}

/// Takes back one's own last decision, by the session's own idea of what that was.
pub(super) fn undo(state: &mut State) -> Vec<Effect> {
    state.last_command = Some(command::of_undo(&state.settings.session));
    vec![send(state, vec![Action::Undo { event: None }])]
}

/// The session answered: done closes what was open, a refusal is shown where the work was typed.
pub(super) fn answered(state: &mut State, request: u64, result: Result<String, String>) {
    let awaited = request == state.request;
    match (result, &mut state.overlay) {
        (Ok(words), Some(Overlay::Form(form))) if awaited && form.sending => {
            state.overlay = None;
            finish(state, words);
        }
        (Ok(words), Some(Overlay::Confirm(confirm))) if awaited && confirm.sending => {
            let subject = confirm.target.subject;
            state.drafts.remove(&(Kind::RecordRevocation, subject));
            state.overlay = None;
            finish(state, words);
        }
        (Err(words), Some(Overlay::Form(form))) if awaited && form.sending => {
            form.sending = false;
            form.agreed = words.contains(BEFORE_REHEARSAL);
            form.error = Some(words);
        }
        (Err(words), Some(Overlay::Confirm(confirm))) if awaited && confirm.sending => {
            confirm.sending = false;
            confirm.input.reset();
            confirm.error = Some(words);
        }
        (Ok(words), _) => state.say(words),
        (Err(words), _) => state.complain(words),
    }
}

fn finish(state: &mut State, words: String) {
    state.board.choose_none();
    state.tokens.choose_none();
    state.say(words);
}

/// Sends what the panel asks about, when the name was typed exactly.
pub(super) fn confirm(state: &mut State) -> Vec<Effect> {
    let Some(Overlay::Confirm(confirm)) = &mut state.overlay else {
        return Vec::new();
    };
    if confirm.sending || !confirm.drawn {
        return Vec::new();
    }
    if confirm.input.value() != confirm.name() {
        confirm.error = Some("the typed name does not match".to_owned());
        return Vec::new();
    }
    confirm.sending = true;
    confirm.error = None;
    let actions = confirm.actions.clone();
    vec![send(state, actions)]
}
