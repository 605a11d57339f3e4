//! Makes a world of any size from its shape and a seed: who is there, what stands in the repositories, what happened.
//! Must draw from the world's own generator only, so that the same seed gives the same world.

use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};
use std::sync::Arc;

use crate::safe::secret::Secret as Value;

use super::files::{Names, filled, manifest, root_manifest, template};
use super::shape::{KindShape, shape};
use super::{
    Commit, Due, Environment, GithubToken, Held, How, NpmKind, NpmToken, Oid, Organisation,
    Outcome, Package, Person, Power, RUN_BASE, Registered, Repo, Rules, Run, Secret, TrustConfig,
    Variable, Version, Visibility, World,
};
use crate::tabletop::clock::{DAY, HOUR, MINUTE, Ms};
use crate::tabletop::random::Rng;

/// How large a world is to be, and which of all that are so large.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    pub repos: usize,
    pub seed: u64,
}

/// Repositories count from this id, 16 workflow ids each.
const REPO_BASE: u64 = 700_000_000;
const WORKFLOW_BASE: u64 = 90_000_000;
/// Life begins so long before the start, so that runs are under way when somebody looks.
const WARM: Ms = 14 * MINUTE;

const CALLER: &str = "caller";
const CALLEE: &str = "reusable";

/// Since 2025-07-31 npm knows trusted publishing.
const TRUSTED_PUBLISHING: Ms = 1_753_920_000_000;

impl World {
    /// Makes the world as it stands at an instant.
    pub fn build(size: Size, start: Ms) -> Self {
        let shape = shape();
        let mut world = Self {
            seed: size.seed,
            shape,
            org: Organisation {
                id: 4_100_021,
                login: Arc::from(shape.organisation.as_str()),
                name: shape.name.clone(),
                created: start - 3_000 * DAY,
                default_write: true,
                ..Organisation::default()
            },
            people: Vec::new(),
            repos: Vec::with_capacity(size.repos),
            blobs: HashMap::new(),
            runs: Vec::new(),
            packages: BTreeMap::new(),
            stages: Vec::new(),
            npm_tokens: Vec::new(),
            github_tokens: Vec::new(),
            now: start - WARM,
            rng: Rng::of(size.seed, "world", size.repos as u64),
            notes: Vec::new(),
            hiccups: BTreeMap::new(),
            github_closed_until: None,
            scene: None,
            agenda: BinaryHeap::new(),
            noted: 0,
            parsed: HashMap::new(),
            flat: HashMap::new(),
        };
        world.add_people();
        world.add_tokens(start);
        let kinds = world.deal(size.repos.max(1));
        let mut past = Vec::new();
        for kind in kinds {
            world.add_repo(kind, start, &mut past);
        }
        world.share_secret(start);
        world.add_strays(start);
        world.add_past(past);
        world.warm(start);
        world
    }

    fn add_people(&mut self) {
        for (number, one) in self.shape.people.iter().enumerate() {
            self.people.push(Person {
                id: 520_000 + 37 * number as u64,
                login: Arc::from(one.login.as_str()),
                name: one.name.clone(),
                email: format!("{}@{}.example", one.login, self.shape.organisation),
                role: one.role.clone(),
                left: one.left,
                two_factor: one.two_factor.clone(),
            });
        }
    }

