//! What a publish of a job reaches: its packages, and the address they go to.
//!
//! Reads what the judge has gathered so far and the checkout's own configuration; judges no credential.

use super::super::tool::Act;
use super::super::{Registry, Tool};
use super::Step;
use super::credential::{Config, registry_of};
use super::judge::Judge;

impl Judge<'_, '_, '_, '_> {
    /// Names of the packages that one publish reaches, as far as the files tell.
    pub(super) fn packages(&self, act: &Act) -> Vec<String> {
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
    pub(super) fn address(
        &self,
        act: &Act,
        step: &Step<'_, '_>,
        packages: &[String],
    ) -> Option<String> {
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
        if let Some(address) = self.cx.project.lerna_registry(act) {
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
    pub(super) fn resolved(&self, value: &str) -> String {
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
}
