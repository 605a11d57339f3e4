//! An hour of watching 1,000 simulated repositories, 50 of them releasing over and over, in about a minute.
//!
//! Budgets: under 30 % of the 5,000 points of an hour, running releases at most 15 s old, the rest at most 5 min, as
//! the console shows them. Prints what was counted at the server and says by how much a budget is missed.
//! `HOUR_SPEED` (simulated seconds in a second, 60) and `HOUR_MINUTES` (60) change the run; counts are scaled to an hour.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout
)]

#[path = "../tests/it/common/live.rs"]
mod live;

use live::{Stage, Time};
use std::time::Duration;

const REPOS: usize = 1_000;
const RELEASING: usize = 50;
/// Simulated seconds between two releases of one repository.
const AGAIN: i64 = 300;
/// Simulated seconds between two looks at the picture.
const SAMPLE: i64 = 2;

fn setting(name: &str, usual: f64) -> f64 {
    let value = std::env::var(name).ok();
    value.and_then(|text| text.parse().ok()).unwrap_or(usual)
}

fn main() {
    let speed = setting("HOUR_SPEED", 60.0);
    let minutes = setting("HOUR_MINUTES", 60.0);
    let mut stage = Stage::new(REPOS, Time::running(speed), |_| {});
    stage.wait("the first sweep", |snapshot| {
        let live = &snapshot.live;
        let held = live.held.map_or(0, |(count, _)| count);
        // Two thirds of the repositories have ever released; what waits for the next hour's budget is part of this one.
        live.sparks.len() > REPOS * 6 / 10 && live.waiting.0.saturating_sub(held) < 100
    });
    let mut names: Vec<Box<str>> = Vec::new();
    for run in stage.picture().live.runs.iter() {
        let name: Box<str> = run.name.rsplit('/').next().unwrap().into();
        if names.len() < RELEASING && !names.contains(&name) {
            names.push(name);
        }
    }
    let places: Vec<usize> = stage.table.with_world(|world| {
        let found = names.iter().filter_map(|name| world.repo(name));
        found.map(|(at, _)| at).collect()
    });
    assert_eq!(places.len(), RELEASING);
    let before = stage.table.counters();
    let from = (stage.now)();
    let until = from.plus((minutes * 60.0) as i64);
    let (mut running, mut resting) = (Vec::new(), Vec::new());
    let mut released = 0_i64;
    let mut sampled = from;
    while (stage.now)() < until {
        let now = (stage.now)();
        let due = (now.0 - from.0) * RELEASING as i64 / AGAIN;
        while released < due {
            let at = places[usize::try_from(released).unwrap() % RELEASING];
            stage.table.with_world(|world| world.release(at, "rosa"));
            released += 1;
        }
        if now.0 - sampled.0 >= SAMPLE {
            sampled = now;
            let picture = stage.picture();
            for run in picture.live.runs.iter().filter(|run| run.newest) {
                let age = now.0.saturating_sub(run.as_of.0);
                let ages = if run.state.is_open() {
                    &mut running
                } else {
                    &mut resting
                };
                ages.push(age);
            }
        }
        std::thread::sleep(Duration::from_secs_f64(SAMPLE as f64 / 2.0 / speed));
    }
    let after = stage.table.counters();
    let hour = |count: u64| count as f64 * 60.0 / minutes;
    let points = hour(after.points - before.points);
    println!(
        "{minutes} min at {speed} x, {REPOS} repositories, {released} releases of {RELEASING}; in an hour: {points:.0} \
         points of 5,000 ({:.1} %), {:.0} REST, {:.0} requests in all",
        points / 50.0,
        hour(after.rest - before.rest),
        hour(after.requests - before.requests),
    );
    say("running releases", &mut running, 15);
    say("the rest", &mut resting, 300);
    let missed = points - 1_500.0;
    if missed > 0.0 {
        println!("the points miss the budget of 30 % by {missed:.0}");
    }
}

/// Prints how old the picture was, and whether that is within the budget.
fn say(what: &str, ages: &mut [i64], budget: i64) {
    ages.sort_unstable();
    let at =
        |percent: usize| ages.get((ages.len() * percent / 100).min(ages.len().saturating_sub(1)));
    let (Some(p50), Some(p99), Some(worst)) = (at(50), at(99), ages.last()) else {
        println!("{what}: never seen");
        return;
    };
    let kept = if *p99 <= budget {
        "kept".to_owned()
    } else {
        format!("missed by {} s", p99 - budget)
    };
    println!(
        "{what}: {} samples, p50 {p50} s  p99 {p99} s  worst {worst} s  (budget {budget} s at p99: {kept})",
        ages.len()
    );
}
