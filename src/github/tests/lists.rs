//! Lists, stores and settings: whole, short, hidden, forbidden and limited.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use super::*;
use crate::model::fact::{Answer, SecretsFact, StoreFact};
use crate::model::name::{EnvironmentName, Login};

fn named(names: &[&str]) -> Value {
    let all: Vec<Value> = names
        .iter()
        .map(|name| json!({"name": name, "created_at": NOW, "updated_at": NOW}))
        .collect();
    json!(all)
}

fn secrets(look: &Look) -> &SecretsFact {
    match &look.answers[..] {
        [(_, Answer::Secrets(fact))] => fact,
        other => panic!("{other:?}"),
    }
}

fn store<'a>(fact: &'a SecretsFact, name: &str) -> &'a StoreFact {
    fact.stores
        .iter()
        .find(|store| &*store.store == name)
        .unwrap()
}

/// A GitHub where every store is empty but for what `special` answers.
async fn stores(
    special: impl Fn(&str) -> Option<Response<Body>> + Send + Sync + 'static,
) -> Server {
    Server::start(move |asked| {
        let key = if asked.path.contains("variables") {
            "variables"
        } else {
            "secrets"
        };
        special(&asked.path).unwrap_or_else(|| ok(json!({"total_count": 0, key: []})))
    })
    .await
}

#[tokio::test]
async fn every_store_is_looked_into_and_every_page_read() {
    let server = Server::start(|asked| {
        let host = asked.header("host").unwrap();
        let key = if asked.path.contains("variables") { "variables" } else { "secrets" };
        match &*asked.path {
            "/repos/acme/ui/actions/secrets?per_page=100" => answer(
                200,
                &[("link", &format!("<http://{host}/repos/acme/ui/actions/secrets?per_page=100&page=2>; rel=\"next\""))],
                &json!({"total_count": 2, "secrets": named(&["NPM_TOKEN"])}),
            ),
            "/repos/acme/ui/actions/secrets?per_page=100&page=2" => ok(json!({"total_count": 2, "secrets": named(&["A"])})),
            _ => ok(json!({"total_count": 0, key: []})),
        }
    })
    .await;
    let environments = [EnvironmentName::parse("npm release/1").unwrap()];
    let look = server
        .github
        .secrets(&repo(), Some(&environments), &[])
        .await
        .unwrap();
    let fact = secrets(&look);
    assert_eq!(look.at, Ts::parse(NOW));
    assert_eq!(look.answers[0].0, Subject::repo("github.com", "acme/ui"));
    let names: Vec<&str> = store(fact, "repo")
        .names
        .iter()
        .map(|one| &*one.name)
        .collect();
    assert_eq!(names, ["A", "NPM_TOKEN"]);
    assert!(fact.stores.iter().all(|store| store.complete));
    assert_eq!(fact.stores.len(), 9);
    let paths = server.paths();
    assert_eq!(paths.len(), 10);
    for path in [
        "/repos/acme/ui/actions/organization-secrets?per_page=100",
        "/repos/acme/ui/dependabot/secrets?per_page=100",
        "/repos/acme/ui/codespaces/secrets?per_page=100",
        "/repos/acme/ui/agents/secrets?per_page=100",
        "/repos/acme/ui/actions/variables?per_page=30",
        "/repos/acme/ui/environments/npm%20release%2F1/secrets?per_page=100",
        "/repos/acme/ui/environments/npm%20release%2F1/variables?per_page=30",
    ] {
        assert!(paths.iter().any(|own| own == path), "{path}");
    }
    // As announced, but for the second page.
    assert_eq!(cost::of_secret_sweep(1, 1).rest, 9);
}

