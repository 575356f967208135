//! The simulation: an agenda of steps in time order, and the ways in which components report Events.

use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::api::{Api, Manager, ObjectName, Part, Resource, micros, seconds};
use super::dice::Dice;
use super::inventory::NEW_EVENTS_NAMESPACE;
use super::manifests::Pod;
use crate::correlator::{Correlator, EventType, ObjectRef, Report, Series, SeriesCorrelator, Written};

/// How long the API server keeps an Event after its last write (`--event-ttl`).
const EVENT_TTL: TimeDelta = TimeDelta::hours(1);

/// From one report to the next within a step: recorders name Events by the nanosecond, so no two share one.
const REPORT_PAUSE: TimeDelta = TimeDelta::microseconds(211);

/// The reason of the Events that the story is about.
pub(super) const SANDBOX_FAILURE: &str = "FailedCreatePodSandBox";

type Step = Box<dyn FnOnce(&mut Night)>;

/// One ReplicaSet of a fleet.
#[derive(Clone, Debug)]
pub(super) struct Set {
    pub(super) name: String,
    pub(super) hash: String,
    pub(super) uid: String,
    pub(super) image: String,
    pub(super) size: usize,
}

/// What the controllers know of one workload.
#[derive(Debug)]
pub(super) struct Fleet {
    pub(super) workload: &'static super::inventory::Workload,
    pub(super) uid: String,
    pub(super) image: String,
    pub(super) desired: usize,
    pub(super) sets: Vec<Set>,
    pub(super) current: usize,
    /// Where the scheduler puts the next pods; afterwards it takes the sound nodes in turn.
    pub(super) placement: VecDeque<&'static str>,
    pub(super) dice: Dice,
    pub(super) pods_made: u64,
    pub(super) stalled: bool,
}

/// A night in a cluster.
pub(super) struct Night {
    pub(super) seed: u64,
    pub(super) now: DateTime<Utc>,
    pub(super) api: Api,
    pub(super) dice: Dice,
    pub(super) fleets: BTreeMap<String, Fleet>,
    pub(super) pods: BTreeMap<(String, String), Pod>,
    /// The nodes whose Cilium agent is down.
    pub(super) cut_off: Vec<&'static str>,
    /// The seed of the pauses between sandbox failures.
    pub(super) pauses: u64,
    /// Sandbox failures as far as the API has seen them.
    pub(super) sandbox_failures: u32,
    /// The pods whose sandbox failures the API has seen, each with its node and workload.
    pub(super) blocked: BTreeMap<ObjectName, (&'static str, String)>,
    /// The count of each Event that the recording shows, by namespace and name.
    pub(super) counts: BTreeMap<ObjectName, u32>,
    correlator: Correlator,
    series: SeriesCorrelator,
    agenda: BTreeMap<(DateTime<Utc>, u64), Step>,
    steps: u64,
    last_writes: BTreeMap<(String, String), u64>,
}

impl Night {
    pub(super) fn new(seed: u64, start: DateTime<Utc>) -> Self {
        Self {
            seed,
            now: start,
            api: Api::new(seed),
            dice: Dice::for_label(seed, "night"),
            fleets: BTreeMap::new(),
            pods: BTreeMap::new(),
            cut_off: Vec::new(),
            pauses: seed,
            sandbox_failures: 0,
            blocked: BTreeMap::new(),
            counts: BTreeMap::new(),
            correlator: Correlator::default(),
            series: SeriesCorrelator::default(),
            agenda: BTreeMap::new(),
            steps: 0,
            last_writes: BTreeMap::new(),
        }
    }

    /// Puts a step on the agenda; steps of one moment run in the order in which they were added.
    pub(super) fn at(&mut self, time: DateTime<Utc>, step: impl FnOnce(&mut Self) + 'static) {
        self.steps += 1;
        self.agenda.insert((time.max(self.now), self.steps), Box::new(step));
    }

    /// Puts a step on the agenda, some milliseconds ahead.
    pub(super) fn after(&mut self, millis: i64, step: impl FnOnce(&mut Self) + 'static) {
        self.at(self.now + TimeDelta::milliseconds(millis), step);
    }

