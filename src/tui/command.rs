//! The command that would do the same as the console: the verb, its flags, quoted for a POSIX shell.
//!
//! Only shown, for a person to copy; never run from here.

use super::form::{Form, Kind, Target};
use super::state::{State, Tab};
use crate::model::id::Kind as Subjects;
use crate::safe::shell::quote;
use crate::safe::shown::and_more;
use crate::session::decide::{Action, GateAction, LaneAction, NoteAction, RevocationAction};

/// More targets than this are counted, not listed.
const LISTED: usize = 8;

/// The command for what the screen shows.
#[must_use]
pub fn of_screen(state: &State) -> String {
    let session = quote(&state.settings.session);
    match (&state.page, state.tab) {
        (Some(_), _) => format!("cutover report {session}"),
        (None, Tab::Log) => format!("cutover log list {session}"),
        (None, _) => format!("cutover status {session}"),
    }
}

/// The command that takes the proposed lanes of these.
#[must_use]
pub fn of_proposals(targets: &[Target], session: &str) -> String {
    let mut line = Words(vec!["cutover".to_owned()]);
    line.verb(&["lane"]).names(targets).verb(&["--proposed"]);
    line.flag("-s", session);
    line.done(targets)
}

/// The command that takes back one's own last decision.
#[must_use]
pub fn of_undo(session: &str) -> String {
    let mut line = Words(vec!["cutover".to_owned()]);
    line.verb(&["undo"]).flag("-s", session);
    line.done(&[])
}

/// The command for what a form decides.
#[must_use]
pub fn of_form(form: &Form, actions: &[Action], session: &str) -> String {
    let mut line = Words(vec!["cutover".to_owned()]);
    let targets = form.targets.as_slice();
    match form.kind {
        Kind::Owner => line
            .verb(&["assign"])
            .names(targets)
            .flag("--owner", &form.at(0)),
        Kind::Reviewer => line
            .verb(&["assign"])
            .names(targets)
            .flag("--reviewer", &form.at(0)),
        Kind::Commander => line.verb(&["assign"]).flag("--commander", &form.at(0)),
        Kind::SecondApprover => line
            .verb(&["assign"])
            .flag("--second-approver", &form.at(0)),
        Kind::Lane => {
            line.verb(&["lane"])
                .names(targets)
                .flag("--lane", &form.at(0));
            line.flag("--until", &date(actions))
                .flag("--why", &form.at(2))
        }
        Kind::EndDate => line
            .verb(&["lane"])
            .names(targets)
            .flag("--until", &date(actions)),
        Kind::Plan => line
            .verb(&["plan"])
            .names(targets)
            .flag("--by", &form.at(0))
            .flag("--note", &form.at(1)),
        Kind::CarryOver => {
            line.verb(&["carry-over"])
                .names(targets)
                .flag("--owner", &form.at(0));
            line.flag("--until", &date(actions))
                .flag("--why", &form.at(2))
        }
        Kind::Attest => {
            line.verb(&["attest", &form.at(0)]).about(targets);
            if form.agreed {
                line.verb(&["--before-rehearsal"]);
            }
            line.flag("--note", &form.at(1)).flag("--link", &form.at(2))
        }
        Kind::Waive => {
            line.verb(&["waive", &form.at(0)]).about(targets);
            line.flag("--why", &form.at(1))
                .flag("--until", &date(actions))
        }
        Kind::Edge => {
            if let Some(Action::Revocation(RevocationAction::AttestEdge { token, holds, .. })) =
                actions.first()
            {
                line.verb(&["edge", &token.to_string()]).names(targets);
                line.verb(&[if *holds { "--holds" } else { "--not" }]);
            }
            line.flag("--note", &form.at(1))
        }
        Kind::FollowUp => line
            .verb(&["follow-up", &form.at(1)])
            .flag("--on", &date(actions))
            .about(targets),
        Kind::Note => line.verb(&["note", &form.at(0)]).about(targets),
        Kind::Evidence => {
            let flag = match form.at(0).as_str() {
                "address" => "--url",
                "file" => "--file",
                _ => "--text",
            };
            line.verb(&["evidence", "add"])
                .flag(flag, &form.at(1))
                .about(targets)
        }
        Kind::RecordRevocation => {
            line.verb(&["revocation", "record"])
                .names(targets)
                .flag("--id", &form.at(0));
            line.flag("--on", &date(actions))
                .flag("--who", &form.at(2))
                .flag("--proof", &form.at(3))
                .flag("--confirm", targets.first().map_or("", |one| &one.name))
        }
    };
    line.flag("-s", session);
    line.done(targets)
}

/// The day that was read from the form: what was typed may have been `+14d`.
fn date(actions: &[Action]) -> String {
    let day = actions.iter().find_map(|action| match action {
        Action::Lane(LaneAction::SetEndDate { on, .. })
        | Action::Note(NoteAction::DateFollowUp { on, .. })
        | Action::Revocation(RevocationAction::Record { on, .. })
        | Action::Lane(LaneAction::CarryOver { until: on, .. })
        | Action::Gate(GateAction::Waive { until: on, .. }) => Some(*on),
        _ => None,
    });
    day.map(|day| day.to_string()).unwrap_or_default()
}

/// How a target is named in a command: a repository by its name, all else by its id, which no other thing has.
fn word(target: &Target) -> String {
    match target.subject.kind {
        Subjects::Repo => target.name.clone(),
        _ => target.subject.to_string(),
    }
}

struct Words(Vec<String>);

impl Words {
    fn verb(&mut self, words: &[&str]) -> &mut Self {
        self.0.extend(words.iter().map(|word| quote(word)));
        self
    }

    fn names(&mut self, targets: &[Target]) -> &mut Self {
        self.0.extend(
            targets
                .iter()
                .take(LISTED)
                .map(|target| quote(&word(target))),
        );
        self
    }

    fn about(&mut self, targets: &[Target]) -> &mut Self {
        for target in targets.iter().take(LISTED) {
            self.flag("--about", &word(target));
        }
        self
    }

    /// The line; targets beyond those that are listed are counted.
    fn done(&self, targets: &[Target]) -> String {
        let tail = match and_more(targets.len().saturating_sub(LISTED)) {
            more if more.is_empty() => more,
            more => format!("   #{more}"),
        };
        self.0.join(" ") + &tail
    }

    fn flag(&mut self, flag: &str, value: &str) -> &mut Self {
        if !value.is_empty() {
            self.0.push(flag.to_owned());
            self.0.push(quote(value));
        }
        self
    }
}
