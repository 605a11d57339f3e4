//! What is asked and what came back, without the way between.
//!
//! Owns what the numbers of an answer say about clocks and budgets. Must not know a service's paths.

use std::time::Duration;

use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::fault::{Fault, RequestError};
use super::group::Group;
use super::seen::Seen;
use crate::safe::secret::Secret;

/// Most decoded bytes of an answer, unless the call asks for another cap.
pub const CAP: usize = 8 * 1024 * 1024;

/// What an answer's body must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accept {
    Json,
    Text,
    Bytes,
}

/// One request, before it has an origin or a credential.
#[derive(Debug)]
pub struct Call {
    pub(super) group: Group,
    pub(super) method: Method,
    /// Path and query from the root of the origin.
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Vec<u8>>,
    pub(super) cap: usize,
    pub(super) accept: Accept,
    pub(super) reads: &'static [u16],
    pub(super) total: Option<Duration>,
    /// Why it cannot be sent, found while it was built.
    pub(super) unfit: Option<&'static str>,
}

impl Call {
    /// Asks for a path and query that begin with `/`; never an absolute address.
    pub fn get(group: Group, path: impl Into<String>) -> Self {
        Self::new(group, Method::GET, path)
    }

    /// Makes a call of another method.
    pub fn new(group: Group, method: Method, path: impl Into<String>) -> Self {
        Self {
            group,
            method,
            path: path.into(),
            headers: HeaderMap::new(),
            body: None,
            cap: CAP,
            accept: Accept::Json,
            reads: &[],
            total: None,
            unfit: None,
        }
    }

    /// Adds a header, in place of one of the same name.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        match HeaderValue::from_str(value) {
            Ok(value) => _ = self.headers.insert(HeaderName::from_static(name), value),
            Err(_) => self.unfit = Some("a header holds characters that cannot be sent"),
        }
        self
    }

    /// Adds a header whose value is a secret, such as a one-time password.
    #[must_use]
    pub fn secret(mut self, name: &'static str, value: &Secret) -> Self {
        match HeaderValue::from_str(value.expose()) {
            Ok(mut value) => {
                value.set_sensitive(true);
                self.headers.insert(HeaderName::from_static(name), value);
            }
            Err(_) => self.unfit = Some("a secret header holds characters that cannot be sent"),
        }
        self
    }

    /// Sends a JSON body.
    #[must_use]
    pub fn json(mut self, body: &impl Serialize) -> Self {
        match serde_json::to_vec(body) {
            Ok(bytes) => {
                self.body = Some(bytes);
                self.header("content-type", "application/json")
            }
            Err(_) => {
                self.unfit = Some("the body cannot be written as JSON");
                self
            }
        }
    }

    /// Names statuses beside 2xx that the caller wants to read: they come back as replies, not as troubles.
    #[must_use]
    pub fn reads(mut self, statuses: &'static [u16]) -> Self {
        self.reads = statuses;
        self
    }

    /// Sets what the body must be; JSON otherwise.
    #[must_use]
    pub fn accept(mut self, accept: Accept) -> Self {
        self.accept = accept;
        self
    }

    /// Sets the most decoded bytes that are taken; 8 MiB otherwise.
    #[must_use]
    pub fn cap(mut self, bytes: usize) -> Self {
        self.cap = bytes;
        self
    }

    /// Sets how long the whole call may take.
    #[must_use]
    pub fn within(mut self, total: Duration) -> Self {
        self.total = Some(total);
        self
    }
}

/// An answer: 2xx, or a status that the call said it reads.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    /// Decoded, at most the call's cap.
    pub body: Vec<u8>,
    pub seen: Seen,
    pub(super) group: Group,
}

impl Reply {
    /// Gives a header's value where it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Reads the body as JSON of a known shape.
    ///
    /// # Errors
    /// When it breaks off, is no JSON or is of another shape; the trouble says where.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, RequestError> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let fault = if error.is_eof() {
                Fault::Truncated
            } else {
                Fault::not_json(&error)
            };
            RequestError::answered(self.group, fault, self.seen.clone())
        })
    }

    /// Gives the body as text; bytes that are not UTF-8 are replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}
