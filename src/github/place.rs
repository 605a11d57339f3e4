//! Where a GitHub is: its name in a session, the origin of its API, and the paths of REST and GraphQL.
//!
//! github.com and `*.ghe.com` have a host of their own for the API; a GitHub Enterprise Server has it below `/api`.

use crate::http::{Origin, OriginError, World};

/// The GitHub that npm's trusted publishing knows.
pub const DOTCOM: &str = "github.com";

/// Where the API is: on a host of its own, or below a server.
const HOSTED_GRAPHQL: &str = "/graphql";
const SERVER_REST: &str = "/api/v3";
const SERVER_GRAPHQL: &str = "/api/graphql";

/// One GitHub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    forge: Box<str>,
    origin: Origin,
    rest: &'static str,
    graphql: &'static str,
    trusted: bool,
    /// GitHub runs it; not a server of the organisation's own.
    hosted: bool,
}

impl Place {
    /// Takes what `--forge` or `--github-url` says: a host such as `github.com`, or an https address.
    ///
    /// # Errors
    /// When it is no https address.
    pub fn parse(text: &str) -> Result<Self, OriginError> {
        let text = text.trim().trim_end_matches('/');
        let address = if text.contains("://") {
            text.to_owned()
        } else {
            format!("https://{text}")
        };
        let site = Origin::parse(&address, World::Real)?;
        let host = site.host();
        let name = host
            .strip_prefix("api.")
            .filter(|rest| is_hosted(rest))
            .unwrap_or(host);
        if is_hosted(name) {
            let origin = Origin::parse(&format!("https://api.{name}"), World::Real)?;
            let trusted = name == DOTCOM;
            return Ok(Self {
                forge: name.into(),
                origin,
                rest: "",
                graphql: HOSTED_GRAPHQL,
                trusted,
                hosted: true,
            });
        }
        let usual = if site.port() == 443 {
            host.to_owned()
        } else {
            format!("{host}:{}", site.port())
        };
        Ok(Self {
            forge: usual.into(),
            origin: site,
            rest: SERVER_REST,
            graphql: SERVER_GRAPHQL,
            trusted: false,
            hosted: false,
        })
    }

    /// Takes the address of a simulated GitHub on this machine; `forge` is the name that its session has. An address
    /// that ends in `/api/v3` is that of a server of one's own.
    ///
    /// # Errors
    /// When the address is not on this machine.
    pub fn tabletop(address: &str, forge: &str) -> Result<Self, OriginError> {
        let hosted = !address.trim_end_matches('/').ends_with(SERVER_REST);
        let (rest, graphql) = if hosted {
            ("", HOSTED_GRAPHQL)
        } else {
            (SERVER_REST, SERVER_GRAPHQL)
        };
        Ok(Self {
            forge: forge.into(),
            origin: Origin::parse(address, World::Tabletop)?,
            rest,
            graphql,
            trusted: hosted,
            hosted,
        })
    }

    /// Gives the name of the forge as sessions have it.
    pub fn forge(&self) -> &str {
        &self.forge
    }

    /// Gives the origin that requests and credentials are for.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Gives a REST path below the API's root.
    pub(super) fn rest(&self, path: &str) -> String {
        format!("{}{path}", self.rest)
    }

    pub(super) fn graphql(&self) -> &'static str {
        self.graphql
    }

    /// Tells whether there are codespaces and agents, which a server of one's own does not have.
    pub(super) fn has_codespaces(&self) -> bool {
        self.hosted
    }

    /// Tells whether npm trusts what this GitHub signs.
    pub fn has_trusted_publishing(&self) -> bool {
        self.trusted
    }

    /// Says what is not to be had here; none where nothing is missing.
    pub fn note(&self) -> Option<&'static str> {
        (!self.trusted).then_some(
            "npm trusts OIDC tokens of github.com only: here no path can publish without a token, lanes are staged with a \
             token, bridge or manual",
        )
    }
}

/// Tells whether GitHub runs it: the API then has a host of its own.
fn is_hosted(name: &str) -> bool {
    name == DOTCOM
        || name
            .strip_suffix(".ghe.com")
            .is_some_and(|rest| !rest.is_empty() && !rest.contains('.'))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn each_github_has_its_api_where_it_is() {
        for (text, forge, origin, rest, trusted) in [
            (
                "github.com",
                "github.com",
                "https://api.github.com",
                "/user",
                true,
            ),
            (
                "https://github.com/",
                "github.com",
                "https://api.github.com",
                "/user",
                true,
            ),
            (
                "https://api.github.com",
                "github.com",
                "https://api.github.com",
                "/user",
                true,
            ),
            (
                "acme.ghe.com",
                "acme.ghe.com",
                "https://api.acme.ghe.com",
                "/user",
                false,
            ),
            (
                "git.acme.example",
                "git.acme.example",
                "https://git.acme.example",
                "/api/v3/user",
                false,
            ),
            (
                "https://git.acme.example:8443/x",
                "git.acme.example:8443",
                "https://git.acme.example:8443",
                "/api/v3/user",
                false,
            ),
            // Only looks like it.
            (
                "github.com.evil.example",
                "github.com.evil.example",
                "https://github.com.evil.example",
                "/api/v3/user",
                false,
            ),
        ] {
            let place = Place::parse(text).unwrap();
            assert_eq!(place.forge(), forge);
            assert_eq!(place.origin().to_string(), origin);
            assert_eq!(place.rest("/user"), rest);
            assert_eq!(place.has_trusted_publishing(), trusted);
            assert_eq!(place.note().is_none(), trusted);
        }
    }

    #[test]
    fn nothing_but_https_and_no_user_names() {
        for bad in [
            "http://github.com",
            "https://rosa@github.com",
            "ftp://x",
            "",
        ] {
            assert!(Place::parse(bad).is_err(), "{bad}");
        }
        assert!(Place::tabletop("http://127.0.0.1:9", "tabletop").is_ok());
        assert!(Place::tabletop("http://10.0.0.1:9", "tabletop").is_err());
    }
}