#[tokio::test]
async fn a_short_list_a_hidden_one_and_a_forbidden_one_prove_no_absence() {
    let server = stores(|path| {
        if path.starts_with("/repos/acme/ui/actions/secrets") {
            return Some(ok(json!({"total_count": 3, "secrets": named(&["A"])})));
        }
        if path.contains("dependabot") {
            let needs = [("x-accepted-github-permissions", "dependabot_secrets=read")];
            return Some(answer(
                403,
                &needs,
                &json!({"message": "Resource not accessible by personal access token"}),
            ));
        }
        if path.contains("agents") {
            let needs = [("x-accepted-github-permissions", "agent_secrets=read")];
            return Some(answer(404, &needs, &json!({"message": "Not Found"})));
        }
        path.contains("codespaces").then(not_found)
    })
    .await;
    let look = server.github.secrets(&repo(), None, &[]).await.unwrap();
    let fact = secrets(&look);
    for (name, sign) in [
        ("repo", "1 of 3 entries arrived"),
        ("dependabot", "it needs dependabot_secrets=read"),
        ("agents", "a token that sees it has agent_secrets=read"),
        ("codespaces", "absent or not for this token"),
        ("env", "could not be listed"),
    ] {
        let store = store(fact, name);
        assert!(!store.complete, "{name}");
        assert!(
            store.why.as_deref().unwrap().contains(sign),
            "{name}: {:?}",
            store.why
        );
    }
    assert!(store(fact, "org").complete && store(fact, "vars").complete);
}

#[tokio::test]
async fn limits_and_outages_end_a_sweep_and_make_no_fact() {
    for (status, headers, secondary) in [
        (403, vec![("retry-after", "90")], true),
        (429, vec![], true),
        (403, vec![("x-ratelimit-remaining", "0")], false),
    ] {
        let server = stores(move |path| {
            let body = json!({"message": "You have exceeded a secondary rate limit."});
            // The last of two equal headers would not count: the limited answer is built without the usual ones.
            path.contains("dependabot").then(|| {
                let mut response = answer(status, &[], &body);
                for (name, value) in &headers {
                    response.headers_mut().insert(*name, value.parse().unwrap());
                }
                response
            })
        })
        .await;
        let error = server.github.secrets(&repo(), None, &[]).await.unwrap_err();
        assert!(
            matches!(fault(&error), Fault::Limited { secondary: own, .. } if *own == secondary),
            "{error}"
        );
        assert!(!error.affects_one_resource());
        assert_eq!(server.paths().len(), 3);
    }
    let server = stores(|path| {
        path.contains("dependabot")
            .then(|| answer(500, &[], &json!({})))
    })
    .await;
    let error = server.github.secrets(&repo(), None, &[]).await.unwrap_err();
    assert!(matches!(fault(&error), Fault::ServerError { status: 500 }));
    let server = stores(|path| {
        path.contains("dependabot")
            .then(|| answer(401, &[], &json!({"message": "Bad credentials"})))
    })
    .await;
    let error = server.github.secrets(&repo(), None, &[]).await.unwrap_err();
    assert!(matches!(fault(&error), Fault::Unauthorised { .. }) && !error.affects_one_resource());
}

#[tokio::test]
async fn a_next_page_elsewhere_is_not_asked_for() {
    let other = Server::start(|_| ok(json!({}))).await;
    let to = other.address.clone();
    let server = Server::start(move |_| {
        answer(
            200,
            &[("link", &format!("<{to}/steal>; rel=\"next\""))],
            &json!({"total_count": 0, "secrets": []}),
        )
    })
    .await;
    let error = server.github.secrets(&repo(), None, &[]).await.unwrap_err();
    assert!(
        matches!(fault(&error), Fault::OtherOrigin { .. }),
        "{error}"
    );
    assert!(other.asked().is_empty());
}

#[tokio::test]
async fn a_list_that_changes_while_it_is_read_is_not_whole() {
    let server = Server::start(|asked| {
        let host = asked.header("host").unwrap();
        if asked.path.ends_with("page=2") {
            return ok(json!({"total_count": 1, "environments": []}));
        }
        let next = format!("<http://{host}{}&page=2>; rel=\"next\"", asked.path);
        answer(
            200,
            &[("link", &next)],
            &json!({"total_count": 2, "environments": [{"name": "npm"}]}),
        )
    })
    .await;
    let look = server.github.environments(&repo()).await.unwrap();
    assert!(
        matches!(&look.answers[0].1, Answer::Environments(fact) if !fact.complete && fact.environments.len() == 1)
    );
}

#[tokio::test]
async fn a_private_repository_is_not_an_absent_one() {
    let server = Server::start(|_| not_found()).await;
    let error = server.github.environments(&repo()).await.unwrap_err();
    assert!(matches!(error, GithubError::Hidden { .. }) && error.affects_one_resource());
    let Answer::CouldNot(fact) = error.answer(LiveSource::Environments) else {
        panic!()
    };
    assert!(
        fact.why.contains("absent or not for this token to see"),
        "{}",
        fact.why
    );
    assert!(matches!(
        server.github.fetch_tree(&repo(), "main").await,
        Err(GithubError::Hidden { .. })
    ));
    assert!(matches!(
        server.github.run(&repo(), 1, &EtagMap::default()).await,
        Err(GithubError::Hidden { .. })
    ));
    assert!(matches!(
        server.github.workflows(&repo()).await,
        Err(GithubError::Hidden { .. })
    ));
}

