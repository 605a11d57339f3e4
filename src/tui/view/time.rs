//! Time in words: what is left on a clock, when a thing was, and when any of the visible words change next.
//!
//! The instant is an input. Seconds are shown below an hour only, and a day that was not announced never shows less
//! than days, so an idle screen is drawn once a minute or less.

use std::borrow::Cow;

use chrono::{Local, NaiveDate};

use crate::model::clock::Clock;
use crate::model::time::{DAY, Ts};
use crate::tui::rows::day_only;
use crate::tui::state::{State, Tab};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;

/// Below this a clock is marked.
const SOON: i64 = 3 * DAY;

/// How pressing a clock is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Press {
    Calm,
    Soon,
    Over,
}

/// What is left of a clock, in words, and how pressing that is.
pub fn left(clock: &Clock, now: Ts) -> (String, Press) {
    let left = clock.ends.0.saturating_sub(now.0);
    let press = match left {
        ..=0 => Press::Over,
        1..SOON => Press::Soon,
        _ => Press::Calm,
    };
    let words = if left <= 0 {
        match -left / DAY {
            0 => "over".to_owned(),
            days => format!("over {days}d"),
        }
    } else if day_only(clock.kind) {
        match left / DAY {
            0 => "today".to_owned(),
            days => format!("{days}d"),
        }
    } else if left < HOUR {
        format!("{:02}:{:02}", left / MINUTE, left % MINUTE)
    } else if left < 2 * DAY {
        format!("{}h {:02}m", left / HOUR, left % HOUR / MINUTE)
    } else if left < 10 * DAY {
        format!("{}d {}h", left / DAY, left % DAY / HOUR)
    } else {
        format!("{}d", left / DAY)
    };
    (words, press)
}

/// The instant at which the words of `left` change.
pub fn change(clock: &Clock, now: Ts) -> Ts {
    let left = clock.ends.0.saturating_sub(now.0);
    let unit = if left <= 0 || day_only(clock.kind) || left >= 10 * DAY {
        DAY
    } else if left >= 2 * DAY {
        HOUR
    } else if left >= HOUR {
        MINUTE
    } else {
        1
    };
    // `left` falls: its words hold until it is under the next multiple, and at zero the clock is over.
    let within = if left <= 0 {
        DAY - (-left % DAY)
    } else {
        (left % unit + 1).min(left)
    };
    now.plus(within.max(1))
}

/// How long something took, in at most six letters: seconds below an hour only.
pub fn took(seconds: i64) -> String {
    let seconds = seconds.max(0);
    if seconds < HOUR {
        format!("{:02}:{:02}", seconds / MINUTE, seconds % MINUTE)
    } else if seconds < 2 * DAY {
        format!("{}h{:02}m", seconds / HOUR, seconds % HOUR / MINUTE)
    } else {
        format!("{}d", seconds / DAY)
    }
}

/// How long ago something was: minutes, hours or days, never seconds.
pub fn ago(when: Ts, now: Ts) -> String {
    let since = now.0.saturating_sub(when.0).max(0);
    match since {
        ..MINUTE => "now".to_owned(),
        MINUTE..HOUR => format!("{}m", since / MINUTE),
        HOUR..DAY => format!("{}h", since / HOUR),
        _ => format!("{}d", since / DAY),
    }
}

/// The instant at which `ago` says something else.
fn ago_changes(when: Ts, now: Ts) -> Ts {
    let since = now.0.saturating_sub(when.0).max(0);
    let unit = match since {
        ..HOUR => MINUTE,
        HOUR..DAY => HOUR,
        _ => DAY,
    };
    now.plus(unit - since % unit)
}

/// Whole days from now to the first second of a day, never below 0.
pub fn days_to(day: NaiveDate, now: Ts) -> i64 {
    (Ts::from_day(day).0 - now.0).div_euclid(DAY).max(0)
}

/// An instant in local time with its zone, or in UTC.
pub fn at(when: Ts, utc: bool) -> String {
    if utc {
        when.utc().format("%Y-%m-%d %H:%M:%SZ").to_string()
    } else {
        when.utc()
            .with_timezone(&Local)
            .format("%Y-%m-%d %H:%M:%S%:z")
            .to_string()
    }
}

