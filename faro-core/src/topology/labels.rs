//! Selectors and the pods and nodes they select.

use super::{Detail, Presence, Slot, Topology};

/// The longest value that the API allows for a label.
const LABEL: usize = 63;

impl Topology {
    pub(super) fn set_labels(&mut self, slot: Slot, labels: &[String]) {
        let place = self.entities[slot].place;
        if self.has_labels(slot, labels) {
            return;
        }
        let new: Box<[u32]> = labels.iter().map(|label| self.symbols.acquire(label)).collect();
        let old = std::mem::replace(&mut self.entities[slot].labels, new.clone());
        for &label in &old {
            self.labelled.remove(&(place, label, slot));
        }
        for &label in &new {
            self.labelled.insert((place, label, slot));
        }
        for label in old {
            self.symbols.release(label);
        }
    }

    /// Whether an object has exactly these labels, in this order.
    pub(crate) fn has_labels(&self, slot: Slot, labels: &[String]) -> bool {
        let known = &self.entities[slot].labels;
        known.len() == labels.len() && known.iter().zip(labels).all(|(&label, text)| self.text(label) == text)
    }

    pub(super) fn set_detail(&mut self, slot: Slot, detail: Detail) {
        let place = self.entities[slot].place;
        let old = std::mem::replace(&mut self.entities[slot].detail, detail);
        let (before, now) = (indexed(&old).to_vec(), indexed(&self.entities[slot].detail).to_vec());
        if before == now && std::mem::discriminant(&old) == std::mem::discriminant(&self.entities[slot].detail) {
            return;
        }
        let templated = |detail: &Detail| matches!(detail, Detail::Workload { .. });
        let (was_template, is_template) = (templated(&old), templated(&self.entities[slot].detail));
        for label in now {
            let label = self.symbols.acquire(&label);
            let index = if is_template { &mut self.templated } else { &mut self.selecting };
            if !index.insert((place, label, slot)) {
                self.symbols.release(label);
            }
        }
        for label in before.iter().filter(|label| was_template != is_template || !indexed(&self.entities[slot].detail).contains(label)) {
            let Some(label) = self.symbols.find(label) else { continue };
            let index = if was_template { &mut self.templated } else { &mut self.selecting };
            if index.remove(&(place, label, slot)) {
                self.symbols.release(label);
            }
        }
    }

    /// The Services that would send to pods with these labels, in no particular order.
    pub(crate) fn selecting_labels(&self, near: Slot, labels: &[Box<str>]) -> Vec<Slot> {
        let place = self.entities[near].place;
        let symbols = labels.iter().filter_map(|label| self.symbols.find(label));
        let services =
            symbols.flat_map(|label| self.selecting.range((place, label, 0)..=(place, label, Slot::MAX)).map(|&(.., slot)| slot));
        services
            .filter(|&service| matches!(&self.entities[service].detail, Detail::Service { selector, .. } if matches(selector, labels)))
            .collect()
    }

    /// The workloads whose pods a Service means, whether there are any, in no particular order.
    pub(crate) fn meant_by(&self, service: Slot) -> Vec<Slot> {
        let Detail::Service { selector, .. } = &self.entities[service].detail else { return Vec::new() };
        let place = self.entities[service].place;
        let Some(first) = selector.first().and_then(|label| self.symbols.find(label)) else { return Vec::new() };
        let workloads = self.templated.range((place, first, 0)..=(place, first, Slot::MAX)).map(|&(.., slot)| slot);
        workloads
            .filter(|&slot| matches!(&self.entities[slot].detail, Detail::Workload { template, .. } if matches(selector, template)))
            .collect()
    }

    /// The pods that a Service selects, in no particular order.
    pub(crate) fn selected(&self, service: Slot) -> Vec<Slot> {
        let Detail::Service { selector, .. } = &self.entities[service].detail else { return Vec::new() };
        let place = self.entities[service].place;
        let symbols: Option<Vec<u32>> = selector.iter().map(|label| self.symbols.find(label)).collect();
        let Some(symbols) = symbols.filter(|symbols| !symbols.is_empty()) else { return Vec::new() };
        self.holding(place, &symbols).collect()
    }

