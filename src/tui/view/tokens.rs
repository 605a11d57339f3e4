//! The tokens: whose each is, what it may do, when it ends, and whether it can be revoked.

use ratatui::buffer::Buffer;

use super::board;
use super::table::{self, Cell, Pen};
use crate::model::clock::{Clock, ClockKind};
use crate::model::gate::State as Verdict;
use crate::tui::rows::tokens::{self as token, TokenRow};
use crate::tui::state::State;
use crate::tui::theme::{Glyph, Role, Theme};

/// Draws the list, or what to do where there is nothing in it.
pub fn draw(buffer: &mut Buffer, state: &State, theme: &Theme) {
    table::draw(buffer, state, &state.tokens, theme, |buffer, row, at| {
        cell(buffer, state, row, at, theme)
    });
    if let Some(row) = state.tokens.current() {
        let (verdict, why) = told(state, &row.chain);
        let chain = format!("{}: {why}", verdict.words());
        let words = match told(state, &row.gone) {
            // Of a token that is gone its chain only says where the dead value may still stand.
            (gone, how) if token::is_gone(row) && verdict.is_met() => {
                format!("revoked ({}): {how}", gone.words())
            }
            (gone, how) if token::is_gone(row) => {
                format!(
                    "revoked ({}): {how}; its chain is not complete, {why}",
                    gone.words()
                )
            }
            _ => chain,
        };
        let words = format!("{} of {}: {words}", row.name, row.account);
        table::detail(buffer, state, &words, theme);
    }
    let lines = [
        "No token is known yet.",
        "",
        "Each account lists its own: npm token list --json > rosa.json",
        "Then leave with q and add the list:",
        "  cutover import --tokens rosa=rosa.json",
    ];
    table::empty(buffer, state, &state.tokens, &lines, theme);
}

/// What a verdict is worth, and why.
fn told<'a>(state: &State, (verdict, why): &'a (Verdict, Box<str>)) -> (Verdict, &'a str) {
    match board::in_doubt(state, Some(*verdict)) {
        Some(doubted) if doubted != *verdict => (doubted, board::DAMAGED),
        _ => (*verdict, why),
    }
}

fn cell(buffer: &mut Buffer, state: &State, row: &TokenRow, at: Cell, theme: &Theme) {
    let life = token::life(row, state.now.0);
    let gone = life == "revoked";
    let plain = if gone { Role::Faint } else { Role::Text };
    if at.column == token::CLOCK {
        clock(buffer, state, row, gone, at, theme);
        return;
    }
    let mut pen = Pen::new(buffer, at, theme);
    match at.column {
        token::NAME => pen.say(&row.name, plain),
        token::ACCOUNT => pen.say(&row.account, plain),
        token::RIGHTS => pen.say(token::rights(row), plain),
        token::STATE if gone && state.in_doubt() => pen.say("unknown", Role::Unknown),
        token::STATE => pen.say(life, if gone { Role::Passed } else { plain }),
        token::SECRETS => pen.right(&row.secrets.to_string(), plain),
        token::RELEASED if row.holds == 0 => {
            pen.right(theme.glyphs.sign(Glyph::Dash), Role::Faint);
        }
        token::RELEASED => {
            let words = format!("{}/{}", row.released, row.holds);
            let all = row.released == row.holds;
            pen.right(&words, if all { Role::Passed } else { plain });
        }
        token::SAFE => {
            let (verdict, why) = told(state, if gone { &row.gone } else { &row.chain });
            let (glyph, role) = board::sign(Some(verdict));
            pen.sign(0, glyph, role);
            pen.after(2, why, role);
        }
        _ => {}
    }
}

fn clock(buffer: &mut Buffer, state: &State, row: &TokenRow, gone: bool, at: Cell, theme: &Theme) {
    // A token that is over has no clock any more: its end is shown.
    let over = row.expires.map(|ends| Clock {
        ends,
        kind: ClockKind::TokenExpiry,
        about: row.id,
    });
    match row.clock.or(over).filter(|_| !gone) {
        Some(clock) => {
            // Nearly every clock here is the token's own end: only another one is named.
            let named = clock.kind != ClockKind::TokenExpiry;
            board::countdown(buffer, (&clock, named), state, at, theme);
        }
        None => Pen::new(buffer, at, theme).dash(),
    }
}
