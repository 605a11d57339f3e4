//! Facts: what was seen of a subject, from one source, at one time.
//!
//! These shapes stand in session files, as the `data` of `observed` events: fields may be added, never renamed.
//! A value that this version does not know reads as its `unknown` variant, never as an error.

use super::id::Subject;
use super::lane::Lane;
use super::time::Ts;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$inner:meta])* $variant:ident = $word:literal),+ $(,)? } else $other:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$inner])* #[serde(rename = $word)] $variant,)+
            #[default]
            #[serde(other, rename = "unknown")]
            $other,
        }

        impl $name {
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                    Self::$other => "unknown",
                }
            }
        }
    };
}

pub mod live;

pub use live::*;

/// The CI system of a path whose file was read.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum CiFact {
    #[default]
    Github,
    Gitlab,
    Circleci,
    Azure,
    Jenkins,
    Travis,
    /// A system whose files the scan does not read.
    Unread,
}

impl CiFact {
    pub fn word(self) -> &'static str {
        match self {
            Self::Github => "github",
            Self::Gitlab => "gitlab",
            Self::Circleci => "circleci",
            Self::Azure => "azure",
            Self::Jenkins => "jenkins",
            Self::Travis => "travis",
            Self::Unread => "a CI system that is not read",
        }
    }
}

words!(
    /// What runs the publish.
    ToolFact {
        Npm = "npm", Pnpm = "pnpm", YarnClassic = "yarn-classic", YarnBerry = "yarn-berry", Bun = "bun", Lerna = "lerna",
        Changesets = "changesets", SemanticRelease = "semantic-release", Nx = "nx", ReleaseIt = "release-it", Np = "np",
        JsDevtoolsNpmPublish = "js-devtools-npm-publish", Rush = "rush", CustomScript = "custom-script",
    } else Other
);
words!(
    /// Where a publish goes.
    RegistryFact { Npmjs = "npmjs", GithubPackages = "github-packages", Other = "other" } else Unknown
);
words!(
    /// What a publish shows to the registry, as far as the files tell.
    CredentialFact { Oidc = "oidc", Token = "token", TokenAndOidc = "token+oidc" } else NoneVisible
);
words!(
    /// What kind of machine runs a path.
    RunnerFact { Hosted = "hosted", SelfHosted = "self-hosted" } else Unknown
);
words!(
    /// What a token use is for.
    PurposeFact {
        Publish = "publish", Stage = "stage", Install = "install", DistTag = "dist-tag", Deprecate = "deprecate",
        Unpublish = "unpublish", Access = "access", Whoami = "whoami",
    } else Unknown
);

fn is_false(value: &bool) -> bool {
    !value
}

/// One publish path, as the files of one commit say.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PathFact {
    pub repo: Option<Subject>,
    pub file: Box<str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job: Option<Box<str>>,
    pub ordinal: u32,
    pub line: u32,
    pub ci: CiFact,
    pub tool: ToolFact,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_version: Option<Box<str>>,
    pub registry: RegistryFact,
    pub credential: CredentialFact,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<Box<str>>,
    #[serde(skip_serializing_if = "is_false")]
    pub id_token: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<Box<str>>,
    pub runner: RunnerFact,
    /// `caller` or `callee` of a reusable workflow or composite action.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reusable: Option<Box<str>>,
    /// Starts only when another workflow or action calls it: npm trusts the caller's file, not this one.
    #[serde(skip_serializing_if = "is_false")]
    pub called_only: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub staged: bool,
    /// The step can pass though the publish failed.
    #[serde(skip_serializing_if = "is_false")]
    pub fails_open: bool,
    /// Started by an event whose OIDC tokens npm refuses.
    #[serde(skip_serializing_if = "is_false")]
    pub blocked_events: bool,
    /// An action of the job is not pinned by a full commit id.
    #[serde(skip_serializing_if = "is_false")]
    pub unpinned: bool,
    /// Rule ids that say why OIDC is impossible or risky here.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub blockers: Vec<Box<str>>,
    pub packages: Vec<Subject>,
}

impl PathFact {
    /// Tells whether it runs on a runner that npm takes no provenance from, and asks for provenance or gets it by
    /// itself: with provenance off, such a runner publishes by OIDC.
    pub fn lacks_hosted_runner(&self) -> bool {
        let named = |rule: &str| self.blockers.iter().any(|one| **one == *rule);
        self.runner == RunnerFact::SelfHosted
            && (named("self-hosted-runner") || named("self-hosted-provenance"))
    }
}

/// One package of a repository, as its package.json says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PackageFact {
    pub name: Box<str>,
    pub repo: Option<Subject>,
    pub path: Box<str>,
    #[serde(skip_serializing_if = "is_false")]
    pub private: bool,
    /// `publishConfig.access` is `restricted`.
    #[serde(skip_serializing_if = "is_false")]
    pub restricted: bool,
    /// `repository.url` as written; none where package.json has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository_url: Option<Box<str>>,
    /// Whether it names this repository, letter by letter; none where it cannot be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository_matches: Option<bool>,
}

