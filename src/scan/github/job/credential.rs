//! Which credential a command of a step can reach, and what else in the job is given a token.

use super::super::flow::Step;
use super::super::registry;
use super::super::scope::{
    Level, Scope, Source, is_npm_name, is_read_only_name, may_be_token, secret_of,
};
use super::{Here, N, Reach, Walk, Written};
use crate::scan::tool::{Act, Configured, variables};
use crate::scan::{Place, Purpose, TokenUse, Tool};

impl<'d> Walk<'_, 'd> {
    pub(super) fn auth(&mut self, act: &Act, place: &Place, scope: &Scope<'d>) {
        let Some(auth) = &act.auth else { return };
        let host = auth.host.as_deref().unwrap_or("");
        if !registry::may_be_npmjs(host) {
            self.foreign_auth = true;
            return;
        }
        if auth.literal {
            self.event("npmrc-literal-token", place, "");
        }
        let sources = if auth.literal {
            vec![Source::Computed]
        } else {
            scope.shell_sources(&auth.value, &act.env)
        };
        let variables = variables(&auth.value);
        self.written.push(Written {
            sources,
            variables,
            place: place.clone(),
        });
    }

    /// A script or command that logs in: the npm variables in reach of it are then in the configuration.
    pub(super) fn login(&mut self, act: &Act, place: &Place, scope: &Scope<'d>) {
        let found = self.reaches(act, scope);
        if let Some(reach) = found.first() {
            let sources = vec![
                reach
                    .secret
                    .clone()
                    .map_or(Source::Computed, Source::Secret),
            ];
            self.written.push(Written {
                sources,
                variables: Vec::new(),
                place: place.clone(),
            });
        }
    }

    /// Lists the tokens that a command can reach, the nearest first.
    pub(super) fn reaches(&self, act: &Act, scope: &Scope<'d>) -> Vec<Reach> {
        let mut out: Vec<Reach> = Vec::new();
        let shadowed: Vec<&str> = act.env.iter().map(|(n, _)| n.as_str()).collect();
        for (name, value) in &act.env {
            if !reads(act, name)
                || !is_npm_name(name) && !name.to_ascii_lowercase().contains("_authtoken")
            {
                continue;
            }
            let sources = scope.shell_sources(value, &act.env);
            let secret = secret_of(&sources).map(str::to_owned);
            // A script's own `NPM` is mostly a program or an answer; a secret may be called so.
            let bare = matches!(name.to_ascii_uppercase().as_str(), "NPM" | "NPMJS");
            if may_be_token(&sources) && !is_read_only_name(name) && (!bare || secret.is_some()) {
                out.push(Reach {
                    level: Level::Command,
                    secret,
                    place: Place::default(),
                    name: name.clone(),
                });
            }
        }
        if let Some((value, certain)) = token_flag(&act.command) {
            let sources = scope.shell_sources(value, &act.env);
            let secret = secret_of(&sources).map(str::to_owned);
            let for_npm = certain
                || act.inner.unwrap_or(act.tool) == Tool::Rush
                || act.command.contains("beachball")
                || secret.as_deref().is_some_and(is_npm_name);
            if for_npm
                && may_be_token(&sources)
                && !secret.as_deref().is_some_and(is_read_only_name)
            {
                out.push(Reach {
                    level: Level::Command,
                    secret,
                    place: Place::default(),
                    name: String::new(),
                });
            }
        }
        for seen in scope.effective() {
            if shadowed.contains(&seen.name.as_ref())
                || !may_be_token(&seen.sources)
                || !reads(act, &seen.name)
            {
                continue;
            }
            let secret = secret_of(&seen.sources);
            let named =
                is_npm_name(&seen.name) || seen.name.to_ascii_lowercase().contains("_authtoken");
            let weak = seen.level == Level::Step && secret.is_some_and(is_npm_name);
            let reads = is_read_only_name(&seen.name) || secret.is_some_and(is_read_only_name);
            if (named || weak) && !reads {
                let place = seen.place.clone();
                out.push(Reach {
                    level: seen.level,
                    secret: secret.map(str::to_owned),
                    place,
                    name: seen.name.to_string(),
                });
            }
        }
        for written in &self.written {
            let mut sources = written.sources.clone();
            for name in &written.variables {
                sources.extend(
                    scope
                        .lookup(name)
                        .map(|s| s.sources.clone())
                        .unwrap_or_default(),
                );
            }
            let secret = secret_of(&sources);
            if may_be_token(&sources) && !secret.is_some_and(is_read_only_name) {
                let secret = secret.map(str::to_owned);
                out.push(Reach {
                    level: Level::Written,
                    secret,
                    place: written.place.clone(),
                    name: String::new(),
                });
            }
        }
        self.configured(act, scope, &mut out);
        out.sort_by_key(|r| (r.level, r.secret.is_none(), r.name != "NODE_AUTH_TOKEN"));
        out
    }

    /// Adds what the checkout's own .npmrc and .yarnrc.yml take from variables.
    pub(super) fn configured(&self, act: &Act, scope: &Scope<'d>, out: &mut Vec<Reach>) {
        for Configured { file, line, auth } in
            registry::tree_auth(&self.checkout.project, act).iter()
        {
            if !registry::may_be_npmjs(auth.host.as_deref().unwrap_or("")) {
                continue;
            }
            if auth.literal {
                let place = Place {
                    file: file.clone(),
                    line: line + 1,
                    column: 1,
                    span: (0, 0),
                };
                out.push(Reach {
                    level: Level::Workflow,
                    secret: None,
                    place,
                    name: String::new(),
                });
                continue;
            }
            for name in variables(&auth.value) {
                let Some(seen) = scope.lookup(&name) else {
                    continue;
                };
                let known = out.iter().any(|r| r.name == name);
                let secret = secret_of(&seen.sources);
                if !known && may_be_token(&seen.sources) && !secret.is_some_and(is_read_only_name) {
                    let place = seen.place.clone();
                    out.push(Reach {
                        level: seen.level,
                        secret: secret.map(str::to_owned),
                        place,
                        name,
                    });
                }
            }
        }
    }

    pub(super) fn token_use(
        &mut self,
        purpose: Purpose,
        act: &Act,
        place: &Place,
        scope: &Scope<'d>,
        here: &Here<'d>,
    ) {
        if act.flags.dry_run {
            return;
        }
        let secret = self.reaches(act, scope).into_iter().find_map(|r| r.secret);
        self.note_use(purpose, place, secret, here);
    }

    pub(super) fn note_use(
        &mut self,
        purpose: Purpose,
        place: &Place,
        secret: Option<String>,
        here: &Here<'d>,
    ) {
        self.report.uses.push(TokenUse {
            file: self.flow.file.to_owned(),
            job: (!self.flow.action).then(|| self.job.id.to_owned()),
            step: Some(here.index),
            line: place.line,
            secret,
            purpose,
        });
    }

    /// An install with a token in reach: private packages, or a token set too widely.
    pub(super) fn install(&mut self, act: &Act, place: &Place, scope: &Scope<'d>, here: &Here<'d>) {
        let near = scope.effective().into_iter().find(|s| {
            may_be_token(&s.sources)
                && (is_npm_name(&s.name) || secret_of(&s.sources).is_some_and(is_npm_name))
        });
        let secret = near.and_then(|s| secret_of(&s.sources)).map(str::to_owned);
        let secret = secret.or_else(|| self.reaches(act, scope).into_iter().find_map(|r| r.secret));
        if secret.is_some() {
            self.note_use(Purpose::Install, place, secret, here);
        }
    }

    /// Notes the npm tokens that stand in the text of a step, whatever the command there does with them.
    pub(super) fn handed_tokens(&mut self, run: N<'d>, scope: &Scope<'d>, here: &Here<'d>) {
        let text = run.as_str().unwrap_or("");
        for (index, line) in (0_u32..).zip(text.lines()) {
            if !line.contains("${{") || line.trim_start().starts_with('#') {
                continue;
            }
            for source in scope.sources(line) {
                let Source::Secret(secret) = source else {
                    continue;
                };
                if !is_npm_name(&secret) || is_read_only_name(&secret) {
                    continue;
                }
                let own = || run.line_within(index, line.trim());
                self.handed.push(TokenUse {
                    file: self.flow.file.to_owned(),
                    job: (!self.flow.action).then(|| self.job.id.to_owned()),
                    step: Some(here.index),
                    line: here.uses.as_ref().map_or_else(own, |uses| uses.0),
                    secret: Some(secret),
                    purpose: Purpose::Unknown,
                });
            }
        }
    }

    /// Lists the tokens that steps handed on, but for those that a publish of the job or a use on the same line names.
    pub(super) fn tell_handed(&mut self) {
        for handed in std::mem::take(&mut self.handed) {
            let mut reaches = self.report.publishes.iter().flat_map(|one| &one.reaches);
            let published = reaches.any(|reach| reach.secret == handed.secret);
            let same = |one: &TokenUse| one.line == handed.line && one.secret == handed.secret;
            if !published && !self.report.uses.iter().any(same) {
                self.report.uses.push(handed);
            }
        }
    }

    /// A step that is given an npm token and does nothing with it that is known.
    pub(super) fn unknown_use(&mut self, step: &Step<'d>, scope: &Scope<'d>, here: &Here<'d>) {
        let mut found: Option<(u32, String)> = None;
        for seen in scope.env.iter().rev().take(step.env.len()) {
            let secret = secret_of(&seen.sources);
            if let Some(secret) = secret
                && (is_npm_name(&seen.name) || is_npm_name(secret))
            {
                found = Some((seen.place.line, secret.to_owned()));
            }
        }
        for (name, node) in &step.with {
            let sources = scope.sources(node.as_str().unwrap_or(""));
            if let Some(secret) = secret_of(&sources)
                && (is_npm_name(name) || is_npm_name(secret))
            {
                found = Some((node.line(), secret.to_owned()));
            }
        }
        if let Some((line, secret)) = found {
            let line = here.uses.as_ref().map_or(line, |u| u.0);
            let place = Place {
                file: self.flow.file.to_owned(),
                line,
                column: 1,
                span: (0, 0),
            };
            self.note_use(Purpose::Unknown, &place, Some(secret), here);
        }
    }
}

