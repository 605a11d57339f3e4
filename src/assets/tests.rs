#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use super::*;

#[test]
fn addresses_are_told_apart() {
    let table = registries();
    let npm = npm_host();
    for (address, kind) in [
        (npm_url(), Some(HostKind::Npmjs)),
        (format!("//{npm}/:_authToken"), Some(HostKind::Npmjs)),
        (npm.to_uppercase(), Some(HostKind::Npmjs)),
        (format!("https://user:pw@{npm}:443"), Some(HostKind::Npmjs)),
        (format!("https://{npm}.example.com/"), None),
        (format!("https://example.com/{npm}"), None),
        (format!("https://{npm}@example.com/"), None),
        ("https://example.com/npm/".to_owned(), None),
        (
            "https://acme.jfrog.io/artifactory/api/npm/npm/".to_owned(),
            Some(HostKind::Other),
        ),
        (String::new(), None),
    ] {
        assert_eq!(table.kind_of(&address), kind, "{address}");
    }
    for host in &table.hosts {
        let address = format!(
            "https://x{}{}",
            host.host,
            host.path.as_deref().unwrap_or("/")
        );
        let address = if host.host.starts_with('.') {
            address
        } else {
            address.replacen("//x", "//", 1)
        };
        assert_eq!(table.kind_of(&address), Some(host.kind), "{address}");
    }
    assert!(
        table
            .hosts
            .iter()
            .any(|host| host.kind == HostKind::GithubPackages)
    );
    assert!(
        table
            .hosts
            .iter()
            .any(|host| host.kind == HostKind::NpmjsAlias)
    );
}

/// Gives the tables of a policy that hold values of their own, with their names.
fn sections(name: &str, table: &toml::Table) -> Vec<(String, toml::Table)> {
    let mut found = Vec::new();
    let inner = |value: &toml::Value| match value {
        toml::Value::Table(table) => vec![table.clone()],
        toml::Value::Array(rows) => rows
            .iter()
            .filter_map(|row| row.as_table().cloned())
            .collect(),
        _ => Vec::new(),
    };
    for (key, value) in table {
        for table in inner(value) {
            found.push((format!("{name}.{key}"), table));
        }
    }
    found
}

#[test]
fn every_rule_names_a_public_source() {
    let policy = policy();
    // Names, not rules: what they are from stands beside them.
    let names = [".token_names", ".node_names"];
    for (name, table) in sections("", &policy::raw().unwrap()) {
        let source = table.get("source").and_then(toml::Value::as_str);
        assert_eq!(
            source.is_some_and(|source| source.starts_with("https://")),
            !names.contains(&name.as_str()),
            "{name}"
        );
    }
    assert!(policy.minimum.npm_oidc_publish < policy.minimum.npm_stage);
    assert!(policy.write_token.rotate_after_days < policy.write_token.max_days);
    assert_eq!(policy.minimum.npm_oidc_dist_tag.to_string(), "11.21.0");
}

#[test]
fn the_placeholder_is_filled() {
    assert_eq!(fill("a {{registry}}/ b"), format!("a {}/ b", npm_host()));
    assert!(matches!(fill("${{ secrets.X }}"), Cow::Borrowed(_)));
}

#[test]
fn only_known_regular_files_replace() {
    assert!(matches!(
        template("../policy/npm.toml", None),
        Err(AssetError::Unknown { .. })
    ));
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in REPLACEABLE {
        assert_eq!(template(name, Some(dir.path())).unwrap(), *text);
    }
    fs::create_dir(dir.path().join("themes")).unwrap();
    fs::write(dir.path().join("themes/dark.toml"), "mine").unwrap();
    assert_eq!(
        template("themes/dark.toml", Some(dir.path())).unwrap(),
        "mine"
    );
    let path = dir.path().join("words.txt");
    assert_eq!(replacement(&path, "built in").unwrap(), "built in");
    fs::write(&path, "mine").unwrap();
    assert_eq!(replacement(&path, "built in").unwrap(), "mine");
    fs::write(&path, vec![b'x'; 300 * 1024]).unwrap();
    assert!(matches!(
        replacement(&path, "built in"),
        Err(AssetError::Unfit { .. })
    ));
    fs::write(&path, [0xff]).unwrap();
    assert!(matches!(
        replacement(&path, "built in"),
        Err(AssetError::Unreadable { .. })
    ));
    let link = dir.path().join("link.txt");
    std::os::unix::fs::symlink("/dev/zero", &link).unwrap();
    assert!(matches!(
        replacement(&link, "built in"),
        Err(AssetError::Unfit { .. })
    ));
}
