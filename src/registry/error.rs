//! Why something of the registry could not be looked at: transport, or an answer that does not add up.

use crate::http::{Fault, RequestError};
use crate::model::fact::{Answer, CouldNotFact, LiveSource};
use crate::safe::shown::visible;

/// Could not look. What was seen before stands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    #[error(transparent)]
    Request(#[from] RequestError),
    #[error(
        "the login changed from {before} to {after} while the list was read; log in as one account and list again"
    )]
    AccountSwitched { before: Box<str>, after: Box<str> },
    #[error("the login is {is}, not {wanted}; nothing was listed")]
    OtherAccount { is: Box<str>, wanted: Box<str> },
    #[error("the registry knows nobody by this login; log in again with `npm login`")]
    Nobody,
    #[error("the registry counts {total} entries and {got} arrived; the list is not used")]
    Incomplete { got: usize, total: u64 },
    #[error(
        "the list is empty, which proves nothing; look on the registry's site whether that is so"
    )]
    Empty,
    #[error("the pages of the list do not end or repeat themselves; the list is not used")]
    Pages,
    #[error("the registry's answer is of an unknown shape ({0}); report it")]
    Shape(Box<str>),
    #[error("`{0}` is no name that the registry can have; nothing was asked")]
    Name(Box<str>),
    #[error("the registry says that there is provenance, and has none to show")]
    NoProvenance,
    #[error("the run that published it could not be read: {0}")]
    Run(Box<str>),
    #[error(
        "a one-time password is wanted, and the registry gives no page for it; log in with `npm login` first"
    )]
    NoChallenge,
    #[error(transparent)]
    Challenge(#[from] super::ChallengeError),
}

impl RegistryError {
    pub(super) fn shape(why: &str) -> Self {
        Self::Shape(visible(why).into())
    }

    /// Tells whether the registry answered that there is no such thing, or none that this login may see.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Request(trouble) if trouble.fault == Fault::NotFound)
    }

    /// Gives the fault of the way there, for the state of the endpoint group; none where the answer itself was odd.
    pub fn trouble(&self) -> Option<&RequestError> {
        match self {
            Self::Request(trouble) => Some(trouble),
            _ => None,
        }
    }

    /// Makes the answer "could not look" of one source.
    pub fn answer(&self, source: LiveSource) -> Answer {
        Answer::CouldNot(CouldNotFact {
            source,
            why: self.to_string().into(),
        })
    }
}
