//! The filter's word language: `lane:bridge wave<4 owner:rosa is:blocked clock<48h -ui "two words"`.
//!
//! Words with a key compare a column; free words are looked for in the row's lower-cased text. All words must hold; a
//! leading `-` turns one around; a comma separates alternatives. Pure: what a row holds comes through `Fields`.

use std::borrow::Cow;

/// What a row answers to a key.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// Nothing there: no comparison holds.
    Absent,
    /// Lower-cased text: `:` looks inside it, `=` compares all of it.
    Text(Cow<'a, str>),
    Number(i64),
    /// Seconds from now; negative when past.
    Seconds(i64),
}

/// A row that can be filtered.
pub trait Fields {
    /// True where a free word, lower-cased, stands in the row.
    fn contains(&self, word: &str) -> bool;
    /// The value of one of the keys given to `Filter::parse`; those of a fixed set of names are asked by `is`.
    fn value(&self, key: &str) -> Value<'_>;
    /// True where this name of a fixed set holds for the row.
    fn is(&self, key: &str, name: &str) -> bool;
}

/// A key that a list understands, and what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word {
    pub key: &'static str,
    pub kind: Kind,
}

/// How the value of a key is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Number,
    /// A number with m, h, d or w.
    Duration,
    /// One of a fixed set.
    OneOf(&'static [&'static str]),
}

impl Word {
    /// A key that holds text.
    #[must_use]
    pub const fn text(key: &'static str) -> Self {
        Self {
            key,
            kind: Kind::Text,
        }
    }

    /// A key that holds a number.
    #[must_use]
    pub const fn number(key: &'static str) -> Self {
        Self {
            key,
            kind: Kind::Number,
        }
    }

    /// A key that holds a time from now.
    #[must_use]
    pub const fn duration(key: &'static str) -> Self {
        Self {
            key,
            kind: Kind::Duration,
        }
    }

