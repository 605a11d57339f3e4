//! The tests that use the library, in one binary: it is linked once. What must have a process of its own stands beside it.

mod common;

mod architecture;
mod circles;
mod contract;
mod corpus;
mod demo;
mod fuzz_seeds;
mod gates;
mod github_live;
mod hostile;
mod judge_properties;
mod keys;
mod live;
mod live_again;
mod live_faults;
mod live_screens;
mod npm_lists;
mod preflight;
mod provenance_live;
mod pty;
mod registry_hosts;
mod report;
mod resting;
mod screens;
mod second_factor;
mod secrets;
mod session;
mod tabletop;
mod tabletop_npm;
mod torture;
mod verdaccio;
mod walk;
