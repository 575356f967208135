//! Which groups there are of a key and of a subject, and how they become one.

use super::group::{Change, Descriptor, Extra, Group, NONE, Phase};
use super::{GroupBy, Groups, Occurrence, Stretch, usable_uid};
use crate::hash;
use crate::record::{CanonicalUid, GroupRecord, Workload};
use crate::severity::{Family, Rules};
use crate::time::Nanos;
use std::sync::Arc;

/// Beyond how many descriptors those that no group uses are dropped.
const DESCRIPTORS: usize = 1024;

const fn halves(key: u128) -> [u64; 2] {
    [hash::low(key), hash::low(key >> 64)]
}

/// A table wants all bits of a hash to be random.
const fn spread(subject: u32) -> u64 {
    (subject as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

impl Groups {
    /// Returns the newest segment of a key.
    pub(super) fn find(&self, key: u128) -> Option<u32> {
        let key = halves(key);
        self.by_key.find(key[0], |&slot| self.groups[slot].key == key).copied()
    }

    /// Walks from a head that is not reached to the newest segment that is; also tells the last one that is newer than the stretch.
    pub(super) fn segment_after(&self, head: u32, from: Nanos, reach: &impl Fn(&Group) -> bool) -> (Option<u32>, Option<u32>) {
        let (mut newer, mut slot) = (None, head);
        while slot != NONE {
            let group = &self.groups[slot];
            if reach(group) {
                return (newer, Some(slot));
            }
            if group.first < from {
                break;
            }
            newer = Some(slot);
            slot = group.next_segment;
        }
        (newer, None)
    }

    /// Makes all segments that the stretch reaches, of which `newest` is the newest, into the earliest of them.
    pub(super) fn bridge(&mut self, newest: u32, stretch: Stretch) -> u32 {
        let window = self.config.window.0;
        let mut earliest = newest;
        loop {
            let older = self.groups[earliest].next_segment;
            let reached = older != NONE && {
                let group = &self.groups[older];
                group.first <= stretch.to.plus(window) && group.last.plus(window) >= stretch.from
            };
            if !reached {
                return earliest;
            }
            self.unlink_segment(earliest);
            self.unlink_subject(earliest);
            self.absorb(older, earliest);
            earliest = older;
        }
    }

    /// Gives the occurrences of `taken`, which is in no chain any more, to `taker`.
    fn absorb(&mut self, taker: u32, taken: u32) {
        self.closing.remove(taken);
        if self.groups[taken].phase == Phase::Closed {
            self.leave_closed(taken);
        }
        let other = std::mem::take(&mut self.groups[taken]);
        *self.bucket(other.phase) -= other.count;
        if self.groups[taker].phase == Phase::Closed {
            self.leave_closed(taker);
        }
        self.groups[taker].absorb(&other);
        let phase = self.groups[taker].phase;
        *self.bucket(phase) += other.count;
        match phase {
            // The taker's end may now lie later; its new deadline is found when the old one comes.
            Phase::Open | Phase::Absorbed => {}
            Phase::Closed => {
                self.keep_closed(taker);
            }
        }
        self.books.groups -= 1;
        for slot in &self.absorbed {
            if let Some(extra) = &mut self.groups[*slot].extra
                && extra.absorbed_by == taken
            {
                extra.absorbed_by = taker;
            }
        }
        if other.shown {
            self.books.shown -= 1;
            self.groups[taken] = other;
            self.become_absorbed(taken, taker);
        } else {
            self.groups[taken] = other;
            self.groups.remove(taken);
        }
    }

    const fn bucket(&mut self, phase: Phase) -> &mut u64 {
        match phase {
            Phase::Open | Phase::Absorbed => &mut self.books.open,
            Phase::Closed => &mut self.books.closed,
        }
    }

    fn become_absorbed(&mut self, slot: u32, taker: u32) {
        let group = &mut self.groups[slot];
        group.phase = Phase::Absorbed;
        group.change = Change::None;
        group.next_segment = NONE;
        group.newer_segment = NONE;
        group.extra().absorbed_by = taker;
        self.absorbed.push(slot);
    }

    /// The group's start moves, and with it its id: what was printed under the old one is closed.
    pub(super) fn leave_old_id(&mut self, slot: u32) {
        let old = self.groups[slot].clone();
        let ghost = self.groups.insert(Group { next_of_subject: NONE, previous_of_subject: NONE, ..old });
        self.become_absorbed(ghost, slot);
        self.books.shown -= 1;
        let group = &mut self.groups[slot];
        group.version = 0;
        group.shown = false;
        group.printed_closed = false;
        group.printed_at = Nanos(i64::MIN);
    }

    /// Opens a group after `newer` in its key's chain.
    pub(super) fn open(
        &mut self,
        key: u128,
        occurrence: &Occurrence<'_>,
        stretch: Stretch,
        newer: Option<u32>,
        now: Nanos,
        print: &mut impl FnMut(GroupRecord<'_>) -> bool,
    ) -> u32 {
        let mut newer = newer;
        if self.groups.len() >= self.config.limit.get() {
            self.evict(now, print);
            // What was evicted may have been of this key.
            let window = self.config.window.0;
            let reach = |group: &Group| group.first <= stretch.to.plus(window);
            newer = self.find(key).and_then(|head| self.segment_after(head, stretch.from, &reach).0);
        }
        let group = self.describe_occurrence(key, occurrence);
        let slot = self.groups.insert(group);
        self.books.groups += 1;
        self.groups[slot].first = stretch.from;
        self.groups[slot].last = stretch.to;
        match newer {
            Some(newer) => {
                let older = self.groups[newer].next_segment;
                self.link_between(newer, slot, older);
            }
            None => self.link_segment(slot),
        }
        self.link_subject(slot);
        self.await_close(slot);
        slot
    }

    fn describe_occurrence(&mut self, key: u128, occurrence: &Occurrence<'_>) -> Group {
        let (report, involved) = (occurrence.report, occurrence.report.involved());
        let workload = occurrence.workload.filter(|_| self.config.group_by == GroupBy::Workload);
        let (kind, namespace, name) = match (self.config.group_by, workload) {
            (GroupBy::Reason, _) => ("", "", ""),
            (_, Some(workload)) => (&*workload.kind, &*workload.namespace, &*workload.name),
            (_, None) => (involved.kind(), involved.namespace(), involved.name()),
        };
        let of_object = self.config.group_by == GroupBy::Object;
        let (api_version, uid) = if of_object { (involved.api_version(), involved.uid()) } else { ("", "") };
        let parts = [occurrence.cluster, namespace, kind, api_version, report.reason(), report.type_()];
        let about = self.describe(parts, occurrence.verdict.family);
        let uid = usable_uid(kind, name, uid);
        let canonical = CanonicalUid::parse(uid);
        let subject = if self.config.group_by == GroupBy::Reason { 0 } else { self.subject(occurrence.cluster, kind, namespace, name) };
        let mut group = Group {
            key: halves(key),
            about,
            name: name.into(),
            uid: canonical.unwrap_or_default(),
            of_workload: workload.is_some(),
            subject,
            ..Group::default()
        };
        if canonical.is_none() && !uid.is_empty() {
            group.extra = Some(Box::new(Extra { uid_text: uid.into(), absorbed_by: NONE, ..Extra::default() }));
        }
        group
    }

    /// Returns the one shared copy of a descriptor: cluster, namespace, kind, apiVersion, reason, type; and family.
    pub(super) fn describe(&mut self, parts: [&str; 6], family: Family) -> Arc<Descriptor> {
        let hash = parts.iter().fold(self.scratch.start(), |scratch, part| scratch.text(part)).number(family as u64).finish();
        if let Some(known) = self.descriptors.find(hash, |known| known.parts() == parts && known.family == family) {
            return Arc::clone(known);
        }
        if self.descriptors.len() >= DESCRIPTORS && self.descriptors.len() == self.descriptors.capacity() {
            self.descriptors.retain(|known| Arc::strong_count(known) > 1);
        }
        let [cluster, namespace, kind, api_version, reason, type_] = parts.map(Box::from);
        let made = Arc::new(Descriptor { hash, cluster, namespace, kind, api_version, reason, type_, family });
        self.descriptors.insert_unique(hash, Arc::clone(&made), |known| known.hash);
        made
    }

    /// Puts a group that is in no chain into its key's, newest first.
    pub(super) fn link_segment(&mut self, slot: u32) {
        let (key, first) = (self.groups[slot].key, self.groups[slot].first);
        self.groups[slot].next_segment = NONE;
        self.groups[slot].newer_segment = NONE;
        let groups = &self.groups;
        let Some(head) = self.by_key.find_mut(key[0], |&other| groups[other].key == key) else {
            self.by_key.insert_unique(key[0], slot, |&other| groups[other].key[0]);
            return;
        };
        if groups[*head].first < first {
            let older = std::mem::replace(head, slot);
            self.link_between(NONE, slot, older);
            return;
        }
        let mut newer = *head;
        while self.groups[newer].next_segment != NONE && self.groups[self.groups[newer].next_segment].first >= first {
            newer = self.groups[newer].next_segment;
        }
        let older = self.groups[newer].next_segment;
        self.link_between(newer, slot, older);
    }

    fn unlink_segment(&mut self, slot: u32) {
        let Group { key, next_segment: older, newer_segment: newer, .. } = self.groups[slot];
        if older != NONE {
            self.groups[older].newer_segment = newer;
        }
        if newer != NONE {
            self.groups[newer].next_segment = older;
            return;
        }
        if let Ok(mut entry) = self.by_key.find_entry(key[0], |&other| other == slot) {
            if older == NONE {
                entry.remove();
            } else {
                *entry.get_mut() = older;
            }
        }
    }

    /// Puts `slot` between two neighbours of its key's chain.
    fn link_between(&mut self, newer: u32, slot: u32, older: u32) {
        self.groups[slot].newer_segment = newer;
        self.groups[slot].next_segment = older;
        if newer != NONE {
            self.groups[newer].next_segment = slot;
        }
        if older != NONE {
            self.groups[older].newer_segment = slot;
        }
    }

    pub(super) fn link_subject(&mut self, slot: u32) {
        let subject = self.groups[slot].subject;
        self.groups[slot].previous_of_subject = NONE;
        self.groups[slot].next_of_subject = NONE;
        if subject == 0 {
            return;
        }
        let groups = &self.groups;
        match self.by_subject.find_mut(spread(subject), |&other| groups[other].subject == subject) {
            Some(head) => {
                let next = std::mem::replace(head, slot);
                self.groups[slot].next_of_subject = next;
                self.groups[next].previous_of_subject = slot;
            }
            None => {
                self.by_subject.insert_unique(spread(subject), slot, |&other| spread(groups[other].subject));
            }
        }
    }

    fn unlink_subject(&mut self, slot: u32) {
        let Group { subject, next_of_subject: next, previous_of_subject: previous, .. } = self.groups[slot];
        if subject == 0 {
            return;
        }
        if next != NONE {
            self.groups[next].previous_of_subject = previous;
        }
        if previous != NONE {
            self.groups[previous].next_of_subject = next;
            return;
        }
        if let Ok(mut entry) = self.by_subject.find_entry(spread(subject), |&other| other == slot) {
            if next == NONE {
                entry.remove();
            } else {
                *entry.get_mut() = next;
            }
        }
    }

    pub(super) fn of_subject(&self, subject: u32) -> impl Iterator<Item = u32> {
        let mut slot = self.by_subject.find(spread(subject), |&slot| self.groups[slot].subject == subject).copied().unwrap_or(NONE);
        std::iter::from_fn(move || {
            (slot != NONE).then(|| {
                let found = slot;
                slot = self.groups[found].next_of_subject;
                found
            })
        })
    }

    /// Takes a group out of every index and frees its slot.
    pub(super) fn release(&mut self, slot: u32) {
        if !self.absorbed.is_empty() {
            let id = self.groups[slot].id();
            for &ghost in &self.absorbed {
                if let Some(extra) = &mut self.groups[ghost].extra
                    && extra.absorbed_by == slot
                {
                    extra.absorbed_by = NONE;
                    extra.absorbed_into = id;
                }
            }
        }
        self.unlink_segment(slot);
        self.unlink_subject(slot);
        self.closing.remove(slot);
        let group = self.groups.remove(slot);
        if !group.shown {
            self.books.hidden += 1;
            self.books.filtered += group.count;
        }
    }

    /// Moves a group to the key of a workload.
    pub(super) fn rekey(
        &mut self,
        slot: u32,
        cluster: &str,
        workload: &Workload<'_>,
        rules: &Rules,
        now: Nanos,
        print: &mut impl FnMut(GroupRecord<'_>) -> bool,
    ) {
        let known = &self.groups[slot];
        if known.of_workload && *known.name == *workload.name && *known.about.kind == *workload.kind {
            return;
        }
        self.unlink_segment(slot);
        self.unlink_subject(slot);
        if self.groups[slot].phase == Phase::Closed {
            self.leave_closed(slot);
        }
        if self.groups[slot].shown {
            self.leave_old_id(slot);
        }
        let old = Arc::clone(&self.groups[slot].about);
        let fingerprint = self.scratch.start().text(cluster).text(&workload.kind).text(&workload.namespace).text(&workload.name);
        let key = fingerprint.text(&old.type_).text(&old.reason).number(old.family as u64).finish_wide();
        let subject = self.subject(cluster, &workload.kind, &workload.namespace, &workload.name);
        let about = self.describe([cluster, &workload.namespace, &workload.kind, "", &old.reason, &old.type_], old.family);
        let group = &mut self.groups[slot];
        group.key = halves(key);
        group.about = about;
        group.subject = subject;
        group.name = (&*workload.name).into();
        group.of_workload = true;
        let stretch = Stretch { from: group.first, to: group.last, count: 0 };
        if group.phase == Phase::Closed {
            self.keep_closed(slot);
        } else {
            // The id, a part of the deadline, has changed.
            self.closing.remove(slot);
            self.await_close(slot);
        }
        self.link_segment(slot);
        self.link_subject(slot);
        let kept = self.merge_neighbours(slot, stretch);
        self.reopen_if_alive(kept, now);
        self.escalate(kept, rules);
        self.changed(kept, now, print);
    }

    /// Merges a group that was just linked with the segments of its new key that lie within the window.
    fn merge_neighbours(&mut self, slot: u32, stretch: Stretch) -> u32 {
        let key = self.groups[slot].key;
        let groups = &self.groups;
        let head = self.by_key.find(key[0], |&other| groups[other].key == key).copied().unwrap_or(slot);
        let window = self.config.window.0;
        let reach = |group: &Group| group.first <= stretch.to.plus(window) && group.last.plus(window) >= stretch.from;
        match self.segment_after(head, stretch.from, &reach).1 {
            Some(newest) => self.bridge(newest, stretch),
            None => slot,
        }
    }

    /// The group about the same object whose reason ends this state; the latest if there are several.
    pub(super) fn opposite_of(&self, slot: u32) -> Option<u32> {
        let group = &self.groups[slot];
        let reason = group.extra.as_deref()?.opposite.as_deref()?;
        let others = self.of_subject(group.subject).filter(|&other| {
            let other = &self.groups[other];
            &*other.about.reason == reason
                && other.is_about_same(group)
                && other.uid == group.uid
                && other.first <= group.last
                && group.first <= other.last
        });
        others.max_by_key(|&other| (self.groups[other].last, self.groups[other].id()))
    }

    /// The id of the latest group of an earlier object of the same name, about the same reason.
    pub(super) fn previous_of(&self, slot: u32) -> u64 {
        let group = &self.groups[slot];
        if group.of_workload || !group.has_uid() {
            return 0;
        }
        let earlier = self.of_subject(group.subject).map(|other| &self.groups[other]).filter(|other| {
            let same = other.about.reason == group.about.reason && other.about.family == group.about.family && other.is_about_same(group);
            same && other.key != group.key && other.last <= group.first && other.is_of_another_uid(group)
        });
        earlier.max_by_key(|other| (other.last, other.id())).map_or(0, Group::id)
    }
}
