//! What comes out: the records of the JSON Lines contract.
//!
//! One record a line, field names in camelCase as in the Kubernetes API, times in RFC 3339 UTC. Absent means absent: no nulls, no
//! empty strings. The enum is exhaustive on purpose: a program that prints records does not compile until it prints a new one.

mod incident;
mod uid;

pub use incident::{
    Action, Affected, AffectedObject, Category, Cause, Evidence, IncidentRecord, IncidentState, Members, PathStep, RootCause,
};
pub use uid::{CanonicalUid, Uid};

use crate::gvr::{Gvr, Link};
use crate::input::{Fields, Reference, Source};
use crate::severity::{Family, Severity};
use crate::time::Nanos;
use serde::{Deserialize, Serialize, Serializer};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The JSON Schema (draft 2020-12) of every record type.
pub const SCHEMA: &str = include_str!("record/schema.json");

/// One line of output.
#[derive(Debug, Serialize)]
#[serde(tag = "record", rename_all = "camelCase")]
pub enum Record<'a> {
    /// One lifecycle change of one object.
    Object(ObjectRecord<'a>),
    /// One operational event as it was reported.
    Event(EventRecord<'a>),
    /// Similar events merged over a window.
    Group(GroupRecord<'a>),
    /// One cause, with everything it explains.
    Incident(Box<IncidentRecord>),
    /// A span in which records may have been missed.
    Gap(GapRecord<'a>),
    /// A watch has delivered its initial state.
    Sync(SyncRecord<'a>),
    /// The books at the end of a replay or a clean shutdown.
    Summary(Summary),
}

/// What happened to an object in etcd.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum EventType {
    /// It was created, or seen for the first time.
    Added,
    /// It changed.
    Updated,
    /// It is gone.
    Deleted,
}

/// One lifecycle change of one watched object.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectRecord<'a> {
    /// The cluster's name, when known.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub cluster: &'a str,
    /// The object's collection.
    pub gvr: Gvr<'a>,
    /// The object's kind.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub kind: &'a str,
    /// Absent for cluster-scoped objects.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub namespace: &'a str,
    /// The object's name.
    pub name: &'a str,
    /// The object's uid.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub uid: &'a str,
    /// The object's resourceVersion.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub resource_version: &'a str,
    /// What happened.
    pub event_type: EventType,
    /// When it was observed.
    pub timestamp: Nanos,
    /// Whether the object was already there at first sight.
    #[serde(skip_serializing_if = "is_false")]
    pub initial: bool,
    /// Whether a relist showed the change and no watch event carried it.
    #[serde(skip_serializing_if = "is_false")]
    pub synthesized: bool,
    /// Whether a `DELETED` is known to mean "no longer selected".
    #[serde(skip_serializing_if = "is_false")]
    pub left_selector: bool,
    /// The change's own time: the newest `managedFields[].time`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<Nanos>,
    /// The graph key.
    pub link: Link<'a>,
    /// At most five open groups about this object, worst first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub operational: Vec<Operational>,
    /// As sent.
    #[serde(skip_serializing_if = "no_fields")]
    pub labels: &'a Fields<'a>,
    /// As sent, less `kubectl.kubernetes.io/last-applied-configuration`.
    #[serde(skip_serializing_if = "no_annotations", serialize_with = "annotations")]
    pub annotations: &'a Fields<'a>,
    /// The top-most known controller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<Owner<'a>>,
    /// What changed, on `UPDATED`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<FieldChange>,
}

/// An open group about an object, in short.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Operational {
    /// The group's reason.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The group's family.
    pub family: Family,
    /// The group's severity.
    pub severity: Severity,
    /// Occurrences in the group.
    pub count: u64,
    /// The group's latest occurrence.
    pub last_seen: Nanos,
}

/// A controller: what owns an object.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct Owner<'a> {
    /// Its kind.
    pub kind: &'a str,
    /// Its name, in the namespace of what it owns.
    pub name: &'a str,
}

