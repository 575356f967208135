//! What is behind it: V13, V14, V35 to V41.

use crate::stage::{at, everything, play, play_with, watched};
use chrono::DateTime;
use faro_core::filter::Filter;
use faro_tests::model::START;
use faro_tests::replayed::{Live, Run, permuted};
use serde_json::{Value, json};

#[test]
fn v13_pods_of_a_lost_node_are_explained_by_it_and_others_are_not() {
    let mut objects = vec![node("n1", "Unknown", "NodeStatusUnknown"), node("n2", "True", "KubeletReady")];
    objects.extend(workload("till", 1));
    objects.extend(workload("oven", 1));
    objects.push(running(
        "till-5c4-a",
        "till",
        "n1",
        json!({"type": "Ready", "status": "False", "lastTransitionTime": at(40)}),
        json!(null),
    ));
    objects.push(crashing("oven-5c4-b", "oven", "n2"));
    let incidents = open(&list(&objects, &[]));
    assert_eq!(incidents.len(), 2, "{incidents:#?}");
    let of_node = with_root(&incidents, "Node", "n1");
    assert!(affects(of_node, "till-5c4-a") && !affects(of_node, "oven-5c4-b"));
    let crash = with_root(&incidents, "Deployment", "oven");
    assert_eq!(crash["cause"]["category"], "crash");
    assert!(affects(crash, "oven-5c4-b"));
}

#[test]
fn v13_out_of_memory_and_back_off_of_one_pod_are_one_memory_incident() {
    let mut objects = workload("till", 1);
    let state = json!({"waiting": {"reason": "CrashLoopBackOff"}});
    let last = json!({"terminated": {"exitCode": 137, "reason": "OOMKilled", "finishedAt": at(90)}});
    objects.push(pod_with("till-5c4-a", "till", "n1", "False", &state, &last));
    let events = [
        report("Pod", "till-5c4-a", "OOMKilling", "Memory cgroup out of memory: Killed process 7 (till)", 3, 90),
        report("Pod", "till-5c4-a", "BackOff", "Back-off restarting failed container app in pod till-5c4-a_shop(1)", 9, 100),
    ];
    let incidents = open(&list(&objects, &events));
    assert_eq!(incidents.len(), 1, "{incidents:#?}");
    assert_eq!(incidents[0]["cause"]["code"], "container-out-of-memory");
    assert_eq!(incidents[0]["rootCause"]["name"], "till");
}

#[test]
fn v13_sandbox_failures_that_name_the_plugin_lead_to_its_pod_on_the_node() {
    let mut objects = vec![node("n1", "True", "KubeletReady")];
    objects.push(agent("cilium-x1", "n1"));
    for name in ["till", "oven", "scale"] {
        objects.extend(workload(name, 1));
        objects.push(pod_with(
            &format!("{name}-5c4-a"),
            name,
            "n1",
            "False",
            &json!({"waiting": {"reason": "ContainerCreating"}}),
            &json!({}),
        ));
    }
    let events: Vec<Value> =
        ["till", "oven", "scale"].iter().enumerate().map(|(turn, name)| sandbox(&format!("{name}-5c4-a"), turn, 60)).collect();
    let incidents = open(&list(&objects, &events));
    assert_eq!(incidents.len(), 1, "{incidents:#?}");
    let incident = &incidents[0];
    assert_eq!((&incident["rootCause"]["kind"], &incident["rootCause"]["name"]), (&json!("Pod"), &json!("cilium-x1")));
    assert_eq!(incident["rootCause"]["workload"]["name"], "cilium");
    for name in ["till", "oven", "scale"] {
        assert!(affects(incident, &format!("{name}-5c4-a")), "{name}");
    }
    let commands: Vec<&str> = incident["actions"].as_array().unwrap().iter().filter_map(|action| action["command"].as_str()).collect();
    for part in [
        "get pods -A -o wide --field-selector=spec.nodeName=n1",
        "logs pod/cilium-x1 -n net",
        "describe daemonset cilium -n net",
        "describe node n1",
    ] {
        assert!(commands.iter().any(|command| command.contains(part)), "{part}: {commands:?}");
    }
    assert!(incident["actions"].as_array().unwrap().iter().any(|action| action["readOnly"] == false));
}

