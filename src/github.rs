//! GitHub as this program asks it: discovery, files, refs, runs, secrets, settings, rights, and what each call costs.
//!
//! Gives facts as the model knows them, or says why it could not look. Knows `http` and no scanner: what files mean is
//! for others. Must never take a 404 for absence, a part of a list for the list, or follow an address to another host.

mod ask;
pub mod cost;
pub mod credential;
pub mod discover;
pub mod files;
mod graph;
pub mod org;
pub mod pattern;
pub mod place;
pub mod power;
pub mod protection;
pub mod pulls;
pub mod refs;
pub mod run;
pub mod secrets;
pub mod settings;
#[cfg(test)]
mod tests;
mod wire;

use crate::http::{Client, Credential, NotThatOrigin, Options, RequestError, SetupError};
use crate::model::fact::{Answer, CouldNotFact, LiveSource};
use crate::model::id::Subject;
use crate::model::time::Ts;
use crate::safe::shown::visible;

pub use cost::Cost;
pub use discover::{Discovery, Found, Page, SkippedRepo};
pub use files::{Blobs, CheckoutFiles, Listed, TreeListing};
pub use pattern::Patterns;
pub use place::Place;
pub use run::{EtagMap, Etags, Job, LiveRun, Polled, ReleaseWorkflow, Step, Swept, Wait};

pub use crate::http::Listen;

/// One GitHub, as one account sees it. Cheap to clone.
#[derive(Clone)]
pub struct GitHub {
    client: Client,
    place: Place,
    listen: Listen,
}

impl std::fmt::Debug for GitHub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "GitHub({}, {:?})", self.place.forge(), self.client)
    }
}

/// Why no client could be made.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(transparent)]
    Setup(#[from] SetupError),
    #[error(transparent)]
    Credential(#[from] NotThatOrigin),
}

/// Why something could not be looked at.
#[derive(Debug, Clone, thiserror::Error)]
pub enum GithubError {
    #[error(transparent)]
    Request(#[from] RequestError),
    #[error("{what}: GitHub shows nothing there, so it is absent or not for this token to see{}", Needs(.needs.as_deref()))]
    Hidden {
        what: Box<str>,
        /// What the answer's headers say would be needed.
        needs: Option<Box<str>>,
    },
    #[error("{what}: GitHub answered in part: {says}")]
    Part { what: Box<str>, says: Box<str> },
    #[error(
        "{what}: GitHub's answer lacks what was due ({why}); ask again, and report it if it stays"
    )]
    UnexpectedAnswer { what: Box<str>, why: &'static str },
    #[error("`{}` is no GitHub repository such as owner/name; correct the name", visible(.0))]
    NoRepo(Box<str>),
}

struct Needs<'a>(Option<&'a str>);

impl std::fmt::Display for Needs<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(needs) => write!(f, "; a token that sees it has {}", visible(needs)),
            None => f.write_str("; ask with a token of more rights to know"),
        }
    }
}

impl GithubError {
    /// Tells whether only the thing that was asked for is out of reach: others may be asked as before.
    pub fn affects_one_resource(&self) -> bool {
        use crate::http::Fault;
        match self {
            Self::Request(trouble) => matches!(
                trouble.fault,
                Fault::Forbidden { .. }
                    | Fault::NotFound
                    | Fault::UnexpectedStatus { .. }
                    | Fault::TooLarge { .. }
                    | Fault::NotJson { .. }
            ),
            Self::Hidden { .. }
            | Self::Part { .. }
            | Self::UnexpectedAnswer { .. }
            | Self::NoRepo(_) => true,
        }
    }

    /// Tells whether a smaller question may be answered: the service failed, or gave up, while it worked.
    pub fn is_too_much(&self) -> bool {
        use crate::http::{Fault, Stage};
        match self {
            Self::Request(trouble) => matches!(
                trouble.fault,
                Fault::ServerError { status: 502 | 504 }
                    | Fault::TimedOut(Stage::Waiting | Stage::Body)
                    | Fault::TooLarge { .. }
            ),
            _ => false,
        }
    }

    /// Makes the answer that stands beside what was seen before.
    pub fn answer(&self, source: LiveSource) -> Answer {
        Answer::CouldNot(CouldNotFact {
            source,
            why: self.to_string().into(),
        })
    }
}

/// What a look brought, and when the server says it was.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Look {
    /// The server's date of the first answer that it rests on.
    pub at: Option<Ts>,
    pub answers: Vec<(Subject, Answer)>,
}

impl GitHub {
    /// Opens a GitHub at `place`. Without a credential only what is public is seen, and GraphQL is not to be had.
    ///
    /// # Errors
    /// When TLS or a proxy cannot be set up, or the credential is for another place.
    pub fn open(
        place: Place,
        credential: Option<Credential>,
        options: Options,
        listen: Listen,
    ) -> Result<Self, OpenError> {
        let mut client = Client::new(place.origin().clone(), options)?;
        if let Some(credential) = credential {
            client = client.acting_as(credential)?;
        }
        Ok(Self {
            client,
            place,
            listen,
        })
    }

    pub fn place(&self) -> &Place {
        &self.place
    }

    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Makes the id that facts about a repository of this forge have.
    pub fn subject(&self, name: &str) -> Subject {
        Subject::repo(self.place.forge(), name)
    }
}
