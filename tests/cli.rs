//! The command line as people and scripts meet it: standard output, standard error and exit code of the real binary.
//!
//! One test binary; each file below `tests/cli` is one theme. Environment, home, clock and width are the test's own.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stderr
)]

/// Keeps a transcript without repeating the code that made it.
macro_rules! snapshot {
    ($text:expr) => {
        insta::with_settings!({ omit_expression => true }, { insta::assert_snapshot!($text) })
    };
}
pub(crate) use snapshot;

#[path = "cli/bad_input.rs"]
mod bad_input;
#[path = "cli/decisions.rs"]
mod decisions;
#[path = "cli/diagnose.rs"]
mod diagnose;
#[path = "cli/help.rs"]
mod help;
#[path = "cli/identify.rs"]
mod identify;
#[path = "cli/live.rs"]
mod live;
#[path = "cli/place.rs"]
mod place;
#[path = "cli/preflight.rs"]
mod preflight;
#[path = "cli/sessions.rs"]
mod sessions;
#[path = "cli/tokens.rs"]
mod tokens;

#[test]
fn every_file_of_tests_is_declared() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli");
    let declared = std::fs::read_to_string(folder.with_extension("rs")).unwrap();
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if let Some(module) = name.strip_suffix(".rs") {
            assert!(
                declared.contains(&format!("mod {module};")),
                "{name} is not declared in tests/cli.rs"
            );
        }
    }
}
