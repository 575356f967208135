//! Pods that are not created, or find no node.

use super::case::{Case, Label};
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
        label: Label::new("quota", &["quota-exceeded"], "ResourceQuota", "compute"),
        late: None,
        before: quota_holds,
        happens: asks_for_more_than_the_quota,
    },
    Case {
        name: "taint not tolerated",
        namespace: "recommendations",
        label: Label::new("unschedulable", &["taint-not-tolerated"], "Deployment", "trainer"),
        late: None,
        before: nothing,
        happens: lacks_a_toleration,
    },
    Case {
        name: "node selector fits no node",
        namespace: "media",
        label: Label::new("unschedulable", &["node-affinity-mismatch"], "Deployment", "transcoder"),
        late: None,
        before: nothing,
        happens: asks_for_a_label_that_no_node_has,
    },
    Case {
        name: "not enough memory anywhere",
        namespace: "warehouse",
        label: Label::new("unschedulable", &["insufficient-resources"], "Deployment", "cube"),
        late: None,
        before: nothing,
        happens: asks_for_more_memory_than_any_node_has,
    },
    Case {
        name: "one pod a node, and no more nodes",
        namespace: "telemetry",
        label: Label::new("unschedulable", &["pod-anti-affinity"], "Deployment", "collector"),
        late: None,
        before: collectors_run,
        happens: asks_for_more_pods_than_nodes,
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

fn collectors_run(place: &Place<'_>) {
    let alike = json!({"labelSelector": {"matchLabels": {"app": "collector"}}, "topologyKey": "kubernetes.io/hostname"});
    let affinity = json!({"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [alike]}});
    place.run("collector", 3, &json!({"affinity": affinity}));
}

fn asks_for_more_pods_than_nodes(place: &Place<'_>) {
    place.change("collector", &json!({"replicas": 5}));
}
