//! Walks the steps of a job in order and turns what they do into publish paths, token uses and findings.
//!
//! Owns what one step leaves behind for the next: the folder, written configuration, exported variables, versions.
//! Reads no grammar of any CI system.

use super::super::script::{self, Command};
use super::super::tool::{Act, Auth, What, npmrc_auth, yarnrc_auth};
use super::super::{
    CiSystem, Credential, Place, PublishPath, Purpose, Registry, Reusable, TokenUse, Tool,
};
use super::credential::{
    Config, Reach, Token, Written, is_token_name, reaches, registry_of, scoped_registries,
};
use super::{Checkout, Earlier, Found, Job, Known, Step, Variable};
use crate::safe::shown::visible;

/// Most publishes that are told of one job.
const PATH_CAP: usize = 200;

pub(super) struct Judge<'j, 'c, 'd, 's> {
    pub cx: &'j Checkout<'c>,
    pub job: &'j Job<'d, 's>,
    pub parts: &'j mut Found,
    /// Credential lines written by steps so far, oldest first.
    auths: Vec<Written>,
    /// Written by jobs before this one.
    inherited: Vec<Written>,
    fallback: Option<Token>,
    /// Exported by steps so far, oldest first.
    exported: Vec<Variable>,
    /// Name of a stored credential set up by a step, or a login.
    granted: Option<Token>,
    /// Address that npm was told to use.
    registry: Option<String>,
    /// Addresses set for scopes, oldest first.
    scoped: Vec<(String, String)>,
    npm_version: Option<String>,
    /// True once an id token for npm was fetched.
    id_token: bool,
    /// Folder after the steps so far; `None` where it is not known.
    dir: Option<String>,
    /// Index of this job's first path and of its first use.
    first_path: usize,
    first_use: usize,
}

impl<'j, 'c, 'd, 's> Judge<'j, 'c, 'd, 's> {
    pub fn new(cx: &'j Checkout<'c>, job: &'j Job<'d, 's>, parts: &'j mut Found) -> Self {
        let (first_path, first_use) = (parts.paths.len(), parts.uses.len());
        Self {
            cx,
            job,
            parts,
            auths: Vec::new(),
            inherited: Vec::new(),
            fallback: None,
            exported: Vec::new(),
            granted: None,
            registry: None,
            scoped: Vec::new(),
            npm_version: None,
            id_token: job.id_token,
            dir: Some(String::new()),
            first_path,
            first_use,
        }
    }

    pub fn run(mut self, earlier: &mut Earlier) {
        // Machines are not shared between the jobs of Azure and Travis.
        let handed_on = matches!(
            self.job.ci,
            CiSystem::Jenkins | CiSystem::Gitlab | CiSystem::Circleci
        );
        if handed_on {
            self.inherited.clone_from(&earlier.auths);
        }
        self.fallback.clone_from(&earlier.fallback);
        for step in &self.job.steps {
            if let Some(name) = &step.grants {
                let set_at = Some(self.place(step.line, step.column));
                self.granted = Some(Token {
                    secret: Some(name.clone()),
                    set_at,
                });
            }
            if let Some(known) = &step.known {
                self.known(step, known);
            }
            if !step.text.is_empty() {
                self.script(step);
            }
        }
        self.unused_tokens();
        let publishes = self.parts.paths.len() > self.first_path;
        if handed_on
            && (!publishes || self.job.ci == CiSystem::Jenkins)
            && earlier.auths.len() < 1_000
        {
            earlier.auths.append(&mut self.auths);
        }
    }

