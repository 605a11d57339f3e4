//! Cohorts: the representative subset of phase A and the five canaries of phase C, proposed from build shapes.

use super::fact::{CiFact, RunnerFact, ToolFact};
use super::facts::Facts;
use super::id::Subject;

/// Canaries are a go / no-go sample of this many.
pub const CANARIES: usize = 5;

/// One proposed repository, with the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pick {
    pub repo: Subject,
    pub reason: String,
}

/// How a repository builds and publishes: canaries should differ in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Shape {
    ci: CiFact,
    tool: ToolFact,
    runner: RunnerFact,
    many_packages: bool,
    reusable: bool,
}

fn shapes(facts: &Facts) -> Vec<(Shape, &str, Subject, usize)> {
    let mut all: Vec<_> = facts
        .repos
        .iter()
        .filter_map(|(id, repo)| {
            let (_, path) = facts.open_paths(*id).next()?;
            let packages = repo
                .packages
                .iter()
                .filter(|package| !is_private(facts, **package))
                .count();
            // A sample of what publishes: where no package is known, nobody knows what a canary would be.
            if packages == 0 {
                return None;
            }
            let shape = Shape {
                ci: path.ci,
                tool: path.tool,
                runner: path.runner,
                many_packages: packages > 1,
                reusable: path.reusable.is_some(),
            };
            Some((shape, repo.name(), *id, packages))
        })
        .collect();
    // By name: the same facts in any order propose the same.
    all.sort_unstable_by(|a, b| (a.1, a.2).cmp(&(b.1, b.2)));
    all
}

fn is_private(facts: &Facts, package: Subject) -> bool {
    facts
        .packages
        .get(&package)
        .and_then(|row| row.fact.as_ref())
        .is_some_and(|fact| fact.value.private)
}

fn is_restricted(facts: &Facts, package: Subject) -> bool {
    facts
        .packages
        .get(&package)
        .and_then(|row| row.fact.as_ref())
        .is_some_and(|fact| fact.value.restricted)
}

/// Proposes one monorepo, one single-package repository and one with a private package, as far as there are such.
pub fn representatives(facts: &Facts) -> Vec<Pick> {
    let all = shapes(facts);
    let mut picks: Vec<Pick> = Vec::new();
    let mut pick = |found: Option<&(Shape, &str, Subject, usize)>,
                    reason: &dyn Fn(usize) -> String| {
        if let Some((_, _, repo, packages)) = found
            && !picks.iter().any(|known| known.repo == *repo)
        {
            picks.push(Pick {
                repo: *repo,
                reason: reason(*packages),
            });
        }
    };
    let private = |repo: &Subject| {
        facts.repos.get(repo).is_some_and(|row| {
            row.packages
                .iter()
                .any(|package| is_restricted(facts, *package))
        })
    };
    pick(all.iter().find(|(_, _, repo, _)| private(repo)), &|_| {
        "publishes a private package".to_owned()
    });
    // The median monorepo, not the largest: it should be typical.
    let monorepos: Vec<_> = all
        .iter()
        .filter(|(shape, ..)| shape.many_packages)
        .collect();
    pick(monorepos.get(monorepos.len() / 2).copied(), &|packages| {
        format!("monorepo of {packages} packages")
    });
    pick(
        all.iter().find(|(shape, _, repo, packages)| {
            !shape.many_packages && *packages == 1 && !private(repo)
        }),
        &|_| "single package".to_owned(),
    );
    picks
}

/// How far a mistake in a repository's packages would reach: downloads a week, then dependents. Unknown comes last:
/// what was not looked at is not taken for small.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reach {
    Known { weekly: u64, dependents: u64 },
    Unknown,
}

impl Reach {
    fn of(facts: &Facts, repo: Subject) -> Self {
        let packages = facts.open_paths(repo).flat_map(|(_, path)| &path.packages);
        let mut packages = packages
            .filter(|package| !is_private(facts, **package))
            .peekable();
        if packages.peek().is_none() {
            return Self::Unknown;
        }
        let reach = packages.try_fold((0_u64, 0_u64), |(weekly, dependents), package| {
            let (fact, _) = facts.seen.get(package)?.reach()?;
            let more = fact.dependents.unwrap_or_default();
            Some((weekly.max(fact.weekly?), dependents.max(more)))
        });
        reach.map_or(Self::Unknown, |(weekly, dependents)| Self::Known {
            weekly,
            dependents,
        })
    }

    fn words(self) -> String {
        match self {
            Self::Known { weekly, dependents } => {
                format!(", {weekly} downloads a week, {dependents} dependents")
            }
            Self::Unknown => String::new(),
        }
    }
}

/// Proposes five canaries that build and publish in different ways, of each way the one that reaches least; then fills
/// up with those that reach least, then by name.
pub fn canaries(facts: &Facts) -> Vec<Pick> {
    let mut all: Vec<_> = shapes(facts)
        .into_iter()
        .map(|(shape, name, repo, _)| (Reach::of(facts, repo), name, repo, shape))
        .collect();
    all.sort_unstable_by(|a, b| (a.0, a.1, a.2).cmp(&(b.0, b.1, b.2)));
    let mut seen: Vec<Shape> = Vec::new();
    let mut picks: Vec<Pick> = Vec::new();
    for (reach, _, repo, shape) in &all {
        if picks.len() < CANARIES && !seen.contains(shape) {
            seen.push(*shape);
            let many = if shape.many_packages {
                "monorepo"
            } else {
                "single package"
            };
            picks.push(Pick {
                repo: *repo,
                reason: format!(
                    "{} on {}, {many}{}",
                    shape.tool.word(),
                    shape.ci.word(),
                    reach.words()
                ),
            });
        }
    }
    for (reach, _, repo, _) in &all {
        if picks.len() < CANARIES && !picks.iter().any(|known| known.repo == *repo) {
            picks.push(Pick {
                repo: *repo,
                reason: format!(
                    "to make up five; its shape is among the others{}",
                    reach.words()
                ),
            });
        }
    }
    picks
}
