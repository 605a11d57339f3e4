//! All facts of one session, folded: who and what there is, and what is linked to what.
//!
//! Filled by `session::fold`, read by the gates. Filling it in any order gives the same content: of two answers of
//! one source about one subject the later counts, and every derived link is rebuilt from the answers.

pub mod aside;
pub mod config;
pub mod dated;
pub mod joined;
pub mod live;
pub mod mapped;
pub mod past;
pub mod seen;
mod tokens;

use super::decision::{Decision, History, Slot, Standing, Value};
use super::event::SessionCreated;
use super::fact::{InventoryFact, PackageFact, PathFact, RegistryFact, RepoFact};
use super::id::{Subject, SubjectList, SubjectMap, SubjectSet};
use super::lane::{Lane, Lanes};
use super::policy::Policy;
use super::time::Ts;
use super::token::{Made, Token};
pub use dated::{Dated, Tie, take};
use seen::Seen;
use std::collections::{BTreeSet, HashMap};

/// The ref that a scan of a folder stands for.
pub const DEFAULT_REF: &str = "default branch";

/// A repository and what hangs on it.
#[derive(Debug, Clone, Default)]
pub struct Repo {
    pub scan: Option<Dated<RepoFact>>,
    pub inventory: Option<Dated<InventoryFact>>,
    /// Every path that a scan ever saw here.
    pub ever: SubjectList,
    /// Secrets that its files ever named: one that a workflow no longer names still stands in its store. In
    /// order, and a list, since nearly every repository names one or two.
    pub ever_named: Vec<Box<str>>,
    /// Derived: secrets that its files or its inventory row name, or that its files named once.
    pub secrets: Vec<Subject>,
    /// Derived: packages that it holds or publishes.
    pub packages: Vec<Subject>,
    /// Derived: trust configs that its paths need.
    pub configs: Vec<Subject>,
    /// Derived: what the paths may publish whose files do not tell; empty where the files of every path tell.
    pub meant: Vec<Subject>,
}

impl Repo {
    /// Gives the name: what the scan read, else what the inventory says.
    pub fn name(&self) -> &str {
        self.scan
            .as_ref()
            .map(|scan| scan.value.name.as_ref())
            .or_else(|| self.inventory.as_ref().map(|row| row.value.name.as_ref()))
            .unwrap_or("(not named yet)")
    }

    /// Keeps that its files name a secret.
    pub fn name_secret(&mut self, name: &str) {
        let at = self
            .ever_named
            .binary_search_by(|known| (**known).cmp(name));
        if let Err(at) = at {
            if self.ever_named.is_empty() {
                self.ever_named.reserve_exact(1);
            }
            self.ever_named.insert(at, name.into());
        }
    }

    /// Gives its publish paths, as of the last scan.
    pub fn paths(&self) -> &[Subject] {
        self.scan.as_ref().map_or(&[], |scan| &scan.value.paths)
    }

    /// Gives the names of the packages that its inventory row lists.
    pub fn listed(&self) -> &[Box<str>] {
        self.inventory
            .as_ref()
            .map_or(&[], |row| &row.value.packages)
    }
}

/// A publish path.
#[derive(Debug, Clone, Default)]
pub struct Path {
    pub fact: Option<Dated<PathFact>>,
    /// Derived: its ref of the default branch.
    pub default_ref: Option<Subject>,
}

/// A package.
#[derive(Debug, Clone, Default)]
pub struct Package {
    pub fact: Option<Dated<PackageFact>>,
    pub name: Box<str>,
    /// Derived: repositories that hold or publish it.
    pub repos: SubjectList,
    /// Derived: paths that publish it, or that may, as far as is known.
    pub paths: SubjectList,
    /// Stands for whatever a repository's paths publish of which nothing is known: its gates are asked, and nothing
    /// answers them.
    pub stand_in: bool,
}

/// A secret: one name in one store.
#[derive(Debug, Clone, Default)]
pub struct Secret {
    pub name: Box<str>,
    /// `org:acme`, `repo:acme/ui`, `env:acme/ui`, or `unknown:acme/ui` where nobody has said.
    pub store: Box<str>,
    /// Derived: repositories whose files or inventory name it.
    pub repos: SubjectList,
}

/// One of a token's appearances or absences in listings of its account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sighting {
    pub as_of: Ts,
    pub present: bool,
}

