//! The console: one select loop on the main thread over keys, pictures of the session, answers, signals and the clock.
//!
//! ```text
//! event -> input -> Message -> update(State) -> Effects -> engine
//!                                   |
//!               theme, State -> view -> terminal        at most 60 times a second, never when nothing would change
//! ```
//!
//! The only part that knows ratatui and crossterm. Decides nothing itself: `update` does, and the session judges.

pub mod action;
pub mod column;
pub mod command;
pub mod decided;
pub mod filter;
pub mod form;
pub mod input;
mod keys;
pub mod layout;
pub mod list;
mod outbox;
pub mod page;
pub mod rows;
mod signals;
pub mod start;
pub mod state;
pub mod terminal;
pub mod theme;
pub mod update;
pub mod view;

use std::sync::Arc;
use std::time::Duration;

use crossterm::event::Event;
use tokio::time::Instant;

use crate::engine::clocks::Now;
use crate::engine::live::FactorState;
use crate::engine::snapshot::Snapshot;
use crate::engine::{Command, Handle};
use crate::safe::browser::Browser;
use keys::Keys;
use layout::Size;
use outbox::Outbox;
use signals::{Signal, Signals};
use state::{Overlay, Settings, State};
use terminal::Terminal;
use theme::{Depth, Glyphs, Theme};
use update::{Effect, Message, update};

/// Least time between two frames.
const FRAME: Duration = Duration::from_micros(16_667);
/// Longest wait: the wall clock can be set, and a machine can sleep.
const NAP: Duration = Duration::from_secs(60);

/// How the console looks and what it may do.
#[derive(Debug, Clone)]
pub struct Options {
    pub settings: Settings,
    /// Name of a theme compiled in.
    pub theme: String,
    /// Text of a theme file of the user's, used instead until another theme is chosen.
    pub theme_file: Option<String>,
    pub depth: Depth,
    pub glyphs: Glyphs,
    /// What opens web pages; none where nothing was found.
    pub browser: Option<Browser>,
}

impl Options {
    /// Reads the theme.
    fn theme(&self) -> Result<Theme, theme::Error> {
        match &self.theme_file {
            Some(text) => Theme::parse(text, self.depth, self.glyphs),
            None => Theme::named(&self.theme, self.depth, self.glyphs),
        }
    }
}

/// Why the console could not run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Terminal(#[from] terminal::Error),
    #[error(transparent)]
    Theme(#[from] theme::Error),
    #[error("the console cannot start: {0}")]
    Start(std::io::Error),
}

/// How the console ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    Quit,
    /// By SIGTERM, SIGHUP or SIGINT: its number.
    Signal(i32),
}

/// Runs the console until somebody leaves it; the session is given back and the terminal restored in every case.
///
/// # Errors
/// There is no terminal, it fails, or the theme is wrong.
pub fn run(handle: Handle, options: &Options, now: &Now) -> Result<Exit, Error> {
    let result = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Error::Start)
        .and_then(|runtime| {
            runtime.block_on(async { Console::open(&handle, options, now)?.serve().await })
        });
    handle.stop();
    result
}

struct Console {
    state: State,
    theme: Theme,
    /// Index in `theme::NAMES` of the theme in `theme`.
    theme_at: usize,
    depth: Depth,
    now: Now,
    terminal: Terminal,
    keys: Keys,
    snapshots: tokio::sync::watch::Receiver<Arc<Snapshot>>,
    /// False after the session's thread has ended.
    live: bool,
    outbox: Outbox,
    signals: Signals,
    dirty: bool,
    drawn: Instant,
}

impl Console {
    fn open(handle: &Handle, options: &Options, now: &Now) -> Result<Self, Error> {
        let theme_at = theme::NAMES.iter().position(|name| *name == options.theme);
        let theme_at = theme_at.ok_or_else(|| theme::Error::Unknown(options.theme.clone()))?;
        let theme = options.theme()?;
        let signals = Signals::listen().map_err(Error::Start)?;
        let terminal = Terminal::take()?;
        let keys = Keys::listen().map_err(Error::Start)?;
        let (width, height) = terminal.size()?;
        let mut snapshots = handle.snapshots.clone();
        let snapshot = Arc::clone(&snapshots.borrow_and_update());
        let mut state = State::new(
            snapshot,
            options.settings.clone(),
            now(),
            Size { width, height },
        );
        state.theme = theme_at;
        Ok(Self {
            state,
            theme,
            theme_at,
            depth: options.depth,
            now: Arc::clone(now),
            terminal,
            keys,
            snapshots,
            live: true,
            outbox: Outbox::new(handle.commands.clone(), options.browser.clone()),
            signals,
            dirty: true,
            drawn: Instant::now()
                .checked_sub(FRAME)
                .unwrap_or_else(Instant::now),
        })
    }

