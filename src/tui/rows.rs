//! The three lists: their columns, filter words and sort orders, next to each other.
//!
//! Answers questions about rows of the snapshot; draws nothing.

pub use crate::engine::snapshot::{LogRow, Row, TokenRow};

use super::column::{Column, Width};
use super::filter::{Kind, Value, Word};
use super::form::Target;
use super::list::{Context, Item, SortKey};
use crate::model::clock::{Clock, ClockKind};
use crate::model::decision::EventId;
use crate::model::gate::State;
use crate::model::id::Subject;
use crate::model::lane::Lane;
use crate::model::outcome::EndState;
use crate::model::time::Ts;
use crate::session::judge::Counts;

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
    "mine",
    "unowned",
    "unreviewed",
    "attested",
    "waived",
    "unknown",
];

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

fn text_key(text: Option<&str>) -> SortKey<'_> {
    text.map_or(SortKey::Absent, SortKey::Text)
}

fn clock_key(clock: Option<&Clock>) -> SortKey<'static> {
    clock.map_or(SortKey::Absent, |clock| SortKey::Number(clock.ends.0))
}

/// What a decision about this repository goes to.
#[must_use]
pub fn repo_target(row: &Row) -> Target {
    Target {
        subject: row.id,
        name: row.name.to_string(),
    }
}

/// What a decision about this token goes to.
#[must_use]
pub fn token_target(row: &TokenRow) -> Target {
    Target {
        subject: row.id,
        name: token_name(row).to_owned(),
    }
}

/// The name of a token: its own, else its first and last characters as the registry lists them.
#[must_use]
pub fn token_name(row: &TokenRow) -> &str {
    if &*row.name == "(no name)" {
        &row.redacted
    } else {
        &row.name
    }
}

/// What may be done with a token, in words.
#[must_use]
pub fn rights(row: &TokenRow) -> &'static str {
    match (row.readonly, row.bypass_2fa) {
        (Some(true), _) => "read-only",
        (Some(false), Some(true)) => "write, bypasses 2FA",
        (Some(false), Some(false)) => "write, asks for 2FA",
        (Some(false), None) => "write, 2FA unknown",
        (None, Some(true)) => "bypasses 2FA",
        (None, _) => "unknown",
    }
}

/// Where a token is in its life, for the clock of the context.
#[must_use]
pub fn life(row: &TokenRow, now: i64) -> &'static str {
    if row.gone.0.is_met() {
        "revoked"
    } else if row.expires.is_some_and(|end| end.0 <= now) {
        "expired"
    } else {
        "live"
    }
}