#[test]
fn v13_one_daemon_that_fails_on_several_nodes_is_one_incident() {
    let mut objects = Vec::new();
    let mut events = Vec::new();
    for (turn, name) in ["n1", "n2", "n3"].iter().enumerate() {
        objects.push(node(name, "True", "KubeletReady"));
        objects.push(agent(&format!("cilium-x{turn}"), name));
        let pod = format!("till-5c4-{turn}");
        objects.push(pod_with(&pod, "till", name, "False", &json!({"waiting": {"reason": "ContainerCreating"}}), &json!({})));
        events.push(sandbox(&pod, turn, 60));
    }
    objects.extend(workload("till", 3));
    let incidents = open(&list(&objects, &events));
    assert_eq!(incidents.len(), 1, "{incidents:#?}");
    assert_eq!((&incidents[0]["rootCause"]["kind"], &incidents[0]["rootCause"]["name"]), (&json!("DaemonSet"), &json!("cilium")));
}

#[test]
fn v13_a_change_after_the_crash_is_not_its_cause() {
    for (edited, crashed, code) in
        [(50, 60, "config-changed"), (70, 60, "crash-loop"), (60, 60 + 1_800, "config-changed"), (60, 62 + 1_800, "crash-loop")]
    {
        let run = config_story(edited, crashed);
        let incidents = open(&run);
        assert_eq!(incidents.len(), 1, "{incidents:#?}");
        assert_eq!(incidents[0]["cause"]["code"], code, "edited at {edited}, crashed at {crashed}");
    }
}

#[test]
fn v14_an_incident_opens_once_resolves_and_comes_back() {
    let states = |seconds: i64, pod: &Value| watched(if seconds == 0 { "ADDED" } else { "MODIFIED" }, seconds, pod);
    let healthy =
        |version: i64| versioned(running("till-5c4-a", "till", "n1", json!({"type": "Ready", "status": "True"}), json!(null)), version);
    let broken = |version: i64| versioned(crashing("till-5c4-a", "till", "n1"), version);
    let values = [
        states(0, &healthy(1)),
        states(30, &broken(2)),
        states(40, &broken(3)),
        states(100, &healthy(4)),
        states(200, &broken(5)),
        states(300, &healthy(6)),
        // Longer than what may come back under its own name.
        states(3_000, &broken(7)),
        states(3_100, &broken(8)),
    ];
    let lines = play(&values).records("incident");
    let told: Vec<(&str, bool)> = lines.iter().map(|line| (line["state"].as_str().unwrap(), line["reopened"] == true)).collect();
    assert_eq!(told, [("open", false), ("resolved", false), ("open", true), ("resolved", true), ("open", false)]);
    assert!(lines[..4].iter().all(|line| line["id"] == lines[0]["id"]));
    assert_eq!(lines[4]["follows"], lines[0]["id"]);
    let versions: Vec<u64> = lines[..4].iter().filter_map(|line| line["version"].as_u64()).collect();
    assert_eq!(versions, [1, 2, 3, 4]);
}