    /// The loop. Keys come first, so that no flood of pictures keeps them waiting.
    async fn serve(&mut self) -> Result<Exit, Error> {
        let exit = loop {
            if self.dirty && self.drawn.elapsed() >= FRAME {
                self.draw()?;
            }
            let wake = self.wake();
            let effects = tokio::select! {
                biased;
                event = self.keys.next() => match event.map_err(terminal::Error::Io)? {
                    Some(event) => self.on_event(event),
                    // The terminal is gone.
                    None => break Exit::Signal(rustix::process::Signal::HUP.as_raw()),
                },
                signal = self.signals.next() => match signal {
                    Signal::End(number) => break Exit::Signal(number),
                    Signal::Suspend => vec![Effect::Suspend],
                    Signal::Continue => vec![Effect::Repaint],
                    Signal::Resize => self.resized()?,
                },
                answer = self.outbox.answer() => self.take(answer),
                changed = self.snapshots.changed(), if self.live => match changed {
                    Ok(()) => {
                        let snapshot = Arc::clone(&self.snapshots.borrow_and_update());
                        self.take(Message::Snapshot(snapshot))
                    }
                    Err(_) => self.engine_ended(),
                },
                () = tokio::time::sleep_until(wake) => self.on_time(),
            };
            for effect in effects {
                match effect {
                    Effect::Decide { request, actions } => self.outbox.decide(request, actions),
                    Effect::Focus(focus) => self.outbox.tell(Command::Focus(focus)),
                    Effect::ReadTrust(packages) => self.outbox.tell(Command::ReadTrust(packages)),
                    Effect::StopReading => self.outbox.tell(Command::StopReading),
                    Effect::AcceptHost(host) => self.outbox.tell(Command::AcceptHost(host)),
                    Effect::Visit => self.visit(),
                    Effect::Browse(address) => self.outbox.browse(address),
                    Effect::Suspend => self.suspend()?,
                    Effect::Repaint => self.repaint()?,
                    Effect::Quit => {
                        self.outbox.finish().await;
                        return Ok(Exit::Quit);
                    }
                }
            }
        };
        self.outbox.finish().await;
        Ok(exit)
    }

    fn take(&mut self, message: Message) -> Vec<Effect> {
        self.dirty = true;
        update(&mut self.state, (self.now)(), message)
    }

    fn on_event(&mut self, event: Event) -> Vec<Effect> {
        input::message(event).map_or_else(Vec::new, |message| self.take(message))
    }

    fn on_time(&mut self) -> Vec<Effect> {
        if (self.now)() >= view::next_change(&self.state) {
            self.take(Message::Tick)
        } else {
            Vec::new()
        }
    }

    /// Opens the page on which npm waits, if it still does.
    fn visit(&self) {
        if let Some(factor) = &self.state.snapshot.live.factor
            && let FactorState::Asked(page) = &factor.state
        {
            self.outbox.visit(page.address.clone());
        }
    }

    fn engine_ended(&mut self) -> Vec<Effect> {
        self.live = false;
        self.dirty = true;
        self.state.complain("the session's thread has ended: nothing more can be written; leave with q and open it again");
        Vec::new()
    }

    /// When to look up though nothing happens: the next frame if one is due, else when visible text changes.
    fn wake(&self) -> Instant {
        if self.dirty {
            return self.drawn + FRAME;
        }
        let seconds = view::next_change(&self.state)
            .0
            .saturating_sub((self.now)().0);
        let wait = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
        // Instants have whole seconds: at least one passes before the next change.
        Instant::now() + wait.clamp(Duration::from_millis(200), NAP)
    }

    fn draw(&mut self) -> Result<(), Error> {
        if self.state.theme != self.theme_at {
            self.theme_at = self.state.theme;
            let name = theme::NAMES.get(self.theme_at).copied().unwrap_or_default();
            self.theme = Theme::named(name, self.depth, self.theme.glyphs)?;
        }
        let (state, theme) = (&self.state, &self.theme);
        self.terminal
            .draw(|frame| view::draw(frame, state, theme))?;
        self.dirty = false;
        self.drawn = Instant::now();
        self.panel_was_drawn()
    }

    /// After a confirmation has come on the screen: what was typed before that is thrown away.
    fn panel_was_drawn(&mut self) -> Result<(), Error> {
        if !matches!(&self.state.overlay, Some(Overlay::Confirm(confirm)) if !confirm.drawn) {
            return Ok(());
        }
        self.keys.typed_ahead().map_err(terminal::Error::Io)?;
        update(&mut self.state, (self.now)(), Message::Drawn);
        Ok(())
    }

    /// Gives the terminal to the shell until it is continued.
    fn suspend(&mut self) -> Result<(), Error> {
        self.terminal.suspend()?;
        self.repaint()
    }

    fn resized(&mut self) -> Result<Vec<Effect>, Error> {
        let (width, height) = self.terminal.size()?;
        Ok(self.take(Message::Resize(Size { width, height })))
    }

    fn repaint(&mut self) -> Result<(), Error> {
        self.terminal.clear()?;
        self.resized().map(|_| ())
    }
}
