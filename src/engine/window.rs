//! The time after a second factor in which npm does not ask again: how many calls fit, how far apart, and when it ends.
//!
//! Pure: both clocks are inputs. The registry has no way to ask whether a window is open, so this is what may be tried;
//! a call that is challenged all the same closes it.

use super::clocks::Tick;
use crate::assets::policy;
use crate::model::time::Ts;

/// Difference of the two clocks' steps, in milliseconds, above which the machine slept or a clock was set.
pub(super) const GAP: i64 = 15_000;

/// The limits of one window, as npm's rules give them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    pub seconds: i64,
    pub calls: u32,
    /// Milliseconds between two calls.
    pub pause: i64,
}

impl Rules {
    /// Gives npm's rules.
    pub fn npm() -> Self {
        let rules = &policy().two_factor;
        Self {
            seconds: i64::from(rules.window_minutes) * 60,
            calls: rules.calls_per_window,
            pause: i64::from(rules.pause_seconds) * 1_000,
        }
    }

    /// Gives how many second factors so many calls cost, to be said before they begin.
    pub fn cost(&self, calls: u32) -> u32 {
        calls.div_ceil(self.calls.max(1))
    }
}

/// Why no call may be made without a second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shut {
    /// None was given yet.
    Never,
    /// Its time is over.
    Over,
    /// As many calls as one window takes were made.
    Spent,
    /// The clocks drifted apart: the machine slept, or a clock was set.
    Gap,
    /// The registry asked for a second factor all the same.
    Asked,
}

impl Shut {
    /// Gives the words on screen.
    pub fn word(self) -> &'static str {
        match self {
            Self::Never => "no second factor given yet",
            Self::Over => "the window's time is over",
            Self::Spent => "the window's calls are used up",
            Self::Gap => "the clocks jumped, so the window was closed",
            Self::Asked => "npm asked for a second factor again",
        }
    }
}

/// What a caller who needs the window may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    Now,
    /// In so many milliseconds.
    In(i64),
    /// A second factor is needed first.
    Shut(Shut),
}

/// The window of one account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    rules: Rules,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Shut(Shut),
    Open {
        opened: Tick,
        read: Tick,
        last: Option<i64>,
        calls: u32,
    },
}

