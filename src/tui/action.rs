//! The one table of actions: id, keys, where each applies, its words.
//!
//! It feeds the key handler, the `:` palette, the `?` help, the key hints of every screen and the man page. What an
//! action does stands in `update`; a key is written nowhere else.

use std::fmt;

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
    Tokens,
    Log,
    Session,
    NextScreen,
    PreviousScreen,
    Open,
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

const LISTS: &[Scope] = &[Scope::Board, Scope::Tokens, Scope::Log];
const REPOS: &[Scope] = &[Scope::Board, Scope::Repo];
const ROWS: &[Scope] = &[Scope::Board, Scope::Tokens];
const SUBJECTS: &[Scope] = &[
    Scope::Board,
    Scope::Repo,
    Scope::Tokens,
    Scope::Token,
    Scope::Session,
];
const TOKENS: &[Scope] = &[Scope::Tokens, Scope::Token];

const fn row(
    id: Id,
    keys: &'static [Key],
    scopes: &'static [Scope],
    group: Group,
    word: &'static str,
    help: &'static str,
) -> Action {
    Action {
        id,
        keys,
        scopes,
        group,
        word,
        help,
        decides: matches!(group, Group::Decide) && !matches!(id, Id::ShowCommand),
    }
}

/// Every action of the console.
pub const ACTIONS: &[Action] = &[
    row(
        Id::Board,
        &[Key::Char('1')],
        &[],
        Group::Go,
        "board",
        "Shows every repository with its waves.",
    ),
    row(
        Id::Tokens,
        &[Key::Char('3')],
        &[],
        Group::Go,
        "tokens",
        "Shows every token with its chain and countdown.",
    ),
    row(
        Id::Log,
        &[Key::Char('6')],
        &[],
        Group::Go,
        "log",
        "Shows the events of the session, newest first.",
    ),
    row(
        Id::Session,
        &[Key::Char('0')],
        &[],
        Group::Go,
        "session",
        "Shows the session itself: its people, samples and own gates.",
    ),
    row(
        Id::NextScreen,
        &[Key::Tab],
        &[],
        Group::Go,
        "next screen",
        "Goes to the next screen.",
    ),
    row(
        Id::PreviousScreen,
        &[Key::BackTab],
        &[],
        Group::Go,
        "previous screen",
        "Goes to the previous screen.",
    ),
    row(
        Id::Open,
        &[Key::Enter],
        &[],
        Group::Go,
        "open",
        "Opens the page of the row; on a page, tells what the gate asks.",
    ),
    row(
        Id::Back,
        &[Key::Esc],
        &[],
        Group::Go,
        "back",
        "Closes what is open; then drops the choice of rows, then the filter.",
    ),
    row(
        Id::Down,
        &[Key::Char('j'), Key::Down],
        &[],
        Group::Move,
        "down",
        "Moves one row down.",
    ),
    row(
        Id::Up,
        &[Key::Char('k'), Key::Up],
        &[],
        Group::Move,
        "up",
        "Moves one row up.",
    ),
    row(
        Id::PageDown,
        &[Key::Ctrl('f'), Key::PageDown],
        &[],
        Group::Move,
        "page down",
        "Moves one screen down.",
    ),
    row(
        Id::PageUp,
        &[Key::Ctrl('b'), Key::PageUp],
        &[],
        Group::Move,
        "page up",
        "Moves one screen up.",
    ),
    row(
        Id::HalfDown,
        &[Key::Ctrl('d')],
        &[],
        Group::Move,
        "half page down",
        "Moves half a screen down.",
    ),
    row(
        Id::HalfUp,
        &[Key::Ctrl('u')],
        &[],
        Group::Move,
        "half page up",
        "Moves half a screen up.",
    ),
    row(
        Id::Top,
        &[Key::Char('<'), Key::Home],
        &[],
        Group::Move,
        "top",
        "Moves to the first row.",
    ),
    row(
        Id::Bottom,
        &[Key::Char('G'), Key::Char('>'), Key::End],
        &[],
        Group::Move,
        "bottom",
        "Moves to the last row.",
    ),
    row(
        Id::Choose,
        &[Key::Char(' ')],
        ROWS,
        Group::Move,
        "choose",
        "Adds the row to the choice or takes it out; decisions then go to all chosen rows.",
    ),
    row(
        Id::ChooseAll,
        &[Key::Char('*')],
        ROWS,
        Group::Move,
        "choose all",
        "Chooses every row that the filter shows, or none.",
    ),
    row(
        Id::Filter,
        &[Key::Char('/')],
        LISTS,
        Group::Find,
        "filter",
        "Types a filter, for example `lane:bridge wave<4 is:blocked`.",
    ),
    row(
        Id::Sort,
        &[Key::Char('s')],
        LISTS,
        Group::Find,
        "sort",
        "Sorts by the next column.",
    ),
    row(
        Id::SortReverse,
        &[Key::Char('S')],
        LISTS,
        Group::Find,
        "turn sort",
        "Turns the order around.",
    ),
    row(
        Id::Columns,
        &[Key::Char('c')],
        ROWS,
        Group::Find,
        "columns",
        "Chooses which columns are shown.",
    ),
    row(
        Id::Owner,
        &[Key::Char('O')],
        REPOS,
        Group::Decide,
        "owner",
        "Assigns the owner of the repository.",
    ),
    row(
        Id::Reviewer,
        &[Key::Char('R')],
        REPOS,
        Group::Decide,
        "reviewer",
        "Assigns the reviewer of the repository.",
    ),
    row(
        Id::Lane,
        &[Key::Char('L')],
        REPOS,
        Group::Decide,
        "lane",
        "Chooses the lane of the publish paths.",
    ),
    row(
        Id::EndDate,
        &[Key::Char('E')],
        REPOS,
        Group::Decide,
        "end date",
        "Sets the day on which a bridge or a manual path ends.",
    ),
    row(
        Id::Plan,
        &[Key::Char('v')],
        REPOS,
        Group::Decide,
        "validation",
        "Plans how a trust config is validated: release, canary or on demand.",
    ),
    row(
        Id::CarryOver,
        &[Key::Char('D')],
        REPOS,
        Group::Decide,
        "carry over",
        "Lets somebody take the paths on, with a day and a reason: an end state.",
    ),
    row(
        Id::Commander,
        &[Key::Char('C')],
        &[Scope::Session],
        Group::Decide,
        "commander",
        "Names the incident commander.",
    ),
    row(
        Id::SecondApprover,
        &[Key::Char('A')],
        &[Scope::Session],
        Group::Decide,
        "second approver",
        "Names the second approver.",
    ),
    row(
        Id::Representatives,
        &[Key::Char('A')],
        &[Scope::Board],
        Group::Decide,
        "sample of phase A",
        "Makes the chosen rows the representative subset of phase A.",
    ),
    row(
        Id::Canaries,
        &[Key::Char('K')],
        &[Scope::Board],
        Group::Decide,
        "canaries",
        "Makes the chosen rows the canaries of phase C.",
    ),
    row(
        Id::Attest,
        &[Key::Char('a')],
        SUBJECTS,
        Group::Decide,
        "attest",
        "Says that a gate holds, with a note and a link; drawn differently from passed.",
    ),
    row(
        Id::Waive,
        &[Key::Char('W')],
        SUBJECTS,
        Group::Decide,
        "waive",
        "Lets a gate be open until a day, with the reason.",
    ),
    row(
        Id::Edge,
        &[Key::Char('H')],
        &[Scope::Token],
        Group::Decide,
        "holds",
        "Says whether the secret under the cursor holds this token.",
    ),
    row(
        Id::FollowUp,
        &[Key::Char('f')],
        SUBJECTS,
        Group::Decide,
        "follow-up",
        "Dates what is to be done later.",
    ),
    row(
        Id::Note,
        &[Key::Char('n')],
        SUBJECTS,
        Group::Decide,
        "note",
        "Adds a note to what the row or page is about.",
    ),
    row(
        Id::Evidence,
        &[Key::Char('e')],
        SUBJECTS,
        Group::Decide,
        "evidence",
        "Attaches evidence: a text, an address, or the digest of a file.",
    ),
    row(
        Id::RecordRevocation,
        &[Key::Char('x')],
        TOKENS,
        Group::Decide,
        "record revocation",
        "Records that a token was revoked by hand; asks to type its name.",
    ),
    row(
        Id::Undo,
        &[Key::Char('u')],
        &[],
        Group::Decide,
        "undo",
        "Takes back your own last decision, by a new event.",
    ),
    row(
        Id::ShowCommand,
        &[Key::Char('y')],
        &[],
        Group::Decide,
        "same as command",
        "Shows the command that would do the same.",
    ),
    row(
        Id::Palette,
        &[Key::Char(':')],
        &[],
        Group::Program,
        "command",
        "Finds an action by its words.",
    ),
    row(
        Id::Help,
        &[Key::Char('?')],
        &[],
        Group::Program,
        "keys",
        "Shows the keys.",
    ),
    row(
        Id::NextTheme,
        &[Key::Char('T')],
        &[],
        Group::Program,
        "theme",
        "Goes to the next theme: dark, light, colour-blind-safe.",
    ),
    row(
        Id::Suspend,
        &[Key::Ctrl('z')],
        &[],
        Group::Program,
        "suspend",
        "Gives the terminal back to the shell until `fg`.",
    ),
    row(
        Id::Repaint,
        &[Key::Ctrl('l')],
        &[],
        Group::Program,
        "repaint",
        "Draws the whole screen again.",
    ),
    row(
        Id::Quit,
        &[Key::Char('q'), Key::Ctrl('c')],
        &[],
        Group::Program,
        "quit",
        "Leaves; everything decided is already on disk.",
    ),
];

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
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
    use super::*;

    const SCOPES: [Scope; 6] = [
        Scope::Board,
        Scope::Repo,
        Scope::Tokens,
        Scope::Token,
        Scope::Log,
        Scope::Session,
    ];

    #[test]
    fn a_key_means_one_thing_on_a_screen() {
        for scope in SCOPES {
            let mut seen = std::collections::BTreeMap::new();
            for action in ACTIONS.iter().filter(|action| action.applies(scope)) {
                for key in action.keys {
                    if let Some(other) = seen.insert(*key, action.id) {
                        panic!("{key} on {scope:?}: {other:?} and {:?}", action.id);
                    }
                }
            }
        }
    }

    #[test]
    fn ids_are_unique_and_words_are_complete() {
        for (index, action) in ACTIONS.iter().enumerate() {
            assert!(
                ACTIONS[index + 1..]
                    .iter()
                    .all(|other| other.id != action.id && other.word != action.word)
            );
            assert!(
                !action.keys.is_empty() && action.help.ends_with('.') && !action.word.is_empty()
            );
            assert_eq!(of(action.id).unwrap().word, action.word);
        }
    }

    #[test]
    fn keys_are_found_by_screen() {
        assert_eq!(
            on(Key::Char('x'), Scope::Tokens).unwrap().id,
            Id::RecordRevocation
        );
        assert!(on(Key::Char('x'), Scope::Board).is_none());
        assert_eq!(on(Key::Down, Scope::Log).unwrap().id, Id::Down);
    }

    #[test]
    fn the_palette_finds_by_fuzzy_words() {
        assert_eq!(search("revo", Scope::Tokens)[0].id, Id::RecordRevocation);
        assert_eq!(search("thm", Scope::Board)[0].id, Id::NextTheme);
        assert_eq!(search("wai", Scope::Board)[0].id, Id::Waive);
        assert!(search("zzzz", Scope::Board).is_empty());
        assert!(
            search("", Scope::Log)
                .iter()
                .all(|action| action.applies(Scope::Log))
        );
    }

    #[test]
    fn only_decisions_are_refused_when_reading() {
        assert!(of(Id::Attest).unwrap().decides && of(Id::Undo).unwrap().decides);
        assert!(!of(Id::ShowCommand).unwrap().decides && !of(Id::Sort).unwrap().decides);
    }
}
