//! Makes the rows of the pipelines and packages screens: facts, and the runs that go on.

use super::shown;
use crate::engine::live::{Cause, OpenRun, PackageRow, RunRow, RunState, Spark};
use crate::engine::observe::github::{LOG_GONE, LOG_HIDDEN, STOPPED};
use crate::model::clock::clocks;
use crate::model::fact::{LiveSource, RunFact};
use crate::model::facts::Facts;
use crate::model::facts::joined::Why;
use crate::model::id::{Subject, SubjectMap};
use crate::model::time::Ts;
use crate::safe::shown::visible;
use std::collections::HashMap;

/// Seconds after which a run that no machine took is said to wait at GitHub.
const QUEUED: i64 = 600;

/// Runs that go on, by repository.
pub type OpenRuns = HashMap<Subject, Vec<OpenRun>>;

/// Gives the words for a cause that stands in a run's fact; one of a newer version has none here.
fn explain(id: &str) -> Option<Cause> {
    let cause = |meaning: &str, action: &str| {
        Some(Cause {
            id: shown(id),
            meaning: shown(meaning),
            action: shown(action),
        })
    };
    match id {
        "unknown" => cause(
            "the log fits no known failure of publishing",
            "read the log: open the run with o",
        ),
        STOPPED => cause(
            "it stopped before its publish step: nothing was published",
            "mend the step that failed; publishing is not at fault",
        ),
        LOG_GONE => cause(
            "GitHub no longer has this log",
            "run it again to see why it fails",
        ),
        LOG_HIDDEN => cause(
            "its log could not be read",
            "use a token that may read Actions, or open the run with o",
        ),
        id => {
            let all = &crate::diagnose::signature::table().all;
            let known = all.iter().find(|known| known.signature.id == id)?;
            cause(&known.signature.title, &known.signature.action)
        }
    }
}

/// Makes the rows of all runs, newest trouble first: what failed last in its workflow, what goes on, then the rest.
pub fn runs(facts: &Facts, open: &OpenRuns) -> Vec<RunRow> {
    let mut rows = Vec::new();
    for (repo, seen) in &facts.seen {
        let Some((fact, told)) = seen.runs() else {
            continue;
        };
        // The same answer again is no event, and as fresh as the last look.
        let as_of = seen.looked(LiveSource::Runs).unwrap_or(told);
        // A run may have ended since it was seen open, or have been started again since it ended: what moved last counts.
        let open = open.get(repo).map_or(&[][..], Vec::as_slice);
        let again = |run: &&RunFact| {
            let mut open = open.iter().map(|one| &one.run);
            open.any(|one| one.id == run.id && one.updated > run.updated)
        };
        let ended = fact.runs.iter().filter(|run| !again(run));
        rows.extend(ended.map(|run| row(facts, *repo, run, as_of)));
    }
    for (repo, runs) in open {
        let known = facts.seen.get(repo).and_then(|seen| seen.runs());
        let ended = known.map_or(&[][..], |(fact, _)| &fact.runs);
        let over = |one: &&OpenRun| {
            let mut ended = ended.iter();
            ended.any(|run| run.id == one.run.id && run.updated >= one.run.updated)
        };
        rows.extend(runs.iter().filter(|one| !over(one)).map(|one| RunRow {
            step: one.step.as_deref().map(shown).or_else(|| queued(one)),
            steps: one.steps,
            ..row(facts, *repo, &one.run, one.as_of)
        }));
    }
    rows.sort_unstable_by(|a, b| {
        (&a.name, a.repo, &a.file, b.created, b.id)
            .cmp(&(&b.name, b.repo, &b.file, a.created, a.id))
    });
    let mut before: Option<(Subject, Box<str>)> = None;
    for row in &mut rows {
        let workflow = (row.repo, row.file.clone());
        row.newest = before.as_ref() != Some(&workflow);
        before = Some(workflow);
    }
    rows.sort_by_key(|row| {
        let group = match (row.newest, row.state) {
            (true, RunState::Failed) => 0,
            (_, state) if state.is_open() => 1,
            _ => 2,
        };
        (group, std::cmp::Reverse(row.updated))
    });
    rows
}

/// Says of a run without jobs how long it has waited for a machine: it has not failed, and nothing here holds it up.
fn queued(one: &OpenRun) -> Option<Box<str>> {
    let waits = matches!(&*one.run.status, "queued" | "requested" | "pending");
    let moved = one.run.updated.max(one.run.created);
    let since = one.as_of.0.saturating_sub(moved.0);
    (waits && since >= QUEUED).then(|| format!("queued at GitHub for {} min", since / 60).into())
}

