//! The two recorders through which Kubernetes components report Events.
//!
//! [`Correlator`] is the older one of client-go (`tools/record/events_cache.go`), used by kubelet and the controllers: it counts
//! repeats, merges similar Events and limits how often it writes. [`SeriesCorrelator`] is the newer one
//! (`tools/events/event_broadcaster.go`), used by the scheduler: repeats become a series.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

/// Distinct messages within [`AGGREGATION_INTERVAL`] from which on similar Events become one (`maxEvents` of client-go).
const AGGREGATION_THRESHOLD: usize = 10;
/// Silence after which the aggregation of similar Events starts over (`maxIntervalInSeconds`).
const AGGREGATION_INTERVAL: TimeDelta = TimeDelta::minutes(10);
/// Writes that one source may make about one object at once (`defaultSpamBurst`).
const SPAM_BURST: i32 = 25;
/// How long it takes until such a source may write once more (`defaultSpamQPS` is 1/300).
const SPAM_REFILL: TimeDelta = TimeDelta::minutes(5);
/// Silence that ends a series (`finishTime`).
const SERIES_FINISH: TimeDelta = TimeDelta::minutes(6);

/// `type` of an Event.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum EventType {
    /// `Normal`: life as it should be.
    Normal,
    /// `Warning`: somebody may have to look.
    Warning,
}

impl EventType {
    /// Returns the value of the `type` field.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "Normal",
            Self::Warning => "Warning",
        }
    }
}

/// The object that an Event is about (`involvedObject` or `regarding`); empty fields are left out.
#[derive(Clone, Debug, Default)]
pub struct ObjectRef {
    /// `kind`.
    pub kind: String,
    /// `namespace`; empty for objects of the cluster.
    pub namespace: String,
    /// `name`.
    pub name: String,
    /// `uid`.
    pub uid: String,
    /// `apiVersion`.
    pub api_version: String,
    /// `resourceVersion`.
    pub resource_version: String,
    /// `fieldPath`, which names a container.
    pub field_path: String,
}

impl ObjectRef {
    /// Returns the reference as it stands in an Event.
    pub fn to_value(&self) -> Value {
        let mut reference = json!({});
        for (field, value) in [
            ("kind", &self.kind),
            ("namespace", &self.namespace),
            ("name", &self.name),
            ("uid", &self.uid),
            ("apiVersion", &self.api_version),
            ("resourceVersion", &self.resource_version),
            ("fieldPath", &self.field_path),
        ] {
            if !value.is_empty() {
                reference[field] = json!(value);
            }
        }
        reference
    }
}

/// What a component reports.
#[derive(Clone, Debug)]
pub struct Report {
    /// Who reports: `source.component`, `reportingComponent` or `reportingController`.
    pub component: String,
    /// Where it runs: `source.host`; empty where the component says none.
    pub host: String,
    /// What it is about.
    pub object: ObjectRef,
    /// `type`.
    pub event_type: EventType,
    /// `reason`.
    pub reason: &'static str,
    /// `message` or `note`.
    pub message: String,
}

impl Report {
    /// The key by which the spam filter limits writes (`getSpamKey`).
    fn spam_key(&self) -> String {
        let ObjectRef { kind, namespace, name, uid, api_version, .. } = &self.object;
        [&self.component, &self.host, kind, namespace, name, uid, api_version].map(String::as_str).join("\n")
    }

    /// The key of similar Events, whatever their message (`EventAggregatorByReasonFunc`).
    fn aggregate_key(&self) -> String {
        [self.spam_key().as_str(), self.event_type.as_str(), self.reason].join("\n")
    }

    /// The key of equal Events (`getEventKey`).
    fn event_key(&self) -> String {
        [self.aggregate_key().as_str(), &self.object.field_path, &self.message].join("\n")
    }
}

