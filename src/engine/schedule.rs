//! What is due, and what the budgets allow of it: pure, with the clock as an input.
//!
//! Everything that can be asked is a [`Key`] with a pace. The most urgent come first: what runs now, what is on the
//! screen, then whatever has waited longest past its pace. Nothing is asked from a budget that is closed or below its
//! reserve, and nothing is asked twice at once.

mod budget;
mod question;

pub use budget::Room;
pub use question::{CallBudget, Key, Query};

use crate::model::id::Subject;
use crate::model::time::Ts;
use budget::Minute;
use std::collections::{BTreeSet, HashMap};

/// Seconds between two looks at what runs: an answer is then at most 15 s old.
pub const RUNNING: i64 = 10;
const MINUTE: i64 = 60;
/// Share of an hour's budget that is kept for what a person asks for, in percent.
const RESERVE: u32 = 10;
/// Share of a minute's units that looks without hurry may use, in percent: some answers cost more than was planned.
const STEADY: u32 = 80;
/// Share that long sweeps leave, in percent: they come once in hours, and what they took would be missing where runs
/// are watched.
const LEFT: u32 = 40;

/// How pressing a look is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Urgency {
    /// A run is under way, or somebody asked.
    Now,
    /// On the screen, or its clock is about to end.
    Seen,
    #[default]
    ByAge,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    due: Ts,
    urgency: Urgency,
    out: bool,
    /// Looks that failed since the last that did not.
    failed: u32,
}

/// What one call asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    pub what: Query,
    pub about: Vec<Subject>,
}

/// Everything that can be asked, by when it is due.
#[derive(Debug, Default)]
pub struct Schedule {
    book: HashMap<Key, Entry>,
    /// What waits, by when it is due: a queue for each kind, so that finding the first of a kind walks past no other.
    due: [BTreeSet<(Ts, Subject)>; Query::ALL.len()],
    rooms: [Room; CallBudget::ALL.len()],
    out: [usize; CallBudget::ALL.len()],
    minute: [Minute; CallBudget::ALL.len()],
    /// Somebody waits for the end of it all: long sweeps leave no more than the rest.
    in_haste: bool,
    /// Kinds of question that cannot be asked before an instant: their endpoints are limited or away.
    closed: HashMap<Query, Ts>,
}

impl Schedule {
    /// Makes an empty one; `in_haste` where somebody waits for the end of it all.
    pub fn new(in_haste: bool) -> Self {
        Self {
            in_haste,
            ..Self::default()
        }
    }

    /// Takes a key in if it is new: due at `first`, or when what the cache remembers of it is too old.
    pub fn register(&mut self, key: Key, first: Ts) {
        if self.book.contains_key(&key) {
            return;
        }
        let entry = Entry {
            due: first,
            urgency: Urgency::ByAge,
            out: false,
            failed: 0,
        };
        self.book.insert(key, entry);
        self.queue(key, first);
    }

    fn queue(&mut self, (what, about): Key, due: Ts) {
        if let Some(queue) = self.due.get_mut(what as usize) {
            queue.insert((due, about));
        }
    }

    fn unqueue(&mut self, (what, about): Key, due: Ts) {
        if let Some(queue) = self.due.get_mut(what as usize) {
            queue.remove(&(due, about));
        }
    }

    /// Gives what of a kind is due at `now` and may be asked.
    fn ready(&self, what: Query, now: Ts) -> impl Iterator<Item = (Ts, Subject)> {
        let open = self.closed_until(what, now).is_none();
        let queue = self.due.get(what as usize).filter(|_| open);
        let due = queue.map(|queue| queue.range(..before(now.plus(1))));
        due.into_iter().flatten().copied()
    }

    /// Drops what no longer exists.
    pub fn retain(&mut self, keep: impl Fn(&Key) -> bool) {
        let gone: Vec<Key> = self.book.keys().filter(|key| !keep(key)).copied().collect();
        for key in gone {
            if let Some(entry) = self.book.remove(&key) {
                self.unqueue(key, entry.due);
            }
        }
    }

    /// Asks sooner: at `at` or before, with this urgency.
    pub fn expedite(&mut self, key: Key, at: Ts, urgency: Urgency) {
        self.register(key, at);
        let Some(entry) = self.book.get_mut(&key) else {
            return;
        };
        let (before, after, out) = (entry.due, entry.due.min(at), entry.out);
        entry.due = after;
        entry.urgency = entry.urgency.min(urgency);
        self.unqueue(key, before);
        if !out {
            self.queue(key, after);
        }
    }

    /// Asks everything of a kind sooner: at `at` or before.
    pub fn expedite_all(&mut self, what: Query, at: Ts) {
        let keys: Vec<Key> = self
            .book
            .keys()
            .filter(|key| key.0 == what)
            .copied()
            .collect();
        for key in keys {
            self.expedite(key, at, Urgency::ByAge);
        }
    }

