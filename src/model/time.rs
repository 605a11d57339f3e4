//! Instants and days as the session file writes them: UTC, RFC 3339 to the second.
//!
//! Kept as whole seconds so that 200,000 of them stay small. Nothing here reads a clock.

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// Seconds in an hour.
pub const HOUR: i64 = 3_600;
/// Seconds in a day.
pub const DAY: i64 = 24 * HOUR;

/// An instant in UTC, in whole seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Ts(pub i64);

impl Ts {
    /// Reads RFC 3339 (`2026-12-05T10:02:11Z`, any offset, fractions dropped) or a day (its first second).
    pub fn parse(text: &str) -> Option<Self> {
        fixed(text.as_bytes())
            .map(Self)
            .or_else(|| {
                DateTime::parse_from_rfc3339(text)
                    .ok()
                    .map(|at| Self(at.timestamp()))
            })
            .or_else(|| text.parse::<NaiveDate>().ok().map(Self::from_day))
    }

    /// Gives the first second of `day`.
    pub fn from_day(day: NaiveDate) -> Self {
        Self(day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp())
    }

    /// Gives the day in UTC.
    pub fn day(self) -> NaiveDate {
        self.utc().date_naive()
    }

    /// Gives the chrono form; instants outside chrono's range become 1970.
    pub fn utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp(self.0, 0).unwrap_or_default()
    }

    /// Adds seconds without wrapping.
    pub fn plus(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds))
    }
}

/// Reads the one shape that our own files hold, `YYYY-MM-DDTHH:MM:SSZ`, without the general parser:
/// opening a session reads hundreds of thousands of them.
fn fixed(b: &[u8]) -> Option<i64> {
    let &[
        y1,
        y2,
        y3,
        y4,
        b'-',
        m1,
        m2,
        b'-',
        d1,
        d2,
        b'T',
        h1,
        h2,
        b':',
        n1,
        n2,
        b':',
        s1,
        s2,
        b'Z',
    ] = b
    else {
        return None;
    };
    let digit = |c: u8| c.is_ascii_digit().then(|| i64::from(c - b'0'));
    let two = |a, b| Some(digit(a)? * 10 + digit(b)?);
    let year = two(y1, y2)? * 100 + two(y3, y4)?;
    let (month, day) = (two(m1, m2)?, two(d1, d2)?);
    let (hour, minute, second) = (two(h1, h2)?, two(n1, n2)?, two(s1, s2)?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let date = NaiveDate::from_ymd_opt(
        i32::try_from(year).ok()?,
        u32::try_from(month).ok()?,
        u32::try_from(day).ok()?,
    )?;
    let days = i64::from(date.to_epoch_days());
    Some(days * DAY + hour * 3600 + minute * 60 + second)
}

impl fmt::Display for Ts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.utc().to_rfc3339_opts(SecondsFormat::Secs, true))
    }
}

impl Serialize for Ts {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Ts {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Visit;
        impl serde::de::Visitor<'_> for Visit {
            type Value = Ts;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time such as 2026-12-05T10:02:11Z")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Ts, E> {
                Ts::parse(text).ok_or_else(|| E::custom("not a time such as 2026-12-05T10:02:11Z"))
            }
        }
        from.deserialize_str(Visit)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_quick_reader_and_the_general_one_agree() {
        for text in [
            "2026-12-05T10:02:11Z",
            "2024-02-29T23:59:59Z",
            "1970-01-01T00:00:00Z",
            "2100-03-01T00:00:00Z",
        ] {
            let general = DateTime::parse_from_rfc3339(text).unwrap().timestamp();
            assert_eq!(fixed(text.as_bytes()), Some(general), "{text}");
            assert_eq!(Ts(general).to_string(), text);
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "2026-02-30T00:00:00Z",
            "2026-12-05T24:00:00Z",
            "yesterday",
            "2026-12-05 10:02:11",
        ] {
            assert_eq!(Ts::parse(text), None, "{text}");
        }
        assert_eq!(
            Ts::parse("2026-12-05T11:02:11+01:00"),
            Ts::parse("2026-12-05T10:02:11Z")
        );
        assert_eq!(
            Ts::parse("2026-12-05").unwrap().to_string(),
            "2026-12-05T00:00:00Z"
        );
    }
}
