//! What a reader makes of the printed lines: the last version of each group.

use std::collections::BTreeMap;

use serde_json::Value;

use super::oracle::Key;
use super::report::{moment, text};
use super::setup::{SECOND, Setup};
use super::system::Printed;
use super::verdict::rank;

/// Folds `group` lines by id, and panics when one cannot follow the one before it.
#[derive(Clone, Debug)]
pub struct Fold {
    setup: Setup,
    /// By id; a group that was forgotten may come again under its id, as another life.
    lives: BTreeMap<String, Vec<Life>>,
}

/// The last print of a group.
#[derive(Clone, Debug)]
pub(super) struct Life {
    pub(super) at: i64,
    ending: bool,
    pub(super) version: u64,
    pub(super) state: String,
    pub(super) merged_into: Option<String>,
    pub(super) evicted: bool,
    pub(super) key: Key,
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) count: u64,
    pub(super) severity: u8,
    pub(super) events: u64,
    pub(super) messages: u64,
    pub(super) message: String,
}

impl Life {
    fn read(printed: &Printed) -> Self {
        let record = &printed.record;
        let about = if record["resource"].is_object() { &record["resource"] } else { &record["workload"] };
        let uid = text(&record["resource"]["uid"]);
        Self {
            at: printed.at,
            ending: printed.ending,
            version: number(&record["version"]),
            state: text(&record["state"]),
            merged_into: record["mergedInto"].as_str().map(str::to_owned),
            evicted: record["evicted"] == true,
            key: [
                text(&about["kind"]),
                text(&about["namespace"]),
                text(&about["name"]),
                uid,
                text(&record["type"]),
                text(&record["reason"]),
                text(&record["family"]),
            ],
            first: moment(&record["firstSeen"]).expect("a first time"),
            last: moment(&record["lastSeen"]).expect("a last time"),
            count: number(&record["count"]),
            severity: rank(&text(&record["severity"])),
            events: number(&record["events"]),
            messages: number(&record["messages"]),
            message: text(&record["message"]),
        }
    }

    /// Whether this can be the next print of the same group.
    fn follows(&self, before: &Self, setup: &Setup) -> bool {
        let closed = before.state == "close";
        let legal = match self.state.as_str() {
            "open" => closed,
            "update" => !closed,
            "close" => true,
            _ => false,
        };
        let alive = before.merged_into.is_none() && !before.evicted;
        let same = self.key == before.key && self.first == before.first;
        let grows = self.last >= before.last
            && self.count >= before.count
            && self.severity >= before.severity
            && self.events >= before.events
            && self.messages >= before.messages;
        let rests = self.state == "close" || self.state == "open" || self.ending || self.severity > before.severity;
        // What was due during a list is printed at its end, with its own time.
        let patient = rests || before.ending || self.at - before.at >= setup.update_interval * SECOND;
        legal && alive && same && grows && patient && self.version == before.version + 1
    }

    /// Whether another group may take this one's id.
    fn is_over(&self, at: i64, setup: &Setup) -> bool {
        let kept_until = self.last + setup.window_nanos() + 1 + setup.lateness * SECOND;
        self.state == "close" && (self.evicted || self.merged_into.is_some() || kept_until <= at || setup.is_tight())
    }
}

impl Fold {
    /// Makes a reader that has read nothing.
    #[must_use]
    pub const fn new(setup: Setup) -> Self {
        Self { setup, lives: BTreeMap::new() }
    }

    /// Reads one line; those of other records say nothing.
    pub fn take(&mut self, printed: &Printed) {
        if printed.record["record"] != "group" {
            return;
        }
        let life = Life::read(printed);
        let lives = self.lives.entry(text(&printed.record["id"])).or_default();
        match lives.last_mut() {
            None => assert!(life.version == 1 && life.state != "update", "a group begins with {}", printed.line),
            Some(before) if life.follows(before, &self.setup) => {
                *before = life;
                return;
            }
            Some(before) => {
                let begins = life.version == 1 && life.state != "update" && before.is_over(life.at, &self.setup);
                assert!(begins, "{before:?} is followed by {}", printed.line);
            }
        }
        lives.push(life);
    }

    /// Every group that a reader has in the end: merged ones went to others.
    pub(super) fn groups(&self) -> impl Iterator<Item = &Life> {
        self.lives.values().flatten().filter(|life| life.merged_into.is_none())
    }

    /// Panics when a group went to one that was never printed.
    pub(super) fn check_merges(&self) {
        for life in self.lives.values().flatten() {
            let target = life.merged_into.as_ref();
            assert!(target.is_none_or(|target| self.lives.contains_key(target)), "{life:?} went to a group that nobody knows");
        }
    }
}

/// The final fold as text: the last version of each id, without merged ids, `version` ignored, open or closed all that is left of
/// `state`.
#[must_use]
pub fn final_fold<'a>(lines: impl IntoIterator<Item = &'a str>) -> String {
    let mut last: BTreeMap<String, Value> = BTreeMap::new();
    for line in lines {
        let record: Value = serde_json::from_str(line).expect("a line is JSON");
        if record["record"] == "group" {
            last.insert(text(&record["id"]), record);
        }
    }
    let mut folded = String::new();
    for mut record in last.into_values().filter(|record| record["mergedInto"].is_null()) {
        if let Some(fields) = record.as_object_mut() {
            fields.remove("version");
        }
        if record["state"] == "update" {
            record["state"] = "open".into();
        }
        folded.push_str(&record.to_string());
        folded.push('\n');
    }
    folded
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_default()
}
