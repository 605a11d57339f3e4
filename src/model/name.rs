//! Names of the services, each with the service's grammar. What does not fit is a finding, not a value.

use std::fmt;

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $fits:expr, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            /// Takes the text if it fits the service's grammar.
            pub fn parse(text: &str) -> Result<Self, BadName> {
                let fits: fn(&str) -> bool = $fits;
                if fits(text) { Ok(Self(text.into())) } else { Err(BadName { what: $what }) }
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

/// A name that does not fit its service's grammar. The text itself is not in the message: it is foreign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a {what}")]
pub struct BadName {
    pub what: &'static str,
}

fn word(text: &str, max: usize, extra: &str) -> bool {
    !text.is_empty()
        && text.len() <= max
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || extra.contains(c))
}

name!(
    /// `owner/name`; deeper groups are allowed, as GitLab has them.
    RepoName,
    |text| {
        let parts: Vec<&str> = text.split('/').collect();
        (1..=8).contains(&parts.len()) && parts.iter().all(|part| word(part, 100, "-_.") && *part != "." && *part != "..")
    },
    "repository name such as owner/name"
);

name!(
    /// The host of a forge, with its port where that is not the usual one.
    HostName,
    |text| word(text, 253, ".-:") && text.starts_with(|c: char| c.is_ascii_alphanumeric()),
    "host name such as github.com"
);

name!(
    /// An npm package name, scoped or not.
    PackageName,
    |text| {
        if text.len() > 214 {
            return false;
        }
        let body = |part: &str| word(part, 214, "-_.~!'()*");
        match text.strip_prefix('@') {
            Some(scoped) => scoped.split_once('/').is_some_and(|(scope, name)| body(scope) && body(name)),
            None => body(text) && !text.starts_with('.'),
        }
    },
    "package name such as @scope/name"
);

name!(
    /// The name of a secret or variable.
    SecretName,
    |text| word(text, 255, "_-") && !text.starts_with(|c: char| c.is_ascii_digit()),
    "secret name such as NPM_TOKEN"
);

name!(
    /// The name of a deployment environment.
    EnvironmentName,
    |text| !text.is_empty() && text.chars().count() <= 255 && text.chars().all(|c| !c.is_control()),
    "environment name"
);

name!(
    /// A login or account name; mail addresses are taken too, since teams name people by them.
    Login,
    |text| word(text, 128, "-_.@+"),
    "login such as rosa"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_their_services() {
        assert!(RepoName::parse("acme/ui-kit").is_ok());
        assert!(RepoName::parse("group/sub/project").is_ok());
        for bad in [
            "",
            "acme/",
            "/x",
            "a/../b",
            "a b/c",
            "a/\u{202e}b",
            "a/b\u{1b}[0m",
        ] {
            assert!(RepoName::parse(bad).is_err(), "{bad:?}");
        }
        assert!(PackageName::parse("@acme/ui").is_ok());
        assert!(PackageName::parse("left-pad").is_ok());
        for bad in ["", "@acme", "@/x", ".x", "a b", "@a/b/c", "x\u{200b}"] {
            assert!(PackageName::parse(bad).is_err(), "{bad:?}");
        }
        assert!(SecretName::parse("NPM_TOKEN").is_ok());
        assert!(SecretName::parse("1X").is_err());
        assert!(Login::parse("rosa").is_ok());
        assert!(Login::parse("rosa; rm").is_err());
        assert!(EnvironmentName::parse("npm release").is_ok());
        assert!(EnvironmentName::parse("a\nb").is_err());
    }
}
