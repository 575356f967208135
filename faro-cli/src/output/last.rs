//! The last version of each group.

use faro_core::record::{GroupRecord, GroupState};
use faro_core::{Nanos, Severity};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Open ones first, then the worst, then the newest.
type Rank = (bool, Reverse<Severity>, Reverse<Nanos>);

/// Versions, of which a later one replaces an earlier one.
#[derive(Debug, Default)]
pub(super) struct Last {
    groups: BTreeMap<u64, (Rank, Box<[u8]>)>,
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

    /// Returns the versions that were not replaced.
    pub(super) fn lines(self) -> impl Iterator<Item = Box<[u8]>> {
        let mut groups: Vec<_> = self.groups.into_iter().collect();
        groups.sort_by_key(|(id, (rank, _))| (*rank, *id));
        groups.into_iter().map(|(_, (_, line))| line)
    }
}
