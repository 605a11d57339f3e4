//! From a scan to facts: each repository, path and package becomes an answer that a session can keep.
//!
//! Names that do not fit their service's grammar are left out here: the scan reports them as findings. Anything that
//! looks like a credential is redacted before it can reach a file.

use super::obstacle::is_refused;
use super::{
    CiSystem, Credential, Finding, Package, PublishPath, Purpose, Registry, RepoScan, Reusable,
    Runner, TokenUse, Tool,
};
use crate::model::fact::{
    Answer, CiFact, CredentialFact, FindingFact, PackageFact, PathFact, PurposeFact, RegistryFact,
    RepoFact, RunnerFact, ToolFact, UseFact,
};
use crate::model::id::Subject;
use crate::model::name::{PackageName, RepoName, SecretName};
use crate::safe::redact::redact;

/// Findings that one event keeps, the most severe first: the scan itself prints all of them.
const FINDINGS: usize = 60;
/// Token uses that one event keeps. More than these are counted, and the gate about them stays open.
const USES: usize = 300;

/// Rules that say that a CI file was not understood: what it holds is then unknown, not absent.
const UNREAD: &[&str] = &[
    "alias-budget",
    "anchor-cycle",
    "duplicate-key",
    "follow-limit",
    "merge-key",
    "unreadable-file",
];

/// Tokens that the CI system mints for each job: nobody stores them, so nobody can delete them.
const MINTED: &[&str] = &["GITHUB_TOKEN", "CI_JOB_TOKEN"];

fn is_stored_secret(name: &str) -> bool {
    SecretName::parse(name).is_ok() && !MINTED.contains(&name)
}

fn clean(text: &str) -> Box<str> {
    redact(text).as_ref().into()
}

/// Gives a repository's answers, or nothing if its name is none.
pub fn answers(scan: &RepoScan, forge: &str, registry: &str) -> Vec<(Subject, Answer)> {
    if RepoName::parse(&scan.repo).is_err() {
        return Vec::new();
    }
    let repo = Subject::repo(forge, &scan.repo);
    let mut answers = Vec::new();
    let mut fact = RepoFact {
        name: clean(&scan.repo),
        commit: scan.commit.as_deref().map(clean),
        refs: scan.refs.as_str().into(),
        ..RepoFact::default()
    };
    for package in scan
        .packages
        .iter()
        .filter(|package| PackageName::parse(&package.name).is_ok())
    {
        let id = Subject::package(registry, &package.name);
        if !fact.packages.contains(&id) {
            fact.packages.push(id);
            answers.push((id, Answer::Package(package_fact(package, repo, &scan.repo))));
        }
    }
    for path in &scan.publish_paths {
        let id = Subject::path(
            repo,
            &path.file,
            path.job.as_deref().unwrap_or_default(),
            path.ordinal,
        );
        if !fact.paths.contains(&id) {
            fact.paths.push(id);
            answers.push((id, Answer::Path(path_fact(path, repo, registry))));
        }
    }
    fact.uses = scan.token_uses.iter().take(USES).map(use_fact).collect();
    fact.left_out = u32::try_from(scan.token_uses.len().saturating_sub(USES))
        .ok()
        .filter(|count| *count > 0);
    let mut findings: Vec<&Finding> = scan.findings.iter().collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    fact.findings = findings
        .into_iter()
        .take(FINDINGS)
        .map(finding_fact)
        .collect();
    fact.unread = scan
        .findings
        .iter()
        .filter(|finding| {
            UNREAD.contains(&finding.rule)
                || finding.rule == "ci-not-read" && super::unread::runs_ci(&finding.file)
        })
        .map(|finding| clean(&finding.file))
        .collect();
    fact.unread.dedup();
    // The repository comes last: by then everything that it links to is known.
    answers.push((repo, Answer::Repo(fact)));
    answers
}

fn package_fact(package: &Package, repo: Subject, name: &str) -> PackageFact {
    PackageFact {
        name: package.name.as_str().into(),
        repo: Some(repo),
        path: clean(&package.path),
        private: package.private,
        restricted: package.publish_access.as_deref() == Some("restricted"),
        repository_url: package.repository_url.as_deref().map(clean),
        repository_matches: package
            .repository_url
            .as_deref()
            .and_then(|url| names_repository(url, name)),
    }
}

/// Tells whether a `repository.url` names this repository, letter by letter; none where neither can be told.
fn names_repository(url: &str, name: &str) -> Option<bool> {
    if !name.contains('/') {
        return None;
    }
    let url = url
        .split(['#', '?'])
        .next()
        .unwrap_or_default()
        .trim_end_matches('/')
        .trim_end_matches(".git");
    let tail = url.rsplit_once(':').map_or(url, |(_, tail)| tail);
    Some(
        tail == name
            || tail
                .strip_suffix(name)
                .is_some_and(|before| before.ends_with('/')),
    )
}

