//! Discovery, files and refs: pages that halve, gaps that are said, folders that are shared.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use super::*;
use crate::github::discover::{Choice, Mine, SkippedRepo};
use crate::github::files::EntryKind;
use crate::github::refs::{RefChoice, RefLooks, RefsAsked};
use crate::model::fact::Answer;
use crate::model::name::Login;

fn blob(text: &str) -> Value {
    json!({"oid": "ab12", "byteSize": text.len(), "isBinary": false, "isTruncated": false, "text": text})
}

fn workflow(name: &str, text: &str) -> Value {
    json!({"name": name, "mode": 33188, "type": "blob", "oid": "ab12", "object": blob(text)})
}

fn node(number: u64) -> Value {
    json!({
        "id": format!("R_{number}"), "databaseId": number, "nameWithOwner": format!("acme/r{number}"), "visibility": "PRIVATE",
        "isArchived": number == 3, "isDisabled": false, "isFork": number == 4, "isEmpty": false,
        "createdAt": NOW, "pushedAt": null, "viewerPermission": if number == 1 { "ADMIN" } else { "WRITE" },
        "owner": {"login": "acme", "databaseId": 77},
        "defaultBranchRef": {"name": "main", "target": {"oid": "c0ffee"}},
        "workflows": {"oid": "f01d", "entries": [workflow("release.yml", "on: push\n")]},
        "package": blob("{}"), "ownersInGithub": null, "ownersInRoot": blob("* @acme/core"), "ownersInDocs": null,
    })
}

/// Answers discovery calls over these nodes, by the number of the last one as cursor.
fn page(asked: &Asked, nodes: &[Value]) -> Value {
    let (operation, variables) = asked.graphql().unwrap();
    assert_eq!(operation, "Discover");
    let from: usize = variables["after"]
        .as_str()
        .map_or(0, |after| after.parse().unwrap());
    let first = usize::try_from(variables["first"].as_u64().unwrap()).unwrap();
    let to = (from + first).min(nodes.len());
    json!({"data": {"rateLimit": {"cost": 1, "remaining": 4999, "resetAt": NOW}, "viewer": {"login": "rosa"},
        "repositoryOwner": {"login": "acme", "repositories": {"totalCount": nodes.len(),
            "pageInfo": {"endCursor": to.to_string(), "hasNextPage": to < nodes.len()}, "nodes": nodes[from..to]}}}})
}

async fn discover(server: &Server) -> Result<Discovery, GithubError> {
    let mut told = Vec::new();
    let login = Login::parse("acme").unwrap();
    let found = server
        .github
        .discover(&login, &Choice::default(), &mut |have, of| {
            told.push((have, of))
        })
        .await;
    assert!(found.is_err() || told.last().is_some());
    found
}

#[tokio::test]
async fn all_repositories_come_with_their_files_and_my_rights() {
    let nodes: Vec<Value> = (1..=60).map(node).collect();
    let server = Server::start(move |asked| ok(page(asked, &nodes))).await;
    let all = discover(&server).await.unwrap();
    assert!(all.complete && all.gaps.is_empty());
    assert_eq!((all.found.len(), server.asked().len()), (60, 2));
    let one = &all.found[0];
    assert_eq!(
        (one.name.as_str(), &*one.node_id, one.mine),
        ("acme/r1", "R_1", Mine::Admin)
    );
    assert_eq!(
        (one.fact.id, one.fact.owner_id, &*one.fact.visibility),
        (Some(1), Some(77), "private")
    );
    assert_eq!(
        one.files.file(".github/workflows/release.yml"),
        Some(&b"on: push\n"[..])
    );
    assert_eq!(one.files.file("package.json"), Some(&b"{}"[..]));
    assert!(one.files.complete && one.files.commit.as_deref() == Some("c0ffee"));
    assert_eq!(
        (one.owners.as_deref(), one.workflows.as_deref()),
        (Some("* @acme/core"), Some("f01d"))
    );
    let aside: Vec<_> = all
        .found
        .iter()
        .filter_map(|found| Some((found.name.as_str(), found.aside?)))
        .collect();
    assert_eq!(
        aside,
        [
            ("acme/r3", SkippedRepo::Archived),
            ("acme/r4", SkippedRepo::Fork)
        ]
    );
    let (about, Answer::Rights(rights)) = all.rights().unwrap() else {
        panic!()
    };
    assert_eq!(
        (
            about,
            rights.complete,
            rights.admin.len(),
            rights.write.len()
        ),
        (Subject::person("rosa"), true, 1, 59)
    );
    assert_eq!(all.answers().len(), 61);
}

