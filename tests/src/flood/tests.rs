use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::*;

/// Uid, type, reason, and whether a `BackOff` is one of pulling: all that the default key looks at here.
type Key = (String, String, String, bool);

/// First and last time of an Event.
type Span = (DateTime<Utc>, DateTime<Utc>);

fn lines(flood: &Flood) -> Vec<Value> {
    let mut bytes = Vec::new();
    write(&mut bytes, flood).expect("a vector takes everything");
    let text = String::from_utf8(bytes).expect("UTF-8");
    let parse = |line: &str| {
        let value: Value = serde_json::from_str(line).expect("every line is JSON");
        assert_eq!(value.to_string(), line, "every line is compact");
        value
    };
    text.lines().map(parse).collect()
}

fn small() -> Flood {
    Flood { events: 20_000, groups: 5_000, ..Flood::default() }
}

fn time(value: &Value) -> Option<DateTime<Utc>> {
    value.as_str()?.parse().ok()
}

#[test]
fn same_seed_same_bytes() {
    let write_with = |seed| {
        let mut bytes = Vec::new();
        write(&mut bytes, &Flood { seed, ..small() }).expect("a vector takes everything");
        bytes
    };
    assert_eq!(write_with(1), write_with(1));
    assert_ne!(write_with(1), write_with(2));
}

#[test]
fn lines_have_the_size_of_real_events() {
    let mut bytes = Vec::new();
    write(&mut bytes, &small()).expect("a vector takes everything");
    let mean = bytes.len() / small().events as usize;
    assert!((1_160..=1_190).contains(&mean), "{mean} bytes a line");
}

#[test]
fn keys_are_sorted_as_kubectl_sorts_them() {
    fn check(value: &Value) {
        if let Some(object) = value.as_object() {
            assert!(object.keys().is_sorted(), "{object:?}");
            object.values().for_each(check);
        }
    }
    lines(&Flood { events: 500, groups: 500, ..small() }).iter().for_each(check);
}

#[test]
fn groups_are_as_many_as_asked_for() {
    let mut spans: BTreeMap<Key, Vec<Span>> = BTreeMap::new();
    let mut names = BTreeSet::new();
    let mut occurrences = 0;
    for event in lines(&small()) {
        let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        assert!(names.insert((text("/metadata/namespace"), text("/metadata/name"))), "{event}");
        let first = time(&event["firstTimestamp"]).or(time(&event["eventTime"])).expect("a first time");
        let last = time(&event["lastTimestamp"]).unwrap_or(first);
        let pulling = text("/message").contains("pulling");
        spans.entry((text("/involvedObject/uid"), text("/type"), text("/reason"), pulling)).or_default().push((first, last));
        occurrences += event["count"].as_u64().unwrap_or(1);
    }
    let mut groups = 0;
    for spans in spans.values_mut() {
        spans.sort();
        let mut end = DateTime::<Utc>::MIN_UTC;
        for (first, last) in spans {
            if *first - end > TimeDelta::minutes(5) {
                groups += 1;
            }
            end = end.max(*last);
        }
    }
    assert_eq!(occurrences, small().occurrences());
    let (low, high) = (small().groups * 95 / 100, small().groups * 105 / 100);
    assert!((low..=high).contains(&groups), "{groups} groups");
}

#[test]
fn neighbours_are_unrelated() {
    let lines = lines(&small());
    let same = lines.windows(2).filter(|pair| pair[0]["involvedObject"]["uid"] == pair[1]["involvedObject"]["uid"]).count();
    assert!(same < 20, "{same} neighbours are about one pod");
}

#[test]
fn nothing_asked_for_is_nothing_written() {
    assert!(lines(&Flood { events: 0, groups: 0, ..small() }).is_empty());
}
