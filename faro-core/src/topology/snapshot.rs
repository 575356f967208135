//! The graph by names, to be made anew after a restart.

use super::{Change, Detail, Entity, Fact, Oddity, Presence, Reference, Relation, Slot, Topology};
use crate::time::Nanos;
use serde::{Deserialize, Serialize};
use std::num::NonZeroUsize;

/// An object by its names: cluster, kind, namespace, name.
pub(crate) type Names = (String, String, String, String);

/// What [`Topology`] remembers.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct TopologySnapshot {
    entities: Vec<Saved>,
    oddities: [u64; Oddity::ALL.len()],
    covered: Vec<(String, String)>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
struct Saved {
    names: Names,
    api_version: Option<String>,
    presence: Presence,
    written: u64,
    created: i64,
    gone_at: i64,
    uid: String,
    facts: Vec<Fact>,
    refs: Vec<(Relation, Names)>,
    labels: Vec<String>,
    detail: Detail,
    leaves: Vec<(String, String)>,
    changes: Vec<(String, String, String, i64)>,
}

impl Topology {
    pub(crate) fn names(&self, slot: Slot) -> Names {
        let own = |text: &str| text.to_owned();
        (own(self.cluster(slot)), own(self.kind(slot)), own(self.namespace(slot)), own(self.name(slot)))
    }

    /// Every object, by name.
    pub(crate) fn slots(&self) -> Vec<Slot> {
        let mut slots: Vec<Slot> = self.by_key.iter().copied().collect();
        slots.sort_by(|a, b| self.key(*a).cmp(&self.key(*b)));
        slots
    }

    pub(crate) fn snapshot(&self) -> TopologySnapshot {
        let text = |symbol: u32| self.text(symbol).to_owned();
        let entities = self.slots().into_iter().map(|slot| {
            let entity = &self.entities[slot];
            Saved {
                names: self.names(slot),
                api_version: entity.has_api_version.then(|| text(entity.api_version)),
                presence: entity.presence,
                written: entity.written,
                created: entity.created.0,
                gone_at: entity.gone_at.0,
                uid: entity.uid.to_string(),
                facts: entity.facts.to_vec(),
                refs: entity.refs.iter().map(|&(relation, to)| (relation, self.names(to))).collect(),
                labels: entity.labels.iter().map(|&label| text(label)).collect(),
                detail: entity.detail.clone(),
                leaves: entity.leaves.iter().map(|&(path, value)| (text(path), text(value))).collect(),
                changes: entity
                    .changes
                    .iter()
                    .map(|change| (change.path.to_string(), change.from.to_string(), change.to.to_string(), change.at.0))
                    .collect(),
            }
        });
        let mut covered: Vec<(String, String)> = self.covered.iter().map(|&(place, kind)| (text(place), text(kind))).collect();
        covered.sort_unstable();
        TopologySnapshot { entities: entities.collect(), oddities: self.oddities, covered }
    }

    pub(crate) fn restore(limit: NonZeroUsize, snapshot: TopologySnapshot) -> Self {
        let mut restored = Self::new(limit);
        for saved in &snapshot.entities {
            let (cluster, kind, namespace, name) = &saved.names;
            restored.named(cluster, kind, namespace, name);
        }
        for saved in snapshot.entities {
            let (cluster, kind, namespace, name) = &saved.names;
            let Some(slot) = restored.find(cluster, kind, namespace, name) else { continue };
            let refs: Vec<Reference> = saved
                .refs
                .into_iter()
                .map(|(relation, (_, kind, namespace, name))| Reference { relation, kind, namespace, name })
                .collect();
            restored.set_refs(slot, &refs);
            restored.set_labels(slot, &saved.labels);
            restored.set_detail(slot, saved.detail);
            restored.set_leaves(slot, &saved.leaves, false, Nanos(0));
            let api_version = saved.api_version.as_ref().map(|text| restored.symbols.acquire(text));
            let entity: &mut Entity = &mut restored.entities[slot];
            (entity.api_version, entity.has_api_version) = (api_version.unwrap_or(0), api_version.is_some());
            (entity.presence, entity.created, entity.gone_at) = (saved.presence, Nanos(saved.created), Nanos(saved.gone_at));
            (entity.uid, entity.facts) = (saved.uid.into(), saved.facts.into());
            entity.written = saved.written;
            entity.changes = saved
                .changes
                .into_iter()
                .map(|(path, from, to, at)| Change { path: path.into(), from: from.into(), to: to.into(), at: Nanos(at) })
                .collect();
        }
        for (place, kind) in snapshot.covered {
            let (place, kind) = (restored.symbols.acquire(&place), restored.symbols.acquire(&kind));
            restored.cover(place, kind);
            restored.symbols.release(place);
            restored.symbols.release(kind);
        }
        restored.oddities = snapshot.oddities;
        restored
    }
}
