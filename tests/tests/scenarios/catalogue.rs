//! What single messages and states are taken for.

use crate::stage::{at, everything, watched};
use chrono::DateTime;
use faro_tests::model::START;
use faro_tests::replayed::Run;
use serde_json::{Value, json};

const CONTROL: &str = "1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }";

#[test]
fn scheduler_message_is_about_what_excludes_most_nodes() {
    for (list, code) in [
        ("5 node(s) didn't match pod topology spread constraints", "topology-spread"),
        ("3 node(s) had volume node affinity conflict", "volume-node-affinity"),
        ("3 node(s) were unschedulable", "nodes-cordoned"),
        ("3 node(s) had untolerated taint {node.kubernetes.io/unreachable: }", "nodes-unusable"),
        ("3 Insufficient cpu, 2 node(s) had untolerated taint {node.kubernetes.io/not-ready: }", "insufficient-resources"),
        ("3 node(s) had untolerated taint {pool: gpu}, 2 Insufficient cpu", "taint-not-tolerated"),
        ("2 Insufficient cpu, 3 node(s) didn't match Pod's node affinity/selector", "node-affinity-mismatch"),
    ] {
        let incident =
            only(&waiting_for_node(&format!("0/6 nodes are available: {CONTROL}, {list}. preemption: 0/6 nodes are available.")));
        assert_eq!(incident["cause"]["code"], code, "{list}");
        let explanation = incident["cause"]["explanation"].as_str().unwrap();
        assert!(code == "nodes-cordoned" || explanation.contains("control-plane"), "the other reasons are told: {explanation}");
        assert!(!explanation.contains("preemption") && !explanation.ends_with(".."), "{explanation}");
    }
}

#[test]
fn nodes_that_are_full_of_pods_are_no_lack_of_a_resource() {
    let incident = only(&waiting_for_node("0/3 nodes are available: 3 Too many pods. preemption: 0/3 nodes are available."));
    assert_eq!((&incident["cause"]["code"], &incident["title"]), (&json!("pod-limit-reached"), &json!("No node may run another pod")));
}

#[test]
fn refused_pull_says_private_or_missing() {
    let answer = r#"failed to pull and unpack image "docker.io/acme/till:1": failed to resolve reference "docker.io/acme/till:1": pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed"#;
    for end in [answer.to_owned(), format!("rpc error: code = NotFound desc = {answer}")] {
        let incident = only(&pulling(&[("till", "acme/till:1")], &end));
        assert_eq!(incident["cause"]["code"], "image-access-denied");
        assert!(!incident["actions"].to_string().contains("undo"), "{incident:#}");
    }
}

#[test]
fn docker_hub_is_one_registry_however_its_images_are_written() {
    let answer = "failed to copy: httpReadSeeker: 429 Too Many Requests - Server message: toomanyrequests";
    let images = [("till", "bitnami/redis:7"), ("oven", "grafana/loki"), ("fan", "nginx:1"), ("scale", "docker.io/library/nginx:2")];
    let incident = only(&pulling(&images, answer));
    assert_eq!(incident["cause"]["code"], "registry-rate-limit");
    assert!(incident["title"].as_str().unwrap().contains("docker.io"), "{incident:#}");
}

#[test]
fn missing_key_is_not_a_missing_object() {
    for (reference, key) in [("config", "app.yaml"), ("secret", "tls.key")] {
        let message = format!("MountVolume.SetUp failed for volume \"cfg\" : references non-existent {reference} key: {key}");
        let incident = only(&starting("FailedMount", &message));
        assert_eq!(incident["cause"]["code"], "config-key-missing");
        assert!(incident["title"].as_str().unwrap().ends_with(&format!("is missing: {key}")), "{incident:#}");
        assert!(incident["cause"]["explanation"].as_str().unwrap().contains("behind cfg"), "{incident:#}");
    }
}

