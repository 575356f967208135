//! What is the matter with what an object depends on, and with what depends on it.

use super::Incidents;
use super::diagnosis::Diagnosis;
use crate::causes::{Captures, CauseId, Root, Scope, Told};
use crate::record::Category;
use crate::time::{Nanos, SECOND};
use crate::topology::{Detail, Presence, Relation, Slot};

/// Clocks and whole seconds: so much later than its effect a cause may be written.
const SLACK: i64 = 2 * SECOND;

/// What changed so shortly before is the likelier for it.
pub(super) const JUST_BEFORE: i64 = 300 * SECOND;

/// What is called may have been down for so long before who calls it fails: longer ago, the caller has lived with it.
const CALLED_LAG: i64 = 3_600 * SECOND;

/// So much less sure a cause elsewhere may be and still explain what an object shows itself.
const DOUBT: f64 = 0.1;

/// So much later than its pods' trouble a node may be declared lost: the controller waits for its grace period.
const NODE_LAG: i64 = 120 * SECOND;

/// How the taints begin that the controllers put on a node for its conditions.
const CONDITION: &str = "node.kubernetes.io/";

impl Incidents {
    /// Causes at neighbours that explain what an object shows.
    pub(super) fn at_neighbours(&self, slot: Slot, own: &Diagnosis, first: Nanos) -> Vec<Diagnosis> {
        let category = self.causes.entry(own.cause).category();
        let mut found = Vec::new();
        for &(relation, to) in self.topology.refs_of(slot) {
            if let Some(theirs) = self.judged.get(&to)
                && !matches!(relation, Relation::OwnedBy | Relation::Calls)
                && self.causes.entry(theirs.cause).explains(category)
                && (relation != Relation::RunsOn || theirs.first <= first.plus(NODE_LAG))
            {
                found.push(suffered(theirs));
            }
            if matches!(relation, Relation::ReadsConfig | Relation::ReadsSecret | Relation::ActsAs | Relation::UsesClaim) {
                found.extend(self.in_change(to, category, first));
            }
        }
        if let Some(workload) = self.topology.workload(slot).filter(|_| self.topology.kind(slot) == "Pod") {
            // A pod of the version before shows nothing of a change of the template.
            let made = self.topology.entity(slot).created;
            found.extend(self.in_change(workload, category, first).filter(|change| made.0 <= 0 || made.plus(SLACK) >= change.first));
        }
        if self.causes.entry(own.cause).code() == "claim-missing" {
            found.extend(self.in_storage_quota(slot, own));
        }
        found.extend(self.at_tainted(slot, own, first));
        found.extend(self.among_dependents(slot, category));
        found.sort_by(|a, b| a.confidence.total_cmp(&b.confidence).then_with(|| b.key.cmp(&a.key)));
        found
    }

    /// A Service that it calls has had nothing behind it since shortly before, for a reason of its own: then what it shows is a
    /// consequence. What the program says itself about why it ended is the surer, unless it speaks of a connection.
    pub(super) fn at_called(&self, slot: Slot, own: &Diagnosis, first: Nanos) -> Option<Diagnosis> {
        if !is_soft(self.causes.entry(own.cause).category()) {
            return None;
        }
        let workload = self.topology.workload(slot)?;
        let called = self.topology.refs_of(workload).iter().filter(|(relation, _)| *relation == Relation::Calls);
        let down = called.filter_map(|&(_, service)| self.judged.get(&service)).filter(|theirs| {
            let before = theirs.first <= first.plus(SLACK);
            // Since when a Service is without pods is known only where its making or an edit tells.
            let lately = first.since(theirs.first) <= CALLED_LAG || theirs.confidence > own.confidence;
            let surer = theirs.confidence + DOUBT >= own.confidence;
            theirs.key != own.key && before && lately && surer && !is_soft(self.causes.entry(theirs.cause).category())
        });
        let best = down.max_by(|a, b| a.confidence.total_cmp(&b.confidence).then_with(|| b.key.cmp(&a.key)))?;
        Some(suffered(best))
    }

    /// A change of something that is read, shortly before.
    fn in_change(&self, to: Slot, category: Category, first: Nanos) -> Option<Diagnosis> {
        let entity = self.topology.entity(to);
        let kind = self.topology.kind(to);
        let mut best: Option<Diagnosis> = None;
        for (id, entry) in self.causes.ids().filter(|(_, entry)| entry.of_changes() && entry.explains(category)) {
            let in_time = |at: Nanos| at <= first.plus(SLACK) && first.since(at) <= i64::from(entry.lag()) * SECOND;
            let deleted = entity.presence == Presence::Gone && in_time(entity.gone_at) && entry.change(kind, "deleted");
            let change = entity.changes.iter().rev().find(|change| in_time(change.at) && entry.change(kind, &change.path));
            let (at, text) = match (deleted, change) {
                (true, _) => (entity.gone_at, "deleted".to_owned()),
                (false, Some(change)) => (change.at, told(kind, change)),
                (false, None) => continue,
            };
            // The shorter the time between them, the likelier.
            let close = if first.since(at) <= JUST_BEFORE { 0.0 } else { 0.1 };
            // Of a Secret only that something of it changed is known, which a label is too.
            let doubt = if kind == "Secret" && !deleted { 0.3 } else { 0.0 };
            let confidence = entry.confidence() - close - doubt;
            if best.as_ref().is_some_and(|best| best.confidence >= confidence) {
                continue;
            }
            best = Some(Diagnosis {
                cause: id,
                key: self.key_of(to),
                root: to,
                confidence,
                captures: Captures::from([("change".to_owned(), text)]),
                first: at,
                last: at,
                times: 0,
                stated: true,
                shown: false,
                ripe: true,
            });
        }
        best
    }

