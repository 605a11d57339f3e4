//! Joins the rows of a token list with the tokens that a session has: by their key, or by what is there without it.
//!
//! The first sight of a token gives it its id for good, so decisions stay with it whichever form a later list has. Two
//! rows of one list never become one token.

use crate::model::event::Observation;
use crate::model::fact::{Answer, TokenFact};
use crate::model::facts::Facts;
use crate::model::id::Subject;
use crate::model::time::Ts;
use crate::model::token::{Identity, Token};
use std::collections::HashMap;

/// Puts the tokens that are here already in the place of those that the answers about a list propose.
///
/// A list ends with its listing; what it brought is known to the lists after it.
pub fn join(facts: &Facts, answers: Vec<(Subject, Observation)>) -> Vec<(Subject, Observation)> {
    let listed = |(_, one): &(Subject, Observation)| matches!(one.answer, Answer::Token(_));
    if !answers.iter().any(listed) {
        return answers;
    }
    let mut joined = Vec::with_capacity(answers.len());
    let mut earlier = Earlier::default();
    let mut rows: Vec<(Subject, Ts, TokenFact)> = Vec::new();
    for (about, observation) in answers {
        let as_of = observation.as_of;
        match observation.answer {
            Answer::Token(fact) => rows.push((about, as_of, fact)),
            Answer::Listing(mut listing) => {
                let places = earlier.take(facts, &mut rows, &mut joined);
                let of = |token: &Subject| places.get(token).cloned();
                let tokens = listing.tokens.iter();
                listing.tokens = tokens
                    .flat_map(|token| of(token).unwrap_or_else(|| vec![*token]))
                    .collect();
                let answer = Answer::Listing(listing);
                joined.push((about, Observation { as_of, answer }));
            }
            _ => joined.push((about, observation)),
        }
    }
    earlier.take(facts, &mut rows, &mut joined);
    joined
}

/// The account of a token, and the instant of its creation.
type Place = (Subject, Option<Ts>);

/// What earlier lists of the same answers brought.
#[derive(Debug, Default)]
struct Earlier(HashMap<Place, Vec<(Subject, TokenFact)>>);

impl Earlier {
    /// Takes the rows of one list: each to the tokens that it is of. Gives these by the subject that was proposed.
    fn take(
        &mut self,
        facts: &Facts,
        rows: &mut Vec<(Subject, Ts, TokenFact)>,
        joined: &mut Vec<(Subject, Observation)>,
    ) -> HashMap<Subject, Vec<Subject>> {
        let known: Vec<Vec<Subject>> = rows
            .iter()
            .map(|(about, _, fact)| self.known(facts, *about, fact))
            .collect();
        let mut claims: HashMap<Subject, usize> = HashMap::new();
        for token in known.iter().flatten() {
            *claims.entry(*token).or_default() += 1;
        }
        let mut places = HashMap::new();
        for ((about, as_of, fact), mut known) in rows.drain(..).zip(known) {
            // What two rows fit is neither's, unless its own id says so.
            known.retain(|token| *token == about || claims.get(token) == Some(&1));
            if known.is_empty() {
                known.push(about);
            }
            for token in &known {
                let answer = Answer::Token(fact.clone());
                joined.push((*token, Observation { as_of, answer }));
                let key = (Subject::person(&fact.account), fact.created);
                self.0.entry(key).or_default().push((*token, fact.clone()));
            }
            places.insert(about, known);
        }
        places
    }

    /// Gives every token here that a row may be of. Several where two people listed one apart: all of them are shown.
    fn known(&self, facts: &Facts, about: Subject, fact: &TokenFact) -> Vec<Subject> {
        let row = Identity::of(fact);
        let key = (Subject::person(&fact.account), fact.created);
        let here = facts.made.get(&key).map_or(&[][..], |all| all).iter();
        let here = here.filter(|token| {
            let known = facts.tokens.get(token).and_then(Token::identity);
            known.is_some_and(|known| known.may_be(&row))
        });
        let now = self.0.get(&key).into_iter().flatten();
        let now = now.filter(|(_, known)| Identity::of(known).may_be(&row));
        let mut tokens: Vec<Subject> = here.chain(now.map(|(token, _)| token)).copied().collect();
        if facts.tokens.contains_key(&about) {
            tokens.push(about);
        }
        tokens.sort_unstable();
        tokens.dedup();
        tokens
    }
}

#[cfg(test)]
mod tests;
