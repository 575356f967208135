//! When groups that changed since their last print are due for the next one.

use crate::deadlines::Due;
use crate::time::Nanos;
use std::collections::{BTreeSet, VecDeque};

/// The groups that were printed, in the order in which their interval ends.
///
/// The interval is the same for all, and prints happen in the order of time, so that a queue is enough: a group enters it when it is
/// printed, and whoever changed meanwhile is found when its turn comes.
///
/// # Memory
///
/// 16 bytes for each print within the last interval.
#[derive(Debug, Default)]
pub(super) struct Updates {
    queue: VecDeque<(Nanos, u32)>,
    // Those whose turn has come, in an order that does not depend on storage.
    ready: BTreeSet<(Due, u32)>,
}

impl Updates {
    /// Notes that a group was printed whose interval ends at `due`.
    pub(super) fn printed(&mut self, slot: u32, due: Nanos) {
        // Whoever gives an earlier moment than before waits no longer than the last one.
        let due = self.queue.back().map_or(due, |(last, _)| due.max(*last));
        self.queue.push_back((due, slot));
    }

    /// Returns the first group that is due by `now`; `due` tells until when a group waits, if it does.
    pub(super) fn first_due(&mut self, now: Nanos, due: impl Fn(u32) -> Option<Due>) -> Option<(Due, u32)> {
        while let Some(&(moment, slot)) = self.queue.front().filter(|(moment, _)| *moment <= now) {
            self.queue.pop_front();
            if let Some(due) = due(slot).filter(|due| due.0 <= moment) {
                self.ready.insert((due, slot));
            }
        }
        while let Some(&(noted, slot)) = self.ready.first() {
            if due(slot) == Some(noted) {
                return Some((noted, slot));
            }
            self.ready.pop_first();
        }
        None
    }

    /// Returns a moment before which nothing is due.
    pub(super) fn next(&self) -> Option<Nanos> {
        let ready = self.ready.first().map(|((due, _), _)| *due);
        ready.or_else(|| self.queue.front().map(|(due, _)| *due))
    }
}
