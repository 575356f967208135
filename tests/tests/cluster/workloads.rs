//! What the control plane does by itself, nodes and pods included.

use std::time::Duration;

use faro_tests::control_plane::{ControlPlane, Setup, eventually, kubernetes_version};
use serde_json::{Value, json};

/// A pod template whose one container is never pulled.
fn template(labels: &Value) -> Value {
    json!({"metadata": {"labels": labels}, "spec": {"containers": [{"name": "app", "image": "registry.example/app:1"}]}})
}

#[test]
fn the_api_server_and_kubectl_are_the_version_of_go_mod() {
    let Some(cluster) = ControlPlane::shared() else { return };
    let version = cluster.api().read("/version").expect("version");
    assert_eq!(version["gitVersion"], kubernetes_version());
    let minor = kubernetes_version().split('.').nth(1).expect("a minor version");
    assert_eq!(version["minor"], minor);

    let output = cluster.kubectl().args(["version", "-o", "json"]).output().expect("kubectl runs");
    let versions: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(versions["clientVersion"]["gitVersion"], kubernetes_version());
    assert_eq!(versions["serverVersion"]["gitVersion"], kubernetes_version());
}

#[test]
fn a_deployment_becomes_available_and_its_events_are_real() {
    let Some(cluster) = ControlPlane::shared() else { return };
    let (api, namespace) = (cluster.api(), cluster.namespace("deployment"));
    let deployments = format!("/apis/apps/v1/namespaces/{namespace}/deployments");
    let labels = json!({"app": "web"});
    let deployment = json!({
        "metadata": {"name": "web"},
        "spec": {"replicas": 3, "selector": {"matchLabels": labels}, "template": template(&labels)},
    });
    api.create(&deployments, &deployment).expect("created");
    eventually("the Deployment is available", || {
        let deployment = api.read(&format!("{deployments}/web")).expect("read");
        (deployment["status"]["availableReplicas"] == 3).then_some(())
    });

    let pods = api.list(&format!("/api/v1/namespaces/{namespace}/pods?labelSelector=app=web")).expect("pods");
    assert_eq!(pods.len(), 3);
    for pod in &pods {
        let name = pod["metadata"]["name"].as_str().expect("a name");
        let scheduled = eventually("the scheduler reports the pod", || {
            let events = cluster.events_about(&namespace, name).expect("events");
            events.into_iter().find(|event| event["reason"] == "Scheduled")
        });
        assert_eq!(scheduled["reportingComponent"], "default-scheduler");
        assert_eq!(scheduled["lastTimestamp"], Value::Null, "the scheduler writes through events.k8s.io, which has no such field");
        assert_eq!(scheduled["involvedObject"]["uid"], pod["metadata"]["uid"]);
    }
    let scaling = eventually("the deployment controller reports", || {
        let events = cluster.events_about(&namespace, "web").expect("events");
        events.into_iter().find(|event| event["reason"] == "ScalingReplicaSet")
    });
    assert_eq!(scaling["source"]["component"], "deployment-controller");
}

#[test]
fn a_job_completes() {
    let Some(cluster) = ControlPlane::shared() else { return };
    let (api, namespace) = (cluster.api(), cluster.namespace("job"));
    let jobs = format!("/apis/batch/v1/namespaces/{namespace}/jobs");
    let mut pod = template(&json!({}));
    pod["spec"]["restartPolicy"] = json!("Never");
    api.create(&jobs, &json!({"metadata": {"name": "report"}, "spec": {"completions": 2, "template": pod}})).expect("created");
    eventually("the Job is complete", || {
        let job = api.read(&format!("{jobs}/report")).expect("read");
        let conditions = job["status"]["conditions"].as_array()?;
        conditions.iter().any(|condition| condition["type"] == "Complete" && condition["status"] == "True").then_some(())
    });
    eventually("the job controller reports it", || {
        let events = cluster.events_about(&namespace, "report").expect("events");
        events.iter().any(|event| event["reason"] == "Completed" && event["source"]["component"] == "job-controller").then_some(())
    });
}

