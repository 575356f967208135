//! Counters of a run: the thread that prints adds to them, others read them at any time.
//!
//! Each is one atomic number. The maps of their names are locked when a name is seen for the first time, and when they are read.

use super::Monitor;
use crate::watch::clock;
use faro_core::input::Cause;
use faro_core::record::{EventRecord, EventType, ObjectRecord};
use faro_core::{Gvr, Nanos, Record, Severity};
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// So many namespaces are told apart, those that were seen first.
pub(super) const NAMESPACES: usize = 100;

/// So many collections are told apart: more than anybody watches.
const COLLECTIONS: usize = 500;

/// The name of what is not told apart.
pub(super) const OTHER: &str = "other";

/// What the lines of a collection are: the record's type, and what happened to the object.
pub(super) const KINDS: [(&str, &str); 8] = [
    ("object", "ADDED"),
    ("object", "UPDATED"),
    ("object", "DELETED"),
    ("event", "ADDED"),
    ("event", "UPDATED"),
    ("event", "DELETED"),
    ("gap", ""),
    ("sync", ""),
];

/// Between the lags that are told apart, in milliseconds.
pub(super) const LAGS: [u64; 12] = [50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 300_000, 1_800_000];

/// Counters by a name, at most so many; names that come later share a row.
pub(super) struct Rows<const N: usize> {
    limit: usize,
    rows: Mutex<BTreeMap<String, Arc<[AtomicU64; N]>>>,
}

impl<const N: usize> Rows<N> {
    fn new(limit: usize) -> Self {
        Self { limit, rows: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Arc<[AtomicU64; N]>>> {
        // What is behind the lock is valid at any moment.
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn row(&self, name: &str) -> Arc<[AtomicU64; N]> {
        let mut rows = self.lock();
        let name = if rows.len() < self.limit || rows.contains_key(name) { name } else { OTHER };
        Arc::clone(rows.entry(name.to_owned()).or_insert_with(|| Arc::new([const { AtomicU64::new(0) }; N])))
    }

    pub(super) fn read(&self) -> Vec<(String, [u64; N])> {
        let number = |row: &Arc<[AtomicU64; N]>| std::array::from_fn(|index| row[index].load(Ordering::Relaxed));
        self.lock().iter().map(|(name, row)| (name.clone(), number(row))).collect()
    }
}

/// How long something took, in classes.
#[derive(Default)]
pub(super) struct Lag {
    /// Up to each of [`LAGS`], and above.
    classes: [AtomicU64; LAGS.len() + 1],
    millis: AtomicU64,
}

impl Lag {
    fn add(&self, since: Nanos, now: Nanos) {
        let millis = u64::try_from(now.since(since)).unwrap_or_default() / 1_000_000;
        let class = LAGS.partition_point(|limit| *limit < millis);
        self.classes[class].fetch_add(1, Ordering::Relaxed);
        self.millis.fetch_add(millis, Ordering::Relaxed);
    }

    /// How many there were in each class, and their sum in milliseconds.
    pub(super) fn read(&self) -> ([u64; LAGS.len() + 1], u64) {
        (std::array::from_fn(|index| self.classes[index].load(Ordering::Relaxed)), self.millis.load(Ordering::Relaxed))
    }
}

/// What a run counts.
pub(crate) struct Counts {
    pub(super) collections: Rows<{ KINDS.len() }>,
    pub(super) groups: AtomicU64,
    pub(super) incidents: AtomicU64,
    pub(super) summaries: AtomicU64,
    pub(super) occurrences: Rows<{ Severity::ALL.len() }>,
    pub(super) event_lag: Lag,
    pub(super) object_lag: Lag,
    malformed: Mutex<BTreeMap<&'static str, u64>>,
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            collections: Rows::new(COLLECTIONS),
            groups: AtomicU64::default(),
            incidents: AtomicU64::default(),
            summaries: AtomicU64::default(),
            occurrences: Rows::new(NAMESPACES),
            event_lag: Lag::default(),
            object_lag: Lag::default(),
            malformed: Mutex::default(),
        }
    }
}

impl Counts {
    pub(crate) fn malformed(&self, cause: Cause) {
        *self.malformed.lock().unwrap_or_else(PoisonError::into_inner).entry(cause.name()).or_default() += 1;
    }

