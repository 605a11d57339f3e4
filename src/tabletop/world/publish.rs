//! What npm answers to a step of a run: which credential it brings, whether that may do it, and what it leaves behind.
//! A failure is never thrown as a die where the world has a reason; it follows from tokens, trust configs and settings.

use std::sync::Arc;

use super::plan::FlatJob;
use super::workflow::{Act, Step};
use super::{
    Due, Failure, Held, How, Outcome, Package, Run, Secret, Stage, TrustConfig, Version,
    Visibility, World,
};
use crate::assets::policy;
use crate::tabletop::clock::{HOUR, MINUTE, Ms};
use crate::tabletop::random::Rng;

/// A trust config that never published dies so long after it was made.
pub const ACTIVATION: Ms = 48 * HOUR;

/// Variables that the tools read a token from.
const TOKEN_VARIABLES: [&str; 8] = [
    "NODE_AUTH_TOKEN",
    "NPM_TOKEN",
    "NPM_AUTH_TOKEN",
    "YARN_NPM_AUTH_TOKEN",
    "NPM_CONFIG_TOKEN",
    "BUN_AUTH_TOKEN",
    "NPM_NEXT_TOKEN",
    "INPUT_TOKEN",
];

impl TrustConfig {
    /// Tells whether it can still authorise anything.
    pub fn alive(&self, now: Ms) -> bool {
        self.validated.is_some() || now < self.created + ACTIVATION
    }
}

/// One package of one publish.
struct Item<'a> {
    run: &'a Run,
    flat: &'a FlatJob,
    step: &'a Step,
    package: &'a str,
    version: &'a str,
    tag: &'a str,
    stage: bool,
}

impl World {
    /// A step that npm sees ends: computes what it did and keeps it.
    pub fn effect(&mut self, place: usize, job: usize, step: usize, attempt: u32) {
        let Some(run) = self.runs.get(place).cloned() else {
            return;
        };
        if run.attempt != attempt || run.outcomes.contains_key(&(job, step)) {
            return;
        }
        let Some(plan) = self.plan(place) else { return };
        let planned = plan
            .jobs
            .get(job)
            .and_then(|job| job.steps.iter().find(|one| one.place == Some(step)));
        if !planned.is_some_and(|one| one.conclusion == "success" && one.ends <= self.now) {
            return;
        }
        let Some(flat) = plan.flat.get(job) else {
            return;
        };
        let Some(what) = flat.job.steps.get(step) else {
            return;
        };
        let outcome = match what.act {
            Act::Publish => self.publish(&run, flat, what, false),
            Act::Stage => self.publish(&run, flat, what, true),
            Act::DistTag => self.move_tag(&run, flat, what),
            Act::Install | Act::Whoami => self.use_token(&run, flat, what),
            Act::Plain | Act::Test => return,
        };
        if let Some(run) = self.runs.get_mut(place) {
            run.outcomes.insert((job, step), outcome);
        }
        self.settle(place);
    }

    fn packages_of_run(&self, run: &Run) -> Vec<String> {
        self.repos
            .get(run.repo)
            .map(|repo| repo.packages.clone())
            .unwrap_or_default()
    }

    fn publish(&mut self, run: &Run, flat: &FlatJob, step: &Step, stage: bool) -> Outcome {
        let words = step.run.as_deref().unwrap_or_default();
        let tag = self.tag_of(run, words);
        let mut done = Vec::new();
        let stops = self.hiccups.remove(&run.repo);
        for (count, package) in self.packages_of_run(run).into_iter().enumerate() {
            let version = self.version_for(run, &package, &tag);
            let known = self
                .packages
                .get(&package)
                .is_some_and(|one| one.versions.iter().any(|v| v.version == version));
            // These look first and leave out what is there.
            let looks = [
                "changeset",
                "lerna",
                "npm view",
                "-r publish",
                "semantic-release",
            ];
            if known && (step.uses.is_some() || looks.iter().any(|word| words.contains(word))) {
                continue;
            }
            let item = Item {
                run,
                flat,
                step,
                package: &package,
                version: &version,
                tag: &tag,
                stage,
            };
            let answer = match stops {
                Some(after) if count >= after => Err(Failure::SaveConflict),
                _ if known => Err(Failure::AlreadyThere),
                _ => self.publish_one(&item),
            };
            match answer {
                Ok(()) => done.push((package, version)),
                Err(why) => {
                    return Outcome::Failed {
                        done,
                        package,
                        version,
                        why,
                    };
                }
            }
        }
        Outcome::Published(done)
    }