#[tokio::test]
async fn half_of_the_settings_is_an_answer_and_the_rest_stays_open() {
    let server = Server::start(|asked| match &*asked.path {
        "/repos/acme/ui/actions/permissions/workflow" => {
            answer(403, &[("x-accepted-github-permissions", "administration=read")], &json!({"message": "no"}))
        }
        "/repos/acme/ui/actions/oidc/customization/sub" => {
            ok(json!({"use_default": false, "include_claim_keys": ["repo"], "use_immutable_subject": true}))
        }
        _ => not_found(),
    })
    .await;
    let look = server.github.actions_settings(&repo()).await.unwrap();
    let Answer::Actions(fact) = &look.answers[0].1 else {
        panic!()
    };
    assert_eq!(
        (
            fact.default_permissions.as_deref(),
            fact.immutable_subject,
            fact.default_subject
        ),
        (None, Some(true), Some(false))
    );
}

#[tokio::test]
async fn protection_tells_unprotected_hidden_and_not_to_be_had_apart() {
    let upgrade = || {
        answer(
            403,
            &[],
            &json!({"message": "Upgrade to GitHub Pro or make this repository public to enable this feature."}),
        )
    };
    for (case, pull_request, code_owners, not_available) in [
        ("none", Some(false), Some(false), false),
        ("hidden", None, None, false),
        ("plan", None, None, true),
        ("own", Some(true), Some(true), false),
    ] {
        let server = Server::start(move |asked| match (case, asked.path.contains("/rules/branches/release%2Fmain")) {
            ("plan", _) => upgrade(),
            (_, true) => ok(json!([{"type": "deletion"}])),
            ("none", _) => answer(404, &[], &json!({"message": "Branch not protected"})),
            ("own", _) => ok(json!({"required_pull_request_reviews": {"require_code_owner_reviews": true, "required_approving_review_count": 1}})),
            _ => not_found(),
        })
        .await;
        let look = server
            .github
            .protection(&repo(), "release/main", Some("/.github/ @ops"))
            .await
            .unwrap();
        let Answer::Protection(fact) = &look.answers[0].1 else {
            panic!()
        };
        assert_eq!(
            (fact.pull_request, fact.code_owners, fact.not_available),
            (pull_request, code_owners, not_available),
            "{case}"
        );
        assert_eq!(fact.workflows_owned, Some(true));
    }
}

#[tokio::test]
async fn an_organisation_tells_whom_its_secrets_are_for() {
    let server = Server::start(|asked| match &*asked.path {
        "/orgs/acme/dependabot/secrets?per_page=100" => ok(json!({"total_count": 2, "secrets": [
            {"name": "NPM_TOKEN", "visibility": "selected", "updated_at": NOW}, {"name": "ALL", "visibility": "all"}]})),
        "/orgs/acme/dependabot/secrets/NPM_TOKEN/repositories?per_page=100" => {
            ok(json!({"total_count": 1, "repositories": [{"id": 1, "full_name": "acme/UI"}]}))
        }
        "/orgs/acme/codespaces/secrets?per_page=100" => ok(json!({"total_count": 0, "secrets": []})),
        _ => answer(403, &[("x-accepted-github-permissions", "organization_agent_secrets=read")], &json!({"message": "no"})),
    })
    .await;
    let org = server
        .github
        .org_stores(&Login::parse("acme").unwrap())
        .await
        .unwrap();
    let stores: Vec<StoreFact> = org.iter().map(|store| store.seen_by(&repo())).collect();
    assert_eq!(
        stores
            .iter()
            .map(|store| (&*store.store, store.complete, store.names.len()))
            .collect::<Vec<_>>(),
        [
            ("org-dependabot", true, 2),
            ("org-codespaces", true, 0),
            ("org-agents", false, 0),
        ]
    );
    assert!(
        stores[2]
            .why
            .as_deref()
            .unwrap()
            .contains("organization_agent_secrets=read")
    );
    let other = RepoName::parse("acme/cli").unwrap();
    assert_eq!(org[0].seen_by(&other).names.len(), 1);
}
