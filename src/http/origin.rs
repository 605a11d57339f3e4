//! Where requests go: a scheme, a host and a port, and credentials that belong to exactly one of them.
//!
//! Owns the rule that only https leaves this machine, and that in the tabletop nothing does. Holds no path.

use std::fmt;
use std::net::IpAddr;

use reqwest::header::{HeaderName, HeaderValue};
use url::{Host, Url};

use crate::safe::secret::Secret;
use crate::safe::shown::visible;

/// Which hosts may be spoken to at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum World {
    /// The services themselves: https only.
    Real,
    /// The simulated organisation: this machine only, http allowed.
    Tabletop,
}

/// A scheme, a host and a port. Ordered and compared as a whole: two schemes are two origins.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    https: bool,
    /// Lower case, IDNA-encoded; an IPv6 address stands in brackets.
    host: Box<str>,
    port: u16,
}

/// Why a text is not an origin that may be used.
#[derive(Debug, thiserror::Error)]
pub enum OriginError {
    #[error("`{0}` is no address; write it like https://host/")]
    NoAddress(Box<str>),
    #[error("`{0}` is not https; only https is used, so that nobody on the way reads a credential")]
    NotHttps(Box<str>),
    #[error(
        "`{0}` carries a user name; take it out, credentials are read from npm's or gh's own configuration"
    )]
    Userinfo(Box<str>),
    #[error("`{0}` is not on this machine; the tabletop speaks to loopback only")]
    NotLoopback(Box<str>),
}

impl Origin {
    /// Reads the origin of an address; a path, query or fragment is left aside.
    ///
    /// # Errors
    /// When it is no address, carries user information, or is of a scheme or host that `world` does not allow.
    pub fn parse(text: &str, world: World) -> Result<Self, OriginError> {
        let shown = || Box::from(visible(text));
        let url = Url::parse(text.trim()).map_err(|error| {
            tracing::debug!(%error, "not an address");
            OriginError::NoAddress(shown())
        })?;
        Self::of(&url, world, &shown)
    }

    pub(super) fn of(
        url: &Url,
        world: World,
        shown: &dyn Fn() -> Box<str>,
    ) -> Result<Self, OriginError> {
        let https = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return Err(OriginError::NotHttps(shown())),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(OriginError::Userinfo(shown()));
        }
        let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
            return Err(OriginError::NoAddress(shown()));
        };
        let origin = Self {
            https,
            host: host.into(),
            port,
        };
        match world {
            World::Tabletop if !origin.is_loopback() => Err(OriginError::NotLoopback(shown())),
            World::Real if !https => Err(OriginError::NotHttps(shown())),
            _ => Ok(origin),
        }
    }

    /// Gives the host as it stands in an address: lower case, an IPv6 address in brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn is_https(&self) -> bool {
        self.https
    }

    /// Tells whether the host is this machine by its very name, without asking a name server.
    pub fn is_loopback(&self) -> bool {
        &*self.host == "localhost" || self.ip().is_some_and(|ip| ip.is_loopback())
    }

    /// Gives the address where the host is written as one.
    pub(super) fn ip(&self) -> Option<IpAddr> {
        match Host::parse(&self.host).ok()? {
            Host::Ipv4(ip) => Some(IpAddr::V4(ip)),
            Host::Ipv6(ip) => Some(IpAddr::V6(ip)),
            Host::Domain(_) => None,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, usual) = if self.https {
            ("https", 443)
        } else {
            ("http", 80)
        };
        write!(f, "{scheme}://{}", self.host)?;
        if self.port == usual {
            Ok(())
        } else {
            write!(f, ":{}", self.port)
        }
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A secret that authorises requests to one origin, and whose it is.
///
/// The value has no way out of this module other than a header of a request to its own origin.
#[derive(Debug, Clone)]
pub struct Credential {
    origin: Origin,
    header: HeaderName,
    value: HeaderValue,
    who: Box<str>,
}

/// A credential was to be used at another origin than its own, or cannot stand in a header.
#[derive(Debug, thiserror::Error)]
pub enum NotThatOrigin {
    #[error("the credential of {who} is for {own}, not for {other}; nothing was sent")]
    Other {
        who: Box<str>,
        own: Origin,
        other: Origin,
    },
    #[error(
        "the credential of {who} holds characters that no header can carry; take it anew from where it was read"
    )]
    Unfit { who: Box<str> },
}

impl Credential {
    /// Binds `Authorization: Bearer SECRET` to an origin; `who` names the account or the place it was read from.
    ///
    /// # Errors
    /// When the secret holds characters that no header can carry.
    pub fn bearer(origin: Origin, secret: &Secret, who: &str) -> Result<Self, NotThatOrigin> {
        let value = Secret::new(format!("Bearer {}", secret.expose()));
        Self::new(origin, reqwest::header::AUTHORIZATION, &value, who)
    }

    /// Binds a header with a secret value to an origin.
    ///
    /// # Errors
    /// When the secret holds characters that no header can carry.
    pub fn new(
        origin: Origin,
        header: HeaderName,
        secret: &Secret,
        who: &str,
    ) -> Result<Self, NotThatOrigin> {
        let who: Box<str> = visible(who).into();
        let Ok(mut value) = HeaderValue::from_str(secret.expose()) else {
            return Err(NotThatOrigin::Unfit { who });
        };
        value.set_sensitive(true);
        Ok(Self {
            origin,
            header,
            value,
            who,
        })
    }

    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Gives the words for whose credential it is, fit to be shown.
    pub fn who(&self) -> &str {
        &self.who
    }

    /// Gives header and value for a request to `origin`, which must be its own.
    pub(super) fn header_for(
        &self,
        origin: &Origin,
    ) -> Result<(HeaderName, HeaderValue), NotThatOrigin> {
        if self.origin == *origin {
            return Ok((self.header.clone(), self.value.clone()));
        }
        Err(NotThatOrigin::Other {
            who: self.who.clone(),
            own: self.origin.clone(),
            other: origin.clone(),
        })
    }
}
