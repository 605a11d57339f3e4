//! Notices that the machine slept or that its clock was set: the two clocks then disagree about how long it was.
//!
//! Pure: both clocks are inputs. What is done about it is for others.

use super::clocks::Tick;
use super::window::GAP;

/// The last reading of both clocks.
#[derive(Debug)]
pub struct Clocks {
    last: Tick,
    /// Most milliseconds that two steps may differ.
    most: i64,
}

impl Clocks {
    /// Begins with a reading. In a world whose clocks run `speed` times faster, a moment between two readings is as
    /// much longer.
    pub fn new(at: Tick, speed: f64) -> Self {
        Self {
            last: at,
            most: (GAP as f64 * speed.max(1.0)) as i64,
        }
    }

    /// Reads both clocks. Gives by how many seconds the wall's went ahead of the steady one since the last reading,
    /// where that is a gap; less than none where it was set back.
    pub fn read(&mut self, at: Tick) -> Option<i64> {
        let wall = at
            .wall
            .0
            .saturating_sub(self.last.wall.0)
            .saturating_mul(1_000);
        let steady = at.mono.saturating_sub(self.last.mono);
        self.last = at;
        let ahead = wall.saturating_sub(steady);
        (ahead.unsigned_abs() > self.most.unsigned_abs()).then_some(ahead / 1_000)
    }
}

/// Says what happened and what is done about it.
pub fn says(ahead: i64) -> String {
    let seconds = ahead.unsigned_abs();
    let long = match seconds {
        ..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    };
    if ahead < 0 {
        format!("the machine's clock was set back {long}: looking again")
    } else {
        format!("the machine slept {long}, or its clock was set: looking again")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::Ts;

    fn at(wall: i64, mono: i64) -> Tick {
        Tick {
            wall: Ts(wall),
            mono,
        }
    }

    #[test]
    fn what_passes_for_both_clocks_is_no_gap_however_long() {
        let mut clocks = Clocks::new(at(0, 0), 1.0);
        assert_eq!(
            clocks.read(at(3_600, 3_600_000)),
            None,
            "stopped for an hour"
        );
        assert_eq!(clocks.read(at(3_615, 3_600_000)), None, "at the limit");
        assert_eq!(clocks.read(at(3_631, 3_600_000)), Some(16));
        assert_eq!(clocks.read(at(3_632, 3_601_000)), None, "said once");
        assert_eq!(clocks.read(at(3_600, 3_602_000)), Some(-33));
        let mut fast = Clocks::new(at(0, 0), 3_600.0);
        assert_eq!(fast.read(at(36_000, 0)), None, "ten seconds of ours");
        assert_eq!(fast.read(at(136_000, 0)), Some(100_000));
    }

    #[test]
    fn it_is_said_in_words() {
        assert_eq!(
            says(3 * 3_600 + 5),
            "the machine slept 3 h, or its clock was set: looking again"
        );
        assert_eq!(
            says(16),
            "the machine slept 16 s, or its clock was set: looking again"
        );
        assert_eq!(
            says(-600),
            "the machine's clock was set back 10 min: looking again"
        );
    }
}
