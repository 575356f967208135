//! One object's story: both streams in the order of time, its incidents, and why each record is or is not shown.
//!
//! The engine makes every record; the story takes those about one object and about what belongs to it (of a workload, its pods), and
//! applies the filter itself, so that it can tell what hides what.
//!
//! # Memory
//!
//! The entries of the story, at most [`ENTRIES`]; where groups lie; the last version of each incident.

mod entry;

pub use entry::{Entry, Head, Line, Part, Related, Role, Stream};

use crate::config::Emit;
use crate::duration::Span;
use crate::engine::{Engine, KnownObject, ObjectState};
use crate::filter::{Filter, KindName, Setting};
use crate::membership::{Membership, Ticket};
use crate::record::{EventRecord, EventType, GroupRecord, IncidentRecord, IncidentState, ObjectRecord, Record, Workload};
use crate::severity::Severity;
use crate::time::Nanos;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// So many entries are kept, the latest.
pub const ENTRIES: usize = 100_000;

/// So many dependents are named.
const NAMED: usize = 20;

/// Why a story cannot be told.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum StoryError {
    /// Nothing speaks of the object.
    #[error("nothing is known of {kind}/{name}")]
    Unknown {
        /// The kind as it was asked for.
        kind: String,
        /// The name.
        name: String,
    },
    /// Several objects are called so.
    #[error("{kind}/{name} is there more than once, choose a namespace: {}", .places.join(", "))]
    Ambiguous {
        /// The kind as it was asked for.
        kind: String,
        /// The name.
        name: String,
        /// Where they are.
        places: Vec<String>,
    },
}

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Question {
    /// Kind, resource or short name: `Pod`, `pods`, `po`.
    pub kind: String,
    /// The name.
    pub name: String,
    /// Only in these namespaces; none means all.
    pub namespaces: Vec<String>,
    /// What would be printed.
    pub emit: Emit,
    /// What would hide records.
    pub filter: Filter,
    /// The longest silence within a group.
    pub window: Nanos,
}

/// Collects one object's story.
///
/// # Example
///
/// ```
/// use faro_core::filter::Filter;
/// use faro_core::story::{Line, Question, Story};
/// use faro_core::{Emit, EngineConfig, Nanos, Record, Replay, input};
///
/// let (kind, name) = ("pod".to_owned(), "web-1".to_owned());
/// let window = Nanos(300_000_000_000);
/// let question = Question { kind, name, namespaces: Vec::new(), emit: Emit::default(), filter: Filter::default(), window };
/// let mut story = Story::new(question);
/// let mut replay = Replay::new(EngineConfig::default().emit(Emit::ALL), None);
/// let event = r#"{"kind":"Event","metadata":{"name":"web-1.1","namespace":"shop"},"reason":"BackOff","type":"Warning","count":3,
///     "message":"Back-off restarting failed container","involvedObject":{"kind":"Pod","namespace":"shop","name":"web-1"},
///     "lastTimestamp":"2026-01-02T03:04:05Z"}"#;
/// replay.feed(input::read(event)?, &mut |record: &Record<'_>| story.record(record));
/// replay.finish(&mut |record: &Record<'_>| story.record(record));
/// let lines = story.tell(replay.engine())?;
/// let Line::Entry(entry) = &lines[1] else { unreachable!() };
/// assert!(entry.shown && entry.why.starts_with("opens group"), "{}", entry.why);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Story {
    question: Question,
    kind: KindName,
    // By cluster, namespace and kind of what was asked for.
    tellings: BTreeMap<Place, Telling>,
    membership: Membership,
    // Of each group whether some version of it is shown, else what hides it; and how many occurrences it has.
    groups: BTreeMap<u64, Seen>,
    incidents: BTreeMap<u64, IncidentRecord>,
}

type Place = (String, String, String);

#[derive(Clone, Copy, Debug)]
struct Seen {
    hidden_by: Option<Setting>,
    count: u64,
    first: Nanos,
}

#[derive(Debug, Default)]
struct Telling {
    entries: VecDeque<Waiting>,
    workload: Option<Workload<'static>>,
    uid: String,
    state: Option<ObjectState>,
    changes: u64,
    events: u64,
    occurrences: u64,
}

/// An entry whose group is known in the end.
#[derive(Debug)]
struct Waiting {
    entry: Entry,
    object: (String, String, String),
    ticket: Option<Ticket>,
    hidden_by: Option<Setting>,
}

impl Story {
    /// Begins a story.
    #[must_use]
    pub fn new(question: Question) -> Self {
        Self {
            kind: KindName::new(&question.kind),
            question,
            tellings: BTreeMap::new(),
            membership: Membership::default(),
            groups: BTreeMap::new(),
            incidents: BTreeMap::new(),
        }
    }

