//! What an Event means, read through the API: V1, V2, V6, V8, V29, V31, V33.

use crate::reports::{Reports, WEB_UID, groups, only_group, summary};
use crate::stage::{Collection, end, text, watch_with};
use faro_tests::control_plane::{ControlPlane, Recorder};
use faro_tests::correlator::{EventType, ObjectRef, Report};
use serde_json::{Value, json};

#[test]
fn v1_both_api_versions_give_the_same_record_and_watching_both_gives_it_once() {
    let Some(cluster) = ControlPlane::shared() else { return };
    let namespace = cluster.namespace("v1");
    let reports = Reports::new(&cluster, &namespace);
    let run = |gvrs: &[&str]| {
        let entries: Vec<String> = gvrs.iter().map(|gvr| format!("{{gvr: {gvr}, namespace_names: [{namespace}]}}")).collect();
        watch_with(&cluster, &format!("resources: [{}]", entries.join(", ")), 1, &["--emit", "event,sync,gap,group"])
    };
    let (core, new) = ("v1/events", "events.k8s.io/v1/events");
    let mut programs = [run(&[core]), run(&[new]), run(&[core, new])];
    let series = json!({"count": 3, "lastObservedTime": reports.micros_at(60)});
    let same = |name: &str| {
        json!({
            "metadata": {"name": name}, "reason": "FailedCreatePodSandBox", "type": "Warning", "action": "Binding",
            "eventTime": reports.micros_at(0), "series": series, "reportingInstance": "kubelet-node-1",
            "related": {"kind": "Node", "name": "node-1"},
        })
    };
    let (about, said) = (reports.pod("web-1", WEB_UID), "Failed to create pod sandbox: rpc error");
    for (name, collection, fields) in [
        ("by-core", &reports.core, json!({"involvedObject": about, "message": said, "reportingComponent": "kubelet"})),
        ("by-events", &reports.series, json!({"regarding": about, "note": said, "reportingController": "kubelet"})),
    ] {
        let mut event = same(name);
        event.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        collection.create(&event);
    }
    // What the older recorder writes is also the same in both.
    reports.write("older", &json!({"count": 7, "lastTimestamp": reports.at(60)}));
    let mut told = Vec::new();
    for program in &mut programs {
        program.wait_for("the last Event", |record| record["name"] == "older");
        let records = end(program, "");
        assert_eq!(records.iter().map(|record| text(&record["name"])).collect::<Vec<_>>(), ["by-core", "by-events", "older"]);
        assert!(records.iter().all(|record| record["gvr"] == core && record["involvedObject"] == about), "{records:#?}");
        assert_eq!(program.records.iter().filter(|record| record["record"] == "sync").count(), 1);
        assert_eq!(only_group(program)["count"], 13);
        told.push(records.into_iter().map(|record| without(record, &["timestamp"])).collect::<Vec<_>>());
    }
    assert_eq!(told[0], told[1]);
    assert_eq!(told[0], told[2]);
    let [core, new] = [0, 1].map(|at: usize| without(told[0][at].clone(), &["name", "uid", "resourceVersion", "changedAt"]));
    assert_eq!(core, new);
    assert_eq!((&core["count"], &core["message"], &core["lastSeen"]), (&json!(3), &json!(said), &json!(reports.at(60))));
}

