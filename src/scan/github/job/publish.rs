//! A publish: of what, to which registry, with which credential; and whether an unread script is one.

use super::super::flow::Step;
use super::super::registry;
use super::super::scope::{Level, Scope, Source};
use super::uses::github_reach;
use super::{Here, Publish, Walk};
use crate::scan::tool::{Act, What, variables};
use crate::scan::{Place, Registry, Reusable, Tool};

impl<'d> Walk<'_, 'd> {
    pub(super) fn publish(
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
        for found in registry::tree_auth(&self.checkout.project, act).iter() {
            read_names.extend(variables(&found.auth.value));
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

    pub(super) fn resolve(&self, url: &str, act: &Act, scope: &Scope<'d>) -> String {
        let mut url = public_first(scope.substitute(url)).unwrap_or_default();
        for name in variables(&url) {
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

    pub(super) fn environment_registry(&self, act: &Act, scope: &Scope<'d>) -> Option<String> {
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
    pub(super) fn guess_publishes(&self, act: &Act, scope: &Scope<'d>, here: &Here<'d>) -> bool {
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
}

/// Commands that release something, but not to npm.
pub(super) fn other_business(command: &str) -> bool {
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

/// Of the addresses of a matrix, the one of the public registry counts: one leg goes there.
pub(super) fn public_first(urls: Vec<String>) -> Option<String> {
    let public = urls
        .iter()
        .find(|u| !u.is_empty() && !u.contains('$') && registry::may_be_npmjs(u));
    public.cloned().or_else(|| urls.into_iter().next())
}