    fn script(&mut self, step: &Step<'_, '_>) {
        // In GitLab and Travis all lines of a job share one shell, so its folder stays.
        let shared = matches!(self.job.ci, CiSystem::Gitlab | CiSystem::Travis);
        let before = step
            .dir
            .as_deref()
            .or(self.dir.as_deref().filter(|_| shared));
        let known = step.dir.is_some() || !shared || self.dir.is_some();
        // A `cd` in front, so that a later `cd ..` finds its way; one more command tells the folder at the end.
        let text = match before.filter(|d| !d.is_empty() && !d.contains(['\'', '\n'])) {
            Some(dir) => format!("cd '{dir}'; {}\n:", step.text),
            None => format!("{}\n:", step.text),
        };
        let commands = script::commands(&text);
        if mints_npm_token(&step.text) {
            self.id_token = true;
        }
        self.scoped.extend(scoped_registries(&step.text));
        for command in &commands {
            self.assignments(command, step);
        }
        let written = self.auths.len();
        for act in self.cx.project.acts_of(&commands, known.then_some("")) {
            self.act(&act, step);
        }
        if !commands.is_empty() && self.auths.len() == written {
            self.unread_logins(step);
        }
        self.dir = if known {
            commands.last().and_then(|c| c.dir.clone())
        } else {
            None
        };
    }

