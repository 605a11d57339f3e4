//! Verifies how a version was built: the registry's attestation against its bytes and the forge's word on the run.
//!
//! Only a version that one known run explains is asked about: without a run there is nothing to hold its claims against.

use super::github::Github;
use super::npm::{Npm, could_not};
use super::{QueryResult, Targets, dated};
use crate::github::{EtagMap, Polled};
use crate::model::fact::{Answer, LiveSource, ProvenanceFact, RunFact, VersionFact};
use crate::model::facts::Facts;
use crate::model::facts::joined::published_by;
use crate::model::id::Subject;
use crate::model::name::{PackageName, RepoName};
use crate::model::time::Ts;
use crate::registry::{Expected, Refused, RegistryError, provenance_fact, verify};
use std::sync::Arc;

/// What the provenance of a package's newest attested version must say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    pub version: Box<str>,
    /// `owner/name`, as the forge writes it.
    pub repo: Box<str>,
    pub repo_id: u64,
    pub owner_id: u64,
    /// Workflow file, below `.github/workflows/`.
    pub file: Box<str>,
    pub run: u64,
    pub sha: Box<str>,
}

impl Proof {
    /// Finds it in the facts: for packages that trusted publishing is for, and only while it was not looked at.
    pub fn of(facts: &Facts, package: Subject) -> Option<Self> {
        let row = facts.packages.get(&package)?;
        let mut lanes = row.paths.iter().filter_map(|path| facts.lane(*path));
        if !lanes.any(|lane| lane.needs_trust()) {
            return None;
        }
        let seen = facts.seen.get(&package)?;
        let (fact, _) = seen.published()?;
        let version = fact.versions.iter().find(|one| one.provenance)?;
        let looked = seen.provenance();
        if looked.is_some_and(|(fact, _)| fact.version == version.version) {
            return None;
        }
        row.repos
            .iter()
            .find_map(|repo| Self::from(facts, *repo, version))
    }

    fn from(facts: &Facts, repo: Subject, version: &VersionFact) -> Option<Self> {
        let seen = facts.seen.get(&repo)?;
        let (forge, _) = seen.forge()?;
        let run: &RunFact = published_by(version, seen.all_runs())?;
        Some(Self {
            version: version.version.clone(),
            repo: forge.name.clone(),
            repo_id: forge.id?,
            owner_id: forge.owner_id?,
            file: run.file.clone(),
            run: run.id,
            sha: run.sha.clone(),
        })
    }
}

/// Verifies what is wanted of one package.
///
/// # Errors
/// Something on the way may pass by itself: try again later.
pub async fn prove(
    github: Option<Arc<Github>>,
    npm: &Npm,
    package: Subject,
    aim: &Targets,
    now: Ts,
) -> Result<QueryResult, ()> {
    let Some(target) = aim.package(package) else {
        return Ok(QueryResult::default());
    };
    let (Some(proof), Some(github), Ok(name)) =
        (&target.proof, github, PackageName::parse(&target.name))
    else {
        return Ok(QueryResult::default());
    };
    match looked(&github, npm, &name, proof).await {
        Ok(fact) => {
            let answer = Answer::Provenance(fact);
            Ok(QueryResult::answers(vec![dated(package, answer, now)]))
        }
        Err(Some(lost)) => could_not(&lost, package, LiveSource::Provenance, now),
        Err(None) => Err(()),
    }
}

/// Gives the fact; an error without words says to try again.
async fn looked(
    github: &Github,
    npm: &Npm,
    name: &PackageName,
    proof: &Proof,
) -> Result<ProvenanceFact, Option<RegistryError>> {
    let registry = npm.reader();
    let all = registry.attestations(name, &proof.version).await?;
    let bundle = all.iter().find(|one| one.is_provenance());
    let bundle = bundle.ok_or(RegistryError::NoProvenance)?;
    let repo =
        RepoName::parse(&proof.repo).map_err(|_bad| RegistryError::Name(proof.repo.clone()))?;
    let run = match github.api.run(&repo, proof.run, &EtagMap::default()).await {
        Ok(Polled::New { value, .. }) => value,
        Ok(Polled::Same { .. }) => return Err(None),
        Err(error) if error.affects_one_resource() => {
            return Err(Some(RegistryError::Run(error.to_string().into())));
        }
        Err(_) => return Err(None),
    };
    let tarball = registry.archive(name, &proof.version).await?;
    let roots = match npm.roots() {
        Ok(roots) => roots,
        Err(refused) => return Ok(provenance_fact(&proof.version, &Err(refused))),
    };
    let with = |kind: &str| {
        let git_ref = format!("refs/{kind}/{}", run.branch);
        let expected = Expected {
            package: name.as_str(),
            version: &proof.version,
            tarball: &tarball,
            repository: &proof.repo,
            repository_id: proof.repo_id,
            owner_id: proof.owner_id,
            file: &proof.file,
            git_ref: &git_ref,
            commit: &proof.sha,
            run: proof.run,
            attempt: run.attempt.unwrap_or(1),
        };
        verify(bundle.bundle(), &expected, roots)
    };
    // The forge names branch and tag alike; what differs in the ref alone is held against the other.
    let mut outcome = with("heads");
    if matches!(&outcome, Err(Refused::Differs { what, .. }) if ["ref", "workflow"].contains(what))
    {
        outcome = with("tags").or(outcome);
    }
    Ok(provenance_fact(&proof.version, &outcome))
}
