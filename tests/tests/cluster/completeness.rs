//! Both streams of a workload, whole: T9, W25.

use crate::stage::{Collection, end, text, watch};
use faro_tests::control_plane::{ControlPlane, eventually};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

#[test]
fn t9_jobs_and_config_maps_in_three_namespaces_tell_all_18_changes() {
    let Some(cluster) = ControlPlane::shared() else { return };
    let names = ["t9"; 3].map(|prefix| cluster.namespace(prefix));
    let entry = |name: &String| {
        format!(
            "- {{name_selector: {name}, resources: {{batch/v1/jobs: {{name_selector: job-1}}, v1/configmaps: {{name_selector: cm-1}}}}}}\n"
        )
    };
    let mut program = watch(&cluster, &format!("namespaces:\n{}", names.iter().map(entry).collect::<String>()), 6);
    for name in &names {
        let maps = Collection::config_maps(&cluster, name);
        let jobs = Collection::at(&cluster, format!("/apis/batch/v1/namespaces/{name}/jobs"));
        maps.put("cm-1", &json!({}));
        maps.put("cm-2", &json!({}));
        for job in ["job-1", "job-2"] {
            jobs.create(&json!({"metadata": {"name": job}, "spec": {"template": pod_template(&json!({}))}}));
        }
        maps.set("cm-1", "b");
        // The job controller tells of its end.
        let done = |record: &Value| record["namespace"] == **name && record["changes"].to_string().contains("completionTime");
        program.wait_for("the end of the job", |record| done(record) || (record["name"] == "job-1" && completed(&cluster, name)));
        maps.delete("cm-1");
        jobs.delete("job-1");
    }
    let of = |record: &Value| ["namespace", "name", "eventType"].map(|field| text(&record[field]).to_owned());
    let mut want = BTreeSet::new();
    for name in &names {
        for object in ["job-1", "cm-1"] {
            want.extend(["ADDED", "UPDATED", "DELETED"].map(|one| [name.clone(), object.to_owned(), one.to_owned()]));
        }
    }
    assert_eq!(want.len(), 18);
    for _ in 0..6 {
        // The last of each object is its deletion.
        let deleted = program.records.iter().filter(|record| record["eventType"] == "DELETED").count();
        if deleted < 6 {
            program.wait_for("a deletion", |record| record["eventType"] == "DELETED");
        }
    }
    let records = end(&mut program, "");
    assert_eq!(records.iter().map(of).collect::<BTreeSet<_>>(), want);
    for change in want.iter().filter(|change| change[2] != "UPDATED" || change[1] == "cm-1") {
        assert_eq!(records.iter().filter(|record| of(record) == *change).count(), 1, "{change:?}");
    }
}