#[test]
fn a_job_whose_pods_fail_as_told_fails() {
    let Some(cluster) = ControlPlane::shared() else { return };
    let (api, namespace) = (cluster.api(), cluster.namespace("failing-job"));
    let jobs = format!("/apis/batch/v1/namespaces/{namespace}/jobs");
    let mut pod = template(&json!({}));
    pod["metadata"]["annotations"] = json!({"simulated.faro.dev/exit-code": "3", "simulated.faro.dev/runs-for": "100ms"});
    pod["spec"]["restartPolicy"] = json!("Never");
    api.create(&jobs, &json!({"metadata": {"name": "report"}, "spec": {"backoffLimit": 0, "template": pod}})).expect("created");
    eventually("the job controller gives up", || {
        let events = cluster.events_about(&namespace, "report").expect("events");
        events.iter().any(|event| event["reason"] == "BackoffLimitExceeded").then_some(())
    });
    let pods = api.list(&format!("/api/v1/namespaces/{namespace}/pods")).expect("pods");
    assert_eq!(pods[0]["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"], 3);
}

#[test]
fn pods_run_unless_they_are_told_not_to_and_go_when_they_are_deleted() {
    let Some(cluster) = ControlPlane::shared() else { return };
    let (api, namespace) = (cluster.api(), cluster.namespace("pods"));
    let pods = format!("/api/v1/namespaces/{namespace}/pods");
    for (name, start) in [("runs", "always"), ("waits", "never")] {
        let mut pod = template(&json!({}));
        pod["metadata"] = json!({"name": name, "annotations": {"simulated.faro.dev/start": start}});
        api.create(&pods, &pod).expect("created");
    }
    eventually("one pod runs and the other is scheduled", || {
        let (runs, waits) = (api.read(&format!("{pods}/runs")).expect("read"), api.read(&format!("{pods}/waits")).expect("read"));
        (runs["status"]["phase"] == "Running" && waits["spec"]["nodeName"].is_string()).then_some(())
    });
    let waits = api.read(&format!("{pods}/waits")).expect("read");
    assert_eq!(waits["status"]["phase"], "Pending");

    api.delete(&format!("{pods}/runs")).expect("deleted");
    eventually("the deleted pod is gone", || api.read(&format!("{pods}/runs")).err().filter(|err| err.status() == Some(404)));
}

#[test]
fn a_namespace_that_is_deleted_goes_with_what_it_holds() {
    let Some(cluster) = ControlPlane::shared() else { return };
    let (api, namespace) = (cluster.api(), cluster.namespace("short-lived"));
    let configmaps = format!("/api/v1/namespaces/{namespace}/configmaps");
    api.create(&configmaps, &json!({"metadata": {"name": "cm-1"}})).expect("created");
    api.delete(&format!("/api/v1/namespaces/{namespace}")).expect("deleted");
    eventually("the namespace is gone", || {
        api.read(&format!("/api/v1/namespaces/{namespace}")).err().filter(|err| err.status() == Some(404))
    });
}

#[test]
fn a_node_whose_kubelet_is_silent_is_lost() {
    let Some(cluster) = Setup::new().nodes(2).node_grace(Duration::from_secs(4)).start_or_skip() else { return };
    cluster.abandon_node("node-1").expect("patched");
    let lost = eventually("the node controller reports it", || {
        let events = cluster.events_about("default", "node-1").expect("events");
        events.into_iter().find(|event| event["reason"] == "NodeNotReady")
    });
    assert_eq!(lost["source"]["component"], "node-controller");
    let ready = |name| {
        let node = cluster.api().read(&format!("/api/v1/nodes/{name}")).expect("read");
        let conditions = node["status"]["conditions"].as_array().cloned().unwrap_or_default();
        conditions.into_iter().find(|condition| condition["type"] == "Ready").expect("a condition")["status"].clone()
    };
    assert_eq!(ready("node-1"), "Unknown");
    assert_eq!(ready("node-2"), "True");
}
