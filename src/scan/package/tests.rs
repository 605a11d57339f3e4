#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use proptest::prelude::*;

use super::*;

fn names(packages: &Packages) -> Vec<String> {
    packages.publishable()
}

fn manifest(name: &str) -> String {
    format!(r#"{{"name":"{name}","version":"1.0.0"}}"#)
}

#[test]
fn reads_a_manifest_with_lines() {
    let text = r#"{
  "name": "@acme/ui",
  "private": false,
  "repository": { "type": "git", "url": "git+https://github.com/acme/ui.git", "directory": "packages/ui" },
  "scripts": {
    "build": "tsc",
    "release": "npm run build && changeset publish"
  },
  "publishConfig": { "registry": "https://packages.example/", "access": "public", "provenance": true, "tag": "next" },
  "devDependencies": { "@changesets/cli": "^2.29.0", "typescript": "5" },
  "engines": { "node": ">=22" },
  "packageManager": "pnpm@10.1.0+sha512.aa"
}"#;
    let all = Packages::collect([("packages/ui/package.json", text)]);
    let m = all.at("packages/ui").unwrap();
    assert_eq!(m.package.name, "@acme/ui");
    assert_eq!(
        m.package.publish_registry.as_deref(),
        Some("https://packages.example/")
    );
    assert_eq!(m.package.publish_access.as_deref(), Some("public"));
    assert_eq!(m.package.publish_provenance, Some(true));
    assert_eq!(m.package.publish_tag.as_deref(), Some("next"));
    assert_eq!(m.repository_directory.as_deref(), Some("packages/ui"));
    assert_eq!(m.repository_line, 4);
    assert_eq!(
        m.tools,
        [("@changesets/cli".to_owned(), "^2.29.0".to_owned())]
    );
    let (from, script) = all.script("packages/ui/src", "release").unwrap();
    assert_eq!(
        (from.file.as_str(), script.line),
        ("packages/ui/package.json", 7)
    );
    assert_eq!(
        all.manager("packages/ui"),
        Some((Manager::Pnpm, Some("10.1.0")))
    );
    assert_eq!(
        all.tool_version("packages/ui/lib", "@changesets/cli"),
        Some("^2.29.0")
    );
}

