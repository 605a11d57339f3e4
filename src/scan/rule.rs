//! The rules that findings name: id, severity, what is wrong, what to do, who says so.
//!
//! One table, read by every reader, by `cutover explain` and by SARIF. Ids stand in policies and waivers: they never change.

use std::sync::LazyLock;

use super::{Finding, Place, Severity};
use crate::assets::policy;
use crate::safe::shown::visible;

/// One rule of the scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Stable id, kebab-case.
    pub id: &'static str,
    pub severity: Severity,
    /// One sentence of what is wrong.
    pub title: &'static str,
    /// One sentence of what to do.
    pub fix: &'static str,
    /// Public page that says so.
    pub source: &'static str,
}

const TRUSTED: &str = "https://docs.npmjs.com/trusted-publishers";
const TOKENS: &str = "https://docs.npmjs.com/about-access-tokens";
const HARDEN: &str = "https://docs.github.com/en/actions/reference/security/secure-use";
const SECRETS: &str = "https://docs.github.com/en/actions/how-tos/write-workflows/choose-what-workflows-do/use-secrets";
const ENVIRONMENTS: &str = "https://docs.github.com/en/actions/how-tos/deploy/configure-and-manage-deployments/manage-environments";
const SYNTAX: &str =
    "https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax";
const PROVENANCE: &str = "https://docs.npmjs.com/generating-provenance-statements";
const SETUP_NODE: &str = "https://github.com/actions/setup-node/issues/1551";
const README: &str = "https://docs.npmjs.com/trusted-publishers#supported-cicd-providers";
const PUBLISH: &str = "https://docs.npmjs.com/cli/commands/npm-publish";
const E422: &str = "https://github.com/automagik-dev/genie/issues/1352";
const ENGINES: &str = "https://github.com/npm/cli/blob/latest/package.json";
const STAGED: &str = "https://docs.npmjs.com/staged-publishing";
const BYPASS: &str = "https://gh.io/npm-gat-bypass2fa-deprecation";
const EVENTS: &str =
    "https://docs.github.com/en/actions/how-tos/administer/control-workflow-execution";
const CHANGESETS: &str = "https://github.com/changesets/action/releases/tag/v2.0.0";
const YARN: &str = "https://github.com/yarnpkg/berry/pull/6898";

macro_rules! rules {
    ($($id:literal $severity:ident $title:literal $fix:literal $source:expr;)*) => {
        /// Every rule, sorted by id; the numbers in its words are those of the policy.
        pub static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| vec![$(Rule {
            id: $id, severity: Severity::$severity, title: filled($title), fix: filled($fix), source: $source,
        }),*]);
    };
}