#[test]
fn v14_a_restart_anywhere_prints_the_same_lines() {
    let values = story();
    let end = DateTime::from_timestamp_nanos(START + 4_000_000_000_000);
    let run = |cut: Option<usize>| {
        let mut live = Live::new(everything());
        for (place, value) in values.iter().enumerate() {
            live.feed(&value.to_string());
            if cut == Some(place) {
                live.restart();
            }
        }
        live.finish(end).lines
    };
    let whole = run(None);
    assert!(whole.iter().filter(|line| line.starts_with(r#"{"record":"incident""#)).count() >= 4);
    for cut in 0..values.len() {
        assert_eq!(run(Some(cut)), whole, "restarted after line {cut}");
    }
}

#[test]
fn v14_a_hundred_orders_of_arrival_give_the_same_bytes() {
    let objects: Vec<String> = storm().iter().map(Value::to_string).collect();
    let last = |objects: &[String]| {
        let run =
            Run::replay(objects.iter().map(String::as_str), everything(), Some(DateTime::from_timestamp_nanos(START + 600_000_000_000)));
        run.lines.into_iter().filter(|line| line.starts_with(r#"{"record":"incident""#)).collect::<Vec<_>>()
    };
    let want = last(&objects);
    assert!(want.len() >= 4, "{want:#?}");
    for seed in 0..100 {
        assert_eq!(last(&permuted(&objects, seed)), want, "seed {seed}");
    }
}

#[test]
fn v14_reports_about_what_nothing_else_is_known_of_go_quiet() {
    let mut event = report("Pod", "till-5c4-a", "BackOff", "Back-off restarting failed container app in pod till-5c4-a_shop(1)", 9, 0);
    event["metadata"]["resourceVersion"] = json!("1");
    let later =
        watched("ADDED", 3_000, &json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "resourceVersion": "2"}}));
    let lines = play(&[watched("ADDED", 1, &event), later]).records("incident");
    let states: Vec<&str> = lines.iter().filter_map(|line| line["state"].as_str()).collect();
    assert_eq!(states, ["open", "resolved"]);
}

#[test]
fn v35_four_messages_of_one_failed_pull_are_one_incident_that_carries_the_cause() {
    let mut objects = workload("till", 1);
    objects.push(pod_with("till-5c4-a", "till", "n1", "False", &json!({"waiting": {"reason": "ImagePullBackOff"}}), &json!({})));
    let pod = "till-5c4-a";
    let events = [
        report(
            "Pod",
            pod,
            "Failed",
            "Failed to pull image \"reg.example/till:9\": rpc error: code = NotFound desc = reg.example/till:9: not found",
            3,
            50,
        ),
        report("Pod", pod, "Failed", "Error: ErrImagePull", 3, 50),
        report("Pod", pod, "BackOff", "Back-off pulling image \"reg.example/till:9\"", 8, 100),
        report("Pod", pod, "Failed", "Error: ImagePullBackOff", 8, 100),
    ];
    let incidents = open(&list(&objects, &events));
    assert_eq!(incidents.len(), 1, "{incidents:#?}");
    assert_eq!(incidents[0]["cause"]["code"], "image-not-found");
    assert!(incidents[0]["title"].as_str().unwrap().contains("reg.example/till:9"));
    assert!(incidents[0]["evidence"].to_string().contains("NotFound"));
}

#[test]
fn v36_two_hundred_pods_at_one_registry_are_one_incident() {
    let mut objects = Vec::new();
    let mut events = Vec::new();
    for workload_number in 0..20 {
        let name = format!("w{workload_number}");
        objects.extend(workload(&name, 10));
        for number in 0..10 {
            let pod = format!("{name}-5c4-{number}");
            objects.push(pod_with(&pod, &name, "n1", "False", &json!({"waiting": {"reason": "ErrImagePull"}}), &json!({})));
            let message = format!("Failed to pull image \"reg.example/{name}:1\": failed to copy: httpReadSeeker: 429 Too Many Requests");
            events.push(report("Pod", &pod, "Failed", &message, 1, 60 + number));
        }
    }
    let incidents = open(&list(&objects, &events));
    assert_eq!(incidents.len(), 1, "{:#?}", incidents.iter().map(|one| &one["title"]).collect::<Vec<_>>());
    assert_eq!(incidents[0]["cause"]["code"], "registry-rate-limit");
    assert!(incidents[0]["affected"]["count"].as_u64().unwrap() >= 200);
    assert_eq!(incidents[0]["affected"]["objects"].as_array().unwrap().len(), 20);
    assert!(incidents[0]["cause"]["explanation"].as_str().unwrap().contains("reg.example"));
}

#[test]
fn v37_an_exhausted_quota_is_the_root() {
    let mut objects = workload("till", 3);
    for object in &mut objects {
        object["status"]["replicas"] = json!(1);
    }
    let rows = json!({"pods": "5"});
    objects.push(json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "team", "namespace": "shop", "creationTimestamp": at(0)}, "status": {"hard": rows, "used": rows}}));
    let refusal =
        "Error creating: pods \"till-5c4-x\" is forbidden: exceeded quota: team, requested: pods=1, used: pods=5, limited: pods=5";
    let incidents = open(&list(&objects, &[report("ReplicaSet", "till-5c4", "FailedCreate", refusal, 12, 100)]));
    assert_eq!(incidents.len(), 1, "{incidents:#?}");
    assert_eq!((&incidents[0]["rootCause"]["kind"], &incidents[0]["rootCause"]["name"]), (&json!("ResourceQuota"), &json!("team")));
    assert_eq!(incidents[0]["rootCause"]["namespace"], "shop");
    assert!(incidents[0]["cause"]["explanation"].as_str().unwrap().contains("used: pods=5"));
    assert!(affects(&incidents[0], "till"));
}

