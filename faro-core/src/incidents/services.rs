//! Services and what routes to them: their state lies in what they select.

use super::Incidents;
use crate::time::{Nanos, SECOND};
use crate::topology::{Detail, Fact, Presence, Relation, Slot};

/// A Service that was made a moment ago waits for its pods.
const NEW: i64 = 20 * SECOND;

/// How long ago an edit of a selector may lie.
const EDITED: i64 = 24 * 3_600 * SECOND;

impl Incidents {
    /// What is wrong with a Service or an Ingress.
    pub(super) fn states_of_routing(&mut self, slot: Slot) -> Vec<Fact> {
        let entity = self.topology.entity(slot);
        if entity.presence != Presence::Present {
            return Vec::new();
        }
        match (&entity.detail, self.topology.kind(slot)) {
            (Detail::Service { .. }, _) => self.states_of_service(slot).into_iter().collect(),
            (_, "Ingress" | "HTTPRoute" | "GRPCRoute" | "TLSRoute" | "TCPRoute") => self.missing_backends(slot),
            (Detail::Workload { wanted: 0, .. }, _) => self.serves_nothing(slot).into_iter().collect(),
            (Detail::Workload { calls, .. }, _) if !calls.is_empty() => self.calls_closed_port(slot).into_iter().collect(),
            _ => Vec::new(),
        }
    }

    fn states_of_service(&mut self, service: Slot) -> Option<Fact> {
        let pods = self.topology.selected(service);
        if pods.is_empty() {
            return self.selects_nothing(service);
        }
        let ready = |pod: &Slot| matches!(self.topology.entity(*pod).detail, Detail::Pod { ready: true, .. });
        if !pods.iter().any(ready) {
            let since = self.topology.entity(service).created;
            return Some(Fact::new("no-ready-endpoints", "none of the pods is ready", since));
        }
        self.port_not_served(service, &pods)
    }

    fn selects_nothing(&mut self, service: Slot) -> Option<Fact> {
        let entity = self.topology.entity(service);
        let (created, now) = (entity.created, self.now);
        let edit = entity.changes.iter().rev().find(|change| change.path.starts_with("spec.selector") && change.at.plus(EDITED) > now);
        if let Some(edit) = edit {
            return Some(Fact::new("selector-edited", format!("{} from {} to {}", edit.path, edit.from, edit.to), edit.at));
        }
        // Its workload has none, or none yet: that is the workload's matter.
        if !self.topology.meant_by(service).is_empty() {
            return Some(Fact::new("nothing-to-select", "no pod of its workload exists", created));
        }
        if created.plus(NEW) > now {
            self.judge_at(service, created.plus(NEW));
            return None;
        }
        // What has selected nothing for long is meant to, or missed by nobody.
        if created.plus(EDITED) < now {
            return None;
        }
        let (workload, label) = self.topology.nearly_selected(service)?;
        Some(Fact::new("selector-misses", format!("{label} ({})", self.topology.name(workload)), created))
    }

    /// A workload that was scaled away while a Service sends to it.
    fn serves_nothing(&self, workload: Slot) -> Option<Fact> {
        let services = self.services_of(workload).into_iter().filter(|&service| self.topology.selected(service).is_empty());
        let service = services.min_by(|a, b| self.topology.key(*a).cmp(&self.topology.key(*b)))?;
        let entity = self.topology.entity(workload);
        let scaled = entity.changes.iter().rev().find(|change| &*change.path == "spec.replicas").map(|change| change.at);
        let since = scaled.unwrap_or(entity.created);
        // What has had no replicas for long is meant to.
        (since.plus(EDITED) >= self.now).then(|| Fact::new("serves-nothing", self.topology.name(service), since))
    }

    /// A target port that no selected pod opens, where all of them tell which they open.
    fn port_not_served(&self, service: Slot, pods: &[Slot]) -> Option<Fact> {
        let entity = self.topology.entity(service);
        let Detail::Service { ports, .. } = &entity.detail else { return None };
        let first = pods.iter().min_by(|a, b| self.topology.key(**a).cmp(&self.topology.key(**b)))?;
        let all_told = pods.iter().all(|&pod| matches!(self.topology.entity(pod).detail, Detail::Pod { ports_told: true, .. }));
        let opened = |holds: &dyn Fn(&str, &str, &str) -> bool| {
            pods.iter().any(|&pod| {
                self.open_ports(pod).iter().any(|port| {
                    let (name, number) = port.split_once('=').unwrap_or(("", port));
                    let (number, protocol) = number.split_once('/').unwrap_or((number, "TCP"));
                    holds(name, number, protocol)
                })
            })
        };
        let open: Vec<&str> = self.open_ports(*first).iter().map(|port| port.trim_start_matches('=')).collect();
        let open = if open.is_empty() { "none".to_owned() } else { open.join(" ") };
        let edited =
            entity.changes.iter().rev().find(|change| change.path.starts_with("spec.ports")).map_or(entity.created, |change| change.at);
        for port in ports {
            let (own, target) = port.split_once('=').unwrap_or(("", port));
            let (target, protocol) = target.split_once('/').unwrap_or((target, "TCP"));
            let numeric = target.bytes().all(|byte| byte.is_ascii_digit());
            if opened(&|name, number, spoken| spoken == protocol && target == if numeric { number } else { name }) {
                continue;
            }
            if numeric && opened(&|_, number, _| number == target) {
                return Some(Fact::new("protocol-not-served", format!("{target}/{protocol}: {open}"), edited));
            }
            // A container may open ports that it does not tell. When it tells the Service's own, that is the one meant.
            let meant = !numeric || opened(&|_, number, spoken| number == own && spoken == protocol);
            if meant && (all_told || !numeric) {
                return Some(Fact::new("port-not-served", format!("{target}: {open}"), edited));
            }
        }
        None
    }

    fn open_ports(&self, pod: Slot) -> &[Box<str>] {
        match &self.topology.entity(pod).detail {
            Detail::Pod { ports, .. } => ports,
            Detail::None | Detail::Service { .. } | Detail::Workload { .. } | Detail::Node { .. } | Detail::Quota => &[],
        }
    }

    /// An address in a workload's environment that names a port which the Service does not have.
    fn calls_closed_port(&self, workload: Slot) -> Option<Fact> {
        let entity = self.topology.entity(workload);
        let Detail::Workload { calls, .. } = &entity.detail else { return None };
        let wrong = calls.iter().find(|address| {
            let (name, port) = address.split_once(':').unwrap_or((address, ""));
            let service = self.topology.in_place(workload, "Service", name).map(|service| &self.topology.entity(service).detail);
            let Some(Detail::Service { ports, .. }) = service else { return false };
            !ports.is_empty() && !ports.iter().any(|one| one.split_once('=').is_some_and(|(own, _)| own == port))
        })?;
        let edited = entity.changes.iter().rev().find(|change| change.path.contains(".env")).map_or(entity.created, |change| change.at);
        Some(Fact::new("calls-closed-port", wrong.clone(), edited))
    }

    fn missing_backends(&self, ingress: Slot) -> Vec<Fact> {
        let since = self.topology.entity(ingress).created;
        let missing =
            self.topology.refs_of(ingress).iter().filter(|(relation, _)| *relation == Relation::RoutesTo).filter(|&&(_, service)| {
                let gone = self.topology.entity(service).presence != Presence::Present;
                gone && self.topology.is_covered(service)
            });
        missing.map(|&(_, service)| Fact::new("backend-missing", self.topology.name(service), since.max(Nanos(0)))).collect()
    }
}
