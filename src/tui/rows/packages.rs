//! The rows of the packages screen.

pub use crate::engine::live::PackageRow;

use super::{column, flex, number, text};
use crate::model::fact::HowFact;
use crate::model::id::Subject;
use crate::tui::column::{Column, Width};
use crate::tui::filter::{Value, Word};
use crate::tui::form::Target;
use crate::tui::list::{Context, Item, SortKey};

pub const NAME: usize = 0;
pub const LATEST: usize = 1;
pub const TAGS: usize = 2;
pub const HOW: usize = 3;
pub const RELEASED: usize = 4;
pub const CADENCE: usize = 5;
pub const TRUST: usize = 6;
pub const WINDOW: usize = 7;
pub const PROVENANCE: usize = 8;
pub const WRITERS: usize = 9;
pub const WEEKLY: usize = 10;
pub const REPO: usize = 11;

/// What a decision about this package goes to.
#[must_use]
pub fn package_target(row: &PackageRow) -> Target {
    Target {
        subject: row.id,
        name: row.name.to_string(),
    }
}

/// How the last version was published, in one word.
#[must_use]
pub fn how_word(row: &PackageRow) -> &'static str {
    match row.how.first() {
        None => "",
        Some(HowFact::NotTold) => "not told",
        Some(how) => how.word(),
    }
}

/// The same for reading: the filter's words are those of the session file.
#[must_use]
pub fn how_shown(row: &PackageRow) -> &'static str {
    match row.how.first() {
        Some(HowFact::Oidc) => "OIDC",
        Some(HowFact::MatchedRun) => "CI run",
        Some(HowFact::Unmatched) => "not from CI",
        _ => how_word(row),
    }
}

impl Item for PackageRow {
    type Id = Subject;
    const COLUMNS: &'static [Column] = &[
        column("package", "Package", flex(16, 44, 3), 0),
        column("latest", "Latest", flex(8, 16, 1), 1),
        column("tags", "Other tags", flex(10, 30, 1), 8),
        column("how", "Published by", Width::Fixed(18), 1),
        number("released", "Released", 8, 3),
        number("cadence", "Every", 5, 9),
        column("trust", "Trust", Width::Fixed(10), 4),
        column("window", "Window", Width::Fixed(9), 5),
        column("provenance", "Provenance", Width::Fixed(12), 6),
        number("writers", "Writers", 7, 7),
        number("weekly", "Weekly", 7, 7),
        column("repo", "Repo", flex(14, u16::MAX, 3), 2),
    ];
    const WORDS: &'static [Word] = &[
        Word::text("package"),
        Word::text("repo"),
        Word::one_of(
            "how",
            &["oidc", "staged", "attested", "matched-run", "unmatched"],
        ),
        Word::one_of(
            "is",
            &[
                "orphan",
                "looked",
                "unlooked",
                "trusted",
                "untrusted",
                "refused",
            ],
        ),
        Word::duration("age"),
        Word::duration("window"),
        Word::number("weekly"),
        Word::number("writers"),
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
            "package" => text(&self.name),
            "repo" => self.repos.first().map_or(Value::Absent, |repo| text(repo)),
            "age" => self.released.map_or(Value::Absent, |at| {
                Value::Seconds(context.now.saturating_sub(at.0))
            }),
            "window" => self.window.map_or(Value::Absent, |end| {
                Value::Seconds(end.0.saturating_sub(context.now))
            }),
            "weekly" => self.weekly.map_or(Value::Absent, |count| {
                Value::Number(i64::try_from(count).unwrap_or(i64::MAX))
            }),
            "writers" => Value::Number(i64::try_from(self.writers).unwrap_or(i64::MAX)),
            _ => Value::Absent,
        }
    }

    fn is(&self, key: &str, name: &str, _: &Context) -> bool {
        if key == "how" {
            return how_word(self) == name;
        }
        match name {
            "orphan" => self.repos.is_empty(),
            "looked" => self.as_of.is_some(),
            "unlooked" => self.as_of.is_none(),
            "trusted" => self.configs.is_some_and(|count| count > 0),
            "untrusted" => self.configs == Some(0),
            _ => matches!(self.provenance, Some(Err(_))),
        }
    }

    fn sort_key(&self, column: usize) -> SortKey<'_> {
        let optional = |value: Option<i64>| value.map_or(SortKey::Absent, SortKey::Number);
        let large = |value: Option<u64>| {
            optional(value.map(|count| i64::try_from(count).unwrap_or(i64::MAX)))
        };
        match column {
            NAME => SortKey::Text(&self.name),
            LATEST => self
                .latest
                .as_deref()
                .map_or(SortKey::Absent, SortKey::Text),
            HOW => SortKey::Text(how_word(self)),
            RELEASED => optional(self.released.map(|at| -at.0)),
            CADENCE => optional(self.cadence_days.map(i64::from)),
            TRUST => large(self.configs.map(|count| count as u64)),
            WINDOW => optional(self.window.map(|end| end.0)),
            WRITERS => large(Some(self.writers as u64)),
            WEEKLY => large(self.weekly),
            REPO => self
                .repos
                .first()
                .map_or(SortKey::Absent, |repo| SortKey::Text(repo)),
            _ => SortKey::Absent,
        }
    }
}
