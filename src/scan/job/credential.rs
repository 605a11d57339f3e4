//! Which credential reaches a publish: names of variables and secrets, never values.
//!
//! Owns the search order (the command's own assignments, the step, what earlier steps wrote, the job, the checkout's
//! configuration files). It keeps names only; a literal value is told by its place, see `leak`.

use super::super::tool::{Auth, npmrc_auth, variables, yarnrc_auth};
use super::super::tree::{FileKind, join};
use super::super::{Place, Registry};
use super::{Checkout, Variable};
use crate::assets::{HostKind, registries};
use crate::model::token_name::is_npm_token;

/// A token in reach of a publish.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Token {
    /// Name of the secret or variable, where it is known.
    pub secret: Option<String>,
    pub set_at: Option<Place>,
}

/// The variable that a value refers to, where it is nothing but a reference: `$X`, `${X}`, `${X:-}`, `$(X)`, `%X%`.
pub fn variable_name(value: &str) -> Option<&str> {
    let value = value
        .trim()
        .trim_matches(['"', '\''])
        .trim_start_matches('\\');
    let name = if let Some(rest) = value.strip_prefix("$(") {
        rest.strip_suffix(')')?
    } else if let Some(rest) = value.strip_prefix("${") {
        let inner = rest.strip_suffix('}')?;
        inner
            .split([':', '-', '?', '+', '#', '%'])
            .next()
            .filter(|n| *n != "env")
            .unwrap_or(inner)
    } else if let Some(rest) = value.strip_prefix('$') {
        rest
    } else {
        value.strip_prefix('%')?.strip_suffix('%')?
    };
    let name = ["env:", "env.", "params."]
        .iter()
        .find_map(|p| name.strip_prefix(p))
        .unwrap_or(name);
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    (!name.is_empty() && name.chars().all(plain)).then_some(name)
}

/// Where an address points, as far as a scan can tell.
pub(super) fn registry_of(address: &str) -> Registry {
    // GitLab's names for its own address.
    if [
        "CI_API_V4_URL",
        "CI_SERVER_URL",
        "CI_SERVER_HOST",
        "CI_SERVER_FQDN",
    ]
    .iter()
    .any(|name| address.contains(name))
    {
        return Registry::Other;
    }
    match registries().kind_of(address) {
        Some(HostKind::Npmjs | HostKind::NpmjsAlias) => Registry::Npmjs,
        Some(HostKind::GithubPackages) => Registry::GithubPackages,
        Some(HostKind::Other) => Registry::Other,
        None if address.contains(['$', '%', '<']) => Registry::Unknown,
        None => Registry::Other,
    }
}

/// The addresses that a text sets for scopes (`@acme:registry=…`), with the scope as written.
pub(super) fn scoped_registries(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(":registry") {
        let scope = before
            .rsplit([' ', '"', '\'', '\n', '\t', '\\'])
            .next()
            .unwrap_or("");
        let value = after.trim_start_matches(['=', ' ', '"', '\'', '\t']);
        let end = value
            .find([' ', '"', '\'', '\n', '\t', '\\'])
            .unwrap_or(value.len());
        if let (true, Some(value)) = (
            scope.starts_with('@'),
            value.get(..end).filter(|v| !v.is_empty()),
        ) {
            found.push((scope.to_owned(), value.to_owned()));
        }
        rest = after;
    }
    found
}

/// True where a credential set for this host would be sent to the registry of a publish.
pub(super) fn reaches(host: Option<&str>, registry: Registry) -> bool {
    match host.map(registry_of) {
        None | Some(Registry::Unknown) => true,
        Some(Registry::Npmjs) => matches!(registry, Registry::Npmjs | Registry::Unknown),
        Some(other) => other == registry || registry == Registry::Unknown,
    }
}

/// The variables in reach, nearest first, and how a name resolves through them.
pub(super) struct Reach<'a> {
    pub variables: Vec<&'a Variable>,
}

