//! What is the matter with one object.

use super::progress::{RETRIED, STANDS};
use super::symptoms::Symptom;
use super::{Incidents, KEPT, QUIET};
use crate::causes::{Captures, CauseEntry, CauseId, Phase, Requirement, Root, Told};
use crate::record::Category;
use crate::time::{Nanos, SECOND};
use crate::topology::{Detail, Fact, Presence, Relation, Slot};
use std::sync::Arc;

/// How long a healthy object may be reported to fail its probes before its state would show it.
const FLAPPING: i64 = 120 * SECOND;

/// How long a container that crashes again and again may run in between: longer than the longest back-off of the kubelet, five minutes.
const CRASHING: i64 = 10 * 60 * SECOND;

/// How long a pod may take to get ready, and its probes fail meanwhile a few times, without being in trouble.
const STARTING: i64 = 60 * SECOND;

/// Reports of different causes this far apart are no longer about the same trouble: the later one counts.
const OVERTAKEN: i64 = 60 * SECOND;

/// What an object's trouble is due to.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Diagnosis {
    pub(super) cause: CauseId,
    /// What makes it one incident with others.
    pub(super) key: String,
    pub(super) root: Slot,
    pub(super) confidence: f64,
    pub(super) captures: Captures,
    pub(super) first: Nanos,
    pub(super) last: Nanos,
    /// How often it was reported; only that counts where no object tells its state.
    pub(super) times: u64,
    /// Whether an object's own state bears it out.
    pub(super) stated: bool,
    /// Whether the object itself shows the cause; else it only suffers from it.
    pub(super) shown: bool,
    /// Whether it has lasted long enough; else only a neighbour's cause can make it count.
    pub(super) ripe: bool,
}

/// How far what is known of an object can be trusted to be all.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Standing {
    /// Its state is known and bad.
    Bad,
    /// Its state is known and good.
    Good,
    /// Only Events speak of it.
    Unseen,
    /// It is not there any more.
    Absent,
}

impl Incidents {
    /// Judges one object. Nothing when it is well.
    pub(super) fn diagnose(&mut self, slot: Slot) -> Option<Diagnosis> {
        self.drop_old_symptoms(slot);
        let standing = self.standing(slot);
        if standing == Standing::Absent {
            // What was reported about it died with it.
            self.forget_symptoms(slot);
            return None;
        }
        let facts = self.facts(slot);
        let mut candidates = self.by_facts(slot, &facts);
        candidates.extend(self.by_symptoms(slot, standing));
        // What both the state says and Events report is the surer for it.
        let mut own: Vec<Diagnosis> = Vec::new();
        for candidate in candidates {
            match own.iter_mut().find(|known| known.cause == candidate.cause && known.key == candidate.key) {
                Some(known) => known.join(candidate),
                None => own.push(candidate),
            }
        }
        let best = own.iter().max_by(|a, b| a.rank().total_cmp(&b.rank()).then(b.cause.cmp(&a.cause)))?.clone();
        // What another cause shows first is also what this one has been explained by.
        let first = own.iter().map(|candidate| candidate.first).min().unwrap_or(best.first);
        let last = own.iter().map(|candidate| candidate.last).max().unwrap_or(best.last);
        let neighbours = self.at_neighbours(slot, &best, first);
        let named: Vec<String> = best.captures.values().cloned().collect();
        let mut chosen = best;
        // Probes of two kinds that fail are one trouble that was reported so often.
        let category = self.causes.entry(chosen.cause).category();
        let alike = own.iter().filter(|other| self.causes.entry(other.cause).category() == category);
        chosen.times = alike.map(|other| other.times).fold(0, u64::saturating_add);
        for other in neighbours {
            let soft = super::neighbours::is_soft(self.causes.entry(chosen.cause).category());
            // What changed before explains a crash better than that it crashes. Probes fail now and then without any change: of them only
            // what changed just before.
            let near = first.since(other.first) <= super::neighbours::JUST_BEFORE;
            let sudden = near || self.causes.entry(chosen.cause).category() != Category::Probe;
            let changed = soft && sudden && self.causes.entry(other.cause).of_changes();
            // What is said to be missing and was deleted is missing because of that.
            let missed = self.topology.entity(other.root).presence == Presence::Gone
                && named.iter().any(|name| name == self.topology.name(other.root));
            if changed || missed || other.confidence >= chosen.confidence {
                chosen = other;
            }
        }
        if let Some(called) = self.at_called(slot, &chosen, first) {
            chosen = called;
        }
        if !chosen.ripe {
            return None;
        }
        chosen.first = first.min(chosen.first);
        chosen.last = chosen.last.max(last);
        Some(chosen)
    }

