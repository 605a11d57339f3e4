//! What one source shows of one subject: never asked, could not be asked, too old to tell a state, or seen.
//!
//! Gates about states take what is fresh; gates about events take what was seen at any time. Judges nothing itself.

use super::verdict::Verdict;
use super::view::View;
use crate::model::fact::LiveSource;
use crate::model::facts::seen::Seen;
use crate::model::id::Subject;
use crate::model::time::{DAY, Ts};

/// An answer, and how long it tells a state.
#[derive(Debug, Clone, Copy)]
pub struct Sight<'a, T: ?Sized> {
    pub fact: &'a T,
    /// When the source last said so.
    pub looked: Ts,
    pub until: Ts,
}

/// What one source shows of one subject.
#[derive(Debug, Clone)]
pub enum Look<'a, T: ?Sized> {
    /// Its observer has not answered yet, or is not connected.
    Never,
    /// It was asked and never answered: why and when.
    Failed(String),
    /// It answered too long ago to tell a state.
    Old(Sight<'a, T>, String),
    Fresh(Sight<'a, T>),
}

impl<'a, T: ?Sized> Look<'a, T> {
    /// Gives what tells a state now, or the verdict that says why nothing does.
    ///
    /// # Errors
    /// The verdict "not looked yet" in the words given, or "could not look".
    pub fn state(self, never: &'static str) -> Result<Sight<'a, T>, Verdict> {
        match self {
            Self::Never => Err(Verdict::unwatched(never)),
            Self::Failed(why) | Self::Old(_, why) => Err(Verdict::could_not(why)),
            Self::Fresh(sight) => Ok(sight),
        }
    }

    /// Gives what was seen at any time, for gates about events and for facts that do not age.
    ///
    /// # Errors
    /// The verdict "not looked yet" in the words given, or "could not look".
    pub fn ever(self, never: &'static str) -> Result<Sight<'a, T>, Verdict> {
        match self {
            Self::Old(sight, _) => Ok(sight),
            other => other.state(never),
        }
    }
}

impl<T: ?Sized> Sight<'_, T> {
    /// Says when it was seen.
    pub fn when(&self) -> String {
        format!("as of {}", self.looked)
    }

    /// Lets a verdict that rests on this hold as long as it tells a state.
    pub fn holds(&self, verdict: Verdict) -> Verdict {
        verdict.until(self.until)
    }
}

/// Folds a gate that gave up early into its verdict.
pub(super) fn settled(verdict: Result<Verdict, Verdict>) -> Verdict {
    verdict.unwrap_or_else(|verdict| verdict)
}

impl<'a> View<'a> {
    /// Looks at one source of one subject.
    pub fn look<T: ?Sized>(
        &self,
        about: Subject,
        source: LiveSource,
        get: impl Fn(&'a Seen) -> Option<(&'a T, Ts)>,
    ) -> Look<'a, T> {
        let Some(seen) = self.facts.seen.get(&about) else {
            return Look::Never;
        };
        let trouble = seen.trouble(source);
        let (Some((fact, as_of)), looked) = (get(seen), seen.looked(source)) else {
            return trouble.map_or(Look::Never, |(fact, when)| {
                Look::Failed(format!("{} ({when})", fact.why))
            });
        };
        let looked = looked.unwrap_or(as_of);
        let until = self.fresh_until(looked);
        let sight = Sight {
            fact,
            looked,
            until,
        };
        if self.now < until {
            return Look::Fresh(sight);
        }
        let since = match trouble {
            Some((fact, when)) => format!("; {} ({when})", fact.why),
            None => String::new(),
        };
        Look::Old(
            sight,
            format!("last looked {} ago{since}", age(self.now.0 - looked.0)),
        )
    }
}

/// Says how long a span is, in the largest unit that still tells.
pub fn age(seconds: i64) -> String {
    match seconds {
        ..3_600 => format!("{} min", seconds.max(0) / 60),
        3_600..259_200 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / DAY),
    }
}
