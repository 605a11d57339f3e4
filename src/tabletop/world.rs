//! The state of the simulated organisation: people, repositories, secrets, runs, packages, tokens.
//!
//! One `Mutex<World>` holds everything. A request locks it, calls [`World::advance`] with the clock's instant, answers,
//! and lets go: no await under the lock, no background task. What happens by itself (a run ends, a release begins) stands
//! in an agenda that `advance` works off in order of time, so the same requests at the same instants give the same world.
//! Must not know HTTP or JSON: `github` and `npm` write the answers.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};
use std::fmt;
use std::sync::Arc;

use crate::safe::secret::Secret as Value;

use super::clock::Ms;
use super::random::{Rng, words};

mod build;
mod files;
mod life;
mod logs;
mod plan;
mod publish;
mod shape;
mod workflow;

pub use build::Size;
pub use life::Cause;
pub use logs::Failure;
pub use plan::{FlatJob, JobPlan, Plan, StepPlan, state};
pub use publish::{ACTIVATION, hosted, visible};
pub use shape::Shape;
pub use workflow::{Trigger, Workflow};

/// A Git object id, in the form of one. It names contents apart; nothing verifies it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Oid([u64; 3]);

impl Oid {
    /// Names some bytes of a kind (`blob`, `tree`, `commit`).
    pub fn of(kind: &str, bytes: &[u8]) -> Self {
        let [a, b, c, ..] = words(bytes);
        let [k, ..] = words(kind.as_bytes());
        Self([a ^ k, b, c >> 32])
    }

    /// Reads the 40 hex digits of an id.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 40 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        let part = |from: usize, to: usize| u64::from_str_radix(text.get(from..to)?, 16).ok();
        Some(Self([part(0, 16)?, part(16, 32)?, part(32, 40)?]))
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c] = self.0;
        write!(f, "{a:016x}{b:016x}{c:08x}")
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Path to blob: a whole tree, flat.
pub type Tree = Arc<BTreeMap<Arc<str>, Oid>>;

#[derive(Debug, Clone)]
pub struct Commit {
    pub oid: Oid,
    pub parents: Vec<Oid>,
    pub tree: Tree,
    pub at: Ms,
    pub author: Arc<str>,
    pub message: Arc<str>,
}

/// A person: one login on both services.
#[derive(Debug, Clone)]
pub struct Person {
    pub id: u64,
    pub login: Arc<str>,
    pub name: String,
    pub email: String,
    /// Role in the organisation: `owner`, `admin`, `member`; none for those who left.
    pub role: Option<String>,
    /// Left the company: no member of the organisation, though packages may still name the account.
    pub left: bool,
    /// Two-factor mode on npm: `auth-and-writes`, `auth-only` or none.
    pub two_factor: Option<String>,
}

/// What a GitHub secret holds. No answer ever gives it; runs use it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Held {
    /// The npm token with this key.
    Npm(String),
    /// Something that is no npm token, or one that nobody knows.
    Other,
}

/// Which repositories see an organisation's secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Visibility {
    All,
    Private,
    Selected(BTreeSet<u64>),
}

#[derive(Debug, Clone)]
pub struct Secret {
    pub name: String,
    pub created: Ms,
    pub updated: Ms,
    pub visibility: Visibility,
    pub held: Held,
}

#[derive(Debug, Clone)]
pub struct Variable {
    pub name: String,
    pub value: String,
    pub created: Ms,
    pub updated: Ms,
    pub visibility: Visibility,
}

#[derive(Debug, Clone, Default)]
pub struct Environment {
    pub id: u64,
    pub name: String,
    pub created: Ms,
    pub reviewers: Vec<Arc<str>>,
    pub prevent_self_review: bool,
    pub wait_minutes: u32,
    /// None: any branch. Some(true): protected branches. Some(false): those named in `branches`.
    pub protected_only: Option<bool>,
    /// `branch` or `tag`, and a pattern.
    pub branches: Vec<(String, String)>,
    pub secrets: Vec<Secret>,
    pub variables: Vec<Variable>,
}

/// Rules for the default branch.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    pub pull_request: bool,
    pub approvals: u32,
    pub code_owners: bool,
}

/// A workflow as GitHub lists it: registered once, by path.
#[derive(Debug, Clone)]
pub struct Registered {
    pub id: u64,
    pub path: Arc<str>,
    pub name: Arc<str>,
    pub state: &'static str,
    pub created: Ms,
    pub updated: Ms,
    /// How many runs it had.
    pub runs: u64,
}

