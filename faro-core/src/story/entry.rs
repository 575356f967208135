//! The lines of a story.

use crate::record::{Cause, EventType, PathStep, RootCause, Workload};
use crate::severity::Severity;
use crate::time::Nanos;
use serde::Serialize;

/// What an object is, and what became of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Head {
    /// The cluster's name, when known.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub cluster: String,
    /// The graph key.
    pub link: String,
    /// Its kind.
    pub kind: String,
    /// Its namespace; absent for cluster-scoped ones.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its uid, when it was seen.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub uid: String,
    /// `present`, `deleted`, or `named` when only others speak of it.
    pub state: &'static str,
    /// The workload it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workload: Option<Workload<'static>>,
    /// What it depends on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<Related>,
    /// What depends on it: the first twenty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub needed_by: Vec<Related>,
    /// How many depend on it.
    pub dependents: u64,
    /// Its changes, and those of what belongs to it.
    pub changes: u64,
    /// Reports about it, and about what belongs to it.
    pub events: u64,
    /// What they say happened.
    pub occurrences: u64,
    /// The incidents it is part of, open ones first, likeliest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub incidents: Vec<Part>,
}

/// Another object, and how the two hang together.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Related {
    /// `owned-by`, `runs-on`, ...
    pub relation: &'static str,
    /// The graph key of the other one.
    pub link: String,
}

/// The part that an object plays in an incident.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Part {
    /// The incident.
    pub id: String,
    /// What it plays.
    pub role: Role,
    /// `open` or `resolved`.
    pub state: &'static str,
    /// What the incident is, in a few words.
    pub title: String,
    /// What is behind it.
    pub cause: Cause,
    /// The object to look at first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root_cause: Option<RootCause>,
    /// From the root to the symptom.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<PathStep>,
}

/// What an object is to an incident.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// What to look at first.
    Root,
    /// What it hits: explained by the root, no incident of its own.
    Symptom,
}

/// Which of the two streams told.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stream {
    /// A change of an object.
    Lifecycle,
    /// An event about an object.
    Operational,
}

/// One line of the timeline.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// When it happened: of a change its own time where it is known, of an event its last time.
    pub timestamp: Nanos,
    /// Who told.
    pub stream: Stream,
    /// The graph key of the object: the one that was asked for, or one that belongs to it.
    pub link: String,
    /// What happened to the record.
    pub event_type: EventType,
    /// The event's reason.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// What it says.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// How bad.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// Occurrences that are new with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub occurrences: Option<u32>,
    /// The group it is in.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub group: String,
    /// The incident that explains it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub incident: String,
    /// Whether it is shown, alone or in its group.
    pub shown: bool,
    /// Why it is, or is not.
    pub why: String,
}

/// One line of a story.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "record", rename_all = "camelCase")]
pub enum Line {
    /// What the object is; the first line.
    Story(Box<Head>),
    /// What happened to it, in the order of time.
    Entry(Box<Entry>),
}
