//! Nodes in trouble, with pods on them.

use super::case::{Case, Label};
use super::place::Place;
use faro_tests::control_plane::{ControlPlane, eventually};
use serde_json::{Value, json};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "node lost",
        namespace: "tracking",
        label: Label::new("node", &["node-unreachable"], "Node", "node-5"),
        late: None,
        before: beacons_run,
        happens: node_goes_silent,
    },
    Case {
        name: "evicted for memory pressure",
        namespace: "archive",
        label: Label::new("node", &["node-memory-pressure"], "Node", "node-6"),
        late: None,
        before: compactor_runs,
        happens: node_evicts,
    },
];

/// Nodes on which nothing runs yet.
pub(super) fn add_nodes(cluster: &ControlPlane) {
    for name in ["node-5", "node-6"] {
        cluster.add_node(name, &json!({})).unwrap();
        eventually("the node is ready", || {
            let node = cluster.api().read(&format!("/api/v1/nodes/{name}")).unwrap();
            let taints = &node["spec"]["taints"];
            (node["status"]["conditions"].is_array() && taints.is_null()).then_some(())
        });
    }
}

fn beacons_run(place: &Place<'_>) {
    place.run("beacons", 2, &prefers("node-5"));
    place.serve("beacons", &json!({"app": "beacons"}));
}

fn node_goes_silent(place: &Place<'_>) {
    place.abandon_node("node-5");
}

fn compactor_runs(place: &Place<'_>) {
    place.run("compactor", 2, &prefers("node-6"));
}

fn node_evicts(place: &Place<'_>) {
    let pods = place.pods("compactor", 2, |_| true);
    let mut kubelet = place.kubelet();
    kubelet.is_short_of_memory("node-6");
    kubelet.evicts(&pods[0]);
}

/// Pods go to a node where they can, and elsewhere else.
fn prefers(node: &str) -> Value {
    let of_name = json!([{"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}]);
    let term = json!([{"weight": 100, "preference": {"matchExpressions": of_name}}]);
    json!({"affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": term}}})
}
