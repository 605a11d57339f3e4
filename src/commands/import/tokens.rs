//! Token lists of `cutover import`: whose a list is, and what it says of each token.

use std::collections::BTreeSet;
use std::path::Path;

use crate::commands::context::shown;
use crate::commands::error::CommandError;
use crate::intake;
use crate::intake::npm_tokens::TokenList;
use crate::model::fact::{Answer, ListingFact, TokenFact};
use crate::model::facts::Facts;
use crate::model::id::Subject;
use crate::model::name::Login;
use crate::model::time::Ts;
use crate::model::token::{Identity, Token};
use crate::safe::shown::{counted, visible};

/// Characters of a key that npm shows where it masks it.
const START: usize = 6;

/// What the tokens of one list are known by: it tells whose the list is.
#[derive(Debug)]
pub struct KnownList {
    account: String,
    as_of: Ts,
    keys: BTreeSet<Box<str>>,
    /// Start of the key and instant of creation: of every token, and of those whose key is masked.
    all: BTreeSet<Mark>,
    masked: BTreeSet<Mark>,
}

type Mark = (Box<str>, Ts);

/// Gives what two forms of one row agree in; nothing where a row has too little of it.
fn mark(row: &Identity<'_>) -> Option<Mark> {
    let start = row.handle().get(..START)?;
    Some((start.into(), row.created?))
}

impl KnownList {
    fn with<'a>(
        account: &str,
        as_of: Ts,
        rows: impl Iterator<Item = Identity<'a>> + Clone,
    ) -> Self {
        let masked = rows.clone().filter(|row| row.key.is_none());
        Self {
            account: account.to_owned(),
            as_of,
            keys: rows
                .clone()
                .filter_map(|row| row.key)
                .map(Into::into)
                .collect(),
            masked: masked.filter_map(|row| mark(&row)).collect(),
            all: rows.filter_map(|row| mark(&row)).collect(),
        }
    }

    /// Takes down a list that was just read.
    pub(super) fn of(list: &TokenList, as_of: Ts) -> Self {
        let facts: Vec<TokenFact> = list.rows.iter().map(|row| row.fact()).collect();
        Self::with(&list.account, as_of, facts.iter().map(Identity::of))
    }

    /// Gives the lists that a session has.
    pub(super) fn all(facts: &Facts) -> Vec<Self> {
        let row = |token: &Subject| facts.tokens.get(token).and_then(Token::identity);
        let listings = facts.persons.values().flat_map(|person| {
            let listings = person.listings.iter();
            listings.map(move |one| {
                Self::with(&person.login, one.as_of, one.tokens.iter().filter_map(row))
            })
        });
        listings.collect()
    }

    fn has(&self, row: &Identity<'_>) -> bool {
        match row.key {
            Some(key) if self.keys.contains(key) => true,
            Some(_) => mark(row).is_some_and(|mark| self.masked.contains(&mark)),
            None => mark(row).is_some_and(|mark| self.all.contains(&mark)),
        }
    }
}

/// Refuses a list with tokens of another account: a token is one account's, so one of the names is wrong.
pub(super) fn whose(list: &TokenList, known: &[KnownList]) -> Result<(), CommandError> {
    let facts: Vec<TokenFact> = list.rows.iter().map(|row| row.fact()).collect();
    let same = |known: &KnownList| {
        let rows = facts.iter().map(Identity::of);
        rows.filter(|row| known.has(row)).count()
    };
    let others = known.iter().filter(|one| one.account != list.account);
    let most = others
        .map(|known| (same(known), known.as_of, known))
        .filter(|(count, ..)| *count > 0)
        .max_by_key(|(count, as_of, _)| (*count, *as_of));
    let Some((count, as_of, known)) = most else {
        return Ok(());
    };
    let account = visible(&known.account);
    Err(CommandError::user(format!(
        "these tokens are {account}'s, not {}'s ({count} of {} are in {account}'s list of {})",
        list.account,
        counted(list.rows.len(), "id"),
        as_of.day()
    ))
    .hint(
        "print the list as the account that it is for: `npm whoami`, then `npm token list --json`",
    ))
}

/// Reads the list that one `--tokens ACCOUNT=FILE` names.
///
/// # Errors
/// The argument has another shape, or the file cannot be read or is no token list.
pub(super) fn read(text: &str) -> Result<TokenList, CommandError> {
    let wrong = |why: &str| {
        CommandError::usage(format!("--tokens `{}`: {why}", visible(text)))
            .hint("write --tokens ACCOUNT=FILE, with what `npm token list --json` printed for that account")
    };
    let (account, file) = text
        .split_once('=')
        .ok_or_else(|| wrong("there is no `=`"))?;
    let account =
        Login::parse(account).map_err(|error| wrong(&format!("the account is {error}")))?;
    let file = Path::new(file);
    let about = |error: intake::IntakeError| {
        let named = error.to_string().contains(&shown(file));
        let error = CommandError::from(error);
        if named {
            error
        } else {
            error.about(&shown(file))
        }
    };
    let bytes = intake::read_file(file).map_err(about)?;
    TokenList::read(account.as_str(), &bytes).map_err(about)
}

/// Makes the answers of an account's token list: one a token, and the listing itself about the person.
pub(super) fn answers(list: &TokenList, registry: &str) -> Vec<(Subject, Answer)> {
    let mut listing = ListingFact {
        account: list.account.as_str().into(),
        complete: list.complete,
        tokens: Vec::new(),
    };
    let mut answers = Vec::new();
    for row in &list.rows {
        let fact = row.fact();
        let token = fact.subject(registry);
        listing.tokens.push(token);
        answers.push((token, Answer::Token(fact)));
    }
    // The listing comes last: by then every token that it names is known.
    answers.push((Subject::person(&list.account), Answer::Listing(listing)));
    answers
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn a_listing_names_its_tokens_and_says_whether_it_is_complete() {
        let bare = r#"[{"token":"npm_aB...9xYz","key":"k1","created":"2026-01-01T00:00:00Z","readonly":false}]"#;
        let list = TokenList::read("rosa", bare.as_bytes()).unwrap();
        let answers = super::answers(&list, "https://registry.example");
        let token = Subject::token("https://registry.example", "rosa", "k1");
        assert_eq!(answers[0].0, token);
        let (about, Answer::Listing(listing)) = answers.last().unwrap() else {
            panic!("{answers:?}")
        };
        assert_eq!(*about, Subject::person("rosa"));
        assert_eq!(listing.tokens, [token]);
        // npm's command prints no total: nothing proves that this was all.
        assert_eq!(listing.complete, None);
    }
}
