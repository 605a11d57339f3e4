//! How every endpoint group stands, from what its answers and failures tell; shared by all observers.
//!
//! Hears of each exchange through the clients' listener and is read by the poller: which questions are closed until
//! when, what is left of each budget, and what to show. Asks nothing itself.

use super::clocks::Now;
use super::live::{Budget, Link, LinkState};
use super::schedule::{CallBudget, Query, Room};
use crate::http::{Fault, Group, Rate, Reply, RequestError, Skew, State};
use crate::model::time::Ts;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Calls that may be under way at once to one service: far below the hundred that GitHub bears.
const AT_ONCE: usize = 8;

/// Seconds before a refused credential is tried again: its rights may have been mended meanwhile.
const REFUSED: i64 = 60;

/// Most seconds by which consoles are spread after the end of a limit.
const LATEST: f64 = 5.0;

/// Gives a number in 0..1: spreads the tries of many consoles.
pub type Random = Arc<dyn Fn() -> f64 + Send + Sync>;

/// The states of all groups. Cheap to clone.
#[derive(Clone)]
pub struct EndpointHealth {
    now: Now,
    random: Random,
    /// Seconds after a limit's end at which this console asks again: many may wait for the same end.
    late: i64,
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    groups: BTreeMap<Group, Known>,
    rates: BTreeMap<CallBudget, Rate>,
    /// Seconds by which the clocks of GitHub and, under true, of npm differ: one that is right says nothing of the other.
    skews: BTreeMap<bool, i64>,
}

#[derive(Default, Clone)]
struct Known {
    state: State,
    heard: Option<Ts>,
    /// When it was last asked, whatever came of it.
    asked: Ts,
}

impl EndpointHealth {
    pub fn new(now: Now, random: Random) -> Self {
        let late = (random().clamp(0.0, 1.0) * LATEST) as i64;
        Self {
            now,
            random,
            late,
            inner: Arc::default(),
        }
    }

    /// Notes that the clock went ahead, or was set back, by so many seconds: nothing counts as heard any more, and what
    /// waits for an instant still waits as long.
    pub fn jumped(&self, ahead: i64) {
        let back = ahead.min(0);
        let mut inner = self.lock();
        for known in inner.groups.values_mut() {
            known.asked = known.asked.plus(back);
            match &mut known.state {
                State::Live { .. } => known.state = State::Connecting,
                State::Limited { until, .. } => *until = until.plus(back),
                State::Offline(down) => down.next = down.next.plus(back),
                State::Connecting | State::Unauthorised { .. } => {}
            }
        }
        for rate in inner.rates.values_mut() {
            rate.reset = rate.reset.plus(back);
        }
        inner.skews.clear();
    }

    /// Gives the listener that clients tell of every exchange.
    pub fn listener(&self) -> crate::github::Listen {
        let board = self.clone();
        Arc::new(move |group, outcome| board.hear(group, outcome))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hear(&self, group: Group, outcome: &Result<Reply, RequestError>) {
        let (now, random) = ((self.now)(), (self.random)());
        let mut inner = self.lock();
        let known = inner.groups.entry(group).or_default();
        known.state = std::mem::take(&mut known.state).after(outcome, now, random);
        known.asked = now;
        if matches!(known.state, State::Live { .. }) {
            known.heard = Some(now);
        }
        let seen = match outcome {
            Ok(reply) => &reply.seen,
            Err(trouble) => trouble.seen.as_ref(),
        };
        if let Some(skew) = seen.skew {
            inner
                .skews
                .insert(budget_of(group) == CallBudget::Npm, skew);
        }
        if let Some(rate) = &seen.rate {
            let budget = budget_of(group);
            let mut rate = rate.clone();
            // By our clock, as everything that is planned here.
            rate.reset = rate.reset.plus(-seen.skew.unwrap_or_default());
            inner.rates.insert(budget, rate);
        }
    }

    /// Says that these groups are going to be asked, so that they are shown before they were.
    pub fn expect(&self, groups: &[Group]) {
        let mut inner = self.lock();
        for group in groups {
            inner.groups.entry(*group).or_default();
        }
    }

    /// Says that a group cannot be asked for lack of a credential.
    pub fn refuse(&self, group: Group, says: &str) {
        let says = says.into();
        self.lock().groups.entry(group).or_default().state = State::Unauthorised { says };
    }

    /// Gives until when a kind of question is closed; none while it is open.
    pub fn closed(&self, what: Query) -> Option<Ts> {
        let now = (self.now)();
        let inner = self.lock();
        let states = groups_of(what)
            .iter()
            .filter_map(|group| inner.groups.get(group));
        states
            .filter_map(|known| match &known.state {
                State::Limited { until, .. } => Some(until.plus(self.late)),
                State::Offline(down) => Some(down.next),
                State::Unauthorised { .. } => Some(known.asked.plus(REFUSED)),
                State::Connecting | State::Live { .. } => None,
            })
            .filter(|until| now < *until)
            .max()
    }

    /// Gives what is left of a budget.
    pub fn room(&self, budget: CallBudget) -> Room {
        let inner = self.lock();
        let small = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
        inner.rates.get(&budget).map_or(
            Room {
                at_once: AT_ONCE,
                ..Room::default()
            },
            |rate| Room {
                limit: Some(small(rate.limit)),
                remaining: small(rate.remaining),
                reset: rate.reset,
                closed_until: None,
                at_once: AT_ONCE,
            },
        )
    }

    /// Gives what is shown: every group that was or will be asked.
    pub fn links(&self) -> Vec<Link> {
        let inner = self.lock();
        let link = |(group, known): (&Group, &Known)| Link {
            group: group.word(),
            state: match &known.state {
                State::Connecting => LinkState::Connecting,
                State::Live { since } => LinkState::Live {
                    heard: known.heard.unwrap_or(*since),
                },
                State::Limited { until, secondary } => LinkState::Limited {
                    until: *until,
                    why: if *secondary {
                        "asked to slow down".into()
                    } else {
                        "the hour's budget is used up".into()
                    },
                },
                State::Unauthorised { says } => LinkState::Unauthorised { why: says.clone() },
                State::Offline(down) => LinkState::Offline {
                    why: format!("{}: {}", down.word, down.why).into(),
                    next: down.next,
                },
            },
        };
        inner.groups.iter().map(link).collect()
    }

    /// Gives the budgets that their servers told of; `planned` says what an hour will use.
    pub fn budgets(&self, planned: impl Fn(CallBudget) -> u32) -> Vec<Budget> {
        let inner = self.lock();
        let shown = |(budget, rate): (&CallBudget, &Rate)| Budget {
            name: match budget {
                CallBudget::Graphql => "GitHub GraphQL",
                CallBudget::Rest => "GitHub",
                CallBudget::Npm => "npm",
            },
            remaining: u32::try_from(rate.remaining).unwrap_or(u32::MAX),
            limit: u32::try_from(rate.limit).unwrap_or(u32::MAX),
            reset: rate.reset,
            planned: planned(*budget),
        };
        inner.rates.iter().map(shown).collect()
    }

    /// Says what to warn of: clocks that disagree.
    pub fn warning(&self) -> Option<String> {
        let inner = self.lock();
        let worst = inner
            .skews
            .values()
            .max_by_key(|skew| skew.unsigned_abs())?;
        Skew::says(*worst)
    }
}

fn budget_of(group: Group) -> CallBudget {
    match group {
        Group::GithubGraphql => CallBudget::Graphql,
        Group::GithubRest | Group::GithubActions | Group::GithubLogs => CallBudget::Rest,
        _ => CallBudget::Npm,
    }
}

/// The groups that a kind of question needs.
fn groups_of(what: Query) -> &'static [Group] {
    match what {
        Query::Rights | Query::Settings | Query::Secrets => &[Group::GithubRest],
        Query::Discovery | Query::Runs | Query::Refs => &[Group::GithubGraphql],
        Query::Workflows => &[Group::GithubActions],
        Query::Files => &[Group::GithubRest, Group::GithubGraphql],
        Query::Trouble | Query::Follow => &[Group::GithubActions, Group::GithubLogs],
        Query::Packument | Query::Access => &[Group::NpmRead],
        Query::Provenance => &[Group::NpmRead, Group::GithubActions],
        Query::Stages => &[Group::NpmStage],
        Query::Reach => &[Group::NpmSearch],
        Query::Account => &[Group::NpmTokens],
    }
}