    /// Moves everything by so many seconds: the clock was set back, and what was due in a minute still is.
    pub fn shift(&mut self, seconds: i64) {
        self.due = Default::default();
        self.minute = Default::default();
        self.closed.clear();
        let mut due = Vec::with_capacity(self.book.len());
        for (key, entry) in &mut self.book {
            if entry.due != Ts(i64::MAX) {
                entry.due = entry.due.plus(seconds);
            }
            if !entry.out {
                due.push((*key, entry.due));
            }
        }
        for (key, at) in due {
            self.queue(key, at);
        }
    }

    /// Takes in what a server said of its budget.
    pub fn room(&mut self, budget: CallBudget, room: Room) {
        if let Some(slot) = self.rooms.get_mut(budget as usize) {
            *slot = room;
        }
    }

    /// Says until when a kind of question cannot be asked; none opens it.
    pub fn close(&mut self, what: Query, until: Option<Ts>) {
        match until {
            Some(until) => self.closed.insert(what, until),
            None => self.closed.remove(&what),
        };
    }

    fn closed_until(&self, what: Query, now: Ts) -> Option<Ts> {
        self.closed.get(&what).copied().filter(|until| now < *until)
    }

    pub fn room_of(&self, budget: CallBudget) -> Room {
        self.rooms.get(budget as usize).copied().unwrap_or_default()
    }

    /// Gives until when a question has to wait for its budget; none: it may be asked now.
    fn held_until(&self, what: Query, urgency: Urgency, now: Ts) -> Option<Ts> {
        let kept = match urgency {
            Urgency::Now | Urgency::Seen => 0,
            Urgency::ByAge if self.in_haste => RESERVE,
            Urgency::ByAge => what.leaves(),
        };
        let budget = what.budget();
        let hour = self.room_of(budget).held(now, what.cost(), kept);
        hour.or_else(|| {
            let most = budget.a_minute()?;
            let most = if urgency == Urgency::ByAge {
                most / 100 * STEADY
            } else {
                most
            };
            let minute = self.minute.get(budget as usize)?;
            let (oldest, _) = minute.calls.front()?;
            let over = minute.spent.saturating_add(what.cost()) > most;
            over.then(|| oldest.plus(MINUTE))
        })
    }

    /// Counts what is due and has to wait for its budget, and gives when the first of it can be asked.
    pub fn held(&self, now: Ts) -> Option<(usize, Ts)> {
        let (mut count, mut first) = (0, Ts(i64::MAX));
        for what in Query::ALL {
            for (_, about) in self.ready(what, now) {
                let entry = self.book.get(&(what, about));
                let until = entry.and_then(|entry| self.held_until(what, entry.urgency, now));
                if let Some(until) = until {
                    count += 1;
                    first = first.min(until);
                }
            }
        }
        (count > 0).then_some((count, first))
    }

    /// Gives the calls to make now, most pressing first, and takes them for under way.
    pub fn next(&mut self, now: Ts) -> Vec<Batch> {
        for minute in &mut self.minute {
            minute.forget(now);
        }
        let due = Query::ALL.into_iter().flat_map(|what| {
            self.ready(what, now)
                .map(move |(due, about)| (due, (what, about)))
        });
        let mut ready: Vec<(Urgency, u8, Ts, Key)> = due
            .filter_map(|(due, key)| {
                let entry = self.book.get(&key)?;
                Some((entry.urgency, key.0.rank(), due, key))
            })
            .collect();
        ready.sort_unstable();
        let mut batches: Vec<Batch> = Vec::new();
        for (urgency, _, _, key) in ready {
            let (what, about) = key;
            let budget = what.budget() as usize;
            let open = batches
                .iter_mut()
                .rev()
                .find(|batch| batch.what == what && batch.about.len() < what.batch());
            match open {
                Some(batch) => batch.about.push(about),
                None => {
                    let full =
                        self.out.get(budget) >= self.rooms.get(budget).map(|room| &room.at_once);
                    if full || self.held_until(what, urgency, now).is_some() {
                        continue;
                    }
                    let (Some(room), Some(out), Some(minute)) = (
                        self.rooms.get_mut(budget),
                        self.out.get_mut(budget),
                        self.minute.get_mut(budget),
                    ) else {
                        continue;
                    };
                    *out += 1;
                    room.remaining = room.remaining.saturating_sub(what.cost());
                    minute.spend(now, what.cost());
                    batches.push(Batch {
                        what,
                        about: vec![about],
                    });
                }
            }
            self.take(key);
        }
        for batch in &mut batches {
            self.top_up(batch, now);
        }
        batches
    }

    /// Takes a key for under way. Whoever hurries it in the meantime sets a time again.
    fn take(&mut self, key: Key) {
        if let Some(entry) = self.book.get_mut(&key) {
            let due = std::mem::replace(&mut entry.due, Ts(i64::MAX));
            entry.out = true;
            self.unqueue(key, due);
        }
    }

