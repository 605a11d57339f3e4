//! Scenarios as data: what goes wrong in an exercise, and when. `assets/tabletop/scenarios.toml` has them.
//! Must change the world only through what its inhabitants could do; what was done is noted for whoever leads.

use std::sync::{Arc, LazyLock};

use serde::Deserialize;

use super::clock::{HOUR, MINUTE, SECOND};
use super::random::Rng;
use super::world::{Due, Held, How, Secret, TrustConfig, Version, Visibility, World};

/// An exercise.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    pub name: String,
    pub title: String,
    /// What the participants should find.
    pub look_for: String,
    #[serde(rename = "step")]
    pub steps: Vec<Step>,
}

/// What happens so many simulated seconds after the start.
#[derive(Debug, Clone, Deserialize)]
pub struct Step {
    pub after: i64,
    #[serde(flatten)]
    pub act: Act,
}

/// What somebody does.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum Act {
    ExpireToken {
        token: String,
    },
    Release {
        kind: String,
    },
    PutSecret {
        kind: String,
        secret: String,
        token: String,
    },
    MoveLatest {
        kind: String,
    },
    CloseGithub {
        seconds: i64,
    },
    AddTrust {
        kind: String,
        file: String,
        age_minutes: i64,
    },
    Laptop {
        kind: String,
        who: String,
    },
    UseToken {
        token: String,
    },
    StopAfter {
        kind: String,
        packages: usize,
    },
    StageOnly {
        kind: String,
    },
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenarios {
    scenario: Vec<Scenario>,
}

static SCENARIOS: LazyLock<Scenarios> = LazyLock::new(|| {
    // Compiled in and read by a test.
    toml::from_str(include_str!("../../assets/tabletop/scenarios.toml")).unwrap_or_default()
});

/// Finds a scenario.
pub fn find(name: &str) -> Option<&'static Scenario> {
    all().iter().find(|one| one.name == name)
}

/// Gives all scenarios.
pub fn all() -> &'static [Scenario] {
    &SCENARIOS.scenario
}

/// Gives the names of all scenarios.
pub fn names() -> Vec<&'static str> {
    all().iter().map(|one| one.name.as_str()).collect()
}

impl World {
    /// Begins a scenario: notes when its steps happen.
    pub fn begin(&mut self, scene: &'static Scenario) {
        for (number, step) in scene.steps.iter().enumerate() {
            self.plan_for(self.now + step.after * SECOND, Due::Scene(number));
        }
        self.note(&scene.title);
        self.scene = Some(scene);
    }

    /// Plays one step of the running scenario.
    pub fn play(&mut self, step: usize) {
        let scene = self.scene;
        let Some(step) = scene.and_then(|scene| scene.steps.get(step)) else {
            return;
        };
        if let Some(words) = self.act(&step.act) {
            self.note(&words);
        }
    }

    fn note(&mut self, words: &str) {
        self.notes.push((self.now, words.to_owned()));
    }

