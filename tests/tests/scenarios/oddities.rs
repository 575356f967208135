//! Objects that contradict each other: no panic, bounded work, counted, and a sane answer.

use crate::stage::{at, everything, play, watched};
use chrono::DateTime;
use faro_core::Limits;
use faro_tests::model::START;
use faro_tests::replayed::{Live, Run, permuted};
use serde_json::{Value, json};
use std::num::NonZeroUsize;

#[test]
fn cyclic_owners_are_counted_and_a_pod_below_them_is_still_explained() {
    let owned = |name: &str, by: &str| {
        json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": name, "namespace": "shop", "ownerReferences": [{"kind": "ReplicaSet", "name": by, "controller": true}]},
            "spec": {"replicas": 1}, "status": {"replicas": 1, "readyReplicas": 0}})
    };
    let mut pod = crashing("p");
    pod["metadata"]["ownerReferences"] = json!([{"kind": "ReplicaSet", "name": "a", "controller": true}]);
    let run = dump(&[pod, owned("a", "b"), owned("b", "c"), owned("c", "a")]);
    assert_eq!(run.summary.oddities.get("cyclic-owners"), Some(&1));
    assert!(codes(&run).contains(&"crash-loop".to_owned()), "{:?}", codes(&run));
}

#[test]
fn owner_that_owns_itself_is_no_owner() {
    let mut pod = crashing("p");
    pod["metadata"]["ownerReferences"] = json!([{"kind": "Pod", "name": "p", "controller": true}]);
    assert_eq!(codes(&dump(&[pod])), ["crash-loop"]);
}

#[test]
fn owner_of_another_uid_is_counted() {
    let owner = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "a", "namespace": "shop", "uid": "one"}, "spec": {"replicas": 1}, "status": {}});
    let mut pod = crashing("p");
    pod["metadata"]["ownerReferences"] = json!([{"kind": "ReplicaSet", "name": "a", "uid": "two", "controller": true}]);
    let run = dump(&[owner, pod]);
    assert_eq!(run.summary.oddities.get("other-owner"), Some(&1));
    assert!(codes(&run).contains(&"crash-loop".to_owned()), "{:?}", codes(&run));
}

#[test]
fn of_two_controllers_the_first_counts() {
    let mut pod = crashing("p");
    pod["metadata"]["ownerReferences"] =
        json!([{"kind": "ReplicaSet", "name": "a", "controller": true}, {"kind": "ReplicaSet", "name": "b", "controller": true}]);
    let run = dump(&[pod]);
    assert_eq!(run.summary.oddities.get("several-controllers"), Some(&1));
    assert_eq!(open(&run)[0]["rootCause"]["workload"]["name"], "a");
}

#[test]
fn without_uids_names_tell_objects_apart() {
    let run = dump(&[crashing("p"), crashing("q")]);
    let roots: Vec<Value> = open(&run).iter().map(|incident| incident["rootCause"]["name"].clone()).collect();
    assert_eq!(roots.len(), 2, "{roots:?}");
}

#[test]
fn pod_that_is_ready_and_waiting_at_once_is_judged_by_its_containers() {
    let mut pod = crashing("p");
    pod["status"]["conditions"][0]["status"] = json!("True");
    assert_eq!(codes(&dump(&[pod.clone()])), ["crash-loop"]);
    pod["status"]["phase"] = json!("Succeeded");
    assert_eq!(codes(&dump(&[pod])), Vec::<String>::new(), "what has ended does not crash any more");
}

#[test]
fn fields_of_other_types_say_nothing() {
    for broken in [
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "shop"}, "spec": 7, "status": "bad"}),
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": {}}, "status": {"conditions": 3}}),
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {"selector": ["a"], "ports": "x"}}),
        json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q"}, "status": {"hard": {"pods": {}}, "used": {"pods": "many"}}}),
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": {"replicas": -5}, "status": {"readyReplicas": 9e30}}),
        json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}, "status": {"conditions": [{"type": 5, "status": []}]}}),
    ] {
        let run = dump(std::slice::from_ref(&broken));
        assert_eq!(run.summary.records.object, 1, "{broken}");
        assert_eq!(codes(&run), Vec::<String>::new(), "{broken}");
    }
}

#[test]
fn objects_after_their_events_or_never_lead_to_the_same_cause() {
    let event = json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": "e", "namespace": "shop"}, "type": "Warning", "reason": "Failed",
        "message": "Failed to pull image \"reg.example/a:9\": not found", "involvedObject": {"kind": "Pod", "namespace": "shop", "name": "p"},
        "count": 7, "firstTimestamp": at(5), "lastTimestamp": at(100)});
    let mut pod = crashing("p");
    pod["status"]["containerStatuses"][0]["state"] = json!({"waiting": {"reason": "ImagePullBackOff"}});
    pod["status"]["containerStatuses"][0]["lastState"] = json!({});
    for values in [vec![event.clone(), pod.clone()], vec![pod, event.clone()], vec![event]] {
        assert_eq!(codes(&dump(&values)), ["image-not-found"]);
    }
}

#[test]
fn one_more_object_than_there_is_room_for_is_counted_and_the_rest_is_judged() {
    let limits = Limits { topology: NonZeroUsize::new(3).unwrap(), ..Limits::default() };
    let pods: Vec<String> = (0..20).map(|number| crashing(&format!("p{number}")).to_string()).collect();
    let run = Run::replay(
        pods.iter().map(String::as_str),
        everything().limits(limits),
        Some(DateTime::from_timestamp_nanos(START + 120_000_000_000)),
    );
    assert!(run.summary.oddities["no-room"] >= 17, "{:?}", run.summary.oddities);
    assert!(!codes(&run).is_empty());
}

