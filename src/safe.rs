//! The only door for outside text and secrets: made visible before it reaches a terminal, redacted before it is kept,
//! encoded once per sink. Also starts foreign programs in a narrow environment.
//! Knows nothing of the product's nouns.

pub mod browser;
pub mod json;
pub mod process;
pub mod redact;
pub mod secret;
pub(crate) mod shell;
pub mod shown;
pub mod sink;
