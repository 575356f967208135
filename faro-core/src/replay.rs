//! Recorded input as one run: which stretches are lists, and what time it is.

use crate::config::EngineConfig;
use crate::engine::{Engine, Scope, Sink, Snapshot};
use crate::groups::LOOK_AHEAD;
use crate::input::{Body, Cause, Control, Ignored, Item, Malformed};
use crate::record::{Record, Summary};
use crate::time::Nanos;
use serde_json::value::RawValue;

/// Drives an [`Engine`] over recorded values.
///
/// A stretch of values without a moment of delivery is one list: it begins with its first value, ends before the next value that has
/// one, and its time is the newest it carries. Values with one are a stream, and `now` is the moment of delivery.
///
/// # Example
///
/// ```
/// use faro_core::{EngineConfig, Record, Replay, input};
///
/// let mut lines = Vec::new();
/// let mut sink = |record: &Record<'_>| lines.push(serde_json::to_string(record).unwrap());
/// let mut replay = Replay::new(EngineConfig::default(), None);
/// replay.feed(input::read(r#"{"kind":"Event","metadata":{"name":"a"},"reason":"OOMKilling","count":3}"#)?, &mut sink);
/// let summary = replay.finish(&mut sink);
/// assert_eq!((summary.occurrences.total, lines.len()), (3, 2));
/// # Ok::<(), input::Malformed>(())
/// ```
#[derive(Debug)]
pub struct Replay {
    engine: Engine,
    now: Option<Nanos>,
    newest: Option<Nanos>,
    fallback: Nanos,
    listing: bool,
    fed: bool,
}

impl Replay {
    /// Makes a replay. `now` is the moment that "still open" refers to; without it, the newest time in the input.
    #[must_use]
    pub fn new(config: EngineConfig, now: Option<Nanos>) -> Self {
        Self { engine: Engine::new(config), now, newest: None, fallback: Nanos(0), listing: false, fed: false }
    }

    /// Makes a replay that goes on with an engine: one that was restored, after a restart.
    #[must_use]
    pub const fn of(engine: Engine) -> Self {
        Self { newest: Some(engine.now()), engine, now: None, fallback: Nanos(0), listing: false, fed: true }
    }

    /// Sets the moment of values that carry none, as long as nothing in the input has told a time; the Unix epoch.
    #[must_use]
    pub const fn fallback(mut self, fallback: Nanos) -> Self {
        self.fallback = fallback;
        self
    }

    /// Takes the next value.
    pub fn feed(&mut self, item: Item<'_>, sink: &mut impl Sink) {
        let first = !std::mem::replace(&mut self.fed, true);
        if first
            && let Body::Control(Control::Snapshot(snapshot)) = &item.body
            && let Err(refused) = self.restore(snapshot)
        {
            self.malformed(&refused);
            return;
        }
        if item.timed {
            self.end_list(sink);
            let now = item.observed.or(self.newest).unwrap_or(self.fallback);
            self.newest = self.newest.max(Some(now));
            self.engine.ingest_at(item, now, sink);
            return;
        }
        if !self.listing && !matches!(item.body, Body::Ignored(_)) {
            self.listing = true;
            self.engine.begin_scope(Scope::default());
        }
        if let Body::List(list) = &item.body
            && let Ok(items) = list.items()
        {
            for item in items {
                match item {
                    Ok(item) => self.feed(item, sink),
                    Err(malformed) => self.malformed(&malformed),
                }
            }
            return;
        }
        let newest = match &item.body {
            Body::Event(event) => event.newest_time(),
            Body::Object(object) => object.newest_time(),
            Body::List(_) | Body::Control(_) | Body::Ignored(_) => None,
        };
        let now = self.listed_now(item.observed.or(newest));
        self.engine.ingest_at(item, now, sink);
    }

    /// Goes on from what an engine remembered. A recording is cut into files, and each can be replayed alone.
    fn restore(&mut self, snapshot: &RawValue) -> Result<(), Malformed> {
        let config = self.engine.config().clone();
        let refused = |why: &dyn std::fmt::Display| Malformed::new(Cause::Snapshot, why.to_string());
        let snapshot: Snapshot = serde_json::from_str(snapshot.get()).map_err(|error| refused(&error))?;
        if !snapshot.is_empty() {
            self.engine = Engine::restore(config, snapshot).map_err(|error| refused(&error))?;
        }
        Ok(())
    }

    /// Takes the next values, many at once: the same as one after another, and faster where they are Events of a list.
    pub fn feed_all<'a>(&mut self, items: impl IntoIterator<Item = Item<'a>>, sink: &mut impl Sink) {
        let mut listed = Vec::with_capacity(LOOK_AHEAD);
        for item in items {
            match item.body {
                Body::Event(event) if !item.timed && self.listing => {
                    let now = self.listed_now(item.observed.or(event.newest_time()));
                    listed.push((Item { body: Body::Ignored(Ignored::Bookmark), ..item }, event, now));
                    if listed.len() == LOOK_AHEAD {
                        self.engine.ingest_listed(listed.drain(..), sink);
                    }
                }
                body @ (Body::Event(_) | Body::Object(_) | Body::List(_) | Body::Control(_) | Body::Ignored(_)) => {
                    self.engine.ingest_listed(listed.drain(..), sink);
                    self.feed(Item { body, ..item }, sink);
                }
            }
        }
        self.engine.ingest_listed(listed.drain(..), sink);
    }

    /// The moment of a value of a list, whose newest time is this.
    fn listed_now(&mut self, newest: Option<Nanos>) -> Nanos {
        self.newest = self.newest.max(newest);
        self.end()
    }

    /// Counts a value that could not be understood.
    pub fn malformed(&mut self, malformed: &Malformed) {
        self.engine.malformed(malformed);
    }

    /// Ends the run: what is due by its end happens, what changed is printed, and the summary as the last record.
    pub fn finish(&mut self, sink: &mut impl Sink) -> Summary {
        self.end_list(sink);
        let end = self.end().max(self.engine.now());
        let summary = self.engine.flush_at(end, sink);
        sink.record(&Record::Summary(summary.clone()));
        summary
    }

    /// Does what is due by `now`: a live run calls it when [`Engine::next_deadline`] has come.
    pub fn tick(&mut self, now: Nanos, sink: &mut impl Sink) {
        self.engine.advance(now, sink);
    }

    /// The engine that is driven.
    #[must_use]
    pub const fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The moment that the input has come to.
    fn end(&self) -> Nanos {
        self.now.or(self.newest).unwrap_or(self.fallback)
    }

    fn end_list(&mut self, sink: &mut impl Sink) {
        if std::mem::take(&mut self.listing) {
            let end = self.end();
            self.engine.advance(end, sink);
            self.engine.end_scope(Scope::default(), sink);
        }
    }
}
