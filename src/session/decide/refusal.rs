//! Why a decision is refused: what is wrong, and what to do.

/// Why a decision is refused: what is wrong and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Refusal {
    pub what: String,
    pub hint: Option<String>,
}

pub(super) fn refuse(what: impl Into<String>) -> Refusal {
    Refusal {
        what: what.into(),
        hint: None,
    }
}

pub(super) fn refuse_with(what: impl Into<String>, hint: impl Into<String>) -> Refusal {
    Refusal {
        what: what.into(),
        hint: Some(hint.into()),
    }
}
