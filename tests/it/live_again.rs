//! What is asked again and what is not: after a restart, after the machine slept, while a run is followed. Counted at
//! the servers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use crate::common::live;
use cutover::engine::live::{LinkState, RunRow, RunState};
use cutover::engine::snapshot::{Focus, Snapshot};
use cutover::http::Group;
use cutover::tabletop::{Counters, Fault, FaultKind};
use cutover::tui::state::Tab;
use live::{Stage, Time};
use std::sync::Arc;

/// Who asks is asked at each start: by GitHub and by npm.
const GREETING: u64 = 2;
/// What a first look asks.
const EVERYTHING: [Group; 6] = [
    Group::GithubGraphql,
    Group::GithubRest,
    Group::GithubActions,
    Group::NpmRead,
    Group::NpmTokens,
    Group::NpmSearch,
];
/// Seconds after which packages and accounts are due again.
const DUE: u64 = 900;

/// Answers that said that nothing changed since the one whose tag was sent.
fn same(counters: &Counters) -> u64 {
    counters.statuses.get(&304).copied().unwrap_or_default()
}

fn settled(stage: &mut Stage) -> Arc<Snapshot> {
    stage.first_look()
}

/// Waits until who asks was asked, and nothing is left to be.
fn greeted(stage: &mut Stage) {
    stage.wait("the greeting", |snapshot| {
        let live = |group: Group| {
            let mut links = snapshot.live.links.iter();
            links.any(|link| {
                link.group == group.word() && matches!(link.state, LinkState::Live { .. })
            })
        };
        live(Group::GithubRest) && live(Group::NpmRead) && snapshot.live.waiting == (0, 0)
    });
}

/// Requests of a restart.
fn restarted(stage: &mut Stage, account: usize) -> u64 {
    let before = stage.table.counters();
    stage.again(account);
    greeted(stage);
    // What it does not ask at once it does not ask at its end either.
    stage.quit();
    let after = stage.table.counters();
    after.requests - before.requests
}

fn first(repos: usize) -> (Stage, u64) {
    let mut stage = Stage::new(repos, Time::standing(), |_| {});
    settled(&mut stage);
    // What goes on is asked for at each start: until all runs have ended, and why is known.
    while stage
        .picture()
        .live
        .runs
        .iter()
        .any(|run| run.state.is_open())
    {
        stage.pass(11);
        stage.quiet(&[Group::GithubGraphql]);
    }
    // A package is looked at again a little after the end of a run that may have published it.
    stage.pass(6);
    stage.quiet(&[Group::NpmRead]);
    stage.wait("the causes", |snapshot| {
        let mut failed = snapshot.live.runs.iter().filter(|run| run.newest);
        snapshot.live.waiting == (0, 0)
            && failed.all(|run| run.state != RunState::Failed || run.cause.is_some())
    });
    stage.quit();
    let first = stage.table.counters().requests;
    (stage, first)
}

#[test]
fn a_restart_asks_only_who_asks() {
    let (mut stage, first) = first(8);
    let facts = format!("{:?}", stage.read_back().facts().paths.len());
    assert!(first > 50, "{first}");
    stage.pass(60);
    assert_eq!(restarted(&mut stage, 0), GREETING);
    assert_eq!(restarted(&mut stage, 0), GREETING, "and so does the next");
    assert_eq!(
        format!("{:?}", stage.read_back().facts().paths.len()),
        facts
    );

    // What is due by then is asked, by tags of the time before.
    let before = stage.table.counters();
    stage.pass(DUE);
    stage.again(0);
    stage.quiet(&[Group::NpmRead, Group::NpmTokens, Group::GithubGraphql]);
    let after = stage.table.counters();
    assert!(same(&after) > same(&before), "no tag was used");
    assert!(after.requests - before.requests < first / 2);
}

#[test]
fn nothing_in_the_file_is_a_name_a_text_or_a_credential() {
    let (stage, _) = first(8);
    let text = std::fs::read_to_string(stage.cache()).unwrap();
    for one in &stage.table.credentials {
        assert!(!text.contains(one.secret.expose()), "of {}", one.who);
        assert!(!text.contains(&one.who), "{}", one.who);
    }
    for word in [
        "http",
        stage.table.organisation.as_str(),
        ".yml",
        "refs/",
        "@",
    ] {
        assert!(!text.contains(word), "{word} in {text}");
    }
}

#[test]
fn without_a_cache_of_its_own_everything_is_asked() {
    let (mut stage, first) = first(8);
    let place = stage.cache();
    let good = std::fs::read(&place).unwrap();
    for (what, bytes) in [
        ("lost", None),
        ("torn", Some(good[..good.len() / 2].to_vec())),
        ("newer", Some([&b"{\"v\":9,"[..], &good[7..]].concat())),
    ] {
        match bytes {
            None => std::fs::remove_file(&place).unwrap(),
            Some(bytes) => std::fs::write(&place, bytes).unwrap(),
        }
        let before = stage.table.counters().requests;
        stage.again(0);
        stage.quiet(&EVERYTHING);
        stage.quit();
        let asked = stage.table.counters().requests - before;
        assert!(asked > first / 2, "{what}: {asked} of {first}");
    }
}

