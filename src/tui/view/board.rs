//! The board: every repository with its lane, the six waves, the soonest clock and the next step.

use std::borrow::Cow;

use ratatui::buffer::Buffer;
use unicode_width::UnicodeWidthStr;

use super::table::{self, Cell};
use super::{put, time};
use crate::model::clock::Clock;
use crate::model::gate::State as Verdict;
use crate::session::judge::Counts;
use crate::tui::rows::board::{self, Row};
use crate::tui::state::State;
use crate::tui::theme::{Glyph, Role, Theme};

/// Why nothing that was met is sure.
pub const DAMAGED: &str = "unknown: the file is damaged";

/// Width from which the next step names its place.
const NEXT_IN_FULL: u16 = 36;

/// Draws the list, or what to do where there is nothing in it.
pub fn draw(buffer: &mut Buffer, state: &State, theme: &Theme) {
    table::draw(buffer, state, &state.board, theme, |buffer, row, at| {
        cell(buffer, state, row, at, theme)
    });
    if let Some(row) = state.board.current() {
        let done = if state.in_doubt() { DAMAGED } else { "done" };
        let next = row
            .next
            .as_ref()
            .map(|(_, _, words)| words)
            .or(row.waits.as_ref())
            .map_or(done, |words| words);
        let contested = if row.contested {
            "contested, two people decided differently: decide again; "
        } else {
            ""
        };
        let failing = state.snapshot.live.failing.get(&row.id);
        let failing = failing.map_or_else(String::new, |why| format!("{why}; then: "));
        let words = format!("{}: {contested}{failing}{next}", row.name);
        table::detail(buffer, state, &words, theme);
    }
    let lines = [
        "No repository yet.",
        "",
        "Add some: leave with q, then",
        "  cutover import --scan PATH        reads the CI files below a folder",
        "  cutover import --inventory FILE   reads a list: CSV, TOML, JSON or YAML",
    ];
    table::empty(buffer, state, &state.board, &lines, theme);
}

fn cell(buffer: &mut Buffer, state: &State, row: &Row, at: Cell, theme: &Theme) {
    let place = (at.x, at.y);
    let mut say = |words: &str, role: Role| {
        put::text(
            buffer,
            place,
            at.width,
            words,
            theme.style(role),
            theme.glyphs,
        );
    };
    match at.column {
        board::REPO => {
            say(&short_name(&row.name, at.width, theme), Role::Text);
            if row.contested {
                contested(buffer, at, theme);
            }
        }
        board::OWNER => person(&mut say, row.owner.as_deref(), theme),
        board::REVIEWER => person(&mut say, row.reviewer.as_deref(), theme),
        board::LANE if row.lane_word().is_empty() => {
            say(theme.glyphs.sign(Glyph::Dash), Role::Faint)
        }
        board::LANE => say(row.lane_word(), Role::Text),
        board::WAVES => waves(buffer, state, row, at, theme),
        board::RUNS => runs(buffer, state, row, at, theme),
        board::STATE if board::has_end(row) && state.in_doubt() => say(DAMAGED, Role::Unknown),
        board::STATE => say(
            &board::end_words(row),
            if board::is_done(row) && board::is_by_word(row) {
                Role::Attested
            } else if board::is_done(row) {
                Role::Passed
            } else {
                Role::Text
            },
        ),
        board::CLOCK => {
            if let Some(clock) = &row.clock {
                countdown(buffer, (clock, true), state, at, theme);
            }
        }
        board::PATHS => put::right(
            buffer,
            place,
            at.width,
            &row.paths.to_string(),
            theme.style(Role::Text),
            theme.glyphs,
        ),
        board::PACKAGES => {
            put::right(
                buffer,
                place,
                at.width,
                &row.packages.to_string(),
                theme.style(Role::Text),
                theme.glyphs,
            );
        }
        board::NEXT => match (&row.next, state.snapshot.live.failing.get(&row.id)) {
            // A release that fails now comes before what is to be decided.
            (_, Some(why)) => say(why, Role::Blocked),
            (Some((gate, verdict, words)), None) => {
                // Where there is no room for the place, what to do comes first; the line above the foot has both.
                let words = if at.width < NEXT_IN_FULL {
                    gate.spec().next
                } else {
                    words
                };
                let blocked = *verdict == Verdict::Blocked;
                say(words, if blocked { Role::Blocked } else { Role::Text });
            }
            (None, None) => match &row.waits {
                Some(words) => say(words, Role::Faint),
                None if state.in_doubt() => say(DAMAGED, Role::Unknown),
                None => say("done", Role::Passed),
            },
        },
        _ => {}
    }
}

/// A name that does not fit gives up its owner first: rows of one organisation differ at the end.
fn short_name<'a>(name: &'a str, width: u16, theme: &Theme) -> Cow<'a, str> {
    match name.split_once('/') {
        Some((_, rest)) if name.width() > usize::from(width) => {
            format!("{}/{rest}", theme.glyphs.sign(Glyph::More)).into()
        }
        _ => name.into(),
    }
}

