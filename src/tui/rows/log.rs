//! The rows of the log, newest first.

pub use crate::engine::snapshot::LogRow;

use super::{column, flex, text};
use crate::model::decision::EventId;
use crate::tui::column::{Column, Width};
use crate::tui::filter::{Value, Word};
use crate::tui::list::{Context, Item, SortKey};

pub const AT: usize = 0;
pub const BY: usize = 1;
pub const KIND: usize = 2;
pub const ABOUT: usize = 3;
pub const TEXT: usize = 4;

impl Item for LogRow {
    type Id = EventId;
    const COLUMNS: &'static [Column] = &[
        column("time", "Time", Width::Fixed(25), 0),
        column("by", "By", flex(6, 16, 1), 2),
        column("kind", "Event", flex(20, 24, 1), 1),
        column("about", "About", flex(12, 40, 2), 1),
        column("text", "What", flex(12, u16::MAX, 5), 3),
    ];
    const WORDS: &'static [Word] = &[
        Word::text("by"),
        Word::text("kind"),
        Word::text("about"),
        Word::one_of("is", &["signed", "unsigned", "mine"]),
        Word::duration("age"),
    ];
    const SORT: Option<usize> = None;
    const NEWEST_FIRST: bool = true;

    fn id(&self) -> EventId {
        self.id
    }

    fn contains(&self, word: &str) -> bool {
        // No lower-cased copy is kept: a log has hundreds of thousands of rows.
        let within = |text: &str| {
            text.as_bytes()
                .windows(word.len().max(1))
                .any(|part| part.eq_ignore_ascii_case(word.as_bytes()))
        };
        [self.kind, &*self.by].into_iter().any(within)
    }

    fn value(&self, key: &str, context: &Context) -> Value<'_> {
        match key {
            "by" => text(&self.by),
            "kind" => Value::Text(self.kind.into()),
            "about" => self
                .about
                .map_or(Value::Absent, |about| Value::Text(about.kind.word().into())),
            "age" => Value::Seconds(context.now.saturating_sub(self.at.0)),
            _ => Value::Absent,
        }
    }

    fn is(&self, _: &str, name: &str, context: &Context) -> bool {
        match name {
            "signed" => self.signed,
            "unsigned" => !self.signed,
            _ => context
                .me
                .as_deref()
                .is_some_and(|me| self.by.eq_ignore_ascii_case(me)),
        }
    }

    fn sort_key(&self, column: usize) -> SortKey<'_> {
        match column {
            AT => SortKey::Number(self.at.0),
            BY => SortKey::Text(&self.by),
            KIND => SortKey::Text(self.kind),
            ABOUT => self
                .about
                .map_or(SortKey::Absent, |about| SortKey::Text(about.kind.word())),
            _ => SortKey::Absent,
        }
    }
}
