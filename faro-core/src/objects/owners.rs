//! Who owns what, up to the workload.

use crate::hash::Fingerprint;
use crate::input::RawObject;
use crate::record::Workload;
use crate::report::Report;
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::VecDeque;
use std::num::NonZeroUsize;

/// How far ownership is followed; real chains have three steps (Pod, ReplicaSet, Deployment, a custom resource above).
const DEPTH: usize = 8;

/// Kinds that run pods: one of these without an owner is a workload itself.
const WORKLOADS: &[&str] = &["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job", "CronJob"];

/// Knows the controller of each object.
///
/// It learns from `metadata.ownerReferences` with `controller: true`, and where only Events are at hand, from what controllers say
/// when they create: `Created pod: web-1` about a ReplicaSet names its pod. Names that merely look alike prove nothing.
///
/// # Memory
///
/// At most `limit` objects, about 100 bytes each; beyond it the one learned first is forgotten.
#[derive(Debug)]
pub struct Owners {
    limit: NonZeroUsize,
    controllers: HashMap<u64, Controller>,
    order: VecDeque<u64>,
    scratch: Fingerprint,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
struct Controller {
    kind: Box<str>,
    name: Box<str>,
    #[serde(default)]
    source: Source,
}

/// Where an edge was learned.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
enum Source {
    /// From the object itself.
    #[default]
    Object,
    /// From what a controller said.
    Report,
}

/// An edge that was not known.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Adoption {
    /// The kind of what is owned.
    pub kind: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl Owners {
    /// Makes the stage with room for `limit` objects.
    #[must_use]
    pub fn new(limit: NonZeroUsize) -> Self {
        Self { limit, controllers: HashMap::new(), order: VecDeque::new(), scratch: Fingerprint::default() }
    }

    /// Learns from an object's `ownerReferences`.
    pub fn learn_from_object(&mut self, cluster: &str, object: &RawObject<'_>) -> Option<Adoption> {
        let (kind, name) = object.controller()?;
        let (kind, name) = (kind.to_owned(), name.to_owned());
        self.learn(cluster, (object.kind(), &object.metadata().namespace, &object.metadata().name), (&kind, &name), Source::Object)
    }

    /// Learns from what a controller says it created or deleted.
    pub fn learn_from_report(&mut self, cluster: &str, report: &Report<'_>) -> Option<Adoption> {
        let involved = report.involved();
        let (kind, name) = child(report)?;
        self.learn(cluster, (kind, involved.namespace(), name), (involved.kind(), involved.name()), Source::Report)
    }

    fn learn(
        &mut self,
        cluster: &str,
        (kind, namespace, name): (&str, &str, &str),
        owner: (&str, &str),
        source: Source,
    ) -> Option<Adoption> {
        if owner.0.is_empty() || owner.1.is_empty() || (kind, name) == owner {
            return None;
        }
        let key = self.key(cluster, kind, namespace, name);
        let owner = Controller { kind: owner.0.into(), name: owner.1.into(), source };
        match self.controllers.get_mut(&key) {
            Some(known) if known.kind == owner.kind && known.name == owner.name => {
                // What the object says of itself stays known as that.
                if source == Source::Object {
                    known.source = source;
                }
                return None;
            }
            Some(known) => *known = owner,
            None => {
                if self.controllers.len() >= self.limit.get()
                    && let Some(oldest) = self.order.pop_front()
                {
                    self.controllers.remove(&oldest);
                }
                self.controllers.insert(key, owner);
                self.order.push_back(key);
            }
        }
        Some(Adoption { kind: kind.to_owned(), namespace: namespace.to_owned(), name: name.to_owned() })
    }

    /// Returns the top-most known controller of an object; for a workload without an owner, itself.
    pub fn workload(&mut self, cluster: &str, kind: &str, namespace: &str, name: &str) -> Option<Workload<'static>> {
        let made = |kind: &str, name: &str| Workload {
            kind: Cow::Owned(kind.to_owned()),
            namespace: Cow::Owned(namespace.to_owned()),
            name: Cow::Owned(name.to_owned()),
        };
        match self.top(cluster, kind, namespace, name) {
            Some((kind, name)) => Some(made(&kind, &name)),
            None => WORKLOADS.contains(&kind).then(|| made(kind, name)),
        }
    }

    /// Returns the top-most known controller of an object, if any is known.
    pub fn top(&mut self, cluster: &str, kind: &str, namespace: &str, name: &str) -> Option<(String, String)> {
        self.follow(cluster, (kind, namespace, name), |_| true)
    }

    /// Returns the same as far as objects tell it: what is said of objects is not to depend on whether Events are at hand.
    pub fn top_by_objects(&mut self, cluster: &str, kind: &str, namespace: &str, name: &str) -> Option<(String, String)> {
        self.follow(cluster, (kind, namespace, name), |source| source == Source::Object)
    }

    fn follow(
        &mut self,
        cluster: &str,
        (kind, namespace, name): (&str, &str, &str),
        counts: impl Fn(Source) -> bool,
    ) -> Option<(String, String)> {
        let mut top: Option<(String, String)> = None;
        for _ in 0..DEPTH {
            let (kind, name) = top.as_ref().map_or((kind, name), |(kind, name)| (kind, name));
            let key = self.key(cluster, kind, namespace, name);
            let Some(owner) = self.controllers.get(&key).filter(|owner| counts(owner.source)) else { break };
            top = Some((owner.kind.to_string(), owner.name.to_string()));
        }
        top
    }

    fn key(&mut self, cluster: &str, kind: &str, namespace: &str, name: &str) -> u64 {
        self.scratch.start().text(cluster).text(kind).text(namespace).text(name).finish()
    }