    pub(super) fn read_malformed(&self) -> BTreeMap<&'static str, u64> {
        self.malformed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Counts what is printed, where it is printed.
pub(crate) struct Tally {
    monitor: Arc<Monitor>,
    collections: HashMap<String, Arc<[AtomicU64; KINDS.len()]>>,
    namespaces: HashMap<String, Arc<[AtomicU64; Severity::ALL.len()]>>,
    name: String,
}

impl Tally {
    pub(crate) fn new(monitor: &Arc<Monitor>) -> Self {
        Self { monitor: Arc::clone(monitor), collections: HashMap::new(), namespaces: HashMap::new(), name: String::new() }
    }

    /// A record became a line.
    pub(crate) fn printed(&mut self, record: &Record<'_>) {
        let after = |event_type| match event_type {
            EventType::Added => 0,
            EventType::Updated => 1,
            EventType::Deleted => 2,
        };
        match record {
            Record::Object(object) => {
                self.collection(object.gvr, after(object.event_type));
                self.object_lag(object);
            }
            Record::Event(event) => self.collection(event.gvr, 3 + after(event.event_type)),
            Record::Gap(gap) => self.collection(gap.gvr, 6),
            Record::Sync(sync) => self.collection(sync.gvr, 7),
            Record::Group(_) => self.printed_groups(1),
            Record::Incident(_) => self.printed_incidents(1),
            Record::Summary(_) => drop(self.monitor.counts.summaries.fetch_add(1, Ordering::Relaxed)),
        }
    }

    /// So many groups became lines.
    pub(crate) fn printed_groups(&mut self, groups: u64) {
        self.monitor.counts.groups.fetch_add(groups, Ordering::Relaxed);
    }

    /// So many incidents became lines.
    pub(crate) fn printed_incidents(&mut self, incidents: u64) {
        self.monitor.counts.incidents.fetch_add(incidents, Ordering::Relaxed);
    }

    /// An Event was reported, whether it is printed or not.
    pub(crate) fn reported(&mut self, event: &EventRecord<'_>) {
        let counts = &self.monitor.counts;
        let live = !event.initial && !event.synthesized && event.event_type != EventType::Deleted;
        if let Some(last_seen) = event.last_seen.filter(|_| live && event.occurrences > 0) {
            counts.event_lag.add(last_seen, clock::now());
        }
        let (Some(severity), 1..) = (event.severity, event.occurrences) else { return };
        let row = match self.namespaces.get(event.namespace) {
            Some(row) => row,
            None => {
                let row = counts.occurrences.row(event.namespace);
                // Those that share a row are not remembered: there may be any number of them.
                let name = if self.namespaces.len() < NAMESPACES { event.namespace } else { OTHER };
                self.namespaces.entry(name.to_owned()).insert_entry(row).into_mut()
            }
        };
        let column = Severity::ALL.iter().position(|one| *one == severity).unwrap_or_default();
        row[column].fetch_add(u64::from(event.occurrences), Ordering::Relaxed);
    }

    fn object_lag(&self, object: &ObjectRecord<'_>) {
        // The newest time of a deleted object is not that of its deletion.
        let live = !object.initial && !object.synthesized && object.event_type != EventType::Deleted;
        if let Some(changed_at) = object.changed_at.filter(|_| live) {
            self.monitor.counts.object_lag.add(changed_at, clock::now());
        }
    }

    fn collection(&mut self, gvr: Gvr<'_>, column: usize) {
        self.name.clear();
        // Writing to memory cannot fail.
        let _ = write!(self.name, "{gvr}");
        let row = match self.collections.get(&self.name) {
            Some(row) => row,
            None => {
                let row = self.monitor.counts.collections.row(&self.name);
                let name = if self.collections.len() < COLLECTIONS { &self.name } else { OTHER };
                self.collections.entry(name.to_owned()).insert_entry(row).into_mut()
            }
        };
        row[column].fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_beyond_the_limit_share_a_row() {
        let rows = Rows::<1>::new(2);
        for name in ["a", "b", "c", "d", "a"] {
            rows.row(name)[0].fetch_add(1, Ordering::Relaxed);
        }
        let read: Vec<(String, u64)> = rows.read().into_iter().map(|(name, [count])| (name, count)).collect();
        assert_eq!(read, [("a".to_owned(), 2), ("b".to_owned(), 1), (OTHER.to_owned(), 2)]);
    }

    #[test]
    fn lag_on_a_limit_belongs_below_it_and_none_is_negative() {
        let lag = Lag::default();
        for (since, now) in [(0, 50_000_000), (0, 51_000_000), (5, 0), (0, 9_000_000_000_000)] {
            lag.add(Nanos(since), Nanos(now));
        }
        let (classes, millis) = lag.read();
        assert_eq!((classes[0], classes[1], classes[LAGS.len()], millis), (2, 1, 1, 9_000_101));
    }
}
