//! Events that kubelets would report, *simulated*: written by the harness with the semantics of client-go's recorders.
//!
//! [`crate::correlator`] decides what is written, as it does for the sample recordings; this writes it through the real API.

use std::collections::BTreeSet;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use super::{Api, ApiError, Patch};
use crate::correlator::{Correlator, ObjectRef, Report, Series, SeriesCorrelator, Written};

/// Writes Events through the API as the recorders of client-go do: counted, merged, limited, and made anew when they have expired.
///
/// The time is the caller's, so a test need not wait for what takes client-go minutes.
#[derive(Debug)]
pub struct Recorder {
    api: Api,
    correlator: Correlator,
    series: SeriesCorrelator,
    /// The series whose Event was created, by namespace and name.
    begun: BTreeSet<(String, String)>,
}

impl Recorder {
    /// Starts without memory, as a component after a restart.
    pub fn new(api: Api) -> Self {
        Self { api, correlator: Correlator::default(), series: SeriesCorrelator::default(), begun: BTreeSet::new() }
    }

    /// Reports through core/v1; returns the Event as it was written, or nothing when the spam filter held it back.
    ///
    /// The first write of an Event creates it. Later ones patch its `count`, `lastTimestamp` and `message`; when it has expired,
    /// it is created anew with the same name and `firstTimestamp` and the next count.
    ///
    /// # Errors
    ///
    /// Fails when the API server refuses.
    pub fn report(&mut self, report: &Report, now: DateTime<Utc>) -> Result<Option<Value>, ApiError> {
        let Some(written) = self.correlator.correlate(report, now) else { return Ok(None) };
        let namespace = namespace_of(&report.object);
        let path = format!("/api/v1/namespaces/{namespace}/events");
        if written.count > 1 {
            let change = json!({"count": written.count, "lastTimestamp": seconds(written.last), "message": written.message});
            match self.api.patch(&format!("{path}/{}", written.name), Patch::Strategic, &change) {
                Err(err) if err.status() == Some(404) => {}
                patched => return patched.map(Some),
            }
        }
        self.api.create(&path, &core_event(report, &written, namespace)).map(Some)
    }

    /// Reports through events.k8s.io/v1; returns the Event as it was written, or nothing when its series is written later.
    ///
    /// # Errors
    ///
    /// Fails when the API server refuses.
    pub fn report_series(&mut self, report: Report, action: &'static str, now: DateTime<Utc>) -> Result<Option<Value>, ApiError> {
        match self.series.correlate(report, action, now) {
            Some(series) => self.write_series(&series).map(Some),
            None => Ok(None),
        }
    }

    /// Writes the running series again, as is due every 30 minutes; returns the Events.
    ///
    /// # Errors
    ///
    /// Fails when the API server refuses.
    pub fn refresh_series(&mut self) -> Result<Vec<Value>, ApiError> {
        let running = self.series.refresh();
        running.iter().map(|series| self.write_series(series)).collect()
    }

    /// Ends the series that were silent for six minutes; returns the Events with their last state.
    ///
    /// # Errors
    ///
    /// Fails when the API server refuses.
    pub fn finish_series(&mut self, now: DateTime<Utc>) -> Result<Vec<Value>, ApiError> {
        let silent = self.series.finish(now);
        silent.iter().map(|series| self.write_series(series)).collect()
    }

    fn write_series(&mut self, series: &Series) -> Result<Value, ApiError> {
        let namespace = namespace_of(&series.report.object);
        let path = format!("/apis/events.k8s.io/v1/namespaces/{namespace}/events");
        let known = !self.begun.insert((namespace.to_owned(), series.name.clone()));
        if known && series.count > 1 {
            let change = json!({"series": {"count": series.count, "lastObservedTime": micros(series.last)}});
            match self.api.patch(&format!("{path}/{}", series.name), Patch::Strategic, &change) {
                Err(err) if err.status() == Some(404) => {}
                patched => return patched,
            }
        }
        self.api.create(&path, &series_event(series, namespace))
    }
}

impl ObjectRef {
    /// Refers to an object as the API returned it from a read or a create.
    pub fn to(object: &Value) -> Self {
        let text = |pointer| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        Self {
            kind: text("/kind"),
            namespace: text("/metadata/namespace"),
            name: text("/metadata/name"),
            uid: text("/metadata/uid"),
            api_version: text("/apiVersion"),
            resource_version: text("/metadata/resourceVersion"),
            field_path: String::new(),
        }
    }
}

fn core_event(report: &Report, written: &Written, namespace: &str) -> Value {
    let mut source = json!({"component": report.component});
    if !report.host.is_empty() {
        source["host"] = json!(report.host);
    }
    // The aggregated Event of client-go carries no reporting controller.
    let (controller, instance) = if written.combined { ("", "") } else { (report.component.as_str(), report.host.as_str()) };
    json!({
        "metadata": {"name": written.name, "namespace": namespace},
        "involvedObject": report.object.to_value(),
        "reason": report.reason,
        "message": written.message,
        "source": source,
        "firstTimestamp": seconds(written.first),
        "lastTimestamp": seconds(written.last),
        "count": written.count,
        "type": report.event_type.as_str(),
        "reportingComponent": controller,
        "reportingInstance": instance,
    })
}

fn series_event(series: &Series, namespace: &str) -> Value {
    let report = &series.report;
    let mut event = json!({
        "metadata": {"name": series.name, "namespace": namespace},
        "eventTime": micros(series.event_time),
        "reportingController": report.component,
        "reportingInstance": format!("{}-simulated", report.component),
        "action": series.action,
        "reason": report.reason,
        "regarding": report.object.to_value(),
        "note": report.message,
        "type": report.event_type.as_str(),
    });
    if series.count > 1 {
        event["series"] = json!({"count": series.count, "lastObservedTime": micros(series.last)});
    }
    event
}

/// Events about objects of the cluster are kept in `default`.
fn namespace_of(object: &ObjectRef) -> &str {
    if object.namespace.is_empty() { "default" } else { &object.namespace }
}

/// `Time` of Kubernetes.
fn seconds(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// `MicroTime` of Kubernetes.
fn micros(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}
