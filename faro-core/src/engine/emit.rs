//! Between the groups and the sink: what only the engine knows is filled in, and filters choose.

use super::Sink;
use crate::config::EngineConfig;
use crate::objects::Owners;
use crate::record::{GroupRecord, Record};

/// Completes and prints groups.
pub(super) struct Printer<'e, S> {
    pub(super) owners: &'e mut Owners,
    pub(super) config: &'e EngineConfig,
    pub(super) sink: &'e mut S,
}

impl<S: Sink> Printer<'_, S> {
    /// Prints a group unless a filter hides it, and tells which.
    pub(super) fn group(&mut self, mut group: GroupRecord<'_>) -> bool {
        if !self.config.emit.group {
            return false;
        }
        if group.workload.is_none()
            && let Some(resource) = group.resource
        {
            group.workload = self.owners.workload(group.cluster, resource.kind, resource.namespace, resource.name);
        }
        // A group that was shown once stays visible.
        let shown_before = group.shown_before;
        let record = Record::Group(group);
        let passes = shown_before || self.config.filter.passes(&record);
        if passes {
            self.sink.record(&record);
        }
        passes
    }
}