#[test]
fn v38_an_edited_config_map_is_the_root_of_the_crash() {
    let incidents = open(&config_story(50, 60));
    assert_eq!(incidents.len(), 1, "{incidents:#?}");
    assert_eq!((&incidents[0]["rootCause"]["kind"], &incidents[0]["rootCause"]["name"]), (&json!("ConfigMap"), &json!("till-settings")));
    assert!(
        incidents[0]["evidence"]
            .as_array()
            .unwrap()
            .iter()
            .any(|one| one["record"] == "object" && one["text"].as_str().unwrap().contains("data[mode]"))
    );
    assert!(!incidents[0].to_string().contains("hunter2"), "values of configuration are not printed");
    let path: Vec<&Value> = incidents[0]["path"].as_array().unwrap().iter().map(|step| &step["from"]).collect();
    assert_eq!(path, ["v1/configmaps:shop/till-settings"]);
}

#[test]
fn v39_an_edited_selector_is_the_root_without_any_warning() {
    let service = |label: &str, version: i64| {
        json!({"apiVersion": "v1", "kind": "Service",
            "metadata": {"name": "till", "namespace": "shop", "resourceVersion": version.to_string(), "creationTimestamp": at(-500)},
            "spec": {"selector": {"app": label}, "ports": [{"port": 80, "targetPort": 8080}]}})
    };
    let pod = running("till-5c4-a", "till", "n1", json!({"type": "Ready", "status": "True"}), json!(null));
    let values = [watched("ADDED", 0, &pod), watched("ADDED", 1, &service("till", 1)), watched("MODIFIED", 60, &service("tills", 2))];
    let incidents = open(&play(&values));
    assert_eq!(incidents.len(), 1, "{incidents:#?}");
    assert_eq!((&incidents[0]["rootCause"]["kind"], &incidents[0]["rootCause"]["name"]), (&json!("Service"), &json!("till")));
    assert_eq!(incidents[0]["cause"]["category"], "network");
    assert!(incidents[0]["evidence"].to_string().contains("spec.selector.app changed from till to tills"));
}

#[test]
fn v40_a_healthy_cluster_that_wrote_warnings_while_starting_has_no_incident() {
    let (mut objects, mut events) = (vec![node("n1", "True", "KubeletReady")], Vec::new());
    for number in 0..200 {
        let name = format!("w{number}");
        let mut parts = workload(&name, 1);
        parts.iter_mut().for_each(|part| part["status"]["readyReplicas"] = json!(1));
        objects.extend(parts);
        let pod = format!("{name}-5c4-a");
        objects.push(running(&pod, &name, "n1", json!({"type": "Ready", "status": "True"}), json!(null)));
        events.push(report(
            "Pod",
            &pod,
            "FailedScheduling",
            "0/1 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/not-ready: }.",
            7,
            20,
        ));
        events.push(report("Pod", &pod, "FailedMount", "MountVolume.SetUp failed for volume \"tls\" : secret \"tls\" not found", 6, 40));
        events.push(report("Pod", &pod, "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503", 5, 60));
        events.push(report("Pod", &format!("{name}-5c4-gone"), "BackOff", "Back-off restarting failed container app in pod x", 30, 60));
    }
    let run = list_until(&objects, &events, 900);
    assert!(run.summary.occurrences.total >= 800);
    assert_eq!(run.records("incident"), Vec::<Value>::new());
}

