//! The search for the token that reaches one act of a job, nearest first, and for id tokens.
//!
//! Reads what the judge has gathered so far; names only, never values.

use super::super::tool::{Act, Auth, npmrc_auth, yarnrc_auth};
use super::super::{CiSystem, Place, Purpose, Registry, TokenUse};
use super::credential::{Config, Reach, Token, Written, reaches};
use super::judge::Judge;
use super::{Step, Variable};
use crate::model::token_name::is_npm_token;

impl Judge<'_, '_, '_, '_> {
    /// The token that reaches an act, the nearest first.
    pub(super) fn token(
        &self,
        act: &Act,
        step: &Step<'_, '_>,
        registry: Registry,
    ) -> Option<Token> {
        let place = self.place(step.lines.at(act.line, &act.needle), 1);
        let own: Vec<Variable> = act
            .env
            .iter()
            .rev()
            .map(|(name, value)| Variable::new(name, value, place.clone()))
            .collect();
        let variables = own
            .iter()
            .chain(&step.variables)
            .chain(self.exported.iter().rev())
            .chain(&self.job.variables);
        let reach = Reach {
            variables: variables.collect(),
        };
        let from_env = Reach {
            variables: own.iter().collect(),
        };
        if let Some(token) = from_env.token() {
            let secret = token
                .secret
                .as_deref()
                .and_then(|name| reach.secret_of(&format!("${{{name}}}")));
            return Some(Token {
                secret: secret.flatten().or(token.secret),
                ..token
            });
        }
        if let Some(name) = flag_token(&act.command) {
            let secret = reach.secret_of(&format!("${{{name}}}"))?;
            return Some(Token {
                secret: secret.or_else(|| Some(name.to_owned())),
                set_at: Some(place),
            });
        }
        let near = Reach {
            variables: step.variables.iter().collect(),
        };
        if let Some(token) = near.token() {
            return Some(token);
        }
        let in_reach = |auth: &Auth| reaches(auth.host.as_deref(), registry);
        let mut written = self.auths.iter().rev().filter(|w| in_reach(&w.auth));
        if let Some(token) = written.find_map(|w| w.now(&reach)) {
            return Some(token);
        }
        let config = Config::read(self.cx, act.dir.as_deref());
        let mut committed = config.auths.iter().filter(|(auth, _)| in_reach(auth));
        let inherited = || {
            let mut all = self
                .inherited
                .iter()
                .rev()
                .filter(|w| in_reach(&w.auth) && !self.id_token);
            all.find_map(|w| w.token.clone())
        };
        committed
            .find_map(|(auth, place)| reach.auth(auth, Some(place.clone())))
            .or_else(|| self.granted.clone())
            .or_else(|| reach.token())
            .or_else(inherited)
            .or_else(|| self.fallback.clone())
    }

    /// The token that a configuration line brings at the moment it is written.
    pub(super) fn at_write(
        &self,
        auth: &Auth,
        act: &Act,
        step: &Step<'_, '_>,
        place: &Place,
    ) -> Option<Token> {
        let own: Vec<Variable> = act
            .env
            .iter()
            .rev()
            .map(|(name, value)| Variable::new(name, value, place.clone()))
            .collect();
        let variables = own
            .iter()
            .chain(&step.variables)
            .chain(self.exported.iter().rev())
            .chain(&self.job.variables);
        Reach {
            variables: variables.collect(),
        }
        .auth(auth, Some(place.clone()))
    }

    pub(super) fn has_id_token(&self, act: &Act, step: &Step<'_, '_>) -> bool {
        let named = |name: &str, value: &str| name == "NPM_ID_TOKEN" && !value.trim().is_empty();
        matches!(self.job.ci, CiSystem::Gitlab | CiSystem::Circleci)
            && (self.id_token
                || act.via.iter().any(|file| {
                    self.cx
                        .project
                        .read(file)
                        .is_some_and(|t| mints_npm_token(&t))
                })
                || act.env.iter().any(|(n, v)| named(n, v))
                || step
                    .variables
                    .iter()
                    .chain(&self.exported)
                    .any(|v| named(&v.name, &v.value)))
    }

    /// Credential lines that reach a configuration in a way the shell reader does not follow, such as a redirected
    /// group of commands: the line itself says what it sets.
    pub(super) fn unread_logins(&mut self, step: &Step<'_, '_>) {
        if !step.text.contains("_authToken") && !step.text.contains("npmAuthToken") {
            return;
        }
        for (line, auth) in npmrc_auth(&step.text)
            .into_iter()
            .chain(yarnrc_auth(&step.text))
        {
            if auth.literal || auth.value.is_empty() {
                continue;
            }
            let place = self.place(step.lines.at(line, "uthToken"), 1);
            let variables = step
                .variables
                .iter()
                .chain(self.exported.iter().rev())
                .chain(&self.job.variables);
            let token = Reach {
                variables: variables.collect(),
            }
            .auth(&auth, Some(place));
            self.auths.push(Written { auth, token });
        }
    }