#[test]
fn v2_failed_create_pod_sandbox_is_critical_everywhere() {
    let Some(cluster) = ControlPlane::shared() else { return };
    let namespace = cluster.namespace("v2");
    let reports = Reports::fresh(&cluster, &namespace);
    let pods = Collection::at(&cluster, format!("/api/v1/namespaces/{namespace}/pods"));
    let spec = json!({"schedulingGates": [{"name": "faro.dev/never"}], "containers": [{"name": "app", "image": "registry.example/app:1"}]});
    let pod = pods.create(&json!({"metadata": {"name": "web-1"}, "spec": spec}));
    let about = reports.pod("web-1", text(&pod["metadata"]["uid"]));
    let config = format!("namespaces: [{{name_selector: {namespace}, resources: {{v1/events: , v1/pods: }}}}]");
    let mut programs = ["object", "workload", "reason"].map(|key| {
        let options = ["--emit", "object,event,group,sync", "--group-by", key, "--severity", "critical"];
        watch_with(&cluster, &config, 2, &options)
    });
    let mut written = 0;
    for type_ in ["Warning", "Normal"] {
        for message in
            ["Failed to create pod sandbox: rpc error", "Failed create pod sandbox.", "(combined from similar events): Failed to create x"]
        {
            let fields = json!({"message": message, "type": type_, "involvedObject": about});
            reports.write(&format!("core-{written}"), &fields);
            reports.series.create(&json!({
                "metadata": {"name": format!("events-{written}")}, "regarding": about, "note": message, "type": type_,
                "reason": "FailedCreatePodSandBox", "action": "Start", "eventTime": reports.micros_at(0),
                "reportingController": "kubelet", "reportingInstance": "kubelet-node-1",
            }));
            written += 2;
        }
    }
    reports.write("harmless", &json!({"reason": "Pulled", "type": "Normal", "message": "Pulled image x", "involvedObject": about}));
    for (program, by_object) in programs.iter_mut().zip([true, false, false]) {
        program.wait_for("the last Event", |record| record["name"] == format!("events-{}", written - 2));
        if by_object {
            // The object's record tells of it, too.
            pods.label("web-1", &json!({"seen": "yes"}));
            let changed = program.wait_for("the pod", |record| record["gvr"] == "v1/pods" && record["labels"]["seen"] == "yes");
            let open = changed["operational"].as_array().unwrap();
            let mut of_it = open.iter().filter(|group| group["reason"] == "FailedCreatePodSandBox").peekable();
            assert!(of_it.peek().is_some() && of_it.all(|group| group["severity"] == "critical"), "{changed}");
            assert_eq!(open[0]["severity"], "critical", "worst first");
        }
        let events: Vec<Value> = end(program, "").into_iter().filter(|record| record["record"] == "event").collect();
        assert_eq!(events.len(), written, "the filter keeps all of them, and nothing else");
        let groups = groups(program);
        assert_eq!(groups.iter().filter_map(|group| group["count"].as_u64()).sum::<u64>(), written as u64);
        for record in events.iter().chain(&groups) {
            assert_eq!((&record["severity"], &record["family"]), (&json!("critical"), &json!("pod-sandbox")), "{record}");
        }
    }
}

