//! The status as text for a terminal of a given width.
//!
//! Owns the columns and what gives way when it is narrow. Colours nothing: every state has a word, a count or a glyph.

use super::Gates;
use super::status::{Row, Status, Token};
use crate::model::event::World;
use crate::model::gate::State;
use crate::model::time::{DAY, Ts};
use crate::safe::shell::quote;
use crate::safe::shown::counted;
use std::io::{self, Write};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// How the text may look.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// Columns; less than 60 counts as 60, and `usize::MAX` cuts nothing.
    pub width: usize,
    pub ascii: bool,
    /// Rows of repositories at most; the rest are counted. None: all.
    pub most: Option<usize>,
}

/// From this width on waves are counts, below it glyphs.
const WIDE: usize = 150;
/// Below this width some columns are left out.
const NARROW: usize = 100;

/// Writes a status.
///
/// # Errors
/// What the writer gives.
pub fn status(status: &Status, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let look = Look {
        width: look.width.max(60),
        ..look
    };
    head(status, look, out)?;
    if status.repos.is_empty() && status.tokens.is_empty() {
        return empty(&status.header.file, look, out);
    }
    repos(status, look, out)?;
    tokens(status, look, out)
}

/// Says how to begin where nothing is in the session yet.
fn empty(file: &str, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let file = quote(file);
    let ways = [
        "",
        "Nothing is in this session yet. Next, one of:",
        &format!(
            "  cutover import -s {file} --scan FOLDER       reads the CI files of checkouts below a folder"
        ),
        &format!(
            "  cutover import -s {file} --inventory FILE    reads a list of repositories: CSV, TOML, JSON or YAML"
        ),
        &format!(
            "  cutover import -s {file} --tokens rosa=FILE  reads what `npm token list --json` printed"
        ),
    ];
    ways.iter()
        .try_for_each(|line| writeln!(out, "{}", cut(line, look.width)))
}

fn head(status: &Status, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let header = &status.header;
    let world = match header.world {
        World::Real => "",
        World::Tabletop => "TABLETOP  ",
    };
    let earliest = header.cutoff_earliest;
    let days = (Ts::from_day(earliest).0 - status.as_of.0).div_euclid(DAY);
    let cutoff = match days {
        ..0 => format!(
            "bypass tokens may stop publishing any day since {earliest} (day not announced)"
        ),
        days => {
            format!("bypass tokens stop publishing in {days} d at the earliest (day not announced)")
        }
    };
    let mut say = |line: &str| writeln!(out, "{}", cut(line, look.width));
    say(&format!("{world}{}  {cutoff}", header.session))?;
    say(&format!(
        "{}  {}: {}",
        counted(status.repos.len(), "repo"),
        counted(header.paths, "path"),
        header.end_states.words()
    ))?;
    let gates = &header.session_gates;
    say(&format!(
        "live tokens: {} of {}  blocked: {}  session gates: {} of {}  lists owed: {}",
        header.exposed_tokens,
        counted(status.tokens.len(), "token"),
        counted(header.blocked_repos, "repo"),
        gates.met(),
        gates.total(),
        header.owed_lists.len(),
    ))?;
    if !header.owed_lists.is_empty() {
        say(&format!(
            "token lists owed by {}",
            header.owed_lists.join(", ")
        ))?;
    }
    for notice in &header.notices {
        say(&format!("! {notice}"))?;
    }
    Ok(())
}

fn repos(status: &Status, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let rows = status.repos.iter().take(look.most.unwrap_or(usize::MAX));
    let rows: Vec<[String; 12]> = rows.map(|row| cells(row, status.as_of, look)).collect();
    const HEADS: [&str; 12] = [
        "REPO",
        "OWNER",
        "LANE",
        "0",
        "1",
        "2",
        "3",
        "4",
        "5",
        "CLOCK",
        "END STATES",
        "NEXT STEP",
    ];
    if look.width < NARROW {
        let rows: Vec<[String; 10]> = rows.iter().cloned().map(few).collect();
        grid(&few(HEADS), &rows, look.width, out)?;
    } else {
        grid(&HEADS, &rows, look.width, out)?;
    }
    let left = status.repos.len() - rows.len();
    if left > 0 {
        writeln!(
            out,
            "and {}: see `cutover status --format csv`",
            counted(left, "more repository")
        )?;
    }
    Ok(())
}

/// Leaves out what a narrow screen has no room for: owner and end states.
fn few<T>(row: [T; 12]) -> [T; 10] {
    let [repo, _, lane, a, b, c, d, e, f, clock, _, next] = row;
    [repo, lane, a, b, c, d, e, f, clock, next]
}