    /// Fills a call with what is due soon: else those that run would drift apart into many calls.
    fn top_up(&mut self, batch: &mut Batch, now: Ts) {
        let room = batch.what.batch().saturating_sub(batch.about.len());
        let soon: Vec<Subject> = self
            .due
            .get(batch.what as usize)
            .into_iter()
            .flat_map(|queue| queue.range(before(now.plus(1))..before(now.plus(RUNNING))))
            .map(|(_, about)| *about)
            .take(room)
            .collect();
        for about in soon {
            self.take((batch.what, about));
            batch.about.push(about);
        }
    }

    /// Puts back what was asked: `paces` says in how many seconds each is due again, and how pressing.
    pub fn done(
        &mut self,
        batch: &Batch,
        now: Ts,
        paces: impl Fn(Subject) -> Option<(i64, Urgency)>,
    ) {
        self.came_back(batch);
        for about in &batch.about {
            let (pace, urgency) = paces(*about).unwrap_or((batch.what.pace(), Urgency::ByAge));
            self.put_back((batch.what, *about), now.plus(pace), urgency, 0);
        }
    }

    /// Puts back what failed: it is tried again after a pause that doubles, at most five minutes apart, with `jitter`
    /// of 0 to 1 added so that not everybody wakes at once.
    pub fn failed(&mut self, batch: &Batch, now: Ts, jitter: f64) {
        self.came_back(batch);
        for about in &batch.about {
            let key = (batch.what, *about);
            let Some(entry) = self.book.get(&key) else {
                continue;
            };
            let failed = entry.failed.saturating_add(1);
            self.put_back(key, now.plus(pause(failed, jitter)), entry.urgency, failed);
        }
    }

    fn came_back(&mut self, batch: &Batch) {
        if let Some(out) = self.out.get_mut(batch.what.budget() as usize) {
            *out = out.saturating_sub(1);
        }
    }

    fn put_back(&mut self, key: Key, due: Ts, urgency: Urgency, failed: u32) {
        if let Some(entry) = self.book.get_mut(&key) {
            // Hurried while it was under way: that stands.
            let due = entry.due.min(due);
            *entry = Entry {
                due,
                urgency,
                out: false,
                failed,
            };
            self.queue(key, due);
        }
    }

    /// Gives when to look again: the first that is due and can be paid. Nothing while all is under way.
    pub fn wake(&self, now: Ts) -> Option<Ts> {
        Query::ALL
            .iter()
            .filter_map(|what| {
                let budget = what.budget();
                let room = self.room_of(budget);
                let out = self.out.get(budget as usize).copied().unwrap_or_default();
                if out >= room.at_once {
                    return None;
                }
                let (due, about) = self.due.get(*what as usize)?.first()?;
                let open = self.closed_until(*what, now).unwrap_or(*due).max(*due);
                if open > now {
                    return Some(open);
                }
                // What is due and was left lying could not be paid.
                let urgency = self.book.get(&(*what, *about))?.urgency;
                let held = self.held_until(*what, urgency, now);
                Some(held.unwrap_or(now).max(now.plus(1)))
            })
            .min()
    }

    /// Units that the looks of one hour will use of a budget at their present pace.
    pub fn planned(&self, budget: CallBudget, hour_from: Ts) -> u32 {
        let mut units = 0_f64;
        for (what, _) in self.book.keys() {
            if what.budget() != budget || what.pace() == i64::MAX {
                continue;
            }
            let a_call = f64::from(what.cost()) / what.batch() as f64;
            units += a_call * 3_600.0 / what.pace() as f64;
        }
        let running = self
            .book
            .iter()
            .filter(|((what, _), entry)| {
                *what == Query::Runs
                    && entry.urgency == Urgency::Now
                    && (entry.out || entry.due <= hour_from.plus(RUNNING))
            })
            .count();
        if budget == CallBudget::Graphql && running > 0 {
            let calls = running.div_ceil(Query::Runs.batch());
            units += calls as f64 * f64::from(Query::Runs.cost()) * 3_600.0 / RUNNING as f64;
        }
        units.ceil() as u32
    }

    /// Tells whether all that is due was asked, or cannot be now.
    pub fn is_done(&self, now: Ts) -> bool {
        let mut kinds = Query::ALL.into_iter();
        !kinds.any(|what| self.ready(what, now).next().is_some())
    }

    /// Counts what is due and not yet asked, and what is under way.
    pub fn waiting(&self, now: Ts) -> (usize, usize) {
        let due = self
            .due
            .iter()
            .map(|queue| queue.range(..before(now.plus(1))).count());
        let out = self.book.values().filter(|entry| entry.out).count();
        (due.sum(), out)
    }
}

/// Bounds a range of instants: the session is the least of all subjects.
fn before(at: Ts) -> (Ts, Subject) {
    (at, Subject::SESSION)
}

/// Seconds before the next try after so many failures in a row: 5, 10, 20 … 300, and up to half as much again.
pub fn pause(failed: u32, jitter: f64) -> i64 {
    let doubled = 5_i64 << failed.saturating_sub(1).min(6);
    let pause = doubled.min(300) as f64;
    (pause * (1.0 + jitter.clamp(0.0, 1.0) / 2.0)) as i64
}

#[cfg(test)]
mod tests;