    /// Does something, and says what in words; none where the world has nobody or nothing to do it with.
    fn act(&mut self, act: &Act) -> Option<String> {
        let now = self.now;
        Some(match act {
            Act::ExpireToken { token } => {
                let key = self.key_of(token)?;
                self.npm_token_mut(&key)?.expires = Some(now);
                format!("the token {token} expires")
            }
            Act::Release { kind } => {
                let at = self.of_kind(kind)?;
                self.release(at, "ken");
                format!("ken releases {}", self.repos.get(at)?.name)
            }
            Act::PutSecret {
                kind,
                secret,
                token,
            } => {
                let (at, held) = (self.of_kind(kind)?, Held::Npm(self.key_of(token)?));
                let repo = self.repos.get_mut(at)?;
                repo.secrets.retain(|one| one.name != *secret);
                repo.secrets.push(Secret {
                    name: secret.clone(),
                    created: now,
                    updated: now,
                    visibility: Visibility::All,
                    held,
                });
                format!(
                    "somebody puts {token} into the secret {secret} of {}",
                    repo.name
                )
            }
            Act::MoveLatest { kind } => {
                let package = self.package_of_kind(kind)?;
                let version = format!("{}-canary.0", self.next_version(&package));
                self.by_hand(&package, &version, "mei");
                format!("mei publishes {package}@{version} without a tag of its own")
            }
            Act::CloseGithub { seconds } => {
                self.github_closed_until = Some(now + seconds * SECOND);
                format!("GitHub answers nobody for {seconds} s")
            }
            Act::AddTrust {
                kind,
                file,
                age_minutes,
            } => {
                let at = self.of_kind(kind)?;
                let repository = format!("{}/{}", self.org.login, self.repos.get(at)?.name);
                let name = self.package_of_kind(kind)?;
                let id = Rng::of(self.seed, &name, 11).uuid();
                self.packages.get_mut(&name)?.trust.push(TrustConfig {
                    id,
                    kind: "github".to_owned(),
                    repository,
                    file: file.clone(),
                    environment: None,
                    publish: true,
                    stage: true,
                    created: now - age_minutes * MINUTE,
                    validated: None,
                });
                let left = (48 * HOUR - age_minutes * MINUTE) / SECOND;
                format!("{name} has a trust config that lapses in {left} s")
            }
            Act::Laptop { kind, who } => {
                let package = self.package_of_kind(kind)?;
                let version = self.next_version(&package);
                self.by_hand(&package, &version, who);
                format!("{who} publishes {package}@{version} from a laptop")
            }
            Act::UseToken { token } => {
                let key = self.key_of(token)?;
                let used = self.npm_token_mut(&key)?;
                if !used.alive(now) {
                    return Some(format!("something tries the dead token {token}"));
                }
                used.accessed = Some(now);
                format!("something uses the token {token}")
            }
            Act::StopAfter { kind, packages } => {
                let at = self.of_kind(kind)?;
                self.hiccups.insert(at, *packages);
                format!(
                    "{} will stop after {packages} packages",
                    self.repos.get(at)?.name
                )
            }
            Act::StageOnly { kind } => {
                let name = self.package_of_kind(kind)?;
                for config in &mut self.packages.get_mut(&name)?.trust {
                    config.publish = false;
                }
                format!("the trust config of {name} may only stage")
            }
        })
    }

    /// Gives the key of a token that the world's shape names.
    fn key_of(&self, word: &str) -> Option<String> {
        let at = self.shape.tokens.iter().position(|one| one.key == word)?;
        self.npm_tokens.get(at).map(|token| token.key.clone())
    }

    /// Finds the repository of a kind that was pushed to last, of equals the first.
    fn of_kind(&self, kind: &str) -> Option<usize> {
        let all = self
            .repos
            .iter()
            .enumerate()
            .filter(|(_, repo)| repo.kind == kind && !repo.archived);
        // Releases of this minute do not change who is meant: what counts is whether it is alive at all.
        let alive = |at: i64| i64::from(at > self.now - 60 * 24 * HOUR);
        all.max_by_key(|(at, repo)| (alive(repo.pushed), std::cmp::Reverse(*at)))
            .map(|(at, _)| at)
    }

    fn package_of_kind(&self, kind: &str) -> Option<String> {
        self.repos
            .get(self.of_kind(kind)?)?
            .packages
            .first()
            .cloned()
    }

    fn by_hand(&mut self, package: &str, version: &str, who: &str) {
        let version = Version {
            version: version.to_owned(),
            at: self.now,
            how: How::Laptop,
            user: Arc::from(who),
            git_head: None,
            run: None,
            deprecated: None,
            manifest: None,
            tarball: None,
            bundle: None,
        };
        self.put_version(package, version, "latest");
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::tabletop::world::Size;

    #[test]
    fn every_scenario_finds_what_it_acts_on() {
        let read: Scenarios =
            toml::from_str(include_str!("../../assets/tabletop/scenarios.toml")).unwrap();
        assert_eq!(read.scenario.len(), 9);
        for scene in all() {
            for repos in [60, 200] {
                let mut world = World::build(Size { repos, seed: 3 }, 1_796_400_000_000);
                let steps = scene.steps.len();
                world.begin(scene);
                world.advance(1_796_400_000_000 + HOUR);
                assert_eq!(
                    world.notes.len(),
                    steps + 1,
                    "{}: {:?}",
                    scene.name,
                    world.notes
                );
            }
        }
    }
}
