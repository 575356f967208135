//! The books of the recording, made anew from its lines by plain scans.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::*;

fn recording(seed: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(&mut bytes, seed).expect("a vector takes everything");
    bytes
}

fn parse(bytes: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(bytes).expect("UTF-8");
    text.lines().map(|line| serde_json::from_str(line).expect("every line is JSON")).collect()
}

/// The lines of the sample recording, made once.
fn sample() -> &'static [Value] {
    static LINES: OnceLock<Vec<Value>> = OnceLock::new();
    LINES.get_or_init(|| parse(&recording(DEFAULT_SEED)))
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The objects of the lines, each with its line's type.
fn objects(lines: &[Value]) -> impl Iterator<Item = (&str, &Value)> {
    lines.iter().filter(|line| line["control"].is_null()).map(|line| (text(line, "/type"), &line["object"]))
}

fn written_events(lines: &[Value]) -> impl Iterator<Item = &Value> {
    objects(lines).filter(|(kind, object)| *kind != "DELETED" && object["kind"] == "Event").map(|(_, object)| object)
}

fn count(event: &Value) -> u64 {
    let fields = ["/series/count", "/count", "/deprecatedCount"];
    fields.iter().find_map(|field| event.pointer(field)?.as_u64()).unwrap_or(1).max(1)
}

type Counter = (String, String, String);

fn counter(event: &Value) -> Counter {
    let firsts = ["/firstTimestamp", "/deprecatedFirstTimestamp", "/eventTime"];
    let first = firsts.iter().map(|first| text(event, first)).find(|first| !first.is_empty()).unwrap_or_default();
    (text(event, "/metadata/namespace").to_owned(), text(event, "/metadata/name").to_owned(), first.to_owned())
}

fn last_seen(event: &Value) -> Option<DateTime<Utc>> {
    let times = ["/series/lastObservedTime", "/lastTimestamp", "/deprecatedLastTimestamp", "/eventTime"];
    times.iter().find_map(|time| text(event, time).parse().ok())
}

fn occurrences<'a>(events: impl Iterator<Item = &'a Value>) -> BTreeMap<Counter, u64> {
    let mut counters = BTreeMap::new();
    for event in events {
        let known = counters.entry(counter(event)).or_insert(0);
        *known = count(event).max(*known);
    }
    counters
}

fn is_sandbox_failure(event: &&Value) -> bool {
    event["reason"] == "FailedCreatePodSandBox"
}

#[test]
fn same_seed_same_bytes() {
    assert_eq!(recording(3), recording(3));
    assert_ne!(recording(3), recording(4));
}

#[test]
fn the_books_agree_with_a_scan_of_the_lines() {
    for seed in [DEFAULT_SEED, 0, u64::MAX] {
        check_books(seed);
    }
}

#[track_caller]
fn check_books(seed: u64) {
    let bytes = recording(seed);
    let lines = parse(&bytes);
    let truth = truth(seed);
    let failures = occurrences(written_events(&lines).filter(is_sandbox_failure));
    let all = occurrences(written_events(&lines));
    let mut owners = BTreeMap::new();
    for (_, object) in objects(&lines) {
        let owner = object.pointer("/metadata/ownerReferences/0/uid").and_then(Value::as_str);
        let workload = format!("{}/{}", text(object, "/metadata/namespace"), text(object, "/metadata/name"));
        owners.insert(text(object, "/metadata/uid"), (owner, workload));
    }
    let mut pods = BTreeSet::new();
    let mut nodes = BTreeSet::new();
    let mut workloads = BTreeSet::new();
    for event in written_events(&lines).filter(is_sandbox_failure) {
        let mut uid = text(event, "/involvedObject/uid");
        pods.insert(uid);
        nodes.insert(text(event, "/source/host"));
        while let Some(owner) = owners[uid].0 {
            uid = owner;
        }
        workloads.insert(owners[uid].1.as_str());
    }
    assert_eq!(failures.values().sum::<u64>(), 566, "seed {seed}");
    assert_eq!((pods.len(), workloads.len(), nodes.len()), (23, 9, 3), "seed {seed}");
    assert_eq!(truth.sandbox_failures, 566);
    assert_eq!((truth.blocked_pods, truth.blocked_workloads, truth.nodes), (23, 9, 3));
    assert_eq!(truth.occurrences, all.values().sum::<u64>(), "seed {seed}");
    assert_eq!((truth.counters, truth.lines), (all.len(), lines.len()), "seed {seed}");
    let bytes = bytes.len();
    assert!((3_000..=4_500).contains(&lines.len()) && bytes < 5_000_000, "seed {seed}: {} lines, {bytes} bytes", lines.len());
}

