//! What depends on what: objects and the edges between them, from the lifecycle stream and, where that is silent, from Events.
//!
//! An edge leads from what depends to what it depends on: a pod to its node, its claims and its controller. Names stand for objects
//! that were not seen yet, so objects may arrive in any order, and what refers to a thing that vanished still knows its name.

mod entity;
mod labels;
mod oddity;
mod relation;
mod snapshot;

pub(crate) use entity::{Change, Detail, Entity, Fact, Plan, Presence};
pub(crate) use oddity::Oddity;
pub(crate) use relation::Relation;
pub(crate) use snapshot::TopologySnapshot;

use crate::hash;
use crate::slots::Slots;
use crate::symbols::Symbols;
use crate::time::Nanos;
use hashbrown::HashTable;
use std::collections::BTreeSet;
use std::num::NonZeroUsize;

/// How far ownership is followed; real chains have three steps.
const DEPTH: usize = 8;

/// So many kinds of so many namespaces are known to be seen; of others nothing is known to be absent.
const COVERED: usize = 100_000;

/// So many changes of one object are remembered.
const CHANGES: usize = 8;

/// Separates cluster and namespace within a place.
const SEPARATOR: char = '\u{1f}';

/// An object's number, until it is forgotten.
pub(crate) type Slot = u32;

/// The graph of everything that was named.
///
/// # Memory
///
/// At most `limit` objects, a pod with its edges and labels below 700 bytes; one more is not taken in and counted.
#[derive(Debug)]
pub(crate) struct Topology {
    limit: NonZeroUsize,
    symbols: Symbols,
    entities: Slots<Entity>,
    by_key: HashTable<Slot>,
    // Who depends on an object.
    back: BTreeSet<(Slot, Relation, Slot)>,
    // Pods by place and label; Services by place and one label of their selector.
    labelled: BTreeSet<(u32, u32, Slot)>,
    selecting: BTreeSet<(u32, u32, Slot)>,
    // Workloads by place and label of their pods.
    templated: BTreeSet<(u32, u32, Slot)>,
    // Kinds of a place of which an object was seen: what is not among them is not there.
    covered: BTreeSet<(u32, u32)>,
    oddities: [u64; Oddity::ALL.len()],
}

/// What an object says, by names.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    pub(crate) facts: Vec<Fact>,
    pub(crate) refs: Vec<Reference>,
    pub(crate) labels: Vec<String>,
    pub(crate) detail: Detail,
    pub(crate) leaves: Option<Vec<(String, String)>>,
    /// The uid of the owner that counts.
    pub(crate) owner_uid: String,
    pub(crate) several_controllers: bool,
    /// The fingerprint of what edges, labels and detail were read from.
    pub(crate) written: u64,
    /// Edges, labels and detail are as they were, but for this of a pod: whether it is ready, and how often it was restarted.
    pub(crate) running: Option<(bool, u32)>,
    pub(crate) created: Option<Nanos>,
}