#[tokio::test]
async fn pages_halve_when_github_cannot_give_so_many_at_once() {
    let nodes: Vec<Value> = (1..=30).map(node).collect();
    let server = Server::start(move |asked| {
        let first = asked.graphql().unwrap().1["first"].as_u64().unwrap();
        match first {
            26.. => answer(502, &[], &json!({"message": "Server Error"})),
            13.. => ok(json!({"data": null, "errors": [{"message": "Something went wrong while executing your query. This may be the result of a timeout, or it could be a GitHub bug."}]})),
            _ => ok(page(asked, &nodes)),
        }
    })
    .await;
    let all = discover(&server).await.unwrap();
    assert!(all.complete);
    assert_eq!(all.found.len(), 30);
    let sizes: Vec<u64> = server
        .asked()
        .iter()
        .map(|asked| asked.graphql().unwrap().1["first"].as_u64().unwrap())
        .collect();
    // Halved pages stay small; a page that came whole is followed by a larger try.
    assert_eq!(sizes, [50, 25, 12, 12, 24, 12]);
}

#[tokio::test]
async fn a_repository_that_is_too_much_for_an_answer_is_taken_apart() {
    let server = Server::start(|asked| match &*asked.path {
        "/repos/acme/r1/git/trees/c0ffee?recursive=1" => ok(json!({"sha": "c0ffee", "truncated": false, "tree": [
            {"path": ".github/workflows", "mode": "040000", "type": "tree", "sha": "f01d"},
            {"path": ".github/workflows/release.yml", "mode": "100644", "type": "blob", "sha": "aa", "size": 9},
            {"path": ".github/workflows/old/x.yml", "mode": "100644", "type": "blob", "sha": "bb", "size": 9}]})),
        _ if asked.graphql().unwrap().0 == "Objects" => ok(json!({"data": {"repository": {"o0": blob("on: push\n")}}})),
        _ if asked.graphql().unwrap().1["texts"] == json!(true) => answer(502, &[], &json!({})),
        _ => {
            let mut one = node(1);
            for key in ["workflows", "package", "ownersInRoot"] {
                one.as_object_mut().unwrap().remove(key);
            }
            ok(page(asked, &[one]))
        }
    })
    .await;
    let all = discover(&server).await.unwrap();
    assert!(all.complete, "{:?}", all.gaps);
    let one = &all.found[0];
    assert_eq!(
        one.files.files,
        [(
            ".github/workflows/release.yml".into(),
            b"on: push\n".to_vec()
        )]
    );
    assert_eq!(
        (one.workflows.as_deref(), one.owners.as_deref()),
        (Some("f01d"), None)
    );
}

#[tokio::test]
async fn what_cannot_be_shown_is_a_gap_and_the_list_is_not_whole() {
    let server = Server::start(|asked| {
        let mut odd = node(9);
        odd["nameWithOwner"] = json!("acme/\u{202e}x");
        let mut cut = node(2);
        cut["workflows"] = Value::Null;
        let mut whole = page(asked, &[node(1), Value::Null, odd, cut]);
        whole["errors"] = json!([
            {"type": "FORBIDDEN", "path": ["repositoryOwner", "repositories", "nodes", 1], "message": "Resource protected by organization SAML enforcement."},
            {"path": ["repositoryOwner", "repositories", "nodes", 3, "workflows"], "message": "Could not load the tree"}]);
        ok(whole)
    })
    .await;
    let all = discover(&server).await.unwrap();
    assert!(!all.complete);
    assert_eq!(all.found.len(), 2);
    assert!(
        all.gaps[0].contains("SAML enforcement") && all.gaps[1].contains("\\u{202e}"),
        "{:?}",
        all.gaps
    );
    let cut = &all.found[1].files;
    assert!(!cut.complete && cut.why_not.as_deref() == Some("Could not load the tree"));
    let Some((_, Answer::Rights(rights))) = all.rights() else {
        panic!()
    };
    assert!(!rights.complete);
}

