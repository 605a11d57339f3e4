//! The client against GitHub's own examples: every question is one that GitHub describes, every answer is read.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::BTreeMap;

use serde::Deserialize;

use super::*;
use crate::github::pulls::PullState;
use crate::github::run::{JobLog, Polled};
use crate::model::fact::Answer;
use crate::model::name::{EnvironmentName, Login};

const EXAMPLES: &str = include_str!("../../../tests/fixtures/github/examples.json");

#[derive(Deserialize, Clone)]
struct Operation {
    query: Vec<String>,
    status: u16,
    example: Value,
}

fn operations() -> BTreeMap<String, Operation> {
    serde_json::from_str(EXAMPLES).unwrap()
}

/// Finds the operation that a path is of: as many segments, each equal or a parameter; the more literal one wins.
fn find<'a>(all: &'a BTreeMap<String, Operation>, path: &str) -> Option<(&'a str, &'a Operation)> {
    let parts: Vec<&str> = path.split('/').collect();
    let fits = |template: &str| {
        let own: Vec<&str> = template.split('/').collect();
        own.len() == parts.len()
            && own
                .iter()
                .zip(&parts)
                .all(|(own, part)| own == part || own.starts_with('{') && !part.is_empty())
    };
    let fitting = all.iter().filter(|(template, _)| fits(template));
    fitting
        .min_by_key(|(template, _)| template.matches('{').count())
        .map(|(template, operation)| (&**template, operation))
}

/// A GitHub that answers with its examples, and refuses what its description does not have.
async fn examples(asked_for: Arc<Mutex<Vec<String>>>) -> Server {
    let all = operations();
    Server::start(move |asked| {
        let (path, query) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
        let Some((template, operation)) = find(&all, path) else {
            return answer(418, &[], &json!({"message": "no such path"}));
        };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let name = pair.split('=').next().unwrap();
            if !operation.query.iter().any(|own| own == name) {
                return answer(
                    422,
                    &[],
                    &json!({"message": format!("no parameter {name} of {template}")}),
                );
            }
        }
        asked_for.lock().unwrap().push(template.to_owned());
        let mut example = operation.example.clone();
        // The examples count entries that they do not show.
        if let Some(entries) = example
            .as_object()
            .and_then(|page| page.values().find_map(Value::as_array))
            .map(Vec::len)
            && example.get("total_count").is_some()
        {
            example["total_count"] = json!(entries);
        }
        // Of codespaces the example tells no visibility, though the description does.
        if template == "/orgs/{org}/codespaces/secrets" {
            for secret in example["secrets"].as_array_mut().unwrap() {
                secret["visibility"] = json!("selected");
            }
        }
        let to = [("location", "/repos/kept")];
        let headers: &[(&str, &str)] = if operation.status == 302 { &to } else { &[] };
        answer(operation.status, headers, &example)
    })
    .await
}

#[tokio::test]
async fn every_question_is_described_and_every_example_is_read() {
    let asked_for = Arc::new(Mutex::new(Vec::new()));
    let server = examples(Arc::clone(&asked_for)).await;
    let (github, repo, login) = (&server.github, repo(), Login::parse("acme").unwrap());
    let tags = EtagMap::default();

    let powers = github.powers().await.unwrap();
    assert_eq!(&*powers.login, "octocat");
    let limits = github.limits().await.unwrap();
    assert!(
        limits
            .iter()
            .any(|rate| &*rate.resource == "graphql" && rate.limit == 5_000),
        "{limits:?}"
    );

    let environments = [EnvironmentName::parse("npm").unwrap()];
    let mut org = github.org_stores(&login).await.unwrap();
    org.push(github.org_secrets(&login).await.unwrap());
    let look = github
        .secrets(&repo, Some(&environments), &org)
        .await
        .unwrap();
    let Answer::Secrets(fact) = &look.answers[0].1 else {
        panic!()
    };
    assert!(fact.stores.iter().all(|store| store.complete), "{fact:?}");
    assert!(
        fact.stores
            .iter()
            .filter(|store| !store.names.is_empty())
            .count()
            >= 9,
        "{fact:?}"
    );

    let look = github.environments(&repo).await.unwrap();
    assert!(
        matches!(&look.answers[0].1, Answer::Environments(fact) if fact.complete && fact.environments[0].reviewers == 2)
    );
    let look = github.actions_settings(&repo).await.unwrap();
    assert!(
        matches!(&look.answers[0].1, Answer::Actions(fact) if fact.default_permissions.as_deref() == Some("read"))
    );
    let look = github.protection(&repo, "main", None).await.unwrap();
    assert!(
        matches!(&look.answers[0].1, Answer::Protection(fact) if fact.pull_request == Some(true))
    );
    assert_eq!(github.protected_branches(&repo).await.unwrap().len(), 1);

    let workflows = github.workflows(&repo).await.unwrap();
    assert!(!workflows.is_empty() && workflows.iter().all(|one| !one.node_id.is_empty()));
    assert!(
        !github
            .runs_since(&repo, Ts::parse(NOW).unwrap())
            .await
            .unwrap()
            .is_empty()
    );
    let Polled::New { value: run, .. } = github.run(&repo, 1, &tags).await.unwrap() else {
        panic!()
    };
    assert!(
        run.id > 0 && !run.sha.is_empty() && !run.actor.is_empty(),
        "{run:?}"
    );
    let Polled::New { value: jobs, .. } = github.jobs(&repo, 1, &tags).await.unwrap() else {
        panic!()
    };
    assert!(jobs[0].steps.len() > 3 && jobs[0].started.is_some());
    let waits = github.waits(&repo, 1).await.unwrap();
    assert!(
        !waits[0].environment.is_empty()
            && waits[0].mine == Some(true)
            && waits[0].reviewers.len() == 2,
        "{waits:?}"
    );
    assert!(matches!(
        github.job_log(&repo, 1, 1_000).await,
        Err(_) | Ok(JobLog::Text(_))
    ));

    assert!(
        !github
            .fetch_tree(&repo, "main")
            .await
            .unwrap()
            .entries
            .is_empty()
    );
    let large = Listed {
        path: "a".into(),
        sha: "ab".into(),
        size: Some(600_000),
        kind: files::EntryKind::File,
    };
    assert_eq!(
        github
            .fetch_blobs(&repo, &[large])
            .await
            .unwrap()
            .files
            .len(),
        1
    );
    let pulls = github.pulls(&repo, "cutover/oidc").await.unwrap();
    assert_eq!(
        (pulls[0].number, pulls[0].state),
        (1_347, PullState::Merged)
    );

    let mut asked = std::mem::take(&mut *asked_for.lock().unwrap());
    asked.sort();
    asked.dedup();
    let known: Vec<String> = operations().into_keys().collect();
    assert_eq!(
        asked, known,
        "an example that nothing asks for, or a question without one"
    );
}
