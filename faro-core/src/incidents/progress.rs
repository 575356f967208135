//! What Events tell of objects that were never seen: that they got on, and who owns them by their names.

use super::Incidents;
use crate::causes::{CauseEntry, Phase};
use crate::report::Report;
use crate::time::{Nanos, SECOND};
use crate::topology::{Presence, Relation, Slot};
use serde::{Deserialize, Serialize};

/// Containers that are being stopped fail their probes meanwhile, for as long as pods are given to end.
const ENDING: i64 = 60 * SECOND;

/// How long a report that a pod cannot be created, placed or started has to stand before it counts, when no report says that it got on.
pub(super) const STANDS: i64 = 20 * SECOND;

/// How long it stands without being reported again: everything that is tried again is tried at least every five minutes.
pub(super) const RETRIED: i64 = 6 * 60 * SECOND;

/// When an object was last reported to get on.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
pub(super) struct Progress {
    /// It got a node.
    scheduled: i64,
    /// It was started, made something, or is ready.
    started: i64,
    /// It was told to end.
    ended: i64,
}

impl Progress {
    /// Whether what was last reported at `last` is over by now.
    pub(super) const fn is_past(&self, entry: &CauseEntry, is_pod: bool, last: Nanos) -> bool {
        let started = self.started >= last.0;
        let on = match entry.phase {
            Some(Phase::Scheduling) => started || self.scheduled >= last.0,
            Some(Phase::Starting) => started,
            // A container that crashes is started again and again.
            Some(Phase::Running) => false,
            None => started && !is_pod,
        };
        on || self.ended != 0 && last.0 <= self.ended.saturating_add(ENDING)
    }
}

impl Incidents {
    /// Takes a report that an object got on, where no object tells its state.
    pub(super) fn note_progress(&mut self, cluster: &str, report: &Report<'_>) {
        let involved = report.involved();
        let at = report.last_seen.0;
        let (kind, name, progress) = match (report.reason(), involved.kind()) {
            ("Scheduled", kind) => (kind, involved.name(), Progress { scheduled: at, ..Progress::default() }),
            ("Started" | "NodeReady" | "ProvisioningSucceeded", kind) => {
                (kind, involved.name(), Progress { started: at, ..Progress::default() })
            }
            ("SuccessfulCreate", kind) => (kind, involved.name(), Progress { started: at, ..Progress::default() }),
            ("Killing", "Pod") if report.message().starts_with("Stopping container ") => {
                ("Pod", involved.name(), Progress { ended: at, ..Progress::default() })
            }
            ("SuccessfulDelete", _) => match crate::objects::child(report) {
                Some((kind, name)) => (kind, name, Progress { ended: at, ..Progress::default() }),
                None => return,
            },
            _ => return,
        };
        let namespace = if kind == "Node" { "" } else { involved.namespace() };
        let Some(slot) = self.topology.named(cluster, kind, namespace, name) else { return };
        if self.topology.entity(slot).presence == Presence::Present {
            return;
        }
        self.forget_later(slot);
        let room = self.progress.len() < self.config.reported.get() || self.progress.contains_key(&slot);
        if !room {
            return;
        }
        let known = self.progress.entry(slot).or_default();
        known.scheduled = known.scheduled.max(progress.scheduled);
        known.started = known.started.max(progress.started);
        known.ended = known.ended.max(progress.ended);
        if self.symptoms.contains_key(&slot) {
            self.mark(slot);
        }
    }

    /// Who owns a pod whose name has the form that a Deployment's or a `CronJob`'s pods have, where nothing better tells.
    pub(super) fn own_by_name(&mut self, cluster: &str, namespace: &str, pod: Slot) {
        if self.topology.entity(pod).presence == Presence::Present || self.topology.target(pod, Relation::OwnedBy).is_some() {
            return;
        }
        let name = self.topology.name(pod).to_owned();
        let Some((owner_kind, owner, top_kind, top)) = owners_by_name(&name) else { return };
        let Some(owner) = self.topology.named(cluster, owner_kind, namespace, owner) else { return };
        // Where such owners are seen and this one is not, the name only looks like it.
        if self.topology.entity(owner).presence != Presence::Present && self.topology.is_covered(owner) {
            self.topology.forget(owner);
            return;
        }
        self.topology.learn(pod, Relation::OwnedBy, owner);
        if let Some(top) = self.topology.named(cluster, top_kind, namespace, top) {
            self.topology.learn(owner, Relation::OwnedBy, top);
        }
    }
}

/// Kind and name of the owner and of the owner's owner.
///
/// The names are generated: `DEPLOYMENT-HASH-xxxxx` with the `pod-template-hash` (up to ten of the letters and digits that make no
/// words), `CRONJOB-MINUTES-xxxxx` with the minutes since 1970 (eight digits).
fn owners_by_name(pod: &str) -> Option<(&'static str, &str, &'static str, &str)> {
    let (owner, random) = pod.rsplit_once('-')?;
    let (top, hash) = owner.rsplit_once('-')?;
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let digits = hash.bytes().filter(u8::is_ascii_digit).count();
    if top.is_empty() || random.len() != 5 || !plain(random) || !plain(hash) {
        return None;
    }
    match (hash.len(), digits) {
        (8, 8) => Some(("Job", owner, "CronJob", top)),
        // Words have no digits.
        (6..=10, 1..) => Some(("ReplicaSet", owner, "Deployment", top)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_names_tell_their_owners() {
        check("web-7c9d8f6b5-x2x9z", Some("web"));
        check("order-api-6d4cf56db6-k8vqm", Some("order-api"));
        check("nightly-28432100-abcde", Some("nightly"));
        check("web-0", None);
        check("web-canary-green", None);
        check("web-7c9d8f6b5-x2x9zz", None);
        check("-7c9d8f6b5-x2x9z", None);
    }

    #[track_caller]
    fn check(pod: &str, want: Option<&str>) {
        assert_eq!(owners_by_name(pod).map(|(.., top)| top), want, "{pod}");
    }
}
