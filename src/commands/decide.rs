//! What the deciding verbs share: finding what is meant, deciding all or nothing, and telling what was written.

use super::Exit;
use super::context::Context;
use super::error::CommandError;
use crate::model::gate::GateId;
use crate::model::id::Subject;
use crate::model::time::Ts;
use crate::safe::shown::visible;
use crate::session::Session;
use crate::session::decide::Action;
use crate::session::name;
use chrono::{Days, NaiveDate};

/// The session file, open for one verb's decisions.
pub struct Deciding {
    pub session: Session,
}

impl Deciding {
    /// Opens the session that is meant.
    ///
    /// # Errors
    /// There is none, it cannot be written, or nobody is named.
    pub fn open(context: &mut Context) -> Result<Self, CommandError> {
        let path = context.session_path(None)?;
        let session = context.write(&path)?;
        Ok(Self { session })
    }

    /// Finds what a name means.
    ///
    /// # Errors
    /// Nothing, or more than one thing, is called that.
    pub fn find(&self, name: &str) -> Result<Subject, CommandError> {
        Ok(name::find(self.session.facts(), name)?)
    }

    /// Finds what names mean.
    ///
    /// # Errors
    /// As [`Deciding::find`].
    pub fn find_all(&self, names: &[String]) -> Result<Vec<Subject>, CommandError> {
        names.iter().map(|name| self.find(name)).collect()
    }

    /// Decides, and prints each event that was written: its id, its kind, what it is about.
    ///
    /// # Errors
    /// One of the actions is refused, and then none was written; or the file cannot be written.
    pub fn take(mut self, actions: &[Action], context: &mut Context) -> Result<Exit, CommandError> {
        let decided = self.session.decide(actions, context.now())?;
        for one in decided.events {
            let (kind, label) = (one.event.kind(), one.label);
            writeln!(context.out.data(), "{}  {kind}  {label}", one.id)?;
        }
        Ok(Exit::Done)
    }
}

/// Reads a day: `2026-12-05`, or `+14d` counted from now.
///
/// # Errors
/// It is neither.
pub fn day(text: &str, now: Ts) -> Result<NaiveDate, CommandError> {
    let relative = || {
        let days: u64 = text.strip_prefix('+')?.strip_suffix('d')?.parse().ok()?;
        now.day().checked_add_days(Days::new(days))
    };
    text.parse::<NaiveDate>()
        .ok()
        .or_else(relative)
        .ok_or_else(|| {
            CommandError::usage(format!("`{}` is not a valid date", visible(text)))
                .hint("write 2026-12-05, or +14d for a day counted from today")
        })
}

/// Reads a gate's id.
///
/// # Errors
/// There is no such gate; the nearest ones are named.
pub fn gate(id: &str) -> Result<GateId, CommandError> {
    GateId::parse(id).ok_or_else(|| {
        let near = nearest(id, GateId::all().map(GateId::word));
        let error = CommandError::usage(format!("there is no gate `{}`", visible(id)));
        match near.as_slice() {
            [] => error.hint("`cutover explain` lists the gates"),
            near => error.hint(format!("did you mean {}?", near.join(" or "))),
        }
    })
}

/// The words that share most with what was typed.
fn nearest<'a>(typed: &str, known: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let typed = typed.to_ascii_lowercase();
    let parts: Vec<&str> = typed
        .split(['-', '_', ' '])
        .filter(|part| part.len() > 2)
        .collect();
    let score = |word: &str| parts.iter().filter(|part| word.contains(**part)).count();
    let mut scored: Vec<(usize, &str)> = known
        .map(|word| (score(word), word))
        .filter(|(score, _)| *score > 0)
        .collect();
    scored.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    scored.into_iter().take(3).map(|(_, word)| word).collect()
}

/// A person who is named, or `-` for nobody any more.
pub fn person(name: &str) -> Option<String> {
    (name != "-").then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn days_are_dates_or_counted() {
        let now = Ts::parse("2026-12-05T23:00:00Z").unwrap();
        assert_eq!(day("2026-12-31", now).unwrap().to_string(), "2026-12-31");
        assert_eq!(day("+14d", now).unwrap().to_string(), "2026-12-19");
        for bad in ["", "tomorrow", "+d", "14d", "2026-02-30", "+99999999999d"] {
            assert!(day(bad, now).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_mistyped_gate_is_answered_with_the_nearest() {
        let error = gate("owner_named").unwrap_err();
        assert!(
            error.hints.iter().any(|hint| hint.contains("owner-named")),
            "{error:?}"
        );
        assert!(gate("owner-named").is_ok());
    }
}
