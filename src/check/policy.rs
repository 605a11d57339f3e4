//! The repository's policy, `.github/cutover.toml`: what a pull request may not bring in.
//!
//! Owns its form, defaults and exceptions. Pure; must not know where the text came from. Unknown keys are refused, so
//! that a mistyped rule is an error and not a rule that never holds.

use chrono::NaiveDate;
use serde::Deserialize;
use serde::de::{self, Deserializer};

use super::rule::{self, Rule};
use crate::safe::redact::redact;
use crate::safe::shown::visible;
use crate::scan::Purpose;
use crate::scan::tool::{self, ReleaseTool};

/// Where the policy stands in a repository.
pub const PATH: &str = tool::OWN;

/// Most bytes of a policy.
pub const MAX_BYTES: u64 = 256 * 1024;

/// The documented sample: the defaults, with words.
pub const SAMPLE: &str = include_str!("../../assets/cutover.toml");

/// Why a policy cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum PolicyError {
    #[error("{PATH} is not UTF-8 text; save it again as UTF-8")]
    NotText,
    #[error("{PATH}, line {line}: {message}; correct it on the target branch")]
    Form { line: u32, message: String },
    #[error("{PATH} is of version {0}, which this program does not know; update cutover")]
    Version(u32),
    #[error("{PATH}: {0}")]
    Allow(String),
}

/// Whether something may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stance {
    Forbid,
    Allow,
}

/// What `.github/cutover.toml` says; every part has a default.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Policy {
    pub version: u32,
    pub token: Token,
    pub secret: Secret,
    pub environment: Environment,
    pub unseen: Unseen,
    pub yaml: Yaml,
    pub allow: Vec<Allow>,
    /// Release tools that the scan knows beside those of its own table; each is read there.
    pub release_tool: Vec<ReleaseTool>,
}

/// Where workflows may use an npm token.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Token {
    /// Publishing directly, also where a token is left beside OIDC.
    pub publish: Stance,
    /// Staging, which a person approves.
    pub stage: Stance,
    /// Other uses that are forbidden: `install`, `dist-tag`, `deprecate`, `unpublish`, `access`, `whoami`, `unknown`.
    #[serde(deserialize_with = "purposes")]
    pub forbid_uses: Vec<Purpose>,
}

/// Secrets that no CI file may name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Secret {
    /// Names, whatever their case; `*` stands for any characters.
    pub deny: Vec<String>,
    /// Expressions that hide which secret is read: computed names, the whole context.
    pub hidden: Stance,
}

/// What nobody can judge from the files of this repository.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Unseen {
    /// A publish whose credential the files do not show.
    pub credential: Stance,
    /// Workflows, actions and images elsewhere that get all secrets or an npm token.
    pub callees: Stance,
    /// Of these, the ones that may, without their ref; `*` stands for any characters.
    pub allow_callees: Vec<String>,
    /// Text and scripts that hide what they do, beside a credential; and where the scan gave up following them.
    pub text: Stance,
    /// CI files of systems that are not read, where they name a token.
    pub systems: Stance,
}

/// Deployment environments of jobs that publish.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Environment {
    pub require: bool,
    /// Where not empty, only these count.
    pub names: Vec<String>,
}

/// CI files that different readers may read differently.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Yaml {
    /// Keys that stand twice, and merge keys where the CI system has none.
    pub duplicate_keys: Stance,
    /// CI files that cannot be read at all.
    pub unreadable: Stance,
}

/// One exception. All four are required; after `until` it no longer counts.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Allow {
    pub rule: String,
    /// The file; `*` stands for any characters.
    pub path: String,
    /// Last day on which it counts, UTC.
    #[serde(deserialize_with = "day")]
    pub until: NaiveDate,
    pub why: String,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            version: 1,
            token: Token::default(),
            secret: Secret::default(),
            environment: Environment::default(),
            unseen: Unseen::default(),
            yaml: Yaml::default(),
            allow: Vec::new(),
            release_tool: Vec::new(),
        }
    }
}

impl Default for Token {
    fn default() -> Self {
        Self {
            publish: Stance::Forbid,
            stage: Stance::Allow,
            forbid_uses: vec![Purpose::Unknown],
        }
    }
}

impl Default for Secret {
    fn default() -> Self {
        Self {
            deny: Vec::new(),
            hidden: Stance::Forbid,
        }
    }
}

impl Default for Unseen {
    fn default() -> Self {
        Self {
            credential: Stance::Forbid,
            callees: Stance::Forbid,
            allow_callees: Vec::new(),
            text: Stance::Forbid,
            systems: Stance::Forbid,
        }
    }
}

