//! One object of the graph.

use super::{Relation, Slot};
use crate::time::Nanos;
use serde::{Deserialize, Serialize};

/// What is said about a fact is cut at this length.
const TEXT: usize = 1_024;

/// What is known of an object's being.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) enum Presence {
    /// Others name it.
    #[default]
    Named,
    /// It was seen.
    Present,
    /// It was seen, and deleted.
    Gone,
}

/// An object and what it says.
#[derive(Debug, Default)]
pub(crate) struct Entity {
    pub(crate) hash: u64,
    pub(crate) place: u32,
    pub(crate) kind: u32,
    pub(crate) name: u32,
    pub(crate) api_version: u32,
    pub(crate) has_api_version: bool,
    /// The fingerprint of what the edges were read from, where that is remembered.
    pub(crate) written: u64,
    pub(crate) presence: Presence,
    /// Whether the stage above keeps something about it.
    pub(crate) watched: bool,
    /// How many judgements name it as their root.
    pub(crate) pins: u32,
    pub(crate) created: Nanos,
    pub(crate) gone_at: Nanos,
    pub(crate) uid: Box<str>,
    /// What is wrong with it; empty for nearly all.
    pub(crate) facts: Box<[Fact]>,
    pub(crate) refs: Box<[(Relation, Slot)]>,
    pub(crate) labels: Box<[u32]>,
    pub(crate) detail: Detail,
    /// What its specification says, where changes of it matter.
    pub(crate) leaves: Box<[(u32, u32)]>,
    pub(crate) changes: Vec<Change>,
}

/// Something that an object's state says is wrong.
#[derive(Clone, Debug, Default, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub(crate) struct Fact {
    /// `waiting/ImagePullBackOff`, `unscheduled`, `node-not-ready`.
    pub(crate) name: Box<str>,
    /// What is said about it.
    pub(crate) text: Box<str>,
    /// Since when.
    pub(crate) since: i64,
}

impl Fact {
    pub(crate) fn new(name: impl Into<Box<str>>, text: impl AsRef<str>, since: Nanos) -> Self {
        let text = text.as_ref();
        Self { name: name.into(), text: text[..text.floor_char_boundary(TEXT)].into(), since: since.0 }
    }
}

/// A field of a specification that changed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Change {
    pub(crate) path: Box<str>,
    pub(crate) from: Box<str>,
    pub(crate) to: Box<str>,
    pub(crate) at: Nanos,
}

/// What a pod is meant to do.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Plan {
    /// It has a node.
    pub(crate) placed: bool,
    /// Its containers are not started again.
    pub(crate) once: bool,
}

/// What only some kinds have. Texts are numbers of the topology's own.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) enum Detail {
    /// Nothing that matters.
    #[default]
    None,
    /// A pod.
    Pod {
        /// Whether it takes traffic.
        ready: bool,
        /// Whether every container tells its ports: then one that no container tells is not served.
        ports_told: bool,
        /// `http=8080`, `=9090/UDP`.
        ports: Box<[Box<str>]>,
        /// How often its containers were restarted.
        restarts: u32,
        /// What it is meant to do.
        plan: Plan,
        /// The labels that its node has to have, while it has none and as far as they are all that it asks for: `pool=gpu`.
        #[serde(default)]
        asks: Box<[Box<str>]>,
    },
    /// A Service with a selector.
    Service {
        /// `app=web`.
        selector: Box<[Box<str>]>,
        /// Its ports and those of pods that they send to, by number or name: `80=http`, `53=53/UDP`;
        /// none for a headless one, which sends nothing anywhere.
        ports: Box<[Box<str>]>,
    },
    /// Something that runs pods.
    Workload {
        /// Replicas asked for.
        wanted: i64,
        /// Replicas that are ready.
        ready: i64,
        /// The labels of its pods.
        template: Box<[Box<str>]>,
        /// The addresses of Services in the same namespace that its environment names: `ledger:6379`.
        calls: Box<[Box<str>]>,
    },
    /// A node.
    Node {
        /// Whether the control plane runs there.
        control_plane: bool,
    },
    /// A quota.
    Quota,
}

impl Detail {
    /// What the Services of a pod look at: whether it takes traffic, and its ports.
    pub(crate) fn serves(&self) -> Option<(bool, bool, &[Box<str>])> {
        match self {
            Self::Pod { ready, ports_told, ports, .. } => Some((*ready, *ports_told, ports)),
            Self::None | Self::Service { .. } | Self::Workload { .. } | Self::Node { .. } | Self::Quota => None,
        }
    }
}
