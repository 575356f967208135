//! How often something happened, read through the API: V3, V4, V9, V10, V30, V32.

use crate::program::Program;
use crate::reports::{Reports, WEB_UID, groups, only_group, summary};
use crate::stage::{Collection, end, text, watch_with};
use faro_tests::control_plane::{Component, ControlPlane, Setup, eventually};
use serde_json::{Value, json};
use std::time::Duration;

#[test]
fn v3_counts_1_2_5_566_are_one_group_of_566_and_four_records() {
    let Some(cluster) = ControlPlane::shared() else { return };
    let reports = Reports::new(&cluster, &cluster.namespace("v3"));
    let mut program = reports.watch(&cluster, &[]);
    reports.write("web-1.17a", &json!({}));
    for (count, last) in [(2, 10), (5, 40), (566, 290)] {
        reports.count("web-1.17a", count, last);
    }
    program.wait_for("the last count", |record| record["count"] == 566 && record["record"] == "event");
    let records = end(&mut program, "");
    assert_eq!(numbers(&records, "count"), [1, 2, 5, 566]);
    assert_eq!(numbers(&records, "occurrences"), [1, 1, 3, 561]);
    let group = only_group(&program);
    assert_eq!((&group["count"], &group["events"]), (&json!(566), &json!(1)));
    assert_eq!(group["summary"], "566 similar events grouped");
    assert_eq!((&group["firstSeen"], &group["lastSeen"]), (&json!(reports.at(0)), &json!(reports.at(290))));
    assert_eq!(summary(&program)["occurrences"]["total"], 566);
}

#[test]
fn v4_series_of_12_without_deprecated_fields_is_12() {
    let Some(cluster) = ControlPlane::shared() else { return };
    let reports = Reports::new(&cluster, &cluster.namespace("v4"));
    let mut program = reports.watch(&cluster, &[]);
    let written = reports.series.create(&json!({
        "metadata": {"name": "web-1.17a"}, "regarding": reports.pod("web-1", WEB_UID), "reason": "FailedScheduling", "type": "Warning",
        "note": "0/3 nodes are available", "action": "Scheduling", "eventTime": reports.micros_at(0),
        "series": {"count": 12, "lastObservedTime": reports.micros_at(60)},
        "reportingController": "default-scheduler", "reportingInstance": "default-scheduler-1",
    }));
    assert!(["deprecatedCount", "deprecatedFirstTimestamp", "deprecatedLastTimestamp"].iter().all(|field| written[field].is_null()));
    program.wait_for("the Event", |record| record["record"] == "event");
    let records = end(&mut program, "");
    assert_eq!((numbers(&records, "count"), numbers(&records, "occurrences")), (vec![12], vec![12]));
    let group = only_group(&program);
    assert_eq!((&group["count"], &group["firstSeen"], &group["lastSeen"]), (&json!(12), &json!(reports.at(0)), &json!(reports.at(60))));
}

