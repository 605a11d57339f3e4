#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use super::*;
use crate::model::fact::ListingFact;
use crate::model::facts::{Dated, Tie};

const REGISTRY: &str = "https://registry.example";
const KEY: &str = "b3f08d71-5c6a-49ee-8d13-42a7fe96c05b";
const OTHER: &str = "b3f08d72-6d7b-4aff-9e24-53b80fa7d16c";

fn row(key: &str, id: &str, created: i64) -> TokenFact {
    TokenFact {
        account: "bot".into(),
        key: key.into(),
        id: (!id.is_empty()).then(|| id.into()),
        name: Some("release".into()),
        created: Some(Ts(created)),
        ..TokenFact::default()
    }
}

fn known(facts: &mut Facts, fact: TokenFact) -> Subject {
    let token = fact.subject(REGISTRY);
    let place = (Subject::person(&fact.account), fact.created);
    facts.made.entry(place).or_default().insert(token);
    let row = facts.tokens.entry(token).or_default();
    row.learn(&fact);
    row.fact = Some(Dated {
        as_of: Ts(5),
        tie: Tie::default(),
        value: fact,
    });
    token
}

fn list(rows: &[TokenFact]) -> Vec<(Subject, Observation)> {
    let tokens: Vec<Subject> = rows.iter().map(|row| row.subject(REGISTRY)).collect();
    let dated = |answer| Observation {
        as_of: Ts(9),
        answer,
    };
    let listing = ListingFact {
        account: "bot".into(),
        tokens: tokens.clone(),
        ..ListingFact::default()
    };
    let rows = rows.iter().map(|row| dated(Answer::Token(row.clone())));
    let mut answers: Vec<_> = tokens.into_iter().zip(rows).collect();
    answers.push((Subject::person("bot"), dated(Answer::Listing(listing))));
    answers
}

/// The tokens that the answers are about, and those that their last listing names.
fn of(answers: &[(Subject, Observation)]) -> (Vec<Subject>, Vec<Subject>) {
    let about = |(about, one): &(Subject, Observation)| {
        matches!(one.answer, Answer::Token(_)).then_some(*about)
    };
    let Answer::Listing(listing) = &answers.last().unwrap().1.answer else {
        panic!("{answers:?}")
    };
    (
        answers.iter().filter_map(about).collect(),
        listing.tokens.clone(),
    )
}

#[test]
fn a_masked_row_is_the_token_that_was_known_by_its_key() {
    let mut facts = Facts::default();
    let by_key = known(&mut facts, row(KEY, "", 1));
    let joined = join(&facts, list(&[row("", "b3f08d", 1)]));
    assert_eq!(of(&joined), (vec![by_key], vec![by_key]));
}

#[test]
fn a_whole_key_finds_the_token_that_was_masked_before() {
    let mut facts = Facts::default();
    let masked = known(&mut facts, row("", "b3f08d", 1));
    let joined = join(&facts, list(&[row(KEY, "", 1), row(OTHER, "", 2)]));
    let other = Subject::token(REGISTRY, "bot", OTHER);
    assert_eq!(of(&joined), (vec![masked, other], vec![masked, other]));
}

#[test]
fn an_id_that_grew_longer_is_the_same_token() {
    let mut facts = Facts::default();
    let masked = known(&mut facts, row("", "b3f08d", 1));
    let joined = join(
        &facts,
        list(&[row("", "b3f08d71", 1), row("", "b3f08d72", 2)]),
    );
    assert_eq!(of(&joined).0[0], masked);
}

#[test]
fn two_rows_never_become_one_token() {
    let mut facts = Facts::default();
    let masked = known(&mut facts, row("", "b3f08d", 1));
    let rows = [row("", "b3f08d71", 1), row("", "b3f08d72", 1)];
    let (about, listed) = of(&join(&facts, list(&rows)));
    assert_eq!(about, rows.map(|row| row.subject(REGISTRY)));
    assert_eq!(listed, about);
    assert!(!about.contains(&masked));
    // A row that is exactly what is known keeps its token beside one that only might be it.
    let rows = [row("", "b3f08d", 1), row("", "b3f08d72", 1)];
    let (about, _) = of(&join(&facts, list(&rows)));
    assert_eq!(about, [masked, rows[1].subject(REGISTRY)]);
}

#[test]
fn what_two_people_listed_apart_is_shown_as_both() {
    let mut facts = Facts::default();
    let by_key = known(&mut facts, row(KEY, "", 1));
    let masked = known(&mut facts, row("", "b3f08d", 1));
    for one in [row(KEY, "", 1), row("***", "b3f08d", 1)] {
        let (mut about, listed) = of(&join(&facts, list(&[one])));
        about.sort_unstable();
        let mut both = vec![by_key, masked];
        both.sort_unstable();
        assert_eq!((&about, listed.len()), (&both, 2));
    }
}

#[test]
fn lists_of_one_import_know_each_other() {
    let mut answers = list(&[row(KEY, "", 1)]);
    answers.extend(list(&[row("", "b3f08d", 1)]));
    let by_key = Subject::token(REGISTRY, "bot", KEY);
    assert_eq!(
        of(&join(&Facts::default(), answers)),
        (vec![by_key, by_key], vec![by_key])
    );
}
