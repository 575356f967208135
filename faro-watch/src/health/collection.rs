//! What the watches of a collection add up to.

use super::WatchHealth;
use crate::machine::{State, Status};
use faro_core::Nanos;

/// What all watches of one collection did since the start, those that have ended included; the counts never fall.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct CollectionHealth {
    /// The cluster's name; empty when there is none.
    pub cluster: String,
    /// The collection.
    pub gvr: String,
    /// Watches that there are.
    pub watches: u64,
    /// Of these, the ones that are ready ([`WatchHealth::is_ready`]).
    pub ready: u64,
    /// When a line of a stream last came to the one that waits longest; `None` while none came.
    pub last_line: Option<Nanos>,
    /// When a bookmark last came to the one that waits longest; `None` while none came.
    pub last_bookmark: Option<Nanos>,
    /// Streams that were asked for.
    pub streams: u64,
    /// Streams that ended, or could not be opened, and were asked for again.
    pub restarts: u64,
    /// Streams that were given up because they had gone silent.
    pub silences: u64,
    /// Quiet streams that were replaced by a successor.
    pub renewals: u64,
    /// Lists made because the server's history did not reach back.
    pub relists: u64,
    /// Gaps that were delivered.
    pub gaps: u64,
    /// Answers 403.
    pub refusals: u64,
}

impl CollectionHealth {
    pub(super) fn of(cluster: &str, gvr: &str) -> Self {
        Self { cluster: cluster.to_owned(), gvr: gvr.to_owned(), ..Self::default() }
    }

    /// Adds what a watch did; one that has ended leaves nothing else.
    pub(super) fn did(&mut self, status: &Status) {
        self.streams += status.watches;
        self.restarts += status.restarts;
        self.silences += status.silences;
        self.renewals += status.renewals;
        self.relists += status.relists;
        self.gaps += status.gaps;
        self.refusals += status.refusals;
    }

    /// Adds how a watch is doing.
    pub(super) fn does(&mut self, watch: &WatchHealth) {
        let Status { last_line, last_bookmark, .. } = watch.status;
        let oldest = |one: Option<Nanos>, other: Option<Nanos>| one.into_iter().chain(other).min();
        self.last_line = oldest(self.last_line, last_line);
        self.last_bookmark = oldest(self.last_bookmark, last_bookmark);
        self.watches += u64::from(watch.status.state != State::Vanished);
        self.ready += u64::from(watch.status.state != State::Vanished && watch.is_ready());
        self.did(&watch.status);
    }
}
