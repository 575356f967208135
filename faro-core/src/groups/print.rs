//! When a group is printed, and with which figures.

use super::group::{Change, Group, NONE, Phase};
use super::lifetime::update_due;
use super::{GroupBy, Groups, pattern};
use crate::record::{GroupRecord, GroupState, GroupSummary, Operational, Pattern, Resource, Workload};
use crate::time::Nanos;
use std::borrow::Cow;

/// Why a group is printed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Why {
    /// It changed.
    Update,
    /// Its window has passed.
    Close,
    /// A limit ends it.
    Evict,
    /// Another group has its occurrences.
    Merged,
}

pub(super) fn operational(group: &Group) -> Operational {
    Operational {
        reason: group.about.reason.to_string(),
        family: group.about.family,
        severity: group.severity,
        count: group.count,
        last_seen: group.last,
    }
}

impl Groups {
    /// Decides whether a group that changed prints now, later, or at the end of the list.
    pub(super) fn changed(&mut self, slot: u32, now: Nanos, print: &mut impl FnMut(GroupRecord<'_>) -> bool) {
        if self.suspended {
            self.touch(slot);
            return;
        }
        if !self.absorbed.is_empty() {
            self.print_absorbed(now, print);
        }
        let group = &self.groups[slot];
        let interval_over = group.printed_at.plus(self.config.update_interval.0) <= now;
        let reopened = group.printed_closed && group.phase == Phase::Open;
        if interval_over || reopened || group.severity > group.printed_severity {
            self.print_change(slot, now, print);
        } else {
            self.touch(slot);
        }
    }

    /// Notes that a group has something to print: when its interval is over, or at the end of the list.
    fn touch(&mut self, slot: u32) {
        let group = &mut self.groups[slot];
        match (self.suspended, group.change) {
            (true, Change::None | Change::Waiting) => {
                group.change = Change::Listed;
                self.touched.push(slot);
            }
            // It was printed within the interval, so it is in the queue.
            (false, Change::None) => group.change = Change::Waiting,
            (true, Change::Listed) | (false, Change::Waiting | Change::Listed) => {}
        }
    }

    pub(super) fn print_absorbed(&mut self, now: Nanos, print: &mut impl FnMut(GroupRecord<'_>) -> bool) {
        let mut absorbed = std::mem::take(&mut self.absorbed);
        absorbed.sort_by_key(|&slot| self.groups[slot].id());
        for slot in absorbed {
            self.print_group(slot, now, Why::Merged, print);
            self.groups.remove(slot);
        }
    }

    /// The id of the group that has the occurrences of an absorbed one.
    fn taker_of(&self, slot: u32) -> Option<u64> {
        let extra = self.groups[slot].extra.as_deref()?;
        match (extra.absorbed_by, extra.absorbed_into) {
            (NONE, 0) => None,
            (NONE, id) => Some(id),
            (taker, _) => Some(self.groups[taker].id()),
        }
    }

    pub(super) fn print_touched(&mut self, now: Nanos, print: &mut impl FnMut(GroupRecord<'_>) -> bool) {
        let mut touched = std::mem::take(&mut self.touched);
        touched.retain(|&slot| self.groups[slot].change != Change::None);
        touched.sort_by_cached_key(|&slot| (self.groups[slot].last, self.groups[slot].id()));
        for slot in touched {
            if self.groups[slot].change != Change::None {
                self.print_change(slot, now, print);
            }
        }
    }

    /// Prints what changed of a group, open or closed.
    pub(super) fn print_change(&mut self, slot: u32, now: Nanos, print: &mut impl FnMut(GroupRecord<'_>) -> bool) {
        let why = if self.groups[slot].phase == Phase::Closed { Why::Close } else { Why::Update };
        self.print_group(slot, now, why, print);
    }

    pub(super) fn print_group(&mut self, slot: u32, now: Nanos, why: Why, print: &mut impl FnMut(GroupRecord<'_>) -> bool) {
        let closes = why != Why::Update;
        let has_opposite = self.groups[slot].extra.as_deref().is_some_and(|extra| extra.opposite.is_some());
        let opposite = if has_opposite { self.opposite_of(slot).map(|other| &self.groups[other]) } else { None };
        let (pattern, period) = pattern::judge(&self.groups[slot], opposite);
        let previous = match self.groups[slot].extra.as_deref() {
            Some(extra) if extra.previous != 0 => extra.previous,
            // Looked up once: an earlier object's groups are there when a later one's first prints.
            _ if why == Why::Merged || self.groups[slot].printed_at != Nanos(i64::MIN) => 0,
            _ => self.previous_of(slot),
        };
        if previous != 0 {
            self.groups[slot].extra().previous = previous;
        }
        let merged_into = (why == Why::Merged).then(|| self.taker_of(slot)).flatten();

        let group = &self.groups[slot];
        let state = match () {
            () if closes => GroupState::Close,
            () if group.version == 0 || group.printed_closed => GroupState::Open,
            () => GroupState::Update,
        };
        let about = &*group.about;
        let spans_objects = self.config.group_by != GroupBy::Object;
        let named = !group.name.is_empty() || !about.kind.is_empty() || !about.namespace.is_empty();
        let shown = print(GroupRecord {
            cluster: &about.cluster,
            id: group.id(),
            version: group.version + 1,
            shown_before: group.seen,
            state,
            previous: (previous != 0).then_some(previous),
            merged_into,
            pattern,
            period,
            resource: (named && !group.of_workload).then_some(Resource {
                kind: &about.kind,
                namespace: &about.namespace,
                name: &group.name,
                uid: group.uid(),
                api_version: &about.api_version,
            }),
            workload: group.of_workload.then_some(Workload {
                kind: Cow::Borrowed(&*about.kind),
                namespace: Cow::Borrowed(&*about.namespace),
                name: Cow::Borrowed(&*group.name),
            }),
            reason: &about.reason,
            type_: &about.type_,
            family: about.family,
            severity: group.severity,
            count: group.count,
            events: group.events.count(),
            objects: spans_objects.then(|| group.extra.as_deref().map_or(1, |extra| extra.objects.count())),
            first_seen: group.first,
            last_seen: group.last,
            message: &group.message,
            messages: group.messages.count(),
            summary: GroupSummary(group.count),
            evicted: why == Why::Evict,
        });

        let group = &mut self.groups[slot];
        if shown {
            group.version += 1;
            group.seen = true;
            if !group.shown && why != Why::Merged {
                group.shown = true;
                self.books.shown += 1;
            }
        }
        group.change = Change::None;
        group.printed_at = now;
        group.printed_severity = group.severity;
        group.printed_closed = closes;
        if let Some(extra) = &mut group.extra {
            extra.printed_flapping = pattern == Some(Pattern::Flapping);
        }
        if matches!(why, Why::Update | Why::Close) {
            let due = update_due(&self.config, group).0;
            self.updates.printed(slot, due);
            self.expect(due);
        }
    }
}
