//! The packages: what the registry says of each, how its last versions came out, and whom it trusts.

use ratatui::buffer::Buffer;

use super::table::{self, Cell};
use super::{put, time};
use crate::model::fact::HowFact;
use crate::tui::rows::packages::{self, PackageRow};
use crate::tui::state::State;
use crate::tui::theme::{Glyph, Role, Theme};

/// Draws the list, or what to do where there is nothing in it.
pub fn draw(buffer: &mut Buffer, state: &State, theme: &Theme) {
    table::draw(buffer, state, &state.packages, theme, |buffer, row, at| {
        cell(buffer, state, row, at, theme)
    });
    if let Some(row) = state.packages.current() {
        table::detail(buffer, state, &detail(row, state), theme);
    }
    let lines = [
        "No package is known yet.",
        "",
        "Packages come from the package.json files of scanned repositories and from inventories:",
        "  cutover import --scan PATH",
    ];
    table::empty(buffer, state, &state.packages, &lines, theme);
}

fn detail(row: &PackageRow, state: &State) -> String {
    let mut words = vec![row.name.to_string()];
    match (&row.trouble, row.as_of) {
        (Some(why), _) => words.push(format!("could not look: {why}")),
        (None, None) => words.push("the registry was not asked yet".to_owned()),
        (None, Some(at)) => words.push(format!("as of {}", time::at(at, state.settings.utc))),
    }
    if !row.tags.is_empty() {
        words.push(format!("tags: {}", row.tags.join(", ")));
    }
    if let Some(Err(why)) = &row.provenance {
        words.push(format!("provenance refused: {why}"));
    }
    if let Some(dependents) = row.dependents {
        words.push(format!("{dependents} dependents"));
    }
    if row.repos.is_empty() {
        words.push("no repository of this session publishes it".to_owned());
    }
    words.join("; ")
}

/// The letter-like sign of how a version came out, and what its colour means.
fn how_sign(how: HowFact) -> (Glyph, Role) {
    match how {
        HowFact::Oidc => (Glyph::Passed, Role::Passed),
        HowFact::Staged => (Glyph::Attested, Role::Passed),
        HowFact::Attested => (Glyph::Attested, Role::Attested),
        HowFact::MatchedRun => (Glyph::Partly, Role::Partly),
        HowFact::Unmatched => (Glyph::Blocked, Role::Warning),
        HowFact::NotTold => (Glyph::CouldNotLook, Role::Unknown),
    }
}

fn cell(buffer: &mut Buffer, state: &State, row: &PackageRow, at: Cell, theme: &Theme) {
    let dash = theme.glyphs.sign(Glyph::Dash);
    let write = |buffer: &mut Buffer, x: u16, words: &str, role: Role| {
        let width = at.width.saturating_sub(x - at.x);
        put::text(
            buffer,
            (x, at.y),
            width,
            words,
            theme.style(role),
            theme.glyphs,
        );
    };
    let right = |buffer: &mut Buffer, words: Option<String>| {
        let (words, role) = words.map_or((dash.to_owned(), Role::Faint), |some| (some, Role::Text));
        put::right(
            buffer,
            (at.x, at.y),
            at.width,
            &words,
            theme.style(role),
            theme.glyphs,
        );
    };
    let or_dash = |buffer: &mut Buffer, words: Option<&str>| match words {
        Some(words) => write(buffer, at.x, words, Role::Text),
        None => write(buffer, at.x, dash, Role::Faint),
    };
    match at.column {
        packages::NAME => write(buffer, at.x, &row.name, Role::Text),
        packages::LATEST => or_dash(buffer, row.latest.as_deref()),
        packages::TAGS => {
            let tags = row.tags.join(", ");
            or_dash(buffer, Some(tags.as_str()).filter(|tags| !tags.is_empty()));
        }
        packages::HOW => {
            for (how, x) in row.how.iter().zip(at.x..) {
                let (glyph, role) = how_sign(*how);
                write(buffer, x, theme.glyphs.sign(glyph), role);
            }
            match row.how.first() {
                Some(how) => write(buffer, at.x + 6, packages::how_word(row), how_sign(*how).1),
                None => write(buffer, at.x, dash, Role::Faint),
            }
        }
        packages::RELEASED => right(buffer, row.released.map(|when| time::ago(when, state.now))),
        packages::CADENCE => right(buffer, row.cadence_days.map(|days| format!("{days}d"))),
        packages::TRUST => match row.configs {
            None => write(buffer, at.x, "not read", Role::Faint),
            Some(0) => write(buffer, at.x, "none", Role::Warning),
            Some(1) => write(buffer, at.x, "1 config", Role::Text),
            Some(many) => write(buffer, at.x, &format!("{many} configs"), Role::Text),
        },
        packages::WINDOW => {
            let left = row.window.map(|end| time::took(end.0 - state.now.0));
            match left {
                Some(left) => write(buffer, at.x, &left, Role::Warning),
                None => write(buffer, at.x, dash, Role::Faint),
            }
        }
        packages::PROVENANCE => match &row.provenance {
            Some(Ok(version)) => write(buffer, at.x, version, Role::Passed),
            Some(Err(_)) => write(buffer, at.x, "refused", Role::Blocked),
            None => write(buffer, at.x, dash, Role::Faint),
        },
        packages::WRITERS => right(buffer, (row.writers > 0).then(|| row.writers.to_string())),
        packages::WEEKLY => right(buffer, row.weekly.map(many)),
        packages::REPO => match row.repos.as_slice() {
            [] => write(buffer, at.x, "no repository", Role::Warning),
            [one] => write(buffer, at.x, one, Role::Text),
            [one, rest @ ..] => write(buffer, at.x, &format!("{one} +{}", rest.len()), Role::Text),
        },
        _ => {}
    }
}

/// A large number in at most five letters.
fn many(count: u64) -> String {
    match count {
        0..10_000 => count.to_string(),
        10_000..10_000_000 => format!("{}k", count / 1_000),
        _ => format!("{}M", count / 1_000_000),
    }
}
