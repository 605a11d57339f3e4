//! The one table of actions: id, keys, where each applies, its words.
//!
//! It feeds the key handler, the `:` palette, the `?` help, the key hints of every screen and the man page. What an
//! action does stands in `update`; a key is written nowhere else.

mod table;

use std::fmt;

pub use table::ACTIONS;

/// A key as the console knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    Char(char),
    Ctrl(char),
    Enter,
    Esc,
    Tab,
    BackTab,
    Up,
    Down,
    Left,
    Right,
    PageUp,
    PageDown,
    Home,
    End,
    Backspace,
    Delete,
}

impl fmt::Display for Key {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self {
            Self::Char(' ') => "space",
            Self::Char(letter) => return write!(out, "{letter}"),
            Self::Ctrl(letter) => return write!(out, "ctrl-{letter}"),
            Self::Enter => "enter",
            Self::Esc => "esc",
            Self::Tab => "tab",
            Self::BackTab => "shift-tab",
            Self::Up => "up",
            Self::Down => "down",
            Self::Left => "left",
            Self::Right => "right",
            Self::PageUp => "page-up",
            Self::PageDown => "page-down",
            Self::Home => "home",
            Self::End => "end",
            Self::Backspace => "backspace",
            Self::Delete => "delete",
        };
        out.write_str(word)
    }
}

/// A place where actions apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    Board,
    Repo,
    Pipelines,
    Packages,
    Package,
    Tokens,
    Token,
    Log,
    Session,
}

/// Which group of the help an action stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    Go,
    Move,
    Find,
    Decide,
    Program,
}

impl Group {
    /// All groups, in the order of the help.
    pub const ALL: [Self; 5] = [
        Self::Go,
        Self::Move,
        Self::Find,
        Self::Decide,
        Self::Program,
    ];

    /// The heading of the group.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Go => "Screens",
            Self::Move => "Moving",
            Self::Find => "Finding",
            Self::Decide => "Deciding",
            Self::Program => "Program",
        }
    }
}

/// What an action is, for `update`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Id {
    Board,
    Pipelines,
    Tokens,
    Packages,
    Log,
    Session,
    Powers,
    Connections,
    NextScreen,
    PreviousScreen,
    Open,
    Browse,
    Back,
    Up,
    Down,
    PageUp,
    PageDown,
    HalfUp,
    HalfDown,
    Top,
    Bottom,
    Choose,
    ChooseAll,
    Filter,
    Sort,
    SortReverse,
    Columns,
    Owner,
    Reviewer,
    Lane,
    AcceptProposals,
    EndDate,
    Plan,
    CarryOver,
    Commander,
    SecondApprover,
    Representatives,
    Canaries,
    Attest,
    Waive,
    Edge,
    FollowUp,
    Note,
    Evidence,
    RecordRevocation,
    ReadTrust,
    Undo,
    ShowCommand,
    Palette,
    Help,
    NextTheme,
    Suspend,
    Repaint,
    Quit,
}

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Action {
    pub id: Id,
    pub keys: &'static [Key],
    /// Where it applies; empty means everywhere.
    pub scopes: &'static [Scope],
    pub group: Group,
    /// One or two words, for hints and the palette.
    pub word: &'static str,
    /// One sentence, for the help and the man page.
    pub help: &'static str,
    /// True where it adds an event to the session: refused in read-only mode.
    pub decides: bool,
}

impl Action {
    /// True where the action applies on that screen.
    #[must_use]
    pub fn applies(&self, scope: Scope) -> bool {
        self.scopes.is_empty() || self.scopes.contains(&scope)
    }

    /// Its keys in words, as the help prints them.
    #[must_use]
    pub fn keys_text(&self) -> String {
        let keys: Vec<_> = self.keys.iter().map(ToString::to_string).collect();
        keys.join(", ")
    }
}

/// Finds the row of an id.
#[must_use]
pub fn of(id: Id) -> Option<&'static Action> {
    ACTIONS.iter().find(|action| action.id == id)
}

/// Finds what a key does on a screen.
#[must_use]
pub fn on(key: Key, scope: Scope) -> Option<&'static Action> {
    ACTIONS
        .iter()
        .find(|action| action.applies(scope) && action.keys.contains(&key))
}

/// The actions that apply on a screen, best match first for a typed query, in table order for an empty one.
#[must_use]
pub fn search(query: &str, scope: Scope) -> Vec<&'static Action> {
    use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
    let here = ACTIONS
        .iter()
        .filter(|action| action.applies(scope) && action.id != Id::Palette);
    if query.trim().is_empty() {
        return here.collect();
    }
    let mut matcher = nucleo_matcher::Matcher::new(nucleo_matcher::Config::DEFAULT);
    let pattern = Pattern::parse(query, CaseMatching::Ignore, Normalization::Smart);
    let mut buffer = Vec::new();
    let mut score = |text: &str| {
        pattern.score(
            nucleo_matcher::Utf32Str::new(text, &mut buffer),
            &mut matcher,
        )
    };
    let mut found: Vec<(u32, &Action)> = here
        .filter_map(|action| {
            // A hit in the words counts double: it is what the eye looks for.
            let word = score(action.word).map(|points| points * 2);
            word.max(score(action.help)).map(|points| (points, action))
        })
        .collect();
    found.sort_by_key(|(points, _)| std::cmp::Reverse(*points));
    found.into_iter().map(|(_, action)| action).collect()
}

#[cfg(test)]
mod tests;
