//! changesets/action: publishes with the command of an input, by names and with a credential that its version decides.

use super::super::super::obstacle;
use super::super::action;
use super::super::flow::Step;
use super::super::scope::{Level, Scope};
use super::uses::input;
use super::{Here, N, Publish, Walk};
use crate::assets::policy;
use crate::scan::tool::What;
use crate::scan::{Place, Tool};

/// The variable that version 1 made an .npmrc of.
const TOKEN: &str = "NPM_TOKEN";

impl<'d> Walk<'_, 'd> {
    pub(super) fn changesets(
        &mut self,
        text: &str,
        uses: N<'d>,
        step: &Step<'d>,
        scope: &Scope<'d>,
        here: &Here<'d>,
    ) {
        let names = ["publish", "publish-script"];
        let mut given = names.iter().filter_map(|name| input(step, name));
        let Some(command) = given.find(|command| !command.trim().is_empty()) else {
            return;
        };
        let cwd = input(step, "cwd").map(str::to_owned);
        let dir = cwd.or_else(|| self.folder(step, scope)).unwrap_or_default();
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
            || (inner.is_none()
                && (known_not
                    || !unread && (is_no_publish(&command) || self.tags_only(&command, &dir))))
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
            self.since_two(text, &publish, &place, step);
            self.report.publishes.push(publish);
        }
    }

    /// What a step for version 1 of the action no longer gets from a newer one: its inputs by the old names, and an
    /// .npmrc of NPM_TOKEN (<https://github.com/changesets/action/releases/tag/v2.0.0>).
    pub(super) fn since_two(
        &mut self,
        uses: &str,
        publish: &Publish,
        place: &Place,
        step: &Step<'d>,
    ) {
        let rule = &policy().changesets_action;
        let (name, _) = action::split(uses);
        let own = ["changesets/action", "changesets/action/publish"];
        let newer = obstacle::action_version(uses).is_some_and(|at| at.is_all_from(&rule.from));
        if !newer || !own.iter().any(|own| name.eq_ignore_ascii_case(own)) {
            return;
        }
        let old: Vec<String> = rule
            .renamed
            .iter()
            .filter(|(old, _)| name.eq_ignore_ascii_case(own[0]) && input(step, old).is_some())
            .map(|(old, new)| format!("{old} is {new}"))
            .collect();
        if !old.is_empty() {
            self.event("changesets-old-inputs", place, &old.join(", "));
        }
        let set = |name: &str| publish.reaches.iter().any(|reach| reach.name == name);
        let written = publish
            .reaches
            .iter()
            .any(|reach| reach.level == Level::Written);
        // With an id token the publish has a credential, and the token is only left over.
        if !self.id_token
            && set(TOKEN)
            && !set("NODE_AUTH_TOKEN")
            && !written
            && !publish.read_names.iter().any(|name| name == TOKEN)
        {
            self.event("changesets-no-npmrc", place, uses);
        }
    }

    /// True where a `publish` command is a package.json script that is there and publishes nothing.
    pub(super) fn tags_only(&self, command: &str, dir: &str) -> bool {
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
}

/// Tells whether every command of a text is one that publishes nothing: it only speaks, or tags.
fn is_no_publish(text: &str) -> bool {
    let tags = |words: &[String]| {
        let tool = words
            .iter()
            .position(|word| word == "changeset" || word.starts_with("@changesets/cli"));
        let verb = tool.and_then(|at| words.get(at + 1));
        verb.is_some_and(|verb| verb == "tag" || verb == "git-tag")
    };
    crate::scan::script::commands(text).iter().all(|command| {
        let first = command.words.first().map(String::as_str);
        matches!(
            first,
            Some("echo" | "printf" | "true" | ":" | "exit" | "git")
        ) || tags(&command.words)
    })
}
