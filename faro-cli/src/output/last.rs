//! The last version of each group and incident.

use faro_core::record::{GroupRecord, GroupState, IncidentRecord, IncidentState};
use faro_core::{Nanos, Severity};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Open ones first, then the worst, then the newest.
type Rank = (bool, Reverse<Severity>, Reverse<Nanos>);

/// Open ones first, then the likeliest cause.
type IncidentRank = (bool, Reverse<i64>);

/// What a kept line is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kept {
    /// A group.
    Group,
    /// An incident.
    Incident,
}

/// Versions, of which a later one replaces an earlier one.
#[derive(Debug, Default)]
pub(super) struct Last {
    groups: BTreeMap<u64, (Rank, Box<[u8]>)>,
    incidents: BTreeMap<u64, (IncidentRank, Box<[u8]>)>,
    scratch: Vec<u8>,
}

impl Last {
    /// Keeps a version instead of the earlier one; an id that went into another is forgotten.
    pub(super) fn keep(&mut self, group: &GroupRecord<'_>, render: impl FnOnce(&mut Vec<u8>)) {
        if group.merged_into.is_some() {
            self.groups.remove(&group.id);
            return;
        }
        let closed = match group.state {
            GroupState::Open | GroupState::Update => false,
            GroupState::Close => true,
        };
        self.scratch.clear();
        render(&mut self.scratch);
        self.groups.insert(group.id, ((closed, Reverse(group.severity), Reverse(group.last_seen)), self.scratch.as_slice().into()));
    }

    /// Keeps a version of an incident; what another incident explains is none.
    pub(super) fn keep_incident(&mut self, incident: &IncidentRecord, render: impl FnOnce(&mut Vec<u8>)) {
        if incident.absorbed {
            self.incidents.remove(&incident.id);
            return;
        }
        let resolved = match incident.state {
            IncidentState::Open | IncidentState::Update => false,
            IncidentState::Resolved => true,
        };
        self.scratch.clear();
        render(&mut self.scratch);
        #[expect(clippy::cast_possible_truncation, reason = "scores are small numbers with one decimal")]
        let score = (incident.score * 10.0).round() as i64;
        self.incidents.insert(incident.id, ((resolved, Reverse(score)), self.scratch.as_slice().into()));
    }

    /// Returns the versions that were not replaced.
    pub(super) fn lines(self) -> impl Iterator<Item = (Kept, Box<[u8]>)> {
        let mut incidents: Vec<_> = self.incidents.into_iter().collect();
        incidents.sort_by_key(|(id, (rank, _))| (*rank, *id));
        let mut groups: Vec<_> = self.groups.into_iter().collect();
        groups.sort_by_key(|(id, (rank, _))| (*rank, *id));
        let incidents = incidents.into_iter().map(|(_, (_, line))| (Kept::Incident, line));
        incidents.chain(groups.into_iter().map(|(_, (_, line))| (Kept::Group, line)))
    }
}
