//! The keys of the screen underneath, from the action table, with the signs and the words of the filter.

use ratatui::buffer::Buffer;
use ratatui::layout::Position;

use super::{board, packages, put};
use crate::model::fact::HowFact;
use crate::model::gate::State as Verdict;
use crate::tui::action::{ACTIONS, Group, Scope};
use crate::tui::filter::Word;
use crate::tui::state::{State, with_list};
use crate::tui::theme::{Glyph, Role, Theme};

/// Cells of the keys.
const KEYS: u16 = 19;
/// Cells of the panel where there is room.
const WIDTH: u16 = 104;

/// Every verdict with its words.
const SIGNS: [(Verdict, &str); 7] = [
    (Verdict::Passed, "passed: the program looked and it holds"),
    (Verdict::Attested, "attested: a person said that it holds"),
    (Verdict::NotLooked, "not looked yet"),
    (
        Verdict::CouldNotLook,
        "could not look: the reason stands beside it",
    ),
    (
        Verdict::Blocked,
        "blocked: it does not hold, and is in the way of the next step",
    ),
    (Verdict::Waived, "waived: may stay open until a day"),
    (Verdict::NotApplicable, "not applicable here"),
];

/// How a version came out, with its words.
const HOWS: [(HowFact, &str); 6] = [
    (HowFact::Oidc, "by OIDC"),
    (HowFact::Staged, "staged, and approved by a person"),
    (HowFact::Attested, "a person said how"),
    (HowFact::MatchedRun, "by a CI run, with a token"),
    (
        HowFact::Unmatched,
        "by nobody that is known: no CI run fits",
    ),
    (HowFact::NotTold, "the registry does not tell"),
];

