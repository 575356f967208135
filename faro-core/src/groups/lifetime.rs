//! The life of a group after it was opened: updates, its close, and how long it is remembered.

use super::group::{Change, Group, Phase};
use super::{Groups, GroupsConfig, print};
use crate::deadlines::{Due, Owners};
use crate::record::GroupRecord;
use crate::slots::Slots;
use crate::time::Nanos;

impl Groups {
    /// Does what is due by `now`, each at its own time. Harmless when nothing is.
    pub fn settle(&mut self, now: Nanos, print: &mut impl FnMut(GroupRecord<'_>) -> bool) {
        if self.suspended || now < self.due {
            return;
        }
        while self.settle_first(now, print) {}
        let forget = self.closed.first().map(|(due, _, _)| *due);
        let next = [self.closing.next(), self.updates.next(), forget].into_iter().flatten().min();
        self.due = next.unwrap_or(Nanos::MAX);
    }

    /// Does what is due first, when it is due by `now`.
    fn settle_first(&mut self, now: Nanos, print: &mut impl FnMut(GroupRecord<'_>) -> bool) -> bool {
        let (config, groups) = (&self.config, &self.groups);
        let close = self.closing.first_due(now, &Windows { config, groups });
        let waiting = |slot| (groups[slot].change == Change::Waiting).then(|| update_due(config, &groups[slot]));
        let update = self.updates.first_due(now, waiting);
        let forget = self.closed.first().filter(|(due, _, _)| *due <= now).copied();
        let forget_at = forget.map(|(due, id, _)| (due, id));
        let earliest = [close.map(|(due, _)| due), update.map(|(due, _)| due), forget_at].into_iter().flatten().min();
        match (earliest, close, update, forget) {
            (Some(earliest), Some((due, slot)), _, _) if due == earliest => self.close(slot, due.0, print),
            (Some(earliest), _, Some((due, slot)), _) if due == earliest => self.print_change(slot, due.0, print),
            (Some(_), _, _, Some((due, _, slot))) => self.forget(slot, due, print),
            (None | Some(_), _, _, _) => return false,
        }
        true
    }

    fn close(&mut self, slot: u32, at: Nanos, print: &mut impl FnMut(GroupRecord<'_>) -> bool) {
        let group = &mut self.groups[slot];
        group.phase = Phase::Closed;
        self.books.open -= group.count;
        self.books.closed += group.count;
        self.closing.remove(slot);
        self.keep_closed(slot);
        self.print_group(slot, at, print::Why::Close, print);
    }

    /// Forgets a closed group: it takes no late occurrence any more.
    fn forget(&mut self, slot: u32, now: Nanos, print: &mut impl FnMut(GroupRecord<'_>) -> bool) {
        if self.groups[slot].change != Change::None {
            self.print_change(slot, now, print);
        }
        self.leave_closed(slot);
        self.release(slot);
    }

    /// Makes room for a group: a closed one is forgotten, else the least recently seen one closes early.
    pub(super) fn evict(&mut self, now: Nanos, print: &mut impl FnMut(GroupRecord<'_>) -> bool) {
        if let Some(&(.., slot)) = self.closed.first() {
            self.forget(slot, now, print);
            return;
        }
        let (config, groups) = (&self.config, &self.groups);
        let first = self.closing.first(&Windows { config, groups });
        let Some((_, slot)) = first else { return };
        // Within a list, one that was merged may have had the id that this one has now.
        let id = self.groups[slot].id();
        if self.absorbed.iter().any(|&ghost| self.groups[ghost].id() == id) {
            self.print_absorbed(now, print);
        }
        self.print_group(slot, now, print::Why::Evict, print);
        let count = self.groups[slot].count;
        self.books.open -= count;
        self.books.evicted += count;
        self.books.evicted_groups += 1;
        self.release(slot);
    }

    /// Prints what changed since it was last printed, without ending anything.
    pub fn flush(&mut self, now: Nanos, print: &mut impl FnMut(GroupRecord<'_>) -> bool) {
        self.settle(now, print);
        let dirty = self.slots().filter(|&slot| self.groups[slot].change != Change::None).collect();
        self.touched = dirty;
        self.print_touched(now, print);
    }

    /// Returns when [`Groups::settle`] has to be called; it may turn out that nothing is due yet.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Nanos> {
        (!self.suspended && self.due != Nanos::MAX).then_some(self.due)
    }

    /// Notes that something may be due at this moment.
    pub(super) fn expect(&mut self, at: Nanos) {
        self.due = self.due.min(at);
    }

    /// Sees to it that a closed group is forgotten in time.
    pub(super) fn keep_closed(&mut self, slot: u32) {
        let due = forget_due(&self.config, slot, &self.groups[slot]);
        self.expect(due.0);
        self.closed.insert(due);
    }

    /// Takes a group from the closed ones, before its times or its phase change.
    pub(super) fn leave_closed(&mut self, slot: u32) {
        let due = forget_due(&self.config, slot, &self.groups[slot]);
        self.closed.remove(&due);
    }

    /// Reopens a closed group that an occurrence has brought back within its window.
    pub(super) fn reopen_if_alive(&mut self, slot: u32, now: Nanos) {
        let group = &self.groups[slot];
        if group.phase != Phase::Closed || close_due(&self.config, group) <= now {
            return;
        }
        self.leave_closed(slot);
        let group = &mut self.groups[slot];
        group.phase = Phase::Open;
        self.books.closed -= group.count;
        self.books.open += group.count;
        self.await_close(slot);
    }

    /// Sees to it that an open group closes when its window has passed.
    pub(super) fn await_close(&mut self, slot: u32) {
        self.expect(close_due(&self.config, &self.groups[slot]));
        self.closing.push(slot, &Windows { config: &self.config, groups: &self.groups });
    }
}

/// When the windows of open groups have passed.
struct Windows<'a> {
    config: &'a GroupsConfig,
    groups: &'a Slots<Group>,
}

impl Owners for Windows<'_> {
    fn due(&self, slot: u32) -> Option<Nanos> {
        let group = &self.groups[slot];
        (group.phase == Phase::Open).then(|| close_due(self.config, group))
    }

    fn tie(&self, slot: u32) -> u64 {
        self.groups[slot].id()
    }
}

/// The first moment at which the window has passed.
fn close_due(config: &GroupsConfig, group: &Group) -> Nanos {
    group.last.plus(config.window.0).plus(1)
}

pub(super) fn update_due(config: &GroupsConfig, group: &Group) -> Due {
    (group.printed_at.plus(config.update_interval.0), group.id())
}

fn forget_due(config: &GroupsConfig, slot: u32, group: &Group) -> (Nanos, u64, u32) {
    (close_due(config, group).plus(config.lateness.0), group.id(), slot)
}
