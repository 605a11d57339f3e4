//! Versions and ranges as npm reads them: the one place that turns a text into either.
//!
//! Source: <https://docs.npmjs.com/about-semantic-versioning> and <https://github.com/npm/node-semver>. What does not fit is
//! none; nothing is guessed.

pub use nodejs_semver::{Range, Version};

/// Reads one exact version: `1.2.3`, `1.2.3-canary.1`, `1.2.3+build`; a leading `v` is allowed.
///
/// The crate also takes `1.2.3.4` and `01.2.3`, which npm refuses to publish: only what reads back letter by letter counts.
pub fn exact(text: &str) -> Option<Version> {
    let text = text.trim();
    let text = text.strip_prefix('v').unwrap_or(text);
    let version = Version::parse(text).ok()?;
    (version.to_string() == text).then_some(version)
}

/// Gives the three numbers of a version, without prerelease and build.
pub fn core(version: &Version) -> (u64, u64, u64) {
    (version.major(), version.minor(), version.patch())
}

/// What a file states where it names a version: `22`, `^11.5.1`, `>=20`, `18 || 20`. Words such as `latest` are none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stated(Range);

impl From<Range> for Stated {
    fn from(range: Range) -> Self {
        Self(range)
    }
}

impl Stated {
    /// Reads a version or a range; a word, an expression and an empty text give none.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        Range::parse(text).ok().map(Self)
    }

    /// Tells that no version which the text allows is `least` or newer.
    ///
    /// npm installs the newest that a range allows, so a range that reaches up to `least` is not too old.
    pub fn is_all_below(&self, least: &Version) -> bool {
        Range::parse(format!(">={least}")).is_ok_and(|enough| !self.0.allows_any(&enough))
    }

    /// Tells that every version which the text allows is `least` or newer.
    pub fn is_all_from(&self, least: &Version) -> bool {
        self.0.min_version().is_some_and(|first| first >= *least)
    }

    /// Tells that no version which the text allows is in a range, such as the `engines` of a package.
    pub fn is_outside(&self, range: &str) -> bool {
        Range::parse(range).is_ok_and(|range| !self.0.allows_any(&range))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn exact_versions_are_read_letter_by_letter() {
        let read = |text| exact(text).map(|one| (core(&one), one.is_prerelease()));
        assert_eq!(read("1.2.3"), Some(((1, 2, 3), false)));
        assert_eq!(read(" v22.14.0\n"), Some(((22, 14, 0), false)));
        assert_eq!(read("1.2.3+b-1"), Some(((1, 2, 3), false)));
        assert_eq!(read("0.0.0-stage"), Some(((0, 0, 0), true)));
        assert_eq!(read("10.0.1-rc.1+x"), Some(((10, 0, 1), true)));
        for bad in [
            "", "1", "1.2", "1.2.3.4", "=1.2.3", "1.2.3-", "1.+2.3", "a.b.c", "01.2.3", "^1.2.3",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_range_is_too_old_where_its_newest_version_is() {
        let least = exact("11.5.1").unwrap();
        for (text, below, from) in [
            ("11.5", false, false),
            ("11.5.0", true, false),
            ("11.5.1", false, true),
            ("v11.6.0", false, true),
            ("^11.0.0", false, false),
            ("~11.4.0", true, false),
            ("11", false, false),
            ("11.x", false, false),
            ("10.x", true, false),
            ("^11.21", false, true),
            ("9 || 10", true, false),
            ("10 || 12", false, false),
            ("10 - 12", false, false),
            (">=10 <11.5", true, false),
            (">=10", false, false),
            ("*", false, false),
            ("11.5.1-rc.1", true, false),
        ] {
            let stated = Stated::parse(text).unwrap();
            assert_eq!(stated.is_all_below(&least), below, "{text}");
            assert_eq!(stated.is_all_from(&least), from, "{text}");
        }
        for word in ["", "latest", "lts/*", "next-11", "${{ env.NODE }}", "$NODE"] {
            assert_eq!(Stated::parse(word), None, "{word}");
        }
    }

    #[test]
    fn engines_are_ranges() {
        let engines = "^22.22.2 || ^24.15.0 || >=26.0.0";
        for (text, outside) in [
            ("20", true),
            ("22", false),
            ("22.20.0", true),
            ("25", true),
            ("24.x", false),
        ] {
            assert_eq!(
                Stated::parse(text).unwrap().is_outside(engines),
                outside,
                "{text}"
            );
        }
    }
}
