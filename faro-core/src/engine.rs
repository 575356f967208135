//! The stages in order: one record in, what it changed out.

mod emit;
mod incidents;
mod lifecycle;
mod operational;
mod scopes;
mod snapshot;
mod structure;

pub use scopes::Scope;
pub use snapshot::{RestoreError, Snapshot};
pub use structure::{Dependency, KnownObject, ObjectState};

use crate::config::EngineConfig;
use crate::groups::Groups;
use crate::hash::Fingerprint;
use crate::incidents::Incidents;
use crate::input::{Body, Change, Item, Malformed, Origin, Text};
use crate::objects::{Contents, Identities, Owners, Sight};
use crate::occurrences::Occurrences;
use crate::record::{EventType, Record, Summary};
use crate::time::Nanos;
use chrono::{DateTime, Utc};
use emit::Printer;
use operational::Seen;
use std::collections::BTreeSet;

/// Takes the records that an engine makes.
pub trait Sink {
    /// Takes one record.
    fn record(&mut self, record: &Record<'_>);
}

impl<F: FnMut(&Record<'_>)> Sink for F {
    fn record(&mut self, record: &Record<'_>) {
        self(record);
    }
}

/// Counts occurrences, groups them, and ranks them, from both streams of a cluster.
///
/// Methods are of three kinds: inputs take `now` and give what changed to a [`Sink`]; [`Engine::next_deadline`] says when to call
/// [`Engine::tick`]; the rest are getters. Time never goes backwards: a `now` before the latest one seen counts as the latest one
/// seen. Calling `tick` early or often is harmless. What is due by `now` happens before the input itself is looked at, each
/// deadline at its own time, so live runs and replays agree.
///
/// Inputs never fail: what cannot be understood does not get here (see [`crate::input::read`]) and is counted by
/// [`Engine::malformed`]. No occurrence is lost: [`Engine::stats`] balances at every moment.
///
/// # Memory
///
/// Every map has a limit, see [`crate::Limits`] and [`crate::GroupsConfig::limit`].
///
/// # Example
///
/// ```
/// use faro_core::{Engine, EngineConfig, Record, input};
///
/// let mut engine = Engine::new(EngineConfig::default());
/// let mut lines = Vec::new();
/// let now = "2025-09-12T21:54:11Z".parse()?;
/// let item = input::read(r#"{"type":"ADDED","object":{"kind":"Event","metadata":{"name":"web-1.17a","namespace":"shop"},
///     "involvedObject":{"kind":"Pod","namespace":"shop","name":"web-1"},"reason":"BackOff","type":"Warning","count":5,
///     "message":"Back-off restarting failed container app in pod web-1_shop","lastTimestamp":"2025-09-12T21:54:11Z"}}"#)?;
/// engine.ingest(item, now, &mut |record: &Record<'_>| lines.push(serde_json::to_string(record).unwrap()));
/// assert!(lines[0].contains(r#""severity":"critical","count":5"#));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Engine {
    config: EngineConfig,
    now: Nanos,
    lists: BTreeSet<Scope>,
    listed: BTreeSet<Scope>,
    events: Identities,
    objects: Identities,
    contents: Contents,
    owners: Owners,
    occurrences: Occurrences,
    groups: Groups,
    // Only where incidents are asked for.
    incidents: Option<Box<Incidents>>,
    // `records`, `malformed`, `late`, `clamped` and the unproven occurrences; the rest is asked of the stages.
    counted: Summary,
    scratch: Fingerprint,
}

/// What every record of one item has in common.
#[derive(Clone, Copy)]
struct Context<'a> {
    cluster: &'a str,
    change: Change,
    observed: Option<Nanos>,
    timed: bool,
    origin: Origin,
}

impl Engine {
    /// Makes an engine that has seen nothing.
    #[must_use]
    pub fn new(config: EngineConfig) -> Self {
        Self {
            now: Nanos(i64::MIN),
            lists: BTreeSet::new(),
            listed: BTreeSet::new(),
            events: Identities::new(config.limits.events),
            objects: Identities::new(config.limits.objects),
            contents: Contents::default(),
            owners: Owners::new(config.limits.owners),
            occurrences: Occurrences::new(config.limits.counters),
            groups: Groups::new(config.groups),
            incidents: incidents::stage(&config),
            counted: Summary::default(),
            scratch: Fingerprint::default(),
            config,
        }
    }

    /// Takes one value of the input.
    pub fn ingest(&mut self, item: Item<'_>, now: DateTime<Utc>, sink: &mut impl Sink) {
        self.ingest_at(item, now.into(), sink);
    }