#[test]
fn twenty_thousand_pods_on_one_node_are_one_incident_when_it_is_lost() {
    let node = |ready: &str, version: &str| {
        json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1", "resourceVersion": version},
            "status": {"conditions": [{"type": "Ready", "status": ready, "reason": "NodeStatusUnknown", "lastTransitionTime": at(30)}]}})
    };
    let mut lines = vec![node("Unknown", "1").to_string()];
    for number in 0..20_000 {
        lines.push(format!(
            r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"p{number}","namespace":"shop"}},"spec":{{"nodeName":"n1"}},"status":{{"phase":"Running","conditions":[{{"type":"Ready","status":"False","lastTransitionTime":"{}"}}]}}}}"#,
            at(40)
        ));
    }
    let run = Run::replay(lines.iter().map(String::as_str), everything(), Some(DateTime::from_timestamp_nanos(START + 120_000_000_000)));
    let incidents = open(&run);
    assert_eq!(incidents.len(), 1);
    assert_eq!((&incidents[0]["rootCause"]["kind"], &incidents[0]["affected"]["count"]), (&json!("Node"), &json!(20_000)));
}

#[test]
fn object_that_is_recreated_forgets_what_was_wrong_with_the_earlier_one() {
    let version = |uid: &str, pod: Value, number: u32| {
        let mut pod = pod;
        pod["metadata"]["uid"] = json!(uid);
        pod["metadata"]["resourceVersion"] = json!(number.to_string());
        pod
    };
    let mut well = crashing("p");
    well["status"] = json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}], "containerStatuses": [{"name": "app", "ready": true, "state": {"running": {}}}]});
    let values = [
        watched("ADDED", 100, &version("one", crashing("p"), 1)),
        watched("ADDED", 130, &version("two", well, 2)),
        // The deletion of the earlier one is told late.
        watched("DELETED", 131, &version("one", crashing("p"), 3)),
        watched("ADDED", 200, &json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "x", "resourceVersion": "4"}})),
    ];
    let states: Vec<Value> = play(&values).records("incident").iter().map(|incident| incident["state"].clone()).collect();
    assert_eq!(states, ["open", "resolved"]);
}

#[test]
fn odd_objects_in_any_order_and_across_a_restart_give_the_same_bytes() {
    let mut values = vec![crashing("p"), crashing("q")];
    values[0]["metadata"]["ownerReferences"] = json!([{"kind": "ReplicaSet", "name": "a", "controller": true}]);
    for (name, by) in [("a", "b"), ("b", "a")] {
        values.push(json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": name, "namespace": "shop", "ownerReferences": [{"kind": "ReplicaSet", "name": by, "controller": true}]}, "spec": {"replicas": 1}, "status": {"readyReplicas": 0}}));
    }
    for number in 0..5 {
        values.push(json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": format!("e{number}"), "namespace": "shop"}, "type": "Warning", "reason": "FailedScheduling",
            "message": "0/3 nodes are available: 3 Insufficient cpu.", "involvedObject": {"kind": "Pod", "namespace": "shop", "name": "nobody-saw-6d4cf56db6-k8vqm"},
            "count": 3, "firstTimestamp": at(5), "lastTimestamp": at(100)}));
    }
    let lines: Vec<String> = values.iter().map(Value::to_string).collect();
    let last = |lines: &[String]| {
        let run =
            Run::replay(lines.iter().map(String::as_str), everything(), Some(DateTime::from_timestamp_nanos(START + 120_000_000_000)));
        run.records("incident")
    };
    let want = last(&lines);
    assert!(want.len() >= 2, "{want:#?}");
    for seed in 0..50 {
        assert_eq!(last(&permuted(&lines, seed)), want, "seed {seed}");
    }
    let timed: Vec<String> = values
        .iter()
        .zip(1..)
        .map(|(value, second)| {
            let mut value = value.clone();
            value["metadata"]["resourceVersion"] = json!(second.to_string());
            watched("ADDED", 100 + second, &value).to_string()
        })
        .collect();
    let run = |cut: Option<usize>| {
        let mut live = Live::new(everything());
        for (place, line) in timed.iter().enumerate() {
            live.feed(line);
            if cut == Some(place) {
                live.restart();
            }
        }
        live.finish(DateTime::from_timestamp_nanos(START + 4_000_000_000_000)).lines
    };
    let whole = run(None);
    assert!(whole.iter().any(|line| line.starts_with(r#"{"record":"incident""#)));
    for cut in 0..timed.len() {
        assert_eq!(run(Some(cut)), whole, "restarted after line {cut}");
    }
}

fn dump(values: &[Value]) -> Run {
    let lines: Vec<String> = values.iter().map(Value::to_string).collect();
    Run::replay(lines.iter().map(String::as_str), everything(), Some(DateTime::from_timestamp_nanos(START + 120_000_000_000)))
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

fn codes(run: &Run) -> Vec<String> {
    open(run).iter().map(|incident| incident["cause"]["code"].as_str().unwrap_or_default().to_owned()).collect()
}

fn crashing(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "shop", "creationTimestamp": at(0)},
        "spec": {"nodeName": "n1", "containers": [{"name": "app"}]},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "False", "lastTransitionTime": at(60)}],
            "containerStatuses": [{"name": "app", "ready": false, "restartCount": 4, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                "lastState": {"terminated": {"exitCode": 1, "reason": "Error", "finishedAt": at(60)}}}]}})
}
