//! Steps that use an action: what is known of it, what it is told, and the composite actions of the checkout.

use super::super::action::{self, Role};
use super::super::flow::{N, Step};
use super::super::registry;
use super::super::scope::{Level, Scope, Source, is_npm_name, may_be_token, secret_of};
use super::publish::public_first;
use super::{COMPOSITE_CAP, DEPTH_CAP, Here, Reach, Setup, Walk, Written, bind_defaults};
use crate::scan::tool::{Act, Flags, What};
use crate::scan::tree::join;
use crate::scan::{ActionUse, Place, Tool};

impl<'d> Walk<'_, 'd> {
    pub(super) fn uses(
        &mut self,
        uses: N<'d>,
        step: &Step<'d>,
        scope: &mut Scope<'d>,
        here: &Here<'d>,
    ) {
        let text = uses.as_str().unwrap_or("").trim();
        if here.uses.is_none() {
            let pinned = action::is_pinned(text);
            if !pinned {
                self.event("unpinned-action", &uses.place(scope.file), text);
            }
            self.actions.push(ActionUse {
                uses: text.to_owned(),
                pinned,
                line: uses.line(),
            });
        }
        if let Some(local) = text.strip_prefix("./").or_else(|| text.strip_prefix("$/")) {
            self.composite(local, text, uses, step, scope, here);
            return;
        }
        let with = |name: &str| input(step, name);
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
                    let node = input_node(step, input);
                    self.acts(&acts.iter().collect::<Vec<_>>(), node, step, scope, here);
                }
            }
            Role::Script(input) => {
                let acts = with(input)
                    .map(|code| self.checkout.project.code_acts(code))
                    .unwrap_or_default();
                self.acts(&acts.iter().collect::<Vec<_>>(), None, step, scope, here);
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

    pub(super) fn setup_node(
        &mut self,
        text: &str,
        uses: N<'d>,
        step: &Step<'d>,
        scope: &Scope<'d>,
    ) {
        let with = |name: &str| scope.substitute(input(step, name)?).into_iter().next();
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
    pub(super) fn action_act(
        &self,
        tool: Tool,
        text: &str,
        step: &Step<'d>,
        scope: &Scope<'d>,
    ) -> Act {
        let with = |name: &str| input(step, name);
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
            version: match tool {
                // The action's own version is not the tool's: https://github.com/cycjimmy/semantic-release-action
                Tool::SemanticRelease => with("semantic_version").map(str::to_owned),
                _ => at
                    .filter(|v| tool == Tool::JsDevtoolsNpmPublish || v.starts_with('v'))
                    .map(str::to_owned),
            },
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

    pub(super) fn published_by(
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
            self.since_two(text, &publish, &place, step);
            self.report.publishes.push(publish);
        }
    }

    pub(super) fn uses_place(&self, uses: N<'d>, scope: &Scope<'d>, here: &Here<'d>) -> Place {
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
    pub(super) fn given(&self, step: &Step<'d>, scope: &Scope<'d>) -> Vec<Reach> {
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

    /// An action that fetches secrets and sets them as variables of later steps.
    pub(super) fn vault(&mut self, text: &str, uses: N<'d>, step: &Step<'d>, scope: &Scope<'d>) {
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
            "release-secrets",
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
            // A composite hands its own input on.
            for text in scope.substitute(node.as_str().unwrap_or("")) {
                let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
                names.extend(
                    words
                        .filter(|w| w.chars().all(|c| !c.is_ascii_lowercase()) && is_npm_name(w))
                        .map(str::to_owned),
                );
            }
        }
        names.dedup();
        for name in names {
            self.pending
                .push((name, vec![Source::Computed], uses.place(scope.file)));
        }
    }

    pub(super) fn unknown_action(
        &mut self,
        text: &str,
        uses: N<'d>,
        step: &Step<'d>,
        scope: &Scope<'d>,
        here: &Here<'d>,
    ) {
        let (name, _) = action::split(text);
        // Actions that only write the token to .npmrc: later steps use it.
        let writes = ["npmrc", "npm-token", "npm-auth"]
            .iter()
            .any(|w| name.contains(w));
        let told = |(key, node): &(&str, N<'d>)| {
            let value = node.as_str().unwrap_or("");
            *key == "publish" && value == "true"
                || value.contains("publish") && !value.contains("${{")
        };
        let title = here.name.to_ascii_lowercase();
        // The step's own name may say what the action's does not.
        let titled = || {
            (title.contains("publish") || title.contains("release"))
                && action::speaks_of_release(&format!("publish {name}"))
        };
        let speaks = action::speaks_of_release(&name) || step.with.iter().any(told) || titled();
        if !writes && !speaks {
            return;
        }
        let probe = self.action_act(Tool::Other, text, step, scope);
        let mut near = self.given(step, scope);
        near.retain(|r| is_npm_name(&r.name) || r.secret.as_deref().is_some_and(is_npm_name));
        let from_env = self
            .reaches(&probe, scope)
            .into_iter()
            .filter(|r| r.level <= Level::Input);
        near.extend(from_env);
        if near.is_empty() && !(speaks && self.may_exchange(&name)) {
            return;
        }
        if writes {
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
        self.published_by(Tool::Other, text, uses, step, scope, here);
        if let Some(last) = self.report.publishes.last_mut() {
            last.sure = false;
        }
    }

    /// Tells whether an action that speaks of publishing may do so by OIDC: the job may mint id tokens, and job,
    /// environment or action name npm.
    fn may_exchange(&self, name: &str) -> bool {
        let environment = self.job.environment.unwrap_or_default();
        let npm = [name, self.job.id, environment]
            .iter()
            .any(|one| one.to_ascii_lowercase().contains("npm"));
        self.id_token && npm && !self.checkout.project.packages.publishable().is_empty()
    }

    /// Takes off the folder that a checkout step of this job puts the repository into (its input `path`).
    fn below_checkout<'p>(&self, local: &'p str) -> Option<&'p str> {
        self.job.steps.iter().find_map(|step| {
            let (name, _) = action::split(step.uses?.as_str()?);
            let own = input(step, "repository").is_none_or(|r| r.contains("github.repository"));
            let folder = input(step, "path").filter(|_| own && name == "actions/checkout")?;
            let folder = folder.trim_start_matches("./").trim_end_matches('/');
            local.strip_prefix(folder)?.strip_prefix('/')
        })
    }

    pub(super) fn composite(
        &mut self,
        local: &str,
        text: &str,
        uses: N<'d>,
        step: &Step<'d>,
        scope: &mut Scope<'d>,
        here: &Here<'d>,
    ) {
        let local = local.trim_end_matches('/');
        let flows = self.flows;
        let at = |folder: &str| {
            let paths = ["action.yml", "action.yaml"].map(|f| join(folder, f).unwrap_or_default());
            let mut actions = flows.iter().filter(|f| f.action);
            actions.find(|f| paths.iter().any(|p| p == f.file))
        };
        let inside = |flow| (local, flow);
        let Some((local, flow)) = at(local).map(inside).or_else(|| {
            let local = self.below_checkout(local)?;
            Some((local, at(local)?))
        }) else {
            self.opaque = true;
            self.unknown_action(text, uses, step, scope, here);
            return;
        };
        self.composites += 1;
        if here.depth >= DEPTH_CAP || self.composites > COMPOSITE_CAP {
            let place = self.uses_place(uses, scope, here);
            return self.unseen("follow-limit", &place, text);
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
        let added = inner.env.into_iter().skip(scope.env.len());
        let kept: Vec<_> = added.filter(|s| s.level == Level::Written).collect();
        scope.env.extend(kept);
    }
}

/// Gives an input of a step as written.
pub(super) fn input<'d>(step: &Step<'d>, name: &str) -> Option<&'d str> {
    input_node(step, name)?.as_str()
}

fn input_node<'d>(step: &Step<'d>, name: &str) -> Option<N<'d>> {
    let mut with = step.with.iter();
    let (_, node) = with.find(|(n, _)| n.eq_ignore_ascii_case(name))?;
    Some(*node)
}

/// A registry that an input names, where it names one.
pub(super) fn registry_input(step: &Step<'_>, scope: &Scope<'_>, name: &str) -> Option<String> {
    public_first(scope.substitute(input(step, name)?)).filter(|url| !url.trim().is_empty())
}

/// The npm registry that an action is told by an input of that name; other addresses may be anything.
pub(super) fn npm_registry_of(step: &Step<'_>, scope: &Scope<'_>) -> Option<String> {
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
pub(super) fn github_reach(scope: &Scope<'_>) -> Option<Reach> {
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

/// Reads a version from .nvmrc, .node-version or .tool-versions.
pub(super) fn version_in(text: &str) -> Option<String> {
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
