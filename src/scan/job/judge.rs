//! Walks the steps of a job in order and turns what they do into publish paths, token uses and findings.
//!
//! Owns what one step leaves behind for the next: the folder, written configuration, exported variables, versions.
//! Reads no grammar of any CI system.

use super::super::script::{self, Command};
use super::super::tool::{Act, What};
use super::super::{
    CiSystem, Credential, Place, PublishPath, Purpose, Registry, Reusable, TokenUse, Tool,
};
use super::credential::{Config, Token, Written, registry_of, scoped_registries};
use super::token::mints_npm_token;
use super::{Checkout, Earlier, Found, Job, Known, Step, Variable};
use crate::safe::shown::visible;

/// Most publishes that are told of one job.
const PATH_CAP: usize = 200;

pub(super) struct Judge<'j, 'c, 'd, 's> {
    pub(super) cx: &'j Checkout<'c>,
    pub(super) job: &'j Job<'d, 's>,
    pub(super) parts: &'j mut Found,
    /// Credential lines written by steps so far, oldest first.
    pub(super) auths: Vec<Written>,
    /// Written by jobs before this one.
    pub(super) inherited: Vec<Written>,
    pub(super) fallback: Option<Token>,
    /// Exported by steps so far, oldest first.
    pub(super) exported: Vec<Variable>,
    /// Name of a stored credential set up by a step, or a login.
    pub(super) granted: Option<Token>,
    /// Address that npm was told to use.
    pub(super) registry: Option<String>,
    /// Addresses set for scopes, oldest first.
    pub(super) scoped: Vec<(String, String)>,
    pub(super) npm_version: Option<String>,
    /// True where some step publishes for sure: what only looks like a publish does not count beside it.
    pub(super) sure: bool,
    /// True once an id token for npm was fetched.
    pub(super) id_token: bool,
    /// Folder after the steps so far; `None` where it is not known.
    pub(super) dir: Option<String>,
    /// Index of this job's first path and of its first use.
    pub(super) first_path: usize,
    pub(super) first_use: usize,
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
            sure: job.steps.iter().any(|step| publishes(cx, step)),
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
        self.registry.clone_from(&earlier.registry);
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
        self.handed_tokens();
        self.unused_tokens();
        let publishes = self.parts.paths.len() > self.first_path;
        // A stage that publishes may have set its registry for itself only.
        if self.job.ci == CiSystem::Jenkins && !publishes {
            earlier.registry.clone_from(&self.registry);
        }
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
            What::CutShort => self.cut_short(line),
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
        if self.sure && step.variables.is_empty() {
            return false;
        }
        let other = [
            "dry",
            "unpublish",
            "prepublish",
            "postpublish",
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
            actions: [].into(),
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

    /// Says that what the step runs leads further than was followed.
    fn cut_short(&mut self, line: u32) {
        let job = self.job;
        self.parts.finding(
            "follow-limit",
            &job.file,
            (line, 1),
            job.name.as_deref(),
            "",
        );
    }

    /// Output that can show a credential counts only where one is in reach.
    fn leaky(&mut self, act: &Act, step: &Step<'_, '_>, line: u32, rule: &'static str) {
        if self.token(act, step, Registry::Npmjs).is_some() {
            super::advice::leaky(self.job, line, rule, &act.command, self.parts);
        }
    }

    pub(super) fn place(&self, line: u32, column: u32) -> Place {
        Place {
            file: self.job.file.clone(),
            line,
            column,
            span: (0, 0),
        }
    }
}

/// True for a step whose own words publish: no guess, no rehearsal.
fn publishes(cx: &Checkout<'_>, step: &Step<'_, '_>) -> bool {
    let told = |act: &Act| matches!(act.what, What::Publish | What::Stage) && !act.flags.dry_run;
    step.known.is_some()
        || !step.text.is_empty()
            && (cx
                .project
                .acts(&step.text, step.dir.as_deref().or(Some(""))))
            .iter()
            .any(told)
}

fn credential(token: bool, id_token: bool) -> Credential {
    match (token, id_token) {
        (true, true) => Credential::TokenAndOidc,
        (true, false) => Credential::Token,
        (false, true) => Credential::Oidc,
        (false, false) => Credential::NoneVisible,
    }
}
