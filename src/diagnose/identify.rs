//! Which token a secret holds: the workflow that compares them, and what its log says.
//!
//! Nobody can list what a secret holds, so a job that has it compares it with the masked forms of tokens. Takes only
//! the line that the job's own step printed; still, a log is as trustworthy as whoever hands it over. Sees no secret.

use std::sync::LazyLock;

use regex::Regex;

use crate::model::fact::EdgeFact;
use crate::model::id::Subject;
use crate::model::name::{EnvironmentName, RepoName, SecretName};
use crate::model::time::Ts;
use crate::safe::redact::unescaped;
use crate::safe::sink::yaml_scalar;

/// Most tokens that one workflow compares with.
pub const MOST: usize = 500;

/// Words that stand where the id of a token would.
const WORDS: [&str; 4] = ["none", "ambiguous", "empty", "other"];

/// Why no workflow can be made, or a log says nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentifyError {
    #[error("the list of {0} does not show how it begins and ends; import a list by a current npm")]
    NoMaskedForm(String),
    #[error(
        "the key of {0} has characters that no key of npm has, so it is not written into a script"
    )]
    BadKey(String),
    #[error("no token is given to compare with; import a token list first")]
    NoTokens,
    #[error("{0} tokens are too many for one workflow; name up to {MOST}")]
    TooMany(usize),
    #[error("the environment's name holds `${{{{`, which GitHub would evaluate; rename it")]
    Environment,
    #[error(
        "the log has no step of `cutover identify`; give the whole log of the job, as `gh run view RUN --log` prints it"
    )]
    NoStep,
    #[error("the step of `cutover identify` printed no result that can be read; run it again")]
    NoLine,
    #[error("the log has several different results; give the log of one run")]
    Several,
    #[error("the workflow was printed for another session; print it again with `cutover identify`")]
    OtherSession,
}

/// A token as its list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Masked {
    pub token: Subject,
    pub key: String,
    /// What stands before and after the dots.
    pub start: String,
    pub end: String,
}

impl Masked {
    /// Reads the masked form of a listing (`npm_aBcD...7890`).
    ///
    /// # Errors
    /// The form does not show both ends, or the key is none.
    pub fn new(token: Subject, key: &str, form: &str, label: &str) -> Result<Self, IdentifyError> {
        let word = |text: &str, least: usize, most: usize, extra: &str| {
            (least..=most).contains(&text.len())
                && text
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || extra.contains(c))
        };
        if !word(key, 1, 200, "_-") || WORDS.contains(&key) {
            return Err(IdentifyError::BadKey(label.to_owned()));
        }
        let (start, end) = form
            .split_once("...")
            .or_else(|| form.split_once('…'))
            .filter(|(start, end)| word(start, 4, 12, "_") && word(end, 4, 8, ""))
            .ok_or_else(|| IdentifyError::NoMaskedForm(label.to_owned()))?;
        Ok(Self {
            token,
            key: key.to_owned(),
            start: start.to_owned(),
            end: end.to_owned(),
        })
    }
}

/// What a workflow is made for.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// Id of the session: a result counts for it alone.
    pub session: &'a str,
    pub secret: Subject,
    pub name: &'a SecretName,
    pub environment: Option<&'a EnvironmentName>,
    pub tokens: &'a [Masked],
}

/// Returns the workflow. Everything in it fits a narrow grammar or is a quoted scalar.
///
/// # Errors
/// There are no tokens or too many, or the environment's name cannot be written.
pub fn workflow(request: &Request<'_>) -> Result<String, IdentifyError> {
    let environment = match request.environment {
        Some(name) if name.as_str().contains("${{") => return Err(IdentifyError::Environment),
        Some(name) => format!("environment: {}", yaml_scalar(name.as_str())),
        None => {
            "# No environment: the secret is the repository's or the organisation's.".to_owned()
        }
    };
    filled(crate::assets::identify_workflow(), request, &environment)
}

/// Returns the comparison alone, as a script for a job of another CI system than GitHub. No log of such a job is taken
/// in: nothing in it tells which run printed a line.
///
/// # Errors
/// There are no tokens or too many.
pub fn script(request: &Request<'_>) -> Result<String, IdentifyError> {
    const STEP: &str = "        run: |\n";
    const DEPTH: &str = "          ";
    let whole = filled(crate::assets::identify_workflow(), request, "")?;
    let body = whole.split_once(STEP).map_or("", |(_, body)| body);
    let name = request.name.as_str();
    let mut script = format!(
        "#!/usr/bin/env bash\n\
         # Run it in a job that has {name}, with its value in the variable CUTOVER_VALUE.\n\
         set -eu -o pipefail\n"
    );
    for line in body.lines() {
        let line = line.strip_prefix(DEPTH).unwrap_or(line);
        if !line.starts_with("echo ") {
            script.push_str(line);
            script.push('\n');
        }
    }
    script.push_str(&format!(
        "echo \"cutover-identify secret={name} match=$match\"\n"
    ));
    Ok(script)
}

/// Puts what is compared into the workflow's text.
fn filled(
    template: &str,
    request: &Request<'_>,
    environment: &str,
) -> Result<String, IdentifyError> {
    match request.tokens.len() {
        0 => return Err(IdentifyError::NoTokens),
        many if many > MOST => return Err(IdentifyError::TooMany(many)),
        _ => {}
    }
    let compare: Vec<String> = request
        .tokens
        .iter()
        .map(|one| format!("compare '{}' '{}' '{}'", one.start, one.end, one.key))
        .collect();
    let given: Vec<String> = request.tokens.iter().map(|one| one.token.code()).collect();
    let marker = format!(
        "1 session={} about={}",
        short(request.session),
        request.secret.code()
    );
    Ok(template
        .replace("{{compare}}", &compare.join("\n            "))
        .replace("{{given}}", &given.join(","))
        .replace("{{marker}}", &marker)
        .replace("{{name}}", request.name.as_str())
        .replace("{{environment}}", environment))
}