#[test]
fn v6_reasons_namespaces_and_uids_make_groups_of_their_own() {
    let Some(cluster) = ControlPlane::shared() else { return };
    let places = [cluster.namespace("v6"), cluster.namespace("v6")];
    let reports = places.each_ref().map(|place| Reports::new(&cluster, place));
    let config = format!("resources: [{{gvr: v1/events, namespace_names: [{}, {}]}}]", places[0], places[1]);
    let mut program = watch_with(&cluster, &config, 2, &["--emit", "event,group,sync,summary"]);
    let other = "7d2c8c1b-4a1f-4b63-8e6b-1b5f1a2e3d4c";
    reports[0].write("a", &json!({}));
    reports[0].write("b", &json!({"reason": "Unhealthy", "message": "Liveness probe failed: timeout"}));
    reports[1].write("a", &json!({"involvedObject": reports[1].pod("web-1", "")}));
    reports[0].write(
        "c",
        &json!({"firstTimestamp": reports[0].at(20), "lastTimestamp": reports[0].at(20), "involvedObject": reports[0].pod("web-1", other)}),
    );
    for _ in 0..4 {
        program.wait_for("an Event", |record| record["record"] == "event");
    }
    end(&mut program, "");
    let groups = groups(&program);
    assert_eq!(groups.iter().map(|group| group["count"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 1, 1, 1], "{groups:#?}");
    let of = |namespace: &str, uid: &str, reason: &str| {
        let is = |group: &&Value| {
            let resource = &group["resource"];
            resource["namespace"] == *namespace
                && text(&resource["uid"]) == uid
                && group["reason"] == *reason
                && resource["name"] == "web-1"
        };
        groups.iter().find(is).cloned().unwrap()
    };
    let sandbox = "FailedCreatePodSandBox";
    let first = of(&places[0], WEB_UID, sandbox);
    assert!(first["previous"].is_null());
    assert!(of(&places[0], WEB_UID, "Unhealthy")["previous"].is_null());
    assert!(of(&places[1], "", sandbox)["previous"].is_null());
    assert_eq!(of(&places[0], other, sandbox)["previous"], first["id"], "the same name, another object");
    assert_eq!(summary(&program)["occurrences"]["total"], 4);
}

#[test]
fn v8_what_kubelets_and_schedulers_say_is_as_bad_as_it_is() {
    let Some(cluster) = ControlPlane::shared() else { return };
    let reports = Reports::new(&cluster, &cluster.namespace("v8"));
    let restarting = format!("Back-off restarting failed container app in pod web_shop({WEB_UID})");
    let cases = [
        ("BackOff", restarting.as_str(), "crash-loop", "critical"),
        ("BackOff", "Back-off restarting failed container", "crash-loop", "critical"),
        ("BackOff", "Back-off pulling image x", "image-pull", "critical"),
        ("Failed", "Error: ImagePullBackOff", "image-pull", "critical"),
        ("Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 503", "probe", "high"),
        ("Unhealthy", "Startup probe failed: connection refused", "probe", "high"),
        ("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503", "probe", "medium"),
        ("FailedScheduling", "0/3 nodes are available: 3 Insufficient cpu.", "scheduling", "high"),
        ("Evicted", "The node was low on resource: memory.", "eviction", "high"),
        ("NetworkNotReady", "network is not ready: container runtime network not ready", "network", "critical"),
        ("Started", "Started container room-service", "lifecycle", "info"),
        ("FailedMount", "MountVolume.SetUp failed for volume \"tls\" : secret \"web-tls\" not found", "", "high"),
        ("FailedMount", "MountVolume.SetUp failed for volume \"conf\" : configmap \"web\" not found", "", "high"),
        ("PolicyApplied", "network policy applied, 0 failed", "policy", "info"),
        ("Whatever", "network policy applied, 0 failed", "other", ""),
    ];
    let mut program = reports.watch(&cluster, &[]);
    for (number, (reason, message, ..)) in cases.iter().enumerate() {
        let mut about = reports.pod(&format!("web-{number}"), "");
        about["fieldPath"] = json!("spec.containers{app}");
        for type_ in ["Warning", "Normal"] {
            let fields = json!({"reason": reason, "message": message, "type": type_, "involvedObject": about});
            reports.write(&format!("{number}-{}", type_.to_lowercase()), &fields);
        }
    }
    program.wait_for("the last Event", |record| record["name"] == format!("{}-normal", cases.len() - 1));
    let records = end(&mut program, "");
    assert_eq!(records.len(), 2 * cases.len());
    let groups = groups(&program);
    for (number, (reason, message, family, severity)) in cases.iter().enumerate() {
        let name = format!("web-{number}");
        let about = records.iter().filter(|record| record["involvedObject"]["name"] == name);
        let group = groups.iter().filter(|group| group["resource"]["name"] == name);
        let told: Vec<&Value> = about.chain(group).collect();
        assert_eq!(told.len(), 4, "an Event and a group of either type");
        for record in told {
            // Whatever is harmless in its message, it is as its type says.
            let want = match (*severity, text(&record["type"])) {
                ("", "Warning") => "medium",
                ("", _) => "info",
                (severity, _) => severity,
            };
            assert_eq!(record["severity"], want, "{reason}: {message}: {record}");
            assert!(family.is_empty() || record["family"] == *family, "{reason}: {message}: {record}");
        }
    }
    assert!(records.iter().all(|record| record["involvedObject"]["fieldPath"] == "spec.containers{app}"));
}

#[test]
fn v29_node_events_with_and_without_uid_are_about_one_node() {
    let Some(cluster) = ControlPlane::shared() else { return };
    // Events about nodes are in `default`.
    let reports = Reports::new(&cluster, "default");
    let mark = cluster.namespace("v29");
    let config = format!("resources: [{{gvr: v1/events, namespace_names: [default], label_selector: \"scenario={mark}\"}}]");
    let mut program = watch_with(&cluster, &config, 1, &["--emit", "event,group,sync,summary"]);
    for node in ["node-1", "node-2"] {
        let real = cluster.api().read(&format!("/api/v1/nodes/{node}")).unwrap()["metadata"]["uid"].clone();
        for (number, uid) in [json!(""), json!(node), real].iter().enumerate() {
            let name = format!("{mark}-{node}-{number}");
            let fields = json!({
                "metadata": {"name": name, "labels": {"scenario": mark}}, "reason": "OOMKilling", "count": number + 1,
                "message": "Memory cgroup out of memory: Killed process 4711 (java)",
                "involvedObject": {"kind": "Node", "name": node, "uid": uid},
            });
            reports.write(&name, &fields);
        }
    }
    for _ in 0..6 {
        program.wait_for("an Event", |record| record["record"] == "event");
    }
    let records = end(&mut program, "");
    for record in &records {
        let about = text(&record["involvedObject"]["name"]);
        assert_eq!(record["link"], format!("v1/nodes:{about}"), "{record}");
    }
    let groups = groups(&program);
    assert_eq!(groups.len(), 2, "{groups:#?}");
    for (group, node) in groups.iter().zip(["node-1", "node-2"]) {
        assert_eq!((&group["count"], &group["events"], &group["severity"]), (&json!(6), &json!(3), &json!("critical")));
        assert!(groups.iter().any(|group| group["resource"]["name"] == node));
    }
}

#[test]
fn v31_combined_prefix_is_stripped_and_kept_as_a_mark() {
    let Some(cluster) = ControlPlane::shared() else { return };
    let reports = Reports::new(&cluster, &cluster.namespace("v31"));
    let mut program = reports.watch(&cluster, &[]);
    let mut recorder = Recorder::new(cluster.api().clone());
    let object = ObjectRef {
        kind: "Pod".to_owned(),
        namespace: reports.namespace.clone(),
        name: "web-1".to_owned(),
        uid: WEB_UID.to_owned(),
        api_version: "v1".to_owned(),
        ..ObjectRef::default()
    };
    // The tenth distinct message and those after it are one Event.
    for number in 0..12 {
        let report = Report {
            component: "kubelet".to_owned(),
            host: "node-1".to_owned(),
            object: object.clone(),
            event_type: EventType::Warning,
            reason: "FailedCreatePodSandBox",
            message: format!("Failed to create pod sandbox \"{number}\""),
        };
        recorder.report(&report, reports.at(number).parse().unwrap()).unwrap().unwrap();
    }
    let quoted = reports.write("quoted", &json!({"message": "said (combined from similar events): x", "reason": "Quoted"}));
    program.wait_for("the last Event", |record| record["uid"] == quoted["metadata"]["uid"]);
    let records = end(&mut program, "");
    let combined: Vec<&Value> = records.iter().filter(|record| record["combined"] == true).collect();
    let stored = Collection::events(&cluster, &reports.namespace).read(text(&combined[0]["name"]));
    assert!(text(&stored["message"]).starts_with("(combined from similar events): "), "as the API has it: {stored}");
    assert_eq!(
        combined.iter().map(|record| text(&record["message"])).collect::<Vec<_>>(),
        [9, 10, 11].map(|number| format!("Failed to create pod sandbox \"{number}\""))
    );
    assert_eq!(records.len(), 13);
    let group = groups(&program).into_iter().find(|group| group["reason"] == "FailedCreatePodSandBox").unwrap();
    assert_eq!(
        (&group["count"], &group["messages"], &group["message"]),
        (&json!(12), &json!(12), &json!("Failed to create pod sandbox \"11\""))
    );
    let with_prefix = |record: &&Value| text(&record["message"]).starts_with("(combined");
    assert_eq!(program.records.iter().filter(with_prefix).count(), 0);
    assert_eq!(records.last().unwrap()["message"], "said (combined from similar events): x", "only as a prefix");
}

/// A record less the fields that may differ.
fn without(mut record: Value, fields: &[&str]) -> Value {
    for field in fields {
        record.as_object_mut().unwrap().remove(*field);
    }
    record
}