#[test]
fn v9_relist_reconnect_and_restart_leave_counts_alone() {
    let Some(cluster) = Setup::new().start_or_skip() else { return };
    let reports = Reports::fresh(&cluster, &cluster.namespace("v9"));
    let place = tempfile::tempdir().unwrap();
    let checkpoint = place.path().join("checkpoint");
    let options = ["--checkpoint", checkpoint.to_str().unwrap()];
    let mut program = reports.watch(&cluster, &options);
    reports.write("web-1.17a", &json!({"count": 566, "lastTimestamp": reports.at(60)}));
    program.wait_for("the Event", |record| record["record"] == "event");

    // Reconnect: the connection breaks, the history is still there.
    cluster.kill(Component::ApiServer);
    cluster.start(Component::ApiServer).unwrap();
    reports.count("web-1.17a", 567, 70);
    let told = program.wait_for("what came after it", |record| record["count"] == 567 && record["record"] == "event");
    assert_eq!(told["occurrences"], 1);

    // Relist: meanwhile the history is gone. A watch can still begin at the oldest revision that is kept, so two follow its position.
    let maps = Collection::config_maps(&cluster, &reports.namespace);
    maps.put("later", &json!({}));
    maps.set("later", "a");
    cluster.kill(Component::ApiServer);
    cluster.compact().unwrap();
    cluster.start(Component::ApiServer).unwrap();
    let gap = program.wait_for("a gap", |record| record["record"] == "gap");
    assert_eq!((&gap["gvr"], &gap["lost"]), (&json!("v1/events"), &json!("intermediate-versions")));
    reports.count("web-1.17a", 570, 80);
    let told = program.wait_for("what came after it", |record| record["count"] == 570 && record["record"] == "event");
    assert_eq!(told["occurrences"], 3);
    assert!(program.stop().success());
    let before = program.records.iter().filter(|record| record["record"] == "event");
    assert_eq!(before.filter_map(|record| record["occurrences"].as_u64()).sum::<u64>(), 570);
    let open = only_group(&program);
    assert_eq!(open["count"], 570);
    assert_ne!(open["state"], "close", "with a checkpoint, nothing is closed");

    // Restart, and something happens meanwhile.
    reports.count("web-1.17a", 571, 90);
    let mut program = reports_again(&cluster, &reports, &options);
    let told = program.wait_for("what happened meanwhile", |record| record["record"] == "event");
    assert_eq!((&told["count"], &told["occurrences"]), (&json!(571), &json!(1)));
    assert_eq!(numbers(&end(&mut program, ""), "count"), [571], "no repeats");
    assert_eq!(summary(&program)["occurrences"]["total"], 571);

    // Restart after the history is gone, and nothing happened: another relist.
    maps.set("later", "b");
    maps.set("later", "c");
    cluster.compact().unwrap();
    let mut program = reports_again(&cluster, &reports, &options);
    program.wait_for("a gap", |record| record["record"] == "gap");
    assert!(end(&mut program, "").is_empty());
    assert_eq!(summary(&program)["occurrences"]["total"], 571);

    // Whoever begins without a checkpoint counts the same.
    let mut program = reports.watch(&cluster, &[]);
    assert_eq!(numbers(&end(&mut program, ""), "occurrences"), [571]);
    let group = only_group(&program);
    assert_eq!((&group["count"], &group["id"]), (&json!(571), &open["id"]));
}

#[test]
fn v10_deletion_by_ttl_changes_no_group() {
    let Some(cluster) = Setup::new().event_ttl(Duration::from_secs(2)).start_or_skip() else { return };
    let reports = Reports::fresh(&cluster, &cluster.namespace("v10"));
    let mut program = reports.watch(&cluster, &[]);
    let written = reports.write("web-1.17a", &json!({"count": 566, "lastTimestamp": reports.at(60)}));
    let before = program.wait_for("the group", |record| record["record"] == "group");
    let deleted = program.wait_for("the end of its time", |record| record["eventType"] == "DELETED");
    eventually("the Event is gone", || cluster.api().read(&format!("/api/v1/namespaces/{}/events/web-1.17a", reports.namespace)).err());
    assert_eq!(end(&mut program, "").len(), 2);
    let after = only_group(&program);
    for field in ["id", "count", "firstSeen", "lastSeen", "severity", "message", "events"] {
        assert_eq!(after[field], before[field], "{field}");
    }
    assert_eq!(after["count"], 566);
    assert_eq!(summary(&program)["occurrences"]["total"], 566);
    // A record, of what the server sent and nothing else.
    assert_eq!((&deleted["occurrences"], &deleted["uid"]), (&json!(0), &written["metadata"]["uid"]));
    assert_eq!(deleted["involvedObject"], written["involvedObject"]);
}

