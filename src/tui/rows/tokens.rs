//! The rows of the tokens screen.

pub use crate::engine::snapshot::TokenRow;

use super::{clock_key, clock_value, column, flex, number, text};
use crate::model::gate::State;
use crate::model::id::Subject;
use crate::model::time::Ts;
use crate::tui::column::{Column, Width};
use crate::tui::filter::{Value, Word};
use crate::tui::form::Target;
use crate::tui::list::{Context, Item, SortKey};

pub const NAME: usize = 0;
pub const ACCOUNT: usize = 1;
pub const RIGHTS: usize = 2;
pub const STATE: usize = 3;
pub const CLOCK: usize = 4;
pub const SECRETS: usize = 5;
pub const RELEASED: usize = 6;
pub const SAFE: usize = 7;

/// What a decision about this token goes to.
#[must_use]
pub fn token_target(row: &TokenRow) -> Target {
    Target {
        subject: row.id,
        name: format!("{}/{}", row.account, row.name),
    }
}

/// What may be done with a token, in words.
#[must_use]
pub fn rights(row: &TokenRow) -> &'static str {
    match (row.readonly, row.bypass_2fa) {
        (Some(true), _) => "read-only",
        (_, Some(true)) => "bypasses 2FA",
        (Some(false), Some(false)) => "asks for 2FA",
        (Some(false), None) => "write",
        (None, _) => "unknown",
    }
}

/// True where lists show, or somebody says, that the token was revoked.
#[must_use]
pub fn is_gone(row: &TokenRow) -> bool {
    matches!(row.gone.0, State::Passed | State::Attested)
}

/// Where a token is in its life, for the clock of the context.
#[must_use]
pub fn life(row: &TokenRow, now: i64) -> &'static str {
    if is_gone(row) {
        "revoked"
    } else if row.expires.is_some_and(|end| end.0 <= now) {
        "expired"
    } else if row.absent.is_some() {
        "absent"
    } else {
        "live"
    }
}

/// What is known of a token, as far as a confirmation rests on it: equal stamps mean unchanged facts.
pub type Stamp = (State, Box<str>, u32, u32, State);

/// Takes the stamp of a token.
#[must_use]
pub fn stamp(row: &TokenRow) -> Stamp {
    (
        row.chain.0,
        row.chain.1.clone(),
        row.released,
        row.holds,
        row.gone.0,
    )
}

impl Item for TokenRow {
    type Id = Subject;
    const COLUMNS: &'static [Column] = &[
        column("token", "Token", flex(14, 36, 2), 0),
        column("account", "Account", flex(8, 18, 1), 4),
        column("rights", "Rights", Width::Fixed(12), 5),
        column("state", "State", Width::Fixed(7), 2),
        column("clock", "Ends", flex(9, 24, 1), 1),
        number("secrets", "Secrets", 7, 6),
        number("released", "Freed", 9, 3),
        column("safe", "Safe to revoke", flex(14, u16::MAX, 6), 1),
    ];
    const WORDS: &'static [Word] = &[
        Word::text("token"),
        Word::text("account"),
        Word::one_of(
            "is",
            &[
                "live",
                "revoked",
                "expired",
                "absent",
                "safe",
                "held",
                "bypass",
                "read-only",
                "mine",
            ],
        ),
        Word::duration("clock"),
        Word::duration("age"),
        Word::duration("used"),
        Word::number("secrets"),
    ];
    const SORT: Option<usize> = None;

    fn id(&self) -> Subject {
        self.id
    }

    fn contains(&self, word: &str) -> bool {
        self.haystack.contains(word)
    }

    fn value(&self, key: &str, context: &Context) -> Value<'_> {
        let since = |at: Option<Ts>| {
            at.map_or(Value::Absent, |at| {
                Value::Seconds(context.now.saturating_sub(at.0))
            })
        };
        match key {
            "token" => text(&self.name),
            "account" => text(&self.account),
            "clock" => clock_value(self.clock.as_ref(), context),
            "age" => since(self.created),
            "used" => since(self.last_used),
            "secrets" => Value::Number(i64::from(self.secrets)),
            _ => Value::Absent,
        }
    }

    fn is(&self, _: &str, name: &str, context: &Context) -> bool {
        match name {
            "safe" => self.chain.0.is_met(),
            "held" => !self.chain.0.is_met(),
            "bypass" => self.bypass_2fa == Some(true),
            "read-only" => self.readonly == Some(true),
            "mine" => context
                .me
                .as_deref()
                .is_some_and(|me| self.account.eq_ignore_ascii_case(me)),
            name => life(self, context.now) == name,
        }
    }

    fn sort_key(&self, column: usize) -> SortKey<'_> {
        match column {
            NAME => SortKey::Text(&self.name),
            ACCOUNT => SortKey::Text(&self.account),
            RIGHTS => SortKey::Text(rights(self)),
            STATE => SortKey::Number(i64::from(self.gone.0.is_met())),
            CLOCK => clock_key(self.clock.as_ref()),
            SECRETS => SortKey::Number(i64::from(self.secrets)),
            RELEASED => SortKey::Number(i64::from(self.holds) - i64::from(self.released)),
            SAFE => SortKey::Number(i64::from(!self.chain.0.is_met())),
            _ => SortKey::Absent,
        }
    }
}
