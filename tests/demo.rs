//! The example organisation, read by the very code that reads a real one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::fs;

use chrono::NaiveDate;
use cutover::assets::demo::{self, DemoPaths};
use cutover::intake::inventory::Inventory;
use cutover::intake::npm_tokens::TokenList;
use cutover::intake::sheet::Format;
use cutover::scan::scan_paths;

fn unpacked() -> (tempfile::TempDir, DemoPaths) {
    let dir = tempfile::tempdir().unwrap();
    let today = NaiveDate::from_ymd_opt(2026, 11, 22).unwrap();
    let paths = demo::unpack(dir.path(), today).unwrap();
    (dir, paths)
}

#[test]
fn its_inventory_needs_no_mapping() {
    let (_dir, paths) = unpacked();
    let read = Inventory::read(&fs::read(paths.inventory).unwrap(), Format::Csv, &[]).unwrap();
    assert!(!read.mapping.needs_yes(), "{}", read.mapping.table());
    let mut named: Vec<String> = read.rows.iter().map(|row| row.repo.value.clone()).collect();
    named.sort();
    let mut scanned: Vec<String> = scan_paths(&[paths.repos])
        .into_iter()
        .map(|repo| repo.repo)
        .collect();
    scanned.sort();
    assert_eq!(named, scanned);
}

#[test]
fn its_token_lists_are_read_whole() {
    let (_dir, paths) = unpacked();
    let counts = paths.tokens.iter().map(|(account, path)| {
        let list = TokenList::read(account, &fs::read(path).unwrap()).unwrap();
        assert!(
            list.rows
                .iter()
                .all(|row| row.redacted.is_some() && row.expires.value().is_some())
        );
        (account.as_str(), list.rows.len())
    });
    assert_eq!(counts.collect::<Vec<_>>(), [("acme-bot", 4), ("rosa", 3)]);
}
