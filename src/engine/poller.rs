//! The observers at work: one loop that asks what is due, each question a task of its own.
//!
//! Knows the clocks, the schedule and the health of the endpoints; what a question means stands in `observe/`. A task that fails or
//! panics is that question's failure only. Ends with its token, and takes everything under way with it.

mod record;

use super::cache::Cache;
use super::challenge::{Clock, TwoFactorReader};
use super::clocks::{Now, Steady, Tick};
use super::endpoint_health::EndpointHealth;
use super::gap::{self, Clocks};
use super::observe::github::Github;
use super::observe::npm::Npm;
use super::observe::provenance::prove;
use super::observe::{Links, Post, QueryResult, Report, Targets};
use super::schedule::{Batch, CallBudget, Key, Query, Schedule, Urgency};
use crate::model::id::Subject;
use crate::model::time::Ts;
use record::Record;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Longest sleep: wall clocks can be set.
const NAP: Duration = Duration::from_secs(5);
/// One pass is over when nothing was due for so long: what was just told may have made more worth asking.
const SETTLED: Duration = Duration::from_millis(400);
/// Least time between two reports of how the connections stand.
const TELL: Duration = Duration::from_millis(500);
/// Time between two writings of the cache.
const KEEP: Duration = Duration::from_secs(300);
/// Longest wait for GitHub and npm to say who asks, before everything is asked without a cache.
const GREETING: Duration = Duration::from_secs(5);
/// Seconds for which a gap of the clocks is said at least.
const GAP_SAID: i64 = 30;

/// Who looks, and by which clock.
pub struct Poller {
    pub github: Option<Arc<Github>>,
    pub npm: Option<Arc<Npm>>,
    pub health: EndpointHealth,
    pub now: Now,
    pub steady: Steady,
    /// Seconds of `now` that pass in one second: 1, but in a simulated world.
    pub speed: f64,
    pub random: super::endpoint_health::Random,
    /// Asked for once, at the next chance: kinds that time alone never asks.
    pub once: Vec<Query>,
    /// Ends when nothing is due any more: one pass.
    pub one_pass: bool,
    /// Everything is asked, whenever it was asked last.
    pub anew: bool,
    /// Begins with what an earlier start was told, and keeps that for a later one.
    pub cached: bool,
}

type Tasks = JoinSet<Result<QueryResult, ()>>;
type Done = (tokio::task::Id, Result<QueryResult, ()>);

/// What each task asks: one that panics leaves only its id.
type UnderWay = HashMap<tokio::task::Id, Batch>;

/// What the loop works with.
struct Work {
    schedule: Schedule,
    record: Record,
    /// What waits for a discovery.
    deferred: BTreeSet<Key>,
    clocks: Clocks,
    /// What is said of a gap of the clocks, and since when.
    gap: Option<(Box<str>, Ts)>,
}

