//! Chance that repeats: SplitMix64, and what is drawn from it.
//! Must not read the machine's randomness: the same seed gives the same world.

/// A generator of 64-bit numbers (SplitMix64, Steele, Lea and Flood 2014).
#[derive(Debug, Clone)]
pub struct Rng(u64);

const ALPHANUMERIC: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// Spreads the bits of one number over all of its places.
pub fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Rng {
    /// Begins at a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Begins a generator of its own for one thing: what is drawn for others does not move it.
    pub fn of(seed: u64, word: &str, number: u64) -> Self {
        let [a, b, ..] = words(word.as_bytes());
        Self(mix(seed
            ^ mix(a ^ b.rotate_left(17))
            ^ mix(number.wrapping_add(0x9e37))))
    }

    /// Draws 64 bits.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// Draws a number below `end`; 0 where `end` is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        ((u128::from(self.draw()) * u128::from(end)) >> 64) as u64
    }

    /// Draws a number from `low` up to and with `high`.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below((high - low + 1).max(1) as u64) as i64
    }

    /// Is true in so many of a hundred cases.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// Picks one of some.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        from.get(self.below(from.len() as u64) as usize)
    }

    /// Brings some into another order.
    pub fn shuffle<T>(&mut self, all: &mut [T]) {
        for at in (1..all.len()).rev() {
            all.swap(at, self.below(at as u64 + 1) as usize);
        }
    }

    /// Draws letters and digits.
    pub fn text(&mut self, length: usize) -> String {
        (0..length)
            .map(|_| char::from(*self.pick(ALPHANUMERIC).unwrap_or(&b'a')))
            .collect()
    }

    /// Draws a version 4 UUID.
    pub fn uuid(&mut self) -> String {
        let (a, b) = (self.draw(), self.draw());
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            a >> 32,
            (a >> 16) & 0xffff,
            a & 0xfff,
            0x8000 | ((b >> 48) & 0x3fff),
            b & 0xffff_ffff_ffff
        )
    }
}

/// Gives five words that depend on every byte of a text: enough to name things apart, no cryptography.
pub fn words(bytes: &[u8]) -> [u64; 5] {
    let mut all = [
        0x243f_6a88_85a3_08d3_u64,
        0x1319_8a2e_0370_7344,
        0xa409_3822_299f_31d0,
        0x082e_fa98_ec4e_6c89,
        0x4528_21e6_38d0_1377,
    ];
    let mut state = bytes.len() as u64;
    for chunk in bytes.chunks(8) {
        let mut word = [0_u8; 8];
        for (to, from) in word.iter_mut().zip(chunk) {
            *to = *from;
        }
        state = (state ^ u64::from_le_bytes(word))
            .wrapping_mul(0x9fb2_1c65_1e98_df25)
            .rotate_left(29);
    }
    for (number, word) in all.iter_mut().enumerate() {
        *word = mix(*word ^ mix(state.wrapping_add(number as u64)));
    }
    all
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn the_published_sequence_comes_out() {
        // First values of SplitMix64 for seed 1234567, as its authors print them.
        let mut rng = Rng::new(1_234_567);
        let drawn: Vec<u64> = (0..3).map(|_| rng.draw()).collect();
        assert_eq!(
            drawn,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423
            ]
        );
    }

    #[test]
    fn draws_stay_in_their_bounds_and_repeat() {
        let mut rng = Rng::of(7, "repo", 3);
        for _ in 0..1_000 {
            assert!((2..=5).contains(&rng.between(2, 5)));
        }
        assert_eq!(rng.below(0), 0);
        assert_eq!(rng.text(36).len(), 36);
        let uuid = rng.uuid();
        assert_eq!(uuid.len(), 36);
        assert_eq!(&uuid[14..15], "4");
        assert_eq!(Rng::of(7, "repo", 3).draw(), Rng::of(7, "repo", 3).draw());
        assert_ne!(Rng::of(7, "repo", 3).draw(), Rng::of(7, "repo", 4).draw());
        assert_ne!(words(b"a"), words(b"b"));
        assert_ne!(words(b""), words(b"\0"));
    }
}
