//! The sample recording through the engine, against what its generator says it holds.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use chrono::{DateTime, TimeDelta, Utc};
use faro_core::{Emit, EngineConfig, GroupBy};
use faro_tests::cilium_night::{DEFAULT_SEED, Truth, truth, write};
use faro_tests::replayed::{Run, bare};
use serde_json::{Value, json};

#[test]
fn every_occurrence_is_in_the_books() {
    let (run, truth) = (night(GroupBy::Object), night_truth());
    let occurrences = &run.summary.occurrences;
    assert_eq!(occurrences.total, truth.occurrences);
    assert_eq!((occurrences.unproven, occurrences.evicted, occurrences.filtered), (0, 0, 0));
    assert_eq!(occurrences.closed + occurrences.open, truth.occurrences);
    assert_eq!(sum(&run.groups()), truth.occurrences, "the groups add up to what happened");
    let news: u64 = run.records("event").iter().filter_map(|event| event["occurrences"].as_u64()).sum();
    assert_eq!(news, truth.occurrences, "the events add up to what happened");
    assert_eq!(run.summary.records.total, truth.lines as u64);
    assert!(run.summary.malformed.is_empty());
    assert_eq!((run.summary.late, run.summary.clamped), (0, 0));
}

#[test]
fn sandbox_failures_of_23_pods_are_23_groups_that_add_up_to_566() {
    let (groups, truth) = (sandbox(&night(GroupBy::Object)), night_truth());
    assert_eq!((groups.len(), sum(&groups)), (truth.blocked_pods, truth.sandbox_failures));
    assert_eq!((groups.len(), sum(&groups)), (23, 566));
    let pods: BTreeSet<String> = groups.iter().map(|group| group["resource"]["name"].to_string()).collect();
    assert_eq!(pods.len(), 23);
    for group in &groups {
        assert_eq!((&group["severity"], &group["family"]), (&json!("critical"), &json!("pod-sandbox")));
        // Some pods were deleted in time; the others still cannot start.
        let last: DateTime<Utc> = group["lastSeen"].as_str().and_then(|text| text.parse().ok()).expect("a time");
        assert_eq!(group["state"] == "close", last + TimeDelta::minutes(5) < truth.end, "{group}");
    }
}

#[test]
fn sandbox_failures_by_workload_name_9_workloads_and_add_up_to_566() {
    let groups = sandbox(&night(GroupBy::Workload));
    let workloads: BTreeSet<String> = groups.iter().map(|group| group["workload"].to_string()).collect();
    assert_eq!((workloads.len(), sum(&groups)), (night_truth().blocked_workloads, 566));
    assert!(groups.iter().all(|group| group["resource"].is_null()));
}

#[test]
fn sandbox_failures_by_reason_are_one_group_of_566() {
    let groups = sandbox(&night(GroupBy::Reason));
    assert_eq!((groups.len(), sum(&groups)), (1, 566));
    assert_eq!((&groups[0]["summary"], &groups[0]["objects"]), (&json!("566 similar events grouped"), &json!(23)));
    assert!(groups[0]["resource"].is_null());
}

#[test]
fn dump_of_the_night_has_the_same_books() {
    let objects = bare(text().lines());
    let run = Run::replay(objects.iter().map(String::as_str), EngineConfig::default(), None);
    assert_eq!(run.summary.occurrences.total, night_truth().occurrences);
    assert_eq!(sum(&run.groups()), night_truth().occurrences);
    assert_eq!(sum(&sandbox(&run)), 566);
}

#[test]
fn other_seeds_tell_another_night_with_balanced_books() {
    for seed in [1, 2, 3] {
        let mut bytes = Vec::new();
        write(&mut bytes, seed).expect("a vector takes everything");
        let text = String::from_utf8(bytes).expect("UTF-8");
        let run = Run::replay(text.lines(), EngineConfig::default(), Some(truth(seed).end));
        assert_eq!(run.summary.occurrences.total, truth(seed).occurrences, "seed {seed}");
        assert_eq!((sandbox(&run).len(), sum(&sandbox(&run))), (23, 566), "seed {seed}");
    }
}

fn text() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| {
        let mut bytes = Vec::new();
        write(&mut bytes, DEFAULT_SEED).expect("a vector takes everything");
        String::from_utf8(bytes).expect("UTF-8")
    })
}

fn night_truth() -> &'static Truth {
    static TRUTH: OnceLock<Truth> = OnceLock::new();
    TRUTH.get_or_init(|| truth(DEFAULT_SEED))
}

fn night(group_by: GroupBy) -> Run {
    let config = EngineConfig::default().group_by(group_by).emit(Emit::ALL);
    Run::replay(text().lines(), config, Some(night_truth().end))
}

fn sandbox(run: &Run) -> Vec<Value> {
    run.groups().into_iter().filter(|group| group["reason"] == "FailedCreatePodSandBox").collect()
}

fn sum(groups: &[Value]) -> u64 {
    groups.iter().filter_map(|group| group["count"].as_u64()).sum()
}
