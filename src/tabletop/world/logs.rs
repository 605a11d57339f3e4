//! The text of a job's log: groups, commands, what npm printed, and the words of a failure.
//! The words stand in `assets/tabletop/logs.toml`; must not decide what happened.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

use serde::Deserialize;

use super::plan::StepPlan;
use super::workflow::{Act, Step};
use super::{Outcome, World};
use crate::tabletop::clock::{Ms, log_date};

macro_rules! failures {
    ($($(#[$doc:meta])* $name:ident = $word:literal,)*) => {
        /// Why npm refused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Failure { $($(#[$doc])* $name,)* }

        impl Failure {
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The word that names it in `logs.toml`.
            pub fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }
        }
    };
}

failures!(
    /// The token is expired, revoked or no token: masked as 404 on the PUT.
    ExpiredToken = "expired-token",
    /// No credential at all.
    NeedAuth = "need-auth",
    /// The token does not bypass 2FA.
    OneTimePassword = "otp",
    /// The exchange found no config; nothing else was there.
    ExchangeNotFound = "exchange-not-found",
    /// The exchange failed silently and a placeholder was sent.
    FellThrough = "fell-through",
    /// The config allows staging only.
    OidcDenied = "oidc-denied",
    /// A stage-only token was used to publish.
    StageRequired = "stage-required",
    /// The package does not take tokens any more.
    BypassRequired = "bypass-required",
    /// The account may not write the package.
    Forbidden = "forbidden",
    AlreadyThere = "already-there",
    SaveConflict = "save-conflict",
    Unauthorised = "unauthorised",
    /// `repository.url` does not fit the provenance.
    RepositoryUrl = "repository-url",
);

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    failure: BTreeMap<String, String>,
    step: BTreeMap<String, String>,
}

static WORDS: LazyLock<Words> = LazyLock::new(|| {
    // Compiled in and read by a test.
    toml::from_str(include_str!("../../../assets/tabletop/logs.toml")).unwrap_or_default()
});

/// What stands in the braces of a text.
struct Fill<'a> {
    package: &'a str,
    version: &'a str,
    tag: &'a str,
}

impl Fill<'_> {
    fn fill(&self, text: &str) -> String {
        text.replace("{{registry}}", crate::assets::npm_host())
            .replace("{{package}}", self.package)
            .replace("{{escaped}}", &self.package.replace('/', "%2f"))
            .replace("{{version}}", self.version)
            .replace("{{tag}}", self.tag)
    }
}

impl World {
    /// Writes the log of one job of a run as it stands at an instant; none before it begins.
    pub fn log(&mut self, place: usize, job: usize, now: Ms) -> Option<String> {
        let run = self.runs.get(place)?.clone();
        let plan = self.plan(place)?;
        let planned = plan.jobs.get(job)?;
        let flat = plan.flat.get(job)?;
        if planned.begins > now || planned.steps.is_empty() {
            return None;
        }
        let mut out = String::new();
        for step in planned
            .steps
            .iter()
            .filter(|step| step.begins <= now && step.conclusion != "skipped")
        {
            let what = step.place.and_then(|place| flat.job.steps.get(place));
            let outcome = step.place.and_then(|at| run.outcomes.get(&(job, at)));
            let mut lines = Lines {
                at: step.begins,
                out: &mut out,
            };
            match what {
                None => lines.write(
                    WORDS
                        .step
                        .get(own_word(&step.name))
                        .map_or("", String::as_str),
                ),
                Some(what) => self.write_step(&mut lines, what, step, outcome, now),
            }
        }
        Some(out)
    }

    fn write_step(
        &self,
        lines: &mut Lines<'_>,
        what: &Step,
        step: &StepPlan,
        outcome: Option<&Outcome>,
        now: Ms,
    ) {
        let command = what
            .run
            .as_deref()
            .or(what.uses.as_deref())
            .unwrap_or_default();
        let first = command.lines().next().unwrap_or_default();
        lines.write(&format!("##[group]Run {first}\n{command}"));
        if what.run.is_some() {
            lines.write("shell: /usr/bin/bash -e {0}");
        }
        if !what.env.is_empty() {
            lines.write("env:");
            for name in what.env.keys() {
                lines.write(&format!("  {name}: ***"));
            }
        }
        lines.write("##[endgroup]");
        if now < step.ends {
            return;
        }
        lines.at = step.ends;
        let none = Fill {
            package: "",
            version: "",
            tag: "latest",
        };
        match outcome {
            Some(Outcome::Published(done)) => {
                for (package, version) in done {
                    let word = if what.act == Act::Stage {
                        "staged"
                    } else {
                        "published"
                    };
                    let fill = Fill {
                        package,
                        version,
                        tag: "latest",
                    };
                    lines.write(&fill.fill(WORDS.step.get(word).map_or("", String::as_str)));
                }
            }
            Some(Outcome::Failed {
                done,
                package,
                version,
                why,
            }) => {
                for (package, version) in done {
                    let fill = Fill {
                        package,
                        version,
                        tag: "latest",
                    };
                    lines.write(&fill.fill(WORDS.step.get("published").map_or("", String::as_str)));
                }
                let fill = Fill {
                    package,
                    version,
                    tag: "latest",
                };
                lines.write(&fill.fill(WORDS.failure.get(why.word()).map_or("", String::as_str)));
                lines.write("##[error]Process completed with exit code 1.");
            }
            None if step.conclusion == "failure" => {
                lines.write(WORDS.step.get("tests-fail").map_or("", String::as_str));
                lines.write("##[error]Process completed with exit code 1.");
            }
            None => {
                let word = match what.act {
                    Act::Install => "install",
                    Act::Test => "tests",
                    _ => return,
                };
                lines.write(&none.fill(WORDS.step.get(word).map_or("", String::as_str)));
            }
        }
    }
}

/// The word for a step that the runner adds.
fn own_word(name: &str) -> &'static str {
    match name {
        "Set up job" => "set-up",
        "Complete job" => "complete",
        _ => "post",
    }
}

/// Lines with the time in front, as a downloaded log has them.
struct Lines<'a> {
    at: Ms,
    out: &'a mut String,
}

impl Lines<'_> {
    fn write(&mut self, text: &str) {
        for line in text.lines() {
            let _ = writeln!(self.out, "{} {line}", log_date(self.at));
            self.at += 3;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_failure_has_its_words() {
        let words: Words =
            toml::from_str(include_str!("../../../assets/tabletop/logs.toml")).unwrap();
        for failure in Failure::ALL {
            assert!(words.failure.contains_key(failure.word()), "{failure:?}");
        }
        assert_eq!(words.failure.len(), Failure::ALL.len());
        for word in [
            "set-up",
            "complete",
            "post",
            "published",
            "staged",
            "tests",
            "tests-fail",
            "install",
        ] {
            assert!(words.step.contains_key(word), "{word}");
        }
    }
}
