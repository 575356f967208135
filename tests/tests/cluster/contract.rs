//! What holds of every run, whatever it watches: beside the schema, that the records of each object are what the API said of it.

use chrono::{DateTime, Utc};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Whether a run began with a checkpoint, so that its first record of an object need not be the object's first.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Begun {
    Fresh,
    Resumed,
}

/// What the records before said of an object.
struct Before<'a> {
    present: bool,
    version: u64,
    labels: &'a Value,
}

/// Checks the records of objects and events of one run.
///
/// Each has a uid; of one uid, versions rise as the API gave them (KEP-5504: those of one object can be compared), nothing is
/// updated or deleted that is not there or added that is, a deletion has the labels of the object that it deletes; and no two have
/// the same identity. The moments of observation rise from record to record. An object that left its selector may come again, and be deleted again: these are other deletions.
#[track_caller]
pub(crate) fn check(records: &[Value], begun: Begun) {
    let mut objects: BTreeMap<(&str, &str, &str), Before<'_>> = BTreeMap::new();
    let mut identities = BTreeSet::new();
    let mut newest: Option<DateTime<Utc>> = None;
    for record in records.iter().filter(|record| matches!(text(&record["record"]), "object" | "event")) {
        let uid = text(&record["uid"]);
        assert!(!uid.is_empty(), "no uid: {record}");
        let observed = text(&record["timestamp"]).parse().ok();
        assert!(observed > newest, "not after {newest:?}: {record}");
        newest = observed;
        let key = (text(&record["cluster"]), text(&record["gvr"]), uid);
        let version = text(&record["resourceVersion"]).parse().unwrap_or(0);
        let deleted = record["eventType"] == "DELETED";
        let before = objects.get(&key);
        if let Some(before) = before {
            assert!(version > before.version || (deleted && version == 0), "version {} came before: {record}", before.version);
            assert_eq!(before.present, record["eventType"] != "ADDED", "{record}");
            assert!(!deleted || before.labels == &record["labels"], "labels were {}: {record}", before.labels);
        } else if begun == Begun::Fresh {
            assert_eq!(record["eventType"], "ADDED", "{record}");
        }
        assert!(deleted || version > 0, "no version: {record}");
        assert!(deleted || identities.insert((key, version)), "twice: {record}");
        let version = version.max(before.map_or(0, |before| before.version));
        objects.insert(key, Before { present: !deleted, version, labels: &record["labels"] });
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