#[test]
fn w25_events_only_add_to_what_objects_tell() {
    let Some(cluster) = ControlPlane::shared() else { return };
    let (api, namespace) = (cluster.api(), cluster.namespace("w25"));
    let gvrs = ["batch/v1/jobs", "v1/pods", "v1/services", "v1/configmaps", "apps/v1/deployments"];
    let config = |more: &[&str]| {
        let resources: Vec<String> = gvrs.iter().chain(more).map(|gvr| format!("{gvr}: ")).collect();
        format!("namespaces: [{{name_selector: {namespace}, resources: {{{}}}}}]", resources.join(", "))
    };
    eventually("the namespace has the ConfigMap of every namespace", || {
        api.read(&format!("/api/v1/namespaces/{namespace}/configmaps/kube-root-ca.crt")).ok()
    });
    let mut without = watch(&cluster, &config(&[]), 5);
    let mut with = watch(&cluster, &config(&["v1/events"]), 6);
    let labels = json!({"app": "web"});
    Collection::config_maps(&cluster, &namespace).put("settings", &json!({}));
    let services = format!("/api/v1/namespaces/{namespace}/services");
    Collection::at(&cluster, services).create(&json!({"metadata": {"name": "web"}, "spec": {"selector": labels, "ports": [{"port": 80}]}}));
    let deployment = json!({
        "metadata": {"name": "web"},
        "spec": {"replicas": 2, "selector": {"matchLabels": labels}, "template": pod_template(&labels)},
    });
    api.create(&format!("/apis/apps/v1/namespaces/{namespace}/deployments"), &deployment).unwrap();
    let spec = json!({"completions": 4, "parallelism": 2, "template": pod_template(&json!({}))});
    api.create(&format!("/apis/batch/v1/namespaces/{namespace}/jobs"), &json!({"metadata": {"name": "job-1"}, "spec": spec})).unwrap();
    eventually("the job is done and says so, and the Deployment is available", || {
        let events = cluster.events_about(&namespace, "job-1").unwrap();
        let available = api.read(&format!("/apis/apps/v1/namespaces/{namespace}/deployments/web")).unwrap();
        let done = completed(&cluster, &namespace) && events.iter().any(|event| event["reason"] == "Completed");
        (done && available["status"]["availableReplicas"] == 2).then_some(())
    });
    // Nothing changes any more: what is last in each collection has come.
    let newest: Vec<String> = api
        .list(&format!("/api/v1/namespaces/{namespace}/pods"))
        .unwrap()
        .iter()
        .map(|pod| text(&pod["metadata"]["resourceVersion"]).to_owned())
        .collect();
    for program in [&mut without, &mut with] {
        for version in &newest {
            if !program.records.iter().any(|record| record["resourceVersion"] == **version) {
                program.wait_for("a pod's last version", |record| record["resourceVersion"] == **version);
            }
        }
    }
    let objects = |records: &[Value]| {
        let mut by_object: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for record in records.iter().filter(|record| record["record"] == "object") {
            let mut record = record.clone();
            // When each process saw it, and what the other stream adds.
            let fields = record.as_object_mut().unwrap();
            fields.remove("timestamp");
            fields.remove("operational");
            by_object.entry(text(&record["uid"]).to_owned()).or_default().push(record);
        }
        by_object
    };
    let (without, with) = (end(&mut without, ""), end(&mut with, ""));
    assert!(without.iter().all(|record| record["record"] == "object"));
    let (alone, both) = (objects(&without), objects(&with));
    assert_eq!(alone.keys().collect::<Vec<_>>(), both.keys().collect::<Vec<_>>());
    for (uid, records) in &alone {
        assert_eq!(records, &both[uid]);
    }
    // Of the Job and of every pod of it, its whole life.
    let of = |gvr: &str| alone.values().filter(|records| records[0]["gvr"] == gvr).collect::<Vec<_>>();
    assert_eq!((of("batch/v1/jobs").len(), of("v1/pods").len(), of("apps/v1/deployments").len(), of("v1/services").len()), (1, 6, 1, 1));
    for records in [of("batch/v1/jobs"), of("v1/pods"), of("apps/v1/deployments")].concat() {
        assert!(records.len() > 2 && records[0]["eventType"] == "ADDED", "{records:#?}");
    }

    let events: Vec<&Value> = with.iter().filter(|record| record["record"] == "event").collect();
    let reasons: BTreeSet<&str> = events.iter().map(|event| text(&event["reason"])).collect();
    for reason in ["Scheduled", "SuccessfulCreate", "Completed", "ScalingReplicaSet"] {
        assert!(reasons.contains(reason), "{reasons:?}");
    }
    for event in events {
        let about = &event["involvedObject"];
        let link = text(&event["link"]);
        match both.get(text(&about["uid"])) {
            Some(records) => assert_eq!(link, text(&records[0]["link"]), "{event}"),
            // Of what nobody watches the link leads to it in the API.
            None => assert_eq!(read_link(&cluster, link)["metadata"]["uid"], about["uid"], "{event}"),
        }
    }
}

/// Reads the object that a graph key names.
fn read_link(cluster: &ControlPlane, link: &str) -> Value {
    let (gvr, object) = link.split_once(':').unwrap();
    let (api_version, plural) = gvr.rsplit_once('/').unwrap();
    let (namespace, name) = object.split_once('/').unwrap();
    let root = if api_version.contains('/') { "/apis" } else { "/api" };
    cluster.api().read(&format!("{root}/{api_version}/namespaces/{namespace}/{plural}/{name}")).unwrap()
}

fn completed(cluster: &ControlPlane, namespace: &str) -> bool {
    let job = cluster.api().read(&format!("/apis/batch/v1/namespaces/{namespace}/jobs/job-1")).unwrap();
    job["status"]["completionTime"].is_string()
}

/// A pod whose container ends well within a moment where it belongs to a Job, and runs where it does not.
fn pod_template(labels: &Value) -> Value {
    let container = json!({"name": "app", "image": "registry.example/app:1"});
    let mut template = json!({"metadata": {"labels": labels}, "spec": {"containers": [container]}});
    if labels.as_object().is_some_and(serde_json::Map::is_empty) {
        template["spec"]["restartPolicy"] = json!("Never");
    }
    template
}
