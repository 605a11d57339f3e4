//! Data that is compiled in: registries, npm's policy, templates and themes, the example organisation.
//!
//! May be read by every module and depends on none. A user's file may replace words, templates and themes, never
//! what judges or says where a credential goes.

use std::borrow::Cow;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde::Deserialize;

pub mod demo;
pub mod guide;
pub(crate) mod policy;

pub(crate) use policy::policy;

/// A user's template or theme may not be larger, in bytes.
const USER_FILE_CAP: u64 = 256 * 1024;

/// Embedded words, templates and themes: those that a user's file of the same name replaces.
const REPLACEABLE: &[(&str, &str)] = &[
    (
        "report/page.md.j2",
        include_str!("../assets/report/page.md.j2"),
    ),
    (
        "report/page.txt.j2",
        include_str!("../assets/report/page.txt.j2"),
    ),
    (
        "report/summary.md.j2",
        include_str!("../assets/report/summary.md.j2"),
    ),
    (
        "report/summary.txt.j2",
        include_str!("../assets/report/summary.txt.j2"),
    ),
    (
        "themes/colour-blind-safe.toml",
        include_str!("../assets/themes/colour-blind-safe.toml"),
    ),
    (
        "themes/dark.toml",
        include_str!("../assets/themes/dark.toml"),
    ),
    (
        "themes/light.toml",
        include_str!("../assets/themes/light.toml"),
    ),
    (
        "workflows/cutover-check.yml",
        include_str!("../assets/workflows/cutover-check.yml"),
    ),
    (
        "workflows/preflight.yml",
        include_str!("../assets/workflows/preflight.yml"),
    ),
];

/// Why an embedded or a user's file could not be given.
#[derive(Debug, thiserror::Error)]
pub enum AssetError {
    #[error("`{name}` is none of the files that can be replaced")]
    Unknown { name: String },
    #[error("could not read {}: {source}; mend or remove it to use the built-in one", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{} is no regular file of at most {USER_FILE_CAP} bytes; remove it to use the built-in one", path.display())]
    Unfit { path: PathBuf },
}

/// The hosts that packages are published to or installed from.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registries {
    pub npmjs: Npmjs,
    #[serde(rename = "host")]
    pub hosts: Vec<Host>,
}

/// The public npm registry.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Npmjs {
    pub host: String,
    /// Host of the web site, where people approve and look packages up.
    pub site: String,
}

/// Another known host, or all hosts below a domain.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Host {
    /// A host name; with a leading dot every host that ends so.
    pub host: String,
    pub kind: HostKind,
    /// For a general site: only addresses whose path begins so are a package registry.
    pub path: Option<String>,
}

/// Whose registry a host is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HostKind {
    Npmjs,
    /// Another name or a pass-through of the public npm registry: what is published there arrives at it.
    NpmjsAlias,
    GithubPackages,
    Other,
}

impl Registries {
    /// Tells whose registry an address is (`https://HOST/PATH`, `//HOST/PATH` or `HOST`); `None` for one that is not known.
    pub fn kind_of(&self, address: &str) -> Option<HostKind> {
        let rest = address
            .trim()
            .split_once("//")
            .map_or(address.trim(), |(_, rest)| rest);
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end)?;
        let host = authority
            .rsplit('@')
            .next()?
            .split(':')
            .next()?
            .trim_end_matches('.')
            .to_ascii_lowercase();
        if host == self.npmjs.host {
            return Some(HostKind::Npmjs);
        }
        self.hosts
            .iter()
            .find(|known| {
                known.covers(&host)
                    && known
                        .path
                        .as_deref()
                        .is_none_or(|prefix| path.starts_with(prefix))
            })
            .map(|known| known.kind)
    }
}

impl Host {
    fn covers(&self, host: &str) -> bool {
        if self.host.starts_with('.') {
            host.ends_with(&self.host)
        } else {
            host == self.host
        }
    }
}

/// Owners whose workflows publish no package.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Owners {
    owners: Vec<String>,
}

