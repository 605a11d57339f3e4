//! A package's page: its recent versions, tags, trust configs, writers and provenance, as the registry told them.

use super::{said, section};
use crate::engine::snapshot::{PageLine, Section};
use crate::model::fact::{HowFact, LiveSource, VersionFact};
use crate::model::facts::Facts;
use crate::model::facts::seen::Seen;
use crate::model::id::Subject;
use crate::registry::Roots;
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
        let versions = fact
            .versions
            .iter()
            .map(|one| version(one, facts.how(package, one)));
        sections.push(section("Last versions", versions.collect()));
    }
    sections.push(trust(seen));
    sections.extend(seen.and_then(provenance));
    sections.extend(seen.and_then(stages));
    if let Some((access, _)) = seen.and_then(|seen| seen.access()) {
        let people = access.people.iter();
        let people = people.map(|(login, right)| said(login.as_ref(), right.as_ref()));
        sections.push(section("Who may write it", people.collect()));
    }
    sections
}

/// Whom the package trusts; reading it costs a second factor, so it is read only where somebody asks for it.
fn trust(seen: Option<&Seen>) -> Section {
    let Some((trust, as_of)) = seen.and_then(|seen| seen.trust()) else {
        let trouble = seen.and_then(|seen| seen.trouble(LiveSource::Trust));
        let line = match trouble {
            Some((fact, when)) => said("could not look", format!("{} ({when})", fact.why)),
            None => said(
                "not read",
                "npm wants a second factor for it: t says what it costs",
            ),
        };
        return section("Trust configs", vec![line]);
    };
    let configs = trust.configs.iter().map(|config| {
        let environment = config.environment.as_deref().unwrap_or("no environment");
        said(
            format!("{} {}", config.repository, config.file),
            format!("{environment}; {}", config.permissions.join(", ")),
        )
    });
    let mut lines: Vec<PageLine> = configs.collect();
    if lines.is_empty() {
        lines.push(said("none", "the registry lists no trust config"));
    }
    section(format!("Trust configs, as of {as_of}"), lines)
}

fn provenance(seen: &Seen) -> Option<Section> {
    let Some((fact, as_of)) = seen.provenance() else {
        let (fact, when) = seen.trouble(LiveSource::Provenance)?;
        let line = said("could not look", format!("{} ({when})", fact.why));
        return Some(section("Provenance", vec![line]));
    };
    let mut lines = vec![match &fact.why {
        None => said(
            fact.version.as_ref(),
            "verified: signature, log, claims and tarball agree",
        ),
        Some(why) => said(fact.version.as_ref(), format!("refused: {why}")),
    }];
    if fact.verified {
        lines.push(said("workflow", fact.workflow.as_ref()));
        lines.push(said("commit", fact.commit.as_ref()));
        lines.push(said("run", fact.run.as_ref()));
    }
    // The keys are those of the build: an old program may not know a key of today.
    if let Some(newest) = Roots::embedded().ok().and_then(Roots::newest) {
        let words = format!("Sigstore's as of {}, built in", newest.day());
        lines.push(said("checked against", words));
    }
    Some(section(format!("Provenance, as of {as_of}"), lines))
}

fn stages(seen: &Seen) -> Option<Section> {
    let (fact, as_of) = seen.stages()?;
    let mut lines: Vec<PageLine> = fact
        .stages
        .iter()
        .map(|stage| {
            let words = format!(
                "{}, tag {}, by {}, since {}",
                stage.id, stage.tag, stage.actor, stage.created
            );
            said(stage.version.as_ref(), words)
        })
        .collect();
    if lines.is_empty() {
        lines.push(said("none", "nothing waits for an approval"));
    }
    if !fact.complete {
        lines.push(said(
            "note",
            "not every account could be asked: there may be more",
        ));
    }
    Some(section(
        format!("Waiting for approval, as of {as_of}"),
        lines,
    ))
}

fn version(version: &VersionFact, (how, run): (HowFact, Option<u64>)) -> PageLine {
    let how = match how {
        HowFact::Oidc => "by OIDC",
        HowFact::Staged => "staged and approved",
        HowFact::Attested => "attested by provenance",
        HowFact::MatchedRun => "by a known CI run",
        HowFact::Unmatched => "not from a known CI run: a person's machine, or another system",
        HowFact::NotTold => "the registry does not tell",
    };
    let by = version.by.as_deref().map(|by| format!(", {by}"));
    let run = run.map(|run| format!(", run {run}"));
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
