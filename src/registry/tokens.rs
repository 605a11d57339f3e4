//! The tokens of one account: every page of one listing by one login, or "could not look".
//!
//! Owns when a listing counts: the login is the same before and after, every page came, and the registry's total is
//! what arrived. Must not keep a token: a form that is not masked is dropped.

use std::collections::BTreeSet;

use serde_json::Value;

use super::answer::{flag, items, kept, text, time};
use super::{Registry, RegistryError};
use crate::assets;
use crate::http::{Call, Group, Reply};
use crate::model::fact::{Answer, CouldNotFact, ListingFact, LiveSource, TokenFact};
use crate::model::id::Subject;
use crate::model::name::Login;
use crate::model::time::Ts;
use crate::model::token::hides;

/// Gives the most pages of one listing: twice what an account's tokens fill at ten a page, the smallest.
fn max_pages() -> u32 {
    assets::policy().write_token.per_account / 5
}

/// One listing that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    pub account: Login,
    pub tokens: Vec<TokenFact>,
    /// None where the registry gives no total, as older ones do.
    pub complete: Option<bool>,
    /// The server's date of the last page; none where it sends none.
    pub date: Option<Ts>,
}

impl Registry {
    /// Lists all tokens of this login's account.
    ///
    /// # Errors
    /// "Could not look": a page failed, the login changed meanwhile or is not `account`, the total does not agree, the
    /// pages repeat themselves, or the list is empty.
    pub async fn tokens(&self, account: &Login) -> Result<Listing, RegistryError> {
        let before = self.whoami_in(Group::NpmTokens).await?;
        if before != *account {
            return Err(RegistryError::OtherAccount {
                is: before.as_str().into(),
                wanted: account.as_str().into(),
            });
        }
        let mut pages = Pages::default();
        let mut next = Some(self.base.path("/-/npm/v1/tokens?page=0&perPage=100"));
        while let Some(path) = next {
            if pages.asked.len() as u64 == u64::from(max_pages())
                || !pages.asked.insert(path.clone())
            {
                return Err(RegistryError::Pages);
            }
            let call = Call::get(Group::NpmTokens, path)
                .header("npm-auth-type", "web")
                .header("npm-command", "token");
            let reply = self.client.send(call).await?;
            let follows = pages.take(&reply, account)?;
            next = follows
                .map(|address| self.client.follow(Group::NpmTokens, &address))
                .transpose()?;
        }
        let after = self.whoami_in(Group::NpmTokens).await?;
        if before != after {
            let name = |login: &Login| login.as_str().into();
            return Err(RegistryError::AccountSwitched {
                before: name(&before),
                after: name(&after),
            });
        }
        pages.end(before)
    }
}

#[derive(Default)]
struct Pages {
    asked: BTreeSet<String>,
    keys: BTreeSet<Box<str>>,
    tokens: Vec<TokenFact>,
    total: Option<u64>,
    date: Option<Ts>,
}

impl Pages {
    /// Takes one page in and gives the address of the next.
    fn take(&mut self, reply: &Reply, account: &Login) -> Result<Option<String>, RegistryError> {
        let page: Value = reply.json()?;
        let rows = page
            .get("objects")
            .and_then(Value::as_array)
            .ok_or_else(|| RegistryError::shape("a page without tokens"))?;
        for row in rows {
            let fact = token(row, account)?;
            if !self.keys.insert(fact.key.clone()) {
                return Err(RegistryError::Pages);
            }
            self.tokens.push(fact);
        }
        let total = page.get("total").and_then(Value::as_u64);
        // A token that was made or revoked between two pages moves the others: the list is asked for again.
        match (self.total, total) {
            (Some(first), Some(now)) if first != now => {
                return Err(RegistryError::Incomplete {
                    got: self.tokens.len(),
                    total: now,
                });
            }
            _ => self.total = self.total.or(total),
        }
        self.date = reply.seen.date.or(self.date);
        let next = page
            .get("urls")
            .and_then(|urls| urls.get("next"))
            .and_then(Value::as_str);
        Ok(next.filter(|next| !next.is_empty()).map(str::to_owned))
    }

