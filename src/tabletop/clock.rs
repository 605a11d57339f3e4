//! The simulated clock: start + speed x elapsed. Both are served, so that whoever connects can run the same clock.
//! Must not read the wall clock: start and elapsed time are given.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

/// An instant of the simulated world: milliseconds since 1970, UTC.
pub type Ms = i64;

pub const SECOND: Ms = 1_000;
pub const MINUTE: Ms = 60 * SECOND;
pub const HOUR: Ms = 60 * MINUTE;
pub const DAY: Ms = 24 * HOUR;

/// Tells how much monotonic time has passed since the world began.
pub type Elapsed = Arc<dyn Fn() -> Duration + Send + Sync>;

/// The clock of a world.
#[derive(Clone)]
pub struct Clock {
    start: Ms,
    speed: f64,
    elapsed: Elapsed,
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clock({} x {})", self.start, self.speed)
    }
}

impl Clock {
    /// Runs from an instant at so many times the speed of `elapsed`.
    pub fn new(start: DateTime<Utc>, speed: f64, elapsed: Elapsed) -> Self {
        Self {
            start: start.timestamp_millis(),
            speed,
            elapsed,
        }
    }

    /// Runs on the machine's monotonic clock from now on.
    pub fn monotonic() -> Elapsed {
        let began = Instant::now();
        Arc::new(move || began.elapsed())
    }

    pub fn start(&self) -> Ms {
        self.start
    }

    pub fn speed(&self) -> f64 {
        self.speed
    }

    /// Gives the simulated instant.
    pub fn now(&self) -> Ms {
        self.start + ((self.elapsed)().as_secs_f64() * self.speed * 1_000.0) as Ms
    }
}

fn date(at: Ms) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::milliseconds(at)
}

/// Writes an instant as GitHub does: to the second.
pub fn iso(at: Ms) -> String {
    date(at).to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Writes an instant as npm does: to the millisecond.
pub fn iso_ms(at: Ms) -> String {
    date(at).to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Writes an instant as the `Date` header has it.
pub fn http_date(at: Ms) -> String {
    date(at).format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Writes an instant as a line of an Actions log begins.
pub fn log_date(at: Ms) -> String {
    date(at).format("%Y-%m-%dT%H:%M:%S%.3f0000Z").to_string()
}

/// Reads an instant as either service writes it, or a plain day.
pub fn parse(text: &str) -> Option<Ms> {
    let full = if text.len() == 10 {
        format!("{text}T00:00:00Z")
    } else {
        text.to_owned()
    };
    DateTime::parse_from_rfc3339(&full)
        .ok()
        .map(|at| at.timestamp_millis())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn time_runs_at_its_speed() {
        let start = DateTime::parse_from_rfc3339("2026-12-04T17:00:00Z")
            .unwrap()
            .to_utc();
        let clock = Clock::new(start, 60.0, Arc::new(|| Duration::from_millis(1_500)));
        assert_eq!(iso(clock.now()), "2026-12-04T17:01:30Z");
        assert_eq!(http_date(clock.start()), "Fri, 04 Dec 2026 17:00:00 GMT");
        assert_eq!(iso_ms(clock.start() + 7), "2026-12-04T17:00:00.007Z");
        assert_eq!(parse("2026-12-04T17:00:00Z"), Some(clock.start()));
        assert_eq!(parse("2026-12-04"), Some(clock.start() - 17 * HOUR));
        assert_eq!(parse("soon"), None);
    }
}
