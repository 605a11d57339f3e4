//! What surrounds every screen: title with the January cut-off, screens, counts with the filter, and the foot.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Modifier, Style};
use unicode_width::UnicodeWidthStr;

use super::{counts, foot, link, put, time};
use crate::model::event::World;
use crate::tui::layout::{LEAST, TABS_AT};
use crate::tui::list::{Item, List};
use crate::tui::state::{State, Tab, with_list};
use crate::tui::theme::{Glyph, Role, Theme};

/// Line of the counts and the filter.
pub const COUNTS_AT: u16 = 2;

/// Cells of a screen's name in the line of screens.
#[must_use]
pub fn tab_width(title: &str) -> u16 {
    u16::try_from(title.width()).unwrap_or(0) + 4
}

/// Draws everything but the rows.
pub fn draw(buffer: &mut Buffer, state: &State, theme: &Theme) {
    title(buffer, state, theme);
    tabs(buffer, state, theme);
    if state.in_doubt() {
        alarm(buffer, state, theme);
    }
    if state.page.is_none() {
        counts_and_filter(buffer, state, theme);
    }
    foot::draw(buffer, state, theme);
}

/// Says what is needed where nothing can be drawn.
pub fn too_small(buffer: &mut Buffer, state: &State, theme: &Theme) {
    let words = format!(
        "The terminal is {} x {}: cutover needs {} x {}.",
        state.size.width, state.size.height, LEAST.width, LEAST.height
    );
    for (line, part) in (0..).zip(put::wrap(&words, state.size.width)) {
        put::text(
            buffer,
            (0, line),
            state.size.width,
            &part,
            theme.style(Role::Warning),
            theme.glyphs,
        );
    }
}

fn title(buffer: &mut Buffer, state: &State, theme: &Theme) {
    let (head, width) = (&state.snapshot.header, state.size.width);
    let (faint, warning) = (theme.style(Role::Faint), theme.style(Role::Warning));
    let mut left = put::pieces(
        buffer,
        (0, 0),
        width,
        &[("cutover  ", faint), (&head.name, theme.style(Role::Title))],
        theme.glyphs,
    );
    let exercise = match &state.settings.exercise {
        Some(how) => format!("TABLETOP {how}"),
        None => "TABLETOP".to_owned(),
    };
    for (shown, word, role) in [
        (
            head.world == World::Tabletop,
            exercise.as_str(),
            Role::Danger,
        ),
        (state.in_doubt(), "FILE DAMAGED", Role::Danger),
        (state.read_only().is_some(), "read-only", Role::Warning),
    ] {
        if shown {
            left += 2;
            left += put::text(
                buffer,
                (left, 0),
                width.saturating_sub(left),
                word,
                theme.style(role),
                theme.glyphs,
            );
        }
    }
    let room = width.saturating_sub(left + 2);
    let days = time::days_to(head.cutoff_earliest, state.now);
    // While npm has announced the month only, the count is a least, and never shows hours.
    let (left_days, long, short) = match crate::assets::policy().cutoff.day_announced {
        true => (format!("{days} d"), "", ""),
        false => (
            format!("{} {days} d", theme.glyphs.sign(Glyph::AtLeast)),
            " (day not announced)",
            " (not announced)",
        ),
    };
    let long = format!("bypass tokens stop publishing in {left_days}{long}");
    let short = format!("bypass tokens end in {left_days}{short}");
    let least = format!("tokens end in {left_days}");
    let fits = |words: &String| words.width() <= usize::from(room);
    let words = [long, short].into_iter().find(fits).unwrap_or(least);
    let style = if days < 14 {
        warning
    } else {
        theme.style(Role::Text)
    };
    put::right(buffer, (width - room, 0), room, &words, style, theme.glyphs);
}

/// Puts the whole top in the colour of danger: nothing below a damaged file may be taken for settled.
///
/// The screen that is open stays known by its underline.
fn alarm(buffer: &mut Buffer, state: &State, theme: &Theme) {
    let top = Rect {
        x: 0,
        y: 0,
        width: state.size.width,
        height: TABS_AT + 1,
    };
    let style = Style::reset().patch(theme.style(Role::Danger));
    buffer.set_style(top, style);
    let before = Tab::ALL.iter().take_while(|(tab, ..)| *tab != state.tab);
    let left: u16 = before.map(|(_, _, title)| tab_width(title)).sum();
    let open = Tab::ALL.iter().find(|(tab, ..)| *tab == state.tab);
    let width = open.map_or(0, |(_, _, title)| tab_width(title));
    let tab = Rect {
        x: left,
        y: TABS_AT,
        width: width.min(state.size.width.saturating_sub(left)),
        height: 1,
    };
    buffer.set_style(tab, Style::new().add_modifier(Modifier::UNDERLINED));
}