fn row(facts: &Facts, repo: Subject, run: &RunFact, as_of: Ts) -> RunRow {
    let name = facts.repos.get(&repo).map_or("", |row| row.name());
    let file = run.file.rsplit('/').next().unwrap_or_default();
    let state = RunState::of(&run.status, run.conclusion.as_deref());
    let why = facts
        .seen
        .get(&repo)
        .map_or_else(Why::default, |seen| seen.why(run));
    let cause = why.cause.and_then(explain);
    let haystack = format!(
        "{name} {file} {} {} {} {} {}",
        run.branch,
        run.actor,
        run.event,
        state.word(),
        why.cause.unwrap_or_default()
    );
    RunRow {
        repo,
        name: shown(name),
        id: run.id,
        number: run.number,
        attempt: run.attempt,
        file: shown(file),
        event: shown(&run.event),
        branch: shown(&run.branch),
        sha: shown(&run.sha.chars().take(8).collect::<String>()),
        state,
        created: run.created,
        updated: run.updated,
        actor: shown(&run.actor),
        url: shown(&run.url),
        step: why.step.map(shown),
        steps: None,
        cause,
        newest: false,
        as_of,
        haystack: visible(&haystack.to_lowercase()).as_ref().into(),
    }
}

/// Makes the sparklines: the last five runs of each repository, oldest first.
pub fn sparks(runs: &[RunRow]) -> SubjectMap<Spark> {
    let mut by_repo: SubjectMap<Vec<(Ts, RunState)>> = SubjectMap::default();
    for run in runs {
        by_repo
            .entry(run.repo)
            .or_default()
            .push((run.created, run.state));
    }
    by_repo
        .into_iter()
        .map(|(repo, mut runs)| {
            runs.sort_unstable_by_key(|run| std::cmp::Reverse(*run));
            let mut spark = Spark::default();
            for (slot, (_, state)) in spark.0.iter_mut().rev().zip(runs) {
                *slot = Some(state);
            }
            (repo, spark)
        })
        .collect()
}

/// Tells which repositories have a release workflow whose newest run failed, and why in a few words.
pub fn failing(runs: &[RunRow]) -> SubjectMap<Box<str>> {
    let failed = runs
        .iter()
        .filter(|run| run.newest && run.state == RunState::Failed);
    let mut all = SubjectMap::default();
    for run in failed {
        let why = match (&run.cause, &run.step) {
            (Some(cause), _) => format!("{} failed: {}", run.file, cause.meaning),
            (None, Some(step)) => format!("{} failed at {step}", run.file),
            (None, None) => format!("{} failed: its log is being read", run.file),
        };
        all.entry(run.repo).or_insert_with(|| why.into());
    }
    all
}

/// Counts the repositories in which a release runs or waits.
pub fn running(runs: &[RunRow]) -> usize {
    let open = runs.iter().filter(|run| run.state.is_open());
    let mut repos: Vec<Subject> = open.map(|run| run.repo).collect();
    repos.sort_unstable();
    repos.dedup();
    repos.len()
}

/// Gives the last finished runs of a repository as its page shows them: when, how, and why.
pub fn last_runs(facts: &Facts, repo: Subject) -> Vec<(String, String)> {
    let seen = facts.seen.get(&repo);
    let told = seen.and_then(|seen| seen.runs());
    let runs = told.map_or(&[][..], |(fact, _)| &fact.runs);
    let line = |run: &RunFact| {
        let state = RunState::of(&run.status, run.conclusion.as_deref());
        let why = seen.map_or_else(Why::default, |seen| seen.why(run));
        let why = match (why.cause.and_then(explain), why.step) {
            (Some(cause), _) => format!(": {}", cause.meaning),
            (None, Some(step)) => format!(" at {step}"),
            (None, None) => String::new(),
        };
        let branch = if run.branch.is_empty() {
            "a tag"
        } else {
            &*run.branch
        };
        (
            format!("{} #{}", run.file, run.number),
            format!(
                "{}{why}; {} on {branch}, {}",
                state.word(),
                run.event,
                run.updated
            ),
        )
    };
    runs.iter().take(5).map(line).collect()
}

/// Makes the rows of every package that the registry was asked about or that a path publishes.
pub fn packages(facts: &Facts, now: Ts) -> Vec<PackageRow> {
    let mut rows: Vec<PackageRow> = facts
        .packages
        .iter()
        .filter(|(_, row)| !row.stand_in)
        .filter(|(_, row)| !row.fact.as_ref().is_some_and(|fact| fact.value.private))
        .map(|(id, _)| package(facts, *id, now))
        .collect();
    rows.sort_unstable_by(|a, b| (&a.name, a.id).cmp(&(&b.name, b.id)));
    rows
}

