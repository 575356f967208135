//! Causes and what they explain: the stage after the groups.
//!
//! Every object that is bad now is judged on its own evidence, and on what is the matter with its neighbours; objects that have one
//! cause in common are one incident. What was judged depends on what is known at that moment and not on the order in which it
//! became known: an arrival only marks what has to be judged anew.

mod diagnosis;
mod incident;
mod neighbours;
mod print;
mod progress;
mod services;
mod snapshot;
mod symptoms;

pub(crate) use snapshot::IncidentsSnapshot;

use crate::causes::Causes;
use crate::input::{Change, RawObject};
use crate::record::IncidentRecord;
use crate::signals;
use crate::time::{Nanos, SECOND};
use crate::topology::{Detail, Presence, Relation, Slot, Topology};
use diagnosis::Diagnosis;
use hashbrown::HashMap;
use incident::{Incident, Past};
use progress::Progress;
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::Arc;
use symptoms::Symptom;

/// How long after a change the objects it concerns are judged: causes and their effects arrive together and in any order.
const SETTLE: i64 = 2 * SECOND;

/// How long a report about an object of which nothing else is known stays true.
const QUIET: i64 = 15 * 60 * SECOND;

/// How long reports are kept that an object's state may still make plain.
const KEPT: i64 = 60 * 60 * SECOND;

/// How often one object is judged anew while others are, before its neighbours have to wait for the next time.
const ROUNDS: u32 = 4;

/// So many ended incidents are remembered, to tell that one came back.
const PAST: usize = 10_000;

/// How incidents are kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IncidentsConfig {
    /// Objects of the topology.
    pub(crate) objects: NonZeroUsize,
    /// Objects about which reports are kept.
    pub(crate) reported: NonZeroUsize,
    /// How long an ended incident is the same when it comes back.
    pub(crate) hold: i64,
    /// The shortest time between two prints of an incident that only grew.
    pub(crate) update_interval: i64,
}

/// Judges objects and makes incidents of what they have in common.
///
/// # Memory
///
/// The topology, the reports about at most so many objects, and the incidents that are open.
#[derive(Debug)]
pub(crate) struct Incidents {
    config: IncidentsConfig,
    causes: Arc<Causes>,
    now: Nanos,
    suspended: bool,
    topology: Topology,
    symptoms: HashMap<Slot, Vec<Symptom>>,
    // The objects with reports by their last one, to forget the oldest.
    reported: BTreeSet<(Nanos, Slot)>,
    // How far objects got that only Events tell of.
    progress: HashMap<Slot, Progress>,
    judged: HashMap<Slot, Diagnosis>,
    incidents: BTreeMap<String, Incident>,
    past: BTreeMap<String, Past>,
    // The ended ones by their end, to forget the oldest.
    ended: BTreeSet<(i64, String)>,
    // What has to be judged, what it depends on first.
    dirty: BTreeSet<(u8, Slot)>,
    settle_at: Option<Nanos>,
    // When an object has to be judged again though nothing arrives.
    deadlines: BTreeSet<(Nanos, Slot)>,
    due: HashMap<Slot, Nanos>,
    // Incidents whose members or causes changed, and when updates that wait are printed.
    changed: BTreeSet<String>,
    prints: BTreeSet<(Nanos, String)>,
    quotas: BTreeSet<Slot>,
    control_plane: BTreeSet<Slot>,
}

impl Incidents {
    pub(crate) fn new(config: IncidentsConfig, causes: Arc<Causes>) -> Self {
        Self {
            config,
            causes,
            now: Nanos(i64::MIN),
            suspended: false,
            topology: Topology::new(config.objects),
            symptoms: HashMap::new(),
            reported: BTreeSet::new(),
            progress: HashMap::new(),
            judged: HashMap::new(),
            incidents: BTreeMap::new(),
            past: BTreeMap::new(),
            ended: BTreeSet::new(),
            dirty: BTreeSet::new(),
            settle_at: None,
            deadlines: BTreeSet::new(),
            due: HashMap::new(),
            changed: BTreeSet::new(),
            prints: BTreeSet::new(),
            quotas: BTreeSet::new(),
            control_plane: BTreeSet::new(),
        }
    }

