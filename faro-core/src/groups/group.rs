//! One group: what is remembered of similar occurrences, in constant memory and whatever their order.

use super::timeline::Timeline;
use crate::record::{CanonicalUid, Uid};
use crate::severity::{Family, RuleId, Severity};
use crate::sketch::Sketch;
use crate::time::{Nanos, SECOND};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, LazyLock};

/// No slot.
pub(super) const NONE: u32 = u32::MAX;

/// How many rules with escalations a group remembers.
const RULES: usize = 2;

/// How many of the latest moments a group remembers, to see a period.
pub(super) const RECENT: usize = 5;

/// What no group is about, once for all: many groups are made only to be filled or dropped.
static NOTHING: LazyLock<Arc<Descriptor>> = LazyLock::new(Arc::default);

/// What many groups have in common.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Descriptor {
    pub(super) hash: u64,
    pub(super) cluster: Box<str>,
    pub(super) namespace: Box<str>,
    pub(super) kind: Box<str>,
    pub(super) api_version: Box<str>,
    pub(super) reason: Box<str>,
    pub(super) type_: Box<str>,
    pub(super) family: Family,
}

impl Descriptor {
    /// Tells whether the object is of this cluster, kind and namespace.
    pub(super) fn is_named(&self, cluster: &str, kind: &str, namespace: &str) -> bool {
        &*self.cluster == cluster && &*self.kind == kind && &*self.namespace == namespace
    }

    /// Cluster, namespace, kind, apiVersion, reason, type.
    pub(super) fn parts(&self) -> [&str; 6] {
        [&self.cluster, &self.namespace, &self.kind, &self.api_version, &self.reason, &self.type_]
    }
}

/// Where a group is.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub(super) enum Phase {
    /// It may still take occurrences by its window.
    #[default]
    Open,
    /// Its window has passed; kept for late occurrences.
    Closed,
    /// Its occurrences went to another group; kept until that is printed.
    Absorbed,
}

/// Whether something changed since the last print.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub(super) enum Change {
    /// Nothing.
    #[default]
    None,
    /// Something, to be printed when the interval is over.
    Waiting,
    /// Something, to be printed when the list ends.
    Listed,
}

/// What few groups need.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(super) struct Extra {
    /// Distinct objects, where groups span objects: fingerprint and first second of each.
    pub(super) objects: Sketch,
    pub(super) arrivals: Vec<(u32, u64)>,
    pub(super) timeline: Option<Timeline>,
    pub(super) uid_text: Box<str>,
    pub(super) previous: u64,
    /// The reason that ends this state.
    pub(super) opposite: Option<Box<str>>,
    /// Whether the last print said that the state flaps.
    pub(super) printed_flapping: bool,
    /// For an absorbed group, who took its occurrences.
    pub(super) absorbed_by: u32,
    /// The same after that group was forgotten: its id.
    pub(super) absorbed_into: u64,
}

/// One group. Fields that a hit touches come first, so that they share cache lines.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[repr(C)]
pub(super) struct Group {
    pub(super) key: [u64; 2],
    pub(super) first: Nanos,
    pub(super) last: Nanos,
    pub(super) count: u64,
    pub(super) printed_at: Nanos,
    pub(super) events: Sketch,
    pub(super) messages: Sketch,
    pub(super) message_hash: u32,
    pub(super) message_of: u32,
    pub(super) next_segment: u32,
    pub(super) newer_segment: u32,
    pub(super) severity: Severity,
    pub(super) printed_severity: Severity,
    pub(super) phase: Phase,
    pub(super) change: Change,
    /// Whether a filter let a version pass.
    pub(super) shown: bool,
    /// Whether what is in it was visible under this id or another: what was shown once stays visible.
    pub(super) seen: bool,
    /// Whether a workload, not an object, is meant by kind, namespace and name.
    pub(super) of_workload: bool,
    /// Whether the last print said `close`.
    pub(super) printed_closed: bool,
    pub(super) version: u32,
    /// Rules of members that have escalations, ascending; 0 is none.
    pub(super) rules: [u16; RULES],
    pub(super) recent: [u32; RECENT],
    pub(super) message: Box<str>,
    pub(super) extra: Option<Box<Extra>>,
    pub(super) about: Arc<Descriptor>,
    pub(super) name: Box<str>,
    pub(super) uid: CanonicalUid,
    pub(super) subject: u32,
    pub(super) next_of_subject: u32,
    pub(super) previous_of_subject: u32,
}

impl Default for Group {
    fn default() -> Self {
        Self {
            key: [0; 2],
            first: Nanos::MAX,
            last: Nanos(i64::MIN),
            count: 0,
            printed_at: Nanos(i64::MIN),
            events: Sketch::default(),
            messages: Sketch::default(),
            message_hash: 0,
            message_of: 0,
            next_segment: NONE,
            newer_segment: NONE,
            severity: Severity::Info,
            printed_severity: Severity::Info,
            phase: Phase::Open,
            change: Change::None,
            shown: false,
            seen: false,
            of_workload: false,
            printed_closed: false,
            version: 0,
            rules: [0; RULES],
            recent: [0; RECENT],
            message: Box::default(),
            extra: None,
            about: Arc::clone(&NOTHING),
            name: Box::default(),
            uid: CanonicalUid::default(),
            subject: 0,
            next_of_subject: NONE,
            previous_of_subject: NONE,
        }
    }
}