    pub(crate) fn snapshot(&self) -> OwnersSnapshot {
        let known = self.order.iter().filter_map(|key| self.controllers.get(key).map(|owner| (*key, owner.clone())));
        OwnersSnapshot(known.collect())
    }

    pub(crate) fn restore(limit: NonZeroUsize, snapshot: OwnersSnapshot) -> Self {
        let mut restored = Self::new(limit);
        for (key, owner) in snapshot.0 {
            restored.order.push_back(key);
            restored.controllers.insert(key, owner);
        }
        restored
    }
}

/// What [`Owners`] remembers.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct OwnersSnapshot(Vec<(u64, Controller)>);

/// Reads the object that a controller says it created or deleted: the message formats of `k8s.io/kubernetes/pkg/controller`.
pub(crate) fn child<'a>(report: &'a Report<'_>) -> Option<(&'static str, &'a str)> {
    let message = report.message();
    let first_word = |text: &'a str| text.split([' ', ',']).next().filter(|word| !word.is_empty());
    match (report.involved().kind(), report.reason()) {
        ("ReplicaSet" | "ReplicationController" | "DaemonSet" | "Job", "SuccessfulCreate") => {
            message.strip_prefix("Created pod: ").and_then(first_word).map(|name| ("Pod", name))
        }
        ("ReplicaSet" | "ReplicationController" | "DaemonSet" | "Job", "SuccessfulDelete") => {
            message.strip_prefix("Deleted pod: ").and_then(first_word).map(|name| ("Pod", name))
        }
        ("StatefulSet", "SuccessfulCreate") => message.strip_prefix("create Pod ").and_then(first_word).map(|name| ("Pod", name)),
        ("StatefulSet", "SuccessfulDelete") => message.strip_prefix("delete Pod ").and_then(first_word).map(|name| ("Pod", name)),
        ("CronJob", "SuccessfulCreate") => message.strip_prefix("Created job ").and_then(first_word).map(|name| ("Job", name)),
        ("Deployment", "ScalingReplicaSet") => {
            let rest = message.strip_prefix("Scaled up replica set ").or_else(|| message.strip_prefix("Scaled down replica set "))?;
            first_word(rest).map(|name| ("ReplicaSet", name))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::{self, Body};
    use crate::time::Nanos;

    #[test]
    fn v34_name_prefix_neighbours_never_share_an_owner() {
        let mut owners = Owners::new(NonZeroUsize::MAX);
        learn(&mut owners, "Deployment", "pay", "ScalingReplicaSet", "Scaled up replica set pay-5d4f8 to 3");
        learn(&mut owners, "ReplicaSet", "pay-5d4f8", "SuccessfulCreate", "Created pod: pay-5d4f8-x2x7k");
        assert_eq!(owners.top("", "Pod", "shop", "pay-5d4f8-x2x7k"), Some(("Deployment".to_owned(), "pay".to_owned())));
        for (kind, name) in
            [("Pod", "pay-api-5d4f8-x2x7k"), ("Pod", "pay-5d4f8-x2x7"), ("ReplicaSet", "pay-5d4f"), ("Deployment", "pay-api")]
        {
            assert_eq!(owners.top("", kind, "shop", name), None, "{name}");
        }
    }

    #[test]
    fn what_events_add_is_told_of_events_only() {
        let mut owners = Owners::new(NonZeroUsize::MAX);
        let pod = r#"{"kind":"Pod","metadata":{"namespace":"shop","name":"pay-5d4f8-x2x7k","ownerReferences":[{"kind":"ReplicaSet","name":"pay-5d4f8","controller":true}]}}"#;
        let Body::Object(pod) = input::read(pod).unwrap().body else { panic!("an object") };
        learn(&mut owners, "ReplicaSet", "pay-5d4f8", "SuccessfulCreate", "Created pod: pay-5d4f8-x2x7k");
        assert_eq!(owners.top_by_objects("", "Pod", "shop", "pay-5d4f8-x2x7k"), None);
        assert_eq!(owners.learn_from_object("", &pod), None, "nothing new");
        learn(&mut owners, "ReplicaSet", "pay-5d4f8", "SuccessfulCreate", "Created pod: pay-5d4f8-x2x7k");
        learn(&mut owners, "Deployment", "pay", "ScalingReplicaSet", "Scaled up replica set pay-5d4f8 to 3");
        let by_objects = owners.top_by_objects("", "Pod", "shop", "pay-5d4f8-x2x7k");
        assert_eq!(by_objects, Some(("ReplicaSet".to_owned(), "pay-5d4f8".to_owned())));
        assert_eq!(owners.top("", "Pod", "shop", "pay-5d4f8-x2x7k"), Some(("Deployment".to_owned(), "pay".to_owned())));
    }

    #[test]
    fn cyclic_owners_end() {
        let mut owners = Owners::new(NonZeroUsize::MAX);
        learn(&mut owners, "CronJob", "a", "SuccessfulCreate", "Created job b");
        learn(&mut owners, "Job", "b", "SuccessfulCreate", "Created pod: c");
        assert!(owners.learn("", ("CronJob", "shop", "a"), ("Pod", "c"), Source::Report).is_some());
        assert!(owners.top("", "Pod", "shop", "c").is_some());
    }

    fn learn(owners: &mut Owners, kind: &str, name: &str, reason: &str, message: &str) {
        let json = format!(
            r#"{{"kind":"Event","metadata":{{"name":"e"}},"reason":"{reason}","message":"{message}","involvedObject":{{"kind":"{kind}","namespace":"shop","name":"{name}"}}}}"#
        );
        let item = input::read(&json).unwrap();
        let Body::Event(event) = item.body else { panic!("an event") };
        owners.learn_from_report("", &Report::new(event, item.change, Nanos(0)));
    }
}
