//! Runs: sweeps, polls with tags, jobs and the way to a log.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use super::*;
use crate::github::run::{JobLog, Polled, ReleaseWorkflow};
use crate::model::fact::Answer;

fn workflow(number: usize, repo: &str) -> ReleaseWorkflow {
    ReleaseWorkflow {
        repo: RepoName::parse(repo).unwrap(),
        file: "release.yml".into(),
        node_id: format!("W_{number}").into(),
        state: "active".into(),
    }
}

fn run(id: u64, status: &str) -> Value {
    json!({"id": format!("WFR_{id}"), "databaseId": id, "event": "push", "runNumber": id, "createdAt": NOW, "updatedAt": NOW, "url": "https://github.com/acme/ui/actions/runs/1",
        "file": {"path": ".github/workflows/release.yml"},
        "checkSuite": {"status": status, "conclusion": (status == "COMPLETED").then_some("SUCCESS"), "branch": null, "commit": {"oid": "ab"}, "creator": null}})
}

#[tokio::test]
async fn a_sweep_asks_for_a_hundred_workflows_a_call_and_sorts_what_ended_from_what_runs() {
    let server = Server::start(|asked| {
        let ids = asked.graphql().unwrap().1["ids"].as_array().unwrap().clone();
        let one = |id: &Value| {
            let number: u64 = id.as_str().unwrap()[2..].parse().unwrap();
            let status = if number == 7 { "IN_PROGRESS" } else { "COMPLETED" };
            json!({"id": id, "state": "ACTIVE", "runs": {"nodes": [run(number, status), run(1_000 + number, "COMPLETED")]}})
        };
        ok(json!({"data": {"rateLimit": {"cost": 2}, "nodes": ids.iter().map(one).collect::<Vec<_>>()}}))
    })
    .await;
    let workflows: Vec<_> = (0..250)
        .map(|at| workflow(at, &format!("acme/r{}", at / 2)))
        .collect();
    let swept = server.github.sweep(&workflows).await.unwrap();
    assert_eq!(
        (server.asked().len(), cost::of_sweep(250)),
        (3, Cost::points(3))
    );
    assert_eq!((swept.answers.len(), swept.at), (125, Ts::parse(NOW)));
    let [live] = &swept.live[..] else { panic!() };
    assert_eq!(
        (
            live.id,
            &*live.status,
            live.attempt,
            live.conclusion.as_deref()
        ),
        (7, "in_progress", None, None)
    );
    let find = |repo: &str| {
        let about = Subject::repo("github.com", repo);
        swept
            .answers
            .iter()
            .find(|(own, _)| *own == about)
            .map(|(_, answer)| answer.clone())
            .unwrap()
    };
    // Both workflows of the repository, newest first; the running one is not among the finished.
    let Answer::Runs(fact) = find("acme/r3") else {
        panic!()
    };
    assert_eq!(
        fact.runs.iter().map(|run| run.id).collect::<Vec<_>>(),
        [1_007, 1_006, 6]
    );
    assert_eq!(
        (&*fact.runs[0].file, fact.runs[0].conclusion.as_deref()),
        ("release.yml", Some("success"))
    );
}

#[tokio::test]
async fn a_workflow_that_is_not_shown_makes_no_fact_of_its_repository() {
    let server = Server::start(|_| {
        ok(json!({"data": {"nodes": [null, {"id": "W_1", "runs": {"nodes": []}}, {"id": "W_9", "runs": {"nodes": []}}]},
            "errors": [{"type": "NOT_FOUND", "path": ["nodes", 0], "message": "Could not resolve to a node with the global id of 'W_0'"}]}))
    })
    .await;
    let workflows = [
        workflow(0, "acme/a"),
        workflow(1, "acme/b"),
        workflow(2, "acme/c"),
    ];
    let swept = server.github.sweep(&workflows).await.unwrap();
    let of = |repo: &str| {
        swept
            .answers
            .iter()
            .find(|(own, _)| *own == Subject::repo("github.com", repo))
            .unwrap()
            .1
            .clone()
    };
    assert!(
        matches!(of("acme/a"), Answer::CouldNot(fact) if fact.why.contains("Could not resolve"))
    );
    assert!(matches!(of("acme/b"), Answer::Runs(fact) if fact.runs.is_empty()));
    // An answer about another workflow is none about this one.
    assert!(matches!(of("acme/c"), Answer::CouldNot(_)));
}

