//! From the files of a checkout to publish paths, token uses, packages and findings.
//!
//! Owns the nouns that every CI system's reader fills (one file per system below this one).
//! Pure reading: no network, no git process, nothing of the scanned tree is run.
//! The serialised shape is version 1 of `scan --format json`: names are kept, fields may be added.

pub mod azure;
pub mod checkout;
pub mod circleci;
pub mod expression;
pub mod github;
pub mod gitlab;
pub mod jenkins;
pub mod job;
pub mod leak;
pub mod observe;
pub mod obstacle;
pub mod output;
pub mod package;
pub mod rule;
pub mod sarif;
pub mod script;
pub mod tool;
pub mod travis;
pub mod tree;
pub mod unread;
pub mod yaml;

pub use checkout::{Checkout, Found, checkouts, scan_folder, scan_paths, scan_tree};

use std::sync::Arc;

use serde::Serialize;

/// Where something stands in a checkout. Lines and columns count from 1; `span` is the byte range in the file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Default)]
pub struct Place {
    /// Path relative to the checkout's root, with `/`.
    pub file: String,
    pub line: u32,
    pub column: u32,
    #[serde(skip)]
    pub span: (u32, u32),
}

/// The CI systems that are read, and those that are known by their files only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CiSystem {
    Github,
    Gitlab,
    Circleci,
    Azure,
    Jenkins,
    Travis,
    /// Not read; its short name in the table of `unread`, which is how it is serialised.
    #[serde(untagged)]
    NotRead(&'static str),
}

impl CiSystem {
    /// Gives its id in the policy.
    pub fn id(self) -> &'static str {
        match self {
            Self::Github => "github",
            Self::Gitlab => "gitlab",
            Self::Circleci => "circleci",
            Self::Azure => "azure",
            Self::Jenkins => "jenkins",
            Self::Travis => "travis",
            Self::NotRead(id) => id,
        }
    }
}

/// What runs the publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tool {
    Npm,
    Pnpm,
    YarnClassic,
    YarnBerry,
    Bun,
    Lerna,
    Changesets,
    SemanticRelease,
    Nx,
    ReleaseIt,
    Np,
    JsDevtoolsNpmPublish,
    Rush,
    CustomScript,
    Other,
}

/// Where a publish goes. Only `Npmjs` is in scope of a cutover; the others are listed as such.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Registry {
    Npmjs,
    GithubPackages,
    Other,
    Unknown,
}

/// What a publish shows to the registry, as far as the files tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Credential {
    #[serde(rename = "oidc")]
    Oidc,
    #[serde(rename = "token")]
    Token,
    /// `id-token: write` and an npm token in reach of the publish step: npm falls back to it in silence (facts.md section 2).
    #[serde(rename = "token+oidc")]
    TokenAndOidc,
    #[serde(rename = "none-visible")]
    NoneVisible,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Runner {
    Hosted,
    SelfHosted,
    Unknown,
}

/// Which side of a reusable workflow or composite action a path stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Reusable {
    Caller,
    Callee,
}

/// One place that can publish.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PublishPath {
    pub file: String,
    /// Null for composite actions.
    pub job: Option<String>,
    /// Ordinal of this publish among the job's publishes, from 0: part of the path's identity.
    pub ordinal: u32,
    /// Index of the step in its job, from 0.
    pub step: Option<u32>,
    pub line: u32,
    pub column: u32,
    /// First line of the step that holds the publish.
    pub step_line: u32,
    pub ci: CiSystem,
    pub tool: Tool,
    /// Version where the files state it (action ref, `npm@11`, devDependencies).
    pub tool_version: Option<String>,
    pub registry: Registry,
    pub registry_url: Option<String>,
    pub credential: Credential,
    /// Name of the secret that reaches the publish.
    pub secret: Option<String>,
    pub secret_set_at: Option<Place>,
    pub id_token_write: bool,
    pub environment: Option<String>,
    pub runner: Runner,
    /// `runs-on` labels, image or pool, as written.
    pub runner_label: Option<String>,
    pub reusable: Option<Reusable>,
    /// `owner/repo/path@ref` or local path of the reusable workflow or action called, for callers.
    pub calls: Option<String>,
    pub staged: bool,
    /// Names of the packages this path can publish, as far as known.
    pub packages: Vec<String>,
    /// Event names, with their ref patterns: what can start this path.
    pub triggers: Vec<Trigger>,
    /// Actions used in the publishing job, each once: as written, and whether pinned by a full commit id. The job's
    /// paths share the list.
    pub actions: Arc<[ActionUse]>,
    /// Node and npm versions where stated.
    pub node_version: Option<String>,
    pub npm_version: Option<String>,
    /// False where the step cannot fail the run (`continue-on-error`, `|| true`).
    pub fails_closed: bool,
    /// Why OIDC is impossible or risky here: ids of the rules that say so.
    pub blockers: Vec<String>,
    /// The command or `uses`, made visible, first line only.
    pub command: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trigger {
    pub event: String,
    pub branches: Vec<String>,
    pub tags: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ActionUse {
    pub uses: String,
    pub pinned: bool,
    pub line: u32,
}

/// What a token is used for besides publishing: each keeps a token alive after publishing has moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    Publish,
    Stage,
    Install,
    DistTag,
    Deprecate,
    Unpublish,
    Access,
    Whoami,
    Unknown,
}

/// A place where a job needs or is given a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TokenUse {
    pub file: String,
    pub job: Option<String>,
    pub step: Option<u32>,
    pub line: u32,
    pub secret: Option<String>,
    pub purpose: Purpose,
}

/// One package.json of the checkout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Package {
    pub name: String,
    /// Folder relative to the root; empty for the root itself.
    pub path: String,
    pub private: bool,
    /// Part of a workspace of the root (npm, pnpm, yarn, lerna, nx, rush) or the root itself.
    pub workspace: bool,
    pub version: Option<String>,
    pub repository_url: Option<String>,
    /// `publishConfig.registry`, `.access`, `.provenance`, `.tag`.
    pub publish_registry: Option<String>,
    pub publish_access: Option<String>,
    pub publish_provenance: Option<bool>,
    pub publish_tag: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Note,
    Warning,
    Error,
}

/// One thing to look at, with where it is, what is wrong, what to do and who says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Stable id, kebab-case: it stands in policies, waivers and SARIF.
    pub rule: &'static str,
    pub severity: Severity,
    pub file: String,
    pub line: u32,
    pub column: u32,
    pub job: Option<String>,
    /// One sentence of what is wrong. Foreign text in it is already made visible.
    pub message: String,
    /// One sentence of what to do.
    pub fix: String,
    /// Link or facts entry.
    pub source: &'static str,
}

/// All that one checkout told.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RepoScan {
    pub repo: String,
    pub root: String,
    /// Commit the working tree was at, where `.git` tells.
    pub commit: Option<String>,
    pub ci: Vec<CiSystem>,
    /// What was looked at: "this checkout only, other refs not checked" for a folder.
    pub refs: String,
    pub publish_paths: Vec<PublishPath>,
    pub token_uses: Vec<TokenUse>,
    pub packages: Vec<Package>,
    pub findings: Vec<Finding>,
    pub files_read: u32,
}