fn path_fact(path: &PublishPath, repo: Subject, registry: &str) -> PathFact {
    PathFact {
        repo: Some(repo),
        file: clean(&path.file),
        job: path.job.as_deref().map(clean),
        ordinal: path.ordinal,
        line: path.line,
        ci: ci(path.ci),
        tool: tool(path.tool),
        tool_version: path.tool_version.as_deref().map(clean),
        registry: match path.registry {
            Registry::Npmjs => RegistryFact::Npmjs,
            Registry::GithubPackages => RegistryFact::GithubPackages,
            Registry::Other => RegistryFact::Other,
            Registry::Unknown => RegistryFact::Unknown,
        },
        credential: match path.credential {
            Credential::Oidc => CredentialFact::Oidc,
            Credential::Token => CredentialFact::Token,
            Credential::TokenAndOidc => CredentialFact::TokenAndOidc,
            Credential::NoneVisible => CredentialFact::NoneVisible,
        },
        secret: path
            .secret
            .as_deref()
            .filter(|name| is_stored_secret(name))
            .map(clean),
        id_token: path.id_token_write,
        environment: path.environment.as_deref().map(clean),
        runner: match path.runner {
            Runner::Hosted => RunnerFact::Hosted,
            Runner::SelfHosted => RunnerFact::SelfHosted,
            Runner::Unknown => RunnerFact::Unknown,
        },
        reusable: path.reusable.map(|side| match side {
            Reusable::Caller => "caller".into(),
            Reusable::Callee => "callee".into(),
        }),
        called_only: path.reusable == Some(Reusable::Callee)
            && path
                .triggers
                .iter()
                .all(|trigger| trigger.event == "workflow_call"),
        staged: path.staged,
        fails_open: !path.fails_closed,
        blocked_events: path
            .triggers
            .iter()
            .any(|trigger| is_refused(&trigger.event)),
        unpinned: path.actions.iter().any(|action| !action.pinned),
        blockers: path
            .blockers
            .iter()
            .map(|rule| rule.as_str().into())
            .collect(),
        packages: path
            .packages
            .iter()
            .filter(|name| PackageName::parse(name).is_ok())
            .map(|name| Subject::package(registry, name))
            .collect(),
    }
}

fn use_fact(token_use: &TokenUse) -> UseFact {
    UseFact {
        file: clean(&token_use.file),
        line: token_use.line,
        job: token_use.job.as_deref().map(clean),
        secret: token_use
            .secret
            .as_deref()
            .filter(|name| is_stored_secret(name))
            .map(clean),
        purpose: match token_use.purpose {
            Purpose::Publish => PurposeFact::Publish,
            Purpose::Stage => PurposeFact::Stage,
            Purpose::Install => PurposeFact::Install,
            Purpose::DistTag => PurposeFact::DistTag,
            Purpose::Deprecate => PurposeFact::Deprecate,
            Purpose::Unpublish => PurposeFact::Unpublish,
            Purpose::Access => PurposeFact::Access,
            Purpose::Whoami => PurposeFact::Whoami,
            Purpose::Unknown => PurposeFact::Unknown,
        },
    }
}

fn finding_fact(finding: &Finding) -> FindingFact {
    let severity = match finding.severity {
        super::Severity::Error => "error",
        super::Severity::Warning => "warning",
        super::Severity::Note => "note",
    };
    FindingFact {
        rule: finding.rule.into(),
        severity: severity.into(),
        file: clean(&finding.file),
        line: finding.line,
    }
}

fn ci(ci: CiSystem) -> CiFact {
    match ci {
        CiSystem::Github => CiFact::Github,
        CiSystem::Gitlab => CiFact::Gitlab,
        CiSystem::Circleci => CiFact::Circleci,
        CiSystem::Azure => CiFact::Azure,
        CiSystem::Jenkins => CiFact::Jenkins,
        CiSystem::Travis => CiFact::Travis,
        CiSystem::NotRead(_) => CiFact::Unread,
    }
}

fn tool(tool: Tool) -> ToolFact {
    match tool {
        Tool::Npm => ToolFact::Npm,
        Tool::Pnpm => ToolFact::Pnpm,
        Tool::YarnClassic => ToolFact::YarnClassic,
        Tool::YarnBerry => ToolFact::YarnBerry,
        Tool::Bun => ToolFact::Bun,
        Tool::Lerna => ToolFact::Lerna,
        Tool::Changesets => ToolFact::Changesets,
        Tool::SemanticRelease => ToolFact::SemanticRelease,
        Tool::Nx => ToolFact::Nx,
        Tool::ReleaseIt => ToolFact::ReleaseIt,
        Tool::Np => ToolFact::Np,
        Tool::JsDevtoolsNpmPublish => ToolFact::JsDevtoolsNpmPublish,
        Tool::Rush => ToolFact::Rush,
        Tool::CustomScript => ToolFact::CustomScript,
        Tool::Other => ToolFact::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_is_named_letter_by_letter() {
        let name = "acme/ui-kit";
        for url in [
            "https://forge.example/acme/ui-kit",
            "git+https://forge.example/acme/ui-kit.git",
            "git@forge.example:acme/ui-kit.git",
            "github:acme/ui-kit",
            "acme/ui-kit",
        ] {
            assert_eq!(names_repository(url, name), Some(true), "{url}");
        }
        for url in [
            "https://forge.example/Acme/ui-kit",
            "https://forge.example/acme/ui-kit2",
            "https://forge.example/xacme/ui-kit",
        ] {
            assert_eq!(names_repository(url, name), Some(false), "{url}");
        }
        assert_eq!(
            names_repository("https://forge.example/acme/ui-kit", "ui-kit"),
            None
        );
    }
}
