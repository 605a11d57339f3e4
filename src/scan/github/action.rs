//! Actions by name: which publish, which set up npm, and which run a command that they are given.
//!
//! Owns the table of known actions. An action of another repository is judged by its name and inputs, never fetched.

use super::super::Tool;

/// What an action does as far as publishing goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Role {
    Publish(Tool),
    /// changesets/action: publishes with the command of its `publish` input.
    Changesets,
    SemanticRelease,
    ReleaseIt,
    SetupNode,
    /// oven-sh/setup-bun: its `registry-url` is for bun only.
    SetupBun,
    /// Publishes with the credential it is given, and rehearses without one.
    PublishIfTrusted(Tool),
    /// Runs the command in the named input, after the given prefix.
    Runs(&'static str, &'static str),
    /// actions/github-script: the input is JavaScript.
    Script(&'static str),
    /// Known to have nothing to do with publishing to npm.
    Harmless,
    Unknown,
}

/// Known actions: owner/name in lower case, role.
const KNOWN: &[(&str, Role)] = &[
    (
        "js-devtools/npm-publish",
        Role::Publish(Tool::JsDevtoolsNpmPublish),
    ),
    ("changesets/action", Role::Changesets),
    ("dotansimha/changesets-action", Role::Changesets),
    ("the-guild-org/changesets-action", Role::Changesets),
    ("changesets/action/publish", Role::Publish(Tool::Changesets)),
    ("changesets/action/version", Role::Harmless),
    ("changesets/action/select-mode", Role::Harmless),
    ("changesets/action/pack", Role::Harmless),
    (
        "the-guild-org/changesets-snapshot-action",
        Role::Publish(Tool::Changesets),
    ),
    (
        "seek-oss/changesets-snapshot",
        Role::Publish(Tool::Changesets),
    ),
    ("joshuakgoldberg/release-it-action", Role::ReleaseIt),
    ("release-it/release-it-action", Role::ReleaseIt),
    ("mikeal/merge-release", Role::Publish(Tool::Other)),
    ("primer/publish", Role::Publish(Tool::Other)),
    ("shopify/snapit", Role::Publish(Tool::Other)),
    ("menduz/oddish-action", Role::Publish(Tool::Other)),
    ("decentraland/oddish-action", Role::Publish(Tool::Other)),
    (
        "thefrontside/actions/synchronize-with-npm",
        Role::Publish(Tool::Other),
    ),
    (
        "metamask/action-npm-publish",
        Role::PublishIfTrusted(Tool::Other),
    ),
    ("bcomnes/npm-bump", Role::Publish(Tool::Other)),
    ("bevry-actions/npm", Role::Publish(Tool::Other)),
    (
        "nearform-actions/optic-release-automation-action",
        Role::Publish(Tool::Other),
    ),
    (
        "nearform/optic-release-automation-action",
        Role::Publish(Tool::Other),
    ),
    (
        "jupyter-server/jupyter_releaser/.github/actions/finalize-release",
        Role::Publish(Tool::Other),
    ),
    ("open-sauced/release", Role::SemanticRelease),
    (
        "open-sauced/semantic-release-conventional-config",
        Role::SemanticRelease,
    ),
    ("ridedott/release-me-action", Role::SemanticRelease),
    ("electron/semantic-trusted-release", Role::SemanticRelease),
    ("actions/setup-node", Role::SetupNode),
    ("oven-sh/setup-bun", Role::SetupBun),
    ("actions/github-script", Role::Script("script")),
    ("nick-fields/retry", Role::Runs("command", "")),
    ("nick-invision/retry", Role::Runs("command", "")),
    ("borales/actions-yarn", Role::Runs("cmd", "yarn ")),
    ("actions/npm", Role::Runs("args", "npm ")),
    ("actions-hub/npm", Role::Runs("args", "npm ")),
    (
        "goreleaser/goreleaser-action",
        Role::Runs("args", "goreleaser "),
    ),
    ("cross-platform-actions/action", Role::Runs("run", "")),
    ("uraimo/run-on-arch-action", Role::Runs("run", "")),
    ("addnab/docker-run-action", Role::Runs("run", "")),
    ("devcontainers/ci", Role::Runs("runCmd", "")),
    ("coactions/setup-xvfb", Role::Runs("run", "")),
    ("gabrielbb/xvfb-action", Role::Runs("run", "")),
    ("pypa/gh-action-pypi-publish", Role::Harmless),
    ("googleapis/release-please-action", Role::Harmless),
    (
        "google-github-actions/release-please-action",
        Role::Harmless,
    ),
    ("softprops/action-gh-release", Role::Harmless),
    ("ncipollo/release-action", Role::Harmless),
    ("release-drafter/release-drafter", Role::Harmless),
    ("bahmutov/npm-install", Role::Harmless),
    ("tyankatsu0105/read-package-version-actions", Role::Harmless),
];

