//! What `npm token list --json` printed, in the shape of any npm version: classic tokens and granular ones.
//!
//! Owns telling "not listed", "listed as none" and a value apart, and whether a listing is complete. Must not keep a
//! token: the masked form is kept, a value that could be whole refuses the list by place.
//! The fields of granular tokens are those of <https://docs.npmjs.com/about-access-tokens> and of the registry's API.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::sheet::{Format, Lines, said, saturate};
use super::{IntakeError, SecretPlace, has_secret, text};
use crate::model::fact::TokenFact;
use crate::model::time::Ts;
use crate::model::token::hides;
use crate::safe::shown::visible;

/// Most characters of a token that a masked form shows; npm shows four and four, or the first six.
const MASKED_SHOWS: usize = 16;
/// Most tokens of one list; npm allows 1,000 granular tokens per account.
const MAX_TOKENS: usize = 20_000;

/// A fact that a listing may leave out: classic listings have no expiry, no last use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Told<T> {
    /// The listing does not have this field.
    NotListed,
    /// The listing has the field, and it says none (never used, never expires).
    None,
    /// The listing says so.
    Is(T),
}

impl<T> Told<T> {
    /// The value where there is one.
    pub fn value(self) -> Option<T> {
        match self {
            Self::Is(value) => Some(value),
            Self::NotListed | Self::None => None,
        }
    }
}

/// What a token may be used on: `package @acme/ui`, `org acme`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Scope {
    /// `package`, `scope` or `org`; empty where the listing does not say.
    pub kind: String,
    pub name: String,
}

/// One token of one account, as listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// Line of the listing.
    pub line: u32,
    pub account: String,
    /// The registry's key; none where npm masks it.
    pub key: Option<String>,
    /// How the key starts, where npm masks it.
    pub id: Option<String>,
    /// The masked form, such as `npm_aBcD...7890`.
    pub redacted: Option<String>,
    pub name: Option<String>,
    pub description: Option<String>,
    pub readonly: Option<bool>,
    /// `None` where the listing does not say, which is not the same as no.
    pub bypass_2fa: Option<bool>,
    pub created: Option<DateTime<Utc>>,
    pub updated: Option<DateTime<Utc>>,
    pub expires: Told<DateTime<Utc>>,
    pub last_used: Told<DateTime<Utc>>,
    /// Revoked, and the instant where the listing tells it.
    pub revoked: Told<Option<DateTime<Utc>>>,
    /// `package:write`, `org:read`.
    pub permissions: Vec<String>,
    pub scopes: Vec<Scope>,
    pub cidr: Vec<String>,
    /// `stage_only` where the registry tells that the token may stage but not publish.
    pub publish_policy: Option<String>,
}

/// What tells one row of a list from the others: its key, else start of the key, instant of creation and name.
type RowId = (
    Option<String>,
    Option<String>,
    Option<DateTime<Utc>>,
    Option<String>,
);

impl TokenRow {
    fn identity(&self) -> RowId {
        match &self.key {
            Some(key) => (Some(key.clone()), None, None, None),
            None => (None, self.id.clone(), self.created, self.name.clone()),
        }
    }

    /// Makes the fact of a row. A token whose revocation has no time counts as revoked when it was last changed.
    #[must_use]
    pub fn fact(&self) -> TokenFact {
        let ts = |at: DateTime<Utc>| Ts(at.timestamp());
        let texts =
            |all: &[String]| -> Vec<Box<str>> { all.iter().map(|t| t.as_str().into()).collect() };
        let revoked = self.revoked.value();
        let scope = |s: &Scope| format!("{} {}", s.kind, s.name).trim().into();
        TokenFact {
            account: self.account.as_str().into(),
            key: self.key.as_deref().unwrap_or_default().into(),
            id: self.id.as_deref().map(Into::into),
            name: self.name.as_deref().map(Into::into),
            redacted: self.redacted.as_deref().map(Into::into),
            readonly: self.readonly,
            bypass_2fa: self.bypass_2fa,
            stage_only: self.publish_policy.as_deref().map(|p| p == "stage_only"),
            created: self.created.map(ts),
            expires: self.expires.value().map(ts),
            last_used: self.last_used.value().map(ts),
            revoked: revoked.map(|at| ts(at.or(self.updated).or(self.created).unwrap_or_default())),
            permissions: texts(&self.permissions),
            scopes: self.scopes.iter().map(scope).collect(),
            cidr: texts(&self.cidr),
        }
    }
}

