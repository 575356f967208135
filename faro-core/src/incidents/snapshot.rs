//! What the stage remembers, by names.

use super::diagnosis::Diagnosis;
use super::incident::{Incident, Past, Shown};
use super::progress::Progress;
use super::symptoms::{SavedSymptom, Symptom};
use super::{Incidents, IncidentsConfig};
use crate::causes::{Captures, Causes};
use crate::record::IncidentRecord;
use crate::time::Nanos;
use crate::topology::{Detail, Slot, Topology, TopologySnapshot};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

type Names = (String, String, String, String);

/// What [`Incidents`] remembers.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct IncidentsSnapshot {
    now: i64,
    suspended: bool,
    topology: TopologySnapshot,
    symptoms: Vec<(Names, Vec<SavedSymptom>)>,
    progress: Vec<(Names, Progress)>,
    judged: Vec<(Names, SavedDiagnosis)>,
    incidents: Vec<SavedIncident>,
    past: BTreeMap<String, Past>,
    dirty: Vec<Names>,
    settle_at: Option<i64>,
    deadlines: Vec<(i64, Names)>,
    changed: Vec<String>,
    prints: Vec<(i64, String)>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
struct SavedIncident {
    key: String,
    shown: Option<Shown>,
    last: Option<IncidentRecord>,
    // What no reader of the record sees.
    namespaces: BTreeSet<String>,
    moved_to: Option<String>,
    last_of_left: Option<i64>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
struct SavedDiagnosis {
    code: String,
    key: String,
    root: Names,
    confidence: f64,
    captures: Captures,
    first: i64,
    last: i64,
    times: u64,
    stated: bool,
    shown: bool,
}

impl Incidents {
    pub(crate) fn snapshot(&self) -> IncidentsSnapshot {
        let names = |slot: Slot| self.topology.names(slot);
        let mut symptoms: Vec<(Names, Vec<SavedSymptom>)> =
            self.symptoms.iter().map(|(&slot, known)| (names(slot), known.iter().map(saved).collect())).collect();
        symptoms.sort_by(|a, b| a.0.cmp(&b.0));
        let mut progress: Vec<(Names, Progress)> = self.progress.iter().map(|(&slot, one)| (names(slot), *one)).collect();
        progress.sort_by(|a, b| a.0.cmp(&b.0));
        let mut judged: Vec<(Names, SavedDiagnosis)> =
            self.judged.iter().map(|(&slot, one)| (names(slot), self.saved_diagnosis(one))).collect();
        judged.sort_by(|a, b| a.0.cmp(&b.0));
        let mut dirty: Vec<Names> = self.dirty.iter().map(|&(_, slot)| names(slot)).collect();
        dirty.sort_unstable();
        let mut deadlines: Vec<(i64, Names)> = self.deadlines.iter().map(|&(at, slot)| (at.0, names(slot))).collect();
        deadlines.sort_unstable();
        IncidentsSnapshot {
            now: self.now.0,
            suspended: self.suspended,
            topology: self.topology.snapshot(),
            symptoms,
            progress,
            judged,
            incidents: self
                .incidents
                .iter()
                .map(|(key, incident)| SavedIncident {
                    key: key.clone(),
                    shown: incident.shown.clone(),
                    last: incident.last.as_deref().cloned(),
                    namespaces: incident.last.as_deref().map(|last| last.namespaces.clone()).unwrap_or_default(),
                    moved_to: incident.moved_to.clone(),
                    last_of_left: incident.last_of_left.map(|last| last.0),
                })
                .collect(),
            past: self.past.clone(),
            dirty,
            settle_at: self.settle_at.map(|at| at.0),
            deadlines,
            changed: self.changed.iter().cloned().collect(),
            prints: self.prints.iter().map(|(at, key)| (at.0, key.clone())).collect(),
        }
    }