    /// What is known of objects and how they depend on each other.
    pub(crate) const fn topology(&self) -> &Topology {
        &self.topology
    }

    /// Takes a version of an object.
    pub(crate) fn object(&mut self, cluster: &str, object: &RawObject<'_>, change: Change, observed: Option<Nanos>) {
        let metadata = object.metadata();
        if matches!(object.kind(), "Event" | "Lease") {
            return;
        }
        let Some(slot) = self.topology.named(cluster, object.kind(), object.namespace(), object.name()) else { return };
        let at = metadata.managed_fields.newest().into_iter().chain(observed).min().unwrap_or(self.now);
        let before = self.topology.entity(slot);
        let (was_bad, was_present) = (!before.facts.is_empty(), before.presence == Presence::Present);
        let is_pod = object.kind() == "Pod";
        if change == Change::Deleted {
            // A deletion of an earlier object of the name, told late, is none of this one.
            if was_present && !metadata.uid.is_empty() && *before.uid != *metadata.uid && !before.uid.is_empty() {
                return;
            }
            let served = if is_pod { self.topology.selecting(slot) } else { Vec::new() };
            let owners: Vec<Slot> = self.topology.refs_of(slot).iter().map(|&(_, to)| to).collect();
            self.topology.delete(slot, observed.unwrap_or(self.now));
            self.quotas.remove(&slot);
            self.control_plane.remove(&slot);
            self.mark(slot);
            self.mark_dependents(slot);
            owners.into_iter().chain(served).for_each(|neighbour| self.mark_if_bad(neighbour));
            return;
        }
        let reading = signals::read(object);
        // Its Services look at a pod's labels, its ports and whether it takes traffic.
        let serves = is_pod
            && (!was_present || before.detail.serves() != reading.detail.serves() || !self.topology.has_labels(slot, &reading.labels));
        let served = if serves { self.topology.selecting(slot) } else { Vec::new() };
        let changes = self.topology.apply(slot, &metadata.uid, object.api_version(), reading, at);
        let entity = self.topology.entity(slot);
        match &entity.detail {
            Detail::Quota => {
                self.quotas.insert(slot);
            }
            Detail::Node { control_plane: true } => {
                self.control_plane.insert(slot);
            }
            Detail::None | Detail::Node { .. } | Detail::Pod { .. } | Detail::Service { .. } | Detail::Workload { .. } => {}
        }
        let is_bad = !self.topology.entity(slot).facts.is_empty();
        // A healthy object among healthy ones concerns nobody: that is nearly every record.
        if is_bad || was_bad || changes > 0 || self.topology.entity(slot).watched || !was_present {
            self.mark_if_bad(slot);
        }
        if is_bad != was_bad || changes > 0 {
            self.mark_dependents(slot);
        }
        match object.kind() {
            "Service" | "Ingress" | "HTTPRoute" | "GRPCRoute" | "TLSRoute" | "TCPRoute" => {
                self.mark(slot);
                let callers: Vec<Slot> = self.topology.dependents(slot, Relation::Calls).collect();
                callers.into_iter().for_each(|caller| self.mark(caller));
            }
            "Deployment" | "StatefulSet" | "DaemonSet" if changes > 0 || !was_present => self.mark(slot),
            "Pod" if serves => {
                for service in self.topology.selecting(slot).into_iter().chain(served) {
                    self.mark(service);
                }
            }
            "Deployment" | "StatefulSet" if is_bad != was_bad => self.mark_services_of(slot),
            _ => {}
        }
    }

    /// Between the begin and the end of a list nothing is judged.
    pub(crate) const fn begin_list(&mut self) {
        self.suspended = true;
    }