    /// Tokens that the text of a step hands to whatever it runs, told once a job unless a publish or use names them.
    pub(super) fn handed_tokens(&mut self) {
        let job = self.job;
        for step in &job.steps {
            for (index, line) in (0_u32..).zip(step.text.lines()) {
                for name in token_names(line) {
                    self.handed(name, step, step.lines.at(index, name));
                }
            }
        }
    }

    fn handed(&mut self, name: &str, step: &Step<'_, '_>, line: u32) {
        let variables = step
            .variables
            .iter()
            .chain(self.exported.iter().rev())
            .chain(&self.job.variables);
        let reach = Reach {
            variables: variables.collect(),
        };
        // Empty on purpose: there is no token to hand on.
        let Some(secret) = reach.secret_of(&format!("${{{name}}}")) else {
            return;
        };
        let secret = secret.unwrap_or_else(|| name.to_owned());
        let same = |told: Option<&str>| told == Some(secret.as_str()) || told == Some(name);
        let paths = self.parts.paths.iter().skip(self.first_path);
        let uses = self.parts.uses.iter().skip(self.first_use);
        let told = paths.map(|p| p.secret.as_deref());
        if told.chain(uses.map(|u| u.secret.as_deref())).any(same) {
            return;
        }
        self.parts.uses.push(TokenUse {
            file: self.job.file.clone(),
            job: self.job.name.clone(),
            step: step.index,
            line,
            secret: Some(secret),
            purpose: Purpose::Unknown,
        });
    }

    /// A job that is given a token and does nothing with it that can be seen.
    pub(super) fn unused_tokens(&mut self) {
        let paths = self.parts.paths.len() > self.first_path;
        if paths || self.parts.uses.len() > self.first_use {
            return;
        }
        let own = self.job.variables.iter().filter(|v| !v.wide);
        let steps = self.job.steps.iter().flat_map(|s| &s.variables);
        let found = own
            .chain(steps)
            .find(|v| is_npm_token(&v.name) && (!v.value.is_empty() || v.secret.is_some()));
        let secret = found.map(|v| Reach { variables: vec![v] }.token().and_then(|t| t.secret));
        if let (Some(variable), Some(secret)) = (found, secret) {
            self.parts.uses.push(TokenUse {
                file: variable.place.file.clone(),
                job: self.job.name.clone(),
                step: None,
                line: variable.place.line,
                secret,
                purpose: Purpose::Unknown,
            });
        }
    }
}

/// The variable that a release tool is given as its token on the command line: `beachball publish -n $(npmToken)`.
pub(super) fn flag_token(command: &str) -> Option<&str> {
    let words: Vec<&str> = command.split_whitespace().collect();
    let after = words.windows(2).find_map(|pair| match pair {
        [flag, value]
            if matches!(
                *flag,
                "-n" | "--token" | "--auth-token" | "--npm-auth-token"
            ) =>
        {
            super::variable_name(value).filter(|name| !name.chars().all(|c| c.is_ascii_digit()))
        }
        _ => None,
    });
    after.or_else(|| {
        words.iter().find_map(|w| {
            super::variable_name(
                w.split_once("uthToken=")
                    .or_else(|| w.split_once("--token="))?
                    .1,
            )
        })
    })
}

/// Names of npm tokens that a line of a script fills in: `$NPM_TOKEN`, `${NPM_TOKEN:-}`, `$(npmToken)`, `$env:X`, `%X%`.
fn token_names(line: &str) -> Vec<&str> {
    let mut found = Vec::new();
    if line.trim_start().starts_with('#') {
        return found;
    }
    let marks = [
        "$", "${", "$(", "$env:", "${env:", "${env.", "env.", "%", "secrets.",
    ];
    let mut rest = line;
    let mut at = 0;
    let part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    while let Some(start) = rest.find(part) {
        let tail = rest.get(start..).unwrap_or_default();
        let end = tail.find(|c| !part(c)).unwrap_or(tail.len());
        let word = tail.get(..end).unwrap_or_default();
        // `${NPM_TOKEN-none}`
        let name = word
            .split('-')
            .next()
            .filter(|n| n.contains('_'))
            .unwrap_or(word);
        let before = line.get(..at + start).unwrap_or_default();
        if is_npm_token(name) && marks.iter().any(|m| before.ends_with(m)) {
            found.push(name);
        }
        at += start + end;
        rest = tail.get(end..).unwrap_or_default();
    }
    found
}

/// CircleCI's way to an id token for npm (<https://docs.npmjs.com/trusted-publishers>).
pub(super) fn mints_npm_token(text: &str) -> bool {
    text.contains("circleci run oidc get")
        && (text.contains("npm:") || text.contains("NPM_ID_TOKEN"))
}
