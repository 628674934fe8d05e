//! Randomness from the seed of the process.

use std::ops::Range;

/// A generator of pseudo-random numbers: xoshiro256** (Blackman and Vigna, 2018), seeded by
/// SplitMix64. The same numbers on every machine.
#[derive(Clone, Debug)]
pub struct Random([u64; 4]);

impl Random {
    /// The generator of this seed.
    pub fn new(seed: u64) -> Random {
        let mut state = seed;
        Random(std::array::from_fn(|_| {
            state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            mixed ^ (mixed >> 31)
        }))
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        let s = &mut self.0;
        let result = s[1].wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let shifted = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= shifted;
        s[3] = s[3].rotate_left(45);
        result
    }

    /// An integer from the range. Panics if the range is empty.
    #[track_caller]
    pub fn range(&mut self, range: Range<u64>) -> u64 {
        assert!(range.start < range.end, "{range:?} is empty");
        // Lemire's multiplication; its bias is below 2^-64 times the length of the range.
        range.start + ((u128::from(self.bits()) * u128::from(range.end - range.start)) >> 64) as u64
    }

    /// A number from 0 (inclusive) to 1 (exclusive).
    pub fn float(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// `true` with this probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.float() < probability
    }

    /// A random element; `None` if there is none.
    pub fn choose<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        if of.is_empty() {
            return None;
        }
        of.get(self.range(0..of.len() as u64) as usize)
    }

    /// Shuffle the elements.
    pub fn shuffle<T>(&mut self, of: &mut [T]) {
        for end in (1..of.len()).rev() {
            of.swap(end, self.range(0..end as u64 + 1) as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers are those of the generator's authors, so they never change.
    #[test]
    fn the_numbers_are_fixed() {
        let mut random = Random([1, 2, 3, 4]);
        assert_eq!(
            [random.bits(), random.bits(), random.bits(), random.bits()],
            [11520, 0, 1509978240, 1215971899390074240]
        );
        let mut seeded = Random::new(0);
        assert_eq!(seeded.0[0], 0xE220_A839_7B1D_CDAF);
        assert!((0..1000).all(|_| (5..8).contains(&seeded.range(5..8)) && seeded.float() < 1.0));
    }
}