impl Reach<'_> {
    fn named(&self, name: &str) -> Option<&Variable> {
        self.variables.iter().find(|v| v.name == name).copied()
    }

    /// The secret behind a value: references are followed to the last name that the files show.
    ///
    /// `None` where the value is empty on purpose, so no token at all.
    pub fn secret_of(&self, value: &str) -> Option<Option<String>> {
        if value.trim().trim_matches(['"', '\'']).is_empty() {
            return None;
        }
        let Some(name) = variable_name(value)
            .map(str::to_owned)
            .or_else(|| variables(value).into_iter().next())
        else {
            // A literal, or an expression without a variable's name.
            return Some(None);
        };
        self.follow(name, 0)
    }

    fn follow(&self, name: String, depth: u32) -> Option<Option<String>> {
        match self.named(&name) {
            Some(v) if v.secret.is_some() => Some(v.secret.clone()),
            Some(v) if v.value.trim().is_empty() => None,
            Some(v) if depth < 8 => match variable_name(&v.value) {
                Some(next) if next != name => self.follow(next.to_owned(), depth + 1),
                _ => Some(Some(name)),
            },
            _ => Some(Some(name)),
        }
    }

    /// A variable that holds a token by its own name, else one that a credential about npm is bound to.
    pub fn token(&self) -> Option<Token> {
        let npm = |name: &str| name.to_ascii_lowercase().contains("npm");
        self.first(|v| is_npm_token(&v.name))
            .or_else(|| self.first(|v| v.secret.as_deref().is_some_and(|s| npm(s) || npm(&v.name))))
    }

    fn first(&self, wanted: impl Fn(&Variable) -> bool) -> Option<Token> {
        let mut seen: Vec<&str> = Vec::new();
        for variable in &self.variables {
            // The nearest one decides: an empty one near hides a full one further out.
            if seen.contains(&variable.name.as_str()) {
                continue;
            }
            seen.push(&variable.name);
            if !wanted(variable) {
                continue;
            }
            let secret = match &variable.secret {
                Some(secret) => Some(Some(secret.clone())),
                None => self
                    .secret_of(&variable.value)
                    .map(|s| s.or_else(|| Some(variable.name.clone()))),
            };
            if let Some(secret) = secret {
                return Some(Token {
                    secret,
                    set_at: Some(variable.place.clone()),
                });
            }
        }
        None
    }

    /// The token that a configuration line brings, if its value is not empty.
    pub fn auth(&self, auth: &Auth, place: Option<Place>) -> Option<Token> {
        if auth.literal {
            return Some(Token {
                secret: None,
                set_at: place,
            });
        }
        self.secret_of(&auth.value).map(|secret| Token {
            secret,
            set_at: place,
        })
    }
}

/// A credential line that a step wrote, and the token it had then.
#[derive(Debug, Clone)]
pub(super) struct Written {
    pub auth: Auth,
    pub token: Option<Token>,
}

impl Written {
    /// The token now: what the variable was bound to when the line was written counts over its bare name.
    pub fn now(&self, reach: &Reach<'_>) -> Option<Token> {
        let now = reach.auth(
            &self.auth,
            self.token.as_ref().and_then(|t| t.set_at.clone()),
        )?;
        let bound = self.token.clone().filter(|t| {
            t.secret.is_some() && t.secret.as_deref() != variable_name(&self.auth.value)
        });
        Some(bound.unwrap_or(now))
    }
}

/// Credential and registry lines of the checkout's own configuration files that count in a folder.
#[derive(Debug, Default)]
pub(super) struct Config {
    pub auths: Vec<(Auth, Place)>,
    /// Scope (empty for all packages) and address.
    pub registries: Vec<(String, String)>,
}

