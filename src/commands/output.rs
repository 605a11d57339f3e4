//! Where verbs write: data to standard output, talk to standard error, colour decided once.
//!
//! Whatever is said is made visible here, line by line, so that no escape from outside reaches the terminal even when
//! a caller forgot. Data is not touched: its encoders own that. Progress is shown on a terminal only, after a quarter
//! of a second.

use super::error::{Class, CommandError};
use crate::safe::redact::redact;
use crate::safe::shown::is_hidden;
use std::io::{self, IsTerminal as _, Write};
use std::time::{Duration, Instant};

/// Columns that are assumed for a terminal that does not tell.
const WIDTH: usize = 120;
/// Time before a step counts as slow enough to be talked about.
const PATIENCE: Duration = Duration::from_millis(250);
/// Shortest time between two lines of progress.
const PACE: Duration = Duration::from_millis(33);

/// Most combining marks on one letter of talk.
const MARKS: usize = 4;

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum ColorChoice {
    #[default]
    Auto,
    Always,
    Never,
}

/// The environment's word on colour, and whether a stream is a terminal.
#[derive(Debug, Clone, Copy, Default)]
pub struct ColorHints {
    /// `NO_COLOR` is set and not empty.
    pub no_color: bool,
    /// `CLICOLOR_FORCE` is set and not `0`.
    pub force: bool,
    /// `TERM` is `dumb`.
    pub dumb: bool,
}

/// Decides on colour: the flag, then `NO_COLOR`, then `CLICOLOR_FORCE`, then the terminal.
pub fn colored(choice: ColorChoice, hints: ColorHints, terminal: bool) -> bool {
    match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto if hints.no_color => false,
        ColorChoice::Auto if hints.force => true,
        ColorChoice::Auto => terminal && !hints.dumb,
    }
}

/// A colour or weight of our own text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paint {
    Bold,
    Dim,
    Red,
    Yellow,
    Green,
    Cyan,
}

impl Paint {
    fn code(self) -> &'static str {
        match self {
            Self::Bold => "1",
            Self::Dim => "2",
            Self::Red => "31",
            Self::Yellow => "33",
            Self::Green => "32",
            Self::Cyan => "36",
        }
    }
}

/// The two streams of a verb.
pub struct Output {
    data: Box<dyn Write + Send>,
    talk: Box<dyn Write + Send>,
    data_color: bool,
    talk_color: bool,
    terminal: bool,
    talk_terminal: bool,
    width: usize,
}

impl Output {
    /// Takes the process's own streams.
    pub fn standard(choice: ColorChoice, hints: ColorHints, columns: Option<usize>) -> Self {
        let (terminal, talk_terminal) = (io::stdout().is_terminal(), io::stderr().is_terminal());
        // What is piped goes into a program or a file: nothing is lost there for want of room.
        let measured =
            || crossterm::terminal::size().map_or(WIDTH, |(columns, _)| usize::from(columns));
        let columns = columns.or_else(|| terminal.then(measured));
        Self {
            data: Box::new(io::BufWriter::with_capacity(64 * 1024, io::stdout())),
            talk: Box::new(io::stderr()),
            data_color: colored(choice, hints, terminal),
            talk_color: colored(choice, hints, talk_terminal),
            terminal,
            talk_terminal,
            width: columns.map_or(usize::MAX, |columns| columns.clamp(40, 400)),
        }
    }

    /// Takes any two streams, without colour: for tests.
    pub fn plain(data: Box<dyn Write + Send>, talk: Box<dyn Write + Send>) -> Self {
        Self {
            data,
            talk,
            data_color: false,
            talk_color: false,
            terminal: false,
            talk_terminal: false,
            width: WIDTH,
        }
    }

    /// Gives standard output for data that its encoder has made safe.
    pub fn data(&mut self) -> &mut dyn Write {
        &mut self.data
    }

    /// Columns of the terminal, or no limit where there is none.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Whether a person reads standard output along.
    pub fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// Whether data may be coloured.
    pub fn is_colored(&self) -> bool {
        self.data_color
    }

    /// Colours a piece of data where colour is on.
    pub fn paint(&self, paint: Paint, text: &str) -> String {
        painted(self.data_color, paint, text)
    }

    /// Says something to the person, on standard error. Talk that cannot be written is lost: nothing depends on it.
    pub fn say(&mut self, text: impl AsRef<str>) {
        // What was printed before is to be read before; if it cannot be written, the last flush tells.
        let _ = self.data.flush();
        let _ = writeln!(self.talk, "{}", harmless(text.as_ref()));
    }

    /// Says something that is to be noticed.
    pub fn warn(&mut self, text: impl AsRef<str>) {
        self.labelled(Paint::Yellow, "warning", text.as_ref());
    }

    /// Says what to do next.
    pub fn hint(&mut self, text: impl AsRef<str>) {
        self.labelled(Paint::Cyan, "hint", text.as_ref());
    }

