//! Asks what costs a second factor: one challenge opens a window, and everything that waits runs inside it.
//!
//! Reads only. Nothing is asked that nobody ordered; each account asks for the packages that it may write, one call
//! after the other. The page's address and the one-time password stay in memory, and the latter goes to the registry alone.

use super::clocks::{Now, Steady, Tick};
use super::endpoint_health::may_pass;
use super::live::{FactorPage, FactorState, OpenWindow, TwoFactorProgress};
use super::observe::npm::Npm;
use super::observe::{Report, Targets, TrustReadRequest, Wanted};
use super::window::{Rules, Turn, Window};
use crate::model::event::Observation;
use crate::model::fact::{Answer, LiveSource};
use crate::model::name::{Login, PackageName};
use crate::registry::{Challenge, Guarded, Polled, Registry, RegistryError, Site};
use crate::safe::secret::Secret;
use crate::safe::shown::visible;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// Seconds after which a challenge that nobody meets is given up.
const PATIENCE: i64 = 600;
/// Seconds between two polls after one that failed.
const AGAIN: u32 = 5;

/// Both clocks, and how fast they run.
pub struct Clock {
    pub now: Now,
    pub steady: Steady,
    /// Seconds of this world that pass in one second.
    pub speed: f64,
}

impl Clock {
    fn tick(&self) -> Tick {
        Tick::read(&self.now, &self.steady)
    }

    /// Lets so many of this world's milliseconds pass.
    async fn pass(&self, millis: i64) {
        let millis = millis.max(0) as f64 / self.speed.max(0.001);
        tokio::time::sleep(Duration::from_secs_f64(millis / 1_000.0)).await;
    }
}

/// Whoever asks for second factors, with the windows that were opened.
pub struct TwoFactorReader {
    npm: Arc<Npm>,
    clock: Clock,
    rules: Rules,
    windows: Mutex<BTreeMap<Box<str>, Window>>,
}

/// One order under way: what it has come to, and whom to tell.
struct Work<'a> {
    counter: &'a TwoFactorReader,
    number: u64,
    factor: TwoFactorProgress,
    reports: mpsc::Sender<Report>,
    targets: watch::Receiver<Arc<Targets>>,
}

/// Why an order ends before all was asked, in words for the panel.
struct Ended(Box<str>);

impl TwoFactorReader {
    /// Makes one; no window is open.
    pub fn new(npm: Arc<Npm>, clock: Clock) -> Self {
        Self {
            npm,
            clock,
            rules: Rules::npm(),
            windows: Mutex::default(),
        }
    }

    /// Reads what was ordered and tells how it goes, until all is read. Dropping it ends the reading.
    pub async fn serve(
        self: Arc<Self>,
        order: Arc<TrustReadRequest>,
        reports: mpsc::Sender<Report>,
        targets: watch::Receiver<Arc<Targets>>,
    ) {
        let mut work = Work {
            counter: &self,
            number: order.number,
            factor: TwoFactorProgress::of(order.packages.len()),
            reports,
            targets,
        };
        let words = match work.all(&order).await {
            Ok(()) if work.factor.failed == 0 => "all were read".into(),
            Ok(()) => "done; open the packages that failed to see why".into(),
            Err(Ended(why)) => why,
        };
        work.say(FactorState::Ended(words)).await;
    }

    fn windows(&self) -> MutexGuard<'_, BTreeMap<Box<str>, Window>> {
        self.windows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Works on the window of an account.
    fn window<T>(&self, account: &Login, act: impl FnOnce(&mut Window, Tick) -> T) -> T {
        let tick = self.clock.tick();
        let mut windows = self.windows();
        let window = windows
            .entry(account.as_str().into())
            .or_insert_with(|| Window::new(self.rules));
        act(window, tick)
    }

    /// Waits for this account's place inside its window; without one it goes at once, and is asked.
    async fn place(&self, account: &Login) {
        while let Turn::In(millis) = self.window(account, Window::take) {
            self.clock.pass(millis).await;
        }
    }

    /// Gives the windows that are open now.
    fn open(&self) -> Vec<OpenWindow> {
        let now = (self.clock.now)();
        let windows = self.windows();
        let open = windows.iter().filter_map(|(account, window)| {
            Some(OpenWindow {
                account: account.clone(),
                ends: window.ends().filter(|ends| *ends > now)?,
                left: window.left(),
            })
        });
        open.collect()
    }
}

