//! Faults at the server, seen from the console: the trouble and its group are named, no fact is lost or invented, and
//! what comes after the fault is shown.
//!
//! What fails below HTTP stands in `src/http/tests.rs`: a certificate that is not trusted, and a proxy that wants a
//! login (407).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use crate::common::live;
use cutover::engine::live::LinkState;
use cutover::engine::snapshot::Focus;
use cutover::http::Group;
use cutover::model::fact::LiveSource;
use cutover::model::facts::Facts;
use cutover::model::id::Subject;
use cutover::tabletop::{Fault, FaultKind};
use cutover::tui::state::Tab;
use live::{Stage, Time};
use serde_json::json;
use std::collections::BTreeMap;

/// As good as for ever.
const EVER: u32 = 1_000_000;
/// Seconds after which the accounts and the packages are due again, and the runs.
const DUE: u64 = 900;

fn fault(stage: &Stage, group: &str, path: Option<&str>, kind: FaultKind) {
    stage.table.fault(Fault {
        group: group.to_owned(),
        path: path.map(str::to_owned),
        kind,
        times: EVER,
    });
}

fn stage() -> Stage {
    let mut stage = Stage::new(8, Time::standing(), |_| {});
    stage.first_look();
    stage
}

/// What is known of the outside, by what it rests on; without the times of the looks.
type Known = BTreeMap<(&'static str, String), String>;

fn known(facts: &Facts) -> Known {
    let mut known = Known::new();
    let mut add = |group, about: &Subject, fact: String| {
        known.insert(
            (
                group,
                format!("{about} {}", fact.split('{').next().unwrap()),
            ),
            fact,
        );
    };
    for (about, seen) in &facts.seen {
        macro_rules! all {
            ($group:literal: $($name:ident),*) => {$(
                if let Some((fact, _)) = seen.$name() {
                    add($group, about, format!("{fact:?}"));
                }
            )*};
        }
        all!("graphql": runs, forge, refs);
        all!("rest": actions, environments, protection, secrets);
        all!("read": access, profile, owned);
        if let Some((fact, _)) = seen.published() {
            let mut fact = fact.clone();
            // Which run made a version is told by GitHub, not by the registry.
            for version in &mut fact.versions {
                version.how = Default::default();
                version.run = None;
            }
            add("read", about, format!("{fact:?}"));
        }
    }
    for (about, person) in &facts.persons {
        let listing = person.listings.iter().max_by_key(|listing| listing.as_of);
        if let Some(listing) = listing {
            let words = format!("Listing{{ {:?} {:?}", listing.complete, listing.tokens);
            add("tokens", about, words);
        }
    }
    for (about, token) in &facts.tokens {
        let mut fact = token.fact.clone().unwrap().value;
        // The server counts our own looks as uses.
        fact.last_used = None;
        add("tokens", about, format!("{fact:?}"));
    }
    known
}

fn of(stage: &Stage, group: &str) -> Known {
    let mut all = known(stage.read_back().facts());
    all.retain(|(of, _), _| *of == group);
    assert!(!all.is_empty(), "nothing is known of {group} to begin with");
    all
}

/// A fault of a whole group: named on the screen with its group, nothing lost or invented, and over when it is over.
fn goes_and_comes(stage: &mut Stage, group: Group, tag: &str, kind: FaultKind, words: &str) {
    let before = of(stage, tag);
    fault(stage, tag, None, kind.clone());
    stage.pass(DUE);
    let what = format!("{kind:?}: {words}");
    let shown = stage.wait(&what, |snapshot| {
        snapshot.live.links.iter().any(|link| {
            link.group == group.word()
                && match &link.state {
                    LinkState::Limited { .. } => words.contains("limited"),
                    LinkState::Unauthorised { .. } => words.contains("unauthorised"),
                    LinkState::Offline { .. } => words.contains("offline"),
                    _ => false,
                }
        })
    });
    let screen = stage.screen(&shown, Tab::Board);
    for part in words.split('|') {
        assert!(screen.contains(part), "{kind:?}: no `{part}` in\n{screen}");
    }
    assert_eq!(of(stage, tag), before, "{kind:?} changed what is known");
    stage.table.end_faults();
    stage.pass(DUE);
    let after = stage.quiet(&[group]);
    let screen = stage.screen(&after, Tab::Board);
    assert!(
        !screen.contains(&format!("{} offline", group.word())) && screen.contains("live"),
        "{kind:?} is not over in\n{screen}"
    );
}

fn limited(status: u16, retry_after: Option<u64>) -> FaultKind {
    FaultKind::Limited {
        status,
        retry_after,
    }
}

#[test]
fn refusals_and_limits_of_graphql_are_named_and_pass() {
    let mut stage = stage();
    let mut meet = |kind, words| {
        goes_and_comes(&mut stage, Group::GithubGraphql, "graphql", kind, words);
    };
    meet(
        FaultKind::Status(401),
        "GitHub GraphQL unauthorised: Bad credentials",
    );
    meet(limited(429, Some(7)), "GitHub GraphQL limited 00:07");
    meet(limited(429, None), "GitHub GraphQL limited 01:00");
    meet(limited(403, Some(30)), "GitHub GraphQL limited 00:30");
    meet(
        limited(403, None),
        "GitHub GraphQL limited 01:00|asked to slow down",
    );
}

#[test]
fn broken_answers_of_graphql_are_named_and_pass() {
    let mut stage = stage();
    let mut meet = |kind, words| {
        goes_and_comes(&mut stage, Group::GithubGraphql, "graphql", kind, words);
    };
    meet(
        FaultKind::Status(500),
        "GitHub GraphQL offline|server error",
    );
    meet(FaultKind::Drop, "GitHub GraphQL offline|reset");
    meet(FaultKind::Truncate, "GitHub GraphQL offline|truncated");
    meet(FaultKind::Portal, "GitHub GraphQL offline|captive portal");
    meet(FaultKind::Page, "GitHub GraphQL offline|edge page");
    meet(FaultKind::Slow(200), "GitHub GraphQL offline|timed out");
}

#[test]
fn what_goes_wrong_in_front_of_npm_is_named_and_passes() {
    let mut stage = stage();
    let mut meet = |kind, words| {
        goes_and_comes(&mut stage, Group::NpmRead, "read", kind, words);
    };
    meet(FaultKind::Page, "npm read offline|edge page");
    meet(FaultKind::Portal, "npm read offline|captive portal");
    meet(limited(429, Some(20)), "npm read limited 00:20");
    meet(FaultKind::Status(503), "npm read offline|server error");
    meet(FaultKind::Drop, "npm read offline|reset");
}

#[test]
fn one_group_is_down_while_the_others_go_on() {
    let mut stage = stage();
    let before = of(&stage, "graphql");
    fault(&stage, "graphql", None, FaultKind::Status(503));
    stage.pass(DUE);
    let now = (stage.now)();
    let shown = stage.wait("GraphQL down and npm heard", |snapshot| {
        let links = &snapshot.live.links;
        links.iter().any(|link| {
            link.group == "GitHub GraphQL" && matches!(link.state, LinkState::Offline { .. })
        }) && links
            .iter()
            .any(|link| link.group == "npm read" && link.state == LinkState::Live { heard: now })
            && snapshot
                .live
                .packages
                .iter()
                .flat_map(|rows| rows.iter())
                .any(|row| row.as_of.is_some_and(|at| at >= now))
    });
    let screen = stage.screen(&shown, Tab::Board);
    assert!(screen.contains("GitHub GraphQL offline"), "{screen}");
    assert!(!screen.contains("npm read offline"), "{screen}");
    assert_eq!(of(&stage, "graphql"), before);
}

/// A fault of the list of tokens: said with the account, while every token that was known stands.
#[test]
fn a_list_of_tokens_that_does_not_count_changes_no_token() {
    let mut stage = stage();
    let page = |total: u32| FaultKind::Json(json!({ "objects": [], "total": total, "urls": {} }));
    let tokens = Some("/v1/tokens");
    for (path, kind, words) in [
        (tokens, page(3), "counts 3 entries and 0 arrived"),
        (tokens, page(0), "the list is empty, which proves nothing"),
        (tokens, FaultKind::Garbage, "the answer broke off"),
        (tokens, FaultKind::Huge(10_000_000), "larger than"),
        (tokens, FaultKind::Status(403), "may not do this"),
        (
            Some("/-/whoami"),
            FaultKind::Json(json!({ "username": "mallory" })),
            "the login changed from rosa to mallory",
        ),
    ] {
        let before = of(&stage, "tokens");
        let shown = stage.picture().tokens.len();
        if path != tokens {
            // Who it is, and who lists: only the question after the list is answered otherwise.
            stage.table.fault(Fault {
                group: "npm".to_owned(),
                path: path.map(str::to_owned),
                kind: FaultKind::Date(0),
                times: 2,
            });
        }
        fault(&stage, "npm", path, kind.clone());
        stage.pass(DUE);
        let said = stage.wait(words, |snapshot| {
            let mut notes = snapshot.live.notes.iter();
            notes.any(|note| {
                note.starts_with("npm tokens of rosa not listed: ") && note.contains(words)
            })
        });
        let screen = stage.screen(&said, Tab::Board);
        assert!(screen.contains("npm tokens of rosa not listed"), "{screen}");
        assert_eq!(
            of(&stage, "tokens"),
            before,
            "{kind:?} changed what is known"
        );
        assert_eq!(said.tokens.len(), shown);
        stage.table.end_faults();
        stage.pass(DUE);
        stage.wait("the list again", |snapshot| {
            snapshot.live.waiting == (0, 0)
                && !snapshot
                    .live
                    .notes
                    .iter()
                    .any(|note| note.contains("not listed"))
        });
    }
}

/// What is refused or hidden for one thing is said on its page from the first look on, and not taken for absent.
fn said_on_pages(kind: FaultKind, words: &str) {
    let given = kind.clone();
    let mut stage = Stage::new(8, Time::standing(), |table| {
        table.fault(Fault {
            group: "rest".to_owned(),
            path: Some("/environments".to_owned()),
            kind: given,
            times: EVER,
        });
    });
    stage.wait("the first look", |snapshot| {
        snapshot.live.waiting == (0, 0) && !snapshot.live.runs.is_empty()
    });
    let found = |stage: &Stage| {
        let session = stage.read_back();
        let seen = session.facts().seen.values();
        let all: Vec<_> = seen
            .map(|seen| {
                let trouble = seen.trouble(LiveSource::Environments);
                (
                    seen.environments().is_some(),
                    trouble.map(|(fact, _)| fact.why.to_string()),
                )
            })
            .collect();
        all
    };
    let all = found(&stage);
    let told: Vec<&String> = all.iter().filter_map(|(_, why)| why.as_ref()).collect();
    assert!(
        !told.is_empty(),
        "{kind:?}: nobody says that it could not be looked at"
    );
    assert!(
        told.iter().all(|why| why.contains(words)),
        "{kind:?}: {told:?}"
    );
    assert!(
        all.iter().all(|(seen, _)| !seen),
        "{kind:?}: environments out of nothing"
    );
    let rows: Vec<Subject> = stage
        .picture()
        .live
        .runs
        .iter()
        .map(|run| run.repo)
        .collect();
    let pages: Vec<String> = rows
        .into_iter()
        .map(|repo| {
            let shown = stage.focus(Focus {
                page: Some(repo),
                ..Focus::default()
            });
            let lines = shown
                .page
                .iter()
                .flat_map(|page| &page.sections)
                .flat_map(|one| &one.lines);
            lines
                .map(|line| format!("{} {}\n", line.text, line.detail))
                .collect()
        })
        .collect();
    assert!(
        pages.iter().any(|page| page.contains(words)),
        "{kind:?} is on no page: {pages:#?}"
    );
    stage.focus(Focus::default());
    stage.table.end_faults();
    for _ in 0..2 {
        stage.pass(6 * 3_600);
        stage.quiet(&[Group::GithubRest]);
    }
    let all = found(&stage);
    assert!(all.iter().any(|(seen, _)| *seen), "{kind:?} does not end");
    assert!(
        all.iter().all(|(_, why)| why.is_none()),
        "{kind:?} does not end: {all:?}"
    );
}

#[test]
fn what_is_refused_for_one_thing_is_said_beside_it() {
    said_on_pages(FaultKind::Status(403), "Resource not accessible");
    said_on_pages(FaultKind::Status(404), "not for this token to see");
    said_on_pages(FaultKind::Huge(10_000_000), "larger than");
    said_on_pages(FaultKind::Json(json!("nothing")), "not what was due");
}

/// What the newest scan of each repository says: its commit, its paths and packages, what it could not read.
type Scans = BTreeMap<Subject, (Box<str>, Vec<Subject>, Vec<Subject>, Vec<Box<str>>)>;

fn scans(stage: &Stage) -> Scans {
    let session = stage.read_back();
    let repos = session.facts().repos.iter();
    let scans = repos.filter_map(|(id, row)| {
        let fact = row.scan.as_ref()?.value.clone();
        // Only what publishes is read any deeper than its workflows.
        (!fact.paths.is_empty())
            .then_some((*id, (fact.commit?, fact.paths, fact.packages, fact.unread)))
    });
    scans.collect()
}

#[test]
fn a_tree_that_comes_in_part_is_said_and_takes_nothing_away() {
    let mut stage = stage();
    let before = scans(&stage);
    assert!(!before.is_empty() && before.values().all(|(.., unread)| unread.is_empty()));
    let part = json!({ "sha": "0", "url": "", "tree": [], "truncated": true });
    fault(&stage, "rest", Some("/git/trees/"), FaultKind::Json(part));
    let push = |stage: &Stage| {
        stage.table.with_world(|world| {
            for at in 0..world.repos.len() {
                world.release(at, "rosa");
            }
        });
        stage.pass(1_800);
    };
    push(&stage);
    stage.quiet(&[Group::GithubRest, Group::GithubGraphql]);
    let during = scans(&stage);
    assert_eq!(
        during.keys().collect::<Vec<_>>(),
        before.keys().collect::<Vec<_>>()
    );
    let words = "the tree is too large: GitHub listed only a part of it";
    // Whoever has no package has nothing to release.
    let moved = |repo: &Subject| before[repo].0 != during[repo].0;
    let moved: Vec<Subject> = during.keys().copied().filter(moved).collect();
    assert!(moved.len() > 1, "the newer commits were not looked at");
    for repo in &moved {
        let ((_, old_paths, old_packages, _), (_, paths, packages, unread)) =
            (&before[repo], &during[repo]);
        assert!(old_paths.iter().all(|one| paths.contains(one)));
        assert!(old_packages.iter().all(|one| packages.contains(one)));
        assert_eq!(unread[..], [words.into()]);
    }
    let page = stage.page(moved[0]);
    assert!(
        page.contains("not everything could be read: the tree is too"),
        "{page}"
    );
    stage.table.end_faults();
    stage.pass(1_800);
    stage.quiet(&[Group::GithubRest, Group::GithubGraphql]);
    let after = scans(&stage);
    // What did not come is asked for again, though nothing was pushed since.
    assert!(moved.iter().any(|repo| after[repo].0 == during[repo].0));
    for (repo, (_, paths, packages, unread)) in after {
        let (_, old_paths, old_packages, _) = &before[&repo];
        assert_eq!((&paths, &packages), (old_paths, old_packages));
        assert!(unread.is_empty(), "{unread:?}");
    }
}

#[test]
fn clocks_that_disagree_by_ten_minutes_are_warned_of() {
    let mut stage = stage();
    fault(&stage, "github", None, FaultKind::Date(600));
    stage.pass(DUE);
    let off = |snapshot: &std::sync::Arc<cutover::engine::snapshot::Snapshot>| {
        snapshot
            .live
            .notes
            .iter()
            .any(|note| note.contains("clock is 600 s behind"))
    };
    let shown = stage.wait("the warning", |snapshot| off(snapshot));
    let screen = stage.screen_of(200, &shown, Tab::Board);
    assert!(
        screen.contains("clock is 600 s behind the server's"),
        "{screen}"
    );
    stage.table.end_faults();
    stage.pass(DUE);
    stage.wait("the end of the warning", |snapshot| !off(snapshot));
}