/// Puts what the policy says in place of `{npm-oidc}` and the like. The result lives as long as the table: for good.
fn filled(words: &'static str) -> &'static str {
    if !words.contains('{') {
        return words;
    }
    let policy = policy();
    let least = &policy.minimum;
    let values = [
        ("{npm-oidc}", least.npm_oidc_publish.to_string()),
        ("{node-oidc}", least.node_oidc_publish.to_string()),
        ("{npm-stage}", least.npm_stage.to_string()),
        ("{npm-tag}", least.npm_oidc_dist_tag.to_string()),
        ("{npm12-tag}", least.npm12_oidc_dist_tag.to_string()),
        ("{tag-permission}", policy.trust.dist_tag_permission.clone()),
        ("{npm-latest}", policy.npm_latest.version.to_string()),
        ("{npm-latest-node}", policy.npm_latest.node.clone()),
        ("{npm-instead}", policy.npm_latest.instead.clone()),
        (
            "{setup-node}",
            least.setup_node_without_dummy_token.major().to_string(),
        ),
        (
            "{changesets}",
            policy.changesets_action.from.major().to_string(),
        ),
        ("{blocked-event}", policy.blocked_event.event.clone()),
        ("{refused}", policy.trust.refused_triggers.join(" and ")),
    ];
    let all = values.iter().fold(words.to_owned(), |text, (name, value)| {
        text.replace(name, value)
    });
    all.leak()
}

rules! {
    "alias-budget" Error
        "The file's YAML aliases expand to more than can be read."
        "Write the repeated parts out, or split the file." SYNTAX;
    "anchor-cycle" Error
        "A YAML alias stands inside the node that it names."
        "Remove the alias." SYNTAX;
    "bun-no-oidc" Error
        "bun cannot publish with OIDC."
        "Pack with `bun pm pack` and publish the tarball with npm {npm-oidc} or newer." TRUSTED;
    "bypass-token-write" Warning
        "npm refuses unpublishing, and changes of access, owners, teams, trust and tokens, by tokens that bypass 2FA: this step may fail already."
        "Do it by hand with 2FA; to take a version back from users, `npm deprecate` it." BYPASS;
    "changesets-no-npmrc" Warning
        "changesets/action {changesets} and newer make no .npmrc of NPM_TOKEN, and nothing that the files show reads it: the publish may have no credential."
        "Publish by OIDC (`id-token: write` and a trust configuration), or give setup-node `registry-url` and the token as NODE_AUTH_TOKEN." CHANGESETS;
    "changesets-old-inputs" Error
        "changesets/action {changesets} and newer refuse to run with the inputs of version 1."
        "Rename the inputs as the message says." CHANGESETS;
    "ci-elsewhere" Note
        "A CI file that names npm or a token stands where its system does not read it by itself."
        "Check that nothing includes it or is set to run it." SYNTAX;
    "ci-no-oidc" Error
        "npm does not accept OIDC tokens of this CI system."
        "Stage with a stage-only token that a person approves, or move this one job to a system that npm trusts." TRUSTED;
    "ci-not-read" Note
        "A CI, build or release file of a system that the scan does not read: what it publishes is not known."
        "Check by hand what it publishes and with which token, and record it." README;
    "committed-npmrc-token" Note
        "A committed configuration file reads a token from a variable, so a token can still be used here."
        "Remove the line once the publish needs no token." TOKENS;
    "committed-token" Error
        "A credential is written out in a committed file."
        "Revoke it now, then remove it from the file and its history." TOKENS;
    "credential-in-build" Warning
        "An npm token set for the whole workflow or job is in reach of every build and test step."
        "Set it in the `env` of the one step that needs it." SECRETS;
    "dist-tag-without-credential" Warning
        "`npm dist-tag` may have no credential here: OIDC covers it only from npm {npm-tag} or {npm12-tag}, and with the permission {tag-permission} of the trust configuration."
        "Publish with `--tag` instead, or use such an npm and add {tag-permission} to the trust configuration." TRUSTED;
    "duplicate-key" Error
        "A key stands twice in one mapping, and readers disagree about which counts."
        "Keep one of the two." SYNTAX;
    "environment-dump" Warning
        "A step prints its environment while an npm token is in it."
        "Remove the command, or print only the variables that are needed." SECRETS;
    "follow-limit" Warning
        "Templates, actions, scripts or commands go on deeper or longer than is followed: what lies behind is not known."
        "Shorten the chain or the text, or check by hand what is published there and with which token." README;
    "github-enterprise-server" Error
        "The workflow runs on GitHub Enterprise Server, whose OIDC tokens npm does not accept."
        "Publish from github.com, or stage with a stage-only token that a person approves." TRUSTED;
    "id-token-audience" Error
        "The id token that npm would read is not made for npm's audience, so the exchange fails."
        "Set the audience to `npm:` and the registry's host." TRUSTED;
    "id-token-without-use" Note
        "The job may mint OIDC tokens, but it publishes with a tool or registry that cannot use them."
        "Drop `id-token: write`, or publish with a tool that can." TRUSTED;
    "merge-key" Error
        "A `<<` merge key stands in a workflow: GitHub reads it as a plain key."
        "Write the merged keys out." SYNTAX;
    "mirror-registry" Warning
        "The publish goes through a mirror or proxy of the public registry, where OIDC does not work."
        "Publish straight to the public registry." TRUSTED;
    "node-too-old" Error
        "The Node version stated is older than {node-oidc}, the first that publishes with OIDC."
        "Use Node 24, or {node-oidc} or newer." TRUSTED;
    "npm-cannot-stage" Error
        "The npm version in use is older than {npm-stage}, the first that stages."
        "Install npm {npm-stage} or newer before the publish, pinned (`npm install -g {npm-instead}`)." STAGED;
    "npm-latest-refuses-node" Error
        "`npm@latest` is npm {npm-latest}, which does not install on the Node stated here: it needs {npm-latest-node} (EBADENGINE)."
        "Pin it: `npm install -g {npm-instead}`, or use Node 24." ENGINES;
    "npm-too-old" Error
        "The npm version in use is older than {npm-oidc}, the first that publishes with OIDC."
        "Install npm {npm-oidc} or newer before the publish, pinned (`npm install -g {npm-instead}`), or use Node 24." TRUSTED;
    "npmrc-literal-token" Error
        "A configuration file is written with a literal credential."
        "Revoke it, and take the value from a secret until the publish needs none." TOKENS;
    "oidc-missing-permission" Error
        "No token is in reach and `id-token: write` is missing: the publish has no credential."
        "Add `permissions: id-token: write` to the job, and to the job that calls it." TRUSTED;
    "oidc-refused-trigger" Error
        "npm refuses OIDC tokens of {refused} runs."
        "Start the publish by a push, release, tag or by hand." "https://github.blog/changelog/2026-10-02-unvalidated-npm-trusted-publishing-configurations-now-expire/";
    "package-repository-mismatch" Warning
        "`repository.url` does not name this repository exactly, so the provenance of a trusted publish is refused."
        "Set `repository.url` to this repository, upper and lower case as on GitHub." PROVENANCE;
    "package-repository-missing" Warning
        "The package has no `repository.url`, so the provenance of a trusted publish is refused."
        "Add `repository` with `url`, and `directory` in a monorepo." PROVENANCE;
    "prerelease-without-tag" Warning
        "A prerelease is published without a dist-tag: npm 11 refuses it, older ones move `latest`."
        "Give the publish its tag (`--tag next`)." PUBLISH;
    "provenance-no-provider" Error
        "Provenance is asked for on a CI system that npm makes none for: the publish fails."
        "Drop `--provenance`." PROVENANCE;
    "provenance-without-id-token" Error
        "Provenance is asked for, but `id-token: write` is missing: the publish fails."
        "Add `permissions: id-token: write` to the job." PROVENANCE;
    "publish-can-fail-silently" Warning
        "A failed publish may not fail the run."
        "Remove `continue-on-error`, `|| true` and the like from the publish." SYNTAX;
    "publish-no-environment" Warning
        "The publish runs without an environment, so whoever can push a branch may be able to publish."
        "Give the job an environment with a branch or tag rule and reviewers, and name it in the trust configuration." ENVIRONMENTS;
    "pull-request-target-blocked" Warning
        "GitHub blocks {blocked-event} runs in public repositories that have no policy of their own about it: this publish may not start by one."
        "Start the publish by a push, release, tag or by hand." EVENTS;
    "self-hosted-provenance" Error
        "Provenance is asked for on a runner that the CI system does not host: npm refuses such a publish (E422)."
        "Move this one job to a hosted runner, or turn provenance off (`NPM_CONFIG_PROVENANCE=false`)." E422;
    "self-hosted-runner" Warning
        "The publish runs on a self-hosted or third-party runner: npm documents hosted ones only. It takes the OIDC token of such a GitHub runner, but may refuse the provenance that a public package gets by itself (E422)."
        "Move this one job to a hosted runner, turn provenance off (`NPM_CONFIG_PROVENANCE=false`), or stage with a stage-only token." E422;
    "setup-node-dummy-token" Warning
        "setup-node before v{setup-node} with `registry-url` sets a placeholder token, which hides a failed OIDC exchange."
        "Use actions/setup-node v{setup-node} or newer, or drop `registry-url`." SETUP_NODE;
    "several-organisations" Note
        "One workflow publishes packages of several organisations."
        "Give each organisation its own workflow, environment and trust configuration." TRUSTED;
    "shell-trace" Warning
        "`set -x` prints commands with their variables filled in beside an npm token."
        "Remove `set -x` from the step." SECRETS;
    "staged-not-public" Warning
        "This step follows `npm stage publish` and may need the new version, which nobody can install before a person approves it."
        "Move it behind the approval: into a workflow that is started once the version is public." STAGED;
    "token-beside-oidc" Warning
        "The job may mint OIDC tokens and has an npm token in reach: npm falls back to it in silence."
        "Remove the token from the job once the trust configuration is proven." TRUSTED;
    "token-in-pull-request" Error
        "A workflow that runs code of pull requests with secrets has an npm token in reach."
        "Move the publish to a workflow that runs on push, release or tag." "https://securitylab.github.com/resources/github-actions-preventing-pwn-requests/";
    "token-in-unread-text" Warning
        "An npm token is in reach of text that decodes, fetches or computes what it runs: what becomes of it is not known."
        "Write the commands out, or set the token in the one step that publishes." SECRETS;
    "token-not-read" Note
        "A token is set for the publish, but nothing that the files show reads that name."
        "Remove it, or check which script reads it." TOKENS;
    "token-probe" Note
        "`npm whoami` and the like need a token and fail under OIDC."
        "Delete the probe, or skip it where the job publishes with OIDC." TRUSTED;
    "token-where-oidc-would-do" Warning
        "The publish uses a long-lived token although this job could use OIDC."
        "Register the workflow that is triggered (not one that it calls) as trusted publisher, add `id-token: write` and remove the token." TRUSTED;
    "tool-too-old" Error
        "The release tool's version stated cannot publish with OIDC."
        "Update it to a version that can." TRUSTED;
    "unpinned-action" Warning
        "An action in the publishing job is not pinned to a full commit id."
        "Pin it to the 40-digit commit id, with the version in a comment." HARDEN;
    "unpinned-tool" Warning
        "A release tool is fetched at publish time without an exact version."
        "Add it to devDependencies with a lock file, or state the exact version." HARDEN;
    "unreadable-file" Error
        "The file could not be read, so nothing is known about what it publishes."
        "Mend what the message says, and scan again." SYNTAX;
    "unseen-callee" Note
        "A publish may happen in a workflow, action or script that this checkout does not hold."
        "Scan the repository that holds it too; the calling workflow is the one to register." TRUSTED;
    "yarn-classic-no-oidc" Error
        "yarn 1 cannot publish with OIDC."
        "Pack with yarn and publish the tarball with npm {npm-oidc} or newer." YARN;
    "yarn-classic-unset-token" Error
        "setup-node {setup-node} with `registry-url` writes an .npmrc that reads NODE_AUTH_TOKEN, which is not set: Yarn 1 stops there, before the publish."
        "Drop `registry-url` from setup-node, or set NODE_AUTH_TOKEN to an empty text for the steps with Yarn." SETUP_NODE;
}

/// Finds a rule by its id.
pub fn rule(id: &str) -> Option<&'static Rule> {
    RULES.iter().find(|r| r.id == id)
}

