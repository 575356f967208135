//! How the watches are doing, for whoever serves `/readyz` and `/metrics`.

mod collection;

pub use collection::CollectionHealth;

use crate::machine::{State, Status};
use crate::selection::Target;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Semaphore, watch};

/// A look at a running watcher; cheap to clone, and of no effect on it.
#[derive(Clone, Debug)]
pub struct Health {
    shared: Arc<Mutex<Shared>>,
    buffer: Arc<Semaphore>,
    capacity: usize,
}

#[derive(Debug, Default)]
struct Shared {
    watches: BTreeMap<u64, (WatchName, watch::Receiver<Status>)>,
    absent: BTreeMap<(String, String), String>,
    /// What watches did that have ended, by cluster and collection.
    ended: BTreeMap<(String, String), CollectionHealth>,
}

/// Which watch it is.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct WatchName {
    /// The cluster's name; empty when there is none.
    pub cluster: String,
    /// The collection.
    pub gvr: String,
    /// The namespace; empty means all.
    pub namespace: String,
    /// The label selector for the server.
    pub labels: String,
    /// The field selector for the server.
    pub fields: String,
    group: String,
    plural: String,
}

/// How one watch is doing.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct WatchHealth {
    /// Which watch it is.
    pub name: WatchName,
    /// How it is doing.
    pub status: Status,
}

/// A collection that was asked for and that the server does not have at the moment.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Absent {
    /// The cluster's name; empty when there is none.
    pub cluster: String,
    /// The collection.
    pub gvr: String,
    /// Why nothing is known of it.
    pub reason: String,
}

impl WatchHealth {
    /// Tells whether the initial state is delivered and a stream is open.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.status.synced && matches!(self.status.state, State::Watching | State::Listing | State::Vanished)
    }

    /// What is wrong and what to do about it, in one line; `None` when nothing is.
    #[must_use]
    pub fn complaint(&self) -> Option<String> {
        if self.is_ready() {
            return None;
        }
        let WatchName { cluster, gvr, namespace, .. } = &self.name;
        let mut said = if cluster.is_empty() { String::new() } else { format!("cluster `{cluster}`: ") };
        said.push_str(gvr);
        if !namespace.is_empty() {
            said.push_str(&format!(" in `{namespace}`"));
        }
        said.push_str(&format!(": {}", self.status.state.name()));
        if !self.status.reason.is_empty() {
            said.push_str(&format!(": {}", self.status.reason));
        }
        if self.status.state == State::Refused {
            said.push_str(&format!("; add the rule {}", self.name.rule()));
        }
        Some(said)
    }
}

impl WatchName {
    pub(crate) fn new(cluster: &str, target: &Target) -> Self {
        Self {
            cluster: cluster.to_owned(),
            gvr: target.resource.gvr.clone(),
            namespace: target.namespace.clone(),
            labels: target.labels.clone(),
            fields: target.fields.clone(),
            group: target.resource.group().to_owned(),
            plural: target.resource.plural.clone(),
        }
    }

    /// The rule of a `ClusterRole`, or of a `Role` in the namespace, that the watch needs (`rbac.authorization.k8s.io/v1`,
    /// `PolicyRule`).
    #[must_use]
    pub fn rule(&self) -> String {
        let Self { group, plural, .. } = self;
        format!(r#"{{apiGroups: ["{group}"], resources: ["{plural}"], verbs: ["list", "watch"]}}"#)
    }
}

impl Health {
    pub(crate) fn new(buffer: Arc<Semaphore>, capacity: usize) -> Self {
        Self { shared: Arc::default(), buffer, capacity }
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        // What is behind the lock is valid at any moment.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add(&self, id: u64, name: WatchName, status: watch::Receiver<Status>) {
        self.shared().watches.insert(id, (name, status));
    }

    pub(crate) fn remove(&self, id: u64) {
        let mut shared = self.shared();
        let Some((name, status)) = shared.watches.remove(&id) else { return };
        let ended = || CollectionHealth::of(&name.cluster, &name.gvr);
        shared.ended.entry((name.cluster.clone(), name.gvr.clone())).or_insert_with(ended).did(&status.borrow());
    }

    pub(crate) fn absent(&self, cluster: &str, gvr: &str, reason: Option<String>) {
        let key = (cluster.to_owned(), gvr.to_owned());
        match reason {
            Some(reason) => self.shared().absent.insert(key, reason),
            None => self.shared().absent.remove(&key),
        };
    }

    /// Returns how each watch is doing, in the order in which they were begun.
    #[must_use]
    pub fn watches(&self) -> Vec<WatchHealth> {
        let health =
            |(name, status): &(WatchName, watch::Receiver<Status>)| WatchHealth { name: name.clone(), status: status.borrow().clone() };
        self.shared().watches.values().map(health).collect()
    }

    /// Returns what the watches of each collection add up to, in the order of clusters and collections.
    #[must_use]
    pub fn collections(&self) -> Vec<CollectionHealth> {
        let mut collections = self.shared().ended.clone();
        for watch in self.watches() {
            let WatchName { cluster, gvr, .. } = &watch.name;
            collections.entry((cluster.clone(), gvr.clone())).or_insert_with(|| CollectionHealth::of(cluster, gvr)).does(&watch);
        }
        collections.into_values().collect()
    }

    /// Returns the collections that were asked for and are not there.
    #[must_use]
    pub fn missing(&self) -> Vec<Absent> {
        let absent = |((cluster, gvr), reason): (&(String, String), &String)| Absent {
            cluster: cluster.clone(),
            gvr: gvr.clone(),
            reason: reason.clone(),
        };
        self.shared().absent.iter().map(absent).collect()
    }

    /// Tells whether every watch has delivered its initial state and has a stream.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.watches().iter().all(WatchHealth::is_ready)
    }

    /// Returns how many bytes wait for the reader, rounded up to KiB a line.
    #[must_use]
    pub fn buffered(&self) -> usize {
        self.capacity.saturating_sub(self.buffer.available_permits()) * 1024
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use faro_core::Nanos;

    #[test]
    fn counts_do_not_fall_when_a_watch_ends() {
        let health = Health::new(Arc::new(Semaphore::new(1)), 1);
        let name = WatchName {
            cluster: String::new(),
            gvr: "v1/pods".to_owned(),
            namespace: String::new(),
            labels: String::new(),
            fields: String::new(),
            group: String::new(),
            plural: "pods".to_owned(),
        };
        let status = |state| Status { state, synced: true, restarts: 2, last_line: Some(Nanos(5)), ..Status::default() };
        let (_first, seen) = watch::channel(status(State::Watching));
        health.add(0, name.clone(), seen);
        let (_second, seen) = watch::channel(Status { last_line: Some(Nanos(3)), ..status(State::Failing) });
        health.add(1, name, seen);
        let [both] = <[_; 1]>::try_from(health.collections()).unwrap();
        assert_eq!((both.watches, both.ready, both.restarts, both.last_line), (2, 1, 4, Some(Nanos(3))));
        health.remove(1);
        let [one] = <[_; 1]>::try_from(health.collections()).unwrap();
        assert_eq!((one.watches, one.ready, one.restarts, one.last_line), (1, 1, 4, Some(Nanos(5))));
    }
}
