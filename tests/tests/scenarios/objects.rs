//! Which object it is about, and who owns it: V1, V29, V34.

use crate::stage::{WEB_UID, at, counts, event, everything, once, only_group, play, play_with, pod, watched, with};
use faro_core::GroupBy;
use faro_tests::replayed::Run;
use serde_json::{Value, json};

#[test]
fn v1_both_api_versions_give_the_same_record() {
    for (core, events) in both_views() {
        let of = |object: &Value| play(&[watched("ADDED", 60, object)]).lines;
        assert_eq!(of(&events), of(&core));
        let beta = with(events.clone(), json!({"apiVersion": "events.k8s.io/v1beta1"}));
        assert_eq!(of(&beta), of(&core));
    }
}

#[test]
fn v1_watching_both_api_versions_gives_a_record_once() {
    for (core, events) in both_views() {
        for order in [[&core, &events], [&events, &core]] {
            let stream = play(&[watched("ADDED", 60, order[0]), watched("ADDED", 60, order[1]), watched("ADDED", 61, order[0])]);
            let list = play(&order.map(Clone::clone));
            for run in [stream, list] {
                assert_eq!((run.records("event").len(), run.summary.records.repeated > 0), (1, true));
                assert_eq!(counts(&run), [12]);
            }
        }
    }
}

#[test]
fn v29_node_events_with_and_without_uid_are_about_one_node() {
    let about = |name: &str, uid: &str| {
        let number = uid.len();
        let node = json!({"apiVersion": "v1", "kind": "Node", "name": name, "uid": uid});
        event(
            &format!("{name}.{number}"),
            json!({"metadata": {"name": format!("{name}.{number}"), "namespace": "default"}, "involvedObject": node,
            "reason": "NodeNotReady", "message": "Node is not ready"}),
        )
    };
    let real = "0f0e7b0a-3f0e-4a52-9d5a-0a4e0f1d2c3b";
    let of = |name: &str| [about(name, ""), about(name, name), about(name, real)];
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
        let group = only_group(&play(&order.map(|at: usize| of("n1")[at].clone())));
        assert_eq!((&group["count"], &group["events"], &group["resource"]["name"]), (&json!(3), &json!(3), &json!("n1")));
    }
    let run = play(&[of("n1"), of("n2")].concat());
    assert_eq!(counts(&run), [3, 3], "two nodes never merge");
}

#[test]
fn v34_name_prefix_neighbours_never_share_an_owner() {
    let owned = |kind: &str, name: &str, owner: Option<(&str, &str)>| {
        let references =
            owner.map(|(kind, name)| json!([{"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": "u", "controller": true}]));
        let metadata = json!({"name": name, "namespace": "shop", "uid": format!("{kind}-{name}"), "resourceVersion": "1", "ownerReferences": references});
        json!({"apiVersion": if kind == "Pod" { "v1" } else { "apps/v1" }, "kind": kind, "metadata": metadata})
    };
    let objects = [
        owned("ReplicaSet", "pay-5d4f8", Some(("Deployment", "pay"))),
        owned("ReplicaSet", "pay-api-5d4f8", Some(("Deployment", "pay-api"))),
        owned("Pod", "pay-5d4f8-x2x7k", Some(("ReplicaSet", "pay-5d4f8"))),
        owned("Pod", "pay-api-5d4f8-x2x7k", Some(("ReplicaSet", "pay-api-5d4f8"))),
        owned("Pod", "pay-5d4f8-x2x7", None),
    ];
    let failing = ["pay-5d4f8-x2x7k", "pay-api-5d4f8-x2x7k", "pay-5d4f8-x2x7"].map(failing);
    check_owners(&play_with(everything().group_by(GroupBy::Workload), &[objects.to_vec(), failing.to_vec()].concat()));
    let run = play(&objects);
    let owner = |name: &str| run.records("object").iter().find(|record| record["name"] == name).expect("a record")["owner"].clone();
    assert_eq!(owner("pay-5d4f8-x2x7k"), json!({"kind": "Deployment", "name": "pay"}));
    assert_eq!(owner("pay-api-5d4f8-x2x7k"), json!({"kind": "Deployment", "name": "pay-api"}));
    assert!(owner("pay-5d4f8-x2x7").is_null());
}

