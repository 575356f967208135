//! What groups remember, to go on from after a restart.

use super::group::{Change, Group, NONE, Phase};
use super::lifetime::update_due;
use super::{GroupBooks, Groups, GroupsConfig};
use crate::time::Nanos;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// What [`Groups`] remembers.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct GroupsSnapshot {
    suspended: bool,
    books: GroupBooks,
    touched: Vec<u32>,
    groups: Vec<(u32, Group)>,
}

impl Groups {
    pub(crate) fn snapshot(&self) -> GroupsSnapshot {
        GroupsSnapshot {
            suspended: self.suspended,
            books: self.books,
            touched: self.touched.iter().copied().filter(|&slot| self.groups[slot].change != Change::None).collect(),
            groups: self.slots().map(|slot| (slot, self.groups[slot].clone())).collect(),
        }
    }

    pub(crate) fn restore(config: GroupsConfig, snapshot: GroupsSnapshot) -> Self {
        let mut restored = Self { suspended: snapshot.suspended, books: snapshot.books, ..Self::new(config) };
        let mut moved = HashMap::new();
        for (old, mut group) in snapshot.groups {
            group.next_segment = NONE;
            group.newer_segment = NONE;
            let about = std::mem::take(&mut group.about);
            group.about = restored.describe(about.parts(), about.family);
            let slot = restored.groups.insert(group);
            moved.insert(old, slot);
            restored.reinstate(slot);
        }
        // All of them: who was printed long ago leaves the queue when it is first read.
        let printed = moved.values().copied().filter(|&slot| restored.groups[slot].printed_at != Nanos(i64::MIN));
        let mut printed: Vec<(Nanos, u32)> = printed.map(|slot| (update_due(&config, &restored.groups[slot]).0, slot)).collect();
        printed.sort_unstable();
        for (due, slot) in printed {
            restored.expect(due);
            restored.updates.printed(slot, due);
        }
        for slot in snapshot.touched.iter().filter_map(|old| moved.get(old).copied()) {
            restored.touched.push(slot);
        }
        for slot in restored.absorbed.clone() {
            if let Some(extra) = &mut restored.groups[slot].extra {
                extra.absorbed_by = moved.get(&extra.absorbed_by).copied().unwrap_or(NONE);
            }
        }
        restored
    }

    /// Puts a restored group into every index.
    fn reinstate(&mut self, slot: u32) {
        let group = &self.groups[slot];
        match group.phase {
            Phase::Absorbed => {
                self.absorbed.push(slot);
                return;
            }
            Phase::Open => {
                self.await_close(slot);
            }
            Phase::Closed => {
                self.keep_closed(slot);
            }
        }
        self.link_segment(slot);
        self.link_subject(slot);
    }
}
