//! What a person is told of the watches: what is wrong with one, once, and that all are well again.

use crate::notice;
use faro_watch::{Health, WatchHealth};
use std::collections::BTreeSet;

/// What was said and still holds.
#[derive(Debug, Default)]
pub(crate) struct Complaints(BTreeSet<String>);

impl Complaints {
    /// Says what is new.
    pub(crate) fn tell(&mut self, health: &Health) {
        let watches = health.watches();
        let said: BTreeSet<String> = watches
            .iter()
            // Listing is no trouble.
            .filter(|watch| !watch.status.reason.is_empty())
            .filter_map(WatchHealth::complaint)
            .chain(health.missing().into_iter().map(|absent| {
                let cluster = if absent.cluster.is_empty() { String::new() } else { format!("cluster `{}`: ", absent.cluster) };
                format!("{cluster}{}: {}", absent.gvr, absent.reason)
            }))
            .collect();
        said.difference(&self.0).for_each(|complaint| notice::warn(complaint));
        if said.is_empty() && !self.0.is_empty() {
            notice::warn("all watches are well again");
        }
        self.0 = said;
    }
}