#[tokio::test]
async fn a_sweep_halves_when_github_cannot_give_so_many_at_once() {
    let server = Server::start(|asked| {
        let ids = asked.graphql().unwrap().1["ids"].as_array().unwrap().clone();
        if ids.len() > 30 {
            return answer(502, &[], &json!({"message": "Server Error"}));
        }
        let one = |id: &Value| json!({"id": id, "state": "ACTIVE", "runs": {"nodes": []}});
        ok(json!({"data": {"rateLimit": {"cost": 2}, "nodes": ids.iter().map(one).collect::<Vec<_>>()}}))
    })
    .await;
    let workflows: Vec<_> = (0..100)
        .map(|at| workflow(at, &format!("acme/r{at}")))
        .collect();
    let swept = server.github.sweep(&workflows).await.unwrap();
    let sizes = server.asked().into_iter();
    let sizes = sizes.map(|asked| asked.graphql().unwrap().1["ids"].as_array().unwrap().len());
    assert_eq!(sizes.collect::<Vec<_>>(), [100, 50, 25, 25, 50, 25, 25]);
    let seen = swept.answers.iter();
    assert_eq!(
        seen.filter(|(_, one)| matches!(one, Answer::Runs(_)))
            .count(),
        100
    );
}

#[tokio::test]
async fn running_ones_are_renewed_in_one_call_and_keep_what_only_rest_told() {
    let server = Server::start(|asked| match &*asked.path {
        "/repos/acme/ui/actions/runs/7" => ok(json!({"id": 7, "node_id": "WFR_7", "run_attempt": 3, "run_number": 7, "path": ".github/workflows/release.yml",
            "head_branch": "v1.0.0", "status": "in_progress", "created_at": NOW, "actor": {"login": "rosa"}, "triggering_actor": {"login": "ken"}})),
        _ => ok(json!({"data": {"nodes": [run(7, "COMPLETED"), null]}})),
    })
    .await;
    let Polled::New { value: one, .. } = server
        .github
        .run(&repo(), 7, &EtagMap::default())
        .await
        .unwrap()
    else {
        panic!()
    };
    assert!(!one.ended());
    let gone = LiveRun {
        node_id: "WFR_8".into(),
        ..one.clone()
    };
    let (at, renewed) = server.github.live(&[one, gone]).await.unwrap();
    assert_eq!(at, Ts::parse(NOW));
    let [one] = &renewed[..] else {
        panic!("{renewed:?}")
    };
    assert!(one.ended());
    assert_eq!(
        (one.attempt, &*one.branch, one.again_by.as_deref()),
        (Some(3), "v1.0.0", Some("ken"))
    );
}

#[tokio::test]
async fn an_answer_that_did_not_change_is_told_by_its_tag() {
    let server = Server::start(|asked| match asked.header("if-none-match") {
        Some("W/\"one\"") => answer(304, &[("etag", "W/\"one\"")], &Value::Null),
        _ => answer(200, &[("etag", "W/\"one\"")], &json!({"total_count": 1, "jobs": [
            {"id": 21, "name": "publish", "status": "completed", "conclusion": "failure", "steps": [{"name": "npm publish", "number": 2, "status": "completed", "conclusion": "failure"}]}]})),
    })
    .await;
    let tags = EtagMap::default();
    let Polled::New { value: jobs, .. } = server.github.jobs(&repo(), 7, &tags).await.unwrap()
    else {
        panic!()
    };
    assert_eq!(
        (jobs[0].id, &*jobs[0].failed_step().unwrap().name),
        (21, "npm publish")
    );
    assert_eq!(
        server.github.jobs(&repo(), 7, &tags).await.unwrap(),
        Polled::Same { at: Ts::parse(NOW) }
    );
    // Another run has a path, and so a tag, of its own.
    assert!(matches!(
        server.github.jobs(&repo(), 8, &tags).await.unwrap(),
        Polled::New { .. }
    ));
    assert_eq!(
        server.paths()[0],
        "/repos/acme/ui/actions/runs/7/jobs?filter=latest&per_page=100"
    );
}

