#![allow(clippy::unwrap_used)]
use super::*;
use crate::model::fact::{
    Answer, CauseFact, CausesFact, PackageFact, PublishedFact, RepoFact, RunsFact,
};
use crate::model::facts::{Dated, Tie, take};
use crate::model::time::Ts;

fn repo() -> Subject {
    Subject::repo("forge.example", "acme/ui")
}

fn package() -> Subject {
    Subject::package("registry.example", "@acme/ui")
}

fn run(id: u64, sha: &str, created: i64, updated: i64) -> RunFact {
    RunFact {
        id,
        sha: sha.into(),
        created: Ts(created),
        updated: Ts(updated),
        conclusion: Some("success".into()),
        ..RunFact::default()
    }
}

fn version(how: HowFact) -> VersionFact {
    VersionFact {
        version: "1.0.0".into(),
        at: Ts(1_000),
        how,
        git_head: Some("bbb".into()),
        ..VersionFact::default()
    }
}

fn dated<T>(as_of: i64, value: T) -> Dated<T> {
    Dated {
        as_of: Ts(as_of),
        tie: Tie::default(),
        value,
    }
}

/// Facts of one repository with one package, after the answers in this order.
fn facts(answers: Vec<(Subject, i64, Answer)>) -> Facts {
    let mut facts = Facts::default();
    let scan = RepoFact {
        name: "acme/ui".into(),
        packages: vec![package()],
        ..RepoFact::default()
    };
    take(
        &mut facts.repos.entry(repo()).or_default().scan,
        dated(1, scan),
    );
    let one = PackageFact {
        name: "@acme/ui".into(),
        repo: Some(repo()),
        ..PackageFact::default()
    };
    take(
        &mut facts.packages.entry(package()).or_default().fact,
        dated(1, one),
    );
    facts.relink(repo());
    for (about, as_of, answer) in answers {
        facts.see(about, dated(as_of, answer));
    }
    facts
}

fn runs(runs: Vec<RunFact>) -> Answer {
    Answer::Runs(RunsFact { runs })
}

#[test]
fn a_version_fits_the_one_run_of_its_commit_that_went_then() {
    let right = run(7, "bbb", 900, 990);
    for (runs, fits) in [
        (vec![run(8, "ccc", 900, 1_100)], None),
        (vec![run(8, "bbb", 1_001, 1_100)], None),
        (vec![run(8, "bbb", 100, 500)], None),
        (vec![right.clone(), run(9, "bbb", 900, 990)], None),
        (vec![right.clone(), run(8, "ccc", 900, 990)], Some(7)),
    ] {
        let found = published_by(&version(HowFact::Unmatched), &runs);
        assert_eq!(found.map(|run| run.id), fits, "{runs:?}");
    }
}

#[test]
fn the_run_of_a_version_is_worked_out_in_any_order_and_outlives_the_list_of_runs() {
    let published = Answer::Published(PublishedFact {
        versions: vec![version(HowFact::Unmatched)],
        ..PublishedFact::default()
    });
    let answers = [
        (package(), 10, published.clone()),
        (repo(), 20, runs(vec![run(7, "bbb", 900, 990)])),
        (repo(), 30, runs(vec![run(8, "ccc", 2_000, 2_100)])),
    ];
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [2, 0, 1]] {
        let ordered = order.map(|at| answers.get(at).unwrap().clone());
        let facts = facts(ordered.to_vec());
        let how = facts.how(package(), &version(HowFact::Unmatched));
        assert_eq!(how, (HowFact::MatchedRun, Some(7)), "{order:?}");
        let recorded = facts.seen.get(&package()).unwrap().published().unwrap();
        assert_eq!(
            Answer::Published(recorded.0.clone()),
            published,
            "the registry's answer stays as it was"
        );
        assert_eq!(recorded.1, Ts(10));
    }
}

#[test]
fn what_the_registry_says_itself_is_never_overruled_by_a_run() {
    let facts = facts(vec![(repo(), 20, runs(vec![run(7, "bbb", 900, 990)]))]);
    for how in [HowFact::Oidc, HowFact::Staged, HowFact::NotTold] {
        assert_eq!(facts.how(package(), &version(how)), (how, None));
    }
    // As files of version 0.1 have it.
    let matched = VersionFact {
        run: Some(5),
        ..version(HowFact::MatchedRun)
    };
    let how = facts.how(package(), &matched);
    assert_eq!(how, (HowFact::MatchedRun, Some(5)));
}

#[test]
fn new_runs_touch_the_packages_whose_versions_they_may_explain() {
    let mut facts = facts(Vec::new());
    let answer = runs(vec![run(7, "bbb", 900, 990)]);
    let linked = facts.see(repo(), dated(20, answer));
    assert_eq!(linked.touched, [package()]);
}

#[test]
fn why_a_run_failed_is_an_answer_of_its_own_and_of_one_attempt() {
    let causes = Answer::Causes(CausesFact {
        causes: vec![CauseFact {
            run: 7,
            updated: Ts(990),
            failed_step: Some("npm publish".into()),
            cause: "otp-asked".into(),
        }],
    });
    let failed = run(7, "bbb", 900, 990);
    // One second, in both orders: two sources, so neither hides the other.
    for first in [true, false] {
        let mut answers = vec![
            (repo(), 1_000, runs(vec![failed.clone()])),
            (repo(), 1_000, causes.clone()),
        ];
        if first {
            answers.reverse();
        }
        let facts = facts(answers);
        let seen = facts.seen.get(&repo()).unwrap();
        let why = Why {
            cause: Some("otp-asked"),
            step: Some("npm publish"),
        };
        assert_eq!(seen.why(&failed), why);
        assert_eq!(seen.why(&run(7, "bbb", 900, 2_000)), Why::default());
    }
    let old = RunFact {
        cause: Some("unknown".into()),
        ..failed
    };
    let facts = facts(vec![(repo(), 1_000, runs(vec![old.clone()]))]);
    let seen = facts.seen.get(&repo()).unwrap();
    assert_eq!(
        seen.why(&old).cause,
        Some("unknown"),
        "as version 0.1 wrote it"
    );
}