/// The end states of a repository's paths in words: one, or each with its count.
#[must_use]
pub fn end_words(row: &Row) -> String {
    let counted: Vec<(EndState, u16)> = EndState::ALL
        .into_iter()
        .zip(row.ends)
        .filter(|(_, count)| *count > 0)
        .collect();
    match counted.as_slice() {
        [] => "no path".to_owned(),
        [(state, _)] => state.words().to_owned(),
        several => several
            .iter()
            .map(|(state, count)| format!("{} {count}", state.words()))
            .collect::<Vec<_>>()
            .join(", "),
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

/// True where every path of the repository is in an end state.
#[must_use]
pub fn is_done(row: &Row) -> bool {
    let [.., open] = row.ends;
    open == 0 && row.paths > 0
}

/// True where this person owns or reviews the repository.
#[must_use]
pub fn is_mine(row: &Row, me: &str) -> bool {
    [&row.owner, &row.reviewer]
        .into_iter()
        .flatten()
        .any(|person| person.eq_ignore_ascii_case(me))
}

/// Indices into the board's columns that views ask for.
pub mod board {
    pub const REPO: usize = 0;
    pub const OWNER: usize = 1;
    pub const REVIEWER: usize = 2;
    pub const LANE: usize = 3;
    pub const WAVES: usize = 4;
    pub const STATE: usize = 5;
    pub const CLOCK: usize = 6;
    pub const PATHS: usize = 7;
    pub const PACKAGES: usize = 8;
    pub const NEXT: usize = 9;
}

impl Item for Row {
    type Id = Subject;
    const COLUMNS: &'static [Column] = &[
        column("repo", "Repo", flex(14, 44, 3), 0),
        column("owner", "Owner", flex(6, 16, 1), 3),
        column("reviewer", "Reviewer", flex(8, 16, 1), 6),
        column("lane", "Lane", Width::Fixed(12), 1),
        column("waves", "0 1 2 3 4 5", Width::Fixed(11), 1),
        column("state", "End state", flex(12, 24, 1), 5),
        column("clock", "Clock", flex(9, 20, 1), 4),
        number("paths", "Paths", 5, 7),
        number("packages", "Packages", 8, 8),
        column("next", "Next step", flex(12, u16::MAX, 6), 2),
    ];
    const WORDS: &'static [Word] = &[
        Word {
            key: "repo",
            kind: Kind::Text,
        },
        Word {
            key: "owner",
            kind: Kind::Text,
        },
        Word {
            key: "reviewer",
            kind: Kind::Text,
        },
        Word {
            key: "lane",
            kind: Kind::OneOf(LANES),
        },
        Word {
            key: "wave",
            kind: Kind::Number,
        },
        Word {
            key: "is",
            kind: Kind::OneOf(REPO_IS),
        },
        Word {
            key: "gate",
            kind: Kind::Text,
        },
        Word {
            key: "clock",
            kind: Kind::Duration,
        },
        Word {
            key: "due",
            kind: Kind::Duration,
        },
        Word {
            key: "paths",
            kind: Kind::Number,
        },
        Word {
            key: "packages",
            kind: Kind::Number,
        },
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
            "lane" => {
                let mut words: Vec<&str> = self.lanes.iter().map(Lane::word).collect();
                words.push(match self.lane_word() {
                    "" => "none",
                    word => word,
                });
                Value::Words(words)
            }
            "wave" => Value::Number(i64::from(self.wave)),
            "is" => Value::Words(repo_is(self, context)),
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

    fn sort_key(&self, column: usize) -> SortKey<'_> {
        match column {
            board::REPO => SortKey::Text(&self.name),
            board::OWNER => text_key(self.owner.as_deref()),
            board::REVIEWER => text_key(self.reviewer.as_deref()),
            board::LANE => SortKey::Text(self.lane_word()),
            board::WAVES => SortKey::Number(i64::from(self.wave)),
            board::STATE => {
                // By the worst end state: open comes last in the table and first here.
                let worst = self.ends.iter().rposition(|count| *count > 0);
                worst.map_or(SortKey::Absent, |at| {
                    SortKey::Number(-i64::try_from(at).unwrap_or(0))
                })
            }
            board::CLOCK => clock_key(self.clock.as_ref()),
            board::PATHS => SortKey::Number(i64::from(self.paths)),
            board::PACKAGES => SortKey::Number(i64::from(self.packages)),
            board::NEXT => self
                .next
                .as_ref()
                .map_or(SortKey::Absent, |(_, _, words)| SortKey::Text(words)),
            _ => SortKey::Absent,
        }
    }
}

/// True where only the day of an end is known or meant: it never shows hours.
#[must_use]
pub fn day_only(kind: ClockKind) -> bool {
    !matches!(kind, ClockKind::TokenExpiry | ClockKind::RotationDue)
}

/// The words of `is:` that hold for a repository.
fn repo_is(row: &Row, context: &Context) -> Vec<&'static str> {
    let has = |of: fn(&Counts) -> u16| row.waves.iter().any(|wave| of(wave) > 0);
    let all = [
        ("open", !is_done(row)),
        ("done", is_done(row)),
        ("blocked", row.blocked),
        (
            "mine",
            context.me.as_deref().is_some_and(|me| is_mine(row, me)),
        ),
        ("unowned", row.owner.is_none()),
        ("unreviewed", row.reviewer.is_none()),
        ("attested", has(|wave| wave.attested)),
        ("waived", has(|wave| wave.waived)),
        ("unknown", has(|wave| wave.could_not)),
    ];
    let ends = [
        "proven",
        "cut-over",
        "on-demand",
        "bridged",
        "manual",
        "retired",
        "carried-over",
    ];
    let ended = ends
        .into_iter()
        .zip(row.ends)
        .map(|(word, count)| (word, count > 0));
    all.into_iter()
        .chain(ended)
        .filter(|(_, holds)| *holds)
        .map(|(word, _)| word)
        .collect()
}

/// Indices into the columns of the tokens that views ask for.
pub mod token {
    pub const NAME: usize = 0;
    pub const ACCOUNT: usize = 1;
    pub const RIGHTS: usize = 2;
    pub const STATE: usize = 3;
    pub const CLOCK: usize = 4;
    pub const SECRETS: usize = 5;
    pub const RELEASED: usize = 6;
    pub const SAFE: usize = 7;
}

