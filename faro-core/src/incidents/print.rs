//! An incident as it is printed.

use super::Incidents;
use super::diagnosis::Diagnosis;
use super::incident::{Incident, Shown};
use crate::causes::{Remedy, Root, fill, one_line};
use crate::gvr::{Gvr, Link};
use crate::record::{
    Action, Affected, AffectedObject, Cause, Evidence, IncidentRecord, IncidentState, Members, PathStep, RootCause, Workload,
};
use crate::time::Nanos;
use crate::topology::{Presence, Relation, Slot};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// So many affected objects are printed.
const AFFECTED: usize = 20;

/// So many pieces of evidence are printed.
const EVIDENCE: usize = 10;

/// So many namespaces of one incident are told apart.
const NAMESPACES: usize = 1_000;

/// So many steps lead from a root to a symptom.
const STEPS: usize = 6;

/// Texts of evidence are cut here.
const TEXT: usize = 400;

/// What stands for what is not known.
const UNKNOWN: &str = "(unknown)";

impl Incidents {
    /// The record of an incident, without its identity.
    pub(super) fn describe(&self, incident: &Incident) -> Option<IncidentRecord> {
        let (slot, diagnosis) = self.spokesman(incident)?;
        let entry = self.causes.entry(diagnosis.cause);
        let root = self.narrowest_root(incident, diagnosis);
        let judged: Vec<(Slot, &Diagnosis)> = incident.members.iter().filter_map(|&slot| Some((slot, self.judged.get(&slot)?))).collect();
        let known = |moment: Nanos| if moment.0 <= 0 { None } else { Some(moment) };
        // What only suffers may have done so before.
        let first_of = |shown: bool| judged.iter().filter(|(_, one)| one.shown || !shown).filter_map(|(_, one)| known(one.first)).min();
        let first = first_of(true).or_else(|| first_of(false)).unwrap_or(self.now);
        let last = judged.iter().filter_map(|(_, one)| known(one.last)).max().unwrap_or(self.now).max(first);
        let members = self.members_in_order(&judged, root);
        let value = |name: &str| self.value(name, slot, diagnosis, root);
        let text = |template: &str| sentence(fill(template, Some(UNKNOWN), value).unwrap_or_default());
        let confidence = rounded(diagnosis.confidence.clamp(0.0, 0.97), 100.0);
        let affected = members.iter().take(AFFECTED).map(|&slot| self.affected(slot)).collect();
        let count = u64::try_from(members.len()).unwrap_or(u64::MAX);
        // Twice as many members weigh as much as two percent more confidence, up to a thousand.
        let weight = f64::from(count.max(1).ilog2().min(10)) * 2.0;
        let namespaces = judged.iter().map(|&(slot, _)| slot).chain([root]).map(|slot| self.topology.namespace(slot).to_owned());
        Some(IncidentRecord {
            cluster: self.topology.cluster(slot).to_owned(),
            id: 0,
            version: 0,
            shown_before: false,
            absorbed: false,
            state: IncidentState::Open,
            severity: entry.severity(),
            title: text(entry.title()),
            first_seen: first,
            last_seen: last,
            cause: Cause { code: entry.code().to_owned(), category: entry.category(), explanation: text(entry.explanation()), confidence },
            reopened: false,
            follows: None,
            root_cause: Some(self.root_cause(root, slot)),
            impact: self.impact(&members),
            affected: Affected { count, objects: affected },
            path: self.path(root, members.first().copied().unwrap_or(slot)),
            evidence: self.evidence(slot, diagnosis, &members),
            actions: entry.actions().iter().filter_map(|action| filled(action, &value)).collect(),
            members: Members::new(
                members.iter().map(|&slot| (self.topology.kind(slot), self.topology.namespace(slot), self.topology.name(slot))),
            ),
            score: rounded(confidence * 100.0 + weight + f64::from(entry.severity() as u8), 10.0),
            namespaces: namespaces
                .filter(|namespace| !namespace.is_empty())
                .collect::<BTreeSet<_>>()
                .into_iter()
                .take(NAMESPACES)
                .collect(),
        })
    }

    /// What was printed last, as resolved.
    pub(super) fn last_words(&self, incident: &Incident, shown: &Shown) -> Option<IncidentRecord> {
        let mut record = (**incident.last.as_ref()?).clone();
        (record.id, record.version, record.shown_before) = (shown.id, shown.version + 1, shown.passed);
        record.state = IncidentState::Resolved;
        record.severity = record.severity.max(shown.severity);
        record.last_seen = record.last_seen.max(record.first_seen).max(incident.last_of_left.unwrap_or(record.first_seen));
        Some(record)
    }

