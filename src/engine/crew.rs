//! The observers at work: one loop that asks what is due, each question a task of its own.
//!
//! Knows the clock, the schedule and the switchboard; what a question means stands in `observe/`. A task that fails or
//! panics is that question's failure only. Ends with its token, and takes everything under way with it.

use super::challenge::{Clock, Counter};
use super::observe::github::Github;
use super::observe::npm::Npm;
use super::observe::provenance::prove;
use super::observe::{Brought, Links, Post, Report, Targets};
use super::owner::Now;
use super::schedule::{Batch, Key, Purse, Schedule, Urgency, What};
use super::switchboard::Switchboard;
use crate::model::id::Subject;
use crate::model::time::Ts;
use std::collections::HashMap;
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

/// Who looks, and by which clock.
pub struct Crew {
    pub github: Option<Arc<Github>>,
    pub npm: Option<Arc<Npm>>,
    pub switchboard: Switchboard,
    pub now: Now,
    /// Seconds of `now` that pass in one second: 1, but in a simulated world.
    pub speed: f64,
    pub random: super::switchboard::Random,
    /// Asked for once, at the next chance: kinds that time alone never asks.
    pub once: Vec<What>,
    /// Ends when nothing is due any more: one pass.
    pub one_pass: bool,
}

type Tasks = JoinSet<Result<Brought, ()>>;
type Done = (tokio::task::Id, Result<Brought, ()>);

/// What each task asks: one that panics leaves only its id.
type UnderWay = HashMap<tokio::task::Id, Batch>;

impl Crew {
    /// Looks until stopped, or until one pass is over where that was asked for.
    pub async fn serve(self, post: Post, stop: CancellationToken) {
        let Post {
            reports,
            mut targets,
        } = post;
        let mut schedule = Schedule::default();
        let mut tasks = Tasks::new();
        let mut under_way = UnderWay::new();
        let mut told = Links::default();
        let mut tell_at = Instant::now();
        let mut idle_since: Option<Instant> = None;
        let mut aim = Arc::clone(&targets.borrow_and_update());
        self.reconcile(&mut schedule, &aim, None);
        let counter = self.counter();
        // One reading with a second factor at a time; dropping the set ends it.
        let mut reading = JoinSet::new();
        loop {
            let now = (self.now)();
            self.open_and_close(&mut schedule);
            for batch in schedule.next(now) {
                let id = self.ask(&mut tasks, batch.clone(), Arc::clone(&aim));
                under_way.insert(id, batch);
            }
            if Instant::now() >= tell_at {
                tell_at = Instant::now() + TELL;
                let links = self.links(&schedule, now);
                if links != told {
                    told = links.clone();
                    if reports.send(Report::Links(links)).await.is_err() {
                        break;
                    }
                }
            }
            let idle = self.one_pass && tasks.is_empty() && schedule.is_done(now);
            idle_since = idle_since
                .filter(|_| idle)
                .or_else(|| idle.then(Instant::now));
            if idle_since.is_some_and(|since| since.elapsed() >= SETTLED) {
                break;
            }
            let wake = self.wake(&schedule, now).min(TELL);
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                changed = targets.changed() => match changed {
                    Ok(()) => {
                        let new = Arc::clone(&targets.borrow_and_update());
                        self.reconcile(&mut schedule, &new, Some(&aim));
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
                    if !self.settle(&mut schedule, &batch, brought, &reports).await {
                        break;
                    }
                }
                () = tokio::time::sleep(wake) => {}
            }
        }
        reading.shutdown().await;
        tasks.shutdown().await;
    }

    fn counter(&self) -> Option<Arc<Counter>> {
        let npm = Arc::clone(self.npm.as_ref()?);
        let clock = Clock::start(Arc::clone(&self.now), self.speed);
        Some(Arc::new(Counter::new(npm, clock)))
    }