#[test]
fn harmless_warnings_are_no_incident() {
    for (reason, message) in [
        ("DNSConfigForming", "Nameserver limits were exceeded, some nameservers have been omitted"),
        ("TaintManagerEviction", "Cancelling deletion of Pod shop/till-5c4-a"),
        ("TaintManagerEviction", "Marking for deletion Pod shop/till-5c4-a"),
        (
            "FailedToRetrieveImagePullSecret",
            "Unable to retrieve some image pull secrets (regcred); attempting to pull the image may not succeed.",
        ),
    ] {
        let run = list(&[event("till-5c4-a", reason, message)]);
        assert_eq!(run.records("incident"), Vec::<Value>::new(), "{reason}");
    }
}

#[test]
fn missing_pull_secret_counts_only_where_a_pull_fails() {
    let secret = event(
        "till-5c4-a",
        "FailedToRetrieveImagePullSecret",
        "Unable to retrieve some image pull secrets (regcred); attempting to pull the image may not succeed.",
    );
    let attach = event("till-5c4-a", "FailedAttachVolume", "AttachVolume.Attach failed for volume \"pv1\" : could not attach");
    let mut values = objects("till", json!({"waiting": {"reason": "ContainerCreating"}}), json!({}));
    values.extend([secret.clone(), attach]);
    assert_eq!(only(&list(&values))["cause"]["code"], "volume-attach-failed");
    let mut values = objects("till", json!({"waiting": {"reason": "ImagePullBackOff"}}), json!({}));
    values.push(secret);
    let incident = only(&list(&values));
    assert_eq!(incident["cause"]["code"], "pull-secret-missing");
    assert!(incident["title"].as_str().unwrap().contains("regcred"), "{incident:#}");
}

#[test]
fn name_that_does_not_resolve_leads_to_the_dns_server() {
    let message = "dial tcp: lookup till-db.shop.svc on 10.96.0.10:53: read udp 10.244.1.5:48512->10.96.0.10:53: i/o timeout";
    let incident = only(&crashed(message));
    assert_eq!(incident["cause"]["code"], "dns-unavailable");
    assert!(incident["title"].as_str().unwrap().contains("10.96.0.10:53 "), "{incident:#}");
}

#[test]
fn permission_is_about_a_file_only_where_one_is_named() {
    assert_eq!(only(&crashed("psql: FATAL: permission denied for database orders"))["cause"]["code"], "crash-loop");
    for message in [
        "open /data/till.db: permission denied",
        "mkdir: can't create directory '/data/log': Permission denied",
        "EACCES: permission denied, open '/data/till'",
        "/data/run.sh: Permission denied",
    ] {
        let incident = only(&crashed(message));
        assert_eq!(incident["cause"]["code"], "file-permission-denied", "{message}");
        assert!(incident["cause"]["explanation"].as_str().unwrap().contains(" /data/"), "{incident:#}");
    }
}

#[test]
fn evictions_name_what_the_node_is_short_of() {
    for (message, code) in [
        ("The node was low on resource: inodes. Threshold quantity: 5%, available: 1%.", "node-disk-pressure"),
        ("The node was low on resource: pids. Threshold quantity: 100, available: 1.", "node-pid-pressure"),
        ("Pod was rejected: The node had condition: [DiskPressure]. ", "node-disk-pressure"),
        ("The node had condition: [MemoryPressure].", "node-memory-pressure"),
    ] {
        let mut gone = pod("till", json!({"terminated": {"exitCode": 137, "finishedAt": at(30)}}), json!({}));
        gone["status"]["phase"] = json!("Failed");
        (gone["status"]["reason"], gone["status"]["message"]) = (json!("Evicted"), json!(message));
        assert_eq!(only(&list(&[gone]))["cause"]["code"], code, "{message}");
    }
    let mut attempt = event("n1", "EvictionThresholdMet", "Attempting to reclaim pids");
    attempt["involvedObject"] = json!({"kind": "Node", "name": "n1"});
    assert_eq!(only(&list(&[attempt]))["cause"]["code"], "node-pid-pressure");
}