/// Words in an action's name by which it installs, sets up or reports rather than publishes.
const SETS_UP: &[&str] = &[
    "setup",
    "install",
    "cache",
    "checkout",
    "artifact",
    "lint",
    "test",
    "codecov",
    "coverage",
    "audit",
    "slack",
    "login",
    "deploy-pages",
    "docker",
];

/// Words in an action's name by which it releases or deploys to some other place.
const ELSEWHERE: &[&str] = &[
    "gh-pages",
    "github-pages",
    "google-github-actions",
    "aws-actions",
    "azure/",
    "firebase",
    "vercel",
    "netlify",
    "heroku",
    "cloudflare",
    "wrangler",
    "serverless",
    "lambda",
    "kubernetes",
    "k8s",
    "ftp",
    "ssh",
    "rsync",
    "sentry",
    "vscode",
    "vsce",
    "chrome",
    "webext",
    "addon",
    "storybook",
    "pypi",
    "crates",
    "maven",
    "gradle",
    "nuget",
    "helm",
    "homebrew",
    "winget",
];

/// Splits `owner/name/path@ref`.
pub(super) fn split(uses: &str) -> (String, Option<&str>) {
    let uses = uses.trim();
    let (name, at) = match uses.rsplit_once('@') {
        Some((name, at)) => (name, Some(at)),
        None => (uses, None),
    };
    (name.to_ascii_lowercase(), at)
}

/// Tells whether an action is pinned: by a full commit id, a digest, or by standing in the checkout itself.
pub(super) fn is_pinned(uses: &str) -> bool {
    if uses.starts_with("./") || uses.starts_with("$/") || uses.contains("@sha256:") {
        return true;
    }
    let (_, at) = split(uses);
    at.is_some_and(|r| r.len() >= 40 && r.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// Gives an action's role by its name.
pub(super) fn role(uses: &str) -> Role {
    let (name, _) = split(uses);
    if let Some((_, role)) = KNOWN.iter().find(|(known, _)| *known == name) {
        return role.clone();
    }
    let other_language = [
        "python",
        "go-semantic",
        "pypi",
        "rust",
        "gradle",
        "docker",
        "maven",
        "nuget",
        "helm",
        "terraform",
    ];
    if name.contains("semantic-release") && !other_language.iter().any(|l| name.contains(l)) {
        return Role::SemanticRelease;
    }
    let checks = [
        "check",
        "verify",
        "unpublish",
        "unity",
        "vsix",
        "vscode",
        "preview",
        "dry",
        "version",
        "setup",
    ];
    if name.contains("npm") && name.contains("publish") && !checks.iter().any(|c| name.contains(c))
    {
        return Role::Publish(Tool::Other);
    }
    if name.contains("changesets") && name.contains("action") {
        return Role::Changesets;
    }
    Role::Unknown
}

/// Tells whether a name that is not known speaks of releasing, so that an npm token beside it means a publish.
pub(super) fn speaks_of_release(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    // `test-and-release` does both.
    lower.split("-and-").any(|part| {
        ["release", "publish", "deploy", "semantic", "ship"]
            .iter()
            .any(|w| part.contains(w))
            && !SETS_UP.iter().any(|w| part.contains(w))
    }) && (lower.contains("npm") || !ELSEWHERE.iter().any(|w| lower.contains(w)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn names_that_speak_of_releasing() {
        for name in ["acme/flows/publish.yml", "js-test-and-release.yml"] {
            assert!(speaks_of_release(name), "{name}");
        }
        for name in ["setup-release", "test-and-lint.yml", "test-release.yml"] {
            assert!(!speaks_of_release(name), "{name}");
        }
    }

    #[test]
    fn roles_by_name() {
        let table = [
            (
                "JS-DevTools/npm-publish@v4",
                Role::Publish(Tool::JsDevtoolsNpmPublish),
            ),
            ("changesets/action@v1", Role::Changesets),
            (
                "changesets/action/publish@v2",
                Role::Publish(Tool::Changesets),
            ),
            ("cycjimmy/semantic-release-action@v4", Role::SemanticRelease),
            ("codfish/semantic-release-action@v3", Role::SemanticRelease),
            (
                "python-semantic-release/python-semantic-release@v9",
                Role::Unknown,
            ),
            ("go-semantic-release/action@v1", Role::Unknown),
            (
                "pascalgn/npm-publish-action@1.3.9",
                Role::Publish(Tool::Other),
            ),
            ("actions/checkout@v4", Role::Unknown),
            ("actions/setup-node@v4", Role::SetupNode),
        ];
        for (uses, want) in table {
            assert_eq!(role(uses), want, "{uses}");
        }
    }

    #[test]
    fn pins() {
        assert!(is_pinned("a/b@3d3c42e5aac5ba805825da76410c181273ba90b1"));
        assert!(!is_pinned("a/b@v4") && !is_pinned("a/b@main") && !is_pinned("a/b"));
        assert!(is_pinned("./.github/actions/x"));
    }
}
