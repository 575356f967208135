//! What is told is what the API said, in its order: W6 to W10.

use crate::stage::{Collection, end, now, tales, text, watch};
use chrono::{DateTime, Utc};
use faro_tests::control_plane::ControlPlane;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// How far apart the patches of W6 are.
const APART: Duration = Duration::from_millis(10);

#[test]
fn w6_twenty_patches_10_ms_apart_are_told_in_order_with_their_versions() {
    let Some(cluster) = ControlPlane::shared() else { return };
    let namespace = cluster.namespace("w6");
    let mut program = watch(&cluster, &one_of("v1/configmaps", &namespace), 1);
    let maps = Collection::config_maps(&cluster, &namespace);
    let mut versions = vec![version(&maps.put("cm-1", &json!({})))];
    for number in 0..20 {
        let begun = Instant::now();
        versions.push(version(&maps.set("cm-1", &number.to_string())));
        // The pace of the scenario; nothing is waited for.
        std::thread::sleep(APART.saturating_sub(begun.elapsed()));
    }
    program.wait_for("the last patch", |record| record["resourceVersion"] == versions[20]);
    let records = of_name(&end(&mut program, &namespace), "cm-1");
    assert_eq!(records.iter().map(|record| text(&record["resourceVersion"])).collect::<Vec<_>>(), versions);
    assert_eq!(versions.last().unwrap(), &version(&maps.read("cm-1")));
    let times: BTreeSet<&str> = records.iter().map(|record| text(&record["timestamp"])).collect();
    assert_eq!(times.len(), 21);
    let numbers: Vec<u64> = versions.iter().map(|version| version.parse().unwrap()).collect();
    assert!(numbers.is_sorted_by(|one, other| one < other), "{numbers:?}");
}

#[test]
fn w7_deletion_is_complete_with_and_without_annotations_and_dated_now() {
    let Some(cluster) = ControlPlane::shared() else { return };
    let namespace = cluster.namespace("w7");
    let mut program = watch(&cluster, &one_of("v1/configmaps", &namespace), 1);
    let maps = Collection::config_maps(&cluster, &namespace);
    let annotations = json!({"team": "shop", "empty": ""});
    let with = json!({"metadata": {"name": "with", "labels": {"app": "x", "empty": ""}, "annotations": annotations}});
    let created = [maps.create(&with), maps.put("without", &json!({}))];
    let before = now();
    maps.delete("with");
    maps.delete("without");
    let after = now();
    program.wait_for("the last deletion", |record| record["eventType"] == "DELETED" && record["name"] == "without");
    let records = end(&mut program, &namespace);
    for (object, annotations) in created.iter().zip([&annotations, &Value::Null]) {
        let metadata = &object["metadata"];
        let deleted = records.iter().find(|record| record["eventType"] == "DELETED" && record["name"] == metadata["name"]).unwrap();
        for (field, want) in [
            ("gvr", &json!("v1/configmaps")),
            ("kind", &json!("ConfigMap")),
            ("namespace", &json!(namespace)),
            ("uid", &metadata["uid"]),
            ("labels", &metadata["labels"]),
            ("annotations", annotations),
            ("link", &json!(format!("v1/configmaps:{namespace}/{}", text(&metadata["name"])))),
        ] {
            assert_eq!(&deleted[field], want, "{field}: {deleted}");
        }
        // Its own version: that of the deletion.
        assert!(number(&deleted["resourceVersion"]) > number(&metadata["resourceVersion"]), "{deleted}");
        assert!(deleted["synthesized"].is_null() && deleted["leftSelector"].is_null(), "{deleted}");
        let told: DateTime<Utc> = text(&deleted["timestamp"]).parse().unwrap();
        // The second one is delivered a moment after the answer.
        assert!(told >= before && told <= after + Duration::from_secs(5), "{before} {deleted}");
    }
}

#[test]
fn w8_one_name_created_and_deleted_a_hundred_times_is_a_hundred_objects() {
    let Some(cluster) = ControlPlane::shared() else { return };
    let namespace = cluster.namespace("w8");
    let mut program = watch(&cluster, &one_of("v1/configmaps", &namespace), 1);
    let maps = Collection::config_maps(&cluster, &namespace);
    let mut want = Vec::new();
    for number in 0..100 {
        let made = maps.put("cm-1", &json!({"number": number.to_string()}));
        let uid = text(&made["metadata"]["uid"]).to_owned();
        maps.delete("cm-1");
        want.extend([("ADDED", uid.clone(), number), ("DELETED", uid, number)].map(|(kind, uid, number)| format!("{kind} {uid} {number}")));
    }
    let uids: BTreeSet<&str> = want.iter().map(|one| one.split(' ').nth(1).unwrap()).collect();
    assert_eq!(uids.len(), 100);
    let last = want.last().unwrap().split(' ').nth(1).unwrap().to_owned();
    program.wait_for("the last deletion", |record| record["eventType"] == "DELETED" && record["uid"] == *last);
    let records = of_name(&end(&mut program, &namespace), "cm-1");
    let told = |record: &Value| format!("{} {} {}", text(&record["eventType"]), text(&record["uid"]), text(&record["labels"]["number"]));
    // Of each object its end before the next one's beginning: no deletion carries the uid of one that lives.
    assert_eq!(records.iter().map(told).collect::<Vec<_>>(), want);
    assert!(records.iter().all(|record| record["synthesized"].is_null()));
}