/// One listing of an account.
#[derive(Debug, Clone, PartialEq)]
pub struct Listing {
    pub as_of: Ts,
    pub complete: Option<bool>,
    pub tokens: Vec<Subject>,
}

/// A person or account.
#[derive(Debug, Clone, Default)]
pub struct Person {
    pub login: Box<str>,
    /// Listings of this account's tokens, oldest first.
    pub listings: Vec<Listing>,
    pub key: Option<Box<str>>,
    /// A device of this person writes in the session.
    pub joined: bool,
}

/// A trust config that a path needs for a package. Its file and environment are the path's.
#[derive(Debug, Clone, Copy)]
pub struct Config {
    pub package: Subject,
    pub path: Subject,
    pub repo: Subject,
}

/// The links of one repository, worked out from its answers.
#[derive(Debug, Clone, Default)]
pub struct Links {
    /// Id, name, store.
    secrets: Vec<(Subject, Box<str>, Box<str>)>,
    packages: Vec<Subject>,
    meant: Vec<Subject>,
    /// Package and path.
    publishes: Vec<(Subject, Subject)>,
    configs: Vec<(Subject, Config)>,
}

/// Everything decided about one subject. Few slots each, so a list.
#[derive(Debug, Clone, Default)]
pub struct Decided(Vec<(Slot, History)>);

impl Decided {
    pub fn slot(&self, slot: Slot) -> Option<&History> {
        self.0
            .iter()
            .find(|(known, _)| *known == slot)
            .map(|(_, history)| history)
    }

    /// Adds a decision to its slot.
    pub fn add(&mut self, slot: Slot, decision: Decision) {
        match self.0.iter_mut().find(|(known, _)| *known == slot) {
            Some((_, history)) => history.add(decision),
            None => {
                // Few slots each, and many subjects: room for three more at once would mostly stay empty.
                if self.0.len() < 4 {
                    self.0.reserve_exact(1);
                }
                self.0.push((slot, History::One(decision)));
            }
        }
    }

    /// Gives the gates that somebody attested or waived, by [`GateId::bit`](super::gate::GateId::bit).
    pub fn claimed(&self) -> u128 {
        self.0.iter().fold(0, |bits, (slot, _)| match slot {
            Slot::Attest(gate) | Slot::Waive(gate) => bits | gate.bit(),
            _ => bits,
        })
    }

    pub fn slots(&self) -> impl Iterator<Item = (Slot, &History)> {
        self.0.iter().map(|(slot, history)| (*slot, history))
    }

    pub fn slots_mut(&mut self) -> impl Iterator<Item = (Slot, &mut History)> {
        self.0.iter_mut().map(|(slot, history)| (*slot, history))
    }

    pub fn standing(&self, slot: Slot) -> Standing<'_> {
        self.slot(slot).map_or(Standing::Nothing, History::standing)
    }
}

/// Everything known in one session.
#[derive(Debug, Default, Clone)]
pub struct Facts {
    pub session: SessionCreated,
    pub created_at: Ts,
    pub policy: Policy,
    pub policy_by: Option<Dated<Policy>>,
    // Boxed where there are many and they are large: a map has up to twice as many places as it has entries.
    pub repos: SubjectMap<Box<Repo>>,
    pub paths: SubjectMap<Box<Path>>,
    pub packages: SubjectMap<Box<Package>>,
    pub secrets: SubjectMap<Secret>,
    pub tokens: SubjectMap<Token>,
    /// Tokens by account and instant of creation.
    pub made: Made,
    /// Tokens by account and name: npm does not keep a name for one token alone.
    pub called: HashMap<(Subject, Box<str>), SubjectList>,
    pub persons: SubjectMap<Person>,
    pub configs: SubjectMap<Config>,
    /// The path of each path-ref.
    pub path_refs: SubjectMap<Subject>,
    pub decided: SubjectMap<Decided>,
    /// What forge and registry showed.
    pub seen: SubjectMap<Seen>,
    /// Path-refs that were read on another ref than the default branch, by repository.
    pub other_refs: SubjectMap<BTreeSet<Subject>>,
    /// The repository of each path that another ref than the default branch has.
    pub ref_repos: SubjectMap<Subject>,
    /// Tokens that a job compared with a secret, whatever it found.
    pub compared: SubjectMap<BTreeSet<Subject>>,
    /// People who administer a repository, as far as anybody's rights were looked at.
    pub admins: SubjectMap<BTreeSet<Subject>>,
    /// People whose rights on the forge were looked at.
    pub rated: BTreeSet<Subject>,
    /// Accounts of the registry that have shown their own profile here.
    pub logged_in: BTreeSet<Subject>,
    /// Accounts and organisations whose packages were listed.
    pub listed: BTreeSet<Subject>,
    /// Tokens that a job or somebody's word says a secret holds: the reverse of the edges.
    pub holders: SubjectMap<BTreeSet<Subject>>,
    /// Secrets that files name and that no token is said to be the value of.
    pub unclaimed: BTreeSet<Subject>,
    /// Subjects with a critical event of a newer version: their gates are unknown.
    pub newer: SubjectSet,
}