#[expect(clippy::expect_used, reason = "an embedded file that the tests read")]
static OTHER_PURPOSE: LazyLock<Owners> = LazyLock::new(|| {
    toml::from_str(include_str!("../assets/scan/other-purpose.toml")).expect("other-purpose.toml")
});

#[expect(clippy::expect_used, reason = "an embedded file that the tests read")]
static REGISTRIES: LazyLock<Registries> = LazyLock::new(|| {
    toml::from_str(include_str!("../assets/policy/registries.toml")).expect("registries.toml")
});

/// Gives the table of known registries.
pub fn registries() -> &'static Registries {
    &REGISTRIES
}

/// Gives the signatures of failed publish logs, as TOML; `diagnose` reads them.
pub fn log_signatures() -> &'static str {
    include_str!("../assets/policy/log-signatures.toml")
}

/// Gives the owners whose workflows take an id token or secrets for a purpose of their own, in lower case.
pub fn owners_of_other_purpose() -> &'static [String] {
    &OTHER_PURPOSE.owners
}

/// Gives the table of release tools that are known by their words alone, as TOML; `scan` reads it.
pub fn release_tools() -> &'static str {
    include_str!("../assets/scan/release-tools.toml")
}

/// Gives the CI, build and hosting systems whose files no reader of the scan reads, as TOML; `scan` reads it.
pub fn unread_systems() -> &'static str {
    include_str!("../assets/scan/unread-systems.toml")
}

/// Gives the workflow that compares a secret with masked tokens, as a template. Nobody's file replaces it: it meets a secret.
pub fn identify_workflow() -> &'static str {
    include_str!("../assets/workflows/identify.yml")
}

/// Gives the host name of the public npm registry.
pub fn npm_host() -> &'static str {
    &REGISTRIES.npmjs.host
}

/// Gives the address of the public npm registry, with a final slash.
pub fn npm_url() -> String {
    format!("https://{}/", npm_host())
}

/// Gives the host of GitHub's package registry.
pub fn github_packages_host() -> &'static str {
    let known = REGISTRIES
        .hosts
        .iter()
        .find(|host| host.kind == HostKind::GithubPackages);
    known.map_or("", |host| &host.host)
}

/// Puts hosts in place of `{{registry}}` (npm's), `{{registry-site}}` (its web site) and `{{registry-github}}`.
pub fn fill(template: &str) -> Cow<'_, str> {
    if !template.contains("{{registry") {
        return Cow::Borrowed(template);
    }
    let filled = template
        .replace("{{registry}}", npm_host())
        .replace("{{registry-site}}", &REGISTRIES.npmjs.site)
        .replace("{{registry-github}}", github_packages_host());
    Cow::Owned(filled)
}

/// Gives an embedded text by name (`templates/report.md`), or the user's own of that name.
///
/// # Errors
/// When the name is none of the embedded ones, or the user's file is there but cannot be used: a link, a
/// special file, too large or not UTF-8. It is never passed over in silence.
pub fn template(name: &str, user_dir: Option<&Path>) -> Result<Cow<'static, str>, AssetError> {
    let built_in = REPLACEABLE
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, text)| *text);
    let built_in = built_in.ok_or_else(|| AssetError::Unknown {
        name: name.to_owned(),
    })?;
    user_dir.map_or(Ok(Cow::Borrowed(built_in)), |dir| {
        replacement(&dir.join(name), built_in)
    })
}

fn replacement(path: &Path, built_in: &'static str) -> Result<Cow<'static, str>, AssetError> {
    let meta = match fs::symlink_metadata(path) {
        Ok(meta) => meta,
        Err(source) if source.kind() == io::ErrorKind::NotFound => {
            return Ok(Cow::Borrowed(built_in));
        }
        Err(source) => {
            return Err(AssetError::Unreadable {
                path: path.to_owned(),
                source,
            });
        }
    };
    if !meta.is_file() || meta.len() > USER_FILE_CAP {
        return Err(AssetError::Unfit {
            path: path.to_owned(),
        });
    }
    let text = fs::read_to_string(path).map_err(|source| AssetError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    Ok(Cow::Owned(text))
}

#[cfg(test)]
mod tests;