    /// The states of an object that last long enough to be judged, with those that only its neighbours give it.
    fn facts(&mut self, slot: Slot) -> Vec<Fact> {
        let mut facts = self.topology.entity(slot).facts.to_vec();
        facts.extend(self.states_of_routing(slot));
        facts
    }

    fn by_facts(&mut self, slot: Slot, facts: &[Fact]) -> Vec<Diagnosis> {
        let mut candidates = Vec::new();
        let mut wakes: Vec<Nanos> = Vec::new();
        let causes = Arc::clone(&self.causes);
        for fact in facts {
            let told = Told::new(&fact.name, &fact.text);
            for (mut id, mut entry) in causes.ids() {
                let Some((mut captures, mut after)) = entry.state(&fact.name, &told) else { continue };
                if !self.satisfied(slot, &entry.requires) {
                    let other = entry.otherwise.as_deref().and_then(|code| causes.id(code)).map(|id| (id, causes.entry(id)));
                    let Some((other_id, other)) = other.filter(|(_, other)| self.satisfied(slot, &other.requires)) else { continue };
                    let Some(instead) = other.state(&fact.name, &Told::whole(&fact.text)) else { continue };
                    ((captures, after), (id, entry)) = (instead, (other_id, other));
                }
                // An object may be newer than the moment that is asked about.
                let since = Nanos(fact.since).min(self.now);
                let ripe_at = since.plus(i64::from(after) * SECOND);
                let ripe = ripe_at <= self.now;
                if !ripe {
                    wakes.push(ripe_at);
                    if entry.category() != Category::Unknown {
                        continue;
                    }
                }
                // What ended leaves a corpse, and a corpse is no trouble for long.
                let fades = entry.fades.filter(|_| fact.name.starts_with("failed/") || &*fact.name == "job-failed");
                if let Some(fades) = fades {
                    let gone = since.plus(i64::from(fades) * SECOND);
                    if gone <= self.now {
                        continue;
                    }
                    wakes.push(gone);
                }
                // One that failed and was replaced is missed by nobody.
                if entry.category() == Category::Unknown && fact.name.starts_with("failed/") && self.is_replaced(slot) {
                    continue;
                }
                let Some((root, key)) = self.root_of(slot, id, &captures, "") else { continue };
                // Who waits is not what is to be looked at: then the object is a guess.
                let lost = entry.root == Root::ControlPlane && self.topology.kind(root) != "Node";
                candidates.push(Diagnosis {
                    cause: id,
                    key,
                    root,
                    confidence: entry.confidence() * if lost { 0.6 } else { 1.0 },
                    captures,
                    first: since,
                    last: since,
                    times: 0,
                    stated: true,
                    shown: true,
                    ripe,
                });
            }
        }
        if let Some(wake) = wakes.into_iter().min() {
            self.judge_at(slot, wake);
        }
        candidates
    }