    pub(crate) fn restore(config: IncidentsConfig, causes: Arc<Causes>, snapshot: IncidentsSnapshot) -> Self {
        let mut restored = Self::new(config, causes);
        restored.topology = Topology::restore(config.objects, snapshot.topology);
        (restored.now, restored.suspended) = (Nanos(snapshot.now), snapshot.suspended);
        for ((cluster, kind, namespace, name), known) in snapshot.symptoms {
            let Some(slot) = restored.topology.named(&cluster, &kind, &namespace, &name) else { continue };
            for one in known {
                let Some(reported) = restored.causes.reported(&one.reason, &one.message) else { continue };
                restored.add(
                    slot,
                    Symptom {
                        reason: one.reason.into(),
                        message: one.message.into(),
                        reported,
                        severity: one.severity,
                        first: Nanos(one.first),
                        last: Nanos(one.last),
                        count: one.count,
                        host: one.host.into(),
                        named: Vec::new(),
                    },
                );
            }
        }
        for (names, progress) in snapshot.progress {
            if let Some(slot) = restored.slot_of(&names) {
                restored.progress.insert(slot, progress);
            }
        }
        for SavedIncident { key, shown, last, namespaces, moved_to, last_of_left } in snapshot.incidents {
            let (last, last_of_left) = (last.map(|last| Box::new(IncidentRecord { namespaces, ..last })), last_of_left.map(Nanos));
            restored.incidents.insert(key, Incident { shown, last, moved_to, last_of_left, ..Incident::default() });
        }
        for (names, one) in snapshot.judged {
            let (Some(slot), Some(root), Some(cause)) =
                (restored.slot_of(&names), restored.slot_of(&one.root), restored.causes.id(&one.code))
            else {
                continue;
            };
            let diagnosis = Diagnosis {
                cause,
                key: one.key,
                root,
                confidence: one.confidence,
                captures: one.captures,
                first: Nanos(one.first),
                last: Nanos(one.last),
                times: one.times,
                stated: one.stated,
                shown: one.shown,
                ripe: true,
            };
            restored.assign(slot, Some(diagnosis));
        }
        restored.ended = snapshot.past.iter().map(|(key, past)| (past.ended, key.clone())).collect();
        restored.past = snapshot.past;
        for (at, names) in snapshot.deadlines {
            if let Some(slot) = restored.slot_of(&names) {
                restored.due.insert(slot, Nanos(at));
                restored.deadlines.insert((Nanos(at), slot));
            }
        }
        restored.dirty.clear();
        for names in snapshot.dirty {
            if let Some(slot) = restored.slot_of(&names) {
                restored.mark(slot);
            }
        }
        restored.settle_at = snapshot.settle_at.map(Nanos);
        restored.changed = snapshot.changed.into_iter().collect();
        restored.prints = snapshot.prints.into_iter().map(|(at, key)| (Nanos(at), key)).collect();
        restored.index();
        restored
    }

    /// What follows from the objects.
    fn index(&mut self) {
        for slot in self.topology.slots() {
            let kept = self.symptoms.contains_key(&slot) || self.judged.contains_key(&slot) || self.due.contains_key(&slot);
            let waits = self.dirty.contains(&(super::level(self.topology.kind(slot)), slot));
            self.topology.entity_mut(slot).watched = kept || waits;
            match &self.topology.entity(slot).detail {
                Detail::Quota => {
                    self.quotas.insert(slot);
                }
                Detail::Node { control_plane: true } => {
                    self.control_plane.insert(slot);
                }
                Detail::None | Detail::Node { .. } | Detail::Pod { .. } | Detail::Service { .. } | Detail::Workload { .. } => {}
            }
        }
    }

    fn slot_of(&mut self, (cluster, kind, namespace, name): &Names) -> Option<Slot> {
        self.topology.named(cluster, kind, namespace, name)
    }

    fn saved_diagnosis(&self, one: &Diagnosis) -> SavedDiagnosis {
        SavedDiagnosis {
            code: self.causes.entry(one.cause).code().to_owned(),
            key: one.key.clone(),
            root: self.topology.names(one.root),
            confidence: one.confidence,
            captures: one.captures.clone(),
            first: one.first.0,
            last: one.last.0,
            times: one.times,
            stated: one.stated,
            shown: one.shown,
        }
    }
}

fn saved(symptom: &Symptom) -> SavedSymptom {
    SavedSymptom {
        reason: symptom.reason.to_string(),
        message: symptom.message.to_string(),
        severity: symptom.severity,
        first: symptom.first.0,
        last: symptom.last.0,
        count: symptom.count,
        host: symptom.host.to_string(),
    }
}
