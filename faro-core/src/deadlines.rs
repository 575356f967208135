//! When each of many things is due, for deadlines that mostly move later.

use crate::time::{Nanos, SECOND};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

/// A deadline as its owner knows it now, with a tie-break that does not depend on storage.
pub(crate) type Due = (Nanos, u64);

/// How many seconds ahead have a place of their own: more than the usual window.
const AHEAD: u32 = 512;

/// Places that grew beyond this are given back when they are emptied.
const KEPT: usize = 64;

/// Who has deadlines.
pub(crate) trait Owners {
    /// The deadline of a slot as of now, if it has one.
    fn due(&self, slot: u32) -> Option<Nanos>;

    /// What orders equal deadlines.
    fn tie(&self, slot: u32) -> u64;
}

/// An index of deadlines in which moving one later costs nothing.
///
/// An entry says "not before", and is checked against the owner's own deadline when its second comes; if that has moved on, the
/// entry moves with it. So each entry is looked at once a window, however often its owner was touched.
///
/// # Memory
///
/// 4 bytes a slot, 4 to 8 bytes an entry, and 12 kB.
#[derive(Debug)]
pub(crate) struct Deadlines {
    // Slots by second, for the seconds that follow `horizon`.
    ahead: Vec<Vec<u32>>,
    // Which of these places hold something.
    occupied: [u64; (AHEAD / 64) as usize],
    // Slots by second, for later ones.
    beyond: BTreeMap<u32, Vec<u32>>,
    // Entries whose second is at or before `horizon`, exact as of their insertion.
    soon: BinaryHeap<Reverse<(Due, u32)>>,
    horizon: u32,
    // For each slot the second of its one valid entry, plus one; 0 for none.
    queued: Vec<u32>,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            ahead: vec![Vec::new(); AHEAD as usize],
            occupied: [0; (AHEAD / 64) as usize],
            beyond: BTreeMap::new(),
            soon: BinaryHeap::new(),
            horizon: 0,
            queued: Vec::new(),
        }
    }
}

impl Deadlines {
    /// Sees to it that `slot` is looked at when its deadline comes, or before.
    pub(crate) fn push(&mut self, slot: u32, owners: &impl Owners) {
        let Some(due) = owners.due(slot) else { return };
        let second = second_of(due);
        let index = slot as usize;
        if self.queued.len() <= index {
            self.queued.resize(index + 1, 0);
        }
        let queued = self.queued[index];
        if queued != 0 && queued - 1 <= second {
            return;
        }
        self.queued[index] = second + 1;
        match second.checked_sub(self.horizon) {
            None | Some(0) => self.soon.push(Reverse(((due, owners.tie(slot)), slot))),
            Some(ahead) if ahead < AHEAD => {
                let place = second % AHEAD;
                self.ahead[place as usize].push(slot);
                self.occupied[(place / 64) as usize] |= 1 << (place % 64);
            }
            Some(_) => self.beyond.entry(second).or_default().push(slot),
        }
    }

    /// Forgets `slot`.
    pub(crate) fn remove(&mut self, slot: u32) {
        if let Some(queued) = self.queued.get_mut(slot as usize) {
            *queued = 0;
        }
    }

    /// Returns the earliest deadline of all and its slot, which stays queued.
    pub(crate) fn first(&mut self, owners: &impl Owners) -> Option<(Due, u32)> {
        self.first_before(u32::MAX, owners)
    }

    /// Like [`Deadlines::first`], when it is due by `now`.
    pub(crate) fn first_due(&mut self, now: Nanos, owners: &impl Owners) -> Option<(Due, u32)> {
        self.first_before(second_of(now), owners).filter(|((due, _), _)| *due <= now)
    }