    fn by_symptoms(&mut self, slot: Slot, standing: Standing) -> Vec<Diagnosis> {
        let Some(symptoms) = self.symptoms.get(&slot) else { return Vec::new() };
        let symptoms: Vec<Symptom> = symptoms.clone();
        if let Some(newest) = symptoms.iter().map(|symptom| symptom.last).max() {
            self.judge_at(slot, newest.plus(KEPT + 1));
        }
        let phase = self.phase(slot);
        let restarts = match &self.topology.entity(slot).detail {
            Detail::Pod { restarts, .. } => *restarts,
            Detail::None | Detail::Service { .. } | Detail::Workload { .. } | Detail::Node { .. } | Detail::Quota => 0,
        };
        let causes = Arc::clone(&self.causes);
        let mut wake: Option<Nanos> = None;
        let mut alive: Vec<&Symptom> = Vec::new();
        for symptom in &symptoms {
            let entry = causes.entry(symptom.cause());
            let until = match standing {
                Standing::Bad => symptom.last.plus(KEPT),
                Standing::Unseen => symptom.last.plus(QUIET),
                Standing::Good if entry.flaps && symptom.count >= 3 && (restarts > 0 || symptom.count >= 6) => {
                    symptom.last.plus(if matches!(entry.category(), Category::Crash | Category::Oom) { CRASHING } else { FLAPPING })
                }
                Standing::Good | Standing::Absent => continue,
            };
            if standing == Standing::Unseen && self.is_past(slot, entry, symptom.last) {
                continue;
            }
            // Probes fail while a container starts.
            let grown_up = self.topology.entity(slot).created.plus(STARTING);
            if standing == Standing::Bad
                && entry.category() == Category::Probe
                && symptom.count < 3
                && symptom.last < grown_up
                && self.now < grown_up
            {
                wake = Some(wake.map_or(grown_up, |wake| wake.min(grown_up)));
                continue;
            }
            let fits = entry.phase.is_none() || phase.is_none() || entry.phase == phase;
            if until < self.now || (standing == Standing::Bad && !fits) || !self.satisfied(slot, &entry.requires) {
                continue;
            }
            wake = Some(wake.map_or(until, |wake| wake.min(until)));
            alive.push(symptom);
        }
        if let Some(wake) = wake {
            self.judge_at(slot, wake.plus(1));
        }
        let newest = alive.iter().map(|symptom| symptom.last).max();
        let mut candidates = Vec::new();
        for symptom in alive {
            let id = symptom.cause();
            let entry = causes.entry(id);
            let Some((root, key)) = self.root_of(slot, id, &symptom.reported.captures, &symptom.host) else { continue };
            let overtaken = newest.is_some_and(|newest| newest.since(symptom.last) > OVERTAKEN);
            let unseen = standing == Standing::Unseen;
            // What keeps a pod from running is over when something says so, and else stands.
            let stands = symptom.first.plus(STANDS);
            let silent = symptom.last.plus(RETRIED);
            let standing_still = unseen && entry.is_obstacle() && self.now < silent;
            if standing_still {
                self.judge_at(slot, if stands > self.now { stands } else { silent });
            }
            // So often as the catalogue asks for is as good as often.
            let enough = symptom.reported.times.is_some_and(|times| symptom.count >= u64::from(times));
            let times =
                if enough || standing_still && stands <= self.now { symptom.count.max(super::incident::PERSISTENT) } else { symptom.count };
            candidates.push(Diagnosis {
                cause: id,
                key,
                root,
                confidence: entry.confidence() * if overtaken { 0.7 } else { 1.0 } * if unseen { 0.92 } else { 1.0 },
                captures: symptom.reported.captures.clone(),
                first: symptom.first,
                last: symptom.last,
                times,
                stated: !unseen,
                shown: true,
                ripe: true,
            });
        }
        candidates
    }

    /// Whether what an object is said to be is known from itself.
    pub(super) fn standing(&self, slot: Slot) -> Standing {
        let entity = self.topology.entity(slot);
        match entity.presence {
            Presence::Gone => Standing::Absent,
            Presence::Named if self.topology.is_covered(slot) => Standing::Absent,
            Presence::Named => Standing::Unseen,
            Presence::Present if !entity.facts.is_empty() => Standing::Bad,
            Presence::Present => {
                let tells = matches!(
                    self.topology.kind(slot),
                    "Pod"
                        | "Node"
                        | "Deployment"
                        | "StatefulSet"
                        | "DaemonSet"
                        | "ReplicaSet"
                        | "ReplicationController"
                        | "Job"
                        | "CronJob"
                        | "PersistentVolumeClaim"
                        | "PersistentVolume"
                        | "HorizontalPodAutoscaler"
                );
                match tells {
                    true if self.topology.kind(slot) == "Pod" && self.is_restarted(slot) && self.owner_is_bad(slot) => Standing::Bad,
                    true => Standing::Good,
                    false => Standing::Unseen,
                }
            }
        }
    }

    /// Whether what owns a pod is there and well.
    fn is_replaced(&self, pod: Slot) -> bool {
        let owner = self.topology.target(pod, Relation::OwnedBy).map(|owner| self.topology.entity(owner));
        owner.is_some_and(|owner| owner.presence == Presence::Present && owner.facts.is_empty())
    }

