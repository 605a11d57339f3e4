#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
use super::*;
use crate::check::tests::Repo;
use crate::scan::tree::{FileKind, SIZE_CAP};

const FLOW: &str = ".github/workflows/a.yml";

fn open(repo: &Repo) -> Checkout {
    Checkout::open(repo.path(), std::env::var_os("PATH").as_deref()).unwrap()
}

#[test]
fn a_commit_reads_like_a_folder() {
    let Some(repo) = Repo::new() else { return };
    repo.write(FLOW, "on: push\n");
    repo.write("node_modules/x/package.json", "{}");
    repo.write("scripts/x.sh", "npm publish\n");
    repo.write("ü \t\"x\"/package.json", "{}");
    repo.write("big/package.json", &"x".repeat(5000));
    std::os::unix::fs::symlink(
        "/etc/passwd",
        repo.path().join(".github/workflows/link.yml"),
    )
    .unwrap();
    std::fs::write(repo.path().join("raw.yml"), b"\xff\xfe").unwrap();
    let commit = repo.commit("one");
    repo.write(FLOW, "on: later\n");
    let checkout = open(&repo);
    let tree = checkout.tree(&commit).unwrap();
    let seen: Vec<(&str, FileKind, bool)> = tree
        .entries()
        .iter()
        .map(|e| (e.path.as_str(), e.kind, e.regular))
        .collect();
    assert_eq!(
        seen,
        [
            (FLOW, FileKind::GithubWorkflow, true),
            (
                ".github/workflows/link.yml",
                FileKind::GithubWorkflow,
                false
            ),
            ("big/package.json", FileKind::PackageJson, true),
            ("ü \t\"x\"/package.json", FileKind::PackageJson, true),
        ]
    );
    assert_eq!(tree.read(FLOW, SIZE_CAP).unwrap(), "on: push\n");
    assert_eq!(
        tree.read("scripts/x.sh", SIZE_CAP).unwrap(),
        "npm publish\n"
    );
    assert_eq!(
        tree.read(".github/workflows/link.yml", SIZE_CAP),
        Err(TreeError::NotRegular)
    );
    assert_eq!(
        tree.read("big/package.json", 100),
        Err(TreeError::TooLarge {
            size: 5000,
            cap: 100
        })
    );
    assert_eq!(tree.read("raw.yml", SIZE_CAP), Err(TreeError::NotText));
    assert_eq!(tree.read("none", SIZE_CAP), Err(TreeError::Missing));
    // The pipe is still in step after a file that was too large.
    assert_eq!(tree.read(FLOW, SIZE_CAP).unwrap(), "on: push\n");
    assert_eq!(tree.commit(), Some(commit.as_str()));
}

#[test]
fn the_base_is_named_or_where_the_change_left_its_target() {
    let Some(repo) = Repo::new() else { return };
    repo.write(FLOW, "on: push\n");
    let fork = repo.commit("one");
    repo.git(&["update-ref", "refs/remotes/origin/main", &fork]);
    repo.git(&["checkout", "-q", "-b", "change"]);
    repo.write(FLOW, "on: later\n");
    let head = repo.commit("two");
    let checkout = open(&repo);
    assert_eq!(checkout.base(None, Some("main")).unwrap(), fork);
    assert_eq!(checkout.base(Some("HEAD"), Some("main")).unwrap(), head);
    assert_eq!(checkout.base(Some(&fork[..10]), None).unwrap(), fork);
    assert!(matches!(
        checkout.base(None, None),
        Err(BaseError::NoTarget)
    ));
    let missing = checkout
        .base(None, Some("release"))
        .unwrap_err()
        .to_string();
    assert!(
        missing.contains("origin/release") && missing.contains("fetch-depth: 0"),
        "{missing}"
    );
    let missing = checkout
        .base(Some(&"a".repeat(40)), None)
        .unwrap_err()
        .to_string();
    assert!(missing.contains("fetch-depth: 0"), "{missing}");
    for bad in ["--exec=x", "-x", "", "HEAD:file", "a\nb"] {
        assert!(
            matches!(
                checkout.base(Some(bad), None),
                Err(BaseError::BadRevision(_))
            ),
            "{bad:?}"
        );
    }
    assert!(matches!(
        checkout.base(Some("no such..thing"), None),
        Err(BaseError::NotHere(_))
    ));
    // From a folder below the top as well.
    let below = Checkout::open(
        &repo.path().join(".github/workflows"),
        std::env::var_os("PATH").as_deref(),
    );
    assert_eq!(below.unwrap().base(None, Some("main")).unwrap(), fork);
}

#[test]
fn a_shallow_clone_says_what_to_fetch() {
    let Some(repo) = Repo::new() else { return };
    repo.write(FLOW, "on: push\n");
    repo.commit("one");
    repo.git(&["branch", "side"]);
    repo.write(FLOW, "on: later\n");
    repo.commit("two");
    repo.git(&["checkout", "-q", "side"]);
    repo.write("x", "x");
    repo.commit("three");
    let Some(clone) = Repo::new() else { return };
    let url = format!("file://{}", repo.path().display());
    clone.git(&[
        "fetch",
        "-q",
        "--depth=1",
        &url,
        "main:refs/remotes/origin/main",
        "side:refs/heads/side",
    ]);
    clone.git(&["checkout", "-q", "side"]);
    let error = open(&clone).base(None, Some("main")).unwrap_err();
    assert!(matches!(error, BaseError::NoCommonHistory(_)), "{error}");
    assert!(error.to_string().contains("fetch-depth: 0"));
}

