//! Walks the steps of a job in order: what each publishes, with which credential in reach, to which registry.
//!
//! Composite actions of the checkout are entered with the caller's inputs. Judging the outcome is not done here.

use super::super::checkout::Checkout;
use super::super::tool::{Act, Flags, What};
use super::super::tree::join;
use super::super::{ActionUse, Place, Purpose, Registry, Reusable, TokenUse, Tool};
use super::action::{self, Role};
use super::flow::{Flow, Job, N, Step};
use super::registry;
use super::scope::{
    Bound, Level, Scope, Secrets, Source, is_npm_name, is_read_only_name, may_be_token, secret_of,
};

/// How deep composite actions are entered.
const DEPTH_CAP: u32 = 4;

/// A token that a publish can reach.
#[derive(Debug, Clone)]
pub(super) struct Reach {
    pub level: Level,
    pub secret: Option<String>,
    pub place: Place,
    /// Variable or input that carries it.
    pub name: String,
}

/// A credential written to a configuration file by an earlier step.
#[derive(Debug, Clone)]
struct Written {
    sources: Vec<Source>,
    variables: Vec<String>,
    place: Place,
}

/// What actions/setup-node was told.
#[derive(Debug, Clone, Default)]
pub(super) struct Setup {
    pub uses: String,
    pub place: Place,
    pub registry: bool,
    pub node: Option<String>,
}

/// One publish of a job.
#[derive(Debug, Clone)]
pub(super) struct Publish {
    pub tool: Tool,
    pub inner: Option<Tool>,
    pub version: Option<String>,
    pub staged: bool,
    pub flags: Flags,
    pub sure: bool,
    pub dir: Option<String>,
    pub command: String,
    pub step: u32,
    pub step_line: u32,
    pub line: u32,
    pub column: u32,
    pub fails_closed: bool,
    pub reaches: Vec<Reach>,
    pub registry: Registry,
    pub registry_url: Option<String>,
    pub mirror: bool,
    pub reusable: Option<Reusable>,
    pub calls: Option<String>,
    pub setup: Option<Setup>,
    pub npm_version: Option<String>,
    pub provenance: Option<bool>,
    /// True where a script or foreign action may read variables that the files do not show.
    pub opaque: bool,
    /// Variable names that a configuration file refers to.
    pub read_names: Vec<String>,
}

/// Something of a step that is worth a finding if the job publishes.
#[derive(Debug, Clone)]
pub(super) struct Event {
    pub rule: &'static str,
    pub place: Place,
    pub detail: String,
}

/// What the walk of one job gives.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub publishes: Vec<Publish>,
    pub uses: Vec<TokenUse>,
    pub events: Vec<Event>,
    pub actions: Vec<ActionUse>,
    /// Steps that run commands, other than the publishing ones.
    pub other_steps: u32,
}

/// What a caller hands to a called workflow.
pub(super) struct Binding {
    pub inputs: Vec<Bound>,
    pub secrets: Secrets,
}

/// The step of the workflow itself, while steps of a composite action are walked.
#[derive(Clone)]
struct Here<'d> {
    index: u32,
    line: u32,
    column: u32,
    name: &'d str,
    carries_on: bool,
    /// Set inside a composite action: the line of the `uses`.
    uses: Option<(u32, u32, String)>,
    depth: u32,
}

pub(super) struct Walk<'c, 'd> {
    checkout: &'c Checkout<'c>,
    flows: &'c [Flow<'d>],
    flow: &'c Flow<'d>,
    job: &'c Job<'d>,
    id_token: bool,
    written: Vec<Written>,
    registry: Option<String>,
    bun_registry: Option<String>,
    scoped: Vec<(String, String)>,
    foreign_auth: bool,
    setup: Option<Setup>,
    npm_version: Option<String>,
    opaque: bool,
    pending: Vec<(String, Vec<Source>, Place)>,
    report: Report,
}

/// Walks one job.
pub(super) fn walk<'d>(
    checkout: &Checkout<'_>,
    flows: &[Flow<'d>],
    flow: &Flow<'d>,
    job: &Job<'d>,
    id_token: bool,
    binding: Option<Binding>,
) -> Report {
    let mut scope = Scope::new(flow.file);
    match binding {
        Some(binding) => {
            scope.inputs = binding.inputs;
            scope.secrets = binding.secrets;
            bind_defaults(&mut scope, &flow.inputs);
        }
        None => scope.open_inputs = flow.inputs.clone(),
    }
    scope.matrix.clone_from(&job.matrix);
    scope.push(&flow.env, Level::Workflow);
    scope.push(&job.env, Level::Job);
    if flow.action {
        scope.action_folder = Some(flow.file.rsplit_once('/').map_or("", |(d, _)| d).to_owned());
    }
    let mut walk = Walk {
        checkout,
        flows,
        flow,
        job,
        id_token,
        written: Vec::new(),
        registry: None,
        bun_registry: None,
        scoped: Vec::new(),
        foreign_auth: false,
        setup: None,
        npm_version: None,
        opaque: false,
        pending: Vec::new(),
        report: Report::default(),
    };
    for step in &job.steps {
        let here = Here {
            index: step.index,
            line: step.line,
            column: step.column,
            name: step.name,
            carries_on: step.carries_on || job.carries_on,
            uses: None,
            depth: 0,
        };
        walk.step(step, &mut scope, &here);
    }
    walk.finish()
}

