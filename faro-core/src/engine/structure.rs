//! What the engine knows of objects and how they depend on each other, for others to read.

use super::Engine;
use crate::gvr::{Gvr, Link};
use crate::topology::{Presence, Slot, Topology};

/// What is known of an object's being.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum ObjectState {
    /// Others name it; it was not seen itself.
    Named,
    /// It is there.
    Present,
    /// It was seen, and deleted.
    Deleted,
}

impl ObjectState {
    /// Returns its name: `named`, `present`, `deleted`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Named => "named",
            Self::Present => "present",
            Self::Deleted => "deleted",
        }
    }
}

/// An object of the topology.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct KnownObject<'a> {
    /// The cluster's name, when known.
    pub cluster: &'a str,
    /// Its kind.
    pub kind: &'a str,
    /// The graph key.
    pub link: Link<'a>,
    /// Its uid; empty when it was not seen.
    pub uid: &'a str,
    /// What is known of its being.
    pub state: ObjectState,
}

/// One object depends on another.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Dependency<'a> {
    /// What depends.
    pub from: KnownObject<'a>,
    /// How: `owned-by`, `runs-on`, `reads-secret`, `selects`, ...
    pub relation: &'static str,
    /// What it depends on.
    pub to: KnownObject<'a>,
}

impl Engine {
    /// Returns every object that is known, ordered by cluster, namespace, kind and name. None unless incidents are asked for
    /// ([`Emit::incident`](crate::Emit)).
    pub fn objects(&self) -> impl Iterator<Item = KnownObject<'_>> {
        let topology = self.topology();
        topology.into_iter().flat_map(|topology| topology.slots().into_iter().map(|slot| known(topology, slot)))
    }

    /// Returns what depends on what, in the order of [`Engine::objects`]. None unless incidents are asked for.
    pub fn dependencies(&self) -> impl Iterator<Item = Dependency<'_>> {
        let topology = self.topology();
        topology.into_iter().flat_map(|topology| topology.slots().into_iter().flat_map(|slot| of(topology, slot)))
    }

    fn topology(&self) -> Option<&Topology> {
        self.incidents.as_deref().map(|incidents| incidents.topology())
    }
}

fn of(topology: &Topology, slot: Slot) -> impl Iterator<Item = Dependency<'_>> {
    let from = known(topology, slot);
    let told = topology.refs_of(slot).iter().map(move |&(relation, to)| (relation.name(), to)).collect::<Vec<_>>();
    let services = if from.kind == "Pod" { topology.selecting(slot) } else { Vec::new() };
    let told = told.into_iter().map(move |(relation, to)| Dependency { from, relation, to: known(topology, to) });
    told.chain(services.into_iter().map(move |service| Dependency { from: known(topology, service), relation: "selects", to: from }))
}

fn known(topology: &Topology, slot: Slot) -> KnownObject<'_> {
    let entity = topology.entity(slot);
    let api_version = if entity.has_api_version { topology.text(entity.api_version) } else { "" };
    let kind = topology.kind(slot);
    KnownObject {
        cluster: topology.cluster(slot),
        kind,
        link: Link { gvr: Gvr::of_reference(api_version, kind), namespace: topology.namespace(slot), name: topology.name(slot) },
        uid: &entity.uid,
        state: match entity.presence {
            Presence::Named => ObjectState::Named,
            Presence::Present => ObjectState::Present,
            Presence::Gone => ObjectState::Deleted,
        },
    }
}