    fn add_tokens(&mut self, start: Ms) {
        for one in &self.shape.tokens {
            let mut rng = Rng::of(self.seed, &one.key, 1);
            let created = start - one.age * DAY - rng.between(0, 12) * HOUR;
            let expires = one
                .ends_in_minutes
                .map_or(created + one.days * DAY, |minutes| start + minutes * MINUTE);
            let quiet = rng.between(2 * MINUTE, 20 * HOUR);
            self.npm_tokens.push(NpmToken {
                key: rng.uuid(),
                kind: NpmKind::Granular,
                owner: Arc::from(one.owner.as_str()),
                value: Value::new(format!("npm_{}", rng.text(36))),
                name: one.name.clone(),
                description: None,
                created,
                updated: created,
                expires: Some(expires),
                revoked: None,
                accessed: Some((start - quiet).min(expires - HOUR)),
                bypass_2fa: one.bypass,
                stage_only: one.stage_only,
                write: one.write,
                cidr: Vec::new(),
                packages: one.packages.clone(),
                organisations: Vec::new(),
                config: None,
            });
        }
        for login in ["rosa", "ken", "mei", "acme-bot"] {
            self.open_session(login, start);
        }
        let scopes =
            |words: &[&str]| Power::Scopes(words.iter().map(|one| (*one).to_owned()).collect());
        let fine = |words: &[(&str, &str)]| {
            let pairs = words
                .iter()
                .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()));
            Power::Fine(pairs.collect())
        };
        let powers = [
            ("rosa", scopes(&["repo", "workflow", "admin:org"])),
            ("ken", scopes(&["repo", "workflow", "read:org"])),
            (
                "mei",
                fine(&[
                    ("metadata", "read"),
                    ("contents", "write"),
                    ("actions", "write"),
                    ("workflows", "write"),
                    ("secrets", "read"),
                    ("variables", "write"),
                    ("environments", "read"),
                    ("administration", "read"),
                    ("pull_requests", "write"),
                    ("members", "read"),
                    ("dependabot_secrets", "read"),
                ]),
            ),
            (
                "wall",
                fine(&[
                    ("metadata", "read"),
                    ("contents", "read"),
                    ("actions", "read"),
                ]),
            ),
        ];
        for (login, power) in powers {
            let mut rng = Rng::of(self.seed, login, 2);
            let value = match power {
                Power::Scopes(_) => format!("ghp_{}", rng.text(36)),
                Power::Fine(_) => format!("github_pat_{}_{}", rng.text(22), rng.text(59)),
            };
            self.github_tokens.push(GithubToken {
                login: Arc::from(login),
                value: Value::new(value),
                power,
                expires: Some(start + 30 * DAY),
                revoked: false,
            });
        }
    }

    /// Opens a login session on npm and gives the place of its token. It outlives an exercise of a weekend: npm's own
    /// lives some hours, and nobody can log in anew here.
    pub fn open_session(&mut self, login: &str, now: Ms) -> usize {
        let number = self.npm_tokens.len();
        let mut rng = Rng::of(self.seed, login, 3 + number as u64);
        self.npm_tokens.push(NpmToken {
            key: rng.uuid(),
            kind: NpmKind::Session,
            owner: Arc::from(login),
            value: Value::new(format!("npm_{}", rng.text(36))),
            name: String::new(),
            description: None,
            created: now,
            updated: now,
            expires: Some(now + 3 * DAY),
            revoked: None,
            accessed: None,
            bypass_2fa: false,
            stage_only: false,
            write: true,
            cidr: Vec::new(),
            packages: Vec::new(),
            organisations: Vec::new(),
            config: None,
        });
        number
    }

    /// Deals the kinds out: so many at least, the rest by their shares.
    fn deal(&mut self, repos: usize) -> Vec<Option<&'static KindShape>> {
        let mut kinds: Vec<Option<&'static KindShape>> = vec![None];
        let callers = self.shape.reusable_callers.min(repos.saturating_sub(1) / 4);
        kinds.extend(std::iter::repeat_n(None, callers));
        let room = repos - kinds.len().min(repos);
        let mut rest = Vec::new();
        for kind in &self.shape.kinds {
            let count = kind.least.max(kind.share * room / 100);
            rest.extend(std::iter::repeat_n(Some(kind), count));
        }
        // Rounding leaves some over or some short; the first kind is the most common one.
        let first = self.shape.kinds.first();
        self.rng.shuffle(&mut rest);
        if rest.len() > room {
            // A small world keeps one of each kind for as long as it can.
            let mut seen = BTreeSet::new();
            rest.sort_by_key(|kind| !kind.is_some_and(|kind| seen.insert(kind.name.as_str())));
        }
        rest.resize(room, first);
        self.rng.shuffle(&mut rest);
        kinds.extend(rest);
        kinds.truncate(repos);
        kinds
    }

    fn repo_name(&self, number: usize, kind: Option<&KindShape>) -> String {
        if number == 0 {
            return "ci-workflows".to_owned();
        }
        let names = &self.shape.names;
        let (firsts, seconds) = (names.first.len().max(1), names.second.len().max(1));
        let offset = (self.seed % 1_000) as usize;
        let place = number - 1;
        let first = names
            .first
            .get((place + offset) % firsts)
            .map_or("repo", String::as_str);
        let round = place / firsts;
        // Two numbers without a common divisor: every pair comes once before any comes twice.
        let second = names
            .second
            .get((place * 7 + round + offset) % seconds)
            .map_or("kit", String::as_str);
        let again = place / (firsts * seconds);
        let wide = kind.is_some_and(|kind| kind.packages.is_some_and(|[low, _]| low > 1));
        let name = if wide {
            format!("{first}-suite")
        } else {
            format!("{first}-{second}")
        };
        let taken = |name: &str| self.repos.iter().any(|repo| &*repo.name == name);
        if again == 0 && !(wide && taken(&name)) {
            name
        } else {
            format!("{first}-{second}-{}", number)
        }
    }

    fn add_repo(&mut self, kind: Option<&'static KindShape>, start: Ms, past: &mut Vec<Run>) {
        let number = self.repos.len();
        let mut rng = Rng::of(self.seed, "repo", number as u64);
        let word = match kind {
            None if number == 0 => CALLEE,
            None => CALLER,
            Some(kind) => kind.name.as_str(),
        };
        let name: Arc<str> = Arc::from(self.repo_name(number, kind));
        // Half a year ago and longer; the kinds that the exercise plays with are alive.
        let spread = (number as u64 * 37 + self.seed) % 100;
        let dormant = spread < self.shape.dormant_share && number > 0;
        let created = start - rng.between(if dormant { 800 } else { 200 }, 2_400) * DAY;
        let mut repo = Repo {
            id: REPO_BASE + 97 * number as u64,
            name: Arc::clone(&name),
            private: word == "private-install" || rng.chance(self.shape.private_share),
            archived: false,
            fork: false,
            description: format!("{} for {}", name.replace('-', " "), self.shape.name),
            default_branch: Arc::from("main"),
            created,
            kind: word.to_owned(),
            default_write: rng.chance(45),
            immutable_subject: created > start - 120 * DAY,
            ..Repo::default()
        };
        if word == "no-publish" && rng.chance(50) {
            repo.archived = rng.chance(50);
            repo.fork = !repo.archived;
        }
        self.people_of(&mut repo, &mut rng);
        self.settings_of(&mut repo, kind, &mut rng, start);
        let packages = self.packages_of(&repo, kind, &mut rng);
        self.commit_files(&mut repo, kind, &packages, &mut rng);
        self.repos.push(repo);
        self.release_history(number, kind, &packages, dormant, &mut rng, start, past);
    }

    fn people_of(&self, repo: &mut Repo, rng: &mut Rng) {
        for (login, percent, role) in [
            ("ken", 55, "push"),
            ("ken", 12, "admin"),
            ("mei", 70, "maintain"),
            ("mei", 20, "admin"),
            ("ivo", 30, "push"),
            ("sam", 30, "push"),
            ("lena", 15, "push"),
            ("acme-bot", 80, "push"),
            ("wall", 100, "pull"),
        ] {
            if rng.chance(percent)
                && let Some(person) = self.person(login)
            {
                repo.people.insert(Arc::clone(&person.login), role);
            }
        }
    }

    fn settings_of(&self, repo: &mut Repo, kind: Option<&KindShape>, rng: &mut Rng, start: Ms) {
        if rng.chance(60) {
            repo.rules = Rules {
                pull_request: true,
                approvals: 1,
                code_owners: rng.chance(30),
            };
        }
        let aged = |rng: &mut Rng| start - rng.between(40, 400) * DAY;
        if let Some(secret) = kind.and_then(|kind| kind.secret.as_ref()) {
            repo.secrets.push(self.secret(
                &secret.name,
                self.held(&secret.token),
                start,
                aged(rng),
            ));
        }
        if let Some(name) = kind.and_then(|kind| kind.environment.as_ref()) {
            let reviewers = kind.map_or(0, |kind| kind.reviewers);
            let mut environment = Environment {
                id: repo.id + 1,
                name: name.clone(),
                created: aged(rng),
                protected_only: rng.chance(50).then_some(true),
                ..Environment::default()
            };
            let people = ["rosa", "mei"]
                .into_iter()
                .filter_map(|login| self.person(login));
            environment.reviewers = people
                .take(reviewers)
                .map(|one| Arc::clone(&one.login))
                .collect();
            repo.environments.push(environment);
        }
        if rng.chance(6) {
            repo.dependabot.push(self.secret(
                "NPM_TOKEN",
                self.held("read-shared"),
                start,
                aged(rng),
            ));
        }
        if rng.chance(3) {
            repo.codespaces
                .push(self.secret("NPM_TOKEN", self.held("dora-old"), start, aged(rng)));
        }
        if rng.chance(2) {
            repo.agents
                .push(self.secret("NPM_TOKEN", self.held("shared"), start, aged(rng)));
        }
        if rng.chance(15) {
            repo.secrets
                .push(self.secret("CODECOV_TOKEN", Held::Other, start, aged(rng)));
        }
        if rng.chance(10) {
            let at = aged(rng);
            repo.variables.push(Variable {
                name: "NODE_VERSION".to_owned(),
                value: "22".to_owned(),
                created: at,
                updated: at,
                visibility: Visibility::All,
            });
        }
    }

    fn held(&self, word: &str) -> Held {
        let at = self.shape.tokens.iter().position(|one| one.key == word);
        at.and_then(|at| self.npm_tokens.get(at))
            .map_or(Held::Other, |token| Held::Npm(token.key.clone()))
    }

    /// A secret that holds an npm token was last written when that token was made.
    fn secret(&self, name: &str, held: Held, start: Ms, created: Ms) -> Secret {
        let token = match &held {
            Held::Npm(key) => self.npm_tokens.iter().find(|one| one.key == *key),
            Held::Other => None,
        };
        let updated = token.map_or(created, |token| (token.created + 6 * MINUTE).min(start));
        Secret {
            name: name.to_owned(),
            created: created.min(updated),
            updated,
            visibility: Visibility::All,
            held,
        }
    }

    fn packages_of(
        &self,
        repo: &Repo,
        kind: Option<&KindShape>,
        rng: &mut Rng,
    ) -> Vec<(String, String)> {
        let scope = &self.shape.organisation;
        let Some([low, high]) =
            kind.map_or(Some([1, 1]), |kind| Some(kind.packages.unwrap_or([1, 1])))
        else {
            return Vec::new();
        };
        let count = rng.between(low as i64, high as i64);
        if &*repo.name == "ci-workflows" || count == 0 {
            return Vec::new();
        }
        if count == 1 {
            return vec![(format!("@{scope}/{}", repo.name), String::new())];
        }
        let parts = [
            "core", "react", "theme", "utils", "types", "testing", "cli", "icons",
        ];
        let stem = repo.name.trim_end_matches("-suite");
        parts
            .iter()
            .take(count as usize)
            .map(|part| {
                (
                    format!("@{scope}/{stem}-{part}"),
                    format!("packages/{part}"),
                )
            })
            .collect()
    }

    fn commit_files(
        &mut self,
        repo: &mut Repo,
        kind: Option<&KindShape>,
        packages: &[(String, String)],
        rng: &mut Rng,
    ) {
        let organisation = Arc::clone(&self.org.login);
        let repo_name = Arc::clone(&repo.name);
        let names = Names {
            organisation: &organisation,
            repo: &repo_name,
        };
        let url = self.repository_url(repo, kind);
        let mut texts: Vec<(String, String)> = Vec::new();
        let workflow = |file: &str, word: &str| {
            let text = filled(template(word).unwrap_or_default(), names);
            (format!(".github/workflows/{file}"), text)
        };
        match kind {
            Some(kind) => texts.extend(
                kind.workflows
                    .iter()
                    .map(|(file, word)| workflow(file, word)),
            ),
            None if packages.is_empty() => texts.push(workflow("npm-release.yml", CALLEE)),
            None => texts.extend([workflow("release.yml", CALLER), workflow("ci.yml", "ci")]),
        }
        let tool = kind.and_then(|kind| kind.tool.as_deref());
        let single = packages.len() == 1;
        if !single {
            texts.push((
                "package.json".to_owned(),
                root_manifest(&repo.name, tool, packages.len() > 1),
            ));
        }
        for (name, folder) in packages {
            let path = if folder.is_empty() {
                "package.json".to_owned()
            } else {
                format!("{folder}/package.json")
            };
            texts.push((path, manifest(name, "1.0.0", url.as_deref(), folder)));
        }
        match tool {
            Some("lerna") => texts.push((
                "lerna.json".to_owned(),
                "{\n  \"version\": \"independent\"\n}\n".to_owned(),
            )),
            Some("pnpm") => {
                texts.push((
                    "pnpm-workspace.yaml".to_owned(),
                    "packages:\n  - packages/*\n".to_owned(),
                ));
                texts.push((
                    ".changeset/config.json".to_owned(),
                    "{\n  \"access\": \"public\",\n  \"baseBranch\": \"main\"\n}\n".to_owned(),
                ));
            }
            _ => {}
        }
        if rng.chance(35) {
            let owner = if rng.chance(40) {
                format!("/.github/ @{organisation}/platform\n")
            } else {
                format!("* @{organisation}/frontend\n")
            };
            texts.push((".github/CODEOWNERS".to_owned(), owner));
        }
        texts.push(("README.md".to_owned(), format!("# {}\n", repo.name)));
        texts.push((
            "src/index.ts".to_owned(),
            "export const version = 1;\n".to_owned(),
        ));
        let tree = self.tree(texts);
        let commit = self.commit(repo, tree, None, repo.created, "Begin");
        repo.refs.insert("refs/heads/main".to_owned(), commit);
        self.register_all(repo, commit);
        if let Some(word) = kind.and_then(|kind| kind.maintenance.as_deref()) {
            let old = [workflow(
                kind.and_then(KindShape::release_file)
                    .unwrap_or("release.yml"),
                word,
            )];
            let base = repo
                .commits
                .get(&commit)
                .map(|one| Arc::clone(&one.tree))
                .unwrap_or_default();
            let mut files = (*base).clone();
            for (path, text) in old {
                let text = text
                    .replace("[main, \"release/**\"]", "[\"release/**\"]")
                    .replace("actions/checkout@v4", "actions/checkout@v2");
                let oid = self.blob(&text);
                files.insert(Arc::from(path), oid);
            }
            let at = repo.created + 90 * DAY;
            let commit = self.commit(repo, Arc::new(files), Some(commit), at, "Keep 1.x alive");
            repo.refs
                .insert("refs/heads/release/1.x".to_owned(), commit);
        }
    }

    /// What the manifests say of their repository: one in eight forgot it, one in twenty has the old name.
    fn repository_url(&self, repo: &Repo, kind: Option<&KindShape>) -> Option<String> {
        let url = format!("git+https://github.com/{}/{}", self.org.login, repo.name);
        let trusted = kind.is_some_and(|kind| kind.trust.is_some());
        match Rng::of(self.seed, "url", repo.id).below(40) {
            0..5 if !trusted => None,
            5..7 if !trusted => Some(format!("{url}-old.git")),
            _ => Some(format!("{url}.git")),
        }
    }

    /// Keeps a text and gives its id.
    pub fn blob(&mut self, text: &str) -> Oid {
        let oid = Oid::of("blob", text.as_bytes());
        self.blobs.entry(oid).or_insert_with(|| Arc::from(text));
        oid
    }

    fn tree(&mut self, texts: Vec<(String, String)>) -> super::Tree {
        let files = texts
            .into_iter()
            .map(|(path, text)| (Arc::from(path), self.blob(&text)));
        Arc::new(files.collect())
    }

    /// Adds a commit to a repository and gives its id.
    pub fn commit(
        &self,
        repo: &mut Repo,
        tree: super::Tree,
        parent: Option<Oid>,
        at: Ms,
        message: &str,
    ) -> Oid {
        let oid = Oid::of(
            "commit",
            format!(
                "{} {at} {message} {parent:?} {}",
                repo.id,
                repo.commits.len()
            )
            .as_bytes(),
        );
        let author = self
            .people
            .first()
            .map_or_else(|| Arc::from("nobody"), |one| Arc::clone(&one.login));
        let commit = Commit {
            oid,
            parents: parent.into_iter().collect(),
            tree,
            at,
            author,
            message: Arc::from(message),
        };
        repo.commits.insert(oid, commit);
        oid
    }

    /// Registers every workflow file of a commit that is not known yet.
    pub fn register_all(&mut self, repo: &mut Repo, commit: Oid) {
        let Some(found) = repo.commits.get(&commit) else {
            return;
        };
        let (at, tree) = (found.at, Arc::clone(&found.tree));
        for (path, blob) in tree.iter() {
            let Some(file) = path.strip_prefix(".github/workflows/") else {
                continue;
            };
            let yaml = file.ends_with(".yml") || file.ends_with(".yaml");
            if !yaml || file.contains('/') || repo.workflows.iter().any(|one| one.path == *path) {
                continue;
            }
            let name = self.parsed(*blob).and_then(|flow| flow.name.clone());
            let number = (repo.id - REPO_BASE) / 97 * 16 + repo.workflows.len() as u64;
            repo.workflows.push(Registered {
                id: WORKFLOW_BASE + number,
                path: Arc::clone(path),
                name: name.unwrap_or_else(|| Arc::clone(path)),
                state: "active",
                created: at,
                updated: at,
                runs: 0,
            });
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one caller; the history hangs on all of it"
    )]
    fn release_history(
        &mut self,
        number: usize,
        kind: Option<&'static KindShape>,
        packages: &[(String, String)],
        dormant: bool,
        rng: &mut Rng,
        start: Ms,
        past: &mut Vec<Run>,
    ) {
        let Some(created) = self.repos.get(number).map(|repo| repo.created) else {
            return;
        };
        let cadence = if dormant {
            rng.between(60, 120)
        } else {
            rng.between(6, 45)
        };
        let last = if dormant {
            rng.between(181, 700)
        } else {
            rng.between(1, cadence)
        };
        let count = rng.between(3, 7);
        let times: Vec<Ms> = (0..count)
            .rev()
            .map(|back| start - (last + back * cadence) * DAY - rng.between(0, 9 * HOUR))
            .filter(|at| *at > created)
            .collect();
        let url = self
            .repos
            .get(number)
            .and_then(|repo| self.repository_url(repo, kind));
        for (name, folder) in packages {
            let mut package = Package {
                name: name.clone(),
                private: false,
                created: times.first().copied().unwrap_or(created),
                folder: folder.clone(),
                home: Some(number),
                weekly: 10_u64.pow(rng.between(1, 5) as u32) * (1 + rng.below(9)),
                dependents: rng.below(400),
                repository: url.clone(),
                tokens_disallowed: false,
                ..Package::default()
            };
            self.writers_of(&mut package, rng);
            // Whoever's token the repository has could write once: its past releases say so.
            let owner = kind
                .and_then(|kind| kind.secret.as_ref())
                .and_then(|secret| {
                    let mut tokens = self.shape.tokens.iter();
                    tokens.find(|one| one.key == secret.token)
                });
            if let Some(owner) = owner {
                package
                    .people
                    .insert(Arc::from(owner.owner.as_str()), "read-write");
            }
            self.trust_of(&mut package, number, kind, rng, start, &times);
            self.packages.insert(name.clone(), package);
        }
        let release = kind.map_or(Some("release.yml"), KindShape::release_file);
        if let Some(repo) = self.repos.get_mut(number) {
            repo.packages = packages.iter().map(|(name, _)| name.clone()).collect();
            repo.pushed = times.last().copied().unwrap_or(created);
        }
        let (major, minor) = (
            rng.between(0, 4)
                .max(i64::from(kind.is_some_and(|kind| kind.maintenance.is_some())) * 2),
            rng.between(0, 20),
        );
        for (step, at) in times.iter().enumerate() {
            let version = format!("{major}.{}.{}", minor + step as i64 / 2, step % 2);
            self.past_release(number, release, &version, *at, rng, start, past);
        }
    }

    fn repo_word(&self, number: usize) -> Arc<str> {
        self.repos
            .get(number)
            .map(|repo| Arc::clone(&repo.name))
            .unwrap_or_default()
    }

    fn writers_of(&self, package: &mut Package, rng: &mut Rng) {
        for (login, percent) in [
            ("acme-bot", 100),
            ("rosa", 88),
            ("mei", 45),
            ("ken", 35),
            ("ivo", 12),
            ("sam", 20),
            ("lena", 8),
            ("dora", 22),
            ("pablo", 14),
        ] {
            if rng.chance(percent)
                && let Some(person) = self.person(login)
            {
                package
                    .people
                    .insert(Arc::clone(&person.login), "read-write");
            }
        }
    }

    fn trust_of(
        &self,
        package: &mut Package,
        number: usize,
        kind: Option<&KindShape>,
        rng: &mut Rng,
        start: Ms,
        times: &[Ms],
    ) {
        let Some(trust) = kind.and_then(|kind| kind.trust.as_ref()) else {
            return;
        };
        let created = if trust.lapsed {
            start - rng.between(4, 30) * DAY
        } else {
            start - rng.between(90, 300) * DAY
        };
        // A config lives because something was published through it: from the middle of the history on.
        let by = times.get(times.len() / 2..).unwrap_or_default();
        let first = by.iter().find(|at| **at - DAY > TRUSTED_PUBLISHING);
        let (created, validated) = match first {
            _ if trust.lapsed => (created, None),
            Some(at) => (at - 20 * HOUR, Some(*at)),
            None => (created, Some(created + 20 * HOUR)),
        };
        package.trust.push(TrustConfig {
            id: rng.uuid(),
            kind: "github".to_owned(),
            repository: format!("{}/{}", self.org.login, self.repo_word(number)),
            file: trust.file.clone(),
            environment: trust.environment.clone(),
            publish: trust.publish,
            stage: true,
            created,
            validated,
        });
    }

    /// One release of the past: a commit, a tag, a run that published, a version of each package.
    #[expect(
        clippy::too_many_arguments,
        reason = "one caller; a release is all of this"
    )]
    fn past_release(
        &mut self,
        number: usize,
        release: Option<&str>,
        version: &str,
        at: Ms,
        rng: &mut Rng,
        start: Ms,
        past: &mut Vec<Run>,
    ) {
        let Some(mut repo) = self.repos.get_mut(number).map(std::mem::take) else {
            return;
        };
        let head = repo.head().map(|one| (one.oid, Arc::clone(&one.tree)));
        let Some((parent, tree)) = head else {
            self.put_back(number, repo);
            return;
        };
        let tree = self.with_version(&repo, &tree, version);
        let sha = self.commit(
            &mut repo,
            tree,
            Some(parent),
            at,
            &format!("Release {version}"),
        );
        repo.refs.insert("refs/heads/main".to_owned(), sha);
        repo.refs.insert(format!("refs/tags/v{version}"), sha);
        let laptop = !repo.packages.is_empty() && rng.chance(4);
        let actor = rng
            .pick(&["rosa", "ken", "mei", "sam", "ivo"])
            .copied()
            .unwrap_or("rosa");
        // GitHub forgets runs after 400 days.
        let known = at > start - 400 * DAY;
        let mut by = None;
        let places = repo.workflows.iter().enumerate();
        let flows: Vec<(usize, bool)> = places
            .map(|(place, one)| (place, release.is_some_and(|file| one.path.ends_with(file))))
            .collect();
        for (place, publishes) in flows {
            if !known || (publishes && (laptop || repo.packages.is_empty())) {
                continue;
            }
            let run = self.past_run(
                number,
                &mut repo,
                place,
                sha,
                at,
                actor,
                (publishes, version),
            );
            if publishes {
                by = Some(past.len());
            }
            past.push(run);
        }
        let names = repo.packages.clone();
        self.put_back(number, repo);
        for name in names {
            self.past_version(&name, version, at + 3 * MINUTE, sha, laptop, by, actor);
        }
    }

    fn put_back(&mut self, number: usize, repo: Repo) {
        if let Some(place) = self.repos.get_mut(number) {
            *place = repo;
        }
    }

    /// Gives a tree in which the manifests say a version.
    pub fn with_version(&mut self, repo: &Repo, tree: &super::Tree, version: &str) -> super::Tree {
        let mut files = (**tree).clone();
        let manifests: Vec<Arc<str>> = files
            .keys()
            .filter(|path| path.ends_with("package.json"))
            .cloned()
            .collect();
        for path in manifests {
            let Some(text) = files.get(&path).and_then(|oid| self.blobs.get(oid)) else {
                continue;
            };
            let Some((before, rest)) = text.split_once("\"version\": \"") else {
                continue;
            };
            let Some((_, after)) = rest.split_once('"') else {
                continue;
            };
            let text = format!("{before}\"version\": \"{version}\"{after}");
            let oid = self.blob(&text);
            files.insert(path, oid);
        }
        let _ = repo;
        Arc::new(files)
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one caller; a run is all of this"
    )]
    fn past_run(
        &mut self,
        number: usize,
        repo: &mut Repo,
        place: usize,
        sha: Oid,
        at: Ms,
        actor: &str,
        (publishes, version): (bool, &str),
    ) -> Run {
        let tag = publishes
            && matches!(
                repo.kind.as_str(),
                "token" | "oidc" | "oidc-plain" | "staged" | CALLER | "self-hosted"
            );
        let run_number = repo.workflows.get_mut(place).map_or(1, |one| {
            one.runs += 1;
            one.runs
        });
        Run {
            id: 0,
            repo: number,
            workflow: place,
            number: run_number,
            attempt: 1,
            event: Arc::from("push"),
            branch: if tag {
                Arc::from(format!("v{version}"))
            } else {
                Arc::from("main")
            },
            sha,
            actor: Arc::from(actor),
            created: at,
            started: at,
            title: Arc::from(format!("Release {version}")),
            inputs: BTreeMap::new(),
            version: publishes.then(|| version.to_owned()),
            outcomes: BTreeMap::new(),
            begins: at,
            ends: at,
            conclusion: "success",
            tests_fail: false,
            cancelled: None,
            approval: Some((at, Arc::from("rosa"), String::new())),
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one caller; a version is all of this"
    )]
    fn past_version(
        &mut self,
        name: &str,
        version: &str,
        at: Ms,
        sha: Oid,
        laptop: bool,
        by: Option<usize>,
        actor: &str,
    ) {
        let Some(package) = self.packages.get_mut(name) else {
            return;
        };
        let config = package
            .trust
            .first()
            .filter(|config| config.validated.is_some_and(|first| first <= at));
        let (how, user) = match config {
            _ if laptop => (How::Laptop, actor),
            Some(config) if config.publish => (
                How::Oidc {
                    config: config.id.clone(),
                    provenance: true,
                },
                "GitHub Actions",
            ),
            Some(config) => (
                How::Staged {
                    approver: Arc::from("rosa"),
                    config: Some(config.id.clone()),
                },
                "rosa",
            ),
            None => (How::Token { key: String::new() }, "acme-bot"),
        };
        package.versions.push(Version {
            version: version.to_owned(),
            at,
            how,
            user: Arc::from(user),
            git_head: Some(sha),
            // Its place for now; the id comes when all runs are in order.
            run: by.map(|place| place as u64),
            deprecated: None,
            manifest: None,
            tarball: None,
            bundle: None,
        });
        package.tags.insert("latest".to_owned(), version.to_owned());
        package.modified = at;
        package.rev += 1;
    }

    /// Puts the runs of the past in order of time, gives them their ids, and sets what they did.
    fn add_past(&mut self, past: Vec<Run>) {
        let mut order: Vec<(usize, Run)> = past.into_iter().enumerate().collect();
        order.sort_by_key(|(_, run)| run.created);
        let mut ids = HashMap::new();
        for (was, run) in order {
            let (place, home, published) = (self.runs.len(), run.repo, run.version.clone());
            ids.insert(was as u64, RUN_BASE + place as u64);
            self.runs.push(Run {
                id: RUN_BASE + place as u64,
                ..run
            });
            if let Some(version) = published {
                let names = self
                    .repos
                    .get(home)
                    .map(|repo| repo.packages.clone())
                    .unwrap_or_default();
                let done: Vec<_> = names
                    .into_iter()
                    .map(|name| (name, version.clone()))
                    .collect();
                for spot in self.effects(place) {
                    if let Some(run) = self.runs.get_mut(place) {
                        run.outcomes.insert(spot, Outcome::Published(done.clone()));
                    }
                }
            }
            self.settle(place);
            if let Some(repo) = self.repos.get_mut(home) {
                repo.runs.push(place);
            }
        }
        for package in self.packages.values_mut() {
            for version in &mut package.versions {
                version.run = version.run.and_then(|was| ids.get(&was).copied());
                let run = version.run.and_then(|id| id.checked_sub(RUN_BASE));
                let run = run.and_then(|place| self.runs.get(usize::try_from(place).ok()?));
                // What a run published was there when it ended.
                version.at = run.map_or(version.at, |run| version.at.min(run.ends));
            }
        }
    }

    /// The secret that most share, and copies where it does not reach.
    fn share_secret(&mut self, start: Ms) {
        let wanted = self.repos.len() * self.shape.shared_secret_share as usize / 100;
        let (mut selected, mut rest) = (BTreeSet::new(), Vec::new());
        for (number, repo) in self.repos.iter().enumerate() {
            let uses = self.names_secret(repo, "NPM_TOKEN")
                && !repo.secrets.iter().any(|one| one.name == "NPM_TOKEN");
            if uses && selected.len() < wanted {
                selected.insert(repo.id);
            } else {
                rest.push((number, repo.id, uses));
            }
        }
        for (number, id, uses) in rest {
            if uses {
                let copy = self.secret("NPM_TOKEN", self.held("shared"), start, start - 300 * DAY);
                if let Some(repo) = self.repos.get_mut(number) {
                    repo.secrets.push(copy);
                }
            } else if selected.len() < wanted {
                selected.insert(id);
            }
        }
        let mut shared = self.secret("NPM_TOKEN", self.held("shared"), start, start - 700 * DAY);
        shared.visibility = Visibility::Selected(selected);
        let mut read = self.secret(
            "NPM_READ_TOKEN",
            self.held("read-shared"),
            start,
            start - 200 * DAY,
        );
        read.visibility = Visibility::Private;
        let other = self.secret("SLACK_WEBHOOK", Held::Other, start, start - 500 * DAY);
        self.org.secrets = vec![read, shared, other];
        self.org.dependabot = vec![self.secret(
            "NPM_TOKEN",
            self.held("read-shared"),
            start,
            start - 150 * DAY,
        )];
        let at = start - 90 * DAY;
        self.org.variables = vec![Variable {
            name: "NPM_CHANNEL".to_owned(),
            value: "latest".to_owned(),
            created: at,
            updated: at,
            visibility: Visibility::All,
        }];
    }

    fn names_secret(&self, repo: &Repo, name: &str) -> bool {
        let Some(head) = repo.head() else {
            return false;
        };
        let wanted = format!("secrets.{name} ");
        let files = head
            .tree
            .iter()
            .filter(|(path, _)| path.starts_with(".github/workflows/"));
        files
            .filter_map(|(_, oid)| self.blobs.get(oid))
            .any(|text| text.contains(&wanted))
    }

    /// Packages without a repository, and one that nobody present may write.
    fn add_strays(&mut self, start: Ms) {
        let scope = &self.shape.organisation;
        for (number, word) in self
            .shape
            .orphans
            .iter()
            .chain([&self.shape.nobody])
            .enumerate()
        {
            let mut rng = Rng::of(self.seed, word, 5);
            let name = format!("@{scope}/{word}");
            let created = start - rng.between(900, 1_500) * DAY;
            let mut package = Package {
                name: name.clone(),
                created,
                weekly: rng.below(4_000),
                dependents: rng.below(30),
                private: number == 1,
                ..Package::default()
            };
            let alone = *word == self.shape.nobody;
            let owner = if alone { "pablo" } else { "dora" };
            package.people.insert(Arc::from(owner), "read-write");
            if !alone {
                package.people.insert(Arc::from("rosa"), "read-write");
            }
            self.packages.insert(name.clone(), package);
            for step in 0..3 {
                let at = created + step * 120 * DAY;
                self.past_version(
                    &name,
                    &format!("0.{step}.0"),
                    at,
                    Oid::of("commit", word.as_bytes()),
                    true,
                    None,
                    owner,
                );
            }
        }
    }

    /// Lets the world live for some minutes, so that there is something to see at once.
    fn warm(&mut self, start: Ms) {
        let broken = self
            .repos
            .iter()
            .position(|repo| repo.kind == "expired-secret");
        if let Some(repo) = broken {
            self.now = start - 9 * MINUTE;
            self.release(repo, "sam");
        }
        self.now = start - WARM;
        self.plan_for(start - WARM, Due::Release);
        self.advance(start);
    }
}