impl Config {
    /// Reads .npmrc and .yarnrc.yml of a folder and of the root.
    pub fn read(cx: &Checkout<'_>, dir: Option<&str>) -> Self {
        let mut found = Config::default();
        let mut dirs = vec![dir.unwrap_or("")];
        if dirs.first().is_some_and(|d| !d.is_empty()) {
            dirs.push("");
        }
        for dir in dirs {
            for (name, kind) in [
                (".npmrc", FileKind::Npmrc),
                (".yarnrc.yml", FileKind::YarnRc),
            ] {
                let Some(path) = join(dir, name).filter(|p| cx.project.tree.lists(p)) else {
                    continue;
                };
                let Some(text) = cx.project.read(&path) else {
                    continue;
                };
                let auths = if kind == FileKind::Npmrc {
                    npmrc_auth(&text)
                } else {
                    yarnrc_auth(&text)
                };
                for (line, auth) in auths {
                    found.auths.push((
                        auth,
                        Place {
                            file: path.clone(),
                            line: line + 1,
                            column: 1,
                            span: (0, 0),
                        },
                    ));
                }
                found.add_registries(&text, kind == FileKind::YarnRc);
            }
        }
        found
    }

    fn add_registries(&mut self, text: &str, yarn: bool) {
        for line in text
            .lines()
            .map(str::trim)
            .filter(|l| !l.starts_with(['#', ';']))
        {
            let pair = if yarn {
                line.split_once(": ")
            } else {
                line.split_once('=')
            };
            let Some((key, value)) =
                pair.map(|(k, v)| (k.trim(), v.trim().trim_matches(['"', '\''])))
            else {
                continue;
            };
            match key {
                "registry" | "npmPublishRegistry" | "npmRegistryServer" => {
                    self.registries.push((String::new(), value.to_owned()));
                }
                _ => {
                    if let Some(scope) =
                        key.strip_suffix(":registry").filter(|s| s.starts_with('@'))
                    {
                        self.registries.push((scope.to_owned(), value.to_owned()));
                    }
                }
            }
        }
    }

    /// The address that packages of this name are published to.
    pub fn registry(&self, package: Option<&str>) -> Option<&str> {
        let scope = package
            .and_then(|p| p.split_once('/'))
            .map_or("", |(s, _)| s);
        let of = |scope: &str| {
            self.registries
                .iter()
                .find(|(s, _)| s == scope)
                .map(|(_, a)| a.as_str())
        };
        (!scope.is_empty())
            .then(|| of(scope))
            .flatten()
            .or_else(|| of(""))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

    use super::*;

    #[test]
    fn references() {
        for (value, want) in [
            ("$NPM_TOKEN", Some("NPM_TOKEN")),
            ("${NPM_TOKEN}", Some("NPM_TOKEN")),
            ("${NPM_TOKEN:-}", Some("NPM_TOKEN")),
            ("$(npm-token)", Some("npm-token")),
            ("${env:X}", Some("X")),
            ("${env.X}", Some("X")),
            ("\\${X}", Some("X")),
            ("\"$X\"", Some("X")),
            ("%X%", Some("X")),
            ("$(cat x)", None),
            ("literal", None),
            ("", None),
            ("a $X", None),
        ] {
            assert_eq!(variable_name(value), want, "{value}");
        }
    }

    #[test]
    fn nearest_variable_decides() {
        let far = Variable::new("NPM_TOKEN", "$CI_NPM", Place::default());
        let empty = Variable::new("NPM_TOKEN", "", Place::default());
        let reach = Reach {
            variables: vec![&far],
        };
        assert_eq!(reach.token().unwrap().secret.as_deref(), Some("CI_NPM"));
        assert_eq!(
            reach.secret_of("${NPM_TOKEN}"),
            Some(Some("CI_NPM".to_owned()))
        );
        let reach = Reach {
            variables: vec![&empty, &far],
        };
        assert_eq!(reach.token(), None);
        assert_eq!(reach.secret_of("$NPM_TOKEN"), None);
        assert_eq!(reach.secret_of("$OTHER"), Some(Some("OTHER".to_owned())));
    }
}
