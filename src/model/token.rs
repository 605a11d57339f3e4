//! Which token a row of a list is, and which lists of its account show a token.
//!
//! npm 11.19 and later print `***` for the key of every granular token, and beside it an `id`: the start of the key,
//! of six characters or of as many more as tell the tokens of that one list apart. So a token is known by its key
//! where a list shows it, else by what is there: start of the key, instant of creation, name.

use super::fact::TokenFact;
use super::facts::dated::Dated;
use super::id::{Kind, Subject, SubjectList};
use super::time::Ts;
use std::collections::HashMap;

/// Tokens by account and instant of creation: two rows of one token agree in both.
pub type Made = HashMap<(Subject, Option<Ts>), SubjectList>;

/// A token of the registry, as its lists show it.
#[derive(Debug, Clone, Default)]
pub struct Token {
    pub fact: Option<Dated<TokenFact>>,
    /// The whole key, where any list ever showed it.
    pub key: Option<Box<str>>,
}

impl Token {
    /// Keeps the whole key, if the list shows it. Of two, the same one counts on every machine.
    pub fn learn(&mut self, fact: &TokenFact) {
        if let Some(key) = fact.full_key()
            && self.key.as_deref().is_none_or(|known| known < key)
        {
            self.key = Some(key.into());
        }
    }

    /// Gives what the token is known by; nothing where no list has shown it.
    pub fn identity(&self) -> Option<Identity<'_>> {
        let identity = Identity::of(&self.fact.as_ref()?.value);
        let key = self.key.as_deref().or(identity.key);
        Some(Identity { key, ..identity })
    }
}

/// What a token is known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity<'a> {
    pub account: &'a str,
    /// The whole key.
    pub key: Option<&'a str>,
    /// How the key starts.
    pub id: Option<&'a str>,
    pub created: Option<Ts>,
    pub name: Option<&'a str>,
}

impl<'a> Identity<'a> {
    pub fn of(fact: &'a TokenFact) -> Self {
        let said = |text: &'a Option<Box<str>>| text.as_deref().filter(|text| !text.is_empty());
        Self {
            account: &fact.account,
            key: fact.full_key(),
            id: said(&fact.id),
            created: fact.created,
            name: said(&fact.name),
        }
    }

    /// Tells whether two rows can be of one token.
    pub fn may_be(&self, other: &Self) -> bool {
        if self.account != other.account {
            return false;
        }
        let starts = |key: &str, id: &str| key.starts_with(id);
        let start = match (self.key, other.key, self.id, other.id) {
            (Some(one), Some(other), ..) => return one == other,
            (Some(key), None, _, Some(id)) | (None, Some(key), Some(id), _) => starts(key, id),
            // The same token has a longer id in a list where another key starts like its own.
            (None, None, Some(one), Some(other)) => starts(one, other) || starts(other, one),
            _ => {
                let told = self.created.is_some() || self.name.is_some();
                return told && self.created == other.created && self.name == other.name;
            }
        };
        let made = match self.created {
            Some(_) => self.created == other.created,
            None => other.created.is_none() && self.name == other.name,
        };
        start && made
    }

    /// Gives the whole key, else its start; empty where no list shows either.
    pub fn handle(&self) -> &'a str {
        self.key.or(self.id).unwrap_or_default()
    }
}

impl TokenFact {
    /// Gives the registry's key of the token, where the list shows it whole.
    pub fn full_key(&self) -> Option<&str> {
        Some(&*self.key).filter(|key| !key.is_empty() && !hides(key))
    }

    /// Gives the id that the token gets at first sight.
    pub fn subject(&self, registry: &str) -> Subject {
        let Identity {
            account,
            key,
            id,
            created,
            name,
        } = Identity::of(self);
        match key {
            Some(key) => Subject::token(registry, account, key),
            None => {
                let created = created.map(|at| at.to_string()).unwrap_or_default();
                let (id, name) = (id.unwrap_or_default(), name.unwrap_or_default());
                // An empty key is nobody's, so this can never be the id of a token by its key.
                Subject::mint(Kind::Token, &[registry, account, "", id, &created, name])
            }
        }
    }
}

/// Tells whether a key is shown with something left out.
pub fn hides(key: &str) -> bool {
    key.contains(['*', '•', '…']) || key.contains("...")
}

#[cfg(test)]
mod tests;
