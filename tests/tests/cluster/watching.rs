//! `faro-cli watch` against the real API: what it prints is what happened.

use crate::program::Program;
use faro_tests::control_plane::ControlPlane;
use serde_json::json;

#[test]
fn t1_one_config_map_by_name_in_a_namespace() {
    let Some(cluster) = ControlPlane::shared() else { return };
    let namespace = cluster.namespace("t1");
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("faro.yaml");
    let text = format!("namespaces: [{{name_selector: {namespace}, resources: {{v1/configmaps: {{name_selector: cm-1}}}}}}]\n");
    std::fs::write(&config, text).unwrap();
    let mut program =
        Program::start(cluster.kubeconfig(), &["watch", "--config", config.to_str().unwrap(), "--emit", "object,event,sync,gap"]);
    program.wait_for_sync(&["v1/configmaps"]);

    let path = format!("/api/v1/namespaces/{namespace}/configmaps");
    let api = cluster.api();
    let object = |name: &str, value: &str| json!({"metadata": {"name": name, "labels": {"app": "x"}}, "data": {"key": value}});
    api.create(&path, &object("cm-1", "a")).unwrap();
    api.create(&path, &object("cm-2", "a")).unwrap();
    api.create(&format!("/api/v1/namespaces/{namespace}/secrets"), &json!({"metadata": {"name": "cm-1"}})).unwrap();
    let service = json!({"metadata": {"name": "cm-1"}, "spec": {"ports": [{"port": 80}]}});
    api.create(&format!("/api/v1/namespaces/{namespace}/services"), &service).unwrap();
    api.patch(&format!("{path}/cm-1"), faro_tests::control_plane::Patch::Merge, &json!({"data": {"key": "b"}})).unwrap();
    api.delete(&format!("{path}/cm-1")).unwrap();
    // Nothing of what else happened there.
    let deleted = program.wait_for("the deletion", |record| record["eventType"] == "DELETED");
    program.read_for(std::time::Duration::from_millis(200));
    assert_eq!(deleted["labels"], json!({"app": "x"}));
    assert!(program.stop().success());
    let of = |what: &str| (what.to_owned(), "cm-1".to_owned());
    assert_eq!(program.changes("v1/configmaps"), [of("ADDED"), of("UPDATED"), of("DELETED")]);
    assert_eq!(program.records.iter().filter(|record| record["record"] != "sync").count(), 3, "nothing else at all");
}
