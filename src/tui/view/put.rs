//! Putting text into cells: every text goes through here, has what is hidden made visible, is cut to its width and
//! marked where cut. Pictures hold text that was made visible already: its escapes stay as they are.
//!
//! The one way from a string to the buffer: a foreign escape cannot reach the terminal past it.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::widgets::{Block, Clear, Widget};
use tui_input::Input;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::safe::shown::{COLUMNS, visible, visible_again};
use crate::tui::layout::Size;
use crate::tui::theme::{Glyph, Glyphs, Role, Theme};

/// Columns of a text that is wrapped; the rest is cut.
const LONGEST: usize = 4_000;

/// Writes text into `width` cells of one line and gives the cells used. What does not fit ends in the sign for more.
pub fn text(
    buffer: &mut Buffer,
    at: (u16, u16),
    width: u16,
    text: &str,
    style: Style,
    glyphs: Glyphs,
) -> u16 {
    let (x, y) = at;
    let shown = visible_again(text, COLUMNS);
    let area = buffer.area;
    if y >= area.bottom() || x >= area.right() || width == 0 {
        return 0;
    }
    let width = width.min(area.right() - x);
    let cells = shown.width();
    if cells <= usize::from(width) {
        buffer.set_stringn(x, y, &*shown, usize::from(width), style);
        return u16::try_from(cells).unwrap_or(width);
    }
    let (end, _) = buffer.set_stringn(x, y, &*shown, usize::from(width - 1), style);
    // A wide letter that did not fit leaves a cell free.
    let end = end.min(x + width - 1);
    buffer.set_stringn(end, y, glyphs.sign(Glyph::More), 1, style);
    width
}

/// Writes text that ends at the right edge of its cells.
pub fn right(
    buffer: &mut Buffer,
    at: (u16, u16),
    width: u16,
    words: &str,
    style: Style,
    glyphs: Glyphs,
) {
    let cells = u16::try_from(visible_again(words, COLUMNS).width())
        .unwrap_or(u16::MAX)
        .min(width);
    text(
        buffer,
        (at.0 + width - cells, at.1),
        cells,
        words,
        style,
        glyphs,
    );
}

/// Writes pieces one after the other, each in its own style, and gives the cell after the last.
pub fn pieces(
    buffer: &mut Buffer,
    at: (u16, u16),
    width: u16,
    all: &[(&str, Style)],
    glyphs: Glyphs,
) -> u16 {
    let mut used = 0;
    for (words, style) in all {
        used += text(
            buffer,
            (at.0 + used, at.1),
            width - used,
            words,
            *style,
            glyphs,
        );
        if used >= width {
            break;
        }
    }
    at.0 + used
}

/// Breaks text into lines of at most `width` cells, at blanks where it can.
pub fn wrap(words: &str, width: u16) -> Vec<String> {
    let width = usize::from(width.max(1));
    let shown = visible_again(words, LONGEST);
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in shown.split_inclusive(' ') {
        let cells = word.trim_end().width();
        if used > 0 && used + cells > width {
            lines.push(String::new());
            used = 0;
        }
        for letter in word.chars() {
            let cells = letter.width().unwrap_or(0);
            if used + cells > width {
                if letter == ' ' {
                    continue;
                }
                lines.push(String::new());
                used = 0;
            }
            if let Some(line) = lines.last_mut() {
                line.push(letter);
            }
            used += cells;
        }
    }
    lines
}

/// Draws an input line, scrolled so that its cursor is seen, and gives where that stands.
pub fn input(
    buffer: &mut Buffer,
    at: (u16, u16),
    width: u16,
    input: &Input,
    style: Style,
    glyphs: Glyphs,
) -> Position {
    let room = usize::from(width.saturating_sub(1));
    let shown = visible(input.value());
    // Where signs had to be made visible the cells no longer match the letters: the end is shown.
    let (scroll, cursor) = if shown == input.value() {
        let scroll = input.visual_scroll(room);
        (scroll, input.visual_cursor().saturating_sub(scroll))
    } else {
        let cells = shown.width();
        (cells.saturating_sub(room), cells.min(room))
    };
    let rest = skip_cells(&shown, scroll);
    text(buffer, at, width, rest, style, glyphs);
    Position::new(
        at.0 + u16::try_from(cursor)
            .unwrap_or(width)
            .min(width.saturating_sub(1)),
        at.1,
    )
}