    fn first_before(&mut self, last_second: u32, owners: &impl Owners) -> Option<(Due, u32)> {
        loop {
            if let Some(&Reverse((noted, slot))) = self.soon.peek() {
                let valid = self.queued[slot as usize] == second_of(noted.0) + 1;
                if valid && owners.due(slot) == Some(noted.0) && owners.tie(slot) == noted.1 {
                    return Some((noted, slot));
                }
                self.soon.pop();
                if valid {
                    self.queued[slot as usize] = 0;
                    self.push(slot, owners);
                }
                continue;
            }
            let second = self.next_second().filter(|second| *second <= last_second)?;
            self.horizon = self.horizon.max(second);
            let place = second % AHEAD;
            let mut slots = std::mem::take(&mut self.ahead[place as usize]);
            self.occupied[(place / 64) as usize] &= !(1 << (place % 64));
            for slot in slots.drain(..).chain(self.beyond.remove(&second).unwrap_or_default()) {
                if self.queued[slot as usize] == second + 1 {
                    self.queued[slot as usize] = 0;
                    self.push(slot, owners);
                }
            }
            if slots.capacity() <= KEPT {
                self.ahead[place as usize] = slots;
            }
        }
    }

    /// The earliest second after the horizon that has entries.
    fn next_second(&self) -> Option<u32> {
        let beyond = self.beyond.first_key_value().map(|(second, _)| *second);
        let start = (self.horizon + 1) % AHEAD;
        let words = self.occupied.len() as u32;
        let ahead = (0..=words).find_map(|step| {
            let word = (start / 64 + step) % words;
            let mut bits = self.occupied[word as usize];
            // The first word is looked at twice: from the start on, and up to it.
            let below = (1_u64 << (start % 64)) - 1;
            match step {
                0 => bits &= !below,
                last if last == words => bits &= below,
                _ => {}
            }
            let place = (bits != 0).then(|| word * 64 + bits.trailing_zeros())?;
            Some(self.horizon + 1 + (place + AHEAD - start) % AHEAD)
        });
        ahead.into_iter().chain(beyond).min()
    }

    /// Returns a moment before which nothing is due.
    pub(crate) fn next(&self) -> Option<Nanos> {
        let later = || self.next_second().map(|second| Nanos(i64::from(second) * SECOND));
        self.soon.peek().map(|Reverse(((due, _), _))| *due).or_else(later)
    }
}

/// The whole second of a moment; moments outside of 1970 to 2106 share the first or the last second, where order is still exact.
fn second_of(time: Nanos) -> u32 {
    u32::try_from(time.0.div_euclid(SECOND).max(0)).unwrap_or(u32::MAX - 1).min(u32::MAX - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    struct Eight([Option<Nanos>; 8]);

    impl Owners for Eight {
        fn due(&self, slot: u32) -> Option<Nanos> {
            self.0[slot as usize]
        }

        fn tie(&self, slot: u32) -> u64 {
            u64::from(slot)
        }
    }

    proptest! {
        #[test]
        fn first_is_the_earliest_of_all(ops in proptest::collection::vec((0_u32..8, 0_i64..20_000_000_000), 1..80)) {
            check(&ops)?;
        }

        #[test]
        fn however_far_apart_they_are(ops in proptest::collection::vec((0_u32..8, 0_i64..2_000), 1..80)) {
            check(&ops.into_iter().map(|(slot, due)| (slot, due * SECOND)).collect::<Vec<_>>())?;
        }
    }

    fn check(ops: &[(u32, i64)]) -> Result<(), TestCaseError> {
        let mut index = Deadlines::default();
        let mut owners = Eight([None; 8]);
        for &(slot, due) in ops {
            let owner = &mut owners.0[slot as usize];
            // Deadlines move later, or the slot is given to another owner.
            if owner.is_none_or(|old| old.0 <= due) {
                *owner = Some(Nanos(due));
                index.push(slot, &owners);
            } else {
                *owner = None;
                index.remove(slot);
            }
            let now = Nanos(due / 2);
            let want = owners.0.iter().enumerate().filter_map(|(slot, due)| due.map(|due| ((due, slot as u64), slot as u32))).min();
            // What was removed may still be expected; nothing comes before it was.
            prop_assert!(want.is_none_or(|((due, _), _)| index.next().is_some_and(|next| next <= due)));
            prop_assert_eq!(index.first_due(now, &owners), want.filter(|((due, _), _)| *due <= now));
            prop_assert_eq!(index.first(&owners), want);
            prop_assert_eq!(index.next(), want.map(|((due, _), _)| due));
        }
        Ok(())
    }
}
