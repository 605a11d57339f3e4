//! Walks the steps of a job in order: what each publishes, with which credential in reach, to which registry.
//!
//! Composite actions of the checkout are entered with the caller's inputs. Judging the outcome is not done here.

mod changesets;
mod credential;
mod publish;
mod uses;

use std::collections::HashSet;
use std::sync::Arc;

use super::super::checkout::Checkout;
use super::super::script::hides_what_it_runs;
use super::super::tool::{Act, Flags, What};
use super::super::tree::join;
use super::super::{ActionUse, Place, Purpose, Registry, Reusable, TokenUse, Tool};
use super::flow::{Flow, Job, N, Step};
use super::scope::{Bound, Level, Scope, Secrets, Source, is_npm_name, may_be_token, secret_of};
use credential::looks_like_login;

/// How deep composite actions are entered.
const DEPTH_CAP: u32 = 10;
/// Most composite actions that are entered for one job: what calls others twice each grows beyond any use.
const COMPOSITE_CAP: u32 = 500;

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
    /// What was not seen, told whether or not the job publishes.
    pub unseen: Vec<Event>,
    /// Each once, in the order of the steps.
    pub actions: Arc<[ActionUse]>,
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
    /// npm tokens that the text of a step hands to whatever it runs.
    handed: Vec<TokenUse>,
    /// Composite actions entered so far.
    composites: u32,
    actions: Vec<ActionUse>,
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
        handed: Vec::new(),
        composites: 0,
        actions: Vec::new(),
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
        self.tell_handed();
        let mut known = HashSet::new();
        let mut actions = std::mem::take(&mut self.actions);
        actions.retain(|action| known.insert(action.uses.clone()));
        self.report.actions = actions.into();
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
            self.hidden_text(run, scope, here);
            self.handed_tokens(run, scope, here);
        } else if let Some(uses) = step.uses {
            self.uses(uses, step, scope, here);
        }
        if self.report.publishes.len() == before.0 {
            self.report.other_steps += 1;
            if self.report.uses.len() == before.1 {
                self.unknown_use(step, scope, here);
            }
        }
        // What a composite wrote for later steps outlives the step's own variables.
        let written = scope.env.split_off(mark).into_iter();
        scope
            .env
            .extend(written.filter(|seen| seen.level == Level::Written));
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

    /// Says that a text hides what it runs, where it has an npm token in reach.
    fn hidden_text(&mut self, run: N<'d>, scope: &Scope<'d>, here: &Here<'d>) {
        let text = run.as_str().unwrap_or("");
        if !hides_what_it_runs(text) {
            return;
        }
        let token = scope.effective().into_iter().find(|seen| {
            let secret = secret_of(&seen.sources);
            may_be_token(&seen.sources)
                && (is_npm_name(&seen.name) || secret.is_some_and(is_npm_name))
        });
        if let Some(name) = token.map(|seen| seen.name.to_string()) {
            let place = self.uses_place(run, scope, here);
            self.unseen("token-in-unread-text", &place, &name);
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
        let texts = match scope.default_of(text) {
            Some(command) => vec![command.to_owned()],
            None => scope.substitute(text),
        };
        let project = &self.checkout.project;
        let found: Vec<_> = texts
            .iter()
            .map(|text| project.acts(text, dir.as_deref()))
            .collect();
        let mut acts: Vec<&Act> = Vec::new();
        for act in found.iter().flat_map(|acts| acts.iter()) {
            // What one script does twice is told once; a rehearsal before the publish is another thing than the publish.
            if !acts.iter().any(|a| {
                a.line == act.line
                    && a.what == act.what
                    && a.tool == act.tool
                    && a.command == act.command
                    && a.flags.dry_run == act.flags.dry_run
                    && a.flags.registry == act.flags.registry
            }) {
                acts.push(act);
            }
        }
        self.acts(&acts, Some(run), step, scope, here);
    }

    /// Takes the acts of one step in their order.
    fn acts(
        &mut self,
        acts: &[&Act],
        node: Option<N<'d>>,
        step: &Step<'d>,
        scope: &Scope<'d>,
        here: &Here<'d>,
    ) {
        let mut guesses: Vec<&Act> = Vec::new();
        for &act in acts {
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
                    // A range such as `^11.21` keeps to one major, as is advised.
                    let held = act.version.as_deref().is_some_and(|v| {
                        let number = v.trim_start_matches(['^', '~']);
                        number.starts_with(|c: char| c.is_ascii_digit())
                    });
                    if !held {
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
                What::CutShort => self.unseen("follow-limit", &place, &act.command),
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
        // Of several scripts that nobody can read, the one that is called after publishing is meant.
        let named = |a: &&Act| a.command.contains("publish") || looks_like_login(&a.command);
        guesses.sort_by_key(|a| !named(a));
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

    fn unseen(&mut self, rule: &'static str, place: &Place, detail: &str) {
        self.report.unseen.push(Event {
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
}
