//! What a session says on paper: its status on one screen, and the runbook summary with a page for each repository.
//!
//! Every text in a document has passed `safe::shown`; a renderer encodes it once more for its sink. A document is the
//! same for the same session and instant: no clock, no host, no order of a map. Nothing is decided here.

pub mod csv;
pub mod json_v1;
pub mod page;
pub mod runbook;
pub mod status;
pub mod table;
pub mod template;

use crate::model::gate::State;
use crate::model::id::Subject;
use crate::model::outcome::{Basis, EndCounts, EndState};
use crate::session::judge::Counts;
use rayon::prelude::*;
use serde::Serialize;

pub use runbook::runbook;
pub use status::status;

/// Why a report could not be written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("could not write the report: {0}")]
    Write(#[from] std::io::Error),
    #[error("the report could not be put into CSV: {0}")]
    Csv(#[from] ::csv::Error),
    #[error(transparent)]
    Asset(#[from] crate::assets::AssetError),
    #[error("the template {name} fails: {why}; mend or remove it to use the built-in one")]
    Template { name: &'static str, why: String },
}

/// Publish paths by end state, whatever it rests on; `attested` says how many of each rest on people's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Ends {
    #[serde(flatten)]
    pub all: ByState,
    pub attested: ByState,
}

/// A count for each end state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct ByState {
    pub proven: usize,
    pub cut_over: usize,
    pub on_demand: usize,
    pub bridged: usize,
    pub manual: usize,
    pub retired: usize,
    pub carried_over: usize,
    pub open: usize,
}

impl ByState {
    fn count(&mut self, state: EndState) -> &mut usize {
        match state {
            EndState::Proven => &mut self.proven,
            EndState::CutOver => &mut self.cut_over,
            EndState::OnDemand => &mut self.on_demand,
            EndState::Bridged => &mut self.bridged,
            EndState::Manual => &mut self.manual,
            EndState::Retired => &mut self.retired,
            EndState::CarriedOver => &mut self.carried_over,
            EndState::Open => &mut self.open,
        }
    }
}

impl Ends {
    /// Adds paths that are in one state.
    pub fn add(&mut self, state: EndState, basis: Basis, count: usize) {
        *self.all.count(state) += count;
        if basis == Basis::Attested {
            *self.attested.count(state) += count;
        }
    }

    /// Reads the counts of a row of the board.
    pub fn of(counts: &EndCounts) -> Self {
        let mut ends = Self::default();
        ends.join(
            counts
                .list()
                .map(|(state, all, attested)| (state, usize::from(all), usize::from(attested))),
        );
        ends
    }

    fn join(&mut self, counts: impl IntoIterator<Item = (EndState, usize, usize)>) {
        for (state, all, attested) in counts {
            *self.all.count(state) += all;
            *self.attested.count(state) += attested;
        }
    }

    /// Gives every state with its count, and how many of those are attested, as the headline orders them.
    pub fn list(mut self) -> [(EndState, usize, usize); EndState::ALL.len()] {
        EndState::ALL.map(|state| {
            let (all, attested) = (*self.all.count(state), *self.attested.count(state));
            (state, all, attested)
        })
    }

    /// Counts all paths.
    pub fn total(&self) -> usize {
        self.list().into_iter().map(|(_, count, _)| count).sum()
    }

    /// Names the states that occur: `210 cut over (12 attested), 94 open`.
    pub fn words(&self) -> String {
        let some = self.list().into_iter().filter(|(_, count, _)| *count > 0);
        let words: Vec<String> = some
            .map(|(state, count, attested)| {
                let word = state.words();
                match attested {
                    0 => format!("{count} {word}"),
                    all if all == count => format!("{count} {word} (attested)"),
                    some => format!("{count} {word} ({some} attested)"),
                }
            })
            .collect();
        if words.is_empty() {
            "no publish path".to_owned()
        } else {
            words.join(", ")
        }
    }
}

/// Gates by verdict. What was attested is counted apart from what was observed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Gates {
    pub passed: usize,
    pub attested: usize,
    pub waived: usize,
    pub blocked: usize,
    pub could_not_look: usize,
    pub not_looked_yet: usize,
}

impl Gates {
    fn add(&mut self, state: State) {
        *match state {
            State::Passed => &mut self.passed,
            State::Attested => &mut self.attested,
            State::Waived => &mut self.waived,
            State::Blocked => &mut self.blocked,
            State::CouldNotLook => &mut self.could_not_look,
            State::NotLooked => &mut self.not_looked_yet,
            State::NotApplicable => return,
        } += 1;
    }

    fn join(&mut self, other: Self) {
        self.passed += other.passed;
        self.attested += other.attested;
        self.waived += other.waived;
        self.blocked += other.blocked;
        self.could_not_look += other.could_not_look;
        self.not_looked_yet += other.not_looked_yet;
    }

    /// Counts the gates that hold nothing up any more.
    pub fn met(&self) -> usize {
        self.passed + self.attested + self.waived
    }

    /// Counts the gates that apply.
    pub fn total(&self) -> usize {
        self.met() + self.blocked + self.could_not_look + self.not_looked_yet
    }

    /// Gives the worst verdict, or none where no gate applies.
    pub fn worst(&self) -> Option<State> {
        [
            (self.blocked, State::Blocked),
            (self.could_not_look, State::CouldNotLook),
            (self.not_looked_yet, State::NotLooked),
            (self.waived, State::Waived),
            (self.attested, State::Attested),
            (self.passed, State::Passed),
        ]
        .into_iter()
        .find_map(|(count, state)| (count > 0).then_some(state))
    }
}

impl From<Counts> for Gates {
    fn from(counts: Counts) -> Self {
        Self {
            passed: counts.passed.into(),
            attested: counts.attested.into(),
            waived: counts.waived.into(),
            blocked: counts.blocked.into(),
            could_not_look: counts.could_not.into(),
            not_looked_yet: counts.not_looked.into(),
        }
    }
}

/// Makes foreign text fit for a document.
fn shown(text: &str) -> String {
    crate::safe::shown::visible(text).into_owned()
}

/// Does what [`shown`] does for what people wrote at length.
fn shown_long(text: &str) -> String {
    crate::safe::shown::visible_within(text, 4_000).into_owned()
}

/// Repositories in their order, worked on in runs: in parallel, and never many pages at a time.
struct Runs<'a>(&'a [Subject]);

/// Pages that are made together.
const RUN: usize = 512;

impl<'a> Runs<'a> {
    fn new(order: &'a [Subject]) -> Self {
        Self(order)
    }

    /// Makes a text of each and hands them on in order.
    fn each(
        &self,
        make: impl Fn(Subject) -> Result<String, Error> + Sync,
        mut give: impl FnMut(String) -> Result<(), Error>,
    ) -> Result<(), Error> {
        for run in self.0.chunks(RUN) {
            let texts: Vec<Result<String, Error>> =
                run.par_iter().map(|repo| make(*repo)).collect();
            for text in texts {
                give(text?)?;
            }
        }
        Ok(())
    }
}
