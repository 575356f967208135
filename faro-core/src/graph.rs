//! Objects, records, groups and incidents as nodes and edges.
//!
//! | edge | from | to | meaning |
//! |---|---|---|---|
//! | `LIFECYCLE` | record | object | a change of the object |
//! | `OPERATIONAL` | record, group | object | an event about the object |
//! | `IN_GROUP` | record | group | the event is one of the group's occurrences |
//! | `ROOT_CAUSE` | incident | object | what to look at first |
//! | `AFFECTS` | incident | object | what it hits, the worst twenty |
//! | `CAUSES` | object | object | a step of an incident's path, with its relation |
//! | `OWNED_BY`, `RUNS_ON`, `USES_CLAIM`, `READS_CONFIG`, `READS_SECRET`, `PULLS_WITH`, `ACTS_AS`, `BOUND_TO`, `OF_CLASS`, `ROUTES_TO`, `CALLS`, `SCALES`, `SELECTS`, `REFERS_TO` | object | object | the one depends on the other, as things stand at the end |
//!
//! Objects are linked by their graph key (`gvr:namespace/name`): a recreated object is one node with its history.
//!
//! # Memory
//!
//! Records are handed on as they come. Objects, the last version of each group and incident, and some 60 bytes for each event are
//! kept to the end.

pub mod cypher;
pub mod dot;
mod element;
mod node;

pub use element::{Edge, Element, End, Label, Node, Value};

use crate::engine::{Engine, KnownObject, ObjectState};
use crate::gvr::{Gvr, Link};
use crate::hash::Fingerprint;
use crate::membership::{Membership, Ticket};
use crate::record::{EventRecord, EventType, GroupRecord, GroupState, IncidentRecord, IncidentState, ObjectRecord, Record};
use node::{Object, Report};
use std::collections::{BTreeMap, BTreeSet};

/// Which records become nodes; objects always do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Parts {
    /// Lifecycle changes.
    pub object: bool,
    /// Operational events.
    pub event: bool,
    /// Groups.
    pub group: bool,
    /// Incidents.
    pub incident: bool,
}

/// Makes a graph of what an engine makes.
///
/// The engine has to make incidents ([`Emit::incident`](crate::Emit)): how objects depend on each other is known where they are asked for.
///
/// # Example
///
/// ```
/// use faro_core::graph::{Element, Graph, Parts};
/// use faro_core::{Emit, EngineConfig, Record, Replay, input};
///
/// let mut replay = Replay::new(EngineConfig::default().emit(Emit::ALL), None);
/// let mut graph = Graph::new(Parts { object: true, event: true, group: true, incident: true });
/// let mut lines = Vec::new();
/// let pod = r#"{"kind":"Pod","apiVersion":"v1","metadata":{"namespace":"shop","name":"web-1"},"spec":{"nodeName":"n1"}}"#;
/// let mut give = |element: Element| lines.push(serde_json::to_string(&element).unwrap());
/// replay.feed(input::read(pod)?, &mut |record: &Record<'_>| graph.record(record, &mut give));
/// replay.finish(&mut |record: &Record<'_>| graph.record(record, &mut give));
/// graph.finish(replay.engine(), &mut give);
/// assert!(lines.contains(&r#"{"record":"edge","type":"RUNS_ON","from":"v1/pods:shop/web-1","to":"v1/nodes:n1"}"#.to_owned()));
/// # Ok::<(), input::Malformed>(())
/// ```
#[derive(Debug)]
pub struct Graph {
    parts: Parts,
    objects: BTreeMap<String, Object>,
    groups: BTreeMap<u64, (Node, Option<End>)>,
    incidents: BTreeMap<u64, Told>,
    membership: Membership,
    waiting: Vec<(u64, Ticket)>,
    // The resource of a kind, as discovery told it.
    resources: BTreeMap<(String, String), String>,
    scratch: Fingerprint,
}

/// An incident and what it points at.
#[derive(Debug)]
struct Told {
    node: Node,
    edges: Vec<Edge>,
}

