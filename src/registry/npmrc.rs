//! The text of one npm configuration file: settings and credentials, each credential bound to its registry. Pure.
//!
//! Follows <https://docs.npmjs.com/cli/configuring-npm/npmrc>: `key = value`, comments, quotes, `${VARIABLE}`, and
//! credentials as `//host/path/:_authToken`. Must not keep a value in a message: only keys and lines are named.

use url::Url;

use super::Base;
use crate::safe::secret::Secret;
use crate::safe::shown::visible;

/// A credential of one registry, where it was read, and nothing that shows it.
#[derive(Debug, Clone)]
pub struct Login {
    /// `host`, `host:port` or either with a path, without scheme and final slash, lower case up to the path.
    registry: Box<str>,
    place: Box<str>,
    secret: Secret,
}

impl Login {
    /// Makes a login for the registry at `base`: the tabletop's own, which stands in no file.
    pub fn new(base: &Base, place: &str, secret: Secret) -> Self {
        Self {
            registry: bound(base.id()).into(),
            place: visible(place).into(),
            secret,
        }
    }

    /// Gives the file or variable it was read from, fit to be shown.
    pub fn place(&self) -> &str {
        &self.place
    }

    pub(super) fn secret(&self) -> &Secret {
        &self.secret
    }

    /// Tells whether it is for the registry at `base`: same host and port, and the path at or below its own.
    pub fn is_for(&self, base: &Base) -> bool {
        let asked = bound(base.id());
        let rest = asked.strip_prefix(&*self.registry);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// Tells whether a masked form from a token list, such as `npm_aBcD...7890`, could be this very credential.
    ///
    /// Used to refuse work with a token that is itself to be revoked.
    pub fn fits(&self, masked: &str) -> bool {
        let value = self.secret.expose();
        let shown: Vec<&str> = masked
            .split(['.', '…', '*', '•'])
            .filter(|part| !part.is_empty())
            .collect();
        match shown.as_slice() {
            [start, end] => value.starts_with(start) && value.ends_with(end),
            [start] if masked.len() > start.len() => value.starts_with(start),
            _ => false,
        }
    }

    fn depth(&self) -> usize {
        self.registry.len()
    }
}

/// Gives host, port (where it is not the scheme's own) and path of an address, without scheme and final slash.
fn bound(address: &str) -> &str {
    let rest = address.split_once("//").map_or(address, |(_, rest)| rest);
    rest.trim_end_matches('/')
}

/// What one file or environment says.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub(super) logins: Vec<Login>,
    pub(super) registry: Option<String>,
    pub(super) https_proxy: Option<String>,
    pub(super) noproxy: Option<String>,
    pub(super) cafile: Option<String>,
    pub(super) strict_ssl: Option<bool>,
    /// What was there and is not used, in words without any value.
    pub(super) notes: Vec<String>,
}

/// Reads the text of a file. `place` names it; `variable` gives the environment's values for `${NAME}`.
pub(super) fn read(text: &str, place: &str, variable: &dyn Fn(&str) -> Option<String>) -> Read {
    let mut read = Read::default();
    for (number, line) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with([';', '#', '[']) {
            continue;
        }
        let (key, value) = line
            .split_once('=')
            .map_or((line, "true"), |(key, value)| (key.trim(), value.trim()));
        let spot = format!("{place}:{number}");
        match expand(&unquoted(value), variable) {
            Ok(value) => read.take(&unquoted(key), value, &spot),
            Err(name) => read.notes.push(format!(
                "{}: {} is not set, so this line is not used",
                visible(&spot),
                visible(&name)
            )),
        }
    }
    read
}

impl Read {
    /// Takes one setting in, from a file or from the environment.
    pub(super) fn take(&mut self, key: &str, value: String, place: &str) {
        if let Some(rest) = key.strip_prefix("//") {
            return self.credential(rest, value, place);
        }
        match key {
            "registry" => self.registry = Some(value),
            "https-proxy" => self.https_proxy = Some(value),
            // npm uses `proxy` for both kinds unless `https-proxy` says otherwise.
            "proxy" => self.https_proxy = self.https_proxy.take().or(Some(value)),
            "noproxy" | "no-proxy" => self.noproxy = Some(value),
            "cafile" => self.cafile = Some(value),
            "strict-ssl" => self.strict_ssl = Some(value != "false" && value != "0"),
            "_authToken" | "_auth" | "_password" | "username" => {
                self.note(
                    place,
                    &format!("{key} names no registry and is not used; bind it as //HOST/:{key}"),
                );
            }
            _ => {}
        }
    }

    fn credential(&mut self, rest: &str, value: String, place: &str) {
        let Some((registry, kind)) = rest.rsplit_once(':') else {
            return;
        };
        if kind != "_authToken" {
            if ["_auth", "_password", "username", "certfile", "keyfile"].contains(&kind) {
                self.note(
                    place,
                    &format!("{kind} is not supported; make a login with `npm login`"),
                );
            }
            return;
        }
        let value = value.trim().to_owned();
        // The scheme is only for the parser; a default port is left out as npm leaves it out.
        let host = Url::parse(&format!("https://{registry}")).ok();
        match host.filter(|url| url.has_host() && url.username().is_empty()) {
            _ if value.is_empty() => {}
            None => self.note(
                place,
                "a credential names no registry that can be read; it is not used",
            ),
            Some(url) => self.logins.push(Login {
                registry: bound(url.as_str()).into(),
                place: visible(place).into(),
                secret: Secret::new(value),
            }),
        }
    }