    /// Judges everything that a list has changed.
    pub(crate) fn end_list(&mut self, now: Nanos, print: &mut impl FnMut(IncidentRecord) -> bool) {
        self.suspended = false;
        self.now = self.now.max(now);
        self.catch_up();
        self.judge();
        self.print_changed(print);
        self.advance(now, print);
    }

    /// What was due meanwhile is judged now.
    fn catch_up(&mut self) {
        while let Some(&(at, slot)) = self.deadlines.first()
            && at <= self.now
        {
            self.deadlines.pop_first();
            self.due.remove(&slot);
            self.mark(slot);
        }
    }

    /// Does what is due by `now`, each at its own time.
    pub(crate) fn advance(&mut self, now: Nanos, print: &mut impl FnMut(IncidentRecord) -> bool) {
        if self.suspended {
            self.now = self.now.max(now);
            return;
        }
        while let Some(due) = self.next_deadline()
            && due <= now
        {
            self.now = self.now.max(due);
            let settled = self.settle_at.is_some_and(|at| at <= self.now);
            let waiting = self.deadlines.len();
            self.catch_up();
            if settled || waiting != self.deadlines.len() {
                self.judge();
            }
            while let Some((at, key)) = self.prints.first().cloned()
                && at <= self.now
            {
                self.prints.remove(&(at, key.clone()));
                self.changed.insert(key);
            }
            self.print_changed(print);
        }
        self.now = self.now.max(now);
    }

    /// When [`Incidents::advance`] has something to do.
    pub(crate) fn next_deadline(&self) -> Option<Nanos> {
        if self.suspended {
            return None;
        }
        let first = self.deadlines.first().map(|(at, _)| *at);
        let print = self.prints.first().map(|(at, _)| *at);
        [self.settle_at, first, print].into_iter().flatten().min()
    }

    /// Judges what is left and prints what changed.
    pub(crate) fn flush(&mut self, now: Nanos, print: &mut impl FnMut(IncidentRecord) -> bool) {
        self.suspended = false;
        self.advance(now, print);
        self.judge();
        let waiting = std::mem::take(&mut self.prints);
        self.changed.extend(waiting.into_iter().map(|(_, key)| key));
        self.print_all_changed(print);
    }