    /// Credential lines that reach a configuration in a way the shell reader does not follow, such as a redirected
    /// group of commands: the line itself says what it sets.
    fn unread_logins(&mut self, step: &Step<'_, '_>) {
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

    /// `export A=b` and `A=b` on its own hold for what follows.
    fn assignments(&mut self, command: &Command, step: &Step<'_, '_>) {
        let exported = matches!(command.program(), "export" | "declare" | "setx");
        let words = command
            .words
            .iter()
            .skip(1)
            .filter(|_| exported)
            .filter_map(|w| script::assignment(w));
        let own = command
            .env
            .iter()
            .filter(|_| command.words.is_empty())
            .map(|(n, v)| (n.as_str(), v.as_str()));
        let place = self.place(step.lines.at(command.line, ""), 1);
        let found: Vec<Variable> = words
            .chain(own)
            .map(|(name, value)| Variable::new(name, value, place.clone()))
            .collect();
        self.exported.extend(found);
    }

    fn act(&mut self, act: &Act, step: &Step<'_, '_>) {
        let line = step.lines.at(act.line, &act.needle);
        match &act.what {
            What::Publish | What::Stage => self.publish(act, step, line),
            What::Unread(shown) => {
                if self.reads_as_release(shown, act, step) {
                    self.publish(act, step, line);
                }
            }
            What::Auth => {
                if let Some(auth) = act.auth.clone() {
                    let place = self.place(line, 1);
                    let token = self.at_write(&auth, act, step, &place);
                    self.auths.push(Written { auth, token });
                }
            }
            What::SetEnv(name, value) => {
                let place = self.place(line, 1);
                self.exported.push(Variable::new(name, value, place));
            }
            What::Registry { url, scope: None } => self.registry = Some(url.clone()),
            What::Registry { .. } => {}
            What::InstallTool(name) if name == "npm" => self.npm_version.clone_from(&act.version),
            What::Login => {
                let token = self.token(act, step, Registry::Npmjs);
                let words = act
                    .command
                    .split_whitespace()
                    .filter_map(super::variable_name);
                let secret = words.filter(|w| {
                    ["pass", "token", "auth"]
                        .iter()
                        .any(|k| w.to_ascii_lowercase().contains(k))
                });
                let named = secret
                    .map(|w| Token {
                        secret: Some(w.to_owned()),
                        set_at: None,
                    })
                    .next_back();
                self.granted = Some(token.or(named).unwrap_or_default());
            }
            What::Install => self.token_use(act, step, line, Purpose::Install),
            What::DistTag => self.token_use(act, step, line, Purpose::DistTag),
            What::Deprecate => self.token_use(act, step, line, Purpose::Deprecate),
            What::Unpublish => self.token_use(act, step, line, Purpose::Unpublish),
            What::Access => self.token_use(act, step, line, Purpose::Access),
            What::Whoami => {
                self.token_use(act, step, line, Purpose::Whoami);
                self.leaky(act, step, line, "token-probe");
            }
            What::Dump => self.leaky(act, step, line, "environment-dump"),
            What::Trace => self.leaky(act, step, line, "shell-trace"),
            What::InstallTool(_) => {}
        }
    }

    /// A script that cannot be read counts where its words name npm and a release, or a release beside a token.
    fn reads_as_release(&self, shown: &str, act: &Act, step: &Step<'_, '_>) -> bool {
        let lower = shown.to_ascii_lowercase();
        let other = [
            "dry",
            "unpublish",
            "test",
            "tests",
            "lint",
            "check",
            "docs",
            "docker",
            "github",
            "pypi",
            "image",
        ];
        let mut words = lower.split(|c: char| !c.is_ascii_alphanumeric());
        if words.any(|w| other.contains(&w)) {
            return false;
        }
        let named = |word: &str| lower.contains(word);
        if named("npm") {
            return ["publish", "release", "deploy"].iter().any(|w| named(w));
        }
        (named("publish") || named("release")) && self.token(act, step, Registry::Npmjs).is_some()
    }

    fn publish(&mut self, act: &Act, step: &Step<'_, '_>, line: u32) {
        if act.flags.dry_run || self.parts.paths.len() - self.first_path >= PATH_CAP {
            return;
        }
        let packages = self.packages(act);
        let address = self.address(act, step, &packages);
        let mut registry = address.as_deref().map_or(Registry::Npmjs, registry_of);
        let token = self.token(act, step, registry);
        // GitLab's own job token opens GitLab's own registry only.
        let job_token = token.as_ref().and_then(|t| t.secret.as_deref()) == Some("CI_JOB_TOKEN");
        if job_token && address.is_none() {
            registry = Registry::Other;
        }
        let id_token =
            self.has_id_token(act, step) && matches!(registry, Registry::Npmjs | Registry::Unknown);
        let mut path = PublishPath {
            tool: act.tool,
            tool_version: act.version.clone(),
            registry,
            registry_url: address,
            credential: credential(token.is_some(), id_token),
            secret: token.as_ref().and_then(|t| t.secret.clone()),
            secret_set_at: token.and_then(|t| t.set_at),
            id_token_write: id_token,
            staged: act.what == What::Stage,
            packages,
            npm_version: self.npm_version.clone(),
            fails_closed: !(act.failure_ignored
                || self.loses_pipes() && act.piped_on
                || self.ignores_failure(step)),
            command: visible(&act.command).into_owned(),
            ..self.empty_path(step, line)
        };
        super::advice::path(self.cx, self.job, Some(act), &mut path, self.parts);
        self.parts.paths.push(path);
    }

    fn known(&mut self, step: &Step<'_, '_>, known: &Known) {
        let dir = step.dir.clone().unwrap_or_default();
        let packages = match known.tool {
            Tool::Npm => self.cx.packages().publishable_at(&dir),
            _ => self.cx.packages().publishable(),
        };
        let registry = known
            .registry_url
            .as_deref()
            .map_or(Registry::Npmjs, registry_of);
        let mut path = PublishPath {
            tool: known.tool,
            tool_version: known.version.clone(),
            registry,
            registry_url: known.registry_url.clone(),
            credential: known.credential,
            secret: known.secret.clone(),
            secret_set_at: known
                .secret
                .as_ref()
                .map(|_| self.place(step.line, step.column)),
            packages,
            fails_closed: !self.ignores_failure(step),
            command: visible(&known.command).into_owned(),
            ..self.empty_path(step, step.line)
        };
        super::advice::path(self.cx, self.job, None, &mut path, self.parts);
        self.parts.paths.push(path);
    }

    fn empty_path(&self, step: &Step<'_, '_>, line: u32) -> PublishPath {
        let ordinal = self.parts.paths.len().saturating_sub(self.first_path);
        PublishPath {
            file: self.job.file.clone(),
            job: self.job.name.clone(),
            ordinal: u32::try_from(ordinal).unwrap_or(u32::MAX),
            step: step.index,
            line,
            column: if line == step.line { step.column } else { 1 },
            step_line: step.line,
            ci: self.job.ci,
            tool: Tool::Other,
            tool_version: None,
            registry: Registry::Npmjs,
            registry_url: None,
            credential: Credential::NoneVisible,
            secret: None,
            secret_set_at: None,
            id_token_write: false,
            environment: self.job.environment.clone(),
            runner: self.job.runner,
            runner_label: self.job.runner_label.clone(),
            reusable: None::<Reusable>,
            calls: None,
            staged: false,
            packages: Vec::new(),
            triggers: self.job.triggers.clone(),
            actions: Vec::new(),
            node_version: self.job.node_version.clone(),
            npm_version: None,
            fails_closed: true,
            blockers: Vec::new(),
            command: String::new(),
        }
    }

    fn ignores_failure(&self, step: &Step<'_, '_>) -> bool {
        step.ignores_failure || self.job.ignores_failure
    }

    /// GitLab's and CircleCI's shells end a job on a failure inside a pipe; the others do not.
    fn loses_pipes(&self) -> bool {
        !matches!(self.job.ci, CiSystem::Gitlab | CiSystem::Circleci)
    }

    /// Names of the packages that one publish reaches, as far as the files tell.
    fn packages(&self, act: &Act) -> Vec<String> {
        let all = self.cx.packages();
        let one = act.inner.unwrap_or(act.tool);
        let single = matches!(
            one,
            Tool::Npm
                | Tool::Pnpm
                | Tool::YarnClassic
                | Tool::YarnBerry
                | Tool::Bun
                | Tool::Np
                | Tool::ReleaseIt
                | Tool::SemanticRelease
        );
        if !act.flags.workspaces.is_empty() {
            let named: Vec<String> = act
                .flags
                .workspaces
                .iter()
                .filter_map(|w| all.named(w).or_else(|| all.at(w)))
                .filter(|m| !m.package.private && !m.package.name.is_empty())
                .map(|m| m.package.name.clone())
                .collect();
            if !named.is_empty() {
                return named;
            }
        } else if single && !act.flags.all_workspaces {
            let here = act
                .dir
                .as_deref()
                .map(|d| all.publishable_at(d))
                .unwrap_or_default();
            if !here.is_empty() {
                return here;
            }
        }
        all.publishable()
    }

    /// The address a publish goes to: its flag, the package, the environment, what steps wrote, the checkout.
    fn address(&self, act: &Act, step: &Step<'_, '_>, packages: &[String]) -> Option<String> {
        if let Some(flag) = &act.flags.registry {
            return Some(self.resolved(flag));
        }
        let all = self.cx.packages();
        let mut own = packages
            .iter()
            .filter_map(|name| all.manifests().iter().find(|m| m.package.name == *name));
        if let Some(address) = own.find_map(|m| m.package.publish_registry.clone()) {
            return Some(address);
        }
        let in_env = act
            .env
            .iter()
            .rev()
            .find(|(name, _)| name.eq_ignore_ascii_case("npm_config_registry"));
        if let Some((_, value)) = in_env {
            return Some(self.resolved(value));
        }
        let set = step.variables.iter().chain(self.exported.iter().rev());
        let set = set
            .chain(&self.job.variables)
            .into_iter()
            .find(|v| v.name.eq_ignore_ascii_case("npm_config_registry"));
        if let Some(variable) = set {
            return Some(self.resolved(&variable.value));
        }
        let scope = packages
            .first()
            .and_then(|p| p.split_once('/'))
            .map_or("", |(scope, _)| scope);
        let scoped = self
            .scoped
            .iter()
            .rev()
            .find(|(s, _)| s == scope || s.contains('$'));
        if let Some(address) = scoped
            .map(|(_, address)| address)
            .or(self.registry.as_ref())
        {
            return Some(self.resolved(address));
        }
        let config = Config::read(self.cx, act.dir.as_deref());
        let committed = config.registry(packages.first().map(String::as_str));
        if let Some(address) = committed {
            return Some(self.resolved(address));
        }
        // Only a login for another registry was written: that is where the publish goes.
        let hosts = self.auths.iter().map(|w| w.auth.host.as_deref());
        let hosts: Option<Vec<&str>> = hosts.collect();
        let hosts = hosts.filter(|all| !all.is_empty() && !self.id_token)?;
        let elsewhere = |host: &&str| {
            matches!(
                registry_of(host),
                Registry::Other | Registry::GithubPackages
            )
        };
        hosts
            .iter()
            .all(elsewhere)
            .then(|| hosts.first().map(|h| format!("https://{h}/")))
            .flatten()
    }

    /// A value with a variable's own value put in, where the files show it.
    fn resolved(&self, value: &str) -> String {
        let name = super::variable_name(value);
        let found = name.and_then(|n| {
            self.exported
                .iter()
                .rev()
                .chain(&self.job.variables)
                .find(|v| v.name == n)
        });
        found.map_or_else(|| value.to_owned(), |v| v.value.clone())
    }

    /// The token that reaches an act, the nearest first.
    fn token(&self, act: &Act, step: &Step<'_, '_>, registry: Registry) -> Option<Token> {
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
    fn at_write(
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

    fn has_id_token(&self, act: &Act, step: &Step<'_, '_>) -> bool {
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

    fn token_use(&mut self, act: &Act, step: &Step<'_, '_>, line: u32, purpose: Purpose) {
        let registry = act
            .flags
            .registry
            .as_deref()
            .map_or(Registry::Npmjs, registry_of);
        let token = self.token(act, step, registry);
        if purpose == Purpose::Install {
            // Installing needs a token only where a configuration hands one over; once a job is enough.
            let configured = !self.auths.is_empty() || self.granted.is_some();
            let configured =
                configured || !Config::read(self.cx, act.dir.as_deref()).auths.is_empty();
            let uses = self.parts.uses.get(self.first_use..).unwrap_or_default();
            if token.is_none() || !configured || uses.iter().any(|u| u.purpose == Purpose::Install)
            {
                return;
            }
        }
        self.parts.uses.push(TokenUse {
            file: self.job.file.clone(),
            job: self.job.name.clone(),
            step: step.index,
            line,
            secret: token.and_then(|t| t.secret),
            purpose,
        });
    }

    /// Output that can show a credential counts only where one is in reach.
    fn leaky(&mut self, act: &Act, step: &Step<'_, '_>, line: u32, rule: &'static str) {
        if self.token(act, step, Registry::Npmjs).is_some() {
            super::advice::leaky(self.job, line, rule, &act.command, self.parts);
        }
    }

    /// A job that is given a token and does nothing with it that can be seen.
    fn unused_tokens(&mut self) {
        let paths = self.parts.paths.len() > self.first_path;
        if paths || self.parts.uses.len() > self.first_use {
            return;
        }
        let own = self.job.variables.iter().filter(|v| !v.wide);
        let steps = self.job.steps.iter().flat_map(|s| &s.variables);
        let found = own
            .chain(steps)
            .find(|v| is_token_name(&v.name) && (!v.value.is_empty() || v.secret.is_some()));
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

    fn place(&self, line: u32, column: u32) -> Place {
        Place {
            file: self.job.file.clone(),
            line,
            column,
            span: (0, 0),
        }
    }
}

fn credential(token: bool, id_token: bool) -> Credential {
    match (token, id_token) {
        (true, true) => Credential::TokenAndOidc,
        (true, false) => Credential::Token,
        (false, true) => Credential::Oidc,
        (false, false) => Credential::NoneVisible,
    }
}

/// The variable that a release tool is given as its token on the command line: `beachball publish -n $(npmToken)`.
fn flag_token(command: &str) -> Option<&str> {
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

/// CircleCI's way to an id token for npm (<https://docs.npmjs.com/trusted-publishers>).
fn mints_npm_token(text: &str) -> bool {
    text.contains("circleci run oidc get")
        && (text.contains("npm:") || text.contains("NPM_ID_TOKEN"))
}