    fn note(&mut self, place: &str, what: &str) {
        self.notes.push(format!("{}: {what}", visible(place)));
    }

    /// Gives the credential for a registry: the one bound closest to it, of several the last.
    pub(super) fn login_for(&self, base: &Base) -> Option<&Login> {
        self.logins
            .iter()
            .filter(|login| login.is_for(base))
            .max_by_key(|login| login.depth())
    }
}

/// Takes quotes off, or cuts a comment that begins after the value.
fn unquoted(text: &str) -> String {
    let quoted = |mark| text.len() >= 2 && text.starts_with(mark) && text.ends_with(mark);
    if quoted('"') {
        return serde_json::from_str(text).unwrap_or_else(|_| text.trim_matches('"').to_owned());
    }
    if quoted('\'') {
        return text.trim_matches('\'').to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match (c, rest.peek()) {
            ('\\', Some(&next @ (';' | '#' | '\\'))) => {
                out.push(next);
                rest.next();
            }
            (';' | '#', _) => break,
            _ => out.push(c),
        }
    }
    out.trim_end().to_owned()
}

/// Puts the environment in place of `${NAME}` and, empty where unset, `${NAME?}`.
fn expand(text: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((name, end)) = after.split_once('}') else {
            break;
        };
        out.push_str(before);
        let (name, optional) = name
            .strip_suffix('?')
            .map_or((name, false), |name| (name, true));
        match variable(name) {
            Some(value) => out.push_str(&value),
            None if optional => {}
            None => return Err(name.to_owned()),
        }
        rest = end;
    }
    Ok(out + rest)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use crate::http::World;

    fn token(letter: &str) -> String {
        format!("npm_{}", letter.repeat(36))
    }

    fn base(text: &str) -> Base {
        Base::parse(text, World::Real).unwrap()
    }

    #[test]
    fn a_credential_is_bound_to_its_registry() {
        let text = format!(
            "; a comment\nregistry=https://host.example/\n//host.example/:_authToken={}\n//host.example/team/:_authToken = \"{}\"\n\
             //HOST.example:8443/:_authToken={} ; said so\n_authToken={}\n//host.example/:_password=x\n",
            token("a"),
            token("b"),
            token("c"),
            token("d")
        );
        let read = read(&text, "~/.npmrc", &|_| None);
        let who = |address: &str| {
            read.login_for(&base(address))
                .map(|login| login.secret().expose().to_owned())
        };
        assert_eq!(who("https://host.example"), Some(token("a")));
        assert_eq!(who("https://host.example/team/"), Some(token("b")));
        assert_eq!(who("https://host.example/teams"), Some(token("a")));
        assert_eq!(who("https://host.example:8443/x"), Some(token("c")));
        for none in [
            "https://host.example:444",
            "https://nothost.example",
            "https://host.example.evil",
        ] {
            assert_eq!(who(none), None, "{none}");
        }
        assert_eq!(read.notes.len(), 2, "{:?}", read.notes);
        assert!(!format!("{read:?}").contains("npm_"), "{read:?}");
        assert_eq!(read.registry.as_deref(), Some("https://host.example/"));
    }

    #[test]
    fn variables_are_put_in_and_missing_ones_said() {
        let variable = |name: &str| (name == "T").then(|| token("e"));
        let text = "//a.example/:_authToken=${T}\n//b.example/:_authToken=${MISSING}\n//c.example/:_authToken=${MISSING?}\n";
        let read = read(text, "f", &variable);
        assert_eq!(read.logins.len(), 1);
        assert_eq!(read.logins[0].secret().expose(), token("e"));
        assert_eq!(
            read.notes,
            ["f:2: MISSING is not set, so this line is not used"]
        );
    }

    #[test]
    fn a_masked_form_is_compared_without_showing_it() {
        let login = Login::new(
            &base("https://host.example"),
            "f",
            Secret::new(format!("npm_aBcD{}7890", "x".repeat(28))),
        );
        for (masked, fits) in [
            ("npm_aBcD...7890", true),
            ("npm_aBcD…7890", true),
            ("npm_aBcE...7890", false),
            ("npm_aB...", true),
            ("", false),
            ("...", false),
            ("npm_aBcD", false),
        ] {
            assert_eq!(login.fits(masked), fits, "{masked}");
        }
    }

    #[test]
    fn proxies_and_certificates_are_settings() {
        let read = read(
            "proxy=http://p:1\nhttps-proxy=http://q:2\nnoproxy=a,b\ncafile=/ca.pem\nstrict-ssl=false",
            "f",
            &|_| None,
        );
        assert_eq!(read.https_proxy.as_deref(), Some("http://q:2"));
        assert_eq!(read.noproxy.as_deref(), Some("a,b"));
        assert_eq!(
            (read.cafile.as_deref(), read.strict_ssl),
            (Some("/ca.pem"), Some(false))
        );
    }
}
