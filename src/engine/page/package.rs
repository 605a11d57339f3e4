//! A package's page: its recent versions, tags, trust configs, writers and provenance, as the registry told them.

use super::{said, section};
use crate::engine::snapshot::{PageLine, Section};
use crate::model::fact::{HowFact, LiveSource, VersionFact};
use crate::model::facts::Facts;
use crate::model::id::Subject;
use crate::session::name::label;

pub(super) fn package(facts: &Facts, package: Subject) -> Vec<Section> {
    let seen = facts.seen.get(&package);
    let repos = facts.packages.get(&package).into_iter();
    let names: Vec<String> = repos
        .flat_map(|row| row.repos.iter())
        .map(|repo| label(facts, *repo))
        .collect();
    let mut scope = vec![if names.is_empty() {
        said("repository", "none of this session publishes it")
    } else {
        said("repository", names.join(", "))
    }];
    let published = seen.and_then(|seen| seen.published());
    match published {
        Some((fact, as_of)) => {
            scope.push(said("looked at", as_of.to_string()));
            scope.push(said("versions", fact.total.to_string()));
            scope.push(said("maintainers", fact.maintainers.join(", ")));
            if fact.stripped {
                scope.push(said(
                    "note",
                    "the registry in between strips publishers and signatures: how versions came out cannot be told",
                ));
            }
        }
        None => {
            let why = seen.and_then(|seen| seen.trouble(LiveSource::Published));
            scope.push(match why {
                Some((fact, when)) => said("could not look", format!("{} ({when})", fact.why)),
                None => said("looked at", "not yet"),
            });
        }
    }
    let mut sections = vec![section("Scope", scope)];
    if let Some((fact, _)) = published {
        let tags = fact.tags.iter();
        let tags = tags.map(|(tag, version)| said(tag.as_ref(), version.as_ref()));
        sections.push(section("Tags", tags.collect()));
        let versions = fact.versions.iter().map(version);
        sections.push(section("Last versions", versions.collect()));
    }
    if let Some((trust, as_of)) = seen.and_then(|seen| seen.trust()) {
        let configs = trust.configs.iter().map(|config| {
            let environment = config.environment.as_deref().unwrap_or("no environment");
            said(
                format!("{} {}", config.repository, config.file),
                format!("{environment}; {}", config.permissions.join(", ")),
            )
        });
        sections.push(section(
            format!("Trust configs, as of {as_of}"),
            configs.collect(),
        ));
    }
    if let Some((access, _)) = seen.and_then(|seen| seen.access()) {
        let people = access.people.iter();
        let people = people.map(|(login, right)| said(login.as_ref(), right.as_ref()));
        sections.push(section("Who may write it", people.collect()));
    }
    sections
}

fn version(version: &VersionFact) -> PageLine {
    let how = match version.how {
        HowFact::Oidc => "by OIDC",
        HowFact::Staged => "staged and approved",
        HowFact::Attested => "attested by provenance",
        HowFact::MatchedRun => "by a known run",
        HowFact::Unmatched => "fits no known run: a person's machine, or a system nobody named",
        HowFact::NotTold => "the registry does not tell",
    };
    let by = version.by.as_deref().map(|by| format!(", {by}"));
    let run = version.run.map(|run| format!(", run {run}"));
    let gone = if version.deprecated {
        ", deprecated"
    } else {
        ""
    };
    said(
        version.version.as_ref(),
        format!(
            "{}: {how}{}{}{gone}",
            version.at,
            by.unwrap_or_default(),
            run.unwrap_or_default()
        ),
    )
}