#[tokio::test]
async fn a_short_list_is_not_whole_and_no_such_account_is_not_an_empty_one() {
    let server = Server::start(|asked| {
        let mut short = page(asked, &[node(1)]);
        short["data"]["repositoryOwner"]["repositories"]["totalCount"] = json!(2);
        ok(short)
    })
    .await;
    let all = discover(&server).await.unwrap();
    assert!(!all.complete && all.gaps[0].contains("1 of 2"));
    let server = Server::start(|_| {
        ok(json!({"data": {"viewer": {"login": "rosa"}, "repositoryOwner": null}}))
    })
    .await;
    assert!(matches!(
        discover(&server).await,
        Err(GithubError::Hidden { .. })
    ));
}

#[tokio::test]
async fn a_limit_inside_a_good_answer_is_a_limit() {
    let server = Server::start(|_| {
        answer(200, &[], &json!({"data": null, "errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded for user ID 1."}]}))
    })
    .await;
    let error = discover(&server).await.unwrap_err();
    assert!(
        matches!(
            fault(&error),
            Fault::Limited {
                until: Ts(1_795_327_200),
                secondary: false
            }
        ),
        "{error:?}"
    );
    assert_eq!(
        *server.heard.lock().unwrap(),
        [(Group::GithubGraphql, false)]
    );
}

#[tokio::test]
async fn a_text_that_came_cut_is_fetched_by_itself() {
    let long = "x".repeat(600_000);
    let packed = data_encoding::BASE64.encode(long.as_bytes());
    let server = Server::start(move |asked| {
        if asked.path == "/repos/acme/r1/git/blobs/ab12" {
            // GitHub breaks its base64 into lines.
            let lines: String = packed
                .as_bytes()
                .chunks(60)
                .map(|line| format!("{}\n", std::str::from_utf8(line).unwrap()))
                .collect();
            return ok(
                json!({"sha": "ab12", "size": 600_000, "encoding": "base64", "content": lines}),
            );
        }
        if !asked.path.starts_with("/graphql") {
            return not_found();
        }
        let mut one = node(1);
        let object =
            json!({"byteSize": 600_000, "isBinary": false, "isTruncated": true, "text": "xxx"});
        one["workflows"]["entries"][0]["object"] = object.clone();
        let mut two = node(2);
        two["workflows"]["entries"][0]["object"] = object;
        ok(page(asked, &[one, two]))
    })
    .await;
    let all = discover(&server).await.unwrap();
    assert_eq!(
        all.found[0]
            .files
            .file(".github/workflows/release.yml")
            .map(<[u8]>::len),
        Some(long.len())
    );
    assert!(all.found[0].files.complete);
    let missing = &all.found[1].files;
    assert!(
        !missing.complete
            && missing
                .why_not
                .as_deref()
                .unwrap()
                .starts_with(".github/workflows/release.yml: ")
    );
}

#[tokio::test]
async fn repositories_are_read_again_by_id() {
    let server = Server::start(|asked| {
        let ids = asked.graphql().unwrap().1["ids"].as_array().unwrap().len();
        if ids > 2 {
            return answer(504, &[], &json!({}));
        }
        ok(json!({"data": {"viewer": {"login": "rosa"}, "nodes": vec![node(1); ids]}}))
    })
    .await;
    let page = server
        .github
        .repositories(&["a", "b", "c", "d"], &Choice::default())
        .await
        .unwrap();
    assert_eq!((page.found.len(), server.asked().len()), (4, 3));
}

