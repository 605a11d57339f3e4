//! `cutover`: a terminal war room that takes an organisation's npm publish paths off long-lived tokens.
//!
//! The library behind the binary. Arrows point down; `tests/it/architecture.rs` holds them:
//!
//! ```text
//! main > cli > commands > tui
//!                 |        |
//!                 |        +-> engine ---> report
//!                 |             |  |         |
//!                 +-> check     |  v         v
//!                 +-> intake    | scan     session > journal
//!                       |       v  |         |         |
//!                       +------> model <-----+---------+
//!                                  |
//!                                safe          assets (data, read by anyone)
//! ```

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