#[test]
fn process_that_was_killed_is_named() {
    let mut killed = event("n1", "OOMKilling", "Memory cgroup out of memory: Killed process 12 (node server) total-vm:1kB");
    killed["involvedObject"] = json!({"kind": "Node", "name": "n1"});
    let incident = only(&list(&[killed]));
    assert_eq!(incident["cause"]["code"], "process-out-of-memory");
    assert!(incident["cause"]["explanation"].as_str().unwrap().contains("node server"), "{incident:#}");
    assert!(incident["actions"].as_array().is_some_and(|actions| !actions.is_empty()), "{incident:#}");
}

#[test]
fn pod_of_another_scheduler_does_not_speak_against_the_cluster() {
    let waits = |scheduler: &str, seconds: i64| {
        let mut waits = pod("till", json!({}), json!({}));
        waits["spec"] = json!({"schedulerName": scheduler, "containers": [{"name": "app"}]});
        waits["status"] = json!({"phase": "Pending"});
        open(&list_until(&[waits], seconds)).first().map(|incident| incident["cause"]["code"].clone())
    };
    assert_eq!(waits("default-scheduler", 30), None);
    assert_eq!(waits("default-scheduler", 180), Some(json!("scheduler-down")));
    assert_eq!(waits("gang", 180), None);
    assert_eq!(waits("gang", 400), Some(json!("own-scheduler-down")));
}

#[test]
fn claim_that_is_being_made_is_no_trouble_yet() {
    let claim = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data", "namespace": "shop", "creationTimestamp": at(0)},
        "spec": {"storageClassName": "quick"}, "status": {"phase": "Pending"}});
    let mut waits = pod("till", json!({}), json!({}));
    waits["spec"] = json!({"containers": [{"name": "app"}], "volumes": [{"persistentVolumeClaim": {"claimName": "data"}}]});
    waits["status"] = json!({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "lastTransitionTime": at(1),
        "message": "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. preemption: x"}]});
    let values = [
        claim,
        waits,
        event("till-5c4-a", "FailedScheduling", "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims."),
    ];
    let code = |values: &[Value], seconds| open(&list_until(values, seconds)).first().map(|incident| incident["cause"]["code"].clone());
    assert_eq!(code(&values[..2], 15), None);
    assert_eq!(code(&values, 90), Some(json!("claim-pending")));
    let mut refused = event("data", "FailedBinding", "no persistent volumes available for this claim and no storage class is set");
    refused["involvedObject"]["kind"] = json!("PersistentVolumeClaim");
    let [claim, waits, _] = values;
    assert_eq!(code(&[claim, waits, refused], 90), Some(json!("no-matching-volume")));
}

#[test]
fn commands_fit_the_kind_and_name_what_is_there() {
    let values = |kind: &str| -> Vec<Value> {
        let mut values = objects(
            "till",
            json!({"waiting": {"reason": "CrashLoopBackOff"}}),
            json!({"terminated": {"exitCode": 1, "finishedAt": at(60)}}),
        );
        let owner = json!([{"kind": kind, "name": "till", "controller": true}]);
        (values[0]["kind"], values[2]["metadata"]["ownerReferences"]) = (json!(kind), owner);
        values.remove(1);
        values
    };
    for kind in ["StatefulSet", "Job"] {
        let commands = commands(&only(&list(&values(kind))));
        assert!(commands.contains(&"kubectl logs till-5c4-a -n shop -c app --previous".to_owned()), "{commands:?}");
        let history = commands.contains(&"kubectl rollout history statefulset/till -n shop".to_owned());
        assert_eq!(history, kind == "StatefulSet", "{commands:?}");
        assert_eq!(commands.iter().any(|command| command.contains("rollout")), history, "{commands:?}");
    }
}

