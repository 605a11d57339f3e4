//! What a token may do here, as GitHub says it, and which gates stay open without it.
//!
//! A classic token's scopes come with every answer (`x-oauth-scopes`); of a fine-grained one GitHub only says after a
//! refusal what was missing (`x-accepted-github-permissions`). Pure, but for reading them once.

use super::{GitHub, GithubError, wire};
use crate::http::Rate;
use crate::model::fact::LiveSource;
use crate::model::time::Ts;

/// What one kind of look needs, and what it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Need {
    pub source: LiveSource,
    /// In words, for a person.
    pub look: &'static str,
    /// Scope of a classic token that is enough.
    pub scope: &'static str,
    /// Permission of a fine-grained token or an app that is enough.
    pub permission: &'static str,
    pub gates: &'static [&'static str],
}

/// Every kind of look with what it needs (docs.github.com, "Permissions required for fine-grained personal access tokens").
pub const NEEDS: &[Need] = &[
    Need {
        source: LiveSource::Forge,
        look: "repositories, files and refs",
        scope: "repo",
        permission: "Contents: read",
        gates: &[
            "paths-found",
            "credential-classified",
            "packages-mapped",
            "token-uses-listed",
            "workflow-rewired",
            "fallback-removed",
        ],
    },
    Need {
        source: LiveSource::Runs,
        look: "runs, jobs and logs",
        scope: "repo",
        permission: "Actions: read",
        gates: &[
            "exchange-probed",
            "canary-published",
            "first-real-release",
            "unmatched-publishers-answered",
        ],
    },
    Need {
        source: LiveSource::Secrets,
        look: "secrets and variables of repositories",
        scope: "repo",
        permission: "Secrets: read, Variables: read, Dependabot secrets: read, Codespaces secrets: read, Environments: read",
        gates: &["secret-copies-listed", "old-secret-kept", "secrets-deleted"],
    },
    Need {
        source: LiveSource::Secrets,
        look: "secrets of the organisation and whom they are for",
        scope: "admin:org",
        permission: "Organization secrets: read",
        gates: &["secret-copies-listed", "secrets-deleted"],
    },
    Need {
        source: LiveSource::Environments,
        look: "environments and their protection",
        scope: "repo",
        permission: "Actions: read",
        gates: &["release-environment-exists", "environment-protected"],
    },
    Need {
        source: LiveSource::Actions,
        look: "settings of Actions and the OIDC subject",
        scope: "repo",
        permission: "Administration: read, Actions: read",
        gates: &["trust-decided"],
    },
    Need {
        source: LiveSource::Protection,
        look: "rules and protection of the default branch",
        scope: "repo",
        permission: "Metadata: read, Administration: read",
        gates: &["workflow-owned"],
    },
    Need {
        source: LiveSource::Rights,
        look: "who may do what",
        scope: "read:org",
        permission: "Metadata: read, Members: read",
        gates: &["powers-complete"],
    },
];

/// Finds what a source of facts needs.
pub fn needs_of(source: LiveSource) -> impl Iterator<Item = &'static Need> {
    NEEDS.iter().filter(move |need| need.source == source)
}

/// Scopes that contain others, as GitHub has them.
const CONTAINS: &[(&str, &[&str])] = &[
    (
        "repo",
        &[
            "repo:status",
            "repo_deployment",
            "public_repo",
            "repo:invite",
            "security_events",
        ],
    ),
    ("admin:org", &["write:org", "read:org"]),
    ("write:org", &["read:org"]),
    ("user", &["read:user", "user:email", "user:follow"]),
];

/// Scopes that this program has a use for.
const USEFUL: &[&str] = &[
    "repo",
    "public_repo",
    "read:org",
    "write:org",
    "admin:org",
    "workflow",
    "read:user",
    "user:email",
];

/// Whose token it is and what it may do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Powers {
    pub login: Box<str>,
    /// None for fine-grained tokens and apps: GitHub does not list theirs.
    pub scopes: Option<Vec<Box<str>>>,
    /// When the token ends, where GitHub says.
    pub expires: Option<Ts>,
    pub at: Option<Ts>,
}