#[test]
fn v41_a_storm_for_capacity_is_one_incident() {
    let (mut objects, mut events) = (Vec::new(), Vec::new());
    for workload_number in 0..10 {
        let name = format!("w{workload_number}");
        objects.extend(workload(&name, 20));
        for number in 0..20 {
            let pod = format!("{name}-5c4-{number}");
            let message = "0/9 nodes are available: 9 Insufficient cpu. preemption: 0/9 nodes are available: 9 No preemption victims found for incoming pod.";
            objects.push(json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata(&pod, &name), "spec": {"containers": [{"name": "app"}]},
                "status": {"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message, "lastTransitionTime": at(0)}]}}));
            for turn in 0..4 {
                if events.len() < 700 {
                    events.push(report_named(&format!("{pod}.{turn}"), "Pod", &pod, "FailedScheduling", message, 1, 10 + turn * 30));
                }
            }
        }
    }
    assert_eq!(events.len(), 700);
    let incidents = open(&list(&objects, &events));
    assert_eq!(incidents.len(), 1, "{:#?}", incidents.iter().map(|one| &one["title"]).collect::<Vec<_>>());
    assert_eq!(incidents[0]["cause"]["code"], "insufficient-resources");
    assert!(incidents[0]["affected"]["count"].as_u64().unwrap() >= 200);
}

#[test]
fn namespace_filter_keeps_an_incident_that_touches_it() {
    let mut objects = vec![node("n1", "Unknown", "NodeStatusUnknown")];
    objects.extend(workload("till", 1));
    objects.push(running(
        "till-5c4-a",
        "till",
        "n1",
        json!({"type": "Ready", "status": "False", "lastTransitionTime": at(40)}),
        json!(null),
    ));
    for (namespace, want) in [("shop", 1), ("bank", 0)] {
        let config = everything().filter(Filter::default().namespaces(vec![namespace.to_owned()]));
        assert_eq!(play_with(config, &objects).records("incident").len(), want, "{namespace}");
    }
}

#[test]
fn every_incident_is_valid_against_the_schema() {
    let schema: Value = serde_json::from_str(faro_core::record::SCHEMA).unwrap();
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    let mut values = storm();
    values.extend(story());
    let run = play(&values);
    assert!(run.records("incident").len() >= 4);
    for line in run.records("incident") {
        let errors: Vec<String> = validator.iter_errors(&line).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new(), "{line:#}");
    }
}

/// What is open at the end, the likeliest cause first.
fn open(run: &Run) -> Vec<Value> {
    let mut last: Vec<Value> = Vec::new();
    for incident in run.records("incident") {
        last.retain(|known| known["id"] != incident["id"]);
        last.push(incident);
    }
    last.retain(|incident| incident["state"] != "resolved");
    let score = |incident: &Value| incident["score"].as_f64().expect("an incident has a score");
    last.sort_by(|a, b| score(b).total_cmp(&score(a)));
    last
}

#[track_caller]
fn with_root<'a>(incidents: &'a [Value], kind: &str, name: &str) -> &'a Value {
    let found = incidents.iter().find(|one| one["rootCause"]["kind"] == kind && one["rootCause"]["name"] == name);
    found.unwrap_or_else(|| panic!("no incident with root {kind} {name}: {incidents:#?}"))
}

fn affects(incident: &Value, name: &str) -> bool {
    incident["affected"]["objects"].as_array().expect("an incident affects objects").iter().any(|object| object["name"] == name)
}

/// Objects and Events as one dump, looked at two minutes after nine.
fn list(objects: &[Value], events: &[Value]) -> Run {
    list_until(objects, events, 120)
}

fn list_until(objects: &[Value], events: &[Value], seconds: i64) -> Run {
    let lines: Vec<String> = objects.iter().chain(events).map(Value::to_string).collect();
    Run::replay(lines.iter().map(String::as_str), everything(), Some(DateTime::from_timestamp_nanos(START + seconds * 1_000_000_000)))
}