    /// The nodes that have all the labels which a pod asks for, in no particular order; none where either is unknown.
    pub(crate) fn asked_for(&self, pod: Slot) -> Vec<Slot> {
        let Detail::Pod { asks, .. } = &self.entities[pod].detail else { return Vec::new() };
        let Some(place) = self.symbols.find(&super::place_of(self.cluster(pod), "")) else { return Vec::new() };
        let symbols: Option<Vec<u32>> = asks.iter().map(|label| self.symbols.find(label)).collect();
        let Some(symbols) = symbols.filter(|symbols| !symbols.is_empty()) else { return Vec::new() };
        self.holding(place, &symbols).filter(|&slot| matches!(self.entities[slot].detail, Detail::Node { .. })).collect()
    }

    /// The objects of a place that have all of these labels, of which there is one at least.
    fn holding(&self, place: u32, labels: &[u32]) -> impl Iterator<Item = Slot> {
        let with_first = self.labelled.range((place, labels[0], 0)..=(place, labels[0], Slot::MAX)).map(|&(.., slot)| slot);
        with_first.filter(|&slot| labels.iter().all(|label| self.entities[slot].labels.contains(label)))
    }

    /// The Services that select a pod, in no particular order.
    pub(crate) fn selecting(&self, pod: Slot) -> Vec<Slot> {
        let entity = &self.entities[pod];
        let mut services = Vec::new();
        for &label in &entity.labels {
            for &(.., service) in self.selecting.range((entity.place, label, 0)..=(entity.place, label, Slot::MAX)) {
                if let Detail::Service { selector, .. } = &self.entities[service].detail
                    && selector.iter().all(|label| self.symbols.find(label).is_some_and(|label| entity.labels.contains(&label)))
                {
                    services.push(service);
                }
            }
        }
        services
    }

    /// A workload in the same place, and what of its pods' labels the selector misses by little: the same key with a value that is
    /// meant to be the same, or a label of pods that the Service is named after.
    pub(crate) fn nearly_selected(&self, service: Slot) -> Option<(Slot, String)> {
        let Detail::Service { selector, .. } = &self.entities[service].detail else { return None };
        let place = self.entities[service].place;
        let mut best: Option<(usize, Slot, String)> = None;
        let mut next = (place, 0, 0);
        // One pod of each label is enough.
        while let Some(&(_, label, pod)) = self.labelled.range(next..=(place, u32::MAX, Slot::MAX)).next() {
            next = (place, label.saturating_add(1), 0);
            if self.entities[pod].presence != Presence::Present {
                continue;
            }
            let text = self.text(label);
            let Some((key, value)) = text.split_once('=') else { continue };
            for wanted in selector {
                let Some((wanted_key, wanted_value)) = wanted.split_once('=') else { continue };
                // The API allows no longer ones, and comparing takes the product of their lengths.
                if value.len().max(wanted_value.len()) > LABEL {
                    continue;
                }
                let same_key = key == wanted_key;
                let distance = strsim::levenshtein(&plain(value), &plain(wanted_value));
                let close = distance * 3 <= wanted_value.len().min(value.len());
                let namesake = plain(value) == plain(self.name(service)) && same_key;
                let telling = value.len() >= 4 && !matches!(value, "true" | "false");
                let other_key = !same_key && value == wanted_value && telling;
                // One label fits and another one keeps it from selecting them.
                let one_of_many = key == wanted_key && value == wanted_value && telling && selector.len() > 1;
                if !((same_key && close && value != wanted_value) || (namesake && value != wanted_value) || other_key || one_of_many) {
                    continue;
                }
                let rank = if namesake || one_of_many { 0 } else { distance + 1 };
                let workload = self.workload(pod).unwrap_or(pod);
                let better = best
                    .as_ref()
                    .is_none_or(|(known, slot, found)| (rank, self.key(workload), text) < (*known, self.key(*slot), found.as_str()));
                if better {
                    best = Some((rank, workload, text.to_owned()));
                }
            }
        }
        best.map(|(_, workload, label)| (workload, label))
    }
}

/// The labels by which an object is found: the first of a selector, all of a template.
fn indexed(detail: &Detail) -> &[Box<str>] {
    match detail {
        Detail::Service { selector, .. } => &selector[..selector.len().min(1)],
        Detail::Workload { template, .. } => template,
        Detail::None | Detail::Pod { .. } | Detail::Node { .. } | Detail::Quota => &[],
    }
}

/// Without what people write differently.
fn plain(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Whether labels, as `key=value`, hold all of a selector.
fn matches(selector: &[Box<str>], labels: &[Box<str>]) -> bool {
    !selector.is_empty() && selector.iter().all(|label| labels.contains(label))
}
