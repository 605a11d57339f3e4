//! The GitHub client against the simulated GitHub: what it says of the world is what the world is.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cutover::github::discover::{Choice, Mine};
use cutover::github::refs::{RefChoice, RefsAsked};
use cutover::github::run::{JobLog, Polled};
use cutover::github::{
    Cost, Discovery, EtagMap, GitHub, GithubError, Look, Patterns, Place, cost, settings,
};
use cutover::http::{Credential, Fault, Options, World as Reach};
use cutover::model::fact::{Answer, EnvironmentsFact, SecretsFact};
use cutover::model::id::Subject;
use cutover::model::name::{Login, RepoName};
use cutover::model::time::Ts;
use cutover::tabletop::{self, FaultKind, Opens, Tabletop};

/// A world of twenty repositories whose clock a test moves.
struct Table {
    tabletop: Tabletop,
    elapsed: Arc<Mutex<Duration>>,
}

impl Table {
    async fn start() -> Self {
        let elapsed = Arc::new(Mutex::new(Duration::ZERO));
        let clock = Arc::clone(&elapsed);
        let options = tabletop::Options {
            repos: 20,
            seed: 7,
            speed: 1.0,
            start: Ts::parse("2026-12-05T09:00:00Z").unwrap().utc(),
            scenario: None,
            elapsed: Some(Arc::new(move || *clock.lock().unwrap())),
        };
        Self {
            tabletop: Tabletop::start(options).await.unwrap(),
            elapsed,
        }
    }

    fn pass(&self, seconds: u64) {
        *self.elapsed.lock().unwrap() += Duration::from_secs(seconds);
    }

    fn as_who(&self, who: &str) -> GitHub {
        self.at(&self.tabletop.github, who)
    }

    fn at(&self, address: &str, who: &str) -> GitHub {
        let place = Place::tabletop(address, "github.com").unwrap();
        let secret = self.tabletop.credential(who, Opens::Github).unwrap();
        let credential = Credential::bearer(place.origin().clone(), secret, who).unwrap();
        let clock = self.tabletop.clock.clone();
        let options = Options::new(Reach::Tabletop, Arc::new(move || Ts(clock.now() / 1000)));
        GitHub::open(place, Some(credential), options, Arc::new(|_, _| ())).unwrap()
    }

    /// What was asked since `before`, as the server counts it.
    fn spent(&self, before: &tabletop::Counters) -> Cost {
        let now = self.tabletop.counters();
        Cost {
            rest: u32::try_from(now.rest - before.rest).unwrap(),
            graphql: u32::try_from(now.points - before.points).unwrap(),
        }
    }

    /// Names of repositories that `wanted` takes.
    fn names(&self, wanted: impl Fn(&tabletop::world::Repo) -> bool) -> Vec<RepoName> {
        let org = self.tabletop.organisation.clone();
        self.tabletop.with_world(|world| {
            let all = world.repos.iter().filter(|repo| wanted(repo));
            all.map(|repo| RepoName::parse(&format!("{org}/{}", repo.name)).unwrap())
                .collect()
        })
    }
}

async fn discover(github: &GitHub, table: &Table) -> Discovery {
    let login = Login::parse(&table.tabletop.organisation).unwrap();
    github
        .discover(&login, &Choice::default(), &mut |_, _| ())
        .await
        .unwrap()
}

fn environments(look: &Look) -> &EnvironmentsFact {
    match &look.answers[..] {
        [(_, Answer::Environments(fact))] => fact,
        other => panic!("{other:?}"),
    }
}

