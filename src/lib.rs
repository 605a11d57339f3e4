//! `cutover`: a terminal war room that takes an organisation's npm publish paths off long-lived tokens.
//!
//! The library behind the binary. What each module owns and may name stands in ARCHITECTURE.md, *Modules*;
//! `tests/it/architecture.rs` holds it. `examples/scan.rs` shows the smallest use.

pub mod assets;
pub mod check;
pub mod cli;
pub mod commands;
pub mod diagnose;
pub mod engine;
pub mod github;
pub mod http;
pub mod intake;
pub mod journal;
pub mod model;
pub mod preflight;
pub mod registry;
pub mod report;
pub mod safe;
pub mod scan;
pub mod session;
pub mod tabletop;
pub mod tui;
