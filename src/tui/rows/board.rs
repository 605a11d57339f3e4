//! The board's rows: one a repository.

pub use crate::engine::snapshot::Row;

use super::{clock_key, clock_value, column, day_only, flex, number, text};
use crate::model::id::Subject;
use crate::model::lane::Lane;
use crate::model::outcome::EndState;
use crate::session::judge::Counts;
use crate::tui::column::{Column, Width};
use crate::tui::filter::{Value, Word};
use crate::tui::form::Target;
use crate::tui::list::{Context, Item, SortKey};

pub const REPO: usize = 0;
pub const OWNER: usize = 1;
pub const REVIEWER: usize = 2;
pub const LANE: usize = 3;
pub const WAVES: usize = 4;
pub const RUNS: usize = 5;
pub const STATE: usize = 6;
pub const CLOCK: usize = 7;
pub const PATHS: usize = 8;
pub const PACKAGES: usize = 9;
pub const NEXT: usize = 10;

const LANES: &[&str] = &[
    "trusted",
    "staged-oidc",
    "staged-token",
    "bridge",
    "manual",
    "retire",
    "mixed",
    "none",
];

/// Words that `is:` knows on the board: end states of any of its paths, and what holds it up.
const REPO_IS: &[&str] = &[
    "open",
    "done",
    "proven",
    "cut-over",
    "on-demand",
    "bridged",
    "manual",
    "retired",
    "carried-over",
    "blocked",
    "contested",
    "mine",
    "unowned",
    "unreviewed",
    "attested",
    "waived",
    "unknown",
];

/// What a decision about this repository goes to.
#[must_use]
pub fn repo_target(row: &Row) -> Target {
    Target {
        subject: row.id,
        name: row.name.to_string(),
    }
}

/// The end states of a repository's paths in words: one, or each with its count.
#[must_use]
pub fn end_words(row: &Row) -> String {
    let counted: Vec<(EndState, u16, u16)> = row.ends.some().collect();
    match counted.as_slice() {
        [] => "no path".to_owned(),
        [(state, _, 0)] => state.words().to_owned(),
        [(state, all, said)] if all == said => format!("{} (attested)", state.words()),
        several => several
            .iter()
            .map(|(state, count, said)| match said {
                0 => format!("{} {count}", state.words()),
                said => format!("{} {count} ({said} attested)", state.words()),
            })
            .collect::<Vec<_>>()
            .join(", "),
    }
}

/// True where every path of the repository is in an end state.
#[must_use]
pub fn is_done(row: &Row) -> bool {
    row.ends.of(EndState::Open) == 0 && row.paths > 0
}

/// True where one of the repository's paths has come to an end state.
#[must_use]
pub fn has_end(row: &Row) -> bool {
    row.ends.some().any(|(state, ..)| state != EndState::Open)
}

/// True where an end state of one of the repository's paths rests on people's word.
#[must_use]
pub fn is_by_word(row: &Row) -> bool {
    row.ends.list().any(|(_, _, said)| said > 0)
}

impl Item for Row {
    type Id = Subject;
    const COLUMNS: &'static [Column] = &[
        column("repo", "Repo", flex(14, 44, 3), 0),
        column("owner", "Owner", flex(6, 16, 1), 3),
        column("reviewer", "Reviewer", flex(8, 16, 1), 6),
        column("lane", "Lane", Width::Fixed(12), 1),
        column("waves", "0 1 2 3 4 5", Width::Fixed(11), 1),
        column("runs", "Runs", Width::Fixed(5), 5),
        column("state", "End state", flex(20, 24, 1), 5),
        column("clock", "Clock", flex(9, 24, 1), 4),
        number("paths", "Paths", 5, 7),
        number("packages", "Packages", 8, 8),
        column("next", "Next step", flex(15, u16::MAX, 6), 2),
    ];
    const WORDS: &'static [Word] = &[
        Word::text("repo"),
        Word::text("owner"),
        Word::text("reviewer"),
        Word::one_of("lane", LANES),
        Word::number("wave"),
        Word::one_of("is", REPO_IS),
        Word::text("gate"),
        Word::duration("clock"),
        Word::duration("due"),
        Word::number("paths"),
        Word::number("packages"),
    ];
    const SORT: Option<usize> = None;

    fn id(&self) -> Subject {
        self.id
    }

    fn contains(&self, word: &str) -> bool {
        self.haystack.contains(word)
    }

    fn value(&self, key: &str, context: &Context) -> Value<'_> {
        match key {
            "repo" => text(&self.name),
            "owner" => self.owner.as_deref().map_or(Value::Absent, text),
            "reviewer" => self.reviewer.as_deref().map_or(Value::Absent, text),
            "wave" => Value::Number(i64::from(self.wave)),
            "gate" => self
                .next
                .as_ref()
                .map_or(Value::Absent, |(gate, ..)| Value::Text(gate.word().into())),
            "clock" => clock_value(self.clock.as_ref(), context),
            // Dates that people set, as against those that a registry gives.
            "due" => clock_value(
                self.clock.as_ref().filter(|clock| day_only(clock.kind)),
                context,
            ),
            "paths" => Value::Number(i64::from(self.paths)),
            "packages" => Value::Number(i64::from(self.packages)),
            _ => Value::Absent,
        }
    }

    fn is(&self, key: &str, name: &str, context: &Context) -> bool {
        if key == "is" {
            return holds(self, name, context);
        }
        let word = match self.lane_word() {
            "" => "none",
            word => word,
        };
        word == name || Lane::parse(name).is_some_and(|lane| self.lanes.has(lane))
    }

    fn sort_key(&self, column: usize) -> SortKey<'_> {
        match column {
            REPO => SortKey::Text(&self.name),
            OWNER => text_key(self.owner.as_deref()),
            REVIEWER => text_key(self.reviewer.as_deref()),
            LANE => SortKey::Text(self.lane_word()),
            WAVES => SortKey::Number(i64::from(self.wave)),
            STATE => {
                // By the worst end state: open comes last in the table and first here.
                let worst = self.ends.list().rposition(|(_, count, _)| count > 0);
                worst.map_or(SortKey::Absent, |at| {
                    SortKey::Number(-i64::try_from(at).unwrap_or(0))
                })
            }
            CLOCK => clock_key(self.clock.as_ref()),
            PATHS => SortKey::Number(i64::from(self.paths)),
            PACKAGES => SortKey::Number(i64::from(self.packages)),
            NEXT => self
                .next
                .as_ref()
                .map_or(SortKey::Absent, |(_, _, words)| SortKey::Text(words)),
            _ => SortKey::Absent,
        }
    }
}

/// True where a word of `is:` holds for a repository.
fn holds(row: &Row, word: &str, context: &Context) -> bool {
    let any = |of: fn(&Counts) -> u16| row.waves.iter().any(|wave| of(wave) > 0);
    match word {
        "open" => !is_done(row),
        "done" => is_done(row),
        "blocked" => row.blocked,
        "contested" => row.contested,
        "mine" => context.me.as_deref().is_some_and(|me| row.is_of(me)),
        "unowned" => row.owner.is_none(),
        "unreviewed" => row.reviewer.is_none(),
        "attested" => any(|wave| wave.attested),
        "waived" => any(|wave| wave.waived),
        "unknown" => any(|wave| wave.could_not),
        end => row
            .ends
            .some()
            .any(|(state, ..)| state.words().replace(' ', "-") == end),
    }
}

fn text_key(text: Option<&str>) -> SortKey<'_> {
    text.map_or(SortKey::Absent, SortKey::Text)
}
