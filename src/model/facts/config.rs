//! The trust configs that a path needs, and how their validation is planned.

use super::Facts;
use crate::model::decision::{Slot, ValidationPlan, Value};
use crate::model::id::Subject;

/// Tells whether there are trust configs, and each waits for a release that is not due.
pub fn on_demand(facts: &Facts, configs: &[Subject]) -> bool {
    let waits = |config: &Subject| {
        let plan = facts.decision(*config, Slot::Plan).map(|one| &one.value);
        plan == Some(&Value::Plan(ValidationPlan::OnDemand))
    };
    !configs.is_empty() && configs.iter().all(waits)
}

/// Gives the trust configs that one path needs.
pub fn configs_of(facts: &Facts, path: Subject) -> Vec<Subject> {
    let repo = facts.path(path).and_then(|fact| fact.repo);
    let row = repo.and_then(|repo| facts.repos.get(&repo));
    let configs = row.map_or(&[][..], |row| &row.configs).iter();
    let own = |id: &&Subject| {
        facts
            .configs
            .get(id)
            .is_some_and(|config| config.path == path)
    };
    configs.filter(own).copied().collect()
}
