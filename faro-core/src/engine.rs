//! The stages in order: one record in, what it changed out.

mod emit;
mod snapshot;

pub use snapshot::{RestoreError, Snapshot};

use crate::config::EngineConfig;
use crate::groups::{GroupBy, GroupKey, Groups, LOOK_AHEAD, Occurrence};
use crate::gvr::{Gvr, Link};
use crate::hash::Fingerprint;
use crate::input::{Body, Change, Control, Item, Malformed, RawEvent, RawObject, Text};
use crate::objects::{Adoption, Contents, Identities, Identity, Owners, Sight, Version};
use crate::occurrences::{CounterKey, News, Occurrences};
use crate::record::{EventRecord, EventType, ObjectRecord, Record, Summary, Workload};
use crate::report::Report;
use crate::severity::Verdict;
use crate::time::Nanos;
use chrono::{DateTime, Utc};
use emit::Printer;
use serde::{Deserialize, Serialize};
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

/// How many scopes are told apart; no cluster serves that many collections.
const SCOPES: usize = 65_536;

/// What a list is of: a cluster and a collection.
#[derive(Clone, Debug, Default, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Scope {
    /// The cluster's name; empty when there is one only.
    pub cluster: String,
    /// The collection, `v1/pods`; empty for a list of mixed kinds.
    pub gvr: String,
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
    // `records`, `malformed`, `late`, `clamped` and the unproven occurrences; the rest is asked of the stages.
    counted: Summary,
    scratch: Fingerprint,
}

/// An Event with everything that can be said of it without looking at what is remembered.
struct Prepared<'a> {
    cluster: Text<'a>,
    change: Change,
    observed: Option<Nanos>,
    timed: bool,
    newest: Option<Nanos>,
    report: Report<'a>,
    verdict: Verdict,
    counter: CounterKey,
    /// Only where no workload is needed to tell.
    key: Option<GroupKey>,
}