    /// Takes in what there is to look at.
    fn reconcile(&self, schedule: &mut Schedule, aim: &Targets, before: Option<&Targets>) {
        let now = (self.now)();
        let mut know = |what, about| schedule.know((what, about), now);
        if self.github.is_some() {
            know(What::Rights, Subject::SESSION);
            if !aim.organisations.is_empty() {
                know(What::Discovery, Subject::SESSION);
            }
            for repo in aim.repos.iter().filter(|repo| !repo.workflows.is_empty()) {
                know(What::Workflows, repo.id);
                know(What::Settings, repo.id);
                know(What::Refs, repo.id);
                if self.once.contains(&What::Secrets) {
                    know(What::Secrets, repo.id);
                }
            }
        }
        if let Some(npm) = &self.npm {
            know(What::Account, Subject::SESSION);
            if npm.has_account() && !aim.staged.is_empty() {
                know(What::Stages, Subject::SESSION);
            }
            for package in &aim.packages {
                know(What::Packument, package.id);
                know(What::Reach, package.id);
                if npm.has_account() {
                    know(What::Access, package.id);
                }
                if package.proof.is_some() && self.github.is_some() {
                    know(What::Provenance, package.id);
                }
            }
        }
        schedule.retain(|(what, about)| match what {
            What::Workflows
            | What::Runs
            | What::Trouble
            | What::Settings
            | What::Secrets
            | What::Refs => aim.repo(*about).is_some(),
            What::Packument | What::Reach | What::Access => aim.package(*about).is_some(),
            What::Provenance => aim.package(*about).is_some_and(|one| one.proof.is_some()),
            What::Stages => !aim.staged.is_empty(),
            What::Follow => aim.follow.is_some_and(|(repo, _)| repo == *about),
            What::Rights | What::Discovery | What::Files | What::Account => true,
        });
        let seen_before = before.and_then(|before| before.seen);
        if let Some(seen) = aim.seen.filter(|seen| Some(*seen) != seen_before) {
            self.look_closer(schedule, aim, seen, now);
        }
        let followed_before = before.and_then(|before| before.follow);
        if let Some((repo, _)) = aim.follow.filter(|run| Some(*run) != followed_before) {
            schedule.hurry((What::Follow, repo), now, Urgency::Now);
        }
    }

    /// What is opened on the screen is looked at again.
    fn look_closer(&self, schedule: &mut Schedule, aim: &Targets, seen: Subject, now: Ts) {
        let mut hurry = |key: Key| schedule.hurry(key, now, Urgency::Seen);
        if aim
            .repo(seen)
            .is_some_and(|repo| !repo.workflows.is_empty())
        {
            hurry((What::Settings, seen));
        }
        if self.npm.is_some() {
            let of_repo = aim.repo(seen).map_or(&[][..], |repo| &repo.packages);
            of_repo
                .iter()
                .chain([&seen])
                .filter(|package| aim.package(**package).is_some())
                .take(10)
                .for_each(|package| hurry((What::Packument, *package)));
        }
    }

    fn open_and_close(&self, schedule: &mut Schedule) {
        for purse in Purse::ALL {
            schedule.room(purse, self.switchboard.room(purse));
        }
        for what in What::ALL {
            schedule.close(what, self.switchboard.closed(what));
        }
    }

    fn links(&self, schedule: &Schedule, now: Ts) -> Links {
        Links {
            links: self.switchboard.links(),
            budgets: self
                .switchboard
                .budgets(|purse| schedule.planned(purse, now)),
            waiting: schedule.waiting(now),
            warning: self.switchboard.warning().map(Into::into),
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
            match (batch.what.purse(), github, npm) {
                (_, github, Some(npm)) if batch.what == What::Provenance => {
                    let about = batch.about.first().copied().unwrap_or(Subject::SESSION);
                    prove(github, &npm, about, &aim, now()).await
                }
                (Purse::Graphql | Purse::Rest, Some(github), _) => {
                    github.ask(&batch, &aim, now()).await
                }
                (Purse::Npm, _, Some(npm)) => npm.ask(&batch, &aim, now()).await,
                _ => Err(()),
            }
        });
        task.id()
    }

    /// Puts a finished question back and passes on what it brought. False where nobody listens any more.
    async fn settle(
        &self,
        schedule: &mut Schedule,
        batch: &Batch,
        brought: Result<Brought, ()>,
        reports: &mpsc::Sender<Report>,
    ) -> bool {
        let now = (self.now)();
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
        for (key, wait, urgency) in &brought.hurry {
            schedule.hurry(*key, now.plus(*wait), *urgency);
        }
        for report in brought.reports {
            if reports.send(report).await.is_err() {
                return false;
            }
        }
        true
    }
}

/// An observer's panic is that question's failure: it is asked again later, like any other that failed.
fn outcome(done: Result<Done, tokio::task::JoinError>) -> Done {
    done.unwrap_or_else(|error| {
        tracing::error!("an observer failed: {error}");
        (error.id(), Err(()))
    })
}
