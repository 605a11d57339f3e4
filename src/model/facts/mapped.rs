//! Which packages a path publishes: as its files tell, else as somebody says, else whatever it could be.
//!
//! A repository of which less is known has no fewer gates: where the files do not tell, every public package of the
//! checkout may be meant; where there is none, a package stands in whose gates nothing answers.

use super::{Facts, Repo};
use crate::model::fact::PathFact;
use crate::model::id::Subject;

/// The package that stands in for what a repository publishes while no package of it is known.
pub fn stand_in(repo: Subject) -> Subject {
    Subject::package("", &repo.to_string())
}

impl Facts {
    /// Gives the packages that a path publishes, or may publish while its files do not tell.
    pub fn packages_of<'a>(&'a self, fact: &'a PathFact) -> &'a [Subject] {
        if !fact.packages.is_empty() {
            return &fact.packages;
        }
        let repo = fact.repo.and_then(|repo| self.repos.get(&repo));
        repo.map_or(&[], |row| &row.meant)
    }

    /// Tells whether the files or the inventory tell which packages a path publishes.
    pub fn is_mapped(&self, fact: &PathFact) -> bool {
        let listed = || {
            let repo = fact.repo.and_then(|repo| self.repos.get(&repo));
            repo.is_some_and(|row| !row.listed().is_empty())
        };
        !fact.packages.is_empty() || listed()
    }

    /// Tells whether a package or trust config stands in for what is not known.
    pub fn stands_in(&self, about: Subject) -> bool {
        let package = self
            .configs
            .get(&about)
            .map_or(about, |config| config.package);
        self.packages.get(&package).is_some_and(|row| row.stand_in)
    }

    /// Gives what the paths of a repository may publish whose files do not tell.
    pub(super) fn meant(&self, repo: Subject, row: &Repo) -> Vec<Subject> {
        let listed = row.listed().iter();
        let mut meant: Vec<Subject> = listed
            .map(|name| Subject::package(&self.session.registry, name))
            .collect();
        if meant.is_empty() {
            let held = row.scan.iter().flat_map(|scan| &scan.value.packages);
            let public = |package: &&Subject| {
                let fact = self.packages.get(package).and_then(|row| row.fact.as_ref());
                fact.is_none_or(|fact| !fact.value.private)
            };
            meant.extend(held.filter(public));
        }
        if meant.is_empty() {
            meant.push(stand_in(repo));
        }
        meant.sort_unstable();
        meant.dedup();
        meant
    }

    /// Names packages that only the inventory knows, and marks the one that stands in.
    pub(super) fn name_meant(&mut self, repo: Subject, meant: &[Subject]) {
        if meant.is_empty() {
            return;
        }
        if let Some(package) = self.packages.get_mut(&stand_in(repo)) {
            package.stand_in = true;
        }
        let listed: Vec<(Subject, Box<str>)> = self
            .repos
            .get(&repo)
            .into_iter()
            .flat_map(|row| row.listed())
            .map(|name| (Subject::package(&self.session.registry, name), name.clone()))
            .filter(|(package, _)| meant.contains(package))
            .collect();
        for (package, name) in listed {
            if let Some(row) = self.packages.get_mut(&package)
                && row.name.is_empty()
            {
                row.name = name;
            }
        }
    }
}
