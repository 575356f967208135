//! How many distinct things there were, in bounded memory and whatever their order.

use serde::{Deserialize, Serialize};

/// How many distinct values are counted exactly.
const EXACT: usize = 64;

/// Counts distinct fingerprints: exactly up to 64, by estimate beyond (one standard error is an eighth).
///
/// It keeps the 64 smallest fingerprints (a k-minimum-values sketch). What is kept depends on the set alone, so the count does not
/// depend on order, and two sketches merge without loss.
///
/// # Memory
///
/// 16 bytes for one value, 80 more for up to six, at most 64 * 8 more beyond.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Sketch {
    // 0 while empty.
    first: u64,
    // Every kept value, `first` included, as soon as there are two.
    more: Option<Box<Kept>>,
}

/// How many values fit without a second allocation.
const FEW: usize = 6;

#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
struct Kept {
    // Unordered; 0 is free.
    few: [u64; FEW],
    // Ascending; once in use, holds every value.
    smallest: Vec<u64>,
    overflowed: bool,
}

impl Kept {
    fn values(&self) -> &[u64] {
        if self.smallest.is_empty() { &self.few[..self.few.iter().position(|&value| value == 0).unwrap_or(FEW)] } else { &self.smallest }
    }

    fn insert(&mut self, value: u64) {
        if self.smallest.is_empty() {
            for place in &mut self.few {
                if *place == value {
                    return;
                }
                if *place == 0 {
                    *place = value;
                    return;
                }
            }
            self.smallest.reserve_exact(EXACT / 4);
            self.smallest.extend(self.few);
            self.smallest.sort_unstable();
        }
        let Err(place) = self.smallest.binary_search(&value) else { return };
        if self.smallest.len() == EXACT {
            self.overflowed = true;
            if place == EXACT {
                return;
            }
            self.smallest.pop();
        }
        self.smallest.insert(place, value);
    }
}

impl Sketch {
    pub(crate) fn insert(&mut self, fingerprint: u64) {
        let value = fingerprint.max(1);
        if self.first == value {
            return;
        }
        if self.first == 0 {
            self.first = value;
            return;
        }
        let first = self.first;
        let kept = self.more.get_or_insert_with(|| {
            let mut kept = Box::new(Kept::default());
            kept.few[0] = first;
            kept
        });
        kept.insert(value);
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        match &other.more {
            Some(kept) => {
                kept.values().iter().for_each(|&value| self.insert(value));
                if kept.overflowed
                    && let Some(more) = &mut self.more
                {
                    more.overflowed = true;
                }
            }
            None if other.first != 0 => self.insert(other.first),
            None => {}
        }
    }

    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an estimate")]
    pub(crate) fn count(&self) -> u64 {
        match &self.more {
            Some(kept) if kept.overflowed => {
                let largest = kept.smallest.last().map_or(1.0, |&value| value as f64 / u64::MAX as f64);
                (((EXACT - 1) as f64 / largest).round() as u64).max(EXACT as u64 + 1)
            }
            Some(kept) => kept.values().len() as u64,
            None => u64::from(self.first != 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn exact_up_to_sixty_four() {
        let mut sketch = Sketch::default();
        for value in 0..64_u64 {
            assert_eq!(sketch.count(), value);
            sketch.insert(crate::hash::of_text(&value.to_string()));
            sketch.insert(crate::hash::of_text(&value.to_string()));
        }
        assert_eq!(sketch.count(), 64);
    }

    #[test]
    fn estimate_is_near() {
        let mut sketch = Sketch::default();
        (0..566_u64).for_each(|value| sketch.insert(crate::hash::of_text(&value.to_string())));
        assert!((400..=760).contains(&sketch.count()), "{}", sketch.count());
    }

    proptest! {
        #[test]
        fn merging_is_inserting(left in proptest::collection::vec(any::<u64>(), 0..150), right in proptest::collection::vec(any::<u64>(), 0..150)) {
            let sketch = |values: &[u64]| values.iter().fold(Sketch::default(), |mut sketch, &value| { sketch.insert(value); sketch });
            let mut merged = sketch(&left);
            merged.merge(&sketch(&right));
            let mut together = right.clone();
            together.extend(&left);
            prop_assert_eq!(merged.count(), sketch(&together).count());
        }
    }
}
