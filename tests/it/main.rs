//! The tests that use the library, in one binary: it is linked once. A test that needs a process of its own runs
//! this program again.

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
mod npm_config;
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

#[test]
#[expect(clippy::expect_used, reason = "a test may fail so")]
fn every_file_of_tests_is_declared() {
    let declared = include_str!("main.rs");
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    for entry in std::fs::read_dir(folder).expect("tests/it") {
        let name = entry.expect("an entry").file_name();
        let name = name.to_string_lossy();
        if let Some(module) = name.strip_suffix(".rs").filter(|name| *name != "main") {
            assert!(
                declared.contains(&format!("mod {module};")),
                "{name} is not declared in tests/it/main.rs"
            );
        }
    }
}