/// One account's listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenList {
    pub account: String,
    pub rows: Vec<TokenRow>,
    /// Whether every token of the account is here. npm's command prints the bare tokens of all pages it got, without
    /// a total: that is `None`. The registry's own answer has a total and says whether there is a next page.
    pub complete: Option<bool>,
    /// How many there are by the registry's count, where it gave one.
    pub total: Option<u64>,
}

/// One value at the top of the listing.
#[derive(Default)]
struct Listing<'a> {
    tokens: Vec<&'a RawValue>,
    total: Option<u64>,
    /// `None`: no page said; else whether the last page had a next one.
    next: Option<bool>,
    bare: bool,
}

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    objects: Vec<&'a RawValue>,
    total: Option<u64>,
    urls: Option<Map<String, Value>>,
}

impl TokenList {
    /// Reads one account's listing: an array, the registry's pages, or one token a line.
    ///
    /// # Errors
    /// Not JSON, npm's error instead of a list, no known shape, another account's list, or a whole token in it.
    pub fn read(account: &str, bytes: &[u8]) -> Result<Self, IntakeError> {
        let text = text(bytes)?;
        let lines = Lines::of(text);
        let listing = listing(text)?;
        if listing.tokens.len() > MAX_TOKENS {
            return Err(shape(format!(
                "{} tokens in one list; give one file per account",
                listing.tokens.len()
            )));
        }
        let mut reader = Reader {
            account,
            secrets: Vec::new(),
        };
        let mut rows: Vec<TokenRow> = Vec::with_capacity(listing.tokens.len());
        let mut lines_of: HashMap<RowId, u32> = HashMap::new();
        let mut repeated = false;
        for raw in &listing.tokens {
            // A raw value borrows from the text, so the distance of the two is its offset.
            let offset = (raw.get().as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
            let line = lines.at(offset);
            let row = reader.row(raw, line)?;
            match lines_of.entry(row.identity()) {
                Entry::Vacant(place) => {
                    place.insert(line);
                    rows.push(row);
                }
                // Pages overlap when a token is made while they are read: kept once, and no longer proof of completeness.
                Entry::Occupied(_) if row.key.is_some() => repeated = true,
                Entry::Occupied(first) => return Err(alike(*first.get(), line)),
            }
        }
        if !reader.secrets.is_empty() {
            return Err(IntakeError::Secret(reader.secrets));
        }
        let complete = listing.complete(rows.len(), repeated);
        Ok(Self {
            account: account.to_owned(),
            rows,
            complete,
            total: listing.total,
        })
    }
}

impl Listing<'_> {
    fn complete(&self, unique: usize, repeated: bool) -> Option<bool> {
        if self.bare {
            return None;
        }
        if self.next == Some(true) || repeated {
            return Some(false);
        }
        let total = self.total?;
        if u64::try_from(unique).ok() != Some(total) {
            return Some(false);
        }
        self.next.map(|next| !next)
    }
}

/// Two rows whose keys are masked and that agree in all that is left: one token or two, nobody can tell.
fn alike(first: u32, second: u32) -> IntakeError {
    shape(format!(
        "lines {first} and {second}: the keys are masked, and id, name and time of creation are the same, so nothing tells \
         these tokens apart; give the registry's own answer (GET /-/npm/v1/tokens), which shows the keys"
    ))
}

fn shape(message: String) -> IntakeError {
    IntakeError::Shape { message }
}

fn listing(text: &str) -> Result<Listing<'_>, IntakeError> {
    let failed = |e: serde_json::Error| IntakeError::Syntax {
        format: Format::Json,
        line: saturate(e.line() as u64),
        message: format!(
            "{} (expected the output of `npm token list --json`)",
            said(&e.to_string())
        ),
    };
    let mut listing = Listing::default();
    let mut any = false;
    for value in serde_json::Deserializer::from_str(text).into_iter::<&RawValue>() {
        let raw = value.map_err(failed)?;
        any = true;
        match raw.get().as_bytes().first() {
            Some(b'[') => {
                let tokens: Vec<&RawValue> = serde_json::from_str(raw.get()).map_err(failed)?;
                listing.tokens.extend(tokens);
                listing.bare = true;
            }
            Some(b'{') => object(raw, &mut listing)?,
            _ => {
                return Err(shape(
                    "neither a list of tokens nor a token; give the output of `npm token list --json`"
                        .to_owned(),
                ));
            }
        }
    }
    if any {
        Ok(listing)
    } else {
        Err(shape(
            "the file is empty, which is not a list of no tokens; run `npm token list --json` again"
                .to_owned(),
        ))
    }
}

