//! Nodes in trouble, with pods on them.

use super::case::{Case, Label};
use super::kubelet::Short;
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
    Case {
        name: "evicted, and nowhere else to go",
        namespace: "mapping",
        label: Label::new("node", &["node-disk-pressure"], "Node", "node-7"),
        late: None,
        before: tiles_run,
        happens: node_evicts_what_it_alone_may_run,
    },
];

/// Nodes on which nothing runs yet.
pub(super) fn add_nodes(cluster: &ControlPlane) {
    for name in ["node-5", "node-6", "node-7"] {
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
    kubelet.is_short_of("node-6", Short::Memory);
    kubelet.evicts(&pods[0], Short::Memory);
}

fn tiles_run(place: &Place<'_>) {
    place.run("tiles", 2, &json!({"nodeSelector": {"kubernetes.io/hostname": "node-7"}}));
}

/// Another pod is made in place of the evicted one, and waits: the controllers have put a taint on the node.
fn node_evicts_what_it_alone_may_run(place: &Place<'_>) {
    let pods = place.pods("tiles", 2, |_| true);
    let mut kubelet = place.kubelet();
    kubelet.is_short_of("node-7", Short::Disk);
    eventually("the taint is there", || {
        let node = place.api().read("/api/v1/nodes/node-7").unwrap();
        node["spec"]["taints"].as_array().is_some_and(|taints| !taints.is_empty()).then_some(())
    });
    kubelet.evicts(&pods[0], Short::Disk);
}

/// Pods go to a node where they can, and elsewhere else.
fn prefers(node: &str) -> Value {
    let of_name = json!([{"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}]);
    let term = json!([{"weight": 100, "preference": {"matchExpressions": of_name}}]);
    json!({"affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": term}}})
}