#[test]
fn every_sandbox_has_an_id_of_its_own() {
    let lines = sample();
    let failures: Vec<&Value> = written_events(lines).filter(is_sandbox_failure).collect();
    let ids: BTreeSet<&str> = failures.iter().filter_map(|event| text(event, "/message").split('"').nth(1)).collect();
    assert_eq!(ids.len(), failures.len());
    assert!(ids.iter().all(|id| id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit())));
    let combined = failures.iter().filter(|event| text(event, "/message").starts_with("(combined from similar events): "));
    assert!(combined.count() > 100);
}

#[test]
fn a_count_that_rises_is_seen_later() {
    let lines = sample();
    let mut known = BTreeMap::new();
    for event in written_events(lines) {
        let state = (count(event), last_seen(event));
        if let Some((count, seen)) = known.insert(counter(event), state) {
            assert!(state.0 > count && state.1 > seen, "{event}");
        }
    }
}

#[test]
fn lines_arrive_in_order_and_versions_rise() {
    let lines = sample();
    let received: Vec<DateTime<Utc>> = lines.iter().map(|line| text(line, "/receivedAt").parse().expect("RFC 3339")).collect();
    assert!(received.is_sorted());
    assert!(received.iter().all(|time| (story::START..story::END + TimeDelta::milliseconds(100)).contains(time)));
    let mut versions = BTreeMap::new();
    for (kind, object) in objects(lines) {
        let version: u64 = text(object, "/metadata/resourceVersion").parse().expect("a number");
        let known = versions.insert(text(object, "/metadata/uid"), version);
        assert!(known.is_none_or(|known| known < version), "{object}");
        assert_eq!(kind == "ADDED", known.is_none(), "{object}");
    }
}

#[test]
fn the_first_lists_come_first() {
    let lines = sample();
    let gvrs =
        |control: &str| -> Vec<&str> { lines.iter().filter(|line| line["control"] == control).map(|line| text(line, "/gvr")).collect() };
    assert_eq!(gvrs("listBegin").len(), 16);
    assert_eq!(gvrs("listBegin"), gvrs("listEnd"));
    let end = lines.iter().rposition(|line| line["control"] == "listEnd").expect("lists end");
    assert!(lines[..end].iter().all(|line| line["control"].is_string() || line["type"] == "ADDED"));
    assert!(lines.iter().all(|line| line["control"] != "listEnd" || !text(line, "/resourceVersion").is_empty()));
}

#[test]
fn an_expired_event_comes_back_with_the_next_count() {
    let lines = sample();
    let mut of_counter: BTreeMap<Counter, Vec<(&str, u64)>> = BTreeMap::new();
    for event in written_events(lines) {
        of_counter.entry(counter(event)).or_default().push((text(event, "/metadata/uid"), count(event)));
    }
    let anew = of_counter.values().any(|seen| seen.windows(2).any(|pair| pair[0].0 != pair[1].0 && pair[0].1 + 1 == pair[1].1));
    assert!(anew);
    assert!(objects(lines).any(|(kind, object)| kind == "DELETED" && object["kind"] == "Event"));
}

#[test]
fn the_outage_is_open_at_the_end() {
    let lines = sample();
    let newest = lines.iter().rev().take(12).filter(|line| is_sandbox_failure(&&line["object"])).count();
    assert!(newest >= 3, "{newest} of the last lines are about the outage");
    let daemons = objects(lines).filter(|(_, object)| object["kind"] == "DaemonSet" && text(object, "/metadata/name") == "cilium");
    let (_, cilium) = daemons.last().expect("the agents' DaemonSet");
    assert_eq!(cilium["status"]["numberUnavailable"], 3);
}

#[test]
fn the_night_has_every_kind_of_trouble() {
    let lines = sample();
    let reasons: BTreeSet<&str> = written_events(lines).map(|event| text(event, "/reason")).collect();
    for reason in [
        "BackOff",
        "Completed",
        "ConfigReloaded",
        "Created",
        "DeadlineExceeded",
        "EvictionThresholdMet",
        "Failed",
        "FailedScheduling",
        "Killing",
        "LeaderElection",
        "NodeHasDiskPressure",
        "Pulled",
        "Pulling",
        "SawCompletedJob",
        "ScalingReplicaSet",
        "Scheduled",
        "Started",
        "SuccessfulCreate",
        "SuccessfulDelete",
        "SuccessfulRescale",
        "Unhealthy",
    ] {
        assert!(reasons.contains(reason), "{reason}");
    }
    assert!(written_events(lines).any(|event| event["apiVersion"] == "events.k8s.io/v1"));
    assert!(written_events(lines).any(|event| text(event, "/firstTimestamp").starts_with("0001-")));
    assert!(written_events(lines).any(|event| event["series"]["count"].as_u64() > Some(2)));
}