/// One write of an Event to the API.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Written {
    /// `metadata.name`, the same in every write of the Event.
    pub name: String,
    /// `message`, with the prefix of merged Events.
    pub message: String,
    /// `count`, the occurrences so far.
    pub count: u32,
    /// `firstTimestamp`.
    pub first: DateTime<Utc>,
    /// `lastTimestamp`.
    pub last: DateTime<Utc>,
    /// Whether similar Events were merged into this one.
    pub combined: bool,
}

#[derive(Debug)]
struct Aggregate {
    messages: BTreeSet<String>,
    last: DateTime<Utc>,
}

#[derive(Debug)]
struct Bucket {
    /// The refill time saved up; a write costs [`SPAM_REFILL`].
    saved: TimeDelta,
    filled: DateTime<Utc>,
}

/// Counts, merges and limits Events as client-go's `EventCorrelator` does.
#[derive(Debug, Default)]
pub struct Correlator {
    aggregates: BTreeMap<String, Aggregate>,
    observed: BTreeMap<String, Written>,
    buckets: BTreeMap<String, Bucket>,
}

impl Correlator {
    /// Returns what is written to the API; nothing when the spam filter holds it back, though it is counted all the same.
    pub fn correlate(&mut self, report: &Report, now: DateTime<Utc>) -> Option<Written> {
        let combined = self.is_similar(report, now);
        let key = if combined { report.aggregate_key() } else { report.event_key() };
        let message = if combined { format!("(combined from similar events): {}", report.message) } else { report.message.clone() };
        let written = match self.observed.get(&key) {
            Some(known) => Written { message, count: known.count.saturating_add(1), last: now, ..known.clone() },
            None => Written { name: event_name(&report.object.name, now), message, count: 1, first: now, last: now, combined },
        };
        self.observed.insert(key, written.clone());
        self.take_token(report.spam_key(), now).then_some(written)
    }

    fn is_similar(&mut self, report: &Report, now: DateTime<Utc>) -> bool {
        let aggregate = self.aggregates.entry(report.aggregate_key()).or_insert_with(|| Aggregate { messages: BTreeSet::new(), last: now });
        if now - aggregate.last > AGGREGATION_INTERVAL {
            aggregate.messages.clear();
        }
        aggregate.last = now;
        aggregate.messages.insert(report.message.clone());
        let similar = aggregate.messages.len() >= AGGREGATION_THRESHOLD;
        if similar {
            aggregate.messages.pop_first();
        }
        similar
    }

    fn take_token(&mut self, key: String, now: DateTime<Utc>) -> bool {
        let full = SPAM_REFILL * SPAM_BURST;
        let bucket = self.buckets.entry(key).or_insert(Bucket { saved: full, filled: now });
        bucket.saved = (bucket.saved + (now - bucket.filled)).min(full);
        bucket.filled = now;
        let free = bucket.saved >= SPAM_REFILL;
        if free {
            bucket.saved -= SPAM_REFILL;
        }
        free
    }
}

/// An Event of the newer recorder, written at its first and second occurrence and from then on now and again.
#[derive(Clone, Debug)]
pub struct Series {
    /// What was reported first.
    pub report: Report,
    /// `action`.
    pub action: &'static str,
    /// `metadata.name`.
    pub name: String,
    /// `eventTime`, the first occurrence.
    pub event_time: DateTime<Utc>,
    /// `series.count`; an Event that occurred once has no series.
    pub count: u32,
    /// `series.lastObservedTime`.
    pub last: DateTime<Utc>,
}

/// Turns repeats into series as client-go's `eventBroadcasterImpl` does.
#[derive(Debug, Default)]
pub struct SeriesCorrelator {
    running: BTreeMap<String, Series>,
}

impl SeriesCorrelator {
    /// Returns what is written at once: an Event, or the start of its series. Later repeats wait for [`Self::refresh`].
    pub fn correlate(&mut self, report: Report, action: &'static str, now: DateTime<Utc>) -> Option<Series> {
        let key = report.event_key();
        if let Some(series) = self.running.get_mut(&key) {
            series.count = series.count.saturating_add(1);
            series.last = now;
            return (series.count == 2).then(|| series.clone());
        }
        let name = event_name(&report.object.name, now);
        let series = Series { report, action, name, event_time: now, count: 1, last: now };
        self.running.insert(key, series.clone());
        Some(series)
    }