#[tokio::test]
async fn more_jobs_than_a_page_are_all_read_and_never_by_tag() {
    let server = Server::start(|asked| {
        let host = asked.header("host").unwrap();
        let second = asked.path.ends_with("&page=2");
        let from = if second { 100 } else { 0 };
        let jobs: Vec<Value> = (from..(from + 100).min(130))
            .map(|id| json!({"id": id, "name": "test"}))
            .collect();
        let next = format!("<http://{host}{}&page=2>; rel=\"next\"", asked.path);
        let headers = if second {
            vec![]
        } else {
            vec![("link", &*next), ("etag", "\"one\"")]
        };
        answer(200, &headers, &json!({"total_count": 130, "jobs": jobs}))
    })
    .await;
    let tags = EtagMap::default();
    for _ in 0..2 {
        let Polled::New { value, .. } = server.github.jobs(&repo(), 7, &tags).await.unwrap() else {
            panic!()
        };
        assert_eq!(value.len(), 130);
    }
    assert!(
        server
            .asked()
            .iter()
            .all(|asked| asked.header("if-none-match").is_none())
    );
}

#[tokio::test]
async fn a_log_is_fetched_from_where_it_lies_without_the_token() {
    let store = Server::start(|_| {
        Response::builder()
            .header("content-type", "text/plain")
            .body("npm error code ENEEDAUTH\n".into())
            .unwrap()
    })
    .await;
    let to = format!("{}/logs/1?sig=x", store.address);
    let server = Server::start(move |asked| match &*asked.path {
        "/repos/acme/ui/actions/jobs/1/logs" => answer(302, &[("location", &to)], &Value::Null),
        "/repos/acme/ui/actions/jobs/2/logs" => {
            answer(302, &[("location", "http://10.0.0.1/logs")], &Value::Null)
        }
        "/repos/acme/ui/actions/jobs/3/logs" => answer(410, &[], &json!({"message": "Gone"})),
        "/repos/acme/ui/actions/jobs/4/logs" => {
            answer(302, &[("location", "/kept/4")], &Value::Null)
        }
        "/kept/4" if asked.header("authorization").is_none() => Response::builder()
            .header("content-type", "text/plain")
            .body("four".into())
            .unwrap(),
        _ => not_found(),
    })
    .await;
    let own = repo();
    let log = |job| server.github.job_log(&own, job, 1_000);
    assert_eq!(
        log(1).await.unwrap(),
        JobLog::Text(b"npm error code ENEEDAUTH\n".to_vec())
    );
    assert_eq!(
        server.asked()[0].header("authorization"),
        Some("Bearer t0ken")
    );
    let kept = &store.asked()[0];
    assert_eq!(kept.path, "/logs/1?sig=x");
    for name in ["authorization", "x-github-api-version", "cookie", "referer"] {
        assert!(kept.headers.get(name).is_none(), "{name}");
    }
    assert!(matches!(
        fault(&log(2).await.unwrap_err()),
        Fault::OtherOrigin { .. } | Fault::NotAllowed { .. }
    ));
    assert_eq!(log(3).await.unwrap(), JobLog::Gone);
    assert_eq!(log(4).await.unwrap(), JobLog::Text(b"four".to_vec()));
    assert!(matches!(log(5).await, Err(GithubError::Hidden { .. })));
}

#[tokio::test]
async fn workflows_are_listed_with_what_a_sweep_needs() {
    let server = Server::start(|_| {
        ok(json!({"total_count": 2, "workflows": [
            {"id": 1, "node_id": "W_1", "name": "Release", "path": ".github/workflows/release.yml", "state": "active"},
            {"id": 2, "node_id": "W_2", "name": "CodeQL", "path": "dynamic/github-code-scanning/codeql", "state": "active"}]}))
    })
    .await;
    let all = server.github.workflows(&repo()).await.unwrap();
    assert_eq!(
        all,
        [ReleaseWorkflow {
            file: "release.yml".into(),
            node_id: "W_1".into(),
            ..workflow(1, "acme/ui")
        }]
    );
}
