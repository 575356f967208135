//! Causes that are reported in the same words, told apart by what is known of other objects.

use crate::stage::{at, play, watched};
use serde_json::{Value, json};

/// The scheduler looks at taints before labels, so a node that lacks the label, too, is told for its taint alone.
const REFUSED: &str = "0/2 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, 1 node(s) had untolerated taint \
                       {dedicated: batch}. preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.";

#[test]
fn taint_is_to_blame_where_its_node_has_the_labels() {
    check(&json!({"nodeSelector": {"pool": "batch"}}), "taint-not-tolerated");
    check(&json!({"nodeSelector": {"pool": "batch", "zone": "a"}}), "taint-not-tolerated");
}

#[test]
fn labels_are_to_blame_where_no_node_has_all_of_them() {
    check(&json!({"nodeSelector": {"pool": "bulk"}}), "node-affinity-mismatch");
    check(&json!({"nodeSelector": {"pool": "batch", "zone": "b"}}), "node-affinity-mismatch");
    check(&json!({"nodeSelector": {"pool": "batch", "zone": "c"}}), "node-affinity-mismatch");
}

#[test]
fn labels_are_to_blame_where_a_pod_asks_for_more_than_can_be_told() {
    let ssd = json!([{"matchExpressions": [{"key": "disk", "operator": "In", "values": ["ssd"]}]}]);
    let affinity = json!({"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": ssd}}});
    check(&json!({"nodeSelector": {"pool": "batch"}, "affinity": affinity}), "node-affinity-mismatch");
}

#[test]
fn what_is_missing_and_was_deleted_is_missing_because_of_that() {
    let config = |name: &str| object("v1", "ConfigMap", name, &json!({"data": {"mode": "quick"}}));
    let run = |deleted: &str| {
        let waiting = json!({"waiting": {"reason": "CreateContainerConfigError", "message": "configmap \"till-settings\" not found"}});
        let pod = json!({
            "spec": {"nodeName": "n1", "containers": [{"name": "app", "envFrom": [{"configMapRef": {"name": "till-settings"}}, {"configMapRef": {"name": "flags"}}]}]},
            "status": {
                "phase": "Pending", "conditions": [{"type": "Ready", "status": "False", "lastTransitionTime": at(30)}],
                "containerStatuses": [{"name": "app", "restartCount": 0, "ready": false, "state": waiting}],
            },
        });
        only(&[
            watched("ADDED", 0, &config("till-settings")),
            watched("ADDED", 0, &config("flags")),
            watched("ADDED", 1, &object("v1", "Pod", "till", &json!({"spec": pod["spec"]}))),
            watched("DELETED", 20, &config(deleted)),
            watched("MODIFIED", 30, &object("v1", "Pod", "till", &pod)),
            watched("ADDED", 90, &config("later")),
        ])
    };
    let incident = run("till-settings");
    assert_eq!((&incident["cause"]["code"], &incident["rootCause"]["kind"]), (&json!("config-deleted"), &json!("ConfigMap")));
    // Something else that it reads was deleted: that is not what is missing.
    assert_eq!(run("flags")["cause"]["code"], "config-map-missing");
}

#[track_caller]
fn check(asks: &Value, code: &str) {
    let node = |name: &str, labels: Value, taints: Value| {
        let mut node = object("v1", "Node", name, &json!({"spec": {"taints": taints}, "status": {"conditions": []}}));
        node["metadata"] = json!({"name": name, "resourceVersion": "1", "labels": labels});
        watched("ADDED", 0, &node)
    };
    let mut spec = json!({"containers": [{"name": "app"}]});
    asks.as_object().into_iter().flatten().for_each(|(field, value)| spec[field] = value.clone());
    let condition =
        json!({"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": REFUSED, "lastTransitionTime": at(10)});
    let pod = object("v1", "Pod", "till", &json!({"spec": spec, "status": {"phase": "Pending", "conditions": [condition]}}));
    let incident = only(&[
        node("n1", json!({"pool": "batch", "zone": "a"}), json!([{"key": "dedicated", "value": "batch", "effect": "NoSchedule"}])),
        node("n2", json!({"pool": "web", "zone": "b"}), json!([])),
        watched("ADDED", 10, &pod),
        watched("ADDED", 90, &object("v1", "ConfigMap", "later", &json!({}))),
    ]);
    assert_eq!(incident["cause"]["code"], code, "{asks}");
}

fn object(api_version: &str, kind: &str, name: &str, fields: &Value) -> Value {
    let version = if fields["status"].is_object() { "2" } else { "1" };
    let metadata = json!({"name": name, "namespace": "shop", "resourceVersion": version, "creationTimestamp": at(0)});
    let mut object = json!({"apiVersion": api_version, "kind": kind, "metadata": metadata});
    fields.as_object().into_iter().flatten().for_each(|(field, value)| object[field] = value.clone());
    object
}

/// The last version of the one incident.
#[track_caller]
fn only(values: &[Value]) -> Value {
    let incidents = play(values).records("incident");
    assert!(!incidents.is_empty() && incidents.iter().all(|one| one["id"] == incidents[0]["id"]), "{incidents:#?}");
    incidents[incidents.len() - 1].clone()
}