#[test]
fn failed_job_of_a_cron_job_is_named_itself() {
    let job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "nightly-28432100", "namespace": "shop", "creationTimestamp": at(0),
        "ownerReferences": [{"kind": "CronJob", "name": "nightly", "controller": true}]}, "spec": {},
        "status": {"conditions": [{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "no more", "lastTransitionTime": at(1)}]}});
    let incident = only(&list(&[job]));
    assert_eq!(incident["title"], "Job nightly-28432100 has failed");
    assert_eq!(commands(&incident), ["kubectl logs job/nightly-28432100 -n shop --all-containers"]);
}

#[test]
fn namespace_stands_only_where_there_is_one() {
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "old", "creationTimestamp": at(-9_000), "deletionTimestamp": at(-1_000)},
        "spec": {}, "status": {"phase": "Terminating", "conditions": [{"type": "NamespaceFinalizersRemaining", "status": "True", "reason": "SomeFinalizersRemain",
            "message": "what is left:\n two things.", "lastTransitionTime": at(-900)}]}});
    let incident = only(&list(&[namespace]));
    assert_eq!(commands(&incident), ["kubectl get namespace old -o jsonpath='{.metadata.finalizers}'"]);
    assert_eq!(incident["impact"], "1 object is affected.");
    let explanation = incident["cause"]["explanation"].as_str().unwrap();
    assert!(!explanation.contains('\n') && !explanation.ends_with(".."), "{explanation}");
}

#[test]
fn configuration_is_described_and_not_printed() {
    let config = |mode: &str, version: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", "namespace": "shop", "resourceVersion": version}, "data": {"mode": mode}});
    let mut values =
        objects("till", json!({"waiting": {"reason": "CrashLoopBackOff"}}), json!({"terminated": {"exitCode": 1, "finishedAt": at(60)}}));
    values[2]["spec"]["volumes"] = json!([{"name": "settings", "configMap": {"name": "settings"}}]);
    values.splice(0..0, [watched("ADDED", 0, &config("quick", "1")), watched("MODIFIED", 50, &config("slow", "2"))]);
    let incident = only(&list(&values));
    assert_eq!(incident["cause"]["code"], "config-changed");
    let commands = commands(&incident);
    assert_eq!(commands[0], "kubectl describe configmap settings -n shop");
    assert!(commands.iter().all(|command| !command.contains("yaml")), "{commands:?}");
}

#[test]
fn pods_of_a_node_that_shuts_down_are_its_own_incident() {
    let mut gone = pod("till", json!({"terminated": {"exitCode": 137, "finishedAt": at(30)}}), json!({}));
    gone["status"]["phase"] = json!("Failed");
    gone["status"]["message"] = json!("Pod was terminated in response to imminent node shutdown.");
    for reason in ["Terminated", "NodeShutdown"] {
        gone["status"]["reason"] = json!(reason);
        let incident = only(&list(&[gone.clone()]));
        assert_eq!((&incident["cause"]["code"], &incident["rootCause"]["name"]), (&json!("node-shutdown"), &json!("n1")));
    }
    assert_eq!(open(&list_until(&[gone], 1_200)), Vec::<Value>::new());
}

#[test]
fn nothing_known_is_said_in_a_whole_sentence() {
    let mut quiet = pod("till", json!({"running": {"startedAt": at(1)}}), json!({}));
    quiet["status"]["containerStatuses"][0]["restartCount"] = json!(0);
    let incident = only(&list_until(&[quiet], 300));
    assert_eq!(incident["cause"]["explanation"], "Neither events nor states name a cause.");
}

fn commands(incident: &Value) -> Vec<String> {
    incident["actions"]
        .as_array()
        .expect("an incident has actions")
        .iter()
        .filter_map(|action| Some(action["command"].as_str()?.to_owned()))
        .collect()
}

#[track_caller]
fn only(run: &Run) -> Value {
    let incidents = open(run);
    assert_eq!(incidents.len(), 1, "{incidents:#?}");
    incidents[0].clone()
}

