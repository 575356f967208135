//! Events through the stages.

use super::emit::Printer;
use super::{Context, Engine, Sink, event_type};
use crate::groups::{GroupBy, GroupKey, LOOK_AHEAD, Occurrence};
use crate::gvr::{Gvr, Link};
use crate::hash::Fingerprint;
use crate::input::{Change, Item, Origin, RawEvent, Text};
use crate::objects::{Adoption, Identity, Sight, Version};
use crate::occurrences::{CounterKey, News};
use crate::record::{EventRecord, EventType, Record, Workload};
use crate::report::Report;
use crate::severity::Verdict;
use crate::time::Nanos;

/// What an item says besides its body.
pub(super) struct Seen<'a> {
    pub(super) cluster: Text<'a>,
    pub(super) change: Change,
    pub(super) observed: Option<Nanos>,
    pub(super) timed: bool,
    pub(super) origin: Origin,
}

/// An Event with everything that can be said of it without looking at what is remembered.
pub(super) struct Prepared<'a> {
    seen: Seen<'a>,
    newest: Option<Nanos>,
    report: Report<'a>,
    verdict: Verdict,
    counter: CounterKey,
    /// Only where no workload is needed to tell.
    key: Option<GroupKey>,
}

impl Engine {
    /// Takes several Events of a list at once: nothing prints in between, so that their reads from memory can overlap.
    pub(crate) fn ingest_listed<'a>(&mut self, events: impl Iterator<Item = (Item<'a>, RawEvent<'a>, Nanos)>, sink: &mut impl Sink) {
        let mut prepared = Vec::with_capacity(LOOK_AHEAD);
        for (item, event, now) in events {
            self.advance(now, sink);
            let cluster = self.cluster_of(item.cluster);
            let Item { change, observed, timed, origin, .. } = item;
            prepared.push(self.prepare(Seen { cluster, change, observed, timed, origin }, event));
        }
        self.occurrences.look_ahead(prepared.iter().map(|prepared| prepared.counter));
        self.groups.look_ahead(prepared.iter().filter_map(|prepared| prepared.key));
        prepared.iter().for_each(|prepared| self.event(prepared, sink));
    }

    pub(super) fn prepare<'a>(&mut self, seen: Seen<'a>, event: RawEvent<'a>) -> Prepared<'a> {
        let newest = event.newest_time().or(Some(self.now));
        let report = Report::new(event, seen.change, seen.observed.unwrap_or(self.now));
        let verdict = self.config.rules.judge(&report);
        let counter = self.occurrences.key(&seen.cluster, &report);
        let by_workload = self.config.groups.group_by == GroupBy::Workload;
        let key = (!by_workload).then(|| self.groups.key(&seen.cluster, &report, verdict.family, None));
        Prepared { seen, newest, report, verdict, counter, key }
    }

    pub(super) fn event(&mut self, prepared: &Prepared<'_>, sink: &mut impl Sink) {
        let &Prepared { ref seen, newest, ref report, verdict, counter, key } = prepared;
        let &Seen { ref cluster, change, observed, timed, origin } = seen;
        let context = Context { cluster, change, observed, timed, origin };
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
            self.learn_report(context.cluster, report, severity, news);
        }
        // What is counted never depends on what is printed; a repeat that brings news after all is printed too.
        if !self.config.emit.event || (repeated && news.count() == 0) {
            return;
        }
        let event_type = event_type(context.change, sight);
        let initial = event_type == EventType::Added && self.is_initial(context, "v1/events", report.namespace());
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
            synthesized: self.is_synthesized(context, "v1/events", report.namespace()),
            left_selector: matches!(origin, Origin::Selector | Origin::RelistSelector),
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

    /// Lets the groups about an object know that its owner became known.
    pub(super) fn adopt(&mut self, cluster: &str, adoption: Option<Adoption>, sink: &mut impl Sink) {
        let Some(Adoption { kind, namespace, name }) = adoption else { return };
        match self.config.groups.group_by {
            GroupBy::Object => {
                let Self { groups, owners, config, now, .. } = self;
                groups.owner_known(cluster, (&kind, &namespace, &name), *now, &mut |group| Printer { owners, config, sink }.group(group));
            }
            GroupBy::Workload => {
                let Some(workload) = self.owners.workload(cluster, &kind, &namespace, &name) else { return };
                let Self { groups, owners, config, now, .. } = self;
                groups.adopt(cluster, (&kind, &namespace, &name), &workload, &config.rules, *now, &mut |group| {
                    Printer { owners, config, sink }.group(group)
                });
            }
            GroupBy::Reason => {}
        }
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
