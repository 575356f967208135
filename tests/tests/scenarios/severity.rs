//! How bad it is: V2, V8.

use crate::stage::{WEB_UID, at, event, everything, once, only_group, play, play_with, pod, watched, with};
use faro_core::filter::Filter;
use faro_core::{GroupBy, Severity};
use serde_json::{Value, json};

#[test]
fn v2_failed_create_pod_sandbox_is_critical_everywhere() {
    let messages = [
        "Failed to create pod sandbox: rpc error",
        "Failed create pod sandbox.",
        "(combined from similar events): Failed to create pod sandbox: x",
    ];
    for (message, type_) in messages.iter().flat_map(|message| [(message, "Warning"), (message, "Normal")]) {
        let core = event("web-1.17a", json!({"message": message, "type": type_}));
        let events_v1 = json!({
            "apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": core["metadata"], "regarding": core["involvedObject"], "type": type_,
            "reason": core["reason"], "note": message, "reportingController": "kubelet", "eventTime": at(0),
        });
        let object = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web-1", "namespace": "shop", "uid": WEB_UID, "resourceVersion": "5"}});
        for reported in [core, events_v1] {
            for group_by in [GroupBy::Object, GroupBy::Workload, GroupBy::Reason] {
                let config = everything().group_by(group_by).filter(Filter::default().severity(Severity::Critical));
                let run = play_with(config, &[watched("ADDED", 0, &reported), watched("ADDED", 1, &object)]);
                assert_eq!(run.records("event")[0]["severity"], "critical");
                let group = only_group(&run);
                assert_eq!((&group["severity"], &group["family"]), (&json!("critical"), &json!("pod-sandbox")));
                if group_by == GroupBy::Object {
                    assert_eq!(run.records("object")[0]["operational"][0]["severity"], "critical");
                }
            }
        }
    }
}

#[test]
fn v8_back_off_restarting_is_a_crash_loop() {
    let uid = "6c1b7b0a-3f0e-4a52-9d5a-0a4e0f1d2c3b";
    check("Pod", "BackOff", &format!("Back-off restarting failed container app in pod web_shop({uid})"), "crash-loop", "critical");
    check("Pod", "BackOff", "Back-off restarting failed container", "crash-loop", "critical");
}

#[test]
fn v8_back_off_restarting_without_the_container_names_it_in_the_field_path() {
    let about = with(pod("web-1", WEB_UID), json!({"fieldPath": "spec.containers{app}"}));
    let run = play(&[event(
        "web-1.17a",
        json!({"reason": "BackOff", "message": "Back-off restarting failed container", "involvedObject": about}),
    )]);
    let record = &run.records("event")[0];
    assert_eq!((&record["severity"], &record["family"]), (&json!("critical"), &json!("crash-loop")));
    assert_eq!(record["involvedObject"]["fieldPath"], "spec.containers{app}");
}

#[test]
fn v8_back_off_pulling_is_an_image_pull() {
    check("Pod", "BackOff", "Back-off pulling image x", "image-pull", "critical");
    check("Pod", "Failed", "Error: ImagePullBackOff", "image-pull", "critical");
}

#[test]
fn v8_probes_differ() {
    check("Pod", "Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 503", "probe", "high");
    check("Pod", "Unhealthy", "Startup probe failed: connection refused", "probe", "high");
    check("Pod", "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503", "probe", "medium");
}

#[test]
fn v8_readiness_that_persists_is_high() {
    let failing: Vec<Value> = (0..12)
        .map(|number| {
            with(once(&format!("web-1.{number}"), number * 100), json!({"reason": "Unhealthy", "message": "Readiness probe failed: no"}))
        })
        .collect();
    assert_eq!(only_group(&play(&failing))["severity"], "high");
}

#[test]
fn v8_scheduling_and_volumes_are_high() {
    check("Pod", "FailedScheduling", "0/3 nodes are available: 3 Insufficient cpu.", "scheduling", "high");
    check("Pod", "Evicted", "The node was low on resource: memory.", "eviction", "high");
    for message in [
        "MountVolume.SetUp failed for volume \"tls\" : secret \"web-tls\" not found",
        "MountVolume.SetUp failed for volume \"conf\" : configmap \"web\" not found",
    ] {
        let run = play(&[event("web-1.17a", json!({"reason": "FailedMount", "message": message}))]);
        let group = only_group(&run);
        assert_eq!(group["severity"], "high", "{message}");
        assert!(["volume", "config"].contains(&group["family"].as_str().unwrap_or_default()), "{group}");
    }
}

#[test]
fn v8_out_of_memory_on_a_node_is_critical() {
    check("Node", "OOMKilling", "Memory cgroup out of memory: Killed process 4711 (java)", "oom", "critical");
}

#[test]
fn v8_network_not_ready_is_critical() {
    check(
        "Pod",
        "NetworkNotReady",
        "network is not ready: container runtime network not ready: cni config uninitialized",
        "network",
        "critical",
    );
}

#[test]
fn v8_words_within_a_message_decide_nothing() {
    check("Pod", "Started", "Started container room-service", "lifecycle", "info");
    check("Pod", "Started", "Started container oom-killer-exporter", "lifecycle", "info");
    let run =
        play(&[event("web-1.17a", json!({"type": "Normal", "reason": "PolicyApplied", "message": "network policy applied, 0 failed"}))]);
    assert_eq!(only_group(&run)["severity"], "info");
    let run = play(&[event("web-1.17a", json!({"type": "Warning", "reason": "Whatever", "message": "network policy applied, 0 failed"}))]);
    assert_eq!(only_group(&run)["severity"], "medium");
}

/// Whichever of the two types the component reports with.
#[track_caller]
fn check(kind: &str, reason: &str, message: &str, family: &str, severity: &str) {
    let about = with(pod("web-1", ""), json!({"kind": kind}));
    for type_ in ["Warning", "Normal"] {
        let run = play(&[event("web-1.17a", json!({"involvedObject": about, "reason": reason, "type": type_, "message": message}))]);
        let group = only_group(&run);
        assert_eq!((&group["family"], &group["severity"]), (&json!(family), &json!(severity)), "{type_} {reason}: {message}");
        assert_eq!((&run.records("event")[0]["family"], &run.records("event")[0]["severity"]), (&json!(family), &json!(severity)));
    }
}
