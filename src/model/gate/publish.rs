//! Which path published a version, and by which trust config: the registry's word against what a path needs.
//!
//! npm compares a trust config letter by letter with the repository, the bare name of the top-level workflow file and
//! the environment (<https://docs.npmjs.com/trusted-publishers>). Judges no gate itself.

use super::view::View;
use crate::model::decision::Slot;
use crate::model::fact::{
    CiFact, HowFact, LiveSource, PublishedFact, TrustConfigFact, VersionFact,
};
use crate::model::facts::seen::Seen;
use crate::model::facts::{Config, Facts};
use crate::model::id::Subject;
use crate::model::lane::Lane;
use crate::model::semver::exact;
use crate::model::time::{HOUR, Ts};
use crate::safe::shown::first_few;

/// Gives the seconds after its creation at which a config that has never published ends.
fn window_length() -> i64 {
    i64::from(crate::assets::policy().activation.hours) * HOUR
}

/// What a trust config must say for one path.
#[derive(Debug, Clone)]
pub struct Need<'a> {
    provider: &'static str,
    repository: &'a str,
    file: &'a str,
    environment: Option<&'a str>,
    lane: Option<Lane>,
}

impl<'a> Need<'a> {
    pub fn of(facts: &'a Facts, config: &'a Config) -> Self {
        let path = facts.path(config.path);
        let ci = path.map_or(CiFact::Github, |path| path.ci);
        Self {
            provider: match ci {
                CiFact::Gitlab => "gitlab",
                CiFact::Circleci => "circleci",
                _ => "github",
            },
            repository: repo_name(facts, config.repo),
            file: path
                .and_then(|path| path.file.rsplit('/').next())
                .unwrap_or_default(),
            environment: path.and_then(|path| path.environment.as_deref()),
            lane: facts.lane(config.path),
        }
    }

    /// Says what differs, field by field; nothing where the config is this one.
    pub fn differs(&self, config: &TrustConfigFact) -> Vec<String> {
        let mut all = Vec::new();
        let mut say = |field: &str, is: &str, wanted: &str| {
            if is != wanted {
                let case = if is.eq_ignore_ascii_case(wanted) {
                    " (npm is case-sensitive)"
                } else {
                    ""
                };
                let is = if is.is_empty() { "none" } else { is };
                let wanted = if wanted.is_empty() { "none" } else { wanted };
                all.push(format!("{field} is {is}, not {wanted}{case}"));
            }
        };
        say("provider", &config.provider, self.provider);
        say("repository", &config.repository, self.repository);
        // A CircleCI config names a pipeline definition instead of a file.
        if self.provider != "circleci" {
            say("workflow file", &config.file, self.file);
            say(
                "environment",
                config.environment.as_deref().unwrap_or_default(),
                self.environment.unwrap_or_default(),
            );
        }
        all
    }

    /// Tells whether a config could be meant for this path though it does not fit: the same repository, and the same
    /// file or environment, whatever the case.
    pub fn resembles(&self, config: &TrustConfigFact) -> bool {
        let same = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
        let environment = config.environment.as_deref().unwrap_or_default();
        let file = same(&config.file, self.file);
        (same(&config.repository, self.repository)
            && (file || same(environment, self.environment.unwrap_or_default())))
            || (file && config.environment.as_deref() == self.environment)
    }

    /// Says why a config that is this one does not let its lane publish.
    pub fn refuses(&self, config: &TrustConfigFact) -> Option<String> {
        if is_expired(config) {
            return Some("it has expired without a publish: delete it and create it anew".into());
        }
        let has = |wanted: &str| config.permissions.iter().any(|one| **one == *wanted);
        let refused = match self.lane {
            _ if config.permissions.is_empty() => None,
            Some(Lane::Trusted) if !has("createPackage") => Some("publish directly"),
            Some(Lane::StagedOidc) if !has("createStagedPackage") && !has("createPackage") => {
                Some("stage")
            }
            _ => None,
        };
        refused.map(|what| {
            format!(
                "it may not {what}, only {}: create it anew",
                config.permissions.join(", ")
            )
        })
    }
}

