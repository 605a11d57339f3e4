//! Data that is compiled in: registries, npm's policy, templates and themes, the example organisation.
//!
//! May be read by every module and depends on none. A user's file may replace words, templates and themes, never
//! what judges or says where a credential goes.

use std::borrow::Cow;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use chrono::NaiveDate;
use serde::Deserialize;

pub mod demo;
pub mod guide;

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

/// npm's rules on publishing credentials, with dates and sources: what the product shows and judges by.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// The day on which this was last compared with npm's own pages.
    pub as_of: NaiveDate,
    pub cutoff: Cutoff,
    pub activation: Activation,
    pub write_token: WriteToken,
    pub two_factor: TwoFactor,
    pub trust: Trust,
    pub after_publish: AfterPublish,
    pub after_revoke: AfterRevoke,
    pub minimum: Minimum,
    #[serde(rename = "provider")]
    pub providers: Vec<Provider>,
    #[serde(rename = "tool")]
    pub tools: Vec<ToolRule>,
    #[serde(rename = "change")]
    pub changes: Vec<Change>,
}

/// The end of direct publishing with tokens that bypass 2FA.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cutoff {
    /// First day on which it can happen.
    pub earliest: NaiveDate,
    /// While false, no hours or minutes are shown, and the words "day not announced" are.
    pub day_announced: bool,
    pub says: String,
    pub source: String,
}

/// How long an unused trust configuration lives.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Activation {
    pub hours: u32,
    pub since: NaiveDate,
    pub source: String,
}

/// Lives of granular tokens that can write.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WriteToken {
    pub max_days: u32,
    pub default_days: u32,
    /// Our own advice: rotate well before the end.
    pub rotate_after_days: u32,
    pub per_account: u32,
    pub source: String,
}

/// The window after a second factor in which npm does not ask again.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TwoFactor {
    pub window_minutes: u32,
    pub calls_per_window: u32,
    pub pause_seconds: u32,
    pub source: String,
}

/// Limits of trusted publisher configurations.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trust {
    pub max_per_package: u32,
    pub since: NaiveDate,
    pub source: String,
    /// Triggers whose OIDC tokens are refused.
    pub refused_triggers: Vec<String>,
}

/// How long a published version may stay invisible.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AfterPublish {
    pub visible_within_minutes: u32,
    pub source: String,
}

/// How long a revoked token may still be accepted.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AfterRevoke {
    pub settles_within_minutes: u32,
    pub source: String,
}

/// First versions that can do something; three numbers each.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Minimum {
    pub npm_oidc_publish: Version,
    pub node_oidc_publish: Version,
    pub npm_trust: Version,
    pub npm_trust_permissions: Version,
    pub npm_stage: Version,
    pub npm_oidc_dist_tag: Version,
    /// First npm 12 that has the OIDC dist-tag.
    pub npm12_oidc_dist_tag: Version,
    pub setup_node_without_dummy_token: Version,
    pub source: String,
}

/// A release version without prerelease, as `major.minor.patch`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Version(pub u32, pub u32, pub u32);

impl TryFrom<String> for Version {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let numbers: Vec<u32> = text
            .split('.')
            .filter_map(|part| part.parse().ok())
            .collect();
        match (numbers.as_slice(), text.matches('.').count()) {
            (&[major, minor, patch], 2) => Ok(Self(major, minor, patch)),
            _ => Err(format!("`{text}` is not major.minor.patch")),
        }
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

/// A CI system as npm sees it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    pub id: String,
    pub name: String,
    pub supported: bool,
    /// Whether npm makes provenance for it.
    pub provenance: bool,
    pub note: String,
    pub source: String,
}

/// From which version a publishing tool can do without a token.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolRule {
    pub id: String,
    pub oidc: OidcSupport,
    /// First version, of the tool or of the part of it named in `note`.
    pub since: Option<Version>,
    pub note: String,
    pub source: String,
}

/// How a tool gets at OIDC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OidcSupport {
    /// Exchanges by itself.
    Own,
    /// Starts the package manager, whose version counts.
    ByClient,
    Never,
}

/// One dated change of npm's rules.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    pub on: NaiveDate,
    pub says: String,
    pub source: String,
}

#[expect(clippy::expect_used, reason = "an embedded file that the tests read")]
static REGISTRIES: LazyLock<Registries> = LazyLock::new(|| {
    toml::from_str(include_str!("../assets/policy/registries.toml")).expect("registries.toml")
});

#[expect(clippy::expect_used, reason = "an embedded file that the tests read")]
static POLICY: LazyLock<Policy> =
    LazyLock::new(|| toml::from_str(include_str!("../assets/policy/npm.toml")).expect("npm.toml"));

/// Gives the table of known registries.
pub fn registries() -> &'static Registries {
    &REGISTRIES
}

/// Gives npm's rules as of [`Policy::as_of`].
pub fn policy() -> &'static Policy {
    &POLICY
}

/// Gives the signatures of failed publish logs, as TOML; `diagnose` reads them.
pub fn log_signatures() -> &'static str {
    include_str!("../assets/policy/log-signatures.toml")
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