    /// One agent, when only one fails, else their daemon; the one workload that all members belong to, else the first that was hit.
    fn narrowest_root(&self, incident: &Incident, diagnosis: &Diagnosis) -> Slot {
        let roots: BTreeSet<Slot> = incident.members.iter().filter_map(|slot| Some(self.judged.get(slot)?.root)).collect();
        if roots.len() <= 1 {
            return diagnosis.root;
        }
        if self.causes.entry(diagnosis.cause).root == Root::Agent {
            return self.topology.workload(diagnosis.root).unwrap_or(diagnosis.root);
        }
        let judged = incident.members.iter().filter_map(|slot| self.judged.get(slot)).filter(|one| one.cause == diagnosis.cause);
        let mut weights: BTreeMap<Slot, (u64, Nanos)> = BTreeMap::new();
        for one in judged {
            let weight = weights.entry(one.root).or_insert((0, Nanos::MAX));
            *weight = (weight.0 + 1, weight.1.min(one.first));
        }
        let rank = |(slot, (count, first)): (&Slot, &(u64, Nanos))| (std::cmp::Reverse(*count), *first, self.topology.names(*slot));
        weights.iter().min_by_key(|&pair| rank(pair)).map_or(diagnosis.root, |(slot, _)| *slot)
    }

    /// The members besides the root, those that show the cause first, then by what depends on what, then by name.
    fn members_in_order(&self, judged: &[(Slot, &Diagnosis)], root: Slot) -> Vec<Slot> {
        let mut members: Vec<(bool, u8, Slot)> = judged
            .iter()
            .filter(|(slot, _)| *slot != root || judged.len() == 1)
            .map(|&(slot, one)| (!one.shown, super::level(self.topology.kind(slot)), slot))
            .collect();
        members.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)).then_with(|| self.topology.key(a.2).cmp(&self.topology.key(b.2))));
        members.into_iter().map(|(.., slot)| slot).collect()
    }

    fn root_cause(&self, root: Slot, spokesman: Slot) -> RootCause {
        let workload = self.topology.workload(root).or_else(|| {
            // What one workload's pods need and nobody else's belongs to it.
            (self.topology.kind(root) == "PersistentVolumeClaim").then(|| self.topology.workload(spokesman)).flatten()
        });
        RootCause {
            kind: self.topology.kind(root).to_owned(),
            namespace: self.topology.namespace(root).to_owned(),
            name: self.topology.name(root).to_owned(),
            uid: self.topology.entity(root).uid.to_string(),
            workload: workload.map(|workload| self.workload_of(workload)),
        }
    }

    fn workload_of(&self, workload: Slot) -> Workload<'static> {
        Workload {
            kind: Cow::Owned(self.topology.kind(workload).to_owned()),
            namespace: Cow::Owned(self.topology.namespace(workload).to_owned()),
            name: Cow::Owned(self.topology.name(workload).to_owned()),
        }
    }

    fn affected(&self, slot: Slot) -> AffectedObject {
        let entity = self.topology.entity(slot);
        AffectedObject {
            kind: self.topology.kind(slot).to_owned(),
            namespace: self.topology.namespace(slot).to_owned(),
            name: self.topology.name(slot).to_owned(),
            uid: entity.uid.to_string(),
            api_version: self.api_version(slot).to_owned(),
        }
    }

    fn api_version(&self, slot: Slot) -> &str {
        let entity = self.topology.entity(slot);
        if entity.has_api_version { self.topology.text(entity.api_version) } else { "" }
    }

    pub(super) fn link(&self, slot: Slot) -> String {
        let gvr = Gvr::of_reference(self.api_version(slot), self.topology.kind(slot));
        Link { gvr, namespace: self.topology.namespace(slot), name: self.topology.name(slot) }.to_string()
    }

    /// What stands for a name in braces.
    fn value(&self, name: &str, slot: Slot, diagnosis: &Diagnosis, root: Slot) -> Option<String> {
        if let Some(found) = diagnosis.captures.get(name) {
            return Some(found.clone());
        }
        let topology = &self.topology;
        let workload = || topology.workload(slot).or_else(|| topology.workload(root)).unwrap_or(slot);
        let text = match name {
            "name" => topology.name(root),
            "kind" => topology.kind(root),
            "namespace" => [root, slot].into_iter().map(|slot| topology.namespace(slot)).find(|namespace| !namespace.is_empty())?,
            "workload" => topology.name(workload()),
            "workloadKind" => topology.kind(workload()),
            "node" => topology.name(self.node_of(root, "").or_else(|| self.node_of(slot, ""))?),
            "pod" if topology.kind(slot) == "Pod" => topology.name(slot),
            "container" => self.container(slot)?,
            "job" => {
                let job = [slot, root].into_iter().chain(topology.target(slot, Relation::OwnedBy));
                topology.name(job.into_iter().find(|&slot| topology.kind(slot) == "Job")?)
            }
            "agent" if topology.kind(diagnosis.root) == "Pod" => topology.name(diagnosis.root),
            // Only these have revisions.
            "rollout" if matches!(topology.kind(workload()), "Deployment" | "StatefulSet" | "DaemonSet") => {
                return Some(format!("{}/{}", topology.kind(workload()).to_ascii_lowercase(), topology.name(workload())));
            }
            "rootName" => topology.name(root),
            "rootKind" => topology.kind(root),
            "rootNamespace" => topology.namespace(root),
            "rootWorkload" => topology.name(topology.workload(root)?),
            "rootWorkloadKind" => topology.kind(topology.workload(root)?),
            "detail" => return self.saying(slot, diagnosis),
            _ => return None,
        };
        Some(text.to_owned()).filter(|text| !text.is_empty())
    }

    /// What an object or a report about it says, where the pattern extracts nothing.
    fn saying(&self, slot: Slot, diagnosis: &Diagnosis) -> Option<String> {
        let reported = self.symptoms.get(&slot).and_then(|known| known.iter().find(|symptom| symptom.cause() == diagnosis.cause));
        let stated = || self.topology.entity(slot).facts.iter().map(|fact| &*fact.text).find(|text| !text.is_empty());
        reported.map(|symptom| &*symptom.message).or_else(stated).map(|text| one_line(cut(text)))
    }

    /// The container that a pod's state tells of.
    fn container(&self, slot: Slot) -> Option<&str> {
        let facts = &self.topology.entity(slot).facts;
        facts.iter().find_map(|fact| fact.text.strip_prefix("container ")?.split(' ').next())
    }

    /// What it means, in a sentence.
    fn impact(&self, members: &[Slot]) -> String {
        let of_kind = |kind: &str| members.iter().filter(|&&slot| self.topology.kind(slot) == kind).count();
        let workloads: BTreeSet<Slot> = members.iter().filter_map(|&slot| self.topology.workload(slot)).collect();
        let namespaces: BTreeSet<&str> =
            members.iter().map(|&slot| self.topology.namespace(slot)).filter(|name| !name.is_empty()).collect();
        let mut parts = Vec::new();
        match of_kind("Pod") {
            0 => {}
            1 => parts.push("1 pod".to_owned()),
            pods => parts.push(format!("{pods} pods")),
        }
        let mut names: Vec<&str> = workloads.iter().map(|&slot| self.topology.name(slot)).collect();
        names.sort_unstable();
        names.dedup();
        match &*names {
            [] => {}
            [one] => parts.push(one.to_string()),
            many => parts.push(format!("{} workloads", many.len())),
        }
        let mut services: Vec<&str> =
            members.iter().filter(|&&slot| self.topology.kind(slot) == "Service").map(|&slot| self.topology.name(slot)).collect();
        services.sort_unstable();
        let place = match namespaces.len() {
            0 => String::new(),
            1 => namespaces.first().map(|name| format!(" in {name}")).unwrap_or_default(),
            many => format!(" in {many} namespaces"),
        };
        let subject = match (parts.is_empty(), members.len()) {
            (false, _) => parts.join(" of "),
            (true, 1) => "1 object".to_owned(),
            (true, many) => format!("{many} objects"),
        };
        let verb = if subject.starts_with("1 ") || parts.len() == 1 && of_kind("Pod") == 0 && names.len() == 1 { "is" } else { "are" };
        match &*services {
            [] => format!("{subject}{place} {verb} affected."),
            [one] => format!("{subject}{place} {verb} affected; Service {one} is short of endpoints."),
            many => format!("{subject}{place} {verb} affected; {} Services are short of endpoints.", many.len()),
        }
    }

    /// The way from the root to a symptom: by what depends on what, else in one step.
    fn path(&self, root: Slot, symptom: Slot) -> Vec<PathStep> {
        if root == symptom {
            return Vec::new();
        }
        let step =
            |from: Slot, to: Slot, relation: &str| PathStep { from: self.link(from), to: self.link(to), relation: relation.to_owned() };
        // Breadth first from the symptom upwards; edges lead to what is depended on.
        let mut reached: BTreeMap<Slot, Option<(Slot, &'static str)>> = BTreeMap::from([(symptom, None)]);
        let mut edge = vec![symptom];
        for _ in 0..STEPS {
            let mut next = Vec::new();
            for slot in edge {
                for &(relation, to) in self.topology.refs_of(slot) {
                    if let std::collections::btree_map::Entry::Vacant(free) = reached.entry(to) {
                        free.insert(Some((slot, relation.effect())));
                        next.push(to);
                    }
                }
            }
            edge = next;
            if reached.contains_key(&root) {
                break;
            }
        }
        let mut steps = Vec::new();
        let mut at = root;
        while let Some(Some((to, relation))) = reached.get(&at) {
            steps.push(step(at, *to, relation));
            at = *to;
        }
        if steps.is_empty() {
            let relation = match self.topology.kind(root) {
                "ResourceQuota" => "limits",
                "Service" => "sends to",
                "Node" => "runs",
                _ => "affects",
            };
            steps.push(step(root, symptom, relation));
        }
        steps
    }

    /// Most telling first: what changed, what is reported of the cause, what the state says, and what the others say.
    fn evidence(&self, spokesman: Slot, diagnosis: &Diagnosis, members: &[Slot]) -> Vec<Evidence> {
        let mut found: Vec<Evidence> = Vec::new();
        let root = diagnosis.root;
        if self.topology.entity(root).presence == Presence::Gone {
            let timestamp = self.topology.entity(root).gone_at;
            found.push(Evidence { record: "object".to_owned(), link: self.link(root), timestamp, text: "it was deleted".to_owned() });
        }
        for change in self.topology.entity(root).changes.iter().rev() {
            let configuration = matches!(self.topology.kind(root), "ConfigMap" | "Secret");
            let text = if configuration {
                format!("{} changed", change.path)
            } else {
                format!("{} changed from {} to {}", change.path, shown(&change.from), shown(&change.to))
            };
            found.push(Evidence { record: "object".to_owned(), link: self.link(root), timestamp: change.at, text });
        }
        found.truncate(EVIDENCE / 2);
        for slot in [spokesman].into_iter().chain(members.iter().copied().filter(|&slot| slot != spokesman)).take(AFFECTED) {
            if found.len() >= EVIDENCE {
                break;
            }
            let mut symptoms: Vec<_> = self.symptoms.get(&slot).into_iter().flatten().collect();
            symptoms.sort_by_key(|symptom| (symptom.cause() != diagnosis.cause, std::cmp::Reverse(symptom.last), symptom.cause()));
            found.extend(symptoms.into_iter().take(3).map(|symptom| Evidence {
                record: "event".to_owned(),
                link: self.link(slot),
                timestamp: symptom.last,
                text: format!("{} ({} times): {}", symptom.reason, symptom.count, cut(&symptom.message)),
            }));
            let entity = self.topology.entity(slot);
            found.extend(entity.facts.iter().take(3).map(|fact| {
                let timestamp = [Nanos(fact.since), entity.created].into_iter().find(|moment| moment.0 > 0).unwrap_or(self.now);
                let text = if fact.text.is_empty() { fact.name.to_string() } else { format!("{}: {}", fact.name, cut(&fact.text)) };
                Evidence { record: "object".to_owned(), link: self.link(slot), timestamp, text }
            }));
        }
        let mut texts = BTreeSet::new();
        found.retain(|one| texts.insert((one.link.clone(), one.text.clone())));
        found.truncate(EVIDENCE);
        found
    }
}

/// An action with real names; none when one of them is missing or is nothing to put into a command.
fn filled(remedy: &Remedy, value: &impl Fn(&str) -> Option<String>) -> Option<Action> {
    let plain = |text: &str| {
        !text.is_empty() && !text.starts_with('-') && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._:/@-".contains(&byte))
    };
    let command = fill(&remedy.command, None, |name| {
        let text = value(name).filter(|text| plain(text))?;
        Some(if name.to_ascii_lowercase().ends_with("kind") { text.to_ascii_lowercase() } else { text })
    })?;
    let text = |template: &str| fill(template, Some(UNKNOWN), value).unwrap_or_default();
    Some(Action { title: text(&remedy.title), command, why: text(&remedy.why), read_only: remedy.read_only })
}

/// What a text quotes may bring a full stop of its own.
fn sentence(mut text: String) -> String {
    while text.ends_with("..") || text.ends_with("?.") || text.ends_with("!.") || text.ends_with("….") {
        text.pop();
    }
    text
}

fn rounded(value: f64, parts: f64) -> f64 {
    (value * parts).round() / parts
}

fn shown(text: &str) -> &str {
    if text.is_empty() { "nothing" } else { cut(text) }
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(TEXT)]
}
