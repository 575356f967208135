//! An API server of a few Events: turns operations into the JSON that both sides read.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat};
use serde_json::{Value, json};

use super::op::{Ago, More, Op, Slot, Span, Style, Subject, What};
use super::setup::{SECOND, Setup};

/// When every run begins: 2025-09-12T21:00:00Z.
pub const START: i64 = 1_757_710_800 * SECOND;

/// What an engine is given.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Input {
    /// One JSON value.
    Line(String),
    /// A list of this collection begins.
    Begin(&'static str),
    /// A list of this collection ends.
    End(&'static str),
    /// Time passes.
    Tick,
    /// The engine is saved and restored.
    Restart,
}

/// The state of the cluster: which Events exist, and what time it is.
#[derive(Clone, Debug)]
pub struct Cluster {
    setup: Setup,
    now: i64,
    serial: u64,
    generations: BTreeMap<Subject, u32>,
    events: BTreeMap<Slot, Written>,
}

/// An Event as its reporter wrote it last.
#[derive(Clone, Debug, Default)]
struct Written {
    name: u32,
    uid: u32,
    first: i64,
    count: u32,
    object: Value,
    earlier: Value,
    deleted: bool,
}

impl Cluster {
    /// Makes a cluster without Events.
    #[must_use]
    pub const fn new(setup: Setup) -> Self {
        Self { setup, now: START, serial: 0, generations: BTreeMap::new(), events: BTreeMap::new() }
    }

    /// Plays one operation: the inputs that it makes, each with its moment.
    pub fn play(&mut self, op: Op) -> Vec<(i64, Input)> {
        let inputs = match op {
            Op::Report { event, more, ago, style } => vec![self.report(event, more, ago, style)],
            Op::Recount { event, count } => self.recount(event, count).into_iter().collect(),
            Op::Expire { event } => {
                self.serial += 1;
                let serial = u32::try_from(self.serial).unwrap_or(u32::MAX);
                self.events.entry(event).and_modify(|written| written.uid = serial);
                vec![self.report(event, More::One, Ago::Now, Style::Core)]
            }
            Op::Renew { event } => {
                self.events.remove(&event);
                vec![self.report(event, More::One, Ago::Now, Style::Core)]
            }
            Op::Stale { event } => {
                let copy = self.events.get(&event).map(|written| written.earlier.clone()).filter(|earlier| !earlier.is_null());
                copy.map(|copy| self.delivered("MODIFIED", &copy)).into_iter().collect()
            }
            Op::Recreate { subject } => {
                *self.generations.entry(subject).or_default() += 1;
                Vec::new()
            }
            Op::Adopt { subject } => self.pod(subject).into_iter().collect(),
            Op::Delete { event, whole } => self.delete(event, whole).into_iter().collect(),
            Op::Relist => {
                let list = self.existing().map(|object| self.delivered("ADDED", object));
                [Input::Begin("v1/events")].into_iter().chain(list).chain([Input::End("v1/events")]).collect()
            }
            Op::Dump { order } => self.dump(order),
            Op::BeginList { of_pods } => vec![Input::Begin(scope(of_pods))],
            Op::EndList { of_pods } => vec![Input::End(scope(of_pods))],
            Op::Wait { span } => {
                self.now += match span {
                    Span::Seconds(seconds) => i64::from(seconds) * SECOND,
                    Span::Window => self.setup.window_nanos(),
                    Span::BeyondWindow => self.setup.window_nanos() + 1,
                    Span::Lateness => self.setup.lateness * SECOND,
                    Span::Hour => 3600 * SECOND,
                };
                vec![Input::Tick]
            }
            Op::Tick => vec![Input::Tick],
            Op::Restart => vec![Input::Restart],
        };
        inputs.into_iter().map(|input| (self.now, input)).collect()
    }

    /// What time it is.
    #[must_use]
    pub const fn now(&self) -> i64 {
        self.now
    }

    fn report(&mut self, event: Slot, more: More, ago: Ago, style: Style) -> Input {
        let more = match more {
            More::None => 0,
            More::One => 1,
            More::Few(few) => u32::from(few % 20),
            More::Leap => 561,
        };
        let last = self.now - self.nanos(ago);
        self.serial += 1;
        let serial = u32::try_from(self.serial).unwrap_or(u32::MAX);
        let known = self.events.entry(event).or_insert_with(|| Written { name: serial, uid: serial, first: last, ..Written::default() });
        known.count = (known.count + more).max(1);
        known.deleted = false;
        known.earlier = std::mem::take(&mut known.object);
        let written = known.clone();
        let object = self.event(event, &written, last, style);
        let verb = if written.earlier.is_null() { "ADDED" } else { "MODIFIED" };
        self.events.entry(event).and_modify(|known| known.object.clone_from(&object));
        self.delivered(verb, &object)
    }

    fn recount(&mut self, event: Slot, count: u8) -> Option<Input> {
        self.events.get_mut(&event)?.count = u32::from(count);
        Some(self.report(event, More::None, Ago::Now, Style::Core))
    }

    /// Writes an Event.
    fn event(&self, event: Slot, written: &Written, last: i64, style: Style) -> Value {
        let Slot { subject, what, twin } = event;
        let (reason, type_, message) = text(what, twin);
        let (kind, namespace, name) = named(subject);
        let event_namespace = if namespace.is_empty() { "default" } else { namespace };
        let mut metadata = json!({
            "name": format!("{name}.{:x}", written.name),
            "namespace": event_namespace,
            "uid": format!("e-{}", written.uid),
            "resourceVersion": self.serial.to_string(),
        });
        let about = json!({"apiVersion": "v1", "kind": kind, "namespace": namespace, "name": name, "uid": self.uid(subject)});
        let message = if style == Style::Combined { format!("(combined from similar events): {message}") } else { message };
        let mut object = json!({
            "apiVersion": "v1", "kind": "Event", "involvedObject": about, "reason": reason, "type": type_, "message": message,
            "source": {"component": "kubelet", "host": "n1"},
        });
        let (first, count) = (rfc3339(written.first), written.count);
        match style {
            Style::Core | Style::Combined | Style::Versionless => {
                merge(&mut object, json!({"count": count, "firstTimestamp": first, "lastTimestamp": rfc3339(last)}));
            }
            Style::Series => {
                let series = json!({"count": count, "lastObservedTime": rfc3339(last)});
                merge(&mut object, json!({"eventTime": first, "firstTimestamp": null, "lastTimestamp": null, "series": series}));
            }
            Style::EventsV1 => {
                object = json!({
                    "apiVersion": "events.k8s.io/v1", "kind": "Event", "regarding": about, "reason": reason, "type": type_, "note": message,
                    "reportingController": "kubelet", "deprecatedSource": {"component": "kubelet", "host": "n1"},
                    "deprecatedCount": count, "deprecatedFirstTimestamp": first, "deprecatedLastTimestamp": rfc3339(last), "eventTime": null,
                });
            }
            Style::EventTime => merge(&mut object, json!({"eventTime": rfc3339(last), "firstTimestamp": null})),
            Style::Timeless => merge(&mut object, json!({"count": count, "firstTimestamp": null, "lastTimestamp": "0001-01-01T00:00:00Z"})),
            Style::Future => {
                let ahead = rfc3339(self.now + 3600 * SECOND);
                merge(&mut object, json!({"count": count, "firstTimestamp": first, "lastTimestamp": ahead}));
            }
        }
        if style == Style::Versionless
            && let Some(fields) = metadata.as_object_mut()
        {
            fields.remove("resourceVersion");
        }
        merge(&mut object, json!({"metadata": metadata}));
        object
    }

    /// The uid that a reporter sends: kubelets write a node's name, others its uid or nothing.
    fn uid(&self, subject: Subject) -> String {
        let generation = self.generations.get(&subject).copied().unwrap_or_default();
        match subject {
            Subject::Web | Subject::Api | Subject::Namesake => {
                format!("6c1b7b0a-3f0e-4a52-9d5a-{:06x}{generation:06x}", subject as u32 + 1)
            }
            Subject::Node => ["", "n1", "0f0e7b0a-3f0e-4a52-9d5a-0a4e0f1d2c3b"][usize::try_from(self.serial % 3).unwrap_or(0)].to_owned(),
        }
    }

    fn pod(&mut self, subject: Subject) -> Option<Input> {
        let owner = owner(subject)?;
        let (_, namespace, name) = named(subject);
        self.serial += 1;
        let metadata = json!({
            "name": name, "namespace": namespace, "uid": self.uid(subject), "resourceVersion": self.serial.to_string(),
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "DaemonSet", "name": owner, "controller": true}],
        });
        Some(self.delivered("ADDED", &json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata})))
    }

    fn delete(&mut self, event: Slot, whole: bool) -> Option<Input> {
        let written = self.events.get_mut(&event).filter(|written| !written.deleted)?;
        written.deleted = true;
        let object = if whole {
            written.object.clone()
        } else {
            json!({"apiVersion": "v1", "kind": "Event", "metadata": written.object["metadata"]})
        };
        Some(self.delivered("DELETED", &object))
    }

    /// The Events that exist.
    fn existing(&self) -> impl Iterator<Item = &Value> {
        self.events.values().filter(|written| !written.deleted && !written.object.is_null()).map(|written| &written.object)
    }

    fn dump(&self, order: u8) -> Vec<Input> {
        let mut left: Vec<&Value> = self.existing().collect();
        let mut inputs = vec![Input::Begin("")];
        let mut at = usize::from(order);
        while !left.is_empty() {
            at = (at * 7 + 3) % left.len();
            inputs.push(Input::Line(left.remove(at).to_string()));
        }
        inputs.push(Input::End(""));
        inputs
    }

    fn delivered(&self, verb: &str, object: &Value) -> Input {
        Input::Line(json!({"type": verb, "receivedAt": rfc3339(self.now), "object": object}).to_string())
    }

    const fn nanos(&self, ago: Ago) -> i64 {
        match ago {
            Ago::Now => 0,
            Ago::Seconds(seconds) => seconds as i64 * SECOND,
            Ago::Window => self.setup.window_nanos(),
            Ago::BeyondWindow => self.setup.window_nanos() + 1000,
            Ago::Minutes(minutes) => (minutes % 64) as i64 * 60 * SECOND,
        }
    }
}