    fn labelled(&mut self, paint: Paint, label: &str, text: &str) {
        let _ = self.data.flush();
        let label = painted(self.talk_color, paint, &format!("{label}:"));
        let _ = writeln!(self.talk, "{label} {}", harmless(text));
    }

    /// Asks on standard error. The answer is the caller's to read.
    pub fn ask(&mut self, question: &str) {
        let _ = write!(self.talk, "{} ", harmless(question));
        let _ = self.talk.flush();
    }

    /// Tells of a failure: the message and its hints. A broken pipe is silent.
    pub fn error(&mut self, error: &CommandError) {
        if error.class == Class::BrokenPipe {
            return;
        }
        self.labelled(Paint::Red, "error", &error.message);
        for hint in &error.hints {
            self.hint(hint);
        }
    }

    /// Hands on what is still buffered.
    ///
    /// # Errors
    /// What the system says.
    pub fn flush(&mut self) -> Result<(), CommandError> {
        Ok(self.data.flush()?)
    }

    /// Runs a step; on a terminal, says what is going on once it takes long.
    pub fn slow<T: Send>(&mut self, words: &str, step: impl FnOnce() -> T + Send) -> T {
        if !self.talk_terminal {
            return step();
        }
        let talk = &mut self.talk;
        std::thread::scope(|scope| {
            let (done, waits) = std::sync::mpsc::channel::<()>();
            scope.spawn(move || show_progress(talk.as_mut(), words, &waits));
            let result = step();
            drop(done);
            result
        })
    }
}

/// Draws one line until the other end of the channel is gone, and takes it away again.
fn show_progress(talk: &mut dyn Write, words: &str, waits: &std::sync::mpsc::Receiver<()>) {
    use std::sync::mpsc::RecvTimeoutError;
    let started = Instant::now();
    let mut wait = PATIENCE;
    while waits.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
        let _ = write!(talk, "\r{words} … {} s", started.elapsed().as_secs());
        let _ = talk.flush();
        wait = PACE.max(Duration::from_millis(250));
    }
    if started.elapsed() >= PATIENCE {
        let _ = write!(
            talk,
            "\r{:width$}\r",
            "",
            width = words.chars().count() + 12
        );
        let _ = talk.flush();
    }
}

/// Takes the last look at a line of talk: what is hidden becomes an escape, a credential a placeholder.
///
/// Names in it were made visible already, so unlike there a backslash stays as it is.
pub fn harmless(text: &str) -> String {
    let mut marks = 0;
    let mut out = String::with_capacity(text.len());
    for letter in redact(text).chars() {
        let zero = unicode_width::UnicodeWidthChar::width(letter) == Some(0);
        marks = if zero { marks + 1 } else { 0 };
        if letter == '\n' || (!is_hidden(letter) && marks <= MARKS) {
            out.push(letter);
        } else {
            out.push_str(&format!("\\u{{{:x}}}", u32::from(letter)));
        }
    }
    out
}

fn painted(on: bool, paint: Paint, text: &str) -> String {
    if on {
        format!("\u{1b}[{}m{text}\u{1b}[0m", paint.code())
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_flag_wins_then_no_color_then_force_then_the_terminal() {
        let hints = |no_color, force, dumb| ColorHints {
            no_color,
            force,
            dumb,
        };
        for (choice, hint, terminal, expected) in [
            (ColorChoice::Always, hints(true, false, true), false, true),
            (ColorChoice::Never, hints(false, true, false), true, false),
            (ColorChoice::Auto, hints(true, true, false), true, false),
            (ColorChoice::Auto, hints(false, true, false), false, true),
            (ColorChoice::Auto, hints(false, false, false), true, true),
            (ColorChoice::Auto, hints(false, false, true), true, false),
            (ColorChoice::Auto, hints(false, false, false), false, false),
        ] {
            assert_eq!(
                colored(choice, hint, terminal),
                expected,
                "{choice:?} {hint:?} {terminal}"
            );
        }
    }

    #[test]
    fn talk_is_made_visible_whoever_wrote_it() {
        let talk = Kept::default();
        let mut out = Output::plain(Box::new(io::sink()), Box::new(talk.clone()));
        let error = CommandError::user("no \u{1b}]52;c;AA==\u{7} here").hint("look\u{202e}up");
        out.error(&error);
        let said = String::from_utf8(talk.0.lock().unwrap().clone()).unwrap();
        assert!(said.starts_with("error: no \\u{1b}]52;c;AA=="), "{said}");
        assert!(said.contains("hint: look\\u{202e}up"), "{said}");
        assert!(!said.contains('\u{1b}'));
    }

    #[test]
    fn a_broken_pipe_is_silent() {
        let talk = Kept::default();
        let mut out = Output::plain(Box::new(io::sink()), Box::new(talk.clone()));
        out.error(&io::Error::from(io::ErrorKind::BrokenPipe).into());
        assert!(talk.0.lock().unwrap().is_empty());
    }
}