impl Default for Environment {
    fn default() -> Self {
        Self {
            require: true,
            names: Vec::new(),
        }
    }
}

impl Default for Yaml {
    fn default() -> Self {
        Self {
            duplicate_keys: Stance::Forbid,
            unreadable: Stance::Forbid,
        }
    }
}

impl Policy {
    /// Reads a policy.
    ///
    /// # Errors
    /// Not valid TOML, a key or value that is not known, an exception without its reason or for an unknown rule.
    pub fn parse(bytes: &[u8]) -> Result<Self, PolicyError> {
        let text = std::str::from_utf8(bytes).map_err(|_not_utf8| PolicyError::NotText)?;
        let policy: Self = toml::from_str(text).map_err(|e| {
            let start = e.span().map_or(0, |span| span.start);
            let before = text.get(..start).unwrap_or_default();
            let line = 1 + memchr::memchr_iter(b'\n', before.as_bytes()).count();
            PolicyError::Form {
                line: u32::try_from(line).unwrap_or(u32::MAX),
                message: visible(&redact(e.message())).into_owned(),
            }
        })?;
        if policy.version != 1 {
            return Err(PolicyError::Version(policy.version));
        }
        for allow in &policy.allow {
            allow.examine()?;
        }
        Ok(policy)
    }

    /// The exception that covers a rule at a file on a day, if one does.
    #[must_use]
    pub fn allowed(&self, rule: &Rule, file: &str, today: NaiveDate) -> Option<&Allow> {
        self.allow
            .iter()
            .find(|a| a.rule == rule.id && today <= a.until && like(&a.path, file))
    }

    /// The exceptions that no longer count.
    pub fn expired(&self, today: NaiveDate) -> impl Iterator<Item = &Allow> {
        self.allow.iter().filter(move |a| a.until < today)
    }

    /// Whether a callee elsewhere may get secrets: `acme/ci/.github/workflows/release.yml@main`, with or without its ref.
    #[must_use]
    pub fn allows_callee(&self, callee: &str) -> bool {
        let name = callee.split_once('@').map_or(callee, |(name, _)| name);
        let mut patterns = self.unseen.allow_callees.iter();
        self.unseen.callees == Stance::Allow
            || patterns.any(|pattern| like(pattern, name) || like(pattern, callee))
    }

    /// Whether a secret's name is on the denylist.
    #[must_use]
    pub fn denies(&self, secret: &str) -> bool {
        let secret = secret.to_ascii_uppercase();
        self.secret
            .deny
            .iter()
            .any(|pattern| like(&pattern.to_ascii_uppercase(), &secret))
    }
}

impl Allow {
    fn examine(&self) -> Result<(), PolicyError> {
        if rule::named(&self.rule).is_none() {
            let known: Vec<&str> = rule::ALL.iter().map(|r| r.id).collect();
            return Err(PolicyError::Allow(format!(
                "[[allow]] names the rule `{}`; the rules are {}",
                visible(&self.rule),
                known.join(", ")
            )));
        }
        if self.why.trim().is_empty() || self.path.trim().is_empty() {
            return Err(PolicyError::Allow(format!(
                "[[allow]] of `{}` needs a path and a reason (`why`)",
                self.rule
            )));
        }
        Ok(())
    }
}

/// Whether a text fits a pattern in which `*` stands for any characters. Linear in the text for each `*`.
fn like(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    true
}

fn purposes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Purpose>, D::Error> {
    let words = Vec::<String>::deserialize(deserializer)?;
    let one = |word: String| match word.as_str() {
        "install" => Ok(Purpose::Install),
        "dist-tag" => Ok(Purpose::DistTag),
        "deprecate" => Ok(Purpose::Deprecate),
        "unpublish" => Ok(Purpose::Unpublish),
        "access" => Ok(Purpose::Access),
        "whoami" => Ok(Purpose::Whoami),
        "unknown" => Ok(Purpose::Unknown),
        _ => Err(de::Error::custom(format!(
            "`{word}` is no use of a token; the uses are install, dist-tag, deprecate, unpublish, access, whoami, unknown"
        ))),
    };
    words.into_iter().map(one).collect()
}