#[test]
fn no_checkout_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let path = std::env::var_os("PATH");
    assert!(matches!(
        Checkout::open(dir.path(), path.as_deref()),
        Err(BaseError::NoCheckout(_))
    ));
}

#[test]
fn git_is_not_taken_from_the_checkout() {
    let Some(repo) = Repo::new() else { return };
    repo.program("bin/git", "exit 0");
    let error = Checkout::open(repo.path(), Some(repo.path().join("bin").as_os_str()));
    assert!(matches!(error, Err(BaseError::Process(_))));
}

/// Every occasion on which a checkout's own config, attributes or hooks can name a program.
#[test]
fn a_hostile_checkout_runs_nothing() {
    let Some(repo) = Repo::new() else { return };
    repo.write(FLOW, "on: push\n");
    repo.write("lost.yml", "gone: true\n");
    repo.write(".gitattributes", "* filter=evil diff=evil merge=evil\n");
    let commit = repo.commit("one");
    repo.git(&["update-ref", "refs/remotes/origin/main", &commit]);
    let lost = repo.git(&["rev-parse", "HEAD:lost.yml"]);
    let marker = repo.outside().join("ran");
    let evil = repo.program(
        "evil.sh",
        &format!("echo \"$0 $*\" >> '{}'", marker.display()),
    );
    for (key, value) in [
        ("core.fsmonitor", evil.as_str()),
        (
            "core.hooksPath",
            &repo.path().join("hooks").to_string_lossy(),
        ),
        ("core.sshCommand", &evil),
        ("core.pager", &evil),
        ("pager.rev-parse", &evil),
        ("pager.cat-file", &evil),
        ("pager.ls-tree", &evil),
        ("core.editor", &evil),
        ("sequence.editor", &evil),
        ("core.askPass", &evil),
        ("core.gitProxy", &evil),
        ("core.alternateRefsCommand", &evil),
        ("credential.helper", &evil),
        ("gpg.program", &evil),
        ("gpg.ssh.program", &evil),
        ("log.showSignature", "true"),
        ("diff.external", &evil),
        ("diff.evil.command", &evil),
        ("diff.evil.textconv", &evil),
        ("filter.evil.clean", &evil),
        ("filter.evil.smudge", &evil),
        ("filter.evil.process", &evil),
        ("filter.evil.required", "true"),
        ("merge.evil.driver", &evil),
        ("uploadpack.packObjectsHook", &evil),
        ("alias.rev-parse", &format!("!{evil}")),
        ("alias.cat-file", &format!("!{evil}")),
        ("alias.ls-tree", &format!("!{evil}")),
        ("alias.merge-base", &format!("!{evil}")),
        ("protocol.allow", "always"),
        ("protocol.ext.allow", "always"),
        ("core.repositoryFormatVersion", "1"),
        ("extensions.partialClone", "origin"),
        ("remote.origin.promisor", "true"),
        ("remote.origin.partialCloneFilter", "blob:none"),
        ("remote.origin.url", &format!("ext::{evil} %S")),
        ("remote.origin.uploadpack", &evil),
        ("remote.origin.vcs", "ext"),
        (
            "trace2.eventTarget",
            &repo.outside().join("trace").to_string_lossy(),
        ),
        ("user.name", "Mallory"),
    ] {
        repo.git(&["config", key, value]);
    }
    for hook in [
        "post-checkout",
        "reference-transaction",
        "post-index-change",
        "pre-commit",
        "query-watchman",
        "pre-auto-gc",
    ] {
        for folder in ["hooks", ".git/hooks"] {
            repo.program(
                &format!("{folder}/{hook}"),
                &format!("echo {hook} >> '{}'", marker.display()),
            );
        }
    }
    // The blob is missing, so that a partial clone would fetch it through the hostile remote.
    std::fs::remove_file(
        repo.path()
            .join(".git/objects")
            .join(&lost[..2])
            .join(&lost[2..]),
    )
    .unwrap();
    let _ = std::fs::remove_file(&marker);

    let checkout = open(&repo);
    let base = checkout.base(None, Some("main")).unwrap();
    assert_eq!(base, commit);
    let tree = checkout.tree(&base).unwrap();
    assert_eq!(tree.read(FLOW, SIZE_CAP).unwrap(), "on: push\n");
    assert_eq!(
        tree.read("lost.yml", SIZE_CAP),
        Err(TreeError::Unreadable(NOT_HERE.to_owned()))
    );
    assert_eq!(tree.read(FLOW, SIZE_CAP).unwrap(), "on: push\n");
    drop(tree);
    assert!(
        !marker.exists(),
        "{}",
        std::fs::read_to_string(&marker).unwrap()
    );
    assert!(!repo.outside().join("trace").exists());

    // The same config does run programs when git is let loose, so the test can fail.
    repo.loose_status();
    assert!(marker.exists(), "the hostile checkout is not hostile");
}

#[test]
fn replaced_objects_and_grafts_do_not_count() {
    let Some(repo) = Repo::new() else { return };
    repo.write(FLOW, "on: push\n");
    let one = repo.commit("one");
    repo.write(FLOW, "on: evil\n");
    let two = repo.commit("two");
    repo.git(&["update-ref", "refs/remotes/origin/main", &one]);
    repo.git(&["replace", &one, &two]);
    std::fs::create_dir_all(repo.path().join(".git/info")).unwrap();
    std::fs::write(repo.path().join(".git/info/grafts"), format!("{two}\n")).unwrap();
    let checkout = open(&repo);
    let base = checkout.base(None, Some("main")).unwrap();
    assert_eq!(base, one);
    assert_eq!(
        checkout.tree(&base).unwrap().read(FLOW, SIZE_CAP).unwrap(),
        "on: push\n"
    );
}
