//! Version numbers as npm compares them, as far as gates ask: is it a prerelease, and which release is the higher.
//!
//! Source: https://semver.org/spec/v2.0.0.html. What does not fit is no version; nothing is guessed.

/// A version's numbers, and whether it is a prerelease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version {
    /// Major, minor, patch.
    pub core: (u64, u64, u64),
    pub pre: bool,
}

impl Version {
    /// Reads `1.2.3`, `1.2.3-canary.1` and the like; build data after `+` does not count.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.split_once('+').map_or(text, |(before, _)| before);
        let (core, pre) = match text.split_once('-') {
            Some((_, "")) => return None,
            Some((core, _)) => (core, true),
            None => (text, false),
        };
        let mut numbers = core.split('.').map(|part| {
            let plain = part.bytes().all(|b| b.is_ascii_digit());
            plain.then(|| part.parse().ok()).flatten()
        });
        let core = (numbers.next()??, numbers.next()??, numbers.next()??);
        numbers.next().is_none().then_some(Self { core, pre })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_npm_reads_them() {
        let read = |text| Version::parse(text).map(|one| (one.core, one.pre));
        assert_eq!(read("1.2.3"), Some(((1, 2, 3), false)));
        assert_eq!(read("1.2.3+b-1"), Some(((1, 2, 3), false)));
        assert_eq!(read("0.0.0-stage"), Some(((0, 0, 0), true)));
        assert_eq!(read("10.0.1-rc.1+x"), Some(((10, 0, 1), true)));
        for bad in [
            "", "1", "1.2", "1.2.3.4", "v1.2.3", "1.2.3-", "1.+2.3", "a.b.c",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
