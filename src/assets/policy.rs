//! npm's rules on publishing credentials as data: `assets/policy/npm.toml`, its shape and its one reader.
//!
//! Judges nothing. A user's file never replaces it. The types are the crate's own, so that the compiler names each key
//! that nothing reads (`dead_code`); keys that no type has are refused.

#![deny(dead_code)]

use std::collections::BTreeMap;
use std::sync::LazyLock;

use chrono::NaiveDate;
use nodejs_semver::{Range, Version};
use serde::Deserialize;

/// npm's rules on publishing credentials, with dates and sources: what the product shows and judges by.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    pub cutoff: Cutoff,
    pub activation: Activation,
    pub write_token: WriteToken,
    pub two_factor: TwoFactor,
    pub trust: Trust,
    pub after_publish: AfterPublish,
    pub after_revoke: AfterRevoke,
    pub minimum: Minimum,
    pub changesets_action: ChangesetsAction,
    pub npm_latest: NpmLatest,
    pub token_names: TokenNames,
    /// Code names of Node's long-term lines, with the range that each is.
    pub node_names: BTreeMap<String, Range>,
    pub runner: Runners,
    pub blocked_event: BlockedEvent,
    #[serde(rename = "provider")]
    pub providers: Vec<Provider>,
    #[serde(rename = "tool")]
    pub tools: Vec<ToolRule>,
}

/// The end of direct publishing with tokens that bypass 2FA.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cutoff {
    /// First day on which it can happen.
    pub earliest: NaiveDate,
    /// While false, no hours or minutes are shown, and the words "day not announced" are.
    pub day_announced: bool,
}

/// How long an unused trust configuration lives.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Activation {
    pub hours: u32,
}

/// Lives of granular tokens that can write.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WriteToken {
    pub max_days: u32,
    /// Our own advice: rotate well before the end.
    pub rotate_after_days: u32,
    pub per_account: u32,
}

/// The window after a second factor in which npm does not ask again.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TwoFactor {
    pub window_minutes: u32,
    pub calls_per_window: u32,
    pub pause_seconds: u32,
}

/// Limits of trusted publisher configurations.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trust {
    pub max_per_package: usize,
    /// Triggers whose OIDC tokens are refused.
    pub refused_triggers: Vec<String>,
    /// Name of the permission that lets a configuration move dist-tags.
    pub dist_tag_permission: String,
}

impl Trust {
    /// Tells whether npm refuses OIDC tokens of runs that this event started.
    pub fn refuses(&self, event: &str) -> bool {
        self.refused_triggers.iter().any(|no| no == event)
    }
}

/// How long a published version may stay invisible.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AfterPublish {
    pub visible_within_minutes: u32,
}

/// How long a revoked token may still be accepted.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AfterRevoke {
    pub settles_within_minutes: u32,
}

/// Names by which variables and secrets hold an npm token, by convention.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenNames {
    /// Names that are ones as they stand.
    pub exact: Vec<String>,
    /// Names that are ones for a secret only.
    pub secrets: Vec<String>,
    /// A name speaks of npm where it has one of these in it, and holds a credential where it has one of `holds`.
    pub speaks: Vec<String>,
    pub holds: Vec<String>,
    /// What makes a name none, whatever else stands in it.
    pub never: Vec<String>,
    pub never_at_end: Vec<String>,
    /// Words, between underscores, of names that only read or belong to another registry.
    pub read_only_words: Vec<String>,
}

/// An event that GitHub blocks where a repository has no policy of its own about it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlockedEvent {
    pub event: String,
    pub from: NaiveDate,
}

/// The npm that `latest` means, and what it needs.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NpmLatest {
    pub version: Version,
    /// Versions of Node that it can be installed on, as its package.json says.
    pub node: String,
    /// What to install instead, as npm takes it.
    pub instead: String,
}

/// Machines that jobs run on.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Runners {
    /// How labels of machines begin that are not the CI system's own.
    pub third_party: Vec<String>,
    /// Node that the system's own images bring, for jobs that set none up.
    #[serde(rename = "image")]
    pub images: Vec<Image>,
}

/// The Node of one image, by its label.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Image {
    pub label: String,
    pub node: Version,
    /// For a label that moved to another image: what it brought before, and the days between which either was met.
    pub before: Option<Before>,
}

/// What a label meant before it moved.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Before {
    pub node: Version,
    /// First day on which a job could meet the new image, and first on which every job did.
    pub moves_from: NaiveDate,
    pub moved_by: NaiveDate,
}

/// First versions that can do something; three numbers each.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Minimum {
    pub npm_oidc_publish: Version,
    pub node_oidc_publish: Version,
    pub npm_stage: Version,
    pub npm_oidc_dist_tag: Version,
    /// First npm 12 that has the OIDC dist-tag.
    pub npm12_oidc_dist_tag: Version,
    /// First Node whose own npm publishes with OIDC.
    pub node_with_npm_oidc: Version,
    /// First setup-node that sets no placeholder token.
    pub setup_node_without_dummy_token: Version,
}

/// The change of changesets/action that alone moves a publish from one credential to another.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangesetsAction {
    /// First version that makes no .npmrc of NPM_TOKEN and refuses the old names of inputs.
    pub from: Version,
    /// Old names of inputs, with the new ones.
    pub renamed: BTreeMap<String, String>,
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
}

/// From which version a publishing tool can do without a token.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolRule {
    pub id: String,
    pub oidc: OidcSupport,
    /// The npm package by which a project depends on it.
    pub package: Option<String>,
    /// The package whose version `since` is about, where it is another one.
    pub part: Option<String>,
    /// First version, of the tool or of the part of it named in `note`.
    pub since: Option<Version>,
    /// First version that uploads by itself; older ones start npm.
    pub own_from: Option<Version>,
    /// First version of the tool that brings along a part from `since` on.
    pub bundled_since: Option<Version>,
    pub note: String,
}

/// How a tool gets at OIDC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OidcSupport {
    /// Exchanges by itself.
    Own,
    /// Starts npm, whose version counts.
    ByNpm,
    /// Starts the folder's package manager, whose version counts.
    ByClient,
    Never,
}

#[expect(clippy::expect_used, reason = "an embedded file that the tests read")]
static POLICY: LazyLock<Policy> = LazyLock::new(|| {
    let mut table = raw().expect("npm.toml");
    drop_sources(&mut table);
    table.try_into().expect("npm.toml")
});

/// Reads the file as it stands, sources and all.
pub(super) fn raw() -> Result<toml::Table, toml::de::Error> {
    toml::from_str(include_str!("../../assets/policy/npm.toml"))
}

/// Takes out the pages that rules are from: they are for whoever keeps the file, and judge nothing.
fn drop_sources(table: &mut toml::Table) {
    table.remove("source");
    for (_, value) in table.iter_mut() {
        match value {
            toml::Value::Table(inner) => drop_sources(inner),
            toml::Value::Array(rows) => rows
                .iter_mut()
                .filter_map(toml::Value::as_table_mut)
                .for_each(drop_sources),
            _ => {}
        }
    }
}

/// Gives npm's rules as of the day that the file names.
pub fn policy() -> &'static Policy {
    &POLICY
}