/// One field that changed.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct FieldChange {
    /// Where: `spec.template.spec.containers[app].image`.
    pub path: String,
    /// The earlier value, cut at 256 bytes; absent when the field is new.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The later value, cut at 256 bytes; absent when the field is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// One operational event as it was reported.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EventRecord<'a> {
    /// The cluster's name, when known.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub cluster: &'a str,
    /// Always `v1/events`.
    pub gvr: Gvr<'a>,
    /// Always `Event`.
    pub kind: &'a str,
    /// The Event object's namespace.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub namespace: &'a str,
    /// The Event object's name.
    pub name: &'a str,
    /// The Event object's uid.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub uid: &'a str,
    /// The Event object's resourceVersion.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub resource_version: &'a str,
    /// What happened to the Event object.
    pub event_type: EventType,
    /// When it was observed.
    pub timestamp: Nanos,
    /// Whether the Event was already there at first sight.
    #[serde(skip_serializing_if = "is_false")]
    pub initial: bool,
    /// Whether a relist showed the change and no watch event carried it.
    #[serde(skip_serializing_if = "is_false")]
    pub synthesized: bool,
    /// Whether a `DELETED` is known to mean "no longer selected".
    #[serde(skip_serializing_if = "is_false")]
    pub left_selector: bool,
    /// When the Event object was last written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<Nanos>,
    /// The graph key of the involved object; absent when the server sent none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<Link<'a>>,
    /// The Event object's labels, as sent.
    #[serde(skip_serializing_if = "no_fields")]
    pub labels: &'a Fields<'a>,
    /// The Event object's annotations, as sent.
    #[serde(skip_serializing_if = "no_annotations", serialize_with = "annotations")]
    pub annotations: &'a Fields<'a>,
    /// Every field the API sent, as sent.
    #[serde(skip_serializing_if = "Reference::is_empty")]
    pub involved_object: &'a Reference<'a>,
    /// As sent.
    #[serde(skip_serializing_if = "Reference::is_empty")]
    pub related: &'a Reference<'a>,
    /// As sent.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub reason: &'a str,
    /// As sent.
    #[serde(skip_serializing_if = "str::is_empty", rename = "type")]
    pub type_: &'a str,
    /// As sent, less the recorder's prefix.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub message: &'a str,
    /// As sent.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub action: &'a str,
    /// As sent.
    #[serde(skip_serializing_if = "Source::is_empty")]
    pub source: &'a Source<'a>,
    /// As sent.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub reporting_component: &'a str,
    /// As sent.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub reporting_instance: &'a str,
    /// The reporter's cumulative count; absent on a `DELETED` that says no more than which Event is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// How many occurrences are new with this record.
    pub occurrences: u32,
    /// Whether the reporter had aggregated similar events.
    #[serde(skip_serializing_if = "is_false")]
    pub combined: bool,
    /// Whether a time in the future was cut to the observation.
    #[serde(skip_serializing_if = "is_false")]
    pub clamped: bool,
    /// The event's own first time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_seen: Option<Nanos>,
    /// The event's own last time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<Nanos>,
    /// How bad.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// What happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family: Option<Family>,
    /// The workload of the involved object, when known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workload: Option<Workload<'a>>,
}

/// The workload that an object belongs to.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct Workload<'a> {
    /// Its kind.
    pub kind: Cow<'a, str>,
    /// Its namespace; absent for cluster-scoped ones.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub namespace: Cow<'a, str>,
    /// Its name.
    pub name: Cow<'a, str>,
}

/// Where a group is in its life.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum GroupState {
    /// Printed for the first time, and goes on.
    Open,
    /// Goes on with new figures.
    Update,
    /// Ended; a late occurrence may still reopen it.
    Close,
}

