//! The engine, driven input by input, and what it prints.

use chrono::{DateTime, Utc};
use faro_core::record::Summary;
use faro_core::{Engine, Record, Scope, Snapshot, input};
use serde_json::Value;

use super::cluster::Input;
use super::setup::Setup;

/// A line, and when it was printed.
#[derive(Clone, Debug, PartialEq)]
pub struct Printed {
    /// The moment: of a deadline that came, or of the input.
    pub at: i64,
    /// Whether it was printed at the end of a list, or of the run.
    pub ending: bool,
    /// The line.
    pub line: String,
    pub(super) record: Value,
}

/// An engine under test.
#[derive(Debug)]
pub struct System {
    setup: Setup,
    now: i64,
    engine: Engine,
    printed: Vec<Printed>,
}

impl System {
    /// Makes an engine that has seen nothing.
    #[must_use]
    pub fn new(setup: Setup) -> Self {
        Self { setup, now: i64::MIN, engine: Engine::new(setup.config()), printed: Vec::new() }
    }

    /// Feeds one input, and nothing before it: what is due is for the engine to know.
    pub fn feed(&mut self, now: i64, input: &Input) {
        let scope = |gvr: &str| Scope { gvr: gvr.to_owned(), ..Scope::default() };
        match input {
            Input::Line(line) => {
                let item = input::read(line).unwrap_or_else(|error| panic!("{error}: {line}"));
                self.with(now, false, |engine, at, sink| engine.ingest(item, at, &mut |record: &Record<'_>| sink(record)));
            }
            Input::Begin(gvr) => {
                self.with(now, false, |engine, at, sink| engine.begin_list(scope(gvr), at, &mut |record: &Record<'_>| sink(record)));
            }
            Input::End(gvr) => {
                self.with(now, true, |engine, at, sink| engine.end_list(scope(gvr), at, &mut |record: &Record<'_>| sink(record)));
            }
            Input::Tick => self.tick(now),
            Input::Restart => self.restart(),
        }
    }

    /// Lets time pass up to `now`, with a tick at every deadline on the way.
    pub fn settle(&mut self, now: i64) {
        let mut idle = 0;
        while let Some(due) = self.next_deadline().filter(|due| *due <= now) {
            let before = self.printed.len();
            self.tick(due);
            let moved = self.next_deadline() != Some(due) || self.printed.len() > before;
            idle = if moved { 0 } else { idle + 1 };
            assert!(idle < 3, "a tick at the deadline {due} leaves it where it is");
        }
    }

    /// One call of `tick`.
    pub fn tick(&mut self, now: i64) {
        self.with(now, false, |engine, at, sink| engine.tick(at, &mut |record: &Record<'_>| sink(record)));
    }

    /// Saves the engine as JSON text and goes on with what is read from it.
    pub fn restart(&mut self) {
        let text = serde_json::to_string(&self.engine.snapshot()).expect("a snapshot can be written");
        let snapshot: Snapshot = serde_json::from_str(&text).expect("a snapshot can be read");
        self.engine = Engine::restore(self.setup.config(), snapshot).expect("the settings are the same");
    }

    /// Ends the run and returns the books.
    pub fn flush(&mut self, now: i64) -> Summary {
        let mut books = Summary::default();
        self.with(now, true, |engine, at, sink| books = engine.flush(at, &mut |record: &Record<'_>| sink(record)));
        books
    }

    /// The books as of now.
    #[must_use]
    pub fn stats(&self) -> Summary {
        self.engine.stats()
    }

    /// When something is due, in nanoseconds.
    #[must_use]
    pub fn next_deadline(&self) -> Option<i64> {
        self.engine.next_deadline().and_then(|due| due.timestamp_nanos_opt())
    }

    /// Every line so far.
    #[must_use]
    pub fn printed(&self) -> &[Printed] {
        &self.printed
    }

    fn with(&mut self, now: i64, ending: bool, call: impl FnOnce(&mut Engine, DateTime<Utc>, &mut dyn FnMut(&Record<'_>))) {
        self.now = self.now.max(now);
        let (at, printed) = (self.now, &mut self.printed);
        call(&mut self.engine, DateTime::from_timestamp_nanos(now), &mut |record| {
            let line = serde_json::to_string(record).expect("a record can be written");
            let record = serde_json::from_str(&line).expect("a line is JSON");
            printed.push(Printed { at, ending, line, record });
        });
    }
}