fn merge(object: &mut Value, fields: Value) {
    if let (Some(object), Value::Object(fields)) = (object.as_object_mut(), fields) {
        object.extend(fields);
    }
}

const fn scope(of_pods: bool) -> &'static str {
    if of_pods { "v1/pods" } else { "v1/events" }
}

const fn named(subject: Subject) -> (&'static str, &'static str, &'static str) {
    match subject {
        Subject::Web => ("Pod", "shop", "web-1"),
        Subject::Api => ("Pod", "shop", "api-1"),
        Subject::Namesake => ("Pod", "pay", "web-1"),
        Subject::Node => ("Node", "", "n1"),
    }
}

/// The DaemonSet that owns a pod.
const fn owner(subject: Subject) -> Option<&'static str> {
    match subject {
        Subject::Web | Subject::Api | Subject::Namesake => Some("agent"),
        Subject::Node => None,
    }
}

/// Reason, type and message of an Event.
fn text(what: What, twin: bool) -> (&'static str, &'static str, String) {
    let which = if twin { "b" } else { "a" };
    let (reason, type_, message) = match what {
        What::Sandbox => ("FailedCreatePodSandBox", "Warning", "Failed to create pod sandbox: rpc error"),
        What::CrashLoop => ("BackOff", "Warning", "Back-off restarting failed container"),
        What::ImagePull => ("BackOff", "Warning", "Back-off pulling image"),
        What::Readiness => ("Unhealthy", "Warning", "Readiness probe failed:"),
        What::Liveness => ("Unhealthy", "Warning", "Liveness probe failed:"),
        What::Rebooted => ("Rebooted", "Warning", "The node has been rebooted, boot id:"),
        What::Pulled => ("Pulled", "Normal", "Container image is already present:"),
        What::Unknown => ("Rumbling", "Warning", "Something rumbles:"),
    };
    (reason, type_, format!("{message} {which}"))
}

/// Writes a moment as the API does, with as many digits as it needs.
#[must_use]
pub fn rfc3339(nanos: i64) -> String {
    DateTime::from_timestamp_nanos(nanos).to_rfc3339_opts(SecondsFormat::AutoSi, true)
}