#[derive(Debug, Clone, Default)]
pub struct Repo {
    pub id: u64,
    pub name: Arc<str>,
    pub private: bool,
    pub archived: bool,
    pub fork: bool,
    pub description: String,
    pub default_branch: Arc<str>,
    pub created: Ms,
    pub pushed: Ms,
    /// Word of the world's shape that it was made from.
    pub kind: String,
    /// Login to role: `admin`, `maintain`, `push`, `triage` or `pull`. Owners of the organisation are admins besides.
    pub people: BTreeMap<Arc<str>, &'static str>,
    /// Full name (`refs/heads/main`) to commit.
    pub refs: BTreeMap<String, Oid>,
    pub commits: HashMap<Oid, Commit>,
    pub workflows: Vec<Registered>,
    pub environments: Vec<Environment>,
    pub secrets: Vec<Secret>,
    pub dependabot: Vec<Secret>,
    pub codespaces: Vec<Secret>,
    pub agents: Vec<Secret>,
    pub variables: Vec<Variable>,
    pub rules: Rules,
    pub default_write: bool,
    pub immutable_subject: bool,
    /// Places in [`World::runs`], oldest first.
    pub runs: Vec<usize>,
    /// Names of the packages that it publishes.
    pub packages: Vec<String>,
}

impl Repo {
    /// Gives the commit at the tip of the default branch.
    pub fn head(&self) -> Option<&Commit> {
        self.at(&format!("refs/heads/{}", self.default_branch))
    }

    /// Gives the commit that a full ref name, a branch, a tag or an id names.
    pub fn at(&self, name: &str) -> Option<&Commit> {
        let oid = [
            name.to_owned(),
            format!("refs/{name}"),
            format!("refs/heads/{name}"),
            format!("refs/tags/{name}"),
        ]
        .iter()
        .find_map(|full| self.refs.get(full).copied())
        .or_else(|| Oid::parse(name));
        if name == "HEAD" {
            return self.head();
        }
        self.commits.get(&oid?)
    }

    /// Gives a workflow by its number or file name.
    pub fn workflow(&self, which: &str) -> Option<&Registered> {
        self.workflows
            .iter()
            .find(|one| one.id.to_string() == which || one.path.rsplit('/').next() == Some(which))
    }
}

/// What happened to one publish of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Every package was published (or staged), with its version.
    Published(Vec<(String, String)>),
    /// Some were, then one failed.
    Failed {
        done: Vec<(String, String)>,
        package: String,
        version: String,
        why: Failure,
    },
}

#[derive(Debug, Clone)]
pub struct Run {
    pub id: u64,
    /// Place in [`World::repos`].
    pub repo: usize,
    /// Place in [`Repo::workflows`].
    pub workflow: usize,
    pub number: u64,
    pub attempt: u32,
    pub event: Arc<str>,
    /// Branch or tag, short.
    pub branch: Arc<str>,
    pub sha: Oid,
    pub actor: Arc<str>,
    pub created: Ms,
    /// When this attempt was asked for.
    pub started: Ms,
    pub title: Arc<str>,
    /// Inputs of a dispatch.
    pub inputs: BTreeMap<String, String>,
    /// Version that this run is to publish, once it is known.
    pub version: Option<String>,
    /// By job and step (their places in the plan): set when a step that npm sees ends.
    pub outcomes: BTreeMap<(usize, usize), Outcome>,
    /// First job begins and last job ends, as far as is known now. Behind it all: `Ms::MAX` while somebody must approve.
    pub begins: Ms,
    pub ends: Ms,
    pub conclusion: &'static str,
    /// Fails in its tests, before anything is published.
    pub tests_fail: bool,
    /// Somebody called it off at this instant.
    pub cancelled: Option<Ms>,
    /// A protected environment was approved: when, by whom, and in what words.
    pub approval: Option<(Ms, Arc<str>, String)>,
}

/// How a version reached the registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum How {
    /// By a trust config (its id) from a run.
    Oidc { config: String, provenance: bool },
    /// With the token of this key.
    Token { key: String },
    /// Staged, then approved by a person.
    Staged {
        approver: Arc<str>,
        config: Option<String>,
    },
    /// From somebody's machine, with a login session.
    Laptop,
}