/// A place that needs a token for something else than publishing, or beside it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct UseFact {
    pub file: Box<str>,
    pub line: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job: Option<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<Box<str>>,
    pub purpose: PurposeFact,
}

/// A finding of the scan, kept by rule and place; its words are the rule's.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct FindingFact {
    pub rule: Box<str>,
    pub severity: Box<str>,
    pub file: Box<str>,
    pub line: u32,
}

/// What the scan of one repository found, as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RepoFact {
    pub name: Box<str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<Box<str>>,
    /// Which refs were looked at.
    pub refs: Box<str>,
    pub paths: Vec<Subject>,
    pub packages: Vec<Subject>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub uses: Vec<UseFact>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<FindingFact>,
    /// CI files that could not be read or understood.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<Box<str>>,
    /// What did not fit into the event (counts of left-out findings and uses), so that silence is never taken for absence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_out: Option<u32>,
}

/// One row of an inventory that people keep: what they say, not what was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct InventoryFact {
    pub name: Box<str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub packages: Vec<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reviewer: Option<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lane: Option<Lane>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub token_scopes: Vec<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_expires: Option<NaiveDate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bypass_2fa: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_name: Option<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_store: Option<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canary_date: Option<NaiveDate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canary_tag: Option<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_token_id: Option<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_on: Option<NaiveDate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provenance_verified: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dist_tags_correct: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub docs_updated: Option<bool>,
    /// File name and row, for people who want to look it up.
    pub from: Box<str>,
}

/// One token of an account, as its listing shows it. The value is never here: npm shows four characters at each end.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TokenFact {
    pub account: Box<str>,
    /// The registry's key; empty where the list masks it.
    pub key: Box<str>,
    /// How the key starts, where the list masks it: six characters or more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redacted: Option<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub readonly: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bypass_2fa: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage_only: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<Ts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<Ts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_used: Option<Ts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Ts>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub permissions: Vec<Box<str>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<Box<str>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cidr: Vec<Box<str>>,
}

/// One listing of an account's tokens: which were there. It proves absence only where it is complete.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ListingFact {
    pub account: Box<str>,
    /// Every page arrived and the total agrees; none where the list does not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub complete: Option<bool>,
    pub tokens: Vec<Subject>,
}

/// The answer of one source about one subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    Repo(RepoFact),
    Path(PathFact),
    Package(PackageFact),
    Inventory(InventoryFact),
    Token(TokenFact),
    Listing(ListingFact),
    Forge(ForgeFact),
    Actions(ActionsFact),
    Environments(EnvironmentsFact),
    Secrets(SecretsFact),
    Protection(ProtectionFact),
    Runs(RunsFact),
    Causes(CausesFact),
    Ref(Box<RefFact>),
    Refs(RefsFact),
    Rights(RightsFact),
    Published(PublishedFact),
    Trust(TrustFact),
    Access(AccessFact),
    Reach(ReachFact),
    Provenance(ProvenanceFact),
    Stages(StagesFact),
    Profile(ProfileFact),
    Owned(OwnedFact),
    Edge(EdgeFact),
    CouldNot(CouldNotFact),
}

impl Answer {
    /// Names the source: of two answers from one source about one subject, the later `as_of` counts.
    pub fn source(&self) -> &'static str {
        match self {
            Self::Repo(_) | Self::Path(_) | Self::Package(_) => "scan",
            Self::Inventory(_) => "inventory",
            Self::Token(_) | Self::Listing(_) => "npm token list",
            _ => self.live().map_or("unknown", LiveSource::word),
        }
    }

    /// Gives the slot of a live answer; none for what a scan or a list brought.
    pub fn live(&self) -> Option<LiveSource> {
        Some(match self {
            Self::Repo(_)
            | Self::Path(_)
            | Self::Package(_)
            | Self::Inventory(_)
            | Self::Token(_)
            | Self::Listing(_) => return None,
            Self::Forge(_) => LiveSource::Forge,
            Self::Actions(_) => LiveSource::Actions,
            Self::Environments(_) => LiveSource::Environments,
            Self::Secrets(_) => LiveSource::Secrets,
            Self::Protection(_) => LiveSource::Protection,
            Self::Runs(_) => LiveSource::Runs,
            Self::Causes(_) => LiveSource::Causes,
            Self::Ref(_) | Self::Refs(_) => LiveSource::Refs,
            Self::Rights(_) => LiveSource::Rights,
            Self::Published(_) => LiveSource::Published,
            Self::Trust(_) => LiveSource::Trust,
            Self::Access(_) => LiveSource::Access,
            Self::Reach(_) => LiveSource::Reach,
            Self::Provenance(_) => LiveSource::Provenance,
            Self::Stages(_) => LiveSource::Stages,
            Self::Profile(_) => LiveSource::Profile,
            Self::Owned(_) => LiveSource::Owned,
            Self::Edge(_) => LiveSource::Edge,
            Self::CouldNot(fact) => fact.source,
        })
    }
}
