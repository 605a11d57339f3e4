//! What a job does too early after it staged: nothing of the new version is public before a person approves it
//! (<https://docs.npmjs.com/staged-publishing>).

use super::super::package::Packages;
use super::super::rule::detailed;
use super::super::{Finding, Registry};
use super::action;
use super::flow::{Job, Step};
use super::job::Report;

/// Actions that announce a release on GitHub.
const ANNOUNCE: [&str; 3] = [
    "actions/create-release",
    "ncipollo/release-action",
    "softprops/action-gh-release",
];

/// Adds each later step that moves a tag, deprecates, installs or announces what was only staged.
pub(super) fn too_early(
    job: &Job<'_>,
    packages: &Packages,
    file: &str,
    report: &Report,
    out: &mut Vec<Finding>,
) {
    let mut staged = report
        .publishes
        .iter()
        .filter(|publish| publish.registry != Registry::GithubPackages);
    let first = match staged.clone().all(|publish| publish.staged) {
        true => staged.next().map(|publish| publish.step),
        // What is published beside it is public at once.
        false => None,
    };
    let Some(first) = first else {
        return;
    };
    for step in job
        .steps
        .iter()
        .filter(|step| step.index > first && !step.never)
    {
        if let (Some(what), Some(node)) = (needs_public(step, packages), step.run.or(step.uses)) {
            out.push(detailed(
                "staged-not-public",
                &node.place(file),
                Some(job.id),
                &what,
            ));
        }
    }
}

/// Gives what a step does that may need the new version to be public.
fn needs_public(step: &Step<'_>, packages: &Packages) -> Option<String> {
    if let Some(uses) = step.uses {
        let (name, _) = action::split(uses.as_str()?);
        let draft = step
            .with
            .iter()
            .any(|(name, value)| *name == "draft" && value.as_str() != Some("false"));
        return (ANNOUNCE.contains(&&*name) && !draft).then_some(name);
    }
    step.run?
        .as_str()?
        .lines()
        .find_map(|line| command(line, packages))
}

fn command(line: &str, packages: &Packages) -> Option<String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let has = |wanted: &[&str]| wanted.iter().all(|one| words.contains(one));
    let package = |word: &&&str| {
        packages.manifests().iter().any(|one| {
            let name = one.package.name.as_str();
            word.trim_matches(['"', '\''])
                .strip_prefix(name)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('@'))
        })
    };
    let ours = words.iter().find(package).is_some();
    let manager = words.iter().any(|word| {
        matches!(
            *word,
            "npm" | "pnpm" | "yarn" | "bun" | "npx" | "pnpx" | "bunx"
        )
    });
    let fetches = words.iter().any(|word| {
        matches!(
            *word,
            "install" | "i" | "add" | "view" | "info" | "npx" | "pnpx" | "bunx" | "dlx"
        )
    });
    match () {
        () if manager && has(&["dist-tag", "add"]) => Some("dist-tag add".to_owned()),
        () if manager && has(&["deprecate"]) && ours => Some("deprecate".to_owned()),
        () if manager && fetches && ours => {
            Some(words.iter().take(4).copied().collect::<Vec<_>>().join(" "))
        }
        () if has(&["gh", "release", "create"])
            && !words.iter().any(|word| matches!(*word, "--draft" | "-d")) =>
        {
            Some("gh release create".to_owned())
        }
        () => None,
    }
}