fn short(session: &str) -> &str {
    session.get(..16).unwrap_or(session)
}

/// What the job found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Match {
    /// The key of the token whose masked form fits.
    Key(String),
    /// None of the given tokens.
    None,
    /// Several masked forms fit.
    Ambiguous,
    /// No secret of that name is there.
    Empty,
    /// The secret is no bare token.
    Other,
}

/// One result, as the job's step printed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Code of the secret that it was made for.
    pub about: String,
    pub secret: SecretName,
    pub repo: RepoName,
    /// Run id and attempt.
    pub run: String,
    /// Codes of the tokens that were compared.
    pub given: Vec<String>,
    pub found: Match,
    /// The forge's date of the line, where the log has it.
    pub at: Option<Ts>,
}

#[expect(
    clippy::expect_used,
    reason = "constant patterns; the tests compile them"
)]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a constant pattern")
}

static STAMP: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(?:[^\t]{1,200}\t[^\t]{0,200}\t)?\u{feff}?(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?Z ?",
    )
});
static START: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^##\[group\]Run # cutover identify 1 session=\S+ about=\S+$"));
static RESULT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^cutover-identify 1 session=([0-9a-f]{1,16}) about=([a-z2-7]{11}) secret=([A-Za-z0-9_-]{1,255}) repo=([A-Za-z0-9._/-]{3,200}) run=(\d{1,20}-\d{1,6}) given=([a-z2-7]{11}(?:,[a-z2-7]{11})*) match=([A-Za-z0-9_-]{1,200})$",
    )
});

/// Reads the log of the job. Only a line counts that its own step printed: after that step's script was repeated, and
/// before anything else begins.
///
/// # Errors
/// The step or its line is missing, results differ, or it was printed for another session.
pub fn read(log: &[u8], session: &str) -> Result<Said, IdentifyError> {
    let text = String::from_utf8_lossy(log);
    let (mut step, mut body) = (false, false);
    let mut steps = 0_u32;
    let mut found: Vec<(String, Said)> = Vec::new();
    for raw in text.lines() {
        let stamp = STAMP.captures(raw);
        let from = stamp
            .as_ref()
            .and_then(|all| all.get(0))
            .map_or(0, |all| all.end());
        let line = unescaped(raw.get(from..).unwrap_or_default());
        let line = line.trim_end();
        if line.starts_with("##[group]") {
            step = START.is_match(line);
            body = false;
            steps += u32::from(step);
        } else if line == "##[endgroup]" {
            body = step;
        } else if line == "Post job cleanup." || line == "Cleaning up orphan processes" {
            (step, body) = (false, false);
        } else if body && let Some((from, said)) = result(line) {
            let at = stamp.as_ref().and_then(|all| all.get(1));
            let at = at.and_then(|at| Ts::parse(&format!("{}Z", at.as_str())));
            found.push((from, Said { at, ..said }));
        }
    }
    let mut results = found.into_iter();
    let (from, said) = match results.next() {
        Some(first) => first,
        None if steps == 0 => return Err(IdentifyError::NoStep),
        None => return Err(IdentifyError::NoLine),
    };
    if results.any(|(_, other)| other != said) {
        return Err(IdentifyError::Several);
    }
    if from != short(session) {
        return Err(IdentifyError::OtherSession);
    }
    Ok(said)
}

fn result(line: &str) -> Option<(String, Said)> {
    let all = RESULT.captures(line)?;
    let part = |at: usize| all.get(at).map_or("", |part| part.as_str());
    let found = match part(7) {
        "none" => Match::None,
        "ambiguous" => Match::Ambiguous,
        "empty" => Match::Empty,
        "other" => Match::Other,
        key => Match::Key(key.to_owned()),
    };
    let said = Said {
        about: part(2).to_owned(),
        secret: SecretName::parse(part(3)).ok()?,
        repo: RepoName::parse(part(4)).ok()?,
        run: part(5).to_owned(),
        given: part(6).split(',').map(str::to_owned).collect(),
        found,
        at: None,
    };
    Some((part(1).to_owned(), said))
}

impl Said {
    /// Gives the edges that this shows: the token that fits is held, the others that were compared are not.
    ///
    /// `known` is token and key of every token of the session. Ambiguous, empty and other show nothing.
    pub fn edges(&self, secret: Subject, known: &[(Subject, &str)]) -> Vec<(Subject, EdgeFact)> {
        let held: Option<&str> = match &self.found {
            Match::Key(key) => Some(key),
            Match::None => None,
            Match::Ambiguous | Match::Empty | Match::Other => return Vec::new(),
        };
        let compared = known
            .iter()
            .filter(|(token, _)| self.given.contains(&token.code()));
        // A key that none of them has was not printed by what we wrote.
        if held.is_some_and(|held| !compared.clone().any(|(_, key)| *key == held)) {
            return Vec::new();
        }
        let run = format!("{} {}", self.repo, self.run);
        compared
            .map(|(token, key)| {
                let edge = EdgeFact {
                    secret: Some(secret),
                    holds: held == Some(*key),
                    run: run.as_str().into(),
                };
                (*token, edge)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests;
