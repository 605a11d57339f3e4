//! What can go wrong between here and a service: one word and one plain sentence each, which says what to do.
//!
//! Owns telling transport faults apart. Foreign text stands in it only as `visible` makes it.

use std::error::Error;
use std::fmt;
use std::io;

use super::group::Group;
use super::reach::NameError;
use super::seen::Seen;
use crate::model::time::Ts;
use crate::safe::shown::{visible, visible_within};

/// Which part of an exchange took too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Connecting,
    /// Connected, and no answer began.
    Waiting,
    /// The answer came too slowly.
    Body,
}

/// One thing that went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    NameNotFound {
        host: Box<str>,
    },
    /// The host, or what its name stands for, may not be spoken to.
    NotAllowed {
        host: Box<str>,
    },
    Refused {
        host: Box<str>,
    },
    /// No way to the host: network down, no route.
    Unreachable {
        host: Box<str>,
    },
    Tls {
        why: Box<str>,
    },
    ProxyAuth,
    /// The proxy answered, but did not connect.
    Proxy {
        why: Box<str>,
    },
    /// A web page with status 200 where data was due.
    CaptivePortal,
    TimedOut(Stage),
    Reset,
    Truncated,
    TooLarge {
        cap: usize,
    },
    NotJson {
        why: Box<str>,
    },
    Redirected {
        to: Box<str>,
    },
    /// A next address that the service gave is of another origin.
    OtherOrigin {
        to: Box<str>,
    },
    ServerError {
        status: u16,
    },
    /// A web page with an error status: something in front of the service answers.
    EdgePage {
        status: u16,
    },
    Limited {
        until: Ts,
        secondary: bool,
    },
    Unauthorised {
        says: Box<str>,
    },
    Forbidden {
        /// What the service says would be needed, such as `actions=read`.
        needs: Option<Box<str>>,
        says: Box<str>,
    },
    /// Absent, or not ours to see.
    NotFound,
    /// Another status, with what the service says about it.
    UnexpectedStatus {
        status: u16,
        says: Box<str>,
    },
    /// It could not even be sent.
    Unsendable {
        why: Box<str>,
    },
}

/// Whether a request may have left: what decides if a request that changes something may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// It never left: it was refused here, or there was no connection.
    No,
    /// There was a connection, and no answer: whoever sent a change has to look whether it was made.
    Maybe,
    /// An answer began.
    Yes,
}

impl Sent {
    /// Tells it of a failed request to which no answer began.
    pub(super) fn of(error: &reqwest::Error) -> Self {
        match error.is_connect() || error.is_builder() {
            true => Self::No,
            false => Self::Maybe,
        }
    }
}

/// A fault, where it happened, whether the request may have left, and what the answer's head said if there was one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {fault}", group.word())]
pub struct RequestError {
    pub fault: Fault,
    pub group: Group,
    pub sent: Sent,
    pub seen: Box<Seen>,
}

impl RequestError {
    /// Returns a fault of a request that never left.
    pub(crate) fn unsent(group: Group, fault: Fault) -> Self {
        Self::without_answer(group, fault, Sent::No)
    }

    /// Returns a fault of a request to which no answer began.
    pub(super) fn without_answer(group: Group, fault: Fault, sent: Sent) -> Self {
        Self {
            fault,
            group,
            sent,
            seen: Box::default(),
        }
    }

    /// Returns a fault of an answer.
    pub(crate) fn answered(group: Group, fault: Fault, seen: Seen) -> Self {
        Self {
            fault,
            group,
            sent: Sent::Yes,
            seen: Box::new(seen),
        }
    }
}