/// Marks a row in the blank before its name, which no width takes away: two decisions stand against each other.
fn contested(buffer: &mut Buffer, at: Cell, theme: &Theme) {
    put::text(
        buffer,
        (at.x.saturating_sub(1), at.y),
        1,
        theme.glyphs.sign(Glyph::Contested),
        theme.style(Role::Blocked),
        theme.glyphs,
    );
}

fn person(say: &mut impl FnMut(&str, Role), login: Option<&str>, theme: &Theme) {
    match login {
        Some(login) => say(login, Role::Text),
        None => say(theme.glyphs.sign(Glyph::Dash), Role::Faint),
    }
}

fn waves(buffer: &mut Buffer, state: &State, row: &Row, at: Cell, theme: &Theme) {
    // Blocked is what is in the way of the next step: in a later wave the same verdict only says what is still to do.
    let ahead = row
        .next
        .as_ref()
        .map(|(gate, ..)| usize::from(gate.spec().wave));
    for ((wave, counts), x) in row
        .waves
        .iter()
        .enumerate()
        .zip((at.x..).step_by(2))
        .take(6)
    {
        let (glyph, role) = match wave_sign(state, counts) {
            (Glyph::Blocked, _) if ahead.is_some_and(|ahead| wave > ahead) => {
                (Glyph::Later, Role::Faint)
            }
            sign => sign,
        };
        put::text(
            buffer,
            (x, at.y),
            1,
            theme.glyphs.sign(glyph),
            theme.style(role),
            theme.glyphs,
        );
    }
}

/// The last runs, oldest first; a dash where none was looked at.
fn runs(buffer: &mut Buffer, state: &State, row: &Row, at: Cell, theme: &Theme) {
    let spark = state.snapshot.live.sparks.get(&row.id);
    let known = spark.into_iter().flat_map(|spark| spark.0).flatten();
    let mut known = known.map(super::pipelines::sign).peekable();
    if known.peek().is_none() {
        let dash = theme.glyphs.sign(Glyph::Dash);
        let faint = theme.style(Role::Faint);
        put::text(buffer, (at.x, at.y), at.width, dash, faint, theme.glyphs);
    }
    for ((glyph, role), x) in known.zip(at.x..at.x.saturating_add(at.width)) {
        let sign = theme.glyphs.sign(glyph);
        put::text(buffer, (x, at.y), 1, sign, theme.style(role), theme.glyphs);
    }
}

/// The sign of a wave: what holds it up, else how far it is; a wave that is met shows its weakest proof.
fn wave_sign(state: &State, counts: &Counts) -> (Glyph, Role) {
    let open = counts.met() < counts.total();
    if open && counts.blocked == 0 && counts.could_not == 0 && counts.met() > 0 {
        (Glyph::Partly, Role::Partly)
    } else {
        sign(in_doubt(state, counts.worst()))
    }
}

/// What a verdict is worth: of a damaged file nobody knows whether what it shows as met is.
pub fn in_doubt(state: &State, verdict: Option<Verdict>) -> Option<Verdict> {
    match verdict {
        Some(Verdict::Passed | Verdict::Attested | Verdict::Waived) if state.in_doubt() => {
            Some(Verdict::CouldNotLook)
        }
        known => known,
    }
}

/// The sign of a verdict, and what its colour means; none is not applicable.
pub fn sign(verdict: Option<Verdict>) -> (Glyph, Role) {
    match verdict {
        Some(Verdict::Passed) => (Glyph::Passed, Role::Passed),
        Some(Verdict::Attested) => (Glyph::Attested, Role::Attested),
        Some(Verdict::Waived) => (Glyph::Waived, Role::Waived),
        Some(Verdict::NotLooked) => (Glyph::NotLooked, Role::Faint),
        Some(Verdict::CouldNotLook) => (Glyph::CouldNotLook, Role::Unknown),
        Some(Verdict::Blocked) => (Glyph::Blocked, Role::Blocked),
        Some(Verdict::NotApplicable) | None => (Glyph::NotApplicable, Role::Faint),
    }
}

/// Writes what is left of a clock, and before it what it counts if that is wanted and fits.
pub fn countdown(
    buffer: &mut Buffer,
    (clock, named): (&Clock, bool),
    state: &State,
    at: Cell,
    theme: &Theme,
) {
    let (left, press) = time::left(clock, state.now);
    let (role, mark) = match press {
        time::Press::Calm => (Role::Text, ""),
        time::Press::Soon => (Role::Warning, " !"),
        time::Press::Over => (Role::Blocked, " !"),
    };
    let full = format!("{} {left}{mark}", clock.kind.word());
    let short = format!("{left}{mark}");
    let words = if named && full.chars().count() <= usize::from(at.width) {
        full
    } else {
        short
    };
    put::text(
        buffer,
        (at.x, at.y),
        at.width,
        &words,
        theme.style(role),
        theme.glyphs,
    );
}