#[test]
fn workspace_forms() {
    let a = manifest("a");
    let b = manifest("b");
    let root = r#"{"name":"root","private":true}"#;
    let cases: &[(&str, &[(&str, &str)])] = &[
        (
            "npm",
            &[(
                "package.json",
                r#"{"name":"root","private":true,"workspaces":["packages/*"]}"#,
            )],
        ),
        (
            "yarn",
            &[(
                "package.json",
                r#"{"private":true,"workspaces":{"packages":["./packages/{a,b}"]}}"#,
            )],
        ),
        (
            "pnpm",
            &[
                ("package.json", root),
                (
                    "pnpm-workspace.yaml",
                    "packages:\n  - 'packages/**'\n  - '!**/x'\n",
                ),
            ],
        ),
        (
            "lerna",
            &[
                ("package.json", root),
                ("lerna.json", r#"{"version":"1.0.0"}"#),
            ],
        ),
        (
            "rush",
            &[(
                "rush.json",
                "{ // c\n \"projects\": [ {\"projectFolder\":\"packages/a\"}, /* x */ {\"projectFolder\":\"packages/b\",}, ] }",
            )],
        ),
        (
            "nx",
            &[
                ("package.json", root),
                ("nx.json", "{}"),
                ("packages/a/project.json", "{}"),
                ("packages/b/project.json", "{}"),
            ],
        ),
    ];
    for (kind, files) in cases {
        let mut files: Vec<(&str, &str)> = files.to_vec();
        files.push(("packages/a/package.json", &a));
        files.push(("packages/b/package.json", &b));
        let x = manifest("x");
        files.push(("other/x/package.json", &x));
        files.push(("packages/a/test/fixtures/x/package.json", &x));
        let all = Packages::collect(files);
        assert_eq!(all.unreadable, [], "{kind}");
        assert_eq!(names(&all), ["a", "b"], "{kind}");
        assert!(all.has_workspaces(), "{kind}");
    }
}

#[test]
fn settings_only_pnpm_file_is_no_workspace() {
    let all = Packages::collect([
        ("package.json", r#"{"name":"a"}"#),
        (
            "pnpm-workspace.yaml",
            "onlyBuiltDependencies:\n  - esbuild\n",
        ),
        ("examples/b/package.json", r#"{"name":"b"}"#),
    ]);
    assert!(!all.has_workspaces());
    assert_eq!(names(&all), ["a"]);
}

#[test]
fn workspaces_inside_fixtures_are_not_ours() {
    let all = Packages::collect([
        ("package.json", r#"{"name":"tool"}"#),
        (
            "test/fixtures/mono/package.json",
            r#"{"name":"m","workspaces":["packages/*"]}"#,
        ),
        (
            "test/fixtures/mono/packages/a/package.json",
            r#"{"name":"a"}"#,
        ),
    ]);
    assert_eq!(names(&all), ["tool"]);
    assert!(!all.has_workspaces());
}

#[test]
fn without_a_root_manifest_loose_packages_count() {
    let all = Packages::collect([
        ("js/package.json", r#"{"name":"a"}"#),
        ("js/examples/x/package.json", r#"{"name":"x"}"#),
    ]);
    assert_eq!(names(&all), ["a"]);
}

#[test]
fn private_and_unnamed_packages_are_not_publishable() {
    let all = Packages::collect([
        ("package.json", r#"{"private":true,"workspaces":["p/*"]}"#),
        ("p/a/package.json", r#"{"name":"a","private":true}"#),
        ("p/b/package.json", r#"{"version":"1.0.0"}"#),
        ("p/c/package.json", r#"{"name":"c","private":"false"}"#),
    ]);
    assert_eq!(names(&all), ["c"]);
    assert_eq!(all.publishable_at("p/a"), Vec::<String>::new());
    assert_eq!(all.publishable_at("./p/c/"), ["c"]);
    assert_eq!(all.list().len(), 2);
}

#[test]
fn yarn_kinds() {
    let cases: &[(&[(&str, &str)], Manager)] = &[
        (
            &[("package.json", "{}"), ("yarn.lock", "")],
            Manager::YarnClassic,
        ),
        (
            &[
                ("package.json", "{}"),
                ("yarn.lock", ""),
                (".yarnrc.yml", ""),
            ],
            Manager::YarnBerry,
        ),
        (
            &[
                ("package.json", "{}"),
                (".yarnrc.yml", ""),
                ("yarn.lock", ""),
            ],
            Manager::YarnBerry,
        ),
        (
            &[
                ("package.json", r#"{"packageManager":"yarn@1.22.22"}"#),
                (".yarnrc.yml", ""),
            ],
            Manager::YarnClassic,
        ),
        (
            &[("package.json", r#"{"packageManager":"yarn@4.9.1"}"#)],
            Manager::YarnBerry,
        ),
        (
            &[(
                "package.json",
                r#"{"volta":{"node":"20.0.0","yarn":"3.6.0"}}"#,
            )],
            Manager::YarnBerry,
        ),
        (&[("package.json", "{}")], Manager::YarnClassic),
        (
            &[
                ("package.json", "{}"),
                ("package-lock.json", ""),
                (".yarnrc.yml", ""),
            ],
            Manager::YarnBerry,
        ),
    ];
    for (files, want) in cases {
        assert_eq!(
            Packages::collect(files.iter().copied()).yarn("sub/dir"),
            *want,
            "{files:?}"
        );
    }
}

#[test]
fn repository_forms() {
    let cases = [
        ("acme/ui", Some(("github.com", "acme/ui"))),
        ("github:acme/ui", Some(("github.com", "acme/ui"))),
        (
            "gitlab:acme/group/ui",
            Some(("gitlab.com", "acme/group/ui")),
        ),
        (
            "https://github.com/Acme/UI",
            Some(("github.com", "Acme/UI")),
        ),
        (
            "git+https://github.com/acme/ui.git",
            Some(("github.com", "acme/ui")),
        ),
        (
            "git://github.com/acme/ui.git#main",
            Some(("github.com", "acme/ui")),
        ),
        (
            "git+ssh://git@github.com/acme/ui.git",
            Some(("github.com", "acme/ui")),
        ),
        (
            "ssh://git@git.acme.example:2222/team/ui.git",
            Some(("git.acme.example", "team/ui")),
        ),
        (
            "git@github.com:acme/ui.git",
            Some(("github.com", "acme/ui")),
        ),
        (
            "https://github.com/acme/ui/tree/main/packages/a",
            Some(("github.com", "acme/ui")),
        ),
        (
            "https://user@gitlab.com/acme/ui/-/tree/main",
            Some(("gitlab.com", "acme/ui")),
        ),
        (
            "https://user:word@github.com/acme/ui.git",
            Some(("github.com", "acme/ui")),
        ),
        ("gist:11081aaa281", None),
        ("ui", None),
        ("", None),
    ];
    for (text, want) in cases {
        let got = repository(text);
        assert_eq!(
            got.as_ref().map(|r| (r.host.as_str(), r.slug.as_str())),
            want,
            "{text}"
        );
    }
}

#[test]
fn bad_files_are_reported_and_do_not_silence_the_rest() {
    let all = Packages::collect([
        ("a/package.json", "{ \"name\": \"a\",\n  oops }"),
        ("pnpm-workspace.yaml", "packages: [\n"),
        ("b/package.json", "\u{feff}{\"name\":\"b\"}"),
        ("c/package.json", "[1]"),
    ]);
    let bad: Vec<(&str, u32)> = all
        .unreadable
        .iter()
        .map(|u| (u.file.as_str(), u.line))
        .collect();
    assert_eq!(bad.len(), 3);
    assert!(bad.contains(&("a/package.json", 2)));
    assert_eq!(names(&all), ["b"]);
}

#[test]
fn globs() {
    let cases = [
        ("packages/*", "packages/a", true),
        ("packages/*", "packages/a/b", false),
        ("packages/**", "packages/a/b", true),
        ("packages/**", "packages/a/examples/b", false),
        ("**/examples/*", "packages/a/examples/b", true),
        ("./packages/a/", "packages/a", true),
        ("**", "x/y/z", true),
        ("a/**/z", "a/z", true),
        ("a/**/z", "a/b/c/z", true),
        ("a/**/z", "a/b/c/y", false),
        ("pkg-*", "pkg-a", true),
        ("p?g", "pkg", true),
        ("*-lib/*", "my-lib/x", true),
        ("packages/*/package.json", "packages/a", true),
        (".", "", true),
    ];
    for (pattern, path, want) in cases {
        let got = Glob::parse(pattern).iter().any(|g| g.matches(path));
        assert_eq!(got, want, "{pattern} on {path}");
    }
}

#[test]
fn hostile_patterns_stay_cheap() {
    let pattern = "**/*a*a*a*a*a*a*b/".repeat(40);
    let path = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/".repeat(40);
    assert!(!Glob::parse(&pattern).iter().any(|g| g.matches(&path)));
    assert!(Glob::parse(&"{a,b,c,d}".repeat(20)).len() <= MAX_FORMS_SEEN);
}

const MAX_FORMS_SEEN: usize = 256;

proptest! {
    #[test]
    fn stripping_comments_keeps_lines_and_strings(text in "[a-z\"/*, \n\\\\\\[\\]{}é]{0,60}") {
        let out = without_comments(&text);
        prop_assert_eq!(out.lines().count(), text.lines().count());
    }

    #[test]
    fn collect_never_panics(path in "[a-z/]{0,12}", text in ".{0,80}") {
        let file = format!("{path}/package.json");
        drop(Packages::collect([(file.as_str(), text.as_str()), ("rush.json", &text), ("pnpm-workspace.yaml", &text)]));
    }

    #[test]
    fn literal_patterns_match_themselves_only(a in "[a-c]{1,3}/[a-c]{1,3}", b in "[a-c]{1,3}/[a-c]{1,3}") {
        prop_assert_eq!(Glob::parse(&a).iter().any(|g| g.matches(&b)), a == b);
    }
}

#[test]
fn odd_shapes_are_passed_over_and_lines_stay_true() {
    let text = r#"{ "scripts": { "a\"b": "x",
    "release": "lerna publish" },
  "dependencies": ["lerna"], "devDependencies": "lerna", "optionalDependencies": null,
  "peerDependencies": { "lerna": 9, "np": "10" },
  "name": "ui",
  "nested": { "name": "other", "repository": "x" },
  "repository": "acme/ui",
  "private": [true]
}"#;
    let all = Packages::collect([("package.json", text)]);
    let m = all.at("").unwrap();
    assert_eq!(all.unreadable, []);
    assert_eq!(m.package.name, "ui");
    assert_eq!(m.repository_line, 7);
    assert_eq!(m.tools, [("np".to_owned(), "10".to_owned())]);
    assert_eq!(all.script("", "release").unwrap().1.line, 2);
    for broken in ["[]", "{\"name\": \"ui\"", "{} {}"] {
        let all = Packages::collect([("package.json", broken)]);
        assert_eq!(all.unreadable.len(), 1, "{broken}");
    }
}
