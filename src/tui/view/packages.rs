//! The packages: what the registry says of each, how its last versions came out, and whom it trusts.

use ratatui::buffer::Buffer;

use super::table::{self, Cell, Pen};
use super::time;
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
    let lines: &[&str] = match state.snapshot.live.packages {
        None => &["Listing the packages."],
        Some(_) => &[
            "No package is known yet.",
            "",
            "Packages come from the package.json files of scanned repositories and from inventories:",
            "  cutover import --scan PATH",
        ],
    };
    table::empty(buffer, state, &state.packages, lines, theme);
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
pub(super) fn how_sign(how: HowFact) -> (Glyph, Role) {
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
    let mut pen = Pen::new(buffer, at, theme);
    let dash = theme.glyphs.sign(Glyph::Dash);
    let right = |pen: &mut Pen<'_>, words: Option<String>| match words {
        Some(words) => pen.right(&words, Role::Text),
        None => pen.right(dash, Role::Faint),
    };
    let or_dash = |pen: &mut Pen<'_>, words: Option<&str>| match words {
        Some(words) => pen.say(words, Role::Text),
        None => pen.dash(),
    };
    match at.column {
        packages::NAME => pen.say(&row.name, Role::Text),
        packages::LATEST => or_dash(&mut pen, row.latest.as_deref()),
        packages::TAGS => {
            let tags = row.tags.join(", ");
            or_dash(&mut pen, Some(&*tags).filter(|tags| !tags.is_empty()));
        }
        packages::HOW => {
            for (how, cells) in row.how.iter().zip(0..) {
                let (glyph, role) = how_sign(*how);
                pen.sign(cells, glyph, role);
            }
            match row.how.first() {
                Some(how) => pen.after(6, packages::how_shown(row), how_sign(*how).1),
                None => pen.dash(),
            }
        }
        packages::RELEASED => right(
            &mut pen,
            row.released.map(|when| time::ago(when, state.now)),
        ),
        packages::CADENCE => right(&mut pen, row.cadence_days.map(|days| format!("{days}d"))),
        packages::TRUST => match row.configs {
            None => pen.say("not read", Role::Faint),
            Some(0) => pen.say("none", Role::Warning),
            Some(1) => pen.say("1 config", Role::Text),
            Some(many) => pen.say(&format!("{many} configs"), Role::Text),
        },
        packages::WINDOW => match row.window {
            Some(end) => pen.say(&time::took(end.0 - state.now.0), Role::Warning),
            None => pen.dash(),
        },
        packages::PROVENANCE => match &row.provenance {
            Some(Ok(version)) => pen.say(version, Role::Passed),
            Some(Err(_)) => pen.say("refused", Role::Blocked),
            None => pen.dash(),
        },
        packages::WRITERS => right(&mut pen, (row.writers > 0).then(|| row.writers.to_string())),
        packages::WEEKLY => right(&mut pen, row.weekly.map(many)),
        packages::REPO => match row.repos.as_slice() {
            [] => pen.say("no repository", Role::Warning),
            [one] => pen.say(one, Role::Text),
            [one, rest @ ..] => pen.say(&format!("{one} +{}", rest.len()), Role::Text),
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