    /// What objects said of each other that cannot be so.
    pub(crate) fn oddities(&self) -> BTreeMap<&'static str, u64> {
        self.topology.oddities().filter(|(_, times)| *times > 0).map(|(oddity, times)| (oddity.name(), times)).collect()
    }

    /// An object is judged when things have settled.
    fn mark(&mut self, slot: Slot) {
        // What waits to be judged must not be forgotten meanwhile.
        self.topology.entity_mut(slot).watched = true;
        self.dirty.insert((level(self.topology.kind(slot)), slot));
        if self.settle_at.is_none() {
            self.settle_at = Some(self.now.plus(SETTLE));
        }
    }

    fn mark_if_bad(&mut self, slot: Slot) {
        let entity = self.topology.entity(slot);
        if !entity.facts.is_empty() || entity.watched {
            self.mark(slot);
        }
    }

    /// What depends on an object is judged anew, as far as it is bad.
    fn mark_dependents(&mut self, slot: Slot) {
        let dependents: Vec<Slot> = self.topology.back_of(slot).map(|(_, from)| from).collect();
        dependents.into_iter().for_each(|dependent| self.mark_if_bad(dependent));
    }

    /// The Services that send to a workload's pods, when it has any or none of them.
    fn mark_services_of(&mut self, workload: Slot) {
        let services: Vec<Slot> = self.services_of(workload);
        services.into_iter().for_each(|service| self.mark(service));
    }

    /// Judges everything that was marked, and what depends on a judgement that changed.
    fn judge(&mut self) {
        self.settle_at = None;
        let mut rounds: HashMap<Slot, u32> = HashMap::new();
        while let Some((_, slot)) = self.dirty.pop_first() {
            let round = rounds.entry(slot).or_default();
            *round += 1;
            if *round > ROUNDS {
                continue;
            }
            let diagnosis = self.diagnose(slot);
            let before = self.judged.get(&slot);
            if before == diagnosis.as_ref() {
                self.tidy(slot);
                continue;
            }
            let moved = before.map(|before| (&before.key, before.cause)) != diagnosis.as_ref().map(|now| (&now.key, now.cause));
            self.assign(slot, diagnosis);
            if moved {
                self.mark_consequences(slot);
            }
            self.tidy(slot);
        }
        self.settle_at = None;
    }

    /// Those whose own judgement looks at this one's.
    fn mark_consequences(&mut self, slot: Slot) {
        let mut concerned: Vec<Slot> = self.topology.back_of(slot).map(|(_, from)| from).collect();
        concerned.extend(self.topology.target(slot, Relation::OwnedBy));
        match self.topology.kind(slot) {
            "Pod" => {
                concerned.extend(self.topology.selecting(slot));
                concerned.extend(self.topology.target(slot, Relation::RunsOn));
            }
            "Deployment" | "StatefulSet" => concerned.extend(self.services_of(slot)),
            "Service" => {
                let callers: Vec<Slot> = self.topology.dependents(slot, Relation::Calls).collect();
                callers.into_iter().for_each(|caller| concerned.extend(self.owned(caller)));
            }
            _ => {}
        }
        for neighbour in concerned {
            if self.topology.kind(neighbour) == "Service" {
                self.mark(neighbour);
            } else {
                self.mark_if_bad(neighbour);
            }
        }
    }

    /// What a workload owns, down to its pods.
    fn owned(&self, workload: Slot) -> Vec<Slot> {
        let mut found: Vec<Slot> = self.topology.dependents(workload, Relation::OwnedBy).collect();
        let below: Vec<Slot> = found.iter().flat_map(|&slot| self.topology.dependents(slot, Relation::OwnedBy)).collect();
        found.extend(below);
        found
    }

    /// Forgets what is neither bad nor named by anything.
    fn tidy(&mut self, slot: Slot) {
        let watched = self.symptoms.contains_key(&slot) || self.judged.contains_key(&slot) || self.due.contains_key(&slot);
        self.topology.entity_mut(slot).watched = watched;
        if !watched || self.topology.entity(slot).presence == Presence::Present {
            self.progress.remove(&slot);
        }
        if self.dirty.contains(&(level(self.topology.kind(slot)), slot)) {
            self.topology.entity_mut(slot).watched = true;
        } else if !watched {
            self.topology.forget(slot);
        }
    }

    /// Judges an object again at `at`, or earlier.
    fn judge_at(&mut self, slot: Slot, at: Nanos) {
        if at <= self.now {
            return;
        }
        if let Some(&known) = self.due.get(&slot) {
            if known <= at {
                return;
            }
            self.deadlines.remove(&(known, slot));
        }
        self.due.insert(slot, at);
        self.deadlines.insert((at, slot));
    }
}

/// What is judged first: what others depend on.
fn level(kind: &str) -> u8 {
    match kind {
        "Node" | "ResourceQuota" | "Namespace" | "ConfigMap" | "Secret" | "StorageClass" => 0,
        "PersistentVolume" => 1,
        "PersistentVolumeClaim" => 2,
        "Pod" => 3,
        "ReplicaSet" | "ReplicationController" | "Job" => 4,
        "Deployment" | "StatefulSet" | "DaemonSet" | "CronJob" | "DeploymentConfig" => 5,
        "Service" => 6,
        "Ingress" | "HTTPRoute" | "GRPCRoute" | "TLSRoute" | "TCPRoute" | "HorizontalPodAutoscaler" => 7,
        _ => 8,
    }
}
