//! Which lists of its account show a token.

use super::{Facts, Listing, Sighting};
use crate::model::id::Subject;
use crate::model::token::Token;

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