/// A ConfigMap that is edited, and a pod that reads it and crashes.
fn config_story(edited: i64, crashed: i64) -> Run {
    let config = |mode: &str, version: i64| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "till-settings", "namespace": "shop", "resourceVersion": version.to_string()}, "data": {"mode": mode}});
    let reads = |mut pod: Value| {
        pod["spec"]["volumes"] = json!([{"name": "settings", "configMap": {"name": "till-settings"}}]);
        pod
    };
    let healthy = reads(running("till-5c4-a", "till", "n1", json!({"type": "Ready", "status": "True"}), json!(null)));
    let mut broken = reads(crashing_at("till-5c4-a", "till", "n1", crashed));
    broken["metadata"]["resourceVersion"] = json!("9");
    let mut values = vec![
        (0, watched("ADDED", 0, &config("quick", 1))),
        (0, watched("ADDED", 0, &healthy)),
        (edited, watched("MODIFIED", edited, &config("hunter2", 2))),
        (crashed, watched("MODIFIED", crashed, &broken)),
    ];
    values.sort_by_key(|(at, _)| *at);
    play(&values.into_iter().map(|(_, value)| value).collect::<Vec<_>>())
}

/// Troubles that come and go, as a watch tells them.
fn story() -> Vec<Value> {
    let pod = |seconds: i64, version: i64, pod: Value| {
        watched(if version == 1 { "ADDED" } else { "MODIFIED" }, seconds, &versioned(pod, version))
    };
    let ready = |name: &str| running(&format!("{name}-5c4-a"), name, "n1", json!({"type": "Ready", "status": "True"}), json!(null));
    let mut event = report("Pod", "till-5c4-a", "BackOff", "Back-off restarting failed container app in pod till-5c4-a_shop(1)", 4, 35);
    event["metadata"]["resourceVersion"] = json!("77");
    let mut lost = node("n1", "Unknown", "NodeStatusUnknown");
    lost["metadata"]["resourceVersion"] = json!("2");
    vec![
        watched("ADDED", 0, &node("n1", "True", "KubeletReady")),
        pod(0, 1, ready("till")),
        pod(1, 1, ready("oven")),
        pod(30, 2, crashing("till-5c4-a", "till", "n1")),
        watched("ADDED", 36, &event),
        pod(90, 3, ready("till")),
        watched("MODIFIED", 200, &lost),
        pod(
            220,
            2,
            running("oven-5c4-a", "oven", "n1", json!({"type": "Ready", "status": "False", "lastTransitionTime": at(215)}), json!(null)),
        ),
        watched("MODIFIED", 400, &versioned(node("n1", "True", "KubeletReady"), 3)),
        pod(410, 3, ready("oven")),
        pod(2_000, 4, crashing("till-5c4-a", "till", "n1")),
    ]
}

/// Many troubles at once, as a dump tells them.
fn storm() -> Vec<Value> {
    let mut values = vec![node("n1", "True", "KubeletReady"), node("n2", "Unknown", "NodeStatusUnknown"), agent("cilium-x1", "n1")];
    for name in ["till", "oven", "scale", "fan"] {
        values.extend(workload(name, 2));
    }
    values.push(crashing("till-5c4-a", "till", "n1"));
    values.push(running(
        "till-5c4-b",
        "till",
        "n2",
        json!({"type": "Ready", "status": "False", "lastTransitionTime": at(40)}),
        json!(null),
    ));
    values.push(pod_with("oven-5c4-a", "oven", "n1", "False", &json!({"waiting": {"reason": "ContainerCreating"}}), &json!({})));
    values.push(sandbox("oven-5c4-a", 1, 60));
    values.push(pod_with("scale-5c4-a", "scale", "n1", "False", &json!({"waiting": {"reason": "ImagePullBackOff"}}), &json!({})));
    values.push(report("Pod", "scale-5c4-a", "Failed", "Failed to pull image \"reg.example/scale:9\": not found", 3, 50));
    values.push(report("Pod", "scale-5c4-a", "BackOff", "Back-off pulling image \"reg.example/scale:9\"", 7, 90));
    values.push(report(
        "ReplicaSet",
        "fan-5c4",
        "FailedCreate",
        "Error creating: pods \"fan-5c4-x\" is forbidden: exceeded quota: team, requested: pods=1, used: pods=5, limited: pods=5",
        12,
        100,
    ));
    values
}