#[test]
fn v30_times_that_are_missing_partial_or_wrong() {
    let Some(cluster) = ControlPlane::shared() else { return };
    let reports = Reports::new(&cluster, &cluster.namespace("v30"));
    let mut program = reports.watch(&cluster, &[]);
    let (zero, null) = ("0001-01-01T00:00:00Z", Value::Null);
    let write = |name: &str, fields: &Value| {
        let mut all = json!({"firstTimestamp": null, "lastTimestamp": null, "count": null, "involvedObject": reports.pod(name, "")});
        all.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        reports.write(name, &all)["metadata"]["creationTimestamp"].clone()
    };
    let created = write("null", &json!({"eventTime": null}));
    let zeroed = write("zero", &json!({"firstTimestamp": zero, "lastTimestamp": zero}));
    let new = json!({
        "eventTime": reports.micros_at(10), "reportingComponent": "kubelet", "reportingInstance": "kubelet-1", "action": "Start",
    });
    write("event-time", &new);
    let seriated = write("series", &json!({"series": {"count": 7, "lastObservedTime": reports.micros_at(50)}}));
    // An hour ahead: cut to the observation.
    write("future", &json!({"firstTimestamp": reports.at(10), "lastTimestamp": reports.at(4200), "count": 2}));
    // Two minutes ahead: clocks differ.
    write("ahead", &json!({"firstTimestamp": reports.at(10), "lastTimestamp": reports.at(480), "count": 2}));
    program.wait_for("the last Event", |record| record["record"] == "event" && record["name"] == "ahead");
    let records = end(&mut program, "");
    let groups = groups(&program);
    let observed = |name: &str| records.iter().find(|record| record["name"] == name).unwrap()["timestamp"].clone();
    let (at_10, at_50) = (json!(reports.at(10)), json!(reports.at(50)));
    for (name, first, last, count, clamped) in [
        ("null", created.clone(), created, 1, null.clone()),
        ("zero", zeroed.clone(), zeroed, 1, null.clone()),
        ("event-time", at_10.clone(), at_10.clone(), 1, null.clone()),
        ("future", at_10.clone(), observed("future"), 2, json!(true)),
        ("ahead", at_10, json!(reports.at(480)), 2, null.clone()),
        // It was written later than it says it was last observed, and says nothing of its beginning.
        ("series", at_50.clone(), at_50, 7, null),
    ] {
        let record = records.iter().find(|record| record["name"] == name).unwrap();
        let group = groups.iter().find(|group| group["resource"]["name"] == name).unwrap();
        for told in [record, group] {
            assert_eq!((&told["firstSeen"], &told["lastSeen"], &told["count"]), (&first, &last, &json!(count)), "{name}: {told}");
        }
        assert_eq!(record["clamped"], clamped, "{name}");
    }
    assert!(text(&seriated) > reports.at(50).as_str());
    assert_eq!(summary(&program)["clamped"], 1);
}

#[test]
fn v32_counts_that_do_not_rise() {
    let Some(cluster) = ControlPlane::shared() else { return };
    let reports = Reports::new(&cluster, &cluster.namespace("v32"));
    let mut program = reports.watch(&cluster, &[]);
    let about = |name: &str, count: u32, last: i64| json!({"involvedObject": reports.pod(name, ""), "count": count, "lastTimestamp": reports.at(last)});
    // Smaller and later: a counter that began again.
    reports.write("restarted", &about("restarted", 566, 60));
    reports.count("restarted", 3, 90);
    // Expired, and created anew with the next count.
    let old = reports.write("anew", &about("anew", 566, 60));
    reports.core.delete("anew");
    let new = reports.write("anew", &about("anew", 567, 120));
    assert_ne!(old["metadata"]["uid"], new["metadata"]["uid"]);
    // A stale copy after a newer one, and the newer one again.
    reports.write("stale", &about("stale", 9, 60));
    reports.count("stale", 5, 30);
    reports.count("stale", 9, 60);
    reports.write("last", &about("last", 1, 0));
    program.wait_for("the last Event", |record| record["record"] == "event" && record["name"] == "last");
    let records = end(&mut program, "");
    let groups = groups(&program);
    for (name, news, count) in [("restarted", vec![566, 3], 569), ("anew", vec![566, 0, 1], 567), ("stale", vec![9, 0, 0], 9)] {
        let told: Vec<Value> = records.iter().filter(|record| record["name"] == name).cloned().collect();
        assert_eq!(numbers(&told, "occurrences"), news, "{name}");
        let of: Vec<&Value> = groups.iter().filter(|group| group["resource"]["name"] == name).collect();
        assert_eq!(of.iter().map(|group| group["count"].as_u64().unwrap()).collect::<Vec<_>>(), [count], "{name}");
        assert_eq!(of[0]["events"], 1, "{name}");
    }
    assert_eq!(groups.iter().find(|group| group["resource"]["name"] == "stale").unwrap()["lastSeen"], reports.at(60));
    assert_eq!(summary(&program)["occurrences"]["total"], 569 + 567 + 9 + 1);
}

/// Watches once more; what is synced with a checkpoint says so no second time.
fn reports_again(cluster: &ControlPlane, reports: &Reports<'_>, options: &[&str]) -> Program {
    let config = format!("resources: [{{gvr: v1/events, namespace_names: [{}]}}]", reports.namespace);
    let options: Vec<&str> = ["--emit", "event,group,sync,gap,summary"].iter().chain(options).copied().collect();
    watch_with(cluster, &config, 0, &options)
}

fn numbers(records: &[Value], field: &str) -> Vec<u64> {
    records.iter().map(|record| record[field].as_u64().unwrap()).collect()
}