fn cells(row: &Row, now: Ts, look: Look) -> [String; 12] {
    let wave = |at: usize| {
        let gates = row.waves.get(at).copied().unwrap_or_default();
        match look.width >= WIDE {
            true if gates.total() == 0 => "-".to_owned(),
            true => format!("{}/{}", gates.met(), gates.total()),
            false => glyph(&gates, look.ascii).to_owned(),
        }
    };
    let clock = row.clock.as_ref().map_or_else(String::new, |clock| {
        format!("{} {}", left(clock.ends.0 - now.0), clock.what)
    });
    // What people decided differently is not what is shown beside it.
    let mark = match (row.contested.is_empty(), look.ascii) {
        (true, _) => "",
        (false, true) => "!= ",
        (false, false) => "≠ ",
    };
    [
        format!("{mark}{}", row.repo),
        row.owner.clone().unwrap_or_else(|| "-".to_owned()),
        row.lane_word().to_owned(),
        wave(0),
        wave(1),
        wave(2),
        wave(3),
        wave(4),
        wave(5),
        clock,
        row.end_states.words(),
        row.next
            .as_ref()
            .map(|next| format!("{}: {}", next.gate, next.step))
            .or_else(|| row.waits.clone())
            .unwrap_or_default(),
    ]
}

/// Gives the worst verdict of a wave as one character.
fn glyph(gates: &Gates, ascii: bool) -> &'static str {
    let (plain, drawn) = match gates.worst() {
        None | Some(State::NotApplicable) => ("-", "-"),
        Some(State::Blocked) => ("x", "✗"),
        Some(State::CouldNotLook) => ("?", "?"),
        Some(State::NotLooked) if gates.met() > 0 => ("o", "◐"),
        Some(State::NotLooked) => (".", "·"),
        Some(State::Waived) => ("w", "w"),
        Some(State::Attested) => ("a", "◉"),
        Some(State::Passed) => ("#", "●"),
    };
    if ascii { plain } else { drawn }
}

fn tokens(status: &Status, look: Look, out: &mut dyn Write) -> io::Result<()> {
    if status.tokens.is_empty() {
        return Ok(());
    }
    let rows: Vec<[String; 5]> = status
        .tokens
        .iter()
        .map(|token| {
            [
                format!("{}/{}", token.account, token.name),
                ends(token, status.as_of),
                format!("{} of {}", token.released, token.holds),
                token.state.to_owned(),
                token.why.clone(),
            ]
        })
        .collect();
    grid(
        &["TOKEN", "ENDS", "RELEASED", "STATE", "WHY"],
        &rows,
        look.width,
        out,
    )
}

fn ends(token: &Token, now: Ts) -> String {
    match token.expires {
        _ if token.gone => "gone".to_owned(),
        None => "not listed".to_owned(),
        Some(at) if at <= now => format!("ended {}", at.day()),
        Some(at) => format!("{} ({})", at.day(), left(at.0 - now.0)),
    }
}

/// Puts seconds into words: two units, the larger first.
pub fn left(seconds: i64) -> String {
    match seconds {
        ..0 => "over".to_owned(),
        0..3_600 => format!("{}m", seconds / 60),
        3_600..86_400 => format!("{}h {:02}m", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{}d {:02}h", seconds / DAY, seconds % DAY / 3_600),
    }
}

/// Writes a table. The last column takes what is left; the widest of the others gives way first.
fn grid<const N: usize>(
    heads: &[&str; N],
    rows: &[[String; N]],
    width: usize,
    out: &mut dyn Write,
) -> io::Result<()> {
    const GAP: usize = 2;
    const LAST: usize = 24;
    writeln!(out)?;
    let mut widths: Vec<usize> = heads.iter().map(|head| head.width()).collect();
    for row in rows {
        for (widest, cell) in widths.iter_mut().zip(row) {
            *widest = (*widest).max(cell.width());
        }
    }
    let last = widths.pop().unwrap_or(0);
    let room = width.saturating_sub(last.min(LAST) + GAP * (N - 1));
    while widths.iter().sum::<usize>() > room {
        // The first column names the row: it counts half, so that it gives way late.
        let gives = widths
            .iter_mut()
            .enumerate()
            .map(|(at, width)| (if at == 0 { *width / 2 } else { *width }, width))
            .max_by_key(|(weight, _)| *weight)
            .filter(|(weight, _)| *weight > 6);
        let Some((_, widest)) = gives else {
            break;
        };
        *widest -= 1;
    }
    let used: usize = widths.iter().sum::<usize>() + GAP * (N - 1);
    widths.push(last.min(width.saturating_sub(used)));
    let mut line = |cells: &mut dyn Iterator<Item = &str>| {
        let mut text = String::new();
        for (cell, width) in cells.zip(&widths) {
            let cell = cut(cell, *width);
            text.push_str(&cell);
            text.extend(std::iter::repeat_n(
                ' ',
                width.saturating_sub(cell.width()) + GAP,
            ));
        }
        writeln!(out, "{}", text.trim_end())
    };
    line(&mut heads.iter().copied())?;
    for row in rows {
        line(&mut row.iter().map(String::as_str))?;
    }
    Ok(())
}

/// Cuts a text to a width, with an ellipsis where something is lost.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut used = 1;
    let mut kept = String::new();
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used > width {
            break;
        }
        kept.push(c);
    }
    kept.push('…');
    kept
}