    /// What is the matter with the nodes that a pod asks for, where a taint keeps it off them because of that.
    fn at_tainted(&self, pod: Slot, own: &Diagnosis, first: Nanos) -> Option<Diagnosis> {
        let entry = self.causes.entry(own.cause);
        // Newer schedulers do not name the taint; that each of the nodes is unwell tells as much.
        let named = own.captures.get("taint").is_none_or(|taint| taint.starts_with(CONDITION));
        if !matches!(entry.code(), "taint-not-tolerated" | "nodes-unusable") || !named {
            return None;
        }
        let mut worst: Option<&Diagnosis> = None;
        for node in self.topology.asked_for(pod) {
            let theirs = self.judged.get(&node)?;
            if !self.causes.entry(theirs.cause).explains(entry.category()) || theirs.first > first.plus(NODE_LAG) {
                return None;
            }
            let rank = |one: &Diagnosis| (one.confidence, std::cmp::Reverse(one.key.clone()));
            if worst.is_none_or(|worst| rank(theirs) > rank(worst)) {
                worst = Some(theirs);
            }
        }
        // The scheduler says so, too.
        worst.map(|worst| Diagnosis { confidence: worst.confidence.max(own.confidence), ..suffered(worst) })
    }

    /// A claim is missing, and a quota of the namespace has too little left for it.
    fn in_storage_quota(&self, pod: Slot, own: &Diagnosis) -> Option<Diagnosis> {
        let id = self.causes.id("quota-claim-refused")?;
        let entry = self.causes.entry(id);
        let place = self.topology.entity(pod).place;
        let mut quotas: Vec<Slot> = self.quotas.iter().copied().filter(|&quota| self.topology.entity(quota).place == place).collect();
        quotas.sort_by(|a, b| self.topology.key(*a).cmp(&self.topology.key(*b)));
        quotas.into_iter().find_map(|quota| {
            let fact = self.topology.entity(quota).facts.iter().find(|fact| {
                matches!(&*fact.name, "quota-tight" | "quota-full")
                    && (fact.text.contains("storage") || fact.text.contains("persistentvolumeclaims"))
            })?;
            let (captures, _) = entry.state(&fact.name, &Told::new(&fact.name, &fact.text))?;
            let confidence = entry.confidence();
            Some(Diagnosis {
                cause: id,
                key: self.key_of(quota),
                root: quota,
                confidence,
                captures,
                shown: false,
                ripe: true,
                ..own.clone()
            })
        })
    }

    /// A workload suffers from what its pods have, a Service from what the pods have that it sends to.
    fn among_dependents(&self, slot: Slot, category: Category) -> Option<Diagnosis> {
        let consequence = matches!(category, Category::Unknown | Category::Rollout | Category::Scaling | Category::Network);
        if !consequence {
            return None;
        }
        let dependents: Vec<Slot> = match self.topology.kind(slot) {
            "Service" => {
                let mut meant = self.topology.selected(slot);
                meant.extend(self.topology.meant_by(slot));
                meant
            }
            "Ingress" => self.topology.refs_of(slot).iter().map(|&(_, to)| to).collect(),
            "HorizontalPodAutoscaler" => self.topology.target(slot, Relation::Scales).into_iter().collect(),
            _ => self.topology.dependents(slot, Relation::OwnedBy).collect(),
        };
        let judged = dependents.into_iter().filter_map(|dependent| self.judged.get(&dependent));
        let best = judged
            .max_by(|a, b| a.confidence.total_cmp(&b.confidence).then_with(|| b.key.cmp(&a.key)).then_with(|| b.cause.cmp(&a.cause)))?;
        Some(suffered(best))
    }