impl Fault {
    /// Gives the word on screen.
    pub fn word(&self) -> &'static str {
        match self {
            Self::NameNotFound { .. } => "name not found",
            Self::NotAllowed { .. } => "not allowed",
            Self::Refused { .. } => "refused",
            Self::Unreachable { .. } => "unreachable",
            Self::Tls { .. } => "TLS",
            Self::ProxyAuth => "proxy 407",
            Self::Proxy { .. } => "proxy",
            Self::CaptivePortal => "captive portal",
            Self::TimedOut(_) => "timed out",
            Self::Reset => "reset",
            Self::Truncated => "truncated",
            Self::TooLarge { .. } => "too large",
            Self::NotJson { .. } => "not JSON",
            Self::Redirected { .. } => "redirected",
            Self::OtherOrigin { .. } => "other origin",
            Self::ServerError { .. } => "server error",
            Self::EdgePage { .. } => "edge page",
            Self::Limited { .. } => "limited",
            Self::Unauthorised { .. } => "unauthorised",
            Self::Forbidden { .. } => "forbidden",
            Self::NotFound => "not found",
            Self::UnexpectedStatus { .. } => "odd answer",
            Self::Unsendable { .. } => "not sent",
        }
    }

    /// Tells whether the whole endpoint group is down by this, not only the one thing that was asked for.
    pub fn affects_endpoint(&self) -> bool {
        matches!(
            self,
            Self::NameNotFound { .. }
                | Self::Refused { .. }
                | Self::Unreachable { .. }
                | Self::Tls { .. }
                | Self::ProxyAuth
                | Self::Proxy { .. }
                | Self::CaptivePortal
                | Self::TimedOut(_)
                | Self::Reset
                | Self::Truncated
                | Self::ServerError { .. }
                | Self::EdgePage { .. }
        )
    }

    /// Says where JSON could not be read; serde's own words may quote what it read, so they are made visible.
    pub(super) fn not_json(error: &serde_json::Error) -> Self {
        Self::NotJson {
            why: visible_within(&error.to_string(), 120).into(),
        }
    }

    /// Tells what a failed request or a broken body was. `answered` is whether an answer had begun.
    pub(super) fn of(error: &reqwest::Error, host: &str, answered: bool) -> Self {
        let host = || Box::from(visible(host));
        let chain = || std::iter::successors(error.source(), |inner| (*inner).source());
        if let Some(name) = chain().find_map(|inner| inner.downcast_ref::<NameError>()) {
            return match name {
                NameError::NotFound => Self::NameNotFound { host: host() },
                NameError::NotAllowed => Self::NotAllowed { host: host() },
            };
        }
        if error.is_timeout() {
            return Self::TimedOut(match (error.is_connect(), answered) {
                (true, _) => Stage::Connecting,
                (_, false) => Stage::Waiting,
                (_, true) => Stage::Body,
            });
        }
        let last = || {
            let last = chain().last();
            last.map_or_else(|| error.to_string(), ToString::to_string)
        };
        let kind = chain().filter_map(innermost).last();
        if error.is_connect() {
            return Self::of_connect(kind, &last(), host());
        }
        if error.is_builder() {
            return Self::Unsendable {
                why: visible(&last()).into(),
            };
        }
        use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
        match kind {
            Some(ConnectionReset | ConnectionAborted | BrokenPipe) => Self::Reset,
            _ if answered => Self::Truncated,
            // The library has no way to ask whether the connection ended or what came was no HTTP, except its words.
            _ if last().starts_with("invalid") => Self::NotJson {
                why: visible(&last()).into(),
            },
            _ => Self::Reset,
        }
    }

    fn of_connect(kind: Option<io::ErrorKind>, last: &str, host: Box<str>) -> Self {
        use io::ErrorKind as Kind;
        // The tunnel's error type is private to the HTTP library: its words are all there is.
        if let Some(why) = last.strip_prefix("tunnel error: ") {
            return if why == "proxy authorization required" {
                Self::ProxyAuth
            } else {
                Self::Proxy {
                    why: visible(why).into(),
                }
            };
        }
        match kind {
            Some(Kind::ConnectionRefused) => Self::Refused { host },
            Some(Kind::InvalidData | Kind::UnexpectedEof) => Self::Tls {
                why: visible(last).into(),
            },
            Some(Kind::ConnectionReset | Kind::ConnectionAborted | Kind::BrokenPipe) => Self::Reset,
            Some(Kind::TimedOut) => Self::TimedOut(Stage::Connecting),
            _ => Self::Unreachable { host },
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NameNotFound { host } => write!(f, "the name {host} is not found; check the network, VPN or the address"),
            Self::NotAllowed { host } => write!(f, "{host} may not be spoken to from here; nothing was sent"),
            Self::Refused { host } => write!(f, "{host} refuses connections; see whether it is down or a firewall is between"),
            Self::Unreachable { host } => write!(f, "there is no way to {host}; check the network or VPN"),
            Self::Tls { why } => write!(
                f,
                "no trusted TLS connection ({why}); if a company proxy opens TLS, name its certificate in npm's cafile"
            ),
            Self::ProxyAuth => f.write_str("the proxy wants a login (407); put it into HTTPS_PROXY"),
            Self::Proxy { why } => write!(f, "the proxy does not connect ({why}); check HTTPS_PROXY and NO_PROXY"),
            Self::CaptivePortal => {
                f.write_str("a web page came where data was due; the network may want a login in the browser first")
            }
            Self::TimedOut(Stage::Connecting) => f.write_str("no connection in time; it is tried again by itself"),
            Self::TimedOut(Stage::Waiting) => f.write_str("no answer in time; it is tried again by itself"),
            Self::TimedOut(Stage::Body) => f.write_str("the answer came too slowly; it is tried again by itself"),
            Self::Reset => f.write_str("the connection was cut before the answer; it is tried again by itself"),
            Self::Truncated => f.write_str("the answer broke off; nothing of it is used, it is tried again by itself"),
            Self::TooLarge { cap } => write!(f, "the answer is larger than {} KiB; it is not read", cap / 1024),
            Self::NotJson { why } => write!(f, "the answer is not what was due ({why}); check the address, or report it"),
            Self::Redirected { to } => write!(
                f,
                "redirected to {to}; redirects are not followed with a credential: set the address itself if it is right"
            ),
            Self::OtherOrigin { to } => write!(f, "the service points to {to}, another place; it is not followed"),
            Self::ServerError { status } => write!(f, "the service failed ({status}); it is tried again by itself"),
            Self::EdgePage { status } => write!(
                f,
                "a web page with status {status} came in place of the service's answer; a filter or limit stands in front, \
                 it is tried again later"
            ),
            Self::Limited { until, secondary: false } => write!(f, "the hour's budget is used up until {until}"),
            Self::Limited { until, secondary: true } => {
                write!(f, "limited until {until} for asking too fast; nothing of this kind is sent before")
            }
            Self::Unauthorised { says } => write!(f, "the credential is not accepted{}; log in again", Said(says)),
            Self::Forbidden { needs: Some(needs), says } => {
                write!(f, "the credential may not do this, it needs {needs}{}", Said(says))
            }
            Self::Forbidden { needs: None, says } => write!(
                f,
                "the credential may not do this{}; use one with more rights or ask an owner",
                Said(says)
            ),
            Self::NotFound => f.write_str("not found: absent, or private to this credential"),
            Self::UnexpectedStatus { status, says } => write!(f, "the service answered {status}{}", Said(says)),
            Self::Unsendable { why } => write!(f, "nothing was sent: {why}"),
        }
    }
}

/// Gives the kind of the innermost I/O error: the TLS layer wraps one in another, where `source` does not show it.
fn innermost(error: &(dyn Error + 'static)) -> Option<io::ErrorKind> {
    let mut io = error.downcast_ref::<io::Error>()?;
    while let Some(inner) = io.get_ref().and_then(|inner| inner.downcast_ref()) {
        io = inner;
    }
    Some(io.kind())
}

/// What the service says, in brackets, or nothing.
struct Said<'a>(&'a str);

impl fmt::Display for Said<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            Ok(())
        } else {
            write!(f, " ({})", self.0)
        }
    }
}