    /// The dist-tag that a command names, `latest` where it names none.
    fn tag_of(&self, run: &Run, words: &str) -> String {
        let mut parts = words
            .split_whitespace()
            .skip_while(|word| *word != "--tag")
            .skip(1);
        let named = parts
            .next()
            .map(|word| word.trim_matches(|c| c == '"' || c == '\''));
        let input = ["dist-tag", "tag", "dist_tag"]
            .iter()
            .find_map(|name| run.inputs.get(*name));
        match named {
            Some(word) if !word.contains("${{") => word.to_owned(),
            _ => input.cloned().unwrap_or_else(|| "latest".to_owned()),
        }
    }

    fn version_for(&self, run: &Run, package: &str, tag: &str) -> String {
        if let Some(version) = run.inputs.get("version").filter(|one| !one.is_empty()) {
            return version.clone();
        }
        if tag != "latest" {
            return format!("{}-{tag}.{}", self.next_version(package), run.number);
        }
        let said = self.repos.get(run.repo).and_then(|repo| {
            let folder = &self.packages.get(package)?.folder;
            let path = if folder.is_empty() {
                "package.json".to_owned()
            } else {
                format!("{folder}/package.json")
            };
            let text = self.file(repo.commits.get(&run.sha)?, &path)?;
            let (_, rest) = text.split_once("\"version\": \"")?;
            rest.split_once('"').map(|(version, _)| version.to_owned())
        });
        said.or_else(|| run.version.clone())
            .unwrap_or_else(|| self.next_version(package))
    }

    fn publish_one(&mut self, item: &Item<'_>) -> Result<(), Failure> {
        if Rng::of(self.seed, item.package, item.run.id).chance(1) {
            return Err(Failure::SaveConflict);
        }
        let hosted = hosted(&item.flat.job.labels);
        let tried = item.flat.id_token && hosted && speaks_oidc(item.step);
        let config = if tried {
            self.exchange(item.package, item.run, item.flat)
        } else {
            None
        };
        let how = match config {
            Some(config) => self.by_oidc(item, &config)?,
            None => self.by_token(item, tried)?,
        };
        if item.stage {
            self.add_stage(item, &how);
        } else {
            self.add_version(item, how);
        }
        Ok(())
    }

    fn by_oidc(&mut self, item: &Item<'_>, config: &TrustConfig) -> Result<How, Failure> {
        if !(if item.stage {
            config.stage
        } else {
            config.publish
        }) {
            return Err(Failure::OidcDenied);
        }
        let repo = self.repos.get(item.run.repo);
        let package = self.packages.get(item.package);
        let provenance =
            repo.is_some_and(|repo| !repo.private) && package.is_some_and(|one| !one.private);
        let name = format!("github.com/{}.git", config.repository);
        let said = package.and_then(|one| one.repository.as_deref());
        if provenance && !said.is_some_and(|url| url.ends_with(&name)) {
            return Err(Failure::RepositoryUrl);
        }
        Ok(How::Oidc {
            config: config.id.clone(),
            provenance,
        })
    }

    fn by_token(&mut self, item: &Item<'_>, tried: bool) -> Result<How, Failure> {
        let Some(held) = self.credential(item.run, item.flat, item.step) else {
            return Err(match tried {
                true if item
                    .step
                    .run
                    .as_deref()
                    .is_some_and(|run| run.contains("--loglevel")) =>
                {
                    Failure::ExchangeNotFound
                }
                true => Failure::FellThrough,
                false => Failure::NeedAuth,
            });
        };
        let Held::Npm(key) = held else {
            return Err(Failure::ExpiredToken);
        };
        self.allowed(&key, item.package, item.stage)?;
        Ok(How::Token { key })
    }

    /// Tells whether the token of a key may write a package now; says on it that it was used.
    pub fn allowed(&mut self, key: &str, package: &str, stage: bool) -> Result<(), Failure> {
        let now = self.now;
        let Some(token) = self.npm_token_mut(key) else {
            return Err(Failure::ExpiredToken);
        };
        if !token.alive(now) {
            return Err(Failure::ExpiredToken);
        }
        token.accessed = Some(now);
        let token = token.clone();
        let package = self.packages.get(package);
        let writes = package.is_some_and(|one| one.people.get(&token.owner) == Some(&"read-write"));
        if !token.write || !writes || package.is_some_and(|one| !token.covers(&one.name)) {
            return Err(Failure::Forbidden);
        }
        if stage {
            return Ok(());
        }
        if token.stage_only {
            return Err(Failure::StageRequired);
        }
        if package.is_some_and(|one| one.tokens_disallowed) {
            return Err(Failure::BypassRequired);
        }
        if !token.bypass_2fa {
            return Err(Failure::OneTimePassword);
        }
        Ok(())
    }