fn skip_cells(words: &str, cells: usize) -> &str {
    let mut left = cells;
    for (at, letter) in words.char_indices() {
        if left == 0 {
            return words.get(at..).unwrap_or_default();
        }
        left = left.saturating_sub(letter.width().unwrap_or(0));
    }
    if left == 0 && cells > 0 { "" } else { words }
}

/// The width that a panel gets: all of a narrow screen, since a few cells of it at the sides would only be noise.
pub fn panel_width(screen: u16, wanted: u16) -> u16 {
    if screen < wanted.saturating_add(16) {
        screen
    } else {
        wanted
    }
}

/// Clears a panel in the middle of the screen, draws its border and title, and gives what is inside.
pub fn panel(
    buffer: &mut Buffer,
    width: u16,
    height: u16,
    title: &str,
    theme: &Theme,
    border: Role,
) -> Rect {
    let screen = buffer.area;
    let width = panel_width(screen.width, width);
    let height = height.min(screen.height.saturating_sub(2));
    let area = Rect {
        x: screen.x + (screen.width - width) / 2,
        y: screen.y + (screen.height - height) / 2,
        width,
        height,
    };
    Clear.render(area, buffer);
    buffer.set_style(area, theme.style(Role::Text));
    let set = match theme.glyphs {
        Glyphs::Unicode => ratatui::symbols::border::ROUNDED,
        Glyphs::Ascii => ratatui::symbols::border::Set {
            top_left: "+",
            top_right: "+",
            bottom_left: "+",
            bottom_right: "+",
            vertical_left: "|",
            vertical_right: "|",
            horizontal_top: "-",
            horizontal_bottom: "-",
        },
    };
    let block = Block::bordered()
        .border_set(set)
        .border_style(theme.style(border));
    block.render(area, buffer);
    let words = format!(" {title} ");
    text(
        buffer,
        (area.x + 2, area.y),
        width.saturating_sub(4),
        &words,
        theme.style(Role::Title),
        theme.glyphs,
    );
    Rect {
        x: area.x + 2,
        y: area.y + 1,
        width: width.saturating_sub(4),
        height: height.saturating_sub(2),
    }
}

/// Marks a line as the one under the cursor: a bar in its first cell, and its style.
pub fn cursor(buffer: &mut Buffer, line: Rect, theme: &Theme) {
    text(
        buffer,
        (line.x, line.y),
        1,
        theme.glyphs.sign(Glyph::Bar),
        theme.style(Role::Key),
        theme.glyphs,
    );
    buffer.set_style(line, theme.style(Role::Cursor));
}

/// The furthest line that a panel of this many lines can begin with: one line of it holds keys, two its border.
pub fn last_top(lines: usize, size: Size) -> usize {
    lines.saturating_sub(usize::from(size.height.saturating_sub(6)))
}

/// Writes the keys of a panel at its foot.
pub fn keys(buffer: &mut Buffer, at: (u16, u16), width: u16, all: &[(&str, &str)], theme: &Theme) {
    let mut left = at.0;
    let end = at.0 + width;
    for (key, word) in all {
        let cells = u16::try_from(key.width() + word.width() + 1).unwrap_or(u16::MAX);
        if cells > end.saturating_sub(left) {
            break;
        }
        left = pieces(
            buffer,
            (left, at.1),
            end - left,
            &[
                (key, theme.style(Role::Key)),
                (" ", theme.style(Role::Faint)),
                (word, theme.style(Role::Faint)),
            ],
            theme.glyphs,
        );
        left = (left + 2).min(end);
    }
}

#[cfg(test)]
mod tests;
