//! What a forge and a registry answered: shapes of facts that the observers bring.
//!
//! Like every fact they stand in session files: fields may be added, never renamed. A listing carries whether it is
//! complete; what could not be looked at is an answer of its own and never replaces what was seen before.

use super::{PathFact, is_false};
use crate::model::id::Subject;
use crate::model::time::Ts;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

words!(
    /// Where a live fact comes from: one slot per subject and source.
    LiveSource {
        Forge = "github repository", Actions = "github actions settings", Environments = "github environments",
        Secrets = "github secrets", Protection = "github protection", Runs = "github runs", Causes = "github job logs", Refs = "github refs",
        Rights = "github rights", Published = "npm packument", Trust = "npm trust", Access = "npm access",
        Reach = "npm search", Provenance = "npm attestations", Stages = "npm stages", Profile = "npm profile",
        Owned = "npm packages of an account", Tokens = "npm tokens", Edge = "identify",
    } else Newer
);

/// A repository as its forge describes it. About a repo.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ForgeFact {
    pub name: Box<str>,
    /// Numeric ids: a transfer or a rename keeps them, provenance names them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner_id: Option<u64>,
    /// `public`, `private` or `internal`.
    pub visibility: Box<str>,
    #[serde(skip_serializing_if = "is_false")]
    pub archived: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub fork: bool,
    pub default_branch: Box<str>,
    /// Of one that is listed and not scanned: whether its workflows publish. None where nobody looked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publishes: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<Ts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pushed: Option<Ts>,
}

/// Settings of Actions in a repository. About a repo.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ActionsFact {
    /// `read` or `write`: what a workflow's own token may do by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_permissions: Option<Box<str>>,
    /// The OIDC subject carries numeric ids.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub immutable_subject: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_subject: Option<bool>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub claim_keys: Vec<Box<str>>,
}

/// One deployment environment.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct EnvironmentFact {
    pub name: Box<str>,
    /// People or teams that must approve.
    pub reviewers: u32,
    #[serde(skip_serializing_if = "is_false")]
    pub prevent_self_review: bool,
    pub wait_minutes: u32,
    /// `none`, `protected` (protected branches) or `custom`.
    pub branches: Box<str>,
}

/// The environments of a repository. About a repo.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct EnvironmentsFact {
    /// Every page arrived and the total agrees.
    pub complete: bool,
    pub environments: Vec<EnvironmentFact>,
}

/// One secret or variable of a store: its name and when it last changed. Nobody returns values.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct NamedFact {
    pub name: Box<str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated: Option<Ts>,
}

/// What one store of a repository holds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct StoreFact {
    /// `repo`, `org`, `env:NAME`, `dependabot`, `codespaces` or `agents`; an organisation's own: `org-dependabot`,
    /// `org-codespaces`, `org-agents`; variables: `vars`, `org-vars`, `env-vars:NAME`. `env` alone: not even their names.
    pub store: Box<str>,
    /// Every page arrived and the total agrees. If not, absence proves nothing and `why` says what is missing.
    pub complete: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<Box<str>>,
    pub names: Vec<NamedFact>,
}

/// Secrets and variables of a repository, store by store. About a repo.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SecretsFact {
    pub stores: Vec<StoreFact>,
}

/// Who has to agree before a publish workflow changes. About a repo.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ProtectionFact {
    /// A pull request is needed on the default branch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pull_request: Option<bool>,
    pub approvals: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code_owners: Option<bool>,
    /// CODEOWNERS names somebody for the workflow folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workflows_owned: Option<bool>,
    /// The plan of this organisation does not have it.
    #[serde(skip_serializing_if = "is_false")]
    pub not_available: bool,
}

/// One run of a release workflow.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RunFact {
    pub id: u64,
    pub number: u64,
    /// 0 where the forge did not tell.
    pub attempt: u32,
    /// Workflow file, below `.github/workflows/`.
    pub file: Box<str>,
    pub event: Box<str>,
    pub branch: Box<str>,
    pub sha: Box<str>,
    /// `queued`, `in_progress`, `completed`, …
    pub status: Box<str>,
    /// `success`, `failure`, `cancelled`, …; none while it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conclusion: Option<Box<str>>,
    pub created: Ts,
    pub updated: Ts,
    pub actor: Box<str>,
    pub url: Box<str>,
    /// Step that failed: read in files of version 0.1, and written in none since [`CausesFact`] is an answer of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed_step: Option<Box<str>>,
    /// As `failed_step`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<Box<str>>,
}

/// The last finished runs of a repository's release workflows, newest first. About a repo.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RunsFact {
    pub runs: Vec<RunFact>,
}

/// Why one run failed, as its jobs and their logs tell.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CauseFact {
    pub run: u64,
    /// When the run had last changed: another attempt fails for reasons of its own.
    pub updated: Ts,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed_step: Option<Box<str>>,
    /// Id of the log signature that explains the failure; `unknown` where the log matches none.
    pub cause: Box<str>,
}

/// Why runs of a repository's release workflows failed, newest run first. About a repo.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CausesFact {
    pub causes: Vec<CauseFact>,
}