/// Puts every instant that stands in a text as the session file writes it into local time.
pub fn localised(text: &str, utc: bool) -> Cow<'_, str> {
    const LENGTH: usize = "2026-12-05T10:02:11Z".len();
    if utc || !text.contains('Z') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(end) = rest.find('Z') {
        let (before, after) = rest.split_at(end + 1);
        let start = before.len().saturating_sub(LENGTH);
        let instant = before
            .get(start..)
            .filter(|part| part.len() == LENGTH && part.contains('T'));
        match instant.and_then(Ts::parse) {
            Some(when) => {
                out.push_str(before.get(..start).unwrap_or_default());
                out.push_str(&at(when, false));
            }
            None => out.push_str(before),
        }
        rest = after;
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The first instant at which the screen would look different though nothing happens: a clock on it ticks, the day
/// turns, or a filter by time looks again. Nothing else on the screen moves by itself.
#[must_use]
pub fn next_change(state: &State) -> Ts {
    let now = state.now;
    // The days to the January cut-off stand on every screen.
    // On the stroke of midnight a whole day more is left, and a second later it is not.
    let midnight = Ts::from_day(now.plus(-1).day()).plus(DAY + 1);
    let tick = |clock: Option<&Clock>| clock.map(|clock| change(clock, now));
    let soonest = match (&state.page, state.tab) {
        // A page is words; the engine makes it anew when they change.
        (Some(_), _) => None,
        (None, Tab::Board) => state
            .board
            .window()
            .filter_map(|(row, ..)| tick(row.clock.as_ref()))
            .min(),
        (None, Tab::Tokens) => state
            .tokens
            .window()
            .filter_map(|(row, ..)| tick(row.clock.as_ref()))
            .min(),
        (None, Tab::Pipelines) => state
            .runs
            .window()
            .map(|(row, ..)| {
                // What goes on counts in seconds for an hour.
                let open = row.state.is_open() && now.0 - row.created.0 < HOUR;
                let next = ago_changes(row.updated, now);
                if open { now.plus(1) } else { next }
            })
            .min(),
        (None, Tab::Packages) => state
            .packages
            .window()
            .flat_map(|(row, ..)| {
                let left = row.window.map(|end| end.0 - now.0);
                let window = left.map(|left| now.plus(if left < HOUR { 1 } else { MINUTE }));
                [row.released.map(|when| ago_changes(when, now)), window]
            })
            .flatten()
            .min(),
        (None, Tab::Log) => None,
    };
    let filtered = [
        state.board.by_time(),
        state.runs.by_time(),
        state.tokens.by_time(),
        state.packages.by_time(),
        state.log.by_time(),
    ]
    .contains(&true);
    let ends = super::counts::shown_clock(state).filter(|_| state.page.is_none());
    let ends = ends.map(|clock| change(clock, now));
    let minute = filtered.then(|| now.plus(MINUTE));
    let connections = super::link::next_change(&state.snapshot.live, now);
    [Some(midnight), soonest, ends, minute, connections]
        .into_iter()
        .flatten()
        .min()
        .unwrap_or(midnight)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::clock::ClockKind;
    use crate::model::id::Subject;

    fn clock(ends: i64, day_only: bool) -> Clock {
        let kind = if day_only {
            ClockKind::LaneEnd
        } else {
            ClockKind::TokenExpiry
        };
        Clock {
            ends: Ts(ends),
            kind,
            about: Subject::SESSION,
        }
    }

    #[test]
    fn words_grow_coarser_with_distance() {
        let cases = [
            (59, "00:59", Press::Soon),
            (HOUR - 1, "59:59", Press::Soon),
            (HOUR, "1h 00m", Press::Soon),
            (31 * HOUR + 4 * MINUTE + 10, "31h 04m", Press::Soon),
            (2 * DAY + 11 * HOUR, "2d 11h", Press::Soon),
            (9 * DAY, "9d 0h", Press::Calm),
            (39 * DAY + 5, "39d", Press::Calm),
            (0, "over", Press::Over),
            (-3 * DAY - 1, "over 3d", Press::Over),
        ];
        for (left_over, words, press) in cases {
            assert_eq!(
                left(&clock(left_over, false), Ts(0)),
                (words.to_owned(), press)
            );
        }
        assert_eq!(left(&clock(DAY - 1, true), Ts(0)).0, "today");
        assert_eq!(left(&clock(DAY + 5, true), Ts(0)).0, "1d");
    }

    #[test]
    fn change_is_the_first_instant_with_other_words() {
        for day_only in [false, true] {
            for start in [
                -4 * DAY - 7,
                -1,
                0,
                1,
                59,
                60,
                61,
                HOUR - 1,
                HOUR,
                HOUR + 61,
                2 * DAY,
                2 * DAY + 7,
                10 * DAY,
                12 * DAY + 3,
            ] {
                let clock = clock(start, day_only);
                let (words, _) = left(&clock, Ts(0));
                let next = change(&clock, Ts(0));
                assert!(next.0 >= 1, "{start}");
                assert_ne!(
                    left(&clock, next).0,
                    words,
                    "{start} {day_only} at {}",
                    next.0
                );
                assert_eq!(
                    left(&clock, next.plus(-1)).0,
                    words,
                    "{start} {day_only} before {}",
                    next.0
                );
            }
        }
    }

    #[test]
    fn instants_in_a_text_become_local() {
        let local = at(Ts::parse("2026-12-05T10:02:11Z").unwrap_or_default(), false);
        assert_eq!(
            localised("ends 2026-12-05T10:02:11Z, Z", false),
            format!("ends {local}, Z")
        );
        for text in ["", "Z", "no time", "€€€€€€€€€€€€€Z", "2026-99-05T10:02:11Z"]
        {
            assert_eq!(localised(text, false), text);
        }
        assert_eq!(
            localised("2026-12-05T10:02:11Z", true),
            "2026-12-05T10:02:11Z"
        );
    }

    #[test]
    fn days_are_counted_to_the_day() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap_or_default();
        assert_eq!(
            days_to(day("2027-01-01"), Ts::from_day(day("2026-11-23"))),
            39
        );
        let noon = Ts::from_day(day("2026-11-23")).plus(DAY / 2);
        assert_eq!(
            days_to(day("2027-01-01"), noon),
            38,
            "never more than is left"
        );
        assert_eq!(
            days_to(day("2026-01-01"), Ts::from_day(day("2026-11-23"))),
            0
        );
    }
}
