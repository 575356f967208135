//! The API server as a watcher sees it: every write gets a resourceVersion and, once the recording runs, a line.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};

use super::dice::Dice;

/// The watched resources, in the order in which the recording lists them.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Resource {
    Nodes,
    Namespaces,
    ConfigMaps,
    PersistentVolumeClaims,
    Services,
    EndpointSlices,
    DaemonSets,
    Deployments,
    ReplicaSets,
    StatefulSets,
    CronJobs,
    Jobs,
    Autoscalers,
    Pods,
    Events,
    NewEvents,
}

impl Resource {
    /// Every watched resource.
    pub(super) const ALL: [Self; 16] = [
        Self::Nodes,
        Self::Namespaces,
        Self::ConfigMaps,
        Self::PersistentVolumeClaims,
        Self::Services,
        Self::EndpointSlices,
        Self::DaemonSets,
        Self::Deployments,
        Self::ReplicaSets,
        Self::StatefulSets,
        Self::CronJobs,
        Self::Jobs,
        Self::Autoscalers,
        Self::Pods,
        Self::Events,
        Self::NewEvents,
    ];

    /// Returns apiVersion, kind and plural.
    fn names(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Nodes => ("v1", "Node", "nodes"),
            Self::Namespaces => ("v1", "Namespace", "namespaces"),
            Self::ConfigMaps => ("v1", "ConfigMap", "configmaps"),
            Self::PersistentVolumeClaims => ("v1", "PersistentVolumeClaim", "persistentvolumeclaims"),
            Self::Services => ("v1", "Service", "services"),
            Self::EndpointSlices => ("discovery.k8s.io/v1", "EndpointSlice", "endpointslices"),
            Self::DaemonSets => ("apps/v1", "DaemonSet", "daemonsets"),
            Self::Deployments => ("apps/v1", "Deployment", "deployments"),
            Self::ReplicaSets => ("apps/v1", "ReplicaSet", "replicasets"),
            Self::StatefulSets => ("apps/v1", "StatefulSet", "statefulsets"),
            Self::CronJobs => ("batch/v1", "CronJob", "cronjobs"),
            Self::Jobs => ("batch/v1", "Job", "jobs"),
            Self::Autoscalers => ("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers"),
            Self::Pods => ("v1", "Pod", "pods"),
            Self::Events => ("v1", "Event", "events"),
            Self::NewEvents => ("events.k8s.io/v1", "Event", "events"),
        }
    }

    pub(super) fn api_version(self) -> &'static str {
        self.names().0
    }

    pub(super) fn kind(self) -> &'static str {
        self.names().1
    }

    /// Returns the name that control lines carry: `batch/v1/jobs`.
    fn gvr(self) -> String {
        let (api_version, _, plural) = self.names();
        format!("{api_version}/{plural}")
    }
}

/// Who writes an object, for its managedFields.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manager(pub(super) &'static str, pub(super) Part);

/// The part of an object that a manager writes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part {
    Whole,
    Status,
    /// The node of a pod, which the binding sets and no manager owns.
    Binding,
}

/// Identifies an object of one resource: namespace (empty for cluster-scoped ones) and name.
pub(super) type ObjectName = (String, String);

/// All objects, and the lines of the recording.
#[derive(Debug)]
pub(super) struct Api {
    objects: BTreeMap<(Resource, ObjectName), Value>,
    dice: Dice,
    version: u64,
    recording: bool,
    received: DateTime<Utc>,
    pub(super) lines: Vec<u8>,
}