impl Facts {
    pub fn standing(&self, about: Subject, slot: Slot) -> Standing<'_> {
        self.decided
            .get(&about)
            .map_or(Standing::Nothing, |decided| decided.standing(slot))
    }

    /// Gives the decision that stands, where there is exactly one.
    pub fn decision(&self, about: Subject, slot: Slot) -> Option<&Decision> {
        match self.standing(about, slot) {
            Standing::One(decision) => Some(decision),
            _ => None,
        }
    }

    /// Gives the person in a slot: decided, else as the inventory says.
    pub fn owner(&self, repo: Subject) -> Option<&str> {
        self.person_of(repo, Slot::Owner, |row| row.owner.as_deref())
    }

    pub fn reviewer(&self, repo: Subject) -> Option<&str> {
        self.person_of(repo, Slot::Reviewer, |row| row.reviewer.as_deref())
    }

    fn person_of(
        &self,
        repo: Subject,
        slot: Slot,
        listed: fn(&InventoryFact) -> Option<&str>,
    ) -> Option<&str> {
        match self.decision(repo, slot).map(|decision| &decision.value) {
            Some(Value::Person(login)) => Some(login),
            Some(_) => None,
            None => self
                .repos
                .get(&repo)?
                .inventory
                .as_ref()
                .and_then(|row| listed(&row.value)),
        }
    }

    /// Gives the lane of a path: decided, else the inventory's word for its repository.
    pub fn lane(&self, path: Subject) -> Option<Lane> {
        match self.standing(path, Slot::Lane) {
            Standing::One(Decision {
                value: Value::Lane(lane),
                ..
            }) => Some(*lane),
            Standing::Nothing => {
                let repo = self.repo_of_path(path)?;
                self.repos.get(&repo)?.inventory.as_ref()?.value.lane
            }
            _ => None,
        }
    }

    /// Gives the ref of a path that a scan of a folder stands for.
    pub fn default_ref(&self, path: Subject) -> Subject {
        self.paths
            .get(&path)
            .and_then(|row| row.default_ref)
            .unwrap_or_else(|| Subject::path_ref(path, DEFAULT_REF))
    }

    /// Gives the repository of a path, on whichever ref it was seen.
    pub fn repo_of_path(&self, path: Subject) -> Option<Subject> {
        let scanned = self.path(path).and_then(|fact| fact.repo);
        scanned.or_else(|| self.ref_repos.get(&path).copied())
    }

    pub fn path(&self, path: Subject) -> Option<&PathFact> {
        self.paths
            .get(&path)?
            .fact
            .as_ref()
            .map(|dated| &dated.value)
    }

    /// Tells whether a path publishes to the registry that this cutover is about.
    pub fn in_scope(fact: &PathFact) -> bool {
        matches!(fact.registry, RegistryFact::Npmjs | RegistryFact::Unknown)
    }

    /// Gives the lanes of some paths as a set.
    pub fn lanes_of<'a>(&self, paths: impl IntoIterator<Item = &'a Subject>) -> Lanes {
        paths
            .into_iter()
            .filter_map(|path| self.lane(*path))
            .fold(Lanes::NONE, Lanes::with)
    }

    /// Gives the paths of a repository that the last scan still saw and that are in scope.
    pub fn open_paths(&self, repo: Subject) -> impl Iterator<Item = (Subject, &PathFact)> {
        self.repos
            .get(&repo)
            .map_or(&[][..], |row| row.paths())
            .iter()
            .filter_map(|path| self.path(*path).map(|fact| (*path, fact)))
            .filter(|(_, fact)| Self::in_scope(fact))
    }

    /// Tells whether the last scan of its repository still saw this path.
    pub fn present(&self, path: Subject, fact: &PathFact) -> bool {
        fact.repo
            .and_then(|repo| self.repos.get(&repo))
            .is_some_and(|repo| repo.paths().contains(&path))
    }

    /// Gives the secret that this repository means by a name.
    pub fn secret_of(&self, repo: Subject, name: &str) -> Option<Subject> {
        let row = self.repos.get(&repo)?;
        row.secrets.iter().copied().find(|secret| {
            self.secrets
                .get(secret)
                .is_some_and(|known| *known.name == *name)
        })
    }

    /// Gives the tokens that are said to be the value of a secret.
    pub fn tokens_of(&self, secret: Subject) -> impl Iterator<Item = Subject> {
        self.holders.get(&secret).into_iter().flatten().copied()
    }

    /// Gives the tokens that hang on a repository, through its secrets.
    pub fn tokens_of_repo(&self, repo: Subject) -> BTreeSet<Subject> {
        self.repos
            .get(&repo)
            .into_iter()
            .flat_map(|row| row.secrets.iter())
            .flat_map(|secret| self.tokens_of(*secret))
            .collect()
    }

    /// Gives the secrets that a token is the value of, as a job showed or somebody said.
    pub fn secrets_of(&self, token: Subject) -> Vec<Subject> {
        let slots = self
            .decided
            .get(&token)
            .into_iter()
            .flat_map(Decided::slots);
        let said = slots.filter_map(|(slot, _)| match slot {
            Slot::Edge(secret) => Some(secret),
            _ => None,
        });
        let edges = self.seen.get(&token).into_iter().flat_map(Seen::edges);
        let mut secrets: Vec<Subject> = said
            .chain(edges.filter_map(|(edge, _)| edge.secret))
            .filter(|secret| self.holds(token, *secret))
            .collect();
        secrets.sort_unstable();
        secrets.dedup();
        secrets
    }

    /// Rebuilds whether anybody has said which token a secret holds. Tells whether that changed.
    pub fn reindex_secret(&mut self, secret: Subject) -> bool {
        let named = self
            .secrets
            .get(&secret)
            .is_some_and(|row| !row.repos.is_empty());
        let held = self
            .holders
            .get(&secret)
            .is_some_and(|tokens| tokens.iter().any(|token| self.holds(*token, secret)));
        if named && !held {
            self.unclaimed.insert(secret)
        } else {
            self.unclaimed.remove(&secret)
        }
    }

    /// Works out the links of one repository from its answers. Changes nothing, so that many can be worked out at once.
    pub fn links(&self, repo: Subject) -> Links {
        let Some(row) = self.repos.get(&repo) else {
            return Links::default();
        };
        let mut links = Links {
            secrets: self.named_secrets(row),
            ..Links::default()
        };
        let seen = row.scan.iter().flat_map(|scan| &scan.value.packages);
        links.packages.extend(seen);
        if self
            .open_paths(repo)
            .any(|(_, fact)| fact.packages.is_empty())
        {
            links.meant = self.meant(repo, row);
        }
        for (path, fact) in self.open_paths(repo) {
            let environment = fact.environment.as_deref().unwrap_or_default();
            let packages = match fact.packages.as_slice() {
                [] => &links.meant,
                known => known,
            };
            for package in packages {
                links.packages.push(*package);
                links.publishes.push((*package, path));
                if fact.called_only {
                    continue;
                }
                let id = Subject::config(*package, repo, &fact.file, environment);
                let config = Config {
                    package: *package,
                    path,
                    repo,
                };
                links.configs.push((id, config));
            }
        }
        links.packages.sort_unstable();
        links.packages.dedup();
        links.configs.sort_by_key(|(id, _)| *id);
        links.configs.dedup_by_key(|(id, _)| *id);
        links
    }

    /// Rebuilds every link of one repository from its answers. Gives the subjects whose links changed.
    pub fn relink(&mut self, repo: Subject) -> Vec<Subject> {
        let links = self.links(repo);
        self.link(repo, links)
    }

    /// Puts the links of one repository in the place of those it had. Gives the subjects whose links changed.
    pub fn link(&mut self, repo: Subject, links: Links) -> Vec<Subject> {
        let Some(row) = self.repos.get(&repo) else {
            return Vec::new();
        };
        let mut touched: Vec<Subject> = Vec::new();
        touched.extend(row.secrets.iter().chain(&row.packages).chain(&row.configs));
        self.unlink(repo);
        let Links {
            secrets,
            packages,
            meant,
            publishes,
            configs,
        } = links;
        let ids: Vec<Subject> = secrets.iter().map(|(id, ..)| *id).collect();
        for (id, name, store) in secrets {
            let secret = self.secrets.entry(id).or_default();
            (secret.name, secret.store) = (name, store);
            secret.repos.insert(repo);
        }
        for package in &packages {
            self.packages
                .entry(*package)
                .or_default()
                .repos
                .insert(repo);
        }
        for (package, path) in publishes {
            self.packages.entry(package).or_default().paths.insert(path);
        }
        self.name_meant(repo, &meant);
        if let Some(row) = self.repos.get_mut(&repo) {
            row.meant = meant;
            row.secrets = ids;
            row.configs = configs.iter().map(|(id, _)| *id).collect();
            row.packages = packages;
            touched.extend(row.secrets.iter().chain(&row.packages).chain(&row.configs));
        }
        self.configs.extend(configs);
        touched.sort_unstable();
        touched.dedup();
        touched
    }

    /// Takes a repository out of every reverse link.
    fn unlink(&mut self, repo: Subject) {
        let Some(row) = self.repos.get(&repo) else {
            return;
        };
        for secret in &row.secrets {
            if let Some(secret) = self.secrets.get_mut(secret) {
                secret.repos.remove(repo);
            }
        }
        for package in &row.packages {
            if let Some(package) = self.packages.get_mut(package) {
                package.repos.remove(repo);
                let paths = &self.paths;
                package.paths.retain(|path| {
                    let fact = paths.get(path).and_then(|row| row.fact.as_ref());
                    fact.is_none_or(|fact| fact.value.repo != Some(repo))
                });
            }
        }
        if let [only] = row.meant.as_slice()
            && self.packages.get(only).is_some_and(|row| row.stand_in)
        {
            self.packages.remove(only);
        }
        for config in &row.configs {
            self.configs.remove(config);
        }
    }

    /// Gives the secrets that a repository's files and its inventory row name: id, name, store.
    fn named_secrets(&self, row: &Repo) -> Vec<(Subject, Box<str>, Box<str>)> {
        let mut names: Vec<&str> = Vec::new();
        for path in row.paths() {
            names.extend(
                self.path(*path)
                    .filter(|fact| Self::in_scope(fact))
                    .and_then(|fact| fact.secret.as_deref()),
            );
        }
        names.extend(
            row.scan
                .iter()
                .flat_map(|scan| &scan.value.uses)
                .filter_map(|token_use| token_use.secret.as_deref()),
        );
        names.extend(row.ever_named.iter().map(AsRef::as_ref));
        let inventory = row.inventory.as_ref().map(|row| &row.value);
        let listed = inventory.and_then(|row| row.secret_name.as_deref());
        names.extend(listed);
        names.sort_unstable();
        names.dedup();
        names
            .into_iter()
            .map(|name| {
                let said = inventory
                    .filter(|row| {
                        row.secret_name
                            .as_deref()
                            .is_none_or(|listed| listed == name)
                    })
                    .and_then(|row| row.secret_store.as_deref());
                let store = store(said, row.name());
                (Subject::secret(&store, name), name.into(), store)
            })
            .collect()
    }
}

/// Names the store that people mean: an organisation's is shared by its repositories, any other is the repository's own.
fn store(said: Option<&str>, repo: &str) -> Box<str> {
    let said = said.unwrap_or_default().to_ascii_lowercase();
    let owner = repo.rsplit_once('/').map_or(repo, |(owner, _)| owner);
    if said.starts_with("org") || said.starts_with("group") {
        format!("org:{owner}").into()
    } else if said.starts_with("env") {
        format!("env:{repo}").into()
    } else if said.starts_with("repo") || said.starts_with("project") {
        format!("repo:{repo}").into()
    } else {
        format!("unknown:{repo}").into()
    }
}