#[tokio::test]
async fn a_checkout_is_a_tree_and_a_few_blobs() {
    for truncated in [false, true] {
        let server = Server::start(move |asked| match &*asked.path {
            "/repos/acme/ui/git/trees/c0ffee?recursive=1" => ok(json!({"sha": "c0ffee", "truncated": truncated, "tree": [
                {"path": "package.json", "mode": "100644", "type": "blob", "sha": "aa", "size": 2},
                {"path": "packages", "mode": "040000", "type": "tree", "sha": "bb"},
                {"path": "packages/a/package.json", "mode": "100644", "type": "blob", "sha": "cc", "size": 2},
                {"path": "packages/l/package.json", "mode": "120000", "type": "blob", "sha": "dd", "size": 2},
                {"path": "big/package.json", "mode": "100644", "type": "blob", "sha": "ee", "size": 3_000_000},
                {"path": "README.md", "mode": "100644", "type": "blob", "sha": "ff", "size": 2}]})),
            "/graphql" => ok(json!({"data": {"repository": {"o0": blob("{}"), "o1": null}}})),
            "/repos/acme/ui/git/blobs/cc" => ok(json!({"encoding": "base64", "content": "e30="})),
            _ => not_found(),
        })
        .await;
        let wants = |path: &str| path.ends_with("package.json");
        let files = server
            .github
            .checkout(&repo(), "refs/heads/main", "c0ffee", &wants)
            .await
            .unwrap();
        assert_eq!(files.files.len(), 2);
        assert_eq!(files.file("packages/a/package.json"), Some(&b"{}"[..]));
        assert_eq!(files.not_regular, ["packages/l/package.json".into()]);
        assert!(!files.complete);
        let why = files.why_not.unwrap();
        assert!(
            why.contains(if truncated {
                "listed only a part"
            } else {
                "big/package.json: "
            }),
            "{why}"
        );
        assert_eq!(server.paths().len(), 3);
    }
}

#[tokio::test]
async fn an_empty_repository_has_an_empty_tree() {
    let server =
        Server::start(|_| answer(409, &[], &json!({"message": "Git Repository is empty."}))).await;
    let tree = server.github.fetch_tree(&repo(), "HEAD").await.unwrap();
    assert!(tree.complete && tree.entries.is_empty());
    assert_ne!(EntryKind::File, EntryKind::Link);
}

#[tokio::test]
async fn refs_that_share_a_workflow_folder_share_its_files() {
    let server = Server::start(|asked| {
        let (operation, variables) = asked.graphql().unwrap();
        if operation == "Objects" {
            assert!(asked.body["query"].as_str().unwrap().contains("o0: object(oid: \"01d\")"));
            return ok(json!({"data": {"repository": {"o0": {"oid": "0d", "entries": [workflow("release.yml", "on: tag\n")]}}}}));
        }
        let branch = |name: &str, folder: Option<&str>, rule: bool| {
            json!({"name": name, "branchProtectionRule": rule.then(|| json!({"id": "x"})), "target": {"oid": "ab", "file": folder.map(|oid| json!({"oid": oid}))}})
        };
        let (total, nodes) = match variables["prefix"].as_str().unwrap() {
            "refs/heads/" => (5, json!([
                branch("main", Some("f01d"), true), branch("release/1.x", Some("01d"), false), branch("release/2.x", Some("01d"), false),
                branch("stable", Some("f01d"), true), branch("feature", Some("bad"), false)])),
            _ => (500, json!([{"name": "v1.0.0", "target": {"oid": "t1", "target": {"oid": "cd", "file": null}}}])),
        };
        let more = total > 5;
        let refs = json!({"totalCount": total, "pageInfo": {"endCursor": "x", "hasNextPage": more}, "nodes": nodes});
        ok(json!({"data": {"nodes": [{"id": "R_1", "refs": refs}]}}))
    })
    .await;
    let choice = RefChoice {
        branches: Patterns::parse(["release/**"]).unwrap(),
        tags: Patterns::parse(["v*"]).unwrap(),
        protected: true,
        cap: 1,
    };
    let asked = [refs_asked(repo(), "R_1", &["f01d"])];
    let looks = server.github.other_refs(&asked, &choice).await.unwrap();
    let looks = looks.into_iter().next().unwrap().unwrap();
    let refs: Vec<_> = looks
        .refs
        .iter()
        .map(|look| (&*look.git_ref, look.folder.as_deref(), look.protected))
        .collect();
    assert_eq!(
        refs,
        [
            ("refs/heads/release/1.x", Some("01d"), false),
            ("refs/heads/release/2.x", Some("01d"), false),
            ("refs/heads/stable", Some("f01d"), true),
            ("refs/tags/v1.0.0", None, false),
        ]
    );
    assert_eq!(looks.folders.len(), 1);
    assert_eq!(
        looks.folders["01d"].file(".github/workflows/release.yml"),
        Some(&b"on: tag\n"[..])
    );
    assert_eq!(server.asked().len(), 3);
    // Beyond the cap of tags: said, not forgotten.
    assert!(
        !looks.complete
            && looks
                .why_not
                .unwrap()
                .contains("1 of 500 refs below refs/tags/")
    );
}