impl Graph {
    /// Makes an empty graph.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self {
            parts,
            objects: BTreeMap::new(),
            groups: BTreeMap::new(),
            incidents: BTreeMap::new(),
            membership: Membership::default(),
            waiting: Vec::new(),
            resources: BTreeMap::new(),
            scratch: Fingerprint::default(),
        }
    }

    /// Takes the next record, and hands on what is settled with it.
    pub fn record(&mut self, record: &Record<'_>, give: &mut dyn FnMut(Element)) {
        match record {
            Record::Object(object) => self.object(object, give),
            Record::Event(event) => self.event(event, give),
            Record::Group(group) => self.group(group),
            Record::Incident(incident) => self.incident(incident),
            Record::Gap(_) | Record::Sync(_) | Record::Summary(_) => {}
        }
    }

    /// Hands on what was not settled before the end: objects, groups, incidents, and how they hang together.
    pub fn finish(mut self, engine: &Engine, give: &mut dyn FnMut(Element)) {
        for dependency in engine.dependencies() {
            let (from, to) = (self.known(&dependency.from), self.known(&dependency.to));
            let type_ = dependency.relation.to_ascii_uppercase().replace('-', "_");
            give(Element::Edge(Edge { type_, from, to, relation: String::new() }));
        }
        for object in engine.objects() {
            self.known(&object);
        }
        let Self { groups, incidents, membership, waiting, objects, .. } = self;
        for (record, ticket) in waiting {
            if let Some(group) = membership.find(ticket).filter(|group| groups.contains_key(group)) {
                give(edge("IN_GROUP", end(Label::Record, hex(record)), end(Label::Group, hex(group))));
            }
        }
        for (node, about) in groups.into_values() {
            if let Some(about) = about {
                give(edge("OPERATIONAL", end(Label::Group, node.id.clone()), about));
            }
            give(Element::Node(node));
        }
        // Several incidents may take one path.
        let mut edges: BTreeSet<Edge> = BTreeSet::new();
        for told in incidents.into_values() {
            give(Element::Node(told.node));
            edges.extend(told.edges);
        }
        edges.into_iter().map(Element::Edge).for_each(&mut *give);
        for (id, object) in objects {
            give(Element::Node(object.node(id)));
        }
    }

    fn object(&mut self, object: &ObjectRecord<'_>, give: &mut dyn FnMut(Element)) {
        let about = self.object_of(object.cluster, object.kind, object.link, object.uid);
        if Gvr::of(object.gvr.api_version, object.kind) != object.gvr {
            self.resources.insert((object.gvr.api_version.to_owned(), object.kind.to_owned()), object.gvr.resource.to_owned());
        }
        if let Some(known) = self.objects.get_mut(&about.id) {
            known.state = if object.event_type == EventType::Deleted { ObjectState::Deleted } else { ObjectState::Present };
        }
        if !self.parts.object {
            return;
        }
        let version = self.scratch.start().text(&about.id).text(object.uid).text(object.resource_version);
        let id = version.number(object.event_type as u64).number(object.timestamp.0.cast_unsigned()).finish();
        let changes: Vec<&str> = object.changes.iter().map(|change| change.path.as_str()).collect();
        let told = Report {
            cluster: object.cluster,
            stream: "lifecycle",
            event_type: object.event_type,
            timestamp: object.timestamp,
            message: changes.join(", "),
            ..Report::default()
        };
        give(Element::Node(told.node(hex(id))));
        give(edge("LIFECYCLE", end(Label::Record, hex(id)), about));
    }

    fn event(&mut self, event: &EventRecord<'_>, give: &mut dyn FnMut(Element)) {
        let Some(link) = event.link else { return };
        let involved = event.involved_object;
        let about = self.object_of(event.cluster, involved.kind(), link, involved.uid());
        if !self.parts.event {
            return;
        }
        let name = self.scratch.start().text(event.cluster).text(event.namespace).text(event.name).text(event.uid);
        let version = name.text(event.resource_version).number(event.event_type as u64);
        let id = version.number(event.timestamp.0.cast_unsigned()).number(event.count.unwrap_or(0).into()).finish();
        let told = Report {
            cluster: event.cluster,
            stream: "operational",
            event_type: event.event_type,
            timestamp: event.last_seen.unwrap_or(event.timestamp),
            reason: event.reason,
            severity: event.severity.map_or("", |severity| severity.name()),
            message: event.message.to_owned(),
            occurrences: event.occurrences,
        };
        give(Element::Node(told.node(hex(id))));
        give(edge("OPERATIONAL", end(Label::Record, hex(id)), about));
        if let Some(ticket) = self.membership.event(event).filter(|_| event.occurrences > 0) {
            self.waiting.push((id, ticket));
        }
    }

    fn group(&mut self, group: &GroupRecord<'_>) {
        if !self.parts.group {
            return;
        }
        self.membership.group(group);
        if group.merged_into.is_some() {
            self.groups.remove(&group.id);
            return;
        }
        let about = match (&group.resource, &group.workload) {
            (Some(resource), _) => {
                let gvr = Gvr::of_reference(resource.api_version, resource.kind);
                let uid = resource.uid.to_string();
                let link = Link { gvr, namespace: resource.namespace, name: resource.name };
                (!resource.name.is_empty()).then(|| self.object_of(group.cluster, resource.kind, link, &uid))
            }
            (None, Some(workload)) => {
                let gvr = Gvr::of_reference("", &workload.kind);
                let link = Link { gvr, namespace: &workload.namespace, name: &workload.name };
                Some(self.object_of(group.cluster, &workload.kind, link, ""))
            }
            (None, None) => None,
        };
        let text = |text: &str| Value::Text(text.to_owned());
        let properties = vec![
            ("cluster", text(group.cluster)),
            ("state", text(if group.state == GroupState::Close { "close" } else { "open" })),
            ("severity", text(group.severity.name())),
            ("family", text(group.family.name())),
            ("reason", text(group.reason)),
            ("eventType", text(group.type_)),
            ("count", Value::Integer(group.count.cast_signed())),
            ("firstSeen", Value::Text(group.first_seen.to_string())),
            ("lastSeen", Value::Text(group.last_seen.to_string())),
            ("message", text(group.message)),
        ];
        self.groups.insert(group.id, (Node { id: hex(group.id), label: Label::Group, properties }, about));
    }

    fn incident(&mut self, incident: &IncidentRecord) {
        if !self.parts.incident {
            return;
        }
        if incident.absorbed {
            self.incidents.remove(&incident.id);
            return;
        }
        let here = || end(Label::Incident, hex(incident.id));
        let mut edges = Vec::new();
        if let Some(root) = &incident.root_cause {
            let link = Link { gvr: Gvr::of_reference("", &root.kind), namespace: &root.namespace, name: &root.name };
            let to = self.object_of(&incident.cluster, &root.kind, link, &root.uid);
            edges.push(Edge { type_: "ROOT_CAUSE".to_owned(), from: here(), to, relation: String::new() });
        }
        for hit in &incident.affected.objects {
            let link = Link { gvr: Gvr::of_reference(&hit.api_version, &hit.kind), namespace: &hit.namespace, name: &hit.name };
            let to = self.object_of(&incident.cluster, &hit.kind, link, &hit.uid);
            edges.push(Edge { type_: "AFFECTS".to_owned(), from: here(), to, relation: String::new() });
        }
        for step in &incident.path {
            let (from, to) = (of_cluster(&incident.cluster, &step.from), of_cluster(&incident.cluster, &step.to));
            let relation = step.relation.clone();
            edges.push(Edge { type_: "CAUSES".to_owned(), from: end(Label::Object, from), to: end(Label::Object, to), relation });
        }
        let text = |text: &str| Value::Text(text.to_owned());
        let properties = vec![
            ("cluster", text(&incident.cluster)),
            ("state", text(if incident.state == IncidentState::Resolved { "resolved" } else { "open" })),
            ("severity", text(incident.severity.name())),
            ("code", text(&incident.cause.code)),
            ("confidence", Value::Real(incident.cause.confidence)),
            ("title", text(&incident.title)),
            ("impact", text(&incident.impact)),
            ("firstSeen", Value::Text(incident.first_seen.to_string())),
            ("lastSeen", Value::Text(incident.last_seen.to_string())),
            ("score", Value::Real(incident.score)),
        ];
        let node = Node { id: hex(incident.id), label: Label::Incident, properties };
        self.incidents.insert(incident.id, Told { node, edges });
    }

    /// The node of an object that the topology knows.
    fn known(&mut self, known: &KnownObject<'_>) -> End {
        let gvr = known.link.gvr;
        let found = self.resources.get(&(gvr.api_version.to_owned(), known.kind.to_owned())).cloned();
        let gvr = found.as_deref().map_or(gvr, |resource| Gvr { resource, ..gvr });
        let end = self.object_of(known.cluster, known.kind, Link { gvr, ..known.link }, known.uid);
        if let Some(object) = self.objects.get_mut(&end.id) {
            object.state = object.state.max(known.state);
        }
        end
    }

    /// The node of an object, which is made at its first mention.
    fn object_of(&mut self, cluster: &str, kind: &str, link: Link<'_>, uid: &str) -> End {
        let id = of_cluster(cluster, &link.to_string());
        let object = self.objects.entry(id.clone()).or_insert_with(|| Object {
            cluster: cluster.to_owned(),
            kind: kind.to_owned(),
            namespace: link.namespace.to_owned(),
            name: link.name.to_owned(),
            uid: String::new(),
            state: ObjectState::Named,
        });
        if !uid.is_empty() && object.uid != uid {
            uid.clone_into(&mut object.uid);
        }
        end(Label::Object, id)
    }
}

fn edge(type_: &str, from: End, to: End) -> Element {
    Element::Edge(Edge { type_: type_.to_owned(), from, to, relation: String::new() })
}

const fn end(label: Label, id: String) -> End {
    End { label, id }
}

fn of_cluster(cluster: &str, link: &str) -> String {
    if cluster.is_empty() { link.to_owned() } else { format!("{cluster}|{link}") }
}

fn hex(id: u64) -> String {
    format!("{id:016x}")
}

/// The types of edges between objects that only a topology knows, for those who make tables for them.
#[must_use]
pub fn dependency_types() -> BTreeSet<String> {
    let names = crate::topology::Relation::ALL.iter().map(|relation| relation.name()).chain(["selects"]);
    names.map(|name| name.to_ascii_uppercase().replace('-', "_")).collect()
}
