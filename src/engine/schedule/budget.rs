//! What the budgets hold: the hour's, as their servers tell, and the minute's, which no server tells.

use super::MINUTE;
use crate::model::time::Ts;
use std::collections::VecDeque;

/// How a budget stands, as its server last said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Units of a whole window; none where the server publishes no numbers.
    pub limit: Option<u32>,
    pub remaining: u32,
    pub reset: Ts,
    /// Nothing may be asked before this: a limit, or a server that is away.
    pub closed_until: Option<Ts>,
    /// Calls that may be under way at once.
    pub at_once: usize,
}

impl Default for Room {
    fn default() -> Self {
        Self {
            limit: None,
            remaining: u32::MAX,
            reset: Ts(0),
            closed_until: None,
            at_once: 4,
        }
    }
}

impl Room {
    /// Gives until when a call has to wait that leaves `kept` percent of an hour's budget; none: it may be made now.
    pub(super) fn held(&self, now: Ts, cost: u32, kept: u32) -> Option<Ts> {
        let closed = self.closed_until.filter(|until| now < *until);
        let spent = self.limit.filter(|limit| {
            now < self.reset && self.remaining < (limit / 100 * kept).saturating_add(cost)
        });
        closed.or_else(|| spent.map(|_| self.reset))
    }
}

/// What the calls of the last minute cost.
#[derive(Debug, Default)]
pub(super) struct Minute {
    /// Oldest first, one for each second.
    pub(super) calls: VecDeque<(Ts, u32)>,
    pub(super) spent: u32,
}

impl Minute {
    pub(super) fn spend(&mut self, now: Ts, cost: u32) {
        self.spent = self.spent.saturating_add(cost);
        match self.calls.back_mut().filter(|(at, _)| *at == now) {
            Some((_, spent)) => *spent = spent.saturating_add(cost),
            None => self.calls.push_back((now, cost)),
        }
    }

    pub(super) fn forget(&mut self, now: Ts) {
        while let Some((_, cost)) = self.calls.pop_front_if(|(at, _)| at.plus(MINUTE) <= now) {
            self.spent = self.spent.saturating_sub(cost);
        }
    }
}
