//! When each of many things is due, for deadlines that mostly move later.

use crate::time::{Nanos, SECOND};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

/// A deadline as its owner knows it now, with a tie-break that does not depend on storage.
pub(crate) type Due = (Nanos, u64);

/// An index of deadlines in which moving one later costs nothing.
///
/// An entry says "not before", and is checked against the owner's own deadline when its second comes; if that has moved on, the
/// entry moves with it. So each entry is looked at once a window, however often its owner was touched.
///
/// # Memory
///
/// 4 bytes a slot and 4 to 8 bytes an entry.
#[derive(Debug, Default)]
pub(crate) struct Deadlines {
    // Whole seconds to slots.
    later: BTreeMap<u32, Vec<u32>>,
    // Entries whose second is at or before `horizon`, exact as of their insertion.
    soon: BinaryHeap<Reverse<(Due, u32)>>,
    horizon: u32,
    // For each slot the second of its one valid entry, plus one; 0 for none.
    queued: Vec<u32>,
}

impl Deadlines {
    /// Sees to it that `slot` is looked at when `due` comes, or before.
    pub(crate) fn push(&mut self, slot: u32, due: Due) {
        let second = second_of(due.0);
        let index = slot as usize;
        if self.queued.len() <= index {
            self.queued.resize(index + 1, 0);
        }
        let queued = self.queued[index];
        if queued != 0 && queued - 1 <= second {
            return;
        }
        self.queued[index] = second + 1;
        if second <= self.horizon {
            self.soon.push(Reverse((due, slot)));
        } else {
            self.later.entry(second).or_default().push(slot);
        }
    }

    /// Forgets `slot`, and tells whether it was queued.
    pub(crate) fn remove(&mut self, slot: u32) -> bool {
        self.queued.get_mut(slot as usize).is_some_and(|queued| std::mem::take(queued) != 0)
    }

    /// Returns the earliest deadline of all and its slot, which stays queued. `deadline` tells a slot's deadline as of now.
    pub(crate) fn first(&mut self, deadline: impl Fn(u32) -> Option<Due>) -> Option<(Due, u32)> {
        self.first_before(u32::MAX, deadline)
    }

    /// Like [`Deadlines::first`], when it is due by `now`.
    pub(crate) fn first_due(&mut self, now: Nanos, deadline: impl Fn(u32) -> Option<Due>) -> Option<(Due, u32)> {
        self.first_before(second_of(now), deadline).filter(|((due, _), _)| *due <= now)
    }

    fn first_before(&mut self, last_second: u32, deadline: impl Fn(u32) -> Option<Due>) -> Option<(Due, u32)> {
        loop {
            if let Some(&Reverse((noted, slot))) = self.soon.peek() {
                if self.queued[slot as usize] != second_of(noted.0) + 1 {
                    self.soon.pop();
                    continue;
                }
                match deadline(slot) {
                    Some(due) if due == noted => return Some((due, slot)),
                    current => {
                        self.soon.pop();
                        self.queued[slot as usize] = 0;
                        if let Some(due) = current {
                            self.push(slot, due);
                        }
                    }
                }
                continue;
            }
            let entry = self.later.first_entry().filter(|entry| *entry.key() <= last_second)?;
            let (second, slots) = entry.remove_entry();
            self.horizon = self.horizon.max(second);
            for slot in slots {
                if self.queued[slot as usize] == second + 1 {
                    self.queued[slot as usize] = 0;
                    if let Some(due) = deadline(slot) {
                        self.push(slot, due);
                    }
                }
            }
        }
    }

    /// Returns a moment before which nothing is due.
    pub(crate) fn next(&self) -> Option<Nanos> {
        let later = self.later.first_key_value().map(|(second, _)| Nanos(i64::from(*second) * SECOND));
        self.soon.peek().map(|Reverse(((due, _), _))| *due).or(later)
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

    proptest! {
        #[test]
        fn first_is_the_earliest_of_all(ops in proptest::collection::vec((0_u32..8, 0_i64..20_000_000_000), 1..80)) {
            let mut index = Deadlines::default();
            let mut owners = [None::<Due>; 8];
            for (slot, due) in ops {
                let owner = &mut owners[slot as usize];
                // Deadlines move later, or the slot is given to another owner.
                if owner.is_none_or(|(old, _)| old.0 <= due) {
                    *owner = Some((Nanos(due), u64::from(slot)));
                    index.push(slot, (Nanos(due), u64::from(slot)));
                } else {
                    *owner = None;
                    index.remove(slot);
                }
                let now = Nanos(due / 2);
                let want = owners.iter().enumerate().filter_map(|(slot, due)| due.map(|due| (due, slot as u32))).min();
                prop_assert_eq!(index.first_due(now, |slot| owners[slot as usize]), want.filter(|(due, _)| due.0 <= now));
                prop_assert_eq!(index.first(|slot| owners[slot as usize]), want);
                prop_assert!(index.next() <= want.map(|(due, _)| due.0));
            }
        }
    }
}