/// An edge by names; an empty namespace means a cluster-scoped object.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Reference {
    pub(crate) relation: Relation,
    pub(crate) kind: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl Topology {
    pub(crate) fn new(limit: NonZeroUsize) -> Self {
        Self {
            limit,
            symbols: Symbols::new(),
            entities: Slots::new(),
            by_key: HashTable::new(),
            back: BTreeSet::new(),
            labelled: BTreeSet::new(),
            selecting: BTreeSet::new(),
            templated: BTreeSet::new(),
            covered: BTreeSet::new(),
            oddities: [0; Oddity::ALL.len()],
        }
    }

    /// How many objects are known.
    #[cfg(test)]
    pub(crate) const fn len(&self) -> usize {
        self.entities.len()
    }

    /// How often each oddity was met.
    pub(crate) fn oddities(&self) -> impl Iterator<Item = (Oddity, u64)> {
        Oddity::ALL.into_iter().zip(self.oddities)
    }

    const fn count(&mut self, oddity: Oddity) {
        self.oddities[oddity as usize] += 1;
    }

    pub(crate) fn entity(&self, slot: Slot) -> &Entity {
        &self.entities[slot]
    }

    pub(crate) fn entity_mut(&mut self, slot: Slot) -> &mut Entity {
        &mut self.entities[slot]
    }

    pub(crate) fn text(&self, symbol: u32) -> &str {
        self.symbols.text(symbol)
    }

    pub(crate) fn kind(&self, slot: Slot) -> &str {
        self.text(self.entities[slot].kind)
    }

    pub(crate) fn name(&self, slot: Slot) -> &str {
        self.text(self.entities[slot].name)
    }

    pub(crate) fn namespace(&self, slot: Slot) -> &str {
        self.text(self.entities[slot].place).split_once(SEPARATOR).map_or("", |(_, namespace)| namespace)
    }

    pub(crate) fn cluster(&self, slot: Slot) -> &str {
        self.text(self.entities[slot].place).split_once(SEPARATOR).map_or("", |(cluster, _)| cluster)
    }

    /// Orders objects the same in every run.
    pub(crate) fn key(&self, slot: Slot) -> (&str, &str, &str) {
        (self.text(self.entities[slot].place), self.kind(slot), self.name(slot))
    }

    /// Finds an object that was named.
    pub(crate) fn find(&self, cluster: &str, kind: &str, namespace: &str, name: &str) -> Option<Slot> {
        let hash = hash_of(cluster, kind, namespace, name);
        let is_it = |slot: Slot| {
            let entity = &self.entities[slot];
            let place = self.text(entity.place).strip_prefix(cluster).and_then(|rest| rest.strip_prefix(SEPARATOR));
            entity.hash == hash && place == Some(namespace) && self.text(entity.kind) == kind && self.text(entity.name) == name
        };
        self.by_key.find(hash, |&slot| is_it(slot)).copied()
    }

    /// Finds an object, or makes one that is known by name only. Nothing when there is no room.
    pub(crate) fn named(&mut self, cluster: &str, kind: &str, namespace: &str, name: &str) -> Option<Slot> {
        if kind.is_empty() || name.is_empty() {
            return None;
        }
        if let Some(slot) = self.find(cluster, kind, namespace, name) {
            return Some(slot);
        }
        if self.entities.len() >= self.limit.get() {
            self.count(Oddity::NoRoom);
            return None;
        }
        let hash = hash_of(cluster, kind, namespace, name);
        let entity = Entity {
            hash,
            place: self.symbols.acquire(&place_of(cluster, namespace)),
            kind: self.symbols.acquire(kind),
            name: self.symbols.acquire(name),
            ..Entity::default()
        };
        let slot = self.entities.insert(entity);
        let Self { by_key, entities, .. } = self;
        by_key.insert_unique(hash, slot, |&slot| entities[slot].hash);
        Some(slot)
    }

    /// Takes what an object says now, and returns what is new about its specification.
    pub(crate) fn apply(&mut self, slot: Slot, uid: &str, api_version: &str, reading: Reading, at: Nanos) -> usize {
        let recreated = self.entities[slot].presence == Presence::Present && !uid.is_empty() && *self.entities[slot].uid != *uid;
        if let Some(now) = reading.running {
            if let Detail::Pod { ready, restarts, .. } = &mut self.entities[slot].detail {
                (*ready, *restarts) = now;
            }
        } else {
            self.place(slot, api_version, &reading.refs, &reading.labels, reading.detail);
            self.look_at_owners(slot, &reading.owner_uid, reading.several_controllers);
        }
        let entity = &mut self.entities[slot];
        entity.written = reading.written;
        if *entity.uid != *uid {
            entity.uid = uid.into();
        }
        let known = entity.presence == Presence::Present && !recreated;
        entity.presence = Presence::Present;
        entity.created = reading.created.unwrap_or(entity.created);
        let mut facts = reading.facts;
        // What does not say since when is so since it was first seen to be so.
        for fact in facts.iter_mut().filter(|fact| known && fact.since <= entity.created.0) {
            fact.since = entity.facts.iter().find(|before| before.name == fact.name).map_or(at.0, |before| before.since);
        }
        entity.facts = facts.into();
        let Some(leaves) = reading.leaves else { return 0 };
        self.set_leaves(slot, &leaves, known, at)
    }

    /// Takes an object's edges and what finds it.
    fn place(&mut self, slot: Slot, api_version: &str, refs: &[Reference], labels: &[String], detail: Detail) {
        self.set_refs(slot, refs);
        self.set_labels(slot, labels);
        self.set_detail(slot, detail);
        let api_version = self.symbols.acquire(api_version);
        let entity = &mut self.entities[slot];
        let before = entity.has_api_version.then_some(entity.api_version);
        (entity.api_version, entity.has_api_version) = (api_version, true);
        let (place, kind) = (entity.place, entity.kind);
        before.into_iter().for_each(|before| self.symbols.release(before));
        self.cover(place, kind);
    }

    /// Counts what cannot be so; who owns what stays as it is told.
    fn look_at_owners(&mut self, slot: Slot, uid: &str, several: bool) {
        if several {
            self.count(Oddity::SeveralControllers);
        }
        let Some(owner) = self.target(slot, Relation::OwnedBy) else { return };
        let known = &self.entities[owner];
        if known.presence == Presence::Present && !known.uid.is_empty() && !uid.is_empty() && *known.uid != *uid {
            self.count(Oddity::OtherOwner);
        }
        let mut above = Some(owner);
        for _ in 0..DEPTH {
            above = above.and_then(|one| self.target(one, Relation::OwnedBy));
            if above == Some(slot) {
                self.count(Oddity::CyclicOwners);
                return;
            }
        }
    }

    /// Remembers that objects of a kind are seen in a place, also when the last of them is gone.
    fn cover(&mut self, place: u32, kind: u32) {
        if self.covered.len() < COVERED && self.covered.insert((place, kind)) {
            self.symbols.hold(place);
            self.symbols.hold(kind);
        }
    }

    /// Remembers the leaves of an object's specification, and what changed among them.
    fn set_leaves(&mut self, slot: Slot, leaves: &[(String, String)], known: bool, at: Nanos) -> usize {
        let stored: Box<[(u32, u32)]> =
            leaves.iter().map(|(path, value)| (self.symbols.acquire(path), self.symbols.acquire(value))).collect();
        let before = std::mem::replace(&mut self.entities[slot].leaves, stored);
        let mut changes = Vec::new();
        if known {
            let old: std::collections::BTreeMap<&str, &str> =
                before.iter().map(|&(path, value)| (self.symbols.text(path), self.symbols.text(value))).collect();
            let new: std::collections::BTreeMap<&str, &str> = leaves.iter().map(|(path, value)| (&**path, &**value)).collect();
            let paths: BTreeSet<&str> = old.keys().chain(new.keys()).copied().collect();
            for path in paths.into_iter().filter(|path| old.get(path) != new.get(path)) {
                let value = |leaves: &std::collections::BTreeMap<&str, &str>| leaves.get(path).copied().unwrap_or_default().into();
                changes.push(Change { path: path.into(), from: value(&old), to: value(&new), at });
            }
        }
        for &(path, value) in &before {
            self.symbols.release(path);
            self.symbols.release(value);
        }
        let count = changes.len();
        let known_changes = &mut self.entities[slot].changes;
        known_changes.extend(changes);
        let surplus = known_changes.len().saturating_sub(CHANGES);
        known_changes.drain(..surplus);
        count
    }

    /// An object is gone; its name stays as long as something refers to it.
    pub(crate) fn delete(&mut self, slot: Slot, at: Nanos) {
        let old = self.drop_refs(slot);
        self.empty(slot, at);
        old.iter().for_each(|&(_, to)| self.forget(to));
    }

    fn empty(&mut self, slot: Slot, at: Nanos) {
        self.set_labels(slot, &[]);
        self.set_detail(slot, Detail::None);
        let entity = &mut self.entities[slot];
        entity.presence = Presence::Gone;
        entity.written = 0;
        entity.gone_at = at;
        entity.facts = Box::default();
        for (path, value) in std::mem::take(&mut entity.leaves) {
            self.symbols.release(path);
            self.symbols.release(value);
        }
    }

    /// Forgets an object that nothing refers to, and then what only it referred to.
    pub(crate) fn forget(&mut self, slot: Slot) {
        let mut left = vec![slot];
        while let Some(slot) = left.pop() {
            let entity = &self.entities[slot];
            // Several edges may lead to one object, which is forgotten at the first.
            let gone = self.by_key.find(entity.hash, |&known| known == slot).is_none();
            let needed = entity.presence == Presence::Present || entity.watched || entity.pins > 0;
            if gone || needed || self.back_of(slot).next().is_some() {
                continue;
            }
            left.extend(self.drop_refs(slot).iter().map(|&(_, to)| to));
            self.empty(slot, Nanos(0));
            self.remove(slot);
        }
    }

    fn remove(&mut self, slot: Slot) {
        let hash = self.entities[slot].hash;
        if let Ok(entry) = self.by_key.find_entry(hash, |&other| other == slot) {
            entry.remove();
        }
        let entity = self.entities.remove(slot);
        for symbol in [entity.place, entity.kind, entity.name] {
            self.symbols.release(symbol);
        }
        if entity.has_api_version {
            self.symbols.release(entity.api_version);
        }
    }

    /// Adds an edge that an Event told; the object's own word replaces it.
    pub(crate) fn learn(&mut self, from: Slot, relation: Relation, to: Slot) {
        let entity = &mut self.entities[from];
        if from == to || entity.presence == Presence::Present || entity.refs.contains(&(relation, to)) {
            return;
        }
        let mut refs: Vec<(Relation, Slot)> = entity.refs.iter().copied().filter(|(known, _)| *known != relation).collect();
        let dropped: Vec<(Relation, Slot)> = entity.refs.iter().copied().filter(|(known, _)| *known == relation).collect();
        refs.push((relation, to));
        entity.refs = refs.into();
        self.back.insert((to, relation, from));
        for (relation, target) in dropped {
            self.back.remove(&(target, relation, from));
            self.forget(target);
        }
    }

    fn set_refs(&mut self, slot: Slot, refs: &[Reference]) {
        let cluster = self.cluster(slot).to_owned();
        let mut new: Vec<(Relation, Slot)> = refs
            .iter()
            .filter_map(|to| Some((to.relation, self.named(&cluster, &to.kind, &to.namespace, &to.name)?)))
            .filter(|(_, to)| *to != slot)
            .collect();
        new.sort_unstable();
        new.dedup();
        if *self.entities[slot].refs == *new {
            return;
        }
        let old = self.drop_refs(slot);
        for &(relation, to) in &new {
            self.back.insert((to, relation, slot));
        }
        self.entities[slot].refs = new.into();
        old.iter().for_each(|&(_, to)| self.forget(to));
    }

    /// Takes the edges of an object away; what they led to may be forgotten then.
    fn drop_refs(&mut self, slot: Slot) -> Box<[(Relation, Slot)]> {
        let old = std::mem::take(&mut self.entities[slot].refs);
        for &(relation, to) in &old {
            self.back.remove(&(to, relation, slot));
        }
        old
    }

    /// What an object depends on.
    pub(crate) fn refs_of(&self, slot: Slot) -> &[(Relation, Slot)] {
        &self.entities[slot].refs
    }

    /// The one object that it depends on in that way.
    pub(crate) fn target(&self, slot: Slot, relation: Relation) -> Option<Slot> {
        self.entities[slot].refs.iter().find(|(known, _)| *known == relation).map(|&(_, to)| to)
    }

    /// What depends on an object, in no particular order.
    pub(crate) fn back_of(&self, slot: Slot) -> impl Iterator<Item = (Relation, Slot)> {
        self.back.range((slot, Relation::FIRST, 0)..=(slot, Relation::LAST, Slot::MAX)).map(|&(_, relation, from)| (relation, from))
    }

    /// What depends on an object in that way, in no particular order.
    pub(crate) fn dependents(&self, slot: Slot, relation: Relation) -> impl Iterator<Item = Slot> {
        self.back.range((slot, relation, 0)..=(slot, relation, Slot::MAX)).map(|&(.., from)| from)
    }

    /// The top-most known controller; a workload without one is its own. A claim belongs to the workload of a pod that uses it.
    pub(crate) fn workload(&self, slot: Slot) -> Option<Slot> {
        let mut top = slot;
        for _ in 0..DEPTH {
            let Some(owner) = self.target(top, Relation::OwnedBy).filter(|&owner| owner != slot) else { break };
            // A static pod is of its node, which is no workload.
            if self.kind(owner) == "Node" {
                break;
            }
            // What an operator makes of its own kinds runs on as a workload that people know.
            if TOP.contains(&self.kind(top)) {
                break;
            }
            top = owner;
        }
        if top != slot || WORKLOADS.contains(&self.kind(slot)) {
            return Some(top);
        }
        let users = match self.kind(slot) {
            "PersistentVolumeClaim" => self.dependents(slot, Relation::UsesClaim).collect::<Vec<_>>(),
            "Service" => self.selected(slot),
            _ => Vec::new(),
        };
        let workloads = users.into_iter().filter_map(|user| self.target(user, Relation::OwnedBy).and_then(|_| self.workload(user)));
        workloads.min_by(|a, b| self.key(*a).cmp(&self.key(*b)))
    }

    /// Whether objects of that kind are seen in the place of another: then one that was not seen is not there.
    pub(crate) fn is_covered(&self, slot: Slot) -> bool {
        self.covered.contains(&(self.entities[slot].place, self.entities[slot].kind))
    }

    /// Objects of a kind in a place, named from there.
    pub(crate) fn in_place(&self, slot: Slot, kind: &str, name: &str) -> Option<Slot> {
        self.find(self.cluster(slot), kind, self.namespace(slot), name)
    }
}

/// Kinds of which no other that runs pods lies above.
const TOP: &[&str] = &["Deployment", "StatefulSet", "DaemonSet", "CronJob"];

/// Kinds that run pods: one of these without an owner is a workload itself.
pub(crate) const WORKLOADS: &[&str] =
    &["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job", "CronJob", "DeploymentConfig"];

fn place_of(cluster: &str, namespace: &str) -> String {
    format!("{cluster}{SEPARATOR}{namespace}")
}

fn hash_of(cluster: &str, kind: &str, namespace: &str, name: &str) -> u64 {
    let parts = [cluster, kind, namespace];
    parts.iter().fold(hash::of_text(name), |hash, part| hash.rotate_left(21) ^ hash::of_text(part))
}

#[cfg(test)]
mod tests;