#[derive(Debug, Clone)]
pub struct Version {
    pub version: String,
    pub at: Ms,
    pub how: How,
    /// The account that the registry names.
    pub user: Arc<str>,
    pub git_head: Option<Oid>,
    /// Id of the run that published it.
    pub run: Option<u64>,
    pub deprecated: Option<String>,
    /// The manifest as it was uploaded, where it came over HTTP.
    pub manifest: Option<Arc<str>>,
    /// The tarball as it was uploaded; made from the name where there is none.
    pub tarball: Option<Arc<[u8]>>,
    /// The Sigstore bundle that was uploaded beside it.
    pub bundle: Option<Arc<str>>,
}

#[derive(Debug, Clone)]
pub struct TrustConfig {
    pub id: String,
    /// `github`, `gitlab` or `circleci`.
    pub kind: String,
    /// As they were given: what matching reads.
    pub repository: String,
    pub file: String,
    pub environment: Option<String>,
    pub publish: bool,
    pub stage: bool,
    pub created: Ms,
    /// First publish through it; none: it dies 48 hours after its creation.
    pub validated: Option<Ms>,
}

#[derive(Debug, Clone)]
pub struct Stage {
    pub id: String,
    pub package: String,
    pub version: String,
    pub tag: String,
    pub created: Ms,
    pub actor: String,
    /// Staged by a trusted publisher: its config.
    pub config: Option<String>,
    pub run: Option<u64>,
    pub git_head: Option<Oid>,
    /// `pending`, `approved` or `rejected`.
    pub status: &'static str,
    /// The publish document as it was uploaded, where it came over HTTP.
    pub document: Option<Arc<str>>,
}

#[derive(Debug, Clone, Default)]
pub struct Package {
    pub name: String,
    pub private: bool,
    pub created: Ms,
    pub modified: Ms,
    /// Oldest first.
    pub versions: Vec<Version>,
    pub tags: BTreeMap<String, String>,
    /// Account to `read-write` or `read-only`.
    pub people: BTreeMap<Arc<str>, &'static str>,
    pub trust: Vec<TrustConfig>,
    /// "Two-factor and disallow tokens".
    pub tokens_disallowed: bool,
    pub repository: Option<String>,
    /// Place of the repository that publishes it; none for an orphan.
    pub home: Option<usize>,
    pub folder: String,
    pub weekly: u64,
    pub dependents: u64,
    /// Counts writes: the packument's `_rev`.
    pub rev: u64,
}

impl Package {
    pub fn latest(&self) -> Option<&Version> {
        let tag = self.tags.get("latest")?;
        self.versions.iter().find(|one| one.version == *tag)
    }
}

/// What an npm credential is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NpmKind {
    /// A login session: in no listing, may manage.
    Session,
    /// A granular access token.
    Granular,
    /// What an OIDC exchange gave, for one package.
    Exchange,
}

#[derive(Debug, Clone)]
pub struct NpmToken {
    pub key: String,
    pub kind: NpmKind,
    pub owner: Arc<str>,
    pub value: Value,
    pub name: String,
    pub description: Option<String>,
    pub created: Ms,
    pub updated: Ms,
    pub expires: Option<Ms>,
    pub revoked: Option<Ms>,
    pub accessed: Option<Ms>,
    pub bypass_2fa: bool,
    pub stage_only: bool,
    /// May write; else only read.
    pub write: bool,
    pub cidr: Vec<String>,
    /// Packages or scopes (`@acme`); empty: all.
    pub packages: Vec<String>,
    pub organisations: Vec<String>,
    /// For an exchange: the trust config behind it.
    pub config: Option<String>,
}

impl NpmToken {
    /// Tells whether the registry still takes it.
    pub fn alive(&self, now: Ms) -> bool {
        self.revoked.is_none_or(|at| at > now) && self.expires.is_none_or(|at| at > now)
    }

    /// Tells whether it covers a package.
    pub fn covers(&self, package: &str) -> bool {
        self.packages.is_empty()
            || self.packages.iter().any(|one| {
                one == package
                    || one == "*"
                    || package
                        .split_once('/')
                        .is_some_and(|(scope, _)| one == scope)
            })
    }
}

/// What a GitHub token may do.
#[derive(Debug, Clone)]
pub enum Power {
    /// A classic token: scopes.
    Scopes(Vec<String>),
    /// A fine-grained one: permission (`actions`, `organization_secrets`) to `read`, `write` or `admin`.
    Fine(BTreeMap<String, String>),
}

#[derive(Debug, Clone)]
pub struct GithubToken {
    pub login: Arc<str>,
    pub value: Value,
    pub power: Power,
    pub expires: Option<Ms>,
    pub revoked: bool,
}

