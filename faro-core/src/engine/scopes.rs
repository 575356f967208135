//! Lists, and what else a watch tells besides the objects.

use super::emit::Printer;
use super::{Context, Engine, Sink};
use crate::gvr::Gvr;
use crate::input::{Change, Control, Gap, Origin, Text};
use crate::record::{GapRecord, Position, Record, SyncRecord};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// How many scopes are told apart; no cluster serves that many collections.
const SCOPES: usize = 65_536;

/// What a list is of: a cluster, a collection and a namespace.
#[derive(Clone, Debug, Default, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Scope {
    /// The cluster's name; empty when there is one only.
    pub cluster: String,
    /// The collection, `v1/pods`; empty for a list of mixed kinds.
    pub gvr: String,
    /// The namespace; empty for all, and for collections that have none.
    #[serde(default)]
    pub namespace: String,
}

impl Engine {
    /// Begins a list of a collection: its initial state, a relist, a dump. Until the last open list ends, no group opens, closes or
    /// prints, and objects that were not known are `initial` if it is the first list of its scope.
    pub fn begin_list(&mut self, scope: Scope, now: DateTime<Utc>, sink: &mut impl Sink) {
        self.advance(now.into(), sink);
        let scope = self.complete(scope);
        self.begin_scope(scope);
    }

    /// Tells whether a list is open.
    #[must_use]
    pub fn is_listing(&self) -> bool {
        !self.lists.is_empty()
    }

    pub(crate) fn begin_scope(&mut self, scope: Scope) {
        if self.lists.len() >= SCOPES {
            return;
        }
        self.lists.insert(scope);
        self.groups.begin_list();
        if let Some(incidents) = &mut self.incidents {
            incidents.begin_list();
        }
    }

    /// Ends a list. With the last open one, each group that was changed meanwhile prints once.
    pub fn end_list(&mut self, scope: Scope, now: DateTime<Utc>, sink: &mut impl Sink) {
        self.advance(now.into(), sink);
        let scope = self.complete(scope);
        self.end_scope(scope, sink);
    }

    /// A scope with the name of the cluster that records carry.
    fn complete(&self, mut scope: Scope) -> Scope {
        if scope == Scope::default() {
            return scope;
        }
        if scope.cluster.is_empty() {
            scope.cluster.clone_from(&self.config.cluster);
        }
        scope
    }

    pub(crate) fn end_scope(&mut self, scope: Scope, sink: &mut impl Sink) {
        if !self.lists.remove(&scope) {
            return;
        }
        if self.listed.len() < SCOPES {
            self.listed.insert(scope);
        }
        self.resume(sink);
    }

    /// Ends lists of which the rest does not come. Their collections count as never listed: what is still unknown may have been there.
    pub(super) fn cut_lists(&mut self, sink: &mut impl Sink) {
        if !std::mem::take(&mut self.lists).is_empty() {
            self.resume(sink);
        }
    }

    /// Prints what lists have changed, when none is open any more.
    fn resume(&mut self, sink: &mut impl Sink) {
        if self.lists.is_empty() {
            let Self { groups, owners, config, now, .. } = self;
            groups.end_list(*now, &mut |group| Printer { owners, config, sink }.group(group));
            self.end_incidents_list(sink);
        }
    }

    /// What a watch tells besides the objects.
    pub(super) fn control(&mut self, cluster: &str, gvr: &str, control: Control<'_>, sink: &mut impl Sink) {
        let scope = |namespace: Text<'_>| Scope { cluster: cluster.to_owned(), gvr: gvr.to_owned(), namespace: namespace.0.into_owned() };
        match control {
            Control::ListBegin { namespace } => {
                let scope = self.complete(scope(namespace));
                self.begin_scope(scope);
            }
            Control::ListEnd { namespace, resource_version, objects } => {
                let scope = self.complete(scope(namespace));
                if let Some(objects) = objects
                    && self.config.emit.sync
                    && self.lists.contains(&scope)
                    && !self.listed.contains(&scope)
                {
                    let gvr = Gvr::parse(gvr);
                    let sync = SyncRecord { cluster, gvr, namespace: &scope.namespace, objects, resource_version: &resource_version };
                    self.print(&Record::Sync(sync), sink);
                }
                self.end_scope(scope, sink);
            }
            Control::ListAborted { namespace } => {
                let scope = self.complete(scope(namespace));
                if self.lists.remove(&scope) {
                    self.resume(sink);
                }
            }
            Control::Gap(gap) => self.gap(cluster, gvr, &gap, sink),
            // Whoever drives the engine restores it from one; to an engine that goes on it says nothing new.
            Control::Snapshot(_) | Control::End => {}
        }
    }

    fn gap(&mut self, cluster: &str, gvr: &str, gap: &Gap<'_>, sink: &mut impl Sink) {
        self.counted.gaps += 1;
        if !self.config.emit.gap {
            return;
        }
        let gap = GapRecord {
            cluster,
            gvr: Gvr::parse(gvr),
            namespace: &gap.namespace,
            from: Position { resource_version: &gap.from.resource_version, timestamp: gap.from.timestamp },
            to: Position { resource_version: &gap.to.resource_version, timestamp: gap.to.timestamp },
            cause: &gap.cause,
            recovered: gap.recovered,
            lost: gap.lost,
        };
        self.print(&Record::Gap(gap), sink);
    }

    fn print(&self, record: &Record<'_>, sink: &mut impl Sink) {
        if self.config.filter.passes(record) {
            sink.record(record);
        }
    }

    /// Whether unknown objects of a collection were there before Faro looked.
    pub(super) fn is_initial(&self, context: Context<'_>, gvr: &str, namespace: &str) -> bool {
        context.change == Change::Bare || (context.change == Change::Added && self.in_list(context, gvr, namespace, Turn::First))
    }

    /// Whether no watch event carried a change: a relist showed it.
    pub(super) fn is_synthesized(&self, context: Context<'_>, gvr: &str, namespace: &str) -> bool {
        matches!(context.origin, Origin::Relist | Origin::RelistSelector)
            || (context.change != Change::Bare && self.in_list(context, gvr, namespace, Turn::Later))
    }

    /// Whether an object comes within a list of its collection.
    fn in_list(&self, context: Context<'_>, gvr: &str, namespace: &str, turn: Turn) -> bool {
        if self.lists.is_empty() {
            return false;
        }
        let open = |gvr: &str, namespace: &str| {
            let scope = Scope { cluster: context.cluster.to_owned(), gvr: gvr.to_owned(), namespace: namespace.to_owned() };
            self.lists.contains(&scope) && (turn == Turn::First) != self.listed.contains(&scope)
        };
        // One store is listed under two names.
        let other_api = gvr == "v1/events" && ["", namespace].iter().any(|namespace| open("events.k8s.io/v1/events", namespace));
        // A stretch of a recording without times is no relist, however many there are.
        let mixed = turn == Turn::First && self.lists.contains(&Scope::default()) && !self.listed.contains(&Scope::default());
        other_api || mixed || open(gvr, "") || open(gvr, namespace)
    }
}

/// Which list of a collection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Turn {
    /// Its initial state.
    First,
    /// A relist.
    Later,
}