/// How the occurrences of a group are spread over time and objects.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Pattern {
    /// Many within a short time.
    Burst,
    /// One after another at even distances.
    Periodic,
    /// On and on.
    Steady,
    /// Moving over objects.
    Spreading,
    /// In turn with its opposite.
    Flapping,
}

/// The object that a group is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Resource<'a> {
    /// Its kind.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub kind: &'a str,
    /// Its namespace; absent for cluster-scoped ones.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub namespace: &'a str,
    /// Its name.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub name: &'a str,
    /// Its uid, when usable.
    #[serde(skip_serializing_if = "Uid::is_empty")]
    pub uid: Uid<'a>,
    /// Its group and version.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub api_version: &'a str,
}

/// Similar events merged over a window.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupRecord<'a> {
    /// The cluster's name, when known.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub cluster: &'a str,
    /// Hash of the key and of the earliest occurrence: the same input gives the same id in every run.
    #[serde(serialize_with = "hex")]
    pub id: u64,
    /// Grows with each print of the group.
    pub version: u32,
    /// Whether a version of the group, or of one that is merged into it, was shown before; filters let such a group pass.
    #[serde(skip)]
    pub shown_before: bool,
    /// Where the group is in its life.
    pub state: GroupState,
    /// The group of an earlier object of the same name.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "hex_option")]
    pub previous: Option<u64>,
    /// On a close: the group that goes on with these occurrences.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "hex_option")]
    pub merged_into: Option<u64>,
    /// How the occurrences are spread.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pattern: Option<Pattern>,
    /// The distance of periodic occurrences in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<f64>,
    /// The object; absent where groups span objects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<Resource<'a>>,
    /// The object's workload, when known; absent where groups span workloads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workload: Option<Workload<'a>>,
    /// As sent.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub reason: &'a str,
    /// As sent.
    #[serde(skip_serializing_if = "str::is_empty", rename = "type")]
    pub type_: &'a str,
    /// What happened.
    pub family: Family,
    /// The highest of any member, and what the evidence adds; never falls.
    pub severity: Severity,
    /// Occurrences.
    pub count: u64,
    /// Distinct Event objects, exact up to 64, an estimate beyond.
    pub events: u64,
    /// Distinct involved objects, exact up to 64; only where groups span objects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub objects: Option<u64>,
    /// The earliest occurrence.
    pub first_seen: Nanos,
    /// The latest occurrence.
    pub last_seen: Nanos,
    /// The latest message.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub message: &'a str,
    /// Distinct messages, exact up to 64, an estimate beyond.
    pub messages: u64,
    /// For people: `566 similar events grouped`.
    pub summary: GroupSummary,
    /// Whether a memory limit forced the close.
    #[serde(skip_serializing_if = "is_false")]
    pub evicted: bool,
}

/// A group in a few words.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct GroupSummary(pub u64);

impl std::fmt::Display for GroupSummary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            1 => f.write_str("1 event"),
            count => write!(f, "{count} similar events grouped"),
        }
    }
}

impl Serialize for GroupSummary {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What can be missing where a watch was interrupted.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lost {
    /// Versions between the last one known and the one that the relist showed.
    IntermediateVersions,
    /// Those, and objects that were made and deleted meanwhile.
    ShortLivedObjects,
}

/// A place in a stream.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Position<'a> {
    /// The resourceVersion, when known.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub resource_version: &'a str,
    /// The time, when known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<Nanos>,
}

/// A span in which records may have been missed: continuity could not be proven. No such record means no gap.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GapRecord<'a> {
    /// The cluster's name, when known.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub cluster: &'a str,
    /// The collection.
    pub gvr: Gvr<'a>,
    /// The namespace that is watched; absent for all.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub namespace: &'a str,
    /// Where the stream was last known to be whole.
    pub from: Position<'a>,
    /// Where it is whole again.
    pub to: Position<'a>,
    /// Why continuity could not be proven: `expired` when the server answered 410 Gone.
    pub cause: &'a str,
    /// How many changes the relist brought back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recovered: Option<u64>,
    /// What can be missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lost: Option<Lost>,
}