enum Row {
    Title(&'static str),
    Key(String, String),
    Sign(Glyph, Role, &'static str),
    Words(String),
    Blank,
}

/// Draws the panel.
pub fn draw(buffer: &mut Buffer, state: &State, top: usize, theme: &Theme) -> Option<Position> {
    let rows = rows(state);
    let width = put::panel_width(buffer.area.width, WIDTH);
    let height = u16::try_from(rows.len())
        .unwrap_or(u16::MAX)
        .saturating_add(4);
    let inside = put::panel(buffer, width, height, "Keys", theme, Role::Border);
    let fit = usize::from(inside.height.saturating_sub(2));
    let last = rows.len().saturating_sub(fit);
    let top = top.min(last);
    for (y, row) in (inside.y..).zip(rows.iter().skip(top).take(fit)) {
        draw_row(buffer, row, (inside.x, y), inside.width, theme);
    }
    let foot = inside.y + inside.height.saturating_sub(1);
    put::keys(
        buffer,
        (inside.x, foot),
        inside.width,
        &[("esc", "close"), ("up/down", "scroll")],
        theme,
    );
    if last > 0 {
        let words = format!("{} of {}", top + fit.min(rows.len()), rows.len());
        put::right(
            buffer,
            (inside.x, foot),
            inside.width,
            &words,
            theme.style(Role::Faint),
            theme.glyphs,
        );
    }
    None
}

/// The furthest line that the panel can begin with.
pub fn last_top(state: &State) -> usize {
    put::last_top(rows(state).len(), state.size)
}

/// The lines of the help, wrapped for the width of the screen.
fn rows(state: &State) -> Vec<Row> {
    let width = put::panel_width(state.size.width, WIDTH).saturating_sub(4);
    let all = contents(state).into_iter();
    all.flat_map(|row| wrapped(row, width)).collect()
}

fn wrapped(row: Row, width: u16) -> Vec<Row> {
    match row {
        Row::Key(keys, help) => {
            let lines = put::wrap(&help, width.saturating_sub(2 + KEYS)).into_iter();
            let keys = std::iter::once(keys).chain(std::iter::repeat(String::new()));
            keys.zip(lines)
                .map(|(keys, line)| Row::Key(keys, line))
                .collect()
        }
        Row::Words(words) => {
            let lines = put::wrap(&words, width.saturating_sub(4)).into_iter();
            let indents = std::iter::once("").chain(std::iter::repeat("  "));
            indents
                .zip(lines)
                .map(|(indent, line)| Row::Words(format!("{indent}{line}")))
                .collect()
        }
        row => vec![row],
    }
}

fn contents(state: &State) -> Vec<Row> {
    let scope = state.scope();
    let mut rows = Vec::new();
    for group in Group::ALL {
        rows.push(Row::Title(group.title()));
        let here = ACTIONS
            .iter()
            .filter(|action| action.group == group && action.applies(scope));
        rows.extend(here.map(|action| Row::Key(action.keys_text(), action.help.to_owned())));
        rows.push(Row::Blank);
    }
    rows.push(Row::Title("In a form"));
    for (keys, help) in [
        (
            "tab, shift-tab",
            "Goes to the next or the previous field; completes the text.",
        ),
        ("up, down", "Moves in the list of a field."),
        (
            "enter",
            "Goes on; on the last field it writes the decision.",
        ),
        ("ctrl-s", "Writes the decision from any field."),
        ("esc", "Closes; the draft is kept."),
    ] {
        rows.push(Row::Key(keys.to_owned(), help.to_owned()));
    }
    rows.push(Row::Blank);
    rows.push(Row::Title("Signs"));
    for (verdict, words) in SIGNS {
        let (glyph, role) = board::sign(Some(verdict));
        rows.push(Row::Sign(glyph, role, words));
    }
    rows.push(Row::Sign(
        Glyph::Later,
        Role::Faint,
        "does not hold yet, and is in a later wave than the next step",
    ));
    rows.push(Row::Sign(
        Glyph::Partly,
        Role::Partly,
        "in part: some gates of the wave are met, none is blocked",
    ));
    rows.push(Row::Sign(
        Glyph::Contested,
        Role::Blocked,
        "contested: two people decided differently; decide again to settle it",
    ));
    if matches!(scope, Scope::Packages) {
        rows.push(Row::Blank);
        rows.push(Row::Title("Published by, the last five versions"));
        rows.extend(HOWS.map(|(how, words)| {
            let (glyph, role) = packages::how_sign(how);
            Row::Sign(glyph, role, words)
        }));
    }
    rows.push(Row::Blank);
    rows.push(Row::Title("Filter"));
    let words: &[Word] = with_list!(state, list => list.words());
    for word in words {
        rows.push(Row::Words(word_help(word)));
    }
    rows.push(Row::Words(
        "Other words are looked for in the row; - before a word turns it around; , is or."
            .to_owned(),
    ));
    rows
}

fn word_help(word: &Word) -> String {
    use crate::tui::filter::Kind;
    let key = word.key;
    match word.kind {
        Kind::Text => format!("{key}:part  {key}=all"),
        Kind::Number => format!("{key}:3  {key}<4"),
        Kind::Duration => format!("{key}<48h  {key}<7d"),
        Kind::OneOf(all) => format!("{key}: {}", all.join(" ")),
    }
}

fn draw_row(buffer: &mut Buffer, row: &Row, at: (u16, u16), width: u16, theme: &Theme) {
    let (x, y) = at;
    let after = (x + 2 + KEYS, y);
    let rest = width.saturating_sub(2 + KEYS);
    match row {
        Row::Title(title) => {
            put::text(
                buffer,
                at,
                width,
                title,
                theme.style(Role::Heading),
                theme.glyphs,
            );
        }
        Row::Key(keys, help) => {
            put::text(
                buffer,
                (x + 2, y),
                KEYS - 1,
                keys,
                theme.style(Role::Key),
                theme.glyphs,
            );
            put::text(
                buffer,
                after,
                rest,
                help,
                theme.style(Role::Text),
                theme.glyphs,
            );
        }
        Row::Sign(glyph, role, words) => {
            put::text(
                buffer,
                (x + 2, y),
                1,
                theme.glyphs.sign(*glyph),
                theme.style(*role),
                theme.glyphs,
            );
            put::text(
                buffer,
                (x + 5, y),
                width.saturating_sub(5),
                words,
                theme.style(Role::Text),
                theme.glyphs,
            );
        }
        Row::Words(words) => {
            put::text(
                buffer,
                (x + 2, y),
                width.saturating_sub(2),
                words,
                theme.style(Role::Text),
                theme.glyphs,
            );
        }
        Row::Blank => {}
    }
}
