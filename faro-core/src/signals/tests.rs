use super::*;
use crate::input::{self, Body};

#[test]
fn healthy_pod_has_no_facts() {
    check(POD, &[]);
}

#[test]
fn pod_says_what_it_waits_for() {
    let waiting =
        |state: &str| POD.replace(r#""ready":true,"state":{"running":{}}"#, state).replace(r#""status":"True""#, r#""status":"False""#);
    check(
        &waiting(r#""ready":false,"state":{"waiting":{"reason":"ImagePullBackOff","message":"Back-off"}}"#),
        &["waiting/ImagePullBackOff"],
    );
    check(&waiting(r#""ready":false,"state":{"waiting":{"reason":"ContainerCreating"}}"#), &["creating"]);
    check(
        &waiting(
            r#""ready":false,"state":{"waiting":{"reason":"CrashLoopBackOff"}},"lastState":{"terminated":{"exitCode":137,"reason":"OOMKilled"}}"#,
        ),
        &["exit/137", "terminated/OOMKilled", "waiting/CrashLoopBackOff"],
    );
    check(&waiting(r#""ready":false,"state":{"running":{}}"#), &["not-ready"]);
}

#[test]
fn pod_without_a_node_says_whether_a_scheduler_looked() {
    check(r#"{"kind":"Pod","metadata":{"name":"p"},"spec":{},"status":{"phase":"Pending"}}"#, &["never-scheduled"]);
    check(
        r#"{"kind":"Pod","metadata":{"name":"p"},"spec":{},"status":{"phase":"Pending","conditions":[{"type":"PodScheduled","status":"False","reason":"Unschedulable","message":"0/3"}]}}"#,
        &["unscheduled"],
    );
}

#[test]
fn quota_is_full_at_its_limit_in_any_unit() {
    for (used, hard, want) in [("1000m", "1", &["quota-full"][..]), ("999m", "1", &[]), ("3Gi", "3072Mi", &["quota-full"]), ("0", "0", &[])]
    {
        check(
            &format!(
                r#"{{"kind":"ResourceQuota","metadata":{{"name":"q"}},"status":{{"hard":{{"cpu":"{hard}"}},"used":{{"cpu":"{used}"}}}}}}"#
            ),
            want,
        );
    }
}

#[test]
fn workload_compares_what_it_wants_with_what_it_has() {
    for (kind, spec, status, want) in [
        ("Deployment", r#"{"replicas":2}"#, r#"{"replicas":2,"readyReplicas":2}"#, &[][..]),
        ("Deployment", r#"{"replicas":2}"#, r#"{"replicas":2,"readyReplicas":1}"#, &["unavailable"]),
        ("ReplicaSet", r#"{"replicas":1}"#, r#"{"replicas":0}"#, &["missing-replicas", "unavailable"]),
        ("ReplicaSet", r#"{"replicas":0}"#, "{}", &[]),
        ("Deployment", r#"{"replicas":0}"#, "{}", &["scaled-to-zero"]),
        ("DaemonSet", "{}", r#"{"desiredNumberScheduled":3,"currentNumberScheduled":3,"numberReady":1}"#, &["unavailable"]),
    ] {
        check(&format!(r#"{{"kind":"{kind}","metadata":{{"name":"w"}},"spec":{spec},"status":{status}}}"#), want);
    }
}

#[test]
fn node_conditions_are_bad_in_their_own_ways() {
    let node = |type_: &str, status: &str| {
        format!(r#"{{"kind":"Node","metadata":{{"name":"n"}},"status":{{"conditions":[{{"type":"{type_}","status":"{status}"}}]}}}}"#)
    };
    check(&node("Ready", "True"), &[]);
    check(&node("Ready", "False"), &["node-not-ready"]);
    check(&node("Ready", "Unknown"), &["node-unreachable"]);
    check(&node("DiskPressure", "True"), &["node-pressure/disk"]);
    check(&node("DiskPressure", "False"), &[]);
}

#[test]
fn routes_name_their_services() {
    let json = r#"{"kind":"HTTPRoute","metadata":{"name":"r","namespace":"shop"},"spec":{"rules":[{"backendRefs":[{"name":"web"},{"name":"x","kind":"Bucket"},{"name":"pay","namespace":"bank"}]}]}}"#;
    let Body::Object(object) = input::read(json).unwrap().body else { panic!("an object") };
    let named: Vec<String> = read(&object, None).refs.iter().map(|to| format!("{}/{}/{}", to.kind, to.namespace, to.name)).collect();
    assert_eq!(named, ["Service/shop/web", "Service/bank/pay"]);
}

#[test]
fn pod_is_read_whole_again_only_when_what_people_wrote_changes() {
    let known = |json: &str, before: Option<&Reading>| {
        let Body::Object(object) = input::read(json).unwrap().body else { panic!("an object") };
        read(&object, before.map(|before| (before.written, &before.detail)))
    };
    let first = known(POD, None);
    assert!(first.running.is_none() && !first.refs.is_empty());
    let unready = known(&POD.replace(r#""status":"True""#, r#""status":"False""#), Some(&first));
    assert_eq!((unready.running, unready.refs.len()), (Some((false, 0)), 0));
    assert_eq!(unready.facts.iter().map(|fact| &*fact.name).collect::<Vec<_>>(), ["not-ready"]);
    for (from, to) in [("n1", "n2"), (r#""name":"p""#, r#""name":"p","labels":{"app":"web"}"#), ("Running", "Succeeded")] {
        let changed = known(&POD.replace(from, to), Some(&first));
        assert!(changed.running.is_none() && !changed.refs.is_empty(), "{from} -> {to}");
    }
}

const POD: &str = r#"{"kind":"Pod","metadata":{"name":"p","namespace":"shop"},"spec":{"nodeName":"n1","containers":[{"name":"app"}]},"status":{"phase":"Running","conditions":[{"type":"Ready","status":"True"}],"containerStatuses":[{"name":"app","ready":true,"state":{"running":{}}}]}}"#;

#[track_caller]
fn check(json: &str, want: &[&str]) {
    let Body::Object(object) = input::read(json).unwrap().body else { panic!("an object") };
    let reading = read(&object, None);
    assert_eq!(reading.facts.iter().map(|fact| &*fact.name).collect::<Vec<_>>(), want, "{json}");
}