/// Makes a finding of a rule at a place, in the rule's own words.
pub fn finding(id: &'static str, place: &Place, job: Option<&str>) -> Finding {
    detailed(id, place, job, "")
}

/// Makes a finding with a detail added to the rule's sentence; the detail is made visible here.
pub fn detailed(id: &'static str, place: &Place, job: Option<&str>, detail: &str) -> Finding {
    let known = rule(id);
    debug_assert!(known.is_some(), "rule {id} is not in the table");
    let title = known.map_or(id, |r| r.title);
    let message = if detail.is_empty() {
        title.to_owned()
    } else {
        format!("{} ({})", title.trim_end_matches('.'), visible(detail))
    };
    Finding {
        rule: id,
        severity: known.map_or(Severity::Warning, |r| r.severity),
        file: place.file.clone(),
        line: place.line.max(1),
        column: place.column.max(1),
        job: job.map(str::to_owned),
        message,
        fix: known.map_or("", |r| r.fix).to_owned(),
        source: known.map_or("", |r| r.source),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn the_table_is_sound() {
        let host = crate::assets::npm_host();
        for pair in RULES.windows(2) {
            assert!(
                pair[0].id < pair[1].id,
                "{} after {}",
                pair[1].id,
                pair[0].id
            );
        }
        for rule in RULES.iter() {
            assert!(
                rule.id.chars().all(|c| c.is_ascii_lowercase() || c == '-'),
                "{}",
                rule.id
            );
            assert!(
                rule.title.ends_with('.') && rule.fix.ends_with('.'),
                "{}",
                rule.id
            );
            let words = format!("{}{}", rule.title, rule.fix);
            assert!(!words.contains(['{', '}']), "{words}");
            assert!(
                rule.source.starts_with("https://") && !rule.source.contains(host),
                "{}",
                rule.id
            );
        }
    }

    /// What rests on a guess says so: the files do not show whether it is met.
    #[test]
    fn a_guess_is_no_statement() {
        let guesses = [
            "bypass-token-write",
            "changesets-no-npmrc",
            "dist-tag-without-credential",
            "publish-can-fail-silently",
            "publish-no-environment",
            "pull-request-target-blocked",
            "self-hosted-runner",
            "staged-not-public",
            "unseen-callee",
        ];
        for id in guesses {
            let title = rule(id).unwrap().title;
            assert!(title.contains(" may "), "{id}: {title}");
        }
    }

    #[test]
    fn details_are_made_visible() {
        let place = Place {
            file: "a.yml".into(),
            line: 3,
            column: 1,
            span: (0, 0),
        };
        let got = detailed("unpinned-action", &place, None, "x\u{202e}y\u{1b}[0m");
        assert!(!got.message.contains('\u{202e}') && !got.message.contains('\u{1b}'));
        assert_eq!((got.line, got.severity), (3, Severity::Warning));
    }
}
