//! Which group an event ended in, told from records alone.
//!
//! A late occurrence may bridge two groups, so only the last version of each tells. Groups of one key never overlap: an event belongs
//! to the one whose span holds its last time.

use crate::hash::Fingerprint;
use crate::record::{EventRecord, GroupRecord, Workload};
use crate::severity::Family;
use crate::time::Nanos;
use std::collections::BTreeMap;

/// Where groups lie.
#[derive(Debug, Default)]
pub(crate) struct Membership {
    // By key; there are few of one key.
    spans: BTreeMap<u64, Vec<Span>>,
    // The keys of groups, whose spans change with their versions.
    keys: BTreeMap<u64, u64>,
    scratch: Fingerprint,
}

#[derive(Clone, Copy, Debug)]
struct Span {
    group: u64,
    first: Nanos,
    last: Nanos,
}

/// What may find an event's group: one key for each way of grouping, and the time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticket {
    keys: [Option<u64>; 3],
    at: Nanos,
}

/// What groups have in common besides what makes them similar.
struct Sort<'a> {
    cluster: &'a str,
    type_: &'a str,
    reason: &'a str,
    family: Family,
}

impl Membership {
    /// Takes a version of a group.
    pub(crate) fn group(&mut self, group: &GroupRecord<'_>) {
        if let Some(key) = self.keys.remove(&group.id)
            && let Some(spans) = self.spans.get_mut(&key)
        {
            spans.retain(|span| span.group != group.id);
        }
        if group.merged_into.is_some() {
            return;
        }
        let sort = Sort { cluster: group.cluster, type_: group.type_, reason: group.reason, family: group.family };
        let key = match (&group.resource, &group.workload) {
            (Some(resource), _) => self.key(&sort, resource.kind, resource.namespace, resource.name),
            (None, Some(workload)) => self.key(&sort, &workload.kind, &workload.namespace, &workload.name),
            (None, None) => self.key(&sort, "", "", ""),
        };
        self.keys.insert(group.id, key);
        self.spans.entry(key).or_default().push(Span { group: group.id, first: group.first_seen, last: group.last_seen });
    }

    /// Notes an event, whose group is known when all is told.
    pub(crate) fn event(&mut self, event: &EventRecord<'_>) -> Option<Ticket> {
        let (family, at) = (event.family?, event.last_seen?);
        let sort = Sort { cluster: event.cluster, type_: event.type_, reason: event.reason, family };
        let involved = event.involved_object;
        let object = self.key(&sort, involved.kind(), involved.namespace(), involved.name());
        let by_workload = event.workload.as_ref().map(|Workload { kind, namespace, name }| self.key(&sort, kind, namespace, name));
        Some(Ticket { keys: [Some(object), by_workload, Some(self.key(&sort, "", "", ""))], at })
    }

    /// Finds the group that an event is in.
    pub(crate) fn find(&self, ticket: Ticket) -> Option<u64> {
        let spans = ticket.keys.into_iter().flatten().filter_map(|key| self.spans.get(&key)).flatten();
        spans.filter(|span| span.first <= ticket.at && ticket.at <= span.last).map(|span| span.group).next()
    }

    fn key(&mut self, sort: &Sort<'_>, kind: &str, namespace: &str, name: &str) -> u64 {
        let Sort { cluster, type_, reason, family } = *sort;
        let fields = self.scratch.start().text(cluster).text(type_).text(reason).number(family as u64);
        fields.text(kind).text(namespace).text(name).finish()
    }
}
