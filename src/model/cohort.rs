//! Cohorts: the representative subset of phase A and the five canaries of phase C, proposed from build shapes.

use super::fact::{CiFact, RunnerFact, ToolFact};
use super::facts::Facts;
use super::id::Subject;
use std::cmp::Ordering;
use std::collections::BTreeMap;

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

/// A repository that publishes.
#[derive(Debug, Clone, Copy)]
struct Candidate<'a> {
    shape: Shape,
    name: &'a str,
    repo: Subject,
    packages: usize,
}

impl Candidate<'_> {
    /// Orders by name: the same facts in any order propose the same.
    fn by_name(&self, other: &Self) -> Ordering {
        (self.name, self.repo).cmp(&(other.name, other.repo))
    }
}

fn candidates(facts: &Facts) -> Vec<Candidate<'_>> {
    facts
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
            Some(Candidate {
                shape,
                name: repo.name(),
                repo: *id,
                packages,
            })
        })
        .collect()
}

/// Tells whether a package is no sample: never published, or not known at all.
fn is_private(facts: &Facts, package: Subject) -> bool {
    let row = facts.packages.get(&package);
    row.is_some_and(|row| row.stand_in || row.fact.as_ref().is_some_and(|fact| fact.value.private))
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
    let all = candidates(facts);
    let mut picks: Vec<Pick> = Vec::new();
    let mut pick = |found: Option<&Candidate<'_>>, reason: &dyn Fn(usize) -> String| {
        if let Some(found) = found
            && !picks.iter().any(|known| known.repo == found.repo)
        {
            picks.push(Pick {
                repo: found.repo,
                reason: reason(found.packages),
            });
        }
    };
    let private = |one: &&Candidate<'_>| {
        facts.repos.get(&one.repo).is_some_and(|row| {
            row.packages
                .iter()
                .any(|package| is_restricted(facts, *package))
        })
    };
    let first = all.iter().filter(private).min_by(|a, b| a.by_name(b));
    pick(first, &|_| "publishes a private package".to_owned());
    // The median monorepo, not the largest: it should be typical.
    let many = all.iter().filter(|one| one.shape.many_packages);
    let mut monorepos: Vec<_> = many.collect();
    let middle = monorepos.len() / 2;
    if middle < monorepos.len() {
        monorepos.select_nth_unstable_by(middle, |a, b| a.by_name(b));
    }
    pick(monorepos.get(middle).copied(), &|packages| {
        format!("monorepo of {packages} packages")
    });
    let single = all.iter().filter(|one| one.packages == 1 && !private(one));
    pick(single.min_by(|a, b| a.by_name(b)), &|_| {
        "single package".to_owned()
    });
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
    let mut all: Vec<(Reach, Candidate<'_>)> = candidates(facts)
        .into_iter()
        .map(|one| (Reach::of(facts, one.repo), one))
        .collect();
    let order = |a: &(Reach, Candidate<'_>), b: &(Reach, Candidate<'_>)| {
        a.0.cmp(&b.0).then_with(|| a.1.by_name(&b.1))
    };
    let mut firsts: BTreeMap<Shape, (Reach, Candidate<'_>)> = BTreeMap::new();
    for one in &all {
        let first = firsts.entry(one.1.shape).or_insert(*one);
        if order(one, first).is_lt() {
            *first = *one;
        }
    }
    let mut firsts: Vec<_> = firsts.into_values().collect();
    firsts.sort_unstable_by(order);
    let shaped = firsts.into_iter().take(CANARIES).map(|(reach, one)| {
        let many = if one.shape.many_packages {
            "monorepo"
        } else {
            "single package"
        };
        let (tool, ci) = (one.shape.tool.word(), one.shape.ci.word());
        Pick {
            repo: one.repo,
            reason: format!("{tool} on {ci}, {many}{}", reach.words()),
        }
    });
    let mut picks: Vec<Pick> = shaped.collect();
    // Those picked are among these at most once: more are not needed to make up five.
    if all.len() > 2 * CANARIES {
        all.select_nth_unstable_by(2 * CANARIES, order);
        all.truncate(2 * CANARIES);
    }
    all.sort_unstable_by(order);
    for (reach, one) in &all {
        if picks.len() < CANARIES && !picks.iter().any(|known| known.repo == one.repo) {
            picks.push(Pick {
                repo: one.repo,
                reason: format!(
                    "to make up five; its shape is among the others{}",
                    reach.words()
                ),
            });
        }
    }
    picks
}
