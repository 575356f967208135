//! Events that a test writes itself, and the groups that come of them.

use crate::program::Program;
use crate::stage::{Collection, now, text, watch_with};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use faro_tests::control_plane::ControlPlane;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Events of one namespace, written through the API, about objects that need not exist.
pub(crate) struct Reports<'a> {
    pub(crate) namespace: String,
    pub(crate) core: Collection<'a>,
    pub(crate) series: Collection<'a>,
    start: DateTime<Utc>,
}

impl<'a> Reports<'a> {
    /// Reports that begin six minutes ago: what is of that time has ended, and is not late.
    pub(crate) fn new(cluster: &'a ControlPlane, namespace: &str) -> Self {
        Self::since(cluster, namespace, TimeDelta::minutes(6))
    }

    /// Reports that begin two minutes ago: what is of that time goes on.
    pub(crate) fn fresh(cluster: &'a ControlPlane, namespace: &str) -> Self {
        Self::since(cluster, namespace, TimeDelta::minutes(2))
    }

    fn since(cluster: &'a ControlPlane, namespace: &str, ago: TimeDelta) -> Self {
        // Kubernetes' older times have no fractions.
        let start = DateTime::from_timestamp((now() - ago).timestamp(), 0).unwrap();
        Self {
            namespace: namespace.to_owned(),
            core: Collection::events(cluster, namespace),
            series: Collection::at(cluster, format!("/apis/events.k8s.io/v1/namespaces/{namespace}/events")),
            start,
        }
    }

    /// So many seconds after the beginning, as `Time` of Kubernetes has it.
    pub(crate) fn at(&self, seconds: i64) -> String {
        (self.start + TimeDelta::seconds(seconds)).to_rfc3339_opts(SecondsFormat::Secs, true)
    }

    /// The same as `MicroTime`.
    pub(crate) fn micros_at(&self, seconds: i64) -> String {
        (self.start + TimeDelta::seconds(seconds)).to_rfc3339_opts(SecondsFormat::Micros, true)
    }

    /// A reference to a pod of the namespace.
    pub(crate) fn pod(&self, name: &str, uid: &str) -> Value {
        json!({"apiVersion": "v1", "kind": "Pod", "namespace": self.namespace, "name": name, "uid": uid})
    }

    /// `FailedCreatePodSandBox` of the pod `web-1` as a kubelet writes it, with other fields where `fields` names some.
    pub(crate) fn event(&self, name: &str, fields: &Value) -> Value {
        let mut event = json!({
            "metadata": {"name": name}, "involvedObject": self.pod("web-1", WEB_UID), "reason": "FailedCreatePodSandBox",
            "type": "Warning", "message": "Failed to create pod sandbox: rpc error", "source": {"component": "kubelet", "host": "node-1"},
            "firstTimestamp": self.at(0), "lastTimestamp": self.at(0), "count": 1,
        });
        for (field, value) in fields.as_object().into_iter().flatten() {
            event[field] = value.clone();
        }
        event
    }

    /// Writes such an Event.
    pub(crate) fn write(&self, name: &str, fields: &Value) -> Value {
        self.core.create(&self.event(name, fields))
    }

    /// Writes the next count of an Event, as client-go's recorder does.
    pub(crate) fn count(&self, name: &str, count: u32, last: i64) -> Value {
        self.core.patch(name, &json!({"count": count, "lastTimestamp": self.at(last)}))
    }

    /// Watches the Events of the namespace, in groups.
    #[track_caller]
    pub(crate) fn watch(&self, cluster: &ControlPlane, options: &[&str]) -> Program {
        let config = format!("resources: [{{gvr: v1/events, namespace_names: [{}]}}]", self.namespace);
        let options: Vec<&str> = ["--emit", "event,group,sync,gap,summary"].iter().chain(options).copied().collect();
        watch_with(cluster, &config, 1, &options)
    }
}

pub(crate) const WEB_UID: &str = "6c1b7b0a-3f0e-4a52-9d5a-0a4e0f1d2c3b";

/// The last version of each group, in order of their start.
pub(crate) fn groups(program: &Program) -> Vec<Value> {
    let mut last = BTreeMap::new();
    for group in program.records.iter().filter(|record| record["record"] == "group") {
        if group["mergedInto"].is_null() {
            last.insert(text(&group["id"]), group);
        } else {
            last.remove(text(&group["id"]));
        }
    }
    let mut groups: Vec<Value> = last.into_values().cloned().collect();
    groups.sort_by_key(|group| (text(&group["firstSeen"]).to_owned(), text(&group["reason"]).to_owned()));
    groups
}

/// The only group of a run.
#[track_caller]
pub(crate) fn only_group(program: &Program) -> Value {
    let mut groups = groups(program);
    assert_eq!(groups.len(), 1, "{groups:#?}");
    groups.remove(0)
}

/// The books of a run: what came in is what the groups hold.
#[track_caller]
pub(crate) fn summary(program: &Program) -> Value {
    let summary = program.records.last().unwrap();
    assert_eq!(summary["record"], "summary");
    let occurrences = &summary["occurrences"];
    let booked: u64 = ["closed", "open", "evicted", "unproven"].iter().map(|name| occurrences[name].as_u64().unwrap()).sum();
    assert_eq!(occurrences["total"], booked, "{summary}");
    summary.clone()
}
