//! Reusable workflows from the caller's side: what the callee publishes with what the caller hands over.
//!
//! A callee of another repository is not fetched: it counts as a publish only where its name and secrets say so.

use super::super::checkout::Checkout;
use super::super::tool::Flags;
use super::super::tree::join;
use super::super::{Registry, Tool};
use super::action::speaks_of_release;
use super::flow::{Flow, IdToken, Job, Passed};
use super::job::{Binding, Publish, Reach, walk};
use super::scope::{Level, Scope, is_npm_name, may_be_token, secret_of};
use crate::assets::owners_of_other_purpose;

/// How many workflows deep calls are followed, which is what GitHub allows:
/// <https://docs.github.com/en/actions/reference/workflows-and-actions/reusing-workflow-configurations>
const DEPTH_CAP: u32 = 10;
/// Most calls that are followed from one job: workflows that call others twice each grow beyond any use.
const CALL_CAP: u32 = 500;

/// What a calling job publishes.
#[derive(Default)]
pub(super) struct Called {
    /// The first publish of each job of the callees.
    pub publishes: Vec<Publish>,
    /// True where calls led further than they were followed.
    pub cut: bool,
}

/// Gives the path in this checkout of a called workflow, `None` where it lies in another repository.
pub(super) fn local_path(uses: &str, repo: &str) -> Option<String> {
    let uses = uses.trim();
    let plain = uses.rsplit_once('@').map_or(uses, |(p, _)| p);
    if let Some(local) = plain
        .strip_prefix("./")
        .or_else(|| plain.strip_prefix("$/"))
    {
        return join("", local);
    }
    let own = plain
        .get(..repo.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(repo))
        && repo.contains('/');
    own.then(|| {
        plain
            .get(repo.len()..)?
            .strip_prefix('/')
            .map(str::to_owned)
    })
    .flatten()
}

/// Follows what a calling job calls.
pub(super) fn publishes<'d>(
    checkout: &Checkout<'_>,
    flows: &[Flow<'d>],
    flow: &Flow<'d>,
    job: &Job<'d>,
    id_token: bool,
) -> Called {
    let mut scope = Scope::new(flow.file);
    scope.open_inputs.clone_from(&flow.inputs);
    let mut calls = Calls {
        checkout,
        flows,
        left: CALL_CAP,
        found: Called::default(),
    };
    calls.follow(flow, job, id_token, &scope, 0);
    calls.found
}

/// The calls of one job, as they are followed.
struct Calls<'c, 'd> {
    checkout: &'c Checkout<'c>,
    flows: &'c [Flow<'d>],
    left: u32,
    found: Called,
}

impl<'d> Calls<'_, 'd> {
    fn follow(
        &mut self,
        flow: &Flow<'d>,
        job: &Job<'d>,
        id_token: bool,
        outer: &Scope<'d>,
        depth: u32,
    ) {
        let uses = job.uses.and_then(|u| u.as_str()).unwrap_or("");
        let mut scope = outer.clone();
        scope.matrix.clone_from(&job.matrix);
        scope.push(&flow.env, Level::Workflow);
        let Some(path) = local_path(uses, self.checkout.repo) else {
            let elsewhere = external(self.checkout, uses, job, id_token, &scope);
            self.found.publishes.extend(elsewhere);
            return;
        };
        let flows = self.flows;
        let Some(callee) = flows.iter().find(|f| !f.action && f.file == path) else {
            return;
        };
        if depth >= DEPTH_CAP || self.left == 0 {
            self.found.cut = true;
            return;
        }
        self.left -= 1;
        let mut given = Scope::new(callee.file);
        given.inputs = scope.bind(&job.with);
        super::job::bind_defaults(&mut given, &callee.inputs);
        for inner in callee.jobs.iter().filter(|j| !j.never) {
            if given.rules_out(inner.condition) {
                continue;
            }
            // A called job has at most what the caller has.
            let stated = inner.permissions.or(callee.permissions);
            let may = id_token && stated.is_none_or(|s| s == IdToken::Write);
            if inner.uses.is_some() {
                let mut at = Scope::new(callee.file);
                at.inputs = scope.bind(&job.with);
                at.secrets = scope.bind_secrets(job);
                self.follow(callee, inner, may, &at, depth + 1);
                continue;
            }
            let binding = Binding {
                inputs: scope.bind(&job.with),
                secrets: scope.bind_secrets(job),
            };
            let report = walk(self.checkout, flows, callee, inner, may, Some(binding));
            self.found
                .publishes
                .extend(report.publishes.into_iter().next());
        }
    }
}