/// Tells whether a failure is one that a later try may not meet: the rest is about the thing that was asked for, and
/// is said beside it. An answer that is no JSON is of the rest: its group answers, so only there it can be seen.
pub fn may_pass(trouble: &RequestError) -> bool {
    trouble.fault.affects_endpoint()
        || matches!(
            trouble.fault,
            Fault::Limited { .. } | Fault::Unauthorised { .. }
        )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::sync::atomic::{AtomicI64, Ordering};

    /// The endpoints' health by a clock that is moved, of a console whose chance is `random`.
    fn board(random: f64) -> (EndpointHealth, Arc<AtomicI64>) {
        let time = Arc::new(AtomicI64::new(1_000));
        let read = Arc::clone(&time);
        let now: Now = Arc::new(move || Ts(read.load(Ordering::SeqCst)));
        (EndpointHealth::new(now, Arc::new(move || random)), time)
    }

    fn lost(group: Group, fault: Fault) -> RequestError {
        RequestError {
            fault,
            group,
            sent: crate::http::Sent::Maybe,
            seen: Box::default(),
        }
    }

    fn limited(board: &EndpointHealth, until: i64) {
        let fault = Fault::Limited {
            until: Ts(until),
            secondary: false,
        };
        let trouble = lost(Group::NpmRead, fault);
        board.hear(Group::NpmRead, &Err(trouble));
    }

    #[test]
    fn consoles_that_wait_for_one_limit_do_not_ask_in_one_second() {
        let until = |random| {
            let (board, _) = board(random);
            limited(&board, 1_060);
            board.closed(Query::Packument).unwrap().0
        };
        assert_eq!([until(0.0), until(0.5), until(1.0)], [1_060, 1_062, 1_065]);
    }

    #[test]
    fn after_a_gap_nothing_counts_as_heard_and_a_limit_lasts_as_long_as_before() {
        let (board, time) = board(0.0);
        let lost = lost(Group::NpmTokens, Fault::NotFound);
        // An answer all the same: the group is live.
        board.hear(Group::NpmTokens, &Err(lost));
        limited(&board, 1_060);
        let states = |board: &EndpointHealth| {
            let links = board.links().into_iter();
            links.map(|link| link.state).collect::<Vec<_>>()
        };
        assert!(matches!(
            states(&board)[..],
            [LinkState::Limited { .. }, LinkState::Live { .. }]
        ));
        time.store(400, Ordering::SeqCst);
        board.jumped(-600);
        assert!(matches!(
            states(&board)[..],
            [
                LinkState::Limited { until: Ts(460), .. },
                LinkState::Connecting
            ]
        ));
        assert_eq!(board.closed(Query::Packument), Some(Ts(460)));
        // Time that passed while the machine slept has passed for a limit too.
        time.store(900, Ordering::SeqCst);
        board.jumped(500);
        assert_eq!(board.closed(Query::Packument), None);
    }
}