    /// Repeats a step with a pause in between, starting at `first`.
    pub(super) fn every(&mut self, first: DateTime<Utc>, pause: TimeDelta, step: fn(&mut Self)) {
        self.at(first, move |night| {
            step(night);
            night.every(first + pause, pause, step);
        });
    }

    /// Runs the agenda up to and including `end`.
    pub(super) fn run_until(&mut self, end: DateTime<Utc>) {
        while let Some(entry) = self.agenda.first_entry() {
            let (time, _) = *entry.key();
            if time > end {
                break;
            }
            let step = entry.remove();
            self.now = self.now.max(time);
            step(self);
        }
        self.now = end;
    }

    /// Reports through the older recorder.
    pub(super) fn report(
        &mut self,
        (component, host): (&str, &str),
        object: ObjectRef,
        event_type: EventType,
        reason: &'static str,
        message: impl Into<String>,
    ) {
        let (component, host) = (component.to_owned(), host.to_owned());
        let report = Report { component, host, object, event_type, reason, message: message.into() };
        self.now += REPORT_PAUSE;
        if let Some(written) = self.correlator.correlate(&report, self.now) {
            if reason == SANDBOX_FAILURE {
                self.note_failure(&report, &written);
            }
            self.write_event(&report, &written);
        }
    }

    fn note_failure(&mut self, report: &Report, written: &Written) {
        let id = (report.object.namespace.clone(), report.object.name.clone());
        let known = self.counts.get(&(id.0.clone(), written.name.clone())).copied().unwrap_or(0);
        self.sandbox_failures += written.count.saturating_sub(known);
        if let Some(pod) = self.pods.get(&id) {
            self.blocked.insert(id, (pod.node, pod.workload.key()));
        }
    }

    /// Starts the recording. Events that have expired by now are no part of it.
    pub(super) fn start_recording(&mut self) {
        let api = &self.api;
        self.counts.retain(|(namespace, name), _| {
            [Resource::Events, Resource::NewEvents].iter().any(|resource| api.get(*resource, namespace, name).is_some())
        });
        self.api.start_recording(self.now);
    }

    /// Reports through the newer recorder.
    pub(super) fn report_series(
        &mut self,
        object: ObjectRef,
        event_type: EventType,
        (reason, action): (&'static str, &'static str),
        message: impl Into<String>,
    ) {
        let report =
            Report { component: "default-scheduler".to_owned(), host: String::new(), object, event_type, reason, message: message.into() };
        self.now += REPORT_PAUSE;
        if let Some(series) = self.series.correlate(report, action, self.now) {
            self.write_series(&series);
        }
    }

    /// Writes the running series again; the newer recorder does so every 30 minutes.
    pub(super) fn refresh_series(&mut self) {
        for series in self.series.refresh() {
            self.write_series(&series);
        }
    }

    /// Ends the silent series; the newer recorder does so every 6 minutes.
    pub(super) fn finish_series(&mut self) {
        for series in self.series.finish(self.now) {
            self.write_series(&series);
        }
    }

    fn write_event(&mut self, report: &Report, written: &Written) {
        let (event_type, reason) = (report.event_type.as_str(), report.reason);
        let mut source = json!({"component": report.component});
        if !report.host.is_empty() {
            source["host"] = json!(report.host);
        }
        // The aggregated Event of client-go carries no reporting controller.
        let (controller, instance) = if written.combined { ("", "") } else { (report.component.as_str(), report.host.as_str()) };
        let object = report.object.to_value();
        let (first, last) = (seconds(written.first), seconds(written.last));
        let body = if report.object.namespace == NEW_EVENTS_NAMESPACE {
            json!({
                "eventTime": null,
                "reportingController": controller,
                "reportingInstance": instance,
                "reason": reason,
                "regarding": object,
                "note": written.message,
                "type": event_type,
                "deprecatedSource": source,
                "deprecatedFirstTimestamp": first,
                "deprecatedLastTimestamp": last,
                "deprecatedCount": written.count,
            })
        } else {
            json!({
                "involvedObject": object,
                "reason": reason,
                "message": written.message,
                "source": source,
                "firstTimestamp": first,
                "lastTimestamp": last,
                "count": written.count,
                "type": event_type,
                "eventTime": null,
                "reportingComponent": controller,
                "reportingInstance": instance,
            })
        };
        let manager = match report.component.as_str() {
            "kubelet" => "kubelet",
            "cilium-operator-generic" => "cilium-operator-generic",
            "kube-scheduler" => "kube-scheduler",
            _ => "kube-controller-manager",
        };
        self.put_event(&report.object.namespace, &written.name, manager, written.count, body);
    }

