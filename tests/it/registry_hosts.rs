//! Package hosts are named in one data file only; everything else reads them from there.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::fs;
use std::path::{Path, PathBuf};

use cutover::assets::registries;

/// What is not ours: build output, version control, and the list of dependencies.
const LEFT_OUT: &[&str] = &["target", ".git", "Cargo.lock"];

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_symlink() || LEFT_OUT.contains(&name.as_str()) {
            continue;
        }
        if path.is_dir() {
            files(&path, found)
        } else {
            found.push(path)
        }
    }
}

#[test]
fn no_other_file_names_a_package_host() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let table = registries();
    let mut hosts = vec![table.npmjs.host.as_str(), table.npmjs.site.as_str()];
    // A general site is no package host by name alone; neither is a whole domain of a cloud.
    hosts.extend(
        table
            .hosts
            .iter()
            .filter(|host| host.path.is_none() && !host.host.starts_with('.'))
            .map(|host| host.host.as_str()),
    );
    let mut all = Vec::new();
    files(root, &mut all);
    assert!(all.len() > 10, "the walk found only {all:?}");
    let own = root.join("assets/policy/registries.toml");
    assert!(all.contains(&own));
    let mut named = Vec::new();
    for path in all.iter().filter(|path| **path != own) {
        let text = String::from_utf8_lossy(&fs::read(path).unwrap()).to_lowercase();
        named.extend(
            hosts
                .iter()
                .filter(|host| text.contains(*host))
                .map(|host| format!("{}: {host}", path.display())),
        );
    }
    assert_eq!(
        named,
        Vec::<String>::new(),
        "read the host from `assets::registries()` or write {{{{registry}}}}"
    );
}