/// A day, as a TOML date or as text.
fn day<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NaiveDate, D::Error> {
    let text = match toml::Value::deserialize(deserializer)? {
        toml::Value::String(text) => text,
        toml::Value::Datetime(at) => at.to_string(),
        other => other.to_string(),
    };
    NaiveDate::parse_from_str(&text, "%Y-%m-%d")
        .map_err(|_not_a_day| de::Error::custom("`until` is not a day such as 2026-12-31"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
    use super::*;

    fn parse(text: &str) -> Result<Policy, PolicyError> {
        Policy::parse(text.as_bytes())
    }

    fn on(day: &str) -> NaiveDate {
        day.parse().unwrap()
    }

    #[test]
    fn the_sample_says_the_defaults() {
        assert_eq!(parse(SAMPLE).unwrap(), Policy::default());
        assert_eq!(parse("").unwrap(), Policy::default());
        // The example of an exception in it is valid, too.
        let example: String = SAMPLE
            .lines()
            .skip_while(|l| !l.starts_with("# [[allow]]"))
            .map(|l| l.trim_start_matches("# ").to_owned() + "\n")
            .collect();
        assert_eq!(parse(&example).unwrap().allow.len(), 1, "{example}");
        let tool: String = SAMPLE
            .lines()
            .skip_while(|l| !l.starts_with("# [[release-tool]]"))
            .take_while(|l| !l.is_empty())
            .map(|l| l.trim_start_matches("# ").to_owned() + "\n")
            .collect();
        assert_eq!(parse(&tool).unwrap().release_tool.len(), 1, "{tool}");
        for rule in rule::ALL {
            assert!(SAMPLE.contains(rule.id), "{}", rule.id);
        }
    }

    #[test]
    fn unknown_keys_rules_and_versions_are_refused() {
        assert!(matches!(
            parse("[token]\npublishing = \"forbid\"\n"),
            Err(PolicyError::Form { line: 2, .. })
        ));
        assert!(matches!(parse("[tokens]\n"), Err(PolicyError::Form { .. })));
        assert!(matches!(
            parse("[token]\nforbid-uses = [\"publishing\"]\n"),
            Err(PolicyError::Form { .. })
        ));
        assert_eq!(parse("version = 2\n"), Err(PolicyError::Version(2)));
        let allow = |rule: &str, until: &str, why: &str| {
            parse(&format!(
                "[[allow]]\nrule = \"{rule}\"\npath = \"a.yml\"\nuntil = {until}\nwhy = \"{why}\"\n"
            ))
        };
        assert!(allow("policy-token-forbidden", "2026-12-31", "x").is_ok());
        assert!(allow("policy-token-forbidden", "\"2026-12-31\"", "x").is_ok());
        assert!(matches!(
            allow("token-forbiden", "2026-12-31", "x"),
            Err(PolicyError::Allow(_))
        ));
        assert!(matches!(
            allow("policy-token-forbidden", "2026-12-31", " "),
            Err(PolicyError::Allow(_))
        ));
        assert!(matches!(
            allow("policy-token-forbidden", "\"soon\"", "x"),
            Err(PolicyError::Form { .. })
        ));
        assert!(matches!(
            allow("policy-token-forbidden", "2026-12-31T10:00:00Z", "x"),
            Err(PolicyError::Form { .. })
        ));
        let lacking = parse(
            "[[allow]]\nrule = \"policy-token-forbidden\"\npath = \"a.yml\"\nuntil = 2026-12-31\n",
        );
        assert!(lacking.unwrap_err().to_string().contains("why"));
    }

    #[test]
    fn exceptions_end() {
        let policy = parse("[[allow]]\nrule = \"policy-token-forbidden\"\npath = \".github/workflows/*\"\nuntil = 2026-12-31\nwhy = \"x\"\n").unwrap();
        let allowed = |day| {
            policy
                .allowed(&rule::TOKEN, ".github/workflows/a.yml", on(day))
                .is_some()
        };
        assert!(allowed("2026-12-31") && !allowed("2027-01-01"));
        assert!(
            policy
                .allowed(&rule::SECRET, ".github/workflows/a.yml", on("2026-12-01"))
                .is_none()
        );
        assert!(
            policy
                .allowed(&rule::TOKEN, ".circleci/config.yml", on("2026-12-01"))
                .is_none()
        );
        assert_eq!(policy.expired(on("2027-01-01")).count(), 1);
    }

    #[test]
    fn patterns() {
        for (pattern, text, fits) in [
            ("NPM_TOKEN", "NPM_TOKEN", true),
            ("NPM_TOKEN", "NPM_TOKEN2", false),
            ("NPM_*", "NPM_TOKEN", true),
            ("*_TOKEN", "NPM_TOKEN", true),
            ("*", "", true),
            ("a*b*c", "axxbxxc", true),
            ("a*b*c", "axxcxxb", false),
            ("a*a", "a", false),
            ("", "x", false),
        ] {
            assert_eq!(like(pattern, text), fits, "{pattern} {text}");
        }
        let policy = parse("[secret]\ndeny = [\"npm_token\"]\n").unwrap();
        assert!(policy.denies("NPM_TOKEN") && policy.denies("Npm_Token") && !policy.denies("NPM"));
    }
}