impl Powers {
    /// Gives the looks that this token cannot have. Of a token without listed scopes nothing is known before it is refused.
    pub fn missing(&self) -> Vec<&'static Need> {
        let Some(scopes) = &self.scopes else {
            return Vec::new();
        };
        NEEDS
            .iter()
            .filter(|need| !scopes.iter().any(|own| contains(own, need.scope)))
            .collect()
    }

    /// Gives scopes that nothing here needs: a note, since a token that can do less loses less.
    pub fn excess(&self) -> Vec<&str> {
        let scopes = self.scopes.iter().flatten();
        scopes
            .map(|scope| &**scope)
            .filter(|scope| !USEFUL.contains(scope))
            .collect()
    }
}

fn contains(own: &str, wanted: &str) -> bool {
    own == wanted
        || CONTAINS
            .iter()
            .any(|(outer, inner)| *outer == own && inner.contains(&wanted))
}

/// Reads a list of scopes: comma-separated, possibly empty.
fn scopes_of(header: &str) -> Vec<Box<str>> {
    header
        .split(',')
        .map(str::trim)
        .filter(|scope| !scope.is_empty())
        .map(Into::into)
        .collect()
}

/// Reads when a token ends: `2026-12-24 10:00:00 UTC` or with an offset.
fn expiry_of(header: &str) -> Option<Ts> {
    let (day, rest) = header.trim().split_once(' ')?;
    let (time, zone) = rest.split_once(' ')?;
    let zone = match zone {
        "UTC" => "Z".to_owned(),
        // `+0200` as RFC 3339 writes it.
        other => format!("{}:{}", other.get(..3)?, other.get(3..)?),
    };
    Ts::parse(&format!("{day}T{time}{zone}"))
}

impl GitHub {
    /// Asks what is left of every limit. GitHub does not count this request.
    ///
    /// # Errors
    /// When GitHub cannot be asked; a server without limits answers 404.
    pub async fn limits(&self) -> Result<Vec<Rate>, GithubError> {
        let (limits, _) = self.read::<wire::Limits>("/rate_limit").await?;
        let rate = |(resource, limit): (Box<str>, wire::Limit)| Rate {
            limit: limit.limit,
            remaining: limit.remaining,
            used: limit.used,
            reset: Ts(limit.reset),
            resource,
        };
        Ok(limits.resources.into_iter().map(rate).collect())
    }

    /// Asks who this is and what the token may do. One request.
    ///
    /// # Errors
    /// When GitHub cannot be asked or does not accept the token.
    pub async fn powers(&self) -> Result<Powers, GithubError> {
        let reply = self.ask("/user").await?;
        let user: wire::User = reply.json()?;
        if user.login.is_empty() {
            return Err(GithubError::UnexpectedAnswer {
                what: "/user".into(),
                why: "the login",
            });
        }
        Ok(Powers {
            login: user.login,
            scopes: reply.header("x-oauth-scopes").map(scopes_of),
            expires: reply
                .header("github-authentication-token-expiration")
                .and_then(expiry_of),
            at: reply.seen.date,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::model::gate::GATES;

    fn with(scopes: &str) -> Powers {
        Powers {
            scopes: Some(scopes_of(scopes)),
            ..Default::default()
        }
    }

    #[test]
    fn every_gate_that_is_named_exists() {
        for gate in NEEDS.iter().flat_map(|need| need.gates) {
            assert!(GATES.iter().any(|known| known.id == *gate), "{gate}");
        }
    }

    #[test]
    fn scopes_say_what_is_missing_and_what_is_too_much() {
        assert!(with("repo, admin:org").missing().is_empty());
        let missing: Vec<_> = with("repo, read:org")
            .missing()
            .iter()
            .map(|need| need.scope)
            .collect();
        assert_eq!(missing, ["admin:org"]);
        assert_eq!(with("").missing().len(), NEEDS.len());
        assert_eq!(
            with("repo, delete_repo,gist, workflow").excess(),
            ["delete_repo", "gist"]
        );
        assert!(Powers::default().missing().is_empty() && Powers::default().excess().is_empty());
    }

    #[test]
    fn the_end_of_a_token_is_read_with_its_zone() {
        assert_eq!(
            expiry_of("2026-12-24 10:00:00 UTC"),
            Ts::parse("2026-12-24T10:00:00Z")
        );
        assert_eq!(
            expiry_of("2026-12-24 10:00:00 +0200"),
            Ts::parse("2026-12-24T08:00:00Z")
        );
        for bad in ["", "soon", "2026-12-24", "2026-12-24 10:00:00 +é0"] {
            assert_eq!(expiry_of(bad), None, "{bad}");
        }
    }
}