    fn write_series(&mut self, series: &Series) {
        let report = &series.report;
        let mut body = if report.object.namespace == NEW_EVENTS_NAMESPACE {
            json!({
                "eventTime": micros(series.event_time),
                "reportingController": report.component,
                "reportingInstance": "default-scheduler-cp-1",
                "action": series.action,
                "reason": report.reason,
                "regarding": report.object.to_value(),
                "note": report.message,
                "type": report.event_type.as_str(),
                "deprecatedSource": {},
                "deprecatedFirstTimestamp": null,
                "deprecatedLastTimestamp": null,
            })
        } else {
            json!({
                "involvedObject": report.object.to_value(),
                "reason": report.reason,
                "message": report.message,
                "source": {},
                "firstTimestamp": null,
                "lastTimestamp": null,
                "type": report.event_type.as_str(),
                "eventTime": micros(series.event_time),
                "action": series.action,
                "reportingComponent": report.component,
                "reportingInstance": "default-scheduler-cp-1",
            })
        };
        if series.count > 1 {
            body["series"] = json!({"count": series.count, "lastObservedTime": micros(series.last)});
        }
        self.put_event(&report.object.namespace, &series.name, "kube-scheduler", series.count, body);
    }

    /// Writes an Event as recorders do: a patch of the known one, and when that has expired a new one of the same name.
    pub(super) fn put_event(&mut self, namespace: &str, name: &str, manager: &'static str, count: u32, body: Value) {
        let namespace = if namespace.is_empty() { "default" } else { namespace };
        let resource = if namespace == NEW_EVENTS_NAMESPACE { Resource::NewEvents } else { Resource::Events };
        self.counts.insert((namespace.to_owned(), name.to_owned()), count);
        let manager = Manager(manager, Part::Whole);
        let known = self.api.get(resource, namespace, name).is_some();
        if known {
            self.api.update(resource, manager, namespace, name, self.now, |event| {
                for (field, value) in body.as_object().into_iter().flatten() {
                    event[field.as_str()] = value.clone();
                }
            });
        } else {
            let metadata = json!({"name": name, "namespace": namespace});
            self.api.create(resource, manager, metadata, body, self.now);
        }
        let writes = self.last_writes.entry((namespace.to_owned(), name.to_owned())).or_default();
        *writes += 1;
        let (write, namespace, name) = (*writes, namespace.to_owned(), name.to_owned());
        // Leases are shared by what is written within a minute.
        let expiry = EVENT_TTL + TimeDelta::milliseconds(self.dice.between(200, 60_000));
        self.at(self.now + expiry, move |night| {
            if night.last_writes.get(&(namespace.clone(), name.clone())) == Some(&write) {
                night.api.delete(resource, &namespace, &name, night.now);
            }
        });
    }

    /// Refers to an object as the controllers do, with the resourceVersion it has now.
    pub(super) fn reference(&self, resource: Resource, namespace: &str, name: &str) -> ObjectRef {
        ObjectRef {
            kind: resource.kind().to_owned(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            uid: self.api.text(resource, namespace, name, "/metadata/uid"),
            api_version: resource.api_version().to_owned(),
            resource_version: self.api.text(resource, namespace, name, "/metadata/resourceVersion"),
            field_path: String::new(),
        }
    }
}
