//! The rules of the policy gate: ids that stand in policies and reports, with what to do.
//!
//! Owns words only. Ids never change their meaning.

use crate::scan::Severity;
pub use crate::scan::rule::Rule;

/// A CI file uses an npm token for what the policy forbids.
pub const TOKEN: Rule = Rule {
    id: "policy-token-forbidden",
    severity: Severity::Error,
    title: "a CI file uses an npm token where the policy forbids it",
    fix: "publish by OIDC (trusted publishing), or stage and let a person approve; an exception needs [[allow]] on the target branch",
    source: "https://docs.npmjs.com/trusted-publishers",
};

/// A CI file names a secret of the denylist.
pub const SECRET: Rule = Rule {
    id: "policy-secret-denied",
    severity: Severity::Error,
    title: "a CI file names a secret that is on the policy's denylist",
    fix: "take the secret out of the file; the entry in the policy can only be removed by a change of its own",
    source: "https://docs.github.com/en/actions/security-for-github-actions/security-guides/using-secrets-in-github-actions",
};

/// A CI file reads secrets in a way that hides which.
pub const HIDDEN: Rule = Rule {
    id: "policy-secret-hidden",
    severity: Severity::Error,
    title: "a CI file reads secrets so that nobody can tell which",
    fix: "name each secret: write secrets.NAME instead of an index or the whole context",
    source: "https://docs.github.com/en/actions/security-for-github-actions/security-guides/using-secrets-in-github-actions",
};

/// A credential goes where nobody can tell from these files what it does.
pub const NOT_JUDGED: Rule = Rule {
    id: "policy-not-judged",
    severity: Severity::Error,
    title: "a credential goes where these files do not show what becomes of it",
    fix: "hand it to commands that stand in this repository, or let the policy name the callee ([unseen] in .github/cutover.toml)",
    source: "https://docs.github.com/en/actions/security-for-github-actions/security-guides/security-hardening-for-github-actions",
};

/// A job that publishes names no environment, or another one.
pub const ENVIRONMENT: Rule = Rule {
    id: "policy-environment-missing",
    severity: Severity::Error,
    title: "a job that publishes lacks its deployment environment",
    fix: "add `environment:` to the job, with the name that the trusted publisher is bound to",
    source: "https://docs.github.com/en/actions/managing-workflow-runs-and-deployments/managing-deployments/managing-environments-for-deployment",
};

/// Keys stand twice, or are merged where the CI system does not merge.
pub const DUPLICATE: Rule = Rule {
    id: "policy-duplicate-keys",
    severity: Severity::Error,
    title: "duplicate or merge keys under a job's permissions, env, steps or triggers",
    fix: "write every key once; readers differ in which of two they take",
    source: "https://yaml.org/spec/1.2.2/#mapping",
};

/// A CI file cannot be read.
pub const UNREADABLE: Rule = Rule {
    id: "policy-unreadable",
    severity: Severity::Error,
    title: "a CI file that cannot be read, so that nothing can be said of it",
    fix: "make it a regular UTF-8 YAML file below the size limit",
    source: "https://yaml.org/spec/1.2.2/",
};

/// The change would leave a policy behind that cannot be read.
pub const POLICY: Rule = Rule {
    id: "policy-invalid",
    severity: Severity::Error,
    title: "the change leaves a policy behind that cannot be used",
    fix: "correct .github/cutover.toml in this change; until it is merged the target branch's policy counts",
    source: "https://toml.io/en/v1.0.0",
};

/// Every rule of the gate.
pub const ALL: &[Rule] = &[
    TOKEN,
    SECRET,
    HIDDEN,
    NOT_JUDGED,
    ENVIRONMENT,
    DUPLICATE,
    UNREADABLE,
    POLICY,
];

/// Finds a rule by its id.
#[must_use]
pub fn named(id: &str) -> Option<&'static Rule> {
    ALL.iter().find(|rule| rule.id == id)
}