    /// The object to look at first for a cause that shows at an object, and what makes it one incident with others.
    pub(super) fn root_of(&self, slot: Slot, cause: CauseId, captures: &Captures, host: &str) -> Option<(Slot, String)> {
        let entry = self.causes.entry(cause);
        let workload = || self.topology.workload(slot).unwrap_or(slot);
        let root = match entry.root {
            Root::Itself => slot,
            Root::Workload => workload(),
            Root::Node => self.node_of(slot, host).unwrap_or(slot),
            Root::Quota => {
                let quota = captures.get("quota")?;
                self.topology.in_place(slot, "ResourceQuota", quota).unwrap_or(slot)
            }
            Root::Agent => match self.agent_of(slot, host, captures) {
                Some(agent) => agent,
                None => self.node_of(slot, host).unwrap_or(slot),
            },
            Root::Service => self.service_named(slot, captures).unwrap_or_else(workload),
            Root::ControlPlane => self.control_plane_node(slot).unwrap_or_else(workload),
            Root::Config => return None,
        };
        let cluster = self.topology.cluster(slot);
        let key = match &entry.scope {
            Scope::Root => match ["image", "config", "secret", "account"].into_iter().find_map(|word| captures.get(word)) {
                // Of pods whose workload nobody tells, those that lack one thing belong together.
                Some(word) if self.topology.kind(root) == "Pod" => {
                    format!("{}\u{1f}{}:{word}", self.topology.key(root).0, entry.code())
                }
                Some(_) | None => self.key_of(root),
            },
            Scope::Cause => match captures.get("resource") {
                Some(resource) => format!("{cluster}\u{1f}{}:{resource}", entry.code()),
                None => format!("{cluster}\u{1f}{}", entry.code()),
            },
            Scope::Word(word) => match captures.get(&**word) {
                Some(found) => format!("{cluster}\u{1f}{word}:{found}"),
                None => self.key_of(root),
            },
            Scope::Agent => match self.topology.workload(root) {
                Some(daemon) => self.key_of(daemon),
                None => {
                    let word = captures.get("plugin").or_else(|| captures.get("driver")).map_or("", String::as_str);
                    format!("{cluster}\u{1f}agent:{word}")
                }
            },
        };
        Some((root, key))
    }

    /// The Service that a text names by `service` and `place`, its namespace.
    fn service_named(&self, slot: Slot, captures: &Captures) -> Option<Slot> {
        let (service, place) = (captures.get("service")?, captures.get("place")?);
        self.topology.find(self.topology.cluster(slot), "Service", place, service)
    }

    pub(super) fn key_of(&self, slot: Slot) -> String {
        let (place, kind, name) = self.topology.key(slot);
        format!("{place}\u{1f}{kind}\u{1f}{name}")
    }

    /// The node that an object runs on, or that reports about it.
    pub(super) fn node_of(&self, slot: Slot, host: &str) -> Option<Slot> {
        if self.topology.kind(slot) == "Node" {
            return Some(slot);
        }
        self.topology.target(slot, Relation::RunsOn).or_else(|| self.topology.find(self.topology.cluster(slot), "Node", "", host))
    }

    /// The daemon's pod on the node of an object, by the name that the message gives the daemon.
    fn agent_of(&self, slot: Slot, host: &str, captures: &Captures) -> Option<Slot> {
        let node = self.node_of(slot, host)?;
        let word = captures.get("plugin").or_else(|| captures.get("driver"))?.to_ascii_lowercase();
        let stem = word.split(['-', '.', '/']).find(|part| part.len() > 2).unwrap_or(&word).to_owned();
        let named = |pod: Slot| {
            // A DaemonSet owns its pods itself.
            let daemon = self.topology.target(pod, Relation::OwnedBy).filter(|&daemon| self.topology.kind(daemon) == "DaemonSet")?;
            let name = self.topology.name(daemon).to_ascii_lowercase();
            (name.contains(&word) || name.split(['-', '.']).any(|part| part == stem)).then_some((name.len(), pod))
        };
        let pods = self.topology.dependents(node, Relation::RunsOn).filter_map(named);
        pods.min_by(|a, b| (a.0, self.topology.key(a.1)).cmp(&(b.0, self.topology.key(b.1)))).map(|(_, pod)| pod)
    }

    /// The node of the control plane, the first by name.
    fn control_plane_node(&self, slot: Slot) -> Option<Slot> {
        let cluster = self.topology.cluster(slot);
        let nodes = self.control_plane.iter().copied().filter(|&node| self.topology.cluster(node) == cluster);
        nodes.min_by(|a, b| self.topology.key(*a).cmp(&self.topology.key(*b)))
    }

    /// The Services whose selector means the pods of a workload.
    pub(super) fn services_of(&self, workload: Slot) -> Vec<Slot> {
        let Detail::Workload { template, .. } = &self.topology.entity(workload).detail else { return Vec::new() };
        self.topology.selecting_labels(workload, template)
    }
}

/// Whether what calls something that is down looks like this.
pub(super) const fn is_soft(category: Category) -> bool {
    matches!(category, Category::Crash | Category::Probe | Category::Unknown | Category::Rollout | Category::Load)
}

fn suffered(theirs: &Diagnosis) -> Diagnosis {
    Diagnosis { shown: false, ..theirs.clone() }
}

/// A change in a few words; of configuration only which keys.
fn told(kind: &str, change: &crate::topology::Change) -> String {
    if matches!(kind, "ConfigMap" | "Secret") {
        return change.path.to_string();
    }
    let shown = |text: &str| if text.is_empty() { "nothing".to_owned() } else { text[..text.floor_char_boundary(80)].to_owned() };
    format!("{} from {} to {}", change.path, shown(&change.from), shown(&change.to))
}
