//! Reads one checkout and prints what publishes to npm there, with what.
//!
//!     cargo run --example scan -- PATH
#![allow(clippy::print_stdout)]

use cutover::safe::shown::visible;
use cutover::scan::scan_folder;
use std::path::PathBuf;

fn main() {
    let path = std::env::args_os()
        .nth(1)
        .map_or_else(|| PathBuf::from("."), PathBuf::from);
    let today = chrono::Utc::now().date_naive();
    let scan = scan_folder(&path, today);
    // Names come from files that others wrote: nothing of them reaches a terminal as it is.
    for publish in &scan.publish_paths {
        let job = publish.job.as_deref().unwrap_or("(no job)");
        let place = format!("{}:{} {job}", publish.file, publish.line);
        println!(
            "{}  {:?} with {:?}",
            visible(&place),
            publish.tool,
            publish.credential
        );
    }
    for finding in &scan.findings {
        println!(
            "{}:{}  {}",
            visible(&finding.file),
            finding.line,
            finding.message
        );
    }
}
