//! The start screen: sessions to open and ways to begin. Knows no session; gives back what was chosen.
//!
//! State and keys are pure; the loop at the end lends them a terminal.

use super::action::{self, Id, Key, Scope};
use super::keys::Keys;
use super::signals::{Signal, Signals};
use super::terminal::{self, Terminal};
use super::update::Message;
use super::{Error, Options, input, view};

/// Under which heading an entry stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    Sessions,
    Begin,
}

impl Group {
    /// The heading.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Sessions => "Sessions",
            Self::Begin => "Begin",
        }
    }
}

/// One thing that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub group: Group,
    pub title: String,
    /// Where it is, or the command that does the same.
    pub detail: String,
}

impl Entry {
    /// Makes an entry; its texts have been made visible.
    #[must_use]
    pub fn new(group: Group, title: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            group,
            title: title.into(),
            detail: detail.into(),
        }
    }
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// The entry at this place.
    Entry(usize),
    Leave,
    /// Ended by this signal.
    Signal(i32),
}

/// The entries and the cursor among them.
#[derive(Debug, Clone)]
pub struct Start {
    entries: Vec<Entry>,
    cursor: usize,
}

/// A line of the screen: a heading, or an entry by its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    Heading(Group),
    Entry(usize),
}

impl Start {
    /// Begins at the first entry.
    #[must_use]
    pub fn new(entries: Vec<Entry>) -> Self {
        Self { entries, cursor: 0 }
    }

    #[must_use]
    pub fn entry(&self, at: usize) -> Option<&Entry> {
        self.entries.get(at)
    }

    #[must_use]
    pub fn cursor(&self) -> usize {
        self.cursor
    }

    /// The lines from top to bottom.
    #[must_use]
    pub fn lines(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        let mut group = None;
        for (at, entry) in self.entries.iter().enumerate() {
            if group != Some(entry.group) {
                group = Some(entry.group);
                lines.push(Line::Heading(entry.group));
            }
            lines.push(Line::Entry(at));
        }
        lines
    }

    /// Takes a key as the action table has it; gives the choice once there is one.
    pub fn on_key(&mut self, key: Key) -> Option<Choice> {
        let last = self.entries.len().saturating_sub(1);
        match (key, action::on(key, Scope::Board)?.id) {
            (_, Id::Down | Id::NextScreen) => self.cursor = (self.cursor + 1).min(last),
            (_, Id::Up | Id::PreviousScreen) => self.cursor = self.cursor.saturating_sub(1),
            (_, Id::Top) => self.cursor = 0,
            (_, Id::Bottom) => self.cursor = last,
            (_, Id::Open) => return Some(Choice::Entry(self.cursor)),
            (Key::Esc, _) | (_, Id::Quit) => return Some(Choice::Leave),
            _ => {}
        }
        None
    }

    /// Takes a click on a line: the first moves the cursor there, a second one chooses.
    pub fn on_click(&mut self, line: usize) -> Option<Choice> {
        let Some(Line::Entry(at)) = self.lines().get(line).copied() else {
            return None;
        };
        if at == self.cursor {
            return Some(Choice::Entry(at));
        }
        self.cursor = at;
        None
    }
}

/// Shows the screen until something is chosen; the terminal is given back in every case.
///
/// # Errors
/// There is no terminal, it fails, or the theme is wrong.
pub fn run(start: Start, options: &Options) -> Result<Choice, Error> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Error::Start)?
        .block_on(serve(start, options))
}

async fn serve(mut start: Start, options: &Options) -> Result<Choice, Error> {
    let theme = options.theme()?;
    let mut signals = Signals::listen().map_err(Error::Start)?;
    let mut terminal = Terminal::take()?;
    let keys = Keys::listen().map_err(Error::Start)?;
    loop {
        terminal.draw(|frame| view::start(frame, &start, &theme))?;
        let event = tokio::select! {
            event = keys.next() => event.map_err(terminal::Error::Io)?,
            signal = signals.next() => {
                match signal {
                    Signal::End(number) => return Ok(Choice::Signal(number)),
                    Signal::Suspend => terminal.suspend()?,
                    Signal::Continue | Signal::Resize => terminal.clear()?,
                }
                continue;
            }
        };
        // Without an event the terminal is gone.
        let Some(event) = event else {
            return Ok(Choice::Leave);
        };
        let choice = match input::message(event) {
            Some(Message::Key(Key::Ctrl('z'))) => {
                terminal.suspend()?;
                None
            }
            Some(Message::Key(key)) => start.on_key(key),
            Some(Message::Click { y, .. }) => {
                let (_, height) = terminal.size()?;
                view::start_line(&start, height, y).and_then(|at| start.on_click(at))
            }
            Some(Message::Resize(_)) => {
                terminal.clear()?;
                None
            }
            _ => None,
        };
        if let Some(choice) = choice {
            return Ok(choice);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
    use super::*;

    fn start() -> Start {
        Start::new(vec![
            Entry::new(Group::Sessions, "acme.cutover", "in this folder"),
            Entry::new(Group::Begin, "Look around", "cutover demo"),
            Entry::new(Group::Begin, "Start", "cutover init"),
        ])
    }

    #[test]
    fn keys_choose_and_stop_at_the_ends() {
        let mut start = start();
        assert_eq!(start.on_key(Key::Up), None);
        assert_eq!(start.on_key(Key::Enter), Some(Choice::Entry(0)));
        for _ in 0..9 {
            assert_eq!(start.on_key(Key::Char('j')), None);
        }
        assert_eq!(start.on_key(Key::Enter), Some(Choice::Entry(2)));
        for key in [Key::Char('q'), Key::Esc, Key::Ctrl('c')] {
            assert_eq!(start.on_key(key), Some(Choice::Leave));
        }
        assert_eq!(start.on_key(Key::Char('a')), None, "nothing to attest here");
    }

    #[test]
    fn a_second_click_chooses() {
        let mut start = start();
        let lines = start.lines();
        let at = lines
            .iter()
            .position(|line| *line == Line::Entry(1))
            .unwrap();
        assert_eq!(lines[at - 1], Line::Heading(Group::Begin));
        assert_eq!(start.on_click(at - 1), None);
        assert_eq!(start.on_click(at), None);
        assert_eq!(start.on_click(at), Some(Choice::Entry(1)));
        assert_eq!(start.on_click(99), None);
    }
}
