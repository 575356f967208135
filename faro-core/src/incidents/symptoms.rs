//! What Events report about objects, as far as it speaks for a cause.

use super::diagnosis::Standing;
use super::{Incidents, KEPT};
use crate::causes::{CauseId, Reported};
use crate::occurrences::News;
use crate::report::Report;
use crate::severity::Severity;
use crate::time::Nanos;
use crate::topology::{Presence, Relation, Slot};
use serde::{Deserialize, Serialize};

/// So many different reports about one object are kept, the latest.
const SYMPTOMS: usize = 12;

/// Messages are kept to this length.
const MESSAGE: usize = 1024;

/// Reports about one object that speak for one cause.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Symptom {
    pub(super) reason: Box<str>,
    pub(super) message: Box<str>,
    pub(super) reported: Reported,
    pub(super) severity: Severity,
    pub(super) first: Nanos,
    pub(super) last: Nanos,
    pub(super) count: u64,
    /// The node that reports.
    pub(super) host: Box<str>,
    /// What the report names, kept for as long as the report is.
    pub(super) named: Vec<Slot>,
}

/// A symptom by names, for a snapshot.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct SavedSymptom {
    pub(super) reason: String,
    pub(super) message: String,
    pub(super) severity: Severity,
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) count: u64,
    pub(super) host: String,
}

impl Incidents {
    /// Takes what an Event newly reports.
    pub(crate) fn report(&mut self, cluster: &str, report: &Report<'_>, severity: Severity, news: News) {
        self.learn(cluster, report);
        self.note_progress(cluster, report);
        if news.count() == 0 || report.last_seen.plus(KEPT) < self.now {
            return;
        }
        let involved = report.involved();
        if !self.causes.knows(report.reason()) {
            return;
        }
        // What is kept has to lead to the same cause after a restart.
        let message = &report.message()[..report.message().floor_char_boundary(MESSAGE)];
        let Some(reported) = self.causes.reported(report.reason(), message) else { return };
        let Some(slot) = self.involved(cluster, report) else { return };
        let symptom = Symptom {
            reason: report.reason().into(),
            message: message.into(),
            reported,
            severity,
            first: report.first_seen,
            last: report.last_seen,
            count: u64::from(news.count()),
            host: (*report.source().host).into(),
            named: Vec::new(),
        };
        if involved.kind() == "Pod"
            && !symptom.host.is_empty()
            && let Some(node) = self.topology.named(cluster, "Node", "", &symptom.host)
        {
            self.topology.learn(slot, Relation::RunsOn, node);
        }
        if involved.kind() == "Pod" {
            self.own_by_name(cluster, involved.namespace(), slot);
        }
        if !self.adds_up(slot, &symptom) {
            self.add(slot, symptom);
            self.mark(slot);
        }
    }

    /// Takes more of the only report about an object whose own state is bad and that is judged by that: what it is due to stays, only
    /// how often and until when is new. That is nearly every report of a storm.
    fn adds_up(&mut self, slot: Slot, more: &Symptom) -> bool {
        let stated = self.standing(slot) == Standing::Bad;
        let (Some(judged), Some([only])) = (self.judged.get_mut(&slot), self.symptoms.get_mut(&slot).map(Vec::as_mut_slice)) else {
            return false;
        };
        let same = only.reason == more.reason && only.reported == more.reported && only.host == more.host;
        let later = only.first <= more.first && only.last <= more.last && only.severity >= more.severity;
        if !(stated && same && later && judged.cause == more.reported.cause && judged.times > 0) {
            return false;
        }
        self.reported.remove(&(only.last, slot));
        self.reported.insert((more.last, slot));
        if (more.last, &more.message) >= (only.last, &only.message) {
            only.message.clone_from(&more.message);
        }
        only.last = more.last;
        only.count += more.count;
        judged.times = judged.times.max(only.count);
        judged.last = judged.last.max(more.last);
        true
    }

    /// The object that an Event is about. Some producers give nodes a namespace.
    fn involved(&mut self, cluster: &str, report: &Report<'_>) -> Option<Slot> {
        let involved = report.involved();
        let namespace = if involved.kind() == "Node" { "" } else { involved.namespace() };
        self.topology.named(cluster, involved.kind(), namespace, involved.name())
    }