impl<'a> View<'a> {
    /// Gives what the trust configs of a package must say, one for each path in a lane that rests on one.
    pub(super) fn needs(&self, package: Subject) -> Vec<Need<'a>> {
        let facts = self.facts;
        let row = facts.packages.get(&package);
        let repos = row.into_iter().flat_map(|row| &row.repos);
        repos
            .filter_map(|repo| facts.repos.get(repo))
            .flat_map(|row| &row.configs)
            .filter_map(|id| facts.configs.get(id))
            .filter(|config| config.package == package)
            .filter(|config| facts.lane(config.path).is_some_and(Lane::needs_trust))
            .map(|config| Need::of(facts, config))
            .collect()
    }
}

/// Tells whether the registry says that a config's window has closed.
pub fn is_expired(config: &TrustConfigFact) -> bool {
    config
        .status
        .as_deref()
        .is_some_and(|status| status.eq_ignore_ascii_case("expired"))
}

/// Gives a repository's name: as its forge writes it, else as the scan read it.
pub fn repo_name(facts: &Facts, repo: Subject) -> &str {
    let forge = facts.seen.get(&repo).and_then(Seen::forge);
    match forge {
        Some((fact, _)) if !fact.name.is_empty() => &fact.name,
        _ => facts
            .repos
            .get(&repo)
            .map_or("(not named yet)", |row| row.name()),
    }
}

/// Gives the registry's configs that are this one, by every listing there ever was.
fn identities<'a>(facts: &'a Facts, config: &'a Config) -> Option<Vec<&'a TrustConfigFact>> {
    let seen = facts.seen.get(&config.package)?;
    seen.trust()?;
    let need = Need::of(facts, config);
    let mut all = seen.configs();
    all.retain(|one| need.differs(one).is_empty());
    Some(all)
}

/// The registry's name of a config, with or without its prefix.
fn bare(id: &str) -> &str {
    id.strip_prefix("oidc:").unwrap_or(id)
}

/// A version that went out the way that was asked about.
#[derive(Debug, Clone, Copy)]
pub struct Proof<'a> {
    pub version: &'a VersionFact,
    pub package: Subject,
    /// The trust list was not read: that it was this config is an inference.
    pub by_inference: bool,
}

/// Why there is no such version.
#[derive(Debug, Clone)]
pub enum Lack {
    NotLooked,
    /// Could not look: why and when.
    Failed(String),
    /// Looked, and it cannot be told.
    Unclear(String),
    /// Looked, and there is none.
    Absent {
        looked: Ts,
        words: String,
    },
}

impl Lack {
    /// Gives the one that says more.
    fn or(self, other: Self) -> Self {
        let rank = |one: &Self| match one {
            Self::NotLooked => 0,
            Self::Failed(_) => 1,
            Self::Absent { .. } => 2,
            Self::Unclear(_) => 3,
        };
        if rank(&other) > rank(&self) {
            other
        } else {
            self
        }
    }
}

enum Fit {
    Yes { by_inference: bool },
    No,
    Other,
    Unclear(String),
}

/// Asks which version of one package a path published by its lane's way.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    pub facts: &'a Facts,
    pub path: Subject,
    pub lane: Lane,
}