/// A watch has delivered its initial state.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SyncRecord<'a> {
    /// The cluster's name, when known.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub cluster: &'a str,
    /// The collection.
    pub gvr: Gvr<'a>,
    /// The namespace that is watched; absent for all.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub namespace: &'a str,
    /// Objects in the initial state.
    pub objects: u64,
    /// The resourceVersion of the initial state.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub resource_version: &'a str,
}

/// The books: everything that went in is accounted for.
///
/// `occurrences.total = occurrences.closed + occurrences.open + occurrences.evicted + occurrences.unproven`, at every moment, and
/// `groups.total = groups.printed + groups.hidden`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Records that went in.
    pub records: RecordCounts,
    /// Occurrences, and where they are.
    pub occurrences: OccurrenceCounts,
    /// Groups, and whether they were printed.
    pub groups: GroupCounts,
    /// Inputs that could not be understood, by cause.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub malformed: BTreeMap<&'static str, u64>,
    /// Reports that came later than the lateness allows, and were counted all the same.
    pub late: u64,
    /// Reports with a time in the future, cut to their observation.
    pub clamped: u64,
    /// Spans in which records may have been missed.
    pub gaps: u64,
    /// What objects said of each other that cannot be so, by kind.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub oddities: BTreeMap<&'static str, u64>,
}

/// Records that went in, by type.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordCounts {
    /// All that were understood.
    pub total: u64,
    /// Lifecycle records.
    pub object: u64,
    /// Operational events.
    pub event: u64,
    /// Bookmarks, statuses, control lines and records that Faro derived.
    pub ignored: u64,
    /// Of the objects, and of the events where they are printed, those that repeated a known identity.
    pub repeated: u64,
}

/// Occurrences that went in, and where they are now.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OccurrenceCounts {
    /// All that happened, as far as it was reported.
    pub total: u64,
    /// In groups that have ended.
    pub closed: u64,
    /// In groups that go on.
    pub open: u64,
    /// In groups that a memory limit ended.
    pub evicted: u64,
    /// Not provably new, because the counter had been forgotten: in no group.
    pub unproven: u64,
    /// Of the grouped ones, those in groups that filters hide.
    pub filtered: u64,
}

/// Groups, and whether they were printed.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupCounts {
    /// All that were opened, less those merged into others.
    pub total: u64,
    /// Printed at least once.
    pub printed: u64,
    /// Never printed, because no version passed the filters.
    pub hidden: u64,
    /// Going on.
    pub open: u64,
    /// Ended early by a memory limit.
    pub evicted: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_false(flag: &bool) -> bool {
    !*flag
}

fn no_fields(fields: &&Fields<'_>) -> bool {
    fields.is_empty()
}

/// What `kubectl apply` keeps about an object: a second copy of it, Secrets included.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

fn no_annotations(fields: &&Fields<'_>) -> bool {
    fields.0.iter().all(|(key, _)| &**key == LAST_APPLIED)
}

fn annotations<S: Serializer>(fields: &&Fields<'_>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(fields.0.iter().filter(|(key, _)| &**key != LAST_APPLIED).map(|(key, value)| (key, value)))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn hex<S: Serializer>(id: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    let mut text = [b'0'; 16];
    for (place, digit) in text.iter_mut().rev().enumerate() {
        *digit = b"0123456789abcdef"[usize::try_from(id >> (4 * place) & 15).unwrap_or(0)];
    }
    serializer.serialize_str(std::str::from_utf8(&text).unwrap_or_default())
}

fn hex_option<S: Serializer>(id: &Option<u64>, serializer: S) -> Result<S::Ok, S::Error> {
    match id {
        Some(id) => hex(id, serializer),
        None => serializer.serialize_none(),
    }
}