fn refs_asked(repo: RepoName, node_id: &str, known: &[&str]) -> RefsAsked {
    RefsAsked {
        repo,
        node_id: node_id.into(),
        default: "main".into(),
        known: known.iter().map(|one| (*one).into()).collect(),
    }
}

#[tokio::test]
async fn the_refs_of_many_repositories_come_in_one_call_and_further_pages_apart() {
    let server = Server::start(|asked| {
        let (_, variables) = asked.graphql().unwrap();
        let ids: Vec<&str> = variables["ids"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
        let first = variables["first"].as_u64().unwrap();
        // Two repositories, and a hundred refs of the third, take GitHub too long.
        if ids.len() > 1 || ids == ["R_3"] && first > 50 {
            return ok(json!({"data": null, "errors": [{"message": "Something went wrong while executing your query. This may be the result of a timeout"}]}));
        }
        let refs = |total: u64, names: &[&str], next: Option<&str>| {
            let nodes: Vec<_> = names.iter().map(|name| json!({"name": name, "target": {"oid": "ab", "file": null}})).collect();
            json!({"totalCount": total, "pageInfo": {"endCursor": next, "hasNextPage": next.is_some()}, "nodes": nodes})
        };
        let mut errors = Vec::new();
        let nodes: Vec<_> = ids.iter().enumerate().map(|(at, id)| match (*id, variables["after"].as_str()) {
            ("R_1", None) => json!({"id": id, "refs": refs(3, &["main", "one"], Some("x"))}),
            ("R_1", Some("x")) => json!({"id": id, "refs": refs(3, &["two"], None)}),
            ("R_3", None) => json!({"id": id, "refs": refs(1, &["three"], None)}),
            _ => {
                errors.push(json!({"type": "NOT_FOUND", "path": ["nodes", at], "message": "Could not resolve to a node"}));
                json!(null)
            }
        }).collect();
        ok(json!({"data": {"nodes": nodes}, "errors": errors}))
    })
    .await;
    let name = |name: &str| RepoName::parse(name).unwrap();
    let asked = [
        refs_asked(name("acme/one"), "R_1", &[]),
        refs_asked(name("acme/gone"), "R_2", &[]),
        refs_asked(name("acme/three"), "R_3", &[]),
        refs_asked(name("acme/untold"), "", &[]),
    ];
    let choice = RefChoice {
        branches: Patterns::parse(["**"]).unwrap(),
        cap: 100,
        ..RefChoice::default()
    };
    let looks = server.github.other_refs(&asked, &choice).await.unwrap();
    let names = |looks: &Result<RefLooks, GithubError>| {
        let looks = looks.as_ref().ok()?;
        assert!(looks.complete, "{:?}", looks.why_not);
        let names = looks.refs.iter().map(|look| look.git_ref.to_string());
        Some(names.collect::<Vec<_>>().join(" "))
    };
    let found: Vec<_> = looks.iter().map(names).collect();
    let some = |refs: &str| Some(refs.to_owned());
    assert_eq!(
        found,
        [
            some("refs/heads/one refs/heads/two"),
            None,
            some("refs/heads/three"),
            None
        ]
    );
    assert!(looks[1].as_ref().unwrap_err().affects_one_resource());
    // All three, the first and its second page, the other two, each of them alone, the third with half a page.
    assert_eq!(server.asked().len(), 7);
}
