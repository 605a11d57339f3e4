//! The line of counts: repositories, end states, what presses, and at its right edge what ends first.

use ratatui::buffer::Buffer;
use unicode_width::UnicodeWidthStr;

use super::frame::{COUNTS_AT, counts_room};
use super::{put, time};
use crate::model::clock::Clock;
use crate::model::outcome::EndState;
use crate::safe::shown::counted;
use crate::tui::state::{State, with_list};
use crate::tui::theme::{Glyph, Role, Theme};

/// Cells of what is left of a clock, at most.
const LEFT: u16 = 8;
/// Cells between two counts.
const GAP: u16 = 2;

/// Draws the line into so many cells.
pub fn draw(buffer: &mut Buffer, state: &State, room: u16, theme: &Theme) {
    let mut left = 0;
    for (words, role) in pieces(state) {
        let cells = width(&words);
        if left + cells > room {
            let more = theme.glyphs.sign(Glyph::More);
            let style = theme.style(Role::Faint);
            let room = room.saturating_sub(left);
            put::text(buffer, (left, COUNTS_AT), room, more, style, theme.glyphs);
            break;
        }
        let style = theme.style(role);
        put::text(
            buffer,
            (left, COUNTS_AT),
            cells,
            &words,
            style,
            theme.glyphs,
        );
        left += cells + GAP;
    }
    if let Some((clock, words)) = soonest(state, room) {
        let role = match time::left(clock, state.now).1 {
            time::Press::Calm => Role::Faint,
            time::Press::Soon | time::Press::Over => Role::Warning,
        };
        let style = theme.style(role);
        put::right(
            buffer,
            (left, COUNTS_AT),
            room - left,
            &words,
            style,
            theme.glyphs,
        );
    }
}

/// The clock that the line shows, if it has room for it: the line changes when its words do.
pub fn shown_clock(state: &State) -> Option<&Clock> {
    soonest(state, counts_room(state)).map(|(clock, _)| clock)
}

/// What ends first, while it has not ended and where it fits beside the counts: however long its words are now, so that
/// it neither comes nor goes with them.
fn soonest(state: &State, room: u16) -> Option<(&Clock, String)> {
    let (clock, whose) = state.snapshot.header.soonest.as_ref()?;
    if clock.ends <= state.now {
        return None;
    }
    let before = format!("next expiry: {whose}, {} ", clock.kind.word());
    let pieces = pieces(state);
    let counts: u16 = pieces.iter().map(|(words, _)| width(words) + GAP).sum();
    let cells = counts.saturating_add(width(&before)).saturating_add(LEFT);
    (cells <= room).then(|| (clock, before + &time::left(clock, state.now).0))
}

fn pieces(state: &State) -> Vec<(String, Role)> {
    let head = &state.snapshot.header;
    let mut all = vec![(counted(head.repos, "repo"), Role::Title)];
    let chosen = with_list!(state, list => list.counts().2);
    if chosen > 0 {
        all.push((format!("{chosen} chosen"), Role::Chosen));
    }
    if head.paths > 0 {
        all.push((counted(head.paths, "path"), Role::Text));
    }
    let doubted = if state.in_doubt() {
        head.paths - head.ends.of(EndState::Open)
    } else {
        0
    };
    if doubted > 0 {
        all.push((format!("unknown {doubted}"), Role::Unknown));
    }
    for (end, count, said) in head.ends.some() {
        if doubted > 0 && end != EndState::Open {
            continue;
        }
        all.push(match said {
            0 => (format!("{} {count}", end.words()), Role::Text),
            said => {
                let words = format!("{} {count} ({said} attested)", end.words());
                (words, Role::Attested)
            }
        });
    }
    let live = &state.snapshot.live;
    let pressing = [
        (
            format!("failing {}", live.failing.len()),
            live.failing.len(),
            Role::Blocked,
        ),
        (
            format!("running {}", live.running),
            live.running,
            Role::Text,
        ),
        (
            counted(head.exposed, "live token"),
            head.exposed,
            Role::Warning,
        ),
        (
            format!("blocked {}", head.blocked),
            head.blocked,
            Role::Blocked,
        ),
        (
            format!("contested {}", head.contested),
            head.contested,
            Role::Blocked,
        ),
        (format!("mine {}", head.mine), head.mine, Role::Text),
        (
            format!("lists owed {}", head.owed),
            head.owed,
            Role::Warning,
        ),
    ];
    let some = pressing.into_iter().filter(|(_, count, _)| *count > 0);
    all.extend(some.map(|(words, _, role)| (words, role)));
    all
}

fn width(words: &str) -> u16 {
    u16::try_from(words.width()).unwrap_or(u16::MAX)
}