fn open(run: &Run) -> Vec<Value> {
    let mut last: Vec<Value> = Vec::new();
    for incident in run.records("incident") {
        last.retain(|known| known["id"] != incident["id"]);
        last.push(incident);
    }
    last.retain(|incident| incident["state"] != "resolved");
    last
}

fn list(values: &[Value]) -> Run {
    list_until(values, 120)
}

fn list_until(values: &[Value], seconds: i64) -> Run {
    let lines: Vec<String> = values.iter().map(Value::to_string).collect();
    Run::replay(lines.iter().map(String::as_str), everything(), Some(DateTime::from_timestamp_nanos(START + seconds * 1_000_000_000)))
}

/// A pod of the Deployment `till` that no node takes.
fn waiting_for_node(message: &str) -> Run {
    let mut waits = pod("till", json!({}), json!({}));
    waits["spec"] = json!({"containers": [{"name": "app"}]});
    waits["status"] = json!({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message, "lastTransitionTime": at(1)}]});
    list(&[waits, event("till-5c4-a", "FailedScheduling", message)])
}

/// Pods whose images cannot be pulled, told by their state and by Events.
fn pulling(images: &[(&str, &str)], answer: &str) -> Run {
    let values = images.iter().flat_map(|(name, image)| {
        let state = json!({"waiting": {"reason": "ErrImagePull", "message": answer}});
        let mut values = objects(name, state, json!({}));
        values.push(event(&format!("{name}-5c4-a"), "Failed", &format!("Failed to pull image \"{image}\": {answer}")));
        values
    });
    list(&values.collect::<Vec<_>>())
}

/// A pod that waits for its volumes.
fn starting(reason: &str, message: &str) -> Run {
    let mut values = objects("till", json!({"waiting": {"reason": "ContainerCreating"}}), json!({}));
    values.push(event("till-5c4-a", reason, message));
    list(&values)
}

/// A pod whose container left that message when it ended.
fn crashed(message: &str) -> Run {
    let last = json!({"terminated": {"exitCode": 1, "finishedAt": at(60), "message": message}});
    list(&objects("till", json!({"waiting": {"reason": "CrashLoopBackOff"}}), last))
}

/// A Deployment, its ReplicaSet and a pod on the node `n1`.
fn objects(name: &str, state: Value, last: Value) -> Vec<Value> {
    let made = |kind: &str, object: String, owners: Value| {
        json!({"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": object, "namespace": "shop", "creationTimestamp": at(0), "ownerReferences": owners},
            "spec": {"replicas": 1}, "status": {"replicas": 1, "readyReplicas": 0}})
    };
    let owner = json!([{"kind": "Deployment", "name": name, "controller": true}]);
    vec![made("Deployment", name.to_owned(), json!([])), made("ReplicaSet", format!("{name}-5c4"), owner), pod(name, state, last)]
}

fn pod(name: &str, state: Value, last: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": format!("{name}-5c4-a"), "namespace": "shop", "creationTimestamp": at(0),
            "ownerReferences": [{"kind": "ReplicaSet", "name": format!("{name}-5c4"), "controller": true}]},
        "spec": {"nodeName": "n1", "containers": [{"name": "app"}]},
        "status": {"phase": "Running", "conditions": [{"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": "False", "lastTransitionTime": at(30)}],
            "containerStatuses": [{"name": "app", "ready": false, "restartCount": 3, "state": state, "lastState": last}]}})
}

fn event(name: &str, reason: &str, message: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": format!("{name}.{reason}"), "namespace": "shop"}, "type": "Warning", "reason": reason,
        "message": message, "involvedObject": {"kind": "Pod", "namespace": "shop", "name": name}, "count": 9, "firstTimestamp": at(5),
        "lastTimestamp": at(100), "source": {"component": "kubelet", "host": "n1"}})
}
