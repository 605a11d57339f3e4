//! Tokens on their way out: which secrets hold them, which lists are owed, and revocations done outside.

use super::builder::{DraftEvent, EventBuilder};
use super::days;
use super::refusal::{Refusal, refuse, refuse_with};
use crate::model::event::{RevocationRecorded, SecretEdgeAttested, TokenListOwed};
use crate::model::id::{Kind, Subject};
use crate::session::name::label;
use chrono::NaiveDate;

/// What somebody says of tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RevocationAction {
    /// Says that a secret holds a token, or that it does not.
    AttestEdge {
        token: Subject,
        secret: Subject,
        holds: bool,
        note: String,
    },
    /// Says that a token stands in every secret in which another stood: the secrets were rotated.
    ReplaceToken {
        new: Subject,
        old: Subject,
        note: String,
    },
    /// Says that an account still owes a list of its tokens, or that it does not.
    OweTokenList { account: String, owed: bool },
    /// Records a revocation that was done outside.
    Record {
        token: Subject,
        token_id: String,
        on: NaiveDate,
        who: String,
        proof: String,
    },
}

impl RevocationAction {
    pub(super) fn drafts(&self, make: &EventBuilder<'_>) -> Result<Vec<DraftEvent>, Refusal> {
        match self {
            Self::AttestEdge {
                token,
                secret,
                holds,
                note,
            } => edge(make, *token, *secret, *holds, note),
            Self::ReplaceToken { new, old, note } => replace(make, *new, *old, note),
            Self::OweTokenList { account, owed } => {
                let login = make.login(account)?;
                let about = Subject::person(&login);
                let (owed, account) = (*owed, login.into());
                Ok(vec![make.one(about, TokenListOwed { owed, account })])
            }
            Self::Record {
                token,
                token_id,
                on,
                who,
                proof,
            } => record(make, *token, token_id, *on, (who, proof)),
        }
    }
}

fn edge(
    make: &EventBuilder<'_>,
    token: Subject,
    secret: Subject,
    holds: bool,
    note: &str,
) -> Result<Vec<DraftEvent>, Refusal> {
    make.known(secret)?;
    let note = make.said(note, "add --note with how you know")?;
    make.each(&[token], Kind::Token, |_| {
        let note = note.clone().into();
        Ok(SecretEdgeAttested {
            secret,
            holds,
            note,
        }
        .into())
    })
}

fn replace(
    make: &EventBuilder<'_>,
    new: Subject,
    old: Subject,
    note: &str,
) -> Result<Vec<DraftEvent>, Refusal> {
    if new == old {
        return Err(refuse("a token does not replace itself"));
    }
    let facts = &make.fold.facts;
    let secrets = facts.secrets_of(old);
    if secrets.is_empty() {
        return Err(refuse_with(
            format!("no secret is known to hold {}", label(facts, old)),
            "name the secrets of the new token: cutover edge TOKEN SECRET --holds --note TEXT",
        ));
    }
    let mut drafts = Vec::with_capacity(2 * secrets.len());
    for secret in secrets {
        drafts.extend(edge(make, new, secret, true, note)?);
        drafts.extend(edge(make, old, secret, false, note)?);
    }
    Ok(drafts)
}

fn record(
    make: &EventBuilder<'_>,
    token: Subject,
    token_id: &str,
    on: NaiveDate,
    (who, proof): (&str, &str),
) -> Result<Vec<DraftEvent>, Refusal> {
    days::behind(on, make.now)?;
    let proof = make.said(
        proof,
        "a revocation needs a proof: a link, a ticket, or what was seen",
    )?;
    let who = make.login(who)?;
    let token_id = make.said(token_id, "name the token's id as the registry lists it")?;
    // Either may be the start of the other: npm prints no more than the start of a granular token's key.
    let listed = Some(make.fold.facts.token_key(token)).filter(|key| !key.is_empty());
    let fits = |key: &str| key.starts_with(&token_id) || token_id.starts_with(key);
    if listed.is_some_and(|key| !fits(key)) {
        return Err(refuse_with(
            "this id is not the token's that was selected",
            "compare it with the token list",
        ));
    }
    let longest = listed.filter(|key| key.len() > token_id.len());
    let id = longest.unwrap_or(&token_id);
    make.each(&[token], Kind::Token, |_| {
        Ok(RevocationRecorded {
            token_id: id.into(),
            on,
            who: who.clone().into(),
            proof: proof.clone().into(),
        }
        .into())
    })
}