#[test]
fn w9_a_hundred_objects_created_and_deleted_at_once_are_all_told() {
    let Some(cluster) = ControlPlane::shared() else { return };
    let namespace = cluster.namespace("w9");
    let mut program = watch(&cluster, &one_of("v1/configmaps", &namespace), 1);
    let maps = Collection::config_maps(&cluster, &namespace);
    let names: Vec<String> = (0..100).map(|number| format!("cm-{number:03}")).collect();
    at_once(&names, |name| {
        maps.put(name, &json!({}));
    });
    at_once(&names, |name| maps.delete(name));
    for _ in &names {
        program.wait_for("a deletion", |record| record["eventType"] == "DELETED");
    }
    let mut records = end(&mut program, &namespace);
    records.retain(|record| text(&record["name"]).starts_with("cm-"));
    for kind in ["ADDED", "DELETED"] {
        let told: Vec<&str> = records.iter().filter(|record| record["eventType"] == kind).map(|record| text(&record["name"])).collect();
        assert_eq!((told.len(), told.into_iter().collect()), (100, names.iter().map(|name| &**name).collect::<BTreeSet<_>>()), "{kind}");
    }
    assert_eq!(records.len(), 200);
}

#[test]
fn w10_concurrent_updates_of_fifty_objects_are_told_in_the_order_of_each() {
    let Some(cluster) = ControlPlane::shared() else { return };
    let namespace = cluster.namespace("w10");
    let mut program = watch(&cluster, &one_of("v1/configmaps", &namespace), 1);
    let maps = Collection::config_maps(&cluster, &namespace);
    let names: Vec<String> = (0..50).map(|number| format!("cm-{number:02}")).collect();
    let mut begun = String::new();
    for name in &names {
        begun = version(&maps.put(name, &json!({})));
    }
    let updates: Vec<(&String, usize)> = (0..20).flat_map(|number| names.iter().map(move |name| (name, number))).collect();
    let versions: Vec<u64> = {
        let versions = std::sync::Mutex::new(Vec::new());
        at_once(&updates, |(name, number)| {
            let written = maps.set(name, &number.to_string());
            versions.lock().unwrap().push(number_of(&version(&written)));
        });
        versions.into_inner().unwrap()
    };
    let last = versions.iter().max().unwrap().to_string();
    program.wait_for("the last update", |record| record["resourceVersion"] == *last);
    let records = end(&mut program, &namespace);

    // What the API server itself tells of that time, per uid.
    let path = format!("/api/v1/namespaces/{namespace}/configmaps?watch=1&timeoutSeconds=1&resourceVersion={begun}");
    let mut api: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in cluster.api().text(&path).unwrap().lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        assert_eq!(event["type"], "MODIFIED");
        api.entry(text(&event["object"]["metadata"]["uid"]).to_owned()).or_default().push(version(&event["object"]));
    }
    let mut told: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for record in records.iter().filter(|record| record["eventType"] == "UPDATED") {
        told.entry(text(&record["uid"]).to_owned()).or_default().push(text(&record["resourceVersion"]).to_owned());
    }
    assert_eq!((api.len(), api.values().map(Vec::len).sum::<usize>()), (50, 1000));
    assert_eq!(told, api);
    assert_eq!(tales(&records).iter().filter(|tale| tale.starts_with("ADDED cm-")).count(), 50);
}

/// Everything of a collection in a namespace.
fn one_of(gvr: &str, namespace: &str) -> String {
    format!("resources: [{{gvr: {gvr}, namespace_names: [{namespace}]}}]")
}

/// Does something with each of many, from several threads.
fn at_once<T: Sync>(many: &[T], act: impl Fn(&T) + Sync) {
    std::thread::scope(|scope| {
        for part in many.chunks(many.len().div_ceil(10)) {
            scope.spawn(|| part.iter().for_each(&act));
        }
    });
}

fn of_name(records: &[Value], name: &str) -> Vec<Value> {
    records.iter().filter(|record| record["name"] == name).cloned().collect()
}

fn version(object: &Value) -> String {
    text(&object["metadata"]["resourceVersion"]).to_owned()
}

fn number(value: &Value) -> u64 {
    number_of(text(value))
}

fn number_of(version: &str) -> u64 {
    version.parse().unwrap()
}
