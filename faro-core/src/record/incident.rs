//! One cause, with everything it explains.

use super::{Workload, hex, hex_option, is_false};
use crate::hash::Fingerprint;
use crate::severity::Severity;
use crate::time::Nanos;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Where an incident is in its life.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum IncidentState {
    /// Printed for the first time, and goes on.
    #[default]
    Open,
    /// Goes on with new figures or another cause.
    Update,
    /// What it explained is healthy again, or silent.
    Resolved,
}

/// The kind of a cause.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Category {
    /// A quota or limit of a namespace is used up.
    Quota,
    /// No node takes a pod.
    Unschedulable,
    /// An image cannot be pulled.
    Image,
    /// A setting, or something that is referred to, is missing or wrong.
    Config,
    /// A probe fails.
    Probe,
    /// A container keeps ending.
    Crash,
    /// Memory ran out.
    Oom,
    /// A node is lost or under pressure.
    Node,
    /// Traffic does not get through.
    Network,
    /// A volume cannot be had.
    Storage,
    /// Replicas were taken away, or cannot be added.
    Scaling,
    /// More work than there is room for.
    Load,
    /// Scheduler, controllers, API server.
    ControlPlane,
    /// A request is refused on admission.
    Admission,
    /// A new version does not come up.
    Rollout,
    /// Names do not resolve.
    Dns,
    /// Nothing in the data points at a cause.
    #[default]
    Unknown,
}

impl Category {
    /// Every category.
    pub const ALL: [Self; 17] = [
        Self::Quota,
        Self::Unschedulable,
        Self::Image,
        Self::Config,
        Self::Probe,
        Self::Crash,
        Self::Oom,
        Self::Node,
        Self::Network,
        Self::Storage,
        Self::Scaling,
        Self::Load,
        Self::ControlPlane,
        Self::Admission,
        Self::Rollout,
        Self::Dns,
        Self::Unknown,
    ];
}

/// What is behind an incident.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Cause {
    /// The name in the catalogue of causes.
    pub code: String,
    /// The kind of cause.
    pub category: Category,
    /// Why this explains what is seen.
    pub explanation: String,
    /// How sure it is, in 0..1.
    pub confidence: f64,
}

/// The object to look at first.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct RootCause {
    /// Its kind.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// Its namespace; absent for cluster-scoped ones.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// Its name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Its uid, when known.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub uid: String,
    /// The workload it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workload: Option<Workload<'static>>,
}

/// What an incident hits.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct Affected {
    /// How many objects.
    pub count: u64,
    /// At most 20 of them, worst first.
    pub objects: Vec<AffectedObject>,
}

/// An object that an incident hits.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AffectedObject {
    /// Its kind.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// Its namespace; absent for cluster-scoped ones.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// Its name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Its uid, when known.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub uid: String,
    /// Its group and version, when known.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub api_version: String,
}

/// One step of the path from the root to a symptom.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct PathStep {
    /// The graph key of the cause.
    pub from: String,
    /// The graph key of the effect.
    pub to: String,
    /// How the one leads to the other.
    pub relation: String,
}

/// One piece of evidence.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Evidence {
    /// `event` or `object`.
    pub record: String,
    /// The graph key of the object that it is about.
    pub link: String,
    /// When it was.
    pub timestamp: Nanos,
    /// What it says.
    pub text: String,
}

/// One thing to check or do.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Action {
    /// What it is.
    pub title: String,
    /// Ready to paste.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub command: String,
    /// What it shows or does.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// Whether it changes nothing.
    pub read_only: bool,
}

/// One cause, with everything it explains.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct IncidentRecord {
    /// The cluster's name, when known.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub cluster: String,
    /// The same for every revision.
    #[serde(serialize_with = "hex", deserialize_with = "from_hex")]
    pub id: u64,
    /// Grows with each revision.
    pub version: u32,
    /// Whether a version was shown before; filters let such an incident pass.
    #[serde(skip)]
    pub shown_before: bool,
    /// On a resolved one: another incident goes on with what it explained, so that it is no incident of its own.
    #[serde(skip)]
    pub absorbed: bool,
    /// Where the incident is in its life.
    pub state: IncidentState,
    /// The highest of what it explains.
    pub severity: Severity,
    /// What it is, in a few words.
    pub title: String,
    /// The earliest evidence.
    pub first_seen: Nanos,
    /// The latest evidence.
    pub last_seen: Nanos,
    /// What is behind it.
    pub cause: Cause,
    /// Whether it came back within the hold time.
    #[serde(skip_serializing_if = "is_false")]
    pub reopened: bool,
    /// The earlier incident, when it came back later.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "hex_option", deserialize_with = "from_hex_option")]
    pub follows: Option<u64>,
    /// The object to look at first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root_cause: Option<RootCause>,
    /// What it means, in a sentence.
    pub impact: String,
    /// What it hits.
    pub affected: Affected,
    /// The causal path from root to symptom.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<PathStep>,
    /// Most telling first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Evidence>,
    /// What to check and do, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<Action>,
    /// The ranking key.
    pub score: f64,
    /// Every namespace that it touches, for filters.
    #[serde(skip)]
    pub namespaces: BTreeSet<String>,
    /// Everything that it hits, also what is not named in `affected`.
    #[serde(skip)]
    pub members: Members,
}

impl IncidentRecord {
    /// Whether an object is among what it hits, also one that `affected` does not name. An empty namespace means a cluster-scoped object.
    #[must_use]
    pub fn hits(&self, kind: &str, namespace: &str, name: &str) -> bool {
        let named = |one: &AffectedObject| one.kind == kind && one.namespace == namespace && one.name == name;
        self.affected.objects.iter().any(named) || self.members.has(kind, Some(namespace), name)
    }
}

/// Objects, each as two fingerprints of 8 bytes.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Members {
    placed: Arc<[u64]>,
    anywhere: Arc<[u64]>,
}

impl Members {
    /// Collects objects by kind, namespace and name.
    pub(crate) fn new<'a>(objects: impl Iterator<Item = (&'a str, &'a str, &'a str)>) -> Self {
        let mut scratch = Fingerprint::default();
        let (mut placed, mut anywhere): (Vec<u64>, Vec<u64>) = objects
            .map(|(kind, namespace, name)| {
                (fingerprint(&mut scratch, kind, Some(namespace), name), fingerprint(&mut scratch, kind, None, name))
            })
            .unzip();
        placed.sort_unstable();
        anywhere.sort_unstable();
        anywhere.dedup();
        Self { placed: placed.into(), anywhere: anywhere.into() }
    }

    /// Whether an object is among them; without a namespace, one of any.
    pub(crate) fn has(&self, kind: &str, namespace: Option<&str>, name: &str) -> bool {
        let wanted = fingerprint(&mut Fingerprint::default(), kind, namespace, name);
        let among = if namespace.is_some() { &self.placed } else { &self.anywhere };
        among.binary_search(&wanted).is_ok()
    }
}

/// Kinds are told apart in any case, as people write them.
fn fingerprint(scratch: &mut Fingerprint, kind: &str, namespace: Option<&str>, name: &str) -> u64 {
    let fields = scratch.start().text(&kind.to_ascii_lowercase()).text(name);
    match namespace {
        Some(namespace) => fields.text(namespace).finish(),
        None => fields.finish(),
    }
}

fn from_hex<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let text = Cow::<str>::deserialize(deserializer)?;
    u64::from_str_radix(&text, 16).map_err(D::Error::custom)
}

fn from_hex_option<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    from_hex(deserializer).map(Some)
}