    /// Takes the next record of an engine without a filter that makes all of them ([`Emit::ALL`]).
    pub fn record(&mut self, record: &Record<'_>) {
        match record {
            Record::Object(object) => self.object(object, record),
            Record::Event(event) => self.event(event, record),
            Record::Group(group) => self.group(group, record),
            Record::Incident(incident) if incident.absorbed => drop(self.incidents.remove(&incident.id)),
            Record::Incident(incident) => drop(self.incidents.insert(incident.id, (**incident).clone())),
            Record::Gap(_) | Record::Sync(_) | Record::Summary(_) => {}
        }
    }

    /// Tells it: what the object is, then what happened, in the order of time.
    ///
    /// # Errors
    ///
    /// Nothing is known of it, or more than one object is called so.
    pub fn tell(mut self, engine: &Engine) -> Result<Vec<Line>, StoryError> {
        let mut known: BTreeMap<Place, KnownObject<'_>> = BTreeMap::new();
        for object in
            engine.objects().filter(|object| self.is_asked(object.kind, object.link.gvr.resource, object.link.namespace, object.link.name))
        {
            known.insert(place(object.cluster, object.link.namespace, object.kind), object);
        }
        let places: BTreeSet<Place> = known.keys().chain(self.tellings.keys()).cloned().collect();
        let (kind, name) = (self.question.kind.clone(), self.question.name.clone());
        if places.len() > 1 {
            let places = places.into_iter().map(|(cluster, namespace, _)| match (&*cluster, &*namespace) {
                ("", namespace) => namespace.to_owned(),
                (cluster, namespace) => format!("{namespace} of {cluster}"),
            });
            return Err(StoryError::Ambiguous { kind, name, places: places.collect() });
        }
        let Some(place) = places.into_iter().next() else { return Err(StoryError::Unknown { kind, name }) };
        let telling = self.tellings.remove(&place).unwrap_or_default();
        let mut head = Head {
            cluster: place.0.clone(),
            kind: place.2.clone(),
            namespace: place.1.clone(),
            name,
            uid: telling.uid.clone(),
            state: telling.state.unwrap_or(ObjectState::Named).name(),
            workload: telling.workload.clone(),
            changes: telling.changes,
            events: telling.events,
            occurrences: telling.occurrences,
            ..Head::default()
        };
        if let Some(object) = known.get(&place) {
            head.link = object.link.to_string();
            object.uid.clone_into(&mut head.uid);
            head.state = object.state.name();
            self.relate(&mut head, object, engine);
        }
        if head.link.is_empty() {
            let gvr = crate::gvr::Gvr::of_reference("", &head.kind);
            head.link = crate::gvr::Link { gvr, namespace: &head.namespace, name: &head.name }.to_string();
        }
        head.incidents = self.parts(&head);
        let mut entries: Vec<Entry> = telling.entries.into_iter().map(|waiting| self.settle(waiting, &head.cluster)).collect();
        entries.sort_by_key(|entry| (entry.timestamp, entry.stream));
        let lines = entries.into_iter().map(|entry| Line::Entry(Box::new(entry)));
        Ok(std::iter::once(Line::Story(Box::new(head))).chain(lines).collect())
    }

    fn is_asked(&self, kind: &str, resource: &str, namespace: &str, name: &str) -> bool {
        name == self.question.name
            && self.kind.is(kind, resource)
            && (self.question.namespaces.is_empty() || namespace.is_empty() || self.question.namespaces.iter().any(|one| one == namespace))
    }

    /// The story that a record about this object belongs to, when it is the one asked for or belongs to it.
    fn telling(&mut self, cluster: &str, about: (&str, &str, &str, &str), workload: Option<(&str, &str, &str)>) -> Option<&mut Telling> {
        let (kind, resource, namespace, name) = about;
        if self.is_asked(kind, resource, namespace, name) {
            return Some(self.tellings.entry(place(cluster, namespace, kind)).or_default());
        }
        let (kind, namespace, name) = workload?;
        self.is_asked(kind, "", namespace, name).then(|| self.tellings.entry(place(cluster, namespace, kind)).or_default())
    }