fn node(name: &str, ready: &str, reason: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "resourceVersion": "1", "creationTimestamp": at(-9_000)},
        "status": {"conditions": [{"type": "Ready", "status": ready, "reason": reason, "message": "told by the kubelet", "lastTransitionTime": at(35)}]}})
}

/// A Deployment and its ReplicaSet with none of their replicas ready.
fn workload(name: &str, replicas: i64) -> Vec<Value> {
    let template = json!({"metadata": {"labels": {"app": name}}});
    let made = |kind: &str, object: String, owners: Value| {
        json!({"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": object, "namespace": "shop", "creationTimestamp": at(0), "ownerReferences": owners},
            "spec": {"replicas": replicas, "template": template}, "status": {"replicas": replicas, "readyReplicas": 0}})
    };
    let owner = json!([{"kind": "Deployment", "name": name, "controller": true}]);
    vec![made("Deployment", name.to_owned(), json!([])), made("ReplicaSet", format!("{name}-5c4"), owner)]
}

fn metadata(pod: &str, owner: &str) -> Value {
    json!({"name": pod, "namespace": "shop", "creationTimestamp": at(0), "labels": {"app": owner},
        "ownerReferences": [{"kind": "ReplicaSet", "name": format!("{owner}-5c4"), "controller": true}]})
}

fn pod_with(pod: &str, owner: &str, node: &str, ready: &str, state: &Value, last: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata(pod, owner),
        "spec": {"nodeName": node, "containers": [{"name": "app", "ports": [{"containerPort": 8080}]}]},
        "status": {"phase": "Running", "conditions": [{"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": ready, "lastTransitionTime": at(30)}],
            "containerStatuses": [{"name": "app", "ready": ready == "True", "restartCount": 0, "state": state, "lastState": last}]}})
}

/// A pod whose container runs, whatever else is said of it.
fn running(pod: &str, owner: &str, node: &str, condition: Value, last: Value) -> Value {
    let mut made = pod_with(pod, owner, node, "True", &json!({"running": {"startedAt": at(1)}}), &last);
    made["status"]["conditions"][1] = condition;
    made
}

fn crashing(pod: &str, owner: &str, node: &str) -> Value {
    crashing_at(pod, owner, node, 60)
}

fn crashing_at(pod: &str, owner: &str, node: &str, seconds: i64) -> Value {
    let last = json!({"terminated": {"exitCode": 1, "reason": "Error", "finishedAt": at(seconds)}});
    let mut made = pod_with(pod, owner, node, "False", &json!({"waiting": {"reason": "CrashLoopBackOff"}}), &last);
    made["status"]["conditions"][1]["lastTransitionTime"] = json!(at(seconds));
    made
}

/// The pod of a network agent, which is well by its own account.
fn agent(pod: &str, node: &str) -> Value {
    let mut made = pod_with(pod, "cilium", node, "True", &json!({"running": {"startedAt": at(0)}}), &json!({}));
    made["metadata"]["namespace"] = json!("net");
    made["metadata"]["ownerReferences"] = json!([{"kind": "DaemonSet", "name": "cilium", "controller": true}]);
    made
}

fn sandbox(pod: &str, turn: usize, seconds: i64) -> Value {
    let message = format!(
        "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox \"{turn}f0e9\": plugin type=\"cilium-cni\" failed (add): unable to connect to Cilium daemon: failed to create cilium agent client"
    );
    report("Pod", pod, "FailedCreatePodSandBox", &message, 12, seconds)
}

fn report(kind: &str, name: &str, reason: &str, message: &str, count: u32, last: i64) -> Value {
    let of = message.len();
    report_named(&format!("{name}.{reason}.{of}"), kind, name, reason, message, count, last)
}

fn report_named(event: &str, kind: &str, name: &str, reason: &str, message: &str, count: u32, last: i64) -> Value {
    json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": event, "namespace": "shop"}, "type": "Warning", "reason": reason, "message": message,
        "involvedObject": {"kind": kind, "namespace": "shop", "name": name}, "count": count, "firstTimestamp": at(5), "lastTimestamp": at(last)})
}

fn versioned(mut object: Value, version: i64) -> Value {
    object["metadata"]["resourceVersion"] = json!(version.to_string());
    object
}