fn secrets(look: &Look) -> &SecretsFact {
    match &look.answers[..] {
        [(_, Answer::Secrets(fact))] => fact,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn discovery_finds_every_repository_and_every_workflow() {
    let table = Table::start().await;
    let (github, before) = (table.as_who("rosa"), table.tabletop.counters());
    let all = discover(&github, &table).await;
    assert!(all.complete, "{:?}", all.gaps);
    assert_eq!(table.spent(&before), cost::of_discovery(20));
    let found: BTreeSet<String> = all.found.iter().map(|one| one.name.to_string()).collect();
    let there: BTreeSet<String> = table
        .names(|_| true)
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(found, there);
    table.tabletop.with_world(|world| {
        for one in &all.found {
            let (_, repo) = world
                .repo(one.name.as_str().split('/').nth(1).unwrap())
                .unwrap();
            let head = repo.head().unwrap();
            assert_eq!(
                one.files.commit.as_deref(),
                Some(&*head.oid.to_string()),
                "{}",
                one.name
            );
            assert!(one.files.complete, "{:?}", one.files.why_not);
            assert_eq!(
                (one.fact.id, one.fact.archived, one.fact.fork),
                (Some(repo.id), repo.archived, repo.fork)
            );
            assert_eq!(&*one.fact.default_branch, &*repo.default_branch);
            let here = |path: &str| {
                path == "package.json"
                    || path
                        .strip_prefix(".github/workflows/")
                        .is_some_and(|file| !file.contains('/'))
            };
            for path in head.tree.keys().filter(|path| here(path)) {
                let text = world.file(head, path).unwrap();
                assert_eq!(
                    one.files.file(path),
                    Some(text.as_bytes()),
                    "{} {path}",
                    one.name
                );
            }
            assert_eq!(
                one.files.files.len(),
                head.tree.keys().filter(|path| here(path)).count()
            );
        }
    });
    let (about, Answer::Rights(rights)) = all.rights().unwrap() else {
        panic!()
    };
    assert_eq!((about, rights.complete), (Subject::person("rosa"), true));
    assert!(all.found.iter().all(|one| one.mine == Mine::Admin) && rights.admin.len() == 20);
}

#[tokio::test]
async fn every_store_of_every_repository_is_as_the_world_has_it_at_the_cost_that_was_said() {
    let table = Table::start().await;
    let github = table.as_who("rosa");
    for name in table.names(|repo| !repo.archived) {
        let look = github.environments(&name).await.unwrap();
        let known = settings::environment_names(environments(&look)).unwrap();
        let before = table.tabletop.counters();
        let look = github.secrets(&name, Some(&known), &[]).await.unwrap();
        let count = u32::try_from(known.len()).unwrap();
        assert_eq!(
            table.spent(&before),
            cost::of_secret_sweep(1, count),
            "{name}"
        );
        assert!(look.at.is_some());
        table.tabletop.with_world(|world| {
            let (_, repo) = world
                .repo(name.as_str().split('/').nth(1).unwrap())
                .unwrap();
            let listed = |store: &str| -> BTreeSet<String> {
                let store = secrets(&look)
                    .stores
                    .iter()
                    .find(|one| &*one.store == store)
                    .unwrap();
                assert!(store.complete, "{name} {store:?}");
                store.names.iter().map(|one| one.name.to_string()).collect()
            };
            let names = |all: &[tabletop::world::Secret]| {
                all.iter()
                    .map(|one| one.name.clone())
                    .collect::<BTreeSet<_>>()
            };
            assert_eq!(listed("repo"), names(&repo.secrets));
            assert_eq!(listed("dependabot"), names(&repo.dependabot));
            assert_eq!(listed("codespaces"), names(&repo.codespaces));
            assert_eq!(listed("agents"), names(&repo.agents));
            assert_eq!(
                listed("vars"),
                repo.variables.iter().map(|one| one.name.clone()).collect()
            );
            for environment in &repo.environments {
                assert_eq!(
                    listed(&format!("env:{}", environment.name)),
                    names(&environment.secrets)
                );
            }
        });
    }
}

#[tokio::test]
async fn an_organisation_and_its_repositories_agree_on_who_reads_the_shared_secret() {
    let table = Table::start().await;
    let github = table.as_who("rosa");
    let store = github
        .org_secrets(&Login::parse(&table.tabletop.organisation).unwrap())
        .await
        .unwrap();
    assert!(store.why.is_none(), "{store:?}");
    assert!(
        store
            .secrets
            .iter()
            .any(|secret| &*secret.name == "NPM_TOKEN")
    );
    for name in table.names(|repo| !repo.archived) {
        let look = github.secrets(&name, None, &[]).await.unwrap();
        let own = secrets(&look)
            .stores
            .iter()
            .find(|one| &*one.store == "org")
            .unwrap();
        let own: BTreeSet<_> = own.names.iter().map(|one| one.name.clone()).collect();
        let told: BTreeSet<_> = store
            .seen_by(&name)
            .names
            .into_iter()
            .map(|one| one.name)
            .collect();
        assert!(own.is_subset(&told), "{name}: {own:?} {told:?}");
    }
}

#[tokio::test]
async fn settings_and_protection_are_as_the_world_has_them() {
    let table = Table::start().await;
    let github = table.as_who("rosa");
    for name in table.names(|repo| !repo.archived) {
        let branch = table.tabletop.with_world(|world| {
            world
                .repo(name.as_str().split('/').nth(1).unwrap())
                .unwrap()
                .1
                .default_branch
                .to_string()
        });
        let actions = github.actions_settings(&name).await.unwrap();
        let protection = github.protection(&name, &branch, None).await.unwrap();
        let (Answer::Actions(actions), Answer::Protection(protection)) =
            (&actions.answers[0].1, &protection.answers[0].1)
        else {
            panic!()
        };
        table.tabletop.with_world(|world| {
            let (_, repo) = world
                .repo(name.as_str().split('/').nth(1).unwrap())
                .unwrap();
            assert_eq!(
                actions.default_permissions.as_deref(),
                Some(if repo.default_write { "write" } else { "read" })
            );
            assert_eq!(actions.immutable_subject, Some(repo.immutable_subject));
            assert_eq!(
                protection.pull_request,
                Some(repo.rules.pull_request),
                "{name}"
            );
            if repo.rules.pull_request {
                assert_eq!(
                    (protection.approvals, protection.code_owners),
                    (repo.rules.approvals, Some(repo.rules.code_owners))
                );
            }
        });
    }
}

#[tokio::test]
async fn who_may_less_sees_less_and_invents_nothing() {
    let table = Table::start().await;
    let github = table.as_who("wall");
    let name = table
        .names(|repo| !repo.archived && !repo.secrets.is_empty())
        .remove(0);
    let look = github.secrets(&name, Some(&[]), &[]).await.unwrap();
    let repo = secrets(&look)
        .stores
        .iter()
        .find(|one| &*one.store == "repo")
        .unwrap();
    assert!(!repo.complete && repo.names.is_empty());
    assert!(
        repo.why.as_deref().unwrap().contains("secrets=read"),
        "{:?}",
        repo.why
    );
    let error = github.actions_settings(&name).await;
    assert!(
        error.is_ok(),
        "the OIDC subject is for everyone who reads Actions: {error:?}"
    );
    let powers = github.powers().await.unwrap();
    assert!(powers.scopes.is_none() && powers.missing().is_empty());
    let rosa = table.as_who("rosa").powers().await.unwrap();
    assert!(
        rosa.missing().is_empty() && rosa.excess().is_empty(),
        "{rosa:?}"
    );
    let ken = table.as_who("ken").powers().await.unwrap();
    assert_eq!(
        ken.missing()
            .iter()
            .map(|need| need.scope)
            .collect::<Vec<_>>(),
        ["admin:org"]
    );
}

#[tokio::test]
async fn runs_are_swept_and_followed_to_the_log_of_the_step_that_failed() {
    let table = Table::start().await;
    let github = table.as_who("rosa");
    let (mut all, before) = (Vec::new(), table.tabletop.counters());
    let names = table.names(|repo| !repo.archived);
    for name in &names {
        all.extend(github.workflows(name).await.unwrap());
    }
    assert_eq!(
        table.spent(&before),
        cost::of_workflows(u32::try_from(names.len()).unwrap())
    );
    let before = table.tabletop.counters();
    let swept = github.sweep(&all).await.unwrap();
    assert_eq!(
        table.spent(&before),
        cost::of_sweep(u32::try_from(all.len()).unwrap())
    );
    let runs: Vec<_> = swept
        .answers
        .iter()
        .filter_map(|(repo, answer)| match answer {
            Answer::Runs(fact) => Some((*repo, fact.runs.clone())),
            _ => None,
        })
        .collect();
    assert_eq!(runs.len(), names.len(), "{:?}", swept.answers);
    table.tabletop.with_world(|world| {
        for run in runs.iter().flat_map(|(_, runs)| runs) {
            let (_, own) = world.run(run.id).unwrap();
            assert_eq!(
                (run.number, &*run.sha, &*run.event),
                (own.number, &*own.sha.to_string(), &*own.event)
            );
            assert_eq!(run.conclusion.as_deref(), Some(own.conclusion), "{run:?}");
        }
    });
    // Somebody releases every few minutes.
    let mut swept = swept;
    for _ in 0..60 {
        if swept.live.is_empty() {
            table.pass(60);
            swept = github.sweep(&all).await.unwrap();
        }
    }
    assert!(
        !swept.live.is_empty(),
        "nobody released anything in an hour"
    );
    table.tabletop.with_world(|world| {
        for run in &swept.live {
            let (_, own) = world.run(run.id).unwrap();
            assert!(
                own.ends > world.now && !run.ended() && run.conclusion.is_none(),
                "{run:?}"
            );
        }
    });
    let before = table.tabletop.counters();
    let (_, live) = github.live(&swept.live).await.unwrap();
    assert_eq!(
        table.spent(&before),
        cost::of_live(u32::try_from(swept.live.len()).unwrap())
    );
    assert_eq!(live.len(), swept.live.len());

    let tags = EtagMap::default();
    let one = &swept.live[0];
    let before = table.tabletop.counters();
    assert!(
        matches!(github.run(&one.name, one.id, &tags).await.unwrap(), Polled::New { value, .. } if value.attempt.is_some())
    );
    assert!(
        matches!(github.jobs(&one.name, one.id, &tags).await.unwrap(), Polled::New { value, .. } if !value.is_empty())
    );
    assert_eq!(table.spent(&before), cost::of_run());
    let before = table.tabletop.counters();
    assert!(matches!(
        github.run(&one.name, one.id, &tags).await.unwrap(),
        Polled::Same { .. }
    ));
    assert_eq!(
        table.spent(&before),
        Cost::default(),
        "what did not change does not count"
    );
    table.pass(3_600);
    assert!(
        matches!(github.run(&one.name, one.id, &tags).await.unwrap(), Polled::New { value, .. } if value.ended())
    );

    // Sooner or later one fails.
    let failure = |answers: &[(Subject, Answer)]| {
        answers.iter().find_map(|(repo, answer)| match answer {
            Answer::Runs(fact) => fact
                .runs
                .iter()
                .find(|run| run.conclusion.as_deref() == Some("failure"))
                .map(|run| (*repo, run.clone())),
            _ => None,
        })
    };
    let mut found = failure(&swept.answers);
    for _ in 0..96 {
        if found.is_none() {
            table.pass(1_800);
            found = failure(&github.sweep(&all).await.unwrap().answers);
        }
    }
    let (repo, failed) = found.expect("a failure");
    let name = names
        .iter()
        .find(|name| github.subject(name.as_str()) == repo)
        .unwrap();
    let Polled::New { value: jobs, .. } = github.jobs(name, failed.id, &tags).await.unwrap() else {
        panic!()
    };
    let job = jobs.iter().find(|job| job.failed()).unwrap();
    assert!(job.failed_step().is_some(), "{job:?}");
    let JobLog::Text(log) = github.job_log(name, job.id, 1 << 20).await.unwrap() else {
        panic!()
    };
    assert!(!log.is_empty());
}

#[tokio::test]
async fn other_refs_come_with_their_own_workflow_files() {
    let table = Table::start().await;
    let github = table.as_who("rosa");
    let choice = RefChoice {
        branches: Patterns::parse(["release/**", "[0-9]+.x"]).unwrap(),
        tags: Patterns::default(),
        protected: true,
        cap: 200,
    };
    let found = discover(&github, &table).await;
    let mut seen = 0;
    let asked = found.found.iter().map(|one| RefsAsked {
        repo: one.name.clone(),
        node_id: one.node_id.clone(),
        default: one.fact.default_branch.clone(),
        known: one.workflows.iter().cloned().collect(),
    });
    let asked: Vec<RefsAsked> = asked.collect();
    let mut all = Vec::new();
    for some in asked.chunks(25) {
        all.extend(github.other_refs(some, &choice).await.unwrap());
    }
    assert_eq!(all.len(), found.found.len());
    for (one, looks) in found.found.iter().zip(all) {
        let looks = looks.unwrap();
        assert!(looks.complete, "{}: {:?}", one.name, looks.why_not);
        seen += looks.refs.len();
        table.tabletop.with_world(|world| {
            let (_, repo) = world
                .repo(one.name.as_str().split('/').nth(1).unwrap())
                .unwrap();
            for look in &looks.refs {
                let commit = repo.at(&look.git_ref).unwrap();
                assert_eq!(&*look.commit, &*commit.oid.to_string());
                let files = look
                    .folder
                    .as_ref()
                    .and_then(|folder| looks.folders.get(folder));
                for (path, bytes) in files.iter().flat_map(|files| &files.files) {
                    assert_eq!(
                        world.file(commit, path).unwrap().as_bytes(),
                        &bytes[..],
                        "{} {path}",
                        one.name
                    );
                }
            }
        });
    }
    assert!(seen > 0, "the default world has maintenance branches");
}

#[tokio::test]
async fn a_checkout_holds_every_file_that_was_wanted() {
    let table = Table::start().await;
    let github = table.as_who("rosa");
    let name = table.names(|repo| repo.packages.len() > 1).remove(0);
    let commit = table.tabletop.with_world(|world| {
        world
            .repo(name.as_str().split('/').nth(1).unwrap())
            .unwrap()
            .1
            .head()
            .unwrap()
            .oid
            .to_string()
    });
    let files = github
        .checkout(&name, "refs/heads/main", &commit, &|path| {
            path.ends_with("package.json")
        })
        .await
        .unwrap();
    assert!(
        files.complete && files.files.len() > 1,
        "{:?}",
        files.why_not
    );
}

#[tokio::test]
async fn faults_of_one_group_leave_the_others_and_no_fact_behind() {
    let table = Table::start().await;
    let github = table.as_who("rosa");
    let name = table.names(|repo| !repo.archived).remove(0);
    let fault = |group: &str, kind| tabletop::Fault {
        group: group.to_owned(),
        path: None,
        kind,
        times: 1,
    };
    for (kind, word) in [
        (FaultKind::Status(500), "server error"),
        (
            FaultKind::Limited {
                status: 403,
                retry_after: Some(30),
            },
            "limited",
        ),
        (
            FaultKind::Limited {
                status: 429,
                retry_after: None,
            },
            "limited",
        ),
        (FaultKind::Truncate, "truncated or reset"),
        (FaultKind::Portal, "captive portal"),
        (FaultKind::Page, "edge page"),
        (FaultKind::Garbage, "not JSON or truncated"),
        (FaultKind::Huge(20_000_000), "too large"),
        (
            FaultKind::Redirect("https://elsewhere.example/".to_owned()),
            "redirected",
        ),
    ] {
        table.tabletop.fault(fault("rest", kind));
        assert!(
            github.workflows(&name).await.is_ok(),
            "{word}: another group is not touched"
        );
        // What is wrong with one answer is said in its store; what is wrong with the way there ends the sweep.
        match github.secrets(&name, None, &[]).await {
            Err(GithubError::Request(trouble)) => {
                assert!(word.contains(trouble.fault.word()), "{word}: {trouble}");
            }
            Ok(look) => {
                // The environments could not be listed in any case.
                let open = secrets(&look).stores.iter().filter(|store| !store.complete);
                assert_eq!(open.count(), 2, "{word}: {look:?}");
            }
            Err(other) => panic!("{word}: {other}"),
        }
        let look = github.secrets(&name, Some(&[]), &[]).await.unwrap();
        assert!(
            secrets(&look).stores.iter().all(|store| store.complete),
            "{word}: it is over"
        );
    }
    table.tabletop.fault(fault("rest", FaultKind::Status(401)));
    let error = github.powers().await.unwrap_err();
    assert!(
        matches!(error, GithubError::Request(trouble) if matches!(trouble.fault, Fault::Unauthorised { .. }))
    );
}

#[tokio::test]
async fn a_server_of_ones_own_is_asked_below_its_api_and_has_no_codespaces() {
    let table = Table::start().await;
    let github = table.at(&format!("{}/api/v3", table.tabletop.github), "rosa");
    assert!(
        github
            .place()
            .note()
            .is_some_and(|note| note.contains("npm trusts"))
    );
    let all = discover(&github, &table).await;
    assert!(all.complete && all.found.len() == 20);
    let look = github
        .secrets(&all.found[0].name, Some(&[]), &[])
        .await
        .unwrap();
    let stores: Vec<&str> = secrets(&look)
        .stores
        .iter()
        .map(|store| &*store.store)
        .collect();
    assert_eq!(stores, ["repo", "org", "dependabot", "vars", "org-vars"]);
}