/// What every record of one item has in common.
#[derive(Clone, Copy)]
struct Context<'a> {
    cluster: &'a str,
    change: Change,
    observed: Option<Nanos>,
    timed: bool,
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
        let Item { observed, timed, change, cluster, gvr, body } = item;
        let cluster = self.cluster_of(cluster);
        match body {
            Body::Event(event) => {
                let prepared = self.prepare(cluster, change, observed, timed, event);
                self.event(&prepared, sink);
            }
            Body::Object(object) => {
                self.counted.records.total += 1;
                self.counted.records.object += 1;
                let context = Context { cluster: &cluster, change, observed, timed };
                self.object(context, &gvr, &object, sink);
            }
            Body::Control(control) => {
                self.counted.records.total += 1;
                self.counted.records.ignored += 1;
                let scope = self.complete(Scope { cluster: cluster.to_string(), gvr: gvr.to_string() });
                match control {
                    Control::ListBegin => self.begin_scope(scope),
                    Control::ListEnd => self.end_scope(scope, sink),
                }
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

    /// Begins a list of a collection: its initial state, a relist, a dump. Until the last open list ends, no group opens, closes or
    /// prints, and objects that were not known are `initial` if it is the first list of its scope.
    pub fn begin_list(&mut self, scope: Scope, now: DateTime<Utc>, sink: &mut impl Sink) {
        self.advance(now.into(), sink);
        let scope = self.complete(scope);
        self.begin_scope(scope);
    }

    pub(crate) fn begin_scope(&mut self, scope: Scope) {
        if self.lists.len() >= SCOPES {
            return;
        }
        self.lists.insert(scope);
        self.groups.begin_list();
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
        if self.lists.is_empty() {
            let Self { groups, owners, config, now, .. } = self;
            groups.end_list(*now, &mut |group| Printer { owners, config, sink }.group(group));
        }
    }

    /// Does what is due by `now`. Harmless when nothing is.
    pub fn tick(&mut self, now: DateTime<Utc>, sink: &mut impl Sink) {
        self.advance(now.into(), sink);
    }

    pub(crate) fn advance(&mut self, now: Nanos, sink: &mut impl Sink) {
        self.now = self.now.max(now);
        if self.groups.next_deadline().is_some_and(|due| due <= self.now) {
            let Self { groups, owners, config, now, .. } = self;
            groups.settle(*now, &mut |group| Printer { owners, config, sink }.group(group));
        }
    }

    /// Returns when [`Engine::tick`] has to be called; it may turn out that nothing is due yet.
    #[must_use]
    pub fn next_deadline(&self) -> Option<DateTime<Utc>> {
        self.groups.next_deadline().map(Into::into)
    }

    /// Ends lists that are open, does what is due by `now`, prints every group that changed since it was printed, and returns the
    /// books. Groups that go on stay open.
    pub fn flush(&mut self, now: DateTime<Utc>, sink: &mut impl Sink) -> Summary {
        self.flush_at(now.into(), sink)
    }

    pub(crate) fn flush_at(&mut self, now: Nanos, sink: &mut impl Sink) -> Summary {
        self.advance(now, sink);
        for scope in self.lists.clone() {
            self.end_scope(scope, sink);
        }
        let Self { groups, owners, config, now, .. } = self;
        groups.flush(*now, &mut |group| Printer { owners, config, sink }.group(group));
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
        summary
    }

    /// The latest `now` that was given.
    pub(crate) const fn now(&self) -> Nanos {
        self.now
    }

    /// Whether unknown objects of a collection were there before Faro looked.
    fn is_initial(&self, context: Context<'_>, gvr: &str) -> bool {
        if context.change == Change::Bare {
            return true;
        }
        let scope = |gvr: &str| Scope { cluster: context.cluster.to_owned(), gvr: gvr.to_owned() };
        let first_of = |scope: &Scope| self.lists.contains(scope) && !self.listed.contains(scope);
        // One store is listed under two names.
        let other_api = gvr == "v1/events" && first_of(&scope("events.k8s.io/v1/events"));
        context.change == Change::Added && (first_of(&scope(gvr)) || other_api || first_of(&Scope::default()))
    }

    /// The cluster of a record: its own, else the configured one.
    fn cluster_of<'a>(&self, sent: Text<'a>) -> Text<'a> {
        if sent.is_empty() && !self.config.cluster.is_empty() { Text::from(&*self.config.cluster).into_owned() } else { sent }
    }

    /// Takes several Events of a list at once: nothing prints in between, so that their reads from memory can overlap.
    pub(crate) fn ingest_listed<'a>(&mut self, events: impl Iterator<Item = (Item<'a>, RawEvent<'a>, Nanos)>, sink: &mut impl Sink) {
        let mut prepared = Vec::with_capacity(LOOK_AHEAD);
        for (item, event, now) in events {
            self.advance(now, sink);
            let cluster = self.cluster_of(item.cluster);
            prepared.push(self.prepare(cluster, item.change, item.observed, item.timed, event));
        }
        self.occurrences.look_ahead(prepared.iter().map(|prepared| prepared.counter));
        self.groups.look_ahead(prepared.iter().filter_map(|prepared| prepared.key));
        prepared.iter().for_each(|prepared| self.event(prepared, sink));
    }

    fn prepare<'a>(
        &mut self,
        cluster: Text<'a>,
        change: Change,
        observed: Option<Nanos>,
        timed: bool,
        event: RawEvent<'a>,
    ) -> Prepared<'a> {
        let newest = event.newest_time().or(Some(self.now));
        let report = Report::new(event, change, observed.unwrap_or(self.now));
        let verdict = self.config.rules.judge(&report);
        let counter = self.occurrences.key(&cluster, &report);
        let by_workload = self.config.groups.group_by == GroupBy::Workload;
        let key = (!by_workload).then(|| self.groups.key(&cluster, &report, verdict.family, None));
        Prepared { cluster, change, observed, timed, newest, report, verdict, counter, key }
    }

    fn event(&mut self, prepared: &Prepared<'_>, sink: &mut impl Sink) {
        let &Prepared { ref cluster, change, observed, timed, newest, ref report, verdict, counter, key } = prepared;
        let context = Context { cluster, change, observed, timed };
        self.counted.records.total += 1;
        self.counted.records.event += 1;
        let deleted = change == Change::Deleted;
        let sight = self.sight_event(context, report, report.observed);
        let repeated = sight == Sight::Repeat;
        self.counted.records.repeated += u64::from(repeated);
        let adoption = self.owners.learn_from_report(context.cluster, report);
        self.adopt(context.cluster, adoption, sink);

        let mut news = News::Nothing;
        let mut severity = verdict.severity;
        if !deleted {
            news = self.occurrences.observe(counter, report);
            if let News::Unproven { count } = news {
                self.counted.occurrences.unproven += u64::from(count);
                self.counted.occurrences.total += u64::from(count);
            }
            self.counted.occurrences.total += u64::from(news.count());
            self.counted.clamped += u64::from(report.clamped && news.count() > 0);
            let watermark = self.now.minus(self.config.groups.lateness.0);
            let late = self.lists.is_empty() && news.count() > 0 && report.last_seen < watermark;
            self.counted.late += u64::from(late);
            let workload = self.workload(context.cluster, report);
            let key = key.unwrap_or_else(|| self.groups.key(context.cluster, report, verdict.family, workload.as_ref()));
            let occurrence = Occurrence { cluster: context.cluster, report, counter, news, verdict, workload: workload.as_ref() };
            let Self { groups, owners, config, now, .. } = self;
            severity = groups.observe(key, &occurrence, &config.rules, *now, &mut |group| Printer { owners, config, sink }.group(group));
        }
        // What is counted never depends on what is printed; a repeat that brings news after all is printed too.
        if !self.config.emit.event || (repeated && news.count() == 0) {
            return;
        }
        let event_type = event_type(context.change, sight);
        let initial = event_type == EventType::Added && self.is_initial(context, "v1/events");
        let involved = report.involved();
        let workload = self.owners.workload(context.cluster, involved.kind(), involved.namespace(), involved.name());
        let told = !(deleted && involved.is_empty() && report.reason().is_empty());
        let record = Record::Event(EventRecord {
            cluster: context.cluster,
            gvr: Gvr::EVENTS,
            kind: "Event",
            namespace: report.namespace(),
            name: report.name(),
            uid: report.uid(),
            resource_version: report.resource_version(),
            event_type,
            timestamp: context.observed.or(newest).unwrap_or(self.now),
            initial,
            changed_at: report.changed_at(),
            link: (!involved.name().is_empty()).then(|| Link {
                gvr: Gvr::of_reference(involved.api_version(), involved.kind()),
                namespace: involved.namespace(),
                name: involved.name(),
            }),
            labels: report.labels(),
            annotations: report.annotations(),
            involved_object: involved,
            related: report.related(),
            reason: report.reason(),
            type_: report.type_(),
            message: report.message(),
            action: report.action(),
            source: report.source(),
            reporting_component: report.reporting_component(),
            reporting_instance: report.reporting_instance(),
            count: told.then_some(report.count),
            occurrences: news.count(),
            combined: report.combined,
            clamped: report.clamped,
            first_seen: told.then_some(report.first_seen),
            last_seen: told.then_some(report.last_seen),
            severity: told.then_some(severity),
            family: told.then_some(verdict.family),
            workload,
        });
        if self.config.filter.passes(&record) {
            sink.record(&record);
        }
    }

    /// What is new about an Event object's version. Only printing it asks: occurrences are counted by its counter, to which a repeat
    /// adds nothing.
    fn sight_event(&mut self, context: Context<'_>, report: &Report<'_>, observed: Nanos) -> Sight {
        if !self.config.emit.event {
            return Sight::Changed;
        }
        let (uid, namespace, name) = (report.uid(), report.namespace(), report.name());
        let identity = Identity::with(&mut self.scratch, context.cluster, "v1/events", uid, namespace, name);
        let deleted = context.change == Change::Deleted;
        let version = if deleted { Version::DELETED } else { version_of(&mut self.scratch, report) };
        self.events.observe(identity, version, observed, context.timed)
    }

    /// The workload by which an occurrence is grouped.
    fn workload(&mut self, cluster: &str, report: &Report<'_>) -> Option<Workload<'static>> {
        if self.config.groups.group_by != GroupBy::Workload {
            return None;
        }
        let involved = report.involved();
        self.owners.workload(cluster, involved.kind(), involved.namespace(), involved.name())
    }

    fn adopt(&mut self, cluster: &str, adoption: Option<Adoption>, sink: &mut impl Sink) {
        let Some(Adoption { kind, namespace, name }) = adoption.filter(|_| self.config.groups.group_by == GroupBy::Workload) else {
            return;
        };
        let Some(workload) = self.owners.workload(cluster, &kind, &namespace, &name) else { return };
        let Self { groups, owners, config, now, .. } = self;
        groups.adopt(cluster, (&kind, &namespace, &name), &workload, &config.rules, *now, &mut |group| {
            Printer { owners, config, sink }.group(group)
        });
    }

    fn object(&mut self, context: Context<'_>, sent_gvr: &str, object: &RawObject<'_>, sink: &mut impl Sink) {
        let metadata = object.metadata();
        let gvr = sent_gvr.rsplit_once('/').map_or_else(
            || Gvr::of_reference(object.api_version(), object.kind()),
            |(api_version, resource)| Gvr { api_version, resource },
        );
        let gvr_text = gvr.to_string();
        let observed = context.observed.unwrap_or(self.now);
        let identity = Identity::with(&mut self.scratch, context.cluster, &gvr_text, &metadata.uid, &metadata.namespace, &metadata.name);
        let deleted = context.change == Change::Deleted;
        let version = match &*metadata.resource_version {
            _ if deleted => Version::DELETED,
            "" => Version::of_content(content_of(&mut self.scratch, object)),
            known => Version::of(known),
        };
        let sight = self.objects.observe(identity, version, observed, context.timed);
        if sight == Sight::Repeat {
            self.counted.records.repeated += 1;
            return;
        }
        if let Some(displaced) = self.objects.take_forgotten() {
            self.contents.forget(displaced);
        }
        let adoption = self.owners.learn_from_object(context.cluster, object);
        self.adopt(context.cluster, adoption, sink);
        if !self.config.emit.object {
            return;
        }
        let event_type = event_type(context.change, sight);
        let mut changes = Vec::new();
        if deleted {
            self.contents.forget(identity);
        } else {
            changes = self.contents.observe(identity, object);
        }
        if event_type != EventType::Updated {
            changes.clear();
        }
        let owner = self.owners.top(context.cluster, object.kind(), &metadata.namespace, &metadata.name);
        let operational = self.groups.operational(context.cluster, object.kind(), &metadata.namespace, &metadata.name);
        let record = Record::Object(ObjectRecord {
            cluster: context.cluster,
            gvr,
            kind: object.kind(),
            namespace: &metadata.namespace,
            name: &metadata.name,
            uid: &metadata.uid,
            resource_version: &metadata.resource_version,
            event_type,
            timestamp: context.observed.or(object.newest_time()).unwrap_or(self.now),
            initial: event_type == EventType::Added && self.is_initial(context, &gvr_text),
            synthesized: false,
            left_selector: false,
            changed_at: metadata.managed_fields.newest(),
            link: Link { gvr, namespace: &metadata.namespace, name: &metadata.name },
            operational,
            labels: &metadata.labels,
            annotations: &metadata.annotations,
            owner: owner.as_ref().map(|(kind, name)| crate::record::Owner { kind, name }),
            changes,
        });
        if self.config.filter.passes(&record) {
            sink.record(&record);
        }
    }
}

