//! The lists: their columns, filter words and sort orders, one list a file.
//!
//! Answers questions about rows of the snapshot; draws nothing.

pub mod board;
pub mod log;
pub mod packages;
pub mod runs;
pub mod tokens;

use super::column::{Column, Width};
use super::filter::Value;
use super::list::{Context, SortKey};
use crate::model::clock::{Clock, ClockKind};

const fn flex(min: u16, max: u16, share: u16) -> Width {
    Width::Flex { min, max, share }
}

const fn column(id: &'static str, title: &'static str, width: Width, rank: u8) -> Column {
    Column {
        id,
        title,
        width,
        rank,
        shown: true,
        right: false,
    }
}

const fn number(id: &'static str, title: &'static str, width: u16, rank: u8) -> Column {
    Column {
        id,
        title,
        width: Width::Fixed(width),
        rank,
        shown: true,
        right: true,
    }
}

fn clock_value(clock: Option<&Clock>, context: &Context) -> Value<'static> {
    clock.map_or(Value::Absent, |clock| {
        Value::Seconds(clock.ends.0.saturating_sub(context.now))
    })
}

fn text(text: &str) -> Value<'_> {
    if text.chars().any(char::is_uppercase) {
        Value::Text(text.to_lowercase().into())
    } else {
        Value::Text(text.into())
    }
}

fn clock_key(clock: Option<&Clock>) -> SortKey<'static> {
    clock.map_or(SortKey::Absent, |clock| SortKey::Number(clock.ends.0))
}

/// True where only the day of an end is known or meant: it never shows hours.
#[must_use]
pub fn day_only(kind: ClockKind) -> bool {
    !matches!(kind, ClockKind::TokenExpiry | ClockKind::RotationDue)
}