fn package(facts: &Facts, id: Subject, now: Ts) -> PackageRow {
    let known = facts.packages.get(&id);
    let seen = facts.seen.get(&id);
    let published = seen.and_then(|seen| seen.published());
    let fact = published.map(|(fact, _)| fact);
    let name = known
        .map(|row| row.name.as_ref())
        .filter(|name| !name.is_empty())
        .or_else(|| fact.map(|fact| fact.name.as_ref()))
        .unwrap_or("(not named yet)");
    let repos: Vec<Box<str>> = known
        .into_iter()
        .flat_map(|row| &row.repos)
        .filter_map(|repo| facts.repos.get(repo))
        .map(|repo| shown(repo.name()))
        .collect();
    let provenance = seen.and_then(|seen| seen.provenance()).map(|(fact, _)| {
        let version = shown(&fact.version);
        if fact.verified {
            Ok(version)
        } else {
            Err(shown(fact.why.as_deref().unwrap_or("refused")))
        }
    });
    let reach = seen.and_then(|seen| seen.reach());
    let writers = seen.and_then(|seen| seen.access()).map_or_else(
        || fact.map_or(0, |fact| fact.maintainers.len()),
        |(access, _)| access.writers().count(),
    );
    let window = known
        .into_iter()
        .flat_map(|row| &row.repos)
        .filter_map(|repo| facts.repos.get(repo))
        .flat_map(|repo| &repo.configs)
        .filter(|config| {
            facts
                .configs
                .get(config)
                .is_some_and(|config| config.package == id)
        })
        .flat_map(|config| clocks(facts, *config))
        .filter(|clock| clock.ends > now)
        .map(|clock| clock.ends)
        .min();
    let haystack = format!("{name} {}", repos.join(" ")).to_lowercase();
    PackageRow {
        id,
        name: shown(name),
        latest: fact
            .and_then(|fact| fact.tags.get("latest"))
            .map(|one| shown(one)),
        tags: fact
            .into_iter()
            .flat_map(|fact| &fact.tags)
            .filter(|(tag, _)| tag.as_ref() != "latest")
            .map(|(tag, version)| shown(&format!("{tag} {version}")))
            .collect(),
        how: fact
            .into_iter()
            .flat_map(|fact| &fact.versions)
            .take(5)
            .map(|version| facts.how(id, version).0)
            .collect(),
        released: fact
            .and_then(|fact| fact.versions.first())
            .map(|version| version.at),
        cadence_days: fact.and_then(|fact| fact.cadence_days),
        configs: seen
            .and_then(|seen| seen.trust())
            .map(|(trust, _)| trust.configs.len()),
        window,
        provenance,
        writers,
        weekly: reach.and_then(|(reach, _)| reach.weekly),
        dependents: reach.and_then(|(reach, _)| reach.dependents),
        as_of: published.map(|(_, as_of)| as_of),
        trouble: seen
            .and_then(|seen| seen.trouble(LiveSource::Published))
            .map(|(fact, _)| shown(&fact.why)),
        repos,
        haystack: visible(&haystack).as_ref().into(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use crate::model::fact::{Answer, RunsFact};
    use crate::model::facts::{Dated, Tie};

    fn run(updated: i64, status: &str) -> RunFact {
        RunFact {
            id: 7,
            file: "release.yml".into(),
            status: status.into(),
            conclusion: (status == "completed").then(|| "failure".into()),
            updated: Ts(updated),
            ..RunFact::default()
        }
    }

    /// The rows of one run that was seen ended at one instant and open at another.
    fn states(ended: i64, open: i64) -> Vec<RunState> {
        let repo = Subject::repo("github.com", "acme/ui");
        let mut facts = Facts::default();
        let value = Answer::Runs(RunsFact {
            runs: vec![run(ended, "completed")],
        });
        facts.see(
            repo,
            Dated {
                as_of: Ts(50),
                tie: Tie::default(),
                value,
            },
        );
        let one = OpenRun {
            run: run(open, "in_progress"),
            step: None,
            steps: None,
            as_of: Ts(50),
        };
        let open = OpenRuns::from([(repo, vec![one])]);
        runs(&facts, &open).iter().map(|row| row.state).collect()
    }

    #[test]
    fn a_run_that_no_machine_takes_is_queued_at_github_and_not_failed() {
        let step = |status: &str, as_of: i64| {
            let repo = Subject::repo("github.com", "acme/ui");
            let one = OpenRun {
                run: run(1_000, status),
                step: None,
                steps: None,
                as_of: Ts(as_of),
            };
            let rows = runs(&Facts::default(), &OpenRuns::from([(repo, vec![one])]));
            (rows[0].state, rows[0].step.clone())
        };
        assert_eq!(step("queued", 1_599), (RunState::Queued, None));
        let said = Some("queued at GitHub for 12 min".into());
        assert_eq!(step("queued", 1_730), (RunState::Queued, said));
        // Waiting for somebody's approval is something else.
        assert_eq!(step("waiting", 9_999), (RunState::Queued, None));
        assert_eq!(step("in_progress", 9_999), (RunState::Running, None));
    }

    #[test]
    fn of_two_sights_of_one_run_the_one_that_moved_last_counts() {
        assert_eq!(states(20, 10), [RunState::Failed], "it has ended since");
        assert_eq!(
            states(20, 20),
            [RunState::Failed],
            "nothing moves after the end"
        );
        assert_eq!(states(20, 30), [RunState::Running], "it was started again");
    }
}
