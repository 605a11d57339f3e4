//! What the npm registry says: typed, lenient answers of its endpoints, as facts of the session.
//!
//! Owns the meaning of the registry's paths and documents. Every answer is looked at as a whole: a listing that broke
//! off, changed hands on the way or does not add up is "could not look", never a shorter list. Must not decide when
//! something is asked, and never touches a project's own npm configuration.

mod account;
mod address;
mod answer;
mod challenge;
mod config;
mod error;
mod npmrc;
mod package;
mod packument;
mod provenance;
mod tokens;

pub use address::Base;
pub use challenge::{Challenge, ChallengeError, Guarded, Polled, Site};
pub use config::{ConfigError, NpmConfig, Sources, load};
pub use error::RegistryError;
pub use npmrc::Login;
pub use package::{Found, Stages};
pub use packument::{Known, Packument};
pub use provenance::{
    Attestation, Expected, Refused, Roots, Verified, fact as provenance_fact, verify,
};
pub use tokens::{Listing, answers, could_not_list};

use crate::http::{Client, Credential, NotThatOrigin, Options, SetupError};

/// Why no registry client could be made.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error(transparent)]
    Setup(#[from] SetupError),
    #[error(transparent)]
    Credential(#[from] NotThatOrigin),
    #[error("the login of {who} is for another registry; nothing was sent")]
    OtherRegistry { who: Box<str> },
}

/// One registry, spoken to for one account or for nobody. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Registry {
    client: Client,
    base: Base,
}

impl Registry {
    /// Makes a client of the registry at `base`, acting as `login` where there is one.
    ///
    /// # Errors
    /// When TLS or the proxy cannot be set up, or the login is for another place.
    pub fn new(base: Base, options: Options, login: Option<&Login>) -> Result<Self, ClientError> {
        let client = Client::new(base.origin().clone(), options)?;
        let one = Self { client, base };
        login.map_or(Ok(one.clone()), |login| one.acting_as(login))
    }

    /// Gives the same registry for another account; connections are shared.
    ///
    /// # Errors
    /// When the login is for another place.
    pub fn acting_as(&self, login: &Login) -> Result<Self, ClientError> {
        if !login.is_for(&self.base) {
            return Err(ClientError::OtherRegistry {
                who: login.place().into(),
            });
        }
        let credential =
            Credential::bearer(self.base.origin().clone(), login.secret(), login.place())?;
        Ok(Self {
            client: self.client.acting_as(credential)?,
            base: self.base.clone(),
        })
    }

    /// Gives the same registry without credential, for what everybody may read.
    #[must_use]
    pub fn as_nobody(&self) -> Self {
        Self {
            client: self.client.as_nobody(),
            base: self.base.clone(),
        }
    }

    pub fn base(&self) -> &Base {
        &self.base
    }

    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Gives the name of this registry in the ids of subjects: its address without the final slash.
    pub fn id(&self) -> &str {
        self.base.id()
    }
}

#[cfg(test)]
mod tests;
