//! The command that would do the same as the console: the verb, its flags, quoted for a POSIX shell.
//!
//! Only shown, for a person to copy; never run from here.

use super::form::{Form, Kind, Target};
use super::state::{State, Tab};
use crate::session::decide::Action;

/// More targets than this are counted, not listed.
const LISTED: usize = 8;

/// Quotes a word where the shell would not take it as it is.
#[must_use]
pub fn quote(word: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./:@+=,%".contains(letter);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

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

/// The command for what a form decides.
#[must_use]
pub fn of_form(form: &Form, actions: &[Action], session: &str) -> String {
    let mut line = Words(vec!["cutover".to_owned()]);
    let names = form.targets.iter().take(LISTED);
    match form.kind {
        Kind::Owner | Kind::Reviewer | Kind::Commander | Kind::SecondApprover => {
            line.verb(&["assign"]).names(&form.targets);
            let flag = match form.kind {
                Kind::Owner => "--owner",
                Kind::Reviewer => "--reviewer",
                Kind::Commander => "--commander",
                _ => "--second-approver",
            };
            line.flag(flag, &form.at(0));
        }
        Kind::Lane => {
            line.verb(&["lane"]).names(&form.targets);
            line.flag("--lane", &form.at(0))
                .flag("--until", &date(actions))
                .flag("--why", &form.at(2));
        }
        Kind::EndDate => {
            line.verb(&["lane"])
                .names(&form.targets)
                .flag("--until", &date(actions));
        }
        Kind::Attest => {
            line.verb(&["attest", &form.at(0)]).about(names);
            line.flag("--note", &form.at(1)).flag("--link", &form.at(2));
        }
        Kind::Waive => {
            line.verb(&["waive", &form.at(0)]).about(names);
            line.flag("--why", &form.at(1))
                .flag("--until", &date(actions));
        }
        Kind::Note => {
            line.verb(&["note", &form.at(0)]).about(names);
        }
        Kind::Evidence => {
            let flag = match form.at(0).as_str() {
                "address" => "--url",
                "file" => "--file",
                _ => "--text",
            };
            line.verb(&["evidence", "add"])
                .flag(flag, &form.at(1))
                .about(names);
        }
        // No verb decides these: they are the console's alone.
        Kind::Plan | Kind::CarryOver | Kind::Edge | Kind::FollowUp | Kind::RecordRevocation => {
            return format!(
                "cutover open {}   # no verb of its own: this is decided here",
                quote(session)
            );
        }
    }
    line.flag("-s", session);
    let more = form.targets.len().saturating_sub(LISTED);
    let tail = if more > 0 {
        format!("   # and {more} more")
    } else {
        String::new()
    };
    line.0.join(" ") + &tail
}

/// The day that was read from the form: what was typed may have been `+14d`.
fn date(actions: &[Action]) -> String {
    let day = actions.iter().find_map(|action| match action {
        Action::SetEndDate { on, .. } => Some(*on),
        Action::Waive { until, .. } => Some(*until),
        _ => None,
    });
    day.map(|day| day.to_string()).unwrap_or_default()
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
                .map(|target| quote(&target.name)),
        );
        self
    }

    fn about<'a>(&mut self, targets: impl Iterator<Item = &'a Target>) -> &mut Self {
        for target in targets {
            self.flag("--about", &target.name);
        }
        self
    }

    fn flag(&mut self, flag: &str, value: &str) -> &mut Self {
        if !value.is_empty() {
            self.0.push(flag.to_owned());
            self.0.push(quote(value));
        }
        self
    }
}