    /// Gives the trust config that fits a run, as the registry matches: exactly, and on the workflow that was started.
    pub fn exchange(&self, package: &str, run: &Run, flat: &FlatJob) -> Option<TrustConfig> {
        let repo = self.repos.get(run.repo)?;
        let name = format!("{}/{}", self.org.login, repo.name);
        let file = repo
            .workflows
            .get(run.workflow)?
            .path
            .rsplit('/')
            .next()?
            .to_owned();
        if policy().trust.refuses(&run.event) {
            return None;
        }
        let configs = &self.packages.get(package)?.trust;
        let fits = |one: &&TrustConfig| {
            one.alive(self.now)
                && one.kind == "github"
                && one.repository == name
                && one.file == file
                && one
                    .environment
                    .as_ref()
                    .is_none_or(|env| Some(env) == flat.job.environment.as_ref())
        };
        configs.iter().find(fits).cloned()
    }

    /// Gives what the token variable of a step holds; none where there is none or it is empty.
    pub fn credential(&self, run: &Run, flat: &FlatJob, step: &Step) -> Option<Held> {
        let places = [&step.env, &flat.job.env, &flat.env];
        let text = TOKEN_VARIABLES
            .iter()
            .find_map(|name| places.iter().find_map(|place| place.get(*name)))
            .or_else(|| step.with.get("token"))?;
        self.evaluate(run, flat, text)
    }

    fn evaluate(&self, run: &Run, flat: &FlatJob, text: &str) -> Option<Held> {
        let (before, after) = text.split_once("secrets.")?;
        let end = after
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-'))
            .unwrap_or(after.len());
        let name = after.get(..end)?;
        // `vars.MODE == 'token' && secrets.X || ''`: the flag decides.
        if let Some((_, condition)) = before.split_once("vars.") {
            let (variable, rest) = condition.split_once("==")?;
            let wanted = rest.split('\'').nth(1)?;
            if self.variable(run.repo, variable.trim())? != wanted {
                return None;
            }
        }
        if flat.callee.is_some() && !flat.job.inherit {
            let given = flat.job.secrets.get(name)?;
            let caller = FlatJob {
                callee: None,
                ..flat.clone()
            };
            return self.evaluate(run, &caller, given);
        }
        self.secret_for(run.repo, flat.job.environment.as_deref(), name)
            .map(|secret| secret.held.clone())
    }

    /// Finds a secret as a job sees it: environment before repository before organisation.
    pub fn secret_for(
        &self,
        repo: usize,
        environment: Option<&str>,
        name: &str,
    ) -> Option<&Secret> {
        let repo = self.repos.get(repo)?;
        let named = |one: &&Secret| one.name.eq_ignore_ascii_case(name);
        let environment = repo
            .environments
            .iter()
            .find(|one| Some(one.name.as_str()) == environment);
        environment
            .and_then(|one| one.secrets.iter().find(named))
            .or_else(|| repo.secrets.iter().find(named))
            .or_else(|| {
                self.org
                    .secrets
                    .iter()
                    .filter(|one| visible(&one.visibility, repo))
                    .find(named)
            })
    }

    fn variable(&self, repo: usize, name: &str) -> Option<&str> {
        let repo = self.repos.get(repo)?;
        let own = repo.variables.iter().find(|one| one.name == name);
        let shared = || {
            self.org
                .variables
                .iter()
                .find(|one| one.name == name && visible(&one.visibility, repo))
        };
        own.or_else(shared).map(|one| one.value.as_str())
    }

    fn add_stage(&mut self, item: &Item<'_>, how: &How) {
        let mut rng = Rng::of(self.seed, item.version, item.run.id);
        let config = match how {
            How::Oidc { config, .. } => Some(config.clone()),
            _ => None,
        };
        let stage = Stage {
            id: rng.uuid(),
            package: item.package.to_owned(),
            version: item.version.to_owned(),
            tag: item.tag.to_owned(),
            created: self.now,
            actor: if config.is_some() {
                "GitHub Actions".to_owned()
            } else {
                "acme-bot".to_owned()
            },
            config,
            run: Some(item.run.id),
            git_head: Some(item.run.sha),
            status: "pending",
            document: None,
        };
        let after = self.rng.between(2, 12) * MINUTE;
        self.plan_for(self.now + after, Due::Approve(stage.id.clone()));
        self.stages.push(stage);
    }

    fn add_version(&mut self, item: &Item<'_>, how: How) {
        let user = match &how {
            How::Oidc { .. } => Arc::from("GitHub Actions"),
            How::Token { key } => self
                .npm_tokens
                .iter()
                .find(|one| one.key == *key)
                .map_or_else(|| Arc::from("acme-bot"), |one| Arc::clone(&one.owner)),
            How::Staged { approver, .. } => Arc::clone(approver),
            How::Laptop => Arc::clone(&item.run.actor),
        };
        let version = Version {
            version: item.version.to_owned(),
            at: self.now,
            how,
            user,
            git_head: Some(item.run.sha),
            run: Some(item.run.id),
            deprecated: None,
            manifest: None,
            tarball: None,
            bundle: None,
        };
        self.put_version(item.package, version, item.tag);
    }

