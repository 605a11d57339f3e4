//! The state of one endpoint group as its answers tell it, and when it is asked next. Pure: clock and chance are inputs.

use super::call::Reply;
use super::fault::{Fault, RequestError};
use super::seen::Seen;
use crate::model::time::Ts;

/// Longest wait between two tries of a group that is down, in seconds.
const LONGEST: f64 = 300.0;
/// Wait after the first failure, in seconds.
const FIRST: f64 = 5.0;

/// How one endpoint group stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum State {
    /// Not asked yet.
    #[default]
    Connecting,
    Live {
        since: Ts,
    },
    Limited {
        until: Ts,
        secondary: bool,
    },
    /// The credential is not accepted; nothing is asked until it changes.
    Unauthorised {
        says: Box<str>,
    },
    Offline(Box<Down>),
}

/// Why a group is offline and when it is tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Down {
    pub word: &'static str,
    pub why: String,
    pub since: Ts,
    pub next: Ts,
    /// Failures in a row.
    pub failures: u32,
}

impl State {
    /// Gives the state after an answer or a trouble. `random` is in 0..1.
    #[must_use]
    pub fn after(self, outcome: &Result<Reply, RequestError>, now: Ts, random: f64) -> Self {
        match outcome {
            Ok(_) => self.live(now),
            Err(trouble) => self.after_trouble(&trouble.fault, &trouble.seen, now, random),
        }
    }

    fn live(self, now: Ts) -> Self {
        match self {
            Self::Live { since } => Self::Live { since },
            _ => Self::Live { since: now },
        }
    }

    fn after_trouble(self, fault: &Fault, seen: &Seen, now: Ts, random: f64) -> Self {
        match fault {
            Fault::Limited { until, secondary } => Self::Limited {
                until: *until,
                secondary: *secondary,
            },
            Fault::Unauthorised { says } => Self::Unauthorised { says: says.clone() },
            // Of these only a limit's own end or a new credential is waited for; a call in flight changes nothing.
            Fault::Unsendable { .. } | Fault::NotAllowed { .. } => self,
            fault if fault.affects_endpoint() => {
                let (since, failures) = match &self {
                    Self::Offline(down) => (down.since, down.failures.saturating_add(1)),
                    _ => (now, 1),
                };
                let wait =
                    backoff(failures, random).max(i64::from(seen.retry_after.unwrap_or_default()));
                let (word, why, next) = (fault.word(), fault.to_string(), now.plus(wait));
                Self::Offline(Box::new(Down {
                    word,
                    why,
                    since,
                    next,
                    failures,
                }))
            }
            // The service answered, if not with what was hoped for.
            _ => self.live(now),
        }
    }

    /// Tells whether the group may be asked at `now`.
    pub fn may_ask(&self, now: Ts) -> bool {
        match self {
            Self::Connecting | Self::Live { .. } => true,
            Self::Unauthorised { .. } => false,
            Self::Limited { until, .. } => now >= *until,
            Self::Offline(down) => now >= down.next,
        }
    }

    /// Gives the word on screen.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Live { .. } => "live",
            Self::Limited { .. } => "limited",
            Self::Unauthorised { .. } => "unauthorised",
            Self::Offline(_) => "offline",
        }
    }
}

/// Gives the seconds to wait after `failures` in a row: doubling from 5 s to 5 min, of which half is by chance, so that
/// many consoles do not come back at once. `random` is in 0..1.
pub fn backoff(failures: u32, random: f64) -> i64 {
    let doubled = FIRST
        * 2_f64.powi(
            i32::try_from(failures.saturating_sub(1))
                .unwrap_or(i32::MAX)
                .min(16),
        );
    let whole = doubled.min(LONGEST);
    let wait = whole / 2.0 + whole / 2.0 * random.clamp(0.0, 1.0);
    #[expect(clippy::cast_possible_truncation, reason = "between 2 and 300")]
    let seconds = wait.round() as i64;
    seconds
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::http::Group;

    fn trouble(fault: Fault) -> Result<Reply, RequestError> {
        Err(RequestError::unsent(Group::NpmRead, fault))
    }

    fn fine() -> Result<Reply, RequestError> {
        Ok(Reply {
            status: 200,
            headers: Default::default(),
            body: vec![],
            seen: Seen::default(),
            group: Group::NpmRead,
        })
    }

    #[test]
    fn waits_double_to_five_minutes_and_half_of_it_is_chance() {
        let waits = |random| (1..=9).map(|n| backoff(n, random)).collect::<Vec<_>>();
        assert_eq!(waits(1.0), [5, 10, 20, 40, 80, 160, 300, 300, 300]);
        assert_eq!(waits(0.0), [3, 5, 10, 20, 40, 80, 150, 150, 150]);
        assert_eq!(backoff(u32::MAX, 7.0), 300);
        assert_eq!(backoff(0, -1.0), 3);
    }

    #[test]
    fn a_group_goes_down_and_comes_back() {
        let at = |seconds: i64| Ts(1_000 + seconds);
        let state = State::default().after(&fine(), at(0), 0.5);
        assert_eq!(state, State::Live { since: at(0) });
        let state = state.after(&fine(), at(9), 0.5);
        assert_eq!(state, State::Live { since: at(0) });
        let state = state.after(&trouble(Fault::Reset), at(10), 1.0);
        let state = state.after(&trouble(Fault::ServerError { status: 502 }), at(20), 1.0);
        let State::Offline(down) = &state else {
            panic!("{state:?}")
        };
        assert_eq!(
            (down.word, down.since, down.next, down.failures),
            ("server error", at(10), at(30), 2)
        );
        assert!(!state.may_ask(at(29)) && state.may_ask(at(30)));
        // One thing that is not there says that the service answers again.
        let state = state.after(&trouble(Fault::NotFound), at(31), 1.0);
        assert_eq!(state, State::Live { since: at(31) });
    }

    #[test]
    fn limits_and_refused_credentials_are_states_of_their_own() {
        let limited = State::default().after(
            &trouble(Fault::Limited {
                until: Ts(99),
                secondary: true,
            }),
            Ts(9),
            0.0,
        );
        assert_eq!(
            limited,
            State::Limited {
                until: Ts(99),
                secondary: true
            }
        );
        assert!(!limited.may_ask(Ts(98)) && limited.may_ask(Ts(99)));
        let out = limited.after(
            &trouble(Fault::Unauthorised { says: "".into() }),
            Ts(100),
            0.0,
        );
        assert!(matches!(out, State::Unauthorised { .. }) && !out.may_ask(Ts(i64::MAX)));
    }

    #[test]
    fn an_asked_for_wait_is_kept() {
        let mut asked = RequestError::unsent(Group::NpmRead, Fault::ServerError { status: 503 });
        asked.seen.retry_after = Some(120);
        let State::Offline(down) = State::default().after(&Err(asked), Ts(0), 1.0) else {
            panic!()
        };
        assert_eq!(down.next, Ts(120));
    }
}