const fn event_type(change: Change, sight: Sight) -> EventType {
    match (change, sight) {
        (Change::Deleted, _) => EventType::Deleted,
        (Change::Modified, _) | (Change::Bare | Change::Added, Sight::Changed | Sight::Repeat) => EventType::Updated,
        (Change::Bare | Change::Added, Sight::First | Sight::Again) => EventType::Added,
    }
}

/// The version of an Event; without a resourceVersion, a hash of what a reporter changes.
fn version_of(scratch: &mut Fingerprint, report: &Report<'_>) -> Version {
    match report.resource_version() {
        "" => {
            let scratch = scratch.start().text(report.reason()).text(report.message()).text(report.type_()).number(u64::from(report.count));
            Version::of_content(scratch.number(report.last_seen.0.cast_unsigned()).finish())
        }
        known => Version::of(known),
    }
}

/// A hash of what an object says.
fn content_of(scratch: &mut Fingerprint, object: &RawObject<'_>) -> u64 {
    let scratch = scratch.start();
    for raw in [object.0.spec, object.0.status, object.0.data, object.0.binary_data] {
        scratch.text(raw.map_or("", |raw| raw.get()));
    }
    for (key, value) in object.metadata().labels.0.iter().chain(&object.metadata().annotations.0) {
        scratch.text(key).text(value);
    }
    scratch.number(object.metadata().deletion_timestamp.0.map_or(0, |at| at.0.cast_unsigned())).finish()
}
