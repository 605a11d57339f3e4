//! Notes, evidence and follow-up work: what is kept beside the decisions.

use super::builder::{DraftEvent, EventBuilder};
use super::days;
use super::refusal::{Refusal, refuse};
use crate::model::event::{Evidence, EvidenceForm, FollowUpDated, Note};
use crate::model::id::Subject;
use chrono::NaiveDate;

/// What somebody writes down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoteAction {
    Add {
        about: Subject,
        text: String,
    },
    /// A file comes with its digest and size: the caller has read it.
    AddEvidence {
        about: Subject,
        form: EvidenceForm,
        what: String,
        digest: Option<String>,
        bytes: Option<u64>,
    },
    DateFollowUp {
        about: Subject,
        on: NaiveDate,
        what: String,
    },
}

impl NoteAction {
    pub(super) fn drafts(&self, make: &EventBuilder<'_>) -> Result<Vec<DraftEvent>, Refusal> {
        Ok(vec![match self {
            Self::Add { about, text } => {
                let text = make.said(text, "a note needs words")?.into();
                make.one(*about, Note { text })
            }
            Self::AddEvidence {
                about,
                form,
                what,
                digest,
                bytes,
            } => {
                make.known(*about)?;
                let what = match form {
                    EvidenceForm::Url => make
                        .link(what, "use --text for anything else")?
                        .ok_or_else(|| refuse("evidence needs an address"))?,
                    EvidenceForm::Text | EvidenceForm::File => {
                        make.said(what, "evidence needs words or a file")?
                    }
                };
                let evidence = Evidence {
                    form: *form,
                    what: what.into(),
                    digest: digest.as_deref().map(Into::into),
                    bytes: *bytes,
                };
                make.one(*about, evidence)
            }
            Self::DateFollowUp { about, on, what } => {
                days::ahead(*on, make.now)?;
                let (on, what) = (*on, make.said(what, "say what is due")?.into());
                make.one(*about, FollowUpDated { on, what })
            }
        }])
    }
}