    /// What a report names exists, also where it was not seen: a quota that refuses, a node that reports.
    fn name(&mut self, slot: Slot, symptom: &mut Symptom) {
        let (cluster, _, namespace, _) = self.topology.names(slot);
        let quota =
            symptom.reported.captures.get("quota").and_then(|quota| self.topology.named(&cluster, "ResourceQuota", &namespace, quota));
        let node = self.topology.named(&cluster, "Node", "", &symptom.host);
        let of_service = |word: &str| symptom.reported.captures.get(word).map_or("", String::as_str);
        let service = self.topology.named(&cluster, "Service", of_service("place"), of_service("service"));
        symptom.named = quota.into_iter().chain(node).chain(service).collect();
        for &named in &symptom.named {
            self.topology.entity_mut(named).pins += 1;
        }
    }

    fn release(&mut self, symptom: Symptom) {
        for named in symptom.named {
            let entity = self.topology.entity_mut(named);
            entity.pins = entity.pins.saturating_sub(1);
            self.topology.forget(named);
        }
    }

    pub(super) fn add(&mut self, slot: Slot, mut symptom: Symptom) {
        self.name(slot, &mut symptom);
        let mut released = Vec::new();
        let known = self.symptoms.entry(slot).or_default();
        if let Some(newest) = known.iter().map(|symptom| symptom.last).max() {
            self.reported.remove(&(newest, slot));
        }
        match known.iter_mut().find(|one| one.reason == symptom.reason && one.reported.cause == symptom.reported.cause) {
            Some(same) => {
                // The latest message, whichever arrives first.
                if (symptom.last, &symptom.message) >= (same.last, &same.message) {
                    std::mem::swap(&mut same.message, &mut symptom.message);
                    std::mem::swap(&mut same.reported, &mut symptom.reported);
                    std::mem::swap(&mut same.host, &mut symptom.host);
                    std::mem::swap(&mut same.named, &mut symptom.named);
                }
                same.first = same.first.min(symptom.first);
                same.last = same.last.max(symptom.last);
                same.count += symptom.count;
                same.severity = same.severity.max(symptom.severity);
                released.push(symptom);
            }
            None => {
                known.push(symptom);
                known.sort_by(|a, b| (a.reported.cause, &a.reason).cmp(&(b.reported.cause, &b.reason)));
                if known.len() > SYMPTOMS
                    && let Some(oldest) = (0..known.len()).min_by_key(|&place| known[place].last)
                {
                    released.push(known.remove(oldest));
                }
            }
        }
        if let Some(newest) = known.iter().map(|symptom| symptom.last).max() {
            self.reported.insert((newest, slot));
        }
        released.into_iter().for_each(|symptom| self.release(symptom));
        self.topology.entity_mut(slot).watched = true;
        if self.symptoms.len() > self.config.reported.get()
            && let Some(&(_, oldest)) = self.reported.first()
        {
            self.forget_symptoms(oldest);
            self.mark(oldest);
        }
    }

    pub(super) fn forget_symptoms(&mut self, slot: Slot) {
        if let Some(known) = self.symptoms.remove(&slot)
            && let Some(newest) = known.iter().map(|symptom| symptom.last).max()
        {
            self.reported.remove(&(newest, slot));
            known.into_iter().for_each(|symptom| self.release(symptom));
        }
    }

    /// Learns who owns what and what runs where, where no object tells.
    fn learn(&mut self, cluster: &str, report: &Report<'_>) {
        let involved = report.involved();
        if let Some((kind, name)) = crate::objects::child(report)
            && let Some(child) = self.topology.named(cluster, kind, involved.namespace(), name)
            && let Some(owner) = self.topology.named(cluster, involved.kind(), involved.namespace(), involved.name())
        {
            self.topology.learn(child, Relation::OwnedBy, owner);
            self.forget_later(child);
        }
        if report.reason() == "Scheduled"
            && let Some((_, node)) = report.message().rsplit_once(" to ")
            && let Some(pod) = self.topology.named(cluster, "Pod", involved.namespace(), involved.name())
            && let Some(node) = self.topology.named(cluster, "Node", "", node.trim())
        {
            self.topology.learn(pod, Relation::RunsOn, node);
            self.forget_later(pod);
        }
    }

    /// What only Events name is kept for as long as reports are.
    pub(super) fn forget_later(&mut self, slot: Slot) {
        if self.topology.entity(slot).presence != Presence::Present {
            self.topology.entity_mut(slot).watched = true;
            self.judge_at(slot, self.now.plus(KEPT));
        }
    }
}

impl Symptom {
    pub(super) fn cause(&self) -> CauseId {
        self.reported.cause
    }
}
