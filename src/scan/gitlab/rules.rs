//! What starts a GitLab job: `rules`, `only` and `workflow`, as far as plain comparisons tell.
//!
//! Expressions are not evaluated: what may be true counts.

use super::super::Trigger;
use super::super::yaml::Node;
use super::{At, DEPTH, Pipeline, find};

impl<'t> Pipeline<'t> {
    pub(super) fn triggers(&self, chain: &[At<'_, 't>]) -> Vec<Trigger> {
        let mut found = Vec::new();
        if let Some((rules, at)) = find(chain, "rules") {
            self.rules((rules, at), &mut found, 0);
        } else if let Some((only, _)) = find(chain, "only") {
            only_refs(only.get("refs").unwrap_or(only), &mut found);
        } else if let Some((rules, at)) = find(&self.definitions("workflow"), "rules") {
            self.rules((rules, at), &mut found, 0);
        }
        if found.is_empty() {
            found.push(trigger("push"));
        }
        if find(chain, "when").and_then(|(n, _)| n.as_str()) == Some("manual") {
            found.push(trigger("manual"));
        }
        found.dedup();
        found
    }

    pub(super) fn rules(&self, (rules, file): At<'_, 't>, found: &mut Vec<Trigger>, depth: u32) {
        if depth > DEPTH || found.len() > 200 {
            return;
        }
        if rules
            .tag()
            .is_some_and(|t| t.trim_start_matches('!') == "reference")
        {
            let keys = rules.strings();
            let target = keys.split_first().and_then(|(name, rest)| {
                self.chain(name, 0)
                    .into_iter()
                    .find_map(|(n, at)| Some((n.at(rest)?, at)))
            });
            if let Some(target) = target {
                self.rules(target, found, depth + 1);
            }
            return;
        }
        if rules.is_seq() {
            rules
                .items()
                .into_iter()
                .for_each(|rule| self.rules((rule, file), found, depth + 1));
            return;
        }
        let when = rules.get("when").and_then(Node::as_str);
        if when == Some("never") {
            return;
        }
        let mut one = condition(rules.get("if").and_then(Node::as_str).unwrap_or_default());
        if when == Some("manual")
            && one.branches.is_empty()
            && one.tags.is_empty()
            && one.event == "push"
        {
            one.event = "manual".to_owned();
        }
        if !found.contains(&one) {
            found.push(one);
        }
    }
}

pub(super) fn trigger(event: &str) -> Trigger {
    Trigger {
        event: event.to_owned(),
        branches: Vec::new(),
        tags: Vec::new(),
    }
}

/// What one `rules:if` lets through, as far as its plain comparisons tell.
pub(super) fn condition(text: &str) -> Trigger {
    let mut found = trigger("push");
    for part in text.split("&&").flat_map(|p| p.split("||")) {
        let part = part.trim().trim_matches(['(', ')', ' ']);
        let (name, value) = match part.split_once("==").or_else(|| part.split_once("=~")) {
            Some((name, value)) => (
                name.trim(),
                value.trim().trim_matches(['"', '\'']).to_owned(),
            ),
            None => (part, "*".to_owned()),
        };
        match name.trim_start_matches('$') {
            "CI_COMMIT_TAG" if value != "null" => found.tags.push(value),
            "CI_COMMIT_BRANCH" | "CI_COMMIT_REF_NAME" if value != "null" => {
                found.branches.push(value)
            }
            "CI_PIPELINE_SOURCE" if value != "*" => found.event = value,
            _ => {}
        }
    }
    found
}

/// The words and patterns of `only`.
pub(super) fn only_refs(node: Node<'_, '_>, found: &mut Vec<Trigger>) {
    let mut push = trigger("push");
    for word in node.strings() {
        match word {
            "tags" => push.tags.push("*".to_owned()),
            "branches" => push.branches.push("*".to_owned()),
            "merge_requests" => found.push(trigger("merge_request_event")),
            "schedules" => found.push(trigger("schedule")),
            "api" | "chat" | "external" | "pipelines" | "pushes" | "triggers" | "web" => {
                found.push(trigger(word))
            }
            _ => push.branches.push(word.to_owned()),
        }
    }
    if !push.tags.is_empty() || !push.branches.is_empty() {
        found.insert(0, push);
    }
}
