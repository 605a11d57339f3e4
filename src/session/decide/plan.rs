//! Plans: how each trust config is validated, and which repositories go first.

use super::builder::{DraftEvent, EventBuilder};
use super::gate::MAP_BY_HAND;
use super::refusal::{Refusal, refuse, refuse_with};
use crate::model::decision::ValidationPlan;
use crate::model::event::{CanariesChosen, RepresentativesChosen, ValidationPlanned};
use crate::model::gate::{GateId, View, judge};
use crate::model::id::{Kind, Subject};
use crate::session::name::label;

/// What somebody plans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlanAction {
    Validation {
        configs: Vec<Subject>,
        plan: ValidationPlan,
        note: String,
    },
    ChooseRepresentatives {
        repos: Vec<Subject>,
    },
    ChooseCanaries {
        repos: Vec<Subject>,
    },
}

impl PlanAction {
    pub(super) fn drafts(&self, make: &EventBuilder<'_>) -> Result<Vec<DraftEvent>, Refusal> {
        match self {
            Self::Validation {
                configs,
                plan,
                note,
            } => make.each(configs, Kind::Config, |config| {
                mapped(make, config)?;
                let (plan, note) = (*plan, make.text(note)?.into());
                Ok(ValidationPlanned { plan, note }.into())
            }),
            Self::ChooseRepresentatives { repos } => {
                let repos = cohort(make, repos)?;
                Ok(vec![
                    make.one(Subject::SESSION, RepresentativesChosen { repos }),
                ])
            }
            Self::ChooseCanaries { repos } => {
                let repos = cohort(make, repos)?;
                Ok(vec![make.one(Subject::SESSION, CanariesChosen { repos })])
            }
        }
    }
}

/// Refuses to plan for a trust config whose package is a guess.
fn mapped(make: &EventBuilder<'_>, config: Subject) -> Result<(), Refusal> {
    let facts = &make.fold.facts;
    let Some(path) = facts.configs.get(&config).map(|config| config.path) else {
        return Ok(());
    };
    let verdict = judge(&View::new(facts, path, make.now), GateId::PACKAGES_MAPPED);
    match verdict.state.is_met() {
        true => Ok(()),
        false => Err(refuse_with(
            format!(
                "which packages {} publishes is not known (gate packages-mapped): {}",
                label(facts, path),
                verdict.why
            ),
            MAP_BY_HAND,
        )),
    }
}

/// Returns the repositories of a sample, each once.
fn cohort(make: &EventBuilder<'_>, repos: &[Subject]) -> Result<Box<[Subject]>, Refusal> {
    for repo in repos {
        make.known(*repo)?;
        if repo.kind != Kind::Repo {
            return Err(refuse("only repositories can be selected"));
        }
    }
    let mut repos = repos.to_vec();
    repos.sort_unstable();
    repos.dedup();
    Ok(repos.into())
}
