//! Where the watches stand, so that the next run goes on there.

use crate::machine::Position;
use std::sync::Arc;

/// Where all watches stand: everything that was handed out before it, and nothing after.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Progress {
    /// Each watch.
    pub watches: Vec<WatchProgress>,
}

/// Where one watch stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct WatchProgress {
    /// The cluster's name; empty when there is none.
    pub cluster: String,
    /// Which watch: [`crate::Target::key`].
    pub watch: String,
    /// Its position; `None` while its first list is not complete.
    pub position: Option<Position>,
    /// What is known of its objects there, as [`crate::known::Known::to_lines`] writes it; `None` where only positions are kept.
    pub known: Option<Arc<str>>,
}

impl Progress {
    /// Takes the position of a watch, and what was known there.
    pub(crate) fn take(&mut self, cluster: &str, watch: &str) -> Option<(Position, Option<Arc<str>>)> {
        let index = self.watches.iter().position(|one| one.cluster == cluster && one.watch == watch)?;
        let WatchProgress { position, known, .. } = self.watches.swap_remove(index);
        position.map(|position| (position, known))
    }
}