    fn end(self, account: Login) -> Result<Listing, RegistryError> {
        let got = self.tokens.len();
        if let Some(total) = self.total.filter(|total| u64::try_from(got) != Ok(*total)) {
            return Err(RegistryError::Incomplete { got, total });
        }
        if got == 0 {
            return Err(RegistryError::Empty);
        }
        let complete = self.total.map(|_| true);
        Ok(Listing {
            account,
            tokens: self.tokens,
            complete,
            date: self.date,
        })
    }
}

/// Reads one token. Unknown fields are ignored; one without its key cannot be followed, so the list does not count.
fn token(row: &Value, account: &Login) -> Result<TokenFact, RegistryError> {
    let key = text(row, "key")
        .or_else(|| text(row, "id"))
        .filter(|key| !hides(key))
        .ok_or_else(|| RegistryError::shape("a token without its key"))?;
    if let Some(user) = text(row, "user").filter(|user| **user != *account.as_str()) {
        return Err(RegistryError::OtherAccount {
            is: user,
            wanted: account.as_str().into(),
        });
    }
    let named = |value: &Value| match value {
        Value::String(name) => Some(kept(name)),
        _ => None,
    };
    let pair = |first: &str, second: &str, between: &str| {
        let (first, second) = (first.to_owned(), second.to_owned());
        let between = between.to_owned();
        move |value: &Value| {
            named(value).or_else(|| {
                let (one, other) = (text(value, &first), text(value, &second)?);
                let start = one.map_or_else(String::new, |one| format!("{one}{between}"));
                Some(format!("{start}{other}").into())
            })
        }
    };
    let cidr = ["cidr", "cidr_whitelist"];
    Ok(TokenFact {
        account: account.as_str().into(),
        key,
        id: None,
        name: text(row, "name").or_else(|| text(row, "token_name")),
        redacted: text(row, "token").filter(|form| is_masked(form)),
        readonly: flag(row, "readonly"),
        bypass_2fa: flag(row, "bypass_2fa"),
        stage_only: text(row, "publish_policy").map(|policy| &*policy == "stage_only"),
        created: time(row, "created"),
        expires: time(row, "expiry").or_else(|| time(row, "expires")),
        last_used: time(row, "accessed").or_else(|| time(row, "last_used")),
        revoked: time(row, "revoked"),
        permissions: items(row, "permissions")
            .iter()
            .filter_map(pair("name", "action", ":"))
            .collect(),
        scopes: items(row, "scopes")
            .iter()
            .filter_map(pair("type", "name", " "))
            .collect(),
        cidr: cidr
            .iter()
            .flat_map(|key| items(row, key))
            .filter_map(named)
            .collect(),
    })
}

/// Tells whether a form hides most of a token: npm shows four characters at each end beside the prefix.
fn is_masked(form: &str) -> bool {
    let left_out = form.contains("...") || form.contains(['…', '*', '•']);
    let shown = form.chars().filter(char::is_ascii_alphanumeric).count();
    shown <= 8 || left_out && shown <= 16
}

/// Gives the facts of a listing: each token, and the list itself.
pub fn answers(listing: &Listing, registry: &str) -> Vec<(Subject, Answer)> {
    let account = listing.account.as_str();
    let mut answers: Vec<(Subject, Answer)> = Vec::with_capacity(listing.tokens.len() + 1);
    for fact in &listing.tokens {
        answers.push((fact.subject(registry), Answer::Token(fact.clone())));
    }
    let tokens = answers.iter().map(|(token, _)| *token).collect();
    let list = ListingFact {
        account: account.into(),
        complete: listing.complete,
        tokens,
    };
    answers.push((Subject::person(account), Answer::Listing(list)));
    answers
}

/// Gives the fact that an account's tokens could not be listed.
pub fn could_not_list(account: &Login, lost: &RegistryError) -> (Subject, Answer) {
    let fact = CouldNotFact {
        source: LiveSource::Tokens,
        why: lost.to_string().into(),
    };
    (Subject::person(account.as_str()), Answer::CouldNot(fact))
}