    /// Returns the series to write again; due every 30 minutes.
    pub fn refresh(&self) -> Vec<Series> {
        self.running.values().filter(|series| series.count > 1).cloned().collect()
    }

    /// Ends what has been silent; returns the series whose last state is to be written. Due every 6 minutes.
    pub fn finish(&mut self, now: DateTime<Utc>) -> Vec<Series> {
        let silent: Vec<String> =
            self.running.iter().filter(|(_, series)| now - series.last > SERIES_FINISH).map(|(key, _)| key.clone()).collect();
        silent.iter().filter_map(|key| self.running.remove(key)).filter(|series| series.count > 1).collect()
    }
}

/// Names an Event after its object and the moment: `web-1.1864a3c2d5f10b7e`.
fn event_name(object: &str, now: DateTime<Utc>) -> String {
    format!("{object}.{:x}", now.timestamp_nanos_opt().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(message: &str) -> Report {
        Report {
            component: "kubelet".to_owned(),
            host: "n1".to_owned(),
            object: ObjectRef { kind: "Pod".to_owned(), name: "web-1".to_owned(), ..ObjectRef::default() },
            event_type: EventType::Warning,
            reason: "FailedCreatePodSandBox",
            message: message.to_owned(),
        }
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_757_710_800 + seconds, 0).expect("in range")
    }

    #[test]
    fn equal_events_are_one_with_a_count() {
        let mut correlator = Correlator::default();
        let counts: Vec<u32> = (0..3).filter_map(|n| correlator.correlate(&report("same"), at(n))).map(|written| written.count).collect();
        assert_eq!(counts, [1, 2, 3]);
    }

    #[test]
    fn the_tenth_similar_message_starts_the_combined_event() {
        let mut correlator = Correlator::default();
        let written: Vec<Written> = (0..12).filter_map(|n| correlator.correlate(&report(&format!("sandbox {n}")), at(n * 40))).collect();
        let combined: Vec<bool> = written.iter().map(|written| written.combined).collect();
        assert_eq!(combined, [[false; 9].as_slice(), &[true; 3]].concat());
        assert_eq!(written[11].count, 3);
        assert_eq!(written[11].name, written[9].name);
        assert!(written[11].message.starts_with("(combined from similar events): sandbox"));
    }

    #[test]
    fn ten_silent_minutes_end_the_aggregation() {
        let mut correlator = Correlator::default();
        for n in 0..12 {
            correlator.correlate(&report(&format!("sandbox {n}")), at(n));
        }
        let later = correlator.correlate(&report("sandbox 99"), at(11 + 601)).expect("written");
        assert!(!later.combined);
    }

    #[test]
    fn the_spam_filter_counts_what_it_holds_back() {
        let mut correlator = Correlator::default();
        let written: Vec<u32> =
            (0..900).filter_map(|n| correlator.correlate(&report("same"), at(n))).map(|written| written.count).collect();
        assert_eq!(written[..25], (1..=25).collect::<Vec<_>>());
        assert_eq!(written[25..], [301, 601]);
    }

    #[test]
    fn a_series_is_written_at_two_and_at_a_refresh() {
        let mut correlator = SeriesCorrelator::default();
        let written: Vec<u32> =
            (0..5).filter_map(|n| correlator.correlate(report("0/6 nodes"), "Scheduling", at(n * 60))).map(|series| series.count).collect();
        assert_eq!(written, [1, 2]);
        assert_eq!(correlator.refresh().len(), 1);
        assert_eq!(correlator.finish(at(240 + 361))[0].count, 5);
        assert!(correlator.refresh().is_empty());
    }
}