    /// A pod that is fine for a moment belongs to a workload that is not.
    fn owner_is_bad(&self, pod: Slot) -> bool {
        let owner = self.topology.workload(pod).filter(|&owner| owner != pod);
        owner.is_some_and(|owner| self.topology.entity(owner).facts.iter().any(|fact| &*fact.name == "unavailable"))
    }

    /// Whether Events about an object that was never seen, or the pods that it made since, say that its trouble is over.
    fn is_past(&self, slot: Slot, entry: &CauseEntry, last: Nanos) -> bool {
        let is_pod = self.topology.kind(slot) == "Pod";
        self.progress.get(&slot).is_some_and(|progress| progress.is_past(entry, is_pod, last))
            || !is_pod
                && self.topology.dependents(slot, Relation::OwnedBy).any(|owned| {
                    let owned = self.topology.entity(owned);
                    owned.presence == Presence::Present && owned.created >= last
                })
    }

    fn is_restarted(&self, slot: Slot) -> bool {
        matches!(self.topology.entity(slot).detail, Detail::Pod { restarts, .. } if restarts > 0)
    }

    /// How far a pod has come; nothing for other kinds and where it is not known.
    fn phase(&self, slot: Slot) -> Option<Phase> {
        let entity = self.topology.entity(slot);
        if entity.presence != Presence::Present || self.topology.kind(slot) != "Pod" {
            return None;
        }
        let named = |names: &[&str]| entity.facts.iter().any(|fact| names.contains(&&*fact.name));
        if named(&["unscheduled", "never-scheduled", "gated"]) {
            return Some(Phase::Scheduling);
        }
        let starting = entity.facts.iter().any(|fact| match fact.name.strip_prefix("waiting/") {
            Some(reason) => reason != "CrashLoopBackOff" && reason != "RunContainerError",
            None => &*fact.name == "creating",
        });
        Some(if starting { Phase::Starting } else { Phase::Running })
    }

    fn satisfied(&self, slot: Slot, requirements: &[Requirement]) -> bool {
        requirements.iter().all(|requirement| match requirement {
            Requirement::PodsMissing => {
                let entity = self.topology.entity(slot);
                entity.presence != Presence::Present
                    || entity.facts.iter().any(|fact| matches!(&*fact.name, "missing-replicas"))
                    || !matches!(
                        self.topology.kind(slot),
                        "ReplicaSet" | "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicationController"
                    )
            }
            Requirement::PullFails => {
                let facts = &self.topology.entity(slot).facts;
                facts.iter().any(|fact| matches!(&*fact.name, "waiting/ErrImagePull" | "waiting/ImagePullBackOff"))
            }
            // Seen from the pod that lacks the claim.
            Requirement::ClaimsMissing => false,
            // The scheduler looks at taints before labels: of a node with both amiss it tells the taint alone.
            Requirement::NodesLackLabels => self.topology.asked_for(slot).is_empty(),
            Requirement::ClaimNeeded => self
                .topology
                .dependents(slot, Relation::UsesClaim)
                .any(|pod| self.topology.entity(pod).facts.iter().any(|fact| matches!(&*fact.name, "unscheduled" | "creating"))),
        })
    }

    fn drop_old_symptoms(&mut self, slot: Slot) {
        let now = self.now;
        let Some(symptoms) = self.symptoms.get(&slot) else { return };
        if symptoms.iter().all(|symptom| symptom.last.plus(KEPT) < now) {
            self.forget_symptoms(slot);
        }
    }
}

impl Diagnosis {
    /// What decides between two.
    pub(super) fn rank(&self) -> f64 {
        self.confidence
    }

    fn join(&mut self, other: Self) {
        let surer =
            other.confidence > self.confidence || (other.confidence >= self.confidence && other.captures.len() > self.captures.len());
        let both = self.stated && other.stated && (self.times == 0) != (other.times == 0);
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.times = self.times.max(other.times);
        self.stated |= other.stated;
        self.ripe |= other.ripe;
        if surer {
            (self.confidence, self.captures, self.root) = (other.confidence, other.captures, other.root);
        }
        if both {
            self.confidence = (self.confidence + 0.02).min(0.97);
        }
    }
}