impl<'a> Asked<'a> {
    /// Finds the newest version of a package that this path published by its lane's way and that is wanted.
    ///
    /// # Errors
    /// There is none: not looked, could not look, cannot be told, or looked and absent.
    pub fn newest(
        &self,
        package: Subject,
        wanted: impl Fn(&VersionFact) -> bool,
    ) -> Result<Proof<'a>, Lack> {
        let (published, versions) = self.versions(package)?;
        let (mut unclear, mut others) = (None, Vec::new());
        for version in versions {
            if !wanted(version) {
                continue;
            }
            match self.fits(package, version) {
                Fit::Yes { by_inference } => {
                    return Ok(Proof {
                        version,
                        package,
                        by_inference,
                    });
                }
                Fit::Unclear(words) => unclear = unclear.or(Some(words)),
                Fit::Other => others.push(version.version.as_ref()),
                Fit::No => {}
            }
        }
        if let Some(words) = unclear {
            return Err(Lack::Unclear(words));
        }
        if published.0.stripped {
            let words = "the registry between us does not pass on who published";
            return Err(Lack::Unclear(words.into()));
        }
        let looked = self
            .facts
            .seen
            .get(&package)
            .and_then(|seen| seen.looked(LiveSource::Published))
            .unwrap_or(published.1);
        let words = if others.is_empty() {
            format!("no version {} yet", self.verb())
        } else {
            format!("{} went out by another config or path", first_few(&others))
        };
        Err(Lack::Absent { looked, words })
    }

    /// Gives the instant of the first version that this path published by its lane's way.
    pub fn first(&self, package: Subject) -> Option<Ts> {
        let (_, versions) = self.versions(package).ok()?;
        versions
            .into_iter()
            .filter(|version| matches!(self.fits(package, version), Fit::Yes { .. }))
            .map(|version| version.at)
            .min()
    }

    /// Finds the newest over all packages of the path. Gives too which packages have none.
    ///
    /// # Errors
    /// As [`Asked::newest`], for the package that says most.
    pub fn any(
        &self,
        wanted: impl Fn(&VersionFact) -> bool,
    ) -> Result<(Proof<'a>, Vec<Subject>), Lack> {
        let path = self.facts.path(self.path);
        let packages = path.map_or(&[][..], |path| self.facts.packages_of(path));
        let (mut best, mut without, mut lack) = (None, Vec::new(), Lack::NotLooked);
        for package in packages {
            match self.newest(*package, &wanted) {
                Ok(proof) => {
                    let newer =
                        best.is_none_or(|known: Proof<'_>| known.version.at < proof.version.at);
                    best = if newer { Some(proof) } else { best };
                }
                Err(why) => {
                    without.push(*package);
                    lack = lack.or(why);
                }
            }
        }
        best.map(|proof| (proof, without)).ok_or(lack)
    }

    /// Says what its lane's way is.
    pub fn verb(&self) -> &'static str {
        match self.lane {
            Lane::Trusted => "was published by OIDC",
            Lane::StagedOidc | Lane::StagedToken => "was staged and approved",
            Lane::Bridge => "came from a run of this path",
            Lane::Manual | Lane::Retire => "can be told from a token's",
        }
    }

    fn versions(
        &self,
        package: Subject,
    ) -> Result<((&'a PublishedFact, Ts), Vec<&'a VersionFact>), Lack> {
        let seen = self.facts.seen.get(&package).ok_or(Lack::NotLooked)?;
        let Some(published) = seen.published() else {
            return Err(match seen.trouble(LiveSource::Published) {
                Some((fact, when)) => Lack::Failed(format!("{} ({when})", fact.why)),
                None => Lack::NotLooked,
            });
        };
        Ok((published, seen.versions()))
    }

    fn fits(&self, package: Subject, version: &VersionFact) -> Fit {
        let (how, _) = self.facts.how(package, version);
        match self.lane {
            Lane::Trusted if how == HowFact::Oidc => self.by_config(package, version),
            Lane::StagedOidc | Lane::StagedToken if how == HowFact::Staged => {
                self.by_run(package, version)
            }
            Lane::Bridge if matches!(how, HowFact::MatchedRun | HowFact::Attested) => {
                // The old token went the same way: only what came after the decision counts.
                let chosen = self.facts.decision(self.path, Slot::Lane).map(|one| one.at);
                match chosen {
                    Some(at) if version.at >= at => self.by_run(package, version),
                    _ => Fit::No,
                }
            }
            _ => Fit::No,
        }
    }

    fn by_config(&self, package: Subject, version: &VersionFact) -> Fit {
        let configs = self.configs(package);
        let known: Vec<_> = configs
            .iter()
            .filter_map(|config| identities(self.facts, config))
            .collect();
        let (true, Some(id)) = (!known.is_empty(), version.config.as_deref()) else {
            return match self.by_run(package, version) {
                Fit::Yes { .. } => Fit::Yes { by_inference: true },
                other => other,
            };
        };
        let ours = known.iter().flatten().any(|one| bare(&one.id) == bare(id));
        if ours {
            return Fit::Yes {
                by_inference: false,
            };
        }
        let listed = self
            .facts
            .seen
            .get(&package)
            .is_some_and(|seen| seen.configs().iter().any(|one| bare(&one.id) == bare(id)));
        let read = self.facts.seen.get(&package).and_then(Seen::trust);
        match read {
            // A config made after the list was read is on no list yet.
            Some((_, as_of)) if !listed && version.at > as_of => Fit::Unclear(format!(
                "{} was published by a config that is newer than the trust list of {as_of}: read it again",
                version.version
            )),
            _ => Fit::Other,
        }
    }

    /// The trust configs that this path needs for a package.
    fn configs(&self, package: Subject) -> Vec<&'a Config> {
        let repo = self.facts.path(self.path).and_then(|path| path.repo);
        let row = repo.and_then(|repo| self.facts.repos.get(&repo));
        row.map_or(&[][..], |row| &row.configs)
            .iter()
            .filter_map(|id| self.facts.configs.get(id))
            .filter(|config| config.package == package && config.path == self.path)
            .collect()
    }

    /// Only one path publishes the package, or the version's run is a run of this path's file.
    fn by_run(&self, package: Subject, version: &VersionFact) -> Fit {
        let Some(path) = self.facts.path(self.path) else {
            return Fit::No;
        };
        let row = self.facts.packages.get(&package);
        let paths = row.map_or(0, |row| row.paths.len());
        if paths == 1 && self.facts.is_mapped(path) {
            return Fit::Yes {
                by_inference: false,
            };
        }
        let unclear = || {
            let version = &version.version;
            Fit::Unclear(match paths {
                0 | 1 => format!("whether this path published {version} is not known"),
                many => format!("which of {many} paths published {version} is not known"),
            })
        };
        let seen = path.repo.and_then(|repo| self.facts.seen.get(&repo));
        let (_, run) = self.facts.how(package, version);
        let run = run.and_then(|id| seen?.all_runs().find(|run| run.id == id));
        match run {
            Some(run) if path.file.rsplit('/').next() == run.file.rsplit('/').next() => Fit::Yes {
                by_inference: false,
            },
            Some(_) => Fit::Other,
            None => unclear(),
        }
    }
}