impl Window {
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            state: State::Shut(Shut::Never),
        }
    }

    /// Notes that a second factor was given.
    pub fn open(&mut self, at: Tick) {
        self.state = State::Open {
            opened: at,
            read: at,
            last: None,
            calls: 0,
        };
    }

    /// Notes that the registry asked for a second factor though the window was thought open.
    pub fn asked(&mut self) {
        self.state = State::Shut(Shut::Asked);
    }

    /// Tells whether a call may be made, and notes the clocks: a gap since the last reading closes the window.
    pub fn turn(&mut self, at: Tick) -> Turn {
        let State::Open {
            opened,
            read,
            last,
            calls,
        } = &mut self.state
        else {
            let State::Shut(why) = self.state else {
                return Turn::Shut(Shut::Never);
            };
            return Turn::Shut(why);
        };
        let wall = at.wall.0.saturating_sub(read.wall.0).saturating_mul(1_000);
        let mono = at.mono.saturating_sub(read.mono);
        *read = at;
        let next = last
            .map_or(at.mono, |last| last.saturating_add(self.rules.pause))
            .max(at.mono);
        let end = opened.mono.saturating_add(self.rules.seconds * 1_000);
        let shut = if wall.abs_diff(mono) > GAP.unsigned_abs() || mono < 0 {
            Some(Shut::Gap)
        } else if next >= end {
            Some(Shut::Over)
        } else {
            (*calls >= self.rules.calls).then_some(Shut::Spent)
        };
        if let Some(why) = shut {
            self.state = State::Shut(why);
            return Turn::Shut(why);
        }
        if next > at.mono {
            Turn::In(next - at.mono)
        } else {
            Turn::Now
        }
    }

    /// Takes a call's place if it may be made now.
    pub fn take(&mut self, at: Tick) -> Turn {
        let turn = self.turn(at);
        if let (Turn::Now, State::Open { last, calls, .. }) = (turn, &mut self.state) {
            *last = Some(at.mono);
            *calls += 1;
        }
        turn
    }

    /// Gives when an open window ends, for the countdown.
    pub fn ends(&self) -> Option<Ts> {
        match self.state {
            State::Open { opened, .. } => Some(opened.wall.plus(self.rules.seconds)),
            State::Shut(_) => None,
        }
    }

    /// Gives how many calls the open window still takes.
    pub fn left(&self) -> u32 {
        match self.state {
            State::Open { calls, .. } => self.rules.calls.saturating_sub(calls),
            State::Shut(_) => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]
    use super::*;
    use proptest::prelude::*;

    /// Both clocks together, in milliseconds.
    fn at(mono: i64) -> Tick {
        Tick {
            wall: Ts(1_000 + mono.div_euclid(1_000)),
            mono,
        }
    }

    #[test]
    fn calls_go_two_seconds_apart_until_eighty_or_five_minutes() {
        let mut window = Window::new(Rules::npm());
        assert_eq!(window.take(at(0)), Turn::Shut(Shut::Never));
        window.open(at(0));
        assert_eq!(window.ends(), Some(Ts(1_300)));
        assert_eq!(window.take(at(0)), Turn::Now);
        assert_eq!(window.take(at(500)), Turn::In(1_500));
        for call in 1..80 {
            assert_eq!(window.take(at(call * 2_000)), Turn::Now, "{call}");
        }
        assert_eq!(
            (window.left(), window.take(at(160_000))),
            (0, Turn::Shut(Shut::Spent))
        );

        window.open(at(200_000));
        assert_eq!(window.take(at(499_999)), Turn::Now);
        // The next place is two seconds on, and by then it is over.
        assert_eq!(window.take(at(499_999)), Turn::Shut(Shut::Over));
        assert_eq!(window.ends(), None);
    }

    #[test]
    fn sleep_a_set_clock_and_another_challenge_close_it() {
        for (wall, mono) in [
            (60, 1_000),
            (1, 60_000),
            (-60, 1_000),
            (0, -20_000),
            (16, 0),
        ] {
            let mut window = Window::new(Rules::npm());
            window.open(at(100_000));
            let jumped = Tick {
                wall: at(100_000).wall.plus(wall),
                mono: 100_000 + mono,
            };
            assert_eq!(window.take(jumped), Turn::Shut(Shut::Gap), "{wall} {mono}");
            assert_eq!(window.take(at(200_000)), Turn::Shut(Shut::Gap));
        }
        let mut window = Window::new(Rules::npm());
        window.open(at(0));
        window.asked();
        assert_eq!(window.take(at(1)), Turn::Shut(Shut::Asked));
    }

    #[test]
    fn the_cost_is_known_before() {
        let rules = Rules::npm();
        assert_eq!(
            [0, 1, 80, 81, 400].map(|calls| rules.cost(calls)),
            [0, 1, 1, 2, 5]
        );
    }

    proptest! {
        #[test]
        fn no_way_through_breaks_a_limit(steps in proptest::collection::vec(0_i64..9_000, 1..400)) {
            let rules = Rules::npm();
            let mut window = Window::new(rules);
            window.open(at(0));
            let (mut now, mut made) = (0, Vec::new());
            for step in steps {
                now += step;
                if window.take(at(now)) == Turn::Now {
                    made.push(now);
                }
            }
            prop_assert!(made.len() <= 80);
            prop_assert!(made.windows(2).all(|pair| pair[1] - pair[0] >= rules.pause));
            prop_assert!(made.iter().all(|at| *at < rules.seconds * 1_000));
        }
    }
}
