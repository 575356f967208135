//! Chance that repeats: the same seed rolls the same numbers on every machine and in every release.

use std::fmt::Write as _;

/// A SplitMix64 generator.
///
/// Recordings are compared byte for byte, so the sequence must not depend on the version of a dependency.
#[derive(Clone, Debug)]
pub(crate) struct Dice {
    state: u64,
}

/// The letters of generated names: no vowels and nothing that reads as another letter (`k8s.io/apimachinery/pkg/util/rand`).
const SAFE_LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

impl Dice {
    /// Starts a sequence.
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// Starts a sequence of its own for `label`, so that what one part of the story rolls moves no other part.
    pub(crate) fn for_label(seed: u64, label: &str) -> Self {
        // FNV-1a: short, stable and good enough to keep labels apart.
        let hash = label.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
        Self::new(seed ^ hash)
    }

    /// Rolls 64 bits.
    pub(crate) fn roll(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Rolls a number below `limit`; 0 when `limit` is 0.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        let product = u128::from(self.roll()) * u128::from(limit);
        u64::try_from(product >> 64).unwrap_or(0)
    }

    /// Rolls a number of `low..=high`.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        let width = high.saturating_sub(low).unsigned_abs().saturating_add(1);
        low.saturating_add_unsigned(self.below(width))
    }

    /// Makes a random (version 4) UUID.
    pub(crate) fn uuid(&mut self) -> String {
        let high = (self.roll() & 0xffff_ffff_ffff_0fff) | 0x4000;
        let low = (self.roll() & 0x3fff_ffff_ffff_ffff) | 0x8000_0000_0000_0000;
        format!("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32, (high >> 16) & 0xffff, high & 0xffff, low >> 48, low & 0xffff_ffff_ffff)
    }

    /// Makes the 64 hexadecimal digits that name a sandbox or a container.
    pub(crate) fn digest(&mut self) -> String {
        (0..4).fold(String::with_capacity(64), |mut digits, _| {
            // Writing to a string cannot fail.
            let _ = write!(digits, "{:016x}", self.roll());
            digits
        })
    }

    /// Makes the random end of a generated name.
    pub(crate) fn suffix(&mut self, length: usize) -> String {
        (0..length)
            .map(|_| {
                let index = self.below(SAFE_LETTERS.len() as u64);
                char::from(SAFE_LETTERS[usize::try_from(index).unwrap_or(0)])
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_are_of_version_four() {
        let mut dice = Dice::new(7);
        for _ in 0..100 {
            let uuid = dice.uuid();
            assert_eq!(uuid.len(), 36);
            assert_eq!(&uuid[14..15], "4", "{uuid}");
            assert!(["8", "9", "a", "b"].contains(&&uuid[19..20]), "{uuid}");
        }
    }

    #[test]
    fn numbers_stay_in_range() {
        let mut dice = Dice::new(1);
        assert!((0..1_000).all(|_| (-3..=3).contains(&dice.between(-3, 3))));
        assert_eq!(dice.below(0), 0);
    }

    #[test]
    fn labels_have_sequences_of_their_own() {
        assert_ne!(Dice::for_label(1, "a").roll(), Dice::for_label(1, "b").roll());
        assert_eq!(Dice::for_label(1, "a").roll(), Dice::for_label(1, "a").roll());
    }
}