impl Api {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            objects: BTreeMap::new(),
            dice: Dice::for_label(seed, "api"),
            version: 48_211_903,
            recording: false,
            received: DateTime::UNIX_EPOCH,
            lines: Vec::new(),
        }
    }

    /// Returns an object.
    pub(super) fn get(&self, resource: Resource, namespace: &str, name: &str) -> Option<&Value> {
        self.objects.get(&(resource, (namespace.to_owned(), name.to_owned())))
    }

    /// Returns a string at `pointer` in an object; empty when there is none.
    pub(super) fn text(&self, resource: Resource, namespace: &str, name: &str, pointer: &str) -> String {
        let value = self.get(resource, namespace, name).and_then(|object| object.pointer(pointer));
        value.and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    /// Creates an object from its metadata (name, labels, owners and the like) and the rest of its fields; returns its uid.
    pub(super) fn create(&mut self, resource: Resource, manager: Manager, mut metadata: Value, body: Value, now: DateTime<Utc>) -> String {
        let uid = self.dice.uuid();
        let field = |field: &str| metadata[field].as_str().unwrap_or_default().to_owned();
        let name = (field("namespace"), field("name"));
        metadata["uid"] = json!(uid);
        metadata["resourceVersion"] = json!(self.next_version());
        metadata["creationTimestamp"] = json!(seconds(now));
        metadata["managedFields"] = json!([managed(resource, manager, now)]);
        let mut object = json!({"kind": resource.kind(), "apiVersion": resource.api_version(), "metadata": metadata});
        for (field, value) in body.as_object().into_iter().flatten() {
            object[field.as_str()] = value.clone();
        }
        self.emit("ADDED", &object, now);
        self.objects.insert((resource, name), object);
        uid
    }

    /// Changes an object. A change that changes nothing is no write, as in the API; returns whether there was one.
    pub(super) fn update(
        &mut self,
        resource: Resource,
        manager: Manager,
        namespace: &str,
        name: &str,
        now: DateTime<Utc>,
        change: impl FnOnce(&mut Value),
    ) -> bool {
        let key = (resource, (namespace.to_owned(), name.to_owned()));
        let Some(known) = self.objects.get(&key) else { return false };
        let mut object = known.clone();
        change(&mut object);
        if object == *known {
            return false;
        }
        object["metadata"]["resourceVersion"] = json!(self.next_version());
        let entry = managed(resource, manager, now);
        let owned = !matches!(manager.1, Part::Binding);
        if let Some(entries) = object["metadata"]["managedFields"].as_array_mut().filter(|_| owned) {
            let same = |other: &Value| other["manager"] == entry["manager"] && other["subresource"] == entry["subresource"];
            match entries.iter_mut().find(|other| same(other)) {
                Some(other) => *other = entry,
                None => entries.push(entry),
            }
        }
        self.emit("MODIFIED", &object, now);
        self.objects.insert(key, object);
        true
    }

    /// Deletes an object; what a watcher sees carries the resourceVersion of the deletion.
    pub(super) fn delete(&mut self, resource: Resource, namespace: &str, name: &str, now: DateTime<Utc>) {
        let Some(mut object) = self.objects.remove(&(resource, (namespace.to_owned(), name.to_owned()))) else {
            return;
        };
        object["metadata"]["resourceVersion"] = json!(self.next_version());
        self.emit("DELETED", &object, now);
    }

    /// Starts the recording: the first lists of all resources, then whatever is written from now on.
    pub(super) fn start_recording(&mut self, now: DateTime<Utc>) {
        self.recording = true;
        let version = self.next_version();
        for resource in Resource::ALL {
            self.control("listBegin", resource, None, now);
        }
        let objects = std::mem::take(&mut self.objects);
        for resource in Resource::ALL {
            for ((_, _), object) in objects.iter().filter(|((listed, _), _)| *listed == resource) {
                self.emit("ADDED", object, now);
            }
            self.control("listEnd", resource, Some(&version), now);
        }
        self.objects = objects;
    }

    fn control(&mut self, control: &str, resource: Resource, version: Option<&str>, now: DateTime<Utc>) {
        let (received, gvr) = (self.receive(now), resource.gvr());
        let mut line = format!("{{\"control\":\"{control}\",\"gvr\":\"{gvr}\",\"receivedAt\":\"{received}\"");
        if let Some(version) = version {
            line.push_str(&format!(",\"resourceVersion\":\"{version}\""));
        }
        line.push_str("}\n");
        self.lines.extend_from_slice(line.as_bytes());
    }

    fn emit(&mut self, event_type: &str, object: &Value, now: DateTime<Utc>) {
        if self.recording {
            let mut line = format!("{{\"type\":\"{event_type}\",\"receivedAt\":\"{}\",\"object\":", self.receive(now));
            push_sorted(&mut line, object);
            line.push_str("}\n");
            self.lines.extend_from_slice(line.as_bytes());
        }
    }

    /// Rolls how long the line was under way; lines never overtake each other.
    fn receive(&mut self, now: DateTime<Utc>) -> String {
        let arrival = now + TimeDelta::nanoseconds(self.dice.between(1_100_000, 9_000_000));
        self.received = arrival.max(self.received + TimeDelta::nanoseconds(self.dice.between(9_000, 80_000)));
        self.received.to_rfc3339_opts(SecondsFormat::Nanos, true)
    }

    /// Versions skip ahead by what nobody here watches, leases above all.
    fn next_version(&mut self) -> String {
        self.version += 1 + self.dice.below(12);
        self.version.to_string()
    }
}

/// Formats a time as `metav1.Time` does.
pub(super) fn seconds(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Formats a time as `metav1.MicroTime` does.
pub(super) fn micros(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// Appends `value` with its keys sorted, as kubectl prints them. A map's own order depends on a feature of `serde_json` that any
/// crate of a build may switch on, and the recording must not.
fn push_sorted(line: &mut String, value: &Value) {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<(&String, &Value)> = fields.iter().collect();
            fields.sort_by_key(|(field, _)| *field);
            line.push('{');
            for (index, (field, value)) in fields.into_iter().enumerate() {
                line.push_str(if index > 0 { ",\"" } else { "\"" });
                line.push_str(field);
                line.push_str("\":");
                push_sorted(line, value);
            }
            line.push('}');
        }
        Value::Array(items) => {
            line.push('[');
            for (index, item) in items.iter().enumerate() {
                line.push_str(if index > 0 { "," } else { "" });
                push_sorted(line, item);
            }
            line.push(']');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => line.push_str(&value.to_string()),
    }
}

fn managed(resource: Resource, Manager(manager, part): Manager, now: DateTime<Utc>) -> Value {
    let fields = match (resource, part) {
        (Resource::Events | Resource::NewEvents, _) => json!({"f:count": {}, "f:lastTimestamp": {}, "f:reason": {}}),
        (Resource::ConfigMaps, _) => json!({"f:data": {}}),
        (_, Part::Whole | Part::Binding) => json!({"f:metadata": {"f:labels": {}}, "f:spec": {}}),
        (_, Part::Status) => json!({"f:status": {}}),
    };
    let mut entry = json!({
        "manager": manager,
        "operation": "Update",
        "apiVersion": resource.api_version(),
        "time": seconds(now),
        "fieldsType": "FieldsV1",
        "fieldsV1": fields,
    });
    if matches!(part, Part::Status) {
        entry["subresource"] = json!("status");
    }
    entry
}