/// What is due.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Due {
    /// A step that npm sees ends, in this run (its place), job, step and attempt.
    Effect(usize, usize, usize, u32),
    /// Somebody releases something.
    Release,
    /// A step of the running scenario.
    Scene(usize),
    /// Somebody approves the environment that a run waits for.
    Review(usize),
    /// Somebody approves a stage.
    Approve(String),
}

/// The organisation's account.
#[derive(Debug, Clone, Default)]
pub struct Organisation {
    pub id: u64,
    pub login: Arc<str>,
    pub name: String,
    pub created: Ms,
    pub secrets: Vec<Secret>,
    pub dependabot: Vec<Secret>,
    pub codespaces: Vec<Secret>,
    pub agents: Vec<Secret>,
    pub variables: Vec<Variable>,
    pub default_write: bool,
}

/// Everything there is.
#[derive(Debug)]
pub struct World {
    pub seed: u64,
    pub shape: &'static Shape,
    pub org: Organisation,
    pub people: Vec<Person>,
    pub repos: Vec<Repo>,
    pub blobs: HashMap<Oid, Arc<str>>,
    pub runs: Vec<Run>,
    pub packages: BTreeMap<String, Package>,
    pub stages: Vec<Stage>,
    pub npm_tokens: Vec<NpmToken>,
    pub github_tokens: Vec<GithubToken>,
    /// The instant up to which everything has happened.
    pub now: Ms,
    pub rng: Rng,
    pub notes: Vec<(Ms, String)>,
    /// The next publish of this repository stops after so many packages.
    pub hiccups: BTreeMap<usize, usize>,
    /// GitHub answers nobody before this instant, where a scenario says so.
    pub github_closed_until: Option<Ms>,
    pub scene: Option<&'static super::scenario::Scenario>,
    agenda: BinaryHeap<Reverse<(Ms, u64, Due)>>,
    noted: u64,
    parsed: HashMap<Oid, Option<Arc<Workflow>>>,
    flat: HashMap<Oid, Arc<Vec<plan::FlatJob>>>,
}

impl World {
    /// Finds a repository by its name, without regard to case.
    pub fn repo(&self, name: &str) -> Option<(usize, &Repo)> {
        self.repos
            .iter()
            .enumerate()
            .find(|(_, repo)| repo.name.eq_ignore_ascii_case(name))
    }

    pub fn person(&self, login: &str) -> Option<&Person> {
        self.people
            .iter()
            .find(|one| one.login.eq_ignore_ascii_case(login))
    }

    /// Finds the npm credential with this value; dead ones too.
    pub fn npm_token(&self, value: &str) -> Option<&NpmToken> {
        self.npm_tokens
            .iter()
            .find(|one| one.value.expose() == value)
    }

    pub fn npm_token_mut(&mut self, key: &str) -> Option<&mut NpmToken> {
        self.npm_tokens.iter_mut().find(|one| one.key == key)
    }

    pub fn github_token(&self, value: &str) -> Option<&GithubToken> {
        self.github_tokens
            .iter()
            .find(|one| one.value.expose() == value)
    }

    pub fn run(&self, id: u64) -> Option<(usize, &Run)> {
        let at = usize::try_from(id.checked_sub(RUN_BASE)?).ok()?;
        Some((at, self.runs.get(at)?))
    }

    /// Gives the text of a file at a commit.
    pub fn file(&self, commit: &Commit, path: &str) -> Option<&Arc<str>> {
        self.blobs.get(commit.tree.get(path)?)
    }

    /// Gives the trust config that an id names, and its package.
    pub fn trust(&self, id: &str) -> Option<(&Package, &TrustConfig)> {
        self.packages.values().find_map(|package| {
            let config = package.trust.iter().find(|one| one.id == id)?;
            Some((package, config))
        })
    }

    /// Notes something to happen.
    pub fn plan_for(&mut self, at: Ms, due: Due) {
        self.noted += 1;
        self.agenda.push(Reverse((at, self.noted, due)));
    }

    /// Tells what the role of a login in a repository is, if any: `admin`, `maintain`, `push`, `triage`, `pull`.
    pub fn role(&self, repo: &Repo, login: &str) -> Option<&'static str> {
        let person = self.person(login)?;
        if person.role.as_deref() == Some("owner") {
            return Some("admin");
        }
        let own = repo.people.get(login).copied();
        own.or((person.role.is_some() && !person.left).then_some("pull"))
            .or((!repo.private).then_some("pull"))
    }
}

/// Ids of runs count from here.
pub const RUN_BASE: u64 = 19_400_000_000;