impl Group {
    /// The id of the group as it is now: hash of key and earliest occurrence.
    pub(super) fn id(&self) -> u64 {
        let mut bytes = [0; 24];
        bytes[..8].copy_from_slice(&self.key[0].to_le_bytes());
        bytes[8..16].copy_from_slice(&self.key[1].to_le_bytes());
        bytes[16..].copy_from_slice(&self.first.0.to_le_bytes());
        twox_hash::XxHash3_64::oneshot(&bytes)
    }

    /// The object's uid; empty when there is none.
    pub(super) fn uid(&self) -> Uid<'_> {
        match &self.extra {
            Some(extra) if !extra.uid_text.is_empty() => Uid::Other(&extra.uid_text),
            _ => Uid::Canonical(self.uid),
        }
    }

    /// Tells whether two groups are about objects of the same name; equal subjects may be a collision.
    pub(super) fn is_about_same(&self, other: &Self) -> bool {
        self.name == other.name && self.about.is_named(&other.about.cluster, &other.about.kind, &other.about.namespace)
    }

    /// Tells whether two groups are about objects of different uids.
    pub(super) fn is_of_another_uid(&self, other: &Self) -> bool {
        self.uid() != other.uid()
    }

    /// Tells whether the object's uid is known.
    pub(super) fn has_uid(&self) -> bool {
        !self.uid().is_empty()
    }

    pub(super) fn extra(&mut self) -> &mut Extra {
        self.extra.get_or_insert_default()
    }

    /// Takes the message of an occurrence at `at` that the Event `of` reported: the latest one stays, whatever the order.
    pub(super) fn take_message(&mut self, at: Nanos, of: u32, hash: u64, message: &str) {
        let newer = self.count == 0 || at > self.last || (at == self.last && of >= self.message_of);
        if !newer {
            return;
        }
        self.message_of = of;
        let hash = fold(hash);
        if self.message_hash == hash && self.message.len() == message.len() {
            return;
        }
        self.message_hash = hash;
        if self.message.len() == message.len() {
            // Mostly only an id in the text differs: its memory is used again.
            let mut text = String::from(std::mem::take(&mut self.message));
            text.clear();
            text.push_str(message);
            self.message = text.into_boxed_str();
        } else {
            self.message = message.into();
        }
    }

    /// Remembers a rule whose escalations apply to the group; of more than two those with the lowest numbers, whatever the order.
    pub(super) fn take_rule(&mut self, rule: RuleId) {
        let number = rule.index();
        if number == 0 || self.rules.contains(&number) {
            return;
        }
        let free = self.rules.iter().position(|&known| known == 0 || known > number);
        if let Some(place) = free {
            self.rules.copy_within(place..RULES - 1, place + 1);
            self.rules[place] = number;
        }
    }

    /// Remembers a moment among the latest.
    pub(super) fn take_moment(&mut self, at: Nanos) {
        let second = u32::try_from(at.0 / SECOND).unwrap_or(0);
        if self.recent.contains(&second) {
            return;
        }
        if second > self.recent[0] {
            // Ascending; the earliest goes.
            let place = self.recent.partition_point(|&known| known < second);
            self.recent.copy_within(1..place, 0);
            self.recent[place - 1] = second;
        }
    }

    /// Takes everything of a group of the same key.
    pub(super) fn absorb(&mut self, other: &Self) {
        if other.last > self.last || (other.last == self.last && other.message_of > self.message_of) {
            self.message.clone_from(&other.message);
            self.message_hash = other.message_hash;
            self.message_of = other.message_of;
        }
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.count += other.count;
        self.events.merge(&other.events);
        self.messages.merge(&other.messages);
        self.severity = self.severity.max(other.severity);
        self.seen |= other.seen;
        self.of_workload |= other.of_workload;
        other.rules.iter().for_each(|&rule| self.take_rule(RuleId::from_index(rule)));
        for second in other.recent.into_iter().filter(|&second| second != 0) {
            self.take_moment(Nanos(i64::from(second) * SECOND));
        }
        if let Some(theirs) = &other.extra {
            let extra = self.extra();
            extra.objects.merge(&theirs.objects);
            theirs.arrivals.iter().for_each(|&(second, object)| extra.take_arrival(second, object));
            match (&mut extra.timeline, &theirs.timeline) {
                (Some(mine), Some(theirs)) => mine.merge(theirs),
                (none @ None, Some(theirs)) => *none = Some(theirs.clone()),
                (_, None) => {}
            }
            if extra.opposite.is_none() {
                extra.opposite.clone_from(&theirs.opposite);
            }
        }
    }
}

/// How many objects' first moments are remembered, to see that a failure spreads.
const ARRIVALS: usize = 16;

impl Extra {
    /// Remembers when an object was first hit; of more than sixteen objects those with the smallest fingerprints.
    pub(super) fn take_arrival(&mut self, second: u32, object: u64) {
        match self.arrivals.binary_search_by_key(&object, |&(_, known)| known) {
            Ok(place) => self.arrivals[place].0 = self.arrivals[place].0.min(second),
            Err(place) if place < ARRIVALS => {
                self.arrivals.truncate(ARRIVALS - 1);
                self.arrivals.insert(place, (second, object));
            }
            Err(_) => {}
        }
    }
}

/// Half of a fingerprint: with the length beside it enough to see that the latest message is the same again.
const fn fold(hash: u64) -> u32 {
    (hash >> 32) as u32
}
