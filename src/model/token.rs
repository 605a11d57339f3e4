//! Which token a row of a list is, and which lists of its account show a token.
//!
//! npm 11.19 and later print `***` for the key of every granular token, and beside it an `id`: the start of the key,
//! of six characters or of as many more as tell the tokens of that one list apart. So a token is known by its key
//! where a list shows it, else by what is there: start of the key, instant of creation, name.

use super::fact::TokenFact;
use super::facts::{Dated, Facts, Listing, Sighting};
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

impl Facts {
    /// Gives the whole key of a token, else its start as the list shows it; empty where no list shows either.
    pub fn token_key(&self, token: Subject) -> &str {
        let row = self.tokens.get(&token);
        row.and_then(Token::identity).map_or("", |one| one.handle())
    }

    /// Gives the other tokens here that may be this one: two people who listed it apart, and then merged.
    fn twins(&self, token: Subject) -> Vec<Subject> {
        let Some(own) = self.tokens.get(&token).and_then(Token::identity) else {
            return Vec::new();
        };
        let near = self
            .made
            .get(&(Subject::person(own.account), own.created))
            .map_or(&[][..], |all| all);
        let same = |one: &&Subject| {
            let row = self.tokens.get(one).and_then(Token::identity);
            **one != token && row.is_some_and(|row| own.may_be(&row))
        };
        near.iter().filter(same).copied().collect()
    }

    /// Gives the listings of the account of a token, oldest first, and whether each shows the token.
    fn listed(&self, token: Subject) -> Vec<(&Listing, bool)> {
        let Some(own) = self.tokens.get(&token).and_then(Token::identity) else {
            return Vec::new();
        };
        let twins = self.twins(token);
        let person = self.persons.get(&Subject::person(own.account));
        let listings = person.map_or(&[][..], |person| &person.listings);
        let shows = |listing: &Listing| {
            let mut same = std::iter::once(&token).chain(&twins);
            same.any(|one| listing.tokens.contains(one))
        };
        listings.iter().map(|one| (one, shows(one))).collect()
    }

    /// Gives when a token was listed and when it was missing from a complete listing, oldest first.
    pub fn sightings(&self, token: Subject) -> Vec<Sighting> {
        // A short list proves presence, never absence.
        let counts =
            |(listing, present): &(&Listing, bool)| *present || listing.complete == Some(true);
        let listed = self.listed(token).into_iter().filter(counts);
        listed
            .map(|(listing, present)| Sighting {
                as_of: listing.as_of,
                present,
            })
            .collect()
    }

    /// Says of the last list of the account that it lacks the token; nothing where it shows it or there is none.
    pub fn absent_words(&self, token: Subject) -> Option<String> {
        let listed = self.listed(token);
        let (last, present) = listed.last()?;
        let proves = match last.complete {
            Some(true) => "which proves to be complete",
            _ => "which does not prove to be complete",
        };
        let day = last.as_of.day();
        (!present).then(|| format!("absent from the list of {day} ({proves})"))
    }
}

#[cfg(test)]
mod tests;
