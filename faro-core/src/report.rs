//! One Event as it was reported, in the terms of both API versions: the first stage.

use crate::input::{Change, Document, Fields, RawEvent, Reference, Source};
use crate::time::{Nanos, SECOND};

/// What client-go's recorder puts before the message of an Event that stands for several similar ones
/// (`EventAggregator` in `k8s.io/client-go/tools/record/events_cache.go`).
pub const COMBINED_PREFIX: &str = "(combined from similar events): ";

/// How far a time may lie after its own observation before it counts as a bad clock: 5 minutes.
pub const MAX_CLOCK_SKEW: Nanos = Nanos(300 * SECOND);

/// An Event with its times and count settled.
///
/// `v1` and `events.k8s.io/v1` are two views of one stored object; the same object read through either gives the same report.
///
/// # Example
///
/// ```
/// use faro_core::input::{self, Body};
/// use faro_core::{Nanos, Report};
///
/// let item = input::read(r#"{"apiVersion":"v1","kind":"Event","metadata":{"name":"web-1.17a","namespace":"shop"},
///     "message":"(combined from similar events): Back-off restarting failed container","count":0}"#)?;
/// let Body::Event(event) = item.body else { unreachable!() };
/// let report = Report::new(event, item.change, Nanos(0));
/// assert_eq!((report.message(), report.count, report.combined), ("Back-off restarting failed container", 1, true));
/// # Ok::<(), input::Malformed>(())
/// ```
#[derive(Debug)]
pub struct Report<'a> {
    raw: Box<Document<'a>>,
    /// What the envelope says happened to the Event object.
    pub change: Change,
    /// The reporter's cumulative count: `series.count`, else `count`; at least 1.
    pub count: u32,
    /// Whether the recorder had aggregated similar events.
    pub combined: bool,
    /// Whether a time in the future was cut to the observation.
    pub clamped: bool,
    /// The first of `firstTimestamp`, `eventTime`, `creationTimestamp` that is present, else [`Report::last_seen`]; never after it.
    pub first_seen: Nanos,
    /// The first of `series.lastObservedTime`, `lastTimestamp`, `eventTime`, `firstTimestamp`, the newest `managedFields[].time`,
    /// `creationTimestamp` that is present, else the observation.
    pub last_seen: Nanos,
    /// When the record was observed.
    pub observed: Nanos,
}

impl<'a> Report<'a> {
    /// Settles an Event that was observed at `observed`.
    #[must_use]
    pub fn new(raw: RawEvent<'a>, change: Change, observed: Nanos) -> Self {
        let raw = raw.0;
        let series = raw.series.unwrap_or_default();
        let created = raw.metadata.creation_timestamp.0;
        let last_sent = series
            .last_observed_time
            .0
            .or(raw.last_timestamp.0)
            .or(raw.event_time.0)
            .or(raw.first_timestamp.0)
            .or_else(|| raw.metadata.managed_fields.newest())
            .or(created)
            .unwrap_or(observed);
        let first_sent = raw.first_timestamp.0.or(raw.event_time.0).or(created).unwrap_or(last_sent);
        let latest = observed.plus(MAX_CLOCK_SKEW.0);
        let settle = |time: Nanos| if time > latest { observed } else { time };
        let last_seen = settle(last_sent);
        let first_seen = settle(first_sent).min(last_seen);
        let count = [series.count, raw.count].into_iter().flatten().find(|&count| count > 0).unwrap_or(1);
        Self {
            change,
            count: u32::try_from(count).unwrap_or(u32::MAX),
            combined: raw.combined || raw.message.starts_with(COMBINED_PREFIX),
            clamped: last_sent > latest || first_sent > latest,
            first_seen,
            last_seen,
            observed,
            raw,
        }
    }

    /// The Event object's namespace.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.raw.metadata.namespace
    }

    /// The Event object's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.raw.metadata.name
    }

    /// The Event object's uid; empty when not sent.
    #[must_use]
    pub fn uid(&self) -> &str {
        &self.raw.metadata.uid
    }

    /// The Event object's resourceVersion; empty when not sent.
    #[must_use]
    pub fn resource_version(&self) -> &str {
        &self.raw.metadata.resource_version
    }

    /// The Event object's labels, as sent.
    #[must_use]
    pub fn labels(&self) -> &Fields<'a> {
        &self.raw.metadata.labels
    }

    /// The Event object's annotations, as sent.
    #[must_use]
    pub fn annotations(&self) -> &Fields<'a> {
        &self.raw.metadata.annotations
    }

    /// The newest `managedFields[].time`: when the Event object was last written.
    #[must_use]
    pub fn changed_at(&self) -> Option<Nanos> {
        self.raw.metadata.managed_fields.newest()
    }

    /// The object that the Event is about (`involvedObject`, `regarding`).
    #[must_use]
    pub fn involved(&self) -> &Reference<'a> {
        &self.raw.involved_object
    }

    /// The second object (`related`).
    #[must_use]
    pub fn related(&self) -> &Reference<'a> {
        self.raw.related.as_deref().unwrap_or(const { &Reference::EMPTY })
    }

    /// Why it was reported; empty when not sent.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.raw.reason
    }

    /// `Normal`, `Warning`, or what else was sent; empty when not sent.
    #[must_use]
    pub fn type_(&self) -> &str {
        &self.raw.type_
    }

    /// What happened, for people, without the recorder's prefix.
    #[must_use]
    pub fn message(&self) -> &str {
        self.raw.message.strip_prefix(COMBINED_PREFIX).unwrap_or(&self.raw.message)
    }

    /// What the reporter did; empty when not sent.
    #[must_use]
    pub fn action(&self) -> &str {
        &self.raw.action
    }

    /// Who reported, as core/v1 names it.
    #[must_use]
    pub fn source(&self) -> &Source<'a> {
        self.raw.source.as_ref().unwrap_or(const { &Source::EMPTY })
    }

    /// Who reported, as events.k8s.io names it; empty when not sent.
    #[must_use]
    pub fn reporting_component(&self) -> &str {
        &self.raw.reporting_component
    }

    /// Which instance reported; empty when not sent.
    #[must_use]
    pub fn reporting_instance(&self) -> &str {
        &self.raw.reporting_instance
    }

    /// The component that reported, under whichever name it was sent; empty when not sent.
    #[must_use]
    pub fn component(&self) -> &str {
        if self.source().component.is_empty() { &self.raw.reporting_component } else { &self.source().component }
    }

    /// The first time that tells this Event from a later one of the same name: `firstTimestamp`, else `eventTime`, as sent.
    #[must_use]
    pub fn born(&self) -> Option<Nanos> {
        self.raw.first_timestamp.0.or(self.raw.event_time.0)
    }
}