fn tabs(buffer: &mut Buffer, state: &State, theme: &Theme) {
    let mut left = 0;
    for (tab, number, title) in Tab::ALL {
        let width = tab_width(title);
        let style = if tab == state.tab {
            theme.style(Role::Tab)
        } else {
            theme.style(Role::Text)
        };
        buffer.set_style(
            Rect {
                x: left,
                y: TABS_AT,
                width: width.min(state.size.width - left),
                height: 1,
            },
            style,
        );
        let key = if tab == state.tab {
            style
        } else {
            theme.style(Role::Key)
        };
        let number = format!(" {number} ");
        put::pieces(
            buffer,
            (left, TABS_AT),
            width,
            &[(&number, key), (title, style), (" ", style)],
            theme.glyphs,
        );
        left += width;
    }
    let head = &state.snapshot.header;
    let first = head.damage.as_ref().or(head.notices.first());
    if let Some(first) = first {
        let more = match head.notices.iter().filter(|one| *one != first).count() {
            0 => String::new(),
            more => format!("  (+{more} more)"),
        };
        let room = state.size.width.saturating_sub(left + 2);
        let words = format!("{first}{more}");
        put::right(
            buffer,
            (left + 2, TABS_AT),
            room,
            &words,
            theme.style(Role::Warning),
            theme.glyphs,
        );
        return;
    }
    connections(buffer, state, left + 2, theme);
}

/// Writes as many pieces as fit, from the right edge; the most pressing is never left out.
fn connections(buffer: &mut Buffer, state: &State, left: u16, theme: &Theme) {
    let pieces = link::pieces(&state.snapshot.live, state.now);
    let room = usize::from(state.size.width.saturating_sub(left));
    let mut taken = 0;
    let fitting: Vec<&link::Piece> = pieces
        .iter()
        .enumerate()
        .filter(|(at, piece)| {
            let cells = piece.words.width() + 3;
            let fits = *at == 0 || taken + cells <= room;
            taken += if fits { cells } else { 0 };
            fits
        })
        .map(|(_, piece)| piece)
        .collect();
    let all: usize = fitting.iter().map(|piece| piece.words.width() + 3).sum();
    let mut x = left + u16::try_from(room.saturating_sub(all.saturating_sub(3))).unwrap_or(0);
    for piece in fitting {
        let width = state.size.width.saturating_sub(x);
        let style = theme.style(piece.role);
        x += put::text(
            buffer,
            (x, TABS_AT),
            width,
            &piece.words,
            style,
            theme.glyphs,
        ) + 3;
    }
}

fn counts_and_filter(buffer: &mut Buffer, state: &State, theme: &Theme) {
    counts::draw(buffer, state, counts_room(state), theme);
    if filter_shown(state) {
        let left = filter_left(state);
        with_list!(state, list => filter_line(buffer, state, list, left, theme));
    }
}

/// Cells that the filter leaves to the counts.
pub fn counts_room(state: &State) -> u16 {
    match (filter_shown(state), state.size.wide()) {
        (false, _) => state.size.width,
        (true, true) => filter_left(state).saturating_sub(2),
        (true, false) => 0,
    }
}

/// True where the line shows the filter: while typing, and as long as it holds rows back or is not understood.
fn filter_shown(state: &State) -> bool {
    state.filtering || !state.filter_input().value().is_empty()
}

/// First cell of the filter: beside the counts where there is room, else in their place.
fn filter_left(state: &State) -> u16 {
    if state.size.wide() {
        state.size.width / 2
    } else {
        0
    }
}

/// Cells of the filter's text; the rest of the line counts rows or says what is wrong.
fn filter_room(state: &State) -> u16 {
    let all = state.size.width.saturating_sub(filter_left(state) + 2);
    all.saturating_sub(all * 2 / 5)
}

fn filter_line<R: Item>(
    buffer: &mut Buffer,
    state: &State,
    list: &List<R>,
    left: u16,
    theme: &Theme,
) {
    put::text(
        buffer,
        (left, COUNTS_AT),
        2,
        "/ ",
        theme.style(Role::Key),
        theme.glyphs,
    );
    let room = filter_room(state);
    put::input(
        buffer,
        (left + 2, COUNTS_AT),
        room,
        &list.input,
        theme.style(Role::Input),
        theme.glyphs,
    );
    let after = left + 2 + room + 1;
    let rest = state.size.width.saturating_sub(after);
    if let Some(error) = &list.error {
        put::text(
            buffer,
            (after, COUNTS_AT),
            rest,
            &error.to_string(),
            theme.style(Role::Warning),
            theme.glyphs,
        );
    } else {
        let (shown, all, _) = list.counts();
        let words = format!("{shown} of {all}");
        put::text(
            buffer,
            (after, COUNTS_AT),
            rest,
            &words,
            theme.style(Role::Faint),
            theme.glyphs,
        );
    }
}

/// Where the terminal's cursor stands while a filter is typed.
pub fn input_cursor(state: &State) -> Option<Position> {
    if !state.filtering || state.page.is_some() {
        return None;
    }
    let mut scratch = Buffer::empty(Rect {
        x: 0,
        y: 0,
        width: state.size.width,
        height: COUNTS_AT + 1,
    });
    let glyphs = crate::tui::theme::Glyphs::Ascii;
    let at = (filter_left(state) + 2, COUNTS_AT);
    Some(put::input(
        &mut scratch,
        at,
        filter_room(state),
        state.filter_input(),
        Style::new(),
        glyphs,
    ))
}