    pub(crate) fn ingest_at(&mut self, item: Item<'_>, now: Nanos, sink: &mut impl Sink) {
        self.advance(now, sink);
        let Item { observed, timed, change, origin, cluster, gvr, body } = item;
        let cluster = self.cluster_of(cluster);
        match body {
            Body::Event(event) => {
                let prepared = self.prepare(Seen { cluster, change, observed, timed, origin }, event);
                self.event(&prepared, sink);
            }
            Body::Object(object) => {
                self.counted.records.total += 1;
                self.counted.records.object += 1;
                let context = Context { cluster: &cluster, change, observed, timed, origin };
                self.object(context, &gvr, &object, sink);
            }
            Body::Control(control) => {
                self.counted.records.total += 1;
                self.counted.records.ignored += 1;
                self.control(&cluster, &gvr, control, sink);
            }
            Body::Ignored(_) => {
                self.counted.records.total += 1;
                self.counted.records.ignored += 1;
            }
            Body::List(list) => match list.items() {
                Ok(items) => {
                    for item in items {
                        match item {
                            Ok(item) => self.ingest_at(Item { observed: item.observed.or(observed), timed, ..item }, now, sink),
                            Err(malformed) => self.malformed(&malformed),
                        }
                    }
                }
                Err(malformed) => self.malformed(&malformed),
            },
        }
    }

    /// Counts an input that could not be understood.
    pub fn malformed(&mut self, malformed: &Malformed) {
        *self.counted.malformed.entry(malformed.cause.name()).or_default() += 1;
    }

    /// Does what is due by `now`. Harmless when nothing is.
    pub fn tick(&mut self, now: DateTime<Utc>, sink: &mut impl Sink) {
        self.advance(now.into(), sink);
    }

    pub(crate) fn advance(&mut self, now: Nanos, sink: &mut impl Sink) {
        self.now = self.now.max(now);
        // Each deadline at its own time, whichever stage it is of.
        while let Some(due) = self.incidents_deadline().filter(|due| *due <= self.now) {
            self.settle_groups(due, sink);
            self.advance_incidents(due, sink);
        }
        self.settle_groups(self.now, sink);
        self.advance_incidents(self.now, sink);
    }

    fn settle_groups(&mut self, now: Nanos, sink: &mut impl Sink) {
        if self.groups.next_deadline().is_some_and(|due| due <= now) {
            let Self { groups, owners, config, .. } = self;
            groups.settle(now, &mut |group| Printer { owners, config, sink }.group(group));
        }
    }

    /// Returns when [`Engine::tick`] has to be called; it may turn out that nothing is due yet.
    #[must_use]
    pub fn next_deadline(&self) -> Option<DateTime<Utc>> {
        self.groups.next_deadline().into_iter().chain(self.incidents_deadline()).min().map(Into::into)
    }

    /// Ends lists that are open, does what is due by `now`, prints every group that changed since it was printed, and returns the
    /// books. Groups that go on stay open.
    pub fn flush(&mut self, now: DateTime<Utc>, sink: &mut impl Sink) -> Summary {
        self.flush_at(now.into(), sink)
    }

    pub(crate) fn flush_at(&mut self, now: Nanos, sink: &mut impl Sink) -> Summary {
        self.advance(now, sink);
        self.cut_lists(sink);
        let Self { groups, owners, config, now, .. } = self;
        groups.flush(*now, &mut |group| Printer { owners, config, sink }.group(group));
        self.flush_incidents(sink);
        self.stats()
    }

    /// Returns the books as of now.
    #[must_use]
    pub fn stats(&self) -> Summary {
        let books = self.groups.books();
        let mut summary = self.counted.clone();
        let occurrences = &mut summary.occurrences;
        (occurrences.closed, occurrences.open, occurrences.evicted) = (books.closed, books.open, books.evicted);
        occurrences.filtered = books.filtered;
        let groups = &mut summary.groups;
        (groups.total, groups.printed, groups.hidden) = (books.groups, books.shown, books.hidden);
        (groups.open, groups.evicted) = (books.open_groups, books.evicted_groups);
        summary.oddities = self.incidents.as_ref().map(|incidents| incidents.oddities()).unwrap_or_default();
        summary
    }

    pub(crate) const fn config(&self) -> &EngineConfig {
        &self.config
    }

    /// The latest `now` that was given.
    pub(crate) const fn now(&self) -> Nanos {
        self.now
    }

    /// The cluster of a record: its own, else the configured one.
    fn cluster_of<'a>(&self, sent: Text<'a>) -> Text<'a> {
        if sent.is_empty() && !self.config.cluster.is_empty() { Text::from(&*self.config.cluster).into_owned() } else { sent }
    }
}

const fn event_type(change: Change, sight: Sight) -> EventType {
    match (change, sight) {
        (Change::Deleted, _) => EventType::Deleted,
        (Change::Modified, _) | (Change::Bare | Change::Added, Sight::Changed | Sight::Repeat) => EventType::Updated,
        (Change::Bare | Change::Added, Sight::First | Sight::Again) => EventType::Added,
    }
}