impl Item for TokenRow {
    type Id = Subject;
    const COLUMNS: &'static [Column] = &[
        column("token", "Token", flex(14, 36, 2), 0),
        column("account", "Account", flex(8, 18, 1), 4),
        column("rights", "Rights", flex(9, 20, 1), 5),
        column("state", "State", Width::Fixed(7), 2),
        column("clock", "Clock", flex(9, 20, 1), 1),
        number("secrets", "Secrets", 7, 6),
        number("released", "Released", 9, 3),
        column("safe", "Safe to revoke", flex(14, u16::MAX, 6), 1),
    ];
    const WORDS: &'static [Word] = &[
        Word {
            key: "token",
            kind: Kind::Text,
        },
        Word {
            key: "account",
            kind: Kind::Text,
        },
        Word {
            key: "is",
            kind: Kind::OneOf(&[
                "live",
                "revoked",
                "expired",
                "safe",
                "held",
                "bypass",
                "read-only",
                "mine",
            ]),
        },
        Word {
            key: "clock",
            kind: Kind::Duration,
        },
        Word {
            key: "age",
            kind: Kind::Duration,
        },
        Word {
            key: "used",
            kind: Kind::Duration,
        },
        Word {
            key: "secrets",
            kind: Kind::Number,
        },
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
            "token" => text(token_name(self)),
            "account" => text(&self.account),
            "is" => {
                let mine = context
                    .me
                    .as_deref()
                    .is_some_and(|me| self.account.eq_ignore_ascii_case(me));
                let safe = self.chain.0.is_met();
                let all = [
                    (life(self, context.now), true),
                    ("safe", safe),
                    ("held", !safe),
                    ("bypass", self.bypass_2fa == Some(true)),
                    ("read-only", self.readonly == Some(true)),
                    ("mine", mine),
                ];
                Value::Words(
                    all.into_iter()
                        .filter(|(_, holds)| *holds)
                        .map(|(word, _)| word)
                        .collect(),
                )
            }
            "clock" => clock_value(self.clock.as_ref(), context),
            "age" => since(self.created),
            "used" => since(self.last_used),
            "secrets" => Value::Number(i64::from(self.secrets)),
            _ => Value::Absent,
        }
    }

    fn sort_key(&self, column: usize) -> SortKey<'_> {
        match column {
            token::NAME => SortKey::Text(token_name(self)),
            token::ACCOUNT => SortKey::Text(&self.account),
            token::RIGHTS => SortKey::Text(rights(self)),
            token::STATE => SortKey::Number(i64::from(self.gone.0.is_met())),
            token::CLOCK => clock_key(self.clock.as_ref()),
            token::SECRETS => SortKey::Number(i64::from(self.secrets)),
            token::RELEASED => SortKey::Number(i64::from(self.holds) - i64::from(self.released)),
            token::SAFE => SortKey::Number(i64::from(!self.chain.0.is_met())),
            _ => SortKey::Absent,
        }
    }
}

/// Indices into the columns of the log that views ask for.
pub mod log {
    pub const AT: usize = 0;
    pub const BY: usize = 1;
    pub const KIND: usize = 2;
    pub const ABOUT: usize = 3;
    pub const TEXT: usize = 4;
}

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
        Word {
            key: "by",
            kind: Kind::Text,
        },
        Word {
            key: "kind",
            kind: Kind::Text,
        },
        Word {
            key: "about",
            kind: Kind::Text,
        },
        Word {
            key: "is",
            kind: Kind::OneOf(&["signed", "unsigned", "mine"]),
        },
        Word {
            key: "age",
            kind: Kind::Duration,
        },
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
            "is" => {
                let mut words = vec![if self.signed { "signed" } else { "unsigned" }];
                if context
                    .me
                    .as_deref()
                    .is_some_and(|me| self.by.eq_ignore_ascii_case(me))
                {
                    words.push("mine");
                }
                Value::Words(words)
            }
            "age" => Value::Seconds(context.now.saturating_sub(self.at.0)),
            _ => Value::Absent,
        }
    }

    fn sort_key(&self, column: usize) -> SortKey<'_> {
        match column {
            log::AT => SortKey::Number(self.at.0),
            log::BY => SortKey::Text(&self.by),
            log::KIND => SortKey::Text(self.kind),
            log::ABOUT => self
                .about
                .map_or(SortKey::Absent, |about| SortKey::Text(about.kind.word())),
            _ => SortKey::Absent,
        }
    }
}