    fn object(&mut self, object: &ObjectRecord<'_>, record: &Record<'_>) {
        let hidden_by = self.question.filter.hidden_by(record);
        let own = self.is_asked(object.kind, object.gvr.resource, object.namespace, object.name);
        let workload = object.owner.map(|owner| (owner.kind, object.namespace, owner.name));
        let about = (object.kind, object.gvr.resource, object.namespace, object.name);
        let Some(telling) = self.telling(object.cluster, about, workload) else { return };
        telling.changes += 1;
        if own {
            object.uid.clone_into(&mut telling.uid);
            telling.state = Some(if object.event_type == EventType::Deleted { ObjectState::Deleted } else { ObjectState::Present });
            telling.workload = workload.map(owned).or_else(|| telling.workload.take());
        }
        let changes = object.changes.iter().map(|change| {
            let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
            format!("{}: {} -> {}", change.path, value(&change.from), value(&change.to))
        });
        let text: Vec<String> = changes.collect();
        let entry = Entry {
            timestamp: object.changed_at.unwrap_or(object.timestamp).min(object.timestamp),
            stream: Stream::Lifecycle,
            link: object.link.to_string(),
            event_type: object.event_type,
            reason: String::new(),
            text: if object.initial { "existed".to_owned() } else { text.join(", ") },
            severity: None,
            occurrences: None,
            group: String::new(),
            incident: String::new(),
            shown: false,
            why: String::new(),
        };
        let object = (object.kind.to_owned(), object.namespace.to_owned(), object.name.to_owned());
        telling.push(Waiting { entry, object, ticket: None, hidden_by });
    }

    fn event(&mut self, event: &EventRecord<'_>, record: &Record<'_>) {
        let hidden_by = self.question.filter.hidden_by(record);
        let involved = event.involved_object;
        let own = self.is_asked(involved.kind(), event.link.map_or("", |link| link.gvr.resource), involved.namespace(), involved.name());
        let ticket = self.membership.event(event).filter(|_| event.occurrences > 0);
        let workload = event.workload.as_ref().map(|workload| (&*workload.kind, &*workload.namespace, &*workload.name));
        let about = (involved.kind(), event.link.map_or("", |link| link.gvr.resource), involved.namespace(), involved.name());
        let Some(telling) = self.telling(event.cluster, about, workload) else { return };
        telling.events += 1;
        telling.occurrences += u64::from(event.occurrences);
        if own {
            telling.workload = workload.map(owned).or_else(|| telling.workload.take());
        }
        let entry = Entry {
            timestamp: match event.event_type {
                EventType::Deleted => event.timestamp,
                EventType::Added | EventType::Updated => event.last_seen.unwrap_or(event.timestamp),
            },
            stream: Stream::Operational,
            link: event.link.map_or_else(String::new, |link| link.to_string()),
            event_type: event.event_type,
            reason: event.reason.to_owned(),
            text: event.message.to_owned(),
            severity: event.severity,
            occurrences: Some(event.occurrences),
            group: String::new(),
            incident: String::new(),
            shown: false,
            why: String::new(),
        };
        let object = (involved.kind().to_owned(), involved.namespace().to_owned(), involved.name().to_owned());
        telling.push(Waiting { entry, object, ticket, hidden_by });
    }

    fn group(&mut self, group: &GroupRecord<'_>, record: &Record<'_>) {
        self.membership.group(group);
        if group.merged_into.is_some() {
            self.groups.remove(&group.id);
            return;
        }
        let hidden_by = self.question.filter.hidden_by(record);
        let seen = Seen { hidden_by, count: group.count, first: group.first_seen };
        // Once a version was shown, the group is.
        let shown_before = self.groups.get(&group.id).is_some_and(|before| before.hidden_by.is_none());
        self.groups.insert(group.id, if shown_before { Seen { hidden_by: None, ..seen } } else { seen });
    }

    /// How an object hangs together with others.
    fn relate(&self, head: &mut Head, object: &KnownObject<'_>, engine: &Engine) {
        let is_it = |one: &KnownObject<'_>| one.cluster == object.cluster && one.kind == object.kind && one.link == object.link;
        for dependency in engine.dependencies() {
            if is_it(&dependency.from) {
                head.depends_on.push(Related { relation: dependency.relation, link: dependency.to.link.to_string() });
            } else if is_it(&dependency.to) {
                head.dependents += 1;
                if head.needed_by.len() < NAMED {
                    head.needed_by.push(Related { relation: dependency.relation, link: dependency.from.link.to_string() });
                }
            }
        }
    }