    /// A key that holds one of these names.
    #[must_use]
    pub const fn one_of(key: &'static str, names: &'static [&'static str]) -> Self {
        Self {
            key,
            kind: Kind::OneOf(names),
        }
    }
}

/// Why a filter is not understood; shown beside it while the last good one stays in force.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("no word `{key}`: use {known}, or quote it")]
    UnknownKey { key: String, known: String },
    #[error("`{key}` takes a number, for example {key}<4")]
    NotANumber { key: &'static str },
    #[error("`{key}` takes a time, for example {key}<48h or {key}<7d")]
    NotADuration { key: &'static str },
    #[error("`{key}` is one of {known}")]
    NotOneOf { key: &'static str, known: String },
    #[error("`{key}` cannot be compared with < or >; use {key}:")]
    NoOrder { key: &'static str },
    #[error("a quote is not closed")]
    OpenQuote,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compare {
    Has,
    Is,
    Less,
    AtMost,
    More,
    AtLeast,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    Free(String),
    Text {
        key: &'static str,
        exact: bool,
        any: Vec<String>,
    },
    Name {
        key: &'static str,
        any: Vec<&'static str>,
    },
    Number {
        key: &'static str,
        compare: Compare,
        value: i64,
    },
}

/// A filter that was understood.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    terms: Vec<(bool, Test)>,
}

impl Filter {
    /// Reads a filter; `words` are the keys that this list knows. A key without a value, as while typing, holds always.
    pub fn parse(text: &str, words: &[Word]) -> Result<Self, Error> {
        let mut terms = Vec::new();
        for token in tokens(text)? {
            let (wanted, body) = match token.bare.strip_prefix('-') {
                Some(rest) if !token.quoted && !rest.is_empty() => (false, rest),
                _ => (true, token.bare.as_str()),
            };
            let test = if token.quoted {
                Some(Test::Free(body.to_lowercase()))
            } else {
                term(body, words)?
            };
            terms.extend(test.map(|test| (wanted, test)));
        }
        Ok(Self { terms })
    }

    /// True when nothing is filtered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// True when every word holds for the row.
    #[must_use]
    pub fn holds(&self, row: &impl Fields) -> bool {
        self.terms
            .iter()
            .all(|(wanted, test)| test.holds(row) == *wanted)
    }

    /// True where the answer can change by time alone.
    #[must_use]
    pub fn depends_on_time(&self, words: &[Word]) -> bool {
        self.terms.iter().any(|(_, test)| match test {
            Test::Number { key, .. } => words
                .iter()
                .any(|word| word.key == *key && word.kind == Kind::Duration),
            _ => false,
        })
    }
}

impl Test {
    fn holds(&self, row: &impl Fields) -> bool {
        match self {
            Self::Free(needle) => row.contains(needle),
            Self::Text { key, exact, any } => match row.value(key) {
                Value::Text(text) => any.iter().any(|one| {
                    if *exact {
                        text == one.as_str()
                    } else {
                        text.contains(one.as_str())
                    }
                }),
                Value::Number(number) => any.iter().any(|one| *one == number.to_string()),
                Value::Absent | Value::Seconds(_) => false,
            },
            Self::Name { key, any } => any.iter().any(|name| row.is(key, name)),
            Self::Number {
                key,
                compare,
                value,
            } => match row.value(key) {
                Value::Number(found) | Value::Seconds(found) => match compare {
                    Compare::Has | Compare::Is => found == *value,
                    Compare::Less => found < *value,
                    Compare::AtMost => found <= *value,
                    Compare::More => found > *value,
                    Compare::AtLeast => found >= *value,
                },
                _ => false,
            },
        }
    }
}

struct Token {
    bare: String,
    quoted: bool,
}

/// Splits at blanks; quotes keep blanks, and a token that opens with one is free text.
fn tokens(text: &str) -> Result<Vec<Token>, Error> {
    let mut all = Vec::new();
    let mut letters = text.chars().peekable();
    while let Some(first) = letters.next() {
        if first.is_whitespace() {
            continue;
        }
        let quoted = first == '"';
        let mut inside = quoted;
        let mut bare = String::new();
        if !quoted {
            bare.push(first);
        }
        for letter in letters.by_ref() {
            match letter {
                '"' => inside = !inside,
                blank if blank.is_whitespace() && !inside => break,
                other => bare.push(other),
            }
        }
        if inside {
            return Err(Error::OpenQuote);
        }
        if !bare.is_empty() {
            all.push(Token { bare, quoted });
        }
    }
    Ok(all)
}

fn term(body: &str, words: &[Word]) -> Result<Option<Test>, Error> {
    let Some(at) = body.find([':', '<', '>', '=']) else {
        return Ok(Some(Test::Free(body.to_lowercase())));
    };
    let (key, rest) = body.split_at(at);
    let (compare, value) = comparison(rest);
    let key = key.to_lowercase();
    let Some(word) = words.iter().find(|word| word.key == key) else {
        let known: Vec<_> = words.iter().map(|word| word.key).collect();
        return Err(Error::UnknownKey {
            key: crate::safe::shown::visible(&key).into_owned(),
            known: known.join(", "),
        });
    };
    if value.is_empty() {
        return Ok(None);
    }
    read(*word, compare, &value.to_lowercase()).map(Some)
}

/// Splits the comparison from its value; `due:<7d` and `due<7d` are the same.
fn comparison(rest: &str) -> (Compare, &str) {
    let rest = match rest.strip_prefix(':') {
        Some(after) if after.starts_with(['<', '>', '=']) => after,
        Some(after) => return (Compare::Has, after),
        None => rest,
    };
    for (sign, compare) in [
        ("<=", Compare::AtMost),
        (">=", Compare::AtLeast),
        ("<", Compare::Less),
        (">", Compare::More),
        ("=", Compare::Is),
    ] {
        if let Some(value) = rest.strip_prefix(sign) {
            return (compare, value);
        }
    }
    (Compare::Has, rest)
}

fn read(word: Word, compare: Compare, value: &str) -> Result<Test, Error> {
    let key = word.key;
    let exact = compare == Compare::Is;
    match word.kind {
        Kind::Number => {
            let value = value.parse().ok().ok_or(Error::NotANumber { key })?;
            Ok(Test::Number {
                key,
                compare,
                value,
            })
        }
        Kind::Duration => {
            let value = duration(value).ok_or(Error::NotADuration { key })?;
            // `clock:48h` asks for what ends within that time: an exact second is never meant.
            let compare = if matches!(compare, Compare::Has | Compare::Is) {
                Compare::AtMost
            } else {
                compare
            };
            Ok(Test::Number {
                key,
                compare,
                value,
            })
        }
        Kind::Text | Kind::OneOf(_) if !matches!(compare, Compare::Has | Compare::Is) => {
            Err(Error::NoOrder { key })
        }
        Kind::Text => Ok(Test::Text {
            key,
            exact,
            any: alternatives(value),
        }),
        Kind::OneOf(known) => {
            // The beginning of a name will do while it is being typed.
            let any = alternatives(value);
            let full = |one: &String| {
                known
                    .iter()
                    .copied()
                    .filter(|name| name.starts_with(one.as_str()))
                    .collect::<Vec<_>>()
            };
            if any.iter().any(|one| full(one).is_empty()) {
                return Err(Error::NotOneOf {
                    key,
                    known: known.join(", "),
                });
            }
            let meant = |one: &String| match known.iter().find(|name| *name == one) {
                Some(name) => vec![*name],
                None => full(one),
            };
            let any = any.iter().flat_map(meant).collect();
            Ok(Test::Name { key, any })
        }
    }
}

fn alternatives(value: &str) -> Vec<String> {
    value
        .split(',')
        .filter(|one| !one.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Reads `90m`, `48h`, `7d`, `2w`, or minus any of these, as seconds.
fn duration(text: &str) -> Option<i64> {
    let (sign, text) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let unit = match text.chars().next_back()? {
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        'w' => 604_800,
        _ => return None,
    };
    let number: i64 = text.get(..text.len() - 1)?.parse().ok()?;
    number.checked_mul(unit).map(|seconds| sign * seconds)
}

#[cfg(test)]
mod tests;
