//! The one HTTP client of the program: origins, credentials bound to them, caps, redirects, proxies and fault words.
//!
//! Knows HTTP and no service: paths, bodies and their meaning belong to `github` and `registry`. A credential cannot
//! be sent to another origin than its own, an answer cannot be larger than its cap, and a redirect is never followed.

mod call;
mod client;
mod fault;
mod group;
mod judge;
mod origin;
mod proxy;
mod reach;
mod seen;
mod state;

pub use call::{Accept, Call, Reply};
pub use client::{Client, Clock, Listen, Options, SetupError};
pub use fault::{Fault, RequestError, Sent, Stage};
pub use group::Group;
pub use origin::{Credential, NotThatOrigin, Origin, OriginError, World};
pub use proxy::Proxies;
pub use reqwest::Method;
pub use reqwest::header::HeaderMap;
pub use seen::{Rate, Seen, Skew};
pub use state::{Down, State, backoff};

#[cfg(test)]
mod tests;