impl Work<'_> {
    async fn all(&mut self, order: &TrustReadRequest) -> Result<(), Ended> {
        let accounts = self.counter.npm.named().await;
        if accounts.is_empty() {
            return Err(Ended(
                "nobody is logged in at npm: run `npm login`, then open this session with --live again".into(),
            ));
        }
        for (at, (account, login)) in accounts.iter().enumerate() {
            let writes = |login: &Login, one: &Wanted| {
                one.writers.iter().any(|who| **who == *login.as_str())
            };
            // Where no writer is logged in the first account asks, and the registry says what it thinks of that.
            let own = order.packages.iter().filter(|one| {
                let first = accounts.iter().position(|(_, login)| writes(login, one));
                first.unwrap_or(0) == at
            });
            self.factor.account = login.as_str().into();
            for wanted in own {
                self.one(account, login, wanted).await?;
            }
        }
        Ok(())
    }

    async fn one(
        &mut self,
        account: &Registry,
        login: &Login,
        wanted: &Wanted,
    ) -> Result<(), Ended> {
        let looked = match PackageName::parse(&wanted.name) {
            Ok(name) => self.trust(account, login, &name, wanted).await?,
            Err(_) => Err(RegistryError::Name(visible(&wanted.name).into())),
        };
        let answer = looked.unwrap_or_else(|lost| {
            self.factor.failed += 1;
            lost.answer(LiveSource::Trust)
        });
        let observation = Observation {
            as_of: (self.counter.clock.now)(),
            answer,
        };
        self.send(Report::Answers(vec![(wanted.id, observation)]))
            .await?;
        self.factor.done += 1;
        self.say(FactorState::Working).await;
        Ok(())
    }

    /// Reads one package's configs; a challenge on the way is met by somebody, and the call made again with its password.
    async fn trust(
        &mut self,
        account: &Registry,
        login: &Login,
        name: &PackageName,
        wanted: &Wanted,
    ) -> Result<Result<Answer, RegistryError>, Ended> {
        let mut password: Option<Secret> = None;
        loop {
            self.counter.place(login).await;
            let refused = password.is_some();
            let asked = account
                .trust(name, password.take().as_ref(), wanted.before.as_ref())
                .await;
            let challenge = match asked {
                Ok(Guarded::Done(fact)) => return Ok(Ok(Answer::Trust(fact))),
                Ok(Guarded::Asked(challenge)) => challenge,
                Err(lost) => return Ok(Err(lost)),
            };
            self.counter.window(login, |window, _| window.asked());
            if refused {
                return Err(Ended(
                    "npm did not take the second factor; begin anew".into(),
                ));
            }
            password = Some(self.met(account, &challenge).await?);
            self.counter.window(login, Window::open);
            self.say(FactorState::Working).await;
        }
    }

    /// Shows the page and waits until somebody has met the challenge.
    async fn met(&mut self, account: &Registry, challenge: &Challenge) -> Result<Secret, Ended> {
        self.factor.challenges += 1;
        let mut page = FactorPage {
            address: Secret::new(challenge.page().to_owned()),
            host: visible(challenge.host()).into(),
            accepted: challenge.site == Site::Own,
        };
        self.say(FactorState::Asked(page.clone())).await;
        if !page.accepted {
            let accepted = |aim: &Arc<Targets>| aim.hosts.contains(&page.host);
            if self.targets.wait_for(accepted).await.is_err() {
                return Err(Ended("the console was closed".into()));
            }
            page.accepted = true;
            self.say(FactorState::Asked(page)).await;
        }
        let clock = &self.counter.clock;
        let until = (clock.now)().plus(PATIENCE);
        loop {
            let wait = match account.poll(challenge).await {
                Ok(Polled::Done(password)) => return Ok(password),
                Ok(Polled::Wait(seconds)) => seconds,
                Err(lost) if lost.trouble().is_some_and(may_pass) => AGAIN,
                Err(lost) => {
                    return Err(Ended(
                        format!("the second factor was not taken: {lost}").into(),
                    ));
                }
            };
            if (clock.now)() >= until {
                return Err(Ended(
                    "nobody gave the second factor within 10 minutes; begin anew".into(),
                ));
            }
            clock.pass(i64::from(wait) * 1_000).await;
        }
    }

    async fn say(&mut self, state: FactorState) {
        self.factor.state = state;
        let report = Report::Factor(
            self.number,
            Box::new(self.factor.clone()),
            self.counter.open(),
        );
        let _ = self.send(report).await;
    }

    async fn send(&self, report: Report) -> Result<(), Ended> {
        let sent = self.reports.send(report).await;
        sent.map_err(|_nobody_listens| Ended("the console was closed".into()))
    }
}
