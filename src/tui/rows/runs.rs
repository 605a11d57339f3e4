//! The rows of the pipelines screen.

pub use crate::engine::live::{RunRow, RunState};

use super::{column, flex, number, text};
use crate::model::id::Subject;
use crate::tui::column::{Column, Width};
use crate::tui::filter::{Value, Word};
use crate::tui::list::{Context, Item, SortKey};

pub const STATE: usize = 0;
pub const REPO: usize = 1;
pub const WORKFLOW: usize = 2;
pub const NUMBER: usize = 3;
pub const REF: usize = 4;
pub const EVENT: usize = 5;
pub const WHO: usize = 6;
pub const TOOK: usize = 7;
pub const AGO: usize = 8;
pub const WHAT: usize = 9;

/// Seconds that a run took, or takes so far.
#[must_use]
pub fn seconds(row: &RunRow, now: i64) -> i64 {
    let end = if row.state.is_open() {
        now
    } else {
        row.updated.0
    };
    end.saturating_sub(row.created.0).max(0)
}

/// What is to be said about a run: the cause of its failure, else its step.
#[must_use]
pub fn what(row: &RunRow) -> String {
    match (&row.cause, &row.step, row.steps) {
        (Some(cause), ..) => cause.meaning.to_string(),
        (None, Some(step), Some((done, all))) => format!("step {done} of {all}: {step}"),
        (None, Some(step), None) if row.state == RunState::Failed => format!("failed in {step}"),
        (None, Some(step), None) => step.to_string(),
        (None, None, _) if row.state == RunState::Failed && row.newest => {
            "its log was not read yet".to_owned()
        }
        (None, None, _) if row.state == RunState::Failed => {
            "an older failure: its log is not read".to_owned()
        }
        (None, None, _) => String::new(),
    }
}

impl Item for RunRow {
    type Id = (Subject, u64);
    const COLUMNS: &'static [Column] = &[
        column("state", "Run", Width::Fixed(9), 0),
        column("repo", "Repo", flex(14, 36, 3), 0),
        column("workflow", "Workflow", flex(10, 24, 2), 3),
        number("number", "No", 5, 6),
        column("ref", "Ref", flex(6, 20, 1), 4),
        column("event", "Event", flex(7, 18, 1), 7),
        column("who", "Who", flex(6, 16, 1), 5),
        number("took", "Took", 7, 2),
        number("ago", "Ago", 5, 3),
        column("what", "What happened", flex(18, u16::MAX, 6), 1),
    ];
    const WORDS: &'static [Word] = &[
        Word::text("repo"),
        Word::text("workflow"),
        Word::text("ref"),
        Word::text("event"),
        Word::text("who"),
        Word::text("cause"),
        Word::one_of(
            "is",
            &[
                "failed",
                "running",
                "queued",
                "passed",
                "cancelled",
                "newest",
                "rerun",
                "mine",
            ],
        ),
        Word::duration("age"),
    ];
    const SORT: Option<usize> = None;

    fn id(&self) -> Self::Id {
        (self.repo, self.id)
    }

    fn contains(&self, word: &str) -> bool {
        self.haystack.contains(word)
    }

    fn value(&self, key: &str, context: &Context) -> Value<'_> {
        match key {
            "repo" => text(&self.name),
            "workflow" => text(&self.file),
            "ref" => text(&self.branch),
            "event" => text(&self.event),
            "who" => text(&self.actor),
            "cause" => self
                .cause
                .as_ref()
                .map_or(Value::Absent, |cause| text(&cause.id)),
            "age" => Value::Seconds(context.now.saturating_sub(self.updated.0)),
            _ => Value::Absent,
        }
    }

    fn is(&self, _: &str, name: &str, context: &Context) -> bool {
        match name {
            "newest" => self.newest,
            "rerun" => self.attempt > 1,
            "mine" => context
                .me
                .as_deref()
                .is_some_and(|me| self.actor.eq_ignore_ascii_case(me)),
            name => self.state.word() == name,
        }
    }

    fn sort_key(&self, column: usize) -> SortKey<'_> {
        match column {
            STATE => SortKey::Number(self.state as i64),
            REPO => SortKey::Text(&self.name),
            WORKFLOW => SortKey::Text(&self.file),
            NUMBER => SortKey::Number(i64::try_from(self.number).unwrap_or(i64::MAX)),
            REF => SortKey::Text(&self.branch),
            EVENT => SortKey::Text(&self.event),
            WHO => SortKey::Text(&self.actor),
            TOOK => SortKey::Number(self.updated.0.saturating_sub(self.created.0)),
            AGO => SortKey::Number(-self.updated.0),
            WHAT => self
                .cause
                .as_ref()
                .map_or(SortKey::Absent, |cause| SortKey::Text(&cause.id)),
            _ => SortKey::Absent,
        }
    }
}