/// Adds the declared defaults of inputs that a caller left out.
pub(super) fn bind_defaults(scope: &mut Scope<'_>, declared: &[(&str, Option<&str>)]) {
    for (name, default) in declared {
        if !scope
            .inputs
            .iter()
            .any(|b| b.name.eq_ignore_ascii_case(name))
        {
            let text = default.unwrap_or("");
            let literal = (!text.contains("${{")).then(|| text.to_owned());
            let sources = scope.sources(text);
            scope.inputs.push(Bound {
                name: (*name).to_owned(),
                sources,
                only: literal.is_some(),
                literal,
            });
        }
    }
}

impl<'d> Walk<'_, 'd> {
    fn finish(mut self) -> Report {
        // What only looks like a publish does not count beside a real one, unless a token stands at its step.
        if self.report.publishes.iter().any(|p| p.sure) {
            self.report
                .publishes
                .retain(|p| p.sure || p.reaches.iter().any(|r| r.level <= Level::Input));
        }
        self.report
    }

    fn step(&mut self, step: &Step<'d>, scope: &mut Scope<'d>, here: &Here<'d>) {
        if step.never || scope.rules_out(step.condition) {
            return;
        }
        let mark = scope.env.len();
        scope.push(&step.env, Level::Step);
        let before = (self.report.publishes.len(), self.report.uses.len());
        if let Some(run) = step.run {
            self.run_node(run, step, scope, here);
        } else if let Some(uses) = step.uses {
            self.uses(uses, step, scope, here);
        }
        if self.report.publishes.len() == before.0 {
            self.report.other_steps += 1;
            if self.report.uses.len() == before.1 {
                self.unknown_use(step, scope, here);
            }
        }
        scope.env.truncate(mark);
        for (name, sources, place) in std::mem::take(&mut self.pending) {
            scope.env.push(super::scope::Seen {
                name: name.into(),
                raw: "".into(),
                sources,
                place,
                level: Level::Written,
            });
        }
    }

    fn folder(&self, step: &Step<'d>, scope: &Scope<'d>) -> Option<String> {
        let Some(text) = step.folder.or(self.job.folder) else {
            return Some(String::new());
        };
        let text = scope.substitute(text).into_iter().next()?;
        if text.contains('$') {
            None
        } else {
            join("", &text)
        }
    }

    fn run_node(&mut self, run: N<'d>, step: &Step<'d>, scope: &Scope<'d>, here: &Here<'d>) {
        let text = run.as_str().unwrap_or("");
        let dir = self.folder(step, scope);
        let mut acts: Vec<Act> = Vec::new();
        for text in scope.substitute(text) {
            for act in self.checkout.project.acts(&text, dir.as_deref()).iter() {
                if !acts.iter().any(|a| {
                    a.line == act.line
                        && a.what == act.what
                        && a.tool == act.tool
                        && a.command == act.command
                }) {
                    acts.push(act.clone());
                }
            }
        }
        self.acts(&acts, Some(run), step, scope, here);
    }

    /// Takes the acts of one step in their order.
    fn acts(
        &mut self,
        acts: &[Act],
        node: Option<N<'d>>,
        step: &Step<'d>,
        scope: &Scope<'d>,
        here: &Here<'d>,
    ) {
        let mut guesses: Vec<&Act> = Vec::new();
        for act in acts {
            let place = self.place(act, node, scope, here);
            match &act.what {
                What::Auth => self.auth(act, &place, scope),
                What::Login => self.login(act, &place, scope),
                What::Registry { url, scope: None } => {
                    self.registry = Some(self.resolve(url, act, scope))
                }
                What::Registry {
                    url,
                    scope: Some(name),
                } => {
                    let url = self.resolve(url, act, scope);
                    self.scoped.push((name.clone(), url));
                }
                What::SetEnv(name, value) => {
                    let sources = scope.shell_sources(value, &act.env);
                    self.pending.push((name.clone(), sources, place));
                }
                What::InstallTool(name) if name == "npm" => {
                    self.npm_version =
                        Some(act.version.clone().unwrap_or_else(|| "latest".to_owned()));
                    let exact = act
                        .version
                        .as_deref()
                        .is_some_and(|v| v.starts_with(|c: char| c.is_ascii_digit()));
                    if !exact {
                        self.event("unpinned-tool", &place, &act.command);
                    }
                }
                What::InstallTool(_) => {}
                What::Publish | What::Stage => {
                    if let Some(publish) = self.publish(act, &place, step, scope, here) {
                        self.report.publishes.push(publish);
                    }
                }
                What::Unread(_) => guesses.push(act),
                What::Install => self.install(act, &place, scope, here),
                What::DistTag => self.token_use(Purpose::DistTag, act, &place, scope, here),
                What::Deprecate => self.token_use(Purpose::Deprecate, act, &place, scope, here),
                What::Unpublish => self.token_use(Purpose::Unpublish, act, &place, scope, here),
                What::Access => self.token_use(Purpose::Access, act, &place, scope, here),
                What::Whoami => {
                    self.token_use(Purpose::Whoami, act, &place, scope, here);
                    self.event("token-probe", &place, &act.command);
                }
                What::Dump | What::Trace => {
                    if !self.reaches(act, scope).is_empty() {
                        let rule = if act.what == What::Trace {
                            "shell-trace"
                        } else {
                            "environment-dump"
                        };
                        self.event(rule, &place, &act.command);
                    }
                }
            }
        }
        let sure = acts
            .iter()
            .any(|a| matches!(a.what, What::Publish | What::Stage));
        for act in guesses {
            let place = self.place(act, node, scope, here);
            self.opaque = true;
            if looks_like_login(&act.command) {
                self.login(act, &place, scope);
            } else if !sure && self.guess_publishes(act, scope, here) {
                if let Some(mut publish) = self.publish(act, &place, step, scope, here) {
                    publish.sure = false;
                    self.report.publishes.push(publish);
                }
                break;
            }
        }
    }

    fn event(&mut self, rule: &'static str, place: &Place, detail: &str) {
        self.report.events.push(Event {
            rule,
            place: place.clone(),
            detail: detail.to_owned(),
        });
    }

    fn place(&self, act: &Act, node: Option<N<'d>>, scope: &Scope<'d>, here: &Here<'d>) -> Place {
        if let Some((line, column, _)) = &here.uses {
            return Place {
                file: self.flow.file.to_owned(),
                line: *line,
                column: *column,
                span: (0, 0),
            };
        }
        let Some(node) = node else {
            return Place {
                file: scope.file.to_owned(),
                line: here.line,
                column: here.column,
                span: (0, 0),
            };
        };
        let first = act.needle.split(' ').next().unwrap_or("");
        let mut line = node.line_within(act.line, &act.needle);
        if !node.is_block() && line == node.line() {
            line = node.line_within(act.line, first);
        }
        Place {
            file: scope.file.to_owned(),
            line,
            column: node.column_within(line, first),
            span: node.span(),
        }
    }

    fn resolve(&self, url: &str, act: &Act, scope: &Scope<'d>) -> String {
        let mut url = public_first(scope.substitute(url)).unwrap_or_default();
        for name in super::super::tool::variables(&url) {
            let local = act
                .env
                .iter()
                .rev()
                .find(|(n, _)| *n == name)
                .map(|(_, v)| v.clone());
            let value = local.or_else(|| scope.lookup(&name).map(|s| s.raw.to_string()));
            if let Some(value) = value.filter(|v| !v.contains('$')) {
                url = url
                    .replace(&format!("${{{name}}}"), &value)
                    .replace(&format!("${name}"), &value);
            }
        }
        url
    }

    fn auth(&mut self, act: &Act, place: &Place, scope: &Scope<'d>) {
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
        let variables = super::super::tool::variables(&auth.value);
        self.written.push(Written {
            sources,
            variables,
            place: place.clone(),
        });
    }

    /// A script or command that logs in: the npm variables in reach of it are then in the configuration.
    fn login(&mut self, act: &Act, place: &Place, scope: &Scope<'d>) {
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
    fn reaches(&self, act: &Act, scope: &Scope<'d>) -> Vec<Reach> {
        let mut out: Vec<Reach> = Vec::new();
        let shadowed: Vec<&str> = act.env.iter().map(|(n, _)| n.as_str()).collect();
        for (name, value) in &act.env {
            if !is_npm_name(name) && !name.to_ascii_lowercase().contains("_authtoken") {
                continue;
            }
            let sources = scope.shell_sources(value, &act.env);
            if may_be_token(&sources) && !is_read_only_name(name) {
                let secret = secret_of(&sources).map(str::to_owned);
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
            if shadowed.contains(&seen.name.as_ref()) || !may_be_token(&seen.sources) {
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
    fn configured(&self, act: &Act, scope: &Scope<'d>, out: &mut Vec<Reach>) {
        for (file, line, auth) in registry::tree_auth(&self.checkout.project, act) {
            if !registry::may_be_npmjs(auth.host.as_deref().unwrap_or("")) {
                continue;
            }
            if auth.literal {
                let place = Place {
                    file,
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
            for name in super::super::tool::variables(&auth.value) {
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

    fn publish(
        &mut self,
        act: &Act,
        place: &Place,
        step: &Step<'d>,
        scope: &Scope<'d>,
        here: &Here<'d>,
    ) -> Option<Publish> {
        let dry = |name: &str| {
            let local = act
                .env
                .iter()
                .rev()
                .find(|(n, _)| n.eq_ignore_ascii_case(name))
                .map(|(_, v)| v.as_str());
            local.or_else(|| {
                scope
                    .effective()
                    .into_iter()
                    .find(|s| s.name.eq_ignore_ascii_case(name))
                    .map(|s| s.raw.as_ref())
            }) == Some("true")
        };
        if act.flags.dry_run
            || dry("npm_config_dry_run")
            || (act.tool == Tool::Nx && dry("NX_DRY_RUN"))
        {
            return None;
        }
        let mut reaches = self.reaches(act, scope);
        for reach in &mut reaches {
            if reach.level == Level::Command {
                reach.place = place.clone();
            }
        }
        let github_token = scope
            .effective()
            .iter()
            .any(|s| s.name == "NODE_AUTH_TOKEN" && s.sources == [Source::GithubToken]);
        let stated = registry::Stated {
            flag: act
                .flags
                .registry
                .as_deref()
                .map(|r| self.resolve(r, act, scope)),
            environment: self.environment_registry(act, scope),
            job: Some(act.inner.unwrap_or(act.tool))
                .filter(|tool| *tool == Tool::Bun)
                .and(self.bun_registry.clone())
                .or_else(|| self.registry.clone()),
            scoped: &self.scoped,
            github_token: github_token && reaches.is_empty()
                || (self.foreign_auth && reaches.is_empty() && !self.id_token),
        };
        let target = registry::classify(&self.checkout.project, act, &stated);
        if target.registry == Registry::GithubPackages && reaches.is_empty() {
            reaches.extend(github_reach(scope));
        }
        let provenance = act.flags.provenance.or_else(|| {
            let seen = scope
                .effective()
                .into_iter()
                .find(|s| s.name.eq_ignore_ascii_case("npm_config_provenance"))?;
            Some(seen.raw.as_ref() == "true")
        });
        let reusable = if here.uses.is_some() {
            Some(Reusable::Caller)
        } else {
            None
        };
        let hides = act.piped_on && step.shell.or(self.job.shell) != Some("bash");
        let version = act.version.clone();
        let mut read_names = Vec::new();
        for written in &self.written {
            read_names.extend(written.variables.iter().cloned());
        }
        for (_, _, auth) in registry::tree_auth(&self.checkout.project, act) {
            read_names.extend(super::super::tool::variables(&auth.value));
        }
        Some(Publish {
            tool: act.tool,
            inner: act.inner,
            version,
            staged: act.what == What::Stage,
            flags: act.flags.clone(),
            sure: act.sure,
            dir: act.dir.clone(),
            command: act.command.clone(),
            step: here.index,
            step_line: here.line,
            line: place.line,
            column: place.column,
            fails_closed: !(here.carries_on || step.carries_on || act.failure_ignored || hides),
            reaches,
            registry: target.registry,
            registry_url: target.url,
            mirror: target.mirror,
            reusable,
            calls: here.uses.as_ref().map(|(_, _, u)| u.clone()),
            setup: self.setup.clone(),
            npm_version: if act.tool == Tool::Npm && act.version.is_some() {
                act.version.clone()
            } else {
                self.npm_version.clone()
            },
            provenance,
            opaque: self.opaque || !act.sure || act.inner.is_some(),
            read_names,
        })
    }

    fn environment_registry(&self, act: &Act, scope: &Scope<'d>) -> Option<String> {
        let names = [
            "npm_config_registry",
            "yarn_npm_publish_registry",
            "yarn_npm_registry_server",
            "yarn_registry",
            "npm_registry",
        ];
        let local = act
            .env
            .iter()
            .rev()
            .find(|(n, _)| names.contains(&n.to_ascii_lowercase().as_str()));
        if let Some((_, value)) = local {
            return Some(self.resolve(value, act, scope));
        }
        let seen = scope
            .effective()
            .into_iter()
            .find(|s| names.contains(&s.name.to_ascii_lowercase().as_str()))?;
        Some(self.resolve(&seen.raw, act, scope))
    }

    /// Decides whether an unread script publishes: by the token it is given, or by its words and an OIDC set-up for npm.
    fn guess_publishes(&self, act: &Act, scope: &Scope<'d>, here: &Here<'d>) -> bool {
        let command = act.command.to_ascii_lowercase();
        let title = here.name.to_ascii_lowercase();
        let job = format!("{} {}", self.job.id, self.job.name).to_ascii_lowercase();
        if other_business(&command) || (command.contains("dry-run") && !command.contains("${{")) {
            return false;
        }
        let reaches = self.reaches(act, scope);
        let near = reaches.iter().any(|r| r.level <= Level::Input);
        // `--no-install` says nothing about what the command does.
        let words: Vec<&str> = command
            .split_whitespace()
            .filter(|w| !w.starts_with('-'))
            .collect();
        let command = words.join(" ");
        let sets_up = [
            "install",
            "bootstrap",
            "setup",
            "lint",
            "test",
            "auth",
            "login",
            "audit",
            "docs",
            "check",
            "e2e",
            "compile",
        ];
        let speaks = |text: &str| {
            let rest = ["prepublish", "postpublish", "unpublish"]
                .iter()
                .fold(text.to_owned(), |rest, no| rest.replace(no, ""));
            rest.contains("publish") || rest.contains("release")
        };
        let busy = |text: &str| sets_up.iter().any(|w| text.contains(w)) && !speaks(text);
        let hints = [&command, &title, &job]
            .iter()
            .any(|t| speaks(t) || t.contains("npm"));
        let shown = match &act.what {
            What::Unread(shown) => shown.to_ascii_lowercase(),
            _ => String::new(),
        };
        // An application is deployed too: only a package can be meant for npm.
        let deploys_packages = || {
            let packages = self.checkout.project.packages;
            let texts = [&command, &shown, &title, &job];
            let told = |t: &&String| t.contains("deploy") || t.contains("ship");
            texts.iter().any(told)
                && (packages.manifests().is_empty() || !packages.publishable().is_empty())
        };
        if busy(&shown) && !shown.contains("npm") {
            return false;
        }
        let hints = hints || deploys_packages();
        if near && hints && !busy(&command) && !busy(&title) {
            return true;
        }
        if !reaches.is_empty() && (speaks(&command) || speaks(&title)) {
            return !busy(&command);
        }
        let npm_named = [&command, &title, &job].iter().any(|t| t.contains("npm"))
            || self
                .job
                .environment
                .is_some_and(|e| e.to_ascii_lowercase().contains("npm"))
            || self.flow.file.contains("npm");
        let npm_setup = self.setup.as_ref().is_some_and(|s| s.registry)
            && registry::may_be_npmjs(self.registry.as_deref().unwrap_or(""));
        let deploys = speaks(&command) || (command.contains("deploy") && command.contains("npm"));
        self.id_token && deploys && (npm_named || npm_setup)
    }

    fn token_use(
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

    fn note_use(
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
    fn install(&mut self, act: &Act, place: &Place, scope: &Scope<'d>, here: &Here<'d>) {
        let near = scope.effective().into_iter().find(|s| {
            (is_npm_name(&s.name) || secret_of(&s.sources).is_some_and(is_npm_name))
                && may_be_token(&s.sources)
        });
        let secret = near.and_then(|s| secret_of(&s.sources)).map(str::to_owned);
        let secret = secret.or_else(|| self.reaches(act, scope).into_iter().find_map(|r| r.secret));
        if secret.is_some() {
            self.note_use(Purpose::Install, place, secret, here);
        }
    }

    /// A step that is given an npm token and does nothing with it that is known.
    fn unknown_use(&mut self, step: &Step<'d>, scope: &Scope<'d>, here: &Here<'d>) {
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

    fn uses(&mut self, uses: N<'d>, step: &Step<'d>, scope: &mut Scope<'d>, here: &Here<'d>) {
        let text = uses.as_str().unwrap_or("").trim();
        if here.uses.is_none() {
            let pinned = action::is_pinned(text);
            if !pinned {
                self.event("unpinned-action", &uses.place(scope.file), text);
            }
            self.report.actions.push(ActionUse {
                uses: text.to_owned(),
                pinned,
                line: uses.line(),
            });
        }
        if let Some(local) = text.strip_prefix("./").or_else(|| text.strip_prefix("$/")) {
            self.composite(local, text, uses, step, scope, here);
            return;
        }
        let with = |name: &str| {
            step.with
                .iter()
                .find(|(n, _)| n.eq_ignore_ascii_case(name))
                .and_then(|(_, v)| v.as_str())
        };
        let role = action::role(text);
        match &role {
            Role::Harmless => {}
            Role::SetupNode => self.setup_node(text, uses, step, scope),
            Role::SetupBun => self.bun_registry = npm_registry_of(step, scope),
            Role::Publish(tool) => self.published_by(*tool, text, uses, step, scope, here),
            Role::PublishIfTrusted(tool) => {
                if self.id_token || !self.given(step, scope).is_empty() {
                    self.published_by(*tool, text, uses, step, scope, here);
                }
            }
            Role::Changesets => self.changesets(text, uses, step, scope, here),
            Role::SemanticRelease => {
                let dir = with("working_directory")
                    .or(with("working-directory"))
                    .unwrap_or("");
                if self.checkout.project.semantic_release_publishes(dir) {
                    self.published_by(Tool::SemanticRelease, text, uses, step, scope, here);
                }
            }
            Role::ReleaseIt => {
                if self.checkout.project.release_it_publishes("", None) {
                    self.published_by(Tool::ReleaseIt, text, uses, step, scope, here);
                }
            }
            Role::Runs(input, prefix) => {
                if let Some(command) = with(input) {
                    let mut texts = scope.substitute(command);
                    let full = format!("{prefix}{}", texts.drain(..).next().unwrap_or_default());
                    let acts = self.checkout.project.acts(&full, Some(""));
                    let node = step
                        .with
                        .iter()
                        .find(|(n, _)| n.eq_ignore_ascii_case(input))
                        .map(|(_, v)| *v);
                    self.acts(&acts, node, step, scope, here);
                }
            }
            Role::Script(input) => {
                let acts = with(input)
                    .map(|code| self.checkout.project.code_acts(code))
                    .unwrap_or_default();
                self.acts(&acts, None, step, scope, here);
            }
            Role::Unknown => {
                self.opaque = true;
                if let Some(url) = npm_registry_of(step, scope) {
                    match with("scope").filter(|s| !s.is_empty()) {
                        Some(name) => self.scoped.push((name.to_owned(), url)),
                        None => self.registry = Some(url),
                    }
                }
                self.vault(text, uses, step, scope);
                self.unknown_action(text, uses, step, scope, here);
            }
        }
    }

    fn setup_node(&mut self, text: &str, uses: N<'d>, step: &Step<'d>, scope: &Scope<'d>) {
        let with = |name: &str| {
            let value = step
                .with
                .iter()
                .find(|(n, _)| n.eq_ignore_ascii_case(name))
                .and_then(|(_, v)| v.as_str())?;
            scope.substitute(value).into_iter().next()
        };
        let url = registry_input(step, scope, "registry-url");
        if let Some(url) = &url {
            match with("scope").filter(|s| !s.is_empty()) {
                Some(name) => self.scoped.push((name, url.clone())),
                None => self.registry = Some(url.clone()),
            }
        }
        let file = with("node-version-file").and_then(|f| self.checkout.project.read(&f));
        let stated = with("node-version").filter(|v| !v.is_empty());
        let node = stated.or_else(|| file.as_deref().and_then(version_in));
        let place = uses.place(scope.file);
        let registry = url.is_some();
        self.setup = Some(Setup {
            uses: text.to_owned(),
            place,
            registry,
            node,
        });
    }

    /// An act made up for an action, so that actions and commands are treated alike.
    fn action_act(&self, tool: Tool, text: &str, step: &Step<'d>, scope: &Scope<'d>) -> Act {
        let with = |name: &str| {
            step.with
                .iter()
                .find(|(n, _)| n.eq_ignore_ascii_case(name))
                .and_then(|(_, v)| v.as_str())
        };
        let on = |names: &[&str]| {
            names
                .iter()
                .any(|n| with(n).is_some_and(|v| v.trim() == "true"))
        };
        let (_, at) = action::split(text);
        let dir = [
            "package",
            "working-directory",
            "working_directory",
            "cwd",
            "root",
        ]
        .iter()
        .find_map(|n| with(n));
        let dir = dir
            .map(|d| d.trim_end_matches("package.json"))
            .filter(|d| !d.contains("${{"));
        let flags = Flags {
            dry_run: on(&["dry-run", "dry_run", "dryRun", "dryrun"]),
            tag: with("tag").map(str::to_owned),
            access: with("access").map(str::to_owned),
            registry: with("registry")
                .filter(|_| tool == Tool::JsDevtoolsNpmPublish)
                .and_then(|r| scope.substitute(r).into_iter().next())
                .or_else(|| npm_registry_of(step, scope)),
            provenance: with("provenance").map(|v| v == "true"),
            ..Flags::default()
        };
        Act {
            what: What::Publish,
            tool,
            inner: None,
            version: at
                .filter(|v| tool == Tool::JsDevtoolsNpmPublish || v.starts_with('v'))
                .map(str::to_owned),
            flags,
            dir: join("", dir.unwrap_or("")),
            env: Vec::new(),
            line: 0,
            command: format!("uses: {text}"),
            needle: text.to_owned(),
            failure_ignored: false,
            piped_on: false,
            via: Vec::new(),
            auth: None,
            sure: true,
        }
    }

    fn published_by(
        &mut self,
        tool: Tool,
        text: &str,
        uses: N<'d>,
        step: &Step<'d>,
        scope: &Scope<'d>,
        here: &Here<'d>,
    ) {
        let act = self.action_act(tool, text, step, scope);
        let place = self.uses_place(uses, scope, here);
        let given = self.given(step, scope);
        if let Some(mut publish) = self.publish(&act, &place, step, scope, here) {
            publish.reaches.extend(given);
            publish.reaches.sort_by_key(|r| r.level);
            self.report.publishes.push(publish);
        }
    }

    fn uses_place(&self, uses: N<'d>, scope: &Scope<'d>, here: &Here<'d>) -> Place {
        match &here.uses {
            Some((line, column, _)) => Place {
                file: self.flow.file.to_owned(),
                line: *line,
                column: *column,
                span: (0, 0),
            },
            None => uses.place(scope.file),
        }
    }

    /// Tokens given to an action by its inputs.
    fn given(&self, step: &Step<'d>, scope: &Scope<'d>) -> Vec<Reach> {
        let mut out = Vec::new();
        for (name, node) in &step.with {
            let sources = scope.sources(node.as_str().unwrap_or(""));
            let secret = secret_of(&sources);
            let lower = name.to_ascii_lowercase();
            let plain = matches!(lower.as_str(), "token" | "auth-token" | "auth_token")
                && !sources.contains(&Source::GithubToken);
            let for_github = secret.is_some_and(|s| {
                !is_npm_name(s)
                    && (s.contains("GITHUB")
                        || s.starts_with("GH_")
                        || s.contains("BOT")
                        || s.contains("PAT"))
            });
            if may_be_token(&sources)
                && !for_github
                && (plain || is_npm_name(name) || secret.is_some_and(is_npm_name))
            {
                let place = node.place(scope.file);
                out.push(Reach {
                    level: Level::Input,
                    secret: secret.map(str::to_owned),
                    place,
                    name: (*name).to_owned(),
                });
            }
        }
        out
    }

    fn changesets(
        &mut self,
        text: &str,
        uses: N<'d>,
        step: &Step<'d>,
        scope: &Scope<'d>,
        here: &Here<'d>,
    ) {
        let Some(command) = step
            .with
            .iter()
            .find(|(n, _)| *n == "publish")
            .and_then(|(_, v)| v.as_str())
        else {
            return;
        };
        if command.trim().is_empty() {
            return;
        }
        let dir = self.folder(step, scope);
        let cwd = step
            .with
            .iter()
            .find(|(n, _)| *n == "cwd")
            .and_then(|(_, v)| v.as_str())
            .map(str::to_owned);
        let dir = cwd.or(dir).unwrap_or_default();
        let command = scope
            .substitute(command)
            .into_iter()
            .next()
            .unwrap_or_default();
        let acts = self.checkout.project.acts(&command, Some(&dir));
        let inner = acts
            .iter()
            .find(|a| matches!(a.what, What::Publish | What::Stage));
        let unread = acts.iter().any(|a| matches!(a.what, What::Unread(_)));
        let known_not = [
            "changeset tag",
            "jsr publish",
            "cargo publish",
            "vsce publish",
        ]
        .iter()
        .any(|c| command.contains(c));
        if inner.is_some_and(|a| a.flags.dry_run)
            || (inner.is_none() && (known_not || !unread && self.tags_only(&command, &dir)))
        {
            return;
        }
        let mut act = self.action_act(Tool::Changesets, text, step, scope);
        act.dir = Some(dir);
        if let Some(inner) = inner {
            act.flags = inner.flags.clone();
            act.what = inner.what.clone();
            act.failure_ignored = inner.failure_ignored;
            act.env.clone_from(&inner.env);
        }
        let place = self.uses_place(uses, scope, here);
        let given = self.given(step, scope);
        if let Some(mut publish) = self.publish(&act, &place, step, scope, here) {
            publish.reaches.extend(given);
            self.report.publishes.push(publish);
        }
    }

    /// True where a `publish` command is a package.json script that is there and publishes nothing.
    fn tags_only(&self, command: &str, dir: &str) -> bool {
        let last = command
            .split_whitespace()
            .find(|w| !matches!(*w, "npm" | "yarn" | "pnpm" | "bun" | "run"));
        let script = last.and_then(|name| self.checkout.project.packages.script(dir, name));
        script.is_some_and(|(_, s)| {
            s.text.contains("changeset tag")
                || s.text.contains("git tag")
                || s.text.contains("jsr publish")
        })
    }

    /// An action that fetches secrets and sets them as variables of later steps.
    fn vault(&mut self, text: &str, uses: N<'d>, step: &Step<'d>, scope: &Scope<'d>) {
        let lower = text.to_ascii_lowercase();
        let fetches = [
            "load-secrets",
            "vault",
            "secretsmanager",
            "secrets-manager",
            "secret-manager",
            "doppler",
            "infisical",
            "get-secret",
            "akeyless",
            "keeper",
        ];
        if !fetches.iter().any(|f| lower.contains(f)) {
            return;
        }
        let mut names: Vec<String> = step
            .env
            .iter()
            .filter(|v| is_npm_name(v.name))
            .map(|v| v.name.to_owned())
            .collect();
        for (_, node) in &step.with {
            let words = node
                .as_str()
                .unwrap_or("")
                .split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            names.extend(
                words
                    .filter(|w| w.chars().all(|c| !c.is_ascii_lowercase()) && is_npm_name(w))
                    .map(str::to_owned),
            );
        }
        names.dedup();
        for name in names {
            self.pending
                .push((name, vec![Source::Computed], uses.place(scope.file)));
        }
    }

    fn unknown_action(
        &mut self,
        text: &str,
        uses: N<'d>,
        step: &Step<'d>,
        scope: &Scope<'d>,
        here: &Here<'d>,
    ) {
        let (name, _) = action::split(text);
        let probe = self.action_act(Tool::Other, text, step, scope);
        let mut near = self.given(step, scope);
        near.retain(|r| is_npm_name(&r.name) || r.secret.as_deref().is_some_and(is_npm_name));
        let from_env = self
            .reaches(&probe, scope)
            .into_iter()
            .filter(|r| r.level <= Level::Input);
        near.extend(from_env);
        if near.is_empty() {
            return;
        }
        // Actions that only write the token to .npmrc: later steps use it.
        if ["npmrc", "npm-token", "npm-auth"]
            .iter()
            .any(|w| name.contains(w))
        {
            let sources = near
                .iter()
                .map(|r| r.secret.clone().map_or(Source::Computed, Source::Secret))
                .collect();
            let place = self.uses_place(uses, scope, here);
            self.written.push(Written {
                sources,
                variables: Vec::new(),
                place,
            });
            return;
        }
        let told = |(key, node): &(&str, N<'d>)| {
            let value = node.as_str().unwrap_or("");
            *key == "publish" && value == "true"
                || value.contains("publish") && !value.contains("${{")
        };
        if action::speaks_of_release(&name) || step.with.iter().any(told) {
            self.published_by(Tool::Other, text, uses, step, scope, here);
            if let Some(last) = self.report.publishes.last_mut() {
                last.sure = false;
            }
        }
    }

    fn composite(
        &mut self,
        local: &str,
        text: &str,
        uses: N<'d>,
        step: &Step<'d>,
        scope: &mut Scope<'d>,
        here: &Here<'d>,
    ) {
        let local = local.trim_end_matches('/');
        let paths = ["action.yml", "action.yaml"].map(|f| join(local, f).unwrap_or_default());
        let flows = self.flows;
        let Some(flow) = flows
            .iter()
            .find(|f| f.action && paths.iter().any(|p| p == f.file))
        else {
            self.opaque = true;
            self.unknown_action(text, uses, step, scope, here);
            return;
        };
        if here.depth >= DEPTH_CAP {
            return;
        }
        let mut inner = Scope::new(flow.file);
        inner.env.clone_from(&scope.env);
        inner.inputs = scope.bind(&step.with);
        bind_defaults(&mut inner, &flow.inputs);
        inner.matrix.clone_from(&scope.matrix);
        inner.action_folder = Some(local.to_owned());
        let mut there = here.clone();
        there.depth += 1;
        if there.uses.is_none() {
            there.uses = Some((uses.line(), uses.column(), text.to_owned()));
        }
        let others = self.report.other_steps;
        for job in &flow.jobs {
            for step in &job.steps {
                self.step(step, &mut inner, &there);
            }
        }
        self.report.other_steps = others;
        let kept: Vec<_> = inner
            .env
            .into_iter()
            .filter(|s| s.level == Level::Written)
            .collect();
        scope.env.extend(kept);
    }
}

/// A registry that an input names, where it names one.
fn registry_input(step: &Step<'_>, scope: &Scope<'_>, input: &str) -> Option<String> {
    let (_, node) = step
        .with
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(input))?;
    public_first(scope.substitute(node.as_str()?)).filter(|url| !url.trim().is_empty())
}

/// Of the addresses of a matrix, the one of the public registry counts: one leg goes there.
fn public_first(urls: Vec<String>) -> Option<String> {
    let public = urls
        .iter()
        .find(|u| !u.is_empty() && !u.contains('$') && registry::may_be_npmjs(u));
    public.cloned().or_else(|| urls.into_iter().next())
}

/// The npm registry that an action is told by an input of that name; other addresses may be anything.
fn npm_registry_of(step: &Step<'_>, scope: &Scope<'_>) -> Option<String> {
    let named = |(name, _): &&(&str, N<'_>)| {
        matches!(
            name.to_ascii_lowercase().as_str(),
            "registry"
                | "registry-url"
                | "registry_url"
                | "npm-registry"
                | "npm-registry-url"
                | "npm_registry"
                | "node-registry-url"
        )
    };
    let (_, node) = step.with.iter().find(named)?;
    let url = scope.substitute(node.as_str()?).into_iter().next()?;
    registry::is_known(&url).then_some(url)
}

/// GitHub's own token where it stands in for an npm token: right for its own registry only.
fn github_reach(scope: &Scope<'_>) -> Option<Reach> {
    let seen = scope
        .effective()
        .into_iter()
        .find(|s| is_npm_name(&s.name) && s.sources == [Source::GithubToken])?;
    Some(Reach {
        level: seen.level,
        secret: Some("GITHUB_TOKEN".to_owned()),
        place: seen.place.clone(),
        name: seen.name.to_string(),
    })
}

/// The value of a flag by which a command is given a token, and whether the flag is for npm's only.
fn token_flag(command: &str) -> Option<(&str, bool)> {
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
fn looks_like_login(command: &str) -> bool {
    let lower = command.to_ascii_lowercase();
    ["auth", "npmrc", "login"].iter().any(|w| lower.contains(w))
        && !lower.contains("publish")
        && !lower.contains("release")
}

/// Commands that release something, but not to npm.
fn other_business(command: &str) -> bool {
    [
        "gh-pages",
        "pages",
        "docker",
        "pypi",
        "crate",
        "helm",
        "vscode",
        "vsce",
        "ovsx",
        "jsr",
        "changelog",
        "release-notes",
        "release_notes",
        "storybook",
        "website",
        "s3",
        "firebase",
        "netlify",
        "vercel",
        "wrangler",
        "github-release",
        "create-release",
        "gh release",
        "maven",
        "sonatype",
        "nuget",
        "brew",
        "snap",
        "chromatic",
        "cdn",
        "docs",
    ]
    .iter()
    .any(|w| command.contains(w))
}

/// Reads a version from .nvmrc, .node-version or .tool-versions.
fn version_in(text: &str) -> Option<String> {
    let line = text.lines().map(str::trim).find(|l| {
        l.starts_with("nodejs ")
            || l.starts_with("node ")
            || l.starts_with('v')
            || l.starts_with(|c: char| c.is_ascii_digit())
            || l.starts_with("lts")
    })?;
    Some(
        line.trim_start_matches("nodejs ")
            .trim_start_matches("node ")
            .trim_start_matches('v')
            .trim()
            .to_owned(),
    )
}
