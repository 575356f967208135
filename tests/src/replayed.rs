//! Whole recordings through the engine, and the same recordings in other orders and shapes.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use faro_core::record::{Record, Summary};
use faro_core::{Engine, EngineConfig, Nanos, Replay, Snapshot, input};
use serde_json::{Value, json};

use crate::cilium_night::dice::Dice;

/// What a run printed, and its books.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// Every line, in order.
    pub lines: Vec<String>,
    /// The books at its end.
    pub summary: Summary,
}

impl Run {
    /// Replays lines as `faro-cli replay` does; `now` is the moment that "still open" refers to.
    ///
    /// # Panics
    ///
    /// When the books do not balance.
    pub fn replay<'a>(lines: impl IntoIterator<Item = &'a str>, config: EngineConfig, now: Option<DateTime<Utc>>) -> Self {
        let mut printed = Vec::new();
        let mut sink = |record: &Record<'_>| printed.push(serde_json::to_string(record).expect("a record can be written"));
        let mut replay = Replay::new(config, now.map(Nanos::from));
        for line in lines {
            match input::read(line) {
                Ok(item) => replay.feed(item, &mut sink),
                Err(malformed) => replay.malformed(&malformed),
            }
            assert_balance(&replay.engine().stats());
        }
        let summary = replay.finish(&mut sink);
        assert_balance(&summary);
        Self { lines: printed, summary }
    }

    /// The lines of one record type, as JSON.
    #[must_use]
    pub fn records(&self, kind: &str) -> Vec<Value> {
        let read = self.lines.iter().map(|line| serde_json::from_str::<Value>(line).expect("a line is JSON"));
        read.filter(|record| record["record"] == kind).collect()
    }

    /// The last version of each group, merged ones left out, in the order of their last print.
    #[must_use]
    pub fn groups(&self) -> Vec<Value> {
        let mut last: Vec<Value> = Vec::new();
        for group in self.records("group") {
            last.retain(|known| known["id"] != group["id"]);
            last.push(group);
        }
        last.retain(|group| group["mergedInto"].is_null());
        last
    }
}

/// Panics unless every occurrence and every group is accounted for.
///
/// # Panics
///
/// See above.
pub fn assert_balance(summary: &Summary) {
    let (occurrences, groups) = (&summary.occurrences, &summary.groups);
    let placed = occurrences.closed + occurrences.open + occurrences.evicted + occurrences.unproven;
    assert_eq!(occurrences.total, placed, "the books do not balance: {occurrences:?}");
    assert_eq!(groups.total, groups.printed + groups.hidden, "the books do not balance: {groups:?}");
}

/// An engine that is fed the lines of a timed recording one by one.
#[derive(Debug)]
pub struct Live {
    config: EngineConfig,
    engine: Engine,
    /// Every line so far.
    pub lines: Vec<String>,
}

impl Live {
    /// Makes an engine that has seen nothing.
    #[must_use]
    pub fn new(config: EngineConfig) -> Self {
        Self { engine: Engine::new(config.clone()), config, lines: Vec::new() }
    }

    /// Takes a line at the moment of its delivery.
    ///
    /// # Panics
    ///
    /// When the line is no input or has no such moment.
    pub fn feed(&mut self, line: &str) {
        let item = input::read(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let now = item.observed.unwrap_or_else(|| panic!("no moment of delivery: {line}"));
        let lines = &mut self.lines;
        self.engine.ingest(item, now.into(), &mut |record: &Record<'_>| lines.push(write(record)));
    }

    /// Ticks at every deadline up to and including `now`, and once more at `now`.
    pub fn tick_through(&mut self, now: DateTime<Utc>) {
        let lines = &mut self.lines;
        while let Some(due) = self.engine.next_deadline().filter(|due| *due < now) {
            self.engine.tick(due, &mut |record: &Record<'_>| lines.push(write(record)));
        }
        self.engine.tick(now, &mut |record: &Record<'_>| lines.push(write(record)));
    }

    /// Saves the engine as JSON text and goes on with what is read from it.
    ///
    /// # Panics
    ///
    /// When the text cannot be read.
    pub fn restart(&mut self) {
        let text = serde_json::to_string(&self.engine.snapshot()).expect("a snapshot can be written");
        let snapshot: Snapshot = serde_json::from_str(&text).expect("a snapshot can be read");
        self.engine = Engine::restore(self.config.clone(), snapshot).expect("the settings are the same");
    }

    /// Ends the run.
    #[must_use]
    pub fn finish(mut self, now: DateTime<Utc>) -> Run {
        let lines = &mut self.lines;
        let summary = self.engine.flush(now, &mut |record: &Record<'_>| lines.push(write(record)));
        assert_balance(&summary);
        Run { lines: self.lines, summary }
    }
}

fn write(record: &Record<'_>) -> String {
    serde_json::to_string(record).expect("a record can be written")
}

/// The objects of a recording without their moments of delivery: what a dump would hold, in order; deletions and control lines have
/// no place in one.
///
/// # Panics
///
/// When a line is no JSON.
pub fn bare<'a>(lines: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let read = lines.into_iter().map(|line| serde_json::from_str::<Value>(line).expect("a line is JSON"));
    let kept = read.filter(|line| line["control"].is_null() && line["type"] != "DELETED");
    kept.map(|line| if line["object"].is_object() { line["object"].to_string() } else { line.to_string() }).collect()
}

/// The objects as one `List`.
///
/// # Panics
///
/// When an object is no JSON.
#[must_use]
pub fn listed(objects: &[String]) -> String {
    let items: Vec<Value> = objects.iter().map(|object| serde_json::from_str(object).expect("an object is JSON")).collect();
    json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string()
}

/// The objects in another order, those of one name as they were among themselves.
///
/// # Panics
///
/// When an object is no JSON.
#[must_use]
pub fn permuted(objects: &[String], seed: u64) -> Vec<String> {
    let mut dice = Dice::new(seed);
    let mut order: Vec<usize> = (0..objects.len()).collect();
    for last in (1..order.len()).rev() {
        let other = usize::try_from(dice.below(last as u64 + 1)).unwrap_or(0);
        order.swap(last, other);
    }
    let mut places: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (place, &at) in order.iter().enumerate() {
        places.entry(name(&objects[at])).or_default().push(place);
    }
    let mut result = vec![String::new(); objects.len()];
    for object in objects.iter().rev() {
        let place = places.get_mut(&name(object)).and_then(Vec::pop).expect("a place for each");
        result[place].clone_from(object);
    }
    result
}

fn name(object: &str) -> String {
    let object: Value = serde_json::from_str(object).expect("an object is JSON");
    format!("{}/{}/{}", object["kind"], object["metadata"]["namespace"], object["metadata"]["name"])
}
