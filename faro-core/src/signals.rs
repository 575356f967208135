//! What an object says of itself: what it depends on, and what is wrong with it since when.

mod calls;
mod generic;
mod node;
mod pod;
mod resources;
mod service;
mod storage;
mod workload;

use crate::input::{Moment, RawObject, Text};
use crate::objects::leaves;
use crate::time::Nanos;
use crate::topology::{Detail, Fact, Reading, Reference, Relation};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Reads an object: its edges, its labels, and the facts that say that something is wrong. A healthy one has none. `known` is what a
/// present object of the same uid was read as, with the fingerprint of what it was read from.
pub(crate) fn read(object: &RawObject<'_>, known: Option<(u64, &Detail)>) -> Reading {
    let metadata = object.metadata();
    let mut reading = Reading { created: metadata.creation_timestamp.0, ..Reading::default() };
    if object.kind() == "Pod" {
        pod::read(object, known, &mut reading);
        settle(&mut reading);
        return reading;
    }
    owners(object, &mut reading);
    match object.kind() {
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "ReplicationController" => workload::read(object, &mut reading),
        "Job" | "CronJob" => workload::read_job(object, &mut reading),
        "Node" => node::read(object, &mut reading),
        "PersistentVolumeClaim" | "PersistentVolume" => storage::read(object, &mut reading),
        "Service" | "Ingress" | "HTTPRoute" | "GRPCRoute" | "TLSRoute" | "TCPRoute" => service::read(object, &mut reading),
        "ResourceQuota" | "HorizontalPodAutoscaler" | "Namespace" => resources::read(object, &mut reading),
        "ConfigMap" | "Secret" => {}
        // Leases and slices change all the time and say nothing that their objects do not say.
        "Lease" | "EndpointSlice" | "Endpoints" | "Event" => return reading,
        _ => generic::read(object, &mut reading),
    }
    if let Some(at) = metadata.deletion_timestamp.0 {
        reading.facts.push(Fact::new("stuck-deleting", "it is being deleted and finalizers hold it", at));
    }
    reading.leaves = specification(object);
    settle(&mut reading);
    reading
}

/// The same facts in the same order, however they were told.
fn settle(reading: &mut Reading) {
    reading.facts.sort_unstable();
    reading.facts.dedup_by(|a, b| a.name == b.name && a.text == b.text);
}

/// Kinds whose specification is written by people: changes of it cause things.
const WRITTEN: &[&str] = &[
    "ConfigMap",
    "CronJob",
    "DaemonSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "Ingress",
    "LimitRange",
    "NetworkPolicy",
    "Node",
    "PersistentVolumeClaim",
    "ResourceQuota",
    "Service",
    "StatefulSet",
    "StorageClass",
];

/// The part of an object that people write; of a Secret only that it changed.
fn specification(object: &RawObject<'_>) -> Option<Vec<(String, String)>> {
    if object.kind() == "Secret" {
        return Some(vec![("data".to_owned(), object.metadata().resource_version.to_string())]);
    }
    if !WRITTEN.contains(&object.kind()) {
        return None;
    }
    let written = |path: &str| path.starts_with("spec") || path.starts_with("data") || path.starts_with("binaryData");
    Some(leaves::of(object).into_iter().filter(|(path, _)| written(path)).collect())
}

fn owners(object: &RawObject<'_>, reading: &mut Reading) {
    let owners = object.metadata().owner_references.as_deref().unwrap_or_default();
    let controller = owners.iter().find(|owner| owner.controller == Some(true)).or_else(|| owners.first());
    reading.several_controllers = owners.iter().filter(|owner| owner.controller == Some(true)).count() > 1;
    if let Some(owner) = controller {
        reading.owner_uid = owner.uid.to_string();
        // Only cluster-scoped kinds own across namespaces, and of those a node's static pods are the ones that matter.
        let namespace = if &*owner.kind == "Node" { "" } else { object.namespace() };
        reading.refs.push(reference(Relation::OwnedBy, &owner.kind, namespace, &owner.name));
    }
}

fn reference(relation: Relation, kind: &str, namespace: &str, name: &str) -> Reference {
    Reference { relation, kind: kind.to_owned(), namespace: namespace.to_owned(), name: name.to_owned() }
}

/// Reads a part of an object; one that cannot be read says nothing.
fn part<'a, T: Deserialize<'a> + Default>(raw: Option<&'a RawValue>) -> T {
    raw.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default()
}

/// One of `status.conditions`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Condition<'a> {
    #[serde(borrow, rename = "type")]
    type_: Text<'a>,
    #[serde(borrow)]
    status: Text<'a>,
    #[serde(borrow)]
    reason: Text<'a>,
    #[serde(borrow)]
    message: Text<'a>,
    last_transition_time: Moment,
}

impl Condition<'_> {
    /// Since when, or since `else_` where the object does not tell.
    fn since(&self, else_: Option<Nanos>) -> Nanos {
        self.last_transition_time.0.or(else_).unwrap_or(Nanos(0))
    }

    fn says(&self) -> String {
        match (&*self.reason, &*self.message) {
            (reason, "") => reason.to_owned(),
            ("", message) => message.to_owned(),
            (reason, message) => format!("{reason}: {message}"),
        }
    }
}

/// Labels as `key=value`.
fn labels<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<String> {
    pairs.map(|(key, value)| format!("{key}={value}")).collect()
}

#[cfg(test)]
mod tests;