/// Takes a page of the registry's answer, a single token, or npm's report of an error.
fn object<'a>(raw: &'a RawValue, listing: &mut Listing<'a>) -> Result<(), IntakeError> {
    if let Ok(page) = serde_json::from_str::<Page<'a>>(raw.get()) {
        listing.tokens.extend(page.objects);
        listing.total = page.total.or(listing.total);
        let next = |urls: &Map<String, Value>| urls.get("next").is_some_and(|n| !n.is_null());
        listing.next = page.urls.as_ref().map(next).or(listing.next);
        return Ok(());
    }
    let map: Map<String, Value> = serde_json::from_str(raw.get()).unwrap_or_default();
    if let Some(error) = map.get("error") {
        let code = error
            .get("code")
            .and_then(Value::as_str)
            .unwrap_or("no code");
        return Err(shape(format!(
            "npm printed an error ({}) instead of a list; log in as this account and run `npm token list --json` again",
            said(code)
        )));
    }
    if map.contains_key("key") || map.contains_key("token") {
        listing.tokens.push(raw);
        listing.bare = true;
        return Ok(());
    }
    Err(shape(
        "neither a list of tokens nor a token; give the output of `npm token list --json`"
            .to_owned(),
    ))
}

struct Reader<'a> {
    account: &'a str,
    secrets: Vec<SecretPlace>,
}

impl Reader<'_> {
    fn row(&mut self, raw: &RawValue, line: u32) -> Result<TokenRow, IntakeError> {
        let map: Map<String, Value> = serde_json::from_str(raw.get()).map_err(|_not_a_map| {
            shape(format!(
                "line {line}: not a token; give the output of `npm token list --json`"
            ))
        })?;
        for (field, value) in &map {
            if has_secret(field) || holds_secret(value) {
                let column = if has_secret(field) {
                    "a field's name"
                } else {
                    field.as_str()
                };
                self.refuse(line, column);
            }
        }
        let fields = Fields { map: &map, line };
        let redacted = fields.text("token")?;
        if redacted.as_deref().is_some_and(|token| !is_masked(token)) {
            self.refuse(line, "token");
        }
        self.same_account(&fields)?;
        let (key, id) = fields.key()?;
        let row = TokenRow {
            line,
            account: self.account.to_owned(),
            key,
            id,
            redacted,
            name: fields.text("name")?.or(fields.text("token_name")?),
            description: fields
                .text("description")?
                .or(fields.text("token_description")?),
            readonly: fields.flag("readonly")?,
            bypass_2fa: fields.flag("bypass_2fa")?,
            created: fields.time("created")?.value(),
            updated: fields.time("updated")?.value(),
            expires: fields.either("expiry", "expires")?,
            last_used: fields.either("accessed", "last_used")?,
            revoked: fields.revoked()?,
            permissions: fields.permissions(),
            scopes: fields.scopes(),
            cidr: fields.cidr(),
            publish_policy: fields.text("publish_policy")?,
        };
        let named = row.name.as_deref().is_some_and(|name| !name.is_empty());
        if row.key.is_none() && row.id.is_none() && row.created.is_none() && !named {
            return Err(shape(format!(
                "line {line}: a token without key, id, name and time of creation: nothing tells it from another; \
                 give the output of `npm token list --json`"
            )));
        }
        Ok(row)
    }

    fn refuse(&mut self, line: u32, column: &str) {
        let place = SecretPlace {
            line,
            column: format!("field `{column}`"),
        };
        if self.secrets.last() != Some(&place) {
            self.secrets.push(place);
        }
    }

    /// Classic listings name the user; a list given under another account would put tokens at the wrong door.
    fn same_account(&self, fields: &Fields<'_>) -> Result<(), IntakeError> {
        match fields.text("user")? {
            Some(user) if !user.is_empty() && user != self.account => Err(shape(format!(
                "line {}: the list is of account `{}`, not `{}`; give it as {}=FILE",
                fields.line,
                visible(&user),
                visible(self.account),
                visible(&user)
            ))),
            _ => Ok(()),
        }
    }
}