/// Tells whether what publishes reads a variable: Yarn's own is read by Yarn alone, and these tools start npm or pnpm, or
/// publish by themselves (<https://yarnpkg.com/configuration/yarnrc#npmAuthToken>).
fn reads(act: &Act, name: &str) -> bool {
    let others = [
        Tool::Npm,
        Tool::Pnpm,
        Tool::Changesets,
        Tool::Lerna,
        Tool::SemanticRelease,
        Tool::JsDevtoolsNpmPublish,
    ];
    name != "YARN_NPM_AUTH_TOKEN" || !others.contains(&act.inner.unwrap_or(act.tool))
}

/// The value of a flag by which a command is given a token, and whether the flag is for npm's only.
pub(super) fn token_flag(command: &str) -> Option<(&str, bool)> {
    // The short ones are those of rush and beachball, which a script may stand before.
    let flags = [
        ("--npm-auth-token", true),
        ("--npmAuthToken", true),
        ("--npm-token", true),
        ("--npmToken", true),
        ("_authToken", true),
        ("--token", false),
        ("-n", false),
    ];
    flags.into_iter().find_map(|(flag, certain)| {
        let (before, rest) = command.split_once(flag)?;
        let apart = flag.starts_with('_') || before.ends_with(char::is_whitespace);
        let rest = rest
            .strip_prefix(['=', ' '])
            .filter(|_| apart)?
            .trim_start();
        let value = match rest.find("}}").filter(|_| rest.starts_with("${{")) {
            Some(end) => rest.get(..end + 2),
            None => rest.split_whitespace().next(),
        };
        Some((value?, certain))
    })
}

/// A script whose name says that it logs in or writes .npmrc.
pub(super) fn looks_like_login(command: &str) -> bool {
    let lower = command.to_ascii_lowercase();
    ["auth", "npmrc", "login"].iter().any(|w| lower.contains(w))
        && !lower.contains("publish")
        && !lower.contains("release")
}
