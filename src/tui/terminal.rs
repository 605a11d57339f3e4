//! The terminal on loan: raw mode, alternate screen, mouse, bracketed paste and cursor, taken together and given back
//! together.
//!
//! Given back on drop, on a panic of the screen's own thread, on SIGTERM, SIGHUP and suspend. Knows nothing of what is
//! drawn, and reads nothing: `keys` does.

use std::io::{self, IsTerminal, Write};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, ThreadId};

use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::style::Print;
use crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen,
    LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use crossterm::{cursor, execute};
use ratatui::Frame;
use ratatui::backend::CrosstermBackend;
use rustix::process::{Signal, kill_current_process_group};

/// Button presses and the wheel in SGR form; motion is left off, so a moving mouse wakes nothing.
const MOUSE_ON: &str = "\x1b[?1000h\x1b[?1006h";
const MOUSE_OFF: &str = "\x1b[?1006l\x1b[?1000l";

/// True while the terminal is ours: makes giving back idempotent, from the hook and from drop alike.
static HELD: AtomicBool = AtomicBool::new(false);
static HOOK: Once = Once::new();

/// Why the terminal could not be taken or drawn on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the console needs a terminal; without one use `cutover status` or `cutover report`")]
    NotATerminal,
    #[error("cannot use the terminal: {0}; `reset` restores it if it looks wrong")]
    Io(#[from] io::Error),
}

/// The terminal while the console runs; dropping it gives the terminal back.
pub struct Terminal {
    inner: ratatui::Terminal<CrosstermBackend<io::Stdout>>,
}

impl Terminal {
    /// Takes the terminal; refuses where standard input or output is none.
    pub fn take() -> Result<Self, Error> {
        if !io::stdout().is_terminal() || !io::stdin().is_terminal() {
            return Err(Error::NotATerminal);
        }
        let screen_thread = thread::current().id();
        HOOK.call_once(|| install_hook(screen_thread));
        enter()?;
        let inner = ratatui::Terminal::new(CrosstermBackend::new(io::stdout()))
            .inspect_err(|_| give_back())?;
        Ok(Self { inner })
    }

    /// Draws one frame inside a synchronized update, so that no half of it is seen.
    pub fn draw(&mut self, paint: impl FnOnce(&mut Frame<'_>)) -> Result<(), Error> {
        execute!(io::stdout(), BeginSynchronizedUpdate)?;
        let drawn = self.inner.draw(paint).map(|_| ());
        execute!(io::stdout(), EndSynchronizedUpdate)?;
        Ok(drawn?)
    }

    /// Width and height in cells, asked from the terminal.
    pub fn size(&self) -> Result<(u16, u16), Error> {
        let size = self.inner.size()?;
        Ok((size.width, size.height))
    }

    /// Forgets what is on the screen, so that the next frame is drawn whole.
    pub fn clear(&mut self) -> Result<(), Error> {
        // Not `clear` of ratatui: that asks the terminal where its cursor is, and the answer would come in as keys.
        execute!(io::stdout(), Clear(ClearType::All))?;
        self.inner = ratatui::Terminal::new(CrosstermBackend::new(io::stdout()))?;
        Ok(())
    }

    /// Gives the terminal back, stops the process group, and takes the terminal again when the shell continues it.
    pub fn suspend(&mut self) -> Result<(), Error> {
        give_back();
        // SIGSTOP and not SIGTSTP: the latter is ours to catch, and would come back here.
        kill_current_process_group(Signal::STOP).map_err(io::Error::from)?;
        enter()?;
        self.clear()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        give_back();
    }
}

fn enter() -> Result<(), Error> {
    enable_raw_mode()?;
    HELD.store(true, Ordering::SeqCst);
    let entered = execute!(
        io::stdout(),
        EnterAlternateScreen,
        EnableBracketedPaste,
        Print(MOUSE_ON),
        cursor::Hide
    );
    if entered.is_err() {
        give_back();
    }
    Ok(entered?)
}

/// Restores everything that `enter` changed. Best effort: every step is tried though another failed.
fn give_back() {
    if !HELD.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut out = io::stdout();
    let _ = execute!(
        out,
        EndSynchronizedUpdate,
        Print(MOUSE_OFF),
        DisableBracketedPaste,
        LeaveAlternateScreen,
        cursor::Show
    );
    let _ = disable_raw_mode();
    let _ = out.flush();
}

/// A panic of the screen's thread gives the terminal back before it speaks; that of another thread goes to the log
/// and leaves the screen alone, for its failure is shown by whoever joins that thread.
fn install_hook(screen_thread: ThreadId) {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if thread::current().id() == screen_thread {
            give_back();
            before(panic);
        } else if HELD.load(Ordering::SeqCst) {
            tracing::error!(place = ?panic.location().map(ToString::to_string), "a background thread panicked");
        } else {
            before(panic);
        }
    }));
}
