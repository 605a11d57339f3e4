//! Reading what costs a second factor: the cost is said first, npm's page is shown in the panel alone, one factor opens a
//! window for what waits, and a reading that was stopped leaves what it read.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use crate::common::live;
use cutover::engine::Command;
use cutover::engine::live::{FactorState, TwoFactorProgress};
use cutover::engine::snapshot::Snapshot;
use cutover::model::fact::LiveSource;
use cutover::model::id::Subject;
use cutover::tabletop::{Fault, FaultKind};
use cutover::tui::action::Key;
use cutover::tui::state::Tab;
use cutover::tui::update::Effect;
use live::{Console, Stage, Time};
use std::sync::Arc;

/// Simulated seconds in a second.
const SPEED: f64 = 20.0;

fn stage() -> (Stage, Vec<Subject>) {
    let mut stage = Stage::new(8, Time::running(SPEED), |_| {});
    let first = stage.wait("the first look", |snapshot| {
        let packages = snapshot.live.packages.as_ref();
        snapshot.live.waiting == (0, 0)
            && packages.is_some_and(|rows| {
                !rows.is_empty()
                    && rows
                        .iter()
                        .all(|row| row.as_of.is_some() && row.writers > 0)
            })
    });
    let packages = first.live.packages.as_ref().unwrap();
    let packages = packages.iter().map(|row| row.id).collect();
    (stage, packages)
}

fn factor(snapshot: &Arc<Snapshot>) -> Option<&TwoFactorProgress> {
    snapshot.live.factor.as_deref()
}

#[test]
fn one_factor_opens_a_window_for_everything_that_waits() {
    let (mut stage, packages) = stage();
    assert!(packages.len() > 3);
    stage.tell(Command::ReadTrust(packages.clone()));
    let asked = stage.wait("npm's question", |snapshot| {
        factor(snapshot).is_some_and(|factor| matches!(factor.state, FactorState::Asked(_)))
    });
    let FactorState::Asked(page) = factor(&asked).unwrap().state.clone() else {
        unreachable!()
    };
    assert!(page.accepted && page.address.expose().starts_with("http://127.0.0.1:"));
    let secret = page.address.expose().to_owned();
    assert!(!format!("{asked:?}").contains(&secret), "printed");
    let screen = stage.screen_of(200, &asked, Tab::Board);
    assert!(
        screen.contains("for a second factor: 4, then t"),
        "{screen}"
    );
    assert!(!screen.contains("auth/cli"), "{screen}");

    let open = stage.wait("the window", |snapshot| !snapshot.live.windows.is_empty());
    assert!(
        stage
            .screen_of(200, &open, Tab::Board)
            .contains("npm 2FA 0")
    );
    let done = stage.wait("the end", |snapshot| {
        factor(snapshot).is_some_and(|factor| !factor.is_open())
    });
    let end = factor(&done).unwrap();
    assert_eq!((end.done, end.all), (packages.len(), packages.len()));
    assert_eq!(end.challenges, 1, "{end:?}");
    let rows = done.live.packages.as_ref().unwrap();
    let read = rows.iter().filter(|row| row.configs.is_some()).count();
    assert_eq!(read + end.failed, packages.len());
    assert!(read > 0);

    let session = stage.read_back();
    let seen = &session.facts().seen;
    let told = |one: &&Subject| {
        seen[one].trust().is_some() || seen[one].trouble(LiveSource::Trust).is_some()
    };
    assert_eq!(packages.iter().filter(told).count(), packages.len());
    let file = std::fs::read_to_string(&stage.path).unwrap();
    for word in ["auth/cli", "authId", secret.as_str()] {
        assert!(!file.contains(word), "{word} was written");
    }
}

#[test]
fn a_reading_that_is_stopped_leaves_what_it_read() {
    let (mut stage, packages) = stage();
    stage.tell(Command::ReadTrust(packages.clone()));
    stage.wait("some of it", |snapshot| {
        factor(snapshot).is_some_and(|factor| factor.done > 0)
    });
    stage.tell(Command::StopReading);
    let stopped = stage.wait("the stop", |snapshot| {
        factor(snapshot).is_some_and(|factor| !factor.is_open())
    });
    let end = factor(&stopped).unwrap();
    assert!(matches!(&end.state, FactorState::Ended(why) if why.contains("what was read stands")));
    // Begun anew inside the window, nothing is asked for.
    stage.tell(Command::ReadTrust(packages.clone()));
    let again = stage.wait("the second reading", |snapshot| {
        factor(snapshot).is_some_and(|factor| !factor.is_open() && factor.done == packages.len())
    });
    assert_eq!(factor(&again).unwrap().challenges, 0);
}

#[test]
fn what_cannot_be_read_is_said_package_by_package() {
    let (mut stage, packages) = stage();
    stage.table.fault(Fault {
        group: "trust".to_owned(),
        path: None,
        kind: FaultKind::Status(500),
        times: 1_000_000,
    });
    stage.tell(Command::ReadTrust(packages[..2].to_vec()));
    let done = stage.wait("the end", |snapshot| {
        factor(snapshot).is_some_and(|factor| !factor.is_open())
    });
    let end = factor(&done).unwrap();
    assert_eq!((end.done, end.failed), (2, 2));
    let rows = done.live.packages.as_ref().unwrap();
    assert!(rows.iter().all(|row| row.configs.is_none()), "invented");
}

#[test]
fn the_cost_is_said_before_and_keys_lead_through_it() {
    let (mut stage, _) = stage();
    let mut console = Console::of(&stage, Tab::Packages);
    console.key(Key::Char('*'));
    assert!(console.key(Key::Char('t')).is_empty());
    let screen = console.screen();
    assert!(
        screen.contains("1 second factor: npm asks even before"),
        "{screen}"
    );
    assert!(screen.contains("2 s apart: about"), "{screen}");
    let effects = console.key(Key::Enter);
    let Some(Effect::ReadTrust(wanted)) = effects.first() else {
        panic!("{effects:?}")
    };
    stage.tell(Command::ReadTrust(wanted.clone()));
    let asked = stage.wait("npm's question", |snapshot| {
        factor(snapshot).is_some_and(|factor| matches!(factor.state, FactorState::Asked(_)))
    });
    console.show(&asked);
    let screen = console.screen();
    assert!(screen.contains("The tabletop approves it"), "{screen}");
    assert!(!screen.contains("auth/cli"), "{screen}");
    let effects = console.key(Key::Char('x'));
    assert_eq!(effects, [Effect::StopReading]);
}