/// A publish path as another ref than the default branch has it. About a path-ref.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RefFact {
    pub git_ref: Box<str>,
    pub commit: Box<str>,
    pub path: Option<Subject>,
    /// None: looked, and this ref has no such path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fact: Option<PathFact>,
}

/// The other refs of a repository that can publish, and whether those were all. About a repo.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RefsFact {
    /// Every ref whose workflow files were read, the default branch not counted.
    pub refs: Vec<Box<str>>,
    /// Every ref that a trigger, a protection or a recent run names was read.
    pub complete: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<Box<str>>,
}

/// What a person may do on the forge. About a person.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RightsFact {
    pub login: Box<str>,
    pub complete: bool,
    pub admin: Vec<Subject>,
    /// Without those in `admin`.
    pub write: Vec<Subject>,
}

words!(
    /// How the registry says that a version was published.
    HowFact {
        /// The registry names a trust config.
        Oidc = "oidc",
        /// Staged, and approved by a person.
        Staged = "staged",
        /// A provenance attestation stands beside it.
        Attested = "attested",
        /// Time and commit fit a known run: worked out when read.
        MatchedRun = "matched-run",
        /// Fits no known run: a person's machine, or a system nobody named.
        Unmatched = "unmatched",
    } else NotTold
);

/// One recent version.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct VersionFact {
    pub version: Box<str>,
    pub at: Ts,
    pub how: HowFact,
    /// Id of the trust config that published, as the registry names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approver: Option<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub git_head: Option<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub integrity: Option<Box<str>>,
    #[serde(skip_serializing_if = "is_false")]
    pub provenance: bool,
    /// The run that version 0.1 matched it to; now [`Facts::how`](crate::model::facts::Facts::how) works it out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<u64>,
    #[serde(skip_serializing_if = "is_false")]
    pub deprecated: bool,
}

/// A package as its full document says. About a package.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PublishedFact {
    pub name: Box<str>,
    pub tags: BTreeMap<Box<str>, Box<str>>,
    pub maintainers: Vec<Box<str>>,
    /// Newest first, at most ten.
    pub versions: Vec<VersionFact>,
    pub total: u32,
    pub modified: Ts,
    /// Median days between the last releases; none with fewer than three.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cadence_days: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository_url: Option<Box<str>>,
    /// The registry between us strips publishers and signatures: their absence proves nothing.
    #[serde(skip_serializing_if = "is_false")]
    pub stripped: bool,
}

/// One trust config as the registry lists it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TrustConfigFact {
    pub id: Box<str>,
    /// `github`, `gitlab` or `circleci`.
    pub provider: Box<str>,
    pub repository: Box<str>,
    pub file: Box<str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<Box<str>>,
    pub permissions: Vec<Box<str>>,
    /// When it was created, where the registry says or this program created it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<Ts>,
    /// First listing that had it: its window ends at the latest 48 hours after the one before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_seen: Option<Ts>,
    /// As the registry words it, where it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Box<str>>,
}

/// The trust configs of a package. Reading them costs 2FA, so this is "as of". About a package.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TrustFact {
    pub configs: Vec<TrustConfigFact>,
}

/// Who may write a package. About a package.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AccessFact {
    /// Login and `read-write` or `read-only`.
    pub people: BTreeMap<Box<str>, Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public: Option<bool>,
}

impl AccessFact {
    /// Gives the logins that may write the package.
    pub fn writers(&self) -> impl Iterator<Item = &str> {
        let people = self.people.iter();
        people
            .filter(|(_, right)| &***right == "read-write")
            .map(|(login, _)| login.as_ref())
    }
}

/// How far a mistake in a package would reach. About a package.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ReachFact {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weekly: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dependents: Option<u64>,
}

/// What verifying the provenance of one version gave. About a package.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ProvenanceFact {
    pub version: Box<str>,
    pub verified: bool,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<Box<str>>,
    pub repository: Box<str>,
    pub workflow: Box<str>,
    pub git_ref: Box<str>,
    pub commit: Box<str>,
    pub run: Box<str>,
}

/// One staged version that waits.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct StageFact {
    pub id: Box<str>,
    pub version: Box<str>,
    pub tag: Box<str>,
    pub created: Ts,
    pub actor: Box<str>,
    pub shasum: Box<str>,
}

/// The stages of a package. About a package.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct StagesFact {
    pub complete: bool,
    pub stages: Vec<StageFact>,
}

/// An account's own profile. About a person.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ProfileFact {
    pub account: Box<str>,
    /// `auth-and-writes`, `auth-only`, `off`, or as the registry words it.
    pub two_factor: Box<str>,
}

/// The packages of an organisation or account. About a person.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct OwnedFact {
    pub account: Box<str>,
    pub complete: bool,
    pub packages: Vec<Box<str>>,
}

/// A job that holds a secret compared it with the redacted form of this token. About a token.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct EdgeFact {
    pub secret: Option<Subject>,
    pub holds: bool,
    pub run: Box<str>,
}

/// Something that was to be looked at and could not be. About what it would have been about.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CouldNotFact {
    pub source: LiveSource,
    /// In words: what is missing and who can change it.
    pub why: Box<str>,
}
