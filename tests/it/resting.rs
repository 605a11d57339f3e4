//! Repositories in which nothing runs are looked at again by age, and the picture says when.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use crate::common::live;
use cutover::http::Group;
use live::{Stage, Time};

/// Seconds after which all runs are due again.
const DUE: u64 = 300;

#[test]
fn what_rests_is_as_fresh_as_the_last_look() {
    let mut stage = Stage::new(8, Time::standing(), |_| {});
    stage.wait("the first look", |snapshot| {
        snapshot.live.waiting == (0, 0) && !snapshot.live.runs.is_empty()
    });
    for _ in 0..3 {
        stage.pass(DUE);
        let picture = stage.quiet(&[Group::GithubGraphql]);
        let now = (stage.now)();
        let resting = picture.live.runs.iter().filter(|run| !run.state.is_open());
        let old: Vec<_> = resting
            .filter(|run| now.0 - run.as_of.0 > 300)
            .map(|run| (run.name.clone(), run.file.clone(), now.0 - run.as_of.0))
            .collect();
        assert!(old.is_empty(), "{old:?}");
    }
}