#[test]
fn v34_nor_where_only_events_tell_who_owns() {
    let said = |kind: &str, name: &str, reason: &str, message: &str| {
        let about = json!({"apiVersion": "apps/v1", "kind": kind, "namespace": "shop", "name": name});
        event(
            &format!("{name}.1"),
            json!({"involvedObject": about, "reason": reason, "message": message, "type": "Normal", "source": {"component": "x"}}),
        )
    };
    let told = [
        said("Deployment", "pay", "ScalingReplicaSet", "Scaled up replica set pay-5d4f8 to 1"),
        said("Deployment", "pay-api", "ScalingReplicaSet", "Scaled up replica set pay-api-5d4f8 to 1"),
        said("ReplicaSet", "pay-5d4f8", "SuccessfulCreate", "Created pod: pay-5d4f8-x2x7k"),
        said("ReplicaSet", "pay-api-5d4f8", "SuccessfulCreate", "Created pod: pay-api-5d4f8-x2x7k"),
    ];
    let failing = ["pay-5d4f8-x2x7k", "pay-api-5d4f8-x2x7k", "pay-5d4f8-x2x7"].map(failing);
    check_owners(&play_with(everything().group_by(GroupBy::Workload), &[told.to_vec(), failing.to_vec()].concat()));
    check_owners(&play_with(everything().group_by(GroupBy::Workload), &[failing.to_vec(), told.to_vec()].concat()));
}

fn failing(name: &str) -> Value {
    with(once(&format!("{name}.17a"), 0), json!({"involvedObject": pod(name, "")}))
}

/// One sandbox failure for each Deployment, and one for the pod that nobody owns.
#[track_caller]
fn check_owners(run: &Run) {
    let mut owners: Vec<String> = run
        .groups()
        .iter()
        .filter(|group| group["reason"] == "FailedCreatePodSandBox")
        .map(|group| format!("{} {} {}", group["workload"]["name"], group["resource"]["name"], group["count"]))
        .collect();
    owners.sort();
    assert_eq!(owners, [r#""pay" null 1"#, r#""pay-api" null 1"#, r#"null "pay-5d4f8-x2x7" 1"#]);
}

/// One stored Event as each API version shows it: written through the old recorder, and through the new one.
fn both_views() -> [(Value, Value); 2] {
    let metadata = json!({"name": "web-1.17a", "namespace": "shop", "uid": "e-1", "resourceVersion": "7", "creationTimestamp": at(0),
        "labels": {"team": "web"}, "managedFields": [{"manager": "kubelet", "time": at(60)}]});
    let about = with(pod("web-1", WEB_UID), json!({"resourceVersion": "4", "fieldPath": "spec.containers{app}"}));
    let (first, last, source) = (at(0), at(60), json!({"component": "kubelet", "host": "n1"}));
    let common = json!({"kind": "Event", "metadata": metadata, "reason": "BackOff", "type": "Warning"});
    let message = "Back-off restarting failed container";
    let old = (
        json!({"apiVersion": "v1", "involvedObject": about, "message": message, "source": source, "firstTimestamp": first, "lastTimestamp": last,
            "count": 12, "eventTime": null, "reportingComponent": "kubelet", "reportingInstance": "n1"}),
        json!({"apiVersion": "events.k8s.io/v1", "regarding": about, "note": message, "deprecatedSource": source,
            "deprecatedFirstTimestamp": first, "deprecatedLastTimestamp": last, "deprecatedCount": 12, "eventTime": null,
            "reportingController": "kubelet", "reportingInstance": "n1"}),
    );
    let series = json!({"count": 12, "lastObservedTime": last});
    let related = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "namespace": "shop", "name": "web"});
    let new = (
        json!({"apiVersion": "v1", "involvedObject": about, "related": related, "message": message, "source": {}, "firstTimestamp": null,
            "lastTimestamp": null, "eventTime": first, "series": series, "action": "Restarting", "reportingComponent": "kubelet",
            "reportingInstance": "n1"}),
        json!({"apiVersion": "events.k8s.io/v1", "regarding": about, "related": related, "note": message, "deprecatedSource": {},
            "deprecatedFirstTimestamp": null, "deprecatedLastTimestamp": null, "eventTime": first, "series": series, "action": "Restarting",
            "reportingController": "kubelet", "reportingInstance": "n1"}),
    );
    [old, new].map(|(core, events)| (with(common.clone(), core), with(common.clone(), events)))
}