/// Tells whether a version is a prerelease; what is no version at all is none.
pub fn is_prerelease(version: &VersionFact) -> bool {
    exact(&version.version).is_some_and(|one| one.is_prerelease())
}

/// The activation window of a trust config.
#[derive(Debug, Clone, Copy)]
pub struct Window<'a> {
    pub config: &'a TrustConfigFact,
    /// The instant it is counted from.
    pub from: Ts,
    /// Whether that is its creation; else it is the first listing that had it.
    pub exact: bool,
    /// The first version that it published, which ends the window for good.
    pub published: Option<&'a VersionFact>,
}

impl Window<'_> {
    pub fn ends(&self) -> Ts {
        self.from.plus(window_length())
    }
}

/// Gives the window of a config that the registry lists, or listed once and saw publish.
pub fn window<'a>(facts: &'a Facts, config: &'a Config) -> Option<Window<'a>> {
    let seen = facts.seen.get(&config.package)?;
    let (listed, _) = seen.trust()?;
    let versions = seen.versions();
    let windows = identities(facts, config)?.into_iter().filter_map(|one| {
        let published = versions
            .iter()
            .rev()
            .copied()
            .find(|version| version.config.as_deref().map(bare) == Some(bare(&one.id)));
        let there = listed.configs.iter().any(|known| known.id == one.id);
        if !there && published.is_none() {
            return None;
        }
        Some(Window {
            config: one,
            from: one.created.or(one.first_seen)?,
            exact: one.created.is_some(),
            published,
        })
    });
    // One that has published counts before one that waits, and of those the latest.
    windows.max_by_key(|one| (one.published.is_some(), !is_expired(one.config), one.from))
}
