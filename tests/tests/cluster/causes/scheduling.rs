//! Pods that are not created, or find no node.

use super::case::Case;
use super::place::Place;
use crate::stage::text;
use faro_tests::control_plane::{ControlPlane, Patch, eventually};
use serde_json::json;

/// A node that only those may use who tolerate its taint, and who ask for it by its label.
pub(super) fn add_tainted_node(cluster: &ControlPlane) {
    cluster.add_node("node-4", &json!({"pool": "gpu"})).unwrap();
    let taint = json!({"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"});
    eventually("the node is ready", || {
        let node = cluster.api().read("/api/v1/nodes/node-4").unwrap();
        node["spec"]["taints"].is_null().then_some(())
    });
    cluster.api().patch("/api/v1/nodes/node-4", Patch::Merge, &json!({"spec": {"taints": [taint]}})).unwrap();
}

pub(super) const CASES: &[Case] = &[
    Case {
        name: "quota exceeded",
        namespace: "analytics",
        category: "quota",
        codes: &["quota-exceeded"],
        root: ("ResourceQuota", "compute"),
        before: quota_holds,
        happens: asks_for_more_than_the_quota,
    },
    Case {
        name: "taint not tolerated",
        namespace: "recommendations",
        category: "unschedulable",
        codes: &["taint-not-tolerated"],
        root: ("Deployment", "trainer"),
        before: nothing,
        happens: lacks_a_toleration,
    },
    Case {
        name: "node selector fits no node",
        namespace: "media",
        category: "unschedulable",
        codes: &["node-affinity-mismatch"],
        root: ("Deployment", "transcoder"),
        before: nothing,
        happens: asks_for_a_label_that_no_node_has,
    },
    Case {
        name: "not enough memory anywhere",
        namespace: "warehouse",
        category: "unschedulable",
        codes: &["insufficient-resources"],
        root: ("Deployment", "cube"),
        before: nothing,
        happens: asks_for_more_memory_than_any_node_has,
    },
];

pub(super) fn nothing(_: &Place<'_>) {}

fn quota_holds(place: &Place<'_>) {
    let quotas = place.collection("resourcequotas");
    quotas.create(&json!({"metadata": {"name": "compute"}, "spec": {"hard": {"requests.cpu": "1", "requests.memory": "4Gi"}}}));
    eventually("the quota is counted", || (text(&quotas.read("compute")["status"]["hard"]["requests.cpu"]) == "1").then_some(()));
    place.run("report-builder", 2, &json!({"container": {"resources": {"requests": {"cpu": "400m", "memory": "1Gi"}}}}));
}

fn asks_for_more_than_the_quota(place: &Place<'_>) {
    place.change("report-builder", &json!({"replicas": 4}));
}

fn lacks_a_toleration(place: &Place<'_>) {
    place.deploy("trainer", 1, &json!({"nodeSelector": {"pool": "gpu"}}));
}

fn asks_for_a_label_that_no_node_has(place: &Place<'_>) {
    place.deploy("transcoder", 2, &json!({"nodeSelector": {"disktype": "nvme"}}));
}

fn asks_for_more_memory_than_any_node_has(place: &Place<'_>) {
    place.deploy("cube", 1, &json!({"container": {"resources": {"requests": {"memory": "24Gi"}}}}));
}