fn holds_secret(value: &Value) -> bool {
    match value {
        Value::String(text) => has_secret(text),
        Value::Array(items) => items.iter().any(holds_secret),
        Value::Object(map) => map
            .iter()
            .any(|(key, value)| has_secret(key) || holds_secret(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Whether a token is masked: something is left out and little is shown, or it is npm's old form of six characters.
fn is_masked(token: &str) -> bool {
    let left_out = token.contains("...") || token.contains(['…', '*', '•']);
    let shown = token.chars().filter(|c| c.is_ascii_alphanumeric()).count();
    shown <= 8 || (left_out && shown <= MASKED_SHOWS)
}

/// Reads the fields of one token leniently: unknown ones are ignored, wrong kinds are errors.
struct Fields<'a> {
    map: &'a Map<String, Value>,
    line: u32,
}

impl Fields<'_> {
    fn wrong(&self, field: &str, expected: &str) -> IntakeError {
        shape(format!(
            "line {}: field `{field}` is not {expected}",
            self.line
        ))
    }

    fn text(&self, field: &str) -> Result<Option<String>, IntakeError> {
        match self.map.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(Value::Number(n)) => Ok(Some(n.to_string())),
            Some(_) => Err(self.wrong(field, "text")),
        }
    }

    /// Gives the key, or else its start. npm masks every key that looks like a UUID (`"key": "***"`), and prints beside
    /// it the start that tells it from the other keys of the list.
    fn key(&self) -> Result<(Option<String>, Option<String>), IntakeError> {
        let said = |text: Option<String>| text.filter(|text| !text.is_empty());
        let id = said(self.text("id")?).filter(|id| !hides(id));
        Ok(match said(self.text("key")?) {
            Some(key) if hides(&key) => (None, id),
            Some(key) => (Some(key), None),
            // A list of another make has the whole key as its id.
            None => (id, None),
        })
    }

    fn flag(&self, field: &str) -> Result<Option<bool>, IntakeError> {
        match self.map.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(Value::String(text)) if text == "true" => Ok(Some(true)),
            Some(Value::String(text)) if text == "false" => Ok(Some(false)),
            Some(_) => Err(self.wrong(field, "true or false")),
        }
    }

    fn time(&self, field: &str) -> Result<Told<DateTime<Utc>>, IntakeError> {
        let wrong = || self.wrong(field, "a time such as 2026-12-05T10:00:00.000Z");
        match self.map.get(field) {
            None => Ok(Told::NotListed),
            Some(Value::Null) => Ok(Told::None),
            Some(Value::String(text)) if text.is_empty() => Ok(Told::None),
            Some(Value::String(text)) => instant(text).map(Told::Is).ok_or_else(wrong),
            // Older registries count milliseconds.
            Some(Value::Number(n)) => n
                .as_i64()
                .and_then(DateTime::from_timestamp_millis)
                .map(Told::Is)
                .ok_or_else(wrong),
            Some(_) => Err(wrong()),
        }
    }

    fn either(&self, first: &str, second: &str) -> Result<Told<DateTime<Utc>>, IntakeError> {
        match self.time(first)? {
            Told::NotListed => self.time(second),
            told => Ok(told),
        }
    }

    fn revoked(&self) -> Result<Told<Option<DateTime<Utc>>>, IntakeError> {
        match self.map.get("revoked") {
            Some(Value::Bool(false)) => Ok(Told::None),
            Some(Value::Bool(true)) => Ok(Told::Is(None)),
            _ => Ok(match self.time("revoked")? {
                Told::Is(at) => Told::Is(Some(at)),
                Told::None => Told::None,
                Told::NotListed => Told::NotListed,
            }),
        }
    }

    fn permissions(&self) -> Vec<String> {
        let one = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Object(map) => {
                let part = |key: &str| map.get(key).and_then(Value::as_str);
                Some(format!("{}:{}", part("name")?, part("action")?))
            }
            _ => None,
        };
        self.items("permissions").iter().filter_map(one).collect()
    }

    fn scopes(&self) -> Vec<Scope> {
        let one = |value: &Value| match value {
            Value::String(name) => Some(Scope {
                kind: String::new(),
                name: name.clone(),
            }),
            Value::Object(map) => Some(Scope {
                kind: map
                    .get("type")
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned(),
                name: map.get("name").and_then(Value::as_str)?.to_owned(),
            }),
            _ => None,
        };
        self.items("scopes").iter().filter_map(one).collect()
    }

    fn cidr(&self) -> Vec<String> {
        ["cidr", "cidr_whitelist"]
            .iter()
            .flat_map(|field| self.items(field))
            .filter_map(|value| value.as_str().map(str::to_owned))
            .collect()
    }

    fn items(&self, field: &str) -> &[Value] {
        self.map
            .get(field)
            .and_then(Value::as_array)
            .map_or(&[], Vec::as_slice)
    }
}

fn instant(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Some(at.with_timezone(&Utc));
    }
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    Some(date.and_hms_opt(0, 0, 0)?.and_utc())
}

#[cfg(test)]
mod tests;