/// Tells whether a workflow of another repository may publish: it is handed the right to mint id tokens or every secret,
/// in a repository with a package that can be published.
pub(super) fn may_publish(
    checkout: &Checkout<'_>,
    job: &Job<'_>,
    uses: &str,
    id_token: bool,
) -> bool {
    let owner = uses.split('/').next().unwrap_or_default();
    local_path(uses, checkout.repo).is_none()
        && (id_token || matches!(job.secrets, Passed::Inherit))
        && !owners_of_other_purpose().contains(&owner.to_ascii_lowercase())
        && !rehearses(job)
        && !checkout.project.packages.publishable().is_empty()
}

/// Tells whether a job asks its callee for a dry run.
fn rehearses(job: &Job<'_>) -> bool {
    job.with.iter().any(|(name, node)| {
        let name = name.to_ascii_lowercase().replace(['-', '_'], "");
        name == "dryrun" && node.as_str().is_some_and(|v| v.trim() == "true")
    })
}

/// A workflow of another repository: npm tokens handed to it, or a name that says npm, make it a publish.
fn external(
    checkout: &Checkout<'_>,
    uses: &str,
    job: &Job<'_>,
    id_token: bool,
    scope: &Scope<'_>,
) -> Vec<Publish> {
    let name = uses
        .rsplit_once('@')
        .map_or(uses, |(n, _)| n)
        .to_ascii_lowercase();
    let file = name.rsplit('/').next().unwrap_or(&name);
    let mut reaches = Vec::new();
    let handed = match &job.secrets {
        Passed::Named(list) => list.as_slice(),
        Passed::Inherit => &[],
    };
    for v in handed {
        let sources = scope.sources(v.value);
        let secret = secret_of(&sources);
        if may_be_token(&sources) && (is_npm_name(v.name) || secret.is_some_and(is_npm_name)) {
            let place = super::super::Place {
                file: scope.file.to_owned(),
                line: v.line,
                column: v.column,
                span: (0, 0),
            };
            reaches.push(Reach {
                level: Level::Input,
                secret: secret.map(str::to_owned),
                place,
                name: v.name.to_owned(),
            });
        }
    }
    let speaks = speaks_of_release(file);
    let npm = file.contains("npm")
        || job.id.to_ascii_lowercase().contains("npm")
        || file.contains("changeset")
        || file.contains("semantic-release");
    let node = job.with.iter().any(|(n, _)| {
        let n = n.to_ascii_lowercase();
        n.contains("npm")
            || n.contains("node")
            || n.contains("packagemanager")
            || n.contains("package-manager")
    });
    let other = [
        "pypi",
        "docker",
        "crate",
        "rust",
        "python",
        "maven",
        "helm",
        "github-release",
        "vsix",
        "vscode",
        "docs",
    ];
    // A deployment takes an id token for its cloud or its pages.
    let only_deploys =
        file.contains("deploy") && !["publish", "release"].iter().any(|w| file.contains(w));
    let has_packages = !checkout.project.packages.publishable().is_empty();
    let publishes = !rehearses(job)
        && !other.iter().any(|o| file.contains(o))
        && ((speaks && (!reaches.is_empty() || npm))
            || (speaks && !only_deploys && id_token && has_packages && node));
    if !publishes {
        return Vec::new();
    }
    let tool = match file {
        f if f.contains("changeset") => Tool::Changesets,
        f if f.contains("semantic-release") => Tool::SemanticRelease,
        _ => Tool::Other,
    };
    vec![Publish {
        tool,
        inner: None,
        version: None,
        staged: false,
        flags: Flags {
            all_workspaces: true,
            ..Flags::default()
        },
        sure: false,
        dir: Some(String::new()),
        command: format!("uses: {uses}"),
        step: 0,
        step_line: job.line,
        line: job.line,
        column: job.column,
        fails_closed: !job.carries_on,
        reaches,
        registry: Registry::Npmjs,
        registry_url: None,
        mirror: false,
        reusable: None,
        calls: Some(uses.to_owned()),
        setup: None,
        npm_version: None,
        provenance: None,
        opaque: true,
        read_names: Vec::new(),
    }]
}

#[cfg(test)]
mod tests {
    use super::local_path;

    #[test]
    fn own_workflows_by_every_name() {
        assert_eq!(
            local_path("./.github/workflows/a.yml", "o/r").as_deref(),
            Some(".github/workflows/a.yml")
        );
        assert_eq!(
            local_path("O/r/.github/workflows/a.yml@main", "o/r").as_deref(),
            Some(".github/workflows/a.yml")
        );
        assert_eq!(
            local_path("o/rest/.github/workflows/a.yml@main", "o/r"),
            None
        );
        assert_eq!(
            local_path("other/r/.github/workflows/a.yml@v1", "o/r"),
            None
        );
    }
}