impl Poller {
    /// Looks until stopped, or until one pass is over where that was asked for. Begins with what the cache tells.
    pub async fn serve(self, post: Post, stop: CancellationToken, cache: Cache) {
        let Post {
            reports,
            mut targets,
        } = post;
        let mut work = Work {
            schedule: Schedule::new(self.one_pass),
            record: Record::new(cache),
            deferred: BTreeSet::new(),
            clocks: Clocks::new(self.tick(), self.speed),
            gap: None,
        };
        let mut tasks = Tasks::new();
        let mut under_way = UnderWay::new();
        let mut told = Links::default();
        let mut tell_at = Instant::now();
        let mut keep_at = Instant::now() + KEEP;
        let mut idle_since: Option<Instant> = None;
        let mut aim = Arc::clone(&targets.borrow_and_update());
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = self.recall(&mut work, &aim, &reports) => {}
        }
        self.reconcile(&mut work, &aim, None);
        let counter = self.counter();
        // One reading with a second factor at a time; dropping the set ends it.
        let mut reading = JoinSet::new();
        loop {
            let at = self.tick();
            let now = at.wall;
            if let Some(ahead) = work.clocks.read(at) {
                self.look_again(&mut work, &aim, ahead, now);
                tell_at = Instant::now();
            }
            self.open_and_close(&mut work.schedule);
            for batch in work.schedule.next(now) {
                let id = self.ask(&mut tasks, batch.clone(), Arc::clone(&aim));
                under_way.insert(id, batch);
            }
            if Instant::now() >= tell_at {
                tell_at = Instant::now() + TELL;
                let links = self.links(&work, now);
                if links != told {
                    told = links.clone();
                    if reports.send(Report::Links(links)).await.is_err() {
                        break;
                    }
                }
            }
            if work.is_over_gap(now) {
                work.gap = None;
            }
            if Instant::now() >= keep_at {
                keep_at = Instant::now() + KEEP;
                self.keep(&work.record, &reports).await;
            }
            let idle = self.one_pass && tasks.is_empty() && work.schedule.is_done(now);
            idle_since = idle_since
                .filter(|_| idle)
                .or_else(|| idle.then(Instant::now));
            if idle_since.is_some_and(|since| since.elapsed() >= SETTLED) {
                break;
            }
            let wake = self.wake(&work.schedule, now).min(TELL);
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                changed = targets.changed() => match changed {
                    Ok(()) => {
                        let new = Arc::clone(&targets.borrow_and_update());
                        self.reconcile(&mut work, &new, Some(&aim));
                        if new.order != aim.order {
                            reading.abort_all();
                            if let (Some(counter), Some(order)) = (&counter, &new.order) {
                                let (counter, order) = (Arc::clone(counter), Arc::clone(order));
                                reading.spawn(counter.serve(order, reports.clone(), targets.clone()));
                            }
                        }
                        aim = new;
                    }
                    Err(_) => break,
                },
                Some(done) = tasks.join_next_with_id() => {
                    let (id, brought) = outcome(done);
                    let Some(batch) = under_way.remove(&id) else {
                        continue;
                    };
                    if let Ok(brought) = &brought && brought.deferred {
                        let asked = under_way.values().any(|batch| batch.what == Query::Discovery);
                        self.park(&mut work, &batch, asked);
                    } else if !self.settle(&mut work, &batch, brought, &reports).await {
                        break;
                    }
                }
                () = tokio::time::sleep(wake) => {}
            }
        }
        reading.shutdown().await;
        tasks.shutdown().await;
        self.keep(&work.record, &reports).await;
    }

    fn tick(&self) -> Tick {
        Tick::read(&self.now, &self.steady)
    }

    /// Takes up what an earlier start learned, as far as the same accounts ask the same servers.
    async fn recall(&self, work: &mut Work, aim: &Targets, reports: &mpsc::Sender<Report>) {
        if work.record.cache().is_empty() {
            return;
        }
        let greeted = tokio::time::timeout(GREETING, self.greet(aim)).await;
        // Notes of rights stand in no fact, so they are asked for at each start.
        if let Ok(Some(brought)) = greeted {
            let now = (self.now)();
            let rights = (Query::Rights, Subject::SESSION);
            work.schedule
                .register(rights, now.plus(Query::Rights.pace()));
            for report in brought.reports {
                if reports.send(report).await.is_err() {
                    return;
                }
            }
        }
        let cache = work.record.cache();
        let github = self.github.as_ref().and_then(|github| github.who());
        if github.is_none() || github != cache.github {
            tracing::debug!("what GitHub was asked before is asked again: as another, or unknown");
            cache.forget_github();
        }
        let npm = self.npm.as_ref().and_then(|npm| npm.who());
        if npm.is_none() || npm != cache.npm {
            tracing::debug!("what npm was asked before is asked again: as others, or unknown");
            cache.forget_npm();
        }
        if self.anew {
            cache.asked.clear();
        }
        if let Some(npm) = &self.npm {
            npm.recall(cache);
        }
        let Some(github) = &self.github else { return };
        let known = github.recall(cache, aim);
        for repo in aim.repos.iter().map(|repo| repo.id) {
            if known.binary_search(&repo).is_err() {
                work.record.forget((Query::Workflows, repo));
                continue;
            }
            let runs = (Query::Runs, repo);
            let due = work.record.due(runs, (self.now)());
            work.schedule.register(runs, due);
        }
    }

    /// Asks GitHub and npm who asks; gives what GitHub said of this account's rights.
    async fn greet(&self, aim: &Targets) -> Option<QueryResult> {
        let rights = Batch {
            what: Query::Rights,
            about: vec![Subject::SESSION],
        };
        let now = (self.now)();
        let (github, ()) = tokio::join!(
            async {
                let github = self.github.as_ref()?;
                github.ask(&rights, aim, now).await.ok()
            },
            async {
                if let Some(npm) = &self.npm
                    && let Err(lost) = npm.greet().await
                {
                    tracing::debug!("npm did not say who asks: {lost}");
                }
            }
        );
        github
    }

    /// Has what was answered kept for a later start, behind all that was reported so far.
    async fn keep(&self, record: &Record, reports: &mpsc::Sender<Report>) {
        if !self.cached {
            return;
        }
        let mut cache = record.kept();
        match self.github.as_ref().and_then(|github| github.who()) {
            Some(who) => cache.github = Some(who),
            None => cache.forget_github(),
        }
        match self.npm.as_ref().and_then(|npm| npm.who()) {
            Some(who) => cache.npm = Some(who),
            None => cache.forget_npm(),
        }
        if !cache.is_empty() {
            // Where nobody listens any more, nothing is kept.
            let _ = reports.send(Report::Remember(Box::new(cache))).await;
        }
    }

    /// Looks again after the machine slept or its clock was set: at what is on the screen and what runs.
    fn look_again(&self, work: &mut Work, aim: &Targets, ahead: i64, now: Ts) {
        let says = gap::says(ahead);
        tracing::info!("{says}");
        if ahead < 0 {
            work.schedule.shift(ahead);
        }
        self.health.jumped(ahead);
        for what in [Query::Rights, Query::Account, Query::Runs] {
            work.schedule.expedite_all(what, now);
        }
        if aim.listed {
            work.schedule.expedite_all(Query::Packument, now);
        }
        if let Some(seen) = aim.seen {
            self.look_closer(&mut work.schedule, aim, seen, now);
        }
        if let Some((repo, _)) = aim.follow {
            let key = (Query::Follow, repo);
            work.schedule.expedite(key, now, Urgency::Now);
        }
        work.gap = Some((says.into(), now));
    }

    /// Puts aside what rests on a discovery, and has one made unless it is under way.
    fn park(&self, work: &mut Work, batch: &Batch, under_way: bool) {
        let now = (self.now)();
        let never = Some((i64::MAX, Urgency::ByAge));
        work.schedule.done(batch, now, |_| never);
        let keys = batch.about.iter().map(|about| (batch.what, *about));
        work.deferred.extend(keys);
        if !under_way {
            let discovery = (Query::Discovery, Subject::SESSION);
            work.schedule.expedite(discovery, now, Urgency::Seen);
        }
    }

    fn counter(&self) -> Option<Arc<TwoFactorReader>> {
        let npm = Arc::clone(self.npm.as_ref()?);
        let clock = Clock {
            now: Arc::clone(&self.now),
            steady: Arc::clone(&self.steady),
            speed: self.speed,
        };
        Some(Arc::new(TwoFactorReader::new(npm, clock)))
    }

    /// Takes in what there is to look at.
    fn reconcile(&self, work: &mut Work, aim: &Targets, before: Option<&Targets>) {
        let now = (self.now)();
        let (schedule, record) = (&mut work.schedule, &work.record);
        let mut know =
            |what, about| schedule.register((what, about), record.due((what, about), now));
        if self.github.is_some() {
            know(Query::Rights, Subject::SESSION);
            if !aim.organisations.is_empty() {
                know(Query::Discovery, Subject::SESSION);
            }
            for repo in aim.repos.iter().filter(|repo| !repo.workflows.is_empty()) {
                know(Query::Workflows, repo.id);
                know(Query::Settings, repo.id);
                know(Query::Refs, repo.id);
                if self.once.contains(&Query::Secrets) {
                    know(Query::Secrets, repo.id);
                }
            }
            for repo in &aim.repos {
                let old = before.and_then(|before| before.repo(repo.id));
                if old.is_some_and(|old| old.workflows != repo.workflows) {
                    // The ids are of other files.
                    schedule.expedite((Query::Workflows, repo.id), now, Urgency::ByAge);
                }
            }
        }
        let mut know =
            |what, about| schedule.register((what, about), record.due((what, about), now));
        if let Some(npm) = &self.npm {
            know(Query::Account, Subject::SESSION);
            if npm.has_account() && !aim.staged.is_empty() {
                know(Query::Stages, Subject::SESSION);
            }
            for package in &aim.packages {
                know(Query::Packument, package.id);
                know(Query::Reach, package.id);
                if npm.has_account() {
                    know(Query::Access, package.id);
                }
                if package.proof.is_some() && self.github.is_some() {
                    know(Query::Provenance, package.id);
                }
            }
        }
        schedule.retain(|(what, about)| match what {
            Query::Workflows
            | Query::Runs
            | Query::Trouble
            | Query::Settings
            | Query::Secrets
            | Query::Refs => aim.repo(*about).is_some(),
            Query::Packument | Query::Reach | Query::Access => aim.package(*about).is_some(),
            Query::Provenance => aim.package(*about).is_some_and(|one| one.proof.is_some()),
            Query::Stages => !aim.staged.is_empty(),
            Query::Follow => aim.follow.is_some_and(|(repo, _)| repo == *about),
            Query::Rights | Query::Discovery | Query::Files | Query::Account => true,
        });
        let seen_before = before.and_then(|before| before.seen);
        if let Some(seen) = aim.seen.filter(|seen| Some(*seen) != seen_before) {
            self.look_closer(schedule, aim, seen, now);
        }
        let followed_before = before.and_then(|before| before.follow);
        if let Some((repo, _)) = aim.follow.filter(|run| Some(*run) != followed_before) {
            schedule.expedite((Query::Follow, repo), now, Urgency::Now);
        }
    }

    /// What is opened on the screen is looked at again.
    fn look_closer(&self, schedule: &mut Schedule, aim: &Targets, seen: Subject, now: Ts) {
        let mut expedite = |key: Key| schedule.expedite(key, now, Urgency::Seen);
        if aim
            .repo(seen)
            .is_some_and(|repo| !repo.workflows.is_empty())
        {
            expedite((Query::Settings, seen));
        }
        if self.npm.is_some() {
            let of_repo = aim.repo(seen).map_or(&[][..], |repo| &repo.packages);
            of_repo
                .iter()
                .chain([&seen])
                .filter(|package| aim.package(**package).is_some())
                .take(10)
                .for_each(|package| expedite((Query::Packument, *package)));
        }
    }

    fn open_and_close(&self, schedule: &mut Schedule) {
        for budget in CallBudget::ALL {
            schedule.room(budget, self.health.room(budget));
        }
        for what in Query::ALL {
            schedule.close(what, self.health.closed(what));
        }
    }

    fn links(&self, work: &Work, now: Ts) -> Links {
        let schedule = &work.schedule;
        let gap = work.gap.as_ref().map(|(says, _)| says.clone());
        Links {
            links: self.health.links(),
            budgets: self.health.budgets(|budget| schedule.planned(budget, now)),
            waiting: schedule.waiting(now),
            held: schedule.held(now),
            warning: gap.or_else(|| self.health.warning().map(Into::into)),
        }
    }

    fn wake(&self, schedule: &Schedule, now: Ts) -> Duration {
        let Some(at) = schedule.wake(now) else {
            return NAP;
        };
        let seconds = (at.0.saturating_sub(now.0)).max(0) as f64 / self.speed.max(0.001);
        // Instants have whole seconds: a little late is better than twice.
        Duration::from_secs_f64(seconds.clamp(0.02, NAP.as_secs_f64()))
    }

    fn ask(&self, tasks: &mut Tasks, batch: Batch, aim: Arc<Targets>) -> tokio::task::Id {
        let (github, npm, now) = (self.github.clone(), self.npm.clone(), Arc::clone(&self.now));
        let task = tasks.spawn(async move {
            match (batch.what.budget(), github, npm) {
                (_, github, Some(npm)) if batch.what == Query::Provenance => {
                    let about = batch.about.first().copied().unwrap_or(Subject::SESSION);
                    prove(github, &npm, about, &aim, now()).await
                }
                (CallBudget::Graphql | CallBudget::Rest, Some(github), _) => {
                    github.ask(&batch, &aim, now()).await
                }
                (CallBudget::Npm, _, Some(npm)) => npm.ask(&batch, &aim, now()).await,
                _ => Err(()),
            }
        });
        task.id()
    }

    /// Puts a finished question back and passes on what it brought. False where nobody listens any more.
    async fn settle(
        &self,
        work: &mut Work,
        batch: &Batch,
        brought: Result<QueryResult, ()>,
        reports: &mpsc::Sender<Report>,
    ) -> bool {
        let now = (self.now)();
        let schedule = &mut work.schedule;
        let Ok(brought) = brought else {
            schedule.failed(batch, now, (self.random)());
            return true;
        };
        schedule.done(batch, now, |about| {
            brought
                .paces
                .iter()
                .find(|(one, ..)| *one == about)
                .map(|(_, pace, urgency)| (*pace, *urgency))
        });
        for (key, wait, urgency) in &brought.expedite {
            schedule.expedite(*key, now.plus(*wait), *urgency);
        }
        if batch.what == Query::Discovery {
            for key in std::mem::take(&mut work.deferred) {
                schedule.expedite(key, now, Urgency::ByAge);
            }
        }
        work.record.answered(batch, &brought, now);
        for report in brought.reports {
            if reports.send(report).await.is_err() {
                return false;
            }
        }
        true
    }
}

impl Work {
    /// Tells whether all was looked at again after a gap, and it was said for long enough.
    fn is_over_gap(&self, now: Ts) -> bool {
        let since = self.gap.as_ref().map(|(_, since)| *since);
        since.is_some_and(|since| now >= since.plus(GAP_SAID))
            && self.schedule.waiting(now) == (0, 0)
    }
}

/// An observer's panic is that question's failure: it is asked again later, like any other that failed.
fn outcome(done: Result<Done, tokio::task::JoinError>) -> Done {
    done.unwrap_or_else(|error| {
        tracing::error!("an observer failed: {error}");
        (error.id(), Err(()))
    })
}