    /// The incidents that an object, or what belongs to it, is part of.
    fn parts(&self, head: &Head) -> Vec<Part> {
        let mut found: Vec<(bool, &IncidentRecord, Role)> = Vec::new();
        for incident in self.incidents.values().filter(|incident| incident.cluster == head.cluster) {
            let resolved = incident.state == IncidentState::Resolved;
            if let Some(role) = role(incident, &head.kind, &head.namespace, &head.name) {
                found.push((resolved, incident, role));
            }
        }
        found.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.score.total_cmp(&a.1.score)).then(a.1.id.cmp(&b.1.id)));
        let part = |(resolved, incident, role): (bool, &IncidentRecord, Role)| Part {
            id: hex(incident.id),
            role,
            state: if resolved { "resolved" } else { "open" },
            title: incident.title.clone(),
            cause: incident.cause.clone(),
            root_cause: incident.root_cause.clone(),
            path: incident.path.clone(),
        };
        found.into_iter().map(part).collect()
    }

    /// Tells of an entry why it is shown or not, when all is known.
    fn settle(&self, waiting: Waiting, cluster: &str) -> Entry {
        let Waiting { mut entry, object: (kind, namespace, name), ticket, hidden_by } = waiting;
        // The incident that was there at that time.
        let part = |incident: &&IncidentRecord| incident.cluster == cluster && role(incident, &kind, &namespace, &name).is_some();
        let goes_on = |incident: &IncidentRecord| incident.state != IncidentState::Resolved;
        let explains = |incident: &&IncidentRecord| {
            incident.first_seen <= entry.timestamp && (goes_on(incident) || entry.timestamp <= incident.last_seen)
        };
        // What is no trouble is nobody's symptom.
        let trouble = entry.severity.is_none_or(|severity| severity > Severity::Info);
        let incident = self.incidents.values().filter(|_| trouble).filter(part).find(explains);
        let role = incident.and_then(|incident| role(incident, &kind, &namespace, &name));
        entry.incident = incident.map_or_else(String::new, |incident| hex(incident.id));
        let group = ticket.and_then(|ticket| self.membership.find(ticket));
        entry.group = group.map_or_else(String::new, hex);
        (entry.shown, entry.why) = match entry.stream {
            Stream::Lifecycle => self.why_of_change(hidden_by),
            Stream::Operational => self.why_of_event(&entry, group, hidden_by),
        };
        if let (Some(incident), Some(Role::Symptom), Some(_)) = (incident, role, group) {
            let root = incident.root_cause.as_ref().map_or_else(String::new, |root| format!(", root {} {}", root.kind, root.name));
            entry.why.push_str(&format!(
                "; a symptom of incident {} ({}{root}), so none of its own",
                hex(incident.id),
                incident.cause.code
            ));
        }
        entry
    }

    fn why_of_change(&self, hidden_by: Option<Setting>) -> (bool, String) {
        match (self.question.emit.object, hidden_by) {
            (false, _) => (false, "lifecycle records are printed with --emit object".to_owned()),
            (true, Some(setting)) => (false, format!("hidden by {setting}")),
            (true, None) => (true, "printed as it came".to_owned()),
        }
    }

    fn why_of_event(&self, entry: &Entry, group: Option<u64>, hidden_by: Option<Setting>) -> (bool, String) {
        let alone = self.question.emit.event && hidden_by.is_none();
        let Some((id, seen)) = group.and_then(|id| Some((id, self.groups.get(&id)?))) else {
            let why = match entry.event_type {
                EventType::Deleted => "the Event object expired or was deleted: nothing happened",
                EventType::Added | EventType::Updated if entry.occurrences == Some(0) => "it repeats what was counted before",
                EventType::Added | EventType::Updated => "what it counts cannot be told from what was counted before: it is in no group",
            };
            return (alone, why.to_owned());
        };
        if let Some(setting) = seen.hidden_by {
            return (alone, format!("group {} is hidden by {setting}", hex(id)));
        }
        let place = if seen.count <= u64::from(entry.occurrences.unwrap_or(0)) || seen.first >= entry.timestamp {
            format!("opens group {}", hex(id))
        } else {
            let window = Span(self.question.window);
            format!("in group {} of {}: the same, no more than {window} after the one before", hex(id), seen.count)
        };
        (alone || self.question.emit.group, place)
    }
}

impl Telling {
    fn push(&mut self, waiting: Waiting) {
        if self.entries.len() == ENTRIES {
            self.entries.pop_front();
        }
        self.entries.push_back(waiting);
    }
}

/// What an object is to an incident.
fn role(incident: &IncidentRecord, kind: &str, namespace: &str, name: &str) -> Option<Role> {
    let root = incident.root_cause.as_ref();
    let is_root = root.is_some_and(|root| {
        let itself = root.kind == kind && root.namespace == namespace && root.name == name;
        let owner = root.workload.as_ref();
        itself || owner.is_some_and(|owner| owner.kind == kind && owner.namespace == namespace && owner.name == name)
    });
    if is_root {
        return Some(Role::Root);
    }
    incident.hits(kind, namespace, name).then_some(Role::Symptom)
}

fn place(cluster: &str, namespace: &str, kind: &str) -> Place {
    (cluster.to_owned(), namespace.to_owned(), kind.to_owned())
}

fn owned((kind, namespace, name): (&str, &str, &str)) -> Workload<'static> {
    Workload { kind: kind.to_owned().into(), namespace: namespace.to_owned().into(), name: name.to_owned().into() }
}

fn hex(id: u64) -> String {
    format!("{id:016x}")
}
