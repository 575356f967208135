//! `explain` and `graph` of a live cluster.

use crate::program::Program;
use faro_tests::control_plane::Setup;
use serde_json::{Value, json};

#[test]
fn stories_and_graphs_are_of_the_cluster_as_it_is_now() {
    let Some(cluster) = Setup::new().api_server_flag("--disable-admission-plugins=ServiceAccount").start_or_skip() else { return };
    let containers = json!([{"name": "app", "image": "registry.example.com/shop/web:1"}]);
    let pod = json!({"metadata": {"name": "web-1"}, "spec": {"containers": containers, "nodeName": "node-1"}});
    let pod = cluster.api().create("/api/v1/namespaces/default/pods", &pod).unwrap();
    let event = json!({
        "metadata": {"name": "web-1.1"}, "reason": "BackOff", "type": "Warning", "count": 7,
        "message": "Back-off restarting failed container app in pod web-1",
        "involvedObject": {"apiVersion": "v1", "kind": "Pod", "namespace": "default", "name": "web-1", "uid": pod["metadata"]["uid"]},
        "firstTimestamp": "2026-01-02T03:04:05Z", "lastTimestamp": "2026-01-02T03:14:05Z",
    });
    cluster.api().create("/api/v1/namespaces/default/events", &event).unwrap();
    let run = |arguments: &[&str]| -> Vec<Value> {
        let output = Program::command(cluster.kubeconfig(), arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let story = run(&["explain", "pod/web-1"]);
    assert_eq!((&story[0]["state"], &story[0]["uid"], &story[0]["occurrences"]), (&json!("present"), &pod["metadata"]["uid"], &json!(7)));
    assert_eq!(
        story[0]["dependsOn"].as_array().map(|related| related.contains(&json!({"relation": "runs-on", "link": "v1/nodes:node-1"}))),
        Some(true)
    );
    let streams: Vec<&Value> = story[1..].iter().map(|entry| &entry["stream"]).collect();
    assert!(streams.contains(&&json!("lifecycle")) && streams.contains(&&json!("operational")), "{streams:?}");
    let graph = run(&["graph"]);
    let edge = |type_: &str| {
        graph.iter().any(|line| {
            line["record"] == "edge" && line["type"] == type_ && format!("{}{}", line["from"], line["to"]).contains("v1/pods:default/web-1")
        })
    };
    assert!(edge("LIFECYCLE") && edge("OPERATIONAL") && edge("RUNS_ON"));
    // A cluster that cannot be had is a failure, never an empty story.
    let output = Program::command(std::path::Path::new("/nowhere"), &["explain", "pod/web-1"]).output().unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
}