#[test]
fn another_account_asks_for_itself() {
    let (mut stage, _) = first(8);
    let before = stage.table.counters();
    stage.again(1);
    stage.quiet(&EVERYTHING[3..]);
    stage.quit();
    let after = stage.table.counters();
    let asked = |group| {
        let count = |counters: &Counters| counters.groups.get(group).copied().unwrap_or_default();
        count(&after) - count(&before)
    };
    assert!(asked("read") > 5, "{:?}", after.groups);
    assert_eq!(asked("graphql"), 0, "GitHub was asked as the same account");
    assert_eq!(same(&after), same(&before), "no tag of somebody else");
}

#[test]
fn what_could_not_be_looked_at_is_asked_at_each_start() {
    let mut stage = Stage::new(8, Time::standing(), |table| {
        for path in ["/environments", "/rules/branches"] {
            table.fault(Fault {
                group: "rest".to_owned(),
                path: Some(path.to_owned()),
                kind: FaultKind::Status(404),
                times: 1_000,
            });
        }
    });
    settled(&mut stage);
    stage.quit();
    stage.table.end_faults();
    let before = stage.table.counters();
    stage.again(0);
    // The protection rests on the default branch, which only a discovery tells: it is made for that.
    stage.quiet(&[Group::GithubGraphql, Group::GithubRest]);
    stage.quit();
    let after = stage.table.counters();
    let asked = after.requests - before.requests;
    assert!(asked > GREETING, "nothing was asked again");
    let session = stage.read_back();
    let mut seen = session.facts().seen.values();
    assert!(
        seen.any(|seen| seen.environments().is_some() && seen.protection().is_some()),
        "and nothing was seen"
    );
}

#[test]
fn after_sleep_everything_on_the_screen_is_asked_again_and_it_is_said() {
    let mut stage = Stage::new(8, Time::standing(), |_| {});
    let picture = settled(&mut stage);
    let repo = picture.live.runs[0].repo;
    stage.focus(Focus {
        page: Some(repo),
        ..Focus::default()
    });
    stage.wait("the page", |snapshot| snapshot.live.waiting == (0, 0));
    let before = stage.table.counters();
    // Its clocks run twenty times as fast as ours.
    stage.sleep(310);
    let shown = stage.wait("the gap", |snapshot| {
        snapshot
            .live
            .notes
            .iter()
            .any(|note| note.contains("slept 5 min"))
    });
    let screen = stage.screen(&shown, Tab::Board);
    assert!(
        screen.contains("the machine slept 5 min, or its clock was set: looking again"),
        "{screen}"
    );
    let heard = stage.quiet(&[Group::GithubGraphql, Group::GithubRest, Group::NpmTokens]);
    assert!(!heard.live.notes.is_empty());
    let after = stage.table.counters();
    assert!(after.requests > before.requests + 5);
    // Nothing but time passes: nothing more is said.
    stage.pass(40);
    stage.wait("the end of it", |snapshot| snapshot.live.notes.is_empty());
}

#[test]
fn a_followed_run_costs_nothing_while_it_stays_the_same() {
    let mut stage = Stage::new(8, Time::standing(), |_| {});
    let picture = settled(&mut stage);
    let name = picture.live.runs[0]
        .name
        .rsplit('/')
        .next()
        .unwrap()
        .to_owned();
    let repo = picture.live.runs[0].repo;
    // The next sweep comes shortly after the release.
    stage.pass(262);
    stage.table.with_world(|world| {
        let at = world.repo(&name).unwrap().0;
        world.release(at, "rosa");
    });
    let released = (stage.now)();
    stage.pass(9);
    let new = |run: &&RunRow| run.repo == repo && run.state.is_open() && run.created >= released;
    let open = stage.wait("the released run", |snapshot| {
        snapshot.live.runs.iter().any(|run| new(&run))
    });
    let run = open.live.runs.iter().find(new).unwrap().id;
    stage.focus(Focus {
        run: Some((repo, run)),
        ..Focus::default()
    });
    stage.wait("its steps", |snapshot| {
        let tail = snapshot.live.tail.as_ref();
        tail.is_some_and(|tail| tail.run == run && !tail.lines.is_empty())
    });
    let before = stage.table.counters();
    let mut looks = 0;
    while stage.table.counters().unchanged < before.unchanged + 2 && looks < 9 {
        looks += 1;
        stage.pass(5);
        stage.quiet(&[Group::GithubActions]);
    }
    let after = stage.table.counters();
    assert!(
        after.unchanged >= before.unchanged + 2,
        "{looks} looks, {after:?}"
    );
    let tail = stage.picture().live.tail.clone().unwrap();
    assert!(tail.run == run && !tail.lines.is_empty(), "{tail:?}");
}