    /// Adds a version to a package and moves a tag to it.
    pub fn put_version(&mut self, package: &str, version: Version, tag: &str) {
        let now = self.now;
        let package = self
            .packages
            .entry(package.to_owned())
            .or_insert_with(|| Package {
                name: package.to_owned(),
                created: now,
                ..Package::default()
            });
        if let How::Oidc { config, .. } = &version.how
            && let Some(config) = package.trust.iter_mut().find(|one| one.id == *config)
        {
            config.validated.get_or_insert(now);
        }
        package.tags.insert(tag.to_owned(), version.version.clone());
        package.versions.push(version);
        package.modified = now;
        package.rev += 1;
    }

    /// Approves a stage: the version appears, in the approver's name.
    pub fn approve_stage(&mut self, id: &str, approver: &str) {
        let now = self.now;
        let Some(stage) = self
            .stages
            .iter_mut()
            .find(|one| one.id == id && one.status == "pending")
        else {
            return;
        };
        stage.status = "approved";
        let stage = stage.clone();
        let approver: Arc<str> = Arc::from(approver);
        let version = Version {
            version: stage.version.clone(),
            at: now,
            how: How::Staged {
                approver: Arc::clone(&approver),
                config: stage.config.clone(),
            },
            user: approver,
            git_head: stage.git_head,
            run: stage.run,
            deprecated: None,
            manifest: None,
            tarball: None,
            bundle: None,
        };
        self.put_version(&stage.package, version, &stage.tag);
    }

    fn move_tag(&mut self, run: &Run, flat: &FlatJob, step: &Step) -> Outcome {
        let package = self
            .packages_of_run(run)
            .into_iter()
            .next()
            .unwrap_or_default();
        let latest = self
            .packages
            .get(&package)
            .and_then(Package::latest)
            .map(|one| one.version.clone());
        let version = run
            .inputs
            .get("version")
            .cloned()
            .or(latest)
            .unwrap_or_default();
        let line = step
            .run
            .as_deref()
            .and_then(|run| run.lines().find(|line| line.contains("dist-tag")));
        let tag = line
            .and_then(|line| line.split_whitespace().last())
            .unwrap_or("stable")
            .to_owned();
        let answer = match self.credential(run, flat, step) {
            None => Err(Failure::NeedAuth),
            Some(Held::Other) => Err(Failure::Unauthorised),
            // A tag may be moved by what may stage.
            Some(Held::Npm(key)) => self.allowed(&key, &package, true),
        };
        match answer {
            Ok(()) => {
                if let Some(one) = self.packages.get_mut(&package) {
                    one.tags.insert(tag, version.clone());
                    one.rev += 1;
                }
                Outcome::Published(Vec::new())
            }
            Err(why) => Outcome::Failed {
                done: Vec::new(),
                package,
                version,
                why,
            },
        }
    }

    /// An install or `npm whoami` with a token: works while it lives.
    fn use_token(&mut self, run: &Run, flat: &FlatJob, step: &Step) -> Outcome {
        let now = self.now;
        let alive = match self.credential(run, flat, step) {
            None => step.act == Act::Install,
            Some(Held::Other) => false,
            Some(Held::Npm(key)) => self.npm_token_mut(&key).is_some_and(|token| {
                let alive = token.alive(now);
                if alive {
                    token.accessed = Some(now);
                }
                alive
            }),
        };
        if alive {
            return Outcome::Published(Vec::new());
        }
        Outcome::Failed {
            done: Vec::new(),
            package: String::new(),
            version: String::new(),
            why: Failure::Unauthorised,
        }
    }
}

/// Tells whether a repository sees something of its organisation.
pub fn visible(visibility: &Visibility, repo: &super::Repo) -> bool {
    match visibility {
        Visibility::All => true,
        Visibility::Private => repo.private,
        Visibility::Selected(ids) => ids.contains(&repo.id),
    }
}

/// Tells whether a job runs on a machine of GitHub's.
pub fn hosted(labels: &[String]) -> bool {
    ["ubuntu-", "windows-", "macos-"]
        .iter()
        .any(|start| labels.iter().any(|label| label.starts_with(start)))
}

/// Lerna before 9 and Yarn 1 know nothing of OIDC.
fn speaks_oidc(step: &Step) -> bool {
    let words = step.run.as_deref().unwrap_or_default();
    !words.contains("yarn publish") && !words.contains("bun publish")
}
